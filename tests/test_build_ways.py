"""The front door chooses among constructions: activations, random directions, polynomials, reflection groups."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import depthsep as ds
from depthsep.cli.app import run
from depthsep.errors import BadInput
from depthsep.exports import onnx


def test_the_narrowest_way_is_taken_for_the_cone() -> None:
    cone = ds.build("1 - r", dim=5, eps="0.1")
    assert cone.widths[0] <= 26
    assert cone.document["witness"]["kind"] == "chamber-cells"


def test_polynomials_take_the_exact_way_where_it_is_narrower() -> None:
    quartic = ds.build("r^4", dim=5, eps="0.05")
    assert quartic.verdict.ok
    assert quartic.sup_error_upper <= Fraction(1, 20)


@pytest.mark.parametrize("activation", ["sigmoid", "gelu"])
def test_another_activation(activation: str) -> None:
    net = ds.build("1 - r", dim=2, eps="0.2", activation=activation)
    assert net.verdict.ok
    assert net.summary()["activation"] == activation
    points = np.random.default_rng(0).uniform(-0.7, 0.7, (200, 2))
    assert np.max(np.abs(net(points) - (1 - np.linalg.norm(points, axis=1)))) <= 0.2


@pytest.mark.parametrize(("function", "depth"), [("1 - r", 3), ("ball(1/2, 0.1)", 2)])
def test_other_activations_are_for_radial_functions_at_depth_2(function: str, depth: int) -> None:
    eps = None if "ball" in function else "0.2"
    with pytest.raises(BadInput, match="relu, or a radial function at depth 2"):
        ds.build(function, dim=3, eps=eps, depth=depth, activation="gelu")


def test_a_random_network_is_never_shown_as_a_proved_one(tmp_path: Path) -> None:
    draw = ds.build_random("1 - r", dim=5, eps="0.2", failure_probability="2^-20", seed=3)
    assert draw.claim == "probabilistic"
    assert draw.failure_probability == Fraction(1, 2**20)
    assert not isinstance(draw, ds.CertifiedNetwork)
    path = draw.save(tmp_path / "draw.json")
    again = ds.load(path)
    assert isinstance(again, ds.ProbabilisticNetwork)
    assert np.array_equal(again(np.eye(5) / 2), draw(np.eye(5) / 2))
    model = onnx.to_onnx(draw)
    facts = {prop.key: prop.value for prop in model.metadata_props}
    assert "depthsep.sup_error_upper" not in facts
    assert facts["depthsep.claim"].startswith("probabilistic: with probability at least 1 - 2^-20 ")


def test_a_random_network_needs_a_radial_function() -> None:
    with pytest.raises(BadInput, match="a radial function"):
        ds.build_random("ball(1/2, 0.1)", dim=5, eps="0.2")


def test_random_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    request = ["build", "1 - r", "--dim", "4", "--eps", "0.2", "--depth", "2", "--random"]
    assert run([*request, "--failure-probability", "2^-10", "--out", "draw.json"]) == 0
    assert "nothing is proved about this one draw (seed 0)" in capsys.readouterr().out
    assert run([*request, "--failure-probability", "2^-10", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["claim"], facts["failure_probability"]) == ("probabilistic", "2^-10")
    Path("points.csv").write_text("0.1,0.2,0.3,0.4\n")
    assert run(["evaluate", "draw.json", "--points", "points.csv", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["claim"] == "probabilistic"
    assert "sup_error_upper" not in facts
    assert run(["export", "draw.json", "--to", "onnx", "--out", "draw.onnx"]) == 0
    assert "nothing is proved about this one draw" in capsys.readouterr().out
    assert run([*request[:-1], "--random", "--activation", "gelu"]) == 2
    assert "--random is for depth 2 and the activation relu" in capsys.readouterr().err
    assert run([*request[:4], "--depth", "2", "--random"]) == 2
    assert "--random needs --eps" in capsys.readouterr().err


def test_activation_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    request = ["build", "1 - r", "--dim", "2", "--eps", "0.3", "--depth", "2", "--activation"]
    assert run([*request, "gelu", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["activation"] == "gelu"
    assert run([*request, "geluu"]) == 2
    assert "the activation 'geluu'" in capsys.readouterr().err


def test_own_activations_and_fits_are_public() -> None:
    assert ds.activation("gelu").name == "gelu"
    found = ds.fit("abs(t)", ("-1", "1"), "0.1", "relu")
    assert isinstance(found, ds.CertifiedFit)
    assert found.verdict.ok
