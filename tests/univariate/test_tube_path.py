"""The greedy path stays in its tube and has as few links as an exhaustive search finds."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import linprog

from depthsep.univariate.tube_path import min_link_path


def stays_inside(x, low, high, knots, values) -> bool:
    y = np.interp(x, knots, values)
    size = max(np.abs(low).max(), np.abs(high).max())
    return bool((y >= low - 1e-12 * size).all() and (y <= high + 1e-12 * size).all())


def links_exist(x, low, high, groups, meetings, flat) -> bool:
    """Whether lines l_0, l_1, ... exist, l_k through the gates of groups[k], neighbours meeting in given intervals.

    A meeting is (left, right, sign): sign says on which side of l_k the next line is at the right end.
    """
    rows, limits = [], []

    def bound(coefficients, limit):
        row = np.zeros(2 * len(groups))
        for i, c in coefficients:
            row[i] += c
        rows.append(row)
        limits.append(limit)

    for k, group in enumerate(groups):
        for i in group:
            bound([(2 * k, x[i]), (2 * k + 1, 1)], high[i])
            bound([(2 * k, -x[i]), (2 * k + 1, -1)], -low[i])
    for k, (left, right, sign) in enumerate(meetings):
        for point, side in ((left, sign), (right, -sign)):
            bound([(2 * k + 2, side * point), (2 * k + 3, side), (2 * k, -side * point), (2 * k + 1, -side)], 0.0)
    bounds = [(None, None)] * (2 * len(groups))
    if flat:
        bounds[0] = (0, 0)
    return linprog(np.zeros(2 * len(groups)), A_ub=np.array(rows), b_ub=limits, bounds=bounds).status == 0


def fewest_links(x, low, high, flat, at_gates) -> int:
    """Exhaustively, for a path through the gates only; its knots at gates, or anywhere."""
    last = len(x) - 1
    for count in range(1, last + 2):
        for inner in itertools.combinations(range(1, last + 1), count - 1):
            cuts = [0, *inner, last + 1]
            groups = [range(a, b) for a, b in itertools.pairwise(cuts)]
            if at_gates:
                groups = [range(g.start - (k > 0), g.stop) for k, g in enumerate(groups)]
                meetings = [[(x[c - 1], x[c - 1], 1)] for c in inner]
            else:
                meetings = [[(x[c - 1], x[c], 1), (x[c - 1], x[c], -1)] for c in inner]
            if any(links_exist(x, low, high, groups, m, flat) for m in itertools.product(*meetings)):
                return count
    raise AssertionError("one link per gate always suffices")


@pytest.mark.parametrize("start", ["free", "flat"])
def test_count_lies_between_those_of_exhaustive_searches(start):
    """Knots between gates can leave the tube, knots at gates are a restriction: the optimum lies between."""
    rng = np.random.default_rng(1)
    equal = 0
    for _ in range(12):
        x = np.cumsum(rng.uniform(0.2, 1.0, 6))
        low = rng.uniform(-1, 1, 6)
        high = low + rng.uniform(0.05, 0.6, 6)
        knots, values = min_link_path(x, low, high, start=start)
        dense = np.unique(np.concatenate((x, knots, np.linspace(x[0], x[-1], 999))))
        assert stays_inside(dense, np.interp(dense, x, low), np.interp(dense, x, high), knots, values)
        bounds = [fewest_links(x, low, high, start == "flat", at_gates) for at_gates in (False, True)]
        assert bounds[0] <= len(knots) - 1 <= bounds[1]
        equal += bounds[0] == bounds[1]
    assert equal >= 3


@pytest.mark.parametrize(
    ("name", "curve"),
    [
        ("parabola", lambda x: x**2),
        ("wave", lambda x: np.sin(9 * x)),
        ("root", np.sqrt),
        ("kink", lambda x: np.abs(x - 0.3)),
    ],
)
@pytest.mark.parametrize("eps", [0.1, 0.003])
def test_path_along_a_curve(name, curve, eps):
    x = np.linspace(0.0, 1.0, 20_001)
    y = curve(x)
    free = min_link_path(x, y - eps, y + eps)
    flat = min_link_path(x, y - eps, y + eps, start="flat")
    for knots, values in (free, flat):
        assert knots[0] == 0.0
        assert knots[-1] == 1.0
        assert (np.diff(knots) >= 0).all()
        assert stays_inside(x, y - eps, y + eps, knots, values)
    assert flat[1][0] == flat[1][1]
    assert len(free[0]) <= len(flat[0]) <= len(free[0]) + 1


@pytest.mark.parametrize("eps", [1e-2, 1e-4, 1e-6])
def test_parabola_needs_the_known_number_of_links(eps):
    # A chord of x^2 with both ends on one side of the tube spans sqrt(8 eps).
    x = np.linspace(0.0, 1.0, 200_001)
    knots, _ = min_link_path(x, x**2 - eps, x**2 + eps)
    needed = int(np.ceil(1 / np.sqrt(8 * eps)))
    assert needed - 1 <= len(knots) - 1 <= needed


def test_one_link_through_a_straight_tube_runs_in_its_middle():
    x = np.linspace(0.0, 1.0, 11)
    knots, values = min_link_path(x, 2 * x - 1, 2 * x + 1)
    assert knots.tolist() == [0.0, 1.0]
    assert values == pytest.approx([0.0, 2.0])


def test_flat_link_of_length_zero():
    knots, values = min_link_path([0.0, 1.0, 2.0], [0.0, 1.0, 2.0], [0.0, 1.0, 2.0], start="flat")
    assert knots.tolist() == [0.0, 0.0, 2.0]
    assert values.tolist() == [0.0, 0.0, 2.0]


def test_scale_and_reflection_do_not_change_the_count():
    x = np.linspace(0.0, 1.0, 3001)
    y = np.sin(7 * x) + x**2
    count = len(min_link_path(x, y - 0.01, y + 0.01)[0])
    for factor in (1e-9, 1e9):
        assert len(min_link_path(x * factor, factor * (y - 0.01), factor * (y + 0.01))[0]) == count
    assert len(min_link_path(x, -y - 0.01, -y + 0.01)[0]) == count
    assert len(min_link_path(-x[::-1], y[::-1] - 0.01, y[::-1] + 0.01)[0]) == count


@pytest.mark.parametrize(
    ("x", "low", "high", "message"),
    [
        ([0, 1], [0, 2], [1, 1], "the tube is empty at x = 1.0: low 2.0 is above high 1.0"),
        ([0, 0], [0, 0], [1, 1], "x must increase strictly"),
        ([0, 1], [0, np.nan], [1, 1], "x, low and high must be finite"),
        ([0, 1], [0, -np.inf], [1, 1], "x, low and high must be finite"),
        ([0], [0], [1], "x, low and high must be lists of one length, at least two"),
        ([0, 1], [0], [1, 1], "x, low and high must be lists of one length, at least two"),
    ],
)
def test_refusals(x, low, high, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        min_link_path(x, low, high)
