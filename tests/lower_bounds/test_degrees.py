"""The degrees bound as users get it: the numbers to reach, the classes, and a reason or an error if there is none."""

import json
import math
from fractions import Fraction
from typing import Any

import pytest

from depthsep.errors import BadInput
from depthsep.lower_bounds.bound import LowerBound, NoBound
from depthsep.lower_bounds.degrees import Breaks, degrees_bound
from depthsep_check import Status, check

SINE = "sin(pi*d^3*t)"
EPS = Fraction(35, 100)


def bounded(*args: Any, **options: Any) -> LowerBound:
    result = degrees_bound(*args, **options)
    assert isinstance(result, LowerBound), result
    return result


def refused(*args: Any, **options: Any) -> str:
    result = degrees_bound(*args, **options)
    assert isinstance(result, NoBound), result
    assert result.theorem == "degrees"
    return result.reason


@pytest.mark.parametrize(
    ("dim", "least"), [(5, 13.8), (10, 35.8), (20, 86.9), (50, 272.1), (100, 633.9), (1000, 9535.2)]
)
def test_the_closed_form_reaches_the_table(dim: int, least: float) -> None:
    result = bounded(SINE, dim, EPS, 2**dim, method="closed")
    assert least <= result.log2_width_lower < least + 0.3
    assert result.verdict.status is Status.VERIFIED
    assert check(result.document).ok


@pytest.mark.parametrize(("dim", "least"), [(3, 7.6), (4, 11.5), (5, 15.5)])
def test_a_list_of_degrees_is_sharper_by_a_bit_or_two(dim: int, least: float) -> None:
    single = bounded(SINE, dim, EPS, 2**dim)
    assert single.log2_width_lower >= least
    assert single.width_lower > bounded(SINE, dim, EPS, 2**dim, method="closed").width_lower
    assert json.loads(single.document)["witness"]["kind"] == "listed"


@pytest.mark.parametrize(
    ("activation", "dim", "least"),
    [("lipschitz", 10, 26.3), ("lipschitz", 50, 257.8), ("step", 10, 35.8), ("step", 50, 306.3)],
)
def test_other_classes_reach_the_table(activation: str, dim: int, least: float) -> None:
    result = bounded(SINE, dim, EPS, 2**dim, activation, method="closed")
    assert least <= result.log2_width_lower < least + 0.3


@pytest.mark.parametrize(
    ("text", "dim", "eps", "least"),
    [
        ("sqrt(d)*abs(t)", 5, Fraction(1, 10), 4.4),
        ("sqrt(d)*abs(t)", 50, Fraction(1, 10), 14.3),
        ("indicator(t >= 1/sqrt(d))", 10, Fraction(1, 10), 12.9),
        ("indicator(t < 1/sqrt(d))", 10, Fraction(1, 10), 12.9),
        ("indicator(t >= 1/sqrt(d))", 50, Fraction(1, 10), 38.7),
        ("abs(abs(2*abs(t) - 1) - 1/2)", 10, Fraction(1, 10), 9.1),
        ("exp(-9*t^2)", 5, Fraction(1, 50), 6.1),
        ("sin(300*t + 1)", 10, Fraction(1, 3), 38.1),
        ("t", 10, Fraction(1, 100), 1.99),
    ],
)
def test_other_functions_with_weights_up_to_one(text: str, dim: int, eps: Fraction, least: float) -> None:
    result = bounded(text, dim, eps, 1)
    assert least <= result.log2_width_lower < least + 1.5


def test_a_step_by_its_breaks_is_the_same_document_as_its_indicator() -> None:
    step = Breaks(jumps=(("1/sqrt(d)", "1"),))
    bounds = [bounded(f, 6, Fraction(1, 5), 1) for f in (step, "indicator(t >= 1/sqrt(d))")]
    assert bounds[0].document == bounds[1].document


def test_kinks_by_breaks_agree_with_the_formula() -> None:
    breaks = Breaks(kinks=(("1/3", "2"),))
    both = [bounded(f, 6, Fraction(1, 20)).path_norm_lower for f in (breaks, "abs(t - 1/3)")]
    assert both[0] == both[1]


def test_the_bound_says_what_it_is_about() -> None:
    result = bounded(SINE, 20, EPS, 2**20, method="closed")
    assert (result.norm, result.measure, result.domain, result.depth) == ("L2", "uniform", "sphere-pairs", 2)
    assert result.activation_class == "relu (derivative of total variation <= 1)"
    assert result.weight_class == "entries <= 1048576"
    assert result.hypotheses[1] == "free: the biases, any function of x and any function of x'"
    assert result.hypotheses[3].startswith("used: the coefficients of degree ")
    norm = result.path_norm_lower
    assert norm is not None
    units = norm / 2**40
    assert (result.width_lower - 1) ** 2 * 20 <= units**2 < result.width_lower**2 * 20 * Fraction(1001, 1000)


