"""``depthsep shrink``, ``balance`` and ``circuit``: the same network with small weights, or as a threshold circuit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

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
from depthsep.errors import BadInput

if TYPE_CHECKING:
    from depthsep.certificates.equality import CertifiedEquality
    from depthsep.shrinking import Shrunk
    from depthsep.small_weights.barrier import BarrierReport
    from depthsep.small_weights.circuits import CircuitCost
    from depthsep.small_weights.plan import Plan

__all__ = ["COMMANDS"]

_Command = TypeVar("_Command", bound=Callable[..., Any])

# x0 where x0 >= x1, else 0: on the grid of 2^4 + 1 points per axis
COMPARATOR = (
    """echo '{"kind": "relu-network", "dim": 2, "layers": ["""
    """{"weights": [[4097, -4096], [4096, -4096]], "biases": [0, 0]}, """
    """{"weights": [[1, -1]], "biases": [0]}]}' > net.json"""
)
PLAN_COLUMNS = ("way", "equal", "depth", "neurons", "nonzeros", "largest weight", "what it does, or why not")
SHRUNK_COLUMNS = ("", "depth", "neurons", "nonzeros", "largest weight", "equal", "error", "checker")
CIRCUIT_COLUMNS = ("input bits", "depth", "gates", "wires", "largest weight", "checker")


