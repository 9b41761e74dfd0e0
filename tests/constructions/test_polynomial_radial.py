"""Networks through exact cubature: recognised formulas, widths, and errors that attacks do not exceed."""

from fractions import Fraction

import numpy as np
import pytest

from depthsep.constructions.polynomial_radial import build_polynomial, polynomial_in_squares
from depthsep.errors import BadInput, OutOfReach
from depthsep.functions import Radial


@pytest.mark.parametrize(
    ("text", "coefficients"),
    [("r^4", "0 0 1"), ("1 - r^2 + 3*r^4", "1 -1 3"), ("-(r*r - 1/3)^2/2", "-1/18 1/3 -1/2"), ("0.5", "1/2"),
     ("r*(r - r^3) + 2^-2", "1/4 1 -1"), ("d*r^2 - 5*r^2", "0"), ("r^24", "0 " * 12 + "1"),
     ("(r + 1)*(r - 1)", "-1 1")],
)  # fmt: skip
def test_polynomials_are_recognised(text: str, coefficients: str) -> None:
    found = polynomial_in_squares(Radial(text, 5).expression, 5)
    assert found == tuple(map(Fraction, coefficients.split()))


@pytest.mark.parametrize(
    "text",
    ["1 - r", "r^3", "sqrt(r^4)", "abs(r)^2", "pi*r^2", "r^26", "1/(1 + r^2)", "exp(-r^2)", "r^2/r", "(r^20)^10"],
)
def test_other_formulas_are_not(text: str) -> None:
    assert polynomial_in_squares(Radial(text, 5).expression, 5) is None
    with pytest.raises(BadInput, match=r"needed: a polynomial in r\^2 with rational coefficients"):
        build_polynomial(Radial(text, 5), Fraction(1, 10))


CASES = [("r^2", 10, "1/100", 180), ("r^4", 5, "1/50", 420), ("1 - r^2 + 3*r^4", 6, "1/20", 400),
         ("r^6 - r^2", 4, "1/20", 290), ("r^4", 2, "1/100", 60), ("r^2", 1, "1/1000", 22)]  # fmt: skip


@pytest.mark.parametrize(("text", "dim", "eps", "width"), CASES)
def test_networks_are_proved_and_withstand_attacks(text: str, dim: int, eps: str, width: int) -> None:
    function = Radial(text, dim)
    net = build_polynomial(function, Fraction(eps))
    assert net.verdict.ok
    assert net.sup_error_upper <= Fraction(eps)
    assert 0.7 * width < net.widths[0] <= width
    rng = np.random.default_rng(7)
    points = rng.standard_normal((2000, dim))
    points *= (rng.uniform(0, 1, 2000) ** 0.3 / np.linalg.norm(points, axis=1))[:, None]
    corners = np.concatenate([np.eye(dim), np.ones((1, dim)) / np.sqrt(dim), np.tril(np.ones((dim, dim)))])
    corners /= np.maximum(np.linalg.norm(corners, axis=1), 1)[:, None]
    points = np.concatenate([points, corners * (1 - 1e-12), corners / 2, corners / 3])
    error = np.abs(net(points) - function(points)).max()
    assert 0.3 * Fraction(eps) < error <= net.sup_error_upper + Fraction(1, 10**12)


def test_the_sandwich_is_one_cell_of_the_polynomials_degree_or_one_more() -> None:
    net = build_polynomial(Radial("r^4", 5), Fraction(1, 10))
    cells = net.document["witness"]["cells"]
    assert [cell["to"] for cell in cells] == ["1"]
    assert {len(pair["upper"]) for pair in cells[0]["groups"]} <= {3, 4}


def test_a_nearby_polynomial_of_lower_degree_is_used_where_the_accuracy_allows_it() -> None:
    net = build_polynomial(Radial("r^8", 4), Fraction(1, 20))
    groups = net.document["witness"]["cells"][0]["groups"]
    assert net.verdict.ok
    tops = [(float.fromhex(pair["upper"][4]), float.fromhex(pair["lower"][4])) for pair in groups]
    assert all(upper == -lower for upper, lower in tops)  # tolerances only: the profiles follow no z^8


def test_a_constant_needs_no_neuron() -> None:
    net = build_polynomial(Radial("1/3 + r^2 - r^2", 4), Fraction(1, 10))
    assert (net.widths, net.verdict.ok) == ((0,), True)


def test_progress_is_told() -> None:
    told: list[str] = []
    build_polynomial(Radial("r^2", 3), Fraction(1, 10), progress=lambda text, share: told.append(text))
    assert told[0] == "splitting the error among 3 directions"
    assert told[-1].startswith("proving ")


def test_out_of_reach() -> None:
    with pytest.raises(OutOfReach) as caught:
        build_polynomial(Radial("r^4", 5), Fraction(1, 100), max_width=100)
    assert "the narrowest one found has" in str(caught.value)
    assert "do:     allow more neurons, or a larger eps" in str(caught.value)
    assert caught.value.reached["predicted_width"] > 100
    with pytest.raises(OutOfReach, match="found:  too many directions"):
        build_polynomial(Radial("r^8", 100), Fraction(1, 100), max_width=1000)
