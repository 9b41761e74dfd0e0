"""Cones over the reflection group A_d: what the branch and bound accepts, and forgeries of every part."""

from __future__ import annotations

import copy
import itertools
import math
import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import fmpq
from numpy.typing import NDArray

from depthsep_check import Status, Verdict, chamber_cells, check
from depthsep_check.chamber_cells import orbit, orbit_size
from depthsep_check.document import encode
from depthsep_check.verdict import Budget, Exhausted, Refuted

Obj = dict[str, Any]
Array = NDArray[np.float64]

# Family, weights of the orbits for S <= 1, and a little more than their error (1 - min S) / 2.
PLANE = (2, [[1, -1]], [math.sqrt(1 / 8)], 0.067)
SPACE = (3, [[1], [1, 1], [1, -1]], [0.1492, 0.14149, 0.11867], 0.0431)
FOUR = (4, [[1, 1], [1, -1]], [0.1046, 0.08102], 0.0491)
SIGNED = (6, [[1], [1, 1], [1, -1]], [-0.075, 0.06647, 0.05615], 0.0805)


def basis(dim: int) -> Array:
    """The rows h_i."""
    rows = np.array([[1.0] * i + [-i] + [0.0] * (dim - i) for i in range(1, dim + 1)])
    return np.asarray(rows / np.sqrt((rows**2).sum(axis=1, keepdims=True)))


def lines(generator: list[int], dim: int) -> list[tuple[int, ...]]:
    """Arrangements in decreasing order, one of each pair that projects to opposite vectors."""
    n, kept = dim + 1, []
    for row in sorted(set(itertools.permutations(generator + [0] * (n - len(generator)))), reverse=True):
        vector = tuple(n * entry - sum(row) for entry in row)
        if tuple(-entry for entry in vector) not in kept:
            kept.append(vector)
    return kept


def cone(
    family: tuple[int, list[list[int]], list[float], float],
    error: str = "",
    profile: str = "1 - r",
    factor: float = 1.0,
) -> Obj:
    """A document for 1 - r; for a multiple of it if `factor` says so. The linear part is left to an affine unit."""
    dim, generators, weights, slack = family
    groups, linear = [], np.zeros(dim)
    for generator, weight in zip(generators, weights, strict=True):
        vectors = np.array(lines(generator, dim)) / (dim + 1) @ basis(dim).T
        linear += weight * factor * vectors.sum(axis=0)
        directions = {"kind": "explicit", "vectors": [[c.hex() for c in row] for row in vectors.tolist()]}
        groups.append({"directions": directions, "thresholds": ["0x0p+0"], "weights": [(-weight * factor).hex()]})
    length = math.hypot(*linear)
    unit = {"direction": [c.hex() for c in linear.tolist()], "offset": (length * 1.001).hex(), "weight": "0x1p+0"}
    affine = unit if length > 1e-12 else None
    bias = factor * (1 - slack) - (length * 1.001 if affine else 0.0)
    return {
        "format": "depthsep",
        "version": 1,
        "made_by": "tests",
        "function": {"kind": "radial", "expression": profile},
        "claim": {
            "kind": "sup-error",
            "dim": dim,
            "domain": "unit-ball",
            "arithmetic": "real",
            "error": error or str(Fraction(str(round(slack + 1e-4, 6)))),
        },
        "network": {
            "kind": "ridge-groups",
            "activation": "relu",
            "dim": dim,
            "bias": bias.hex(),
            "groups": groups,
            "affine": affine,
        },
        "witness": {"kind": "chamber-cells", "orbits": copy.deepcopy(generators)},
    }


def refused(obj: Obj, status: Status, start: str) -> None:
    verdict = check(encode(obj))
    assert verdict.status is status, verdict.line
    assert verdict.text.startswith(start), verdict.line


def forged(change: Callable[[Obj], object], family: Any = FOUR) -> Obj:
    obj = cone(family)
    change(obj)
    return obj


def vectors(obj: Obj, group: int = 0) -> list[list[str]]:
    return obj["network"]["groups"][group]["directions"]["vectors"]  # type: ignore[no-any-return]


def moved(text: str, by: float) -> str:
    return (float.fromhex(text) + by).hex()


