"""`depthsep tradeoff`, and `--domain` and `--weights` of build and separate, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from depthsep import tradeoff as tradeoffs
from depthsep.cli.app import run
from depthsep.errors import OutOfReach

WAVE = ["sin(pi*d^3*t)", "--domain", "spheres", "--dim", "10", "--eps", "0.1"]


def test_the_table_of_a_wave(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    picture = tmp_path / "trade.svg"
    assert run(["tradeoff", *WAVE, "--depths", "3:9", "--figure", str(picture)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("sin(pi*d^3*t) on pairs of unit vectors of dimension 10, within 0.1\n")
    assert out.count("VERIFIED") == 7
    assert "60 + 51 + 51 + 51 + 16 + 16 + 16 " in out
    assert out.endswith(f"figure: {picture}\n")
    drawn = picture.read_text(encoding="utf-8")
    for words in ("largest layer (proved)", "all neurons (proved)", "depth 3 by the source", "depth (weight layers)"):
        assert words in drawn
    assert run(["tradeoff", *WAVE, "--depths", "3:4", "--figure", str(picture)]) == 2
    assert "already" in capsys.readouterr().err


def test_json_has_rows_and_figure(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["tradeoff", *WAVE, "--depths", "4:5", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["figure"] is None
    assert [(row["depth"], len(row["widths"])) for row in facts["rows"]] == [(4, 3), (5, 4)]
    for row in facts["rows"]:
        assert row["largest_layer"] == max(row["widths"])
        assert row["neurons"] == sum(row["widths"])
        assert (row["verdict"], row["failure"]) == ("VERIFIED", None)
        assert row["document"]["claim"]["kind"] == "folded-error"


def test_a_depth_without_a_network_is_a_row(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> list[tradeoffs.TradeoffRow]:
        return [tradeoffs.TradeoffRow(4, None, "nothing that narrow")]

    monkeypatch.setattr(tradeoffs, "tradeoff", refuse)
    assert run(["tradeoff", *WAVE, "--depths", "4:4"]) == 0
    out = capsys.readouterr().out
    assert "none was found" in out
    assert "depth 4: nothing that narrow" in out
    assert run(["tradeoff", *WAVE, "--depths", "4:4", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert (row["widths"], row["failure"]) == (None, "nothing that narrow")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["tradeoff", *WAVE, "--depths", "2:5"], "'2:5' is not two depths A:B with 3 <= A <= B <= 64"),
        (["tradeoff", *WAVE, "--depths", "5:4"], "'5:4' is not two depths A:B"),
        (["tradeoff", *WAVE, "--depths", "5"], "'5' is not two depths A:B"),
        (
            ["tradeoff", *WAVE, "--depths", "3:4", "--figure", "x.gif"],
            "--figure needs a name that ends in .svg or .png",
        ),
        (["tradeoff", "1 - r", "--domain", "spheres", "--dim", "3", "--eps", "0.1", "--depths", "3:3"], "found r"),
        (
            ["tradeoff", "ball(1/2, 0.1)", "--dim", "3", "--eps", "0.1", "--depths", "3:3"],
            "a ball indicator takes depth 3",
        ),
        (["build", *WAVE, "--depth", "2"], "no depth-2 construction for functions of an inner product"),
        (["build", *WAVE, "--depth", "65"], "65 is not in the range 2<=x<=64"),
        (["build", *WAVE, "--depth", "2", "--random"], "--random is for the unit ball"),
        (["separate", *WAVE, "--domain", "balls"], "'balls' is not one of"),
        (["separate", *WAVE, "--weights", "2^r"], "cannot read the expression"),
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str], text: str) -> None:
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert text in captured.err


def test_build_on_pairs_and_its_document(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    document = tmp_path / "wave.json"
    assert run(["build", *WAVE, "--depth", "8", "--weights", "2^d", "--out", str(document)]) == 0
    assert "sin(pi*d^3*t) on pairs of unit vectors of dimension 10, within 0.1" in capsys.readouterr().out
    assert run(["check", str(document)]) == 0
    assert "VERIFIED" in capsys.readouterr().out


def test_separate_on_spheres(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert run(["separate", *WAVE, "--weights", "2^d", "--out", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "no shallow network: a depth-2 network for sin(pi*d^3*t) on pairs" in out
    assert "With weights up to 1024 on both sides, depth 3 reaches accuracy 1/10" in out
    assert (folder / "report.html").is_file()


def test_separate_as_json_when_nothing_is_found(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["separate", *WAVE, "--weights", "1/1000", "--out", str(tmp_path / "run"), "--json"]) == 3
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["kind"] == OutOfReach.__name__
    assert not (tmp_path / "run").exists()
