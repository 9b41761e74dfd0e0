"""Comparison of an exported model file with the network of a document, weight by weight.

The network is expanded here, from the document's definitions, row by row in the canonical order; nothing of the
exporter is used. Both formats are read with the standard library only:

    safetensors   the tensors hidden1.weight [w1, dim], hidden1.bias [w1], (hidden2.*), output.weight [1, w],
                  output.bias [1], all F64, nothing else, the data without gaps or overlaps
    ONNX          the chain Gemm, Relu, ..., Gemm on an input [N, dim] of doubles, every Gemm with transB = 1 and no
                  other attribute, its weights the same tensors as raw doubles; no other node, input, output,
                  initializer, attribute, function, domain, annotation, or field of any other kind. In place of Relu
                  other activations have the nodes of `activation_graphs`, in that order

A list of weights does not name an activation: of a safetensors file the layers are compared, the activation is the
document's. Of a document whose claim has a judge of its own the file may also be one of float32 throughout, and there
may be several outputs.

Metadata and documentation strings are ignored: they change no function. Equal weights in an equal graph compute, in
exact arithmetic, the function of the document. A number is compared by value, so -0.0 counts as 0.0.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, product
from typing import Any

from flint import fmpq

from depthsep_check import folded_layers
from depthsep_check.activation_graphs import ACTIVATION_GRAPHS, ActivationGraph
from depthsep_check.approximations.smooth_squares import read_smooth_network
from depthsep_check.directions import count
from depthsep_check.document import (
    ActivationRidgeNetwork,
    CodeDirections,
    Directions,
    Document,
    ExplicitDirections,
    NetworkDocument,
    OrbitDirections,
    RidgeNetwork,
    SeparableNetwork,
    TheoremDocument,
    activation_text,
)
from depthsep_check.fields import peek_kind
from depthsep_check.folded_networks import read_folded_network
from depthsep_check.integer_layers import Layer as IntegerLayer
from depthsep_check.integer_layers import Row as IntegerRow
from depthsep_check.integer_layers import read_integer_layers
from depthsep_check.numbers import shown
from depthsep_check.relu_networks import Layer as RationalLayer
from depthsep_check.relu_networks import read_relu_network
from depthsep_check.theorems.univariate import read_claim
from depthsep_check.verdict import Exhausted, Malformed, Refuted, Unsupported

MAX_MODEL_BYTES = 2**31
MAX_HEADER_BYTES = 2**16
MAX_FIELDS = 1000
STEP = "model"

Row = Sequence[float]


def compare(document: Document | NetworkDocument | TheoremDocument, path: os.PathLike[str] | str) -> str:
    """Compare a model file with the network of a document.

    Args:
        document: a document that has a network, or whose claim is about a sum of units; its proof is not replayed here.
        path: a file whose name ends in .onnx or .safetensors.

    Returns:
        The sentence that was established.

    Raises:
        Refuted: the file holds another network.
        Malformed: the file cannot be read as a model of its format.
        Exhausted: the flat network is larger than any file that is read here.
        Unsupported: its format is not known here, or the document has no network.
    """
    name = os.path.basename(os.fspath(path))
    suffix = os.path.splitext(name)[1].lower()
    if suffix not in (".onnx", ".safetensors"):
        raise Unsupported(f"model file {shown(name)} (known: .onnx, .safetensors)")
    forms = _ALL_FORMS if isinstance(document, NetworkDocument) else _DOUBLES
    layers, activation = _flat_network(document)
    if suffix == ".onnx":
        if activation not in ACTIVATION_GRAPHS:
            raise Unsupported(f"an ONNX file of a network with the activation {shown(activation)}")
        graph = ACTIVATION_GRAPHS[activation]
        tensors = _onnx(_load(path), forms, graph)
        if len(tensors) != 2 * len(layers):
            raise Refuted(STEP, f"the graph has {len(tensors) // 2} affine maps, the network has {len(layers)}")
        same = "the same function in exact arithmetic" + (f" but for {graph.differs}" if graph.differs else "")
    else:
        tensors, same = _safetensors(_load(path), forms), "the same function in exact arithmetic"
        if activation != "relu":
            same = f"the activation, {activation}, is not a matter of such a file"
    form = _compare_layers(layers, tensors)
    widths = ", ".join(str(layer.rows) for layer in layers[:-1])
    weights = sum(layer.rows * (layer.columns + 1) for layer in layers)
    return (
        f"{name} is the network of the document, weight by weight: dimension {layers[0].columns}, widths ({widths}), "
        f"{weights} {form} weights and biases; {same}"
    )


def _flat_network(document: Document | NetworkDocument | TheoremDocument) -> tuple[list[Layer], str]:
    """The layers of the network of a document, and its activation: a name, or a formula of somebody's own."""
    if isinstance(document, TheoremDocument):
        return _expand_units(document)
    if isinstance(document, NetworkDocument):
        return _expand_unread(document.network)
    network = document.network
    if network is None:
        raise Unsupported("comparing a model with a lower bound, which has no network")
    if isinstance(network, ActivationRidgeNetwork):
        return _expand_activation_ridge(network), activation_text(network)
    return (_expand_ridge(network) if isinstance(network, RidgeNetwork) else _expand_separable(network)), "relu"


