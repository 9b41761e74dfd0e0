"""Settings without separation: what is asked, the floors, and that the reasons given are true."""

import numpy as np

from depthsep.learning.baselines import FEATURES, TuningBudget, train_baseline
from depthsep.learning.experiment import run_experiment
from depthsep.learning.no_separation import NO_SEPARATION, Setting
from depthsep.learning.protocol import Protocol
from depthsep.learning.trained_nets import draw_examples
from depthsep.lower_bounds import LowerBound

BY_NAME = {setting.name: setting for setting in NO_SEPARATION}
QUICK = {"tuning_rates": (0.03,), "tuning_steps": 800}


def errors(setting: Setting, *baselines: str) -> dict[str, float]:
    """The two-sigmoid network and its baselines, one seed."""
    found = run_experiment(Protocol.of_setting(setting, seeds=1, baselines=baselines, **QUICK))
    return {outcome.model: outcome.interval.mean for outcome in found.outcomes}


def test_they_are_told_apart() -> None:
    assert list(BY_NAME) == ["plane", "ball", "narrow"]
    assert [(s.law.dim, s.width, s.steps) for s in NO_SEPARATION] == [(2, 100, 300), (20, 400, 100), (20, 40, 300)]
    assert all(setting.target.probability == 0.5 for setting in NO_SEPARATION)


def test_only_the_narrow_one_has_a_floor() -> None:
    floors = {name: setting.target.floor(setting.width) for name, setting in BY_NAME.items()}
    assert {name for name, floor in floors.items() if isinstance(floor, LowerBound)} == {"narrow"}


def test_in_the_plane_one_hidden_layer_gets_better_with_width_and_steps() -> None:
    target = BY_NAME["plane"].target
    points = draw_examples(target, 10_000, np.random.default_rng(1))
    small, large = (
        train_baseline("relu", target, width, 1, TuningBudget((0.03,), steps=steps)).mse(*points)
        for width, steps in ((50, 300), (400, 2500))
    )
    assert 0.01 < large < 0.025 < small < 0.1


def test_in_the_ball_least_squares_is_ahead() -> None:
    found = errors(BY_NAME["ball"], FEATURES)
    assert 0.1 < found[FEATURES] < found["two-sigmoid"] - 0.01 < 0.16


def test_the_narrow_network_is_behind_trained_ones_and_above_the_floor() -> None:
    setting = BY_NAME["narrow"]
    found = errors(setting, "relu", "sigmoid")
    floor = setting.target.floor(setting.width)
    assert isinstance(floor, LowerBound)
    assert floor.error_floor is not None
    assert float(floor.error_floor) < found["sigmoid"] < found["two-sigmoid"] - 0.02
    assert found["relu"] < found["two-sigmoid"] - 0.02
