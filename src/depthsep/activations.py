"""The catalogue of activations: what each one is, what Assumption 1 costs with it, and where it can be exported to.

Assumption 1 (Safran, Eldan & Shamir 2019): there is a constant c such that every L-Lipschitz f: R -> R that is constant
outside [-R, R] is within delta of some h(t) = a + sum_i alpha_i s(beta_i t - gamma_i) on all of R, with at most
c R L / delta units. (If R L <= delta a constant does: f varies by at most 2 R L.) What is proved here:

*Jumps*, c = 1: s has limits p != q at -infinity and +infinity and stays between them. Let delta' <= delta. Cut R into
pieces where f varies by 2 delta' at most, each as long as it can be: at most 2 R L / (2 delta') jumps lead from one to
the next, and at each both levels, half way between the extremes of their pieces, are within delta' of f. Replace every
jump J at k by J s(beta (t - k)) / (q - p): near k this goes from one level to the other, elsewhere it is near to both
limits, so for beta large the error exceeds delta' as little as one wants. Take delta' < delta so near to delta that
floor(R L / delta') = floor(R L / delta); a step itself needs no beta, and delta' = delta. If s leaves [p, q] by at most
o |q - p| the same with delta' (1 + 2 o) < delta has c = 1 + 2 o, and a little more.

*Kinks*, c = 2: s(t) - (p min(0, t) + q max(0, t)) is bounded, p != q, and has limits at both ends. Interpolate f at
the middles of cells of length 2 delta'/L, constant beyond the first and the last: within delta' of f, with n kinks,
n = ceil(R L / delta') <= 2 R L / delta for delta' < delta near enough to it. A kink D at k becomes
D s(beta (t - k)) / (beta (q - p)): since the D add up to 0 the slopes p cancel, and the error falls like 1/beta.

The Lipschitz constants, and the total variations of s or s' that lower bounds use, are rounded up.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from depthsep.errors import BadInput
from depthsep_check.activations import ACTIVATIONS as JUDGES
from depthsep_check.activations import Activation as Judge

__all__ = ["ACTIVATIONS", "Activation", "OnnxForm", "OnnxNode", "activation"]

Array = NDArray[np.float64]

SOURCE = "Safran, Eldan & Shamir 2019, Assumption 1"
_ERF = "erf by rational functions"


@dataclass(frozen=True)
class OnnxNode:
    """One operator of an ONNX form.

    Args:
        operator: Its name, opset 17.
        inputs: "x", constants, or outputs of nodes before it.
        output: The name of its result; the last one is "y".
    """

    operator: str
    inputs: tuple[str, ...]
    output: str = "y"


@dataclass(frozen=True)
class OnnxForm:
    """An activation in ONNX operators.

    Args:
        nodes: The operators in order.
        constants: Values of the scalars that they use, float64.
        replaced: What an export writes in place of Erf, which onnxruntime has in float32 only; "" without Erf.
    """

    nodes: tuple[OnnxNode, ...]
    constants: Mapping[str, float] = field(default_factory=dict)
    replaced: str = ""


@dataclass(frozen=True)
class Activation:
    """An activation and what is known of it.

    Args:
        name: How documents, commands and functions call it.
        formula: In t, for people.
        function: Evaluation in float64 by numpy.
        kind: "kink" (two asymptotes of different slopes) or "jump" (two different limits).
        assumption_constant: The constant of Assumption 1.
        proof: Where that comes from.
        lipschitz: A Lipschitz constant; None if there is none.
        lower_class: The class of activations that lower bounds put it in: "derivative-variation" or "variation".
        class_constant: The total variation of s' or of s, rounded up.
        torch: The module's name, for people.
        torch_module: Makes the module, given the package torch.
        onnx: In ONNX operators; None for a user's own.
        own: For a user's own: its formula in the language of `depthsep_check.expression`, and what the checker makes of
            it; None for the others.
    """

    name: str
    formula: str
    function: Callable[[Array], Array] = field(repr=False)
    kind: str
    assumption_constant: Fraction
    proof: str
    lipschitz: Fraction | None
    lower_class: str
    class_constant: Fraction
    torch: str
    torch_module: Callable[[Any], Any] | None = field(default=None, repr=False)
    onnx: OnnxForm | None = field(default=None, repr=False)
    own: tuple[str, Judge] | None = field(default=None, repr=False)

    def __call__(self, points: Any) -> Array:
        """Evaluate in float64."""
        return self.function(np.asarray(points, dtype=np.float64))

    @property
    def judge(self) -> Judge:
        """The activation as the checker evaluates it."""
        return JUDGES[self.name] if self.own is None else self.own[1]

    @property
    def in_documents(self) -> str | dict[str, str]:
        """How a document writes it."""
        return self.name if self.own is None else {"expression": self.own[0]}

    @property
    def export_note(self) -> str:
        """What export supports, or why it does not."""
        if self.onnx is None:
            return "not exported: a formula of your own"
        if self.onnx.replaced:
            return f"torch, ONNX ({self.onnx.replaced})"
        return "torch, ONNX"

    def summary(self) -> dict[str, Any]:
        """The facts that the command line prints with --json."""
        return {
            "name": self.name,
            "formula": self.formula,
            "kind": self.kind,
            "assumption_constant": str(self.assumption_constant),
            "proof": self.proof,
            "source": SOURCE,
            "lipschitz": None if self.lipschitz is None else str(self.lipschitz),
            "lower_bound_class": self.lower_class,
            "lower_bound_constant": str(self.class_constant),
            "torch": self.torch or None,
            "onnx": None if self.onnx is None else [node.operator for node in self.onnx.nodes],
            "export": self.export_note,
        }


def activation(name: str) -> Activation:
    """The activation of a name; "leaky-relu" is "leaky_relu".

    Raises:
        BadInput: There is none.

    >>> activation("gelu").formula
    't Phi(t)'
    >>> activation("sigmoyd")
    Traceback (most recent call last):
    depthsep.errors.BadInput: the activation 'sigmoyd'
      needed: one of relu, leaky_relu, softplus, gelu, silu, sigmoid, tanh, erf, step, hard_tanh
      do:     did you mean 'sigmoid'?
    """
    found = ACTIVATIONS.get(name.replace("-", "_"))
    if found is None:
        near = difflib.get_close_matches(name, ACTIVATIONS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "register_activation(...) adds your own"
        raise BadInput(f"the activation {name!r}", needed=f"one of {', '.join(ACTIVATIONS)}", do=hint)
    return found


# ------------------------------------------------------------------------------------------------------------------
# The catalogue


def _form(*nodes: tuple[str, str] | tuple[str, str, str], replaced: str = "", **constants: float) -> OnnxForm:
    made = tuple(OnnxNode(operator, tuple(inputs.split()), *output) for operator, inputs, *output in nodes)
    return OnnxForm(made, constants, replaced)


def _of_function(name: str) -> Callable[[Any], Any]:
    """A torch module around a function of its arguments, for activations without a module in torch.nn."""

    def make(torch: Any) -> Any:
        class Elementwise(torch.nn.Module):  # type: ignore[misc]
            def forward(self, points: Any) -> Any:
                return torch.erf(points) if name == "erf" else (points >= 0).to(points.dtype)

        return Elementwise()

    return make


_KINK = "proved: kinks"
_JUMP = "proved: jumps"
_TWO, _ONE = Fraction(2), Fraction(1)
_TAIL_OF_SOFTPLUS = (("Abs", "x", "a"), ("Neg", "a", "n"), ("Exp", "n", "e"), ("Add", "e one", "o"), ("Log", "o", "l"))

_ALL = (
    Activation(
        "relu", "max(0, t)", lambda t: np.maximum(t, 0.0), "kink", _TWO, _KINK, _ONE,
        "derivative-variation", _ONE, "nn.ReLU()", lambda torch: torch.nn.ReLU(), _form(("Relu", "x")),
    ),
    Activation(
        "leaky_relu", "max(t/100, t)", lambda t: np.maximum(0.01 * t, t), "kink", _TWO, _KINK, _ONE,
        "derivative-variation", Fraction(99, 100), "nn.LeakyReLU(0.01)", lambda torch: torch.nn.LeakyReLU(0.01),
        _form(("Mul", "x slope", "s"), ("Max", "x s"), slope=0.01),
    ),
    Activation(
        "softplus", "log(1 + exp(t))", lambda t: np.logaddexp(0.0, t), "kink", _TWO, _KINK, _ONE,
        "derivative-variation", _ONE, "nn.Softplus(threshold=600)", lambda torch: torch.nn.Softplus(threshold=600),
        _form(*_TAIL_OF_SOFTPLUS, ("Relu", "x", "r"), ("Add", "r l"), one=1.0),
    ),
    Activation(
        "gelu", "t Phi(t)", lambda t: t * special.ndtr(t), "kink", _TWO, _KINK, Fraction(1129, 1000),
        "derivative-variation", Fraction(379, 250), "nn.GELU()", lambda torch: torch.nn.GELU(),
        _form(
            ("Mul", "x root", "s"), ("Erf", "s", "e"), ("Add", "e one", "o"), ("Mul", "x o", "d"), ("Mul", "d half"),
            replaced=_ERF, root=float(np.sqrt(0.5)), one=1.0, half=0.5,
        ),
    ),
    Activation(
        "silu", "t / (1 + exp(-t))", lambda t: t * special.expit(t), "kink", _TWO, _KINK, Fraction(11, 10),
        "derivative-variation", Fraction(7, 5), "nn.SiLU()", lambda torch: torch.nn.SiLU(),
        _form(("Sigmoid", "x", "s"), ("Mul", "x s")),
    ),
    Activation(
        "sigmoid", "1 / (1 + exp(-t))", special.expit, "jump", _ONE, _JUMP, Fraction(1, 4),
        "variation", _ONE, "nn.Sigmoid()", lambda torch: torch.nn.Sigmoid(), _form(("Sigmoid", "x")),
    ),
    Activation(
        "tanh", "tanh(t)", np.tanh, "jump", _ONE, _JUMP, _ONE,
        "variation", _TWO, "nn.Tanh()", lambda torch: torch.nn.Tanh(), _form(("Tanh", "x")),
    ),
    Activation(
        "erf", "erf(t)", special.erf, "jump", _ONE, _JUMP, Fraction(1129, 1000),
        "variation", _TWO, "torch.erf", _of_function("erf"), _form(("Erf", "x"), replaced=_ERF),
    ),
    Activation(
        "step", "1 if t >= 0 else 0", lambda t: np.where(t >= 0, 1.0, 0.0), "jump", _ONE, _JUMP, None,
        "variation", _ONE, "t >= 0", _of_function("step"),
        _form(("GreaterOrEqual", "x zero", "b"), ("Where", "b one zero"), zero=0.0, one=1.0),
    ),
    Activation(
        "hard_tanh", "max(-1, min(1, t))", lambda t: np.clip(t, -1.0, 1.0), "jump", _ONE, _JUMP, _ONE,
        "variation", _TWO, "nn.Hardtanh()", lambda torch: torch.nn.Hardtanh(),
        _form(("Clip", "x low high"), low=-1.0, high=1.0),
    ),
)  # fmt: skip

ACTIVATIONS: dict[str, Activation] = {one.name: one for one in _ALL}