def test_weights_are_of_three_kinds() -> None:
    entries = bounded(SINE, 10, EPS, 4, method="closed")
    product = bounded(SINE, 10, EPS, 4, weights="product", method="closed")
    free = bounded(SINE, 10, EPS, method="closed")
    step = bounded(SINE, 10, EPS, 4, "step", method="closed")
    assert product.width_lower / entries.width_lower == pytest.approx(4 * math.sqrt(10), rel=1e-6)
    assert free.path_norm_lower == entries.path_norm_lower == product.path_norm_lower
    assert free.width_lower == 1
    assert json.loads(free.document)["claim"]["width"] is None
    assert free.weight_class == "any (the bound is on the path norm)"
    assert step.weight_class == "outer weights <= 4, inner weights any"
    assert step.path_norm_lower is not None
    assert step.width_lower == math.floor(step.path_norm_lower / 4) + 1


def test_the_class_of_a_smooth_activation_is_given_by_its_constant() -> None:
    relu = bounded(SINE, 10, EPS, method="closed").path_norm_lower
    other = bounded(SINE, 10, EPS, None, "derivative-variation", activation_constant=Fraction(3, 2), method="closed")
    assert relu is not None
    assert other.path_norm_lower is not None
    assert float(relu / other.path_norm_lower) == pytest.approx(1.5)
    assert other.activation_class == "derivative of total variation <= 3/2"


def test_the_sup_norm_on_the_ball() -> None:
    result = bounded("cos(12*r)", 21, Fraction(1, 10), domain="ball")
    assert (result.norm, result.measure, result.domain) == ("sup", None, "unit-ball")
    assert result.path_norm_lower is not None
    assert 740 < result.path_norm_lower < 760
    assert "sup norm on the unit ball of R^21" in result.verdict.text


def test_twice_the_path_norm_on_the_ball() -> None:
    """phi(r) = sin(300 r^2) is sin(150 t + 150) on pairs."""
    on_ball = bounded("sin(300*r^2)", 8, Fraction(1, 4), domain="ball", method="closed").path_norm_lower
    on_pairs = bounded("sin(150*t + 150)", 8, Fraction(1, 4), method="closed").path_norm_lower
    assert on_ball is not None
    assert on_pairs is not None
    assert float(on_ball / on_pairs) == pytest.approx(2)


def test_trivial_accuracies_are_named() -> None:
    assert refused(SINE, 20, Fraction(3, 4), 2**20) == (
        "eps = 3/4 is not below the L2 distance of the function from its mean, about 0.709: "
        "it is trivially approximated by a constant"
    )
    assert "trivially approximated by a constant" in refused("indicator(t >= 0)", 6, Fraction(1, 2), 1)
    assert "trivially approximated by a constant" in refused("max(0, 1/2 - r)", 50, Fraction(1, 10), domain="ball")
    assert "trivially approximated by a constant" in refused("3", 6, Fraction(1, 2))


def test_other_reasons_for_no_bound() -> None:
    assert "not certainly defined and bounded near t = " in refused("log(1 - t)", 10, EPS)
    assert refused("t^2 - t", 10, Fraction(1, 100), method="closed") == (
        "degrees: the tail argument is about a sin(omega t + phase) + b, plus a linear part"
    )
    assert "carry an L2 norm of about 0.253" in refused("sin(300*t^2)", 5, Fraction(6, 10))
    assert "from 393 on is not certainly above eps" in refused(SINE, 5, EPS, first_degree=393)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dim": 2}, "dimension 3 at least"),
        ({"dim": 10**7}, "a dimension of at most"),
        ({"eps": Fraction(0)}, "a positive accuracy"),
        ({"weight_bound": 0}, "a positive bound, or none"),
        ({"weight_bound": 2**1300}, "a number of more than 390 digits"),
        ({"activation": "swish"}, "its total variation is not known here"),
        ({"activation": "lipschitz", "activation_constant": Fraction(0)}, "a positive constant"),
        ({"weights": "rows"}, '"entries" or "product"'),
        ({"domain": "cube"}, '"spheres" or "ball"'),
        ({"method": "best"}, '"auto" or "closed" or "listed"'),
        ({"first_degree": 4}, "all coefficients of even degree are 0"),
        ({"profile": "cos(300*t)", "first_degree": 5}, "an even degree"),
        ({"profile": "sin(3t)"}, "write 3*t"),
        ({"profile": "sin(3*r)"}, "t"),
        ({"profile": Breaks()}, "an affine function costs nothing"),
        ({"profile": Breaks(jumps=(("t", "1"),))}, "constants, such as 1/2"),
        ({"profile": "indicator(t >= 1/2)", "domain": "ball"}, "a continuous formula in r"),
    ],
)
def test_bad_input_is_named(options: dict[str, Any], words: str) -> None:
    request = {"profile": SINE, "dim": 20, "eps": EPS, **options}
    with pytest.raises(BadInput) as error:
        degrees_bound(**request)
    assert words in str(error.value)


def test_a_given_first_degree_is_used() -> None:
    result = bounded(SINE, 5, EPS, 32, first_degree=287)
    assert json.loads(result.document)["witness"] == {"kind": "tail", "from": 287}
