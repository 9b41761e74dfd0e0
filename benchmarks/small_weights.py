"""Small weights: how large and how fast the compiler's networks are, and what a user would do instead.

    targets      random networks of the sizes of a table of trials: nonzeros, largest weight, document, check; beside
                 it the largest weight that rescaling the source's neurons reaches
    balance      the proved optimum against equalization, the usual heuristic, on random and on ill-scaled networks
    evaluation   a compiled network in floating point against the source in exact arithmetic and in floating point
    enumeration  the check against the evaluation of both networks at every grid point

Equalization (cross-layer equalization, from data-free quantization) makes the largest weight into a hidden neuron equal
to the largest out of it, neuron by neuron, until nothing changes. Usually biases are not looked at; a second variant
counts the bias among the weights into the neuron. Its factors are real numbers, ours are powers of two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from benchmarks.measure import Timed, ratio, seconds, table, timed
from depthsep import shrink
from depthsep.networks.grids import DOMAINS
from depthsep.networks.integer_layers import IntegerLayers
from depthsep.networks.relu import AffineLayer, ReluNetwork
from depthsep.small_weights.balance import balance
from depthsep.small_weights.compiler import Compiled, compile_on_grid, cost_on_grid
from depthsep_check import check
from depthsep_check.document import encode

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Layers = list[tuple[Array, Array]]

DOMAIN, GRID_BITS, GUARD_BITS = DOMAINS[0], 8, 4
SIDE = 2**GRID_BITS + 1
RANGE = Fraction(16)
MAX_WEIGHT = 2**12
MAX_DOCUMENT = 64 * 2**20

_SAMPLES = 4096
_COMPARED = 256
_EVALUATED = 20_000
_BATCH = 512


class Target(NamedTuple):
    """A random network of depth k, and the nonzero weights that the trials took; None where there is no number.

    Its integer weights and biases are uniform in +-(2^bits - 1) in all layers.
    """

    mode: str
    depth: int
    dim: int
    width: int
    bits: int
    most: int | None


TARGETS = [
    Target("theorem", 2, 4, 16, 32, 173_000),
    Target("theorem", 2, 8, 64, 53, 4_800_000),
    Target("theorem", 3, 2, 16, 8, 1_200_000),
    Target("compact", 3, 2, 16, 53, 6_000_000),
    Target("merged", 2, 4, 4, 16, 3_600_000),
]
ENUMERATED = [Target("theorem", 2, dim, 16, 32, None) for dim in (1, 2, 3, 4)]
DEPTHS = {"theorem": lambda k: 3 * k + 3, "compact": lambda k: 5 * k + 1, "merged": lambda k: 2 * k + 2}


def run() -> dict[str, Any]:
    """Measure; see the module's text."""
    parts: dict[str, Callable[[], Iterator[dict[str, Any]]]] = {
        "targets": _targets, "balance": _balances, "evaluation": _evaluations, "enumeration": _enumerations
    }  # fmt: skip
    result: dict[str, Any] = {}
    for name, rows in parts.items():
        result[name] = list(rows())
        print(f"  {name}: done", flush=True)
    return result


# ------------------------------------------------------------------------------------------------------------------
# Sizes


def random_network(target: Target) -> ReluNetwork:
    """The network of a target; its last layer is divided by a power of two, so that |output| <= 16 where sampled."""
    rng = np.random.default_rng(0)
    largest = 2**target.bits - 1
    widths = [target.dim, *[target.width] * (target.depth - 1), 1]
    numbers = partial(rng.integers, -largest, largest, endpoint=True)
    network = ReluNetwork.from_arrays([(numbers((rows, cols)), numbers(rows)) for cols, rows in pairwise(widths)])
    tops, bottom = network.grid_values(rng.integers(0, SIDE, (_SAMPLES, target.dim)), GRID_BITS, DOMAIN)
    reached = Fraction(max(map(abs, tops.ravel().tolist())), bottom)
    scale = Fraction(1, 2 ** max(0, math.ceil(reached / RANGE) - 1).bit_length())
    *layers, last = network.layers
    weights = tuple(tuple(weight * scale for weight in row) for row in last.weights)
    return ReluNetwork(target.dim, (*layers, AffineLayer(weights, tuple(bias * scale for bias in last.biases))))


