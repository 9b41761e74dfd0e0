"""The trade of depth for width as a table."""

from __future__ import annotations

import pytest

from depthsep.constructions import folding
from depthsep.errors import BadInput, OutOfReach
from depthsep.tradeoff import TradeoffRow, tradeoff


def test_rows_come_in_the_order_asked_and_are_proved() -> None:
    told: list[tuple[str, float | None]] = []
    rows = tradeoff(
        "sin(pi*d^3*t)",
        dim=10,
        eps="0.1",
        depths=range(3, 7),
        domain="spheres",
        progress=lambda text, done: told.append((text, done)),
    )
    assert [row.depth for row in rows] == [3, 4, 5, 6]
    assert all(row.network is not None and row.network.verdict.ok and row.failure == "" for row in rows)
    assert [row.largest_layer for row in rows] == sorted((row.largest_layer for row in rows), reverse=True)
    assert all(row.neurons is not None and row.neurons > row.largest_layer for row in rows)
    assert [text for text, _ in told] == ["depth 3", "depth 4", "depth 5", "depth 6"]


@pytest.mark.parametrize(("domain", "text"), [("ball", "sin(9*r^2)"), ("balls", "sin(9*t)")])
def test_the_other_domains(domain: str, text: str) -> None:
    (row,) = tradeoff(text, dim=3, eps="0.2", depths=[5], domain=domain)
    assert row.network is not None
    assert row.network.depth == 5


def test_a_depth_that_fails_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OutOfReach("a network", found="nothing")

    monkeypatch.setattr(folding, "search", refuse)
    (row,) = tradeoff("1 - r", dim=3, eps="0.1", depths=[4])
    assert row == TradeoffRow(4, None, "nothing")
    assert (row.largest_layer, row.neurons) == (None, None)


def test_requests_that_make_no_sense() -> None:
    with pytest.raises(BadInput) as refusal:
        tradeoff("1 - r", dim=3, eps="0.1", depths=[2, 3])
    assert str(refusal.value) == "depths [2, 3]\n  needed: at least one, each at least 3"
    with pytest.raises(BadInput, match="depths \\[\\]"):
        tradeoff("1 - r", dim=3, eps="0.1", depths=[])
    with pytest.raises(BadInput) as unknown:
        tradeoff("t", dim=3, eps="0.1", depths=[3], domain="cube")
    assert str(unknown.value) == 'the domain \'cube\'\n  needed: "ball", "spheres" or "balls"'
