"""Model files of networks with other activations than ReLU, against their documents: followed node by node."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from flint import arb, fmpq

from depthsep.activations import ACTIVATIONS
from depthsep.certificates.document import load
from depthsep.constructions.univariate_fit import fit
from depthsep.exports import onnx as onnx_export
from depthsep.exports import safetensors as safetensors_export
from depthsep.networks import (
    ActivationGroup,
    ActivationNetwork,
    CodeCube,
    ExplicitDirections,
    Network,
    Orbit,
    SmoothSeparableNetwork,
)
from depthsep_check import Status, check_model
from depthsep_check.activation_graphs import ACTIVATION_GRAPHS
from depthsep_check.document import encode
from depthsep_check.numbers import precision

onnx = pytest.importorskip("onnx")
pytest.importorskip("safetensors")

SMOOTH = ("softplus", "sigmoid", "tanh")
SAME = "; the same function in exact arithmetic"


def shallow(activation: str) -> ActivationNetwork:
    groups = (
        ActivationGroup(Orbit((2, 1), 3), (2.0, 0.5), (0.25, -1.0), (0.75, -1.25)),
        ActivationGroup(CodeCube(2, (0, 1, 2)), (4.0,), (0.0,), (1.0,)),
        ActivationGroup(ExplicitDirections(((0.1, -0.7, 0.3),)), (0.5,), (0.5,), (5e-324,)),
    )
    return ActivationNetwork(3, activation, 0.5, groups)


def deep(activation: str) -> SmoothSeparableNetwork:
    numbers = (0.25, 0.5, 128.0, 1.0, -16.0, 1.0, (1.0, 2.0), (0.0, -0.25), (0.5, 3.0))
    return SmoothSeparableNetwork(3, activation, *numbers)


def document(network: Network) -> str:
    """A well-formed document; its proof is not replayed when a model is compared."""
    pair = {"upper": ["0x0p+0"], "lower": ["0x0p+0"]}
    groups = len(getattr(network, "groups", ()))
    witness: dict[str, Any] = {"kind": "moment-sandwich", "cells": [{"to": "1", "groups": [pair] * groups}]}
    claim = {"dim": network.dim, "domain": "unit-ball", "arithmetic": "real", "error": "1/10"}
    return encode(
        {
            "format": "depthsep",
            "version": 1,
            "made_by": "a test",
            "function": {"kind": "radial", "expression": "1 - r"},
            "claim": {"kind": network.claim_kind, **claim},
            "network": network.to_json(),
            "witness": witness if network.depth == 2 else {"kind": "taylor"},
        }
    )


def certified(network: Network) -> Any:
    return SimpleNamespace(network=network, sup_error_upper=Fraction(1, 10), digest="0123")


def compared(network: Network, content: bytes, tmp_path: Path) -> Any:
    (tmp_path / "model.onnx").write_bytes(content)
    return check_model(document(network), tmp_path / "model.onnx")


NETWORKS: dict[str, Network] = {
    **{f"shallow {name}": shallow(name) for name in ACTIVATIONS},
    **{f"deep {name}": deep(name) for name in SMOOTH},
}


@pytest.mark.parametrize("name", NETWORKS)
def test_exports_are_the_networks(name: str, tmp_path: Path) -> None:
    network, activation = NETWORKS[name], name.split()[1]
    onnx_export.write(certified(network), tmp_path / "model.onnx")
    safetensors_export.write(certified(network), tmp_path / "model.safetensors")
    verdict = check_model(document(network), tmp_path / "model.onnx")
    assert verdict.ok, verdict.line
    widths = ", ".join(map(str, network.widths))
    assert f"dimension 3, widths ({widths}), {network.parameters} float64 weights and biases" in verdict.text
    differs = ACTIVATION_GRAPHS[activation].differs
    assert verdict.text.endswith(f"{SAME} but for {differs}" if differs else SAME)
    assert bool(differs) == (activation in ("leaky_relu", "gelu", "erf"))
    verdict = check_model(document(network), tmp_path / "model.safetensors")
    assert verdict.ok, verdict.line
    assert verdict.text.endswith(SAME if activation == "relu" else f"{activation}, is not a matter of such a file")


@pytest.mark.parametrize("name", ["shallow tanh", "deep softplus"])
def test_every_changed_weight_is_found(name: str, tmp_path: Path) -> None:
    network = NETWORKS[name]
    model = onnx_export.to_onnx(certified(network))
    for place in range(4 if network.depth == 2 else 6):
        values = onnx.numpy_helper.to_array(model.graph.initializer[place])
        for index in np.ndindex(values.shape):
            forged, other = copy.deepcopy(model), values.copy()
            other[index] = np.nextafter(values[index], 9)
            forged.graph.initializer[place].CopyFrom(
                onnx.numpy_helper.from_array(other, model.graph.initializer[place].name)
            )
            verdict = compared(network, forged.SerializeToString(), tmp_path)
            assert verdict.status is Status.REFUTED
            assert "the network has" in verdict.text


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_other_graph_is_found(activation: str, tmp_path: Path) -> None:
    network = shallow(activation)
    for other in ACTIVATIONS:
        model = onnx_export.to_onnx(certified(shallow(other)))
        verdict = compared(network, model.SerializeToString(), tmp_path)
        assert verdict.status is (Status.VERIFIED if other == activation else Status.REFUTED), (other, verdict.line)


@pytest.mark.parametrize("activation", ["gelu", "softplus", "silu", "step", "hard_tanh", "leaky_relu"])
def test_every_change_of_a_graph_is_found(activation: str, tmp_path: Path) -> None:
    """Every operator, input, constant and attribute of every node, one at a time."""
    network = shallow(activation)
    model = onnx_export.to_onnx(certified(network))
    for forged in forgeries(model):
        verdict = compared(network, forged.SerializeToString(), tmp_path)
        assert verdict.status is not Status.VERIFIED, verdict.line


def forgeries(model: Any) -> Any:
    constants = [tensor for tensor in model.graph.initializer if not tensor.dims]
    others = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in constants}
    for index, node in enumerate(model.graph.node):
        yield changed(model, lambda m, i=index: setattr(m.graph.node[i], "op_type", "Ceil"))
        yield changed(model, lambda m, i=index: setattr(m.graph.node[i], "domain", "elsewhere"))
        yield changed(model, lambda m, i=index: m.graph.node[i].attribute.append(ATTRIBUTE))
        yield changed(model, lambda m, i=index: m.graph.node[i].input.append("x"))
        yield changed(model, lambda m, i=index: m.graph.node.pop(i))
        yield changed(model, lambda m, i=index: m.graph.node.insert(i, copy.deepcopy(m.graph.node[i])))
        for place, name in enumerate(node.input):
            for other in {"x", "hidden1.sum", *list(others)[:2]} - {name}:
                if other not in others or name not in others or others[other] != others[name]:
                    yield changed(model, lambda m, i=index, p=place, o=other: m.graph.node[i].input.__setitem__(p, o))
    for place, tensor in enumerate(model.graph.initializer):
        if not tensor.dims:
            value = others[tensor.name]
            for wrong in (np.nextafter(value, 9), np.array(np.nan), value[None], value.astype(np.float32)):
                new = onnx.numpy_helper.from_array(np.asarray(wrong), tensor.name)
                yield changed(model, lambda m, p=place, n=new: m.graph.initializer[p].CopyFrom(n))
    extra = onnx.numpy_helper.from_array(np.array(1.0), "extra")
    yield changed(model, lambda m: m.graph.initializer.append(extra))
    yield changed(model, lambda m: setattr(m.graph.output[0], "name", "hidden1.value"))


ATTRIBUTE = onnx.helper.make_attribute("alpha", 2.0)


def changed(model: Any, change: Callable[[Any], Any]) -> Any:
    result = copy.deepcopy(model)
    change(result)
    return result


def test_a_shared_constant_is_allowed(tmp_path: Path) -> None:
    """Only values count: one initializer may serve two nodes."""
    model = onnx_export.to_onnx(certified(shallow("step")))
    zeros = [t.name for t in model.graph.initializer if not t.dims and onnx.numpy_helper.to_array(t) == 0]
    kept = [t for t in model.graph.initializer if t.name != zeros[1]]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    for node in model.graph.node:
        names = [zeros[0] if name == zeros[1] else name for name in node.input]
        del node.input[:]
        node.input.extend(names)
    assert compared(shallow("step"), model.SerializeToString(), tmp_path).ok


def test_a_number_of_the_wrong_size(tmp_path: Path) -> None:
    model = onnx_export.to_onnx(certified(shallow("step")))
    next(t for t in model.graph.initializer if not t.dims).raw_data = b"\0" * 4
    verdict = compared(shallow("step"), model.SerializeToString(), tmp_path)
    assert verdict.status is Status.MALFORMED
    assert "4 bytes for one number" in verdict.text


def test_a_formula_has_no_known_nodes(tmp_path: Path) -> None:
    """Its weights are compared, a graph is not."""
    obj = json.loads(document(shallow("tanh")))
    obj["network"]["activation"] = {"expression": "t/(1+abs(t))"}
    text = encode({key: value for key, value in obj.items() if key != "digest"})
    onnx_export.write(certified(shallow("tanh")), tmp_path / "model.onnx")
    verdict = check_model(text, tmp_path / "model.onnx")
    assert verdict.line == "UNSUPPORTED an ONNX file of a network with the activation 't -> t/(1+abs(t))'"
    safetensors_export.write(certified(shallow("tanh")), tmp_path / "model.safetensors")
    verdict = check_model(text, tmp_path / "model.safetensors")
    assert verdict.ok
    assert "the activation, t -> t/(1+abs(t)), is not a matter of such a file" in verdict.text


# ------------------------------------------------------------------------------------------- the nodes are the function


BALLS: dict[str, Callable[..., arb]] = {
    "Mul": lambda a, b: a * b,
    "Add": lambda a, b: a + b,
    "Sub": lambda a, b: a - b,
    "Div": lambda a, b: a / b,
    "Neg": lambda a: -a,
    "Abs": abs,
    "Exp": lambda a: a.exp(),
    "Log": lambda a: a.log(),
    "Tanh": lambda a: a.tanh(),
    "Sign": lambda a: a.sgn(),
    "Sigmoid": lambda a: 1 / (1 + (-a).exp()),
    "Relu": lambda a: a.max(arb(0)),
    "Max": lambda a, b: a.max(b),
    "Min": lambda a, b: a.min(b),
    "Clip": lambda a, low, high: a.max(low).min(high),
    "GreaterOrEqual": lambda a, b: a >= b,
    "LessOrEqual": lambda a, b: a <= b,
    "Where": lambda chosen, a, b: a if chosen else b,
}


@pytest.mark.parametrize("activation", ACTIVATION_GRAPHS)
def test_the_nodes_compute_the_activation(activation: str) -> None:
    """In balls, at rational places: exactly, or up to what is said."""
    graph, judge = ACTIVATION_GRAPHS[activation], ACTIVATIONS[activation].judge
    with precision(200):
        for place in [fmpq(n, 64) for n in range(-1000, 1001, 7)] + [fmpq(0), fmpq(1), fmpq(-1)]:
            results: dict[str | float, Any] = {"x": arb(place)}
            for number, (operator, inputs) in enumerate(graph.nodes):
                values = [results[part] if isinstance(part, str) else arb(part) for part in inputs]
                results[f"#{number}"] = BALLS[operator](*values)
            difference = results[f"#{len(graph.nodes) - 1}"] - judge.value(arb(place))
            if graph.differs:
                assert abs(difference) <= arb(2) ** -51 * (1 + abs(arb(place)))
            else:
                assert difference.contains(0)
                assert difference.rad() < arb(2) ** -150


# ------------------------------------------------------------------------------------------------------ sums of units


def test_a_fit_against_its_export(tmp_path: Path) -> None:
    found = fit("abs(t)", ("-1", "1"), "1/10", "gelu")
    found.save(tmp_path / "fit.json")
    onnx_export.write(found, tmp_path / "fit.onnx")
    verdict = check_model(tmp_path / "fit.json", tmp_path / "fit.onnx")
    assert verdict.ok, verdict.line
    assert "dimension 1, widths (3), 10 float64" in verdict.text
    again = load(tmp_path / "fit.json")
    assert again.document_text == found.document_text
    other = fit("abs(t)", ("-1", "1"), "1/11", "gelu")
    onnx_export.write(other, tmp_path / "other.onnx")
    verdict = check_model(tmp_path / "fit.json", tmp_path / "other.onnx")
    assert verdict.status is Status.REFUTED


def test_lower_bounds_have_no_network(tmp_path: Path) -> None:
    from depthsep.bounding import lower_bound

    bound = lower_bound("sin(pi*25*t)", dim=5, eps="1/10", theorem="degrees", domain="spheres")
    (tmp_path / "model.onnx").write_bytes(b"")
    verdict = check_model(bound.document, tmp_path / "model.onnx")
    assert verdict.line == "UNSUPPORTED a model file beside a document without a network"
