"""Depth-2 networks for radial functions: many profiles and dimensions, each proved; and what is said when it fails."""

from fractions import Fraction

import numpy as np
import pytest

import depthsep as ds
from depthsep.certificates.document import CertifiedNetwork
from depthsep.constructions import shallow_radial
from depthsep.constructions.direction_families import Family, families
from depthsep.constructions.knot_search import start
from depthsep.constructions.shallow_radial import search
from depthsep.errors import BadInput, OutOfReach
from depthsep.functions import Radial
from depthsep.networks import CodeCube, ExplicitDirections, Orbit, ShallowNetwork
from depthsep_check import check


def searched(text: str, dim: int, eps: str, **options: object) -> CertifiedNetwork:
    return search(Radial(text, dim), Fraction(eps), **options)


def points_of(dim: int) -> np.ndarray:
    """Points on axes, on diagonals of some coordinates and at random, at many radii."""
    rng = np.random.default_rng(dim)
    directions = rng.normal(size=(30, dim))
    directions *= np.arange(1, dim + 1) <= rng.integers(1, dim + 1, size=(30, 1))
    directions = np.concatenate([np.eye(dim)[:2], np.tril(np.ones((dim, dim))), directions])
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return (directions[:, None] * np.linspace(0, 1 - 1e-15, 160)[:, None]).reshape(-1, dim)


def require_proved(net: CertifiedNetwork, text: str, dim: int, eps: str) -> None:
    """The document is verified, says what was asked, and the network keeps its word at some thousand points."""
    verdict = check(net.document_text)
    assert verdict.ok, verdict.line
    assert f"in dimension {dim} " in verdict.text
    assert f"widths ({net.widths[0]}); f(x) = phi(||x||), phi(r) = {text}" in verdict.text
    assert 0 < net.sup_error_upper <= Fraction(eps)
    points = points_of(dim)
    errors = np.abs(net(points) - Radial(text, dim)(points))
    assert errors.max() <= float(net.sup_error_upper + net.network.rounding_error_upper) + 1e-12
    assert errors.max() >= (0.2 if dim > 1 else 0.05) * float(net.sup_error_upper)


PROFILES = [
    *(("sqrt(r)", dim, eps) for dim, eps in ((1, "0.1"), (2, "0.1"), (3, "0.25"), (4, "0.3"), (5, "0.3"))),
    *(("max(0, 1/2 - r)", dim, eps) for dim, eps in ((1, "0.1"), (2, "0.1"), (3, "0.2"), (4, "0.2"), (5, "0.2"))),
    *(("min(r, 1 - r)", dim, eps) for dim, eps in ((1, "0.1"), (2, "0.1"), (3, "0.2"), (4, "0.22"), (5, "0.23"))),
    *(("tanh(5*r)", dim, eps) for dim, eps in ((1, "0.2"), (2, "0.2"), (3, "0.35"), (4, "0.4"), (5, "0.4"))),
    *(("exp(-10*r)", dim, eps) for dim, eps in ((1, "0.2"), (2, "0.2"), (3, "0.35"), (4, "0.4"), (5, "0.4"))),
    *(("r^4", dim, eps) for dim, eps in ((1, "0.05"), (2, "0.05"), (3, "0.1"), (4, "0.1"), (5, "0.15"))),
]


@pytest.mark.parametrize(("text", "dim", "eps"), PROFILES)
def test_profiles_in_few_dimensions(text: str, dim: int, eps: str) -> None:
    require_proved(searched(text, dim, eps), text, dim, eps)


@pytest.mark.parametrize(
    ("text", "dim", "eps"),
    [
        ("1 - r^2", 50, "0.01"),
        ("100 - 100*r", 2, "5"),
        ("1000000 - 1000*r", 3, "250"),
        ("(1 - r)/100000", 5, "1/500000"),
        ("sqrt(1 - r^2)", 2, "0.1"),
        ("d*r/10", 3, "0.1"),
        ("min(1, max(0, 5*(r - 1/2)))", 2, "0.2"),  # steep: what happens between two samples matters
        ("1 - r", 300, "0.3"),
    ],
)
def test_other_scales_and_kinks(text: str, dim: int, eps: str) -> None:
    require_proved(searched(text, dim, eps), text, dim, eps)


