"""The flat layers of a folded network, unit by unit in the order of the document format; only what is small is built.

Every number is first taken exactly and has to be a float64: sums such as shift - j - threshold, and products such as
4 R scale, are no matter of rounding. Scaling by powers of two is then exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from depthsep.errors import BadInput
from depthsep.networks.folded import FoldedNetwork, Folds, Knots, reflected
from depthsep.networks.layers import DenseLayers
from depthsep.networks.profile import Array

__all__ = ["flat_layers"]


def flat_layers(network: FoldedNetwork) -> DenseLayers:
    """Build [(W, b), ...].

    Raises:
        BadInput: A weight or bias is no float64.
    """
    inputs, signs = _coordinates(network)
    if isinstance(network.squares, Knots):
        layers, read = _knots(network.squares, inputs, signs)
    else:
        layers, read = _folds(network.squares, inputs, signs)
    shift, step = Fraction(network.shift), network.half_periods
    for radix in network.radices:
        step //= radix
        layers.append((np.tile(read, (radix, 1)), _exact([shift - j * step for j in range(radix)])))
        read, shift = _wave(radix), Fraction(0)
    layers += _profile(network, read, shift)
    return _scaled(layers, network)


def _coordinates(network: FoldedNetwork) -> tuple[Array, Array]:
    """The rows that give the coordinates y from the inputs, and the sign of each."""
    eye = np.eye(network.dim)
    if network.reads == "norm":
        return eye, np.ones(network.dim)
    plus, minus = np.hstack((eye, eye)) / 2, np.hstack((eye, -eye)) / 2
    if network.reads == "sphere-pair":
        return plus, np.ones(network.dim)
    return np.vstack((plus, minus)), np.repeat([1.0, -1.0], network.dim)


def _knots(squares: Knots, inputs: Array, signs: Array) -> tuple[DenseLayers, Array]:
    """Units relu(y_i - t_k), relu(-y_i - t_k), coordinate by coordinate, and how q reads them."""
    mirrors = np.tile([1.0, -1.0], len(squares.thresholds))
    rows = np.kron(inputs, mirrors[:, None])
    biases = np.tile(-np.repeat(np.array(squares.thresholds), 2), len(inputs))
    return [(rows, biases)], np.kron(signs, np.repeat(np.array(squares.weights), 2))


def _folds(squares: Folds, inputs: Array, signs: Array) -> tuple[DenseLayers, Array]:
    """The layers that fold every coordinate and carry the sum so far, and how q reads the last of them."""
    count, first = len(inputs), squares.radices[0]
    gain = _exact([first * Fraction(squares.gain)])[0]
    places = np.arange(first, dtype=np.float64)
    layers: DenseLayers = [
        (np.kron(inputs * gain, np.repeat([1.0, -1.0], first)[:, None]), np.tile(-places, 2 * count))
    ]
    groups = np.array([signs == sign for sign in sorted(set(signs), reverse=True)], dtype=np.float64)
    carried = np.zeros((len(groups), 2 * first * count))
    wave, interpolant, odd = (np.tile(part, 2) for part in (_wave(first), _interpolant(first), _odd(first)))
    for level, radix in enumerate(squares.radices[1:], 1):
        carried[:, : count * len(odd)] += np.kron(groups, odd) * _exact([Fraction(squares.rests[level - 1])])[0]
        units = np.kron(np.eye(count), np.outer(np.full(radix, float(radix)), wave))
        units = np.hstack((units, np.zeros((len(units), carried.shape[1] - units.shape[1]))))
        biases = np.append(np.tile(-np.arange(radix, dtype=np.float64), count), np.zeros(len(groups)))
        layers.append((np.vstack((units, carried)), biases))
        wave, interpolant, odd = _wave(radix), _interpolant(radix), _odd(radix)
        carried = np.hstack((np.zeros((len(groups), radix * count)), np.eye(len(groups))))
    order = np.array(sorted(set(signs), reverse=True))
    read = order @ carried
    read[: count * len(interpolant)] = np.kron(signs, interpolant)
    scale = Fraction(squares.scale)
    return layers, _exact([scale * Fraction(float(entry)) for entry in read])


def _wave(radix: int) -> Array:
    """How u reads the units of a fold: 1, -2, 2, -2, ..."""
    return np.array([1.0] + [2.0 * (-1) ** j for j in range(1, radix)])


def _interpolant(radix: int) -> Array:
    """How J reads them: 1, 2, 2, ..."""
    return np.array([1.0] + [2.0] * (radix - 1))


def _odd(radix: int) -> Array:
    """How J - u reads them: 0, 4, 0, 4, ..."""
    return np.array([4.0 * (j % 2) for j in range(radix)])


def _profile(network: FoldedNetwork, read: Array, shift: Fraction) -> DenseLayers:
    """The last hidden layer and the output."""
    sides = np.tile([1.0 if side == "right" else -1.0 for side in network.sides], network.repeats)
    places = [reflected(Fraction(t), copy) for copy in range(network.repeats) for t in network.thresholds]
    biases = sides * _exact([shift - place for place in places])
    output = np.tile(np.array(network.weights), network.repeats)
    repeated = [np.repeat(part, network.copies, axis=0) for part in (np.outer(sides, read), biases, output)]
    return [(repeated[0], repeated[1]), (repeated[2][None, :], np.array([network.bias]))]


def _scaled(layers: DenseLayers, network: FoldedNetwork) -> DenseLayers:
    """Scale the layers by their powers of two, and the output by the number of copies."""
    exponents = (0, *network.layer_exponents, -(network.copies.bit_length() - 1))
    found: DenseLayers = []
    for index, (rows, biases) in enumerate(layers):
        last = index == len(layers) - 1
        power = exponents[-1] - exponents[-2] if last else exponents[index + 1] - exponents[index]
        found.append((_times(rows, power), biases + 0.0 if last else _times(biases, exponents[index + 1])))
    return found


def _times(numbers: Array, exponent: int) -> Array:
    """Multiply by a power of two, exactly."""
    with np.errstate(over="ignore", under="ignore"):
        found = np.ldexp(numbers, exponent)
        if not np.array_equal(np.ldexp(found, -exponent), numbers):
            raise BadInput("expand a folded network", found="a scaled weight that is no float64")
    return found + 0.0


def _exact(numbers: Sequence[Fraction]) -> Array:
    """Float64 numbers that are exactly these."""
    found = [_nearest(number) for number in numbers]
    wrong = next((number for number, value in zip(numbers, found, strict=True) if number != value), None)
    if wrong is not None:
        raise BadInput(
            "the flat layers of a folded network",
            found=f"the weight {wrong} is no float64 number",
            needed="sums of thresholds and products with radices that float64 holds",
            do="keep the structured form",
        )
    return np.array(found)


def _nearest(number: Fraction) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf
