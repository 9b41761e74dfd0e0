"""What all exports share: names of tensors, metadata, and a file that appears whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from depthsep.errors import MissingExtra
from depthsep.files import write_whole
from depthsep.networks.layers import DENSE_LIMIT_BYTES, Network
from depthsep.networks.profile import Array

__all__ = ["DENSE_LIMIT_BYTES", "Certified", "ExportResult", "metadata", "named_tensors", "require", "write_model"]


class Certified(Protocol):
    """What an export needs to know of a network with its proof."""

    @property
    def network(self) -> Network:
        """The network."""

    @property
    def sup_error_upper(self) -> Fraction:
        """The proved error."""

    @property
    def digest(self) -> str:
        """The digest of the document that proves it."""


@dataclass(frozen=True)
class ExportResult:
    """A model file that was written.

    Args:
        path: Where.
        parameters: The number of weights and biases in it.
        rounding_error_upper: |computed - exact value of the network| is at most this when the file is evaluated in
            float64 at float64 points of exact norm at most 1, whatever the order of summation. It comes on top of the
            proved error; evaluation in float32 is not covered.
    """

    path: Path
    parameters: int
    rounding_error_upper: Fraction


def require(package: str, task: str, extra: str) -> Any:
    """Import an optional package.

    Raises:
        MissingExtra: It is not installed; the text names the extra to install.
    """
    try:
        return import_module(package)
    except ImportError as error:
        raise MissingExtra(task, package.partition(".")[0], extra) from error


def named_tensors(network: Network, limit_bytes: int = DENSE_LIMIT_BYTES) -> dict[str, Array]:
    """Expand to tensors hidden1.weight, hidden1.bias, ..., output.weight, output.bias, in this order.

    Raises:
        OutOfReach: They take more than `limit_bytes`.
    """
    layers = network.dense_layers(limit_bytes)
    names = [*(f"hidden{place}" for place in range(1, len(layers))), "output"]
    return {
        f"{name}.{part}": tensor
        for name, (weight, bias) in zip(names, layers, strict=True)
        for part, tensor in (("weight", weight), ("bias", bias))
    }


def metadata(certified: Certified) -> dict[str, str]:
    """Describe where the model comes from and what is proved about it."""
    network = certified.network
    return {
        "depthsep.document": certified.digest,
        "depthsep.sup_error_upper": str(certified.sup_error_upper),
        "depthsep.rounding_error_upper": repr(float(network.flat_rounding_error_upper)),
        "depthsep.domain": "unit-ball",
    }


def write_model(
    certified: Certified, path: str | os.PathLike[str], force: bool, save: Callable[[Path], None]
) -> ExportResult:
    """Write a model file by `save`; see `depthsep.files.write_whole` for what it may raise."""
    network = certified.network
    target = write_whole(path, force, save)
    return ExportResult(target, network.parameters, network.flat_rounding_error_upper)
