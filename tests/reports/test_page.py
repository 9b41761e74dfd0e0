from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

import depthsep as ds
from depthsep.reports.page import render


@pytest.fixture(scope="module")
def separation() -> ds.Separation:
    return ds.separate("1 - r", dim=3, eps="0.3")


@pytest.fixture(scope="module")
def page(separation: ds.Separation) -> str:
    return render(separation, ["no such file: <too large>"])


class Outline(HTMLParser):
    """Collects ids and checks that tags close in order."""

    VOID = ("meta", "br", "path", "use", "rect", "line")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        self.ids += [found["id"] or ""] if "id" in found else []
        self.loads += [
            value or "" for name, value in attributes if name in ("src", "href") and value and value[0] != "#"
        ]
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_loads_nothing(page: str) -> None:
    outline = Outline(page)
    assert outline.open == []
    assert outline.loads == []
    assert "http" not in page
    assert "<script" not in page
    assert len(outline.ids) == len(set(outline.ids)) > 0


def test_the_page_is_always_the_same(separation: ds.Separation, page: str) -> None:
    assert render(separation, ["no such file: <too large>"]) == page


def test_every_text_is_escaped(page: str) -> None:
    assert "no such file: &lt;too large&gt;" in page


def test_the_page_states_what_is_proved_and_what_is_not(separation: ds.Separation, page: str) -> None:
    assert separation.sentence in page.replace("&#39;", "'")
    assert page.count("For <strong>every</strong> real x of dimension 3 with ‖x‖ ≤ 1") == 2
    assert "Nothing is said about points outside the unit ball." in page
    assert "evaluated in exact real arithmetic" in page
    for certified in (separation.shallow, separation.deep):
        assert certified is not None
        assert certified.digest in page
    assert "python -m depthsep_check shallow.json deep.json bounds/*.json" in page


def test_the_page_has_its_pictures_and_their_descriptions(page: str) -> None:
    assert page.count("<svg role=") == 4
    assert page.count("<figcaption>") == 4
    assert "The errors that were met, inside the band that is proved" in page


def test_every_hypothesis_is_ticked_or_not(page: str) -> None:
    marks = re.findall(r'<span class="mark [a-z]+">(.)</span>', page)
    assert {"✓", "✗"} <= set(marks)
    assert page.count("does not apply</span>") >= 3


def test_a_ball_indicator_shows_its_free_shell() -> None:
    page = render(
        ds.separate(
            "ball(1/2, 1/4)",
            dim=2,
        )
    )
    assert "In the grey shell nothing is asked." in page
    assert "proved: no error at all" in page
    assert "There is no shallow network here" in page
    assert page.count("<svg role=") == 4
