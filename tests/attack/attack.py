"""An adversary for documents about networks: it evaluates unit by unit, and looks for the largest error it can find.

Nothing of depthsep is used: layers are expanded from the JSON object as the format page defines them, and profiles are
evaluated by Python itself. An attack never overstates an error by more than floating point does.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Error = Callable[[Array], Array]
Obj = dict[str, Any]

# Of the radius and the profile in float64, for the mild profiles of the tests.
TARGET_ROUNDING = 1e-14
INSIDE = 1 - 2.0**-48

FUNCTIONS = {name: getattr(np, name) for name in ("abs", "sqrt", "exp", "log", "sin", "cos", "tanh", "pi")}
FUNCTIONS["min"] = lambda *values: np.minimum.reduce(np.broadcast_arrays(*values))
FUNCTIONS["max"] = lambda *values: np.maximum.reduce(np.broadcast_arrays(*values))

_erf = np.vectorize(math.erf, otypes=[float])
ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "relu": lambda y: np.maximum(y, 0),
    "leaky_relu": lambda y: np.where(y > 0, y, y / 100),
    "softplus": lambda y: np.logaddexp(0, y),
    "gelu": lambda y: y * (1 + _erf(y / math.sqrt(2))) / 2,
    "silu": lambda y: y * (1 + np.tanh(y / 2)) / 2,
    "sigmoid": lambda y: (1 + np.tanh(y / 2)) / 2,
    "tanh": np.tanh,
    "erf": _erf,
    "step": lambda y: np.where(y >= 0, 1.0, 0.0),
    "hard_tanh": lambda y: np.clip(y, -1, 1),
}


@dataclass(frozen=True)
class Attack:
    """The largest errors of both signs that were found, as positive numbers, and where."""

    above: float
    below: float
    worst: Array

    @property
    def error(self) -> float:
        return max(self.above, self.below)


# ------------------------------------------------------------------------------------------------------------------
# What a document says


def directions(obj: Obj, dim: int) -> Array:
    """The rows of a set of directions, by enumeration."""
    if obj["kind"] == "explicit":
        return np.array([[float.fromhex(entry) for entry in row] for row in obj["vectors"]])
    if obj["kind"] == "code":
        rows = range(2 ** obj["bits"])
        return np.array([[(-1.0) ** (row & column).bit_count() for column in obj["columns"]] for row in rows])
    rows = set()
    for places in itertools.permutations(range(dim), len(obj["generator"])):
        for signs in itertools.product((1, -1), repeat=len(places)):
            row = [0.0] * dim
            for place, sign, entry in zip(places, signs, obj["generator"], strict=True):
                row[place] = float(sign * entry)
            rows.add(tuple(row))
    return np.array(sorted(row for row in rows if next(entry for entry in row if entry) > 0))


def network_of(obj: Obj) -> Error:
    """The network of a document, dense, in float64."""
    if obj["kind"] == "activation-groups":
        return _pairs(obj)
    return _deep(obj) if obj["kind"] == "separable" else _shallow(obj)


def _floats(texts: list[str]) -> Array:
    return np.array([float.fromhex(text) for text in texts])


def _even_units(u: Array, thresholds: list[str], weights: list[str]) -> tuple[list[Array], list[Array], list[Array]]:
    """The rows, biases and outer weights of the units of one profile along the rows of `u`."""
    inner, bias, outer = [], [], []
    for t, w in zip(_floats(thresholds), _floats(weights), strict=True):
        for sign in (1.0, -1.0) if t > 0 else (1.0,):
            inner.append(sign * u)
            bias.append(np.full(len(u), -t))
            outer.append(np.full(len(u), w if t > 0 else 2 * w))
    return inner, bias, outer


def _first_layer(obj: Obj) -> tuple[Array, Array, Array]:
    """Rows, biases and coefficients of the units next to x."""
    dim = obj["dim"]
    inner, bias, outer = [np.zeros((0, dim))], [np.zeros(0)], [np.zeros(0)]
    if obj["kind"] == "separable":
        parts = [({"kind": "orbit", "generator": [1]}, obj["first"])]
        offset = obj["first"]["affine_offset"]
        odd = _floats(obj["first"]["weights"][:1])
        affine = None if offset is None else (np.full(dim, -odd[0]), float.fromhex(offset), 1.0)
    else:
        parts = [(group["directions"], group) for group in obj["groups"]]
        unit = obj["affine"]
        affine = unit and (_floats(unit["direction"]), float.fromhex(unit["offset"]), float.fromhex(unit["weight"]))
    for kind, lists in parts:
        units = _even_units(directions(kind, dim), lists["thresholds"], lists["weights"])
        for total, part in zip((inner, bias, outer), units, strict=True):
            total += part
    if affine is not None:
        inner.append(affine[0][None, :])
        bias.append(np.array([affine[1]]))
        outer.append(np.array([affine[2]]))
    return np.concatenate(inner), np.concatenate(bias), np.concatenate(outer)


def _rows(obj: Obj) -> Array:
    """The rows of the units next to x, up to their lengths."""
    if obj["kind"] != "activation-groups":
        return _first_layer(obj)[0]
    sets = [directions(group["directions"], obj["dim"]) for group in obj["groups"]]
    return np.concatenate([np.zeros((0, obj["dim"])), *sets])


def _shallow(obj: Obj) -> Error:
    inner, bias, outer = _first_layer(obj)
    constant = float.fromhex(obj["bias"])
    return lambda points: np.maximum(points @ inner.T + bias, 0) @ outer + constant


def _pairs(obj: Obj) -> Error:
    named, constant = obj["activation"], float.fromhex(obj["bias"])
    s = (lambda t: profile(named["expression"], t, 1)) if isinstance(named, dict) else ACTIVATIONS[named]
    groups = []
    for group in obj["groups"]:
        lists = (_floats(group[key]) for key in ("slopes", "centres", "weights"))
        groups.append((directions(group["directions"], obj["dim"]), list(zip(*lists, strict=True))))

    def value(points: Array) -> Array:
        total = np.full(len(points), constant)
        for u, pairs in groups:
            z = points @ u.T
            total += sum((w * (s(b * (z - t)) + s(b * (-z - t))).sum(axis=1) for b, t, w in pairs), 0 * total)
        return total

    return value


def _deep(obj: Obj) -> Error:
    inner, bias, outer = _first_layer(obj)
    second = obj["second"]
    sign = np.array([1.0 if side == "right" else -1.0 for side in second["sides"]])
    places, weights, constant = _floats(second["thresholds"]), _floats(second["weights"]), float.fromhex(second["bias"])

    def value(points: Array) -> Array:
        q = np.maximum(points @ inner.T + bias, 0) @ outer
        return np.maximum(sign * (q[:, None] - places), 0) @ weights + constant

    return value


def error_of(document: Obj) -> Error:
    """N - f at given points; 0 where the document claims nothing about f."""
    network, function, dim = network_of(document["network"]), document["function"], document["claim"]["dim"]

    def error(points: Array) -> Array:
        r = np.sqrt((points**2).sum(axis=1))
        value = network(points)
        if function["kind"] == "radial":
            return np.asarray(value - profile(function["expression"], r, dim))
        radius, margin = map(_rational, (function["radius"], function["margin"]))
        slack = TARGET_ROUNDING
        inside, outside = r <= radius - margin - slack, r >= radius + margin + slack
        return np.where(inside, value - 1, np.where(outside, value, 0.0))

    return error


def profile(text: str, points: Array, dim: int) -> Array:
    """A formula in one variable, by Python: its grammar and precedences are the same once ^ is written **."""
    variables = dict.fromkeys("rts", points) | {"d": dim}
    return np.asarray(eval(text.replace("^", "**"), {"__builtins__": {}}, {**FUNCTIONS, **variables})) + 0 * points


def _rational(text: str) -> float:
    top, _, bottom = text.partition("/")
    return int(top) / int(bottom or 1)


# ------------------------------------------------------------------------------------------------------------------
# Where it looks


def into_ball(points: Array) -> Array:
    """Points outside the unit ball are moved to its boundary, a little inside."""
    norms = np.sqrt((points**2).sum(axis=1, keepdims=True))
    return np.asarray(points * np.minimum(1.0, INSIDE / np.maximum(norms, 1e-300)))


def rays(document: Obj, rng: np.random.Generator, count: int) -> Array:
    """Unit vectors: axes, diagonals, sparse and spread ones, those of the units, normals of edges, random ones."""
    dim = document["claim"]["dim"]
    inner = _rows(document["network"])
    found = [np.eye(dim), *(_head(dim, k)[None, :] for k in range(1, dim + 1)), inner[: 40 * dim]]
    found.append(rng.choice((-1.0, 1.0), (8, dim)))
    for k in range(1, dim + 1):
        signs = rng.choice((-1.0, 1.0), (4, dim))
        found.append(np.where(rng.random((4, dim)).argsort(axis=1) < k, signs, 0.0))
    if len(inner) >= 2:
        left, right = (inner[rng.integers(len(inner), size=20)] for _ in range(2))
        found += [left + right, left - right]
    found.append(rng.standard_normal((count, dim)))
    every = np.concatenate(found)
    norms = np.sqrt((every**2).sum(axis=1))
    every = every[norms > 1e-9] / norms[norms > 1e-9, None]
    return np.concatenate((every, -every))


def _head(dim: int, k: int) -> Array:
    return np.array([1.0] * k + [0.0] * (dim - k))


def attack_points(document: Obj, seed: int = 0, count: int = 60, radii: int = 24) -> Array:
    """All rays at a ladder of radii, and uniform radii in random directions."""
    rng = np.random.default_rng(seed)
    directions = rays(document, rng, count)
    ladder = np.concatenate(([0.0], np.linspace(0, 1, radii) ** 1.5, rng.random(radii // 2)))
    on_rays = (ladder[:, None, None] * directions).reshape(-1, directions.shape[1])
    spread = rng.standard_normal((20 * count, directions.shape[1]))
    spread *= rng.random((len(spread), 1)) / np.sqrt((spread**2).sum(axis=1, keepdims=True))
    return into_ball(np.concatenate((on_rays, spread)))


def ascend(error: Error, starts: Array, rounds: int = 30) -> Array:
    """Climb: coordinate steps, steps along the radius and along the gradient by differences, projected on the ball."""
    best, values, step = starts, error(starts), 0.25
    count, dim = starts.shape
    moves = np.concatenate((np.eye(dim), -np.eye(dim)))
    for _ in range(rounds):
        nearby = error((best[:, None, :] + 1e-6 * moves).reshape(-1, dim)).reshape(count, 2 * dim)
        gradient = nearby[:, :dim] - nearby[:, dim:]
        gradient /= np.maximum(np.sqrt((gradient**2).sum(axis=1, keepdims=True)), 1e-300)
        lines = [best * (1 + step), best * (1 - step), best + step * gradient, best + 3 * step * gradient]
        tries = np.concatenate((best[:, None, :] + step * moves, np.stack(lines, axis=1)), axis=1)
        tries = into_ball(tries.reshape(-1, dim)).reshape(tries.shape)
        found = error(tries.reshape(-1, dim)).reshape(count, -1)
        choice = found.argmax(axis=1)
        better = found.max(axis=1) > values
        best = np.where(better[:, None], tries[np.arange(count), choice], best)
        values = np.maximum(values, found.max(axis=1))
        step *= 1.0 if better.any() else 0.5
    return best


def attack(document: Obj, points: Array | None = None, rounds: int = 30, starts: int = 12) -> Attack:
    """Find large errors of both signs of the network of a document against its function."""
    error = error_of(document)
    points = attack_points(document) if points is None else points
    values = error(points)
    worst = []
    for sign in (1.0, -1.0):
        first = points[np.argsort(-sign * values)[:starts]]
        climbed = ascend(lambda x, s=sign: s * error(x), first, rounds) if rounds else first
        worst.append(climbed[np.argmax(sign * error(climbed))])
    both = np.array(worst)
    found = error(both)
    if not np.isfinite(found).all():
        raise ValueError("the network or its function is not finite where it was attacked")
    return Attack(max(float(found[0]), 0.0), max(float(-found[1]), 0.0), both)
