"""What this library computes of each theorem at a dimension and an accuracy; every value names its hypotheses.

Four kinds of numbers, never mixed: *certified*, a bound or a network whose document the checker has replayed; *proved
formula*, from the few lines below; *source's formula*, its unspecified constants set to one; *estimate*.

Proofs of the formulas.

* Sawtooth of n folds. Let N be within eps < 1/2. Between j/2^n and (j+1)/2^n it crosses 1/2, for j = 0 .. 2^n - 1. Two
  crossings on one affine piece would make N = 1/2 between them, where some j/2^n lies: so there are 2^n pieces. Hidden
  layers of widths w_i have at most prod (w_i + 1), since a unit adds at most one break to every piece.
* Level n of the Cantor set, 2^n intervals. N >= 0 exactly on them is negative, then rises before each, and falls after
  each to be negative: 2^n rising pieces and 2^n falling ones, all different, as N is negative between.
* Period 3: f(a) = b, f(b) = c, f(c) = a, a < b < c. f([a, b]) contains [b, c] and f([b, c]) contains both. So F(n + 1)
  paths of n steps (Fibonacci) lead from [b, c] to [b, c]; each has an interval that the n-th iterate maps onto [b, c],
  end to end, and these intervals have no inner points in common. Count crossings of the middle as above.
* Squares by folds (Yarotsky 2017): t^2 minus its interpolant at 2^a + 1 points lies in [-4^-(a+1), 0], and a folds, 4 d
  units and then 2 d + 1 a layer, compute the interpolants of all coordinates; half of the error of the sum is centred.

Cost: tenths of a second for most, some seconds at the ends of the ranges; beyond them nothing is computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Protocol

from depthsep.accuracy import Accuracy, parse_accuracy
from depthsep.bounding import lower_bound
from depthsep.constructions import deep_ball, deep_radial, deep_smooth, exact_networks, inner_products
from depthsep.constructions.polynomial_radial import predicted_width
from depthsep.decimals import lower_decimal
from depthsep.errors import BadInput, DepthsepError
from depthsep.functions import InnerProduct, Radial, parse_function
from depthsep.functions.ball_indicator import BallIndicator
from depthsep.lower_bounds import LowerBound, NoBound
from depthsep.lower_bounds.moment_limits import MomentLimit, exact_identity_directions, moment_limit
from depthsep.lower_bounds.named import daniely, safran_eldan_shamir_4, safran_eldan_shamir_5
from depthsep.planning import plan
from depthsep.small_weights.words import at_least, at_most
from depthsep.source_widths import source_note, source_width
from depthsep.theorem_table.rows import Theorem

__all__ = ["COMPUTATIONS", "Computation", "Value", "values_of"]

Status = Literal["certified", "proved formula", "source's formula", "estimate", "not computed"]

_CERTIFIED: Status = "certified"
_FORMULA: Status = "proved formula"
_SOURCE: Status = "source's formula"
_ESTIMATE: Status = "estimate"
_NOT_COMPUTED: Status = "not computed"

_CONE = "1 - r"
_FAST = "sin(pi*d^3*t)"
_BALL = "ball(1/2, 1/10)"
_RELU_ANY = "ReLU, any weights"
_LARGEST_EPS = 10**6
_LARGEST_DEGREE = 10  # of the polynomials in r^2 whose distance is bounded
_DANIELY_EPS = Fraction(2742, 10**7)  # a little below 1/(50 e^2 pi^2)


@dataclass(frozen=True)
class Value:
    """One number about a theorem, or why there is none here.

    Args:
        name: What it is, such as "width at depth 2, at least".
        about: The function.
        status: "certified", "proved formula", "source's formula", "estimate", or "not computed" where that takes more
            work than is spent here.
        amount: The number as text, rounded to its safe side where it is proved; None where there is none.
        exact: The same as an exact integer, where it is one.
        reason: Why there is no number.
        hypotheses: What it needs.
    """

    name: str
    about: str
    status: Status
    amount: str | None
    exact: int | None = None
    reason: str = ""
    hypotheses: tuple[str, ...] = ()

    @property
    def applies(self) -> bool:
        """Whether there is a number."""
        return self.amount is not None

    @property
    def text(self) -> str:
        """The number, or "does not apply" (or "not computed") and why."""
        if self.amount is not None:
            return self.amount
        return f"{'not computed' if self.status == _NOT_COMPUTED else 'does not apply'}: {self.reason}"


class _Network(Protocol):
    @property
    def widths(self) -> Sequence[int]: ...


_Compute = Callable[[int, Fraction], Iterator[Value]]


@dataclass(frozen=True)
class Computation:
    """How the values of a theorem are computed, and for what.

    Args:
        compute: A function of the dimension and the accuracy.
        says: What is computed, in a line.
        dims: The first and the last dimension.
        least_eps: The smallest accuracy; 0 where all are allowed.
    """

    compute: _Compute
    says: str
    dims: tuple[int, int]
    least_eps: Fraction = Fraction(0)


def values_of(theorem: Theorem, dim: int, eps: Accuracy) -> tuple[Value, ...]:
    """Compute what can be said about a theorem.

    Args:
        theorem: A row of the table.
        dim: The dimension.
        eps: The accuracy, exact, in the norm that each value names.

    Returns:
        The values; none where this library computes nothing of the theorem.

    Raises:
        BadInput: dim < 1, eps <= 0 or eps > 10^6.

    Example:
        >>> from depthsep.theorem_table import select
        >>> [value.amount for value in values_of(select(target="sawtooth")[0], 10, "0.1")]
        ['2 at depth 11', '1,023', '31']
    """
    accuracy = parse_accuracy(eps)
    if dim < 1 or not 0 < accuracy <= _LARGEST_EPS:
        needed = f"a dimension of at least 1, and eps > 0, at most {_LARGEST_EPS:,}"
        raise BadInput(f"values at dim = {dim} and eps = {eps}", needed=needed)
    if not theorem.value:
        return ()
    computation = COMPUTATIONS[theorem.value]
    first, last = computation.dims
    if dim < first:
        reason = f"it needs a dimension of at least {first}, not {dim}"
        return (Value(computation.says, theorem.targets[0], _FORMULA, None, reason=reason),)
    if dim > last or accuracy < computation.least_eps:
        down = f" and down to eps = {computation.least_eps}" if computation.least_eps else ""
        reason = f"that is done up to dimension {last:,}{down} here"
        return (Value(computation.says, theorem.targets[0], _NOT_COMPUTED, None, reason=reason),)
    return tuple(computation.compute(dim, accuracy))


# ------------------------------------------------------------------------------------------------------------------
# Bounds and networks as values


def _bound(name: str, about: str, prove: Callable[[], LowerBound | NoBound], *hypotheses: str) -> Value:
    """A lower bound on a width, with the words of its proof."""
    try:
        answer = prove()
    except DepthsepError as error:
        return _silent(name, about, error)
    if isinstance(answer, NoBound):
        return Value(name, about, _CERTIFIED, None, reason=answer.reason)
    setting = f"{answer.norm} norm on {answer.domain}" + (f", measure {answer.measure}" if answer.measure else "")
    classes = f"activation: {answer.activation_class}; weights: {answer.weight_class}"
    words = (setting, classes, *answer.hypotheses, *hypotheses)
    return Value(name, about, _CERTIFIED, _least(answer.width_lower), answer.width_lower, hypotheses=words)


def _network(name: str, about: str, build: Callable[[], _Network], *hypotheses: str) -> Value:
    """The widths of the hidden layers of a network that is built and proved."""
    try:
        widths = build().widths
    except DepthsepError as error:
        return _silent(name, about, error)
    return Value(name, about, _CERTIFIED, " + ".join(f"{width:,}" for width in widths), hypotheses=hypotheses)


def _silent(name: str, about: str, error: DepthsepError) -> Value:
    """A request that makes no sense does not apply; a proof that did not close, or in time, was not computed."""
    needed = f"needed is {error.needed}" if error.needed else ""
    reason = "; ".join(part for part in (error.found, needed) if part) or error.asked
    return Value(name, about, _CERTIFIED if isinstance(error, BadInput) else _NOT_COMPUTED, None, reason=reason)


def _two_digits(number: float) -> str:
    return f"{float(f'{number:.1e}'):,.0f}"


def _least(width: int) -> str:
    return f"{width:,}" if width < 10**9 else at_least(Fraction(width))


# ------------------------------------------------------------------------------------------------------------------
# Balls, cones and other functions of the norm


def _tubes_of_a_ball(dim: int, eps: Fraction) -> Iterator[Value]:
    radius = Fraction(round(4 * (dim / 2 + 0.81 * (dim / 2) ** (1 / 3))), 4)
    text = f"indicator(s <= {radius})"
    yield _bound(
        "width at depth 2, at least", text, lambda: lower_bound(text, dim=dim, eps=eps, measure="eldan-shamir")
    )


def _ball_depth_3(dim: int, eps: Fraction) -> Iterator[Value]:
    ball = parse_function(_BALL, dim)
    if isinstance(ball, BallIndicator):
        words = ("depth 3, ReLU", "exact off the shell 2/5 < r < 3/5, whatever eps", "sup norm on the rest of the ball")
        yield _network("widths at depth 3", _BALL, lambda: deep_ball.search(ball), *words)


def _gaussian_ball(dim: int, eps: Fraction) -> Iterator[Value]:
    yield _bound(
        "width at depth 2, at least",
        "ball(median)",
        lambda: lower_bound("ball(median)", dim=dim, eps=eps, measure="gaussian"),
        "eps is a mean squared error here, not its root",
    )


def _cone_depth_2(dim: int, eps: Fraction) -> Iterator[Value]:
    cone = Radial(_CONE, dim)
    formula, note = source_width(cone, 2, eps), source_note(2)
    words = ("sup norm on the unit ball", "a Lipschitz profile, L = 1", note)
    yield Value("width at depth 2", _CONE, _SOURCE, formula, hypotheses=words)
    yield from _cone_estimate(dim, eps)


def _cone_estimate(dim: int, eps: Fraction) -> Iterator[Value]:
    name = "neurons at depth 2, about"
    if dim > _PLANNED_DIM or eps < _PLANNED_EPS:
        reason = f"that is done up to dimension {_PLANNED_DIM} and down to eps = {_PLANNED_EPS} here"
        yield Value(name, _CONE, _NOT_COMPUTED, None, reason=reason)
    elif eps >= Fraction(1, 2):
        yield Value(name, _CONE, _ESTIMATE, None, reason="the constant 1/2 is within 1/2 of it")
    elif found := plan(_CONE, dim=dim, eps=eps):
        words = ("sup norm on the unit ball", _RELU_ANY, f"{found[0].directions:,} directions: {found[0].way}")
        yield Value(name, _CONE, _ESTIMATE, _two_digits(found[0].neurons), hypotheses=words)
    else:
        yield Value(name, _CONE, _NOT_COMPUTED, None, reason="no way to at most 10,000,000 neurons is seen")


def _cone_depth_3(dim: int, eps: Fraction) -> Iterator[Value]:
    words = ("sup norm on the unit ball", "depth 3, ReLU")
    yield _network("widths at depth 3", _CONE, lambda: deep_radial.search(Radial(_CONE, dim), eps), *words)


def _softplus_squares(dim: int, eps: Fraction) -> Iterator[Value]:
    cone = Radial(_CONE, dim)
    for name in ("softplus", "tanh"):
        words = ("sup norm on the unit ball", f"depth 3, {name}", "the weights grow with 1/eps")
        build = _smooth(cone, eps, name)
        yield _network(f"widths at depth 3 with {name}", _CONE, build, *words)


def _smooth(function: Radial, eps: Fraction, activation: str) -> Callable[[], _Network]:
    return lambda: deep_smooth.search(function, eps, activation)


def _even_monomial(dim: int, eps: Fraction) -> Iterator[Value]:
    least = exact_identity_directions(dim, 4)
    identity = ("an exact identity: sum of w <u, x>^4 = r^4", "it limits identities, not networks")
    yield Value("directions of an identity, at least", "r^4", _FORMULA, f"{least:,}", least, hypotheses=identity)
    found = predicted_width(Radial("r^4", dim), eps)
    if found is not None:
        words = ("sup norm on the unit ball", _RELU_ANY, f"along {found[0]:,} directions")
        yield Value("neurons at depth 2, about", "r^4", _ESTIMATE, _two_digits(found[1]), hypotheses=words)


def _ses_4(dim: int, eps: Fraction) -> Iterator[Value]:
    row = safran_eldan_shamir_4(dim, eps)
    for ours in row.ours:
        yield _bound(f"width at depth 2, at least; {ours.weights}", row.function, _given(ours.bound))


def _ses_5(dim: int, eps: Fraction) -> Iterator[Value]:
    row = safran_eldan_shamir_5(dim, eps)
    yield _bound("width at depth 2, at least", row.function, _given(row.ours[0].bound), *row.notes)


def _given(bound: LowerBound | NoBound) -> Callable[[], LowerBound | NoBound]:
    return lambda: bound


def _rank(dim: int, eps: Fraction) -> Iterator[Value]:
    for text in (_CONE, _BALL):
        yield _bound("width of the first layer, at least", text, _by("rank", text, dim, eps))


def _by(theorem: str, text: str, dim: int, eps: Fraction) -> Callable[[], LowerBound | NoBound]:
    return lambda: lower_bound(text, dim=dim, eps=eps, theorem=theorem)


def _cells(dim: int, eps: Fraction) -> Iterator[Value]:
    yield _bound("width at depth 2, at least", _CONE, _by("cells", _CONE, dim, eps))


def _radial_dual(dim: int, eps: Fraction) -> Iterator[Value]:
    name, about = "sum of |outer weight| * |inner weights|, at least", "cos(12*r)"
    answer = _by("radial-dual", about, dim, eps)()
    if isinstance(answer, NoBound):
        yield Value(name, about, _CERTIFIED, None, reason=answer.reason)
    elif answer.path_norm_lower is not None:
        words = ("sup norm on the unit ball", f"activation: {answer.activation_class}", *answer.hypotheses)
        yield Value(name, about, _CERTIFIED, lower_decimal(answer.path_norm_lower), hypotheses=words)


def _moment_limit(dim: int, eps: Fraction) -> Iterator[Value]:
    name, cone = "degree of the moments, at least", Radial(_CONE, dim)
    words = ("sup norm on the unit ball", "moment sandwiches with one pair of polynomials; no bound for networks")
    for k in range(_LARGEST_DEGREE + 1):
        found = moment_limit(cone, 2 * k)
        if not isinstance(found, MomentLimit) or found.limit <= eps:
            yield Value(name, _CONE, _CERTIFIED, str(2 * k), 2 * k, hypotheses=words)
            return
    degree = 2 * _LARGEST_DEGREE + 2
    yield Value(name, _CONE, _CERTIFIED, str(degree), degree, hypotheses=words)


# ------------------------------------------------------------------------------------------------------------------
# Inner products and oscillation


def _daniely(dim: int, eps: Fraction) -> Iterator[Value]:
    row = daniely(dim, eps)
    yield _bound("width at depth 2, at least", row.function, _given(row.ours[1].bound))
    name, words = "width at depth 2", (row.norm, "every weight up to 2^d", "d large enough: how large is not specified")
    log2 = row.source_log2_width_estimate
    if log2 is None or eps > _DANIELY_EPS:
        reason = "the source is about the accuracy 1/(50 e^2 pi^2), 0.00027, and smaller ones"
        yield Value(name, row.function, _SOURCE, None, reason=reason)
    elif log2 <= 0:
        reason = f"its printed expression is 2^{log2:.1f}, which says nothing"
        yield Value(name, row.function, _SOURCE, None, reason=reason)
    else:
        yield Value(name, row.function, _SOURCE, f"2^{log2:.1f}", hypotheses=words)
    yield from _inner_product_depth_3(dim, eps)


def _inner_product_depth_3(dim: int, eps: Fraction) -> Iterator[Value]:
    product = InnerProduct(_FAST, dim)
    words = ("sup norm on pairs of unit vectors", "depth 3, ReLU", source_note(3))
    yield Value("width at depth 3", _FAST, _SOURCE, source_width(product, 3, eps), hypotheses=words)
    if eps < _BUILT:
        reason = f"that is done down to eps = {_BUILT} here"
        yield Value("widths at depth 3", _FAST, _NOT_COMPUTED, None, reason=reason)
    else:
        yield _network("widths at depth 3", _FAST, lambda: inner_products.search(product, eps), *words[:2])


def _crossings(dim: int, eps: Fraction) -> Iterator[Value]:
    def prove() -> LowerBound | NoBound:
        return lower_bound(_FAST, dim=dim, eps=eps, domain="spheres", theorem="crossings")

    yield _bound("width at depth 2, at least", _FAST, prove)


# ------------------------------------------------------------------------------------------------------------------
# Functions of one number; the dimension is read as the number of folds, levels or iterations


def _sawtooth(folds: int, eps: Fraction) -> Iterator[Value]:
    about = f"the sawtooth of 2^{folds} pieces on [0, 1]"
    yield _depth_of(f"{about}, exactly", lambda: exact_networks.exact_sawtooth(folds), folds + 1)
    words = ("sup norm on [0, 1]", "eps < 1/2", _RELU_ANY)
    for depth, least in ((2, 2**folds - 1), (3, math.isqrt(2**folds - 1))):
        name = f"width of the widest layer at depth {depth}, at least"
        if eps < Fraction(1, 2):
            yield Value(name, about, _FORMULA, _least(least), least, hypotheses=words)
        else:
            yield Value(name, about, _FORMULA, None, reason=f"eps = {eps} is not below 1/2: a constant is enough")


def _depth_of(about: str, build: Callable[[], _Network], depth: int) -> Value:
    name = "width of each layer"
    try:
        widest = max(build().widths)
    except DepthsepError as error:
        return _silent(name, about, error)
    return Value(name, about, _CERTIFIED, f"{widest} at depth {depth}", hypotheses=("ReLU, rational weights",))


def _cantor(level: int, eps: Fraction) -> Iterator[Value]:
    about = f"a function that is >= 0 exactly on level {level} of the Cantor set"
    yield _depth_of(about, lambda: exact_networks.exact_cantor(level), level + 2)
    least = 2 ** (level + 1) - 1
    words = ("exact on all of R", _RELU_ANY)
    yield Value("width at depth 2, at least", about, _FORMULA, _least(least), least, hypotheses=words)


def _period_three(iterations: int, eps: Fraction) -> Iterator[Value]:
    about = f"iterate {iterations} of a continuous f with f(a) = b, f(b) = c, f(c) = a, a < b < c"
    before, now = 0, 1
    for _ in range(iterations):
        before, now = now, before + now
    words = ("sup norm on [b, c], below (c - b)/2 (eps is not read)", _RELU_ANY)
    yield Value("width at depth 2, at least", about, _FORMULA, _least(now - 1), now - 1, hypotheses=words)


# ------------------------------------------------------------------------------------------------------------------
# Maxima, parities, regions


def _maximum(dim: int, eps: Fraction) -> Iterator[Value]:
    about = f"the maximum of {dim} numbers"
    yield _network("widths of an exact network", about, lambda: exact_networks.exact_maximum(dim), "ReLU, exact on R^d")


def _integer_maximum(dim: int, eps: Fraction) -> Iterator[Value]:
    layers = (dim - 1).bit_length()
    words = ("exact on R^d", "ReLU, integer weights")
    yield Value(
        "hidden layers, at least", f"the maximum of {dim} numbers", _SOURCE, str(layers), layers, hypotheses=words
    )


def _bakaev(dim: int, eps: Fraction) -> Iterator[Value]:
    about, layers = f"the maximum of {dim} numbers", 1
    while 3 ** (layers - 1) < dim - 2:
        layers += 1
    words = ("exact on R^d", "ReLU, rational weights", f"a tree has {(dim - 1).bit_length()}")
    yield Value("hidden layers that are enough", about, _SOURCE, str(layers), layers, hypotheses=words)
    yield from _maximum(dim, eps)


def _exact_maximum_order(dim: int, eps: Fraction) -> Iterator[Value]:
    words = ("exact on R^d", "ReLU", "the constant is not specified and set to one")
    for depth in (3, 4, 5):
        exponent = 1 + Fraction(1, 2 ** (depth - 2) - 1)
        amount = f"{_two_digits(dim ** float(exponent))}, that is d^({exponent})"
        yield Value(
            f"width at depth {depth}, order", f"the maximum of {dim} numbers", _SOURCE, amount, hypotheses=words
        )


def _parity(dim: int, eps: Fraction) -> Iterator[Value]:
    about, depth = f"the parity of {dim} bits", max(1, (dim - 1).bit_length()) + 1
    for deep in sorted({2, depth}):
        build = _parity_at(dim, deep)
        yield _network(f"widths of an exact network at depth {deep}", about, build, "ReLU, exact on {0, 1}^d")


def _parity_at(dim: int, depth: int) -> Callable[[], _Network]:
    return lambda: exact_networks.exact_parity(dim, depth)


def _regions(dim: int, eps: Fraction) -> Iterator[Value]:
    deep = 4**dim * sum(math.comb(2 * dim, j) for j in range(dim + 1))
    shallow = sum(math.comb(6 * dim, j) for j in range(dim + 1))
    about = "piecewise linear functions"
    words = ("ReLU", "the widths are chosen here; eps is not read")
    yield Value("regions that three layers of 2 d units can have", about, _SOURCE, _least(deep), deep, hypotheses=words)
    most = at_most(Fraction(shallow))
    yield Value("regions of one layer of 6 d units, at most", about, _SOURCE, most, shallow, hypotheses=words)


def _piecewise_linear_depth(dim: int, eps: Fraction) -> Iterator[Value]:
    layers = dim.bit_length()
    words = ("exact on R^d", _RELU_ANY)
    about = f"every continuous piecewise linear function on R^{dim}"
    yield Value("hidden layers that are enough", about, _SOURCE, str(layers), layers, hypotheses=words)


def _squares_by_folds(dim: int, eps: Fraction) -> Iterator[Value]:
    folds = 1
    while Fraction(dim, 8 * 4**folds) > eps:
        folds += 1
    widths = f"{4 * dim:,}" + (f", then {2 * dim + 1:,} in each layer" if folds > 1 else "")
    words = ("sup norm on the cube [-1, 1]^d", "ReLU; weights grow like 4^depth")
    yield Value("widths of a network", "r^2", _FORMULA, f"{widths}, at depth {folds + 1}", hypotheses=words)


def _random_features(dim: int, eps: Fraction) -> Iterator[Value]:
    steep = float(1 / eps) ** 2
    exponent = min(dim * math.log(steep / dim + 2), steep * math.log(dim / steep + 2))
    words = ("L2 on a cube, random features", "the worst 1-Lipschitz function", "quoted from memory, Theta set to one")
    yield Value("width at depth 2", "the worst function, L = 1", _SOURCE, f"e^({exponent:.3g})", hypotheses=words)


_PLANNED_DIM, _PLANNED_EPS = 20, Fraction(1, 20)
_BUILT = Fraction(1, 1000)
_SMOOTH = Fraction(1, 100)
_TINY = Fraction(1, 10**12)

COMPUTATIONS = {
    "tubes-of-a-ball": Computation(_tubes_of_a_ball, "the width at depth 2 for one ball, certified", (3, 200), _TINY),
    "ball-depth-3": Computation(_ball_depth_3, "a depth-3 network for one ball, certified", (1, 10**4)),
    "gaussian-ball": Computation(_gaussian_ball, "the width for the median ball, certified", (2, 400), _BUILT),
    "cone-depth-2": Computation(
        _cone_depth_2, "the source's formula and an estimate for the cone 1 - r", (2, 10**6), _TINY
    ),
    "cone-estimate": Computation(_cone_estimate, "an estimate for the cone 1 - r", (2, 10**6), _TINY),
    "cone-depth-3": Computation(_cone_depth_3, "a depth-3 network for the cone 1 - r, certified", (2, 1000), _BUILT),
    "softplus-squares": Computation(_softplus_squares, "smooth networks for the cone, certified", (2, 200), _SMOOTH),
    "even-monomial": Computation(_even_monomial, "identities and an estimate for r^4", (2, 1000), _TINY),
    "ses-4": Computation(_ses_4, "the width at depth 2, certified", (3, 1290)),
    "ses-5": Computation(_ses_5, "the width at depth 2 for the cone, certified", (3, 200), _TINY),
    "rank": Computation(_rank, "the width of the first layer, certified", (1, 10**6)),
    "cells": Computation(_cells, "the width at depth 2 for the cone, certified", (2, 200), _TINY),
    "radial-dual": Computation(_radial_dual, "the path norm for cos(12 r), certified", (3, 25), _BUILT),
    "moment-limit": Computation(_moment_limit, "the degree for the cone, certified", (1, 10**6)),
    "daniely": Computation(_daniely, "the width at depth 2, certified, beside the source's formula", (3, 1000), _TINY),
    "inner-product-depth-3": Computation(
        _inner_product_depth_3, "the source's formula and a certified network", (3, 1000), _TINY
    ),
    "crossings": Computation(_crossings, "the width at depth 2, certified", (2, 20)),
    "sawtooth": Computation(_sawtooth, "an exact network, and the least widths at depths 2 and 3", (1, 400)),
    "cantor": Computation(_cantor, "an exact network, and the least width at depth 2", (1, 400)),
    "period-three": Computation(_period_three, "the least width at depth 2", (1, 400)),
    "maximum": Computation(_maximum, "an exact network", (1, 64)),
    "integer-maximum": Computation(_integer_maximum, "the number of hidden layers", (2, 10**9)),
    "bakaev": Computation(_bakaev, "the number of hidden layers, and an exact network", (4, 64)),
    "exact-maximum-order": Computation(_exact_maximum_order, "the order of the width at depths 3 to 5", (3, 10**9)),
    "parity": Computation(_parity, "exact networks", (1, 64)),
    "regions": Computation(_regions, "regions of deep and of shallow networks", (1, 300)),
    "piecewise-linear-depth": Computation(_piecewise_linear_depth, "the number of hidden layers", (1, 10**9)),
    "squares-by-folds": Computation(_squares_by_folds, "the layers that r^2 takes", (1, 10**9), _TINY),
    "random-features": Computation(_random_features, "the source's exponent", (1, 10**9), _TINY),
}