def request(target: Target) -> dict[str, Any]:
    """The arguments for the compiler; the error is at most 16 / 2^15 by default, which is that of the trials."""
    return {
        "domain": DOMAIN, "grid_bits": GRID_BITS, "range_bound": RANGE, "mode": target.mode,
        "guard_bits": GUARD_BITS,
    }  # fmt: skip


def document(source: ReluNetwork, network: IntegerLayers, compiled: Compiled) -> str:
    """What the checker is given; the range is vouched for."""
    claim = {
        "kind": "grid-equality", "dim": source.dim, "outputs": source.outputs, "domain": DOMAIN,
        "grid_bits": GRID_BITS, "arithmetic": "real", "range": str(RANGE), "range_proof": "assumed",
        "error": str(compiled.error), "max_weight": str(network.max_weight), "off_grid": None,
    }  # fmt: skip
    parts = {"function": source.to_json(), "claim": claim, "network": network.to_json(), "witness": compiled.witness}
    return encode({"format": "depthsep", "version": 1, "made_by": "depthsep benchmarks", **parts})


def _targets() -> Iterator[dict[str, Any]]:
    for target in TARGETS:
        yield _measured(target, random_network(target))


def _measured(target: Target, source: ReluNetwork) -> dict[str, Any]:
    arguments = request(target)
    searched = timed(partial(cost_on_grid, source, **arguments))
    arguments["parameters"] = searched.result.parameters
    built = timed(partial(compile_on_grid, source, **arguments))
    balanced = timed(lambda: balance(built.result.network))
    network = balanced.result.network
    text = document(source, network, built.result)
    checked = timed(partial(check, text))
    compared, apart = _apart(source, network)
    rescaled = balance(source)
    return {
        **target._asdict(), "parameters": asdict(built.result.parameters),
        "new_depth": network.depth, "neurons": network.neurons, "weights": network.weights_count,
        "nonzeros": network.nonzeros, "stored": network.stored_numbers, "max_integer": network.max_integer,
        "max_weight": float(network.max_weight), "error": float(built.result.error), "document_bytes": len(text),
        "verdict": checked.result.status.name, "compared": compared, "largest_difference": float(apart),
        "within_error": apart <= built.result.error, "source_max_weight": float(source.max_weight),
        "rescaled_source": float(rescaled.max_weight), "search": searched.cost(), "compile": built.cost(),
        "balance": balanced.cost(), "check": checked.cost(),
    }  # fmt: skip


def _apart(source: ReluNetwork, network: IntegerLayers) -> tuple[int, Fraction]:
    """The largest difference at some grid points where the source keeps to its range, and how many points these are."""
    indices = np.random.default_rng(1).integers(0, SIDE, (_COMPARED, source.dim))
    tops, bottom = source.grid_values(indices, GRID_BITS, DOMAIN)
    integers, scale = network.grid_values(indices, GRID_BITS, DOMAIN)
    pairs = zip(tops[:, 0].tolist(), integers[:, 0].tolist(), strict=True)
    values = [(Fraction(top, bottom), integer * scale) for top, integer in pairs]
    differences = [abs(found - value) for value, found in values if abs(value) <= RANGE]
    return len(differences), max(differences)


# ------------------------------------------------------------------------------------------------------------------
# Balancing


def _ill_scaled(
    scales: Sequence[float], biases: Sequence[float], widths: Sequence[int] = (64, 64, 64, 10), spread: int = 0
) -> Layers:
    """Normal weights of variance 1/64 times the scale of the layer, neurons multiplied by up to 2^+-spread."""
    rng = np.random.default_rng(0)
    layers: Layers = []
    before = np.zeros(widths[0], dtype=np.int64)
    for place, (columns, rows) in enumerate(pairwise(widths)):
        last = place == len(widths) - 2
        own = rng.integers(-spread, spread, rows, endpoint=True) * (not last)
        weights = rng.standard_normal((rows, columns)) / 8 * scales[place]
        shifts = own[:, np.newaxis] - before
        layers.append((np.ldexp(weights, shifts), np.ldexp(rng.standard_normal(rows) * biases[place], own)))
        before = own
    return layers


