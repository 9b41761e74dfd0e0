"""The commands of the atlas."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from depthsep.atlas import Store, plan_of, run
from depthsep.cli import atlas as commands
from depthsep.cli.app import run as depthsep
from depthsep_check import check

PLAN = """
title = "two cones"
[[grid]]
functions = ["1 - r"]
dims = [1, 2, 3]
eps = ["0.4", "0.3"]
depths = [2, 3]
[[grid]]
kind = "bound"
functions = ["1 - r"]
dims = [2]
eps = ["0.4"]
[[grid]]
functions = ["1 - r"]
dims = [4]
eps = ["0.2"]
max_width = 2
"""

SHORT = """
[[grid]]
functions = ["1 - r"]
dims = [1, 4]
eps = ["0.2"]
max_width = 4
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("atlas")
    run(plan_of(PLAN), place)
    return place


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    for number in (1, 2):
        run(plan_of(SHORT), tmp_path / "parts", shard=(number, 2))
    return tmp_path / "parts"


def said(capsys: pytest.CaptureFixture[str], *words: object, code: int = 0) -> str:
    assert depthsep(["atlas", *map(str, words)]) == code
    shown = capsys.readouterr()
    return shown.out if code == 0 else shown.err


def test_run_tells_what_it_did_and_goes_on(tmp_path, capsys):
    (tmp_path / "plan.toml").write_text(SHORT)
    first = json.loads(said(capsys, "run", tmp_path / "plan.toml", "--out", tmp_path / "a", "--json"))
    assert (first["planned"], first["before"], first["finished"]) == (2, 0, 2)
    assert first["counts"] == {"done": 1, "out of reach": 1, "open": 0}
    again = said(capsys, "run", tmp_path / "plan.toml", "--out", tmp_path / "a")
    assert "2 tasks, 2 were done before, 0 now" in again
    assert "1 done, 1 out of reach, 0 open" in again


def test_every_mistake_of_a_plan_is_told(tmp_path, capsys):
    (tmp_path / "plan.toml").write_text('[[grid]]\nfunctions = ["1 -"]\ndims = [0]\neps = [0.1]\nfamily = 1\n')
    told = said(capsys, "run", tmp_path / "plan.toml", "--out", tmp_path / "a", code=2)
    assert "line 5: grid 1: unknown key" in told
    assert 'line 4: grid 1: eps: 0.1 is not a text (write "0.1"' in told
    assert not (tmp_path / "a").exists()


def test_a_slice_is_written_as_one(tmp_path, capsys):
    (tmp_path / "plan.toml").write_text(PLAN)
    wrong = said(capsys, "run", tmp_path / "plan.toml", "--out", tmp_path / "a", "--shard", "3", code=2)
    assert "'3' is no slice such as \"3/64\"" in wrong
    assert "shard 3/2" in said(capsys, "run", tmp_path / "plan.toml", "--out", tmp_path, "--shard", "3/2", code=2)


def test_status_counts(folder, capsys):
    shown = said(capsys, "status", folder)
    assert shown.startswith("two cones\n")
    assert "13 done, 1 out of reach" in shown
    (found,) = json.loads(said(capsys, "status", folder, "--json"))["files"]
    assert (found["planned"], found["finished"], found["open"], found["documents"]) == (14, 14, 0, 13)
    assert found["kinds"] == {"bound": 1, "network": 13}


def test_slices_are_counted_each_and_merged(shards, capsys):
    found = json.loads(said(capsys, "status", shards, "--json"))["files"]
    assert [state["finished"] for state in found] == [1, 1]
    assert f"depthsep atlas merge {shards} --out {shards}" in said(capsys, "query", shards, "SELECT 1", code=2)
    merged = json.loads(said(capsys, "merge", shards, "--out", shards, "--json"))
    assert [part["new"] for part in merged["files"]] == [1, 1]
    assert merged["counts"] == {"done": 1, "out of reach": 1, "open": 0}
    again = json.loads(said(capsys, "merge", shards, "--out", shards, "--json"))
    assert [(part["new"], part["known"]) for part in again["files"]] == [(0, 1), (0, 1)]
    assert "into " in said(capsys, "merge", shards, "--out", shards)
    assert "no atlas there" in said(capsys, "merge", shards / "nowhere", "--out", shards, code=2)


