"""Lower bounds on widths, each with its class of networks, its document and the checker's verdict on it."""

from depthsep.lower_bounds.bound import LowerBound, NoBound
from depthsep.lower_bounds.cells import cells_bound
from depthsep.lower_bounds.rank import rank_bound

__all__ = ["LowerBound", "NoBound", "cells_bound", "rank_bound"]
