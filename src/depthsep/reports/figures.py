"""The pictures of a run, drawn by matplotlib; the only door to it.

A figure is drawn once in the colours of `PALETTE`. `to_svg` makes it ready to stand inside an HTML page: no fonts,
dates or addresses of its own, ids that clash with nobody's, and colours turned into CSS variables so that the page may
be dark.
"""

from __future__ import annotations

import io
import math
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import matplotlib
import numpy as np
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from depthsep.decimals import upper_decimal
from depthsep.errors import BadInput
from depthsep.files import write_whole
from depthsep.reports.text import count

if TYPE_CHECKING:
    from depthsep.reports.scan import Scan

__all__ = ["PALETTE", "Bar", "Course", "Cut", "KnotRow", "LayerSizes", "Portrait", "blend", "canvas", "draw_crossover",
           "draw_errors", "draw_floors", "draw_knots", "draw_learning", "draw_profile", "draw_spectrum",
           "draw_tradeoff", "draw_weights", "draw_widths", "save", "to_png", "to_svg"]  # fmt: skip

Kind = Literal["shallow", "deep", "bound", "source"]
Points = Sequence[tuple[float, float]]

_SPELT_OUT = 10**9  # on an axis of widths; beyond, powers of ten
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

_FEW_DEGREES = 100  # of a spectrum, drawn as dots that can be told apart

# Every colour is used once here and nowhere else, so that `to_svg` can give each its CSS variable.
PALETTE = {"ink": "#1c2026", "quiet": "#68707c", "rule": "#dcdfe4", "shallow": "#2a6bb3", "deep": "#c2571b",
           "bound": "#a3aab5"}  # fmt: skip

_STYLE: dict[str, Any] = {
    "svg.fonttype": "none", "svg.hashsalt": "depthsep",
    "font.family": "DejaVu Sans", "font.size": 9.0,
    "text.color": PALETTE["ink"], "axes.labelcolor": PALETTE["quiet"],
    "xtick.color": PALETTE["quiet"], "ytick.color": PALETTE["quiet"],
    "xtick.major.size": 3.0, "ytick.major.size": 3.0, "axes.edgecolor": PALETTE["quiet"], "axes.linewidth": 0.7,
    "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True, "axes.unicode_minus": True,
    "axes.grid": True, "grid.color": PALETTE["rule"], "grid.linewidth": 0.6,
    "legend.frameon": False, "legend.handlelength": 1.6, "lines.solid_capstyle": "round",
    "figure.facecolor": "none", "axes.facecolor": "none", "savefig.facecolor": "none",
}  # fmt: skip


@dataclass(frozen=True)
class Portrait:
    """One network as the pictures see it: its kind, a name, its samples and its proved error."""

    kind: Literal["shallow", "deep"]
    name: str
    scan: Scan
    error: Fraction


@dataclass(frozen=True)
class KnotRow:
    """The hinges of one group: distances from the centre in [0, 1] and signed outer weights."""

    kind: Literal["shallow", "deep"]
    name: str
    places: Sequence[float]
    weights: Sequence[float]


@dataclass(frozen=True)
class Bar:
    """One width: of a network, or ruled out by a bound. No value means beyond every scale."""

    kind: Kind
    name: str
    value: float | None
    text: str


@dataclass(frozen=True)
class LayerSizes:
    """log2 of the largest |weight| and |bias| of one layer; None where all are 0."""

    weight: float | None
    bias: float | None


@dataclass(frozen=True)
class Cut:
    """A source and a compiled network along one axis: curves, the values on the grid, and the ramps between cells."""

    places: Sequence[float]
    source: Sequence[float]
    network: Sequence[float]
    grid: Points
    ramps: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Course:
    """An error during training: mean and ends of an interval at each step; one value and no steps for a baseline.

    Without an interval `low` and `high` are the mean.
    """

    kind: Literal["shallow", "deep", "source"]
    name: str
    mean: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    steps: Sequence[int] = ()


