"""What the picture of a network with small weights shows: the sizes of its layers, and a cut through it.

Everything here is floating point, for the eye only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from depthsep.networks.grids import DOMAINS
from depthsep.networks.integer_layers import IntegerArray, IntegerLayers
from depthsep.networks.relu import ReluNetwork
from depthsep.reports.figures import Cut, LayerSizes
from depthsep.small_weights.off_grid import clipped
from depthsep.small_weights.words import log2

if TYPE_CHECKING:
    from depthsep.shrinking import Shrunk

__all__ = ["cut_through", "layer_sizes"]

CELLS = 12  # cells of the grid that a cut shows
FINE_BITS = 7  # points per cell


def layer_sizes(network: ReluNetwork | IntegerLayers) -> list[LayerSizes]:
    """The largest |weight| and |bias| of every layer, in log2."""
    if isinstance(network, ReluNetwork):
        return [
            LayerSizes(_largest(entry for row in layer.weights for entry in row), _largest(layer.biases))
            for layer in network.layers
        ]
    return [_rows_sizes(network, place) for place in range(network.depth)]


def _rows_sizes(network: IntegerLayers, place: int) -> LayerSizes:
    """One layer, with its exponents, and in the last one the scale."""
    rows, (before, own) = network.rows[place], network.unit_exponents[place : place + 2]
    shift = log2(abs(network.scale)) if place == network.depth - 1 else 0.0
    highest = np.full(len(rows.counts), -np.inf)
    np.maximum.at(highest, rows.row_of_unit, own)
    weights = _logs(rows.weights) + highest[rows.row_of_entry] - before[rows.inputs]
    sizes = (float(logs.max(initial=-np.inf)) + shift for logs in (weights, _logs(rows.biases) + own))
    return LayerSizes(*(size if math.isfinite(size) else None for size in sizes))


def _largest(entries: Iterable[Fraction]) -> float | None:
    size = max(map(abs, entries), default=Fraction(0))
    return log2(size) if size else None


def _logs(entries: IntegerArray) -> NDArray[np.float64]:
    return np.array([math.log2(abs(entry)) if entry else -math.inf for entry in entries.tolist()])


def cut_through(shrunk: Shrunk) -> Cut | None:
    """Follow the first coordinate where the source changes most, the others in the middle of the domain.

    Returns:
        The curves of the first output; None where both networks are equal everywhere.
    """
    source, network, grid = shrunk.certified.source, shrunk.certified.network, shrunk.grid
    if grid is None or not isinstance(network, IntegerLayers):
        return None
    side, fine = 2**grid.bits, grid.bits + FINE_BITS
    line = _along(np.arange(side + 1), side // 2, source.dim)
    steps = clipped(source, line, grid.bits, grid)[:, 0]
    steepest = int(np.argmax(np.abs(np.diff(steps)))) if side > 1 else 0
    first = max(0, min(steepest - CELLS // 2, side - CELLS))
    last = min(side, first + CELLS)

    def place(units: NDArray[Any]) -> NDArray[Any]:
        return units if grid.domain == DOMAINS[0] else 2 * units - 1

    between = _along(np.arange(first << FINE_BITS, (last << FINE_BITS) + 1), side // 2 << FINE_BITS, source.dim)
    places = place(between[:, 0] / 2.0**fine)
    curve = clipped(source, between, fine, grid)[:, 0]
    values = network(place(between / 2.0**fine))[:, 0]
    half = 2.0 ** -(grid.guard_bits + 1)
    ramps = [tuple(place((cell + 0.5 + np.array([-half, half])) / side).tolist()) for cell in range(first, last)]
    grid_values = list(zip(places[:: 2**FINE_BITS].tolist(), values[:: 2**FINE_BITS].tolist(), strict=True))
    return Cut(places.tolist(), curve.tolist(), values.tolist(), grid_values, ramps)


def _along(first: NDArray[Any], rest: int, dim: int) -> NDArray[Any]:
    """Points of a grid with all coordinates but the first one fixed."""
    points = np.full((len(first), dim), rest, dtype=np.int64)
    points[:, 0] = first
    return points
