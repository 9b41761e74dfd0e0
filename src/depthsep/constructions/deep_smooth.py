"""Depth-3 networks of softplus, sigmoid or tanh units for radial functions: squares by curvature.

Theorem (idea: Rolnick & Tegmark 2018, arXiv:1705.05502, products by Taylor's formula). A unit s(h t + b) with
s''(b) != 0 has the square of t in its Taylor formula. A unit for each coordinate and one or two for the linear part
make q = Q + K ||x||^2 to any accuracy: d + 2 units for softplus (b = 0: the cubic term vanishes), d + 1 for sigmoid and
tanh, b being the zero of s'''. Some d units are needed with any activation (rank bound).

What is proved here. The checker replays the lemma in `depthsep_check.approximations.smooth_squares` for the stored
numbers. The error of q is a multiple of ||x||^4 h^2, and d is in none of its constants.

Second layer. softplus: the fewest hinges in the tube of q (`univariate.outer_tube`), each a softplus of sharpness g,
which costs |c| ln 2 / g for a hinge of weight c. sigmoid, tanh: a staircase in that tube with the fewest steps.

Differences from the source: radial functions, one unit a square instead of two, proved stored numbers.

Cost: d + 2 (or d + 1) units, then O(1/sqrt(eps)) (or O(1/eps)); weights grow like 1/h^2, and second-layer biases
like d/h^2 times the sharpness.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from depthsep.certificates.document import CertifiedNetwork, first_proved
from depthsep.errors import BadInput, OutOfReach
from depthsep.functions import Radial
from depthsep.networks.smooth_separable import SmoothSeparableNetwork
from depthsep.progress import Progress, silent
from depthsep.univariate.outer_tube import OuterTube
from depthsep.univariate.profile_samples import ProfileSamples

__all__ = ["SMOOTH", "search"]

_SAMPLE_STEP = 1 / 64  # in units of eps
_SHARES = (0.97, 0.9, 0.75)  # of eps, for hinges and steps; the rest is for their rounding off
_MOST_STEPS = 2**12
_MOST_UNITS = 2**12
_LEAST_GAIN = 2.0**-12


@dataclass(frozen=True)
class _Shape:
    """What the construction uses of an activation: a place b, s(b), s'(b), s''(b), |s''''(b)|, e(0) and e'(0)."""

    centre: float
    value: float
    slope: float
    curvature: float
    fourth: float
    odd_value: float
    odd_slope: float


_ROOT = math.sqrt(3)
SMOOTH = {
    "softplus": _Shape(0.0, math.log(2), 0.5, 0.25, 0.125, 0.0, 1.0),
    "sigmoid": _Shape(-math.log(2 + _ROOT), (3 - _ROOT) / 6, 1 / 6, _ROOT / 18, _ROOT / 18, 0.5, 0.25),
    "tanh": _Shape(-math.atanh(1 / _ROOT), -1 / _ROOT, 2 / 3, 4 / (3 * _ROOT), 16 / (3 * _ROOT), 0.0, 1.0),
}


def search(function: Radial, eps: Fraction, activation: str, progress: Progress = silent) -> CertifiedNetwork:
    """Find a small depth-3 network of smooth units within eps of x -> phi(||x||) on the ball, with a checked proof.

    Args:
        function: The radial function; phi is continuous on [0, 1].
        eps: The accuracy, positive.
        activation: "softplus", "sigmoid" or "tanh".
        progress: Called with a short text at every stage.

    Raises:
        BadInput: The activation is another one.
        OutOfReach: phi varies by more than 2^12 eps on its way from 0 to 1, or no proof closes.

    >>> search(Radial("1 - r", dim=10), Fraction(1, 10), "softplus").widths
    (12, 2)
    """
    asked = f'a depth-3 {activation} network for "{function.text}" in dimension {function.dim} with error {eps}'
    if activation not in SMOOTH:
        raise BadInput(asked, needed=f"one of {', '.join(SMOOTH)}")
    samples = ProfileSamples.of(function.profile, float(eps) * _SAMPLE_STEP)
    if samples.variation > _MOST_STEPS * eps:
        raise OutOfReach(
            asked,
            found=f"the profile varies by {samples.variation / eps:.3g} times the error on its way from 0 to 1",
            needed=f"at most {_MOST_STEPS} times",
            do="ask for a larger eps",
        )
    for network in _networks(samples, function.dim, float(eps), activation):
        progress(f"proving {network.widths[0]:,} + {network.widths[1]:,} neurons", None)
        certified = first_proved(function, network, {"kind": "taylor"}, [float(eps) * 0.99], eps)
        if certified is not None:
            return certified
    raise OutOfReach(asked, found="no proof for any of the networks", do="ask for a larger eps")


def _networks(samples: ProfileSamples, dim: int, eps: float, activation: str) -> Iterator[SmoothSeparableNetwork]:
    """Candidates, the narrowest first and of growing sharpness."""
    shape = SMOOTH[activation]
    gain, tube = _first_layer(samples, shape, eps)
    scale = shape.curvature * gain**2 / 2
    weight = 2.0 ** round(-math.log2(scale))
    linear_gain = 1.0 if activation == "softplus" else 2.0 ** -(11 + math.ceil(math.log2(dim) / 2))
    linear_weight = -weight * gain * shape.slope / (shape.odd_slope * linear_gain)
    inner = (gain, shape.centre, weight, linear_gain, linear_weight)
    start = weight * dim * shape.value + linear_weight * shape.odd_value
    for share in _SHARES:
        make = _hinges if activation == "softplus" else _steps
        bias, places, changes, sign = make(tube, share * eps)
        if len(places) > _MOST_UNITS:
            return
        for spare in (1.0, 16.0):
            least = spare * _sharpness(activation, places, changes, eps) / (weight * scale)
            sharp = 2.0 ** math.ceil(math.log2(max(1.0, least)))
            at = start + weight * scale * places
            if activation == "softplus":
                gains, weights, base = sign * sharp, changes / (sharp * weight * scale), bias
            elif activation == "sigmoid":
                gains, weights, base = sharp, changes, bias
            else:
                gains, weights, base = sharp / 2, changes / 2, bias + changes.sum() / 2
            lists = (np.full(len(at), gains), -gains * at, weights)
            yield SmoothSeparableNetwork(dim, activation, *inner, float(base), *(tuple(x.tolist()) for x in lists))


def _first_layer(samples: ProfileSamples, shape: _Shape, eps: float) -> tuple[float, OuterTube]:
    """The largest power of two for h that leaves nearly all of eps to the second layer, and the tube in s."""
    gain = 0.25
    while True:
        drop = 2 * shape.fourth / shape.curvature * gain**2 / 24
        tube = OuterTube.of(samples, lambda s, drop=drop: s - drop * s**2, lambda s: s, eps)  # type: ignore[misc]
        if tube.least_eps <= eps / 20 or gain <= _LEAST_GAIN:
            return gain, tube
        gain /= 2


_Layer = tuple[float, NDArray[np.float64], NDArray[np.float64], float]


def _hinges(tube: OuterTube, eps: float) -> _Layer:
    psi = tube.fewest_hinges(eps)
    return psi.bias, np.array(psi.thresholds), np.array(psi.weights), 1.0 if psi.side == "right" else -1.0


def _steps(tube: OuterTube, eps: float) -> _Layer:
    """A staircase with the fewest levels within eps of the tube."""
    levels: list[float] = []
    places: list[float] = []
    low, high = float("inf"), -float("inf")
    for z, least, greatest in zip(tube.z.tolist(), tube.least.tolist(), tube.greatest.tolist(), strict=True):
        if max(high, greatest) - min(low, least) > 2 * eps:
            levels.append((low + high) / 2)
            places.append(z)
            low, high = least, greatest
        low, high = min(low, least), max(high, greatest)
    levels.append((low + high) / 2)
    return levels[0], np.array(places), np.diff(levels), 1.0


def _sharpness(activation: str, places: NDArray[np.float64], changes: NDArray[np.float64], eps: float) -> float:
    """How steep units of the second layer are, in units of s, to lose about a hundredth of eps."""
    if activation == "softplus":
        return 100 * math.log(2) * float(np.abs(changes).max(initial=0.0)) / eps
    apart = float(np.diff(places, prepend=0.0).min(initial=1.0))
    return 12 / max(apart, 1e-9)