def draw_profile(portraits: Sequence[Portrait]) -> Figure:
    """Draw the function and, around it, the values of each network over all sampled directions.

    Args:
        portraits: The networks; all of one function.
    """
    with canvas(7.4, 3.5) as figure:
        axes = figure.subplots()
        for portrait in portraits:
            scan, color = portrait.scan, PALETTE[portrait.kind]
            axes.fill_between(scan.places, scan.lowest, scan.highest, color=color, alpha=0.28, linewidth=0)
            axes.plot(scan.places, scan.lowest, color=color, linewidth=0.8)
            axes.plot(scan.places, scan.highest, color=color, linewidth=0.8, label=portrait.name)
        scan = portraits[0].scan
        target = np.where(scan.claimed, scan.target, np.nan)
        axes.plot(scan.places, target, color=PALETTE["ink"], linewidth=1.5, label="the function")
        _shade_free(axes, scan)
        axes.set(xlim=(scan.places[0], scan.places[-1]), xlabel=scan.axis, ylabel="value")
        axes.margins(y=0.06)
        _legend_above(axes)
    return figure


def draw_errors(portraits: Sequence[Portrait]) -> Figure:
    """Draw, for each network, the band that is proved and the errors that were met.

    Args:
        portraits: The networks, one panel each.
    """
    with canvas(7.4, 3.2) as figure:
        panels = figure.subplots(1, len(portraits), sharey=True, squeeze=False)[0]
        for axes, portrait in zip(panels, portraits, strict=True):
            _draw_error_panel(axes, portrait)
        reach = (
            max(float(portrait.error) for portrait in portraits) or max(p.scan.largest_error for p in portraits) or 1.0
        )
        panels[0].set(ylabel="network − function", ylim=(-1.3 * reach, 1.3 * reach))
        panels[0].yaxis.set_major_locator(MaxNLocator(7, symmetric=True))
    return figure


def _draw_error_panel(axes: Any, portrait: Portrait) -> None:
    scan, color, error = portrait.scan, PALETTE[portrait.kind], float(portrait.error)
    low, high = (np.where(scan.claimed, side - scan.target, np.nan) for side in (scan.lowest, scan.highest))
    axes.axhspan(-error, error, color=color, alpha=0.09, linewidth=0)
    for side in (-error, error):
        axes.axhline(side, color=color, linewidth=1.1)
    axes.fill_between(scan.places, low, high, color=color, alpha=0.38, linewidth=0)
    axes.plot(scan.places, low, color=color, linewidth=0.8)
    axes.plot(scan.places, high, color=color, linewidth=0.8)
    axes.axhline(0, color=PALETTE["ink"], linewidth=0.7)
    _shade_free(axes, scan)
    axes.set(xlim=(scan.places[0], scan.places[-1]), xlabel=scan.axis)
    middle = (scan.places[0] + scan.places[-1]) / 2
    axes.set_title(portrait.name, loc="left", fontsize=9.5, color=PALETTE["ink"], pad=8)
    axes.annotate(_proved_text(portrait.error), (middle, error), xytext=(0, 4),
                  textcoords="offset points", ha="center", color=PALETTE["quiet"], fontsize=8)  # fmt: skip
    axes.annotate(f"largest error met: {scan.largest_error:.4g}", (middle, -error), xytext=(0, -5),
                  textcoords="offset points", ha="center", va="top", color=PALETTE["quiet"], fontsize=8)  # fmt: skip


def _proved_text(error: Fraction) -> str:
    return f"proved: never beyond ±{upper_decimal(error)}" if error else "proved: no error at all"


def _shade_free(axes: Any, scan: Scan) -> None:
    """Shade the shell in which nothing is asked of a network."""
    free = scan.places[~scan.claimed]
    if len(free):
        axes.axvspan(free[0], free[-1], color=PALETTE["rule"], alpha=0.55, linewidth=0, zorder=0)


