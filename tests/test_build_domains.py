"""`build` on pairs of points, at every depth, under a bound of the weights."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import depthsep as ds
from depthsep.errors import BadInput, OutOfReach
from depthsep.functions import DOMAINS, InnerProduct, parse_function


@pytest.mark.parametrize(
    ("text", "dim", "eps", "most"),
    [
        ("sin(pi*d^3*t)", 5, "0.1", 830 + 520),
        ("sin(pi*d^3*t)", 5, "0.01", 2650 + 2100),
        ("sin(pi*d^3*t)", 10, "0.1", 5700 + 4100),
        ("sin(pi*sqrt(d)*d*t)", 20, "0.1", 3400 + 560),
    ],
)
def test_inner_products_at_depth_3(text: str, dim: int, eps: str, most: int) -> None:
    net = ds.build(text, dim=dim, eps=eps, depth=3, domain="spheres")
    assert net.verdict.ok
    assert (net.depth, net.function.domain) == (3, "sphere-pairs")
    assert sum(net.widths) <= most


@pytest.mark.parametrize(("depth", "most"), [(4, 4100), (6, 380), (8, 95), (15, 35)])
def test_inner_products_at_every_depth(depth: int, most: int) -> None:
    net = ds.build("sin(pi*d^3*t)", dim=10, eps="0.1", depth=depth, domain="spheres")
    assert net.verdict.ok
    assert (net.depth, len(net.widths)) == (depth, depth - 1)
    assert max(net.widths) <= most
    assert net.source_width is None  # the source's formula is for depth 3


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_domain_and_a_bound_of_the_weights(domain: str) -> None:
    text = "sin(9*r^2)" if domain == "ball" else "sin(9*t)"
    net = ds.build(text, dim=3, eps="0.2", depth=4, domain=domain, weights="2^d")
    assert net.verdict.ok
    assert net.max_weight <= 8
    assert Fraction(net.document["claim"]["max_weight"]) == 8
    rng = np.random.default_rng(1)
    points = rng.standard_normal((50, 3 if domain == "ball" else 6))
    parts = [part / np.linalg.norm(part, axis=1, keepdims=True) for part in np.split(points, points.shape[1] // 3, 1)]
    rows = np.hstack(parts) * (1.0 if domain == "spheres" else 0.9)
    assert np.max(np.abs(net(rows) - net.function(rows))) <= 0.2 + 1e-9


def test_a_radial_wave_of_very_many_periods_at_depth_3() -> None:
    net = ds.build("sin(2*pi*d^3*r^2)", dim=30, eps="0.1", depth=3)
    assert net.verdict.ok
    assert net.network.kind == "folded"
    with pytest.raises(OutOfReach, match="the profile varies by"):
        ds.build("abs(sin(2*pi*d^3*r^2))", dim=30, eps="0.1", depth=3)


def test_radial_functions_at_more_depth() -> None:
    net = ds.build("1 - r", dim=10, eps="0.1", depth=6)
    assert net.verdict.ok
    assert net.depth == 6
    assert max(net.widths) <= 21


def test_a_function_as_an_object_brings_its_own_domain() -> None:
    net = ds.build(InnerProduct("t", 3, "ball-pairs"), dim=3, eps="0.2", depth=3)
    assert net.function.domain == "ball-pairs"


def test_formulas_on_domains() -> None:
    assert parse_function("sin(9*t)", 3, "balls") == InnerProduct("sin(9*t)", 3, "ball-pairs")
    with pytest.raises(BadInput, match='the domain \'cube\'\n  needed: "ball", "spheres" or "balls"'):
        parse_function("t", 3, "cube")
    with pytest.raises(BadInput, match="found r"):
        parse_function("1 - r", 3, "spheres")
    with pytest.raises(BadInput, match="found t"):
        parse_function("t", 3)


@pytest.mark.parametrize(
    ("text", "more", "message"),
    [
        (
            "sin(3*t)",
            {"domain": "spheres", "depth": 2},
            "a depth-2 network for sin(3*t)\n"
            "  needed: depth 3 or more: no depth-2 construction for functions of an inner product is known here\n"
            "  do:     ask for depth 3; lower_bound (`depthsep bound`) says what depth 2 needs",
        ),
        ("1 - r", {"depth": 65}, "depth = 65\n  needed: from 2 (one hidden layer) to 64"),
        (
            "1 - r",
            {"depth": 2, "weights": 8},
            "a depth-2 network for 1 - r with weights at most 8\n"
            "  needed: depth 3 or more\n  do:     leave the bound out, or ask for depth 3",
        ),
        (
            "ball(1/2, 0.1)",
            {"depth": 4},
            "a depth-4 network for ball(1/2, 1/10)\n"
            "  needed: depth 3 and weights as they come: ball indicators have that construction only",
        ),
        (
            "sin(3*t)",
            {"domain": "spheres", "depth": 3, "activation": "softplus"},
            "a depth-3 network for sin(3*t) with the activation 'softplus'\n"
            "  needed: relu, or a radial function at depth 2, or one at depth 3 with softplus, sigmoid or tanh\n"
            "  do:     ask for depth 2, or leave it out",
        ),
        (
            "t",
            {"domain": "spheres", "depth": 3, "weights": "0"},
            "the bound of the weights '0'\n  needed: a positive rational number, such as 2^d or 64",
        ),
    ],
)
def test_requests_that_make_no_sense(text: str, more: dict[str, object], message: str) -> None:
    with pytest.raises(BadInput) as refusal:
        ds.build(text, dim=3, eps="0.1", **more)  # type: ignore[arg-type]
    assert str(refusal.value) == message


def test_too_many_neurons_at_more_depth() -> None:
    with pytest.raises(OutOfReach, match="the smallest one found has"):
        ds.build("sin(9*t)", dim=3, eps="0.1", depth=4, domain="spheres", max_width=3)
