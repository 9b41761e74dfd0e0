"""The checker of depth-3 networks: its exact parts against their definitions, and whole documents."""

from __future__ import annotations

import copy
import itertools
import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from flint import arb, fmpq

from depthsep_check import check
from depthsep_check.document import encode
from depthsep_check.numbers import precision
from depthsep_check.support_lines import (
    Cell,
    Composite,
    Line,
    OuterProfile,
    Profile,
    cells,
    lower_envelope,
    root_below,
    upper_envelope,
)

Obj = dict[str, Any]


def weights(*values: float) -> list[str]:
    return [float(value).hex() for value in values]


def cone() -> Obj:
    """1 - r in the plane: squares interpolated at multiples of 1/4, then 1 - sqrt(z) interpolated at their squares."""
    return {
        "format": "depthsep",
        "version": 1,
        "made_by": "tests",
        "function": {"kind": "radial", "expression": "1 - r"},
        "claim": {"kind": "sup-error", "dim": 2, "domain": "unit-ball", "arithmetic": "real", "error": "2/25"},
        "network": {
            "kind": "separable",
            "activation": "relu",
            "dim": 2,
            "first": {
                "thresholds": weights(0, 0.25, 0.5, 0.75),
                "weights": weights(0.25, 0.5, 0.5, 0.5),
                "affine_offset": (0.5).hex(),
            },
            "second": {
                "bias": (1.0).hex(),
                "thresholds": weights(0.5, 0.5625, 0.75, 1.0625),
                "sides": ["right"] * 4,
                "weights": weights(-4, 8 / 3, 8 / 15, 8 / 35),
            },
        },
        "witness": {
            "kind": "support-lines",
            "upper_slopes": weights(0, 0.5, 1, 2, 4, 8, 16),
            "lower_slopes": weights(0, 0.5),
        },
    }


def ball() -> Obj:
    """1 up to radius 1/4, 0 from radius 3/4 on, with the same first layer."""
    obj = cone()
    obj["function"] = {"kind": "ball-indicator", "radius": "1/2", "margin": "1/4"}
    obj["claim"]["error"] = "0"
    obj["network"]["second"] = {
        "bias": (1.0).hex(),
        "thresholds": weights(0.625, 0.875),
        "sides": ["right", "right"],
        "weights": weights(-4, 4),
    }
    return obj


def edited(obj: Obj, change: Callable[[Obj], object]) -> str:
    changed = copy.deepcopy(obj)
    change(changed)
    return encode(changed)


def evaluate(network: Obj, x: list[Fraction]) -> Fraction:
    """The network, unit by unit, as the format page defines it, in exact rationals."""
    number = lambda text: Fraction(float.fromhex(text))  # noqa: E731
    relu = lambda z: max(z, Fraction(0))  # noqa: E731
    first, second = network["first"], network["second"]
    q = Fraction(0)
    for t, a in zip(map(number, first["thresholds"]), map(number, first["weights"]), strict=True):
        for coordinate in x:
            q += a * (relu(coordinate - t) + relu(-coordinate - t)) if t > 0 else 2 * a * relu(coordinate)
    if first["affine_offset"] is not None:
        q += relu(-number(first["weights"][0]) * sum(x) + number(first["affine_offset"]))
    total = number(second["bias"])
    units = zip(map(number, second["thresholds"]), second["sides"], map(number, second["weights"]), strict=True)
    for z, side, w in units:
        total += w * relu(q - z if side == "right" else z - q)
    return total


def plane_points(steps: int = 24) -> list[list[Fraction]]:
    grid = [Fraction(i, steps) for i in range(-steps, steps + 1)]
    return [[a, b] for a, b in itertools.product(grid, grid) if a * a + b * b <= 1]


def error_at(obj: Obj, x: list[Fraction]) -> float:
    r = float(sum(c * c for c in x)) ** 0.5
    value = float(evaluate(obj["network"], x))
    if obj["function"]["kind"] == "radial":
        return abs(value - (1 - r))
    return abs(value - 1) if r <= 0.25 else abs(value) if r >= 0.75 else 0.0


# ------------------------------------------------------------------------------------------------------------------
# Whole documents


