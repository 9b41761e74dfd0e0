"""Splitting: a neuron with a large outgoing weight becomes several equal ones that share it."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import ceil

from depthsep.errors import BadInput, OutOfReach
from depthsep.networks.relu import AffineLayer, ReluNetwork
from depthsep.small_weights.padding import MAX_NUMBERS

__all__ = ["split"]

_ZERO = Fraction(0)


def split(network: ReluNetwork, bound: Fraction, max_neurons: int = 4096) -> ReluNetwork:
    """Copy hidden neurons until no weight that leaves one is above the bound.

    The function is unchanged: the copies have the same row, hence the same value h, and the weights that read them add
    up to the weight w that read h. A share is the bound itself or what remains at the end, so that integers (and
    floats, where the bound is a power of two) stay such. Weights out of inputs and biases stay as they are.

    Args:
        network: Any network.
        bound: Positive. A neuron whose largest outgoing weight is W becomes ceil(W / bound) neurons.
        max_neurons: Refuse to go beyond this number of hidden neurons.

    Returns:
        The same function on all of R^d.

    Raises:
        BadInput: The bound is not positive.
        OutOfReach: Too many neurons, or more numbers than a document holds.

    >>> net = ReluNetwork.from_arrays([([[1]], [0]), ([[5]], [0])])
    >>> split(net, Fraction(2)).layers[1].weights
    ((Fraction(2, 1), Fraction(2, 1), Fraction(1, 1)),)
    """
    asked = f"split the neurons for a bound of {bound}"
    if not bound > 0:
        raise BadInput(asked, needed="a positive bound")
    inner = [_copies(width, layer, bound) for width, layer in zip(network.widths, network.layers[1:], strict=True)]
    copies = [[1] * network.dim, *inner, [1] * network.outputs]
    widths = [sum(counts) for counts in copies]
    neurons = sum(widths[1:-1])
    numbers = sum(after * (before + 1) for before, after in pairwise(widths))
    if neurons > max_neurons or numbers > MAX_NUMBERS:
        raise OutOfReach(
            asked,
            found=f"{neurons} neurons in place of {network.neurons}, and {numbers} weights and biases",
            needed=f"at most {max_neurons} neurons and {MAX_NUMBERS} weights and biases",
            do="balance the weights first, pad the network, or allow a larger bound",
            reached=neurons,
        )
    sides = zip(network.layers, pairwise(copies), strict=True)
    return ReluNetwork(network.dim, tuple(_split_layer(layer, *counts, bound) for layer, counts in sides))


def _copies(width: int, reader: AffineLayer, bound: Fraction) -> list[int]:
    """How many copies each neuron of a layer needs, from the layer that reads it."""
    largest = (max((abs(row[index]) for row in reader.weights), default=_ZERO) for index in range(width))
    return [max(1, ceil(weight / bound)) for weight in largest]


def _split_layer(layer: AffineLayer, before: list[int], after: list[int], bound: Fraction) -> AffineLayer:
    rows, biases = [], []
    for row, bias, count in zip(layer.weights, layer.biases, after, strict=True):
        shared = tuple(
            share for weight, parts in zip(row, before, strict=True) for share in _shares(weight, parts, bound)
        )
        rows += [shared] * count
        biases += [bias] * count
    return AffineLayer(tuple(rows), tuple(biases))


def _shares(weight: Fraction, parts: int, bound: Fraction) -> list[Fraction]:
    """A weight as that many numbers of its sign, each as large as the bound allows; a single one is the weight."""
    if parts == 1:
        return [weight]
    sign, left = (1 if weight > 0 else -1), abs(weight)
    shares = []
    for _ in range(parts):
        share = min(left, bound)
        shares.append(sign * share)
        left -= share
    return shares
