"""The torch module and the torch dataset: the same network, the same gradients, the same points."""

import copy
import io
from collections.abc import Iterator

import numpy as np
import pytest

from depthsep.errors import BadInput
from depthsep.learning.descent import Run, train
from depthsep.learning.features import HIDDEN_KINDS, HiddenLayer
from depthsep.learning.laws import BallTarget, Gaussian, Student, UniformBall

torch = pytest.importorskip("torch")

from depthsep.learning.dataset import RadialDataset  # noqa: E402
from depthsep.learning.torch_model import TwoSigmoidNet  # noqa: E402

LAW = UniformBall(4, 3)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("kind", HIDDEN_KINDS)
def test_a_trained_neuron_becomes_the_same_network(kind: str) -> None:
    hidden = HiddenLayer.for_law(LAW, 70, kind=kind, seed=3, scale=0.6, bias_range=1.5)
    points = LAW.sample(500, np.random.default_rng(0))
    features = hidden.centered_features(points)
    trained = train(features, BallTarget(LAW).label(points), [Run(), Run("square")], 100)
    for run in (0, 1):
        net = TwoSigmoidNet.from_trained(hidden, trained.weights[:, run], trained.bias[run], trained.mean)
        with torch.no_grad():
            found = net(torch.from_numpy(points).float())
        assert found.shape == (500,)
        assert float(found.std()) > 0.1
        np.testing.assert_allclose(found.numpy(), trained.outputs(features)[:, run], atol=2e-5)


def test_without_a_mean_the_bias_is_taken_as_it_is() -> None:
    hidden = HiddenLayer(3, 5)
    net = TwoSigmoidNet.from_trained(hidden, np.arange(5), 0.75)
    assert net.output.bias.item() == 0.75
    assert net.output.weight.tolist() == [[0, 1, 2, 3, 4]]
    assert net(torch.zeros(2, 6, 3)).shape == (2, 6)


@pytest.mark.parametrize(
    ("run", "make"),
    [
        (Run("logistic", "gd", 1.5), lambda p: torch.optim.SGD(p, lr=1.5)),
        (Run("square", "gd", 1.5), lambda p: torch.optim.SGD(p, lr=1.5)),
        (Run("logistic", "adam"), lambda p: torch.optim.Adam(p, lr=0.3)),
        (Run("square", "adam"), lambda p: torch.optim.Adam(p, lr=0.3)),
    ],
)
def test_autograd_and_torch_optimizers_take_the_same_path(run: Run, make: object) -> None:
    hidden = HiddenLayer.for_law(LAW, 30, seed=3)
    points = LAW.sample(400, np.random.default_rng(0))
    labels = BallTarget(LAW).label(points)
    plain = hidden.centered_features(points, np.zeros(30))
    net = TwoSigmoidNet(4, 30, seed=3, input_scale=LAW.scale)
    x, y = torch.from_numpy(points).float(), torch.from_numpy(labels).float()
    optimizer = make(net.parameters())  # type: ignore[operator]
    with_logits = torch.nn.functional.binary_cross_entropy_with_logits
    for _ in range(20):
        optimizer.zero_grad()
        loss = with_logits(net.logits(x), y) if run.loss == "logistic" else ((net(x) - y) ** 2).mean()
        loss.backward()
        optimizer.step()
    trained = train(plain, labels, [run], 20)
    assert np.abs(trained.weights).max() > 0.01
    found = net.output.weight.detach().numpy()[0]
    np.testing.assert_allclose(found, trained.weights[:, 0], atol=1e-3 * float(np.abs(trained.weights).max()))
    assert net.output.bias.item() == pytest.approx(float(trained.bias[0]), rel=1e-3, abs=1e-4)


def test_centring_is_that_of_the_features() -> None:
    hidden = HiddenLayer(3, 8, seed=2, input_scale=0.5)
    points = np.random.default_rng(0).standard_normal((50, 3)).astype(np.float32)
    net = TwoSigmoidNet(3, 8, seed=2, input_scale=0.5)
    with torch.no_grad():
        net.output.weight += torch.arange(8.0)
    before = net.logits(torch.from_numpy(points))
    net.center_on(torch.from_numpy(points))
    features = hidden.centered_features(points)
    np.testing.assert_allclose(net.mean.numpy(), features.mean, atol=1e-6)
    assert not net.mean.requires_grad
    moved = before - net.logits(torch.from_numpy(points))
    np.testing.assert_allclose(moved.detach().numpy(), np.arange(8) @ features.mean, rtol=1e-5)


