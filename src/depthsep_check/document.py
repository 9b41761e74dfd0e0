"""The strict reader of documents; `docs/document-format.md` is the contract that it follows.

Everything that is a matter of form is decided here: keys, types, order of thresholds, lengths, limits, the digest.
What a `Document` holds is therefore well formed, and its numbers are exact rationals; whether its claim is true is for
the other modules. Nothing that can be computed from the definitions is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from flint import fmpq

from depthsep_check.activations import ACTIVATIONS
from depthsep_check.expression import Expression, ExpressionError, parse
from depthsep_check.fields import (
    fields_of,
    integer,
    item_list,
    of_kind,
    peek_kind,
    require_length,
    threshold_list,
    weight_list,
    word,
)
from depthsep_check.numbers import format_rational, parse_rational, parse_weight, shown
from depthsep_check.verdict import Malformed, Unsupported

FORMAT = "depthsep"
VERSION = 1

MAX_BYTES = 64 * 1024 * 1024
MAX_DIM = 1_000_000
MAX_GROUPS = 64
MAX_THRESHOLDS = 4096
MAX_PAIRS = 1024
MAX_SECOND_UNITS = 4096
MAX_CELLS = 4096
MAX_COEFFICIENTS = 13
MAX_GENERATOR_LENGTH = 64
MAX_GENERATOR_ENTRY = 1000
MAX_CODE_BITS = 24
MAX_EXPLICIT_VECTORS = 4096
MAX_SLOPES = 20_000
MAX_GRID = 1_000_000
MAX_MADE_BY = 100
MAX_WIDTH = 10**18

# Claims of lower bounds that have a module of their own in `depthsep_check.theorems`.
THEOREMS = {
    "tubes": "tubes",
    "degrees": "degrees",
    "radial-dual": "radial_dual",
    "gaussian-floor": "gaussian_floor",
    "crossings": "crossings",
    "random-directions": "random_directions",
    "random-frames": "random_frames",
    "moment-limit": "moment_limit",
    "univariate": "univariate",
}
# Claims that two networks are equal: a module each in `depthsep_check.equalities`.
EQUALITIES = {
    "same-function": "same_function",
    "grid-equality": "grid_equality",
    "circuit-equality": "circuit_equality",
    "exact-target": "exact_target",
}
# Claims that a network is near a function: a module each in `depthsep_check.approximations`.
APPROXIMATIONS = {
    "folded-error": "folded",
    "smooth-error": "smooth_squares",
}
_NETWORK_CLAIMS = {**EQUALITIES, **APPROXIMATIONS}
_MAX_INTEGER_DIGITS = 100


# ------------------------------------------------------------------------------------------------------------------
# What a document holds


@dataclass(frozen=True, slots=True)
class RadialFunction:
    """x -> phi(||x||); `text` is the profile phi as the document writes it."""

    expression: Expression
    text: str


@dataclass(frozen=True, slots=True)
class BallIndicatorFunction:
    """1 where ||x|| <= radius - margin, 0 where ||x|| >= radius + margin, free between."""

    radius: fmpq
    margin: fmpq


@dataclass(frozen=True, slots=True)
class SupErrorClaim:
    """|network - function| <= error on the unit ball of dimension `dim`, in exact real arithmetic."""

    dim: int
    error: fmpq


@dataclass(frozen=True, slots=True)
class WidthLowerClaim:
    """Every network of the class within `eps` of the function has at least `width` units in its first hidden layer.

    Attributes:
        dim: dimension of the unit ball.
        eps: accuracy in the sup norm, positive.
        depth: "any", 2 or 3.
        activation_class: "any" or "relu" (of the first layer).
        weight_class: "any".
        second_layer_width: k when the class bounds the second layer, otherwise None.
        width: the bound.
    """

    dim: int
    eps: fmpq
    depth: str | int
    activation_class: str
    weight_class: str
    second_layer_width: int | None
    width: int


@dataclass(frozen=True, slots=True)
class OrbitDirections:
    """All signed arrangements of the generator in `dim` places, one of each pair u, -u."""

    generator: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CodeDirections:
    """The 2^bits sign vectors ((-1)^popcount(y & c_i))_i."""

    bits: int
    columns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ExplicitDirections:
    """Vectors listed one by one."""

    vectors: tuple[tuple[fmpq, ...], ...]


Directions = OrbitDirections | CodeDirections | ExplicitDirections


@dataclass(frozen=True, slots=True)
class RidgeGroup:
    """One even profile for all directions of a set; thresholds strictly increasing and >= 0, one weight for each."""

    directions: Directions
    thresholds: tuple[fmpq, ...]
    weights: tuple[fmpq, ...]


@dataclass(frozen=True, slots=True)
class AffineUnit:
    """The unit weight * relu(<direction, x> + offset)."""

    direction: tuple[fmpq, ...]
    offset: fmpq
    weight: fmpq


@dataclass(frozen=True, slots=True)
class RidgeNetwork:
    """Depth 2: bias + the groups + the affine unit, if there is one."""

    dim: int
    bias: fmpq
    groups: tuple[RidgeGroup, ...]
    affine: AffineUnit | None


@dataclass(frozen=True, slots=True)
class ActivationGroup:
    """The units s(slope (z - centre)) and s(slope (-z - centre)) with one weight, for all directions; slopes > 0."""

    directions: Directions
    slopes: tuple[fmpq, ...]
    centres: tuple[fmpq, ...]
    weights: tuple[fmpq, ...]


@dataclass(frozen=True, slots=True)
class ActivationRidgeNetwork:
    """Depth 2: bias + the groups, the units having the activation of this name, or that of a formula in t."""

    dim: int
    activation: str | Expression
    bias: fmpq
    groups: tuple[ActivationGroup, ...]


@dataclass(frozen=True, slots=True)
class SeparableNetwork:
    """Depth 3: one even function on every coordinate, summed, then a piecewise linear function of the sum."""

    dim: int
    first_thresholds: tuple[fmpq, ...]
    first_weights: tuple[fmpq, ...]
    affine_offset: fmpq | None
    second_bias: fmpq
    second_thresholds: tuple[fmpq, ...]
    second_sides: tuple[str, ...]
    second_weights: tuple[fmpq, ...]


@dataclass(frozen=True, slots=True)
class PolynomialPair:
    """Coefficients, in powers of z^2, of two even polynomials about the profile of one direction."""

    upper: tuple[fmpq, ...]
    lower: tuple[fmpq, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """The radii up to `to` (from the cell before); one pair for every group, all of the same length."""

    to: fmpq
    groups: tuple[PolynomialPair, ...]


@dataclass(frozen=True, slots=True)
class MomentSandwich:
    """Witness for ridge networks; the cells are strictly increasing and end at 1."""

    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class ChamberCells:
    """Witness for ridge networks in directions of the reflection group A_d: a generator for the orbit of each group."""

    orbits: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class SupportLines:
    """Witness for separable networks: nonnegative slopes."""

    upper_slopes: tuple[fmpq, ...]
    lower_slopes: tuple[fmpq, ...]


@dataclass(frozen=True, slots=True)
class Oscillation:
    """Witness of a lower bound: two radii in [0, 1]."""

    points: tuple[fmpq, fmpq]


@dataclass(frozen=True, slots=True)
class CellsWitness:
    """Witness of a lower bound: the number of steps of a grid."""

    grid: int


Function = RadialFunction | BallIndicatorFunction
Claim = SupErrorClaim | WidthLowerClaim
Network = RidgeNetwork | ActivationRidgeNetwork | SeparableNetwork
Witness = MomentSandwich | ChamberCells | SupportLines | Oscillation | CellsWitness


@dataclass(frozen=True, slots=True)
class TheoremDocument:
    """A lower bound whose claim names a theorem; the module of that theorem reads the three objects, strictly.

    Attributes:
        theorem: the kind of the claim, a key of THEOREMS.
        function: the FUNCTION object, unread.
        claim: the CLAIM object, unread.
        witness: the WITNESS object, unread.
        made_by: who wrote it.
    """

    theorem: str
    function: Any
    claim: Any
    witness: Any
    made_by: str


@dataclass(frozen=True, slots=True)
class NetworkDocument:
    """A claim about a network whose kind has a module of its own, which reads the four objects, strictly.

    Attributes:
        kind: the kind of the claim, a key of EQUALITIES or of APPROXIMATIONS.
        function: the FUNCTION object, unread; of an equality of two networks, the first of them.
        claim: the CLAIM object, unread.
        network: the NETWORK object, unread.
        witness: the WITNESS object, unread.
        made_by: who wrote it.
    """

    kind: str
    function: Any
    claim: Any
    network: Any
    witness: Any
    made_by: str


@dataclass(frozen=True, slots=True)
class Document:
    """A well-formed document; `network` is None for a lower bound."""

    function: Function
    claim: Claim
    network: Network | None
    witness: Witness
    made_by: str


def activation_text(network: ActivationRidgeNetwork) -> str:
    """The activation as sentences name it."""
    return network.activation if isinstance(network.activation, str) else f"t -> {network.activation.text}"


def sup_error_statement(document: Document, widths: tuple[int, ...]) -> str:
    """The sentence that a verified sup-error document proves: error, domain, arithmetic, depth, widths and function."""
    claim, function = document.claim, document.function
    if not isinstance(claim, SupErrorClaim):
        raise TypeError("not a document of kind sup-error")
    if isinstance(function, RadialFunction):
        meaning = f"f(x) = phi(||x||), phi(r) = {function.text}"
    else:
        inner, outer = function.radius - function.margin, function.radius + function.margin
        meaning = f"f = 1 where ||x|| <= {inner}, f = 0 where ||x|| >= {outer}, no claim between"
    network = document.network
    units = f", activation {activation_text(network)}" if isinstance(network, ActivationRidgeNetwork) else ""
    return (
        f"|N(x) - f(x)| <= {format_rational(claim.error)} for all real x with ||x|| <= 1 in dimension {claim.dim} "
        f"(exact arithmetic); depth {len(widths) + 1}, widths ({', '.join(map(str, widths))}){units}; {meaning}"
    )


# ------------------------------------------------------------------------------------------------------------------
# Writing


def digest_of(obj: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON of the object without its `digest`."""
    rest = {key: value for key, value in obj.items() if key != "digest"}
    canonical = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def encode(obj: Mapping[str, Any]) -> str:
    """The text of a document, its digest added; one top-level key per line."""
    complete = {**obj, "digest": digest_of(obj)}
    lines = [f"{json.dumps(key)}: {json.dumps(value, allow_nan=False)}" for key, value in complete.items()]
    return "{" + ",\n ".join(lines) + "}\n"


