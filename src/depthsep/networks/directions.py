"""Sets of directions with structure, stored by their definition and expanded in blocks only.

    Orbit                all placements and signs of an integer generator, one of u and -u
    CodeCube             2^bits sign vectors, the rows of a binary linear code (with multiplicity)
    ExplicitDirections   vectors written out

The canonical order of the vectors, which exports follow: an orbit runs through the places of its nonzero entries
(lexicographic), then the arrangements of the generator (descending), then the signs of all entries but the first,
+ before -; a code runs through y = 0, 1, ...; explicit vectors stay as listed. Projections cost O(entries of the
generator) per direction for an orbit, O(bits) for a code (fast Walsh-Hadamard transform), O(dim) for explicit vectors.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations, islice, pairwise, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthsep.errors import BadInput
from depthsep.networks.profile import Array
from depthsep.networks.rounding import UNDERFLOW, gamma, sqrt_upper
from depthsep_check.document import MAX_CODE_BITS, MAX_GENERATOR_ENTRY

__all__ = ["BLOCK", "CodeCube", "Directions", "ExplicitDirections", "Orbit", "directions_from_json"]

BLOCK = 2**14  # directions handled at once


class Directions(ABC):
    """A finite list of vectors u, possibly with repetitions."""

    dim: int

    @property
    @abstractmethod
    def count(self) -> int:
        """The number of vectors."""

    @property
    @abstractmethod
    def norm_squared(self) -> Fraction:
        """The largest ||u||^2."""

    @property
    @abstractmethod
    def total_norm_upper(self) -> Fraction:
        """An upper bound of the sum of all ||u||."""

    @property
    @abstractmethod
    def largest_entry(self) -> float:
        """The largest |u_i|."""

    @property
    @abstractmethod
    def nonzeros(self) -> int:
        """The number of nonzero entries of all vectors together."""

    @property
    @abstractmethod
    def support(self) -> int:
        """The largest number of nonzero entries of one vector."""

    @property
    @abstractmethod
    def projection_error(self) -> Fraction:
        """A bound of |computed <u, x> - <u, x>| in `blocks`, for every u and every float64 x with ||x|| <= 1."""

    @property
    def largest_block(self) -> int:
        """The largest number of directions that `blocks` yields at once, or more."""
        return min(BLOCK, self.count)

    @property
    def block_count(self) -> int:
        """The number of arrays that `blocks` yields, or more: all but the last of a run are at least half full."""
        return 2 * self.count // BLOCK + 1

    @abstractmethod
    def blocks(self, points: Array) -> Iterator[Array]:
        """Project: yield arrays (len(points), block) of <u, x>, the blocks together covering every direction once."""

    @abstractmethod
    def matrix_blocks(self, rows: int = BLOCK) -> Iterator[Array]:
        """Expand: yield arrays (at most rows, dim) that together list the vectors in canonical order."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Give the DIRECTIONS object of the document format."""


