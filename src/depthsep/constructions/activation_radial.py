"""Depth-2 networks for radial functions with any activation, by a moment sandwich.

Theorem (Safran, Eldan & Shamir 2019, "Depth separations in neural networks: what is actually being separated?",
arXiv:1904.06984, Theorem 1): for every activation that can imitate Lipschitz functions of one variable (their
Assumption 1), a 1-Lipschitz function of ||x|| is within eps of a depth-2 network of width poly(d) on the unit ball.

What is built here: N(x) = b + sum over groups o and directions u in o of g_o(<u, x>) with even profiles
g_o(z) = sum_i D_i (s(b_i (z - t_i)) + s(b_i (-z - t_i))), and in every cell of radii even polynomials
Q_o^- <= g_o <= Q_o^+ whose averages over the directions stay within eps of phi. Hypotheses: (H1) phi is continuous on
[0, 1]; (H2) C1-C3 of `depthsep_check.moment_sandwich`, which the checker replays on the stored numbers; of s it asks
nothing but C1, on the range of z that occurs.

Method: `shallow_radial` with another profile. Slopes are powers of two and centres lie on a grid; one linear program
(`activation_program`) weighs pairs and polynomials together, least weighted sum of |outer weights| first, reweighted
so that few pairs remain (Candes, Wakin & Boyd 2008); the centres of these are moved; pairs that are not needed go. Of
at most four smooth pairs that are left one more is dropped where the others, moved freely, can do without it.

Differences from the source: no Assumption 1, no constant c_sigma; see `shallow_radial` for the rest. A smooth even
function has a Taylor polynomial to begin with, which is why two gelu units a direction do where ReLU takes ten.
Cost: 5-60 s of linear programs; the proof takes some hundred boxes a cell instead of exact polynomials.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, minimize

from depthsep.activations import Activation
from depthsep.activations import activation as activation_of
from depthsep.certificates.document import CertifiedNetwork, first_proved
from depthsep.constructions.activation_program import ActivationProgram, Pairs, Solution
from depthsep.constructions.direction_families import Family, families
from depthsep.constructions.prospects import Prospect
from depthsep.errors import OutOfReach
from depthsep.functions import Radial
from depthsep.networks import ActivationGroup, ActivationNetwork, ExplicitDirections
from depthsep.progress import Progress, silent

__all__ = ["Plan", "build_with_activation", "find_plans"]

Floats = NDArray[np.float64]

_MAX_WIDTH = 10_000_000
_DESIGN = 0.999  # the share of eps aimed at; sampling and rounding live on the rest
_CELLS = {1: 12, 2: 8}  # cells of radii by degree k,
_MORE_CELLS = 10  # for larger k,
_CELLS_OF_SPACE = 6  # and for every k in dimension 2 and 3
_SCALE_FREE = ("relu", "leaky_relu", "step")  # s(b z) is a multiple of s(z): one slope is enough
_FAR = 10.0  # units whose place of interest is this many units of s away from 0 are left out
_STEEPEST = 16.0  # the largest slope, in units of the mean size of a coordinate
_CENTRES = (22, 12)  # evenly over the range, and evenly over the bulk of a coordinate
_ROUNDS = (5, 6, 3)  # of reweighting, to compare families, to search one, and after every removal,
_LEAST_ROUNDS = 2  # of which so many in any case
_UNUSED = 1e-10  # outer weights below this share of the largest are 0,
_SMALL = 1e-3  # and those below this share are as good as that
_REFINEMENTS = 2
_REMOVALS, _LEAST_GAIN = 20, 0.8
_WORTH_TRYING = 3.0  # a family with a larger degree should have so many times fewer directions than units are needed
_IMPROVED, _WORTH = 2, 1.3  # how many families are searched in depth, unless they start this much wider than the best
_MOST_MOVED = 3  # pairs that are moved freely, with so many programs for every number that is searched,
_TRIES = 30
_WIDE_ENOUGH = 1e-3  # until the gap is this wide, in units of the range of phi,
_FARTHEST = 8.0  # at most so far away, in units of the length and in binary orders of magnitude
_SHORT_BITS = 20
_PAD = 1e-9  # by how much polynomials are widened before they are rounded


def _largest_degree(dim: int) -> int:
    return 12 if dim <= 2 else 6 if dim == 3 else 4


def build_with_activation(
    function: Radial, eps: Fraction, activation: str, max_width: int = _MAX_WIDTH, progress: Progress = silent
) -> CertifiedNetwork:
    """Find a small depth-2 network with some activation within eps of x -> phi(||x||) on the unit ball, proved.

    Args:
        function: The radial function; phi is continuous on [0, 1].
        eps: The accuracy, positive.
        activation: A name of `depthsep.activations.ACTIVATIONS`.
        max_width: Wider networks are not considered.
        progress: Called with a text, and a fraction where one is known.

    Raises:
        BadInput: There is no such activation.
        OutOfReach: No network of at most `max_width` neurons was found.

    >>> build_with_activation(Radial("1 - r", dim=2), Fraction(3, 10), "gelu").widths
    (4,)
    >>> build_with_activation(Radial("1 - r", dim=2), Fraction(3, 10), "swish")
    Traceback (most recent call last):
    depthsep.errors.BadInput: the activation 'swish'
    ...
    """
    activation = activation_of(activation).name
    constant = _constant(function, eps, activation)
    if constant is not None:
        return constant
    plans = find_plans(function, eps, activation, max_width, progress)
    for certified in _certified(function, eps, activation, plans, progress):
        if certified.widths[0] <= max_width:
            return certified
    raise _out_of_reach(function, eps, activation, max_width, plans)


def _own(name: str) -> Activation | None:
    """The activation, where it is a user's own."""
    known = activation_of(name)
    return None if known.own is None else known


