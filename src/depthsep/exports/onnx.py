"""ONNX: the chain Gemm, Relu, ..., Gemm in float64, input "x" of shape [N, dim], output "y" of shape [N, outputs].

A network that is guaranteed exact in float32 on its grid may be written in float32. In place of Relu other activations
have a few nodes each, see `onnx_activations`.

`depthsep_check` compares such a file with the document: same graph, same weights, same function in exact arithmetic
(but for what stands in place of erf and of 1/100, which it says).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from depthsep.exports.model_file import (
    DENSE_LIMIT_BYTES,
    Certified,
    ExportResult,
    activation_of,
    exportable,
    input_count,
    metadata,
    named_tensors,
    output_count,
    require,
    require_exact,
    write_model,
)
from depthsep.exports.onnx_activations import ActivationNodes

__all__ = ["to_onnx", "write"]

_OPSET = 17
_IR_VERSION = 8


def to_onnx(certified: Certified, limit_bytes: int = DENSE_LIMIT_BYTES, dtype: str = "float64") -> Any:
    """Build the onnx.ModelProto of a network.

    Raises:
        MissingExtra: onnx is not installed.
        BadInput: The network is not exact in this type.
        OutOfReach: The flat layers take more than `limit_bytes`.
    """
    onnx = require("onnx", "export to ONNX", "export")
    numpy_helper = require("onnx.numpy_helper", "export to ONNX", "export")
    require_exact(certified, dtype)
    network = exportable(certified)
    tensors = named_tensors(network, limit_bytes, dtype)
    names = [name.removesuffix(".weight") for name in tensors if name.endswith(".weight")]
    make_node, nodes, constants, current = onnx.helper.make_node, [], [], "x"
    for name in names:
        result = "y" if name == "output" else f"{name}.sum"
        nodes.append(make_node("Gemm", [current, f"{name}.weight", f"{name}.bias"], [result], name=name, transB=1))
        if name != "output":
            current = f"{name}.value"
            activation = ActivationNodes(onnx, name)
            activation.add(activation_of(network), result, current)
            nodes += activation.nodes
            constants += activation.constants
    kind, make_value = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        nodes,
        "depthsep",
        [make_value("x", kind, ["N", input_count(network)])],
        [make_value("y", kind, ["N", output_count(network)])],
        [*(numpy_helper.from_array(tensor, name) for name, tensor in tensors.items()), *constants],
    )
    opsets = [onnx.helper.make_opsetid("", _OPSET)]
    model = onnx.helper.make_model(graph, producer_name="depthsep", ir_version=_IR_VERSION, opset_imports=opsets)
    onnx.helper.set_model_props(model, metadata(certified, dtype))
    return model


def write(
    certified: Certified,
    path: str | os.PathLike[str],
    *,
    force: bool = False,
    limit_bytes: int = DENSE_LIMIT_BYTES,
    dtype: str = "float64",
) -> ExportResult:
    """Write a network as an ONNX file, all weights inside.

    Args:
        certified: The network with its proof.
        path: The file to write.
        force: Replace a file that is there.
        limit_bytes: The largest size of the flat layers, in float64.
        dtype: "float64" or "float32".

    Raises:
        MissingExtra: onnx is not installed.
        BadInput: Evaluation in float32 is not guaranteed exact, or a weight is no float64.
        OutOfReach: The flat layers take more than `limit_bytes`.
        DocumentExists: The file is there and `force` is False.
    """

    def save(part: Path) -> None:
        part.write_bytes(to_onnx(certified, limit_bytes, dtype).SerializeToString())

    return write_model(certified, path, force, save)
