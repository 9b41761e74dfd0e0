"""The command that lists theorems."""

from __future__ import annotations

import json

import pytest

from depthsep.cli.app import run


def test_rows_about_a_ball(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["who", "ball", "--norm", "sup", "--weights", "any"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("depthsep: upper bound\n  Two units on top of approximate squares")
    assert "folklore: lower bound\n" in out
    assert "  error: sup norm, unit ball without a shell\n" in out
    assert "computed here: a depth-3 network for one ball, certified (give --dim and --eps)" in out
    assert 'note: every such function is also radial, with a margin also Lipschitz: depthsep who "radial"' in out


def test_values_with_their_hypotheses(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["who", "inner-product", "--norm", "L2", "--dim", "10", "--eps", "0.1"]) == 0
    out = capsys.readouterr().out
    assert "Daniely 2017: separation (arXiv:1702.08489; depthsep cite: daniely2017depth)" in out
    assert "  sin(pi*d^3*t): width at depth 2, at least: 2^36.96 (certified)\n    if: L2 norm on sphere-pairs" in out
    assert "width at depth 2: does not apply: the source is about the accuracy" in out
    assert "widths at depth 3: 5,360 + 4,002 (certified)" in out


def test_a_theorem_of_which_nothing_is_computed_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["who", "benign", "--dim", "10", "--eps", "0.1"]) == 0
    out = capsys.readouterr().out
    assert "computed here: nothing\n" in out
    assert "quoted from memory: norm and weights" in out
    assert "note: Authors and title of papers that depthsep cite does not have are quoted from memory." in out


def test_json_has_rows_with_values(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["who", "sawtooth", "--kind", "separation", "--dim", "6", "--eps", "0.1", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert row["key"] == "telgarsky"
    assert row["authors"] == ["Telgarsky"]
    assert row["reference"] == "arXiv:1509.08101"
    assert [value["exact"] for value in row["values"]] == [None, "63", "7"]
    assert row["values"][1] == {
        "name": "width of the widest layer at depth 2, at least",
        "about": "the sawtooth of 2^6 pieces on [0, 1]",
        "status": "proved formula",
        "amount": "63",
        "exact": "63",
        "reason": "",
        "hypotheses": ["sup norm on [0, 1]", "eps < 1/2", "ReLU, any weights"],
        "applies": True,
    }


def test_json_without_values(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["who", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert len(rows) > 40
    assert all(row["values"] == [] for row in rows)
    assert rows[0]["title"] == "The Power of Depth for Feedforward Neural Networks"


def test_nothing_meets_the_filters(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["who", "parity", "--norm", "sup"]) == 0
    assert "no theorem in the table meets all of these" in capsys.readouterr().out
    assert run(["who", "parity", "--norm", "sup", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"rows": []}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["bal"], "did you mean 'ball'?"),
        (["ball", "--norm", "l7"], "one of L1, L2, exact, not recorded, sup"),
        (["ball", "--dim", "3"], "needed: both --dim and --eps"),
        (["ball", "--dim", "3", "--eps", "x"], "x"),
        (["ball", "--dim", "0", "--eps", "0.1"], "a dimension of at least 1"),
    ],
)
def test_bad_requests(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["who", *words]) == 2
    assert message in capsys.readouterr().err


def test_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["who", "inner-product", "--norm", "L2", "--markdown"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("# Theorems\n")
    assert "sin(pi d^3 \\<x, x'>)" in out
