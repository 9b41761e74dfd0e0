"""The Gaussian floor: its parts against independent numbers, what is accepted, and one forgery per hypothesis."""

import copy
import itertools
import math
from typing import Any

import mpmath
import numpy as np
import pytest
from flint import fmpq

from depthsep_check import Status, check
from depthsep_check.document import encode
from depthsep_check.numbers import precision
from depthsep_check.theorems.gaussian_floor import (
    _energies,
    _first_share,
    _moments,
    _tail,
    inside_probability,
    squared_error_floor,
)
from depthsep_check.verdict import Budget

MEDIAN_20 = f"9668714614714/{10**12}"  # near half the median of chi^2 with 20 degrees of freedom

VALID: dict[str, Any] = {
    "format": "depthsep",
    "version": 1,
    "made_by": "a test",
    "function": {"kind": "ball", "radius": "9/2"},
    "claim": {
        "kind": "gaussian-floor",
        "measure": "standard-gaussian",
        "error": "mean-squared",
        "activation_class": "any",
        "weight_class": "any",
        "dim": 20,
        "depth": 2,
        "width": 400,
        "error_floor": "55/1000",
    },
    "witness": {"kind": "hermite-degrees", "degrees": 60, "half_square": None},
}


def changed(**parts: dict[str, Any]) -> str:
    obj = copy.deepcopy(VALID)
    for part, changes in parts.items():
        obj[part].update(changes)
    return encode(obj)


def median(floor: str, half_square: str = MEDIAN_20, **claim: Any) -> str:
    return changed(
        function={"radius": "median"}, witness={"half_square": half_square}, claim={"error_floor": floor, **claim}
    )


@pytest.mark.parametrize(
    "text",
    [
        changed(),
        changed(claim={"width": 0, "error_floor": "24/100"}),
        changed(claim={"width": 10**12, "error_floor": "1/100000"}),
        median("54/1000"),
        changed(claim={"dim": 2, "width": 7, "error_floor": "11/10000"}, function={"radius": "3/2"}),
    ],
)
def test_valid_documents(text: str) -> None:
    assert check(text).status is Status.VERIFIED, check(text).line


def test_the_statement_names_law_norm_and_class() -> None:
    assert check(changed()).text == (
        "E (N(x) - f(x))^2 > 11/200 for x ~ N(0, I) in dimension 20, f = 1 where ||x|| <= R and 0 elsewhere, R = 9/2, "
        "and every network N of depth 2 with linear output and at most 400 units (distinct lines of weight vectors), "
        "with any activations of finite variance and any weights, an affine skip connection allowed"
    )
    assert "R = the median of ||x||" in check(median("54/1000")).text


REFUTED = {
    "a floor above the truth": changed(claim={"error_floor": "56/1000"}),
    "above the variance": changed(claim={"width": 0, "error_floor": "1/4"}),
    "more units": changed(claim={"width": 401, "error_floor": "5566/100000"}),
    "far more units": changed(claim={"width": 4000}),
    "another dimension": changed(claim={"dim": 5}),
    "another radius": changed(function={"radius": "6"}),
    "a radius where f is nearly constant": changed(function={"radius": "100"}),
    "a radius with no probability": changed(function={"radius": f"1/{10**50}"}),
    "a rational that is not the median": median("54/1000", half_square="8"),
    "too few degrees": changed(claim={"dim": 5, "width": 100}, function={"radius": "2"}, witness={"degrees": 1}),
    "a rational a little off, whose distance costs": median("556/10000", half_square="9669/1000"),
    "all eigenvalues taken": changed(claim={"dim": 2, "width": 10**18, "error_floor": "1/1000"}),
}


@pytest.mark.parametrize("name", REFUTED)
def test_refuted(name: str) -> None:
    verdict = check(REFUTED[name])
    assert verdict.status is Status.REFUTED, verdict.line
    assert "the mean squared error is not certainly above" in verdict.text


