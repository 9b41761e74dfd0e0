"""The crossover: both sides are for one bound of the weights, and both are replayed."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import pytest

from depthsep.cli.app import run
from depthsep.crossover import Row, crossover, depth_two_bound, source_width
from depthsep.errors import BadInput, OutOfReach
from depthsep.lower_bounds import LowerBound, NoBound
from depthsep_check import check


def test_the_crossover_of_the_source_function_is_dimension_4() -> None:
    seen: list[str] = []
    dim, found = crossover("pi*d^3", "2^d", "0.35", progress=lambda text, _: seen.append(text))
    assert dim == 4
    assert seen == ["dimension 3", "dimension 4"]
    assert [(row.dim, row.weights, row.separated) for row in found] == [(3, 8, False), (4, 16, True)]
    for row in found:
        _both_sides_obey_one_bound(row)


def _both_sides_obey_one_bound(row: Row) -> None:
    """The checker replays both documents again, and both name the bound, the accuracy and the same function."""
    assert isinstance(row.shallow, LowerBound)
    assert row.deep is not None
    below, above = json.loads(row.shallow.document), row.deep.document
    assert check(row.shallow.document).ok
    assert check(json.dumps(above)).ok
    assert below["function"]["expression"] == above["function"]["expression"] == "sin((pi*d^3)*t)"
    assert (row.shallow.domain, row.deep.function.domain) == ("sphere-pairs", "sphere-pairs")
    assert Fraction(above["claim"]["max_weight"]) == row.weights
    assert row.shallow.weight_class == f"entries <= {row.weights}"
    assert row.deep.max_weight <= row.weights
    assert row.deep.sup_error_upper <= row.shallow.eps == row.deep.eps == Fraction(35, 100)
    assert row.separated == (row.shallow.width_lower > sum(row.deep.widths))


def test_no_network_with_such_weights_is_a_row() -> None:
    dim, (row,) = crossover("pi*d^3", "1/1000", "0.35", last_dim=3)
    assert (dim, row.deep, row.separated) == (None, None, False)
    assert row.deep_failure == "no proof for any network with such weights"


def test_depth_two_says_why_it_knows_nothing() -> None:
    nothing = depth_two_bound("pi*d^3", "2^d", "0.8", 4)
    assert isinstance(nothing, NoBound)
    assert "trivially approximated by a constant" in nothing.reason


def test_no_separation_for_a_slow_wave() -> None:
    dim, found = crossover("2", "2^d", "0.35", last_dim=3)
    assert dim is None
    assert [row.separated for row in found] == [False]


@pytest.mark.parametrize(
    ("omega", "weights", "eps", "text"),
    [
        ("pi*d^3", "0", "0.35", "the bound of the weights '0'"),
        ("pi*d^3", "2^r", "0.35", "cannot read the expression"),
        ("foo", "2^d", "0.35", "cannot read the expression"),
        ("pi*d^3", "2^d", "seed", "eps = 'seed'"),
        ("pi*d^3", "2^d", "0", "needed: an accuracy above 0"),
    ],
)
def test_nonsense_is_refused(omega: str, weights: str, eps: str, text: str) -> None:
    with pytest.raises(BadInput, match=text.replace("(", r"\(")):
        crossover(omega, weights, eps, last_dim=3)


def test_the_formula_of_the_source() -> None:
    assert source_width("pi*d^3", 4, "0.5") == pytest.approx(16 * 16 * math.pi * 64 / 0.5)


OPTIONS = ["crossover", "--omega", "2", "--weights", "2^d", "--eps", "0.8", "--last-dim", "3"]


def test_the_command_says_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(OPTIONS) == 0
    out = capsys.readouterr().out
    assert "nothing is known" in out
    assert "dimension 3, depth 2: eps = 4/5 is not below the L2 distance of the function from its mean" in out
    assert out.endswith("no certified separation up to dimension 3\n")


def test_the_command_says_that_no_network_was_found(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OutOfReach("a network", found="nothing so small")

    monkeypatch.setattr("depthsep.crossover.build", refuse)
    assert run(OPTIONS) == 0
    out = capsys.readouterr().out
    assert "none was found" in out
    assert "dimension 3, depth 3: nothing so small" in out
    assert run([*OPTIONS, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert (row["depth3"], row["depth3_widths"], row["depth3_unknown"]) == (None, None, "nothing so small")


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (["--last-dim", "2"], "2 is not in the range x>=3"),
        (["--figure", "x.gif"], "--figure needs a name that ends in .svg or .png, not x.gif"),
    ],
)
def test_wrong_usage_is_found_before_the_work(capsys: pytest.CaptureFixture[str], more: list[str], text: str) -> None:
    assert run([*OPTIONS, *more]) == 2
    captured = capsys.readouterr()
    assert (captured.out, text in captured.err) == ("", True)
    assert "dimension 3" not in captured.err
