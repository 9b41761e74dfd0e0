"""The atlas at a million rows: how long status, a picture and a whole table take.

    python -m benchmarks.atlas [ROWS [FOLDER]]

The rows are synthetic: the widths follow a law, nothing is built. Half of them are one function at one setting, on a
grid of dimensions and accuracies as fine as that gives; the other half are forty smaller grids.
"""

from __future__ import annotations

import json
import math
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import environment, seconds, table, timed
from depthsep.atlas import Store, Task
from depthsep.atlas.store import COLUMNS
from depthsep.reports import figures
from depthsep.reports.atlas_figures import draw_phase
from depthsep.reports.atlas_status import status_of
from depthsep.reports.atlas_tables import Setting, phase, setting_of

ROWS = 1_000_000
LARGE, SMALL = "1 - r", "cos({}*r)"
SMALL_GRIDS = 40
QUESTIONS = (("network", 2), ("network", 3), ("network", 4), ("bound", 2))
BATCH = 20_000
FAILURES = ("out of reach", "over time")


def synthetic(folder: Path, rows: int) -> Path:
    """Write a store of about `rows` rows, and a few tasks that are still open."""
    with Store(folder, writable=True) as store:
        store.plan("synthetic rows", "", [])
        path = store.path
    connection = sqlite3.connect(path)
    marks = ", ".join("?" * len(COLUMNS))
    batch: list[tuple[Task, list[object]]] = []
    for place, pair in enumerate(_rows(rows)):
        batch.append(pair)
        if len(batch) == BATCH:
            _write(connection, batch, marks, place)
            batch = []
    _write(connection, batch, marks, rows)
    connection.close()
    return path


def _write(connection: sqlite3.Connection, batch: list[tuple[Task, list[object]]], marks: str, place: int) -> None:
    with connection:
        listed = [(task.digest, place + number, task.canonical) for number, (task, _) in enumerate(batch)]
        connection.executemany("INSERT OR IGNORE INTO tasks VALUES (?, ?, ?)", listed)
        connection.executemany(f"INSERT OR IGNORE INTO rows VALUES ({marks})", [facts for _, facts in batch])
        timings = [(task.digest, 0.1, "2026-01-01T00:00:00+00:00") for task, _ in batch]
        connection.executemany("INSERT OR IGNORE INTO timings VALUES (?, ?, ?)", timings)


def _rows(rows: int) -> Iterator[tuple[Task, list[object]]]:
    versions = json.dumps({"depthsep": "0", "numpy": "0", "python-flint": "0", "scipy": "0"})
    for function, count in ((LARGE, rows // 2), *((SMALL.format(k + 1), rows // 2 // SMALL_GRIDS) for k in range(40))):
        side = max(2, math.isqrt(count // len(QUESTIONS)))
        for dim in range(2, side + 2):
            for step in range(side):
                for kind, depth in QUESTIONS:
                    task = Task(kind, function, dim, f"1/{10 + step}", depth)  # type: ignore[arg-type]
                    facts = _facts(task, 10 + step, versions)
                    yield task, [facts.get(name) for name in COLUMNS]


def _facts(task: Task, fineness: int, versions: str) -> dict[str, object]:
    """A law of widths: d fineness^(d/20) at depth 2, d^2 fineness at depth 3 and half as many beyond."""
    known: dict[str, object] = {"digest": task.digest, **task.columns(), "versions": versions, "reason": ""}
    log2 = {2: math.log2(task.dim) + task.dim / 20 * math.log2(fineness)}.get(
        task.depth, 2 * math.log2(task.dim) + math.log2(fineness) - (task.depth == 4)
    )
    if task.kind == "bound":
        size = log2 / 2
        bound = {"status": "done", "width_lower": str(int(2**size)), "log2_width": size, "verdict": "VERIFIED"}
        return {**known, **bound, "theorem": "tubes", "norm": "sup"}
    if log2 > 40:
        return {**known, "status": FAILURES[fineness % 2], "reason": "more neurons than a budget"}
    neurons = int(2**log2)
    proved = {"neurons": neurons, "widths": json.dumps([neurons]), "verdict": "VERIFIED", "claim": "deterministic"}
    return {**known, "status": "done", "log2_width": math.log2(neurons), "sup_error_upper": task.eps, **proved}


def measure(folder: Path, rows: int) -> str:
    """Make the store, and time what a user does with it; every line is the median of three runs."""
    made = timed(lambda: synthetic(folder, rows))
    store = Store(made.result)
    chosen = setting_of(store, Setting(LARGE))
    tasks = {
        "status": lambda: status_of(store),
        "choose the function's setting": lambda: setting_of(store, Setting(LARGE)),
        "phase table": lambda: phase(store, chosen),
        "phase plot, SVG": lambda: figures.save(draw_phase(phase(store, chosen)), folder / "phase.svg", True),
        "phase plot, PNG": lambda: figures.save(draw_phase(phase(store, chosen)), folder / "phase.png", True),
    }
    (count,) = store.one("SELECT COUNT(*) FROM rows")
    size = made.result.stat().st_size / 2**20
    lines = [(f"synthetic store, {count:,} rows, {size:,.0f} MiB", seconds(made.wall_s))]
    lines += [(name, seconds(timed(task, 3).wall_s)) for name, task in tasks.items()]
    return table(("task", "time"), lines)


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    print(json.dumps(environment()))
    if len(sys.argv) > 2:
        print(measure(Path(sys.argv[2]), rows))
        return
    with tempfile.TemporaryDirectory() as folder:
        print(measure(Path(folder), rows))


if __name__ == "__main__":
    main()
