"""The nodes by which an ONNX file computes an activation, one layer of units at a time.

A graph is a list of nodes (operator, inputs); an input is "x" (the sums of the layer), "#k" (the result of node k) or a
number (an initializer of no dimensions that has exactly this value). The result of the last node is s(x).
Where the nodes compute s in exact arithmetic `differs` is empty; otherwise it says what stands in place of what:

    leaky_relu   the float64 nearest to 1/100
    erf, gelu    rational functions of W. J. Cody ("Rational Chebyshev approximations for the error function",
                 Mathematics of Computation 23, 1969) with float64 coefficients: x R(x^2) up to 15/32, and
                 1 - exp(-x^2) R(|x|) from there to 10, beyond which erf is taken to be what it is there
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["ACTIVATION_GRAPHS", "ActivationGraph"]

Node = tuple[str, tuple[str | float, ...]]


@dataclass(frozen=True, slots=True)
class ActivationGraph:
    """The nodes of an activation, and how its values differ from them in exact arithmetic."""

    nodes: tuple[Node, ...]
    differs: str = ""


_BORDER, _LARGEST = 0.46875, 10.0
# From the highest power on: numerator and denominator.
_NEAR = (
    (1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
)
_FAR = (
    (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1,
     2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
     1.23033935479799725e3),
    (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
     3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3),
)  # fmt: skip
_HALF_ROOT = 0.7071067811865476
_CODY = "Cody's rational functions in place of erf"


class _Nodes:
    """Nodes in the order in which they are added."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []

    def add(self, operator: str, *inputs: str | float) -> str:
        self.nodes.append((operator, inputs))
        return f"#{len(self.nodes) - 1}"

    def polynomial(self, coefficients: Sequence[float], x: str) -> str:
        """By Horner's rule."""
        result = self.add("Add", self.add("Mul", x, coefficients[0]), coefficients[1])
        for coefficient in coefficients[2:]:
            result = self.add("Add", self.add("Mul", result, x), coefficient)
        return result

    def quotient(self, pair: tuple[Sequence[float], Sequence[float]], x: str) -> str:
        top, bottom = (self.polynomial(coefficients, x) for coefficients in pair)
        return self.add("Div", top, bottom)

    def erf(self, y: str) -> str:
        size = self.add("Min", self.add("Abs", y), _LARGEST)
        square = self.add("Mul", size, size)
        near = self.add("Mul", y, self.quotient(_NEAR, square))
        decay = self.add("Exp", self.add("Neg", square))
        rest = self.add("Mul", decay, self.quotient(_FAR, size))
        far = self.add("Mul", self.add("Sign", y), self.add("Sub", 1.0, rest))
        return self.add("Where", self.add("LessOrEqual", size, _BORDER), near, far)


def _erf() -> ActivationGraph:
    made = _Nodes()
    made.erf("x")
    return ActivationGraph(tuple(made.nodes), _CODY)


def _gelu() -> ActivationGraph:
    made = _Nodes()
    law = made.add("Add", made.erf(made.add("Mul", "x", _HALF_ROOT)), 1.0)
    made.add("Mul", made.add("Mul", "x", law), 0.5)
    return ActivationGraph(tuple(made.nodes), f"{_CODY}, and the float64 nearest to sqrt(1/2)")


def _softplus() -> ActivationGraph:
    """max(0, x) + log(exp(-|x|) + 1)."""
    made = _Nodes()
    tail = made.add("Log", made.add("Add", made.add("Exp", made.add("Neg", made.add("Abs", "x"))), 1.0))
    made.add("Add", made.add("Relu", "x"), tail)
    return ActivationGraph(tuple(made.nodes))


ACTIVATION_GRAPHS: dict[str, ActivationGraph] = {
    "relu": ActivationGraph((("Relu", ("x",)),)),
    "leaky_relu": ActivationGraph(
        (("Mul", ("x", 0.01)), ("Max", ("x", "#0"))), "the float64 nearest to 1/100 in place of 1/100"
    ),
    "softplus": _softplus(),
    "gelu": _gelu(),
    "silu": ActivationGraph((("Sigmoid", ("x",)), ("Mul", ("x", "#0")))),
    "sigmoid": ActivationGraph((("Sigmoid", ("x",)),)),
    "tanh": ActivationGraph((("Tanh", ("x",)),)),
    "erf": _erf(),
    "step": ActivationGraph((("GreaterOrEqual", ("x", 0.0)), ("Where", ("#0", 1.0, 0.0)))),
    "hard_tanh": ActivationGraph((("Clip", ("x", -1.0, 1.0)),)),
}
