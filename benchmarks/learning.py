"""Training the output neuron of a two-sigmoid network: a plain PyTorch loop against cached features in closed form.

    plain    nn.Sequential in float32, the hidden layer frozen but evaluated in every step; full batch, Adam
    cached   PyTorch on features that were computed once, autograd; what a careful user would write
    ours     `depthsep.learning.train`: the features centred, the gradient in closed form
    ours, many runs sharing the hidden layer: one product for all of them; against as many plain runs

All do the same number of steps on the same points, from the same hidden layer, on one thread. The features are part of
the time of those that cache them, the errors on fresh points of nobody's. The sides are measured in turns, and each
ratio is the median over the rounds. The PyTorch loops have the rate that gave them the least error on the fresh points,
of 0.003, 0.01, 0.03, 0.1 and 0.3; at 0.3, the rate of ours, they diverge, as their features are not centred.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import seconds, skip_line, table, timed
from depthsep.learning.descent import Run, train
from depthsep.learning.features import HiddenLayer
from depthsep.learning.laws import BallTarget, Gaussian

Matrix = NDArray[np.float32]

DIM, WIDTH, POINTS, TEST_POINTS = 20, 400, 12_000, 20_000
STEP, PLAIN_STEP = 0.3, 0.1
MANY = 16

Outputs = Callable[[], NDArray[Any]]  # of a trained network at the test points


@dataclass
class _Data:
    """The points and the layer that all sides share."""

    target: BallTarget = field(default_factory=lambda: BallTarget(Gaussian(DIM)))

    def __post_init__(self) -> None:
        rng = np.random.default_rng(0)
        self.points, self.test_points = (self.target.law.sample(n, rng) for n in (POINTS, TEST_POINTS))
        self.labels, self.test_labels = self.target.label(self.points), self.target.label(self.test_points)
        self.hidden = HiddenLayer.for_law(self.target.law, WIDTH, seed=1)

    def mse(self, outputs: NDArray[Any]) -> float:
        return float(np.mean((outputs.astype(np.float64) - self.test_labels) ** 2))


def run(steps: int, rounds: int) -> dict[str, Any]:
    """Measure; see the module's text."""
    sizes = {"dim": DIM, "width": WIDTH, "points": POINTS, "steps": steps, "rounds": rounds, "many": MANY}
    skipped = skip_line(["torch"], "pip install 'depthsep[learn]'")
    if skipped:
        return {**sizes, "skipped": skipped}
    data = _Data()
    sides: dict[str, Callable[[], Outputs]] = {
        "plain": partial(_plain, data, steps),
        "cached": partial(_cached, data, steps),
        "ours": partial(_ours, data, steps, 1),
        f"ours, {MANY} runs": partial(_ours, data, steps, MANY),
    }
    costs: dict[str, list[float]] = {name: [] for name in sides}
    # The first use of a library is not part of the comparison.
    errors = {name: data.mse(side()()) for name, side in sides.items()}
    for _ in range(rounds):
        for name, side in sides.items():
            costs[name].append(timed(side).cpu_s / (MANY if name.endswith("runs") else 1))
    rows = [_row(name, costs, errors[name]) for name in sides]
    return {**sizes, "rows": rows}


def _row(name: str, costs: dict[str, list[float]], mse: float) -> dict[str, Any]:
    ratios = [plain / own for plain, own in zip(costs["plain"], costs[name], strict=True)]
    cost = statistics.median(costs[name])
    return {
        "name": name,
        "cpu_s_per_run": float(f"{cost:.4g}"),
        "plain_over_this": statistics.median(ratios),
        "mse": mse,
    }


def _layers(data: _Data) -> Any:
    """The network of a plain user, with our hidden layer in it."""
    import torch

    torch.set_num_threads(1)
    hidden = torch.nn.Linear(DIM, WIDTH)
    with torch.no_grad():
        hidden.weight.copy_(torch.from_numpy(data.hidden.weights * np.float32(data.hidden.input_scale)))
        hidden.bias.copy_(torch.from_numpy(data.hidden.biases))
    hidden.requires_grad_(False)
    output = torch.nn.Linear(WIDTH, 1)
    torch.nn.init.zeros_(output.weight)
    torch.nn.init.zeros_(output.bias)
    return torch.nn.Sequential(hidden, torch.nn.Sigmoid(), output, torch.nn.Sigmoid())


def _descend(network: Any, inputs: Any, labels: Any, parameters: Any, steps: int) -> None:
    import torch

    optimizer = torch.optim.Adam(parameters, lr=PLAIN_STEP)
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.binary_cross_entropy(network(inputs)[:, 0], labels).backward()
        optimizer.step()


def _tensors(data: _Data) -> Any:
    import torch

    return (torch.from_numpy(array.astype(np.float32)) for array in (data.points, data.labels, data.test_points))


def _outputs(network: Any, points: Any) -> NDArray[Any]:
    return np.asarray(network(points)[:, 0].detach().numpy())


def _plain(data: _Data, steps: int) -> Outputs:
    network = _layers(data)
    points, labels, test_points = _tensors(data)
    _descend(network, points, labels, network[2].parameters(), steps)
    return partial(_outputs, network, test_points)


def _cached(data: _Data, steps: int) -> Outputs:
    network = _layers(data)
    points, labels, test_points = _tensors(data)
    _descend(network[2:], network[:2](points).detach(), labels, network[2].parameters(), steps)
    return partial(_outputs, network, test_points)


def _ours(data: _Data, steps: int, count: int) -> Outputs:
    """Train; the runs differ in their steps, as in a search for the best one. The outputs are those of the first."""
    features = data.hidden.centered_features(data.points)
    runs = [Run(step=STEP * 2 ** (-place / 4)) for place in range(count)]
    trained = train(features, data.labels, runs, steps)
    return lambda: trained.outputs(data.hidden.centered_features(data.test_points, features.mean))[:, 0]


def tables(result: dict[str, Any]) -> str:
    """Lay out the results as Markdown."""
    if "skipped" in result:
        return str(result["skipped"])
    header = ("training", "CPU time per run", "plain / this", f"test error after {result['steps']} steps")
    rows = [
        (row["name"], seconds(row["cpu_s_per_run"]), f"{row['plain_over_this']:.1f}", f"{row['mse']:.4f}")
        for row in result["rows"]
    ]
    return table(header, rows)
