"""Model files against documents: equal files are accepted, and every kind of forgery is refused for its reason."""

import copy
import json
import math
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depthsep.networks import (
    AffineUnit,
    Block,
    CodeCube,
    ExplicitDirections,
    IntegerLayers,
    Network,
    Orbit,
    OutputRow,
    ReluNetwork,
    RidgeGroup,
    SeparableNetwork,
    ShallowNetwork,
)
from depthsep_check import Status, check_model
from depthsep_check.document import encode

onnx = pytest.importorskip("onnx")

NETWORKS: dict[str, Network] = {
    "orbit": ShallowNetwork(3, 1.0, (RidgeGroup(Orbit((2, 1), 3), (0.0, 0.25), (0.5, -1.0)),)),
    "code": ShallowNetwork(4, 0.1, (RidgeGroup(CodeCube(3, (1, 2, 4, 7)), (0.5,), (0.3,)),)),
    "mixed": ShallowNetwork(
        2,
        -0.5,
        (
            RidgeGroup(ExplicitDirections(((0.1, 0.2), (0.3, -0.4))), (0.0, 0.1), (1.0, 2.0)),
            RidgeGroup(Orbit((1, 1), 2), (0.7,), (5e-324,)),
        ),
        AffineUnit((0.25, -0.75), 1.0, -2.0),
    ),
    "constant": ShallowNetwork(3, 0.5, ()),
    "deep": SeparableNetwork(2, (0.25, 0.5), (1.0, -2.0), None, 1.0, (0.125, 0.5), ("right", "left"), (-1.0, 3.0)),
    "deep with an extra unit": SeparableNetwork(3, (0.0, 0.5), (0.1, 0.2), 0.3, 0.7, (0.25,), ("left",), (2.0,)),
    "deep constant": SeparableNetwork(3, (), (), None, 0.5, (), (), ()),
}
SHALLOW, DEEP = NETWORKS["mixed"], NETWORKS["deep"]


def document(network: Network) -> str:
    """A well-formed document; its proof is not replayed when a model is compared."""
    groups = len(getattr(network, "groups", ()))
    pair = {"upper": ["0x0p+0"], "lower": ["0x0p+0"]}
    sandwich = {"kind": "moment-sandwich", "cells": [{"to": "1", "groups": [pair] * groups}]}
    lines = {"kind": "support-lines", "upper_slopes": [], "lower_slopes": []}
    domain = {"domain": "unit-ball", "arithmetic": "real"}
    return encode(
        {
            "format": "depthsep",
            "version": 1,
            "made_by": "a test",
            "function": {"kind": "radial", "expression": "1 - r"},
            "claim": {"kind": "sup-error", "dim": network.dim, **domain, "error": "1/10"},
            "network": network.to_json(),
            "witness": sandwich if network.depth == 2 else lines,
        }
    )


def tensors(network: Network) -> dict[str, np.ndarray]:
    layers = network.dense_layers()
    names = [f"hidden{place}" for place in range(1, len(layers))] + ["output"]
    pairs = zip(names, layers, strict=True)
    return {f"{n}.{part}": t for n, layer in pairs for part, t in zip(("weight", "bias"), layer, strict=True)}


def compare(network: Network, content: bytes, tmp_path: Path, suffix: str) -> Any:
    path = tmp_path / f"model{suffix}"
    path.write_bytes(content)
    return check_model(document(network), path)


def assert_refused(verdict: Any, status: Status, reason: str) -> None:
    assert verdict.status is status, verdict.line
    assert reason in verdict.text


# ---------------------------------------------------------------------------------------------------- safetensors


def safetensors(entries: dict[str, Any], data: bytes, metadata: bool = True) -> bytes:
    header = ({"__metadata__": {"a": "b"}} if metadata else {}) | entries
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def layout(network: Network) -> tuple[dict[str, Any], bytes]:
    """The header and the data of a valid file."""
    entries: dict[str, Any] = {}
    data = b""
    for name, tensor in tensors(network).items():
        part = tensor.astype("<f8").tobytes()
        offsets = [len(data), len(data) + len(part)]
        entries[name] = {"dtype": "F64", "shape": list(tensor.shape), "data_offsets": offsets}
        data += part
    return entries, data


@pytest.mark.parametrize("name", NETWORKS)
def test_equal_safetensors_are_accepted(name: str, tmp_path: Path) -> None:
    verdict = compare(NETWORKS[name], safetensors(*layout(NETWORKS[name])), tmp_path, ".safetensors")
    assert verdict.status is Status.VERIFIED, verdict.line
    widths = ", ".join(map(str, NETWORKS[name].widths))
    assert f"widths ({widths}), {NETWORKS[name].parameters} float64 weights" in verdict.text


