"""False documents for shallow networks, each refused at the step that is false.

Every test is a way in which a checker that reads too literally has accepted, or could accept, something untrue. The
documents are valid ones with one defect; where the claim itself becomes false, that is shown by evaluating the network.
"""

from __future__ import annotations

import copy
import json
import math
from types import SimpleNamespace
from typing import Any

import pytest

from depthsep_check import Status, Verdict, check

Obj = dict[str, Any]


def refused(verdict: Verdict, status: Status, start: str) -> None:
    assert verdict.status is status, verdict.line
    assert verdict.text.startswith(start), verdict.line


def malformed(shallow: SimpleNamespace, obj: Obj, start: str) -> None:
    refused(check(shallow.encode(obj)), Status.MALFORMED, start)


def refuted(shallow: SimpleNamespace, obj: Obj, start: str) -> None:
    refused(check(shallow.encode(obj)), Status.REFUTED, start)


def group_of(obj: Obj) -> Obj:
    return obj["network"]["groups"][0]  # type: ignore[no-any-return]


def error_at(shallow: SimpleNamespace, obj: Obj, x: list[float]) -> float:
    return abs(shallow.evaluate(obj["network"], x) - (1 - math.sqrt(sum(c * c for c in x))))


# ------------------------------------------------------------------------------------------------------------------
# The forgeries that our own trial checkers accepted


def test_p1_extra_degrees_in_the_polynomials(shallow: SimpleNamespace) -> None:
    """D = 100 on a line, "bounded" by +-1000 z^2 that a sum over j <= 0 would forget."""
    obj = shallow.cone_on_a_line()
    obj["network"]["affine"] = None
    group_of(obj).update(thresholds=shallow.weights(0.5), weights=shallow.weights(100))
    pair = {"upper": shallow.weights(0, 1000), "lower": shallow.weights(0, -1000)}
    obj["witness"]["cells"] = [{"to": "1", "groups": [pair]}]
    obj["claim"]["error"] = "51/100"
    assert error_at(shallow, obj, [1.0]) > 49
    refuted(shallow, obj, "C3 upper, cell 0")
    pair["lower"] = shallow.weights(0)
    malformed(shallow, obj, "witness.cells[0].groups: all polynomials of a cell must have the same number")


def test_p1_different_degrees_in_two_groups(shallow: SimpleNamespace) -> None:
    obj = shallow.cone_by_mixed_groups()
    for coefficients in obj["witness"]["cells"][0]["groups"][1].values():
        coefficients.append(shallow.weight(0))
    malformed(shallow, obj, "witness.cells[0].groups: all polynomials of a cell must have the same number")


@pytest.mark.parametrize("key", ["count", "width", "norm", "moments", "reach"])
def test_p2_derived_numbers_in_the_document(shallow: SimpleNamespace, key: str) -> None:
    obj = shallow.cone_by_axes()
    group_of(obj)["directions"][key] = 0
    malformed(shallow, obj, f"network.groups[0].directions.generator: unknown key '{key}'")
    obj = shallow.cone_by_axes()
    obj["network"][key] = 0
    malformed(shallow, obj, f"network: unknown key '{key}'")


def test_p3_thresholds_out_of_order(shallow: SimpleNamespace) -> None:
    obj = shallow.cone_by_axes()
    group_of(obj).update(thresholds=shallow.weights(1, 0.1), weights=shallow.weights(0, 100))
    malformed(shallow, obj, "network.groups[0].thresholds[1]: thresholds must be >= 0 and increase strictly")


def test_p3_thresholds_beyond_the_reach_keep_their_weights(shallow: SimpleNamespace) -> None:
    """A unit that is silent on the ball, before and after the active one in the list of weights."""
    obj = shallow.cone_by_axes()
    group = group_of(obj)
    active = group["weights"][0]
    group.update(thresholds=[*group["thresholds"], shallow.weight(1.5)], weights=[active, shallow.weight(100)])
    assert check(shallow.encode(obj)).ok
    group["weights"].reverse()
    refuted(shallow, obj, "C1 upper, cell 0, group 0: the profile is above its polynomial at z = ")


def test_p7_the_error_as_a_float(shallow: SimpleNamespace) -> None:
    obj = shallow.cone_by_axes()
    for spelling in ("0.31", "0x1.3d70a3d70a3d7p-2", "31e-2"):
        obj["claim"]["error"] = spelling
        malformed(shallow, obj, "claim.error: expected a rational")
    text = shallow.encode(shallow.cone_by_axes()).replace('"31/100"', "0.31")
    refused(check(text), Status.MALFORMED, "document: the number '0.31'")


