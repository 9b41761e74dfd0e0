"""Valid documents with every stored number, word and list changed: none may be verified unless its claim is true."""

import importlib.util
import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import depthsep as ds
from depthsep.constructions import deep_smooth
from depthsep.constructions.activation_radial import build_with_activation
from depthsep.constructions.random_directions import build_random_directions
from depthsep.constructions.random_frames import build_random
from depthsep.constructions.reflection_groups import reflection_cone
from depthsep.constructions.univariate_fit import fit
from depthsep.functions import BallIndicator, Radial
from depthsep.lower_bounds import cells_bound, rank_bound
from depthsep.lower_bounds.crossings import crossings_bound
from depthsep.lower_bounds.degrees import degrees_bound
from depthsep.lower_bounds.gaussian_floor import gaussian_floor
from depthsep.lower_bounds.moment_limits import MomentLimit, moment_limit
from depthsep.lower_bounds.radial_dual import radial_dual_bound
from depthsep.lower_bounds.tubes import tubes_bound, tubes_floor
from depthsep.own_activations import forget_activation, register_activation
from depthsep_check import Status, check
from depthsep_check.document import APPROXIMATIONS, EQUALITIES, THEOREMS, encode

Obj = dict[str, Any]

HALF = Fraction(1, 2)
MUTANTS = 240
MUTANTS_OF_LAYERS = 1000  # documents that list a whole network have more places to change


