"""Baselines: least squares against a direct solution, the equal budget, what is refused, the numbers of the notes."""

import numpy as np
import pytest

from depthsep.errors import BadInput
from depthsep.learning.baselines import (
    TRAINED,
    TuningBudget,
    baseline_shape,
    least_squares,
    train_baseline,
)
from depthsep.learning.features import HiddenLayer
from depthsep.learning.laws import BallTarget, Bessel, Gaussian, RadialLaw, Student, UniformBall
from depthsep.learning.trained_nets import draw_examples

QUICK = TuningBudget(rates=(0.003, 0.03), steps=150, batch=64, validation=4000)


def test_least_squares_is_the_ridge_solution() -> None:
    rng = np.random.default_rng(0)
    features = rng.random((9000, 7)).astype(np.float32) + np.arange(7, dtype=np.float32)
    labels = rng.random(9000)
    ridge = 0.02
    readout = least_squares(features, labels, ridge)
    centred = features - features.mean(axis=0, dtype=np.float64)
    # Ridge regression as plain least squares with one more row for each weight.
    rows = np.vstack([centred / np.sqrt(9000), np.sqrt(ridge) * np.eye(7)])
    wanted = np.concatenate([(labels - labels.mean()) / np.sqrt(9000), np.zeros(7)])
    np.testing.assert_allclose(readout.weights, np.linalg.lstsq(rows, wanted)[0], rtol=1e-9)
    outputs = centred @ readout.weights + labels.mean()
    np.testing.assert_allclose(readout.outputs(features), outputs, rtol=1e-9)
    assert readout.mse(features, labels) == pytest.approx(np.mean((outputs - labels) ** 2), rel=1e-10)


def test_centring_first_makes_no_difference() -> None:
    rng = np.random.default_rng(1)
    features = rng.random((500, 5)) + 3
    labels = rng.random(500)
    shifted = features - features.mean(axis=0)
    ours, theirs = least_squares(features, labels), least_squares(shifted, labels)
    np.testing.assert_allclose(ours.weights, theirs.weights, rtol=1e-8)
    np.testing.assert_allclose(ours.outputs(features), theirs.outputs(shifted), rtol=1e-8)


def test_dependent_features_do_no_harm() -> None:
    rng = np.random.default_rng(2)
    half = rng.random((400, 6)).astype(np.float32)
    labels = rng.random(400)
    both = np.concatenate([half, 1 - half], axis=1)
    np.testing.assert_allclose(
        least_squares(both, labels).outputs(both), least_squares(half, labels).outputs(half), atol=1e-5
    )


@pytest.mark.parametrize(("law", "width", "noted"), [(Gaussian(5), 100, 0.0868), (Gaussian(20), 400, 0.0979)])
def test_random_features_reach_the_numbers_of_the_notes(law: RadialLaw, width: int, noted: float) -> None:
    rng, target = np.random.default_rng(3), BallTarget(law)
    layer = HiddenLayer.for_law(law, width, seed=3)
    train, test = law.sample(12_000, rng), law.sample(10_000, rng)
    readout = least_squares(layer.features(train), target.label(train))
    assert readout.mse(layer.features(test), target.label(test)) == pytest.approx(noted, abs=0.004)


def test_least_squares_refuses_what_does_not_fit() -> None:
    features = np.ones((4, 2))
    with pytest.raises(BadInput, match=r"of 3 labels on features of shape \(4, 2\)\n  needed: one row of features"):
        least_squares(features, [1, 2, 3])
    with pytest.raises(BadInput, match="of 0 labels"):
        least_squares(np.ones((0, 2)), [])
    with pytest.raises(BadInput, match="ridge = 0\n  needed: ridge > 0: wide layers have dependent features"):
        least_squares(features, [1, 2, 3, 4], ridge=0)


@pytest.mark.parametrize("name", TRAINED)
def test_training_learns_something_but_no_more_than_the_floor_allows(name: str) -> None:
    target = BallTarget(Gaussian(5))
    found = train_baseline(name, target, 40, seed=1, budget=QUICK)
    error = found.mse(*draw_examples(target, 20_000, np.random.default_rng(4)))
    assert error < 0.2
    if found.shape.depth == 2:
        assert error > float(target.floor(40).error_floor)


