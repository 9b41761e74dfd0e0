"""Norms, tails and projections against mpmath, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import pytest
from flint import arb

from depthsep.errors import BadInput, NotProved, OutOfReach
from depthsep.gegenbauer import harmonic_count, spectrum
from depthsep.gegenbauer.zonal import ZonalFunction
from depthsep_check.gegenbauer import integral_coefficients
from depthsep_check.numbers import precision
from depthsep_check.verdict import Budget

DIGITS = 30


def contains(ball: Any, value: Any) -> bool:
    middle, radius = (mpmath.mpf(x.str(40, radius=False)) for x in (ball.mid(), ball.rad()))
    return bool(abs(middle - value) <= radius + mpmath.mpf(10) ** -20 * (1 + abs(value)))


def mean(dim: int, function: Callable[[Any], Any], points: list[float]) -> Any:
    """E[f(t)] by quadrature."""
    half = mpmath.mpf(dim - 3) / 2
    with mpmath.workdps(DIGITS):
        total = mpmath.quad(lambda t: function(t) * (1 - t * t) ** half, points)
        return total / mpmath.beta(mpmath.mpf(1) / 2, half + 1)


FUNCTIONS: dict[str, tuple[Callable[[Any], Any], list[float]]] = {
    "1 + 2*t + sin(9*t) - cos(4*t + 1)": (
        lambda t: 1 + 2 * t + mpmath.sin(9 * t) - mpmath.cos(4 * t + 1),
        [-1, 0, 1],
    ),
    "max(0, t - 1/4) + 3": (lambda t: max(mpmath.mpf(0), t - mpmath.mpf(1) / 4) + 3, [-1, 0.25, 1]),
    "indicator(t >= 1/2)": (lambda t: mpmath.mpf(t >= 0.5), [-1, 0.5, 1]),
    "indicator(t < -1/2)": (lambda t: mpmath.mpf(t < -0.5), [-1, -0.5, 1]),
    "exp(t)/2": (lambda t: mpmath.exp(t) / 2, [-1, 0, 1]),
}


@pytest.mark.parametrize("text", FUNCTIONS)
@pytest.mark.parametrize("dim", [3, 8])
def test_the_energy_the_mean_and_the_first_degree_agree_with_mpmath(text: str, dim: int) -> None:
    function, points = FUNCTIONS[text]
    found = spectrum(text, dim=dim, degrees=3)
    with mpmath.workdps(DIGITS):
        assert contains(found.energy, mean(dim, lambda t: function(t) ** 2, points))
        assert contains(found.coefficients[0], mean(dim, function, points))
        assert contains(found.coefficients[1], mpmath.sqrt(dim) * mean(dim, lambda t: t * function(t), points))


@pytest.mark.parametrize("text", FUNCTIONS)
def test_the_energy_beyond_is_the_distance_from_the_projection(text: str) -> None:
    function, points = FUNCTIONS[text]
    dim, top = 5, 4
    found = spectrum(text, dim=dim, degrees=top)
    with mpmath.workdps(DIGITS):
        alphas = [mpmath.mpf(alpha.str(30, radius=False)) for alpha in found.coefficients]
    counts = [harmonic_count(dim, n) for n in range(top + 1)]

    def rest(t: Any) -> Any:
        p = [mpmath.mpf(1), t]
        for n in range(2, top + 1):
            p.append(((2 * n + dim - 4) * t * p[-1] - (n - 1) * p[-2]) / (n + dim - 3))
        return (function(t) - sum(a * mpmath.sqrt(c) * x for a, c, x in zip(alphas, counts, p, strict=True))) ** 2

    with mpmath.workdps(DIGITS):
        projection = found.projection(top)
        assert projection.degree == top
        assert contains(projection.energy_beyond, mean(dim, rest, points))
        value = mpmath.mpf(projection(Fraction(-1, 3)).str(30, radius=False))
        assert abs((function(mpmath.mpf(-1) / 3) - value) ** 2 - rest(mpmath.mpf(-1) / 3)) < 1e-25


def test_a_polynomial_is_its_own_projection() -> None:
    found = spectrum("t^3 - t/2 + 1/4", dim=7)
    assert found.top == 3
    assert found.projection(3)(Fraction(1, 3)).overlaps(arb(1) / 27 - arb(1) / 6 + arb(1) / 4)
    assert found.energy_beyond(3) < 1e-30


def test_the_energy_of_waves_is_their_integral() -> None:
    for text in ("sin(7*t) + cos(7*t)", "cos(pi*t + 1) - 2*t + sin(3*t)/5 + 1", "sin(pi*t) - 3*cos(pi*t)"):
        source = ZonalFunction.of(text, 6, "spheres")
        square = ZonalFunction.of(f"({text})^2", 6, "spheres").profile.expression
        with precision(128):
            integral = integral_coefficients(square, 6, False, [0], Budget(10))[0]
            assert source.energy().overlaps(integral)
            assert source.energy().rad() < 1e-30


@pytest.mark.parametrize("power", [10, 20, 35, 60])
def test_slow_waves_are_nearly_affine(power: int) -> None:
    found = spectrum(f"t + sin(t/10^{power}) + cos(t/10^{power})", dim=5)
    assert found.degree_of(Fraction(1, 2)) == 0
    assert abs(found.energy - arb("1.2")) < 1e-9
    assert abs(found.coefficients[1] - 1 / arb(5).sqrt()) < 1e-9


def test_daniely_s_function_lives_where_no_unit_sees_it() -> None:
    found = spectrum("sin(pi*d^3*t)", dim=10)
    half = found.degree_of(Fraction(1, 2))
    assert half == 3053
    assert found.degree_of(Fraction(99, 100)) < found.top < 3300
    assert found.visibility(half) < 1e-18
    assert all(alpha == 0 for alpha in found.coefficients[::2])


def test_frequencies_beyond_every_list_keep_a_norm() -> None:
    with pytest.raises(OutOfReach, match=r"3\.142e\+06, whose degrees reach as far"):
        spectrum("sin(pi*d^3*t)", dim=100)
    found = spectrum("sin(pi*d^3*t)", dim=100, degrees=9)
    assert abs(found.energy_beyond(9) - arb("0.5")) < 1e-15
    assert found.degree_of(Fraction(1, 2)) is None


def test_functions_on_the_ball_are_those_of_the_mean_of_two_unit_vectors() -> None:
    on_ball = spectrum("cos(3*r^2)", dim=5, domain="ball")
    on_pairs = spectrum("cos(3/2 + 3/2*t)", dim=5)
    assert on_ball.energy.overlaps(on_pairs.energy)
    assert all(a.overlaps(b) for a, b in zip(on_ball.coefficients, on_pairs.coefficients, strict=True))
    assert spectrum("r", dim=4, domain="ball").energy.overlaps(arb("0.5"))  # E[(1 + t)/2]


def test_shares_add_up_to_one() -> None:
    found = spectrum("abs(t)", dim=9)
    shares = sum((found.share(n) for n in range(found.top + 1)), arb(0))
    assert abs(shares + found.energy_beyond(found.top) / found.energy - 1) < 1e-14


def test_parseval_for_a_function_with_few_degrees() -> None:
    """t^4 in dimension 6: E[t^8] = 105/(6 8 10 12) is the sum of the squares of degrees 0, 2 and 4."""
    found = spectrum("t^4", dim=6, degrees=4)
    total = sum((alpha * alpha for alpha in found.coefficients), arb(0))
    assert abs(total - arb(105) / 5760) < 1e-15
    assert found.energy.overlaps(arb(105) / 5760) or abs(found.energy - arb(105) / 5760) < 1e-15
    assert found.energy_beyond(4) < 1e-35


@pytest.mark.parametrize("text", ["exp(-3*t^2)", "1/(2 + t)", "sqrt(1.001 - t^2)", "abs(t - 1/3)"])
def test_coefficients_around_zero_leave_the_energies_finite(text: str) -> None:
    found = spectrum(text, dim=6, degrees=20)
    assert all(tail.is_finite() and tail >= 0 for tail in found.tails)
    assert all(after.lower() <= before.upper() for before, after in zip(found.tails, found.tails[1:], strict=False))


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: spectrum("t", dim=2), BadInput, "a dimension from 3"),
        (lambda: spectrum("1 - r", dim=5), BadInput, 'formulas in r are for the domain "ball"'),
        (lambda: spectrum("t", dim=5, domain="ball"), BadInput, 'formulas in t are for the domain "spheres"'),
        (lambda: spectrum("t", dim=5, domain="cube"), BadInput, '"spheres" or "ball"'),
        (lambda: spectrum("t", dim=5, degrees=0), BadInput, "a last degree from 1"),
        (lambda: spectrum("3t", dim=5), BadInput, "write 3*t"),
        (lambda: spectrum("1/t", dim=5), NotProved, "not certainly defined and bounded near t = 0"),
        (lambda: spectrum("0", dim=5), NotProved, "not certainly different from 0"),
        (lambda: spectrum("indicator(t >= 2)", dim=5), NotProved, "not certainly inside (-1, 1)"),
        (lambda: spectrum("indicator(t >= t)", dim=5), BadInput, "found t"),
        (lambda: spectrum("exp(t)", dim=5, degrees=500), NotProved, "the work limit of 400 units was reached"),
        (lambda: spectrum("t", dim=5).projection(0)(2), BadInput, "a cosine, in [-1, 1]"),
        (lambda: spectrum("sqrt(1 - t^2)", dim=5), NotProved, "needed: its value to a millionth"),
        (lambda: spectrum("t", dim=5).projection(9), BadInput, "spectrum(..., degrees=N)"),
        (lambda: spectrum("t", dim=5).energy_beyond(-1), BadInput, "a degree from 0 to 1"),
        (lambda: spectrum("t", dim=5).share(9), BadInput, "the last one of this spectrum"),
    ],
)
def test_what_makes_no_sense_is_named(call: Callable[[], object], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind) as error:
        call()
    assert words in str(error.value)
