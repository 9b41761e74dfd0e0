"""The experiment of Safran and Shamir: schedule, provenance, the rule for stuck seeds, a short run."""

import itertools

import numpy as np
import pytest

from depthsep.errors import BadInput
from depthsep.learning.safran_shamir import (
    FULL,
    NETS,
    SHORT,
    DepthExperiment,
    NetRuns,
    Schedule,
    _orders,
    protocol,
    safran_shamir_2017,
)
from depthsep.learning.trained_nets import NetShape

DEEP, SHALLOW = NETS[0], NETS[1]


def runs(shape: NetShape, *final: float) -> NetRuns:
    return NetRuns(shape, tuple(range(len(final))), np.array([5, 10]), np.array([np.full(len(final), 0.4), final]))


def test_the_networks() -> None:
    assert [shape.text for shape in NETS] == ["ReLU 100-20", "ReLU 100", "ReLU 200", "ReLU 400", "ReLU 800"]
    assert [shape.parameters(100) for shape in NETS] == [12141, 10201, 20401, 40801, 81601]


def test_the_schedules() -> None:
    assert (FULL.batches, FULL.decay_every, SHORT.batches, SHORT.decay_every) == (135_000, 1000, 15_000, 111)
    for schedule in (FULL, SHORT, Schedule(1350)):
        every = schedule.decay_every
        assert [schedule.rate_at(k) for k in (0, every - 1, every)] == [0.1, 0.1, pytest.approx(0.095)]
        assert schedule.rate_at(schedule.batches - 1) == pytest.approx(1e-4, rel=0.04)
        assert schedule.rate_at(10 * schedule.batches) == 1e-4
    with pytest.raises(BadInput, match="training for 0 batches\n  needed: at least one"):
        Schedule(0)


def test_every_point_comes_once_before_any_comes_again() -> None:
    batches = list(itertools.islice(_orders(12, 4, np.random.default_rng(1)), 6))
    first, second = np.concatenate(batches[:3]), np.concatenate(batches[3:])
    assert sorted(first) == sorted(second) == list(range(12))
    assert not np.array_equal(first, second)


def test_stuck_seeds_are_marked_and_kept_in_the_median() -> None:
    found = runs(DEEP, 0.1255, 0.1677, 0.1303)
    assert found.stuck == (False, True, False)
    assert found.median == 0.1303
    assert runs(DEEP, 0.5).stuck == (False,)
    assert runs(DEEP, 0.1, 0.119, 0.121).stuck == (False, False, True)


def test_diverged_seeds_are_stuck_and_count_as_infinite() -> None:
    found = runs(DEEP, np.nan, 0.2, np.inf)
    assert found.stuck == (True, False, True)
    assert found.median == np.inf
    assert runs(DEEP, np.nan, np.nan).stuck == (True, True)
    assert runs(DEEP, np.nan, 0.2, 0.1).median == 0.2


def test_depth_wins_by_the_medians() -> None:
    def experiment(*nets: NetRuns) -> DepthExperiment:
        return DepthExperiment(SHORT, nets, ())

    assert experiment(runs(DEEP, 0.1, 0.3, 0.2), runs(SHALLOW, 0.21)).depth_wins
    assert not experiment(runs(DEEP, 0.1, 0.3, 0.2), runs(SHALLOW, 0.21), runs(NETS[4], 0.19)).depth_wins
    assert not experiment(runs(DEEP, 0.1)).depth_wins


def test_provenance_is_never_the_source_itself_beyond_its_abstract() -> None:
    for schedule in (FULL, SHORT):
        fields = {field.name: field for field in protocol(schedule, (0, 1))}
        assert [name for name, field in fields.items() if field.provenance.startswith("read")] == ["target"]
        assert fields["result"].provenance == "as recalled; the source's figure could not be re-read"
        ours = {name for name, field in fields.items() if field.provenance.startswith("chosen here")}
        recalled = {name for name, field in fields.items() if field.provenance.startswith("as recalled")}
        assert ours | recalled | {"target"} == set(fields)
        assert ("batches" in ours) == ("rate" in ours) == (schedule is SHORT)
        assert {"seeds", "initial weights"} <= ours
    assert fields["rate"].value == "0.1, times 0.95 every 111 batches, at least 0.0001"
    assert fields["seeds"].value == "0, 1"


def test_a_short_run_separates_the_depths() -> None:
    told: list[tuple[str, float | None]] = []
    found = safran_shamir_2017(
        batches=1350, seeds=(3, 4), nets=[DEEP, SHALLOW], records=3, progress=lambda *what: told.append(what)
    )
    deep, shallow = found.nets
    assert found.depth_wins
    assert deep.steps.tolist() == [450, 900, 1350]
    assert deep.history.shape == (3, 2)
    assert 0.13 < deep.median < 0.21
    assert 0.23 < shallow.median < 0.29
    assert found.schedule == Schedule(1350)
    assert {text for text, _ in told} == {"network ReLU 100-20", "network ReLU 100"}
    assert all(done is not None and 0 <= done < 1 for _, done in told)


def test_a_run_is_fixed_by_its_seed_and_the_data() -> None:
    def errors(seeds: tuple[int, ...], data_seed: int = 0) -> tuple[float, ...]:
        return safran_shamir_2017(batches=40, seeds=seeds, nets=[SHALLOW], data_seed=data_seed, records=1).nets[0].rmse

    both = errors((1, 2))
    assert both == errors((1, 2))
    assert both[0] != both[1]
    assert errors((2,))[0] == pytest.approx(both[1], rel=1e-4)
    assert errors((2,), data_seed=1)[0] != pytest.approx(both[1], rel=1e-4)


def test_nothing_to_run_is_refused() -> None:
    for wrong in ({"seeds": ()}, {"nets": ()}, {"records": 0}):
        with pytest.raises(BadInput, match="needed: at least one of each"):
            safran_shamir_2017(batches=10, **wrong)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="training for 0 batches"):
        safran_shamir_2017(batches=0)
