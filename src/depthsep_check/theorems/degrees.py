"""The degrees bound: a function of an inner product that lives on high degrees costs a large path norm at depth 2.

Setting. x, x' are independent and uniform on the unit sphere of R^d, d >= 3; F(x, x') = f(<x, x'>) has coefficients
alpha_i = E[F h_i], h_i = sqrt(N_i) P_i(<x, x'>) orthonormal (`depthsep_check.gegenbauer`); lambda_i = i (i + d - 2).
The networks are N = a(x) + a'(x') + sum_j u_j s_j(<w_j, x> + <w'_j, x'> + b_j), a and a' any functions with N in L2 (a
bias, a skip connection), b_j any number, A = |w_j|, A' = |w'_j|, s_j any activation of one of three classes:

- *derivative-variation*, constant T: s is an integral of s', of total variation <= T (ReLU: 1); size = sqrt(A A');
- *lipschitz*, constant T: |s(y) - s(z)| <= T |y - z|; size = min(A, A');
- *variation*, constant T: s itself has total variation <= T (steps and sigmoids: 1); size = 1.

Theorem (after Daniely 2017). Let V = sum_j |u_j| size_j. There are c_i with |<s_j, h_i>| <= c_i size_j, and so for
every finite set I of degrees i >= 1

    ||F - N||^2 >= sum_{i in I} max(0, |alpha_i| - V c_i)^2                                                  (listed)

and with C_n^2 >= sum (<s_j, h_i> / size_j)^2 over the degrees i = n, n + 2, n + 4, ...

    ||F - N|| >= (sum_{i = n, n+2, ...} alpha_i^2)^{1/2} - V C_n.                                            (tail)

*Proof.* a and a' are orthogonal to h_i, i >= 1. (listed) is Bessel's inequality for the h_i, (tail) the triangle
inequality after projecting on their span. The c_i: two applications of Funk-Hecke give, with unit vectors v and v',

    E[h_i exp(i w (<Av, x> + <A'v', x'> + b))] = sqrt(N_i) (-1)^i j_i(wA) j_i(wA') P_i(<v, v'>) exp(iwb).

*derivative-variation*: s is affine plus a mean of T |z - y|/2; an affine function has no overlap with h_i, and |z| is
the Fourier integral of -1/(pi w^2). By Cauchy-Schwarz and scaling |<|z|/2, h_i>| <= sqrt(A A' N_i) kappa_i, where
kappa_i = (1/pi) integral over w > 0 of j_i(w)^2/w^2, by Weber and Schafheitlin equal to

    kappa_i = (1/(4 pi)) (Gamma(d/2)/Gamma((d+1)/2))^2 Gamma(d) Gamma(i-1/2)/Gamma(i+d-1/2),

and c_i = T sqrt(N_i) kappa_i.

*variation*: s is constant plus a mean of T steps, a step the Fourier integral of 1/(2 pi i w); the integral of j_i^2/w
gives c_i = T (2i+d-2)/(2 pi i (i+d-2) sqrt(N_i)), without a norm, for it is scale invariant.
*lipschitz*: the part of s of degree (i, i) is b_i times two zonal unit vectors, <s, h_i> = b_i P_i(<v, v'>)/sqrt(N_i),
and the Dirichlet form in x (or x') bounds sum lambda_i b_i^2 by T^2 min(A, A')^2 E[1 - <v, x>^2], so
c_i = T sqrt((d-1)/d) / sqrt(N_i lambda_i). An affine part is free, so T/2 does for derivative-variation.
*Tails.* With y = 2i + d - 1 the ratio of the next squared overlap to that of degree i is, for derivative-variation and
D = d, and for variation and D = d - 1,

    (y+1)/(y-1) (y+d-3)/(y-d+3) ((y-D)/(y+D))^2  <=  (y-c)/(y+c)

for c = D (by (y+1)/(y-1) <= (i+1)/i), and also, by the power series of the logarithms, for c < C = 2D - d + 2 with
c^3 <= 3 (C-c) (y^2-c^2), which then holds for all larger y. The product telescopes, and of the degrees after n at most
half counts: C_n = c_n sqrt(1 + (2n+d-1-c)/(4(c-1))). lipschitz: C_n = c_n, for N_i lambda_i increases. variation: also
C_n = T/(2 sqrt(N_n)), for a neuron has a standard deviation of at most T/2. derivative-variation: also the half of
lipschitz. The least of those that apply is taken. QED

The energy of a wave. For f = p cos(omega t) + q sin(omega t) + affine, n >= 2 and n - 2 + d/2 - 1 < omega,

    sum_{i = n, n+2, ...} alpha_i^2 >= a^2 ((1 -+ j_0(2 omega))/2 - L),   a = q, - for odd n and a = p, + for even n,
    L = Gamma(d/2)^2 (2/omega)^{d-2} 2 / (pi sqrt(omega^2 - (n+d/2-3)^2)) binomial(n+d-3, d-1),

for L bounds the degrees n-2, n-4, ...: J_nu(y)^2 <= 2/(pi sqrt(y^2 - nu^2)) for y > nu >= 1/2 (Watson, 13.74) and
N_m + N_{m-2} + ... = binomial(m+d-1, d-1). For n = 1, L = 0 and there must be no linear part.

Functions on the unit ball in the sup norm (Safran, Eldan and Shamir 2019): x = (y + y')/2 has |x|^2 = (1 + <y, y'>)/2,
and a unit of inner weights w has A = A' = |w|/2; an error <= eps on the ball is an L2 error <= eps here. So
sum |u_j| |w_j| is at least twice the V of f(t) = phi(sqrt((1 + t)/2)).

A claim `path_norm` p is proved by a *certain* strict inequality at V = p: a network within eps then has V > p. A claim
`width` W follows if W - 1 units have V <= p under the bound B of the weights: r units have V <= r B^2 sqrt(d) if every
entry of the weights, inner and outer, is in [-B, B], and V <= r B if |u_j| size_j <= B (`product`; on the ball |w_j| is
the size). For the class variation both say |u_j| <= B.

Differences from Daniely 2017: all degrees are used at once, every constant is explicit, no bias and no skip connection
is bounded, and the path norm comes first. Nothing is read but the function, the claim and the degrees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flint import arb, fmpq, fmpz

from depthsep_check.document import TheoremDocument
from depthsep_check.expression import Expression, ExpressionError, parse
from depthsep_check.fields import fields_of, integer, item_list, of_kind, peek_kind, word
from depthsep_check.gegenbauer import (
    Closed,
    Wave,
    closed_bits,
    closed_coefficients,
    closed_form,
    integral_coefficients,
    log_multiplicity,
    multiplicity,
)
from depthsep_check.numbers import format_rational, parse_rational, precision, shown
from depthsep_check.verdict import Budget, Exhausted, Malformed, Refuted, Unsupported

STEP = "degrees"
CLASSES = ("derivative-variation", "lipschitz", "variation")
DOMAINS = ("sphere-pairs", "unit-ball")
MAX_TAIL_DIM = 10**6
MAX_LISTED_DIM = 5000
MAX_DEGREE = 10**4
MAX_TAIL_DEGREE = 10**18
MAX_DEGREES = 5000
MAX_BREAKS = 1000
MAX_EXPONENT = 10**7
WORK = 4 * 10**6
INTEGRALS = 400
BITS = 128

# ------------------------------------------------------------------------------------------------------------------
# What a document holds


@dataclass(frozen=True, slots=True)
class Profile:
    """The function: a formula, or a sum of jumps and kinks at constants.

    Attributes:
        dim: the dimension, at least 3.
        radial: whether the formula is in r on the unit ball, rather than in t = <x, x'>.
        expression: the formula, None for a sum of jumps and kinks.
        jumps: places and heights, constants.
        kinks: places and changes of the slope, constants.
        text: how the sentence shows the function.
    """

    dim: int
    radial: bool
    expression: Expression | None
    jumps: tuple[tuple[Expression, Expression], ...]
    kinks: tuple[tuple[Expression, Expression], ...]
    text: str

    def closed(self) -> Closed | None:
        """The closed form with numbers at the current precision, None if there is none."""
        if self.expression is not None:
            return closed_form(self.expression, self.dim, self.radial)
        jumps, kinks = (
            tuple((_number(at, self.dim), _number(size, self.dim)) for at, size in pairs)
            for pairs in (self.jumps, self.kinks)
        )
        return Closed(fmpq(0), fmpq(0), kinks, jumps)


@dataclass(frozen=True, slots=True)
class Dyadic:
    """mantissa * 2^exponent; path norms and widths may be astronomically large."""

    mantissa: int
    exponent: int

    @property
    def ball(self) -> arb:
        """Its value, exactly."""
        return arb(self.mantissa) * arb(2) ** self.exponent

    @property
    def exact(self) -> fmpq:
        """Its value."""
        two = fmpz(1) << abs(self.exponent)
        return fmpq(self.mantissa * two) if self.exponent >= 0 else fmpq(self.mantissa, two)

    def __str__(self) -> str:
        """As the sentence shows it."""
        short = 0 <= self.exponent <= 64
        return str(self.mantissa << self.exponent) if short else f"{self.mantissa}*2^{self.exponent}"


@dataclass(frozen=True, slots=True)
class Activation:
    """A class of activations and its constant T."""

    kind: str
    constant: fmpq


@dataclass(frozen=True, slots=True)
class Weights:
    """A bound on the weights: of every entry, or of the product of a unit's outer weight and size."""

    kind: str
    bound: fmpq


