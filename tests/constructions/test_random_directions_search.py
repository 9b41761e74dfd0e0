"""The search for random directions: widths, refusals, and a draw under attack."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from depthsep.certificates.probabilistic import ProbabilisticNetwork, probabilistic_from_document
from depthsep.constructions.random_directions import build_random_directions
from depthsep.errors import BadInput, OutOfReach
from depthsep.functions import Radial
from depthsep.networks import ShallowNetwork
from depthsep_check import check


@pytest.fixture(scope="module")
def bump() -> ProbabilisticNetwork:
    return build_random_directions("exp(-4*r^2)", dim=8, eps="0.25", failure_probability="2^-20", seed=7)


def test_a_profile_of_few_units(bump: ProbabilisticNetwork) -> None:
    assert bump.widths[0] < 60_000
    assert len(bump.document["claim"]["profile"]["thresholds"]) <= 4
    assert bump.sentence == (
        "with probability at least 1 - 2^-20 over the draw of the directions (independent, uniform), the network is "
        "within 1/4 of exp(-4*r^2) on the unit ball of dimension 8; nothing is proved about this one draw (seed 7), "
        "and a pseudo-random generator is a further assumption"
    )
    assert (bump.law, bump.generator, bump.claim) == ("iid-sphere", "pcg64-normalised", "probabilistic")


def test_the_draw_stays_within_eps_under_attack(bump: ProbabilisticNetwork) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 8))
    x *= rng.uniform(0, 1, (300, 1)) / np.linalg.norm(x, axis=1)[:, None]
    target = Radial("exp(-4*r^2)", 8)
    error, step = np.abs(bump(x) - target(x)), 0.2
    for _ in range(30):
        y = x + step * rng.standard_normal(x.shape) / 3
        y /= np.maximum(1, np.linalg.norm(y, axis=1))[:, None] * (1 + 1e-15)
        moved = np.abs(bump(y) - target(y))
        x[moved > error], error = y[moved > error], np.maximum(error, moved)
        step *= 0.95
    assert 0.01 < error.max() <= 0.25


def test_the_draw_as_a_flat_network(bump: ProbabilisticNetwork) -> None:
    network = bump.network
    assert isinstance(network.drawn, ShallowNetwork)
    assert network.drawn.widths == bump.widths
    assert network.ideal_distance_upper < Fraction(1, 10**9)
    summary = bump.summary()
    assert json.loads(json.dumps(summary)) == summary
    assert summary["failure_probability"] == "2^-20"


def test_saved_and_read_again(bump: ProbabilisticNetwork, tmp_path: Path) -> None:
    text = bump.save(tmp_path / "bump.json").read_text(encoding="utf-8")
    assert probabilistic_from_document(text, json.loads(text), check(text)) == bump


def test_what_is_out_of_reach() -> None:
    with pytest.raises(OutOfReach, match="no profile of at most 40 knots whose mean over the sphere is that close"):
        build_random_directions("cos(400*r)", dim=20, eps="0.01")


@pytest.mark.parametrize(("dim", "seed"), [(1, 0), (10_001, 0), (3, -1), (3, 2**64)])
def test_numbers_that_make_no_sense(dim: int, seed: int) -> None:
    with pytest.raises(BadInput, match="a dimension from 2 to 10000, and a seed"):
        build_random_directions("1 - r", dim, "0.1", seed=seed)
    with pytest.raises(BadInput, match="a failure probability of 2"):
        build_random_directions("1 - r", 3, "0.1", "2^-0")


def test_a_width_that_does_not_suffice() -> None:
    with pytest.raises(OutOfReach) as caught:
        build_random_directions("exp(-4*r^2)", 3, "0.45", "1/2", max_width=3)
    needed = caught.value.reached["widths"][0]
    assert str(caught.value) == (
        "random directions within 9/20 of exp(-4*r^2) in dimension 3, at most 3 neurons\n"
        f"  found:  {needed:,} neurons needed for a failure probability of 2^-1\n"
        f"  do:     allow that many (--max-width {needed}), a larger failure probability, or a larger eps"
    )


def test_a_constant_is_enough() -> None:
    flat = build_random_directions("r/10", 3, "0.1", "2^-40")
    assert flat.widths == (0,)
    assert flat([[0.0, 0.1, 0.2]]) == flat.network.drawn([[0.0, 0.0, 0.0]])


def test_a_function_of_another_dimension() -> None:
    with pytest.raises(BadInput, match="a function made for dimension 5"):
        build_random_directions(Radial("1 - r", 5), 4, "0.1")
