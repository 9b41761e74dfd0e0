"""The layers of a folded network written out, row by row, in exact numbers: what an exported file has to hold.

The order of the units is that of `docs/document-format.md`: coordinate by coordinate, and at one coordinate knot by
knot, or first all units of relu(v ...), then their mirrors; the carried sums come after the coordinates; copies of psi
one after the other, equal units side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flint import fmpq

from depthsep_check.folded_networks import FoldedNetwork, Folds, Knots, widths

Entries = dict[int, fmpq]  # a row without its zeros


@dataclass(frozen=True, slots=True)
class FlatLayer:
    """One affine map; the rows and biases are generated when they are needed."""

    rows: int
    columns: int
    weights: Callable[[], Iterator[Entries]]
    biases: Callable[[], Iterator[fmpq]]


@dataclass(frozen=True, slots=True)
class _Units:
    """The units of a hidden layer before scaling: their rows and biases, and how the next number reads them."""

    weights: Callable[[], Iterator[Entries]]
    biases: Callable[[], Iterator[fmpq]]


def sizes(network: FoldedNetwork) -> tuple[int, ...]:
    """The number of inputs, of the units of every hidden layer, and of outputs."""
    inputs = network.dim if network.reads == "norm" else 2 * network.dim
    return (inputs, *widths(network), 1)


def flat_layers(network: FoldedNetwork) -> list[FlatLayer]:
    """All affine maps in order, scaled as the network says."""
    units, read = _square_units(network)
    shift, step = network.shift, network.period_count
    for radix in network.phase_radices:
        step //= radix
        units.append(_fold_units(read, shift, radix, step))
        read, shift = _alternating(radix), fmpq(0)
    units.append(_profile_units(network, read, shift))
    counts, layers, before = sizes(network), [], 0
    for place, (unit, exponent) in enumerate(zip(units, network.exponents, strict=True)):
        layers.append(_scaled(unit, counts[place + 1], counts[place], exponent, before))
        before = exponent
    return [*layers, _output(network, counts[-2], before)]


def _scaled(units: _Units, rows: int, columns: int, exponent: int, before: int) -> FlatLayer:
    weight, bias = fmpq(2) ** (exponent - before), fmpq(2) ** exponent
    return FlatLayer(
        rows,
        columns,
        lambda: ({index: entry * weight for index, entry in row.items()} for row in units.weights()),
        lambda: (entry * bias for entry in units.biases()),
    )


def _output(network: FoldedNetwork, columns: int, exponent: int) -> FlatLayer:
    factor = fmpq(2) ** -exponent / network.copies
    values = [weight * factor for weight in network.weights for _ in range(network.copies)] * network.repeats
    return FlatLayer(1, columns, lambda: iter((dict(enumerate(values)),)), lambda: iter((network.bias,)))


def _coordinates(network: FoldedNetwork) -> list[tuple[int, Entries]]:
    """The sign and the row of every coordinate y."""
    dim = network.dim
    if network.reads == "norm":
        return [(1, {i: fmpq(1)}) for i in range(dim)]
    half = fmpq(1, 2)
    found = [(1, {i: half, dim + i: half}) for i in range(dim)]
    if network.reads == "ball-pair":
        found += [(-1, {i: half, dim + i: -half}) for i in range(dim)]
    return found


def _square_units(network: FoldedNetwork) -> tuple[list[_Units], Entries]:
    coordinates = _coordinates(network)
    if isinstance(network.squares, Knots):
        return _knot_units(network.squares, coordinates)
    return _square_folds(network.squares, coordinates)


def _knot_units(squares: Knots, coordinates: list[tuple[int, Entries]]) -> tuple[list[_Units], Entries]:
    def weights() -> Iterator[Entries]:
        for _, row in coordinates:
            mirrored = {index: -entry for index, entry in row.items()}
            for _ in squares.thresholds:
                yield row
                yield mirrored

    def biases() -> Iterator[fmpq]:
        for _ in coordinates:
            for threshold in squares.thresholds:
                yield -threshold
                yield -threshold

    twice = [weight for weight in squares.weights for _ in range(2)]
    read = [sign * weight for sign, _ in coordinates for weight in twice]
    return [_Units(weights, biases)], dict(enumerate(read))


def _square_folds(squares: Folds, coordinates: list[tuple[int, Entries]]) -> tuple[list[_Units], Entries]:
    signs = sorted({sign for sign, _ in coordinates}, reverse=True)
    first = squares.radices[0]
    layers = [_first_fold(squares, coordinates)]
    rest, mirrors, carried = squares.pieces**2 // first**2, 2, [Entries() for _ in signs]
    radix = first
    for following in squares.radices[1:]:
        each = radix * mirrors
        for place, (sign, _) in enumerate(coordinates):
            odd = ((place * each + j, fmpq(4 * rest)) for j in range(each) if j % radix % 2)
            carried[signs.index(sign)].update(odd)
        layers.append(_later_fold(len(coordinates), radix, mirrors, following, carried))
        start = following * len(coordinates)
        carried = [{start + number: fmpq(1)} for number in range(len(signs))]
        rest //= following**2
        radix, mirrors = following, 1
    each = radix * mirrors
    read = {
        place * each + j: sign * squares.scale * (2 if j % radix else 1)
        for place, (sign, _) in enumerate(coordinates)
        for j in range(each)
    }
    for sign, row in zip(signs, carried, strict=True):
        read.update((index, sign * squares.scale * entry) for index, entry in row.items())
    return layers, read


def _first_fold(squares: Folds, coordinates: list[tuple[int, Entries]]) -> _Units:
    first = squares.radices[0]

    def weights() -> Iterator[Entries]:
        for _, row in coordinates:
            for mirror in (1, -1):
                scaled = {index: mirror * first * squares.gain * entry for index, entry in row.items()}
                for _ in range(first):
                    yield scaled

    return _Units(weights, lambda: (fmpq(-j) for _ in range(2 * len(coordinates)) for j in range(first)))


def _later_fold(count: int, radix: int, mirrors: int, following: int, carried: list[Entries]) -> _Units:
    each, wave = radix * mirrors, _alternating(radix)
    sums = [dict(row) for row in carried]

    def weights() -> Iterator[Entries]:
        for place in range(count):
            row = {place * each + j: following * wave[j % radix] for j in range(each)}
            for _ in range(following):
                yield row
        yield from sums

    def biases() -> Iterator[fmpq]:
        for _ in range(count):
            yield from (fmpq(-j) for j in range(following))
        yield from (fmpq(0) for _ in sums)

    return _Units(weights, biases)


def _alternating(radix: int) -> Entries:
    """How a fold reads its units: 1, -2, 2, -2, ..."""
    return {j: fmpq(1 if j == 0 else -2 if j % 2 else 2) for j in range(radix)}


def _fold_units(read: Entries, shift: fmpq, radix: int, step: int) -> _Units:
    return _Units(lambda: (read for _ in range(radix)), lambda: (shift - j * step for j in range(radix)))


def _profile_units(network: FoldedNetwork, read: Entries, shift: fmpq) -> _Units:
    mirrored = {index: -entry for index, entry in read.items()}
    units = list(zip(network.sides, network.thresholds, strict=True))

    def weights() -> Iterator[Entries]:
        for _ in range(network.repeats):
            for side, _ in units:
                for _ in range(network.copies):
                    yield read if side == "right" else mirrored

    def biases() -> Iterator[fmpq]:
        for copy in range(network.repeats):
            for side, threshold in units:
                place = copy + (threshold if copy % 2 == 0 else 1 - threshold)
                for _ in range(network.copies):
                    yield shift - place if side == "right" else place - shift

    return _Units(weights, biases)
