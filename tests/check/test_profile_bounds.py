from __future__ import annotations

import random

import pytest
from flint import arb, fmpq

from depthsep_check.expression import parse
from depthsep_check.numbers import precision
from depthsep_check.profile_bounds import near, prove_error_below
from depthsep_check.verdict import Budget, Exhausted, Refuted


class Curve:
    """A formula as a branch."""

    def __init__(self, text: str, dim: int = 3) -> None:
        self.expression = parse(text)
        self.dim = dim

    def value(self, x: arb) -> arb:
        return self.expression.ball(x, self.dim)

    def derivative(self, x: arb) -> arb:
        return self.expression.ball_with_derivative(x, self.dim)[1]


ZERO, ONE = fmpq(0), fmpq(1)


def prove(
    branch: str,
    profile: str,
    error: fmpq,
    side: str = "upper",
    low: fmpq = ZERO,
    high: fmpq = ONE,
    budget: int = 10_000,
) -> int:
    """Prove it, and return how many boxes that took."""
    allowance = Budget(budget)
    with precision(128):
        prove_error_below(Curve(branch), parse(profile), 3, error, low, high, side, "C3", allowance)
    return budget - allowance.left


@pytest.mark.parametrize("side", ["upper", "lower"])
@pytest.mark.parametrize(
    ("profile", "margin"),
    [
        ("1 - r", fmpq(1, 10**6)),
        ("abs(r - 1/3)", fmpq(1, 10**4)),
        ("exp(-r^2)", fmpq(1, 10**6)),
        ("sqrt(1/100 + r)", fmpq(1, 10**4)),
        ("max(0, 1/2 - r, 3*r - 2)", fmpq(1, 10**4)),
    ],
)
def test_a_profile_is_close_to_itself(profile: str, margin: fmpq, side: str) -> None:
    prove(profile, profile, margin, side)
    with pytest.raises(Refuted, match="C3: the error exceeds 1/5 at r = 1/2"):
        prove(f"{profile} {'+' if side == 'upper' else '-'} 1/4", profile, fmpq(1, 5), side)


@pytest.mark.parametrize(
    ("profile", "top"), [("sqrt(1 - r^2)", 1), ("sqrt(r)", 1), ("sqrt(1 - r) + sqrt(r)", fmpq(3, 2))]
)
def test_square_roots_at_the_ends_of_the_domain(profile: str, top: fmpq) -> None:
    # No derivative is known in the last boxes; the plain enclosure closes them.
    margin = fmpq(1, 1000)
    prove("0", profile, fmpq(top) + margin, "lower")
    prove("0", profile, margin, "upper")


def test_smooth_curves_need_few_boxes_close_to_the_best_error() -> None:
    # The largest value of r - r^2 is 1/4; a plain enclosure would need about 10^9 boxes at this margin.
    assert prove("r", "r^2", fmpq(1, 4) + fmpq(1, 10**9)) < 200


def test_the_best_error_itself_is_never_accepted_wrongly() -> None:
    with pytest.raises(Refuted, match=r"r = 1/2"):
        prove("r", "r^2", fmpq(1, 4) - fmpq(1, 10**9))


def test_random_intervals_agree_with_the_known_maximum() -> None:
    # On [a, b] the largest value of r - r^2 is at the point closest to 1/2.
    rng = random.Random(9)
    for _ in range(100):
        low = fmpq(rng.randint(0, 99), 100)
        high = low + fmpq(rng.randint(0, 100 - int(100 * low.p / low.q)), 100)
        best = min(max(low, fmpq(1, 2)), high)
        top = best - best * best
        prove("r", "r^2", top + fmpq(1, 10**8), low=low, high=high)
        with pytest.raises(Refuted):
            prove("r", "r^2", top - fmpq(1, 10**3), low=low, high=high)


def test_ties_at_the_ends_of_a_monotone_piece_are_decided() -> None:
    assert prove("1/2", "1 - r", fmpq(1, 2)) < 20
    assert prove("1/2", "1 - r", fmpq(1, 2), "lower") < 20
    with pytest.raises(Refuted):
        prove("1/2", "1 - r", fmpq(1, 2) - fmpq(1, 10**12))


def test_single_points() -> None:
    prove("r", "0", fmpq(1, 3), low=fmpq(1, 4), high=fmpq(1, 4))
    prove("1/2", "sqrt(9/25 - r^2)", fmpq(1, 2) + fmpq(1, 1000), low=fmpq(3, 5), high=fmpq(3, 5))
    with pytest.raises(Exhausted, match="C3: undecided at r = 1/3"):
        prove("r", "0", fmpq(1, 3), low=fmpq(1, 3), high=fmpq(1, 3))


def test_a_narrow_spike_between_any_grid_points_is_found() -> None:
    spike = "1 - r + 2*max(0, 1 - 10^6*abs(r - 0.1234567))"
    with pytest.raises(Refuted, match="C3: the error exceeds 1/10 at r = 64727/524288"):
        prove(spike, "1 - r", fmpq(1, 10))


@pytest.mark.parametrize(
    ("profile", "place"),
    [
        ("1/r", "near r = 0"),
        ("log(r)", "near r = 0"),
        ("1/(r - 1/2)", r"at r = 1/2 \(division by 0\)"),
        ("sqrt(1/2 - r)", r"at r = 3/4 \(the square root"),
        ("1/(r - 1/3)", r"near r = 0\.33333"),
        ("1/sin(4*r)", "near r = 0"),
        ("sqrt(r - pi)", "near r = 1/2"),
    ],
)
def test_profiles_that_are_not_defined_everywhere_are_refuted(profile: str, place: str) -> None:
    with pytest.raises(Refuted, match=f"profile: phi is not (certainly )?defined.*{place}"):
        prove("0", profile, fmpq(10**30))


def test_budget_and_depth_exhaust_and_never_pass() -> None:
    with pytest.raises(Exhausted, match="C3: the work limit of 3 units was reached"):
        prove("r", "r^2", fmpq(1, 4) + fmpq(1, 10**9), budget=3)
    with pytest.raises(Exhausted, match=r"C3: undecided near r = .* after 60 bisections"):
        prove("abs(r - 1/3)", "0", fmpq(0), "lower")


def test_branches_that_are_not_finite_never_pass() -> None:
    with pytest.raises(Exhausted):
        prove("log(r - 2)", "0", fmpq(1))


def test_long_profiles_cost_more() -> None:
    assert prove("0", "+".join(["r"] * 64), fmpq(64)) >= 4


def test_radii_in_errors() -> None:
    assert near(fmpq(3, 5)) == "3/5"
    assert near(fmpq(10**30 + 1, 3 * 10**30)) == "0.333333333333 (rounded)"
