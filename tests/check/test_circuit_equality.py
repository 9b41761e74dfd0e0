"""Circuit equalities: what is accepted, what it says, and one forgery for each way a checker of them can be fooled."""

import copy
import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any

import pytest

from depthsep.networks.grids import DOMAINS
from depthsep.networks.relu import ReluNetwork
from depthsep.small_weights.circuits import ColumnChoice, circuit_of
from depthsep_check import Status, check
from depthsep_check.document import encode
from depthsep_check.equalities import circuit_equality
from depthsep_check.verdict import Verdict

UNIT, SYMMETRIC = DOMAINS
Obj = dict[str, Any]

BIG = 2**30 + 1
SOURCES: dict[str, list[tuple[Any, Any]]] = {
    "affine": [([[3, -2]], ["1/2"])],
    "thirds": [([["1/3"], [-2], ["5/7"]], ["-1/9", 1, 0]), ([[3, "1/2", -4]], ["1/5"])],
    "cancelling": [([[BIG, -BIG], [1 - BIG, BIG]], [1, 0]), ([[1, -1]], [0])],
    "two outputs": [([[7, -3], [-5, 9]], [0, 1]), ([[1, -2], [3, 1]], [0, -1])],
    "dead layer": [([[1], [-1]], [-2, -3]), ([[4, 5]], ["7/3"])],
    "deep": [([[9], [-7]], [-2, 4]), ([[5, -3], [-2, 3]], [1, -2]), ([[1, -1]], [0])],
}
CHOICE = {"affine": (2, 1), "thirds": (3, 2), "cancelling": (4, 2), "two outputs": (2, 2)}


@cache
def made(name: str, domain: str = UNIT, grid_bits: int = 2, threshold: str = "1/2", output: int = 0) -> Any:
    network = ReluNetwork.from_arrays(SOURCES[name])
    choices = [ColumnChoice(*CHOICE.get(name, (3, 1)))] * network.depth
    request = {"domain": domain, "grid_bits": grid_bits, "threshold": threshold, "output": output}
    return network, circuit_of(network, choices=choices, **request)


def document(name: str, **request: Any) -> Obj:
    network, compiled = made(name, **request)
    obj = {
        "format": "depthsep",
        "version": 1,
        "made_by": "a test",
        "function": network.to_json(),
        "claim": compiled.claim,
        "network": compiled.circuit.to_json(),
        "witness": compiled.witness,
    }
    return copy.deepcopy(obj)


def verdict(obj: Obj) -> Verdict:
    return check(encode(obj))


def source_value(source: Obj, point: list[Fraction], output: int) -> Fraction:
    values = point
    for index, layer in enumerate(source["layers"]):
        values = [max(v, Fraction(0)) for v in values] if index else values
        rows = zip(layer["weights"], layer["biases"], strict=True)
        values = [sum((Fraction(w) * v for w, v in zip(r, values, strict=True)), Fraction(b)) for r, b in rows]
    return values[output]


def circuit_value(circuit: Obj, bits: list[int]) -> int:
    values = bits
    for level in circuit["levels"]:
        values = [
            int(sum(w * values[i] for i, w in zip(block["inputs"], block["weights"], strict=True)) >= threshold)
            for block in level["blocks"]
            for threshold in block["thresholds"]
        ]
    output = circuit["output"]
    row = zip(output["inputs"], output["weights"], strict=True)
    return int(sum(w * values[i] for i, w in row) + output["constant"])


def holds(obj: Obj) -> bool:
    """The claim, by the whole truth table."""
    claim = obj["claim"]
    size = 2 ** claim["grid_bits"]
    for indices in product(range(size), repeat=claim["dim"]):
        point = [Fraction(x, size) if claim["domain"] == UNIT else Fraction(2 * x, size) - 1 for x in indices]
        bits = [x >> place & 1 for x in indices for place in range(claim["grid_bits"])]
        wanted = source_value(obj["function"], point, claim["output"]) >= Fraction(claim["threshold"])
        if circuit_value(obj["network"], bits) != int(wanted):
            return False
    return True


