"""Networks as threshold circuits and back: whole truth tables, checked documents, the counts that were promised."""

import random
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest

from depthsep.certificates.equality import certify_equality
from depthsep.errors import BadInput, OutOfReach
from depthsep.networks.circuit import Circuit, CircuitOutput, GateBlock
from depthsep.networks.grids import DOMAINS
from depthsep.networks.relu import ReluNetwork
from depthsep.small_weights import circuits as module
from depthsep.small_weights.barrier import barrier_report
from depthsep.small_weights.circuit_networks import network_of, network_on_grid
from depthsep.small_weights.circuits import ColumnChoice, CompiledCircuit, circuit_cost, circuit_of

UNIT, SYMMETRIC = DOMAINS
STEP = ReluNetwork.from_arrays([([[2**30], [2**30]], ["-3/10", "-3/10"]), ([[1, -1]], [0])])
TENT = ReluNetwork.from_arrays([([[2], [4]], [0, -2]), ([[2, -2], [4, -4]], [0, -2]), ([[1, -1]], [0])])
NETWORKS = {
    "affine": ReluNetwork.from_arrays([([[3, -5]], [1])]),
    "thirds": ReluNetwork.from_arrays([([["1/3", "-2/7"], [1, "1/3"]], ["1/5", "-2/3"]), ([["1/3", -1]], ["1/9"])]),
    "cancelling": ReluNetwork.from_arrays([([[2**60 + 1], [2**60]], [-7, 2**50]), ([[1, -1]], [2**50])]),
    "tent": TENT,
    "dead layer": ReluNetwork.from_arrays([([[1], [1]], [-2, -9]), ([[5, 2]], [1]), ([[3]], [-2])]),
    "no weights": ReluNetwork.from_arrays([([[0, 0]], [0]), ([[0]], ["1/2"])]),
    "constants": ReluNetwork.from_arrays([([[0, 0], [1, 1]], [2, 0]), ([[1, 1], [1, 0]], [0, -1]), ([[3, 4]], [-10])]),
    "two outputs": ReluNetwork.from_arrays([([[2, -3], [-1, 2]], [0, 1]), ([[1, -2], [3, 1]], [0, -1])]),
    "comparator": ReluNetwork.from_arrays([([[1, -1], [1, -1]], [0, "-1/8"]), ([[8, -8]], [0])]),
}


def grid(dim: int, grid_bits: int) -> np.ndarray[Any, Any]:
    return np.array(list(product(range(2**grid_bits), repeat=dim)))


def bits_of(indices: np.ndarray[Any, Any], grid_bits: int) -> np.ndarray[Any, Any]:
    return (indices[:, :, None] >> np.arange(grid_bits) & 1).reshape(len(indices), -1)


def table(network: ReluNetwork, claim: dict[str, Any]) -> list[int]:
    """The truth table by exact evaluation."""
    indices = grid(network.dim, claim["grid_bits"])
    values, denominator = network.grid_values(indices, claim["grid_bits"], claim["domain"])
    column = values[:, claim["output"]].tolist()
    return [int(Fraction(value, denominator) >= Fraction(claim["threshold"])) for value in column]


