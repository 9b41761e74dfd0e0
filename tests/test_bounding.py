"""The front door to lower bounds: which theorems answer, what is compared, and what is refused."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest

from depthsep.bounding import Answer, all_bounds, error_floor, lower_bound, parse_weight_bound
from depthsep.errors import BadInput
from depthsep.lower_bounds import LowerBound, NoBound
from depthsep_check import check

SOURCE = "sin(2*pi*d^3*r^2)/(2*pi*d^3)"


def proved(answer: Answer) -> LowerBound:
    assert isinstance(answer, LowerBound), answer
    assert answer.verdict.ok
    assert check(answer.document).ok
    return answer


def reason(answer: Answer) -> str:
    assert isinstance(answer, NoBound), answer
    return answer.reason


def reasons(answers: list[Answer]) -> dict[str, str]:
    return {answer.theorem: answer.reason for answer in answers if isinstance(answer, NoBound)}


# ------------------------------------------------------------------------------------------------------------------
# What is reached


@pytest.mark.parametrize(
    ("dim", "least"), [(5, 13.8), (10, 35.8), (20, 86.9), (50, 272.1), (100, 633.9), (1000, 9535.2)]
)
def test_widths_for_the_wave_on_spheres(dim: int, least: float) -> None:
    bound = proved(lower_bound("sin(pi*d^3*t)", domain="spheres", dim=dim, eps="0.35", weights="2^d"))
    assert least <= bound.log2_width_lower < least + 2
    assert (bound.theorem, bound.norm, bound.measure, bound.domain) == ("degrees", "L2", "uniform", "sphere-pairs")
    assert bound.path_norm_lower is not None


@pytest.mark.parametrize(("dim", "eps", "log2"), [(5, "0.5", 8.255), (5, "0.1", 10.056), (21, "0.1", 13.33)])
def test_path_norms_of_the_radial_dual(dim: int, eps: str, log2: float) -> None:
    bound = proved(lower_bound("cos(12*r)", dim=dim, eps=eps, theorem="radial-dual"))
    assert bound.path_norm_lower is not None
    assert log2 <= math.log2(bound.path_norm_lower) < log2 + 2
    assert (bound.norm, bound.measure, bound.domain, bound.width_lower) == ("sup", None, "unit-ball", 1)


def test_the_four_settings_have_their_own_norms() -> None:
    found = [
        lower_bound("cos(12*r)", dim=5, eps="0.1"),
        lower_bound("cos(12*t)", domain="spheres", dim=5, eps="0.1"),
        lower_bound("indicator(s <= 6.5)", measure="eldan-shamir", dim=10, eps="0.1"),
        lower_bound("ball(median)", measure="gaussian", dim=20, eps="0.05"),
    ]
    assert [(proved(bound).norm, bound.measure, bound.domain) for bound in found if isinstance(bound, LowerBound)] == [
        ("sup", None, "unit-ball"),
        ("L2", "uniform", "sphere-pairs"),
        ("L2", "eldan-shamir", "R^d"),
        ("mean-squared", "standard-gaussian", "all-space"),
    ]


def test_theorem_4_at_the_accuracy_of_the_source() -> None:
    answers = all_bounds(SOURCE, dim=50, eps="seed", theorem="ses4")
    bounds = [proved(answer) for answer in answers]
    assert [round(bound.log2_width_lower) for bound in bounds] == [292, 255]
    assert bounds[0].eps == bounds[1].eps
    assert [bound.weight_class for bound in bounds][1] == "entries <= 1125899906842624"
    spaced = SOURCE.replace("*", " * ")
    assert len(all_bounds(spaced, dim=50, eps="1e-9", theorem="ses4")) == 2


def test_every_theorem_on_the_ball_answers() -> None:
    answers = all_bounds("cos(12*r)", dim=6, eps="0.1")
    assert [answer.theorem for answer in answers] == ["rank", "cells", "cells", "crossings", "degrees", "radial-dual"]
    bounds = [answer for answer in answers if isinstance(answer, LowerBound)]
    strongest = proved(lower_bound("cos(12*r)", dim=6, eps="0.1"))
    assert strongest.width_lower == max(bound.width_lower for bound in bounds)
    assert strongest.theorem == "crossings"


def test_the_strongest_bound_is_about_depth_2() -> None:
    answers = all_bounds("1 - r", dim=10, eps="0.01")
    deep = [answer for answer in answers if isinstance(answer, LowerBound) and answer.depth == 3]
    assert deep
    assert proved(lower_bound("1 - r", dim=10, eps="0.01")).depth in ("any", 2)


def test_norms_are_not_compared_on_spheres() -> None:
    """The crossings bound is larger than the one by degrees, but it is about the sup norm."""
    crossings = proved(lower_bound("sin(pi*d^3*t)", domain="spheres", dim=5, eps="0.35", theorem="crossings"))
    degrees = proved(lower_bound("sin(pi*d^3*t)", domain="spheres", dim=5, eps="0.35"))
    assert (crossings.norm, degrees.norm) == ("sup", "L2")
    assert crossings.width_lower > degrees.width_lower == 1
    names = [answer.theorem for answer in all_bounds("cos(12*t)", domain="spheres", dim=5, eps="0.1")]
    assert names == ["degrees", "crossings"]


def test_a_bound_of_one_unit_is_no_bound() -> None:
    answers = all_bounds("t", domain="spheres", dim=6, eps="0.1")
    assert isinstance(answers[0], LowerBound)  # it bounds the path norm
    assert reasons(answers) == {"crossings": "it says no more than that a network has a unit"}


# ------------------------------------------------------------------------------------------------------------------
# Floors


def test_floors_fall_with_the_width_and_meet_the_bounds() -> None:
    floors = [proved(error_floor("ball(median)", dim=20, width=width, measure="gaussian")) for width in (100, 400)]
    least, most = (bound.error_floor for bound in reversed(floors))
    assert least is not None
    assert most is not None
    assert 0 < least < most < Fraction(1, 4)
    back = proved(lower_bound("ball(median)", dim=20, eps=least, measure="gaussian"))
    assert back.width_lower >= 400


def test_a_floor_of_the_tubes() -> None:
    bound = proved(error_floor("indicator(s <= 3.5)", dim=5, width=5, measure="eldan-shamir"))
    assert bound.error_floor is not None
    assert 0.0756 <= float(bound.error_floor) ** 2 < 0.08
    assert (bound.width_lower, bound.eps) == (6, bound.error_floor)


@pytest.mark.parametrize("measure", ["lebesgue", "", None])
def test_a_floor_needs_a_measure(measure: Any) -> None:
    with pytest.raises(BadInput, match="needed: one of eldan-shamir, gaussian"):
        error_floor("cos(3*s)", dim=5, width=5, measure=measure)


def test_a_floor_of_the_wrong_formula() -> None:
    with pytest.raises(BadInput, match="found:  r, which means nothing for the measure eldan-shamir"):
        error_floor("cos(3*r)", dim=5, width=5, measure="eldan-shamir")


# ------------------------------------------------------------------------------------------------------------------
# Nothing to prove


@pytest.mark.parametrize(
    ("function", "setting", "text"),
    [
        ("cos(3*s)", {"measure": "eldan-shamir"}, "is not below the norm of the function"),
        ("ball(median)", {"measure": "gaussian"}, "a constant has the mean squared error 0.25"),
        ("sin(pi*d^3*t)", {"domain": "spheres"}, "it is trivially approximated by a constant"),
        ("1 - r", {"theorem": "degrees"}, "it is trivially approximated by a constant"),
        ("1 - r", {"theorem": "crossings"}, "a constant is as good"),
        ("1 - r", {"theorem": "rank"}, "varies by 1 on the ball, not by more than 2 eps = 8/5"),
        ("1 - r", {"theorem": "radial-dual"}, "a constant may be as good"),
    ],
)
def test_an_accuracy_that_a_constant_has(function: str, setting: dict[str, str], text: str) -> None:
    assert text in reason(lower_bound(function, dim=10, eps="0.8", **setting))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("function", "setting"),
    [("cos(12*r)", {"domain": "ball"}), ("cos(12*t)", {"domain": "spheres"})],
)
def test_two_dimensions_where_a_theorem_needs_three(function: str, setting: dict[str, str]) -> None:
    answers = all_bounds(function, dim=2, eps="0.1", **setting)  # type: ignore[arg-type]
    found = reasons(answers)
    spectral = {name: found[name] for name in ("degrees", "radial-dual") if name in found}
    assert set(spectral.values()) == {"it needs dim >= 3, not 2"}
    assert [proved(answer).theorem for answer in answers if isinstance(answer, LowerBound)][-1] == "crossings"


@pytest.mark.parametrize(
    ("function", "dim", "setting", "text"),
    [
        ("cos(12*r)", 0, {}, "a dimension of at least 1"),
        ("cos(12*t)", 1, {"domain": "spheres", "theorem": "crossings"}, "needed: dim >= 2"),
        ("cos(3*s)", 1, {"measure": "eldan-shamir"}, "needed: a dimension from 2 to 4096"),
        ("ball(median)", 1, {"measure": "gaussian"}, "needed: 2 <= dim <= 10000"),
        (SOURCE, 2, {"theorem": "ses4"}, "needed: a dimension from 3 to 1290"),
    ],
)
def test_dimensions_that_a_setting_does_not_have(function: str, dim: int, setting: dict[str, str], text: str) -> None:
    with pytest.raises(BadInput, match=text):
        all_bounds(function, dim=dim, eps="0.1", **setting)  # type: ignore[arg-type]


def test_an_even_dimension_is_proved_in_the_odd_one_below() -> None:
    even = proved(lower_bound("cos(12*r)", dim=6, eps="0.1", theorem="radial-dual"))
    odd = proved(lower_bound("cos(12*r)", dim=5, eps="0.1", theorem="radial-dual"))
    assert even.path_norm_lower == odd.path_norm_lower
    assert "in dimension 5" in even.hypotheses[-1]


# ------------------------------------------------------------------------------------------------------------------
# Activations and weights


def test_a_step_is_outside_three_theorems() -> None:
    answers = all_bounds("cos(12*r)", dim=6, eps="0.1", activation="step")
    assert [answer.theorem for answer in answers if isinstance(answer, LowerBound)] == ["rank", "degrees"]
    found = reasons(answers)
    assert found["cells"] == "it is about a first layer of relu units, not of step"
    assert found["crossings"].endswith("(relu, leaky-relu, abs, hard-tanh), not step")
    assert found["radial-dual"].endswith("(relu, leaky-relu, softplus, gelu, silu, abs), not step")


def test_an_unknown_activation_leaves_the_theorems_about_any() -> None:
    answers = all_bounds("cos(12*r)", dim=6, eps="0.1", activation="swish")
    assert [answer.theorem for answer in answers if isinstance(answer, LowerBound)] == ["rank"]
    needed = (
        "the variation of swish is not known here; needed is one of relu, leaky-relu, softplus, gelu, silu, sigmoid"
    )
    assert reasons(answers)["degrees"].startswith(needed)
    on_spheres = lower_bound("cos(12*t)", domain="spheres", dim=6, eps="0.1", activation="swish")
    assert reason(on_spheres).startswith(needed)


def test_the_catalogue_of_activations_is_known() -> None:
    softplus, gelu = (
        proved(lower_bound("cos(12*r)", dim=5, eps="0.1", activation=name, theorem="degrees")).path_norm_lower
        for name in ("softplus", "gelu")
    )
    assert gelu is not None
    assert softplus is not None
    assert gelu < softplus  # the variation of its derivative is 1.516 instead of 1


def test_an_activation_of_more_pieces_halves_the_crossings() -> None:
    relu, hard = (
        proved(lower_bound("cos(40*r)", dim=6, eps="0.1", activation=name, theorem="crossings"))
        for name in ("relu", "hard-tanh")
    )
    assert hard.width_lower == -(-relu.width_lower // 2)


def test_the_radial_dual_halves_for_the_absolute_value() -> None:
    relu, absolute = (
        proved(lower_bound("cos(12*r)", dim=5, eps="0.1", activation=name, theorem="radial-dual")).path_norm_lower
        for name in ("relu", "abs")
    )
    assert relu is not None
    assert absolute is not None
    assert float(absolute) == pytest.approx(float(relu) / 2, rel=1e-6)


@pytest.mark.parametrize(
    ("written", "dim", "value"),
    [
        ("2^d", 10, Fraction(1024)),
        ("2^d", 1000, Fraction(2**1000)),
        (" 3 ^ 4 ", 7, Fraction(81)),
        ("64", 3, Fraction(64)),
        ("d^2/3", 5, Fraction(25, 3)),
        (7, 3, Fraction(7)),
        (Fraction(1, 2), 3, Fraction(1, 2)),
        (None, 3, None),
    ],
)
def test_bounds_of_the_weights(written: str | int | Fraction | None, dim: int, value: Fraction | None) -> None:
    assert parse_weight_bound(written, dim) == value


@pytest.mark.parametrize(
    ("written", "dim", "text"),
    [
        ("0", 3, "needed: a positive rational number, such as 2\\^d or 64"),
        ("-2", 3, "needed: a positive rational number"),
        ("2^sqrt(d)", 5, "the exponent must be an integer"),
        ("pi", 3, "needed: a positive rational number"),
        ("2^d", 5000, "needed: at most 390 digits"),
        ("2^r", 3, "cannot read the expression"),
    ],
)
def test_bounds_of_the_weights_that_are_none(written: str, dim: int, text: str) -> None:
    with pytest.raises(BadInput, match=text):
        parse_weight_bound(written, dim)


# ------------------------------------------------------------------------------------------------------------------
# Requests that make no sense


@pytest.mark.parametrize(
    ("function", "setting", "found", "do"),
    [
        ("cos(r)", {"domain": "spheres"}, "r, which means nothing for pairs", "r is the norm of x on the unit ball"),
        ("cos(s)", {"domain": "spheres"}, "s, which means nothing for pairs", 'the measure "eldan-shamir"'),
        ("cos(t)", {}, "t, which means nothing for the sup norm", 'on the domain "spheres"'),
        ("indicator(s <= 22)", {}, "s, which means nothing for the sup norm", 'the measure "eldan-shamir"'),
        ("r + t", {}, "t, which means nothing for the sup norm", 'on the domain "spheres"'),
        ("ball(median)", {}, "median, which means nothing for the sup norm", 'goes with the measure "gaussian"'),
        ("cos(r)", {"measure": "eldan-shamir"}, "r, which means nothing for the measure", "r is the norm of x"),
        ("cos(r)", {"measure": "gaussian"}, "r, which means nothing for the measure gaussian", "r is the norm of x"),
    ],
)
def test_the_variable_of_another_setting(function: str, setting: dict[str, str], found: str, do: str) -> None:
    with pytest.raises(BadInput) as caught:
        all_bounds(function, dim=6, eps="0.1", **setting)  # type: ignore[arg-type]
    lines = str(caught.value).splitlines()
    assert lines[0] == function
    assert lines[1].startswith(f"  found:  {found}")
    assert do in lines[3]


@pytest.mark.parametrize("setting", [{"domain": "spheres"}, {"measure": "eldan-shamir"}])
def test_a_ball_where_it_means_nothing(setting: dict[str, str]) -> None:
    with pytest.raises(BadInput, match=r"found:  a ball, which means nothing for .*\n  needed: a formula in [ts], or"):
        all_bounds("ball(1/2, 1/10)", dim=6, eps="0.1", **setting)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"theorem": "tubes"}, "needed: one of rank, cells, crossings, degrees, radial-dual, ses4"),
        ({"theorem": "zzz"}, "the theorem 'zzz' for the sup norm on the unit ball"),
        ({"domain": "spheres", "theorem": "ses4"}, "needed: one of degrees, crossings"),
        ({"measure": "gaussian", "theorem": "degrees"}, "needed: gaussian-floor"),
        ({"measure": "eldan-shamir", "theorem": "rank"}, "needed: tubes"),
        ({"measure": "lebesgue"}, "needed: one of eldan-shamir, gaussian"),
        ({"domain": "torus"}, "needed: one of ball, spheres"),
        ({"measure": "gaussian", "domain": "spheres"}, "a measure brings its own domain"),
        ({"eps": "seed"}, 'needed: the theorem "ses4", whose source states an accuracy'),
        ({"eps": "seed", "theorem": "rank"}, 'needed: the theorem "ses4"'),
        ({"eps": "seed", "theorem": "ses4"}, "needed: its own function, sin"),
        ({"eps": 0.1}, "needed: an exact number"),
        ({"eps": "0"}, "needed: an accuracy above 0"),
    ],
)
def test_requests_that_make_no_sense(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(BadInput, match=text):
        all_bounds("cos(12*r)", **{"dim": 6, "eps": "0.1", **arguments})


@pytest.mark.parametrize(
    ("function", "text"),
    [
        ("1/r", "no value at r = 0: division by 0"),
        ("log(r)", "no value at r = 0"),
        ("indicator(r <= 1/2)", "a step is not continuous: use ball"),
        ("ball(1/2)", "a ball without a margin"),
    ],
)
def test_profiles_that_the_sup_norm_does_not_take(function: str, text: str) -> None:
    with pytest.raises(BadInput, match=text):
        all_bounds(function, dim=6, eps="0.1")


def test_profiles_that_are_not_square_integrable() -> None:
    answer = lower_bound("1/s^3", dim=3, eps="0.1", measure="eldan-shamir")
    assert reason(answer) == "'1/s^3' is not certainly bounded on [0, 9/2]"
    pole = lower_bound("1/t", dim=6, eps="0.1", domain="spheres")
    assert "not certainly defined and bounded near t = 0" in reason(pole)


def test_a_step_on_spheres_is_for_l2_only() -> None:
    answers = all_bounds("indicator(t >= 1/2)", dim=6, eps="0.1", domain="spheres")
    assert proved(answers[0]).theorem == "degrees"
    assert reasons(answers) == {"crossings": "a step is not continuous: no network is near it in the sup norm"}


def test_a_ball_indicator_leaves_the_rank() -> None:
    answers = all_bounds("ball(1/2, 1/10)", dim=6, eps="0.1")
    assert [proved(answer).theorem for answer in answers if isinstance(answer, LowerBound)] == ["rank"]
    assert set(reasons(answers)) == {"cells", "crossings", "degrees", "radial-dual"}