def test_the_families_that_are_chosen() -> None:
    def kinds(text: str, dim: int, eps: str) -> list[type]:
        network = searched(text, dim, eps).network
        assert isinstance(network, ShallowNetwork)
        return [type(group.directions) for group in network.groups]

    assert kinds("1 - r", 2, "0.1") == [ExplicitDirections]
    assert kinds("1 - r", 10, "0.3") == [Orbit]
    assert CodeCube in kinds("1 - r", 5, "0.15")


def planned(text: str, family: Family, eps: Fraction) -> CertifiedNetwork:
    """The network that one family leads to, without the search for a family."""
    function = Radial(text, family.dim)
    program = shallow_radial._program(function, family, float(eps), patient=False)
    found = start(program, 24, rounds=2)
    net = shallow_radial._proved(function, eps, shallow_radial.Plan(program, found))
    assert net.widths == (found.units,)
    return net


def test_the_600_cell() -> None:
    family = next(family for family in families(4, 5) if "600-cell" in family.name)
    net = planned("1 - r", family, Fraction(1, 20))
    assert net.widths[0] <= 61  # with orbits 105
    require_proved(net, "1 - r", 4, "0.05")


def test_one_profile_in_several_sets() -> None:
    """A plan for one group becomes a network of several, whose profiles are multiples of each other."""
    family = next(family for family in families(3, 4) if "16 axes" in family.name)
    net = planned("abs(r - 1/2)", family.shared(), Fraction(1, 10))
    require_proved(net, "abs(r - 1/2)", 3, "0.1")
    first, second = net.network.groups
    assert first.thresholds == pytest.approx(second.thresholds)
    ratios = np.array(first.weights) / np.array(second.weights)
    assert ratios == pytest.approx([ratios[0]] * len(ratios))


def test_the_affine_unit_cancels_the_linear_part() -> None:
    """Four lines do not add up to nothing; the network must still be even."""
    net = searched("abs(r - 1/2)", 2, "0.15")
    network = net.network
    assert isinstance(network, ShallowNetwork)
    nets = [net, searched("1 - r", 4, "0.2")]
    assert any(candidate.network.affine is not None for candidate in nets)
    for candidate in nets:
        points = points_of(candidate.dim)
        assert np.abs(candidate(points) - candidate(-points)).max() < 1e-12
        affine = candidate.network.affine
        if affine is not None:
            assert np.linalg.norm(affine.direction) <= affine.offset


@pytest.mark.parametrize(
    ("text", "eps", "value"),
    [
        ("1/3", "0.1", 1 / 3),
        ("r/5", "0.1001", 0.1),
        ("7", "1/1000", 7),
        ("0", "0.1", 0),
        ("sin(r)/100 - 2", "0.01", -2),
    ],
)
def test_no_neuron_where_a_constant_will_do(text: str, eps: str, value: float) -> None:
    net = searched(text, 4, eps)
    assert net.widths == (0,)
    assert check(net.document_text).ok
    assert net.sup_error_upper <= Fraction(eps)
    assert net(np.zeros((2, 4))) == pytest.approx([value] * 2, abs=float(Fraction(eps)))


def test_one_neuron_more_than_a_constant() -> None:
    """Just below half of the variation of phi a network is needed, just above it none is."""
    assert searched("1 - r", 2, "0.5001").widths == (0,)
    assert searched("1 - r", 2, "0.49").widths[0] > 0


def test_the_same_request_gives_the_same_document() -> None:
    first, second = (searched("abs(r - 1/2)", 2, "0.15").document_text for _ in range(2))
    assert first == second


def test_the_claim_is_below_the_accuracy() -> None:
    """What is claimed is measured on the network, not copied from the request."""
    net = searched("1 - r", 2, "0.1")
    assert Fraction(99, 1000) < net.sup_error_upper < Fraction(1, 10)
    smaller = net.sup_error_upper * Fraction(9, 10)
    claim = {**net.document["claim"], "error": str(smaller)}
    assert check({**net.document, "claim": claim}).text.startswith("digest")


def test_progress_is_told() -> None:
    told: list[tuple[str, float | None]] = []
    searched("1 - r", 2, "0.1", progress=lambda text, fraction: told.append((text, fraction)))
    texts = [text for text, _ in told]
    assert texts[0] == "trying moments up to degree 2"
    assert texts[-1] == "proving 3 neurons"
    assert any(text.startswith("placing knots: ") for text in texts)
    assert all(fraction is None or 0 <= fraction <= 1 for _, fraction in told)


