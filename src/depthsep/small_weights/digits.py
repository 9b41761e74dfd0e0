"""What flows between the simulated layers: small digits in the network, big coefficients in the compiler's head.

An activation of the source is (1/Den) (sum_e C_e y_e + C_0). The digits 0 <= y_e <= h_e are small integers that
one layer of the network holds; the C_e are of any size and in no weight. An affine layer of the source acts on the C_e
alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm

import numpy as np
from numpy.typing import NDArray

from depthsep.networks.integer_rows import IntegerArray, largest, narrowed
from depthsep.networks.relu import AffineLayer
from depthsep.small_weights.columns import Columns, Form, split_columns
from depthsep.small_weights.layer_plan import Entries

__all__ = ["Activations", "Digits", "FormReading", "Target"]


@dataclass(frozen=True, eq=False)
class Digits:
    """Digits, and how they are read from the units of a layer.

    The units fall into groups that are always read with the same weight, up to a sign.

    Args:
        highs: The range h_e of each digit.
        starts: Group a has the entries starts[a] to starts[a + 1] of `units` and `signs`.
        units: The units, group by group.
        signs: Their signs.
        mixing: What digit e reads of group a, or None where digit e is group e.
    """

    highs: NDArray[np.int64]
    starts: NDArray[np.int64]
    units: NDArray[np.int64]
    signs: NDArray[np.int64]
    mixing: NDArray[np.int64] | None = None

    @classmethod
    def grouped(cls, highs: list[int], copies: list[int]) -> Digits:
        """Digit e is the sum of the next copies[e] units."""
        starts = np.cumsum(np.array([0, *copies], dtype=np.int64))
        units = np.arange(starts[-1])
        return cls(np.array(highs, dtype=np.int64), starts, units, np.ones_like(units))

    def read(self, form: Form) -> FormReading:
        """Read a form."""
        if self.mixing is None:
            return FormReading(self, form.digits, form.coefficients, form.constant)
        mixed = self.mixing[form.digits].astype(object).T @ form.coefficients
        groups = mixed.nonzero()[0]
        return FormReading(self, groups, narrowed(mixed[groups]), form.constant)


@dataclass(frozen=True, eq=False)
class FormReading:
    """A form, read from the units that hold the digits.

    Args:
        digits: The digits.
        groups: The groups of units that are read.
        weights: Their weights.
        constant: The constant of the form.
    """

    digits: Digits
    groups: NDArray[np.int64]
    weights: IntegerArray
    constant: int

    @cached_property
    def size(self) -> int:
        """The number of weights."""
        starts = self.digits.starts
        return int((starts[self.groups + 1] - starts[self.groups]).sum())

    @cached_property
    def largest(self) -> int:
        """The largest absolute value of a weight."""
        return largest(self.weights)

    def entries(self) -> Entries:
        """The units and their weights."""
        starts = self.digits.starts[self.groups]
        lengths = self.digits.starts[self.groups + 1] - starts
        ends = np.cumsum(lengths)
        places = np.arange(self.size) + np.repeat(starts - (ends - lengths), lengths)
        return self.digits.units[places], np.repeat(self.weights, lengths) * self.digits.signs[places]


@dataclass(frozen=True, eq=False)
class Target:
    """A preactivation of the source, times Den: sum_e coefficients[e] y_e + constant.

    Args:
        coefficients: One big integer for each digit.
        constant: The constant.
        low: The least value, as the ranges of the digits have it.
        high: The largest value.
    """

    coefficients: NDArray[np.object_]
    constant: int
    low: int
    high: int

    def columns(self, highs: NDArray[np.int64], column_bits: int, stride: int) -> Columns:
        """Split it into columns."""
        filled = self.coefficients.nonzero()[0]
        return split_columns(self.coefficients[filled].tolist(), filled, self.constant, highs, column_bits, stride)


@dataclass(frozen=True, eq=False)
class Activations:
    """The activations of one layer of the source, or its inputs.

    Args:
        digits: The digits of all of them.
        owners: The activation that each digit belongs to.
        coefficients: The big coefficient of each digit in it.
        constants: The constant of each activation.
        denominator: Den.
    """

    digits: Digits
    owners: NDArray[np.int64]
    coefficients: NDArray[np.object_]
    constants: NDArray[np.object_]
    denominator: int

    def preactivations(self, layer: AffineLayer) -> tuple[Iterator[Target], int]:
        """The preactivations of the next layer of the source, and their Den."""
        common = lcm(*(number.denominator for number in layer.numbers))
        return self._targets(layer, common), self.denominator * common

    def _targets(self, layer: AffineLayer, common: int) -> Iterator[Target]:
        highs = self.digits.highs.astype(object)
        for row, bias in zip(layer.weights, layer.biases, strict=True):
            weights = np.array([_times(weight, common) for weight in row], dtype=object)
            coefficients = weights[self.owners] * self.coefficients
            constant = _times(bias, common) * self.denominator + int(weights @ self.constants)
            products = coefficients * highs
            low = constant + int(np.minimum(products, 0).sum())
            yield Target(coefficients, constant, low, constant + int(np.maximum(products, 0).sum()))


def _times(number: Fraction, common: int) -> int:
    return number.numerator * (common // number.denominator)
