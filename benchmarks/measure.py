"""What the benchmarks share: clocks, memory, the machine in words, tables."""

from __future__ import annotations

import ctypes
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_ENOUGH_S = 2.0

_PACKAGES = ("depthsep", "numpy", "scipy", "python-flint", "torch", "onnx", "onnxruntime", "maraboupy")


@dataclass(frozen=True)
class Timed(Generic[T]):
    """What a task returned and what it cost.

    Args:
        result: What the last run returned.
        cpu_s: CPU seconds of this process, the median of the runs.
        wall_s: Seconds on the clock, the median of the runs.
        extra_bytes: Resident memory at the peak of the first run beyond that at its start; None where the system
            does not say (only Linux does).
    """

    result: T
    cpu_s: float
    wall_s: float
    extra_bytes: int | None

    def cost(self) -> dict[str, Any]:
        """Give the numbers for a result file."""
        return {"cpu_s": _short(self.cpu_s), "wall_s": _short(self.wall_s), "extra_bytes": self.extra_bytes}


def timed(task: Callable[[], T], repeats: int = 1) -> Timed[T]:
    """Run a task `repeats` times, or fewer times once two CPU seconds are spent."""
    cpu, wall = [], []
    start_bytes, extra = _reset_peak(), None
    for number in range(repeats):
        cpu_start, wall_start = time.process_time(), time.perf_counter()
        result = task()
        cpu.append(time.process_time() - cpu_start)
        wall.append(time.perf_counter() - wall_start)
        if number == 0 and start_bytes is not None:
            extra = max(0, _memory("VmHWM") - start_bytes)
        if sum(cpu) > _ENOUGH_S:
            break
    return Timed(result, statistics.median(cpu), statistics.median(wall), extra)


def _reset_peak() -> int | None:
    """Make the kernel forget this process's peak memory; give what is resident now."""
    try:
        ctypes.CDLL(None).malloc_trim(0)  # else freed memory that the process kept would be used again, uncounted
        Path("/proc/self/clear_refs").write_text("5")
        return _memory("VmRSS")
    except (OSError, AttributeError, TypeError):
        return None


def _memory(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


def _short(seconds: float) -> float:
    return float(f"{seconds:.4g}")


def environment() -> dict[str, Any]:
    """Describe the machine and the versions, without names or paths."""
    load = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
    cores = f"{os.cpu_count()}-core {platform.machine().replace('_', '-')} machine"
    return {
        "machine": f"{cores}, one thread",
        "load_average_at_start": load,
        "python": platform.python_version(),
        **{package: found for package in _PACKAGES if (found := _version(package))},
    }


def _version(package: str) -> str | None:
    if package == "depthsep":  # also right in a checkout that is not installed
        from depthsep import __version__

        return __version__
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def skip_line(packages: Iterable[str], install: str) -> str | None:
    """Say what is skipped for want of a package and how to get it; None if all are there."""
    absent = [package for package in packages if find_spec(package) is None]
    if not absent:
        return None
    return f"skipped, {' and '.join(absent)} not installed: {install}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def seconds(value: float) -> str:
    """Write a duration in three digits.

    >>> seconds(0.01234), seconds(12.34)
    ('12.3 ms', '12.3 s')
    """
    return f"{1000 * value:.3g} ms" if value < 0.9995 else f"{value:.3g} s"


def megabytes(value: int | None) -> str:
    """Write an amount of memory."""
    return "unknown" if value is None else f"{value / 1e6:.0f} MB"


def ratio(other: float, ours: float) -> str:
    """Write how many times as much the other one takes."""
    return f"{other / ours:.2g}" if other < 10 * ours else f"{other / ours:,.0f}"
