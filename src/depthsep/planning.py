"""The plan before the work: the ways to build a depth-2 network, about how wide each would be, and which is taken.

Every way is asked for its prospects, which takes linear programs and no proof. The most promising one is built; another
one is built too where it might still come out narrower: searches shrink what programs start with, to a third at most as
far as was seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from depthsep.accuracy import Accuracy, parse_accuracy
from depthsep.activations import activation as activation_of
from depthsep.certificates.document import CertifiedNetwork
from depthsep.constructions import polynomial_radial, reflection_groups, shallow_radial
from depthsep.constructions.prospects import Prospect
from depthsep.errors import OutOfReach
from depthsep.functions import Radial
from depthsep.progress import Progress, silent

__all__ = ["Prospect", "build_by_plan", "plan"]

# From which accuracy, over |beta| for a cone alpha + beta r, a proof on the Weyl chamber is tried: beyond, one that
# does not close would cost minutes.
_CHAMBER_EPS = {**dict.fromkeys(range(4, 9), Fraction(0)), 9: Fraction(1, 10)}
_SHRINKS = Fraction(1, 3)  # a search may end at this share of what its plan says


@dataclass(frozen=True)
class _Way:
    """A construction with what it expects, the best first."""

    prospects: tuple[Prospect, ...]
    build: Callable[[], CertifiedNetwork]

    @property
    def least(self) -> int:
        return min((prospect.neurons for prospect in self.prospects), default=10**18)


def plan(
    function: str,
    *,
    dim: int,
    eps: Accuracy,
    activation: str = "relu",
    max_width: int | None = None,
    thorough: bool = True,
    progress: Progress = silent,
) -> list[Prospect]:
    """Say which ways there are to a depth-2 network, and about how wide each would be; nothing is built.

    Args:
        function: A formula in r.
        dim: The dimension of x.
        eps: The accuracy in the sup norm on the unit ball, exact.
        activation: Of the hidden layer.
        max_width: The most neurons allowed; 10,000,000 if not given.
        thorough: Whether to look for ways for a minute where a few seconds bring none, as `build` does.
        progress: Called with a text and a fraction (or None) as the work goes on.

    Returns:
        The prospects, the narrowest first: directions counted, neurons estimated. Empty where no way is seen, or
        where a constant is enough.

    Raises:
        BadInput: The request makes no sense.

    Example:
        >>> [(found.family, found.directions) for found in plan("1 - r", dim=5, eps="0.1")][0]
        ('(1,1,1) + (1,-1)', 25)
    """
    target = Radial(function, dim)
    target.validate()
    accuracy, limit = parse_accuracy(eps), shallow_radial.DEFAULT_MAX_WIDTH if max_width is None else max_width
    name = activation_of(activation).name
    if name != "relu":
        from depthsep.constructions.activation_radial import find_plans

        found = [candidate.prospect for candidate in find_plans(target, accuracy, name, limit, progress)]
    else:
        found = [prospect for way in _ways(target, accuracy, limit, thorough, progress) for prospect in way.prospects]
    return sorted(found, key=lambda prospect: prospect.neurons)


def build_by_plan(target: Radial, eps: Fraction, limit: int, progress: Progress) -> CertifiedNetwork:
    """Build the narrowest ReLU network of depth 2 by any construction that speaks about the function.

    Raises:
        OutOfReach: None of them finds a network of at most `limit` neurons.
    """
    best: CertifiedNetwork | None = None
    failures: list[OutOfReach] = []
    ways = sorted(_ways(target, eps, limit, True, progress), key=lambda way: way.least)
    progress(_told(ways), None)
    for way in ways:
        if best is not None and way.least * _SHRINKS >= best.widths[0]:
            continue
        try:
            found = way.build()
        except OutOfReach as failure:
            failures.append(failure)
            continue
        best = found if best is None or found.widths[0] < best.widths[0] else best
    if best is None:
        raise failures[-1]
    return best


def _told(ways: list[_Way]) -> str:
    """The plan in a line: every way with its best prospect."""
    best = [min(way.prospects, key=lambda prospect: prospect.neurons) for way in ways if way.prospects]
    found = [f"{p.way} along {p.directions:,} directions, about {p.neurons:,} neurons" for p in best]
    return "plan: " + ("; ".join(found) or "no way is seen")


def _ways(target: Radial, eps: Fraction, limit: int, thorough: bool, progress: Progress) -> list[_Way]:
    """The constructions that speak about the function; the moment sandwich, which explains failures best, last."""
    ways = []
    if polynomial_radial.polynomial_in_squares(target.expression, target.dim) is not None:
        predicted = polynomial_radial.predicted_width(target, eps, limit)
        identity = () if predicted is None else (Prospect("exact identity", "sparse orbits", *predicted),)
        ways.append(_Way(identity, lambda: polynomial_radial.build_polynomial(target, eps, limit, progress)))
    if target.cone is not None and _CHAMBER_EPS.get(target.dim, 1) <= eps / abs(target.cone[1]) < Fraction(1, 2):
        progress("planning: reflection groups", None)
        group = reflection_groups.predicted_cone(target, eps)
        if group is not None and group.neurons <= limit:
            ways.append(_Way((group,), lambda: reflection_groups.reflection_cone(target, eps, progress)))
    plans = shallow_radial.find_plans(target, eps, limit, progress, thorough)
    sandwich = tuple(candidate.prospect for candidate in plans)
    ways.append(_Way(sandwich, lambda: shallow_radial.search(target, eps, limit, progress, plans)))
    return ways
