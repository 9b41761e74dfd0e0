"""Certificates of equal networks: made through the checker only, written, read back, and evaluated exactly."""

import json
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import depthsep as ds
from depthsep.certificates import CertifiedEquality, certify_equality
from depthsep.certificates.equality import grid_indices
from depthsep.errors import BadInput, DocumentExists, NotProved
from depthsep.networks import DOMAINS, ReluNetwork
from depthsep.networks.accumulators import FLOAT32
from depthsep.small_weights.circuits import circuit_of
from depthsep.small_weights.compiler import compile_on_grid
from depthsep_check.document import encode

BITS = 3
STEEP = ReluNetwork.from_arrays([([[2**40 + 1, -(2**40)], [3, 5]], [0, -4]), ([[1, -1], [0, 2]], ["1/2", 0])])
CONE = ReluNetwork.from_arrays([([[4], [-4]], [-2, 2]), ([[1, 1]], [0])])
TALL = ReluNetwork.from_arrays([([[1]], [0]), ([["1/3"]], [0])])


@cache
def compiled(mode: str = "theorem", domain: str = DOMAINS[0], source: ReluNetwork = CONE, **options: Any) -> Any:
    bound = Fraction(max(abs(end) for interval in source.output_interval(domain) for end in interval))
    built = compile_on_grid(source, domain=domain, grid_bits=BITS, range_bound=bound, mode=mode, **options)
    claim = {
        "kind": "grid-equality",
        "dim": source.dim,
        "outputs": source.outputs,
        "domain": domain,
        "grid_bits": BITS,
        "arithmetic": "real",
        "range": str(bound),
        "range_proof": "intervals",
        "error": str(built.error),
        "max_weight": str(built.network.max_weight),
        "off_grid": None,
    }
    return certify_equality(source, built.network, claim, built.witness)


def doubled() -> CertifiedEquality:
    """The cone with other weights: the same function."""
    network = ReluNetwork.from_arrays([([[2], [-2]], [-1, 1]), ([[2, 2]], [0])])
    claim = {"kind": "same-function", "dim": 1, "outputs": 1, "domain": "R^d", "arithmetic": "real"}
    return certify_equality(
        CONE,
        network,
        claim | {"max_weight": "2", "rescaling_lower": None},
        {"kind": "canonical-forms", "critical_path": None},
    )


def circuit() -> CertifiedEquality:
    built = circuit_of(CONE, domain=DOMAINS[1], grid_bits=2, threshold=1)
    return certify_equality(CONE, built.circuit, built.claim, built.witness)


MAKERS = {"exact": doubled, "theorem": compiled, "compact": lambda: compiled("compact"), "circuit": circuit}


def all_indices(dim: int) -> np.ndarray:
    axis = np.arange(2**BITS + 1)
    return np.stack(np.meshgrid(*[axis] * dim, indexing="ij"), axis=-1).reshape(-1, dim)


def all_points(dim: int, domain: str) -> np.ndarray:
    unit = all_indices(dim) / 2.0**BITS
    return unit if domain == DOMAINS[0] else 2 * unit - 1


@pytest.mark.parametrize("name", MAKERS)
def test_documents_are_written_and_read_back(name: str, tmp_path: Path) -> None:
    made = MAKERS[name]()
    path = made.save(tmp_path / "equal.json")
    loaded = ds.load(path)
    assert isinstance(loaded, CertifiedEquality)
    assert loaded.summary() == made.summary()
    assert loaded.document == made.document
    assert loaded.source == CONE
    assert loaded.network.to_json() == made.network.to_json()
    assert loaded.verdict.ok
    assert json.loads(json.dumps(made.summary())) == made.summary()
    with pytest.raises(DocumentExists):
        made.save(path)
    made.save(path, force=True)


