"""The tubes bound: what is accepted, its numbers against other computations, and one forgery per hypothesis."""

import copy
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from flint import arb, fmpq
from scipy.integrate import quad
from scipy.special import betainc, jv

from depthsep_check import Status, check
from depthsep_check.document import encode
from depthsep_check.expression import parse
from depthsep_check.numbers import precision
from depthsep_check.theorems.tubes import Piece, Plan, error_floor, spectrum, tube_share
from depthsep_check.verdict import Budget, Refuted

Obj = dict[str, Any]

CONE: Obj = {
    "format": "depthsep",
    "version": 1,
    "made_by": "a test",
    "function": {"kind": "radial-pieces", "pieces": [{"from": "0", "to": "6", "expression": "1 - s/6"}]},
    "claim": {
        "kind": "tubes",
        "dim": 10,
        "domain": "R^d",
        "norm": "L2",
        "measure": "eldan-shamir",
        "depth": 2,
        "activation_class": "any",
        "weight_class": "any",
        "eps": "31/1000",
        "width": "12",
    },
    "witness": {"kind": "cuts", "start": "0", "cuts": ["3/2"], "nodes": [40]},
}

STEP: Obj = {
    **CONE,
    "function": {"kind": "radial-pieces", "pieces": [{"from": "0", "to": "13/2", "expression": "1"}]},
    "claim": {**CONE["claim"], "eps": "1/10", "width": "1"},
    "witness": {"kind": "cuts", "start": "0", "cuts": ["5/4", "3/2", "2"], "nodes": [50]},
}


def edited(obj: Obj, change: Callable[[Obj], object]) -> str:
    changed = copy.deepcopy(obj)
    change(changed)
    return encode(changed)


def put(path: str, value: Any) -> Callable[[Obj], None]:
    """A change of the entry at a dotted path."""

    def change(obj: Obj) -> None:
        *parents, last = path.split(".")
        for key in parents:
            obj = obj[int(key) if isinstance(obj, list) else key]
        obj[int(last) if isinstance(obj, list) else last] = value

    return change


def masses(
    text: str, dim: int, high: fmpq, cuts: list[fmpq], nodes: int, start: fmpq | None = None
) -> tuple[arb, list[arb], arb]:
    piece = Piece(fmpq(0), high, parse(text, ("s",)))
    with precision(128):
        found = spectrum((piece,), dim, Plan(start or fmpq(0), tuple(cuts), (nodes,)), Budget(10**6))
    return found.total, list(found.beyond), found.dropped


def test_accepted_and_what_it_says() -> None:
    verdict = check(encode(CONE))
    assert verdict.line == (
        "VERIFIED every N(x) = polynomial + sum of g_j(<v_j, x>), g_j measurable of polynomial growth (depth 2, any "
        "activation, any weights), with ||f - N|| <= 31/1000 in L2(gamma) on R^10 has at least 12 different lines "
        "R v_j, hence at least so many hidden units; gamma: the Eldan-Shamir law, s = 2 pi R ||x|| of density "
        "10 J_{5}(s)^2 / s, R the radius of the ball of volume 1; f(x) = F(s), F = 1 - s/6 for 0 <= s <= 6, 0 elsewhere"
    )
    assert check(encode(STEP)).ok


def test_the_largest_width_is_accepted_and_the_next_refused() -> None:
    """One cut: r < (1 - eps^2 / m) / tau, from masses computed by other means."""
    m, tau = reference_mass(lambda s: 1 - s / 6, 10, 6.0, 1.5), float(betainc(4.5, 0.5, 1 / 2.25))
    width = int((1 - 0.031**2 / m) / tau) + 1
    assert check(edited(CONE, put("claim.width", str(width)))).ok
    refused = check(edited(CONE, put("claim.width", str(width + 1))))
    assert refused.status is Status.REFUTED
    assert "the floor of that width minus 1 is not certainly above eps" in refused.text


