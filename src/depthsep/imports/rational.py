"""JSON: an exact network by itself, or the network that a depthsep document is about."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

from depthsep.certificates import load
from depthsep.errors import BadInput
from depthsep.imports.chain import check_size
from depthsep.networks import Network, ReluNetwork
from depthsep.networks.integer_layers import IntegerLayers

__all__ = ["flat", "read"]

_LARGEST_FILE = 64 * 2**20


def read(path: Path) -> ReluNetwork:
    """Read the `relu-network` object of the document format; of a document its network, once the checker accepts it.

    Raises:
        BadInput: It is neither.
        NotProved: The checker does not accept the document.
        OutOfReach: The network is too large as flat layers.
    """
    asked = f"read the network {path}"
    if path.stat().st_size > _LARGEST_FILE:
        raise BadInput(asked, found=f"{path.stat().st_size} bytes", needed=f"at most {_LARGEST_FILE} bytes")
    try:
        obj = json.loads(path.read_bytes(), parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as problem:  # UnicodeDecodeError and JSONDecodeError among them
        raise BadInput(
            asked, found=str(problem), needed="JSON: a relu-network object, or a depthsep document"
        ) from None
    if isinstance(obj, dict) and "format" in obj:
        return flat(load(path).network, asked)
    return ReluNetwork.from_json(obj)


def flat(network: Any, asked: str) -> ReluNetwork:
    """Expand a network of any kind to exact layers.

    Args:
        network: A ReluNetwork, or any network of a depthsep document.
        asked: What is being read, for errors.

    Raises:
        BadInput: It is no ReLU network, or the weights of an integer network are not float64.
        OutOfReach: It is too large as flat layers.
    """
    if isinstance(network, ReluNetwork):
        return network
    activation = getattr(network, "activation", "relu")
    if activation != "relu":
        raise BadInput(asked, found=f"a network with the activation {activation}", needed="a ReLU network")
    if isinstance(network, Network):
        check_size(asked, network.parameters)
        return ReluNetwork.from_arrays(network.dense_layers())
    if isinstance(network, IntegerLayers):
        sizes = (network.dim, *network.widths, len(network.outputs))
        check_size(asked, sum((before + 1) * after for before, after in pairwise(sizes)))
        return ReluNetwork.from_arrays([(matrix.toarray(), biases) for matrix, biases in network.sparse_layers()])
    raise BadInput(asked, found=f"a {type(network).__name__}", needed="a ReLU network")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    obj = dict(pairs)
    if len(obj) != len(pairs):
        raise ValueError("an object with the same key twice")
    return obj


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text}, which is no number of JSON")
