"""The toolbox against mpmath, and where float64 quadrature fails."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from flint import arb, fmpq
from scipy.special import roots_legendre

import depthsep as ds
from depthsep.errors import BadInput, NotProved
from depthsep.gegenbauer import coefficients, density, harmonic_count, moment, polynomial, relu_visibility

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
            assert contains(polynomial(dim, degree, t), oracle)


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
    found = coefficients(text, dim, [7, 2, 4])
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
    on_ball = coefficients("cos(3*r^2)", 5, [1, 2, 5], domain="ball")
    on_pairs = coefficients("cos(3/2 + 3/2*t)", 5, [1, 2, 5])
    root = coefficients("r", 5, [3], domain="ball")[3]
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
    ball = coefficients(f"sin({omega}*t)", dim, [degree])[degree]
    assert ball.rad() < 1e-20 * abs(ball)
    assert (abs(quadrature - ball) < 1e-9 * abs(ball)) == right


@pytest.mark.parametrize("dim", [3, 4, 5, 12])
def test_the_density_agrees_with_mpmath(dim: int) -> None:
    with mpmath.workdps(DIGITS):
        for t in (Fraction(-2, 3), Fraction(0), Fraction(1, 7)):
            point, half = mpmath.mpf(t.numerator) / t.denominator, mpmath.mpf(dim - 3) / 2
            oracle = (1 - point**2) ** half / mpmath.beta(mpmath.mpf(1) / 2, half + 1)
            assert contains(density(dim, t), oracle)
    assert density(dim, 1) == (0.5 if dim == 3 else 0)


def test_the_room_is_reached_from_the_package() -> None:
    assert ds.gegenbauer.polynomial is polynomial
    assert "gegenbauer" in dir(ds)


def dot(dim: int, one: Callable[[Any], Any], other: Callable[[Any], Any]) -> Any:
    """E[one(t) other(t)] by quadrature."""
    half = mpmath.mpf(dim - 3) / 2
    return mpmath.quad(lambda t: one(t) * other(t) * (1 - t * t) ** half, [-1, 0, 1]) / mpmath.beta(0.5, half + 1)


@pytest.mark.parametrize("dim", [3, 4, 9])
def test_the_polynomials_are_orthonormal_once_scaled_by_their_counts(dim: int) -> None:
    """The counts against the polynomials of mpmath: E[P_m P_n] = 0 for m != n, and 1/N_n for m = n."""
    alpha = mpmath.mpf(dim) / 2 - 1
    with mpmath.workdps(DIGITS):
        p = [
            lambda t, n=n: mpmath.gegenbauer(n, alpha, t, zeroprec=200) / mpmath.gegenbauer(n, alpha, 1)
            for n in range(5)
        ]
        for m in range(5):
            for n in range(m + 1):
                found = dot(dim, p[m], p[n]) * harmonic_count(dim, n)
                assert abs(found - (m == n)) < 1e-18


def test_the_addition_theorem_in_dimension_three() -> None:
    """The sum of Y(x) Y(x') over the 2n + 1 harmonics of a degree is N_n P_n(<x, x'>), for harmonics of norm 1."""
    with mpmath.workdps(DIGITS):
        first, second = (mpmath.acos(mpmath.mpf(height)) for height in ("0.28", "-0.6"))
        cosine = Fraction(28, 100) * Fraction(-6, 10) + Fraction(96, 100) * Fraction(8, 10)  # at the same longitude
        for n in (1, 2, 5):
            pairs = (
                mpmath.spherharm(n, m, first, 0) * mpmath.conj(mpmath.spherharm(n, m, second, 0))
                for m in range(-n, n + 1)
            )
            total = 4 * mpmath.pi * sum(pairs).real
            assert contains(polynomial(3, n, cosine) * harmonic_count(3, n), total)


@pytest.mark.parametrize("dim", [3, 5, 8])
def test_averages_over_the_middle_vector_multiply_the_coefficients(dim: int) -> None:
    """E over y of f(<x, y>) f(<y, z>) is the sum of alpha_n^2 P_n(<x, z>), as the degrees do not mix."""
    alphas = coefficients("t^2", dim, [0, 2])
    found = sum((alphas[n] * alphas[n] * polynomial(dim, n, 0) for n in alphas), arb(0))
    assert abs(found - arb(1) / (dim * (dim + 2))) < 1e-14  # E[y_1^2 y_2^2]


@pytest.mark.parametrize("dim", [3, 4, 11])
def test_moments_agree_with_mpmath_and_with_the_coefficients(dim: int) -> None:
    with mpmath.workdps(DIGITS):
        for power in range(7):
            found = moment(dim, power)
            oracle = dot(dim, lambda t, k=power: t**k, lambda t: 1)
            assert abs(mpmath.mpf(found.numerator) / found.denominator - oracle) < 1e-20
            mean = coefficients(f"t^{power} + 1", dim, [0])[0] - 1
            assert mean.overlaps(arb(fmpq(found.numerator, found.denominator)))


def test_every_degree_of_a_closed_form_is_the_integral() -> None:
    """Adding exp(t) - exp(t) takes the closed form away."""
    for text in ("sin(7*t + 1)", "abs(t - 1/3)", "2*t + 1 - cos(3*t)"):
        closed = coefficients(text, 6, range(6))
        integrals = coefficients(f"{text} + exp(t) - exp(t)", 6, range(6))
        assert all(closed[n].overlaps(integrals[n]) and closed[n].rad() < 1e-30 for n in range(6))


def test_steps_have_the_tail_of_a_beta_law() -> None:
    with mpmath.workdps(DIGITS):
        for dim, place, text in ((3, 0.25, "1/4"), (6, -0.5, "-1/2")):
            beyond = mpmath.betainc(mpmath.mpf(dim - 1) / 2, mpmath.mpf(dim - 1) / 2, 0, (1 - place) / 2, True)
            assert contains(coefficients(f"indicator(t >= {text})", dim, [0])[0], beyond)
            assert contains(coefficients(f"indicator(t < {text})", dim, [0])[0], 1 - beyond)
            assert coefficients(f"indicator(t < {text})", dim, [0])[0].rad() < 1e-35


def test_the_relu_constant_of_degree_one() -> None:
    assert contains(relu_visibility(3, 1), mpmath.sqrt(3) / 15)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: harmonic_count(2, 3), "a dimension from 3"),
        (lambda: harmonic_count(3, -1), "a degree from 0"),
        (lambda: polynomial(3, 2, Fraction(3, 2)), "a cosine, in [-1, 1]"),
        (lambda: relu_visibility(3, 0), "a degree from 1"),
        (lambda: coefficients("t", 3, [-1]), "a degree from 0"),
        (lambda: density(2, 0), "a dimension from 3"),
        (lambda: moment(2, 2), "a dimension from 3"),
        (lambda: moment(3, -1), "a power from 0"),
        (lambda: density(3, 2), "a cosine, in [-1, 1]"),
        (lambda: coefficients("t", 3, []), "one degree at least"),
        (lambda: coefficients("t", 3, [1], domain="cube"), '"spheres" or "ball"'),
        (lambda: coefficients("3t", 3, [1]), "write 3*t"),
    ],
)
def test_bad_input_is_named(call: Callable[[], object], words: str) -> None:
    with pytest.raises(BadInput) as error:
        call()
    assert words in str(error.value)


def test_an_unbounded_function_is_refused() -> None:
    with pytest.raises(NotProved, match="not certainly defined and bounded near t = "):
        coefficients("1/t", 3, [1])
