"""Training the output neuron: against plain float64 code, the limit, the convex bound; runs side by side; resuming."""

import math
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import approx_fprime
from scipy.special import expit

from depthsep.errors import BadInput, DocumentExists
from depthsep.learning.descent import LOSSES, OPTIMIZERS, Run, Trained, convex_descent_bound, safe_steps, train
from depthsep.learning.features import CenteredFeatures, HiddenLayer
from depthsep.learning.laws import BallTarget, Gaussian
from depthsep.learning.limit import limit_curve
from depthsep.learning.state import History, TrainingState

Array = NDArray[np.float64]
Sample = tuple[CenteredFeatures, Array]

LAW = Gaussian(5)
ALL = [Run(loss, optimizer) for loss, optimizer in product(LOSSES, OPTIMIZERS)]


def samples(law: Gaussian, width: int, n: int, n_test: int, kind: str = "iid", seed: int = 1) -> tuple[Sample, Sample]:
    rng = np.random.default_rng(seed)
    hidden, target = HiddenLayer.for_law(law, width, kind=kind, seed=seed), BallTarget(law)
    points, test = law.sample(n, rng), law.sample(n_test, rng)
    features = hidden.centered_features(points)
    return (features, target.label(points)), (hidden.centered_features(test, features.mean), target.label(test))


@pytest.fixture(scope="module")
def small() -> tuple[Sample, Sample]:
    return samples(LAW, 60, 3000, 1000)


def mean_loss(theta: Array, matrix: Array, labels: Array, loss: str) -> float:
    """The loss in float64; the matrix has a column of ones."""
    z = matrix @ theta
    losses = np.logaddexp(0, z) - labels * z if loss == "logistic" else (expit(z) - labels) ** 2
    return float(losses.mean())


def slope(theta: Array, matrix: Array, labels: Array, loss: str) -> Array:
    output = expit(matrix @ theta)
    factor = 1.0 if loss == "logistic" else 2 * output * (1 - output)
    return np.asarray(matrix.T @ ((output - labels) * factor) / len(labels))


def by_the_book(run: Run, matrix: Array, labels: Array, steps: int) -> Array:
    """The three optimizers as they are written in books."""
    eta = np.array([run.step] * (matrix.shape[1] - 1) + [run.bias_step], dtype=np.float64)
    theta = before = first = second = np.zeros(matrix.shape[1])
    for t in range(1, steps + 1):
        ahead = theta + (t - 1) / (t + 2) * (theta - before) if run.optimizer == "nesterov" else theta
        move = gradient = slope(ahead, matrix, labels, run.loss)
        if run.optimizer == "adam":
            first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
            move = first / (1 - 0.9**t) / (np.sqrt(second / (1 - 0.999**t)) + 1e-8)
        theta, before = ahead - eta * move, theta
    return theta


def with_ones(features: CenteredFeatures) -> Array:
    return np.column_stack([features.matrix.astype(np.float64), np.ones(len(features))])


@pytest.mark.parametrize("loss", LOSSES)
def test_the_book_has_the_gradient_of_the_loss(small: tuple[Sample, Sample], loss: str) -> None:
    (features, labels), _ = small
    matrix = with_ones(features)
    theta = np.random.default_rng(0).standard_normal(61)
    numeric = approx_fprime(theta, mean_loss, 1e-6, matrix, labels, loss)
    np.testing.assert_allclose(slope(theta, matrix, labels, loss), numeric, atol=1e-6)


def test_every_loss_and_optimizer_follows_the_book(small: tuple[Sample, Sample]) -> None:
    (features, labels), test = small
    trained = train(features, labels, ALL, 40, record_at=[0, 40], test=test)
    for column, run in enumerate(trained.runs):
        theta = by_the_book(run, with_ones(features), labels, 40)
        assert np.linalg.norm(theta) > 1
        np.testing.assert_allclose(trained.weights[:, column], theta[:-1], atol=2e-4 * np.abs(theta).max())
        assert trained.bias[column] == pytest.approx(theta[-1], abs=2e-3)
        history = trained.history
        assert history.training_loss[1, column] == pytest.approx(
            mean_loss(theta, with_ones(features), labels, run.loss), abs=1e-5
        )
        assert history.test_mse[1, column] == pytest.approx(
            mean_loss(theta, with_ones(test[0]), test[1], "square"), abs=1e-5
        )
        assert history.square_norm[1, column] == pytest.approx(theta[:-1] @ theta[:-1], rel=1e-3)
        assert history.bias[1, column] == trained.bias[column]
        assert history.test_mse[0, column] == 0.25


