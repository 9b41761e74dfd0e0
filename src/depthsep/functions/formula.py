"""Functions given by a formula in one variable, over an interval: what radial ones and inner products share."""

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

__all__ = ["FLOAT_OPERATIONS", "Formula", "parse_profile"]

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
class Formula:
    """A continuous function of one variable in `interval`, given by its formula.

    Args:
        text: The formula, in `variable` (and d, the dimension).
        dim: The dimension.

    Raises:
        BadInput: The text is no formula, or dim < 1. Call `validate` to prove that it has finite values.
    """

    kind: ClassVar[str]
    variable: ClassVar[str]
    interval: ClassVar[tuple[Fraction, Fraction]]

    text: str
    dim: int

    def __post_init__(self) -> None:
        """Refuse what the class does not allow."""
        self.expression  # noqa: B018 - reads the text now, so that a bad formula is refused here

    @cached_property
    def expression(self) -> Expression:
        """The formula, parsed."""
        return parse_profile(self.text, self.dim, (self.variable,))

    def __str__(self) -> str:
        """Give the function as a user writes it."""
        return self.text

    def profile(self, places: ArrayLike) -> Array:
        """Evaluate the formula in float64 at an array of values of the variable; an estimate, not an enclosure."""
        array = np.asarray(places, dtype=np.float64)
        with np.errstate(all="ignore"):
            values = self.expression.evaluate(FLOAT_OPERATIONS, array, self.dim)
        return np.array(np.broadcast_to(values, array.shape))

    def exact(self, place: Fraction) -> Fraction | None:
        """Evaluate exactly where only exact operations are met, else give None."""
        value = self.expression.rational(_fmpq(place), self.dim)
        return None if value is None else _fraction(value)

    def enclosure(self, low: Fraction, high: Fraction) -> tuple[Fraction, Fraction]:
        """Enclose the values on [low, high] (a point if low == high).

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
        """Enclose the values on the interval, by enclosures on `pieces` equal parts."""
        first, last = self.interval
        ends = [first + (last - first) * Fraction(i, pieces) for i in range(pieces + 1)]
        lows, highs = zip(*(self.enclosure(a, b) for a, b in pairwise(ends)), strict=True)
        return min(lows), max(highs)

    @cached_property
    def extreme_points(self) -> tuple[Fraction, Fraction]:
        """Two places where the values are about smallest and about largest, found on a grid."""
        first, last = self.interval
        grid = [first + (last - first) * Fraction(i, _SAMPLES) for i in range(_SAMPLES + 1)]
        values = self.profile([float(place) for place in grid])
        return grid[int(np.nanargmin(values))], grid[int(np.nanargmax(values))]

    def oscillation(self) -> tuple[Fraction, Fraction]:
        """Enclose the greatest value minus the least."""
        lowest, highest = self.extreme_points
        below, above = self.range_enclosure()
        difference = self.enclosure(highest, highest)[0] - self.enclosure(lowest, lowest)[1]
        return max(difference, Fraction(0)), above - below

    def validate(self) -> None:
        """Prove by ball arithmetic that the function is defined and finite, hence continuous, on its interval.

        Raises:
            BadInput: It is not, and where; or the proof did not close within a bounded amount of work, and where.
        """
        todo = [self.interval]
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
        raise self._refusal(f"it could not be proved finite near {self.variable} = {float(low):.9g}")

    def _require_values(self, low: Fraction, high: Fraction) -> None:
        """Refuse if the formula is certainly undefined at an end or at the middle of [low, high]."""
        for place in (low, (low + high) / 2, high):
            try:
                self.expression.rational(_fmpq(place), self.dim)
            except ExpressionDomainError as error:
                raise self._refusal(f"no value at {self.variable} = {_shown(place)}: {error.reason}") from None

    def _refusal(self, found: str) -> BadInput:
        where = f"[{self.interval[0]}, {self.interval[1]}]"
        everywhere = f"a finite value at every {self.variable} in {where}"
        return BadInput(
            f'the profile "{self.text}" on {where}',
            found=found,
            needed=f"{everywhere} (it is then continuous: the language has no jumps)",
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


FLOAT_OPERATIONS: dict[str, Callable[..., Any]] = {
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
