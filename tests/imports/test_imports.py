"""Reading networks: ONNX against onnxruntime, safetensors, JSON, Python lists; every refusal with its text."""

import json
import os
import random
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from depthsep.certificates.equality import certify_equality
from depthsep.errors import BadInput, DepthsepError, MissingExtra, OutOfReach
from depthsep.exports import named_tensors
from depthsep.imports import read_network
from depthsep.networks import Orbit, ReluNetwork, RidgeGroup, SeparableNetwork, ShallowNetwork
from depthsep.networks.integer_layers import Block, IntegerLayers, OutputRow

onnx = pytest.importorskip("onnx")
safetensors_numpy = pytest.importorskip("safetensors.numpy")
Array = np.ndarray[Any, Any]
DEEP = SeparableNetwork(3, (0.2, 0.5), (1.0, 2.0), None, 1.0, (0.1, 0.5), ("right", "left"), (-1.0, 300.0))


def message(action: Callable[[], object], kind: type[DepthsepError] = BadInput) -> str:
    with pytest.raises(kind) as error:
        action()
    return str(error.value)


# ----------------------------------------------------------------------------------------------------------------------
# ONNX


NAME = "read the network the ONNX model\n"
SUPPORTED = "  needed: only Gemm, MatMul, Add, Relu, Identity, Flatten, Reshape, Constant are read, in a chain"
W33, B3 = {"w": np.eye(3, dtype=np.float32)}, {"b": np.ones(3, dtype=np.float32)}


def node(operator: str, inputs: str, output: str, **attributes: Any) -> Any:
    return onnx.helper.make_node(operator, inputs.split(), [output], name=f"{operator.lower()}_{output}", **attributes)


def model(
    nodes: Sequence[Any],
    tensors: dict[str, Array],
    shape: Sequence[int | str] = ("N", 3),
    kind: type = np.float32,
    output: str = "y",
) -> Any:
    """A model from x of the given shape to the named output."""
    element, info = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(kind)), onnx.helper.make_tensor_value_info
    kept = [onnx.numpy_helper.from_array(tensor, name) for name, tensor in tensors.items()]
    ends = [info("x", element, shape)], [info(output, element, ["N", "M"][-len(shape) :])]
    graph = onnx.helper.make_graph(list(nodes), "g", *ends, kept)
    opsets = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("com.shop", 1)]
    return onnx.helper.make_model(graph, ir_version=8, opset_imports=opsets)


def normal(*shape: int, kind: type = np.float32, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape).astype(kind)


def gemm_relu_gemm(kind: type = np.float32) -> Any:
    nodes = [
        node("Gemm", "x w1 b1", "s1", transB=1),
        node("Relu", "s1", "h1"),
        node("Gemm", "h1 w2 b2", "y", transB=1),
    ]
    tensors = {"w1": normal(5, 3), "b1": normal(5, seed=1), "w2": normal(2, 5, seed=2), "b2": normal(2, seed=3)}
    return model(nodes, {name: tensor.astype(kind) for name, tensor in tensors.items()}, kind=kind)


def several_maps(kind: type = np.float64) -> Any:
    """Every way to write an affine map, several of them without a ReLU between, and a ReLU at both ends."""
    nodes = [
        node("Relu", "x", "r"),
        node("Relu", "r", "r2"),
        node("MatMul", "r2 w1", "m1"),
        node("Add", "b1 m1", "a1"),
        node("Identity", "a1", "i1"),
        node("Gemm", "i1 w2 row", "g1", alpha=0.3, beta=-1.7),
        node("Flatten", "g1", "f1", axis=1),
        node("Relu", "f1", "h1"),
        node("Constant", "", "shape", value=onnx.numpy_helper.from_array(np.array([-1, 4]))),
        node("Reshape", "h1 shape", "h2"),
        node("Identity", "w3", "w4"),
        node("Gemm", "h2 w4", "g2", transB=1),
        node("Constant", "", "number", value_float=0.125)
        if kind is np.float32
        else node("Constant", "", "number", value=onnx.numpy_helper.from_array(np.array(0.125, dtype=kind))),
        node("Add", "g2 number", "a2"),
        node("Relu", "a2", "y"),
    ]
    tensors = {"w1": normal(3, 6), "b1": normal(1, 6), "w2": normal(6, 4), "row": normal(1, 4), "w3": normal(2, 4)}
    return model(nodes, {name: tensor.astype(kind) for name, tensor in tensors.items()}, kind=kind)


