"""``depthsep export``: the same network, neuron by neuron, for other programs."""

from __future__ import annotations

from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from depthsep.cli.terminal import example, force_option, json_option, print_json, refuse_unwritable
from depthsep.decimals import upper_decimal
from depthsep.reports.text import count

if TYPE_CHECKING:
    from depthsep.certificates import CertifiedEquality, CertifiedNetwork
    from depthsep.certificates.exact import CertifiedExact
    from depthsep.certificates.fitted import CertifiedFit
    from depthsep.certificates.probabilistic import ProbabilisticNetwork

__all__ = ["COMMANDS"]


@click.command(
    epilog=example(
        'depthsep build "1 - r" --dim 3 --eps 0.3 --depth 2 --out cone.json',
        "depthsep export cone.json --to onnx --out cone.onnx",
        "depthsep check cone.json --against cone.onnx",
    )
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--to", "form", type=click.Choice(["onnx", "torch", "safetensors"]), required=True, help="The format.")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="MODEL", help="The file to write.")
@click.option(
    "--dtype",
    type=click.Choice(["float64", "float32"]),
    default="float64",
    help="float32 only for networks that are guaranteed exact in it on their grid, and not with --to torch.",
)
@force_option
@json_option
def export(file: Path, form: str, out: Path, dtype: str, force: bool, as_json: bool) -> None:
    """Write the network of a document as a model file."""
    import depthsep as ds

    if form == "torch" and dtype != "float64":
        raise click.UsageError("--to torch writes float64 only; convert the module with .float()")
    refuse_unwritable(out, force)
    certified = ds.load(file)
    options = {} if form == "torch" else {"dtype": dtype}
    written = import_module(f"depthsep.exports.{form}").write(certified, out, force=force, **options)
    error = written.rounding_error_upper
    if as_json:
        rounding = None if error is None else str(error)
        print_json({"path": str(written.path), "parameters": written.parameters, "rounding_error_upper": rounding})
        return
    click.echo(f"{written.path}: {count(written.parameters)} weights and biases, all in {dtype}")
    click.echo(_rounding_text(certified, dtype, error))
    if isinstance(certified, ds.ProbabilisticNetwork):
        click.echo(certified.sentence)


COMMANDS = (export,)


def _rounding_text(
    certified: CertifiedNetwork | CertifiedEquality | CertifiedExact | CertifiedFit | ProbabilisticNetwork,
    dtype: str,
    error: Fraction | None,
) -> str:
    """What is known about the values that the file gives."""
    from depthsep.certificates import CertifiedEquality
    from depthsep.certificates.exact import CertifiedExact

    if isinstance(certified, CertifiedExact):
        return "no bound is given for its rounding errors: the proof is about exact arithmetic"
    if error is None:
        exp = "its activation jumps, or needs exp or erf, whose errors no runtime bounds"
        obstacle = certified.float_obstacle() if isinstance(certified, CertifiedEquality) else exp
        return f"no bound is given for its rounding errors: {obstacle}"
    if error == 0:
        return f"in {dtype}, summed in any order, its values are the network's exact ones at every grid point"
    return (
        f"in {dtype}, summed in any order, its values are within {upper_decimal(error, 3)} of the network's exact ones"
    )