@dataclass(frozen=True)
class Orbit(Directions):
    """All vectors with nonzero entries +-generator in any places; of u and -u the one whose first entry is positive.

    Args:
        generator: Nonincreasing positive integers, at most dim of them.
        dim: The dimension.

    Example:
        >>> [block.tolist() for block in Orbit((1, 1), 2).matrix_blocks()]
        [[[1.0, 1.0], [1.0, -1.0]]]
        >>> Orbit((1, 1, 1), 100).count
        646800
    """

    generator: tuple[int, ...]
    dim: int

    def __post_init__(self) -> None:
        """Refuse what the class does not allow."""
        entries = self.generator
        falling = all(a >= b for a, b in pairwise(entries))
        if not (1 <= len(entries) <= self.dim and falling and entries[-1] >= 1 and entries[0] <= MAX_GENERATOR_ENTRY):
            raise BadInput(
                f"an orbit with generator {list(entries)} in dimension {self.dim}",
                needed=f"1 to dim integers from 1 to {MAX_GENERATOR_ENTRY}, the largest first",
            )

    @property
    def count(self) -> int:
        """The number of vectors."""
        placements = math.perm(self.dim, len(self.generator))
        repeats = math.prod(math.factorial(times) for times in Counter(self.generator).values())
        return placements // repeats << (len(self.generator) - 1)

    @property
    def norm_squared(self) -> Fraction:
        """The largest ||u||^2."""
        return Fraction(sum(entry * entry for entry in self.generator))

    @property
    def total_norm_upper(self) -> Fraction:
        """An upper bound of the sum of all ||u||."""
        return self.count * sqrt_upper(self.norm_squared)

    @property
    def largest_entry(self) -> float:
        """The largest |u_i|."""
        return float(self.generator[0])

    @property
    def nonzeros(self) -> int:
        """The number of nonzero entries of all vectors together."""
        return self.count * self.support

    @property
    def support(self) -> int:
        """The largest number of nonzero entries of one vector."""
        return len(self.generator)

    @property
    def projection_error(self) -> Fraction:
        """gamma(s) ||u|| ||x|| (Cauchy-Schwarz): s products, s - 1 sums; an integer times a subnormal is exact."""
        return gamma(self.support) * sqrt_upper(self.norm_squared)

    @cached_property
    def _arrangements(self) -> list[tuple[int, ...]]:
        return list(_arrangements(self.generator))

    def _coefficients(self, rows: int) -> Iterator[Array]:
        """Yield blocks of the signed arrangements, in canonical order."""
        signs = product(self._arrangements, product((1, -1), repeat=self.support - 1))
        entries = ([a * s for a, s in zip(arrangement, (1, *sign), strict=True)] for arrangement, sign in signs)
        while chunk := list(islice(entries, rows)):
            yield np.array(chunk, dtype=np.float64)

    def _pieces(self, rows: int) -> Iterator[tuple[NDArray[np.intp], Array]]:
        """Yield (places, coefficients) whose product sets are consecutive runs of at most `rows` vectors."""
        signed = len(self._arrangements) * 2 ** (self.support - 1)
        whole = list(self._coefficients(rows)) if signed <= rows else None
        choices = combinations(range(self.dim), self.support)
        while chunk := list(islice(choices, max(1, rows // signed))):
            places = np.array(chunk, dtype=np.intp)
            for coefficients in whole or self._coefficients(rows):
                yield places, coefficients

    def blocks(self, points: Array) -> Iterator[Array]:
        """Project; see `Directions.blocks`."""
        columns = np.ascontiguousarray(points.T)
        for places, coefficients in self._pieces(BLOCK):
            yield (coefficients @ columns[places]).reshape(-1, len(points)).T

    def matrix_blocks(self, rows: int = BLOCK) -> Iterator[Array]:
        """Expand; see `Directions.matrix_blocks`."""
        for places, coefficients in self._pieces(rows):
            matrix = np.zeros((len(places), len(coefficients), self.dim))
            which = np.arange(len(places))[:, None, None]
            matrix[which, np.arange(len(coefficients))[:, None], places[:, None, :]] = coefficients
            yield matrix.reshape(-1, self.dim)

    def to_json(self) -> dict[str, Any]:
        """Give the DIRECTIONS object of the document format."""
        return {"kind": "orbit", "generator": list(self.generator)}


def _arrangements(entries: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield the distinct permutations of a nonincreasing tuple, in descending lexicographic order."""
    if not entries:
        yield ()
    for place, entry in enumerate(entries):
        if place == 0 or entry != entries[place - 1]:
            for rest in _arrangements(entries[:place] + entries[place + 1 :]):
                yield (entry, *rest)


@dataclass(frozen=True)
class CodeCube(Directions):
    """The 2^bits sign vectors ((-1)^popcount(y & c_i))_i, y = 0 .. 2^bits - 1, for columns c_1 .. c_dim.

    Args:
        bits: The number of rows of the parity-check matrix.
        columns: Its columns, as integers below 2^bits.

    Example:
        >>> [block.tolist() for block in CodeCube(1, (0, 1)).matrix_blocks()]
        [[[1.0, 1.0], [1.0, -1.0]]]
    """

    bits: int
    columns: tuple[int, ...]

    def __post_init__(self) -> None:
        """Refuse what the class does not allow."""
        sound = 0 <= self.bits <= MAX_CODE_BITS and all(0 <= column < 2**self.bits for column in self.columns)
        if not (sound and self.columns):
            raise BadInput(
                f"a code of {self.bits} bits with {len(self.columns)} columns",
                needed=f"0 to {MAX_CODE_BITS} bits and at least one column, each column an integer in [0, 2^bits)",
            )

    @property
    def dim(self) -> int:  # type: ignore[override]
        """The number of columns."""
        return len(self.columns)

    @property
    def count(self) -> int:
        """The number of vectors."""
        return 1 << self.bits

    @property
    def norm_squared(self) -> Fraction:
        """The largest ||u||^2."""
        return Fraction(self.dim)

    @property
    def total_norm_upper(self) -> Fraction:
        """An upper bound of the sum of all ||u||."""
        return self.count * sqrt_upper(self.norm_squared)

    @property
    def largest_entry(self) -> float:
        """The largest |u_i|."""
        return 1.0

    @property
    def nonzeros(self) -> int:
        """The number of nonzero entries of all vectors together."""
        return self.count * self.dim

    @property
    def support(self) -> int:
        """The largest number of nonzero entries of one vector."""
        return self.dim

    @property
    def _low_bits(self) -> int:
        """The bits of y handled by one transform; the others are looped over."""
        return min(self.bits, BLOCK.bit_length() - 1)

    @property
    def projection_error(self) -> Fraction:
        """gamma(additions) sum |x_i| <= gamma(additions) sqrt(dim).

        Only sums and differences occur. A coordinate is first added to the others that share its slot, then passes one
        addition in each of the transform's layers; sums with an empty slot are exact and only help.
        """
        slots = Counter(column % (1 << self._low_bits) for column in self.columns)
        return gamma(max(slots.values()) - 1 + self._low_bits) * sqrt_upper(self.norm_squared)

    def blocks(self, points: Array) -> Iterator[Array]:
        """Project; see `Directions.blocks`."""
        low = self._low_bits
        columns = np.array(self.columns, dtype=np.int64)
        for high in range(1 << (self.bits - low)):
            slots = np.zeros((1 << low, len(points)))
            np.add.at(slots, columns & ((1 << low) - 1), (points * _signs(columns >> low, high)).T)
            yield _walsh_hadamard(slots).T

    def matrix_blocks(self, rows: int = BLOCK) -> Iterator[Array]:
        """Expand; see `Directions.matrix_blocks`."""
        columns = np.array(self.columns, dtype=np.int64)
        for start in range(0, self.count, rows):
            yield _signs(columns, np.arange(start, min(start + rows, self.count))[:, None])

    def to_json(self) -> dict[str, Any]:
        """Give the DIRECTIONS object of the document format."""
        return {"kind": "code", "bits": self.bits, "columns": list(self.columns)}


def _signs(columns: NDArray[np.int64], rows: int | NDArray[np.int64]) -> Array:
    """Give (-1)^popcount(row & column)."""
    return np.asarray(1.0 - 2.0 * (np.bitwise_count(columns & rows) & 1))


def _walsh_hadamard(slots: Array) -> Array:
    """Replace slots[c] by the sum over c of (-1)^popcount(y & c) slots[c], along the first axis."""
    half = 1
    while half < len(slots):
        pairs = slots.reshape(-1, 2, half, slots.shape[1])
        slots = np.stack((pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]), axis=1).reshape(slots.shape)
        half *= 2
    return slots


@dataclass(frozen=True)
class ExplicitDirections(Directions):
    """Vectors written out.

    Args:
        vectors: The vectors, all of one length.
    """

    vectors: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        """Refuse what the class does not allow."""
        lengths = {len(vector) for vector in self.vectors}
        finite = all(math.isfinite(entry) for vector in self.vectors for entry in vector)
        if len(lengths) != 1 or 0 in lengths or not finite:
            raise BadInput(
                f"{len(self.vectors)} explicit directions of lengths {sorted(lengths)}",
                needed="at least one vector, all of the same positive length, with finite entries",
            )

    @property
    def dim(self) -> int:  # type: ignore[override]
        """The length of the vectors."""
        return len(self.vectors[0])

    @property
    def count(self) -> int:
        """The number of vectors."""
        return len(self.vectors)

    @cached_property
    def _norms_squared(self) -> list[Fraction]:
        return [sum((Fraction(entry) ** 2 for entry in vector), Fraction(0)) for vector in self.vectors]

    @property
    def norm_squared(self) -> Fraction:
        """The largest ||u||^2."""
        return max(self._norms_squared)

    @property
    def total_norm_upper(self) -> Fraction:
        """An upper bound of the sum of all ||u||."""
        return sum(map(sqrt_upper, self._norms_squared), Fraction(0))

    @property
    def largest_entry(self) -> float:
        """The largest |u_i|."""
        return max(abs(entry) for vector in self.vectors for entry in vector)

    @property
    def nonzeros(self) -> int:
        """The number of nonzero entries of all vectors together."""
        return sum(entry != 0 for vector in self.vectors for entry in vector)

    @property
    def support(self) -> int:
        """The largest number of nonzero entries of one vector."""
        return max(sum(entry != 0 for entry in vector) for vector in self.vectors)

    @property
    def projection_error(self) -> Fraction:
        """gamma(dim) ||u|| ||x|| (Cauchy-Schwarz), and the underflow of dim products."""
        return gamma(self.dim) * sqrt_upper(self.norm_squared) + self.dim * UNDERFLOW

    def blocks(self, points: Array) -> Iterator[Array]:
        """Project; see `Directions.blocks`."""
        for matrix in self.matrix_blocks(BLOCK):
            yield points @ matrix.T

    def matrix_blocks(self, rows: int = BLOCK) -> Iterator[Array]:
        """Expand; see `Directions.matrix_blocks`."""
        for start in range(0, self.count, rows):
            yield np.array(self.vectors[start : start + rows], dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """Give the DIRECTIONS object of the document format."""
        return {"kind": "explicit", "vectors": [[entry.hex() for entry in vector] for vector in self.vectors]}


def directions_from_json(obj: dict[str, Any], dim: int) -> Directions:
    """Read a DIRECTIONS object of the document format, for a network of dimension `dim`."""
    kind = obj.get("kind")
    if kind == "orbit":
        return Orbit(tuple(obj["generator"]), dim)
    if kind == "code":
        return CodeCube(obj["bits"], tuple(obj["columns"]))
    if kind == "explicit":
        return ExplicitDirections(tuple(tuple(map(float.fromhex, vector)) for vector in obj["vectors"]))
    raise BadInput(f"directions of kind {kind!r}", needed='"orbit", "code" or "explicit"')
