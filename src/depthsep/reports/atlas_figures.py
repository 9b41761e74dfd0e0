"""The pictures of an atlas, each drawn from a table of `atlas_tables` and from nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthsep.reports.atlas_tables import SIDES, Curve, Fit, Phase, Side
from depthsep.reports.figures import PALETTE, blend, canvas

__all__ = ["ESTIMATE", "draw_depth_width", "draw_exponents", "draw_phase"]

ESTIMATE = "estimates by least squares; nothing is proved about exponents"

_TITLES = {"shallow": "shallow (depth 2)", "deep": "deep (depth > 2)", "bound": "lower bound at depth 2 (proved)"}
_WIDTHS = "viridis"
_NEUTRAL = "#f4f1ea"
# Places without a number, in the order of the legend; those that nobody asked about stay empty.
_ABSENT = {"out of reach": PALETTE["quiet"], "over time": PALETTE["bound"], "no bound": PALETTE["rule"],
           "refused": "#d8c39a", "failed": "#c0392b", "not asked": "none"}  # fmt: skip
_MOST_CELLS = 1500  # drawn as shapes; more become one image
_MOST_CURVES = 6
_MOST_TICKS = 7
_MOST_MARKERS = 40  # of a line


def draw_phase(found: Phase) -> Any:
    """Draw log2 of the neurons over dimension and accuracy: shallow, deep, lower bound, and shallow over deep.

    Args:
        found: The plane of one function. Places without a number are drawn by their reason.

    Returns:
        A figure for `figures.save` and `figures.to_svg`.
    """
    seen = [size for side in found.sides.values() for size in side.log2[~np.isnan(side.log2)]]
    scale = (0.0, max(seen, default=1.0) or 1.0)
    with canvas(10.0, 4.2) as figure:
        panels = figure.subplots(1, 4, sharex=True, sharey=True)
        meshes = [
            _cells(panel, found.sides[side].log2, _WIDTHS, scale) for panel, side in zip(panels[:3], SIDES, strict=True)
        ]
        reach = np.nanmax(np.abs(found.ratio), initial=0.0) or 1.0
        meshes.append(
            _cells(panels[3], found.ratio, blend(PALETTE["shallow"], _NEUTRAL, PALETTE["deep"]), (-reach, reach))
        )
        absent = [_absences(panel, found.sides[side]) for panel, side in zip(panels[:3], SIDES, strict=True)]
        absent.append(_absences(panels[3], _ratio_side(found)))
        _mark(panels[3], found.separated)
        for panel, title in zip(panels, (*_TITLES.values(), "shallow over deep"), strict=True):
            panel.set_title(title, loc="left", color=PALETTE["ink"], fontsize=9)
            panel.grid(visible=False)
            panel.set(xlabel="dimension d")
        _ticks(panels[0], found)
        _bar(figure, meshes[0], panels[:3], "log2 of the number of neurons")
        _bar(figure, meshes[3], panels[3:], "log2 of the ratio")
        _phase_legend(figure, set().union(*absent), bool(found.separated.any()))
        figure.suptitle(found.setting.text, x=0.01, ha="left", color=PALETTE["quiet"], fontsize=9)
    return figure


def _cells(panel: Any, values: NDArray[np.float64], colors: Any, scale: tuple[float, float]) -> Any:
    image = values.size > _MOST_CELLS
    masked = np.ma.masked_invalid(values)
    return panel.pcolormesh(masked, cmap=colors, vmin=scale[0], vmax=scale[1], rasterized=image, linewidth=0.3,
                            edgecolors="none" if image else "face")  # fmt: skip


def _absences(panel: Any, side: Side) -> set[str]:
    """Draw the places without a number; which reasons there are."""
    there = set()
    for status, color in _ABSENT.items():
        places = side.status == status
        if places.any():
            there.add(status)
            if color != "none":
                _cells(panel, np.where(places, 1.0, np.nan), blend(color, color), (0.0, 1.0))
    return there


def _ratio_side(found: Phase) -> Side:
    """Why a ratio is missing: for the reason of the shallow network, or else of the deep one."""
    shallow, deep = found.sides["shallow"], found.sides["deep"]
    status = np.where(shallow.status == "done", deep.status, shallow.status)
    return Side(found.ratio, status, deep.depth)


def _mark(panel: Any, separated: NDArray[np.bool_]) -> None:
    """Mark where the gap is proved: a dot in each cell, or a dotted area where there are many."""
    if not separated.any():
        return
    if separated.size <= _MOST_CELLS:
        lines, columns = np.nonzero(separated)
        panel.plot(columns + 0.5, lines + 0.5, "o", color=PALETTE["ink"], markersize=2.6)
        return
    places = [np.arange(length) + 0.5 for length in reversed(separated.shape)]
    area = panel.contourf(*places, separated.astype(float), [0.5, 1.5], colors="none", hatches=["..."])
    area.set(edgecolor=PALETTE["ink"], linewidth=0.6)


def _ticks(panel: Any, found: Phase) -> None:
    """Name the dimensions and accuracies; of many only some."""
    for axis, names in ((panel.xaxis, [str(dim) for dim in found.dims]), (panel.yaxis, list(found.accuracies))):
        step = 1 + (len(names) - 1) // _MOST_TICKS
        axis.set_ticks([place + 0.5 for place in range(0, len(names), step)], names[::step])
    panel.set(ylabel="accuracy ε", xlim=(0, len(found.dims)), ylim=(0, len(found.accuracies)))


def _bar(figure: Any, mesh: Any, panels: Any, name: str) -> None:
    bar = figure.colorbar(mesh, ax=list(panels), location="bottom", fraction=0.05, aspect=16 * len(panels), pad=0.02)
    bar.set_label(name, color=PALETTE["quiet"])
    bar.outline.set_visible(False)
    bar.solids.set_rasterized(True)


def _phase_legend(figure: Any, absent: set[str], separated: bool) -> None:
    axes = figure.axes[0]
    for status, color in _ABSENT.items():
        if status in absent:
            axes.plot([], [], "s", color=color, markeredgecolor=PALETTE["quiet"], label=status, markersize=7)
    if separated:
        name = "proved: the bound at depth 2 is above the deep network"
        axes.plot([], [], "o", color=PALETTE["ink"], label=name, markersize=3)
    if absent or separated:
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower left", ncols=len(absent) + separated)


def draw_exponents(found: Sequence[Fit], title: str) -> Any:
    """Draw neurons against d at one accuracy and against 1/eps at one dimension, with fits, and all fitted exponents.

    Args:
        found: The fits.
        title: The function.

    Returns:
        A figure for `figures.save` and `figures.to_svg`.
    """
    with canvas(8.6, 6.0) as figure:
        panels = figure.subplots(2, 2)
        for column, against in enumerate(("d", "1/eps")):
            here = [fit for fit in found if fit.against == against]
            _draw_points(panels[0][column], here, against)
            _draw_slopes(panels[1][column], here, against)
        figure.suptitle(f"{title}: {ESTIMATE}", x=0.01, ha="left", color=PALETTE["quiet"], fontsize=9)
    return figure


def _draw_points(axes: Any, fits: Sequence[Fit], against: str) -> None:
    """The points and lines at one accuracy or dimension: that with the most sides and points, the hardest of them."""
    symbol, other = ("d", "ε") if against == "d" else ("(1/ε)", "d")
    axes.set(xlabel=f"log2 of {symbol.strip('()')}", ylabel="log2 of the number of neurons")
    if not fits:
        _say(axes, "fewer than three points")
        return
    by_place: dict[str, list[Fit]] = {}
    for fit in fits:
        by_place.setdefault(fit.fixed, []).append(fit)
    shown = max(reversed(by_place.values()), key=lambda group: (len(group), sum(len(fit.places) for fit in group)))
    for fit in shown:
        color, name = PALETTE[fit.side], _TITLES[fit.side].split(" (")[0]
        ends = (fit.places[0], fit.places[-1])
        axes.plot(fit.places, fit.log2, "o" if len(fit.places) <= _MOST_MARKERS else "-", color=color, markersize=4,
                  label=f"{name}: about {symbol}^{round(fit.exponent_estimate, 2) + 0.0:g}")  # fmt: skip
        axes.plot(ends, [fit.at(place) for place in ends], "--", color=color, linewidth=1.1)
    axes.set_title(f"at {other} = {shown[0].fixed}", loc="left", color=PALETTE["ink"], fontsize=9.5)
    axes.legend(loc="upper left", fontsize=8)
    axes.margins(y=0.25)


def _draw_slopes(axes: Any, fits: Sequence[Fit], against: str) -> None:
    """The fitted exponents over what was held fixed."""
    for side in SIDES:
        here = [fit for fit in fits if fit.side == side]
        if here:
            sign = -1 if against == "d" else 1
            places = [sign * math.log2(Fraction(fit.fixed)) for fit in here]
            slopes = [fit.exponent_estimate for fit in here]
            style = "o-" if len(here) <= _MOST_MARKERS else "-"
            name = _TITLES[side].split(" (")[0]
            axes.plot(places, slopes, style, color=PALETTE[side], markersize=3.5, linewidth=1.0, label=name)
    symbol, other = ("d", "1/ε") if against == "d" else ("1/ε", "d")
    axes.set(xlabel=f"log2 of {other}", ylabel=f"fitted exponent of {symbol}")
    if not fits:
        _say(axes, "no fits")


def draw_depth_width(found: Sequence[Curve], title: str) -> Any:
    """Draw neurons against depth; of many curves only some, spread over them all.

    Args:
        found: The curves.
        title: The function.

    Returns:
        A figure for `figures.save` and `figures.to_svg`.
    """
    step = max(1, (len(found) - 1) / (_MOST_CURVES - 1)) if found else 1
    shown = [found[round(place * step)] for place in range(min(len(found), _MOST_CURVES))]
    colors = blend(PALETTE["shallow"], PALETTE["bound"], PALETTE["deep"])
    with canvas(6.8, 4.2) as figure:
        axes = figure.subplots()
        sizes = [size for curve in shown for size in (*curve.log2, curve.bound) if size is not None]
        top = 1.1 * max(sizes, default=1.0) + 0.5
        for place, curve in enumerate(shown):
            _draw_curve(axes, curve, colors(place / max(len(shown) - 1, 1)), top * (1 + 0.04 * place))
        _curve_legend(axes, shown)
        axes.set(xlabel="depth (2 is one hidden layer)", ylabel="log2 of the number of neurons")
        depths = sorted({depth for curve in shown for depth in curve.depths})
        axes.set_xticks(depths or [2])
        axes.margins(x=0.08)
        axes.set_ylim(bottom=0)
        if not shown:
            _say(axes, "no place with networks of two depths")
        else:
            axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=8)
        axes.set_title(title, loc="left", color=PALETTE["quiet"], fontsize=9)
    return figure


def _draw_curve(axes: Any, curve: Curve, color: Any, top: float) -> None:
    known = [(depth, size) for depth, size in zip(curve.depths, curve.log2, strict=True) if size is not None]
    name = f"d = {curve.dim}, ε = {curve.eps}"
    axes.plot(*zip(*known, strict=True), "o-", color=color, label=name, linewidth=1.3, markersize=4)
    missing = [depth for depth, size in zip(curve.depths, curve.log2, strict=True) if size is None]
    axes.plot(missing, [top] * len(missing), "x", color=color, markersize=6)
    if curve.bound is not None:
        axes.plot([2], [curve.bound], "^", color=color, markersize=5, markerfacecolor="none")


def _curve_legend(axes: Any, shown: Sequence[Curve]) -> None:
    missing = {status for curve in shown for status in curve.statuses} - {"done"}
    if missing:
        name = "no network: " + ", ".join(status for status in _ABSENT if status in missing)
        axes.plot([], [], "x", color=PALETTE["quiet"], label=name)
    if any(curve.bound is not None for curve in shown):
        axes.plot([], [], "^", color=PALETTE["quiet"], markerfacecolor="none", label="depth 2: more is needed (proved)")


def _say(axes: Any, text: str) -> None:
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", color=PALETTE["quiet"])
