"""Radial profiles by pieces, as the tubes bound needs them: F(s), zero beyond some s = 2 pi R ||x||.

R is the radius of the ball of volume 1 in R^dim, so the scale of s is the one of the Eldan-Shamir measure: most of the
mass of `depthsep.lower_bounds.tube_measure` sits a little above s = dim/2. Every piece holds an analytic formula, for
the proof needs one; steps and kinks lie between pieces, at rational places.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpq
from numpy.typing import ArrayLike, NDArray

from depthsep.errors import BadInput
from depthsep.functions import parse_profile
from depthsep_check.expression import Expression, ExpressionDomainError
from depthsep_check.theorems.tubes import Piece

__all__ = ["RadialPieces", "read_profile"]

_INDICATOR = re.compile(r"\s*indicator\s*\(\s*s\s*<=(.*)\)\s*", re.DOTALL)
_POSITIVE_PART = re.compile(r"\s*max\s*\(\s*0\s*,(.*)\)\s*", re.DOTALL)
_SAMPLES = 6000
_KINKED = ("abs", "min", "max")


@dataclass(frozen=True)
class RadialPieces:
    """The function F(s): a formula in s on each piece, 0 elsewhere.

    Args:
        pieces: (from, to, formula) with 0 <= from < to, in order and without overlap.
        dim: The dimension, `d` in the formulas.

    Raises:
        BadInput: A piece is empty, out of order, or its formula cannot be read or has a kink function in it.

    Example:
        >>> step = RadialPieces(((Fraction(0), Fraction(6), "1"),), dim=10)
        >>> step.profile([1.0, 7.0]).tolist()
        [1.0, 0.0]
    """

    pieces: tuple[tuple[Fraction, Fraction, str], ...]
    dim: int

    def __post_init__(self) -> None:
        """Refuse what the class does not allow."""
        if not self.pieces:
            raise BadInput("a function without pieces", needed="at least one piece (from, to, formula)")
        end = Fraction(0)
        for low, high, text in self.pieces:
            if not end <= low < high:
                raise BadInput(
                    f'the piece "{text}" on [{low}, {high}]',
                    needed=f"from < to, and from at least {end}, where the piece before it ends",
                )
            end = high
            _analytic(text, self.dim)

    @property
    def checked(self) -> tuple[Piece, ...]:
        """The pieces as the checker holds them."""
        return tuple(Piece(_fmpq(a), _fmpq(b), _analytic(text, self.dim)) for a, b, text in self.pieces)

    def __str__(self) -> str:
        """Give the formulas and where they hold."""
        return ", ".join(f"{text} for {low} <= s <= {high}" for low, high, text in self.pieces)

    def profile(self, radii: ArrayLike) -> NDArray[np.float64]:
        """Evaluate F in float64 at an array of s; an estimate."""
        s = np.asarray(radii, dtype=np.float64)
        found = np.zeros(s.shape)
        for low, high, text in self.pieces:
            inside = (s >= float(low)) & (s <= float(high))
            found[inside] = float_values(_analytic(text, self.dim), s[inside], self.dim)
        return found

    def to_json(self) -> dict[str, Any]:
        """Give the FUNCTION object of the document."""
        pieces = [{"from": str(low), "to": str(high), "expression": text} for low, high, text in self.pieces]
        return {"kind": "radial-pieces", "pieces": pieces}


Profile = str | RadialPieces | Sequence[tuple[Fraction, Fraction, str]]


def read_profile(profile: Profile, dim: int, support: Fraction | None = None) -> RadialPieces:
    """Read what a user gave: pieces, or a text in s.

    Texts are `indicator(s <= a)`; `max(0, U)`, U analytic with rational zeros, whose pieces are where U > 0; and any
    other formula without abs, min and max, which is cut off at `support` - by default at about the zero of F that is
    nearest to s = 3 dim / 2, or there if it has none. Cutting off is part of the function: the proof is about F with
    its cut.

    Args:
        profile: The pieces or the text.
        dim: The dimension.
        support: Where a formula that does not vanish by itself is cut off.

    Raises:
        BadInput: The text is none of these.

    Example:
        >>> print(read_profile("max(0, 1 - s/27)", 50))
        1 - s/27 for 0 <= s <= 27
        >>> print(read_profile("cos(3*s)", 10))
        cos(3*s) for 0 <= s <= 1898/125
    """
    if isinstance(profile, RadialPieces):
        if profile.dim != dim:
            raise BadInput(f"a bound in dimension {dim}", found=f"a function made for dimension {profile.dim}")
        return profile
    if not isinstance(profile, str):
        return RadialPieces(tuple((Fraction(a), Fraction(b), text) for a, b, text in profile), dim)
    if match := _INDICATOR.fullmatch(profile):
        return RadialPieces(((Fraction(0), _constant(match[1], dim), "1"),), dim)
    match = _POSITIVE_PART.fullmatch(profile)
    if match and not set(_KINKED) & {node.kind for node in parse_profile(match[1], dim, ("s",)).nodes}:
        return _positive_part(match[1].strip(), dim, support)
    end = support if support is not None else _default_support(_analytic(profile, dim), dim)
    return RadialPieces(((Fraction(0), end, profile.strip()),), dim)


def float_values(expression: Expression, s: NDArray[Any], dim: int) -> NDArray[Any]:
    """Evaluate in float64 or complex128, according to `s`."""
    with np.errstate(all="ignore"):
        return np.array(np.broadcast_to(expression.evaluate(_FLOAT, s, dim), s.shape))


def _fmpq(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


def _constant(text: str, dim: int) -> Fraction:
    value = parse_profile(text, dim, variables=()).rational(fmpq(0), dim)
    if value is None or not value > 0:
        raise BadInput(f"the constant {text.strip()}", needed="a positive rational number, such as 6.25 or 25/4")
    return Fraction(int(value.p), int(value.q))


def _analytic(text: str, dim: int) -> Expression:
    """Read a formula in s that is analytic on its piece."""
    expression = parse_profile(text, dim, ("s",))
    if any(node.kind in _KINKED for node in expression.nodes):
        raise BadInput(
            text,
            found="a formula with abs, min or max",
            needed="formulas that are analytic on each piece",
            do='give pieces [(from, to, "formula"), ...] that change where it has its kink; max(0, U) is read as it is',
        )
    return expression


def _positive_part(text: str, dim: int, support: Fraction | None) -> RadialPieces:
    """Cut max(0, U) where U changes its sign."""
    expression = _analytic(text, dim)
    end = Fraction(3 * dim) if support is None else support
    grid = np.linspace(0.0, float(end), _SAMPLES + 1)[1:]
    positive = float_values(expression, grid, dim) > 0
    if positive[-1] and support is None:
        raise BadInput(f"max(0, {text})", found=f"it is positive at s = {end}", do="say where it ends: support=...")
    changes = [_zero(expression, grid[i], grid[i + 1], dim) for i in np.nonzero(positive[1:] != positive[:-1])[0]]
    ends = [Fraction(0), *changes, end]
    first = 0 if positive[0] else 1
    pieces = tuple((ends[i], ends[i + 1], text) for i in range(first, len(ends) - 1, 2))
    if not pieces:
        raise BadInput(f"max(0, {text})", found=f"it is 0 for all s up to {end}", needed="a function that is not 0")
    return RadialPieces(pieces, dim)


def _zero(expression: Expression, low: float, high: float, dim: int) -> Fraction:
    """Find the rational zero of U between two places where its sign differs."""
    middle = _bisect(expression, low, high, dim)
    zero = Fraction(middle).limit_denominator(10**6)
    try:
        value = expression.rational(_fmpq(zero), dim)
    except ExpressionDomainError:
        value = None
    if value != 0:
        raise BadInput(
            f"max(0, {expression.text.strip()})",
            found=f"the formula changes its sign near s = {middle:.9g}, not certainly at a rational place",
            do='give pieces [(from, to, "formula"), ...] with rational ends',
        )
    return zero


def _bisect(expression: Expression, low: float, high: float, dim: int) -> float:
    sign = float_values(expression, np.array([low]), dim)[0] > 0
    for _ in range(60):
        middle = (low + high) / 2
        if (float_values(expression, np.array([middle]), dim)[0] > 0) == sign:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _default_support(expression: Expression, dim: int) -> Fraction:
    """Choose three decimals: the zero that is nearest to 3 dim / 2 within [dim, 2 dim], else 3 dim / 2 itself."""
    grid = np.linspace(dim, 2.0 * dim, _SAMPLES + 1)
    positive = float_values(expression, grid, dim) > 0
    changes = np.nonzero(positive[1:] != positive[:-1])[0]
    if changes.size == 0:
        return Fraction(3 * dim, 2)
    nearest = changes[np.argmin(np.abs(grid[changes] - 1.5 * dim))]
    return Fraction(round(1000 * _bisect(expression, grid[nearest], grid[nearest + 1], dim)), 1000)


_FLOAT: dict[str, Callable[..., Any]] = {
    "number": lambda value: int(value.p) / int(value.q),
    "dim": lambda value: int(value.p),
    "pi": lambda: np.pi,
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": np.divide,
    "neg": lambda a: -a,
    "power": lambda a, n: np.power(a, n) if n >= 0 else np.divide(1, np.power(a, -n)),
    **{name: getattr(np, name) for name in ("sqrt", "exp", "log", "sin", "cos", "tanh")},
}
