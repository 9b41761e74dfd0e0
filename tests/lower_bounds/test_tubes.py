"""The tubes bound as users get it: the tables of the notes, refusals, the measure, and fits above the floor."""

import json
import math
from fractions import Fraction

import numpy as np
import pytest
from flint import fmpq
from numpy.typing import NDArray
from scipy.special import roots_legendre

from depthsep.errors import BadInput, OutOfReach
from depthsep.lower_bounds.bound import LowerBound, NoBound
from depthsep.lower_bounds.tube_measure import (
    radial_cdf,
    radial_density,
    sample,
    sample_radii,
    unit_radius,
)
from depthsep.lower_bounds.tube_profile import RadialPieces, read_profile
from depthsep.lower_bounds.tubes import tubes_bound, tubes_floor
from depthsep_check import check
from depthsep_check.numbers import precision
from depthsep_check.theorems.tubes import Plan, spectrum
from depthsep_check.verdict import Budget

DIMS = (5, 10, 15, 20, 30, 50, 100, 200)


def bounded(result: LowerBound | NoBound) -> LowerBound:
    assert isinstance(result, LowerBound), result
    return result


def masses(text: str, dim: int, cuts: tuple[fmpq, ...]) -> list[float]:
    """Lower ends of the masses beyond the cuts, F taken from a little below the turning point on."""
    function = read_profile(text, dim)
    start = fmpq(max(0, dim // 2 - 4 * math.ceil(dim ** (1 / 3)))) if dim >= 50 else fmpq(0)
    with precision(128):
        found = spectrum(function.checked, dim, Plan(start, cuts, (60 + 2 * dim,)), Budget(10**6))
        assert found.dropped < 1e-6
        return [float(mass.lower().mid()) for mass in found.beyond]


@pytest.mark.parametrize(
    ("dim", "half", "two", "four"),
    list(
        zip(
            DIMS,
            (".06931", ".06024", ".05375", ".04245", ".03612", ".02687", ".01757", ".01153"),
            (".05721", ".03929", ".03233", ".02927", ".02296", ".01699", ".01130", ".007379"),
            (".02439", ".01780", ".01507", ".01282", ".01023", ".00775", ".00508", ".00330"),
            strict=True,
        )
    ),
)
def test_the_table_of_the_step(dim: int, half: str, two: str, four: str) -> None:
    """The masses beyond 3/2, 2 and 4 of the step at nu + 0.81 nu^(1/3), rounded to quarters."""
    order = dim / 2
    upto = Fraction(round(4 * (order + 0.81 * order ** (1 / 3))), 4)
    found = masses(f"indicator(s <= {upto})", dim, (fmpq(3, 2), fmpq(2), fmpq(4)))
    for value, printed in zip(found, (half, two, four), strict=True):
        assert f"{value:.{len(printed) - 1}f}" == f"0{printed}"


@pytest.mark.parametrize(
    ("dim", "upto", "half", "two"),
    list(
        zip(
            DIMS,
            ("2.5", "6", "9", "11", "69/4", "27", "52.5", "103"),
            (".0746", ".0328", ".0130", ".00949", ".00593", ".00338", ".00135", ".000551"),
            (".0463", ".0124", ".00743", ".00534", ".00312", ".00170", ".000683", ".000279"),
            strict=True,
        )
    ),
)
def test_the_table_of_the_cone(dim: int, upto: str, half: str, two: str) -> None:
    found = masses(f"max(0, 1 - s/({upto}))", dim, (fmpq(3, 2), fmpq(2)))
    for value, printed in zip(found, (half, two), strict=True):
        assert f"{value**0.5:.{len(printed) - 1}f}" == f"0{printed}"


@pytest.mark.parametrize(
    ("dim", "printed"), [(3, ".377"), (5, ".377"), (10, ".392"), (15, ".387"), (20, ".384"), (30, ".389"), (50, ".391")]
)
def test_the_table_of_the_cosine(dim: int, printed: str) -> None:
    assert f"{masses('cos(3*s)', dim, (fmpq(2),))[0]:.3f}" == f"0{printed}"


@pytest.mark.parametrize(
    ("text", "dim", "mass", "share"),
    [
        ("indicator(s <= 6.5)", 10, 0.03929, 10.78),
        ("max(0, 1 - s/27)", 50, 0.00170**2, 51.94),
        ("cos(3*s)", 30, 0.389, 31.57),
        ("indicator(s <= 415/4)", 200, 0.007379, 202.9),
    ],
)
def test_the_bound_is_no_weaker_than_one_cut(text: str, dim: int, mass: float, share: float) -> None:
    """At eps^2 = m/2 one cut at 2 gives half of 1/tau."""
    result = bounded(tubes_bound(text, dim, Fraction(int((mass / 2) ** 0.5 * 10**6), 10**6)))
    assert result.log2_width_lower >= share - 1.02
    assert (result.norm, result.measure, result.domain, result.depth) == ("L2", "eldan-shamir", "R^d", 2)
    assert (result.activation_class, result.weight_class, result.error_floor) == ("any", "any", None)
    assert check(result.document).ok


def test_a_large_dimension() -> None:
    result = bounded(tubes_bound("max(0, 1 - s/505.25)", 1000, Fraction(2, 10**5)))
    assert result.log2_width_lower > 1004
    assert json.loads(result.document)["claim"]["width"] == f"2^{result.width_lower.bit_length() - 1}"
    assert result.width_lower == 2 ** (result.width_lower.bit_length() - 1)


def test_the_floor_falls_with_the_width_and_gives_the_width_back() -> None:
    text, before = "indicator(s <= 13/2)", Fraction(1)
    for width in (1, 2, 10, 50, 1000, 10**6):
        result = bounded(tubes_floor(text, 10, width))
        assert result.width_lower == width + 1
        assert result.error_floor == result.eps
        assert 0 < result.eps < before
        before = result.eps
        again = bounded(tubes_bound(text, 10, result.eps * Fraction(999, 1000)))
        assert again.width_lower > width * 0.99


@pytest.mark.parametrize(
    ("dim", "upto", "width", "printed", "limit"),
    [
        (2, "1", 1, 0.1104, 0.1163),
        (2, "1", 2, 0.0598, 0.0692),
        (3, "2.4", 1, 0.1584, 0.1665),
        (3, "2.4", 3, 0.0643, 0.0935),
        (5, "3.5", 1, 0.1794, 0.1860),
        (5, "3.5", 5, 0.0780, 0.1047),
    ],
)
def test_no_additive_fit_is_below_the_floor(dim: int, upto: str, width: int, printed: float, limit: float) -> None:
    """Backfitting in `width` orthogonal directions, on samples of the measure; the error on fresh samples."""
    floor = float(bounded(tubes_floor(f"indicator(s <= {upto})", dim, width)).eps)
    error, deviation = fit(dim, float(upto), width)
    assert error + 4 * deviation > floor**2
    assert error < 1.1 * limit  # the fit is about the best there is in these directions
    assert 0.94 * printed < floor**2 < printed  # and the cuts lose little of the integral


def fit(dim: int, upto: float, width: int) -> tuple[float, float]:
    """The squared error of the best additive step function of `width` coordinates, and its standard deviation."""
    rng = np.random.default_rng(7)
    points, fresh = sample(dim, 150_000, rng), sample(dim, 150_000, rng)
    edges = np.linspace(-upto, upto, 81)
    bins, target = np.digitize(points[:, :width], edges), np.linalg.norm(points, axis=1) <= upto
    parts = np.zeros((width, 82))
    for _ in range(12):
        for j in range(width):
            others = sum(parts[i][bins[:, i]] for i in range(width) if i != j)
            rest = target - others
            count = np.maximum(np.bincount(bins[:, j], minlength=82), 1)
            parts[j] = np.bincount(bins[:, j], weights=np.broadcast_to(rest, target.shape), minlength=82) / count
    bins = np.digitize(fresh[:, :width], edges)
    value = sum(parts[j][bins[:, j]] for j in range(width))
    squares: NDArray[np.float64] = ((np.linalg.norm(fresh, axis=1) <= upto) - value) ** 2
    return float(squares.mean()), float(squares.std() / squares.size**0.5)


def test_pieces_and_texts_give_the_same_document() -> None:
    eps = Fraction(3, 100)
    by_text = bounded(tubes_bound("max(0, 1 - s/6)", 10, eps))
    by_pieces = bounded(tubes_bound([(Fraction(0), Fraction(6), "1 - s/6")], 10, eps))
    assert by_text.document == by_pieces.document
    assert "F(s) = 1 - s/6 for 0 <= s <= 6, 0 elsewhere" in by_text.hypotheses


def test_a_shell_of_several_pieces() -> None:
    result = bounded(tubes_floor("max(0, (s - 4)*(7 - s))", 8, 3))
    pieces = json.loads(result.document)["function"]["pieces"]
    assert pieces == [{"from": "4", "to": "7", "expression": "(s - 4)*(7 - s)"}]
    hat = [(Fraction(3), Fraction(5), "s - 3"), (Fraction(5), Fraction(7), "7 - s")]
    assert bounded(tubes_floor(hat, 8, 3)).eps > Fraction(1, 10)


@pytest.mark.parametrize(
    ("text", "dim", "pieces"),
    [
        ("indicator(s <= d/2)", 9, "1 for 0 <= s <= 9/2"),
        ("max(0, sin(s - s))", 5, None),
        ("exp(-s)", 4, "exp(-s) for 0 <= s <= 6"),
        ("cos(3*s)", 20, "cos(3*s) for 0 <= s <= 29.845"),
        ("max(0, 2 - abs(s))", 5, None),
        ("max(0, 4 - s^2)", 6, "4 - s^2 for 0 <= s <= 2"),
    ],
)
def test_reading_texts(text: str, dim: int, pieces: str | None) -> None:
    if pieces is None:
        with pytest.raises(BadInput):
            read_profile(text, dim)
    else:
        low, _, high = pieces.rpartition(" ")[0], None, Fraction(pieces.rpartition(" ")[2])
        assert str(read_profile(text, dim)) == f"{low} {high}"


def test_a_given_support() -> None:
    assert read_profile("cos(s)", 5, Fraction(9, 2)).pieces == ((Fraction(0), Fraction(9, 2), "cos(s)"),)
    assert read_profile("max(0, s - 2)", 5, Fraction(9, 2)).pieces == ((Fraction(2), Fraction(9, 2), "s - 2"),)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("abs(s - 1)", ("abs, min or max", "analytic on each piece", "give pieces")),
        (
            "max(0, 2 - s^2)",
            ("changes its sign near s = 1.41421356, not certainly at a rational place", "rational ends"),
        ),
        ("max(0, s - 2)", ("it is positive at s = 15", "support=")),
        ("max(0, s - 200)", ("it is 0 for all s up to 15", "a function that is not 0")),
        ("indicator(s <= -1)", ("the constant -1", "a positive rational number")),
        ("indicator(s <= pi)", ("the constant pi", "a positive rational number")),
        ("1 - r", ("s",)),
    ],
)
def test_profiles_that_cannot_be_read(text: str, parts: tuple[str, ...]) -> None:
    with pytest.raises(BadInput) as caught:
        read_profile(text, 5)
    for part in parts:
        assert part in str(caught.value)


