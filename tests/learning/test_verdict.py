"""When an experiment is certified, when empirical, when nothing."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from depthsep.errors import BadInput
from depthsep.learning.laws import BallTarget, Bessel, Gaussian, RadialLaw, Student
from depthsep.learning.verdict import Interval, judge
from depthsep.lower_bounds import LowerBound, NoBound
from depthsep_check import check

LAW = Gaussian(20)
NO_FLOOR = NoBound("gaussian-floor", "no floor is known")


def floor_of(law: RadialLaw = LAW, width: int = 400) -> LowerBound:
    found = BallTarget(law).floor(width)
    assert isinstance(found, LowerBound)
    return found


def around(mean: float, spread: float = 1e-3) -> Interval:
    return Interval((mean - spread, mean, mean + spread))


def test_the_interval_is_that_of_scipy() -> None:
    values = np.random.default_rng(3).normal(1.0, 0.2, 8)
    interval = Interval(tuple(values.tolist()), level=0.9)
    low, high = stats.t.interval(0.9, 7, loc=values.mean(), scale=stats.sem(values))
    assert (interval.low, interval.high) == pytest.approx((low, high), rel=1e-12)
    assert interval.mean == pytest.approx(values.mean(), rel=1e-14)
    assert interval.text == "90% Student interval over 8 seeds"


def test_the_interval_covers_as_often_as_it_says() -> None:
    samples = np.random.default_rng(5).normal(0.0, 1.0, (2000, 4))
    covered = sum(interval.low <= 0 <= interval.high for interval in (Interval(tuple(row.tolist())) for row in samples))
    assert 0.935 < covered / 2000 < 0.965


def test_a_single_seed_says_nothing_of_its_scatter() -> None:
    one = Interval((0.03,))
    assert (one.low, one.high, one.text) == (-math.inf, math.inf, "1 seed, no interval")
    assert not one.below(around(0.5))
    assert not around(0.01).below(one)
    verdict = judge(LAW, one, {"relu": around(0.1)}, floor_of())
    assert verdict.kind == "none"
    assert "at least 2 are needed" in verdict.sentence


@pytest.mark.parametrize("values", [(), (0.1, math.nan), (math.inf, 0.1)])
def test_what_has_no_mean_is_refused(values: tuple[float, ...]) -> None:
    with pytest.raises(BadInput, match="needed: finite numbers, at least one"):
        Interval(values)


@pytest.mark.parametrize("level", [0.0, 1.0, math.nan])
def test_a_confidence_is_between_0_and_1(level: float) -> None:
    with pytest.raises(BadInput, match="a number strictly between 0 and 1"):
        Interval((0.1, 0.2), level)


@pytest.mark.parametrize("width", [100, 200, 300, 400])
def test_the_floor_is_never_printed_above_itself(width: int) -> None:
    floor = floor_of(width=width)
    assert floor.error_floor is not None
    printed = Fraction(judge(LAW, around(0.01), {}, floor).sentence.rpartition(" ")[2])
    assert floor.error_floor - Fraction(1, 10**5) < printed <= floor.error_floor


def test_certified_is_below_the_floor_with_the_whole_interval() -> None:
    below, across = around(0.033), around(0.055)
    assert below.high < 0.0556 < across.high
    verdict = judge(LAW, below, {}, floor_of())
    assert verdict.kind == "certified"
    assert "ends at 0.03548, below the certified floor 0.05566" in verdict.sentence
    assert verdict.assumptions[0].startswith("the errors of networks are estimates from fresh test points")
    assert "95% Student interval over 3 seeds" in verdict.assumptions[1]
    assert verdict.assumptions[2] == "what is certified is the floor: a theorem, replayed by the checker"
    assert verdict.assumptions[3:] == floor_of().hypotheses
    assert judge(LAW, across, {}, floor_of()).kind == "none"


def test_an_interval_that_ends_exactly_at_the_floor_is_not_below_it() -> None:
    interval = around(0.033)
    touching = replace(floor_of(), error_floor=Fraction(interval.high))
    assert judge(LAW, interval, {}, touching).kind == "none"
    above = replace(floor_of(), error_floor=Fraction(interval.high) + Fraction(1, 10**30))
    assert judge(LAW, interval, {}, above).kind == "certified"


def test_nothing_but_a_replayed_floor_of_the_gaussian_law_certifies() -> None:
    floor, interval = floor_of(), around(0.01)
    refuted = replace(floor, verdict=check(floor.document.replace('"gaussian-floor"', '"another"')))
    assert not refuted.verdict.ok
    assert judge(LAW, interval, {}, refuted).kind == "none"
    assert judge(Student(20, 3.0), interval, {}, floor).kind == "none"
    assert judge(Bessel(20), interval, {}, NO_FLOOR).kind == "none"
    assert judge(LAW, interval, {}, replace(floor, error_floor=None)).kind == "none"


def test_empirical_takes_every_trained_baseline() -> None:
    better, worse, met = around(0.02), around(0.09), around(0.0205)
    verdict = judge(Bessel(20), better, {"relu": worse, "sigmoid": around(0.08)}, NO_FLOOR)
    assert verdict.kind == "empirical"
    assert verdict.sentence.endswith("those of the trained baselines: relu, sigmoid; no floor is known")
    assert "others may be better" in verdict.assumptions[-1]
    assert "certified" not in " ".join([verdict.sentence, *verdict.assumptions])
    none = judge(Bessel(20), better, {"relu": worse, "deep-relu": met}, NO_FLOOR)
    assert (none.kind, none.sentence) == ("none", "no floor is known; the interval is not below that of deep-relu")


def test_a_deep_baseline_alone_is_no_comparison_of_depths() -> None:
    verdict = judge(Bessel(20), around(0.02), {"deep-relu": around(0.09)}, NO_FLOOR)
    assert verdict.kind == "none"
    assert "no trained baseline with one hidden layer was run" in verdict.sentence


def test_a_better_baseline_does_not_undo_a_certificate() -> None:
    assert judge(LAW, around(0.033), {"deep-relu": around(0.01)}, floor_of()).kind == "certified"
