"""Check of the univariate statement: a sum of units of one activation is within an error of a function of one variable.

    h(t) = a + sum_i alpha_i s(beta_i t - gamma_i),        |h(t) - f(t)| <= error for all t of the domain.

The domain is an interval [low, high], or the whole line, where f stands for the function that is given by its formula
on [low, high] and is constant on both sides of it: this is the form in which Assumption 1 of Safran, Eldan & Shamir
(2019, "Depth Separations in Neural Networks: What is Actually Being Separated?") asks for h.

*Proof of an instance.* Bisection with balls. On a box, a unit whose argument stays beyond the reach X of the activation
is replaced by its asymptote, and |alpha_i| tail(X) is added to a slack; of the sum g of the others and the lines

    h - f  is inside  (g - f)(m) + (g' - f')(box) * [-w, w] +- slack            (m the middle, w the half width),

or inside the plain enclosure, or (where g - f is monotone) between its values at the two ends. Beyond the last place
where any unit is within its reach h is a line up to the slack; its slope has to be exactly 0 on the whole line. A
piecewise linear or constant activation has tail(X) = 0; the boxes are then cut at its breaks, and for a step the
values at the jumps are computed exactly. QED
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from flint import arb, fmpq

from depthsep_check.activations import ACTIVATIONS, Activation
from depthsep_check.asymptotics import Unknown, own_activation
from depthsep_check.document import TheoremDocument
from depthsep_check.expression import Expression
from depthsep_check.fields import fields_of, weight_list, word
from depthsep_check.numbers import ball_between, format_rational, parse_rational, parse_weight
from depthsep_check.profile_bounds import near
from depthsep_check.theorems.profiles import read_expression, value_at
from depthsep_check.verdict import Budget, Exhausted, Malformed, Refuted

STEP = "univariate"
INTERVAL = "interval"
LINE = "line"
MAX_UNITS = 100_000
MAX_BISECTIONS = 100
_WORK = 6_000_000
_SLACK = fmpq(1, 2**14)  # of the error, given away to the tails
_MAX_REACH = 2**60
_DIM = 1


@dataclass(frozen=True, slots=True)
class Unit:
    """weight * s(scale * t - offset)."""

    scale: fmpq
    offset: fmpq
    weight: fmpq

    def argument(self, t: fmpq) -> fmpq:
        """What s is applied to."""
        return self.scale * t - self.offset


@dataclass(frozen=True, slots=True)
class UnivariateClaim:
    """|bias + sum of the units - f| <= error on the interval, or (domain "line") everywhere."""

    domain: str
    low: fmpq
    high: fmpq
    activation: Activation
    error: fmpq
    bias: fmpq
    units: tuple[Unit, ...]


def check(document: TheoremDocument) -> str:
    """Replay the proof of a univariate approximation.

    Returns:
        The proved sentence.

    Raises:
        Refuted: the error is exceeded, or f is not certainly finite on the interval.
        Malformed: an object is not of the form that the format page gives.
        Unsupported: a word is not known here.
        Exhausted: not decided within the work that a document may ask for.
    """
    claim = read_claim(document.claim)
    expression = read_expression(document.function, "univariate", "t", _DIM)
    fields_of(document.witness, "witness", ("kind",))
    word(document.witness["kind"], "witness.kind", ("bisection",))
    proof = _Proof(claim, expression, Budget(_WORK))
    proof.on_interval()
    if claim.domain == LINE:
        proof.beyond(claim.low, -1)
        proof.beyond(claim.high, 1)
    return _statement(document, claim)


def _statement(document: TheoremDocument, claim: UnivariateClaim) -> str:
    text, interval = document.function["expression"], f"[{format_rational(claim.low)}, {format_rational(claim.high)}]"
    where = f"t in {interval}" if claim.domain == INTERVAL else "t"
    beyond = "" if claim.domain == INTERVAL else f" on {interval}, constant on both sides of it"
    units = f"{len(claim.units)} units alpha_i s(beta_i t - gamma_i)"
    s = claim.activation.name if isinstance(document.claim["activation"], str) else f"t -> {claim.activation.name}"
    return (
        f"|h(t) - f(t)| <= {format_rational(claim.error)} for all real {where} (exact arithmetic); h(t) = a + "
        f"sum of {units}, s = {s}; f(t) = {text}{beyond}"
    )


# ------------------------------------------------------------------------------------------------------------------
# The proof


def _reach(activation: Activation, slack: fmpq) -> tuple[fmpq, fmpq]:
    """A place X and a bound of tail(X), which is at most the slack."""
    place = fmpq(0)
    while not (tail := activation.tail(arb(place))) <= arb(slack):
        place = 2 * place if place else fmpq(1)
        if place > _MAX_REACH:
            raise Exhausted(STEP, f"the tails of {activation.name} are too long")
    return place, tail.upper().fmpq()


@dataclass(frozen=True, slots=True)
class _Part:
    """On one box: the units within reach, and the others as a line with a slack."""

    activation: Activation
    reach: tuple[fmpq, fmpq]
    units: tuple[Unit, ...]
    slope: fmpq
    constant: fmpq
    slack: fmpq

    def restricted(self, low: fmpq, high: fmpq) -> _Part:
        """The same on a smaller box."""
        reach, tail = self.reach
        kept, slope, constant, slack = [], self.slope, self.constant, self.slack
        for unit in self.units:
            first, last = unit.argument(low), unit.argument(high)
            if first > last:
                first, last = last, first
            if first < reach and last > -reach:
                kept.append(unit)
                continue
            side = self.activation.right if first >= reach else self.activation.left
            slope += unit.weight * side.slope * unit.scale
            constant += unit.weight * (side.constant - side.slope * unit.offset)
            slack += abs(unit.weight) * tail
        return _Part(self.activation, self.reach, tuple(kept), slope, constant, slack)

    def value(self, t: arb) -> arb:
        """The sum without its slack."""
        total = self.slope * t + self.constant
        for unit in self.units:
            total += unit.weight * self.activation.value(unit.scale * t - unit.offset)
        return total

    def derivative(self, box: arb) -> arb:
        """Its derivatives over a ball."""
        total = arb(self.slope)
        for unit in self.units:
            total += unit.weight * unit.scale * self.activation.derivative(unit.scale * box - unit.offset)
        return total

    def exactly(self, t: fmpq) -> arb:
        """The value at a rational point: the side of a jump is decided by exact arguments."""
        total = self.slope * arb(t) + self.constant
        for unit in self.units:
            total += unit.weight * self.activation.value(_exact_side(self.activation, unit.argument(t)))
        return total


def _exact_side(activation: Activation, argument: fmpq) -> arb:
    """A ball about an argument; for a step one that is certainly on its side of 0, which is all that matters there."""
    if activation.continuous:
        return arb(argument)
    return arb(int(argument >= 0) - int(argument < 0))


class _Constant:
    """A value f(end), which f keeps beyond the end of the interval."""

    def __init__(self, value: arb) -> None:
        self._value = value

    def at(self, t: fmpq) -> arb:
        return self._value

    def over(self, low: fmpq, high: fmpq) -> tuple[arb, arb]:
        return self._value, arb(0)


class _Formula:
    """f on the interval."""

    def __init__(self, expression: Expression) -> None:
        self._expression = expression

    def at(self, t: fmpq) -> arb:
        return value_at(self._expression, t, _DIM, STEP)

    def over(self, low: fmpq, high: fmpq) -> tuple[arb, arb]:
        return self._expression.enclose(low, high, _DIM)


class _Proof:
    """The steps of the proof, with one budget."""

    def __init__(self, claim: UnivariateClaim, expression: Expression, budget: Budget) -> None:
        self.claim = claim
        self.limit = arb(claim.error)
        self.formula = _Formula(expression)
        self.budget = budget
        self.cost = 1 + len(expression.nodes) // 8
        total = sum((abs(unit.weight) for unit in claim.units), fmpq(0))
        reach = _reach(claim.activation, claim.error * _SLACK / (total or fmpq(1)))
        self.whole = _Part(claim.activation, reach, claim.units, fmpq(0), claim.bias, fmpq(0))
        self.breaks = sorted(
            {(place + unit.offset) / unit.scale for unit in claim.units for place in claim.activation.breaks}
        )

    def on_interval(self) -> None:
        """The error on [low, high]."""
        self._on(self.claim.low, self.claim.high, self.formula)

    def beyond(self, end: fmpq, sign: int) -> None:
        """The error on the half line from an end of the interval, to the left (-1) or to the right (1)."""
        target = _Constant(self.formula.at(end))
        reach = self.whole.reach[0]
        places = [(unit.offset + x) / unit.scale for unit in self.claim.units for x in (reach, -reach)]
        last = max([end, *places]) if sign > 0 else min([end, *places])
        if last != end:
            self._on(min(last, end), max(last, end), target)
        # From `last` on every unit is beyond its reach, on a side that one more point tells.
        far = self.whole.restricted(*sorted((last, last + sign)))
        if far.slope != 0:
            raise Refuted(STEP, f"h has the slope {near(far.slope)} far {'right' if sign > 0 else 'left'}, not 0")
        if not abs(far.constant - target.at(end)) + far.slack <= self.limit:
            raise Refuted(
                STEP, f"the limit of h far {'right' if sign > 0 else 'left'} is not certainly within the error"
            )

    def _on(self, low: fmpq, high: fmpq, target: _Formula | _Constant) -> None:
        inside = [place for place in self.breaks if low < place < high]
        ends = [low, *inside, high]
        self._boxes(ends, self.whole.restricted(low, high), target)
        if not self.claim.activation.continuous:
            self._jumps(ends, target)

    def _jumps(self, points: Iterable[fmpq], target: _Formula | _Constant) -> None:
        """The error at the jumps themselves, and at both ends."""
        for point in points:
            self.budget.spend(STEP, 1 + len(self.whole.units) // 16)
            if not abs(self.whole.exactly(point) - target.at(point)) <= self.limit:
                raise Refuted(STEP, f"the error at the jump t = {near(point)} is not certainly within the claim")

    def _boxes(self, ends: list[fmpq], part: _Part, target: _Formula | _Constant) -> None:
        """All boxes between the ends, many of which are halved first so that each looks at few units."""
        pending = [(0, len(ends) - 1, part)]
        while pending:
            first, last, known = pending.pop()
            self.budget.spend(STEP, 1 + len(known.units) // 4)
            if last - first == 1:
                self._bisect(ends[first], ends[last], known, target)
                continue
            middle = (first + last) // 2
            for a, b in pairwise((first, middle, last)):
                pending.append((a, b, known.restricted(ends[a], ends[b])))

    def _bisect(self, low: fmpq, high: fmpq, part: _Part, target: _Formula | _Constant) -> None:
        pending = [(low, high, part, 0)]
        while pending:
            a, b, known, depth = pending.pop()
            known = known.restricted(a, b)
            self.budget.spend(STEP, self.cost + len(known.units))
            middle = (a + b) / 2
            at_middle = self._difference(known, middle, target)
            if abs(at_middle) > self.limit:
                raise Refuted(STEP, f"the error exceeds {format_rational(self.claim.error)} at t = {near(middle)}")
            if self._bounded(known, a, b, at_middle, target):
                continue
            if depth == MAX_BISECTIONS:
                raise Exhausted(STEP, f"undecided near t = {near(a)} after {MAX_BISECTIONS} bisections")
            pending += [(middle, b, known, depth + 1), (a, middle, known, depth + 1)]

    def _difference(self, part: _Part, t: fmpq, target: _Formula | _Constant) -> arb:
        """h - f at a point, slack included."""
        return part.value(arb(t)) - target.at(t) + arb(part.slack) * arb(0, 1)

    def _bounded(self, part: _Part, a: fmpq, b: fmpq, at_middle: arb, target: _Formula | _Constant) -> bool:
        """Whether |h - f| is certainly at most the error on [a, b]."""
        values, slopes = target.over(a, b)
        if not values.is_finite():
            return False
        box = ball_between(a, b)
        slope = part.derivative(box) - slopes if slopes.is_finite() else slopes
        if slope.is_finite():
            if abs(at_middle + slope * arb((b - a) / 2) * arb(0, 1)) <= self.limit:
                return True
            # A monotone function is largest and smallest at the ends, where a tie can still be decided.
            if slope >= 0 or slope <= 0:
                return all(abs(self._difference(part, end, target)) <= self.limit for end in (a, b))
        return bool(abs(part.value(box) - values + arb(part.slack) * arb(0, 1)) <= self.limit)


# ------------------------------------------------------------------------------------------------------------------
# Reading


def read_claim(value: Any) -> UnivariateClaim:
    """Read the claim, strictly.

    Raises:
        Malformed: it is not of the form that the format page gives.
        Unsupported: a word is not known here.
        Refuted: the limits of an activation that is given by a formula could not be proved.
    """
    words = {"domain": (INTERVAL, LINE), "arithmetic": ("real",)}
    lists = ("scales", "offsets", "weights")
    fields = fields_of(value, "claim", ("kind", *words, "activation", "interval", "error", "bias", *lists))
    for name, known in words.items():
        word(fields[name], f"claim.{name}", known)
    low, high = _interval(fields["interval"])
    error = parse_rational(fields["error"], "claim.error")
    if error <= 0:
        raise Malformed("claim.error", "must be positive")
    scales = weight_list(fields["scales"], "claim.scales", MAX_UNITS)
    if not all(scales):
        raise Malformed("claim.scales", "a unit that does not look at t belongs into the bias")
    offsets, weights = (weight_list(fields[name], f"claim.{name}", MAX_UNITS, len(scales)) for name in lists[1:])
    units = tuple(Unit(*numbers) for numbers in zip(scales, offsets, weights, strict=True))
    bias = parse_weight(fields["bias"], "claim.bias")
    activation = _activation(fields["activation"])
    return UnivariateClaim(fields["domain"], low, high, activation, error, bias, units)


def _activation(value: Any) -> Activation:
    """One of the known activations by its name, or one that is given by a formula."""
    if not isinstance(value, dict):
        word(value, "claim.activation", tuple(ACTIVATIONS))
        return ACTIVATIONS[value]
    text = fields_of(value, "claim.activation", ("expression",))["expression"]
    formula = read_expression({"kind": "activation", "expression": text}, "activation", "t", _DIM)
    try:
        return own_activation(formula, text)
    except Unknown as unknown:
        raise Refuted("activation", str(unknown)) from None


def _interval(value: Any) -> tuple[fmpq, fmpq]:
    if not isinstance(value, list) or len(value) != 2:
        raise Malformed("claim.interval", "expected the two ends of an interval")
    low, high = (parse_rational(end, f"claim.interval[{place}]") for place, end in enumerate(value))
    if not low < high:
        raise Malformed("claim.interval", "its ends must increase")
    return low, high