def test_steps_can_be_named_and_the_bias_has_its_own(small: tuple[Sample, Sample]) -> None:
    (features, labels), _ = small
    runs = [Run("logistic", "gd", 2.0), Run("logistic", "gd", 2.0, 0.5), Run("square", "adam", 0.1)]
    trained = train(features, labels, runs, 10)
    assert [(run.step, run.bias_step) for run in trained.runs] == [(2.0, 2.0), (2.0, 0.5), (0.1, 0.1)]
    for column, run in enumerate(trained.runs):
        theta = by_the_book(run, with_ones(features), labels, 10)
        np.testing.assert_allclose(trained.weights[:, column], theta[:-1], atol=1e-4)
        assert trained.bias[column] == pytest.approx(theta[-1], abs=1e-4)


def test_runs_side_by_side_are_the_runs_alone(small: tuple[Sample, Sample]) -> None:
    (features, labels), _ = small
    many = np.stack([labels, 1 - labels, labels, labels, labels, 1 - labels], axis=1)
    together = train(features, many, ALL, 60)
    for column, run in enumerate(ALL):
        alone = train(features, many[:, column], [run], 60)
        size = np.abs(alone.weights).max()
        np.testing.assert_allclose(together.weights[:, [column]], alone.weights, atol=1e-3 * size)
        assert together.history.training_loss[0, column] == pytest.approx(alone.history.training_loss[0, 0], abs=1e-5)
    swapped = train(features, 1 - labels, [Run("logistic", "gd")], 60)
    np.testing.assert_allclose(swapped.weights[:, 0], -together.weights[:, 0], atol=1e-3)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_safe_step_descends_and_a_much_larger_one_does_not(small: tuple[Sample, Sample], loss: str) -> None:
    (features, labels), _ = small
    step, bias_step = safe_steps(features, loss)
    runs = [Run(loss, "gd"), Run(loss, "gd", 100 * step, 100 * bias_step)]
    history = train(features, labels, runs, 200, record_at=range(201)).history
    changes = np.diff(history.training_loss, axis=0)
    assert (changes[:, 0] < 0).all()
    assert (changes[:, 1] > 0.01).any()


def test_wide_networks_follow_the_limit() -> None:
    width, marks = 400, [0, 10, 30, 100]
    training, test = samples(LAW, width, 12000, 12000, "antithetic")
    for optimizer in ("gd", "nesterov"):
        limit = limit_curve(LAW, steps=100, optimizer=optimizer, record_at=marks)
        run = Run("logistic", optimizer, limit.step / width, limit.bias_step)
        found = train(*training, [run], 100, record_at=marks, test=test).history.test_mse[:, 0]
        np.testing.assert_allclose(found, limit.mse, atol=3 / width)
        assert limit.mse[-1] < limit.mse[0] - 0.1


def test_the_headline_number() -> None:
    training, test = samples(Gaussian(20), 400, 12000, 20000)
    history = train(*training, steps=300, record_at=[30, 100, 300], test=test).history
    assert history.test_mse[:, 0].tolist() == sorted(history.test_mse[:, 0], reverse=True)
    assert 0.028 < history.test_mse[-1, 0] < 0.035
    assert float(BallTarget(Gaussian(20)).floor(400).error_floor) > 0.05  # type: ignore[union-attr]


def test_the_convex_bound_holds_and_says_something(small: tuple[Sample, Sample]) -> None:
    (features, labels), _ = small
    at = [1, 3, 10, 30, 100, 300]
    trained = train(features, labels, [Run("logistic", "gd"), Run("logistic", "nesterov")], 300, record_at=[0, *at])
    bound = convex_descent_bound(features, trained, 0, at, comparators=[1])
    alone = convex_descent_bound(features, trained, 0, at)
    losses = trained.history.training_loss[1:, 0]
    assert (losses <= bound).all()
    assert (bound <= alone).all()
    assert (np.diff(bound) <= 0).all()
    assert bound[0] <= math.log(2)
    assert bound[-1] < 1.6 * losses[-1] < 0.9 * math.log(2)
    run = trained.runs[0]
    assert run.step is not None
    norm = trained.history.square_norm[-1, 0] / run.step + trained.history.bias[-1, 0] ** 2 / float(run.bias_step or 0)
    assert alone[-1] <= losses[-1] + norm / 600 + 1e-12


