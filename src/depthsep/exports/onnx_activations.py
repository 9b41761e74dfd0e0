"""Activations as nodes of an ONNX graph, of operator set 17, all of which onnxruntime computes in float64.

The nodes are those of `depthsep.activations`, but for Erf, of which onnxruntime has no float64 version: in its place
stands the rational approximation of W. J. Cody ("Rational Chebyshev approximations for the error function", Mathematics
of Computation 23, 1969), x R(x^2) up to 15/32 and 1 - exp(-x^2) R(|x|) beyond, accurate to the last digits of float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from depthsep.activations import ACTIVATIONS
from depthsep.errors import BadInput

__all__ = ["ActivationNodes"]

_BORDER = 0.46875
_LARGEST = 10.0  # erf is 1 in float64 from 6 on
# Cody's coefficients, from the highest power on: numerators and denominators.
_INNER = (
    (1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
)
_OUTER = (
    (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1,
     2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
     1.23033935479799725e3),
    (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
     3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3),
)  # fmt: skip


class ActivationNodes:
    """The nodes of one activation layer.

    Args:
        onnx: The module onnx.
        layer: The name of the layer, a prefix of all names.
    """

    def __init__(self, onnx: Any, layer: str) -> None:
        """Begin without nodes."""
        self._onnx, self._layer = onnx, layer
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, activation: str, source: str, target: str) -> None:
        """Add the nodes that apply the activation to the tensor `source`, giving the tensor `target`."""
        known = ACTIVATIONS.get(activation)
        form = None if known is None else known.onnx
        if form is None:
            asked = f"export the activation {activation} to ONNX"
            raise BadInput(asked, needed="an activation of the catalogue", do="export to safetensors: weights only")
        names = {"x": source}
        for node in form.nodes:
            inputs = [form.constants[part] if part in form.constants else names[part] for part in node.inputs]
            result = target if node.output == "y" else f"{self._layer}.{node.output}"
            if node.operator == "Erf":
                self._erf(str(inputs[0]), result)
            else:
                self._node(node.operator, *inputs, result=result)
            names[node.output] = result

    def _node(self, kind: str, *inputs: str | float, result: str = "") -> str:
        """Add a node; numbers among the inputs become constants. The name of its result."""
        names = [self._constant(part) if isinstance(part, float) else part for part in inputs]
        name = f"{self._layer}.{kind.lower()}.{len(self.nodes)}"
        self.nodes.append(self._onnx.helper.make_node(kind, names, [result or name], name=name))
        return result or name

    def _constant(self, value: float) -> str:
        name = f"{self._layer}.constant.{len(self.constants)}"
        self.constants.append(self._onnx.numpy_helper.from_array(np.array(value), name))
        return name

    def _erf(self, y: str, result: str) -> None:
        size = self._node("Min", self._node("Abs", y), _LARGEST)
        square = self._node("Mul", size, size)
        inner = self._node("Mul", y, self._quotient(*_INNER, square))
        rest = self._node("Mul", self._node("Exp", self._node("Neg", square)), self._quotient(*_OUTER, size))
        outer = self._node("Mul", self._node("Sign", y), self._node("Sub", 1.0, rest))
        self._node("Where", self._node("LessOrEqual", size, _BORDER), inner, outer, result=result)

    def _quotient(self, top: Sequence[float], bottom: Sequence[float], x: str) -> str:
        return self._node("Div", self._polynomial(top, x), self._polynomial(bottom, x))

    def _polynomial(self, coefficients: Sequence[float], x: str) -> str:
        result = self._node("Add", self._node("Mul", x, coefficients[0]), coefficients[1])
        for coefficient in coefficients[2:]:
            result = self._node("Add", self._node("Mul", result, x), coefficient)
        return result
