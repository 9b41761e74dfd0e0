"""Depth-2 networks with an activation that the document gives by a formula: verified, and forgeries are refused."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest

import depthsep as ds
from depthsep.activations import ACTIVATIONS
from depthsep.errors import BadInput
from depthsep.own_activations import forget_activation, register_activation
from depthsep_check import Status, check
from depthsep_check.document import encode

Obj = dict[str, Any]
NAME = "of_a_test"
FORMULAS = {
    "t/(1+abs(t))": lambda t: t / (1 + np.abs(t)),
    "t*tanh(log(1+exp(t)))": lambda t: t * np.tanh(np.log1p(np.exp(t))),
    "max(t,0)+exp(min(t,0))": lambda t: np.maximum(t, 0) + np.exp(np.minimum(t, 0)),
    "min(t,0)/4+max(0,t)": lambda t: np.where(t < 0, t / 4, t),
}
SOFTSIGN = "t/(1+abs(t))"


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    if NAME in ACTIVATIONS:
        forget_activation(NAME)


@cache
def built(formula: str) -> str:
    register_activation(NAME, formula)
    try:
        return str(ds.build("1 - r", dim=2, eps="1/5", activation=NAME).document_text)
    finally:
        forget_activation(NAME)


def document(formula: str = SOFTSIGN) -> Obj:
    return dict(json.loads(built(formula)))


def verdict_of(obj: Obj) -> Any:
    return check(encode({key: value for key, value in obj.items() if key != "digest"}))


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_network_is_proved_and_near(formula: str) -> None:
    obj = document(formula)
    assert obj["network"]["activation"] == {"expression": formula}
    verdict = check(built(formula))
    assert verdict.ok, verdict.line
    assert f"activation t -> {formula}; f(x)" in verdict.text
    total = np.zeros(400)
    angles, radii = np.linspace(0, math.pi, 20), np.linspace(0, 1, 20)
    x = np.stack([np.outer(radii, np.cos(angles)).ravel(), np.outer(radii, np.sin(angles)).ravel()], axis=1)
    for group in obj["network"]["groups"]:
        slopes, centres, weights = (
            np.array([float.fromhex(entry) for entry in group[key]]) for key in ("slopes", "centres", "weights")
        )
        for u in vectors(group["directions"]):
            for sign in (1, -1):
                total += FORMULAS[formula](np.multiply.outer(sign * (x @ u), slopes) - slopes * centres) @ weights
    values = total + float.fromhex(obj["network"]["bias"])
    assert np.abs(values - (1 - np.linalg.norm(x, axis=1))).max() <= 0.2 + 1e-12


def vectors(directions: Obj) -> list[np.ndarray]:
    if directions["kind"] == "explicit":
        return [np.array([float.fromhex(entry) for entry in row]) for row in directions["vectors"]]
    (first, *rest) = (*directions["generator"], 0)[:2]
    if rest == [0]:
        return [np.array([first, 0]), np.array([0, first])]
    pairs = {(first, rest[0]), (first, -rest[0]), (rest[0], first), (rest[0], -first)}
    return [np.array(pair) for pair in sorted(pairs) if pair[0] > 0 and (-pair[0], -pair[1]) not in pairs]


def test_loaded_with_and_without_the_name(tmp_path: Any) -> None:
    register_activation(NAME, SOFTSIGN)
    net = ds.build("1 - r", dim=2, eps="1/5", activation=NAME)
    assert (net.activation, net.network.activation, net.summary()["activation"]) == (SOFTSIGN, NAME, SOFTSIGN)
    path = net.save(tmp_path / "net.json")
    points = np.random.default_rng(3).uniform(-0.5, 0.5, (50, 2))
    assert ds.load(path).network.activation == NAME
    forget_activation(NAME)
    again = ds.load(path)
    assert again.network.activation == SOFTSIGN
    assert again(points) == pytest.approx(net(points), abs=1e-13)
    assert again.network.to_json() == json.loads(path.read_text())["network"]


def test_an_activation_of_ones_own_has_no_deep_network() -> None:
    register_activation(NAME, SOFTSIGN)
    with pytest.raises(BadInput, match="softplus, sigmoid or tanh"):
        ds.build("1 - r", dim=2, eps="1/5", depth=3, activation=NAME)


# ----------------------------------------------------------------------------------------------------------- forgeries


def put(value: Any) -> Callable[[Obj], None]:
    return lambda obj: obj["network"].__setitem__("activation", value)


def smaller_error(obj: Obj) -> None:
    obj["claim"]["error"] = "3/20"


FORGERIES: dict[str, tuple[Callable[[Obj], None], Status, str]] = {
    "another formula": (put({"expression": "t/(2+abs(t))"}), Status.REFUTED, "C1"),
    "a bump between all samples": (
        put({"expression": f"{SOFTSIGN} + exp(-(1000000*(t-1/7))^2)"}),
        Status.REFUTED,
        "C1",
    ),
    "no limits": (put({"expression": "sin(t)"}), Status.REFUTED, "activation: at -infinity: it oscillates for ever"),
    "equal limits": (put({"expression": "exp(-t^2)"}), Status.REFUTED, "the two limits are equal"),
    "too steep": (put({"expression": "t^2"}), Status.REFUTED, "activation: "),
    "a jump": (put({"expression": "t/abs(t)"}), Status.REFUTED, "not proved finite"),
    "a pole": (put({"expression": f"{SOFTSIGN} + 1/(t-3)"}), Status.REFUTED, "not proved finite"),
    "the name of another process": (put(NAME), Status.UNSUPPORTED, f"network.activation '{NAME}'"),
    "another variable": (put({"expression": "r/(1+abs(r))"}), Status.MALFORMED, "network.activation.expression"),
    "no formula": (put({"expression": "t/(1+abs(t)"}), Status.MALFORMED, "network.activation.expression"),
    "a number": (put({"expression": 1}), Status.MALFORMED, "network.activation.expression: expected a text"),
    "nothing": (put({}), Status.MALFORMED, "network.activation"),
    "a key too many": (put({"expression": SOFTSIGN, "name": "x"}), Status.MALFORMED, "network.activation"),
    "a list": (put([SOFTSIGN]), Status.MALFORMED, "network.activation: expected a text"),
    "a smaller error": (smaller_error, Status.REFUTED, "C3"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forgeries(name: str) -> None:
    change, status, reason = FORGERIES[name]
    obj = document()
    change(obj)
    verdict = verdict_of(obj)
    assert verdict.status is status, verdict.line
    assert reason in verdict.text


def test_a_formula_of_a_known_activation_is_the_same_network() -> None:
    obj = json.loads(ds.build("1 - r", dim=2, eps="1/5", activation="tanh").document_text)
    put({"expression": "tanh(t)"})(obj)
    assert verdict_of(obj).ok
    put({"expression": "tanh(t)/2"})(obj)
    assert not verdict_of(obj).ok
