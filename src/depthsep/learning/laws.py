"""Radial laws: the data of the learning experiments, and the ball indicators that are to be learnt.

A radial law has a uniform direction, independent of the norm, so it is known by its norm. Each law carries its
`radius`, the law of ||x||, with density, distribution function, quantiles and draws; the directions are shared.

    gaussian     x ~ N(0, I)
    student:k    x = z / sqrt(c / k), z ~ N(0, I), c ~ chi-square with k degrees of freedom: E ||x||^p finite for p < k
    ball:R       x uniform on the ball of radius R
    norm:H       ||x|| uniform on [0, H]; H = 2 is the law of the experiments of Safran and Shamir (2017), as recalled
    shells:...   ||x|| one of finitely many radii
    bessel       the law of Eldan and Shamir (2016), see `bessel_law`: E ||x|| is infinite

Norms are float64: heavy tails overflow and round in float32.
Source: the laws are standard. That the threshold of a target is a population quantile, never that of a sample, and that
it carries no atom are choices made here; the exact assumptions of Safran and Lee (2022) on the law were not at hand.
"""

from __future__ import annotations

import difflib
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Protocol, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, betaincinv, betaln, gammainc, gammaincinv, gammaln

from depthsep.bounding import Answer, error_floor
from depthsep.errors import BadInput
from depthsep.learning.bessel_law import BesselRadius
from depthsep.lower_bounds import NoBound

__all__ = [
    "BallTarget",
    "Bessel",
    "Gaussian",
    "RadialLaw",
    "Radius",
    "Shells",
    "Student",
    "UniformBall",
    "UniformNorm",
    "parse_law",
]

Array = NDArray[np.float64]
Spec = dict[str, str | int | float | list[float]]

_FLOOR_THEOREM = "gaussian-floor"
_FARTHEST = 1e150


class Radius(Protocol):
    """The law of a norm; arrays keep their shape, in units of length."""

    def pdf(self, r: ArrayLike) -> Array:
        """The density, 0 outside the support.

        Raises:
            BadInput: The law has atoms.
        """

    def cdf(self, r: ArrayLike) -> Array:
        """P(||x|| <= r)."""

    def ppf(self, q: ArrayLike) -> Array:
        """The smallest r with P(||x|| <= r) >= q.

        Raises:
            BadInput: Some q is outside [0, 1].
        """

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """Draw n independent norms, of shape (n,)."""


@dataclass(frozen=True)
class RadialLaw(ABC):
    """A law on R^dim whose direction is uniform and independent of the norm.

    Args:
        dim: The dimension, at least 2.

    Raises:
        BadInput: dim < 2, or a parameter of the law is out of its range.

    Example:
        >>> law = Gaussian(20)
        >>> law.sample(3, np.random.default_rng(0)).shape, round(law.scale * float(law.radius.ppf(0.5)), 6)
        ((3, 20), 4.472136)
    """

    name: ClassVar[str]

    dim: int

    def __post_init__(self) -> None:
        """Refuse dimensions without directions."""
        if self.dim < 2:
            raise BadInput(f"the law {self.name} in dimension {self.dim}", needed="dim >= 2")

    @property
    @abstractmethod
    def radius(self) -> Radius:
        """The law of the norm."""

    @property
    @abstractmethod
    def text(self) -> str:
        """The law in words, for reports."""

    @property
    def tail_index(self) -> float:
        """The largest p such that E ||x||^p' is finite for all p' < p."""
        return math.inf

    @property
    def mean_norm_is_finite(self) -> bool:
        """Whether E ||x|| is finite; without it, networks with unbounded activations have infinite risk."""
        return self.tail_index > 1

    @property
    def scale(self) -> float:
        """The factor that brings the median norm to sqrt(dim)."""
        return math.sqrt(self.dim) / float(self.radius.ppf(0.5))

    def spec(self) -> Spec:
        """The law as plain data: its name, its dimension, its parameters."""
        return {"law": self.name, "dim": self.dim}

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """Draw n independent points, of shape (n, dim)."""
        points = rng.standard_normal((n, self.dim))
        points *= (self.radius.sample(n, rng) / np.linalg.norm(points, axis=1))[:, np.newaxis]
        return points


