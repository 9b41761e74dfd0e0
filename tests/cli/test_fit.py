"""``depthsep fit`` and ``depthsep activations``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from depthsep.cli.app import run
from depthsep_check import check

FIT = ["fit", "abs(t)", "--interval", "-1", "1", "--eps", "0.1"]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_fit_prints_one_table_and_writes_a_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*FIT, "--activation", "hard_tanh", "--out", "fit.json"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("abs(t) on [-1, 1], constant beyond, on the whole line, within 0.1\n")
    assert "VERIFIED" in shown
    assert shown.endswith("document: fit.json\n")
    assert check(Path("fit.json")).ok
    assert run([*FIT, "--out", "fit.json"]) == 2
    assert run([*FIT, "--out", "fit.json", "--force"]) == 0


def test_fit_json_has_the_fields_of_build(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*FIT, "--json", "--domain", "interval"]) == 0
    found = json.loads(capsys.readouterr().out)
    fields = {"depth", "activation", "widths", "sup_error_upper", "eps", "max_weight", "path_norm", "nonzeros", "claim",
              "document", "verdict"}  # fmt: skip
    assert fields <= set(found)
    assert (found["depth"], found["dim"], found["activation"], found["claim"]) == (2, 1, "relu", "deterministic")
    assert check(found["document"]).ok


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["fit", "abs(t)", "--interval", "-1", "1"], "--eps"),
        (["fit", "abs(t)", "--eps", "0.1"], "--interval"),
        ([*FIT, "--activation", "swish"], "one of relu"),
        (["fit", "abs(x)", "--interval", "-1", "1", "--eps", "0.1"], "expected one of t"),
    ],
)
def test_bad_usage(arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    assert text in capsys.readouterr().err


def test_activations(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["activations"]) == 0
    shown = capsys.readouterr().out
    assert "hard_tanh" in shown
    assert "torch, ONNX (erf by rational functions)" in shown
    assert run(["activations", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["activations"]
    assert [entry["name"] for entry in found][:2] == ["relu", "leaky_relu"]
    assert {entry["assumption_constant"] for entry in found} == {"1", "2"}
