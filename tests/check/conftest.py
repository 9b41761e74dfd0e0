"""Small documents made by hand, so that the checker is exercised without any search."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import settings

from depthsep_check.document import encode

settings.register_profile("seeded", derandomize=True, deadline=None)
settings.load_profile("seeded")

Obj = dict[str, Any]


def weight(value: float) -> str:
    return float(value).hex()


def weights(*values: float) -> list[str]:
    return [weight(v) for v in values]


def document(expression: str, dim: int, error: str, network: Obj, cells: list[Obj]) -> Obj:
    return {
        "format": "depthsep",
        "version": 1,
        "made_by": "tests",
        "function": {"kind": "radial", "expression": expression},
        "claim": {"kind": "sup-error", "dim": dim, "domain": "unit-ball", "arithmetic": "real", "error": error},
        "network": {"kind": "ridge-groups", "activation": "relu", "dim": dim, **network},
        "witness": {"kind": "moment-sandwich", "cells": cells},
    }


def cone_cells(scale: float, ratio: float, quartic: bool) -> list[Obj]:
    """Cells about -scale * |z|, each with polynomials made for its outer radius b.

    Below, -|z| >= -(z^2/(2m) + m/2). Above, -|z| <= -z^2/b on [0, b], or with b = 1 the best quartic for three
    equiangular directions, -(sqrt(3) z^2 - (4/9) sqrt(3) z^4).
    """
    ends = [ratio**i for i in range(200) if ratio**i > 0.04][::-1]
    cells = []
    for end in ends:
        b = end * (1 + 1e-9)
        middle = b / math.sqrt(2) if quartic else b * 0.95
        upper = [0.0, -math.sqrt(3) / b, 4 * math.sqrt(3) / 9 / b**3] if quartic else [0.0, -1 / b]
        upper[0] = 1e-9
        lower = [-middle / 2 - 1e-9, -1 / (2 * middle), 0.0][: len(upper)]
        pair = {"upper": weights(*[scale * q for q in upper]), "lower": weights(*[scale * q for q in lower])}
        to = "1" if end == 1 else f"{int(end * 10**6)}/{10**6}"
        cells.append({"to": to, "groups": [pair]})
    return cells


def cone_on_a_line() -> Obj:
    """Dimension 1: exactly 1 - |x|, as -2 relu(x) + relu(x + 1)."""
    network = {
        "bias": weight(0),
        "groups": [
            {
                "directions": {"kind": "orbit", "generator": [1]},
                "thresholds": weights(0),
                "weights": weights(-1),
            }
        ],
        "affine": {"direction": weights(1), "offset": weight(1), "weight": weight(1)},
    }
    return document("1 - r", 1, "1/8", network, cone_cells(1.0, 0.9, quartic=False))


def cone_in_the_plane() -> Obj:
    """Dimension 2: 1 - c (sum of |<u, x>| over three equiangular directions), four units, error 1/8."""
    c = 0.519
    directions = [(1.0, 0.0), (-0.5, math.sqrt(3) / 2), (-0.5, -math.sqrt(3) / 2)]
    network = {
        "bias": weight(1),
        "groups": [
            {
                "directions": {"kind": "explicit", "vectors": [weights(*u) for u in directions]},
                "thresholds": weights(0),
                "weights": weights(-c),
            }
        ],
        "affine": None,
    }
    return document("1 - r", 2, "1/8", network, cone_cells(c, 0.95, quartic=True))


def _parabola(kind: Obj, dim: int, count: int, length: float, fold: int = 1) -> tuple[Obj, Obj]:
    """A group whose profiles add up to about -r^2 / fold, and its polynomials.

    With t = z / length the profile is -D (|t| - T)_+, T = 0.15, D = 4 s T, which lies between -s t^2 and
    q - s' t^2 on [0, 1]; there are `count` directions, and the sum of t^2 over them is count/dim r^2.
    """
    s = dim / count / fold
    d = 0.6 * s
    s_up = 0.5217 * s
    group = {"directions": kind, "thresholds": weights(0.15 * length), "weights": weights(-d / length)}
    upper = weights(0.0225 * s_up + 1e-6, -s_up / length**2)
    lower = weights(-1e-9, -s * (1 + 1e-9) / length**2)
    return group, {"upper": upper, "lower": lower}


def cone_by_axes(dim: int = 10) -> Obj:
    """1 - r to 31/100 with one pair of units for every axis."""
    group, pair = _parabola({"kind": "orbit", "generator": [1]}, dim, dim, 1.0)
    network = {"bias": weight(0.695), "groups": [group], "affine": None}
    return document("1 - r", dim, "31/100", network, [{"to": "1", "groups": [pair]}])


def cone_by_code() -> Obj:
    """The same in dimension 4 with the four rows of a Hadamard matrix."""
    group, pair = _parabola({"kind": "code", "bits": 2, "columns": [0, 1, 2, 3]}, 4, 4, 2.0)
    network = {"bias": weight(0.695), "groups": [group], "affine": None}
    return document("1 - r", 4, "31/100", network, [{"to": "1", "groups": [pair]}])


def cone_by_mixed_groups() -> Obj:
    """Dimension 2, half by the axes and half by two explicit diagonals."""
    h = math.sqrt(0.5)
    diagonals = {"kind": "explicit", "vectors": [weights(h, h), weights(h, -h)]}
    groups, pairs = zip(
        _parabola({"kind": "orbit", "generator": [1]}, 2, 2, 1.0, fold=2),
        _parabola(diagonals, 2, 2, 1.0000001, fold=2),
        strict=True,
    )
    network = {"bias": weight(0.695), "groups": list(groups), "affine": None}
    return document("1 - r", 2, "31/100", network, [{"to": "1", "groups": list(pairs)}])


def vectors_of(directions: Obj, dim: int) -> list[tuple[float, ...]]:
    """All directions, by enumeration."""
    if directions["kind"] == "explicit":
        return [tuple(float.fromhex(c) for c in u) for u in directions["vectors"]]
    if directions["kind"] == "code":
        return [
            tuple((-1.0) ** (y & c).bit_count() for c in directions["columns"]) for y in range(2 ** directions["bits"])
        ]
    generator = directions["generator"]
    signed = set()
    for places in itertools.permutations(range(dim), len(generator)):
        for signs in itertools.product((1, -1), repeat=len(generator)):
            u = [0] * dim
            for place, sign, entry in zip(places, signs, generator, strict=True):
                u[place] = sign * entry
            signed.add(tuple(u))
    return sorted(u for u in signed if next(c for c in u if c) > 0)


def evaluate(network: Obj, x: list[float]) -> float:
    """The network unit by unit, as the format page defines it, in floats."""
    relu = lambda z: max(z, 0.0)  # noqa: E731
    number = float.fromhex
    total = number(network["bias"])
    for group in network["groups"]:
        for u in vectors_of(group["directions"], network["dim"]):
            z = sum(a * b for a, b in zip(u, x, strict=True))
            for t, d in zip(map(number, group["thresholds"]), map(number, group["weights"]), strict=True):
                total += d * (relu(z - t) + relu(-z - t)) if t > 0 else 2 * d * relu(z)
    if network["affine"] is not None:
        unit = network["affine"]
        inner = sum(number(a) * b for a, b in zip(unit["direction"], x, strict=True))
        total += number(unit["weight"]) * relu(inner + number(unit["offset"]))
    return total


def edited(obj: Obj, change: Callable[[Obj], object]) -> str:
    """The text of the document after a change, with the right digest."""
    changed = copy.deepcopy(obj)
    change(changed)
    return encode(changed)


@pytest.fixture
def shallow() -> SimpleNamespace:
    """Builders of valid shallow documents, and tools to forge them."""
    return SimpleNamespace(
        cone_on_a_line=cone_on_a_line,
        cone_in_the_plane=cone_in_the_plane,
        cone_by_axes=cone_by_axes,
        cone_by_code=cone_by_code,
        cone_by_mixed_groups=cone_by_mixed_groups,
        builders=(cone_on_a_line, cone_in_the_plane, cone_by_axes, cone_by_code, cone_by_mixed_groups),
        vectors_of=vectors_of,
        evaluate=evaluate,
        edited=edited,
        weight=weight,
        weights=weights,
        encode=encode,
    )
