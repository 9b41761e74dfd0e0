"""``depthsep export``: the same network, neuron by neuron, for other programs."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click

from depthsep.cli.terminal import example, force_option, json_option, print_json, refuse_unwritable
from depthsep.reports.text import count, upper_decimal

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
@force_option
@json_option
def export(file: Path, form: str, out: Path, force: bool, as_json: bool) -> None:
    """Write the network of a document as a model file."""
    import depthsep as ds

    refuse_unwritable(out, force)
    written = import_module(f"depthsep.exports.{form}").write(ds.load(file), out, force=force)
    if as_json:
        print_json(
            {
                "path": str(written.path),
                "parameters": written.parameters,
                "rounding_error_upper": str(written.rounding_error_upper),
            }
        )
        return
    click.echo(f"{written.path}: {count(written.parameters)} weights and biases, all in float64")
    rounding = upper_decimal(written.rounding_error_upper, 3)
    click.echo(f"in float64, summed in any order, its values are within {rounding} of the network's exact ones")


COMMANDS = (export,)
