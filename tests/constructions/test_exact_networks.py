"""Exact networks: widths, values, files, and what is refused."""

from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import depthsep as ds
from depthsep.errors import BadInput, NotProved, OutOfReach


def exact_value(net: ds.CertifiedExact, *point: Fraction | int) -> Fraction:
    return net.network.evaluate_exact([Fraction(x) for x in point])[0]


@pytest.mark.parametrize("depth", [None, 2, 3, 4, 6])
def test_sawtooth(depth: int | None) -> None:
    net = ds.exact_sawtooth(5, depth)
    assert net.depth == (depth or 6)
    for j in range(257):
        x = Fraction(j, 256)
        assert exact_value(net, x) == abs((32 * x + 1) % 2 - 1)


def test_sixty_three_folds() -> None:
    net = ds.exact_sawtooth(63)
    assert net.widths == (2,) * 63
    assert net.verdict.ok
    assert net.network.max_weight == 4


@pytest.mark.parametrize(("bits", "depth"), [(1, 2), (3, 2), (4, 3), (6, 4), (6, 2)])
def test_parity(bits: int, depth: int) -> None:
    net = ds.exact_parity(bits, depth)
    assert net.depth == depth
    for point in product((0, 1), repeat=bits):
        assert exact_value(net, *point) == sum(point) % 2


def test_parity_has_one_wide_layer_or_a_few_of_two() -> None:
    assert ds.exact_parity(64).widths == (64,)
    assert ds.exact_parity(64, depth=7).widths == (2,) * 6


def test_cantor() -> None:
    net = ds.exact_cantor(3)
    assert net.widths == (2,) * 4
    for j in range(-30, 140):
        x = y = Fraction(j, 108)
        for _ in range(3):
            y = 3 * min(y, 1 - y)
        assert (exact_value(net, x) >= 0) == (0 <= y <= 1)


@pytest.mark.parametrize(("inputs", "depth"), [(1, None), (2, None), (3, None), (5, None), (5, 4), (8, 4), (13, None)])
def test_maximum(inputs: int, depth: int | None) -> None:
    net = ds.exact_maximum(inputs, depth)
    rng = np.random.default_rng(0)
    for point in rng.integers(-9, 10, size=(50, inputs)).tolist():
        assert exact_value(net, *point) == max(point)
    points = rng.normal(size=(20, inputs))
    np.testing.assert_allclose(net(points)[:, 0], points.max(axis=1), atol=1e-12)


def test_the_maximum_of_five_takes_two_hidden_layers() -> None:
    net = ds.exact_maximum(5)
    assert net.depth == 3
    assert net.widths == (20, 152)
    assert net.sup_error_upper == 0


@pytest.mark.parametrize("unit", [0, 59, 60, 90, 149, 150, 151])
@pytest.mark.parametrize("change", [Fraction(1, 10**12), Fraction(-1, 60)])
def test_the_maximum_of_five_with_another_weight_is_refused(unit: int, change: Fraction) -> None:
    """All orderings of the inputs are compared, so a coefficient of a single term counts."""
    network = ds.exact_maximum(5).network
    last = network.layers[-1]
    row = list(last.weights[0])
    row[unit] += change
    forged = ds.ReluNetwork(5, (*network.layers[:-1], replace(last, weights=(tuple(row),))))
    with pytest.raises(NotProved) as caught:
        ds.certify_exact(ds.ExactTarget("maximum", 5), forged)
    assert "REFUTED maximum: it is not the maximum where the inputs decrease in the order" in str(caught.value)


def test_lower_bounds_by_pieces() -> None:
    target = ds.ExactTarget("sawtooth", 6)
    assert [target.least_width(depth) for depth in (2, 3, 4, 7)] == [63, 7, 3, 1]
    assert ds.ExactTarget("cantor", 4).least_pieces == 32
    assert ds.ExactTarget("maximum", 5).least_width(3) is None
    summary = ds.exact_sawtooth(6, depth=3).summary()
    assert (summary["widths"], summary["width_lower"], summary["pieces_lower"]) == ([8, 8], 7, "64")


def test_documents_are_loaded_and_replayed(tmp_path: Path) -> None:
    net = ds.exact_cantor(2)
    loaded = ds.load(net.save(tmp_path / "cantor.json"))
    assert isinstance(loaded, ds.CertifiedExact)
    assert (loaded.target, loaded.network, loaded.verdict) == (net.target, net.network, net.verdict)


def test_a_network_of_others_is_proved_or_not() -> None:
    mine = ds.read_network([([[1, 0], [-1, 1], [-1, 0]], [0, 0, 0]), ([[1, 1, -1]], [0])])
    assert ds.certify_exact(ds.ExactTarget("maximum", 2), mine).verdict.ok
    with pytest.raises(NotProved) as caught:
        ds.certify_exact(ds.ExactTarget("parity", 2), mine)
    assert str(caught.value) == (
        "that the network computes the parity of 2 bits\n"
        "  found:  REFUTED numbers of ones: row 0 of layer 1 has different entries"
    )


@pytest.mark.parametrize(
    ("build", "kind", "text"),
    [
        (lambda: ds.exact_sawtooth(0), BadInput, "an exact network for sawtooth with folds = 0"),
        (lambda: ds.exact_cantor(-1), BadInput, "an exact network for cantor with level = -1"),
        (lambda: ds.exact_sawtooth(3, depth=5), BadInput, "needed: a depth of 2 to 4"),
        (lambda: ds.exact_sawtooth(3, depth=1), BadInput, "needed: a depth of 2 to 4"),
        (lambda: ds.exact_sawtooth(70), OutOfReach, "needed: at most 64 weight layers"),
        (lambda: ds.exact_sawtooth(40, depth=2), OutOfReach, "needed: at most 1000000"),
        (lambda: ds.exact_parity(5000), OutOfReach, "needed: at most 1000000"),
        (lambda: ds.exact_parity(16, depth=6), BadInput, "needed: a depth of 2 to 5"),
        (lambda: ds.exact_cantor(63), OutOfReach, "level 62"),
        (lambda: ds.exact_maximum(5, depth=2), BadInput, "needed: depth 4 or 3"),
        (lambda: ds.exact_maximum(8, depth=3), BadInput, "needed: depth 4"),
        (lambda: ds.exact_maximum(10**6), OutOfReach, "needed: at most 1000000"),
        (lambda: ds.ExactTarget("sine", 3), BadInput, "needed: sawtooth, cantor, parity, maximum"),
    ],
)
def test_what_is_out_of_reach_is_said(build: object, kind: type[Exception], text: str) -> None:
    assert callable(build)
    with pytest.raises(kind) as caught:
        build()
    assert text in str(caught.value)
