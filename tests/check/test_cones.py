"""Which formulas are recognised as alpha + beta r on [0, 1], and that those are."""

import random

import pytest
from flint import fmpq

from depthsep_check.cones import Affine, affine_in_radius
from depthsep_check.expression import ExpressionError, parse

CONES = {
    "1 - r": (1, -1),
    "r": (0, 1),
    "-(2*r)": (0, -2),
    "3": (3, 0),
    "r*2/3 + 0.5": (fmpq(1, 2), fmpq(2, 3)),
    "d - r/d": (4, fmpq(-1, 4)),
    "(1 - r)/(1 + 1)": (fmpq(1, 2), fmpq(-1, 2)),
    "(d - 4)*r^1 + r": (0, 1),
    "(r - r)*(2 - r) + sqrt(9/4)*r": (0, fmpq(3, 2)),
    "2^-3*r + d^2": (16, fmpq(1, 8)),
    "sqrt(d)*r": (0, 2),
    "abs(r)": (0, 1),
    "abs(r - 1)": (1, -1),
    "max(0, 1 - r)": (1, -1),
    "min(r, 1, 2 - r)": (0, 1),
    "max(-r, r, 0)": (0, 1),
    "min(1 - r, 3 - 2*r)": (1, -1),
    "max(r^1, 1) - r": (1, -1),
    "(1 - r)^1": (1, -1),
}
NONE = [
    "r^2", "r*r", "r/r", "1/r", "r^0", "r^-1", "sqrt(r)", "sqrt(r^2)", "sqrt(2)*r", "pi*r", "exp(0)*r", "log(1) + r",
    "sin(r)", "cos(0*r)", "tanh(1)*r", "abs(r - 1/2)", "abs(r - 1 + 1/10^30)", "max(0, r - 10^-30)", "min(r, 1/2)",
    "max(1 - r, r)", "r/(2 - 2)", "0^-1*r", "sqrt(-4)*r", "r*(1 - r)", "(1 - r)^2", "(2^200)^200*r",
]  # fmt: skip


@pytest.mark.parametrize("text", CONES)
def test_recognised(text: str) -> None:
    expression, (constant, slope) = parse(text), CONES[text]
    assert affine_in_radius(expression, 4) == Affine(fmpq(constant), fmpq(slope))
    for x in (fmpq(0), fmpq(1, 7), fmpq(1, 2), fmpq(999, 1000), fmpq(1)):
        assert expression.rational(x, 4) == constant + slope * x


@pytest.mark.parametrize("text", NONE)
def test_not_recognised(text: str) -> None:
    assert affine_in_radius(parse(text), 4) is None


def random_formula(rng: random.Random, depth: int) -> str:
    if depth == 0:
        return rng.choice(["r", "1", "2", "d", "1/3", "0.25", "r", "0"])
    left, right = (random_formula(rng, depth - 1) for _ in range(2))
    forms = ("({} + {})", "({} - {})", "({})*({})", "({})/({})", "max({}, {})", "min({}, {})", "abs({} - {})")
    return rng.choice(forms).format(left, right)


def test_random_formulas_are_what_is_said() -> None:
    """Wherever a formula is recognised, its exact values say the same."""
    rng, recognised = random.Random(0), 0
    for _ in range(1500):
        expression = parse(random_formula(rng, rng.randint(1, 3)))
        found = affine_in_radius(expression, 5)
        if found is not None:
            recognised += 1
            for x in (fmpq(0), fmpq(1, 1000), fmpq(1, 3), fmpq(5, 8), fmpq(1)):
                assert expression.rational(x, 5) == found.constant + found.slope * x, expression.text
    assert recognised > 300


def test_exponents_by_the_dimension_are_read_at_it() -> None:
    expression = parse("2^(d/2)*r")
    assert affine_in_radius(expression, 4) == Affine(fmpq(0), fmpq(4))
    with pytest.raises(ExpressionError):
        affine_in_radius(expression, 3)
