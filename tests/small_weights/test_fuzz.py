"""Two thousand random networks through the whole chain: compiled, balanced, certified, compared on the whole grid."""

import random
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest

from depthsep.certificates.equality import certify_equality
from depthsep.networks.relu import ReluNetwork
from depthsep.small_weights.balance import balanced_exponents
from depthsep.small_weights.compiler import MODES, compile_on_grid, cost_on_grid
from depthsep.small_weights.parameters import LayerParameters, Parameters

DOMAINS = ("[0,1]^d", "[-1,1]^d")
BATCHES, PER_BATCH = 40, 50
STORED = 3000  # numbers in a network
Layers = list[tuple[list[list[Fraction]], list[Fraction]]]


def _shape(rng: random.Random) -> list[int]:
    depth = rng.choice((2, 2, 2, 3, 3, 4))
    return [rng.choice((1, 1, 2)), *(rng.randint(1, 3 if depth < 4 else 2) for _ in range(depth - 1)), 1]


def _random(rng: random.Random, bits: int, bottom: int = 1) -> Layers:
    def number() -> Fraction:
        return Fraction(rng.randint(-(2**bits), 2**bits), bottom) if rng.random() < 0.85 else Fraction(0)

    sizes = _shape(rng)
    return [
        ([[number() for _ in range(before)] for _ in range(after)], [number() for _ in range(after)])
        for before, after in pairwise(sizes)
    ]


def _cancelling(rng: random.Random) -> Layers:
    """Rows whose weights almost cancel: the sign hangs on the last bits of large numbers."""
    layers = _random(rng, rng.choice((8, 20, 40)))
    for weights, biases in layers:
        for place, row in enumerate(weights):
            row[1:] = [-row[0] + rng.randint(-1, 1) for _ in row[1:]]
            biases[place] = rng.choice((Fraction(0), Fraction(1), -row[0], -row[0] / 2))
    return layers


def _comparator(rng: random.Random) -> Layers:
    """[x >= c], or [x_1 >= x_2], by two steep units."""
    steep = Fraction(2 ** rng.randint(8, 60) + rng.randint(0, 1))
    row = rng.choice(([steep], [steep, -steep]))
    place = steep * Fraction(rng.randint(-8, 8), 8)
    return [([row, list(row)], [-place, -place - 1]), ([[Fraction(1), Fraction(-1)]], [Fraction(rng.randint(-1, 1))])]


def _tent(rng: random.Random) -> Layers:
    """A tent, folded once or twice."""
    fold = ([[Fraction(2)], [Fraction(4)]], [Fraction(0), Fraction(-2)])
    again = ([[Fraction(2), Fraction(-2)], [Fraction(4), Fraction(-4)]], [Fraction(0), Fraction(-2)])
    top = 2 ** rng.choice((0, 10, 50))
    return [fold, *[again] * rng.randint(0, 2), ([[Fraction(top), Fraction(-top)]], [Fraction(rng.randint(-3, 3))])]


def _dead(rng: random.Random) -> Layers:
    """A layer in which no neuron is ever positive, or none depends on anything."""
    layers = _random(rng, 6)
    weights, biases = layers[rng.randrange(len(layers) - 1)]
    for place, row in enumerate(weights):
        row[:] = [-abs(w) for w in row] if rng.random() < 0.5 else [Fraction(0)] * len(row)
        biases[place] = -sum(map(abs, row), Fraction(rng.randint(0, 3)))
    return layers


FAMILIES: tuple[Callable[[random.Random], Layers], ...] = (
    lambda rng: _random(rng, rng.choice((1, 2, 3, 8))),
    lambda rng: _random(rng, rng.choice((16, 32))),
    lambda rng: _random(rng, 60),
    lambda rng: _random(rng, rng.choice((2, 5)), bottom=3),
    _cancelling,
    _comparator,
    _tent,
    _dead,
)


def _parameters(rng: random.Random, hidden: int, grid_bits: int, mode: str) -> Parameters:
    large = mode != "merged"
    fine = rng.choice((None, *range(1, grid_bits))) if large else None
    sizes = (2, 3, 8, 16, 32) if large else (2, 3, 4)
    layers = [
        LayerParameters(rng.randint(2, 8 if large else 5), rng.choice(sizes), rng.randint(1, 3)) for _ in range(hidden)
    ]
    return Parameters(rng.randint(1, grid_bits), fine, tuple(layers))


def _indices(dim: int, grid_bits: int) -> np.ndarray:
    return np.array(list(product(range(2**grid_bits + 1), repeat=dim)), dtype=np.int64)


def _largest(source: ReluNetwork, grid_bits: int, domain: str) -> Fraction:
    values, bottom = source.grid_values(_indices(source.dim, grid_bits), grid_bits, domain)
    return Fraction(max(map(abs, values[:, 0].tolist())), bottom)


def _case(seed: int) -> tuple[ReluNetwork, dict[str, Any]]:
    """A network of the family that is due and how to compile it; those that would grow large are drawn again."""
    rng = random.Random(seed)
    while True:
        source = ReluNetwork.from_arrays(FAMILIES[seed % len(FAMILIES)](rng))
        mode, domain, grid_bits = rng.choice(MODES), rng.choice(DOMAINS), rng.randint(1, 4 if source.dim == 1 else 3)
        request: dict[str, Any] = {
            "domain": domain,
            "grid_bits": grid_bits,
            "range_bound": _largest(source, grid_bits, domain),
            "mode": mode,
            "guard_bits": rng.randint(1, 4),
            "output_bits": rng.choice((None, None, 0, 3)),
            "parameters": _parameters(rng, source.depth - 1, grid_bits, mode),
        }
        if cost_on_grid(source, **request).stored < STORED:
            return source, request


@pytest.mark.parametrize("batch", range(BATCHES))
def test_compiled_networks_agree_with_exact_evaluation_on_the_whole_grid(batch: int) -> None:
    for seed in range(batch * PER_BATCH, (batch + 1) * PER_BATCH):
        source, request = _case(seed)
        domain, grid_bits, mode = request["domain"], request["grid_bits"], request["mode"]
        indices = _indices(source.dim, grid_bits)
        wanted, bottom = source.grid_values(indices, grid_bits, domain)
        compiled = compile_on_grid(source, **request)
        network = compiled.network.with_exponents(balanced_exponents(compiled.network))
        claim = {
            "kind": "grid-equality",
            "dim": source.dim,
            "outputs": 1,
            "domain": domain,
            "grid_bits": grid_bits,
            "arithmetic": "real",
            "range": str(request["range_bound"]),
            "range_proof": "enumeration",
            "error": str(compiled.error),
            "max_weight": str(network.max_weight),
            "off_grid": None,
        }
        certified = certify_equality(source, network, claim, compiled.witness)
        assert certified.verdict.ok
        found, scale = network.grid_values(indices, grid_bits, domain)
        errors = [
            abs(scale * int(value) - Fraction(int(exact), bottom))
            for value, exact in zip(found[:, 0], wanted[:, 0], strict=True)
        ]
        assert max(errors) <= compiled.error, (seed, mode)
        depths = {"theorem": 3 * source.depth + 3, "compact": 5 * source.depth + 1, "merged": 2 * source.depth + 2}
        assert network.depth == depths[mode]
