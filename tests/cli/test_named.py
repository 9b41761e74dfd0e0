"""The command that puts theorems of the literature beside certified bounds."""

from __future__ import annotations

import json

import pytest

from depthsep.cli.app import run


def test_daniely_is_shown_with_both_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["named", "daniely", "--dim", "50"]) == 0
    out = capsys.readouterr().out
    assert "about 2^58.9 (an estimate)" in out
    assert "width >= 2^272." in out
    assert out.count("VERIFIED") == 2
    assert "note: the output bias costs nothing" in out


def test_theorem_four_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["named", "ses4", "--dim", "50", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert [round(bound["log2_width_lower"]) for bound in facts["bounds"]] == [292, 255]
    assert facts["weights"] == ["every weight up to 2^d / (pi d^3)", "every weight up to 2^d"]
    assert facts["no_bound"] == []


def test_theorem_five_holds_for_any_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["named", "ses5", "--dim", "10"]) == 0
    out = capsys.readouterr().out
    assert "any weights" in out
    assert "VERIFIED" in out


def test_dimensions_outside_the_theorem(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["named", "daniely", "--dim", "2"]) == 2
    assert "needed: a dimension from 3 to 1290" in capsys.readouterr().err
