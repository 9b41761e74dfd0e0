"""``export`` and ``evaluate`` with documents about equal networks."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from depthsep.certificates import certify_equality
from depthsep.cli.app import run
from depthsep.networks import DOMAINS, ReluNetwork
from depthsep.small_weights.circuits import circuit_of
from depthsep.small_weights.compiler import compile_on_grid

CONE = ReluNetwork.from_arrays([([[4], [-4]], [-2, 2]), ([[1, 1]], [0])])


@pytest.fixture(autouse=True)
def documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    built = compile_on_grid(CONE, domain=DOMAINS[0], grid_bits=2, range_bound=Fraction(4), mode="merged")
    claim = {
        "kind": "grid-equality",
        "dim": 1,
        "outputs": 1,
        "domain": DOMAINS[0],
        "grid_bits": 2,
        "arithmetic": "real",
    }
    claim |= {"range": "4", "range_proof": "intervals", "error": str(built.error), "off_grid": None}
    claim |= {"max_weight": str(built.network.max_weight)}
    certify_equality(CONE, built.network, claim, built.witness).save("grid.json")
    claim = {"kind": "same-function", "dim": 1, "outputs": 1, "domain": "R^d", "arithmetic": "real", "max_weight": "4"}
    witness = {"kind": "canonical-forms", "critical_path": None}
    certify_equality(CONE, CONE, claim | {"rescaling_lower": None}, witness).save("same.json")
    circuit = circuit_of(CONE, domain=DOMAINS[0], grid_bits=2, threshold=1)
    certify_equality(CONE, circuit.circuit, circuit.claim, circuit.witness).save("circuit.json")


def test_values_at_grid_points_are_exact(capsys: pytest.CaptureFixture[str]) -> None:
    Path("x.csv").write_text("0.25\n1\n0.3\n")
    assert run(["evaluate", "grid.json", "--points", "x.csv"]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[:2] == ["1.0", "2.0"]
    assert "nothing is proved about single points off the grid; that concerns 1 of the points: row 2" in captured.err
    assert "at grid points: exact, computed in float64; within 0 of the source" in captured.err
    assert run(["evaluate", "grid.json", "--points", "x.csv", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["values"][:2] == [[1.0], [2.0]]
    assert (found["off_grid"], found["error_upper"], found["rounding_error_upper"]) == ([2], "0", None)
    assert found["arithmetic"] == "float64"


def test_values_of_an_exact_rewriting(capsys: pytest.CaptureFixture[str]) -> None:
    np.save("x.npy", np.array([[0.3], [1e200]]))
    assert run(["evaluate", "same.json", "--points", "x.npy", "--out", "y.csv"]) == 0
    assert capsys.readouterr().err == "float64 evaluation; no bound is given for its rounding errors\n"
    assert np.loadtxt("y.csv").tolist() == CONE([[0.3], [1e200]])[:, 0].tolist()


def test_values_of_a_circuit(capsys: pytest.CaptureFixture[str]) -> None:
    Path("x.csv").write_text("0\n0.25\n0.5\n0.75\n")
    assert run(["evaluate", "circuit.json", "--points", "x.csv", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["values"], found["rounding_error_upper"]) == ([[1.0], [1.0], [0.0], [1.0]], "0")
    Path("x.csv").write_text("1\n")
    assert run(["evaluate", "circuit.json", "--points", "x.csv"]) == 2
    assert "row 0 is not on its grid" in capsys.readouterr().err


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("form", ["onnx", "safetensors"])
def test_an_export_is_the_network_of_the_document(form: str, dtype: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip(form)
    out = f"m.{form}"
    assert run(["export", "grid.json", "--to", form, "--dtype", dtype, "--out", out]) == 0
    text = capsys.readouterr().out
    assert f"weights and biases, all in {dtype}\n" in text
    assert f"in {dtype}, summed in any order, its values are the network's exact ones at every grid point" in text
    assert run(["check", "grid.json", "--against", out]) == 0
    assert capsys.readouterr().out.count("VERIFIED") == 2
    assert run(["check", "same.json", "--against", out]) == 1


def test_an_export_without_a_bound_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("safetensors")
    assert run(["export", "same.json", "--to", "safetensors", "--out", "m.safetensors"]) == 0
    text = capsys.readouterr().out
    assert "no bound is given for its rounding errors: nothing is known about the rounding of this network" in text
    assert run(["export", "same.json", "--to", "safetensors", "--out", "m.safetensors", "--json", "--force"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "path": "m.safetensors",
        "parameters": 7,
        "rounding_error_upper": None,
    }


def test_refused_exports(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("safetensors")
    assert run(["export", "same.json", "--to", "safetensors", "--dtype", "float32", "--out", "m"]) == 2
    assert "export in float32" in capsys.readouterr().err
    assert run(["export", "circuit.json", "--to", "safetensors", "--out", "m"]) == 2
    assert "export a threshold circuit as a model file" in capsys.readouterr().err
    assert run(["export", "grid.json", "--to", "torch", "--dtype", "float32", "--out", "m"]) == 2
    assert "--to torch writes float64 only" in capsys.readouterr().err
    assert not Path("m").exists()
