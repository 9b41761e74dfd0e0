"""The activations of the checker: against mpmath at 60 digits, over balls, far out, and their tails."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator

import mpmath
import pytest
from flint import arb, fmpq

from depthsep_check.activations import ACTIVATIONS, LEAKY_SLOPE, leaky_relu
from depthsep_check.numbers import from_float, precision

DIGITS = 60
BITS = 256
NAMES = ["relu", "leaky_relu", "softplus", "gelu", "silu", "sigmoid", "tanh", "erf", "step", "hard_tanh"]
SMOOTH = ["softplus", "gelu", "silu", "sigmoid", "tanh", "erf"]

REFERENCE: dict[str, Callable[[mpmath.mpf], mpmath.mpf]] = {
    "relu": lambda t: max(t, mpmath.mpf(0)),
    "leaky_relu": lambda t: max(t, t / 100),
    "softplus": lambda t: mpmath.log(1 + mpmath.exp(t)),
    "gelu": lambda t: t * mpmath.ncdf(t),
    "silu": lambda t: t / (1 + mpmath.exp(-t)),
    "sigmoid": lambda t: 1 / (1 + mpmath.exp(-t)),
    "tanh": mpmath.tanh,
    "erf": mpmath.erf,
    "step": lambda t: mpmath.mpf(1 if t >= 0 else 0),
    "hard_tanh": lambda t: max(mpmath.mpf(-1), min(mpmath.mpf(1), t)),
}


@pytest.fixture(autouse=True)
def _precise() -> Iterator[None]:
    with precision(BITS), mpmath.workdps(DIGITS):
        yield


def ball_of(value: mpmath.mpf) -> arb:
    """A ball about a value that mpmath has to 60 digits."""
    return arb(mpmath.nstr(value, DIGITS)) + arb(0, 1) * (abs(arb(mpmath.nstr(value, 10))) + 1) * arb("1e-50")


def exact(t: float) -> arb:
    return arb(from_float(t))


def test_the_catalogue_is_complete() -> None:
    assert list(ACTIVATIONS) == NAMES
    assert all(activation.name == name for name, activation in ACTIVATIONS.items())
    assert [name for name in NAMES if ACTIVATIONS[name].bounded] == ["sigmoid", "tanh", "erf", "step", "hard_tanh"]
    assert [name for name in NAMES if not ACTIVATIONS[name].continuous] == ["step"]
    assert [name for name in NAMES if not ACTIVATIONS[name].monotone] == ["gelu", "silu"]


@pytest.mark.parametrize("name", NAMES)
def test_values_agree_with_mpmath(name: str) -> None:
    rng = random.Random(0)
    points = [0.0, 1.0, -1.0, 20.0, -20.0, 1e-12, -1e-12] + [rng.gauss(0, 3) for _ in range(60)]
    for t in points:
        value = ACTIVATIONS[name].value(exact(t))
        assert value.overlaps(ball_of(REFERENCE[name](mpmath.mpf(t)))), t
        assert value.rad() < arb("1e-60")


@pytest.mark.parametrize("name", SMOOTH)
def test_derivatives_agree_with_mpmath(name: str) -> None:
    rng = random.Random(1)
    for t in [0.0, 3.0, -3.0] + [rng.gauss(0, 3) for _ in range(30)]:
        slope = ACTIVATIONS[name].derivative(exact(t))
        wanted = arb(mpmath.nstr(mpmath.diff(REFERENCE[name], mpmath.mpf(t)), 40))
        assert abs(slope - wanted) < arb("1e-20"), t


@pytest.mark.parametrize("name", NAMES)
def test_enclosures_over_balls_hold_the_points_and_are_tight(name: str) -> None:
    activation, rng = ACTIVATIONS[name], random.Random(2)
    for _ in range(150):
        middle, half = rng.gauss(0, 2), 10 ** rng.uniform(-6, 0.7)
        box = exact(middle) + exact(half) * arb(0, 1)
        points = [exact(middle) + exact(half) * fmpq(k, 40) for k in range(-40, 41)]
        values = [activation.value(p) for p in points]
        hull = activation.value(box)
        assert all(hull.contains(v) for v in values)
        if activation.continuous:
            low, high = min(float(v.mid()) for v in values), max(float(v.mid()) for v in values)
            assert float(hull.rad()) * 2 <= (high - low) * 1.01 + 1e-12
        slopes = activation.derivative(box)
        if slopes.is_finite():
            assert all(slopes.contains(activation.derivative(p)) for p in points if activation.derivative(p).is_exact())
            for p, q in itertools.pairwise(values):
                assert (slopes * exact(half) / 40).overlaps(q - p)
        else:
            assert name == "step"


@pytest.mark.parametrize("name", NAMES)
def test_the_mean_value_inequality_on_balls(name: str) -> None:
    activation, rng = ACTIVATIONS[name], random.Random(3)
    for _ in range(100):
        a, b = sorted((rng.uniform(-4, 4), rng.uniform(-4, 4)))
        slopes = activation.derivative(exact(a).union(exact(b)))
        if slopes.is_finite():
            difference = activation.value(exact(b)) - activation.value(exact(a))
            assert (slopes * (exact(b) - exact(a))).overlaps(difference)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", ["1e3", "1e30", "1e300", "1e100000000000000000000"])
def test_enormous_arguments(name: str, size: str) -> None:
    activation, big = ACTIVATIONS[name], arb(size)
    for t, side in ((big, activation.right), (-big, activation.left)):
        value = activation.value(t)
        assert value.is_finite()
        assert abs(value - (side.slope * t + side.constant)) <= activation.tail(big).upper() + abs(t) * arb("1e-60")
        assert activation.derivative(t).is_finite()
        assert abs(activation.derivative(t) - side.slope) < arb("1e-60")
    assert activation.tail(big) < arb("1e-60")
    wide = activation.value((-big).union(big))
    assert wide.is_finite()
    assert activation.value(arb("nan")).is_finite() is False
    assert activation.value(arb(0, "inf")).is_finite() is False
    assert activation.derivative(arb("nan")).is_finite() is False
    assert activation.tail(arb("nan")).is_finite() is False


@pytest.mark.parametrize("name", NAMES)
def test_tails_bound_the_distance_from_the_asymptotes(name: str) -> None:
    activation, rng = ACTIVATIONS[name], random.Random(4)
    for x in [0.0, 0.3, 0.75, 1.0, 1.3, 2.0, 5.0, 30.0]:
        bound = activation.tail(exact(x)).upper()
        for t in [x + rng.expovariate(1) * rng.choice((0, 1, 5)) for _ in range(40)]:
            for point, side in ((exact(t), activation.right), (exact(-t), activation.left)):
                if t == 0 and point is not exact(t) and not activation.continuous:
                    continue
                assert abs(activation.value(point) - (side.slope * point + side.constant)) <= bound + arb("1e-60")
    points = sorted(rng.uniform(0, 4) for _ in range(30))
    tails = [activation.tail(exact(x)) for x in points]
    assert all(not later > earlier for earlier, later in itertools.pairwise(tails))
    assert activation.tail(exact(-1.0)).overlaps(activation.tail(exact(0.0)))


def test_the_largest_distances_from_relu() -> None:
    for name, digits in (("softplus", "0.693147"), ("gelu", "0.169971"), ("silu", "0.278464"), ("relu", "0")):
        assert abs(ACTIVATIONS[name].tail(arb(0)) - arb(digits)) < arb("1e-5")


def test_the_dips_of_gelu_and_silu_are_found() -> None:
    for name in ("gelu", "silu"):
        activation = ACTIVATIONS[name]
        place = -mpmath.findroot(lambda t, name=name: mpmath.diff(REFERENCE[name], -t), 1.0)
        lowest = ball_of(REFERENCE[name](place))
        assert activation.value(arb(-1, 2)).lower() <= lowest
        assert (activation.value(arb(-1, 2)) - lowest).lower() > arb("-1e-8")  # radii of balls have 30 bits
        assert activation.derivative(ball_of(place)).contains(0)
        assert activation.derivative(arb(-2)) < 0
        assert activation.derivative(arb(fmpq(-1, 2))) > 0
        assert activation.derivative(arb(0, 10)).upper() > 1


def test_a_step_is_one_at_zero_and_has_no_derivative_across_it() -> None:
    step = ACTIVATIONS["step"]
    assert step.value(arb(0)) == 1
    assert step.value(arb("-1e-30")) == 0
    assert step.value(arb(0, 1)).contains(0)
    assert step.value(arb(0, 1)).contains(1)
    assert step.derivative(arb(0)) == 0
    assert not step.derivative(arb(0, 1)).is_finite()


def test_clarke_derivatives_at_kinks() -> None:
    assert ACTIVATIONS["relu"].derivative(arb(0, 1)).contains(0)
    assert ACTIVATIONS["relu"].derivative(arb(0, 1)).contains(1)
    assert ACTIVATIONS["leaky_relu"].derivative(arb(-1)).contains(arb(LEAKY_SLOPE))
    assert ACTIVATIONS["hard_tanh"].derivative(arb(1, fmpq(1, 2))).contains(0)
    assert ACTIVATIONS["hard_tanh"].derivative(arb(1, fmpq(1, 2))).contains(1)
    assert ACTIVATIONS["hard_tanh"].breaks == (-1, 1)


def test_leaky_slopes() -> None:
    steep = leaky_relu(fmpq(1, 3), "leaky_third")
    assert steep.value(arb(-3)).contains(-1)
    assert steep.left.slope == fmpq(1, 3)
    with pytest.raises(ValueError, match="slope"):
        leaky_relu(fmpq(1))


def test_the_turns_follow_the_precision() -> None:
    gelu = ACTIVATIONS["gelu"]
    with precision(400):
        fine = gelu.value(arb(-1, fmpq(1, 2))).lower()
    with precision(53):
        coarse = gelu.value(arb(-1, fmpq(1, 2))).lower()
    assert coarse <= fine
    assert abs(coarse - fine) < arb("1e-14")
