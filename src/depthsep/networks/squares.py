"""Sums of squares in a folded network: how they are stored, by knots of one profile or by the radices of folds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from depthsep.errors import BadInput
from depthsep.networks.profile import PiecewiseLinear, even_profile
from depthsep.networks.ridge import check_finite

__all__ = ["MAX_PIECES", "Folds", "Knots", "hexadecimal"]

MAX_PIECES = 2**60  # as many pieces may a product of folds have


@dataclass(frozen=True)
class Knots:
    """G(t) = sum of weights_k max(0, |t| - thresholds_k), with 0 < thresholds_1 < thresholds_2 < ...

    Raises:
        BadInput: The thresholds are not like that, or the lists are empty or of different lengths.
    """

    thresholds: tuple[float, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse what the class does not allow."""
        asked = f"squares by {len(self.thresholds)} knots"
        check_finite(asked, *self.thresholds, *self.weights)
        if not len(self.thresholds) == len(self.weights) > 0:
            raise BadInput(asked, found=f"{len(self.weights)} weights", needed="a weight for every knot, and a knot")
        if not all(left < right for left, right in pairwise((0.0, *self.thresholds))):
            raise BadInput(asked, needed="thresholds that are positive and increase strictly")

    @cached_property
    def profile(self) -> PiecewiseLinear:
        """G as a function of |t|."""
        return even_profile(self.thresholds, self.weights)

    def to_json(self) -> dict[str, Any]:
        """Give the object of the document format."""
        return {"kind": "knots", "thresholds": hexadecimal(self.thresholds), "weights": hexadecimal(self.weights)}


@dataclass(frozen=True)
class Folds:
    """Squares by folding: of gain |y| by the radices, one hidden layer each; scale times the sum is q.

    Raises:
        BadInput: gain or scale is not positive, or the radices are not at least 1 (the first) and 2 (the others).
    """

    gain: float
    radices: tuple[int, ...]
    scale: float

    def __post_init__(self) -> None:
        """Refuse what the class does not allow."""
        asked = f"squares by folds with the radices {list(self.radices)}"
        check_finite(asked, self.gain, self.scale)
        if not (self.gain > 0 and self.scale > 0):
            raise BadInput(asked, found=f"gain {self.gain} and scale {self.scale}", needed="positive ones")
        if not self.radices or min(self.radices) < 1 or 1 in self.radices[1:]:
            raise BadInput(asked, needed="a first radix of at least 1, the others of at least 2")
        if math.prod(self.radices) > MAX_PIECES:
            raise BadInput(asked, needed=f"a product of at most {MAX_PIECES}")

    @cached_property
    def rests(self) -> tuple[int, ...]:
        """R_1, ..., R_a."""
        found = [1]
        for radix in self.radices[:0:-1]:
            found.append(found[-1] * radix**2)
        return tuple(found[::-1])

    @property
    def pieces(self) -> int:
        """The product of the squares of the radices: scale gain^2 times this is what |y|^2 is multiplied by."""
        return math.prod(self.radices) ** 2

    def to_json(self) -> dict[str, Any]:
        """Give the object of the document format."""
        return {"kind": "folds", "gain": self.gain.hex(), "radices": list(self.radices), "scale": self.scale.hex()}


def hexadecimal(numbers: Sequence[float]) -> list[str]:
    """Write the numbers as the document format does."""
    return [number.hex() for number in numbers]
