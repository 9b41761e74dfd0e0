"""Padding: identity layers after the output, which give the balancing of weights more layers to share a product.

A path of product P through n layers needs a weight of P^(1/n) however the neurons are scaled; e more layers make that
P^(1/(n+e)), and with r copies of every new neuron each of the e layers divides the product by r. So a bound B is met,
for paths that start in layer l of k, if P <= B^(k-l+1+e) r^e.
"""

from __future__ import annotations

from fractions import Fraction

from depthsep.errors import BadInput, OutOfReach
from depthsep.networks.relu import AffineLayer, ReluNetwork

__all__ = ["MAX_LAYERS", "MAX_NUMBERS", "pad"]

# What a document holds.
MAX_LAYERS = 64
MAX_NUMBERS = 1_000_000


def pad(network: ReluNetwork, depth: int, copies: int = 1) -> ReluNetwork:
    """Append identity layers until the depth is reached.

    The function is unchanged: y = relu(y) - relu(-y) for every real y, a ReLU is its own ReLU, and the mean of equal
    copies is each of them.

    Args:
        network: Any network.
        depth: The number of weight layers wanted, at least that of the network and at most 64.
        copies: How many neurons for each of relu(y) and relu(-y). Powers of two keep floats exact.

    Returns:
        The same function on all of R^d, with 2 * copies neurons per output in every new layer.

    Raises:
        BadInput: The depth or the number of copies is out of range.
        OutOfReach: More numbers than a document holds.

    >>> net = ReluNetwork.from_arrays([([[2]], [1])])
    >>> deep = pad(net, 3)
    >>> deep.widths, deep.evaluate_exact([Fraction(-3)])
    ((2, 2), (Fraction(-5, 1),))
    """
    asked = f"pad a network of depth {network.depth} to depth {depth} with {copies} copies"
    if not network.depth <= depth <= MAX_LAYERS:
        raise BadInput(asked, needed=f"a depth between {network.depth} and {MAX_LAYERS}")
    if copies < 1:
        raise BadInput(asked, needed="at least one copy")
    if depth == network.depth:
        return network
    width = 2 * copies * network.outputs
    numbers = (depth - network.depth) * width * (width + 1)
    if numbers > MAX_NUMBERS:
        raise OutOfReach(
            asked,
            found=f"{numbers} weights and biases in the new layers of {width} neurons each",
            needed=f"at most {MAX_NUMBERS}",
            do="ask for fewer layers or copies",
            reached=numbers,
        )
    *hidden, last = network.layers
    mean = AffineLayer(_signed_means(network.outputs, copies), (Fraction(0),) * network.outputs)
    kept = tuple(tuple(max(entry, Fraction(0)) for entry in row) for row in mean.weights)
    lost = tuple(tuple(max(-entry, Fraction(0)) for entry in row) for row in mean.weights)
    identity = AffineLayer((*kept, *lost) * copies, (Fraction(0),) * width)
    identities = [identity] * (depth - network.depth - 1)
    return ReluNetwork(network.dim, (*hidden, _two_sided(last, copies), *identities, mean))


def _two_sided(layer: AffineLayer, copies: int) -> AffineLayer:
    """The rows of relu(y) for each output y, those of relu(-y), and all that again for every copy."""
    negative = tuple(tuple(-weight for weight in row) for row in layer.weights)
    biases = (*layer.biases, *(-bias for bias in layer.biases))
    return AffineLayer((*layer.weights, *negative) * copies, biases * copies)


def _signed_means(outputs: int, copies: int) -> tuple[tuple[Fraction, ...], ...]:
    """For each output the mean of its copies of relu(y) minus that of its copies of relu(-y)."""
    share, zero = Fraction(1, copies), Fraction(0)
    rows = []
    for output in range(outputs):
        positive = [zero] * output + [share] + [zero] * (outputs - 1 - output)
        rows.append((*positive, *(-entry for entry in positive)) * copies)
    return tuple(rows)
