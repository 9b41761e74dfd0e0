"""The facts of networks and bounds as text, one place for the terminal and the page."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

from depthsep.decimals import lower_decimal, upper_decimal
from depthsep.reports.text import count, widths_text
from depthsep.small_weights.words import at_least, at_most

if TYPE_CHECKING:
    from depthsep.api import Separation
    from depthsep.certificates.document import CertifiedNetwork
    from depthsep.functions import Function
    from depthsep.lower_bounds import LowerBound
    from depthsep.networks import ReluNetwork
    from depthsep.shrinking import Shrunk
    from depthsep.small_weights.plan import Plan, Way

__all__ = [
    "BoundRow",
    "NetworkRow",
    "balance_row",
    "bound_class",
    "bound_json",
    "bound_proves",
    "bound_row",
    "bound_weights",
    "kind_of",
    "network_row",
    "networks_of",
    "place_of",
    "plan_json",
    "shrunk_lines",
    "shrunk_row",
    "source_row",
    "way_row",
]


@dataclass(frozen=True)
class NetworkRow:
    """What a table says about one network."""

    kind: Literal["shallow", "deep"]
    depth: str
    widths: str
    error: str
    max_weight: str
    path_norm: str
    source_width: str
    verdict: str
    ok: bool

    @property
    def cells(self) -> tuple[str, ...]:
        """The row's cells, in the order of the columns."""
        return (self.depth, self.widths, self.error, self.max_weight, self.path_norm, self.source_width, self.verdict)


@dataclass(frozen=True)
class BoundRow:
    """What a table says about one lower bound."""

    theorem: str
    holds_for: str
    width: str
    verdict: str
    ok: bool

    @property
    def cells(self) -> tuple[str, ...]:
        """The row's cells, in the order of the columns."""
        return (self.theorem, self.holds_for, self.width, self.verdict)


def kind_of(certified: CertifiedNetwork) -> Literal["shallow", "deep"]:
    """Shallow is depth 2; everything else is deep."""
    return "shallow" if certified.depth == 2 else "deep"


def networks_of(separation: Separation) -> list[CertifiedNetwork]:
    """The networks of a separation that exist, the shallow one first."""
    return [certified for certified in (separation.shallow, separation.deep) if certified is not None]


def place_of(function: Function) -> str:
    """Say where a function lives.

    Example:
        >>> from depthsep.functions import Radial
        >>> place_of(Radial("1 - r", dim=10))
        'the unit ball of dimension 10'
    """
    names = {"sphere-pairs": "pairs of unit vectors", "ball-pairs": "pairs of points of the unit ball"}
    return f"{names.get(function.domain, 'the unit ball')} of dimension {function.dim}"


def network_row(certified: CertifiedNetwork) -> NetworkRow:
    """Describe one network; every number that is a bound is rounded up."""
    return NetworkRow(
        kind=kind_of(certified),
        depth=str(certified.depth),
        widths=widths_text(certified.widths),
        error=upper_decimal(certified.sup_error_upper),
        max_weight=upper_decimal(Fraction(certified.max_weight)),
        path_norm=upper_decimal(Fraction(certified.path_norm)),
        source_width=certified.source_width or "none stated",
        verdict=certified.verdict.status.name,
        ok=certified.verdict.ok,
    )


def bound_row(bound: LowerBound) -> BoundRow:
    """Describe one lower bound with the class of networks that it holds for."""
    return BoundRow(
        theorem=bound.theorem,
        holds_for=", ".join((bound_class(bound), bound_weights(bound))),
        width=bound_proves(bound),
        verdict=bound.verdict.status.name,
        ok=bound.verdict.ok,
    )


def bound_proves(bound: LowerBound) -> str:
    """What a bound says, rounded down."""
    if bound.error_floor is not None:
        return f"with {count(bound.width_lower - 1)} units: error above {lower_decimal(bound.error_floor)}"
    power = f"2^{math.floor(bound.log2_width_lower * 100) / 100:g}"
    width = f"width >= {power if bound.width_lower > 10**9 else count(bound.width_lower)}"
    if bound.path_norm_lower is None:
        return width
    path_norm = f"path norm >= {lower_decimal(bound.path_norm_lower)}"
    return path_norm if bound.width_lower == 1 else f"{width}, {path_norm}"


def bound_weights(bound: LowerBound) -> str:
    """Name the weights that a bound is about."""
    return "any weights" if bound.weight_class.startswith("any") else f"weights: {bound.weight_class}"


def bound_class(bound: LowerBound) -> str:
    """Name the networks that a bound is about, but for their weights."""
    units = bound.second_layer_width
    behind = (
        ""
        if bound.depth != 3 or units is None
        else ", one direction behind"
        if units == 1
        else f", {units} units behind"
    )
    activation = {"relu": "ReLU", "any": "any activation"}.get(bound.activation_class, bound.activation_class)
    return f"{'any depth' if bound.depth == 'any' else f'depth {bound.depth}'}, {activation}{behind}"


