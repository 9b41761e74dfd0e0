"""Check that a folded network is near a function of a norm or of an inner product, sup norm, any depth.

`depthsep_check.folded_networks` has the network: N = psi(fold(q + shift)), q nearly a multiple of a sum of squares. The
functions are f(x) = phi(||x||) on the unit ball, and f(x, x') = f(t), t = <x, x'>, on pairs of the ball or of unit
vectors, whose norms may be off by norm_slack eta. After Daniely 2017 (inner products at depth 3), Telgarsky 2015
(folds) and Yarotsky 2017 (squares by folds). Different here: stored numbers are proved with every constant, and the
squares have one fold identity for mixed radices.

**What is read.** sigma = ||x||^2, or (1 + t)/2, or t. With s = sum sign y_i^2 the first is s, in [0, 1]; the third is
s, in [-1, 1], and ||y+||^2 + ||y-||^2 = (||x||^2 + ||x'||^2)/2 <= 1. For pairs of nearly unit vectors
s - sigma = (||x||^2 + ||x'||^2 - 2)/4 has size at most eta + eta^2/2, ||y|| <= 1 + eta and |t| <= (1 + eta)^2.
In each case |y_i| <= R = 1 + eta (eta = 0 in the first and the third).

**Lines.** *Knots*: for l >= 0 and a factor kappa > 0 let, over |t| <= R, A+(l) = max G(t) - (kappa + l) t^2 and
A-(l) = max (kappa - l) t^2 - G(t); both are found exactly, a quadratic on each piece, and are >= 0 (t = 0). Summed over
D coordinates, (kappa - l) s - D A-(l) <= q <= (kappa + l) s + D A+(l). The slope l = kappa is always added below. For
pairs of the ball q = q+ - q-, s = s+ - s-, s+ + s- <= 1, and l s+ + l' s- = (l + l')(s+ + s-)/2 + (l - l') s/2, so

    |q - kappa t - (l - l') t/2| <= (l + l')/2 + d (A+(l) + A-(l')).

*Folds*: h_0 + 2 sum h_j is M^2 times the interpolant of v^2 at j/M, so M^2 v^2 = J - u + u^2 on [0, 1], and u is in
[0, 1]. By induction P v_1^2 = sum_(l<a) R_l (J_l - u_l) + J_a - (u_a - u_a^2), P = prod M_l^2, for v_1 = gain |y_i|,
which must be <= 1. So q - scale P gain^2 s is in scale [0, d/4], for pairs of the ball in scale [-d/4, d/4].

**Periodic route** (the phase is folded or the profile repeated). fold(z) is the distance to the nearest even integer,
and 0 <= z <= N is proved. Layer k maps z to the distance to the nearest even multiple of the integer N_k, that is
to +-z + an even integer, so fold(z_b) = fold(z_0); and copies of psi, flat at both ends, reflected in turn, are
psi(fold(z_b)) on [0, n]. f must be a sinusoid, f = mean + amplitude cos(pi z*), z* = rate sigma + offset; the phase is
moved by the integer that brings it nearest to z, and the amplitude changes its sign with each step. The lines prove
|z - z*| <= delta (affine in sigma: both ends). fold is 1-Lipschitz, and cos(pi z*) = cos(pi fold(z*)). Hence N = psi(w)
and f = mean + amplitude cos(pi v) with w, v in [0, 1] and |w - v| <= delta < 1. f is monotone in v there, so for fixed
w it is between its values at max(0, w - delta) and min(1, w + delta). What remains are inequalities in w, psi being
affine between its thresholds; they are proved by bisection with balls.

**General route** (one copy, no folds): N = psi(q + shift) as for separable networks (`depthsep_check.support_lines`),
in the variable r, with lines in r^2, or t, with lines in t.

Only the rationals of the document and balls enter; no layer is expanded, so that the cost does not depend on widths.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from flint import arb, fmpq

from depthsep_check.document import MAX_DIM, MAX_SLOPES, NetworkDocument
from depthsep_check.expression import Expression, ExpressionError, parse
from depthsep_check.fields import fields_of, integer, weight_list, word
from depthsep_check.folded_networks import (
    FoldedNetwork,
    Folds,
    Knots,
    largest_weight,
    read_folded_network,
    widths,
)
from depthsep_check.numbers import ball_between, format_rational, parse_rational, parse_weight, shown
from depthsep_check.profile_bounds import MAX_BISECTIONS, near
from depthsep_check.sinusoids import Sinusoid, sinusoid_of
from depthsep_check.support_lines import (
    PIECES_PER_UNIT,
    Line,
    OuterProfile,
    Profile,
    lower_envelope,
    prove_between,
    prove_on_radii,
    upper_envelope,
)
from depthsep_check.verdict import Budget, Exhausted, Malformed, Refuted

MAX_WORK = 500_000
# Pairs of slopes, for pairs of points of the ball.
MAX_SLOPE_PAIRS = 40_000
LINES = "lines"
PHASE = "phase"
READS_ON = {"unit-ball": "norm", "sphere-pairs": "sphere-pair", "ball-pairs": "ball-pair"}


@dataclass(frozen=True, slots=True)
class _Claim:
    dim: int
    domain: str
    error: fmpq
    norm_slack: fmpq
    max_weight: fmpq | None


@dataclass(frozen=True, slots=True)
class _Witness:
    factor: fmpq
    upper_slopes: tuple[fmpq, ...]
    lower_slopes: tuple[fmpq, ...]


def check(document: NetworkDocument) -> str:
    """Replay the proof of a folded-error document.

    Returns:
        The statement that is proved.

    Raises:
        CheckFailure: it is not proved.
    """
    claim = _claim(document.claim)
    expression = _function(document.function, claim.domain)
    network = read_folded_network(document.network, "network")
    witness = _witness(document.witness, network)
    if network.dim != claim.dim:
        raise Malformed("network.dim", f"{network.dim}, but the claim is about dimension {claim.dim}")
    if network.reads != READS_ON[claim.domain]:
        raise Malformed("network.reads", f'on {claim.domain} a network reads "{READS_ON[claim.domain]}"')
    if claim.max_weight is not None and not largest_weight(network) <= claim.max_weight:
        raise Refuted("max_weight", "a weight or bias is larger in absolute value")
    budget = Budget(MAX_WORK)
    bounds = _square_bounds(network, witness, claim.norm_slack, budget)
    if network.phase_radices or network.repeats > 1:
        _prove_periodic(network, bounds, expression, claim.error, budget)
    else:
        _prove_general(network, bounds, expression, claim.error, budget)
    return _statement(claim, network, expression)


def _statement(claim: _Claim, network: FoldedNetwork, expression: Expression) -> str:
    error, dim, slack = format_rational(claim.error), claim.dim, format_rational(claim.norm_slack)
    if claim.domain == "unit-ball":
        about, meaning = f"|N(x) - f(x)| <= {error} for all real x with ||x|| <= 1", "f(x) = phi(||x||), phi(r)"
    else:
        where = "||x||, ||x'|| <= 1" if claim.domain == "ball-pairs" else "||x|| = ||x'|| = 1"
        if claim.norm_slack > 0:
            where = f"| ||x|| - 1 |, | ||x'|| - 1 | <= {slack}"
        about, meaning = f"|N(x, x') - f(t)| <= {error}, t = <x, x'>, for all real x, x' with {where}", "f(t)"
    layers = ", ".join(map(str, widths(network)))
    sizes = ""
    if claim.max_weight is not None:
        sizes = f", every weight and bias at most {format_rational(claim.max_weight)} in absolute value"
    return (
        f"{about} in dimension {dim} (exact arithmetic); depth {network.depth}, widths ({layers}){sizes}; "
        f"{meaning} = {expression.text}"
    )


# ------------------------------------------------------------------------------------------------------------------
# Lines


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Lines in sigma for z = q + shift, valid where sigma is in [low, high]; and rational bounds of z everywhere."""

    lower: tuple[Line, ...]
    upper: tuple[Line, ...]
    low: fmpq
    high: fmpq
    least: fmpq
    greatest: fmpq


