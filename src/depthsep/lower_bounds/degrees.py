"""The degrees bound: a function of an inner product that lives on high degrees costs a large path norm at depth 2.

Theorem (after Daniely 2017, arXiv:1702.08489). x, x' are independent and uniform on the unit sphere of R^d, d >= 3, and
F(x, x') = f(<x, x'>) has the Gegenbauer coefficients alpha_i. Let N be any function of x, plus any function of x', plus
sum_j u_j s(<w_j, x> + <w'_j, x'> + b_j), and V = sum_j |u_j| sqrt(|w_j| |w'_j|). Then for every set I of degrees >= 1

    ||F - N||^2 >= sum_{i in I} max(0, |alpha_i| - V c_i)^2,

where c_i, the largest overlap of one unit with degree i, is known in closed form for ReLU whatever the bias.

What is proved here: this, for three classes of activations (derivative of bounded variation such as ReLU; of bounded
variation such as steps and sigmoids, where V = sum_j |u_j| and the inner weights are free; Lipschitz); a form with one
tail of all degrees n, n + 2, ... for sin and cos, all in closed form at any dimension and frequency; and the same
for functions of the norm on the unit ball in the sup norm, by x = (y + y')/2 (Safran, Eldan and Shamir 2019,
arXiv:1904.06984). The proofs stand in `depthsep_check.theorems.degrees`.
Differences from the source: explicit constants, the best degrees instead of n = d^2, arbitrary biases and skip
connections; the path norm V comes first, and the width under a bound of the weights second. Without a bound on the
weights the theorem says nothing about the width.
Cost: closed form: a few hundred evaluations of lgamma; a list: two Bessel functions and a recurrence (waves), a
recurrence for every break (piecewise linear), or one rigorous integral for every degree (any other formula).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb, fmpq
from scipy.special import betaincinv

from depthsep.activations import ACTIVATIONS as CATALOGUE
from depthsep.errors import BadInput
from depthsep.functions.formula import parse_profile
from depthsep.gegenbauer.zonal import read_step
from depthsep.lower_bounds.bound import LowerBound, NoBound, verified_document
from depthsep_check.gegenbauer import Closed
from depthsep_check.numbers import precision
from depthsep_check.theorems.degrees import (
    BITS,
    CLASSES,
    MAX_TAIL_DIM,
    WORK,
    Activation,
    Dyadic,
    Profile,
    coefficients,
    pair_scale,
    read_profile,
    short_bound,
    tail_norm,
    tail_visibility,
    visibility,
    wave_of,
)
from depthsep_check.verdict import Budget, CheckFailure, Refuted

__all__ = ["THEOREM", "Breaks", "degrees_bound"]

THEOREM = "degrees"

# Besides the catalogue: "leaky-relu" of any slope in [0, 1], and |t|.
ACTIVATIONS = {
    **{name.replace("_", "-"): (known.lower_class, known.class_constant) for name, known in CATALOGUE.items()},
    "leaky-relu": ("derivative-variation", Fraction(1)),
    "abs": ("derivative-variation", Fraction(2)),
}

_LISTED_FREQUENCY = 1200  # above, a list of all degrees that matter costs seconds, and gains less than two bits
_CLOSED_TOP = 1024
_INTEGRAL_TOP = 64
_ENOUGH = fmpq(1, 128)  # the search over lists stops when twice the degrees raise V by a smaller part
_MANTISSA_BITS = 40
_SAMPLES = 2**12
_LONGEST = 1295  # bits


@dataclass(frozen=True)
class Breaks:
    """A function of t given by its jumps and changes of slope; an affine function may be added freely.

    Args:
        jumps: Places in (-1, 1) and heights, exact constants in d such as ("1/sqrt(d)", "1").
        kinks: Places in (-1, 1) and changes of the slope.

    Example:
        >>> step = Breaks(jumps=(("1/sqrt(d)", "1"),))
        >>> degrees_bound(step, 50, Fraction(1, 10), 1).theorem
        'degrees'
    """

    jumps: tuple[tuple[str, str], ...] = ()
    kinks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class _Proof:
    """A path norm (of the form on pairs) that was found to be out of reach, and why."""

    path_norm: Dyadic
    witness: dict[str, Any]
    why: str


def degrees_bound(
    profile: str | Breaks,
    dim: int,
    eps: Fraction,
    weight_bound: int | Fraction | None = None,
    activation: str = "relu",
    *,
    weights: str = "entries",
    activation_constant: Fraction = Fraction(1),
    domain: str = "spheres",
    method: str = "auto",
    first_degree: int | None = None,
) -> LowerBound | NoBound:
    """Prove how large the path norm, and under a bound of the weights the width, of a depth-2 network must be.

    Args:
        profile: f as a formula in t = <x, x'> (and d), or `indicator(t >= c)`, or `Breaks`; for the domain "ball" a
            formula in r.
        dim: The dimension d, at least 3.
        eps: The accuracy, positive: a norm, not its square.
        weight_bound: B, or None to bound the path norm only (the width is then at least 1).
        activation: A name of the catalogue, such as "relu" or "gelu", "leaky-relu" (any slope in [0, 1]), "abs",
            or a class: "derivative-variation", "variation", "lipschitz".
        weights: What B bounds: "entries", every inner and outer weight; "product", |u_j| sqrt(|w_j| |w'_j|) of every
            unit (on the ball |u_j| |w_j|; with "lipschitz" the least of |w_j| and |w'_j|). With steps, sigmoids and
            "variation" both mean |u_j| <= B and the inner weights are free.
        activation_constant: The constant of a class.
        domain: "spheres": L2 over two independent uniform points of the sphere; "ball": sup norm on the unit ball.
        method: "closed" (the tail of a sine or cosine), "listed" (single degrees) or "auto", the better one in reach.
        first_degree: The first degree of the tail; searched if None.

    Returns:
        The bound, with `path_norm_lower`; or why there is none.

    Raises:
        BadInput: dim < 3, eps <= 0, B <= 0, an activation outside the classes, a formula that cannot be read, a first
            degree of the wrong parity.

    Source:
        Daniely 2017; Safran, Eldan and Shamir 2019; the proofs stand in `depthsep_check.theorems.degrees`.

    Example:
        >>> bound = degrees_bound("sin(pi*d^3*t)", 20, Fraction(35, 100), 2**20, method="closed")
        >>> round(bound.log2_width_lower, 1)
        86.9
        >>> degrees_bound("sin(pi*d^3*t)", 20, Fraction(3, 4), 2**20)
        NoBound(theorem='degrees', reason='eps = 3/4 is not below the L2 distance of the function ...')
    """
    _require(dim, eps, weight_bound, weights, domain, method)
    kind = _activation(activation, activation_constant)
    function = _function(profile, dim, domain)
    with precision(BITS):
        read = read_profile(function, dim, domain == "ball")
        found = _search(read, eps, kind, method, first_degree)
        if isinstance(found, str):
            return NoBound(THEOREM, _trivial(read, eps) or found)
    return _bound(_Request(dim, eps, weight_bound, activation, kind, weights, domain == "ball"), function, found)


@dataclass(frozen=True)
class _Request:
    dim: int
    eps: Fraction
    weight_bound: int | Fraction | None
    activation: str
    kind: Activation
    weights: str
    radial: bool


# ------------------------------------------------------------------------------------------------------------------
# What is asked


def _require(
    dim: int, eps: Fraction, weight_bound: int | Fraction | None, weights: str, domain: str, method: str
) -> None:
    if dim < 3:
        raise BadInput(
            f"dim = {dim}", needed="dimension 3 at least: the degrees bound is about spheres of dimension 2 on"
        )
    if dim > MAX_TAIL_DIM:
        raise BadInput(f"dim = {dim}", needed=f"a dimension of at most {MAX_TAIL_DIM}")
    if eps <= 0:
        raise BadInput(f"eps = {eps}", needed="a positive accuracy", do='for example eps="0.1"')
    if weight_bound is not None and weight_bound <= 0:
        raise BadInput(f"weights bounded by {weight_bound}", needed="a positive bound, or none for the path norm alone")
    for number in (Fraction(eps), Fraction(weight_bound or 1)):
        if max(number.numerator, number.denominator).bit_length() > _LONGEST:
            raise BadInput(
                "a number of more than 390 digits", needed="numbers that fit a document: B up to about 2^1295"
            )
    for name, value, known in (
        ("weights", weights, ("entries", "product")),
        ("domain", domain, ("spheres", "ball")),
        ("method", method, ("auto", "closed", "listed")),
    ):
        if value not in known:
            raise BadInput(f"{name} = {value!r}", needed=" or ".join(f'"{word}"' for word in known))


def _activation(name: str, constant: Fraction) -> Activation:
    if name in CLASSES:
        if constant <= 0:
            raise BadInput(f"activation_constant = {constant}", needed="a positive constant")
        return Activation(name, fmpq(constant.numerator, constant.denominator))
    if name not in ACTIVATIONS:
        raise BadInput(
            f"the degrees bound for the activation {name!r}",
            found="its total variation is not known here",
            needed=f"one of {', '.join(ACTIVATIONS)}, or a class: {', '.join(CLASSES)}",
            do='for a smooth one pass activation="derivative-variation" and the total variation of its derivative',
        )
    kind, value = ACTIVATIONS[name]
    return Activation(kind, fmpq(value.numerator, value.denominator))


def _function(profile: str | Breaks, dim: int, domain: str) -> dict[str, Any]:
    """The FUNCTION object."""
    step = read_step(profile) if isinstance(profile, str) else None
    if step:
        profile = Breaks(jumps=(step,))
    if isinstance(profile, str):
        parse_profile(profile, dim, ("r" if domain == "ball" else "t",))
        return {"kind": "radial" if domain == "ball" else "inner-product", "expression": profile}
    if domain == "ball":
        raise BadInput("a step on the unit ball in the sup norm", needed="a continuous formula in r, or L2 on spheres")
    if not profile.jumps and not profile.kinks:
        raise BadInput("Breaks without a jump or a kink", needed="one at least: an affine function costs nothing")
    for text in (text for pair in profile.jumps + profile.kinks for text in pair):
        if any(node.kind == "variable" for node in parse_profile(text, dim, ("t",)).nodes):
            raise BadInput(f"a break at or of {text}", needed="constants, such as 1/2 or 1/sqrt(d)")
    return {"kind": "breaks", **{name: [list(pair) for pair in getattr(profile, name)] for name in ("jumps", "kinks")}}


# ------------------------------------------------------------------------------------------------------------------
# The search


def _search(profile: Profile, eps: Fraction, kind: Activation, method: str, first: int | None) -> _Proof | str:
    """The largest path norm that is found out of reach, or why there is none."""
    accuracy = fmpq(eps.numerator, eps.denominator)
    frequency = _frequency(profile)
    attempts: list[Callable[[], _Proof | str]] = []
    if method == "closed" or (method == "auto" and (frequency or first)):
        attempts.append(lambda: _by_tail(profile, accuracy, kind, first))
    if method == "listed" or (method == "auto" and not first and frequency <= _LISTED_FREQUENCY):
        attempts.append(lambda: _by_list(profile, accuracy, kind))
    results = [_attempted(attempt) for attempt in attempts]
    proofs = [result for result in results if isinstance(result, _Proof)]
    return max(proofs, key=lambda proof: proof.path_norm.exact) if proofs else results[-1]


def _frequency(profile: Profile) -> float:
    """The frequency of a function that the tail argument knows, 0 for any other."""
    try:
        return float(wave_of(profile, 3).omega.mid())
    except Refuted:
        return 0.0


def _attempted(attempt: Callable[[], _Proof | str]) -> _Proof | str:
    try:
        return attempt()
    except CheckFailure as failure:
        return failure.text


def _by_tail(profile: Profile, eps: fmpq, kind: Activation, first: int | None) -> _Proof | str:
    """Search the first degree of the tail: a coarse grid, then steps that are halved."""
    wave, dim = wave_of(profile, 3), profile.dim
    parities = [n for n, part in ((1, wave.odd), (2, wave.even)) if part != 0]
    if first is not None and 2 - first % 2 not in parities:
        parity, needed = ("odd", "even") if first % 2 else ("even", "odd")
        raise BadInput(
            f"first_degree = {first}", found=f"all coefficients of {parity} degree are 0", needed=f"an {needed} degree"
        )

    def log_path_norm(degree: int) -> float:
        rest = tail_norm(wave, dim, degree) - arb(eps)
        return float((rest.log() - tail_visibility(kind, dim, degree).log()).mid()) if rest > 0 else -math.inf

    best = max(([first] if first else [_best_degree(log_path_norm, p, wave, dim) for p in parities]), key=log_path_norm)
    rest = tail_norm(wave, dim, best) - arb(eps)
    if not rest > 0:
        return f"the tail of degrees from {best} on is not certainly above eps = {eps}"
    path_norm = _below(rest / tail_visibility(kind, dim, best))
    return _Proof(
        path_norm, {"kind": "tail", "from": best}, f"the coefficients of degree {best} and more, of its parity"
    )


def _best_degree(score: Callable[[int], float], parity: int, wave: Any, dim: int) -> int:
    """The degree of a parity (1 or 2 for even) with the largest score, the score rising and then falling."""
    top = max(parity, int(float(wave.omega.mid()) - dim / 2 + 3))

    def snap(x: float) -> int:
        return min(max(parity, int(x) - (int(x) - parity) % 2), top)

    grid = {snap(top * (1 - math.exp(-k / 4))) for k in range(64)} | {snap(top * k / 64) for k in range(64)}
    best = max(sorted(grid), key=score)
    step = 2 * max(1, top // 128)
    while step >= 2:
        near = [best, snap(best - step), snap(best + step)]
        better = max(near, key=score)
        if better == best:
            step = step // 4 * 2
        best = better
    return best


def _by_list(profile: Profile, eps: fmpq, kind: Activation) -> _Proof | str:
    """Take more and more degrees until they add little, then keep those that a network of this size misses."""
    closed = profile.closed()
    top = 16 if closed is None or not closed.waves else max(int(1.3 * float(w.omega.mid())) + 30 for w in closed.waves)
    limit = _INTEGRAL_TOP if closed is None else max(_CLOSED_TOP, top)
    proof: _Proof | None = None
    energy = arb(0)
    while top <= limit:
        degrees = list(range(2 if closed is None or closed.kinks else 1, top + 1))
        sizes = [abs(alpha) for alpha in coefficients(profile, degrees, Budget(WORK))]
        energy = sum((size**2 for size in sizes), arb(0))
        before, proof = proof, _from_sizes(degrees, sizes, profile, eps, kind)
        if before and proof and proof.path_norm.exact < before.path_norm.exact * (1 + _ENOUGH):
            break
        top *= 2
    carried = math.sqrt(max(0.0, float(energy.mid())))
    return proof or f"the degrees up to {top // 2} carry an L2 norm of about {carried:.4g}, not more than eps = {eps}"


def _from_sizes(
    degrees: Sequence[int], sizes: Sequence[arb], profile: Profile, eps: fmpq, kind: Activation
) -> _Proof | None:
    """The largest V with sum max(0, |alpha_i| - V c_i)^2 > eps^2, to a few bits, by bisection."""
    rows = [
        (degree, size.lower(), visibility(kind, profile.dim, degree).upper())
        for degree, size in zip(degrees, sizes, strict=True)
        if size > 0
    ]

    def missed(path_norm: arb) -> list[tuple[int, arb]]:
        rests = ((degree, size - path_norm * seen) for degree, size, seen in rows)
        return [(degree, rest) for degree, rest in rests if rest > 0]

    def proves(path_norm: Dyadic) -> bool:
        return bool(sum((rest**2 for _, rest in missed(path_norm.ball)), arb(0)) > arb(eps) ** 2)

    if not rows:
        return None
    exponent = max(_below(size / seen).exponent + _MANTISSA_BITS for _, size, seen in rows)
    lowest = exponent - 400
    while exponent > lowest and not proves(Dyadic(1, exponent)):
        exponent -= 1
    if exponent == lowest:
        return None
    mantissa = 1
    for _ in range(_MANTISSA_BITS - 8):
        mantissa, exponent = 2 * mantissa, exponent - 1
        mantissa += proves(Dyadic(mantissa + 1, exponent))
    path_norm = Dyadic(mantissa, exponent)
    kept = [degree for degree, _ in missed(path_norm.ball)]
    shown = f"{len(kept)} degrees from {kept[0]} to {kept[-1]}"
    return _Proof(path_norm, {"kind": "listed", "degrees": kept}, f"the coefficients of {shown}")


def _below(ball: arb) -> Dyadic:
    """A number of a few bits a little below a positive ball."""
    mantissa, exponent = (int(x) for x in ball.lower().man_exp())
    shift = mantissa.bit_length() - _MANTISSA_BITS
    mantissa = mantissa >> shift if shift >= 0 else mantissa << -shift
    return Dyadic(mantissa - 1, exponent + shift)


def _trivial(profile: Profile, eps: Fraction) -> str | None:
    """Why nothing can be proved at this eps, if the mean of the function is as near; the distance is an estimate."""
    uniform = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
    sizes = np.sqrt(betaincinv(0.5, (profile.dim - 1) / 2, uniform))
    values = np.array([_value(profile, float(t)) for t in np.concatenate([-sizes, sizes])])
    distance = float(values.std())
    if not distance <= eps:
        return None
    return (
        f"eps = {eps} is not below the L2 distance of the function from its mean, about {distance:.4g}: "
        "it is trivially approximated by a constant"
    )


def _value(profile: Profile, t: float) -> float:
    if profile.expression is not None:
        x = arb(t) if not profile.radial else ((1 + arb(t)) / 2).sqrt()
        return float(profile.expression.ball(x.mid(), profile.dim).mid())
    closed = profile.closed()
    if not isinstance(closed, Closed):
        return math.nan
    jumps, kinks = (
        [(float(arb(at).mid()), float(arb(size).mid())) for at, size in pairs] for pairs in (closed.jumps, closed.kinks)
    )
    return sum(size for at, size in jumps if at <= t) + sum(size * max(0.0, t - at) for at, size in kinks)


# ------------------------------------------------------------------------------------------------------------------
# The result


def _bound(request: _Request, function: dict[str, Any], proof: _Proof) -> LowerBound:
    scale = pair_scale(request.radial, request.kind)
    path_norm = Dyadic(proof.path_norm.mantissa, proof.path_norm.exponent + scale - 1)
    units = 1 if request.weight_bound is None else _width(request, path_norm)
    shift = max(0, units.bit_length() - 60)
    width = Dyadic(units >> shift, shift)
    claim = _claim(request, path_norm, width)
    document, verdict = verified_document(
        f"a degrees bound of 2^{math.log2(units):.2f} units", function, claim, proof.witness
    )
    return LowerBound(
        theorem=THEOREM,
        width_lower=width.mantissa << width.exponent,
        eps=request.eps,
        dim=request.dim,
        norm=claim["norm"],
        measure=claim["measure"],
        domain=claim["domain"],
        depth=2,
        activation_class=_activation_words(request),
        weight_class=_weight_words(request),
        second_layer_width=None,
        hypotheses=_hypotheses(request, proof),
        document=document,
        verdict=verdict,
        path_norm_lower=Fraction(int(path_norm.exact.p), int(path_norm.exact.q)),
    )


def _width(request: _Request, path_norm: Dyadic) -> int:
    """The largest W such that W - 1 units have a path norm of at most `path_norm`."""
    bound, norm = Fraction(request.weight_bound or 0), path_norm.exact
    most = Fraction(int(norm.p), int(norm.q)) / bound
    if request.kind.kind != "variation" and request.weights == "entries":
        square = (most / bound) ** 2 / request.dim
        return math.isqrt(square.numerator // square.denominator) + 1
    return most.numerator // most.denominator + 1


def _claim(request: _Request, path_norm: Dyadic, width: Dyadic) -> dict[str, Any]:
    bounded = request.weight_bound is not None
    return {
        "kind": THEOREM,
        "dim": request.dim,
        "domain": "unit-ball" if request.radial else "sphere-pairs",
        "norm": "sup" if request.radial else "L2",
        "measure": None if request.radial else "uniform",
        "eps": str(request.eps),
        "depth": 2,
        "activation": {"class": request.kind.kind, "constant": str(request.kind.constant)},
        "path_norm": {"mantissa": path_norm.mantissa, "exponent": path_norm.exponent},
        "weights": {"kind": request.weights, "bound": str(request.weight_bound)} if bounded else None,
        "width": {"mantissa": width.mantissa, "exponent": width.exponent} if bounded else None,
    }


def _activation_words(request: _Request) -> str:
    said = {
        "derivative-variation": "derivative of total variation",
        "variation": "total variation",
        "lipschitz": "Lipschitz constant",
    }[request.kind.kind]
    words = f"{said} <= {request.kind.constant}"
    return words if request.activation == request.kind.kind else f"{request.activation} ({words})"


def _weight_words(request: _Request) -> str:
    if request.weight_bound is None:
        return "any (the bound is on the path norm)"
    size = Fraction(request.weight_bound)
    shown = short_bound(fmpq(size.numerator, size.denominator))
    if request.kind.kind == "variation":
        return f"outer weights <= {shown}, inner weights any"
    return f"{'entries' if request.weights == 'entries' else 'outer weight times inner norm'} <= {shown}"


def _hypotheses(request: _Request, proof: _Proof) -> tuple[str, ...]:
    free = "the biases and an affine part" if request.radial else "the biases, any function of x and any function of x'"
    return (
        f"depth 2, activations: {_activation_words(request)}",
        f"free: {free}",
        f"weights: {_weight_words(request)}",
        f"used: {proof.why}",
    )