@dataclass(frozen=True, slots=True)
class DegreesClaim:
    """Every network of the class within eps has a path norm above `path_norm`, and at least `width` units."""

    dim: int
    radial: bool
    eps: fmpq
    activation: Activation
    path_norm: Dyadic
    weights: Weights | None
    width: Dyadic | None


def check(document: TheoremDocument) -> str:
    """Replay the proof of a degrees bound.

    Returns:
        The proved sentence.

    Raises:
        Refuted: the claim does not follow.
        Malformed: a part of the document is not of its form.
        Unsupported: a word that this checker does not know.
        Exhausted: a work limit was reached.
    """
    claim = read_claim(document.claim)
    profile = read_profile(document.function, claim.dim, claim.radial)
    witness = document.witness
    with precision(BITS):
        if peek_kind(witness, "witness", {"listed": 0, "tail": 0}) == "tail":
            start = integer(fields_of(witness, "witness", ("kind", "from"))["from"], "witness.from", 1, MAX_TAIL_DEGREE)
            _check_tail(claim, profile, start)
        else:
            _check_listed(claim, profile, _degrees(witness))
        _check_width(claim)
    return _statement(claim, profile)


def read_claim(value: Any) -> DegreesClaim:
    """The CLAIM object."""
    keys = ("kind", "dim", "domain", "norm", "measure", "eps", "depth", "activation", "path_norm", "weights", "width")
    fields = fields_of(value, "claim", keys)
    dim = integer(fields["dim"], "claim.dim", 3, MAX_TAIL_DIM)
    word(fields["domain"], "claim.domain", DOMAINS)
    radial = fields["domain"] == "unit-ball"
    word(fields["norm"], "claim.norm", ("sup",) if radial else ("L2",))
    if radial and fields["measure"] is not None:
        raise Malformed("claim.measure", "the sup norm has no measure: expected null")
    if not radial:
        word(fields["measure"], "claim.measure", ("uniform",))
    integer(fields["depth"], "claim.depth", 2, 2)
    eps = parse_rational(fields["eps"], "claim.eps")
    if eps < 0:
        raise Malformed("claim.eps", "must not be negative")
    weights = None if fields["weights"] is None else _weights(fields["weights"])
    if (weights is None) != (fields["width"] is None):
        raise Malformed("claim.width", "a width needs a bound on the weights, and a bound of the weights a width")
    width = None if fields["width"] is None else _dyadic(fields["width"], "claim.width", lowest=0)
    path_norm = _dyadic(fields["path_norm"], "claim.path_norm", lowest=-MAX_EXPONENT)
    return DegreesClaim(dim, radial, eps, _activation(fields["activation"]), path_norm, weights, width)


