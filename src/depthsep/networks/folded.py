"""Networks that fold: squares, then a phase, then a profile of it; few numbers stand for layers of any size.

On coordinates y (x itself; or (x + x')/2; or (x + x')/2 with sign + and (x - x')/2 with sign -)

    q = sum of sign G(y_i)                                            squares by knots, one hidden layer
    q = scale sum of sign [sum_(l<a) R_l (J_l - u_l) + J_a]           squares by folds, a hidden layers
    z = q + shift, folded by radices m_1, ..., m_b                    b hidden layers
    N = psi(z), or psi of z folded once more, into [0, 1], by n repeats of psi    the last hidden layer

with v_1 = gain |y|, v_(l+1) = u_l, p = M_l v_l, k = min(floor(p), M_l - 1), u_l = p - k or k + 1 - p as k is even or
odd, J_l = (2 k + 1) p - k (k + 1) and R_l = prod_(j>l) M_j^2: the triangle wave and the interpolant of p^2 at integers,
sums of the units relu(p - j) (Telgarsky 2015; Yarotsky 2017). `docs/document-format.md` has the units. Nothing is
expanded to evaluate; the number of neurons does not matter.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from depthsep.errors import BadInput
from depthsep.networks.folded_rounding import NORM_SLACK, flat_error, structured_error
from depthsep.networks.layers import DenseLayers, Network, norm_signs, outside_ball
from depthsep.networks.profile import Array, PiecewiseLinear, hinge_profile
from depthsep.networks.ridge import check_finite
from depthsep.networks.rounding import round_up, sqrt_upper
from depthsep.networks.squares import MAX_PIECES, Folds, Knots, hexadecimal

__all__ = ["NORM_SLACK", "READS", "FoldedNetwork", "Folds", "Knots", "reflected"]

READS = ("norm", "sphere-pair", "ball-pair")
_MAX_EXPONENT = 4096


@dataclass(frozen=True)
class _Sizes:
    """A hidden layer before scaling: the largest |weight| and |bias| of its units."""

    weight: Fraction
    bias: Fraction


@dataclass(frozen=True)
class FoldedNetwork(Network):
    """A network of any depth from 3 on; see the module's text.

    Args:
        dim: The dimension of x (of each of x and x' for pairs).
        reads: "norm", "sphere-pair" or "ball-pair".
        squares: How q comes about.
        shift: Added to q.
        radices: Of the folds of the phase; empty for none.
        bias: Added last.
        thresholds: Of the hinges of psi.
        sides: "right" for relu(w - threshold), "left" for relu(threshold - w).
        weights: Of the hinges.
        repeats: How many copies of psi, every other one reflected, the last hidden layer holds.
        exponents: Preactivations of hidden layer l are multiplied by 2^exponents_l, which changes no value.
        copies: So many equal units stand for every one of the last hidden layer; a power of two.

    Raises:
        BadInput: A number is out of its range.

    Example:
        >>> square = Knots((0.25, 0.75), (1.0, 1.0))
        >>> net = FoldedNetwork(2, "sphere-pair", square, 0.0, (), 0.0, (0.0,), ("right",), (1.0,))
        >>> net.widths, net.depth, net([[1.0, 0.0, 1.0, 0.0]]).tolist()
        ((8, 1), 3, [1.0])
    """

    kind: ClassVar[str] = "folded"
    claim_kind: ClassVar[str] = "folded-error"

    dim: int
    reads: str
    squares: Knots | Folds
    shift: float
    radices: tuple[int, ...]
    bias: float
    thresholds: tuple[float, ...]
    sides: tuple[str, ...]
    weights: tuple[float, ...]
    repeats: int = 1
    exponents: tuple[int, ...] | None = None
    copies: int = 1

    def __post_init__(self) -> None:
        """Refuse what the class does not allow, and write out exponents that were left out."""
        asked = f"a folded network of dimension {self.dim}"
        if self.exponents is None:
            object.__setattr__(self, "exponents", (0,) * (self.square_layers + len(self.radices) + 1))
        check_finite(asked, self.shift, self.bias, *self.thresholds, *self.weights)
        if self.dim < 1 or self.reads not in READS:
            raise BadInput(asked, needed=f"a dimension of at least 1, and one of {', '.join(READS)}")
        if not all(radix >= 2 for radix in self.radices):
            raise BadInput(asked, found=f"the radices {list(self.radices)} of the phase", needed="at least 2 each")
        if not len(self.thresholds) == len(self.sides) == len(self.weights) > 0:
            raise BadInput(asked, needed="hinges: thresholds, sides and weights of one length")
        if not set(self.sides) <= {"left", "right"}:
            raise BadInput(asked, found=f"the sides {sorted(set(self.sides))}", needed='"left" or "right"')
        if self.copies < 1 or self.copies & (self.copies - 1) or self.repeats < 1:
            raise BadInput(asked, needed="repeats of at least 1, and copies that are a power of two")
        if self.half_periods > MAX_PIECES:
            raise BadInput(asked, needed=f"repeats times the radices of the phase of at most {MAX_PIECES}")
        if len(self.layer_exponents) != self.square_layers + len(self.radices) + 1:
            raise BadInput(asked, needed="an exponent for every hidden layer")
        if max(map(abs, self.layer_exponents)) > _MAX_EXPONENT:
            raise BadInput(asked, needed=f"exponents of at most {_MAX_EXPONENT}")
        if self.repeats > 1 and not self._is_repeatable:
            needed = "hinges to the right, thresholds that increase strictly inside (0, 1), weights whose sum is 0"
            raise BadInput(f"{asked} with {self.repeats} copies of a profile", needed=needed)

    @property
    def _is_repeatable(self) -> bool:
        """Whether copies side by side join: psi has to be constant left of its hinges and right of them."""
        inside = all(left < right for left, right in pairwise((0.0, *self.thresholds, 1.0)))
        return inside and "left" not in self.sides and sum(map(Fraction, self.weights)) == 0

    @property
    def square_layers(self) -> int:
        """How many hidden layers the squares take."""
        return 1 if isinstance(self.squares, Knots) else len(self.squares.radices)

    @property
    def layer_exponents(self) -> tuple[int, ...]:
        """The exponents, written out."""
        return self.exponents or ()

    @property
    def depth(self) -> int:
        """The number of weight layers."""
        return len(self.layer_exponents) + 1

    @property
    def inputs(self) -> int:
        """The number of inputs: dim, or 2 dim for pairs."""
        return self.dim if self.reads == "norm" else 2 * self.dim

    @property
    def domain(self) -> str:
        """Where the rounding bounds hold; vectors of sphere-pairs may be off length 1 by `NORM_SLACK`."""
        return {"norm": "unit-ball", "sphere-pair": "sphere-pairs", "ball-pair": "ball-pairs"}[self.reads]

    @property
    def coordinates(self) -> int:
        """How many y_i there are."""
        return 2 * self.dim if self.reads == "ball-pair" else self.dim

    @property
    def _accumulators(self) -> int:
        return 2 if self.reads == "ball-pair" else 1

    @property
    def half_periods(self) -> int:
        """The phase is folded and repeated on [0, this]."""
        return self.repeats * math.prod(self.radices)

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of units of each hidden layer."""
        squares, count = self.squares, self.coordinates
        if isinstance(squares, Knots):
            first = [2 * len(squares.thresholds) * count]
        else:
            first = [2 * squares.radices[0] * count]
            first += [radix * count + self._accumulators for radix in squares.radices[1:]]
        return (*first, *self.radices, len(self.thresholds) * self.repeats * self.copies)

    @property
    def parameters(self) -> int:
        """The number of entries of the flat weight matrices and biases, zeros included."""
        return sum((before + 1) * after for before, after in pairwise((self.inputs, *self.widths, 1)))

    # ------------------------------------------------------------------------------------------------------------
    # Weights

    @cached_property
    def max_weight(self) -> float:
        """The largest absolute value among all weights and biases of the flat network; rounded up if no float64.

        Raises:
            BadInput: It is larger than every float64.
        """
        if self._largest_entry > Fraction(sys.float_info.max):
            raise BadInput("the largest weight of a folded network", found="a weight larger than every float64")
        return round_up(self._largest_entry)

    @cached_property
    def _largest_entry(self) -> Fraction:
        sizes, before = [abs(Fraction(self.bias))], 0
        for layer, exponent in zip(self._layers, self.layer_exponents, strict=True):
            sizes += [layer.weight * _power(exponent - before), layer.bias * _power(exponent)]
            before = exponent
        return max(*sizes, self._largest_hinge * _power(-before) / self.copies)

    @property
    def _largest_hinge(self) -> Fraction:
        return max(abs(Fraction(weight)) for weight in self.weights)

    @cached_property
    def _layers(self) -> tuple[_Sizes, ...]:
        return tuple(self._sizes())

    def _sizes(self) -> Iterator[_Sizes]:
        """The hidden layers in order, before scaling."""
        squares, entry = self.squares, Fraction(1) if self.reads == "norm" else Fraction(1, 2)
        if isinstance(squares, Knots):
            yield _Sizes(entry, Fraction(max(squares.thresholds)))
            read = max(abs(Fraction(weight)) for weight in squares.weights)
        else:
            first = squares.radices[0]
            yield _Sizes(first * Fraction(squares.gain) * entry, Fraction(first - 1))
            for level in range(1, len(squares.radices)):
                before, radix = squares.radices[level - 1 : level + 1]
                summed = 4 * squares.rests[level - 1] if before > 1 else 0
                weight = max(radix * _largest_coefficient(before), summed, 1 if level > 1 else 0)
                yield _Sizes(Fraction(weight), Fraction(radix - 1))
            read = Fraction(squares.scale) * _largest_coefficient(squares.radices[-1])
            if len(squares.radices) > 1:
                read = max(read, Fraction(squares.scale))
        shift = Fraction(self.shift)
        for radix, step in zip(self.radices, self.steps, strict=True):
            yield _Sizes(read, max(abs(shift), abs(shift - (radix - 1) * step)))
            read, shift = Fraction(_largest_coefficient(radix)), Fraction(0)
        yield _Sizes(read, max(abs(shift - place) for place in self.outermost_thresholds))

    @property
    def steps(self) -> tuple[int, ...]:
        """N_1, ..., N_b: the lengths of the pieces of the folds of the phase."""
        steps, step = [], self.half_periods
        for radix in self.radices:
            step //= radix
            steps.append(step)
        return tuple(steps)

    @property
    def outermost_thresholds(self) -> tuple[Fraction, Fraction]:
        """The least and the greatest threshold in the last hidden layer."""
        low, high, last = Fraction(min(self.thresholds)), Fraction(max(self.thresholds)), self.repeats - 1
        if last:
            high = last + (high if last % 2 == 0 else 1 - low)
        return low, high

    def scaled_to(self, bound: Fraction) -> FoldedNetwork | None:
        """The same function with all weights and biases at most `bound`, and the fewest copies; None if there is none.

        Every layer is scaled up as far as the bound allows, which leaves the least to the output weights.
        """
        plain = replace(self, exponents=None, copies=1)
        if plain._largest_entry <= bound:
            return plain
        if abs(Fraction(self.bias)) > bound:
            return None
        exponents, before = [], Fraction(1)
        for layer in self._layers:
            room = [bound * before / layer.weight] if layer.weight else []
            room += [bound / layer.bias] if layer.bias else []
            exponents.append(min(_floor_log2(min(room)), _MAX_EXPONENT) if room else 0)
            before = _power(exponents[-1])
        excess = self._largest_hinge / (bound * before)
        copies = 1 if excess <= 1 else 2 ** -_floor_log2(1 / excess)
        return replace(self, exponents=tuple(exponents), copies=copies)

    @cached_property
    def path_norm(self) -> float:
        """Sum over all paths of |products of weights|, first-layer rows by their length; rounded up."""
        squares = self.squares
        row = Fraction(1) if self.reads == "norm" else sqrt_upper(Fraction(1, 2))
        if isinstance(squares, Knots):
            paths = 2 * row * sum((abs(Fraction(weight)) for weight in squares.weights), Fraction(0))
        else:
            paths, inner = Fraction(0), 2 * row * Fraction(squares.gain)
            for level, (radix, rest) in enumerate(zip(squares.radices, squares.rests, strict=True)):
                last = level == len(squares.radices) - 1
                paths += rest * inner * radix * (2 * radix - 1 if last else 4 * (radix // 2))
                inner *= radix * (2 * radix - 1)
            paths *= Fraction(squares.scale)
        paths *= self.coordinates * math.prod(2 * radix - 1 for radix in self.radices)
        return round_up(paths * self.repeats * sum((abs(Fraction(weight)) for weight in self.weights), Fraction(0)))

    @cached_property
    def nonzeros(self) -> int:
        """The number of nonzero weights and biases of the flat network."""
        squares, count = self.squares, self.coordinates
        entries = 1 if self.reads == "norm" else 2
        if isinstance(squares, Knots):
            total = 2 * len(squares.thresholds) * count * (entries + 1)
            read = 2 * count * sum(weight != 0 for weight in squares.weights)
        else:
            first = squares.radices[0]
            total = 2 * count * (first * entries + first - 1)
            mirrors = 2
            for level in range(1, len(squares.radices)):
                before, radix = squares.radices[level - 1 : level + 1]
                total += count * (radix * mirrors * before + radix - 1)
                total += count * mirrors * (before // 2) + self._accumulators * (level > 1)
                mirrors = 1
            read = count * mirrors * squares.radices[-1] + self._accumulators * (len(squares.radices) > 1)
        shift = Fraction(self.shift)
        for radix, step in zip(self.radices, self.steps, strict=True):
            total += radix * read + sum(shift != j * step for j in range(radix))
            read, shift = radix, Fraction(0)
        hinges = len(self.thresholds) * self.repeats
        biases = hinges - self._places_at(shift)
        output = self.repeats * sum(weight != 0 for weight in self.weights)
        return total + self.copies * (hinges * read + biases + output) + (self.bias != 0)

    def _places_at(self, place: Fraction) -> int:
        """How many thresholds of the last hidden layer are exactly there."""
        piece = min(max(math.floor(place), 0), self.repeats - 1)
        near = range(max(piece - 1, 0), min(piece + 2, self.repeats))
        return sum(reflected(Fraction(threshold), j) == place for j in near for threshold in self.thresholds)

    # ------------------------------------------------------------------------------------------------------------
    # Values

    @property
    def _points_at_once(self) -> int:
        return max(1, 2**18 // self.coordinates)

    def _outside(self, points: Array) -> NDArray[np.bool_]:
        if self.reads == "norm":
            return outside_ball(points)
        halves = points[:, : self.dim], points[:, self.dim :]
        if self.reads == "ball-pair":
            return outside_ball(halves[0]) | outside_ball(halves[1])
        return self.off_the_spheres(points, NORM_SLACK)

    def off_the_spheres(self, points: Array, slack: Fraction) -> NDArray[np.bool_]:
        """Which rows (x, x') hold a vector whose length is not 1 up to `slack`; decided exactly."""
        halves = points[:, : self.dim], points[:, self.dim :]
        far = [(norm_signs(half, 1 + slack) > 0) | (norm_signs(half, 1 - slack) < 0) for half in halves]
        return far[0] | far[1]

    def _values(self, points: Array) -> Array:
        if self.reads == "norm":
            q = self._square_sum(np.abs(points))
        else:
            first, second = points[:, : self.dim], points[:, self.dim :]
            q = self._square_sum(np.abs((first + second) / 2))
            if self.reads == "ball-pair":
                q = q - self._square_sum(np.abs((first - second) / 2))
        return self._profile_of(self._folded(q + self.shift))

    def _square_sum(self, sizes: Array) -> Array:
        """What one sign contributes to q, from the |y_i|."""
        squares = self.squares
        if isinstance(squares, Knots):
            return np.asarray(squares.profile(sizes).sum(axis=1))
        u, total = squares.gain * sizes, np.zeros(len(sizes))
        for level, (radix, rest) in enumerate(zip(squares.radices, squares.rests, strict=True)):
            p = radix * np.maximum(u, 0.0)
            k = np.minimum(np.floor(p), radix - 1)
            u = np.where(k % 2 == 0, p - k, k + 1 - p)
            summed = (2 * k + 1) * p - k * (k + 1)
            total += rest * (summed - u if level < len(squares.radices) - 1 else summed).sum(axis=1)
        return squares.scale * total

    def _folded(self, z: Array) -> Array:
        for radix, step in zip(self.radices, self.steps, strict=True):
            z = np.maximum(z, 0.0)
            k = np.minimum(np.floor(z / step), radix - 1)
            z = np.where(k % 2 == 0, z - k * step, (k + 1) * step - z)
        return z

    @cached_property
    def outer(self) -> PiecewiseLinear:
        """The profile psi of one copy."""
        return hinge_profile(self.bias, self.thresholds, self.sides, self.weights)

    def _profile_of(self, z: Array) -> Array:
        if self.repeats > 1:
            k = np.clip(np.floor(z), 0, self.repeats - 1)
            z = np.where(k % 2 == 0, z - k, k + 1 - z)
        return self.outer(z)

    def evaluate_exact(self, point: Sequence[Fraction]) -> Fraction:
        """Evaluate the definition in exact rationals: slow, and right everywhere."""
        z = sum((sign * self._exact_square(abs(y)) for sign, y in self._exact_coordinates(point)), Fraction(0))
        z += Fraction(self.shift)
        for radix, step in zip(self.radices, self.steps, strict=True):
            z = _exact_fold(max(z, Fraction(0)), step, radix)
        return self.outer.exact(_exact_fold(z, 1, self.repeats) if self.repeats > 1 else z)

    def _exact_coordinates(self, point: Sequence[Fraction]) -> list[tuple[int, Fraction]]:
        if self.reads == "norm":
            return [(1, x) for x in point]
        pairs = list(zip(point[: self.dim], point[self.dim :], strict=True))
        found = [(1, (a + b) / 2) for a, b in pairs]
        return found + [(-1, (a - b) / 2) for a, b in pairs] if self.reads == "ball-pair" else found

    def _exact_square(self, size: Fraction) -> Fraction:
        squares = self.squares
        if isinstance(squares, Knots):
            return squares.profile.exact(size)
        u, total = Fraction(squares.gain) * size, Fraction(0)
        for level, (radix, rest) in enumerate(zip(squares.radices, squares.rests, strict=True)):
            p = radix * max(u, Fraction(0))
            k = min(math.floor(p), radix - 1)
            u = _exact_fold(p, 1, radix)
            total += rest * ((2 * k + 1) * p - k * (k + 1) - (u if level < len(squares.radices) - 1 else 0))
        return Fraction(squares.scale) * total

    @cached_property
    def rounding_error_upper(self) -> Fraction | None:
        """Proved bound for the structured evaluation, see `folded_rounding`; None for more than 2^53 pieces."""
        return structured_error(self)

    @cached_property
    def flat_rounding_error_upper(self) -> Fraction:
        """Proved bound for the flat layers, sums in any order; see `folded_rounding`."""
        return flat_error(self)

    # ------------------------------------------------------------------------------------------------------------
    # Other forms

    def _expand(self) -> DenseLayers:
        from depthsep.networks.folded_layers import flat_layers

        return flat_layers(self)

    def to_json(self) -> dict[str, Any]:
        """Give the NETWORK object of the document format."""
        return {
            "kind": self.kind,
            "activation": "relu",
            "dim": self.dim,
            "reads": self.reads,
            "squares": self.squares.to_json(),
            "phase": {"shift": self.shift.hex(), "radices": list(self.radices)},
            "profile": {
                "bias": self.bias.hex(),
                "thresholds": hexadecimal(self.thresholds),
                "sides": list(self.sides),
                "weights": hexadecimal(self.weights),
                "repeats": self.repeats,
            },
            "scaling": {"exponents": list(self.layer_exponents), "copies": self.copies},
        }

    @classmethod
    def from_json(cls, obj: dict[str, Any]) -> FoldedNetwork:
        """Read the NETWORK object of a document that was checked."""
        squares, profile = obj["squares"], obj["profile"]
        read: Knots | Folds
        if squares["kind"] == "knots":
            read = Knots(_floats(squares["thresholds"]), _floats(squares["weights"]))
        else:
            radices = tuple(squares["radices"])
            read = Folds(float.fromhex(squares["gain"]), radices, float.fromhex(squares["scale"]))
        return cls(
            dim=obj["dim"],
            reads=obj["reads"],
            squares=read,
            shift=float.fromhex(obj["phase"]["shift"]),
            radices=tuple(obj["phase"]["radices"]),
            bias=float.fromhex(profile["bias"]),
            thresholds=_floats(profile["thresholds"]),
            sides=tuple(profile["sides"]),
            weights=_floats(profile["weights"]),
            repeats=profile["repeats"],
            exponents=tuple(obj["scaling"]["exponents"]),
            copies=obj["scaling"]["copies"],
        )


def _floats(texts: Sequence[str]) -> tuple[float, ...]:
    return tuple(map(float.fromhex, texts))


def _power(exponent: int) -> Fraction:
    return Fraction(2) ** exponent


def _floor_log2(value: Fraction) -> int:
    """The largest e with 2^e <= value."""
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    return exponent if _power(exponent) <= value else exponent - 1


def _largest_coefficient(radix: int) -> int:
    """Of the units of a fold in u and in J."""
    return 2 if radix > 1 else 1


def _exact_fold(z: Fraction, step: int, pieces: int) -> Fraction:
    """The triangle wave with so many pieces of a length; beyond them the outermost pieces go on."""
    k = min(max(math.floor(z / step), 0), pieces - 1)
    return z - k * step if k % 2 == 0 else (k + 1) * step - z


def reflected(threshold: Fraction, copy: int) -> Fraction:
    """Where the threshold of a hinge lies in a copy of psi."""
    return copy + (threshold if copy % 2 == 0 else 1 - threshold)