# ------------------------------------------------------------------------------------------------------------------
# Directions


@pytest.mark.parametrize(
    ("generator", "reason"),
    [
        ([1, 0], "[1]: 0 is outside 1..1000"),
        ([1, -1], "[1]: -1 is outside 1..1000"),
        ([], ": needs between 1 and 10 entries, has 0"),
        ([1] * 11, ": needs between 1 and 10 entries, has 11"),
        ([1, 2], ": must not increase"),
    ],
)
def test_generators_for_which_the_size_formula_is_wrong(
    shallow: SimpleNamespace, generator: list[int], reason: str
) -> None:
    obj = shallow.cone_by_axes()
    group_of(obj)["directions"]["generator"] = generator
    malformed(shallow, obj, f"network.groups[0].directions.generator{reason}")


def test_a_code_that_repeats_a_column(shallow: SimpleNamespace) -> None:
    obj = shallow.cone_by_code()
    group_of(obj)["directions"]["columns"] = [0, 1, 2, 1]
    # x_2 and x_4 always come with the same sign, so along (0, 1, 0, 1) the moments are twice what they should be.
    refuted(shallow, obj, "moments of group 0: two sets of 1 columns have the same sum")


def test_one_zero_column_is_harmless(shallow: SimpleNamespace) -> None:
    obj = shallow.cone_by_code()
    for columns in ([0, 1, 2, 3], [3, 2, 0, 1]):
        group_of(obj)["directions"]["columns"] = columns
        assert check(shallow.encode(obj)).ok
    group_of(obj)["directions"]["columns"] = [0, 0, 1, 2]
    refuted(shallow, obj, "moments of group 0")


def test_the_strength_of_a_code_covers_the_largest_degree_of_all_cells(shallow: SimpleNamespace) -> None:
    obj = shallow.cone_by_code()
    (cell,) = obj["witness"]["cells"]
    higher = copy.deepcopy(cell)
    higher["to"] = "1/2"
    for coefficients in higher["groups"][0].values():
        coefficients.append(shallow.weight(0))
    obj["witness"]["cells"] = [higher, cell]
    # 0 + 3 = 1 + 2: strength 2 and not 4.
    refuted(shallow, obj, "moments of group 0: two sets of 2 columns have the same sum: the moments of degree 4")
    group_of(obj)["directions"].update(bits=3, columns=[0, 1, 2, 4])
    halved = [shallow.weight(float.fromhex(w) / 2) for w in group_of(obj)["weights"]]
    group_of(obj)["weights"] = halved
    for each in (higher, cell):
        pair = each["groups"][0]
        each["groups"] = [{side: [shallow.weight(float.fromhex(q) / 2) for q in pair[side]] for side in pair}]
    assert check(shallow.encode(obj)).ok


def test_a_code_is_not_halved_silently(shallow: SimpleNamespace) -> None:
    """The rows count with multiplicity: with one bit more and the same columns there are twice as many units."""
    obj = shallow.cone_by_code()
    group_of(obj)["directions"]["bits"] = 3
    refuted(shallow, obj, "C3 ")
    assert error_at(shallow, obj, [0.5] * 4) > 0.31


def test_strength_or_closure_by_name(shallow: SimpleNamespace) -> None:
    for key in ("strength", "closed_under_negation", "name"):
        obj = shallow.cone_by_code()
        group_of(obj)["directions"][key] = "kerdock"
        malformed(shallow, obj, f"network.groups[0].directions: unknown key '{key}'")


def test_explicit_sets_are_not_taken_for_designs(shallow: SimpleNamespace) -> None:
    obj = shallow.cone_in_the_plane()
    third = group_of(obj)["directions"]["vectors"][2]
    third[0] = shallow.weight(-0.25)
    refuted(shallow, obj, "C3 ")


def test_the_longest_of_explicit_vectors_sets_the_range(shallow: SimpleNamespace) -> None:
    obj = shallow.cone_by_mixed_groups()
    # The profile of the diagonals leaves its polynomials just beyond |z| = 1.
    vectors = group_of(obj | {"network": {"groups": obj["network"]["groups"][1:]}})["directions"]["vectors"]
    vectors[0] = [shallow.weight(3.0), shallow.weight(0.0)]
    refuted(shallow, obj, "C1 upper, cell 0, group 1")