@pytest.mark.parametrize("network", [SHALLOW, DEEP], ids=["shallow", "deep"])
def test_every_changed_number_is_found(network: Network, tmp_path: Path) -> None:
    entries, data = layout(network)
    numbers = np.frombuffer(data, "<f8")
    for index, number in enumerate(numbers):
        for other in (math.nextafter(number, math.inf), -number if number else 1.0, math.nan, math.inf):
            forged = numbers.copy()
            forged[index] = other
            verdict = compare(network, safetensors(entries, forged.tobytes()), tmp_path, ".safetensors")
            assert_refused(verdict, Status.REFUTED, f"is {float(other)!r}, the network has {float(number)!r}")


def test_a_negative_zero_is_zero(tmp_path: Path) -> None:
    entries, data = layout(DEEP)
    numbers = np.frombuffer(data, "<f8").copy()
    numbers[numbers == 0] = -0.0
    assert compare(DEEP, safetensors(entries, numbers.tobytes()), tmp_path, ".safetensors").ok


def rewrite(change: Callable[[dict[str, Any]], None]) -> bytes:
    entries, data = layout(SHALLOW)
    change(entries)
    return safetensors(entries, data)


def put(name: str, key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda entries: entries[name].__setitem__(key, value)


ENTRIES, DATA = layout(SHALLOW)
WHOLE = safetensors(ENTRIES, DATA)
EXTRA = {"extra": {"dtype": "F64", "shape": [1], "data_offsets": [len(DATA), len(DATA) + 8]}}
WITHOUT = {name: entry for name, entry in ENTRIES.items() if name != "output.bias"}
TWICE = b'{"a": 1, "a": 1}'
SHAPE = ENTRIES["hidden1.weight"]["shape"]

SAFETENSORS = {
    "an extra tensor": (safetensors(ENTRIES | EXTRA, DATA + bytes(8)), "REFUTED", "a tensor 'extra'"),
    "a missing tensor": (safetensors(WITHOUT, DATA[:-8]), "REFUTED", "no tensor output.bias"),
    "float32": (rewrite(put("output.bias", "dtype", "F32")), "REFUTED", "is of type 'F32', not F64"),
    "transposed": (
        rewrite(put("hidden1.weight", "shape", SHAPE[::-1])),
        "REFUTED",
        "has shape [2, 11], the network has [11, 2]",
    ),
    "flattened": (rewrite(put("hidden1.weight", "shape", [22])), "REFUTED", "has shape [22]"),
    "a shape of another size": (rewrite(put("output.bias", "shape", [2])), "MALFORMED", "do not fit its shape"),
    "overlapping": (rewrite(put("output.bias", "data_offsets", [0, 8])), "MALFORMED", "overlap"),
    "a gap": (
        rewrite(put("output.bias", "data_offsets", [len(DATA), len(DATA) + 8])),
        "MALFORMED",
        "leave a gap",
    ),
    "reversed offsets": (rewrite(put("output.bias", "data_offsets", [8, 0])), "MALFORMED", "overlap"),
    "three offsets": (rewrite(put("output.bias", "data_offsets", [0, 1, 2])), "MALFORMED", "two integers"),
    "negative offsets": (rewrite(put("output.bias", "data_offsets", [-8, 0])), "MALFORMED", "lists of integers"),
    "a boolean shape": (rewrite(put("output.bias", "shape", [True])), "MALFORMED", "lists of integers"),
    "an unknown key": (rewrite(put("output.bias", "scale", 2)), "MALFORMED", "expected the keys"),
    "trailing bytes": (WHOLE + b"\0", "MALFORMED", "bytes of data where the header describes"),
    "truncated": (WHOLE[:-1], "MALFORMED", "bytes of data where the header describes"),
    "truncated header": (WHOLE[:20], "MALFORMED", "a header of"),
    "no header": (b"\0\0", "MALFORMED", "no header"),
    "an endless header": (struct.pack("<Q", 2**40) + WHOLE, "MALFORMED", "a header of 1099511627776"),
    "not JSON": (struct.pack("<Q", 2) + b"{]", "MALFORMED", "the header is not JSON"),
    "a list": (struct.pack("<Q", 2) + b"[]", "MALFORMED", "the header is not an object"),
    "a key twice": (struct.pack("<Q", len(TWICE)) + TWICE, "MALFORMED", "a key appears twice"),
}


@pytest.mark.parametrize("name", SAFETENSORS)
def test_forged_safetensors(name: str, tmp_path: Path) -> None:
    content, status, reason = SAFETENSORS[name]
    assert_refused(compare(SHALLOW, content, tmp_path, ".safetensors"), Status[status], reason)


def test_another_network_of_the_same_shape(tmp_path: Path) -> None:
    one = ShallowNetwork(3, 1.0, (RidgeGroup(Orbit((1, 1), 3), (0.5,), (1.0,)),))
    other = ShallowNetwork(3, 1.0, (RidgeGroup(Orbit((1, 1), 3), (0.5,), (2.0,)),))
    verdict = compare(one, safetensors(*layout(other)), tmp_path, ".safetensors")
    assert_refused(verdict, Status.REFUTED, "output.weight[0][0] is 2.0, the network has 1.0")


# ----------------------------------------------------------------------------------------------------------- ONNX


def onnx_model(network: Network) -> Any:
    """A valid model, made with the library."""
    helper, double = onnx.helper, onnx.TensorProto.DOUBLE
    parts = tensors(network)
    names = [name.removesuffix(".bias") for name in parts if name.endswith(".bias")]
    nodes, current = [], "x"
    for name in names:
        result = "y" if name == "output" else f"{name}.sum"
        nodes.append(helper.make_node("Gemm", [current, f"{name}.weight", f"{name}.bias"], [result], transB=1))
        if name != "output":
            nodes.append(helper.make_node("Relu", [result], [f"{name}.value"]))
            current = f"{name}.value"
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", double, ["N", network.dim])],
        [helper.make_tensor_value_info("y", double, ["N", 1])],
        [onnx.numpy_helper.from_array(tensor, name) for name, tensor in parts.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize("name", NETWORKS)
def test_equal_onnx_files_are_accepted(name: str, tmp_path: Path) -> None:
    model = onnx_model(NETWORKS[name])
    model.doc_string = "words"
    model.graph.doc_string = "more words"
    onnx.helper.set_model_props(model, {"author": "somebody"})
    model.graph.node[0].name = "a name"
    verdict = compare(NETWORKS[name], model.SerializeToString(), tmp_path, ".onnx")
    assert verdict.status is Status.VERIFIED, verdict.line


def edit(change: Callable[[Any], Any]) -> bytes:
    model = copy.deepcopy(onnx_model(DEEP))
    change(model)
    return bytes(model.SerializeToString())


def attribute(index: int, name: str, value: Any) -> Callable[[Any], Any]:
    return lambda model: model.graph.node[index].attribute.append(onnx.helper.make_attribute(name, value))


def append_node(kind: str, **options: Any) -> Callable[[Any], Any]:
    def change(model: Any) -> None:
        model.graph.node[-1].output[0] = "before"
        model.graph.node.append(onnx.helper.make_node(kind, ["before"], ["y"], **options))

    return change


def store(index: int, values: np.ndarray) -> Callable[[Any], Any]:
    def change(model: Any) -> None:
        name = model.graph.initializer[index].name
        model.graph.initializer[index].CopyFrom(onnx.numpy_helper.from_array(values, name))

    return change


def drop_first_relu(model: Any) -> None:
    del model.graph.node[1]
    model.graph.node[1].input[0] = "hidden1.sum"


def swap_nodes(model: Any) -> None:
    first, second = (copy.deepcopy(model.graph.node[index]) for index in (0, 2))
    model.graph.node[0].CopyFrom(second)
    model.graph.node[2].CopyFrom(first)


def add_function(model: Any) -> None:
    node = onnx.helper.make_node("Neg", ["a"], ["b"])
    model.functions.append(onnx.helper.make_function("", "Relu", ["a"], ["b"], [node], [OPSET]))


def external(model: Any) -> None:
    tensor = model.graph.initializer[0]
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.append(onnx.StringStringEntryProto(key="location", value="weights.bin"))


def double_data(model: Any) -> None:
    tensor = model.graph.initializer[5]
    tensor.ClearField("raw_data")
    tensor.double_data.append(1.0)


def both_data(model: Any) -> None:
    model.graph.initializer[5].double_data.append(1.0)


def text_attribute(model: Any) -> None:
    model.graph.node[0].attribute[0].s = b"x"


def referring_attribute(model: Any) -> None:
    model.graph.node[0].attribute[0].ref_attr_name = "other"


def float_input(model: Any) -> None:
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT


def fixed_batch(model: Any) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 5


def wide_input(model: Any) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 5


def no_type(model: Any) -> None:
    model.graph.input[0].ClearField("type")


def second_input(model: Any) -> None:
    model.graph.input.append(copy.deepcopy(model.graph.input[0]))


def weight_as_input(model: Any) -> None:
    value = onnx.helper.make_tensor_value_info("output.bias", onnx.TensorProto.DOUBLE, [1])
    model.graph.input.append(value)


def weight_is_the_input(model: Any) -> None:
    model.graph.input[0].name = "hidden1.weight"
    model.graph.node[0].input[0] = "hidden1.weight"


def second_output(model: Any) -> None:
    model.graph.output.append(copy.deepcopy(model.graph.output[0]))


def early_output(model: Any) -> None:
    model.graph.output[0].name = "hidden1.sum"


def renamed_result(model: Any) -> None:
    model.graph.node[0].output[0] = "hidden1.bias"


def two_results(model: Any) -> None:
    model.graph.node[1].output.append("second")


def sparse(model: Any) -> None:
    values, indices = np.zeros(0), np.zeros(0, dtype=np.int64)
    model.graph.sparse_initializer.append(
        onnx.SparseTensorProto(
            values=onnx.numpy_helper.from_array(values, "z"), indices=onnx.numpy_helper.from_array(indices), dims=[1]
        )
    )


def value_info(model: Any) -> None:
    value = onnx.helper.make_tensor_value_info("hidden1.sum", onnx.TensorProto.DOUBLE, ["N", 8])
    model.graph.value_info.append(value)


def duplicate_weight(model: Any) -> None:
    model.graph.initializer.append(copy.deepcopy(model.graph.initializer[0]))


def extra_weight(model: Any) -> None:
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.zeros(1), "extra"))


