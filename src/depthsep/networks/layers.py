"""What shallow and deep networks share: the points they take, the values they give, the flat layers they expand to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from depthsep.errors import BadInput, OutOfReach
from depthsep.networks.profile import Array
from depthsep.networks.rounding import round_up

__all__ = ["DENSE_LIMIT_BYTES", "DenseLayers", "Evaluation", "Network"]

DenseLayers = list[tuple[Array, Array]]
DENSE_LIMIT_BYTES = 2**28


@dataclass(frozen=True)
class Evaluation:
    """Values of a network with what is proved about them.

    Args:
        values: The computed float64 values, one per point.
        rounding_error_upper: |value - exact value of the network| is at most this wherever `outside_ball` is False;
            None where no bound is proved.
        outside_ball: True where the exact norm of the point exceeds 1; for networks that read two vectors, where one of
            them is too long, or not of length 1 up to 2^-40. Neither the rounding bound nor the error proved for the
            network covers those points.
    """

    values: Array
    rounding_error_upper: Fraction | None
    outside_ball: NDArray[np.bool_]


class Network(ABC):
    """A network from R^dim to R, stored by its structure.

    Calling it evaluates by the structure, in float64 and in blocks; `evaluate` adds the proved rounding bound.
    """

    kind: ClassVar[str]
    claim_kind: ClassVar[str] = "sup-error"
    dim: int

    @property
    @abstractmethod
    def depth(self) -> int:
        """The number of weight layers: one more than there are hidden layers."""

    @property
    def inputs(self) -> int:
        """The number of entries of a point."""
        return self.dim

    @property
    def domain(self) -> str:
        """Where the rounding bounds hold, in the words of a claim."""
        return "unit-ball"

    @property
    @abstractmethod
    def widths(self) -> tuple[int, ...]:
        """The number of units of each hidden layer."""

    @property
    @abstractmethod
    def max_weight(self) -> float:
        """The largest absolute value among all weights and biases of the flat network; exact."""

    @property
    @abstractmethod
    def path_norm(self) -> float:
        """Sum over all paths of |products of weights| from the first layer on, times ||inner vector||; rounded up."""

    @property
    @abstractmethod
    def nonzeros(self) -> int:
        """The number of nonzero weights and biases of the flat network."""

    @cached_property
    @abstractmethod
    def rounding_error_upper(self) -> Fraction | None:
        """Proved bound of |computed - exact| of the structured evaluation, at float64 points of norm at most 1.

        None where no bound is proved, as for activations that need exp or erf.
        """

    @cached_property
    @abstractmethod
    def flat_rounding_error_upper(self) -> Fraction | None:
        """The same for the flat layers in float64, every sum taken in any order (any matrix product, any runtime)."""

    @abstractmethod
    def _values(self, points: Array) -> Array:
        """Evaluate a block of points."""

    @abstractmethod
    def evaluate_exact(self, point: Sequence[Fraction]) -> Fraction:
        """Evaluate the definition in exact rationals: slow, and right everywhere."""

    @abstractmethod
    def _expand(self) -> DenseLayers:
        """Build the flat layers."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Give the NETWORK object of the document format."""

    @property
    def parameters(self) -> int:
        """The number of entries of the flat weight matrices and biases, zeros included."""
        sizes = (self.inputs, *self.widths, 1)
        return sum((before + 1) * after for before, after in pairwise(sizes))

    def __call__(self, points: ArrayLike) -> Array:
        """Evaluate at the rows of `points`; see `evaluate`.

        Raises:
            BadInput: The points are not finite real numbers of shape (n, dim).
        """
        return self.evaluate(points).values

    def evaluate(self, points: ArrayLike) -> Evaluation:
        """Evaluate at the rows of `points`, in float64 and about 64 MB of memory, whatever the width.

        Narrower types are converted, which is exact; nothing is computed in float32, for which nothing is proved.

        Args:
            points: Array of shape (n, dim).

        Returns:
            The values, the proved bound of their rounding error, and which points lie outside the unit ball.

        Raises:
            BadInput: The points are not finite real numbers of shape (n, dim).
        """
        array = as_points(points, self.inputs)
        bound = self.rounding_error_upper  # first, since it refuses weights that could overflow
        with np.errstate(over="ignore", invalid="ignore"):  # far outside the ball, where nothing is promised
            blocks = [self._values(block) for block in point_blocks(array, self._points_at_once)]
        values = np.concatenate(blocks) if blocks else np.zeros(0)
        return Evaluation(values, bound, self._outside(array))

    def _outside(self, points: Array) -> NDArray[np.bool_]:
        """Which points lie outside the domain of what is proved."""
        return outside_ball(points)

    @property
    @abstractmethod
    def _points_at_once(self) -> int:
        """How many points keep the working arrays of `_values` small."""

    def dense_layers(self, limit_bytes: int = DENSE_LIMIT_BYTES) -> DenseLayers:
        """Expand to flat layers [(W, b), ...] in float64: h = s(W h + b), s the activation, the last one without s.

        Args:
            limit_bytes: The largest total size that is built.

        Raises:
            OutOfReach: The layers would be larger.
            BadInput: A weight is no float64.
        """
        needed = 8 * self.parameters
        if needed > limit_bytes:
            raise OutOfReach(
                f"the flat layers of a network of widths {list(self.widths)} in dimension {self.dim}",
                found=f"they take {needed} bytes",
                needed=f"at most {limit_bytes} bytes",
                do="keep the structured form, which needs no expansion, or raise the limit",
                reached={"bytes": needed},
            )
        return self._expand()


