"""The atlas that is shipped: it answers its plan, with proofs that the checker accepts."""

import random
from importlib.resources import as_file, files

import pytest

from depthsep.atlas import Store, read_plan
from depthsep.cli.app import run as depthsep
from depthsep_check import check

HOME = files("depthsep.atlas")


@pytest.fixture(scope="module")
def store():
    with as_file(HOME / "default.sqlite") as path, Store(path) as opened:
        yield opened


@pytest.fixture(scope="module")
def plan():
    with as_file(HOME / "default.toml") as path:
        return read_plan(path)


def test_every_task_of_the_plan_has_its_row(store, plan):
    assert {task.digest for task in plan.tasks} == store.finished()
    assert store.counts()["open"] == 0
    assert set(store.counts()) <= {"done", "no bound", "out of reach", "over time", "open"}
    assert store.meta("plan") == plan.text


def test_what_is_done_has_a_proof(store):
    done = store.all("SELECT digest, verdict, document FROM rows WHERE status = 'done'")
    assert len(done) > 200
    assert {verdict for _, verdict, _ in done} == {"VERIFIED"}
    assert all(store.document(document) for _, _, document in done)


def test_a_sample_of_the_proofs_is_replayed(store):
    documents = list(store.documents())
    for digest, text in random.Random(0).sample(documents, 25):
        assert check(text).ok, digest


def test_it_can_be_looked_at_and_copied(tmp_path, capsys):
    assert depthsep(["atlas", "default"]) == 0
    assert "done" in capsys.readouterr().out
    assert depthsep(["atlas", "default", "--out", str(tmp_path / "mine")]) == 0
    with Store(tmp_path / "mine") as copied, Store(HOME / "default.sqlite") as shipped:
        assert copied.table() == shipped.table()
