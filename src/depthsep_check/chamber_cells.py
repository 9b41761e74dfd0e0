"""Check of a depth-2 network for a cone alpha + beta ||x||, by branch and bound on a Weyl chamber.

Theorem (ours; the reflection group A_d as in Humphreys, Reflection Groups and Coxeter Groups, 1990, section 1; the
question is that of Safran, Eldan & Shamir 2019, Theorem 1). Let n = d + 1, H = {y in R^n : sum y = 0}, P the projection
onto H, and T : H -> R^d the isometry y -> (<h_i, y>)_i, h_i = (1, ..., 1, -i, 0, ..., 0) / sqrt(i (i + 1)), i <= d.
The orbit of an integer vector g is the set of lines of T P g', g' the distinct arrangements of g. Let the network be
N(x) = b + sum_o D_o sum_{u in o} |<u, x>| + <l, x>, where every line of the orbit o, spanned by u*, has one stored
direction u within delta_u of u* or -u*. Put sigma = sign(beta) and, for y in H,

    S(y) = sigma sum_o D_o sum_{u* in o} |<u*, T y>|,   E = |l| + sum_o |D_o| sum_{u in o} delta_u.

(R) If |b - alpha| <= eps and |S(y) - (|beta| - sigma (b - alpha))| <= eps - E for all unit vectors y in H, then
    |N(x) - (alpha + beta ||x||)| <= eps for ||x|| <= 1.
    Proof. Along a ray x = r v the difference is (b - alpha) + r (sigma (S(v) - |beta|) + t), |t| <= E: affine in r, so
    its ends decide. (For 1 - r and b = 1 - eps these are 1 - 2 eps + E <= S <= 1 - E; no b allows a larger quotient.)
(W) S does not change when coordinates are permuted, nor under y -> -y: each orbit is whole. So decreasing y suffice,
    cone(omega_1, ..., omega_d), omega_k = P(1 on the first k places); and as y -> -reversed(y) maps omega_k to
    omega_(n-k), one half of it, cone(omega_1, ..., omega_(d-1), omega_1 + omega_d): the other half is its image.
(C) Cell lemma. On cone(p_1, ..., p_d) put V_uj = <u*, p_j> and choose any signs s_u. For c_u of either sign let
        upper_j = sum_{c_u > 0} c_u |V_uj| + sum_{c_u < 0} c_u s_u V_uj,   lower_j with the two cases exchanged.
    For y = sum lambda_j p_j with lambda >= 0, sum lambda_j lower_j <= S(y) <= sum lambda_j upper_j, because
    s_u z <= |z| and |sum lambda_j V_uj| <= sum lambda_j |V_uj|. Hence
        lower_j >= low |p_j| for all j gives S >= low |.| on the cell: sum lambda_j |p_j| >= |y|, if low > 0;
        some w with |w| <= high and <w, p_j> >= upper_j for all j gives S(y) <= <w, y> <= high |y|.
    If one of them fails, the cell is cut in two at a point m_i p_i + m_j p_j of an edge, m > 0; what is proved on a
    cell is proved on its parts, so a part only owes what its cell still owed.

What is checked. Nothing is rounded: the p_j are integer vectors (up to constants), the points of an edge lie on the
hyperplane of a direction, m = (|V_uj|, |V_ui|), divided by common factors; weights have a common denominator; lengths
are compared by squares. Floats choose the cuts, the signs and w, and may only lose a proof. The orbits are rebuilt from
their generators, and delta_u, l and E are computed from the stored weights.

Differences from the usual nets on the sphere: the symmetry divides the work by 2 (d+1)!, and the error of a cell is
that of linear interpolation where a hyperplane crosses it, 0 elsewhere.
Cost: about 20 times as many cells for each further dimension, 30,000 at d = 8; few distinct points occur (hundreds at
d = 8), so that all that depends on one point or one edge is computed once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from flint import fmpq

from depthsep_check.cones import affine_in_radius
from depthsep_check.document import (
    ChamberCells,
    Document,
    ExplicitDirections,
    RadialFunction,
    RidgeGroup,
    RidgeNetwork,
    SupErrorClaim,
    sup_error_statement,
)
from depthsep_check.numbers import sqrt_upper
from depthsep_check.verdict import Budget, Exhausted, Refuted, Unsupported

CELL_LIMIT = 2_000_000
MAX_DIM = 10
MAX_DIRECTIONS = 1000
MAX_POINTS = 20_000
_POOL = 48  # vectors w that are tried again on later cells
_SQRT_SLACK = fmpq(1, 2**60)  # the relative error that `sqrt_upper` may have

Ints = tuple[int, ...]


def check(document: Document) -> str:
    """Prove the claim of a document with a ridge network whose directions are orbits of the reflection group.

    Returns:
        The statement that is proved.

    Raises:
        CheckFailure: it is not proved; the kind of failure and its step say why.
    """
    network, witness, claim, function = document.network, document.witness, document.claim, document.function
    if not isinstance(function, RadialFunction):
        raise Unsupported("a ball indicator for a ridge-groups network")
    if not (
        isinstance(network, RidgeNetwork) and isinstance(witness, ChamberCells) and isinstance(claim, SupErrorClaim)
    ):
        raise TypeError("not a document with a ridge network and a chamber")
    if not 2 <= network.dim <= MAX_DIM:
        raise Unsupported(f"a chamber in dimension {network.dim} (2 to {MAX_DIM})")
    cone = affine_in_radius(function.expression, network.dim)
    if cone is None or cone.slope == 0:
        raise Unsupported("a chamber for a profile other than alpha + beta*r with rational alpha and beta != 0")
    alpha, beta = cone.constant, cone.slope
    sigma = 1 if beta > 0 else -1
    orbits = [orbit(generator, network.dim + 1) for generator in witness.orbits]
    budget = Budget(CELL_LIMIT)
    charge = fmpq(0)
    for index, (group, lines) in enumerate(zip(network.groups, orbits, strict=True)):
        charge += _distance_from_orbit(group, lines, f"group {index}")
    charge += _linear_norm(network)
    offset = network.bias + (network.affine.weight * network.affine.offset if network.affine else 0) - alpha
    if not abs(offset) <= claim.error:
        raise Refuted("centre", f"the network is {_near(abs(offset))} away from the function at x = 0")
    target, room = abs(beta) - sigma * offset, claim.error - charge
    if not 0 < target - room <= target + room:
        reason = f"S would have to be within {_near(room)} of {_near(target)} on the unit sphere, and positive"
        raise Refuted("bounds of S", reason)
    weights = [sigma * group.weights[0] for group in network.groups]
    _Search(network.dim + 1, orbits, weights, target - room, target + room, budget).run()
    units = sum(map(len, orbits)) + (network.affine is not None)
    return sup_error_statement(document, (units,))


def orbit(generator: Ints, places: int) -> list[Ints]:
    """The vectors n P g', n the number of places, for all arrangements g' of a generator padded by zeros.

    Of a vector and its negative the one that comes first is kept; arrangements come in decreasing order.

    >>> orbit((1, -1), 3)
    [(3, 0, -3), (3, -3, 0), (0, 3, -3)]
    """
    if len(set(_padded(generator, places))) == 1:
        raise Refuted("orbits", f"the projection of {list(generator)} is 0")
    if orbit_size(generator, places) > MAX_DIRECTIONS:
        raise Exhausted("orbits", f"the orbit of {list(generator)} has more than {MAX_DIRECTIONS} directions")
    total = sum(generator)
    kept: dict[Ints, None] = {}
    for arrangement in _arrangements(_padded(generator, places)):
        vector = tuple(places * entry - total for entry in arrangement)
        if tuple(-entry for entry in vector) not in kept:
            kept[vector] = None
    return list(kept)


def orbit_size(generator: Ints, places: int) -> int:
    """The number of directions of an orbit.

    >>> orbit_size((1, -1), 3), orbit_size((1, 1), 5)
    (3, 10)
    """
    entries, total = _padded(generator, places), sum(generator)
    size = math.factorial(places) // math.prod(math.factorial(entries.count(entry)) for entry in set(entries))
    opposite = sorted((2 * total - places * entry for entry in entries), reverse=True)
    return size // 2 if opposite == [places * entry for entry in entries] else size


def _padded(generator: Ints, places: int) -> list[int]:
    return sorted((*generator, *[0] * (places - len(generator))), reverse=True)


def _arrangements(entries: Sequence[int]) -> Iterator[Ints]:
    """The distinct arrangements of a decreasing list, in decreasing order."""
    if not entries:
        yield ()
    for index, entry in enumerate(entries):
        if not index or entry != entries[index - 1]:
            for rest in _arrangements([*entries[:index], *entries[index + 1 :]]):
                yield (entry, *rest)


def _distance_from_orbit(group: RidgeGroup, lines: list[Ints], step: str) -> fmpq:
    """An upper bound of |D| times the sum of the distances of the stored directions from their lines, in order."""
    if not isinstance(group.directions, ExplicitDirections) or group.thresholds != (0,):
        raise Refuted(step, "a chamber needs explicit directions and the one threshold 0")
    vectors = group.directions.vectors
    if len(vectors) != len(lines):
        raise Refuted(step, f"{len(vectors)} directions for an orbit of {len(lines)}")
    total = sum((_distance(vector, line) for vector, line in zip(vectors, lines, strict=True)), fmpq(0))
    return abs(group.weights[0]) * total


def _distance(vector: Sequence[fmpq], line: Ints) -> fmpq:
    """An upper bound of the smaller one of |u - u*| and |u + u*|, u* = T line / n."""
    squares = {1: fmpq(0), -1: fmpq(0)}
    for i, entry in enumerate(vector, 1):
        numerator = sum(line[:i]) - i * line[i]
        near, slack = _coordinate(numerator, len(line), i)
        for sign in squares:
            squares[sign] += (abs(entry - sign * near) + slack) ** 2
    return sqrt_upper(min(squares.values()))


def _linear_norm(network: RidgeNetwork) -> fmpq:
    """An upper bound of |l|; a unit 2 D relu(z) is D |z| + D z, and the affine unit is linear on the ball."""
    linear = [fmpq(0)] * network.dim
    for group in network.groups:
        if isinstance(group.directions, ExplicitDirections):
            columns = zip(*group.directions.vectors, strict=True)
            linear = [a + group.weights[0] * sum(column, fmpq(0)) for a, column in zip(linear, columns, strict=True)]
    affine = network.affine
    if affine is not None:
        squares = sum((c * c for c in affine.direction), fmpq(0))
        if not (affine.offset >= 0 and squares <= affine.offset * affine.offset):
            raise Refuted("affine unit", "needs |direction| <= offset to be linear on the unit ball")
        linear = [a + affine.weight * b for a, b in zip(linear, affine.direction, strict=True)]
    return sqrt_upper(sum((c * c for c in linear), fmpq(0)))


@lru_cache(maxsize=4096)
def _coordinate(numerator: int, places: int, i: int) -> tuple[fmpq, fmpq]:
    """A rational near numerator / (places sqrt(i (i + 1))), and a bound of their distance."""
    size = sqrt_upper(fmpq(numerator**2, places**2 * i * (i + 1)))
    return (size if numerator > 0 else -size), size * _SQRT_SLACK


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    """A point p of the chamber, up to a positive factor, and what depends on it alone.

    With n places and weights c_u = C_u / s: `values` are n <P u, P p>, `level` is the sum of C_u |values_u|, hence
    n s S(p); `square` is n^2 |P p|^2; `above` and `below` hold the u of positive and negative values as bits.
    """

    number: int
    entries: Ints
    values: list[int]
    level: int
    square: int
    above: int
    below: int
    unit_values: list[float]
    unit_entries: list[float]
    unit_level: float
    gaps: dict[int, float] = field(default_factory=dict)
    cosines: dict[int, float] = field(default_factory=dict)


Cell = tuple[_Point, ...]


@dataclass(frozen=True, slots=True)
class _Slope:
    """A vector w with |P w| <= high, times s; `products` are n s <P w, P p> by the number of the point p."""

    entries: Ints
    products: dict[int, int]


class _Search:
    """Proof of low <= S <= high on the unit sphere of H."""

    def __init__(
        self, places: int, orbits: list[list[Ints]], weights: list[fmpq], low: fmpq, high: fmpq, budget: Budget
    ) -> None:
        self.places = places
        self.budget = budget
        self.lines = [line for lines in orbits for line in lines]
        if len(self.lines) > MAX_DIRECTIONS:
            raise Exhausted("orbits", f"more than {MAX_DIRECTIONS} directions")
        self.scale = math.lcm(*(int(weight.q) for weight in weights), 2**64)
        whole = [int((weight * self.scale).p) for weight in weights]
        self.weights = [c for c, lines in zip(whole, orbits, strict=True) for _ in lines]
        self.negative = sum(1 << u for u, c in enumerate(self.weights) if c < 0)
        self.high = high * self.scale
        self.low_squared, self.high_squared = (low * self.scale) ** 2, self.high**2
        # In floats, for choices only.
        self.sizes = [abs(c) / self.scale for c in self.weights]
        self.float_low, self.float_high = float(low), float(high)
        self.points: dict[Ints, _Point] = {}
        self.slopes: list[_Slope] = []

    def run(self) -> None:
        """Cut the half chamber into cells until every one of them is proved."""
        n = self.places
        half = [self.point((1,) * k + (0,) * (n - k)) for k in range(1, n - 1)]
        half.append(self.point((2,) + (1,) * (n - 2) + (0,)))
        cells: list[tuple[Cell, bool, bool]] = [(tuple(half), True, True)]
        while cells:
            cell, owes_lower, owes_upper = cells.pop()
            above = below = 0
            for point in cell:
                above |= point.above
                below |= point.below
            mixed = above & below
            self.budget.spend("chamber", 1 + mixed.bit_count() // 8)
            owes_lower = owes_lower and not self.proves_lower(cell, mixed & ~self.negative)
            owes_upper = owes_upper and not self.proves_upper(cell, mixed & self.negative)
            if owes_lower or owes_upper:
                cells += [(part, owes_lower, owes_upper) for part in self.cut(cell)]

    def point(self, entries: Ints) -> _Point:
        """The point with these coordinates, its last one 0; S is compared with its bounds there."""
        divisor = math.gcd(*entries)
        entries = tuple(entry // divisor for entry in entries)
        if entries not in self.points:
            if len(self.points) >= MAX_POINTS:
                raise Exhausted("chamber", f"more than {MAX_POINTS} points")
            self.points[entries] = self._new_point(entries)
        return self.points[entries]

    def _new_point(self, entries: Ints) -> _Point:
        n, total = self.places, sum(entries)
        # The lines have the sum 0 and are n P u already.
        values = [sum(map(int.__mul__, line, entries)) for line in self.lines]
        level = sum(c * abs(value) for c, value in zip(self.weights, values, strict=True))
        square = n * (n * sum(entry * entry for entry in entries) - total * total)
        if not (self._reaches(level, square) and level * level <= self.high_squared * square):
            ratio = _near(fmpq(level, self.scale)) / math.sqrt(square)
            raise Refuted("chamber", f"S = {ratio:.9g} at the unit vector along {list(entries)}, outside its bounds")
        length = math.sqrt(square)
        return _Point(
            number=len(self.points),
            entries=entries,
            values=values,
            level=level,
            square=square,
            above=sum(1 << u for u, value in enumerate(values) if value > 0),
            below=sum(1 << u for u, value in enumerate(values) if value < 0),
            unit_values=[value / length for value in values],
            unit_entries=[(n * entry - total) / length for entry in entries],
            unit_level=level / self.scale / length,
        )

    def _reaches(self, level: int, square: int) -> bool:
        """Whether level / (n s) >= low |p|."""
        return level >= 0 and level * level >= self.low_squared * square

    def proves_lower(self, cell: Cell, mixed: int) -> bool:
        """The first half of (C); `mixed` are the u with c_u > 0 whose values have both signs."""
        floats = [point.unit_level for point in cell]
        wrong: list[tuple[int, int]] = []
        for u in _bits(mixed):
            sign, twice = _sign(cell, u), 2 * self.sizes[u]
            for j, point in enumerate(cell):
                if point.values[u] * sign < 0:
                    floats[j] -= twice * abs(point.unit_values[u])
                    wrong.append((u, j))
        if min(floats) < self.float_low:
            return False
        levels = [point.level for point in cell]
        for u, j in wrong:
            levels[j] -= 2 * self.weights[u] * abs(cell[j].values[u])
        return all(self._reaches(level, point.square) for level, point in zip(levels, cell, strict=True))

    def proves_upper(self, cell: Cell, mixed: int) -> bool:
        """The second half of (C); `mixed` are the u with c_u < 0 whose values have both signs."""
        levels = [point.level for point in cell]
        for u in _bits(mixed):
            sign = _sign(cell, u)
            for j, point in enumerate(cell):
                if point.values[u] * sign < 0:
                    levels[j] -= 2 * self.weights[u] * abs(point.values[u])
        for index, slope in enumerate(self.slopes):
            if self.lies_above(slope, cell, levels):
                self.slopes.insert(0, self.slopes.pop(index))
                return True
        found = self.new_slope(cell, levels)
        if found is None or not self.lies_above(found, cell, levels):
            return False
        self.slopes = [found, *self.slopes[: _POOL - 1]]
        return True

    def lies_above(self, slope: _Slope, cell: Cell, levels: list[int]) -> bool:
        """Whether <w, p_j> >= levels_j for all j."""
        for point, level in zip(cell, levels, strict=True):
            product = slope.products.get(point.number)
            if product is None:
                w, p = slope.entries, point.entries
                product = self.places * sum(map(int.__mul__, w, p)) - sum(w) * sum(p)
                slope.products[point.number] = product
            if product < level:
                return False
        return True

    def new_slope(self, cell: Cell, levels: list[int]) -> _Slope | None:
        """A vector w of the length `high` at most, its direction found in floats; None if there seems to be none."""
        heights = [level / self.scale / math.sqrt(p.square) for level, p in zip(levels, cell, strict=True)]
        direction = self._shortest_above(cell, heights)
        if direction is None:
            return None
        n, length = self.places, math.hypot(*direction)
        if not 0 < length < math.inf:
            return None
        factor = int(self.high.p // self.high.q)
        entries = [int(entry / length * 2.0**53) * factor >> 53 for entry in direction]
        # Shrunk until the length, which is compared exactly, is right.
        for _ in range(60):
            total = sum(entries)
            if n * sum(entry * entry for entry in entries) - total * total <= n * self.high_squared:
                return _Slope(tuple(entries), {})
            entries = [entry - (entry >> 50) - (1 if entry > 0 else -1) for entry in entries]
        return None

    def _shortest_above(self, cell: Cell, heights: list[float]) -> list[float] | None:
        """By active sets: w of least length with <w, p_j> >= heights_j for the unit vectors p_j, if |w| <= high."""
        gram = [[_cosine(p, q) for q in cell] for p in cell]
        active = list(range(len(cell)))
        for _ in range(3 * len(cell)):
            shares = _solution([[gram[i][j] for j in active] for i in active], [heights[i] for i in active])
            if shares is None:
                return None
            length_squared = sum(share * heights[i] for share, i in zip(shares, active, strict=True))
            short = {
                j: sum(share * gram[i][j] for share, i in zip(shares, active, strict=True)) - heights[j]
                for j in range(len(cell))
                if j not in active
            }
            worst = min(short, key=short.__getitem__, default=-1)
            meets_all = worst < 0 or short[worst] >= -1e-12
            if meets_all and length_squared <= self.float_high * self.float_high:
                points = [cell[i].unit_entries for i in active]
                return [sum(map(float.__mul__, shares, column)) for column in zip(*points, strict=True)]
            least = min(shares)
            if least < -1e-12 and len(active) > 1:
                active.pop(shares.index(least))
            elif not meets_all:
                active.append(worst)
            else:
                return None
        return None

    def cut(self, cell: Cell) -> list[Cell]:
        """Two cells whose union is the cell: its edge of the largest interpolation error is cut."""
        largest, first, second = 0.0, 0, 0
        for i, p in enumerate(cell):
            gaps = p.gaps
            for j in range(i):
                q = cell[j]
                gap = gaps.get(q.number)
                if gap is None:
                    gap = gaps[q.number] = q.gaps[p.number] = sum(size for _, size, _ in self.crossings(p, q))
                if gap > largest:
                    largest, first, second = gap, i, j
        if largest == 0:
            raise Refuted("chamber", f"S is linear on cone {[list(p.entries) for p in cell]}, and too large")
        p, q = cell[first], cell[second]
        u = self._middle_crossing(p, q)
        new = self.point(
            tuple(abs(q.values[u]) * a + abs(p.values[u]) * b for a, b in zip(p.entries, q.entries, strict=True))
        )
        return [tuple(new if k == end else point for k, point in enumerate(cell)) for end in (first, second)]

    def crossings(self, p: _Point, q: _Point) -> Iterator[tuple[float, float, int]]:
        """The u that change their sign between two points: where (as a share of the edge), with what error, and u."""
        for u in _bits((p.above & q.below) | (p.below & q.above)):
            a, b = abs(p.unit_values[u]), abs(q.unit_values[u])
            yield a / (a + b), self.sizes[u] * a * b / (a + b), u

    def _middle_crossing(self, p: _Point, q: _Point) -> int:
        """The u at the weighted median of all crossings."""
        crossings = sorted(self.crossings(p, q))
        half, so_far = sum(size for _, size, _ in crossings) / 2, 0.0
        for _, size, u in crossings:
            so_far += size
            if so_far >= half:
                return u
        return crossings[-1][2]


def _bits(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def _sign(cell: Cell, u: int) -> int:
    """The sign s_u that most of the cell has."""
    return 1 if sum([point.unit_values[u] for point in cell]) >= 0 else -1


def _cosine(p: _Point, q: _Point) -> float:
    if q.number not in p.cosines:
        p.cosines[q.number] = q.cosines[p.number] = sum(map(float.__mul__, p.unit_entries, q.unit_entries))
    return p.cosines[q.number]


def _solution(matrix: list[list[float]], right: list[float]) -> list[float] | None:
    """Gaussian elimination for a positive definite matrix; None where it is singular in floats."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    size = len(rows)
    for i, row in enumerate(rows):
        if row[i] < 1e-13:
            return None
        for lower in rows[i + 1 :]:
            factor = lower[i] / row[i]
            for k in range(i + 1, size + 1):
                lower[k] -= factor * row[k]
    result = [0.0] * size
    for i in range(size - 1, -1, -1):
        row = rows[i]
        result[i] = (row[size] - sum(row[k] * result[k] for k in range(i + 1, size))) / row[i]
    return result


def _near(value: fmpq) -> float:
    """A float near a rational, for texts; 0 or infinity where none is."""
    try:
        return int(value.p) / int(value.q)
    except OverflowError:
        return math.inf
