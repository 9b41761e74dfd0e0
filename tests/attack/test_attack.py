"""Built networks under attack: no point may err by more than was proved, and the attack must come near where it can."""

import copy
import importlib.util
import json
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import depthsep as ds


def _module(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


attack = _module("depthsep_tests_attack", Path(__file__).parent / "attack.py")

# function, dim, eps, depth, and the part of the proved error that the attack has to reach
CASES = {
    "explicit directions": ("1 - r", 2, "0.1", 2, 0.6),
    "explicit directions in space": ("1 - r", 3, "0.3", 2, 0.6),
    "orbit and affine unit": ("9/10 - sqrt(r^2)", 4, "0.2", 2, 0.6),
    "orbits and a code": ("abs(r - 1/2)", 5, "0.2", 2, 0.9),
    "twenty units": ("1 - r", 10, "0.3", 2, 0.95),
    "deep": ("1 - r", 3, "0.1", 3, 0.99),
    "deep in ten dimensions": ("1 - r", 10, "0.1", 3, 0.99),
    "deep and not monotone": ("abs(r - 1/2)", 4, "0.05", 3, 0.95),
}
Build = Callable[[str], ds.CertifiedNetwork]


@pytest.fixture(scope="module")
def build() -> Build:
    """Build a network by its name, once."""
    built: dict[str, ds.CertifiedNetwork] = {}

    def give(name: str) -> ds.CertifiedNetwork:
        if name not in built:
            function, dim, eps, depth, _ = CASES.get(name, ("ball(1/2, 0.05)", 3, None, 3, 0))
            built[name] = ds.build(function, dim=dim, eps=eps, depth=depth)
        return built[name]

    return give


def test_the_cases_are_of_the_kinds_they_say(build: Build) -> None:
    kinds = {
        name: [g["directions"]["kind"] for g in build(name).document["network"].get("groups", ())] for name in CASES
    }
    assert kinds["explicit directions"] == kinds["explicit directions in space"] == ["explicit"]
    assert {"orbit", "code"} <= set(kinds["orbits and a code"])
    assert build("orbit and affine unit").document["network"]["affine"] is not None
    assert build("twenty units").widths == (20,)


@pytest.mark.parametrize("name", [*CASES, "ball"])
def test_no_point_errs_by_more_than_was_proved(name: str, build: Build) -> None:
    """Twice: by units expanded from the document, and by the library's own evaluation with its own rounding bound."""
    net = build(name)
    points = attack.attack_points(net.document)
    found = attack.attack(net.document, points)
    points = np.concatenate((points, found.worst))
    proved = net.sup_error_upper + Fraction(attack.TARGET_ROUNDING)
    assert found.error <= proved + net.network.flat_rounding_error_upper

    evaluation = net.evaluate(points)
    assert not evaluation.outside_ball.any()
    dense = attack.network_of(net.document["network"])(points)
    both = evaluation.rounding_error_upper + net.network.flat_rounding_error_upper
    assert np.abs(evaluation.values - dense).max() <= both
    errors = evaluation.values - dense + attack.error_of(net.document)(points)
    inside = slice(None) if name != "ball" else np.abs(np.linalg.norm(points, axis=1) - 0.5) > 0.05 + 1e-9
    assert np.abs(errors[inside]).max() <= proved + both


@pytest.mark.parametrize("name", CASES)
def test_the_attack_comes_near_what_was_proved(name: str, build: Build) -> None:
    assert attack.attack(build(name).document).error >= CASES[name][-1] * build(name).sup_error_upper


def test_the_rounding_bounds_hold_where_the_attack_points(build: Build) -> None:
    """Against exact arithmetic, at the worst points that were found."""
    for name in ("explicit directions", "deep", "twenty units"):
        net = build(name)
        worst = attack.attack(net.document).worst
        evaluation, dense = net.evaluate(worst), attack.network_of(net.document["network"])(worst)
        for point, value, flat in zip(worst.tolist(), evaluation.values.tolist(), dense.tolist(), strict=True):
            exact = net.network.evaluate_exact([Fraction(entry) for entry in point])
            assert abs(Fraction(value) - exact) <= evaluation.rounding_error_upper
            assert abs(Fraction(flat) - exact) <= net.network.flat_rounding_error_upper


@pytest.mark.parametrize("name", CASES)
def test_a_network_that_moved_is_caught(name: str, build: Build) -> None:
    """Half of the proved error added to the bias is found at some point."""
    net = build(name)
    moved = copy.deepcopy(net.document)
    network = moved["network"]
    part = network if "bias" in network else network["second"]
    part["bias"] = (float.fromhex(part["bias"]) + float(net.sup_error_upper) / 2).hex()
    assert attack.attack(moved).error > net.sup_error_upper


def test_a_ball_that_moved_is_caught(build: Build) -> None:
    """Between the radii the network takes all values from 1 to 0: a ball moved by two margins is missed by 1."""
    moved = json.loads(build("ball").document_text)
    assert attack.attack(moved).error <= build("ball").network.flat_rounding_error_upper
    moved["function"]["radius"] = "3/5"
    assert attack.attack(moved).error > 0.99


def test_the_climb_gains_on_the_first_points(build: Build) -> None:
    document = build("twenty units").document
    few = attack.attack_points(document, count=4, radii=3)
    assert attack.attack(document, few).above > 1.05 * attack.attack(document, few, rounds=0).above


def test_a_point_where_nothing_is_finite_is_no_success(build: Build) -> None:
    broken = copy.deepcopy(build("explicit directions").document)
    broken["function"]["expression"] = "1/(r - r)"
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="not finite where it was attacked"):
        attack.attack(broken)
