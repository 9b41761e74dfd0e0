"""Depth-2 networks for radial functions, by a moment sandwich.

Theorem (Safran, Eldan & Shamir 2019, "Depth separations in neural networks: what is actually being separated?",
arXiv:1904.06984, Theorem 1): a 1-Lipschitz function of ||x|| is within eps of a depth-2 network of width
exp(O(eps^-9 log(d/eps))) on the unit ball; at fixed eps a polynomial in d.

What is built here: N(x) = b + sum over groups o and directions u in o of g_o(<u, x>) with even piecewise-linear
profiles g_o, and for every cell of radii even polynomials Q_o^- <= g_o <= Q_o^+ whose averages over the directions
stay within eps of phi. Hypotheses: (H1) phi is continuous on [0, 1]; (H2) C1-C3 of `depthsep_check.moment_sandwich`,
which the checker replays on the stored numbers. No Lipschitz constant is needed, and no exact cubature.

Differences from the source. The proof there approximates phi(sqrt(s)) by a polynomial, the polynomial by a sum over
directions, each ridge by neurons, and adds up three errors in the worst case. Here one linear program weighs them
(`sandwich_program`), a knot search makes it sparse (`knot_search`), and structured directions replace a covering of
the sphere (`direction_families`). Profiles that begin with a kink at 0 use D|z| = 2 D relu(z) - D z: one neuron a
direction; the linear terms of all directions cancel or are one more neuron, which is linear on the ball.

Cost: width M (2 knots) with M ~ d^k for accuracies that even polynomials of degree 2k reach; 0.1-20 s of search, one
linear program after the other; the document holds the definition of the directions, not their list.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthsep.certificates.document import CertifiedNetwork, first_proved
from depthsep.constructions.direction_families import Family, SharedFamily, families, sum_of
from depthsep.constructions.knot_search import Found, improve, start, thin_out
from depthsep.constructions.prospects import Prospect
from depthsep.constructions.sandwich_program import SandwichProgram, Solution
from depthsep.errors import OutOfReach
from depthsep.functions import Radial
from depthsep.networks import AffineUnit, RidgeGroup, ShallowNetwork
from depthsep.progress import Progress, silent

__all__ = ["DEFAULT_MAX_WIDTH", "Plan", "find_plans", "largest_degree", "search"]

Floats = NDArray[np.float64]

DEFAULT_MAX_WIDTH = 10_000_000

_DESIGN = 0.999  # the share of eps aimed at; sampling and rounding live on the rest
_CELLS = {1: 12, 2: 8}  # cells of radii by degree k,
_MORE_CELLS = 10  # for larger k,
_CELLS_OF_SPACE = 6  # for every k in dimension 2 and 3, where there are more rows a cell,
_CELLS_OF_ONE_GROUP = {3: 14, 4: 14}  # and, by dimension, for one group of directions: such programs are small
_FINER_CELLS = 12  # for a second look at the promising families of dimension 2
_MOST_GROUPS = 3  # of explicit directions: programs of families with more take too long, unless all share one profile
_GRIDS = ((24, False), (48, True))  # abscissae for knots, and patience with programs: more of both where less fails
_PATIENT_DEGREE = 3  # programs of a larger degree would take minutes each
_IMPROVED = 2  # how many families are searched in depth,
_WORTH = 1.25  # unless they start this much wider than the best;
_IMPROVED_CHEAP, _WORTH_CHEAP = 3, 1.6  # the same for those of one group, whose programs are small
_PROVED = 3  # how many sets of knots are proved until one proof closes,
_THINNED = 2  # and how many of them are thinned first,
_CLOSE = 1.1  # unless they are this much wider than the best
_LINEAR_NOISE = 1e-13  # a linear part below this share is rounding and is charged to the error instead of cancelled
_PAD = 1e-9  # by how much polynomials are widened before they are rounded
_LARGER = (110, 125, 150, 200, 300, 500, 1000)  # other accuracies, in percent of the one out of reach


def largest_degree(dim: int) -> int:
    """The k of the largest polynomials, of degree 2k, that are tried."""
    return {1: 12, 2: 12, 3: 8, 4: 6}.get(dim, 5)


def search(
    function: Radial,
    eps: Fraction,
    max_width: int = DEFAULT_MAX_WIDTH,
    progress: Progress = silent,
    plans: list[Plan] | None = None,
) -> CertifiedNetwork:
    """Find a small depth-2 ReLU network within eps of x -> phi(||x||) on the unit ball, with a checked proof.

    Args:
        function: The radial function; phi is continuous on [0, 1].
        eps: The accuracy, positive.
        max_width: Wider networks are not considered.
        progress: Called with a text, and a fraction where one is known.
        plans: What `find_plans` gave for the same request, if it was asked before.

    Raises:
        OutOfReach: No network of at most `max_width` neurons was found; `reached` says what was.

    >>> search(Radial("1 - r", dim=2), Fraction(1, 10)).widths
    (3,)
    >>> search(Radial("1 - r", dim=2), Fraction(1, 10), max_width=2)
    Traceback (most recent call last):
    depthsep.errors.OutOfReach: a depth-2 network within 1/10 of 1 - r in dimension 2, at most 2 neurons
      found:  about 3 neurons needed (an estimate); about eps = 1 is in reach (an estimate)
    ...
    """
    constant = _constant(function, eps)
    if constant is not None:
        return constant
    plans = find_plans(function, eps, max_width, progress) if plans is None else plans
    certified = next(_certified(function, eps, plans, progress), None)
    if certified is not None and certified.widths[0] <= max_width:
        return certified
    raise _out_of_reach(function, eps, max_width, certified, progress)


def _constant(function: Radial, eps: Fraction) -> CertifiedNetwork | None:
    """The network without neurons, if phi varies so little."""
    values = function.profile(np.linspace(0, 1, 4097))
    half = (float(values.max()) - float(values.min())) / 2
    if half > float(eps):
        return None
    witness = {"kind": "moment-sandwich", "cells": [{"to": "1", "groups": []}]}
    network = ShallowNetwork(function.dim, float(values.min()) + half, ())
    return first_proved(function, network, witness, [half * (1 + _PAD)], eps)


@dataclass(frozen=True, eq=False)
class Plan:
    """A family with knots that its program accepts."""

    program: SandwichProgram
    found: Found

    @property
    def prospect(self) -> Prospect:
        """The plan for somebody who does not search."""
        family = self.program.family
        count = int(sum(family.counts))
        return Prospect("moment sandwich", family.name, count, int(self.found.units), family.degree * 2)


def find_plans(
    function: Radial,
    eps: Fraction,
    max_width: float = DEFAULT_MAX_WIDTH,
    progress: Progress = silent,
    thorough: bool = True,
) -> list[Plan]:
    """Try the families degree by degree, cheaply; the best first.

    Args:
        function: As for `search`.
        eps: As for `search`.
        max_width: Families that need more are left out.
        progress: Called with a text.
        thorough: Whether to try finer grids of knots where the coarse ones fail, which may take a minute.
    """
    for points, patient in _GRIDS if thorough else _GRIDS[:1]:
        plans = _plans_on_grid(function, eps, max_width, points, patient, progress)
        if plans:
            return plans
    return []


def _plans_on_grid(
    function: Radial, eps: Fraction, max_width: float, points: int, patient: bool, progress: Progress
) -> list[Plan]:
    plans: list[Plan] = []
    best, stale = math.inf, 0
    last = min(largest_degree(function.dim), _PATIENT_DEGREE) if patient else largest_degree(function.dim)
    for degree in range(1, last + 1):
        progress(f"trying moments up to degree {2 * degree}" + ", on a finer grid" * patient, None)
        plans += _plans_of_degree(function, eps, degree, min(best, max_width), points, patient)
        least = min((plan.found.units for plan in plans), default=math.inf)
        stale = 0 if least < best else stale + 1
        best = least
        if plans and stale >= (2 if function.dim == 2 else 1):
            break
    return _without_repeats(sorted(plans, key=lambda plan: plan.found.units))


def _plans_of_degree(
    function: Radial, eps: Fraction, degree: int, largest: float, points: int, patient: bool
) -> Iterator[Plan]:
    """The families of at most `largest` directions whose programs accept the accuracy with knots on a grid."""
    for family in families(function.dim, degree, largest):
        one_profile = family.shared()
        variants = [family] if one_profile is None or len(family.groups) <= _MOST_GROUPS else []
        for variant in variants if one_profile is None else [*variants, one_profile]:
            program = _program(function, variant, float(eps), patient)
            found = start(program, points, rounds=2)
            if found is not None:
                yield Plan(program, found)


def _without_repeats(plans: list[Plan]) -> list[Plan]:
    """Of plans with equally many directions in every group the first, which costs least or has the lowest degree."""
    first: dict[tuple[int, ...], Plan] = {}
    for plan in plans:
        first.setdefault(tuple(group.count for group in plan.program.family.groups), plan)
    return list(first.values())


def _program(function: Radial, family: Family, eps: float, patient: bool) -> SandwichProgram:
    if function.dim in _CELLS_OF_ONE_GROUP and len(family.groups) == 1:
        count = _CELLS_OF_ONE_GROUP[function.dim]
    else:
        count = _CELLS.get(family.degree, _MORE_CELLS) if function.dim > 3 else _CELLS_OF_SPACE
    return SandwichProgram(family, function.profile, _DESIGN * eps, np.arange(1, count + 1) / count, patient)


def _certified(function: Radial, eps: Fraction, plans: list[Plan], progress: Progress) -> Iterator[CertifiedNetwork]:
    """Search the most promising plans, then the others one by one."""
    least = plans[0].found.units if plans else 0
    close = [plan for plan in plans[:_IMPROVED] if plan.found.units <= _WORTH * least]
    single = [plan for plan in plans if len(plan.program.family.groups) == 1 and function.dim > 2]
    cheap = [plan for plan in single[:_IMPROVED_CHEAP] if plan.found.units <= _WORTH_CHEAP * least]
    promising = [plan for plan in plans if plan in close or plan in cheap]
    for batch in (promising, *([plan] for plan in plans if plan not in promising)):
        yield from _certified_of(function, eps, batch, progress)


def _certified_of(function: Radial, eps: Fraction, plans: list[Plan], progress: Progress) -> Iterator[CertifiedNetwork]:
    """Improve some plans, then prove them, the narrowest first."""
    improved: list[Plan] = []
    for index, plan in enumerate(plans):
        progress(f"placing knots: {plan.program.family.name}", index / len(plans))
        for variant in (plan, *_finer(function, plan)):
            improved += [Plan(variant.program, found) for found in _improvements(variant)]
    best = sorted(improved, key=lambda plan: plan.found.units)[:_PROVED]
    if best:
        progress(f"removing knots from {best[0].found.units:,} neurons", None)
    close = [plan for plan in best[:_THINNED] if plan.found.units <= _CLOSE * best[0].found.units]
    thinned = [Plan(plan.program, thin_out(plan.program, plan.found)) for plan in close]
    for plan in sorted([*thinned, *best], key=lambda plan: plan.found.units):
        progress(f"proving {plan.found.units:,} neurons", None)
        certified = _proved(function, eps, plan)
        if certified is not None:
            yield certified


def _finer(function: Radial, plan: Plan) -> Iterator[Plan]:
    """In dimension 2 the same plan for a program with more cells: fewer knots may do, but it is harder to search."""
    if function.dim == 2:
        cells = np.arange(1, _FINER_CELLS + 1) / _FINER_CELLS
        program = SandwichProgram(plan.program.family, function.profile, plan.program.eps, cells, plan.program.patient)
        yield Plan(program, plan.found)


def _improvements(plan: Plan) -> Iterator[Found]:
    """Improve from the best of some starts on different grids, and from profiles that begin flat."""
    starts = [plan.found, *(start(plan.program, points, rounds=3) for points in (16, 32))]
    best = min((found for found in starts if found is not None), key=lambda found: found.units)
    for begin in (best, start(plan.program, 24, rounds=3, flat=True)):
        found = None if begin is None or begin.units > 2 * best.units else improve(plan.program, begin)
        if found is not None:
            yield found


def _proved(function: Radial, eps: Fraction, plan: Plan) -> CertifiedNetwork | None:
    """Round the widest sandwich with these knots, and have it checked."""
    solution = plan.program.widest(plan.found.knots, strict=True)
    if solution is None:
        return None
    program = plan.program
    error = program.error(solution)
    if isinstance(program.family, SharedFamily):
        solution = solution.spread(program.family.weights)
        program = SandwichProgram(program.family.parts, function.profile, program.eps, program.cells)
    network, witness = _rounded(program, solution)
    error += 2 * _PAD * program.scale * len(network.groups)
    return first_proved(function, network, witness, [1.0002 * error], eps)


def _rounded(program: SandwichProgram, solution: Solution) -> tuple[ShallowNetwork, dict[str, Any]]:
    """The network and the witness in the document's units: z = <u, x>, one direction at a time."""
    family = program.family
    # A group without neurons stays if its polynomials help the proof: Q^- <= 0 <= Q^+ says something about moments.
    used = [
        g for g in range(len(family.groups)) if len(solution.knots[g]) or np.abs(solution.polynomials[:, g]).max() > 0
    ]
    groups = tuple(_ridge_group(family, solution, g) for g in used)
    affine = _affine_unit(family.dim, groups)
    bias = solution.bias - (affine.offset if affine else 0.0)
    listed = [
        {"to": str(Fraction(float(end)).limit_denominator(10**6)), "groups": [_pair(program, p[g], g) for g in used]}
        for end, p in zip(program.cells, solution.polynomials, strict=True)
    ]
    return ShallowNetwork(family.dim, bias, groups, affine), {"kind": "moment-sandwich", "cells": listed}


