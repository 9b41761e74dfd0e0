"""The folder of one run: both documents, the lower bounds, model files, the page. It appears whole or not at all.

shallow.json  deep.json         the documents of the networks
bounds/*.json                   the documents of the lower bounds
shallow.onnx  deep.onnx         the networks neuron by neuron, where they are small enough
report.html                     everything on one page that loads nothing
summary.json                    the same facts for a program
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depthsep.errors import BadInput, DepthsepError, DocumentExists
from depthsep.progress import Progress, silent
from depthsep.reports.text import json_text

if TYPE_CHECKING:
    from depthsep.api import Separation
    from depthsep.certificates.document import CertifiedNetwork

__all__ = ["ONNX_LIMIT_BYTES", "RUNS", "free_name", "staged", "write"]

RUNS = Path("depthsep-runs")
ONNX_LIMIT_BYTES = 64 * 2**20
OURS = {"shallow.json", "deep.json", "bounds", "shallow.onnx", "deep.onnx", "report.html", "summary.json"}


def free_name(function: str, dim: int, eps: str, under: Path = RUNS) -> Path:
    """Choose a folder name that nobody uses yet.

    Args:
        function: The formula.
        dim: The dimension.
        eps: The accuracy as the user wrote it.
        under: Where runs are kept.

    Example:
        >>> free_name("1 - r", 10, "0.1", under=Path("nowhere")).as_posix()
        'nowhere/1-r-d10-eps0.1'
    """
    slug = f"{_slug(function)}-d{dim}" + (f"-eps{_slug(eps)}" if eps else "")
    names = (slug if number == 1 else f"{slug}-{number}" for number in range(1, 10**6))
    return next(under / name for name in names if not (under / name).exists())


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-.")[:48].strip("-.") or "run"


@contextmanager
def staged(target: Path, force: bool = False) -> Iterator[Path]:
    """Give a temporary folder beside `target` that takes its name at the end, if all went well.

    Args:
        target: The folder to make. It may exist if it is empty.
        force: Replace the folder of a former run; one with anybody else's files is never touched.

    Yields:
        The temporary folder.

    Raises:
        DocumentExists: The folder has something in it and `force` is not set.
        BadInput: It holds files that no run wrote, or its parent takes no new folders.
    """
    _refuse_occupied(target, force)
    parents = [parent for parent in target.parents if not parent.exists()]
    partial = target.parent / f".{target.name}.{secrets.token_hex(4)}.partial"
    try:
        partial.mkdir(parents=True)
    except OSError as error:
        _remove_empty(parents)
        raise BadInput(
            f"write a run folder at {target}",
            found=f"no folder can be made there: {error.strerror}",
            needed="a place that may be written to",
            do="choose another place with --out; nothing was computed",
        ) from None
    try:
        yield partial
        _take_place(partial, target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        _remove_empty(parents)
        raise


def _refuse_occupied(target: Path, force: bool) -> None:
    if not target.exists():
        return
    names = {path.name for path in target.iterdir()} if target.is_dir() else {target.name}
    if names and not force:
        raise DocumentExists(target)
    strangers = sorted(names - OURS)
    if strangers:
        raise BadInput(
            f"replace {target}",
            found=f"it holds {strangers[0]!r}, which no run wrote",
            needed="a folder with nothing but a former run in it, even with --force",
            do="choose another folder",
        )


def _take_place(partial: Path, target: Path) -> None:
    """Rename; a former run steps aside first and vanishes last."""
    if not target.exists():
        partial.rename(target)
        return
    former = partial.with_suffix(".former")
    target.rename(former)
    try:
        partial.rename(target)
    except BaseException:
        former.rename(target)
        raise
    shutil.rmtree(former)


def _remove_empty(parents: list[Path]) -> None:
    """Take back the folders that were made on the way, innermost first."""
    for parent in parents:
        if parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()


def write(separation: Separation, folder: Path, progress: Progress = silent) -> dict[str, Any]:
    """Write everything that a run leaves behind.

    Args:
        separation: The networks and the bounds.
        folder: An empty folder.
        progress: Told what is being written.

    Returns:
        What `summary.json` holds; `notes` says what was left out, and why.
    """
    from depthsep.reports.page import render
    from depthsep.reports.rows import kind_of, networks_of

    notes: list[str] = []
    networks = []
    for certified in networks_of(separation):
        name = f"{kind_of(certified)}.json"
        certified.save(folder / name)
        networks.append({**certified.summary(), "document": name})
        progress(f"writing {kind_of(certified)}.onnx", None)
        notes += _write_onnx(certified, folder / f"{kind_of(certified)}.onnx")
    summary = {
        "function": separation.function.text,
        "dim": separation.dim,
        "eps": None if separation.eps is None else str(separation.eps),
        "domain": separation.function.domain,
        "weights": None if separation.weights is None else str(separation.weights),
        "networks": networks,
        "bounds": _write_bounds(separation, folder / "bounds"),
        "no_bound": [{"theorem": nothing.theorem, "reason": nothing.reason} for nothing in separation.no_bounds],
        "shallow_failure": None if separation.shallow_failure is None else str(separation.shallow_failure),
        "log_width_ratio": separation.log_width_ratio,
        "sentence": separation.sentence,
        "notes": notes,
        "report": "report.html",
    }
    progress("drawing the report", None)
    (folder / "report.html").write_text(render(separation, notes), encoding="utf-8")
    (folder / "summary.json").write_text(json_text(summary) + "\n", encoding="utf-8")
    return summary


def _write_onnx(certified: CertifiedNetwork, path: Path) -> list[str]:
    """Write the model file, or say why there is none."""
    from depthsep.exports import onnx

    try:
        onnx.write(certified, path, limit_bytes=ONNX_LIMIT_BYTES)
    except DepthsepError as error:
        return [f"no {path.name} ({error.asked}): {error.found}; needed: {error.needed}"]
    return []


def _write_bounds(separation: Separation, folder: Path) -> list[dict[str, Any]]:
    from depthsep.reports.rows import bound_json

    folder.mkdir()
    written = []
    for number, bound in enumerate(separation.bounds, start=1):
        path = folder / f"{number}-{_slug(bound.theorem)}.json"
        path.write_text(bound.document, encoding="utf-8")
        written.append(bound_json(bound, f"{folder.name}/{path.name}"))
    return written
