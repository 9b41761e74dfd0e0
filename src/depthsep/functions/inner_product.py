"""Functions of an inner product, (x, x') -> f(<x, x'>), f given by a formula in t."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from depthsep.errors import BadInput
from depthsep.functions.formula import Array, Formula

__all__ = ["InnerProduct"]


@dataclass(frozen=True)
class InnerProduct(Formula):
    """The function (x, x') -> f(<x, x'>) of two vectors of R^dim.

    Args:
        text: The formula of f in t = <x, x'> (and d, the dimension).
        dim: The dimension of each of the two vectors.
        domain: "sphere-pairs" where both are unit vectors, "ball-pairs" where both are of norm at most 1.

    Raises:
        BadInput: The text is no formula, dim < 1, or the domain is neither.

    Example:
        >>> wave = InnerProduct("sin(pi*d^3*t)", dim=2)
        >>> wave([[1.0, 0.0, 0.0, 1.0]]).tolist()
        [0.0]
    """

    kind: ClassVar[str] = "inner-product"
    variable: ClassVar[str] = "t"
    interval: ClassVar[tuple[Fraction, Fraction]] = (Fraction(-1), Fraction(1))

    domain: Literal["sphere-pairs", "ball-pairs"] = "sphere-pairs"

    def __post_init__(self) -> None:
        """Refuse what the class does not allow."""
        super().__post_init__()
        if self.domain not in ("sphere-pairs", "ball-pairs"):
            raise BadInput(f"domain = {self.domain!r}", needed='"sphere-pairs" or "ball-pairs"')

    def __call__(self, points: ArrayLike) -> Array:
        """Evaluate in float64 at the rows (x, x') of an array of shape (n, 2 dim); an estimate, not an enclosure."""
        pairs = np.asarray(points, dtype=np.float64)
        return self.profile(np.einsum("ij,ij->i", pairs[:, : self.dim], pairs[:, self.dim :]))

    def to_json(self) -> dict[str, Any]:
        """Give the FUNCTION object of the document format."""
        return {**super().to_json(), "domain": self.domain}
