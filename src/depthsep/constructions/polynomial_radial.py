"""Depth-2 networks for polynomials in ||x||^2, through exact cubature.

Theorem (Safran, Eldan & Shamir 2019, arXiv:1904.06984, Theorem 3, about even monomials): for fixed k the function
x -> ||x||^(2k) has depth-2 networks of a width that is polynomial in d.

What is built here: let ||x||^(2j) = sum over groups o and directions u in o of w_oj <u, x>^(2j) exactly (`cubature`),
so that p(||x||^2) = a_0 + sum_o sum_u q_o(<u, x>) with q_o(z) = sum_j a_j w_oj z^(2j). Each group gets one even
piecewise-linear profile g_o within lambda_o0 + lambda_o1 z^2 + ... + lambda_oK z^(2K) of q_o, and with A_oj,mu the
moments of the group (`depthsep_check.directions`)

    |N(x) - p(||x||^2)|  <=  sum_j ||x||^(2j) max over mu of sum_o lambda_oj A_oj,mu / (j! / mu!).

Nothing new has to be trusted: with Q_o^+- = q_o +- sum_j lambda_oj z^(2j) this is the moment sandwich of
`depthsep_check.moment_sandwich` with one cell, which the checker replays on the stored numbers; they are rounded, and
the rounding is paid for there.

How lambda is chosen: a profile within tau of q_o needs about (1/4) of the integral of sqrt(|q_o''| / tau) links. Their
sum over all directions is convex in lambda, a small smooth problem; the links themselves are then the fewest possible
(`depthsep.univariate.tube_path`), and a few random changes of lambda use what their whole numbers leave. Nearby
polynomials of lower degree (Chebyshev economisation) are tried too, with what their distance leaves of eps.

Differences from the source: explicit, with tolerances that grow with |z|, which makes the number of links per direction
about log d / sqrt(eps). Cost: width 2 M (links), M about (2d)^k / k! or, with a thinned cube, about d^k; seconds. The
general search of `shallow_radial` wins where eps is not small; where it is, this is narrower, by up to a quarter.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from flint import fmpq
from numpy.polynomial import Chebyshev, Polynomial
from numpy.typing import NDArray

from depthsep.certificates.document import CertifiedNetwork, first_proved
from depthsep.constructions.cubature import exact_cubature, group_form, sparse_orbits
from depthsep.constructions.direction_families import thinned_cube
from depthsep.errors import BadInput, OutOfReach
from depthsep.functions import Radial
from depthsep.networks import CodeCube, Orbit, RidgeGroup, ShallowNetwork
from depthsep.progress import Progress, silent
from depthsep.univariate.tube_path import min_link_path
from depthsep_check import directions as exact
from depthsep_check.document import MAX_COEFFICIENTS
from depthsep_check.expression import Expression, ExpressionDomainError, Undefined

__all__ = ["build_polynomial", "polynomial_in_squares", "predicted_width"]

Floats = NDArray[np.float64]

_LARGEST = MAX_COEFFICIENTS - 1  # k of the largest degree 2k that documents hold
_DESIGN = 0.9995  # the share of eps aimed at
_WIDER = 2e-4  # by how much tolerances are widened for the proof: chords of curved tubes
_NODES = 600
_FINE = 6000
_CHANGES = 40
_SPREAD = 0.15
_SHARPNESS = 80.0  # of the smooth maximum
_CLOSE = 1.15  # sets of directions whose integrals are larger than the least by more than this are left out
_LEAST = 1e-12
_LARGEST_LOG = 600.0


def build_polynomial(
    function: Radial, eps: Fraction, max_width: int = 10_000_000, progress: Progress = silent
) -> CertifiedNetwork:
    """Build a depth-2 ReLU network within eps of a polynomial in ||x||^2 on the unit ball, with a checked proof.

    Args:
        function: The function; its formula is a polynomial in r^2 with rational coefficients.
        eps: The accuracy, positive.
        max_width: Wider networks are refused.
        progress: Called with a text, and a fraction where one is known.

    Raises:
        BadInput: The formula is no polynomial in r^2 of degree at most 24.
        OutOfReach: The narrowest network found is wider, or no proof closed.

    Example:
        >>> net = build_polynomial(Radial("r^2", dim=10), Fraction(1, 100))
        >>> net.widths, net.sup_error_upper <= net.eps
        ((180,), True)
        >>> build_polynomial(Radial("r^3", dim=10), Fraction(1, 100))
        Traceback (most recent call last):
        depthsep.errors.BadInput: a network for r^3 through exact cubature
        ...
    """
    coefficients = polynomial_in_squares(function.expression, function.dim)
    if coefficients is None:
        raise BadInput(
            f"a network for {function.text} through exact cubature",
            needed=f"a polynomial in r^2 with rational coefficients, of degree at most {2 * _LARGEST}",
            do="build it without naming this construction",
        )
    splits = []
    for task in _tasks(function.dim, coefficients, float(eps), max_width):
        progress(f"splitting the error among {task.directions:,} directions", None)
        splits.append((task, *_smooth_split(task)))
    least = min((links for _, _, links in splits), default=0.0)
    close = [(task, tolerances) for task, tolerances, links in splits if links <= _CLOSE * least]
    plans = [(task, _best_profiles(task, tolerances)) for task, tolerances in close]
    plans.sort(key=lambda plan: _width(*plan))
    for task, profiles in plans:
        progress(f"proving {_width(task, profiles):,} neurons", None)
        certified = _proved(function, task, eps, profiles) if _width(task, profiles) <= max_width else None
        if certified is not None:
            return certified
    raise _out_of_reach(function, eps, max_width, _width(*plans[0]) if plans else None)


def _out_of_reach(function: Radial, eps: Fraction, max_width: int, narrowest: int | None) -> OutOfReach:
    needed = "an exact identity of degree 2k takes at least C(d+k-1, k) directions"
    if narrowest is None:
        found, do = "too many directions", "allow more neurons, or a smaller degree or dimension"
    elif narrowest > max_width:
        found, do = f"the narrowest one found has {narrowest:,} neurons", "allow more neurons, or a larger eps"
    else:
        found, do = f"{narrowest:,} neurons should do, but no proof closed", "ask for a larger eps"
    return OutOfReach(
        f"a network within {eps} of {function.text} in dimension {function.dim} through exact cubature, at most "
        f"{max_width:,} neurons",
        found=found,
        needed=needed,
        do=do,
        reached={"predicted_width": narrowest},
    )


def predicted_width(function: Radial, eps: Fraction, max_width: int = 10_000_000) -> tuple[int, int] | None:
    """Predict what `build_polynomial` finds, from the integrals alone.

    Returns:
        The number of directions and about the width; None where every exact identity has too many directions.

    >>> directions, width = predicted_width(Radial("r^4", dim=10), Fraction(1, 100))
    >>> directions, round(width, -2)
    (138, 4200)
    """
    coefficients = polynomial_in_squares(function.expression, function.dim)
    if coefficients is None or len(coefficients) < 2:
        return None
    plans = [
        (task.directions, round(2 * _smooth_split(task)[1]))
        for task in _tasks(function.dim, coefficients, float(eps), max_width)
    ]
    return min(plans, key=lambda plan: plan[1], default=None)


def polynomial_in_squares(expression: Expression, dim: int) -> tuple[Fraction, ...] | None:
    """Read a formula as a polynomial in r^2 with rational coefficients.

    Returns:
        a_0, a_1, ..., a_k with a_k not 0 unless k = 0; None where it is none of degree 2k <= 24.

    >>> polynomial_in_squares(Radial("(1 - r^2)^2 + d/2", 3).expression, 3)
    (Fraction(5, 2), Fraction(-2, 1), Fraction(1, 1))
    >>> polynomial_in_squares(Radial("abs(r)^2", 3).expression, 3) is None
    True
    """
    try:
        powers = expression.evaluate(_POLYNOMIALS, (fmpq(0), fmpq(1)), dim)
    except (ExpressionDomainError, KeyError):
        return None
    if any(powers[1::2]) or len(powers) > 2 * _LARGEST + 1:
        return None
    return tuple(Fraction(int(c.p), int(c.q)) for c in powers[::2])


# ------------------------------------------------------------------------------------------------------------------
# Polynomials in r as tuples of coefficients, the last one not 0

_Powers = tuple[fmpq, ...]


def _trimmed(powers: Sequence[fmpq]) -> _Powers:
    length = max((i + 1 for i, c in enumerate(powers) if c), default=1)
    if length > 4 * _LARGEST + 2:
        raise Undefined("the degree is too large")
    return tuple(powers[:length])


def _sum(a: _Powers, b: _Powers) -> _Powers:
    long, short = (a, b) if len(a) >= len(b) else (b, a)
    return _trimmed([c + (short[i] if i < len(short) else 0) for i, c in enumerate(long)])


def _product(a: _Powers, b: _Powers) -> _Powers:
    result = [fmpq(0)] * (len(a) + len(b) - 1)
    for i, c in enumerate(a):
        for j, e in enumerate(b):
            result[i + j] += c * e
    return _trimmed(result)


def _quotient(a: _Powers, b: _Powers) -> _Powers:
    if len(b) > 1 or b[0] == 0:
        raise Undefined("not a polynomial")
    return tuple(c / b[0] for c in a)


def _power(a: _Powers, exponent: int) -> _Powers:
    if exponent < 0:
        return _power(_quotient((fmpq(1),), a), -exponent)
    result: _Powers = (fmpq(1),)
    for _ in range(exponent):
        result = _product(result, a)
    return result


_POLYNOMIALS: dict[str, Any] = {
    "number": lambda value: (value,),
    "add": _sum,
    "sub": lambda a, b: _sum(a, tuple(-c for c in b)),
    "mul": _product,
    "div": _quotient,
    "neg": lambda a: tuple(-c for c in a),
    "power": _power,
}


# ------------------------------------------------------------------------------------------------------------------
# The sets of directions, and the split of the error


@dataclass(frozen=True)
class _Task:
    """Groups with an exact identity of every degree, and the polynomials q_o that they have to follow.

    Args:
        groups: The sets of directions.
        constant: a_0.
        targets: Row o: the coefficients of q_o in powers of z^2, from z^0 to z^(2K).
        eps: What is left of the accuracy for the profiles.
    """

    groups: tuple[Orbit | CodeCube, ...]
    constant: float
    targets: Floats
    eps: float

    @property
    def directions(self) -> int:
        return sum(group.count for group in self.groups)

    @cached_property
    def counts(self) -> Floats:
        return np.array([float(group.count) for group in self.groups])

    @cached_property
    def ratios(self) -> list[Floats]:
        """For every j a matrix: row mu, column o: A_oj,mu / (j! / mu!)."""
        dim, result = self.groups[0].dim, []
        for j in range(self.targets.shape[1]):
            forms = [group_form(group, j) for group in self.groups]
            rows = []
            for mu in exact.partitions(j, dim):
                binomial = math.factorial(j) / math.prod(map(math.factorial, mu))
                rows.append([float(Fraction(int(form[mu].p), int(form[mu].q))) / binomial for form in forms])
            result.append(np.array(rows))
        return result

    def error(self, tolerances: Floats) -> float:
        """The bound of the module's text at ||x|| = 1, for a matrix of lambda_oj."""
        return float(sum((rows @ tolerances[:, j]).max() for j, rows in enumerate(self.ratios)))


