"""What the theorem modules share about functions that are given by a formula in one variable."""

from __future__ import annotations

from typing import Any

from flint import arb, fmpq

from depthsep_check.expression import Expression, ExpressionDomainError, ExpressionError, parse
from depthsep_check.fields import fields_of, word
from depthsep_check.numbers import shown
from depthsep_check.profile_bounds import near
from depthsep_check.verdict import Malformed, Refuted


def read_expression(value: Any, kind: str, variable: str, dim: int) -> Expression:
    """The formula of a FUNCTION object of one kind, once its exponents are known to be integers in this dimension.

    Raises:
        Malformed: the object is of another form, or the text is no formula in this variable.
        Unsupported: it is of another kind.
    """
    fields = fields_of(value, "function", ("kind", "expression"))
    word(fields["kind"], "function.kind", (kind,))
    text = fields["expression"]
    if not isinstance(text, str):
        raise Malformed("function.expression", f"expected a text, found {shown(text)}")
    try:
        expression = parse(text, variables=(variable,))
        expression.program(dim)
    except ExpressionError as error:
        raise Malformed("function.expression", f"column {error.position + 1}: {error.expected}") from None
    return expression


def value_at(expression: Expression, point: fmpq, dim: int, step: str) -> arb:
    """The value of the formula at a rational point, as a finite ball.

    Raises:
        Refuted: at `step`; the formula is not certainly defined and finite there.
    """
    value = expression.ball(arb(point), dim)
    if value.is_finite():
        return value
    try:
        exact = expression.rational(point, dim)  # decides sqrt(9/25 - r^2) at r = 3/5, which balls cannot
    except ExpressionDomainError:
        exact = None
    if exact is None:
        raise Refuted(step, f"the function has no certain value at {expression.variables[0]} = {near(point)}")
    return arb(exact)
