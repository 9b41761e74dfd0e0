"""ONNX: a chain of Gemm, MatMul, Add and Relu nodes, in float16, float32 or float64.

The network is what the graph computes in exact arithmetic on its stored numbers. A file is read node by node; the value
that is handed on is a row of numbers for each point (shape [N, dim]), or a single one (shape [dim]).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthsep.errors import BadInput
from depthsep.extras import require
from depthsep.imports.chain import Chain, exact_layer, exact_vector
from depthsep.networks import AffineLayer, ReluNetwork
from depthsep.networks.exact_numbers import exact_number

__all__ = ["is_model", "read", "read_file"]

# The operators and the attributes of each that are understood.
_OPERATORS: dict[str, tuple[str, ...]] = {
    "Gemm": ("alpha", "beta", "transA", "transB"),
    "MatMul": (),
    "Add": (),
    "Relu": (),
    "Identity": (),
    "Flatten": ("axis",),
    "Reshape": ("allowzero",),
    "Constant": ("value", "value_float", "value_floats", "value_int", "value_ints"),
}
_FLOAT_TYPES = ("FLOAT16", "BFLOAT16", "FLOAT", "DOUBLE")


def is_model(source: object) -> bool:
    """Tell an onnx.ModelProto without importing onnx."""
    return getattr(getattr(type(source), "DESCRIPTOR", None), "full_name", "") == "onnx.ModelProto"


def read_file(path: Path) -> ReluNetwork:
    """Read a file, with the weights that it may keep in other files beside it.

    Raises:
        MissingExtra: onnx is not installed.
        BadInput: It is no ONNX file, or no chain of supported nodes; see `read`.
    """
    asked = f"read the network {path}"
    onnx = require("onnx", asked, "export")
    broken = require("google.protobuf.message", asked, "export").DecodeError
    try:
        model = onnx.load(path)
    except (broken, onnx.checker.ValidationError, OSError, ValueError) as problem:
        found = _first_line(problem)
        raise BadInput(asked, found=found, needed="an ONNX file, with its data files beside it if it has any") from None
    return read(model, str(path))


def read(model: Any, name: str = "the ONNX model") -> ReluNetwork:
    """Read a model.

    Args:
        model: The onnx.ModelProto, its weights loaded.
        name: What errors call it.

    Raises:
        MissingExtra: onnx is not installed.
        BadInput: It has nodes that are not supported (all of them are listed), it is no chain, or it is malformed.
    """
    asked = f"read the network {name}"
    onnx = require("onnx", asked, "export")
    _refuse_other_operators(model.graph, asked)
    _refuse_numbers_elsewhere(onnx, model.graph, asked)
    try:
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, ValueError) as problem:
        raise BadInput(asked, found=_first_line(problem), needed="a valid ONNX model") from None
    return _Graph(onnx, model.graph, name).network()


def _refuse_other_operators(graph: Any, asked: str) -> None:
    """List every node that is not supported, so that nobody has to find them one by one."""
    found = []
    for place, node in enumerate(graph.node):
        if node.domain not in ("", "ai.onnx") or node.op_type not in _OPERATORS:
            operator = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
            found.append(f"the operator {operator} of {_label(node, place)}")
            continue
        strange = [entry.name for entry in node.attribute if entry.name not in _OPERATORS[node.op_type]]
        found += [f"the attribute {entry!r} of the {node.op_type} {_label(node, place)}" for entry in strange]
    if found:
        supported = f"only {', '.join(_OPERATORS)} are read, in a chain"
        raise BadInput(asked, found="\n".join(found), needed=supported)


def _refuse_numbers_elsewhere(onnx: Any, graph: Any, asked: str) -> None:
    """A model by itself does not say in which folder the files with its weights are."""
    tensors = [*graph.initializer, *(entry.t for node in graph.node for entry in node.attribute)]
    elsewhere = [tensor.name for tensor in tensors if tensor.data_location == onnx.TensorProto.EXTERNAL]
    if elsewhere:
        found = f"the numbers of {', '.join(elsewhere)} are in another file"
        raise BadInput(asked, found=found, needed="the weights themselves", do="pass the path of the model file")


@dataclass(frozen=True)
class _Node:
    """A node with what errors call it."""

    proto: Any
    label: str
    attributes: dict[str, Any]


class _Graph:
    """The walk along the chain: `current` is the tensor that the nodes so far have produced."""

    def __init__(self, onnx: Any, graph: Any, name: str) -> None:
        """Start at the only input."""
        self._onnx = onnx
        self._graph = graph
        self._name = name
        self._asked = f"read the network {name}"
        self._constants: dict[str, NDArray[Any]] = {}
        for tensor in graph.initializer:
            self._constants[tensor.name] = self._array(tensor, f"the tensor {tensor.name!r}")
        inputs = [entry for entry in graph.input if entry.name not in self._constants]
        if len(inputs) != 1 or len(graph.output) != 1 or graph.sparse_initializer:
            found = f"{len(inputs)} inputs, {len(graph.output)} outputs, {len(graph.sparse_initializer)} sparse tensors"
            raise BadInput(self._asked, found=found, needed="one input and one output, and dense tensors")
        self._current = inputs[0].name
        self._rank, self._batch, width = self._shape(inputs[0])
        self._chain = Chain(self._asked, width)

    def _shape(self, entry: Any) -> tuple[int, int | None, int | None]:
        """Rank, batch size and width of the input; sizes that are left open are None."""
        kind = entry.type.tensor_type
        type_name = {number: name for name, number in self._onnx.TensorProto.DataType.items()}.get(kind.elem_type, "?")
        sizes = [axis.dim_value if axis.HasField("dim_value") else None for axis in kind.shape.dim]
        if type_name not in _FLOAT_TYPES or len(sizes) not in (1, 2):
            shown = ", ".join("?" if size is None else str(size) for size in sizes)
            found = f"the input {entry.name!r} of type {type_name} and shape [{shown}]"
            raise BadInput(self._asked, found=found, needed="floating-point numbers of shape [N, dim] or [dim]")
        return len(sizes), sizes[0] if len(sizes) == 2 else None, sizes[-1]

    def network(self) -> ReluNetwork:
        """Follow all nodes."""
        for place, proto in enumerate(self._graph.node):
            attributes = {entry.name: self._onnx.helper.get_attribute_value(entry) for entry in proto.attribute}
            self._step(_Node(proto, f"the {proto.op_type} {_label(proto, place)}", attributes))
        output = self._graph.output[0].name
        if output != self._current:
            found = f"the output {output!r} is not the end of the chain, {self._current!r}"
            raise BadInput(self._asked, found=found, needed="a chain: every node reads what the one before it gives")
        return self._chain.network()

    def _step(self, node: _Node) -> None:
        operator, inputs = node.proto.op_type, list(node.proto.input)
        if operator == "Constant":
            self._constants[node.proto.output[0]] = self._constant(node)
            return
        if operator == "Identity" and inputs[0] in self._constants:
            self._constants[node.proto.output[0]] = self._constants[inputs[0]]
            return
        others = [tensor for tensor in inputs if tensor and tensor not in self._constants]
        if others != [self._current]:
            found = f"{node.label} reads {' and '.join(map(repr, others)) or 'constants only'}"
            needed = f"a chain without branches: it has to read {self._current!r}, once, and constants"
            raise BadInput(self._asked, found=found, needed=needed)
        steps = {"Gemm": self._gemm, "MatMul": self._matmul, "Add": self._add, "Relu": self._relu}
        steps |= {"Identity": self._keep, "Flatten": self._flatten, "Reshape": self._reshape}
        steps[operator](node)
        self._current = node.proto.output[0]

    def _gemm(self, node: _Node) -> None:
        """alpha A B + beta C, B transposed if transB."""
        data, weights, *bias = node.proto.input
        if data != self._current or self._rank != 2 or node.attributes.get("transA", 0):
            needed = "the data as its first input, of shape [N, dim] and not transposed"
            raise BadInput(self._asked, found=f"{node.label} with other inputs", needed=needed)
        matrix = self._matrix(weights, node)
        if not node.attributes.get("transB", 0):
            matrix = matrix.T
        layer = exact_layer(matrix, None, self._place(node))
        alpha, beta = (exact_number(node.attributes.get(name, 1.0), self._place(node)) for name in ("alpha", "beta"))
        if alpha != 1:
            rows = tuple(tuple(alpha * entry for entry in row) for row in layer.weights)
            layer = AffineLayer(rows, layer.biases)
        self._chain.affine(layer, node.label)
        if bias and bias[0]:
            self._chain.shift(tuple(beta * entry for entry in self._vector(bias[0], node)))

    def _matmul(self, node: _Node) -> None:
        """A B: the rows of the data times a matrix, or a matrix times a single point."""
        left, right = node.proto.input
        if left == self._current:
            matrix = self._matrix(right, node).T
        elif self._rank == 1:
            matrix = self._matrix(left, node)
        else:
            found = f"{node.label} multiplies from the left, which mixes the points of a batch"
            raise BadInput(self._asked, found=found, needed="the data of shape [N, dim] as its first input")
        self._chain.affine(exact_layer(matrix, None, self._place(node)), node.label)

    def _add(self, node: _Node) -> None:
        (constant,) = (tensor for tensor in node.proto.input if tensor != self._current)
        self._chain.shift(self._vector(constant, node))

    def _relu(self, node: _Node) -> None:
        self._chain.relu()

    def _keep(self, node: _Node) -> None:
        """Nothing happens."""

    def _flatten(self, node: _Node) -> None:
        if self._rank != 2 or node.attributes.get("axis", 1) not in (1, -1):
            self._refuse_shape(node, f"axis {node.attributes.get('axis', 1)}")

    def _reshape(self, node: _Node) -> None:
        """Only a target that says the shape which is there."""
        target = self._constants[node.proto.input[1]].ravel().tolist() if node.proto.input[1] in self._constants else []
        shape: list[int | None] = [self._batch, self._chain.width][-self._rank :]
        zero_copies = not node.attributes.get("allowzero", 0)
        same = [size == old or (size == 0 and zero_copies) for size, old in zip(target, shape, strict=False)]
        free = [size == -1 for size in target]
        if len(target) != self._rank or sum(free) > 1 or not all(a or b for a, b in zip(same, free, strict=True)):
            self._refuse_shape(node, f"the shape {target}")

    def _refuse_shape(self, node: _Node, found: str) -> None:
        needed = f"a node that keeps the shape [{'N, ' if self._rank == 2 else ''}{self._chain.width or '?'}]"
        raise BadInput(self._asked, found=f"{node.label} with {found}", needed=needed)

    # Constants

    def _place(self, node: _Node) -> str:
        return f"{node.label} of {self._name}"

    def _array(self, tensor: Any, label: str) -> NDArray[Any]:
        try:
            return np.asarray(self._onnx.numpy_helper.to_array(tensor))
        except (ValueError, TypeError, KeyError) as problem:
            raise BadInput(self._asked, found=f"{label}: {_first_line(problem)}", needed="a valid tensor") from None

    def _constant(self, node: _Node) -> NDArray[Any]:
        if len(node.attributes) != 1:
            raise BadInput(self._asked, found=f"{node.label} with {len(node.attributes)} values", needed="one value")
        ((name, value),) = node.attributes.items()
        if name == "value":
            return self._array(value, node.label)
        return np.array(value, dtype=np.float32 if name.startswith("value_float") else np.int64)

    def _matrix(self, tensor: str, node: _Node) -> NDArray[Any]:
        array = self._constants[tensor]
        if array.ndim != 2:
            found = f"{node.label} with weights of shape {array.shape}"
            raise BadInput(self._asked, found=found, needed="a matrix")
        return array

    def _vector(self, tensor: str, node: _Node) -> tuple[Fraction, ...]:
        """A constant to add to every point, repeated along the units if it is a single number."""
        array, width = self._constants[tensor], self._chain.width
        flat = array.reshape(-1)
        longer = array.ndim > self._rank or (array.ndim == 2 and array.shape[0] != 1)
        if longer or width is None or len(flat) not in (1, width):
            found = f"{node.label} adds a constant of shape {array.shape}"
            raise BadInput(self._asked, found=found, needed=f"one number for each of the {width or '?'} units")
        return exact_vector(np.broadcast_to(flat, (width,)), self._place(node))


def _label(node: Any, place: int) -> str:
    return f"node {node.name!r}" if node.name else f"node {place} (without a name)"


def _first_line(problem: Exception) -> str:
    lines = str(problem).strip().splitlines()
    return lines[0] if lines else type(problem).__name__