def worst_error(obj: Obj, count: int = 4000) -> float:
    """The largest |N - (1 - r)| at some points, the corners of the chamber in any order among them."""
    network, dim = obj["network"], obj["claim"]["dim"]
    rng = np.random.default_rng(0)
    corners = [[1] * a + [0] * b + [-1] * (dim + 1 - a - b) for a in range(1, dim + 1) for b in range(dim + 2 - a)]
    shuffled = np.array([rng.permutation(row) for row in corners for _ in range(20)], dtype=float)
    rays = np.concatenate((shuffled @ basis(dim).T, rng.standard_normal((count, dim))))
    length = np.sqrt((rays**2).sum(axis=1, keepdims=True))
    points = (rays[length[:, 0] > 0] / length[length > 0][:, None]) * (1 - 2.0**-50)
    points = np.concatenate((points, np.zeros((1, dim)), points / 2))
    total = np.full(len(points), float.fromhex(network["bias"]))
    for group in network["groups"]:
        rows = np.array([[float.fromhex(c) for c in row] for row in group["directions"]["vectors"]])
        for threshold, weight in zip(group["thresholds"], group["weights"], strict=True):
            z, t, d = points @ rows.T, float.fromhex(threshold), float.fromhex(weight)
            units = 2 * np.maximum(z, 0) if t == 0 else np.maximum(z - t, 0) + np.maximum(-z - t, 0)
            total += d * units.sum(axis=1)
    if network["affine"]:
        unit = network["affine"]
        row = np.array([float.fromhex(c) for c in unit["direction"]])
        total += float.fromhex(unit["weight"]) * np.maximum(points @ row + float.fromhex(unit["offset"]), 0)
    return float(np.abs(total - 1 + np.sqrt((points**2).sum(axis=1))).max())


# ------------------------------------------------------------------------------------------------------------------
# What is accepted


@pytest.mark.parametrize(
    ("family", "units"), [(PLANE, 4), (SPACE, 14), (FOUR, 21), (SIGNED, 50)], ids=["2", "3", "4", "6, signed"]
)
def test_cones_are_proved(family: Any, units: int) -> None:
    obj = cone(family)
    verdict = check(encode(obj))
    assert verdict.ok, verdict.line
    assert verdict.text.startswith(f"|N(x) - f(x)| <= {obj['claim']['error']} for all real x with ||x|| <= 1")
    assert f"widths ({units})" in verdict.text
    assert worst_error(obj) <= Fraction(obj["claim"]["error"])


def test_the_bound_is_sharp() -> None:
    """Three lines at 60 degrees: S between sqrt(3)/2 and 1, so that the error is (2 - sqrt(3)) / 4 = 0.0669873."""
    bounds = {"66988/1000000": Status.VERIFIED, "66987/1000000": Status.REFUTED}
    for error, status in bounds.items():
        obj = cone((*PLANE[:3], 0.0669873), error)
        assert check(encode(obj)).status is status


@pytest.mark.parametrize(
    ("profile", "factor", "shift"),
    [
        ("2 - 2*r", 2.0, 0.0),
        ("3 - r*1/2", 0.5, 2.5),
        ("r", -1.0, 1.0),
        ("-(1 - r) + 1/4", -1.0, 0.25),
        ("d - r", 1.0, 3.0),
    ],
)
def test_other_cones(profile: str, factor: float, shift: float) -> None:
    error = str(Fraction(str(FOUR[3] + 1e-4)) * abs(Fraction(factor)))
    obj = cone(FOUR, error, profile, factor)
    obj["network"]["bias"] = moved(obj["network"]["bias"], shift)
    assert check(encode(obj)).ok, check(encode(obj)).line


def test_a_balanced_choice_of_signs_needs_no_affine_unit() -> None:
    """The sign of a direction is free; turning e_i - e_j over by the distance j - i makes the roots cancel."""
    obj = cone(FOUR)
    roots = vectors(obj, 1)
    for row, line in zip(roots, lines([1, -1], 4), strict=True):
        if (line.index(-5) - line.index(5)) % 5 > 2:
            row[:] = turned(row)
    obj["network"]["affine"] = None
    obj["network"]["bias"] = (1 - FOUR[3]).hex()
    verdict = check(encode(obj))
    assert verdict.ok, verdict.line
    assert "widths (20)" in verdict.text


@pytest.mark.parametrize("generator", [[1], [1, 1], [1, 1, 1], [1, -1], [2, 1], [2, -1], [1, 1, -1, -1], [3, 3, 1, -2]])
@pytest.mark.parametrize("dim", [3, 4, 5])
def test_orbits(generator: list[int], dim: int) -> None:
    assert orbit(tuple(generator), dim + 1) == lines(generator, dim)
    assert orbit_size(tuple(generator), dim + 1) == len(lines(generator, dim))


# ------------------------------------------------------------------------------------------------------------------
# Forgeries


