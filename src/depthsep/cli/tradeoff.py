"""``depthsep tradeoff``: how the width falls as the depth grows, every network proved."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from depthsep.cli.terminal import (
    dim_option,
    domain_option,
    example,
    force_option,
    json_option,
    print_json,
    print_table,
    progress,
    refuse_unwritable,
    within,
)
from depthsep.decimals import upper_decimal
from depthsep.reports.text import count, widths_text

if TYPE_CHECKING:
    from depthsep.tradeoff import TradeoffRow

__all__ = ["COMMANDS"]

COLUMNS = ("depth", "largest layer", "neurons", "proved error", "hidden layers", "checker")
_RANGE = re.compile(r"([0-9]{1,2}):([0-9]{1,2})")
_MOST_LAYERS_SHOWN = 8


def _depths(_context: click.Context, _option: click.Parameter, value: str) -> range:
    """Two depths A:B, both included."""
    found = _RANGE.fullmatch(value)
    if found is None or not 3 <= int(found[1]) <= int(found[2]) <= 64:
        raise click.BadParameter(f"{value!r} is not two depths A:B with 3 <= A <= B <= 64")
    return range(int(found[1]), int(found[2]) + 1)


@click.command(
    epilog=example('depthsep tradeoff "sin(pi*d^3*t)" --domain spheres --dim 10 --eps 0.1 --depths 3:8 --figure t.svg')
)
@click.argument("expression")
@dim_option
@click.option("--eps", required=True, metavar="EPS", help="Accuracy in the sup norm, read exactly.")
@click.option(
    "--depths",
    callback=_depths,
    required=True,
    metavar="A:B",
    help="From A to B weight layers, both included; from 3 to 64.",
)
@domain_option("ball", "spheres", "balls")
@click.option(
    "--figure", type=click.Path(path_type=Path), metavar="FILE", help="Draw the widths to this .svg or .png file."
)
@force_option
@json_option
def tradeoff(
    expression: str, dim: int, eps: str, depths: range, domain: str, figure: Path | None, force: bool, as_json: bool
) -> None:
    """Build a network of every depth, each with the narrowest largest layer that is found, and compare their widths.

    EXPRESSION is a formula in r, the norm of x; on pairs of points a formula in t, the inner product.
    """
    from depthsep.functions import parse_function
    from depthsep.reports.rows import place_of
    from depthsep.tradeoff import tradeoff as find

    if figure is not None:
        if figure.suffix not in (".svg", ".png"):
            raise click.UsageError(f"--figure needs a name that ends in .svg or .png, not {figure}")
        refuse_unwritable(figure, force)
    with progress() as report:
        found = find(expression, dim=dim, eps=eps, depths=depths, domain=domain, progress=report)
    title = f"{expression} on {place_of(parse_function(expression, dim, domain))}, {within(eps)}"
    if figure is not None:
        _draw(found, title, figure, force)
    if as_json:
        print_json({"rows": [_facts(row) for row in found], "figure": None if figure is None else str(figure)})
        return
    print_table(title, COLUMNS, [_cells(row) for row in found], right=(0, 1, 2, 3))
    for row in found:
        if row.network is None:
            click.echo(f"depth {row.depth}: {row.failure}")
    if figure is not None:
        click.echo(f"figure: {figure}")


COMMANDS = (tradeoff,)


def _cells(row: TradeoffRow) -> tuple[str, ...]:
    net = row.network
    if net is None:
        return (str(row.depth), "–", "–", "–", "none was found", "")
    largest, neurons = count(max(net.widths)), count(sum(net.widths))
    layers = widths_text(net.widths[:_MOST_LAYERS_SHOWN]) + (" + ..." if len(net.widths) > _MOST_LAYERS_SHOWN else "")
    return (str(row.depth), largest, neurons, upper_decimal(net.sup_error_upper), layers, net.verdict.status.name)


def _facts(row: TradeoffRow) -> dict[str, Any]:
    if row.network is None:
        return {"depth": row.depth, "widths": None, "largest_layer": None, "neurons": None, "failure": row.failure}
    facts = {**row.network.summary(), "document": row.network.document}
    return {**facts, "largest_layer": row.largest_layer, "neurons": row.neurons, "failure": None}


def _draw(found: list[TradeoffRow], title: str, path: Path, force: bool) -> None:
    from depthsep.reports import figures

    built = [row.network for row in found if row.network is not None]
    largest = [(float(net.depth), float(max(net.widths))) for net in built]
    neurons = [(float(net.depth), float(sum(net.widths))) for net in built]
    sources = [net.source_width for net in built if net.depth == 3 and net.source_width is not None]
    source = float(sources[0].replace(",", "")) if sources else None
    figures.save(figures.draw_tradeoff(largest, neurons, source, title), path, force)
