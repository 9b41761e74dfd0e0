"""``depthsep exact``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from depthsep.cli.app import run
from depthsep_check import check


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ["sawtooth", "--folds", "6"],
        ["sawtooth", "--folds", "6", "--depth", "3"],
        ["parity", "--bits", "16"],
        ["parity", "--bits", "16", "--depth", "5"],
        ["cantor", "--level", "4"],
        ["maximum", "--inputs", "5"],
        ["maximum", "--inputs", "6"],
    ],
)
def test_a_network_is_built_and_saved(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["exact", *arguments, "--out", "net.json"]) == 0
    shown = capsys.readouterr().out
    assert "VERIFIED" in shown
    assert shown.endswith("document: net.json\n")
    assert check(Path("net.json")).ok
    assert run(["exact", *arguments, "--out", "net.json"]) == 2
    capsys.readouterr()
    assert run(["exact", *arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["sup_error_upper"], found["verdict"], found["activation"]) == ("0", "VERIFIED", "relu")
    assert check(found["document"]).ok


def test_many_layers_and_the_lower_bound_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["exact", "sawtooth", "--folds", "20"]) == 0
    shown = capsys.readouterr().out
    assert "20 x 2" in shown
    assert "the product of all (width + 1) is at least 2^20, by the pieces on a line\n" in shown
    assert run(["exact", "sawtooth", "--folds", "6", "--depth", "3"]) == 0
    assert "at depth 3 every such network has a layer of width 7 or more" in capsys.readouterr().out


def test_a_network_of_others_is_checked(capsys: pytest.CaptureFixture[str]) -> None:
    layers = [{"weights": [["1", "0"], ["-1", "1"], ["-1", "0"]], "biases": ["0", "0", "0"]},
              {"weights": [["1", "1", "-1"]], "biases": ["0"]}]  # fmt: skip
    Path("mine.json").write_text(json.dumps({"kind": "relu-network", "dim": 2, "layers": layers}))
    assert run(["exact", "maximum", "--inputs", "2", "--check", "mine.json", "--out", "proof.json"]) == 0
    assert check(Path("proof.json")).ok
    assert run(["exact", "parity", "--bits", "2", "--check", "mine.json"]) == 1
    assert "row 0 of layer 1 has different entries" in capsys.readouterr().err


def test_the_document_is_evaluated_and_exported(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["exact", "cantor", "--level", "2", "--out", "set.json"]) == 0
    Path("points.csv").write_text("0.5\n0\n")
    assert run(["evaluate", "set.json", "--points", "points.csv"]) == 0
    assert "level 2 of the Cantor set" in capsys.readouterr().err
    assert run(["export", "set.json", "--to", "onnx", "--out", "set.onnx"]) == 0
    assert "the proof is about exact arithmetic" in capsys.readouterr().out
    assert run(["check", "set.json", "--against", "set.onnx"]) == 0
    assert run(["exact", "maximum", "--inputs", "5", "--out", "five.json"]) == 0
    assert run(["export", "five.json", "--to", "onnx", "--out", "five.onnx"]) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["sawtooth"], 2, "--folds"),
        (["sawtooth", "--folds", "0"], 2, "at least 1"),
        (["sawtooth", "--folds", "6", "--depth", "9"], 2, "a depth of 2 to 7"),
        (["sawtooth", "--folds", "90"], 3, "at most 64 weight layers"),
        (["maximum", "--inputs", "8", "--depth", "3"], 2, "depth 4"),
        (["minimum"], 2, "No such command"),
    ],
)
def test_bad_usage(arguments: list[str], code: int, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["exact", *arguments]) == code
    assert text in capsys.readouterr().err
