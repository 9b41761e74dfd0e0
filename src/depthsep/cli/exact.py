"""``depthsep exact``: networks that are a function exactly, with the proof from their rational weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from depthsep.cli.terminal import (
    example,
    force_option,
    json_option,
    print_json,
    print_table,
    refuse_unwritable,
)

if TYPE_CHECKING:
    from depthsep.certificates.exact import CertifiedExact

__all__ = ["COMMANDS"]

COLUMNS = ("depth", "widths", "neurons", "largest weight", "error", "checker")
_FEW_LAYERS = 8


@click.group(epilog=example("depthsep exact maximum --inputs 5 --out five.json", "depthsep check five.json"))
def exact() -> None:
    """Build a network without any error: a sawtooth, a parity, a Cantor set, a maximum; or check one of yours."""


def _depth(command: Callable[..., None]) -> Callable[..., None]:
    return click.option("--depth", type=int, metavar="K", help="Weight layers; fewer layers are wider.")(command)


def _rest(command: Callable[..., None]) -> Callable[..., None]:
    """The options that all targets have."""
    command = json_option(force_option(command))
    command = click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the document here.")(
        command
    )
    return click.option(
        "--check",
        "theirs",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="NET",
        help="Prove it of this network (.onnx, .json) instead of building one.",
    )(command)


@exact.command(epilog=example("depthsep exact sawtooth --folds 6", "depthsep exact sawtooth --folds 6 --depth 3"))
@click.option("--folds", type=int, required=True, metavar="N", help="The sawtooth has 2^N pieces on [0, 1].")
@_depth
@_rest
def sawtooth(folds: int, depth: int | None, theirs: Path | None, out: Path | None, force: bool, as_json: bool) -> None:
    """The distance of 2^N x to the nearest even integer, on [0, 1]."""
    from depthsep.constructions.exact_networks import exact_sawtooth

    _run("sawtooth", folds, theirs, lambda: exact_sawtooth(folds, depth), out, force, as_json)


@exact.command(epilog=example("depthsep exact parity --bits 16", "depthsep exact parity --bits 16 --depth 5"))
@click.option("--bits", type=int, required=True, metavar="D", help="The number of inputs, each 0 or 1.")
@_depth
@_rest
def parity(bits: int, depth: int | None, theirs: Path | None, out: Path | None, force: bool, as_json: bool) -> None:
    """The parity of D bits: one layer of D units, or about log2 D layers of two."""
    from depthsep.constructions.exact_networks import exact_parity

    _run("parity", bits, theirs, lambda: exact_parity(bits, depth), out, force, as_json)


@exact.command(epilog=example("depthsep exact cantor --level 4"))
@click.option("--level", type=int, required=True, metavar="N", help="The set of 2^N intervals of length 3^-N.")
@_rest
def cantor(level: int, theirs: Path | None, out: Path | None, force: bool, as_json: bool) -> None:
    """A network that is >= 0 at the points of level N of the Cantor set, and < 0 elsewhere on the line."""
    from depthsep.constructions.exact_networks import exact_cantor

    _run("cantor", level, theirs, lambda: exact_cantor(level), out, force, as_json)


@exact.command(epilog=example("depthsep exact maximum --inputs 5", "depthsep exact maximum --inputs 100"))
@click.option("--inputs", type=int, required=True, metavar="N", help="The number of inputs, any real numbers.")
@_depth
@_rest
def maximum(inputs: int, depth: int | None, theirs: Path | None, out: Path | None, force: bool, as_json: bool) -> None:
    """The maximum of N numbers: a tree, and for N = 5 also two hidden layers."""
    from depthsep.constructions.exact_networks import exact_maximum

    _run("maximum", inputs, theirs, lambda: exact_maximum(inputs, depth), out, force, as_json)


COMMANDS = (exact,)


def _run(
    kind: str,
    size: int,
    theirs: Path | None,
    build: Callable[[], CertifiedExact],
    out: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Build or check, save, and print."""
    if out is not None:
        refuse_unwritable(out, force)
    found = build() if theirs is None else _proved(kind, size, theirs)
    if out is not None:
        found.save(out, force=force)
    if as_json:
        print_json({**found.summary(), "document": found.document if out is None else str(out)})
        return
    network = found.network
    cells = (
        str(found.depth),
        _widths(found.widths),
        f"{network.neurons:,}",
        str(network.max_weight),
        str(found.sup_error_upper),
        found.verdict.status.name,
    )
    print_table(found.target.text, COLUMNS, [cells], right=(0, 2, 3, 4))
    pieces, least = found.target.least_pieces, found.target.least_width(found.depth)
    if pieces is not None:
        power = f"2^{pieces.bit_length() - 1}"
        click.echo(
            f"any ReLU network of it: the product of all (width + 1) is at least {power}, by the pieces on a line"
        )
        click.echo(
            f"at depth {found.depth} every such network has a layer of width {least} or more, whatever the weights"
        )
    click.echo(f"document: {out}" if out is not None else "not saved; --out FILE writes the document")


def _proved(kind: str, size: int, path: Path) -> CertifiedExact:
    import depthsep as ds
    from depthsep.certificates.exact import ExactTarget, certify_exact

    return certify_exact(ExactTarget(kind, size), ds.read_network(path))


def _widths(widths: tuple[int, ...]) -> str:
    """All widths, or the first ones of many equal ones."""
    if len(widths) > _FEW_LAYERS and len(set(widths)) == 1:
        return f"{len(widths)} x {widths[0]}"
    return " + ".join(f"{width:,}" for width in widths) or "none"