# ------------------------------------------------------------------------------------------------------------------
# Reading


def read(text: bytes | str) -> Document | TheoremDocument | NetworkDocument:
    """Read a document.

    Raises:
        Malformed: it is not one; the error names the place.
        Unsupported: it is of another version, or of a kind that is not known here.
    """
    obj = _load(text)
    if not isinstance(obj, dict):
        raise Malformed("document", f"expected a JSON object, found {shown(obj)}")
    if obj.get("format") != FORMAT:
        raise Malformed("format", f'expected "{FORMAT}", found {shown(obj.get("format"))}')
    version = obj.get("version")
    if type(version) is not int:
        raise Malformed("version", f"expected an integer, found {shown(version)}")
    if version != VERSION:
        raise Unsupported(f"version {version} of the format (this checker reads version {VERSION})")
    claim_kind = peek_kind(obj.get("claim"), "claim", {**_CLAIMS, **THEOREMS, **_NETWORK_CLAIMS})
    network_key = ("network",) if claim_kind == "sup-error" or claim_kind in _NETWORK_CLAIMS else ()
    keys = ("format", "version", "made_by", "function", "claim", *network_key, "witness", "digest")
    fields = fields_of(obj, "document", keys)
    if fields["digest"] != digest_of(obj):
        raise Malformed("digest", "it is not the digest of this document")
    made_by = fields["made_by"]
    if not isinstance(made_by, str) or len(made_by) > MAX_MADE_BY:
        raise Malformed("made_by", f"expected a text of at most {MAX_MADE_BY} characters")
    if claim_kind in THEOREMS:
        return TheoremDocument(claim_kind, fields["function"], fields["claim"], fields["witness"], made_by)
    if claim_kind in _NETWORK_CLAIMS:
        parts = (fields["function"], fields["claim"], fields["network"], fields["witness"])
        return NetworkDocument(claim_kind, *parts, made_by)
    return _document(fields, made_by)