def test_cone_is_verified_with_its_statement():
    verdict = check(encode(cone()))
    assert verdict.line == (
        "VERIFIED |N(x) - f(x)| <= 2/25 for all real x with ||x|| <= 1 in dimension 2 (exact arithmetic); "
        "depth 3, widths (15, 4); f(x) = phi(||x||), phi(r) = 1 - r"
    )


def test_ball_is_verified_with_error_zero():
    verdict = check(encode(ball()))
    assert verdict.line == (
        "VERIFIED |N(x) - f(x)| <= 0 for all real x with ||x|| <= 1 in dimension 2 (exact arithmetic); "
        "depth 3, widths (15, 2); f = 1 where ||x|| <= 1/4, f = 0 where ||x|| >= 3/4, no claim between"
    )


def test_left_units_and_any_order_give_the_same_function():
    def mirror(obj: Obj) -> None:
        # 1 - 4 relu(q - 5/8) + 4 relu(q - 7/8) = 4 relu(7/8 - q) - 4 relu(5/8 - q)
        obj["network"]["second"] = {
            "bias": (0.0).hex(),
            "thresholds": weights(0.875, 0.625),
            "sides": ["left", "left"],
            "weights": weights(4, -4),
        }

    assert check(edited(ball(), mirror)).ok

    def shuffle(obj: Obj) -> None:
        second = obj["network"]["second"]
        for key in ("thresholds", "sides", "weights"):
            second[key].reverse()

    assert check(edited(cone(), shuffle)).ok


def test_no_point_exceeds_a_verified_error_and_the_proof_is_not_loose():
    worst = max(error_at(cone(), x) for x in plane_points())
    assert worst <= 2 / 25
    # The bound is about envelopes, which two coordinates only nearly reach.
    assert worst >= 0.9 * 2 / 25
    assert max(error_at(ball(), x) for x in plane_points()) == 0


def test_a_claim_below_the_true_error_is_refuted():
    worst = max(error_at(cone(), x) for x in plane_points())
    for share in (0.999, 0.9, 0.5, 0.1):
        claim = str(Fraction(worst * share).limit_denominator(10**9))
        verdict = check(edited(cone(), lambda obj, claim=claim: obj["claim"].update(error=claim)))
        assert verdict.line.startswith("REFUTED ")
        assert f"the error exceeds {claim} at r = " in verdict.text


def test_constant_network_with_empty_lists():
    def make_constant(obj: Obj, error: str) -> None:
        obj["network"]["first"] = {"thresholds": [], "weights": [], "affine_offset": None}
        obj["network"]["second"] = {"bias": (0.5).hex(), "thresholds": [], "sides": [], "weights": []}
        obj["witness"] = {"kind": "support-lines", "upper_slopes": weights(0), "lower_slopes": []}
        obj["claim"]["error"] = error

    assert "widths (0, 0)" in check(edited(cone(), lambda obj: make_constant(obj, "501/1000"))).text
    refuted = check(edited(cone(), lambda obj: make_constant(obj, "499/1000")))
    assert refuted.line.startswith("REFUTED upper bound on the lower line: the error exceeds 499/1000 at r = ")


def test_undefined_profile_is_refuted():
    verdict = check(edited(cone(), lambda obj: obj["function"].update(expression="1 - sqrt(r - 1/10)")))
    assert verdict.line.startswith("REFUTED profile: phi is not ")


def test_profile_with_infinite_slope_is_proved():
    def change(obj: Obj) -> None:
        obj["function"]["expression"] = "1 - sqrt(r)"
        obj["claim"]["error"] = "4/5"

    assert check(edited(cone(), change)).ok


def test_work_limit(monkeypatch):
    monkeypatch.setattr("depthsep_check.support_lines.MAX_WORK", 5)
    assert check(encode(cone())).line == "EXHAUSTED support lines: the work limit of 5 units was reached"
    monkeypatch.setattr("depthsep_check.support_lines.MAX_WORK", 40)
    assert check(encode(cone())).text.endswith("the work limit of 40 units was reached")


def every_number(obj: Obj) -> list[tuple[Obj, Any]]:
    """(container, key) of every stored weight."""
    first, second, witness = obj["network"]["first"], obj["network"]["second"], obj["witness"]
    lists = [first["thresholds"], first["weights"], second["thresholds"], second["weights"]]
    lists += [witness["upper_slopes"], witness["lower_slopes"]]
    places: list[tuple[Any, Any]] = [(numbers, i) for numbers in lists for i in range(len(numbers))]
    return [*places, (first, "affine_offset"), (second, "bias")]


