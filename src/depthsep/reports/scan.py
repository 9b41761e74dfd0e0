"""A network looked at along many radii: samples that illustrate a proof and prove nothing themselves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from depthsep.certificates.document import CertifiedNetwork

__all__ = ["Scan", "scan", "scan_directions"]

Floats = NDArray[np.float64]

RADII = 241
WORK_LIMIT = 4_000_000_000  # multiplications spent on one network; larger networks are looked at in fewer points
SHRINK = 1 - 2.0**-50  # keeps a rounded unit vector inside the ball


@dataclass(frozen=True)
class Scan:
    """One network along the radius.

    Attributes:
        radii: Where it was looked at, increasing from 0 to 1.
        target: The function there.
        lowest: The smallest value of the network over all directions, per radius.
        highest: The largest one.
        claimed: True where the claim speaks; False inside the margin of a ball indicator.
        directions: How many directions were tried.
    """

    radii: Floats
    target: Floats
    lowest: Floats
    highest: Floats
    claimed: NDArray[np.bool_]
    directions: int

    @property
    def largest_error(self) -> float:
        """The largest error met where the claim speaks."""
        errors = np.maximum(self.highest - self.target, self.target - self.lowest)
        return float(np.max(errors[self.claimed], initial=0.0))


def scan(certified: CertifiedNetwork, seed: int = 0) -> Scan:
    """Look at a network along the radius in many directions.

    Args:
        certified: The network and its function.
        seed: For the random directions.

    Returns:
        The extreme values met, per radius.
    """
    directions, radii = _affordable(certified, np.random.default_rng(seed))
    values = np.empty((len(directions), len(radii)))
    for place, direction in enumerate(directions):
        values[place] = certified.network(np.outer(radii * SHRINK, direction))
    target = certified.function.profile(radii)
    return Scan(
        radii=radii,
        target=target,
        lowest=values.min(axis=0),
        highest=values.max(axis=0),
        claimed=np.isfinite(target),
        directions=len(directions),
    )


def scan_directions(certified: CertifiedNetwork, rng: np.random.Generator, number: int) -> Floats:
    """Unit vectors worth trying: an axis, the diagonal, k-sparse ones, the network's own, random ones.

    Args:
        certified: The network; its own directions are often where its error is largest.
        rng: Randomness for signs, places and Gaussian directions.
        number: How many directions at most; at least two.

    Returns:
        An array with one unit vector a row, the first axis and the main diagonal first.

    Shapes:
        (at most number, dim)
    """
    dim = certified.dim
    rows = [np.eye(1, dim)[0], np.ones(dim)]
    for support in sorted({2, 3, 4, 6, 10, dim // 2, dim - 1} & set(range(2, dim))):
        for _ in range(2):
            row = np.zeros(dim)
            row[rng.choice(dim, support, replace=False)] = rng.choice((-1.0, 1.0), support)
            rows.append(row)
    rows += _own_directions(certified.network)
    rows += list(rng.standard_normal((max(8, number // 3), dim)))
    matrix = np.array([row for row in rows if np.any(row)][:number])
    return np.asarray(matrix / np.linalg.norm(matrix, axis=1, keepdims=True))


def _own_directions(network: Any) -> list[Floats]:
    rows: list[Floats] = []
    for group in getattr(network, "groups", ()):
        block = next(iter(group.directions.matrix_blocks(8)))
        rows += islice(block, 8)
    return rows


def _affordable(certified: CertifiedNetwork, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """As many directions and radii as the network's size leaves time for."""
    groups = getattr(certified.network, "groups", ())
    cost = certified.dim * (sum(group.directions.count for group in groups) or certified.widths[0])
    points = max(100, WORK_LIMIT // max(1, cost))
    number = int(min(64, max(4, math.isqrt(points) // 2)))
    radii = np.linspace(0.0, 1.0, int(min(RADII, max(21, points // number))))
    return scan_directions(certified, rng, number), radii
