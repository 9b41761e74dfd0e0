"""The store of an atlas: one SQLite file, one row per finished task, kept by the task's digest.

One process writes (the driver); any number may read. A row, its document and its time are one transaction in WAL mode,
so a kill at any moment leaves whole rows only, and no task has two. What depends on the machine (times, dates) stands
in a table of its own: `rows` is the same however often a run was interrupted.
"""

from __future__ import annotations

import csv
import fcntl
import json
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from depthsep.atlas.task import Task
from depthsep.atlas.work import Outcome
from depthsep.errors import BadInput, NotProved
from depthsep.files import write_whole
from depthsep_check import check

__all__ = ["COLUMNS", "Merged", "Store"]

FILE = "atlas.sqlite"
_FORMAT = "depthsep-atlas-1"
_TASK_COLUMNS = tuple(field.name for field in fields(Task))
_FACT_COLUMNS = (
    "status",
    "reason",
    "neurons",
    "widths",
    "log2_width",
    "sup_error_upper",
    "claim",
    "width_lower",
    "theorem",
    "norm",
    "activation_class",
    "weight_class",
    "verdict",
    "document",
    "versions",
)
COLUMNS = ("digest", *_TASK_COLUMNS, *_FACT_COLUMNS)
_TYPES = {"dim": "INTEGER", "depth": "INTEGER", "seconds": "INTEGER", "max_width": "INTEGER", "neurons": "INTEGER"}
_TYPES["log2_width"] = "REAL"
_SCHEMA = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE tasks (digest TEXT PRIMARY KEY, place INTEGER, definition TEXT) WITHOUT ROWID;
CREATE TABLE rows ({", ".join(f"{name} {_TYPES.get(name, 'TEXT')}" for name in COLUMNS)}, PRIMARY KEY (digest));
CREATE TABLE timings (digest TEXT PRIMARY KEY, seconds REAL, finished TEXT) WITHOUT ROWID;
CREATE TABLE documents (digest TEXT PRIMARY KEY, content BLOB);
CREATE INDEX rows_by_question ON rows (
    status, kind, domain, function, depth, activation, dim, eps, log2_width, neurons, weights
);
"""
_BATCH = 10_000


@dataclass(frozen=True)
class Merged:
    """What a merge brought.

    Args:
        new: Rows that were not there.
        known: Rows that were there already.
        different: Digests of known rows whose facts differ, as between two versions of the program.
    """

    new: int
    known: int
    different: tuple[str, ...]


class Store:
    """An atlas on disk.

    Args:
        folder: The folder of the atlas, or the file itself.
        writable: Whether rows will be added; the folder and file are then made where they are missing.
        name: The name of the file in the folder.

    Raises:
        BadInput: There is no atlas there, it is of another format, or another process writes to it.
    """

    def __init__(self, folder: str | os.PathLike[str], writable: bool = False, name: str = FILE) -> None:
        """Open it."""
        place = Path(folder)
        self.path = place if place.suffix == ".sqlite" else place / name
        self._lock = _locked(self.path) if writable else None
        if not writable and not self.path.is_file():
            raise BadInput(
                f"the atlas {folder}", found=f"no file {self.path}", needed="a folder that a run has written"
            )
        self._connection = self._opened(writable)

    def _opened(self, writable: bool) -> sqlite3.Connection:
        uri = f"{self.path.resolve().as_uri()}?mode={'rwc' if writable else 'ro'}"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=30)
        try:
            if writable:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                if not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                    connection.executescript(
                        f"BEGIN; {_SCHEMA} INSERT INTO meta VALUES ('format', '{_FORMAT}'); COMMIT;"
                    )
            found = connection.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
        except sqlite3.DatabaseError as error:
            raise BadInput(f"the atlas {self.path}", found=str(error), needed="a file that a run has written") from None
        if found != (_FORMAT,):
            raise BadInput(f"the atlas {self.path}", found=f"format {found}", needed=_FORMAT)
        return connection

    def close(self) -> None:
        """Close it; a writer's lock is given back."""
        self._connection.close()
        if self._lock is not None:
            os.close(self._lock)

    def __enter__(self) -> Store:
        """Use it in a with statement."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close it."""
        self.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    # Writing

    def plan(self, title: str, text: str, tasks: Sequence[Task]) -> None:
        """Note what is to be done: the plan's text and its tasks; those of earlier plans stay."""
        with self._transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO meta VALUES (?, ?)", [("title", title), ("plan", text)] if text or title else []
            )
            (first,) = connection.execute("SELECT COALESCE(MAX(place) + 1, 0) FROM tasks").fetchone()
            listed = ((task.digest, first + place, task.canonical) for place, task in enumerate(tasks))
            connection.executemany("INSERT OR IGNORE INTO tasks VALUES (?, ?, ?)", listed)

    def add(self, task: Task, outcome: Outcome) -> None:
        """Add the row of a finished task, with its document and its time, in one transaction."""
        facts = {"digest": task.digest, **task.columns(), **outcome.facts}
        finished = datetime.now(UTC).isoformat(timespec="seconds")
        with self._transaction() as connection:
            connection.execute(_insert("rows", COLUMNS), [facts.get(name) for name in COLUMNS])
            timing = (task.digest, outcome.seconds, finished)
            connection.execute("INSERT OR IGNORE INTO timings VALUES (?, ?, ?)", timing)
            if outcome.document is not None:
                content = zlib.compress(outcome.document.encode())
                connection.execute("INSERT OR IGNORE INTO documents VALUES (?, ?)", (facts["document"], content))

    def merge(self, other: Store) -> Merged:
        """Take over the tasks, rows, times and documents of another atlas that are not here yet."""
        different = tuple(self._different(other))
        (before,) = self.one("SELECT COUNT(*) FROM rows")
        (theirs,) = other.one("SELECT COUNT(*) FROM rows")
        with self._transaction() as connection:
            for table in ("tasks", "rows", "timings", "documents"):
                cursor = other._connection.execute(f"SELECT * FROM {table}")
                marks = ", ".join("?" * len(cursor.description))
                while batch := cursor.fetchmany(_BATCH):
                    connection.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", batch)
            for key, value in other._connection.execute("SELECT key, value FROM meta"):
                connection.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (key, value))
        (after,) = self.one("SELECT COUNT(*) FROM rows")
        return Merged(after - before, theirs - (after - before), different)

    def _different(self, other: Store) -> Iterator[str]:
        """Digests of tasks that both have, with other facts."""
        names = ", ".join(COLUMNS)
        for row in other._connection.execute(f"SELECT {names} FROM rows"):
            mine = self.one(f"SELECT {names} FROM rows WHERE digest = ?", (row[0],))
            if mine and mine != row:
                yield row[0]

    # Reading

    def one(self, query: str, values: Sequence[Any] = ()) -> tuple[Any, ...]:
        """The first row of an answer; () where there is none."""
        return tuple(self._connection.execute(query, values).fetchone() or ())

    def all(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of an answer."""
        return self._connection.execute(query, values).fetchall()

    def meta(self, key: str) -> str:
        """A fact about the whole: "title", or "plan", the text of the plan that was last run."""
        return str((self.one("SELECT value FROM meta WHERE key = ?", (key,)) or ("",))[0])

    def finished(self) -> set[str]:
        """The digests of all finished tasks."""
        return {digest for (digest,) in self._connection.execute("SELECT digest FROM rows")}

    def counts(self) -> dict[str, int]:
        """How many rows there are of every status, and how many tasks are still open, under "open"."""
        found = dict(self.all("SELECT status, COUNT(*) FROM rows GROUP BY status"))
        (planned,) = self.one("SELECT COUNT(*) FROM tasks")
        (done,) = self.one("SELECT COUNT(*) FROM tasks WHERE digest IN (SELECT digest FROM rows)")
        return {**found, "open": planned - done}

    def table(self) -> list[tuple[Any, ...]]:
        """All rows, in the columns `COLUMNS`, by digest: what two runs of one plan must agree in."""
        return self.all(f"SELECT {', '.join(COLUMNS)} FROM rows ORDER BY digest")

    def query(self, text: str, limit: int | None = None) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Answer a SELECT; nothing can be changed by it.

        Returns:
            The names of the columns, and the rows, at most `limit` of them.

        Raises:
            BadInput: SQLite does not understand it, or it would change something.
        """
        uri = f"{self.path.resolve().as_uri()}?mode=ro"
        connection = sqlite3.connect(uri, uri=True)
        try:
            connection.execute("PRAGMA query_only = ON")
            connection.set_authorizer(_read_only)
            cursor = connection.execute(text)
            rows = cursor.fetchall() if limit is None else cursor.fetchmany(limit)
            return tuple(column[0] for column in cursor.description or ()), rows
        except (sqlite3.Error, sqlite3.Warning) as error:
            columns = f"a SELECT from rows ({', '.join(COLUMNS)}), tasks, timings or documents"
            raise BadInput(f"the query {text!r}", found=str(error), needed=columns) from None
        finally:
            connection.close()

    def document(self, digest: str) -> str | None:
        """The text of a document; None where there is none."""
        found = self.one("SELECT content FROM documents WHERE digest = ?", (digest,))
        return zlib.decompress(found[0]).decode() if found else None

    def documents(self) -> Iterator[tuple[str, str]]:
        """All documents: digest and text."""
        for digest, content in self._connection.execute("SELECT digest, content FROM documents ORDER BY digest"):
            yield digest, zlib.decompress(content).decode()

    def check(self) -> int:
        """Have the checker replay every document; how many there are.

        Raises:
            NotProved: One is not verified, or does not have the digest that it is kept under.
        """
        count = 0
        for digest, text in self.documents():
            verdict = check(text)
            if not verdict.ok or json.loads(text)["digest"] != digest:
                raise NotProved(f"the document {digest} of {self.path}", found=verdict.line, needed="VERIFIED")
            count += 1
        return count

    def export(self, path: str | os.PathLike[str], force: bool = False) -> Path:
        """Write all rows, with their times, to a .csv or .parquet file.

        Raises:
            BadInput: Another ending.
            DocumentExists: The file is there already.
        """
        target = Path(path)
        if target.suffix not in (".csv", ".parquet"):
            raise BadInput(f"export to {target}", needed="a name that ends in .csv or .parquet")
        chosen = ", ".join(f"rows.{name}" for name in COLUMNS)
        query = f"SELECT {chosen}, timings.seconds AS took FROM rows LEFT JOIN timings USING (digest) ORDER BY digest"
        names, rows = self.query(query)
        if target.suffix == ".csv":
            return write_whole(target, force, lambda part: _write_csv(part, names, rows))
        return write_whole(target, force, lambda part: _write_parquet(part, names, rows))


def _insert(table: str, columns: Sequence[str]) -> str:
    return f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def _read_only(action: int, *_details: object) -> int:
    allowed = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)
    return sqlite3.SQLITE_OK if action in allowed else sqlite3.SQLITE_DENY


def _locked(path: Path) -> int:
    """Take the writer's lock, which the system gives back however the process ends."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as problem:
        raise BadInput(f"the atlas {path}", found=str(problem), needed="a folder that may be written to") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise BadInput(
            f"write to the atlas {path}", found="another run writes to it", do="wait for it, or use --shard"
        ) from None
    return handle


def _write_csv(path: Path, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)


def _write_parquet(path: Path, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    from depthsep.extras import require

    arrow, parquet = (require(name, f"write {path.name}", "parquet") for name in ("pyarrow", "pyarrow.parquet"))
    columns = dict(zip(names, zip(*rows, strict=True) if rows else ((),) * len(names), strict=True))
    parquet.write_table(arrow.table({name: list(values) for name, values in columns.items()}), path)