def one_point() -> Any:
    """An input of shape [dim]: a matrix may stand on either side."""
    nodes = [
        node("MatMul", "w1 x", "m1"),
        node("Add", "m1 b1", "a1"),
        node("Relu", "a1", "h1"),
        node("Constant", "", "shape", value_ints=[0]),
        node("Reshape", "h1 shape", "h2"),
        node("MatMul", "h2 w2", "y"),
    ]
    tensors = {"w1": normal(5, 3), "b1": normal(5), "w2": normal(5, 2)}
    return model(nodes, {name: tensor.astype(np.float64) for name, tensor in tensors.items()}, [3], np.float64)


def run(built: Any, points: Array) -> Array:
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(built.SerializeToString(), providers=["CPUExecutionProvider"])
    (values,) = session.run(None, {"x": points})
    return np.asarray(values)


@pytest.mark.parametrize("build", [gemm_relu_gemm, several_maps])
@pytest.mark.parametrize(("kind", "accuracy"), [(np.float32, 1e-5), (np.float64, 1e-13)])
def test_onnx_files_compute_what_was_read(build: Any, kind: type, accuracy: float, tmp_path: Path) -> None:
    built = build(kind)
    onnx.save(built, tmp_path / "net.onnx")
    network = read_network(tmp_path / "net.onnx")
    assert network == read_network(built)
    points = normal(40, 3, kind=kind, seed=7)
    expected = run(built, points)
    exact = [[float(entry) for entry in network.evaluate_exact(list(map(Fraction, row)))] for row in points.tolist()]
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(expected, exact, rtol=0, atol=accuracy)


def test_onnx_input_of_a_single_point() -> None:
    built = one_point()
    network = read_network(built)
    for point in normal(10, 3, kind=np.float64, seed=4):
        np.testing.assert_allclose(run(built, point), network(point[None])[0], rtol=0, atol=1e-13)


def test_onnx_weights_are_the_stored_ones() -> None:
    built = gemm_relu_gemm()
    layers = read_network(built).layers
    assert len(layers) == 2
    for layer, names in zip(layers, (("w1", "b1"), ("w2", "b2")), strict=True):
        stored = {entry.name: onnx.numpy_helper.to_array(entry) for entry in built.graph.initializer}
        assert [[float(entry) for entry in row] for row in layer.weights] == stored[names[0]].tolist()
        assert [float(entry) for entry in layer.biases] == stored[names[1]].tolist()


def test_onnx_maps_without_a_relu_between_are_composed_exactly() -> None:
    third = np.float64(1 / 3)
    tensors = {"w": np.array([[third]]), "v": np.array([[3.0]]), "b": np.array([1e-30])}
    nodes = [node("MatMul", "x w", "m"), node("Add", "m b", "a"), node("MatMul", "a v", "y")]
    (layer,) = read_network(model(nodes, tensors, ["N", 1], np.float64)).layers
    assert layer.weights == ((3 * Fraction(third),),)
    assert layer.biases == (3 * Fraction(1e-30),)


def test_onnx_inputs_that_are_moved_first() -> None:
    tensors = W33 | B3 | {"c": np.array([[0.5, -0.25, 2]], dtype=np.float32), "d": np.array(1, dtype=np.float32)}
    moved = [node("Add", "x c", "a"), node("Add", "d a", "a2")]
    (layer,) = read_network(model([*moved, node("MatMul", "a2 w", "y")], tensors)).layers
    assert layer.biases == (Fraction(3, 2), Fraction(3, 4), Fraction(3))
    first, last = read_network(model([*moved, node("Relu", "a2", "h"), node("MatMul", "h w", "y")], tensors)).layers
    assert first == layer
    assert last.biases == (Fraction(0),) * 3


WIDE = {"w": np.zeros((3, 2000), dtype=np.float32), "v": np.zeros((2000, 3), dtype=np.float32)}


