"""Runs: the same table from one process, several, shards, and after any number of kills."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from depthsep.atlas import Plan, Store, plan_of, run
from depthsep.atlas.driver import _outcomes
from depthsep.atlas.executors import _pool
from depthsep.atlas.task import Task
from depthsep.atlas.work import perform
from depthsep.errors import BadInput

SCRIPT = """
import sys
from depthsep.atlas import read_plan, run
if __name__ == "__main__":
    run(read_plan(sys.argv[1]), sys.argv[2], jobs=2)
"""


def table_of(folder: Path) -> list:
    with Store(folder) as store:
        return store.table()


def test_two_processes_give_the_same_table(quick, undisturbed, tmp_path):
    run(quick, tmp_path, jobs=2)
    assert table_of(tmp_path) == undisturbed


def test_shards_merge_to_the_same_table(quick, undisturbed, tmp_path):
    for number in (1, 2, 3):
        run(quick, tmp_path, shard=(number, 3))
    with Store(tmp_path / "whole", writable=True) as whole:
        for number in (1, 2, 3):
            with Store(tmp_path / f"shard-{number}-of-3.sqlite") as part:
                whole.merge(part)
        assert whole.table() == undisturbed
        assert whole.counts()["open"] == 0


def test_ten_kills_lose_nothing_and_double_nothing(quick, undisturbed, tmp_path):
    plan, script = tmp_path / "plan.toml", tmp_path / "run.py"
    plan.write_text(quick.text)
    script.write_text(SCRIPT)
    rng = random.Random(5)
    kills = 0
    for _ in range(60):
        with subprocess.Popen([sys.executable, script, plan, tmp_path / "out"], env=os.environ) as process:
            try:
                process.wait(timeout=rng.uniform(1.0, 3.0) if kills < 10 else 120)
                if kills >= 10:
                    break
            except subprocess.TimeoutExpired:
                os.kill(process.pid, signal.SIGKILL)
                kills += 1
    assert table_of(tmp_path / "out") == undisturbed
    with Store(tmp_path / "out") as store:
        assert store.check() == store.one("SELECT COUNT(*) FROM documents")[0]


def test_a_dead_worker_is_a_row_only_for_its_task(quick, tmp_path):
    lethal = Task("network", "1 - r", 4, "1/5", depth=3)
    tasks = [*quick.tasks[:2], lethal, *quick.tasks[2:4]]
    found = dict(_outcomes(tasks, lambda: _Lethal(lethal), 2))
    assert set(found) == set(tasks)
    assert found[lethal].facts["reason"] == "its worker died twice, without a word"
    assert all(found[task].facts["status"] == "done" for task in tasks if task != lethal)


class _Lethal:
    """A pool in which one task kills its worker."""

    def __init__(self, lethal: Task) -> None:
        self._pool, self._lethal = _pool(2), lethal

    def submit(self, work, task):
        return self._pool.submit(os._exit, 1) if task == self._lethal else self._pool.submit(work, task)

    def shutdown(self, **how):
        self._pool.shutdown(**how)


def test_workers_end_with_their_parent(tmp_path):
    code = (
        "import os, time\nfrom depthsep.atlas.executors import _pool\n"
        "if __name__ == '__main__':\n"
        "    pool = _pool(1); print(pool.submit(os.getpid).result(), flush=True); time.sleep(60)\n"
    )
    (tmp_path / "parent.py").write_text(code)
    with subprocess.Popen([sys.executable, tmp_path / "parent.py"], stdout=subprocess.PIPE, text=True) as parent:
        worker = int(parent.stdout.readline())
        parent.kill()
    for _ in range(100):
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail("the worker outlived its parent")


def test_time_that_is_up_is_a_row():
    outcome = perform(Task("network", "cos(9*r)", 40, "1/50", depth=2, seconds=1))
    assert outcome.facts["status"] == "over time"
    assert outcome.facts["reason"] == "not done within 1 seconds"
    assert outcome.document is None


def test_a_width_out_of_reach_is_a_row(quick):
    outcome = perform(quick.tasks[-1])
    assert outcome.facts["status"] == "out of reach"
    assert "neurons" in outcome.facts["reason"]


def test_a_request_that_is_refused_is_a_row():
    outcome = perform(Task("network", "1/r", 2, "1/10"))
    assert outcome.facts["status"] == "refused"
    assert "no value at r = 0" in outcome.facts["reason"]


def test_no_bound_is_a_row_with_its_reasons():
    outcome = perform(Task("bound", "0*r", 3, "1/10"))
    assert outcome.facts["status"] == "no bound"
    assert "rank" in outcome.facts["reason"]


def test_a_random_network_is_called_probabilistic():
    outcome = perform(Task("random-network", "1 - r", 20, "1/5"))
    assert (outcome.facts["status"], outcome.facts["claim"]) == ("done", "probabilistic")


def test_progress_tells_rate_and_rest(quick, tmp_path):
    said = []
    run(Plan("", quick.tasks[:2]), tmp_path, progress=lambda text, fraction: said.append((text, fraction)))
    assert said[0] == ("0 of 2 tasks were done before", 0.0)
    assert said[-1][0].startswith("2 of 2, ")
    assert "left; last: 1 - r, d = 1, eps = 3/10, depth 3" in said[-1][0]


def test_nonsense_is_refused(quick, tmp_path):
    with pytest.raises(BadInput, match="jobs = 0"):
        run(quick, tmp_path, jobs=0)
    with pytest.raises(BadInput, match="shard 0/2"):
        run(quick, tmp_path, shard=(0, 2))


def test_a_dask_cluster_gives_the_same_table_though_a_worker_is_killed(quick, undisturbed, tmp_path):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=4, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        workers = client.run(os.getpid)
        seen = []

        def kill_one(text, _fraction):
            seen.append(text)
            if len(seen) == 4:
                os.kill(next(iter(workers.values())), signal.SIGKILL)

        run(quick, tmp_path, scheduler=cluster.scheduler_address, progress=kill_one)
    assert table_of(tmp_path) == undisturbed


def test_a_scheduler_that_is_not_there(quick, tmp_path):
    pytest.importorskip("distributed")
    with pytest.raises(BadInput, match="an address such as"):
        run(plan_of(quick.text), tmp_path, scheduler="nonsense://nowhere")
