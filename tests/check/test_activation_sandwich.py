"""Depth-2 networks of pairs of units with any activation: true documents are verified, forgeries are refused.

The documents are made here: a profile is evaluated with NumPy, even polynomials of degree 4 are laid around it, and the
claim is what they prove. Nothing of the library's own search or evaluation is used.
"""

from __future__ import annotations

import copy
import json
import math
import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import arb, fmpq
from scipy import special

from depthsep_check import Status, check, moment_sandwich
from depthsep_check.activations import ACTIVATIONS
from depthsep_check.document import ActivationGroup, OrbitDirections, PolynomialPair, encode
from depthsep_check.numbers import from_float
from depthsep_check.ridge_profiles import activation_profile
from depthsep_check.verdict import Budget, Exhausted, Refuted

Obj = dict[str, Any]
Pair = tuple[float, float, float]  # slope, centre, weight

FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda y: np.maximum(y, 0),
    "leaky_relu": lambda y: np.where(y > 0, y, y / 100),
    "softplus": lambda y: np.log1p(np.exp(-np.abs(y))) + np.maximum(y, 0),
    "gelu": lambda y: y * special.ndtr(y),
    "silu": lambda y: y * special.expit(y),
    "sigmoid": special.expit,
    "tanh": np.tanh,
    "erf": special.erf,
    "step": lambda y: np.where(y >= 0, 1.0, 0.0),
    "hard_tanh": lambda y: np.clip(y, -1, 1),
}
PAIRS: list[Pair] = [(1.0, 0.125, -0.5), (2.0, 0.5, -0.25), (4.0, 0.75, 0.125)]
EXPRESSION = "1 - r^2/2"


def profile(activation: str, pairs: list[Pair], z: np.ndarray) -> np.ndarray:
    s = FUNCTIONS[activation]
    return sum((w * (s(b * z - b * t) + s(-b * z - b * t)) for b, t, w in pairs), np.zeros_like(z))


def hexed(values: Any) -> list[str]:
    return [float(value).hex() for value in values]


def document(activation: str, pairs: list[Pair] = PAIRS, dim: int = 3, cells: int = 2) -> Obj:
    """The axes with one profile, and the best claim that its polynomials prove."""
    parts, low, error, bias = [], 0.0, 0.0, 1.0 - dim * float(profile(activation, pairs, np.zeros(1))[0])
    for place in range(1, cells + 1):
        end = place / cells
        z = np.linspace(0, end, 4001)
        values = profile(activation, pairs, z)
        fitted = np.polynomial.Polynomial.fit(z**2, values, 2, domain=[0, 1], window=[0, 1]).coef
        distance = np.abs(np.polynomial.polynomial.polyval(z**2, fitted) - values).max() + 1e-3
        upper, lower = fitted.copy(), fitted.copy()
        upper[0], lower[0] = fitted[0] + distance, fitted[0] - distance
        parts.append({"to": f"{place}/{cells}", "groups": [{"upper": hexed(upper), "lower": hexed(lower)}]})
        r = np.linspace(low, end, 2001)
        for q, sign in ((upper, 1), (lower, -1)):
            quartic = max(sign * q[2], 0) if dim > 1 else sign * q[2]
            bound = sign * (bias + dim * q[0] + q[1] * r**2) + quartic * r**4
            error = max(error, float((bound - sign * (1 - r**2 / 2)).max()))
        low = end
    parts[-1]["to"] = "1"
    group = {"directions": {"kind": "orbit", "generator": [1]}}
    group |= {
        key: hexed(column)
        for key, column in zip(("slopes", "centres", "weights"), zip(*pairs, strict=True), strict=True)
    }
    return {
        "format": "depthsep",
        "version": 1,
        "made_by": "tests",
        "function": {"kind": "radial", "expression": EXPRESSION},
        "claim": {
            "kind": "sup-error",
            "dim": dim,
            "domain": "unit-ball",
            "arithmetic": "real",
            "error": f"{math.ceil((error + 1e-4) * 10**6)}/{10**6}",
        },
        "network": {
            "kind": "activation-groups",
            "activation": activation,
            "dim": dim,
            "bias": bias.hex(),
            "groups": [group],
        },
        "witness": {"kind": "moment-sandwich", "cells": parts},
    }


def group_of(obj: Obj) -> Obj:
    return obj["network"]["groups"][0]  # type: ignore[no-any-return]