def _dyadic(value: Any, place: str, lowest: int) -> Dyadic:
    fields = fields_of(value, place, ("mantissa", "exponent"))
    mantissa = integer(fields["mantissa"], f"{place}.mantissa", 1, 2**63)
    return Dyadic(mantissa, integer(fields["exponent"], f"{place}.exponent", lowest, MAX_EXPONENT))


def _activation(value: Any) -> Activation:
    fields = fields_of(value, "claim.activation", ("class", "constant"))
    word(fields["class"], "claim.activation.class", CLASSES)
    return Activation(fields["class"], _positive(fields["constant"], "claim.activation.constant"))


def _weights(value: Any) -> Weights:
    fields = fields_of(value, "claim.weights", ("kind", "bound"))
    word(fields["kind"], "claim.weights.kind", ("entries", "product"))
    return Weights(fields["kind"], _positive(fields["bound"], "claim.weights.bound"))


def _positive(value: Any, place: str) -> fmpq:
    number = parse_rational(value, place)
    if number <= 0:
        raise Malformed(place, "must be positive")
    return number


def read_profile(value: Any, dim: int, radial: bool) -> Profile:
    """The FUNCTION object."""
    if radial:
        return of_kind(value, "function", {"radial": lambda v, place: _formula(v, place, dim, "r")})
    readers = {
        "inner-product": lambda v, place: _formula(v, place, dim, "t"),
        "breaks": lambda v, place: _breaks(v, place, dim),
    }
    return of_kind(value, "function", readers)