def _networks() -> dict[str, Layers]:
    up, down = 2.0**20, 2.0**-20
    small, deep = (0.1, 0.1, 0.1), (1.0,) * 31
    return {
        "random": _ill_scaled((1, 1, 1), small),
        "layers 2^20, 1, 2^-20": _ill_scaled((up, 1, down), (0.1 * up, 0.1 * up, 0.1)),
        "neurons 2^-10 to 2^10": _ill_scaled((1, 1, 1), small, spread=10),
        "last layer 2^20": _ill_scaled((1, 1, up), small),
        "layer-1 biases 2^20": _ill_scaled((1, 1, 1), (up, 0.1, 0.1)),
        "layer-2 biases 2^40, layers 2^20, 1, 2^-20": _ill_scaled((up, 1, down), (0.1, up * up, 0.1)),
        "output bias 2^20": _ill_scaled((1, 1, 1), (0.1, 0.1, up)),
        "32 layers of 16, the first 2^40": _ill_scaled((up * up, *deep), (0.0,) * 32, (16,) * 33),
        "3 layers of 256": _ill_scaled((up, 1, down), (0.0,) * 3, (256, 256, 256, 10)),
    }


def _balances() -> Iterator[dict[str, Any]]:
    for name, layers in _networks().items():
        source = ReluNetwork.from_arrays(layers)
        ours = timed(partial(balance, source), 3)
        row: dict[str, Any] = {"name": name, "before": float(source.max_weight)}
        row["balance"] = {
            "max_weight": float(ours.result.max_weight), "lower": float(ours.result.rescaling_lower or 0), **ours.cost()
        }  # fmt: skip
        for key, biases in (("weights_only", False), ("with_biases", True)):
            done = timed(partial(equalized, layers, biases), 3)
            largest, sweeps = done.result
            row[key] = {"max_weight": largest, "sweeps": sweeps, **done.cost()}
        yield row


def equalized(layers: Layers, biases: bool) -> tuple[float, int]:
    """Equalize until all factors of a sweep are within 10^-6 of 1; gives the largest weight or bias, and the sweeps."""
    layers = [(weights.copy(), bias.copy()) for weights, bias in layers]
    sweeps, moved = 0, math.inf
    while moved > 1e-6 and sweeps < 10_000:
        sweeps, moved = sweeps + 1, 0.0
        for (weights, bias), (readers, _) in pairwise(layers):
            into, out = np.abs(weights).max(axis=1), np.abs(readers).max(axis=0)
            if biases:
                into = np.maximum(into, np.abs(bias))
            factors = np.sqrt(np.divide(out, into, out=np.ones_like(out), where=(into > 0) & (out > 0)))
            weights *= factors[:, np.newaxis]
            bias *= factors
            readers /= factors
            moved = max(moved, float(np.abs(factors - 1).max()))
    return max(float(np.abs(numbers).max()) for layer in layers for numbers in layer), sweeps


# ------------------------------------------------------------------------------------------------------------------
# Evaluation


def _maximum(bits: int) -> ReluNetwork:
    """The larger of two numbers, with the sign of their difference; weights 2^bits + 1."""
    big = 2**bits
    rows = [[big + 1, -big], [big, -big], [-big, big + 1], [-big, big]]
    return ReluNetwork.from_arrays([(rows, [0, 0, 0, 0]), ([[1, -1, -1, 1]], [0])])


def _cancelling(pairs: int, bits: int) -> ReluNetwork:
    """A sum of relu(2^bits C t + s . x) - relu(2^bits C t + s' . x), where t = x_1 - x_2 and s, s' are small."""
    rng = np.random.default_rng(0)
    big = [int(entry) << bits for entry in rng.integers(1, 8, pairs)]
    small = rng.integers(-8, 8, (pairs, 2, 3), endpoint=True).tolist()
    units = [(size, part) for size, both in zip(big, small, strict=True) for part in both]
    rows = [[size + one, two - size] for size, (one, two, _) in units]
    return ReluNetwork.from_arrays([(rows, [constant for _, (*_, constant) in units]), ([[1, -1] * pairs], [0])])


