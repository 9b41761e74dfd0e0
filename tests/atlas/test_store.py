"""The store: whole rows, one for each task, read without harm, merged by digest."""

import json
from dataclasses import replace

import pytest

from depthsep.atlas import Store, run
from depthsep.atlas.store import COLUMNS
from depthsep.atlas.work import Outcome, perform
from depthsep.errors import BadInput, DocumentExists, NotProved


@pytest.fixture
def folder(quick, tmp_path):
    tasks = quick.tasks[:3]
    with Store(tmp_path / "a", writable=True) as store:
        store.plan("title", "text", tasks)
        for task in tasks[:2]:
            store.add(task, perform(task))
    return tmp_path / "a"


def test_rows_and_documents_are_kept_and_checked(folder):
    with Store(folder) as store:
        assert store.counts() == {"done": 2, "open": 1}
        assert store.check() == 2
        assert store.meta("title") == "title"
        digest = store.one("SELECT document FROM rows")[0]
        assert json.loads(store.document(digest))["digest"] == digest
        assert store.document("none") is None


def test_a_second_row_for_a_task_changes_nothing(folder, quick):
    with Store(folder, writable=True) as store:
        before = store.table()
        store.add(quick.tasks[0], Outcome(quick.tasks[0].digest, {"status": "failed", "reason": "again"}))
        store.plan("title", "text", quick.tasks[:3])
        assert store.table() == before
        assert store.counts()["open"] == 1


def test_only_one_process_writes(folder):
    with Store(folder, writable=True), pytest.raises(BadInput, match="another run writes to it"):
        Store(folder, writable=True)
    Store(folder, writable=True).close()


@pytest.mark.parametrize("text", ["DELETE FROM rows", "PRAGMA journal_mode = DELETE", "ATTACH 'x' AS y", "nonsense"])
def test_a_query_changes_nothing(folder, text):
    with Store(folder) as store:
        with pytest.raises(BadInput, match="a SELECT from rows"):
            store.query(text)
        assert store.counts()["done"] == 2


def test_a_query_answers(folder):
    with Store(folder) as store:
        names, rows = store.query("SELECT function, dim AS d FROM rows ORDER BY digest", limit=1)
    assert names == ("function", "d")
    assert rows == [("1 - r", 1)]


def test_merging_takes_what_is_new_and_tells_what_differs(folder, quick, tmp_path):
    with Store(tmp_path / "b", writable=True) as store:
        store.plan("", "", quick.tasks[1:3])
        outcome = perform(quick.tasks[1])
        store.add(quick.tasks[1], replace(outcome, facts={**outcome.facts, "neurons": 99}))
        store.add(quick.tasks[2], perform(quick.tasks[2]))
    with Store(folder, writable=True) as store, Store(tmp_path / "b") as other:
        merged = store.merge(other)
        assert (merged.new, merged.known, merged.different) == (1, 1, (quick.tasks[1].digest,))
        assert store.counts() == {"done": 3, "open": 0}
        assert store.check() == 3
        assert store.one("SELECT neurons FROM rows WHERE digest = ?", (quick.tasks[1].digest,)) != (99,)


def test_a_changed_document_is_found(folder):
    import sqlite3
    import zlib

    with sqlite3.connect(folder / "atlas.sqlite") as raw:
        digest, content = raw.execute("SELECT digest, content FROM documents").fetchone()
        changed = zlib.compress(zlib.decompress(content).replace(b"unit-ball", b"unit-bell"))
        raw.execute("UPDATE documents SET content = ? WHERE digest = ?", (changed, digest))
    raw.close()
    with Store(folder) as store, pytest.raises(NotProved, match=digest):
        store.check()


def test_exports(folder, tmp_path):
    with Store(folder) as store:
        path = store.export(tmp_path / "rows.csv")
        lines = path.read_text().splitlines()
        assert lines[0].split(",") == [*COLUMNS, "took"]
        assert len(lines) == 3
        with pytest.raises(DocumentExists):
            store.export(tmp_path / "rows.csv")
        with pytest.raises(BadInput, match=r"ends in \.csv or \.parquet"):
            store.export(tmp_path / "rows.xls")


def test_parquet(folder, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    with Store(folder) as store:
        store.export(tmp_path / "rows.parquet")
    assert parquet.read_table(tmp_path / "rows.parquet").column("dim").to_pylist() == [1, 1]


def test_no_atlas_there(tmp_path):
    with pytest.raises(BadInput, match="no file"):
        Store(tmp_path)
    (tmp_path / "atlas.sqlite").write_bytes(b"not a database, but long enough to be looked at" * 30)
    with pytest.raises(BadInput, match="not a database"):
        Store(tmp_path)


def test_a_finished_run_does_nothing_more(quick, tmp_path):
    first = run(quick, tmp_path)
    again = run(quick, tmp_path)
    assert (first.before, first.finished) == (0, len(quick.tasks))
    assert (again.before, again.finished) == (len(quick.tasks), 0)
