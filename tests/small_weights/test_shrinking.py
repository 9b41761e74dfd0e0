from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import depthsep as ds
from depthsep.errors import BadInput, OutOfReach
from depthsep.networks.circuit import Circuit
from depthsep.shrinking import Shrunk, circuit_barrier, plan_circuit

BIG = 2**40
COMPARATOR = ds.ReluNetwork.from_arrays([([[BIG + 1, -BIG], [BIG, -BIG]], [0, 0]), ([[1, -1]], [0])])
UNIT, SIGNED = "[0,1]^d", "[-1,1]^d"


def random_network(widths: tuple[int, ...], bits: int, seed: int) -> ds.ReluNetwork:
    """Weights in thirds of up to that many bits, some of them 0; widths from the inputs to the outputs."""
    rng = np.random.default_rng(seed)

    def number() -> Fraction:
        return Fraction(int(rng.integers(-(2**bits), 2**bits)) * int(rng.random() < 0.8), int(rng.choice([1, 2, 3])))

    layers = [
        ([[number() for _ in range(columns)] for _ in range(rows)], [number() for _ in range(rows)])
        for columns, rows in pairwise(widths)
    ]
    return ds.ReluNetwork.from_arrays(layers)


def whole_grid(dim: int, bits: int) -> np.ndarray:
    return np.indices((2**bits + 1,) * dim).reshape(dim, -1).T


def largest_distance(shrunk: Shrunk, bits: int, domain: str) -> Fraction:
    """Over the whole grid, exactly."""
    indices = whole_grid(shrunk.source.dim, bits)
    tops, bottom = shrunk.source.grid_values(indices, bits, domain)
    integers, scale = shrunk.network.grid_values(indices, bits, domain)
    pairs = zip(tops.ravel().tolist(), integers.ravel().tolist(), strict=True)
    return max(abs(Fraction(top, bottom) - integer * scale) for top, integer in pairs)


@pytest.mark.parametrize("mode", ["theorem", "compact", "merged"])
@pytest.mark.parametrize("domain", [UNIT, SIGNED])
@pytest.mark.parametrize(("widths", "bits"), [((2, 2, 2), 5), ((1, 2, 2, 1), 3), ((3, 2), 20)])
def test_every_mode_agrees_on_the_whole_grid(mode: str, domain: str, widths: tuple[int, ...], bits: int) -> None:
    source = random_network(widths, bits, seed=len(widths) + bits)
    shrunk = ds.shrink(source, grid_bits=2, mode=mode, domain=domain)
    k = source.depth
    assert shrunk.verdict.ok
    assert shrunk.source is source
    assert (shrunk.way.name, shrunk.exact_on, shrunk.range_proof) == (
        mode,
        "grid",
        shrunk.document["claim"]["range_proof"],
    )
    assert shrunk.depth == shrunk.way.depth == {"theorem": 3 * k + 3, "compact": 5 * k + 1, "merged": 2 * k + 2}[mode]
    assert largest_distance(shrunk, 2, domain) <= shrunk.certified.error_upper
    assert shrunk.max_weight == shrunk.way.max_weight == shrunk.network.max_weight
    assert shrunk.off_grid.mean_error_estimate <= shrunk.off_grid.mean_error_upper


@pytest.mark.parametrize("request_", [{}, {"max_weight": 64}, {"mode": "pad"}, {"mode": "split", "max_weight": "2^18"}])
def test_the_exact_ways_are_equal_everywhere(request_: dict[str, Any]) -> None:
    shrunk = ds.shrink(COMPARATOR, **request_)
    assert shrunk.verdict.ok
    assert (shrunk.exact_on, shrunk.grid, shrunk.off_grid, shrunk.float_obstacles) == ("everywhere", None, None, {})
    for point in ([Fraction(1, 3), Fraction(-5, 7)], [Fraction(5), Fraction(5)], [Fraction(10**6), Fraction(1)]):
        assert shrunk.network.evaluate_exact(point) == COMPARATOR.evaluate_exact(point)
    assert shrunk.max_weight / 2 < shrunk.rescaling_lower <= shrunk.max_weight


def test_balance_states_the_optimum() -> None:
    shrunk = ds.balance([([[2**20]], [0]), ([[1]], [0])])
    assert (shrunk.max_weight, shrunk.rescaling_lower, shrunk.way.name) == (1024, 1024, "balance")
    assert shrunk.hints == (
        "the 2 numbers on a path from input 0 multiply to 2^20, so one of them stays at 1024 or above however the "
        "neurons are rescaled",
    )


def test_a_network_without_paths_is_balanced_too() -> None:
    shrunk = ds.balance([([[0]], [3]), ([[0]], [0])])
    assert shrunk.verdict.ok
    assert (shrunk.rescaling_lower, shrunk.hints) == (None, ())


