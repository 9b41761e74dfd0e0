"""The search for random frames: the widths to reach, requests that are refused, and draws under attack."""

from fractions import Fraction

import numpy as np
import pytest

from depthsep.certificates.probabilistic import parse_failure_probability
from depthsep.constructions.random_frames import build_random
from depthsep.errors import BadInput, OutOfReach
from depthsep.functions import BallIndicator, Radial
from depthsep_check import check


@pytest.mark.parametrize(
    ("dim", "eps", "most"), [(20, "0.1", 1590), (50, "0.1", 3010), (100, "0.1", 5310), (20, "0.05", 6930)]
)
def test_widths_at_2_to_the_minus_80(dim: int, eps: str, most: int) -> None:
    found = build_random("1 - r", dim=dim, eps=eps, failure_probability="2^-80", seed=1)
    assert found.widths[0] <= most
    assert found.failure_probability == Fraction(1, 2**80)
    assert check(found.document_text).ok


def test_a_small_eps_in_a_large_dimension() -> None:
    texts: list[str] = []
    found = build_random("1 - r", 100, "0.05", "2^-80", progress=lambda text, share: texts.append(text))
    assert found.widths[0] <= 24710
    assert texts[0] == "more than 1 frames"
    assert texts[-1] == f"proving {found.widths[0]:,} neurons"


@pytest.mark.parametrize(
    ("dim", "eps", "probability"), [(2, "0.49", "1/2"), (2, "0.3", "2^-300"), (3, "1/25", "0.1"), (300, "0.4", "2^-9")]
)
def test_corners(dim: int, eps: str, probability: str) -> None:
    assert build_random(Radial("1 - r", dim), dim, eps, probability).verdict.ok


def ascend(network: object, dim: int, sign: float, seed: int) -> float:
    """The largest sign * S on the sphere that gradient ascent finds from random points and from the rows."""
    rows = network.directions.matrix  # type: ignore[attr-defined]
    rng = np.random.default_rng(seed)
    x = np.concatenate([rng.standard_normal((100, dim)), rows[:100]])
    x /= np.linalg.norm(x, axis=1)[:, None]
    best, step = sign * np.abs(x @ rows.T).mean(axis=1), 0.3
    for _ in range(80):
        gradient = sign * np.sign(x @ rows.T) @ rows
        gradient -= (gradient * x).sum(axis=1)[:, None] * x
        gradient /= np.linalg.norm(gradient, axis=1)[:, None] + 1e-300
        y = x + step * rng.uniform(0, 1, (len(x), 1)) * gradient
        y /= np.linalg.norm(y, axis=1)[:, None]
        values = sign * np.abs(y @ rows.T).mean(axis=1)
        better = values > best
        x[better], best[better], step = y[better], values[better], 0.97 * step
    errors = network(np.concatenate([x, x / 2, x / 10]) * (1 - 1e-15))  # type: ignore[operator]
    return float(np.abs(errors - np.repeat([0.0, 0.5, 0.9], len(x))).max())


@pytest.mark.parametrize(("dim", "seed"), [(5, 0), (20, 2)])
def test_draws_stay_within_eps_under_attack(dim: int, seed: int) -> None:
    found = build_random("1 - r", dim, "0.1", "2^-20", seed)
    reached = max(ascend(found.network, dim, sign, seed) for sign in (1.0, -1.0))
    assert 0.03 < reached <= 0.1 + float(found.network.rounding_error_upper + found.network.ideal_distance_upper)


def test_other_profiles_are_refused() -> None:
    for function in ("exp(-r)", "pi*r", "1 - 2*r^2", "abs(r - 1/2)", Radial("1/2", 4)):
        with pytest.raises(BadInput) as caught:
            build_random(function, 4, "0.1")
        text = function if isinstance(function, str) else function.text
        assert str(caught.value) == (
            f"a random network for {text}\n"
            "  found:  a profile other than alpha + beta*r\n"
            "  needed: rational alpha and beta != 0: the theorem on random frames needs S(x) homogeneous\n"
            "  do:     use independent random directions (random_directions), or build it without randomness"
        )
    with pytest.raises(BadInput, match="a random network for ball"):
        build_random(BallIndicator(Fraction(1, 2), Fraction(1, 20), 4), 4, "0.1")


