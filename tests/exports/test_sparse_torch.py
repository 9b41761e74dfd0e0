"""Networks of integers in PyTorch: sparse layers, the same bits on the grid."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from depthsep.certificates import CertifiedEquality
from depthsep.errors import BadInput, OutOfReach
from depthsep.exports import ExportResult, torch
from depthsep.networks import DOMAINS, Block, IntegerLayers, OutputRow, ReluNetwork
from depthsep_check import check

library = pytest.importorskip("torch", reason="torch is not installed")

TENT = IntegerLayers(
    2,
    (
        (Block([0], [8], [0, -4]), Block([], [], [1]), Block([0, 1], [8, -8], [3])),
        (Block([0, 1], [1, -2], [0]), Block([2, 3], [5, -1], [-1, 0])),
    ),
    ([0, 1, -2, 3], [2, 0, -1]),
    (OutputRow([0, 2], [3, 1], -1), OutputRow([], [], 7)),
    Fraction(-5, 4),
)
CONE = ReluNetwork.from_arrays([([[4], [-4]], [-2, 2]), ([[1, 1]], [0])])


def points() -> np.ndarray:
    axis = np.arange(9) / 8
    return np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)


def test_sparse_layers_compute_the_same_bits(tmp_path: Path) -> None:
    assert TENT.float64_exact_on_grid(3, DOMAINS[0])
    claim = {"kind": "grid-equality", "grid_bits": 3, "domain": DOMAINS[0]}
    text = json.dumps({"claim": claim, "witness": {"mode": "merged", "fine_bits": None}})
    result = torch.write(CertifiedEquality(CONE, TENT, text, check("")), tmp_path / "model.pt")
    assert result == ExportResult(tmp_path / "model.pt", 4 * 3 + 3 * 5 + 2 * 4, Fraction(0))
    model, fresh = torch.to_torch(TENT), torch.to_torch(TENT)
    for name in fresh.state_dict():
        if name.endswith("values"):
            fresh.get_buffer(name).zero_()
    fresh.load_state_dict(library.load(tmp_path / "model.pt", weights_only=True))
    for module in (model, fresh):
        values = module(library.from_numpy(points()))
        assert values.dtype == library.float64
        assert np.array_equal(values.numpy(), TENT(points()))
    assert not list(model.parameters())
    assert (
        sum(len(values) for name, values in model.state_dict().items() if name.endswith("values")) == TENT.weights_count
    )


def test_single_layers_stay_sparse() -> None:
    state = torch.to_torch(TENT).state_dict()
    assert sorted(state) == sorted(f"{place}.{part}" for place in (0, 2, 4) for part in ("indices", "values", "bias"))
    assert state["0.indices"].tolist() == [[0, 1, 3, 3], [0, 0, 0, 1]]
    assert state["0.values"].tolist() == [8.0, 16.0, 64.0, -64.0]


def test_exact_rewritings_are_linear_layers() -> None:
    model = torch.to_torch(CONE)
    assert [type(module).__name__ for module in model] == ["Linear", "ReLU", "Linear"]
    assert model(library.tensor([[0.75]], dtype=library.float64)).tolist() == [[1.0]]
    third = ReluNetwork.from_arrays([([["1/3"]], [0])])
    with pytest.raises(BadInput, match="a weight or a bias that no float64 equals"):
        torch.to_torch(third)


def test_too_many_weights_are_refused() -> None:
    size = 24 * TENT.weights_count
    with pytest.raises(
        OutOfReach,
        match=f"they take {size} bytes\n  needed: at most {size - 1} bytes\n  do:     evaluate the network itself",
    ) as caught:
        torch.to_torch(TENT, size - 1)
    assert caught.value.reached == {"bytes": size}
    assert torch.to_torch(TENT, size) is not None
