from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

import depthsep as ds
from depthsep.reports import figures
from depthsep.reports.small_weights import cut_through, layer_sizes

BIG = 2**12
COMPARATOR = ds.ReluNetwork.from_arrays([([[BIG + 1, -BIG], [BIG, -BIG]], [0, 0]), ([[1, -1]], [0])])
CUT = figures.Cut([0.0, 0.5, 1.0], [0.0, 0.5, 1.0], [0.0, 0.0, 1.0], [(0.0, 0.0), (1.0, 1.0)], [(0.45, 0.55)])
SIZES = [figures.LayerSizes(12.0, None), figures.LayerSizes(0.0, -3.5)]


def drawn(cut: figures.Cut | None) -> str:
    return figures.to_svg(figures.draw_weights(SIZES, [*SIZES, *SIZES], cut, "pad"), "first", "picture")


@pytest.mark.parametrize("cut", [CUT, None])
def test_the_picture_stands_alone(cut: figures.Cut | None) -> None:
    text = drawn(cut)
    assert text == drawn(cut)
    assert "http" not in text
    assert set(re.findall(r"#[0-9a-f]{6}\b", text)) == set()
    ElementTree.fromstring(text)


def test_labels() -> None:
    text = drawn(CUT)
    for label in (
        "before: depth 2",
        "after: depth 4",
        "log2 of the largest",
        "weight",
        "bias",
        "ramps",
        "source, clipped",
    ):
        assert label in text
    assert "ramps" not in drawn(None)


def test_sizes_of_layers() -> None:
    network = ds.ReluNetwork.from_arrays([([[8, -16], [1, 0]], [0, 0]), ([["1/4", 0]], ["-1/2"])])
    assert layer_sizes(network) == [figures.LayerSizes(4.0, None), figures.LayerSizes(-2.0, -1.0)]


@pytest.mark.parametrize("mode", ["theorem", "merged"])
def test_sizes_of_compiled_layers_have_the_exponents_and_the_scale(mode: str) -> None:
    shrunk = ds.shrink(COMPARATOR, grid_bits=3, mode=mode)
    for size, (weights, biases) in zip(layer_sizes(shrunk.network), shrunk.network.sparse_layers(), strict=True):
        assert 2**size.weight == pytest.approx(abs(weights.data).max())
        assert (0 if size.bias is None else 2**size.bias) == pytest.approx(abs(biases).max())


@pytest.mark.parametrize("domain", ["[0,1]^d", "[-1,1]^d"])
def test_the_cut_meets_the_source_at_grid_points(domain: str) -> None:
    shrunk = ds.shrink(COMPARATOR, grid_bits=3, domain=domain)
    cut = cut_through(shrunk)
    source = dict(zip(cut.places, cut.source, strict=True))
    assert len(cut.grid) == 9
    assert all(source[place] == value for place, value in cut.grid)
    assert any(a != b for a, b in zip(cut.source, cut.network, strict=True))
    assert len(cut.ramps) == 8
    assert all(low < high for low, high in cut.ramps)


def test_there_is_no_cut_where_both_are_equal_everywhere() -> None:
    assert cut_through(ds.balance(COMPARATOR)) is None
