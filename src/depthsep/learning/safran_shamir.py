"""The experiment of Safran and Shamir (2017): depth 3 against depth 2 at d = 100, every weight trained.

Five ReLU networks with linear output learn the indicator of the unit ball by stochastic gradient descent with momentum:
one of depth 3 with 100 and 20 units, and four of depth 2 with 100, 200, 400 and 800 units, the last one with nearly 7
times as many parameters. The error is the root of the mean squared error on points not trained on.

What the source reports is a figure, without a table, and it could not be read again: each field of `protocol` says
where it comes from. So nothing here is compared with numbers of theirs, only with the sentence of their abstract that
more depth allows better learning than more width.

Depth does win here: after 15000 batches from seed 3 (not stuck, see below) the RMSE is 0.124, against 0.246,
0.240, 0.230 and 0.214 for 100 to 800 units at depth 2. That the returns in width diminish, which is recalled of the
source too, is not seen there: each doubling gains more than the last.

Seeds: the training and the validation points are common to all runs; a seed fixes the initial weights and the order of
the points. Of the seeds 0 to 14, ten runs of the network of depth 3 ended at an RMSE from 0.123 to 0.136, four at 0.167
to 0.169 and one at 0.240 (15000 batches): a third of them is stuck. `NetRuns.stuck` marks them, by a rule that knows no
such numbers and so needs one seed that is not stuck; they stay in the median.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthsep.errors import BadInput
from depthsep.learning.laws import BallTarget, UniformNorm
from depthsep.learning.trained_nets import Examples, Momentum, Nets, NetShape, initial_weights
from depthsep.progress import Progress, silent

__all__ = [
    "FULL",
    "NETS",
    "SHORT",
    "STUCK_RULE",
    "DepthExperiment",
    "NetRuns",
    "ProtocolField",
    "Schedule",
    "protocol",
    "safran_shamir_2017",
]

NETS = (NetShape((100, 20)), NetShape((100,)), NetShape((200,)), NetShape((400,)), NetShape((800,)))

_STUCK_FACTOR = 1.2
STUCK_RULE = f"stuck: a final RMSE more than {_STUCK_FACTOR} times that of the best seed of the same network"

_DIM = 100
_DECAYS = 135  # 0.1 * 0.95^135 is the last rate, 1e-4
_STREAMS = 0x5517  # keeps these streams apart from all others of the same seed
_BLOCK = 10_000
_TELL_EVERY = 100


@dataclass(frozen=True)
class Schedule:
    """How long and at which rates the networks are trained.

    Args:
        batches: The number of updates. The rate falls by the same factor 135 times, at equal distances.
        batch: The points in each.
        rate: The first learning rate.
        decay: The factor between two rates.
        last_rate: No rate is smaller.
        momentum: The momentum.
        training_points: The training points; each is used once before any is used again. No more are drawn than used.
        validation_points: The points the error is measured on.

    Raises:
        BadInput: There is no batch.

    Example:
        >>> [(schedule.batches, schedule.decay_every, round(schedule.rate_at(10**6), 6)) for schedule in (FULL, SHORT)]
        [(135000, 1000, 0.0001), (15000, 111, 0.0001)]
    """

    batches: int
    batch: int = 100
    rate: float = 0.1
    decay: float = 0.95
    last_rate: float = 1e-4
    momentum: float = 0.95
    training_points: int = 500_000
    validation_points: int = 50_000

    def __post_init__(self) -> None:
        """Refuse schedules without an update."""
        if self.batches < 1:
            raise BadInput(f"training for {self.batches} batches", needed="at least one")

    @property
    def decay_every(self) -> int:
        """The batches between two rates."""
        return max(1, self.batches // _DECAYS)

    def rate_at(self, batch: int) -> float:
        """The rate of a batch, counted from 0."""
        return max(self.rate * self.decay ** (batch // self.decay_every), self.last_rate)


FULL = Schedule(135_000)
SHORT = Schedule(15_000)


@dataclass(frozen=True)
class ProtocolField:
    """One decision of the experiment.

    Args:
        name: What is decided.
        value: How.
        provenance: Where that comes from.
    """

    name: str
    value: str
    provenance: str


_READ = "read in the abstract of the source"
_RECALLED = "as recalled; the source could not be re-read"
_OURS = "chosen here"


def protocol(schedule: Schedule, seeds: Sequence[int]) -> tuple[ProtocolField, ...]:
    """List what was done, and for each field whether it is the source's, as recalled, or ours."""
    shapes = ", ".join(shape.text for shape in NETS)
    rates = f"{schedule.rate:g}, times {schedule.decay:g} every {schedule.decay_every} batches, at least "
    rows = [
        ("target", "the indicator of the unit ball", _READ),
        ("law", f"{UniformNorm(_DIM).text}", _RECALLED),
        ("networks", f"{shapes}; linear output", _RECALLED),
        ("training points", f"{schedule.training_points}", _RECALLED),
        ("validation points", f"{schedule.validation_points}", _RECALLED),
        ("loss", "the mean squared error; its root on the validation points is reported", _RECALLED),
        ("optimizer", f"batches of {schedule.batch}, momentum {schedule.momentum:g}", _RECALLED),
        ("rate", f"{rates}{schedule.last_rate:g}", _RECALLED if schedule == FULL else f"{_OURS}: recalled is 1000"),
        ("batches", f"{schedule.batches}", _RECALLED if schedule == FULL else f"{_OURS}: recalled is about 135000"),
        ("initial weights", "Gaussian of variance 2/k for k inputs, 1/k in the last layer; biases 0", _OURS),
        ("seeds", ", ".join(map(str, seeds)), _OURS),
        ("result", "a figure of validation errors, no table", "as recalled; the source's figure could not be re-read"),
    ]
    return tuple(ProtocolField(*row) for row in rows)