def _compare_layers(layers: list[Layer], tensors: dict[str, Tensor]) -> str:
    """Compare the tensors of a file with the layers; the name of the type of their numbers."""
    forms = sorted({tensor.form.name for tensor in tensors.values()})
    if len(forms) > 1:
        raise Refuted(STEP, f"the file has numbers of the types {' and '.join(forms)}")
    for layer in layers:
        _compare_tensor(tensors, f"{layer.name}.weight", (layer.rows, layer.columns), layer.weights())
        _compare_tensor(tensors, f"{layer.name}.bias", (layer.rows,), ((bias,) for bias in layer.biases()))
    if tensors:
        raise Refuted(STEP, f"the file has a tensor {shown(min(tensors))} that the network does not have")
    return forms[0]


def _load(path: os.PathLike[str] | str) -> memoryview:
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_MODEL_BYTES + 1)
    except OSError as error:
        raise Malformed(STEP, f"cannot be read ({error.strerror})") from None
    if len(content) > MAX_MODEL_BYTES:
        raise Malformed(STEP, f"more than {MAX_MODEL_BYTES} bytes")
    return memoryview(content)


@dataclass(frozen=True, slots=True)
class Form:
    """A type of numbers: its names, its code in the module `struct`, its size in bytes, its names in the formats."""

    name: str
    word: str
    code: str
    size: int
    safetensors: str
    onnx: int


