"""Folded networks: what is proved holds for the layers written out, and every way to a wrong document is refused."""

import copy
import importlib.util
import itertools
import json
import math
import random
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from flint import arb, fmpq

from depthsep_check import Status, check
from depthsep_check.approximations import folded
from depthsep_check.document import encode
from depthsep_check.expression import parse
from depthsep_check.folded_networks import largest_weight, read_folded_network, widths
from depthsep_check.sinusoids import sinusoid_of

Obj = dict[str, Any]


def _load(name: str) -> Any:
    path = Path(__file__).parents[1] / "mutation" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"depthsep_tests_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


folded_layers = _load("folded_layers")
DOMAINS, Flat, w = folded_layers.DOMAINS, folded_layers.Flat, folded_layers.w
folds, general, knots, periodic, profile = (
    getattr(folded_layers, name) for name in ("folds", "general", "knots", "periodic", "profile")
)
SLACK = Fraction(1, 50)


def _made() -> dict[str, Obj]:
    found = {}
    for reads, squares in itertools.product(DOMAINS, ("knots", "folds", "deep folds")):
        for repeats, radices in ((10, []), (3, [4]), (1, [5, 2]), (2, [5])):
            name = f"{reads}, {squares}, {repeats} copies, radices {radices}"
            found[name] = periodic(reads, squares, repeats, radices)
        if squares != "deep folds":
            found[f"general {reads}, {squares}"] = general(reads, squares)
    return found


MADE = _made()
CHANGED = [name for name in MADE if "deep folds, 3" in name or "2 copies" in name or "general" in name]


def points(obj: Obj, rng: random.Random, count: int) -> list[list[Fraction]]:
    """Points of the domain, by preference where norms are as large or as small as they may be."""
    dim, domain, slack = obj["claim"]["dim"], obj["claim"]["domain"], Fraction(obj["claim"]["norm_slack"])

    def vector(low: float, high: float) -> list[float]:
        raw = [rng.gauss(0, 1) if rng.random() < 0.8 else 0.0 for _ in range(dim)]
        norm = math.hypot(*raw)
        if norm == 0:
            return [low] + [0.0] * (dim - 1)
        radius = rng.choice((low, high, rng.uniform(low, high)))
        return [v * radius * (1 - 1e-15) / norm for v in raw]

    found = []
    for _ in range(count):
        if domain == "unit-ball":
            made = vector(0, 1)
        elif domain == "ball-pairs":
            made = vector(0, 1) + vector(0, 1)
        else:
            low, high = float(1 - slack), float(1 + slack)
            made = vector(low, high) + vector(low, high)
            if rng.random() < 0.2:
                made[dim:] = [rng.choice((1, -1)) * v for v in made[:dim]]
        found.append([Fraction(v) for v in made])
    return found


def largest_error(obj: Obj, rng: random.Random, count: int) -> float:
    """Over random points of the domain; f in floats."""
    flat, dim = Flat(obj["network"]), obj["claim"]["dim"]
    expression = parse(obj["function"]["expression"], ("r",) if obj["claim"]["domain"] == "unit-ball" else ("t",))
    worst = 0.0
    for x in points(obj, rng, count):
        if obj["claim"]["domain"] == "unit-ball":
            variable = math.sqrt(sum(v * v for v in x))
        else:
            variable = float(sum(a * b for a, b in zip(x[:dim], x[dim:], strict=True)))
        wanted = float(expression.ball(arb(variable), dim).mid())
        worst = max(worst, abs(float(flat.at(x)) - wanted))
    return worst


def verdict(obj: Obj) -> Status:
    return check(encode(obj)).status


# ------------------------------------------------------------------------------------------------------------------
# What is proved


@pytest.mark.parametrize("name", MADE)
def test_hand_made_documents_are_proved_and_hold(name: str) -> None:
    obj = copy.deepcopy(MADE[name])
    found = check(encode(obj))
    assert found.status is Status.VERIFIED, found.text
    worst = largest_error(obj, random.Random(name), 25)
    assert worst <= float(Fraction(obj["claim"]["error"])) + 1e-9
    assert worst > (0.0002 if "general" in name else 0.02)


