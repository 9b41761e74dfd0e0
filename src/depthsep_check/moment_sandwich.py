"""Check of a depth-2 network for a radial function, by a moment sandwich that may change with the radius.

Theorem (after Safran, Eldan & Shamir 2019, Theorem 1, arXiv:1904.06984, whose proof passes through even polynomials of
||x||). Let N(x) = b + sum over groups o and directions u in o of g_o(<u, x>) + <l, x> with even g_o, let the cells
0 = r_0 < ... < r_n = 1 cut the radii, and let R_o >= |u| for all u in o. In every cell let even polynomials
Q_o^-, Q_o^+ of degree 2k satisfy

    (C1)  Q_o^-(z) <= g_o(z) <= Q_o^+(z)  for 0 <= z <= r_{i+1} R_o.

The homogeneous part of degree 2j of sum_o sum_u Q_o^+(<u, x>) is sum_alpha c_alpha x^alpha. Put

    (C2)  P_j^+ = max over even alpha = 2 mu of c_alpha / (j! / mu!)  +  sum over the other alpha of |c_alpha| B_alpha,

B_alpha the maximum of |x^alpha| on the unit sphere, and P_j^- with min and minus likewise from Q^-. If

    (C3)  b + sum_j P_j^+ r^(2j) + |l| r <= phi(r) + eps   and   b + sum_j P_j^- r^(2j) - |l| r >= phi(r) - eps

for all r in the cell, then |N(x) - phi(||x||)| <= eps for all x in the unit ball.
Proof. |<u, x>| <= R_o ||x||, so C1 applies to every direction. Since x^(2 mu) >= 0 and sum_mu (j!/mu!) x^(2 mu) =
||x||^(2j), the even part of degree 2j is at most its largest ratio times r^(2j). The mirror image is the same.

What is checked: the profiles g_o are rebuilt from the weights of the units. In a network of kind ridge-groups the
linear part l is the sum of D_0 times the directions (a unit 2 D_0 relu(z) is D_0 |z| + D_0 z) plus that of the affine
unit, which is linear on the ball because |direction| <= offset is tested; the pairs of units of an activation-groups
network are even, so l = 0. The moments are computed exactly (`directions`); C1 by exact polynomials or by balls
(`ridge_profiles`), C3 by balls.

Differences from the source: the sandwich is chosen directly, cubature may be inexact, l need not vanish; the source
needs an activation that can imitate every Lipschitz function (its Assumption 1), here C1 is all that is asked of it.
Cost: cells x thresholds exact polynomials, and some hundred boxes of radii for every cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import factorial, prod

from flint import arb, fmpq

from depthsep_check import directions as sets
from depthsep_check.activations import ACTIVATIONS, Activation
from depthsep_check.asymptotics import Unknown, own_activation
from depthsep_check.document import (
    ActivationGroup,
    ActivationRidgeNetwork,
    Cell,
    CodeDirections,
    Document,
    ExplicitDirections,
    MomentSandwich,
    RadialFunction,
    RidgeGroup,
    RidgeNetwork,
    SupErrorClaim,
    sup_error_statement,
)
from depthsep_check.expression import Expression
from depthsep_check.numbers import sqrt_upper
from depthsep_check.profile_bounds import prove_error_below
from depthsep_check.ridge_profiles import Profile, activation_profile, hinge_profile
from depthsep_check.verdict import Budget, Refuted, Unsupported

WORK_LIMIT = 2_000_000
MAX_EXPLICIT_DIM = 4

Moments = list[dict[tuple[int, ...], fmpq]]


def check(document: Document) -> str:
    """Prove the claim of a document with a ridge network.

    Returns:
        The statement that is proved.

    Raises:
        CheckFailure: it is not proved; the kind of failure and its step say why.
    """
    network, witness, claim, function = document.network, document.witness, document.claim, document.function
    if not isinstance(function, RadialFunction):
        kind = "an activation-groups" if isinstance(network, ActivationRidgeNetwork) else "a ridge-groups"
        raise Unsupported(f"a ball indicator for {kind} network")
    if not (
        isinstance(network, RidgeNetwork | ActivationRidgeNetwork)
        and isinstance(witness, MomentSandwich)
        and isinstance(claim, SupErrorClaim)
    ):
        raise TypeError("not a document with a ridge network")
    budget = Budget(WORK_LIMIT)
    proof = _Proof(
        network=network,
        profiles=_profiles(network),
        expression=function.expression,
        error=claim.error,
        forms=EvenForms(network, max(_degree(cell) for cell in witness.cells), budget),
        reaches=[sqrt_upper(sets.norm_squared(group.directions, network.dim)) for group in network.groups],
        linear_norm=_linear_norm(network, budget),
        constant=network.bias + _affine_constant(network),
        budget=budget,
    )
    low = fmpq(0)
    for index, cell in enumerate(witness.cells):
        proof.check_cell(cell, low, index)
        low = cell.to
    return sup_error_statement(document, (width(network),))


def _profiles(network: RidgeNetwork | ActivationRidgeNetwork) -> list[Profile]:
    if isinstance(network, RidgeNetwork):
        return [hinge_profile(group) for group in network.groups]
    activation = _activation(network.activation)
    return [activation_profile(group, activation) for group in network.groups]


def _activation(value: str | Expression) -> Activation:
    """A known activation, or that of a formula, once Assumption 1 is proved of it."""
    if isinstance(value, str):
        return ACTIVATIONS[value]
    try:
        return own_activation(value, value.text)
    except Unknown as unknown:
        raise Refuted("activation", str(unknown)) from None


def width(network: RidgeNetwork | ActivationRidgeNetwork) -> int:
    """The number of units, counted from the lists."""
    if isinstance(network, ActivationRidgeNetwork):
        return sum(2 * len(group.slopes) * sets.count(group.directions, network.dim) for group in network.groups)
    units = 0 if network.affine is None else 1
    for group in network.groups:
        each = 2 * len(group.thresholds) - (1 if group.thresholds[:1] == (0,) else 0)
        units += each * sets.count(group.directions, network.dim)
    return units


def _degree(cell: Cell) -> int:
    """k, the polynomials of the cell having the degree 2k."""
    return len(cell.groups[0].upper) - 1 if cell.groups else 0


def _affine_constant(network: RidgeNetwork | ActivationRidgeNetwork) -> fmpq:
    """The value of the affine unit at 0."""
    affine = network.affine if isinstance(network, RidgeNetwork) else None
    return affine.weight * affine.offset if affine else fmpq(0)


def _linear_norm(network: RidgeNetwork | ActivationRidgeNetwork, budget: Budget) -> fmpq:
    """An upper bound of |l|; the linear part of zero thresholds and the affine unit. Pairs of units are even."""
    if isinstance(network, ActivationRidgeNetwork):
        return fmpq(0)
    linear = [fmpq(0)] * network.dim
    kinked = [group for group in network.groups if group.thresholds[:1] == (0,)]
    budget.spend("linear part", len(kinked) * network.dim)
    for group in kinked:
        total = sets.representative_sum(group.directions, network.dim)
        linear = [a + group.weights[0] * b for a, b in zip(linear, total, strict=True)]
    affine = network.affine
    if affine is not None:
        squares = sum((c * c for c in affine.direction), fmpq(0))
        if not (affine.offset >= 0 and squares <= affine.offset * affine.offset):
            raise Refuted("affine unit", "needs |direction| <= offset to be linear on the unit ball")
        linear = [a + affine.weight * b for a, b in zip(linear, affine.direction, strict=True)]
    return sqrt_upper(sum((c * c for c in linear), fmpq(0)))


class EvenForms:
    """The forms sum_u <u, x>^(2j) of all groups, and the bounds of (C2)."""

    def __init__(self, network: RidgeNetwork | ActivationRidgeNetwork, degree: int, budget: Budget) -> None:
        """Compute the forms of degrees 0, 2, ..., 2 * `degree`."""
        self.budget = budget
        self.explicit = any(isinstance(group.directions, ExplicitDirections) for group in network.groups)
        if self.explicit and network.dim > MAX_EXPLICIT_DIM:
            raise Unsupported(f"explicit directions in dimension {network.dim} (at most {MAX_EXPLICIT_DIM})")
        groups: tuple[RidgeGroup | ActivationGroup, ...] = network.groups
        self.groups = [self._moments(group, index, network.dim, degree) for index, group in enumerate(groups)]

    def _moments(self, group: RidgeGroup | ActivationGroup, index: int, dim: int, degree: int) -> Moments:
        step = f"moments of group {index}"
        if isinstance(group.directions, ExplicitDirections):
            return sets.explicit_moments(group.directions.vectors, degree, step, self.budget)
        if isinstance(group.directions, CodeDirections):
            sets.require_strength(group.directions, degree, step, self.budget)
        moments = sets.symmetric_moments(group.directions, dim, degree)
        return [_all_exponents(form, j, dim) for j, form in enumerate(moments)] if self.explicit else moments

    def bound(self, j: int, coefficients: Sequence[fmpq], sign: int) -> fmpq:
        """P_j^+ (sign 1) or P_j^- (sign -1), from the coefficients of degree 2j of all groups."""
        forms = [group[j] for group in self.groups]
        even: list[fmpq] = []
        uneven = fmpq(0)
        for key in forms[0] if forms else ():
            self.budget.spend("C2", 1 + len(forms) // 8)
            coefficient = sum((q * form[key] for q, form in zip(coefficients, forms, strict=True)), fmpq(0))
            if not self.explicit:
                even.append(coefficient / _ratio(j, key))
            elif all(a % 2 == 0 for a in key):
                even.append(coefficient / _ratio(j, [a // 2 for a in key]))
            elif coefficient:
                uneven += abs(coefficient) * _largest_monomial(key)
        if not even:
            return fmpq(0)
        return max(even) + uneven if sign == 1 else min(even) - uneven


def _all_exponents(form: dict[tuple[int, ...], fmpq], j: int, dim: int) -> dict[tuple[int, ...], fmpq]:
    """The form of a symmetric set with the partitions written out to all exponents of x."""
    result = {}
    for alpha in sets.exponents(2 * j, dim):
        partition = tuple(sorted((a // 2 for a in alpha if a), reverse=True))
        result[alpha] = form[partition] if all(a % 2 == 0 for a in alpha) else fmpq(0)
    return result


def _ratio(j: int, mu: Sequence[int]) -> int:
    """j! / mu!, the coefficient of x^(2 mu) in ||x||^(2j)."""
    return factorial(j) // prod(map(factorial, mu))


def _largest_monomial(alpha: Sequence[int]) -> fmpq:
    """An upper bound of |x^alpha| on the unit sphere, where its maximum is at x_i^2 = alpha_i / sum(alpha)."""
    total = sum(alpha)
    return sqrt_upper(prod((fmpq(a, total) ** a for a in alpha if a), start=fmpq(1)))


@dataclass(frozen=True)
class _Proof:
    network: RidgeNetwork | ActivationRidgeNetwork
    profiles: list[Profile]
    expression: Expression
    error: fmpq
    forms: EvenForms
    reaches: list[fmpq]
    linear_norm: fmpq
    constant: fmpq
    budget: Budget

    def check_cell(self, cell: Cell, low: fmpq, index: int) -> None:
        """C1, C2 and C3 on the radii from `low` to the end of the cell."""
        for number, (profile, pair) in enumerate(zip(self.profiles, cell.groups, strict=True)):
            profile.require_between(pair, cell.to * self.reaches[number], f"cell {index}, group {number}", self.budget)
        for side, sign in (("upper", 1), ("lower", -1)):
            bounds = []
            for j in range(_degree(cell) + 1):
                pairs = [pair.upper if sign == 1 else pair.lower for pair in cell.groups]
                bounds.append(self.forms.bound(j, [q[j] for q in pairs], sign))
            branch = _RadialBound(self.constant, bounds, sign * self.linear_norm)
            step = f"C3 {side}, cell {index}"
            prove_error_below(
                branch, self.expression, self.network.dim, self.error, low, cell.to, side, step, self.budget
            )


class _RadialBound:
    """constant + sum_j bounds[j] r^(2j) + linear * r, as a branch of `prove_error_below`."""

    def __init__(self, constant: fmpq, bounds: Sequence[fmpq], linear: fmpq) -> None:
        coefficients = [fmpq(0)] * max(2, 2 * len(bounds))
        coefficients[::2] = bounds
        coefficients[0] += constant
        coefficients[1] = linear
        self._polynomial = [arb(c) for c in coefficients]
        self._derivative = [arb(i * c) for i, c in enumerate(coefficients)][1:]

    def value(self, x: arb) -> arb:
        """An enclosure over the ball x."""
        return _horner(self._polynomial, x)

    def derivative(self, x: arb) -> arb:
        """An enclosure of the derivative over the ball x."""
        return _horner(self._derivative, x)


def _horner(coefficients: Sequence[arb], x: arb) -> arb:
    result = arb(0)
    for coefficient in reversed(coefficients):
        result = result * x + coefficient
    return result