def _constant(function: Radial, eps: Fraction, activation: str) -> CertifiedNetwork | None:
    """The network without neurons, if phi varies so little."""
    values = function.profile(np.linspace(0, 1, 4097))
    half = (float(values.max()) - float(values.min())) / 2
    if half > float(eps):
        return None
    witness = {"kind": "moment-sandwich", "cells": [{"to": "1", "groups": []}]}
    network = ActivationNetwork(function.dim, activation, float(values.min()) + half, (), _own(activation))
    return first_proved(function, network, witness, [half * (1 + _PAD)], eps)


@dataclass(frozen=True)
class Plan:
    """A family with pairs of units that its program accepts."""

    program: ActivationProgram
    pairs: list[Pairs]

    @property
    def units(self) -> int:
        """The width."""
        counts = self.program.family.counts
        return int(sum(2 * len(pairs) * count for pairs, count in zip(self.pairs, counts, strict=True)))

    @property
    def prospect(self) -> Prospect:
        """The plan for somebody who does not search."""
        family = self.program.family
        return Prospect("moment sandwich", family.name, int(sum(family.counts)), self.units, family.degree * 2)


def find_plans(function: Radial, eps: Fraction, activation: str, max_width: int, progress: Progress) -> list[Plan]:
    """Try the families degree by degree, until a larger degree brings nothing; the best first."""
    plans: list[Plan] = []
    best = math.inf
    for degree in range(1, _largest_degree(function.dim) + 1):
        progress(f"trying moments up to degree {2 * degree}", None)
        for family in families(function.dim, degree, min(best / _WORTH_TRYING, max_width / 2)):
            program = _program(function, family, float(eps), activation)
            found = _thinned(program, _dictionary(family, activation), _ROUNDS[0])
            if found is not None:
                plans.append(Plan(program, found))
        least = min((plan.units for plan in plans), default=math.inf)
        if plans and least >= best:
            break
        best = least
    return sorted(plans, key=lambda plan: plan.units)


def _program(function: Radial, family: Family, eps: float, activation: str) -> ActivationProgram:
    count = _CELLS.get(family.degree, _MORE_CELLS) if function.dim > 3 else _CELLS_OF_SPACE
    known = activation_of(activation)
    breaks = [int(place.p) / int(place.q) for place in known.judge.breaks]
    cells = np.arange(1, count + 1) / count
    return ActivationProgram(family, known.function, function.profile, _DESIGN * eps, cells, breaks)


def _dictionary(family: Family, activation: str) -> list[Pairs]:
    """Slopes that are powers of two, and centres: even over the range, finer where coordinates mostly are."""
    spread = math.sqrt(family.dim)
    even, bulk = _CENTRES
    places = np.unique(np.concatenate([np.linspace(0, 1.1, even), np.linspace(0, min(1, 4 / spread), bulk)]))
    result = []
    for length in family.lengths.tolist():
        slopes = 2.0 ** np.arange(math.floor(math.log2(0.7 / length)) + 1, math.log2(_STEEPEST * spread / length))
        if activation in _SCALE_FREE:
            slopes = np.ones(1)
        b, t = (grid.ravel() for grid in np.meshgrid(slopes, places * length, indexing="ij"))
        near = (b * t <= _FAR) | (activation in _SCALE_FREE)
        result.append(Pairs(b[near], t[near]))
    return result


