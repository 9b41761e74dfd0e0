"""Radial functions x -> phi(||x||) on the unit ball, phi given by a formula in r."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from flint import arb, fmpq
from numpy.typing import ArrayLike, NDArray

from depthsep.errors import BadInput
from depthsep_check.expression import Expression, ExpressionDomainError, ExpressionError, parse
from depthsep_check.numbers import precision

__all__ = ["Radial", "parse_profile"]

Array = NDArray[np.float64]

_BITS = 128  # working precision of every enclosure here
_BOXES = 20_000  # work limit of `validate`
_NARROWEST = Fraction(1, 2**48)  # `validate` gives up on boxes narrower than this
_SAMPLES = 2**12  # grid on which the extreme points are looked for


def parse_profile(text: str, dim: int, variables: tuple[str, ...] = ("r",)) -> Expression:
    """Read a formula and resolve its exponents for a dimension.

    Raises:
        BadInput: It is no formula of the language; the text shows where, with a caret.
    """
    if dim < 1:
        raise BadInput(f"dim = {dim}", needed="a dimension of at least 1")
    try:
        expression = parse(text, variables)
        expression.program(dim)
    except ExpressionError as error:
        shown = "\n".join(str(error).splitlines()[:3])
        raise BadInput(shown, needed=error.expected, do=error.hint) from None
    return expression


@dataclass(frozen=True)
class Radial:
    """The function x -> phi(||x||) on R^dim.

    Args:
        text: The formula of phi in r (and d, the dimension).
        dim: The dimension.

    Raises:
        BadInput: The text is no formula, or dim < 1. Call `validate` to prove that phi has finite values.

    Example:
        >>> cone = Radial("1 - r", dim=2)
        >>> cone([[0.6, 0.8], [0.0, 0.0]]).tolist()
        [0.0, 1.0]
        >>> Radial("1/r", dim=2).validate()
        Traceback (most recent call last):
        depthsep.errors.BadInput: the profile "1/r" on [0, 1]
          found:  no value at r = 0: division by 0
          needed: a finite value at every r in [0, 1] (it is then continuous: the language has no jumps)
          do:     change the formula there; a step is approximated by ball(r0, margin)
    """

    kind: ClassVar[str] = "radial"

    text: str
    dim: int

    def __post_init__(self) -> None:
        """Refuse what the class does not allow."""
        self.expression  # noqa: B018 - reads the text now, so that a bad formula is refused here

    @cached_property
    def expression(self) -> Expression:
        """The formula, parsed."""
        return parse_profile(self.text, self.dim)

    def __str__(self) -> str:
        """Give the function as a user writes it."""
        return self.text

    @property
    def is_cone(self) -> bool:
        """Whether the formula is 1 - r, written so; some constructions are about the cone only."""
        return self.text.replace(" ", "") == "1-r"

    def __call__(self, points: ArrayLike) -> Array:
        """Evaluate in float64 at the rows of an array of shape (n, dim); an estimate, not an enclosure."""
        return self.profile(np.linalg.norm(np.asarray(points, dtype=np.float64), axis=1))

    def profile(self, radii: ArrayLike) -> Array:
        """Evaluate phi in float64 at an array of radii; an estimate, not an enclosure."""
        array = np.asarray(radii, dtype=np.float64)
        with np.errstate(all="ignore"):
            values = self.expression.evaluate(_FLOAT, array, self.dim)
        return np.array(np.broadcast_to(values, array.shape))

    def exact(self, radius: Fraction) -> Fraction | None:
        """Evaluate phi exactly where only exact operations are met, else give None."""
        value = self.expression.rational(_fmpq(radius), self.dim)
        return None if value is None else _fraction(value)

    def enclosure(self, low: Fraction, high: Fraction) -> tuple[Fraction, Fraction]:
        """Enclose the values of phi on [low, high] (a point if low == high).

        Raises:
            BadInput: No finite enclosure is known there.
        """
        with precision(_BITS):
            if low == high:
                exact = self.exact(low)
                if exact is not None:
                    return exact, exact
                value = self.expression.ball(arb(_fmpq(low)), self.dim)
            else:
                value = self.expression.enclose(_fmpq(low), _fmpq(high), self.dim)[0]
            if not value.is_finite():
                raise self._refusal(f"no finite enclosure on [{float(low):.6g}, {float(high):.6g}]")
            return _fraction(value.lower().fmpq()), _fraction(value.upper().fmpq())

    def range_enclosure(self, pieces: int = 256) -> tuple[Fraction, Fraction]:
        """Enclose the values of phi on [0, 1], by enclosures on `pieces` equal parts."""
        ends = [Fraction(i, pieces) for i in range(pieces + 1)]
        lows, highs = zip(*(self.enclosure(a, b) for a, b in pairwise(ends)), strict=True)
        return min(lows), max(highs)

    @cached_property
    def extreme_points(self) -> tuple[Fraction, Fraction]:
        """Two radii where phi is about smallest and about largest, found on a grid."""
        radii = np.linspace(0.0, 1.0, _SAMPLES + 1)
        values = self.profile(radii)
        return Fraction(int(np.nanargmin(values)), _SAMPLES), Fraction(int(np.nanargmax(values)), _SAMPLES)

    def oscillation(self) -> tuple[Fraction, Fraction]:
        """Enclose max phi - min phi on [0, 1]."""
        lowest, highest = self.extreme_points
        below, above = self.range_enclosure()
        difference = self.enclosure(highest, highest)[0] - self.enclosure(lowest, lowest)[1]
        return max(difference, Fraction(0)), above - below

    def validate(self) -> None:
        """Prove by ball arithmetic that phi is defined and finite, hence continuous, on [0, 1].

        Raises:
            BadInput: It is not, and where; or the proof did not close within a bounded amount of work, and where.
        """
        todo = [(Fraction(0), Fraction(1))]
        with precision(_BITS):
            for _ in range(_BOXES):
                if not todo:
                    return
                low, high = todo.pop()
                if self.expression.enclose(_fmpq(low), _fmpq(high), self.dim)[0].is_finite():
                    continue
                self._require_values(low, high)
                if high - low < _NARROWEST:
                    break
                middle = (low + high) / 2
                todo += [(middle, high), (low, middle)]
        raise self._refusal(f"it could not be proved finite near r = {float(low):.9g}")

    def _require_values(self, low: Fraction, high: Fraction) -> None:
        """Refuse if phi is certainly undefined at an end or at the middle of [low, high]."""
        for radius in (low, (low + high) / 2, high):
            try:
                self.expression.rational(_fmpq(radius), self.dim)
            except ExpressionDomainError as error:
                raise self._refusal(f"no value at r = {_shown(radius)}: {error.reason}") from None

    def _refusal(self, found: str) -> BadInput:
        return BadInput(
            f'the profile "{self.text}" on [0, 1]',
            found=found,
            needed="a finite value at every r in [0, 1] (it is then continuous: the language has no jumps)",
            do="change the formula there; a step is approximated by ball(r0, margin)",
        )

    def to_json(self) -> dict[str, Any]:
        """Give the FUNCTION object of the document format."""
        return {"kind": self.kind, "expression": self.text}


def _fmpq(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


def _fraction(value: fmpq) -> Fraction:
    return Fraction(int(value.p), int(value.q))


def _shown(value: Fraction) -> str:
    return str(value) if value.denominator <= 1000 else f"{float(value):.9g}"


_FLOAT: dict[str, Callable[..., Any]] = {
    "number": lambda value: np.float64(int(value.p) / int(value.q)),
    "pi": lambda: np.float64(np.pi),
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "neg": np.negative,
    "power": np.float_power,
    "abs": np.abs,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "min": lambda *args: functools.reduce(np.minimum, args),
    "max": lambda *args: functools.reduce(np.maximum, args),
}
