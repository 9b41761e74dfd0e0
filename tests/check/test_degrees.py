"""The degrees bound: what is accepted, the constants against quadrature, and a forgery for every hypothesis."""

import copy
import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from flint import arb, fmpq
from scipy.special import eval_gegenbauer, roots_gegenbauer

from depthsep_check import Status, check
from depthsep_check.document import encode
from depthsep_check.expression import parse
from depthsep_check.gegenbauer import closed_coefficients, closed_form, integral_coefficients, multiplicity
from depthsep_check.numbers import precision
from depthsep_check.theorems.degrees import (
    Activation,
    Dyadic,
    Profile,
    short_bound,
    tail_norm,
    tail_visibility,
    visibility,
    wave_of,
)
from depthsep_check.verdict import Budget, Refuted

Obj = dict[str, Any]
RELU = Activation("derivative-variation", fmpq(1))


def document(function: Obj, claim: Obj, witness: Obj) -> Obj:
    whole = {
        "kind": "degrees",
        "dim": 5,
        "domain": "sphere-pairs",
        "norm": "L2",
        "measure": "uniform",
        "eps": "7/20",
        "depth": 2,
        "activation": {"class": "derivative-variation", "constant": "1"},
        "weights": None,
        "width": None,
        **claim,
    }
    head = {"format": "depthsep", "version": 1, "made_by": "a test"}
    return {**head, "function": function, "claim": whole, "witness": witness}


def dyadic(mantissa: int, exponent: int = 0) -> Obj:
    return {"mantissa": mantissa, "exponent": exponent}


def inner(text: str) -> Obj:
    return {"kind": "inner-product", "expression": text}


def tail() -> Obj:
    """sin(pi d^3 t) in dimension 5 with entries up to 2^5: at least 16384 units."""
    claim = {"path_norm": dyadic(37_600_000), "weights": {"kind": "entries", "bound": "32"}, "width": dyadic(1, 14)}
    return document(inner("sin(pi*d^3*t)"), claim, {"kind": "tail", "from": 287})


def cosine_tail() -> Obj:
    return document(inner("cos(300*t)"), {"path_norm": dyadic(1_000_000)}, {"kind": "tail", "from": 200})


def listed() -> Obj:
    """sin(12 t) by three degrees."""
    return document(
        inner("sin(12*t)"), {"path_norm": dyadic(2500), "eps": "1/4"}, {"kind": "listed", "degrees": [9, 11, 13]}
    )


def steps() -> Obj:
    claim = {
        "activation": {"class": "variation", "constant": "1"},
        "path_norm": dyadic(2),
        "eps": "3/10",
        "weights": {"kind": "product", "bound": "1"},
        "width": dyadic(3),
    }
    function = {"kind": "breaks", "jumps": [["0", "1"]], "kinks": []}
    return document(function, claim, {"kind": "listed", "degrees": [1, 3, 5, 7, 9, 11]})


def ball() -> Obj:
    claim = {"domain": "unit-ball", "norm": "sup", "measure": None, "path_norm": dyadic(100), "eps": "1/10"}
    function = {"kind": "radial", "expression": "cos(12*r)"}
    return document(function, claim, {"kind": "listed", "degrees": list(range(2, 9))})


VALID: dict[str, Callable[[], Obj]] = {
    "tail": tail,
    "cosine tail": cosine_tail,
    "listed": listed,
    "steps": steps,
    "ball": ball,
}


def edited(obj: Obj, path: str, value: Any) -> Obj:
    changed = copy.deepcopy(obj)
    *parents, last = path.split(".")
    place = changed
    for key in parents:
        place = place[key]
    place[last] = value
    return changed


@pytest.mark.parametrize("name", VALID)
def test_valid_documents_are_accepted(name: str) -> None:
    verdict = check(encode(VALID[name]()))
    assert verdict.status is Status.VERIFIED, verdict.line


