"""The lemmas behind small weights, against their definitions: staircases, columns, windows, carries, counting."""

import random
from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from flint import fmpq

from depthsep_check.columns import Form, carries, form_of, smod, split_columns
from depthsep_check.integer_layers import largest_weight, read_integer_layers
from depthsep_check.staircases import (
    Staircase,
    constant,
    decided,
    digit,
    floor_quotient,
    gates,
    hinges,
    identity,
    plus,
    positive,
    residue,
    times,
)
from depthsep_check.verdict import CheckFailure, Malformed, Unsupported


def table(f: Staircase) -> list[int]:
    return [f.at(v) for v in range(f.low, f.high + 1)]


def is_canonical(f: Staircase) -> bool:
    inside = all(f.low < t < f.high for t in f.changes)
    return inside and all(f.changes.values()) and (f.low < f.high or f.slope == 0)


@pytest.mark.parametrize("seed", range(50))
def test_functions_of_an_integer_against_their_definitions(seed: int) -> None:
    rng = random.Random(seed)
    low = rng.randint(-40, 10)
    high = low + rng.randint(0, 40)
    points = range(low, high + 1)
    modulus, kappa = 2 ** rng.randint(1, 5), rng.randint(0, 18)
    divisor, shift = rng.randint(1, 9), rng.randint(-9, 9)
    weights = [(rng.randint(low - 5, high + 5), rng.randint(-3, 3)) for _ in range(rng.randint(0, 8))]
    cases = [
        (hinges(low, high, weights, 7), [7 + sum(w * max(0, v - t) for t, w in weights) for v in points]),
        (gates(low, high, weights, 7), [7 + sum(w * (v >= t) for t, w in weights) for v in points]),
        (identity(low, high), list(points)),
        (constant(low, high, -3), [-3 for _ in points]),
        (floor_quotient(low, high, divisor, shift), [(v + shift) // divisor for v in points]),
        (residue(low, high, modulus), [smod(v, modulus) for v in points]),
        (positive(low, high, modulus, kappa), [int(smod(v, modulus) > kappa) for v in points]),
        (decided(low, high, modulus, kappa), [int(abs(smod(v, modulus)) > kappa) for v in points]),
        (digit(low, high, 3, 1, unit=2, shift=-low), [(v - low) // 6 % 3 for v in points]),
    ]
    for found, wanted in cases:
        assert table(found) == wanted
        assert is_canonical(found)
    (f, g), k = (rng.choice(cases)[0], rng.choice(cases)[0]), rng.randint(-2, 2)
    assert table(plus(f, times(g, k))) == [a + k * b for a, b in zip(table(f), table(g), strict=True)]
    assert is_canonical(plus(f, times(g, k)))
    assert f.bends_like(plus(f, constant(low, high, 5)))


def test_equal_functions_have_one_form() -> None:
    one = hinges(0, 9, [(2, 1), (5, -2), (5, 1), (12, 3), (-1, 1)])
    other = hinges(0, 9, [(5, -1), (-3, 1), (2, 1)], -2)
    assert one == other
    assert not one.bends_like(hinges(0, 9, [(5, -1), (-3, 1), (2, 2)]))


def test_a_jump_at_the_lower_end_counts_everywhere() -> None:
    """[V >= low] is 1 on the whole interval; its upper relu breaks at `low` itself."""
    assert gates(3, 8, [(3, 5)]) == constant(3, 8, 5)
    assert gates(3, 8, [(9, 5)]) == constant(3, 8, 0)
    assert table(gates(3, 8, [(4, 5), (8, 1)])) == [0, 5, 5, 5, 5, 6]


def test_windows_do_not_swap_where_kappa_reaches_half_of_the_modulus() -> None:
    assert table(decided(-4, 3, 8, 4)) == [0] * 8
    assert table(decided(-4, 3, 8, 3)) == [1] + [0] * 7
    assert table(positive(-4, 3, 8, 3)) == [0] * 8
    assert table(positive(-4, 3, 8, 7)) == [0] * 8


def value(form: Form, digits: Sequence[int]) -> int:
    return form.constant + sum(c * digits[e] for e, c in form.coefficients.items())


def require_lemmas(form: Form, highs: Sequence[int], column_bits: int, stride: int) -> None:
    """[S > 0] = sum h_c, sum B^c T_c = sum B^c D'_c = S / q, and all ranges, at all digits."""
    columns = split_columns(form, highs, column_bits, stride)
    base, n = columns.base, len(columns.forms)
    assert [w.column for w in columns.windows] == list(range(0, n, stride))
    ranges = carries(columns)
    assert [carry.column for carry in ranges] == list(range(n + 1))
    for digits in product(*(range(high + 1) for high in highs)):
        s = value(form, digits)
        t = [value(f, digits) for f in columns.forms]
        assert all(f.low <= v <= f.high for f, v in zip(columns.forms, t, strict=True))
        assert columns.divisor * sum(base**c * v for c, v in enumerate(t)) == s
        q = [(v + base // 2) // base for v in t]
        columns_above = zip([*t, 0], [*q, 0], [0, *q], strict=True)
        d = [own - base * out + into for own, out, into in columns_above]
        assert all(r.low <= v <= r.high for r, v in zip(ranges, d, strict=True))
        assert columns.divisor * sum(base**c * v for c, v in enumerate(d)) == s
        above, h = 0, []
        for window in reversed(columns.windows):
            residue_ = smod(value(window.form, digits), window.modulus)
            h.append(max(0, (residue_ > window.kappa) - above))
            above += abs(residue_) > window.kappa
        assert sum(h) == (s > 0)
        assert max(h) <= 1


@pytest.mark.parametrize("seed", range(60))
def test_columns_windows_and_carries(seed: int) -> None:
    rng = random.Random(seed)
    highs = [rng.randint(1, 4) for _ in range(rng.randint(1, 3))]
    size = 2 ** rng.randint(1, 40)
    coefficients = {e: rng.randint(-size, size) for e in range(len(highs))}
    coefficients[0] = coefficients[0] or 1
    if rng.random() < 0.5 and len(highs) > 1:
        coefficients[1] = -coefficients[0] + rng.randint(-2, 2)
    form = form_of(coefficients, rng.choice([0, rng.randint(-size, size), -coefficients[0]]), highs)
    require_lemmas(form, highs, rng.randint(2, 5), rng.randint(1, 3))


def test_small_coefficients_exhaustively() -> None:
    for a, b, c in product(range(-9, 10), range(-9, 10, 3), range(-20, 21, 4)):
        form = form_of({0: a, 1: b}, c, [2, 1])
        if not form.is_constant:
            require_lemmas(form, [2, 1], 2, 1)
            require_lemmas(form, [2, 1], 2, 2)


def test_the_modulus_also_covers_kappa() -> None:
    """Nearly empty columns above: kappa exceeds H there, and 2^r >= 2 H + 2 would swap the jumps."""
    highs = [2, 15, 1]
    form = form_of({0: -2048, 1: 260640, 2: 1035056}, -2085120, highs)
    columns = split_columns(form, highs, 4, 1)
    assert columns.divisor == 16
    assert [w.kappa for w in columns.windows][:5] == [0, 2, 7, 0, 3]
    assert columns.windows[2].modulus >= 2 * 7 + 4
    require_lemmas(form, highs, 4, 1)


# ------------------------------------------------------------------------------------------------------------------
# Integer layers


def block(inputs: list[int], weights: list[int], biases: list[int]) -> dict[str, Any]:
    return {"inputs": inputs, "weights": weights, "biases": biases}


def layers(**changes: Any) -> dict[str, Any]:
    """Two hidden layers of 3 and 2 units, one output."""
    first = {"blocks": [block([0, 1], [3, -4], [1, 0]), block([], [], [-2])], "exponents": [1, -2, 0]}
    second = {"blocks": [block([0, 2], [5, -6], [7]), block([1], [2], [0])], "exponents": None}
    output = {"rows": [{"inputs": [0, 1], "weights": [1, -1], "bias": 9}], "scale": "1/8"}
    found = {"kind": "integer-layers", "activation": "relu", "dim": 2, "layers": [first, second], "output": output}
    return {**found, **changes}


def brute_force_largest(network: dict[str, Any]) -> Fraction:
    """Every weight and bias one by one."""
    before: list[Fraction] | None = None
    sizes = []
    for layer in network["layers"]:
        scales = []
        for entry in layer["blocks"]:
            for bias in entry["biases"]:
                number = len(scales)
                own = Fraction(2) ** layer["exponents"][number] if layer["exponents"] else Fraction(1)
                pairs = zip(entry["weights"], entry["inputs"], strict=True)
                sizes += [abs(bias) * own, *(abs(w) * own / (before[u] if before else 1) for w, u in pairs)]
                scales.append(own)
        before = scales
    scale = Fraction(network["output"]["scale"])
    for row in network["output"]["rows"]:
        pairs = zip(row["weights"], row["inputs"], strict=True)
        sizes += [scale * abs(row["bias"]), *(scale * abs(w) / (before[u] if before else 1) for w, u in pairs)]
    return max(sizes)


@pytest.mark.parametrize("seed", range(30))
def test_counts(seed: int) -> None:
    rng = random.Random(seed)
    made = layers()
    for layer in made["layers"]:
        count = sum(len(entry["biases"]) for entry in layer["blocks"])
        layer["exponents"] = rng.choice([None, [rng.randint(-9, 9) for _ in range(count)]])
        for entry in layer["blocks"]:
            entry["weights"] = [rng.choice([-1, 1]) * rng.randint(1, 2 ** rng.randint(1, 20)) for _ in entry["weights"]]
            entry["biases"] = [rng.randint(-(2 ** rng.randint(0, 9)), 20) for _ in entry["biases"]]
    network = read_integer_layers(made, "network")
    assert largest_weight(network) == fmpq(*brute_force_largest(made).as_integer_ratio())
    assert (network.depth, network.neurons) == (3, 5)


def test_nonzeros_are_those_of_the_matrices() -> None:
    """Two units share a row of two weights: 4 weights and 1 bias; then 0 + 1; 2 + 1; 1 + 0; and 2 + 1 of the output."""
    assert read_integer_layers(layers(), "network").nonzeros == 4 + 1 + 1 + 2 + 1 + 1 + 2 + 1


def changed(path: tuple[Any, ...], value_: Any) -> dict[str, Any]:
    made = layers()
    target: Any = made
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value_
    return made


FIRST = ("layers", 0, "blocks", 0)
MALFORMED = {
    "a fraction as a bias": (changed((*FIRST, "biases"), [1, 0.5]), "expected integers, found 0.5"),
    "a text": (changed((*FIRST, "weights"), [3, "4"]), "expected integers"),
    "a boolean": (changed((*FIRST, "biases"), [True, 0]), "expected integers, found True"),
    "an input twice": (changed((*FIRST, "inputs"), [1, 1]), "must increase strictly within 0..1"),
    "inputs not in order": (changed((*FIRST, "inputs"), [1, 0]), "must increase strictly"),
    "a negative input": (changed((*FIRST, "inputs"), [-1, 1]), "must increase strictly"),
    "an input beyond the layer": (changed((*FIRST, "inputs"), [0, 2]), "must increase strictly"),
    "a weight too many": (changed((*FIRST, "weights"), [3, -4, 1]), "2 inputs and 3 weights"),
    "a weight 0": (changed((*FIRST, "weights"), [3, 0]), "a weight is 0"),
    "exponents too few": (changed(("layers", 0, "exponents"), [1, 2]), "one for each of the 3 units, has 2"),
    "an exponent too large": (changed(("layers", 0, "exponents"), [1, 2, 2001]), "must lie in -2000..2000"),
    "a boolean exponent": (changed(("layers", 0, "exponents"), [1, 2, False]), "expected integers"),
    "a fraction as the bias of a row": (changed(("output", "rows", 0, "bias"), "1"), "expected integers"),
    "an output beyond the layer": (changed(("output", "rows", 0, "inputs"), [0, 2]), "must increase strictly"),
    "blocks that are no list": (changed(("layers", 0, "blocks"), {}), "expected a list"),
    "biases that are no list": (changed((*FIRST, "biases"), 3), "expected a list"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_layers(name: str) -> None:
    made, reason = MALFORMED[name]
    with pytest.raises(Malformed) as failure:
        read_integer_layers(made, "network")
    assert reason in failure.value.text


def test_other_kinds() -> None:
    for made in (layers(activation="sigmoid"), layers(kind="dense")):
        with pytest.raises(Unsupported):
            read_integer_layers(made, "network")
    with pytest.raises(CheckFailure):
        read_integer_layers(layers(extra=1), "network")
