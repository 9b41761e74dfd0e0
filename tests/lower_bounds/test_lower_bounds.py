"""Lower bounds as users get them: the table of the notes, the class travels along, and a reason when there is none."""

import json
import math
from fractions import Fraction

import pytest

from depthsep.errors import BadInput, NotProved
from depthsep.functions import BallIndicator, Radial, parse_function
from depthsep.lower_bounds import LowerBound, NoBound, bound, cells_bound, rank_bound
from depthsep_check import Status, check

CONE = "1 - r"


def bounded(result: LowerBound | NoBound) -> LowerBound:
    assert isinstance(result, LowerBound), result
    return result


@pytest.mark.parametrize("text", [CONE, "abs(r - 1/2)", "exp(-r^2)", "sin(3*r)/3", "ball(1/2, 0.05)"])
def test_the_rank_bound_is_the_dimension(text: str) -> None:
    result = bounded(rank_bound(parse_function(text, 12), 12, Fraction(1, 20)))
    assert result.width_lower == result.dim == 12
    assert (result.depth, result.activation_class, result.second_layer_width) == ("any", "any", None)
    assert check(result.document).ok


@pytest.mark.parametrize(
    ("text", "eps", "reason"),
    [
        (
            CONE,
            Fraction(1, 2),
            "the function varies by 1 on the ball, not by more than 2 eps = 1: a constant may be as good",
        ),
        (
            "1/7",
            Fraction(1, 100),
            "the function varies by 0 on the ball, not by more than 2 eps = 1/50: a constant may be as good",
        ),
        (
            "exp(-r^2)",
            Fraction(1, 2),
            "the function varies by about 0.632121 on the ball, not by more than 2 eps = 1: a constant may be as good",
        ),
        (
            "ball(1/2, 0.05)",
            Fraction(1, 2),
            "the function varies by 1 on the ball, not by more than 2 eps = 1: a constant may be as good",
        ),
    ],
)
def test_no_rank_bound_for_a_function_that_hardly_varies(text: str, eps: Fraction, reason: str) -> None:
    assert rank_bound(parse_function(text, 5), 5, eps) == NoBound("rank", reason)


@pytest.mark.parametrize(
    ("dim", "eps", "width"),
    [(10, "1/100", 21), (50, "1/100", 115), (100, "1/100", 234), (100, "1/1000", 621), (1000, "1/100", 2367)],
)
def test_the_cells_bound_of_the_cone(dim: int, eps: str, width: int) -> None:
    result = bounded(cells_bound(Radial(CONE, dim), dim, Fraction(eps), depth=3))
    assert result.width_lower == width
    assert result.verdict.status is Status.VERIFIED
    obj = json.loads(result.document)
    assert (obj["claim"]["width"], obj["claim"]["eps"]) == (width, eps)


def test_the_cells_bound_with_several_units_in_the_second_layer() -> None:
    result = bounded(cells_bound(Radial(CONE, 100), 100, Fraction(1, 100), depth=3, second_layer_width=9))
    assert result.width_lower == 193
    assert result.second_layer_width == 9
    assert "at most 9 units (or 9 directions) in the second layer" in result.verdict.text


@pytest.mark.parametrize(
    ("text", "dim", "eps", "known"),
    [(CONE, 2, "1/10", 4), (CONE, 2, "3/100", 8), (CONE, 3, "1/10", 16), ("exp(-r^2)", 100, "1/20", 1600)],
)
def test_no_bound_contradicts_a_network_that_exists(text: str, dim: int, eps: str, known: int) -> None:
    """`known` neurons at depth 2 are enough, by networks whose proofs were replayed."""
    result = cells_bound(Radial(text, dim), dim, Fraction(eps), depth=2)
    width = result.width_lower if isinstance(result, LowerBound) else dim
    assert dim <= width <= known


def test_depth_two_is_the_case_of_one_direction() -> None:
    two, three = (bounded(cells_bound(Radial(CONE, 10), 10, Fraction(1, 100), depth=depth)) for depth in (2, 3))
    assert two.width_lower == three.width_lower
    assert (two.depth, three.depth) == (2, 3)
    assert two.hypotheses != three.hypotheses


def test_the_class_travels_with_the_bound() -> None:
    result = bounded(cells_bound(Radial(CONE, 10), 10, Fraction(1, 100), depth=3))
    assert (result.theorem, result.norm, result.measure, result.domain) == ("cells", "sup", None, "unit-ball")
    assert (result.activation_class, result.weight_class) == ("relu", "any")
    assert result.eps == Fraction(1, 100)
    assert any("ReLU" in text for text in result.hypotheses)
    assert any("0.039639" in text and "2 eps = 1/50" in text for text in result.hypotheses)


def test_log2_is_rounded_down() -> None:
    result = bounded(cells_bound(Radial(CONE, 10), 10, Fraction(1, 100), depth=3))
    assert result.log2_width_lower < math.log2(21) < result.log2_width_lower + 1e-12
    assert bounded(rank_bound(Radial(CONE, 1), 1, Fraction(1, 10))).log2_width_lower == 0.0


@pytest.mark.parametrize(
    ("function", "eps", "depth", "k", "reason"),
    [
        (Radial(CONE, 10), "1/100", 3, 10, "it needs a second layer of fewer than dim = 10 units, not 10"),
        (Radial(CONE, 1), "1/100", 2, 1, "it needs dim > 1"),
        (Radial(CONE, 10), "1/5", 3, 1, "at depth 3 it gives a width of at least 2, no more than the rank bound can"),
        (Radial("1", 10), "1/5", 3, 1, "at depth 3 it gives a width of at least 0, no more than the rank bound can"),
        (
            BallIndicator(Fraction(1, 2), Fraction(1, 4), 10),
            "1/5",
            3,
            1,
            "the argument needs a profile that varies everywhere; a ball indicator is constant",
        ),
    ],
)
def test_reasons_for_no_cells_bound(
    function: Radial | BallIndicator, eps: str, depth: int, k: int, reason: str
) -> None:
    assert cells_bound(function, function.dim, Fraction(eps), depth, k) == NoBound("cells", reason)


@pytest.mark.parametrize(("depth", "k"), [(1, 1), (4, 1), (2, 2), (3, 0)])
def test_classes_that_the_cells_bound_does_not_know(depth: int, k: int) -> None:
    with pytest.raises(BadInput, match="depth 3 with at least one unit"):
        cells_bound(Radial(CONE, 10), 10, Fraction(1, 100), depth, k)


@pytest.mark.parametrize("eps", [Fraction(0), Fraction(-1, 10)])
def test_eps_must_be_positive(eps: Fraction) -> None:
    for prove in (lambda: rank_bound(Radial(CONE, 3), 3, eps), lambda: cells_bound(Radial(CONE, 3), 3, eps, 2)):
        with pytest.raises(BadInput, match=f"eps = {eps}\n  needed: a positive accuracy"):
            prove()


def test_the_dimension_must_be_the_functions() -> None:
    with pytest.raises(BadInput, match="a function made for dimension 3"):
        rank_bound(Radial(CONE, 3), 4, Fraction(1, 10))


def test_a_bound_that_the_checker_does_not_accept_is_not_given() -> None:
    classes = {"depth": "any", "activation_class": "any", "second_layer_width": None}
    witness = {"kind": "oscillation", "points": ["0", "0"]}
    with pytest.raises(NotProved, match="REFUTED oscillation") as caught:
        bound.proved_bound("rank", Radial(CONE, 3), Fraction(1, 10), classes, 3, witness, ())
    assert caught.value.needed == "the verdict VERIFIED"
