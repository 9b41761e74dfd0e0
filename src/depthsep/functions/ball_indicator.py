"""The indicator of a ball with a margin: 1 inside, 0 outside, free in a shell between.

A step has no continuous approximation in the sup norm, so the shell radius - margin < ||x|| < radius + margin is left
to the network.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from depthsep.errors import BadInput

__all__ = ["BallIndicator"]


@dataclass(frozen=True)
class BallIndicator:
    """1 for ||x|| <= radius - margin, 0 for ||x|| >= radius + margin, free between.

    Args:
        radius: The radius, exact.
        margin: Half the thickness of the free shell, exact.
        dim: The dimension.

    Raises:
        BadInput: Not 0 < margin < radius with radius + margin <= 1, or dim < 1.

    Example:
        >>> ball = BallIndicator(Fraction(1, 2), Fraction(1, 20), dim=2)
        >>> ball.profile([0.0, 0.5, 0.6]).tolist()
        [1.0, nan, 0.0]
    """

    kind: ClassVar[str] = "ball-indicator"
    domain: ClassVar[str] = "unit-ball"

    radius: Fraction
    margin: Fraction
    dim: int

    def __post_init__(self) -> None:
        """Refuse what the class does not allow."""
        if self.dim < 1:
            raise BadInput(f"dim = {self.dim}", needed="a dimension of at least 1")
        if not (0 < self.margin < self.radius and self.outer <= 1):
            raise BadInput(
                self.text,
                needed="0 < margin < radius, and radius + margin <= 1 (the domain is the unit ball)",
                do="for example ball(1/2, 0.05)",
            )

    @property
    def text(self) -> str:
        """The function as a user writes it."""
        return f"ball({self.radius}, {self.margin})"

    def __str__(self) -> str:
        """Give the function as a user writes it."""
        return self.text

    @property
    def inner(self) -> Fraction:
        """The function is 1 up to this radius."""
        return self.radius - self.margin

    @property
    def outer(self) -> Fraction:
        """The function is 0 from this radius on."""
        return self.radius + self.margin

    def profile(self, radii: ArrayLike) -> NDArray[np.float64]:
        """Give 1, 0, or NaN in the free shell, at an array of radii."""
        array = np.asarray(radii, dtype=np.float64)
        values = np.where(array <= float(self.inner), 1.0, np.nan)
        return np.where(array >= float(self.outer), 0.0, values)

    def __call__(self, points: ArrayLike) -> NDArray[np.float64]:
        """Give 1, 0, or NaN in the free shell, at the rows of an array of shape (n, dim)."""
        return self.profile(np.linalg.norm(np.asarray(points, dtype=np.float64), axis=1))

    def validate(self) -> None:
        """Do nothing: the conditions were checked when the object was made."""

    def to_json(self) -> dict[str, Any]:
        """Give the FUNCTION object of the document format."""
        return {"kind": self.kind, "radius": str(self.radius), "margin": str(self.margin)}
