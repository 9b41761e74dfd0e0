"""Baselines: what one layer of nonlinearities, and a standard network of depth 3, learn from the same law.

    features   random features: the very hidden layer of the two-sigmoid network, under a linear output fitted by least
               squares; what it loses is what the outer nonlinearity gives
    relu       one hidden layer of ReLU, of the same width, linear output, all weights trained
    sigmoid    one hidden layer of sigmoids, likewise
    deep-relu  two hidden layers of ReLU, 100 and 20 units, linear output, all weights trained

The trained ones have one budget, `TuningBudget`: the same rates tried, the same number of steps, the same examples, the
rate chosen by the error on examples of a separate stream. Nothing is tuned on test points. They start as `trained_nets`
says; a single hidden layer with biases uniform on [-2, 2], as in the frozen layer, which was better than biases 0 in 6
of 7 pilots (1500 steps, one seed each; ReLU at d = 5 was worse, 0.071 and not 0.066); two hidden layers with biases 0.

A baseline whose risk is infinite is refused, never averaged: see `NetShape.infinite_risk`.
Source: choices made here; what "standard gradient descent" means in Safran and Lee (2022) was not at hand.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import solve

from depthsep.errors import BadInput
from depthsep.learning.laws import BallTarget, RadialLaw
from depthsep.learning.trained_nets import Adam, Nets, NetShape, draw_examples, example_batches, initial_weights
from depthsep.progress import Progress, silent

__all__ = [
    "FEATURES",
    "TRAINED",
    "LinearReadout",
    "TrainedBaseline",
    "TuningBudget",
    "baseline_shape",
    "least_squares",
    "refuse_infinite_risk",
    "train_baseline",
]

Array = NDArray[np.float64]

FEATURES = "features"
TRAINED = ("relu", "sigmoid", "deep-relu")

_BLOCK = 4096
_TELL_EVERY = 100
_BIAS_RANGE = 2.0
_STREAMS = 0xBA5E  # keeps these streams apart from all others of the same seed


@dataclass(frozen=True)
class TuningBudget:
    """What every trained baseline may spend.

    Args:
        rates: The rates of Adam that are tried; each falls linearly to 0.
        steps: The number of updates at each rate.
        batch: Fresh examples per update.
        validation: Examples of a separate stream on which the rate is chosen.

    Raises:
        BadInput: A number is not positive, or there is no rate.

    Example:
        >>> print(TuningBudget(rates=(0.001, 0.01), steps=50).text)
        Adam, best of the rates 0.001, 0.01 on 10000 validation examples,
        falling linearly to 0 in 50 steps of 256 fresh examples
    """

    rates: tuple[float, ...] = (0.003, 0.01, 0.03, 0.1)
    steps: int = 2000
    batch: int = 256
    validation: int = 10_000

    def __post_init__(self) -> None:
        """Refuse an empty budget."""
        least = min([*self.rates, self.steps, self.batch, self.validation], default=0)
        if not self.rates or not least > 0:
            raise BadInput(f"a {self}", needed="at least one rate, and numbers above 0")

    @property
    def text(self) -> str:
        """The budget, for reports."""
        rates = ", ".join(f"{rate:g}" for rate in self.rates)
        chosen = f"Adam, best of the rates {rates} on {self.validation} validation examples"
        return f"{chosen}, falling linearly to 0 in {self.steps} steps of {self.batch} fresh examples"


@dataclass(frozen=True)
class LinearReadout:
    """A linear output on given features.

    Args:
        weights: Shape (r,).
        bias: The output at features 0.
    """

    weights: Array
    bias: float

    def outputs(self, features: ArrayLike) -> Array:
        """Evaluate at features of shape (n, r); the result has shape (n,)."""
        return np.asarray(features, dtype=np.float64) @ self.weights + self.bias

    def mse(self, features: NDArray[np.floating], labels: ArrayLike) -> float:
        """The mean squared error on features of shape (n, r) and labels of shape (n,)."""
        wanted = np.asarray(labels, dtype=np.float64)
        blocks = [slice(start, start + _BLOCK) for start in range(0, len(features), _BLOCK)]
        return math.fsum(float(np.sum((self.outputs(features[b]) - wanted[b]) ** 2)) for b in blocks) / len(features)


def least_squares(features: NDArray[np.floating], labels: ArrayLike, ridge: float = 1e-7) -> LinearReadout:
    """Minimise the mean of (v . (phi - mu) + c - y)^2, plus ridge ||v||^2, over v and c, mu the mean feature.

    Args:
        features: Shape (n, r), any floating type; the sums are formed in float64. They may be centred already: c is
            not penalised, so it makes no difference.
        labels: Shape (n,).
        ridge: The penalty, positive.

    Raises:
        BadInput: The shapes do not fit, or ridge <= 0.

    Example:
        >>> features = np.array([[0.0], [1.0], [2.0]])
        >>> readout = least_squares(features, [1.0, 3.0, 5.0])
        >>> round(readout.bias, 5), readout.weights.round(5).tolist(), readout.mse(features, [1, 3, 5]) < 1e-12
        (1.0, [2.0], True)
        >>> least_squares(features, [1.0, 3.0])
        Traceback (most recent call last):
        ...
        depthsep.errors.BadInput: least squares of 2 labels on features of shape (3, 1)
          needed: one row of features for each label
    """
    wanted = np.asarray(labels, dtype=np.float64)
    if features.ndim != 2 or wanted.shape != (len(features),) or len(wanted) == 0:
        asked = f"least squares of {wanted.size} labels on features of shape {features.shape}"
        raise BadInput(asked, needed="one row of features for each label")
    if not ridge > 0:
        raise BadInput(f"least squares with ridge = {ridge:g}", needed="ridge > 0: wide layers have dependent features")
    count, units = features.shape
    means = features.mean(axis=0, dtype=np.float64)
    gram, moments = np.zeros((units, units)), np.zeros(units)
    centre = wanted.mean()
    for start in range(0, count, _BLOCK):
        block = features[start : start + _BLOCK] - means
        gram += block.T @ block
        moments += block.T @ (wanted[start : start + _BLOCK] - centre)
    gram /= count
    gram[np.diag_indices(units)] += ridge
    weights = solve(gram, moments / count, assume_a="pos")
    return LinearReadout(weights, float(centre - means @ weights))


@dataclass(frozen=True)
class TrainedBaseline:
    """A network that was trained within a budget.

    Args:
        name: Which baseline.
        shape: Its layers.
        seed: The seed it was trained from.
        budget: What was spent.
        rate: The rate that won.
        validation_mse: The mean squared error of each rate, in their order, on the validation examples.
        nets: The network, in a stack of one.
    """

    name: str
    shape: NetShape
    seed: int
    budget: TuningBudget
    rate: float
    validation_mse: tuple[float, ...]
    nets: Nets

    def mse(self, points: NDArray[np.floating], labels: NDArray[np.floating]) -> float:
        """The mean squared error on points of shape (n, dim) and labels of shape (n,).

        Like the training points, these are points of the law times `law.scale`: see `trained_nets.draw_examples`.
        """
        return float(self.nets.mse(points, labels)[0])

    @property
    def rate_is_extreme(self) -> bool:
        """Whether the rate that won is the smallest or the largest one tried, so that others might do better."""
        return self.rate in (min(self.budget.rates), max(self.budget.rates))


def baseline_shape(name: str, width: int) -> NetShape:
    """The network of a trained baseline.

    Args:
        name: One of `TRAINED`.
        width: The number of hidden units; "deep-relu" has its own, 100 and 20.

    Raises:
        BadInput: There is no such baseline.
    """
    if name == "deep-relu":
        return NetShape((100, 20))
    if name in TRAINED:
        return NetShape((width,), name)
    raise BadInput(f"the baseline {name!r}", needed=f"one of {', '.join((FEATURES, *TRAINED))}")


def refuse_infinite_risk(name: str, shape: NetShape, law: RadialLaw) -> None:
    """Refuse a baseline whose risk is infinite under the law.

    Raises:
        BadInput: It is; the text says why.
    """
    if reason := shape.infinite_risk(law):
        needed = "a network of finite risk, or a law of lighter tails"
        raise BadInput(
            f"the baseline {name!r} on {law.text}", reason, needed, "take the baselines sigmoid and features"
        )


def train_baseline(
    name: str,
    target: BallTarget,
    width: int,
    seed: int,
    budget: TuningBudget | None = None,
    progress: Progress = silent,
) -> TrainedBaseline:
    """Train a baseline at every rate of the budget, and keep the network that is best on the validation examples.

    Args:
        name: "relu", "sigmoid" or "deep-relu".
        target: What is learnt.
        width: The number of hidden units, that of the network it is compared with.
        seed: Fixes the initial weights, the examples and the validation examples; all baselines see the same examples.
        budget: What may be spent; by default `TuningBudget()`.
        progress: Told how far it is.

    Raises:
        BadInput: There is no such baseline, its risk is infinite under the law, or every rate diverged.

    Example:
        >>> from depthsep.learning.laws import Bessel, Gaussian
        >>> quick = TuningBudget(rates=(0.01,), steps=40, batch=32, validation=500)
        >>> 0.05 < train_baseline("sigmoid", BallTarget(Gaussian(2)), 20, seed=1, budget=quick).validation_mse[0] < 0.3
        True
        >>> train_baseline("relu", BallTarget(Bessel(5)), 20, seed=1)
        Traceback (most recent call last):
        ...
        depthsep.errors.BadInput: the baseline 'relu' on the Eldan-Shamir (Bessel) law in dimension 5
          found:  a ReLU network with linear output grows like ||x||, and E ||x||^2 is infinite (tail index 1)
          needed: a network of finite risk, or a law of lighter tails
          do:     take the baselines sigmoid and features
    """
    shape, budget = baseline_shape(name, width), budget or TuningBudget()
    refuse_infinite_risk(name, shape, target.law)
    start, stream, held_out = (
        np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_STREAMS, role))) for role in range(3)
    )
    biases = _BIAS_RANGE if shape.depth == 2 else 0
    weights = initial_weights(shape, target.law.dim, start, biases).astype(np.float32)
    nets = Nets(shape, target.law.dim, np.tile(weights, (len(budget.rates), 1)))
    with np.errstate(over="ignore", invalid="ignore"):  # a rate that diverges loses, and does not stop the others
        _train(nets, target, budget, stream, lambda done: progress(f"baseline {name}, width {width}", done))
        errors = nets.mse(*draw_examples(target, budget.validation, held_out))
    errors[~np.isfinite(errors)] = np.inf
    best = int(np.argmin(errors))
    if errors[best] == np.inf:
        asked = f"the baseline {name!r} on {target.law.text}"
        raise BadInput(asked, found="training diverged at every rate", do="name smaller rates in the budget")
    rate, tried = budget.rates[best], tuple(errors.tolist())
    return TrainedBaseline(name, shape, seed, budget, rate, tried, nets.only(best))


def _train(
    nets: Nets, target: BallTarget, budget: TuningBudget, stream: np.random.Generator, tell: Callable[[float], None]
) -> None:
    """Train one network for each rate, all on the same batches."""
    adam = Adam(nets.parameters)
    rates = np.array(budget.rates, dtype=np.float32)[:, np.newaxis]
    for step, (points, labels) in enumerate(example_batches(target, budget.batch, budget.steps, stream)):
        if step % _TELL_EVERY == 0:
            tell(step / budget.steps)
        adam.update(nets.gradient(points, labels), rates * (1 - step / budget.steps))