def test_pieces_that_cannot_be() -> None:
    one, two, three = Fraction(1), Fraction(2), Fraction(3)
    for pieces, message in (
        ((), "a function without pieces"),
        (((two, one, "1"),), "from < to"),
        (((one, three, "1"), (two, three + 1, "1")), "from at least 3"),
        (((-one, three, "1"),), "from at least 0"),
    ):
        with pytest.raises(BadInput, match=message):
            RadialPieces(pieces, 4)
    with pytest.raises(BadInput, match="made for dimension 4"):
        tubes_bound(RadialPieces(((Fraction(0), one, "1"),), 4), 5, one)


@pytest.mark.parametrize(
    ("eps", "reason"),
    [
        (Fraction(7, 10), "eps = 7/10 is not below the norm of the function, about 0.635: the network 0 is that near"),
        (Fraction(55, 100), "eps = 11/20 is not below the floor of a single direction, about 0.42"),
    ],
)
def test_no_bound(eps: Fraction, reason: str) -> None:
    result = tubes_bound("indicator(s <= 13/2)", 10, eps)
    assert isinstance(result, NoBound)
    assert result.theorem == "tubes"
    assert result.reason.startswith(reason)


def test_an_accuracy_below_all_cuts_still_gives_a_bound() -> None:
    result = bounded(tubes_bound("max(0, 1 - s/6)", 10, Fraction(1, 10**9)))
    assert result.width_lower > 10**6
    assert result.eps == Fraction(1, 10**9)


