"""Mutants of a document: every stored number, word and list changed, one or two at a time, deterministically."""

import copy
import json
import math
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

Obj = dict[str, Any]
Place = tuple[str | int, ...]

_WORDS = (
    ("left", "right"),
    ("relu", "any", "tanh"),
    ("gelu", "silu"),
    ("sigmoid", "step"),
    ("radial", "ball-indicator", "inner-product", "radial-pieces", "ball", "breaks"),
    ("sup", "L2"),
    ("unit-ball", "spheres", "sphere-pairs", "ball-pairs", "R^d"),
    ("alternation", "bends"),
    ("norm", "sphere-pair", "ball-pair"),
    ("knots", "folds"),
    ("derivative-variation", "lipschitz", "variation"),
    ("entries", "product"),
    ("orbit", "code", "explicit"),
    ("sup-error", "width-lower", "crossings", "degrees"),
    ("moment-sandwich", "chamber-cells", "support-lines", "oscillation", "cells", "listed", "tail"),
    ("median", "2"),
    ("[0,1]^d", "[-1,1]^d", "R^d"),
    ("intervals", "enumeration", "assumed"),
    ("theorem", "compact", "merged"),
)


@dataclass(frozen=True)
class Mutant:
    """A changed document (without digest), and what was changed."""

    document: Obj
    change: str


def mutants(original: Obj, limit: int, seed: int = 0) -> list[Mutant]:
    """At most `limit` mutants of one change, going round all places so that none is left out, and a few of two."""
    rng = random.Random(seed)
    body = {key: value for key, value in original.items() if key != "digest"}
    queues = []
    for place, value in places(body):
        changes = list(_changes(value))
        rng.shuffle(changes)
        queues.append([(place, change) for change in changes])
    rng.shuffle(queues)
    rounds = [queue[i] for i in range(max(map(len, queues))) for queue in queues if i < len(queue)]
    singles = [_mutant(body, [edit]) for edit in rounds[:limit]]
    pairs = [_mutant(body, rng.sample(rounds, 2)) for _ in range(limit // 4)]
    dims = [_mutant(body, [(place, dim) for place, dim in _all_dims(body, step)]) for step in (-1, 1)]
    return [mutant for mutant in (*dims, *singles, *pairs) if mutant is not None and mutant.document != body]


def places(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """All parts of a document, from the top down."""
    yield place, value
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from places(part, (*place, key))


def _all_dims(body: Obj, step: int) -> Iterator[tuple[Place, int]]:
    """Every `dim` of the document moved alike: the forms then still fit together."""
    return ((place, value + step) for place, value in places(body) if place[-1:] == ("dim",))


def _mutant(body: Obj, edits: list[tuple[Place, Any]]) -> Mutant | None:
    """Apply edits; None where one has removed the place of the other."""
    changed = copy.deepcopy(body)
    for place, new in edits:
        if not place:
            changed = copy.deepcopy(new)
            continue
        at: Any = changed
        try:
            for key in place[:-1]:
                at = at[key]
            at[place[-1]]
        except (LookupError, TypeError):
            return None
        at[place[-1]] = copy.deepcopy(new)
    words = "; ".join(f"{'.'.join(map(str, place))} -> {json.dumps(new)[:60]}" for place, new in edits)
    return Mutant(changed, words) if isinstance(changed, dict) else None


def _changes(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from ({k: v for k, v in value.items() if k != dropped} for dropped in value)
        yield {**value, "extra": 1}
    elif isinstance(value, list):
        yield from _list_changes(value)
    elif isinstance(value, int):
        yield from (value + 1, value - 1, -value, 2 * value, 0, 10**19, str(value), True, None)
    elif value is None:
        yield from (0, "0x0p+0", "1", 1, {})
    elif "0x" in value:
        yield from _weight_changes(value)
    elif re.fullmatch(r"-?\d+(/\d+)?", value):
        yield from _rational_changes(Fraction(value))
    else:
        yield from _word_changes(value)


def _list_changes(value: list[Any]) -> Iterator[Any]:
    for i in range(len(value)):
        yield value[:i] + value[i + 1 :]
        yield value[: i + 1] + value[i:]
        if i:
            yield [*value[: i - 1], value[i], value[i - 1], *value[i + 1 :]]
    yield from ([], value[::-1], None)


def _weight_changes(text: str) -> Iterator[Any]:
    value = float.fromhex(text)
    yield from (math.nextafter(value, to).hex() for to in (-math.inf, math.inf))
    yield from (changed.hex() for changed in (-value, 1.1 * value, 0.9 * value, 2 * value, 0.0, value + 1e-3))
    yield from (value, None, "nan", "inf", "0x1p+1024", text + "1p-60")


def _rational_changes(value: Fraction) -> Iterator[Any]:
    top, bottom = value.numerator, value.denominator
    yield from (f"{top + 1}/{bottom}", f"{top - 1}/{bottom}", f"{top}/{bottom + 1}", f"{top}/{max(bottom - 1, 0)}")
    yield from (str(changed) for changed in (-value, value * 11 / 10, value * 9 / 10, 2 * value, 0 * value))
    yield from (f"{top}.0", float(value), None)


def _word_changes(text: str) -> Iterator[Any]:
    for group in _WORDS:
        if text in group:
            yield from (word for word in group if word != text)
    yield from (text + "x", "", text[::-1], 1, None)
    for match in re.finditer(r"\d+", text):
        for number in (int(match[0]) + 1, int(match[0]) - 1):
            yield f"{text[: match.start()]}{number}{text[match.end() :]}"
    swaps: list[Callable[[str], str]] = [lambda t: t.replace("-", "+", 1), lambda t: t.replace("cos", "sin")]
    yield from (swap(text) for swap in swaps)