_DOUBLES = (Form("float64", "double", "d", 8, "F64", 11),)
_ALL_FORMS = (*_DOUBLES, Form("float32", "float", "f", 4, "F32", 1))
_Forms = tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor as it lies in the file, little-endian and row by row."""

    shape: tuple[int, ...]
    data: memoryview
    form: Form


def _compare_tensor(tensors: dict[str, Tensor], name: str, shape: tuple[int, ...], rows: Iterator[Row]) -> None:
    """Take the tensor out of the dictionary and compare it with the rows that the network has."""
    tensor = tensors.pop(name, None)
    if tensor is None:
        raise Refuted(STEP, f"the file has no tensor {name}")
    if tensor.shape != shape:
        raise Refuted(STEP, f"{name} has shape {list(tensor.shape)}, the network has {list(shape)}")
    form = tensor.form
    if len(tensor.data) != _size(shape, form):
        raise Malformed(name, f"{len(tensor.data)} bytes for shape {list(shape)}")
    at = 0
    for index, row in enumerate(rows):
        layout = struct.Struct(f"<{len(row)}{form.code}")
        stored = layout.unpack_from(tensor.data, at)
        at += layout.size
        if stored != tuple(row):
            _compare_values(f"{name}[{index}]", stored, row)


def _compare_values(place: str, stored: Row, expected: Row) -> None:
    for index, (found, wanted) in enumerate(zip(stored, expected, strict=True)):
        if found != wanted:
            where = f"{place}[{index}]" if len(expected) > 1 else place
            raise Refuted(STEP, f"{where} is {found!r}, the network has {wanted!r}")


def _size(shape: Sequence[int], form: Form) -> int:
    """The number of bytes of a tensor."""
    size = form.size
    for length in shape:
        size *= length
    return size


# ------------------------------------------------------------------------------------------------------------------
# The network as flat layers


@dataclass(frozen=True, slots=True)
class Layer:
    """One affine map: its rows and biases are generated when they are needed."""

    name: str
    rows: int
    columns: int
    weights: Callable[[], Iterator[Row]]
    biases: Callable[[], Iterator[float]]


def _expand_ridge(network: RidgeNetwork) -> list[Layer]:
    dim, affine = network.dim, network.affine
    groups = [(group.directions, _units(group.thresholds, group.weights)) for group in network.groups]
    width = sum(count(directions, dim) * len(units) for directions, units in groups) + (affine is not None)

    def inner() -> Iterator[Row]:
        for directions, units in groups:
            for vector in _vectors(directions, dim):
                rows = {1: vector, -1: [0.0 - entry for entry in vector]}
                yield from (rows[sign] for sign, _, _ in units)
        if affine:
            yield [_float(entry) for entry in affine.direction]

    def biases() -> Iterator[float]:
        for directions, units in groups:
            for _ in range(count(directions, dim)):
                yield from (bias for _, bias, _ in units)
        if affine:
            yield _float(affine.offset)

    def outer() -> Iterator[Row]:
        row: list[float] = []
        for directions, units in groups:
            row += [weight for _, _, weight in units] * count(directions, dim)
        yield row + ([_float(affine.weight)] if affine else [])

    _require_size(dim, width, 1)
    bias = _float(network.bias)
    return [Layer("hidden1", width, dim, inner, biases), Layer("output", 1, width, outer, lambda: iter((bias,)))]


def _expand_activation_ridge(network: ActivationRidgeNetwork) -> list[Layer]:
    dim = network.dim
    width = sum(2 * count(group.directions, dim) * len(group.slopes) for group in network.groups)

    def inner() -> Iterator[Row]:
        for group in network.groups:
            products: dict[tuple[int, float], float] = {}
            for vector in _vectors(group.directions, dim):
                for index, slope in enumerate(group.slopes):
                    row = [_product(products, index, slope, entry) for entry in vector]
                    yield row
                    yield [0.0 - entry for entry in row]

    def biases() -> Iterator[float]:
        for group in network.groups:
            shifts = [-_equal_float(b * t) for b, t in zip(group.slopes, group.centres, strict=True) for _ in (1, -1)]
            for _ in range(count(group.directions, dim)):
                yield from shifts

    def outer() -> Iterator[Row]:
        row: list[float] = []
        for group in network.groups:
            row += [_float(weight) for weight in group.weights for _ in (1, -1)] * count(group.directions, dim)
        yield row

    _require_size(dim, width, 1)
    bias = _float(network.bias)
    return [Layer("hidden1", width, dim, inner, biases), Layer("output", 1, width, outer, lambda: iter((bias,)))]


def _product(known: dict[tuple[int, float], float], index: int, slope: fmpq, entry: float) -> float:
    """The float64 that equals slope * entry; entries of directions repeat, so that most are known already."""
    key = index, entry
    if key not in known:
        known[key] = _equal_float(slope * fmpq(*entry.as_integer_ratio()))
    return known[key]


def _expand_units(document: TheoremDocument) -> tuple[list[Layer], str]:
    """A sum of units a + sum of alpha_i s(beta_i t - gamma_i) is a network of one input."""
    if document.theorem != "univariate":
        raise Unsupported("a model file beside a document without a network")
    claim = read_claim(document.claim)
    scales, shifts = ([_float(unit.scale) for unit in claim.units], [-_float(unit.offset) for unit in claim.units])
    weights, bias = [_float(unit.weight) for unit in claim.units], _float(claim.bias)
    width = len(claim.units)
    hidden = Layer("hidden1", width, 1, lambda: ([scale] for scale in scales), lambda: iter(shifts))
    return [hidden, Layer("output", 1, width, lambda: iter((weights,)), lambda: iter((bias,)))], claim.activation.name


def _expand_separable(network: SeparableNetwork) -> list[Layer]:
    dim, units = network.dim, _units(network.first_thresholds, network.first_weights)
    _require_size(dim, dim * len(units) + 1, len(network.second_weights), 1)
    extra = [] if network.affine_offset is None else [_float(network.affine_offset)]
    slope = 0.0 - _float(network.first_weights[0]) if extra else 0.0
    signs = [1 if side == "right" else -1 for side in network.second_sides]
    coefficients = [weight for _, _, weight in units] * dim + [1.0] * len(extra)
    shifts = [0.0 - sign * _float(place) for sign, place in zip(signs, network.second_thresholds, strict=True)]
    last = [_float(weight) for weight in network.second_weights]
    bias = _float(network.second_bias)

    def inner() -> Iterator[Row]:
        for coordinate in range(dim):
            for sign, _, _ in units:
                row = [0.0] * dim
                row[coordinate] = float(sign)
                yield row
        if extra:
            yield [slope] * dim

    def middle() -> Iterator[Row]:
        rows = {1: coefficients, -1: [0.0 - entry for entry in coefficients]}
        yield from (rows[sign] for sign in signs)

    first = [bias for _, bias, _ in units] * dim + extra
    return [
        Layer("hidden1", len(first), dim, inner, lambda: iter(first)),
        Layer("hidden2", len(last), len(first), middle, lambda: iter(shifts)),
        Layer("output", 1, len(last), lambda: iter((last,)), lambda: iter((bias,))),
    ]


def _expand_unread(value: Any) -> tuple[list[Layer], str]:
    """The layers and the activation of the network of a document whose claim has a judge of its own, still unread."""
    readers = {
        "relu-network": _expand_relu,
        "integer-layers": _expand_integers,
        "folded": _expand_folded,
        "smooth-separable": _expand_smooth,
    }
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind == "threshold-circuit":
        raise Unsupported("comparing a model with a threshold circuit")
    layers = readers[peek_kind(value, "network", readers)](value)
    return layers, value["activation"] if kind == "smooth-separable" else "relu"


def _expand_smooth(value: Any) -> list[Layer]:
    network = read_smooth_network(value, "network")
    dim, first = network.dim, network.first_width
    signs = (1, -1)[: first - dim]
    _require_size(dim, first, len(network.weights), 1)

    def inner() -> Iterator[Row]:
        for coordinate in range(dim):
            row = [0.0] * dim
            row[coordinate] = _float(network.gain)
            yield row
        yield from ([_float(sign * network.linear_gain)] * dim for sign in signs)

    def middle() -> Iterator[Row]:
        for gain in network.gains:
            linear = gain * network.linear_weight
            entries = [_equal_float(gain * network.weight)] * dim
            yield entries + [_equal_float(sign * linear) for sign in signs]

    first_biases = [_float(network.centre)] * dim + [0.0] * len(signs)
    biases, last = [_float(entry) for entry in network.biases], [_float(entry) for entry in network.weights]
    bias = _float(network.bias)
    return [
        Layer("hidden1", first, dim, inner, lambda: iter(first_biases)),
        Layer("hidden2", len(last), first, middle, lambda: iter(biases)),
        Layer("output", 1, len(last), lambda: iter((last,)), lambda: iter((bias,))),
    ]


def _expand_relu(value: Any) -> list[Layer]:
    network = read_relu_network(value, "network")

    sizes = (network.dim, *network.widths, network.outputs)
    _require_size(*sizes)
    parts = zip(_layer_names(network.depth), network.layers, sizes[:-1], strict=True)
    return [_rational_layer(name, layer, columns) for name, layer, columns in parts]


def _rational_layer(name: str, layer: RationalLayer, columns: int) -> Layer:
    return Layer(
        name,
        len(layer.biases),
        columns,
        lambda: ([_equal_float(entry) for entry in row] for row in layer.weights),
        lambda: map(_equal_float, layer.biases),
    )


def _expand_folded(value: Any) -> list[Layer]:
    network = read_folded_network(value, "network")
    _require_size(*folded_layers.sizes(network))
    return [
        _folded_layer(*part)
        for part in zip(_layer_names(network.depth), folded_layers.flat_layers(network), strict=True)
    ]


def _folded_layer(name: str, layer: folded_layers.FlatLayer) -> Layer:
    def weights() -> Iterator[Row]:
        for row in layer.weights():
            entries = [0.0] * layer.columns
            for index, weight in row.items():
                entries[index] = _equal_float(weight)
            yield entries

    return Layer(name, layer.rows, layer.columns, weights, lambda: map(_equal_float, layer.biases()))


def _expand_integers(value: Any) -> list[Layer]:
    """Exponents e multiply a unit by 2^e and divide what reads it by that; the scale multiplies the outputs."""
    network = read_integer_layers(value, "network")
    sizes = (network.dim, *(layer.units for layer in network.layers), len(network.rows))
    _require_size(*sizes)
    units = [_units_of(layer) for layer in network.layers] + [[(row, bias, 0) for row, bias in network.rows]]
    factors = [fmpq(1)] * len(network.layers) + [network.scale]
    names = _layer_names(network.depth)
    return [
        _integer_layer(names[place], columns, units[place], factors[place], units[place - 1] if place else [])
        for place, columns in enumerate(sizes[:-1])
    ]


_Unit = tuple[IntegerRow, int, int]  # a row, a bias and an exponent


def _units_of(layer: IntegerLayer) -> list[_Unit]:
    rows = [(block.row, bias) for block in layer.blocks for bias in block.biases]
    exponents = layer.exponents or [0] * len(rows)
    return [(row, bias, exponent) for (row, bias), exponent in zip(rows, exponents, strict=True)]


def _integer_layer(name: str, columns: int, units: list[_Unit], factor: fmpq, before: list[_Unit]) -> Layer:
    def weights() -> Iterator[Row]:
        for row, _, own in units:
            entries = [0.0] * columns
            for index, weight in zip(row.inputs, row.weights, strict=True):
                entries[index] = _scaled(weight, factor, own - (before[index][2] if before else 0))
            yield entries

    def biases() -> Iterator[float]:
        return (_scaled(bias, factor, own) for _, bias, own in units)

    return Layer(name, len(units), columns, weights, biases)


def _scaled(value: int, factor: fmpq, exponent: int) -> float:
    return _equal_float(factor * value * fmpq(2) ** exponent)


def _equal_float(value: fmpq) -> float:
    """The float64 that equals a number."""
    result = _float(value)
    if fmpq(*result.as_integer_ratio()) != value:
        raise Refuted(STEP, "the network has a weight that no float64 holds")
    return result


def _layer_names(depth: int) -> list[str]:
    return [*(f"hidden{place}" for place in range(1, depth)), "output"]


def _require_size(*sizes: int) -> None:
    """Refuse networks that no file read here can hold, before anything is expanded."""
    if sum(8 * (before + 1) * after for before, after in pairwise(sizes)) > MAX_MODEL_BYTES:
        raise Exhausted(STEP, f"the flat network has more than {MAX_MODEL_BYTES} bytes")


def _units(thresholds: Sequence[fmpq], weights: Sequence[fmpq]) -> list[tuple[int, float, float]]:
    """(sign, bias, outer weight) of the units of one direction: two for a positive threshold, one of 2 D for 0."""
    units: list[tuple[int, float, float]] = []
    for place, weight in zip(thresholds, weights, strict=True):
        if place > 0:
            units += [(sign, -_float(place), _float(weight)) for sign in (1, -1)]
        else:
            units.append((1, 0.0, _float(2 * weight)))
    return units


def _vectors(directions: Directions, dim: int) -> Iterator[Row]:
    """The vectors in canonical order."""
    if isinstance(directions, ExplicitDirections):
        for vector in directions.vectors:
            yield [_float(entry) for entry in vector]
    elif isinstance(directions, CodeDirections):
        for y in range(2**directions.bits):
            yield [float((-1) ** (y & column).bit_count()) for column in directions.columns]
    else:
        yield from _orbit_vectors(directions, dim)


def _orbit_vectors(orbit: OrbitDirections, dim: int) -> Iterator[Row]:
    size = len(orbit.generator)
    for places in combinations(range(dim), size):
        for entries in _arrangements(orbit.generator):
            for signs in product((1, -1), repeat=size - 1):
                row = [0.0] * dim
                for place, entry, sign in zip(places, entries, (1, *signs), strict=True):
                    row[place] = float(sign * entry)
                yield row


def _arrangements(entries: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The distinct permutations of a nonincreasing tuple, in descending lexicographic order."""
    if not entries:
        yield ()
    for index, entry in enumerate(entries):
        if index == 0 or entry != entries[index - 1]:
            for rest in _arrangements(entries[:index] + entries[index + 1 :]):
                yield (entry, *rest)