def _square_bounds(network: FoldedNetwork, witness: _Witness, slack: fmpq, budget: Budget) -> _Bounds:
    """The lines that the squares and the slopes of the witness give.

    Raises:
        Refuted: folds that reach beyond [0, 1].
        Exhausted: more lines than the checker is willing to compute.
    """
    reach = 1 + slack
    if isinstance(network.squares, Folds):
        lower, upper = _lines_of_folds(network, network.squares, reach)
    elif network.reads == "ball-pair":
        lower, upper = _lines_of_pairs(network, network.squares, witness, budget)
    else:
        profile = Profile.of(network.squares.thresholds, network.squares.weights, reach)
        above = _excesses(profile, witness, 1, budget)
        below = _excesses(profile, witness, -1, budget)
        upper = [Line(network.dim * excess, witness.factor + slope) for slope, excess in above]
        lower = [Line(-network.dim * excess, witness.factor - slope) for slope, excess in below]
    low, high = (fmpq(-1), fmpq(1)) if network.reads == "ball-pair" else (fmpq(0), reach**2)
    least = max(min(line.at(low), line.at(high)) for line in lower) + network.shift
    greatest = min(max(line.at(low), line.at(high)) for line in upper) + network.shift
    off = fmpq(0)
    if network.reads == "sphere-pair":
        off, low, high = slack + slack**2 / 2, (1 - reach**2) / 2, (1 + reach**2) / 2
    return _Bounds(
        lower=tuple(Line(line.constant + network.shift - abs(line.slope) * off, line.slope) for line in lower),
        upper=tuple(Line(line.constant + network.shift + abs(line.slope) * off, line.slope) for line in upper),
        low=low,
        high=high,
        least=least,
        greatest=greatest,
    )


