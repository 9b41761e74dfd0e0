"""Training the output neuron: full-batch descent with the gradient in closed form, many runs in one product.

    z = <v, phi - mu> + v0,   N = sigma(z),   v = 0 and v0 = 0 at the start, no regularisation.

    square    loss (N - y)^2                          dloss/dz = 2 (N - y) N (1 - N)
    logistic  loss -y log N - (1 - y) log(1 - N)      dloss/dz = N - y; convex in (v, v0)

    gd        theta <- theta - eta * gradient
    nesterov  the same from theta + (t - 1) / (t + 2) * (theta - theta before), at update t = 1, 2, ...
    adam      beta = (0.9, 0.999), epsilon = 1e-8; 0.3 is the default of eta

The default step of gd and nesterov is 1 / L with a true upper bound L: k a for v and k b for v0, with k the largest
second derivative in z (1/4; 0.15406 for "square") and a, b from `CenteredFeatures.energies_upper`. With one step for
both, b = 1 would hold back v, whose a is smaller in usual settings. For wide networks it is the default of
`limit_curve`.

Runs that share the hidden layer and the points (other losses, optimizers, steps, labels) share every pass over the
features, as one matrix product. All numbers are float32 but the sums of what is recorded. Nothing is random here: the
same input on the same machine, with the same number of threads and the same runs side by side, gives the same bits.

Convex bound: see `convex_descent_bound`.
Source: textbook; the loss, step and start of Safran and Lee (2022) are not at hand, the square loss with gd is our
reading of "gradient descent" there, all else our choice.
Cost: 4 n width operations for each step and run, at the speed of memory for one run.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from depthsep.errors import BadInput
from depthsep.learning.features import CenteredFeatures
from depthsep.learning.state import History, TrainingState, digest
from depthsep.progress import Progress, silent

__all__ = ["LOSSES", "OPTIMIZERS", "Run", "Trained", "convex_descent_bound", "train"]

Matrix = NDArray[np.float32]
Array = NDArray[np.float64]
Rows = NDArray[np.intp]

LOSSES = ("logistic", "square")
OPTIMIZERS = ("gd", "nesterov", "adam")

_CURVATURES = {"logistic": 0.25, "square": 0.15406}  # see `limit`
_ADAM_STEP = 0.3
_ADAM_MEMORY = (0.9, 0.999)
_ADAM_EPSILON = 1e-8
_LARGEST_STEP = 1e6
_UPDATES_PER_REPORT = 10


@dataclass(frozen=True)
class Run:
    """How one output neuron is trained.

    Args:
        loss: "logistic" or "square".
        optimizer: "gd", "nesterov" or "adam".
        step: eta; None for 1 / L, for adam 0.3.
        bias_step: The step of v0; None for that of v, and for 1 / L where `step` is None too.

    Raises:
        BadInput: The loss or the optimizer is not known, or a step is out of range.

    Example:
        >>> Run("logistic", "newton")
        Traceback (most recent call last):
        ...
        depthsep.errors.BadInput: the optimizer 'newton'
          needed: one of gd, nesterov, adam
    """

    loss: str = "logistic"
    optimizer: str = "adam"
    step: float | None = None
    bias_step: float | None = None

    def __post_init__(self) -> None:
        """Refuse what is not known."""
        for what, value, known in (("loss", self.loss, LOSSES), ("optimizer", self.optimizer, OPTIMIZERS)):
            if value not in known:
                raise BadInput(f"the {what} {value!r}", needed=f"one of {', '.join(known)}")
        for name in ("step", "bias_step"):
            value = getattr(self, name)
            if value is not None and not 0 < value <= _LARGEST_STEP:
                raise BadInput(f"{name} = {value:g}", needed=f"a positive number up to {_LARGEST_STEP:g}")

    def resolved(self, features: CenteredFeatures) -> Run:
        """Fill in the steps that were left open."""
        if self.optimizer == "adam":
            step, bias_step = self.step or _ADAM_STEP, self.step or _ADAM_STEP
        elif self.step is None:
            step, bias_step = safe_steps(features, self.loss)
        else:
            step = bias_step = self.step
        return replace(self, step=step, bias_step=self.bias_step or bias_step)


def safe_steps(features: CenteredFeatures, loss: str) -> tuple[float, float]:
    """Give 1 / L for the output weights and for the output bias; see the module."""
    weights, bias = features.energies_upper
    return 1 / (_CURVATURES[loss] * weights), 1 / (_CURVATURES[loss] * bias)


@dataclass(frozen=True, eq=False)
class Trained:
    """Output neurons after training.

    Args:
        runs: The runs, with the steps that were taken.
        mean: The mean mu of the features, of shape (width,).
        labels: What was learnt, of shape (n, runs), or (n, 1) for all runs.
        state: Where the training stands; give it to `train` to continue.
    """

    runs: tuple[Run, ...]
    mean: Matrix
    labels: Matrix
    state: TrainingState

    @property
    def weights(self) -> Matrix:
        """The output weights v, of shape (width, runs)."""
        return self.state.parameters[:, :-1].T

    @property
    def bias(self) -> Matrix:
        """The output biases v0 for centred features, of shape (runs,)."""
        return self.state.parameters[:, -1]

    @property
    def plain_bias(self) -> Array:
        """The output biases v0 - <v, mu> for features that are not centred, of shape (runs,)."""
        return self.bias.astype(np.float64) - self.mean.astype(np.float64) @ self.weights

    @property
    def history(self) -> History:
        """What was recorded."""
        return self.state.history

    def outputs(self, features: CenteredFeatures) -> Matrix:
        """Evaluate N at points whose features are centred with the same mean; of shape (n, runs), float32."""
        columns = np.ascontiguousarray(self.state.parameters.T)
        return np.concatenate([_sigma(_scores(columns, features.matrix[rows])) for rows in features.blocks()])


def train(
    features: CenteredFeatures,
    labels: ArrayLike,
    runs: Sequence[Run] = (Run(),),
    steps: int = 300,
    *,
    record_at: Sequence[int] | None = None,
    test: tuple[CenteredFeatures, ArrayLike] | None = None,
    progress: Progress = silent,
    state: TrainingState | None = None,
) -> Trained:
    """Train output neurons on one set of features, side by side.

    Args:
        features: The centred features of the training points.
        labels: 0 or 1, of shape (n,) for all runs, or (n, runs) with a column for each.
        runs: How each of them is trained.
        steps: The number of updates in all, those of `state` included.
        record_at: The numbers of updates after which errors are recorded; by default once, at the end.
        test: Features of the test points, centred with the mean of the training points, and their labels.
        progress: Told about the updates made.
        state: Continue from here, exactly as if the training had not been interrupted; it is not changed.

    Raises:
        BadInput: Shapes that do not fit, labels other than 0 and 1, a step that is not recorded in time, a state that
            belongs to other runs, features or labels.

    Example:
        >>> import numpy as np
        >>> from depthsep.learning.features import HiddenLayer
        >>> from depthsep.learning.laws import BallTarget, Gaussian
        >>> law, rng = Gaussian(2), np.random.default_rng(0)
        >>> points, hidden = law.sample(500, rng), HiddenLayer.for_law(law, 50)
        >>> features, labels = hidden.centered_features(points), BallTarget(law).label(points)
        >>> trained = train(features, labels, steps=100, record_at=[0, 100])
        >>> trained.history.training_loss.round(2).ravel().tolist()
        [0.69, 0.13]
    """
    if not runs:
        raise BadInput("train no runs", needed="at least one run")
    runs = tuple(run.resolved(features) for run in runs)
    known = _label_columns(labels, len(features), len(runs))
    problem = digest(runs, features.mean, known)
    marks = _marks(steps, record_at)
    state = TrainingState.start(len(runs), features.width, problem) if state is None else state
    if state.problem != problem or state.step > steps:
        _refuse_state(state, problem, steps)
    exam = _Exam(features, known, runs, _with_labels(test, features, len(runs)))
    state = _descend(features, known, _Updates(runs), exam, state.copy(), steps, marks, progress)
    return Trained(runs, features.mean, known, state)


def convex_descent_bound(
    features: CenteredFeatures, trained: Trained, run: int, at: Sequence[int], comparators: Sequence[int] = ()
) -> Array:
    """Bound the training loss of gradient descent with logistic loss before running it.

    For convex F that is L-smooth and the step 1 / L: F(theta_T) <= F(u) + L ||u - theta_0||^2 / (2 T) for every u. Here
    the norm is the one of the two steps, ||v||^2 / eta + v0^2 / eta', and u runs over the recorded points of
    some runs and over the start.

    Args:
        features: The features on which `trained` was trained.
        trained: Training with records.
        run: The run that is bounded: gd, logistic, with steps up to 1 / L.
        at: The numbers T of updates, positive.
        comparators: The runs whose records are compared with, besides those of `run`; logistic, with the same labels.

    Returns:
        The bounds, of shape (len(at),); true up to the rounding of float32. They are about the training loss.

    Raises:
        BadInput: The run is not gd with logistic loss and steps up to 1 / L, a comparator has another loss or other
            labels, the features are others, or T < 1.
    """
    counts = np.asarray(at, dtype=np.float64)
    if not (counts >= 1).all():
        raise BadInput(f"the bound after {list(at)} steps", needed="positive numbers of steps")
    chosen = trained.runs[run]
    columns = [run, *comparators]
    _require_convex(features, trained, columns)
    history = trained.history
    step, bias_step = cast(float, chosen.step), cast(float, chosen.bias_step)
    squares = history.square_norm[:, columns] / step + history.bias[:, columns] ** 2 / bias_step
    losses = np.append(history.training_loss[:, columns], math.log(2))
    return cast(Array, (losses + np.append(squares, 0.0) / (2 * counts[:, np.newaxis])).min(axis=1))


def _require_convex(features: CenteredFeatures, trained: Trained, columns: list[int]) -> None:
    """Refuse what the convex bound does not cover; the first of the columns is the run that is bounded."""
    run = trained.runs[columns[0]]
    asked = f"the convex descent bound of {run}"
    if run.optimizer != "gd" or any(trained.runs[column].loss != "logistic" for column in columns):
        raise BadInput(asked, needed="gradient descent (gd) with logistic loss, and comparators with logistic loss")
    labels = np.broadcast_to(trained.labels, (len(trained.labels), len(trained.runs)))[:, columns]
    if (labels != labels[:, :1]).any() or not np.array_equal(features.mean, trained.mean):
        raise BadInput(asked, needed="comparators with the same labels, and the features of the training")
    largest = safe_steps(features, run.loss)
    if cast(float, run.step) > largest[0] or cast(float, run.bias_step) > largest[1]:
        needed = f"steps up to 1 / L, {largest[0]:.6g} and {largest[1]:.6g} for the bias"
        raise BadInput(asked, needed=needed, do="leave the step open")


def _label_columns(labels: ArrayLike, n: int, runs: int) -> Matrix:
    """The labels with one column for each run, or one for all."""
    array = np.asarray(labels, dtype=np.float32)
    if array.shape not in ((n,), (n, runs)):
        raise BadInput(f"labels of shape {array.shape}", needed=f"shape ({n},), or ({n}, {runs}) for the runs apart")
    if not np.isin(array, (0, 1)).all():
        raise BadInput("labels", found="a label other than 0 and 1", needed="0 or 1")
    return np.ascontiguousarray(array.reshape(n, -1))


def _with_labels(
    test: tuple[CenteredFeatures, ArrayLike] | None, features: CenteredFeatures, runs: int
) -> tuple[CenteredFeatures, Matrix] | None:
    if test is None:
        return None
    if not np.array_equal(test[0].mean, features.mean):
        needed = "the mean of the training points"
        raise BadInput(
            "features of test points", "they are centred with another mean", needed, "pass mean=features.mean"
        )
    return test[0], _label_columns(test[1], len(test[0]), runs)


def _marks(steps: int, record_at: Sequence[int] | None) -> frozenset[int]:
    if steps < 0:
        raise BadInput(f"{steps} steps", needed="a number that is not negative")
    marks = frozenset((steps,) if record_at is None else map(int, record_at))
    if any(not 0 <= mark <= steps for mark in marks):
        raise BadInput(f"record_at = {sorted(marks)}", needed=f"numbers of updates between 0 and {steps}")
    return marks


def _refuse_state(state: TrainingState, problem: str, steps: int) -> None:
    asked = f"continue a training of {state.step} steps up to {steps} steps"
    if state.problem != problem:
        needed = "the runs, features and labels that it was started with"
        raise BadInput(asked, f"its problem is {state.problem}, this one is {problem}", needed)
    raise BadInput(asked, needed=f"at least {state.step} steps in all")


def _descend(
    features: CenteredFeatures,
    labels: Matrix,
    updates: _Updates,
    exam: _Exam,
    state: TrainingState,
    steps: int,
    marks: frozenset[int],
    progress: Progress,
) -> TrainingState:
    history = state.history
    for step in range(state.step, steps + 1):
        if step > state.step:
            point = updates.looked_at(state, step)
            updates.apply(state, point, _gradient(point, features, labels, updates.square), step)
        if step in marks and step not in history.steps:
            history = exam.record(history, step, state.parameters)
        if step % _UPDATES_PER_REPORT == 0 or step == steps:
            progress(f"{step} of {steps} updates", step / steps if steps else 1.0)
    return replace(state, step=steps, history=history)


class _Updates:
    """The updates of all runs, each kind of optimizer in one go. States are changed in place."""

    def __init__(self, runs: Sequence[Run]) -> None:
        """Sort the runs by their optimizers."""
        self._rows = {name: _rows(run.optimizer == name for run in runs) for name in OPTIMIZERS}
        self._steps = np.array([[run.step] for run in runs], dtype=np.float32)
        self._bias_steps = np.array([run.bias_step for run in runs], dtype=np.float32)
        self.square = _rows(run.loss == "square" for run in runs)

    def looked_at(self, state: TrainingState, step: int) -> Matrix:
        """Where the gradient is taken."""
        rows = self._rows["nesterov"]
        if len(rows) == 0:
            return state.parameters
        point = state.parameters.copy()
        point[rows] += np.float32((step - 1) / (step + 2)) * (point[rows] - state.first[rows])
        return point

    def apply(self, state: TrainingState, point: Matrix, gradient: Matrix, step: int) -> None:
        """Make one update."""
        adam, nesterov = self._rows["adam"], self._rows["nesterov"]
        state.first[nesterov] = state.parameters[nesterov]
        if len(adam):
            gradient[adam] = _adam_direction(state, gradient[adam], adam, step)
        state.parameters[:, :-1] = point[:, :-1] - self._steps * gradient[:, :-1]
        state.parameters[:, -1] = point[:, -1] - self._bias_steps * gradient[:, -1]


def _rows(chosen: Iterable[bool]) -> Rows:
    return np.flatnonzero(list(chosen))


def _adam_direction(state: TrainingState, gradient: Matrix, rows: Rows, step: int) -> Matrix:
    fast, slow = _ADAM_MEMORY
    first = state.first[rows] * np.float32(fast) + gradient * np.float32(1 - fast)
    second = state.second[rows] * np.float32(slow) + gradient**2 * np.float32(1 - slow)
    state.first[rows], state.second[rows] = first, second
    root = np.sqrt(second / np.float32(1 - slow**step)) + np.float32(_ADAM_EPSILON)
    return cast(Matrix, first / np.float32(1 - fast**step) / root)


def _gradient(parameters: Matrix, features: CenteredFeatures, labels: Matrix, square: Rows) -> Matrix:
    """The gradients of the mean losses, of the shape of `parameters`; one pass over the features."""
    total = np.zeros_like(parameters)
    columns = np.ascontiguousarray(parameters.T)
    for rows in features.blocks():
        block = features.matrix[rows]
        outputs = _sigma(_scores(columns, block))
        slopes = outputs - labels[rows]
        if len(square):
            chosen = outputs[:, square]
            slopes[:, square] *= 2 * chosen * (1 - chosen)
        total[:, :-1] += slopes.T @ block
        total[:, -1] += slopes.sum(axis=0)
    total /= np.float32(len(features))
    return total


def _scores(columns: Matrix, block: Matrix) -> Matrix:
    """z, of shape (points, runs), from parameters of shape (width + 1, runs)."""
    z = block @ columns[:-1]
    z += columns[-1]
    return z


def _sigma(z: Matrix) -> Matrix:
    """The logistic function, in place; (1 + tanh(z / 2)) / 2 never overflows."""
    z *= np.float32(0.5)
    np.tanh(z, out=z)
    z *= np.float32(0.5)
    z += np.float32(0.5)
    return z


class _Exam:
    """Measures losses and errors."""

    def __init__(
        self,
        features: CenteredFeatures,
        labels: Matrix,
        runs: Sequence[Run],
        test: tuple[CenteredFeatures, Matrix] | None,
    ) -> None:
        """Keep what is measured on."""
        self._training = features, labels
        self._test = test
        self._runs = runs
        self._logistic = _rows(run.loss == "logistic" for run in runs)
        self._square = _rows(run.loss == "square" for run in runs)

    def record(self, history: History, step: int, parameters: Matrix) -> History:
        """Append the numbers after an update.

        Raises:
            BadInput: A run has diverged.
        """
        losses = _mean_loss(parameters, *self._training, self._logistic, self._square)
        everything = np.arange(len(parameters))
        mse = np.full(len(parameters), np.nan)
        if self._test is not None:
            mse = _mean_loss(parameters, *self._test, everything[:0], everything)
        bad = np.flatnonzero(~np.isfinite(losses))
        if len(bad):
            asked, found = f"train {self._runs[bad[0]]}", f"the training loss is not finite after {step} steps"
            raise BadInput(
                asked, found, needed="a run that does not diverge", do="take a smaller step, or leave it open"
            )
        norms = (parameters[:, :-1].astype(np.float64) ** 2).sum(axis=1)
        return history.with_record(step, losses, mse, norms, parameters[:, -1].astype(np.float64))


def _mean_loss(parameters: Matrix, features: CenteredFeatures, labels: Matrix, logistic: Rows, square: Rows) -> Array:
    """The mean logistic loss of some runs and the mean of (N - y)^2 of the others; of shape (runs,)."""
    total = np.zeros(len(parameters))
    columns = np.ascontiguousarray(parameters.T)
    for rows in features.blocks():
        z = _scores(columns, features.matrix[rows])
        known = np.broadcast_to(labels[rows], z.shape)
        if len(logistic):
            losses = np.logaddexp(np.float32(0), z[:, logistic]) - known[:, logistic] * z[:, logistic]
            total[logistic] += losses.sum(axis=0, dtype=np.float64)
        if len(square):
            errors = _sigma(z[:, square]) - known[:, square]
            total[square] += (errors**2).sum(axis=0, dtype=np.float64)
    return total / len(features)
