"""Learning: radial data, two-sigmoid networks trained by gradient descent, and what shallow networks cannot reach."""

from depthsep.learning.experiment import Experiment, run_experiment
from depthsep.learning.laws import BallTarget, RadialLaw, parse_law
from depthsep.learning.limit import LimitCurve, limit_curve
from depthsep.learning.protocol import Protocol

__all__ = [
    "BallTarget",
    "Experiment",
    "LimitCurve",
    "Protocol",
    "RadialLaw",
    "limit_curve",
    "parse_law",
    "run_experiment",
]
