"""``depthsep named``: a theorem of the literature, with its own constants, beside what is certified here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from depthsep.cli.terminal import dim_option, example, json_option, print_json, print_table

if TYPE_CHECKING:
    from depthsep.lower_bounds.named import NamedRow, Ours

__all__ = ["COMMANDS"]

COLUMNS = ("weights", "accuracy", "what is certified", "checker")


@click.command(epilog=example("depthsep named daniely --dim 50"))
@click.argument("theorem", type=click.Choice(["daniely", "ses4", "ses5"]))
@dim_option
@click.option("--eps", metavar="EPS", help="The accuracy, read exactly; left out: that of the source.")
@json_option
def named(theorem: str, dim: int, eps: str | None, as_json: bool) -> None:
    """Put a theorem of the literature beside the certified bounds for the same function.

    daniely is Daniely 2017 on inner products; ses4 and ses5 are Theorems 4 and 5 of Safran, Eldan and Shamir 2019.
    """
    row = _row_of(theorem, dim, eps)
    if as_json:
        print_json(_facts(row))
        return
    click.echo(click.style(row.theorem, bold=True) + f" ({row.source})")
    click.echo(f"function: {row.function}, dimension {row.dim}, {row.norm}\nit states: {row.statement}")
    if row.source_log2_width_estimate is not None:
        click.echo(
            f"its printed expression gives a width of about 2^{row.source_log2_width_estimate:.1f} (an estimate)"
        )
    print_table("\nCertified", COLUMNS, [_cells(ours) for ours in row.ours])
    for note in row.notes:
        click.echo(f"note: {note}")


COMMANDS = (named,)


def _row_of(theorem: str, dim: int, eps: str | None) -> NamedRow:
    from depthsep.accuracy import parse_accuracy
    from depthsep.lower_bounds import named as rows

    if theorem == "daniely":
        return rows.daniely(dim) if eps is None else rows.daniely(dim, parse_accuracy(eps))
    prove = rows.safran_eldan_shamir_4 if theorem == "ses4" else rows.safran_eldan_shamir_5
    return prove(dim, None if eps is None else parse_accuracy(eps))


def _cells(ours: Ours) -> tuple[str, ...]:
    from depthsep.decimals import lower_decimal
    from depthsep.lower_bounds import LowerBound
    from depthsep.reports.rows import bound_proves

    accuracy = lower_decimal(ours.eps)
    if isinstance(ours.bound, LowerBound):
        return ours.weights, accuracy, bound_proves(ours.bound), ours.bound.verdict.status.name
    return ours.weights, accuracy, f"nothing: {ours.bound.reason}", ""


def _facts(row: NamedRow) -> dict[str, object]:
    from depthsep.lower_bounds import LowerBound, NoBound
    from depthsep.reports.rows import bound_json

    bounds = [ours.bound for ours in row.ours]
    return {
        "theorem": row.theorem,
        "source": row.source,
        "function": row.function,
        "dim": row.dim,
        "norm": row.norm,
        "statement": row.statement,
        "source_log2_width_estimate": row.source_log2_width_estimate,
        "notes": list(row.notes),
        "weights": [ours.weights for ours in row.ours],
        "bounds": [bound_json(bound, bound.document) for bound in bounds if isinstance(bound, LowerBound)],
        "no_bound": [vars(bound) for bound in bounds if isinstance(bound, NoBound)],
    }