def test_the_rate_is_the_best_on_the_validation_examples() -> None:
    budget = TuningBudget(rates=(0.03, 1e-6, 0.003), steps=100, batch=64, validation=2000)
    found = train_baseline("sigmoid", BallTarget(Gaussian(3)), 30, seed=2, budget=budget)
    assert len(found.validation_mse) == 3
    assert budget.rates[int(np.argmin(found.validation_mse))] == found.rate != 1e-6
    assert found.rate_is_extreme == (found.rate == 0.03)
    alone = TuningBudget(rates=(found.rate,), steps=100, batch=64, validation=2000)
    again = train_baseline("sigmoid", BallTarget(Gaussian(3)), 30, seed=2, budget=alone)
    assert again.rate_is_extreme
    # A rate is judged as if it were the only one.
    assert again.validation_mse[0] == pytest.approx(min(found.validation_mse), rel=1e-3)


def test_a_seed_fixes_everything() -> None:
    first, again, other = (train_baseline("relu", BallTarget(Gaussian(3)), 20, seed, QUICK) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.nets.parameters, again.nets.parameters)
    assert first.validation_mse == again.validation_mse != other.validation_mse


def test_the_points_are_rescaled_as_in_training() -> None:
    law = UniformBall(3, high=50)
    target = BallTarget(law)
    found = train_baseline("relu", target, 40, seed=1, budget=QUICK)
    points = law.sample(20_000, np.random.default_rng(5))
    labels = target.label(points)
    assert found.mse(law.scale * points, labels) == pytest.approx(min(found.validation_mse), abs=0.01)
    assert found.mse(points, labels) > 1


def test_a_rate_that_diverges_loses() -> None:
    target = BallTarget(Gaussian(3))
    budget = TuningBudget(rates=(1e30, 0.01), steps=20, batch=32, validation=500)
    found = train_baseline("relu", target, 20, seed=1, budget=budget)
    assert found.rate == 0.01
    assert found.validation_mse[0] == np.inf
    only = TuningBudget(rates=(1e30,), steps=20, batch=32, validation=500)
    with pytest.raises(BadInput, match="found:  training diverged at every rate\n  do:     name smaller rates"):
        train_baseline("relu", target, 20, seed=1, budget=only)


@pytest.mark.parametrize("name", ["relu", "deep-relu"])
@pytest.mark.parametrize("law", [Bessel(5), Student(5, 2)], ids=lambda law: law.name)
def test_infinite_risk_is_refused(law: RadialLaw, name: str) -> None:
    with pytest.raises(BadInput) as refusal:
        train_baseline(name, BallTarget(law), 20, seed=1, budget=QUICK)
    assert refusal.value.asked == f"the baseline {name!r} on {law.text}"
    assert f"E ||x||^2 is infinite (tail index {law.tail_index:g})" in refusal.value.found
    assert refusal.value.do == "take the baselines sigmoid and features"


def test_sigmoids_learn_from_heavy_tails() -> None:
    found = train_baseline("sigmoid", BallTarget(Bessel(5)), 40, seed=1, budget=QUICK)
    assert 0.02 < min(found.validation_mse) < 0.23


def test_shapes_have_the_width_they_are_compared_at() -> None:
    assert [baseline_shape(name, 33).text for name in TRAINED] == ["ReLU 33", "sigmoid 33", "ReLU 100-20"]
    with pytest.raises(BadInput, match="'tree'\n  needed: one of features, relu, sigmoid, deep-relu"):
        baseline_shape("tree", 33)


@pytest.mark.parametrize("wrong", [{"rates": ()}, {"rates": (0.1, 0.0)}, {"steps": 0}, {"batch": 0}, {"validation": 0}])
def test_an_empty_budget_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="needed: at least one rate, and numbers above 0"):
        TuningBudget(**wrong)  # type: ignore[arg-type]


def test_progress_is_told() -> None:
    told: list[tuple[str, float | None]] = []
    train_baseline("sigmoid", BallTarget(Gaussian(2)), 20, 1, QUICK, lambda text, done: told.append((text, done)))
    assert told == [("baseline sigmoid, width 20", 0.0), ("baseline sigmoid, width 20", pytest.approx(2 / 3))]
