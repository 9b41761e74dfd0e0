"""The toolbox against mpmath, and where float64 quadrature fails."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from scipy.special import roots_legendre

from depthsep.errors import BadInput, NotProved
from depthsep.lower_bounds.gegenbauer import (
    gegenbauer_coefficients,
    gegenbauer_polynomial,
    harmonic_count,
    relu_visibility,
)

DIGITS = 25


def contains(ball: Any, value: Any) -> bool:
    """Whether the ball, read in decimals with its radius, holds the value up to the digits of the oracle."""
    middle, radius = (mpmath.mpf(x.str(40, radius=False)) for x in (ball.mid(), ball.rad()))
    return bool(abs(middle - value) <= radius + mpmath.mpf(10) ** -20 * (1 + abs(value)))


@pytest.mark.parametrize(("dim", "degree"), [(3, 0), (3, 7), (4, 1), (6, 5), (11, 2), (30, 40)])
def test_counts_satisfy_the_generating_function(dim: int, degree: int) -> None:
    """N_n is the coefficient of z^n in (1 + z) / (1 - z)^(d-1)."""
    choose = [math.comb(n + dim - 2, dim - 2) for n in (degree, degree - 1) if n >= 0]
    assert harmonic_count(dim, degree) == sum(choose)


@pytest.mark.parametrize("dim", [3, 4, 7, 50])
@pytest.mark.parametrize("t", [Fraction(1), Fraction(-1), Fraction(1, 3), Fraction(-7, 8)])
def test_polynomials_agree_with_mpmath(dim: int, t: Fraction) -> None:
    alpha = mpmath.mpf(dim) / 2 - 1
    with mpmath.workdps(DIGITS):
        for degree in (0, 1, 2, 9, 30):
            point = mpmath.mpf(t.numerator) / t.denominator
            oracle = mpmath.gegenbauer(degree, alpha, point) / mpmath.gegenbauer(degree, alpha, 1)
            assert contains(gegenbauer_polynomial(dim, degree, t), oracle)


FUNCTIONS: dict[str, tuple[Callable[[Any], Any], list[float]]] = {
    "sin(9*t)": (lambda t: mpmath.sin(9 * t), [-1, 0, 1]),
    "abs(t - 1/4)": (lambda t: abs(t - mpmath.mpf(1) / 4), [-1, 0.25, 1]),
    "exp(-3*t^2)": (lambda t: mpmath.exp(-3 * t * t), [-1, 0, 1]),
    "1/(2 + t)": (lambda t: 1 / (2 + t), [-1, 0, 1]),
    "tanh(t) + log(2 + t)/7": (lambda t: mpmath.tanh(t) + mpmath.log(2 + t) / 7, [-1, 0, 1]),
}


@pytest.mark.parametrize("text", FUNCTIONS)
@pytest.mark.parametrize("dim", [3, 6])
def test_coefficients_agree_with_mpmath(text: str, dim: int) -> None:
    function, points = FUNCTIONS[text]
    found = gegenbauer_coefficients(text, dim, [7, 2, 4])
    assert list(found) == [2, 4, 7]
    with mpmath.workdps(DIGITS):
        for degree, ball in found.items():
            assert ball.rad() < 1e-25
            assert contains(ball, _oracle(function, dim, degree, points))


def _oracle(function: Callable[[Any], Any], dim: int, degree: int, points: list[float]) -> Any:
    def p(t: Any) -> Any:
        before, here = mpmath.mpf(1), t
        for n in range(2, degree + 1):
            before, here = here, ((2 * n + dim - 4) * t * here - (n - 1) * before) / (n + dim - 3)
        return here

    half = mpmath.mpf(dim - 3) / 2
    mean = mpmath.quad(lambda t: function(t) * p(t) * (1 - t * t) ** half, points)
    return mean / mpmath.beta(mpmath.mpf(1) / 2, half + 1) * mpmath.sqrt(harmonic_count(dim, degree))


def test_radial_functions_are_read_at_the_mean_of_two_unit_vectors() -> None:
    on_ball = gegenbauer_coefficients("cos(3*r^2)", 5, [1, 2, 5], domain="ball")
    on_pairs = gegenbauer_coefficients("cos(3/2 + 3/2*t)", 5, [1, 2, 5])
    root = gegenbauer_coefficients("r", 5, [3], domain="ball")[3]
    assert all(on_ball[n].overlaps(on_pairs[n]) for n in on_ball)
    with mpmath.workdps(DIGITS):
        assert contains(root, _oracle(lambda t: mpmath.sqrt((1 + t) / 2), 5, 3, [-1, 0, 1]))


@pytest.mark.parametrize(("omega", "right"), [(130, True), (70, False)])
def test_float_quadrature_is_noise_where_balls_are_not(omega: int, right: bool) -> None:
    """Degree 101 in dimension 60: float64 has an absolute error of 1e-15, whatever the size of the coefficient."""
    dim, degree = 60, 101
    nodes, weights = roots_legendre(600)
    weights *= (1 - nodes**2) ** ((dim - 3) / 2)
    before, here = np.ones_like(nodes), nodes
    for n in range(2, degree + 1):
        before, here = here, ((2 * n + dim - 4) * nodes * here - (n - 1) * before) / (n + dim - 3)
    mean = float(np.sum(np.sin(omega * nodes) * here * weights) / weights.sum())
    quadrature = mean * math.exp(float(mpmath.log(harmonic_count(dim, degree))) / 2)
    ball = gegenbauer_coefficients(f"sin({omega}*t)", dim, [degree])[degree]
    assert ball.rad() < 1e-20 * abs(ball)
    assert (abs(quadrature - ball) < 1e-9 * abs(ball)) == right


def test_the_relu_constant_of_degree_one() -> None:
    assert contains(relu_visibility(3, 1), mpmath.sqrt(3) / 15)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: harmonic_count(2, 3), "a dimension from 3"),
        (lambda: harmonic_count(3, -1), "a degree from 0"),
        (lambda: gegenbauer_polynomial(3, 2, Fraction(3, 2)), "a cosine, in [-1, 1]"),
        (lambda: relu_visibility(3, 0), "a degree from 1"),
        (lambda: gegenbauer_coefficients("t", 3, [0]), "a degree from 1"),
        (lambda: gegenbauer_coefficients("t", 3, []), "one degree at least"),
        (lambda: gegenbauer_coefficients("t", 3, [1], domain="cube"), '"spheres" or "ball"'),
        (lambda: gegenbauer_coefficients("3t", 3, [1]), "write 3*t"),
    ],
)
def test_bad_input_is_named(call: Callable[[], object], words: str) -> None:
    with pytest.raises(BadInput) as error:
        call()
    assert words in str(error.value)


def test_an_unbounded_function_is_refused() -> None:
    with pytest.raises(NotProved, match="not certainly defined and bounded near t = "):
        gegenbauer_coefficients("1/t", 3, [1])
