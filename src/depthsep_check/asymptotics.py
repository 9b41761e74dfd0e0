"""What a formula does far out: a proved line it approaches, and how fast; so that it can serve as an activation.

For t >= X every node of a formula is followed as

    a polynomial in t  +  rho,   |rho(t)| <= C t^-m, m >= 1,      or as   +-exp(such a thing) that tends to infinity.

The rules are those of limits with explicit remainders: products multiply, quotients are polynomial divisions whose
divisor is bounded from below by its leading term, exp(-a t) <= (X^8 exp(-a X)) t^-8 for X >= 8/a, tanh of something
large is +-1 up to 2 exp(-2 |.|), and so on. Where a rule does not apply (sin of something large, a logarithm of t, a
difference of two exponentials of one size) nothing is said: `Unknown`. At -infinity the variable is replaced by -t.

Coefficients are exact rationals as long as only exact operations are met, balls otherwise. An activation needs
rational slopes and limits, different on the two sides: then Assumption 1 holds (see `depthsep.activations`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flint import arb, fmpq

from depthsep_check.activations import Activation, Asymptote
from depthsep_check.expression import MAX_EXACT_BITS, Expression, Node

Number = Any  # fmpq or arb

_ORDER = 8
_MOST = 64
_FIRST, _LAST = 2**3, 2**14
_BOXES = 512
_DIM = 1


class Unknown(Exception):  # noqa: N818 - a signal to the caller, who explains it
    """No rule says what this formula does far out; the text says why."""


@dataclass(frozen=True, slots=True)
class _Tame:
    """coefficients[k] t^k summed, the last one not 0, plus a remainder of at most size * t^-order for t >= start."""

    start: fmpq
    coefficients: tuple[Number, ...]
    size: arb
    order: int

    @property
    def degree(self) -> int:
        return len(self.coefficients) - 1

    def rest(self, below: int) -> arb:
        """A bound of the terms of degree < below and of the remainder, divided by t^below, for all t >= start."""
        total = self.size / arb(self.start) ** (self.order + below)
        for k, c in enumerate(self.coefficients[:below]):
            total += abs(arb(c)) / arb(self.start) ** (below - k)
        return total.upper()

    def bound(self) -> arb:
        """A bound of the remainder itself for all t >= start."""
        return (self.size / arb(self.start) ** self.order).upper()

    def lead(self) -> arb:
        """A positive b with |value| >= b t^degree, the sign being that of the leading coefficient, for t >= start."""
        if not self.coefficients:
            raise Unknown("something that tends to 0 has no certain sign")
        lowest = (abs(arb(self.coefficients[-1])) - self.rest(self.degree)).lower()
        if not lowest > 0:
            raise Unknown("its leading term does not dominate soon enough")
        return lowest

    def sign(self) -> int:
        self.lead()
        return 1 if self.coefficients[-1] > 0 else -1

    def limit(self) -> Number:
        """The limit of something that tends to a number."""
        return self.coefficients[0] if self.coefficients else fmpq(0)


@dataclass(frozen=True, slots=True)
class _Huge:
    """sign * exp(log), where log tends to +infinity."""

    sign: int
    log: _Tame


Far = _Tame | _Huge


def _tame(start: fmpq, coefficients: list[Number], size: arb | int = 0, order: int = _ORDER) -> _Tame:
    while coefficients and (coefficients[-1] == 0):
        coefficients.pop()
    if any(isinstance(c, fmpq) and c.height_bits() > MAX_EXACT_BITS for c in coefficients):
        raise Unknown("an enormous number")
    if coefficients and isinstance(coefficients[-1], arb) and coefficients[-1].contains(0):
        raise Unknown("whether a coefficient is 0 cannot be decided")
    return _Tame(start, tuple(coefficients), arb(size).upper(), order)


def _loosened(a: _Tame, order: int) -> arb:
    """The size of the remainder at a smaller order."""
    return a.size / arb(a.start) ** (a.order - order)


def _add(a: Far, b: Far) -> Far:
    if isinstance(a, _Huge):
        return _add_exponentials(a, b) if isinstance(b, _Huge) else _add_to_exponential(a, b)
    if isinstance(b, _Huge):
        return _add_to_exponential(b, a)
    n = max(len(a.coefficients), len(b.coefficients))
    parts = [(*x.coefficients, *[fmpq(0)] * (n - len(x.coefficients))) for x in (a, b)]
    order = min(a.order, b.order)
    total = [x + y for x, y in zip(*parts, strict=True)]
    return _tame(a.start, total, _loosened(a, order) + _loosened(b, order), order)


def _add_to_exponential(a: _Huge, b: _Tame) -> _Huge:
    return _Huge(a.sign, _plus_log1p(a.log, _multiply(b, _small(a.log))))


def _add_exponentials(a: _Huge, b: _Huge) -> _Huge:
    ratio = _need_tame(_add(a.log, _negative(b.log)))
    if ratio.degree < 1:
        if a.sign != b.sign:
            raise Unknown("a difference of two exponentials of one size")
        grown = _log(_add(_exp(ratio), _number(ratio.start, fmpq(1))))
        return _Huge(a.sign, _need_tame(_add(b.log, grown)))
    first, gap = (a, ratio) if ratio.sign() > 0 else (b, _need_tame(_negative(ratio)))
    return _Huge(first.sign, _plus_log1p(first.log, _small(gap)))


def _plus_log1p(log: _Tame, small: Far) -> _Tame:
    small = _need_tame(small)
    if small.coefficients or not small.bound() <= arb(fmpq(1, 2)):
        raise Unknown("a sum of exponentials that does not settle soon enough")
    return _need_tame(_add(log, _tame(log.start, [], 2 * small.size, small.order)))


def _need_tame(a: Far) -> _Tame:
    if isinstance(a, _Huge):
        raise Unknown("an exponential where a polynomial is needed")
    return a


def _number(start: fmpq, value: Number) -> _Tame:
    return _tame(start, [value])


def _negative(a: Far) -> Far:
    if isinstance(a, _Huge):
        return _Huge(-a.sign, a.log)
    return _Tame(a.start, tuple(-c for c in a.coefficients), a.size, a.order)


def _multiply(a: Far, b: Far) -> Far:
    if isinstance(a, _Huge):
        if isinstance(b, _Huge):
            return _Huge(a.sign * b.sign, _need_tame(_add(a.log, b.log)))
        return _Huge(a.sign * b.sign(), _need_tame(_add(a.log, _log(_absolute(b)))))
    if isinstance(b, _Huge):
        return _multiply(b, a)
    if len(a.coefficients) + len(b.coefficients) > _MOST:
        raise Unknown(f"a polynomial of more than {_MOST} terms")
    product: list[Number] = [fmpq(0)] * max(0, len(a.coefficients) + len(b.coefficients) - 1)
    for i, x in enumerate(a.coefficients):
        for j, y in enumerate(b.coefficients):
            product[i + j] += x * y
    terms = [(b.size * abs(arb(x)), b.order - i) for i, x in enumerate(a.coefficients)]
    terms += [(a.size * abs(arb(y)), a.order - j) for j, y in enumerate(b.coefficients)]
    terms.append((a.size * b.size, a.order + b.order))
    return _with_remainders(a.start, product, terms)


def _with_remainders(start: fmpq, coefficients: list[Number], terms: list[tuple[arb, int]]) -> _Tame:
    terms = [(size, order) for size, order in terms if not size.is_zero()]
    order = min((order for _, order in terms), default=_ORDER)
    if order < 1:
        raise Unknown("a product of something that grows and something that falls off slowly")
    total = sum((size / arb(start) ** (own - order) for size, own in terms), arb(0))
    return _tame(start, coefficients, total, order)


def _divide(a: Far, b: Far) -> Far:
    if isinstance(b, _Huge):
        if isinstance(a, _Huge):
            ratio = _exp(_add(a.log, _negative(b.log)))
            return ratio if a.sign == b.sign else _negative(ratio)
        small = _multiply(a, _small(b.log))
        return small if b.sign > 0 else _negative(small)
    lead = b.lead()
    if isinstance(a, _Huge):
        return _multiply(a, _divide(_number(b.start, fmpq(1)), b))
    rest = list(a.coefficients)
    quotient: list[Number] = [fmpq(0)] * max(0, a.degree - b.degree + 1)
    for k in range(a.degree - b.degree, -1, -1):
        quotient[k] = rest[k + b.degree] / b.coefficients[-1]
        for j, y in enumerate(b.coefficients):
            rest[k + j] -= quotient[k] * y
    terms = [(abs(arb(r)) / lead, b.degree - k) for k, r in enumerate(rest[: b.degree])]
    terms.append((a.size / lead, a.order + b.degree))
    terms += [(abs(arb(q)) * b.size / lead, b.order + b.degree - k) for k, q in enumerate(quotient)]
    return _with_remainders(a.start, quotient, terms)


def _small(log: _Tame) -> _Tame:
    """exp(-log) for something that tends to infinity."""
    if log.degree < 1 or log.sign() < 0:
        raise Unknown("an exponential of something that does not grow")
    rate = (log.lead() * arb(log.start) ** (log.degree - 1)).lower()
    if not rate * arb(log.start) >= _ORDER:
        raise Unknown("an exponential that falls off too slowly")
    return _tame(log.start, [], arb(log.start) ** _ORDER * (-rate * arb(log.start)).exp())


def _exp(a: Far) -> Far:
    if isinstance(a, _Huge):
        if a.sign > 0:
            raise Unknown("it grows faster than any exponential of a polynomial")
        return _small(a.log)  # exp(-x) <= exp(-log x)
    if a.degree >= 1:
        return _Huge(1, a) if a.sign() > 0 else _small(_need_tame(_negative(a)))
    value = fmpq(1) if a.limit() == 0 else arb(a.limit()).exp()
    return _tame(a.start, [value], arb(value) * a.size * a.bound().exp(), a.order)


def _log(a: Far) -> Far:
    if isinstance(a, _Huge):
        if a.sign < 0:
            raise Unknown("the logarithm of a negative number")
        return a.log
    if a.degree != 0 or a.sign() < 0:
        raise Unknown("a logarithm of something that tends to 0, to infinity, or to a negative number")
    limit = a.limit()
    return _tame(a.start, [fmpq(0) if limit == 1 else arb(limit).log()], a.size / a.lead(), a.order)


def _tanh(a: Far) -> Far:
    if isinstance(a, _Huge) or a.degree >= 1:
        sign = a.sign if isinstance(a, _Huge) else a.sign()
        log = a.log if isinstance(a, _Huge) else _need_tame(_absolute(a))
        small = _small(_need_tame(_multiply(_number(log.start, fmpq(2)), log)))
        return _tame(log.start, [fmpq(sign)], 2 * small.size, small.order)
    return _lipschitz(a, arb.tanh, fmpq(0))


def _lipschitz(a: Far, function: Callable[[arb], arb], at_zero: fmpq) -> Far:
    """A function of Lipschitz constant 1 of something that tends to a number."""
    if isinstance(a, _Huge) or a.degree >= 1:
        raise Unknown("it oscillates for ever")
    value = at_zero if a.limit() == 0 else function(arb(a.limit()))
    return _tame(a.start, [value], a.size, a.order)


def _absolute(a: Far) -> Far:
    if isinstance(a, _Huge):
        return _Huge(1, a.log)
    if not a.coefficients:
        return a
    return a if a.sign() > 0 else _negative(a)


def _sqrt(a: Far) -> Far:
    if isinstance(a, _Huge):
        if a.sign < 0:
            raise Unknown("the square root of a negative number")
        return _Huge(1, _need_tame(_multiply(_number(a.log.start, fmpq(1, 2)), a.log)))
    if a.degree not in (0, 2) or a.sign() < 0:
        raise Unknown("the square root of something that is not near a positive constant or a square")
    root = _root(a.coefficients[-1])
    if a.degree == 0:
        return _tame(a.start, [root], a.size / arb(root), a.order)
    middle = a.coefficients[1] / (2 * root)
    missing = abs(arb(a.coefficients[0] - middle * middle)) + a.bound()
    slope = (arb(root) - abs(arb(middle)) / arb(a.start)).lower()
    if not slope > 0:
        raise Unknown("its leading term does not dominate soon enough")
    return _tame(a.start, [middle, root], missing / slope, 1)


def _root(value: Number) -> Number:
    if isinstance(value, fmpq):
        p, q = value.p.isqrt(), value.q.isqrt()
        if p * p == value.p and q * q == value.q:
            return fmpq(p, q)
    return arb(value).sqrt()


def _power(a: Far, n: int) -> Far:
    start = a.log.start if isinstance(a, _Huge) else a.start
    result: Far = _number(start, fmpq(1))
    for _ in range(abs(n)):
        result = _multiply(result, a)
    return _divide(_number(start, fmpq(1)), result) if n < 0 else result


def _largest(first: Far, *others: Far) -> Far:
    for other in others:
        first = _larger(first, other)
    return first


def _larger(a: Far, b: Far) -> Far:
    difference = _add(a, _negative(b))
    if isinstance(difference, _Huge):
        return a if difference.sign > 0 else b
    if difference.coefficients:
        return a if difference.sign() > 0 else b
    return _add(b, difference)  # max(a, b) - b is between 0 and the difference, which is a remainder only


def _smallest(*arguments: Far) -> Far:
    return _negative(_largest(*(_negative(a) for a in arguments)))


_OPERATIONS: dict[str, Callable[..., Far]] = {
    "add": _add,
    "sub": lambda a, b: _add(a, _negative(b)),
    "mul": _multiply,
    "div": _divide,
    "neg": _negative,
    "power": _power,
    "abs": _absolute,
    "sqrt": _sqrt,
    "exp": _exp,
    "log": _log,
    "sin": lambda a: _lipschitz(a, arb.sin, fmpq(0)),
    "cos": lambda a: _lipschitz(a, arb.cos, fmpq(1)),
    "tanh": _tanh,
    "min": _smallest,
    "max": _largest,
}


def _far(program: tuple[Node, ...], side: int, start: fmpq) -> Far:
    """The last node at side * t, for t >= start."""
    results: list[Far] = []
    for node in program:
        arguments = [results[i] for i in node.args]
        if node.kind == "variable":
            results.append(_tame(start, [fmpq(0), fmpq(side)]))
        elif node.kind == "number":
            results.append(_number(start, node.value))
        elif node.kind == "pi":
            results.append(_number(start, arb.pi()))
        elif node.kind == "power":
            results.append(_power(arguments[0], node.value))
        else:
            results.append(_OPERATIONS[node.kind](*arguments))
    return results[-1]


def _line(expression: Expression, side: int) -> _Tame:
    """The line at side * infinity, with rational coefficients."""
    program, why = expression.program(_DIM), ""
    start = _FIRST
    while start <= _LAST:
        try:
            found = _far(program, side, fmpq(start))
            if isinstance(found, _Huge) or found.degree > 1:
                raise Unknown("it grows faster than linearly")
            if not all(isinstance(c, fmpq) for c in found.coefficients):
                raise Unknown("its slope or limit is not known to be a rational number")
            return found
        except Unknown as unknown:
            why = str(unknown)
        start *= 4
    raise Unknown(f"at {'+' if side > 0 else '-'}infinity: {why}")


def _side(line: _Tame, side: int) -> Asymptote:
    constant, slope = (*line.coefficients, fmpq(0), fmpq(0))[:2]
    return Asymptote(side * slope, constant)


def own_activation(expression: Expression, name: str) -> Activation:
    """The activation of a formula, once its asymptotes are proved and differ as Assumption 1 needs.

    Raises:
        Unknown: they are not, or the formula is not proved finite everywhere; the text says why.
    """
    lines = [_line(expression, side) for side in (-1, 1)]
    left, right = (_side(line, side) for line, side in zip(lines, (-1, 1), strict=True))
    if left.slope == right.slope and (left.slope != 0 or left.constant == right.constant):
        same = "limits" if left.slope == 0 else "slopes"
        raise Unknown(f"the two {same} are equal: sums of its copies that are flat far out are no staircase or polygon")
    beyond = max(lines[0].start, lines[1].start)
    everywhere = _distance(expression, left, right, beyond)
    largest = max(lines, key=lambda line: line.bound()).bound()
    everywhere = everywhere.max(largest).upper()

    def tail(x: arb) -> arb:
        if not x >= arb(beyond):
            return everywhere if x.is_finite() else arb.nan()
        sizes = [line.size / x.lower() ** line.order for line in lines]
        return sizes[0].max(sizes[1])

    def both(x: arb) -> tuple[arb, arb]:
        return expression.ball_with_derivative(x, _DIM)

    def value(x: arb) -> arb:
        return expression.ball(x, _DIM)

    return Activation(name, value, lambda x: both(x)[1], left, right, tail, monotone=False)


def _distance(expression: Expression, left: Asymptote, right: Asymptote, beyond: fmpq) -> arb:
    """A bound of the distance from the two lines on [-beyond, beyond]."""
    worst = arb(0)
    for step in range(-_BOXES, _BOXES):
        low, high = (beyond * k / _BOXES for k in (step, step + 1))
        line = left if step < 0 else right
        values, _ = expression.enclose(low, high, _DIM)
        if not values.is_finite():
            raise Unknown(f"the formula is not proved finite between {low} and {high}")
        box = arb(low).union(arb(high))
        worst = worst.max(abs(values - line.slope * box - line.constant))
    return worst.upper()
