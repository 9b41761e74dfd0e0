"""The tables behind the pictures of an atlas: what is known at every dimension and accuracy, and how it grows.

Widths are numbers of neurons, all hidden layers together. A shallow network has one hidden layer, a deep one more. A
lower bound is about networks with one hidden layer.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product

import numpy as np
from numpy.typing import NDArray

from depthsep.atlas import Store
from depthsep.errors import BadInput

__all__ = ["LEAST_POINTS", "SIDES", "Curve", "Fit", "Phase", "Setting", "Side", "csv_text", "curves", "curves_rows",
           "fits", "fits_rows", "phase", "phase_rows", "setting_of", "settings"]  # fmt: skip

SIDES = ("shallow", "deep", "bound")
_ROUNDING = 1e-9  # far beyond that of the logarithms: a gap is not drawn for want of digits
LEAST_POINTS = 3  # two always lie on a line

# What there may be at a place without a width, the more telling first.
_ABSENT = ("out of reach", "over time", "no bound", "refused", "failed")
_KNOWN, _NOT_ASKED = "done", "not asked"

_Rows = Iterator[tuple[object, ...]]


@dataclass(frozen=True)
class Setting:
    """One function and what is asked about it.

    Args:
        function: As the plan writes it.
        domain: "ball" or "spheres".
        activation: Of the networks, and of the class that the bounds are about.
        weights: The bound that the weights of the networks obey, and those of the class that the bounds are about; None
            if they are free.
    """

    function: str
    domain: str = "ball"
    activation: str = "relu"
    weights: str | None = None

    @property
    def text(self) -> str:
        """In words, for a heading."""
        text = f"{self.function}, {self.activation}"
        if self.domain != "ball":
            text += f", {self.domain}"
        return text if self.weights is None else f"{text}, weights at most {self.weights}"


@dataclass(frozen=True)
class Side:
    """What is known on one side at every place of a grid; the first index is that of the accuracy.

    Args:
        log2: log2 of the number of neurons; NaN where there is none.
        status: "done" where there is a number, else why there is none.
        depth: The depth of the narrowest network; 0 where there is none.
    """

    log2: NDArray[np.float64]
    status: NDArray[np.object_]
    depth: NDArray[np.int64]


@dataclass(frozen=True)
class Phase:
    """The (dimension, accuracy) plane of one function.

    Args:
        setting: The function.
        dims: The dimensions, smallest first.
        accuracies: The accuracies, largest first.
        sides: The narrowest shallow and deep network and the largest lower bound, by the names in `SIDES`.
    """

    setting: Setting
    dims: tuple[int, ...]
    accuracies: tuple[str, ...]
    sides: dict[str, Side]

    @property
    def ratio(self) -> NDArray[np.float64]:
        """log2 of shallow over deep; NaN where one of them is not there."""
        return np.asarray(self.sides["shallow"].log2 - self.sides["deep"].log2)

    @property
    def separated(self) -> NDArray[np.bool_]:
        """Where every shallow network that the bound is about has more neurons than the deep one that was built."""
        return np.asarray(self.sides["bound"].log2 > self.sides["deep"].log2 + _ROUNDING)


@dataclass(frozen=True)
class Fit:
    """Neurons against d at one accuracy, or against 1/eps at one dimension, with the line of least squares.

    Args:
        against: "d" or "1/eps".
        side: "shallow", "deep" or "bound".
        fixed: The accuracy or the dimension.
        places: log2 of d or of 1/eps.
        log2: log2 of the number of neurons.
        exponent_estimate: The slope of the line: an estimate, nothing is proved about it.
        constant_estimate: log2 of the factor.
    """

    against: str
    side: str
    fixed: str
    places: tuple[float, ...]
    log2: tuple[float, ...]
    exponent_estimate: float
    constant_estimate: float

    def at(self, place: float) -> float:
        """The line."""
        return self.constant_estimate + self.exponent_estimate * place


@dataclass(frozen=True)
class Curve:
    """Neurons against depth at one dimension and accuracy.

    Args:
        dim: The dimension.
        eps: The accuracy.
        depths: The depths that were asked for.
        log2: log2 of the number of neurons at each; None where there is no network.
        statuses: What became of each.
        bound: log2 of the lower bound at depth 2; None where there is none.
    """

    dim: int
    eps: str
    depths: tuple[int, ...]
    log2: tuple[float | None, ...]
    statuses: tuple[str, ...]
    bound: float | None


def settings(store: Store) -> list[Setting]:
    """All functions with their domains, activations and classes of weights, by name."""
    names = "function, domain, activation, weights"
    return [Setting(*found) for found in store.all(f"SELECT DISTINCT {names} FROM rows ORDER BY {names}")]


def setting_of(store: Store, wanted: Setting | None) -> Setting:
    """Choose what to draw: what was asked for, if the atlas has it; without a wish, the only function there is.

    Raises:
        BadInput: The atlas has nothing of the kind, or several functions.
    """
    found = None if wanted is None else _found(store, wanted)
    if found is not None:
        return found
    known = settings(store)
    if wanted is None and len({setting.function for setting in known}) == 1:
        return next((setting for setting in known if setting.activation == "relu"), known[0])
    raise BadInput(
        f"draw {wanted.text}" if wanted else "draw a function of the atlas",
        found="no such rows" if wanted else f"{len(known)} to choose from",
        needed="; ".join(setting.text for setting in known[:20]) or "rows",
    )


def _found(store: Store, wanted: Setting) -> Setting | None:
    """The same if there is such a row; where there are none with free weights, the first bound of weights there is."""
    tries = ["weights IS NULL", "weights IS NOT NULL"] if wanted.weights is None else ["weights = ?"]
    values = (wanted.domain, wanted.function, wanted.activation, *([] if wanted.weights is None else [wanted.weights]))
    for condition in tries:
        query = ("SELECT weights FROM rows WHERE status = ? AND kind = ? AND domain = ? AND function = ? "
                 f"AND activation = ? AND {condition} LIMIT 1")  # fmt: skip
        for status, kind in product((_KNOWN, *_ABSENT), ("network", "random-network", "bound")):
            if row := store.one(query, (status, kind, *values)):
                return replace(wanted, weights=row[0])
    return None


def phase(store: Store, setting: Setting) -> Phase:
    """Gather the plane of one function: at every place the narrowest network of each side and the largest bound.

    Networks of random directions are left out: what is proved about them is another statement.
    """
    values = (setting.domain, setting.function, setting.activation)
    found = {side: list(_side_rows(store, side, values, setting.weights)) for side in SIDES}
    places = {(row[0], row[1]) for rows in found.values() for row in rows}
    dims = sorted({dim for dim, _ in places})
    accuracies = sorted({eps for _, eps in places}, key=Fraction, reverse=True)
    columns = {dim: place for place, dim in enumerate(dims)}
    lines = {eps: place for place, eps in enumerate(accuracies)}
    sides = {side: _side(rows, lines, columns, side == "bound") for side, rows in found.items()}
    return Phase(setting, tuple(dims), tuple(accuracies), sides)


_SideRow = tuple[int, str, int, str, float | None]


def _side_rows(store: Store, side: str, values: tuple[str, str, str], weights: str | None) -> Iterator[_SideRow]:
    """Dimension, accuracy, depth, status and log2 of the neurons of every row of one side; those without come first."""
    kind = "bound" if side == "bound" else "network"
    where = f"status = ? AND kind = '{kind}' AND domain = ? AND function = ? AND activation = ?"
    where += " AND depth > 2" if side == "deep" else " AND depth = 2"
    where += " AND weights IS ?"
    for status in reversed(_ABSENT):
        for dim, eps, depth in store.all(f"SELECT dim, eps, depth FROM rows WHERE {where}", (status, *values, weights)):
            yield dim, eps, depth, status, None
    value = "log2_width" if side == "bound" else "neurons"
    for dim, eps, depth, size in store.all(
        f"SELECT dim, eps, depth, {value} FROM rows WHERE {where}", (_KNOWN, *values, weights)
    ):
        yield dim, eps, depth, _KNOWN, size if side == "bound" else math.log2(max(size, 1))


def _side(rows: Sequence[_SideRow], lines: dict[str, int], columns: dict[int, int], largest: bool) -> Side:
    width = len(columns)
    places = len(lines) * width
    log2, depth, status = [math.nan] * places, [0] * places, [_NOT_ASKED] * places
    for dim, eps, level, state, size in rows:
        place = lines[eps] * width + columns[dim]
        before = log2[place]
        if size is None:
            status[place] = state
        elif math.isnan(before) or (size > before if largest else size < before):
            log2[place], status[place], depth[place] = size, state, level
    shape = (len(lines), width)
    return Side(
        np.array(log2, dtype=np.float64).reshape(shape),
        np.array(status, dtype=object).reshape(shape),
        np.array(depth, dtype=np.int64).reshape(shape),
    )


def phase_rows(found: Phase) -> _Rows:
    """The table behind the phase diagram: its heading, then a row for each place."""
    yield ("dim", "eps", "shallow_log2_neurons", "shallow_status", "deep_log2_neurons", "deep_status", "deep_depth",
           "bound_log2_neurons", "bound_status", "log2_ratio", "separated")  # fmt: skip
    ratio, separated = found.ratio, found.separated
    shallow, deep, bound = (found.sides[side] for side in SIDES)
    for line, eps in enumerate(found.accuracies):
        for column, dim in enumerate(found.dims):
            at = line, column
            yield (dim, eps, _number(shallow.log2[at]), shallow.status[at], _number(deep.log2[at]), deep.status[at],
                   deep.depth[at] or "", _number(bound.log2[at]), bound.status[at], _number(ratio[at]),
                   int(separated[at]))  # fmt: skip


def fits(found: Phase) -> list[Fit]:
    """Lines of least squares through log2 neurons over log2 d, and over log2 1/eps; three places at least."""
    dims = np.log2(np.array(found.dims, dtype=np.float64))
    finenesses = np.array([-math.log2(Fraction(eps)) for eps in found.accuracies])
    lines = []
    for side in SIDES:
        log2 = found.sides[side].log2
        rows = [_fit("d", side, eps, dims, log2[line]) for line, eps in enumerate(found.accuracies)]
        rows += [_fit("1/eps", side, str(d), finenesses, log2[:, column]) for column, d in enumerate(found.dims)]
        lines += [fit for fit in rows if fit is not None]
    return lines


def _fit(against: str, side: str, fixed: str, places: NDArray[np.float64], log2: NDArray[np.float64]) -> Fit | None:
    known = ~np.isnan(log2)
    if np.count_nonzero(known) < LEAST_POINTS:
        return None
    across, up = places[known], log2[known]
    middle = across.mean()
    slope = float(np.dot(across - middle, up) / np.dot(across - middle, across - middle))
    constant = float(up.mean() - slope * middle)
    return Fit(against, side, fixed, tuple(across.tolist()), tuple(up.tolist()), slope, constant)


def fits_rows(found: Sequence[Fit]) -> _Rows:
    """The table behind the exponents: its heading, then a row for each point of each line."""
    yield ("against", "side", "fixed", "log2_place", "log2_neurons", "log2_line", "exponent_estimate",
           "log2_factor_estimate")  # fmt: skip
    for fit in found:
        for place, size in zip(fit.places, fit.log2, strict=True):
            yield (fit.against, fit.side, fit.fixed, _number(place), _number(size), _number(fit.at(place)),
                   _number(fit.exponent_estimate), _number(fit.constant_estimate))  # fmt: skip


def curves(store: Store, setting: Setting) -> list[Curve]:
    """Neurons against depth, for every dimension and accuracy with networks of two depths at least."""
    values = (setting.domain, setting.function, setting.activation)
    found: dict[tuple[int, str], dict[int, tuple[float | None, str]]] = {}
    for side in ("deep", "shallow"):
        for dim, eps, depth, status, size in _side_rows(store, side, values, setting.weights):
            known = found.setdefault((dim, eps), {}).get(depth, (None, ""))[0]
            if size is None or known is None or size < known:
                found[dim, eps][depth] = (size, status)
    bounds: dict[tuple[int, str], float] = {}
    for dim, eps, _, _, size in _side_rows(store, "bound", values, setting.weights):
        if size is not None:
            bounds[dim, eps] = max(size, bounds.get((dim, eps), 0.0))
    order = sorted(found, key=lambda place: (place[0], -Fraction(place[1])))
    drawn = [place for place in order if sum(size is not None for size, _ in found[place].values()) >= 2]
    return [_curve(dim, eps, found[dim, eps], bounds.get((dim, eps))) for dim, eps in drawn]


def _curve(dim: int, eps: str, by_depth: dict[int, tuple[float | None, str]], bound: float | None) -> Curve:
    depths = tuple(sorted(by_depth))
    sizes, statuses = zip(*(by_depth[depth] for depth in depths), strict=True)
    return Curve(dim, eps, depths, sizes, statuses, bound)


def curves_rows(found: Sequence[Curve]) -> _Rows:
    """The table behind the depth-width curves: its heading, then a row for each depth of each curve."""
    yield ("dim", "eps", "depth", "log2_neurons", "status", "bound_log2_neurons_at_depth_2")
    for curve in found:
        bound = "" if curve.bound is None else _number(curve.bound)
        for depth, size, status in zip(curve.depths, curve.log2, curve.statuses, strict=True):
            yield curve.dim, curve.eps, depth, "" if size is None else _number(size), status, bound


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6g}"


def csv_text(rows: _Rows) -> str:
    """A table as the text of a CSV file."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()