def test_only_what_meets_the_bound_comes_back() -> None:
    # nothing that is equal everywhere: the outputs stay below 1 on the grid, but a path has the product 2^200
    source = ds.ReluNetwork.from_arrays([([[2**200]], [1 - 2**199]), ([[1]], [0]), ([["1/2"]], [0])])
    saw = ds.ReluNetwork.from_arrays([([[2**100], [2**100]], [1 - 2**99, -(2**99)]), ([[1, -1]], [0])])
    with pytest.raises(OutOfReach) as caught:
        ds.shrink(saw, max_weight=16)
    assert "balance: 2^50 is above 16" in caught.value.found
    assert "--grid-bits P" in caught.value.do
    assert Fraction(caught.value.reached["max_weight"]) > 16
    shrunk = ds.shrink(saw, max_weight=16, grid_bits=3)
    assert shrunk.max_weight <= 16
    assert (shrunk.exact_on, shrunk.range_proof, shrunk.grid.range_bound) == ("grid", "enumeration", 1)
    assert "nothing that is equal everywhere stays within 16" in shrunk.reason
    with pytest.raises(OutOfReach, match="the compiler's modes come down to") as caught:
        ds.shrink(source, max_weight=2, grid_bits=3)
    assert (
        "is the range of the outputs, so outputs divided by a power of two have smaller weights" in caught.value.found
    )


def test_the_error_on_the_grid_is_what_was_asked_for() -> None:
    source = random_network((1, 3, 1), 30, seed=1)
    errors = []
    for asked in (Fraction(10**6), Fraction(1), Fraction(1, 1000)):
        shrunk = ds.shrink(source, grid_bits=2, mode="compact", output_error=asked)
        assert largest_distance(shrunk, 2, UNIT) <= shrunk.certified.error_upper <= asked
        errors.append(shrunk.certified.error_upper)
    assert errors[0] > errors[1] > errors[2] > 0
    dyadic = ds.ReluNetwork.from_arrays([([[2**30 + 1]], [3]), ([["1/1024"]], [0])])
    assert ds.shrink(dyadic, grid_bits=3, mode="compact", output_error=0).certified.error_upper == 0
    assert ds.shrink(dyadic, grid_bits=3, mode="compact").certified.error_upper > 0


def test_error_0_needs_dyadic_weights() -> None:
    source = ds.ReluNetwork.from_arrays([([["1/3"]], [0]), ([[2**40]], [0])])
    with pytest.raises(OutOfReach, match="error 0 on the grid") as caught:
        ds.shrink(source, grid_bits=3, mode="compact", output_error=0)
    assert caught.value.found.startswith("the outputs are rounded, by at most")
    assert caught.value.do.startswith("allow it: --output-error")


def test_an_asserted_range_is_marked() -> None:
    shrunk = ds.shrink(COMPARATOR, grid_bits=12, range_bound=1, mode="compact")
    assert shrunk.range_proof == "assumed"
    assert shrunk.certified.assumes
    assert "ASSUMING" in shrunk.verdict.line
    free = ds.shrink(COMPARATOR, grid_bits=5, mode="compact")
    assert (free.range_proof, free.certified.assumes) == ("enumeration", "")


def test_density_enters_the_bound_only() -> None:
    one, two = (ds.shrink(COMPARATOR, grid_bits=3, mode="compact", density=rho) for rho in (1, "2"))
    assert two.off_grid.mean_error_upper == 2 * one.off_grid.mean_error_upper
    assert two.off_grid.mean_error_estimate == one.off_grid.mean_error_estimate
    assert two.document["claim"]["off_grid"] == {"density": "2", "mean_error": str(two.off_grid.mean_error_upper)}


def test_the_summary_has_the_fields_of_the_contract() -> None:
    facts = ds.shrink(COMPARATOR, grid_bits=3).summary()
    contract = {"mode", "depth", "neurons", "nonzeros", "max_weight", "exact_on", "verdict", "error", "range",
                "range_proof", "float32_exact", "float64_exact", "off_grid", "reason", "hints", "digest"}  # fmt: skip
    assert contract <= set(facts)
    assert (facts["float64_exact"], facts["range"], facts["range_proof"], facts["error"]) == (
        True,
        "1",
        "enumeration",
        "0",
    )


def test_documents_are_saved_and_loaded(tmp_path: Path) -> None:
    for place, shrunk in enumerate((ds.shrink(COMPARATOR, grid_bits=3), ds.balance(COMPARATOR))):
        path = shrunk.save(tmp_path / f"{place}.json")
        again = ds.load(path)
        assert isinstance(again, ds.CertifiedEquality)
        assert (again.max_weight, again.digest) == (shrunk.max_weight, shrunk.certified.digest)


def test_networks_can_be_given_in_many_ways(tmp_path: Path) -> None:
    pairs = [(np.array([[4.0, 0.5]]), np.array([0.25])), ([[1]], [0])]
    path = ds.balance(pairs).save(tmp_path / "net.json")
    assert ds.balance(path).source.layers == ds.balance(pairs).network.layers
    assert ds.balance(str(path)).verdict.ok


def test_the_network_is_called_like_its_source() -> None:
    points = np.array([[0.5, 0.25], [0.25, 0.5], [1.0, 1.0]])
    assert ds.shrink(COMPARATOR, grid_bits=3)(points).tolist() == [[0.5], [0.0], [1.0]]


