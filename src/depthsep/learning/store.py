"""Where the results of an experiment live: one line for each network of each seed, appended when it is known.

A folder has `rows.jsonl`, one JSON object a line, keyed by the digest of what determines it, the seed and the model. A
line is appended in one write. What a killed run left unfinished is a last line without an end; it is cut off when the
folder is opened again, and that one network is computed again. The state of a training that is under way is a file of
its own, which is replaced whole and goes away when the training is done.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from depthsep.errors import BadInput
from depthsep.files import write_whole

__all__ = ["Row", "Store"]

Row = dict[str, Any]
Key = tuple[str, int, str]


class Store:
    """The rows that are known, in memory and, if there is a folder, on disk.

    Args:
        folder: An existing folder, or None to keep nothing.

    Raises:
        BadInput: A whole line of `rows.jsonl` is not a row.

    Example:
        >>> store = Store(None)
        >>> store.add({"digest": "ab", "seed": 3, "model": "features", "mse": 0.1})
        >>> store.find("ab", 3, "features")["mse"], store.find("ab", 4, "features")
        (0.1, None)
    """

    def __init__(self, folder: str | os.PathLike[str] | None) -> None:
        """Read what is there, without a line that was cut off."""
        self.folder = None if folder is None else Path(folder)
        self._rows: dict[Key, Row] = {}
        if self.folder is not None and self._file.exists():
            self._read()

    @property
    def _file(self) -> Path:
        return (self.folder or Path()) / "rows.jsonl"

    def _read(self) -> None:
        whole, newline, rest = self._file.read_bytes().rpartition(b"\n")
        if rest:
            os.truncate(self._file, len(whole) + len(newline))
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                row = json.loads(line)
                self._rows[row["digest"], row["seed"], row["model"]] = row
            except (ValueError, TypeError, KeyError):
                found = f"line {number} is no row with digest, seed and model"
                raise BadInput(f"read {self._file}", found, do="move the file away, or name another folder") from None

    def find(self, digest: str, seed: int, model: str) -> Row | None:
        """The row of a network, or None."""
        return self._rows.get((digest, seed, model))

    def add(self, row: Row) -> None:
        """Keep a row, which has a "digest", a "seed" and a "model"."""
        if self.folder is not None:
            line = json.dumps(row, separators=(",", ":"), allow_nan=False) + "\n"
            with self._file.open("ab") as file:
                file.write(line.encode("ascii"))
                file.flush()
                os.fsync(file.fileno())
        self._rows[row["digest"], row["seed"], row["model"]] = row

    def state_file(self, digest: str, seed: int) -> Path | None:
        """Where the state of a training under way is kept; None without a folder."""
        return None if self.folder is None else self.folder / f"state-{digest[:12]}-{seed}.npz"

    def write(self, name: str, text: str) -> None:
        """Write a file of the folder, whole, over what is there; nothing without a folder."""
        if self.folder is not None:
            write_whole(self.folder / name, True, lambda part: part.write_text(text, encoding="utf-8"))