def _load(text: bytes | str) -> Any:
    if len(text) > MAX_BYTES:
        raise Malformed("document", f"more than {MAX_BYTES} bytes")
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        return json.loads(
            decoded,
            object_pairs_hook=_object,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
            parse_int=_integer,
        )
    except UnicodeDecodeError:
        raise Malformed("document", "not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise Malformed("document", f"not JSON at line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise Malformed("document", "nested too deep") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise Malformed("document", f"the key {shown(twice)} appears twice in one object")
    return result


def _refuse_number(text: str) -> NoReturn:
    raise Malformed("document", f"the number {shown(text)}: only integers and numbers in strings are allowed")


def _integer(text: str) -> int:
    if len(text) > _MAX_INTEGER_DIGITS:
        raise Malformed("document", f"an integer of more than {_MAX_INTEGER_DIGITS} digits")
    return int(text)


def _document(fields: dict[str, Any], made_by: str) -> Document:
    claim = of_kind(fields["claim"], "claim", _CLAIMS)
    function = of_kind(fields["function"], "function", _FUNCTIONS)
    witness = of_kind(fields["witness"], "witness", _WITNESSES)
    if isinstance(function, RadialFunction):
        _check_exponents(function, claim.dim)
    if isinstance(claim, WidthLowerClaim):
        _check_class(claim, witness)
        return Document(function, claim, None, witness, made_by)
    if claim.error < 0 or (claim.error == 0 and isinstance(function, RadialFunction)):
        raise Malformed("claim.error", "must be positive (0 is allowed for a ball indicator)")
    network = of_kind(fields["network"], "network", _NETWORKS)
    if network.dim != claim.dim:
        raise Malformed("network.dim", f"{network.dim}, but the claim is about dimension {claim.dim}")
    _check_pair(network, witness)
    return Document(function, claim, network, witness, made_by)


def _check_exponents(function: RadialFunction, dim: int) -> None:
    try:
        function.expression.program(dim)
    except ExpressionError as error:
        raise Malformed("function.expression", f"column {error.position + 1}: {error.expected}") from None


def _check_class(claim: WidthLowerClaim, witness: Witness) -> None:
    """A claim of a lower bound must be of the class that its witness speaks about."""
    of = (claim.depth, claim.activation_class, claim.second_layer_width)
    if isinstance(witness, Oscillation):
        fits = of == ("any", "any", None) and claim.width == claim.dim
        needed = 'depth "any", activation_class "any", second_layer_width null and width = dim'
    elif isinstance(witness, CellsWitness):
        k = claim.second_layer_width
        fits = claim.activation_class == "relu" and ((claim.depth == 3 and k is not None) or of[::2] == (2, 1))
        needed = 'activation_class "relu", and second_layer_width 1 with depth 2, or an integer with depth 3'
    else:
        raise Malformed("witness.kind", "a lower bound needs a witness of kind oscillation or cells")
    if not fits:
        raise Malformed("claim", f"this witness proves claims with {needed}")


def _check_pair(network: Network, witness: Witness) -> None:
    """The witness must be of the kind of the network, and speak about all its groups."""
    if isinstance(network, SeparableNetwork):
        if not isinstance(witness, SupportLines):
            raise Malformed("witness.kind", "a separable network needs a witness of kind support-lines")
        return
    if isinstance(witness, ChamberCells) and isinstance(network, RidgeNetwork):
        _check_orbits(network, witness)
        return
    if not isinstance(witness, MomentSandwich):
        kind = "a ridge-groups" if isinstance(network, RidgeNetwork) else "an activation-groups"
        raise Malformed("witness.kind", f"{kind} network needs a witness of kind moment-sandwich")
    for index, cell in enumerate(witness.cells):
        if len(cell.groups) != len(network.groups):
            place = f"witness.cells[{index}].groups"
            raise Malformed(place, f"{len(cell.groups)} entries for {len(network.groups)} groups of the network")


def _check_orbits(network: RidgeNetwork, witness: ChamberCells) -> None:
    require_length(witness.orbits, "witness.orbits", len(network.groups))
    for index, generator in enumerate(witness.orbits):
        if len(generator) > network.dim + 1:
            raise Malformed(f"witness.orbits[{index}]", f"{len(generator)} entries for {network.dim + 1} places")


# The forms of the parts. Every reader takes a JSON value and its place.


def _radial(value: Any, place: str) -> RadialFunction:
    fields = fields_of(value, place, ("kind", "expression"))
    text = fields["expression"]
    if not isinstance(text, str):
        raise Malformed(f"{place}.expression", f"expected a text, found {shown(text)}")
    try:
        return RadialFunction(parse(text), text)
    except ExpressionError as error:
        raise Malformed(f"{place}.expression", f"column {error.position + 1}: {error.expected}") from None


def _ball_indicator(value: Any, place: str) -> BallIndicatorFunction:
    fields = fields_of(value, place, ("kind", "radius", "margin"))
    radius = parse_rational(fields["radius"], f"{place}.radius")
    margin = parse_rational(fields["margin"], f"{place}.margin")
    if not (0 < margin < radius and radius + margin <= 1):
        raise Malformed(place, "needs 0 < margin < radius and radius + margin <= 1")
    return BallIndicatorFunction(radius, margin)


def _sup_error(value: Any, place: str) -> SupErrorClaim:
    fields = fields_of(value, place, ("kind", "dim", "domain", "arithmetic", "error"))
    word(fields["domain"], f"{place}.domain", ("unit-ball",))
    word(fields["arithmetic"], f"{place}.arithmetic", ("real",))
    error = parse_rational(fields["error"], f"{place}.error")
    return SupErrorClaim(integer(fields["dim"], f"{place}.dim", 1, MAX_DIM), error)


def _width_lower(value: Any, place: str) -> WidthLowerClaim:
    words = ("domain", "norm", "activation_class", "weight_class")
    numbers = ("dim", "eps", "depth", "second_layer_width", "width")
    fields = fields_of(value, place, ("kind", *words, *numbers))
    allowed = (("unit-ball",), ("sup",), ("any", "relu"), ("any",))
    for key, choices in zip(words, allowed, strict=True):
        word(fields[key], f"{place}.{key}", choices)
    eps = parse_rational(fields["eps"], f"{place}.eps")
    if eps <= 0:
        raise Malformed(f"{place}.eps", "must be positive")
    depth, second = fields["depth"], fields["second_layer_width"]
    if depth != "any":
        depth = integer(depth, f"{place}.depth", 2, 3)
    return WidthLowerClaim(
        dim=integer(fields["dim"], f"{place}.dim", 1, MAX_DIM),
        eps=eps,
        depth=depth,
        activation_class=fields["activation_class"],
        weight_class=fields["weight_class"],
        second_layer_width=None if second is None else integer(second, f"{place}.second_layer_width", 1, MAX_DIM),
        width=integer(fields["width"], f"{place}.width", 1, MAX_WIDTH),
    )


def _ridge_groups(value: Any, place: str) -> RidgeNetwork:
    fields = fields_of(value, place, ("kind", "activation", "dim", "bias", "groups", "affine"))
    word(fields["activation"], f"{place}.activation", ("relu",))
    dim = integer(fields["dim"], f"{place}.dim", 1, MAX_DIM)
    bias = parse_weight(fields["bias"], f"{place}.bias")
    groups = item_list(fields["groups"], f"{place}.groups", MAX_GROUPS, lambda v, p: _ridge_group(v, p, dim))
    affine = None if fields["affine"] is None else _affine(fields["affine"], f"{place}.affine", dim)
    return RidgeNetwork(dim, bias, groups, affine)


def _ridge_group(value: Any, place: str, dim: int) -> RidgeGroup:
    fields = fields_of(value, place, ("directions", "thresholds", "weights"))
    directions = _directions(fields["directions"], f"{place}.directions", dim)
    thresholds = threshold_list(fields["thresholds"], f"{place}.thresholds", MAX_THRESHOLDS)
    weights = weight_list(fields["weights"], f"{place}.weights", MAX_THRESHOLDS, len(thresholds))
    return RidgeGroup(directions, thresholds, weights)


def _activation_groups(value: Any, place: str) -> ActivationRidgeNetwork:
    fields = fields_of(value, place, ("kind", "activation", "dim", "bias", "groups"))
    activation = _activation(fields["activation"], f"{place}.activation")
    dim = integer(fields["dim"], f"{place}.dim", 1, MAX_DIM)
    bias = parse_weight(fields["bias"], f"{place}.bias")
    groups = item_list(fields["groups"], f"{place}.groups", MAX_GROUPS, lambda v, p: _activation_group(v, p, dim))
    return ActivationRidgeNetwork(dim, activation, bias, groups)


def _activation(value: Any, place: str) -> str | Expression:
    """The name of a known activation, or the formula of another one; whether that can serve is not decided here."""
    if not isinstance(value, dict):
        word(value, place, tuple(ACTIVATIONS))
        return str(value)
    text = fields_of(value, place, ("expression",))["expression"]
    if not isinstance(text, str):
        raise Malformed(f"{place}.expression", f"expected a text, found {shown(text)}")
    try:
        formula = parse(text, variables=("t",))
        formula.program(1)
    except ExpressionError as error:
        raise Malformed(f"{place}.expression", f"column {error.position + 1}: {error.expected}") from None
    return formula


def _activation_group(value: Any, place: str, dim: int) -> ActivationGroup:
    fields = fields_of(value, place, ("directions", "slopes", "centres", "weights"))
    directions = _directions(fields["directions"], f"{place}.directions", dim)
    slopes = weight_list(fields["slopes"], f"{place}.slopes", MAX_PAIRS)
    for index, slope in enumerate(slopes):
        if slope <= 0:
            raise Malformed(f"{place}.slopes[{index}]", "a slope must be positive")
    centres = weight_list(fields["centres"], f"{place}.centres", MAX_PAIRS, len(slopes))
    weights = weight_list(fields["weights"], f"{place}.weights", MAX_PAIRS, len(slopes))
    return ActivationGroup(directions, slopes, centres, weights)


def _directions(value: Any, place: str, dim: int) -> Directions:
    readers: dict[str, Callable[[Any, str], Directions]] = {
        "orbit": lambda v, p: _orbit(v, p, dim),
        "code": lambda v, p: _code(v, p, dim),
        "explicit": lambda v, p: _explicit(v, p, dim),
    }
    return of_kind(value, place, readers)


def _orbit(value: Any, place: str, dim: int) -> OrbitDirections:
    place = f"{place}.generator"
    generator = item_list(
        fields_of(value, place, ("kind", "generator"))["generator"],
        place,
        MAX_GENERATOR_LENGTH,
        lambda v, p: integer(v, p, 1, MAX_GENERATOR_ENTRY),
    )
    if not 1 <= len(generator) <= dim:
        raise Malformed(place, f"needs between 1 and {dim} entries, has {len(generator)}")
    if list(generator) != sorted(generator, reverse=True):
        raise Malformed(place, "must not increase")
    return OrbitDirections(generator)


def _code(value: Any, place: str, dim: int) -> CodeDirections:
    fields = fields_of(value, place, ("kind", "bits", "columns"))
    bits = integer(fields["bits"], f"{place}.bits", 0, MAX_CODE_BITS)
    columns = item_list(fields["columns"], f"{place}.columns", MAX_DIM, lambda v, p: integer(v, p, 0, 2**bits - 1))
    require_length(columns, f"{place}.columns", dim)
    return CodeDirections(bits, columns)


def _explicit(value: Any, place: str, dim: int) -> ExplicitDirections:
    place = f"{place}.vectors"
    vectors = item_list(
        fields_of(value, place, ("kind", "vectors"))["vectors"],
        place,
        MAX_EXPLICIT_VECTORS,
        lambda v, p: weight_list(v, p, dim, dim),
    )
    if not vectors:
        raise Malformed(place, "needs at least one vector")
    return ExplicitDirections(vectors)


def _affine(value: Any, place: str, dim: int) -> AffineUnit:
    fields = fields_of(value, place, ("direction", "offset", "weight"))
    return AffineUnit(
        direction=weight_list(fields["direction"], f"{place}.direction", dim, dim),
        offset=parse_weight(fields["offset"], f"{place}.offset"),
        weight=parse_weight(fields["weight"], f"{place}.weight"),
    )


def _separable(value: Any, place: str) -> SeparableNetwork:
    fields = fields_of(value, place, ("kind", "activation", "dim", "first", "second"))
    word(fields["activation"], f"{place}.activation", ("relu",))
    first = fields_of(fields["first"], f"{place}.first", ("thresholds", "weights", "affine_offset"))
    second = fields_of(fields["second"], f"{place}.second", ("bias", "thresholds", "sides", "weights"))
    knots = threshold_list(first["thresholds"], f"{place}.first.thresholds", MAX_THRESHOLDS)
    offset = first["affine_offset"]
    if (offset is None) == (knots[:1] == (0,)):
        rule = "must be a weight when the first threshold is 0, and null otherwise"
        raise Malformed(f"{place}.first.affine_offset", rule)
    breaks = weight_list(second["thresholds"], f"{place}.second.thresholds", MAX_SECOND_UNITS)
    sides = item_list(second["sides"], f"{place}.second.sides", MAX_SECOND_UNITS, _side)
    require_length(sides, f"{place}.second.sides", len(breaks))
    return SeparableNetwork(
        dim=integer(fields["dim"], f"{place}.dim", 1, MAX_DIM),
        first_thresholds=knots,
        first_weights=weight_list(first["weights"], f"{place}.first.weights", MAX_THRESHOLDS, len(knots)),
        affine_offset=None if offset is None else parse_weight(offset, f"{place}.first.affine_offset"),
        second_bias=parse_weight(second["bias"], f"{place}.second.bias"),
        second_thresholds=breaks,
        second_sides=sides,
        second_weights=weight_list(second["weights"], f"{place}.second.weights", MAX_SECOND_UNITS, len(breaks)),
    )


def _side(value: Any, place: str) -> str:
    if value not in ("right", "left"):
        raise Malformed(place, f'expected "right" or "left", found {shown(value)}')
    return str(value)


def _moment_sandwich(value: Any, place: str) -> MomentSandwich:
    place = f"{place}.cells"
    cells = item_list(fields_of(value, place, ("kind", "cells"))["cells"], place, MAX_CELLS, _cell)
    before = fmpq(0)
    for index, cell in enumerate(cells):
        if cell.to <= before:
            reason = f"the cells must increase strictly from 0, found {cell.to} after {before}"
            raise Malformed(f"{place}[{index}].to", reason)
        before = cell.to
    if before != 1:
        raise Malformed(place, f"the last cell must end at 1, not at {before}")
    return MomentSandwich(cells)


def _cell(value: Any, place: str) -> Cell:
    fields = fields_of(value, place, ("to", "groups"))
    groups = item_list(fields["groups"], f"{place}.groups", MAX_GROUPS, _polynomial_pair)
    lengths = {len(q) for pair in groups for q in (pair.upper, pair.lower)}
    if len(lengths) > 1:
        raise Malformed(f"{place}.groups", "all polynomials of a cell must have the same number of coefficients")
    return Cell(parse_rational(fields["to"], f"{place}.to"), groups)


def _polynomial_pair(value: Any, place: str) -> PolynomialPair:
    fields = fields_of(value, place, ("upper", "lower"))
    upper = weight_list(fields["upper"], f"{place}.upper", MAX_COEFFICIENTS)
    if not upper:
        raise Malformed(f"{place}.upper", "needs at least one coefficient")
    return PolynomialPair(upper, weight_list(fields["lower"], f"{place}.lower", MAX_COEFFICIENTS))


def _chamber_cells(value: Any, place: str) -> ChamberCells:
    orbits = fields_of(value, place, ("kind", "orbits"))["orbits"]
    return ChamberCells(item_list(orbits, f"{place}.orbits", MAX_GROUPS, _group_generator))


def _group_generator(value: Any, place: str) -> tuple[int, ...]:
    low, high = -MAX_GENERATOR_ENTRY, MAX_GENERATOR_ENTRY
    generator = item_list(value, place, MAX_GENERATOR_LENGTH, lambda v, p: integer(v, p, low, high))
    if not generator or 0 in generator or list(generator) != sorted(generator, reverse=True):
        raise Malformed(place, "needs integers other than 0 that do not increase")
    return generator


def _support_lines(value: Any, place: str) -> SupportLines:
    fields = fields_of(value, place, ("kind", "upper_slopes", "lower_slopes"))
    upper = weight_list(fields["upper_slopes"], f"{place}.upper_slopes", MAX_SLOPES)
    lower = weight_list(fields["lower_slopes"], f"{place}.lower_slopes", MAX_SLOPES)
    for name, slopes in (("upper_slopes", upper), ("lower_slopes", lower)):
        for index, slope in enumerate(slopes):
            if slope < 0:
                raise Malformed(f"{place}.{name}[{index}]", "a slope must not be negative")
    return SupportLines(upper, lower)


def _oscillation(value: Any, place: str) -> Oscillation:
    place = f"{place}.points"
    points = item_list(fields_of(value, place, ("kind", "points"))["points"], place, 2, parse_rational)
    require_length(points, place, 2)
    if not all(0 <= p <= 1 for p in points):
        raise Malformed(place, "must lie in [0, 1]")
    return Oscillation((points[0], points[1]))


def _cells_witness(value: Any, place: str) -> CellsWitness:
    grid = fields_of(value, place, ("kind", "grid"))["grid"]
    return CellsWitness(integer(grid, f"{place}.grid", 1, MAX_GRID))


_FUNCTIONS: dict[str, Callable[[Any, str], Function]] = {"radial": _radial, "ball-indicator": _ball_indicator}
_CLAIMS: dict[str, Callable[[Any, str], Claim]] = {"sup-error": _sup_error, "width-lower": _width_lower}
_NETWORKS: dict[str, Callable[[Any, str], Network]] = {
    "ridge-groups": _ridge_groups,
    "activation-groups": _activation_groups,
    "separable": _separable,
}
_WITNESSES: dict[str, Callable[[Any, str], Witness]] = {
    "moment-sandwich": _moment_sandwich,
    "chamber-cells": _chamber_cells,
    "support-lines": _support_lines,
    "oscillation": _oscillation,
    "cells": _cells_witness,
}
