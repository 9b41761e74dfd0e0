"""Networks of pairs of units with any activation: exact counts, evaluation, rounding, flat layers, documents."""

from fractions import Fraction

import numpy as np
import pytest

from depthsep.activations import ACTIVATIONS
from depthsep.errors import BadInput
from depthsep.networks import (
    ActivationGroup,
    ActivationNetwork,
    CodeCube,
    ExplicitDirections,
    Orbit,
    network_from_json,
)
from depthsep_check.activations import ACTIVATIONS as JUDGED

ARITHMETIC = ("relu", "leaky_relu", "hard_tanh")


def network(activation: str) -> ActivationNetwork:
    groups = (
        ActivationGroup(Orbit((2, 1), 3), (0.5, 4.0), (0.25, 1.0), (0.75, -1.25)),
        ActivationGroup(CodeCube(2, (0, 1, 2)), (2.0,), (-0.375,), (0.3,)),
        ActivationGroup(ExplicitDirections(((0.6, 0.8, 0.0), (0.1, 0.0, -0.7))), (1.0,), (0.0,), (1.0,)),
    )
    return ActivationNetwork(3, activation, 0.125, groups)


def points() -> np.ndarray:
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(40, 3))
    rows *= rng.uniform(size=(40, 1)) / np.linalg.norm(rows, axis=1, keepdims=True)
    return np.concatenate([rows, np.zeros((1, 3)), np.eye(3), -np.eye(3)])


def flat_values(net: ActivationNetwork, rows: np.ndarray) -> np.ndarray:
    (inner, biases), (outer, bias) = net.dense_layers()
    return ACTIVATIONS[net.activation].function(rows @ inner.T + biases) @ outer[0] + bias[0]


def test_every_activation_of_the_checker_can_be_evaluated() -> None:
    assert ACTIVATIONS.keys() == JUDGED.keys()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_functions_are_those_of_the_checker(activation: str) -> None:
    for place in (-30.0, -2.5, -1.0, -0.1, 0.0, 0.3, 1.0, 2.0, 40.0):
        net = ActivationNetwork(1, activation, 0.0, (ActivationGroup(Orbit((1,), 1), (1.0,), (-place,), (0.5,)),))
        low, high = net.enclose([Fraction(0)])
        value = float(ACTIVATIONS[activation].function(np.array([place]))[0])
        assert low - Fraction(1, 10**12) <= Fraction(value) <= high + Fraction(1, 10**12)
        assert high - low < Fraction(1, 10**20)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_all_evaluations_agree(activation: str) -> None:
    net, rows = network(activation), points()
    structured, flat = net.evaluate(rows), flat_values(net, rows)
    for row, value, other in zip(rows.tolist(), structured.values.tolist(), flat.tolist(), strict=True):
        low, high = net.enclose([Fraction(entry) for entry in row])
        slack = Fraction(1, 10**12) if structured.rounding_error_upper is None else structured.rounding_error_upper
        assert low - slack <= Fraction(value) <= high + slack
        if activation != "step":  # where a rounded projection may fall on the other side of a jump
            assert low - Fraction(1, 10**12) <= Fraction(other) <= high + Fraction(1, 10**12)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_rounding_bound_is_stated_only_where_it_is_proved(activation: str) -> None:
    net = network(activation)
    bounds = (net.rounding_error_upper, net.flat_rounding_error_upper, net.evaluate(points()).rounding_error_upper)
    if activation in ARITHMETIC:
        assert all(bound is not None and 0 < bound < Fraction(1, 10**10) for bound in bounds)
    else:
        assert bounds == (None, None, None)


@pytest.mark.parametrize("activation", ARITHMETIC)
def test_the_rounding_bound_holds_for_awkward_numbers(activation: str) -> None:
    rng = np.random.default_rng(7)
    slopes = tuple((2.0 ** rng.integers(-3, 12, size=30)).tolist())
    centres, weights = (tuple(rng.normal(size=30).tolist()) for _ in range(2))
    net = ActivationNetwork(3, activation, 0.1, (ActivationGroup(Orbit((3, 2, 1), 3), slopes, centres, weights),))
    rows = points()[:12]
    flat = flat_values(net, rows)
    for row, value, other in zip(rows.tolist(), net(rows).tolist(), flat.tolist(), strict=True):
        low, high = net.enclose([Fraction(entry) for entry in row])
        for found, bound in ((value, net.rounding_error_upper), (other, net.flat_rounding_error_upper)):
            assert bound is not None
            assert low - bound <= Fraction(found) <= high + bound
            assert bound < Fraction(1, 10**6)


