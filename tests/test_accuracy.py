from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from depthsep.accuracy import parse_accuracy
from depthsep.errors import BadInput


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("0.1", Fraction(1, 10)),
        ("1/3", Fraction(1, 3)),
        (" 2/20 ", Fraction(1, 10)),
        ("1e-9", Fraction(1, 10**9)),
        ("1000000000", Fraction(10**9)),
        (1, Fraction(1)),
        (Fraction(7, 30), Fraction(7, 30)),
        (Decimal("0.35"), Fraction(35, 100)),
    ],
)
def test_accuracies_are_read_exactly(written: str | int | Fraction, value: Fraction) -> None:
    assert parse_accuracy(written) == value


@pytest.mark.parametrize("written", [0.5, float("nan"), float("inf")])
def test_a_float_is_refused_even_where_it_is_exact(written: float) -> None:
    with pytest.raises(BadInput, match="needed: an exact number") as caught:
        parse_accuracy(written)  # type: ignore[arg-type]
    assert "as a string" in str(caught.value)


def test_the_error_shows_what_a_float_is() -> None:
    with pytest.raises(BadInput, match=r"found:  a float, which is 0\.1000000000000000055511151231257827"):
        parse_accuracy(0.1)  # type: ignore[arg-type]


@pytest.mark.parametrize("written", ["foo", "", "1/0", "0,1", "2^-3", None, [1]])
def test_what_is_no_number(written: object) -> None:
    with pytest.raises(BadInput, match=r"needed: a positive rational number, such as 0\.1 or 1/10"):
        parse_accuracy(written)  # type: ignore[arg-type]


@pytest.mark.parametrize("written", ["0", "-0.1", 0, Fraction(-1, 3)])
def test_an_accuracy_is_above_0(written: str | int | Fraction) -> None:
    with pytest.raises(BadInput, match="needed: an accuracy above 0"):
        parse_accuracy(written)


@pytest.mark.parametrize("written", ["9.99e-10", "1000000001"])
def test_what_float64_weights_cannot_reach(written: str) -> None:
    with pytest.raises(BadInput, match="needed: an accuracy from 1e-9 to 1e9"):
        parse_accuracy(written)
