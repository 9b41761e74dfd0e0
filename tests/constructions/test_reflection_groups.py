"""Cones in directions of the reflection group A_d."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from depthsep.constructions import reflection_groups
from depthsep.constructions.reflection_groups import reflection_cone
from depthsep.errors import BadInput, OutOfReach
from depthsep.functions import Radial
from depthsep_check import check
from depthsep_check.chamber_cells import orbit

# Neurons by dimension and accuracy; the notes had 25, 36, 63 and 92 directions, and two neurons for the linear part.
TARGETS = {
    (2, "0.067"): 4,
    (3, "0.05"): 12,
    (4, "0.0495"): 20,
    (5, "0.077"): 36,
    (5, "0.1"): 26,
    (6, "0.07"): 56,
    (7, "0.085"): 85,
    (8, "0.11"): 81,
}


def cone_of(dim: int, eps: str, text: str = "1 - r"):
    return reflection_cone(Radial(text, dim), Fraction(eps))


def largest_error(cone, dim: int, alpha: float = 1.0, beta: float = -1.0) -> float:
    """At random points, and after moving the worst of them uphill."""
    rng = np.random.default_rng(0)
    points = rng.standard_normal((3000, dim))
    points /= np.linalg.norm(points, axis=1, keepdims=True)

    def error(at):
        return np.abs(cone(at) - alpha - beta * np.linalg.norm(at, axis=1))

    for step in 0.3 * 0.8 ** np.arange(25):
        points = points[np.argsort(-error(points))[:300]]
        moved = points[:, None, :] + step * rng.standard_normal((len(points), 4, dim)) / np.sqrt(dim)
        moved = moved.reshape(-1, dim)
        moved /= np.linalg.norm(moved, axis=1, keepdims=True) * (1 + 1e-15)
        points = np.concatenate((points, moved))
    return float(max(error(points).max(), error(points * 0.5).max(), error(np.zeros((1, dim)))[0]))


@pytest.mark.parametrize(("dim", "eps"), TARGETS)
def test_widths_and_proofs(dim, eps):
    cone = cone_of(dim, eps)
    assert cone.widths[0] <= TARGETS[dim, eps]
    assert cone.sup_error_upper <= Fraction(eps)
    assert cone.claim == "deterministic"
    assert check(cone.document_text).ok
    error = largest_error(cone, dim)
    assert 0.85 * cone.sup_error_upper < error <= cone.sup_error_upper


def test_fewer_neurons_for_less_accuracy():
    widths = [cone_of(5, eps).widths[0] for eps in ("0.22", "0.12", "0.1", "0.08", "0.05")]
    assert widths == sorted(widths)
    assert widths[0] == 6


@pytest.mark.parametrize(("generator", "places"), [((1, -1), 5), ((1, -1), 7), ((1, -1), 9), ((1, 1), 6)])
def test_balanced_signs(generator, places):
    lines = np.array(orbit(generator, places))
    signs = reflection_groups._balancing_signs(lines)
    assert set(signs.tolist()) <= {-1, 1}
    assert not (signs @ lines).any()


def test_roots_that_cannot_be_balanced_cost_one_neuron():
    cone = cone_of(3, "0.12")
    assert cone.network.affine is not None
    assert cone.widths == (7,)


def test_progress():
    heard = []
    reflection_cone(Radial("1 - r", 3), Fraction("0.12"), lambda text, fraction: heard.append(text))
    assert heard[-1] == "proving 6 neurons"
    assert "trying (1,)" in heard


def test_out_of_reach():
    with pytest.raises(OutOfReach) as caught:
        cone_of(3, "1/1000")
    lines = str(caught.value).splitlines()
    assert lines[0] == "a network for 1 - r in directions of the reflection group A_3 within 1/1000"
    assert lines[1].startswith("  found:  about eps = 0.01")
    needed = "weights of the orbits with 1 - 2 eps/|beta| <= S <= 1 on the sphere, proved on a Weyl chamber"
    assert lines[2] == f"  needed: {needed}"
    assert lines[3] == "  do:     ask for a larger eps, or build the network with a moment sandwich"
    assert 0.01 < float(caught.value.reached["reachable_eps"]) < 0.02


@pytest.mark.parametrize("dim", [1, 11])
def test_dimensions_without_a_chamber(dim):
    with pytest.raises(OutOfReach, match=f"dimension {dim}"):
        cone_of(dim, "1/10")


@pytest.mark.parametrize(("text", "eps", "half"), [("1 - r", "0", "1/2"), ("1 - r", "1/2", "1/2"), ("3*r", "2", "3/2")])
def test_eps_between_0_and_half_of_the_slope(text, eps, half):
    with pytest.raises(BadInput, match=f"needed: 0 < eps < {half}, half of the slope"):
        cone_of(3, eps, text)


@pytest.mark.parametrize(
    ("text", "alpha", "beta"), [("d + 2*r", 4, 2), ("-r/7", 0, Fraction(-1, 7)), ("abs(5*r - 100)", 100, -5)]
)
def test_every_cone_is_the_same_cone_rescaled(text, alpha, beta):
    plain, cone = cone_of(4, "1/10"), cone_of(4, str(Fraction(abs(beta)) / 10), text)
    assert cone.widths == plain.widths
    assert cone.sup_error_upper == pytest.approx(float(abs(beta) * plain.sup_error_upper), rel=1e-3)
    assert f"f(x) = phi(||x||), phi(r) = {text}" in check(cone.document_text).text
    error = largest_error(cone, 4, float(alpha), float(beta))
    assert 0.85 * cone.sup_error_upper < error <= cone.sup_error_upper + Fraction(1, 10**12)


@pytest.mark.parametrize("text", ["1 - r^2", "abs(r - 1/2)", "pi*r", "2", "exp(-r)"])
def test_what_is_no_cone(text):
    with pytest.raises(BadInput) as caught:
        cone_of(3, "1/10", text)
    assert str(caught.value) == (
        f"a network for {text} in directions of the reflection group A_3 within 1/10\n"
        "  found:  a profile other than alpha + beta*r\n"
        "  needed: rational alpha and beta != 0: the theorem needs S(x) homogeneous\n"
        "  do:     build the network with a moment sandwich"
    )


def test_proofs_that_do_not_close(monkeypatch):
    monkeypatch.setattr(reflection_groups, "first_proved", lambda *_: None)
    with pytest.raises(OutOfReach, match="4 families seem to reach it, but no proof closed"):
        cone_of(3, "1/10")