def attacked_error(obj: Obj) -> float:
    """The largest error found on rays through the origin."""
    network = obj["network"]
    dim = network["dim"]
    group = network["groups"][0]
    lists = ([float.fromhex(text) for text in group[key]] for key in ("slopes", "centres", "weights"))
    pairs = list(zip(*lists, strict=True))
    rng = np.random.default_rng(0)
    rays = np.concatenate([np.eye(dim), np.ones((1, dim)), rng.normal(size=(20, dim))])
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    # Jumps and kinks of one coordinate: exactly there, and on both sides.
    special_radii = [abs(t) for _, t, _ in pairs if abs(t) <= 1]
    radii = np.unique(np.concatenate([np.linspace(0, 1, 201), special_radii]))
    points = (rays[:, None] * radii[:, None]).reshape(-1, dim)
    values = profile(network["activation"], pairs, points).sum(axis=1) + float.fromhex(network["bias"])
    return float(np.abs(values - (1 - (points**2).sum(axis=1) / 2)).max())


def refused(obj: Obj, status: Status, start: str) -> None:
    verdict = check(encode(obj))
    assert verdict.status is status, verdict.line
    assert verdict.text.startswith(start), verdict.line


# ------------------------------------------------------------------------------------------------------------------
# True documents


def test_every_activation_of_the_checker_is_tried() -> None:
    assert FUNCTIONS.keys() == ACTIVATIONS.keys()


@pytest.mark.parametrize("dim", [1, 3])
@pytest.mark.parametrize("activation", FUNCTIONS)
def test_true_documents_are_verified_and_true(activation: str, dim: int) -> None:
    obj = document(activation, dim=dim)
    verdict = check(encode(obj))
    assert verdict.line == (
        f"VERIFIED |N(x) - f(x)| <= {Fraction(obj['claim']['error'])} for all real x with ||x|| <= 1 in dimension "
        f"{dim} (exact arithmetic); depth 2, widths ({6 * dim}), activation {activation}; "
        f"f(x) = phi(||x||), phi(r) = {EXPRESSION}"
    )
    assert attacked_error(obj) <= Fraction(obj["claim"]["error"])


@pytest.mark.parametrize("activation", FUNCTIONS)
def test_no_document_is_verified_below_its_true_error(activation: str) -> None:
    obj = document(activation)
    obj["claim"]["error"] = f"{int(attacked_error(obj) * 0.999 * 10**6)}/{10**6}"
    refused(obj, Status.REFUTED, "C3 ")


@pytest.mark.parametrize("activation", FUNCTIONS)
def test_the_activation_is_part_of_the_claim(activation: str) -> None:
    """The same numbers with another activation are another network."""
    for other in FUNCTIONS.keys() - {activation}:
        obj = document(activation)
        obj["network"]["activation"] = other
        verdict = check(encode(obj))
        alike = {activation, other} in (
            {"relu", "leaky_relu"},
            {"gelu", "silu"},
            {"tanh", "erf"},
            {"tanh", "hard_tanh"},
        )
        assert verdict.status is Status.REFUTED or (alike and attacked_error(obj) <= Fraction(obj["claim"]["error"]))


def test_units_far_outside_the_range_change_nothing() -> None:
    pairs = [*PAIRS, (4.0, 100.0, 0.5)]
    for activation in ("sigmoid", "gelu", "relu", "step", "softplus"):
        obj = document(activation, pairs)
        verdict = check(encode(obj))
        assert verdict.ok, verdict.line
        assert "widths (24)" in verdict.text


def test_centres_may_be_negative() -> None:
    for activation in ("sigmoid", "relu", "step", "hard_tanh"):
        obj = document(activation, [(1.0, -0.25, 0.125), *PAIRS])
        assert check(encode(obj)).ok


def test_no_groups_and_no_pairs() -> None:
    obj = document("tanh")
    obj["network"].update(groups=[], bias=(0.75).hex())
    obj["witness"]["cells"] = [{"to": "1", "groups": []}]
    obj["claim"]["error"] = "251/1000"
    assert "widths (0), activation tanh" in check(encode(obj)).text
    obj = document("tanh")
    group_of(obj).update(slopes=[], centres=[], weights=[])
    obj["network"]["bias"] = (0.75).hex()
    obj["witness"]["cells"] = [{"to": "1", "groups": [{"upper": hexed([0]), "lower": hexed([0])}]}]
    obj["claim"]["error"] = "251/1000"
    assert "widths (0), activation tanh" in check(encode(obj)).text


# ------------------------------------------------------------------------------------------------------------------
# Forgeries


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in parts:
        yield from leaves(inner, (*path, key))
    if not isinstance(value, dict | list):
        yield path