MALFORMED = {
    "dimension 1": (changed(claim={"dim": 1}), "claim.dim: 1 is outside 2..10000"),
    "depth 3": (changed(claim={"depth": 3}), "claim.depth: 3 is outside 2..2"),
    "floor zero": (changed(claim={"error_floor": "0"}), "claim.error_floor: must be positive"),
    "floor a number": (changed(claim={"error_floor": 1}), "claim.error_floor: expected a rational"),
    "width negative": (changed(claim={"width": -1}), "claim.width: -1 is outside"),
    "width true": (changed(claim={"width": True}), "claim.width: expected an integer"),
    "radius zero": (changed(function={"radius": "0"}), "function.radius: must be positive"),
    "radius a name": (changed(function={"radius": "mean"}), "function.radius: expected a rational"),
    "no degrees": (changed(witness={"degrees": 0}), "witness.degrees: 0 is outside"),
    "too many degrees": (changed(witness={"degrees": 2001}), "witness.degrees: 2001 is outside"),
    "a stored square beside a radius": (changed(witness={"half_square": "10"}), "null otherwise"),
    "a median without a square": (changed(function={"radius": "median"}), "must be a rational for the median"),
    "a negative square": (median("54/1000", half_square="-1"), "witness.half_square: must be positive"),
    "an energy that is read": (changed(witness={"energies": []}), "unknown key 'energies'"),
    "labels": (changed(function={"labels": "1, -1"}), "unknown key 'labels'"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str) -> None:
    text, reason = MALFORMED[name]
    verdict = check(text)
    assert verdict.status is Status.MALFORMED, verdict.line
    assert reason in verdict.text


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("claim", "measure", "student-t"),
        ("claim", "error", "root-mean-squared"),
        ("claim", "activation_class", "sigmoid-output"),
        ("claim", "weight_class", "entries"),
        ("function", "kind", "radial"),
        ("witness", "kind", "quadrature"),
    ],
)
def test_unsupported(part: str, key: str, value: str) -> None:
    verdict = check(changed(**{part: {key: value}}))
    assert verdict.status is Status.UNSUPPORTED, verdict.line
    assert f"{part}.{key} '{value}'" in verdict.text


def sphere_moment(exponents: tuple[int, ...], dim: int) -> float:
    """E of the monomial for u uniform on the sphere."""
    if any(e % 2 for e in exponents):
        return 0.0
    log = math.lgamma(dim / 2) - math.lgamma((dim + sum(exponents)) / 2)
    return math.exp(log + sum(math.lgamma((e + 1) / 2) - math.lgamma(1 / 2) for e in exponents))


@pytest.mark.parametrize(("dim", "m"), [(2, 1), (2, 4), (3, 2), (3, 3), (4, 2), (5, 2)])
def test_tails_against_the_flattening_itself(dim: int, m: int) -> None:
    """E u^(x)2m as a dim^m by dim^m matrix, its eigenvalues by numpy."""
    words = list(itertools.product(range(dim), repeat=m))
    matrix = [[sphere_moment(tuple((a + b).count(i) for i in range(dim)), dim) for b in words] for a in words]
    squares = np.sort(np.linalg.eigvalsh(np.array(matrix)) ** 2)[::-1]
    moments = _moments(dim, m)
    for width in range(len(words) + 2):
        exact = squares[width:].sum() / squares.sum()
        assert float(_tail(dim, m, width, moments, Budget(1000)).mid()) == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize("dim", [2, 3, 10])
def test_energies_against_quadrature(dim: int) -> None:
    """The projections on the Laguerre polynomials, integrated numerically at high precision."""
    mpmath.mp.dps = 30
    u, a = fmpq(7, 3), mpmath.mpf(dim) / 2
    with precision(300):
        energies, rest = _energies(dim, u, 6)
    for m, energy in enumerate(energies, 1):
        integral = mpmath.quad(
            lambda v, m=m: v ** (a - 1) * mpmath.exp(-v) * mpmath.laguerre(m, a - 1, v), [0, mpmath.mpf(7) / 3]
        )
        exact = (integral / mpmath.gamma(a)) ** 2 / mpmath.binomial(m + a - 1, m)
        assert float(energy.mid()) == pytest.approx(float(exact), rel=1e-12)
    assert rest > 0


def test_shares_of_the_first_eigenvalue_fall() -> None:
    for dim in (2, 3, 9, 50):
        moments = _moments(dim, 60)
        shares = [_first_share(m, moments) for m in range(1, 59)]
        assert all(later <= earlier for earlier, later in zip(shares, shares[2:], strict=False))


def test_the_floor_falls_with_the_width_and_grows_with_the_degrees() -> None:
    u = fmpq(19, 2)
    by_width = [squared_error_floor(20, width, u, 60) for width in (0, 1, 20, 400, 10**6)]
    assert all(b < a for a, b in itertools.pairwise(by_width))
    by_degrees = [squared_error_floor(5, 500, fmpq(2), degrees) for degrees in (10, 40, 160)]
    assert all(a < b for a, b in itertools.pairwise(by_degrees))
    with precision(128):
        inside = inside_probability(20, u)
        assert by_width[0].overlaps(inside * (1 - inside))


def test_no_network_that_was_fitted_is_below_the_floor() -> None:
    """Least squares of cubes, squares and ReLUs of the coordinates (3 lines) in dimension 3, on a large sample."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal((200_000, 3))
    radius = 1.5
    labels = (np.linalg.norm(x, axis=1) <= radius).astype(float)
    features = [np.ones(len(x)), *(np.abs(x[:, i]) ** p for i in range(3) for p in (1, 2, 3, 4))]
    features += [np.exp(-(x[:, i] ** 2)) for i in range(3)]
    design = np.stack(features, axis=1)
    weights = np.linalg.lstsq(design, labels, rcond=None)[0]
    error = float(np.mean((design @ weights - labels) ** 2))
    floor = float(squared_error_floor(3, 3, fmpq(9, 8), 60).mid())
    assert 0.3 * error < floor < error