@dataclass(frozen=True)
class Gaussian(RadialLaw):
    """The standard Gaussian N(0, I); the one law here with a floor under all networks with one hidden layer."""

    name: ClassVar[str] = "gaussian"

    @property
    def radius(self) -> Radius:
        """Chi with dim degrees of freedom."""
        return _ChiRadius(self.dim)

    @property
    def text(self) -> str:
        """The law in words."""
        return f"the standard Gaussian in dimension {self.dim}"


@dataclass(frozen=True)
class Student(RadialLaw):
    """The multivariate Student law z / sqrt(c / freedom), z Gaussian, c chi-square.

    Args:
        dim: The dimension.
        freedom: The degrees of freedom, positive; the tail index.
    """

    name: ClassVar[str] = "student"

    freedom: float

    def __post_init__(self) -> None:
        """Refuse degrees of freedom that are not positive."""
        super().__post_init__()
        _require_positive(self.freedom, f"student:{self.freedom:g}", "the degrees of freedom")

    @property
    def radius(self) -> Radius:
        """The root of a beta-prime variable."""
        return _StudentRadius(self.dim, self.freedom)

    @property
    def text(self) -> str:
        """The law in words."""
        return f"Student's law with {self.freedom:g} degrees of freedom in dimension {self.dim}"

    @property
    def tail_index(self) -> float:
        """The degrees of freedom."""
        return self.freedom

    def spec(self) -> Spec:
        """The law as plain data."""
        return {**super().spec(), "freedom": self.freedom}


@dataclass(frozen=True)
class UniformBall(RadialLaw):
    """The uniform law on a ball; its norm concentrates at the boundary as the dimension grows.

    Args:
        dim: The dimension.
        high: The radius of the ball, positive.
    """

    name: ClassVar[str] = "ball"

    high: float = 1

    def __post_init__(self) -> None:
        """Refuse radii that are not positive."""
        super().__post_init__()
        _require_positive(self.high, f"ball:{self.high:g}", "the radius of the ball")

    @property
    def radius(self) -> Radius:
        """The radius of the ball times U^(1/dim)."""
        return _PowerRadius(self.high, self.dim)

    @property
    def text(self) -> str:
        """The law in words."""
        return f"the uniform law on the ball of radius {self.high:g} in dimension {self.dim}"

    def spec(self) -> Spec:
        """The law as plain data."""
        return {**super().spec(), "high": self.high}


@dataclass(frozen=True)
class UniformNorm(RadialLaw):
    """A uniform direction and a norm uniform on [0, high].

    Args:
        dim: The dimension.
        high: The largest norm, positive.
    """

    name: ClassVar[str] = "norm"

    high: float = 2

    def __post_init__(self) -> None:
        """Refuse norms that are not positive."""
        super().__post_init__()
        _require_positive(self.high, f"norm:{self.high:g}", "the largest norm")

    @property
    def radius(self) -> Radius:
        """Uniform on [0, high]."""
        return _PowerRadius(self.high, 1)

    @property
    def text(self) -> str:
        """The law in words."""
        return f"a norm uniform on [0, {self.high:g}] and a uniform direction in dimension {self.dim}"

    def spec(self) -> Spec:
        """The law as plain data."""
        return {**super().spec(), "high": self.high}


