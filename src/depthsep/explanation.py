"""Which theorems speak about a request, hypothesis by hypothesis, and the widths they predict. Nothing is built here.

A hypothesis holds (True), fails (False), or was not decided by the work spent here (None). Predicted widths are
formulas of the sources, with unspecified constants set to one, or estimates of our own constructions (both say so in
their names), or lower bounds, which are proved. A limit of a method of proof is called that; it binds no network.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, partial
from typing import Any

import numpy as np

from depthsep.accuracy import Accuracy, parse_accuracy
from depthsep.activations import activation as activation_of
from depthsep.constructions.cubature import exact_cubature
from depthsep.constructions.polynomial_radial import polynomial_in_squares, predicted_width
from depthsep.constructions.shallow_radial import largest_degree
from depthsep.decimals import lower_decimal, upper_decimal
from depthsep.errors import BadInput
from depthsep.functions import BallIndicator, Function, Radial, parse_function
from depthsep.lower_bounds import LowerBound, NoBound, cells_bound, rank_bound
from depthsep.lower_bounds.moment_limits import MomentLimit, exact_identity_directions, moment_limit
from depthsep.planning import Prospect, plan
from depthsep.source_widths import lipschitz_upper, source_note, source_width
from depthsep.univariate.tube_path import min_link_path

__all__ = ["Explanation", "Hypothesis", "TheoremNote", "explain"]

_LARGEST_DEGREE = 10  # of the polynomials in r^2 that are tried
_QUICK_DEGREE = 6  # beyond it the width of exact identities would take seconds to predict
_GRID = 400


@dataclass(frozen=True)
class Hypothesis:
    """One condition of a theorem.

    Attributes:
        text: The condition.
        holds: Whether the request meets it; None when that was not decided.
        found: The number or the fact behind the answer.
    """

    text: str
    holds: bool | None
    found: str = ""


@dataclass(frozen=True)
class TheoremNote:
    """What one theorem has to say.

    Attributes:
        name: Its name here.
        source: Who proved it, and where.
        says: Its conclusion, in words.
        hypotheses: Every condition.
        predicted_widths: Name of a prediction to its value, as text; empty where the theorem does not apply.
    """

    name: str
    source: str
    says: str
    hypotheses: tuple[Hypothesis, ...]
    predicted_widths: dict[str, str] = field(default_factory=dict)

    @property
    def applies(self) -> bool | None:
        """Whether every hypothesis holds: False if one fails, None if one is open."""
        answers = [hypothesis.holds for hypothesis in self.hypotheses]
        return False if False in answers else None if None in answers else True


@dataclass(frozen=True)
class Explanation:
    """All notes on one request."""

    function: str
    dim: int
    eps: Fraction
    theorems: tuple[TheoremNote, ...]

    def to_json(self) -> dict[str, Any]:
        """The same facts for a program."""
        return {
            "function": self.function,
            "dim": self.dim,
            "eps": str(self.eps),
            "theorems": [
                {
                    "name": note.name,
                    "applies": note.applies,
                    "says": note.says,
                    "source": note.source,
                    "hypotheses": [vars(hypothesis) for hypothesis in note.hypotheses],
                    "predicted_widths": note.predicted_widths,
                }
                for note in self.theorems
            ],
        }


def explain(
    function: str, *, dim: int, eps: Accuracy | None = None, activation: str = "relu", max_width: int | None = None
) -> Explanation:
    """Say which theorems apply to a function, a dimension and an accuracy.

    Args:
        function: A formula in r, or ball(radius, margin).
        dim: The dimension.
        eps: The accuracy in the sup norm on the unit ball, exact. Left out only for a ball, which is met exactly.
        activation: Of the depth-2 networks whose widths are predicted.
        max_width: Wider depth-2 networks are not looked at; 10,000,000 if not given.

    Returns:
        The notes: upper bounds first, then lower bounds, then famous theorems that are about something else.

    Raises:
        BadInput: The formula, the dimension or the accuracy makes no sense.

    Example:
        >>> [note.applies for note in explain("1 - r", dim=10, eps="0.1").theorems][:3]
        [True, True, True]
    """
    target = parse_function(function, dim)
    target.validate()
    request = _Request(target, _accuracy(target, eps), activation_of(activation).name, max_width)
    notes = tuple(theorem(request) for theorem in _THEOREMS)
    return Explanation(request.function.text, dim, request.eps, notes)


@dataclass(frozen=True)
class _Request:
    """What was asked, and the facts about it that several theorems need."""

    function: Function
    eps: Fraction
    activation: str
    max_width: int | None

    @cached_property
    def prospects(self) -> list[Prospect]:
        """The ways to a depth-2 network, the narrowest first."""
        fit = _first_even_fit(self)
        if fit is None or not 0 < fit.degree <= largest_degree(self.dim):
            return []
        return plan(
            self.function.text,
            dim=self.dim,
            eps=self.eps,
            activation=self.activation,
            max_width=self.max_width,
            thorough=False,
        )

    @property
    def dim(self) -> int:
        return self.function.dim

    @cached_property
    def lipschitz(self) -> Fraction | None:
        """A proved Lipschitz constant of the profile; None when balls find no bound for its derivative."""
        return lipschitz_upper(self.function)

    @cached_property
    def steepness(self) -> float | None:
        """The Lipschitz constant divided by eps, as a float for formulas; None where either makes no sense."""
        return float(self.lipschitz / self.eps) if self.lipschitz and self.eps > 0 else None

    def positive_eps(self) -> Hypothesis:
        return Hypothesis("the accuracy is positive", self.eps > 0, f"eps = {self.eps}")

    def has_lipschitz(self) -> Hypothesis:
        text = "the profile is Lipschitz on [0, 1]"
        if self.lipschitz is None:
            return Hypothesis(text, None, "interval arithmetic finds no bound for its derivative")
        return Hypothesis(text, True, f"with a constant of at most {upper_decimal(self.lipschitz, 5)}")

    def is_formula(self) -> Hypothesis:
        found = "" if isinstance(self.function, Radial) else "this is a ball indicator with a margin"
        return Hypothesis("the profile is a continuous formula in r", isinstance(self.function, Radial), found)


def _accuracy(function: Function, eps: Accuracy | None) -> Fraction:
    """The accuracy asked for; 0 for a ball indicator without one, since it is met exactly off its margin."""
    if eps is not None:
        return parse_accuracy(eps)
    if isinstance(function, BallIndicator):
        return Fraction(0)
    raise BadInput(f"the theorems about {function.text}", needed="eps: only ball(r0, margin) is met exactly")


def _safran_eldan_shamir(request: _Request) -> TheoremNote:
    formula = source_width(request.function, 2, request.eps)
    predicted = {} if formula is None else {f"by the source: {source_note(2)}": formula}
    return TheoremNote(
        "Polynomial width at depth 2, for a fixed accuracy",
        "Safran, Eldan and Shamir 2019, Theorem 1 (arXiv:1904.06984)",
        "Some depth-2 network within eps has a width that is polynomial in the dimension.",
        (request.positive_eps(), request.has_lipschitz()),
        predicted,
    )


def _moment_sandwich(request: _Request) -> TheoremNote:
    hypotheses = [request.positive_eps(), request.is_formula()]
    predicted = {}
    if all(hypothesis.holds for hypothesis in hypotheses):
        fit = _first_even_fit(request)
        found = "" if fit is None else fit.summary(request.dim)
        text = f"an even polynomial of degree at most {2 * _LARGEST_DEGREE} is within eps of the profile"
        hypotheses.append(Hypothesis(text, fit is not None or None, found))
        sandwiches = [prospect.neurons for prospect in request.prospects if prospect.way == "moment sandwich"]
        if sandwiches:
            predicted["neurons (estimate)"] = f"about {_two_digits(min(sandwiches))}"
    return TheoremNote(
        "Moment sandwich (depth 2)",
        "this library, after Safran, Eldan and Shamir 2019, Theorem 1",
        "A depth-2 network whose ridge profile lies between two even polynomials is as near to the function as the "
        "averages of the two polynomials over the directions are.",
        tuple(hypotheses),
        predicted,
    )


def _families(request: _Request) -> TheoremNote:
    hypotheses = [request.positive_eps(), request.is_formula()]
    predicted: dict[str, str] = {}
    if all(hypothesis.holds for hypothesis in hypotheses):
        text = "some family of directions is seen to get there within seconds"
        hypotheses.append(Hypothesis(text, bool(request.prospects) or None))
        predicted = {_name(prospect): _size(prospect, request.dim) for prospect in request.prospects}
    return TheoremNote(
        f"The plan: families of directions (depth 2, {request.activation})",
        "this library",
        "What `build` chooses from, the most promising first. Directions are counted; neurons are what the programs "
        "start with, an estimate: searches often end at half, and build what still might be narrower as well.",
        tuple(hypotheses),
        predicted,
    )


def _name(prospect: Prospect) -> str:
    degree = "" if prospect.degree is None else f" of degree {prospect.degree}"
    return f"{prospect.way}{degree}, {prospect.family} (estimate)"


def _size(prospect: Prospect, dim: int) -> str:
    neurons = float(f"{prospect.neurons:.1e}")
    weights = f"{neurons * (dim + 2):.1e}".replace("e+0", "e").replace("e+", "e")
    return f"{prospect.directions:,} directions, about {neurons:,.0f} neurons, {weights} weights if written out"


def _exact_identities(request: _Request) -> TheoremNote:
    hypotheses, function = [request.positive_eps(), request.is_formula()], request.function
    predicted: dict[str, str] = {}
    if isinstance(function, Radial) and all(hypothesis.holds for hypothesis in hypotheses):
        coefficients = polynomial_in_squares(function.expression, request.dim)
        degree = 0 if coefficients is None else len(coefficients) - 1
        found = "" if coefficients is None else f"of degree {2 * degree}"
        text = "the profile is a polynomial in r^2 with rational coefficients"
        hypotheses.append(Hypothesis(text, coefficients is not None, found))
        if degree > 0:
            predicted = _predicted_identity(function, degree, request.eps)
    return TheoremNote(
        "Polynomials in r^2 through exact identities (depth 2)",
        "Safran, Eldan and Shamir 2019, Theorem 3 (arXiv:1904.06984)",
        "||x||^(2k) is a combination of <u, x>^(2k) over integer directions u, exactly: one univariate fit for "
        "each set of them is enough.",
        tuple(hypotheses),
        predicted,
    )


def _predicted_identity(function: Radial, degree: int, eps: Fraction) -> dict[str, str]:
    """Directions of exact identities of degree 2 * `degree`, and the neurons along the best ones."""
    predicted = {
        "directions of every exact identity, at least (proved)": _least_directions(function.dim, degree),
        "directions of sparse orbits": f"{exact_cubature(function.dim, 2 * degree).directions:,}",
    }
    found = predicted_width(function, eps) if degree <= _QUICK_DEGREE else None
    if found is not None:
        predicted["neurons (estimate)"] = f"about {_two_digits(found[1])}, along {found[0]:,} directions"
    return predicted


def _least_directions(dim: int, degree: int) -> str:
    return f"{exact_identity_directions(dim, 2 * degree):,}"


def _separable(request: _Request) -> TheoremNote:
    hypotheses = (request.positive_eps(), request.is_formula(), request.has_lipschitz())
    predicted = {}
    if all(hypothesis.holds for hypothesis in hypotheses) and request.steepness is not None:
        first = request.dim * _squares_constant(request.dim) * math.sqrt(request.steepness / 2)
        predicted["first layer (estimate)"] = f"about {_two_digits(first)}"
        predicted["second layer (estimate)"] = f"about {_layer_two_links(request)}"
    return TheoremNote(
        "Separable squares and one profile (depth 3)",
        "this library, after Eldan and Shamir 2016 and Daniely 2017",
        "A first layer approximates the squared norm coordinate by coordinate, a second one the profile of its root; "
        "the first layer needs about d log d sqrt(L/eps) neurons.",
        hypotheses,
        predicted,
    )


def _ball_by_squares(request: _Request) -> TheoremNote:
    ball = request.function
    is_ball = isinstance(ball, BallIndicator)
    predicted = {}
    if isinstance(ball, BallIndicator):
        first = _ball_first_layer(request.dim, float(ball.inner) ** 2, float(ball.outer) ** 2)
        predicted = {"first layer (estimate)": f"about {_two_digits(first)}", "second layer": "2"}
    return TheoremNote(
        "Ball indicator, exact off its margin (depth 3)",
        "this library, after Safran and Shamir 2017",
        "Two neurons on top of approximate squares give exactly 1 inside and exactly 0 outside, whatever the accuracy.",
        (Hypothesis("the function is a ball indicator with a positive margin", is_ball, request.function.text),),
        predicted,
    )


def _two_digits(number: float) -> str:
    """An estimate: two significant digits, no more."""
    return f"{float(f'{number:.1e}'):,.0f}"


@dataclass(frozen=True)
class _EvenFit:
    """The best even polynomial of one degree on a grid: coefficients of r^0, r^2, ..., and its error."""

    degree: int
    coefficients: tuple[float, ...]
    error: float

    def summary(self, dim: int) -> str:
        """What it would take, by the formula of orbits or of exact designs."""
        directions = _directions(dim, self.degree)
        return f"degree {2 * self.degree}, error {max(0.0, self.error):.3g}, {directions:,} directions (estimates)"


def _first_even_fit(request: _Request) -> _EvenFit | None:
    """The fit of the least degree that leaves some of eps to the network."""
    for degree in range(_LARGEST_DEGREE + 1):
        fit = _even_fit(request.function, degree)
        if fit.error < 0.97 * request.eps:
            return fit
    return None


def _even_fit(function: Function, degree: int) -> _EvenFit:
    """Minimise the largest deviation on a grid, as a linear program in Chebyshev coefficients of r^2."""
    from numpy.polynomial import Chebyshev, Polynomial
    from scipy.optimize import linprog

    radii = np.sin(np.linspace(0, np.pi / 2, _GRID))
    basis = np.polynomial.chebyshev.chebvander(2 * radii**2 - 1, degree)
    target = function.profile(radii)
    ones = np.ones((_GRID, 1))
    rows = np.vstack([np.hstack([basis, -ones]), np.hstack([-basis, -ones])])
    cost = np.append(np.zeros(degree + 1), 1.0)
    solution = linprog(cost, rows, np.concatenate([target, -target]), bounds=[(None, None)] * (degree + 2))
    in_squares = Chebyshev(solution.x[:-1], domain=[0, 1]).convert(kind=Polynomial)
    return _EvenFit(degree, tuple(map(float, in_squares.coef)), float(solution.x[-1]))


def _directions(dim: int, degree: int) -> int:
    """How many directions resolve the moments up to twice the degree: orbits, or small exact designs."""
    if degree == 0:
        return 0
    if dim <= 2:
        return 1 if dim == 1 else degree + 1
    if dim == 3 and degree > 1:
        return 6 if degree == 2 else (degree + 1) ** 2
    return sum(2 ** (size - 1) * math.comb(dim, size) for size in range(1, min(degree, dim) + 1))


def _squares_constant(dim: int) -> float:
    """The constant c(d) of the separable construction, minimised over the slope mu' of the tolerance on a grid."""
    slopes = np.linspace(1.0, 1.999, 200)
    y = (2 - slopes) / slopes
    return float(np.min(np.sqrt(2 * y) + (np.arcsinh(np.sqrt(dim / y)) - np.arcsinh(np.sqrt(y))) / np.sqrt(slopes)))


