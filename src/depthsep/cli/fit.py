"""``depthsep fit``: a function of one variable as a sum of units of one activation, with its proof."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import click

from depthsep.cli.terminal import (
    eps_option,
    example,
    force_option,
    json_option,
    print_json,
    print_table,
    refuse_unwritable,
    within,
)

__all__ = ["COMMANDS"]

COLUMNS = ("activation", "units", "proved error", "largest weight", "path norm", "method", "checker")


@click.command(epilog=example('depthsep fit "abs(t)" --interval -1 1 --eps 0.01 --activation sigmoid'))
@click.argument("expression")
@click.option("--interval", nargs=2, required=True, metavar="A B", help="The ends, read exactly: -1 1/3.")
@eps_option
@click.option("--activation", default="relu", show_default=True, metavar="NAME", help="See `depthsep activations`.")
@click.option(
    "--domain",
    type=click.Choice(["line", "interval"]),
    default="line",
    show_default=True,
    help="Everywhere, with the end values kept outside the interval; or on the interval only.",
)
@click.option(
    "--method",
    type=click.Choice(["best", "cells"]),
    default="best",
    show_default=True,
    help="The fewest units found, or the equal cells of the textbook.",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the document here.")
@force_option
@json_option
def fit(
    expression: str,
    interval: tuple[str, str],
    eps: str | None,
    activation: str,
    domain: str,
    method: str,
    out: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Fit a function of one variable by units of one activation, and prove the error.

    EXPRESSION is a formula in t.
    """
    from depthsep.constructions.univariate_fit import fit as find
    from depthsep.decimals import upper_decimal
    from depthsep.errors import BadInput

    if eps is None:
        raise BadInput("a fit without an accuracy", needed="--eps", do="for example --eps 0.01")
    if out is not None:
        refuse_unwritable(out, force)
    found = find(expression, interval, eps, activation, domain, method)
    if out is not None:
        found.save(out, force=force)
    if as_json:
        print_json({**found.summary(), "document": found.document if out is None else str(out)})
        return
    where = f"on [{interval[0]}, {interval[1]}]"
    title = f"{expression} {where}{', constant beyond, on the whole line' if domain == 'line' else ''}, {within(eps)}"
    cells = (
        found.activation.name,
        str(found.widths[0]),
        upper_decimal(found.sup_error_upper),
        upper_decimal(Fraction(found.max_weight)),
        upper_decimal(Fraction(found.path_norm)),
        found.method,
        found.verdict.status.name,
    )
    print_table(title, COLUMNS, [cells], right=(1, 2, 3, 4))
    click.echo(f"document: {out}" if out is not None else "not saved; --out FILE writes the document")


COMMANDS = (fit,)