# ------------------------------------------------------------------------------------------------------------------
# What is accepted


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("threshold", ["-1000", "0", "1/2", "1000"])
def test_true_documents_are_verified(name: str, domain: str, threshold: str) -> None:
    obj = document(name, domain=domain, threshold=threshold)
    assert verdict(obj).ok, verdict(obj).line
    assert holds(obj)


def test_the_statement_says_what_is_proved() -> None:
    obj = document("two outputs", domain=SYMMETRIC, output=1, threshold="-2/3")
    circuit = made("two outputs", domain=SYMMETRIC, output=1, threshold="-2/3")[1].circuit
    assert verdict(obj).text == (
        f"the threshold circuit of depth 5 with {circuit.size} gates, {circuit.wires} wires and integer weights and "
        f"thresholds of at most {circuit.max_weight} in absolute value, on the 4 bits of X_1, ..., X_2 in 0..2^p - 1, "
        "p = 2, is 1 where output 1 of the ReLU network of depth 2 is at least -2/3 at x_j = 2 X_j / 2^p - 1, "
        "and 0 elsewhere"
    )


def test_inputs_that_nobody_could_enumerate() -> None:
    network, compiled = made("thirds", grid_bits=20)
    assert compiled.circuit.inputs == 20
    assert verdict(document("thirds", grid_bits=20)).ok
    assert network.dim == 1


# ------------------------------------------------------------------------------------------------------------------
# Forgeries


def blocks(obj: Obj, level: int) -> list[Obj]:
    found: list[Obj] = obj["network"]["levels"][level]["blocks"]
    return found


def first(obj: Obj, level: int, long: int = 1) -> Obj:
    """The first block of a level that reads something and has so many gates."""
    return next(b for b in blocks(obj, level) if b["inputs"] and len(b["thresholds"]) >= long)


def change_threshold(level: int) -> Callable[[Obj], None]:
    def forge(obj: Obj) -> None:
        first(obj, level)["thresholds"][0] += 1

    return forge


def change_weight(level: int) -> Callable[[Obj], None]:
    def forge(obj: Obj) -> None:
        first(obj, level)["weights"][0] += 2  # never 0: no weight of these circuits is -2

    return forge


def drop_reads_of_nothing(obj: Obj) -> None:
    """What is read beyond the last gate of the level before goes too, so that the circuit stays well formed."""
    width = obj["network"]["inputs"]
    for level in obj["network"]["levels"]:
        for block in level["blocks"]:
            kept = [(i, w) for i, w in zip(block["inputs"], block["weights"], strict=True) if i < width]
            block["inputs"], block["weights"] = [i for i, _ in kept], [w for _, w in kept]
        width = sum(len(block["thresholds"]) for block in level["blocks"])


def drop_a_gate_of_the_columns(obj: Obj) -> None:
    first(obj, 0, 2)["thresholds"].pop()
    drop_reads_of_nothing(obj)


def drop_a_block(level: int) -> Callable[[Obj], None]:
    def forge(obj: Obj) -> None:
        blocks(obj, level).pop()
        drop_reads_of_nothing(obj)

    return forge


def add_a_gate(obj: Obj) -> None:
    first(obj, 1)["thresholds"].append(7)


def add_a_block(level: int) -> Callable[[Obj], None]:
    def forge(obj: Obj) -> None:
        blocks(obj, level).append({"inputs": [0], "weights": [1], "thresholds": [1]})

    return forge


def swap_columns(obj: Obj) -> None:
    found = blocks(obj, 0)
    one, other = next((i, j) for i in range(len(found)) for j in range(i) if found[i]["weights"] != found[j]["weights"])
    found[one], found[other] = found[other], found[one]


def swap_masks(obj: Obj) -> None:
    found = blocks(obj, 1)
    found[0], found[-1] = found[-1], found[0]


def extra_level(obj: Obj) -> None:
    obj["network"]["levels"].append({"blocks": [{"inputs": [0], "weights": [1], "thresholds": [1]}]})


def extra_inverter_in_place_of_the_last_gate(obj: Obj) -> None:
    obj["network"]["levels"][-1]["blocks"] = [{"inputs": [0], "weights": [-1], "thresholds": [0]}]


def missing_level(obj: Obj) -> None:
    del obj["network"]["levels"][0]
    drop_reads_of_nothing(obj)