def test_the_facts_of_an_exact_rewriting() -> None:
    made = doubled()
    assert made.summary() == {
        "mode": "exact",
        "depth": 2,
        "neurons": 2,
        "nonzeros": 6,
        "max_weight": "2",
        "exact_on": "everywhere",
        "error_upper": "0",
        "dim": 1,
        "widths": [2],
        "source_depth": 2,
        "assumes": "",
        "digest": made.document["digest"],
        "verdict": "VERIFIED",
    }
    found = made.evaluate([[0.5], [0.75]])
    assert found.values.tolist() == [[0.0], [1.0]]
    assert (found.arithmetic, found.exact.tolist(), found.on_grid.tolist()) == ("float64", [False] * 2, [True] * 2)
    assert made.float_obstacle() == "nothing is known about the rounding of this network"
    assert made.flat_rounding_error_upper is None


def test_the_facts_of_a_compiled_network() -> None:
    made = compiled()
    facts = made.summary()
    assert (facts["mode"], facts["depth"], facts["exact_on"], facts["float_exact"]) == ("theorem", 9, "grid", True)
    assert facts["neurons"] == sum(facts["widths"]) == made.neurons
    assert facts["max_weight"] == made.claim["max_weight"]
    assert facts["nonzeros"] == made.nonzeros == made.network.nonzeros
    assert made.flat_rounding_error_upper == 0
    assert made.dim == 1


def test_the_facts_of_a_circuit() -> None:
    made = circuit()
    facts = made.summary()
    assert (facts["mode"], facts["depth"], facts["exact_on"]) == ("circuit", 5, "grid")
    assert facts["neurons"] == made.network.size
    assert facts["nonzeros"] == made.network.wires
    assert "float_exact" not in facts


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("mode", ["theorem", "compact", "merged"])
def test_values_are_those_of_the_source_at_every_grid_point(mode: str, domain: str) -> None:
    made = compiled(mode, domain, STEEP, output_bits=4)
    tops, bottom = STEEP.grid_values(all_indices(2), BITS, domain)
    found = made.evaluate(all_points(2, domain))
    assert found.exact.all()
    assert found.on_grid.all()
    assert made.error_upper == 0
    assert found.values.tolist() == [[float(Fraction(int(top), bottom)) for top in row] for row in tops]
    assert np.array_equal(made(all_points(2, domain)), found.values)


def test_where_float64_might_round_integers_are_used() -> None:
    made = compiled(source=STEEP, output_bits=4)
    assert made.float_obstacle().startswith("sums reach 2^")
    assert made.flat_rounding_error_upper is None
    assert made.summary()["float_exact"] is False
    found = made.evaluate([[0.125, 0.5], [0.1, 0.5]])
    assert found.arithmetic == "integers at grid points, float64 elsewhere"
    assert found.exact.tolist() == found.on_grid.tolist() == [True, False]
    exact = made.evaluate([[0.125, 0.5]]).values
    assert np.array_equal(found.values[:1], exact)
    assert np.array_equal(found.values[1:], made.network([[0.1, 0.5]]))


def test_a_scale_that_no_float_holds_is_applied_exactly() -> None:
    made = compiled(source=TALL)
    assert made.network.scale == Fraction(1, 24)
    assert made.float_obstacle() == "the scale 1/24 is no float64 number"
    tops, bottom = TALL.grid_values(all_indices(1), BITS, DOMAINS[0])
    assert made(all_points(1, DOMAINS[0])).tolist() == [[float(Fraction(int(top), bottom))] for top in tops[:, 0]]


def test_a_guarantee_for_float32_is_kept() -> None:
    made = compiled()
    assert made.float_obstacle(FLOAT32) == ""
    points = all_points(1, DOMAINS[0]).astype(np.float32)
    values = points
    for place, (weights, biases) in enumerate(made.network.sparse_layers()):
        values = np.maximum(values, 0) if place else values
        values = values @ weights.toarray().astype(np.float32).T + biases.astype(np.float32)
    assert values.dtype == np.float32
    assert np.array_equal(values.astype(np.float64), made(points))


