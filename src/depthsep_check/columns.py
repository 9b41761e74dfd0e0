"""The sign and the digits of a large integer form from small ones: columns, windows, carries.

Let S = sum_e C_e y_e + C_0 be a form of integer digits y_e in 0..h_e that is not constant, q the gcd of its
coefficients. With the C_e / q and C_0 / q in base B = 2^L, digits in [-B/2, B/2), the form of the digits in place c is
T_c, and S / q = sum_c B^c T_c, c = 0..n-1.

**Windows.** X_c = sum_{c' >= c} B^(c'-c) T_c', low_c = sum_{c' < c} B^c' max|T_c'|, kappa_c = floor(low_c / B^c). For
the sign columns c = 0, s, 2s, ... below n take 2^r above 2 max|X_c| at the last, and at the others, with the next
sign column c' and H_c = B^(c'-c) kappa_c' + sum_{c <= e < c'} B^(e-c) max|T_e|, 2^r >= 2 max(H_c, kappa_c) + 4. V_c
has the coefficients of X_c modulo 2^r, D_c = smod(V_c, 2^r), pos_c = [D_c > kappa_c], dec_c = [|D_c| > kappa_c], and

    h_c = relu(pos_c - sum of dec over the sign columns above c)

is 1 for at most one c, and [S > 0] = sum_c h_c.

*Proof.* V_c and X_c agree modulo 2^r, so D_c = X_c wherever |X_c| < 2^(r-1): always at the last sign column. If dec =
0 at all sign columns above c, then by induction |X_c'| = |D_c'| <= kappa_c' at the next one, hence |X_c| <= H_c and
D_c = X_c. If |X_c| > kappa_c, then |S/q - B^c X_c| <= low_c < B^c |X_c|, so X_c has the sign of S. Let c be the
highest sign column with dec_c = 1: there h_c = pos_c = [S > 0]; below, h = relu(pos - 1 or less) = 0; above, pos <=
dec = 0. If there is none, then |S/q| = |X_0| <= kappa_0 = 0, and all h are 0. QED

**Carries.** Q_c = floor((T_c + B/2) / B) and D'_c = T_c - B Q_c + Q_(c-1), c = 0..n, where T_n = Q_n = Q_(-1) = 0.
The Q telescope: sum_c B^c D'_c = S / q. Here T_c - B Q_c lies in [-B/2, B/2), and in lo(T_c) - B Q_c .. hi(T_c) - B
Q_c where Q_c is constant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import gcd


def smod(value: int, modulus: int) -> int:
    """The residue in [-modulus/2, modulus/2) for an even modulus.

    >>> [smod(v, 4) for v in (1, 2, 3, -2)]
    [1, -2, -1, -2]
    """
    half = modulus // 2
    return (value + half) % modulus - half


@dataclass(frozen=True, slots=True)
class Form:
    """An integer combination of digits plus a constant, with its interval.

    Attributes:
        coefficients: those that are not 0, by the number of the digit.
        constant: the constant.
        low: the least value, the digits ranging over 0..their highest.
        high: the largest value.
    """

    coefficients: Mapping[int, int]
    constant: int
    low: int
    high: int

    @property
    def is_constant(self) -> bool:
        """True when it has no coefficient; digits with range 0 do not occur."""
        return not self.coefficients

    @property
    def size(self) -> int:
        """The largest absolute value on the interval."""
        return max(-self.low, self.high)


@dataclass(frozen=True, slots=True)
class Window:
    """A sign column: the form V, and D = smod(V, modulus) decides where |D| > kappa.

    Attributes:
        column: its number c.
        form: V_c.
        modulus: 2^r.
        kappa: what the columns below can add up to, in units of B^c.
    """

    column: int
    form: Form
    modulus: int
    kappa: int


@dataclass(frozen=True, slots=True)
class Columns:
    """A form S that is not constant, split: S = divisor * sum_c base^c forms[c]; windows lowest first."""

    divisor: int
    base: int
    forms: tuple[Form, ...]
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class Carry:
    """A column D'_c with its range low..high (dlo..dhi)."""

    column: int
    low: int
    high: int