@pytest.mark.parametrize("name", MADE)
def test_widths_and_the_largest_weight_are_those_of_the_layers(name: str) -> None:
    rng = random.Random(name)
    obj = copy.deepcopy(MADE[name])
    scaling = obj["network"]["scaling"]
    for exponents, copies in ((scaling["exponents"], 1), ([rng.randrange(-5, 6) for _ in scaling["exponents"]], 4)):
        obj["network"]["scaling"] = {"exponents": exponents, "copies": copies}
        flat, network = Flat(obj["network"]), read_folded_network(obj["network"], "network")
        assert widths(network) == flat.widths
        largest = largest_weight(network)
        assert Fraction(int(largest.p), int(largest.q)) == flat.largest
        assert network.depth == len(flat.layers) + 1
        obj["claim"]["max_weight"] = str(flat.largest)
        assert verdict(obj) is Status.VERIFIED
        obj["claim"]["max_weight"] = str(flat.largest * Fraction(999, 1000))
        assert verdict(obj) is Status.REFUTED


@pytest.mark.parametrize("shift", [-2.0, 0.25, 7.5])
@pytest.mark.parametrize("radix", [1, 2, 5])
def test_the_largest_weight_wherever_it_stands(shift: float, radix: int) -> None:
    rng = random.Random(3)
    for reads in DOMAINS:
        for repeats, phase in ((1, []), (2, []), (3, []), (1, [3, 2]), (5, [4])):
            obj = periodic(reads, "folds", repeats, phase)
            obj["network"]["squares"]["radices"] = [radix, 2, 3]
            obj["network"]["squares"]["scale"] = w(2.0 ** rng.randrange(-9, 9))
            obj["network"]["phase"]["shift"] = w(shift)
            exponents = [rng.randrange(-9, 10) for _ in range(4 + len(phase))]
            obj["network"]["scaling"] = {"exponents": exponents, "copies": 2}
            flat, network = Flat(obj["network"]), read_folded_network(obj["network"], "network")
            assert widths(network) == flat.widths
            assert largest_weight(network) == fmpq(flat.largest.numerator, flat.largest.denominator)


@pytest.mark.parametrize("phase", ["0", "1", "2.5", "-1", "3"])
@pytest.mark.parametrize("sign", [1, -1])
def test_every_phase_and_sign_of_a_sinusoid_is_met(phase: str, sign: int) -> None:
    """The profile is always that of +cos: what a formula writes otherwise is moved by half periods."""
    obj = periodic("norm", "folds", 12, [])
    obj["function"]["expression"] = f"{sign}*cos(8*pi*r^2 + {phase})"
    shift = float(phase) / math.pi + (0 if sign > 0 else 1)
    obj["network"]["phase"]["shift"] = w(shift % 2)
    found = check(encode(obj))
    assert found.status is Status.VERIFIED, found.text
    assert largest_error(obj, random.Random(0), 10) <= 1 / 3


def test_the_scaling_does_not_change_the_function() -> None:
    obj = periodic("ball-pair", "deep folds", 2, [5])
    x = points(obj, random.Random(5), 4)
    before = [Flat(obj["network"]).at(point) for point in x]
    obj["network"]["scaling"] = {"exponents": [3, -2, 1, 5], "copies": 8}
    assert [Flat(obj["network"]).at(point) for point in x] == before


def test_the_statement_says_what_is_proved() -> None:
    obj = periodic("sphere-pair", "folds", 5, [2])
    obj["claim"].update(norm_slack="1/1099511627776", max_weight="64")
    assert check(encode(obj)).text == (
        "|N(x, x') - f(t)| <= 1/3, t = <x, x'>, for all real x, x' with | ||x|| - 1 |, | ||x'|| - 1 | <= "
        "1/1099511627776 in dimension 2 (exact arithmetic); depth 4, widths (120, 2, 10), every weight and bias at "
        "most 64 in absolute value; f(t) = sin(4*pi*t)"
    )
    assert "||x|| <= 1 in dimension 2" in check(encode(periodic("norm", "folds", 5, [2]))).text
    assert "||x||, ||x'|| <= 1 in dimension 2" in check(encode(periodic("ball-pair", "folds", 5, [2]))).text
    assert "||x|| = ||x'|| = 1 in dimension 2" in check(encode(periodic("sphere-pair", "folds", 5, [2]))).text