@pytest.mark.parametrize("builder", [cone, ball])
def test_no_mutant_is_verified_unless_its_claim_holds(builder):
    points = plane_points(8)
    verified = refused = 0
    for index in range(len(every_number(builder()))):
        for factor, shift in ((1 + 2**-20, 0.0), (1.25, 0.0), (0.5, 0.0), (-1.0, 0.0), (1.0, 0.125), (0.0, 0.0)):
            mutant = builder()
            container, key = every_number(mutant)[index]
            container[key] = (float.fromhex(container[key]) * factor + shift).hex()
            if check(encode(mutant)).ok:
                verified += 1
                claim = float(Fraction(mutant["claim"]["error"]))
                assert max(error_at(mutant, x) for x in points) <= claim + 1e-12
            else:
                refused += 1
    assert verified >= 10
    assert refused >= 40


# ------------------------------------------------------------------------------------------------------------------
# Lines


def random_profile(rng: random.Random) -> tuple[list[fmpq], list[fmpq]]:
    thresholds = sorted({fmpq(rng.randint(0, 40), 32) for _ in range(rng.randint(0, 5))})
    return thresholds, [fmpq(rng.randint(-8, 8), rng.randint(1, 5)) for _ in thresholds]


def even_function(thresholds: list[fmpq], values: list[fmpq], t: fmpq) -> fmpq:
    return sum((a * max(t - k, fmpq(0)) for k, a in zip(thresholds, values, strict=True)), fmpq(0))


@pytest.mark.parametrize("seed", range(20))
def test_maxima_are_attained_and_never_exceeded(seed):
    rng = random.Random(seed)
    thresholds, values = random_profile(rng)
    radius = fmpq(rng.randint(8, 32), 32)
    profile = Profile.of(thresholds, values, radius)
    sample = [radius * i / 960 for i in range(961)]
    heights = [even_function(thresholds, values, t) for t in sample]
    for slope in (fmpq(0), fmpq(1, 3), fmpq(1), fmpq(5, 2), fmpq(40)):
        above = max(h - (1 + slope) * t * t for h, t in zip(heights, sample, strict=True))
        below = max((1 - slope) * t * t - h for h, t in zip(heights, sample, strict=True))
        assert above <= profile.excess_above(slope) <= above + fmpq(1, 5000)
        assert below <= profile.excess_below(slope) <= below + fmpq(1, 5000)


@pytest.mark.parametrize("seed", range(10))
def test_envelopes_are_the_extremes_of_all_lines(seed):
    rng = random.Random(seed)
    lines = [Line(fmpq(rng.randint(-9, 9), 7), fmpq(rng.randint(-6, 6), 5)) for _ in range(rng.randint(1, 12))]
    for envelope, extreme in ((lower_envelope(lines), min), (upper_envelope(lines), max)):
        assert envelope[0][0] == 0
        assert all(a < b for (a, _), (b, _) in itertools.pairwise(envelope))
        for i in range(101):
            s = fmpq(i, 100)
            active = next(line for since, line in reversed(envelope) if since <= s)
            assert active.at(s) == extreme(line.at(s) for line in lines)


@pytest.mark.parametrize("seed", range(6))
def test_cells_cover_all_radii_with_the_active_lines(seed):
    rng = random.Random(seed)
    upper = [Line(fmpq(rng.randint(0, 30), 40), 1 + fmpq(rng.randint(0, 30), 20)) for _ in range(6)]
    lower = [Line(-fmpq(rng.randint(0, 30), 40), 1 - fmpq(rng.randint(0, 40), 20)) for _ in range(6)]
    found = list(cells(lower, upper))
    assert found[0].low == 0
    assert found[-1].high == 1
    assert all(a.high == b.low for a, b in itertools.pairwise(found))
    for cell in found:
        assert cell.low < cell.high
        s = ((cell.low + cell.high) / 2) ** 2
        assert cell.upper.at(s) == min(line.at(s) for line in upper)
        assert cell.lower.at(s) == max(line.at(s) for line in lower)


