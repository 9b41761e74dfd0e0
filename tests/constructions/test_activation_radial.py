"""Depth-2 networks with any activation: each proved, none wider than it has to be, and what is said when it fails."""

from fractions import Fraction

import numpy as np
import pytest

from depthsep.activations import ACTIVATIONS
from depthsep.certificates.document import CertifiedNetwork, load
from depthsep.constructions.activation_radial import build_with_activation
from depthsep.errors import BadInput, OutOfReach
from depthsep.functions import Radial
from depthsep.networks import ActivationNetwork
from depthsep_check import check


def built(text: str, dim: int, eps: str, activation: str, **options: int) -> CertifiedNetwork:
    return build_with_activation(Radial(text, dim), Fraction(eps), activation, **options)


def points_of(dim: int) -> np.ndarray:
    """Points on axes, on diagonals of some coordinates and at random, at many radii."""
    rng = np.random.default_rng(dim)
    directions = rng.normal(size=(20, dim))
    directions = np.concatenate([np.eye(dim)[:2], np.tril(np.ones((dim, dim))), directions])
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return (directions[:, None] * np.linspace(0, 1 - 1e-15, 120)[:, None]).reshape(-1, dim)


def require_proved(net: CertifiedNetwork, text: str, dim: int, eps: str, activation: str) -> None:
    """The document is verified, names what was asked, and the network keeps its word at some thousand points."""
    verdict = check(net.document_text)
    assert verdict.ok, verdict.line
    words = f"widths ({net.widths[0]}), activation {activation}; f(x) = phi(||x||), phi(r) = {text}"
    assert f"in dimension {dim} " in verdict.text
    assert words in verdict.text
    assert 0 < net.sup_error_upper <= Fraction(eps)
    assert net.summary()["activation"] == activation
    points = points_of(dim)
    errors = np.abs(net(points) - Radial(text, dim)(points))
    assert errors.max() <= float(net.sup_error_upper) + 1e-11
    assert errors.max() >= 0.2 * float(net.sup_error_upper)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation(activation: str) -> None:
    eps = "0.4" if activation == "step" else "0.3"
    require_proved(built("1 - r", 2, eps, activation), "1 - r", 2, eps, activation)


@pytest.mark.parametrize(
    ("activation", "per_direction"),
    [("relu", 4), ("tanh", 10), ("sigmoid", 8), ("softplus", 6), ("gelu", 2)],
)
def test_neurons_for_every_direction(activation: str, per_direction: int) -> None:
    """The cone in dimension 100 with the hundred axes."""
    net = built("1 - r", 100, "0.3", activation)
    require_proved(net, "1 - r", 100, "0.3", activation)
    assert net.widths[0] <= 100 * per_direction


def test_two_gelu_units_for_every_direction() -> None:
    """Slopes and centres that no grid has; all products are float64 numbers."""
    net = built("1 - r", 10, "0.1", "gelu")
    require_proved(net, "1 - r", 10, "0.1", "gelu")
    groups = net.network.groups  # type: ignore[attr-defined]
    assert net.widths[0] <= 2 * sum(group.directions.count for group in groups)
    assert net.network.dense_layers()[0][0].shape == (net.widths[0], 10)
    assert np.abs(net.network.dense_layers()[1][0]).max() < 1000


@pytest.mark.parametrize(
    ("text", "dim", "eps", "activation"),
    [
        ("exp(-r^2)", 6, "0.05", "gelu"),
        ("max(0, 1/2 - r)", 2, "0.1", "tanh"),
        ("100 - 100*r", 3, "30", "sigmoid"),
        ("(1 - r)/100000", 2, "1/500000", "silu"),
        ("sqrt(r)", 1, "0.25", "erf"),
    ],
)
def test_profiles_and_scales(text: str, dim: int, eps: str, activation: str) -> None:
    require_proved(built(text, dim, eps, activation), text, dim, eps, activation)


def test_no_neuron_where_a_constant_will_do() -> None:
    net = built("1 - r", 4, "0.51", "tanh")
    assert net.widths == (0,)
    assert "widths (0), activation tanh" in net.verdict.text


def test_the_document_can_be_loaded_and_the_request_repeated(tmp_path) -> None:  # type: ignore[no-untyped-def]
    first, second = (built("1 - r", 2, "0.3", "gelu") for _ in range(2))
    assert first.document_text == second.document_text
    loaded = load(first.save(tmp_path / "net.json"))
    assert isinstance(loaded.network, ActivationNetwork)
    assert loaded.network == first.network
    assert first.summary()["rounding_error_upper"] is None
    slopes = [slope for group in first.network.groups for slope in group.slopes]  # type: ignore[attr-defined]
    assert all(np.frexp(slope)[0] == 0.5 for slope in slopes)


def test_too_few_neurons() -> None:
    with pytest.raises(OutOfReach) as caught:
        built("1 - r", 10, "0.3", "gelu", max_width=9)
    error = caught.value
    assert error.asked == "a depth-2 gelu network within 3/10 of 1 - r in dimension 10, at most 9 neurons"
    assert error.found == "none of the families of directions that were tried gets there"
    assert error.needed.startswith("a moment sandwich (Safran, Eldan & Shamir 2019, Theorem 1)")
    assert error.do == "allow more neurons (--max-width), a larger eps, or another activation"
    assert error.reached == {"predicted_width": None}
    with pytest.raises(OutOfReach, match=r"about [0-9]+ neurons needed \(an estimate\)"):
        built("abs(r - 1/2)", 2, "0.15", "tanh", max_width=6)


def test_an_unknown_activation() -> None:
    with pytest.raises(BadInput, match="the activation 'swish'"):
        built("1 - r", 2, "0.3", "swish")


def test_progress_is_told() -> None:
    told: list[str] = []
    build_with_activation(
        Radial("1 - r", 2), Fraction(3, 10), "gelu", progress=lambda text, fraction: told.append(text)
    )
    assert told[0] == "trying moments up to degree 2"
    assert told[-1].startswith("proving ")
    assert any(text.startswith("placing units: ") for text in told)
