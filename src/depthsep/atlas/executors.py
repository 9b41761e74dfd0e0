"""Where tasks run: in this process, in a pool of processes, or on a Dask cluster; all are `concurrent.futures`."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

from depthsep.errors import BadInput
from depthsep.extras import require

__all__ = ["Executors", "Inline", "executors"]

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_WATCH_SECONDS = 1.0

# Makes an executor; called again when a pool broke because a worker died.
Executors = Callable[[], Executor]


class Inline(Executor):
    """Runs every task at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run it, and give a future that is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def executors(jobs: int, scheduler: str | None = None) -> Iterator[tuple[Executors, int]]:
    """Choose where tasks run.

    Args:
        jobs: The number of processes; 1 means this one.
        scheduler: The address of a Dask scheduler, or "local" for a cluster of `jobs` processes on this machine.

    Yields:
        What makes executors, and how many tasks to keep under way.

    Raises:
        BadInput: jobs < 1, or the scheduler cannot be reached.
        MissingExtra: Dask is not installed.
    """
    if jobs < 1:
        raise BadInput(f"jobs = {jobs}", needed="a number of processes of at least 1")
    if scheduler is not None:
        with _dask(jobs, scheduler) as client:
            workers = max(1, sum(client.ncores().values()))
            yield lambda: client.get_executor(pure=False, retries=_RETRIES), 2 * workers
    elif jobs == 1:
        yield Inline, 1
    else:
        yield lambda: _pool(jobs), 2 * jobs


_RETRIES = 3


def _pool(jobs: int) -> ProcessPoolExecutor:
    """A pool whose workers use one thread each and end with their parent, however it ends."""
    for name in _THREADS:
        os.environ.setdefault(name, "1")
    return ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_end_with, initargs=(os.getpid(),))


def _end_with(parent: int) -> None:
    """End this worker when its parent is gone: a pool's workers would wait for ever if it was killed."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _dask(jobs: int, scheduler: str) -> Iterator[Any]:
    """A client of a scheduler, or of a local cluster that listens on the loopback interface only."""
    distributed = require("distributed", "run on a Dask cluster", "cluster")
    if scheduler == "local":
        with (
            distributed.LocalCluster(
                n_workers=jobs, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
            ) as cluster,
            distributed.Client(cluster) as client,
        ):
            yield client
        return
    try:
        client = distributed.Client(scheduler, timeout="20s")
    except (OSError, TimeoutError, ValueError) as problem:
        raise BadInput(
            f"the scheduler {scheduler}", found=str(problem), needed='an address such as "tcp://10.0.0.1:8786"'
        ) from None
    with client:
        yield client