def _layer_two_links(request: _Request) -> int:
    """Links of a polygon within eps/2 of the profile as a function of the squared radius."""
    squares = np.linspace(0.0, 1.0, 4001) ** 2
    values, half = request.function.profile(np.sqrt(squares)), float(request.eps) / 2
    return len(min_link_path(squares, values - half, values + half)[0]) - 1


def _ball_first_layer(dim: int, inner: float, outer: float) -> float:
    """Knots that separate the squared radii inner < outer, minimised over the slope of the tolerance on a grid."""
    slopes = np.linspace(0.005, 0.995, 199) * (outer - inner) / (outer + inner)
    constant = ((1 - slopes) * outer - (1 + slopes) * inner) / (2 * dim)
    return dim * float(np.min(np.arcsinh(np.sqrt(outer * slopes / constant)) / np.sqrt(2 * slopes)))


def _rank(request: _Request) -> TheoremNote:
    return _from_bound(
        request,
        "Rank bound (any depth)",
        "folklore",
        "Every network, of any depth, activation and weights, has at least d neurons in its first hidden layer.",
        lambda: rank_bound(request.function, request.dim, request.eps),
    )


def _cells(request: _Request, depth: int) -> TheoremNote:
    behind = "" if depth == 2 else ", and one direction (or neuron) in the second"
    return _from_bound(
        request,
        f"Cells bound (depth {depth})",
        "this library",
        f"Few cells must be small cells: a width for every depth-{depth} network with ReLU in the first layer{behind}.",
        lambda: cells_bound(request.function, request.dim, request.eps, depth),
    )


