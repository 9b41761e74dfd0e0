"""Plans: grids of tasks, written in TOML or in Python; every mistake is reported at once, with its line.

title = "cones and shells"
seconds = 60                       # for all grids, unless a grid says otherwise

[[grid]]
functions = ["1 - r", "abs(r - 1/2)"]
dims = [2, 3, 5, 10]               # or "2:10", or "2:20:2"
eps = ["0.3", "0.1"]
depths = [2, 3]                    # "kind" is "network" where nothing is said
activations = ["relu", "gelu"]

[[grid]]
kind = "bound"
domain = "spheres"
functions = ["sin(pi*d^3*t)"]
dims = "3:10"
eps = ["0.35"]
weights = "2^d"
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from depthsep.accuracy import parse_accuracy
from depthsep.activations import activation as activation_of
from depthsep.atlas.task import KINDS, Task
from depthsep.errors import BadInput
from depthsep.functions import InnerProduct, parse_function

__all__ = ["DEFAULT_SECONDS", "Plan", "PlanError", "plan_of", "read_plan"]

DEFAULT_SECONDS = 60
_MOST_TASKS = 5_000_000
_TOP = ("title", "seconds", "max_width", "grid")
_LISTS = {"functions": str, "dims": int, "eps": str, "depths": int, "activations": str}
_SINGLE = {"kind": str, "domain": str, "weights": str, "seconds": int, "max_width": int}
_NEEDED = ("functions", "dims", "eps")
_DOMAINS = ("ball", "spheres", "balls")
_RANGE = re.compile(r"\s*(\d+)\s*:\s*(\d+)\s*(?::\s*(\d+)\s*)?")


class PlanError(BadInput):
    """A plan with mistakes, all of them.

    Args:
        name: The file, or "plan".
        mistakes: Each with its line where one is known.
    """

    def __init__(self, name: str, mistakes: tuple[str, ...]) -> None:
        """Put every mistake on a line of its own."""
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        super().__init__(f"read the plan {name}", found="\n".join(mistakes), do=f"correct {count}; nothing was run")
        self.name = name
        self.mistakes = mistakes

    def __reduce__(self) -> tuple[Any, ...]:
        """Let errors travel between processes."""
        return type(self), (self.name, self.mistakes)


@dataclass(frozen=True)
class Plan:
    """Tasks without repetition, in the order of the grids.

    Args:
        title: What it is about.
        tasks: The tasks.
        text: The text it was read from; "" for one made in Python.
    """

    title: str
    tasks: tuple[Task, ...]
    text: str = ""

    def shard(self, number: int, count: int) -> tuple[Task, ...]:
        """Give one slice of `count`: the tasks whose place leaves the remainder `number` - 1, so that costs mix.

        Raises:
            BadInput: There is no such slice.
        """
        if not 1 <= number <= count:
            raise BadInput(f"shard {number}/{count}", needed="a number from 1 to the count", do='for example "3/64"')
        return self.tasks[number - 1 :: count]


def read_plan(path: str | os.PathLike[str]) -> Plan:
    """Read a plan from a TOML file.

    Raises:
        PlanError: It has mistakes; all are listed.
        BadInput: The file cannot be read.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise BadInput(f"read the plan {path}", found=str(problem), needed="a TOML file") from None
    return plan_of(text, os.fspath(path))


def plan_of(source: str | Mapping[str, Any], name: str = "plan") -> Plan:
    """Make a plan of TOML text, or of the mapping that such a text stands for.

    Raises:
        PlanError: It has mistakes; all are listed.

    Example:
        >>> len(plan_of({"grid": [{"functions": ["1 - r"], "dims": "2:4", "eps": ["0.3", "0.1"]}]}).tasks)
        6
    """
    text = source if isinstance(source, str) else ""
    lines = _Lines(text)
    try:
        content = tomllib.loads(source) if isinstance(source, str) else dict(source)
    except tomllib.TOMLDecodeError as error:
        raise PlanError(name, (str(error),)) from None
    reader = _Reader(lines)
    tasks = tuple(reader.tasks(content))
    if reader.mistakes:
        raise PlanError(name, tuple(reader.mistakes))
    return Plan(str(content.get("title", "")), tuple({task.digest: task for task in tasks}.values()), text)