def _tasks(dim: int, coefficients: tuple[Fraction, ...], eps: float, max_width: int) -> Iterator[_Task]:
    """The polynomial, and nearby ones of lower degrees, along all sets of directions within the width."""
    for nearby, distance in _economised(coefficients):
        left = (eps - distance) * _DESIGN
        if left > 0:
            yield from (task for task in _tasks_of(dim, nearby, left) if 2 * task.directions <= max_width)


def _economised(coefficients: tuple[Fraction, ...]) -> Iterator[tuple[tuple[Fraction, ...], float]]:
    """The polynomial, and its Chebyshev series in r^2 on [0, 1] cut at lower degrees, with bounds of what is cut."""
    yield coefficients, 0.0
    series = Polynomial([float(c) for c in coefficients]).convert(domain=[0, 1], kind=Chebyshev)
    for degree in range(len(coefficients) - 2, 0, -1):
        cut = series.cutdeg(degree).convert(kind=Polynomial)
        yield tuple(Fraction(float(c)) for c in cut.coef), float(np.abs(series.coef[degree + 1 :]).sum())


def _tasks_of(dim: int, coefficients: tuple[Fraction, ...], eps: float) -> Iterator[_Task]:
    """Sparse orbits alone, and fewer of them with a thinned cube; tolerances of the degree of p, and of one more."""
    k = len(coefficients) - 1
    if k == 0:
        yield _Task((), float(coefficients[0]), np.zeros((0, 1)), eps)
        return
    orbits = [Orbit(generator, dim) for generator in sparse_orbits(k) if len(generator) <= dim]
    for tolerance_degree in (k, k + 1):
        if tolerance_degree > _LARGEST:
            continue
        choices: list[Sequence[Orbit | CodeCube]] = [orbits]
        code = thinned_cube(dim, tolerance_degree) if k >= 2 and dim >= 3 else None
        if code is not None:
            for places in range(1, k):
                choices.append([code, *(orbit for orbit in orbits if len(orbit.generator) <= places)])
        tasks = (_task(dim, coefficients, groups, tolerance_degree, eps) for groups in choices)
        yield from (task for task in tasks if task is not None)


