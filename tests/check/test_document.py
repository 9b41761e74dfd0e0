from __future__ import annotations

import copy
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flint import ctx, fmpq
from hypothesis import given
from hypothesis import strategies as st

from depthsep_check import Status, Verdict, check
from depthsep_check.__main__ import main
from depthsep_check.document import (
    BallIndicatorFunction,
    CellsWitness,
    CodeDirections,
    ExplicitDirections,
    OrbitDirections,
    Oscillation,
    RadialFunction,
    SupErrorClaim,
    SupportLines,
    WidthLowerClaim,
    digest_of,
    encode,
    read,
    sup_error_statement,
)
from depthsep_check.verdict import Malformed, Unsupported, one_line

Obj = dict[str, Any]
HEAD = {"format": "depthsep", "version": 1, "made_by": "tests"}
W = "0x1p+0"


def separable() -> Obj:
    return {
        **HEAD,
        "function": {"kind": "ball-indicator", "radius": "1/2", "margin": "1/20"},
        "claim": {"kind": "sup-error", "dim": 2, "domain": "unit-ball", "arithmetic": "real", "error": "0"},
        "network": {
            "kind": "separable",
            "activation": "relu",
            "dim": 2,
            "first": {"thresholds": ["0x0p0", "0x1p-1"], "weights": [W, "-0x1p1"], "affine_offset": "0x1p1"},
            "second": {"bias": W, "thresholds": [W, "0x0p0"], "sides": ["right", "left"], "weights": [W, W]},
        },
        "witness": {"kind": "support-lines", "upper_slopes": ["0x0p0", "0x1p-3"], "lower_slopes": []},
    }


def lower_bound() -> Obj:
    return {
        **HEAD,
        "function": {"kind": "radial", "expression": "1 - r"},
        "claim": {
            "kind": "width-lower",
            "dim": 10,
            "domain": "unit-ball",
            "norm": "sup",
            "eps": "1/10",
            "depth": "any",
            "activation_class": "any",
            "weight_class": "any",
            "second_layer_width": None,
            "width": 10,
        },
        "witness": {"kind": "oscillation", "points": ["0", "1"]},
    }


def cells_bound() -> Obj:
    obj = lower_bound()
    obj["claim"] |= {"depth": 3, "activation_class": "relu", "second_layer_width": 4, "width": 12}
    obj["witness"] = {"kind": "cells", "grid": 1000}
    return obj


# ------------------------------------------------------------------------------------------------------------------
# What is read


def test_a_ridge_document_is_read(shallow: SimpleNamespace) -> None:
    document = read(shallow.encode(shallow.cone_on_a_line()))
    assert document.made_by == "tests"
    assert document.claim == SupErrorClaim(1, fmpq(1, 8))
    assert isinstance(document.function, RadialFunction)
    assert document.function.text == document.function.expression.text == "1 - r"
    network = document.network
    assert (network.dim, network.bias) == (1, 0)
    (group,) = network.groups
    assert (group.directions, group.thresholds, group.weights) == (OrbitDirections((1,)), (0,), (-1,))
    assert (network.affine.direction, network.affine.offset, network.affine.weight) == ((1,), 1, 1)
    assert document.witness.cells[-1].to == 1
    assert len(document.witness.cells[-1].groups[0].upper) == 2


def test_the_other_directions_are_read(shallow: SimpleNamespace) -> None:
    network = read(shallow.encode(shallow.cone_by_code())).network
    assert network.groups[0].directions == CodeDirections(2, (0, 1, 2, 3))
    assert network.affine is None
    network = read(shallow.encode(shallow.cone_in_the_plane())).network
    assert isinstance(network.groups[0].directions, ExplicitDirections)
    assert network.groups[0].directions.vectors[0] == (1, 0)


def test_a_separable_document_is_read() -> None:
    document = read(encode(separable()))
    assert document.function == BallIndicatorFunction(fmpq(1, 2), fmpq(1, 20))
    network = document.network
    assert network.first_thresholds == (0, fmpq(1, 2))
    assert network.first_weights == (1, -2)
    assert network.affine_offset == 2
    assert (network.second_bias, network.second_thresholds) == (1, (1, 0))
    assert (network.second_sides, network.second_weights) == (("right", "left"), (1, 1))
    assert document.witness == SupportLines((fmpq(0), fmpq(1, 8)), ())
    assert sup_error_statement(document, (5, 2)) == (
        "|N(x) - f(x)| <= 0 for all real x with ||x|| <= 1 in dimension 2 (exact arithmetic); depth 3, widths (5, 2); "
        "f = 1 where ||x|| <= 9/20, f = 0 where ||x|| >= 11/20, no claim between"
    )


