"""What all readers share: affine maps and ReLUs come one by one, and become layers with a ReLU between any two.

Maps that follow one another without a ReLU are composed exactly. A ReLU at either end gets an exact identity layer on
its free side; a second ReLU in a row changes nothing.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthsep.errors import BadInput, OutOfReach
from depthsep.networks import AffineLayer, ReluNetwork
from depthsep.networks.relu import read_layer

__all__ = ["MAX_NUMBERS", "Chain", "check_size", "exact_layer", "exact_vector"]

MAX_NUMBERS = 10**6  # what a document about the network can hold
MAX_LAYERS = 64
_FLOATS = ("float16", "bfloat16", "float32", "float64")


class Chain:
    """A network under construction.

    Args:
        asked: What is being read, for errors.
        width: The number of inputs, if it is known beforehand.
    """

    def __init__(self, asked: str, width: int | None = None) -> None:
        """Start before the first layer."""
        self.asked = asked
        self.width = width
        self._layers: list[AffineLayer] = []
        self._pending: AffineLayer | None = None  # what came since the last ReLU,
        self._offset: tuple[Fraction, ...] | None = None  # or only this vector was added
        self._numbers = 0

    def affine(self, layer: AffineLayer, place: str) -> None:
        """Append z -> W z + b."""
        columns = len(layer.weights[0])
        if self.width is not None and columns != self.width:
            found = f"{place} takes {columns} values"
            raise BadInput(self.asked, found=found, needed=f"{self.width}, as many as come before it")
        self._numbers += (columns + 1) * len(layer.biases)
        check_size(self.asked, self._numbers)
        if self._offset is not None:
            layer = layer.after_shift(self._offset)
            self._offset = None
        if self._pending is not None:
            check_size(self.asked, (len(self._pending.weights[0]) + 1) * len(layer.biases))
            layer = layer.after(self._pending)
        self._pending = layer
        self.width = len(layer.biases)

    def shift(self, vector: tuple[Fraction, ...]) -> None:
        """Append z -> z + vector, for as many values as there are."""
        if self._pending is None:
            self._offset = vector if self._offset is None else _sums(self._offset, vector)
        else:
            self._pending = AffineLayer(self._pending.weights, _sums(self._pending.biases, vector))

    def relu(self) -> None:
        """Append a ReLU."""
        if self._pending is not None or self._offset is not None or not self._layers:
            self._layers.append(self._end())
            self._pending, self._offset = None, None

    def network(self) -> ReluNetwork:
        """Give the network.

        Raises:
            BadInput: There is no affine map in it.
            OutOfReach: It is too large.
        """
        if not self._numbers:
            raise BadInput(self.asked, found="no layer with weights", needed="at least one affine layer")
        layers = (*self._layers, self._end())
        return ReluNetwork(len(layers[0].weights[0]), layers)

    def _end(self) -> AffineLayer:
        """The layer before a ReLU or the end: what is pending, or the identity with what was added."""
        if self._pending is not None:
            return self._pending
        if self.width is None:
            raise BadInput(self.asked, found="an input of unknown size before the first layer with weights")
        check_size(self.asked, (self.width + 1) * self.width)
        rows = range(self.width)
        weights = tuple(tuple(Fraction(int(row == column)) for column in rows) for row in rows)
        return AffineLayer(weights, self._offset or (Fraction(0),) * self.width)


def _sums(first: tuple[Fraction, ...], second: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    return tuple(one + other for one, other in zip(first, second, strict=True))


def exact_layer(weights: NDArray[Any], biases: NDArray[Any] | None, place: str) -> AffineLayer:
    """Take tensors of a model file, W of shape (outputs, inputs), as exact numbers; no bias means 0.

    Raises:
        BadInput: The shapes or the types are no affine layer, or a number is not finite.
    """
    if weights.ndim != 2 or 0 in weights.shape:
        found = f"weights of shape {weights.shape}"
        raise BadInput(f"read {place}", found=found, needed="a matrix with at least one row and one column")
    check_size(f"read {place}", weights.size + len(weights))
    if biases is None:
        biases = np.zeros(len(weights))
    if biases.shape != weights.shape[:1]:
        found = f"a bias of shape {biases.shape} beside weights of shape {weights.shape}"
        raise BadInput(f"read {place}", found=found, needed="one bias for each row")
    return read_layer((_float_array(weights, place), _float_array(biases, place)), place)


def exact_vector(vector: NDArray[Any], place: str) -> tuple[Fraction, ...]:
    """Take the entries of a tensor with one axis as exact numbers.

    Raises:
        BadInput: They are no floats, or one of them is not finite.
    """
    return read_layer(((), _float_array(vector, place)), place).biases


def _float_array(array: NDArray[Any], place: str) -> NDArray[Any]:
    """Keep a float array that numpy can list; bfloat16 fits into float32."""
    if array.dtype.name not in _FLOATS:
        raise BadInput(f"read {place}", found=f"numbers of type {array.dtype}", needed=" or ".join(_FLOATS))
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


def check_size(asked: str, numbers: int, layers: int = 1) -> None:
    """Refuse networks that no document could hold.

    Raises:
        OutOfReach: There are more than MAX_NUMBERS weights and biases, or more than MAX_LAYERS layers.
    """
    if numbers > MAX_NUMBERS or layers > MAX_LAYERS:
        raise OutOfReach(
            asked,
            found=f"at least {numbers} weights and biases in {layers} layer{'s' * (layers != 1)}",
            needed=f"at most {MAX_NUMBERS} in {MAX_LAYERS} layers, which is what a document holds",
            reached={"numbers": numbers, "layers": layers},
        )
