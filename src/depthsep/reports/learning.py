"""What an experiment on learning found: facts for a program, rows for a table and a file, and its picture."""

from __future__ import annotations

import csv
import io
import json
import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from depthsep.decimals import exact_decimal, lower_decimal
from depthsep.learning.baselines import FEATURES
from depthsep.learning.experiment import TWO_SIGMOID, Course, Experiment, Outcome
from depthsep.learning.verdict import Interval
from depthsep.lower_bounds import LowerBound, NoBound
from depthsep.reports.text import count

if TYPE_CHECKING:
    from depthsep.learning.limit import LimitCurve
    from depthsep.learning.safran_shamir import DepthExperiment, NetRuns

__all__ = [
    "depth_figure",
    "depth_json",
    "experiment_figure",
    "experiment_json",
    "floor_json",
    "interval_text",
    "limit_figure",
    "limit_json",
    "nets_cells",
    "rows_csv",
    "setting_cells",
]

_NAMES = {
    TWO_SIGMOID: "two layers of sigmoids, output neuron trained",
    FEATURES: "one layer: the same hidden layer, least squares",
    "relu": "one layer: ReLU, all weights trained",
    "sigmoid": "one layer: sigmoid, all weights trained",
    "deep-relu": "two ReLU layers, all weights trained",
}


def interval_text(interval: Interval) -> str:
    """Write an interval for a table.

    Example:
        >>> interval_text(Interval((0.031, 0.033, 0.035))), interval_text(Interval((0.031,)))
        ('0.0280 to 0.0380', 'none: 1 seed')
    """
    return f"{interval.low:.4f} to {interval.high:.4f}" if len(interval.values) > 1 else "none: 1 seed"


def experiment_json(experiment: Experiment, figure: str | None) -> dict[str, Any]:
    """Describe an experiment for a program; errors are mean squared errors, no factor 1/2.

    Args:
        experiment: What was found.
        figure: The path of the picture, if there is one.
    """
    protocol, verdict = experiment.protocol, experiment.verdict
    return {
        "law": protocol.law,
        "dim": protocol.dim,
        "width": protocol.width,
        "steps": protocol.steps,
        "seeds": list(protocol.all_seeds),
        "rows": [_row_json(outcome) for outcome in experiment.outcomes],
        **floor_json(experiment),
        "verdict": verdict.kind,
        "sentence": verdict.sentence,
        "assumptions": list(verdict.assumptions),
        "notes": list(experiment.notes),
        "limit_mse": None if experiment.limit is None else float(experiment.limit.mse[-1]),
        "curve": {
            "steps": list(experiment.test_mse.steps),
            "mean": [interval.mean for interval in experiment.test_mse.intervals],
        },
        "protocol": protocol.to_json(),
        "figure": figure,
    }


