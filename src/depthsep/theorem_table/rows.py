"""The theorems as data, read from `theorems.toml`, and how to choose among them."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from depthsep.errors import BadInput

__all__ = ["KINDS", "THEOREMS", "Theorem", "select", "words_of"]

KINDS = ("separation", "upper bound", "lower bound", "barrier", "learning")
_FILTERS = {"target": "targets", "norm": "norm", "weights": "weights", "activation": "activation", "kind": "kind"}


@dataclass(frozen=True)
class Theorem:
    """One result.

    Args:
        key: Its name in this table.
        authors: Surnames; "depthsep" for our own, "folklore" where nobody is known.
        kind: One of `KINDS`.
        targets: The families of functions it is about, as words.
        norm: Of the error: "sup", "L2", "L1", "exact" (no error at all), or "not recorded".
        domain: Where the error is measured.
        depth: Of the networks, counted in weight layers.
        weights: "any", "bounded" or "not recorded".
        activation: The activations it is about; "any" for all of them.
        statement: The result in one line.
        year: Of publication; None for our own and for folklore.
        title: Of the paper, quoted from memory; "" where `cite` has it or nobody knows it.
        venue: Where it appeared, if that was looked up and `cite` does not have it.
        arxiv: Its number there, if that was looked up and `cite` does not have it.
        cite: A key of `depthsep cite`, or "".
        measure: The law behind the norm; "" where there is none.
        weights_detail: The class of weights more exactly.
        from_memory: What of the entry was quoted from memory and not looked up; "" if nothing.
        value: The name of the computation in `depthsep.theorem_table.values`; "" where nothing is computed.
        note: What must be read with care.
    """

    key: str
    authors: tuple[str, ...]
    kind: str
    targets: tuple[str, ...]
    norm: str
    domain: str
    depth: str
    weights: str
    activation: tuple[str, ...]
    statement: str
    year: int | None = None
    title: str = ""
    venue: str = ""
    arxiv: str = ""
    cite: str = ""
    measure: str = ""
    weights_detail: str = ""
    from_memory: str = ""
    value: str = ""
    note: str = ""

    @property
    def who(self) -> str:
        """Authors and year.

        >>> THEOREMS[0].who, next(theorem for theorem in THEOREMS if theorem.key == "rank").who
        ('Eldan & Shamir 2016', 'folklore')
        """
        *others, last = self.authors
        names = f"{', '.join(others)} & {last}" if others else last
        return names if self.year is None else f"{names} {self.year}"

    def words(self, name: str) -> tuple[str, ...]:
        """What the row has under the name of a filter: target, norm, weights, activation or kind."""
        found = getattr(self, _FILTERS[name])
        return found if isinstance(found, tuple) else (found,)


def words_of(name: str) -> tuple[str, ...]:
    """All words that the table knows under the name of a filter, in alphabetical order.

    >>> words_of("weights")
    ('any', 'bounded', 'not recorded')
    """
    return tuple(sorted({word for theorem in THEOREMS for word in theorem.words(name)}))


def select(**wanted: str | None) -> list[Theorem]:
    """The theorems that meet every filter, in the order of the table.

    Args:
        wanted: target, norm, weights, activation and kind; None does not filter. Capital letters do not matter. A
            theorem about any activation is also about each one; weights are those that the theorem allows, literally.

    Raises:
        BadInput: A word that no theorem has.

    Example:
        >>> [theorem.key for theorem in select(target="ball", norm="sup", weights="any")]
        ['ball-depth-3', 'rank']
    """
    known = {name: _known(name, word) for name, word in wanted.items() if word is not None}
    return [theorem for theorem in THEOREMS if all(_meets(theorem, name, word) for name, word in known.items())]


def _meets(theorem: Theorem, name: str, word: str) -> bool:
    words = theorem.words(name)
    return word in words or (name == "activation" and "any" in words)


def _known(name: str, word: str) -> str:
    """The word as the table spells it."""
    spelled = {known.lower(): known for known in words_of(name)}
    found = spelled.get(word.strip().lower())
    if found is None:
        near = difflib.get_close_matches(word.lower(), spelled, n=1)
        hint = f"did you mean {spelled[near[0]]!r}?" if near else ""
        raise BadInput(f"theorems with the {name} {word!r}", needed=f"one of {', '.join(spelled.values())}", do=hint)
    return found


def _read() -> tuple[Theorem, ...]:
    text = files("depthsep.theorem_table").joinpath("theorems.toml").read_text(encoding="utf-8")
    return tuple(Theorem(**_tuples(entry)) for entry in tomllib.loads(text)["theorem"])


def _tuples(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}


THEOREMS = _read()