def exchange_weights(model: Any) -> None:
    names = [tensor.name for tensor in model.graph.initializer]
    model.graph.initializer[3].name, model.graph.initializer[5].name = names[5], names[3]


def opset(version: int, domain: str = "") -> Callable[[Any], Any]:
    return lambda model: model.opset_import[0].CopyFrom(onnx.helper.make_opsetid(domain, version))


def second_opset(model: Any) -> None:
    model.opset_import.append(onnx.helper.make_opsetid("other", 1))


OPSET = onnx.helper.make_opsetid("", 17)
MODEL = onnx_model(DEEP).SerializeToString()
FIRST = tensors(DEEP)["hidden1.weight"]
OTHER_GRAPH = onnx.ModelProto(graph=onnx_model(SHALLOW).graph).SerializeToString()

ONNX = {
    "a changed weight": (edit(store(0, FIRST + 1e-15)), "REFUTED", "hidden1.weight[0][0] is 1.000000000000001"),
    "a weight that is no number": (edit(store(5, np.array([np.nan]))), "REFUTED", "output.bias[0] is nan"),
    "a float32 tensor": (edit(store(0, FIRST.astype(np.float32))), "REFUTED", "is of type 1, not 11 (double)"),
    "a transposed tensor": (
        edit(store(0, FIRST.T.copy())),
        "REFUTED",
        "declares 2 inputs and 1 outputs, which its weights do not have",
    ),
    "an extra Relu": (edit(append_node("Relu")), "REFUTED", "6 nodes and 6 weights"),
    "an extra pair of nodes": (
        edit(lambda model: (append_node("Relu")(model), append_node("Neg")(model))),
        "REFUTED",
        "7 nodes and 6 weights, which is no chain",
    ),
    "a dropped Relu": (edit(drop_first_relu), "REFUTED", "which is no chain"),
    "another activation": (
        edit(lambda model: setattr(model.graph.node[1], "op_type", "Abs")),
        "REFUTED",
        "node 1 is 'Abs' of ['hidden1.sum'], not Relu of ['hidden1.sum']",
    ),
    "alpha": (edit(attribute(0, "alpha", 2.0)), "REFUTED", "has the attributes [('transB', 1), ('alpha', None)]"),
    "beta": (edit(attribute(2, "beta", 0.0)), "REFUTED", "('beta', None)"),
    "transA": (edit(attribute(0, "transA", 1)), "REFUTED", "('transA', 1)"),
    "transB twice": (edit(attribute(0, "transB", 0)), "REFUTED", "('transB', 0)"),
    "no transB": (edit(lambda model: model.graph.node[0].ClearField("attribute")), "REFUTED", "the attributes []"),
    "transB = 0": (
        edit(lambda model: setattr(model.graph.node[0].attribute[0], "i", 0)),
        "REFUTED",
        "('transB', 0)",
    ),
    "transB as a text": (edit(text_attribute), "REFUTED", "('transB', None)"),
    "a referring attribute": (edit(referring_attribute), "REFUTED", "has the field 21"),
    "an attribute of Relu": (edit(attribute(1, "alpha", 0.5)), "REFUTED", "node 1, 'Relu', has the attributes"),
    "exchanged nodes": (edit(swap_nodes), "REFUTED", "node 0 is 'Gemm' of ['hidden1.value'"),
    "a node of another domain": (
        edit(lambda model: setattr(model.graph.node[1], "domain", "com.microsoft")),
        "REFUTED",
        "node 1 is of the domain 'com.microsoft'",
    ),
    "an overload": (
        edit(lambda model: setattr(model.graph.node[1], "overload", "x")),
        "REFUTED",
        "node 1 has the field 8",
    ),
    "two results": (edit(two_results), "REFUTED", "node 1 has 2 results"),
    "a result with the name of a weight": (edit(renamed_result), "REFUTED", "a name that is taken: 'hidden1.bias'"),
    "a function called Relu": (edit(add_function), "REFUTED", "ONNX model has the field 25"),
    "external data": (edit(external), "UNSUPPORTED", "'hidden1.weight', which lies in another file"),
    "double data": (edit(double_data), "REFUTED", "ONNX tensor has the field 10"),
    "raw and double data": (edit(both_data), "REFUTED", "ONNX tensor has the field 10"),
    "an input of floats": (edit(float_input), "REFUTED", "'x' is not a table of doubles with any number of rows"),
    "a fixed number of rows": (edit(fixed_batch), "REFUTED", "any number of rows"),
    "a wider input": (edit(wide_input), "REFUTED", "declares 5 inputs and 1 outputs"),
    "an input without a type": (edit(no_type), "MALFORMED", "type of 'x': incomplete"),
    "two inputs": (edit(second_input), "REFUTED", "2 inputs and 1 outputs, not one of each"),
    "a weight as a second input": (edit(weight_as_input), "REFUTED", "2 inputs and 1 outputs"),
    "a weight as the input": (edit(weight_is_the_input), "REFUTED", "the input 'hidden1.weight' is a weight"),
    "two outputs": (edit(second_output), "REFUTED", "1 inputs and 2 outputs"),
    "an early output": (edit(early_output), "REFUTED", "is 'hidden1.sum', not the result of the last node"),
    "a sparse weight": (edit(sparse), "REFUTED", "ONNX graph has the field 15"),
    "declared shapes": (edit(value_info), "REFUTED", "ONNX graph has the field 13"),
    "a weight twice": (edit(duplicate_weight), "MALFORMED", "'hidden1.weight' appears twice"),
    "an extra weight": (edit(extra_weight), "REFUTED", "7 weights, which is no chain"),
    "exchanged weights": (edit(exchange_weights), "REFUTED", "hidden2.bias has shape [1]"),
    "an old operator set": (edit(opset(9)), "REFUTED", "needs one operator set"),
    "another operator set": (edit(opset(17, "other")), "REFUTED", "needs one operator set"),
    "two operator sets": (edit(second_opset), "REFUTED", "needs one operator set"),
    "a second graph": (MODEL + OTHER_GRAPH, "MALFORMED", "field 7 appears too often"),
    "no graph": (onnx.ModelProto(opset_import=[OPSET]).SerializeToString(), "MALFORMED", "no graph"),
    "nothing": (b"", "REFUTED", "needs one operator set"),
    "an unknown field": (MODEL + b"\xa8\x01\x00", "REFUTED", "ONNX model has the field 21"),
    "a wrong wire type": (MODEL + b"\x2a\x00", "MALFORMED", "field 5 has wire type 2"),
    "a field without end": (MODEL + b"\x32\x7f", "MALFORMED", "ends in the middle of a field"),
    "a number without end": (MODEL + b"\x28\xff", "MALFORMED", "ends in the middle of a number"),
    "a number of eleven bytes": (MODEL + b"\x28" + b"\xff" * 10 + b"\x00", "MALFORMED", "more than ten bytes"),
    "a number of seventy bits": (MODEL + b"\x28" + b"\xff" * 9 + b"\x7f", "MALFORMED", "more than 64 bits"),
    "another file": (b"\x89PNG\r\n\x1a\n", "REFUTED", "ONNX model has the field 1281"),
    "a name that is not UTF-8": (MODEL.replace(b"hidden1.sum", b"hidden1.\xff\xff\xff"), "MALFORMED", "not UTF-8"),
}