def _module(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HERE = Path(__file__).parent
mutants = _module("depthsep_tests_mutants", HERE / "mutants.py").mutants
attack = _module("depthsep_tests_attack", HERE.parent / "attack" / "attack.py")
folded_layers = _module("depthsep_tests_folded_layers", HERE / "folded_layers.py")
judge = _module("depthsep_tests_judge", HERE / "judge.py").Judge(attack, folded_layers)
equality_judge = _module("depthsep_tests_equality_judge", HERE / "equality_judge.py")


def _network(function: str, dim: int, eps: str | None, depth: int = 2) -> str:
    return ds.build(function, dim=dim, eps=eps, depth=depth).document_text


def _activation(function: str, dim: int, eps: str, activation: str) -> str:
    return build_with_activation(Radial(function, dim), Fraction(eps), activation).document_text


def _steep(dim: int) -> list[Any]:
    """A comparator and a little more: weights of very different sizes that nearly cancel."""
    first = [[513] * dim, [-512] * dim]
    return [(first, [-200, "401/2"]), ([["1/4", "1/2"], [1, -1]], [0, -3]), ([[1, -2]], ["1/8"])]


def _on_grid(dim: int, mode: str, domain: str) -> str:
    made = ds.shrink(_steep(dim)[::2] if mode == "merged" else _steep(dim), grid_bits=2, mode=mode, domain=domain)
    return made.certified.document_text


def _coarse_cells() -> str:
    """A cells bound on a grid that is coarse enough to be replayed some hundred times."""
    document = json.loads(cells_bound(Radial("1 - r", 10), 10, Fraction(1, 100), 3).document)
    document["witness"]["grid"] = 1024
    while not check(encode(document)).ok:
        document["claim"]["width"] -= 1
    return encode(document)


def _moment_limit(function: str, degree: int) -> str:
    limit = moment_limit(Radial(function, 3), degree)
    assert isinstance(limit, MomentLimit)
    return limit.document


def _random_frames() -> str:
    """With few angles, so that most mutants change something else."""
    document = build_random("1/2 + 2*r", dim=3, eps="0.6", failure_probability="2^-30").document
    for key in ("angles_high", "angles_low"):
        document["witness"][key] = document["witness"][key][::60]
    while not check(encode(document)).ok:
        document["claim"]["bits"] -= 1
    return encode(document)


def _own_activation() -> str:
    """A fit by an activation that is given by a formula."""
    register_activation("mutated", "t/(1+abs(t))")
    try:
        return fit("t", ("-1", "1"), "1/4", "mutated").document_text
    finally:
        forget_activation("mutated")


def _own_network() -> str:
    """A network with an activation that is given by a formula."""
    register_activation("mutated", "t/(1+abs(t))")
    try:
        return _activation("1 - r", 2, "0.25", "mutated")
    finally:
        forget_activation("mutated")


def _folded(document: Obj, max_weight: str) -> str:
    """With an error and a bound of the weights that are nearly as small as can be proved."""
    document["claim"].update(max_weight=max_weight)
    if document["claim"]["domain"] == "sphere-pairs":
        document["claim"]["norm_slack"] = "1/200"
    errors = [dict(document["claim"], error=f"{thousandths}/1000") for thousandths in range(1, 400)]
    return next(text for claim in errors if check(text := encode({**document, "claim": claim})).ok)


NETWORKS: dict[str, Callable[[], str]] = {
    "explicit": lambda: _network("1 - r", 2, "0.1"),
    "reflection group": lambda: reflection_cone(Radial("3/4 - 2*r", 3), Fraction("0.24")).document_text,
    "orbit and affine unit": lambda: _network("sqrt(r^2)", 4, "0.2"),
    "orbit and code": lambda: _network("abs(r - 1/2)", 5, "0.2"),
    "gelu": lambda: _activation("1 - r", 2, "0.2", "gelu"),
    "sigmoid": lambda: _activation("1 - r", 3, "0.25", "sigmoid"),
    "formula": _own_network,
    "deep": lambda: _network("1 - r", 3, "0.1", 3),
    "ball": lambda: _network("ball(1/2, 0.05)", 3, None, 3),
}
FOLDED: dict[str, Callable[[], str]] = {
    "folded knots": lambda: _folded(folded_layers.periodic("norm", "knots", 2, [5]), "13/2"),
    "folded squares": lambda: _folded(folded_layers.periodic("sphere-pair", "deep folds", 5, [2]), "256"),
    "folded pairs": lambda: _folded(folded_layers.periodic("ball-pair", "folds", 11, []), "29"),
    "folded kinks": lambda: _folded(folded_layers.general("sphere-pair", "knots"), "2"),
}
SMOOTH: dict[str, Callable[[], str]] = {
    "softplus squares": lambda: deep_smooth.search(Radial("1 - r", 3), Fraction(1, 5), "softplus").document_text,
    "tanh squares": lambda: deep_smooth.search(Radial("1 - r", 2), Fraction(1, 4), "tanh").document_text,
}
BOUNDS: dict[str, Callable[[], str]] = {
    "rank": lambda: rank_bound(Radial("1 - r", 10), 10, Fraction(1, 10)).document,
    "rank of a ball": lambda: rank_bound(BallIndicator(HALF, Fraction(1, 20), 3), 3, Fraction(1, 4)).document,
    "cells": _coarse_cells,
    "crossings": lambda: crossings_bound("cos(20*r^2)", 3, HALF).document,
    "crossings on spheres": lambda: crossings_bound("cos(12*t)", 3, HALF, depth=3, domain="spheres").document,
    "bends": lambda: crossings_bound("r^2", 3, Fraction(1, 100)).document,
    "degrees listed": lambda: degrees_bound("sin(30*t)", 5, Fraction(1, 4), 4).document,
    "degrees tail": lambda: degrees_bound("sin(30*t)", 5, Fraction(1, 4), 4, method="closed").document,
    "gaussian median": lambda: gaussian_floor("ball(median)", 5, 10).document,
    "gaussian radius": lambda: gaussian_floor("ball(2)", 4, 3).document,
    "moment limit": lambda: _moment_limit("sin(12*r)/3", 8),
    "random directions": lambda: build_random_directions("exp(-4*r^2)", 6, "0.3", "2^-10").document_text,
    "random frames": _random_frames,
    "radial dual": lambda: radial_dual_bound("cos(12*r)", 5, HALF, Fraction(2)).document,
    "tubes": lambda: tubes_bound("max(0, 1 - s/6)", 5, Fraction(1, 50)).document,
    "univariate kinks": lambda: fit("abs(t)", ("-1", "1"), "1/10", "gelu").document_text,
    "univariate formula": _own_activation,
    "univariate jumps": lambda: fit("t", ("-1", "1"), "1/5", "step").document_text,
    "tubes floor": lambda: tubes_floor("indicator(s <= 3.5)", 5, 5).document,
}
EQUALITIES_OF_NETWORKS: dict[str, Callable[[], str]] = {
    "balanced": lambda: ds.balance(_steep(2)).certified.document_text,
    "padded": lambda: ds.shrink(_steep(1), max_weight=16, mode="pad").certified.document_text,
    "theorem": lambda: _on_grid(1, "theorem", "0,1"),
    "compact": lambda: _on_grid(1, "compact", "-1,1"),
    "merged": lambda: _on_grid(1, "merged", "0,1"),
    "circuit": lambda: ds.circuit(_steep(1), grid_bits=2, threshold="1/2").document_text,
    "exact sawtooth": lambda: ds.exact_sawtooth(3, depth=3).document_text,
    "exact parity": lambda: ds.exact_parity(5).document_text,
    "exact cantor": lambda: ds.exact_cantor(2).document_text,
    "exact maximum": lambda: ds.exact_maximum(3).document_text,
}
BUILDERS = NETWORKS | FOLDED | SMOOTH | BOUNDS | EQUALITIES_OF_NETWORKS


@pytest.fixture(scope="session")
def document() -> Callable[[str], Obj]:
    """Give a valid document by its name, built once."""
    built: dict[str, str] = {}

    def give(name: str) -> Obj:
        if name not in built:
            built[name] = BUILDERS[name]()
        loaded: Obj = json.loads(built[name])
        return loaded

    return give


def holds(document: Obj) -> bool:
    """Whether the claim is true, by the judge for its kind."""
    return bool((equality_judge if document["claim"]["kind"] in EQUALITIES else judge).holds(document))


def claimed(document: Obj) -> list[Any]:
    """What a document says about the world; the witness is how it says so."""
    return [document.get(part) for part in ("function", "claim", "network")]


def test_every_kind_of_claim_is_here(document: Callable[[str], Obj]) -> None:
    kinds = {document(name)["claim"]["kind"] for name in BUILDERS}
    assert kinds == {"sup-error", "width-lower", *THEOREMS, *EQUALITIES, *APPROXIMATIONS}


@pytest.mark.parametrize("name", BUILDERS)
def test_no_mutant_is_verified_unless_its_claim_holds(name: str, document: Callable[[str], Obj]) -> None:
    original = document(name)
    assert check(encode(original)).ok
    assert holds(original)
    verdicts: Counter[Status] = Counter()
    false = []
    limit = MUTANTS_OF_LAYERS if original["claim"]["kind"] in EQUALITIES else MUTANTS
    for mutant in mutants(original, limit):
        status = check(encode(mutant.document)).status
        verdicts[status] += 1
        same = claimed(mutant.document) == claimed(original)
        if status is Status.VERIFIED and not same and not holds(mutant.document):
            false.append(mutant.change)
    assert not false
    refused = verdicts.total() - verdicts[Status.VERIFIED]
    assert refused >= 0.55 * verdicts.total() >= 100
    assert min(verdicts[status] for status in (Status.REFUTED, Status.MALFORMED, Status.UNSUPPORTED)) >= 1


@pytest.mark.parametrize("name", BUILDERS)
def test_a_stale_digest_is_refused(name: str, document: Callable[[str], Obj]) -> None:
    original = document(name)
    assert check(json.dumps(original)).ok
    stale = [{**mutant.document, "digest": original["digest"]} for mutant in mutants(original, MUTANTS)]
    verdicts = [check(json.dumps(obj)) for obj in stale]
    assert {verdict.status for verdict in verdicts} <= {Status.MALFORMED, Status.UNSUPPORTED}
    assert sum(verdict.text == "digest: it is not the digest of this document" for verdict in verdicts) >= 100


@pytest.mark.parametrize("name", BUILDERS)
def test_damaged_text_is_refused(name: str, document: Callable[[str], Obj]) -> None:
    """Bytes cut out, doubled or overwritten: nothing is raised, and only what still reads the same is verified."""
    original = document(name)
    text = encode(original).encode()
    rng = random.Random(1)
    read_as_before = 0
    for _ in range(60):
        at, length = rng.randrange(len(text)), rng.randrange(1, 40)
        filling = rng.choice((b"", text[at : at + length] * 2, rng.randbytes(length)))
        damaged = text[:at] + filling + text[at + length :]
        if check(damaged).ok:
            assert json.loads(damaged) == original
            read_as_before += 1
    assert read_as_before < 30
    assert not any(check(text[:end]).ok for end in range(0, len(text) - 2, 50))


STRONGER: dict[str, Callable[[Obj], object]] = {
    "sup-error": lambda d: d["claim"].update(error=str(Fraction(d["claim"]["error"]) * 3 / 5)),
    "folded-error": lambda d: d["claim"].update(error=str(Fraction(d["claim"]["error"]) * 3 / 5)),
    "smooth-error": lambda d: d["claim"].update(error=str(Fraction(d["claim"]["error"]) * 3 / 5)),
    "width-lower": lambda d: d["claim"].update(width=d["claim"]["width"] + 2),
    "crossings": lambda d: d["claim"].update(product=d["claim"]["product"] + 1),
    "degrees": lambda d: d["claim"]["width"].update(mantissa=2 * d["claim"]["width"]["mantissa"]),
    "gaussian-floor": lambda d: d["claim"].update(error_floor=str(Fraction(d["claim"]["error_floor"]) * 101 / 100)),
    "moment-limit": lambda d: d["claim"].update(limit=str(Fraction(d["claim"]["limit"]) * 101 / 100)),
    "radial-dual": lambda d: d["claim"].update(path_norm=str(Fraction(d["claim"]["path_norm"]) * 101 / 100)),
    "random-directions": lambda d: d["claim"].update(directions=d["claim"]["directions"] * 3 // 4),
    "random-frames": lambda d: d["claim"].update(frames=d["claim"]["frames"] - 2),
    "univariate": lambda d: d["claim"].update(error=str(Fraction(d["claim"]["error"]) * 3 / 5)),
    "tubes": lambda d: d["claim"].update(width=str(2 * int(d["claim"]["width"]))),
    "same-function": lambda d: d["function"]["layers"][-1]["biases"].__setitem__(0, "7"),
    "grid-equality": lambda d: d["claim"].update(max_weight="1"),
    "circuit-equality": lambda d: d["network"]["output"].update(constant=1),
    "exact-target": lambda d: d["network"]["layers"][-1]["biases"].__setitem__(0, "7"),
}


@pytest.mark.parametrize("name", BUILDERS)
def test_the_judge_sees_false_claims(name: str, document: Callable[[str], Obj]) -> None:
    """Otherwise the test of the mutants would prove nothing."""
    false = document(name)
    if name == "ball":
        false["network"]["second"]["bias"] = (2**-20).hex()
    else:
        STRONGER[false["claim"]["kind"]](false)
    assert not holds(false)
    assert check(encode(false)).status in (Status.REFUTED, Status.MALFORMED)
