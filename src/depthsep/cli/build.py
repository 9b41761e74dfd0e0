"""``depthsep build``: one network of one depth, with its proof."""

from __future__ import annotations

from pathlib import Path

import click

from depthsep.cli.separate import NETWORK_COLUMNS
from depthsep.cli.terminal import (
    dim_option,
    eps_option,
    example,
    force_option,
    json_option,
    print_json,
    print_table,
    progress,
    refuse_unwritable,
    within,
)

__all__ = ["COMMANDS"]


@click.command(epilog=example('depthsep build "exp(-r^2)" --dim 20 --eps 0.1 --depth 2 --out shallow.json'))
@click.argument("expression")
@dim_option
@eps_option
@click.option("--depth", type=click.IntRange(2, 3), required=True, help="Weight layers: 2 is one hidden layer.")
@click.option("--max-width", type=int, metavar="N", help="Refuse networks with more neurons.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the document here.")
@force_option
@json_option
def build(
    expression: str,
    dim: int,
    eps: str | None,
    depth: int,
    max_width: int | None,
    out: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Build one network and prove its error.

    EXPRESSION is a formula in r, the norm of x, or ball(radius, margin).
    """
    import depthsep as ds
    from depthsep.reports import rows

    if out is not None:
        refuse_unwritable(out, force)
    with progress() as report:
        certified = ds.build(expression, dim=dim, eps=eps, depth=depth, max_width=max_width, progress=report)
    if out is not None:
        certified.save(out, force=force)
    if as_json:
        print_json({**certified.summary(), "document": certified.document if out is None else str(out)})
        return
    title = f"{expression} on the unit ball of dimension {dim}, {within(eps)}"
    print_table(title, NETWORK_COLUMNS, [rows.network_row(certified).cells], right=(0, 1, 2, 3, 4, 5))
    click.echo(f"document: {out}" if out is not None else "not saved; --out FILE writes the document")


COMMANDS = (build,)
