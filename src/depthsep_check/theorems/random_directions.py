"""Check of networks for any radial profile whose directions are independent and uniform on the sphere.

**Theorem.** Let d >= 2, g(z) = sum_j D_j max(0, |z| - T_j) with 0 <= T_0 < T_1 < ... < 1, L = max |g'| and
B = max g - min g on [0, 1], and let V be a coordinate of a uniform point of the unit sphere of R^d. If

    |c + E g(r V) - phi(r)| <= e  for all r in [0, 1],

then for u_1, ..., u_M independent and uniform on the sphere, N(x) = c + M^-1 sum_i g(<u_i, x>) and y = ln(2/q), with
probability at least 1 - q,

    sup over the unit ball of |N(x) - phi(||x||)|  <=  e + F + sqrt(2 y (v + 2 B F)/M) + B y/(3M),
    F = 2 L / sqrt(M),      v = min(L^2 (d-1)/(2 d^2), B^2/4).

*Proof.* c + E g(<u, x>) = c + E g(||x|| V) is within e of phi. Let Z be the supremum over the ball of the mean over i
of s (g(<u_i, x>) - E g(<u, x>)), s = 1 or -1. Symmetrisation, with independent signs e_i, gives E Z <= (2/M) E sup_x
sum_i e_i s g(<u_i, x>). Contraction (Ledoux and Talagrand 1991; in the form without absolute values, Meir and Zhang
2003) takes g, L-Lipschitz on [-1, 1], away: E Z <= (2L/M) E sup_x <sum_i e_i u_i, x> =
(2L/M) E ||sum_i e_i u_i|| <= 2L/sqrt(M). The centred summands are at most B, and their variance is at most v: B^2/4 is
Popoviciu's inequality; and u -> g(<u, x>) is even on the sphere, so its nonconstant spherical harmonics have degrees
k >= 2, eigenvalues k(k+d-2) >= 2d, and by Poincare's inequality the variance is at most E |gradient|^2 / (2d) <=
L^2 E (1 - V^2) / (2d) = L^2 (d-1)/(2 d^2), ||x|| <= 1. Bousquet's inequality (2002) for Z, with F for E Z, in which it
increases, bounds P(Z > F + sqrt(2 y (v + 2 B F)/M) + B y/(3M)) by e^-y = q/2; both signs together fail with q. QED

*What is evaluated.* With k = Gamma(d/2) / (sqrt(pi) Gamma((d-1)/2)), the density of V at 0, and s = T/r < 1,
E max(0, r|V| - T) = r A(s) - T P(s), A(s) = E(|V|; |V| > s) = 2k (1 - s^2)^((d-1)/2) / (d-1), P(s) = P(|V| > s), an
incomplete beta function; its derivative in r is A(s), and both increase with r. L and B come from the knots.

*Width.* 2 units for a direction and a threshold T > 0; for T = 0 one, |z| = 2 relu(z) - z, and one in all for the sum
of the -z, which is linear on the unit ball.

Source: after Safran, Eldan & Shamir (2019, arXiv:1904.06984, Theorem 1), where random directions enter an existence
proof; the steps are classical. Nothing is said about any one draw, and that a pseudo-random generator draws
independent uniform directions is a further assumption.
Cost: some hundred boxes of radii, an incomplete beta function for each and every threshold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flint import arb, fmpq

from depthsep_check.document import TheoremDocument
from depthsep_check.fields import fields_of, integer, item_list, require_length, word
from depthsep_check.numbers import format_rational, parse_rational
from depthsep_check.profile_bounds import prove_error_below
from depthsep_check.theorems.profiles import read_expression
from depthsep_check.verdict import Budget, Malformed, Refuted

STEP = "random-directions"
LAW = "iid-sphere"
GENERATOR = "pcg64-normalised"
MAX_DIM = 10_000
MAX_DIRECTIONS = 10**15
MAX_BITS = 100_000
MAX_SEED = 2**64 - 1
MAX_THRESHOLDS = 64
_WORK = 40_000

HALF = fmpq(1, 2)


@dataclass(frozen=True, slots=True)
class Profile:
    """c and g: the bias, thresholds and weights."""

    bias: fmpq
    thresholds: tuple[fmpq, ...]
    weights: tuple[fmpq, ...]

    def steepest(self) -> fmpq:
        """L, the largest |g'| on [0, 1]."""
        slope = largest = fmpq(0)
        for weight in self.weights:
            slope += weight
            largest = max(largest, abs(slope))
        return largest

    def extent(self) -> fmpq:
        """B, the largest minus the smallest value on [0, 1], which are taken at knots."""
        value = slope = before = fmpq(0)
        values = [value]
        for threshold, weight in zip((*self.thresholds, fmpq(1)), (*self.weights, fmpq(0)), strict=True):
            value += slope * (threshold - before)
            values.append(value)
            slope, before = slope + weight, threshold
        return max(values) - min(values)