def test_the_convex_bound_is_refused_where_it_does_not_hold(small: tuple[Sample, Sample]) -> None:
    (features, labels), _ = small
    step = safe_steps(features, "logistic")[0]
    runs = [
        Run("logistic", "gd"),
        Run("logistic", "adam"),
        Run("square", "gd"),
        Run("logistic", "gd", 1.01 * step, 1.0),
    ]
    trained = train(features, labels, runs, 3)
    for run, comparators in ((1, []), (2, []), (0, [2])):
        with pytest.raises(BadInput, match=r"gradient descent \(gd\) with logistic loss, and comparators with"):
            convex_descent_bound(features, trained, run, [3], comparators)
    with pytest.raises(BadInput, match=f"steps up to 1 / L, {step:.6g} and .* for the bias\n  do:     leave"):
        convex_descent_bound(features, trained, 3, [3])
    apart = train(features, np.stack([labels, 1 - labels], axis=1), [Run("logistic", "gd"), Run()], 3)
    moved = CenteredFeatures(features.matrix, features.mean + np.float32(0.1))
    assert convex_descent_bound(features, apart, 0, [3]) > 0
    for given, comparators in ((features, [1]), (moved, [])):
        with pytest.raises(BadInput, match="comparators with the same labels, and the features of the training"):
            convex_descent_bound(given, apart, 0, [3], comparators)
    with pytest.raises(BadInput, match="positive numbers of steps"):
        convex_descent_bound(features, trained, 0, [0, 3])


def same(one: Trained, other: Trained) -> None:
    for name in ("parameters", "first", "second"):
        np.testing.assert_array_equal(getattr(one.state, name), getattr(other.state, name))
    for name in History.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(one.history, name), getattr(other.history, name))
    assert one.state.step == other.state.step


def test_the_same_input_gives_the_same_bits(small: tuple[Sample, Sample]) -> None:
    (features, labels), test = small
    same(*(train(features, labels, ALL, 30, record_at=[10, 30], test=test) for _ in range(2)))


def test_a_training_that_was_saved_continues_exactly(small: tuple[Sample, Sample], tmp_path: Path) -> None:
    (features, labels), test = small
    marks = [0, 5, 17, 40]
    whole = train(features, labels, ALL, 40, record_at=marks, test=test)
    part = train(features, labels, ALL, 17, record_at=marks[:3], test=test)
    path = part.state.save(tmp_path / "state.npz")
    before = part.state.copy()
    for state in (part.state, TrainingState.load(path)):
        same(train(features, labels, ALL, 40, record_at=marks, test=test, state=state), whole)
    same(part, Trained(part.runs, part.mean, part.labels, before))  # the state that was given is as it was
    fresh = train(features, labels, ALL, 0, record_at=[]).state
    late = train(features, labels, ALL, 40, record_at=marks, test=test, state=fresh)
    same(late, whole)


def test_checkpoints_replace_one_another_unless_told_otherwise(small: tuple[Sample, Sample], tmp_path: Path) -> None:
    (features, labels), _ = small
    for steps in (1, 2):
        path = train(features, labels, steps=steps).state.save(tmp_path / "state.npz")
    assert TrainingState.load(path).step == 2
    with pytest.raises(DocumentExists):
        train(features, labels, steps=3).state.save(path, force=False)
    assert [file.name for file in tmp_path.iterdir()] == ["state.npz"]


def test_states_of_other_problems_are_refused(small: tuple[Sample, Sample]) -> None:
    (features, labels), (other, other_labels) = small
    state = train(features, labels, steps=5).state
    moved = CenteredFeatures(other.matrix, other.mean + np.float32(0.1))
    for f, y, run in (
        (features, 1 - labels, Run()),
        (features, labels, Run(step=0.2)),
        (features, labels, Run("square")),
        (moved, other_labels, Run()),
    ):
        with pytest.raises(BadInput, match="the runs, features and labels that it was started with"):
            train(f, y, [run], 10, state=state)
    with pytest.raises(BadInput, match="a training of 5 steps up to 4 steps\n  needed: at least 5 steps"):
        train(features, labels, steps=4, state=state)