@pytest.mark.parametrize("name", ONNX)
def test_forged_onnx(name: str, tmp_path: Path) -> None:
    content, status, reason = ONNX[name]
    assert_refused(compare(DEEP, content, tmp_path, ".onnx"), Status[status], reason)


def test_every_truncation_of_an_onnx_file_is_refused(tmp_path: Path) -> None:
    for length in range(0, len(MODEL), 7):
        assert not compare(DEEP, MODEL[:length], tmp_path, ".onnx").ok


def test_every_changed_byte_of_the_weights_is_found(tmp_path: Path) -> None:
    start = MODEL.index(tensors(DEEP)["output.weight"].tobytes())
    for index in range(start, start + 16):
        forged = MODEL[:index] + bytes([MODEL[index] ^ 1]) + MODEL[index + 1 :]
        assert compare(DEEP, forged, tmp_path, ".onnx").status is Status.REFUTED


def test_packed_lengths_are_read(tmp_path: Path) -> None:
    """Writers may pack repeated numbers or not; both spell the same tensor."""
    name, bias = b"output.bias", np.array([1.0]).tobytes()
    plain = b"\x08\x01" + b"\x10\x0b" + b"\x42\x0b" + name + b"\x4a\x08" + bias
    packed = b"\x0a\x01\x01" + b"\x10\x0b" + b"\x42\x0b" + name + b"\x4a\x08" + bias
    assert onnx.TensorProto.FromString(packed) == onnx.TensorProto.FromString(plain)
    model = onnx_model(DEEP)
    del model.graph.initializer[5]
    graph = model.graph.SerializeToString()
    model.ClearField("graph")
    for tensor in (plain, packed):
        whole = graph + b"\x2a" + bytes([len(tensor)]) + tensor
        length = bytes([len(whole) & 127 | 128, len(whole) >> 7])
        assert compare(DEEP, model.SerializeToString() + b"\x3a" + length + whole, tmp_path, ".onnx").ok


