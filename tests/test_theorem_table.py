"""The table of theorems: complete as data, honest about what is from memory, and right about what is computed."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from depthsep.cli.cite import SOURCES
from depthsep.cli.who import markdown, reference
from depthsep.errors import BadInput
from depthsep.lower_bounds.named import safran_eldan_shamir_4
from depthsep.theorem_table import THEOREMS, Theorem, Value, select, values_of, words_of
from depthsep.theorem_table.rows import KINDS
from depthsep.theorem_table.values import COMPUTATIONS

DOCS = Path(__file__).parents[1] / "docs"
STATUSES = {"certified", "proved formula", "source's formula", "estimate", "not computed"}


def theorem(key: str) -> Theorem:
    return next(row for row in THEOREMS if row.key == key)


def amounts(key: str, dim: int, eps: str = "0.1") -> list[str]:
    return [value.text for value in values_of(theorem(key), dim, eps)]


# ------------------------------------------------------------------------------------------------------------------
# The data


def test_keys_are_unique_and_every_row_says_what_it_must() -> None:
    assert len({row.key for row in THEOREMS}) == len(THEOREMS) > 40
    for row in THEOREMS:
        assert row.kind in KINDS, row.key
        assert row.weights in ("any", "bounded", "not recorded"), row.key
        assert row.norm in ("sup", "L2", "L1", "exact", "not recorded"), row.key
        assert all((row.authors, row.targets, row.domain, row.depth, row.activation, row.statement)), row.key
        assert row.statement.endswith("."), row.key
        assert "\n" not in row.statement, row.key
        assert row.norm != "L2" or row.measure, row.key
        assert row.weights != "bounded" or row.weights_detail, row.key


def test_references_are_those_of_cite_and_not_written_twice() -> None:
    for row in THEOREMS:
        if row.cite:
            assert f"year      = {{{row.year}}}" in SOURCES[row.cite], row.key
            assert (row.title, row.venue, row.arxiv) == ("", "", ""), row.key
            assert all(author in SOURCES[row.cite] for author in row.authors), row.key
        else:
            assert (row.year is None) == (row.authors in (("depthsep",), ("folklore",))), row.key
    used = {row.cite for row in THEOREMS}
    assert used - {""} == set(SOURCES) - {"bose1960class", "johansson2017arb"}


def test_constants_quoted_from_memory_carry_the_mark() -> None:
    assert theorem("hsu-sanford-servedio-vlatakis").from_memory.startswith("the whole formula")
    hypotheses = values_of(theorem("hsu-sanford-servedio-vlatakis"), 10, "0.1")[0].hypotheses
    assert "quoted from memory, Theta set to one" in hypotheses


def test_every_computation_is_of_some_theorem() -> None:
    assert {row.value for row in THEOREMS} - {""} == set(COMPUTATIONS)


def test_the_page_in_the_docs_is_the_table() -> None:
    page = (DOCS / "theorems.md").read_text(encoding="utf-8")
    assert page == markdown(list(THEOREMS)), "write it again: depthsep who --markdown > docs/theorems.md"


def test_references_as_text() -> None:
    assert reference(theorem("telgarsky")) == "arXiv:1509.08101"
    assert reference(theorem("venturi-jelassi-ozuch-bruna")) == "JMLR 22"
    assert reference(theorem("bresler-nagaraj")) == ""


# ------------------------------------------------------------------------------------------------------------------
# Choosing


def test_filters_combine_and_capitals_do_not_matter() -> None:
    both = select(target="RADIAL", norm="l2", weights="any")
    assert {row.key for row in both} >= {"eldan-shamir", "safran-lee-depth-2"}
    assert all("radial" in row.targets and row.norm == "L2" and row.weights == "any" for row in both)
    assert select() == list(THEOREMS)


def test_a_theorem_about_any_activation_is_about_each() -> None:
    keys = {row.key for row in select(activation="tanh")}
    assert {"rank", "rolnick-tegmark"} <= keys
    assert "cells" not in keys
    assert {row.activation for row in select(activation="any")} == {("any",)}


def test_filters_that_nothing_meets_leave_nothing() -> None:
    assert select(target="parity", norm="sup") == []


@pytest.mark.parametrize(
    ("name", "word", "hint"),
    [("target", "bal", "did you mean 'ball'?"), ("norm", "sup.", "did you mean 'sup'?"), ("weights", "2^d", "")],
)
def test_unknown_words_list_the_known_ones(name: str, word: str, hint: str) -> None:
    with pytest.raises(BadInput) as caught:
        select(**{name: word})
    assert caught.value.asked == f"theorems with the {name} {word!r}"
    assert caught.value.needed == f"one of {', '.join(words_of(name))}"
    assert caught.value.do == hint


# ------------------------------------------------------------------------------------------------------------------
# Values


@pytest.fixture(scope="module")
def everything() -> dict[str, tuple[Value, ...]]:
    return {row.key: values_of(row, 10, "0.1") for row in THEOREMS}


def test_every_value_has_a_status_and_hypotheses_or_a_reason(everything: dict[str, tuple[Value, ...]]) -> None:
    for key, values in everything.items():
        assert bool(values) == bool(theorem(key).value), key
        for value in values:
            assert value.status in STATUSES
            assert value.applies == (value.amount is not None) == (not value.reason), key
            assert value.hypotheses or not value.applies, (key, value.name)
            if not value.applies:
                assert value.text.startswith(("does not apply: ", "not computed: ")), key


def test_certified_values_are_those_of_the_bounds(everything: dict[str, tuple[Value, ...]]) -> None:
    assert everything["rank"][0].exact == 10
    assert everything["daniely"][0].amount == "2^36.96"
    assert everything["daniely-depth-3"][1].amount == "5,360 + 4,002"
    assert everything["separable"][0].amount == "40 + 2"
    assert everything["rolnick-tegmark"][0].amount == "12 + 2"
    assert everything["crossings"][0].exact == 2 * 10**3 - 1


def test_theorem_four_at_an_accuracy_of_its_own() -> None:
    eps = Fraction(1, 10**8)
    found = values_of(theorem("ses-4"), 10, eps)
    assert [value.exact for value in found] == [
        ours.bound.width_lower for ours in safran_eldan_shamir_4(10, eps).ours if not hasattr(ours.bound, "reason")
    ]
    assert all("sup norm on unit-ball" in value.hypotheses for value in found)


def test_where_hypotheses_fail_the_value_says_why() -> None:
    assert amounts("ses-4", 10)[0].startswith("does not apply: eps = 1/10 is not below the L2 distance of the function")
    assert amounts("daniely", 2) == ["does not apply: it needs a dimension of at least 3, not 2"]
    assert amounts("telgarsky", 4, "1/2")[1] == "does not apply: eps = 1/2 is not below 1/2: a constant is enough"
    assert amounts("ses-2", 10, "1/2") == ["does not apply: the constant 1/2 is within 1/2 of it"]
    assert amounts("bakaev", 3) == ["does not apply: it needs a dimension of at least 4, not 3"]


def test_the_source_of_daniely_is_quoted_for_its_accuracy_only() -> None:
    assert amounts("daniely", 20)[1].startswith("does not apply: the source is about the accuracy 1/(50 e^2 pi^2)")
    quoted = amounts("daniely", 50, "1/5000")
    assert quoted[1] == "2^58.9"
    assert quoted[3] == "not computed: that is done down to eps = 1/1000 here"
    assert (
        amounts("daniely", 10, "1/5000")[1] == "does not apply: its printed expression is 2^-10.6, which says nothing"
    )


def test_what_takes_too_long_is_not_computed_and_says_so() -> None:
    assert amounts("eldan-shamir", 1000)[0].startswith("not computed: that is done up to dimension 200")
    assert amounts("telgarsky", 100)[0] == "not computed: needed is at most 64 weight layers"
    assert amounts("ses-1", 10, "0.01")[1].startswith("not computed: that is done up to dimension 20 and down to eps")


@pytest.mark.parametrize(("dim", "eps"), [(0, "0.1"), (10, "0"), (10, "-1"), (10, "10000000")])
def test_requests_that_make_no_sense(dim: int, eps: str) -> None:
    with pytest.raises(BadInput):
        values_of(theorem("rank"), dim, eps)


# ------------------------------------------------------------------------------------------------------------------
# The proved formulas, against counts made another way


@pytest.mark.parametrize("folds", [1, 2, 3, 7])
def test_least_widths_of_the_sawtooth(folds: int) -> None:
    pieces, at_two, at_three = 2**folds, *(values_of(theorem("telgarsky"), folds, "0.1")[i].exact for i in (1, 2))
    assert at_two == min(width for width in range(1000) if width + 1 >= pieces)
    assert at_three == min(width for width in range(1000) if (width + 1) ** 2 >= pieces)


@pytest.mark.parametrize("level", [1, 2, 5])
def test_the_least_width_of_a_cantor_level_is_that_of_the_distance(level: int) -> None:
    intervals = [(Fraction(0), Fraction(1))]
    for _ in range(level):
        thirds = [((b - a) / 3, a, b) for a, b in intervals]
        intervals = [part for third, a, b in thirds for part in ((a, a + third), (b - third, b))]
    slopes = [1]  # of minus a tent over every gap and 1/2 the sign outside, without flat pieces
    for (_, end), (start, _) in pairwise(intervals):
        assert end < start
        slopes += [-1, 1]
    slopes += [-1]
    assert values_of(theorem("malach-shalev-shwartz"), level, "0.1")[1].exact == len(slopes) - 1


def test_iterates_of_a_map_of_period_three_oscillate_as_often_as_promised() -> None:
    def tent(x: Fraction) -> Fraction:  # 2/7 -> 4/7 -> 6/7 -> 2/7
        return 2 * x if 2 * x <= 1 else 2 - 2 * x

    middle = Fraction(5, 7)
    for iterations in range(1, 8):
        cuts = [Fraction(k, 2**iterations) for k in range(2**iterations + 1)]
        places = [Fraction(4, 7), *(cut for cut in cuts if Fraction(4, 7) < cut < Fraction(6, 7)), Fraction(6, 7)]
        values = places
        for _ in range(iterations):
            values = [tent(value) for value in values]
        crossings = sum((a - middle) * (b - middle) < 0 for a, b in pairwise(values))
        promised = values_of(theorem("chatziafratis"), iterations, "0.1")[0].exact
        assert promised is not None
        assert crossings >= promised + 1 >= math.floor(((1 + math.sqrt(5)) / 2) ** (iterations - 1))


@pytest.mark.parametrize(("inputs", "layers"), [(4, "2"), (5, "2"), (6, "3"), (11, "3"), (12, "4"), (29, "4")])
def test_hidden_layers_for_a_maximum(inputs: int, layers: str) -> None:
    assert amounts("bakaev", inputs)[0] == layers


def test_folds_for_squares_are_as_few_as_the_error_allows() -> None:
    for dim, eps in ((1, "0.1"), (20, "0.1"), (100, "0.001")):
        depth = int(amounts("yarotsky", dim, eps)[0].rsplit(" ", 1)[1])
        assert dim / 8 / 4 ** (depth - 1) <= float(eps)
        assert depth == 2 or dim / 8 / 4 ** (depth - 2) > float(eps)


def test_deep_networks_can_have_more_regions() -> None:
    for dim in (1, 5, 20, 100):
        deep, shallow = values_of(theorem("montufar"), dim, "0.1")
        assert deep.exact is not None
        assert shallow.exact is not None
        assert deep.exact > shallow.exact
