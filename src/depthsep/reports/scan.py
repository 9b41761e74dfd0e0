"""A network looked at along many radii, or inner products: samples that illustrate a proof and prove nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from depthsep.functions import InnerProduct

if TYPE_CHECKING:
    from depthsep.certificates.document import CertifiedNetwork

__all__ = ["Scan", "scan", "scan_directions"]

Floats = NDArray[np.float64]

RADII = 241
PAIRS = 30  # random ones, beside two frames that are not
SAMPLES = 4096
MOST_TURNS = 24  # of a function that is drawn along an inner product
WORK_LIMIT = 4_000_000_000  # multiplications spent on one network; larger networks are looked at in fewer points
SHRINK = 1 - 2.0**-50  # keeps a rounded unit vector inside the ball


@dataclass(frozen=True)
class Scan:
    """One network along the radius, or on pairs along their inner product.

    Attributes:
        axis: What the places are, as a picture's axis names it.
        places: Where it was looked at, increasing: radii from 0 to 1, or inner products.
        target: The function there.
        lowest: The smallest value of the network over all directions, per place.
        highest: The largest one.
        claimed: True where the claim speaks; False inside the margin of a ball indicator.
        directions: How many directions were tried.
    """

    axis: str
    places: Floats
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
    """Look at a network along the radius in many directions, or at many pairs of every inner product.

    Of a function of an inner product that turns too often for a picture, a window around 0 is looked at.

    Args:
        certified: The network and its function.
        seed: For the random directions.

    Returns:
        The extreme values met, per place.
    """
    rng = np.random.default_rng(seed)
    if isinstance(certified.function, InnerProduct):
        places, points = _pairs(certified.function, rng)
        return _scan(certified, "t = ⟨x, x′⟩", places, points)
    directions, radii = _affordable(certified, rng)
    return _scan(certified, "r = ‖x‖", radii, [np.outer(radii * SHRINK, direction) for direction in directions])


def _scan(certified: CertifiedNetwork, axis: str, places: Floats, points: list[Floats]) -> Scan:
    """The extreme values over all arrays of points, each with one row a place."""
    values = np.array([certified.network(rows) for rows in points])
    target = certified.function.profile(places)
    return Scan(
        axis=axis,
        places=places,
        target=target,
        lowest=values.min(axis=0),
        highest=values.max(axis=0),
        claimed=np.isfinite(target),
        directions=len(points),
    )


def _pairs(function: InnerProduct, rng: np.random.Generator) -> tuple[Floats, list[Floats]]:
    """Inner products t, and pairs u, t u + sqrt(1 - t^2) v of orthonormal u and v: of axes, of diagonals, random."""
    dim = function.dim
    if dim == 1:
        places = np.array([-1.0, 1.0])
        return places, [np.column_stack([sign * np.ones(2), sign * places]) for sign in (1.0, -1.0)]
    half = _window(function, rng)
    places = np.linspace(-half, half, RADII)
    alternating = np.where(np.arange(dim) % 2, -1.0, 1.0)
    frames = [np.eye(2, dim), np.array([np.ones(dim), alternating]), *rng.standard_normal((PAIRS, 2, dim))]
    shrink = SHRINK if function.domain == "ball-pairs" else 1.0
    points = []
    for frame in frames:
        first, second = np.linalg.qr(frame.T)[0].T
        others = np.outer(places, first) + np.outer(np.sqrt(np.maximum(0.0, 1 - places**2)), second)
        points.append(shrink * np.hstack([np.tile(first, (RADII, 1)), others]))
    return places, points


def _window(function: InnerProduct, rng: np.random.Generator) -> float:
    """Half the length of an interval around 0 in which the function does not turn too often for a picture."""
    half = 1.0
    for _ in range(64):
        values = function.profile(np.sort(rng.uniform(-half, half, SAMPLES)))
        turns = int(np.count_nonzero(np.diff(np.sign(np.diff(values)))))
        if turns <= MOST_TURNS:
            break
        half *= MOST_TURNS / turns
    return half


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
