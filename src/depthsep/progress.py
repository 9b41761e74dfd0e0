"""How long work tells what it is doing."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Progress", "silent"]

# Called with a short text, and the fraction that is done where it is known.
Progress = Callable[[str, float | None], None]


def silent(_text: str, _fraction: float | None) -> None:
    """Tell nobody."""