def _formula(value: Any, place: str, dim: int, variable: str) -> Profile:
    fields = fields_of(value, place, ("kind", "expression"))
    expression = _parse(fields["expression"], f"{place}.expression", dim, (variable,))
    meaning = "phi(||x||), phi(r)" if variable == "r" else "f(t), t = <x, x'>, f(t)"
    return Profile(dim, variable == "r", expression, (), (), f"{meaning} = {expression.text}")


def _breaks(value: Any, place: str, dim: int) -> Profile:
    def pair(entry: Any, at: str) -> tuple[Expression, Expression]:
        if not isinstance(entry, list) or len(entry) != 2:
            raise Malformed(at, "expected a list of a place and a size")
        return _parse(entry[0], at, dim, ()), _parse(entry[1], at, dim, ())

    fields = fields_of(value, place, ("kind", "jumps", "kinks"))
    jumps = item_list(fields["jumps"], f"{place}.jumps", MAX_BREAKS, pair)
    kinks = item_list(fields["kinks"], f"{place}.kinks", MAX_BREAKS, pair)
    if not jumps and not kinks:
        raise Malformed(place, "at least one jump or kink is needed")
    shown_breaks = "; ".join(
        f"{name} {', '.join(f'{size.text} at {at.text}' for at, size in pairs)}"
        for name, pairs in (("jumps", jumps), ("changes of slope", kinks))
        if pairs
    )
    return Profile(dim, False, None, jumps, kinks, f"f(t), t = <x, x'>, piecewise linear: {shown_breaks}, plus affine")


def _parse(text: Any, place: str, dim: int, variables: tuple[str, ...]) -> Expression:
    if not isinstance(text, str) or not text.strip():
        raise Malformed(place, f"expected a formula, found {shown(text)}")
    try:
        expression = parse(text, variables)
        expression.program(dim)
    except ExpressionError as error:
        raise Malformed(place, f"column {error.position + 1}: {error.expected}") from None
    return expression


