"""What the searches of folded networks share: designs are proved in order of their cost, and the cheapest is taken.

Small weights cost neurons, a number that is known only once a network is scaled. As they never save any, a design that
costs as much as a proved network already does is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Protocol

from depthsep.certificates.document import CertifiedNetwork
from depthsep.errors import OutOfReach
from depthsep.functions import InnerProduct, Radial
from depthsep.progress import Progress

__all__ = ["FoldedDesign", "by_largest_layer", "by_neurons", "cheapest_certified", "not_found"]

Cost = Callable[[tuple[int, ...]], tuple[int, int]]


def by_neurons(widths: tuple[int, ...]) -> tuple[int, int]:
    """The number of neurons is what counts, then the largest layer."""
    return sum(widths), max(widths)


def by_largest_layer(widths: tuple[int, ...]) -> tuple[int, int]:
    """The largest layer is what counts, then the number of neurons."""
    return max(widths), sum(widths)


class FoldedDesign(Protocol):
    """A network before its proof."""

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of units of each hidden layer."""

    def certified(
        self, function: Radial | InnerProduct, eps: Fraction, max_weight: Fraction | None
    ) -> CertifiedNetwork | None:
        """The network with its proof; None where the checker does not accept it, or its weights cannot be so small."""


def cheapest_certified(
    designs: Iterable[FoldedDesign],
    function: Radial | InnerProduct,
    eps: Fraction,
    max_weight: Fraction | None,
    cost: Cost,
    progress: Progress,
) -> CertifiedNetwork | None:
    """The cheapest network among those designs whose proofs close; None where there is none."""
    best = None
    for design in sorted(designs, key=lambda design: cost(design.widths)):
        if best is not None and cost(design.widths) >= cost(best.widths):
            break
        progress("proving " + " + ".join(f"{width:,}" for width in design.widths) + " neurons", None)
        found = design.certified(function, eps, max_weight)
        if found is not None and (best is None or cost(found.widths) < cost(best.widths)):
            best = found
    return best


def not_found(function: Radial | InnerProduct, eps: Fraction, depth: int, max_weight: Fraction | None) -> OutOfReach:
    """The refusal where no proof closes."""
    bound = "" if max_weight is None else f" and weights at most {max_weight}"
    return OutOfReach(
        f'a depth-{depth} network for "{function.text}" in dimension {function.dim} with error {eps}{bound}',
        found="no proof for any network tried" if max_weight is None else "no proof for any network with such weights",
        do="ask for a larger eps" if max_weight is None else "ask for a larger eps or for larger weights",
    )
