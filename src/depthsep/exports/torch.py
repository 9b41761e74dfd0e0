"""PyTorch: the network as an nn.Sequential of float64 Linear and ReLU layers, or its state_dict in a file.

A file is read back with `torch.load(path, weights_only=True)` and fits `to_torch(network).load_state_dict(...)`.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

from depthsep.exports.model_file import DENSE_LIMIT_BYTES, Certified, ExportResult, require, write_model
from depthsep.networks import Network

__all__ = ["to_torch", "write"]


def to_torch(network: Network, limit_bytes: int = DENSE_LIMIT_BYTES) -> Any:
    """Build the torch.nn.Sequential of a network, in float64.

    Raises:
        MissingExtra: torch is not installed.
        OutOfReach: The flat layers take more than `limit_bytes`.
    """
    torch = require("torch", "export to PyTorch", "torch")
    modules: list[Any] = []
    for weight, bias in network.dense_layers(limit_bytes):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Initializing zero-element tensors")  # a layer may have no units
            linear = torch.nn.Linear(weight.shape[1], weight.shape[0], dtype=torch.float64, device="meta")
        tensors = {"weight": torch.from_numpy(weight), "bias": torch.from_numpy(bias)}
        linear.load_state_dict(tensors, assign=True)
        modules += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1])


def write(
    certified: Certified,
    path: str | os.PathLike[str],
    *,
    force: bool = False,
    limit_bytes: int = DENSE_LIMIT_BYTES,
) -> ExportResult:
    """Write the state_dict of the network's nn.Sequential.

    Args:
        certified: The network with its proof.
        path: The file to write.
        force: Replace a file that is there.
        limit_bytes: The largest size of the flat layers.

    Raises:
        MissingExtra: torch is not installed.
        OutOfReach: The flat layers take more than `limit_bytes`.
        DocumentExists: The file is there and `force` is False.
    """
    torch = require("torch", "export to PyTorch", "torch")

    def save(part: Path) -> None:
        torch.save(to_torch(certified.network, limit_bytes).state_dict(), part)

    return write_model(certified, path, force, save)
