"""What an atlas holds, in numbers: rows by what became of their tasks, time spent, what is still open."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from depthsep.atlas import Store

__all__ = ["Status", "parts", "status_of"]


@dataclass(frozen=True)
class Status:
    """The state of one file of an atlas.

    Args:
        file: Its path.
        title: Of the plan that was last run.
        planned: The number of tasks.
        statuses: The number of finished tasks of every status, largest first.
        kinds: The number of finished tasks of every kind.
        open: The number of tasks that are not finished.
        documents: The number of proofs that are kept.
        seconds: What the finished tasks took together, on the machines that did them.
        last: When the last of them was finished, in UTC; "" where none is.
    """

    file: str
    title: str
    planned: int
    statuses: dict[str, int]
    kinds: dict[str, int]
    open: int
    documents: int
    seconds: float
    last: str

    @property
    def finished(self) -> int:
        """The number of finished tasks."""
        return sum(self.statuses.values())

    def facts(self) -> dict[str, Any]:
        """The fields by name, for JSON."""
        return {**asdict(self), "finished": self.finished}


def status_of(store: Store) -> Status:
    """Count; a million rows take a second."""
    statuses: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for status, kind, number in store.all("SELECT status, kind, COUNT(*) FROM rows GROUP BY status, kind"):
        statuses[status] += number
        kinds[kind] += number
    (planned,) = store.one("SELECT COUNT(*) FROM tasks")
    (documents,) = store.one("SELECT COUNT(*) FROM documents")
    seconds, last = store.one("SELECT COALESCE(SUM(seconds), 0), COALESCE(MAX(finished), '') FROM timings")
    return Status(
        file=str(store.path),
        title=store.meta("title"),
        planned=planned,
        statuses=dict(statuses.most_common()),
        kinds=dict(sorted(kinds.items())),
        open=max(0, planned - statuses.total()),  # every row is that of a task of a plan
        documents=documents,
        seconds=float(seconds),
        last=last,
    )


def parts(place: Path) -> list[Path]:
    """The files of an atlas: the whole and its slices, or the file itself.

    Args:
        place: A folder, or a file that ends in .sqlite.
    """
    if place.suffix == ".sqlite":
        return [place]
    whole = place / "atlas.sqlite"
    return [*([whole] if whole.is_file() else []), *sorted(place.glob("shard-*-of-*.sqlite"))]
