"""An independent judge of equal networks: both sides evaluated by their definitions, in fractions, at every point.

Nothing is shared with the checker or the library. Grids and truth tables are enumerated: documents must be small.
"""

import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

Obj = dict[str, Any]
Vector = list[Fraction]
Rows = list[tuple[dict[int, Fraction], Fraction]]


def number(text: str) -> Fraction:
    """A rational or a hexadecimal float, exactly."""
    return Fraction(float.fromhex(text)) if "0x" in text.lower() else Fraction(text)


def holds(document: Obj) -> bool:
    """Whether the claim is true, as far as evaluation can tell."""
    rule: dict[str, Callable[[Obj, Obj], bool]] = {
        "same-function": _same_function,
        "grid-equality": _grid_equality,
        "circuit-equality": _circuit_equality,
        "exact-target": _exact_target,
    }
    return rule[document["claim"]["kind"]](document, document["claim"])


def _exact_target(document: Obj, claim: Obj) -> bool:
    """Compare with the function at many points; for a sawtooth and a Cantor set also at and between all its ends."""
    function, layers = document["function"], relu_layers(document["network"])
    rng = random.Random(0)
    kind = function["kind"]
    if kind == "parity":
        cube = product((0, 1), repeat=function["bits"])
        return all(evaluate(layers, list(map(Fraction, bits))) == [sum(bits) % 2] for bits in cube)
    if kind == "maximum":
        size = function["inputs"]
        points = [[Fraction(rng.randint(-900, 900), rng.choice((1, 7, 900))) for _ in range(size)] for _ in range(300)]
        return all(evaluate(layers, point) == [max(point)] for point in points)
    if kind == "sawtooth":
        steps = 8 << function["folds"]
        line = [Fraction(step, steps) for step in range(steps + 1)]
        return all(evaluate(layers, [x]) == [abs((x * 2 ** function["folds"] + 1) % 2 - 1)] for x in line)
    steps = 4 * 3 ** function["level"]
    line = [Fraction(step, steps) for step in range(-steps, 2 * steps + 1)]
    line += [Fraction(rng.randint(-10000, 10000), 999) * Fraction(4) ** rng.randint(-4, 4) for _ in range(300)]
    return all((evaluate(layers, [x])[0] >= 0) == _in_cantor_set(x, function["level"]) for x in line)


def _in_cantor_set(x: Fraction, level: int) -> bool:
    """By folding the middle thirds out, level by level."""
    for _ in range(level):
        x = 3 * min(x, 1 - x)
    return 0 <= x <= 1


def relu_layers(network: Obj) -> list[Rows]:
    """The layers of a relu-network as sparse rows with biases."""
    return [
        [
            ({i: number(w) for i, w in enumerate(row) if number(w)}, number(bias))
            for row, bias in zip(layer["weights"], layer["biases"], strict=True)
        ]
        for layer in network["layers"]
    ]


def integer_layers(network: Obj) -> list[Rows]:
    """The layers of an integer-layers network with exponents and scale applied: the weights that it really has."""
    layers: list[Rows] = []
    before: list[int] | None = None
    for layer in network["layers"]:
        rows: Rows = []
        exponents = layer["exponents"]
        for block in layer["blocks"]:
            for bias in block["biases"]:
                up = Fraction(2) ** (exponents[len(rows)] if exponents else 0)
                weights = zip(block["inputs"], block["weights"], strict=True)
                rows.append(({i: up * w / _power(before, i) for i, w in weights}, up * bias))
        layers.append(rows)
        before = exponents
    scale = number(network["output"]["scale"])
    layers.append(
        [
            (
                {i: scale * w / _power(before, i) for i, w in zip(row["inputs"], row["weights"], strict=True)},
                scale * row["bias"],
            )
            for row in network["output"]["rows"]
        ]
    )
    return layers


def _power(exponents: list[int] | None, place: int) -> Fraction:
    return Fraction(2) ** exponents[place] if exponents else Fraction(1)


def evaluate(layers: list[Rows], point: Vector) -> Vector:
    """The values of the outputs."""
    values = point
    for depth, rows in enumerate(layers, start=1):
        values = [sum((w * values[i] for i, w in row.items()), bias) for row, bias in rows]
        if depth < len(layers):
            values = [max(value, Fraction(0)) for value in values]
    return values


def largest(layers: list[Rows]) -> Fraction:
    """The largest weight or bias."""
    return max(abs(entry) for rows in layers for row, bias in rows for entry in (*row.values(), bias))


