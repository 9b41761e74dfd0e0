"""Both sides of a separation on pairs of unit vectors: one bound of the weights, one accuracy, one sentence."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import depthsep as ds
from depthsep.api import Separation
from depthsep.errors import BadInput, OutOfReach
from depthsep.functions import InnerProduct
from depthsep.lower_bounds import LowerBound
from depthsep.reports import run_folder
from depthsep.reports import scan as scans
from depthsep.reports.page import draw, render
from depthsep_check import check


@pytest.fixture(scope="module")
def wave() -> Separation:
    return ds.separate("sin(pi*d^3*t)", dim=10, eps="0.1", domain="spheres", weights="2^d")


def test_both_sides_obey_one_bound_and_one_accuracy(wave: Separation) -> None:
    bound = wave.necessary
    assert bound is not None
    assert (bound.theorem, bound.weight_class, bound.eps) == ("degrees", "entries <= 1024", Fraction(1, 10))
    assert bound.width_lower > 2**36
    claim = wave.deep.document["claim"]
    assert (claim["domain"], claim["max_weight"]) == ("sphere-pairs", "1024")
    assert wave.deep.max_weight <= 1024
    assert wave.deep.sup_error_upper <= Fraction(1, 10)
    assert sum(wave.deep.widths) <= 5700 + 4100
    assert check(json.dumps(wave.deep.document)).ok
    assert [bound.theorem for bound in wave.bounds] == ["degrees", "crossings"]


def test_the_sentence_compares_what_is_necessary_with_what_is_built(wave: Separation) -> None:
    deep = sum(wave.deep.widths)
    assert wave.log_width_ratio is not None
    assert wave.necessary is not None
    assert 2.7 < wave.log_width_ratio <= wave.necessary.log2_width_lower / math.log2(deep)
    assert wave.sentence == (
        f"With weights up to 1024 on both sides, depth 3 reaches accuracy 1/10 with {deep:,} neurons, and every "
        "depth-2 ReLU network needs at least 2^36.96: the logarithms of the widths are as "
        f"{wave.log_width_ratio:g} to 1."
    )


def test_no_depth_two_network_is_claimed(wave: Separation) -> None:
    assert wave.shallow is None
    assert str(wave.shallow_failure) == (
        "a depth-2 network for sin(pi*d^3*t) on pairs\n"
        "  found:  no construction is known here, only what every such network needs"
    )


def test_what_separates_nothing_says_so(wave: Separation) -> None:
    weak = replace(wave, bounds=wave.bounds[1:], weights=None)
    assert weak.sentence.endswith(
        "neurons, and every depth-2 ReLU network needs at least 1,999: that separates nothing."
    )
    assert weak.sentence.startswith("Depth 3 reaches accuracy 1/10 with ")
    silent = replace(wave, bounds=())
    assert silent.log_width_ratio is None
    assert silent.sentence.endswith("neurons; no bound on the width is known here for depth 2.")


def test_a_width_that_can_be_written_out(wave: Separation) -> None:
    bound = ds.lower_bound("sin(pi*d^3*t)", dim=5, eps="0.1", domain="spheres", weights="2^d")
    assert isinstance(bound, LowerBound)
    assert bound.width_lower < 10**9
    small = replace(wave, bounds=(bound,))
    assert f"needs at least {bound.width_lower:,}: the logarithms" in small.sentence


def test_a_constant_needs_nothing() -> None:
    nothing = ds.separate("3", dim=4, eps="0.1", domain="spheres")
    assert nothing.necessary is None
    assert nothing.sentence.endswith("no bound on the width is known here for depth 2.")


def test_the_run_folder_and_the_page(wave: Separation, tmp_path: Path) -> None:
    summary = run_folder.write(wave, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bounds", "deep.json", "report.html", "summary.json"]
    assert (summary["domain"], summary["weights"]) == ("sphere-pairs", "1024")
    assert summary["log_width_ratio"] == wave.log_width_ratio
    assert "no deep.onnx" in summary["notes"][0]
    for path in (tmp_path / "deep.json", *(tmp_path / "bounds").iterdir()):
        assert check(path.read_bytes()).ok
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for words in (
        "t is the inner product of x and x′, on pairs of unit vectors of dimension 10, sup norm",
        "Along the inner product",
        "this is a window in the middle",
        "once for each of 2,001 half periods",
        "<strong>every</strong> pair of real unit vectors x, x′ of dimension 10 (norms may be off by 9.09",
        "a network within the accuracy in the sup norm is so in L2",
        wave.sentence,
    ):
        assert words in page, words
    assert "unit ball" not in page
    assert "Theorems and their hypotheses" not in page


def test_the_page_of_a_function_that_is_not_periodic() -> None:
    slow = ds.separate("exp(t)", dim=4, eps="0.1", domain="spheres")
    page = render(slow)
    assert "last layer, at" in page
    assert "window in the middle" not in page
    pictures = draw(slow, [scans.scan(slow.deep)])
    assert pictures["errors"].axes[0].get_xlabel() == "t = ⟨x, x′⟩"
    assert pictures["profile"].axes[0].get_xlim() == (-1, 1)


@pytest.mark.parametrize(("domain", "dim"), [("spheres", 1), ("spheres", 2), ("spheres", 5), ("balls", 3)])
def test_pairs_are_in_the_domain_and_have_the_inner_product_of_their_place(domain: str, dim: int) -> None:
    net = ds.build("exp(t)", dim=dim, eps="0.2", depth=3, domain=domain)
    assert isinstance(net.function, InnerProduct)
    seen = scans.scan(net)
    assert seen.axis == "t = ⟨x, x′⟩"
    assert (seen.places[0], seen.places[-1]) == (-1, 1)
    assert 0 < seen.largest_error <= float(net.sup_error_upper) + 1e-12
    places, points = scans._pairs(net.function, np.random.default_rng(0))
    for rows in points:
        first, second = rows[:, :dim], rows[:, dim:]
        norms = np.linalg.norm(np.vstack([first, second]), axis=1)
        assert np.all(norms <= 1) if domain == "balls" else np.allclose(norms, 1, atol=1e-15)
        assert np.allclose(np.einsum("ij,ij->i", first, second), places, atol=1e-14)


def test_the_window_shrinks_with_the_number_of_turns() -> None:
    rng = np.random.default_rng(0)
    widths = [scans._window(InnerProduct(text, 100), rng) for text in ("sin(9*t)", "sin(pi*d^2*t)", "sin(pi*d^3*t)")]
    assert widths[0] == 1
    assert 0.5 < widths[1] * 10**4 / 12 < 2
    assert 0.5 < widths[2] * 10**6 / 12 < 2


def test_a_bound_of_the_weights_on_the_ball_holds_for_all_networks() -> None:
    wide = ds.separate("1 - r", dim=2, eps="0.3", weights=64)
    assert wide.shallow is not None
    assert max(wide.shallow.max_weight, wide.deep.max_weight) <= 64
    assert wide.log_width_ratio is None
    narrow = ds.separate("1 - r", dim=2, eps="0.3", weights="3/4")
    assert narrow.deep.max_weight <= 0.75
    assert narrow.shallow is None
    assert "with weights at most 3/4" in str(narrow.shallow_failure)


def test_requests_that_make_no_sense() -> None:
    with pytest.raises(BadInput, match='separate t on pairs of the ball\n  needed: the domain "ball" or "spheres"'):
        ds.separate("t", dim=4, eps="0.1", domain="balls")
    with pytest.raises(BadInput, match="the bound of the weights '-2'\n  needed: a positive rational number"):
        ds.separate("t", dim=4, eps="0.1", domain="spheres", weights=-2)
    with pytest.raises(BadInput, match="a network without an accuracy"):
        ds.separate("t", dim=4, domain="spheres")
    with pytest.raises(OutOfReach, match="no proof for any network with such weights"):
        ds.separate("sin(pi*d^3*t)", dim=10, eps="0.1", domain="spheres", weights="1/1000")
