"""The verdict on an experiment: is the two-sigmoid network better than what one hidden layer can be?

    certified   the upper end of its confidence interval is below the Gaussian floor, which no network with one hidden
                layer of that width and a linear output undercuts, however it is trained; the checker replays the floor
    empirical   its interval lies below that of every trained baseline, one of them with one hidden layer
    none        neither

Two things are compared, and only one is a theorem. The floor is proved, for the population. The error of the
two-sigmoid network is estimated: each seed draws a hidden layer, training points and fresh test points, so the mean of
the test errors over the seeds is an unbiased estimate of the expected population error of what the protocol trains, and
Student's interval says how far off it may be, at its confidence and if the errors of the seeds are about normal. The
verdict is taken after the number of steps that the protocol fixes, not at the best one.

Source: the three words, and what each takes, are choices made here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from scipy.stats import t as student

from depthsep.bounding import Answer
from depthsep.decimals import lower_decimal
from depthsep.errors import BadInput
from depthsep.learning.laws import Gaussian, RadialLaw
from depthsep.lower_bounds import LowerBound, NoBound

__all__ = ["Interval", "Kind", "Verdict", "judge"]

Kind = Literal["certified", "empirical", "none"]

_DEEP_BASELINES = ("deep-relu",)
_LEAST_SEEDS = 2


@dataclass(frozen=True)
class Interval:
    """Mean squared errors, one for each seed, and Student's confidence interval for their expectation.

    Args:
        values: One error for each seed.
        level: The confidence, strictly between 0 and 1.

    Raises:
        BadInput: There is no value, one is not finite, or the level makes no sense.

    Example:
        >>> interval = Interval((0.031, 0.033, 0.035))
        >>> round(interval.mean, 4), round(interval.low, 4), round(interval.high, 4)
        (0.033, 0.028, 0.038)
        >>> Interval((0.031,)).high
        inf
    """

    values: tuple[float, ...]
    level: float = 0.95

    def __post_init__(self) -> None:
        """Refuse what has no mean."""
        if not self.values or not all(math.isfinite(value) for value in self.values):
            raise BadInput(f"a confidence interval of {self.values}", needed="finite numbers, at least one")
        if not 0 < self.level < 1:
            raise BadInput(f"a confidence of {self.level:g}", needed="a number strictly between 0 and 1")

    @property
    def mean(self) -> float:
        """The mean over the seeds."""
        return math.fsum(self.values) / len(self.values)

    @property
    def half_width(self) -> float:
        """Half the length of the interval; infinite for a single seed, which says nothing of its scatter."""
        count = len(self.values)
        if count < _LEAST_SEEDS:
            return math.inf
        return float(student.ppf((1 + self.level) / 2, count - 1) * np.std(self.values, ddof=1) / math.sqrt(count))

    @property
    def low(self) -> float:
        """The lower end."""
        return self.mean - self.half_width

    @property
    def high(self) -> float:
        """The upper end."""
        return self.mean + self.half_width

    def below(self, other: Interval) -> bool:
        """Whether it ends before the other one begins; False if either comes from a single seed."""
        return self.high < other.low

    @property
    def text(self) -> str:
        """Its kind, for reports."""
        if len(self.values) < _LEAST_SEEDS:
            return "1 seed, no interval"
        return f"{100 * self.level:g}% Student interval over {len(self.values)} seeds"


@dataclass(frozen=True)
class Verdict:
    """What an experiment shows.

    Args:
        kind: "certified", "empirical" or "none".
        sentence: The verdict in one sentence, with its numbers.
        assumptions: What it rests on, a sentence each.
    """

    kind: Kind
    sentence: str
    assumptions: tuple[str, ...]


def judge(law: RadialLaw, two_sigmoid: Interval, trained: Mapping[str, Interval], floor: Answer) -> Verdict:
    """Compare the two-sigmoid network with the floor, or else with the trained baselines.

    Args:
        law: The law of the points; the labels are 0 and 1.
        two_sigmoid: The errors of the two-sigmoid network.
        trained: The errors of every trained baseline, by name.
        floor: The floor at the width of the hidden layer, or why there is none.

    Example:
        >>> from depthsep.learning.laws import BallTarget, Bessel
        >>> law = Gaussian(20)
        >>> floor = BallTarget(law).floor(400)
        >>> verdict = judge(law, Interval((0.031, 0.033, 0.035)), {}, floor)
        >>> print(verdict.kind, verdict.sentence, sep=": ")
        certified: the interval of the two-sigmoid network ends at 0.03797, below the certified floor 0.05566
        >>> other = Bessel(20)
        >>> judge(other, Interval((0.01, 0.02)), {}, BallTarget(other).floor(400)).kind
        'none'
    """
    if len(two_sigmoid.values) < _LEAST_SEEDS:
        return Verdict("none", "one seed has no confidence interval; at least 2 are needed", _assumptions(two_sigmoid))
    if _is_certified(law, two_sigmoid, floor):
        at = f"the interval of the two-sigmoid network ends at {two_sigmoid.high:.4g}"
        sentence = f"{at}, below the certified floor {_floor(floor)}"
        return Verdict("certified", sentence, (*_assumptions(two_sigmoid), *_floor_assumptions(floor)))
    reasons = [_floor_reason(two_sigmoid, floor)]
    reason = _baseline_reason(two_sigmoid, trained)
    if not reason:
        names = ", ".join(trained)
        sentence = f"the interval of the two-sigmoid network ends below those of the trained baselines: {names}"
        return Verdict("empirical", f"{sentence}; {reasons[0]}", (*_assumptions(two_sigmoid), _ONLY_THESE))
    return Verdict("none", "; ".join([*reasons, reason]), _assumptions(two_sigmoid))


_ONLY_THESE = "the baselines are these networks, trained within their budget: others may be better"


def _is_certified(law: RadialLaw, two_sigmoid: Interval, floor: Answer) -> bool:
    """Whether the theorem speaks about this law, its proof was replayed, and the interval ends below it."""
    if type(law) is not Gaussian or not isinstance(floor, LowerBound) or not floor.verdict.ok:
        return False
    return floor.error_floor is not None and Fraction(two_sigmoid.high) < floor.error_floor


def _floor(floor: Answer) -> str:
    return lower_decimal(floor.error_floor or Fraction(0)) if isinstance(floor, LowerBound) else "0"


def _floor_reason(two_sigmoid: Interval, floor: Answer) -> str:
    if isinstance(floor, NoBound):
        return floor.reason
    return f"the interval ends at {two_sigmoid.high:.4g}, not below the certified floor {_floor(floor)}"


def _baseline_reason(two_sigmoid: Interval, trained: Mapping[str, Interval]) -> str:
    """Why the baselines do not make it empirical; "" if they do."""
    if not set(trained) - set(_DEEP_BASELINES):
        return "no trained baseline with one hidden layer was run"
    met = [name for name, interval in trained.items() if not two_sigmoid.below(interval)]
    return f"the interval is not below that of {', '.join(met)}" if met else ""


def _assumptions(two_sigmoid: Interval) -> tuple[str, ...]:
    estimate = "the errors of networks are estimates from fresh test points"
    seeds = "every seed draws its own hidden layer, training points and test points"
    if len(two_sigmoid.values) < _LEAST_SEEDS:
        return (f"{estimate}; {seeds}",)
    interval = f"{two_sigmoid.text}: it is for the expected error, and takes the errors of the seeds as normal"
    return f"{estimate}; {seeds}", interval


def _floor_assumptions(floor: Answer) -> tuple[str, ...]:
    if not isinstance(floor, LowerBound):
        return ()
    return ("what is certified is the floor: a theorem, replayed by the checker", *floor.hypotheses)