@pytest.mark.parametrize("by", [1e-12, 1e-9, 1e-6, 1e-3, -1e-3, 1e-2, 1e-1])
def test_a_direction_that_is_moved_is_charged(by: float) -> None:
    """Accepted only while the claim holds with the charge, |D| times the distance, which large moves exceed."""
    for place in range(4):
        obj = cone(FOUR)
        vectors(obj)[3][place] = moved(vectors(obj)[3][place], by)
        verdict = check(encode(obj))
        assert verdict.ok or abs(by) > 1e-4
        assert not verdict.ok or abs(by) < 1e-2
        assert not verdict.ok or worst_error(obj) <= Fraction(obj["claim"]["error"])


def emptied(obj: Obj) -> Obj:
    """Without neurons."""
    obj["network"].update(groups=[], affine=None, bias=(1 - FOUR[3]).hex())
    obj["witness"]["orbits"] = []
    return obj


def turned(row: list[str]) -> list[str]:
    return [(-float.fromhex(c)).hex() for c in row]


FORGERIES: dict[str, tuple[Callable[[Obj], object], str]] = {
    "a far direction": (lambda o: vectors(o)[3].__setitem__(1, moved(vectors(o)[3][1], 0.5)), "bounds of S: S would"),
    "a coordinate's sign": (lambda o: vectors(o)[3].__setitem__(1, moved("0x0p+0", 1)), "bounds of S: S would"),
    "a direction turned over": (lambda o: vectors(o).__setitem__(0, turned(vectors(o)[0])), "bounds of S: S would"),
    "a direction left out": (lambda o: vectors(o).pop(), "group 0: 9 directions for an orbit of 10"),
    "a direction twice": (lambda o: vectors(o).append(vectors(o)[0]), "group 0: 11 directions for an orbit of 10"),
    "one in place of another": (lambda o: vectors(o).__setitem__(1, vectors(o)[0]), "bounds of S: S would"),
    "another order": (lambda o: vectors(o).reverse(), "bounds of S: S would"),
    "an orbit of another kind": (lambda o: o["witness"]["orbits"].__setitem__(0, [1, 1, 1, -1]), "group 0: 10"),
    "orbits exchanged": (lambda o: o["witness"]["orbits"].reverse(), "bounds of S: S would"),
    "a weight too large": (lambda o: o["network"]["groups"][0].update(weights=["-0x1.bp-4"]), "chamber: "),
    "a weight of the other sign": (lambda o: o["network"]["groups"][1].update(weights=["0x1.5p-4"]), "bounds of S"),
    "a threshold": (lambda o: o["network"]["groups"][1].update(thresholds=["0x1p-60"]), "group 1: a chamber"),
    "two thresholds": (
        lambda o: o["network"]["groups"][1].update(thresholds=["0x0p+0", "0x1p+0"], weights=["-0x1p-4", "0x0p+0"]),
        "group 1: a chamber",
    ),
    "no threshold": (lambda o: o["network"]["groups"][1].update(thresholds=[], weights=[]), "group 1: a chamber needs"),
    "an orbit of signs": (
        lambda o: o["network"]["groups"][0].update(directions={"kind": "orbit", "generator": [1, 1]}),
        "group 0: a chamber needs explicit directions",
    ),
    "no affine unit": (
        lambda o: o["network"].update(affine=None, bias=(1 - FOUR[3]).hex()),
        "bounds of S: S would",
    ),
    "an affine unit with a kink": (
        lambda o: o["network"]["affine"].update(offset="0x1p-4"),
        "affine unit: needs |direction| <= offset",
    ),
    "a negative offset": (lambda o: o["network"]["affine"].update(offset="-0x1p+4"), "affine unit: needs"),
    "an affine weight": (lambda o: o["network"]["affine"].update(weight="0x1.1p+0"), "chamber: S = "),
    "the bias": (lambda o: o["network"].update(bias=moved(o["network"]["bias"], -0.001)), "centre: the network is"),
    "the bias, upwards": (lambda o: o["network"].update(bias=moved(o["network"]["bias"], 0.01)), "chamber: S = "),
    "a smaller error": (lambda o: o["claim"].update(error="484/10000"), "centre: the network is"),
    "a huge error": (lambda o: o["claim"].update(error="2"), "bounds of S: S would"),
    "a profile": (lambda o: o["function"].update(expression="1 - 2*r"), "chamber: S = "),
    "a profile that increases": (lambda o: o["function"].update(expression="1 + r"), "chamber: S = "),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
def test_forgeries_are_refuted(name: str) -> None:
    change, start = FORGERIES[name]
    refused(forged(change), Status.REFUTED, start)


def test_weights_that_are_wrong_by_a_little() -> None:
    """All weights a little off, with the affine unit in step: S itself leaves its bounds on the chamber."""
    for factor in (1.004, 0.996):
        obj = cone((4, FOUR[1], [factor * c for c in FOUR[2]], FOUR[3]), "491001/10000000")
        assert worst_error(obj) > 0.0491
        refused(obj, Status.REFUTED, "chamber: S ")
    for factors in ((1.06, 0.95), (0.95, 1.06)):
        obj = cone((4, FOUR[1], [f * c for f, c in zip(factors, FOUR[2], strict=True)], FOUR[3]))
        assert worst_error(obj) > 0.0492
        refused(obj, Status.REFUTED, "chamber: S ")


def test_an_error_of_one_per_cent_less() -> None:
    for family in (SPACE, FOUR, SIGNED):
        error = Fraction(str(round(0.985 * family[3] + 1e-6, 6)))
        obj = cone((*family[:3], 0.985 * family[3]), str(error))
        assert worst_error(obj) > Fraction(obj["claim"]["error"])
        refused(obj, Status.REFUTED, "chamber: S = ")


@pytest.mark.parametrize(
    ("change", "status", "start"),
    [
        (lambda o: o["witness"]["orbits"].pop(), Status.MALFORMED, "witness.orbits: needs 2 entries, has 1"),
        (lambda o: o["witness"]["orbits"].append([1]), Status.MALFORMED, "witness.orbits: needs 2 entries, has 3"),
        (lambda o: o["witness"].update(orbits=None), Status.MALFORMED, "witness.orbits: expected a list"),
        (lambda o: o["witness"].update(cells=[]), Status.MALFORMED, "witness: unknown key 'cells'"),
        (lambda o: o["witness"].update(orbits=[[1, 1], []]), Status.MALFORMED, "witness.orbits[1]: needs integers"),
        (lambda o: o["witness"].update(orbits=[[1, 1], [1, 0]]), Status.MALFORMED, "witness.orbits[1]: needs integers"),
        (lambda o: o["witness"].update(orbits=[[1, 1], [-1, 1]]), Status.MALFORMED, "witness.orbits[1]: needs"),
        (lambda o: o["witness"].update(orbits=[[1, True], [1]]), Status.MALFORMED, "witness.orbits[0][1]: expected"),
        (lambda o: o["witness"].update(orbits=[[1] * 6, [1]]), Status.MALFORMED, "witness.orbits[0]: 6 entries for 5"),
        (lambda o: o["witness"].update(orbits=[[1] * 5, [1]]), Status.REFUTED, "orbits: the projection of"),
        (lambda o: o["claim"].update(dim=5), Status.MALFORMED, "network.dim: 4, but the claim"),
        (lambda o: o["claim"].update(error="0"), Status.MALFORMED, "claim.error: must be positive"),
        (lambda o: o["function"].update(expression="1 - r^2"), Status.UNSUPPORTED, "a chamber for a profile"),
        (lambda o: o["function"].update(expression="1 - r*r"), Status.UNSUPPORTED, "a chamber for a profile"),
        (lambda o: o["function"].update(expression="1 - sqrt(r*r)"), Status.UNSUPPORTED, "a chamber for a profile"),
        (lambda o: o["function"].update(expression="1 - 0*r"), Status.UNSUPPORTED, "a chamber for a profile"),
        (lambda o: o["function"].update(expression="1/r"), Status.UNSUPPORTED, "a chamber for a profile"),
        (lambda o: o["function"].update(expression="r/(1 - 1)"), Status.UNSUPPORTED, "a chamber for a profile"),
        (
            lambda o: o.update(function={"kind": "ball-indicator", "radius": "1/2", "margin": "1/10"}),
            Status.UNSUPPORTED,
            "a ball indicator for a ridge-groups network",
        ),
        (lambda o: emptied(o), Status.REFUTED, "chamber: S = 0 at"),
    ],
)  # fmt: skip
def test_documents_of_another_form(change: Callable[[Obj], object], status: Status, start: str) -> None:
    refused(forged(change), status, start)


def test_dimensions_without_a_chamber() -> None:
    for dim in (1, 11):
        obj = emptied(cone(FOUR))
        obj["claim"]["dim"] = obj["network"]["dim"] = dim
        refused(obj, Status.UNSUPPORTED, f"a chamber in dimension {dim} (2 to 10)")


def test_a_witness_of_the_wrong_network() -> None:
    obj = cone(FOUR)
    obj["witness"] = {"kind": "support-lines", "upper_slopes": [], "lower_slopes": []}
    refused(obj, Status.MALFORMED, "witness.kind: a ridge-groups network needs")


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    obj = cone(SIGNED)
    obj["witness"]["orbits"][0] = [6, 5, 4, 3, 2, 1]
    refused(obj, Status.EXHAUSTED, "orbits: the orbit of [6, 5, 4, 3, 2, 1] has more than 1000 directions")
    monkeypatch.setattr(chamber_cells, "CELL_LIMIT", 100)
    refused(cone(SIGNED), Status.EXHAUSTED, "chamber: the work limit of 100 units was reached")
    monkeypatch.setattr(chamber_cells, "CELL_LIMIT", 100_000)
    monkeypatch.setattr(chamber_cells, "MAX_POINTS", 20)
    refused(cone(SIGNED), Status.EXHAUSTED, "chamber: more than 20 points")
    monkeypatch.setattr(chamber_cells, "MAX_DIRECTIONS", 40)
    refused(cone(SIGNED), Status.EXHAUSTED, "orbits: more than 40 directions")


def _places(obj: Obj) -> list[tuple[Any, Any]]:
    network = obj["network"]
    rows = [row for group in network["groups"] for row in group["directions"]["vectors"]]
    rows += [network["affine"]["direction"]] if network["affine"] else []
    found: list[tuple[Any, Any]] = [(row, i) for row in rows for i in range(len(row))]
    found += [(group["weights"], 0) for group in network["groups"]]
    return [*found, (network, "bias"), (network["affine"], "offset"), (network["affine"], "weight")]


@pytest.mark.parametrize("seed", range(12))
def test_random_edits_are_accepted_only_when_the_claim_holds(seed: int) -> None:
    rng = random.Random(seed)
    seen = set()
    for _ in range(12):
        obj = cone(SPACE)
        for holder, key in rng.sample(_places(obj), rng.randint(1, 3)):
            value = float.fromhex(holder[key])
            size = 10.0 ** rng.uniform(-9, -1)
            new = rng.choice([math.nextafter(value, math.inf), math.nextafter(value, -math.inf), value + size, -value])
            holder[key] = new.hex()
        verdict = check(encode(obj))
        seen.add(verdict.status)
        assert verdict.status in (Status.VERIFIED, Status.REFUTED)
        assert not verdict.ok or worst_error(obj) <= Fraction(obj["claim"]["error"])
    assert seen == {Status.VERIFIED, Status.REFUTED}


@pytest.mark.parametrize("factor", [1e-300, 1e300, 1e-20])
def test_weights_of_absurd_size(factor: float) -> None:
    obj = cone(FOUR)
    for group in obj["network"]["groups"]:
        group["weights"] = [(-factor).hex()]
    obj["network"].update(affine=None, bias="0x1.ep-1")
    verdict: Verdict = check(encode(obj))
    assert verdict.status in (Status.REFUTED, Status.EXHAUSTED), verdict.line


# ------------------------------------------------------------------------------------------------------------------
# The search alone


@pytest.mark.parametrize("seed", range(30))
def test_bounds_of_random_signed_sums(seed: int) -> None:
    """What the branch and bound proves about S is true at random points, and it proves what is true with room."""
    rng = random.Random(seed)
    n = rng.choice([3, 4, 5])
    generators = rng.sample([(1,), (1, 1), (1, -1), (2, 1), (2, -1), (1, 1, -1)], 3)
    orbits = [orbit(g, n) for g in generators if len(g) <= n]
    weights = [rng.choice([1, 1, -0.05]) * rng.uniform(0.3, 1) / len(o) for o in orbits]
    points = np.random.default_rng(seed).standard_normal((4000, n))
    points -= points.mean(axis=1, keepdims=True)
    points /= np.sqrt((points**2).sum(axis=1, keepdims=True))
    values = sum(w * np.abs(points @ np.array(o).T / n).sum(axis=1) for w, o in zip(weights, orbits, strict=True))
    least, largest = float(np.min(values)), float(np.max(values))
    assert least > 0

    def proves(low: float, high: float) -> bool:
        exact = [fmpq(*w.as_integer_ratio()) for w in weights]
        bounds = (fmpq(*x.as_integer_ratio()) for x in (low, high))
        try:
            chamber_cells._Search(n, orbits, exact, *bounds, Budget(20_000)).run()
        except (Refuted, Exhausted):
            return False
        return True

    assert proves(0.9 * least, 1.1 * largest)
    assert not proves(least + 1e-9, 1.1 * largest)
    assert not proves(0.9 * least, largest - 1e-9)
