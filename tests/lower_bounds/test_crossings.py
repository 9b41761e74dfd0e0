"""The crossings bound as users get it: the waves of the notes, bends, depths, activations, and every refusal."""

import json
from fractions import Fraction

import pytest

from depthsep.errors import BadInput
from depthsep.lower_bounds.bound import LowerBound, NoBound
from depthsep.lower_bounds.crossings import crossings_bound
from depthsep_check import check

HALF = Fraction(1, 2)


def proved(result: LowerBound | NoBound) -> LowerBound:
    assert isinstance(result, LowerBound), result
    return result


@pytest.mark.parametrize("dim", [3, 5, 10])
def test_the_radial_wave(dim: int) -> None:
    """sin(2 pi d^3 r^2) needs 4 d^3 - 2 pieces on a diameter."""
    result = proved(crossings_bound("sin(2*pi*d^3*r^2)", dim, HALF))
    assert json.loads(result.document)["claim"]["product"] == 4 * dim**3 - 2
    assert result.width_lower == 4 * dim**3 - 3
    assert check(result.document).ok


@pytest.mark.parametrize("dim", [2, 3, 5, 20])
def test_the_wave_of_an_inner_product(dim: int) -> None:
    """sin(pi d^3 t) has 2 d^3 extreme values in [-1, 1], passed four times on the circle."""
    result = proved(crossings_bound("sin(pi*d^3*t)", dim, Fraction(35, 100), domain="spheres"))
    assert result.width_lower == 2 * dim**3 - 1
    assert result.domain == "spheres"


def test_depth_lowers_the_widest_layer() -> None:
    widths = [proved(crossings_bound("sin(2*pi*d^3*r^2)", 5, HALF, depth=depth)).width_lower for depth in (2, 3, 4, 6)]
    assert widths == [497, 22, 7, 3]  # (w + 1)^(depth - 1) >= 498
    widths = [proved(crossings_bound("sin(pi*d^3*t)", 5, HALF, depth, "spheres")).width_lower for depth in (2, 3, 4)]
    assert widths == [249, 11, 4]  # w (2 w + 1)^(depth - 2) >= 249


def test_more_pieces_per_activation_lower_it_too() -> None:
    assert proved(crossings_bound("sin(2*pi*d^3*r^2)", 5, HALF, activation_pieces=4)).width_lower == 166
    assert proved(crossings_bound("sin(pi*d^3*t)", 5, HALF, 2, "spheres", 3)).width_lower == 125


def test_the_wave_is_seen_although_a_dyadic_grid_hides_it() -> None:
    """sin(2^13 pi t) vanishes at every point of a grid of 2^13 steps."""
    assert proved(crossings_bound("sin(8192*pi*t)", 3, HALF, domain="spheres")).width_lower == 2**14 - 1


@pytest.mark.parametrize(("text", "eps", "width"), [("r^2", "1/1000", 22), ("abs(r - 1/2)", "1/100", 3)])
def test_bends(text: str, eps: str, width: int) -> None:
    """r^2 within eps needs pieces no longer than sqrt(8 eps); abs(r - 1/2) has three kinks on a diameter."""
    assert proved(crossings_bound(text, 4, Fraction(eps))).width_lower == width


def test_the_better_witness_is_taken() -> None:
    for text, eps, kind in (("r^2", "1/100", "bends"), ("cos(30*r)", "9/10", "alternation")):
        result = proved(crossings_bound(text, 4, Fraction(eps)))
        assert json.loads(result.document)["witness"]["kind"] == kind


def test_an_upper_bound_is_not_passed() -> None:
    """1 - r on the line is one bend: 1 unit and a linear part, or 2 units, represent it."""
    assert proved(crossings_bound("1 - r", 1, Fraction(1, 100))).width_lower == 1


def test_a_level_away_from_zero_is_found() -> None:
    assert (
        proved(crossings_bound("100 + cos(12*r)", 3, HALF)).width_lower
        == proved(crossings_bound("cos(12*r)", 3, HALF)).width_lower
    )


def test_the_class_travels_with_the_bound() -> None:
    result = proved(crossings_bound("cos(12*r)", 3, HALF, depth=3))
    assert (result.theorem, result.norm, result.measure, result.domain) == ("crossings", "sup", None, "unit-ball")
    assert (result.depth, result.activation_class, result.weight_class) == (3, "piecewise-linear", "any")
    assert any("widest hidden layer" in text for text in result.hypotheses)


def test_a_constant_is_as_good() -> None:
    reason = "the function varies by 1 at most, within 2 eps = 6/5: a constant is as good"
    assert crossings_bound("1 - r", 5, Fraction(3, 5)) == NoBound("crossings", reason)
    assert isinstance(crossings_bound("1/3", 5, Fraction(1, 100)), NoBound)


def test_a_function_that_varies_by_2_eps_and_a_hair() -> None:
    result = crossings_bound("t/2 + 3/10^7", 5, Fraction(49999999, 10**8), domain="spheres")
    reason = "the function varies by hardly more than 2 eps = 49999999/50000000: no level was found to clear"
    assert result == NoBound("crossings", reason)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("1 - r", 3, Fraction(0)), "eps = 0\n  needed: a positive accuracy"),
        (("1 - r", 3, HALF, 1), "at depth 1 with 2 linear pieces"),
        (("1 - r", 3, HALF, 2, "unit-ball", 1), "smooth activations are not covered"),
        (("1 - r", 3, HALF, 2, "cube"), "the domain 'cube'"),
        (("t", 1, HALF, 2, "spheres"), "the spheres in dimension 1\n  needed: dim >= 2"),
        (("t", 3, HALF), "unknown name|expected"),
        (("1/r", 3, HALF), "no finite value at r = 0"),
    ],
)
def test_refusals(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        crossings_bound(*arguments)  # type: ignore[arg-type]
