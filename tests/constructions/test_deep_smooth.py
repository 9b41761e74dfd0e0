"""Depth-3 networks of smooth units: counts, verdicts, errors at points, refusals."""

from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

import depthsep as ds
from depthsep.certificates.document import load
from depthsep.constructions.deep_smooth import search
from depthsep.errors import BadInput, OutOfReach
from depthsep.functions import Radial
from depthsep.networks import SmoothSeparableNetwork
from depthsep_check import check


def _points(dim: int) -> NDArray[np.float64]:
    rows = np.random.default_rng(1).normal(size=(200, dim))
    rows[:100, 3:] = 0.0  # near the axes
    return np.asarray(rows * (np.linspace(0, 1 - 1e-12, 200) / np.linalg.norm(rows, axis=1))[:, None])


@pytest.mark.parametrize(
    ("text", "dim", "eps", "activation", "widths"),
    [
        ("1 - r", 128, "1/100", "softplus", (130, 8)),
        ("sin(9*r)", 20, "1/20", "softplus", (22, 14)),
        ("abs(r - 1/2)", 6, "1/20", "softplus", (8, 8)),
        ("1 - r", 30, "1/20", "sigmoid", (31, 10)),
        ("cos(5*r^2)", 12, "1/10", "tanh", (13, 20)),
        ("1/3 + 0*r", 5, "1/10", "sigmoid", (6, 0)),
    ],
)
def test_search(text: str, dim: int, eps: str, activation: str, widths: tuple[int, int]) -> None:
    made = search(Radial(text, dim=dim), Fraction(eps), activation)
    assert check(made.document_text).ok
    assert made.widths[0] == widths[0]
    assert made.widths[1] <= widths[1]
    assert made.sup_error_upper <= Fraction(eps)
    assert isinstance(made.network, SmoothSeparableNetwork)
    points = _points(dim)
    exact = np.asarray(Radial(text, dim=dim).profile(np.linalg.norm(points, axis=1)))
    assert np.abs(made(points) - exact).max() <= float(made.sup_error_upper) + 1e-6
    assert made.network.rounding_error_estimate(points[::20]) < 1e-6


def test_build_and_load(tmp_path: object) -> None:
    made = ds.build("1 - r", dim=10, eps="0.1", depth=3, activation="softplus")
    assert made.widths == (12, 2)
    path = made.save(f"{tmp_path}/smooth.json")
    loaded = load(path)
    assert loaded.document_text == made.document_text
    assert loaded.widths == made.widths


def test_refusals() -> None:
    with pytest.raises(BadInput, match="needed: one of softplus, sigmoid, tanh"):
        search(Radial("1 - r", dim=3), Fraction(1, 10), "gelu")
    with pytest.raises(OutOfReach, match="needed: at most 4096 times"):
        search(Radial("1 - r", dim=3), Fraction(1, 10**5), "tanh")


def test_exports_have_the_activation() -> None:
    pytest.importorskip("onnx")
    from depthsep.exports.onnx import to_onnx

    made = search(Radial("1 - r", dim=3), Fraction(1, 10), "tanh")
    operators = [node.op_type for node in to_onnx(made).graph.node]
    assert operators.count("Tanh") == 2
    assert "Relu" not in operators
