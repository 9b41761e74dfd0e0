"""Networks that are the maximum of their inputs: the strict proof from the stored weights, at every real point.

M_S is the maximum of the inputs x_i with i in the nonempty set S. Layer by layer every unit is written as a combination
of 1, of some M_S and of *atoms*, by identities that hold at every x, with c > 0:

    relu(c M_S - c M_T) = c M_(S joined with T) - c M_T,        relu(F) = F where F is a nonnegative combination of
    relu(c F) = c A_F,   relu(-c F) = c A_F - c F               atoms and 1; else A_F = relu(F) is a new atom.

An output that comes out as M_all is the maximum; that settles trees of any size. Otherwise every ordering of the inputs
is gone through: on the closed cone x_p1 >= x_p2 >= ... every M_S is one coordinate, so an atom of a combination of the
M_S alone is relu(l) with l linear, which is l or 0 if all sums of leading coefficients have one sign and the last is 0,
and l/2 + |l|/2 in general. Proportional l share one |l|. If in M_all - N the coefficients of all |l| and of all
coordinates are 0 on every cone, it is 0 there, and the closed cones cover R^n. QED

Only identities are used, so what is accepted is true; a network that computes the maximum otherwise is not recognised.
Cost: nonzeros times the length of the combinations; n! times the number of terms where orderings are needed.
"""

from __future__ import annotations

from itertools import accumulate, permutations
from math import gcd, lcm

from flint import fmpq

from depthsep_check.relu_networks import ReluNetwork, layer_denominators
from depthsep_check.verdict import Budget, Refuted

STEP = "maximum"
MAX_ORDERED_INPUTS = 7
_WORK = 20_000_000
_LONG = 512
_CONSTANT = 0

# Coefficients that are not 0: of the constant 1 under 0, of M_S under the bits of S, of atom k under -1 - k.
Combination = dict[int, fmpq]
_Key = tuple[tuple[int, int], ...]