@pytest.mark.parametrize(
    ("nodes", "tensors", "shape"),
    [
        ([node("Relu", "x", "h"), node("MatMul", "h v", "y")], WIDE, ["N", 2000]),
        ([node("MatMul", "x w", "h"), node("Relu", "h", "y")], WIDE, ["N", 3]),
        ([node("MatMul", "x v", "h"), node("MatMul", "h w", "y")], WIDE, ["N", 2000]),
    ],
)
def test_onnx_layers_that_would_become_too_large(nodes: Any, tensors: Any, shape: Any) -> None:
    text = message(lambda: read_network(model(nodes, tensors, shape)), OutOfReach)
    assert text.startswith(NAME + "  found:  at least 4002000 weights and biases in 1 layer\n")


def test_onnx_relus_at_the_ends_and_twice_get_identity_layers() -> None:
    network = read_network(several_maps())
    assert network.widths == (3, 4, 2)
    identity = ((Fraction(1), Fraction(0)), (Fraction(0), Fraction(1)))
    assert (network.layers[-1].weights, network.layers[-1].biases) == (identity, (Fraction(0), Fraction(0)))


@pytest.mark.parametrize("kind", [onnx.TensorProto.FLOAT, onnx.TensorProto.BFLOAT16, onnx.TensorProto.FLOAT16])
def test_onnx_typed_fields_and_short_floats(kind: int) -> None:
    make, info = onnx.helper.make_tensor, onnx.helper.make_tensor_value_info
    weights = make("w", kind, [1, 2], [0.5, -3.0])
    nodes = [node("Gemm", "x w", "y", transB=1)]
    graph = onnx.helper.make_graph(nodes, "g", [info("x", kind, ["N", 2])], [info("y", kind, ["N", 1])], [weights])
    network = read_network(
        onnx.helper.make_model(graph, ir_version=8, opset_imports=[onnx.helper.make_opsetid("", 17)])
    )
    assert network.layers[0].weights == ((Fraction(1, 2), Fraction(-3)),)


def test_onnx_weights_in_another_file(tmp_path: Path) -> None:
    built, path = gemm_relu_gemm(), tmp_path / "net.onnx"
    expected = read_network(built)
    onnx.save(built, path, save_as_external_data=True, location="net.data", size_threshold=0)
    assert read_network(path) == expected
    bare = onnx.load(path, load_external_data=False)
    assert message(lambda: read_network(bare)) == (
        "read the network the ONNX model\n  found:  the numbers of w1, b1, w2, b2 are in another file\n"
        "  needed: the weights themselves\n  do:     pass the path of the model file"
    )
    (tmp_path / "net.data").unlink()
    text = message(lambda: read_network(path))
    assert text.startswith(f"read the network {path}\n  found:  ")
    assert text.endswith("\n  needed: an ONNX file, with its data files beside it if it has any")


