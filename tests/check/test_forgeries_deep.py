"""Forged depth-3 documents, each of a kind that a careless checker accepts; every one is refused for the right reason.

Next to each forgery stands its partner: the nearest honest document, which is accepted.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from flint import fmpq

from depthsep_check import check
from depthsep_check.document import encode
from depthsep_check.expression import parse
from depthsep_check.numbers import from_float
from depthsep_check.support_lines import Line, OuterProfile, Profile, SeparableProof, lower_lines, upper_lines
from depthsep_check.verdict import Budget, Refuted

Obj = dict[str, Any]
Units = list[tuple[float, float]]


def weights(*values: float) -> list[str]:
    return [float(value).hex() for value in values]


def separable(dim: int, first: Units, offset: float | None, bias: float, right: Units, left: Units = ()) -> Obj:
    """A network from (threshold, weight) pairs."""
    units = [*right, *left]
    return {
        "kind": "separable",
        "activation": "relu",
        "dim": dim,
        "first": {
            "thresholds": weights(*(t for t, _ in first)),
            "weights": weights(*(a for _, a in first)),
            "affine_offset": None if offset is None else offset.hex(),
        },
        "second": {
            "bias": float(bias).hex(),
            "thresholds": weights(*(z for z, _ in units)),
            "sides": ["right"] * len(right) + ["left"] * len(left),
            "weights": weights(*(w for _, w in units)),
        },
    }


def document(function: Obj | str, error: str, network: Obj, upper=(0, 1, 4, 16, 64), lower=(0, 0.5)) -> Obj:
    return {
        "format": "depthsep",
        "version": 1,
        "made_by": "tests",
        "function": {"kind": "radial", "expression": function} if isinstance(function, str) else function,
        "claim": {
            "kind": "sup-error",
            "dim": network["dim"],
            "domain": "unit-ball",
            "arithmetic": "real",
            "error": error,
        },
        "network": network,
        "witness": {"kind": "support-lines", "upper_slopes": weights(*upper), "lower_slopes": weights(*lower)},
    }


def verdict(obj: Obj) -> str:
    return check(encode(obj)).line


def squares(offset: float = 0.5) -> tuple[Units, float]:
    """t^2 interpolated at multiples of 1/4; a_0 = 1/4."""
    return [(0, 0.25), (0.25, 0.5), (0.5, 0.5), (0.75, 0.5)], offset


def ball(second: tuple[float, Units] = (1.0, [(0.625, -4), (0.875, 4)]), first: Units | None = None) -> Obj:
    """Radius 1/2, margin 1/4, in the plane."""
    knots, offset = squares()
    function = {"kind": "ball-indicator", "radius": "1/2", "margin": "1/4"}
    return document(function, "0", separable(2, first or knots, offset, *second))


def test_honest_ball():
    assert verdict(ball()).startswith("VERIFIED ")


# ------------------------------------------------------------------------------------------------------------------
# The numbered forgeries


def test_p4_small_values_of_q_are_cut_off_at_the_minimum_of_g_not_at_g_of_0():
    """G = -|t| + 2 (|t| - 1/100)_+ reaches -1/100, where psi is already steep: the error is 50.02, not 0.35."""

    def steep(error: str) -> Obj:
        network = separable(1, [(0, -1), (0.01, 2)], 1.0, 1.0, [(1.0, -1.0)], left=[(1.0, 5000.0)])
        return document("1 - r", error, network)

    assert verdict(steep("7/20")).startswith("REFUTED upper bound on the lower line: the error exceeds 7/20 at r = ")
    assert verdict(steep("50")).startswith("REFUTED upper bound on the lower line: the error exceeds 50 at r = ")
    assert verdict(steep("501/10")).startswith("VERIFIED ")


def test_p5_psi_is_what_its_units_say_on_the_whole_line():
    """psi = 1 - z continued to the end would have error 0.06; the stored units stop at z = 1/2, and 1/2 remains."""
    knots, offset = squares(0.25)

    def clamped(error: str, right: Units) -> Obj:
        return document("1 - r^2", error, separable(1, knots, offset, 1.0, right))

    assert verdict(clamped("3/10", [(0.25, -1)])).startswith("VERIFIED ")
    forged = [(0.25, -1), (0.75, 1)]
    assert verdict(clamped("3/10", forged)).startswith("REFUTED upper bound on the lower line: the error exceeds 3/10")
    assert verdict(clamped("26/50", forged)).startswith("VERIFIED ")


def test_p6_unsorted_thresholds():
    network = separable(1, [(0.75, 4), (0, 1)], 1.0, 1.0, [(1.0, -1.0)])
    obj = document("1 - r", "9/10", network)
    assert verdict(obj) == "MALFORMED network.first.thresholds[1]: thresholds must be >= 0 and increase strictly"


@pytest.mark.parametrize("knots", [[(0.25, 1.0), (0.25, 1.0)], [(-0.25, 1.0), (0.5, 1.0)]])
def test_p6_repeated_or_negative_thresholds(knots):
    obj = document("1 - r", "9/10", separable(1, knots, None, 1.0, []))
    assert "thresholds must be >= 0 and increase strictly" in verdict(obj)


@pytest.mark.parametrize("key", ["error", "radius", "margin"])
def test_p7_rationals_are_not_floats(key):
    obj = ball()
    place = obj["claim"] if key == "error" else obj["function"]
    place[key] = 0.1
    # As a number the reader refuses it before it could be rounded; as text it is no rational.
    assert check(json.dumps(obj)).line.startswith("MALFORMED document: the number '0.1': ")
    place[key] = "0.1"
    assert verdict(obj).startswith("MALFORMED ")
    place[key] = (0.1).hex()
    assert verdict(obj).startswith("MALFORMED ")


# ------------------------------------------------------------------------------------------------------------------
# The first layer


def test_heights_of_lines_are_not_read():
    obj = ball()
    obj["witness"]["upper_slopes"] = [{"slope": (0.0).hex(), "height": (0.0).hex()}]
    assert verdict(obj).startswith("MALFORMED witness.upper_slopes[0]: ")
    obj = ball()
    obj["witness"]["upper_heights"] = weights(0)
    assert verdict(obj).startswith("MALFORMED witness")


def test_the_height_of_a_line_is_recomputed():
    """G = |t|: the slope 0 bounds q by s + d/4, whatever a document would like."""
    profile = Profile.of([fmpq(0)], [fmpq(1)], fmpq(1))
    assert profile.excess_above(fmpq(0)) == fmpq(1, 4)
    # In dimension 1 the network 1 - |x| is exactly 1 - r, but the lines say only that |x| is at least s.
    network = separable(1, [(0, 1)], 1.0, 1.0, [(1.0, -1.0)])
    assert verdict(document("1 - r", "1/5", network)).startswith("REFUTED upper bound on the lower line")
    assert verdict(document("1 - r", "13/50", network)).startswith("VERIFIED ")
    assert verdict(document("1 - r^2", "6/25", network, upper=[0])).startswith("REFUTED lower bound on the upper line")
    assert verdict(document("1 - r^2", "13/50", network, upper=[0])).startswith("VERIFIED ")


@pytest.mark.parametrize("slope", [-1.5, -1.0, -(2.0**-1074)])
@pytest.mark.parametrize("side", ["upper_slopes", "lower_slopes"])
def test_negative_slopes(slope, side):
    """With g = t and l = -3/2 the vertex formula gives the height 0 where the truth is 3/2."""
    obj = ball()
    obj["witness"][side] = weights(0, slope)
    assert verdict(obj) == f"MALFORMED witness.{side}[1]: a slope must not be negative"
    lines = {"upper_slopes": upper_lines, "lower_slopes": lower_lines}[side]
    profile = Profile.of([fmpq(0)], [fmpq(1)], fmpq(1))
    with pytest.raises(Refuted, match=r"^support lines: the slope -.* is negative$"):
        lines(profile, [from_float(slope)], 1, fmpq(0), Budget(100))


def test_slopes_above_one_have_their_maximum_inside():
    """G = -|t|, l = 2: t^2 + |t| - 2 t^2 is 1/4 at t = 1/2, and 0 at both ends."""
    assert Profile.of([fmpq(0)], [fmpq(-1)], fmpq(1)).excess_below(fmpq(2)) == fmpq(1, 4)


def test_no_upper_slope():
    obj = ball()
    obj["witness"]["upper_slopes"] = []
    assert verdict(obj) == "REFUTED support lines: no upper slope is listed"


def test_no_lower_slope_leaves_the_minimum_of_g():
    obj = document("1 - r", "3/2", separable(2, *squares(), 1.0, [(0.5, -1)]), lower=[])
    assert verdict(obj).startswith("VERIFIED ")


def test_lines_hold_for_all_coordinates_up_to_one():
    """A threshold beyond the radius of a ball changes nothing there; one inside it does."""
    knots, _ = squares()
    assert verdict(ball(first=[*knots, (0.875, 100.0)])).startswith("VERIFIED ")
    assert verdict(ball(first=[*knots[:1], (0.125, 100.0), *knots[1:]])).startswith("REFUTED inside the ball: ")


def test_empty_interval_on_a_cell():
    """zlo > zhi on a cell shows that some hypothesis failed; it must not be repaired."""

    class Forged(SeparableProof):
        def lines(self, radius: fmpq) -> tuple[list[Line], list[Line]]:
            return [Line(fmpq(1, 100), fmpq(1))], [Line(fmpq(0), fmpq(1))]

    psi = OuterProfile(fmpq(0), [fmpq(0)], ["right"], [fmpq(1)])
    parts = (1, [], [], fmpq(0), psi, [], [fmpq(0)], Budget(1000))
    with pytest.raises(Refuted, match=r"^cells: the lower line exceeds the upper one near r = 0$"):
        Forged(*parts).prove_radial(parse("r^2"), fmpq(1))


# ------------------------------------------------------------------------------------------------------------------
# The extra unit


@pytest.mark.parametrize("dim", [4, 9, 2])
def test_extra_unit_must_be_linear_on_the_ball(dim):
    """relu(B - a_0 sum x_i) needs B >= |a_0| sqrt(dim): equality for squares, the float above the root otherwise."""
    root = float(dim) ** 0.5
    enough = root if int(root) == root else root * (1 + 2**-52)
    short = root * (1 - 2**-52)

    def with_offset(offset: float, odd: float = 1.0) -> Obj:
        network = separable(dim, [(0, odd)], offset, 0.5, [])
        return document("1 - r", "2/3", network)

    reason = "REFUTED extra unit: affine_offset is below |a_0| sqrt(dim): not linear on the unit ball"
    assert verdict(with_offset(enough)).startswith("VERIFIED ")
    assert verdict(with_offset(enough, -1.0)).startswith("VERIFIED ")
    assert verdict(with_offset(short)) == reason
    assert verdict(with_offset(-enough)) == reason
    assert verdict(with_offset(0.0)) == reason


def test_extra_unit_is_checked_for_balls_too():
    obj = ball()
    obj["network"]["first"]["affine_offset"] = (0.25).hex()
    assert verdict(obj).startswith("REFUTED extra unit: ")


@pytest.mark.parametrize(("first", "offset"), [([(0, 1)], None), ([(0.5, 1)], 1.0), ([], 1.0)])
def test_extra_unit_exactly_when_a_threshold_is_zero(first, offset):
    obj = document("1 - r", "2/3", separable(1, first, offset, 0.5, []))
    assert verdict(obj).startswith(
        "MALFORMED network.first.affine_offset: must be a weight when the first threshold is 0"
    )


def test_extra_unit_is_counted():
    assert "widths (15, 2)" in verdict(ball())
    obj = ball()
    obj["network"]["widths"] = [14, 2]
    assert verdict(obj).startswith("MALFORMED network")


# ------------------------------------------------------------------------------------------------------------------
# The second layer


@pytest.mark.parametrize(
    ("second", "step"),
    [
        ((1.0, [(0.625, -4), (0.875, 4 * (1 + 2**-52))]), "second layer: psi is not constant at both ends"),
        ((1.0, [(0.625, -4), (0.875 + 2**-53, 4)]), "outside the ball: the network is not within 0 of 0"),
        ((1.0, [(0.625, -4), (0.875 - 2**-53, 4)]), "outside the ball: the network is not within 0 of 0"),
        ((1.0 - 2**-53, [(0.625, -4), (0.875, 4)]), "inside the ball: the network is not within 0 of 1"),
        ((1.0, [(0.5625, -4), (0.8125, 4)]), "inside the ball: the network is not within 0 of 1"),
        ((1.0, [(0.625, -4)]), "second layer: psi is not constant at both ends"),
        ((0.0, []), "inside the ball: the network is not within 0 of 1"),
    ],
)
def test_ramp_must_be_exact(second, step):
    """c (z_B - z_A) = 1 exactly, or the values off the margin are wrong by an ulp."""
    assert verdict(ball(second)) == f"REFUTED {step}"


def test_bump_of_psi_between_is_free_but_beyond_it_is_not():
    bump = [(0.65625, 3.0), (0.6875, -6.0), (0.71875, 3.0)]
    assert verdict(ball((1.0, [(0.625, -4), (0.875, 4), *bump]))).startswith("VERIFIED ")
    beyond = [(z + 0.5, w) for z, w in bump]
    assert verdict(ball((1.0, [(0.625, -4), (0.875, 4), *beyond]))).startswith("REFUTED outside the ball: ")


def test_shrinking_to_the_shell_needs_a_growing_g():
    """A negative partial sum beyond the shell lets q fall back: N is 1 at radius 1."""
    knots, _ = squares()
    forged = [*knots, (0.8125, -8.0)]
    assert verdict(ball(first=forged)) == (
        "REFUTED first layer: a partial sum of the weights is negative: q may shrink away from the origin"
    )
    # The sums, not the weights, must be nonnegative: this G grows more slowly, but grows.
    assert verdict(ball(first=[*knots, (0.8125, -1.75)])).startswith("VERIFIED ")


def test_local_extremes_of_psi_inside_the_interval():
    """At both ends of the interval of q psi is right; the spike between them is not."""
    knots, offset = squares()
    spike = [(0.75, 400.0), (0.7505, -800.0), (0.751, 400.0)]
    network = separable(2, knots, offset, 1.0, [(0.5, -1), *spike])
    assert verdict(document("1 - r^2", "1/10", separable(2, knots, offset, 1.0, [(0.5, -1)]))).startswith("VERIFIED ")
    assert verdict(document("1 - r^2", "1/10", network)).startswith("REFUTED upper bound ")
    for unit in spike:
        network["second"]["weights"][network["second"]["thresholds"].index(float(unit[0]).hex())] = (-unit[1]).hex()
    assert verdict(document("1 - r^2", "1/10", network)).startswith("REFUTED lower bound ")


# ------------------------------------------------------------------------------------------------------------------
# The profile, the claim, the work


def test_kinks_of_phi_are_enclosed():
    """The profile is wrong only near its kink at 1/3, which is no midpoint of any bisection."""
    knots, offset = squares()
    network = separable(1, knots, offset, 0.0, [])
    spike = "max(0, 1 - 1000000*abs(r - 1/3))"
    assert verdict(document(spike, "1/2", network)).startswith(("REFUTED ", "EXHAUSTED "))
    assert verdict(document(spike, "11/10", network)).startswith("VERIFIED ")


def test_an_error_just_reached_is_never_refuted_and_just_missed_never_verified():
    network = separable(1, [], None, 0.0, [])

    def claim(error: str) -> str:
        return verdict(document("r/3", error, network, upper=[0], lower=[]))

    assert claim("1/3").startswith(("VERIFIED ", "EXHAUSTED "))
    assert claim("333333333333/1000000000000").startswith("REFUTED ")
    assert claim("333333333334/1000000000000").startswith("VERIFIED ")


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "0x1p1024", "1.0", "0x1.00000000000001p0", ""])
def test_weights_that_no_float64_holds(text):
    obj = ball()
    obj["network"]["second"]["weights"][0] = text
    assert verdict(obj).startswith("MALFORMED network.second.weights[0]: ")


@pytest.mark.parametrize("value", [True, 1, None, ["0x1p0"]])
def test_weights_of_another_type(value):
    obj = ball()
    obj["network"]["first"]["weights"][0] = value
    assert verdict(obj).startswith("MALFORMED network.first.weights[0]: ")


def test_lists_of_different_lengths():
    for path in (("first", "weights"), ("second", "weights"), ("second", "sides")):
        obj = ball()
        obj["network"][path[0]][path[1]].pop()
        assert verdict(obj).startswith(f"MALFORMED network.{path[0]}.")


def test_unknown_side():
    obj = ball()
    obj["network"]["second"]["sides"][0] = "both"
    assert verdict(obj) == 'MALFORMED network.second.sides[0]: expected "right" or "left", found \'both\''


def test_dimension_of_another_network():
    obj = ball()
    obj["claim"]["dim"] = 3
    assert verdict(obj).startswith("MALFORMED network.dim: 2, but the claim is about dimension 3")


def test_error_zero_is_for_balls_only():
    assert verdict(document("1 - r", "0", separable(1, [], None, 0.0, []))).startswith("MALFORMED claim.error: ")


def test_witness_of_another_kind():
    obj = ball()
    obj["witness"] = {"kind": "moment-sandwich", "cells": [{"to": "1", "groups": []}]}
    assert verdict(obj).startswith("MALFORMED witness.kind: ")


def test_unbounded_lists():
    obj = ball()
    obj["witness"]["upper_slopes"] = weights(0) * 20_001
    assert verdict(obj).startswith("MALFORMED witness.upper_slopes: ")


def test_slow_documents_are_exhausted(monkeypatch):
    """Ten thousand lines over many pieces: within the limits of the format, over the limit of work."""
    monkeypatch.setattr("depthsep_check.support_lines.MAX_WORK", 5000)
    first = [(i / 400, 2 / 400) for i in range(1, 400)]
    obj = document("1 - r", "1", separable(1, first, None, 1.0, []), upper=[i / 100 for i in range(10_000)])
    assert verdict(obj) == "EXHAUSTED support lines: the work limit of 5000 units was reached"


def test_statement_names_domain_arithmetic_and_counted_widths():
    line = verdict(ball())
    for words in ("for all real x with ||x|| <= 1", "in dimension 2", "(exact arithmetic)", "depth 3, widths (15, 2)"):
        assert words in line
