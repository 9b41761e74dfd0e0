"""Check of lower bounds by crossings: few pieces cannot follow a function that goes up and down, at any depth.

Networks have hidden layers of w_1, ..., w_k units with a continuous piecewise linear activation of at most p pieces
(ReLU: p = 2; every unit may have its own) and a linear output; the weights are not restricted, and |N - f| <= eps
everywhere.

**Line** (radial f(x) = phi(||x||) on the unit ball). Along a diameter N is piecewise linear and

    prod_i ((p-1) w_i + 1)  >=  the number of its pieces.

*Proof.* On an interval where layer i-1 is affine in the position a unit of layer i breaks at most p-1 times, so layer i
has at most (p-1) w_i + 1 times as many pieces. QED
The pieces are counted from below in one of two ways, from values of f alone.
*Alternation.* If f - c is alternately > eps and < -eps at n radii, N - c changes its sign n-1 times on each half of the
diameter (between the two copies of the smallest radius it need not), hence 2(n-1) times; an affine piece does so at
most once and N is continuous, so there are at least 2(n-1) pieces.
*Bends.* For points a < b < c an affine function within eps of f has |(b-a) f(c) + (c-b) f(a) - (c-a) f(b)| <=
2 (c-a) eps, since its own such combination is 0. Where this fails N has a breakpoint in (a, c). With q triples whose
open intervals are disjoint there are at least q + 1 pieces.

**Circle** (f(<x, x'>), x and x' on the unit sphere of R^d, d >= 2; N sees both). Put x = (cos h, sin h, 0, ...) and
x' = (cos h, -sin h, 0, ...), so that <x, x'> = cos 2h. If f - c is alternately > eps and < -eps at n values of the
inner product, then

    (p-1) w_1 prod_{i >= 2} (2(p-1) w_i + 1)  >=  n - 1.

*Proof.* A preactivation of layer 1 is A cos h + B sin h + C. Such a function takes a value at most twice on the circle
or is constant, so the breakpoints of the activation in layer 1 cut the circle into at most 2(p-1) w_1 arcs (w_1 >= 1
unless N is constant and n = 1). On an arc layer 1 is again of this form; by induction layer i cuts every arc into at
most 2(p-1) w_i + 1 arcs, and on every arc N is of this form, so that N - c has at most two zeros there or vanishes. As
h goes round once, cos 2h passes all of [-1, 1] four times, so N - c changes its sign at least 4(n-1) times, and at most
twice per arc. QED (With x fixed and only x' going round one gets half of it.)

A claimed `product` P stands for the left side >= P, a claimed `width` W says that some hidden layer has W units:
the left side at W - 1 units in every layer must be below P. At depth 2, where there is one layer, this is its width.

Source: the counting of pieces goes back to Telgarsky (2016); the circle is depthsep's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from flint import arb, fmpq

from depthsep_check.document import MAX_DIM, MAX_WIDTH, TheoremDocument
from depthsep_check.expression import Expression
from depthsep_check.fields import fields_of, integer, item_list, peek_kind, word
from depthsep_check.numbers import format_rational, parse_rational
from depthsep_check.theorems.profiles import read_expression, value_at
from depthsep_check.verdict import Budget, Malformed, Refuted

STEP = "crossings"
BALL = "unit-ball"
SPHERES = "spheres"
MAX_POINTS = 1_000_000
MAX_GRID = 2**40
MAX_DEPTH = 64
MAX_PIECES = 1000
_WORK = 4_000_000
_WITNESSES = {"alternation": ("level",), "bends": ()}


@dataclass(frozen=True, slots=True)
class _Claim:
    dim: int
    domain: str
    eps: fmpq
    depth: int
    pieces: int
    product: int
    width: int


@dataclass(frozen=True, slots=True)
class _Witness:
    kind: str
    points: tuple[fmpq, ...]
    level: fmpq | None


def check(document: TheoremDocument) -> str:
    """Replay the proof of a lower bound.

    Returns:
        The proved sentence.

    Raises:
        Refuted: the function does not certainly behave as the witness says, or the claim says more than follows.
        Malformed: an object is not of the form that the format page gives.
        Unsupported: a word is not known here.
        Exhausted: the formula is too long for so many points.
    """
    claim = _claim(document.claim)
    kind, variable = ("radial", "r") if claim.domain == BALL else ("inner-product", "t")
    expression = read_expression(document.function, kind, variable, claim.dim)
    witness = _witness(document.witness, claim.domain)
    Budget(_WORK).spend(STEP, len(witness.points) * (1 + len(expression.nodes) // 8))
    if witness.level is None:
        count = 1 + _bends(expression, claim, witness.points)
    else:
        _require_alternation(expression, claim, witness.points, witness.level)
        count = (len(witness.points) - 1) * (2 if claim.domain == BALL else 1)
    if claim.product > count:
        raise Refuted(STEP, f"these points prove a product of at least {count}, not {claim.product}")
    if not capacity(claim.domain, claim.width - 1, claim.depth, claim.pieces) < claim.product:
        raise Refuted(STEP, f"hidden layers of {claim.width - 1} units each are not too few for the product")
    return _statement(document, claim)


def _statement(document: TheoremDocument, claim: _Claim) -> str:
    text, breaks = document.function["expression"], claim.pieces - 1
    slope, double = "" if breaks == 1 else f"{breaks} ", 2 * breaks
    activation = (
        "ReLU units (or any continuous activation of two linear pieces)"
        if breaks == 1
        else f"continuous activations of at most {claim.pieces} linear pieces"
    )
    if claim.domain == BALL:
        function = f"f(x) = phi(||x||), phi(r) = {text} for all real x with ||x|| <= 1 in dimension {claim.dim}"
        product = f"prod_i ({slope}w_i + 1)"
    else:
        function = f"f(<x, x'>), f(t) = {text} for all unit vectors x, x' in dimension {claim.dim}"
        product = f"{slope}w_1 prod_(i >= 2) ({double} w_i + 1)"
    return (
        f"every network of depth {claim.depth} and hidden widths w_1, w_2, ... with {activation}, linear output and "
        f"any weights, that is within {format_rational(claim.eps)} of {function}, has {product} >= {claim.product}, "
        f"hence a hidden layer of at least {claim.width} units"
    )


def capacity(domain: str, width: int, depth: int, pieces: int) -> int:
    """The left side of the inequality for `width` units in each of the depth - 1 hidden layers."""
    breaks = (pieces - 1) * width
    if domain == BALL:
        return int((breaks + 1) ** (depth - 1))
    return int(breaks * (2 * breaks + 1) ** (depth - 2))


def _require_alternation(expression: Expression, claim: _Claim, points: tuple[fmpq, ...], level: fmpq) -> None:
    """Insist that f - level is certainly above eps and below -eps in turn."""
    sign = 0
    for point in points:
        difference = value_at(expression, point, claim.dim, STEP) - level
        if not abs(difference) > arb(claim.eps):
            where = _shown(expression, point)
            raise Refuted(STEP, f"at {where} the function is not certainly more than eps away from the level")
        now = 1 if difference > 0 else -1
        if now == sign:
            where = _shown(expression, point)
            raise Refuted(STEP, f"at {where} the function is on the same side of the level as at the point before")
        sign = now


def _bends(expression: Expression, claim: _Claim, points: tuple[fmpq, ...]) -> int:
    """The number of consecutive triples, each of which certainly needs a breakpoint."""
    values = [value_at(expression, abs(point), claim.dim, STEP) for point in points]
    for i in range(0, len(points) - 2, 2):
        a, b, c = points[i : i + 3]
        bend = (b - a) * values[i + 2] + (c - b) * values[i] - (c - a) * values[i + 1]
        if not abs(bend) > arb(2 * (c - a) * claim.eps):
            raise Refuted(STEP, f"an affine function may be within eps around {_shown(expression, b)}")
    return len(points) // 2


def _shown(expression: Expression, point: fmpq) -> str:
    return f"{expression.variables[0]} = {format_rational(point)}"


def _claim(value: Any) -> _Claim:
    words = {
        "norm": ("sup",),
        "domain": (BALL, SPHERES),
        "activation_class": ("piecewise-linear",),
        "weight_class": ("any",),
    }
    numbers = ("dim", "eps", "depth", "activation_pieces", "product", "width")
    fields = fields_of(value, "claim", ("kind", *words, *numbers))
    for name, known in words.items():
        word(fields[name], f"claim.{name}", known)
    eps = parse_rational(fields["eps"], "claim.eps")
    if eps <= 0:
        raise Malformed("claim.eps", "must be positive")
    domain = fields["domain"]
    return _Claim(
        dim=integer(fields["dim"], "claim.dim", 1 if domain == BALL else 2, MAX_DIM),
        domain=domain,
        eps=eps,
        depth=integer(fields["depth"], "claim.depth", 2, MAX_DEPTH),
        pieces=integer(fields["activation_pieces"], "claim.activation_pieces", 2, MAX_PIECES),
        product=integer(fields["product"], "claim.product", 1, MAX_WIDTH),
        width=integer(fields["width"], "claim.width", 1, MAX_WIDTH),
    )


def _witness(value: Any, domain: str) -> _Witness:
    kind = peek_kind(value, "witness", _WITNESSES)
    fields = fields_of(value, "witness", ("kind", "grid", "indices", *_WITNESSES[kind]))
    grid = integer(fields["grid"], "witness.grid", 1, MAX_GRID)
    # Radii for an alternation on the ball; otherwise positions on a diameter, or inner products.
    lowest = 0 if domain == BALL and kind == "alternation" else -grid
    indices = item_list(fields["indices"], "witness.indices", MAX_POINTS, lambda v, p: integer(v, p, lowest, grid))
    if not all(a < b for a, b in pairwise(indices)):
        raise Malformed("witness.indices", "must increase strictly")
    if not indices:
        raise Malformed("witness.indices", "needs at least one point")
    if kind == "bends" and (domain != BALL or len(indices) % 2 == 0):
        raise Malformed("witness", "bends need an odd number of points on a diameter of the unit ball")
    level = parse_rational(fields["level"], "witness.level") if kind == "alternation" else None
    return _Witness(kind, tuple(fmpq(index, grid) for index in indices), level)
