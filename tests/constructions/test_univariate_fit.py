"""Univariate fits: proved by the checker, few units, the textbook's bounds, on the whole line."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from depthsep.activations import ACTIVATIONS
from depthsep.certificates.fitted import CertifiedFit
from depthsep.constructions.univariate_fit import fit
from depthsep.errors import BadInput, DocumentExists, NotProved, OutOfReach
from depthsep_check import check

UNIT = ("-1", "1")


def error_at(found: CertifiedFit, function: np.ufunc, low: float, high: float) -> float:
    """The largest error seen on the interval and far beyond it."""
    inside = np.linspace(low, high, 4001)
    beyond = np.concatenate([low - np.geomspace(1e-6, 1e6, 200), high + np.geomspace(1e-6, 1e6, 200)])
    t = np.concatenate([inside, beyond])
    return float(np.abs(found(t) - function(np.clip(t, low, high))).max())


MOST_UNITS = {
    "relu": 3, "leaky_relu": 3, "softplus": 3, "gelu": 3, "silu": 3, "hard_tanh": 2, "step": 20, "sigmoid": 16,
    "tanh": 18, "erf": 16,
}  # fmt: skip


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_absolute_value_by_every_activation(name: str) -> None:
    found = fit("abs(t)", UNIT, "0.05", name)
    assert found.verdict.ok
    assert check(found.document_text).ok
    assert found.widths[0] <= MOST_UNITS[name]
    assert found.sup_error_upper <= found.eps
    assert error_at(found, np.abs, -1, 1) <= float(found.sup_error_upper) + 1e-9
    assert "for all real t (exact arithmetic)" in found.verdict.text


@pytest.mark.parametrize("name", ["relu", "step", "tanh", "gelu"])
def test_a_wave_on_a_lopsided_interval(name: str) -> None:
    found = fit("sin(3*t)", ("-1/3", "2"), "1/10", name)
    assert error_at(found, lambda t: np.sin(3 * t), -1 / 3, 2) <= 0.1 + 1e-9
    assert found.interval == (Fraction(-1, 3), Fraction(2))


@pytest.mark.parametrize(("eps", "units"), [("0.1", 10), ("0.01", 100), ("1/7", 6)])
def test_staircases_are_the_shortest(eps: str, units: int) -> None:
    """|t| has the variation 2 on [-1, 1]; a staircase within eps has at least 2/(2 eps) - 1 jumps."""
    found = fit("abs(t)", UNIT, eps, "step")
    assert found.method == "staircase"
    assert abs(found.widths[0] - units) <= 1
    assert found.widths[0] <= 1 / Fraction(eps)  # c = 1: at most R L / eps


@pytest.mark.parametrize("eps", ["1/3", "0.1", "0.03", "1/100"])
def test_the_textbook_cells(eps: str) -> None:
    """h = a + sum alpha_i gamma_i relu(t - beta_i): |alpha_i| = 1, |beta_i| <= R, gamma_i <= 2L, m <= 2 R L / eps."""
    found = fit("sin(2*t)/2", ("-2", "2"), eps, method="cells")
    assert found.method == "cells"
    lipschitz, radius = 1, 2
    places, slopes = found.units.offsets / found.units.scales, found.units.weights * found.units.scales
    assert (found.units.scales == 1).all()
    assert np.abs(places).max() <= radius
    assert np.abs(slopes).max() <= 2 * lipschitz
    assert found.widths[0] <= 2 * radius * lipschitz / Fraction(eps)
    assert fit("sin(2*t)/2", ("-2", "2"), eps).widths[0] < found.widths[0]


def test_a_function_that_hardly_varies_is_a_constant() -> None:
    found = fit("t/100", UNIT, "0.02", "silu")
    assert (found.widths, found.method, found.path_norm) == ((0,), "constant", 0.0)


def test_on_the_interval_only_a_line_is_one_unit() -> None:
    found = fit("2*t", UNIT, "0.01", domain="interval")
    assert found.widths == (1,)
    assert "for all real t in [-1, 1]" in found.verdict.text
    assert fit("2*t", UNIT, "0.01").widths == (2,)


def test_many_steep_units() -> None:
    found = fit("sin(9*t)", UNIT, "0.03", "hard_tanh")
    assert found.method == "ramps"
    assert found.widths[0] <= 40


def test_facts_and_files(tmp_path: Path) -> None:
    found = fit("abs(t)", UNIT, "0.1", "softplus")
    facts = found.summary()
    assert (facts["depth"], facts["dim"], facts["activation"]) == (2, 1, "softplus")
    assert facts["widths"] == [len(found.units)]
    assert facts["verdict"] == "VERIFIED"
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    assert found.max_weight >= float(np.abs(found.units.scales).max())
    assert found.path_norm >= math.fsum(np.abs(found.units.scales * found.units.weights))
    assert found.nonzeros <= 3 * len(found.units) + 1
    path = found.save(tmp_path / "fit.json")
    assert check(path).ok
    with pytest.raises(DocumentExists):
        found.save(path)


def test_refusals() -> None:
    with pytest.raises(BadInput, match="did you mean 'tanh'"):
        fit("t", UNIT, "0.1", "tahn")
    with pytest.raises(BadInput, match="ends that increase"):
        fit("t", ("1", "-1"), "0.1")
    with pytest.raises(BadInput, match="two exact ends"):
        fit("t", ("1",), "0.1")
    with pytest.raises(BadInput, match="two exact ends"):
        fit("t", ("0", "x"), "0.1")
    with pytest.raises(BadInput, match="no finite value near t = 0"):
        fit("1/t", ("0", "1"), "0.1")
    with pytest.raises(BadInput, match="cannot read"):
        fit("abs(r)", UNIT, "0.1")
    with pytest.raises(BadInput, match="equal cells with tanh"):
        fit("t", UNIT, "0.1", "tanh", method="cells")
    with pytest.raises(BadInput, match="domain 'plane'"):
        fit("t", UNIT, "0.1", domain="plane")


def test_too_many_units(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("depthsep.constructions.univariate_fit.MAX_UNITS", 40)
    with pytest.raises(OutOfReach, match="51 units") as failure:
        fit("t", UNIT, "1/51", "step")
    assert failure.value.reached == {"units": 51}


def test_a_candidate_that_the_checker_refuses_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = check("not a document")
    monkeypatch.setattr("depthsep.certificates.proved.check", lambda _: refused)
    with pytest.raises(NotProved, match="MALFORMED"):
        fit("abs(t)", UNIT, "0.1")