def _network(command: _Command) -> _Command:
    """The argument NET and the option ``--layers``."""
    argument = click.argument("net", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    layers = click.option(
        "--layers", metavar="A,B,C", help="For .safetensors: the prefixes of the layers' tensors, first layer first."
    )
    return argument(layers(command))


def _domain(command: _Command) -> _Command:
    return click.option(
        "--domain", type=click.Choice(["0,1", "-1,1"]), default="0,1", show_default=True, help="Range of every input."
    )(command)


def _out(command: _Command) -> _Command:
    return click.option(
        "--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the document (network and proof) here."
    )(command)


@click.command(
    epilog=example(
        COMPARATOR,
        "depthsep shrink net.json --max-weight 16 --out small.json",
        "depthsep shrink net.json --grid-bits 4 --plan",
        "depthsep check small.json",
    )
)
@_network
@click.option("--max-weight", metavar="B", help='Largest |weight| and |bias| allowed, such as "64" or "2^10".')
@click.option("--max-depth", type=int, metavar="D", help="Most weight layers allowed; 3k+3 for a network of depth k.")
@click.option("--grid-bits", type=int, metavar="P", help="Equal on the grid of 2^P + 1 points per axis is enough.")
@_domain
@click.option(
    "--mode",
    type=click.Choice(["auto", "balance", "pad", "split", "theorem", "compact", "merged"]),
    default="auto",
    show_default=True,
    help="The way to go: equal everywhere (balance, pad, split) or on the grid (depth 3k+3, 5k+1, 2k+2).",
)
@click.option("--range", "range_bound", metavar="R", help="Assert |output| <= R on the grid; proved if left out.")
@click.option("--output-error", metavar="E", help="Error allowed on the grid; left out: 0, or range/2^15.")
@click.option("--guard-bits", type=int, default=4, show_default=True, metavar="G", help="Ramps take 2^-G of a cell.")
@click.option("--density", default="1", show_default=True, metavar="RHO", help="Density of the inputs, off the grid.")
@click.option("--max-nonzeros", type=int, default=30_000_000, show_default=True, metavar="N", help="Refuse more.")
@click.option("--plan", "only_plan", is_flag=True, help="Show what every way would cost; build nothing.")
@click.option("--picture", type=click.Path(path_type=Path), metavar="IMAGE", help="Draw the weights to .png or .svg.")
@_out
@force_option
@json_option
def shrink(
    net: Path,
    layers: str | None,
    only_plan: bool,
    picture: Path | None,
    out: Path | None,
    force: bool,
    as_json: bool,
    density: str,
    **request: Any,
) -> None:
    """Give the network NET small weights, with a proof that it is still the same.

    NET is a .onnx file (Gemm, MatMul, Add, Relu), .safetensors with --layers, or .json. Without --max-weight and
    --grid-bits the weights are balanced, which is exact everywhere and as small as rescaling allows. With --max-weight
    the cheapest way that meets it is taken: balancing, identity layers, copies of neurons, and, where --grid-bits says
    that agreeing on a grid is enough, the full compiler.
    """
    import depthsep as ds

    for path in filter(None, (picture, out)):
        refuse_unwritable(path, force)
    if picture is not None and picture.suffix not in (".png", ".svg"):
        raise BadInput(f"a picture {picture}", needed="a name that ends in .svg or .png")
    with progress() as report:
        network = ds.read_network(net, layers=_names(layers))
        if only_plan:
            plan = ds.plan_shrink(network, **request, progress=report)
        else:
            shrunk = ds.shrink(network, **request, density=density, progress=report)
    if only_plan:
        _show_plan(plan, str(net), as_json)
        return
    if out is not None:
        shrunk.save(out, force=force)
    if picture is not None:
        _draw(shrunk, picture, force)
    _show(shrunk, str(net), out, picture, as_json)


@click.command(epilog=example(COMPARATOR, "depthsep balance net.json --out balanced.json"))
@_network
@_out
@force_option
@json_option
def balance(net: Path, layers: str | None, out: Path | None, force: bool, as_json: bool) -> None:
    """Rescale the neurons of NET by powers of two until its largest weight is as small as it gets.

    The function stays the same everywhere, in exact arithmetic and, short of overflow, in floating point. Beside the
    largest weight reached is the one that no rescaling at all goes below, with the path through the network that proves
    it.
    """
    import depthsep as ds

    if out is not None:
        refuse_unwritable(out, force)
    shrunk = ds.balance(ds.read_network(net, layers=_names(layers)))
    if out is not None:
        shrunk.save(out, force=force)
    if as_json:
        print_json({**shrunk.summary(), "document": shrunk.document if out is None else str(out)})
        return
    from depthsep.reports.rows import balance_row

    title = f"{net}: the largest weight or bias"
    print_table(title, ("before", "after", "no rescaling goes below", "checker"), [balance_row(shrunk)])
    for hint in shrunk.hints:
        click.echo(hint)
    click.echo(f"document: {out}" if out is not None else "not saved; --out FILE writes the document")


@click.command(
    epilog=example(
        COMPARATOR,
        "depthsep circuit net.json --grid-bits 3 --threshold 1/2 --out circuit.json",
        "depthsep circuit circuit.json --out back.json",
        "depthsep check circuit.json",
    )
)
@_network
@click.option("--grid-bits", type=int, metavar="P", help="Bits of every input.")
@click.option("--threshold", metavar="T", help="The circuit says whether the output is at least T.")
@click.option("--output", type=int, default=0, show_default=True, metavar="I", help="Which output of the network.")
@_domain
@click.option("--barrier", is_flag=True, help="Say what a depth separation for this function would imply for circuits.")
@click.option("--plan", "only_plan", is_flag=True, help="Count the gates; build nothing.")
@_out
@force_option
@json_option
def circuit(
    net: Path,
    layers: str | None,
    grid_bits: int | None,
    threshold: str | None,
    only_plan: bool,
    barrier: bool,
    out: Path | None,
    force: bool,
    as_json: bool,
    **request: Any,
) -> None:
    """Turn NET into a threshold circuit of small weights for [output >= T] on the bits of its inputs, of depth 2k+1.

    Where NET is a circuit itself (a threshold-circuit object in .json, or a document of one), the network that computes
    it on its bits is written to --out, one layer deeper.
    """
    if out is not None:
        refuse_unwritable(out, force)
    if _holds_circuit(net):
        _write_network(net, out, force, as_json)
        return
    if grid_bits is None or threshold is None:
        raise click.UsageError("a network becomes a circuit with --grid-bits P and --threshold T")
    import depthsep as ds
    from depthsep import shrinking

    with progress() as report:
        source = ds.read_network(net, layers=_names(layers))
        request |= {"grid_bits": grid_bits, "threshold": threshold}
        planned = shrinking.plan_circuit(source, **request, progress=report)
        implied = shrinking.circuit_barrier(source, **request) if barrier else None
        made = None if only_plan else ds.circuit(source, **request, progress=report)
    if made is not None and out is not None:
        made.save(out, force=force)
    if as_json:
        print_json(_circuit_json(planned, made, implied, out))
        return
    _show_circuit(f"{net}: [output {request['output']} >= {threshold}]", planned, made, out)
    if implied is not None:
        click.echo("\n" + implied.text)


COMMANDS = (shrink, balance, circuit)


def _holds_circuit(path: Path) -> bool:
    """Whether a file is a circuit, or the document of one; whoever reads it then says what is wrong with it."""
    if path.suffix != ".json":
        return False
    try:
        obj = json.loads(path.read_bytes())
    except (ValueError, RecursionError, OSError):
        return False
    claim = obj.get("claim") if isinstance(obj, dict) else None
    kind = obj.get("kind") if isinstance(obj, dict) else None
    return kind == "threshold-circuit" or (isinstance(claim, dict) and claim.get("kind") == "circuit-equality")


def _write_network(net: Path, out: Path | None, force: bool, as_json: bool) -> None:
    """The network of a circuit, on its input bits."""
    from depthsep.files import write_whole
    from depthsep.networks.circuit import circuit_from_file
    from depthsep.reports.text import json_text
    from depthsep.small_weights.circuit_networks import network_of

    source = circuit_from_file(net)
    network = network_of(source)
    obj = network.to_json()
    if out is not None:
        write_whole(out, force, lambda part: part.write_text(json_text(obj) + "\n", encoding="utf-8"))
    if as_json:
        facts = {"depth": network.depth, "neurons": network.neurons, "nonzeros": network.nonzeros}
        print_json({**facts, "max_weight": str(network.max_weight), "network": obj if out is None else str(out)})
        return
    click.echo(
        f"{net}: a circuit of depth {source.depth} with {source.size:,} gates on {source.inputs:,} bits\n"
        f"the network that equals it at all Boolean inputs has depth {network.depth}, {network.neurons:,} neurons and "
        f"{network.nonzeros:,} nonzeros, weights and biases at most {network.max_weight}"
    )
    click.echo(f"network: {out}" if out is not None else "not saved; --out FILE writes the network")


def _circuit_json(
    planned: CircuitCost, made: CertifiedEquality | None, implied: BarrierReport | None, out: Path | None
) -> dict[str, Any]:
    counted = {name: getattr(planned, name) for name in ("inputs", "depth", "gates", "wires", "max_weight")}
    facts = (
        counted if made is None else counted | made.summary() | {"document": made.document if out is None else str(out)}
    )
    return facts | {"barrier": None if implied is None else implied.to_json()}


def _show_circuit(title: str, planned: CircuitCost, made: CertifiedEquality | None, out: Path | None) -> None:
    numbers = (planned.inputs, planned.depth, planned.gates, planned.wires, planned.max_weight)
    verdict = "not built" if made is None else made.verdict.status.name
    print_table(title, CIRCUIT_COLUMNS, [(*(f"{number:,}" for number in numbers), verdict)], right=(0, 1, 2, 3, 4))
    if made is not None:
        click.echo(f"document: {out}" if out is not None else "not saved; --out FILE writes the document")


def _names(layers: str | None) -> list[str] | None:
    return None if layers is None else [name.strip() for name in layers.split(",")]


def _show_plan(plan: Plan, name: str, as_json: bool) -> None:
    from depthsep.reports.rows import plan_json, way_row

    if as_json:
        print_json(plan_json(plan))
        return
    print_table(f"{name}: ways to small weights (nothing was built)", PLAN_COLUMNS, [way_row(way) for way in plan.ways],
                right=(2, 3, 4, 5))  # fmt: skip
    if plan.chosen:
        click.echo(f"to take: {plan.chosen[0].name}; {plan.reason}")
    else:
        wider = "--grid-bits P, --max-depth D, --max-nonzeros N or a larger --max-weight B may open a way"
        click.echo(f"nothing to take as asked; {wider}")


def _show(shrunk: Shrunk, name: str, out: Path | None, picture: Path | None, as_json: bool) -> None:
    from depthsep.reports.rows import shrunk_lines, shrunk_row, source_row

    if as_json:
        drawn = None if picture is None else str(picture)
        print_json({**shrunk.summary(), "picture": drawn, "document": shrunk.document if out is None else str(out)})
        return
    print_table(name, SHRUNK_COLUMNS, [source_row(shrunk.source), shrunk_row(shrunk)], right=(1, 2, 3, 4))
    for line in shrunk_lines(shrunk):
        click.echo(line)
    if picture is not None:
        click.echo(f"picture: {picture}")
    click.echo(f"document: {out}" if out is not None else "not saved; --out FILE writes the document")


def _draw(shrunk: Shrunk, path: Path, force: bool) -> None:
    from depthsep.reports import figures
    from depthsep.reports.small_weights import cut_through, layer_sizes

    before, after = layer_sizes(shrunk.source), layer_sizes(shrunk.network)
    title = f"{shrunk.way.name}: {shrunk.way.does}"
    figures.save(figures.draw_weights(before, after, cut_through(shrunk), title), path, force)