def test_masks_are_found_in_every_mode() -> None:
    for mode, expected in (("theorem", (5,)), ("compact", (7,)), ("merged", ())):
        assert compiled(mode)._masked_layers == expected
    for mode in ("theorem", "compact"):
        made = compiled(mode, source=STEEP)
        (layer,) = made._masked_layers
        rows = made.network.rows[layer - 1]
        assert (rows.counts == 1).all()  # masks stand alone
        values, _ = made.network.on_grid(BITS, DOMAINS[0])
        highest = _unit_values(values[:layer], all_indices(2)).max(axis=1)
        limits = [max((abs(int(w)) for w in block.weights), default=0) for block in made.network.layers[layer - 1]]
        assert all(value <= limit for value, limit in zip(highest, limits, strict=True))


def _unit_values(rows: Any, indices: np.ndarray) -> np.ndarray:
    values = indices.T
    for layer in rows:
        values = np.maximum(layer.spread(layer.exact_sums(values), layer.biases), 0)
    return values


def test_circuits_are_evaluated_at_points_of_their_grid() -> None:
    made = circuit()
    found = made.evaluate([[-1.0], [-0.5], [0.0], [0.5]])
    assert found.values.tolist() == [[float(max(-4 * x + 2, 4 * x - 2) >= 1)] for x in (-1.0, -0.5, 0.0, 0.5)]
    assert found.arithmetic == "gates"
    assert found.exact.all()
    for wrong in (1.0, 0.1, 3.0):
        with pytest.raises(BadInput, match="row 1 is not on its grid\n  needed: coordinates X / 2\\^2"):
            made([[0.0], [wrong]])


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("bits", [0, 1, 5])
def test_grid_points_are_told_from_others(bits: int, domain: str) -> None:
    low, width = (0, 1) if domain == DOMAINS[0] else (-1, 2)
    indices = np.arange(2**bits + 1)
    points = low + width * indices / 2.0**bits
    found, on_grid = grid_indices(points[:, None], bits, domain)
    assert on_grid.all()
    assert found[:, 0].tolist() == indices.tolist()
    between = (points[1:] + points[:-1]) / 2
    near = np.nextafter(points, 9.0)
    outside = [low - width * 2.0**-bits, 1 + width * 2.0**-bits, 1e308, -1e308, -5e-324]
    _, on_grid = grid_indices(np.concatenate((between, near, outside))[:, None], bits, domain)
    assert not on_grid.any()


def test_a_row_is_on_the_grid_if_all_its_coordinates_are() -> None:
    _, on_grid = grid_indices(np.array([[0.5, 0.1], [0.5, 0.25]]), 2, DOMAINS[0])
    assert on_grid.tolist() == [False, True]
    with pytest.raises(BadInput, match="evaluate on a grid of 61 bits\n  needed: at most 60 bits"):
        grid_indices(np.array([[0.5]]), 61, DOMAINS[0])


def test_points_that_are_none_are_refused() -> None:
    with pytest.raises(BadInput, match="needed: shape \\(n, 1\\)"):
        compiled()([0.5])


def test_an_assumed_range_is_named() -> None:
    text = compiled().document_text
    document = json.loads(text)
    document["claim"]["range_proof"] = "assumed"
    made = CertifiedEquality(CONE, compiled().network, encode(document), compiled().verdict)
    assert made.assumes == "every output of the source is at most 4 in absolute value at every grid point"
    assert compiled().assumes == ""


def test_what_the_checker_refuses_is_not_certified(tmp_path: Path) -> None:
    made = doubled()
    claim = made.claim | {"max_weight": "1"}
    with pytest.raises(
        NotProved, match="the equality of two networks \\(same-function\\)\n  found:  REFUTED max_weight"
    ):
        certify_equality(made.source, made.network, claim, made.document["witness"])
    with pytest.raises(NotProved, match="UNSUPPORTED"):
        certify_equality(made.source, made.network, {"kind": "nearly-equal"}, made.document["witness"])
    document = json.loads(made.document_text)
    document["claim"]["max_weight"] = "1"
    path = tmp_path / "forged.json"
    path.write_text(encode(document))
    with pytest.raises(NotProved, match="nothing is proved about this network"):
        ds.load(path)
