"""PyTorch: a module in float64, or its state_dict in a file.

An approximation, or a network that equals another one everywhere, becomes an nn.Sequential of Linear layers and its
activation (ReLU, LeakyReLU, Softplus, GELU, SiLU, Sigmoid, Tanh, Hardtanh, or a module of one line for erf and step);
of a network of integers the layers are sparse and have the weights that are not 0 as buffers. A file is read back with
`torch.load(path, weights_only=True)` and fits `to_torch(network).load_state_dict(...)`.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from depthsep.activations import ACTIVATIONS
from depthsep.errors import BadInput, OutOfReach
from depthsep.exports.model_file import (
    DENSE_LIMIT_BYTES,
    Certified,
    Exportable,
    ExportResult,
    activation_of,
    exportable,
    named_tensors,
    require,
    write_model,
)
from depthsep.networks import IntegerLayers

__all__ = ["to_torch", "write"]

_BYTES_PER_WEIGHT = 24  # two indices and a value


def to_torch(network: Exportable, limit_bytes: int = DENSE_LIMIT_BYTES) -> Any:
    """Build the torch module of a network, in float64; of a network of integers, with sparse layers.

    Raises:
        MissingExtra: torch is not installed.
        OutOfReach: The layers take more than `limit_bytes`.
        BadInput: A weight is no float64.
    """
    torch = require("torch", "export to PyTorch", "torch")
    if isinstance(network, IntegerLayers):
        layers = _sparse_layers(torch, network, limit_bytes)
    else:
        tensors = list(named_tensors(network, limit_bytes).values())
        layers = [_linear(torch, weight, bias) for weight, bias in zip(tensors[::2], tensors[1::2], strict=True)]
    modules = [module for layer in layers for module in (layer, _activation(torch, activation_of(network)))]
    return torch.nn.Sequential(*modules[:-1])


def _activation(torch: Any, name: str) -> Any:
    known = ACTIVATIONS.get(name)
    make = None if known is None else known.torch_module
    if make is None:
        asked = f"export the activation {name} to torch"
        raise BadInput(asked, needed="an activation of the catalogue", do="export to safetensors: weights only")
    return make(torch)


def _linear(torch: Any, weight: Any, bias: Any) -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Initializing zero-element tensors")  # a layer may have no units
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0], dtype=torch.float64, device="meta")
    tensors = {"weight": torch.from_numpy(weight), "bias": torch.from_numpy(bias)}
    linear.load_state_dict(tensors, assign=True)
    return linear


def _sparse_layers(torch: Any, network: IntegerLayers, limit_bytes: int) -> list[Any]:
    needed = _BYTES_PER_WEIGHT * network.weights_count
    if needed > limit_bytes:
        raise OutOfReach(
            f"the sparse layers of a network of {network.weights_count} weights",
            found=f"they take {needed} bytes",
            needed=f"at most {limit_bytes} bytes",
            do="evaluate the network itself, which stores the row of a block once, or raise the limit",
            reached={"bytes": needed},
        )

    class SparseLinear(torch.nn.Module):  # type: ignore[misc]
        """x -> W x + b, W by its nonzero entries; plain buffers, so that every torch can store and load them."""

        def __init__(self, weights: Any, biases: Any) -> None:
            super().__init__()
            self.shape = tuple(weights.shape)
            entries = weights.tocoo()
            self.register_buffer("indices", torch.from_numpy(np.stack((entries.row, entries.col)).astype(np.int64)))
            self.register_buffer("values", torch.from_numpy(entries.data))
            self.register_buffer("bias", torch.from_numpy(biases))

        def forward(self, points: Any) -> Any:
            matrix = torch.sparse_coo_tensor(
                self.indices, self.values, self.shape, is_coalesced=True, check_invariants=True
            )
            return torch.sparse.mm(matrix, points.T).T + self.bias

    return [SparseLinear(weights, biases) for weights, biases in network.sparse_layers()]


def write(
    certified: Certified,
    path: str | os.PathLike[str],
    *,
    force: bool = False,
    limit_bytes: int = DENSE_LIMIT_BYTES,
) -> ExportResult:
    """Write the state_dict of the network's module.

    Args:
        certified: The network with its proof.
        path: The file to write.
        force: Replace a file that is there.
        limit_bytes: The largest size of the layers.

    Raises:
        MissingExtra: torch is not installed.
        OutOfReach: The layers take more than `limit_bytes`.
        BadInput: A weight is no float64.
        DocumentExists: The file is there and `force` is False.
    """
    torch = require("torch", "export to PyTorch", "torch")

    def save(part: Path) -> None:
        torch.save(to_torch(exportable(certified), limit_bytes).state_dict(), part)

    return write_model(certified, path, force, save)
