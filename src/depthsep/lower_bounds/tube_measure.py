"""The Eldan-Shamir measure: the law behind the tubes bound, with an exact sampler.

Definition (Eldan & Shamir 2016, arXiv:1512.03965, section 3): the density on R^d is the squared Fourier transform of
the indicator of the ball RB of volume 1, that is (R/|x|)^d J_nu(2 pi R |x|)^2 with nu = d/2. In s = 2 pi R |x| the
direction is uniform and s has the density d J_nu(s)^2 / s. Its mass begins near s = nu; the tail beyond s is about
(d/pi)/s, so that s has no mean.

What is implemented here: density, distribution function P(s <= a) = J_nu(a)^2 + 2 sum_{k >= 1} J_{nu+k}(a)^2 (the
derivative telescopes), and a sampler by rejection under an envelope that is exact for d >= 2:

* beyond nu, J_nu(s)^2 <= 2 / (pi sqrt(s^2 - nu^2)) (Watson, 13.74), so that d J_nu^2 / s lies below a density that is
  drawn by s = nu / cos(theta), theta uniform in (0, pi/2), and has the mass 2;
* up to nu, d J_nu^2 / s increases, so the constant d J_nu(nu)^2 / nu lies above it: p = s J'/J satisfies
  s p' = nu^2 - s^2 - p^2 and p >= sqrt(nu^2 - s^2), so p decreases to its value at nu, which is above 1/2.

Cost: about 2 + 0.4 nu^(1/3) proposals a point. Exact up to the rounding of float64; estimates only, no proof uses them.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import jv

from depthsep.errors import BadInput

__all__ = ["radial_cdf", "radial_density", "sample", "sample_radii", "unit_radius"]

Array = NDArray[np.float64]


def unit_radius(dim: int) -> float:
    """The radius R of the ball of volume 1; a point of the law in the source's scale is x / (2 pi R), |x| = s.

    Example:
        >>> round(unit_radius(2) ** 2 * math.pi, 12)
        1.0
    """
    _require(dim)
    return math.exp(math.lgamma(dim / 2 + 1) / dim) / math.sqrt(math.pi)


def radial_density(dim: int, s: ArrayLike) -> Array:
    """The density of s = 2 pi R ||x||, zero for s <= 0."""
    _require(dim)
    radii = np.asarray(s, dtype=np.float64)
    positive = np.where(radii > 0, radii, 1.0)
    return np.where(radii > 0, dim * jv(dim / 2, positive) ** 2 / positive, 0.0)


def radial_cdf(dim: int, s: float) -> float:
    """P(2 pi R ||x|| <= s), by the series of squares.

    Example:
        >>> round(radial_cdf(10, 6.25), 6)
        0.348166
    """
    _require(dim)
    if s <= 0:
        return 0.0
    # J of order mu is negligible once mu exceeds s by some multiples of s^(1/3).
    orders = dim / 2 + np.arange(0, max(0, math.ceil(s - dim / 2)) + 40 + math.ceil(12 * s ** (1 / 3)))
    squares = jv(orders, s) ** 2
    return float(2 * np.sum(squares) - squares[0])


def sample_radii(dim: int, count: int, rng: np.random.Generator) -> Array:
    """Draw values of s.

    Args:
        dim: The dimension, at least 2.
        count: How many.
        rng: The source of randomness.

    Raises:
        BadInput: dim < 2, or count < 0.
    """
    _require(dim)
    if count < 0:
        raise BadInput(f"{count} samples", needed="a number that is not negative")
    order = dim / 2
    inner = 2 * order * float(jv(order, order)) ** 2  # the mass of the constant envelope on (0, nu)
    found = [np.empty(0)]
    missing = count
    while missing > 0:
        proposals = 16 + int(1.2 * missing * (2 + inner))
        inside = rng.random(proposals) * (2 + inner) < inner
        place, height = rng.random(proposals), rng.random(proposals)
        s = np.where(inside, order * (1 - place), order / np.cos(np.pi / 2 * place))
        square = jv(order, s) ** 2
        root = np.sqrt(np.maximum(s * s - order * order, 0))
        ratio = np.where(inside, square / s * order / jv(order, order) ** 2, square * np.pi / 2 * root)
        found.append(s[height < ratio][:missing])
        missing -= found[-1].size
    return np.concatenate(found)


def sample(dim: int, count: int, rng: np.random.Generator) -> Array:
    """Draw points x of the law in the scale where ||x|| = s.

    Args:
        dim: The dimension, at least 2.
        count: How many.
        rng: The source of randomness.

    Shapes:
        Returns (count, dim).

    Example:
        >>> sample(3, 4, np.random.default_rng(0)).shape
        (4, 3)
    """
    radii = sample_radii(dim, count, rng)
    directions: Array = rng.standard_normal((count, dim))
    directions *= (radii / np.linalg.norm(directions, axis=1))[:, None]
    return directions


def _require(dim: int) -> None:
    if dim < 2:
        raise BadInput(f"the Eldan-Shamir measure in dimension {dim}", needed="a dimension of at least 2")
