"""The front door to lower bounds: which theorems speak about a request, and what they prove.

Every bound carries its norm, measure, domain and classes; bounds of different settings are never compared. The setting
follows from `measure` and `domain`:

    neither                   sup norm on the unit ball, a formula in r: rank, cells, crossings, degrees, radial dual
    domain="spheres"          L2 over pairs of unit vectors, a formula in t: degrees; crossings, but in the sup norm
    measure="eldan-shamir"    L2 of the Eldan-Shamir measure, a formula in s: tubes
    measure="gaussian"        mean square under N(0, I), ball(R): the Gaussian floor
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from flint import fmpq

from depthsep.accuracy import Accuracy, parse_accuracy
from depthsep.errors import BadInput, OutOfReach
from depthsep.functions import parse_function, parse_profile
from depthsep.lower_bounds import LowerBound, NoBound, cells_bound, rank_bound

__all__ = ["Answer", "all_bounds", "error_floor", "lower_bound", "parse_weight_bound"]

MEASURES = ("eldan-shamir", "gaussian")
DOMAINS = ("ball", "spheres")

Answer = LowerBound | NoBound

# Of every setting: how errors name it, its variable, and what it takes.
SETTINGS = {
    "ball": ("the sup norm on the unit ball", "r", "a formula in r, or ball(r0, margin)"),
    "spheres": ("pairs of points on spheres", "t", "a formula in t, or indicator(t >= c)"),
    "eldan-shamir": ("the measure eldan-shamir", "s", "a formula in s, or indicator(s <= a)"),
    "gaussian": ("the measure gaussian", "median", "ball(median), or ball(R) with a rational radius"),
}
HOMES = {
    "r": "r is the norm of x on the unit ball, where no measure and no other domain is named",
    "s": 's is the scaled norm of the measure "eldan-shamir"',
    "t": 't is the inner product of two unit vectors, on the domain "spheres"',
    "median": 'ball(median) goes with the measure "gaussian"',
}
_POWER = re.compile(r"\s*([1-9][0-9]*)\s*\^\s*(d|[0-9]{1,4})\s*")
_LONGEST = 2000  # bits, about; documents hold less
PIECEWISE_LINEAR = {"relu": 2, "leaky-relu": 2, "abs": 2, "hard-tanh": 3}


@dataclass(frozen=True)
class _Request:
    function: str
    dim: int
    eps: Fraction
    weights: Fraction | None
    activation: str


def all_bounds(
    function: str,
    *,
    dim: int,
    eps: Accuracy,
    measure: str | None = None,
    domain: str = "ball",
    weights: str | int | Fraction | None = None,
    activation: str = "relu",
    theorem: str | None = None,
) -> list[Answer]:
    """Prove lower bounds by every theorem that speaks about a request.

    Args:
        function: A formula in r (unit ball), t (spheres) or s (Eldan-Shamir), or ball(R) under the Gaussian.
        dim: The dimension.
        eps: The accuracy in the norm of the setting, exact. Under the Gaussian it is a mean squared error. "seed" with
            the theorem "ses4": the accuracy of the source.
        measure: "eldan-shamir", "gaussian", or None.
        domain: "ball" or "spheres", where no measure is named.
        weights: A bound of the entries of all weights, such as "2^d", for the theorems that need one.
        activation: The activation, for the theorems that are about a class of them.
        theorem: Only this one: rank, cells, crossings, degrees, radial-dual, tubes, gaussian-floor, or ses4.

    Returns:
        Bounds, and why others say nothing.

    Raises:
        BadInput: The request makes no sense.

    Example:
        >>> [answer.theorem for answer in all_bounds("1 - r", dim=10, eps="0.01") if isinstance(answer, LowerBound)]
        ['rank', 'cells', 'cells', 'degrees', 'radial-dual']
        >>> all_bounds("1 - r", dim=10, eps="0.01", theorem="tubes")
        Traceback (most recent call last):
        depthsep.errors.BadInput: the theorem 'tubes' for the sup norm on the unit ball
          needed: one of rank, cells, crossings, degrees, radial-dual, ses4
    """
    setting = _setting(measure, domain)
    theorems = _theorems(setting)
    if theorem == "ses4" and setting == "ball":
        return _ses4(function, dim, None if eps == "seed" else parse_accuracy(eps))
    if theorem is not None and theorem not in theorems:
        known = [*theorems, *(["ses4"] if setting == "ball" else [])]
        words = known[0] if len(known) == 1 else f"one of {', '.join(known)}"
        raise BadInput(f"the theorem {theorem!r} for {SETTINGS[setting][0]}", needed=words)
    if eps == "seed":
        raise BadInput('eps = "seed"', needed='the theorem "ses4", whose source states an accuracy')
    _require_function(function, dim, setting)
    request = _Request(function, dim, parse_accuracy(eps), parse_weight_bound(weights, dim), activation)
    chosen = theorems if theorem is None else {theorem: theorems[theorem]}
    return [answer for name, prove in chosen.items() for answer in _asked(name, prove, request)]


def _asked(name: str, prove: Callable[[_Request], Iterator[Answer]], request: _Request) -> list[Answer]:
    """The answers of one theorem; a work limit is an answer too, and so is a bound that says nothing."""
    try:
        answers = list(prove(request))
    except OutOfReach as error:
        return [NoBound(name, (error.found or error.asked).removeprefix(f"{name}: "))]
    nothing = NoBound(name, "it says no more than that a network has a unit")
    return [nothing if isinstance(answer, LowerBound) and not answer.says_something else answer for answer in answers]


def lower_bound(
    function: str,
    *,
    dim: int,
    eps: Accuracy,
    measure: str | None = None,
    domain: str = "ball",
    weights: str | int | Fraction | None = None,
    activation: str = "relu",
    theorem: str | None = None,
) -> Answer:
    """Prove the strongest lower bound on the width of depth-2 networks that some theorem gives; see `all_bounds`.

    Only bounds in the norm of the setting are compared: on pairs of unit vectors that is L2, so crossings, which are
    about the sup norm, have to be named.

    Returns:
        The bound of the largest width, or the first reason why there is none.

    Example:
        >>> bound = lower_bound("sin(pi*d^3*t)", domain="spheres", dim=10, eps="0.35", weights="2^d")
        >>> bound.theorem, bound.log2_width_lower > 35.8
        ('degrees', True)
    """
    if theorem is None and measure is None and domain == "spheres":
        theorem = "degrees"
    answers = all_bounds(
        function,
        dim=dim,
        eps=eps,
        measure=measure,
        domain=domain,
        weights=weights,
        activation=activation,
        theorem=theorem,
    )
    bounds = [answer for answer in answers if isinstance(answer, LowerBound) and answer.depth in ("any", 2)]
    if bounds:
        return max(bounds, key=lambda bound: bound.width_lower)
    return next(answer for answer in answers if isinstance(answer, NoBound))


def error_floor(function: str, *, dim: int, width: int, measure: str) -> Answer:
    """Prove that no depth-2 network of some width has a smaller error, whatever its activation and weights.

    Args:
        function: A formula in s or indicator(s <= a) (Eldan-Shamir); ball(median) or ball(R) (Gaussian).
        dim: The dimension.
        width: The number of hidden units.
        measure: "eldan-shamir", where the floor is an L2 norm, or "gaussian", where it is a mean square.

    Raises:
        BadInput: The request makes no sense.

    Example:
        >>> float(error_floor("ball(median)", dim=20, width=400, measure="gaussian").error_floor)
        0.0556642794
    """
    if measure not in MEASURES:
        raise BadInput(f"an error floor for the measure {measure!r}", needed=f"one of {', '.join(MEASURES)}")
    _require_function(function, dim, measure)
    if measure == "gaussian":
        from depthsep.lower_bounds.gaussian_floor import gaussian_floor

        return gaussian_floor(function, dim, width)
    from depthsep.lower_bounds.tubes import tubes_floor

    return tubes_floor(function, dim, width)


def parse_weight_bound(weights: str | int | Fraction | None, dim: int) -> Fraction | None:
    """Read a bound of the weights exactly; d in it is the dimension.

    >>> parse_weight_bound("2^d", 10)
    Fraction(1024, 1)
    """
    if weights is None:
        return None
    if not isinstance(weights, str):
        return _positive_bound(weights, Fraction(weights))
    power = _POWER.fullmatch(weights)
    if power is not None:  # formulas stop at the exponent 200
        base, exponent = int(power[1]), dim if power[2] == "d" else int(power[2])
        if exponent * base.bit_length() > _LONGEST:
            raise BadInput(f"the bound of the weights {weights!r}", found=f"dim = {dim}", needed="at most 390 digits")
        return Fraction(base) ** exponent
    value = parse_profile(weights, dim, variables=()).rational(fmpq(0), dim)
    return _positive_bound(weights, Fraction(0) if value is None else Fraction(int(value.p), int(value.q)))


def _positive_bound(weights: str | int | Fraction, value: Fraction) -> Fraction:
    if value > 0:
        return value
    raise BadInput(f"the bound of the weights {str(weights)!r}", needed="a positive rational number, such as 2^d or 64")


def _setting(measure: str | None, domain: str) -> str:
    """The key of `SETTINGS`."""
    if measure not in (None, *MEASURES):
        raise BadInput(f"the measure {measure!r}", needed=f"one of {', '.join(MEASURES)}")
    if domain not in DOMAINS:
        raise BadInput(f"the domain {domain!r}", needed=f"one of {', '.join(DOMAINS)}")
    if measure is None:
        return domain
    if domain != "ball":
        raise BadInput(f"the measure {measure!r} on {domain}", needed="one of them: a measure brings its own domain")
    return measure


def _theorems(setting: str) -> dict[str, Callable[[_Request], Iterator[Answer]]]:
    if setting == "eldan-shamir":
        return {"tubes": _tubes}
    if setting == "gaussian":
        return {"gaussian-floor": _gaussian}
    if setting == "spheres":
        return {"degrees": _degrees_on_spheres, "crossings": _crossings_on_spheres}
    return {
        "rank": _rank,
        "cells": _cells,
        "crossings": _crossings,
        "degrees": _degrees_on_ball,
        "radial-dual": _radial_dual,
    }


def _require_function(function: str, dim: int, setting: str) -> None:
    """Refuse the variable of another setting, a ball where it means nothing, and a profile without values."""
    name, own, needed = SETTINGS[setting]
    words = re.findall(r"(?<![\w.])[A-Za-z]\w*", function)
    for word in words:
        if word in HOMES and word != own:
            raise BadInput(function, found=f"{word}, which means nothing for {name}", needed=needed, do=HOMES[word])
    if "ball" in words and setting in ("spheres", "eldan-shamir"):
        raise BadInput(function, found=f"a ball, which means nothing for {name}", needed=needed)
    if setting == "ball":
        parse_function(function, dim).validate()


def _rank(request: _Request) -> Iterator[Answer]:
    yield rank_bound(parse_function(request.function, request.dim), request.dim, request.eps)


def _cells(request: _Request) -> Iterator[Answer]:
    if request.activation != "relu":
        yield NoBound("cells", f"it is about a first layer of relu units, not of {request.activation}")
        return
    function = parse_function(request.function, request.dim)
    yield cells_bound(function, request.dim, request.eps, depth=2)
    yield cells_bound(function, request.dim, request.eps, depth=3)


def _crossings(request: _Request, domain: str = "unit-ball") -> Iterator[Answer]:
    from depthsep.lower_bounds.crossings import crossings_bound

    words = request.function.strip()
    pieces = PIECEWISE_LINEAR.get(request.activation)
    if words.startswith("ball"):
        yield NoBound("crossings", "a ball indicator crosses every level once: the argument gives nothing")
    elif words.startswith("indicator"):
        yield NoBound("crossings", "a step is not continuous: no network is near it in the sup norm")
    elif pieces is None:
        known = ", ".join(PIECEWISE_LINEAR)
        yield NoBound("crossings", f"it needs a piecewise linear activation ({known}), not {request.activation}")
    else:
        yield crossings_bound(request.function, request.dim, request.eps, domain=domain, activation_pieces=pieces)


def _crossings_on_spheres(request: _Request) -> Iterator[Answer]:
    return _crossings(request, "spheres")


def _degrees_on_spheres(request: _Request) -> Iterator[Answer]:
    return _degrees(request, "spheres")


def _degrees_on_ball(request: _Request) -> Iterator[Answer]:
    return _degrees(request, "ball")


def _degrees(request: _Request, domain: str) -> Iterator[Answer]:
    from depthsep.lower_bounds.degrees import ACTIVATIONS, degrees_bound
    from depthsep_check.theorems.degrees import CLASSES

    function, activation = request.function, request.activation
    known = (*ACTIVATIONS, *CLASSES)
    reason = _too_simple(request)
    if reason is None and activation not in known:
        reason = f"the variation of {activation} is not known here; needed is one of {', '.join(known)}"
    if reason is not None:
        yield NoBound("degrees", reason)
    else:
        yield degrees_bound(function, request.dim, request.eps, request.weights, activation, domain=domain)


def _radial_dual(request: _Request) -> Iterator[Answer]:
    from depthsep.lower_bounds.degrees import ACTIVATIONS
    from depthsep.lower_bounds.radial_dual import radial_dual_bound

    smooth = {name: size for name, (kind, size) in ACTIVATIONS.items() if kind == "derivative-variation"}
    reason = _too_simple(request)
    if reason is None and request.activation not in smooth:
        words = f"it needs an activation whose derivative is of known total variation ({', '.join(smooth)})"
        reason = f"{words}, not {request.activation}"
    if reason is not None:
        yield NoBound("radial-dual", reason)
        return
    variation = Fraction(smooth[request.activation])
    yield radial_dual_bound(request.function, request.dim, request.eps, request.weights, variation)


def _too_simple(request: _Request) -> str | None:
    """Why the spectral theorems cannot speak, where that is plain."""
    if request.function.strip().startswith("ball"):
        return "it needs a formula in r"
    return f"it needs dim >= 3, not {request.dim}" if request.dim < 3 else None


def _tubes(request: _Request) -> Iterator[Answer]:
    from depthsep.lower_bounds.tubes import tubes_bound

    yield tubes_bound(request.function, request.dim, request.eps)


def _gaussian(request: _Request) -> Iterator[Answer]:
    from depthsep.lower_bounds.gaussian_floor import gaussian_width

    yield gaussian_width(request.function, request.dim, request.eps)


def _ses4(function: str, dim: int, eps: Fraction | None) -> list[Answer]:
    """What is certified beside Theorem 4 of Safran, Eldan & Shamir 2019; None is the accuracy of the source."""
    from depthsep.lower_bounds.named import safran_eldan_shamir_4

    row = safran_eldan_shamir_4(dim, eps)
    if function.replace(" ", "") != row.function.replace(" ", ""):
        raise BadInput(f'the theorem "ses4" for {function}', needed=f"its own function, {row.function}")
    return [ours.bound for ours in row.ours]
