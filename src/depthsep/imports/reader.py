"""One function that reads a network wherever it comes from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from depthsep.errors import BadInput
from depthsep.imports import onnx, rational, safetensors, torch
from depthsep.imports.chain import check_size
from depthsep.networks import Network, ReluNetwork
from depthsep.networks.integer_layers import IntegerLayers

__all__ = ["read_network"]

_SOURCES = (
    "a path, a list of pairs (W, b), a relu-network object, a ReluNetwork, an onnx.ModelProto or a torch.nn.Sequential"
)


def read_network(source: Any, *, layers: Sequence[str] | None = None) -> ReluNetwork:
    """Read a network exactly: every weight is the very number that is stored.

    Args:
        source: The path of an ONNX, safetensors or JSON file; an onnx.ModelProto; a torch.nn.Sequential; a list of
            pairs (W, b) of arrays or lists; the JSON object of a `relu-network`; a network of this library or one with
            its proof. A ReLU stands between any two layers.
        layers: The names of the layers of a safetensors file, first layer first.

    Returns:
        The network, in exact arithmetic; a float32 or float64 program computes it up to its rounding.

    Raises:
        BadInput: The source is none of these, something in it is not supported (all of it is listed), or a number is
            not finite. The text says where.
        MissingExtra: The package for the format is not installed.
        OutOfReach: There are more weights than a document can hold.

    >>> read_network([([[1.5, -1.5], [2, 0]], [0, 0]), ([["1/3", "1/3"]], [0])]).widths
    (2,)
    """
    is_path = isinstance(source, str | os.PathLike)
    path = Path(source) if is_path else None
    if layers is not None and (path is None or path.suffix != ".safetensors"):
        shown = path or f"a {type(source).__name__}"
        raise BadInput(f"read the layers {', '.join(layers)} of {shown}", needed="a safetensors file")
    network = _read_object(source) if path is None else _read_file(path, layers)
    check_size(f"read the network {path or 'given'}", network.parameters, network.depth)
    return network


def _read_file(path: Path, layers: Sequence[str] | None) -> ReluNetwork:
    asked = f"read the network {path}"
    if not path.is_file():
        raise BadInput(asked, found="a folder" if path.is_dir() else "no such file", needed="a file with a network")
    try:
        match path.suffix:
            case ".onnx":
                return onnx.read_file(path)
            case ".safetensors":
                return safetensors.read(path, layers)
            case ".json":
                return rational.read(path)
    except OSError as problem:
        raise BadInput(asked, found=problem.strerror or str(problem), needed="a file that may be read") from None
    pickled = path.suffix in (".pt", ".pth")
    raise BadInput(
        asked,
        found=f"the suffix {path.suffix!r}",
        needed=".onnx, .safetensors or .json",
        do="load the module in Python and pass it to read_network, or export it to ONNX" if pickled else "",
    )


def _read_object(source: Any) -> ReluNetwork:
    asked = f"read a network from a {type(source).__name__}"
    if isinstance(source, ReluNetwork):
        return source
    if isinstance(source, list | tuple):
        return ReluNetwork.from_arrays(source)
    if isinstance(source, dict):
        return ReluNetwork.from_json(source)
    if torch.is_module(source):
        return torch.read(source)
    if onnx.is_model(source):
        return onnx.read(source)
    if isinstance(source, Network | IntegerLayers) or hasattr(source, "network"):
        return rational.flat(getattr(source, "network", source), asked)
    raise BadInput(asked, needed=_SOURCES)