def test_lower_bound_documents_are_read() -> None:
    document = read(encode(lower_bound()))
    assert document.network is None
    assert document.claim == WidthLowerClaim(10, fmpq(1, 10), "any", "any", "any", None, 10)
    assert document.witness == Oscillation((fmpq(0), fmpq(1)))
    with pytest.raises(TypeError, match="not a document of kind sup-error"):
        sup_error_statement(document, (1,))
    document = read(encode(cells_bound()))
    assert (document.claim.depth, document.claim.second_layer_width) == (3, 4)
    assert document.witness == CellsWitness(1000)


def test_writing_adds_the_digest_on_its_own_line() -> None:
    obj = lower_bound()
    text = encode(obj)
    assert json.loads(text) == {**obj, "digest": digest_of(obj)}
    assert text.splitlines()[-1] == f' "digest": "{digest_of(obj)}"}}'
    assert digest_of({**obj, "digest": "other"}) == digest_of(obj)
    shuffled = dict(reversed(obj.items()))
    assert digest_of(shuffled) == digest_of(obj)
    # Pinned, so that the canonical form cannot drift.
    assert digest_of({"b": [1, None, "é"], "a": "0x1p0"}) == (
        "cb8720e7b1cb31150863a6553dfb1a2b6919aad56ab4480df147d8ae4c5aa174"
    )


def test_all_sources_are_equivalent(shallow: SimpleNamespace, tmp_path: Path) -> None:
    text = shallow.encode(shallow.cone_by_axes())
    path = tmp_path / "cone.json"
    path.write_text(text)
    verdicts = [check(source) for source in (text, text.encode(), json.loads(text), path)]
    assert verdicts[0].ok
    assert len(set(verdicts)) == 1
    assert verdicts[0].exit_code == 0


def test_the_precision_of_the_caller_is_left_alone(shallow: SimpleNamespace) -> None:
    before = ctx.prec
    check(shallow.encode(shallow.cone_by_axes()))
    check("{")
    assert ctx.prec == before


# ------------------------------------------------------------------------------------------------------------------
# What is refused

Change = Callable[[Obj], object]


def put(*path: Any) -> Change:
    """A change that puts the last element at the place given by the others."""
    *parents, last, value = path

    def change(obj: Obj) -> None:
        for key in parents:
            obj = obj[key]
        obj[last] = value

    return change


def drop(*path: Any) -> Change:
    *parents, last = path

    def change(obj: Obj) -> None:
        for key in parents:
            obj = obj[key]
        del obj[last]

    return change


GROUP = ("network", "groups", 0)
DIRECTIONS = (*GROUP, "directions")
CELL = ("witness", "cells", 0)
PAIR = (*CELL, "groups", 0)
LINES = {"kind": "support-lines", "upper_slopes": [], "lower_slopes": []}