def read_another_gate(obj: Obj) -> None:
    """A mask that also reads the last block of the level before, which belongs to another neuron."""
    row = first(obj, 1)
    last = sum(len(block["thresholds"]) for block in blocks(obj, 0)) - 1
    row["inputs"].append(last)
    row["weights"].append(1)


def forget_a_sign_column(obj: Obj) -> None:
    """The last gate of the predicate's sign is left out of the final sum."""
    final = obj["network"]["levels"][-1]["blocks"][0]
    final["inputs"].pop()
    final["weights"].pop()


def inverted_output(obj: Obj) -> None:
    obj["network"]["output"] = {"inputs": [0], "weights": [-1], "constant": 1}


def set_claim(**values: Any) -> Callable[[Obj], None]:
    def forge(obj: Obj) -> None:
        obj["claim"].update(values)

    return forge


def change_the_source(obj: Obj) -> None:
    obj["function"]["layers"][0]["biases"][0] = "5"


def swap_outputs(obj: Obj) -> None:
    layer = obj["function"]["layers"][-1]
    layer["weights"].reverse()
    layer["biases"].reverse()


def other_columns(obj: Obj) -> None:
    obj["witness"]["layers"][0]["column_bits"] += 1


def other_stride(obj: Obj) -> None:
    obj["witness"]["layers"][0]["stride"] += 1


