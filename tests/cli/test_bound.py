from __future__ import annotations

import json
from pathlib import Path

import pytest

from depthsep.cli.app import run
from depthsep_check import check

WAVE = ["bound", "sin(pi*d^3*t)", "--domain", "spheres", "--dim", "20", "--eps", "0.35", "--weights", "2^d"]
THEOREM_4 = ["bound", "sin(2*pi*d^3*r^2)/(2*pi*d^3)", "--dim", "50", "--eps", "seed", "--theorem", "ses4"]


def test_the_strongest_bound(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(WAVE) == 0
    out = capsys.readouterr().out
    assert out.startswith("sin(pi*d^3*t) in dimension 20\n")
    for text in ("degrees", "weights: entries <=", "L2 of uniform on sphere-pairs <= 0.35", "2^86.92", "VERIFIED"):
        assert text in out
    assert "crossings" not in out
    assert "used: the coefficients of degree" in out


def test_json_has_the_fields_of_the_contract_and_a_document_that_checks(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*WAVE, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["no_bound"] == []
    (bound,) = found["bounds"]
    contract = {
        "theorem", "width_lower", "log2_width_lower", "path_norm_lower", "error_floor", "norm", "measure", "domain",
        "activation_class", "weight_class", "hypotheses", "document", "verdict",
    }  # fmt: skip
    assert contract <= set(bound)
    assert int(bound["width_lower"]) > 2**86
    assert bound["error_floor"] is None
    assert check(bound["document"]).ok


def test_all_shows_what_applies_and_why_the_rest_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bound", "cos(12*r)", "--dim", "2", "--eps", "0.1", "--all"]) == 0
    out = capsys.readouterr().out
    assert "rank" in out
    assert "crossings" in out
    assert "no bound by degrees: it needs dim >= 3, not 2" in out
    assert "no bound by radial-dual: it needs dim >= 3, not 2" in out


def test_no_bound_is_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bound", "cos(3*s)", "--measure", "eldan-shamir", "--dim", "10", "--eps", "2"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("no bound by tubes: eps = 2 is not below the norm of the function, about 0.63")
    assert captured.err == ""


def test_no_bound_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bound", "ball(median)", "--measure", "gaussian", "--dim", "20", "--eps", "0.3", "--json"]) == 0
    reason = "a constant has the mean squared error 0.25, no more than 3/10"
    expected = {"bounds": [], "no_bound": [{"theorem": "gaussian-floor", "reason": reason}]}
    assert json.loads(capsys.readouterr().out) == expected


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["ball(median)", "--measure", "gaussian", "--dim", "20", "--width", "400"], "with 400 units: error"),
        (
            ["indicator(s <= 3.5)", "--measure", "eldan-shamir", "--dim", "5", "--width", "5"],
            "with 5 units: error",
        ),
    ],
)
def test_a_floor(capsys: pytest.CaptureFixture[str], words: list[str], text: str) -> None:
    assert run(["bound", *words]) == 0
    assert text in " ".join(capsys.readouterr().out.split())


def test_both_classes_of_weights_of_theorem_4(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(THEOREM_4) == 0
    out = capsys.readouterr().out
    assert "2^292.01" in out
    assert "2^254.84" in out
    assert "<= 3.457e-10" in out  # rounded down


def test_documents_are_written_and_not_overwritten(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "bounds"
    assert run([*THEOREM_4, "--out", str(folder)]) == 0
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["1-degrees.json", "2-degrees.json"]
    assert capsys.readouterr().out.endswith(f"document: {folder / names[1]}\n")
    assert run(["check", *(str(folder / name) for name in names)]) == 0
    assert capsys.readouterr().out.count("VERIFIED") == 2
    assert run([*THEOREM_4, "--out", str(folder)]) == 2
    assert run([*THEOREM_4, "--out", str(folder), "--force"]) == 0


R, T, S = (["bound", f"cos(12*{name})", "--dim", "6"] for name in "rts")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (R, "give --eps or --width, one of them"),
        ([*R, "--eps", "0.1", "--width", "5"], "give --eps or --width, one of them"),
        ([*R, "--width", "5"], "--width needs --measure eldan-shamir or --measure gaussian"),
        ([*S, "--width", "5", "--measure", "eldan-shamir", "--theorem", "degrees"], "--width is for tubes and"),
        ([*S, "--width", "0", "--measure", "eldan-shamir"], "needed: a width of at least 1"),
        ([*R, "--eps", "0.1", "--measure", "lebesgue"], "'lebesgue' is not one of"),
        ([*R, "--eps", "0.1", "--domain", "torus"], "'torus' is not one of"),
        ([*R, "--eps", "0.1", "--theorem", "tubes"], "needed: one of rank, cells, crossings, degrees"),
        ([*R, "--eps", "seed"], 'needed: the theorem "ses4", whose source states an accuracy'),
        ([*R, "--eps", "foo"], "needed: a positive rational number, such as 0.1 or 1/10"),
        ([*R, "--eps", "-1"], "needed: an accuracy above 0"),
        ([*R, "--eps", "0.1", "--domain", "spheres"], "found:  r, which means nothing for pairs of points on spheres"),
        ([*T, "--eps", "0.1"], "found:  t, which means nothing for the sup norm on the unit ball"),
        ([*T, "--eps", "0.1", "--domain", "spheres", "--weights", "0"], "such as 2^d or 64"),
        ([*T, "--eps", "0.1", "--domain", "spheres", "--measure", "gaussian"], "a measure brings its own domain"),
        (["bound", "1/r", "--dim", "6", "--eps", "0.1"], "no value at r = 0: division by 0"),
        (["bound", "abs(s - 3)", "--dim", "6", "--eps", "0.1", "--measure", "eldan-shamir"], "with abs, min or max"),
    ],
)
def test_bad_input(capsys: pytest.CaptureFixture[str], words: list[str], text: str) -> None:
    assert run(words) == 2
    captured = capsys.readouterr()
    assert text in captured.err
    assert captured.out == ""