def gemm(output: str = "y", **attributes: Any) -> Any:
    return node("Gemm", "x w b", output, **attributes)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "every operator that is not supported": (
        lambda: model(
            [
                onnx.helper.make_node("Conv", ["x", "w"], ["c"], name="conv1"),
                node("Relu", "c", "h"),
                onnx.helper.make_node("Softmax", ["h"], ["s"]),
                onnx.helper.make_node("Magic", ["s"], ["y"], domain="com.shop"),
            ],
            W33,
        ),
        NAME + "  found:  the operator Conv of node 'conv1'\n"
        "          the operator Softmax of node 2 (without a name)\n"
        "          the operator com.shop.Magic of node 3 (without a name)\n" + SUPPORTED,
    ),
    "an attribute of an older opset": (
        lambda: model([gemm(broadcast=1)], W33 | B3),
        NAME + "  found:  the attribute 'broadcast' of the Gemm node 'gemm_y'\n" + SUPPORTED,
    ),
    "a residual branch": (
        lambda: model([gemm("g"), node("Add", "g x", "y")], W33 | B3),
        NAME + "  found:  the Add node 'add_y' reads 'g' and 'x'\n"
        "  needed: a chain without branches: it has to read 'g', once, and constants",
    ),
    "the same value twice": (
        lambda: model([gemm("g"), node("Add", "g g", "y")], W33 | B3),
        NAME + "  found:  the Add node 'add_y' reads 'g' and 'g'\n"
        "  needed: a chain without branches: it has to read 'g', once, and constants",
    ),
    "a node beside the chain": (
        lambda: model([gemm("g"), node("Relu", "x", "y")], W33 | B3),
        NAME + "  found:  the Relu node 'relu_y' reads 'x'\n"
        "  needed: a chain without branches: it has to read 'g', once, and constants",
    ),
    "constants only": (
        lambda: model([node("Add", "b b", "c"), gemm()], W33 | B3),
        NAME + "  found:  the Add node 'add_c' reads constants only\n"
        "  needed: a chain without branches: it has to read 'x', once, and constants",
    ),
    "an output inside": (
        lambda: model([gemm("y"), node("Relu", "y", "h")], W33 | B3),
        NAME + "  found:  the output 'y' is not the end of the chain, 'h'\n"
        "  needed: a chain: every node reads what the one before it gives",
    ),
    "a transposed input": (
        lambda: model([gemm(transA=1)], W33 | B3, [3, 3]),
        NAME + "  found:  the Gemm node 'gemm_y' with other inputs\n"
        "  needed: the data as its first input, of shape [N, dim] and not transposed",
    ),
    "a matrix from the left": (
        lambda: model([node("MatMul", "w x", "y")], W33, [3, 3]),
        NAME + "  found:  the MatMul node 'matmul_y' multiplies from the left, which mixes the points of a batch\n"
        "  needed: the data of shape [N, dim] as its first input",
    ),
    "a vector as weights": (
        lambda: model([node("MatMul", "x b", "y")], B3),
        NAME + "  found:  the MatMul node 'matmul_y' with weights of shape (3,)\n  needed: a matrix",
    ),
    "a bias that differs from point to point": (
        lambda: model([node("MatMul", "x w", "m"), node("Add", "m c", "y")], W33 | {"c": normal(4, 3)}, [4, 3]),
        NAME + "  found:  the Add node 'add_y' adds a constant of shape (4, 3)\n"
        "  needed: one number for each of the 3 units",
    ),
    "a bias that widens": (
        lambda: model([node("MatMul", "x w", "m"), node("Add", "m b", "y")], {"w": normal(3, 1)} | B3),
        NAME + "  found:  the Add node 'add_y' adds a constant of shape (3,)\n"
        "  needed: one number for each of the 1 units",
    ),
    "shapes that do not fit": (
        lambda: model([gemm("g"), node("Relu", "g", "h"), node("MatMul", "h v", "y")], W33 | B3 | {"v": normal(4, 1)}),
        NAME + "  found:  the MatMul node 'matmul_y' takes 4 values\n  needed: 3, as many as come before it",
    ),
    "an input of another size": (
        lambda: model([gemm()], W33 | B3, ["N", 7]),
        NAME + "  found:  the Gemm node 'gemm_y' takes 3 values\n  needed: 7, as many as come before it",
    ),
    "a NaN": (
        lambda: model([gemm()], {"w": np.where(np.eye(3) > 0, np.nan, 1).astype(np.float32)} | B3),
        "read the Gemm node 'gemm_y' of the ONNX model, weight [0, 0]\n  found:  nan\n  needed: a finite number",
    ),
    "an infinite bias": (
        lambda: model([gemm()], W33 | {"b": np.array([0, 0, -np.inf], dtype=np.float32)}),
        "read the Gemm node 'gemm_y' of the ONNX model, bias [2]\n  found:  -inf\n  needed: a finite number",
    ),
    "integer weights": (
        lambda: model([node("MatMul", "x w", "y")], {"w": np.eye(3, dtype=np.int64)}),
        "read the MatMul node 'matmul_y' of the ONNX model\n  found:  numbers of type int64\n"
        "  needed: float16 or bfloat16 or float32 or float64",
    ),
    "images": (
        lambda: model([node("Flatten", "x", "f"), gemm()], W33 | B3, [1, 1, 28, 28]),
        NAME + "  found:  the input 'x' of type FLOAT and shape [1, 1, 28, 28]\n"
        "  needed: floating-point numbers of shape [N, dim] or [dim]",
    ),
    "an integer input": (
        lambda: model([gemm()], W33 | B3, kind=np.int64),
        NAME + "  found:  the input 'x' of type INT64 and shape [?, 3]\n"
        "  needed: floating-point numbers of shape [N, dim] or [dim]",
    ),
    "another axis to flatten": (
        lambda: model([gemm("g"), node("Flatten", "g", "y", axis=0)], W33 | B3),
        NAME + "  found:  the Flatten node 'flatten_y' with axis 0\n  needed: a node that keeps the shape [N, 3]",
    ),
    "another shape": (
        lambda: model([gemm("g"), node("Reshape", "g s", "y")], W33 | B3 | {"s": np.array([3, -1])}),
        NAME + "  found:  the Reshape node 'reshape_y' with the shape [3, -1]\n"
        "  needed: a node that keeps the shape [N, 3]",
    ),
    "a shape of zeros": (
        lambda: model([gemm("g"), node("Reshape", "g s", "y", allowzero=1)], W33 | B3 | {"s": np.array([0, 3])}),
        NAME + "  found:  the Reshape node 'reshape_y' with the shape [0, 3]\n"
        "  needed: a node that keeps the shape [N, 3]",
    ),
    "nothing to compute": (
        lambda: model([node("Relu", "x", "y")], {}),
        NAME + "  found:  no layer with weights\n  needed: at least one affine layer",
    ),
    "a ReLU before anything is known": (
        lambda: model([node("Relu", "x", "h"), node("MatMul", "h w", "y")], W33, ["N", "D"]),
        NAME + "  found:  an input of unknown size before the first layer with weights",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_onnx_refusals(name: str) -> None:
    build, expected = REFUSED[name]
    assert message(lambda: read_network(build())) == expected


@pytest.mark.parametrize("target", [[-1, 3], [0, 3], [0, -1], [0, 0], [4, 3], [4, -1]])
def test_onnx_shapes_that_are_kept(target: list[int]) -> None:
    nodes = [gemm("g"), node("Reshape", "g s", "y")]
    assert read_network(model(nodes, W33 | B3 | {"s": np.array(target)}, [4, 3])).dim == 3


def malformed(change: Callable[[Any], object]) -> Any:
    built = model([gemm()], W33 | B3)
    change(built.graph)
    return built


MALFORMED: dict[str, tuple[Callable[[Any], object], str]] = {
    "an unknown type of input": (
        lambda graph: setattr(graph.input[0].type.tensor_type, "elem_type", 99),
        "  found:  the input 'x' of type ? and shape [?, 3]\n"
        "  needed: floating-point numbers of shape [N, dim] or [dim]",
    ),
    "an unknown type of tensor": (
        lambda graph: setattr(graph.initializer[0], "data_type", 99),
        "  found:  the tensor 'w': 99\n  needed: a valid tensor",
    ),
    "a constant without a value": (
        lambda graph: graph.node.insert(0, onnx.helper.make_node("Constant", [], ["c"], name="none")),
        "  found:  the Constant node 'none' with 0 values\n  needed: one value",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_onnx_models_that_the_library_lets_through(name: str) -> None:
    change, expected = MALFORMED[name]
    assert message(lambda: read_network(malformed(change))) == NAME + expected


def test_onnx_models_with_two_inputs() -> None:
    built = model([gemm()], W33 | B3)
    built.graph.input.append(onnx.helper.make_tensor_value_info("z", onnx.TensorProto.FLOAT, ["N", 3]))
    expected = "  found:  2 inputs, 1 outputs, 0 sparse tensors\n  needed: one input and one output, and dense tensors"
    assert message(lambda: read_network(built)) == NAME + expected


def test_onnx_initializers_may_be_listed_as_inputs() -> None:
    built = model([gemm()], W33 | B3)
    built.graph.input.append(onnx.helper.make_tensor_value_info("w", onnx.TensorProto.FLOAT, [3, 3]))
    assert read_network(built) == read_network(model([gemm()], W33 | B3))


def test_onnx_files_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(b"not a network")
    text = message(lambda: read_network(path))
    assert text.startswith(f"read the network {path}\n  found:  Error parsing message")
    path.write_bytes(b"")
    assert message(lambda: read_network(path)).endswith("\n  needed: a valid ONNX model")
    built = gemm_relu_gemm()
    built.graph.initializer[0].raw_data = b"123"
    assert message(lambda: read_network(built)).endswith("\n  needed: a valid ONNX model")


def test_too_many_numbers_are_refused_before_they_are_read() -> None:
    built = model([node("MatMul", "x w", "y")], {"w": np.zeros((1000, 1000), dtype=np.float32)}, ["N", 1000])
    assert message(lambda: read_network(built), OutOfReach) == (
        "read the MatMul node 'matmul_y' of the ONNX model\n"
        "  found:  at least 1001000 weights and biases in 1 layer\n"
        "  needed: at most 1000000 in 64 layers, which is what a document holds"
    )


def test_too_many_layers() -> None:
    text = message(lambda: read_network([([[1]], [0])] * 65), OutOfReach)
    assert "\n  found:  at least 130 weights and biases in 65 layers\n" in text


# ----------------------------------------------------------------------------------------------------------------------
# safetensors


@pytest.fixture
def tensors_path(tmp_path: Path) -> Callable[[dict[str, Array]], Path]:
    def save(tensors: dict[str, Array]) -> Path:
        path = tmp_path / "net.safetensors"
        safetensors_numpy.save_file(tensors, path)
        return path

    return save


TENSORS = {
    "fc2.weight": normal(4, 5, seed=1),
    "fc2.bias": normal(4),
    "fc10.weight": normal(1, 4, seed=2).astype(np.float64),
    "fc1.weight": normal(5, 3).astype(np.float16),
    "fc1.bias": normal(5),
}


def test_safetensors_with_the_names_of_the_layers(tensors_path: Any) -> None:
    network = read_network(tensors_path(TENSORS), layers=["fc1", "fc2", "fc10"])
    values = normal(10, 3, kind=np.float64)
    expected = values
    for place, name in enumerate(("fc1", "fc2", "fc10")):
        weights, bias = TENSORS[f"{name}.weight"].astype(np.float64), TENSORS.get(f"{name}.bias", np.zeros(1))
        expected = (np.maximum(expected, 0) if place else expected) @ weights.T + bias
    np.testing.assert_allclose(network(values), expected, rtol=0, atol=1e-13)
    assert network.layers[2].biases == (Fraction(0),)


def test_safetensors_that_depthsep_wrote(tensors_path: Any) -> None:
    network = read_network(tensors_path(named_tensors(DEEP)))
    for weights, (flat_weights, _) in zip(network.layers, DEEP.dense_layers(), strict=True):
        assert [[float(entry) for entry in row] for row in weights.weights] == flat_weights.tolist()


def test_safetensors_in_bfloat16(tmp_path: Path) -> None:
    header = json.dumps({"a.weight": {"dtype": "BF16", "shape": [1, 2], "data_offsets": [0, 4]}}).encode()
    path = tmp_path / "net.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes([0xC0, 0x3F, 0x00, 0xC0]))
    assert read_network(path, layers=["a"]).layers[0].weights == ((Fraction(3, 2), Fraction(-2)),)


@pytest.mark.parametrize(
    ("tensors", "layers", "expected"),
    [
        (
            TENSORS,
            None,
            "  found:  layers fc1, fc2, fc10\n  needed: their order, which the file does not say\n"
            "  do:     name the layers from first to last: layers=['fc1', 'fc2', 'fc10'] (--layers fc1,fc2,fc10)",
        ),
        (
            {"a": normal(2)},
            None,
            "  found:  the tensors a\n  needed: their order, which the file does not say",
        ),
        (
            TENSORS,
            ["fc1", "fc3", "out"],
            "  found:  no tensor fc3.weight, out.weight\n"
            "  needed: tensors of the file: fc1.bias, fc1.weight, fc2.bias, fc2.weight, fc10.weight",
        ),
        (
            TENSORS,
            [],
            "  found:  an empty list of layers\n"
            "  needed: tensors of the file: fc1.bias, fc1.weight, fc2.bias, fc2.weight, fc10.weight",
        ),
        (
            TENSORS,
            ["fc1", "fc10"],
            "  found:  layer 'fc10' of PATH takes 4 values\n  needed: 5, as many as come before it",
        ),
        (
            {"a.weight": normal(1, 1), "a.weight_g": normal(1)},
            ["a"],
            "  found:  the tensor a.weight_g\n  needed: layers that have a weight and a bias and nothing else",
        ),
    ],
)
def test_safetensors_refusals(tensors_path: Any, tensors: Any, layers: Any, expected: str) -> None:
    path = tensors_path(tensors)
    text = message(lambda: read_network(path, layers=layers))
    assert text == f"read the network {path}\n" + expected.replace("PATH", str(path))


@pytest.mark.parametrize(
    ("tensors", "place", "expected"),
    [
        (
            {"a.weight": np.array([[0, np.nan]])},
            "layer 'a' of PATH, weight [0, 1]",
            "  found:  nan\n  needed: a finite number",
        ),
        (
            {"a.weight": np.zeros((2, 1), dtype=np.int8)},
            "the tensor 'a.weight' of PATH",
            "  found:  numbers of type I8\n  needed: F16, BF16, F32 or F64",
        ),
        (
            {"a.weight": np.zeros((2, 1)), "a.bias": np.zeros(1)},
            "layer 'a' of PATH",
            "  found:  a bias of shape (1,) beside weights of shape (2, 1)\n  needed: one bias for each row",
        ),
        (
            {"a.weight": np.zeros((2, 1, 3, 3))},
            "layer 'a' of PATH",
            "  found:  weights of shape (2, 1, 3, 3)\n  needed: a matrix with at least one row and one column",
        ),
    ],
)
def test_safetensors_with_bad_tensors(tensors_path: Any, tensors: Any, place: str, expected: str) -> None:
    path = tensors_path(tensors)
    text = message(lambda: read_network(path, layers=["a"]))
    assert text == f"read {place.replace('PATH', str(path))}\n{expected}"


def test_safetensors_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    path.write_bytes(b"x")
    text = message(lambda: read_network(path))
    assert text.startswith(f"read the network {path}\n  found:  Error while deserializing header")
    assert text.endswith("\n  needed: a safetensors file")


# ----------------------------------------------------------------------------------------------------------------------
# JSON and documents


def test_json_of_a_network(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    layers = [{"weights": [["1/3", "-0.1"]], "biases": ["0x1p-3"]}, {"weights": [[2]], "biases": [0]}]
    path.write_text(json.dumps({"kind": "relu-network", "dim": 2, "layers": layers}))
    network = read_network(str(path))
    assert network.layers[0].weights == ((Fraction(1, 3), Fraction(-1, 10)),)
    assert network.layers[0].biases == (Fraction(1, 8),)
    assert read_network(json.loads(path.read_text())) == network


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ('{"kind": "relu-network", "kind": 1}', "an object with the same key twice"),
        ('{"dim": NaN}', "NaN, which is no number of JSON"),
    ],
)
def test_text_that_is_no_json(text: str, found: str, tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    path.write_text(text)
    needed = "JSON: a relu-network object, or a depthsep document"
    assert message(lambda: read_network(path)) == f"read the network {path}\n  found:  {found}\n  needed: {needed}"


def test_numbers_with_a_point_are_refused_in_json(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    path.write_text('{"kind": "relu-network", "dim": 1, "layers": [{"weights": [[0.1]], "biases": [0]}]}')
    assert message(lambda: read_network(path)) == (
        "read layer 1 from JSON\n  found:  the JSON number 0.1\n"
        '  needed: an integer, or a text, which is exact\n  do:     write it as "0.1"'
    )


def test_a_document_gives_its_network_once_it_is_checked(tmp_path: Path) -> None:
    from depthsep import build

    certified = build("abs(r - 1/2)", dim=3, eps="1/4", depth=3)
    path = certified.save(tmp_path / "deep.json")
    network = read_network(path)
    assert network == read_network(certified) == read_network(certified.network)
    rng = random.Random(4)
    for _ in range(5):
        point = [Fraction(rng.randint(-9, 9), 20) for _ in range(3)]
        assert network.evaluate_exact(point) == (certified.network.evaluate_exact(point),)
    path.write_text(json.dumps(certified.document | {"made_by": "another"}))
    assert message(lambda: read_network(path)) == (
        f"read {path}\n  found:  MALFORMED digest: it is not the digest of this document\n"
        "  needed: a depthsep document, version 1"
    )


def test_a_document_of_two_equal_networks_gives_the_second_one(tmp_path: Path) -> None:
    source = ReluNetwork.from_arrays([([[2, 0], [0, "1/3"]], [0, 1]), ([[1, 1]], [0])])
    other = ReluNetwork.from_arrays([([[1, 0], [0, 1]], [0, 3]), ([[2, "1/3"]], [0])])
    ends = {"kind": "same-function", "dim": 2, "outputs": 1, "domain": "R^d", "arithmetic": "real"}
    claim = ends | {"max_weight": "3", "rescaling_lower": None}
    certified = certify_equality(source, other, claim, {"kind": "canonical-forms", "critical_path": None})
    assert read_network(certified.save(tmp_path / "equal.json")) == other


def test_integer_layers_are_expanded_exactly() -> None:
    step = Block([1], [8], [-3, -4])
    layers = IntegerLayers(2, ((step,),), (np.array([2, -1]),), (OutputRow([0, 1], [1, -1], 7),), Fraction(5, 4))
    network = read_network(layers)
    assert (network.dim, network.widths, network.max_weight) == (2, (2,), layers.max_weight)
    indices = np.arange(18).reshape(9, 2) % 9
    tops, bottom = network.grid_values(indices, 3, "[0,1]^d")
    integers, scale = layers.grid_values(indices, 3, "[0,1]^d")
    assert [Fraction(int(top), bottom) for top in tops[:, 0]] == [scale * int(entry) for entry in integers[:, 0]]
    thirds = IntegerLayers(2, ((step,),), (None,), (OutputRow([0, 1], [1, -1], 0),), Fraction(1, 3))
    assert "float64" in message(lambda: read_network(thirds))


def test_files_that_no_document_is_as_long_as(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    path.touch()
    os.truncate(path, 2**26 + 1)
    assert message(lambda: read_network(path)) == (
        f"read the network {path}\n  found:  67108865 bytes\n  needed: at most 67108864 bytes"
    )


def test_documents_of_networks_too_wide_to_expand() -> None:
    network = ShallowNetwork(64, 0.0, (RidgeGroup(Orbit((1, 1, 1), 64), (0.5,), (1.0,)),))
    assert "weights and biases" in message(lambda: read_network(network), OutOfReach)


# ----------------------------------------------------------------------------------------------------------------------
# Python, and what is nothing at all


def test_lists_and_networks_are_read_as_they_are() -> None:
    network = read_network([([[1, 2]], ["1/3"])])
    assert network == ReluNetwork.from_arrays([(np.array([[1, 2]]), [Fraction(1, 3)])])
    assert read_network(network) is network
    assert read_network(SimpleNamespace(network=network)) is network


SOURCES = (
    "a path, a list of pairs (W, b), a relu-network object, a ReluNetwork, an onnx.ModelProto or a torch.nn.Sequential"
)


def test_sources_that_are_no_network(tmp_path: Path) -> None:
    wrong, pickled = tmp_path / "net.h5", tmp_path / "net.pt"
    wrong.touch()
    pickled.touch()
    asked = "read the network "
    assert message(lambda: read_network(7)) == f"read a network from a int\n  needed: {SOURCES}"
    assert message(lambda: read_network(tmp_path / "no.onnx")) == (
        f"{asked}{tmp_path / 'no.onnx'}\n  found:  no such file\n  needed: a file with a network"
    )
    assert "\n  found:  a folder\n" in message(lambda: read_network(tmp_path))
    assert message(lambda: read_network(wrong)) == (
        f"{asked}{wrong}\n  found:  the suffix '.h5'\n  needed: .onnx, .safetensors or .json"
    )
    assert message(lambda: read_network(pickled)) == (
        f"{asked}{pickled}\n  found:  the suffix '.pt'\n  needed: .onnx, .safetensors or .json\n"
        "  do:     load the module in Python and pass it to read_network, or export it to ONNX"
    )
    assert message(lambda: read_network(wrong, layers=["a", "b"])) == (
        f"read the layers a, b of {wrong}\n  needed: a safetensors file"
    )
    assert message(lambda: read_network([], layers=["a"])) == (
        "read the layers a of a list\n  needed: a safetensors file"
    )
    assert message(lambda: read_network(SimpleNamespace(network=3))) == (
        "read a network from a SimpleNamespace\n  found:  a int\n  needed: a ReLU network"
    )


def test_files_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "net.json"
    path.touch()
    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert message(lambda: read_network(path)) == (
        f"read the network {path}\n  found:  Permission denied\n  needed: a file that may be read"
    )


@pytest.mark.parametrize(("package", "suffix"), [("onnx", ".onnx"), ("safetensors", ".safetensors")])
def test_missing_packages(package: str, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / f"net{suffix}"
    path.touch()
    for name in (package, *(name for name in sys.modules if name.startswith(f"{package}."))):
        monkeypatch.setitem(sys.modules, name, None)
    assert message(lambda: read_network(path), MissingExtra) == (
        f"read the network {path}\n  found:  the package {package!r} is not installed\n"
        "  needed: the extra 'export' of depthsep\n  do:     pip install 'depthsep[export]'"
    )