def _evaluations() -> Iterator[dict[str, Any]]:
    random = random_network(TARGETS[0])
    everywhere = np.indices((SIDE, SIDE)).reshape(2, -1).T
    some = np.random.default_rng(2).integers(0, SIDE, (_EVALUATED, random.dim))
    cases: dict[str, tuple[ReluNetwork, Indices, str | None]] = {
        "random, 2^32": (random, some, str(RANGE)),
        "maximum, 2^40": (_maximum(40), everywhere, None),
        "maximum, 2^60": (_maximum(60), everywhere, None),
        "8 cancelling pairs, 2^60": (_cancelling(8, 60), everywhere, None),
    }
    for name, (source, indices, bound) in cases.items():
        net = shrink(source, grid_bits=GRID_BITS, mode="theorem", range_bound=bound)
        tops, unit = _numerators(source, indices)
        values = [top * unit for top in tops]
        error = net.certified.error_upper
        methods = []
        for method, limit, evaluate in _methods(source, net.network, net.float_obstacles):
            done = timed(partial(evaluate, indices[:limit]), 3)
            methods.append({"method": method, **_judged(done, values, error), **done.cost()})
        yield {
            "name": name, "points": len(indices), "nonzeros": net.nonzeros, "max_weight": float(net.max_weight),
            "source_nonzeros": source.nonzeros, "error": float(error), "range_proof": net.range_proof,
            "float_obstacles": net.float_obstacles, "verdict": net.verdict.status.name, "methods": methods,
        }  # fmt: skip


Values = tuple[Any, Fraction]  # one number a point, and what it is multiplied by
Method = tuple[str, int | None, Callable[[Indices], Values]]


def _judged(done: Timed[Values], values: list[Fraction], error: Fraction) -> dict[str, Any]:
    """Count the points where a method is farther from the exact value than the compiled network may be."""
    found, unit = done.result
    differences = [abs(Fraction(one) * unit - value) for one, value in zip(found, values[: len(found)], strict=True)]
    return {
        "points": len(differences),
        "per_s": len(differences) / done.cpu_s,
        "largest_difference": float(max(differences)),
        "wrong": sum(difference > error for difference in differences),
    }


def _methods(source: ReluNetwork, network: IntegerLayers, obstacles: dict[str, str]) -> Iterator[Method]:
    """Each with the number of points that it gets; None for all. What is prepared here is not counted."""
    layers = network.sparse_layers()
    dense = source.dense_layers()
    yield "compiled, blocks, float64", None, lambda x: (network(x / (SIDE - 1))[:, 0], Fraction(1))
    yield "compiled, scipy CSR, float64", None, partial(_floats, layers, np.float64)
    if not obstacles["float32"]:
        narrow = [(weights.astype(np.float32), biases) for weights, biases in layers]
        yield "compiled, scipy CSR, float32", None, partial(_floats, narrow, np.float32)
    yield "compiled, integers", None, partial(_integers, network)
    yield "source, numpy, float64", None, partial(_floats, dense, np.float64)
    yield "source, numpy, float32", None, partial(_floats, dense, np.float32)
    yield "source, exact, depthsep", None, partial(_numerators, source)
    yield "source, exact, python-flint", 5000, partial(_flint, source)
    yield "source, exact, Fraction", 200, partial(_fractions, source)
    yield "source, mpmath, 300 bits", 200, partial(_mpmath, source)


def _floats(layers: list[tuple[Any, Array]], kind: type[np.floating[Any]], indices: Indices) -> Values:
    """Evaluate in batches that stay near the processor."""
    parts = []
    for start in range(0, len(indices), _BATCH):
        values = (indices[start : start + _BATCH] / (SIDE - 1)).astype(kind).T
        for place, (weights, biases) in enumerate(layers):
            values = np.maximum(values, 0) if place else values
            values = weights.astype(kind, copy=False) @ values + biases.astype(kind)[:, np.newaxis]
        parts.append(values[0])
    return np.concatenate(parts).astype(np.float64), Fraction(1)


def _integers(network: IntegerLayers, indices: Indices) -> Values:
    integers, scale = network.grid_values(indices, GRID_BITS, DOMAIN)
    return integers[:, 0].tolist(), scale


def _numerators(source: ReluNetwork, indices: Indices) -> Values:
    tops, bottom = source.grid_values(indices, GRID_BITS, DOMAIN)
    return tops[:, 0].tolist(), Fraction(1, bottom)


