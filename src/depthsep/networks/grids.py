"""Domains and the grids on them: the points X / 2^p, or 2 X / 2^p - 1 on [-1,1]^d, X = 0..2^p on every axis."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthsep.errors import BadInput

__all__ = ["DOMAINS", "MAX_GRID_BITS", "check_domain", "checked_indices", "grid_numerators", "numerator_bits"]

DOMAINS = ("[0,1]^d", "[-1,1]^d")
MAX_GRID_BITS = 60  # the indices are int64


def check_domain(domain: str) -> None:
    """Refuse a text that names no domain.

    Raises:
        BadInput: It is not one of DOMAINS.
    """
    if domain not in DOMAINS:
        raise BadInput(f"the domain {domain!r}", needed=" or ".join(DOMAINS))


def checked_indices(indices: NDArray[Any], dim: int, grid_bits: int) -> NDArray[np.int64]:
    """Give integers X of shape (n, dim), 0 <= X <= 2^grid_bits, as int64.

    Raises:
        BadInput: They are no such array, or the grid is too fine for it.
    """
    asked = f"evaluate at indices of type {indices.dtype} and shape {indices.shape} of a grid of {grid_bits} bits"
    if not 0 <= grid_bits <= MAX_GRID_BITS:
        raise BadInput(asked, needed=f"between 0 and {MAX_GRID_BITS} bits")
    if indices.dtype.kind not in "iu" or indices.ndim != 2 or indices.shape[1] != dim:
        raise BadInput(asked, needed=f"integers of shape (n, {dim}): one row per point")
    if indices.size and not (indices.min() >= 0 and indices.max() <= 1 << grid_bits):
        found = f"indices from {indices.min()} to {indices.max()}"
        raise BadInput(asked, found=found, needed=f"indices from 0 to {1 << grid_bits}")
    return indices.astype(np.int64)


def numerator_bits(grid_bits: int, domain: str) -> int:
    """The q for which every grid point is an integer over 2^q, and none of them is one over less for all of them."""
    check_domain(domain)
    return grid_bits if domain == DOMAINS[0] else max(grid_bits - 1, 0)


def grid_numerators(indices: NDArray[np.int64], grid_bits: int, domain: str) -> NDArray[np.int64]:
    """The integers Xhat for which the grid points are Xhat / 2^q, q = `numerator_bits`."""
    check_domain(domain)
    if domain == DOMAINS[0]:
        return indices
    return indices - (1 << grid_bits - 1) if grid_bits else 2 * indices - 1