def _number(expression: Expression, dim: int) -> fmpq | arb:
    closed = closed_form(expression, dim, radial=False)
    if closed is None or not closed.is_constant:
        raise Refuted("function", f"the constant {shown(expression.text)} has no certain finite value")
    return closed.constant


def _degrees(witness: Any) -> tuple[int, ...]:
    fields = fields_of(witness, "witness", ("kind", "degrees"))
    degrees = item_list(
        fields["degrees"], "witness.degrees", MAX_DEGREES, lambda value, place: integer(value, place, 1, MAX_DEGREE)
    )
    if not degrees:
        raise Malformed("witness.degrees", "at least one degree is needed")
    for index in range(1, len(degrees)):
        if degrees[index] <= degrees[index - 1]:
            raise Malformed(f"witness.degrees[{index}]", "degrees must increase strictly")
    return degrees


# ------------------------------------------------------------------------------------------------------------------
# The constants of the theorem


def visibility(activation: Activation, dim: int, degree: int) -> arb:
    """c_i, i >= 1: how much of degree i one unit of size 1 can have.

    >>> with precision(64):
    ...     relu = visibility(Activation("derivative-variation", fmpq(1)), 3, 1)
    ...     abs(relu - arb(3).sqrt() / 15) < 1e-15  # N_1 kappa_1 = 1/5
    True
    """
    log_count = log_multiplicity(dim, degree)
    if activation.kind == "variation":
        log_unit = (arb(2 * degree + dim - 2) / (2 * arb.pi() * degree) / (degree + dim - 2)).log() - log_count / 2
    elif activation.kind == "lipschitz":
        log_unit = _log_dirichlet(dim, degree)
    else:
        log_unit = _log_kappa(dim, degree) + log_count / 2
        log_unit = log_unit.min(_log_dirichlet(dim, degree) - arb(2).log())
    return log_unit.exp() * activation.constant


def tail_visibility(activation: Activation, dim: int, start: int) -> arb:
    """C_n: how much of the degrees n, n + 2, n + 4, ... together one unit of size 1 can have."""
    if activation.kind == "lipschitz":
        return visibility(activation, dim, start)
    log_count = log_multiplicity(dim, start)
    if activation.kind == "variation":
        single = visibility(activation, dim, start) * _tail_factor(dim, start, dim - 1)
        return single.min(activation.constant * (-log_count / 2).exp() / 2)
    log_unit = _log_kappa(dim, start) + log_count / 2 + _tail_factor(dim, start, dim).log()
    return log_unit.min(_log_dirichlet(dim, start) - arb(2).log()).exp() * activation.constant


def _tail_factor(dim: int, start: int, least: int) -> arb:
    """C_n / c_n; `least` is D, the c that always serves, and a larger one is taken where the theorem knows it."""
    c, most, y = fmpq(least), 2 * least - dim + 2, 2 * start + dim - 1
    if y > most:
        c = max(c, most - fmpq(most**3, 3 * (y**2 - most**2)))
    return arb(1 + (y - c) / (4 * (c - 1))).sqrt()


def _log_kappa(dim: int, degree: int) -> arb:
    gammas = arb(fmpq(dim, 2)).lgamma() - arb(fmpq(dim + 1, 2)).lgamma()
    tail = arb(fmpq(2 * degree - 1, 2)).lgamma() - arb(fmpq(2 * (degree + dim) - 1, 2)).lgamma()
    return 2 * gammas + arb(dim).lgamma() + tail - (4 * arb.pi()).log()


def _log_dirichlet(dim: int, degree: int) -> arb:
    spread = arb(fmpq(dim - 1, dim)).log() - (arb(degree) * (degree + dim - 2)).log()
    return (spread - log_multiplicity(dim, degree)) / 2


def pair_scale(radial: bool, activation: Activation) -> int:
    """Path norm on the ball over path norm on pairs: 2 where the inner weights count, |w| being twice A = A'."""
    return 2 if radial and activation.kind != "variation" else 1