def _flint(source: ReluNetwork, indices: Indices) -> Values:
    """Exact matrix products of integers, the points as rows."""
    values, bottom = fmpz_mat(indices.tolist()), SIDE - 1
    for place, layer in enumerate(source.layers):
        common = math.lcm(*(number.denominator for number in layer.numbers))
        columns = fmpz_mat([[int(entry * common) for entry in row] for row in layer.weights]).transpose()
        biases = [int(bias * common) * bottom for bias in layer.biases]
        if place:
            values = fmpz_mat([[max(entry, 0) for entry in row] for row in values.tolist()])
        values, bottom = values * columns + fmpz_mat([biases] * len(indices)), bottom * common
    return [int(row[0]) for row in values.tolist()], Fraction(1, bottom)


def _fractions(source: ReluNetwork, indices: Indices) -> Values:
    points = ([Fraction(x, SIDE - 1) for x in point] for point in indices.tolist())
    return [_by_hand(source.layers, point) for point in points], Fraction(1)


def _by_hand(layers: Sequence[Any], values: list[Any]) -> Any:
    for place, layer in enumerate(layers):
        values = [max(value, 0) for value in values] if place else values
        pairs = zip(layer.weights, layer.biases, strict=True)
        values = [sum((w * z for w, z in zip(row, values, strict=True)), bias) for row, bias in pairs]
    return values[0]


def _mpmath(source: ReluNetwork, indices: Indices) -> Values:
    from mpmath import mp

    def number(value: Fraction) -> Any:
        return mp.mpf(value.numerator) / value.denominator

    with mp.workprec(300):
        layers = [
            AffineLayer(tuple(tuple(map(number, row)) for row in layer.weights), tuple(map(number, layer.biases)))
            for layer in source.layers
        ]
        values = [_by_hand(layers, [mp.mpf(x) / (SIDE - 1) for x in point]) for point in indices.tolist()]
    return [int(value.man) * Fraction(2) ** int(value.exp) * (1 if value >= 0 else -1) for value in values], Fraction(1)


# ------------------------------------------------------------------------------------------------------------------
# Enumeration


def _enumerations() -> Iterator[dict[str, Any]]:
    for target in ENUMERATED:
        source = random_network(target)
        compiled = compile_on_grid(source, **request(target))
        network = balance(compiled.network).network
        checked = timed(partial(check, document(source, network, compiled)), 3)
        grid = SIDE**target.dim
        whole = grid <= SIDE**2
        indices = _grid(target.dim) if whole else np.random.default_rng(3).integers(0, SIDE, (_EVALUATED, target.dim))
        compared = timed(partial(_disagreements, source, network, compiled.error, indices))
        yield {
            **target._asdict(), "grid": grid, "nonzeros": network.nonzeros, "verdict": checked.result.status.name,
            "check": checked.cost(), "evaluated": len(indices), "outside_and_wrong": compared.result,
            "enumeration": compared.cost(), "whole_grid_s": compared.cpu_s * grid / len(indices),
            "extrapolated": not whole,
        }  # fmt: skip


def _grid(dim: int) -> Indices:
    return np.indices((SIDE,) * dim).reshape(dim, -1).T


def _disagreements(source: ReluNetwork, network: IntegerLayers, error: Fraction, indices: Indices) -> list[int]:
    """The numbers of points where the source leaves its range, and where the networks differ by more than the error."""
    (tops, unit), (integers, scale) = _numerators(source, indices), _integers(network, indices)
    outside = [abs(top * unit) > RANGE for top in tops]
    differences = (abs(top * unit - integer * scale) for top, integer in zip(tops, integers, strict=True))
    wrong = [apart > error and not beyond for apart, beyond in zip(differences, outside, strict=True)]
    return [sum(outside), sum(wrong)]


# ------------------------------------------------------------------------------------------------------------------
# Tables


def tables(result: dict[str, Any]) -> str:
    """Print one table for each part."""
    laid_out = [
        _target_table(result["targets"]), _balance_table(result["balance"]),
        *map(_evaluation_table, result["evaluation"]), _enumeration_table(result["enumeration"]),
    ]  # fmt: skip
    return "\n\n".join(laid_out)


def _target_table(rows: list[dict[str, Any]]) -> str:
    header = [
        "mode", "k", "d", "m", "b", "error", "depth", "neurons", "weights", "trials", "max weight", "source, rescaled",
        "search", "compile", "document", "check",
    ]  # fmt: skip
    return table(header, map(_target_cells, rows))