def test_only_the_output_neuron_is_trainable_and_states_travel() -> None:
    net = TwoSigmoidNet(3, 12, hidden="antithetic", seed=5, input_scale=0.5)
    assert [name for name, _ in net.named_parameters()] == ["output.weight", "output.bias"]
    assert [name for name, _ in net.named_buffers()] == ["hidden_weight", "hidden_bias", "input_scale", "mean"]
    assert all(not value.any() for value in net.parameters())
    with torch.no_grad():
        net.output.weight += torch.arange(12.0)
    buffer = io.BytesIO()
    torch.save(net.state_dict(), buffer)
    buffer.seek(0)
    other = TwoSigmoidNet(3, 12, seed=6)
    other.load_state_dict(torch.load(buffer, weights_only=True))
    x = torch.linspace(-1, 1, 30).reshape(10, 3)
    assert torch.equal(other(x), net(x))
    assert torch.equal(copy.deepcopy(net)(x), net(x))
    assert float((TwoSigmoidNet(3, 12, seed=6).hidden_weight - net.hidden_weight).abs().max()) > 0.1


def test_the_module_does_not_move_the_random_state_of_torch() -> None:
    before = torch.get_rng_state()
    TwoSigmoidNet(3, 12)
    assert torch.equal(torch.get_rng_state(), before)


def test_modules_that_make_no_sense_are_refused() -> None:
    with pytest.raises(BadInput, match="a hidden layer of kind 'x'"):
        TwoSigmoidNet(3, 12, hidden="x")
    with pytest.raises(BadInput, match=r"weights of shape \(4,\)\n  needed: one number for each of 5 neurons"):
        TwoSigmoidNet.from_trained(HiddenLayer(3, 5), np.zeros(4), 0.0)
    with pytest.raises(BadInput, match=r"a mean of shape \(1,\)"):
        TwoSigmoidNet.from_trained(HiddenLayer(3, 5), np.zeros(5), 0.0, [1.0])


def test_a_dataset_is_its_seed_and_its_labels_are_those_of_the_ball() -> None:
    target = BallTarget(LAW, 0.3)
    data, same, other = (RadialDataset(LAW, target, 3000, seed=seed) for seed in (1, 1, 2))
    assert len(data) == 3000
    assert torch.equal(data.points, same.points)
    assert torch.equal(data.labels, same.labels)
    assert not torch.equal(data.points, other.points)
    point, label = data[17]
    assert (point.shape, label.shape, point.dtype, label.dtype) == ((4,), (), torch.float32, torch.float32)
    norms = data.points.double().norm(dim=1)
    clear = (norms - target.radius).abs() > 1e-5
    assert torch.equal(data.labels[clear], (norms <= target.radius).float()[clear])
    assert 0.27 < float(data.labels.mean()) < 0.33


def test_a_dataset_is_independent_of_the_layer_with_the_same_seed() -> None:
    data = RadialDataset(Gaussian(3), BallTarget(Gaussian(3)), 10, seed=1).points
    directions = 0.5 * data / data.norm(dim=1, keepdim=True)
    assert float((directions - TwoSigmoidNet(3, 10, seed=1).hidden_weight).abs().max()) > 0.1


def test_a_loader_feeds_a_training() -> None:
    data = RadialDataset(LAW, BallTarget(LAW), 1000)
    order = torch.Generator().manual_seed(0)
    loader = torch.utils.data.DataLoader(data, batch_size=100, shuffle=True, generator=order)
    net = TwoSigmoidNet(4, 60, hidden="antithetic", input_scale=LAW.scale)
    net.center_on(data.points)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.3)
    for _ in range(20):
        for points, labels in loader:
            optimizer.zero_grad()
            torch.nn.functional.binary_cross_entropy_with_logits(net.logits(points), labels).backward()
            optimizer.step()
    test = RadialDataset(LAW, BallTarget(LAW), 1000, seed=1)
    with torch.no_grad():
        mse = float(((net(test.points) - test.labels) ** 2).mean())
    assert 0 < mse < 0.1


def test_datasets_that_make_no_sense_are_refused() -> None:
    with pytest.raises(BadInput, match="needed: a target for the same law"):
        RadialDataset(Gaussian(4), BallTarget(LAW), 10)
    with pytest.raises(BadInput, match="a dataset of -1 points with seed 0"):
        RadialDataset(LAW, BallTarget(LAW), -1)
    heavy = Student(3, 0.05)
    with pytest.raises(BadInput, match="needed: coordinates that float32 can hold"):
        RadialDataset(heavy, BallTarget(heavy, radius=1.0), 1000)