def draw_knots(rows: Sequence[KnotRow], axis: str = "distance from the centre") -> Figure:
    """Draw where the hinges stand: one row a group, up for a positive weight, down for a negative one.

    Args:
        rows: The groups, top row first. A spike's length is the cube root of its weight, largest of its row = 1.
        axis: What the places are.
    """
    with canvas(7.4, 0.75 + 0.62 * len(rows)) as figure:
        axes = figure.subplots()
        for level, row in enumerate(rows):
            largest = max((abs(weight) for weight in row.weights), default=1.0) or 1.0
            ends = [level - 0.42 * math.copysign((abs(w) / largest) ** (1 / 3), w) for w in row.weights]
            axes.axhline(level, color=PALETTE["rule"], linewidth=0.8, zorder=0)
            axes.vlines(row.places, level, ends, color=PALETTE[row.kind], linewidth=1.3)
            axes.scatter(row.places, ends, color=PALETTE[row.kind], s=7, zorder=3, linewidths=0)
        axes.set(xlim=(-0.01, 1.01), ylim=(len(rows) - 0.4, -0.6), xlabel=axis)
        axes.set_yticks(range(len(rows)), [row.name for row in rows], color=PALETTE["ink"])
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="y", visible=False)
    return figure


def draw_widths(bars: Sequence[Bar]) -> Figure:
    """Draw widths side by side on one logarithmic scale.

    Args:
        bars: Networks, widths that bounds rule out, and formulas that may lie beyond every scale; top bar first.
    """
    largest = max((bar.value for bar in bars if bar.value), default=10.0)
    edge = max(100.0, largest) * 12
    with canvas(7.4, 0.8 + 0.34 * len(bars)) as figure:
        axes = figure.subplots()
        for level, bar in enumerate(bars):
            _draw_bar(axes, level, bar, edge)
        axes.set(xscale="log", xlim=(1, edge), ylim=(len(bars) - 0.4, -0.6), xlabel="neurons (logarithmic)")
        decades = math.floor(math.log10(edge))
        axes.xaxis.set_major_locator(FixedLocator([10.0**p for p in range(0, decades + 1, 1 + decades // 7)]))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(_power_of_ten if edge > _SPELT_OUT else _in_full))
        axes.set_yticks(range(len(bars)), [bar.name for bar in bars], color=PALETTE["ink"])
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="y", visible=False)
    return figure


def _in_full(value: float, _: object) -> str:
    return count(round(value))


def _power_of_ten(value: float, _: object) -> str:
    power = round(math.log10(value))
    return "10" + str(power).translate(_RAISED) if power > 1 else count(round(value))


def _draw_bar(axes: Any, level: int, bar: Bar, edge: float) -> None:
    color = PALETTE["quiet" if bar.kind == "source" else bar.kind]
    if bar.value is None:
        arrow = {"arrowstyle": "-|>", "color": color, "linewidth": 1.2, "linestyle": (0, (1, 2))}
        axes.annotate("", (edge, level), xytext=(1, level), arrowprops=arrow)
        axes.annotate(bar.text, (edge, level), xytext=(-12, 3), textcoords="offset points", ha="right", fontsize=8.5)
        return
    height = {"bound": 0.36, "source": 0.06}.get(bar.kind, 0.62)
    axes.barh(level, max(bar.value, 1.0) - 1.0, left=1.0, height=height, color=color, linewidth=0)
    axes.annotate(bar.text, (max(bar.value, 1.0), level), xytext=(5, 0), textcoords="offset points", va="center",
                  fontsize=8.5)  # fmt: skip


def draw_crossover(shallow: Points, deep: Points, source: Points, title: str) -> Figure:
    """Draw log2 of the widths against the dimension: ruled out at depth 2, built at depth 3.

    Args:
        shallow: (dimension, log2 of the width that depth 2 needs).
        deep: (dimension, log2 of the number of neurons that depth 3 takes).
        source: The same by the source's formula for depth 3.
        title: The function and the accuracy.
    """
    with canvas(6.4, 3.8) as figure:
        axes = figure.subplots()
        _plot(axes, shallow, PALETTE["shallow"], "depth 2: every network is wider (proved)", "o-")
        if shallow:
            floor = [log2_width for _, log2_width in shallow]
            axes.fill_between([dim for dim, _ in shallow], 0, floor, color=PALETTE["shallow"], alpha=0.12, linewidth=0)
        _plot(axes, deep, PALETTE["deep"], "depth 3: built (proved)", "o-")
        _plot(axes, source, PALETTE["quiet"], "depth 3 by the source's formula", ":")
        axes.set(xlabel="dimension d", ylabel="log2 of the number of neurons")
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(loc="upper left")
        axes.set_title(title, loc="left", color=PALETTE["quiet"], fontsize=9)
    return figure


def draw_tradeoff(largest: Points, neurons: Points, source: float | None, title: str) -> Figure:
    """Draw the largest layer and the number of neurons against the depth, on a logarithmic scale.

    Args:
        largest: (depth, units of the largest hidden layer).
        neurons: (depth, units of all hidden layers).
        source: The width by the source's formula for depth 3, if there is one.
        title: The function and the accuracy.
    """
    with canvas(6.4, 3.8) as figure:
        axes = figure.subplots()
        _plot(axes, largest, PALETTE["deep"], "largest layer (proved)", "o-")
        _plot(axes, neurons, PALETTE["shallow"], "all neurons (proved)", "s--")
        if source is not None:
            axes.plot([3], [source], "D", color=PALETTE["quiet"], label="depth 3 by the source's formula", markersize=4)
        axes.set(xlabel="depth (weight layers)", ylabel="neurons (logarithmic)", yscale="log")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        top = max((value for _, value in neurons), default=1.0)
        in_full = max(top, source or 1.0) <= _SPELT_OUT
        axes.yaxis.set_major_formatter(FuncFormatter(_in_full if in_full else _power_of_ten))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.legend(loc="upper right")
        axes.set_title(title, loc="left", color=PALETTE["quiet"], fontsize=9)
    return figure


def draw_floors(curves: Sequence[tuple[str, Points]], title: str) -> Figure:
    """Draw, for several dimensions, the least error against the number of neurons.

    Args:
        curves: Per dimension a name and (log2 of the width, the floor).
        title: The function and the measure.
    """
    shades = np.linspace(0.35, 1.0, max(len(curves), 1))
    with canvas(6.4, 3.8) as figure:
        axes = figure.subplots()
        for (name, points), shade in zip(curves, shades, strict=True):
            axes.plot(*zip(*points, strict=True), color=PALETTE["shallow"], alpha=float(shade), linewidth=1.4)
            axes.annotate(name, points[-1], xytext=(4, 0), textcoords="offset points", va="center", fontsize=8)
        axes.set(xlabel="log2 of the number of neurons", ylabel="no error below this")
        axes.set_ylim(bottom=0)
        axes.margins(x=0.12)
        axes.set_title(title, loc="left", color=PALETTE["quiet"], fontsize=9)
    return figure


def draw_spectrum(energies: Points, beyond: Points, neuron: Points, title: str) -> Figure:
    """Draw how much of a function lies on which degree, over what one neuron of depth 2 can have of it.

    Args:
        energies: (degree, log10 of the energy on it), where it is not 0.
        beyond: (degree, log10 of the energy of all higher degrees).
        neuron: (degree, log10 of the largest energy that one ReLU neuron of size 1 has on it).
        title: The function and the dimension.
    """
    few = len(beyond) <= _FEW_DEGREES
    with canvas(7.0, 4.2) as figure:
        axes = figure.subplots()
        _plot(axes, beyond, PALETTE["quiet"], "on all higher degrees", "-", drawstyle="steps-post")
        _plot(axes, neuron, PALETTE["shallow"], "one ReLU neuron, at most", "-")
        if energies:
            axes.plot(*zip(*energies, strict=True), "o", color=PALETTE["deep"], markersize=5 if few else 1.4,
                      markeredgewidth=0, label="on this degree")  # fmt: skip
        axes.set(xlabel="degree", ylabel="energy (logarithmic)")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda power, _: f"1e{power:.0f}" if power else "1"))
        axes.set_title(title, loc="left", color=PALETTE["quiet"], fontsize=9)
        handles, names = axes.get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=3, markerscale=1 if few else 3)
    return figure


