"""Structured against dense evaluation of shallow networks of about 10^5 neurons in dimension 50.

    axes       the directions e_i, 1000 thresholds each: few directions, long profiles, the best case of the structure
    mixed      the directions e_i, the orbit of (1, 1) and a code cube of 2^11 sign vectors
    scattered  the orbit of (1, 1, 1), one neuron per direction: nothing to share, the worst case

The networks are made by hand, with random weights, and prove nothing. The dense layers are
evaluated by numpy in blocks and by onnxruntime. Structured and dense float64 values must agree within the sum of
the two proved rounding bounds; for float32 no bound is proved, and the difference is only observed.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Timed, megabytes, ratio, seconds, skip_line, table, timed
from depthsep.networks import CodeCube, Orbit, RidgeGroup, ShallowNetwork
from depthsep.networks.directions import Directions

Array = NDArray[np.float64]

DIM = 50
_LIMIT_BYTES = 2**30
# The fastest sizes among those tried, for each engine.
_NEURON_BLOCK = 512
_POINT_BLOCK = 256
_ONNX_BATCH = 64


@dataclass(frozen=True)
class _Unproved:
    """A network as the ONNX writer wants it, with nothing proved."""

    network: ShallowNetwork
    sup_error_upper: Fraction = Fraction(0)
    digest: str = ""


def run(points: int) -> dict[str, Any]:
    """Measure; see the module's text."""
    rng = np.random.default_rng(0)
    skipped = skip_line(["onnx", "onnxruntime"], "pip install onnx onnxruntime")
    result: dict[str, Any] = {"dim": DIM, "points": points, "networks": []}
    if skipped:
        result["skipped"] = skipped
    x = rng.standard_normal((points, DIM))
    x *= 0.999 * rng.random((points, 1)) / np.linalg.norm(x, axis=1, keepdims=True)
    for name, network in _networks(rng).items():
        methods = _measured(network, x, onnxruntime=skipped is None)
        result["networks"].append({"name": name, "width": network.widths[0], "methods": methods})
        print(f"  {name}: done", flush=True)
    return result


def _networks(rng: np.random.Generator) -> dict[str, ShallowNetwork]:
    axes, pairs, triples = (Orbit((1,) * places, DIM) for places in (1, 2, 3))
    code = CodeCube(11, tuple(rng.choice(2**11, DIM, replace=False).tolist()))
    mixed = (_group(axes, 300, rng), _group(pairs, 10, rng), _group(code, 5, rng))
    scattered = RidgeGroup(triples, (0.0,), (1 / triples.count,))
    return {
        "axes": ShallowNetwork(DIM, 0.5, (_group(axes, 1000, rng),)),
        "mixed": ShallowNetwork(DIM, 0.5, mixed),
        "scattered": ShallowNetwork(DIM, 0.5, (scattered,)),
    }


def _group(directions: Directions, thresholds: int, rng: np.random.Generator) -> RidgeGroup:
    """Spread thresholds over the projections that random points have, with random weights."""
    reach = 4 * (float(directions.norm_squared) / DIM) ** 0.5
    places = np.linspace(reach / 100, reach, thresholds, endpoint=False)
    weights = rng.standard_normal(thresholds) / (reach * directions.count**0.5 * thresholds**0.5)
    return RidgeGroup(directions, tuple(places.tolist()), tuple(weights.tolist()))


def _measured(network: ShallowNetwork, x: Array, onnxruntime: bool) -> list[dict[str, Any]]:
    structured = timed(partial(network, x), 3)
    rows = [{"method": "structured, float64", **structured.cost(), "stored_bytes": None}]
    both = float(network.rounding_error_upper + network.flat_rounding_error_upper)
    layers = network.dense_layers(_LIMIT_BYTES)
    stored = sum(tensor.nbytes for layer in layers for tensor in layer)
    dense = timed(partial(_dense, layers, x))
    rows.append(_row("numpy dense, float64", dense, structured.result, both, stored))
    if onnxruntime:
        for kind in (np.float64, np.float32):
            session = _session(network, kind)
            values = timed(partial(_run_onnx, session, x.astype(kind)))
            proved, size = (both, stored) if kind is np.float64 else (None, stored // 2)
            rows.append(_row(f"onnxruntime, {np.dtype(kind).name}", values, structured.result, proved, size))
    return rows


def _row(method: str, run: Timed[Array], reference: Array, bound: float | None, stored: int) -> dict[str, Any]:
    difference = float(np.abs(run.result - reference).max())
    agreement = {"difference": difference, "bound": bound, "within": None if bound is None else difference <= bound}
    return {"method": method, **run.cost(), "stored_bytes": stored, **agreement}


def _dense(layers: list[tuple[Array, Array]], x: Array) -> Array:
    """Evaluate in blocks of points and neurons that stay near the processor."""
    (inner, biases), (outer, bias) = layers
    total = np.full(len(x), bias[0])
    for row in range(0, len(x), _POINT_BLOCK):
        block = x[row : row + _POINT_BLOCK]
        for start in range(0, len(inner), _NEURON_BLOCK):
            stop = start + _NEURON_BLOCK
            hidden = block @ inner[start:stop].T
            hidden += biases[start:stop]
            np.maximum(hidden, 0.0, out=hidden)
            total[row : row + _POINT_BLOCK] += hidden @ outer[0, start:stop]
    return total


def _session(network: ShallowNetwork, kind: type[np.floating[Any]]) -> Any:
    import onnxruntime
    from onnx import TensorProto, numpy_helper

    from depthsep.exports.onnx import to_onnx

    model = to_onnx(_Unproved(network), _LIMIT_BYTES)
    if kind is np.float32:
        for tensor in model.graph.initializer:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(kind), tensor.name))
        for value in (*model.graph.input, *model.graph.output):
            value.type.tensor_type.elem_type = TensorProto.FLOAT
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _run_onnx(session: Any, x: NDArray[Any]) -> Array:
    parts = [session.run(None, {"x": x[row : row + _ONNX_BATCH]})[0] for row in range(0, len(x), _ONNX_BATCH)]
    return np.asarray(np.concatenate(parts)[:, 0], dtype=np.float64)


def tables(result: dict[str, Any]) -> str:
    """Print one row per network and method."""
    rows = []
    for network in result["networks"]:
        ours = network["methods"][0]["cpu_s"]
        for method in network["methods"]:
            stored = "by structure" if method["stored_bytes"] is None else megabytes(method["stored_bytes"])
            rows.append([
                network["name"], f"{network['width']:,}", method["method"], seconds(method["cpu_s"]),
                ratio(method["cpu_s"], ours), megabytes(method["extra_bytes"]), stored, _agreement(method),
            ])  # fmt: skip
    header = ["network", "neurons", "method", "CPU time", "ratio", "extra memory", "weights", "difference (bound)"]
    lines = [f"d = {result['dim']}, {result['points']:,} points", "", table(header, rows)]
    if "skipped" in result:
        lines.append("\nonnxruntime: " + result["skipped"])
    return "\n".join(lines)


def _agreement(method: dict[str, Any]) -> str:
    if "difference" not in method:
        return ""
    if method["bound"] is None:
        return f"{method['difference']:.1e} (none proved)"
    return f"{method['difference']:.1e} ({method['bound']:.1e}, {'kept' if method['within'] else 'BROKEN'})"
