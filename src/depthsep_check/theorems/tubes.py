"""Check of the tubes bound: how far sums of ridge functions stay from a radial function, whatever their weights.

Let R be the radius of the ball RB of volume 1 in R^d, d >= 2, phi the Fourier transform of its indicator, and gamma the
law with density phi^2 (Eldan & Shamir). With s = 2 pi R |x| and nu = d/2, phi(x) = (R/|x|)^nu J_nu(s); under gamma the
direction is uniform and s has the density d J_nu(s)^2 / s. Let f(x) = F(s), F bounded and zero beyond some s, and

    I(k) = int_0^oo F(s) J_nu(s) J_{nu-1}(k s) ds,       m(a, b) = d int_a^b k I(k)^2 dk,
    tau(k) = P(sin^2 <= 1/k^2) = I_{1/k^2}((d-1)/2, 1/2)  for k > 1   (regularised incomplete beta function).

**Theorem.** Let N = p + sum_{j <= r} g_j(<v_j, .>), p a polynomial and the g_j measurable of polynomial growth. Then

    ||f - N||^2_{L2(gamma)}  >=  int_1^oo max(0, 1 - r tau(k)) dm(k).

*Proof.* Assume the left side finite; then N phi is in L2(dx), and so is (f - N) phi, whose norm is the error. The
Fourier transform of g_j(<v_j, .>) phi is that of a tempered distribution carried by the line R v_j, convolved with
the indicator of RB: it is carried by the closed tube of radius R about that line; p phi lives on RB. So outside RB
and the tubes the transform of (f - N) phi is that of f phi, which is radial: by Hankel's formula its value at radius
k R is k^{1-nu} I(k), so its square has the mass dm(k) at radius kR (as d V_d R^d = d). A tube covers the share tau(k)
of the sphere of radius kR (the squared sine of the angle to a line has the law Beta((d-1)/2, 1/2)), and r tubes at
most r tau(k). Parseval. QED

Only the lines R v_j count: units with parallel weights share one tube, constants and linear terms are free.

**Cuts.** 1 - r tau increases in k. For 1 < k_1 < ... < k_J and numbers 0 = w_0 <= w_1 <= ... with w_j <= 1 - r tau(k_j)
the weight max(0, 1 - r tau) is at least w_j - w_{j-1} summed over the k_j <= k, hence

    int max(0, 1 - r tau) dm  >=  sum_j (w_j - w_{j-1}) m(k_j, oo).

**Masses.** m(k, oo) = d int F^2 J_nu^2 / s ds - m(0, k), and m(0, k) is the double integral of d F(s) F(t) J_nu(s)
J_nu(t) K(s, t), where (Lommel), with U = s J_nu(ks) and V = J_{nu-1}(ks) at s, and U', V' the same at t,

    K(s, t) = int_0^k q J_{nu-1}(qs) J_{nu-1}(qt) dq = k (U V' - V U') / (s^2 - t^2),
    K(s, s) = (k^2 / 2) (J_{nu-1}(ks)^2 - J_{nu-2}(ks) J_nu(ks)).

With n Gauss-Legendre nodes on a piece the sum over pairs is 2 k a.Cb, C the matrix 1/(s_i^2 - s_j^2) off the diagonal.

**Quadrature error.** For h analytic and |h| <= M in the Bernstein ellipse rho of an interval of length l, n >= 2
nodes err by at most (64/15) (l/2) M rho^{-2n} / (1 - rho^{-2}): the Chebyshev coefficients are <= 2 M rho^{-i},
degrees below 2n are exact, odd ones vanish by symmetry, and an even i >= 2n >= 4 costs at most 2 + 2/(i^2 - 1) <=
32/15. The integrands are entire but for F, since J_nu(s) J_{nu-1}(ks) is s^{d-1} times an entire function. |J_mu(z)|
<= e^{|Im z|} for mu >= 0 (Phragmen-Lindelof in a quadrant: |J_mu| <= 1 on the reals, I_mu(y) <= e^y on the imaginary
axis); hence |K| <= (k^2/2) e^{k |Im s|} for real t, and |d J_nu(z)^2 / z| <= 2 e^{2 |Im z|} because 2 nu J_nu / z =
J_{nu-1} + J_{nu+1}. |Im z| <= (l/4) (rho - 1/rho). In two variables the errors of the pieces are added and count
twice times the total length. F may have any pieces; on each it is an analytic formula, enclosed on a rectangle around
the ellipse, where abs, min and max are refused.

**Start.** J_nu is tiny below the turning point s = nu. F may be replaced by 0 on [0, a), a < nu: the floor of f is at
least the floor of the rest minus the norm of what was dropped, whose square is at most sup F^2 times
int_0^a d J_nu^2 / s <= nu J_nu(a)^2 / sqrt(nu^2 - a^2). Indeed p = s J_nu' / J_nu satisfies s p' = nu^2 - s^2 - p^2 and
p(0) = nu, so p >= sqrt(nu^2 - s^2) on [0, nu): where p fell below, it would increase while the root decreases. Hence
J_nu(s) <= J_nu(a) (s/a)^q, q = sqrt(nu^2 - a^2), for s <= a.

Source: Eldan & Shamir 2016 (arXiv:1512.03965), the measure and the tubes; Safran, Eldan & Shamir 2019
(arXiv:1904.06984), Theorem 5, for the cone. Differences: they pass from the spectral mass to one inequality with
unspecified constants; here the mass is computed, for any profile, and every width r has its own floor.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from flint import acb, arb, arb_mat, fmpq

from depthsep_check.document import TheoremDocument
from depthsep_check.expression import (
    Expression,
    ExpressionDomainError,
    ExpressionError,
    Undefined,
    parse,
)
from depthsep_check.fields import fields_of, integer, item_list, require_length, word
from depthsep_check.numbers import ball_between, format_rational, parse_rational, precision, shown
from depthsep_check.verdict import Budget, Exhausted, Malformed, Refuted, Unsupported

STEP = "tubes"
MAX_DIM = 4096
MAX_PIECES = 16
MAX_CUTS = 64
MAX_NODES = 4096
MAX_ARGUMENT = 20_000  # of a Bessel function
BITS = 128
_ROWS = 64  # of the Cauchy matrix at a time
MAX_LOG2_WIDTH = 20_000
MAX_SHOWN = 40  # digits of a width; a longer one is rounded down to a power of 2 in the sentence
WORK = 150_000  # roughly milliseconds

_POWER = re.compile(r"2\^([0-9]{1,6})")

# The ellipses that are tried: thin ones for a formula with a singularity close by, then thicker ones.
_RHOS = [fmpq(2**j + 1, 2**j) for j in (6, 5, 4)] + [fmpq(8 + q, 8) for q in range(1, 60)]


@dataclass(frozen=True, slots=True)
class Piece:
    """F(s) on [low, high], a formula in s; `high` > `low` >= 0."""

    low: fmpq
    high: fmpq
    expression: Expression


@dataclass(frozen=True, slots=True)
class Plan:
    """How masses are computed: F dropped below `start`, the `cuts`, and the `nodes` of every piece that is left."""

    start: fmpq
    cuts: tuple[fmpq, ...]
    nodes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Enclosures for F without the part below the start of the plan.

    Attributes:
        total: m(0, oo), the square of its norm.
        beyond: m(k, oo) for every cut k.
        shares: tau(k) for every cut k.
        dropped: an upper bound of the norm of the part below the start.
    """

    total: arb
    beyond: tuple[arb, ...]
    shares: tuple[arb, ...]
    dropped: arb