def _row_json(outcome: Outcome) -> dict[str, Any]:
    interval = outcome.interval
    return {
        "model": outcome.model,
        "mean": interval.mean,
        "low": _finite(interval.low),
        "high": _finite(interval.high),
        "interval": interval.text,
        "values": list(interval.values),
        "text": outcome.text,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def floor_json(experiment: Experiment) -> dict[str, Any]:
    """The floor, exact and as text, with what the checker says; or why there is none."""
    floor = experiment.floor
    if isinstance(floor, NoBound):
        return {"floor": None, "no_floor": floor.reason}
    facts = {"digest": json.loads(floor.document)["digest"], "verdict": floor.verdict.status.name}
    return {"floor": None if floor.error_floor is None else exact_decimal(floor.error_floor), "floor_proof": facts}


def rows_csv(experiment: Experiment) -> str:
    """The errors of every network and seed, one a line."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["model", "seed", "mse"])
    for outcome in experiment.outcomes:
        for seed, mse in zip(experiment.protocol.all_seeds, outcome.interval.values, strict=True):
            writer.writerow([outcome.model, seed, repr(mse)])
    return out.getvalue()


def experiment_figure(experiment: Experiment) -> Any:
    """Draw the errors during training, over the floor where there is one.

    Args:
        experiment: What was found.

    Returns:
        A figure, for `figures.save` and `figures.to_svg`.
    """
    from depthsep.reports import figures

    main, *baselines = experiment.outcomes
    courses = [_course("deep", _NAMES[main.model], experiment.test_mse)]
    for outcome in baselines:
        kind = "deep" if outcome.model == "deep-relu" else "shallow"
        courses.append(_course(kind, _NAMES[outcome.model], Course((), (outcome.interval,))))
    if experiment.limit is not None:
        limit = Course(
            tuple(experiment.limit.steps.tolist()), tuple(Interval((mse,)) for mse in experiment.limit.mse.tolist())
        )
        courses.append(_course("source", "two layers of sigmoids, infinitely wide (quadrature)", limit))
    losses = []
    if experiment.convex_bound is not None:
        losses.append(_course("deep", "training loss, gradient descent", experiment.training_loss))
        losses.append(_course("source", "bound of convex gradient descent", experiment.convex_bound))
    floor = experiment.floor
    shaded = None
    if isinstance(floor, LowerBound):
        shaded = float(floor.error_floor or 0), experiment.protocol.units
    return figures.draw_learning(courses, losses, shaded, _title(experiment))


def setting_cells(experiment: Experiment) -> tuple[str, ...]:
    """One line of a table of settings: two-sigmoid network, its interval, features, floor, verdict."""
    main, features = (experiment.outcome(model).interval for model in (TWO_SIGMOID, FEATURES))
    floor = experiment.floor
    lowest = "none" if isinstance(floor, NoBound) else lower_decimal(floor.error_floor or Fraction(0))
    return f"{main.mean:.4f}", interval_text(main), f"{features.mean:.4f}", lowest, experiment.verdict.kind


def limit_json(curve: LimitCurve) -> dict[str, Any]:
    """Describe a limit curve for a program; its numbers are estimates by quadrature."""
    return {
        **curve.target.law.spec(),
        "radius": curve.target.radius,
        "loss": curve.loss,
        "optimizer": curve.optimizer,
        "step_times_width": curve.step,
        "bias_step": curve.bias_step,
        "steps": curve.steps.tolist(),
        "mse": curve.mse.tolist(),
        "training_loss": curve.training_loss.tolist(),
    }


def limit_figure(curve: LimitCurve) -> Any:
    """Draw a limit curve; the result is a figure as of `experiment_figure`."""
    from depthsep.reports import figures

    name = f"infinitely wide: {curve.optimizer}, {curve.loss} loss (quadrature)"
    mse = Course(tuple(curve.steps.tolist()), tuple(Interval((value,)) for value in curve.mse.tolist()))
    return figures.draw_learning([_course("source", name, mse)], [], None, str(curve.target), "mean squared error")


def nets_cells(runs: NetRuns) -> tuple[str, ...]:
    """One line of a table of networks: shape, parameters, median, every seed with a star if it got stuck."""
    seeds = [f"{rmse:.4f}{'*' if stuck else ''}" for rmse, stuck in zip(runs.rmse, runs.stuck, strict=True)]
    return runs.shape.text, count(runs.parameters), f"{runs.median:.4f}", "  ".join(seeds)


def depth_json(found: DepthExperiment) -> dict[str, Any]:
    """Describe the experiment of depth 3 against depth 2 for a program; errors are roots of mean squares."""
    return {
        "rows": [
            {
                "model": runs.shape.text,
                "depth": runs.shape.depth,
                "parameters": runs.parameters,
                "median_rmse": _finite(runs.median),
                "rmse": [_finite(value) for value in runs.rmse],
                "stuck": list(runs.stuck),
                "seeds": list(runs.seeds),
            }
            for runs in found.nets
        ],
        "depth_wins": found.depth_wins,
        "protocol": [vars(field) for field in found.protocol],
    }


def depth_figure(found: DepthExperiment) -> Any:
    """Draw the median error of every network during training; the band goes from the best seed to the worst.

    Errors above 1, and those of diverged runs, are drawn at 1, which is worse than the constant 0.
    The result is a figure as of `experiment_figure`.
    """
    from depthsep.reports import figures

    courses = []
    for runs in found.nets:
        kind: Any = "deep" if runs.shape.depth > 2 else "shallow"
        history = np.where(runs.history < 1, runs.history, 1.0)
        columns = (np.median(history, axis=1), history.min(axis=1), history.max(axis=1))
        mean, low, high = (column.tolist() for column in columns)
        courses.append(figures.Course(kind, runs.shape.text, mean, low, high, tuple(runs.steps.tolist())))
    title = "The unit ball, norm uniform on [0, 2], d = 100; medians, bands from the best seed to the worst"
    return figures.draw_learning(courses, [], None, title, "root mean squared error on fresh points")


def _course(kind: Any, name: str, course: Course) -> Any:
    """For the picture: without step 0, which a logarithmic axis has no place for; a single seed has no band."""
    from depthsep.reports import figures

    first = 1 if course.steps[:1] == (0,) else 0
    intervals = course.intervals[first:]
    low, high = (
        [end if math.isfinite(end) else interval.mean for interval in intervals for end in [getattr(interval, side)]]
        for side in ("low", "high")
    )
    return figures.Course(kind, name, [interval.mean for interval in intervals], low, high, course.steps[first:])


def _title(experiment: Experiment) -> str:
    protocol = experiment.protocol
    seeds = len(experiment.outcomes[0].interval.values)
    bands = f"{seeds} seeds, bands: 95% intervals" if seeds > 1 else "1 seed"
    how = f"{protocol.units} {protocol.hidden} hidden units, {protocol.optimizer}, {protocol.loss} loss; {bands}"
    return f"{protocol.target}\n{how}"