def _task(
    dim: int,
    coefficients: tuple[Fraction, ...],
    groups: Sequence[Orbit | CodeCube],
    tolerance_degree: int,
    eps: float,
) -> _Task | None:
    """Put every power on the groups that its identity uses; None where there is no identity, or a code is too weak."""
    targets = np.zeros((len(groups), tolerance_degree + 1))
    try:
        for group in groups:
            group_form(group, tolerance_degree)
        powers = [j for j, coefficient in enumerate(coefficients) if j and coefficient]
        identities = [exact_cubature(dim, 2 * j, groups) for j in powers]
    except BadInput:
        return None
    for j, identity in zip(powers, identities, strict=True):
        for group, weight in zip(identity.groups, identity.weights, strict=True):
            targets[list(groups).index(group), j] = float(coefficients[j] * weight)
    used = np.abs(targets).max(axis=1) > 0
    kept = tuple(group for group, keep in zip(groups, used, strict=True) if keep)
    return _Task(kept, float(coefficients[0]), targets[used], eps)


@dataclass(frozen=True)
class _Profile:
    """A profile g(z) = start + sum_i weights_i max(0, |z| - thresholds_i) and its tolerances."""

    start: float
    thresholds: Floats
    weights: Floats
    tolerances: Floats


def _width(task: _Task, profiles: Sequence[_Profile]) -> int:
    return sum(2 * group.count * len(p.thresholds) for group, p in zip(task.groups, profiles, strict=True))


