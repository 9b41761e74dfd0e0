from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest

from depthsep.errors import BadInput
from depthsep.explanation import Explanation, TheoremNote, explain

SHALLOW = "Moment sandwich (depth 2)"
DEEP = "Separable squares and one profile (depth 3)"
BALL = "Ball indicator, exact off its margin (depth 3)"
SOURCE = "Polynomial width at depth 2, for a fixed accuracy"
RANK = "Rank bound (any depth)"
FAMILIES = "The plan: families of directions (depth 2, relu)"
IDENTITIES = "Polynomials in r^2 through exact identities (depth 2)"
LIMITS = "Limits of moments (a limit of the method, not of depth 2)"
SINE = "No polynomial width at depth 2 when the accuracy shrinks with the dimension"


def note(explanation: Explanation, name: str) -> TheoremNote:
    return {theorem.name: theorem for theorem in explanation.theorems}[name]


def test_the_cone() -> None:
    cone = explain("1 - r", dim=10, eps="0.1")
    assert [theorem.name for theorem in cone.theorems if theorem.applies][:3] == [SOURCE, SHALLOW, DEEP]
    assert note(cone, SHALLOW).hypotheses[-1].found == "degree 4, error 0.0676, 100 directions (estimates)"
    assert note(cone, SHALLOW).predicted_widths == {"neurons (estimate)": "about 500"}
    assert note(cone, RANK).predicted_widths == {"at least (proved)": "10"}
    assert not note(cone, BALL).applies
    assert note(cone, "Exponential width at depth 2 for an inner product").applies is False


@pytest.mark.parametrize(
    ("function", "dim", "eps", "directions"),
    [("1 - r", 100, "0.3", 100), ("1 - r", 2, "0.1", 3), ("1 - r", 3, "0.1", 6), ("1 - r", 20, "0.05", 4960),
     ("exp(-r^2)", 100, "0.05", 100), ("1/2", 5, "0.1", 0), ("1 - r", 1, "0.1", 1)],
)  # fmt: skip
def test_directions_of_the_moment_sandwich(function: str, dim: int, eps: str, directions: int) -> None:
    found = note(explain(function, dim=dim, eps=eps), SHALLOW).hypotheses[-1].found
    assert found.endswith(f", {directions:,} directions (estimates)")


@pytest.mark.parametrize(("dim", "eps", "reached"), [(10, "0.01", 160), (100, "0.01", 2420), (1000, "0.01", 30100)])
def test_the_deep_estimate_is_near_what_is_reached(dim: int, eps: str, reached: int) -> None:
    text = note(explain("1 - r", dim=dim, eps=eps), DEEP).predicted_widths["first layer (estimate)"]
    estimate = int(text.removeprefix("about ").replace(",", ""))
    assert 0.75 * reached < estimate < 1.25 * reached


def test_the_plan_lists_what_build_chooses_from() -> None:
    widths = note(explain("1 - r", dim=10, eps="0.1"), FAMILIES).predicted_widths
    first = "moment sandwich of degree 6, (1) + (11) + code of 256 rows (estimate)"
    assert next(iter(widths)) == first
    assert widths[first] == "356 directions, about 500 neurons, 6.0e3 weights if written out"
    assert "moment sandwich of degree 4, (1) + (11) (estimate)" in widths
    group = note(explain("1 - r", dim=5, eps="0.1"), FAMILIES).predicted_widths
    assert next(iter(group)).startswith("reflection group, ")
    constant = note(explain("1/2", dim=5, eps="0.1"), FAMILIES)
    assert constant.applies is None
    assert constant.predicted_widths == {}


def test_the_plan_is_made_for_the_activation() -> None:
    smooth = explain("1 - r", dim=10, eps="0.3", activation="gelu")
    widths = note(smooth, FAMILIES.replace("relu", "gelu")).predicted_widths
    assert next(iter(widths.values())) == "10 directions, about 40 neurons, 4.8e2 weights if written out"


def test_exact_identities_are_predicted_for_polynomials_in_squares() -> None:
    quartic = note(explain("1 - r^2 + 3*r^4", dim=10, eps="0.05"), IDENTITIES)
    assert quartic.applies
    assert quartic.hypotheses[-1].found == "of degree 4"
    assert quartic.predicted_widths["directions of every exact identity, at least (proved)"] == "55"
    assert quartic.predicted_widths["directions of sparse orbits"] == "100"
    text = quartic.predicted_widths["neurons (estimate)"]
    estimate = int(text.removeprefix("about ").split(", along ")[0].replace(",", ""))
    assert 0.9 * 3056 < estimate < 1.1 * 3056  # what is built
    assert note(explain("1 - r", dim=10, eps="0.1"), IDENTITIES).applies is False
    large = note(explain("r^20", dim=6, eps="0.05"), IDENTITIES).predicted_widths
    assert list(large) == ["directions of every exact identity, at least (proved)", "directions of sparse orbits"]
    assert note(explain("1/3", dim=6, eps="0.05"), IDENTITIES).predicted_widths == {}


