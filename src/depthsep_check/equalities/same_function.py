"""Check that two networks are equal at every real input, by bringing both to one canonical form.

**Canonical form.** Layer by layer, every unit is written as a multiple of a *canonical function* or as a constant. The
canonical functions of layer 0 are the coordinates. The form of a unit of layer l is its preactivation as a combination
of canonical functions of layer l-1 (coefficients that are 0 left out) plus a constant. In a hidden layer

* a form without coefficients is a constant c, and the unit is the constant max(0, c);
* a form over hidden functions whose coefficients and constant are all <= 0 belongs to the constant unit 0;
* any other form is divided by the absolute value s > 0 of its first coefficient, and the unit is s times the canonical
  function relu(form / s). Equal quotients are one function, in both networks.

The outputs are equal if their forms are.

*Proof.* By induction over the layers every unit is, at every x in R^d, the constant or the multiple that is noted for
it. The form is the preactivation: substitute what is noted for the units before and collect. A constant preactivation
has a constant ReLU. Canonical functions of hidden layers are ReLUs, hence >= 0 everywhere, so a combination with
coefficients <= 0 plus a constant <= 0 is <= 0 and its ReLU is 0. And relu(s z) = s relu(z) for s > 0. Hence outputs
with equal forms are equal at every x. QED  The converse fails: different forms can be the same function.

**Padding.** Where the network is deeper, outputs y of the source are continued by relu(y), relu(-y), by units that copy
these, and by y = relu(y) - relu(-y); this holds for every real y, and the ReLU of a ReLU is itself.

**Rescaling.** Multiply hidden units by s_v > 0: the weight from u to v becomes w s_v / s_u and the bias b s_v, with
s = 1 at inputs and outputs. Along a path that starts at an input, or with a bias, and ends at an output the factors
cancel, so the product of the n numbers on it is the same after any rescaling. If it is at least L^n in absolute value,
one of them is at least L. QED
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from flint import fmpq

from depthsep_check.document import MAX_DIM, NetworkDocument
from depthsep_check.fields import fields_of, integer, item_list, word
from depthsep_check.numbers import format_rational, parse_rational
from depthsep_check.relu_networks import (
    MAX_LAYERS,
    MAX_NUMBERS,
    Layer,
    ReluNetwork,
    largest_weight,
    layer_denominators,
    read_relu_network,
)
from depthsep_check.verdict import Malformed, Refuted

FORMS = "canonical forms"
WEIGHTS = "max_weight"
RESCALING = "rescaling_lower"


@dataclass(frozen=True, slots=True)
class _Claim:
    dim: int
    outputs: int
    max_weight: fmpq
    rescaling_lower: fmpq | None


@dataclass(frozen=True, slots=True)
class _Unit:
    """scale times the canonical function of that number; or the constant `scale`, where there is no function."""

    function: int | None
    scale: fmpq


# A unit before its ReLU: the (unit of the layer before, weight) pairs of its weights that are not 0, and its bias.
_Row = tuple[list[tuple[int, fmpq]], fmpq]
# Its form: the (canonical function, coefficient) pairs in order, and the constant.
_Form = tuple[tuple[tuple[int, fmpq], ...], fmpq]


def check(document: NetworkDocument) -> str:
    """Replay the proof that the network computes the same function as the source.

    Returns:
        The proved sentence.

    Raises:
        Refuted: the canonical forms differ, a weight is larger than claimed, or the critical path proves less.
        Malformed: an object is not of the form that the format page gives.
        Unsupported: a word is not known here.
        Exhausted: the numbers are too long to compute with.
    """
    claim = _claim(document.claim)
    source = read_relu_network(document.function, "function")
    network = read_relu_network(document.network, "network")
    path = _critical_path(document.witness)
    _require_shapes(claim, source, network)
    largest = largest_weight(network)
    if not largest <= claim.max_weight:
        raise Refuted(WEIGHTS, f"a weight or bias of the network is {largest} in absolute value")
    _require_rescaling(claim, network, path)
    _require_equal(source, network)
    return _statement(claim, source, network)


def _require_shapes(claim: _Claim, source: ReluNetwork, network: ReluNetwork) -> None:
    for name, found in (("function", source), ("network", network)):
        if found.dim != claim.dim:
            raise Malformed(f"{name}.dim", f"{found.dim}, but the claim is about dimension {claim.dim}")
        if found.outputs != claim.outputs:
            raise Malformed(f"{name}.layers", f"{found.outputs} outputs, but the claim is about {claim.outputs}")
    if network.depth < source.depth:
        raise Malformed("network.layers", f"{network.depth} layers, but the source has {source.depth}")


def _statement(claim: _Claim, source: ReluNetwork, network: ReluNetwork) -> str:
    weights = format_rational(claim.max_weight)
    text = (
        f"N(x) = f(x) for all x in R^{claim.dim} (exact arithmetic), f the ReLU network of depth {source.depth} with "
        f"{source.neurons} neurons and {claim.outputs} outputs of the document; N has depth {network.depth}, "
        f"{network.neurons} neurons, every weight and bias at most {weights} in absolute value"
    )
    if claim.rescaling_lower is None:
        return text
    lower = format_rational(claim.rescaling_lower)
    return f"{text}; any positive rescaling of its neurons leaves a weight or bias of at least {lower}"


# ------------------------------------------------------------------------------------------------------------------
# Canonical forms


def _require_equal(source: ReluNetwork, network: ReluNetwork) -> None:
    """Insist that both networks have the same canonical forms at their outputs."""
    for found in (source, network):
        layer_denominators(found, FORMS)  # refuses networks that make the numbers below too long
    ours = theirs = [_Unit(index, fmpq(1)) for index in range(source.dim)]
    pairs = zip(_continued(source, network.depth), map(_rows, network.layers), strict=True)
    for level, (wanted, found_rows) in enumerate(pairs):
        wanted_forms = [_form(row, ours) for row in wanted]
        found_forms = [_form(row, theirs) for row in found_rows]
        functions: dict[tuple[int, ...], int] = {}
        ours = [_unit(form, functions, level > 0) for form in wanted_forms]
        theirs = [_unit(form, functions, level > 0) for form in found_forms]
    for index, (one, other) in enumerate(zip(wanted_forms, found_forms, strict=True)):
        if one != other:
            raise Refuted(FORMS, f"output {index} of the network is not that of the source in canonical form")


def _rows(layer: Layer) -> list[_Row]:
    pairs = zip(layer.weights, layer.biases, strict=True)
    return [([(i, weight) for i, weight in enumerate(row) if weight != 0], bias) for row, bias in pairs]


def _continued(source: ReluNetwork, depth: int) -> list[list[_Row]]:
    """The rows of the source, continued by identity layers up to `depth`."""
    layers = [_rows(layer) for layer in source.layers]
    if depth == source.depth:
        return layers
    positive, zero, one = layers.pop(), fmpq(0), fmpq(1)
    negative = [([(i, -weight) for i, weight in row], -bias) for row, bias in positive]
    copies: list[_Row] = [([(unit, one)], zero) for unit in range(2 * source.outputs)]
    outputs: list[_Row] = [([(o, one), (o + source.outputs, -one)], zero) for o in range(source.outputs)]
    return [*layers, positive + negative, *[copies] * (depth - source.depth - 1), outputs]


def _form(row: _Row, units: list[_Unit]) -> _Form:
    """What a row reads, in canonical functions."""
    coefficients: dict[int, fmpq] = {}
    pairs, constant = row
    for index, weight in pairs:
        unit = units[index]
        if unit.function is None:
            constant += weight * unit.scale
        else:
            coefficients[unit.function] = coefficients.get(unit.function, 0) + weight * unit.scale
    return tuple(sorted((f, c) for f, c in coefficients.items() if c != 0)), constant


def _unit(form: _Form, functions: dict[tuple[int, ...], int], over_hidden: bool) -> _Unit:
    """The ReLU of a form; `functions` numbers the canonical functions of the layer."""
    terms, constant = form
    if not terms:
        return _Unit(None, max(constant, fmpq(0)))
    if over_hidden and constant <= 0 and all(coefficient <= 0 for _, coefficient in terms):
        return _Unit(None, fmpq(0))
    scale = abs(terms[0][1])
    quotients = (constant / scale, *(coefficient / scale for _, coefficient in terms))
    # Numerators and denominators, because rationals are slow to hash.
    key = (*(function for function, _ in terms), *(int(part) for q in quotients for part in (q.p, q.q)))
    return _Unit(functions.setdefault(key, len(functions)), scale)


# ------------------------------------------------------------------------------------------------------------------
# Rescaling


def _require_rescaling(claim: _Claim, network: ReluNetwork, path: tuple[int, ...] | None) -> None:
    """Insist that the numbers on the path have a product of at least L^n."""
    lower = claim.rescaling_lower
    if (lower is None) != (path is None):
        raise Malformed("witness.critical_path", "is null exactly when claim.rescaling_lower is null")
    if lower is None or path is None:
        return
    product = fmpq(1)
    numbers = _numbers_on(path, network)
    for number in numbers:
        product *= abs(number)
    if not product >= lower ** len(numbers):
        raise Refuted(RESCALING, f"the product of the {len(numbers)} numbers on the critical path is too small")


def _numbers_on(path: tuple[int, ...], network: ReluNetwork) -> list[fmpq]:
    """The weights along a path, after the bias with which it starts where it does not start at an input."""
    sizes = (network.dim, *network.widths, network.outputs)
    if not 1 <= len(path) <= len(sizes):
        raise Refuted(RESCALING, f"a critical path has between 1 and {len(sizes)} entries, not {len(path)}")
    first = len(sizes) - len(path)
    for level, index in enumerate(path, first):
        if not 0 <= index < sizes[level]:
            raise Refuted(RESCALING, f"there is no neuron {index} in layer {level} for the critical path")
    numbers = [network.layers[first - 1].biases[path[0]]] if first else []
    steps = zip(network.layers[first:], pairwise(path), strict=True)
    return numbers + [layer.weights[after][before] for layer, (before, after) in steps]


# ------------------------------------------------------------------------------------------------------------------
# The form of the parts


def _claim(value: Any) -> _Claim:
    names = ("kind", "dim", "outputs", "domain", "arithmetic", WEIGHTS, RESCALING)
    fields = fields_of(value, "claim", names)
    word(fields["domain"], "claim.domain", ("R^d",))
    word(fields["arithmetic"], "claim.arithmetic", ("real",))
    lower = fields[RESCALING]
    if lower is not None:
        lower = parse_rational(lower, f"claim.{RESCALING}")
        if not lower > 0:
            raise Malformed(f"claim.{RESCALING}", "must be positive, or null")
    return _Claim(
        dim=integer(fields["dim"], "claim.dim", 1, MAX_DIM),
        outputs=integer(fields["outputs"], "claim.outputs", 1, MAX_NUMBERS),
        max_weight=parse_rational(fields[WEIGHTS], f"claim.{WEIGHTS}"),
        rescaling_lower=lower,
    )


def _critical_path(value: Any) -> tuple[int, ...] | None:
    fields = fields_of(value, "witness", ("kind", "critical_path"))
    word(fields["kind"], "witness.kind", ("canonical-forms",))
    path = fields["critical_path"]
    if path is None:
        return None
    return item_list(path, "witness.critical_path", MAX_LAYERS + 1, lambda v, p: integer(v, p, 0, MAX_NUMBERS))
