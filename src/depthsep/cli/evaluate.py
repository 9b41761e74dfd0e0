"""``depthsep evaluate``: the network's values at points, with what is known of what float64 rounding did to them."""

from __future__ import annotations

import io
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from depthsep.cli.terminal import example, force_option, json_option, print_json, refuse_unwritable, warn
from depthsep.decimals import upper_decimal
from depthsep.errors import BadInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from depthsep.certificates import CertifiedEquality, CertifiedNetwork
    from depthsep.certificates.exact import CertifiedExact
    from depthsep.certificates.fitted import CertifiedFit
    from depthsep.certificates.probabilistic import ProbabilisticNetwork

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

    Values go to stdout, one point a line. The proof speaks about exact arithmetic; the bound on the rounding error is
    printed beside the values, and points outside the unit ball, the interval or the grid, where nothing is proved, are
    named.
    """
    import depthsep as ds

    if out is not None:
        if out.suffix not in (".npy", ".csv"):
            raise BadInput(f"write values to {out}", needed="a name that ends in .npy or .csv")
        refuse_unwritable(out, force)
    certified = ds.load(file)
    found = _evaluated(certified, _read_points(points))
    if out is not None:
        _write_values(found.values, out)
    if as_json:
        listed = found.values.tolist()
        print_json({"values": _finite(listed), **found.facts})
        return
    if out is None:
        rows = found.values if found.values.ndim == 2 else found.values[:, None]
        click.echo("\n".join(",".join(map(repr, row)) for row in rows.tolist()))
    click.echo(found.remark, err=True)


COMMANDS = (evaluate,)


@dataclass(frozen=True)
class _Found:
    """Values, one a row, with what is known about them: for --json, and in words."""

    values: NDArray[Any]
    facts: dict[str, Any]
    remark: str


def _evaluated(
    certified: CertifiedNetwork | CertifiedEquality | CertifiedExact | CertifiedFit | ProbabilisticNetwork,
    points: NDArray[Any],
) -> _Found:
    from depthsep.certificates import CertifiedEquality
    from depthsep.certificates.exact import CertifiedExact
    from depthsep.certificates.fitted import CertifiedFit
    from depthsep.certificates.probabilistic import ProbabilisticNetwork

    if isinstance(certified, CertifiedEquality):
        return _on_a_grid(certified, points)
    if isinstance(certified, CertifiedExact):
        facts = {"rounding_error_upper": None, "sup_error_upper": str(certified.sup_error_upper)}
        remark = f"float64 evaluation, its rounding errors not bounded; exact arithmetic gives {certified.target.text}"
        return _Found(certified(points), facts, f"{remark} (on {certified.exact_on})")
    if isinstance(certified, ProbabilisticNetwork):
        return _of_a_draw(certified, points)
    if isinstance(certified, CertifiedFit):
        return _of_one_variable(certified, points)
    return _on_its_domain(certified, points)


def _of_a_draw(draw: ProbabilisticNetwork, points: NDArray[Any]) -> _Found:
    result = draw.evaluate(points)
    facts = {
        "rounding_error_upper": str(result.rounding_error_upper),
        "outside_ball": _rows(result.outside_ball),
        "claim": draw.claim,
        "sentence": draw.sentence,
    }
    return _Found(result.values, facts, draw.sentence)


_DOMAINS = {
    "unit-ball": "the unit ball",
    "ball-pairs": "the pairs of points of the unit ball",
    "sphere-pairs": "the pairs of unit vectors, up to the norm slack of the document",
}


def _on_its_domain(certified: CertifiedNetwork, points: NDArray[Any]) -> _Found:
    result = certified.evaluate(points)
    outside = _rows(result.outside_ball)
    if outside:
        warn(f"nothing is proved outside {_DOMAINS[certified.function.domain]}; {_rows_text(outside)}")
    facts = {
        "rounding_error_upper": None if result.rounding_error_upper is None else str(result.rounding_error_upper),
        "outside_ball": outside,
        "sup_error_upper": str(certified.sup_error_upper),
    }
    bound, proved = result.rounding_error_upper, upper_decimal(certified.sup_error_upper)
    rounding = (
        "a rounding error that is not proved" if bound is None else f"rounding error at most {upper_decimal(bound, 3)}"
    )
    remark = f"on {_DOMAINS[certified.function.domain]}: {rounding}, besides the proved error {proved}"
    return _Found(result.values, facts, remark)


def _of_one_variable(fit: CertifiedFit, points: NDArray[Any]) -> _Found:
    result = fit.evaluate(points)
    outside = _rows(result.outside_ball)
    interval = f"[{fit.interval[0]}, {fit.interval[1]}]"
    if outside and fit.domain == "interval":
        warn(f"nothing is proved outside {interval}; {_rows_text(outside)}")
    bound, proved = result.rounding_error_upper, upper_decimal(fit.sup_error_upper)
    facts = {
        "rounding_error_upper": None if bound is None else str(bound),
        "outside_interval": outside,
        "sup_error_upper": str(fit.sup_error_upper),
    }
    rounding = "a rounding error that is not proved"
    if bound is not None:
        rounding = f"rounding error at most {upper_decimal(bound, 3)} on {interval}"
    everywhere = f", which holds for all t ({fit.expression} keeps its end values outside {interval})"
    remark = f"{rounding}, besides the proved error {proved}{everywhere if fit.domain == 'line' else ''}"
    return _Found(result.values, facts, remark)


def _on_a_grid(certified: CertifiedEquality, points: NDArray[Any]) -> _Found:
    result = certified.evaluate(points)
    off_grid, error = _rows(~result.on_grid), str(certified.error_upper)
    if off_grid:
        warn(f"nothing is proved about single points off the grid; {_rows_text(off_grid)}")
    facts = {
        "rounding_error_upper": "0" if result.exact.all() else None,
        "off_grid": off_grid,
        "error_upper": error,
        "arithmetic": result.arithmetic,
    }
    if certified.exact_on == "everywhere":
        return _Found(result.values, facts, "float64 evaluation; no bound is given for its rounding errors")
    remark = f"at grid points: exact, computed in {result.arithmetic}; within {error} of the source"
    return _Found(result.values, facts, remark)


def _rows(chosen: NDArray[Any]) -> list[int]:
    return [int(row) for row in chosen.nonzero()[0]]


def _finite(values: Any) -> Any:
    """Numbers that JSON has none for become null."""
    if isinstance(values, list):
        return [_finite(value) for value in values]
    return values if math.isfinite(values) else None


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
