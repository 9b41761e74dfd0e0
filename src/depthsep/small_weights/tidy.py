"""Tidying: the same function with fewer neurons, or with integers in place of fractions.

Both passes leave the function unchanged on all of R^d. What `tidy` removes or merges is what stands in the rows: a
neuron whose row has no weights is constant; one that adds up multiples <= 0 of ReLUs and a constant <= 0 is never
positive; rows that are positive multiples belong to neurons that are the same multiples, as relu(s z) = s relu(z) for
s > 0; and what nobody reads has no effect. Equal functions that are written differently stay two neurons.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

from depthsep.networks.relu import AffineLayer, ReluNetwork

__all__ = ["clear_denominators", "tidy"]

_ZERO = Fraction(0)


# A row up to a positive factor: the neurons that it reads, then numerators and denominators of its numbers, as
# fractions are slow to hash.
_Shape = tuple[int, ...]


@dataclass(frozen=True)
class _Row:
    """The weights that are not 0, by the number of the neuron they read, and the bias."""

    weights: dict[int, Fraction]
    bias: Fraction

    def size_and_shape(self) -> tuple[Fraction, _Shape]:
        """The absolute value of the first weight, and the row divided by it."""
        order = sorted(self.weights)
        size = abs(self.weights[order[0]])
        quotients = (self.bias / size, *(self.weights[index] / size for index in order))
        return size, (*order, *(part for quotient in quotients for part in quotient.as_integer_ratio()))


@dataclass(frozen=True)
class _Share:
    """A neuron as `size` times the one kept under number `kept`, or as the constant `size` where there is none."""

    kept: int | None
    size: Fraction


def tidy(network: ReluNetwork) -> ReluNetwork:
    """Drop constant, dead and unread neurons, and merge those whose rows are positive multiples of each other.

    The depth stays: a layer can end up empty. The function is unchanged: every neuron that goes is a constant, which
    moves into the next biases, or a multiple of one that stays, whose outgoing weights take it over, or it is unread.

    Args:
        network: Any network.

    Returns:
        The same function on all of R^d, with as few neurons or fewer.

    >>> net = ReluNetwork.from_arrays([([[1], [3], [0]], [1, 3, 2]), ([[1, 1, 5]], [0])])
    >>> small = tidy(net)
    >>> small.widths, small.layers[-1]
    ((1,), AffineLayer(weights=((Fraction(4, 1),),), biases=(Fraction(10, 1),)))
    """
    layers: list[list[_Row]] = []
    shares = [_Share(index, Fraction(1)) for index in range(network.dim)]
    for level, layer in enumerate(network.layers):
        rows = [_collected(*pair, shares) for pair in zip(layer.weights, layer.biases, strict=True)]
        if level < network.depth - 1:
            rows, shares = _merged(rows, over_hidden=level > 0)
        layers.append(rows)
    return _assembled(network.dim, _without_unread(layers))


def _collected(weights: tuple[Fraction, ...], bias: Fraction, shares: list[_Share]) -> _Row:
    """A row that reads only the neurons that were kept."""
    collected: dict[int, Fraction] = {}
    for weight, share in zip(weights, shares, strict=True):
        if weight and share.kept is None:
            bias += weight * share.size
        elif weight and share.kept is not None:
            collected[share.kept] = collected.get(share.kept, _ZERO) + weight * share.size
    return _Row({index: weight for index, weight in collected.items() if weight}, bias)


def _merged(rows: list[_Row], over_hidden: bool) -> tuple[list[_Row], list[_Share]]:
    """The rows that stay, and each neuron's share in them."""
    kept: list[_Row] = []
    shares: list[_Share] = []
    seen: dict[_Shape, _Share] = {}
    for row in rows:
        if not row.weights:
            shares.append(_Share(None, max(row.bias, _ZERO)))
        elif over_hidden and row.bias <= 0 and max(row.weights.values()) <= 0:
            shares.append(_Share(None, _ZERO))
        else:
            size, shape = row.size_and_shape()
            first = seen.setdefault(shape, _Share(len(kept), size))
            if first.kept == len(kept):
                kept.append(row)
            shares.append(_Share(first.kept, size / first.size))
    return kept, shares


def _without_unread(layers: list[list[_Row]]) -> list[list[_Row]]:
    """Drop the neurons that no output depends on, last layer first."""
    after = layers[-1]
    result = [after]
    for rows in reversed(layers[:-1]):
        read = sorted({index for row in after for index in row.weights})
        places = {index: place for place, index in enumerate(read)}
        result[0] = [_Row({places[i]: w for i, w in row.weights.items()}, row.bias) for row in after]
        after = [rows[index] for index in read]
        result.insert(0, after)
    return result


def _assembled(columns: int, layers: list[list[_Row]]) -> ReluNetwork:
    dim, built = columns, []
    for rows in layers:
        weights = tuple(tuple(row.weights.get(index, _ZERO) for index in range(columns)) for row in rows)
        built.append(AffineLayer(weights, tuple(row.bias for row in rows)))
        columns = len(rows)
    return ReluNetwork(dim, tuple(built))


def clear_denominators(network: ReluNetwork) -> ReluNetwork:
    """Make every hidden row one of integers without a common divisor; the last layer takes the fractions over.

    The function is unchanged: a row times s > 0 gives s times the neuron, and whoever reads it divides by s.

    Args:
        network: Any network.

    Returns:
        The same function on all of R^d, with integer weights and biases in all layers but the last.

    >>> net = ReluNetwork.from_arrays([([["1/2", "1/3"]], [0]), ([[1]], [0])])
    >>> cleared = clear_denominators(net)
    >>> cleared.layers[0].weights, cleared.layers[1].weights
    (((Fraction(3, 1), Fraction(2, 1)),), ((Fraction(1, 6),),))
    """
    layers = []
    factors = [Fraction(1)] * network.dim
    for level, layer in enumerate(network.layers):
        rows = [tuple(w / factor for w, factor in zip(row, factors, strict=True)) for row in layer.weights]
        pairs = list(zip(rows, layer.biases, strict=True))
        final = level == network.depth - 1
        factors = [Fraction(1) if final else _clearing((*row, bias)) for row, bias in pairs]
        weights = tuple(tuple(w * factor for w in row) for row, factor in zip(rows, factors, strict=True))
        biases = tuple(bias * factor for bias, factor in zip(layer.biases, factors, strict=True))
        layers.append(AffineLayer(weights, biases))
    return ReluNetwork(network.dim, tuple(layers))


def _clearing(numbers: tuple[Fraction, ...]) -> Fraction:
    """The least positive factor that makes all numbers integers."""
    divisor = gcd(*(number.numerator for number in numbers))
    return Fraction(lcm(*(number.denominator for number in numbers)), divisor or 1)
