"""safetensors: tensors without an order, so the layers are named by the user, or are the ones that depthsep writes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthsep.errors import BadInput
from depthsep.extras import require
from depthsep.imports.chain import Chain, exact_layer
from depthsep.networks import ReluNetwork

__all__ = ["read"]


def read(path: Path, layers: Sequence[str] | None) -> ReluNetwork:
    """Read the tensors NAME.weight, of shape (outputs, inputs), and NAME.bias of every layer, a ReLU between them.

    Args:
        path: The file.
        layers: The names, first layer first; None for hidden1, hidden2, ..., output.

    Raises:
        MissingExtra: safetensors is not installed.
        BadInput: It is no such file, a tensor is missing or has the wrong shape, or the order is not known.
    """
    library = require("safetensors", f"read the network {path}", "export")
    asked = f"read the network {path}"
    try:
        with library.safe_open(path, "numpy") as file:
            names = sorted(file.keys(), key=_natural)
            order = _own_order(names, asked) if layers is None else list(layers)
            _check_names(order, names, asked)
            return _chain(file, order, set(names), path)
    except library.SafetensorError as problem:
        raise BadInput(asked, found=str(problem), needed="a safetensors file") from None


def _chain(file: Any, order: list[str], names: set[str], path: Path) -> ReluNetwork:
    chain = Chain(f"read the network {path}")
    for number, name in enumerate(order):
        place = f"layer {name!r} of {path}"
        if number:
            chain.relu()
        weights = _tensor(file, f"{name}.weight", path)
        biases = _tensor(file, f"{name}.bias", path) if f"{name}.bias" in names else None
        chain.affine(exact_layer(weights, biases, place), place)
    return chain.network()


def _tensor(file: Any, key: str, path: Path) -> NDArray[Any]:
    kind = file.get_slice(key).get_dtype()
    if kind == "BF16":
        return _bfloat16(path, key)
    if kind not in ("F16", "F32", "F64"):
        raise BadInput(
            f"read the tensor {key!r} of {path}", found=f"numbers of type {kind}", needed="F16, BF16, F32 or F64"
        )
    return np.asarray(file.get_tensor(key))


def _bfloat16(path: Path, key: str) -> NDArray[np.float32]:
    """Read numbers that numpy has no type for: the upper halves of float32. The library has checked the file."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        entry = json.loads(file.read(size))[key]
        start, end = entry["data_offsets"]
        file.seek(8 + size + start)
        halves = np.frombuffer(file.read(end - start), dtype="<u2")
    return (halves.astype(np.uint32) << 16).view(np.float32).reshape(entry["shape"])


def _own_order(names: list[str], asked: str) -> list[str]:
    """The order of the layers where the names are those of a depthsep export."""
    hidden = sum(name.endswith(".weight") for name in names) - 1
    order = [*(f"hidden{place}" for place in range(1, hidden + 1)), "output"]
    if set(names) == {f"{name}.{part}" for name in order for part in ("weight", "bias")}:
        return order
    found = [name.removesuffix(".weight") for name in names if name.endswith(".weight")]
    raise BadInput(
        asked,
        found=f"layers {', '.join(found)}" if found else f"the tensors {', '.join(names) or '(none)'}",
        needed="their order, which the file does not say",
        do=f"name the layers from first to last: layers={found!r} (--layers {','.join(found)})" if found else "",
    )


def _check_names(order: list[str], names: list[str], asked: str) -> None:
    """Every layer has weights, and nothing beside weights and biases."""
    missing = [f"{name}.weight" for name in order if f"{name}.weight" not in names]
    if missing or not order:
        found = f"no tensor {', '.join(missing)}" if missing else "an empty list of layers"
        raise BadInput(asked, found=found, needed=f"tensors of the file: {', '.join(names) or '(none)'}")
    known = {f"{name}.{part}" for name in order for part in ("weight", "bias")}
    strange = [name for name in names if name.rpartition(".")[0] in order and name not in known]
    if strange:
        found = f"the tensor {', '.join(strange)}"
        raise BadInput(asked, found=found, needed="layers that have a weight and a bias and nothing else")


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort fc2 before fc10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", name)]