def mutants(value: Any, rng: random.Random) -> list[Any]:
    if isinstance(value, int):
        return [value + 1, value - 1, 0]
    if "0x" in value:
        number = float.fromhex(value)
        changed = [-number, 0.0, number + 0.03, number - 0.03, number * 1.25, number * 0.75, rng.gauss(0, 1), 1e300]
        return [c.hex() for c in changed if c != number]
    if value.replace("/", "").isdigit():
        return [str(Fraction(value) + Fraction(1, 10)), str(Fraction(value) / 2), "0", str(-Fraction(value))]
    return []


@pytest.mark.parametrize("activation", ["gelu", "step", "hard_tanh"])
def test_no_mutant_is_verified_unless_its_claim_holds(activation: str) -> None:
    rng = random.Random(5)
    obj = document(activation)
    seen = dict.fromkeys(Status, 0)
    for path in [path for path in leaves(obj) if path[0] in ("network", "claim", "witness")]:
        *parents, last = path
        at: Any = obj
        for key in path:
            at = at[key]
        for new in rng.sample(choices := mutants(at, rng), min(4, len(choices))):
            mutant: Any = copy.deepcopy(obj)
            place = mutant
            for key in parents:
                place = place[key]
            place[last] = new
            verdict = check(encode(mutant))
            seen[verdict.status] += 1
            if verdict.ok:
                assert attacked_error(mutant) <= Fraction(mutant["claim"]["error"]) + 1e-9, path
    assert seen[Status.REFUTED] > 30
    assert seen[Status.MALFORMED] > 5


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "erf", "hard_tanh"])
def test_a_spot_between_all_samples(activation: str) -> None:
    """A bump of height about 1 and width 1e-6, which no grid would see."""
    obj = document(activation)
    steep, at, wide = 2.0**22, 0.3, 2.0**-21
    for key, values in (("slopes", [steep, steep]), ("centres", [at, at + wide]), ("weights", [1.0, -1.0])):
        group_of(obj)[key] += hexed(values)
    refused(obj, Status.REFUTED, "C1 upper, cell 0, group 0: the profile is above its polynomial at z = ")


def test_a_step_of_one_ulp() -> None:
    obj = document("step")
    at = 0.3
    for key, values in (("slopes", [1, 1]), ("centres", [at, math.nextafter(at, 1)]), ("weights", [1.0, -1.0])):
        group_of(obj)[key] += hexed(values)
    refused(obj, Status.REFUTED, "C1 upper, cell 0, group 0: the profile is above its polynomial at z = ")


@pytest.mark.parametrize("at", [0.25, 0.5, 1.0])
def test_a_single_point(at: float) -> None:
    """[z >= t] + [z <= t] is 1 but for z = t, a point inside no piece; at the end of a cell or of the ball too."""
    obj = document("step", [(1.0, at, 0.25), (1.0, -at, 0.25), *PAIRS])
    assert profile("step", [(1.0, at, 1.0), (1.0, -at, 1.0)], np.array([0.1, at, 2.0])).tolist() == [2, 3, 2]
    claimed = Fraction(obj["claim"]["error"])
    verdict = check(encode(obj))
    if not verdict.ok:
        assert verdict.text.startswith("C1 upper, cell ")
    else:
        assert attacked_error(obj) <= claimed
    for key, values in (("slopes", [1, 1]), ("centres", [at, -at]), ("weights", [5, 5])):
        group_of(obj)[key] += hexed(values)
    for cell in obj["witness"]["cells"]:
        for side in ("upper", "lower"):
            q = cell["groups"][0][side]
            q[0] = (float.fromhex(q[0]) + 10.0).hex()
    obj["network"]["bias"] = (float.fromhex(obj["network"]["bias"]) - 30.0).hex()
    assert attacked_error(obj) > 4
    refused(obj, Status.REFUTED, "C1 upper, cell ")


def test_at_the_origin() -> None:
    """s(z) + s(-z) of the step is 1 but for z = 0, where it is 2."""
    obj = document("step", [(1.0, 0.0, 0.001), *PAIRS])
    group_of(obj)["weights"][0] = (1.0).hex()
    obj["network"]["bias"] = (float.fromhex(obj["network"]["bias"]) - 3 * 0.999).hex()
    for cell in obj["witness"]["cells"]:
        for side in ("upper", "lower"):
            q = cell["groups"][0][side]
            q[0] = (float.fromhex(q[0]) + 0.999).hex()
    assert attacked_error(obj) > 2
    refused(obj, Status.REFUTED, "C1 upper, cell 0, group 0: the profile is above its polynomial at z = 0")