# ------------------------------------------------------------------------------------------------------------------
# Cells, ranges, comparisons


@pytest.mark.parametrize(
    ("ends", "start"),
    [
        ([], "witness.cells: the last cell must end at 1, not at 0"),
        (["1/2"], "witness.cells: the last cell must end at 1, not at 1/2"),
        (["1", "1/2"], "witness.cells[1].to: the cells must increase strictly"),
        (["1/2", "1/2", "1"], "witness.cells[1].to: the cells must increase strictly"),
        (["0", "1"], "witness.cells[0].to: the cells must increase strictly from 0"),
        (["-1/2", "1"], "witness.cells[0].to: the cells must increase strictly from 0"),
        (["1", "2"], "witness.cells: the last cell must end at 1, not at 2"),
    ],
)
def test_cells_that_do_not_cover_the_radii(shallow: SimpleNamespace, ends: list[str], start: str) -> None:
    obj = shallow.cone_by_axes()
    (cell,) = obj["witness"]["cells"]
    obj["witness"]["cells"] = [{**cell, "to": end} for end in ends]
    malformed(shallow, obj, start)


def test_a_profile_is_bounded_up_to_the_outer_radius_of_its_cell(shallow: SimpleNamespace) -> None:
    """The first polynomials hold for |z| <= 1/2 and fail beyond; they are used for radii up to 3/4."""
    obj = shallow.cone_by_axes()
    (cell,) = obj["witness"]["cells"]
    inner = copy.deepcopy(cell)
    inner["to"] = "1/2"
    inner["groups"][0]["upper"] = shallow.weights(0.01801, -0.8)
    obj["witness"]["cells"] = [inner, cell]
    assert check(shallow.encode(obj)).ok
    inner["to"] = "3/4"
    refuted(shallow, obj, "C1 upper, cell 0, group 0: the profile is above its polynomial at z = ")


def test_a_violation_between_the_points_of_any_grid(shallow: SimpleNamespace) -> None:
    obj = shallow.cone_by_axes()
    obj["function"]["expression"] = "1 - r + max(0, 1 - 10^6*abs(r - 0.1234567))"
    refuted(shallow, obj, "C3 lower, cell 0: the error exceeds 31/100")


def test_an_undecided_polynomial_is_not_accepted(shallow: SimpleNamespace) -> None:
    """(z^2 - 1/9)^2 touches 0 at 1/3: true, but it cannot be decided by subdivision."""
    obj = shallow.cone_by_axes()
    group_of(obj).update(thresholds=[], weights=[])
    # The coefficients are float64, so 1/9 is only near; scaled, z = 1/3 becomes the zero of (9 z^2 - 1)^2.
    pair = {"upper": shallow.weights(1, -18, 81), "lower": shallow.weights(0, 0, 0)}
    obj["witness"]["cells"] = [{"to": "1", "groups": [pair]}]
    refused(check(shallow.encode(obj)), Status.EXHAUSTED, "C1 upper, cell 0, group 0: undecided after 60 bisections")


def test_an_undecided_radius_is_not_accepted(shallow: SimpleNamespace) -> None:
    """The error equals the claimed one at r = 1/3, an irreducible tie for balls."""
    obj = shallow.cone_by_axes()
    obj["network"].update(groups=[], bias=shallow.weight(0))
    obj["witness"]["cells"] = [{"to": "1", "groups": []}]
    obj["function"]["expression"] = "1/3 - abs(r - 1/3)/2"
    obj["claim"]["error"] = "1/3"
    refused(check(shallow.encode(obj)), Status.EXHAUSTED, "C3 lower, cell 0: undecided near r = 0.3333333333")


@pytest.mark.parametrize("bad", ["nan", "inf", "-inf", "0x1p1024", "1.0", "", True, False, None, 1, [], {}])
def test_numbers_that_compare_falsely(shallow: SimpleNamespace, bad: object) -> None:
    for path in (("bias",), ("groups", 0, "weights", 0), ("groups", 0, "thresholds", 0)):
        obj = shallow.cone_by_axes()
        target = obj["network"]
        for key in path[:-1]:
            target = target[key]
        target[path[-1]] = bad
        malformed(shallow, obj, "network.")


