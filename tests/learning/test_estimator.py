"""The scikit-learn classifier: scikit-learn's own checks, labels of any kind, refusals."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from depthsep.errors import BadInput
from depthsep.learning.features import HIDDEN_KINDS
from depthsep.learning.laws import BallTarget, Student

sklearn = pytest.importorskip("sklearn")

from sklearn.model_selection import GridSearchCV  # noqa: E402
from sklearn.multiclass import OneVsRestClassifier  # noqa: E402
from sklearn.utils.estimator_checks import check_estimator  # noqa: E402

from depthsep.learning.estimator import BallIndicatorClassifier  # noqa: E402

LAW = Student(6, 3)
RNG = np.random.default_rng(0)
TRAIN, TEST = LAW.sample(1500, RNG), LAW.sample(3000, RNG)
INSIDE, TEST_INSIDE = (BallTarget(LAW).label(points).astype(bool) for points in (TRAIN, TEST))


# They need another array library than NumPy, and pandas.
NOT_RUN = {"check_array_api_input", "check_classifier_data_not_an_array"}
STATUSES = ("passed", "skipped", "failed", "xfail")


def test_scikit_learn_is_content() -> None:
    results = check_estimator(BallIndicatorClassifier(random_state=0), on_skip=None, on_fail=None)
    names = {status: {found["check_name"] for found in results if found["status"] == status} for status in STATUSES}
    assert names["failed"] == names["xfail"] == set()
    assert names["skipped"] <= NOT_RUN
    assert len(names["passed"]) > 40


@pytest.mark.parametrize(
    "names", [("in", "out"), (0, 1), (-1, 1), (True, False), (7.0, 2.0), (np.str_("b"), np.str_("a"))], ids=str
)
def test_labels_of_any_kind_come_back(names: Sequence[Any]) -> None:
    labels, expected = (np.where(inside, names[0], names[1]) for inside in (INSIDE, TEST_INSIDE))
    model = BallIndicatorClassifier(random_state=3).fit(TRAIN, labels)
    assert model.classes_.tolist() == sorted(names)
    found = model.predict(TEST)
    assert found.dtype == labels.dtype
    assert 0.9 < np.mean(found == expected) == model.score(TEST, expected)


@pytest.mark.parametrize("kind", HIDDEN_KINDS)
def test_probabilities_and_scores_fit_together(kind: str) -> None:
    model = BallIndicatorClassifier(hidden=kind, random_state=3).fit(TRAIN, INSIDE)
    z, p = model.decision_function(TEST), model.predict_proba(TEST)
    assert z.shape == (3000,)
    assert p.shape == (3000, 2)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_allclose(p[:, 1], 1 / (1 + np.exp(-z)))
    np.testing.assert_array_equal(model.predict(TEST), z > 0)
    assert 0 < np.mean((p[:, 1] - TEST_INSIDE) ** 2) < 0.06


@pytest.mark.parametrize("loss", ["logistic", "square"])
@pytest.mark.parametrize("optimizer", ["gd", "nesterov", "adam"])
def test_the_loss_curve_is_that_of_the_training(loss: str, optimizer: str) -> None:
    model = BallIndicatorClassifier(50, loss=loss, optimizer=optimizer, max_iter=80, random_state=3).fit(TRAIN, INSIDE)
    assert model.n_iter_ == 80
    assert model.coef_.shape == (50,)
    assert len(model.loss_curve_) == 81
    p = model.predict_proba(TRAIN)[:, 1]
    first, last = (np.log(2), -np.log(np.where(INSIDE, p, 1 - p)).mean())
    if loss == "square":
        first, last = 0.25, np.mean((p - INSIDE) ** 2)
    assert model.loss_curve_[0] == pytest.approx(first, abs=1e-6)
    assert model.loss_curve_[-1] == pytest.approx(last, abs=1e-5)
    assert last < 0.9 * first


def test_the_random_state_determines_the_model_and_units_do_not_matter() -> None:
    models = [BallIndicatorClassifier(random_state=seed).fit(TRAIN, INSIDE) for seed in (1, 1, 2)]
    one, same, other = (model.decision_function(TEST) for model in models)
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0.1
    scaled = BallIndicatorClassifier(random_state=1).fit(1024 * TRAIN, INSIDE)
    np.testing.assert_allclose(scaled.decision_function(1024 * TEST), one, rtol=1e-4, atol=1e-4)


def test_parameters_are_searched_and_more_classes_wrapped() -> None:
    search = GridSearchCV(BallIndicatorClassifier(random_state=0, max_iter=100), {"scale": [0.001, 0.5]}, cv=3)
    assert search.fit(TRAIN, INSIDE).best_params_ == {"scale": 0.5}
    norms = np.linalg.norm(TRAIN, axis=1)
    rings = np.digitize(norms, np.quantile(norms, [0.4, 0.7]))
    model = OneVsRestClassifier(BallIndicatorClassifier(random_state=0)).fit(TRAIN, rings)
    assert 0.8 < model.score(TRAIN, rings) <= 1


def test_points_at_the_origin_are_no_obstacle() -> None:
    model = BallIndicatorClassifier(20, max_iter=5, random_state=0).fit(np.zeros((4, 3)), [0, 1, 1, 1])
    assert model.predict(np.zeros((1, 3))).tolist() == [1]


@pytest.mark.parametrize(
    ("options", "labels", "message"),
    [
        ({}, np.arange(1500) % 3, "Only binary classification is supported. The type of the target is multiclass."),
        ({}, np.ones(1500), "learn a ball\n  found:  1 class in y\n  needed: points of two classes"),
        ({"loss": "hinge"}, INSIDE, "the loss 'hinge'\n  needed: one of logistic, square"),
        ({"hidden": "x"}, INSIDE, "a hidden layer of kind 'x'"),
        ({"width": 0}, INSIDE, "a hidden layer with width = 0"),
        ({"max_iter": -1}, INSIDE, "-1 steps"),
        ({"step": -0.5}, INSIDE, "step = -0.5"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], labels: Any, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        BallIndicatorClassifier(**options).fit(TRAIN, labels)
