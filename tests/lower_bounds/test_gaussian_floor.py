"""The Gaussian floor as users get it: the table of the notes, what it never contradicts, and every refusal."""

import itertools
import json
from fractions import Fraction

import pytest

from depthsep.errors import BadInput
from depthsep.lower_bounds.bound import LowerBound, NoBound
from depthsep.lower_bounds.gaussian_floor import gaussian_floor, gaussian_width
from depthsep_check import check

MEDIAN = "ball(median)"

# Rows d, columns w = d, 5d, 20d, 100d. First what 120 Hermite degrees alone give, then what is proved with the rest.
TABLE = {
    5: ((0.05837, 0.02800, 0.01445, 0.00551), (0.0701, 0.0397, 0.0261, 0.0165)),
    10: ((0.06547, 0.04352, 0.03190, 0.02247), (0.0771, 0.0551, 0.0435, 0.0341)),
    20: ((0.06708, 0.05799, 0.04407, 0.03510), (0.0786, 0.0695, 0.0556, 0.0466)),
    50: ((0.06564, 0.06305, 0.05332, 0.04788), (0.0771, 0.0745, 0.0648, 0.0594)),
    100: ((0.06386, 0.06294, 0.05949, 0.05212), (0.0753, 0.0744, 0.0710, 0.0636)),
}

# Mean squared errors that some network with one hidden layer was found to have, or that the best quadratic has.
REACHED = {(5, 100): 0.037, (10, 200): 0.059, (20, 400): 0.071, (50, 50): 0.0982}


def proved(result: LowerBound | NoBound) -> LowerBound:
    assert isinstance(result, LowerBound), result
    return result


def floor_of(result: LowerBound) -> Fraction:
    assert result.error_floor is not None
    return result.error_floor


@pytest.mark.parametrize("dim", TABLE)
def test_the_table(dim: int) -> None:
    for factor, listed, reached in zip((1, 5, 20, 100), *TABLE[dim], strict=True):
        floor = floor_of(proved(gaussian_floor(MEDIAN, dim, factor * dim)))
        assert listed <= reached <= floor < Fraction(reached) + Fraction(1, 5000)


@pytest.mark.parametrize(("dim", "width"), REACHED)
def test_no_floor_is_above_an_error_that_was_reached(dim: int, width: int) -> None:
    assert 0 < floor_of(proved(gaussian_floor(MEDIAN, dim, width))) < REACHED[dim, width]


def test_the_class_travels_with_the_bound() -> None:
    result = proved(gaussian_floor(MEDIAN, 20, 400))
    assert (result.theorem, result.norm, result.measure) == ("gaussian-floor", "mean-squared", "standard-gaussian")
    assert (result.depth, result.activation_class, result.weight_class) == (2, "any", "any")
    assert (result.width_lower, result.eps) == (401, result.error_floor)
    assert any("no factor 1/2, no root" in text for text in result.hypotheses)
    assert check(result.document).ok


def test_a_radius_is_exact() -> None:
    result = proved(gaussian_floor("ball(4.5)", 20, 400))
    assert json.loads(result.document)["function"] == {"kind": "ball", "radius": "9/2"}
    assert json.loads(result.document)["witness"]["half_square"] is None
    assert result == proved(gaussian_floor(" ball( 9/2 ) ", 20, 400))


def test_floors_fall_with_the_width() -> None:
    floors = [floor_of(proved(gaussian_floor(MEDIAN, 10, width))) for width in (0, 1, 9, 10, 60, 1000, 10**5)]
    assert all(later < earlier for earlier, later in itertools.pairwise(floors))
    assert Fraction(249999, 10**6) < floors[0] < Fraction(1, 4)


def test_widths_are_the_other_way_round() -> None:
    result = proved(gaussian_width(MEDIAN, 20, Fraction(1, 20)))
    assert result.error_floor == Fraction(1, 20)
    assert floor_of(proved(gaussian_floor(MEDIAN, 20, result.width_lower - 1))) > Fraction(1, 20)
    assert floor_of(proved(gaussian_floor(MEDIAN, 20, result.width_lower))) <= Fraction(1, 20)
    assert check(result.document).ok


def test_a_constant_is_good_enough() -> None:
    reason = "a constant has the mean squared error 0.25, no more than 1/4"
    assert gaussian_width(MEDIAN, 20, Fraction(1, 4)) == NoBound("gaussian-floor", reason)
    away = gaussian_width("ball(1)", 20, Fraction(1, 100))
    assert isinstance(away, NoBound)
    assert away.reason.endswith("no more than 1/100")


def test_no_floor_worth_printing() -> None:
    reason = "with 1000000 units the floor is below 1e-12 in dimension 2"
    assert gaussian_floor(MEDIAN, 2, 10**6) == NoBound("gaussian-floor", reason)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("1 - r", 'needed: "ball\\(median\\)" or "ball\\(R\\)"'),
        ("ball(sqrt(2))", "the radius sqrt\\(2\\)\n  needed: a rational radius between 0 and"),
        ("ball(0)", "needed: a rational radius between 0 and"),
        ("ball(1/0)", "needed: a rational radius, or the word median"),
        ("ball(mean)", "needed: a rational radius, or the word median"),
        ("ball(1/2, 1/20)", "needed: a rational radius, or the word median"),
    ],
)
def test_functions_that_are_no_balls(function: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        gaussian_floor(function, 20, 10)


def test_bad_numbers() -> None:
    with pytest.raises(BadInput, match="the Gaussian floor in dimension 1\n  needed: 2 <= dim"):
        gaussian_floor(MEDIAN, 1, 10)
    with pytest.raises(BadInput, match="width = -1\n  needed: a number of units"):
        gaussian_floor(MEDIAN, 20, -1)
    with pytest.raises(BadInput, match="a mean squared error of 0\n  needed: a positive accuracy"):
        gaussian_width(MEDIAN, 20, Fraction(0))


def test_a_width_beyond_what_a_document_names_is_cut_off() -> None:
    bound = gaussian_width("ball(median)", 30, Fraction(1, 1000))
    assert isinstance(bound, LowerBound)
    assert bound.verdict.ok
    assert bound.width_lower == 10**18 + 1
