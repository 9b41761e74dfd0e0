"""Protocols, the store of results, and experiments that repeat, go on and add up."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depthsep.errors import BadInput
from depthsep.learning import experiment
from depthsep.learning.baselines import TuningBudget, least_squares
from depthsep.learning.experiment import Experiment, recorded_steps, run_experiment
from depthsep.learning.features import HiddenLayer
from depthsep.learning.protocol import Protocol
from depthsep.learning.store import Store
from depthsep.lower_bounds import LowerBound, NoBound

QUICK = Protocol("gaussian", 4, width=40, steps=120, train_points=1500, test_points=1500, seeds=2)
SMALL_TUNING = {"tuning_rates": (0.01,), "tuning_steps": 30, "tuning_batch": 32}


def errors_of(found: Experiment) -> dict[str, tuple[float, ...]]:
    return {outcome.model: outcome.interval.values for outcome in found.outcomes}


def courses_of(found: Experiment) -> list[tuple[float, ...]]:
    return [interval.values for interval in (*found.test_mse.intervals, *found.training_loss.intervals)]


@pytest.fixture(scope="module")
def found() -> Experiment:
    return run_experiment(QUICK)


def test_widths_and_points_follow_from_the_dimension() -> None:
    protocol = Protocol("gaussian", 50)
    assert (protocol.width, protocol.train_points) == (1000, 20_000)
    assert Protocol("gaussian", 2).width == 100
    assert Protocol("gaussian", 5, width=3000).train_points == 60_000


def test_what_leaves_the_plain_reading_is_ours() -> None:
    plain = Protocol("bessel", 5, loss="square", optimizer="gd").provenance
    assert (plain["law"], plain["hidden"], plain["loss"], plain["optimizer"]) == (
        ("natural reading", "natural reading", "natural reading", "paper")
    )
    ours = Protocol("bessel", 5, hidden="antithetic").provenance
    assert {ours[name] for name in ("hidden", "loss", "optimizer", "width", "scale", "steps")} == {"derived"}
    assert set(ours) == {field.name for field in fields(Protocol)}


CHANGES: dict[str, Any] = {
    "law": "bessel", "dim": 5, "quantile": 0.4, "radius": 1.0, "width": 41, "hidden": "orthogonal", "scale": 0.6,
    "bias_range": 1.0, "loss": "square", "optimizer": "gd", "step": 0.1, "steps": 121, "train_points": 1501,
    "test_points": 1501, "tuning_rates": (0.02,), "tuning_steps": 31, "tuning_batch": 33,
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_the_digest_sees_every_field_that_matters(name: str) -> None:
    assert replace(QUICK, **{name: CHANGES[name]}).digest != QUICK.digest


def test_the_digest_does_not_see_which_seeds_and_baselines_are_run() -> None:
    assert {"seed", "seeds", "baselines", *CHANGES} == {field.name for field in fields(Protocol)}
    assert replace(QUICK, seed=5, seeds=9, baselines=("relu",)).digest == QUICK.digest


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"dim": 1}, "dim >= 2"),
    ({"law": "gausian"}, "did you mean gaussian"),
    ({"seeds": 0}, "seeds >= 1"),
    ({"steps": 0}, "steps >= 1"),
    ({"hidden": "normal"}, "one of iid, orthogonal, antithetic"),
    ({"optimizer": "sgd"}, "one of gd, nesterov, adam"),
    ({"loss": "hinge"}, "one of logistic, square"),
    ({"scale": 0.0}, "a positive number"),
    ({"quantile": 1.0}, "a quantile strictly between 0 and 1"),
    ({"baselines": ("rellu",)}, "did you mean relu"),
    ({"law": "bessel", "baselines": ("features", "deep-relu")}, r"E \|\|x\|\|\^2 is infinite"),
    ({"law": "student:2", "baselines": ("relu",)}, r"E \|\|x\|\|\^2 is infinite"),
]


@pytest.mark.parametrize(("changes", "text"), REFUSED)
def test_what_cannot_be_run_is_refused_before_it_is_run(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(BadInput, match=text):
        Protocol(**{"law": "gaussian", "dim": 4, **changes})


def test_a_protocol_is_read_from_both_kinds_of_files(tmp_path: Path) -> None:
    toml, saved = tmp_path / "plan.toml", tmp_path / "protocol.json"
    toml.write_text('law = "student:3"\ndim = 6\nsteps = 50\nbaselines = ["features", "relu"]\ntuning_rates = [0.1]\n')
    protocol = Protocol.read(toml)
    assert protocol == Protocol("student:3", 6, steps=50, baselines=("features", "relu"), tuning_rates=(0.1,))
    saved.write_text(json.dumps(protocol.to_json()))
    assert Protocol.read(saved) == protocol


MALFORMED = [
    ("dim = 6", "found:  no law"),
    ('law = "gaussian"\ndim = 6\nwidht = 3', "do:     did you mean width"),
    ('law = "gaussian"\ndim = 6\nnonsense = 3', "do:     choose from law, dim"),
    ('law = "gaussian"\ndim = "six"', "needed: a whole number"),
    ('law = "gaussian"\ndim = true', "needed: a whole number"),
    ("law = 3\ndim = 6", "needed: a text"),
    ('law = "gaussian"\ndim = 6\nscale = "half"', "needed: a number"),
    ('law = "gaussian"\ndim = 6\nbaselines = "relu"', "needed: a list of names"),
    ('law = "gaussian"\ndim = 6\ntuning_rates = ["a"]', "needed: a list of numbers"),
    ("law = ", "needed: a .toml file of fields"),
]


@pytest.mark.parametrize(("text", "message"), MALFORMED)
def test_files_that_are_no_protocol(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(text)
    with pytest.raises(BadInput) as refused:
        Protocol.read(path)
    assert message in str(refused.value)
    assert str(path) in str(refused.value)


def test_steps_are_recorded_from_the_first_to_the_last() -> None:
    marks = recorded_steps(300)
    assert (marks[:4], marks[-1]) == ((0, 1, 2, 3), 300)
    assert 25 < len(marks) <= 41
    assert recorded_steps(1) == (0, 1)


def test_the_same_seed_gives_the_same_numbers(found: Experiment) -> None:
    again = run_experiment(QUICK)
    assert (errors_of(again), courses_of(again)) == (errors_of(found), courses_of(found))


def test_a_seed_does_not_depend_on_what_else_is_run(found: Experiment) -> None:
    alone = run_experiment(replace(QUICK, seed=1, seeds=1, baselines=("sigmoid",), **SMALL_TUNING))
    assert errors_of(alone)["two-sigmoid"] == errors_of(found)["two-sigmoid"][1:]


def test_seeds_differ_in_the_layer_and_in_the_points(found: Experiment) -> None:
    materials = [experiment._Material(QUICK, seed) for seed in (0, 1)]
    first, second = (material.hidden.weights for material in materials)
    assert not np.array_equal(first, second)
    assert len({float(material.test_points[0][0, 0]) for material in materials}) == 2
    assert not np.array_equal(materials[0].test_points[0], materials[0]._draw("data", 1500)[0])
    assert len(set(errors_of(found)["two-sigmoid"])) == 2


def test_the_features_are_those_of_the_two_sigmoid_network(found: Experiment) -> None:
    material = experiment._Material(QUICK, 0)
    hidden = material.hidden
    assert isinstance(hidden, HiddenLayer)
    points, labels = material._draw("data", QUICK.points)
    readout = least_squares(hidden.features(points), labels)
    tests, wanted = material.test_points
    expected = float(np.mean((readout.outputs(hidden.features(tests)) - wanted) ** 2))
    assert errors_of(found)["features"][0] == pytest.approx(expected, abs=1e-4)


def test_training_helps_and_the_start_is_the_constant_one_half(found: Experiment) -> None:
    mse = [interval.mean for interval in found.test_mse.intervals]
    assert mse[0] == pytest.approx(0.25, abs=1e-6)
    assert mse[-1] < 0.5 * mse[0]
    assert found.outcome("two-sigmoid").interval == found.test_mse.intervals[-1]
    assert found.training_loss.intervals[0].mean == pytest.approx(np.log(2), abs=1e-6)
    assert isinstance(found.floor, LowerBound)
    assert found.floor.width_lower == 41
    with pytest.raises(BadInput, match="outcomes of two-sigmoid, features"):
        found.outcome("relu")


def test_convex_bound_and_limit_are_there_where_they_are_defined(found: Experiment) -> None:
    assert found.convex_bound is None
    assert found.limit is None
    descent = run_experiment(replace(QUICK, optimizer="gd", seeds=1))
    assert descent.convex_bound is not None
    assert descent.convex_bound.steps == descent.training_loss.steps[1:]
    pairs = zip(descent.convex_bound.intervals, descent.training_loss.intervals[1:], strict=True)
    assert all(bound.mean >= loss.mean - 1e-5 for bound, loss in pairs)
    assert descent.limit is not None
    assert tuple(descent.limit.steps.tolist()) == descent.test_mse.steps
    assert abs(float(descent.limit.mse[-1]) - descent.test_mse.intervals[-1].mean) < 0.04
    assert run_experiment(replace(QUICK, optimizer="gd", step=0.5, seeds=1)).convex_bound is None
    assert run_experiment(replace(QUICK, optimizer="nesterov", seeds=1)).limit is not None


def test_another_law_has_no_floor() -> None:
    found = run_experiment(replace(QUICK, law="bessel", baselines=("features", "sigmoid"), **SMALL_TUNING))
    assert isinstance(found.floor, NoBound)
    assert found.outcome("sigmoid").text.startswith("sigmoid 40, linear output: Adam, best of the rates 0.01")
    assert found.notes == (
        ("sigmoid: for 2 of 2 seeds the smallest or the largest rate won, so that others might do better",)
    )


def test_intervals_without_a_variance_are_pointed_out() -> None:
    small = replace(QUICK, steps=5, baselines=("relu", "sigmoid"), tuning_rates=(0.1, 0.01, 0.001), tuning_steps=30)
    heavy, light = (run_experiment(replace(small, law=law)).notes for law in ("student:3", "student:4.5"))
    assert [note for note in heavy if "no variance" in note] == [
        "relu: E ||x||^4 is infinite (tail index 3), so that its squared error has no variance and its interval may be "
        "too short"
    ]
    assert not any("no variance" in note for note in light)


def test_beyond_the_reach_of_the_theorem_there_is_no_floor() -> None:
    found = run_experiment(replace(QUICK, dim=10_001, width=3, steps=1, train_points=20, test_points=20))
    assert isinstance(found.floor, NoBound)
    assert "needed: 2 <= dim <= 10000" in found.floor.reason
    assert found.verdict.kind == "none"


def test_a_baseline_without_a_finite_error_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hopeless:
        def mse(self, points: object, labels: object) -> float:
            return float("nan")

    monkeypatch.setattr(experiment, "train_baseline", lambda *arguments: Hopeless())
    with pytest.raises(BadInput, match="its error on fresh points is not finite"):
        run_experiment(replace(QUICK, baselines=("sigmoid",)))


def rows_in(folder: Path) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    return [{name: value for name, value in row.items() if name != "cpu_s"} for row in rows]


def test_more_seeds_and_baselines_are_added(found: Experiment, tmp_path: Path) -> None:
    run_experiment(replace(QUICK, seeds=1), tmp_path)
    assert [(row["seed"], row["model"]) for row in rows_in(tmp_path)] == [(0, "two-sigmoid"), (0, "features")]
    both = run_experiment(QUICK, tmp_path)
    assert (errors_of(both), courses_of(both)) == (errors_of(found), courses_of(found))
    assert [row["seed"] for row in rows_in(tmp_path)] == [0, 0, 1, 1]
    said: list[str] = []
    again = run_experiment(QUICK, tmp_path, lambda text, _: said.append(text))
    assert (said, errors_of(again)) == ([], errors_of(found))


@pytest.mark.parametrize("left", [1, 40, -1])
def test_a_line_that_was_cut_off_is_computed_again(left: int, found: Experiment, tmp_path: Path) -> None:
    run_experiment(QUICK, tmp_path)
    file, before = tmp_path / "rows.jsonl", rows_in(tmp_path)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-1]) + lines[-1][:left])
    assert errors_of(run_experiment(QUICK, tmp_path)) == errors_of(found)
    assert rows_in(tmp_path) == before


class Killed(BaseException):
    """What no code catches."""


def test_a_training_goes_on_where_it_was(found: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiment, "_CHECKPOINT_S", 0.0)

    def kill(_text: str, fraction: float | None) -> None:
        if fraction is not None and fraction >= 0.2:  # of 4 networks: after 100 of the first one's 120 updates
            raise Killed

    with pytest.raises(Killed):
        run_experiment(QUICK, tmp_path, kill)
    (state,) = tmp_path.glob("state-*-0.npz")
    ends: list[int] = []
    train = experiment.train
    monkeypatch.setattr(
        experiment, "train", lambda *args, **options: (ends.append(args[3]), train(*args, **options))[1]
    )
    resumed = run_experiment(QUICK, tmp_path)
    assert (errors_of(resumed), courses_of(resumed)) == (errors_of(found), courses_of(found))
    assert ends == [50, 100, 120, 50, 100, 120]  # the first one only looks at the state
    assert not state.exists()


def test_a_state_that_does_not_belong_here_is_not_used(found: Experiment, tmp_path: Path) -> None:
    store = Store(tmp_path)
    state = store.state_file(QUICK.digest, 0)
    assert state is not None
    other = experiment._Material(replace(QUICK, train_points=1400), 0)
    experiment.train(other.training[0], other.training[1], steps=50).state.save(state)
    (tmp_path / "protocol.json").write_text(json.dumps(QUICK.to_json()))
    assert errors_of(run_experiment(QUICK, tmp_path)) == errors_of(found)
    assert not state.exists()
    (tmp_path / "rows.jsonl").unlink()
    state.write_bytes(b"PK\x03\x04 half a file")
    assert errors_of(run_experiment(QUICK, tmp_path)) == errors_of(found)


def test_folders_of_something_else_are_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    with pytest.raises(BadInput, match="found:  files of something else"):
        run_experiment(QUICK, mine)
    other = tmp_path / "other"
    other.mkdir()
    (other / "protocol.json").write_text(json.dumps(replace(QUICK, steps=7).to_json()))
    with pytest.raises(BadInput, match="results of another protocol"):
        run_experiment(QUICK, other)
    (other / "protocol.json").write_text("{}")
    with pytest.raises(BadInput, match="another protocol \\(unreadable"):
        run_experiment(QUICK, other)
    with pytest.raises(BadInput, match="needed: a folder that may be written to"):
        run_experiment(QUICK, mine / "thesis.txt")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["mine", "other", "protocol.json", "thesis.txt"]


def test_a_line_that_is_no_row_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"digest": "a", "seed": 0, "model": "features", "mse": 1}\n{"seed": 0}\n')
    with pytest.raises(BadInput, match="line 2 is no row"):
        Store(tmp_path)


def test_progress_says_what_is_left() -> None:
    said: list[tuple[str, float]] = []
    run_experiment(replace(QUICK, seeds=3), progress=lambda text, fraction: said.append((text, fraction or 0.0)))
    texts = list(dict.fromkeys(text for text, _ in said))
    assert texts[:2] == ["seed 0, two-sigmoid", "seed 0, features"]
    assert "s a seed, about" in texts[2]
    fractions = [fraction for _, fraction in said]
    assert fractions == sorted(fractions)
    assert 0 == fractions[0] < fractions[-1] <= 1


def test_the_budget_of_the_baselines_is_that_of_the_protocol() -> None:
    assert Protocol("gaussian", 4).budget == TuningBudget()
    assert replace(QUICK, **SMALL_TUNING).budget == TuningBudget((0.01,), 30, 32)
