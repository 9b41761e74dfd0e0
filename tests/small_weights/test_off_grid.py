from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from depthsep.errors import BadInput
from depthsep.networks.integer_layers import Block, IntegerLayers, OutputRow
from depthsep.networks.relu import ReluNetwork
from depthsep.small_weights.off_grid import clipped, mean_error_estimate, mean_error_upper
from depthsep.small_weights.ranges import ENUMERATED, GridRequest, find_range, grid_point
from depthsep.small_weights.words import about, at_least, at_most, log2, short_upper

UNIT, SIGNED = "[0,1]^d", "[-1,1]^d"
BIG = 2**40
COMPARATOR = ReluNetwork.from_arrays([([[BIG + 1, -BIG], [BIG, -BIG]], [0, 0]), ([[1, -1]], [0])])
IDENTITY = ReluNetwork.from_arrays([([[1]], [0])])


def staircase(grid_bits: int, guard_bits: int) -> IntegerLayers:
    """x rounded to the nearest grid point of [0, 1], with ramps, and a clip that never acts."""
    points, cell = 2**grid_bits, 2**guard_bits
    ends = [cell * u - cell // 2 for u in range(1, points + 1)]
    ramps = Block([0], [points * cell], [bias for end in ends for bias in (1 - end, -end)])
    units, signs = list(range(2 * points)), [1, -1] * points
    clip = Block(units, signs, [points, -points])
    return IntegerLayers(
        1, ((ramps,), (clip,)), (None, None), (OutputRow([0, 1], [1, -1], -points),), Fraction(1, points)
    )


@pytest.mark.parametrize("grid_bits", [2, 4])
@pytest.mark.parametrize("guard_bits", [1, 3])
def test_the_bound_is_above_the_mean_error_and_the_estimate_near_it(grid_bits: int, guard_bits: int) -> None:
    network = staircase(grid_bits, guard_bits)
    request = GridRequest(grid_bits, UNIT, Fraction(1), guard_bits=guard_bits)
    upper = mean_error_upper(IDENTITY, network, request, Fraction(0), Fraction(1))
    # d rho 2^-g (R + clip) + d rho 2^-p R prod (m + 1), nothing rounded
    assert upper == Fraction(2, 2**guard_bits) + Fraction(1, 2**grid_bits)
    places = (np.arange(2**16) + 0.5) / 2**16
    mean = float(np.abs(network(places[:, np.newaxis])[:, 0] - places).mean())
    estimate, standard_error, samples = mean_error_estimate(IDENTITY, network, request)
    assert samples == 4096
    assert 0 < standard_error < mean / 20
    assert abs(estimate - mean) < 5 * standard_error
    assert estimate < upper


def test_density_error_widths_and_domain_enter_the_bound() -> None:
    network = staircase(3, 2)
    unit, signed = (GridRequest(3, domain, Fraction(1, 2), guard_bits=2) for domain in (UNIT, SIGNED))
    plain = mean_error_upper(COMPARATOR, network, unit, Fraction(0), Fraction(1))
    assert plain == 2 * (Fraction(1, 4) * (Fraction(1, 2) + 1) + Fraction(1, 8) * Fraction(1, 2) * 3)
    assert mean_error_upper(COMPARATOR, network, signed, Fraction(0), Fraction(1, 2)) == plain
    assert mean_error_upper(COMPARATOR, network, unit, Fraction(1, 7), Fraction(3)) == 3 * plain + Fraction(1, 7)


def test_the_source_is_clipped_exactly() -> None:
    indices = np.array([[0, 5], [5, 0], [8, 8]])
    unit, signed = GridRequest(3, UNIT, Fraction(9, 10)), GridRequest(3, SIGNED, Fraction(1, 2))
    assert clipped(COMPARATOR, indices, 3, unit).tolist() == [[0.0], [0.625], [0.9]]
    assert clipped(COMPARATOR, indices, 3, signed).tolist() == [[0.0], [0.25], [0.5]]


def test_ranges_by_evaluation_and_by_intervals() -> None:
    found = find_range(COMPARATOR, UNIT, 5)
    assert (found.bound, found.proof, found.hint) == (1, "enumeration", "")
    wide = find_range(COMPARATOR, UNIT, 12)
    assert (wide.bound, wide.proof) == (BIG + 1, "intervals")
    assert "at 4096 random grid points it is at most 1 (an estimate)" in wide.hint
    assert "--range" in wide.hint
    plain = find_range(IDENTITY, SIGNED, 12)
    assert (plain.bound, plain.proof, plain.hint) == (1, "intervals", "")


def test_the_users_range_is_proved_where_it_can_be() -> None:
    assert find_range(COMPARATOR, UNIT, 5, Fraction(3)).proof == "enumeration"
    assert find_range(IDENTITY, UNIT, 12, Fraction(3)).proof == "intervals"
    assumed = find_range(COMPARATOR, UNIT, 12, Fraction(3))
    assert (assumed.bound, assumed.proof, assumed.hint) == (3, "assumed", "")


@pytest.mark.parametrize("grid_bits", [3, 12])
def test_a_range_that_is_too_small_is_refused_with_the_point(grid_bits: int) -> None:
    network = ReluNetwork.from_arrays([([[2, 2]], [0]), ([[-1]], [1])])
    with pytest.raises(BadInput) as caught:
        find_range(network, UNIT, grid_bits, Fraction(1))
    assert str(caught.value) == (
        "range = 1\n"
        "  found:  the network's output at the grid point (1, 1) is -3\n"
        "  needed: a bound of |output| at every grid point: beyond it a compiled network wraps around\n"
        "  do:     give a range of at least 3, or none to have one proved"
    )


def test_in_high_dimension_corners_are_drawn_at_random() -> None:
    network = ReluNetwork.from_arrays([([[1] * 40], [-20])])
    assert find_range(network, UNIT, 10, Fraction(19)).proof == "assumed"
    with pytest.raises(BadInput, match="the network's output at the grid point"):
        find_range(network, UNIT, 10, Fraction(8))


def test_a_single_point_that_sampling_may_miss_is_found_where_the_grid_is_small() -> None:
    bits, peak = 16, 12_345
    assert (2**bits + 1) * 16 < ENUMERATED
    spike = ReluNetwork.from_arrays([([[2**bits]] * 3, [1 - peak, -peak, -peak - 1]), ([["1", "-2", "1"]], [0])])
    assert find_range(spike, UNIT, bits).bound == 1
    with pytest.raises(BadInput, match=f"{peak}/{2**bits}"):
        find_range(spike, UNIT, bits, Fraction(1, 2))


def test_long_values_are_cut_in_messages() -> None:
    network = ReluNetwork.from_arrays([([[Fraction(10**80, 3**100)]], [0])])
    with pytest.raises(BadInput, match=r"is 100000.*\.\.\., about 2\^107\.26"):
        find_range(network, UNIT, 2, Fraction(1))


def test_grid_points() -> None:
    assert grid_point(np.array([0, 3, 8]), 3, UNIT) == (0, Fraction(3, 8), 1)
    assert grid_point(np.array([0, 3, 8]), 3, SIGNED) == (-1, Fraction(-1, 4), 1)


def test_words_round_to_the_safe_side() -> None:
    for number in (
        Fraction(10**40 + 1),
        Fraction(1, 3**50),
        Fraction(12345678, 1001),
        Fraction(2**40 + 1),
        Fraction(2, 7),
    ):
        low, high = (
            Fraction(2) ** Fraction(text[2:]) if text.startswith("2^") else Fraction(text)
            for text in (at_least(number), at_most(number))
        )
        assert low < number < high
        assert high - low < number / 100
    assert at_least(Fraction(2**41)) == at_most(Fraction(2**41)) == "2^41"


def test_long_bounds_become_short_and_no_smaller() -> None:
    for number in (Fraction(3**200, 7**100), Fraction(7**100, 3**300)):
        short = short_upper(number)
        assert number <= short <= number * (1 + Fraction(1, 2**20))
        assert len(str(short)) < len(str(number))
    assert short_upper(Fraction(2**40 + 1, 3)) == Fraction(2**40 + 1, 3)
    assert short_upper(Fraction(10**40)) == 10**40
    assert short_upper(Fraction(0)) == 0


def test_words() -> None:
    assert [about(Fraction(n)) for n in (0, 1, 65_536, 10**6, 2**20)] == ["0", "1", "65536", "2^19.93", "2^20"]
    assert about(Fraction(1, 2**30)) == "2^-30"
    assert about(Fraction(1, 10**9)) == "2^-29.90"
    assert log2(Fraction(1, 4)) == -2
