"""Counts, widths and JSON as people and programs read them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

__all__ = ["count", "json_text", "widths_text"]


def count(number: int) -> str:
    """Write an integer in groups of three digits.

    Example:
        >>> count(1140)
        '1,140'
    """
    return f"{number:,}"


def widths_text(widths: Sequence[int]) -> str:
    """Write the widths of the hidden layers, first layer first.

    Example:
        >>> widths_text((2400, 9))
        '2,400 + 9'
    """
    return " + ".join(count(width) for width in widths)


def json_text(value: Any) -> str:
    """Write JSON in ASCII; NaN and infinity are a fault, and raise.

    Example:
        >>> print(json_text({"widths": [2400, 9]}))
        {
          "widths": [
            2400,
            9
          ]
        }
    """
    return json.dumps(value, indent=2, allow_nan=False, default=_plain)


def _plain(value: Any) -> Any:
    """A number of numpy as Python's own."""
    return value.item()