def test_json_numbers_duplicate_keys_and_extra_keys(shallow: SimpleNamespace) -> None:
    text = shallow.encode(shallow.cone_by_axes())
    for old, new, start in (
        ('"dim": 10', '"dim": NaN', "document: the number 'NaN'"),
        ('"dim": 10', '"dim": 10.0', "document: the number '10.0'"),
        ('"dim": 10', '"dim": 1, "dim": 10', "document: the key 'dim' appears twice"),
        ('"kind": "sup-error"', '"kind": "sup-error", "note": ""', "claim: unknown key 'note'"),
    ):
        forged = text.replace(old, new, 1)
        assert forged != text
        verdict = check(forged)
        if verdict.text.startswith("digest"):
            obj = json.loads(forged)
            del obj["digest"]
            verdict = check(shallow.encode(obj))
        refused(verdict, Status.MALFORMED, start)


# ------------------------------------------------------------------------------------------------------------------
# The affine part, the profile, the function, the statement


def test_the_affine_unit_is_missing(shallow: SimpleNamespace) -> None:
    obj = shallow.cone_on_a_line()
    obj["network"]["affine"] = None
    obj["network"]["bias"] = shallow.weight(1)
    assert error_at(shallow, obj, [1.0]) == 1
    refuted(shallow, obj, "C3 ")


def test_the_affine_unit_is_not_minus_the_sum_of_the_directions(shallow: SimpleNamespace) -> None:
    obj = shallow.cone_on_a_line()
    obj["network"]["affine"]["direction"] = shallow.weights(0.5)
    assert error_at(shallow, obj, [1.0]) == 0.5
    refuted(shallow, obj, "C3 ")


def test_the_affine_unit_is_not_affine_on_the_ball(shallow: SimpleNamespace) -> None:
    obj = shallow.cone_on_a_line()
    unit = obj["network"]["affine"]
    unit["direction"] = [(1.0).hex()]
    unit["offset"] = (1.0 - 2.0**-53).hex()
    refuted(shallow, obj, "affine unit: needs |direction| <= offset to be linear on the unit ball")
    unit["offset"] = (-1.0).hex()
    refuted(shallow, obj, "affine unit: needs |direction| <= offset")


def test_the_affine_unit_is_counted(shallow: SimpleNamespace) -> None:
    obj = shallow.cone_by_axes()
    zero = shallow.weight(0)
    obj["network"]["affine"] = {"direction": [zero] * 10, "offset": zero, "weight": zero}
    assert "widths (21)" in check(shallow.encode(obj)).text


def test_a_weight_that_no_float64_holds(shallow: SimpleNamespace) -> None:
    obj = shallow.cone_by_axes()
    group_of(obj)["weights"] = ["-0x1.33333333333331p-1"]
    malformed(shallow, obj, "network.groups[0].weights[0]: no float64 equals")


def test_profiles_are_even_by_definition(shallow: SimpleNamespace) -> None:
    for key in ("left_weights", "mirror", "sides"):
        obj = shallow.cone_by_axes()
        group_of(obj)[key] = shallow.weights(1)
        malformed(shallow, obj, f"network.groups[0]: unknown key '{key}'")


def test_the_function_by_name(shallow: SimpleNamespace) -> None:
    obj = shallow.cone_by_axes()
    obj["function"] = {"kind": "named", "name": "cone"}
    refused(check(shallow.encode(obj)), Status.UNSUPPORTED, "function.kind 'named'")


def test_another_function_than_the_one_proved(shallow: SimpleNamespace) -> None:
    obj = shallow.cone_by_axes()
    obj["function"]["expression"] = "1 - r/4"
    refuted(shallow, obj, "C3 lower, cell 0: the error exceeds 31/100")


def test_a_profile_that_is_not_defined_on_the_whole_ball(shallow: SimpleNamespace) -> None:
    for expression, reason in (
        ("1 - r + 0/(r - 1/2)", "profile: phi is not defined at r = 1/2 (division by 0)"),
        ("1 - r + 0*log(r)", "profile: phi is not certainly defined and finite near r = 0"),
        ("1 - r + 0*sqrt(0.999 - r)", "profile: phi is not "),
    ):
        obj = shallow.cone_by_axes()
        obj["function"]["expression"] = expression
        refuted(shallow, obj, reason)


def test_the_statement_names_domain_arithmetic_and_function(shallow: SimpleNamespace) -> None:
    text = check(shallow.encode(shallow.cone_by_axes())).text
    for part in ("for all real x with ||x|| <= 1", "in dimension 10", "exact arithmetic", "phi(r) = 1 - r", "depth 2"):
        assert part in text


