"""Rows of the literature: the printed numbers, ours, and that ours come with proofs."""

from fractions import Fraction

import pytest

from depthsep.errors import BadInput
from depthsep.lower_bounds.bound import LowerBound
from depthsep.lower_bounds.named import (
    DANIELY_NOTES,
    NamedRow,
    daniely,
    safran_eldan_shamir_4,
    safran_eldan_shamir_5,
)


def log2_widths(row: NamedRow) -> list[float]:
    found = []
    for ours in row.ours:
        assert isinstance(ours.bound, LowerBound), ours.bound
        assert ours.bound.verdict.ok
        assert ours.bound.eps == ours.eps
        found.append(ours.bound.log2_width_lower)
    return found


@pytest.mark.parametrize(
    ("dim", "printed", "same_eps", "larger_eps"),
    [
        (5, -13.6, 15.2, 13.8),
        (20, 1.6, 88.2, 86.9),
        (50, 58.9, 273.4, 272.1),
        (100, 184.4, 635.2, 633.9),
        (1000, 3678.6, 9536.5, 9535.2),
    ],
)
def test_daniely_beside_the_certified_width(dim: int, printed: float, same_eps: float, larger_eps: float) -> None:
    row = daniely(dim)
    assert row.source_log2_width_estimate == pytest.approx(printed, abs=0.05)
    for found, least in zip(log2_widths(row), (same_eps, larger_eps), strict=True):
        assert least <= found < least + 0.4
    assert row.notes == DANIELY_NOTES
    assert row.ours[1].eps == Fraction(35, 100)


@pytest.mark.parametrize(
    ("dim", "least"), [(5, 23.9), (10, 48.7), (20, 102.8), (50, 292.0), (100, 656.8), (500, 4306), (1000, 9568)]
)
def test_theorem_4_in_the_sup_norm_on_the_ball(dim: int, least: float) -> None:
    row = safran_eldan_shamir_4(dim)
    reduced, full = log2_widths(row)
    assert least <= reduced < least + 0.7
    assert 0 < full < reduced
    assert row.source_log2_width_estimate is None
    bound = row.ours[0].bound
    assert isinstance(bound, LowerBound)
    assert (bound.norm, bound.domain) == ("sup", "unit-ball")


def test_theorem_4_at_the_accuracy_of_the_source() -> None:
    """The accuracy is 1/(101 e^2 pi^3 d^3), rounded up by a part in 10^19 at most."""
    eps = safran_eldan_shamir_4(10).ours[0].eps
    source = Fraction("0.0000000432155499735883152889162778531")
    assert 0 <= eps - source < source / 10**15


def test_theorem_4_at_a_third_of_the_amplitude() -> None:
    """The row of the notes for .35 of the amplitude: 22.4, 47.4, ..."""
    for dim, least in ((5, 22.4), (10, 47.4)):
        eps = Fraction(35, 100) / Fraction(628318531 * dim**3, 10**8)
        assert least <= log2_widths(safran_eldan_shamir_4(dim, eps))[0] < least + 0.4


def test_theorem_5_needs_no_bound_on_the_weights() -> None:
    row = safran_eldan_shamir_5(10)
    assert log2_widths(row)[0] > 8
    assert row.function == "max(0, 1 - s/(25/4))"
    bound = row.ours[0].bound
    assert isinstance(bound, LowerBound)
    assert bound.weight_class == "any"


@pytest.mark.parametrize("row", [daniely, safran_eldan_shamir_4, safran_eldan_shamir_5])
@pytest.mark.parametrize("dim", [2, 2000])
def test_dimensions_outside_are_refused(row: type[NamedRow], dim: int) -> None:
    with pytest.raises(BadInput, match="a dimension from 3 to 1290"):
        row(dim)  # type: ignore[call-arg, arg-type]
