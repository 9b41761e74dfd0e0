"""``depthsep crossover``: the smallest dimension at which depth 3 certainly wins."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from depthsep.cli.terminal import (
    example,
    force_option,
    json_option,
    print_json,
    print_table,
    progress,
    refuse_unwritable,
)

if TYPE_CHECKING:
    from depthsep.crossover import Row

__all__ = ["COMMANDS"]

DRAWN_BEYOND = 6
COLUMNS = ("d", "weights <=", "depth 2 needs", "depth 3 takes", "certified separation")


@click.command(epilog=example('depthsep crossover --omega "pi*d^3" --weights "2^d" --eps 0.35'))
@click.option("--omega", required=True, metavar="W", help='Frequency of sin(W t), a formula in d such as "pi*d^3".')
@click.option("--weights", required=True, metavar="B", help='Bound of all weights on both sides, such as "2^d".')
@click.option("--eps", required=True, metavar="EPS", help="Accuracy in L2 over pairs of unit vectors, read exactly.")
@click.option(
    "--last-dim",
    type=click.IntRange(min=3),
    default=6,
    show_default=True,
    metavar="D",
    help="Stop after this dimension, 3 at least.",
)
@click.option(
    "--figure", type=click.Path(path_type=Path), metavar="FILE", help="Draw the widths to this .svg or .png file."
)
@force_option
@json_option
def crossover(
    omega: str, weights: str, eps: str, last_dim: int, figure: Path | None, force: bool, as_json: bool
) -> None:
    """Find the smallest dimension where every depth-2 network is wider than a depth-3 network that is built.

    The function is sin(W t), t the inner product of two unit vectors. Both sides obey the same bound of the weights and
    the same accuracy, and the checker replays both: a lower bound at depth 2, a network at depth 3.
    """
    from depthsep.crossover import crossover as find

    if figure is not None:
        if figure.suffix not in (".svg", ".png"):
            raise click.UsageError(f"--figure needs a name that ends in .svg or .png, not {figure}")
        refuse_unwritable(figure, force)
    with progress() as report:
        dim, found = find(omega, weights, eps, last_dim, report)
    if figure is not None:
        _draw(found, omega, weights, eps, figure, force)
    if as_json:
        print_json(
            {"dim": dim, "rows": [_facts(row) for row in found], "figure": None if figure is None else str(figure)}
        )
        return
    print_table(f"sin({omega} t) within {eps} in L2", COLUMNS, [_cells(row) for row in found], right=(0, 1))
    for row in found:
        reason = _unknown(row)
        if reason is not None:
            click.echo(f"dimension {row.dim}, depth 2: {reason}")
        if row.deep is None:
            click.echo(f"dimension {row.dim}, depth 3: {row.deep_failure}")
    last = f"no certified separation up to dimension {found[-1].dim}"
    click.echo(f"smallest dimension with a certified separation: {dim}" if dim else last)
    if figure is not None:
        click.echo(f"figure: {figure}")


COMMANDS = (crossover,)


def _cells(row: Row) -> tuple[str, ...]:
    from depthsep.lower_bounds import LowerBound
    from depthsep.reports.rows import bound_proves
    from depthsep.reports.text import widths_text

    shallow = bound_proves(row.shallow) if isinstance(row.shallow, LowerBound) else "nothing is known"
    deep = "none was found" if row.deep is None else widths_text(row.deep.widths)
    return str(row.dim), str(row.weights), shallow, deep, "yes" if row.separated else "no"


def _facts(row: Row) -> dict[str, Any]:
    from depthsep.lower_bounds import LowerBound
    from depthsep.reports.rows import bound_json

    shallow = row.shallow
    return {
        "dim": row.dim,
        "weights": str(row.weights),
        "depth2": bound_json(shallow, shallow.document) if isinstance(shallow, LowerBound) else None,
        "depth2_unknown": _unknown(row),
        "depth3_widths": None if row.deep is None else list(row.deep.widths),
        "depth3": None if row.deep is None else {**row.deep.summary(), "document": row.deep.document},
        "depth3_unknown": row.deep_failure or None,
        "separated": row.separated,
    }


def _unknown(row: Row) -> str | None:
    """Why nothing is known about depth 2, if so."""
    from depthsep.lower_bounds import NoBound

    return row.shallow.reason if isinstance(row.shallow, NoBound) else None


def _draw(found: list[Row], omega: str, weights: str, eps: str, path: Path, force: bool) -> None:
    """Both sides and the source's formula, for some more dimensions as well."""
    from depthsep.crossover import rows, source_width
    from depthsep.lower_bounds import LowerBound
    from depthsep.reports import figures

    drawn = list(rows(omega, weights, eps, found[-1].dim + DRAWN_BEYOND))
    shallow = [(row.dim, row.shallow.log2_width_lower) for row in drawn if isinstance(row.shallow, LowerBound)]
    deep = [(row.dim, math.log2(sum(row.deep.widths))) for row in drawn if row.deep is not None]
    source = [(row.dim, math.log2(source_width(omega, row.dim, eps))) for row in drawn]
    title = f"sin({omega} t) within {eps}, all weights at most {weights}"
    figures.save(figures.draw_crossover(shallow, deep, source, title), path, force)