FORGERIES: dict[str, Callable[[Obj], None]] = {
    **{f"threshold of level {level}": change_threshold(level) for level in range(5)},
    **{f"weight of level {level}": change_weight(level) for level in range(5)},
    **{f"block of level {level} dropped": drop_a_block(level) for level in range(4)},
    **{f"block of level {level} added": add_a_block(level) for level in range(5)},
    "gate of a column dropped": drop_a_gate_of_the_columns,
    "second gate in a mask": add_a_gate,
    "columns swapped": swap_columns,
    "masks swapped": swap_masks,
    "extra level": extra_level,
    "last gate inverted": extra_inverter_in_place_of_the_last_gate,
    "level missing": missing_level,
    "gate of another neuron": read_another_gate,
    "sign column forgotten": forget_a_sign_column,
    "output inverted": inverted_output,
    "output constant": lambda obj: obj["network"]["output"].update(constant=1),
    "output weight": lambda obj: obj["network"]["output"].update(weights=[2]),
    "theta": set_claim(threshold="3/4"),
    "output index": set_claim(output=1),
    "domain": set_claim(domain=SYMMETRIC),
    "fewer bits": set_claim(grid_bits=1),
    "source": change_the_source,
    "outputs of the source swapped": swap_outputs,
    "column bits": other_columns,
    "stride": other_stride,
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forgeries_are_refuted(name: str) -> None:
    obj = document("two outputs")
    FORGERIES[name](obj)
    found = verdict(obj)
    assert found.status is Status.REFUTED, found.line
    assert found.text.startswith("circuit-equality")


CONSTANT_FORGERIES: dict[str, tuple[str, Callable[[Obj], None]]] = {
    "never": ("1000", lambda obj: blocks(obj, 2)[0].update(thresholds=[0])),
    "never, later": ("1000", lambda obj: blocks(obj, 3)[0].update(thresholds=[0])),
    "always": ("-1000", lambda obj: blocks(obj, 4)[0].update(thresholds=[5])),
    "dead level": ("1", lambda obj: blocks(obj, 0)[0].update(thresholds=[0])),
    "dead level that reads": ("1", lambda obj: blocks(obj, 1)[0].update(inputs=[0], weights=[1])),
}


@pytest.mark.parametrize("name", CONSTANT_FORGERIES)
def test_constant_levels_must_be_what_they_are(name: str) -> None:
    threshold, forge = CONSTANT_FORGERIES[name]
    obj = document("dead layer", threshold=threshold)
    assert verdict(obj).ok
    forge(obj)
    assert verdict(obj).status is Status.REFUTED


MALFORMED: dict[str, tuple[Callable[[Obj], None], str]] = {
    "duplicate inputs": (
        lambda obj: first(obj, 1).update(inputs=[0, 0], weights=[1, 1]),
        "network.levels[1].blocks[0].inputs: must increase strictly",
    ),
    "input out of range": (
        lambda obj: first(obj, 0).update(inputs=[4], weights=[1]),
        "network.levels[0].blocks[0].inputs[0]: 4 is outside 0..3",
    ),
    "negative input": (lambda obj: first(obj, 0).update(inputs=[-1], weights=[1]), "-1 is outside 0..3"),
    "weight 0": (lambda obj: first(obj, 0)["weights"].__setitem__(0, 0), "weights[0]: must not be 0"),
    "missing weight": (lambda obj: first(obj, 0)["weights"].pop(), "weights: needs"),
    "weight that is no integer": (lambda obj: first(obj, 0)["weights"].__setitem__(0, "1/2"), "expected an integer"),
    "no threshold": (lambda obj: first(obj, 0).update(thresholds=[]), "thresholds: needs at least one"),
    "no block": (lambda obj: obj["network"]["levels"][0].update(blocks=[]), "blocks: needs at least one block"),
    "blocks of another type": (lambda obj: obj["network"]["levels"][0].update(blocks=3), "expected a list"),
    "unknown key": (lambda obj: first(obj, 0).update(bias=1), "unknown key 'bias'"),
    "too few choices": (lambda obj: obj["witness"]["layers"].pop(), "witness.layers: needs 2 entries, has 1"),
    "too many choices": (lambda obj: obj["witness"]["layers"].append({}), "3 entries, at most 2"),
    "columns of one bit": (
        lambda obj: obj["witness"]["layers"][0].update(column_bits=1),
        "witness.layers[0].column_bits: 1 is outside 2..32",
    ),
    "stride 0": (lambda obj: obj["witness"]["layers"][1].update(stride=0), "witness.layers[1].stride"),
    "another dimension": (set_claim(dim=3), "function.dim: 2, but the claim is about dimension 3"),
    "an output too many": (set_claim(output=2), "claim.output: 2, but the function has 2 outputs"),
    "theta as a float": (set_claim(threshold="0.5"), "claim.threshold: expected a rational"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_document_of_this_kind(name: str) -> None:
    obj = document("two outputs")
    forge, text = MALFORMED[name]
    forge(obj)
    found = verdict(obj)
    assert found.status is Status.MALFORMED, found.line
    assert text in found.text


@pytest.mark.parametrize(
    ("part", "change"),
    [("network", {"kind": "relu-network"}), ("witness", {"kind": "truth-table"}), ("claim", {"domain": "R^d"})],
)
def test_unknown_words_are_unsupported(part: str, change: Obj) -> None:
    obj = document("affine")
    obj[part].update(change)
    assert verdict(obj).status is Status.UNSUPPORTED


def test_more_work_than_allowed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuit_equality, "_WORK", 500)
    assert verdict(document("two outputs")).status is Status.EXHAUSTED
    monkeypatch.undo()
    obj = document("two outputs")
    obj["function"]["layers"][0]["weights"][0][0] = "1" + "0" * 300
    obj["witness"]["layers"][0].update(column_bits=32)  # every column would take billions of gates
    assert verdict(obj).status is Status.REFUTED
    monkeypatch.setattr(circuit_equality, "_WORK", 100)
    assert verdict(obj).status is Status.EXHAUSTED


# ------------------------------------------------------------------------------------------------------------------
# Blind edits


def numbers(obj: Obj) -> Iterator[tuple[list[int], int]]:
    """The place of every integer of a circuit."""
    rows = [row for level in obj["network"]["levels"] for block in level["blocks"] for row in block.values()]
    output = obj["network"]["output"]
    for row in (*rows, output["inputs"], output["weights"]):
        yield from ((row, index) for index in range(len(row)))


@pytest.mark.parametrize("name", SOURCES)
def test_blind_edits_are_refused_unless_nothing_changes(name: str) -> None:
    rng = random.Random(name)
    wrong = 0
    for _ in range(70):
        obj = document(name, threshold="0")
        row, index = rng.choice(list(numbers(obj)))
        row[index] += rng.choice((-1, 1))
        found = verdict(obj)
        assert found.status in (Status.VERIFIED, Status.REFUTED, Status.MALFORMED)
        if found.status is not Status.MALFORMED and not holds(obj):
            wrong += 1
            assert found.status is Status.REFUTED, found.line
    assert wrong > 0
