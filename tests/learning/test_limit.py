"""The infinite-width limit: the numbers of the notes, descent, quadrature, wide networks, refusals."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import integrate, special

from depthsep.errors import BadInput
from depthsep.learning.laws import Bessel, Gaussian, RadialLaw, Shells, Student, UniformBall, UniformNorm
from depthsep.learning.limit import _CURVATURES, _SLOPES, _angles, _features, limit_curve

# The step of the notes: 1 / (1.3 L) for logistic loss, L measured on one network of width 800; 2 for the output bias.
NOTES = {"step": 5250.0, "bias_step": 2.0}


def test_the_numbers_of_the_notes() -> None:
    law = Gaussian(20)
    # The notes do not rescale the points: the hidden scale 0.5 is theirs for x itself.
    curve = limit_curve(law, steps=300, scale=0.5 / law.scale, **NOTES)
    assert curve.at(0) == pytest.approx(0.25, abs=1e-12)
    assert curve.at(100) == pytest.approx(0.0319, abs=5e-5)
    assert curve.at(300) == pytest.approx(0.0144, abs=5e-5)


@pytest.mark.parametrize("loss", ["logistic", "square"])
@pytest.mark.parametrize("law", [Gaussian(2), Bessel(20), Student(5, 3), UniformBall(10)], ids=lambda law: law.name)
def test_gradient_descent_with_the_default_step_descends(law: RadialLaw, loss: str) -> None:
    curve = limit_curve(law, 0.3, optimizer="gd", loss=loss, steps=400)
    falls = np.diff(curve.training_loss)
    assert np.all(falls < 0)
    assert curve.training_loss[-1] < 0.95 * curve.training_loss[0]


@pytest.mark.parametrize("loss", ["logistic", "square"])
def test_slopes_and_curvatures_of_the_losses(loss: str) -> None:
    z, h = np.linspace(-6, 6, 4801), 1e-5
    for label in (0.0, 1.0):

        def value(at: NDArray[np.float64], label: float = label) -> NDArray[np.float64]:
            return np.logaddexp(0, at) - label * at if loss == "logistic" else (special.expit(at) - label) ** 2

        labels = np.full_like(z, label)
        np.testing.assert_allclose(_SLOPES[loss](z, labels), (value(z + h) - value(z - h)) / (2 * h), atol=1e-9)
        bends = np.abs(_SLOPES[loss](z + h, labels) - _SLOPES[loss](z - h, labels)) / (2 * h)
        assert bends.max() <= _CURVATURES[loss] * (1 + 1e-9) < bends.max() * 1.0001


def test_a_step_far_beyond_the_smoothness_does_not_descend() -> None:
    default = limit_curve(Bessel(20), 0.3, optimizer="gd", steps=0)
    wild = limit_curve(Bessel(20), 0.3, optimizer="gd", steps=50, step=40 * default.step)
    assert np.any(np.diff(wild.training_loss) > 0)


def test_nesterov_starts_as_gd_and_overtakes_it() -> None:
    plain, fast = (limit_curve(Gaussian(10), steps=100, optimizer=name) for name in ("gd", "nesterov"))
    assert plain.at(1) == pytest.approx(fast.at(1), rel=1e-14)
    assert fast.at(100) < 0.5 * plain.at(100)


@pytest.mark.parametrize("dim", [2, 3, 20])
@pytest.mark.parametrize("law", [Gaussian, UniformBall, UniformNorm, Bessel])
def test_the_nodes_converge(law: type[RadialLaw], dim: int) -> None:
    fine = limit_curve(law(dim), steps=200, record_at=[200], nodes=1200, bias_nodes=48).at(200)
    rules = ({"nodes": 4, "bias_nodes": 4}, {})
    errors = [abs(limit_curve(law(dim), steps=200, record_at=[200], **rule).at(200) - fine) for rule in rules]
    # The quantiles of the Bessel law have infinitely many steep places: its rule converges slowly.
    assert errors[1] < (3e-5 if law is Bessel else 2e-6)
    assert errors[1] < errors[0] / 5


def test_the_rule_for_angles_is_that_of_chebyshev_in_the_plane() -> None:
    nodes, weights = _angles(2, 24)
    expected, _ = special.roots_chebyt(24)
    np.testing.assert_allclose(nodes, expected, atol=1e-14)
    np.testing.assert_allclose(weights, 1 / 24, atol=1e-14)


@pytest.mark.parametrize("dim", [3, 20, 500])
def test_the_rule_for_angles_has_the_moments_of_a_coordinate(dim: int) -> None:
    nodes, weights = _angles(dim, 24)
    for power in range(0, 12, 2):
        moment = special.poch(0.5, power / 2) / special.poch(dim / 2, power / 2)
        assert weights @ nodes**power == pytest.approx(moment, rel=1e-12)
        assert weights @ nodes ** (power + 1) == pytest.approx(0, abs=1e-14)


@pytest.mark.parametrize("dim", [2, 3, 20])
def test_averaged_features_at_every_slope(dim: int) -> None:
    # 20 is handled by the rule in t, 30 and 1000 by the rule for steep features.
    slopes, biases = np.array([0.0, 1.0, 20.0, 30.0, 1000.0]), np.array([-2.0, 0.3, 1.7])
    radial, linear = _features(slopes, biases, dim)
    size = special.beta(0.5, (dim - 1) / 2)
    for row, a in enumerate(slopes):
        for column, b in enumerate(biases):

            def integrand(angle: float, a: float = a, b: float = b) -> float:
                return float(special.expit(a * math.cos(angle) + b)) * math.sin(angle) ** (dim - 2) / size

            turn = math.acos(-b / a) if a > abs(b) else math.pi / 2
            places = sorted({*np.clip(turn + np.array([-0.1, -0.01, 0, 0.01, 0.1]), 0.01, math.pi - 0.01)})
            mean, _ = integrate.quad(integrand, 0, math.pi, points=places, epsabs=1e-11, limit=300)
            assert radial[row, column] == pytest.approx(mean, abs=1e-8)
    np.testing.assert_allclose(radial[0], special.expit(biases), atol=1e-14)
    np.testing.assert_allclose(linear[0], 0, atol=1e-14)


def balanced_points(law: RadialLaw, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Points in random directions whose norms are the middles of n equally likely classes."""
    points = rng.standard_normal((n, law.dim))
    return points * (law.radius.ppf((np.arange(n) + 0.5) / n) / np.linalg.norm(points, axis=1))[:, np.newaxis]