def _thinned(program: ActivationProgram, pairs: list[Pairs], rounds: int) -> list[Pairs] | None:
    """Minimise the number of units by reweighting; None when the accuracy is out of reach."""
    counts = program.family.counts / program.family.counts.sum()
    weights = [np.ones(len(p)) for p in pairs]
    best: list[Pairs] | None = None
    for place in range(rounds):
        solution = program.sparse(pairs, [count * weight for count, weight in zip(counts, weights, strict=True)])
        if solution is None:
            break
        kept = [p.take(keep) for p, keep in zip(pairs, solution.active(), strict=True)]
        weights = [1 / (np.abs(w) / _largest(solution) + _SMALL) for w in solution.weights]
        if place == 0:  # the next ones choose among those that are used at all
            used = solution.active(_UNUSED)
            pairs = [p.take(keep) for p, keep in zip(pairs, used, strict=True)]
            weights = [w[keep] for w, keep in zip(weights, used, strict=True)]
        if best is None or Plan(program, kept).units < Plan(program, best).units:
            best = kept
        elif place >= _LEAST_ROUNDS:
            break
    return best


def _largest(solution: Solution) -> float:
    return max((float(np.abs(w).max()) for w in solution.weights if len(w)), default=1.0) or 1.0


def _certified(
    function: Radial, eps: Fraction, activation: str, plans: Sequence[Plan], progress: Progress
) -> Iterator[CertifiedNetwork]:
    """Improve the most promising plans and prove the narrowest; then the others one by one, as they are."""
    improved: list[Plan] = []
    for plan in [plan for plan in plans[:_IMPROVED] if plan.units <= _WORTH * plans[0].units]:
        least = min((better.units for better in improved), default=math.inf)
        if 2 * plan.program.family.counts.max() < _LEAST_GAIN * least:  # one pair in its largest group must pay
            progress(f"placing units: {plan.program.family.name}", None)
            improved += _improvements(plan, _dictionary(plan.program.family, activation))
    for plan in [*sorted(improved, key=lambda plan: plan.units), *plans]:
        progress(f"proving {plan.units:,} neurons", None)
        certified = _proved(function, eps, activation, plan)
        if certified is not None:
            yield certified


def _improvements(plan: Plan, dictionary: list[Pairs]) -> Iterator[Plan]:
    """The plan with some pairs removed and the others moved, before and after removing those that became needless."""
    program = plan.program
    starts = [plan.pairs, *_of_one_slope(program, dictionary)]
    pairs = min(starts, key=lambda start: Plan(program, start).units)
    for _ in range(_REMOVALS):
        fewer = next(_with_fewer(program, pairs), None)
        if fewer is None:
            break
        pairs = fewer
    pairs = _refitted(program, pairs)
    yield Plan(program, pairs)
    pairs = _without_needless(program, pairs)
    yield Plan(program, pairs)
    while (fewer := next(_with_one_less(program, pairs), None)) is not None:
        pairs = fewer
        yield Plan(program, pairs)


def _of_one_slope(program: ActivationProgram, dictionary: list[Pairs]) -> Iterator[list[Pairs]]:
    """Starts whose units have one slope, relative to the length, in the group with the most directions."""
    largest = int(np.argmax(program.family.counts))
    slopes = np.unique(dictionary[largest].slopes)
    for slope in slopes if len(slopes) > 1 else ():
        alike = [p.take(p.slopes == slope) if g == largest else p for g, p in enumerate(dictionary)]
        found = _thinned(program, alike, _ROUNDS[0])
        if found is not None:
            yield found


def _refitted(program: ActivationProgram, pairs: list[Pairs]) -> list[Pairs]:
    """Search on finer and finer grids about the pairs."""
    for step in range(_REFINEMENTS):
        found = _thinned(program, _around(program, pairs, 2.0**-step), _ROUNDS[1])
        if found is not None and Plan(program, found).units <= Plan(program, pairs).units:
            pairs = found
    return pairs


