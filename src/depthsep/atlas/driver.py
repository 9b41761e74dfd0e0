"""The driver of an atlas: hands out the open tasks of a plan and writes down what becomes of them.

It is the only writer. What is finished stays finished: a run that was stopped or killed goes on where it was, and only
tasks that were under way are done again. A worker that dies takes its tasks with it; they are tried again, and one that
was there at two such deaths in a row, alone, is written down as failed.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from depthsep.atlas.executors import Executors, executors
from depthsep.atlas.plan import Plan
from depthsep.atlas.store import FILE, Store
from depthsep.atlas.task import Task
from depthsep.atlas.work import Outcome, failed, perform
from depthsep.progress import Progress, silent

__all__ = ["Progressed", "run", "shard_name"]

_Done = tuple[Task, Outcome]

_RATE_WINDOW = 50  # the rate is that of the last so many tasks


@dataclass(frozen=True)
class Progressed:
    """What a run did.

    Args:
        store: The path of the store.
        planned: How many tasks the plan, or the shard, has.
        before: How many of them were finished already.
        finished: How many this run finished.
        seconds: How long it took.
    """

    store: str
    planned: int
    before: int
    finished: int
    seconds: float


def run(
    plan: Plan,
    folder: str | os.PathLike[str],
    *,
    jobs: int = 1,
    shard: tuple[int, int] | None = None,
    scheduler: str | None = None,
    progress: Progress = silent,
) -> Progressed:
    """Carry out a plan, or a slice of it, and keep the results in a folder.

    Args:
        plan: The plan.
        folder: The folder of the atlas; it may hold results, which are not computed again.
        jobs: The number of processes.
        shard: (3, 64) for the third of 64 slices, which has a file of its own in the folder; None for all.
        scheduler: The address of a Dask scheduler, or "local"; None for processes of this machine.
        progress: Told what is done, at what rate, and how long the rest may take.

    Returns:
        What was done.

    Raises:
        BadInput: The slice or the scheduler does not exist, or another run writes to the same file.
    """
    started = time.monotonic()
    tasks = plan.tasks if shard is None else plan.shard(*shard)
    with Store(folder, writable=True, name=FILE if shard is None else shard_name(*shard)) as store:
        store.plan(plan.title, plan.text, tasks)
        known = store.finished()
        todo = [task for task in tasks if task.digest not in known]
        told = _Teller(len(tasks), len(tasks) - len(todo), progress)
        with executors(jobs, scheduler) as (make, at_once):
            for task, outcome in _outcomes(todo, make, at_once):
                store.add(task, outcome)
                told.one_more(task)
        before = len(tasks) - len(todo)
        return Progressed(str(store.path), len(tasks), before, len(todo), time.monotonic() - started)


def shard_name(number: int, count: int) -> str:
    """The name of the file of one slice."""
    return f"shard-{number}-of-{count}.sqlite"


def _outcomes(tasks: Sequence[Task], make: Executors, at_once: int) -> Iterator[_Done]:
    """Yield every task with its outcome, as they come; only `at_once` of them are under way."""
    waiting, suspects = deque(tasks), deque[Task]()
    while waiting or suspects:
        # After a worker died nobody knows which task was to blame: those under way are tried one by one.
        alone = bool(suspects)
        queue = suspects if alone else waiting
        executor = make()
        try:
            lost = yield from _until_broken(queue, executor, 1 if alone else at_once)
        finally:
            executor.shutdown(wait=False)
        if alone and lost:
            yield lost[0], failed(lost[0], "its worker died twice, without a word")
        else:
            suspects.extend(lost)


def _until_broken(queue: deque[Task], executor: Executor, at_once: int) -> Generator[_Done, None, list[Task]]:
    """Work off a queue; the tasks that were under way when a worker died are returned."""
    running: dict[Future[Outcome], Task] = {}
    lost: list[Task] = []
    while (queue and not lost) or running:
        while queue and not lost and len(running) < at_once:
            task = queue.popleft()
            try:
                running[executor.submit(perform, task)] = task
            except BrokenProcessPool:
                lost.append(task)
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            task = running.pop(future)
            try:
                yield task, future.result()
            except (BrokenProcessPool, CancelledError):
                lost.append(task)
            except Exception as error:  # a cluster's own errors: the worker died too often
                yield task, failed(task, f"{type(error).__name__}: {error}")
    return lost


class _Teller:
    """Tells how far a run is, how fast it goes, and how long the rest may take."""

    def __init__(self, planned: int, before: int, progress: Progress) -> None:
        self._planned, self._count, self._progress = planned, before, progress
        self._times = deque([time.monotonic()], maxlen=_RATE_WINDOW)
        progress(f"{before:,} of {planned:,} tasks were done before", before / planned if planned else 1.0)

    def one_more(self, task: Task) -> None:
        """One more task is done."""
        self._count += 1
        self._times.append(time.monotonic())
        rate = (len(self._times) - 1) / max(self._times[-1] - self._times[0], 1e-9)
        left = (self._planned - self._count) / rate
        text = f"{self._count:,} of {self._planned:,}, {rate:.3g} a second, {_span(left)} left; last: {task.sentence}"
        self._progress(text, self._count / self._planned)


def _span(seconds: float) -> str:
    """A time in words."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
