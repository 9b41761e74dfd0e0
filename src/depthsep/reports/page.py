"""The page of a run: one HTML file that loads nothing, in light and dark and on paper."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from depthsep.certificates.proved import MADE_BY
from depthsep.decimals import exact_decimal, lower_decimal, upper_decimal
from depthsep.explanation import TheoremNote, explain
from depthsep.networks import FoldedNetwork
from depthsep.networks.folded import Knots
from depthsep.reports import figures
from depthsep.reports.rows import bound_class, bound_row, kind_of, network_row, networks_of, place_of
from depthsep.reports.scan import Scan, scan
from depthsep.reports.text import count, widths_text

if TYPE_CHECKING:
    from depthsep.api import Separation
    from depthsep.certificates.document import CertifiedNetwork

__all__ = ["draw", "render"]

WIDEST_DRAWN = 10**12  # a wider one is an arrow that leaves the scale
MOST_ROWS = 10  # of hinges


def render(separation: Separation, notes: Sequence[str] = ()) -> str:
    """Write the page.

    Args:
        separation: The networks and the bounds.
        notes: What the run left out, and why.

    Returns:
        The text of one HTML file; the same separation gives the same text.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(files("depthsep.reports").joinpath("page.html").read_text(encoding="utf-8"))
    scans = [scan(certified) for certified in networks_of(separation)]
    pictures = {
        name: Markup(figures.to_svg(figure, name, _ALT[name])) for name, figure in draw(separation, scans).items()
    }
    return template.render(**_facts(separation, scans), **pictures, notes=notes)


_ALT = {
    "profile": "The function and the values of the networks, against the distance from the centre or the inner product",
    "errors": "The errors that were met, inside the band that is proved, against the same",
    "knots": "Places at which the neurons bend, with the signs and sizes of their weights",
    "widths": "Widths of the networks and lower bounds on a logarithmic scale",
}


def draw(separation: Separation, scans: Sequence[Scan]) -> dict[str, Any]:
    """Draw the four figures of a run.

    Args:
        separation: The networks and the bounds.
        scans: The samples of its networks, in order.
    """
    networks = networks_of(separation)
    portraits = [
        figures.Portrait(
            kind_of(net), f"depth {net.depth}, {widths_text(net.widths)} neurons", seen, net.sup_error_upper
        )
        for net, seen in zip(networks, scans, strict=True)
    ]
    return {
        "profile": figures.draw_profile(portraits),
        "errors": figures.draw_errors(portraits),
        "knots": figures.draw_knots([row for net in networks for row in _knot_rows(net)], _axis(separation)),
        "widths": figures.draw_widths(_bars(separation)),
    }


def _axis(separation: Separation) -> str:
    return "places" if separation.function.kind == "inner-product" else "distance from the centre"


def _facts(separation: Separation, scans: Sequence[Scan]) -> dict[str, Any]:
    networks = networks_of(separation)
    documents = [f"{kind_of(net)}.json" for net in networks]
    return {
        "function": separation.function.text,
        "where": _WHERE[separation.function.kind],
        "place": place_of(separation.function),
        "pairs": separation.function.kind == "inner-product",
        "window": bool(scans) and max(seen.places[-1] for seen in scans) < 1,
        "half_periods": max((getattr(net.network, "half_periods", 1) for net in networks), default=1),
        "dim": separation.dim,
        "accuracy": "exact off the margin" if separation.eps is None else f"accuracy {exact_decimal(separation.eps)}",
        "sentence": separation.sentence,
        "made_by": MADE_BY,
        "networks": [_network_facts(net) for net in networks],
        "shallow_failure": separation.shallow_failure,
        "source_notes": [(net.depth, net.source_note) for net in networks if net.source_width],
        "sampled": " and ".join(count(seen.directions * len(seen.places)) for seen in scans),
        "has_margin": separation.function.kind == "ball-indicator",
        "has_deep": any(kind_of(net) == "deep" for net in networks),
        "bounds": [bound_row(bound) for bound in separation.bounds],
        "no_bounds": list(dict.fromkeys(separation.no_bounds)),
        "theorems": _theorems(separation),
        "recheck": [
            "pip install depthsep",
            f"python -m depthsep_check {' '.join(documents)}" + (" bounds/*.json" if separation.bounds else ""),
        ],
        "digests": [(name, net.digest) for name, net in zip(documents, networks, strict=True)],
    }