def as_points(points: ArrayLike, dim: int) -> Array:
    """Convert to a float64 array of shape (n, dim), exactly, or refuse."""
    array = np.asarray(points)
    asked = f"evaluate at an array of {array.dtype} with shape {array.shape}"
    if not (array.dtype.kind in "iuf" and np.can_cast(array.dtype, np.float64, "safe")):
        raise BadInput(asked, needed="real numbers that float64 holds exactly", do="convert to numpy.float64")
    if array.ndim != 2 or array.shape[1] != dim:
        raise BadInput(asked, needed=f"shape (n, {dim}): one row per point", do="for one point x, pass [x]")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        row, column = np.argwhere(~np.isfinite(array))[0]
        raise BadInput(asked, found=f"{array[row, column]} in row {row}, column {column}", needed="finite numbers")
    return array


def point_blocks(points: Array, rows: int) -> Iterator[Array]:
    """Cut an array of points into runs of at most `rows`."""
    for start in range(0, len(points), rows):
        yield points[start : start + rows]


def outside_ball(points: Array) -> NDArray[np.bool_]:
    """Decide exactly which rows have a norm above 1."""
    return norm_signs(points, Fraction(1)) > 0


def norm_signs(points: Array, length: Fraction) -> Array:
    """Give the sign of ||x|| - length for every row, exactly; integers are used only where float64 cannot tell."""
    with np.errstate(over="ignore"):
        squares = np.einsum("ij,ij->i", points, points)
    target = float(length**2)
    slack = target * (points.shape[1] + 3) * 2.0**-52
    signs = np.asarray(np.sign(squares - target))
    for row in np.flatnonzero(np.abs(squares - target) <= slack):
        signs[row] = _norm_sign(points[row], length)
    return signs


def _norm_sign(point: Array, length: Fraction) -> int:
    """Compare ||x|| with a length in integers: every entry is an integer over one common power of two."""
    ratios = [entry.as_integer_ratio() for entry in point.tolist()]
    shift = max(bottom.bit_length() for _, bottom in ratios)
    total = sum((top << (shift - bottom.bit_length())) ** 2 for top, bottom in ratios)
    difference = total * length.denominator**2 - (length.numerator**2 << 2 * (shift - 1))
    return int(difference > 0) - int(difference < 0)


def printed_bound(value: Fraction) -> Fraction:
    """Round a bound up to a float64, so that it prints in few digits."""
    return Fraction(round_up(value))
