"""ONNX: the chain Gemm, Relu, ..., Gemm in float64, input "x" of shape [N, dim], output "y" of shape [N, 1].

`depthsep_check` compares such a file with the document: same graph, same weights, same function in exact arithmetic.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from depthsep.exports.model_file import (
    DENSE_LIMIT_BYTES,
    Certified,
    ExportResult,
    metadata,
    named_tensors,
    require,
    write_model,
)

__all__ = ["to_onnx", "write"]

_OPSET = 17
_IR_VERSION = 8


def to_onnx(certified: Certified, limit_bytes: int = DENSE_LIMIT_BYTES) -> Any:
    """Build the onnx.ModelProto of a network.

    Raises:
        MissingExtra: onnx is not installed.
        OutOfReach: The flat layers take more than `limit_bytes`.
    """
    onnx = require("onnx", "export to ONNX", "export")
    numpy_helper = require("onnx.numpy_helper", "export to ONNX", "export")
    tensors = named_tensors(certified.network, limit_bytes)
    names = [name.removesuffix(".weight") for name in tensors if name.endswith(".weight")]
    make_node, nodes, current = onnx.helper.make_node, [], "x"
    for name in names:
        result = "y" if name == "output" else f"{name}.sum"
        nodes.append(make_node("Gemm", [current, f"{name}.weight", f"{name}.bias"], [result], name=name, transB=1))
        if name != "output":
            nodes.append(make_node("Relu", [result], [f"{name}.value"], name=f"{name}.relu"))
            current = f"{name}.value"
    double, make_value = onnx.TensorProto.DOUBLE, onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        nodes,
        "depthsep",
        [make_value("x", double, ["N", certified.network.dim])],
        [make_value("y", double, ["N", 1])],
        [numpy_helper.from_array(tensor, name) for name, tensor in tensors.items()],
    )
    opsets = [onnx.helper.make_opsetid("", _OPSET)]
    model = onnx.helper.make_model(graph, producer_name="depthsep", ir_version=_IR_VERSION, opset_imports=opsets)
    onnx.helper.set_model_props(model, metadata(certified))
    return model


def write(
    certified: Certified,
    path: str | os.PathLike[str],
    *,
    force: bool = False,
    limit_bytes: int = DENSE_LIMIT_BYTES,
) -> ExportResult:
    """Write a network as an ONNX file, all weights inside.

    Args:
        certified: The network with its proof.
        path: The file to write.
        force: Replace a file that is there.
        limit_bytes: The largest size of the flat layers.

    Raises:
        MissingExtra: onnx is not installed.
        OutOfReach: The flat layers take more than `limit_bytes`.
        DocumentExists: The file is there and `force` is False.
    """

    def save(part: Path) -> None:
        part.write_bytes(to_onnx(certified, limit_bytes).SerializeToString())

    return write_model(certified, path, force, save)
