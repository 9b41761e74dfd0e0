from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper, save
from safetensors.numpy import save_file

import depthsep as ds
from depthsep.cli.app import run
from depthsep_check import check

BIG = 2**40
COMPARATOR = [([[BIG + 1, -BIG], [BIG, -BIG]], [0, 0]), ([[1, -1]], [0])]


@pytest.fixture
def net(tmp_path: Path) -> str:
    path = tmp_path / "net.json"
    path.write_text(json.dumps(ds.ReluNetwork.from_arrays(COMPARATOR).to_json()), encoding="utf-8")
    return str(path)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert run(words) == 0
    return capsys.readouterr().out


def facts(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    return json.loads(said(capsys, *words, "--json"))


def complaint(capsys: pytest.CaptureFixture[str], code: int, *words: str) -> str:
    assert run(words) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_shrink_balances(capsys: pytest.CaptureFixture[str], net: str) -> None:
    out = said(capsys, "shrink", net)
    assert "balance" in out
    assert "2^20.01" in out  # rounded up
    assert "VERIFIED" in out
    assert "no bound was given, so the weights are made as small as rescaling can make them" in out
    assert "ask for --max-weight B" in out
    assert out.endswith("not saved; --out FILE writes the document\n")


def test_shrink_pads_and_writes_a_document(capsys: pytest.CaptureFixture[str], net: str, tmp_path: Path) -> None:
    path = tmp_path / "small.json"
    out = said(capsys, "shrink", net, "--max-weight", "64", "--out", str(path))
    assert "6 identity layers after the output; the cheapest way to weights of at most 64" in out
    assert f"document: {path}" in out
    assert check(path).ok
    assert "that file already exists" in complaint(capsys, 2, "shrink", net, "--out", str(path))
    said(capsys, "shrink", net, "--out", str(path), "--force")


def test_shrink_compiles_and_says_bound_and_estimate(capsys: pytest.CaptureFixture[str], net: str) -> None:
    out = said(capsys, "shrink", net, "--grid-bits", "3", "--mode", "theorem")
    for text in (
        "|output| <= 1 on the grid: proved at every grid point",
        "bound 1 for densities up to 1; estimate 0.0",
        "from 4,096 uniform points",
        "at grid points float64 is exact",
        "theorem was asked for",
    ):
        assert text in out


def test_an_asserted_range_is_shouted(capsys: pytest.CaptureFixture[str], net: str) -> None:
    out = said(capsys, "shrink", net, "--grid-bits", "12", "--range", "1", "--mode", "compact")
    assert "|output| <= 1 on the grid: ASSUMED, on your word" in out


def test_json_has_the_fields_of_the_contract(capsys: pytest.CaptureFixture[str], net: str, tmp_path: Path) -> None:
    contract = {"mode", "depth", "neurons", "nonzeros", "max_weight", "exact_on", "document", "verdict", "error",
                "range", "range_proof", "float64_exact", "off_grid"}  # fmt: skip
    found = facts(capsys, "shrink", net, "--grid-bits", "3", "--domain", "-1,1")
    assert contract <= set(found)
    assert (found["mode"], found["exact_on"], found["verdict"]) == ("theorem", "grid", "VERIFIED")
    assert check(found["document"]).ok
    exact = facts(capsys, "shrink", net, "--max-weight", "2^10", "--out", str(tmp_path / "x.json"))
    assert (exact["exact_on"], exact["off_grid"], exact["range"]) == ("everywhere", None, None)
    assert exact["document"] == str(tmp_path / "x.json")
    assert Fraction(exact["max_weight"]) <= 1024


def test_a_plan_builds_nothing(capsys: pytest.CaptureFixture[str], net: str, tmp_path: Path) -> None:
    out = said(capsys, "shrink", net, "--grid-bits", "3", "--max-weight", "8", "--plan")
    assert out.startswith(f"{net}: ways to small weights (nothing was built)\n")
    for text in ("balance", "pad", "split", "theorem", "compact", "merged", "before balancing",
                 "--max-depth 11 allows it", "no: 2^20.00 is above 8", "to take: pad; the cheapest way"):  # fmt: skip
        assert text in out
    plan = facts(capsys, "shrink", net, "--grid-bits", "3", "--plan")
    assert [way["mode"] for way in plan["ways"]] == ["balance", "pad", "split", "theorem", "compact", "merged"]
    assert plan["chosen"][0] == "theorem"
    assert plan["ways"][0]["obstacle"] is None
    assert "nothing to take as asked" in said(capsys, "shrink", net, "--max-weight", "2^-60", "--plan")
    assert list(tmp_path.iterdir()) == [Path(net)]


@pytest.mark.parametrize("name", ["small.png", "small.svg"])
@pytest.mark.parametrize(
    "words", [["--grid-bits", "3"], ["--grid-bits", "1", "--domain", "-1,1"], ["--max-weight", "64"]]
)
def test_pictures(capsys: pytest.CaptureFixture[str], net: str, tmp_path: Path, name: str, words: list[str]) -> None:
    path = tmp_path / name
    assert f"picture: {path}" in said(capsys, "shrink", net, *words, "--picture", str(path))
    assert path.read_bytes()[:5] in (b"\x89PNG\r", b"<?xml")


def test_balance_prints_the_optimum_beside_what_was_reached(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    path.write_text(json.dumps(ds.ReluNetwork.from_arrays([([[3000]], [1]), ([[3]], [0])]).to_json()), encoding="utf-8")
    out = said(capsys, "balance", str(path))
    assert "no rescaling goes below" in out
    assert "3000" in out
    assert " 96 " in out
    assert " 94.86 " in out  # the root of 9000, rounded down
    found = facts(capsys, "balance", str(path))
    assert found["mode"] == "balance"
    assert Fraction(found["rescaling_lower"]) <= Fraction(found["max_weight"]) < 2 * Fraction(found["rescaling_lower"])
    assert check(found["document"]).ok


def test_a_circuit_and_back(capsys: pytest.CaptureFixture[str], net: str, tmp_path: Path) -> None:
    circuit, back = str(tmp_path / "circuit.json"), str(tmp_path / "back.json")
    words = ("circuit", net, "--grid-bits", "2", "--threshold", "1/2")
    out = said(capsys, *words, "--out", circuit, "--barrier")
    assert "VERIFIED" in out
    assert "proves no lower bound" in out
    assert check(Path(circuit)).ok
    assert f"network: {back}" in said(capsys, "circuit", circuit, "--out", back)
    network = ds.read_network(back)
    assert network.depth == 6
    assert network.evaluate_exact([Fraction(bit) for bit in (0, 1, 1, 0)]) == (1,)  # x = 2/4, y = 1/4
    assert network.evaluate_exact([Fraction(bit) for bit in (1, 0, 1, 0)]) == (0,)  # x = 1/4, y = 1/4
    planned = facts(capsys, *words, "--plan")
    assert planned["depth"] == 5
    assert "verdict" not in planned
    found = facts(capsys, *words, "--barrier")
    assert (found["mode"], found["verdict"], found["gates"]) == ("circuit", "VERIFIED", planned["gates"])
    assert found["barrier"]["proves_lower_bound"] is False
    assert facts(capsys, "circuit", circuit)["depth"] == 6
    assert "not saved" in said(capsys, "circuit", circuit)
    assert "not built" in said(capsys, *words, "--plan")


def write_onnx(path: Path, weights: np.ndarray, operator: str = "Gemm") -> str:
    nodes = [helper.make_node(operator, ["x", "w"], ["y"], name="first"), helper.make_node("Relu", ["y"], ["z"])]
    nodes.append(helper.make_node("Gemm", ["z", "v"], ["o"], name="second"))
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, weights.shape[0]])]
    outputs = [helper.make_tensor_value_info("o", TensorProto.FLOAT, [None, 1])]
    last = np.ones((weights.shape[-1], 1), np.float32)
    constants = [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(last, "v")]
    save(helper.make_model(helper.make_graph(nodes, "net", inputs, outputs, constants)), path)
    return str(path)