@dataclass(frozen=True)
class Shells(RadialLaw):
    """A uniform direction and a norm that takes finitely many values.

    Args:
        dim: The dimension.
        radii: The values, positive and increasing.
        weights: Their probabilities up to a common factor, positive; equal ones if empty.
    """

    name: ClassVar[str] = "shells"

    radii: tuple[float, ...]
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuse shells without an order; make the weights probabilities."""
        super().__post_init__()
        asked = "shells:" + ",".join(f"{radius:g}" for radius in self.radii)
        weights = self.weights or (1.0,) * len(self.radii)
        if len(weights) != len(self.radii):
            found = f"weights for {len(weights)} of the radii"
            raise BadInput(f"the law {asked}", found, needed="one weight for each radius, or none at all")
        for value, what in [(r, "each radius") for r in self.radii] + [(w, "each weight") for w in weights]:
            _require_positive(value, asked, what)
        if not self.radii or any(b <= a for a, b in zip(self.radii, self.radii[1:], strict=False)):
            raise BadInput(f"the law {asked}", needed="at least one radius, and radii that increase")
        object.__setattr__(self, "weights", tuple(weight / math.fsum(weights) for weight in weights))

    @property
    def radius(self) -> Radius:
        """The discrete law; it has no density."""
        return _ShellRadius(self.radii, self.weights)

    @property
    def text(self) -> str:
        """The law in words."""
        return f"spheres of radius {', '.join(f'{r:g}' for r in self.radii)} in dimension {self.dim}"

    def spec(self) -> Spec:
        """The law as plain data."""
        return {**super().spec(), "radii": list(self.radii), "weights": list(self.weights)}


@dataclass(frozen=True)
class Bessel(RadialLaw):
    """The law of Eldan and Shamir: its density is phi^2, phi the Fourier transform of a ball of volume 1."""

    name: ClassVar[str] = "bessel"

    @property
    def radius(self) -> Radius:
        """See `bessel_law`."""
        return BesselRadius(self.dim)

    @property
    def text(self) -> str:
        """The law in words."""
        return f"the Eldan-Shamir (Bessel) law in dimension {self.dim}"

    @property
    def tail_index(self) -> float:
        """P(||x|| > r) falls like 1/r."""
        return 1.0


@dataclass(frozen=True, init=False)
class BallTarget:
    """The indicator of a centred ball, 1 for ||x|| <= radius, as labels for points of a radial law.

    Args:
        law: The law of the points.
        quantile: The probability of the ball, strictly between 0 and 1; the default makes the constant 1/2 the best
            constant.
        radius: The radius itself, instead of a quantile.

    Raises:
        BadInput: The ball has probability 0 or 1, or the law has an atom on its boundary.

    Example:
        >>> target = BallTarget(UniformBall(3))
        >>> round(target.radius, 6), target.label_norms([0.5, 0.9]).tolist()
        (0.793701, [1.0, 0.0])
        >>> BallTarget(Shells(3, (1.0, 2.0)))
        Traceback (most recent call last):
        ...
        depthsep.errors.BadInput: the indicator of ||x|| <= 1 on spheres of radius 1, 2 in dimension 3
          found:  the norm is exactly 1 with probability 0.5
          needed: no atom on the boundary: rounding would decide the labels of all these points
          do:     name a radius between the shells, such as radius=1.5
    """

    law: RadialLaw
    radius: float
    quantile: float | None

    def __init__(self, law: RadialLaw, quantile: float = 0.5, *, radius: float | None = None) -> None:
        """Find the radius; see the class."""
        if radius is None and not 0 < quantile < 1:
            raise BadInput(f"a ball of probability {quantile:g}", needed="a quantile strictly between 0 and 1")
        object.__setattr__(self, "law", law)
        object.__setattr__(self, "radius", float(law.radius.ppf(quantile)) if radius is None else float(radius))
        object.__setattr__(self, "quantile", quantile if radius is None else None)
        if isinstance(law, Shells) and self.radius in law.radii:
            self._refuse_atom(law)
        if not 0 < self.probability < 1:
            raise BadInput(
                str(self),
                found=f"the ball has probability {self.probability:g}",
                needed="a ball that holds some of the points but not all",
            )

    def __str__(self) -> str:
        """Say what is learnt."""
        return f"the indicator of ||x|| <= {self.radius:g} on {self.law.text}"

    def _refuse_atom(self, law: Shells) -> None:
        at = law.radii.index(self.radius)
        gaps = [(a + b) / 2 for a, b in zip(law.radii, law.radii[1:], strict=False)]
        raise BadInput(
            str(self),
            found=f"the norm is exactly {self.radius:g} with probability {law.weights[at]:g}",
            needed="no atom on the boundary: rounding would decide the labels of all these points",
            do=f"name a radius between the shells, such as radius={gaps[min(at, len(gaps) - 1)]:g}" if gaps else "",
        )

    @property
    def probability(self) -> float:
        """The probability p of the ball; the best constant has the mean squared error p (1 - p)."""
        return float(self.law.radius.cdf(self.radius)) if self.quantile is None else self.quantile

    def label_norms(self, r: ArrayLike) -> Array:
        """Give 1 for norms up to the radius and 0 beyond; the shape of `r`."""
        return (np.asarray(r, dtype=np.float64) <= self.radius).astype(np.float64)

    def label(self, points: ArrayLike) -> Array:
        """Give the labels, of shape (n,), of points of shape (n, dim)."""
        return self.label_norms(np.linalg.norm(np.asarray(points, dtype=np.float64), axis=1))

    def floor(self, width: int) -> Answer:
        """Prove what no network with one hidden layer and linear output undercuts, in mean squared error.

        Args:
            width: The number of hidden units.

        Returns:
            The bound, `error_floor` its number; or why there is none: only the Gaussian law has one. Rescaling the
            points does not change it.

        Raises:
            BadInput: width < 0, or a dimension that the theorem does not speak about.

        Source:
            `lower_bounds.gaussian_floor`.

        Example:
            >>> float(BallTarget(Gaussian(20)).floor(400).error_floor)
            0.0556642794
            >>> BallTarget(Bessel(20)).floor(400).reason
            'no floor is known for the Eldan-Shamir (Bessel) law in dimension 20: the theorem is about the Gaussian'
        """
        if not isinstance(self.law, Gaussian):
            return NoBound(_FLOOR_THEOREM, f"no floor is known for {self.law.text}: the theorem is about the Gaussian")
        ball = "ball(median)" if self.quantile == 0.5 else f"ball({Fraction(self.radius)})"
        return error_floor(ball, dim=self.law.dim, width=width, measure="gaussian")


def parse_law(text: str, dim: int) -> RadialLaw:
    """Read a law as users write it.

    Args:
        text: "gaussian", "student:3" (degrees of freedom), "ball" or "ball:2" (radius), "norm" or "norm:2" (largest
            norm), "shells:1,2" or "shells:1=3,2=1" (radii, with weights), "bessel".
        dim: The dimension.

    Raises:
        BadInput: The name is not known, or its parameter makes no sense.

    Example:
        >>> parse_law("student:3", 20)
        Student(dim=20, freedom=3.0)
        >>> parse_law("gausian", 20)
        Traceback (most recent call last):
        ...
        depthsep.errors.BadInput: the law 'gausian'
          needed: one of gaussian, student:3, ball, norm:2, shells:1,2, bessel
          do:     did you mean gaussian?
    """
    name, colon, parameter = (part.strip() for part in text.partition(":"))
    if name not in _FORMS:
        near = difflib.get_close_matches(name, _FORMS, n=1)
        needed = "one of " + ", ".join(form for form, _ in _FORMS.values())
        raise BadInput(f"the law {text!r}", needed=needed, do=f"did you mean {near[0]}?" if near else "")
    form, meaning = _FORMS[name]
    if colon and not meaning:
        raise BadInput(f"the law {text!r}", found=f"the parameter {parameter!r}", needed=f"{name}, without a parameter")
    if name == "shells":
        return Shells(dim, *_shells(text, parameter))
    if not colon and name != "student":
        return _CLASSES[name](dim)
    return _CLASSES[name](dim, _number(parameter, text, f"{form}, the number being {meaning}"))


# Of every name: how it is written, and what its parameter means.
_FORMS = {
    "gaussian": ("gaussian", ""),
    "student": ("student:3", "the degrees of freedom"),
    "ball": ("ball", "the radius of the ball"),
    "norm": ("norm:2", "the largest norm"),
    "shells": ("shells:1,2", "the radii, shells:1=3,2=1 with weights"),
    "bessel": ("bessel", ""),
}
_CLASSES: dict[str, Callable[..., RadialLaw]] = {
    "gaussian": Gaussian,
    "student": Student,
    "ball": UniformBall,
    "norm": UniformNorm,
    "bessel": Bessel,
}


def _shells(text: str, parameter: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    needed = "shells:1,2, the numbers being radii, or shells:1=3,2=1 with weights for all of them"
    pairs = [item.partition("=") for item in parameter.split(",")]
    radii = tuple(_number(radius, text, needed) for radius, _, _ in pairs)
    return radii, tuple(_number(weight, text, needed) for _, equals, weight in pairs if equals)


def _number(word: str, text: str, needed: str) -> float:
    try:
        value = float(word)
    except ValueError:
        raise BadInput(f"the law {text!r}", found=f"{word.strip()!r}", needed=needed) from None
    return value


def _require_positive(value: float, asked: str, what: str) -> None:
    if not 0 < value < math.inf:
        raise BadInput(f"the law {asked}", found=f"{value:g} as {what}", needed="a positive number")


def _probabilities(q: ArrayLike) -> Array:
    array = np.asarray(q, dtype=np.float64)
    if not np.all((array >= 0) & (array <= 1)):
        raise BadInput("a quantile of a norm", needed="probabilities between 0 and 1")
    return array


def _norms(r: ArrayLike) -> Array:
    """Norms whose squares are finite; what is negative has the distribution function of 0."""
    return np.clip(np.asarray(r, dtype=np.float64), 0.0, _FARTHEST)


def _density(log_density: Array, r: ArrayLike) -> Array:
    """The density where r > 0, and 0 elsewhere."""
    return np.where(np.asarray(r, dtype=np.float64) > 0, np.exp(log_density), 0.0)


def _positive(r: ArrayLike) -> Array:
    """Norms at which logarithms can be taken."""
    array = np.asarray(r, dtype=np.float64)
    return np.where(array > 0, np.minimum(array, _FARTHEST), 1.0)


@dataclass(frozen=True)
class _ChiRadius:
    """The norm of a standard Gaussian."""

    dim: int

    def pdf(self, r: ArrayLike) -> Array:
        at, half = _positive(r), self.dim / 2
        return _density((self.dim - 1) * np.log(at) - at**2 / 2 - (half - 1) * math.log(2) - gammaln(half), r)

    def cdf(self, r: ArrayLike) -> Array:
        return cast(Array, gammainc(self.dim / 2, _norms(r) ** 2 / 2))

    def ppf(self, q: ArrayLike) -> Array:
        return cast(Array, np.sqrt(2 * gammaincinv(self.dim / 2, _probabilities(q))))

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        return np.sqrt(rng.chisquare(self.dim, n))


@dataclass(frozen=True)
class _StudentRadius:
    """k / (k + r^2) has the law Beta(k/2, d/2); the smaller tail of the two sides keeps its digits."""

    dim: int
    freedom: float

    def pdf(self, r: ArrayLike) -> Array:
        at, k = _positive(r), self.freedom
        log_body = self.dim * np.log(at) + k / 2 * math.log(k) - (self.dim + k) / 2 * np.log(k + at**2)
        return _density(math.log(2) + log_body - np.log(at) - betaln(self.dim / 2, k / 2), r)

    def cdf(self, r: ArrayLike) -> Array:
        square, k = _norms(r) ** 2, self.freedom
        inner = betainc(self.dim / 2, k / 2, square / (k + square))
        outer = 1 - betainc(k / 2, self.dim / 2, k / (k + square))
        return cast(Array, np.where(inner < 0.5, inner, outer))

    def ppf(self, q: ArrayLike) -> Array:
        wanted, k = _probabilities(q), self.freedom
        inner = betaincinv(self.dim / 2, k / 2, np.minimum(wanted, 0.5))
        outer = betaincinv(k / 2, self.dim / 2, 1 - np.maximum(wanted, 0.5))
        with np.errstate(divide="ignore"):
            odds = np.where(wanted < 0.5, inner / (1 - inner), (1 - outer) / outer)
        return cast(Array, np.sqrt(k * odds))

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        return np.sqrt(rng.chisquare(self.dim, n) * self.freedom / rng.chisquare(self.freedom, n))


@dataclass(frozen=True)
class _PowerRadius:
    """P(||x|| <= r) = (r / high)^power on [0, high]."""

    high: float
    power: int

    def pdf(self, r: ArrayLike) -> Array:
        at = np.asarray(r, dtype=np.float64) / self.high
        inside = (at >= 0) & (at <= 1)
        return np.where(inside, self.power / self.high * np.where(inside, at, 0.0) ** (self.power - 1), 0.0)

    def cdf(self, r: ArrayLike) -> Array:
        return cast(Array, np.minimum(_norms(r) / self.high, 1.0) ** self.power)

    def ppf(self, q: ArrayLike) -> Array:
        return self.high * _probabilities(q) ** (1 / self.power)

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        return self.ppf(rng.random(n))


@dataclass(frozen=True)
class _ShellRadius:
    """Finitely many values."""

    radii: tuple[float, ...]
    weights: tuple[float, ...]

    def pdf(self, r: ArrayLike) -> Array:
        asked = "the density of a norm that takes finitely many values"
        raise BadInput(asked, needed="a law without atoms", do="use the distribution function, cdf")

    def cdf(self, r: ArrayLike) -> Array:
        steps = np.concatenate([[0.0], self._sums()])
        return cast(Array, steps[np.searchsorted(self.radii, np.asarray(r, dtype=np.float64), "right")])

    def ppf(self, q: ArrayLike) -> Array:
        return cast(Array, np.asarray(self.radii)[np.searchsorted(self._sums(), _probabilities(q))])

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        return rng.choice(np.asarray(self.radii), size=n, p=self.weights)

    def _sums(self) -> Array:
        sums = np.cumsum(self.weights)
        sums[-1] = 1.0
        return sums