# ------------------------------------------------------------------------------------------------------------------
# The rule


def check(document: TheoremDocument) -> str:
    """Replay the proof of a tubes bound.

    Returns:
        The proved sentence.

    Raises:
        Refuted: the claim does not follow.
        Malformed: the objects are not of the form that this theorem needs.
        Exhausted: the document asks for more work than is allowed.
        Unsupported: a class, norm or formula that the theorem does not speak about.
    """
    pieces = _read_function(document.function)
    dim, eps, written, width = _read_claim(document.claim)
    plan = _read_plan(document.witness)
    with precision(BITS):
        floor = error_floor(spectrum(pieces, dim, plan, Budget(WORK)), plan, width - 1)
        if not arb(eps) < floor:
            raise Refuted(STEP, "the floor of that width minus 1 is not certainly above eps by these cuts")
    return _statement(pieces, dim, eps, written if len(written) <= MAX_SHOWN else f"2^{width.bit_length() - 1}")


def error_floor(found: Spectrum, plan: Plan, directions: int) -> arb:
    """Enclose a number that no sum of so many ridge functions comes nearer than, in the norm of L2(gamma).

    The weight of a cut is a certain lower bound of 1 - r tau, so that a growing list of them steps up from 0.

    Raises:
        Refuted: a cut has no certainly positive mass or weight, or the part that was dropped is not certainly smaller.
    """
    weight, squared = arb(0), arb(0)
    for cut, mass, share in zip(plan.cuts, found.beyond, found.shares, strict=True):
        free = (1 - directions * share).lower()
        if not free > 0:
            raise Refuted(STEP, f"at the cut {cut} so many tubes may cover the sphere")
        if not mass > 0:
            raise Refuted(STEP, f"the mass beyond the cut {cut} is not certainly positive")
        if free > weight:
            squared += mass.lower() * (free - weight)
            weight = free
    root = squared.sqrt() - found.dropped
    if not root > 0:
        raise Refuted(STEP, "the part of the function below the start may outweigh the rest")
    return root


