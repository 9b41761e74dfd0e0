"""``depthsep separate`` and ``depthsep demo``: the main job, from a formula to a folder with everything in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from depthsep.cli.terminal import (
    dim_option,
    domain_option,
    eps_option,
    example,
    force_option,
    json_option,
    print_json,
    print_table,
    progress,
    within,
)

if TYPE_CHECKING:
    from depthsep.api import Separation

__all__ = ["COMMANDS", "NETWORK_COLUMNS"]

NETWORK_COLUMNS = ("depth", "width", "proved error", "largest weight", "path norm", "width by the source", "checker")
BOUND_COLUMNS = ("theorem", "holds for", "what it proves", "checker")


@click.command(
    epilog=example(
        'depthsep separate "1 - r" --dim 10 --eps 0.1',
        'depthsep separate "sin(pi*d^3*t)" --domain spheres --dim 10 --eps 0.1 --weights "2^d"',
    )
)
@click.argument("expression")
@dim_option
@eps_option
@domain_option("ball", "spheres")
@click.option("--weights", metavar="B", help='Bound of all weights, the same for all depths, such as "2^d".')
@click.option("--max-width", type=int, metavar="N", help="Refuse shallow networks with more neurons.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The run folder.  [default: depthsep-runs/<formula>-d<dim>-eps<eps>]",
)
@force_option
@json_option
def separate(
    expression: str,
    dim: int,
    eps: str | None,
    domain: str,
    weights: str | None,
    max_width: int | None,
    out: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Build, prove and compare a shallow and a deep network.

    EXPRESSION is a formula in r, the norm of x, or ball(radius, margin); on spheres a formula in t, the inner product
    of two unit vectors, where the deep network stands against what every shallow one needs. Prints what was proved and
    what any network needs, and writes a run folder: the documents of the networks and of the lower bounds, ONNX files
    where the networks are small enough, and a page with pictures.
    """
    asked = {"dim": dim, "eps": eps, "domain": domain, "weights": weights, "max_width": max_width}
    _separate(expression, asked, out, force, as_json)


@click.command(epilog=example("depthsep demo"))
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="The run folder.")
@force_option
@json_option
def demo(out: Path | None, force: bool, as_json: bool) -> None:
    """Do the main job on 1 - r in dimension 10 at accuracy 0.1."""
    _separate("1 - r", {"dim": 10, "eps": "0.1"}, out, force, as_json)


COMMANDS = (separate, demo)


def _separate(expression: str, asked: dict[str, Any], out: Path | None, force: bool, as_json: bool) -> None:
    import depthsep as ds
    from depthsep.reports import run_folder

    target = out or run_folder.free_name(expression, asked["dim"], asked["eps"] or "")
    with run_folder.staged(target, force=force) as staging, progress() as report:
        separation = ds.separate(expression, **asked, progress=report)
        summary = run_folder.write(separation, staging, progress=report)
    if as_json:
        print_json({**summary, "folder": str(target), "report": str(target / "report.html")})
        return
    _print_separation(separation)
    for note in summary["notes"]:
        click.echo(note)
    click.echo(f"folder: {target}\nreport: {target / 'report.html'}")


def _print_separation(separation: Separation) -> None:
    from depthsep.reports import rows

    title = f"{separation.function.text} on {rows.place_of(separation.function)}, {within(separation.eps)}"
    networks = [rows.network_row(net).cells for net in rows.networks_of(separation)]
    print_table(title, NETWORK_COLUMNS, networks, right=(0, 1, 2, 3, 4, 5))
    if separation.shallow_failure is not None:
        click.echo(f"no shallow network: {separation.shallow_failure}\n")
    if separation.bounds:
        bounds = [rows.bound_row(bound).cells for bound in separation.bounds]
        print_table("What every network needs", BOUND_COLUMNS, bounds)
    for nothing in dict.fromkeys(separation.no_bounds):
        click.echo(f"no bound by {nothing.theorem}: {nothing.reason}")
    click.echo(f"\n{separation.sentence}\n")