def _float(value: fmpq) -> float:
    """The float64 that equals a weight; doubling a weight is the only operation that can leave the format."""
    try:
        result = int(value.p) / int(value.q)
    except OverflowError:
        raise Refuted(STEP, "the flat network has a weight that no float64 holds") from None
    return result


# ------------------------------------------------------------------------------------------------------------------
# safetensors


def _safetensors(content: memoryview, forms: _Forms) -> dict[str, Tensor]:
    if len(content) < 8:
        raise Malformed("safetensors", "no header")
    (length,) = struct.unpack("<Q", content[:8])
    if length > MAX_HEADER_BYTES or 8 + length > len(content):
        raise Malformed("safetensors", f"a header of {length} bytes in a file of {len(content)}")
    header = _json(bytes(content[8 : 8 + length]))
    data = content[8 + length :]
    header.pop("__metadata__", None)
    tensors: dict[str, Tensor] = {}
    reached = 0
    for name, (dtype, shape, start, end) in sorted(
        ((name, _entry(name, value)) for name, value in header.items()), key=lambda item: item[1][2:]
    ):
        form = next((form for form in forms if form.safetensors == dtype), None)
        if form is None:
            known = " or ".join(form.safetensors for form in forms)
            raise Refuted(STEP, f"{shown(name)} is of type {shown(dtype)}, not {known}")
        if start != reached or end - start != _size(shape, form):
            raise Malformed(f"safetensors {shown(name)}", "its bytes overlap, leave a gap or do not fit its shape")
        tensors[name] = Tensor(shape, data[start:end], form)
        reached = end
    if reached != len(data):
        raise Malformed("safetensors", f"{len(data)} bytes of data where the header describes {reached}")
    return tensors