def _from_bound(
    request: _Request, name: str, source: str, says: str, prove: Callable[[], LowerBound | NoBound]
) -> TheoremNote:
    """A lower bound is cheap enough to be proved at once: its hypotheses are those of the proof."""
    hypotheses = [request.positive_eps()]
    predicted = {}
    if hypotheses[0].holds:
        bound = prove()
        if isinstance(bound, NoBound):
            hypotheses.append(Hypothesis("the argument gives a bound here", False, bound.reason))
        else:
            hypotheses += [Hypothesis(text, True) for text in bound.hypotheses]
            predicted["at least (proved)"] = str(bound.width_lower)
    return TheoremNote(name, source, says, tuple(hypotheses), predicted)


def _moment_limits(request: _Request) -> TheoremNote:
    hypotheses, function = [request.positive_eps(), request.is_formula()], request.function
    predicted = {}
    if isinstance(function, Radial) and all(hypothesis.holds for hypothesis in hypotheses):
        below = _limits_above(function, request.eps)
        degree = len(below)
        reached = degree <= _LARGEST_DEGREE
        proved = [f"{lower_decimal(limit)} at degree {2 * k}" for k, limit in enumerate(below)]
        found = f"an error of at least {', '.join(proved)} (proved)" if proved else "not even degree 0 is excluded"
        text = f"moments up to degree {2 * min(degree, _LARGEST_DEGREE)} are not excluded"
        hypotheses.append(Hypothesis(text, reached or None, found))
        if reached:
            name = f"directions of an exact identity of degree {2 * degree}, at least (proved)"
            predicted = {name: _least_directions(request.dim, degree)}
    return TheoremNote(
        "Limits of moments (a limit of the method, not of depth 2)",
        "Chebyshev 1859, for the moment sandwich",
        "Moments up to degree 2k never prove, with one pair of polynomials for all radii, an error below the distance "
        "of the profile from even polynomials of degree 2k. Pairs that change with the radius may, and networks need "
        "no exact identity.",
        tuple(hypotheses),
        predicted,
    )


