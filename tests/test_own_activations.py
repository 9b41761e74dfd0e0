"""A user's own activations: proved on the spot, used in fits, or refused with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

from depthsep.activations import ACTIVATIONS, activation
from depthsep.constructions.univariate_fit import fit
from depthsep.errors import BadInput
from depthsep.own_activations import forget_activation, register_activation
from depthsep_check import check

NAME = "mine"


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    if NAME in ACTIVATIONS:
        forget_activation(NAME)


@pytest.mark.parametrize(
    ("formula", "kind", "constant"),
    [
        ("t/(1+abs(t))", "jump", Fraction(101, 100)),
        ("tanh(t) + exp(-t^2)", "jump", Fraction(3, 2)),
        ("t*tanh(log(1+exp(t)))", "kink", Fraction(2)),
        ("min(t,0) + max(0,t)/2", "kink", Fraction(2)),
    ],
)
def test_proved_and_used(formula: str, kind: str, constant: Fraction) -> None:
    made = register_activation(NAME, formula)
    assert activation(NAME) is made
    assert (made.kind, made.assumption_constant) == (kind, constant)
    assert made.export_note == "not exported: a formula of your own"
    assert made.summary()["onnx"] is None
    found = fit("abs(t)", ("-1", "1"), "1/10", NAME)
    assert check(found.document_text).ok
    assert f"s = t -> {formula}" in found.verdict.text
    t = np.concatenate([np.linspace(-1, 1, 2001), [-1e4, 1e4]])
    assert np.abs(found(t) - np.abs(np.clip(t, -1, 1))).max() <= 0.1 + 1e-9


def test_where_a_formula_overflows_the_asymptote_is_taken() -> None:
    made = register_activation(NAME, "(exp(t)-exp(-t))/(exp(t)+exp(-t))")
    np.testing.assert_allclose(made([-1e4, -1.0, 0.0, 1.0, 1e4]), np.tanh([-1e4, -1.0, 0.0, 1.0, 1e4]), atol=1e-15)


@pytest.mark.parametrize(
    ("name", "formula", "message"),
    [
        (NAME, "sin(t)", "oscillates for ever"),
        (NAME, "exp(-t^2)", "two limits are equal"),
        (NAME, "t^2", "faster than linearly"),
        (NAME, "abs(r)", "cannot read"),
        ("relu", "t", "it is taken"),
        ("my relu", "max(0, t)", "letters, digits"),
    ],
)
def test_refused(name: str, formula: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        register_activation(name, formula)
    assert NAME not in ACTIVATIONS


def test_built_in_activations_stay() -> None:
    with pytest.raises(BadInput, match="forget the activation 'relu'"):
        forget_activation("relu")
