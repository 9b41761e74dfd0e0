"""Readers of JSON values that know their place: they give what they were asked for, or refuse and say where.

`value` is what a document holds, `place` where it stands, for the error. Wrong types and unknown keys are `Malformed`;
words that a later version may know are `Unsupported`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from flint import fmpq

from depthsep_check.numbers import parse_weight, shown
from depthsep_check.verdict import Malformed, Unsupported

T = TypeVar("T")


def fields_of(value: Any, place: str, names: tuple[str, ...]) -> dict[str, Any]:
    """The object itself, once it is known to have exactly these keys."""
    if not isinstance(value, dict):
        raise Malformed(place, f"expected an object, found {shown(value)}")
    for name in names:
        if name not in value:
            raise Malformed(place, f'the key "{name}" is missing')
    if len(value) != len(names):
        raise Malformed(place, f"unknown key {shown(next(key for key in value if key not in names))}")
    return value


def peek_kind(value: Any, place: str, known: Mapping[str, object]) -> str:
    """The word under "kind", one of the known."""
    if not isinstance(value, dict) or not isinstance(value.get("kind"), str):
        raise Malformed(place, 'expected an object with a text under "kind"')
    kind: str = value["kind"]
    if kind not in known:
        raise Unsupported(f"{place}.kind {shown(kind)} (known: {', '.join(known)})")
    return kind


def of_kind(value: Any, place: str, readers: Mapping[str, Callable[[Any, str], T]]) -> T:
    """What the reader for its kind makes of an object."""
    return readers[peek_kind(value, place, readers)](value, place)


def word(value: Any, place: str, known: tuple[str, ...]) -> None:
    """Insist on one of the known words."""
    if not isinstance(value, str):
        raise Malformed(place, f"expected a text, found {shown(value)}")
    if value not in known:
        raise Unsupported(f"{place} {shown(value)} (known: {', '.join(known)})")


def integer(value: Any, place: str, low: int, high: int) -> int:
    """An integer between two limits."""
    if type(value) is not int:
        raise Malformed(place, f"expected an integer, found {shown(value)}")
    if not low <= value <= high:
        raise Malformed(place, f"{value} is outside {low}..{high}")
    return value


def item_list(value: Any, place: str, limit: int, reader: Callable[[Any, str], T]) -> tuple[T, ...]:
    """The entries of a list of bounded length, each read by `reader`."""
    if not isinstance(value, list):
        raise Malformed(place, f"expected a list, found {shown(value)}")
    if len(value) > limit:
        raise Malformed(place, f"{len(value)} entries, at most {limit} are allowed")
    return tuple(reader(entry, f"{place}[{index}]") for index, entry in enumerate(value))


def require_length(values: tuple[Any, ...], place: str, wanted: int) -> None:
    """Insist on the number of entries."""
    if len(values) != wanted:
        raise Malformed(place, f"needs {wanted} entries, has {len(values)}")


def weight_list(value: Any, place: str, limit: int, wanted: int | None = None) -> tuple[fmpq, ...]:
    """A list of weights, of a given length if `wanted` says so."""
    found = item_list(value, place, limit, parse_weight)
    if wanted is not None:
        require_length(found, place, wanted)
    return found


def threshold_list(value: Any, place: str, limit: int) -> tuple[fmpq, ...]:
    """A list of weights that are >= 0 and increase strictly."""
    found = weight_list(value, place, limit)
    for index, threshold in enumerate(found):
        if threshold < 0 or (index and threshold <= found[index - 1]):
            raise Malformed(f"{place}[{index}]", "thresholds must be >= 0 and increase strictly")
    return found
