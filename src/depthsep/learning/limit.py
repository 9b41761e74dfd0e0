"""The limit of training the output neuron when the hidden layer is infinitely wide and the data are the population.

Model: N(x) = sigma(z(x)), z(x) = sum_i v_i (sigma(<w_i, x> + b_i) - mu_i) + c, w_i uniform on the sphere of radius
`scale` (in units where the median norm of x is sqrt(d)), b_i uniform on [-B, B], mu_i the mean feature, v = 0 and c = 0
at the start. Only v and c move, v by gradient steps of size eta / r at width r, c by steps of its own size.

Reduction: the law of (w, b) and the law of x do not change under rotations, so in the limit r -> infinity z depends on
||x|| only and r v_i on b_i only, as a function u(b). With the averaged and centred feature

    phi(rho, b) = E_t sigma(scale rho t + b) - (its mean over rho),     t a coordinate of a uniform direction,

it is gradient descent on z(rho) = E_b u(b) phi(rho, b) + c with the steps eta and the one of c: a problem in two
scalars. The averages are Gauss rules: in t for the weight (1 - t^2)^((d-3)/2) (for d = 2 that of Chebyshev), in b
Legendre's, in rho Legendre's over the quantiles, on both sides of the threshold apart. Far out, where sigma is steep in
t, it is read as the distribution function of a logistic variable l: E_t sigma(a t + b) = E_l P(a t <= b - l).

The step: the smoothness of the loss per unit of width is at most curvature * kappa, kappa the largest eigenvalue of the
covariance of the features divided by the width. In all cases computed (degrees up to 6) it belongs to spherical
degree 0 or 1, mostly 1 as a feature is mostly linear; 1 / (curvature * kappa) is the default of eta, the limit of
the step 1/L of wide networks. As phi is centred, c does not add to it: c has the step 1 / curvature by default.

What is not covered: finite width, whose error is larger by about c/r (measured for Gaussian data, Nesterov and logistic
loss, after 100 steps and on average over hidden layers: c = 2.5 for d = 10, 8 for d = 20; single hidden layers scatter
by about 1/r at r = 1600); finite samples; Adam (see `limit_curve`).
Source: the reduction is ours, not that of Safran and Lee (2022).
Cost: a fraction of a second for the features, some 50 microseconds a step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal
from scipy.special import betainc, expit

from depthsep.errors import BadInput
from depthsep.learning.laws import BallTarget, RadialLaw, Shells

__all__ = ["LimitCurve", "limit_curve"]

Array = NDArray[np.float64]

# The largest second derivative of the loss of one example in z. For (sigma(z) - y)^2 it is that of 2 s^2 (1-s) (2-3s)
# over s in [0, 1], at s = (15 - sqrt(33)) / 24.
_CURVATURES = {"logistic": 0.25, "square": 0.15406}
_OPTIMIZERS = ("gd", "nesterov")
_ANGLES = 96
_STEEP = 24.0  # beyond this slope of sigma in t the rule in t is left
_LOGISTIC_STEP, _LOGISTIC_END = 0.5, 36.0  # the trapezoidal rule errs by exp(-2 pi^2 / step), the cut by exp(-end)


@dataclass(frozen=True)
class LimitCurve:
    """The population errors of the limit, step by step.

    Args:
        target: What is learnt.
        loss: "logistic" or "square".
        optimizer: "gd" or "nesterov".
        step: eta; a network of width r takes the step eta / r for its output weights.
        bias_step: The step of the output bias.
        steps: The numbers of updates made, increasing; shape (k,), integers.
        mse: E (N - y)^2, no factor 1/2, at `steps`; shape (k,).
        training_loss: The mean loss that the optimizer works on, at `steps`; shape (k,).
    """

    target: BallTarget
    loss: str
    optimizer: str
    step: float
    bias_step: float
    steps: NDArray[np.int64]
    mse: Array
    training_loss: Array

    def at(self, step: int) -> float:
        """Look up the mean squared error after a number of updates.

        Raises:
            BadInput: That step was not recorded.
        """
        found = np.flatnonzero(self.steps == step)
        if len(found) == 0:
            known = f"steps {self.steps[0]} to {self.steps[-1]}, {len(self.steps)} of them"
            raise BadInput(f"the limit curve after {step} steps", found=known, do="name the step in record_at")
        return float(self.mse[found[0]])


def limit_curve(
    law: RadialLaw,
    quantile: float = 0.5,
    *,
    radius: float | None = None,
    steps: int = 300,
    optimizer: str = "nesterov",
    loss: str = "logistic",
    step: float | None = None,
    bias_step: float | None = None,
    scale: float = 0.5,
    bias_range: float = 2.0,
    record_at: Sequence[int] | None = None,
    nodes: int = 400,
    bias_nodes: int = 32,
) -> LimitCurve:
    """Follow the output neuron of an infinitely wide network that learns a ball from the population.

    Args:
        law: The law of the points.
        quantile: The probability of the ball.
        radius: Its radius, instead of a quantile.
        steps: How many updates are made.
        optimizer: "gd", or "nesterov" with the momentum (t - 1) / (t + 2) at update t.
        loss: "logistic", or "square" for (N - y)^2.
        step: eta, the step times the width; by default 1 / L, see the module.
        bias_step: The step of the output bias; by default 1 / curvature. To compare with a network of width r that
            takes one step for all it trains: step / r.
        scale: The norm of the hidden weights, where the median norm of x is sqrt(d).
        bias_range: B; the hidden biases are uniform on [-B, B].
        record_at: The numbers of updates after which errors are recorded; by default 0, 1, ..., steps.
        nodes: The number of radii of the quadrature on each side of the threshold.
        bias_nodes: The number of hidden biases of the quadrature.

    Returns:
        The curve. Numbers are estimates by quadrature: no proof uses them.

    Raises:
        BadInput: The target is refused (see `BallTarget`), an unknown loss or optimizer, a number out of its range.
            Adam is refused: it divides the gradient of every neuron by its recent size, so parts that vanish with the
            width and the sample size are blown up wherever the gradient of the limit is small; wide networks under
            Adam need not come near the averaged run.

    Example:
        >>> from depthsep.learning.laws import Gaussian
        >>> curve = limit_curve(Gaussian(20), steps=100, record_at=[0, 100])
        >>> curve.mse.round(3).tolist()
        [0.25, 0.026]
    """
    target = BallTarget(law, quantile, radius=radius)
    marks = _marks(steps, record_at)
    _require_known(optimizer, loss)
    _require_positive(step=step, bias_step=bias_step, scale=scale, bias_range=bias_range)
    _require_positive(nodes=nodes, bias_nodes=bias_nodes)
    problem = _problem(target, law.scale * scale, bias_range, nodes, bias_nodes)
    eta = 1 / (_CURVATURES[loss] * problem.kappa) if step is None else step
    bias_eta = 1 / _CURVATURES[loss] if bias_step is None else bias_step
    mse, training_loss = _descend(problem, marks, optimizer, loss, eta, bias_eta)
    return LimitCurve(target, loss, optimizer, eta, bias_eta, marks, mse, training_loss)


def _marks(steps: int, record_at: Sequence[int] | None) -> NDArray[np.int64]:
    if steps < 0:
        raise BadInput(f"{steps} steps", needed="a number that is not negative")
    marks = np.arange(steps + 1) if record_at is None else np.unique(np.asarray(record_at, dtype=np.int64))
    if len(marks) == 0 or marks[0] < 0 or marks[-1] > steps:
        raise BadInput(f"record_at = {record_at}", needed=f"at least one step, all between 0 and {steps}")
    return marks


def _require_known(optimizer: str, loss: str) -> None:
    if optimizer == "adam":
        raise BadInput(
            "the infinite-width limit of Adam",
            found="Adam divides the gradient of every neuron by its own recent size",
            needed="updates that are linear in the gradient, so that what vanishes with the width stays small",
            do="use the optimizer gd or nesterov; Adam is there for networks of finite width",
        )
    if optimizer not in _OPTIMIZERS:
        raise BadInput(f"the optimizer {optimizer!r}", needed=f"one of {', '.join(_OPTIMIZERS)}")
    if loss not in _CURVATURES:
        raise BadInput(f"the loss {loss!r}", needed=f"one of {', '.join(_CURVATURES)}")


def _require_positive(**numbers: float | None) -> None:
    for name, value in numbers.items():
        if value is not None and not 0 < value < math.inf:
            raise BadInput(f"{name} = {value:g}", needed="a positive number")


@dataclass(frozen=True)
class _Problem:
    """Centred averaged features (radii, biases), the weights of both rules, labels, and the largest eigenvalue."""

    features: Array
    radius_weights: Array
    bias_weights: Array
    labels: Array
    kappa: float


def _problem(target: BallTarget, slope: float, bias_range: float, nodes: int, bias_nodes: int) -> _Problem:
    radii, weights, labels = _radii(target, nodes)
    grid, halves = np.polynomial.legendre.leggauss(bias_nodes)
    biases, bias_weights = bias_range * grid, halves / 2
    radial, linear = _features(slope * radii, biases, target.law.dim)
    features = radial - weights @ radial
    roots = np.sqrt(weights)[:, np.newaxis] * np.sqrt(bias_weights)
    kappa = max(_square_norm(roots * features), _square_norm(roots * linear) / target.law.dim)
    return _Problem(features, weights, bias_weights, labels, kappa)


def _square_norm(matrix: Array) -> float:
    return float(np.linalg.norm(matrix, ord=2)) ** 2


def _radii(target: BallTarget, nodes: int) -> tuple[Array, Array, Array]:
    """Radii, their weights, and their labels."""
    law = target.law
    if isinstance(law, Shells):
        radii = np.asarray(law.radii)
        return radii, np.asarray(law.weights), target.label_norms(radii)
    grid, halves = np.polynomial.legendre.leggauss(nodes)
    unit, inside = (grid + 1) / 2, target.probability
    quantiles = np.concatenate([inside * unit, inside + (1 - inside) * unit])
    weights = np.concatenate([inside * halves, (1 - inside) * halves]) / 2
    return law.radius.ppf(quantiles), weights, np.repeat([1.0, 0.0], nodes)


def _angles(dim: int, count: int) -> tuple[Array, Array]:
    """The nodes and weights of the Gauss rule for a coordinate t of a uniform direction.

    Golub and Welsch: from the three-term recurrence of the orthonormal polynomials, whose squared coefficients are
    k (k + d - 3) / ((2k + d - 2) (2k + d - 4)), the first one being E t^2 = 1/d.
    """
    k = np.arange(2, count)
    squares = np.concatenate([[1 / dim], k * (k + dim - 3) / ((2 * k + dim - 2) * (2 * k + dim - 4))])
    nodes, vectors = eigh_tridiagonal(np.zeros(count), np.sqrt(squares))
    return nodes, vectors[0] ** 2


def _features(slopes: Array, biases: Array, dim: int) -> tuple[Array, Array]:
    """E_t sigma(a t + b) and sqrt(d) E_t t sigma(a t + b), for slopes a and biases b; of shape (slopes, biases)."""
    nodes, weights = _angles(dim, _ANGLES)
    rule = np.stack([weights, math.sqrt(dim) * nodes * weights], axis=1)
    both = np.stack([expit(slopes[:, np.newaxis] * nodes + bias) @ rule for bias in biases], axis=2)
    radial, linear = both[:, 0], both[:, 1]
    steep = slopes > _STEEP
    radial[steep] = _steep_mean(slopes[steep], biases, dim)
    return radial, linear


def _steep_mean(slopes: Array, biases: Array, dim: int) -> Array:
    """E_t sigma(a t + b) = E P(a t <= b - l) for a logistic variable l; shape (slopes, biases)."""
    logistic = np.arange(-_LOGISTIC_END, _LOGISTIC_END + _LOGISTIC_STEP / 2, _LOGISTIC_STEP)
    weights = expit(logistic) * expit(-logistic) * _LOGISTIC_STEP
    result = np.empty((len(slopes), len(biases)))
    for column, bias in enumerate(biases):
        t = np.clip((bias - logistic) / slopes[:, np.newaxis], -1, 1)
        result[:, column] = (1 + np.sign(t) * betainc(0.5, (dim - 1) / 2, t**2)) / 2 @ weights
    return result


def _descend(
    problem: _Problem, marks: NDArray[np.int64], optimizer: str, loss: str, eta: float, bias_eta: float
) -> tuple[Array, Array]:
    """Errors and losses at the marks."""
    weighted = problem.features * problem.bias_weights
    slope = _SLOPES[loss]
    u = u_before = np.zeros(len(problem.bias_weights))
    c = c_before = 0.0
    mse: list[float] = []
    losses: list[float] = []
    for t in range(int(marks[-1]) + 1):
        if t > 0:
            momentum = (t - 1) / (t + 2) if optimizer == "nesterov" else 0.0
            u_ahead, c_ahead = u + momentum * (u - u_before), c + momentum * (c - c_before)
            error = problem.radius_weights * slope(weighted @ u_ahead + c_ahead, problem.labels)
            u_before, c_before = u, c
            u, c = u_ahead - eta * (error @ problem.features), c_ahead - bias_eta * float(error.sum())
        if len(mse) < len(marks) and t == marks[len(mse)]:
            z = weighted @ u + c
            mse.append(float(problem.radius_weights @ (expit(z) - problem.labels) ** 2))
            losses.append(_logistic_loss(problem, z) if loss == "logistic" else mse[-1])
    return np.asarray(mse), np.asarray(losses)


def _logistic_loss(problem: _Problem, z: Array) -> float:
    return float(problem.radius_weights @ (np.logaddexp(0, z) - problem.labels * z))


def _logistic_slope(z: Array, labels: Array) -> Array:
    return cast(Array, expit(z) - labels)


def _square_slope(z: Array, labels: Array) -> Array:
    output = expit(z)
    return cast(Array, 2 * (output - labels) * output * (1 - output))


_SLOPES: dict[str, Callable[[Array, Array], Array]] = {"logistic": _logistic_slope, "square": _square_slope}