@pytest.mark.parametrize("activation", ["gelu", "hard_tanh"])
def test_the_sandwich_must_reach_the_end_of_the_cell(activation: str) -> None:
    """A steep unit at the rim, in the last cell only."""
    obj = document(activation)
    for key, value in (("slopes", 512.0), ("centres", 1 - 2.0**-8), ("weights", 2.0)):
        group_of(obj)[key] += hexed([value])
    if activation == "hard_tanh":  # which is -1 at both of its units elsewhere
        obj["network"]["bias"] = (float.fromhex(obj["network"]["bias"]) + 12).hex()
        for cell in obj["witness"]["cells"]:
            for side in ("upper", "lower"):
                q = cell["groups"][0][side]
                q[0] = (float.fromhex(q[0]) - 4).hex()
    refused(
        obj,
        Status.REFUTED,
        "C1 upper, cell 1, group 0: " if activation == "hard_tanh" else "C1 lower, cell 1, group 0: ",
    )


def test_polynomials_that_touch_are_not_accepted() -> None:
    """The profile equals its upper polynomial at 0, with equal curvature: balls cannot decide, nothing is said."""
    obj = document("gelu", [(1.0, 0.0, 1.0)])
    curvature = math.sqrt(2 / math.pi)  # of z erf(z / sqrt(2)) / z^2 at 0
    for cell in obj["witness"]["cells"]:
        cell["groups"][0]["upper"] = hexed([0, curvature, 1])
    refused(obj, Status.EXHAUSTED, "C1, cell 0, group 0: undecided near z = ")


def test_the_work_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moment_sandwich, "WORK_LIMIT", 30)
    for activation in ("gelu", "step"):
        assert check(encode(document(activation))).status is Status.EXHAUSTED


@pytest.mark.parametrize(
    ("change", "status", "start"),
    [
        (lambda n: n.update(activation="swish"), Status.UNSUPPORTED, "network.activation 'swish' (known: relu, "),
        (lambda n: n.update(activation=1), Status.MALFORMED, "network.activation: expected a text"),
        (lambda n: n.update(affine=None), Status.MALFORMED, "network: unknown key 'affine'"),
        (lambda n: n.pop("bias"), Status.MALFORMED, 'network: the key "bias" is missing'),
        (lambda n: n["groups"][0].update(thresholds=[]), Status.MALFORMED, "network.groups[0]: unknown key"),
        (lambda n: n["groups"][0]["slopes"].pop(), Status.MALFORMED, "network.groups[0].centres: needs 2 entries"),
        (lambda n: n["groups"][0]["centres"].pop(), Status.MALFORMED, "network.groups[0].centres: needs 3 entries"),
        (lambda n: n["groups"][0]["weights"].pop(), Status.MALFORMED, "network.groups[0].weights: needs 3 entries"),
        (
            lambda n: n["groups"][0]["slopes"].__setitem__(1, (0.0).hex()),
            Status.MALFORMED,
            "network.groups[0].slopes[1]: a slope must be positive",
        ),
        (
            lambda n: n["groups"][0]["slopes"].__setitem__(2, (-4.0).hex()),
            Status.MALFORMED,
            "network.groups[0].slopes[2]: a slope must be positive",
        ),
        (
            lambda n: n["groups"][0].update(slopes=hexed([1] * 1025)),
            Status.MALFORMED,
            "network.groups[0].slopes: 1025 entries, at most 1024 are allowed",
        ),
        (lambda n: n.update(groups=n["groups"] * 2), Status.MALFORMED, "witness.cells[0].groups: 1 entries for 2"),
        (lambda n: n.update(dim=4), Status.MALFORMED, "network.dim: 4, but the claim is about dimension 3"),
        (lambda n: n.update(kind="ridge-groups", affine=None), Status.UNSUPPORTED, "network.activation 'gelu'"),
        (lambda n: n["groups"][0]["weights"].__setitem__(0, "nan"), Status.MALFORMED, "network.groups[0].weights[0]"),
        (lambda n: n["groups"][0]["weights"].__setitem__(0, "0x1p1030"), Status.MALFORMED, "network.groups[0].weigh"),
    ],
)
def test_forms(change: Callable[[Obj], object], status: Status, start: str) -> None:
    obj = document("gelu")
    change(obj["network"])
    refused(obj, status, start)


