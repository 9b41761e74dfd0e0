"""Settings in which nothing is separated, to be shown as such: a demonstration needs its failures.

Measured mean squared errors, three seeds, networks of the width of the setting and, if trained throughout, the default
budget of `baselines`:

    plane    two-sigmoid 0.012-0.015, ReLU 0.019-0.023, depth-3 ReLU 0.005-0.006; 400 ReLUs, 8000 steps, one seed: 0.010
    ball     two-sigmoid 0.149-0.155, random features 0.120-0.127, ReLU 0.129-0.135
    narrow   two-sigmoid 0.152-0.169, ReLU 0.104-0.105, sigmoid 0.100-0.101, certified floor 0.076

Source: found by these measurements.
"""

from __future__ import annotations

from dataclasses import dataclass

from depthsep.learning.laws import BallTarget, Gaussian, RadialLaw, UniformBall

__all__ = ["NO_SEPARATION", "Setting"]


@dataclass(frozen=True)
class Setting:
    """One setting, and why nothing is separated there.

    Args:
        name: How to call it.
        law: The law of the points; the target is the ball of probability 1/2.
        width: The hidden units, the same for all networks.
        steps: The training steps of the two-sigmoid network.
        reason: Why there is no separation.
    """

    name: str
    law: RadialLaw
    width: int
    steps: int
    reason: str

    @property
    def target(self) -> BallTarget:
        """The ball that holds half of the points."""
        return BallTarget(self.law)


NO_SEPARATION = (
    Setting(
        "plane",
        Gaussian(2),
        100,
        300,
        "the floor is 0 in the plane: one hidden layer does as well once it is wider and trained for longer",
    ),
    Setting(
        "ball",
        UniformBall(20),
        400,
        100,
        "the norm hardly varies, so training is slow: least squares on the same features is ahead for 100 steps, "
        "and for later steps no floor is known",
    ),
    Setting(
        "narrow",
        Gaussian(20),
        40,
        300,
        "2 d independent units see ||x||^2 with too much noise: trained networks with one hidden layer are better",
    ),
)
