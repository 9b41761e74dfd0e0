"""What a construction expects of one of its ways before it goes it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Prospect"]


@dataclass(frozen=True)
class Prospect:
    """One family of directions for one request.

    Args:
        way: The construction: "moment sandwich", "exact identity" or "reflection group".
        family: The directions, in words.
        directions: How many there are, counted.
        neurons: About how many neurons, an estimate: a search often ends at less, and a proof may fail.
        degree: Of the polynomials that the moments are exact for; None where there are none.
    """

    way: str
    family: str
    directions: int
    neurons: int
    degree: int | None = None