def test_the_sentence_states_norm_measure_class_and_weights() -> None:
    assert check(encode(tail())).text == (
        "every N(x, x') = a(x) + a'(x') + sum_j u_j s_j(<w_j, x> + <w'_j, x'> + b_j), any a, a' and b_j, s_j with a "
        "derivative of total variation <= 1 (ReLU: 1), within 7/20 in L2 of two independent uniform points of the unit "
        "sphere of R^5 of f(t), t = <x, x'>, f(t) = sin(pi*d^3*t) has sum_j |u_j| sqrt(|w_j| |w'_j|) > 37600000; if "
        "moreover every entry of u and of the inner weights, in absolute value, is <= 32, it has at least 16384 units"
    )
    assert "sup norm on the unit ball of R^5 of phi(||x||), phi(r) = cos(12*r) has sum_j |u_j| |w_j| > 100" in (
        check(encode(ball())).text
    )
    assert "jumps 1 at 0, plus affine has sum_j |u_j| > 2; if moreover |u_j| is <= 1, it has at least 3 units" in (
        check(encode(steps())).text
    )


WEAK = "is not certainly too weak"
FORGERIES: dict[str, tuple[Callable[[], Obj], str, Any, Status, str]] = {
    "eps as the square": (tail, "claim.norm", "L2 squared", Status.UNSUPPORTED, "claim.norm"),
    "negative eps": (tail, "claim.eps", "-7/20", Status.MALFORMED, "must not be negative"),
    "eps above the norm": (tail, "claim.eps", "3/4", Status.REFUTED, WEAK),
    "eps above what the degrees miss": (listed, "claim.eps", "13/50", Status.REFUTED, WEAK),
    "eps as a float": (tail, "claim.eps", 1, Status.MALFORMED, "expected a rational"),
    "duplicate degrees": (listed, "witness.degrees", [9, 9, 9], Status.MALFORMED, "increase strictly"),
    "unsorted degrees": (listed, "witness.degrees", [11, 9], Status.MALFORMED, "increase strictly"),
    "no degrees": (listed, "witness.degrees", [], Status.MALFORMED, "at least one degree"),
    "degree 0": (listed, "witness.degrees", [0, 9], Status.MALFORMED, "outside 1.."),
    "stored coefficients": (listed, "witness.alpha", ["1"], Status.MALFORMED, "unknown key 'alpha'"),
    "odd degrees of a cosine": (cosine_tail, "witness.from", 201, Status.REFUTED, "odd: only the sine"),
    "even degrees of a sine": (tail, "witness.from", 286, Status.REFUTED, "even: only the cosine"),
    "start above the frequency": (tail, "witness.from", 393, Status.REFUTED, WEAK),
    "start far above the frequency": (tail, "witness.from", 10**9 + 1, Status.REFUTED, WEAK),
    "start at 0": (tail, "witness.from", 0, Status.MALFORMED, "outside 1.."),
    "linear part at degree 1": (
        lambda: edited(tail(), "witness.from", 1),
        "function.expression",
        "t + sin(pi*d^3*t)",
        Status.REFUTED,
        "the tail cannot start at degree 1",
    ),
    "tail of two waves": (tail, "function.expression", "sin(9*t) + sin(8*t)", Status.REFUTED, "a sin(omega t + phase)"),
    "tail of a polynomial": (tail, "function.expression", "t^3", Status.REFUTED, "a sin(omega t + phase)"),
    "tail of steps": (steps, "witness", {"kind": "tail", "from": 3}, Status.REFUTED, "a sin(omega t + phase)"),
    "path norm too large": (tail, "claim.path_norm", dyadic(53_000_000), Status.REFUTED, WEAK),
    "path norm too large, listed": (listed, "claim.path_norm", dyadic(2550), Status.REFUTED, WEAK),
    "path norm 0": (tail, "claim.path_norm", dyadic(0), Status.MALFORMED, "outside 1.."),
    "path norm negative": (tail, "claim.path_norm", dyadic(-5), Status.MALFORMED, "outside 1.."),
    "path norm on the ball counted twice": (ball, "claim.path_norm", dyadic(400), Status.REFUTED, WEAK),
    "larger variation of the derivative": (
        tail,
        "claim.activation",
        {"class": "derivative-variation", "constant": "2"},
        Status.REFUTED,
        WEAK,
    ),
    "Lipschitz with the constant of ReLU": (
        tail,
        "claim.activation",
        {"class": "lipschitz", "constant": "1"},
        Status.REFUTED,
        WEAK,
    ),
    "steps with the constant of ReLU": (
        listed,
        "claim.activation",
        {"class": "variation", "constant": "1"},
        Status.REFUTED,
        WEAK,
    ),
    "an activation without a class": (
        tail,
        "claim.activation",
        {"class": "gelu", "constant": "1"},
        Status.UNSUPPORTED,
        "claim.activation.class 'gelu'",
    ),
    "constant 0": (tail, "claim.activation.constant", "0", Status.MALFORMED, "must be positive"),
    "depth 3": (tail, "claim.depth", 3, Status.MALFORMED, "outside 2..2"),
    "width rounded up": (steps, "claim.width", dyadic(4), Status.REFUTED, "does not follow"),
    "entries taken for norms": (tail, "claim.width", dyadic(9, 12), Status.REFUTED, "does not follow"),
    "a larger class of weights": (tail, "claim.weights.bound", "64", Status.REFUTED, "does not follow"),
    "weights bounded by 0": (tail, "claim.weights.bound", "0", Status.MALFORMED, "must be positive"),
    "width without weights": (tail, "claim.weights", None, Status.MALFORMED, "a width needs a bound"),
    "weights without a width": (tail, "claim.width", None, Status.MALFORMED, "a width needs a bound"),
    "dimension 2": (tail, "claim.dim", 2, Status.MALFORMED, "outside 3.."),
    "sup norm on spheres": (tail, "claim.norm", "sup", Status.UNSUPPORTED, "claim.norm"),
    "another measure": (tail, "claim.measure", "gaussian", Status.UNSUPPORTED, "claim.measure"),
    "a measure of the sup norm": (ball, "claim.measure", "uniform", Status.MALFORMED, "expected null"),
    "an inner product on the ball": (ball, "function", inner("t"), Status.UNSUPPORTED, "function.kind"),
    "a radial function on spheres": (
        tail,
        "function",
        {"kind": "radial", "expression": "r"},
        Status.UNSUPPORTED,
        "function.kind",
    ),
    "another formula": (tail, "function.expression", "sin(d^3*t)", Status.REFUTED, WEAK),
    "not a formula": (tail, "function.expression", "sin(", Status.MALFORMED, "function.expression: column 5"),
    "an empty formula": (tail, "function.expression", " ", Status.MALFORMED, "expected a formula"),
    "a function without values": (listed, "function.expression", "sqrt(t)", Status.REFUTED, "not certainly defined"),
    "an unbounded function": (listed, "function.expression", "1/t", Status.REFUTED, "not certainly defined"),
    "a jump outside": (steps, "function.jumps", [["1", "1"]], Status.REFUTED, "not certainly inside"),
    "a jump without a value": (steps, "function.jumps", [["1/0", "1"]], Status.REFUTED, "no certain finite value"),
    "a jump that is a triple": (steps, "function.jumps", [["0", "1", "1"]], Status.MALFORMED, "a place and a size"),
    "no jump": (steps, "function.jumps", [], Status.MALFORMED, "at least one jump or kink"),
    "degree 1 of a kink": (
        lambda: edited(steps(), "function.kinks", [["0", "1"]]),
        "witness.degrees",
        [1, 3],
        Status.REFUTED,
        "the degrees start at 2",
    ),
    "a list in a huge dimension": (listed, "claim.dim", 10**6, Status.EXHAUSTED, "up to dimension"),
    "too much work": (
        steps,
        "witness",
        {"kind": "listed", "degrees": [10**4]},
        Status.EXHAUSTED,
        "the work limit",
    ),
    "another witness": (tail, "witness", {"kind": "grid"}, Status.UNSUPPORTED, "witness.kind"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forgeries_are_refused(name: str) -> None:
    make, path, value, status, words = FORGERIES[name]
    obj = make()
    if name == "too much work":
        obj = edited(obj, "function.jumps", [[f"{i}/2000", "1"] for i in range(1000)])
    verdict = check(encode(edited(obj, path, value)))
    assert verdict.status is status, verdict.line
    assert words in verdict.text


def test_claims_at_the_edge_of_what_is_proved() -> None:
    """One part in a thousand decides: the forgeries above are not refused for being far away."""
    norm, seen = tail_of(5, 287)
    most = float(((norm - fmpq(7, 20)) / seen).mid())
    below, above = (edited(tail(), "claim.path_norm", dyadic(int(most * factor))) for factor in (0.999, 1.001))
    assert check(encode(below)).ok
    assert check(encode(above)).status is Status.REFUTED


def tail_of(dim: int, start: int, activation: Activation = RELU) -> tuple[arb, arb]:
    profile = Profile(dim, False, parse("sin(pi*d^3*t)", ("t",)), (), (), "")
    with precision(128):
        return tail_norm(wave_of(profile, start), dim, start), tail_visibility(activation, dim, start)


@pytest.mark.parametrize(("dim", "degree"), [(3, 1), (5, 2), (5, 3)])
def test_the_relu_constant_is_attained_without_a_bias(dim: int, degree: int) -> None:
    """E[|s + s'|/2 P_i(s) P_i(s')] sqrt(N_i) over independent s, s', by quadrature in mpmath."""
    overlap = _overlap(lambda z: abs(z) / 2, dim, degree)
    assert overlap == pytest.approx(float(visibility(RELU, dim, degree).mid()), rel=1e-6)


def _overlap(function: Callable[[Any], Any], dim: int, degree: int) -> float:
    alpha = mpmath.mpf(dim) / 2 - 1

    def p(t: Any) -> Any:
        before, here = mpmath.mpf(1), mpmath.mpf(t)
        for n in range(2, degree + 1):
            before, here = here, ((2 * n + dim - 4) * t * here - (n - 1) * before) / (n + dim - 3)
        return here

    def inner_mean(s: Any) -> Any:
        points = sorted({-1, float(-s), 1})
        return mpmath.quad(lambda t: function(s + t) * p(t) * (1 - t * t) ** (alpha - 0.5), points)

    z = mpmath.beta(mpmath.mpf(1) / 2, mpmath.mpf(dim - 1) / 2)
    with mpmath.workdps(15):
        mean = mpmath.quad(lambda s: inner_mean(s) * p(s) * (1 - s * s) ** (alpha - 0.5), [-1, 0, 1]) / z**2
    return float(abs(mean) * mpmath.sqrt(int(multiplicity(dim, degree))))


ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "derivative-variation": lambda z: np.maximum(z, 0),
    "variation": lambda z: (z > 0).astype(float),
    "lipschitz": lambda z: np.arcsin(np.sin(z)),
}


@pytest.mark.parametrize("kind", ACTIVATIONS)
@pytest.mark.parametrize("dim", [4, 9])
def test_no_unit_is_seen_more_than_the_constants_say(kind: str, dim: int) -> None:
    """Random norms and biases; aligned directions are the worst. The quadrature errs by a percent at kinks."""
    rng = np.random.default_rng(7)
    alpha = dim / 2 - 1
    nodes, weights = roots_gegenbauer(400, alpha)
    # roots_gegenbauer has the weight (1 - t^2)^{(d-3)/2}
    mass = weights / weights.sum()
    largest = 0.0
    for degree in (1, 2, 3, 6):
        p = eval_gegenbauer(degree, alpha, nodes) / eval_gegenbauer(degree, alpha, 1.0)
        seen = float(visibility(Activation(kind, fmpq(1)), dim, degree).mid())
        for _ in range(60):
            a, b = np.exp(rng.uniform(-1.5, 1.5, 2))
            if kind == "lipschitz":
                a = b = a * 2
            z = a * nodes[:, None] + b * nodes[None, :] + rng.uniform(-0.7, 0.7) * (a + b)
            overlap = abs((mass * p) @ ACTIVATIONS[kind](z) @ (mass * p)) * math.sqrt(int(multiplicity(dim, degree)))
            size = {"derivative-variation": math.sqrt(a * b), "variation": 1.0, "lipschitz": min(a, b)}[kind]
            largest = max(largest, overlap / size / seen)
    assert 0.1 < largest < 1.01


@pytest.mark.parametrize("kind", ["derivative-variation", "variation", "lipschitz"])
@pytest.mark.parametrize(("dim", "start"), [(3, 1), (3, 2), (5, 40), (12, 5), (12, 300)])
def test_tails_of_constants_are_not_below_their_sums(kind: str, dim: int, start: int) -> None:
    """Per degree where the sum converges; for the other classes the tail is a joint bound below that sum."""
    activation = Activation(kind, fmpq(1))
    with precision(128):
        tail = float(tail_visibility(activation, dim, start).mid())
        single = [float(visibility(activation, dim, i).mid()) for i in range(start, start + 3000, 2)]
    assert tail >= single[0] * (1 - 1e-12)
    if dim >= 5 and start >= 40 and kind != "lipschitz":
        total = math.sqrt(sum(c * c for c in single))
        assert total <= tail <= 1.05 * total


def test_the_tail_of_a_wave_is_below_its_true_energy_and_near_it() -> None:
    for text, parity in (("sin(60*t)", 1), ("cos(60*t)", 0)):
        expression = parse(text, ("t",))
        with precision(600):
            closed = closed_form(expression, 6, radial=False)
            assert closed is not None
            degrees = range(1, 121)
            energy = dict(zip(degrees, closed_coefficients(closed, 6, list(degrees)), strict=True))
        for start in (20 + parity, 40 + parity):
            true = math.sqrt(sum(float(energy[i].mid()) ** 2 for i in range(start, 121, 2)))
            with precision(128):
                bound = float(tail_norm(wave_of(Profile(6, False, expression, (), (), ""), start), 6, start).mid())
            assert 0.8 * true < bound <= true


@pytest.mark.parametrize(
    ("text", "radial"),
    [
        ("sin(5*t)", False),
        ("cos(3 - 7*t)/2 + t", False),
        ("-2*sin(-4*t + 1)", False),
        ("abs(t - 1/3)", False),
        ("sqrt(d)*max(0, t - 1/sqrt(d))", False),
        ("abs(abs(t) - 1/2)", False),
        ("min(abs(t), 1/2, t + 1)", False),
        ("max(t - 1/4, 1/4 - t, 1/8)", False),
        ("exp(1)*t + cos(2)*abs(t)/tanh(1)", False),
        ("sin(3*r^2) + r*r", True),
    ],
)
def test_closed_forms_agree_with_integration(text: str, radial: bool) -> None:
    expression = parse(text, ("r",) if radial else ("t",))
    with precision(70):
        closed = closed_form(expression, 4, radial)
        assert closed is not None
        exact = closed_coefficients(closed, 4, [2, 3, 5, 6])
        integrated = integral_coefficients(expression, 4, radial, [2, 3, 5, 6], Budget(100))
    for a, b in zip(exact, integrated, strict=True):
        assert a.overlaps(b)
        assert a.rad() < 1e-12
        assert b.rad() < 1e-12


@pytest.mark.parametrize(
    "text", ["t^2", "t*t", "sin(t)^2", "1/(2 + t)", "exp(t)", "sin(abs(t))", "abs(sin(t))", "sin(t*t)", "sqrt(1 + t)"]
)
def test_formulas_without_a_closed_form(text: str) -> None:
    assert closed_form(parse(text, ("t",)), 4, radial=False) is None


@pytest.mark.parametrize("text", ["r", "r^3", "sin(r)", "abs(r - 1/2)", "r/2 + 1", "r*2"])
def test_odd_powers_of_the_norm_have_no_closed_form(text: str) -> None:
    assert closed_form(parse(text), 4, radial=True) is None


def test_an_undecided_sign_is_no_closed_form() -> None:
    """The kink of |t - c| is at c = 0 exactly, but no ball can tell that sin(pi) is 0."""
    with precision(64):
        assert closed_form(parse("abs(abs(t) + sin(pi))", ("t",)), 4, radial=False) is None


def test_a_wide_ball_is_refused() -> None:
    with precision(128), pytest.raises(Refuted, match="not certainly defined"):
        integral_coefficients(parse("log(t)", ("t",)), 5, False, [2], Budget(100))


def test_numbers_are_shown_without_overstating_the_class() -> None:
    assert str(Dyadic(3, 4)) == "48"
    assert str(Dyadic(3, 400)) == "3*2^400"
    assert Dyadic(3, -2).exact == fmpq(3, 4)
    assert short_bound(fmpq(2) ** 500) == "2^500"
    assert short_bound(fmpq(1, 3)) == "1/3"
    long = fmpq(10**60 + 1, 3)
    mantissa, exponent = (int(part) for part in short_bound(long).replace("2^", "").split("*"))
    assert 0 <= long - mantissa * fmpq(2) ** exponent < long / 10**15
