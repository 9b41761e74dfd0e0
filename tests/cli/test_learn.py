"""The commands that train networks."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from depthsep.cli.app import run
from depthsep.learning import no_separation, safran_shamir
from depthsep.learning.laws import Gaussian
from depthsep_check import check

SMALL = ["--width", "40", "--steps", "60", "--train-points", "1500", "--test-points", "1500"]
QUICK = ["learn", "ball", "--law", "gaussian", "--dim", "4", "--seeds", "2", *SMALL]


def facts(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def test_the_ball_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(QUICK) == 0
    shown = capsys.readouterr()
    assert re.search(r"^ two-sigmoid +0\.\d{4} +0\.\d{4} to 0\.\d{4} ", shown.out, re.MULTILINE)
    assert "95% Student interval over 2 seeds" in shown.out
    assert "no network with one hidden layer of width 40 gets below 0.0" in shown.out
    assert "(VERIFIED, digest " in shown.out
    assert "a ball, a fixed hidden layer; natural reading: law, hidden; all else is chosen or derived here" in shown.out
    assert shown.err.splitlines()[:2] == ["seed 0, two-sigmoid", "seed 0, features"]


def test_the_ball_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*QUICK, "--baselines", "features,sigmoid", "--json"]) == 0
    found = facts(capsys)
    assert [row["model"] for row in found["rows"]] == ["two-sigmoid", "features", "sigmoid"]
    for row in found["rows"]:
        assert row["low"] <= row["mean"] <= row["high"]
        assert len(row["values"]) == 2
    assert found["verdict"] in ("certified", "empirical", "none")
    assert (found["figure"], found["seeds"], found["width"]) == (None, [0, 1], 40)
    assert 0 < float(found["floor"]) < 0.25
    assert found["floor_proof"]["verdict"] == "VERIFIED"
    assert found["curve"]["mean"][-1] == found["rows"][0]["mean"]
    assert found["protocol"]["provenance"]["loss"] == "derived"


def test_a_certified_separation(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run(["learn", "ball", "--law", "gaussian", "--dim", "10", "--seeds", "3", "--baselines", "none", "--json"]) == 0
    )
    found = facts(capsys)
    (row,) = found["rows"]
    assert found["verdict"] == "certified"
    assert row["high"] < float(found["floor"])
    assert row["mean"] < 0.026


def test_without_a_floor_the_verdict_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*QUICK[:3], "bessel", *QUICK[4:], "--optimizer", "nesterov"]) == 0
    out = capsys.readouterr().out
    assert "no floor: no floor is known for the Eldan-Shamir (Bessel) law in dimension 4" in out
    assert "infinitely wide network: 0." in out
    assert "verdict: none; " in out
    assert "certified" not in out


def test_one_seed_has_no_interval(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*QUICK, "--seeds", "1"]) == 0
    shown = capsys.readouterr()
    assert "warning: one seed has no confidence interval" in shown.err
    assert "none: 1 seed" in shown.out
    assert run([*QUICK, "--seeds", "1", "--json"]) == 0
    assert facts(capsys)["rows"][0]["low"] is None


def test_a_folder_is_filled_and_added_to(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "runs" / "first"
    assert run([*QUICK, "--optimizer", "gd", "--out", str(out), "--json"]) == 0
    first = facts(capsys)
    names = {"curves.png", "curves.svg", "floor.json", "protocol.json", "rows.csv", "rows.jsonl", "summary.json"}
    assert {path.name for path in out.iterdir()} == names
    assert first["figure"] == str(out / "curves.png")
    assert check(out / "floor.json").ok
    assert json.loads((out / "floor.json").read_text())["digest"] == first["floor_proof"]["digest"]
    svg = (out / "curves.svg").read_text()
    for text in ("certified floor: no network with one hidden layer of width 40 gets below", "infinitely wide",
                 "bound of convex gradient descent"):  # fmt: skip
        assert text in svg
    lines = (out / "rows.csv").read_text().splitlines()
    assert lines[0] == "model,seed,mse"
    assert lines[2] == f"two-sigmoid,1,{first['rows'][0]['values'][1]!r}"
    assert run([*QUICK, "--optimizer", "gd", "--out", str(out), "--seeds", "3", "--json"]) == 0
    assert facts(capsys)["rows"][0]["values"][:2] == first["rows"][0]["values"]


def test_another_protocol_does_not_go_into_the_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert run([*QUICK, "--seeds", "1", "--out", str(out)]) == 0
    before = {path: path.read_bytes() for path in out.iterdir()}
    assert run([*QUICK, "--seeds", "1", "--steps", "61", "--out", str(out)]) == 2
    assert "results of another protocol" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in out.iterdir()} == before


def test_a_protocol_comes_from_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('law = "gaussian"\ndim = 4\nwidth = 40\nsteps = 9\ntrain_points = 500\nradius = 2.0\nseeds = 2\n')
    command = ["learn", "ball", "--protocol", str(plan), "--test-points", "500", "--json"]
    assert run(command) == 0
    assert facts(capsys)["protocol"]["fields"]["radius"] == 2.0
    assert run([*command, "--quantile", "0.3", "--steps", "8"]) == 0
    fields = facts(capsys)["protocol"]["fields"]
    assert (fields["radius"], fields["quantile"], fields["steps"]) == (None, 0.3, 8)
    plan.write_text("dim = 4\n")
    assert run(command[:-1]) == 2
    assert f"give --law, or name them in {plan}" in capsys.readouterr().err


MISTAKES = [
    (["--law", "gausian", "--dim", "5"], "did you mean gaussian?"),
    (["--law", "gaussian", "--dim", "1"], "needed: dim >= 2"),
    (["--law", "gaussian"], "give --dim"),
    ([], "give --law and --dim"),
    (["--law", "bessel", "--dim", "5", "--baselines", "relu"], "do:     take the baselines sigmoid and features"),
    (["--law", "gaussian", "--dim", "5", "--baselines", "reluu"], "did you mean relu?"),
    (
        ["--law", "gaussian", "--dim", "5", "--quantile", "0.5", "--radius", "1"],
        "give --quantile or --radius, not both",
    ),
    (["--law", "gaussian", "--dim", "5", "--quantile", "1.5"], "a quantile strictly between 0 and 1"),
    (["--law", "gaussian", "--dim", "5", "--seeds", "0"], "needed: seeds >= 1"),
]


@pytest.mark.parametrize(("options", "text"), MISTAKES)
def test_mistakes(options: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["learn", "ball", *options]) == 2
    shown = capsys.readouterr()
    assert text in shown.err
    assert "seed 0" not in shown.err


def test_the_limit(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    command = ["learn", "limit", "--law", "gaussian", "--dim", "20", "--steps", "100"]
    assert run([*command, "--json"]) == 0
    found = facts(capsys)
    assert (found["steps"][0], found["steps"][-1], found["mse"][0]) == (0, 100, pytest.approx(0.25))
    assert found["mse"][-1] == pytest.approx(0.026, abs=1e-3)
    figure = tmp_path / "limit.svg"
    assert run([*command, "--figure", str(figure)]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^ +100 +0\.0\d{3} +0\.\d{4}$", out, re.MULTILINE)
    assert "infinitely wide: nesterov" in figure.read_text()
    assert run([*command, "--figure", str(figure)]) == 2
    assert run(["learn", "limit", "--law", "gaussian"]) == 2
    assert run([*command, "--optimizer", "adam"]) == 2
    assert run([*command[:-1], "0"]) == 2
    assert run([*command, "--quantile", "0.5", "--radius", "4"]) == 2
    assert run([*command[:-1], "1", "--figure", str(figure), "--force"]) == 0


def test_depth_against_width(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = safran_shamir.safran_shamir_2017
    monkeypatch.setattr(safran_shamir, "safran_shamir_2017", partial(whole, nets=safran_shamir.NETS[:2], records=1))
    figure = tmp_path / "depth.png"
    command = ["learn", "safran-shamir-2017", "--batches", "20", "--seeds", "2"]
    assert run([*command, "--figure", str(figure)]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^ ReLU 100-20 +12,141 +0\.\d{4} +0\.\d{4}\*? +0\.\d{4}\*?$", out, re.MULTILINE)
    assert re.search(r"by the medians, depth 3 is (not )?below every network of depth 2", out)
    assert "as recalled; the source could not be re-read" in out
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert run([*command, "--json"]) == 0
    rows = facts(capsys)["rows"]
    assert [(row["model"], row["depth"], len(row["rmse"])) for row in rows] == [
        ("ReLU 100-20", 3, 2),
        ("ReLU 100", 2, 2),
    ]


def test_settings_without_separation(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = no_separation.Setting("tiny", Gaussian(3), 30, 40, "forty steps are too few")
    monkeypatch.setattr(no_separation, "NO_SEPARATION", (tiny,))
    assert run(["learn", "no-separation", "--seeds", "2"]) == 0
    shown = capsys.readouterr()
    assert re.search(r"^ tiny +0\.\d{4} +0\.\d{4} to 0\.\d{4} .* none$", shown.out, re.MULTILINE)
    assert "tiny: forty steps are too few" in shown.out
    assert shown.err.startswith("tiny: seed 0, two-sigmoid")
    assert run(["learn", "no-separation", "--seeds", "2", "--json"]) == 0
    assert [setting["reason"] for setting in facts(capsys)["settings"]] == ["forty steps are too few"]


@pytest.mark.parametrize("command", ["ball", "limit", "safran-shamir-2017", "no-separation"])
def test_every_help_page_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["learn", command, "--help"]) == 0
    _, _, shown = capsys.readouterr().out.partition("\n  Example:\n")
    assert f"depthsep learn {command}" in shown