# ------------------------------------------------------------------------------------------------------------------
# The two inequalities


def coefficients(profile: Profile, degrees: Sequence[int], budget: Budget) -> list[arb]:
    """alpha_i of increasing degrees i >= 1, at a precision chosen here.

    Raises:
        Refuted: the function has no certain coefficients.
        Exhausted: the dimension, or the work, is over its limit.
    """
    dim, top = profile.dim, degrees[-1]
    if dim > MAX_LISTED_DIM:
        raise Exhausted(STEP, f"a list of degrees is allowed up to dimension {MAX_LISTED_DIM}")
    closed = profile.closed()
    if closed is not None:
        budget.spend(STEP, (len(closed.kinks) + len(closed.jumps) + len(closed.waves)) * (top + len(degrees)))
        with precision(closed_bits(closed, dim, top)):
            refined = profile.closed()
            if refined is not None:
                return closed_coefficients(refined, dim, degrees)
    if profile.expression is None:
        raise Refuted("function", "the jumps and kinks have no certain values")
    with precision(BITS + int(multiplicity(dim, top).bit_length())):
        return integral_coefficients(profile.expression, dim, profile.radial, degrees, Budget(INTEGRALS))


def wave_of(profile: Profile, start: int) -> Wave:
    """The one wave of a function that the tail argument is about.

    Raises:
        Refuted: the function is something else.
    """
    closed = profile.closed()
    if closed is None or len(closed.waves) != 1 or closed.kinks or closed.jumps:
        raise Refuted(STEP, "the tail argument is about a sin(omega t + phase) + b, plus a linear part")
    if start == 1 and not closed.slope == 0:
        raise Refuted(STEP, "with a linear part the tail cannot start at degree 1")
    return closed.waves[0]


def tail_norm(wave: Wave, dim: int, start: int) -> arb:
    """A lower bound of the L2 norm of the part of a wave of degrees n, n + 2, n + 4, ...

    Not a number where no bound is certain, and where it would not be positive.
    """
    half = arb(fmpq(dim, 2))
    energy = (1 - _j0_bound(wave.omega, dim)) / 2
    if start > 1:
        order = start + half - 3
        if not order < wave.omega:
            return arb.nan()
        root = (wave.omega**2 - order**2).sqrt()
        choose = arb(start + dim - 2).lgamma() - arb(dim).lgamma() - arb(start - 1).lgamma()
        log_low = 2 * half.lgamma() + (dim - 2) * (2 / wave.omega).log() + (2 / (arb.pi() * root)).log() + choose
        energy -= log_low.exp()
    if not energy > 0:
        return arb.nan()
    return energy.sqrt() * abs(arb(wave.odd if start % 2 else wave.even))


def _j0_bound(omega: arb, dim: int) -> arb:
    """An upper bound of |j_0(2 omega)|, by Watson's inequality where it applies."""
    order = arb(fmpq(dim, 2)) - 1
    if not order < 2 * omega:
        return arb(1)
    bessel = 2 / (arb.pi() * (4 * omega**2 - order**2).sqrt())
    return ((order + 1).lgamma() - order * omega.log() + bessel.log() / 2).exp().min(arb(1))


def _check_tail(claim: DegreesClaim, profile: Profile, start: int) -> None:
    wave = wave_of(profile, start)
    norm = tail_norm(wave, claim.dim, start)
    part = claim.path_norm.ball / pair_scale(claim.radial, claim.activation)
    if not part * tail_visibility(claim.activation, claim.dim, start) < norm - arb(claim.eps):
        parity = "odd: only the sine" if start % 2 else "even: only the cosine"
        raise Refuted(STEP, f"a network of this path norm is not certainly too weak from degree {start} on ({parity})")