def bound_json(bound: LowerBound, document: str) -> dict[str, Any]:
    """Describe a lower bound for a program."""
    return {
        "theorem": bound.theorem,
        # Python writes integers of at most 4300 digits; a power of two below is a bound too.
        "width_lower": str(bound.width_lower if bound.width_lower.bit_length() < 14_000 else _power(bound.width_lower)),
        "log2_width_lower": bound.log2_width_lower,
        "path_norm_lower": None if bound.path_norm_lower is None else str(bound.path_norm_lower),
        "error_floor": None if bound.error_floor is None else str(bound.error_floor),
        "eps": str(bound.eps),
        "norm": bound.norm,
        "measure": bound.measure,
        "domain": bound.domain,
        "depth": bound.depth,
        "activation_class": bound.activation_class,
        "weight_class": bound.weight_class,
        "second_layer_width": bound.second_layer_width,
        "hypotheses": list(bound.hypotheses),
        "document": document,
        "verdict": bound.verdict.status.name,
    }


def _power(width: int) -> str:
    return f"2^{width.bit_length() - 1}"


def way_row(way: Way) -> tuple[str, ...]:
    """Describe one way to small weights: name, where it is exact, costs, and what it does or why it is not open."""
    counts = ("–" if number is None else count(number) for number in (way.depth, way.neurons, way.nonzeros))
    size = "–" if way.max_weight is None else at_most(way.max_weight) + ("" if way.balanced else " before balancing")
    return (way.name, way.exact_on, *counts, size, f"no: {way.obstacle}" if way.obstacle else way.does)


def plan_json(plan: Plan) -> dict[str, Any]:
    """Describe a plan for a program."""
    ways = [
        {
            "mode": way.name,
            "exact_on": way.exact_on,
            "depth": way.depth,
            "neurons": way.neurons,
            "nonzeros": way.nonzeros,
            "max_weight": None if way.max_weight is None else str(way.max_weight),
            "balanced": way.balanced,
            "obstacle": way.obstacle or None,
        }
        for way in plan.ways
    ]
    return {"ways": ways, "chosen": [way.name for way in plan.chosen], "reason": plan.reason}


def shrunk_row(shrunk: Shrunk) -> tuple[str, ...]:
    """Describe a network with small weights, its source above it in the same columns."""
    return (
        shrunk.way.name,
        str(shrunk.depth),
        count(shrunk.neurons),
        count(shrunk.nonzeros),
        at_most(shrunk.max_weight),
        shrunk.exact_on,
        upper_decimal(shrunk.certified.error_upper),
        shrunk.verdict.status.name,
    )


def balance_row(shrunk: Shrunk) -> tuple[str, ...]:
    """The largest weight before and after balancing, what no rescaling goes below, and the verdict."""
    lower = "0" if shrunk.rescaling_lower is None else at_least(shrunk.rescaling_lower)
    return at_most(shrunk.source.max_weight), at_most(shrunk.max_weight), lower, shrunk.verdict.status.name


def source_row(source: ReluNetwork) -> tuple[str, ...]:
    """Describe the network that was given, in the columns of `shrunk_row`."""
    counts = (str(source.depth), count(source.neurons), count(source.nonzeros))
    return ("source", *counts, at_most(source.max_weight), "", "", "")


def shrunk_lines(shrunk: Shrunk) -> list[str]:
    """What else there is to say about a network with small weights, a sentence a line."""
    lines = [f"{shrunk.way.does}; {shrunk.reason}"]
    grid, apart = shrunk.grid, shrunk.off_grid
    if grid is not None:
        known = {
            "intervals": "proved by interval arithmetic",
            "enumeration": "proved at every grid point",
            "assumed": "ASSUMED, on your word",
        }[shrunk.range_proof or "assumed"]
        lines.append(f"|output| <= {at_most(grid.range_bound)} on the grid: {known}")
    if apart is not None:
        lines.append(
            "between grid points, mean of |small - source clipped to that range|: "
            f"bound {upper_decimal(apart.mean_error_upper)} for densities up to {apart.density}; estimate "
            f"{apart.mean_error_estimate:.4g} +- {apart.standard_error:.2g} from {count(apart.samples)} uniform points"
        )
    lines += [f"at grid points {name} is {_exactness(why)}" for name, why in shrunk.float_obstacles.items()]
    return [*lines, *shrunk.hints]


def _exactness(obstacle: str) -> str:
    return f"not known to be exact: {obstacle}" if obstacle else "exact"