def test_onnx_and_safetensors_are_read(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    weights = np.array([[1000.0, 2.0], [3.0, 4.0]], np.float32)
    assert "VERIFIED" in said(capsys, "balance", write_onnx(tmp_path / "net.onnx", weights))
    tensors = {"a.weight": weights, "a.bias": np.zeros(2, np.float32), "b.weight": np.ones((1, 2), np.float32)}
    save_file(tensors, tmp_path / "net.safetensors")
    assert "VERIFIED" in said(capsys, "balance", str(tmp_path / "net.safetensors"), "--layers", "a, b")
    assert "--layers" in complaint(capsys, 2, "balance", str(tmp_path / "net.safetensors"))
    assert "takes 2 values" in complaint(capsys, 2, "balance", str(tmp_path / "net.safetensors"), "--layers", "b,a")


def test_bad_networks_are_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    convolution = write_onnx(tmp_path / "conv.onnx", np.zeros((1, 1, 3, 3), np.float32), "Conv")
    assert "the operator Conv of node 'first'" in complaint(capsys, 2, "shrink", convolution)
    broken = write_onnx(tmp_path / "nan.onnx", np.array([[1.0], [np.nan]], np.float32))
    error = complaint(capsys, 2, "shrink", broken)
    assert "'first'" in error
    assert "nan" in error
    (tmp_path / "text.json").write_text("{", encoding="utf-8")
    assert "text.json" in complaint(
        capsys, 2, "circuit", str(tmp_path / "text.json"), "--grid-bits", "2", "--threshold", "0"
    )


@pytest.mark.parametrize(
    ("code", "words", "text"),
    [
        (2, ["--grid-bits", "12", "--range", "1/2"], "the network's output at the grid point (1, "),
        (2, ["--mode", "theorem"], "needed: the grid on which the networks are to agree: --grid-bits P"),
        (2, ["--mode", "best"], "'best' is not one of"),
        (2, ["--domain", "0,2"], "'0,2' is not one of"),
        (2, ["--picture", "net.gif"], "a name that ends in .svg or .png"),
        (2, ["--out", "nowhere/net.json"], "the folder nowhere takes no new files"),
        (3, ["--max-weight", "64", "--max-depth", "3"], "allow weights of 16390; or say with --grid-bits P"),
        (3, ["--grid-bits", "12", "--mode", "merged", "--max-nonzeros", "1000"], "nonzeros are predicted"),
    ],
)
def test_bad_requests(capsys: pytest.CaptureFixture[str], net: str, code: int, words: list[str], text: str) -> None:
    assert text in complaint(capsys, code, "shrink", net, *words)


@pytest.mark.parametrize("words", [[], ["--grid-bits", "3"], ["--threshold", "0"]])
def test_a_circuit_needs_bits_and_a_threshold(capsys: pytest.CaptureFixture[str], net: str, words: list[str]) -> None:
    assert "--grid-bits P and --threshold T" in complaint(capsys, 2, "circuit", net, *words)


def test_failures_in_json_say_what_was_reached(capsys: pytest.CaptureFixture[str], net: str) -> None:
    assert run(["shrink", net, "--max-weight", "64", "--max-depth", "3", "--json"]) == 3
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["kind"] == "OutOfReach"
    assert Fraction(error["reached"]["max_weight"]) > 64
