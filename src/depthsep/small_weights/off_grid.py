"""How far a compiled network is from its source between the points of the grid: a bound, and a measurement.

A compiled network rounds every coordinate to the nearest grid point, except on the ramps, narrow strips where a digit
is changing. For a random x in the domain whose coordinates have conditional densities of at most rho given the others:

- some coordinate lies on a ramp with probability at most d rho 2^(-g); the network is then within R + sigma Rint of the
  source clipped to [-R, R], because neither leaves its own range;
- elsewhere the network's value is the source's at the nearest grid point, up to the proved error. Move the coordinates
  there one at a time. On an axis line a ReLU network has at most prod (m_l + 1) linear pieces and is monotone on each,
  so the clipped source f has a total variation of at most 2 R prod (m_l + 1) there, and moving by at most half a step
  h = 2^(-p) costs at most rho (h/2) times that in the mean: the integral of |f(t) - f(nearest(t))| over the cell
  around a grid point is at most h/2 times the variation of f in that cell.

Together: error + d rho 2^(-g) (R + sigma Rint) + d rho 2^(-p) R prod (m_l + 1); on [-1,1]^d, where a step is twice as
long, with 2 rho in place of rho. No Lipschitz constant enters, which large weights would make useless.
The idea of the bounded densities is Vardi & Shamir's (2020); the inequality is ours. It needs |source| <= R on the
grid.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from depthsep.networks.grids import DOMAINS
from depthsep.networks.integer_layers import IntegerLayers
from depthsep.networks.profile import Array
from depthsep.networks.relu import ReluNetwork
from depthsep.small_weights.ranges import GridRequest

__all__ = ["OffGrid", "clipped", "mean_error_estimate", "mean_error_upper"]

EXTRA_BITS = 10  # random points lie on a grid this much finer than the ramps are wide
SAMPLES = 4096
FEW = 256
WORK = 5 * 10**8  # multiplications


@dataclass(frozen=True)
class OffGrid:
    """The mean distance between a compiled network and its clipped source over random points, two ways.

    Args:
        density: The bound of the conditional densities that `mean_error_upper` is for.
        mean_error_upper: The bound.
        mean_error_estimate: The mean over random points, uniform in the domain.
        standard_error: How far that mean may well be off.
        samples: How many points.
    """

    density: Fraction
    mean_error_upper: Fraction
    mean_error_estimate: float
    standard_error: float
    samples: int


def mean_error_upper(
    source: ReluNetwork, network: IntegerLayers, grid: GridRequest, error: Fraction, density: Fraction
) -> Fraction:
    """The bound of the module's text, exactly.

    Args:
        source: The network that was compiled.
        network: What became of it; its last biases say how far its output can go.
        grid: What was asked for: p, g, R and the domain.
        error: The proved error on the grid.
        density: rho.
    """
    rate = source.dim * density * (1 if grid.domain == DOMAINS[0] else 2)
    clip = abs(network.scale) * max(abs(row.bias) for row in network.outputs)
    on_ramps = rate * Fraction(1, 2**grid.guard_bits) * (grid.range_bound + clip)
    return error + on_ramps + rate * Fraction(1, 2**grid.bits) * grid.range_bound * source.linear_pieces()


def mean_error_estimate(
    source: ReluNetwork, network: IntegerLayers, grid: GridRequest, seed: int = 0
) -> tuple[float, float, int]:
    """Measure the mean of |network - clip(source)| over uniformly random points.

    The source is evaluated exactly, the network in float64.

    Returns:
        The mean (the largest one, if there are several outputs), its standard error, and the number of points.
    """
    samples = min(SAMPLES, max(FEW, WORK // max(1, network.nonzeros)))
    fine = grid.bits + grid.guard_bits + EXTRA_BITS
    indices = np.random.default_rng(seed).integers(0, 2**fine, size=(samples, source.dim), endpoint=True)
    points = indices / 2.0**fine
    values = network(points if grid.domain == DOMAINS[0] else 2 * points - 1)
    distances = np.abs(values - clipped(source, indices, fine, grid))
    means = distances.mean(axis=0)
    worst = int(np.argmax(means))
    return float(means[worst]), float(distances[:, worst].std(ddof=1) / math.sqrt(samples)), samples


def clipped(source: ReluNetwork, indices: NDArray[np.int64], bits: int, grid: GridRequest) -> Array:
    """The source's outputs, evaluated exactly, clipped to the range and rounded to float64.

    Args:
        source: The network.
        indices: Of points of a grid, which may be finer than the one that was asked for.
        bits: Of that grid.
        grid: What was asked for: the range and the domain.
    """
    numerators, denominator = source.grid_values(indices, bits, grid.domain)
    low, high = -grid.range_bound, grid.range_bound
    flat = [float(min(high, max(low, Fraction(int(value), denominator)))) for value in numerators.ravel()]
    return np.array(flat).reshape(numerators.shape)