def reference_mass(profile: Callable[[Any], Any], dim: int, high: float, cut: float) -> float:
    """m(cut, oo) in floats, by another way: total - int_0^cut d k I(k)^2 dk with I(k) by quadrature over s."""
    x, w = np.polynomial.legendre.leggauss(120)
    s, ws = high / 2 * (1 + x), high / 2 * w
    total = float(np.sum(ws * dim * profile(s) ** 2 * jv(dim / 2, s) ** 2 / s))
    k, wk = cut / 2 * (1 + x), cut / 2 * w
    inner = jv(dim / 2 - 1, np.outer(k, s)) @ (ws * profile(s) * jv(dim / 2, s))
    return total - float(np.sum(wk * dim * k * inner**2))


@pytest.mark.parametrize("dim", [2, 3, 5, 10, 31])
@pytest.mark.parametrize(
    ("text", "profile"),
    [
        ("1", np.ones_like),
        ("1 - s/9", lambda s: 1 - s / 9),
        ("cos(2*s)*exp(-s/7)", lambda s: np.cos(2 * s) * np.exp(-s / 7)),
    ],
)
def test_masses_agree_with_another_formula(dim: int, text: str, profile: Callable[[Any], Any]) -> None:
    high = dim / 2 + 2
    total, beyond, _ = masses(text, dim, fmpq(dim, 2) + 2, [fmpq(5, 4), fmpq(2), fmpq(4)], 90)
    for cut, mass in zip((1.25, 2.0, 4.0), beyond, strict=True):
        assert mass.rad() < 1e-15
        assert float(mass.mid()) == pytest.approx(
            reference_mass(profile, dim, high, cut), abs=1e-12 * float(total.mid()) + 1e-13
        )


def test_the_whole_mass_of_a_step_is_a_series_of_squares() -> None:
    mpmath.mp.dps = 30
    for dim, high in ((2, fmpq(1)), (7, fmpq(9, 2)), (40, fmpq(45, 2))):
        total, _, _ = masses("1", dim, high, [fmpq(2)], 70)
        x, order = mpmath.mpf(int(high.p)) / int(high.q), mpmath.mpf(dim) / 2
        exact = mpmath.besselj(order, x) ** 2 + 2 * mpmath.nsum(lambda k: mpmath.besselj(order + k, x) ** 2, [1, 80])  # noqa: B023
        assert abs(float(total.mid()) - float(exact)) < 1e-15


def test_a_cut_function_keeps_its_mass_up_to_the_charged_part() -> None:
    """Dropping F below the start changes the root of every mass by at most the norm that is charged."""
    cuts = [fmpq(3, 2), fmpq(2)]
    _, whole, nothing = masses("1 - s/27", 50, fmpq(27), cuts, 90)
    assert nothing == 0
    for start in (fmpq(12), fmpq(16), fmpq(20), fmpq(49, 2)):
        _, rest, dropped = masses("1 - s/27", 50, fmpq(27), cuts, 90, start)
        exact = quad(lambda s: 50 * (1 - s / 27) ** 2 * jv(25, s) ** 2 / s, 0, float(start.p) / float(start.q))[0]
        assert dropped >= exact**0.5
        for a, b in zip(whole, rest, strict=True):
            assert abs(a.sqrt() - b.sqrt()) <= dropped


def test_too_few_nodes_give_wide_balls_that_contain_the_truth() -> None:
    _, exact, _ = masses("cos(s)", 6, fmpq(8), [fmpq(2)], 80)
    for nodes in (4, 8, 12, 16, 20, 30):
        _, rough, _ = masses("cos(s)", 6, fmpq(8), [fmpq(2)], nodes)
        assert rough[0].contains(exact[0].mid())


def test_the_pieces_of_a_function_add_up() -> None:
    parts = tuple(Piece(fmpq(a), fmpq(b), parse("1 - s/6", ("s",))) for a, b in ((0, 1), (1, 4), (4, 6)))
    with precision(128):
        found = spectrum(parts, 10, Plan(fmpq(0), (fmpq(2),), (30, 40, 40)), Budget(10**6))
    _, whole, _ = masses("1 - s/6", 10, fmpq(6), [fmpq(2)], 60)
    assert found.beyond[0].overlaps(whole[0])
    assert found.beyond[0].rad() < 1e-20