def _best_profiles(task: _Task, tolerances: Floats) -> list[_Profile]:
    """The profiles for these tolerances, after a few random changes that made them narrower."""
    profiles = _profiles(task, tolerances)
    rng = np.random.default_rng(0)
    for _ in range(_CHANGES if task.groups else 0):
        groups, entries = rng.normal(0, _SPREAD, (len(tolerances), 1)), rng.normal(0, _SPREAD / 2, tolerances.shape)
        changed = tolerances * np.exp(groups + entries)
        trial = _profiles(task, changed)
        if _width(task, trial) < _width(task, profiles):
            tolerances, profiles = changed, trial
    return profiles


def _profiles(task: _Task, tolerances: Floats) -> list[_Profile]:
    """The profiles for tolerances scaled to spend all that is left of eps."""
    scaled = tolerances * (task.eps / task.error(tolerances)) if task.groups else tolerances
    return [_profile(task, group, scaled[group]) for group in range(len(scaled))]


def _smooth_split(task: _Task) -> tuple[Floats, float]:
    """Minimise the links of all directions together, by their integrals; give the tolerances and the links."""
    from scipy.optimize import minimize

    if not task.groups:
        return task.targets, 0.0
    shape = task.targets.shape
    nodes = (np.arange(_NODES) + 0.5) / _NODES
    place, share = nodes**2, 2 * nodes / _NODES  # denser near 0, where tolerances are small
    reach = np.array([math.sqrt(group.norm_squared) for group in task.groups])
    z = reach[:, None] * place
    powers = np.stack([z ** (2 * j) for j in range(shape[1])], axis=1)
    j = np.arange(1, shape[1])
    second = np.einsum("oj,ojn->on", task.targets[:, 1:] * (2 * j * (2 * j - 1)), powers[:, :-1])
    weights = task.counts[:, None] * reach[:, None] * share * np.sqrt(np.abs(second))

    def objective(logs: Floats) -> tuple[float, Floats]:
        tolerances = np.exp(logs.reshape(shape))
        tau = np.einsum("oj,ojn->on", tolerances, powers)
        links = float((weights / np.sqrt(tau)).sum())
        slope = -0.5 * np.einsum("on,ojn->oj", weights * tau**-1.5, powers) * tolerances / links
        error, error_slope = _smooth_error(task, tolerances)
        return math.log(links) + math.log(error) / 2, (slope + error_slope * tolerances / (2 * error)).ravel()

    scale = np.array([np.abs(rows).max(axis=0) for rows in task.ratios]).T
    start = np.log(1 / np.maximum(scale, _LEAST)).ravel()
    solution = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": 2000})
    logs = np.asarray(solution.x, dtype=np.float64).reshape(shape)
    return np.exp(np.maximum(logs, -_LARGEST_LOG)), math.exp(float(solution.fun)) / (4 * math.sqrt(task.eps))


