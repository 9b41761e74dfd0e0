"""The front door to lower bounds: which theorems speak about a request, and what they prove.

Every bound carries its norm, measure, domain and classes; bounds of different settings are never compared. The setting
follows from `measure` and `domain`:

    neither                   sup norm on the unit ball, a formula in r: rank, cells, crossings, degrees, radial dual
    domain="spheres"          L2 over pairs of unit vectors, a formula in t: degrees (and crossings, in the sup norm)
    measure="eldan-shamir"    L2 of the Eldan-Shamir measure, a formula in s: tubes
    measure="gaussian"        mean square under N(0, I), ball(R): the Gaussian floor
"""

from __future__ import annotations

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
        ['rank', 'cells', 'cells']
        >>> all_bounds("1 - r", dim=10, eps="0.01", theorem="tubes")
        Traceback (most recent call last):
        depthsep.errors.BadInput: the theorem 'tubes' for the sup norm on the unit ball
          needed: one of rank, cells, crossings, degrees, radial-dual, ses4
    """
    theorems = _theorems(measure, domain)
    on_ball = measure is None and domain == "ball"
    if theorem == "ses4" and on_ball:
        return _ses4(function, dim, None if eps == "seed" else parse_accuracy(eps))
    if theorem is not None and theorem not in theorems:
        known = [*theorems, "ses4"] if on_ball else list(theorems)
        raise BadInput(f"the theorem {theorem!r} for {_setting(measure, domain)}", needed=f"one of {', '.join(known)}")
    if eps == "seed":
        raise BadInput('eps = "seed"', needed='the theorem "ses4", whose source states an accuracy')
    request = _Request(function, dim, parse_accuracy(eps), parse_weight_bound(weights, dim), activation)
    chosen = theorems if theorem is None else {theorem: theorems[theorem]}
    return [answer for name, prove in chosen.items() for answer in _asked(name, prove, request)]


def _asked(name: str, prove: Callable[[_Request], Iterator[Answer]], request: _Request) -> list[Answer]:
    """The answers of one theorem; a work limit is an answer too."""
    try:
        return list(prove(request))
    except OutOfReach as error:
        return [NoBound(name, error.found or error.asked)]


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

    Returns:
        The bound of the largest width, or the first reason why there is none.

    Example:
        >>> bound = lower_bound("sin(pi*d^3*t)", domain="spheres", dim=10, eps="0.35", weights="2^d")
        >>> bound.theorem, bound.log2_width_lower > 35.8
        ('degrees', True)
    """
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
        0.05566518055
    """
    if measure == "gaussian":
        from depthsep.lower_bounds.gaussian_floor import gaussian_floor

        return gaussian_floor(function, dim, width)
    if measure == "eldan-shamir":
        from depthsep.lower_bounds.tubes import tubes_floor

        return tubes_floor(function, dim, width)
    raise BadInput(f"an error floor for the measure {measure!r}", needed=f"one of {', '.join(MEASURES)}")


def parse_weight_bound(weights: str | int | Fraction | None, dim: int) -> Fraction | None:
    """Read a bound of the weights exactly; d in it is the dimension.

    >>> parse_weight_bound("2^d", 10)
    Fraction(1024, 1)
    """
    if not isinstance(weights, str):
        return None if weights is None else Fraction(weights)
    value = parse_profile(weights, dim, variables=()).rational(fmpq(0), dim)
    if value is None or value <= 0:
        raise BadInput(f"the bound of the weights {weights!r}", needed="a positive rational number, such as 2^d or 64")
    return Fraction(int(value.p), int(value.q))


def _theorems(measure: str | None, domain: str) -> dict[str, Callable[[_Request], Iterator[Answer]]]:
    if measure not in (None, *MEASURES):
        raise BadInput(f"the measure {measure!r}", needed=f"one of {', '.join(MEASURES)}")
    if domain not in DOMAINS:
        raise BadInput(f"the domain {domain!r}", needed=f"one of {', '.join(DOMAINS)}")
    if measure == "eldan-shamir":
        return {"tubes": _tubes}
    if measure == "gaussian":
        return {"gaussian-floor": _gaussian}
    if domain == "spheres":
        return {"degrees": _degrees_on_spheres, "crossings": _crossings_on_spheres}
    return {
        "rank": _rank,
        "cells": _cells,
        "crossings": _crossings,
        "degrees": _degrees_on_ball,
        "radial-dual": _radial_dual,
    }


def _setting(measure: str | None, domain: str) -> str:
    if measure is not None:
        return f"the measure {measure}"
    return "pairs of points on spheres" if domain == "spheres" else "the sup norm on the unit ball"


def _rank(request: _Request) -> Iterator[Answer]:
    yield rank_bound(parse_function(request.function, request.dim), request.dim, request.eps)


def _cells(request: _Request) -> Iterator[Answer]:
    function = parse_function(request.function, request.dim)
    yield cells_bound(function, request.dim, request.eps, depth=2)
    yield cells_bound(function, request.dim, request.eps, depth=3)


def _crossings(request: _Request) -> Iterator[Answer]:
    from depthsep.lower_bounds.crossings import crossings_bound

    if request.function.strip().startswith("ball"):
        yield NoBound("crossings", "a ball indicator crosses every level once: the argument gives nothing")
    else:
        yield crossings_bound(request.function, request.dim, request.eps)


def _crossings_on_spheres(request: _Request) -> Iterator[Answer]:
    from depthsep.lower_bounds.crossings import crossings_bound

    yield crossings_bound(request.function, request.dim, request.eps, domain="spheres")


def _degrees_on_spheres(request: _Request) -> Iterator[Answer]:
    from depthsep.lower_bounds.degrees import degrees_bound

    yield degrees_bound(request.function, request.dim, request.eps, request.weights, request.activation)


def _degrees_on_ball(request: _Request) -> Iterator[Answer]:
    from depthsep.lower_bounds.degrees import degrees_bound

    reason = _too_simple(request)
    if reason is not None:
        yield NoBound("degrees", reason)
    else:
        yield degrees_bound(
            request.function, request.dim, request.eps, request.weights, request.activation, domain="ball"
        )


def _radial_dual(request: _Request) -> Iterator[Answer]:
    from depthsep.lower_bounds.radial_dual import radial_dual_bound

    reason = _too_simple(request)
    if reason is not None:
        yield NoBound("radial-dual", reason)
    else:
        yield radial_dual_bound(request.function, request.dim, request.eps, request.weights)


def _too_simple(request: _Request) -> str | None:
    """Why the spectral theorems on the ball cannot speak, where that is plain."""
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
