"""The full compiler against exact evaluation, on whole grids, in all modes."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest

from depthsep.errors import BadInput
from depthsep.networks.grids import DOMAINS
from depthsep.networks.relu import ReluNetwork
from depthsep.small_weights.compiler import MODES, Compiled, compile_on_grid, cost_on_grid
from depthsep.small_weights.layer_plan import Sum, Unit
from depthsep.small_weights.parameters import LayerParameters, Parameters

DEPTHS = {"theorem": lambda k: 3 * k + 3, "compact": lambda k: 5 * k + 1, "merged": lambda k: 2 * k + 2}


def whole_grid(dim: int, grid_bits: int) -> np.ndarray:
    return np.array(list(product(range(2**grid_bits + 1), repeat=dim)))


def some_points(dim: int, grid_bits: int) -> np.ndarray:
    """The whole grid, or on a line of many points every 23rd one and the ends of all coarse cells."""
    if grid_bits <= 8:
        return whole_grid(dim, grid_bits)
    cells = np.arange(0, 2**grid_bits + 1, 2 ** (grid_bits // 2))
    every = np.concatenate([np.arange(0, 2**grid_bits + 1, 23), cells, cells[1:] - 1])
    return np.unique(every)[:, np.newaxis]


def exact_values(network: ReluNetwork, grid_bits: int, domain: str) -> tuple[np.ndarray, Fraction]:
    """The outputs on the grid, and the largest |output|."""
    tops, bottom = network.grid_values(some_points(network.dim, grid_bits), grid_bits, domain)
    values = tops.astype(object) * Fraction(1, bottom)
    return values, max(map(abs, values.ravel()))


def check_equal(network: ReluNetwork, *, domain: str = DOMAINS[0], grid_bits: int = 3, **options: Any) -> Compiled:
    """Compile, and compare with exact evaluation at every grid point; the cost is what was built."""
    values, largest = exact_values(network, grid_bits, domain)
    options = {"range_bound": largest, "mode": "theorem", **options, "domain": domain, "grid_bits": grid_bits}
    compiled = compile_on_grid(network, **options)
    built, cost = compiled.network, compiled.cost
    tops, scale = built.grid_values(some_points(network.dim, grid_bits), grid_bits, domain)
    assert max(map(abs, (tops.astype(object) * scale - values).ravel())) <= compiled.error
    assert built.depth == DEPTHS[options["mode"]](network.depth)
    assert cost == cost_on_grid(network, **options)
    found = (built.depth, built.neurons, built.weights_count, built.nonzeros, built.stored_numbers, built.max_integer)
    assert found == (cost.depth, cost.neurons, cost.weights_count, cost.nonzeros, cost.stored, cost.max_integer)
    return compiled


def random_layer(
    rng: np.random.Generator, rows: int, columns: int, bits: int
) -> tuple[list[list[Fraction]], list[Fraction]]:
    """Weights of some bits over small denominators, some 0, some rows nearly cancelling, some layers dead."""

    def number() -> Fraction:
        return Fraction(int(rng.integers(-(2**30), 2**30 + 1)) * 2**bits // 2**30 + int(rng.integers(-1, 2)))

    weights = [
        [number() / int(rng.choice([1, 1, 3, 8])) if rng.random() < 0.85 else Fraction(0) for _ in range(columns)]
        for _ in range(rows)
    ]
    biases = [number() if rng.random() < 0.6 else Fraction(int(rng.integers(-2, 3))) for _ in range(rows)]
    for row in weights:
        if columns > 1 and rng.random() < 0.4:
            row[1] = int(rng.integers(-1, 2)) - row[0]
    dead = rng.random() < 0.06
    return weights, [Fraction(-(2**200))] * rows if dead else biases


def random_network(rng: np.random.Generator) -> ReluNetwork:
    outputs = 2 if rng.random() < 0.2 else 1
    widths = [int(rng.integers(1, 4)) for _ in range(int(rng.integers(1, 5)))] + [outputs]
    bits = int(rng.choice([1, 2, 8, 30, 60]))
    return ReluNetwork.from_arrays([random_layer(rng, rows, columns, bits) for columns, rows in pairwise(widths)])


def random_parameters(rng: np.random.Generator, hidden: int, grid_bits: int, mode: str) -> Parameters:
    fine_bits = int(rng.integers(1, grid_bits)) if grid_bits > 1 and mode != "merged" and rng.random() < 0.4 else None
    layers = (
        LayerParameters(int(rng.integers(2, 10)), int(rng.integers(2, 33)), int(rng.integers(1, 4)))
        for _ in range(hidden)
    )
    return Parameters(int(rng.integers(1, grid_bits + 1)), fine_bits, tuple(layers))


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("mode", MODES)
def test_random_networks_on_whole_grids(mode: str, domain: str) -> None:
    rng = np.random.default_rng([MODES.index(mode), DOMAINS.index(domain)])
    for _ in range(40):
        network, grid_bits = random_network(rng), int(rng.integers(1, 4))
        parameters = random_parameters(rng, network.depth - 1, grid_bits, mode)
        output_bits = None if rng.random() < 0.6 else int(rng.integers(1, 12))
        options = {"parameters": parameters, "output_bits": output_bits, "guard_bits": int(rng.integers(1, 5))}
        if _is_small(network, domain, grid_bits, mode, options):
            check_equal(network, domain=domain, grid_bits=grid_bits, mode=mode, **options)


def _is_small(network: ReluNetwork, domain: str, grid_bits: int, mode: str, options: dict[str, Any]) -> bool:
    """Whether it is built in no time: `merged` grows fast."""
    _, largest = exact_values(network, grid_bits, domain)
    cost = cost_on_grid(network, domain=domain, grid_bits=grid_bits, mode=mode, range_bound=largest, **options)
    return cost.stored < 30_000


BIG = 2**40
SPECIAL = {
    "comparator": [([[BIG, -BIG]], [1]), ([[1]], [0])],
    "comparison of 2^40 + 1 with 2^40": [([[BIG + 1, -BIG], [BIG + 1, -BIG]], [0, -1]), ([[1, -1]], [0])],
    "step": [([[2**60], [2**60]], [-(2**59), -(2**59) - 1]), ([[1, -1]], [0])],
    "tent of tents": [([[2], [4]], [0, -2]), ([[2, -2], [4, -4]], [0, -2]), ([[1, -1]], [0])],
    "thirds": [([["1/3"], ["-2/7"]], ["1/5", "1/3"]), ([["1/3", "1/9"]], ["-1/11"])],
    "dead layer": [([[-1], [-2]], [0, -1]), ([[1, 5]], [1]), ([[3]], [-2])],
    "constant neuron": [([[0], [1]], [3, 0]), ([[2, 1]], [-5]), ([[1]], [7])],
    "constant output": [([[1]], [0]), ([[0]], ["5/7"])],
    "zero": [([[0]], [0])],
    "no hidden layer": [([[3, "-1/2"]], ["1/4"])],
    "three outputs": [([[5, -3], [2, 7]], [-1, -4]), ([[1, 1], [0, 0], ["1/3", -9]], [0, 2, 1])],
    "beyond 63 bits": [([[2**90 + 1, -(2**90)], [3**60, -(3**60)]], [0, 1]), ([[3**50, -(2**70)]], [2**66])],
    "cancelling": [([[2**50, 1 - 2**50]], [-1]), ([[2**50], [2**50]], [1, 0]), ([[1, -1]], [0])],
}


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", SPECIAL)
def test_special_networks(name: str, mode: str, domain: str) -> None:
    network = ReluNetwork.from_arrays(SPECIAL[name])
    parameters = Parameters(1, None, (LayerParameters(4, 8, 2),) * (network.depth - 1)) if mode == "merged" else None
    compiled = check_equal(network, mode=mode, domain=domain, parameters=parameters)
    assert compiled.witness["mode"] == mode
    if name in ("comparison of 2^40 + 1 with 2^40", "step", "dead layer", "tent of tents"):
        assert compiled.error == 0


@pytest.mark.parametrize("grid_bits", [13, 14])
@pytest.mark.parametrize("mode", MODES)
def test_fine_grids_are_read_in_two_levels_at_the_same_depth(mode: str, grid_bits: int) -> None:
    network = ReluNetwork.from_arrays([([[BIG + 1], [-3]], [-(BIG // 3), 2]), ([[1, -1]], [0])])
    parameters = Parameters(1, None, (LayerParameters(4, 8, 1),)) if mode == "merged" else None
    compiled = check_equal(network, grid_bits=grid_bits, mode=mode, parameters=parameters)
    assert (compiled.witness["fine_bits"] is None) == (mode == "merged")
    assert compiled.network.widths[0] < 1000 or mode == "merged"


@pytest.mark.parametrize("fine_bits", [1, 3, 5])
@pytest.mark.parametrize("mode", ["theorem", "compact"])
def test_two_levels_of_any_split(mode: str, fine_bits: int) -> None:
    network = ReluNetwork.from_arrays([([[3, -5], [-(2**33), 2**33 + 1]], [1, 0]), ([[1, 1]], [0])])
    for digit_bits, domain in product((1, 2, 6), DOMAINS):
        parameters = Parameters(digit_bits, fine_bits, (LayerParameters(5, 8, 1),))
        compiled = check_equal(network, grid_bits=6, mode=mode, parameters=parameters, domain=domain, guard_bits=1)
        assert compiled.parameters == parameters


def test_columns_wider_than_machine_integers() -> None:
    network = ReluNetwork.from_arrays([([[3**80, -(3**80) - 1], [1, 1]], [1, -1]), ([[2**130, -1]], [2**120])])
    for mode in MODES:
        check_equal(network, mode=mode, grid_bits=2, parameters=Parameters(2, None, (LayerParameters(24, 2**14, 5),)))
    compiled = check_equal(ReluNetwork.from_arrays([([["1/3"]], [0]), ([["1/3"]], [5])]), grid_bits=2, output_bits=70)
    assert compiled.witness["modulus_bits"] > 64


def test_outputs_are_exact_where_that_is_cheap_and_else_within_a_part_of_the_range() -> None:
    thirds = ReluNetwork.from_arrays([([["1/3"]], [0]), ([["1/3"]], ["1/3"])])
    compiled = check_equal(thirds)
    assert (compiled.error, compiled.network.scale) == (0, Fraction(1, 72))
    fine = ReluNetwork.from_arrays([([[f"1/{3**20}"]], [0]), ([["1/3"]], ["1/3"])])
    compiled = check_equal(fine)
    assert 0 < compiled.error <= Fraction(1, 2) / 2**15
    assert compiled.network.scale.numerator == 1
    assert compiled.network.scale.denominator.bit_count() == 1


def test_output_bits_are_the_scale() -> None:
    network = ReluNetwork.from_arrays([([["1/3"]], [0]), ([["1/7"]], [1])])
    for output_bits in (0, 3, 40):
        assert check_equal(network, output_bits=output_bits).network.scale == Fraction(1, 2**output_bits)


def test_the_output_stays_in_the_range_wherever_x_is() -> None:
    network = ReluNetwork.from_arrays([([[BIG + 1, -BIG], [7, 9]], [0, -1]), ([["1/1024", -3]], [2])])
    compiled = check_equal(network, output_bits=6)
    bound = compiled.network.scale * -int(compiled.network.outputs[0].bias)
    points = np.random.default_rng(3).uniform(-1, 2, (3000, 2))
    assert np.abs(compiled.network(points)).max() <= bound


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("mode", MODES)
def test_beside_the_ramps_the_value_is_that_of_the_nearest_grid_point(mode: str, domain: str) -> None:
    network = ReluNetwork.from_arrays([([[5, -7], [2, 3]], [1, -2]), ([[1, -1]], [0])])
    compiled = check_equal(network, domain=domain, mode=mode)
    rng = np.random.default_rng(4)
    indices = rng.integers(0, 9, (200, 2))
    points = np.clip(indices + rng.uniform(-0.43, 0.43, indices.shape), 0, 8) / 8
    tops, scale = compiled.network.grid_values(indices, 3, domain)
    values = compiled.network(points if domain == DOMAINS[0] else 2 * points - 1)
    np.testing.assert_allclose(values, tops.astype(float) * float(scale), atol=1e-9)


def uniform_network(layers: list[int], bits: int) -> ReluNetwork:
    """Integers of some bits, uniform; the last layer times a power of two, so that sampled outputs are at most 16."""
    rng = np.random.default_rng(0)
    pairs = [
        (rng.integers(1 - 2**bits, 2**bits, (rows, columns)), rng.integers(1 - 2**bits, 2**bits, rows))
        for columns, rows in pairwise(layers)
    ]
    network = ReluNetwork.from_arrays(pairs)
    tops, bottom = network.grid_values(rng.integers(0, 257, (1000, layers[0])), 8, DOMAINS[0])
    shrink = Fraction(1, 2 ** (int(max(map(abs, tops.ravel())) // bottom // 8).bit_length()))
    weights, biases = (part.astype(object) * shrink for part in pairs[-1])
    return ReluNetwork.from_arrays([*pairs[:-1], (weights, biases)])


@pytest.mark.parametrize(
    ("mode", "layers", "bits", "most"),
    [
        ("theorem", [4, 16, 1], 32, 173_000),
        ("theorem", [2, 16, 16, 1], 8, 1_200_000),
        ("compact", [4, 16, 1], 32, 33_000),
        ("merged", [1, 4, 1], 8, 61_000),
    ],
)
def test_the_search_finds_cheap_parameters(mode: str, layers: list[int], bits: int, most: int) -> None:
    network = uniform_network(layers, bits)
    heard: list[str] = []
    cost = cost_on_grid(
        network,
        domain=DOMAINS[0],
        grid_bits=8,
        range_bound=Fraction(16),
        mode=mode,
        progress=lambda text, _fraction: heard.append(text),
    )
    assert cost.weights_count <= most
    assert cost.depth == DEPTHS[mode](len(layers) - 1)
    assert "choosing parameters" in heard


def test_a_compiled_network_evaluates_in_the_millions() -> None:
    """At random points of a grid that cannot be enumerated."""
    network = uniform_network([4, 16, 1], 32)
    compiled = compile_on_grid(network, domain=DOMAINS[0], grid_bits=8, range_bound=Fraction(16))
    indices = np.random.default_rng(5).integers(0, 257, (200, 4))
    tops, bottom = network.grid_values(indices, 8, DOMAINS[0])
    integers, scale = compiled.network.grid_values(indices, 8, DOMAINS[0])
    for top, integer in zip(tops.ravel().tolist(), integers.ravel().tolist(), strict=True):
        assert abs(integer * scale - Fraction(top, bottom)) <= compiled.error <= Fraction(1, 2**12)


TINY = ReluNetwork.from_arrays([([[1]], [0]), ([[1]], [0])])
LAYER = LayerParameters(4, 8, 1)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"domain": "[0,2]^d"}, "[0,2]^d"),
        ({"mode": "deep"}, "one of the modes theorem, compact, merged"),
        ({"grid_bits": 0}, "1 to 24 grid bits"),
        ({"grid_bits": 25}, "1 to 24 grid bits"),
        ({"guard_bits": 0}, "guard_bits = 0"),
        ({"range_bound": Fraction(-1)}, "a range of -1"),
        ({"parameters": Parameters(2, None, ())}, "a network with 1 of them"),
        ({"parameters": Parameters(4, None, (LAYER,))}, "input_digit_bits = 4"),
        ({"parameters": Parameters(2, 3, (LAYER,))}, "fine_bits = 3 in mode 'theorem'"),
        ({"parameters": Parameters(2, 1, (LAYER,)), "mode": "merged"}, "fine_bits = 1 in mode 'merged'"),
    ],
)
def test_bad_arguments_are_refused(options: dict[str, Any], text: str) -> None:
    good = {"domain": DOMAINS[0], "grid_bits": 3, "range_bound": Fraction(1)}
    compile_on_grid(TINY, **good)
    for function in (compile_on_grid, cost_on_grid):
        with pytest.raises(BadInput) as refused:
            function(TINY, **{**good, **options})
        assert text in str(refused.value)


@pytest.mark.parametrize("change", [{"column_bits": 1}, {"column_bits": 25}, {"digit_size": 1}, {"stride": 0}])
def test_parameters_out_of_range_are_refused(change: dict[str, int]) -> None:
    ((name, value),) = change.items()
    with pytest.raises(BadInput, match=f"{name} = {value}"):
        replace(LAYER, **change)


def test_readings_of_large_factors_are_exact() -> None:
    units, weights = Sum(((2**70, Unit(3)), (5, Unit(0, 2**61))), 1).entries()
    assert dict(zip(units.tolist(), weights.tolist(), strict=True)) == {3: 2**70, 0: 5 * 2**61}