@pytest.mark.parametrize("dim", [2, 3, 10, 100])
def test_the_share_of_a_sphere(dim: int) -> None:
    """The share of random points whose distance from an axis is at most 1 on the sphere of radius k."""
    points = np.random.default_rng(5).standard_normal((100_000, dim))
    sine = 1 - points[:, 0] ** 2 / np.sum(points**2, axis=1)
    for k in (1.01, 1.1, 1.5, 3.0):
        with precision(128):
            share = float(tube_share(dim, fmpq(*k.as_integer_ratio())).mid())
        assert share == pytest.approx(float(np.mean(sine <= 1 / k**2)), abs=0.008)


def test_the_cuts_stay_below_the_integral() -> None:
    """More cuts raise the floor, and none passes the integral (by a fine sum with right cuts)."""
    cuts = [fmpq(20 + i, 20) for i in range(1, 41)]
    piece = Piece(fmpq(0), fmpq(7, 2), parse("1", ("s",)))
    with precision(128):
        plan = Plan(fmpq(0), tuple(cuts), (60,))
        found = spectrum((piece,), 5, plan, Budget(10**6))
        mass, share = [float(x.mid()) for x in found.beyond], [float(x.mid()) for x in found.shares]
        for r in (1, 2, 5):
            usable = [i for i in range(40) if r * share[i] < 0.999]
            from_first = Plan(fmpq(0), tuple(cuts[i] for i in usable), (60,))
            part = spectrum((piece,), 5, from_first, Budget(10**6))
            full = error_floor(part, from_first, r)
            single = max((mass[i] * (1 - r * share[i])) ** 0.5 for i in usable)
            above = [reference_mass(np.ones_like, 5, 3.5, 1.0)] + [mass[i] for i in usable]
            upper = sum(
                a * (w - v)
                for a, w, v in zip(
                    above,
                    [1 - r * share[i] for i in usable] + [1.0],
                    [0.0] + [1 - r * share[i] for i in usable],
                    strict=True,
                )
            )
            assert single - 1e-12 <= float(full.mid()) <= upper**0.5


# One forgery per line of what a checker must refuse.

MALFORMED = {
    "a negative accuracy": put("claim.eps", "-1/100"),
    "accuracy 0": put("claim.eps", "0"),
    "a float accuracy": put("claim.eps", "0.031"),
    "a cut at 1": put("witness.cuts", ["1"]),
    "a cut below 1": put("witness.cuts", ["1/2", "3/2"]),
    "a negative cut": put("witness.cuts", ["-3/2"]),
    "cuts out of order": put("witness.cuts", ["2", "3/2"]),
    "a cut twice": put("witness.cuts", ["3/2", "3/2"]),
    "no cuts": put("witness.cuts", []),
    "too many cuts": put("witness.cuts", [f"{i}" for i in range(2, 70)]),
    "one node": put("witness.nodes", [1]),
    "no nodes": put("witness.nodes", []),
    "nodes for two pieces": put("witness.nodes", [40, 40]),
    "too many nodes": put("witness.nodes", [5000]),
    "nodes as a text": put("witness.nodes", ["40"]),
    "too many nodes together": lambda o: (
        put("witness.nodes", [3000, 3000])(o),
        put(
            "function.pieces", [{**o["function"]["pieces"][0], "to": "3"}, {**o["function"]["pieces"][0], "from": "3"}]
        )(o),
    ),
    "a mass in the witness": put("witness.mass", ["1"]),
    "a rho in the witness": put("witness.rho", "8"),
    "a negative start": put("witness.start", "-1"),
    "a start at the turning point": put("witness.start", "5"),
    "everything below the start": lambda o: (
        put("witness.start", "9/2")(o),
        put("function.pieces.0.to", "4")(o),
    ),
    "no pieces": put("function.pieces", []),
    "a piece that is empty": put("function.pieces.0.to", "0"),
    "a negative piece": put("function.pieces.0.from", "-1"),
    "an expression that is no text": put("function.pieces.0.expression", 1),
    "an expression in r": put("function.pieces.0.expression", "1 - r/6"),
    "a step in the language": put("function.pieces.0.expression", "indicator(s)"),
    "width 0": put("claim.width", "0"),
    "width -5": put("claim.width", "-5"),
    "half a unit": put("claim.width", "23/2"),
    "width as a number": put("claim.width", 12),
    "an infinite power": put("claim.width", "2^999999"),
    "dimension 1": put("claim.dim", 1),
    "dimension too large": put("claim.dim", 10**6),
    "depth 3": put("claim.depth", 3),
    "depth any": put("claim.depth", "any"),
    "an extra key": put("claim.squared", True),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str) -> None:
    verdict = check(edited(CONE, MALFORMED[name]))
    assert verdict.status is Status.MALFORMED, verdict.line