def test_float32_is_wrong_before_and_exact_after() -> None:
    shrunk = ds.shrink(COMPARATOR, grid_bits=7, mode="theorem")
    assert shrunk.float_obstacles == {"float32": "", "float64": ""}
    indices = whole_grid(2, 7)
    points = (indices / 2**7).astype(np.float32)
    tops, bottom = COMPARATOR.grid_values(indices, 7, UNIT)
    truth = tops[:, 0] / bottom

    def in_float32(layers: list[tuple[Any, Any]]) -> np.ndarray:
        values = points.T
        for place, (weights, biases) in enumerate(layers):
            values = np.maximum(values, 0) if place else values
            values = weights.astype(np.float32) @ values + biases.astype(np.float32)[:, np.newaxis]
        assert values.dtype == np.float32
        return values[0]

    assert np.array_equal(in_float32(shrunk.network.sparse_layers()), truth)
    assert not in_float32(COMPARATOR.dense_layers()).any()
    assert (truth != 0).mean() > 0.5


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        ({"mode": "magic"}, "mode = 'magic'\n  needed: one of auto, balance, pad, split, theorem, compact, merged"),
        ({"mode": "theorem"}, "needed: the grid on which the networks are to agree: --grid-bits P"),
        ({"mode": "split"}, "needed: the bound to split to: --max-weight B"),
        ({"grid_bits": 0}, "needed: a number of bits from 1 to 24"),
        ({"grid_bits": 25}, "needed: a number of bits from 1 to 24"),
        ({"grid_bits": 3, "guard_bits": 0}, "guard_bits = 0\n  needed: a number of bits from 1 to 24"),
        ({"max_depth": 1}, "found:  the network's own depth is 2\n  needed: a depth from there to 64"),
        ({"max_weight": 0}, "max_weight = 0\n  needed: a number above 0"),
        ({"max_weight": "many"}, "read max_weight\n  found:  'many'"),
        ({"grid_bits": 3, "range_bound": -1}, "range = -1\n  needed: a number above 0"),
        ({"grid_bits": 3, "range_bound": "1/2"}, "found:  the network's output at the grid point (1, "),
        ({"grid_bits": 3, "output_error": -1}, "output_error = -1\n  needed: a number of at least 0"),
        ({"grid_bits": 3, "density": "1/2"}, "density = 1/2\n  needed: at least 1: no density on [0,1] is smaller"),
        ({"grid_bits": 3, "domain": SIGNED, "density": "1/3"}, "at least 1/2: no density on [-1,1] is smaller"),
        ({"grid_bits": 3, "domain": "R^d"}, "domain = 'R^d'\n  needed: [0,1]^d or [-1,1]^d"),
    ],
)
def test_bad_requests_are_refused(request_: dict[str, Any], text: str) -> None:
    with pytest.raises(BadInput) as caught:
        ds.shrink(COMPARATOR, **request_)
    assert text in str(caught.value)


def test_a_grid_too_fine_is_refused_with_what_it_would_cost() -> None:
    with pytest.raises(OutOfReach, match="small weights for a network of depth 2") as caught:
        ds.shrink(COMPARATOR, grid_bits=12, range_bound=1, mode="theorem", max_nonzeros=10_000)
    assert "nonzeros are predicted, more than 10,000" in caught.value.found
    assert "--max-nonzeros" in caught.value.do


def test_a_bound_that_no_depth_meets_names_what_would() -> None:
    with pytest.raises(OutOfReach) as caught:
        ds.shrink(COMPARATOR, max_weight=64, max_depth=3)
    assert str(caught.value).startswith("weights and biases of at most 64 for a network of depth 2\n")
    assert caught.value.do.startswith("allow weights of")
    assert caught.value.exit_code == 3


def test_a_plan_counts_what_is_then_built() -> None:
    plan = ds.plan_shrink(COMPARATOR, grid_bits=3, max_depth=11)
    assert [way.name for way in plan.ways] == ["balance", "pad", "split", "theorem", "compact", "merged"]
    for way in plan.chosen:
        built = ds.shrink(COMPARATOR, grid_bits=3, mode=way.name)
        assert (built.depth, built.neurons, built.nonzeros) == (way.depth, way.neurons, way.nonzeros)


def test_a_network_as_a_circuit() -> None:
    made = ds.circuit(COMPARATOR, grid_bits=2, threshold="1/2")
    assert made.verdict.ok
    assert isinstance(made.network, Circuit)
    assert made.depth == 5
    points = whole_grid(2, 2)
    points = points[(points < 4).all(axis=1)] / 4
    x, y = points.T
    assert made(points)[:, 0].tolist() == ((x >= y) & (x >= 0.5)).tolist()
    cost = plan_circuit(COMPARATOR, grid_bits=2, threshold="1/2")
    assert (cost.depth, cost.gates, cost.wires) == (made.depth, made.network.size, made.network.wires)
    report = circuit_barrier(COMPARATOR, grid_bits=2, threshold="1/2")
    assert report.circuit.gates == cost.gates
    assert "proves no lower bound" in report.text
