"""Proof of a one-sided bound between a branch of a network's radial profile and the target profile.

Both checkers of a sup-norm error end in inequalities `branch(r) - phi(r) <= error` (or its mirror) on an interval of
radii. They are proved by bisection with balls: on [a, b] with midpoint m and half width h, the mean value inequality

    (branch - phi)([a, b])  is inside  (branch - phi)(m) + (branch' - phi')([a, b]) * [-h, h]

holds for Lipschitz functions with any enclosure of their Clarke derivatives; it converges quadratically. Where no
finite derivative is known (sqrt at 0) the plain enclosure on the box is used. A comparison accepts only if it is
certain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from flint import arb, fmpq

from depthsep_check.expression import Expression, ExpressionDomainError
from depthsep_check.numbers import ball_between, format_rational
from depthsep_check.verdict import Budget, Exhausted, Refuted

MAX_BISECTIONS = 60


class Branch(Protocol):
    """A Lipschitz function of the radius, known by enclosures."""

    def value(self, x: arb) -> arb:
        """An enclosure of the values over the ball `x`."""
        ...

    def derivative(self, x: arb) -> arb:
        """An enclosure of the (Clarke) derivatives over the ball `x`."""
        ...


def prove_error_below(
    branch: Branch,
    expression: Expression,
    dim: int,
    error: fmpq,
    low: fmpq,
    high: fmpq,
    side: str,
    step: str,
    budget: Budget,
) -> None:
    """Prove that the branch exceeds phi by at most `error` (or falls short of it) for every r in [low, high].

    Args:
        branch: the function compared with the profile.
        expression: the profile phi.
        dim: the dimension, which phi may depend on.
        error: what the difference may reach.
        low: left end of the interval, a rational.
        high: right end; equal to `low` for a single point.
        side: "upper" for branch - phi <= error, "lower" for phi - branch <= error.
        step: name of this step of the proof, for the errors.
        budget: one unit is taken per box, more for a long expression.

    Raises:
        Refuted: the bound certainly fails at some point, or phi is not certainly finite there.
        Exhausted: neither proved nor refuted within the budget or 60 bisections.
    """
    sign = {"upper": 1, "lower": -1}[side]
    gap = _Gap(branch, expression, dim, sign)
    limit = arb(error)
    pending = [(low, high, 0)]
    roots = sum(node.kind == "sqrt" for node in expression.nodes)  # each may evaluate its argument once more
    cost = 1 + len(expression.nodes) * (1 + roots) // 32
    while pending:
        a, b, depth = pending.pop()
        budget.spend(step, cost)
        middle = (a + b) / 2
        at_middle = gap.at(middle)
        if at_middle > limit:
            raise Refuted(
                step, f"the error exceeds {format_rational(error)} at {expression.variables[0]} = {near(middle)}"
            )
        if a == b:
            if not at_middle <= limit:
                raise Exhausted(step, f"undecided at {expression.variables[0]} = {near(middle)}")
            continue
        if gap.bounded(a, b, at_middle, limit):
            continue
        if depth == MAX_BISECTIONS:
            _give_up(expression, dim, a, b, step)
        pending += [(middle, b, depth + 1), (a, middle, depth + 1)]


@dataclass(frozen=True, slots=True)
class _Gap:
    """The function sign * (branch - phi)."""

    branch: Branch
    expression: Expression
    dim: int
    sign: int

    def at(self, r: fmpq) -> arb:
        """An enclosure of the value at r."""
        return self.sign * (self.branch.value(arb(r)) - profile_at(self.expression, r, self.dim))

    def bounded(self, a: fmpq, b: fmpq, at_middle: arb, limit: arb) -> bool:
        """Whether the function is certainly at most the limit on [a, b]."""
        box = ball_between(a, b)
        phi, phi_slope = self.expression.enclose(a, b, self.dim)
        if not phi.is_finite():
            return False
        if phi_slope.is_finite():
            slope = self.sign * (self.branch.derivative(box) - phi_slope)
            if at_middle + slope * arb((b - a) / 2) * arb(0, 1) <= limit:
                return True
            # A monotone function is largest at an end, where a tie with the limit can still be decided.
            if slope >= 0:
                return bool(self.at(b) <= limit)
            if slope <= 0:
                return bool(self.at(a) <= limit)
        return bool(self.sign * (self.branch.value(box) - phi) <= limit)


def profile_at(expression: Expression, r: fmpq, dim: int) -> arb:
    """The value of the profile at a rational radius, as a finite ball.

    Raises:
        Refuted: phi is not certainly defined and finite at r.
    """
    value = expression.ball(arb(r), dim)
    if not value.is_finite():
        # Balls cannot decide sqrt(9/25 - r^2) at r = 3/5; exact arithmetic can.
        try:
            exact = expression.rational(r, dim)
        except ExpressionDomainError as error:
            raise Refuted(
                "profile", f"phi is not defined at {expression.variables[0]} = {near(r)} ({error.reason})"
            ) from None
        if exact is None:
            raise _undefined(expression, r)
        value = arb(exact)
    return value


def near(r: fmpq) -> str:
    """A radius as an error shows it: the rational when it is short, otherwise rounded decimals."""
    text = format_rational(r)
    return text if len(text) <= 20 else f"{int(r.p * 10**12 // r.q) / 1e12:.12g} (rounded)"


def _undefined(expression: Expression, r: fmpq) -> Refuted:
    place = f"{expression.variables[0]} = {near(r)}"
    return Refuted("profile", f"phi is not certainly defined and finite near {place}")


def _give_up(expression: Expression, dim: int, a: fmpq, b: fmpq, step: str) -> None:
    """Name the reason why a box of the smallest size is still undecided."""
    if not expression.enclose(a, b, dim)[0].is_finite():
        raise _undefined(expression, a)
    raise Exhausted(step, f"undecided near {expression.variables[0]} = {near(a)} after {MAX_BISECTIONS} bisections")