def _with_fewer(program: ActivationProgram, pairs: list[Pairs]) -> Iterator[list[Pairs]]:
    """The pairs with a single one left in a group, or one less, where others near by can replace what is missing.

    Groups with the most directions come first, since a pair costs most there.
    """
    for group in np.argsort(-program.family.counts, kind="stable").tolist():
        places = np.arange(len(pairs[group]))
        single = [places == index for index in places] if len(places) > 2 else []
        for keep in [*single, *(places != index for index in places)]:
            fewer = [p.take(keep) if g == group else p for g, p in enumerate(pairs)]
            found = _thinned(program, _around(program, fewer, 1.0), _ROUNDS[2])
            if found is not None and Plan(program, found).units < Plan(program, pairs).units:
                yield found


def _with_one_less(program: ActivationProgram, pairs: list[Pairs]) -> Iterator[list[Pairs]]:
    """The pairs without one of them, the others moved freely so that a gap opens; for few smooth pairs only.

    Slopes are no longer powers of two, so that the entries of the directions have to be small integers.
    """
    explicit = any(isinstance(group, ExplicitDirections) for group in program.family.groups)
    if program.breaks or explicit or sum(map(len, pairs)) > _MOST_MOVED + 1:
        return
    for group in np.argsort(-program.family.counts, kind="stable").tolist():
        for index in range(len(pairs[group]) if len(pairs[group]) > 1 else 0):
            keep = np.arange(len(pairs[group])) != index
            found = _moved(program, [p.take(keep) if g == group else p for g, p in enumerate(pairs)])
            if found is not None:
                yield found


def _moved(program: ActivationProgram, pairs: list[Pairs]) -> list[Pairs] | None:
    """The pairs moved to where the gap is wide, by a simplex search (Nelder & Mead 1965); None where none is found."""
    ends = np.cumsum([len(p) for p in pairs])
    lengths = np.repeat(program.family.lengths, [len(p) for p in pairs])

    def pairs_at(place: Floats) -> list[Pairs]:
        slopes, centres = (_short(part) for part in (2.0 ** place[: ends[-1]] / lengths, place[ends[-1] :] * lengths))
        return [Pairs(slopes[a:b], centres[a:b]) for a, b in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True)]

    def minus_gap(place: Floats) -> float:
        if np.abs(place).max() > _FARTHEST:
            return np.inf
        solution = program.widest(pairs_at(place), once=True)
        return np.inf if solution is None else -solution.gap / program.scale

    def stop(intermediate_result: OptimizeResult) -> None:
        if intermediate_result.fun < -_WIDE_ENOUGH:
            raise StopIteration

    slopes, centres = (np.concatenate([getattr(p, part) for p in pairs]) for part in ("slopes", "centres"))
    start = np.concatenate([np.log2(slopes * lengths), centres / lengths])
    steps = np.repeat((0.6, 0.3), len(slopes))
    options = {"maxfev": _TRIES * len(start), "initial_simplex": np.vstack([start, start + np.diag(steps)])}
    best = minimize(minus_gap, start, method="Nelder-Mead", callback=stop, options=options)
    found = pairs_at(best.x)
    return found if best.fun < 0 and program.widest(found) is not None else None


def _short(values: Floats) -> Floats:
    """Rounded to few bits, so that products of two such numbers are float64 numbers."""
    mantissas, exponents = np.frexp(values)
    return np.asarray(np.ldexp(np.round(np.ldexp(mantissas, _SHORT_BITS)), exponents - _SHORT_BITS))


def _around(program: ActivationProgram, pairs: list[Pairs], step: float) -> list[Pairs]:
    widths = (program.family.lengths / 12).tolist()
    return [_neighbours(p, step, width) for p, width in zip(pairs, widths, strict=True)]


def _neighbours(pairs: Pairs, step: float, width: float) -> Pairs:
    """The pairs, with centres a little to both sides, and slopes half and twice as large."""
    slopes, centres = [pairs.slopes], [pairs.centres]
    for factor in (0.5, 1.0, 2.0):
        for move in (-1.5, -0.6, -0.25, 0.0, 0.25, 0.6, 1.5):
            slopes.append(factor * pairs.slopes)
            centres.append(np.abs(pairs.centres + step * move * np.minimum(width, 1 / pairs.slopes)))
    both = np.unique(np.column_stack([np.concatenate(slopes), np.concatenate(centres)]), axis=0)
    return Pairs(both[:, 0], both[:, 1])