def test_counts_are_those_of_the_flat_layers() -> None:
    for activation in ACTIVATIONS:
        net = network(activation)
        (inner, biases), (outer, bias) = net.dense_layers()
        arrays = (inner, biases, outer, bias)
        assert net.widths == (len(biases),) == (2 * (2 * 12 + 4 + 2),)
        assert net.depth == 2
        assert net.nonzeros == sum(int(np.count_nonzero(array)) for array in arrays)
        assert net.max_weight == max(float(np.abs(array).max()) for array in arrays)
        assert net.parameters == sum(array.size for array in arrays)
        path = float(np.abs(outer[0]) @ np.linalg.norm(inner, axis=1))
        assert path * (1 - 1e-12) <= net.path_norm <= path * (1 + 1e-9)


def test_the_exact_value() -> None:
    net = ActivationNetwork(1, "relu", 0.5, (ActivationGroup(Orbit((1,), 1), (2.0,), (0.25,), (3.0,)),))
    assert net.evaluate_exact([Fraction(1, 2)]) == 2
    with pytest.raises(BadInput, match="the exact value of a network with the activation tanh") as caught:
        network("tanh").evaluate_exact([Fraction(1, 3)] * 3)
    assert caught.value.do == "call network.enclose(point), which gives rationals on both sides of it"


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_document_gives_the_network_back(activation: str) -> None:
    net = network(activation)
    assert network_from_json(net.to_json()) == net
    assert net.to_json()["activation"] == activation


def test_weights_that_are_no_float64_are_refused() -> None:
    shift = ActivationNetwork(1, "tanh", 0.0, (ActivationGroup(Orbit((1,), 1), (0.1,), (0.7,), (1.0,)),))
    with pytest.raises(BadInput, match=r"the bias 0\.1 \* 0\.7, which no float64 equals") as caught:
        shift([[0.5]])
    assert caught.value.do == "take slopes that are powers of two"
    directions = ExplicitDirections(((0.1, 0.3),))
    row = ActivationNetwork(2, "tanh", 0.0, (ActivationGroup(directions, (3.0,), (0.0,), (1.0,)),))
    assert row([[0.5, 0.5]]) == pytest.approx([0.0])
    with pytest.raises(BadInput, match=r"the weight 3\.0 \* 0\.1, which no float64 equals"):
        row.dense_layers()
    tiny = ExplicitDirections(((5e-324, 1.0),))
    with pytest.raises(BadInput, match=r"the weight 0\.5 \* 5e-324"):
        ActivationNetwork(2, "tanh", 0.0, (ActivationGroup(tiny, (0.5,), (0.0,), (1.0,)),)).dense_layers()


def test_products_of_few_digits_are_exact_without_powers_of_two() -> None:
    net = ActivationNetwork(2, "erf", 0.0, (ActivationGroup(Orbit((2, 1), 2), (1.5,), (0.25,), (1.0,)),))
    rows = np.array([[0.25, -0.5], [0.5, 0.5]])
    assert flat_values(net, rows) == pytest.approx(net(rows), abs=1e-14)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ActivationGroup(Orbit((1,), 1), (0.0,), (0.0,), (1.0,)), "needed: positive slopes"),
        (lambda: ActivationGroup(Orbit((1,), 1), (-1.0,), (0.0,), (1.0,)), "needed: positive slopes"),
        (lambda: ActivationGroup(Orbit((1,), 1), (1.0,), (), (1.0,)), "one centre and one weight each"),
        (lambda: ActivationGroup(Orbit((1,), 1), (1.0,), (float("nan"),), (1.0,)), "a weight that is not finite"),
        (lambda: ActivationNetwork(2, "swish", 0.0, ()), "the activation swish\n  needed: one of relu, leaky_relu, "),
        (lambda: ActivationNetwork(2, "tanh", float("inf"), ()), "a weight that is not finite"),
        (lambda: ActivationNetwork(2, "tanh", 0.0, network("tanh").groups), "groups of dimensions \\[3\\]"),
        (lambda: network_from_json({"kind": "other"}), '"separable", "folded" or "smooth-separable"'),
    ],
)
def test_what_is_refused(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BadInput, match=message):
        make()


def test_weights_near_overflow_have_no_bound() -> None:
    group = ActivationGroup(Orbit((1,), 1), (2.0**600,), (0.0,), (2.0**500,))
    with pytest.raises(BadInput, match="weights near the overflow threshold of float64"):
        ActivationNetwork(1, "relu", 0.0, (group,)).rounding_error_upper  # noqa: B018
