"""Depth-3 networks for inner products: the numbers to reach, attacks that come close to the proved error, refusals."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest

from depthsep.certificates import CertifiedNetwork
from depthsep.constructions import folded_search, general_designs, inner_products, phase_designs
from depthsep.errors import BadInput, OutOfReach
from depthsep.functions import InnerProduct
from depthsep_check import check


@functools.cache
def found(text: str, dim: int, eps: str, domain: str = "sphere-pairs", weights: int | None = None) -> CertifiedNetwork:
    bound = None if weights is None else Fraction(weights)
    return inner_products.search(InnerProduct(text, dim, domain), Fraction(eps), bound)


def unit_pairs(dim: int, products: np.ndarray, seed: int) -> np.ndarray:
    """Pairs of float64 unit vectors with about these inner products."""
    rng = np.random.default_rng(seed)
    x, other = rng.normal(size=(2, len(products), dim))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    other -= np.einsum("ij,ij->i", x, other)[:, None] * x
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    partner = products[:, None] * x + np.sqrt(1 - products[:, None] ** 2) * other
    return np.hstack((x, partner / np.linalg.norm(partner, axis=1, keepdims=True)))


def attacked(network: CertifiedNetwork, points: np.ndarray) -> float:
    return float(np.abs(network(points) - network.function(points)).max())


@pytest.mark.parametrize(
    ("text", "dim", "eps", "first", "second"),
    [
        ("sin(pi*d^3*t)", 5, "0.1", 830, 520),
        ("sin(pi*d^3*t)", 10, "0.1", 5700, 4100),
        ("sin(pi*d^3*t)", 5, "0.01", 2650, 2100),
        ("sin(pi*sqrt(d)*d*t)", 20, "0.1", 3400, 560),
    ],
)
def test_the_numbers_to_reach(text: str, dim: int, eps: str, first: int, second: int) -> None:
    network = found(text, dim, eps)
    assert network.widths[0] <= first
    assert network.widths[1] <= second
    assert network.sup_error_upper <= Fraction(eps)
    assert network.depth == 3
    assert check(network.document_text).ok


def test_millions_of_neurons_are_a_small_document() -> None:
    network = found("sin(pi*d^3*t)", 100, "0.1")
    assert sum(network.widths) > 6_000_000
    assert len(network.document_text) < 1_000_000


@pytest.mark.parametrize(("text", "dim", "eps"), [("sin(pi*d^3*t)", 5, "0.1"), ("2 - 3*cos(20*t + 1)", 4, "0.2")])
def test_attacks_come_close_to_the_proved_error_and_never_exceed_it(text: str, dim: int, eps: str) -> None:
    network = found(text, dim, eps)
    products = np.concatenate((np.linspace(-1, 1, 20_001), np.cos(np.linspace(0, np.pi, 5_001))))
    points = np.vstack([unit_pairs(dim, products, seed) for seed in range(4)])
    axis = np.eye(dim)[0]
    corners = np.vstack([np.hstack((axis, axis)), np.hstack((axis, -axis)), np.hstack((axis, np.eye(dim)[1]))])
    worst = attacked(network, np.vstack((points, corners)))
    assert 0.8 * network.sup_error_upper < worst <= network.sup_error_upper


def test_pairs_of_the_ball() -> None:
    network = found("cos(9*t)", 3, "0.1", "ball-pairs")
    rng = np.random.default_rng(7)
    points = rng.normal(size=(40_000, 2, 3))
    points *= rng.random((40_000, 2, 1)) ** (1 / 3) / np.linalg.norm(points, axis=2, keepdims=True) * (1 - 1e-12)
    worst = attacked(network, points.reshape(-1, 6))
    assert network.widths[0] % 12 == 0
    assert 0.6 * network.sup_error_upper < worst <= network.sup_error_upper


@pytest.mark.parametrize("domain", ["sphere-pairs", "ball-pairs"])
@pytest.mark.parametrize(("text", "eps"), [("abs(t)", "0.05"), ("exp(2*t)", "0.1"), ("max(t, 0)^2 - t", "0.02")])
def test_functions_that_are_no_sinusoids(text: str, eps: str, domain: str) -> None:
    network = found(text, 4, eps, domain)
    points = unit_pairs(4, np.linspace(-1, 1, 20_001) * (1 - 1e-12), 3)
    if domain == "ball-pairs":
        points *= 1 - 1e-12
    worst = attacked(network, points)
    assert 0.5 * network.sup_error_upper < worst <= network.sup_error_upper <= Fraction(eps)


@pytest.mark.parametrize("text", ["3", "t/100", "sin(t)/50"])
def test_functions_within_eps_of_a_constant(text: str) -> None:
    network = found(text, 3, "0.05")
    assert network.widths == (6, 1)
    assert attacked(network, unit_pairs(3, np.linspace(-1, 1, 101), 1)) <= Fraction(1, 20)


def test_small_weights_are_the_same_function_with_more_neurons() -> None:
    free, bounded = found("sin(pi*d^3*t)", 3, "0.35"), found("sin(pi*d^3*t)", 3, "0.35", weights=8)
    assert free.max_weight > 8 >= bounded.max_weight
    assert sum(free.widths) < sum(bounded.widths) < 1000
    assert bounded.document["claim"]["max_weight"] == "8"
    assert attacked(bounded, unit_pairs(3, np.linspace(-1, 1, 10_001), 5)) <= bounded.sup_error_upper


def test_weights_that_no_scaling_reaches() -> None:
    with pytest.raises(OutOfReach) as refusal:
        found("5 + sin(pi*d*t)", 4, "0.35", weights=2)
    assert str(refusal.value) == (
        'a depth-3 network for "5 + sin(pi*d*t)" in dimension 4 with error 7/20 and weights at most 2\n'
        "  found:  no proof for any network with such weights\n"
        "  do:     ask for a larger eps or for larger weights"
    )


def test_no_proof_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    for module in (phase_designs, general_designs):
        monkeypatch.setattr(module, "first_proved", lambda *_, **__: None)
    with pytest.raises(OutOfReach) as refusal:
        inner_products.search(InnerProduct("t", 3), Fraction(1, 10), progress=lambda text, _: told.append(text))
    assert str(refusal.value) == (
        'a depth-3 network for "t" in dimension 3 with error 1/10\n'
        "  found:  no proof for any network tried\n"
        "  do:     ask for a larger eps"
    )
    assert any(text.startswith("proving ") and text.endswith(" neurons") for text in told)
    with pytest.raises(OutOfReach, match="no proof for any network tried"):
        inner_products.source_network(InnerProduct("t", 3), Fraction(1, 2))


@dataclass(frozen=True)
class Sized:
    """A design of this size, whose network turns out to have another one; 0 stands for no proof."""

    before: int
    after: int

    @property
    def widths(self) -> tuple[int, ...]:
        return (self.before,)

    def certified(self, *_: object) -> Sized | None:
        return Sized(self.after, self.after) if self.after else None


@pytest.mark.parametrize(
    ("designs", "best", "looked_at"),
    [
        ([(5, 5), (3, 3), (4, 4)], 3, 1),
        ([(3, 9), (4, 5), (6, 6)], 5, 2),
        ([(3, 0), (4, 4)], 4, 2),
        ([(3, 8), (4, 9)], 8, 2),
        ([(3, 0)], None, 1),
    ],
)
def test_the_cheapest_network_is_taken(designs: list[tuple[int, int]], best: int | None, looked_at: int) -> None:
    told: list[str] = []
    sized = [Sized(*sizes) for sizes in designs]
    network = folded_search.cheapest_certified(
        sized,
        InnerProduct("t", 3),
        Fraction(1),
        Fraction(1),
        folded_search.by_neurons,
        lambda text, _: told.append(text),
    )
    assert (None if network is None else network.widths[0]) == best
    assert len(told) == looked_at


def test_too_much_variation_is_refused() -> None:
    with pytest.raises(OutOfReach) as refusal:
        inner_products.search(InnerProduct("abs(t)*1000", 3), Fraction(1, 1000))
    assert str(refusal.value) == (
        'a depth-3 network for "abs(t)*1000" in dimension 3 with error 1/1000\n'
        "  found:  the function varies by 2e+06 times the error over its domain\n"
        "  needed: at most 32768 times, for a search in float64 (sinusoids have no such limit)\n"
        "  do:     ask for a larger eps"
    )


def test_the_network_of_the_source_is_proved_and_much_wider() -> None:
    function, eps = InnerProduct("sin(pi*d^3*t)", 2), Fraction(1, 10)
    source = inner_products.source_network(function, eps)
    stated = 16 * 4 * 8 * np.pi / 0.1
    assert 0.99 * stated < sum(source.widths) < 1.1 * stated
    assert source.sup_error_upper <= eps
    assert attacked(source, unit_pairs(2, np.linspace(-1, 1, 5_001), 2)) <= source.sup_error_upper
    assert 100 * sum(found("sin(pi*d^3*t)", 2, "0.1").widths) < sum(source.widths)


def test_the_source_says_nothing_of_other_functions() -> None:
    asked = 'the network of Daniely 2017 for "t" in dimension 2 with error 1/10'
    with pytest.raises(BadInput) as refusal:
        inner_products.source_network(InnerProduct("t", 2, "ball-pairs"), Fraction(1, 10))
    assert str(refusal.value) == f"{asked}\n  needed: a Lipschitz function, not a constant, on pairs of unit vectors"
    with pytest.raises(OutOfReach) as too_many:
        inner_products.source_network(InnerProduct("t", 2), Fraction(1, 10**5))
    assert str(too_many.value) == (
        'the network of Daniely 2017 for "t" in dimension 2 with error 1/100000\n'
        "  found:  1,600,000 knots per coordinate and 200,000 hinges\n"
        "  needed: at most 200,000 and 8,192\n"
        "  do:     compare at a larger eps or in a smaller dimension: the width is 16 d^2 L/eps"
    )