def _without_needless(program: ActivationProgram, pairs: list[Pairs]) -> list[Pairs]:
    """Drop pairs, those with the least weight first, as long as the program finds a sandwich without them."""
    solution = program.widest(pairs)
    if solution is None:
        return pairs
    order = [
        (abs(weight) / float(program.family.counts[group]), group, index)
        for group, weights in enumerate(solution.weights)
        for index, weight in enumerate(weights.tolist())
    ]
    keep = [np.ones(len(p), dtype=bool) for p in pairs]
    for _, group, index in sorted(order):
        keep[group][index] = False
        if program.widest([p.take(k) for p, k in zip(pairs, keep, strict=True)]) is None:
            keep[group][index] = True
    return [p.take(k) for p, k in zip(pairs, keep, strict=True)]


def _proved(function: Radial, eps: Fraction, activation: str, plan: Plan) -> CertifiedNetwork | None:
    """Round the widest sandwich with these pairs, and have it checked."""
    solution = plan.program.widest(plan.pairs, strict=True)
    if solution is None:
        return None
    network, witness = _rounded(plan.program, solution, activation)
    error = plan.program.error(solution) + 2 * _PAD * plan.program.scale * len(network.groups)
    return first_proved(function, network, witness, [1.0002 * error], eps)


def _rounded(
    program: ActivationProgram, solution: Solution, activation: str
) -> tuple[ActivationNetwork, dict[str, Any]]:
    """The network and the witness in the document's units: z = <u, x>, one direction at a time."""
    family = program.family
    # A group without neurons stays if its polynomials help the proof: Q^- <= 0 <= Q^+ says something about moments.
    used = [
        g for g in range(len(family.groups)) if len(solution.pairs[g]) or np.abs(solution.polynomials[:, g]).max() > 0
    ]
    groups, constants, bias = [], {}, solution.bias
    for g in used:
        pairs, weights = solution.pairs[g], solution.outer[g] / family.counts[g]
        parts = (tuple(part.tolist()) for part in (pairs.slopes, pairs.centres, weights))
        groups.append(ActivationGroup(family.groups[g], *parts))
        constants[g] = float(pairs.values(program.activation, np.zeros(1))[0] @ weights)
        bias -= constants[g] * float(family.counts[g])
    listed = [
        {
            "to": str(Fraction(float(end)).limit_denominator(10**6)),
            "groups": [_pair(program, polynomials[g], g, constants[g]) for g in used],
        }
        for end, polynomials in zip(program.cells, solution.polynomials, strict=True)
    ]
    network = ActivationNetwork(family.dim, activation, bias, tuple(groups), _own(activation))
    return network, {"kind": "moment-sandwich", "cells": listed}


def _pair(program: ActivationProgram, polynomials: Floats, group: int, constant: float) -> dict[str, list[str]]:
    """Upper and lower polynomial of one direction, widened by a trifle against rounding."""
    family = program.family
    scale = family.sphere_moments * family.counts[group] * family.lengths[group] ** (2 * np.arange(program.terms))
    pad = _PAD * program.scale / np.maximum(program.sizes[group], 1e-9)
    shift = constant * (np.arange(program.terms) == 0)
    upper, lower = (polynomials[0] + pad) / scale + shift, (polynomials[1] - pad) / scale + shift
    return {"upper": [c.hex() for c in upper.tolist()], "lower": [c.hex() for c in lower.tolist()]}


def _out_of_reach(
    function: Radial, eps: Fraction, activation: str, max_width: int, plans: Sequence[Plan]
) -> OutOfReach:
    least = min((plan.units for plan in plans), default=None)
    if least is None:
        found = "none of the families of directions that were tried gets there"
    elif least > max_width:
        found = f"about {least:,} neurons needed (an estimate)"
    else:
        found = f"about {least:,} neurons should do, but no proof closed"
    asked = f"a depth-2 {activation} network within {eps} of {function.text} in dimension {function.dim}"
    return OutOfReach(
        f"{asked}, at most {max_width:,} neurons",
        found=found,
        needed="a moment sandwich (Safran, Eldan & Shamir 2019, Theorem 1): its width grows like d^k, k about 1/eps",
        do="allow more neurons (--max-width), a larger eps, or another activation",
        reached={"predicted_width": least},
    )
