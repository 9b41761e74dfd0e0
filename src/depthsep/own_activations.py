"""A user's own activation, given by a formula in t: its Assumption 1 is proved on the spot, or it is refused.

The sufficient conditions are those of `depthsep.activations`: two lines of different slopes, or two different limits,
which the activation approaches at -infinity and +infinity. That it does is proved by `depthsep_check.asymptotics`,
from the formula alone; that it leaves the interval between its limits by little, by bisection with balls.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from flint import arb, fmpq
from numpy.typing import NDArray

from depthsep.activations import ACTIVATIONS, Activation, activation
from depthsep.errors import BadInput
from depthsep.functions.formula import FLOAT_OPERATIONS, parse_profile
from depthsep_check.activations import Activation as Judge
from depthsep_check.asymptotics import Unknown, own_activation
from depthsep_check.expression import Expression
from depthsep_check.numbers import precision

__all__ = ["activation_in_document", "forget_activation", "register_activation"]

Array = NDArray[np.float64]

_BUILT_IN = frozenset(ACTIVATIONS)
_BITS = 128
_OVERSHOOTS = (Fraction(1, 200), Fraction(1, 20), Fraction(1, 4), Fraction(1), Fraction(4), Fraction(16))
_FAR = 2**40
_BOXES = 20_000
_NEEDED = "two limits that differ, or two asymptotes of different slopes, all rational (Assumption 1)"


def register_activation(name: str, expression: str) -> Activation:
    """Add an activation of your own to the catalogue of this process.

    Args:
        name: A new name, letters, digits and underscores.
        expression: Its formula in t, such as "t/(1+abs(t))" or "t*tanh(log(1+exp(t)))".

    Returns:
        The activation, with the constant of Assumption 1 that was proved.

    Raises:
        BadInput: The name is taken or no name; the text is no formula; or Assumption 1 could not be proved, and why.

    >>> register_activation("softsign", "t/(1+abs(t))").kind
    'jump'
    >>> register_activation("wave", "sin(t)")
    Traceback (most recent call last):
    depthsep.errors.BadInput: the activation sin(t)
      found:  at -infinity: it oscillates for ever
      needed: two limits that differ, or two asymptotes of different slopes, all rational (Assumption 1)
    >>> forget_activation("softsign")
    """
    if not name.isidentifier() or not name.isascii():
        raise BadInput(f"the name {name!r}", needed="letters, digits and underscores, beginning with a letter")
    if name in ACTIVATIONS:
        raise BadInput(f"the name {name!r}", found="it is taken", do="choose another one")
    made = _proved(name, expression)
    ACTIVATIONS[name] = made
    return made


def activation_in_document(value: str | dict[str, str]) -> Activation:
    """The activation that a document names or gives by a formula; a formula that has no name here is its own name.

    Raises:
        BadInput: There is none of this name, or Assumption 1 could not be proved for the formula.
    """
    if isinstance(value, str):
        return activation(value)
    known = (made for made in ACTIVATIONS.values() if made.in_documents == value)
    return next(known, None) or _proved(value["expression"], value["expression"])


def _proved(name: str, expression: str) -> Activation:
    formula = parse_profile(expression, 1, variables=("t",))
    try:
        with precision(_BITS):
            judge = own_activation(formula, expression)
            constant = _constant(judge)
    except Unknown as unknown:
        raise BadInput(f"the activation {expression}", found=str(unknown), needed=_NEEDED) from None
    return Activation(
        name=name,
        formula=expression,
        function=_floats(formula, judge),
        kind="jump" if judge.bounded else "kink",
        assumption_constant=constant,
        proof="proved: jumps" if judge.bounded else "proved: kinks",
        lipschitz=None,
        lower_class="",
        class_constant=Fraction(0),
        torch="",
        own=(expression, judge),
    )


def forget_activation(name: str) -> None:
    """Take an activation of your own out of the catalogue.

    Raises:
        BadInput: There is none of this name.
    """
    if name in _BUILT_IN or name not in ACTIVATIONS:
        raise BadInput(f"forget the activation {name!r}", needed="a name given to register_activation")
    del ACTIVATIONS[name]


def _constant(judge: Judge) -> Fraction:
    """c of Assumption 1: 2 for kinks, 1 + 2 o for jumps, o the proved overshoot in units of the jump."""
    if not judge.bounded:
        return Fraction(2)
    low, high = sorted((judge.left.constant, judge.right.constant))
    for overshoot in _OVERSHOOTS:
        room = (high - low) * fmpq(overshoot.numerator, overshoot.denominator)
        if _stays_between(judge, low - room, high + room, room):
            return 1 + 2 * overshoot
    raise Unknown("its values could not be bounded")


def _stays_between(judge: Judge, low: fmpq, high: fmpq, room: fmpq) -> bool:
    """Whether all values are certainly in [low, high]; beyond the ends of the search the tails are within `room`."""
    reach = fmpq(8)
    while not judge.tail(arb(reach)) <= arb(room):
        reach *= 2
        if reach > _FAR:
            return False
    pending, boxes = [(-reach, reach)], 0
    while pending:
        a, b = pending.pop()
        boxes += 1
        middle, box = (a + b) / 2, arb(a).union(arb(b))
        plain = judge.value(box)
        near = judge.value(arb(middle)) + judge.derivative(box) * arb((b - a) / 2) * arb(0, 1)
        if any(found >= arb(low) and found <= arb(high) for found in (plain, near) if found.is_finite()):
            continue
        if boxes > _BOXES:
            return False
        pending += [(middle, b), (a, middle)]
    return True


def _floats(formula: Expression, judge: Judge) -> Callable[[Array], Array]:
    """The formula in float64; where it overflows, the asymptote."""
    sides = (judge.left, judge.right)
    (left, below), (right, above) = ((float(int(a.p) / int(a.q)) for a in (s.slope, s.constant)) for s in sides)

    def evaluate(t: Array) -> Array:
        with np.errstate(all="ignore"):
            values = formula.evaluate(FLOAT_OPERATIONS, t, 1)
        lines = np.where(t < 0, left * t + below, right * t + above)
        return np.where(np.isfinite(values), values, lines)

    return evaluate