def _lines_of_folds(network: FoldedNetwork, squares: Folds, reach: fmpq) -> tuple[list[Line], list[Line]]:
    if not squares.gain * reach <= 1:
        raise Refuted(LINES, "gain times the largest coordinate exceeds 1: not folded correctly there")
    slope = squares.scale * squares.pieces**2 * squares.gain**2
    off = squares.scale * network.dim / 4
    return [Line(-off if network.reads == "ball-pair" else fmpq(0), slope)], [Line(off, slope)]


def _lines_of_pairs(
    network: FoldedNetwork, squares: Knots, witness: _Witness, budget: Budget
) -> tuple[list[Line], list[Line]]:
    """Lines in t for q+ - q-, one below and one above for every pair of slopes."""
    profile = Profile.of(squares.thresholds, squares.weights, fmpq(1))
    above = _excesses(profile, witness, 1, budget)
    below = _excesses(profile, witness, -1, budget)
    if len(above) * len(below) > MAX_SLOPE_PAIRS:
        raise Exhausted(LINES, f"more than {MAX_SLOPE_PAIRS} pairs of slopes")
    budget.spend(LINES, len(above) * len(below))
    lower, upper = [], []
    for l_above, a_above in above:
        for l_below, a_below in below:
            constant, tilt = (l_above + l_below) / 2 + network.dim * (a_above + a_below), (l_above - l_below) / 2
            upper.append(Line(constant, witness.factor + tilt))
            lower.append(Line(-constant, witness.factor + tilt))
    return lower, upper


