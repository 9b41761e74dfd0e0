"""Functions: evaluation against the exact one, enclosures, and refusals that name the place."""

from fractions import Fraction

import numpy as np
import pytest

from depthsep.errors import BadInput
from depthsep.functions import BallIndicator, Radial, function_from_json, parse_function

GOOD = [
    "1 - r",
    "exp(-r^2)",
    "abs(r - 1/2)",
    "sin(3*r)/3",
    "max(0, 1/2 - r)",
    "sqrt(r)",
    "sqrt(1 - r^2)",
    "log(1 + r) + cos(pi*r)",
    "tanh(2*r) - min(r, 0.25, 1 - r)",
    "(1 + r)^-3 + r^d",
    "2",
    "sqrt(abs(r - 1/3))",
]


@pytest.mark.parametrize("text", GOOD)
def test_good_profiles_are_proved_finite(text: str) -> None:
    function = Radial(text, dim=5)
    function.validate()
    values = function.profile(np.linspace(0, 1, 101))
    assert values.shape == (101,)
    assert np.isfinite(values).all()


@pytest.mark.parametrize("text", GOOD)
def test_float_evaluation_agrees_with_point_enclosures(text: str) -> None:
    function = Radial(text, dim=5)
    for radius in (Fraction(0), Fraction(1, 7), Fraction(1, 2), Fraction(1)):
        low, high = function.enclosure(radius, radius)
        value = float(function.profile(float(radius)))
        assert float(low) - 1e-7 <= value <= float(high) + 1e-7
        assert high - low <= Fraction(1, 10**15)


@pytest.mark.parametrize("text", GOOD)
def test_range_and_oscillation_enclose_samples(text: str) -> None:
    function = Radial(text, dim=5)
    samples = function.profile(np.linspace(0, 1, 1001))
    low, high = function.range_enclosure()
    assert float(low) - 1e-12 <= samples.min()
    assert samples.max() <= float(high) + 1e-12
    below, above = function.oscillation()
    spread = samples.max() - samples.min()
    assert spread - 0.03 <= float(below) <= float(above)
    assert spread <= float(above) + 1e-12
    assert above - below <= Fraction(1, 5)


def test_points_are_evaluated_at_their_norm() -> None:
    function = Radial("1 - r", dim=2)
    assert function([[0.6, 0.8], [0.0, 0.5]]).tolist() == [0.0, 0.5]


def test_exact_values() -> None:
    assert Radial("abs(r - 1/3)", 2).exact(Fraction(1, 2)) == Fraction(1, 6)
    assert Radial("exp(r)", 2).exact(Fraction(1, 2)) is None
    assert Radial("r^d", 3).exact(Fraction(1, 2)) == Fraction(1, 8)


def test_a_constant_has_the_shape_of_its_points() -> None:
    assert Radial("0.1", 2).profile([0.0, 0.5]).tolist() == [0.1, 0.1]


def test_extreme_points() -> None:
    assert Radial("abs(r - 1/2)", 2).extreme_points == (Fraction(1, 2), Fraction(0))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1/r", "no value at r = 0: division by 0"),
        ("log(r)", "no value at r = 0: the logarithm of a number that is not positive"),
        ("sqrt(r - 1/10)", "no value at r = 0: the square root of a negative number"),
        ("sqrt(3/4 - r)", "no value at r = 1: the square root of a negative number"),
        ("1/(r - 1/2)", "no value at r = 1/2: division by 0"),
        ("1/(r - 1/3)", "it could not be proved finite near r = 0.333333333"),
        ("1/(10*r - pi)", "it could not be proved finite near r = 0.314159265"),
        ("1/sin(pi*r)", "it could not be proved finite near r = 0"),
    ],
)
def test_profiles_without_a_finite_value_somewhere(text: str, found: str) -> None:
    with pytest.raises(BadInput) as caught:
        Radial(text, 3).validate()
    assert caught.value.found == found
    assert f'the profile "{text}" on [0, 1]' in str(caught.value)
    assert "needed: a finite value at every r in [0, 1]" in str(caught.value)


def test_an_enclosure_across_a_pole_is_refused() -> None:
    with pytest.raises(BadInput, match=r"no finite enclosure on \[0.25, 0.75\]"):
        Radial("1/(r - 1/3)", 3).enclosure(Fraction(1, 4), Fraction(3, 4))


def test_a_bad_formula_shows_the_place() -> None:
    with pytest.raises(BadInput) as caught:
        Radial("1 - 3r", 3)
    lines = str(caught.value).splitlines()
    assert lines[0] == "cannot read the expression"
    assert lines[1].index("r") == lines[2].index("^")
    assert caught.value.needed == "expected an operator or the end"
    assert caught.value.do == "write 3*r"


def test_an_exponent_that_the_dimension_breaks() -> None:
    Radial("r^(d/2)", 4)
    with pytest.raises(BadInput, match="the exponent must be an integer"):
        Radial("r^(d/2)", 5)


@pytest.mark.parametrize("dim", [0, -1])
def test_dimensions_below_one(dim: int) -> None:
    with pytest.raises(BadInput, match=f"dim = {dim}\n  needed: a dimension of at least 1"):
        Radial("r", dim)
    with pytest.raises(BadInput, match=f"dim = {dim}\n"):
        BallIndicator(Fraction(1, 2), Fraction(1, 4), dim)


def test_balls_are_read_exactly() -> None:
    ball = parse_function(" ball(0.5, 1/d) ", dim=10)
    assert ball == BallIndicator(Fraction(1, 2), Fraction(1, 10), 10)
    assert str(ball) == "ball(1/2, 1/10)"
    assert (ball.inner, ball.outer) == (Fraction(2, 5), Fraction(3, 5))
    ball.validate()


def test_a_ball_is_one_inside_zero_outside_free_between() -> None:
    ball = parse_function("ball(1/2, 1/4)", dim=2)
    values = ball([[0.0, 0.25], [0.0, 0.5], [0.75, 0.0]])
    assert values[[0, 2]].tolist() == [1.0, 0.0]
    assert np.isnan(values[1])


@pytest.mark.parametrize("text", ["ball(1/2, 0)", "ball(1/2, 1/2)", "ball(1/2, -1/4)", "ball(9/10, 1/5)"])
def test_balls_that_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match=r"0 < margin < radius, and radius \+ margin <= 1"):
        parse_function(text, 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ball(1/2)", "a ball without a margin"),
        ("ball(median)", "a ball without a margin"),
        ("ball()", "a ball without a margin"),
        ("ball(1/2,)", "2 arguments"),
        ("ball(1, 2, 3)", "3 arguments"),
        ("ball(median, 0.1)", "the median radius of a probability law"),
        ("ball(pi/8, 0.1)", "the constant pi/8\n  needed: a rational number"),
        ("ball(r, 0.1)", "cannot read the expression"),
    ],
)
def test_balls_that_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        parse_function(text, 3)


@pytest.mark.parametrize("text", ["1 - r", "ball(1/2, 1/20)"])
def test_json_round_trip(text: str) -> None:
    function = parse_function(text, 7)
    assert function_from_json(function.to_json(), 7) == function
    assert str(function) == text


def test_unknown_kind() -> None:
    with pytest.raises(BadInput, match="a function of kind 'step'"):
        function_from_json({"kind": "step"}, 3)
