from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import depthsep as ds
from depthsep.errors import BadInput, DocumentExists
from depthsep.reports import run_folder
from depthsep.reports.text import json_text
from depthsep_check import check


@pytest.fixture(scope="module")
def separation() -> ds.Separation:
    return ds.separate("1 - r", dim=3, eps="0.3")


def test_a_run_leaves_its_files_and_they_check(separation: ds.Separation, tmp_path: Path) -> None:
    said: list[str] = []
    summary = run_folder.write(separation, tmp_path, progress=lambda text, _fraction: said.append(text))
    assert said[-1] == "drawing the report"
    assert {path.name for path in tmp_path.iterdir()} == {
        "shallow.json", "deep.json", "shallow.onnx", "deep.onnx", "bounds", "report.html", "summary.json",
    }  # fmt: skip
    documents = [tmp_path / "shallow.json", tmp_path / "deep.json", *(tmp_path / "bounds").iterdir()]
    assert len(documents) == 2 + len(separation.bounds)
    assert all(check(path).ok for path in documents)
    assert json.loads((tmp_path / "summary.json").read_text()) == json.loads(json_text(summary))
    assert summary["notes"] == []
    assert [Path(bound["document"]).parent.name for bound in summary["bounds"]] == ["bounds"] * len(separation.bounds)


def test_a_network_too_large_for_onnx_is_named(
    separation: ds.Separation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_folder, "ONNX_LIMIT_BYTES", 100)
    summary = run_folder.write(separation, tmp_path)
    assert not (tmp_path / "shallow.onnx").exists()
    assert [note.split(" (")[0] for note in summary["notes"]] == ["no shallow.onnx", "no deep.onnx"]
    assert "at most 100 bytes" in summary["notes"][0]
    assert "no shallow.onnx" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("function", "dim", "eps", "name"),
    [
        ("1 - r", 10, "0.1", "1-r-d10-eps0.1"),
        ("abs(r - 1/2)", 2, "1/20", "abs-r-1-2-d2-eps1-20"),
        ("../../etc", 2, "..", "etc-d2-epsrun"),
        ("ball(1/2, 0.05)", 2, "", "ball-1-2-0.05-d2"),
        ("exp(" * 50, 2, "1", "-".join(["exp"] * 12) + "-d2-eps1"),
    ],
)
def test_names_of_runs(function: str, dim: int, eps: str, name: str) -> None:
    assert run_folder.free_name(function, dim, eps, under=Path("nowhere")).name == name


def test_a_taken_name_gets_a_number(tmp_path: Path) -> None:
    for expected in ("1-r-d2-eps1", "1-r-d2-eps1-2", "1-r-d2-eps1-3"):
        path = run_folder.free_name("1 - r", 2, "1", under=tmp_path)
        assert path.name == expected
        path.mkdir()


def test_staged_folder_takes_its_name_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "new" / "run"
    with run_folder.staged(target) as folder:
        assert folder.parent == target.parent
        (folder / "deep.json").write_text("x")
        assert not target.exists()
    assert (target / "deep.json").read_text() == "x"
    assert [path.name for path in target.parent.iterdir()] == ["run"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_nothing(tmp_path: Path, failure: type[BaseException]) -> None:
    def fail() -> None:
        with run_folder.staged(tmp_path / "new" / "run") as folder:
            (folder / "deep.json").write_text("half")
            raise failure

    with pytest.raises(failure):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    with run_folder.staged(tmp_path) as folder:
        (folder / "deep.json").write_text("x")
    assert [path.name for path in tmp_path.iterdir()] == ["deep.json"]


def test_a_full_folder_is_refused_and_force_replaces_a_former_run_whole(tmp_path: Path) -> None:
    target = tmp_path / "run"
    (target / "bounds").mkdir(parents=True)
    (target / "shallow.onnx").write_text("old")
    with pytest.raises(DocumentExists, match="already exists"), run_folder.staged(target):
        pytest.fail("entered a folder that was taken")
    with run_folder.staged(target, force=True) as folder:
        (folder / "deep.json").write_text("x")
    assert [path.name for path in target.iterdir()] == ["deep.json"]
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_force_never_touches_what_no_run_wrote(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    wrong = pytest.raises(BadInput, match="it holds 'thesis\\.tex', which no run wrote")
    with wrong, run_folder.staged(tmp_path, force=True):
        pytest.fail("entered somebody else's folder")
    assert (tmp_path / "thesis.tex").read_text() == "mine"


def test_a_place_that_takes_no_folder_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(BadInput, match="no folder can be made there") as caught,
        run_folder.staged(tmp_path / "file" / "run"),
    ):
        pytest.fail("entered an impossible folder")
    assert "nothing was computed" in str(caught.value)


def test_the_former_run_survives_a_failure_while_it_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "run"
    target.mkdir()
    (target / "deep.json").write_text("old")
    rename = Path.rename

    def failing(self: Path, other: Path) -> Path:
        if self.suffix == ".partial":
            raise OSError("disk full")
        return rename(self, other)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="disk full"), run_folder.staged(target, force=True) as folder:
        (folder / "deep.json").write_text("new")
    assert (target / "deep.json").read_text() == "old"
    assert os.listdir(tmp_path) == ["run"]
