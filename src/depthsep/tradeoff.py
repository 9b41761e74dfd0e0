"""The trade of depth for width: for every depth the network with the narrowest largest layer that is found, proved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from depthsep.accuracy import Accuracy, parse_accuracy
from depthsep.certificates.document import CertifiedNetwork
from depthsep.errors import BadInput, OutOfReach
from depthsep.functions import BallIndicator, parse_function
from depthsep.progress import Progress, silent

__all__ = ["TradeoffRow", "tradeoff"]

_LEAST_DEPTH = 3


@dataclass(frozen=True)
class TradeoffRow:
    """One depth.

    Args:
        depth: The number of weight layers.
        network: The network with its proof; None where none was found.
        failure: Why not; empty where there is one.
    """

    depth: int
    network: CertifiedNetwork | None
    failure: str

    @property
    def largest_layer(self) -> int | None:
        """The number of units of the largest hidden layer."""
        return None if self.network is None else max(self.network.widths)

    @property
    def neurons(self) -> int | None:
        """The number of units of all hidden layers."""
        return None if self.network is None else sum(self.network.widths)


def tradeoff(
    text: str,
    *,
    dim: int,
    eps: Accuracy,
    depths: Iterable[int],
    domain: str = "ball",
    progress: Progress = silent,
) -> list[TradeoffRow]:
    """Build a network of every depth within eps of one function.

    Args:
        text: The formula: in r on "ball", in t = <x, x'> on "spheres" and "balls".
        dim: The dimension.
        eps: The accuracy in the sup norm, exact.
        depths: The depths (numbers of weight layers), each at least 3.
        domain: "ball", "spheres" (pairs of unit vectors) or "balls" (pairs of points of the unit ball).
        progress: Called with a text and the fraction that is done.

    Returns:
        One row a depth, in the order asked.

    Raises:
        BadInput: The formula, a depth or the domain makes no sense.

    Example:
        >>> rows = tradeoff("sin(pi*d^3*t)", dim=10, eps="0.1", depths=(4, 8), domain="spheres")
        >>> [(row.depth, row.largest_layer) for row in rows]
        [(4, 4002), (8, 60)]
    """
    from depthsep.constructions import folding

    function, accuracy, asked = parse_function(text, dim, domain), parse_accuracy(eps), list(depths)
    if isinstance(function, BallIndicator):
        raise BadInput(f"the trade of depth for width of {text}", needed="a formula: a ball indicator takes depth 3")
    if not asked or min(asked) < _LEAST_DEPTH:
        raise BadInput(f"depths {asked}", needed=f"at least one, each at least {_LEAST_DEPTH}")
    function.validate()
    rows = []
    for done, depth in enumerate(asked):
        progress(f"depth {depth}", done / len(asked))
        try:
            rows.append(TradeoffRow(depth, folding.search(function, accuracy, depth), ""))
        except OutOfReach as error:
            rows.append(TradeoffRow(depth, None, error.found))
    return rows