def _limits_above(function: Radial, eps: Fraction) -> list[Fraction]:
    """The proved limits of the degrees 0, 2, ... as far as they are above eps."""
    limits: list[Fraction] = []
    for degree in range(_LARGEST_DEGREE + 1):
        limit = moment_limit(function, 2 * degree)
        if not isinstance(limit, MomentLimit) or limit.limit <= eps:
            break
        limits.append(limit.limit)
    return limits


def _radial_sine(request: _Request) -> TheoremNote:
    dim = request.dim
    frequency = 2 * math.pi * dim**3
    radii = np.linspace(0.0, 1.0, 4097)
    gaps = np.abs(request.function.profile(radii) - np.sin(frequency * radii**2) / frequency)
    furthest = int(np.nanargmax(gaps))
    same = gaps[furthest] * frequency < 1e-6
    found = "" if same else f"they differ by {gaps[furthest]:.3g} at r = {radii[furthest]:.4g}"
    ceiling = 1 / (101 * math.e**2 * math.pi**3 * dim**3)
    return TheoremNote(
        "No polynomial width at depth 2 when the accuracy shrinks with the dimension",
        "Safran, Eldan and Shamir 2019, Theorem 4 (arXiv:1904.06984), after Daniely 2017",
        "No depth-2 network with weights up to 2^d and width polynomial in d is within eps of one fast radial sine.",
        (
            Hypothesis("the function is sin(2 pi d^3 r^2) / (2 pi d^3)", bool(same), found),
            Hypothesis(
                "eps is at most 1 / (101 e^2 pi^3 d^3)", float(request.eps) <= ceiling, f"that is {ceiling:.3g}"
            ),
        ),
    )