def test_overlapping_pieces() -> None:
    """Overlaps would count mass twice in the whole but not in the part below a cut."""
    piece = {"from": "0", "to": "6", "expression": "1 - s/6"}
    for other in ({"from": "5", "to": "7", "expression": "1"}, {"from": "0", "to": "6", "expression": "1"}):
        verdict = check(edited(CONE, put("function.pieces", [piece, other])))
        assert verdict.line == "MALFORMED function.pieces[1]: the pieces must be ordered and must not overlap"


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        ("claim.norm", "L2-squared", "claim.norm 'L2-squared' (known: L2)"),
        ("claim.norm", "sup", "claim.norm 'sup' (known: L2)"),
        ("claim.measure", "gaussian", "claim.measure 'gaussian' (known: eldan-shamir)"),
        ("claim.measure", "uniform", "claim.measure 'uniform' (known: eldan-shamir)"),
        ("claim.domain", "unit-ball", "claim.domain 'unit-ball' (known: R^d)"),
        ("claim.weight_class", "entries", "claim.weight_class 'entries' (known: any)"),
        ("claim.activation_class", "relu", "claim.activation_class 'relu' (known: any)"),
        ("witness.kind", "masses", "witness.kind 'masses' (known: cuts)"),
        ("function.kind", "radial", "function.kind 'radial' (known: radial-pieces)"),
        ("function.pieces.0.expression", "max(0, 1 - s/6)", "abs, min and max are not analytic"),
        ("function.pieces.0.expression", "abs(s - 1)", "abs, min and max are not analytic"),
    ],
)
def test_unsupported(path: str, value: str, what: str) -> None:
    verdict = check(edited(CONE, put(path, value)))
    assert verdict.status is Status.UNSUPPORTED, verdict.line
    assert what in verdict.text


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        # a mass that is not positive turns 1 - eps^2/m into a large number; a negative weight does the same
        (put("claim.width", "1000000"), "at the cut 3/2 so many tubes may cover the sphere"),
        (put("claim.width", "2^300"), "at the cut 3/2 so many tubes may cover the sphere"),
        (put("witness.nodes", [4]), "the mass beyond the cut 3/2 is not certainly positive"),
        (put("claim.eps", "33/1000"), "not certainly above eps"),
        (put("claim.eps", "1/2"), "not certainly above eps"),
        (put("claim.dim", 3), "so many tubes may cover the sphere"),
        (put("function.pieces.0.expression", "0"), "the mass beyond the cut 3/2 is not certainly positive"),
        (put("function.pieces.0.expression", "1/s"), "is not certainly bounded on [0, 6]"),
        (put("function.pieces.0.expression", "log(s)"), "is not certainly bounded on [0, 6]"),
        (put("function.pieces.0.expression", "sqrt(6 - s)"), "is not certainly bounded on [0, 6]"),
        (put("function.pieces.0.expression", "1/(s^2 - 36)"), "is not certainly bounded on [0, 6]"),
        (put("function.pieces.0.expression", "sqrt(s + 1/10000)"), "is not certainly analytic near [0, 6]"),
    ],
)
def test_refuted(change: Callable[[Obj], None], reason: str) -> None:
    verdict = check(edited(CONE, change))
    assert verdict.status is Status.REFUTED, verdict.line
    assert reason in verdict.text


