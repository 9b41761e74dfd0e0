"""What experiments on learning look like as text and pictures."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from depthsep.learning.experiment import Experiment, run_experiment
from depthsep.learning.protocol import Protocol
from depthsep.learning.safran_shamir import SHORT, DepthExperiment, NetRuns, NetShape
from depthsep.reports import figures, learning

QUICK = Protocol("gaussian", 3, width=30, steps=40, train_points=800, test_points=800, seeds=2, optimizer="gd")


@pytest.fixture(scope="module")
def found() -> Experiment:
    return run_experiment(QUICK)


def test_the_picture_has_every_curve_the_floor_and_the_bound(found: Experiment) -> None:
    picture = learning.experiment_figure(found)
    text = figures.to_svg(picture, "first", "errors")
    ElementTree.fromstring(text)
    assert set(re.findall(r"#[0-9a-f]{6}\b", text)) == set()
    for label in (
        "two layers of sigmoids, output neuron trained",
        "one layer: the same hidden layer, least squares",
        "two layers of sigmoids, infinitely wide (quadrature)",
        "certified floor: no network with one hidden layer of width 30 gets below",
        "training loss, gradient descent",
        "bound of convex gradient descent",
    ):
        assert label in text
    upper, lower = picture.axes
    assert upper.get_ylim()[0] == lower.get_ylim()[0] == 0
    curve = upper.get_lines()[0]
    assert curve.get_xdata()[0] == 1
    assert curve.get_ydata()[-1] == found.outcome("two-sigmoid").interval.mean


def test_without_a_floor_nothing_is_called_certified() -> None:
    quick = Protocol("ball", 3, width=30, steps=10, train_points=800, test_points=800, seeds=1)
    found = run_experiment(quick)
    text = figures.to_svg(learning.experiment_figure(found), "first", "errors")
    assert "certified" not in text
    assert "1 seed" in text
    assert "certified" not in str(learning.experiment_json(found, None))


def test_the_file_of_rows_keeps_every_digit(found: Experiment) -> None:
    lines = learning.rows_csv(found).splitlines()
    assert len(lines) == 5
    assert float(lines[1].split(",")[2]) == found.outcome("two-sigmoid").interval.values[0]


def test_runs_that_diverged_do_not_spoil_the_picture() -> None:
    history = np.array([[0.4, np.nan, 0.5], [0.3, np.inf, 7.0]])
    runs = NetRuns(NetShape((100,)), (0, 1, 2), np.array([10, 20]), history)
    found = DepthExperiment(SHORT, (runs,), ())
    (axes,) = learning.depth_figure(found).axes
    assert axes.get_lines()[0].get_ydata().tolist() == [0.5, 1.0]
    assert learning.nets_cells(runs) == ("ReLU 100", "10,201", "7.0000", "0.3000  inf*  7.0000*")
    assert learning.depth_json(found)["rows"][0]["rmse"] == [0.3, None, 7.0]