def draw_weights(before: Sequence[LayerSizes], after: Sequence[LayerSizes], cut: Cut | None, title: str) -> Figure:
    """Draw the largest weight and bias of every layer, before and after, and a cut through both networks.

    Args:
        before: The layers of the source.
        after: The layers of the network with small weights.
        cut: Values along an axis; None where the networks are equal everywhere.
        title: What was done.
    """
    with canvas(7.4, 2.9 if cut is None else 5.4) as figure:
        grid = figure.add_gridspec(1 if cut is None else 2, 2, width_ratios=(len(before) + 1, len(after) + 1))
        left = figure.add_subplot(grid[0, 0])
        right = figure.add_subplot(grid[0, 1], sharey=left)
        _draw_sizes(left, before, PALETTE["shallow"], f"before: depth {len(before)}")
        _draw_sizes(right, after, PALETTE["deep"], f"after: depth {len(after)}")
        left.set(ylabel="log2 of the largest")
        left.yaxis.set_major_locator(MaxNLocator(integer=True))
        right.tick_params(labelleft=False)
        handles, names = right.get_legend_handles_labels()
        right.legend(handles, names, loc="upper right", ncols=2)
        if cut is not None:
            _draw_cut(figure.add_subplot(grid[1, :]), cut)
        figure.suptitle(title, x=0.01, ha="left", color=PALETTE["quiet"], fontsize=9)
    return figure


