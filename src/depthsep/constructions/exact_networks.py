"""Exact networks: sawtooth, parity, Cantor sets and maxima, with rational weights and no error at all.

* Sawtooth (Telgarsky 2015, 2016): tri_m(v) = fold(m v), fold(t) the distance of t to the nearest even integer, is
  m relu(v) + sum of 2 (-1)^j relu(m v - j) over j = 1..m-1 on [0, 1], m units, and tri_m(tri_k) = tri_mk. So n folds
  are n layers of 2 units, or fewer and wider layers.
* Parity: tri of the number s of ones at depth 2 with d units; or, with 2^a >= d, tri_(2^a)(s / 2^a) with a layers of
  two. This is no separation of widths beyond d against log d.
* Cantor sets (Malach & Shalev-Shwartz 2019): T(x) = 3 relu(x + 1) - 6 relu(x - 1/2) - 3; T^(n+1)(x) >= 0 iff x is in
  level n. Differs from the source: all weights are integers or halves.
* Maximum of n: a tree of max(a, b) = relu(a - b) + relu(b) - relu(-b), ceil(log2 n) hidden layers. Five numbers with
  two hidden layers (Bakaev et al. 2025): the sum over all distinct arrangements of four terms max(A, B), A and B each a
  sum of two maxima of pairs; the coefficients 1/120, 1/30, 1/30, -1/60 were found by linear programming.

What is proved here: nothing; the checker proves each network from its stored weights
(`depthsep_check.equalities.exact_target`). Cost: the number of weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, pairwise, permutations

from depthsep.certificates.exact import CertifiedExact, ExactTarget, certify_exact
from depthsep.errors import BadInput, OutOfReach
from depthsep.networks.relu import AffineLayer, ReluNetwork

__all__ = ["exact_cantor", "exact_maximum", "exact_parity", "exact_sawtooth"]

MAX_LAYERS = 64
MAX_WEIGHTS = 1_000_000

_ZERO, _ONE = Fraction(0), Fraction(1)

Vector = tuple[Fraction, ...]
Edge = tuple[int, int]
Pair = tuple[Edge, Edge]

# Coefficients and the two sums of maxima of pairs in each term of the maximum of five.
_TERMS_OF_FIVE: tuple[tuple[Fraction, Pair, Pair], ...] = (
    (Fraction(1, 120), ((0, 0), (0, 1)), ((1, 2), (1, 2))),
    (Fraction(1, 30), ((0, 1), (0, 1)), ((2, 3), (2, 3))),
    (Fraction(1, 30), ((0, 1), (0, 2)), ((0, 3), (0, 4))),
    (Fraction(-1, 60), ((0, 1), (2, 3)), ((0, 2), (1, 4))),
)


def exact_sawtooth(folds: int, depth: int | None = None) -> CertifiedExact:
    """Build the sawtooth x -> distance of 2^folds x to the nearest even integer on [0, 1].

    Args:
        folds: n, at least 1.
        depth: The number of weight layers, 2 to n + 1; n + 1 if not given, with two units a layer.

    Raises:
        BadInput: No such depth.
        OutOfReach: A layer would have too many units, or there would be more than 64 layers.

    Example:
        >>> exact_sawtooth(6).widths, exact_sawtooth(6, depth=3).widths
        ((2, 2, 2, 2, 2, 2), (8, 8))
    """
    target = ExactTarget("sawtooth", folds)
    return certify_exact(target, _folding(((_ONE,),), (_ZERO,), _radices(folds, depth, target.text)))


def exact_parity(bits: int, depth: int | None = None) -> CertifiedExact:
    """Build the parity of bits: 1 where the number of ones is odd, else 0.

    Args:
        bits: d, at least 1.
        depth: 2 for one hidden layer of d units (which is also what is built if it is not given), or up to
            ceil(log2 d) + 1 weight layers, which fold like a sawtooth.

    Raises:
        BadInput: No such depth.
        OutOfReach: There would be too many weights.

    Example:
        >>> exact_parity(16).widths, exact_parity(16, depth=5).widths
        ((16,), (2, 2, 2, 2))
    """
    target = ExactTarget("parity", bits)
    if depth in (None, 2):
        _require_room((bits, bits, 1), target.text)
        rows = tuple((_ONE,) * bits for _ in range(bits))
        hidden = AffineLayer(rows, tuple(Fraction(-j) for j in range(bits)))
        return certify_exact(target, ReluNetwork(bits, (hidden, AffineLayer((_alternating(bits),), (_ZERO,)))))
    folds = max(1, (bits - 1).bit_length())
    row = tuple(Fraction(1, 2**folds) for _ in range(bits))
    return certify_exact(target, _folding((row,), (_ZERO,), _radices(folds, depth, target.text, bits)))


def exact_cantor(level: int) -> CertifiedExact:
    """Build a function that is >= 0 exactly on level n of the Cantor set, with n + 1 layers of two units.

    Args:
        level: n, at least 0; level 0 is [0, 1].

    Raises:
        OutOfReach: There would be more than 64 layers.

    Example:
        >>> exact_cantor(4).widths
        (2, 2, 2, 2, 2)
    """
    target = ExactTarget("cantor", level)
    if level + 2 > MAX_LAYERS:
        raise OutOfReach(target.text, needed=f"at most {MAX_LAYERS} weight layers: level {MAX_LAYERS - 2}")
    half = Fraction(1, 2)
    first = AffineLayer(((_ONE,), (_ONE,)), (_ONE, -half))
    row = (Fraction(3), Fraction(-6))
    inner = AffineLayer((row, row), (Fraction(-2), Fraction(-7, 2)))
    last = AffineLayer((row,), (Fraction(-3),))
    return certify_exact(target, ReluNetwork(1, (first, *[inner] * level, last)))


def exact_maximum(inputs: int, depth: int | None = None) -> CertifiedExact:
    """Build the maximum of n numbers.

    Args:
        inputs: n, at least 1.
        depth: The number of weight layers. ceil(log2 n) + 1 for a tree; for n = 5 also 3, which is built if none is
            given.

    Raises:
        BadInput: No network of that depth is known.
        OutOfReach: There would be too many weights.

    Example:
        >>> exact_maximum(5).widths, exact_maximum(5, depth=4).widths, exact_maximum(8).depth
        ((20, 152), (8, 5, 3), 4)
    """
    target = ExactTarget("maximum", inputs)
    tree_depth = (inputs - 1).bit_length() + 1
    if inputs == 5 and depth in (None, 3):
        return certify_exact(target, _maximum_of_five())
    if depth not in (None, tree_depth):
        known = f"depth {tree_depth}" + (" or 3" if inputs == 5 else "")
        raise BadInput(f"{target.text} at depth {depth}", needed=known)
    _require_room(_tree_sizes(inputs), target.text)
    return certify_exact(target, _tree(inputs))


# ------------------------------------------------------------------------------------------------------------------
# Folds


def _require_room(sizes: Sequence[int], asked: str) -> None:
    """Insist that a network of these inputs, widths and outputs fits into a document."""
    weights = sum((before + 1) * after for before, after in pairwise(sizes))
    if weights > MAX_WEIGHTS:
        raise OutOfReach(asked, found=f"{weights} weights and biases", needed=f"at most {MAX_WEIGHTS}")


def _radices(folds: int, depth: int | None, asked: str, inputs: int = 1) -> list[int]:
    """Powers of two for the hidden layers, as equal as can be, with the product 2^folds."""
    layers = folds if depth is None else depth - 1
    if not 1 <= layers <= folds:
        raise BadInput(f"{asked} at depth {depth}", needed=f"a depth of 2 to {folds + 1}")
    if layers + 1 > MAX_LAYERS:
        raise OutOfReach(
            f"{asked} at depth {layers + 1}", needed=f"at most {MAX_LAYERS} weight layers", do="ask for a lower depth"
        )
    few, more = divmod(folds, layers)
    exponents = [few + (k < more) for k in range(layers)]
    radices = [2**exponent for exponent in exponents]
    _require_room((inputs, *radices, 1), asked)
    return radices


def _alternating(count: int) -> Vector:
    """1, -2, 2, -2, ...: the weights of a fold."""
    return (_ONE, *(Fraction(-2 if j % 2 else 2) for j in range(1, count)))


def _folding(rows: tuple[Vector, ...], biases: Vector, radices: Sequence[int]) -> ReluNetwork:
    """The folds of an affine function with values in [0, 1], one layer for each radix."""
    layers = []
    dim = len(rows[0])
    before = AffineLayer(rows, biases)
    for radix in radices:
        spread = AffineLayer(((Fraction(radix),),) * radix, tuple(Fraction(-j) for j in range(radix)))
        layers.append(spread.after(before))
        before = AffineLayer((_alternating(radix),), (_ZERO,))
    return ReluNetwork(dim, (*layers, before))


# ------------------------------------------------------------------------------------------------------------------
# Maxima


def _tree_sizes(inputs: int) -> list[int]:
    """The number of inputs, the widths of the tree, and its one output."""
    sizes = [inputs]
    while inputs > 1:
        pairs, single = divmod(inputs, 2)
        sizes.append(3 * pairs + 2 * single)
        inputs = pairs + single
    return [*sizes, 1]


def _tree(inputs: int) -> ReluNetwork:
    """Pairs, pairs of pairs, and so on; an odd one out is passed on as relu(v) - relu(-v)."""
    values = [tuple(_ONE if i == j else _ZERO for j in range(inputs)) for i in range(inputs)]
    layers = []
    while len(values) > 1:
        rows: list[Vector] = []
        parts: list[dict[int, int]] = []
        for first, second in zip(values[::2], values[1::2], strict=False):
            start = len(rows)
            rows += [_combined(first, second), second, tuple(-entry for entry in second)]
            parts.append({start: 1, start + 1: 1, start + 2: -1})
        if len(values) % 2:
            start = len(rows)
            rows += [values[-1], tuple(-entry for entry in values[-1])]
            parts.append({start: 1, start + 1: -1})
        layers.append(AffineLayer(tuple(rows), (_ZERO,) * len(rows)))
        values = [tuple(Fraction(part.get(unit, 0)) for unit in range(len(rows))) for part in parts]
    return ReluNetwork(inputs, (*layers, AffineLayer((values[0],), (_ZERO,))))


def _combined(first: Vector, second: Vector) -> Vector:
    return tuple(a - b for a, b in zip(first, second, strict=True))


def _maximum_of_five() -> ReluNetwork:
    """Layer 1: relu(x_i - x_j) for i < j and relu(+-x_i); layer 2: one unit a term, and their linear rest twice."""
    pairs = list(combinations(range(5), 2))
    rows = [tuple(Fraction((k == i) - (k == j)) for k in range(5)) for i, j in pairs]
    for sign in (1, -1):
        rows += [tuple(Fraction(sign * (k == i)) for k in range(5)) for i in range(5)]
    units, weights = [], []
    rest: Vector = (_ZERO,) * len(rows)
    for coefficient, left, right in _TERMS_OF_FIVE:
        for first, second in _arrangements(left, right):
            one, other = _sum_of_maxima(first, pairs), _sum_of_maxima(second, pairs)
            units.append(_combined(other, one))
            weights.append(coefficient)
            rest = tuple(value + coefficient * entry for value, entry in zip(rest, one, strict=True))
    units += [rest, tuple(-entry for entry in rest)]
    hidden = AffineLayer(tuple(rows), (_ZERO,) * len(rows)), AffineLayer(tuple(units), (_ZERO,) * len(units))
    return ReluNetwork(5, (*hidden, AffineLayer(((*weights, _ONE, -_ONE),), (_ZERO,))))


def _arrangements(left: Pair, right: Pair) -> list[tuple[Pair, Pair]]:
    """All distinct terms max(A, B) that come from one by permuting the inputs."""
    found = set()
    for order in permutations(range(5)):
        moved = [_moved(pair, order) for pair in (left, right)]
        found.add((min(moved), max(moved)))
    return sorted(found)


def _moved(pair: Pair, order: tuple[int, ...]) -> Pair:
    first, second = sorted((min(order[i], order[j]), max(order[i], order[j])) for i, j in pair)
    return first, second


def _sum_of_maxima(pair: Pair, pairs: list[Edge]) -> Vector:
    """In the units of layer 1: max(x_i, x_j) = relu(x_i - x_j) + x_j."""
    total = [_ZERO] * (len(pairs) + 10)
    for i, j in pair:
        if i != j:
            total[pairs.index((i, j))] += 1
        total[len(pairs) + j] += 1
        total[len(pairs) + 5 + j] -= 1
    return tuple(total)