def test_rows_that_differ_are_told(folder, tmp_path, capsys):
    with Store(tmp_path / "b", writable=True) as store, Store(folder) as other:
        store.merge(other)
        store._connection.execute("UPDATE rows SET neurons = 1 WHERE neurons = 5 OR neurons = 4")
    assert depthsep(["atlas", "merge", str(folder), "--out", str(tmp_path / "b")]) == 0
    assert "tasks have other results in another file" in capsys.readouterr().err


def test_queries_are_answered_and_change_nothing(folder, tmp_path, capsys):
    select = "SELECT dim, eps, document FROM rows WHERE depth = 3 ORDER BY dim, eps DESC"
    found = json.loads(said(capsys, "query", folder, select, "--limit", 2, "--json"))
    assert found["columns"] == ["dim", "eps", "document"]
    assert [row[:2] for row in found["rows"]] == [[1, "3/10"], [1, "2/5"]]
    assert " 2/5 " in said(capsys, "query", folder, select)
    said(capsys, "query", folder, select, "--csv", tmp_path / "a.csv")
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 7
    assert "already exists" in said(capsys, "query", folder, select, "--csv", tmp_path / "a.csv", code=2)
    assert "a SELECT from rows" in said(capsys, "query", folder, "DELETE FROM rows", code=2)
    assert " bytes" in said(capsys, "query", folder, "SELECT content FROM documents LIMIT 1", "--json")


def test_export(folder, tmp_path, capsys):
    found = json.loads(said(capsys, "export", folder, "--out", tmp_path / "rows.csv", "--json"))
    assert found["rows"] == 14
    assert len((tmp_path / "rows.csv").read_text().splitlines()) == 15
    assert "ends in .csv or .parquet" in said(capsys, "export", folder, "--out", tmp_path / "rows.txt", code=2)


@pytest.mark.parametrize("kind", ["phase", "exponents", "depth-width"])
@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_pictures_come_with_their_tables(folder, tmp_path, capsys, kind, suffix):
    picture = tmp_path / f"{kind}{suffix}"
    found = json.loads(said(capsys, "plot", folder, f"--{kind}", "--out", picture, "--json"))
    assert picture.read_bytes()[:5] == (b"<?xml" if suffix == ".svg" else b"\x89PNG\r")
    with picture.with_suffix(".csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == found["rows"] > 0
    assert "already exists" in said(capsys, "plot", folder, f"--{kind}", "--out", picture, code=2)


def test_plot_tells_what_there_is_to_draw(folder, tmp_path, capsys):
    out = ["--out", tmp_path / "a.svg"]
    assert "give --phase" in said(capsys, "plot", folder, *out, code=2)
    assert "no such rows" in (told := said(capsys, "plot", folder, "--phase", "--function", "r", *out, code=2))
    assert "1 - r, relu" in told
    assert ".svg or .png" in said(capsys, "plot", folder, "--phase", "--out", tmp_path / "a.pdf", code=2)


def test_the_atlas_of_the_package(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(commands, "_shipped", lambda: folder / "atlas.sqlite")
    monkeypatch.chdir(tmp_path)
    assert "two cones" in said(capsys, "default")
    assert "two cones" in said(capsys, "status", "default")
    assert "two cones" in said(capsys, "default", "--out", "mine")
    assert "already exists" in said(capsys, "default", "--out", "mine", code=2)
    with Store(tmp_path / "mine") as store, Store(folder) as other:
        assert store.table() == other.table()


def test_a_row_can_be_reproduced_from_its_command(folder, tmp_path, capsys, monkeypatch):
    import shlex

    from depthsep.atlas import Task

    monkeypatch.chdir(tmp_path)
    with Store(folder) as store:
        found = store.all("SELECT definition, document FROM tasks JOIN rows USING (digest) WHERE status = 'done'")
    for definition, digest in found:
        command = Task.from_canonical(definition)
        if command.kind == "network" and command.dim == 2 and command.eps == "2/5":
            assert depthsep([*shlex.split(command.command)[1:], "--out", "again.json", "--force"]) == 0
            assert json.loads(Path("again.json").read_text())["digest"] == digest
            assert check(Path("again.json").read_text()).ok
    capsys.readouterr()
