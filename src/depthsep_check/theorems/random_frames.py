"""Check of networks for a cone alpha + beta ||x|| whose directions are the rows of random orthonormal frames.

**Theorem.** Let d >= 2, let A_1, ..., A_K be independent Haar matrices of O(d), M = K d, u_1, ..., u_M their rows, and
S(x) = M^-1 sum_i sqrt(d) |<u_i, x>|. Let beta != 0 and sigma its sign, 0 < 2 eps < |beta|, 0 < t < 1, a, a' > 0 and
s (1 - 2 eps/|beta|) <= t. Then

    N(x) = alpha + sigma eps + beta S(x)/s,   that is   alpha + sigma eps + beta (K sqrt(d) s)^-1 sum_i |<u_i, x>|,

is within eps of alpha + beta ||x|| on the whole unit ball, except with probability at most P_high + P_low, where

    P_high = (E e^(a|g|))^M / J_high,     J_high = int_0^(pi/2) exp(K L(a s sqrt(d) cos h)) pi(dh),
    P_low = (E e^(-a'|g|))^M / J_low,     J_low = int_0^hmax exp(K L(-a' sqrt(d) W(h))) pi(dh),

g standard normal, L(m) = ln E e^(m chi), chi the norm of a standard normal vector of R^d,
pi(dh) = c sin^(d-2)(h) dh, c = Gamma(d/2) / (Gamma((d-1)/2) sqrt(pi)), the law of the angle to a fixed point,
W(h) = t cos h + (1 - t^2) sqrt(d) k sin h, k = Gamma((d-1)/2) / (sqrt(pi) Gamma(d/2)), tan hmax = 1/(2 t sqrt(d)).

*Homogeneity.* If t <= S <= s on the sphere then, S being homogeneous, sigma (N - alpha - beta r) is
eps - r |beta| (1 - S(x/r)/s) with 0 <= |beta| (1 - S/s) <= |beta| (1 - t/s) <= 2 eps: it lies in [-eps, eps].

*Exponential moments.* Let R_k be iid copies of chi, l_k(x) = ||A_k x||_1, so that the mean of the l_k is sqrt(d) S(x),
and Psi(b) = int E_R exp(b sum_k R_k l_k(x)) dx over the sphere, b = a or -a'. For fixed x the R_k A_k x are
independent standard normal vectors, so E Psi(b) = (E e^(b|g|))^M exactly. Given the frames, L is convex, so that
E_R exp(b sum_k R_k l_k) = exp(sum_k L(b l_k)) >= exp(K L(b sqrt(d) S(x))).

*P(max S >= s) <= P_high.* S is a norm or seminorm. At a maximiser p a subgradient w has <w, p> = S(p) and
S(x) >= <w, x>, hence ||w|| <= max S = S(p) = <w, p> and w = S(p) p. So S(x) >= S(p) <p, x> >= s cos h at the angle
h <= pi/2 from p. L is increasing, so Psi(a) >= J_high whenever max S >= s; Markov's inequality.

*P(min S <= t) <= P_low.* Let S(p) = t' <= t at a minimiser p, z_i = sqrt(d) <u_i, p>. Frames give mean z_i^2 = 1, and
mean |z_i| = t'. At x = p cos h + v sin h, v uniform on the unit sphere of p's complement, sqrt(d) <u_i, x> is
z_i cos h + V sin(h) sqrt(d - z_i^2), V a coordinate of a uniform point of the unit sphere of R^(d-1). Its mean absolute
value is at most |z_i| cos h + b(|z_i|), b(z) = 2 E (V sqrt(d) sin h - z cos h)_+, because |y| = y + 2 (-y)_+ and V is
symmetric. b is convex, b(0) = sqrt(d) k sin h =: b0, and b = 0 from sqrt(d) tan h on, which is at most 1/(2t) for
h <= hmax; so b lies under a chord: b(z) <= b0 (1 - 2tz)_+ <= b0 (1 - tz)^2. The mean over i, the mean of S over the
ring, is at most t' cos h + b0 (1 - 2 t t' + t^2), which grows with t' since 2 t b0 <= cos h (k <= 1), so is at most
W(h). m -> exp(K L(-a' sqrt(d) m)) is convex and decreasing, so Jensen's inequality on every ring gives
Psi(-a') >= J_low whenever min S <= t; Markov's inequality. QED

*What is evaluated.* E e^(+-a|g|) = e^(a^2/2) erfc(-+a/sqrt(2)). With I_n = int_0^inf x^n exp(mx - x^2/2) dx, m >= 0,
E e^(m chi) = I_(d-1) / (2^(d/2-1) Gamma(d/2)), and I_(n+1) = m I_n + n I_(n-1) by parts, a sum of positive terms, from
I_0 = sqrt(pi/2) e^(m^2/2) erfc(-m/sqrt(2)) and I_1 = 1 + m I_0. E e^(-m chi) =
2^(1-d) Gamma(d)/Gamma(d/2) U(d/2, 1/2, m^2/2), U of Tricomi. The integrals are bounded from below by sums over cells
[x, y] of angles that the witness lists: sin^(d-2)(x) (y - x) times the integrand at cos y, or at
W <= t cos x + (1 - t^2) sqrt(d) k sin y.

*Width.* |z| = 2 relu(z) - z; the sum of all -z is linear in x, and a linear <l, x> is relu(<l, x> + |l|) - |l| on the
unit ball: M + 1 units.

*Rounding.* Rows moved by at most e each move S by at most sqrt(d) e and N by |beta| sqrt(d) e/s. The theorem is about
ideal frames in real arithmetic. It says nothing about any one draw, and that a pseudo-random generator draws from
Haar's law is a further assumption; `seed` and `generator` only name one draw.

Source: depthsep's own; the ingredients (exponential moments smoothed over caps, random sections of l_1) are classical.
Cost: some hundred evaluations of E e^(m chi), each of d steps, or of U.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from flint import arb, fmpq

from depthsep_check.cones import Affine, affine_in_radius
from depthsep_check.document import TheoremDocument
from depthsep_check.fields import fields_of, integer, item_list, word
from depthsep_check.numbers import format_rational, parse_rational
from depthsep_check.theorems.profiles import read_expression
from depthsep_check.verdict import Budget, Malformed, Refuted, Unsupported

STEP = "random-frames"
LAW = "haar-frames"
GENERATOR = "pcg64-signed-qr"
MAX_DIM = 10_000
MAX_FRAMES = 10**9
MAX_BITS = 100_000
MAX_SEED = 2**64 - 1
MAX_ANGLES = 4096
MAX_NUMBER = 1000  # the largest scale and the largest factor a
_WORK = 250_000
_STEPS_PER_UNIT = 50
_UNITS_PER_CELL = 4

HALF = fmpq(1, 2)


@dataclass(frozen=True, slots=True)
class _Claim:
    dim: int
    frames: int
    eps: fmpq
    bits: int
    scale: fmpq
    seed: int


@dataclass(frozen=True, slots=True)
class _Witness:
    tau_low: fmpq
    a_high: fmpq
    a_low: fmpq
    angles_high: tuple[fmpq, ...]
    angles_low: tuple[fmpq, ...]


def check(document: TheoremDocument) -> str:
    """Replay the proof of a failure probability.

    Returns:
        The proved sentence.

    Raises:
        Refuted: the probability is not certainly as small as claimed.
        Malformed: an object is not of the form that the format page gives.
        Unsupported: another function, law or generator than those known here.
        Exhausted: too many angles for such a dimension.
    """
    claim, witness = _claim(document.claim), _witness(document.witness)
    cone = _cone(document.function, claim)
    if not claim.scale * (1 - 2 * claim.eps / abs(cone.slope)) <= witness.tau_low:
        reason = "scale * (1 - 2 eps/|beta|) exceeds tau_low: such values of S do not keep the error below eps"
        raise Refuted("ratio", reason)
    budget = Budget(_WORK)
    high = failure_high(claim.dim, claim.frames, claim.scale, witness.a_high, witness.angles_high, budget)
    low = failure_low(claim.dim, claim.frames, witness.tau_low, witness.a_low, witness.angles_low, budget)
    if not high + low <= arb(fmpq(1, 2**claim.bits)):
        raise Refuted(STEP, f"the failure probability is not certainly at most 2^-{claim.bits}")
    return _statement(claim, cone)


def width(dim: int, frames: int) -> int:
    """The number of units: one for every row, and one for the linear part."""
    return dim * frames + 1


def _statement(claim: _Claim, cone: Affine) -> str:
    rows, sign = claim.dim * claim.frames, "+" if cone.slope > 0 else "-"
    size = abs(cone.slope)
    centre = format_rational(cone.constant + (claim.eps if cone.slope > 0 else -claim.eps))
    norm = "||x||" if size == 1 else f"{format_rational(size)} ||x||"
    return (
        f"with probability at least 1 - 2^-{claim.bits} over the draw of {claim.frames} independent Haar frames of "
        f"dimension {claim.dim}, u their {rows} rows, the network N(x) = {centre} {sign} c sum_u |<u, x>|, 1/c = "
        f"{claim.frames} sqrt({claim.dim}) {format_rational(claim.scale / size)}, has "
        f"|N(x) - ({format_rational(cone.constant)} {sign} {norm})| <= {format_rational(claim.eps)} for all real x "
        f"with ||x|| <= 1 (exact arithmetic, ideal frames); depth 2, ReLU, width {width(claim.dim, claim.frames)}; "
        f"nothing is proved about any one draw, such as that of seed {claim.seed}, and a pseudo-random generator is a "
        "further assumption"
    )


def failure_high(
    dim: int, frames: int, scale: fmpq, a: fmpq, angles: tuple[fmpq, ...], budget: Budget | None = None
) -> arb:
    """A ball whose upper end bounds P(max S >= scale); the integral is summed over the cells between the angles.

    Args:
        dim: The dimension d, at least 2.
        frames: The number K of frames.
        scale: s, positive.
        a: The factor in the exponent, positive.
        angles: Increasing, from 0 on.
        budget: Work is taken from it.

    Raises:
        Refuted: the last angle is not certainly at most pi/2.
    """
    if not arb(angles[-1]) <= arb.pi() / 2:
        raise Refuted("angles_high", "the last angle is not certainly at most pi/2")
    reach = a * scale * arb(dim).sqrt()

    def value(_: fmpq, y: fmpq) -> arb:
        return mean_exp_positive(dim, reach * arb(y).cos())

    integral = _integral(dim, frames, angles, value, budget or Budget(_WORK))
    return (dim * frames * mean_exp_absolute(a).log()).exp() / integral


def failure_low(
    dim: int, frames: int, tau: fmpq, a: fmpq, angles: tuple[fmpq, ...], budget: Budget | None = None
) -> arb:
    """A ball whose upper end bounds P(min S <= tau); arguments as in `failure_high`, 0 < tau < 1.

    Raises:
        Refuted: the last angle is not certainly at most hmax.
    """
    last, root = arb(angles[-1]), arb(dim).sqrt()
    if not (last < arb.pi() / 2 and 2 * tau * root * last.tan() <= 1):
        raise Refuted("angles_low", "the last angle is not certainly at most hmax, tan hmax = 1/(2 tau sqrt(d))")
    half = arb(fmpq(dim, 2))
    spread = (1 - tau * tau) * root * ((half - HALF).lgamma() - half.lgamma()).exp() / arb.pi().sqrt()

    def value(x: fmpq, y: fmpq) -> arb:
        return mean_exp_negative(dim, a * root * (tau * arb(x).cos() + spread * arb(y).sin()))

    integral = _integral(dim, frames, angles, value, budget or Budget(_WORK))
    return (dim * frames * mean_exp_absolute(-a).log()).exp() / integral


def _integral(
    dim: int, frames: int, angles: tuple[fmpq, ...], value: Callable[[fmpq, fmpq], arb], budget: Budget
) -> arb:
    """The lower sum of value^frames against pi over the cells."""
    budget.spend(STEP, len(angles) * (_UNITS_PER_CELL + dim // _STEPS_PER_UNIT))
    half = arb(fmpq(dim, 2))
    total = arb(0)
    for x, y in pairwise(angles):
        total += arb(x).sin() ** (dim - 2) * (y - x) * (frames * value(x, y).log()).exp()
    return total * (half.lgamma() - (half - HALF).lgamma()).exp() / arb.pi().sqrt()


def mean_exp_absolute(a: fmpq) -> arb:
    """E e^(a |g|), g standard normal; a may be negative."""
    return (arb(a * a) / 2).exp() * (-arb(a) / arb(2).sqrt()).erfc()


def mean_exp_positive(dim: int, m: arb) -> arb:
    """E e^(m chi), chi the norm of a standard normal vector in `dim` >= 2 dimensions.

    The recurrence is an identity for every real m; nothing cancels where m >= 0.
    """
    before = (arb.pi() / 2).sqrt() * (m * m / 2).exp() * (-m / arb(2).sqrt()).erfc()
    now = 1 + m * before
    for n in range(1, dim - 1):
        before, now = now, m * now + n * before
    half = arb(fmpq(dim, 2))
    return now * ((1 - half) * arb(2).log() - half.lgamma()).exp()


def mean_exp_negative(dim: int, m: arb) -> arb:
    """E e^(-m chi) for m > 0."""
    half = arb(fmpq(dim, 2))
    factor = (arb(1 - dim) * arb(2).log() + arb(dim).lgamma() - half.lgamma()).exp()
    return factor * (m * m / 2).hypgeom_u(half, arb(HALF))


def _cone(function: Any, claim: _Claim) -> Affine:
    """alpha and beta of the function, with 2 eps < |beta|."""
    cone = affine_in_radius(read_expression(function, "radial", "r", claim.dim), claim.dim)
    if cone is None or cone.slope == 0:
        raise Unsupported("random frames for a profile other than alpha + beta*r with rational alpha and beta != 0")
    if not 2 * claim.eps < abs(cone.slope):
        raise Malformed("claim.eps", "must be below |beta|/2 for the profile alpha + beta*r")
    return cone


def _claim(value: Any) -> _Claim:
    words = {"domain": "unit-ball", "norm": "sup", "arithmetic": "real", "law": LAW, "generator": GENERATOR}
    numbers = ("dim", "frames", "eps", "bits", "scale", "seed")
    fields = fields_of(value, "claim", ("kind", *words, *numbers))
    for name, known in words.items():
        word(fields[name], f"claim.{name}", (known,))
    eps = parse_rational(fields["eps"], "claim.eps")
    if not eps > 0:
        raise Malformed("claim.eps", "must be positive")
    return _Claim(
        dim=integer(fields["dim"], "claim.dim", 2, MAX_DIM),
        frames=integer(fields["frames"], "claim.frames", 1, MAX_FRAMES),
        eps=eps,
        bits=integer(fields["bits"], "claim.bits", 1, MAX_BITS),
        scale=_positive(fields["scale"], "claim.scale"),
        seed=integer(fields["seed"], "claim.seed", 0, MAX_SEED),
    )


def _witness(value: Any) -> _Witness:
    fields = fields_of(value, "witness", ("kind", "tau_low", "a_high", "a_low", "angles_high", "angles_low"))
    word(fields["kind"], "witness.kind", ("cap-integrals",))
    tau = _positive(fields["tau_low"], "witness.tau_low")
    if not tau < 1:
        raise Malformed("witness.tau_low", "must be below 1")
    a_high, a_low = (_positive(fields[name], f"witness.{name}") for name in ("a_high", "a_low"))
    high, low = (_angles(fields[name], f"witness.{name}") for name in ("angles_high", "angles_low"))
    return _Witness(tau, a_high, a_low, high, low)


def _positive(value: Any, place: str) -> fmpq:
    number = parse_rational(value, place)
    if not 0 < number <= MAX_NUMBER:
        raise Malformed(place, f"must be positive and at most {MAX_NUMBER}")
    return number


def _angles(value: Any, place: str) -> tuple[fmpq, ...]:
    angles = item_list(value, place, MAX_ANGLES, parse_rational)
    if len(angles) < 2:
        raise Malformed(place, "needs at least two angles")
    if angles[0] < 0 or not all(x < y for x, y in pairwise(angles)):
        raise Malformed(place, "must increase strictly, from 0 on")
    return angles