def _json(text: bytes) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) != len(pairs):
            raise Malformed("safetensors", "a key appears twice in the header")
        return result

    try:
        header = json.loads(text.decode("utf-8"), object_pairs_hook=unique)
    except (ValueError, RecursionError):
        raise Malformed("safetensors", "the header is not JSON") from None
    if not isinstance(header, dict):
        raise Malformed("safetensors", "the header is not an object")
    return header


def _entry(name: str, value: Any) -> tuple[Any, tuple[int, ...], int, int]:
    """(type, shape, start, end) of one tensor of the header."""
    place = f"safetensors {shown(name)}"
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        raise Malformed(place, "expected the keys dtype, shape and data_offsets")
    shape, offsets = value["shape"], value["data_offsets"]
    for numbers in (shape, offsets):
        if not isinstance(numbers, list) or not all(type(n) is int and 0 <= n < 2**62 for n in numbers):
            raise Malformed(place, "shape and data_offsets must be lists of integers")
    if len(offsets) != 2:
        raise Malformed(place, "data_offsets must be two integers")
    return value["dtype"], tuple(shape), offsets[0], offsets[1]


# ------------------------------------------------------------------------------------------------------------------
# ONNX. Field numbers are those of onnx.proto, version 1.

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_EITHER = -1  # a repeated number, packed or not
_INT_ATTRIBUTE = 2
_OPSETS = range(13, 26)
Message = dict[int, list[Any]]


