"""Threshold circuits: exact evaluation against the definition, what is refused, and JSON."""

import json
import random
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depthsep.errors import BadInput
from depthsep.networks import circuit as module
from depthsep.networks.circuit import Circuit, CircuitOutput, GateBlock, circuit_from_file

PARITY = Circuit.from_gates(3, [[([1, 1, 1], t) for t in (1, 2, 3)], [([1, -1, 1], 1)]])


def by_definition(circuit: Circuit, bits: list[int]) -> int:
    values = bits
    for blocks in circuit.levels:
        values = [
            int(sum(w * values[i] for i, w in zip(block.inputs, block.weights, strict=True)) >= threshold)
            for block in blocks
            for threshold in block.thresholds
        ]
    output = circuit.output
    return sum(w * values[i] for i, w in zip(output.inputs, output.weights, strict=True)) + output.constant


def random_circuit(rng: random.Random, inputs: int, largest: int) -> Circuit:
    def row(width: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        reads = sorted(rng.sample(range(width), rng.randint(0, min(4, width))))
        return tuple(reads), tuple(rng.choice((-1, 1)) * rng.randint(1, largest) for _ in reads)

    width, levels = inputs, []
    for _ in range(rng.randint(1, 3)):
        count = rng.randint(1, 4)
        level = [GateBlock(*row(width), tuple(rng.randint(-largest, largest) for _ in range(3))) for _ in range(count)]
        levels.append(tuple(level))
        width = 3 * count
    return Circuit(inputs, tuple(levels), CircuitOutput(*row(width), rng.randint(-largest, largest)))


def all_bits(inputs: int) -> np.ndarray[Any, Any]:
    return np.array(list(product((0, 1), repeat=inputs)))


def test_parity_and_its_numbers() -> None:
    points = all_bits(3)
    assert PARITY.evaluate(points).tolist() == (points.sum(axis=1) % 2).tolist()
    assert (PARITY.depth, PARITY.size, PARITY.widths, PARITY.wires, PARITY.max_weight) == (2, 4, (3, 1), 12, 3)
    assert len(PARITY.levels[0]) == 1  # three gates with one row are one block


@pytest.mark.parametrize("largest", [3, 2**40, 2**61, 2**62, 2**70])
def test_evaluation_is_exact_whatever_the_size_of_the_weights(largest: int) -> None:
    rng = random.Random(largest)
    points = all_bits(5)
    for _ in range(30):
        circuit = random_circuit(rng, 5, largest)
        expected = [by_definition(circuit, row) for row in points.tolist()]
        assert [int(value) for value in circuit.evaluate(points)] == expected


def test_sums_that_int64_would_wrap() -> None:
    circuit = Circuit.from_gates(4, [[([2**62] * 4, 1), ([2**62] * 4, 2**64)]], ([2**63, 1], -(2**80)))
    values = circuit.evaluate([[0, 0, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]])
    assert values.tolist() == [-(2**80), 2**63 - 2**80, 2**63 + 1 - 2**80]


def test_thresholds_out_of_reach_are_constants() -> None:
    circuit = Circuit.from_gates(1, [[([1], 2**90), ([1], -(2**90)), ([1], 1)]], ([1, 10, 100], 0))
    assert circuit.evaluate([[0], [1]]).tolist() == [10, 110]


def test_many_points_go_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    points = all_bits(3)
    whole = PARITY.evaluate(points)
    monkeypatch.setattr(module, "_CHUNK", 9)
    assert PARITY.evaluate(points).tolist() == whole.tolist()
    assert PARITY.evaluate(np.zeros((0, 3))).shape == (0,)


def test_a_circuit_without_levels_and_one_of_booleans() -> None:
    assert Circuit.from_gates(2, [], ([3, -1], 5)).evaluate(np.array([[True, True]])).tolist() == [7]
    assert Circuit.from_gates(2, [], ([0, 0], 0)).max_weight == 0


def test_lists_mappings_and_numpy_integers_are_the_same_gates() -> None:
    rows = Circuit.from_gates(3, [[([0, 2, -1], 1)]])
    assert rows == Circuit.from_gates(3, [[({2: -1, 1: 2}, 1)]])
    assert rows == Circuit.from_gates(3, [[(np.array([0, 2, -1]), np.int64(1))]])
    assert hash(rows) == hash(Circuit.from_gates(3, [[([0, 2, -1], 1)]]))


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda: Circuit.from_gates(0, [[([], 1)]]), "0 input bits"),
        (lambda: Circuit.from_gates(2, [[([1, 1], 1)], []]), "the output\n  found:  0 gates of level 2"),
        (lambda: Circuit(1, ((),), CircuitOutput((), (), 0)), "level 1\n  found:  no gate"),
        (lambda: Circuit(1, ((GateBlock((0,), (1,), ()),),), CircuitOutput((), (), 0)), "no threshold"),
        (lambda: Circuit.from_gates(2, [[([1, 1], 1), ([1], 1)]]), "gate 1 of level 1\n  found:  1 weights"),
        (lambda: Circuit.from_gates(2, [[([1, 1], 1)], [([1, 1], 1)]]), "one for each of the 1 gates of level 1"),
        (lambda: Circuit.from_gates(2, [[({5: 1}, 1)]]), "gate 0 of level 1\n  found:  the inputs 5"),
        (lambda: Circuit.from_gates(2, [[([0.5, 1], 1)]]), "found:  the number 0.5"),
        (lambda: Circuit.from_gates(2, [[([1, 1], 0.5)]]), "multiply the weights and the threshold"),
        (lambda: Circuit.from_gates(2, [[([1, 1], 1), ([1, 1], 2)]]), "found:  2 gates of level 1"),
        (lambda: Circuit.from_gates(2, [], ([1, 1, 1], 0)), "the output\n  found:  3 weights"),
        (
            lambda: Circuit(3, ((GateBlock((1, 0), (1, 1), (1, 2)),),), CircuitOutput((), (), 0)),
            "gates 0 to 1 of level 1\n  found:  the inputs 1, 0\n  needed: inputs that increase strictly within 0..2",
        ),
        (
            lambda: Circuit(3, ((GateBlock((0, 1), (1, 0), (1,)),),), CircuitOutput((), (), 0)),
            "the weight 0 of input 1",
        ),
        (lambda: Circuit(3, ((GateBlock((0, 1), (1,), (1,)),),), CircuitOutput((), (), 0)), "2 inputs and 1 weights"),
    ],
)
def test_what_no_circuit_is_names_the_gate(build: Any, text: str) -> None:
    with pytest.raises(BadInput) as caught:
        build()
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("bits", "text"),
    [
        ([0, 1, 1], "an array of shape (3,)"),
        ([[0, 1]], "an array of shape (1, 2)"),
        ([[0, 1, 0], [0, 2, 1]], "2 at point 1, bit 1"),
        ([[0.5, 1, 0]], "0.5 at point 0, bit 0"),
    ],
)
def test_points_are_bits(bits: Any, text: str) -> None:
    with pytest.raises(BadInput) as caught:
        PARITY.evaluate(bits)
    assert text in str(caught.value)