_WHERE = {
    "radial": "r is the norm of x",
    "ball-indicator": "a ball with a margin",
    "inner-product": "t is the inner product of x and x′",
}


def _theorems(separation: Separation) -> tuple[TheoremNote, ...]:
    """The notes on the theorems; they are about the unit ball."""
    if separation.function.kind == "inner-product":
        return ()
    return explain(separation.function.text, dim=separation.dim, eps=separation.eps).theorems


def _network_facts(certified: CertifiedNetwork) -> dict[str, Any]:
    exception = ""
    if certified.function.kind == "ball-indicator":
        exception = " wherever the norm of x is outside the margin; inside it nothing is asked"
    return {
        **vars(network_row(certified)),
        "exact_error": exact_decimal(certified.sup_error_upper),
        "exception": exception,
        "slack": _slack(certified),
        "rounding": _rounding(certified.network.rounding_error_upper),
        "file": f"{kind_of(certified)}.json",
    }


def _slack(certified: CertifiedNetwork) -> str:
    """How far norms may be from 1, on pairs of unit vectors; rounded down."""
    slack = Fraction(certified.document["claim"].get("norm_slack", 0))
    return lower_decimal(slack) if slack else "nothing"


def _rounding(bound: Fraction | None) -> str:
    return "a bound that is not proved" if bound is None else upper_decimal(bound, 3)


def _knot_rows(certified: CertifiedNetwork) -> list[figures.KnotRow]:
    network: Any = certified.network
    if kind_of(certified) == "shallow":
        rows = [_group_row(group) for group in network.groups]
        return sorted(rows, key=lambda row: -len(row.places))[:MOST_ROWS]
    if isinstance(network, FoldedNetwork):
        return _folded_rows(certified, network)
    first = figures.KnotRow("deep", "first layer, each coordinate", network.thresholds, network.weights)
    shift = network.affine_offset or 0.0
    radii = [max(0.0, place - shift) ** 0.5 for place in network.second_thresholds]
    return [first, figures.KnotRow("deep", "second layer, at √z", radii, network.second_weights)]


_ACTS_ON = {"norm": "r²", "sphere-pair": "s = (1 + t)/2", "ball-pair": "t"}


def _folded_rows(certified: CertifiedNetwork, network: FoldedNetwork) -> list[figures.KnotRow]:
    """The squares, and psi: on one half period where it is repeated, else at the s it acts on."""
    squares, rows = network.squares, []
    if isinstance(squares, Knots):
        rows.append(figures.KnotRow("deep", "first layer, each\ncoordinate of y", squares.thresholds, squares.weights))
    if network.half_periods > 1:
        return [*rows, figures.KnotRow("deep", "last layer, on each\nhalf period", network.thresholds, network.weights)]
    factor = float.fromhex(certified.document["witness"]["factor"])
    places = [(place - network.shift) / factor for place in network.thresholds]
    return [*rows, figures.KnotRow("deep", f"last layer, at\n{_ACTS_ON[network.reads]}", places, network.weights)]


def _group_row(group: Any) -> figures.KnotRow:
    size = float(group.directions.norm_squared) ** 0.5
    number, shape = group.directions.count, group.directions.to_json()
    kind = {"orbit": f"of type {shape.get('generator')}", "code": "of a thinned cube", "explicit": "as stored"}[
        shape["kind"]
    ]
    name = f"{count(number)} direction{'s' * (number != 1)}\n{kind}"
    return figures.KnotRow("shallow", name, [place / size for place in group.thresholds], group.weights)


def _bars(separation: Separation) -> list[figures.Bar]:
    bars = []
    for net in networks_of(separation):
        bars.append(
            figures.Bar(kind_of(net), f"depth {net.depth}, this network", sum(net.widths), widths_text(net.widths))
        )
        if net.source_width:
            width = int(net.source_width.replace(",", "")) if net.source_width.replace(",", "").isdecimal() else None
            bars.append(figures.Bar("source", f"depth {net.depth}, the source's formula", width, net.source_width))
    for bound in separation.bounds:
        drawn = bound.width_lower <= WIDEST_DRAWN
        bars.append(
            figures.Bar(
                "bound", bound_class(bound), bound.width_lower if drawn else None, f"≥ {count(bound.width_lower)}"
            )
        )
    return bars