@pytest.mark.parametrize(
    ("dim", "eps", "probability", "seed", "text"),
    [
        (1, "0.1", "1/2", 0, "a dimension from 2 to 10000"),
        (10_001, "0.1", "1/2", 0, "a dimension from 2 to 10000"),
        (4, "1/2", "1/2", 0, "from 1/2 on a constant is enough"),
        (4, "-1", "1/2", 0, "an accuracy above 0"),
        (4, "0.1", "0", 0, "a failure probability of 0"),
        (4, "0.1", "1", 0, "strictly between 0 and 1"),
        (4, "0.1", "2^-0", 0, "strictly between 0 and 1"),
        (4, "0.1", "2^-100001", 0, "not below 2"),
        (4, "0.1", "soon", 0, "strictly between 0 and 1"),
        (4, "0.1", 0.5, 0, "strictly between 0 and 1"),
        (4, "0.1", "1/2", -1, "an integer from 0 to"),
        (4, "0.1", "1/2", 2**64, "an integer from 0 to"),
    ],
)
def test_numbers_that_make_no_sense(dim: int, eps: str, probability: str, seed: int, text: str) -> None:
    with pytest.raises(BadInput, match=text):
        build_random("1 - r", dim, eps, probability, seed)


@pytest.mark.parametrize(
    ("text", "eps", "alpha", "beta"),
    [("r", "1/5", 0, 1), ("1/3 - 5*r/7", "1/7", Fraction(1, 3), Fraction(-5, 7)), ("max(d, 2 + 3*r)", "0.6", 5, 0)],
)
def test_a_cone_is_the_same_cone_rescaled(text: str, eps: str, alpha: Fraction, beta: Fraction) -> None:
    if not beta:  # a constant on [0, 1]
        with pytest.raises(BadInput, match=r"a profile other than alpha \+ beta\*r"):
            build_random(text, 5, eps, "2^-20")
        return
    plain, cone = (build_random(phi, 5, e, "2^-20", seed=3) for phi, e in (("1 - r", "1/5"), (text, eps)))
    assert cone.function.text == text
    assert cone.widths == plain.widths
    assert f"|N(x) - ({alpha} {'+' if beta > 0 else '-'} " in cone.verdict.text
    x = np.random.default_rng(1).standard_normal((200, 5)) / 5
    expected = float(alpha) - float(beta) * (plain(x) - 1)
    assert np.abs(cone(x) - expected).max() < 1e-12
    assert cone.network.ideal_distance_upper < Fraction(1, 10**12)


def test_eps_is_compared_with_half_of_the_slope() -> None:
    with pytest.raises(BadInput) as caught:
        build_random("2 - r/4", 4, "1/8")
    assert str(caught.value) == (
        "random frames with eps = 1/8\n"
        "  needed: eps below 1/8, half of the slope\n"
        "  do:     from 1/8 on a constant is enough: build it without random directions"
    )


def test_a_function_of_another_dimension() -> None:
    with pytest.raises(BadInput, match="a function made for dimension 5"):
        build_random(Radial("1 - r", 5), 4, "0.1")


def test_a_width_that_does_not_suffice() -> None:
    with pytest.raises(OutOfReach) as caught:
        build_random("1 - r", 3, "0.4", "2^-9", max_width=10)
    needed = build_random("1 - r", 3, "0.4", "2^-9").widths[0]
    assert caught.value.reached == {"widths": [needed]}
    assert str(caught.value) == (
        "a random network within 2/5 of 1 - r in dimension 3, at most 10 neurons\n"
        f"  found:  {needed} neurons needed for a failure probability of 2^-9\n"
        f"  do:     allow that many (--max-width {needed}), a larger failure probability, or a larger eps"
    )


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        ("2^-80", 80),
        ("2**-7", 7),
        (" 2 ^ -3 ", 3),
        ("1/2", 1),
        ("0.9", 1),
        ("1/1024", 10),
        ("1e-3", 10),
        ("1/1025", 11),
    ],
)
def test_failure_probabilities(text: str, bits: int) -> None:
    assert parse_failure_probability(text) == bits
    if "^" not in text and "**" not in text:
        assert parse_failure_probability(Fraction(text)) == bits
        assert Fraction(1, 2**bits) <= Fraction(text)
