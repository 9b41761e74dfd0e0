"""Where a training stands: all that is needed to continue it exactly, in memory and in a file.

The hidden layer, the features and the labels are not stored; they are computed again from their seeds, and a digest
tells whether they are the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthsep.errors import BadInput
from depthsep.files import write_whole

__all__ = ["History", "TrainingState", "digest"]

Matrix = NDArray[np.float32]
Array = NDArray[np.float64]

_VERSION = 1
_ARRAYS = ("parameters", "first", "second")


@dataclass(frozen=True, eq=False)
class History:
    """What was recorded along the way; k records of several runs.

    Args:
        steps: The numbers of updates made before each record, increasing; shape (k,).
        training_loss: The mean loss that each run works on, for "square" the mean of (N - y)^2; shape (k, runs).
        test_mse: The mean of (N - y)^2, no factor 1/2, on the test points; NaN without test points; shape (k, runs).
        square_norm: ||v||^2, the squared distance of the output weights from their start; shape (k, runs).
        bias: v0, for centred features; shape (k, runs).
    """

    steps: NDArray[np.int64]
    training_loss: Array
    test_mse: Array
    square_norm: Array
    bias: Array

    @classmethod
    def empty(cls, runs: int) -> History:
        """Start without records."""
        none = np.empty((0, runs))
        return cls(np.empty(0, dtype=np.int64), none, none, none, none)

    def with_record(self, step: int, training_loss: Array, test_mse: Array, square_norm: Array, bias: Array) -> History:
        """Append a record; the arrays have the shape (runs,)."""
        return History(
            np.append(self.steps, step),
            np.vstack([self.training_loss, training_loss]),
            np.vstack([self.test_mse, test_mse]),
            np.vstack([self.square_norm, square_norm]),
            np.vstack([self.bias, bias]),
        )

    def at(self, step: int) -> int:
        """Find the index of the record after a number of updates.

        Raises:
            BadInput: That step was not recorded.
        """
        found = np.flatnonzero(self.steps == step)
        if len(found) == 0:
            known = f"records after {', '.join(map(str, self.steps))} steps"
            raise BadInput(f"the record after {step} steps", found=known, do="name the step in record_at")
        return int(found[0])


@dataclass(frozen=True, eq=False)
class TrainingState:
    """A training after some updates.

    Args:
        step: The number of updates made.
        parameters: (v, v0) of every run, of shape (runs, width + 1), float32.
        first: Nesterov: the parameters one update ago; Adam: the mean of the gradients; the shape of `parameters`.
        second: Adam: the mean of the squared gradients; the shape of `parameters`.
        history: The records up to here.
        problem: The digest of the runs, the features and the labels.
    """

    step: int
    parameters: Matrix
    first: Matrix
    second: Matrix
    history: History
    problem: str

    @classmethod
    def start(cls, runs: int, width: int, problem: str) -> TrainingState:
        """Begin at v = 0, v0 = 0."""
        zero = np.zeros((runs, width + 1), dtype=np.float32)
        return cls(0, zero, zero, zero, History.empty(runs), problem)

    def copy(self) -> TrainingState:
        """Copy what training changes in place."""
        return replace(self, parameters=self.parameters.copy(), first=self.first.copy(), second=self.second.copy())

    def save(self, path: str | os.PathLike[str], *, force: bool = True) -> Path:
        """Write the state to an .npz file, whole or not at all; by default a checkpoint replaces the one before.

        Raises:
            DocumentExists: The file is there and `force` is False.
            BadInput: The folder cannot be written to.
        """

        def save(part: Path) -> None:
            with part.open("wb") as file:
                np.savez(file, **self._arrays())

        return write_whole(path, force, save)

    def _arrays(self) -> dict[str, Any]:
        about = json.dumps({"version": _VERSION, "step": self.step, "problem": self.problem})
        own = {name: getattr(self, name) for name in _ARRAYS}
        records = {f"history_{field.name}": getattr(self.history, field.name) for field in fields(History)}
        return {"about": np.array(about), **own, **records}

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> TrainingState:
        """Read a state that was saved; the file holds plain arrays, nothing that is executed.

        Raises:
            BadInput: There is no such file, or it is no state of this version.
        """
        try:
            with Path(path).open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                about = json.loads(str(file["about"]))
                if about["version"] != _VERSION:
                    raise ValueError(f"version {about['version']}")
                history = History(**{field.name: file[f"history_{field.name}"] for field in fields(History)})
                own = {name: file[name] for name in _ARRAYS}
            return cls(step=int(about["step"]), history=history, problem=str(about["problem"]), **own)
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as problem:
            asked, needed = f"resume the training saved in {path}", f"a state of version {_VERSION}, written by save"
            raise BadInput(asked, found=str(problem), needed=needed) from problem


def digest(*parts: object) -> str:
    """Name a problem by its numbers: arrays by their bytes, other values by their text."""
    total = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = np.ascontiguousarray(part) if isinstance(part, np.ndarray) else np.frombuffer(repr(part).encode(), "u1")
        total.update(f"{data.dtype}{data.shape}".encode())
        total.update(data.tobytes())
    return total.hexdigest()