def test_no_floor_for_a_width_that_covers_everything() -> None:
    result = tubes_floor("max(0, 1 - s/6)", 10, 10**60)
    assert result == NoBound(
        "tubes", f"at width {10**60} the floor is below 1/10000 of the norm of the function, about 0.101"
    )


def test_bad_requests() -> None:
    for dim in (1, 5000):
        with pytest.raises(BadInput, match="a dimension from 2 to 4096"):
            tubes_bound("1", dim, Fraction(1, 10))
    with pytest.raises(BadInput, match="a positive accuracy"):
        tubes_bound("1", 5, Fraction(0))
    for width in (0, 10**400):
        with pytest.raises(BadInput, match="a width of at least 1, of at most 390 digits"):
            tubes_floor("1", 5, width)
    with pytest.raises(OutOfReach, match="the quadrature needs about"):
        tubes_bound("cos(1000*s)", 20, Fraction(1, 10))


# The measure


@pytest.mark.parametrize("dim", [2, 3, 10, 101])
def test_the_sampler_follows_the_law(dim: int) -> None:
    radii = sample_radii(dim, 60_000, np.random.default_rng(11))
    assert radii.shape == (60_000,)
    for a in (0.4 * dim, 0.5 * dim, 0.55 * dim, 0.7 * dim, dim, 4 * dim, 100 * dim):
        expected = radial_cdf(dim, a)
        assert abs(float(np.mean(radii <= a)) - expected) < 5 * (expected * (1 - expected) / 60_000) ** 0.5 + 1e-4