@dataclass(frozen=True)
class NetRuns:
    """One network, trained from several seeds.

    Args:
        shape: Its layers.
        seeds: The seeds.
        steps: The numbers of batches after which the error was measured, the last one at the end; shape (k,).
        history: The RMSE on the validation points, shape (k, seeds); NaN or infinite where a run diverged.
    """

    shape: NetShape
    seeds: tuple[int, ...]
    steps: NDArray[np.int64]
    history: NDArray[np.float64]

    @property
    def rmse(self) -> tuple[float, ...]:
        """The final RMSE of each seed."""
        return tuple(self.history[-1].tolist())

    @property
    def median(self) -> float:
        """The median over all seeds, the stuck ones included; infinite if most runs diverged."""
        return float(np.median(np.where(np.isfinite(self.history[-1]), self.history[-1], np.inf)))

    @property
    def stuck(self) -> tuple[bool, ...]:
        """Which seeds are stuck or diverged, by `STUCK_RULE`; a single seed has nothing to be compared with."""
        best = min((error for error in self.rmse if np.isfinite(error)), default=0.0)
        return tuple(not error <= _STUCK_FACTOR * best for error in self.rmse)

    @property
    def parameters(self) -> int:
        """The number of weights and biases."""
        return self.shape.parameters(_DIM)


@dataclass(frozen=True)
class DepthExperiment:
    """All networks.

    Args:
        schedule: How they were trained.
        nets: The runs of each network, in the order asked for.
        protocol: What was done, with provenance.
    """

    schedule: Schedule
    nets: tuple[NetRuns, ...]
    protocol: tuple[ProtocolField, ...]

    @property
    def depth_wins(self) -> bool:
        """Whether the median of every network of depth 3 is below that of every one of depth 2."""
        deep = [net.median for net in self.nets if net.shape.depth == 3]
        shallow = [net.median for net in self.nets if net.shape.depth == 2]
        return bool(deep and shallow) and max(deep) < min(shallow)


