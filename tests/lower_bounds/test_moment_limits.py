"""Limits of the moment method: values of the notes, bounds that fits never beat, refusals."""

import json
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import linprog

from depthsep import build
from depthsep.errors import BadInput
from depthsep.functions import Radial
from depthsep.lower_bounds import NoBound
from depthsep.lower_bounds.moment_limits import MomentLimit, moment_limit


def limits(text: str, largest: int) -> list[float]:
    found = [moment_limit(Radial(text, 3), 2 * k) for k in range(largest + 1)]
    return [float(limit.limit) for limit in found if isinstance(limit, MomentLimit)]


@pytest.mark.parametrize(
    ("text", "values"),
    [("1 - r", [0.5, 0.125, 0.0676, 0.0459, 0.0347, 0.0278, 0.0232, 0.0199, 0.0175]),
     ("max(0, 1/2 - r)", [0.25, 0.1875, 0.09, 0.0454, 0.0314, 0.0279]),
     ("sin(3*r)/3", [0.167, 0.160, 0.083, 0.050, 0.036, 0.029]),
     ("exp(-r^2)", [0.316, 0.039, 0.0032, 2e-4]),
     ("abs(r - 1/2)", [0.25, 0.25, 0.133, 0.054, 0.0306, 0.0304, 0.0298, 0.0271])],
)  # fmt: skip
def test_values(text: str, values: list[float]) -> None:
    assert limits(text, len(values) - 1) == pytest.approx(values, rel=0.02)


def fit_error(function: Radial, k: int) -> float:
    """The error, on a fine grid, of the even polynomial that is best on a coarse one."""
    coarse, fine = (np.sin(np.linspace(0, np.pi / 2, points)) for points in (800, 40_000))
    basis, values = np.polynomial.chebyshev.chebvander(2 * coarse**2 - 1, k), function.profile(coarse)
    ones = np.ones((len(coarse), 1))
    rows = np.vstack([np.hstack([basis, -ones]), np.hstack([-basis, -ones])])
    bounds = [(None, None)] * (k + 2)
    best = linprog([0.0] * (k + 1) + [1.0], rows, np.concatenate([values, -values]), bounds=bounds).x[:-1]
    return float(np.abs(function.profile(fine) - np.polynomial.chebyshev.chebval(2 * fine**2 - 1, best)).max())


@pytest.mark.parametrize("text", ["1 - r", "abs(r - 1/3)", "max(0, r - 0.7)", "cos(9*r)", "sqrt(r)", "abs(r^2 - 1/2)"])
@pytest.mark.parametrize("k", [1, 3, 6])
def test_the_limit_is_nearly_the_best_fit_and_never_above(text: str, k: int) -> None:
    limit = moment_limit(Radial(text, 3), 2 * k)
    assert isinstance(limit, MomentLimit)
    best = fit_error(Radial(text, 3), k)
    assert 0.96 * best <= limit.limit <= best * (1 + 1e-9)


def test_the_document() -> None:
    limit = moment_limit(Radial("1 - r", 10), 4)
    assert isinstance(limit, MomentLimit)
    assert limit.verdict.ok
    assert limit.verdict.text.endswith("this limits the method of proof, not networks of depth 2")
    document = json.loads(limit.document)
    assert document["claim"]["limit"] == str(limit.limit)
    assert [Fraction(r) for r in document["witness"]["radii"]] == list(limit.radii)
    assert len(limit.radii) == 4


def test_the_dimension_enters_through_the_formula_only() -> None:
    low, high = (moment_limit(Radial("exp(-d*r^2)", dim), 4) for dim in (1, 9))
    assert isinstance(low, MomentLimit)
    assert isinstance(high, MomentLimit)
    assert low.limit < high.limit


def test_sandwiches_that_change_with_the_radius_go_below_the_limit() -> None:
    """The page on lower bounds says so; one cell could not."""
    net = build("1 - r", dim=2, eps="0.03")
    cells = net.document["witness"]["cells"]
    limit = moment_limit(Radial("1 - r", 2), 8)
    assert isinstance(limit, MomentLimit)
    assert max(len(pair["upper"]) for cell in cells for pair in cell["groups"]) == 5
    assert len(cells) > 1
    assert net.sup_error_upper < limit.limit


@pytest.mark.parametrize(("text", "degree"), [("r^4 - r^2", 4), ("1/3", 0), ("r^6", 100), ("abs(r)^2", 2)])
def test_even_polynomials_have_no_limit(text: str, degree: int) -> None:
    found = moment_limit(Radial(text, 3), degree)
    assert isinstance(found, NoBound)
    assert found.reason.startswith(f"the profile is an even polynomial of degree {degree}, up to rounding")


@pytest.mark.parametrize("degree", [-2, 3, 102])
def test_refusals(degree: int) -> None:
    with pytest.raises(BadInput) as caught:
        moment_limit(Radial("1 - r", 3), degree)
    assert f"the limit of moments up to degree {degree}" in str(caught.value)
    assert "an even degree between 0 and 100" in str(caught.value)
