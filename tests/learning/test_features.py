"""The hidden layer: its law, its structure, its features; centring; the bounds of the energies."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special, stats

from depthsep.errors import BadInput
from depthsep.learning.features import HIDDEN_KINDS, CenteredFeatures, HiddenLayer
from depthsep.learning.laws import Bessel, Gaussian, RadialLaw, UniformBall


@pytest.mark.parametrize("kind", HIDDEN_KINDS)
@pytest.mark.parametrize(("dim", "width"), [(1, 7), (2, 50), (20, 390)])
def test_weights_have_the_scale_and_biases_the_range(kind: str, dim: int, width: int) -> None:
    hidden = HiddenLayer(dim, width, kind, scale=0.7, bias_range=3.0, seed=4)
    assert hidden.weights.shape == (width, dim)
    assert hidden.biases.shape == (width,)
    assert hidden.weights.dtype == hidden.biases.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(hidden.weights, axis=1), 0.7, rtol=1e-6)
    assert np.abs(hidden.biases).max() <= 3
    assert np.abs(hidden.biases).max() > 1


@pytest.mark.parametrize("kind", HIDDEN_KINDS)
def test_directions_and_biases_are_uniform(kind: str) -> None:
    dim = 5
    hidden = HiddenLayer(dim, 20 * dim * 200, kind, seed=8)
    first = hidden.weights[:: 2 * dim, 0] / 0.5  # one neuron of each pair of blocks: independent of one another
    beta = stats.beta((dim - 1) / 2, (dim - 1) / 2, loc=-1, scale=2)
    assert stats.kstest(first, beta.cdf).pvalue > 0.01
    assert stats.kstest(hidden.biases[:: 2 * dim], stats.uniform(-2, 4).cdf).pvalue > 0.01
    assert stats.kstest(first, stats.uniform(-1, 2).cdf).pvalue < 1e-6


def test_independent_neurons_share_nothing() -> None:
    hidden = HiddenLayer(20, 400, seed=3)
    cosines = np.corrcoef(hidden.weights)[np.triu_indices(400, 1)]
    assert 0.9 < cosines.std() * math.sqrt(20) < 1.1
    assert len(set(hidden.biases.tolist())) > 390


@pytest.mark.parametrize(("kind", "copies"), [("orthogonal", 1), ("antithetic", 2)])
def test_blocks_are_orthogonal_and_share_a_bias(kind: str, copies: int) -> None:
    hidden = HiddenLayer(6, 40, kind, seed=2)  # the last block is incomplete
    for start in range(0, 36, 6):
        block = hidden.weights[start : start + 6]
        np.testing.assert_allclose(block @ block.T, 0.25 * np.eye(6), atol=1e-6)
        assert len(set(hidden.biases[start : start + 6].tolist())) == 1
    assert len(set(hidden.biases.tolist())) == math.ceil(7 / copies)


def test_antithetic_blocks_come_with_their_negatives() -> None:
    hidden = HiddenLayer(6, 36, "antithetic", seed=2)
    for start in range(0, 36, 12):
        np.testing.assert_array_equal(hidden.weights[start : start + 6], -hidden.weights[start + 6 : start + 12])
        np.testing.assert_array_equal(hidden.biases[start : start + 6], hidden.biases[start + 6 : start + 12])


@pytest.mark.parametrize("kind", HIDDEN_KINDS)
def test_the_seed_determines_the_layer(kind: str) -> None:
    one, same, other = (HiddenLayer(3, 10, kind, seed=seed) for seed in (1, 1, 2))
    assert one == same
    np.testing.assert_array_equal(one.weights, same.weights)
    np.testing.assert_array_equal(one.biases, same.biases)
    assert np.abs(one.weights - other.weights).max() > 0.1


def test_the_layer_is_independent_of_data_with_the_same_seed() -> None:
    data = np.random.default_rng(1).standard_normal((10, 3))
    data /= np.linalg.norm(data, axis=1, keepdims=True)
    assert np.abs(0.5 * data - HiddenLayer(3, 10, seed=1).weights).max() > 0.1


def test_features_are_the_formula_across_blocks() -> None:
    hidden = HiddenLayer(4, 300, seed=5, input_scale=1.7)
    points = np.random.default_rng(6).standard_normal((2500, 4))
    expected = special.expit(1.7 * points @ hidden.weights.T.astype(np.float64) + hidden.biases)
    found = hidden.features(points)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=3e-7)
    assert hidden.features(np.empty((0, 4))).shape == (0, 300)


@pytest.mark.parametrize("size", [1e20, 1e150, 1e300])
def test_far_points_saturate_quietly(size: float) -> None:
    hidden = HiddenLayer(4, 30, seed=5)
    direction = np.random.default_rng(6).standard_normal((8, 4))
    expected = (direction @ hidden.weights.T > 0).astype(np.float32)
    np.testing.assert_allclose(hidden.features(size * direction), expected, atol=1e-30)


@pytest.mark.parametrize("law", [Gaussian(20), Bessel(5), UniformBall(3, 10)], ids=lambda law: str(law.name))
def test_the_scale_of_a_law_is_built_in(law: RadialLaw) -> None:
    hidden = HiddenLayer.for_law(law, 10, kind="orthogonal", seed=3)
    assert (hidden.dim, hidden.width, hidden.kind, hidden.seed) == (law.dim, 10, "orthogonal", 3)
    points = law.sample(20000, np.random.default_rng(0))
    median = float(np.median(np.linalg.norm(hidden.input_scale * points, axis=1)))
    assert median == pytest.approx(math.sqrt(law.dim), rel=0.02)


def centered(n: int = 3000, width: int = 60) -> tuple[HiddenLayer, CenteredFeatures]:
    hidden = HiddenLayer(5, width, seed=1)
    return hidden, hidden.centered_features(np.random.default_rng(2).standard_normal((n, 5)))


def test_centring_takes_the_mean_away_and_test_points_get_that_of_training() -> None:
    hidden, features = centered()
    assert len(features) == 3000
    assert features.width == 60
    np.testing.assert_allclose(features.matrix.mean(axis=0, dtype=np.float64), 0, atol=1e-7)
    points = np.random.default_rng(3).standard_normal((10, 5))
    test = hidden.centered_features(points, features.mean)
    np.testing.assert_allclose(test.matrix + features.mean, hidden.features(points), atol=1e-7)
    assert np.abs(test.matrix.mean(axis=0)).max() > 0.01


def exact_energy(features: CenteredFeatures, weights: float, bias: float) -> float:
    """The largest of mean (<v, phi> + v0)^2 / (weights ||v||^2 + bias v0^2), in float64."""
    matrix: NDArray[np.float64] = np.column_stack([features.matrix.astype(np.float64), np.ones(len(features))])
    matrix /= np.sqrt([weights] * features.width + [bias])
    return float(np.linalg.eigvalsh(matrix.T @ matrix / len(features))[-1])


def test_the_energies_are_true_and_sharp_upper_bounds() -> None:
    _, features = centered()
    weights, bias = features.energies_upper
    assert 0.999 < exact_energy(features, weights, bias) <= 1
    assert exact_energy(features, weights, bias / 1.01) > 1
    largest = exact_energy(features, 1.0, 1e12)
    assert largest < weights < 1.001 * largest


def test_the_energies_hold_for_features_that_are_not_centred() -> None:
    hidden, _ = centered()
    points = np.random.default_rng(2).standard_normal((3000, 5))
    plain = hidden.centered_features(points, np.zeros(60))
    weights, bias = plain.energies_upper
    assert weights > 30 * centered()[1].energies_upper[0]
    assert 0.5 < exact_energy(plain, weights, bias) <= 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "random"}, "a hidden layer of kind 'random'\n  needed: one of iid, orthogonal, antithetic"),
        ({"width": 0}, "a hidden layer with width = 0\n  needed: width >= 1"),
        ({"dim": 0}, "a hidden layer with dim = 0\n  needed: dim >= 1"),
        ({"seed": -1}, "a hidden layer with seed = -1\n  needed: seed >= 0"),
        ({"scale": 0.0}, "a hidden layer with scale = 0\n  needed: a positive number"),
        ({"bias_range": math.nan}, "a hidden layer with bias_range = nan\n  needed: a positive number"),
        ({"input_scale": math.inf}, "a hidden layer with input_scale = inf\n  needed: a positive number"),
    ],
)
def test_layers_out_of_range_are_refused(options: dict[str, object], message: str) -> None:
    arguments = {"dim": 3, "width": 5, **options}
    with pytest.raises(BadInput) as refusal:
        HiddenLayer(**arguments)  # type: ignore[arg-type]
    assert str(refusal.value) == message


def test_points_that_do_not_fit_are_refused() -> None:
    hidden = HiddenLayer(3, 5)
    with pytest.raises(BadInput, match=r"points of shape \(2, 4\)\n  needed: shape \(n, 3\)"):
        hidden.features(np.zeros((2, 4)))
    with pytest.raises(BadInput, match="a coordinate that is not finite"):
        hidden.features([[0.0, math.nan, 0.0]])
    with pytest.raises(BadInput, match="no points"):
        hidden.centered_features(np.zeros((0, 3)))
    with pytest.raises(BadInput, match=r"a mean of shape \(4,\)\n  needed: one number for each of 5 neurons"):
        hidden.centered_features(np.zeros((2, 3)), np.zeros(4))