def _onnx(content: memoryview, forms: _Forms, activation: ActivationGraph) -> dict[str, Tensor]:
    """The weights and biases of a model that is a chain with this activation between its layers."""
    known = {1: _VARINT, 2: _BYTES, 3: _BYTES, 4: _BYTES, 5: _VARINT, 6: _BYTES, 7: _BYTES, 8: _BYTES, 14: _BYTES}
    model = _message(content, "ONNX model", known, repeated=(8, 14))
    opsets = [_message(view, "opset", {1: _BYTES, 2: _VARINT}) for view in model.get(8, [])]
    if len(opsets) != 1 or _text(opsets[0], 1) not in ("", "ai.onnx") or _number(opsets[0], 2) not in _OPSETS:
        raise Refuted(STEP, f"needs one operator set, the standard one of version {_OPSETS[0]} to {_OPSETS[-1]}")
    if 7 not in model:
        raise Malformed("ONNX model", "no graph")
    fields = {1: _BYTES, 2: _BYTES, 5: _BYTES, 10: _BYTES, 11: _BYTES, 12: _BYTES, 16: _BYTES}
    graph = _message(model[7][0], "ONNX graph", fields, repeated=(1, 5, 11, 12, 16))
    tensors: dict[str, Tensor] = {}
    for view in graph.get(5, []):
        name, tensor = _onnx_tensor(view, forms)
        if name in tensors:
            raise Malformed("ONNX graph", f"the initializer {shown(name)} appears twice")
        tensors[name] = tensor
    _check_chain(graph, tensors, forms, activation)
    return {name: tensor for name, tensor in tensors.items() if tensor.shape}


def _check_chain(graph: Message, tensors: dict[str, Tensor], forms: _Forms, activation: ActivationGraph) -> None:
    """The nodes must be Gemm, activation, ..., Gemm from the one input to the one output, with the canonical weights.

    Tensors of no dimensions are the constants of activations.
    """
    inputs, outputs = graph.get(11, []), graph.get(12, [])
    if (len(inputs), len(outputs)) != (1, 1):
        raise Refuted(STEP, f"the graph has {len(inputs)} inputs and {len(outputs)} outputs, not one of each")
    form = next((tensor.form for tensor in tensors.values()), forms[0])
    (current, columns), (output, rows) = _end(inputs[0], form), _end(outputs[0], form)
    nodes = [_node(view, index) for index, view in enumerate(graph.get(1, []))]
    weights = sum(bool(tensor.shape) for tensor in tensors.values())
    layers = weights // 2
    if weights % 2 or not layers or len(nodes) != layers + (layers - 1) * len(activation.nodes):
        raise Refuted(STEP, f"the graph has {len(nodes)} nodes and {weights} weights, which is no chain")
    if current in tensors:
        raise Refuted(STEP, f"the input {shown(current)} is a weight")
    walk = _Walk(nodes, tensors, form, current)
    for name in _layer_names(layers):
        current = walk.take("Gemm", (current, f"{name}.weight", f"{name}.bias"))
        if name != "output":
            current = walk.take_activation(activation, current)
    walk.require_end(output)
    last = tensors.get("output.weight")
    first = tensors.get("hidden1.weight", last)
    if first and last and ((columns,), (rows,)) != (first.shape[1:], last.shape[:1]):
        raise Refuted(STEP, f"the graph declares {columns} inputs and {rows} outputs, which its weights do not have")


