"""Points of a radial law and the labels of a ball, as a torch dataset.

Importing this module needs torch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from depthsep.errors import BadInput
from depthsep.extras import require
from depthsep.learning.laws import BallTarget, RadialLaw

__all__ = ["RadialDataset"]

torch = require("torch", "a torch dataset of points of a radial law", "learn")
torch_data = require("torch.utils.data", "a torch dataset of points of a radial law", "learn")

_ROLE = 2  # keeps the points apart from hidden layers drawn with the same seed


class RadialDataset(torch_data.Dataset):  # type: ignore[misc, name-defined]
    """A finite sample, drawn once; the same seed gives the same points.

    Args:
        law: The law of the points.
        target: What is learnt; a ball for this law.
        n: The number of points.
        seed: Determines the points, not negative.

    Shapes:
        An item is a pair: a point (dim,) and its label 0 or 1, of shape (); both float32. The label is that of the
        point before it is rounded to float32.

    Raises:
        BadInput: The target belongs to another law, n < 0, seed < 0, or a coordinate is too large for float32.

    Example:
        >>> from depthsep.learning.laws import Gaussian
        >>> law = Gaussian(20)
        >>> data = RadialDataset(law, BallTarget(law), n=1000, seed=0)
        >>> len(data), data[0][0].shape, round(float(data.labels.mean()), 2)
        (1000, torch.Size([20]), 0.52)
    """

    def __init__(self, law: RadialLaw, target: BallTarget, n: int, seed: int = 0) -> None:
        """Draw the points; see the class."""
        if target.law != law:
            raise BadInput(f"a dataset of {law.text}", found=str(target), needed="a target for the same law")
        if n < 0 or seed < 0:
            raise BadInput(f"a dataset of {n} points with seed {seed}", needed="numbers that are not negative")
        points = law.sample(n, np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_ROLE,))))
        largest = float(np.abs(points).max(initial=0.0))
        if largest > float(np.finfo(np.float32).max):
            needed = "coordinates that float32 can hold"
            raise BadInput(f"a dataset of {law.text}", found=f"a coordinate of size {largest:g}", needed=needed)
        self.points = torch.from_numpy(points.astype(np.float32))
        self.labels = torch.from_numpy(target.label(points).astype(np.float32))

    def __len__(self) -> int:
        """The number of points."""
        return len(self.points)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """A point and its label."""
        return self.points[index], self.labels[index]