# ------------------------------------------------------------------------------------------------------------------
# Out of reach


def test_too_few_neurons() -> None:
    with pytest.raises(OutOfReach) as caught:
        searched("1 - r", 10, "0.3", max_width=15)
    error = caught.value
    assert error.asked == "a depth-2 network within 3/10 of 1 - r in dimension 10, at most 15 neurons"
    assert error.needed.startswith("a moment sandwich (Safran, Eldan & Shamir 2019, Theorem 1)")
    assert error.do == "allow more neurons (--max-width), a larger eps, or depth 3"
    predicted, larger = error.reached["predicted_width"], Fraction(error.reached["reachable_eps"])
    assert 15 < predicted <= 60
    assert f"{predicted} neurons" in error.found
    assert f"about eps = {float(larger):.3g} is in reach (an estimate)" in error.found
    assert searched("1 - r", 10, str(larger), max_width=15).widths[0] <= 15


def test_the_smallest_network_found_is_too_wide() -> None:
    """The family has few directions, so it is tried; the network takes more than one neuron for each."""
    with pytest.raises(OutOfReach, match=r"found:  the smallest one found has 20 neurons; ") as caught:
        searched("1 - r", 10, "0.3", max_width=19)
    assert caught.value.reached["predicted_width"] == 20


def test_no_family_gets_there() -> None:
    with pytest.raises(OutOfReach) as caught:
        searched("r", 2, "1/1000")
    error = caught.value
    assert error.found.startswith("none of the families of directions that were tried gets there; about eps = ")
    assert error.do == "a larger eps, or depth 3"
    assert error.reached["predicted_width"] is None
    assert Fraction(1, 1000) < Fraction(error.reached["reachable_eps"]) <= Fraction(1, 100)


def test_nothing_is_in_reach() -> None:
    with pytest.raises(OutOfReach) as caught:
        searched("1 - r", 1000, "1/100", max_width=10)
    assert caught.value.reached["reachable_eps"] is None
    assert "in reach" not in caught.value.found


# ------------------------------------------------------------------------------------------------------------------
# Through the front door


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"function": "1 - r", "dim": 0, "eps": "0.1"}, "dim = 0"),
        ({"function": "1 - r", "dim": -3, "eps": "0.1"}, "dim = -3"),
        ({"function": "1 - r", "dim": 2, "eps": "0"}, "an accuracy above 0"),
        ({"function": "1 - r", "dim": 2, "eps": "-0.1"}, "an accuracy above 0"),
        ({"function": "1 - r", "dim": 2, "eps": "nan"}, "a positive rational number"),
        ({"function": "1 - r", "dim": 2, "eps": "inf"}, "a positive rational number"),
        ({"function": "1 - r", "dim": 2, "eps": 0.1}, "a float, which is 0.1000000000000000055511151231257827"),
        ({"function": "1 - r", "dim": 2, "eps": "1e-12"}, "an accuracy from 1e-9 to 1e9"),
        ({"function": "1 - r", "dim": 2}, "only ball"),
        ({"function": "1 - r", "dim": 2, "eps": "0.1", "depth": 1}, "depth = 1"),
        ({"function": "1 - r", "dim": 2, "eps": "0.1", "max_width": -1}, "max_width = -1"),
        ({"function": "1 - x", "dim": 2, "eps": "0.1"}, "x"),
        ({"function": "log(r)", "dim": 2, "eps": "0.1"}, "no value at r = 0"),
        ({"function": "1/(r - 1/2)", "dim": 2, "eps": "0.1"}, "no value at r = 1/2"),
        ({"function": "sqrt(r - 1/4)", "dim": 2, "eps": "0.1"}, "no value at r = 0"),
        ({"function": "ball(1/2, 0.05)", "dim": 2}, "a depth-2 network for ball"),
    ],
)
def test_requests_that_are_refused(arguments: dict, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        ds.build(**arguments)


def test_the_front_door_keeps_the_budget() -> None:
    assert ds.build("1 - r", dim=10, eps="0.3", max_width=20).widths == (20,)
    assert ds.build("1/3", dim=10, eps="0.3", max_width=0).widths == (0,)
    with pytest.raises(OutOfReach):
        ds.build("1 - r", dim=10, eps="0.3", max_width=0)
