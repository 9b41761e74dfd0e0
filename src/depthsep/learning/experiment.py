"""The experiment: seed by seed, the two-sigmoid network and its baselines; then intervals, floor and verdict.

Every seed has streams of its own for the training points, the test points, the hidden layer and the baselines, so its
results depend on the protocol and the seed only, not on what else is run. All networks of a seed are judged on the
same fresh test points; the `features` baseline has the very hidden layer of the two-sigmoid network.

With a folder, what is known is kept there (see `store`): an experiment that was interrupted goes on where it was, and
seeds and baselines can be added later. Results repeat to the last bit on one machine with one number of threads;
elsewhere to about 1e-4.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depthsep.bounding import Answer
from depthsep.errors import BadInput
from depthsep.learning.baselines import FEATURES, TRAINED, baseline_shape, least_squares, train_baseline
from depthsep.learning.descent import Run, Trained, convex_descent_bound, train
from depthsep.learning.features import CenteredFeatures, HiddenLayer
from depthsep.learning.limit import LimitCurve, limit_curve
from depthsep.learning.protocol import Protocol
from depthsep.learning.state import TrainingState
from depthsep.learning.store import Row, Store
from depthsep.learning.verdict import Interval, Verdict, judge
from depthsep.lower_bounds import NoBound
from depthsep.progress import Progress, silent

__all__ = ["TWO_SIGMOID", "Course", "Experiment", "Outcome", "recorded_steps", "run_experiment"]

Array = NDArray[np.float64]

TWO_SIGMOID = "two-sigmoid"

_RECORDS = 40
_CHUNK = 50  # updates between two looks at the clock
_CHECKPOINT_S = 2.0
_FOURTH_POWER = 4.0


@dataclass(frozen=True)
class Outcome:
    """The errors of one network over the seeds.

    Args:
        model: "two-sigmoid", or the name of a baseline.
        interval: Its mean squared errors at the end of training.
        text: What it is and how it was trained.
    """

    model: str
    interval: Interval
    text: str


@dataclass(frozen=True)
class Course:
    """A number during the training of the two-sigmoid network: of every seed, at the recorded steps.

    Args:
        steps: The numbers of updates made, increasing.
        intervals: One interval over the seeds for each of them.
    """

    steps: tuple[int, ...]
    intervals: tuple[Interval, ...]


@dataclass(frozen=True)
class Experiment:
    """What an experiment gave.

    Args:
        protocol: What was run.
        outcomes: The two-sigmoid network first, then the baselines in the protocol's order.
        test_mse: The error of the two-sigmoid network on fresh points, step by step.
        training_loss: The mean loss on its training points.
        convex_bound: The bound of that loss for gradient descent with logistic loss; None for other optimizers.
        limit: The curve of the infinitely wide network; None for Adam, which has none.
        floor: What no network with one hidden layer of this width undercuts, or why nothing is known.
        verdict: The verdict.
        notes: What a reader should know about the baselines.
    """

    protocol: Protocol
    outcomes: tuple[Outcome, ...]
    test_mse: Course
    training_loss: Course
    convex_bound: Course | None
    limit: LimitCurve | None
    floor: Answer
    verdict: Verdict
    notes: tuple[str, ...]

    def outcome(self, model: str) -> Outcome:
        """Look up a network.

        Raises:
            BadInput: It was not run.
        """
        for found in self.outcomes:
            if found.model == model:
                return found
        names = ", ".join(found.model for found in self.outcomes)
        raise BadInput(f"the outcome of {model!r}", found=f"outcomes of {names}", do="add it to the baselines")


def run_experiment(
    protocol: Protocol, folder: str | os.PathLike[str] | None = None, progress: Progress = silent
) -> Experiment:
    """Run all seeds of a protocol, one after the other, and judge.

    Args:
        protocol: What is run.
        folder: Keep the results here, and go on with what is there; made if it does not exist.
        progress: Told what is done, and how long the rest will take.

    Raises:
        BadInput: The folder holds another protocol or cannot be written to, or a baseline diverged at every rate.

    Example:
        >>> quick = Protocol("gaussian", 3, width=30, steps=60, train_points=1000, test_points=1000, seeds=2)
        >>> result = run_experiment(quick)
        >>> [outcome.model for outcome in result.outcomes], result.test_mse.steps[-1], result.verdict.kind
        (['two-sigmoid', 'features'], 60, 'none')
    """
    store = Store(_opened(folder, protocol))
    store.write("protocol.json", json.dumps(protocol.to_json(), indent=2) + "\n")
    tasks = [(seed, model) for seed in protocol.all_seeds for model in (TWO_SIGMOID, *protocol.baselines)]
    pace = _Pace([task for task in tasks if store.find(protocol.digest, *task) is None], progress)
    for seed in protocol.all_seeds:
        _run_seed(protocol, seed, store, pace)
    return _summary(protocol, store)


def recorded_steps(steps: int) -> tuple[int, ...]:
    """Choose the numbers of updates after which errors are measured: 0, and about 40 in geometric progression.

    Example:
        >>> recorded_steps(10)
        (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
    """
    spread = np.geomspace(1, steps, _RECORDS).round().astype(int)
    return 0, *(int(step) for step in np.unique(spread))


def _opened(folder: str | os.PathLike[str] | None, protocol: Protocol) -> Path | None:
    """Make the folder, or see that it is one of this protocol."""
    if folder is None:
        return None
    path = Path(folder)
    asked = f"keep results in {path}"
    try:
        path.mkdir(parents=True, exist_ok=True)
        known = path / "protocol.json"
        text = known.read_text(encoding="utf-8") if known.exists() else ""
    except OSError as error:
        raise BadInput(asked, found=error.strerror or str(error), needed="a folder that may be written to") from None
    if not text and any(not file.name.startswith(".") for file in path.iterdir()):
        raise BadInput(asked, found="files of something else", needed="a new folder, or one of this protocol")
    try:
        digest = json.loads(text)["digest"] if text else protocol.digest
    except (ValueError, KeyError, TypeError):
        digest = "unreadable"
    if digest != protocol.digest:
        found = f"the folder has results of another protocol ({digest[:12]}; this one is {protocol.digest[:12]})"
        raise BadInput(asked, found, "a new folder, or the same protocol (more seeds or baselines are the same one)")
    return path


class _Pace:
    """Says which network is being trained, the seconds for each, and the seconds left."""

    def __init__(self, tasks: list[tuple[int, str]], progress: Progress) -> None:
        self._left = [model for _, model in tasks]
        self._count = len(tasks)
        self._spent: dict[str, list[float]] = {}
        self._progress = progress

    def timed(self, seed: int, model: str, work: Callable[[Progress], Row]) -> Row:
        """Do a piece of work, and learn how long such work takes."""
        text = f"seed {seed}, {model}{self._remaining()}"
        done = self._count - len(self._left)

        def inner(_text: str, fraction: float | None) -> None:
            self._progress(text, (done + (fraction or 0.0)) / self._count)

        inner("", 0.0)
        start, cpu_start = time.perf_counter(), time.process_time()
        row = work(inner)
        self._spent.setdefault(model, []).append(time.perf_counter() - start)
        self._left.remove(model)
        return {**row, "cpu_s": round(time.process_time() - cpu_start, 3)}

    def _remaining(self) -> str:
        known = [np.mean(self._spent[model]) for model in self._left if model in self._spent]
        if not known or len(known) < len(self._left):
            return ""
        rate = sum(np.mean(seconds) for seconds in self._spent.values())
        return f"; {rate:.3g} s a seed, about {sum(known):.0f} s left"


class _Material:
    """What the networks of one seed share; made when it is needed first."""

    def __init__(self, protocol: Protocol, seed: int) -> None:
        self.protocol = protocol
        self.target = protocol.target
        self._streams = dict(zip(_ROLES, np.random.SeedSequence(seed).spawn(len(_ROLES)), strict=True))

    def number(self, role: str) -> int:
        """A seed for those who draw by themselves."""
        return int(self._streams[role].generate_state(1)[0])

    def _draw(self, role: str, n: int) -> tuple[Array, Array]:
        points = self.target.law.sample(n, np.random.default_rng(self._streams[role]))
        return points, self.target.label(points)

    @cached_property
    def hidden(self) -> HiddenLayer:
        chosen = self.protocol
        options = {"kind": chosen.hidden, "scale": chosen.scale, "bias_range": chosen.bias_range}
        return HiddenLayer.for_law(self.target.law, chosen.units, seed=self.number("hidden"), **options)

    @cached_property
    def training(self) -> tuple[CenteredFeatures, Array]:
        points, labels = self._draw("data", self.protocol.points)
        return self.hidden.centered_features(points), labels

    @cached_property
    def test_points(self) -> tuple[Array, Array]:
        return self._draw("test", self.protocol.test_points)

    @cached_property
    def test(self) -> tuple[CenteredFeatures, Array]:
        points, labels = self.test_points
        return self.hidden.centered_features(points, self.training[0].mean), labels


_ROLES = ("data", "test", "hidden", "baselines")


def _run_seed(protocol: Protocol, seed: int, store: Store, pace: _Pace) -> None:
    material, digest = _Material(protocol, seed), protocol.digest
    state_file = store.state_file(digest, seed)
    for model in (TWO_SIGMOID, *protocol.baselines):
        if store.find(digest, seed, model) is None:
            row = pace.timed(seed, model, _work(material, model, state_file))
            store.add({"digest": digest, "seed": seed, "model": model, **row})
    if state_file is not None:
        state_file.unlink(missing_ok=True)


def _work(material: _Material, model: str, state_file: Path | None) -> Callable[[Progress], Row]:
    """What makes the row of a network."""
    if model == TWO_SIGMOID:
        return partial(_two_sigmoid, material, state_file)
    if model == FEATURES:
        return partial(_features, material)
    return partial(_trained, material, model)


def _two_sigmoid(material: _Material, state_file: Path | None, progress: Progress) -> Row:
    """Train the two-sigmoid network, from its last checkpoint if there is one."""
    protocol = material.protocol
    features, labels = material.training
    train_up_to = partial(train, features, labels, (Run(protocol.loss, protocol.optimizer, protocol.step),))
    state = _resumed(state_file, train_up_to)
    saved = time.perf_counter()
    start = 0 if state is None else state.step
    for end in [*range(start + _CHUNK, protocol.steps, _CHUNK), protocol.steps]:
        record_at = [mark for mark in recorded_steps(protocol.steps) if mark <= end]
        trained = train_up_to(end, record_at=record_at, test=material.test, state=state)
        state = trained.state
        progress("", end / protocol.steps)
        if state_file is not None and time.perf_counter() - saved > _CHECKPOINT_S:
            state.save(state_file)
            saved = time.perf_counter()
    return _measured(protocol, features, trained)


def _resumed(state_file: Path | None, train_up_to: Callable[..., Trained]) -> TrainingState | None:
    """The last checkpoint; None if there is none that can be read and continued here."""
    if state_file is None or not state_file.exists():
        return None
    try:
        state = TrainingState.load(state_file)
        # No step is made, but a state of other data, such as another machine's last bits, is refused.
        return train_up_to(state.step, record_at=(), state=state).state
    except BadInput:
        return None


def _measured(protocol: Protocol, features: CenteredFeatures, trained: Trained) -> Row:
    history = trained.history
    bound = None
    if (protocol.optimizer, protocol.loss, protocol.step) == ("gd", "logistic", None):
        bound = convex_descent_bound(features, trained, 0, history.steps[1:].tolist()).tolist()
    return {
        "mse": float(history.test_mse[-1, 0]),
        "steps": history.steps.tolist(),
        "test_mse": history.test_mse[:, 0].tolist(),
        "training_loss": history.training_loss[:, 0].tolist(),
        "convex_bound": bound,
    }


def _features(material: _Material, _progress: Progress) -> Row:
    features, labels = material.training
    readout = least_squares(features.matrix, labels)
    test, test_labels = material.test
    return {"mse": readout.mse(test.matrix, test_labels)}


def _trained(material: _Material, model: str, progress: Progress) -> Row:
    protocol, target = material.protocol, material.target
    seed = material.number("baselines")
    baseline = train_baseline(model, target, protocol.units, seed, protocol.budget, progress)
    points, labels = material.test_points
    mse = baseline.mse((target.law.scale * points).astype(np.float32), labels.astype(np.float32))
    if not math.isfinite(mse):
        raise BadInput(f"the baseline {model!r} on {target.law.text}", found="its error on fresh points is not finite")
    return {"mse": mse, "rate": baseline.rate, "rate_is_extreme": baseline.rate_is_extreme}


def _summary(protocol: Protocol, store: Store) -> Experiment:
    target = protocol.target
    rows = {model: _rows_of(protocol, store, model) for model in (TWO_SIGMOID, *protocol.baselines)}
    outcomes = tuple(
        Outcome(model, Interval(tuple(row["mse"] for row in found)), _text(protocol, model))
        for model, found in rows.items()
    )
    floor = _floor(protocol)
    trained = {outcome.model: outcome.interval for outcome in outcomes if outcome.model in TRAINED}
    main = rows[TWO_SIGMOID]
    return Experiment(
        protocol=protocol,
        outcomes=outcomes,
        test_mse=_course(main, "test_mse"),
        training_loss=_course(main, "training_loss"),
        convex_bound=None if main[0]["convex_bound"] is None else _course(main, "convex_bound"),
        limit=_limit(protocol),
        floor=floor,
        verdict=judge(target.law, outcomes[0].interval, trained, floor),
        notes=(*_extreme_rates(rows), *_scattered_errors(protocol)),
    )


def _floor(protocol: Protocol) -> Answer:
    """The floor, or why there is none; a dimension or radius beyond the theorem's reach is such a reason."""
    try:
        return protocol.target.floor(protocol.units)
    except BadInput as refused:
        return NoBound("gaussian-floor", f"no floor is proved: {refused.asked}; needed: {refused.needed}")


def _rows_of(protocol: Protocol, store: Store, model: str) -> list[Row]:
    found = (store.find(protocol.digest, seed, model) for seed in protocol.all_seeds)
    return [row for row in found if row is not None]


def _course(rows: list[Row], name: str) -> Course:
    """The intervals of a column; the last of the recorded steps belong to its values (a bound has none for step 0)."""
    columns = zip(*(row[name] for row in rows), strict=True)
    intervals = tuple(Interval(tuple(values)) for values in columns)
    return Course(tuple(rows[0]["steps"][-len(intervals) :]), intervals)


def _text(protocol: Protocol, model: str) -> str:
    if model == TWO_SIGMOID:
        step = "default step" if protocol.step is None else f"step {protocol.step:g}"
        training = (
            f"{protocol.optimizer}, {protocol.loss} loss, {step}, {protocol.steps} steps on {protocol.points} points"
        )
        return f"{protocol.units} {protocol.hidden} hidden units, fixed, and a trained sigmoid neuron: {training}"
    if model == FEATURES:
        return "the same hidden layer and points, linear output by least squares with ridge 1e-7"
    return f"{baseline_shape(model, protocol.units).text}, linear output: {protocol.budget.text}"


def _limit(protocol: Protocol) -> LimitCurve | None:
    if protocol.optimizer == "adam":
        return None
    target, step = protocol.target, protocol.step
    return limit_curve(
        target.law,
        protocol.quantile,
        radius=protocol.radius,
        steps=protocol.steps,
        optimizer=protocol.optimizer,
        loss=protocol.loss,
        step=None if step is None else step * protocol.units,
        bias_step=step,
        scale=protocol.scale,
        bias_range=protocol.bias_range,
        record_at=recorded_steps(protocol.steps),
    )


def _extreme_rates(rows: dict[str, list[Row]]) -> Iterator[str]:
    for model, found in rows.items():
        count = sum(row.get("rate_is_extreme", False) for row in found)
        if count:
            why = "the smallest or the largest rate won, so that others might do better"
            yield f"{model}: for {count} of {len(found)} seeds {why}"


def _scattered_errors(protocol: Protocol) -> Iterator[str]:
    """A ReLU network grows like ||x||, so that its squared error has a variance only if E ||x||^4 is finite."""
    tail_index = protocol.target.law.tail_index
    for model in protocol.baselines:
        if model in TRAINED and baseline_shape(model, 1).activation == "relu" and tail_index <= _FOURTH_POWER:
            reason = f"E ||x||^4 is infinite (tail index {tail_index:g})"
            yield f"{model}: {reason}, so that its squared error has no variance and its interval may be too short"