class _Lines:
    """Where the keys of a TOML text stand: the line of a key in the n-th grid, or at the top (grid -1)."""

    def __init__(self, text: str) -> None:
        self._places: dict[tuple[int, str], int] = {}
        self._grids: dict[int, int] = {}
        grid = -1
        for number, line in enumerate(text.splitlines(), 1):
            if re.match(r"\s*\[\[\s*grid\s*\]\]", line):
                grid += 1
                self._grids[grid] = number
            key = re.match(r"\s*[\"']?([A-Za-z_][\w-]*)[\"']?\s*=", line)
            if key:
                self._places.setdefault((grid, key[1]), number)

    def of(self, grid: int, key: str | None) -> str:
        number = self._places.get((grid, key or ""), self._grids.get(grid))
        where = "" if grid < 0 else f"grid {grid + 1}: "
        return where if number is None else f"line {number}: {where}"


class _Reader:
    """Reads a plan's content and collects its mistakes."""

    def __init__(self, lines: _Lines) -> None:
        self.mistakes: list[str] = []
        self._lines = lines

    def _wrong(self, grid: int, key: str | None, text: str) -> None:
        self.mistakes.append(self._lines.of(grid, key) + text)

    def tasks(self, content: dict[str, Any]) -> Iterator[Task]:
        for key in content:
            if key not in _TOP:
                self._wrong(-1, key, f'unknown key "{key}" (known: {", ".join(_TOP)})')
        common: dict[str, Any] = {
            key: self._single(-1, key, content[key]) for key in ("seconds", "max_width") if key in content
        }
        if not isinstance(content.get("title", ""), str):
            self._wrong(-1, "title", "title is not a text")
        grids = content.get("grid", [])
        if not isinstance(grids, list) or not grids or not all(isinstance(grid, Mapping) for grid in grids):
            self._wrong(-1, "grid", "no grid: a plan has at least one [[grid]]")
            return
        for number, grid in enumerate(grids):
            yield from self._grid(number, {**common, **grid})

    def _grid(self, number: int, grid: Mapping[str, Any]) -> Iterator[Task]:
        before = len(self.mistakes)
        for key in grid:
            if key not in _LISTS and key not in _SINGLE:
                self._wrong(number, key, f'unknown key "{key}" (known: {", ".join([*_LISTS, *_SINGLE])})')
        for key in _NEEDED:
            if key not in grid:
                self._wrong(number, None, f"{key} is missing")
        lists = {key: self._list(number, key, grid[key]) for key in _LISTS if key in grid}
        single = {key: self._single(number, key, grid[key]) for key in _SINGLE if key in grid}
        if len(self.mistakes) > before:
            return
        kind, domain = single.get("kind", "network"), single.get("domain", "ball")
        self._check_words(number, kind, domain, lists, single)
        self._check_values(number, domain, lists, single)
        if len(self.mistakes) > before:
            return
        yield from self._expanded(number, lists, single)

    def _expanded(self, number: int, lists: dict[str, list[Any]], single: dict[str, Any]) -> Iterator[Task]:
        axes = (
            lists["functions"],
            lists["dims"],
            [str(parse_accuracy(eps)) for eps in lists["eps"]],
            lists.get("depths", [2]),
            [activation_of(name).name for name in lists.get("activations", ["relu"])],
        )
        size = 1
        for axis in axes:
            size *= len(axis)
        if size > _MOST_TASKS:
            self._wrong(number, None, f"{size:,} tasks; at most {_MOST_TASKS:,} in one grid")
            return
        for function, dim, eps, depth, activation in product(*axes):
            yield Task(
                kind=single.get("kind", "network"),
                function=function,
                dim=dim,
                eps=eps,
                depth=depth,
                activation=activation,
                domain=single.get("domain", "ball"),
                weights=single.get("weights"),
                seconds=single.get("seconds", DEFAULT_SECONDS),
                max_width=single.get("max_width"),
            )

    def _list(self, grid: int, key: str, value: Any) -> list[Any]:
        wanted = _LISTS[key]
        found = _RANGE.fullmatch(value) if isinstance(value, str) and wanted is int else None
        if found:
            first, last, step = int(found[1]), int(found[2]), int(found[3] or 1)
            if step >= 1 and first <= last:
                return list(range(first, last + 1, step))
            self._wrong(grid, key, f'{key} = "{value}": an empty range')
            return []
        values = value if isinstance(value, list) else [value]
        if not values:
            self._wrong(grid, key, f"{key} is empty")
        for entry in values:
            if type(entry) is not wanted:
                hint = ' (write "0.1": a number in quotes is read exactly)' if key == "eps" else ""
                noun = "an integer" if wanted is int else "a text"
                self._wrong(grid, key, f"{key}: {entry!r} is not {noun}{hint}")
        return values

    def _single(self, grid: int, key: str, value: Any) -> Any:
        wanted = _SINGLE[key]
        if type(value) is not wanted:
            self._wrong(grid, key, f"{key}: {value!r} is not {'an integer' if wanted is int else 'a text'}")
        elif isinstance(value, int) and value < (1 if key == "seconds" else 0):
            self._wrong(grid, key, f"{key}: {value} is too small")
        return value

    def _check_words(
        self, grid: int, kind: str, domain: str, lists: dict[str, list[Any]], single: dict[str, Any]
    ) -> None:
        if kind not in KINDS:
            self._wrong(grid, "kind", f'kind: "{kind}" is none of {", ".join(KINDS)}')
        if domain not in _DOMAINS:
            self._wrong(grid, "domain", f'domain: "{domain}" is none of {", ".join(_DOMAINS)}')
        if kind == "random-network" and ("depths" in lists or "activations" in lists):
            self._wrong(grid, "kind", "random networks are of depth 2 and have ReLUs: leave out depths and activations")
        for name in lists.get("activations", []):
            self._tell(grid, "activations", lambda name=name: activation_of(name))
        for depth in lists.get("depths", []):
            if depth < 2:
                self._wrong(grid, "depths", f"depths: {depth} (2 is one hidden layer)")
        if "weights" in single:
            from depthsep.bounding import parse_weight_bound

            for dim in lists["dims"]:
                self._tell(grid, "weights", lambda dim=dim: parse_weight_bound(single["weights"], dim))

    def _check_values(self, grid: int, domain: str, lists: dict[str, list[Any]], single: dict[str, Any]) -> None:
        for eps in lists["eps"]:
            self._tell(grid, "eps", lambda eps=eps: parse_accuracy(eps))
        small = [dim for dim in lists["dims"] if dim < 1]
        if small:
            self._wrong(grid, "dims", f"dims: {small[0]} (1 at least)")
            return
        for function in lists["functions"]:
            for dim in lists["dims"]:
                if not self._tell(grid, "functions", lambda f=function, d=dim: _readable(f, d, domain, single)):
                    break

    def _tell(self, grid: int, key: str, read: Any) -> bool:
        """Note the mistake that reading raises."""
        try:
            read()
        except BadInput as error:
            text = "; ".join(part for part in (error.asked, error.found, error.needed) if part)
            self._wrong(grid, key, f"{key}: {' '.join(text.split())}")
            return False
        return True


def _readable(function: str, dim: int, domain: str, single: dict[str, Any]) -> None:
    """Refuse a formula that is none.

    A bound may be about a step, which is no formula of a continuous function; such a one is judged when it is run.
    """
    if single.get("kind") == "bound" and "indicator" in function:
        return
    if domain != "ball":
        InnerProduct(function, dim)
    else:
        parse_function(function, dim)