def _draw_sizes(axes: Any, layers: Sequence[LayerSizes], color: str, name: str) -> None:
    weights, biases = [layer.weight for layer in layers], [layer.bias for layer in layers]
    for sizes, label, style in ((weights, "weight", {"marker": "o", "markersize": 5}),
                                (biases, "bias", {"marker": "_", "markersize": 12})):  # fmt: skip
        shown = [math.nan if size is None else size for size in sizes]
        axes.plot(range(1, len(shown) + 1), shown, linestyle="", color=color, label=label, markeredgewidth=1.6, **style)
    axes.set(xlim=(0.4, len(layers) + 0.6), xlabel="layer")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=len(layers)))
    axes.set_title(name, loc="left", fontsize=9.5, color=PALETTE["ink"])


def _draw_cut(axes: Any, cut: Cut) -> None:
    for place, (low, high) in enumerate(cut.ramps):
        axes.axvspan(low, high, color=PALETTE["rule"], linewidth=0, zorder=0, label=None if place else "ramps")
    axes.plot(cut.places, cut.source, color=PALETTE["ink"], linewidth=1.1, label="source, clipped")
    axes.plot(cut.places, cut.network, color=PALETTE["deep"], linewidth=1.1, label="small weights")
    axes.plot(*zip(*cut.grid, strict=True), "o", color=PALETTE["deep"], markersize=3.5, label="equal at grid points")
    axes.set(xlim=(cut.places[0], cut.places[-1]), xlabel="first coordinate, the others in the middle", ylabel="value")
    axes.grid(axis="x", visible=False)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4, borderaxespad=0.2)


def draw_learning(
    errors: Sequence[Course],
    losses: Sequence[Course],
    floor: tuple[float, int] | None,
    title: str,
    ylabel: str = "mean squared error on fresh points",
) -> Figure:
    """Draw errors on fresh points against the number of steps, over what is proved to be out of reach.

    Args:
        errors: Mean squared errors of networks; those without steps are drawn across.
        losses: Training losses with their bounds, for a panel of their own; none: no such panel.
        floor: The certified floor, and the width that it is for.
        title: What is learnt.
        ylabel: Which error.
    """
    last = max(course.steps[-1] for course in errors if course.steps)
    with canvas(6.8, 6.6 if losses else 4.0) as figure:
        panels = figure.subplots(2 if losses else 1, 1, squeeze=False, sharex=True)[:, 0]
        _draw_courses(panels[0], errors, last)
        if floor is not None:
            _shade_floor(panels[0], *floor)
        top = 1.3 * max(max(course.mean) for course in errors)
        panels[0].set(ylabel=ylabel, ylim=(0, top))
        if losses:
            _draw_courses(panels[1], losses, last)
            panels[1].set(ylabel="training loss", ylim=(0, None))
        first = min(course.steps[0] for course in errors if course.steps)
        limits = (first, last) if first < last else (first / 2, last * 2)
        panels[-1].set(xlabel="steps of training (logarithmic)", xscale="log", xlim=limits)
        panels[-1].xaxis.set_major_formatter(FuncFormatter(lambda value, _: count(round(value))))
        figure.suptitle(title, x=0.01, ha="left", color=PALETTE["quiet"], fontsize=9)
    return figure


