"""A scikit-learn classifier for balls: two layers of sigmoids, the first random and frozen.

Importing this module needs scikit-learn.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from depthsep.errors import BadInput
from depthsep.extras import require
from depthsep.learning.descent import Run, train
from depthsep.learning.features import HiddenLayer

__all__ = ["BallIndicatorClassifier"]

_TASK = "the scikit-learn classifier for balls"

base = require("sklearn.base", _TASK, "learn")
multiclass = require("sklearn.utils.multiclass", _TASK, "learn")
utils = require("sklearn.utils", _TASK, "learn")
validation = require("sklearn.utils.validation", _TASK, "learn")


class BallIndicatorClassifier(base.ClassifierMixin, base.BaseEstimator):  # type: ignore[misc, name-defined]
    """Learn whether a point lies in a ball: N(x) = sigma(<v, sigma(W c x + b)> + v0), only v and v0 being trained.

    Points are rescaled so that their median norm is sqrt(n_features), and the whole sample is used in every step. The
    layer is made for balls about the origin: center the points first if yours is elsewhere. There is no
    `partial_fit`, as the features are centred on the sample.

    Args:
        width: The number of hidden neurons; None for 20 for each feature, at least 100.
        hidden: "iid", "orthogonal" or "antithetic", see `features`.
        scale: The norm of the hidden weights, for rescaled points.
        bias_range: The hidden biases are uniform on [-bias_range, bias_range].
        loss: "logistic", or "square" for (N - y)^2.
        optimizer: "gd", "nesterov" or "adam".
        step: The step; None for 0.3 with adam, and otherwise for 1 / L.
        max_iter: The number of steps, all of which are made.
        random_state: Determines the hidden layer: an integer, a RandomState, or None for a new one in every fit.

    Attributes:
        classes_: The two labels; the second one has the probability N. Shape (2,).
        n_features_in_: The number of features seen in fit; `feature_names_in_` are their names, if they are strings.
        n_iter_: The number of steps made.
        loss_curve_: The training loss before every step and after the last; n_iter_ + 1 numbers.
        hidden_layer_: The `HiddenLayer`, with the input scale c.
        coef_: v, of shape (width,).
        intercept_: v0, for features that are not centred.

    Example:
        >>> import numpy as np
        >>> points = np.random.default_rng(0).standard_normal((2000, 5))
        >>> inside = np.where(np.linalg.norm(points, axis=1) < 2, "in", "out")
        >>> model = BallIndicatorClassifier(random_state=0).fit(points[:1000], inside[:1000])
        >>> model.classes_.tolist(), model.score(points[1000:], inside[1000:]) > 0.95
        (['in', 'out'], True)
    """

    def __init__(
        self,
        width: int | None = None,
        *,
        hidden: str = "antithetic",
        scale: float = 0.5,
        bias_range: float = 2.0,
        loss: str = "logistic",
        optimizer: str = "adam",
        step: float | None = None,
        max_iter: int = 300,
        random_state: Any = None,
    ) -> None:
        """Keep the parameters, unchecked as is the custom; see the class."""
        self.width = width
        self.hidden = hidden
        self.scale = scale
        self.bias_range = bias_range
        self.loss = loss
        self.optimizer = optimizer
        self.step = step
        self.max_iter = max_iter
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that there are two classes only."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def fit(self, X: ArrayLike, y: ArrayLike) -> BallIndicatorClassifier:
        """Train the output neuron.

        Args:
            X: The points, of shape (n_samples, n_features).
            y: Their labels, of shape (n_samples,), with two values of any kind.

        Raises:
            BadInput: A parameter is out of range, or y has not two classes; a ValueError.
        """
        points, labels = validation.validate_data(self, X, y, dtype=np.float64)
        multiclass.check_classification_targets(labels)
        self.classes_, indices = np.unique(labels, return_inverse=True)
        if len(self.classes_) != 2:
            self._refuse_classes(labels)
        self.hidden_layer_ = self._hidden_layer(points)
        features = self.hidden_layer_.centered_features(points)
        run = Run(self.loss, self.optimizer, self.step)
        trained = train(features, indices, [run], self.max_iter, record_at=range(self.max_iter + 1))
        self.coef_: NDArray[np.float64] = trained.weights[:, 0].astype(np.float64)
        self.intercept_ = float(trained.plain_bias[0])
        self.n_iter_ = self.max_iter
        self.loss_curve_: list[float] = trained.history.training_loss[:, 0].tolist()
        return self

    def _refuse_classes(self, labels: NDArray[Any]) -> None:
        found = f"{len(self.classes_)} class{'es' if len(self.classes_) > 1 else ''}"
        if len(self.classes_) > 2:
            kind = multiclass.type_of_target(labels)
            asked = f"Only binary classification is supported. The type of the target is {kind}."
            raise BadInput(asked, found, needed="two classes", do="wrap it in sklearn.multiclass.OneVsRestClassifier")
        raise BadInput("learn a ball", found=f"{found} in y", needed="points of two classes, inside and outside")

    def _hidden_layer(self, points: NDArray[np.float64]) -> HiddenLayer:
        dim = points.shape[1]
        norm = float(np.median(np.linalg.norm(points, axis=1)))
        seed = int(utils.check_random_state(self.random_state).randint(2**31 - 1))
        return HiddenLayer(
            dim,
            max(20 * dim, 100) if self.width is None else self.width,
            self.hidden,
            self.scale,
            self.bias_range,
            seed,
            input_scale=math.sqrt(dim) / norm if norm > 0 else 1.0,
        )

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Compute z, positive where the second class is the likelier one; of shape (n_samples,)."""
        validation.check_is_fitted(self)
        points = validation.validate_data(self, X, dtype=np.float64, reset=False)
        return np.asarray(self.hidden_layer_.features(points) @ self.coef_ + self.intercept_)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Compute the probabilities of the two classes, of shape (n_samples, 2)."""
        inside = expit(self.decision_function(X))
        return np.stack([1 - inside, inside], axis=1)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Name the likelier class of every point, of shape (n_samples,)."""
        inside = self.decision_function(X) > 0
        return np.asarray(self.classes_[inside.astype(int)])