def _eldan_shamir(request: _Request) -> TheoremNote:
    return TheoremNote(
        "Exponential width at depth 2 for a radial function in L2",
        "Eldan and Shamir 2016 (arXiv:1512.03965)",
        "Some radial function needs a width exponential in d at depth 2, for any weights and nearly any activation.",
        (
            Hypothesis(
                "the error is the L2 norm of one measure on all of R^d", False, "here: the sup norm on the unit ball"
            ),
        ),
    )


def _daniely(request: _Request) -> TheoremNote:
    return TheoremNote(
        "Exponential width at depth 2 for an inner product",
        "Daniely 2017 (arXiv:1702.08489)",
        "Functions of <x, x'> far from low-degree polynomials need a width exponential in d at depth 2, weights "
        "up to 2^d, but not at depth 3: see `separate`, `crossover` and `tradeoff` on the domain spheres.",
        (Hypothesis("the function depends on the inner product of two unit vectors", False, "here: on the norm of x"),),
    )


_THEOREMS: tuple[Callable[[_Request], TheoremNote], ...] = (
    _safran_eldan_shamir,
    _moment_sandwich,
    _separable,
    _ball_by_squares,
    _families,
    _exact_identities,
    _rank,
    partial(_cells, depth=2),
    partial(_cells, depth=3),
    _moment_limits,
    _radial_sine,
    _eldan_shamir,
    _daniely,
)