def test_a_tensor_with_too_little_data(tmp_path: Path) -> None:
    def cut(model: Any) -> None:
        model.graph.initializer[0].raw_data = model.graph.initializer[0].raw_data[:-8]

    assert_refused(compare(DEEP, edit(cut), tmp_path, ".onnx"), Status.MALFORMED, "120 bytes for shape [8, 2]")


def test_a_shallow_model_of_a_deep_document(tmp_path: Path) -> None:
    content = onnx_model(NETWORKS["orbit"]).SerializeToString()
    verdict = compare(DEEP, content, tmp_path, ".onnx")
    assert_refused(verdict, Status.REFUTED, "the graph has 2 affine maps, the network has 3")


# --------------------------------------------------------------------------------------------------- everything else


def test_unknown_formats(tmp_path: Path) -> None:
    verdict = check_model(document(DEEP), tmp_path / "model.pt")
    assert_refused(verdict, Status.UNSUPPORTED, "model file 'model.pt' (known: .onnx, .safetensors)")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    verdict = check_model(document(DEEP), tmp_path / "none.onnx")
    assert_refused(verdict, Status.MALFORMED, "cannot be read (No such file or directory)")


def test_a_lower_bound_has_no_network(tmp_path: Path) -> None:
    claim = {
        "kind": "width-lower",
        "dim": 3,
        "domain": "unit-ball",
        "norm": "sup",
        "eps": "1/10",
        "depth": "any",
        "activation_class": "any",
        "weight_class": "any",
        "second_layer_width": None,
        "width": 3,
    }
    function = {"kind": "radial", "expression": "1 - r"}
    witness = {"kind": "oscillation", "points": ["0", "1"]}
    head = {"format": "depthsep", "version": 1, "made_by": "a test"}
    text = encode({**head, "function": function, "claim": claim, "witness": witness})
    assert_refused(check_model(text, tmp_path / "m.onnx"), Status.UNSUPPORTED, "a lower bound, which has no network")