@pytest.mark.parametrize("lower_slope", [fmpq(1, 2), fmpq(0), fmpq(-3, 2)])
def test_windows_contain_all_radii_that_allow_a_value(lower_slope):
    cell = Cell(fmpq(1, 4), fmpq(3, 4), Line(fmpq(-1, 10), lower_slope), Line(fmpq(1, 10), fmpq(5, 4)))
    empty = found = 0
    for i in range(-40, 60):
        z = fmpq(i, 40)
        radii = [
            r for r in (fmpq(k, 400) for k in range(100, 301)) if cell.lower.at(r * r) <= z <= cell.upper.at(r * r)
        ]
        window = cell.window(z)
        if window is None:
            empty += 1
            assert not radii
        else:
            found += 1
            assert cell.low <= window[0] <= window[1] <= cell.high
            assert all(window[0] <= r <= window[1] for r in radii)
    assert empty
    assert found


def test_root_below():
    for s in (fmpq(0), fmpq(1, 3), fmpq(1, 10**30), fmpq(4, 9), fmpq(1)):
        root = root_below(s)
        assert root * root <= s < (root + fmpq(1, 2**60)) ** 2


# ------------------------------------------------------------------------------------------------------------------
# psi


def random_outer(rng: random.Random) -> tuple[OuterProfile, Callable[[fmpq], fmpq]]:
    count = rng.randint(0, 6)
    places = [fmpq(rng.randint(-6, 6), 4) for _ in range(count)]  # repeated ones included
    sides = [rng.choice(["left", "right"]) for _ in range(count)]
    values = [fmpq(rng.randint(-5, 5), 3) for _ in range(count)]
    bias = fmpq(rng.randint(-3, 3))

    def direct(z: fmpq) -> fmpq:
        units = zip(places, sides, values, strict=True)
        return bias + sum((w * max(z - p if side == "right" else p - z, fmpq(0)) for p, side, w in units), fmpq(0))

    return OuterProfile(bias, places, sides, values), direct


@pytest.mark.parametrize("seed", range(20))
def test_outer_profile_is_rebuilt_on_the_whole_line(seed):
    rng = random.Random(seed)
    psi, direct = random_outer(rng)
    sample = [fmpq(i, 16) for i in range(-40, 41)]
    assert [psi.at(z) for z in sample] == [direct(z) for z in sample]
    for sign in (1, -1):
        extremes = dict(psi.extremes(sign))
        for a, z, b in zip(sample, sample[1:], sample[2:], strict=False):
            if sign * direct(a) < sign * direct(z) > sign * direct(b):
                assert extremes[z] == direct(z)


@pytest.mark.parametrize("seed", range(20))
def test_enclosures_of_psi_and_of_branches_contain_their_values(seed):
    rng = random.Random(seed)
    psi, direct = random_outer(rng)
    line = Line(fmpq(rng.randint(-8, 8), 8), fmpq(rng.randint(-4, 8), 4))
    branch = Composite(psi, line)
    with precision(128):
        for _ in range(30):
            a, b = sorted(fmpq(rng.randint(0, 64), 64) for _ in range(2))
            box = arb(a).union(arb(b))
            value, slope = branch.value(box), branch.derivative(box)
            ends = direct(line.at(a * a)), direct(line.at(b * b))
            assert all(value.contains(arb(end)) for end in ends)
            if a < b:
                assert slope.contains(arb((ends[1] - ends[0]) / (b - a)))
            assert branch.value(arb(a)).rad() < 1e-30


def test_too_many_pieces_at_once_are_not_enclosed():
    knots = [fmpq(i, 100) for i in range(100)]
    psi = OuterProfile(fmpq(0), knots, ["right"] * 100, [fmpq(1)] * 100)
    assert not psi.value_over(arb(0).union(arb(1))).is_finite()
    assert psi.value_over(arb(fmpq(1, 2))).is_finite()


def test_half_line_ranges():
    psi = OuterProfile(fmpq(1), [fmpq(1), fmpq(2), fmpq(3)], ["right"] * 3, [fmpq(-1), fmpq(2), fmpq(-1)])
    assert psi.range_below(fmpq(3, 2)) == (fmpq(1, 2), 1)
    assert psi.range_below(fmpq(5)) == (0, 1)
    assert psi.range_above(fmpq(3, 2)) == (0, 1)
    assert psi.range_above(fmpq(5, 2)) == (fmpq(1, 2), 1)