RIDGE_REFUSALS = [
    (put("format", "other"), "format", 'expected "depthsep"'),
    (put("version", "1"), "version", "expected an integer"),
    (put("version", True), "version", "expected an integer, found True"),
    (drop("made_by"), "document", 'the key "made_by" is missing'),
    (drop("witness"), "document", 'the key "witness" is missing'),
    (drop("network"), "document", 'the key "network" is missing'),
    (put("extra", 1), "document", "unknown key 'extra'"),
    (put("made_by", "x" * 101), "made_by", "at most 100 characters"),
    (put("made_by", 3), "made_by", "at most 100 characters"),
    (put("function", []), "function", 'expected an object with a text under "kind"'),
    (put("function", "kind", 3), "function", 'expected an object with a text under "kind"'),
    (put("function", "expression", "3r"), "function.expression", "column 2: expected an operator or the end"),
    (put("function", "expression", "r^(1/(d-10))"), "function.expression", "column 3: the exponent must be an integer"),
    (put("function", "expression", 3), "function.expression", "expected a text, found 3"),
    (put("function", "name", "cone"), "function", "unknown key 'name'"),
    (put("claim", 3), "claim", 'expected an object with a text under "kind"'),
    (put("claim", "error", "0"), "claim.error", "must be positive"),
    (put("claim", "error", "-1/10"), "claim.error", "must be positive"),
    (put("claim", "error", "0.1"), "claim.error", "expected a rational"),
    (put("claim", "dim", 0), "claim.dim", "0 is outside 1..1000000"),
    (put("claim", "dim", 1000001), "claim.dim", "outside 1..1000000"),
    (put("claim", "dim", True), "claim.dim", "expected an integer, found True"),
    (put("claim", "dim", 9), "network.dim", "10, but the claim is about dimension 9"),
    (put("claim", "domain", None), "claim.domain", "expected a text, found None"),
    (put("network", "bias", 0), "network.bias", "expected a float64 in hexadecimal"),
    (put("network", "width", 20), "network", "unknown key 'width'"),
    (put("network", "groups", {}), "network.groups", "expected a list, found a dict"),
    (put("network", "groups", [0]), "network.groups[0]", "expected an object, found 0"),
    (put("network", "groups", [{}] * 65), "network.groups", "65 entries, at most 64 are allowed"),
    (put(*GROUP, "thresholds", [W, W]), "network.groups[0].thresholds[1]", "must be >= 0 and increase strictly"),
    (put(*GROUP, "thresholds", ["-0x1p-3"]), "network.groups[0].thresholds[0]", "must be >= 0 and increase strictly"),
    (put(*GROUP, "weights", [W, W]), "network.groups[0].weights", "needs 1 entries, has 2"),
    (put(*GROUP, "weights", ["nan"]), "network.groups[0].weights[0]", "expected a float64 in hexadecimal"),
    (put(*GROUP, "thresholds", [W] * 4097), "network.groups[0].thresholds", "4097 entries, at most 4096"),
    (put(*DIRECTIONS, "generator", []), "network.groups[0].directions.generator", "between 1 and 10 entries, has 0"),
    (put(*DIRECTIONS, "generator", [1] * 11), "network.groups[0].directions.generator", "between 1 and 10 entries"),
    (put(*DIRECTIONS, "generator", [1] * 65), "network.groups[0].directions.generator", "65 entries, at most 64"),
    (put(*DIRECTIONS, "generator", [1, 2]), "network.groups[0].directions.generator", "must not increase"),
    (put(*DIRECTIONS, "generator", [0]), "network.groups[0].directions.generator[0]", "0 is outside 1..1000"),
    (put(*DIRECTIONS, "generator", [1001]), "network.groups[0].directions.generator[0]", "1001 is outside 1..1000"),
    (put(*DIRECTIONS, "generator", ["1"]), "network.groups[0].directions.generator[0]", "expected an integer"),
    (
        put(*DIRECTIONS, {"kind": "code", "bits": 25, "columns": []}),
        "network.groups[0].directions.bits",
        "25 is outside 0..24",
    ),
    (
        put(*DIRECTIONS, {"kind": "code", "bits": 4, "columns": [1] * 9}),
        "network.groups[0].directions.columns",
        "needs 10 entries, has 9",
    ),
    (
        put(*DIRECTIONS, {"kind": "code", "bits": 4, "columns": [16] * 10}),
        "network.groups[0].directions.columns[0]",
        "16 is outside 0..15",
    ),
    (put(*DIRECTIONS, {"kind": "explicit", "vectors": []}), "network.groups[0].directions.vectors", "at least one"),
    (
        put(*DIRECTIONS, {"kind": "explicit", "vectors": [[W] * 9]}),
        "network.groups[0].directions.vectors[0]",
        "needs 10 entries, has 9",
    ),
    (put("network", "affine", {}), "network.affine", 'the key "direction" is missing'),
    (
        put("network", "affine", {"direction": [W], "offset": W, "weight": W}),
        "network.affine.direction",
        "needs 10 entries, has 1",
    ),
    (put("witness", "cells", []), "witness.cells", "the last cell must end at 1, not at 0"),
    (put(*CELL, "to", "1/2"), "witness.cells", "the last cell must end at 1, not at 1/2"),
    (put(*CELL, "to", "0"), "witness.cells[0].to", "the cells must increase strictly from 0, found 0 after 0"),
    (put(*CELL, "from", "0"), "witness.cells[0]", "unknown key 'from'"),
    (put(*CELL, "groups", []), "witness.cells[0].groups", "0 entries for 1 groups of the network"),
    (put(*PAIR, "upper", [W] * 3), "witness.cells[0].groups", "must have the same number of coefficients"),
    (put(*PAIR, "upper", []), "witness.cells[0].groups[0].upper", "at least one coefficient"),
    (put(*PAIR, "lower", [W] * 14), "witness.cells[0].groups[0].lower", "14 entries, at most 13"),
    (put("witness", LINES), "witness.kind", "moment-sandwich"),
    (put("digest", "0" * 64), "digest", "it is not the digest of this document"),
]