def test_networks_that_no_file_can_hold(tmp_path: Path) -> None:
    knots = tuple(i / 4096 for i in range(1, 4096))
    wide = ShallowNetwork(1000, 0.0, (RidgeGroup(Orbit((1,) * 60, 1000), (0.5,), (1.0,)),))
    deep = SeparableNetwork(10**6, knots, knots, None, 0.0, (0.5,), ("left",), (1.0,))
    for network in (wide, deep):
        (tmp_path / "m.safetensors").write_bytes(WHOLE)
        verdict = check_model(document(network), tmp_path / "m.safetensors")
        assert_refused(verdict, Status.EXHAUSTED, "the flat network has more than 2147483648 bytes")


def test_a_doubled_weight_beyond_the_format(tmp_path: Path) -> None:
    network = ShallowNetwork(2, 0.0, (RidgeGroup(Orbit((1,), 2), (0.0,), (1.5e308,)),))
    entries, data = layout(DEEP)
    verdict = compare(network, safetensors(entries, data), tmp_path, ".safetensors")
    assert_refused(verdict, Status.REFUTED, "a weight that no float64 holds")


# -------------------------------------------------------------------------------------------------- equal networks

INTEGERS = IntegerLayers(
    2,
    (
        (Block([0], [8], [0, -4]), Block([], [], [1]), Block([0, 1], [8, -8], [3])),
        (Block([0, 1], [1, -2], [0]), Block([2, 3], [5, -1], [-1, 0])),
    ),
    ([0, 1, -2, 3], [2, 0, -1]),
    (OutputRow([0, 2], [3, 1], -1), OutputRow([], [], 7)),
    Fraction(-5, 4),
)
RATIONAL = ReluNetwork.from_arrays([([[0.5, "1/4"], [0, -3]], [1, 0.1]), ([[1, 2], [0, 4]], [0, "-1/8"])])
AFFINE = ReluNetwork.from_arrays([([[0.5, 2.0]], [1])])
EQUAL: dict[str, Any] = {"integers": INTEGERS, "rational": RATIONAL, "affine": AFFINE}


