"""``depthsep build``: one network of one depth, with its proof."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from depthsep.cli.separate import NETWORK_COLUMNS
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
    refuse_unwritable,
    weights_option,
    within,
)

if TYPE_CHECKING:
    from depthsep.certificates.probabilistic import ProbabilisticNetwork

__all__ = ["COMMANDS"]


RANDOM_COLUMNS = ("width", "error, with probability", "at least", "seed", "checker")


@click.command(
    epilog=example(
        'depthsep build "exp(-r^2)" --dim 20 --eps 0.1 --depth 2 --out shallow.json',
        'depthsep build "1 - r" --dim 2 --eps 0.1 --depth 2 --activation gelu',
        'depthsep build "sin(pi*d^3*t)" --domain spheres --dim 10 --eps 0.1 --depth 8',
        'depthsep build "1 - r" --dim 100 --eps 0.1 --depth 2 --random --failure-probability 2^-80',
    )
)
@click.argument("expression")
@dim_option
@eps_option
@click.option(
    "--depth", type=click.IntRange(2, 64), required=True, help="Weight layers: 2 is one hidden layer; pairs need 3."
)
@domain_option("ball", "spheres", "balls")
@weights_option
@click.option(
    "--activation",
    default="relu",
    show_default=True,
    metavar="NAME",
    help="See `depthsep activations`; depth 3: relu, softplus, sigmoid, tanh.",
)
@click.option("--random", is_flag=True, help="Random directions: a statement about the law of the draw only.")
@click.option(
    "--failure-probability", default="2^-80", show_default=True, metavar="P", help="With --random: the most allowed."
)
@click.option("--seed", type=int, default=0, show_default=True, metavar="N", help="With --random: names the draw.")
@click.option("--max-width", type=int, metavar="N", help="Refuse networks with more neurons.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the document here.")
@force_option
@json_option
def build(
    expression: str,
    dim: int,
    eps: str | None,
    depth: int,
    domain: str,
    weights: str | None,
    activation: str,
    random: bool,
    failure_probability: str,
    seed: int,
    max_width: int | None,
    out: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Build one network and prove its error.

    EXPRESSION is a formula in r, the norm of x, or ball(radius, margin); on pairs of points a formula in t, the inner
    product.
    """
    import depthsep as ds
    from depthsep.reports import rows

    if out is not None:
        refuse_unwritable(out, force)
    if random:
        _require_random(eps, depth, activation, domain, weights)
        with progress() as report:
            draw = ds.build_random(
                expression,
                dim=dim,
                eps=eps or "",
                failure_probability=failure_probability,
                seed=seed,
                max_width=max_width,
                progress=report,
            )
        _show_random(draw, out, force, as_json)
        return
    with progress() as report:
        certified = ds.build(
            expression,
            dim=dim,
            eps=eps,
            depth=depth,
            activation=activation,
            domain=domain,
            weights=weights,
            max_width=max_width,
            progress=report,
        )
    if out is not None:
        certified.save(out, force=force)
    if as_json:
        print_json({**certified.summary(), "document": certified.document if out is None else str(out)})
        return
    title = f"{expression} on {rows.place_of(certified.function)}, {within(eps)}"
    print_table(title, NETWORK_COLUMNS, [rows.network_row(certified).cells], right=(0, 1, 2, 3, 4, 5))
    click.echo(f"document: {out}" if out is not None else "not saved; --out FILE writes the document")


COMMANDS = (build,)


def _require_random(eps: str | None, depth: int, activation: str, domain: str, weights: str | None) -> None:
    if eps is None:
        raise click.UsageError("--random needs --eps")
    if depth != 2 or activation != "relu":
        raise click.UsageError("--random is for depth 2 and the activation relu")
    if domain != "ball" or weights is not None:
        raise click.UsageError("--random is for the unit ball, without a bound of the weights")


def _show_random(draw: ProbabilisticNetwork, out: Path | None, force: bool, as_json: bool) -> None:
    """Print a draw, never as if anything were proved about it."""
    if out is not None:
        draw.save(out, force=force)
    if as_json:
        print_json({**draw.summary(), "document": draw.document if out is None else str(out)})
        return
    title = f"{draw.function.text} on the unit ball of dimension {draw.dim}: random directions"
    cells = (
        f"{draw.widths[0]:,}",
        str(draw.sup_error_upper),
        f"1 - 2^-{draw.bits}",
        str(draw.seed),
        draw.verdict.status.name,
    )
    print_table(title, RANDOM_COLUMNS, [cells], right=(0, 1, 2, 3))
    click.echo(draw.sentence)
    click.echo(f"document: {out}" if out is not None else "not saved; --out FILE writes the document")