@pytest.mark.parametrize(("change", "place", "reason"), RIDGE_REFUSALS)
def test_malformed_ridge_documents(shallow: SimpleNamespace, change: Change, place: str, reason: str) -> None:
    obj = shallow.cone_by_axes()
    change(obj)
    text = encode(obj) if "digest" not in obj else json.dumps(obj)
    with pytest.raises(Malformed) as caught:
        read(text)
    assert caught.value.place == place
    assert reason in caught.value.reason
    assert check(text) == Verdict(Status.MALFORMED, one_line(f"{place}: {caught.value.reason}"))


SEPARABLE_REFUSALS = [
    (put("function", "radius", "1"), "function", "needs 0 < margin < radius and radius + margin <= 1"),
    (put("function", "margin", "0"), "function", "needs 0 < margin < radius"),
    (put("function", "margin", "1/2"), "function", "needs 0 < margin < radius"),
    (put("claim", "error", "-1"), "claim.error", "must be positive (0 is allowed for a ball indicator)"),
    (put("network", "first", "affine_offset", None), "network.first.affine_offset", "must be a weight when the first"),
    (put("network", "first", "thresholds", [W, "0x1p1"]), "network.first.affine_offset", "null otherwise"),
    (put("network", "first", "thresholds", ["0x1p1", W]), "network.first.thresholds[1]", "increase strictly"),
    (put("network", "first", "weights", [W]), "network.first.weights", "needs 2 entries, has 1"),
    (put("network", "second", "sides", ["right"]), "network.second.sides", "needs 2 entries, has 1"),
    (put("network", "second", "sides", ["right", "up"]), "network.second.sides[1]", 'expected "right" or "left"'),
    (put("network", "second", "sides", ["right", 1]), "network.second.sides[1]", 'expected "right" or "left"'),
    (put("network", "second", "weights", [W]), "network.second.weights", "needs 2 entries, has 1"),
    (put("witness", "upper_slopes", ["-0x1p-9"]), "witness.upper_slopes[0]", "a slope must not be negative"),
    (put("witness", "lower_slopes", [W] * 20001), "witness.lower_slopes", "at most 20000"),
    (put("witness", {"kind": "oscillation", "points": ["0", "1"]}), "witness.kind", "support-lines"),
]


@pytest.mark.parametrize(("change", "place", "reason"), SEPARABLE_REFUSALS)
def test_malformed_separable_documents(change: Change, place: str, reason: str) -> None:
    obj = separable()
    change(obj)
    with pytest.raises(Malformed) as caught:
        read(encode(obj))
    assert (caught.value.place, reason in caught.value.reason) == (place, True)


LOWER_REFUSALS = [
    (put("network", {}), "document", "unknown key 'network'"),
    (put("claim", "eps", "0"), "claim.eps", "must be positive"),
    (put("claim", "depth", 4), "claim.depth", "4 is outside 2..3"),
    (put("claim", "depth", None), "claim.depth", "expected an integer"),
    (put("claim", "width", 0), "claim.width", "0 is outside"),
    (put("claim", "width", 11), "claim", "width = dim"),
    (put("claim", "depth", 2), "claim", "this witness proves claims with depth"),
    (put("claim", "activation_class", "relu"), "claim", "this witness proves claims with depth"),
    (put("claim", "second_layer_width", 1), "claim", "second_layer_width null"),
    (put("claim", "second_layer_width", 0), "claim.second_layer_width", "0 is outside"),
    (put("witness", "points", ["0"]), "witness.points", "needs 2 entries, has 1"),
    (put("witness", "points", ["0", "2"]), "witness.points", "must lie in [0, 1]"),
    (put("witness", {"kind": "moment-sandwich", "cells": []}), "witness.cells", "the last cell must end at 1"),
    (put("witness", LINES), "witness.kind", "oscillation or"),
]


@pytest.mark.parametrize(("change", "place", "reason"), LOWER_REFUSALS)
def test_malformed_lower_bounds(change: Change, place: str, reason: str) -> None:
    obj = lower_bound()
    change(obj)
    with pytest.raises(Malformed) as caught:
        read(encode(obj))
    assert (caught.value.place, reason in caught.value.reason) == (place, True)