def test_a_part_that_is_dropped_is_charged() -> None:
    """Nearly all of this function lies below the start; the small rest must not prove a bound for it."""
    forged = copy.deepcopy(STEP)
    forged["function"]["pieces"][0]["expression"] = "1000*exp(-5*s)"
    forged["witness"]["start"] = "49/10"
    verdict = check(encode(forged))
    assert verdict.line == "REFUTED tubes: the part of the function below the start may outweigh the rest"


def test_an_unbounded_part_cannot_be_dropped() -> None:
    forged = copy.deepcopy(STEP)
    forged["function"]["pieces"][0]["expression"] = "1/s"
    forged["witness"]["start"] = "3"
    verdict = check(encode(forged))
    assert verdict.line == "REFUTED tubes: '1/s' is not certainly bounded on [0, 13/2]"


def test_left_cuts_only() -> None:
    """A right cut would give the masses between two cuts the weight of the upper one; that claim is refused."""
    claim = STEP["claim"]
    masses_found = [reference_mass(np.ones_like, 10, 6.5, k) for k in (1.25, 1.5, 2.0)]
    weights = [1 - 8 * float(betainc(4.5, 0.5, 1 / k**2)) for k in (1.25, 1.5, 2.0)]
    weights = [max(w, 0.0) for w in weights]
    left = sum(m * (w - v) for m, w, v in zip(masses_found[1:], weights[1:], [0.0, *weights[1:]], strict=False)) ** 0.5
    right = (masses_found[0] * weights[1] + masses_found[1] * (weights[2] - weights[1])) ** 0.5
    assert left < right
    for eps, ok in ((left - 1e-6, True), ((left + right) / 2, False)):
        changed = {**claim, "eps": str(fmpq(int(eps * 10**9), 10**9)), "width": "9"}
        witness = {**STEP["witness"], "cuts": ["3/2", "2"]}
        assert check(encode({**STEP, "claim": changed, "witness": witness})).ok is ok


def test_no_document_runs_for_hours() -> None:
    heavy = edited(
        CONE,
        lambda o: (
            put("function.pieces.0.to", "300")(o),
            put("witness.cuts", [str(i) for i in range(2, 66)])(o),
            put("witness.nodes", [4096])(o),
        ),
    )
    verdict = check(heavy)
    assert verdict.line == "EXHAUSTED tubes: the work limit of 150000 units was reached"
    far = check(edited(CONE, put("function.pieces.0.to", "1000000")))
    assert far.line == "EXHAUSTED tubes: cut times support is 1500000, at most 20000 is allowed"


def test_a_wide_ball_never_passes() -> None:
    """The comparison accepts only what is certain, at whatever precision the masses are known."""
    plan = Plan(fmpq(0), (fmpq(3, 2),), (40,))
    piece = Piece(fmpq(0), fmpq(6), parse("1 - s/6", ("s",)))
    with precision(128):
        found = spectrum((piece,), 10, plan, Budget(10**6))
        for bad, share in ((arb(0, 1), arb(0, 1)), (arb("nan"), arb("nan")), (arb(-1), arb(1)), (arb("+/- inf"),) * 2):
            with pytest.raises(Refuted, match="not certainly positive"):
                error_floor(type(found)(found.total, (bad,), found.shares, found.dropped), plan, 5)
            with pytest.raises(Refuted, match="may cover"):
                error_floor(type(found)(found.total, found.beyond, (share,), found.dropped), plan, 5)
        with pytest.raises(Refuted, match="may outweigh"):
            error_floor(type(found)(found.total, found.beyond, found.shares, arb("nan")), plan, 5)