def _ridge_group(family: Family, solution: Solution, group: int) -> RidgeGroup:
    length, count = float(family.lengths[group]), float(family.counts[group])
    knots, slopes = solution.knots[group], solution.slopes[group]
    keep = slopes != 0
    weights = slopes[keep] / (length * count)
    return RidgeGroup(family.groups[group], tuple((knots[keep] * length).tolist()), tuple(weights.tolist()))


def _pair(program: SandwichProgram, polynomials: Floats, group: int) -> dict[str, list[str]]:
    """Upper and lower polynomial of one direction, widened by a trifle against rounding."""
    family = program.family
    degrees = np.arange(family.degree + 1)
    largest = np.array([max(abs(r[group]) for j, r in family.moment_rows if j == degree) for degree in degrees])
    scale = family.sphere_moments * family.counts[group] * family.lengths[group] ** (2 * degrees)
    pad = _PAD * program.scale / np.maximum(largest, 1e-9)
    upper, lower = (polynomials[0] + pad) / scale, (polynomials[1] - pad) / scale
    return {"upper": [c.hex() for c in upper.tolist()], "lower": [c.hex() for c in lower.tolist()]}


def _affine_unit(dim: int, groups: tuple[RidgeGroup, ...]) -> AffineUnit | None:
    """The neuron that cancels the linear part of the kinks at 0, or None where it cancels by itself."""
    linear, size = np.zeros(dim), 0.0
    for group in groups:
        if group.odd_weight:
            linear -= group.odd_weight * sum_of(group.directions)
            size += abs(group.odd_weight) * group.directions.count
    length = math.sqrt(math.fsum(linear**2))
    if length <= _LINEAR_NOISE * size:
        return None
    return AffineUnit(tuple(linear.tolist()), length * (1 + 1e-9), 1.0)


