from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from fractions import Fraction

import numpy as np
import pytest

from depthsep.reports import figures
from depthsep.reports.scan import Scan


def make_portrait(kind: str = "shallow", error: Fraction = Fraction(1, 10)) -> figures.Portrait:
    radii = np.linspace(0.0, 1.0, 21)
    target = 1 - radii
    ripple = 0.09 * np.sin(9 * radii)
    seen = Scan("r = ‖x‖", radii, target, target - abs(ripple), target + abs(ripple), np.ones(21, dtype=bool), 7)
    return figures.Portrait(kind, f"a {kind} one", seen, error)


ROWS = [figures.KnotRow("shallow", "3 directions", [0.1, 0.5], [1.0, -2.0]), figures.KnotRow("deep", "none", [], [])]
BARS = [
    figures.Bar("shallow", "this network", 1140, "1,140"),
    figures.Bar("source", "a formula", None, "about e^(4.6e+09)"),
    figures.Bar("bound", "impossible", 10, "≥ 10"),
]
DRAWINGS = {
    "profile": lambda: figures.draw_profile([make_portrait(), make_portrait("deep")]),
    "errors": lambda: figures.draw_errors([make_portrait(), make_portrait("deep")]),
    "one-error": lambda: figures.draw_errors([make_portrait()]),
    "knots": lambda: figures.draw_knots(ROWS),
    "widths": lambda: figures.draw_widths(BARS),
    "wide-widths": lambda: figures.draw_widths([*BARS, figures.Bar("bound", "huge", 1e11, "≥ 10^11")]),
    "tradeoff": lambda: figures.draw_tradeoff([(3.0, 40.0), (4.0, 9.0)], [(3.0, 42.0), (4.0, 24.0)], None, "a wave"),
    "tradeoff-source": lambda: figures.draw_tradeoff([(3.0, 40.0)], [(3.0, 42.0)], 1e12, "a wave"),
    "spectrum": lambda: figures.draw_spectrum([(0, -1.0), (1, 0.0)], [(0, -0.5)], [(1, -5.0)], "t + 1"),
    "long-spectrum": lambda: figures.draw_spectrum([], [(n, -n / 9) for n in range(250)], [(1, -500.0)], "many"),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_svg_stands_alone_and_is_always_the_same(name: str) -> None:
    text = figures.to_svg(DRAWINGS[name](), "first", 'shows <a> & "b"')
    assert text == figures.to_svg(DRAWINGS[name](), "first", 'shows <a> & "b"')
    assert "http" not in text
    ElementTree.fromstring(text)


@pytest.mark.parametrize("name", DRAWINGS)
def test_svg_has_no_colour_that_the_page_cannot_change(name: str) -> None:
    text = figures.to_svg(DRAWINGS[name](), "first", "picture")
    assert "var(--ink)" in text
    assert set(re.findall(r"#[0-9a-f]{6}\b", text)) == set()


def test_ids_of_two_figures_of_a_page_do_not_clash() -> None:
    first, second = (
        set(re.findall(r'\bid="([^"]*)"', figures.to_svg(DRAWINGS["errors"](), prefix, "picture"))) for prefix in "ab"
    )
    assert first
    assert first.isdisjoint(second)


def test_references_inside_an_svg_are_kept() -> None:
    text = figures.to_svg(DRAWINGS["errors"](), "a", "picture")
    ids = set(re.findall(r'\bid="([^"]*)"', text))
    used = set(re.findall(r'(?:url\(#|href="#)([^")]*)', text))
    assert used
    assert used <= ids


def test_long_axes_are_marked_by_powers_of_ten() -> None:
    texts = [figures.to_svg(DRAWINGS[name](), "a", "picture") for name in ("widths", "wide-widths", "tradeoff-source")]
    assert ["10⁸" in text for text in texts] == [False, True, True]
    assert "1,000" in texts[0]


def test_description_is_escaped() -> None:
    assert 'aria-label="shows &lt;a&gt; &amp; &#34;b&#34;"' in figures.to_svg(
        DRAWINGS["knots"](), "first", 'shows <a> & "b"'
    )


def test_labels_say_what_is_proved_and_what_was_met() -> None:
    text = figures.to_svg(DRAWINGS["one-error"](), "first", "picture")
    assert "proved: never beyond ±0.1" in text
    assert "largest error met: 0.08813" in text


def test_a_width_beyond_every_scale_is_an_arrow_with_its_text() -> None:
    text = figures.to_svg(DRAWINGS["widths"](), "first", "picture")
    assert "about e^(4.6e+09)" in text
    assert "≥ 10" in text


def test_axes_are_labelled() -> None:
    for name, label in {
        "profile": "r = ‖x‖",
        "errors": "network − function",
        "knots": "distance from the centre",
    }.items():
        assert label in figures.to_svg(DRAWINGS[name](), "first", "picture")


def test_png_is_an_image() -> None:
    assert figures.to_png(DRAWINGS["profile"]())[:8] == b"\x89PNG\r\n\x1a\n"
