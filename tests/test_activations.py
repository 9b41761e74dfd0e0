"""The catalogue: float evaluation, torch and ONNX forms, constants, names."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import arb, fmpq

from depthsep.activations import ACTIVATIONS, activation
from depthsep.errors import BadInput
from depthsep_check.activations import ACTIVATIONS as JUDGES
from depthsep_check.numbers import from_float, precision

POINTS = np.concatenate([np.linspace(-6, 6, 121), [-700.0, -40.0, 40.0, 700.0, 1e-9, -1e-9]])


def test_the_catalogue_is_the_checkers() -> None:
    assert list(ACTIVATIONS) == list(JUDGES)
    for name, entry in ACTIVATIONS.items():
        judge = JUDGES[name]
        assert entry.name == name
        assert (entry.kind == "jump") == judge.bounded
        assert entry.kind == "jump" or judge.left.slope != judge.right.slope


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_float_evaluation_agrees_with_the_balls(name: str) -> None:
    with precision(128):
        exact = np.array([float(JUDGES[name].value(arb(from_float(float(t)))).mid()) for t in POINTS])
    np.testing.assert_allclose(activation(name)(POINTS), exact, rtol=1e-14, atol=1e-300)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_torch_form(name: str) -> None:
    torch = pytest.importorskip("torch")
    make = activation(name).torch_module
    assert make is not None
    found = make(torch)(torch.from_numpy(POINTS)).numpy()
    np.testing.assert_allclose(found, activation(name)(POINTS), rtol=1e-14, atol=1e-15)


def _onnx_model(name: str) -> Any:
    onnx = pytest.importorskip("onnx")
    helper, double = onnx.helper, onnx.TensorProto.DOUBLE
    form = activation(name).onnx
    assert form is not None
    assert form.nodes[-1].output == "y"
    graph = helper.make_graph(
        [helper.make_node(node.operator, list(node.inputs), [node.output]) for node in form.nodes],
        name,
        [helper.make_tensor_value_info("x", double, ["N"])],
        [helper.make_tensor_value_info("y", double, ["N"])],
        [onnx.numpy_helper.from_array(np.array(value), key) for key, value in form.constants.items()],
    )
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    onnx.checker.check_model(model, full_check=True)
    return model


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_onnx_form(name: str) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    entry, text = activation(name), _onnx_model(name).SerializeToString()
    assert entry.onnx is not None
    if entry.onnx.replaced:
        with pytest.raises(Exception, match="NOT_IMPLEMENTED"):
            onnxruntime.InferenceSession(text, providers=["CPUExecutionProvider"])
        return
    session = onnxruntime.InferenceSession(text, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"x": POINTS})
    np.testing.assert_allclose(found, entry(POINTS), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", ["gelu", "erf"])
def test_what_onnxruntime_lacks_is_still_a_right_onnx_graph(name: str) -> None:
    reference = pytest.importorskip("onnx.reference")
    (found,) = reference.ReferenceEvaluator(_onnx_model(name)).run(None, {"x": POINTS[:121]})
    np.testing.assert_allclose(found, activation(name)(POINTS[:121]), rtol=0, atol=1e-6)  # its erf is in float32


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_constants_are_upper_bounds_and_sharp(name: str) -> None:
    entry, judge = activation(name), JUDGES[name]
    grid = [fmpq(k, 64) for k in range(-64 * 8, 64 * 8 + 1)]
    with precision(64):
        slopes = [float(judge.derivative(arb(t)).mid()) for t in grid if t not in judge.breaks]
        values = [float(judge.value(arb(t)).mid()) for t in grid]
        if entry.lipschitz is not None:
            steepest = judge.derivative(arb(0, 100))
            assert steepest.abs_upper() <= arb(fmpq(str_fraction(entry.lipschitz))) * (1 + arb("1e-8"))
            assert float(entry.lipschitz) <= 1.001 * max(map(abs, slopes))
        assert entry.lipschitz is None or judge.continuous
    varied = slopes if entry.lower_class == "derivative-variation" else values
    total = sum(abs(b - a) for a, b in itertools.pairwise(varied))
    assert 0.99 * float(entry.class_constant) <= total <= float(entry.class_constant)


def str_fraction(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


def test_lookup() -> None:
    assert activation("hard-tanh") is ACTIVATIONS["hard_tanh"]
    with pytest.raises(BadInput, match="did you mean 'softplus'"):
        activation("softpluss")
    with pytest.raises(BadInput, match="register_activation"):
        activation("zzz")


def test_summaries() -> None:
    facts = activation("leaky_relu").summary()
    assert facts["onnx"] == ["Mul", "Max"]
    assert facts["export"] == "torch, ONNX"
    assert facts["lower_bound_constant"] == "99/100"
    assert activation("step").summary()["lipschitz"] is None
    assert activation("gelu").export_note == "torch, ONNX (erf by rational functions)"
    assert activation("relu").export_note == "torch, ONNX"