def form_of(coefficients: Mapping[int, int], constant: int, highs: Sequence[int]) -> Form:
    """The form with these coefficients (zeros are dropped) of digits y_e in 0..highs[e].

    >>> form_of({0: 2, 1: -1, 2: 0}, 5, [3, 4, 9])
    Form(coefficients={0: 2, 1: -1}, constant=5, low=1, high=11)
    """
    kept = {digit: c for digit, c in coefficients.items() if c}
    reach = [c * highs[digit] for digit, c in kept.items()]
    return Form(kept, constant, constant + sum(r for r in reach if r < 0), constant + sum(r for r in reach if r > 0))


def combined(
    row: Iterable[tuple[int, int]], bias: int, activations: Sequence[tuple[Mapping[int, int], int]]
) -> tuple[dict[int, int], int]:
    """Coefficients and constant of bias + sum w a_j over the pairs (j, w) of a row, from those of the activations a_j.

    >>> combined([(0, 2), (1, -1)], 7, [({0: 1, 1: 4}, 1), ({1: 8}, 0)])
    ({0: 2, 1: 0}, 9)
    """
    found: dict[int, int] = {}
    constant = bias
    for j, weight in row:
        coefficients, own = activations[j]
        constant += weight * own
        for digit, c in coefficients.items():
            found[digit] = found.get(digit, 0) + weight * c
    return found, constant


def split_columns(form: Form, highs: Sequence[int], column_bits: int, stride: int) -> Columns:
    """Columns and windows of a form that is not constant."""
    base = 1 << column_bits
    divisor = gcd(form.constant, *form.coefficients.values())
    rest = {digit: c // divisor for digit, c in form.coefficients.items()}
    constant = form.constant // divisor
    forms: list[Form] = []
    prefixes: dict[int, Form] = {}
    while rest or constant:
        if len(forms) % stride == 0:
            prefixes[len(forms)] = form_of(rest, constant, highs)
        place = {digit: smod(c, base) for digit, c in rest.items()}
        forms.append(form_of(place, smod(constant, base), highs))
        rest = {digit: (c - place[digit]) >> column_bits for digit, c in rest.items() if c != place[digit]}
        constant = (constant - smod(constant, base)) >> column_bits
    return Columns(divisor, base, tuple(forms), _windows(forms, prefixes, highs, base))


def _windows(forms: list[Form], prefixes: dict[int, Form], highs: Sequence[int], base: int) -> tuple[Window, ...]:
    signs = sorted(prefixes)
    kappas = _kappas(forms, signs, base)
    windows: list[Window] = []
    for column, above in zip(signs, [*signs[1:], None], strict=True):
        prefix, kappa = prefixes[column], kappas[column]
        if above is None:
            bits = (2 * prefix.size).bit_length()
        else:
            reach = base ** (above - column) * kappas[above]
            reach += sum(base ** (e - column) * forms[e].size for e in range(column, above))
            bits = (2 * max(reach, kappa) + 3).bit_length()
        modulus = 1 << bits
        reduced = {digit: smod(c, modulus) for digit, c in prefix.coefficients.items()}
        form = form_of(reduced, smod(prefix.constant, modulus), highs)
        windows.append(Window(column, form, modulus, kappa))
    return tuple(windows)


def _kappas(forms: list[Form], signs: list[int], base: int) -> dict[int, int]:
    """kappa_c for every sign column."""
    kappas, low, power = {}, 0, 1
    for column, form in enumerate(forms):
        if column in signs:
            kappas[column] = low // power
        low, power = low + power * form.size, power * base
    return kappas


def quotient_range(form: Form, base: int) -> tuple[int, int]:
    """The range of Q = floor((T + base/2) / base) for a form T."""
    return (form.low + base // 2) // base, (form.high + base // 2) // base


def carries(columns: Columns) -> tuple[Carry, ...]:
    """The columns D'_0, ..., D'_n with their ranges."""
    base = columns.base
    found, below = [], (0, 0)
    for column, form in enumerate(columns.forms):
        quotient = quotient_range(form, base)
        low, high = -(base // 2), base // 2 - 1
        if quotient[0] == quotient[1]:
            low, high = form.low - base * quotient[0], form.high - base * quotient[0]
        found.append(Carry(column, low + below[0], high + below[1]))
        below = quotient
    return (*found, Carry(len(columns.forms), *below))
