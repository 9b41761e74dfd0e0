"""Folded networks: strict reader, the number of units of every layer, and the largest weight.

A folded network is a function of a sum of squares, folded and then given a profile; it is stored by a few numbers even
where its layers have millions of units (`docs/document-format.md` has the layers). Everything is on coordinates y:

- *norm*: y = x;  *sphere-pair*: y = (x + x')/2;  *ball-pair*: y+ = (x + x')/2 with sign +, y- = (x - x')/2 with sign -.

**Squares.** Knots: q = sum of sign G(y_i), G(t) = sum a_k max(0, |t| - t_k). Folds: with v_1 = gain |y| and
h_(l,j) = relu(M_l v_l - j), j < M_l, the next v is u_l = h_0 + 2 sum (-1)^j h_j, J_l = h_0 + 2 sum h_j and
q = scale sum of sign [sum_(l<a) R_l (J_l - u_l) + J_a], R_l = prod_(k>l) M_k^2. Since J - u = 4 (h_1 + h_3 + ...) >= 0,
one unit for each sign carries the sum so far through the layers 2, ..., a.

**Phase.** z_0 = q + shift; N = repeats * prod m_k, N_k = N_(k-1)/m_k, and layer k has the units relu(z_(k-1) - j N_k),
j < m_k, with z_k = their sum as for u.

**Profile.** psi(w) = bias + sum w_k relu(+-(w - z_k)). With n > 1 repeats the last hidden layer holds n copies, the odd
ones reflected: thresholds j + z_k for even j < n, j + 1 - z_k for odd j.

**Scaling.** The preactivations of hidden layer l are multiplied by 2^(e_l), and every unit of the last hidden layer
stands `copies` times. A weight into layer l is thus its value above times 2^(e_l - e_(l-1)) (e_0 = 0), a bias times
2^(e_l), an output weight times 2^(-e_L)/copies; the bias of the output stays. As relu(c z) = c relu(z) for c > 0, the
function is the same.

`largest_weight` takes the maximum over the sizes of all entries without listing units. In every family of units the
weights are one of a few coefficients, and the biases are affine in the number j of the unit, so that the largest size
is at the first or at the last j.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any

from flint import fmpq

from depthsep_check.document import MAX_DIM
from depthsep_check.fields import fields_of, integer, item_list, of_kind, require_length, weight_list, word
from depthsep_check.numbers import parse_weight, shown
from depthsep_check.sinusoids import READS
from depthsep_check.verdict import Malformed

MAX_KNOTS = 200_000
MAX_PROFILE = 65_536
MAX_FOLD_LAYERS = 60
MAX_PIECES = 2**60
MAX_EXPONENT = 4096


@dataclass(frozen=True, slots=True)
class Knots:
    """G by thresholds 0 < t_1 < t_2 < ... and a weight for each; one hidden layer."""

    thresholds: tuple[fmpq, ...]
    weights: tuple[fmpq, ...]

    @property
    def layers(self) -> int:
        """The number of hidden layers."""
        return 1


@dataclass(frozen=True, slots=True)
class Folds:
    """Squares by folding; gain > 0, scale > 0, radices M_1 >= 1 and M_2, M_3, ... >= 2."""

    gain: fmpq
    radices: tuple[int, ...]
    scale: fmpq

    @property
    def layers(self) -> int:
        """The number of hidden layers."""
        return len(self.radices)

    @property
    def pieces(self) -> int:
        """The product of the radices."""
        return prod(self.radices)


@dataclass(frozen=True, slots=True)
class FoldedNetwork:
    """A well-formed folded network; the attributes are those of the module text."""

    dim: int
    reads: str
    squares: Knots | Folds
    shift: fmpq
    phase_radices: tuple[int, ...]
    bias: fmpq
    thresholds: tuple[fmpq, ...]
    sides: tuple[str, ...]
    weights: tuple[fmpq, ...]
    repeats: int
    exponents: tuple[int, ...]
    copies: int

    @property
    def coordinates(self) -> int:
        """How many y there are."""
        return 2 * self.dim if self.reads == "ball-pair" else self.dim

    @property
    def period_count(self) -> int:
        """N: the phase is folded, and repeated, correctly on [0, N]."""
        return self.repeats * prod(self.phase_radices)

    @property
    def depth(self) -> int:
        """The number of weight layers."""
        return len(self.exponents) + 1


def widths(network: FoldedNetwork) -> tuple[int, ...]:
    """The number of units of every hidden layer, counted."""
    squares, coordinates = network.squares, network.coordinates
    if isinstance(squares, Knots):
        found = [2 * len(squares.thresholds) * coordinates]
    else:
        carried = 2 if network.reads == "ball-pair" else 1
        found = [2 * squares.radices[0] * coordinates]
        found += [radix * coordinates + carried for radix in squares.radices[1:]]
    last = network.repeats * len(network.thresholds) * network.copies
    return (*found, *network.phase_radices, last)


# ------------------------------------------------------------------------------------------------------------------
# The largest weight


@dataclass(frozen=True, slots=True)
class _Layer:
    """The largest sizes of the weights and of the biases of a hidden layer, before the scaling."""

    weight: fmpq
    bias: fmpq


def largest_weight(network: FoldedNetwork) -> fmpq:
    """The largest absolute value among all weights and biases of the layers."""
    before = 0
    sizes = [abs(network.bias)]
    for layer, exponent in zip(_layers(network), network.exponents, strict=True):
        sizes += [layer.weight * _power_of_two(exponent - before), layer.bias * _power_of_two(exponent)]
        before = exponent
    output = max(abs(weight) for weight in network.weights)
    return max(*sizes, output * _power_of_two(-before) / network.copies)


def _power_of_two(exponent: int) -> fmpq:
    return fmpq(2) ** exponent


def _layers(network: FoldedNetwork) -> Iterator[_Layer]:
    """The hidden layers in order."""
    squares, entry = network.squares, fmpq(1) if network.reads == "norm" else fmpq(1, 2)
    if isinstance(squares, Knots):
        yield _Layer(entry, squares.thresholds[-1])
        reading = max(abs(weight) for weight in squares.weights)
    else:
        yield from _square_folds(squares, entry)
        reading = squares.scale * _largest_coefficient(squares.radices[-1])
    step, shift = network.period_count, network.shift
    for radix in network.phase_radices:
        step //= radix
        yield _Layer(reading, max(abs(shift), abs(shift - (radix - 1) * step)))
        reading, shift = fmpq(_largest_coefficient(radix)), fmpq(0)
    yield _Layer(reading, max(abs(shift - threshold) for threshold in _outermost(network)))


def _square_folds(squares: Folds, entry: fmpq) -> Iterator[_Layer]:
    """The layers of the squares. From layer 2 on the units read v, and the carried sum reads the units and itself."""
    first = squares.radices[0]
    yield _Layer(first * squares.gain * entry, fmpq(first - 1))
    rest = squares.pieces**2 // first**2  # R_(l-1), of the layer that is read
    for level, (before, radix) in enumerate(pairwise(squares.radices)):
        weights = [radix * _largest_coefficient(before)]
        if before >= 2:
            weights.append(4 * rest)
        if level > 0:
            weights.append(1)
        yield _Layer(fmpq(max(weights)), fmpq(radix - 1))
        rest //= radix**2


def _largest_coefficient(radix: int) -> int:
    """Of u and of J, which are h_0 +- 2 h_1 + 2 h_2 +- ..."""
    return 2 if radix >= 2 else 1


def _outermost(network: FoldedNetwork) -> tuple[fmpq, fmpq]:
    """The least and the greatest threshold of the last hidden layer."""
    low, high, repeats = min(network.thresholds), max(network.thresholds), network.repeats
    if repeats > 1:
        high = repeats - low if repeats % 2 == 0 else repeats - 1 + high
    return low, high


# ------------------------------------------------------------------------------------------------------------------
# Reading


def read_folded_network(value: Any, place: str) -> FoldedNetwork:
    """Read a NETWORK object of kind "folded".

    Raises:
        Malformed: it is not of the form that the format page gives.
        Unsupported: a word is not known here.
    """
    names = ("kind", "activation", "dim", "reads", "squares", "phase", "profile", "scaling")
    fields = fields_of(value, place, names)
    word(fields["kind"], f"{place}.kind", ("folded",))
    word(fields["activation"], f"{place}.activation", ("relu",))
    word(fields["reads"], f"{place}.reads", READS)
    readers: dict[str, Callable[[Any, str], Knots | Folds]] = {"knots": _knots, "folds": _folds}
    phase = fields_of(fields["phase"], f"{place}.phase", ("shift", "radices"))
    phase_radices = _radices(phase["radices"], f"{place}.phase.radices", 2)
    profile = fields_of(fields["profile"], f"{place}.profile", ("bias", "thresholds", "sides", "weights", "repeats"))
    thresholds = weight_list(profile["thresholds"], f"{place}.profile.thresholds", MAX_PROFILE)
    if not thresholds:
        raise Malformed(f"{place}.profile.thresholds", "needs at least one threshold")
    scaling = fields_of(fields["scaling"], f"{place}.scaling", ("exponents", "copies"))
    network = FoldedNetwork(
        dim=integer(fields["dim"], f"{place}.dim", 1, MAX_DIM),
        reads=fields["reads"],
        squares=of_kind(fields["squares"], f"{place}.squares", readers),
        shift=parse_weight(phase["shift"], f"{place}.phase.shift"),
        phase_radices=phase_radices,
        bias=parse_weight(profile["bias"], f"{place}.profile.bias"),
        thresholds=thresholds,
        sides=item_list(profile["sides"], f"{place}.profile.sides", MAX_PROFILE, _side),
        weights=weight_list(profile["weights"], f"{place}.profile.weights", MAX_PROFILE, len(thresholds)),
        repeats=integer(profile["repeats"], f"{place}.profile.repeats", 1, MAX_PIECES),
        exponents=item_list(scaling["exponents"], f"{place}.scaling.exponents", 2 * MAX_FOLD_LAYERS + 1, _exponent),
        copies=integer(scaling["copies"], f"{place}.scaling.copies", 1, MAX_PIECES),
    )
    require_length(network.sides, f"{place}.profile.sides", len(thresholds))
    wanted = network.squares.layers + len(phase_radices) + 1
    require_length(network.exponents, f"{place}.scaling.exponents", wanted)
    if network.copies & (network.copies - 1):
        raise Malformed(f"{place}.scaling.copies", "must be a power of two")
    if network.period_count > MAX_PIECES:
        raise Malformed(place, f"repeats times the radices of the phase must be at most {MAX_PIECES}")
    if network.repeats > 1:
        _require_repeatable(network, f"{place}.profile")
    return network


def _require_repeatable(network: FoldedNetwork, place: str) -> None:
    """A profile that is repeated has right sides, thresholds inside (0, 1) in order, and is flat at both ends."""
    if "left" in network.sides:
        raise Malformed(f"{place}.sides", "a repeated profile has right sides only")
    before = fmpq(0)
    for index, threshold in enumerate(network.thresholds):
        if not before < threshold < 1:
            raise Malformed(f"{place}.thresholds[{index}]", "must increase strictly inside (0, 1) where repeated")
        before = threshold
    if sum(network.weights, fmpq(0)) != 0:
        raise Malformed(f"{place}.weights", "the sum of the weights of a repeated profile must be 0")


def _knots(value: Any, place: str) -> Knots:
    fields = fields_of(value, place, ("kind", "thresholds", "weights"))
    thresholds = weight_list(fields["thresholds"], f"{place}.thresholds", MAX_KNOTS)
    if not thresholds:
        raise Malformed(f"{place}.thresholds", "needs at least one threshold")
    before = fmpq(0)
    for index, threshold in enumerate(thresholds):
        if not threshold > before:
            raise Malformed(f"{place}.thresholds[{index}]", "thresholds must be > 0 and increase strictly")
        before = threshold
    return Knots(thresholds, weight_list(fields["weights"], f"{place}.weights", MAX_KNOTS, len(thresholds)))


def _folds(value: Any, place: str) -> Folds:
    fields = fields_of(value, place, ("kind", "gain", "radices", "scale"))
    radices = _radices(fields["radices"], f"{place}.radices", 1)
    if not radices:
        raise Malformed(f"{place}.radices", "needs at least one radix")
    for index, radix in enumerate(radices[1:], 1):
        if radix < 2:
            raise Malformed(f"{place}.radices[{index}]", "must be at least 2 after the first")
    return Folds(_positive(fields["gain"], f"{place}.gain"), radices, _positive(fields["scale"], f"{place}.scale"))


def _radices(value: Any, place: str, low: int) -> tuple[int, ...]:
    radices = item_list(value, place, MAX_FOLD_LAYERS, lambda v, p: integer(v, p, low, MAX_PIECES))
    if prod(radices) > MAX_PIECES:
        raise Malformed(place, f"the product of the radices must be at most {MAX_PIECES}")
    return radices


def _positive(value: Any, place: str) -> fmpq:
    found = parse_weight(value, place)
    if not found > 0:
        raise Malformed(place, "must be positive")
    return found


def _side(value: Any, place: str) -> str:
    if value not in ("right", "left"):
        raise Malformed(place, f'expected "right" or "left", found {shown(value)}')
    return str(value)


def _exponent(value: Any, place: str) -> int:
    return integer(value, place, -MAX_EXPONENT, MAX_EXPONENT)