def _excesses(profile: Profile, witness: _Witness, sign: int, budget: Budget) -> list[tuple[fmpq, fmpq]]:
    """The pairs (l, A+(l)) for sign 1, (l, A-(l)) for sign -1; those of `Profile` have the factor 1."""
    found = []
    slopes = witness.upper_slopes if sign > 0 else (*witness.lower_slopes, witness.factor)
    for slope in slopes:
        budget.spend(LINES, 1 + len(profile.starts) // PIECES_PER_UNIT)
        if sign > 0:
            found.append((slope, profile.excess_above(witness.factor + slope - 1)))
        else:
            found.append((slope, profile.excess_below(1 - witness.factor + slope)))
    return found


# ------------------------------------------------------------------------------------------------------------------
# Periodic route


def _prove_periodic(
    network: FoldedNetwork, bounds: _Bounds, expression: Expression, error: fmpq, budget: Budget
) -> None:
    """|psi(fold(z)) - f| <= error, f a sinusoid.

    Raises:
        CheckFailure: f is not recognised, z may leave [0, N], or the inequalities are not proved.
    """
    wave = sinusoid_of(expression, network.dim, network.reads)
    if wave is None:
        raise Refuted("sinusoid", "a periodic network needs a constant plus one sine or cosine of an affine function")
    if not (bounds.least >= 0 and bounds.greatest <= network.period_count):
        raise Refuted(PHASE, f"it may leave [0, {network.period_count}], where it is folded correctly")
    wave, delta = _aligned(bounds, wave)
    if not delta < 1:
        raise Refuted(PHASE, "its error is not below 1")
    psi = OuterProfile(network.bias, network.thresholds, network.sides, network.weights)
    inside = sorted({z for z in psi.knots if 0 < z < 1} | {delta, 1 - delta} - {fmpq(0), fmpq(1)})
    for low, high in pairwise([fmpq(0), *inside, fmpq(1)]):
        middle = (low + high) / 2
        slope = (psi.at(high) - psi.at(low)) / (high - low)
        shifts = (-delta if middle > delta else None, delta if middle < 1 - delta else None)
        ends = (fmpq(0), fmpq(1))
        for shift, end in zip(shifts, ends, strict=True):
            for sign in (1, -1):
                piece = _Piece(wave, psi.at(low) - slope * low, slope, shift, end, sign)
                _prove_piece(piece, low, high, error, budget)


def _aligned(bounds: _Bounds, wave: Sinusoid) -> tuple[Sinusoid, fmpq]:
    """The same sinusoid with the phase z* that is nearest to z, and a bound delta of |z - z*|.

    cos(pi (z + 1)) = -cos(pi z): the phase may be moved by any integer, the amplitude changing its sign with each step.
    """
    middle = (bounds.low + bounds.high) / 2
    lines = (bounds.lower[0], bounds.upper[0])
    reached = sum((line.at(middle) for line in lines), fmpq(0)) / 2
    apart = (arb(reached) - wave.rate * middle - wave.offset).mid().fmpq()
    steps = (apart + fmpq(1, 2)).floor()
    amplitude = wave.amplitude if steps % 2 == 0 else -wave.amplitude
    moved = Sinusoid(wave.mean, amplitude, wave.rate, wave.offset + steps)
    above = min(_largest_lead(line, moved, bounds, 1) for line in bounds.upper)
    below = min(_largest_lead(line, moved, bounds, -1) for line in bounds.lower)
    return moved, max(fmpq(0), above, below)


def _largest_lead(line: Line, wave: Sinusoid, bounds: _Bounds, sign: int) -> fmpq:
    """The maximum of sign * (line - z*), which is affine in sigma, from above."""
    ends = (bounds.low, bounds.high)
    return max(_above(sign * (arb(line.at(sigma)) - wave.rate * sigma - wave.offset)) for sigma in ends)


def _above(ball: arb) -> fmpq:
    """A rational at least as large as every number of the ball.

    Raises:
        Refuted: the ball is not finite.
    """
    if not ball.is_finite():
        raise Refuted(PHASE, "no finite bound of its error")
    return ball.upper().fmpq()


@dataclass(frozen=True, slots=True)
class _Piece:
    """sign * (psi - f) where psi(w) = constant + slope w, and f is taken at v = w + shift or, without one, at `end`."""

    wave: Sinusoid
    constant: fmpq
    slope: fmpq
    shift: fmpq | None
    end: fmpq
    sign: int

    def value(self, w: fmpq) -> arb:
        """An enclosure of the value at w."""
        v = self.end if self.shift is None else w + self.shift
        target = self.wave.mean + self.wave.amplitude * arb(v).cos_pi()
        return self.sign * (arb(self.constant + self.slope * w) - target)

    def derivative(self, low: fmpq, high: fmpq) -> arb:
        """An enclosure of the derivatives on [low, high]."""
        if self.shift is None:
            return self.sign * arb(self.slope)
        v = ball_between(low + self.shift, high + self.shift)
        return self.sign * (arb(self.slope) + self.wave.amplitude * arb.pi() * v.sin_pi())


def _prove_piece(piece: _Piece, low: fmpq, high: fmpq, error: fmpq, budget: Budget) -> None:
    """piece <= error on [low, high], by bisection and the mean value inequality.

    Raises:
        Refuted: it certainly fails at some w.
        Exhausted: neither proved nor refuted within the limits.
    """
    limit = arb(error)
    pending = [(low, high, 0)]
    while pending:
        a, b, depth = pending.pop()
        budget.spend("profile", 1)
        middle = (a + b) / 2
        at_middle = piece.value(middle)
        if at_middle > limit:
            raise Refuted("profile", f"the error may exceed {format_rational(error)} at w = {near(middle)}")
        slopes = piece.derivative(a, b)
        if at_middle + slopes * arb((b - a) / 2) * arb(0, 1) <= limit:
            continue
        # A monotone piece is largest at an end, where a tie with the limit can still be decided.
        if (slopes >= 0 and piece.value(b) <= limit) or (slopes <= 0 and piece.value(a) <= limit):
            continue
        if depth == MAX_BISECTIONS:
            raise Exhausted("profile", f"undecided near w = {near(a)} after {MAX_BISECTIONS} bisections")
        pending += [(middle, b, depth + 1), (a, middle, depth + 1)]


# ------------------------------------------------------------------------------------------------------------------
# General route


def _prove_general(
    network: FoldedNetwork, bounds: _Bounds, expression: Expression, error: fmpq, budget: Budget
) -> None:
    """|psi(z) - f| <= error, z between the lines.

    Raises:
        CheckFailure: the lines and psi do not prove it.
    """
    psi = OuterProfile(network.bias, network.thresholds, network.sides, network.weights)
    if network.reads == "norm":
        prove_on_radii(bounds.lower, bounds.upper, psi, expression, network.dim, error, budget)
        return
    lower, upper, low, high = bounds.lower, bounds.upper, bounds.low, bounds.high
    if network.reads == "sphere-pair":  # sigma = (1 + t)/2
        lower, upper = (tuple(Line(g.constant + g.slope / 2, g.slope / 2) for g in lines) for lines in (lower, upper))
        low, high = 2 * low - 1, 2 * high - 1
    extremes = {"upper": psi.extremes(1), "lower": psi.extremes(-1)}
    for cell in _cells(lower, upper, low, high):
        if not all(cell.lower.at(t) <= cell.upper.at(t) for t in (cell.low, cell.high)):
            raise Refuted("cells", f"the lower line exceeds the upper one near t = {near(cell.low)}")
        branches = [("lower line", _OnLine(psi, cell.lower)), ("upper line", _OnLine(psi, cell.upper))]
        for side in ("upper", "lower"):
            prove_between(cell, branches, extremes[side], expression, network.dim, error, side, budget)


class _OnLine:
    """The branch t -> psi(constant + slope * t)."""

    def __init__(self, psi: OuterProfile, line: Line) -> None:
        """Prepare the line as balls."""
        self._psi = psi
        self._constant, self._slope = arb(line.constant), arb(line.slope)

    def value(self, x: arb) -> arb:
        """Enclose the values over the ball x."""
        return self._psi.value_over(self._constant + self._slope * x)

    def derivative(self, x: arb) -> arb:
        """Enclose the derivatives over the ball x."""
        return self._psi.slope_over(self._constant + self._slope * x) * self._slope


@dataclass(frozen=True, slots=True)
class _Cell:
    """An interval [low, high] of t with the lines used on it."""

    low: fmpq
    high: fmpq
    lower: Line
    upper: Line

    def window(self, z: fmpq) -> tuple[fmpq, fmpq] | None:
        """The t of the cell with lower(t) <= z <= upper(t); None where there are none."""
        since, until = self.low, self.high
        for constant, slope in (
            (self.lower.constant - z, self.lower.slope),
            (z - self.upper.constant, -self.upper.slope),
        ):  # constant + slope t <= 0
            if slope > 0:
                until = min(until, -constant / slope)
            elif slope < 0:
                since = max(since, -constant / slope)
            elif constant > 0:
                return None
        return (since, until) if since <= until else None


def _cells(lower: Sequence[Line], upper: Sequence[Line], low: fmpq, high: fmpq) -> Iterator[_Cell]:
    """Cut [low, high] where the envelopes change lines, which are found in u = (t - low)/(high - low)."""
    length = high - low
    below = upper_envelope(Line(line.at(low), line.slope * length) for line in lower)
    above = lower_envelope(Line(line.at(low), line.slope * length) for line in upper)
    cuts = sorted({fmpq(0), fmpq(1), *(u for u, _ in (*below, *above))})
    i = j = 0
    for start, end in pairwise(cuts):
        while i + 1 < len(below) and below[i + 1][0] <= start:
            i += 1
        while j + 1 < len(above) and above[j + 1][0] <= start:
            j += 1
        lines = [
            Line(line.constant - line.slope * low / length, line.slope / length) for line in (below[i][1], above[j][1])
        ]
        yield _Cell(low + start * length, low + end * length, *lines)


# ------------------------------------------------------------------------------------------------------------------
# The form of the parts


def _claim(value: Any) -> _Claim:
    names = ("kind", "dim", "domain", "arithmetic", "error", "norm_slack", "max_weight")
    fields = fields_of(value, "claim", names)
    word(fields["domain"], "claim.domain", tuple(READS_ON))
    word(fields["arithmetic"], "claim.arithmetic", ("real",))
    slack = parse_rational(fields["norm_slack"], "claim.norm_slack")
    if not 0 <= slack < 1 or (slack > 0 and fields["domain"] != "sphere-pairs"):
        raise Malformed("claim.norm_slack", "must be at least 0 and below 1, and 0 unless the domain is sphere-pairs")
    bound = fields["max_weight"]
    return _Claim(
        dim=integer(fields["dim"], "claim.dim", 1, MAX_DIM),
        domain=fields["domain"],
        error=parse_rational(fields["error"], "claim.error"),
        norm_slack=slack,
        max_weight=None if bound is None else parse_rational(bound, "claim.max_weight"),
    )


def _function(value: Any, domain: str) -> Expression:
    if domain == "unit-ball":
        fields = fields_of(value, "function", ("kind", "expression"))
        word(fields["kind"], "function.kind", ("radial",))
    else:
        fields = fields_of(value, "function", ("kind", "expression", "domain"))
        word(fields["kind"], "function.kind", ("inner-product",))
        if fields["domain"] != domain:
            raise Malformed("function.domain", f'expected "{domain}", the domain of the claim')
    text = fields["expression"]
    if not isinstance(text, str):
        raise Malformed("function.expression", f"expected a text, found {shown(text)}")
    try:
        return parse(text, ("r",) if domain == "unit-ball" else ("t",))
    except ExpressionError as error:
        raise Malformed("function.expression", f"column {error.position + 1}: {error.expected}") from None


def _witness(value: Any, network: FoldedNetwork) -> _Witness:
    fields = fields_of(value, "witness", ("kind", "factor", "upper_slopes", "lower_slopes"))
    word(fields["kind"], "witness.kind", ("support-lines",))
    factor = parse_weight(fields["factor"], "witness.factor")
    if not factor > 0:
        raise Malformed("witness.factor", "must be positive")
    lists = []
    for name in ("upper_slopes", "lower_slopes"):
        slopes = weight_list(fields[name], f"witness.{name}", MAX_SLOPES)
        if isinstance(network.squares, Folds) and slopes:
            raise Malformed(f"witness.{name}", "must be empty for squares by folds")
        for index, slope in enumerate(slopes):
            if slope < 0:
                raise Malformed(f"witness.{name}[{index}]", "a slope must not be negative")
        lists.append(slopes)
    if isinstance(network.squares, Knots) and not lists[0]:
        raise Malformed("witness.upper_slopes", "needs at least one slope for squares by knots")
    return _Witness(factor, *lists)
