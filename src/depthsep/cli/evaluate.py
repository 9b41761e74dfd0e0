"""``depthsep evaluate``: the network's values at points, with a bound on what float64 rounding did to them."""

from __future__ import annotations

import io
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from depthsep.cli.terminal import example, force_option, json_option, print_json, refuse_unwritable, warn
from depthsep.errors import BadInput
from depthsep.reports.text import upper_decimal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["COMMANDS"]


@click.command(
    epilog=example(
        'depthsep build "1 - r" --dim 3 --eps 0.3 --depth 2 --out cone.json',
        "echo 0.1,0.2,0.3 | depthsep evaluate cone.json --points -",
    )
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--points",
    required=True,
    metavar="X",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="A .npy array or a .csv table, one point a row; - reads a table from stdin.",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the values to this .npy or .csv.")
@force_option
@json_option
def evaluate(file: Path, points: str, out: Path | None, force: bool, as_json: bool) -> None:
    """Evaluate the network of a document at points.

    Values go to stdout, one a line. The proof speaks about exact arithmetic; the bound on the rounding error is printed
    beside the values, and points outside the unit ball, where nothing is proved, are named.
    """
    import depthsep as ds

    if out is not None:
        if out.suffix not in (".npy", ".csv"):
            raise BadInput(f"write values to {out}", needed="a name that ends in .npy or .csv")
        refuse_unwritable(out, force)
    certified = ds.load(file)
    result = certified.evaluate(_read_points(points))
    outside = [int(row) for row in result.outside_ball.nonzero()[0]]
    if outside:
        warn(f"nothing is proved outside the unit ball; {_rows_text(outside)}")
    if out is not None:
        _write_values(result.values, out)
    if as_json:
        print_json(
            {
                "values": [value if math.isfinite(value) else None for value in result.values.tolist()],
                "rounding_error_upper": str(result.rounding_error_upper),
                "outside_ball": outside,
                "sup_error_upper": str(certified.sup_error_upper),
            }
        )
        return
    if out is None:
        click.echo("\n".join(repr(float(value)) for value in result.values))
    rounding, proved = upper_decimal(result.rounding_error_upper, 3), upper_decimal(certified.sup_error_upper)
    click.echo(f"inside the ball: rounding error at most {rounding}, besides the proved error {proved}", err=True)


COMMANDS = (evaluate,)


def _rows_text(rows: list[int]) -> str:
    named = ", ".join(str(row) for row in rows[:10]) + (", ..." if len(rows) > 10 else "")
    return f"that concerns {len(rows)} of the points: row {named} (counted from 0)"


def _read_points(name: str) -> NDArray[Any]:
    """Read an array; the library itself refuses wrong shapes, wrong types and numbers that are not finite."""
    import numpy as np

    try:
        if name.endswith(".npy"):
            return np.atleast_2d(np.load(name, allow_pickle=False))
        with click.open_file(name, encoding="utf-8") as stream:
            return _read_table(stream.read())
    except (ValueError, OSError, EOFError) as error:
        raise BadInput(
            f"read points from {name}",
            found=str(error),
            needed="a .npy array, or a table of numbers with commas between them",
        ) from None


def _read_table(text: str) -> NDArray[np.float64]:
    import numpy as np

    if not text.strip():
        raise ValueError("no numbers")
    return np.asarray(np.loadtxt(io.StringIO(text), delimiter=",", ndmin=2, dtype=np.float64))


def _write_values(values: NDArray[np.float64], out: Path) -> None:
    """Write under another name first, so that the final name never holds half a file."""
    import numpy as np

    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as stream:
            if out.suffix == ".npy":
                np.save(stream, values)
            else:
                np.savetxt(stream, values, fmt="%.17g")
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