@pytest.mark.parametrize(("key", "value"), [("arithmetic", "float64"), ("domain", "float-ball"), ("domain", "sphere")])
def test_claims_about_other_arithmetics_and_domains(shallow: SimpleNamespace, key: str, value: str) -> None:
    obj = shallow.cone_by_axes()
    obj["claim"][key] = value
    refused(check(shallow.encode(obj)), Status.UNSUPPORTED, f"claim.{key} '{value}'")


# ------------------------------------------------------------------------------------------------------------------
# Unbounded work


def test_sizes_beyond_the_limits(shallow: SimpleNamespace) -> None:
    one = shallow.weight(1)
    wide = {"upper": [one] * 14, "lower": [one] * 14}
    edits = {
        "claim.dim: 10000000 is outside": lambda o: o["claim"].update(dim=10**7),
        "network.groups[0].directions.generator[0]: 1000000 is outside": lambda o: group_of(o)["directions"].update(
            generator=[10**6]
        ),
        "witness.cells[0].groups[0].upper: 14 entries, at most 13": lambda o: o["witness"].update(
            cells=[{"to": "1", "groups": [wide]}]
        ),
        "witness.cells: 4097 entries": lambda o: o["witness"].update(cells=o["witness"]["cells"] * 4097),
        "claim.error: a rational with more than 400 digits": lambda o: o["claim"].update(error="1/" + "3" * 401),
        "network.groups: 65 entries": lambda o: o["network"].update(groups=o["network"]["groups"] * 65),
        "function.expression: column 2001: an expression has at most 2000": lambda o: o["function"].update(
            expression="r" * 2001
        ),
    }
    for start, edit in edits.items():
        obj = shallow.cone_by_axes()
        edit(obj)
        malformed(shallow, obj, start)


def test_explicit_vectors_in_high_dimension(shallow: SimpleNamespace) -> None:
    obj = shallow.cone_by_axes()
    group_of(obj)["directions"] = {"kind": "explicit", "vectors": [shallow.weights(1, *[0] * 9)]}
    refused(check(shallow.encode(obj)), Status.UNSUPPORTED, "explicit directions in dimension 10 (at most 4)")


def test_more_work_than_the_limit(shallow: SimpleNamespace) -> None:
    """A well-formed document that asks for the moments of 4096 vectors at degree 24 in dimension 4."""
    obj = shallow.cone_by_code()
    vector = shallow.weights(*[0.1] * 4)
    group_of(obj)["directions"] = {"kind": "explicit", "vectors": [vector] * 4096}
    zeros = shallow.weights(*[0] * 13)
    obj["witness"]["cells"] = [{"to": "1", "groups": [{"upper": zeros, "lower": zeros}]}]
    refused(check(shallow.encode(obj)), Status.EXHAUSTED, "moments of group 0: the work limit of ")


def test_the_largest_orbits_cost_nothing(shallow: SimpleNamespace) -> None:
    obj = shallow.cone_by_axes()
    obj["claim"]["dim"] = obj["network"]["dim"] = 10**6
    group_of(obj)["directions"]["generator"] = list(range(1000, 936, -1))
    group_of(obj)["weights"] = shallow.weights(0)
    obj["network"]["bias"] = shallow.weight(0.5)
    zeros = shallow.weights(*[0] * 13)
    obj["witness"]["cells"] = [{"to": "1", "groups": [{"upper": zeros, "lower": zeros}]}]
    obj["claim"]["error"] = "2/3"
    assert check(shallow.encode(obj)).ok


def test_linear_parts_in_high_dimension_are_rationed(shallow: SimpleNamespace) -> None:
    obj = shallow.cone_by_axes()
    obj["claim"]["dim"] = obj["network"]["dim"] = 10**6
    group_of(obj)["thresholds"] = shallow.weights(0)
    obj["network"]["groups"] *= 3
    obj["witness"]["cells"][0]["groups"] *= 3
    refused(check(shallow.encode(obj)), Status.EXHAUSTED, "linear part: the work limit of 2000000 units was reached")


def test_a_ball_indicator_needs_depth_three(shallow: SimpleNamespace) -> None:
    obj = shallow.cone_by_axes()
    obj["function"] = {"kind": "ball-indicator", "radius": "1/2", "margin": "1/4"}
    refused(check(shallow.encode(obj)), Status.UNSUPPORTED, "a ball indicator for a ridge-groups network")