def _draw_courses(axes: Any, courses: Sequence[Course], last: int) -> None:
    seen: dict[str, int] = {}
    for course in courses:
        dashes = ("-", "--", ":", "-.")[seen.get(course.kind, 0) % 4]
        seen[course.kind] = seen.get(course.kind, 0) + 1
        color = PALETTE["quiet" if course.kind == "source" else course.kind]
        steps = course.steps or (1e-9, last)
        repeat = 1 if course.steps else 2
        axes.fill_between(steps, [*course.low] * repeat, [*course.high] * repeat, color=color, alpha=0.2, linewidth=0)
        axes.plot(steps, [*course.mean] * repeat, dashes, color=color, label=course.name, linewidth=1.4)
    axes.legend(loc="upper right", fontsize=8)


def _shade_floor(axes: Any, floor: float, width: int) -> None:
    axes.axhspan(0, floor, color=PALETTE["bound"], alpha=0.3, linewidth=0, zorder=0)
    axes.axhline(floor, color=PALETTE["bound"], linewidth=1.0)
    text = f"certified floor: no network with one hidden layer of width {count(width)} gets below"
    axes.annotate(text, (0, floor), xycoords=("axes fraction", "data"), xytext=(4, -4), textcoords="offset points",
                  va="top", fontsize=8, color=PALETTE["ink"])  # fmt: skip


def _plot(axes: Any, points: Points, color: str, name: str, style: str, **more: Any) -> None:
    if points:
        axes.plot(*zip(*points, strict=True), style, color=color, label=name, linewidth=1.4, markersize=4, **more)


def blend(*colors: str) -> Colormap:
    """A scale of colours from the first to the last, through those between them."""
    return LinearSegmentedColormap.from_list("blend", colors)


@contextmanager
def canvas(width: float, height: float) -> Iterator[Figure]:
    """A figure in the house style; sizes in inches."""
    with matplotlib.rc_context(_STYLE):
        yield Figure(figsize=(width, height), layout="constrained")


def _legend_above(axes: Any) -> None:
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, borderaxespad=0.2)


def to_svg(figure: Figure, prefix: str, description: str) -> str:
    """Turn a figure into an SVG element that can stand inside an HTML page.

    Args:
        figure: The figure.
        prefix: A word that no other figure of the page uses; it starts every id.
        description: What the picture shows, for those who cannot see it.

    Returns:
        The text of one element, the same for the same figure every time.
    """
    from markupsafe import escape

    out = io.StringIO()
    with matplotlib.rc_context(_STYLE):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = out.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", text).replace("xlink:href", "href")
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{prefix}-", text)
    text = re.sub(r' width="[\d.]+pt"| height="[\d.]+pt"', "", text, count=2)
    for name, color in PALETTE.items():
        text = text.replace(color, f"var(--{name})")
    return text.replace("<svg", f'<svg role="img" aria-label="{escape(description)}"', 1).strip()


def to_png(figure: Figure, dots_per_inch: int = 150) -> bytes:
    """Turn a figure into a PNG file's bytes, on white.

    Args:
        figure: The figure.
        dots_per_inch: Its resolution.
    """
    out = io.BytesIO()
    with matplotlib.rc_context(_STYLE):
        figure.savefig(out, format="png", dpi=dots_per_inch, facecolor="white", metadata={"Software": None})
    return out.getvalue()


def save(figure: Figure, path: str | os.PathLike[str], force: bool) -> Path:
    """Write a figure to a file of its own, .png or .svg by its name.

    Raises:
        BadInput: Another kind of name.
        DocumentExists: The file is there and `force` is False.
    """
    suffix = Path(path).suffix
    if suffix not in (".svg", ".png"):
        raise BadInput(f"a picture {path}", needed="a name that ends in .svg or .png")
    if suffix == ".png":
        return write_whole(path, force, lambda part: part.write_bytes(to_png(figure)))
    with matplotlib.rc_context(_STYLE):
        return write_whole(path, force, lambda part: figure.savefig(part, format="svg", metadata={"Date": None}))
