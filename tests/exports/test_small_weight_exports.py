"""Exports of networks that equal another one: other programs compute the same bits on the grid, and files say so."""

import json
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from depthsep.certificates import CertifiedEquality, certify_equality
from depthsep.errors import BadInput, OutOfReach
from depthsep.exports import ExportResult, named_tensors, onnx, safetensors
from depthsep.networks import DOMAINS, Block, IntegerLayers, OutputRow, ReluNetwork, ShallowNetwork
from depthsep.small_weights.circuits import circuit_of
from depthsep.small_weights.compiler import compile_on_grid
from depthsep_check import Verdict, check_model

BITS = 3
CONE = ReluNetwork.from_arrays([([[4], [-4]], [-2, 2]), ([[1, 1]], [0])])
STEEP = ReluNetwork.from_arrays([([[2**40 + 1, -(2**40)], [3, 5]], [0, -4]), ([[1, -1], [0, 2]], ["1/2", 0])])
FLAT_ZERO = ReluNetwork.from_arrays([([[1]], [-5]), ([[1]], [0])])  # its neuron is dead: layers without blocks
HUGE = ReluNetwork.from_arrays(
    [([[2**40 + 1, -(2**40)], [2**40, -(2**40)]], [0, 0]), ([[1, -1]], [0])]
)  # x where x >= y
SOURCES = {"cone": CONE, "steep": STEEP, "dead": FLAT_ZERO, "huge": HUGE}
DENSE = {"onnx": onnx, "safetensors": safetensors}


@cache
def compiled(name: str, mode: str = "theorem", domain: str = DOMAINS[0]) -> CertifiedEquality:
    source = SOURCES[name]
    values, bottom = source.grid_values(np.indices([2**BITS + 1] * source.dim).reshape(source.dim, -1).T, BITS, domain)
    bound = max(Fraction(1), Fraction(int(np.abs(values).max()), bottom))
    built = compile_on_grid(source, domain=domain, grid_bits=BITS, range_bound=bound, mode=mode, output_bits=4)
    exponents = [np.arange(width) % 5 - 2 for width in built.network.widths]
    network = built.network.with_exponents(exponents)
    claim = {
        "kind": "grid-equality",
        "dim": source.dim,
        "outputs": source.outputs,
        "domain": domain,
        "grid_bits": BITS,
        "arithmetic": "real",
        "range": str(bound),
        "range_proof": "enumeration",
        "error": str(built.error),
        "max_weight": str(network.max_weight),
        "off_grid": None,
    }
    return certify_equality(source, network, claim, built.witness)


def rewritten(bias: str = "-1") -> CertifiedEquality:
    """The cone, or with another bias nearly so, with other weights."""
    source = ReluNetwork.from_arrays([([[4], [-4]], [2 * Fraction(bias), 2]), ([[1, 1]], [0])])
    network = ReluNetwork.from_arrays([([[2], [-2]], [bias, 1]), ([[2, 2]], [0])])
    claim = {"kind": "same-function", "dim": 1, "outputs": 1, "domain": "R^d", "arithmetic": "real"}
    claim |= {"max_weight": "2", "rescaling_lower": None}
    return certify_equality(source, network, claim, {"kind": "canonical-forms", "critical_path": None})


def grid(dim: int, domain: str) -> np.ndarray:
    axis = np.arange(2**BITS + 1) / 2.0**BITS
    points = np.stack(np.meshgrid(*[axis] * dim, indexing="ij"), axis=-1).reshape(-1, dim)
    return points if domain == DOMAINS[0] else 2 * points - 1