def wide_network(
    law: RadialLaw, width: int, marks: list[int], step: float, bias_step: float, seed: int
) -> NDArray[np.float64]:
    """Test errors of a network of finite width under Nesterov steps on the logistic loss; half of the points are 1."""
    rng, n = np.random.default_rng(seed), 20_000
    weights = rng.standard_normal((width, law.dim))
    weights *= 0.5 * law.scale / np.linalg.norm(weights, axis=1)[:, np.newaxis]
    biases = rng.uniform(-2, 2, width)
    features, fresh = (
        special.expit((balanced_points(law, n, rng) @ weights.T + biases).astype(np.float32)) for _ in range(2)
    )
    mean = features.mean(axis=0)
    features -= mean
    fresh -= mean
    labels = np.repeat(np.float32([1, 0]), n // 2)
    v, c, errors = np.zeros(width, np.float32), 0.0, []
    v_before, c_before = v, c
    for t in range(1, marks[-1] + 1):
        momentum = (t - 1) / (t + 2)
        v_ahead, c_ahead = v + np.float32(momentum) * (v - v_before), c + momentum * (c - c_before)
        slope = (special.expit(features @ v_ahead + np.float32(c_ahead)) - labels) / np.float32(n)
        v_before, c_before = v, c
        v, c = v_ahead - np.float32(step / width) * (slope @ features), c_ahead - bias_step * float(slope.sum())
        if t in marks:
            errors.append(float(np.mean((special.expit(fresh @ v + np.float32(c)) - labels) ** 2)))
    return np.array(errors)


def test_wide_networks_agree_within_three_over_the_width() -> None:
    law, marks = Gaussian(10), [10, 30, 100]
    curve = limit_curve(law, steps=100, record_at=marks)

    def gaps(width: int, seed: int) -> NDArray[np.float64]:
        return wide_network(law, width, marks, curve.step, curve.bias_step, seed) - curve.mse

    wide = [gaps(1600, seed) for seed in range(4)]
    assert np.abs(np.mean(wide, axis=0)).max() < 3 / 1600
    assert np.abs(wide).max() < 6 / 1600  # single hidden layers scatter
    assert gaps(100, 0)[-1] > 6 / 1600  # the agreement is one of wide networks


@pytest.mark.parametrize("law", [Gaussian(3), Bessel(20)], ids=lambda law: law.name)
def test_the_default_step_is_that_of_wide_networks(law: RadialLaw) -> None:
    rng = np.random.default_rng(4)
    width, n = 1000, 3000
    weights = rng.standard_normal((width, law.dim))
    weights *= 0.5 * law.scale / np.linalg.norm(weights, axis=1)[:, np.newaxis]
    features = special.expit(balanced_points(law, n, rng) @ weights.T + rng.uniform(-2, 2, width))
    features -= features.mean(axis=0)
    smoothness = float(np.linalg.eigvalsh(features.T @ features / n)[-1]) / width / 4
    assert limit_curve(law, steps=0).step * smoothness == pytest.approx(1, abs=0.12)


def test_what_is_recorded() -> None:
    every, some = (limit_curve(Gaussian(5), steps=20, record_at=marks) for marks in (None, [20, 0, 7]))
    assert every.steps.tolist() == list(range(21))
    assert some.steps.tolist() == [0, 7, 20]
    assert np.array_equal(every.mse[[0, 7, 20]], some.mse)
    assert (some.loss, some.optimizer, some.bias_step) == ("logistic", "nesterov", 4.0)
    square = limit_curve(Gaussian(5), steps=5, loss="square", optimizer="gd")
    assert np.array_equal(square.mse, square.training_loss)
    with pytest.raises(BadInput, match="after 8 steps\n  found:  steps 0 to 20, 3 of them\n  do:"):
        some.at(8)


def test_shells_need_no_quadrature() -> None:
    law = Shells(5, (1.0, 2.0), (1.0, 3.0))
    curves = [limit_curve(law, radius=1.5, steps=200, nodes=n) for n in (3, 300)]
    assert np.array_equal(curves[0].mse, curves[1].mse)
    assert 0 < curves[0].at(200) < 0.1 < curves[0].at(0) == 0.25
    with pytest.raises(BadInput, match="no atom on the boundary"):
        limit_curve(law)


def test_the_units_of_the_law_do_not_matter() -> None:
    small, large = (limit_curve(UniformBall(6, high), steps=50) for high in (1, 1000))
    np.testing.assert_allclose(small.mse, large.mse, rtol=1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"optimizer": "adam"},
            "the infinite-width limit of Adam\n  found:  Adam divides the gradient of every",
        ),
        ({"optimizer": "sgd"}, "the optimizer 'sgd'\n  needed: one of gd, nesterov"),
        ({"loss": "hinge"}, "the loss 'hinge'\n  needed: one of logistic, square"),
        ({"steps": -1}, "-1 steps\n  needed: a number that is not negative"),
        ({"record_at": [301]}, "record_at = [301]\n  needed: at least one step, all between 0 and 300"),
        ({"record_at": []}, "record_at = []\n  needed: at least one step, all between 0 and 300"),
        ({"step": 0.0}, "step = 0\n  needed: a positive number"),
        ({"bias_step": math.nan}, "bias_step = nan\n  needed: a positive number"),
        ({"scale": -1.0}, "scale = -1\n  needed: a positive number"),
        ({"nodes": 0}, "nodes = 0\n  needed: a positive number"),
        ({"quantile": 0.0}, "a ball of probability 0\n  needed: a quantile strictly between 0 and 1"),
    ],
)
def test_refusals(options: dict[str, object], message: str) -> None:
    with pytest.raises(BadInput) as caught:
        limit_curve(Gaussian(4), **options)
    assert str(caught.value).startswith(message)
