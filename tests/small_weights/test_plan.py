from __future__ import annotations

from fractions import Fraction

import pytest

from depthsep.networks.relu import ReluNetwork
from depthsep.small_weights.balance import balance
from depthsep.small_weights.plan import GRID_MODES, WAYS, Plan, bottleneck, make_plan
from depthsep.small_weights.ranges import GridRequest

BIG = 2**40
COMPARATOR = ReluNetwork.from_arrays([([[BIG + 1, -BIG], [BIG, -BIG]], [0, 0]), ([[1, -1]], [0])])
FLAT = ReluNetwork.from_arrays([([[1]], [0]), ([[1]], [2**36])])
GRID = GridRequest(4, "[0,1]^d", Fraction(1))


def plan_for(
    network: ReluNetwork,
    max_weight: Fraction | int | None = None,
    mode: str = "auto",
    max_depth: int | None = None,
    grid: GridRequest | None = None,
    max_nonzeros: int = 10**7,
    all_ways: bool = False,
) -> Plan:
    return make_plan(
        network,
        mode=mode,
        max_weight=None if max_weight is None else Fraction(max_weight),
        max_depth=max_depth,
        grid=None if grid is None else lambda: grid,
        max_nonzeros=max_nonzeros,
        all_ways=all_ways,
    )


def test_without_a_bound_the_weights_are_balanced() -> None:
    plan = plan_for(COMPARATOR)
    (way,) = plan.chosen
    assert (way.name, way.exact_on, way.depth, way.nonzeros) == ("balance", "everywhere", 2, 6)
    assert 2**20 < way.max_weight < 2**20 + 1
    assert "no bound was given" in plan.reason
    assert [way.name for way in plan.ways] == ["balance"]


@pytest.mark.parametrize(
    ("bound", "name", "depth"), [(2**21, "balance", 2), (64, "pad", 8), (33, "pad", 8), (22, "pad", 9)]
)
def test_the_first_exact_way_that_fits_is_taken(bound: int, name: str, depth: int) -> None:
    plan = plan_for(COMPARATOR, bound, grid=GRID)
    (way,) = plan.chosen
    assert (way.name, way.depth) == (name, depth)
    assert way.max_weight <= bound
    assert f"weights of at most {bound if bound < 10**6 else '2^21'}; it is equal everywhere" in plan.reason


def test_as_few_identity_layers_as_suffice() -> None:
    assert "copies" not in plan_for(COMPARATOR, 64).chosen[0].does
    assert "copies" in plan_for(COMPARATOR, 64, mode="pad", max_depth=7).chosen[0].does


def test_copies_help_where_the_depth_runs_out() -> None:
    way = plan_for(COMPARATOR, 12).chosen[0]
    assert (way.name, way.depth, way.does) == ("pad", 9, "7 identity layers after the output, 4 copies each")
    assert way.max_weight <= 12


@pytest.mark.parametrize(("bound", "neurons"), [(4, 1), (2, 3), (1, 9)])
def test_a_weight_that_is_only_a_little_too_large_is_split(bound: int, neurons: int) -> None:
    network = ReluNetwork.from_arrays([([[1]], [1]), ([[9]], [0])])
    (way,) = plan_for(network, bound, max_depth=2).chosen
    assert (way.name, way.depth, way.neurons) == ("balance" if neurons == 1 else "split", 2, neurons)
    assert way.max_weight <= bound
    assert way.network.evaluate_exact([Fraction(1, 3)]) == network.evaluate_exact([Fraction(1, 3)])


def test_splitting_needs_a_neuron_to_copy() -> None:
    way = plan_for(ReluNetwork.from_arrays([([[9]], [0])]), 1, all_ways=True).ways[2]
    assert way.name == "split"
    assert way.obstacle.startswith("9 is above 1: ")


