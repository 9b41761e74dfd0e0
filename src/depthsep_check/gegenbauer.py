"""Coefficients of functions of one inner product in Gegenbauer polynomials, as balls.

x, x' are independent and uniform on the unit sphere of R^d, d >= 3, and t = <x, x'>; its density on [-1, 1] is
Z (1 - t^2)^{(d-3)/2}, Z = Gamma(d/2) / (sqrt(pi) Gamma((d-1)/2)). P_n is the Gegenbauer polynomial of dimension d with
P_n(1) = 1, N_n the dimension of the spherical harmonics of degree n, and h_n = sqrt(N_n) P_n(t) is orthonormal. The
coefficient of F(x, x') = f(t) is alpha_n = E[f h_n], and there are three ways to it:

- *waves*: E[P_n e^{i omega t}] = i^n j_n(omega), j_n(y) = Gamma(d/2) (2/y)^{d/2-1} J_{n+d/2-1}(y) (Funk-Hecke);
- *kinks and jumps*: -(d-1) Z (1-t^2)^{(d-3)/2} P_n is the derivative of Z (1-t^2)^{(d-1)/2} P_{n-1} of dimension d+2
  (Rodrigues), so by parts a jump J at tau adds sqrt(N_n) Z/(d-1) J (1-tau^2)^{(d-1)/2} P_{n-1}^{(d+2)}(tau), n >= 1,
  and a change s of the slope sqrt(N_n) Z/((d-1)(d+1)) s (1-tau^2)^{(d+1)/2} P_{n-2}^{(d+4)}(tau), n >= 2;
- *integrals*: with t = cos(theta), P_n(t) = sum_k p_k cos((n-2k) theta) where p_k >= 0 and sum p_k = 1, so alpha_n is a
  mean of the integrals of f(cos theta) sin(theta)^{d-2} cos(m theta) / integral of sin^{d-2}.

A function of the norm on the unit ball is seen at x = (y + y')/2, where |x|^2 = (1 + t)/2 and |x| = cos(theta/2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import Any, TypeAlias

from flint import acb, arb, fmpq, fmpz

from depthsep_check.expression import Expression, ExpressionDomainError, Undefined
from depthsep_check.numbers import precision
from depthsep_check.profile_bounds import near
from depthsep_check.verdict import Budget, Refuted

Number: TypeAlias = fmpq | arb

STEP = "coefficients"
MAX_EVALUATIONS = 200_000
_MAX_EXACT_BITS = 20_000
_DOMAIN_DEPTH = 40
_DOMAIN_BOXES = 20_000


def multiplicity(dim: int, degree: int) -> fmpz:
    """N_n, the number of independent spherical harmonics of degree n in dimension d.

    >>> [int(multiplicity(3, n)) for n in range(4)], int(multiplicity(5, 25))
    ([1, 3, 5, 7], 6201)
    """
    if degree < 2:
        return fmpz(dim if degree else 1)
    return fmpz.bin_uiui(dim + degree - 1, dim - 1) - fmpz.bin_uiui(dim + degree - 3, dim - 1)


def log_multiplicity(dim: int, degree: int) -> arb:
    """log N_n for n >= 1; also where N_n itself has millions of digits."""
    falling = arb(degree + dim - 2).lgamma() - arb(degree + 1).lgamma() - arb(dim - 1).lgamma()
    return arb(2 * degree + dim - 2).log() + falling


def polynomials(dim: int, t: arb, top: int) -> list[arb]:
    """P_0(t), ..., P_top(t) by the recurrence; up to 1.6 bits are lost with every degree."""
    values = [arb(1), t]
    for n in range(2, top + 1):
        values.append(((2 * n + dim - 4) * t * values[-1] - (n - 1) * values[-2]) / (n + dim - 3))
    return values[: top + 1]


# ------------------------------------------------------------------------------------------------------------------
# Closed forms


@dataclass(frozen=True, slots=True)
class Wave:
    """even cos(omega t) + odd sin(omega t), omega > 0."""

    omega: arb
    even: Number
    odd: Number


@dataclass(frozen=True, slots=True)
class Closed:
    """constant + slope t + sum s (t - tau)_+ over the kinks + sum J 1{t >= tau} over the jumps + the waves.

    Numbers are rationals where they are exact and balls elsewhere.
    """

    constant: Number
    slope: Number
    kinks: tuple[tuple[Number, Number], ...] = ()
    jumps: tuple[tuple[Number, Number], ...] = ()
    waves: tuple[Wave, ...] = ()

    @property
    def is_piecewise_linear(self) -> bool:
        """No jumps and no waves."""
        return not (self.jumps or self.waves)

    @property
    def is_constant(self) -> bool:
        """The same value everywhere."""
        return self.is_piecewise_linear and not self.kinks and bool(self.slope == 0)


class _Radius:
    """The norm |x| where t is the variable underneath: only its even powers have a closed form."""


_Value: TypeAlias = Closed | _Radius


def closed_form(expression: Expression, dim: int, radial: bool) -> Closed | None:
    """The closed form of a formula at the current precision; None if it has none, or none that is certain.

    Args:
        expression: the formula.
        dim: the dimension.
        radial: whether the variable is the norm of (y + y')/2, rather than t = <y, y'>.
    """
    variable: _Value = _Radius() if radial else Closed(fmpq(0), fmpq(1))
    try:
        value = expression.evaluate(_CLOSED, variable, dim)
    except ExpressionDomainError:
        return None
    return value if isinstance(value, Closed) else None


def _finite(number: Number) -> Number:
    if isinstance(number, arb):
        if not number.is_finite():
            raise Undefined("no finite value")
        return number
    return number if number.height_bits() <= _MAX_EXACT_BITS else arb(number)


def _constant(number: Number) -> Closed:
    return Closed(_finite(number), fmpq(0))


def _closed(operation: Callable[..., Closed]) -> Callable[..., Closed]:
    """The operation where every argument has a closed form."""

    def apply(*args: Any) -> Closed:
        if any(isinstance(a, _Radius) for a in args):
            raise Undefined("an odd power of the norm")
        return operation(*args)

    return apply


def _add(a: Closed, b: Closed) -> Closed:
    slope, constant = _finite(a.slope + b.slope), _finite(a.constant + b.constant)
    return Closed(constant, slope, a.kinks + b.kinks, a.jumps + b.jumps, a.waves + b.waves)


def _scale(a: Closed, factor: Number) -> Closed:
    kinks = tuple((at, bend * factor) for at, bend in a.kinks)
    jumps = tuple((at, height * factor) for at, height in a.jumps)
    waves = tuple(Wave(w.omega, w.even * factor, w.odd * factor) for w in a.waves)
    return Closed(_finite(a.constant * factor), _finite(a.slope * factor), kinks, jumps, waves)


def _multiply(a: _Value, b: _Value) -> Closed:
    if isinstance(a, _Radius) and isinstance(b, _Radius):
        return _power(a, 2)
    return _multiply_closed(a, b)


@_closed
def _multiply_closed(a: Closed, b: Closed) -> Closed:
    if a.is_constant:
        return _scale(b, a.constant)
    if b.is_constant:
        return _scale(a, b.constant)
    raise Undefined("a product")


@_closed
def _divide(a: Closed, b: Closed) -> Closed:
    if not b.is_constant or not (b.constant > 0 or b.constant < 0):
        raise Undefined("a quotient")
    return _scale(a, 1 / b.constant)


def _power(a: _Value, n: int) -> Closed:
    if isinstance(a, _Radius):
        if n != 2:
            raise Undefined("a power of the norm")
        return Closed(fmpq(1, 2), fmpq(1, 2))
    if n == 1:
        return a
    if not a.is_constant or (n < 0 and not (a.constant > 0 or a.constant < 0)):
        raise Undefined("a power")
    exact = isinstance(a.constant, fmpq) and a.constant.height_bits() * abs(n) <= _MAX_EXACT_BITS
    return _constant((a.constant if exact else arb(a.constant)) ** n)


def _of_constant(name: str) -> Callable[..., Closed]:
    def apply(a: Closed) -> Closed:
        if not a.is_constant:
            raise Undefined("no closed form")
        return _constant(getattr(arb(a.constant), name)())

    return _closed(apply)


@_closed
def _sine(a: Closed) -> Closed:
    if a.is_constant:
        return _constant(arb(a.constant).sin())
    if a.slope < 0:
        return _scale(_sine(_scale(a, fmpq(-1))), fmpq(-1))
    omega, cosine, sine = _phase(a)
    return Closed(fmpq(0), fmpq(0), waves=(Wave(omega, sine, cosine),))


@_closed
def _cosine(a: Closed) -> Closed:
    if a.is_constant:
        return _constant(arb(a.constant).cos())
    if a.slope < 0:
        return _cosine(_scale(a, fmpq(-1)))
    omega, cosine, sine = _phase(a)
    return Closed(fmpq(0), fmpq(0), waves=(Wave(omega, cosine, -sine),))


def _phase(a: Closed) -> tuple[arb, Number, Number]:
    """omega, and the cosine and the sine of the phase, of an argument phase + omega t; both exact at phase 0."""
    omega = arb(a.slope)
    if not a.is_piecewise_linear or a.kinks or not omega > 0:
        raise Undefined("a wave of something else than phase + omega t")
    if isinstance(a.constant, fmpq) and a.constant == 0:
        return omega, fmpq(1), fmpq(0)
    phase = arb(a.constant)
    return omega, phase.cos(), phase.sin()


@_closed
def _absolute(a: Closed) -> Closed:
    """|a| for a piecewise linear a: its pieces keep or change their sign, and are cut where a crosses 0."""
    if not a.is_piecewise_linear:
        raise Undefined("the absolute value of waves")
    if a.is_constant:
        return _constant(abs(a.constant))
    start: Number = fmpq(-1)
    slope = a.slope
    value = first = a.constant - slope
    pieces: list[tuple[Number, Number]] = []
    for end, bend in [*_ordered(a.kinks), (fmpq(1), fmpq(0))]:
        following = value + slope * (end - start)
        if value >= 0 and following >= 0:
            pieces.append((start, slope))
        elif value <= 0 and following <= 0:
            pieces.append((start, -slope))
        elif (value < 0 and following > 0) or (value > 0 and following < 0):
            pieces += [(start, -slope if value < 0 else slope), (start - value / slope, abs(slope))]
        else:
            raise Undefined("a sign that is not certain")
        start, value, slope = end, following, slope + bend
    kinks = [(at, after - before) for (_, before), (at, after) in pairwise(pieces)]
    return Closed(_finite(abs(first) + pieces[0][1]), _finite(pieces[0][1]), tuple(kinks))


def _ordered(kinks: Sequence[tuple[Number, Number]]) -> list[tuple[Number, Number]]:
    """The kinks from left to right, those at one place together."""
    found: list[tuple[Number, Number]] = []
    for at, bend in sorted(kinks, key=lambda kink: float(arb(kink[0]).mid())):
        if found and isinstance(at, fmpq) and isinstance(found[-1][0], fmpq) and at == found[-1][0]:
            found[-1] = at, found[-1][1] + bend
        elif found and not found[-1][0] < at:
            raise Undefined("an order that is not certain")
        else:
            found.append((at, bend))
    return found


def _largest(a: Closed, b: Closed) -> Closed:
    return _scale(_add(_add(a, b), _absolute(_add(a, _scale(b, fmpq(-1))))), fmpq(1, 2))


def _smallest(a: Closed, b: Closed) -> Closed:
    return _scale(_largest(_scale(a, fmpq(-1)), _scale(b, fmpq(-1))), fmpq(-1))


_CLOSED: dict[str, Callable[..., Any]] = {
    "number": _constant,
    "pi": lambda: _constant(arb.pi()),
    "add": _closed(_add),
    "sub": _closed(lambda a, b: _add(a, _scale(b, fmpq(-1)))),
    "mul": _multiply,
    "div": _divide,
    "neg": _closed(lambda a: _scale(a, fmpq(-1))),
    "power": _power,
    "abs": _absolute,
    "sin": _sine,
    "cos": _cosine,
    "min": _closed(lambda *args: reduce(_smallest, args)),
    "max": _closed(lambda *args: reduce(_largest, args)),
    **{name: _of_constant(name) for name in ("sqrt", "exp", "log", "tanh")},
}


def closed_coefficients(closed: Closed, dim: int, degrees: Sequence[int]) -> list[arb]:
    """alpha_n for increasing degrees n >= 1, the numbers of the closed form being enclosed at the current precision.

    Raises:
        Refuted: a coefficient of degree 1 of a function with kinks, or a kink or jump not certainly inside (-1, 1).
    """
    total = [arb(0)] * len(degrees)
    parts = [_wave_means(wave, dim, degrees) for wave in closed.waves]
    if closed.kinks:
        if degrees[0] < 2:
            raise Refuted(STEP, "for a function with kinks the degrees start at 2")
        parts.append(_break_means(closed.kinks, dim, degrees, 2))
    if closed.jumps:
        parts.append(_break_means(closed.jumps, dim, degrees, 1))
    for part in parts:
        total = [a + b for a, b in zip(total, part, strict=True)]
    if degrees[0] == 1:
        total[0] += arb(closed.slope) / dim
    return [a * arb(multiplicity(dim, n)).sqrt() for a, n in zip(total, degrees, strict=True)]


def closed_bits(closed: Closed, dim: int, top: int) -> int:
    """A precision at which the coefficients up to degree `top` come out with about a hundred correct bits."""
    size = int(multiplicity(dim, top).bit_length())
    return 128 + size + 2 * top + (2 * top + 3 * dim if closed.waves else 0)


def _wave_means(wave: Wave, dim: int, degrees: Sequence[int]) -> list[arb]:
    """E[f P_n] of a wave, from two Bessel functions at the top degree and the recurrence downwards."""
    nu, top = arb(dim) / 2 - 1, degrees[-1]
    scale = (arb(fmpq(dim, 2)).lgamma() + nu * (2 / wave.omega).log()).exp()
    above, here = (wave.omega.bessel_j(nu + top + k) * scale for k in (1, 0))
    bessel: dict[int, arb] = {}
    wanted = set(degrees)
    for n in range(top, 0, -1):
        if n in wanted:
            bessel[n] = here
        above, here = here, 2 * (nu + n) / wave.omega * here - above
    return [(-1) ** (n // 2) * bessel[n] * (wave.odd if n % 2 else wave.even) for n in degrees]


def _break_means(breaks: Sequence[tuple[Number, Number]], dim: int, degrees: Sequence[int], order: int) -> list[arb]:
    """E[f P_n] of jumps (order 1) or kinks (order 2): one or two integrations by parts."""
    means = [arb(0)] * len(degrees)
    for place, size in breaks:
        at = arb(place)
        if not abs(at) < 1:
            raise Refuted(STEP, "a kink or jump is not certainly inside (-1, 1)")
        weight = size * (1 - at * at) ** (arb(fmpq(dim - 3, 2)) + order)
        values = polynomials(dim + 2 * order, at, degrees[-1] - order)
        means = [mean + weight * values[n - order] for mean, n in zip(means, degrees, strict=True)]
    factor = density_factor(dim) / (dim - 1)
    if order == 2:
        factor /= dim + 1
    return [mean * factor for mean in means]


def density_factor(dim: int) -> arb:
    """Z, which makes Z (1 - t^2)^{(d-3)/2} a density."""
    return (arb(fmpq(dim, 2)).lgamma() - arb(fmpq(dim - 1, 2)).lgamma()).exp() / arb.pi().sqrt()


# ------------------------------------------------------------------------------------------------------------------
# Everything else


def integral_coefficients(
    expression: Expression, dim: int, radial: bool, degrees: Sequence[int], budget: Budget
) -> list[arb]:
    """alpha_n by rigorous integration at the current precision, for a function defined and bounded everywhere.

    Raises:
        Refuted: the formula is not certainly defined and bounded.
        Exhausted: the budget of integrals does not suffice.
    """
    require_defined(expression, dim, radial)
    orders = sorted({n - 2 * k for n in degrees for k in range(n // 2 + 1)})
    budget.spend(STEP, len(orders))
    volume = _integral(lambda z, analytic: z.sin() ** (dim - 2))
    moments = {m: _integral(_integrand(expression, dim, radial, m)) / volume for m in orders}
    return [_mean(moments, dim, n) * arb(multiplicity(dim, n)).sqrt() for n in degrees]


def _integrand(expression: Expression, dim: int, radial: bool, order: int) -> Callable[[acb, bool], acb]:
    tables = {analytic: _complex_operations(analytic) for analytic in (False, True)}

    def integrand(z: acb, analytic: bool) -> acb:
        variable = (z / 2).cos() if radial else z.cos()
        value = expression.evaluate(tables[analytic], variable, dim)
        return value * z.sin() ** (dim - 2) * (order * z).cos()

    return integrand


def _integral(integrand: Callable[[acb, bool], acb]) -> arb:
    return acb.integral(integrand, 0, acb.pi(), eval_limit=MAX_EVALUATIONS).real


def _mean(moments: dict[int, arb], dim: int, degree: int) -> arb:
    """E[f P_n] from the moments with cos(m theta); p_k is (l)_k (l)_{n-k} / (k! (n-k)!) up to a factor, l = d/2 - 1."""
    half = fmpq(dim - 2, 2)
    rising = [fmpq(1)]
    for k in range(degree):
        rising.append(rising[-1] * (half + k) / (k + 1))
    weights = [rising[k] * rising[degree - k] for k in range(degree + 1)]
    total = sum((arb(w) * moments[abs(degree - 2 * k)] for k, w in enumerate(weights)), arb(0))
    return total / arb(sum(weights, fmpq(0)))


def _complex_operations(analytic: bool) -> dict[str, Callable[..., acb]]:
    """Operations on complex balls which are not finite where they are not analytic, if that is asked."""
    return {
        "number": acb,
        "pi": acb.pi,
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "mul": lambda a, b: a * b,
        "div": lambda a, b: a / b,
        "neg": lambda a: -a,
        "power": lambda a, n: a**n,
        "abs": lambda a: a.real_abs(analytic=analytic),
        "sqrt": lambda a: a.sqrt(analytic=analytic),
        "log": lambda a: a.log(analytic=analytic),
        "exp": acb.exp,
        "sin": acb.sin,
        "cos": acb.cos,
        "tanh": acb.tanh,
        "min": lambda *args: reduce(lambda a, b: a.real_min(b, analytic=analytic), args),
        "max": lambda *args: reduce(lambda a, b: a.real_max(b, analytic=analytic), args),
    }


def require_defined(expression: Expression, dim: int, radial: bool) -> None:
    """Prove by bisection that a formula is defined and bounded on its interval, so that it is real there.

    Raises:
        Refuted: it is not, or this cannot be decided.
    """
    boxes = [(fmpq(0 if radial else -1), fmpq(1), 0)]
    done = 0
    with precision(64):
        while boxes:
            low, high, depth = boxes.pop()
            if expression.enclose(low, high, dim)[0].is_finite():
                continue
            done += 1
            if depth == _DOMAIN_DEPTH or done > _DOMAIN_BOXES:
                variable = "r" if radial else "t"
                raise Refuted("function", f"not certainly defined and bounded near {variable} = {near(low)}")
            middle = (low + high) / 2
            boxes += [(low, middle, depth + 1), (middle, high, depth + 1)]