def test_millions_of_units_cost_no_more_than_a_few() -> None:
    obj = periodic("sphere-pair", "folds", 1, [])
    obj["function"]["expression"] = "sin(pi*d^3*t)"
    obj["claim"]["dim"] = obj["network"]["dim"] = 200
    gain, radix = Fraction(2**20 - 1, 2**20), 2**16
    obj["network"]["squares"] = folds(2 * 200**3, [radix, 4], gain)
    obj["network"]["phase"]["shift"] = w(1.5)
    obj["network"]["profile"] = profile(16 * 10**6 + 2)
    obj["network"]["scaling"]["exponents"] = [0, 0, 0]
    found = check(encode(obj))
    assert found.status is Status.VERIFIED, found.text
    assert "widths (26214400, 801, 32000004)" in found.text


# ------------------------------------------------------------------------------------------------------------------
# Soundness


def _numbers(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [p for key, part in value.items() for p in _numbers(part, (*place, key))]
    if isinstance(value, list):
        return [p for i, part in enumerate(value) for p in _numbers(part, (*place, i))]
    return [place]


def _changed(value: Any, rng: random.Random) -> Any:
    if isinstance(value, int):
        return value + rng.choice((-1, 1, 2))
    if isinstance(value, str) and "0x" in value:
        old = float.fromhex(value)
        return (old * rng.choice((0.5, 0.75, 0.97, 1.01, 1.1, -1)) + rng.choice((0, 0, 0.01, -0.1, 1, -2))).hex()
    return value


@pytest.mark.parametrize("name", CHANGED)
def test_no_changed_network_is_verified_beyond_its_error(name: str) -> None:
    rng = random.Random(name)
    original = copy.deepcopy(MADE[name])
    original["claim"]["error"] = str(Fraction(original["claim"]["error"]) * 3 / 2)
    if original["claim"]["domain"] == "sphere-pairs" and "knots" in name:
        original["claim"]["norm_slack"] = str(Fraction(1, 400))
    verified = 0
    for _ in range(40):
        obj = copy.deepcopy(original)
        for part in rng.choices(_numbers(obj["network"]), k=rng.choice((1, 1, 2))):
            at: Any = obj["network"]
            for key in part[:-1]:
                at = at[key]
            at[part[-1]] = _changed(at[part[-1]], rng)
        if obj["network"] != original["network"] and verdict(obj) is Status.VERIFIED:
            verified += 1
            assert largest_error(obj, rng, 15) <= float(Fraction(obj["claim"]["error"])) + 1e-9
    assert verified >= 1


def test_the_proved_error_is_close_to_the_real_one() -> None:
    """Errors are charged where they are: a claim much below what attacks find is refused."""
    for name in MADE:
        obj = copy.deepcopy(MADE[name])
        obj["claim"]["error"] = str(Fraction(largest_error(obj, random.Random(1), 10)) * 9 / 10)
        assert verdict(obj) in (Status.REFUTED, Status.EXHAUSTED), name


def test_norm_slack_is_charged_in_full() -> None:
    """Beyond the sphere the phase moves by rate (eta + eta^2/2), and the coordinates reach 1 + eta."""
    obj = periodic("sphere-pair", "knots", 10, [])
    obj["claim"].update(norm_slack=str(SLACK), error="2/3")
    obj["network"]["squares"]["thresholds"] += [w(Fraction(35, 32))]
    obj["network"]["squares"]["weights"] += [w(1)]
    obj["network"]["profile"]["repeats"] = 12
    assert verdict(obj) is Status.VERIFIED
    assert largest_error(obj, random.Random(2), 60) <= 2 / 3
    low = copy.deepcopy(obj)
    low["claim"]["error"] = "1/2"
    assert verdict(low) is Status.REFUTED
    assert largest_error(low, random.Random(2), 100) > 1 / 2
    for other in ("norm", "ball-pair"):
        slack = periodic(other, "folds", 10, [])
        slack["claim"]["norm_slack"] = "1/1000000"
        assert verdict(slack) is Status.MALFORMED


# ------------------------------------------------------------------------------------------------------------------
# Forgeries


def set_in(obj: Obj, place: str, value: Any) -> None:
    at: Any = obj
    *path, last = place.split(".")
    for key in path:
        at = at[int(key) if key.isdigit() else key]
    at[int(last) if last.isdigit() else last] = value


MALFORMED, REFUTED, UNSUPPORTED = Status.MALFORMED, Status.REFUTED, Status.UNSUPPORTED
SPIKE = {
    "bias": w(0),
    "thresholds": [w(0.5), w(0.5), w(0.3), w(0.31), w(0.32)],
    "sides": ["left", *["right"] * 4],
    "weights": [w(1), w(1), w(100), w(-200), w(100)],
    "repeats": 1,
}
FORGED: dict[str, Obj] = {
    "norm folds": periodic("norm", "folds", 10, []),
    "norm folds 1 5 2": periodic("norm", "folds", 1, [5, 2]),
    "norm folds 12": periodic("norm", "folds", 12, []),
    "sphere-pair folds": periodic("sphere-pair", "folds", 10, []),
    "norm deep folds": periodic("norm", "deep folds", 10, []),
    "norm folds 5 2": periodic("norm", "folds", 5, [2]),
    "norm knots": periodic("norm", "knots", 10, []),
    "norm knots 1 10": periodic("norm", "knots", 1, [10]),
    "ball-pair knots": periodic("ball-pair", "knots", 10, []),
    "general sphere-pair": general("sphere-pair"),
    "general ball-pair": general("ball-pair"),
    "general norm": general("norm"),
}
# What is changed in which document, to what, and what the verdict must be.
FORGERIES: dict[str, tuple[str, str, Any, Status, str]] = {
    "fewer repeats than the phase needs": ("norm folds", "network.profile.repeats", 9, REFUTED, "phase"),
    "fewer folds than the phase needs": ("norm folds 1 5 2", "network.phase.radices", [2, 2], REFUTED, "phase"),
    "a phase below 0": ("norm folds", "network.phase.shift", w(-0.5), REFUTED, "phase"),
    "a phase that is off by one": ("norm folds 12", "network.phase.shift", w(2.5), REFUTED, "profile"),
    "a phase that is off by a fifth": ("norm folds 12", "network.phase.shift", w(1.75), REFUTED, "profile"),
    "another number of periods": ("norm folds", "function.expression", "sin(9*pi*r^2)", REFUTED, "profile"),
    "the other sign": ("norm folds", "function.expression", "-sin(8*pi*r^2)", REFUTED, "profile"),
    "another amplitude": ("norm folds", "function.expression", "2*sin(8*pi*r^2)", REFUTED, "profile"),
    "another mean": ("norm folds", "function.expression", "1+sin(8*pi*r^2)", REFUTED, "profile"),
    "two waves": ("norm folds", "function.expression", "sin(8*pi*r^2)+sin(r^2)", REFUTED, "sinusoid"),
    "no wave": ("norm folds", "function.expression", "r^2", REFUTED, "sinusoid"),
    "a wave and a slope": ("norm folds", "function.expression", "sin(8*pi*r^2)+r^2/100", REFUTED, "sinusoid"),
    "a wave of the norm": ("norm folds", "function.expression", "sin(8*pi*r)", REFUTED, "sinusoid"),
    "a wave with a kink beyond 1": (
        "sphere-pair folds",
        "function.expression",
        "sin(4*pi*(1-abs(1-t)))",
        REFUTED,
        "sinusoid",
    ),
    "folds beyond 1": ("norm folds", "network.squares.gain", w(1.0625), REFUTED, "lines"),
    "folds beyond 1 by the slack": ("sphere-pair folds", "claim.norm_slack", "1/8", REFUTED, "lines"),
    "folds that are too coarse": ("norm folds", "network.squares", folds(8, [3], Fraction(1)), REFUTED, "p"),
    "a negative scale": ("norm folds", "network.squares.scale", w(-1), MALFORMED, "network.squares.scale"),
    "no gain": ("norm folds", "network.squares.gain", w(0), MALFORMED, "network.squares.gain"),
    "no radix": ("norm folds", "network.squares.radices", [], MALFORMED, "network.squares.radices"),
    "a radix 1 later": ("norm deep folds", "network.squares.radices", [6, 1], MALFORMED, "network.squares.radices"),
    "radices beyond the limit": (
        "norm deep folds",
        "network.squares.radices",
        [2**40, 2**40],
        MALFORMED,
        "network.squares.radices",
    ),
    "a phase radix 1": ("norm folds 5 2", "network.phase.radices", [1], MALFORMED, "network.phase.radices"),
    "phases beyond the limit": ("norm folds 5 2", "network.profile.repeats", 2**60, MALFORMED, "network"),
    "knots out of order": (
        "norm knots",
        "network.squares.thresholds.3",
        w(0.125),
        MALFORMED,
        "network.squares.thresholds",
    ),
    "a knot at 0": ("norm knots", "network.squares.thresholds.0", w(0), MALFORMED, "network.squares.thresholds"),
    "a knot weight less": ("norm knots", "network.squares.weights", [w(1)] * 16, MALFORMED, "network.squares.weights"),
    "a flat top": ("norm knots", "network.squares.weights.15", w(-8), REFUTED, "p"),
    "a knot weight of half the size": ("norm knots", "network.squares.weights.0", w(0.25), REFUTED, "p"),
    "repeats without a flat end": (
        "norm knots",
        "network.profile.weights.1",
        w(2.5),
        MALFORMED,
        "network.profile.weights",
    ),
    "a repeated left side": ("norm knots", "network.profile.sides.0", "left", MALFORMED, "network.profile.sides"),
    "a repeated threshold at 0": (
        "norm knots",
        "network.profile.thresholds.0",
        w(0),
        MALFORMED,
        "network.profile.thresholds",
    ),
    "a repeated threshold at 1": (
        "norm knots",
        "network.profile.thresholds.1",
        w(1),
        MALFORMED,
        "network.profile.thresholds",
    ),
    "repeated thresholds out of order": (
        "norm knots",
        "network.profile.thresholds",
        [w(0.875), w(0.125)],
        MALFORMED,
        "network.profile.thresholds",
    ),
    "an infinite weight": ("norm knots", "network.profile.bias", "inf", MALFORMED, "network.profile.bias"),
    "a side left out": ("norm knots 1 10", "network.profile.sides", ["right"], MALFORMED, "network.profile.sides"),
    "an empty profile": ("norm knots 1 10", "network.profile.thresholds", [], MALFORMED, "network.profile.thresholds"),
    "copies that are no power of two": ("norm knots", "network.scaling.copies", 3, MALFORMED, "network.scaling.copies"),
    "copies that are no integer": ("norm knots", "network.scaling.copies", True, MALFORMED, "network.scaling.copies"),
    "an exponent too few": ("norm knots", "network.scaling.exponents", [0], MALFORMED, "network.scaling.exponents"),
    "an exponent too many": (
        "norm knots",
        "network.scaling.exponents",
        [0, 0, 0],
        MALFORMED,
        "network.scaling.exponents",
    ),
    "another dimension": ("norm knots", "network.dim", 3, MALFORMED, "network.dim"),
    "another dimension claimed": ("norm knots", "claim.dim", 1, MALFORMED, "network.dim"),
    "reads something else": ("sphere-pair folds", "network.reads", "ball-pair", MALFORMED, "network.reads"),
    "the function of another domain": (
        "sphere-pair folds",
        "function.domain",
        "ball-pairs",
        MALFORMED,
        "function.domain",
    ),
    "a formula in r of pairs": (
        "sphere-pair folds",
        "function.expression",
        "sin(4*pi*r)",
        MALFORMED,
        "function.expression",
    ),
    "an error of a float": ("sphere-pair folds", "claim.error", "0.3", MALFORMED, "claim.error"),
    "a negative slack": ("sphere-pair folds", "claim.norm_slack", "-1/2", MALFORMED, "claim.norm_slack"),
    "a slack of 1": ("sphere-pair folds", "claim.norm_slack", "1", MALFORMED, "claim.norm_slack"),
    "floating point": ("sphere-pair folds", "claim.arithmetic", "float64", UNSUPPORTED, "claim.arithmetic"),
    "another domain": ("sphere-pair folds", "claim.domain", "R^d", UNSUPPORTED, "claim.domain"),
    "another activation": ("sphere-pair folds", "network.activation", "tanh", UNSUPPORTED, "network.activation"),
    "a negative factor": ("norm knots", "witness.factor", w(-8), MALFORMED, "witness.factor"),
    "another factor": ("norm knots", "witness.factor", w(7), REFUTED, "p"),
    "a negative slope": ("norm knots", "witness.upper_slopes", [w(-1)], MALFORMED, "witness.upper_slopes"),
    "a negative slope below": ("ball-pair knots", "witness.lower_slopes", [w(-1)], MALFORMED, "witness.lower_slopes"),
    "no upper slope": ("norm knots", "witness.upper_slopes", [], MALFORMED, "witness.upper_slopes"),
    "slopes of folds": ("norm folds", "witness.upper_slopes", [w(0)], MALFORMED, "witness.upper_slopes"),
    "a general profile that is off": (
        "general sphere-pair",
        "network.profile.thresholds.0",
        w(0.75),
        REFUTED,
        "upper bound",
    ),
    "a general function that is off": (
        "general ball-pair",
        "function.expression",
        "abs(t)+t/4",
        REFUTED,
        "upper bound",
    ),
    "a general error too small": ("general ball-pair", "claim.error", "1/1000", REFUTED, "upper bound"),
    "a hidden spike": ("general norm", "network.profile", SPIKE, REFUTED, "upper bound"),
    "a function without a value": ("general sphere-pair", "function.expression", "log(t)", REFUTED, "profile"),
    "a function of more than the domain": (
        "general sphere-pair",
        "function.expression",
        "sqrt(t-1)",
        REFUTED,
        "profile",
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forgeries_are_refused(name: str) -> None:
    original, place, value, status, text = FORGERIES[name]
    obj = copy.deepcopy(FORGED[original])
    set_in(obj, place, value)
    found = check(encode(obj))
    assert (found.status, found.text.startswith(text)) == (status, True), found.line


def test_unknown_and_missing_keys_are_refused() -> None:
    original = periodic("sphere-pair", "folds", 5, [2])
    parts = ["claim", "function", "network", "witness", "network.squares", "network.phase", "network.profile"]
    for place in [*parts, "network.scaling"]:
        for change in ("extra", "missing"):
            obj = json.loads(json.dumps(original))
            at = obj
            for key in place.split("."):
                at = at[key]
            if change == "extra":
                at["more"] = 1
            else:
                at.pop(next(key for key in at if key != "kind"))
            assert verdict(obj) is Status.MALFORMED


def test_work_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    obj = periodic("ball-pair", "knots", 10, [])
    obj["witness"].update(
        upper_slopes=[w(i / 1024) for i in range(300)], lower_slopes=[w(i / 1024) for i in range(300)]
    )
    assert verdict(obj) is Status.EXHAUSTED
    long = periodic("norm", "knots", 10, [])
    long["network"]["squares"] = knots(8, 2**12, 2**12)
    long["witness"]["upper_slopes"] = [w(0)] * 50
    monkeypatch.setattr(folded, "MAX_WORK", 10_000)
    assert verdict(long) is Status.EXHAUSTED


# ------------------------------------------------------------------------------------------------------------------
# Sinusoids


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("sin(pi*d^3*t)", "sphere-pair"),
        ("2 - 3*cos(1 - 7*t)/2", "sphere-pair"),
        ("sin(pi*sqrt(d)*d*t + pi)", "ball-pair"),
        ("-cos(pi*t + pi/2)/3", "ball-pair"),
        ("2*sin(2*pi*d^3*r^2 + 1)", "norm"),
    ],
)
def test_a_recognised_sinusoid_is_the_formula(text: str, reads: str) -> None:
    expression = parse(text, ("r",) if reads == "norm" else ("t",))
    wave = sinusoid_of(expression, 3, reads)
    assert wave is not None
    assert wave.rate > 0
    for i in range(-20, 21):
        x = fmpq(i, 20)
        sigma = {"norm": x * x, "sphere-pair": (1 + x) / 2, "ball-pair": x}[reads]
        assert wave.at(arb(sigma)).overlaps(expression.ball(arb(x), 3))
        assert wave.at(arb(sigma)).rad() < 1e-9


@pytest.mark.parametrize(
    "text",
    ["t", "1", "sin(t)^2", "sin(t) + cos(t)", "sin(t) + t", "sin(abs(t))", "max(sin(t), -2)", "0*sin(t)", "sin(0*t)"],
)
def test_what_is_no_sinusoid(text: str) -> None:
    assert sinusoid_of(parse(text, ("t",)), 3, "ball-pair") is None