def test_json_and_back(tmp_path: Path) -> None:
    rng = random.Random(1)
    for circuit in [PARITY, *(random_circuit(rng, 4, 2**80) for _ in range(20))]:
        text = json.dumps(circuit.to_json())
        assert Circuit.from_json(json.loads(text)) == circuit
    bare, document = tmp_path / "bare.json", tmp_path / "document.json"
    bare.write_text(json.dumps(PARITY.to_json()), encoding="utf-8")
    document.write_text(
        json.dumps({"format": "depthsep", "claim": {"kind": "circuit-equality"}, "network": PARITY.to_json()}),
        encoding="utf-8",
    )
    assert circuit_from_file(bare) == circuit_from_file(document) == PARITY


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"kind": "relu-network"}, "the kind 'relu-network'"),
        ({"more": 1}, "the keys kind, inputs, levels, output, more"),
        ({"inputs": "3"}, "'3' input bits"),
        ({"levels": 3}, "the levels\n  found:  a int\n  needed: a list"),
        ({"levels": [3]}, "level 1\n  found:  a int\n  needed: an object with the keys blocks"),
        ({"levels": [{"blocks": [{"inputs": []}]}]}, "block 0 of level 1\n  found:  the keys inputs"),
        (
            {"levels": [{"blocks": [{"inputs": [0], "weights": [1.5], "thresholds": [1]}]}]},
            "the weights of block 0 of level 1\n  found:  the number 1.5",
        ),
        ({"output": {"inputs": [0], "weights": [1], "constant": None}}, "the output\n  found:  the number None"),
    ],
)
def test_objects_that_are_no_circuit(change: dict[str, Any], text: str) -> None:
    with pytest.raises(BadInput) as caught:
        Circuit.from_json({**PARITY.to_json(), **change})
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "No such file"),
        ("{", "no JSON text"),
        ("[]", "'list'"),
        ('{"kind": "relu-network"}', "'relu-network'"),
        ('{"format": "depthsep", "claim": {"kind": "sup-error"}}', "'depthsep'"),
        ('{"claim": {"kind": "circuit-equality"}}', "'NoneType'"),
    ],
)
def test_files_that_hold_no_circuit(content: str | None, text: str, tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        circuit_from_file(path)
    assert text in str(caught.value)
    assert str(path) in str(caught.value)