class _Walk:
    """From node to node, each of which has to be the one that is wanted."""

    def __init__(self, nodes: list[Node], tensors: dict[str, Tensor], form: Form, start: str) -> None:
        self._nodes, self._tensors, self._form = nodes, tensors, form
        self._taken = {start, *tensors}
        self._unused = {name for name, tensor in tensors.items() if not tensor.shape}
        self._index, self._current = 0, start

    def take(self, wanted: str, inputs: tuple[str | float, ...]) -> str:
        """The result of the next node; its inputs must have these names or, being constants, these values."""
        index, (kind, arguments, result) = self._index, self._nodes[self._index]
        pairs = zip(arguments, inputs, strict=False)
        fits = len(arguments) == len(inputs) and all(self._is(name, value) for name, value in pairs)
        if kind != wanted or not fits:
            raise Refuted(STEP, f"node {index} is {shown(kind)} of {arguments}, not {wanted} of {list(inputs)}")
        if result in self._taken:
            raise Refuted(STEP, f"the result of node {index} has a name that is taken: {shown(result)}")
        self._taken.add(result)
        self._index, self._current = index + 1, result
        return result

    def take_activation(self, activation: ActivationGraph, x: str) -> str:
        """Go through the nodes of an activation; the name of its result."""
        results: dict[str | float, str] = {"x": x}
        for number, (kind, inputs) in enumerate(activation.nodes):
            results[f"#{number}"] = self.take(kind, tuple(results.get(part, part) for part in inputs))
        return self._current

    def _is(self, name: str, wanted: str | float) -> bool:
        if isinstance(wanted, str):
            return name == wanted
        constant = self._tensors.get(name)
        if constant is None or constant.shape:
            return False
        self._unused.discard(name)
        return constant.form == self._form and _number_in(name, constant) == wanted

    def require_end(self, output: str) -> None:
        """The last node gives the output of the graph, and every constant was used."""
        if self._current != output:
            raise Refuted(STEP, f"the output of the graph is {shown(output)}, not the result of the last node")
        if self._unused:
            raise Refuted(STEP, f"the file has a tensor {shown(min(self._unused))} that the network does not have")


def _number_in(name: str, tensor: Tensor) -> float:
    """The number of a tensor of no dimensions."""
    if len(tensor.data) != tensor.form.size:
        raise Malformed(name, f"{len(tensor.data)} bytes for one number")
    return float(struct.unpack(f"<{tensor.form.code}", tensor.data)[0])


Node = tuple[str, list[str], str]


def _node(view: memoryview, index: int) -> Node:
    """(operator, inputs, output) of a node that has no attribute besides transB = 1 of a Gemm."""
    place = f"node {index}"
    fields = {1: _BYTES, 2: _BYTES, 3: _BYTES, 4: _BYTES, 5: _BYTES, 6: _BYTES, 7: _BYTES, 9: _BYTES}
    node = _message(view, place, fields, repeated=(1, 2, 5, 9))
    kind = _text(node, 4)
    if _text(node, 7) not in ("", "ai.onnx"):
        raise Refuted(STEP, f"{place} is of the domain {shown(_text(node, 7))}")
    if len(node.get(2, [])) != 1:
        raise Refuted(STEP, f"{place} has {len(node.get(2, []))} results")
    attributes = [_attribute(part, place) for part in node.get(5, [])]
    wanted = [("transB", 1)] if kind == "Gemm" else []
    if attributes != wanted:
        raise Refuted(STEP, f"{place}, {shown(kind)}, has the attributes {attributes}, the network has {wanted}")
    return kind, [_decode(part) for part in node.get(1, [])], _decode(node[2][0])


def _attribute(view: memoryview, place: str) -> tuple[str, int | None]:
    """(name, value) of an attribute; the value is None unless it is an integer and nothing else."""
    fields = {1: _BYTES, 2: _FIXED32, 3: _VARINT, 4: _BYTES, 13: _BYTES, 20: _VARINT}
    attribute = _message(view, f"{place} attribute", fields)
    plain = _number(attribute, 20) == _INT_ATTRIBUTE and not {2, 4} & attribute.keys()
    return _text(attribute, 1), _number(attribute, 3) if plain else None


def _onnx_tensor(view: memoryview, forms: _Forms) -> tuple[str, Tensor]:
    """(name, tensor) of an initializer of raw numbers; one that is stored in any other way is refused."""
    fields = {1: _EITHER, 2: _VARINT, 8: _BYTES, 9: _BYTES, 12: _BYTES, 13: _BYTES, 14: _VARINT, 16: _BYTES}
    tensor = _message(view, "ONNX tensor", fields, repeated=(1, 13, 16))
    name = _text(tensor, 8)
    form = next((form for form in forms if form.onnx == _number(tensor, 2)), None)
    if form is None:
        known = " or ".join(f"{form.onnx} ({form.word})" for form in forms)
        raise Refuted(STEP, f"{shown(name)} is of type {_number(tensor, 2)}, not {known}")
    if 13 in tensor or _number(tensor, 14) != 0:
        raise Unsupported(f"the tensor {shown(name)}, which lies in another file")
    if 9 not in tensor:
        raise Malformed(f"ONNX tensor {shown(name)}", "no raw data")
    shape: list[int] = []
    for part in tensor.get(1, []):
        shape += [part] if isinstance(part, int) else _packed(part)
    if not all(length < 2**62 for length in shape):
        raise Malformed(f"ONNX tensor {shown(name)}", "a negative length")
    return name, Tensor(tuple(shape), tensor[9][0], form)


