"""The radial laws: a million draws against the distribution function, closed forms, quantiles, directions, refusals."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import integrate, special, stats

from depthsep.errors import BadInput
from depthsep.learning.bessel_law import BesselRadius, distribution, survival
from depthsep.learning.laws import (
    BallTarget,
    Bessel,
    Gaussian,
    RadialLaw,
    Radius,
    Shells,
    Student,
    UniformBall,
    UniformNorm,
    parse_law,
)
from depthsep.lower_bounds.tube_measure import radial_cdf, radial_density, unit_radius

DRAWS = 10**6
CRITICAL = 1.63  # sqrt(n) D of Kolmogorov and Smirnov stays below with probability 0.99

CONTINUOUS = [
    *[law for dim in (2, 3, 21, 50, 100) for law in (Gaussian(dim), Bessel(dim))],
    *[Student(dim, freedom) for dim, freedom in ((2, 3), (3, 1.5), (21, 3), (50, 1), (100, 10))],
    *[UniformBall(2), UniformBall(3, 2.5), UniformBall(50), UniformNorm(2), UniformNorm(100, 3)],
]


def smirnov(sample: NDArray[np.float64], cdf: NDArray[np.float64]) -> float:
    """sqrt(n) D for a sorted sample and the distribution function there."""
    n = len(sample)
    rank = np.arange(n)
    return float(max((cdf - rank / n).max(), ((rank + 1) / n - cdf).max())) * math.sqrt(n)


def identity(law: RadialLaw) -> str:
    return "-".join(str(value) for value in law.spec().values())


@pytest.mark.parametrize("law", CONTINUOUS, ids=identity)
def test_a_million_norms_have_the_distribution_function(law: RadialLaw) -> None:
    norms = np.sort(law.radius.sample(DRAWS, np.random.default_rng(5)))
    assert norms.shape == (DRAWS,)
    assert norms.dtype == np.float64
    assert 0.2 < smirnov(norms, law.radius.cdf(norms)) < CRITICAL


def test_a_wrong_parameter_would_be_noticed() -> None:
    norms = np.sort(Student(20, 3).radius.sample(DRAWS, np.random.default_rng(6)))
    assert smirnov(norms, Student(20, 3.05).radius.cdf(norms)) > 2 * CRITICAL
    draws = np.sort(Bessel(50).radius.sample(DRAWS, np.random.default_rng(6)))
    assert smirnov(draws, Bessel(51).radius.cdf(draws)) > 2 * CRITICAL


def test_shells_are_drawn_by_their_weights() -> None:
    law = Shells(3, (1.0, 2.0, 5.0), (1.0, 2.0, 5.0))
    norms = law.radius.sample(DRAWS, np.random.default_rng(7))
    counts = [int((norms == radius).sum()) for radius in law.radii]
    assert sum(counts) == DRAWS
    assert stats.chisquare(counts, DRAWS * np.asarray(law.weights)).pvalue > 0.01
    assert law.radius.cdf([0.5, 1.0, 1.5, 2.0, 5.0, 9.0]).tolist() == [0.0, 0.125, 0.125, 0.375, 1.0, 1.0]
    assert law.radius.ppf([0.0, 0.125, 0.126, 0.375, 0.9, 1.0]).tolist() == [1.0, 1.0, 2.0, 2.0, 5.0, 5.0]
    with pytest.raises(BadInput, match="takes finitely many values"):
        law.radius.pdf(1.0)


@pytest.mark.parametrize("law", CONTINUOUS, ids=identity)
def test_the_density_is_the_derivative_of_the_distribution_function(law: RadialLaw) -> None:
    radius = law.radius
    r = radius.ppf(np.linspace(0.01, 0.98, 98))
    h = 1e-5 * r
    slopes = (radius.cdf(r + h) - radius.cdf(r - h)) / (2 * h)
    np.testing.assert_allclose(radius.pdf(r), slopes, rtol=1e-6, atol=1e-6 * slopes.max())
    assert radius.pdf([-1.0, -0.1]).tolist() == [0.0, 0.0] == radius.cdf([-1.0, 0.0]).tolist()


@pytest.mark.parametrize("law", CONTINUOUS, ids=identity)
def test_quantiles_invert_the_distribution_function(law: RadialLaw) -> None:
    radius = law.radius
    q = np.concatenate([10.0 ** np.arange(-12, 0), np.linspace(0.1, 0.9, 81), 1 - 10.0 ** np.arange(-1.0, -9, -1)])
    r = radius.ppf(q)
    np.testing.assert_allclose(radius.cdf(r), q, rtol=1e-10)
    assert np.all(np.diff(r) >= 0)
    steep = radius.pdf(r) * r > 1e-3 * np.minimum(q, 1 - q)  # a flat distribution function has no exact inverse
    np.testing.assert_allclose(radius.ppf(radius.cdf(r[steep])), r[steep], rtol=1e-6)
    assert steep.sum() > 80
    assert radius.ppf(0.0) == 0
    assert radius.ppf([[0.25, 0.5]]).shape == (1, 2)
    assert radius.cdf(math.inf) == 1
    with pytest.raises(BadInput, match="needed: probabilities between 0 and 1"):
        radius.ppf([0.5, 1.5])
    with pytest.raises(BadInput, match="needed: probabilities between 0 and 1"):
        radius.ppf(math.nan)


def test_closed_forms() -> None:
    r = np.linspace(0.05, 0.95, 19)
    for dim in (2, 3, 50):
        far = r * 2 * math.sqrt(dim)
        np.testing.assert_allclose(Gaussian(dim).radius.cdf(far), stats.chi(dim).cdf(far), rtol=1e-11)
        np.testing.assert_allclose(Gaussian(dim).radius.pdf(far), stats.chi(dim).pdf(far), rtol=1e-11)
        np.testing.assert_allclose(Student(dim, 3).radius.cdf(far), stats.f(dim, 3).cdf(far**2 / dim), rtol=1e-11)
        np.testing.assert_allclose(UniformBall(dim).radius.cdf(r), r**dim, rtol=1e-13)
        np.testing.assert_allclose(UniformBall(dim).radius.ppf(r), r ** (1 / dim), rtol=1e-13)
    np.testing.assert_allclose(Student(2, 5).radius.cdf(r), 1 - (1 + r**2 / 5) ** -2.5, rtol=1e-12)
    np.testing.assert_allclose(UniformNorm(7, 2).radius.cdf(r), r / 2, rtol=1e-15)
    # The Cauchy tail: P(||x|| > r) r tends to E ||z|| E (1/|g|; near 0) = E chi_d * sqrt(2/pi).
    mean = math.sqrt(2) * math.exp(math.lgamma(25.5) - math.lgamma(25))
    far_out = Student(50, 1).radius.ppf(1 - 1e-6)
    assert far_out * 1e-6 == pytest.approx(mean * math.sqrt(2 / math.pi), rel=1e-6)


def test_bessel_in_dimension_3_is_elementary() -> None:
    unit = 2 * math.pi * unit_radius(3)
    s = np.linspace(0.1, 30, 50)
    expected = 6 / (math.pi * s**2) * (np.sin(s) / s - np.cos(s)) ** 2
    np.testing.assert_allclose(BesselRadius(3).pdf(s / unit) / unit, expected, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("dim", [2, 3, 10, 21, 50, 100, 101])
def test_bessel_sums(dim: int) -> None:
    # Below d/2 one sum is used and beyond it another one; the series of all orders holds everywhere.
    s = np.concatenate([np.linspace(0.3, 1.7, 15) * dim / 2, dim / 2 + np.array([50.0, 200.0])])
    series = np.array([radial_cdf(dim, float(at)) for at in s])
    np.testing.assert_allclose(distribution(dim, s), series, rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(survival(dim, s), 1 - series, atol=2e-13)
    a, b = 0.8 * dim / 2, 1.5 * dim / 2
    mass, _ = integrate.quad(lambda at: float(radial_density(dim, at)), a, b, epsabs=1e-13)
    assert float(np.diff(distribution(dim, [a, b]))[0]) == pytest.approx(mass, abs=1e-12)
    assert survival(dim, [-1.0, 0.0, math.inf]).tolist() == [1.0, 1.0, 0.0]
    assert distribution(dim, [-1.0, 0.0, math.inf]).tolist() == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("dim", [2, 3, 50, 101])
def test_bessel_table_against_the_sums(dim: int) -> None:
    q = np.random.default_rng(8).random(10**5)
    radius = BesselRadius(dim)
    worst = np.abs(radius.cdf(radius.ppf(q)) - q).max()
    assert 0 < worst < 1e-12
    # Far below the table.
    tiny = radius.ppf(1e-200) * 2 * math.pi * unit_radius(dim)
    assert 0 < tiny < dim / 10
    assert float(distribution(dim, tiny)) == pytest.approx(1e-200, rel=1e-10)


@pytest.mark.parametrize("dim", [2, 3, 20, 101])
def test_bessel_tail(dim: int) -> None:
    s = np.array([1e4, 1e6, 1e8, 1e12])
    ratio = survival(dim, s) * math.pi * s / dim
    assert np.all(np.abs(ratio - 1) < 1 / s + dim**2 / (12 * s**2) + 1e-14)
    # Norms beyond the end of the table are drawn in another way; there are many enough to see their law.
    unit, cut = 2 * math.pi * unit_radius(dim), dim / 2 + 64 * math.pi
    drawn = np.sort(BesselRadius(dim).sample(DRAWS, np.random.default_rng(9))) * unit
    beyond = drawn[drawn > cut]
    share = float(survival(dim, cut))
    assert abs(len(beyond) / DRAWS - share) < 3 * math.sqrt(share / DRAWS)
    assert 0.2 < smirnov(beyond, 1 - survival(dim, beyond) / share) < CRITICAL


@pytest.mark.parametrize(
    "law",
    [Gaussian(2), Gaussian(3), Student(50, 3), UniformBall(7), UniformNorm(100), Bessel(5), Shells(4, (1.0, 3.0))],
    ids=identity,
)
def test_directions_are_uniform_and_independent_of_the_norm(law: RadialLaw) -> None:
    n = 40_000
    points = law.sample(n, np.random.default_rng(10))
    norms = np.linalg.norm(points, axis=1)
    units = points / norms[:, np.newaxis]
    assert points.shape == (n, law.dim)
    if not isinstance(law, Shells):
        assert smirnov(np.sort(norms), law.radius.cdf(np.sort(norms))) < CRITICAL
    # A coordinate along any axis squares to Beta(1/2, (d-1)/2), among large norms as well.
    axis = np.random.default_rng(11).standard_normal(law.dim)
    for chosen in (units, units[norms >= np.median(norms)]):
        t = chosen @ axis / np.linalg.norm(axis)
        squares = np.sort(t**2)
        assert smirnov(squares, special.betainc(0.5, (law.dim - 1) / 2, squares)) < CRITICAL
        assert abs((t > 0).mean() - 0.5) < 3 * 0.5 / math.sqrt(len(t))
    covariance = units.T @ units / n * law.dim
    assert 0 < np.abs(covariance - np.eye(law.dim)).max() < 6 / math.sqrt(n)


def test_draws_repeat_from_the_seed() -> None:
    for law in (Bessel(20), Student(5, 2)):
        first, second, other = (law.sample(50, np.random.default_rng(seed)) for seed in (1, 1, 2))
        assert np.array_equal(first, second)
        assert not np.array_equal(first, other)


def test_scale_brings_the_median_norm_to_the_root_of_the_dimension() -> None:
    for law in (Gaussian(20), Student(3, 1), UniformBall(5, 4), UniformNorm(9), Bessel(10)):
        points = law.sample(20_001, np.random.default_rng(12)) * law.scale
        assert np.median(np.linalg.norm(points, axis=1)) == pytest.approx(math.sqrt(law.dim), rel=0.05)
    assert Shells(4, (1.0, 2.0)).scale == 2


def test_tails_are_declared() -> None:
    assert [law.mean_norm_is_finite for law in (Gaussian(2), Student(2, 1), Student(2, 1.5), Bessel(9))] == [
        True,
        False,
        True,
        False,
    ]
    assert (Student(2, 3).tail_index, Bessel(9).tail_index, UniformNorm(2).tail_index) == (3, 1, math.inf)


def test_specs_and_texts() -> None:
    shells = Shells(3, (1.0, 2.0), (3.0, 1.0))
    assert shells.spec() == {"law": "shells", "dim": 3, "radii": [1.0, 2.0], "weights": [0.75, 0.25]}
    assert Student(4, 3).spec() == {"law": "student", "dim": 4, "freedom": 3}
    assert [law.text for law in (Gaussian(2), Student(4, 2.5), UniformBall(3), UniformNorm(5), Bessel(6), shells)] == [
        "the standard Gaussian in dimension 2",
        "Student's law with 2.5 degrees of freedom in dimension 4",
        "the uniform law on the ball of radius 1 in dimension 3",
        "a norm uniform on [0, 2] and a uniform direction in dimension 5",
        "the Eldan-Shamir (Bessel) law in dimension 6",
        "spheres of radius 1, 2 in dimension 3",
    ]


@pytest.mark.parametrize(
    ("text", "law"),
    [
        ("gaussian", Gaussian(7)),
        (" student : 3 ", Student(7, 3)),
        ("ball", UniformBall(7)),
        ("ball:2", UniformBall(7, 2)),
        ("norm", UniformNorm(7)),
        ("norm:1.5", UniformNorm(7, 1.5)),
        ("bessel", Bessel(7)),
        ("shells:1,2", Shells(7, (1, 2))),
        ("shells:1=3,2=1", Shells(7, (1, 2), (3, 1))),
    ],
)
def test_laws_are_read(text: str, law: RadialLaw) -> None:
    assert parse_law(text, 7) == law


@pytest.mark.parametrize(
    ("text", "dim", "message"),
    [
        ("cauchy", 3, "the law 'cauchy'\n  needed: one of gaussian, student:3, ball, norm:2, shells:1,2, bessel"),
        (
            "besel",
            3,
            "the law 'besel'\n  needed: one of gaussian, student:3, ball, norm:2, shells:1,2, bessel\n"
            "  do:     did you mean bessel?",
        ),
        ("gaussian:3", 3, "the law 'gaussian:3'\n  found:  the parameter '3'\n  needed: gaussian, without a parameter"),
        ("student", 3, "the law 'student'\n  found:  ''\n  needed: student:3, the number being the degrees of freedom"),
        ("norm:x", 3, "the law 'norm:x'\n  found:  'x'\n  needed: norm:2, the number being the largest norm"),
        ("student:-1", 3, "the law student:-1\n  found:  -1 as the degrees of freedom\n  needed: a positive number"),
        ("ball:inf", 3, "the law ball:inf\n  found:  inf as the radius of the ball\n  needed: a positive number"),
        ("norm:nan", 3, "the law norm:nan\n  found:  nan as the largest norm\n  needed: a positive number"),
        ("bessel", 1, "the law bessel in dimension 1\n  needed: dim >= 2"),
        (
            "shells:2,1",
            3,
            "the law shells:2,1\n  needed: at least one radius, and radii that increase",
        ),
        (
            "shells:1=2,3",
            3,
            "the law shells:1,3\n  found:  weights for 1 of the radii\n"
            "  needed: one weight for each radius, or none at all",
        ),
        (
            "shells:",
            3,
            "the law 'shells:'\n  found:  ''\n"
            "  needed: shells:1,2, the numbers being radii, or shells:1=3,2=1 with weights for all of them",
        ),
    ],
)
def test_refused_laws(text: str, dim: int, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_law(text, dim)
    assert str(caught.value) == message


@pytest.mark.parametrize("law", CONTINUOUS, ids=identity)
def test_the_radius_of_a_target_is_a_population_quantile(law: RadialLaw) -> None:
    for quantile in (0.1, 0.5, 0.9):
        target = BallTarget(law, quantile)
        assert float(law.radius.cdf(target.radius)) == pytest.approx(quantile, rel=1e-12)
        assert target.probability == quantile
    given = BallTarget(law, radius=target.radius)
    assert (given.radius, given.quantile) == (target.radius, None)
    assert given.probability == pytest.approx(0.9, rel=1e-12)


def test_labels() -> None:
    target = BallTarget(Gaussian(3), 0.3)
    points = target.law.sample(100_000, np.random.default_rng(13))
    labels = target.label(points)
    assert labels.dtype == np.float64
    assert set(labels.tolist()) == {0.0, 1.0}
    assert abs(labels.mean() - 0.3) < 3 * math.sqrt(0.21 / len(labels))
    assert np.array_equal(labels, target.label_norms(np.linalg.norm(points, axis=1)))
    assert target.label_norms([target.radius, math.nextafter(target.radius, 9)]).tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("law", "options", "message"),
    [
        (Gaussian(3), {"quantile": 1.0}, "a ball of probability 1\n  needed: a quantile strictly between 0 and 1"),
        (
            UniformBall(3),
            {"radius": 1.5},
            "the indicator of ||x|| <= 1.5 on the uniform law on the ball of radius 1 in dimension 3\n"
            "  found:  the ball has probability 1\n  needed: a ball that holds some of the points but not all",
        ),
        (
            Gaussian(3),
            {"radius": math.nan},
            "the indicator of ||x|| <= nan on the standard Gaussian in dimension 3\n"
            "  found:  the ball has probability nan\n  needed: a ball that holds some of the points but not all",
        ),
        (
            Shells(3, (1.0, 2.0)),
            {"radius": 2.0},
            "the indicator of ||x|| <= 2 on spheres of radius 1, 2 in dimension 3\n"
            "  found:  the norm is exactly 2 with probability 0.5\n"
            "  needed: no atom on the boundary: rounding would decide the labels of all these points\n"
            "  do:     name a radius between the shells, such as radius=1.5",
        ),
    ],
)
def test_refused_targets(law: RadialLaw, options: dict[str, float], message: str) -> None:
    with pytest.raises(BadInput) as caught:
        BallTarget(law, **options)
    assert str(caught.value) == message


def test_shells_are_a_target_between_the_atoms() -> None:
    target = BallTarget(Shells(3, (1.0, 2.0), (3.0, 1.0)), radius=1.5)
    assert target.probability == 0.75
    assert target.label_norms(target.law.radius.ppf([0.0, 0.5, 1.0])).tolist() == [1.0, 1.0, 0.0]


def test_the_floor_is_that_of_the_lower_bounds() -> None:
    target = BallTarget(Gaussian(20))
    median, given = target.floor(400), BallTarget(Gaussian(20), radius=target.radius).floor(400)
    assert median.error_floor == pytest.approx(0.0556642794, abs=1e-9)
    assert given.error_floor == pytest.approx(float(median.error_floor), rel=1e-3)
    assert (median.measure, median.width_lower) == ("standard-gaussian", 401)
    smaller = BallTarget(Gaussian(20), 0.1).floor(400)
    assert 0 < smaller.error_floor < median.error_floor
    for law in (Bessel(20), Student(20, 3), UniformBall(20)):
        assert "the theorem is about the Gaussian" in BallTarget(law).floor(400).reason


def test_every_radius_keeps_the_protocol() -> None:
    for law in (*CONTINUOUS, Shells(2, (1.0,))):
        radius: Radius = law.radius
        assert radius.sample(0, np.random.default_rng(0)).shape == (0,)
        assert radius.cdf(np.ones((2, 3))).shape == (2, 3)
