"""One task, from its question to a row and a document. Whatever goes wrong is a row too."""

from __future__ import annotations

import json
import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from depthsep._version import __version__
from depthsep.atlas.task import Task
from depthsep.errors import DepthsepError, OutOfReach
from depthsep.progress import Progress

if TYPE_CHECKING:
    from depthsep.certificates.document import CertifiedNetwork
    from depthsep.certificates.probabilistic import ProbabilisticNetwork

__all__ = ["STATUSES", "Outcome", "failed", "perform"]

# What may have become of a task.
STATUSES = ("done", "no bound", "out of reach", "over time", "refused", "failed")

_LIBRARIES = ("python-flint", "numpy", "scipy")
_LONGEST_REASON = 500


class _TimeIsUpError(Exception):
    """The task's time is up."""


@dataclass(frozen=True)
class Outcome:
    """What became of a task.

    Args:
        digest: Of the task.
        facts: The columns of its row beside those of the task.
        document: The proof, as text; None where nothing was proved.
        seconds: How long it took.
    """

    digest: str
    facts: dict[str, Any]
    document: str | None = field(default=None, repr=False)
    seconds: float = 0.0


def perform(task: Task) -> Outcome:
    """Carry out a task within its time; nothing is raised for what may go wrong inside it.

    Returns:
        The outcome, whose status is one of `STATUSES`.
    """
    started = time.monotonic()
    document = None
    try:
        with _deadline(task.seconds) as progress:
            facts, document = _answer(task, progress)
    except _TimeIsUpError:
        facts = _without("over time", f"not done within {task.seconds} seconds")
    except OutOfReach as error:
        facts = _without("out of reach", error.found or error.asked)
    except DepthsepError as error:
        facts = _without("refused", "; ".join(part for part in (error.asked, error.found, error.needed) if part))
    except Exception as error:  # a fault of ours must not end a run of many hours
        if isinstance(error.__cause__, _TimeIsUpError):  # rang inside a library, which raised an error of its own
            facts = _without("over time", f"not done within {task.seconds} seconds")
        else:
            facts = _without("failed", f"{type(error).__name__}: {error}")
    return Outcome(task.digest, {**facts, "versions": _versions()}, document, time.monotonic() - started)


def failed(task: Task, reason: str) -> Outcome:
    """The outcome of a task whose worker died."""
    return Outcome(task.digest, {**_without("failed", reason), "versions": _versions()})


def _answer(task: Task, progress: Progress) -> tuple[dict[str, Any], str | None]:
    from depthsep.api import build, build_random  # not before there is a task: looking at an atlas needs none of it

    if task.kind == "bound":
        return _bound(task)
    common: dict[str, Any] = {"dim": task.dim, "eps": task.eps, "max_width": task.max_width, "progress": progress}
    if task.kind == "random-network":
        found = build_random(task.function, **common)
        return {**_network(found), "claim": found.claim}, found.document_text
    where: dict[str, Any] = {"domain": task.domain, "weights": task.weights}
    certified = build(task.function, depth=task.depth, activation=task.activation, **where, **common)
    return {**_network(certified), "claim": certified.claim}, certified.document_text


def _network(found: CertifiedNetwork | ProbabilisticNetwork) -> dict[str, Any]:
    neurons = sum(found.widths)
    return {
        "status": "done",
        "reason": "",
        "neurons": neurons,
        "widths": json.dumps(list(found.widths)),
        "log2_width": math.log2(max(found.widths, default=0) or 1),
        "sup_error_upper": str(found.sup_error_upper),
        "verdict": found.verdict.status.name,
        "document": found.digest,
    }


def _bound(task: Task) -> tuple[dict[str, Any], str | None]:
    """The strongest bound for networks of the task's depth."""
    from depthsep.bounding import all_bounds
    from depthsep.lower_bounds import LowerBound, NoBound

    asked = {"dim": task.dim, "eps": task.eps, "domain": task.domain, "weights": task.weights}
    answers = all_bounds(task.function, activation=task.activation, **asked)  # type: ignore[arg-type]
    bounds = [answer for answer in answers if isinstance(answer, LowerBound) and answer.depth in ("any", task.depth)]
    if not bounds:
        reasons = [f"{answer.theorem}: {answer.reason}" for answer in answers if isinstance(answer, NoBound)]
        return _without("no bound", "; ".join(reasons)), None
    best = max(bounds, key=lambda bound: bound.width_lower)
    return {
        "status": "done",
        "reason": "",
        "width_lower": str(best.width_lower),
        "log2_width": best.log2_width_lower,
        "theorem": best.theorem,
        "norm": best.norm,
        "activation_class": best.activation_class,
        "weight_class": best.weight_class,
        "verdict": best.verdict.status.name,
        "document": json.loads(best.document)["digest"],
    }, best.document


def _without(status: str, reason: str) -> dict[str, Any]:
    return {"status": status, "reason": " ".join(reason.split())[:_LONGEST_REASON]}


@contextmanager
def _deadline(seconds: int) -> Iterator[Progress]:
    """Give a progress function that ends the work when its time is up.

    Searches report often, which works in every thread. In a main thread a timer rings too, for steps that do not.
    """
    end = time.monotonic() + seconds

    def progress(_text: str, _fraction: float | None) -> None:
        if time.monotonic() > end:
            raise _TimeIsUpError

    def ring(_signal: int, _frame: object) -> None:
        raise _TimeIsUpError

    rings = threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer")
    if not rings:
        yield progress
        return
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield progress
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@cache
def _versions() -> str:
    """The versions that a row depends on, as JSON."""
    found = {"depthsep": __version__}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return json.dumps(found, sort_keys=True)