@pytest.mark.parametrize("dim", [2, 5, 40])
def test_the_distribution_function_is_the_integral_of_the_density(dim: int) -> None:
    x, w = roots_legendre(400)
    for a in (0.5 * dim, dim, 3.0 * dim):
        assert float(np.sum(a / 2 * w * radial_density(dim, a / 2 * (1 + x)))) == pytest.approx(
            radial_cdf(dim, a), abs=1e-12
        )
    assert radial_cdf(dim, 1000 * dim) == pytest.approx(1 - 1 / (1000 * math.pi), abs=1e-5)
    assert radial_cdf(dim, 0) == 0
    assert radial_density(dim, [-1.0, 0.0]).tolist() == [0, 0]


def test_the_density_lies_under_the_envelope() -> None:
    for dim in (2, 3, 7, 60, 900):
        order = dim / 2
        below, above = np.linspace(1e-9, order, 3000), order + np.geomspace(1e-6, 1e4, 5000)
        densities = radial_density(dim, below)
        assert np.all(np.diff(densities) > -1e-15)
        assert np.all(radial_density(dim, above) <= 2 * dim / (np.pi * above * np.sqrt(above**2 - order**2)))


def test_directions_are_uniform_and_seeds_repeat() -> None:
    points = sample(4, 20_000, np.random.default_rng(3))
    unit = points / np.linalg.norm(points, axis=1)[:, None]
    assert np.allclose(unit.T @ unit / 20_000, np.eye(4) / 4, atol=0.01)
    assert np.array_equal(points, sample(4, 20_000, np.random.default_rng(3)))
    assert sample(4, 0, np.random.default_rng(3)).shape == (0, 4)


def test_bad_requests_to_the_measure() -> None:
    rng = np.random.default_rng(0)
    for call in (lambda: unit_radius(1), lambda: radial_cdf(1, 2.0), lambda: sample(1, 5, rng)):
        with pytest.raises(BadInput, match="a dimension of at least 2"):
            call()
    with pytest.raises(BadInput, match="not negative"):
        sample_radii(3, -1, rng)
    assert unit_radius(3) == pytest.approx((3 / (4 * math.pi)) ** (1 / 3))
