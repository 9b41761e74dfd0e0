"""The sizes of small-weight networks that were reached in trials: never more nonzeros, and each proved.

Integer weights and biases uniform in +-(2^b - 1) in all layers, 8 bits for every input, outputs divided by a power of
two so that they are at most 16, the error on the grid at most 2^-11 as in the trials. `python -m benchmarks --only
small_weights` prints the table with seconds.
"""

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from depthsep.networks.relu import AffineLayer, ReluNetwork
from depthsep.small_weights.balance import balance
from depthsep.small_weights.compiler import Cost, compile_on_grid, cost_on_grid
from depthsep.small_weights.parameters import LayerParameters, Parameters
from depthsep_check import check
from depthsep_check.document import encode

DOMAIN, GRID_BITS, RANGE = "[0,1]^d", 8, 16
DEPTHS = {"theorem": lambda k: 3 * k + 3, "compact": lambda k: 5 * k + 1, "merged": lambda k: 2 * k + 2}

# mode, k, d, m, b, and the most weights (of the merged network the trials counted them only)
SEARCHED = [
    ("theorem", 2, 4, 16, 32, 173_000),
    ("theorem", 2, 8, 64, 53, 4_800_000),
    ("theorem", 3, 2, 16, 8, 1_200_000),
    ("merged", 2, 4, 4, 16, 3_600_000),
]
# What the search finds in ten seconds.
KNOWN = (
    ("compact", 3, 2, 16, 53, 6_000_000),
    Parameters(3, None, (LayerParameters(8, 16, 2), LayerParameters(10, 32, 1))),
)


def random_network(depth: int, dim: int, width: int, bits: int) -> ReluNetwork:
    rng, largest = np.random.default_rng(0), 2**bits - 1
    pairs = pairwise([dim, *[width] * (depth - 1), 1])
    layers = [
        (
            rng.integers(-largest, largest, (rows, columns), endpoint=True),
            rng.integers(-largest, largest, rows, endpoint=True),
        )
        for columns, rows in pairs
    ]
    network = ReluNetwork.from_arrays(layers)
    tops, bottom = network.grid_values(rng.integers(0, 2**GRID_BITS + 1, (4096, dim)), GRID_BITS, DOMAIN)
    scale, reached = Fraction(1), Fraction(max(map(abs, tops.ravel().tolist())), bottom)
    while scale * reached > RANGE:
        scale /= 2
    last = network.layers[-1]
    weights = tuple(tuple(weight * scale for weight in row) for row in last.weights)
    return ReluNetwork(dim, (*network.layers[:-1], AffineLayer(weights, tuple(bias * scale for bias in last.biases))))


def options(mode: str, parameters: Parameters | None = None) -> dict[str, Any]:
    return {
        "mode": mode, "domain": DOMAIN, "grid_bits": GRID_BITS, "guard_bits": 4, "range_bound": Fraction(RANGE),
        "parameters": parameters,
    }  # fmt: skip


def require_built(source: ReluNetwork, mode: str, cost: Cost, most: int) -> None:
    """Build what the cost is of, and insist on its depth, its weights, its values and its proof."""
    compiled = compile_on_grid(source, **options(mode, cost.parameters))
    network = balance(compiled.network).network
    assert network.depth == DEPTHS[mode](source.depth) == cost.depth
    assert source.nonzeros < network.weights_count == cost.weights_count <= most
    assert 1 < network.max_weight <= 2**12
    assert 0 < compiled.error <= Fraction(1, 2**11)

    indices = np.random.default_rng(1).integers(0, 2**GRID_BITS + 1, (64, source.dim))
    tops, bottom = source.grid_values(indices, GRID_BITS, DOMAIN)
    integers, scale = network.grid_values(indices, GRID_BITS, DOMAIN)
    values = [Fraction(top, bottom) for top in tops[:, 0].tolist()]
    inside = [abs(value) <= RANGE for value in values]
    assert sum(inside) > 32
    for value, integer, compared in zip(values, integers[:, 0].tolist(), inside, strict=True):
        assert not compared or abs(value - integer * scale) <= compiled.error

    claim = {
        "kind": "grid-equality", "dim": source.dim, "outputs": 1, "domain": DOMAIN, "grid_bits": GRID_BITS,
        "arithmetic": "real", "range": str(RANGE), "range_proof": "assumed", "error": str(compiled.error),
        "max_weight": str(network.max_weight), "off_grid": None,
    }  # fmt: skip
    parts = {"function": source.to_json(), "claim": claim, "network": network.to_json(), "witness": compiled.witness}
    verdict = check(encode({"format": "depthsep", "version": 1, "made_by": "a test", **parts}))
    assert verdict.ok, verdict.line
    assert f"depth {network.depth}," in verdict.text


@pytest.mark.parametrize(("mode", "depth", "dim", "width", "bits", "most"), SEARCHED)
def test_searched(mode: str, depth: int, dim: int, width: int, bits: int, most: int) -> None:
    source = random_network(depth, dim, width, bits)
    require_built(source, mode, cost_on_grid(source, **options(mode)), most)


def test_known_parameters() -> None:
    (mode, depth, *shape, most), parameters = KNOWN
    source = random_network(depth, *shape)
    require_built(source, mode, cost_on_grid(source, **options(mode, parameters)), most)