def test_limits_of_moments_are_labelled_as_limits_of_the_method() -> None:
    cone = note(explain("1 - r", dim=10, eps="0.1"), LIMITS)
    assert cone.applies
    assert cone.hypotheses[-1].text == "moments up to degree 4 are not excluded"
    assert cone.hypotheses[-1].found == "an error of at least 0.5 at degree 0, 0.1249 at degree 2 (proved)"
    assert cone.predicted_widths == {"directions of an exact identity of degree 4, at least (proved)": "55"}
    loose = note(explain("1 - r", dim=10, eps="0.6"), LIMITS)
    assert loose.hypotheses[-1].found == "not even degree 0 is excluded"
    fine = note(explain("1 - r", dim=10, eps="0.01"), LIMITS)
    assert fine.applies is None
    assert fine.predicted_widths == {}


def test_notes_about_formulas_say_nothing_about_a_ball() -> None:
    ball = explain("ball(1/2, 0.05)", dim=10, eps="0.1")
    for name in (FAMILIES, IDENTITIES, LIMITS):
        assert note(ball, name).applies is False
        assert note(ball, name).predicted_widths == {}


def test_the_ball_indicator() -> None:
    ball = explain("ball(1/2, 0.05)", dim=100)
    assert [theorem.name for theorem in ball.theorems if theorem.applies] == [BALL]
    assert note(ball, BALL).predicted_widths == {"first layer (estimate)": "about 670", "second layer": "2"}
    positive = note(explain("ball(1/2, 0.05)", dim=10, eps="0.1"), SOURCE)
    assert positive.applies
    assert [hypothesis.found for hypothesis in positive.hypotheses] == ["eps = 1/10", "with a constant of at most 10"]


def test_a_profile_that_is_not_lipschitz_leaves_the_question_open() -> None:
    root = explain("sqrt(r)", dim=5, eps="0.1")
    assert note(root, SOURCE).applies is None
    assert note(root, DEEP).applies is None
    assert note(root, DEEP).predicted_widths == {}
    assert note(root, SOURCE).hypotheses[1].found == "interval arithmetic finds no bound for its derivative"


def test_an_accuracy_beyond_low_degrees_leaves_the_sandwich_open() -> None:
    sandwich = note(explain("1 - r", dim=1, eps="0.001"), SHALLOW)
    assert sandwich.applies is None
    assert sandwich.hypotheses[-1].holds is None


def test_an_accuracy_above_the_oscillation_has_no_rank_bound() -> None:
    rank = note(explain("1 - r", dim=10, eps="0.6"), RANK)
    assert rank.applies is False
    assert "not by more than 2 eps = 6/5" in rank.hypotheses[-1].found


def test_the_fast_sine_is_recognised_with_its_accuracy() -> None:
    sine = "sin(2*pi*d^3*r^2)/(2*pi*d^3)"
    assert note(explain(sine, dim=1, eps="1e-5"), SINE).applies is True
    slower = note(explain(sine, dim=1, eps="0.001"), SINE)
    assert [hypothesis.holds for hypothesis in slower.hypotheses] == [True, False]
    assert "they differ by" in note(explain("1 - r", dim=1, eps="1e-5"), SINE).hypotheses[0].found


def test_a_proved_lipschitz_constant_is_never_below_a_difference_quotient() -> None:
    for function in ("exp(-r^2)", "sin(3*r)/3", "abs(r - 1/2)", "max(0, 1 - 2*r)", "r^3 - r/7"):
        found = note(explain(function, dim=3, eps="0.1"), SOURCE).hypotheses[1].found
        constant = float(found.removeprefix("with a constant of at most "))
        radii = np.linspace(0.0, 1.0, 5001)
        from depthsep.functions import Radial

        steepest = np.max(np.abs(np.diff(Radial(function, 3).profile(radii)))) * 5000
        assert steepest <= constant * (1 + 1e-4) <= 1.02 * steepest


def test_json_holds_everything_and_round_trips() -> None:
    explanation = explain("1 - r", dim=3, eps=Fraction(1, 10))
    found = explanation.to_json()
    assert json.loads(json.dumps(found)) == found
    assert found["eps"] == "1/10"
    assert set(found["theorems"][0]) == {"name", "applies", "says", "source", "hypotheses", "predicted_widths"}
    assert found["theorems"][0]["hypotheses"][0] == {
        "text": "the accuracy is positive", "holds": True, "found": "eps = 1/10",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("function", "dim", "eps", "text"),
    [("1/r", 3, "0.1", "no value at r = 0"), ("1 - r", 0, "0.1", "dim = 0"), ("1 - r", 3, "-1", "an accuracy above 0"),
     ("1 - r", 3, "abc", "a positive rational number"), ("1 -", 3, "0.1", "expected")],
)  # fmt: skip
def test_refusals(function: str, dim: int, eps: str, text: str) -> None:
    with pytest.raises(BadInput) as caught:
        explain(function, dim=dim, eps=eps)
    assert text in str(caught.value)