def safran_shamir_2017(
    *,
    short: bool = True,
    batches: int | None = None,
    seeds: Sequence[int] = range(5),
    nets: Sequence[NetShape] = NETS,
    data_seed: int = 0,
    records: int = 15,
    progress: Progress = silent,
) -> DepthExperiment:
    """Train the networks of the experiment.

    Args:
        short: 15000 batches with a rate that falls nine times as fast, instead of 135000.
        batches: Another number of batches instead; the rates are spread over them in the same way.
        seeds: One run of each network for each seed.
        nets: The networks.
        data_seed: Fixes the training and the validation points.
        records: How often the validation error is measured.
        progress: Told how far it is.

    Raises:
        BadInput: There is no seed, no network, no batch or no record.

    Example:
        >>> tiny = safran_shamir_2017(batches=20, seeds=[1, 2], nets=NETS[:2], records=1)
        >>> [(net.shape.text, net.parameters, len(net.rmse)) for net in tiny.nets]
        [('ReLU 100-20', 12141, 2), ('ReLU 100', 10201, 2)]
    """
    if not seeds or not nets or records < 1:
        asked = f"{len(seeds)} seeds of {len(nets)} networks, measured {records} times"
        raise BadInput(asked, needed="at least one of each")
    schedule = (SHORT if short else FULL) if batches is None else Schedule(batches)
    target = BallTarget(UniformNorm(_DIM), radius=1)
    training_rng, validation_rng = (_rng(data_seed, role) for role in range(2))
    used = min(schedule.training_points, schedule.batches * schedule.batch)
    training = _points(target, used, training_rng)
    validation = _points(target, schedule.validation_points, validation_rng)
    runs = []
    for shape in nets:
        progress(f"network {shape.text}", 0.0)
        runs.append(_run(shape, schedule, tuple(seeds), training, validation, records, progress))
    return DepthExperiment(schedule, tuple(runs), protocol(schedule, seeds))


def _rng(seed: int, role: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_STREAMS, role)))


def _points(target: BallTarget, n: int, rng: np.random.Generator) -> Examples:
    """Points as they are, not rescaled, in float32; labels decided in float64."""
    points, labels = np.empty((n, target.law.dim), dtype=np.float32), np.empty(n, dtype=np.float32)
    for start in range(0, n, _BLOCK):
        block = target.law.sample(min(_BLOCK, n - start), rng)
        points[start : start + _BLOCK], labels[start : start + _BLOCK] = block, target.label(block)
    return points, labels


def _run(
    shape: NetShape,
    schedule: Schedule,
    seeds: tuple[int, ...],
    training: Examples,
    validation: Examples,
    records: int,
    progress: Progress,
) -> NetRuns:
    """Train one network from all seeds side by side."""
    start = np.stack([initial_weights(shape, _DIM, _rng(seed, 2)) for seed in seeds])
    nets = Nets(shape, _DIM, start.astype(np.float32))
    descent = Momentum(nets.parameters, schedule.momentum)
    orders = [_orders(len(training[0]), schedule.batch, _rng(seed, 3)) for seed in seeds]
    record_at = sorted({round(schedule.batches * (k + 1) / records) for k in range(records)} - {0})
    errors = []
    with np.errstate(over="ignore", invalid="ignore"):  # a run that diverges shows in its error
        for batch in range(schedule.batches):
            if batch % _TELL_EVERY == 0:
                progress(f"network {shape.text}", batch / schedule.batches)
            rows = np.stack([next(order) for order in orders])
            descent.update(nets.gradient(training[0][rows], training[1][rows]), schedule.rate_at(batch))
            if batch + 1 in record_at:
                errors.append(np.sqrt(nets.mse(*validation)))
    return NetRuns(shape, seeds, np.array(record_at, dtype=np.int64), np.array(errors))


def _orders(n: int, batch: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Rows in a random order, batch by batch; all of them before any comes again."""
    while True:
        order = rng.permutation(n)
        for start in range(0, n - batch + 1, batch):
            yield order[start : start + batch]