def _check_listed(claim: DegreesClaim, profile: Profile, degrees: tuple[int, ...]) -> None:
    found = coefficients(profile, degrees, Budget(WORK))
    part = claim.path_norm.ball / pair_scale(claim.radial, claim.activation)
    missing = arb(0)
    for degree, alpha in zip(degrees, found, strict=True):
        rest = abs(+alpha) - part * visibility(claim.activation, claim.dim, degree)
        if rest > 0:
            missing += rest**2
    if not missing > arb(claim.eps) ** 2:
        raise Refuted(STEP, f"a network of this path norm is not certainly too weak on these {len(degrees)} degrees")


def _check_width(claim: DegreesClaim) -> None:
    """W - 1 units of the class have a path norm of at most `path_norm`, exactly."""
    if claim.width is None or claim.weights is None:
        return
    bound, units = claim.weights.bound, claim.width.exact - 1
    if claim.activation.kind == "variation" or claim.weights.kind == "product":
        enough = units * bound <= claim.path_norm.exact
    else:
        enough = (units * bound**2) ** 2 * claim.dim <= claim.path_norm.exact**2
    if not enough:
        raise Refuted("width", f"a width of {claim.width} does not follow from the path norm {claim.path_norm}")


# ------------------------------------------------------------------------------------------------------------------
# The sentence


def _statement(claim: DegreesClaim, profile: Profile) -> str:
    if claim.radial:
        network = "N(x) = l(x) + sum_j u_j s_j(<w_j, x> + b_j), l affine"
        where = f"in the sup norm on the unit ball of R^{claim.dim}"
    else:
        network = "N(x, x') = a(x) + a'(x') + sum_j u_j s_j(<w_j, x> + <w'_j, x'> + b_j), any a, a' and b_j"
        where = f"in L2 of two independent uniform points of the unit sphere of R^{claim.dim}"
    sentence = (
        f"every {network}, {_activations(claim.activation)}, within {format_rational(claim.eps)} {where} of "
        f"{profile.text} has {_path_norm(claim)} > {claim.path_norm}"
    )
    if claim.weights is None or claim.width is None:
        return sentence
    return f"{sentence}; if moreover {_class_of(claim)}, it has at least {claim.width} units"


def _activations(activation: Activation) -> str:
    constant = format_rational(activation.constant)
    if activation.kind == "lipschitz":
        return f"s_j with Lipschitz constant <= {constant}"
    if activation.kind == "variation":
        return f"s_j of total variation <= {constant} (step, sigmoid: 1)"
    return f"s_j with a derivative of total variation <= {constant} (ReLU: 1)"


def _path_norm(claim: DegreesClaim) -> str:
    if claim.activation.kind == "variation":
        return "sum_j |u_j|"
    if claim.radial:
        return "sum_j |u_j| |w_j|"
    mean = "min(|w_j|, |w'_j|)" if claim.activation.kind == "lipschitz" else "sqrt(|w_j| |w'_j|)"
    return f"sum_j |u_j| {mean}"


def _class_of(claim: DegreesClaim) -> str:
    weights = claim.weights
    if weights is None:
        raise Unsupported("a width without a class of weights")
    if claim.activation.kind == "variation":
        what = "|u_j|"
    elif weights.kind == "product":
        what = f"every {_path_norm(claim).removeprefix('sum_j ')}"
    else:
        what = "every entry of u and of the inner weights, in absolute value,"
    return f"{what} is <= {short_bound(weights.bound)}"


def short_bound(bound: fmpq) -> str:
    """The bound as the sentence shows it, or where it is long a smaller one (so that the class is not overstated)."""
    text = format_rational(bound)
    if len(text) <= 40:
        return text
    exponent = int(bound.p).bit_length() - int(bound.q).bit_length() - 53
    scaled = bound * fmpq(2) ** -exponent
    mantissa = int(scaled.p // scaled.q)
    zeros = (mantissa & -mantissa).bit_length() - 1
    mantissa, exponent = mantissa >> zeros, exponent + zeros
    return f"2^{exponent}" if mantissa == 1 else f"{mantissa}*2^{exponent}"
