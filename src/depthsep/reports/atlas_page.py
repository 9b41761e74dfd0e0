"""The page of an atlas: one HTML file that loads nothing, with the proofs and the tables in folders beside it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, fields
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Any

from depthsep.atlas import Store, Task
from depthsep.certificates.proved import MADE_BY
from depthsep.decimals import upper_decimal
from depthsep.errors import DocumentExists
from depthsep.files import write_whole
from depthsep.reports import figures
from depthsep.reports.atlas_figures import draw_depth_width, draw_exponents, draw_phase
from depthsep.reports.atlas_status import status_of
from depthsep.reports.atlas_tables import (
    Setting,
    csv_text,
    curves,
    curves_rows,
    fits,
    fits_rows,
    phase,
    phase_rows,
    settings,
)
from depthsep.reports.text import count

__all__ = ["MOST_FUNCTIONS", "MOST_ROWS", "Picture", "Written", "picture", "write_page"]

MOST_ROWS = 5_000
MOST_FUNCTIONS = 12
_LONGEST_NUMBER = 15

_COLUMNS = (("function", "text"), ("d", "number"), ("eps", "number"), ("kind", "text"), ("depth", "number"),
            ("activation", "text"), ("status", "text"), ("neurons", "number"), ("proved error", "number"),
            ("theorem", "text"), ("document", "text"), ("to reproduce", "plain"))  # fmt: skip
_CAPTIONS = {
    "phase": "log2 of the number of neurons over dimension and accuracy, and shallow over deep. Dots: the gap is "
    "proved, since the lower bound at depth 2 is above the deep network that was built.",
    "exponents": "How the numbers of neurons grow: lines of least squares, which are estimates.",
    "depth-width": "Neurons against depth; an open triangle is what every network of depth 2 needs.",
}


@dataclass(frozen=True)
class Picture:
    """A figure and the table that it is drawn from.

    Args:
        figure: For `figures.save` and `figures.to_svg`.
        table: The text of a CSV file.
        empty: Whether there is nothing to draw.
    """

    figure: Any
    table: str
    empty: bool


@dataclass(frozen=True)
class Written:
    """What was written.

    Args:
        page: The page.
        rows: How many rows it shows.
        documents: How many proofs lie beside it.
    """

    page: str
    rows: int
    documents: int


def picture(store: Store, setting: Setting, kind: str) -> Picture:
    """Draw one picture of one function.

    Args:
        store: The atlas.
        setting: The function.
        kind: "phase", "exponents" or "depth-width".
    """
    if kind == "depth-width":
        lines = curves(store, setting)
        return Picture(draw_depth_width(lines, setting.text), csv_text(curves_rows(lines)), not lines)
    plane = phase(store, setting)
    if kind == "phase":
        return Picture(draw_phase(plane), csv_text(phase_rows(plane)), not plane.dims)
    found = fits(plane)
    return Picture(draw_exponents(found, setting.text), csv_text(fits_rows(found)), not found)


def write_page(store: Store, path: str | os.PathLike[str], force: bool = False, most_rows: int = MOST_ROWS) -> Written:
    """Write the page, with `documents/` and `tables/` beside it.

    Args:
        store: The atlas.
        path: The page.
        force: Replace a page that is there; documents have names of their own, and are never changed.
        most_rows: The most rows to show; the page says how many it leaves out.

    Raises:
        DocumentExists: The page is there and `force` is False.
        BadInput: The folder cannot be written to.
    """
    from jinja2 import Environment, StrictUndefined

    target = Path(path)
    if target.exists() and not force:
        raise DocumentExists(target)
    rows = list(_rows(store, most_rows))
    template = files("depthsep.reports").joinpath("atlas.html").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    tables: dict[str, str] = {}
    known = settings(store)
    text = environment.from_string(template).render(
        title=store.meta("title") or "An atlas",
        sentence=_sentence(store, len(known)),
        sections=[_section(store, setting, place, tables) for place, setting in enumerate(known[:MOST_FUNCTIONS], 1)],
        rows_note=_note(store, len(rows)),
        columns=_COLUMNS,
        rows=rows,
        plan=store.meta("plan"),
        made_by=MADE_BY,
    )
    digests = sorted({row["document"] for row in rows if row["document"]})
    _write(target, text, force)
    for name, table in tables.items():
        _write(target.parent / "tables" / name, table, True)
    for digest in digests:
        _write(target.parent / "documents" / f"{digest}.json", store.document(digest) or "", True)
    return Written(str(target), len(rows), len(digests))


def _write(path: Path, text: str, force: bool) -> None:
    if path.parent.parent.is_dir():
        path.parent.mkdir(exist_ok=True)
    write_whole(path, force, lambda part: part.write_text(text, encoding="utf-8"))


def _sentence(store: Store, functions: int) -> str:
    status = status_of(store)
    states = ", ".join(f"{count(number)} {name}" for name, number in status.statuses.items())
    some = f" Pictures of the first {MOST_FUNCTIONS} settings." if functions > MOST_FUNCTIONS else ""
    return f"{count(status.finished)} of {count(status.planned)} tasks: {states or 'none finished'}.{some}"


def _note(store: Store, shown: int) -> str:
    (there,) = store.one("SELECT COUNT(*) FROM rows")
    return "" if there == shown else f"The first {count(shown)} of {count(there)} rows."


def _section(store: Store, setting: Setting, place: int, tables: dict[str, str]) -> dict[str, Any]:
    """The pictures of one function; their tables are added to those to be written."""
    from markupsafe import Markup

    shown = []
    for kind, caption in _CAPTIONS.items():
        found = picture(store, setting, kind)
        if not found.empty:
            name = f"{kind}-{place}.csv"
            tables[name] = found.table
            svg = Markup(figures.to_svg(found.figure, f"{kind}-{place}", f"{caption} {setting.text}"))
            shown.append({"svg": svg, "caption": caption, "table": f"tables/{name}", "wide": kind == "phase"})
    return {"name": setting.text, "figures": shown}


def _rows(store: Store, most: int) -> Iterator[dict[str, Any]]:
    names = [field.name for field in fields(Task)]
    facts = ("reason", "status", "neurons", "width_lower", "log2_width", "sup_error_upper", "theorem", "verdict",
             "document")  # fmt: skip
    query = f"SELECT {', '.join([*names, *facts])} FROM rows ORDER BY function, dim, kind, depth, digest LIMIT ?"
    found = [(Task(*row[: len(names)]), row[len(names) :]) for row in store.all(query, (most,))]
    found.sort(key=lambda pair: (pair[0].function, pair[0].dim, -Fraction(pair[0].eps), pair[0].kind, pair[0].depth))
    for task, answers in found:
        yield _cells(task, dict(zip(facts, answers, strict=True)))


def _cells(task: Task, facts: dict[str, Any]) -> dict[str, Any]:
    """One row, ready for the page."""
    lower, neurons, error = facts["width_lower"], facts["neurons"], facts["sup_error_upper"]
    size, size_value = "", ""
    if lower is not None:
        size = f"≥ {count(int(lower))}" if len(lower) <= _LONGEST_NUMBER else f"≥ 2^{math.floor(facts['log2_width'])}"
        size_value = f"{facts['log2_width']:.6f}"
    elif neurons is not None:
        size, size_value = count(neurons), f"{math.log2(max(neurons, 1)):.6f}"
    return {
        **{name: getattr(task, name) for name in ("function", "dim", "eps", "kind", "depth", "activation", "command")},
        **{name: facts[name] or "" for name in ("status", "reason", "theorem", "verdict", "document")},
        "eps_value": float(Fraction(task.eps)),
        "size": size,
        "size_value": size_value,
        "error": "" if error is None else upper_decimal(Fraction(error)),
        "error_value": "" if error is None else float(Fraction(error)),
    }
