"""The radial dual: its kernel against quadrature, a case whose exact price is known, and one forgery per hypothesis."""

import copy
from typing import Any

import mpmath
import numpy as np
import pytest
from flint import fmpq

from depthsep_check import Status, check
from depthsep_check.document import encode
from depthsep_check.theorems import radial_dual
from depthsep_check.theorems.radial_dual import RadialMeasure, _kernel, overlap_pieces

# In dimension 3 the kernel is E (u_1 - x)_+ = (1 - x)^2 / 4. Masses -1, 1 at 1/2 and 1: Psi = (1 - b)^2/4 for b >= 1/2,
# and (1/2 - b^2)/4 below, largest at 0: 1/8. So phi = r/4, with the gain 1/8 - 2 eps, has the path norm >= 1 - 16 eps,
# here 63/64. It is the mean of ReLU(<u, x>) over all unit vectors u, so the price 1 is exact for eps = 0.
VALID: dict[str, Any] = {
    "format": "depthsep",
    "version": 1,
    "made_by": "a test",
    "function": {"kind": "radial", "expression": "r/4"},
    "claim": {
        "kind": "radial-dual",
        "dim": 3,
        "domain": "unit-ball",
        "norm": "sup",
        "eps": "1/1024",
        "depth": 2,
        "activation": {"class": "derivative-variation", "constant": "1"},
        "path_norm": "98/100",
        "weights": None,
        "width": None,
    },
    "witness": {"kind": "radial-measure", "dim": 3, "radii": ["1/2", "1"], "masses": ["-1", "1"]},
}


def changed(**parts: dict[str, Any]) -> str:
    obj = copy.deepcopy(VALID)
    for part, changes in parts.items():
        obj[part].update(changes)
    return encode(obj)


def entries(bound: str) -> dict[str, str]:
    return {"kind": "entries", "bound": bound}


def activation(kind: str, constant: str) -> dict[str, str]:
    return {"class": kind, "constant": constant}


@pytest.mark.parametrize(
    "text",
    [
        changed(),
        changed(claim={"dim": 4}),
        changed(claim={"dim": 1000}),
        changed(function={"expression": "d*r/12"}),
        changed(claim={"activation": activation("derivative-variation", "2"), "path_norm": "49/100"}),
        changed(claim={"weights": entries("1/2"), "width": 3}),
        changed(claim={"weights": entries("1/100"), "width": 5659}),
        changed(witness={"masses": ["1", "-1"]}),
        changed(witness={"masses": ["-1/7", "1/7"]}),
    ],
)
def test_valid_documents(text: str) -> None:
    assert check(text).status is Status.VERIFIED, check(text).line


def test_statements() -> None:
    assert check(changed(claim={"weights": entries("1/2"), "width": 3})).text == (
        "every network c + <l, x> + sum_j u_j s_j(<w_j, x> + b_j) of depth 2, the derivatives of its activations s_j "
        "of total variation at most 1, that is within 1/1024 of f(x) = phi(||x||), phi(r) = r/4 for all real x with "
        "||x|| <= 1 in dimension 3 has the path norm sum_j |u_j| |w_j| >= 49/50, hence at least 3 units when no u_j "
        "and no entry of w_j is above 1/2 in size"
    )
    assert check(changed()).text.endswith(">= 49/50")


REFUTED = {
    "a path norm above the truth": (changed(claim={"path_norm": "985/1000"}), "more overlap than the claim allows"),
    "a path norm far above": (changed(claim={"path_norm": str(10**9)}), "more overlap than the claim allows"),
    "a larger eps": (changed(claim={"eps": "1/100"}), "more overlap"),
    "eps beyond the gain": (changed(claim={"eps": "1/16"}), "does not certainly exceed the error"),
    "eps far beyond the gain": (changed(claim={"eps": "10"}), "does not certainly exceed the error"),
    "a constant": (changed(function={"expression": "1/4"}), "does not certainly exceed the error"),
    "another function": (changed(function={"expression": "r/5"}), "more overlap"),
    "more variation": (changed(claim={"activation": activation("derivative-variation", "2")}), "more overlap"),
    "no value": (changed(function={"expression": "1/(r - 1/2)"}), "no certain value at r = 1/2"),
    "another dimension of the function": (
        changed(function={"expression": "r/(d + 1)"}, claim={"dim": 4}),
        "more overlap",
    ),
    "a width too large": (changed(claim={"weights": entries("1/2"), "width": 4}), "3 units with such weights"),
    "norms taken for entries": (changed(claim={"weights": entries("1/100"), "width": 9800}), "9799 units"),
    "a measure whose largest overlap is between the radii": (
        changed(witness={"radii": ["1/4", "1/2", "1"], "masses": ["1", "-2", "1"]}),
        "more overlap",
    ),
}


@pytest.mark.parametrize("name", REFUTED)
def test_refuted(name: str) -> None:
    text, reason = REFUTED[name]
    verdict = check(text)
    assert verdict.status is Status.REFUTED, verdict.line
    assert reason in verdict.text