def run_onnx(path: Path, points: np.ndarray) -> np.ndarray:
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    (values,) = session.run(None, {"x": points})
    return np.asarray(values)


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize(
    ("name", "mode"), [("cone", "theorem"), ("cone", "merged"), ("dead", "compact"), ("dead", "theorem")]
)
def test_onnx_computes_the_same_bits_on_the_grid(name: str, mode: str, domain: str, tmp_path: Path) -> None:
    library = pytest.importorskip("onnx")
    made, path = compiled(name, mode, domain), tmp_path / "model.onnx"
    for dtype in ("float64", "float32"):
        result = onnx.write(made, path, dtype=dtype, force=True)
        assert result.rounding_error_upper == 0
        library.checker.check_model(str(path), full_check=True)
        points = grid(made.dim, domain)
        values = run_onnx(path, points.astype(dtype))
        assert values.dtype == np.dtype(dtype)
        assert np.array_equal(values, made(points))
        assert made.evaluate(points).exact.all()
        verdict = check_model(made.document_text, path)
        assert verdict.ok, verdict.line
        assert f"{result.parameters} {dtype} weights and biases" in verdict.text


def test_float32_gets_a_huge_weight_wrong_and_the_compiled_network_right(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    points = grid(2, DOMAINS[0]).astype(np.float32)
    expected = np.where(points[:, :1] >= points[:, 1:], points[:, :1], 0)
    values = points
    for place, (weights, biases) in enumerate(HUGE.dense_layers()):
        values = (np.maximum(values, 0) if place else values) @ weights.astype(np.float32).T + biases.astype(np.float32)
    assert (values != expected).sum() >= len(points) // 3
    onnx.write(compiled("huge"), tmp_path / "model.onnx", dtype="float32")
    assert np.array_equal(run_onnx(tmp_path / "model.onnx", points), expected)


def test_a_result_with_several_outputs_is_written_whole(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    made, path = compiled("steep"), tmp_path / "model.onnx"
    result = onnx.write(made, path)
    assert result.rounding_error_upper is None
    assert result.parameters == sum(tensor.size for tensor in named_tensors(made.network).values())
    assert run_onnx(path, grid(2, DOMAINS[0])).shape == (81, 2)
    verdict = check_model(made.document_text, path)
    assert verdict.ok, verdict.line


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_safetensors_hold_the_flat_layers(dtype: str, tmp_path: Path) -> None:
    reader = pytest.importorskip("safetensors.numpy")
    made, path = compiled("cone", "compact"), tmp_path / "model.safetensors"
    result = safetensors.write(made, path, dtype=dtype)
    loaded, expected = reader.load_file(path), named_tensors(made.network)
    assert loaded.keys() == expected.keys()
    assert all(loaded[key].dtype == np.dtype(dtype) for key in expected)
    assert all(np.array_equal(loaded[key].astype(np.float64), expected[key]) for key in expected)
    assert result == ExportResult(path, sum(tensor.size for tensor in expected.values()), Fraction(0))
    verdict = check_model(made.document_text, path)
    assert verdict.ok, verdict.line
    other = compiled("cone", "theorem")
    assert not check_model(other.document_text, path).ok


@pytest.mark.parametrize("form", DENSE)
def test_an_exact_rewriting_is_exported_in_float64(form: str, tmp_path: Path) -> None:
    pytest.importorskip(form)
    made, path = rewritten(), tmp_path / f"model.{form}"
    result = DENSE[form].write(made, path)
    assert result == ExportResult(path, 7, None)
    verdict = check_model(made.document_text, path)
    assert verdict.ok, verdict.line
    with pytest.raises(
        BadInput, match="export in float32\n  found:  nothing is known about the rounding of this network"
    ):
        DENSE[form].write(made, tmp_path / "model32", dtype="float32")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("form", DENSE)
def test_weights_that_no_float_holds_are_refused(form: str, tmp_path: Path) -> None:
    pytest.importorskip(form)
    with pytest.raises(
        BadInput, match="found:  a weight or a bias that no float64 equals\n  needed: a model file that is the network"
    ):
        DENSE[form].write(rewritten("-1/3"), tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", DENSE)
def test_float32_needs_a_guarantee(form: str, tmp_path: Path) -> None:
    pytest.importorskip(form)
    needed = "evaluation in float32 is guaranteed exact on its grid\n  do:     export in float64"
    with pytest.raises(BadInput, match="(?s)found:  sums reach 2\\^.* float32 holds.*" + needed):
        DENSE[form].write(compiled("steep"), tmp_path / "model", dtype="float32")
    approximation = SimpleNamespace(network=ShallowNetwork(3, 0.5, ()), sup_error_upper=Fraction(1), digest="0")
    with pytest.raises(BadInput, match="(?s)found:  a network whose rounding errors in it are not known.*" + needed):
        DENSE[form].write(approximation, tmp_path / "model", dtype="float32")
    with pytest.raises(BadInput, match="export in bfloat16\n  needed: float32 or float64"):
        DENSE[form].write(compiled("cone"), tmp_path / "model", dtype="bfloat16")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", DENSE)
def test_what_does_not_fit_is_told_its_size(form: str, tmp_path: Path) -> None:
    pytest.importorskip(form)
    made = compiled("cone")
    size = 8 * sum(tensor.size for tensor in named_tensors(made.network).values())
    with pytest.raises(
        OutOfReach,
        match=f"they take {size} bytes\n  needed: at most 100 bytes\n  do:     keep them sparse: export to torch",
    ) as caught:
        DENSE[form].write(made, tmp_path / "model", limit_bytes=100)
    assert caught.value.reached == {"bytes": size}
    assert list(tmp_path.iterdir()) == []


def test_circuits_are_no_model_files(tmp_path: Path) -> None:
    built = circuit_of(CONE, domain=DOMAINS[0], grid_bits=2, threshold=1)
    made = certify_equality(CONE, built.circuit, built.claim, built.witness)
    with pytest.raises(BadInput, match="export a threshold circuit as a model file\n  needed: a network of ReLUs"):
        safetensors.write(made, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def metadata(made: CertifiedEquality, path: Path, **options: Any) -> dict[str, str]:
    library = pytest.importorskip("onnx")
    reader = pytest.importorskip("safetensors")
    onnx.write(made, path.with_suffix(".onnx"), force=True, **options)
    safetensors.write(made, path.with_suffix(".safetensors"), force=True, **options)
    with reader.safe_open(path.with_suffix(".safetensors"), "numpy") as file:
        found: dict[str, str] = file.metadata()
    model = library.load(path.with_suffix(".onnx"))
    assert {entry.key: entry.value for entry in model.metadata_props} == found
    return found


def test_metadata_says_what_is_exact_where(tmp_path: Path) -> None:
    made = compiled("cone")
    assert metadata(made, tmp_path / "m", dtype="float32") == {
        "depthsep.document": made.digest,
        "depthsep.mode": "theorem",
        "depthsep.equal_to_source": "at the grid points of [0,1]^d, 2^3 steps an axis",
        "depthsep.error_upper": str(made.error_upper),
        "depthsep.assumes": "",
        "depthsep.evaluation": "exact in float32",
    }
    assert metadata(made, tmp_path / "m")["depthsep.evaluation"] == "exact in float64"
    text = metadata(compiled("steep"), tmp_path / "m")["depthsep.evaluation"]
    assert text == f"integer evaluation needed: {compiled('steep').float_obstacle()}"
    found = metadata(rewritten(), tmp_path / "m")
    assert found["depthsep.equal_to_source"] == "everywhere"
    assert found["depthsep.evaluation"] == "not bounded: nothing is known about the rounding of this network"


def test_a_layer_with_an_empty_row_is_written(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    network = IntegerLayers(
        1,
        ((Block([], [], [0, 2]), Block([0], [8], [-3])),),
        (None,),
        (OutputRow([], [], 3), OutputRow([1], [1], 0)),
        Fraction(1, 2),
    )
    claim = {"grid_bits": BITS, "domain": DOMAINS[0], "kind": "grid-equality"}
    text = json.dumps({"claim": claim, "witness": {"mode": "merged", "fine_bits": None}, "digest": "0"})
    made = CertifiedEquality(CONE, network, text, Verdict(check_model("", "").status, ""))
    onnx.write(made, tmp_path / "model.onnx")
    assert run_onnx(tmp_path / "model.onnx", np.array([[0.5]])).tolist() == [[1.5, 1.0]]
    assert made([[0.5]]).tolist() == [[1.5, 1.0]]