def equality(network: Any, kind: str = "same-function") -> str:
    """A document about equal networks, whose claim is not read when a model is compared."""
    parts = {"function": {}, "claim": {"kind": kind}, "network": network, "witness": {}}
    return encode({"format": "depthsep", "version": 1, "made_by": "a test", **parts})


def equal_tensors(network: Any, dtype: str = "float64") -> dict[str, np.ndarray]:
    """The layers, straight from the definitions."""
    if isinstance(network, ReluNetwork):
        layers = network.dense_layers()
    else:
        layers = [(weights.toarray(), biases) for weights, biases in network.sparse_layers()]
    names = [*(f"hidden{place}" for place in range(1, len(layers))), "output"]
    pairs = zip(names, layers, strict=True)
    return {
        f"{n}.{part}": np.asarray(t, dtype=dtype)
        for n, layer in pairs
        for part, t in zip(("weight", "bias"), layer, strict=True)
    }


def equal_safetensors(parts: dict[str, np.ndarray]) -> bytes:
    entries: dict[str, Any] = {}
    data = b""
    for name, tensor in parts.items():
        kind = {"float64": "F64", "float32": "F32", "float16": "F16"}[str(tensor.dtype)]
        offsets = [len(data), len(data) + tensor.nbytes]
        entries[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": offsets}
        data += tensor.tobytes()
    return safetensors(entries, data)


def equal_onnx(parts: dict[str, np.ndarray]) -> bytes:
    helper = onnx.helper
    names = [name.removesuffix(".bias") for name in parts if name.endswith(".bias")]
    nodes, current = [], "x"
    for name in names:
        result = "y" if name == "output" else f"{name}.sum"
        nodes.append(helper.make_node("Gemm", [current, f"{name}.weight", f"{name}.bias"], [result], transB=1))
        if name != "output":
            nodes.append(helper.make_node("Relu", [result], [f"{name}.value"]))
            current = f"{name}.value"
    first = next(iter(parts.values()))
    kind = helper.np_dtype_to_tensor_dtype(first.dtype)
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", kind, ["N", first.shape[1]])],
        [helper.make_tensor_value_info("y", kind, ["N", len(parts["output.bias"])])],
        [onnx.numpy_helper.from_array(tensor, name) for name, tensor in parts.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


WRITERS = {".safetensors": equal_safetensors, ".onnx": equal_onnx}


def compare_equal(network: Any, content: bytes, tmp_path: Path, suffix: str) -> Any:
    path = tmp_path / f"model{suffix}"
    path.write_bytes(content)
    return check_model(equality(network if isinstance(network, dict) else network.to_json()), path)


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("name", EQUAL)
def test_files_of_equal_networks_are_accepted(name: str, suffix: str, tmp_path: Path) -> None:
    network = EQUAL[name]
    verdict = compare_equal(network, WRITERS[suffix](equal_tensors(network)), tmp_path, suffix)
    assert verdict.status is Status.VERIFIED, verdict.line
    count = sum(tensor.size for tensor in equal_tensors(network).values())
    assert f"dimension 2, widths ({', '.join(map(str, network.widths))}), {count} float64 weights" in verdict.text


@pytest.mark.parametrize("suffix", WRITERS)
def test_float32_files_are_accepted_where_they_are_exact(suffix: str, tmp_path: Path) -> None:
    verdict = compare_equal(INTEGERS, WRITERS[suffix](equal_tensors(INTEGERS, "float32")), tmp_path, suffix)
    assert verdict.status is Status.VERIFIED, verdict.line
    assert "35 float32 weights and biases; the same function in exact arithmetic" in verdict.text
    verdict = compare_equal(RATIONAL, WRITERS[suffix](equal_tensors(RATIONAL, "float32")), tmp_path, suffix)
    assert_refused(verdict, Status.REFUTED, "hidden1.bias[1] is 0.10000000149011612, the network has 0.1")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_changed_number_of_an_equal_network_is_found(dtype: str, tmp_path: Path) -> None:
    parts = equal_tensors(INTEGERS, dtype)
    for name, tensor in parts.items():
        for place in np.ndindex(tensor.shape):
            forged = tensor.copy()
            forged[place] = np.nextafter(forged[place], np.inf, dtype=dtype)
            content = equal_safetensors(parts | {name: forged})
            verdict = compare_equal(INTEGERS, content, tmp_path, ".safetensors")
            assert_refused(verdict, Status.REFUTED, f"is {float(forged[place])!r}, the network has")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"exponents": (None, INTEGERS.exponents[1])}, "hidden1.weight[1]"),
        ({"exponents": (INTEGERS.exponents[0], [2, 0, 0])}, "hidden2.weight[2]"),
        ({"scale": Fraction(5, 4)}, "output.weight[0]"),
        ({"outputs": (OutputRow([0, 2], [3, 1], -2), INTEGERS.outputs[1])}, "output.bias[0]"),
    ],
)
def test_exponents_and_scale_are_part_of_the_weights(change: dict[str, Any], where: str, tmp_path: Path) -> None:
    parts = {name: getattr(INTEGERS, name) for name in ("dim", "layers", "exponents", "outputs", "scale")}
    other = IntegerLayers(**(parts | change))
    verdict = compare_equal(INTEGERS, equal_safetensors(equal_tensors(other)), tmp_path, ".safetensors")
    assert_refused(verdict, Status.REFUTED, where)


