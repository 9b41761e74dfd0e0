from __future__ import annotations

import numpy as np
import pytest

import depthsep as ds
from depthsep.reports import scan as scans


@pytest.fixture(scope="module", params=[2, 3])
def certified(request: pytest.FixtureRequest) -> ds.CertifiedNetwork:
    return ds.build("1 - r", dim=5, eps="0.3", depth=request.param)


def test_samples_never_leave_the_proved_band(certified: ds.CertifiedNetwork) -> None:
    seen = scans.scan(certified)
    assert 0 < seen.largest_error <= float(certified.sup_error_upper) + 1e-12
    assert np.all(seen.lowest <= seen.highest)
    assert np.all(seen.claimed)
    assert (seen.places[0], seen.places[-1]) == (0.0, 1.0)


def test_the_samples_are_reproducible(certified: ds.CertifiedNetwork) -> None:
    first, second = scans.scan(certified, seed=3), scans.scan(certified, seed=3)
    assert np.array_equal(first.highest, second.highest)


def test_directions_are_unit_vectors_with_the_axis_and_the_diagonal_first(certified: ds.CertifiedNetwork) -> None:
    rows = scans.scan_directions(certified, np.random.default_rng(0), 40)
    assert rows.shape[1] == 5
    assert np.allclose(np.linalg.norm(rows, axis=1), 1)
    assert rows[0].tolist() == [1, 0, 0, 0, 0]
    assert np.allclose(rows[1], 5**-0.5)


def test_one_dimension_has_directions_too() -> None:
    certified = ds.build("1 - r", dim=1, eps="0.3", depth=3)
    assert scans.scan_directions(certified, np.random.default_rng(0), 10).shape[1] == 1
    assert scans.scan(certified).largest_error <= 0.3


def test_large_networks_are_looked_at_in_fewer_points(
    certified: ds.CertifiedNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = scans.scan(certified)
    monkeypatch.setattr(scans, "WORK_LIMIT", 1)
    few = scans.scan(certified)
    assert few.directions * len(few.places) < many.directions * len(many.places)
    assert few.directions >= 4
    assert len(few.places) >= 20


def test_nothing_is_claimed_inside_the_margin_of_a_ball() -> None:
    seen = scans.scan(ds.build("ball(1/2, 1/4)", dim=2, depth=3))
    assert np.array_equal(seen.claimed, (seen.places <= 0.25) | (seen.places >= 0.75))
    assert seen.largest_error < 1e-12