def test_the_witness_must_be_a_sandwich() -> None:
    obj = document("gelu")
    obj["witness"] = {"kind": "support-lines", "upper_slopes": [], "lower_slopes": []}
    refused(obj, Status.MALFORMED, "witness.kind: an activation-groups network needs a witness of kind moment-sandwich")
    obj = document("gelu")
    obj["function"] = {"kind": "ball-indicator", "radius": "1/2", "margin": "1/20"}
    refused(obj, Status.UNSUPPORTED, "a ball indicator for an activation-groups network")


def test_huge_numbers_are_refused_not_accepted() -> None:
    for activation in FUNCTIONS:
        for key, value in (("slopes", 1e300), ("centres", -1e300), ("weights", 1e300)):
            obj = document(activation)
            group_of(obj)[key][0] = value.hex()
            verdict = check(encode(obj))
            assert not verdict.ok or attacked_error(obj) <= Fraction(obj["claim"]["error"])


def test_the_digest_covers_the_activation() -> None:
    text = json.loads(encode(document("gelu")))
    text["network"]["activation"] = "silu"
    assert check(text).text.startswith("digest: ")


# ------------------------------------------------------------------------------------------------------------------
# The profiles


def pair_of_constants(upper: fmpq, lower: fmpq) -> PolynomialPair:
    return PolynomialPair((upper,), (lower,))


@pytest.mark.parametrize("activation", FUNCTIONS)
def test_constants_around_a_profile_are_its_extrema(activation: str) -> None:
    """Bounds a little outside the largest and least values are proved, bounds inside are refuted."""
    rng = random.Random(8)
    for _ in range(6):
        pairs = [
            (2.0 ** rng.randint(-2, 5), rng.choice([0.0, rng.uniform(-1, 1.2)]), rng.gauss(0, 1)) for _ in range(4)
        ]
        reach = rng.uniform(0.3, 2)
        z = np.linspace(0, reach, 20001)
        places = [abs(t + c / b) for b, t, _ in pairs for c in (-1, 0, 1)] + [abs(t) for _, t, _ in pairs]
        near = [p + q for p in places for q in (-1e-12, 0, 1e-12)]
        z = np.concatenate([z, [p for p in near if 0 <= p <= reach]])
        values = profile(activation, pairs, z)
        top, bottom = from_float(float(values.max())), from_float(float(values.min()))
        group = ActivationGroup(
            OrbitDirections((1,)), *(tuple(map(from_float, part)) for part in zip(*pairs, strict=True))
        )
        prove = activation_profile(group, ACTIVATIONS[activation]).require_between
        slack = fmpq(1, 10**4)
        prove(pair_of_constants(top + slack, bottom - slack), from_float(reach), "here", Budget(10**6))
        with pytest.raises(Refuted, match="C1 upper, here: the profile is above"):
            prove(pair_of_constants(top - slack, bottom - slack), from_float(reach), "here", Budget(10**6))
        with pytest.raises(Refuted, match="C1 lower, here: the profile is below"):
            prove(pair_of_constants(top + slack, bottom + slack), from_float(reach), "here", Budget(10**6))
        with pytest.raises(Exhausted):
            prove(pair_of_constants(top + slack, bottom - slack), from_float(reach), "here", Budget(0))


def test_balls_contain_the_profile_and_its_differences() -> None:
    rng = random.Random(9)
    for activation in ("gelu", "silu", "softplus", "sigmoid", "tanh", "erf"):
        pairs = [(2.0 ** rng.randint(-2, 4), rng.uniform(0, 1), rng.gauss(0, 1)) for _ in range(3)]
        group = ActivationGroup(
            OrbitDirections((1,)), *(tuple(map(from_float, part)) for part in zip(*pairs, strict=True))
        )
        smooth: Any = activation_profile(group, ACTIVATIONS[activation])
        for _ in range(20):
            low = rng.uniform(0, 1)
            high = low + rng.choice([0.001, 0.1, 0.5])
            z = np.linspace(low, high, 50)
            values = profile(activation, pairs, z)
            box = arb((low + high) / 2, (high - low) / 2 * 1.001)
            value, slope = smooth.value(box), smooth.derivative(box)
            slack = 1e-9
            assert float(value.lower()) <= values.min() + slack
            assert values.max() <= float(value.upper()) + slack
            steepness = np.diff(values) / np.diff(z)
            assert float(slope.lower()) <= steepness.min() + 1e-6
            assert steepness.max() <= float(slope.upper()) + 1e-6