@pytest.mark.parametrize(
    "change",
    [
        put("claim", "activation_class", "any"),
        put("claim", "second_layer_width", None),
        put("claim", "depth", "any"),
        put("claim", "depth", 2),
    ],
)
def test_cell_bounds_are_of_their_class(change: Change) -> None:
    obj = cells_bound()
    change(obj)
    with pytest.raises(Malformed, match='claim: this witness proves claims with activation_class "relu"'):
        read(encode(obj))
    obj = cells_bound()
    obj["claim"] |= {"depth": 2, "second_layer_width": 1}
    assert read(encode(obj)).claim.depth == 2


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (put("version", 2), "version 2 of the format (this checker reads version 1)"),
        (put("function", "kind", "inner-product"), "function.kind 'inner-product' (known: radial, ball-indicator)"),
        (put("claim", "kind", "l2-error"), "claim.kind 'l2-error'"),
        (put("claim", "domain", "cube"), "claim.domain 'cube' (known: unit-ball)"),
        (put("claim", "arithmetic", "float64"), "claim.arithmetic 'float64' (known: real)"),
        (put("network", "kind", "dense"), "network.kind 'dense'"),
        (put("network", "activation", "gelu"), "network.activation 'gelu' (known: relu)"),
        (put(*DIRECTIONS, "kind", "sphere"), "network.groups[0].directions.kind 'sphere'"),
        (put("witness", "kind", "trust-me"), "witness.kind 'trust-me'"),
    ],
)
def test_unknown_kinds_are_unsupported(shallow: SimpleNamespace, change: Change, what: str) -> None:
    obj = shallow.cone_by_axes()
    change(obj)
    with pytest.raises(Unsupported) as caught:
        read(encode(obj))
    assert caught.value.what.startswith(what)
    assert check(encode(obj)).exit_code == 5


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "document: not JSON at line 1, column 1: Expecting value"),
        (b"\xff\xfe", "document: not UTF-8 text"),
        (b"\xef\xbb\xbf{}", "document: not JSON at line 1, column 1"),
        (b"[]", "document: expected a JSON object, found a list"),
        (b"3", "document: expected a JSON object, found 3"),
        (b"{}", "format: expected"),
        (b'{"a": 1, "a": 2}', "document: the key 'a' appears twice in one object"),
        (b'{"a": {"b": 1, "b": 1}}', "document: the key 'b' appears twice in one object"),
        (b'{"a": 0.1}', "document: the number '0.1': only integers and numbers in strings are allowed"),
        (b'{"a": 1e400}', "document: the number '1e400': only integers"),
        (b'{"a": NaN}', "document: the number 'NaN': only integers"),
        (b'{"a": -Infinity}', "document: the number '-Infinity': only integers"),
        (b'{"a": ' + b"9" * 101 + b"}", "document: an integer of more than 100 digits"),
        (b'{"a": ' + b"9" * 10**6 + b"}", "document: an integer of more than 100 digits"),
        (b"[" * 10**6, "document: nested too deep"),
        (b'{"a":' * 10**6, "document: nested too deep"),
        (b'{"a": "\x01"}', "document: not JSON at line 1, column 8: Invalid control character"),
        (b'{"format": "depthsep", "version": 1, "claim": "\\ud800"}', "claim: expected an object"),
    ],
)
def test_texts_that_are_not_documents(text: bytes, reason: str) -> None:
    verdict = check(text)
    assert verdict.status is Status.MALFORMED
    assert verdict.text.startswith(reason)


def test_too_many_bytes() -> None:
    assert check(b" " * (64 * 1024 * 1024 + 1)).line == "MALFORMED document: more than 67108864 bytes"


def test_objects_that_are_not_json() -> None:
    assert check({"a": object()}).text.startswith("document: not a JSON object (")
    assert check({"a": float("nan")}).text.startswith("document: the number 'NaN'")
    loop: Obj = {}
    loop["self"] = loop
    assert check(loop).text.startswith("document: not a JSON object (Circular reference")
    assert check({"format": "depthsep"}).text == "version: expected an integer, found None"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert check(tmp_path / "absent.json").line == "MALFORMED file: cannot be read (No such file or directory)"
    assert check(tmp_path).line == "MALFORMED file: cannot be read (Is a directory)"


def test_verdict_texts_are_one_printable_line() -> None:
    assert one_line("a\nb\x1b[31m\ud800é") == "a b\\x1b[31m\\ud800é"
    assert len(one_line("x" * 5000)) == 1003


# ------------------------------------------------------------------------------------------------------------------
# Nothing is raised, whatever the bytes