def _end(view: memoryview, form: Form) -> tuple[str, int]:
    """(name, number of columns) of an input or output: numbers of the form, of shape [anything, columns]."""
    value = _message(view, "graph end", {1: _BYTES, 2: _BYTES, 3: _BYTES, 4: _BYTES}, repeated=(4,))
    name = _text(value, 1)
    kind = _message(_part(value, 2, name), f"type of {shown(name)}", {1: _BYTES, 6: _BYTES})
    tensor = _message(_part(kind, 1, name), f"type of {shown(name)}", {1: _VARINT, 2: _BYTES})
    shape = _message(_part(tensor, 2, name), f"shape of {shown(name)}", {1: _BYTES}, repeated=(1,))
    kinds = {1: _VARINT, 2: _BYTES, 3: _BYTES}
    lengths = [_message(part, f"shape of {shown(name)}", kinds) for part in shape.get(1, [])]
    if _number(tensor, 1) != form.onnx or len(lengths) != 2 or 1 in lengths[0]:
        raise Refuted(STEP, f"{shown(name)} is not a table of {form.word}s with any number of rows")
    return name, _number(lengths[1], 1)


def _part(message: Message, field: int, name: str) -> memoryview:
    if field not in message:
        raise Malformed(f"type of {shown(name)}", "incomplete")
    view: memoryview = message[field][0]
    return view


def _text(message: Message, field: int) -> str:
    return _decode(message[field][0]) if field in message else ""


def _number(message: Message, field: int) -> int:
    return int(message[field][0]) if field in message else 0


def _decode(view: memoryview) -> str:
    try:
        return str(view, "utf-8")
    except UnicodeDecodeError:
        raise Malformed("ONNX model", "a name that is not UTF-8") from None


# The wire format of protocol buffers.


def _message(view: memoryview, place: str, known: dict[int, int], repeated: tuple[int, ...] = ()) -> Message:
    """The fields of a message by number; an unknown field, or one that appears twice and may not, is refused.

    Args:
        view: the bytes of the message.
        place: its name, for errors.
        known: the wire type of every field that may occur.
        repeated: the fields that may occur several times.
    """
    message: Message = {}
    at = total = 0
    while at < len(view):
        key, at = _varint(view, at, place)
        field, wire = key >> 3, key & 7
        if field not in known:
            raise Refuted(STEP, f"{place} has the field {field}, which a plain network does not need")
        if wire not in ((_VARINT, _BYTES) if known[field] == _EITHER else (known[field],)):
            raise Malformed(place, f"field {field} has wire type {wire}")
        value, at = _value(view, at, wire, place)
        message.setdefault(field, []).append(value)
        total += 1
        if total > MAX_FIELDS or (len(message[field]) > 1 and field not in repeated):
            raise Malformed(place, f"field {field} appears too often")
    return message


def _value(view: memoryview, at: int, wire: int, place: str) -> tuple[Any, int]:
    """(value, place after it): an integer, or the bytes of anything else."""
    if wire == _VARINT:
        return _varint(view, at, place)
    if wire == _BYTES:
        length, at = _varint(view, at, place)
    elif wire in (_FIXED32, _FIXED64):
        length = 4 if wire == _FIXED32 else 8
    else:
        raise Malformed(place, f"wire type {wire}")
    if at + length > len(view):
        raise Malformed(place, "it ends in the middle of a field")
    return view[at : at + length], at + length


def _varint(view: memoryview, at: int, place: str) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(view):
            raise Malformed(place, "it ends in the middle of a number")
        byte = view[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            break
    else:
        raise Malformed(place, "a number of more than ten bytes")
    if value >= 2**64:
        raise Malformed(place, "a number of more than 64 bits")
    return value, at


def _packed(view: memoryview) -> list[int]:
    numbers: list[int] = []
    at = 0
    while at < len(view):
        if len(numbers) == MAX_FIELDS:
            raise Malformed("ONNX tensor", "too many lengths")
        number, at = _varint(view, at, "ONNX tensor")
        numbers.append(number)
    return numbers