def _smooth_error(task: _Task, tolerances: Floats) -> tuple[float, Floats]:
    """A smooth upper estimate of the error, and its derivatives."""
    total, slopes = 0.0, np.zeros_like(tolerances)
    for j, rows in enumerate(task.ratios):
        values = rows @ tolerances[:, j]
        largest = float(values.max())
        shares = (values / largest) ** _SHARPNESS
        norm = float(shares.sum()) ** (1 / _SHARPNESS)
        total += largest * norm
        slopes[:, j] = norm * (shares * largest / np.maximum(values, _LEAST * largest)) @ rows / shares.sum()
    return total, slopes


def _profile(task: _Task, group: int, tolerances: Floats) -> _Profile:
    """The fewest links within the tolerance of q, the first one flat."""
    z = math.sqrt(task.groups[group].norm_squared) * np.linspace(0, 1, _FINE) ** 1.5
    target = np.polynomial.polynomial.polyval(z * z, task.targets[group])
    tau = np.polynomial.polynomial.polyval(z * z, tolerances)
    knots, values = min_link_path(z, target - tau, target + tau, start="flat")
    slopes = np.concatenate([[0.0], np.diff(values[1:]) / np.diff(knots[1:])])
    return _Profile(float(values[0]), knots[1:-1], np.diff(slopes), tolerances)


def _proved(function: Radial, task: _Task, eps: Fraction, profiles: Sequence[_Profile]) -> CertifiedNetwork | None:
    """Write the network and its sandwich, and have both checked."""
    groups, pairs, bias = [], [], task.constant
    for group, target, profile in zip(task.groups, task.targets, profiles, strict=True):
        if not profile.thresholds.size or profile.thresholds[0] <= 0:
            return None
        groups.append(RidgeGroup(group, tuple(profile.thresholds.tolist()), tuple(profile.weights.tolist())))
        bias += group.count * profile.start
        middle = target - np.eye(1, len(target))[0] * profile.start
        wider = profile.tolerances * (1 + _WIDER) + 1e-15 * np.abs(middle)
        pairs.append({"upper": _hexadecimal(middle + wider), "lower": _hexadecimal(middle - wider)})
    network = ShallowNetwork(function.dim, bias, tuple(groups))
    witness = {"kind": "moment-sandwich", "cells": [{"to": "1", "groups": pairs}]}
    return first_proved(function, network, witness, [float(eps) * _DESIGN * (1 + 1.5 * _WIDER)], eps)


def _hexadecimal(values: Floats) -> list[str]:
    return [value.hex() for value in values.tolist()]