def _target_cells(row: dict[str, Any]) -> list[str]:
    kept = {
        "depth": row["new_depth"] == DEPTHS[row["mode"]](row["depth"]),
        "weights": row["most"] is None or row["weights"] <= row["most"],
        "max_weight": row["max_weight"] <= MAX_WEIGHT,
        "document": row["document_bytes"] <= MAX_DOCUMENT,
        "verdict": row["verdict"] == "VERIFIED" and row["within_error"],
    }
    flags = {name: "" if fine else " (NOT KEPT)" for name, fine in kept.items()}
    return [
        row["mode"], *(str(row[name]) for name in ("depth", "dim", "width", "bits")), f"{row['error']:.2g}",
        f"{row['new_depth']}{flags['depth']}", f"{row['neurons']:,}", f"{row['weights']:,}{flags['weights']}",
        "" if row["most"] is None else f"{row['most']:,}", _power(row["max_weight"]) + flags["max_weight"],
        _power(row["rescaled_source"]), seconds(row["search"]["cpu_s"]),
        seconds(row["compile"]["cpu_s"] + row["balance"]["cpu_s"]),
        f"{row['document_bytes'] / 2**20:.2g} MiB{flags['document']}",
        seconds(row["check"]["cpu_s"]) + flags["verdict"],
    ]  # fmt: skip


def _power(value: float) -> str:
    """Write a size as a power of two, with one digit where it is none.

    >>> _power(512.0), _power(600.0)
    ('2^9', '2^9.2')
    """
    exponent = f"{math.log2(value):.1f}".removesuffix(".0")
    return f"2^{'0' if exponent == '-0' else exponent}"


def _rounded(value: float) -> str:
    """Write a size in two digits."""
    return f"{float(f'{value:.2g}'):,.0f}"


def _balance_table(rows: list[dict[str, Any]]) -> str:
    header = [
        "network", "before", "balance", "proved: not below", "time", "equalization, weights only", "time",
        "equalization, biases too", "sweeps", "time",
    ]  # fmt: skip
    cells = []
    for row in rows:
        ours, weights, biases = row["balance"], row["weights_only"], row["with_biases"]
        cells.append([
            row["name"], _power(row["before"]), _power(ours["max_weight"]), _power(ours["lower"]),
            seconds(ours["cpu_s"]), _power(weights["max_weight"]), seconds(weights["cpu_s"]),
            _power(biases["max_weight"]), str(biases["sweeps"]), seconds(biases["cpu_s"]),
        ])  # fmt: skip
    return table(header, cells)


def _evaluation_table(case: dict[str, Any]) -> str:
    facts = f"*{case['name']}*: {case['points']:,} points, {case['source_nonzeros']:,} numbers in the source, "
    facts += f"{case['nonzeros']:,} compiled, at most {_power(case['max_weight'])}; "
    facts += f"error {case['error']:.2g} ({case['verdict']}, range by {case['range_proof']}); "
    exact = [name for name, obstacle in case["float_obstacles"].items() if not obstacle]
    facts += f"proved exact on the grid in {' and '.join(exact) or 'integers only'}"
    cells = [
        [
            row["method"], _rounded(row["per_s"]), f"{row['largest_difference']:.1e}",
            f"{row['wrong']:,} of {row['points']:,}",
        ]
        for row in case["methods"]
    ]  # fmt: skip
    return f"{facts}\n\n{table(['method', 'points per second', 'largest error', 'wrong'], cells)}"


def _enumeration_table(rows: list[dict[str, Any]]) -> str:
    header = ["d", "grid points", "nonzeros", "check", "both networks at every point", "ratio", "outside, wrong"]
    cells = [
        [
            str(row["dim"]), f"{row['grid']:,}", f"{row['nonzeros']:,}", seconds(row["check"]["cpu_s"]),
            f"{row['whole_grid_s']:,.3g} s" + (" (extrapolated)" if row["extrapolated"] else ""),
            ratio(row["whole_grid_s"], row["check"]["cpu_s"]),
            f"{', '.join(map(str, row['outside_and_wrong']))} of {row['evaluated']:,}",
        ]
        for row in rows
    ]  # fmt: skip
    return table(header, cells)