MALFORMED = {
    "masses nearly 0": (changed(witness={"masses": ["-1", f"{10**30 + 1}/{10**30}"]}), "must add up to 0 exactly"),
    "radius above 1": (changed(witness={"radii": ["1/2", "2"]}), "witness.radii[1]: must be in (0, 1]"),
    "radius 0": (changed(witness={"radii": ["0", "1"]}), "witness.radii[0]: must be in (0, 1]"),
    "a long radius": (changed(witness={"radii": ["1/4097", "1"]}), "with a denominator of at most 4096"),
    "a radius twice": (changed(witness={"radii": ["1", "1"]}), "must increase strictly"),
    "radii reversed": (changed(witness={"radii": ["1", "1/2"]}), "must increase strictly"),
    "no radii": (changed(witness={"radii": [], "masses": []}), "must increase strictly"),
    "fewer masses": (changed(witness={"masses": ["0"]}), "needs 2 entries, has 1"),
    "an even proof": (changed(witness={"dim": 4}, claim={"dim": 4}), "needs an odd dimension, found 4"),
    "a proof in a larger dimension": (changed(witness={"dim": 5}), "witness.dim: 5 is outside 3..3"),
    "a proof in dimension 1": (changed(witness={"dim": 1}), "witness.dim: 1 is outside"),
    "dimension 2": (changed(claim={"dim": 2}), "claim.dim: 2 is outside"),
    "eps zero": (changed(claim={"eps": "0"}), "claim.eps: must be positive"),
    "eps negative": (changed(claim={"eps": "-1"}), "claim.eps: must be positive"),
    "path norm negative": (changed(claim={"path_norm": "-1"}), "claim.path_norm: must be positive"),
    "variation zero": (
        changed(claim={"activation": activation("derivative-variation", "0")}),
        "claim.activation.constant: must be positive",
    ),
    "weights negative": (changed(claim={"weights": entries("-1"), "width": 3}), "bound: must be positive"),
    "a width for free": (changed(claim={"width": 3}), "a width needs a bound on the weights"),
    "weights without a width": (changed(claim={"weights": entries("1")}), "a width needs a bound on the weights"),
    "width zero": (changed(claim={"weights": entries("1"), "width": 0}), "claim.width: 0 is outside"),
    "depth 3": (changed(claim={"depth": 3}), "claim.depth: 3 is outside"),
    "a stored maximum": (changed(witness={"peak": "1/8"}), "unknown key 'peak'"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str) -> None:
    text, reason = MALFORMED[name]
    verdict = check(text)
    assert verdict.status is Status.MALFORMED, verdict.line
    assert reason in verdict.text


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"norm": "L2"}, "claim.norm 'L2'"),
        ({"domain": "spheres"}, "claim.domain 'spheres'"),
        ({"activation": activation("lipschitz", "1")}, "claim.activation.class 'lipschitz'"),
        ({"weights": {"kind": "norms", "bound": "1"}, "width": 1}, "claim.weights.kind 'norms'"),
    ],
)
def test_unsupported(changes: dict[str, Any], what: str) -> None:
    verdict = check(changed(claim=changes))
    assert verdict.status is Status.UNSUPPORTED, verdict.line
    assert what in verdict.text


def test_the_exact_bound_is_reached() -> None:
    """All numbers are dyadic here, so nothing is lost to rounding and the polynomial may touch the limit at an end."""
    assert check(changed(claim={"path_norm": "63/64"})).ok


@pytest.mark.parametrize("dim", [3, 5, 9, 21])
def test_the_kernel_against_quadrature(dim: int) -> None:
    mpmath.mp.dps = 30
    kernel, weight = _kernel(dim), (dim - 3) / 2
    scale = mpmath.gamma(mpmath.mpf(dim) / 2) / (mpmath.sqrt(mpmath.pi) * mpmath.gamma(mpmath.mpf(dim - 1) / 2))
    for x in (fmpq(0), fmpq(1, 3), fmpq(9, 10)):
        start = mpmath.mpf(int(x.p)) / int(x.q)
        exact = scale * mpmath.quad(lambda v, s=start: (v - s) * (1 - v * v) ** weight, [start, 1])
        found = kernel(x)
        assert float(mpmath.mpf(int(found.p)) / int(found.q)) == pytest.approx(float(exact), rel=1e-12)
    assert kernel(1) == 0


def test_the_pieces_are_the_overlap_of_a_unit() -> None:
    """Psi by sampling one coordinate of the sphere in dimension 5."""
    measure = RadialMeasure(5, (fmpq(1, 4), fmpq(1, 2), fmpq(1)), (fmpq(1), fmpq(-3), fmpq(2)))
    rng = np.random.default_rng(1)
    x = rng.standard_normal((400_000, 5))
    u = x[:, 0] / np.linalg.norm(x, axis=1)
    pieces = overlap_pieces(measure)
    assert [piece[:2] for piece in pieces] == [(0, fmpq(1, 4)), (fmpq(1, 4), fmpq(1, 2)), (fmpq(1, 2), 1)]
    for low, high, polynomial in pieces:
        for share in (fmpq(0), fmpq(1, 2), fmpq(1)):
            beta = low + share * (high - low)
            sampled = sum(
                mass * np.mean(np.abs(rho * u - float(int(beta.p) / int(beta.q))) / 2)
                for rho, mass in ((0.25, 1), (0.5, -3), (1.0, 2))
            )
            value = polynomial(beta)
            assert int(value.p) / int(value.q) == pytest.approx(float(sampled), abs=2e-3)


def test_work_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(radial_dual, "_WORK", 1)
    verdict = check(changed())
    assert verdict.status is Status.EXHAUSTED
    assert "radial-dual: the work limit of 1 units was reached" in verdict.text