@given(st.binary(max_size=200))
def test_random_bytes_are_malformed(data: bytes) -> None:
    assert check(data).status is Status.MALFORMED


def test_damaged_documents_never_raise_and_never_pass(shallow: SimpleNamespace) -> None:
    rng = random.Random(13)
    text = shallow.encode(shallow.cone_by_axes()).encode()
    statuses = set()
    for _ in range(400):
        damaged = bytearray(text)
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(damaged))
            damaged[at : at + rng.randint(0, 2)] = rng.choice((b"", b"0", b"9", b"-", b'"', b"{", b"\x00", b"\xff"))
        verdict = check(bytes(damaged))
        # The digest catches all changes but those that leave the object the same.
        assert not verdict.ok or json.loads(damaged) == json.loads(text)
        statuses.add(verdict.status)
    assert Status.MALFORMED in statuses


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from([W, "1/2", "orbit", "radial"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["kind", "dim", "to"]), inner),
    max_leaves=6,
)


@given(st.data())
def test_junk_in_any_place_never_raises(data: st.DataObject) -> None:
    base = data.draw(st.sampled_from([separable(), lower_bound(), cells_bound(), ridge()]))
    obj = copy.deepcopy(base)
    target: Any = obj
    while True:
        keys = list(target) if isinstance(target, dict) else list(range(len(target)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if isinstance(target[key], dict | list) and data.draw(st.integers(0, 3)):
            target = target[key]
            continue
        target[key] = data.draw(JUNK)
        break
    verdict = check(encode(obj))
    assert isinstance(verdict, Verdict)
    assert "\n" not in verdict.line


def ridge() -> Obj:
    pair = {"upper": [W, W], "lower": [W, W]}
    kinds: list[Obj] = [
        {"kind": "orbit", "generator": [1, 1]},
        {"kind": "code", "bits": 2, "columns": [1, 2]},
        {"kind": "explicit", "vectors": [[W, W], [W, "-0x1p0"]]},
    ]
    return {
        **HEAD,
        "function": {"kind": "radial", "expression": "exp(-r^2)"},
        "claim": {"kind": "sup-error", "dim": 2, "domain": "unit-ball", "arithmetic": "real", "error": "1/4"},
        "network": {
            "kind": "ridge-groups",
            "activation": "relu",
            "dim": 2,
            "bias": W,
            "groups": [{"directions": kind, "thresholds": ["0x0p0", W], "weights": [W, W]} for kind in kinds],
            "affine": {"direction": [W, W], "offset": "0x1p1", "weight": W},
        },
        "witness": {"kind": "moment-sandwich", "cells": [{"to": to, "groups": [pair] * 3} for to in ("1/2", "1")]},
    }


# ------------------------------------------------------------------------------------------------------------------
# The program


def test_the_program_prints_a_line_for_each_file(
    shallow: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, wrong = tmp_path / "good.json", tmp_path / "wrong.json"
    obj = shallow.cone_by_axes()
    good.write_text(shallow.encode(obj))
    obj["claim"]["error"] = "1/100"
    wrong.write_text(shallow.encode(obj))
    assert main([str(good)]) == 0
    assert main([str(good), str(wrong), str(tmp_path / "absent.json")]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == lines[1]
    assert lines[0].startswith(f"{good}: VERIFIED |N(x) - f(x)| <= 31/100")
    assert lines[2].startswith(f"{wrong}: REFUTED C3 upper, cell 0: the error exceeds 1/100 at r = 1/2")
    assert lines[3] == f"{tmp_path / 'absent.json'}: MALFORMED file: cannot be read (No such file or directory)"


def test_the_program_refuses_two_documents_against_one_model(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["a.json", "b.json", "--against", "m.onnx"])
    assert caught.value.code == 2
    assert "--against compares a model with one document" in capsys.readouterr().err


def test_the_checker_stands_alone(shallow: SimpleNamespace, tmp_path: Path) -> None:
    """It runs where depthsep, numpy and the like cannot be imported, and with assertions switched off."""
    path = tmp_path / "cone.json"
    path.write_text(shallow.encode(shallow.cone_by_axes()))
    program = """
import sys
for name in ("depthsep", "numpy", "scipy", "msgspec", "mpmath", "onnx", "safetensors"):
    sys.modules[name] = None
from depthsep_check.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
    source = Path(sys.modules["depthsep_check"].__file__ or "").parents[1]
    done = subprocess.run(
        [sys.executable, "-O", "-c", program, str(path)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(source)},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{path}: VERIFIED ")