def test_neurons_are_merged_only_where_that_helps() -> None:
    twins = ReluNetwork.from_arrays([([[1], [1]], [0, 0]), ([[1, 1]], [0])])
    way = plan_for(twins).chosen[0]
    assert (way.does, way.neurons, way.max_weight) == ("rescaled neurons", 2, 1)
    cancelling = ReluNetwork.from_arrays([([[1], [1]], [0, 0]), ([[2**20, 1 - 2**20]], [0])])
    way = plan_for(cancelling).chosen[0]
    assert (way.does, way.neurons, way.max_weight) == ("neurons dropped or merged, and rescaled", 1, 1)
    assert way.network.evaluate_exact([Fraction(1, 3)]) == cancelling.evaluate_exact([Fraction(1, 3)])


def test_the_obstacles_are_named() -> None:
    plan = plan_for(FLAT, 1024, max_depth=2)
    assert plan.chosen == ()
    balanced, padded, split = plan.ways
    stuck = "2^36 is above 1024: the bias of output 0, 2^36, is a path of length 1: no rescaling can lower it"
    assert balanced.obstacle == stuck
    assert padded.obstacle == "no depth to spare: it is 2 already"
    assert split.obstacle == "2^36 after balancing would take 67,108,864 copies of a neuron"
    assert plan.reason == f"balance: {stuck}\npad: {padded.obstacle}\nsplit: {split.obstacle}"


def test_bottlenecks_start_at_inputs_biases_and_outputs() -> None:
    inner = ReluNetwork.from_arrays([([[1], [1]], [0, 2**30]), ([[1, 1]], [0])])
    for network, text in (
        (COMPARATOR, "the 2 numbers on a path from input 0 multiply to 2^40.00"),
        (
            inner,
            "the 2 numbers on a path from the bias of layer 1, neuron 1 multiply to 2^30, so one of them stays at",
        ),
        (FLAT, "the bias of output 0, 2^36, is a path of length 1"),
        (
            ReluNetwork.from_arrays([([[7]], [0])]),
            "the weight of input 0 in output 0, 7, is a path of length 1: no rescaling can lower it",
        ),
    ):
        assert bottleneck(network, balance(network).path).startswith(text)


def test_a_grid_alone_asks_for_the_cheapest_mode_of_the_compiler() -> None:
    plan = plan_for(COMPARATOR, grid=GRID)
    theorem, compact = plan.ways
    assert (theorem.name, theorem.depth, compact.name, compact.depth) == ("theorem", 9, "compact", 11)
    assert compact.obstacle == "depth 11 is above 9 (--max-depth 11 allows it)"
    assert plan.chosen == (theorem,)
    assert not theorem.balanced
    deeper = plan_for(COMPARATOR, grid=GRID, max_depth=11)
    assert sorted(way.nonzeros for way in deeper.ways) == [way.nonzeros for way in deeper.chosen]


def test_merged_mode_is_for_those_who_cannot_spare_the_depth() -> None:
    plan = plan_for(COMPARATOR, grid=GRID, max_depth=8)
    assert [way.name for way in plan.ways] == list(GRID_MODES)
    assert [(way.name, way.depth) for way in plan.chosen] == [("merged", 6)]


def test_only_the_mode_that_is_asked_for_is_costed() -> None:
    plan = plan_for(COMPARATOR, mode="compact", grid=GRID)
    assert [way.name for way in plan.ways] == [way.name for way in plan.chosen] == ["compact"]
    assert plan.reason == "compact was asked for"


def test_a_plan_shows_every_way() -> None:
    plan = plan_for(COMPARATOR, 64, grid=GRID, all_ways=True)
    assert tuple(way.name for way in plan.ways) == WAYS
    assert [way.name for way in plan.chosen] == ["pad"]


def test_what_is_too_large_is_not_chosen() -> None:
    plan = plan_for(COMPARATOR, grid=GRID, max_nonzeros=100)
    assert plan.chosen == ()
    assert "nonzeros are predicted, more than 100" in plan.reason
    assert plan.ways[-1].obstacle == "not counted: it takes more than theorem mode, which takes too much"


def test_merged_reads_at_most_14_bits() -> None:
    fine = GridRequest(15, "[0,1]^d", Fraction(1))
    (way,) = plan_for(FLAT, mode="merged", grid=fine).ways
    assert way.obstacle == "it reads the inputs in one level, which is for at most 14 grid bits"