def _same_function(document: Obj, claim: Obj) -> bool:
    source, network = relu_layers(document["function"]), relu_layers(document["network"])
    rng = random.Random(0)
    points = [
        [Fraction(rng.randint(-900, 900), 7) * Fraction(4) ** rng.randint(-6, 2) for _ in range(claim["dim"])]
        for _ in range(300)
    ]
    if any(evaluate(source, point) != evaluate(network, point) for point in points):
        return False
    return largest(network) <= number(claim["max_weight"]) and _rescaling(network, claim["rescaling_lower"])


def _rescaling(layers: list[Rows], bound: str | None) -> bool:
    """Whether some path forces a weight of that size, by listing all paths."""
    if bound is None:
        return True
    for start in range(len(layers)):
        for row, bias in layers[start]:
            for steps in _paths(layers, start, row, bias):
                if prod(map(abs, steps)) >= number(bound) ** len(steps):
                    return True
    return False


def _paths(layers: list[Rows], start: int, row: dict[int, Fraction], bias: Fraction) -> Iterator[list[Fraction]]:
    firsts = [bias] if bias else []
    if start == 0:
        firsts += list(row.values())
    unit = next(i for i, (found, _) in enumerate(layers[start]) if found is row)
    for rest in _onward(layers, start + 1, unit):
        yield from ([first, *rest] for first in firsts)


def _onward(layers: list[Rows], at: int, unit: int) -> Iterator[list[Fraction]]:
    if at == len(layers):
        yield []
        return
    for index, (row, _) in enumerate(layers[at]):
        if unit in row:
            yield from ([row[unit], *rest] for rest in _onward(layers, at + 1, index))


def grid(claim: Obj) -> Iterator[Vector]:
    """All points of the grid of a claim."""
    steps = 2 ** claim["grid_bits"]
    axis = [Fraction(step, steps) for step in range(steps + 1)]
    if claim["domain"] == "[-1,1]^d":
        axis = [2 * value - 1 for value in axis]
    yield from map(list, product(axis, repeat=claim["dim"]))


def _grid_equality(document: Obj, claim: Obj) -> bool:
    source, network = relu_layers(document["function"]), integer_layers(document["network"])
    reach, error = number(claim["range"]), Fraction(0)
    for point in grid(claim):
        wanted, found = evaluate(source, point), evaluate(network, point)
        if all(abs(value) <= reach for value in wanted):
            error = max(error, *(abs(a - b) for a, b in zip(wanted, found, strict=True)))
        elif claim["range_proof"] != "assumed":
            return False
    if error > number(claim["error"]) or largest(network) > number(claim["max_weight"]):
        return False
    return _off_grid(document, claim, source, error)


def _off_grid(document: Obj, claim: Obj, source: list[Rows], error: Fraction) -> bool:
    if claim["off_grid"] is None:
        return True
    density = number(claim["off_grid"]["density"]) * (2 if claim["domain"] == "[-1,1]^d" else 1)
    reach, output = number(claim["range"]), document["network"]["output"]
    clip = max(abs(row["bias"]) for row in output["rows"]) * number(output["scale"])
    pieces = prod(len(rows) + 1 for rows in source[:-1])
    strips = density * claim["dim"] / 2 ** document["witness"]["guard_bits"] * (reach + clip)
    cells = density * claim["dim"] / 2 ** claim["grid_bits"] * reach * pieces
    return number(claim["off_grid"]["mean_error"]) >= error + strips + cells


def _circuit_equality(document: Obj, claim: Obj) -> bool:
    source, circuit = relu_layers(document["function"]), document["network"]
    steps = 2 ** claim["grid_bits"]
    for indices in product(range(steps), repeat=claim["dim"]):
        point = [Fraction(index, steps) for index in indices]
        if claim["domain"] == "[-1,1]^d":
            point = [2 * value - 1 for value in point]
        wanted = evaluate(source, point)[claim["output"]] >= number(claim["threshold"])
        bits = [index >> place & 1 for index in indices for place in range(claim["grid_bits"])]
        if gates(circuit, bits) != int(wanted):
            return False
    return True


def gates(circuit: Obj, bits: list[int]) -> int:
    """The output of a threshold circuit."""
    values = bits
    for level in circuit["levels"]:
        sums = [
            (sum(w * values[i] for i, w in zip(block["inputs"], block["weights"], strict=True)), threshold)
            for block in level["blocks"]
            for threshold in block["thresholds"]
        ]
        values = [int(total >= threshold) for total, threshold in sums]
    output = circuit["output"]
    return int(
        sum(w * values[i] for i, w in zip(output["inputs"], output["weights"], strict=True)) + output["constant"]
    )