@dataclass(frozen=True, slots=True)
class _Claim:
    dim: int
    directions: int
    eps: fmpq
    bits: int
    profile: Profile
    seed: int


def check(document: TheoremDocument) -> str:
    """Replay the proof of a failure probability.

    Returns:
        The proved sentence.

    Raises:
        Refuted: the mean network misses the profile, or the probability is not certainly as small as claimed.
        Malformed: an object is not of the form that the format page gives.
        Unsupported: another law or generator than those known here.
        Exhausted: the work limit was reached.
    """
    claim = _claim(document.claim)
    expression = read_expression(document.function, "radial", "r", claim.dim)
    error = _witness(document.witness)
    branch, budget = MeanProfile(claim.dim, claim.profile), Budget(_WORK // (1 + len(claim.profile.thresholds)))
    for side in ("upper", "lower"):
        step = f"mean profile {side}"
        prove_error_below(branch, expression, claim.dim, error, fmpq(0), fmpq(1), side, step, budget)
    total = arb(error) + deviation(claim.dim, claim.directions, claim.bits, claim.profile)
    if not total <= arb(claim.eps):
        raise Refuted(STEP, f"the error is not certainly at most eps with probability 1 - 2^-{claim.bits}")
    return _statement(claim, document.function["expression"])


def width(directions: int, profile: Profile) -> int:
    """The number of units, counted from the thresholds."""
    kink = profile.thresholds[:1] == (0,)
    return directions * (2 * len(profile.thresholds) - kink) + kink


def deviation(dim: int, directions: int, bits: int, profile: Profile) -> arb:
    """The last three terms of the theorem at q = 2^-bits."""
    steepest, extent = arb(profile.steepest()), arb(profile.extent())
    count, y = arb(directions), (bits + 1) * arb(2).log()
    variance = arb(min(profile.steepest() ** 2 * fmpq(dim - 1, 2 * dim * dim), profile.extent() ** 2 / 4))
    mean = 2 * steepest / count.sqrt()
    return mean + (2 * y * (variance + 2 * extent * mean) / count).sqrt() + extent * y / (3 * count)


def _statement(claim: _Claim, text: str) -> str:
    pairs = zip(claim.profile.weights, claim.profile.thresholds, strict=True)
    shown = " + ".join(f"{format_rational(weight)} max(0, |z| - {format_rational(place)})" for weight, place in pairs)
    return (
        f"with probability at least 1 - 2^-{claim.bits} over the draw of {claim.directions} independent directions u, "
        f"uniform on the unit sphere of dimension {claim.dim}, the network N(x) = c + mean_u g(<u, x>) has "
        f"|N(x) - f(x)| <= {format_rational(claim.eps)} for all real x with ||x|| <= 1 (exact arithmetic, ideal "
        f"directions), f(x) = phi(||x||), phi(r) = {text}; depth 2, ReLU, width "
        f"{width(claim.directions, claim.profile)}; nothing is proved about any one draw, such as that of seed "
        f"{claim.seed}, and a pseudo-random generator is a further assumption; c = "
        f"{format_rational(claim.profile.bias)}, g(z) = {shown or 0}"
    )


class MeanProfile:
    """c + E g(r V) as a function of the radius r, a branch of `prove_error_below`."""

    def __init__(self, dim: int, profile: Profile) -> None:
        """Prepare the constants of the law of V."""
        self._profile = profile
        self._power = fmpq(dim - 1, 2)
        half = arb(fmpq(dim, 2))
        self._factor = ((half.lgamma() - (half - HALF).lgamma()).exp() / arb.pi().sqrt()) * 2 / (dim - 1)

    def value(self, x: arb) -> arb:
        """An enclosure over the ball x."""
        total = arb(self._profile.bias)
        for threshold, weight in zip(self._profile.thresholds, self._profile.weights, strict=True):
            low, high = (self._ramp(threshold, end)[0] for end in (x.lower(), x.upper()))
            total += weight * low.union(high)
        return total

    def derivative(self, x: arb) -> arb:
        """An enclosure of the derivative over the ball x."""
        total = arb(0)
        for threshold, weight in zip(self._profile.thresholds, self._profile.weights, strict=True):
            low, high = (self._ramp(threshold, end)[1] for end in (x.lower(), x.upper()))
            total += weight * low.union(high)
        return total

    def _ramp(self, threshold: fmpq, r: arb) -> tuple[arb, arb]:
        """E max(0, r|V| - T) and its derivative, both 0 for r <= T (for T = 0 a line, continued below 0)."""
        if threshold == 0:
            return self._factor * r, self._factor
        if r <= threshold:
            return arb(0), arb(0)
        if not r > threshold:  # r and T agree to the last bit: |V| <= 1
            return arb(0).union(abs(r - threshold)), arb(0).union(arb(1))
        rest = 1 - (threshold / r) ** 2
        mean = self._factor * rest ** arb(self._power)
        beyond = rest.beta_lower(arb(self._power), arb(HALF), regularized=True)
        return r * mean - threshold * beyond, mean


def _claim(value: Any) -> _Claim:
    words = {"domain": "unit-ball", "norm": "sup", "arithmetic": "real", "law": LAW, "generator": GENERATOR}
    fields = fields_of(value, "claim", ("kind", *words, "dim", "directions", "eps", "bits", "profile", "seed"))
    for name, known in words.items():
        word(fields[name], f"claim.{name}", (known,))
    eps = parse_rational(fields["eps"], "claim.eps")
    if eps <= 0:
        raise Malformed("claim.eps", "must be positive")
    return _Claim(
        dim=integer(fields["dim"], "claim.dim", 2, MAX_DIM),
        directions=integer(fields["directions"], "claim.directions", 1, MAX_DIRECTIONS),
        eps=eps,
        bits=integer(fields["bits"], "claim.bits", 1, MAX_BITS),
        profile=_profile(fields["profile"], "claim.profile"),
        seed=integer(fields["seed"], "claim.seed", 0, MAX_SEED),
    )


def _profile(value: Any, place: str) -> Profile:
    fields = fields_of(value, place, ("bias", "thresholds", "weights"))
    thresholds = item_list(fields["thresholds"], f"{place}.thresholds", MAX_THRESHOLDS, parse_rational)
    before = fmpq(-1)
    for index, threshold in enumerate(thresholds):
        if not (before < threshold and 0 <= threshold < 1):
            raise Malformed(f"{place}.thresholds[{index}]", "thresholds must lie in [0, 1) and increase strictly")
        before = threshold
    weights = item_list(fields["weights"], f"{place}.weights", MAX_THRESHOLDS, parse_rational)
    require_length(weights, f"{place}.weights", len(thresholds))
    return Profile(parse_rational(fields["bias"], f"{place}.bias"), thresholds, weights)


def _witness(value: Any) -> fmpq:
    """e, the error of the mean network."""
    fields = fields_of(value, "witness", ("kind", "mean_error"))
    word(fields["kind"], "witness.kind", ("symmetrisation",))
    error = parse_rational(fields["mean_error"], "witness.mean_error")
    if error < 0:
        raise Malformed("witness.mean_error", "must not be negative")
    return error