def _statement(pieces: Sequence[Piece], dim: int, eps: fmpq, width: str) -> str:
    formulas = ", ".join(f"{p.expression.text} for {p.low} <= s <= {p.high}" for p in pieces)
    return (
        "every N(x) = polynomial + sum of g_j(<v_j, x>), g_j measurable of polynomial growth "
        f"(depth 2, any activation, any weights), with ||f - N|| <= {format_rational(eps)} "
        f"in L2(gamma) on R^{dim} has at least {width} different lines R v_j, hence at least so many "
        "hidden units; gamma: the Eldan-Shamir law, s = 2 pi R ||x|| of "
        f"density {dim} J_{{{fmpq(dim, 2)}}}(s)^2 / s, R the radius of the ball of volume 1; f(x) = F(s), "
        f"F = {formulas}, 0 elsewhere"
    )


# ------------------------------------------------------------------------------------------------------------------
# Masses


def spectrum(pieces: Sequence[Piece], dim: int, plan: Plan, budget: Budget) -> Spectrum:
    """Enclose the masses of a profile.

    Args:
        pieces: the profile, ordered and disjoint.
        dim: the dimension, at least 2.
        plan: start, cuts and nodes.
        budget: the work allowed.

    Raises:
        Refuted: a formula is not certainly analytic and bounded near its piece.
        Malformed: the plan does not fit the pieces.
        Exhausted: too much work.
    """
    kept = _kept(pieces, dim, plan)
    require_length(plan.nodes, "witness.nodes", len(kept))
    bits = _bits_for(dim, plan.cuts[-1] * kept[-1].high)
    nodes = sum(plan.nodes)
    budget.spend(STEP, nodes * (1 + 2 * len(plan.cuts)) * (1 + bits * bits // 2_000_000) + nodes * nodes // 1000)
    quadrature = [_Rule(piece, dim, count, bits) for piece, count in zip(kept, plan.nodes, strict=True)]
    total = sum((rule.total(dim) for rule in quadrature), arb(0))
    cauchy = _Cauchy([node * node for rule in quadrature for node in rule.short])
    beyond = tuple(total - _low_mass(quadrature, cauchy, dim, cut, bits) for cut in plan.cuts)
    return Spectrum(total, beyond, tuple(tube_share(dim, cut) for cut in plan.cuts), _dropped(pieces, dim, plan.start))


def tube_share(dim: int, cut: fmpq) -> arb:
    """tau(k): the share of the sphere of radius kR within R of a line through its centre; k > 1."""
    return (1 / arb(cut) ** 2).beta_lower(arb(fmpq(dim - 1, 2)), arb(fmpq(1, 2)), regularized=True)


def _kept(pieces: Sequence[Piece], dim: int, plan: Plan) -> list[Piece]:
    """The pieces beyond the start, the first one perhaps cut."""
    if not (plan.start >= 0 and 2 * plan.start < dim):
        raise Malformed("witness.start", f"must be at least 0 and below dim/2, found {plan.start}")
    kept = [Piece(max(p.low, plan.start), p.high, p.expression) for p in pieces if p.high > plan.start]
    if not kept:
        raise Malformed("witness.start", "nothing of the function lies beyond it")
    return kept


def _dropped(pieces: Sequence[Piece], dim: int, start: fmpq) -> arb:
    """An upper bound of the norm of F below the start."""
    bound = arb(0)
    for piece in pieces:
        if piece.low < start:
            values = _values(piece, acb(ball_between(piece.low, min(piece.high, start))), dim)
            bound = bound.max(_finite(abs(values), piece).upper())
    if bound == 0:
        return bound
    order, end = arb(fmpq(dim, 2)), arb(start)
    height = _bessel(order, end, _bits_for(dim, start))
    return (bound * abs(height) * (order / (order * order - end * end).sqrt()).sqrt()).upper()


def _bits_for(dim: int, argument: fmpq) -> int:
    """Bits such that J of orders about dim/2, by its power series, is known to 2^-BITS up to the argument z.

    The terms of the series of J add up to I in absolute value, about exp(sqrt(mu^2 + z^2) - mu asinh(mu / z)); and it
    takes more than 2 z bits for python-flint to choose the series. Beyond about 2 mu and 100 the expansion for large
    arguments does better. A wrong choice here makes balls wide, never wrong.
    """
    if argument > MAX_ARGUMENT:
        raise Exhausted(STEP, f"cut times support is {argument}, at most {MAX_ARGUMENT} is allowed")
    largest = min(argument, fmpq(max(dim, 100)))
    order, z = arb(fmpq(dim - 2, 2)), arb(largest)
    size = (order * order + z * z).sqrt() - order * (order / z).asinh()
    return 64 + max(BITS + int((size / arb.const_log2()).upper().ceil().unique_fmpz()), 2 * int(largest) + 2)


def _bessel(order: arb, z: arb, bits: int) -> arb:
    """J of the order at z: by its expansion for large z where that is accurate, otherwise with `bits` bits.

    The terms of the expansion add up to exp(order^2 / (2 z)) or so in absolute value.
    """
    extra = (order * order / z).upper().ceil()
    if extra < bits:
        with precision(BITS + 40 + int(extra.unique_fmpz())):
            quick = (+z).bessel_j(order)
        if quick.rad() < arb(1) / 2 ** (BITS - 8):
            return quick
    with precision(bits):
        return z.bessel_j(order)


class _Rule:
    """Gauss-Legendre on one piece.

    `nodes` are known to many bits; `short` are the same at working precision. `loads` are weight * F(node) *
    J_nu(node). `bounds` lists, for every ellipse on which F is analytic and bounded, (rho, exponent l/4 (rho -
    1/rho), sup |F|).
    """

    def __init__(self, piece: Piece, dim: int, count: int, bits: int) -> None:
        self.piece = piece
        self.count = count
        self.length = arb(piece.high - piece.low)
        self.largest = _finite(abs(_values(piece, acb(ball_between(piece.low, piece.high)), dim)), piece).upper()
        self.bounds = _ellipses(piece, dim)
        order = arb(fmpq(dim, 2))
        with precision(bits):
            middle, half = arb((piece.low + piece.high) / 2), arb((piece.high - piece.low) / 2)
            roots = [arb.legendre_p_root(count, k, weight=True) for k in range(count)]
            self.nodes = [middle + half * root for root, _ in roots]
        heights = [_bessel(order, node, bits) for node in self.nodes]
        self.short = [+node for node in self.nodes]
        self.weights = [half * weight for _, weight in roots]
        self.scaled = [_values(piece, acb(s), dim).real * j for s, j in zip(self.short, heights, strict=True)]
        self.loads = [w * v for w, v in zip(self.weights, self.scaled, strict=True)]

    def total(self, dim: int) -> arb:
        """The integral of d F^2 J_nu^2 / s."""
        found = sum((w * v * v / s for w, v, s in zip(self.weights, self.scaled, self.short, strict=True)), arb(0))
        return dim * found + _plus_minus(self.error([(2 * sup * sup, 2 * y, rho) for rho, y, sup in self.bounds]))

    def error(self, bounds: list[tuple[arb, arb, arb]]) -> arb:
        """The quadrature error for an integrand bounded by M e^y in ellipse rho, given a list of (M, y, rho)."""
        best = arb("inf")
        for bound, exponent, rho in bounds:
            power = (exponent - 2 * self.count * rho.log()).exp()
            found = (32 * self.length / 15 * bound * power / (1 - 1 / (rho * rho))).upper()
            if found < best:
                best = found
        return best


def _ellipses(piece: Piece, dim: int) -> list[tuple[arb, arb, arb]]:
    """The ellipses about a piece where its formula is certainly analytic: (rho, largest |Im|, sup |F|)."""
    middle, quarter = arb((piece.low + piece.high) / 2), arb((piece.high - piece.low) / 4)
    unit, found = arb(0, 1), []
    for exact in _RHOS:
        rho = arb(exact)
        height = quarter * (rho - 1 / rho)
        sup = abs(_values(piece, acb(middle + quarter * (rho + 1 / rho) * unit, height * unit), dim)).upper()
        if not sup.is_finite():
            break
        found.append((rho, height, sup))
    if not found:
        raise Refuted(
            STEP, f"{shown(piece.expression.text)} is not certainly analytic near [{piece.low}, {piece.high}]"
        )
    return found


class _Cauchy:
    """The matrix 1/(x_i - x_j), 0 on the diagonal, applied to columns."""

    def __init__(self, points: list[arb]) -> None:
        self.points = points
        self.blocks = [self._block(first) for first in range(0, len(points), _ROWS)]

    def _block(self, first: int) -> arb_mat:
        rows = range(first, min(first + _ROWS, len(self.points)))
        zero = arb(0)
        entries = [
            zero if i == j else 1 / (self.points[i] - other) for i in rows for j, other in enumerate(self.points)
        ]
        return arb_mat(len(rows), len(self.points), entries)

    def form(self, left: list[arb], right: list[arb]) -> arb:
        """left . C right."""
        column = arb_mat(len(right), 1, right)
        image = [entry for block in self.blocks for entry in (block * column).entries()]
        return sum((a * b for a, b in zip(left, image, strict=True)), arb(0))


def _low_mass(quadrature: list[_Rule], cauchy: _Cauchy, dim: int, cut: fmpq, bits: int) -> arb:
    """m(0, k): the quadrature sum and its error."""
    order, k = arb(fmpq(dim, 2)), arb(cut)
    diagonal, left, right = arb(0), [], []
    for rule in quadrature:
        for node, s, load in zip(rule.nodes, rule.short, rule.loads, strict=True):
            with precision(bits):
                scaled = node * cut
            upper, here = _bessel(order, scaled, bits), _bessel(order - 1, scaled, bits)
            below = 2 * (order - 1) / (k * s) * here - upper
            diagonal += load * load * (here * here - below * upper)
            left.append(load * s * upper)
            right.append(load * here)
    found = dim * (k * k / 2 * diagonal + 2 * k * cauchy.form(left, right))
    largest = arb(0)
    for rule in quadrature:
        largest = largest.max(rule.largest)
    scale = dim * k * k / 2 * largest
    errors = (rule.error([(scale * sup, (1 + k) * y, rho) for rho, y, sup in rule.bounds]) for rule in quadrature)
    return found + _plus_minus(2 * sum((rule.length for rule in quadrature), arb(0)) * sum(errors, arb(0)))


def _plus_minus(size: arb) -> arb:
    return size * arb(0, 1)


# ------------------------------------------------------------------------------------------------------------------
# Formulas in the complex plane


def _values(piece: Piece, box: acb, dim: int) -> acb:
    """An enclosure of the formula over a box; finite only if it is analytic there."""
    try:
        return piece.expression.evaluate(_ANALYTIC, box, dim)
    except ExpressionDomainError as error:
        raise Unsupported(f"a piece with the formula {shown(piece.expression.text)}: {error.reason}") from None


def _finite(value: arb, piece: Piece) -> arb:
    if not value.is_finite():
        raise Refuted(STEP, f"{shown(piece.expression.text)} is not certainly bounded on [{piece.low}, {piece.high}]")
    return value


def _refuse(*_: object) -> NoReturn:
    raise Undefined("abs, min and max are not analytic; cut the piece where they change and write the branch")


def _power(base: acb, exponent: int) -> acb:
    return base**exponent if exponent >= 0 else 1 / base**-exponent


def _tanh(z: acb) -> acb:
    return 1 - 2 / ((2 * z).exp() + 1)


_ANALYTIC: dict[str, Any] = {
    "number": acb,
    "dim": acb,
    "pi": acb.pi,
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "power": _power,
    "sqrt": lambda z: z.sqrt(analytic=True),
    "log": lambda z: z.log(analytic=True),
    "exp": acb.exp,
    "sin": acb.sin,
    "cos": acb.cos,
    "tanh": _tanh,
    "abs": _refuse,
    "min": _refuse,
    "max": _refuse,
}


# ------------------------------------------------------------------------------------------------------------------
# Reading


def _read_function(value: Any) -> tuple[Piece, ...]:
    fields = fields_of(value, "function", ("kind", "pieces"))
    word(fields["kind"], "function.kind", ("radial-pieces",))
    pieces = item_list(fields["pieces"], "function.pieces", MAX_PIECES, _read_piece)
    if not pieces:
        raise Malformed("function.pieces", "needs at least one piece")
    for index, piece in enumerate(pieces[1:], start=1):
        if piece.low < pieces[index - 1].high:
            raise Malformed(f"function.pieces[{index}]", "the pieces must be ordered and must not overlap")
    return pieces


def _read_piece(value: Any, place: str) -> Piece:
    fields = fields_of(value, place, ("from", "to", "expression"))
    low, high = parse_rational(fields["from"], f"{place}.from"), parse_rational(fields["to"], f"{place}.to")
    if not 0 <= low < high:
        raise Malformed(place, "needs 0 <= from < to")
    text = fields["expression"]
    if not isinstance(text, str):
        raise Malformed(f"{place}.expression", f"expected a text, found {shown(text)}")
    try:
        return Piece(low, high, parse(text, variables=("s",)))
    except ExpressionError as error:
        raise Malformed(f"{place}.expression", f"column {error.position + 1}: {error.expected}") from None


def _read_claim(value: Any) -> tuple[int, fmpq, str, int]:
    """The dimension, the accuracy and the width (as written, and as a number).

    Every word must be the one that the theorem speaks about.
    """
    words = {
        "kind": "tubes",
        "domain": "R^d",
        "norm": "L2",
        "measure": "eldan-shamir",
        "activation_class": "any",
        "weight_class": "any",
    }
    fields = fields_of(value, "claim", (*words, "dim", "depth", "eps", "width"))
    for name, known in words.items():
        word(fields[name], f"claim.{name}", (known,))
    dim = integer(fields["dim"], "claim.dim", 2, MAX_DIM)
    integer(fields["depth"], "claim.depth", 2, 2)
    eps = parse_rational(fields["eps"], "claim.eps")
    if not eps > 0:
        raise Malformed("claim.eps", "must be positive")
    return dim, eps, fields["width"], _read_width(fields["width"])


def _read_width(value: Any) -> int:
    """A positive integer as a text, or a power of 2 as "2^1500"."""
    power = _POWER.fullmatch(value) if isinstance(value, str) and len(value) <= 10 else None
    if power is not None:
        return 1 << integer(int(power[1]), "claim.width", 0, MAX_LOG2_WIDTH)
    width = parse_rational(value, "claim.width")
    if "/" in value or not width >= 1:
        raise Malformed("claim.width", "must be a positive integer or a power 2^k, as a text")
    return int(width.p)


def _read_plan(value: Any) -> Plan:
    fields = fields_of(value, "witness", ("kind", "start", "cuts", "nodes"))
    word(fields["kind"], "witness.kind", ("cuts",))
    cuts = item_list(fields["cuts"], "witness.cuts", MAX_CUTS, parse_rational)
    if not cuts:
        raise Malformed("witness.cuts", "needs at least one cut")
    for index, cut in enumerate(cuts):
        if not cut > (cuts[index - 1] if index else 1):
            raise Malformed(f"witness.cuts[{index}]", "the cuts must be above 1 and increase strictly")
    nodes = item_list(
        fields["nodes"], "witness.nodes", MAX_PIECES, lambda entry, place: integer(entry, place, 2, MAX_NODES)
    )
    if sum(nodes) > MAX_NODES:
        raise Malformed("witness.nodes", f"{sum(nodes)} nodes, at most {MAX_NODES} are allowed")
    return Plan(parse_rational(fields["start"], "witness.start"), cuts, nodes)