def require_maximum(network: ReluNetwork) -> None:
    """Insist that the output is the maximum of all inputs at every real point.

    Raises:
        Refuted: the identities do not lead there.
        Exhausted: there are too many terms.
    """
    bits = sum(denominator.bit_length() for denominator in layer_denominators(network, STEP))
    budget = Budget(_WORK // (1 + bits // _LONG))
    rewriting = _Rewriting(budget)
    values: list[Combination] = [{1 << i: fmpq(1)} for i in range(network.dim)]
    for layer in network.layers[:-1]:
        rows = zip(layer.weights, layer.biases, strict=True)
        values = [rewriting.relu(_sum(row, bias, values, budget)) for row, bias in rows]
    output = _sum(network.layers[-1].weights[0], network.layers[-1].biases[0], values, budget)
    everything = 2**network.dim - 1
    difference = dict(output)
    _add(difference, everything, fmpq(-1))
    if not difference:
        return
    _require_zero(difference, rewriting.atoms, network.dim, budget)


def _add(combination: Combination, key: int, amount: fmpq) -> None:
    total = combination.get(key, 0) + amount
    if total == 0:
        combination.pop(key, None)
    else:
        combination[key] = total


def _sum(row: tuple[fmpq, ...], bias: fmpq, values: list[Combination], budget: Budget) -> Combination:
    result: Combination = {} if bias == 0 else {_CONSTANT: bias}
    budget.spend(STEP, 1 + len(row) // 16)
    for weight, value in zip(row, values, strict=True):
        if weight != 0:
            budget.spend(STEP, 1 + len(value))
            for key, amount in value.items():
                _add(result, key, weight * amount)
    return result


class _Rewriting:
    """The atoms so far, and the rules.

    Attributes:
        atoms: for every atom A_F the integer coefficients of F, without a common divisor, the first one positive.
    """

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.atoms: list[_Key] = []
        self._numbers: dict[_Key, int] = {}

    def relu(self, form: Combination) -> Combination:
        """The ReLU of a combination."""
        self.budget.spend(STEP, 1 + len(form))
        if all(key <= _CONSTANT and amount > 0 for key, amount in form.items()):
            return form
        if set(form) == {_CONSTANT}:
            return {}
        found = _difference_of_maxima(form)
        return self._atom(form) if found is None else found

    def _atom(self, form: Combination) -> Combination:
        keys = sorted(form)
        common = lcm(*(int(amount.q) for amount in form.values()))
        integers = [int(form[key] * common) for key in keys]
        divisor = gcd(*integers)
        sign = 1 if integers[0] > 0 else -1
        primitive = tuple((key, sign * value // divisor) for key, value in zip(keys, integers, strict=True))
        if primitive not in self._numbers:
            self._numbers[primitive] = len(self.atoms)
            self.atoms.append(primitive)
        atom = -1 - self._numbers[primitive]
        result: Combination = dict(form) if sign < 0 else {}
        _add(result, atom, fmpq(divisor, common))
        return result


def _difference_of_maxima(form: Combination) -> Combination | None:
    """The ReLU of c M_S - c M_T, or None if the form is another one."""
    if len(form) != 2 or not all(key > _CONSTANT for key in form):
        return None
    (first, amount), (second, other) = form.items()
    if amount + other != 0:
        return None
    if amount < 0:
        first, second, amount, other = second, first, other, amount
    result: Combination = {}
    _add(result, first | second, amount)
    _add(result, second, -amount)
    return result


# ------------------------------------------------------------------------------------------------------------------
# All orderings


def _require_zero(difference: Combination, atoms: list[_Key], dim: int, budget: Budget) -> None:
    """Insist that a combination is 0 on the cone of every ordering of the inputs."""
    if dim > MAX_ORDERED_INPUTS:
        raise Refuted(STEP, f"the identities do not lead to the maximum of the {dim} inputs")
    common = lcm(*(int(amount.q) for amount in difference.values()))
    terms = [(atoms[-1 - key], int(amount * common)) for key, amount in difference.items() if key < _CONSTANT]
    straight = [(key, int(amount * common)) for key, amount in difference.items() if key >= _CONSTANT]
    used = (key for form, _ in [*terms, (tuple(straight), 1)] for key, _ in form)
    if any(key <= _CONSTANT for key in used):
        raise Refuted(STEP, "a unit whose preactivation is no combination of maxima of inputs is left over")
    size = sum(len(form) + dim for form, _ in terms) + len(straight)
    for order in permutations(range(dim)):
        budget.spend(STEP, size)
        if not _is_zero(terms, straight, order):
            raise Refuted(STEP, f"it is not the maximum where the inputs decrease in the order {list(order)}")


def _is_zero(terms: list[tuple[_Key, int]], straight: list[tuple[int, int]], order: tuple[int, ...]) -> bool:
    """Whether twice the combination is 0 where the inputs decrease in this order; coordinates are in that order."""
    places = _largest_in(order)
    dim = len(order)
    linear = _linear(straight, places, dim)
    linear = [2 * value for value in linear]
    bends: dict[tuple[int, ...], int] = {}
    for form, amount in terms:
        inside = _linear(form, places, dim)
        sums = list(accumulate(inside))
        if sums[-1] == 0 and all(value <= 0 for value in sums):
            continue
        if sums[-1] == 0 and all(value >= 0 for value in sums):
            factor = 2 * amount
        else:
            factor = amount
            divisor = gcd(*inside)
            if next(value for value in inside if value) < 0:
                divisor = -divisor
            key = tuple(value // divisor for value in inside)
            bends[key] = bends.get(key, 0) + amount * abs(divisor)
        linear = [value + factor * other for value, other in zip(linear, inside, strict=True)]
    return not any(linear) and not any(bends.values())


def _largest_in(order: tuple[int, ...]) -> list[int]:
    """For the bits of every set the place in the order of its largest input."""
    places = [0] * 2 ** len(order)
    for place in reversed(range(len(order))):
        bit = 1 << order[place]
        for key in range(len(places)):
            if key & bit:
                places[key] = place
    return places


def _linear(form: tuple[tuple[int, int], ...] | list[tuple[int, int]], places: list[int], dim: int) -> list[int]:
    values = [0] * dim
    for key, amount in form:
        values[places[key]] += amount
    return values