MIXED = equal_tensors(INTEGERS) | {"output.bias": equal_tensors(INTEGERS, "float32")["output.bias"]}
SWAPPED = equal_tensors(INTEGERS) | {"output.weight": equal_tensors(INTEGERS)["output.weight"][::-1]}


@pytest.mark.parametrize(
    ("content", "suffix", "reason"),
    [
        (equal_safetensors(MIXED), ".safetensors", "the file has numbers of the types float32 and float64"),
        (equal_onnx(MIXED), ".onnx", "the file has numbers of the types float32 and float64"),
        (equal_safetensors(SWAPPED), ".safetensors", "output.weight[0][0] is 0.0, the network has -0.9375"),
        (equal_safetensors(equal_tensors(INTEGERS, "float16")), ".safetensors", "'F16', not F64 or F32"),
        (equal_onnx(equal_tensors(INTEGERS, "float16")), ".onnx", "type 10, not 11 (double) or 1 (float)"),
        (equal_onnx(equal_tensors(RATIONAL)), ".onnx", "the graph has 2 affine maps, the network has 3"),
    ],
)
def test_forged_files_of_equal_networks(content: bytes, suffix: str, reason: str, tmp_path: Path) -> None:
    assert_refused(compare_equal(INTEGERS, content, tmp_path, suffix), Status.REFUTED, reason)


def test_the_declared_shape_of_an_affine_map_is_compared(tmp_path: Path) -> None:
    model = onnx.load_from_string(equal_onnx(equal_tensors(AFFINE)))
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 3
    verdict = compare_equal(AFFINE, model.SerializeToString(), tmp_path, ".onnx")
    assert_refused(verdict, Status.REFUTED, "the graph declares 3 inputs and 1 outputs")


@pytest.mark.parametrize(
    ("network", "status", "reason"),
    [
        (ReluNetwork.from_arrays([([["1/3", 0]], [0])]).to_json(), "REFUTED", "a weight that no float64 holds"),
        (AFFINE.to_json() | {"extra": 1}, "MALFORMED", "unknown key 'extra'"),
        ({"kind": "threshold-circuit"}, "UNSUPPORTED", "comparing a model with a threshold circuit"),
        (
            {"kind": "separable"},
            "UNSUPPORTED",
            "network.kind 'separable' (known: relu-network, integer-layers, folded, smooth-separable)",
        ),
        ({}, "MALFORMED", 'expected an object with a text under "kind"'),
    ],
)
def test_equal_networks_that_cannot_be_compared(network: Any, status: str, reason: str, tmp_path: Path) -> None:
    content = equal_safetensors(equal_tensors(AFFINE))
    assert_refused(compare_equal(network, content, tmp_path, ".safetensors"), Status[status], reason)


def test_equal_networks_that_are_too_large_for_a_file(tmp_path: Path) -> None:
    units = Block([0], [1], [0] * 20_000)
    rows = tuple((units,) for _ in range(2))
    large = IntegerLayers(1, rows, (None, None), (OutputRow([0], [1], 0),), Fraction(1))
    verdict = compare_equal(large, equal_safetensors(equal_tensors(AFFINE)), tmp_path, ".safetensors")
    assert_refused(verdict, Status.EXHAUSTED, "the flat network has more than")