def _out_of_reach(
    function: Radial, eps: Fraction, max_width: int, certified: CertifiedNetwork | None, progress: Progress
) -> OutOfReach:
    """Say which accuracy is within the width, and which width the accuracy would take."""
    predicted = _predicted_width(function, eps, progress) if certified is None else certified.widths[0]
    if certified is not None:
        found = f"the smallest one found has {predicted:,} neurons"
    elif predicted is None:
        found = "none of the families of directions that were tried gets there"
    elif predicted > max_width:
        found = f"about {predicted:,} neurons needed (an estimate)"
    else:
        found = f"about {predicted:,} neurons should do, but no proof closed"
    reached = _reachable_eps(function, eps, max_width, progress)
    if reached is not None:
        found += f"; about eps = {float(reached):.3g} is in reach (an estimate)"
    more = "allow more neurons (--max-width), " if predicted is not None and predicted > max_width else ""
    return OutOfReach(
        f"a depth-2 network within {eps} of {function.text} in dimension {function.dim}, at most {max_width:,} neurons",
        found=found,
        needed="a moment sandwich (Safran, Eldan & Shamir 2019, Theorem 1): its width grows like d^k, k about 1/eps",
        do=f"{more}a larger eps, or depth 3",
        reached={"predicted_width": predicted, "reachable_eps": None if reached is None else str(reached)},
    )


def _predicted_width(function: Radial, eps: Fraction, progress: Progress) -> int | None:
    """The width that the best plan starts with, whatever it is; None without a plan."""
    plans = _plans_on_grid(function, eps, math.inf, *_GRIDS[0], progress)
    return plans[0].found.units if plans else None


def _reachable_eps(function: Radial, eps: Fraction, max_width: int, progress: Progress) -> Fraction | None:
    """The least of some larger accuracies for which a plan within the width is found."""

    def suffices(percent: int) -> bool:
        progress(f"trying {percent}% of eps", None)
        degrees = range(1, largest_degree(function.dim) + 1)
        larger = eps * percent / 100
        return any(
            plan.found.units <= max_width
            for degree in degrees
            for plan in _plans_of_degree(function, larger, degree, max_width, *_GRIDS[0])
        )

    first = bisect_left(_LARGER, True, key=suffices)
    return eps * _LARGER[first] / 100 if first < len(_LARGER) else None