def broken(path: Path, how: str) -> None:
    if how == "text":
        path.write_text("no state")
    elif how == "cut":
        path.write_bytes(path.read_bytes()[:1000])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "bare":
        with path.open("wb") as file:
            np.savez(file, parameters=np.zeros(3))
    elif how == "version":
        with np.load(path) as file:
            arrays = {**file, "about": np.array('{"version": 2}')}
        with path.open("wb") as out:
            np.savez(out, **arrays)
    else:
        path.unlink()


@pytest.mark.parametrize("how", ["text", "cut", "empty", "bare", "version", "missing"])
def test_files_that_are_no_states_are_refused(small: tuple[Sample, Sample], tmp_path: Path, how: str) -> None:
    path = train(*small[0], steps=1).state.save(tmp_path / "state.npz")
    broken(path, how)
    with pytest.raises(BadInput, match=r"resume the training saved in .*state\.npz"):
        TrainingState.load(path)


def test_trained_neurons_are_evaluated_and_their_centre_is_folded_back() -> None:
    hidden = HiddenLayer.for_law(LAW, 80, seed=4)
    points = LAW.sample(2000, np.random.default_rng(4))
    features = hidden.centered_features(points)
    trained = train(features, BallTarget(LAW).label(points), [Run(), Run("square", "nesterov")], 100)
    outputs = trained.outputs(features)
    assert outputs.shape == (2000, 2)
    plain = expit(hidden.features(points).astype(np.float64) @ trained.weights + trained.plain_bias)
    np.testing.assert_allclose(outputs, plain, atol=1e-5)
    labels = BallTarget(LAW).label(points)
    assert trained.history.training_loss[0, 1] == pytest.approx(((outputs[:, 1] - labels) ** 2).mean(), abs=1e-6)
    assert np.mean((outputs[:, 0] > 0.5) == labels) > 0.9


def test_records_are_made_when_asked_and_progress_is_told(small: tuple[Sample, Sample]) -> None:
    (features, labels), _ = small
    told: list[tuple[str, float | None]] = []
    progress: Callable[[str, float | None], None] = lambda text, fraction: told.append((text, fraction))  # noqa: E731
    trained = train(features, labels, steps=25, record_at=[20, 3, 3], progress=progress)
    assert trained.history.steps.tolist() == [3, 20]
    assert np.isnan(trained.history.test_mse).all()
    assert trained.history.at(20) == 1
    assert told == [(f"{step} of 25 updates", step / 25) for step in (0, 10, 20, 25)]
    assert train(features, labels, steps=4).history.steps.tolist() == [4]
    with pytest.raises(BadInput, match="the record after 4 steps\n  found:  records after 3, 20 steps"):
        trained.history.at(4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Run("hinge"), "the loss 'hinge'\n  needed: one of logistic, square"),
        (lambda: Run(optimizer="sgd"), "the optimizer 'sgd'\n  needed: one of gd, nesterov, adam"),
        (lambda: Run(step=0.0), "step = 0\n  needed: a positive number up to 1e\\+06"),
        (lambda: Run(bias_step=math.nan), "bias_step = nan\n  needed: a positive number up to 1e\\+06"),
    ],
)
def test_runs_that_make_no_sense_are_refused(make: Callable[[], Run], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        make()


def test_input_that_does_not_fit_is_refused(small: tuple[Sample, Sample]) -> None:
    (features, labels), (test, test_labels) = small
    with pytest.raises(BadInput, match=r"labels of shape \(5,\)\n  needed: shape \(3000,\), or \(3000, 2\)"):
        train(features, labels[:5], [Run(), Run()])
    with pytest.raises(BadInput, match="a label other than 0 and 1"):
        train(features, labels + 1)
    with pytest.raises(BadInput, match="-1 steps"):
        train(features, labels, steps=-1)
    with pytest.raises(BadInput, match=r"record_at = \[3, 11\]\n  needed: numbers of updates between 0 and 10"):
        train(features, labels, steps=10, record_at=[11, 3])
    with pytest.raises(BadInput, match="they are centred with another mean"):
        train(features, labels, test=(CenteredFeatures(test.matrix, test.mean + 1), test_labels))
    with pytest.raises(BadInput, match="at least one run"):
        train(features, labels, [])