def require_proved(network: ReluNetwork, compiled: CompiledCircuit) -> None:
    """The truth table, the promised numbers, and the checker's verdict."""
    circuit, cost, claim = compiled.circuit, compiled.cost, compiled.claim
    points = bits_of(grid(network.dim, claim["grid_bits"]), claim["grid_bits"])
    assert circuit.evaluate(points).tolist() == table(network, claim)
    numbers = (circuit.inputs, circuit.depth, circuit.size, circuit.wires, circuit.max_weight)
    assert numbers == (cost.inputs, cost.depth, cost.gates, cost.wires, cost.max_weight)
    blocks = [block for blocks in circuit.levels for block in blocks]
    assert cost.numbers == sum(2 * len(block.inputs) + len(block.thresholds) for block in blocks)
    assert circuit.depth == 2 * network.depth + 1
    assert all(digit in (0, 1) for digit in circuit.evaluate(points))
    assert Circuit.from_json(circuit.to_json()) == circuit
    assert certify_equality(network, circuit, claim, compiled.witness).verdict.ok


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("grid_bits", [1, 2, 3])
def test_truth_tables(name: str, domain: str, grid_bits: int) -> None:
    network = NETWORKS[name]
    values, denominator = network.grid_values(grid(network.dim, grid_bits), grid_bits, domain)
    seen = sorted(Fraction(int(value), denominator) for value in values[:, -1])
    middle = seen[len(seen) // 2]
    for threshold in (0, middle, middle + Fraction(1, 10**9), seen[0] - 1, seen[-1] + 1):
        compiled = circuit_of(
            network, domain=domain, grid_bits=grid_bits, output=network.outputs - 1, threshold=threshold
        )
        require_proved(network, compiled)


def random_network(rng: random.Random) -> ReluNetwork:
    largest, denominators = rng.choice((3, 100, 2**20, 2**60)), rng.choice(((1,), (1, 2, 3)))

    def number() -> Fraction:
        return Fraction(rng.choice((rng.randint(-largest, largest), rng.randint(-3, 3), 0)), rng.choice(denominators))

    widths = [rng.randint(1, 2), *(rng.randint(1, 3) for _ in range(rng.randint(0, 2))), rng.randint(1, 2)]
    shapes = pairwise(widths)
    return ReluNetwork.from_arrays(
        [([[number() for _ in range(a)] for _ in range(b)], [number() for _ in range(b)]) for a, b in shapes]
    )


@pytest.mark.parametrize("seed", range(4))
def test_random_networks_and_columns(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(15):
        network = random_network(rng)
        choices = [ColumnChoice(rng.randint(2, 7), rng.randint(1, 3)) for _ in range(network.depth)]
        compiled = circuit_of(
            network,
            domain=rng.choice(DOMAINS),
            grid_bits=rng.randint(1, 3),
            output=rng.randrange(network.outputs),
            threshold=Fraction(rng.randint(-9, 9), rng.randint(1, 5)),
            choices=choices if rng.random() < 0.7 else None,
        )
        require_proved(network, compiled)


def test_weights_stay_small_whatever_those_of_the_network() -> None:
    largest, widths = [], []
    for bits in (20, 40, 80):
        network = ReluNetwork.from_arrays([([[2**bits + 1], [2**bits]], [0, 0]), ([[1, -1]], ["-1/2"])])
        compiled = circuit_of(network, domain=UNIT, grid_bits=4, choices=[ColumnChoice(3, 2)] * 2)
        require_proved(network, compiled)
        largest.append(compiled.circuit.max_weight)
        widths.append(compiled.circuit.size)
    assert max(largest) < 2**12
    assert widths == sorted(set(widths))


def test_the_chosen_columns_are_the_best_uniform_ones_or_better() -> None:
    request: dict[str, Any] = {"domain": UNIT, "grid_bits": 3}
    chosen = circuit_cost(NETWORKS["thirds"], **request)
    for bits in (2, 3, 4, 6):
        uniform = [ColumnChoice(bits, 2)] * 2
        assert chosen.rank <= circuit_cost(NETWORKS["thirds"], choices=uniform, **request).rank
    assert circuit_of(NETWORKS["thirds"], choices=chosen.choices, **request).cost == chosen


def test_progress_is_told() -> None:
    told: list[str] = []
    circuit_of(STEP, domain=UNIT, grid_bits=2, progress=lambda text, _: told.append(text))
    assert set(told) == {"choosing columns", "building the circuit"}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"grid_bits": 0}, "0 bits\n  needed: an integer from 1 to 30"),
        ({"grid_bits": 31}, "31 bits"),
        ({"output": 1}, "1 outputs\n  needed: an output from 0 to 0"),
        ({"threshold": "one"}, "read the threshold\n  found:  'one'"),
        ({"domain": "R^d"}, "R^d"),
        ({"choices": [ColumnChoice(3, 1)]}, "2 of them, one for each layer"),
        ({"choices": [ColumnChoice(1, 1)] * 2}, "column_bits from 2 to 32"),
        ({"choices": [ColumnChoice(3, 0)] * 2}, "stride from 1 to 64"),
    ],
)
def test_requests_without_sense(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(BadInput) as caught:
        circuit_of(STEP, **{"domain": UNIT, "grid_bits": 2, **changes})
    assert text in str(caught.value)


def test_too_many_gates_are_predicted(monkeypatch: pytest.MonkeyPatch) -> None:
    request: dict[str, Any] = {"domain": UNIT, "grid_bits": 4}
    cost = circuit_cost(STEP, **request)
    with pytest.raises(OutOfReach) as caught:
        circuit_of(STEP, max_gates=cost.gates - 1, **request)
    assert caught.value.reached == cost
    assert f"{cost.gates} gates and {cost.wires} wires (predicted)" in str(caught.value)
    assert circuit_of(STEP, max_gates=cost.gates, **request).circuit.size == cost.gates
    monkeypatch.setattr(module, "_MAX_NUMBERS", cost.numbers - 1)
    with pytest.raises(OutOfReach, match="integers, which a document holds"):
        circuit_of(STEP, **request)
    monkeypatch.setattr(module, "_COUNTED_GATES", 5)
    with pytest.raises(OutOfReach, match="more than 5 gates or 200000000 stored integers, where counting stops"):
        circuit_cost(STEP, **request)


# ------------------------------------------------------------------------------------------------------------------
# Back to networks


def random_circuit(rng: random.Random, inputs: int) -> Circuit:
    def row(width: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        reads = sorted(rng.sample(range(width), rng.randint(0, width)))
        return tuple(reads), tuple(rng.choice((-3, -1, 1, 2)) for _ in reads)

    width, levels = inputs, []
    for _ in range(rng.randint(0, 3)):
        level = [GateBlock(*row(width), tuple(rng.randint(-4, 4) for _ in range(3))) for _ in range(2)]
        levels.append(tuple(level))
        width = 6
    return Circuit(inputs, tuple(levels), CircuitOutput(*row(width), rng.randint(-3, 3)))


@pytest.mark.parametrize("seed", range(6))
def test_a_circuit_as_a_network(seed: int) -> None:
    circuit = random_circuit(random.Random(seed), 4)
    points = np.array(list(product((0, 1), repeat=4)))
    expected = circuit.evaluate(points).tolist()
    network = network_of(circuit)
    assert network.depth == circuit.depth + 1
    assert all(width <= 2 * gates for width, gates in zip(network.widths, circuit.widths, strict=True))
    exact = [network.evaluate_exact([Fraction(int(bit)) for bit in point]) for point in points]
    assert exact == [(value,) for value in expected]
    ramped = network_of(circuit, ramp=True, slope_bits=3)
    assert ramped.depth == circuit.depth + 2
    below, above = [Fraction(0), Fraction(3, 8)], [Fraction(1, 2), Fraction(9, 11)]
    for side in (0, 1):
        real = [[(below, above)[bit][side] for bit in point] for point in points.tolist()]
        assert [ramped.evaluate_exact(point) for point in real] == exact


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("guard_bits", [1, 3])
def test_there_and_back_again(domain: str, guard_bits: int) -> None:
    """network -> circuit -> network of depth 2k + 3 on the coordinates, exact on the grid and off the ramps."""
    source = NETWORKS["thirds"]
    compiled = circuit_of(source, domain=domain, grid_bits=2, choices=[ColumnChoice(3, 2)] * 2)
    circuit = compiled.circuit
    back = network_on_grid(circuit, domain=domain, grid_bits=2, guard_bits=guard_bits, max_numbers=10**7)
    assert (back.dim, back.depth) == (2, 2 * source.depth + 3)
    report = barrier_report(source, domain=domain, grid_bits=2, cost=compiled.cost, guard_bits=guard_bits)
    assert back.neurons <= report.neurons_upper
    assert back.max_weight <= report.max_weight_upper
    assert back.widths[0] == report.ramp_neurons
    values, denominator = back.grid_values(grid(2, 2), 2, domain)
    assert denominator == 4
    assert (values[:, 0] // 4).tolist() == table(source, compiled.claim)
    nudge = (Fraction(1, 2) - Fraction(1, 2**guard_bits)) / 4 * (1 if domain == UNIT else 2)
    for x, y in grid(2, 2).tolist():
        point = [Fraction(x, 4), Fraction(y, 4)] if domain == UNIT else [Fraction(x, 2) - 1, Fraction(y, 2) - 1]
        expected = back.evaluate_exact(point)
        assert back.evaluate_exact([point[0] + nudge, point[1] - nudge]) == expected


def test_networks_of_circuits_that_make_no_sense_or_are_too_large() -> None:
    circuit = Circuit.from_gates(3, [[([1, 1, 1], 2)]])
    with pytest.raises(BadInput, match="a number of bits that divides the number of input bits"):
        network_on_grid(circuit, domain=UNIT, grid_bits=2)
    with pytest.raises(BadInput, match="guard_bits = 0"):
        network_on_grid(circuit, domain=UNIT, grid_bits=3, guard_bits=0)
    with pytest.raises(BadInput, match="slope_bits = 0"):
        network_of(circuit, ramp=True, slope_bits=0)
    with pytest.raises(OutOfReach, match="layers of 2, 1 units: 11 weights and biases") as caught:
        network_of(circuit, max_numbers=10)
    assert caught.value.reached == 11
    assert network_of(circuit, max_numbers=11).neurons == 2


# ------------------------------------------------------------------------------------------------------------------
# The barrier report


def test_the_barrier_report_states_the_implication_and_no_bound() -> None:
    report = barrier_report(STEP, domain=SYMMETRIC, grid_bits=5, threshold="1/2")
    cost = circuit_cost(STEP, domain=SYMMETRIC, grid_bits=5, threshold="1/2")
    assert report.circuit == cost
    assert [(row.circuit_depth, row.network_depth) for row in report.rows] == [(2, 4), (3, 5), (4, 6)]
    assert report.ramp_neurons == 2 * 31
    assert report.neurons_upper == 2 * cost.gates + 62
    data = report.to_json()
    assert data["proves_lower_bound"] is False
    assert data["circuit"]["depth"] == 5
    assert data["network_of_circuit"]["depth"] == 7
    assert data["text"] == report.text
    for part in (
        "if no network of depth t + 2 with polynomial size and weights equals [f >= 1/2] on the grid, then g has no",
        f"depth 2k + 1 = 5 with {cost.gates} gates",
        "p = O(log d)",
        "t = 2 (networks of depth 4): exponential lower bounds are known",
        "t = 3 (networks of depth 5): open",
        "out of reach of natural proofs",
        "x_j = 2 X_j / 2^5 - 1",
        "t >= 5: the circuit above exists",
    ):
        assert part in report.text
    assert report.text.endswith("This report states an implication; it proves no lower bound.")


def test_a_report_needs_sensible_input() -> None:
    with pytest.raises(BadInput, match="guard_bits = 0"):
        barrier_report(STEP, domain=UNIT, grid_bits=3, guard_bits=0)
    with pytest.raises(BadInput):
        barrier_report(STEP, domain="R^d", grid_bits=3)
