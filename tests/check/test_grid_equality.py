"""Grid equalities: what is accepted, what it says, one forgery for each way a checker of them can be fooled."""

import copy
import json
import random
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import product
from math import floor
from typing import Any

import pytest

from depthsep.networks.grids import DOMAINS
from depthsep.networks.integer_layers import IntegerLayers
from depthsep.networks.relu import ReluNetwork
from depthsep.small_weights.balance import balanced_exponents
from depthsep.small_weights.compiler import compile_on_grid
from depthsep.small_weights.parameters import LayerParameters, Parameters
from depthsep_check import Status, check
from depthsep_check.document import encode
from depthsep_check.equalities import grid_equality
from depthsep_check.verdict import Verdict

UNIT, SYMMETRIC = DOMAINS
Source = list[tuple[list[list[Any]], list[Any]]]
Network = dict[str, Any]
Point = tuple[int, ...]

BIG = 2**40 + 1
SOURCES: dict[str, Source] = {
    "affine": [([[3, -2], ["1/3", 5]], ["1/2", -1])],
    "thirds": [([["1/3"], [-2], ["5/7"]], ["-1/9", 1, 0]), ([[3, "1/2", -4]], ["1/5"])],
    "cancelling": [([[BIG, -BIG], [1 - BIG, BIG]], [1, 0]), ([[1, -1]], [0])],
    "comparator": [([[BIG], [BIG]], [-(BIG * 3 // 8), 1 - BIG * 3 // 8]), ([[1, -1], [-1, 2]], [0, "1/3"])],
    "dead": [([[1], [-1]], [-2, -3]), ([[4, 5]], ["7/3"])],
    "one dead": [([[1, 2], [-1, -1]], [-1, -3]), ([[4, 5]], ["7/3"])],
    "deep": [([[9], [-7]], [-2, 4]), ([[5, -3], [-2, 3]], [1, -2]), ([[1, -1]], [0])],
    "equal neurons": [([[3], [3], [3], [3]], [-1] * 4), ([[1, -1, 2, -2], [1, 1, 0, 0]], [0, -1]), ([[1, 1]], [0])],
    "zero": [([[0]], [0]), ([[0]], [0])],
}
MODES = ("theorem", "compact", "merged")


def fractions(source: Source) -> list[tuple[list[list[Fraction]], list[Fraction]]]:
    return [([[Fraction(w) for w in row] for row in rows], [Fraction(b) for b in biases]) for rows, biases in source]


def source_values(source: Source, point: tuple[Fraction, ...]) -> list[Fraction]:
    values = list(point)
    for index, (rows, biases) in enumerate(fractions(source)):
        values = [max(v, Fraction(0)) for v in values] if index else values
        values = [sum((w * v for w, v in zip(r, values, strict=True)), b) for r, b in zip(rows, biases, strict=True)]
    return values


def network_values(network: Network, point: tuple[Fraction, ...]) -> list[Fraction]:
    """Exact outputs of an integer-layers object; the exponents are left out, as they change nothing."""
    values: list[Any] = list(point)
    for layer in network["layers"]:
        found = []
        for entry in layer["blocks"]:
            total = sum(w * values[u] for w, u in zip(entry["weights"], entry["inputs"], strict=True))
            total = int(total) if total == int(total) else total
            found += [max(total + bias, 0) for bias in entry["biases"]]
        values = found
    scale = Fraction(network["output"]["scale"])
    rows = network["output"]["rows"]
    sums = [sum(w * values[u] for w, u in zip(r["weights"], r["inputs"], strict=True)) + r["bias"] for r in rows]
    return [scale * total for total in sums]


def grid(dim: int, grid_bits: int, domain: str) -> list[tuple[Fraction, ...]]:
    size = 2**grid_bits
    axis = [Fraction(X, size) for X in range(size + 1)]
    return list(product(axis if domain == UNIT else [2 * x - 1 for x in axis], repeat=dim))


@cache
def compiled(
    name: str,
    mode: str,
    domain: str = UNIT,
    grid_bits: int = 3,
    output_bits: int | None = None,
    layer: tuple[int, int, int] | None = (3, 4, 1),
    fine_bits: int | None = None,
) -> str:
    """The document object, as text, of a compiled network; the range is the largest value on the grid.

    `layer` holds L, u and s for all hidden layers; None leaves the choice to the compiler.
    """
    source = ReluNetwork.from_arrays(fractions(SOURCES[name]))
    points = grid(source.dim, grid_bits, domain)
    bound = max(abs(y) for x in points for y in source_values(SOURCES[name], x))
    layers = tuple(LayerParameters(*layer) for _ in source.widths) if layer else ()
    made = compile_on_grid(
        source,
        domain=domain,
        grid_bits=grid_bits,
        range_bound=bound,
        mode=mode,
        output_bits=output_bits,
        parameters=Parameters(1 if fine_bits else 2, fine_bits, layers) if layer else None,
    )
    claim = {
        "kind": "grid-equality",
        "dim": source.dim,
        "outputs": source.outputs,
        "domain": domain,
        "grid_bits": grid_bits,
        "arithmetic": "real",
        "range": str(bound),
        "range_proof": "enumeration",
        "error": str(made.error),
        "max_weight": str(made.network.max_weight),
        "off_grid": None,
    }
    parts = {"function": source.to_json(), "claim": claim, "network": made.network.to_json(), "witness": made.witness}
    return json.dumps({"format": "depthsep", "version": 1, "made_by": "a test", **parts})


def document(name: str, mode: str, *options: Any, **named: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(compiled(name, mode, *options, **named))
    return made


def verdict(made: dict[str, Any]) -> Verdict:
    return check(encode(made))


def block(made: dict[str, Any], layer: int, number: int) -> dict[str, Any]:
    """A block; layers and blocks may be counted from the end."""
    found: dict[str, Any] = made["network"]["layers"][layer]["blocks"][number]
    return found


def drop_units(made: dict[str, Any], layer: int, number: int, units: list[int]) -> None:
    """Delete units of a block, by their places in it, and all weights with which the next layer reads them."""
    blocks = made["network"]["layers"][layer]["blocks"]
    start = sum(len(entry["biases"]) for entry in blocks[:number])
    blocks[number]["biases"] = [b for i, b in enumerate(blocks[number]["biases"]) if i not in units]
    gone = [start + i for i in units]
    for entry in made["network"]["layers"][layer + 1]["blocks"]:
        kept = [(u, w) for u, w in zip(entry["inputs"], entry["weights"], strict=True) if u not in gone]
        entry["inputs"] = [u - sum(g < u for g in gone) for u, _ in kept]
        entry["weights"] = [w for _, w in kept]


def require(made: dict[str, Any], status: Status, reason: str) -> None:
    found = verdict(made)
    assert found.status is status, found.line
    assert reason in found.text, found.line


def require_equal_on_grid(made: dict[str, Any], source: Source) -> None:
    claim = made["claim"]
    for point in grid(claim["dim"], claim["grid_bits"], claim["domain"]):
        pairs = zip(network_values(made["network"], point), source_values(source, point), strict=True)
        assert all(abs(found - wanted) <= Fraction(claim["error"]) for found, wanted in pairs)


# ------------------------------------------------------------------------------------------------------------------
# What is accepted


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", SOURCES)
def test_compiled_networks_are_verified_and_equal(name: str, mode: str, domain: str) -> None:
    made = document(name, mode, domain)
    require(made, Status.VERIFIED, "")
    require_equal_on_grid(made, SOURCES[name])


VARIANTS: dict[str, dict[str, Any]] = {
    "chosen parameters": {"layer": None},
    "stride 2, larger digits": {"layer": (2, 16, 2)},
    "stride 16": {"layer": (4, 2, 16)},
    "digits of 2": {"layer": (2, 2, 1)},
    "rounded": {"output_bits": 1},
    "two levels": {"fine_bits": 1},
    "two levels, one coarse bit": {"fine_bits": 2, "domain": SYMMETRIC},
}


@pytest.mark.parametrize(
    ("variant", "mode"),
    [(v, mode) for v in VARIANTS for mode in MODES if mode != "merged" or "fine_bits" not in VARIANTS[v]],
)
@pytest.mark.parametrize("name", ["comparator", "deep"])
def test_other_parameters(name: str, mode: str, variant: str) -> None:
    made = document(name, mode, **VARIANTS[variant])
    require(made, Status.VERIFIED, "")
    require_equal_on_grid(made, SOURCES[name])


def test_depths() -> None:
    """3k+3, 5k+1 and 2k+2, also where the inputs are read in two levels."""
    for name, k in (("affine", 1), ("thirds", 2), ("deep", 3)):
        assert f"N: depth {3 * k + 3}, " in verdict(document(name, "theorem")).text
        assert f"N: depth {3 * k + 3}, " in verdict(document(name, "theorem", fine_bits=1)).text
        assert f"N: depth {5 * k + 1}, " in verdict(document(name, "compact")).text
        assert f"N: depth {2 * k + 2}, " in verdict(document(name, "merged")).text


def test_the_statement_recounts_everything() -> None:
    made = document("thirds", "theorem", SYMMETRIC)
    layers, rows = made["network"]["layers"], made["network"]["output"]["rows"]
    blocks = [entry for layer in layers for entry in layer["blocks"]]
    units = sum(len(entry["biases"]) for entry in blocks)
    weights = sum(len(entry["biases"]) * len(entry["weights"]) for entry in blocks) + 2
    biases = sum(bias != 0 for entry in blocks for bias in entry["biases"]) + (rows[0]["bias"] != 0)
    largest = max(abs(v) for entry in blocks for v in entry["weights"] + entry["biases"])
    assert verdict(made).text == (
        "|N(x) - source(x)| <= 0 for every output at all (2^3 + 1)^1 grid points of [-1,1]^d, coordinates "
        f"2 X / 2^3 - 1 (exact arithmetic); N: depth 9, {units} neurons, {weights + biases} nonzeros, "
        f"weights and biases at most {largest}; source: dimension 1, 1 outputs, depth 2, widths (3)"
    )


def test_exponents_change_nothing_but_the_size_of_the_weights() -> None:
    made = document("thirds", "compact")
    rng = random.Random(1)
    for layer in made["network"]["layers"]:
        layer["exponents"] = [rng.randint(-20, 0) for entry in layer["blocks"] for _ in entry["biases"]]
    require(made, Status.REFUTED, "a weight or bias is larger than the claimed maximum")
    made["claim"]["max_weight"] = str(2**60)
    require(made, Status.VERIFIED, f"weights and biases at most {2**60}")


@pytest.mark.parametrize("mode", MODES)
def test_balanced_networks(mode: str) -> None:
    """The largest weight after balancing is counted exactly: one part in 2^80 less is refused."""
    made = document("thirds", mode)
    network = IntegerLayers.from_json(made["network"])
    balanced = network.with_exponents(balanced_exponents(network))
    assert balanced.max_weight < network.max_weight / 100
    made["network"], made["claim"]["max_weight"] = balanced.to_json(), str(balanced.max_weight)
    require(made, Status.VERIFIED, f"weights and biases at most {balanced.max_weight}")
    made["claim"]["max_weight"] = str(balanced.max_weight * (1 - Fraction(1, 2**80)))
    require(made, Status.REFUTED, "a weight or bias is larger than the claimed maximum")


def test_a_gate_at_the_lower_end_of_its_form_is_constant() -> None:
    """[V >= low] read with the weight 5 is the constant 5: right with the bias moved by it, wrong without."""
    made = document("thirds", "theorem")
    wrap, clip = made["network"]["layers"][-2]["blocks"][0], made["network"]["layers"][-1]["blocks"][0]
    units = len(wrap["biases"])
    wrap["biases"] += [1, 0]
    clip["inputs"] += [units, units + 1]
    clip["weights"] += [5, -5]
    require(made, Status.REFUTED, "its second bias has to be")
    clip["biases"] = [bias - 5 for bias in clip["biases"]]
    require(made, Status.VERIFIED, "")


# ------------------------------------------------------------------------------------------------------------------
# Forgeries. The base is `thirds` (3 hidden neurons, 2 sign columns each) in theorem mode, where the layers are 0 ramps,
# 1 digits, 2 T and V, 3 h and D', 4 masks, 5 collect, 6 wrap, 7 clip; in compact mode 2 stores T and V, 3 has blocks
# on them, 4 stores h and D', 5 has [S > 0] and blocks on D', 6 masks; in merged mode 1 has T and V, 2 masks, 3 wrap,
# 4 clip.


def with_row(row: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    def edit(made: dict[str, Any]) -> None:
        made["network"]["output"]["rows"][0].update(row)

    return edit


def halve_units(made: dict[str, Any]) -> None:
    """The clip in half units: all twice as large, the scale halved, and one bias an odd number of halves."""
    clip, output = block(made, -1, 0), made["network"]["output"]
    clip["weights"] = [2 * w for w in clip["weights"]]
    clip["biases"] = [2 * clip["biases"][0] + 1, 2 * clip["biases"][1]]
    output["scale"], output["rows"][0]["bias"] = "1/10080", 2 * output["rows"][0]["bias"]


def extra_layer(made: dict[str, Any]) -> None:
    blocks = [{"inputs": [unit], "weights": [3], "biases": [0]} for unit in (0, 1)]
    made["network"]["layers"].append({"blocks": blocks, "exponents": None})


def edit_block(layer: int, number: int, key: str, place: int, change: int) -> Callable[[dict[str, Any]], None]:
    def edit(made: dict[str, Any]) -> None:
        block(made, layer, number)[key][place] += change

    return edit


def set_block(layer: int, number: int, key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def edit(made: dict[str, Any]) -> None:
        block(made, layer, number)[key] = value

    return edit


def set_part(part: str, key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def edit(made: dict[str, Any]) -> None:
        made[part][key] = value

    return edit


def delete_block(layer: int, number: int) -> Callable[[dict[str, Any]], None]:
    def edit(made: dict[str, Any]) -> None:
        drop_units(made, layer, number, list(range(len(block(made, layer, number)["biases"]))))
        del made["network"]["layers"][layer]["blocks"][number]

    return edit


def repeat_last_block(layer: int) -> Callable[[dict[str, Any]], None]:
    def edit(made: dict[str, Any]) -> None:
        made["network"]["layers"][layer]["blocks"].append(copy.deepcopy(block(made, layer, -1)))

    return edit


def read_twice(made: dict[str, Any]) -> None:
    """The last digit stored once more, and counted twice by the collecting unit."""
    repeat_last_block(4)(made)
    collect = block(made, 5, 0)
    collect["inputs"].append(len(collect["inputs"]))
    collect["weights"].append(collect["weights"][-1])


def drop_a_period(layer: int, number: int, units: list[int]) -> Callable[[dict[str, Any]], None]:
    return lambda made: drop_units(made, layer, number, units)


def wrap_end(made: dict[str, Any]) -> None:
    """Another slope after the last jump."""
    block(made, 7, 0)["weights"][-1] += 1


def scale(value: str) -> Callable[[dict[str, Any]], None]:
    def edit(made: dict[str, Any]) -> None:
        made["network"]["output"]["scale"] = value

    return edit


def weak_masks(made: dict[str, Any]) -> None:
    """K one too small throughout: relu(y + 2 sum h - 2) for y in 0..3."""
    mask = block(made, 4, 1)
    mask["weights"][:2], mask["biases"] = [2, 2], [-2]


def read_overlapping(made: dict[str, Any]) -> None:
    """h_0 reads a unit of T_0 as well."""
    row = block(made, 3, 0)
    row["inputs"].insert(0, 0)
    row["weights"].insert(0, 1)


def cancel_modulo_64_bits(made: dict[str, Any]) -> None:
    """Four equal neurons, each with a coefficient larger by 2^62: nothing changes modulo 2^64."""
    rows = made["function"]["layers"][1]["weights"]
    rows[0] = [str(int(w) + 2**62) for w in rows[0]]


def enlarge_slightly(made: dict[str, Any]) -> None:
    """A scale that is larger by 2^-40 of itself: the error grows with the range."""
    output = made["network"]["output"]
    output["scale"] = str(Fraction(output["scale"]) * (1 + Fraction(1, 2**40)))


def reduce_error(made: dict[str, Any]) -> None:
    made["claim"]["error"] = str(Fraction(made["claim"]["error"]) * (1 - Fraction(1, 2**80)))


def round_source(made: dict[str, Any]) -> None:
    """The source whose 41-bit weights are those that float32 holds."""
    made["function"]["layers"][0]["weights"] = [["1099511627776"], ["1099511627776"]]


def move_domain(made: dict[str, Any]) -> None:
    made["claim"]["domain"] = SYMMETRIC


def swap_inputs(made: dict[str, Any]) -> None:
    block(made, 0, 0)["inputs"], block(made, 0, 1)["inputs"] = [1], [0]


def swap_outputs(made: dict[str, Any]) -> None:
    rows = made["network"]["output"]["rows"]
    rows[0]["inputs"], rows[1]["inputs"] = rows[1]["inputs"], rows[0]["inputs"]


def alias(made: dict[str, Any]) -> None:
    """A range within the clip, once that is moved outwards, but not within the residues."""
    made["claim"]["range"] = "7/2"
    clip, row = block(made, 7, 0), made["network"]["output"]["rows"][0]
    clip["biases"] = [clip["biases"][0] + 9000, clip["biases"][1] - 9000]
    row["bias"] -= 9000


THIRDS, COMPACT, MERGED = ("thirds", "theorem"), ("thirds", "compact"), ("thirds", "merged")
ROUNDED = ("thirds", "theorem", UNIT, 3, 1)
FORGERIES: dict[str, tuple[tuple[Any, ...], Callable[[dict[str, Any]], None], Status, str]] = {
    "1 a half bias": (THIRDS, set_block(4, 0, "biases", ["1/2"]), Status.MALFORMED, "expected integers"),
    "1 half units": (
        THIRDS,
        halve_units,
        Status.REFUTED,
        "output 0 may leave the residues modulo 2^15",
    ),
    "2 outputs swapped": (THIRDS, with_row({"inputs": [1, 0]}), Status.MALFORMED, "must increase strictly"),
    "2 weights swapped": (THIRDS, with_row({"weights": [-1, 1]}), Status.REFUTED, "output: row 0 must be unit 0 minus"),
    "2 one term": (THIRDS, with_row({"inputs": [0], "weights": [1]}), Status.REFUTED, "output: row 0 must be"),
    "2 another offset": (THIRDS, with_row({"bias": -10031}), Status.REFUTED, "with the bias -10032"),
    "2 no row": (
        THIRDS,
        lambda made: made["network"]["output"]["rows"].clear(),
        Status.REFUTED,
        "0 rows for 1 outputs",
    ),
    "2 outputs exchanged": (("affine", "theorem"), swap_outputs, Status.REFUTED, "output: row 0 must be unit 0 minus"),
    "2 a third clip": (THIRDS, set_block(7, 0, "biases", [1, 2, 3]), Status.REFUTED, "a clip has two biases"),
    "3 an extra unit": (THIRDS, set_block(4, -1, "biases", [-3, 1]), Status.REFUTED, "needs exactly one bias, -3"),
    "3 a unit in an empty layer": (
        ("dead", "theorem"),
        set_block(2, 0, "biases", [1]),
        Status.REFUTED,
        "network.layers[2].blocks[0]: a layer without blocks has one with an empty row and the bias 0",
    ),
    "3 an extra layer": (THIRDS, extra_layer, Status.REFUTED, "layers: 9 hidden layers, this mode has 8"),
    "3 a missing layer": (THIRDS, lambda made: made["network"]["layers"].pop(-1), Status.REFUTED, "layers: 7 hidden"),
    "4 an input twice": (THIRDS, set_block(3, 1, "inputs", [8, 8]), Status.MALFORMED, "must increase strictly"),
    "5 no sign column 0": (THIRDS, delete_block(2, 2), Status.REFUTED, "layers[2].blocks[2]: the row is not"),
    "5 a larger stride": (
        THIRDS,
        lambda made: made["witness"]["layers"][0].update(stride=2),
        Status.REFUTED,
        "layers[2].blocks[3]: the row is not that of its form",
    ),
    "6 a column twice": (
        THIRDS,
        repeat_last_block(3),
        Status.REFUTED,
        "layers[3].blocks[12]: the layer ends before it",
    ),
    "6 a digit twice": (THIRDS, read_twice, Status.REFUTED, "layers[4].blocks[13]: the layer ends before it"),
    "7 the slope at the end": (THIRDS, wrap_end, Status.REFUTED, "layers[7].blocks[0]: it does not compute the right"),
    "8 a scale 0": (THIRDS, scale("0"), Status.REFUTED, "the scale must be positive"),
    "8 a negative scale": (THIRDS, scale("-1/5040"), Status.REFUTED, "the scale must be positive"),
    "8 no modulus": (THIRDS, set_part("witness", "modulus_bits", 0), Status.MALFORMED, "0 is outside 1..300"),
    "8 no guard": (THIRDS, set_part("witness", "guard_bits", 0), Status.MALFORMED, "0 is outside 1..40"),
    "9 beyond 64 bits": (("equal neurons", "theorem"), cancel_modulo_64_bits, Status.REFUTED, "the row is not that of"),
    "10 a ramp moved": (THIRDS, edit_block(0, 0, "biases", 3, 1), Status.REFUTED, "layers[1].blocks[0]: it does not"),
    "10 a steeper ramp": (
        THIRDS,
        edit_block(0, 0, "weights", 0, 1),
        Status.REFUTED,
        "the row must be 128 times input 0",
    ),
    "10 inputs exchanged": (("affine", "theorem"), swap_inputs, Status.REFUTED, "the row must be 128 times input 0"),
    "11 another scale": (ROUNDED, enlarge_slightly, Status.REFUTED, "the error is at most"),
    "11 a smaller error": (ROUNDED, reduce_error, Status.REFUTED, "which is above the claim"),
    "12 a period of the wrap": (
        THIRDS,
        drop_a_period(6, 0, [3, 4]),
        Status.REFUTED,
        "layers[7].blocks[0]: it does not",
    ),
    "12 the last period": (THIRDS, drop_a_period(6, 0, [5, 6]), Status.REFUTED, "layers[7].blocks[0]: it does not"),
    "12 a carry": (THIRDS, drop_a_period(2, 0, [3, 4]), Status.REFUTED, "layers[3].blocks[2]: it does not"),
    "12 all carries": (
        THIRDS,
        drop_a_period(2, 0, [0, 1, 2, 3, 4]),
        Status.REFUTED,
        "layers[3].blocks[2]: it does not",
    ),
    "13 overlapping groups": (THIRDS, read_overlapping, Status.REFUTED, "layers[3].blocks[0]: it reads 5 units"),
    "14 a negative input": (THIRDS, set_block(4, 2, "inputs", [-1, 1, 3, 4]), Status.MALFORMED, "increase strictly"),
    "14 an input too large": (THIRDS, set_block(7, 0, "inputs", list(range(1, 8))), Status.MALFORMED, "within 0..6"),
    "15 another K for one h": (THIRDS, edit_block(4, 1, "weights", 0, 1), Status.REFUTED, "layers[4].blocks[1]"),
    "15 a small K": (THIRDS, weak_masks, Status.REFUTED, "layers[4].blocks[1]: it does not"),
    "15 a bias of a mask": (THIRDS, edit_block(4, 1, "biases", 0, 1), Status.REFUTED, "needs exactly one bias, -3"),
    "15 K in compact mode": (COMPACT, edit_block(6, 1, "weights", 0, 1), Status.REFUTED, "layers[6].blocks[1]"),
    "15 a column missing": (MERGED, delete_block(2, 3), Status.REFUTED, "layers[2].blocks[3]"),
    "15 a column twice": (
        MERGED,
        lambda made: block(made, 2, 3).update(copy.deepcopy(block(made, 2, 2))),
        Status.REFUTED,
        "layers[2].blocks[3]: it does not compute the right function",
    ),
    "15 columns read apart": (
        MERGED,
        edit_block(3, 0, "weights", 2, 1),
        Status.REFUTED,
        "layers[3].blocks[0]: the row",
    ),
    "16 a column missing": (THIRDS, delete_block(3, 3), Status.REFUTED, "layers[3].blocks[3]"),
    "16 a form missing": (THIRDS, delete_block(2, 1), Status.REFUTED, "layers[2].blocks[1]: the row is not"),
    "17 a range too small": (
        THIRDS,
        set_part("claim", "range", "1"),
        Status.REFUTED,
        "range: enumeration: the source may",
    ),
    "17 another source": (
        THIRDS,
        lambda made: made["function"]["layers"][0]["biases"].__setitem__(1, "2"),
        Status.REFUTED,
        "layers[3].blocks[4]: it does not compute the right function",
    ),
    "17 another domain": (THIRDS, move_domain, Status.REFUTED, "layers[0].blocks[0]: the row must be 64 times input 0"),
    "17 a range beyond the residues": (THIRDS, alias, Status.REFUTED, "may leave the residues modulo 2^15"),
    "18 a smaller maximum": (
        THIRDS,
        set_part("claim", "max_weight", "94103"),
        Status.REFUTED,
        "larger than the claimed",
    ),
    "19 a source rounded to floats": (
        ("comparator", "theorem"),
        round_source,
        Status.REFUTED,
        "layers[2].blocks[2]: the row",
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forgeries(name: str) -> None:
    base, edit, status, reason = FORGERIES[name]
    made = document(*base)
    require(made, Status.VERIFIED, "")
    edit(made)
    require(made, status, reason)


def test_a_network_without_its_last_layers() -> None:
    made = document(*THIRDS)
    made["network"]["layers"] = []
    require(made, Status.MALFORMED, "must increase strictly within 0..0")


# ------------------------------------------------------------------------------------------------------------------
# Ranges, the mean off the grid, and the rest of the claim


def test_an_assumed_range_is_printed_as_assumed() -> None:
    made = document(*THIRDS)
    bound = made["claim"]["range"]
    made["claim"]["range_proof"] = "assumed"
    require(made, Status.VERIFIED, f"ASSUMING |source| <= {bound} on the grid: |N(x) - source(x)| <= 0 ")
    made["claim"]["range_proof"] = "enumeration"
    assert "ASSUMING" not in verdict(made).text


def test_intervals_bound_the_source_on_the_whole_domain() -> None:
    """Their bound is 93/35 where the source reaches 209/105; without hidden neurons the two are equal."""
    made = document(*THIRDS)
    assert made["claim"]["range"] == "209/105"
    made["claim"]["range_proof"] = "intervals"
    require(made, Status.REFUTED, "range: intervals: the source may reach 93/35")
    made = document("affine", "theorem")
    made["claim"]["range_proof"] = "intervals"
    require(made, Status.VERIFIED, "")


def test_a_range_that_the_modulus_does_not_hold() -> None:
    made = document(*THIRDS)
    made["claim"]["range"] = "1000"
    require(made, Status.REFUTED, "output 0 may leave the residues modulo 2^15")
    limit = -made["network"]["output"]["rows"][0]["bias"]
    made["claim"]["range"] = str(Fraction(limit + 1, 5040))
    require(made, Status.REFUTED, f"output 0 is clipped at {limit}, it may reach {limit + 1}")


def off_grid_bound(made: dict[str, Any], density: Fraction, pieces: int) -> Fraction:
    """The formula of the layout page."""
    claim, g, p = made["claim"], made["witness"]["guard_bits"], made["claim"]["grid_bits"]
    limit = -made["network"]["output"]["rows"][0]["bias"] * Fraction(made["network"]["output"]["scale"])
    bound, own = Fraction(claim["range"]), claim["dim"] * density * (1 if claim["domain"] == UNIT else 2)
    return Fraction(claim["error"]) + own / 2**g * (bound + limit) + own / 2**p * bound * pieces


@pytest.mark.parametrize(("name", "pieces"), [("thirds", 4), ("cancelling", 3), ("deep", 9)])
@pytest.mark.parametrize("domain", DOMAINS)
def test_the_mean_off_the_grid(name: str, pieces: int, domain: str) -> None:
    made = document(name, "theorem", domain, 3, 2)
    bound = off_grid_bound(made, Fraction(3, 2), pieces)
    made["claim"]["off_grid"] = {"density": "3/2", "mean_error": str(bound)}
    text = (
        f"is at most {bound} for every random x in {domain} whose coordinates have conditional densities of at most 3/2"
    )
    require(made, Status.VERIFIED, text)
    made["claim"]["off_grid"]["mean_error"] = str(bound * (1 - Fraction(1, 10**30)))
    require(made, Status.REFUTED, "off-grid: the mean error that follows is larger")


@pytest.mark.parametrize(("name", "options"), [("deep", {}), ("comparator", {"fine_bits": 1}), ("thirds", {})])
@pytest.mark.parametrize("mode", ["theorem", "merged"])
@pytest.mark.parametrize("domain", DOMAINS)
def test_between_grid_points(name: str, options: dict[str, Any], mode: str, domain: str) -> None:
    """Off the ramps a verified network has its value at the nearest grid point; on them it keeps to its range."""
    made = document(name, mode, domain, **(options if mode == "theorem" else {}))
    require(made, Status.VERIFIED, "")
    rng, network, claim = random.Random(3), made["network"], made["claim"]
    limit = -network["output"]["rows"][0]["bias"] * Fraction(network["output"]["scale"])
    steps = 2 ** (claim["grid_bits"] + made["witness"]["guard_bits"])
    for _ in range(60):
        t = Fraction(rng.randint(0, 7 * steps), 7 * steps)
        scaled = t * 2 ** claim["grid_bits"]
        nearest = floor(scaled + Fraction(1, 2))
        on_ramp = (nearest + Fraction(1, 2) - scaled) * 2 ** made["witness"]["guard_bits"] < 1
        point, grid_point = t, Fraction(nearest, 2 ** claim["grid_bits"])
        if domain == SYMMETRIC:
            point, grid_point = 2 * point - 1, 2 * grid_point - 1
        found, wanted = network_values(network, (point,))[0], source_values(SOURCES[name], (grid_point,))[0]
        assert abs(found) <= limit
        assert on_ramp or abs(found - wanted) <= Fraction(claim["error"])


MALFORMED: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "a negative range": (set_part("claim", "range", "-1"), "claim.range: must not be negative"),
    "a negative error": (set_part("claim", "error", "-1"), "claim.error: must not be negative"),
    "a range that is a float": (set_part("claim", "range", 0.5), "only integers and numbers in strings"),
    "no grid": (set_part("claim", "grid_bits", 0), "claim.grid_bits: 0 is outside 1..24"),
    "a boolean grid": (set_part("claim", "grid_bits", True), "claim.grid_bits: expected an integer"),
    "another dimension": (set_part("claim", "dim", 2), "function.dim: 1 where the claim says 2"),
    "another number of outputs": (set_part("claim", "outputs", 2), "function: 1 where the claim says 2"),
    "a network of another dimension": (set_part("network", "dim", 2), "network.dim: 2 where the claim says 1"),
    "an unknown key": (set_part("claim", "norm", "sup"), "unknown key 'norm'"),
    "a hint": (set_part("witness", "hints", []), "unknown key 'hints'"),
    "layers too many": (lambda made: made["witness"]["layers"].append({}), "2 entries, at most 1"),
    "layers too few": (lambda made: made["witness"]["layers"].clear(), "needs 1 entries, has 0"),
    "columns of one bit": (lambda made: made["witness"]["layers"][0].update(column_bits=1), "1 is outside 2..40"),
    "digits of one": (lambda made: made["witness"]["layers"][0].update(digit_size=1), "1 is outside 2..1048576"),
    "no stride": (lambda made: made["witness"]["layers"][0].update(stride=0), "0 is outside 1..16"),
    "no fine bits": (set_part("witness", "fine_bits", 0), "witness.fine_bits: 0 is outside 1..2"),
    "only fine bits": (set_part("witness", "fine_bits", 3), "witness.fine_bits: 3 is outside 1..2"),
    "a fine grid in one level": (set_part("claim", "grid_bits", 15), "a grid of 15 bits needs two levels"),
    "density": (set_part("claim", "off_grid", {"density": "-1", "mean_error": "1"}), "must not be negative"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str) -> None:
    edit, reason = MALFORMED[name]
    made = document(*THIRDS)
    edit(made)
    found = check(made) if "float" in name else verdict(made)
    assert found.status is Status.MALFORMED, found.line
    assert reason in found.text, found.line


def test_two_levels_are_not_for_merged_mode() -> None:
    made = document(*MERGED)
    made["witness"]["fine_bits"] = 1
    require(made, Status.MALFORMED, "two levels are for theorem and compact mode")


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("claim", "domain", "R^d"),
        ("claim", "arithmetic", "float32"),
        ("claim", "range_proof", "sampling"),
        ("witness", "mode", "fast"),
        ("witness", "kind", "trace"),
        ("network", "activation", "tanh"),
    ],
)
def test_unsupported(part: str, key: str, value: str) -> None:
    made = document(*THIRDS)
    made[part][key] = value
    require(made, Status.UNSUPPORTED, f"{part}.{key} '{value}'")


@pytest.mark.parametrize(("work", "step"), [(50, "forms"), (100, "output")])
def test_forms_that_take_too_much_work(monkeypatch: pytest.MonkeyPatch, work: int, step: str) -> None:
    monkeypatch.setattr(grid_equality, "_FORM_WORK", work)
    require(document(*THIRDS), Status.EXHAUSTED, f"{step}: the work limit of {work} units was reached")


# ------------------------------------------------------------------------------------------------------------------
# Random edits


EDITED = [
    ("thirds", "theorem"),
    ("thirds", "compact"),
    ("thirds", "merged"),
    ("deep", "theorem", SYMMETRIC),
    ("deep", "merged"),
    ("comparator", "compact", SYMMETRIC, 3, 1),
    ("affine", "merged", UNIT, 2, 0),
    ("cancelling", "theorem", UNIT, 2),
]


def edit_one_number(network: Network, rng: random.Random) -> None:
    """Move one weight, bias or input by 1 in either direction."""
    rows = network["output"]["rows"]
    places = [(entry, key) for layer in network["layers"] for entry in layer["blocks"] for key in ("weights", "biases")]
    places += [(row, "weights") for row in rows]
    places += [(entry, "inputs") for layer in network["layers"] for entry in layer["blocks"] if rng.random() < 0.2]
    numbers = [(entry[key], index) for entry, key in places for index in range(len(entry[key]))]
    target, index = rng.choice(numbers)
    target[index] += rng.choice([-1, 1])
    if rng.random() < 0.02:
        rng.choice(rows)["bias"] += rng.choice([-1, 1])


def same_on_grid(made: dict[str, Any], network: Network) -> bool:
    claim = made["claim"]
    points = grid(claim["dim"], claim["grid_bits"], claim["domain"])
    return all(network_values(made["network"], x) == network_values(network, x) for x in points)


@pytest.mark.parametrize("base", EDITED)
def test_no_edit_that_changes_an_output_is_verified(base: tuple[Any, ...]) -> None:
    made, rng = document(*base), random.Random(7)
    made["claim"]["max_weight"] = str(Fraction(made["claim"]["max_weight"]) + 1)
    original = copy.deepcopy(made["network"])
    refused = 0
    for _ in range(50):
        made["network"] = copy.deepcopy(original)
        edit_one_number(made["network"], rng)
        if verdict(made).status is Status.VERIFIED:
            assert same_on_grid(made, original)
        else:
            refused += 1
    assert refused >= 40
