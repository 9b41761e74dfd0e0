"""Plans: what build chooses from, and that it chooses well."""

from fractions import Fraction

import pytest

from depthsep import planning
from depthsep.constructions.prospects import Prospect
from depthsep.errors import BadInput, OutOfReach
from depthsep.functions import Radial
from depthsep.planning import build_by_plan, plan


def test_prospects_come_narrowest_first_with_counted_directions() -> None:
    found = plan("1 - r", dim=10, eps="0.1")
    assert [prospect.neurons for prospect in found] == sorted(prospect.neurons for prospect in found)
    families = {(prospect.family, prospect.directions, prospect.degree) for prospect in found}
    assert {("(1) + (11)", 100, 4), ("(1) + code of 256 rows", 266, 6)} <= families


def test_every_way_that_speaks_about_the_function_is_in_the_plan() -> None:
    assert {prospect.way for prospect in plan("1 - r", dim=5, eps="0.1")} == {"moment sandwich", "reflection group"}
    assert {prospect.way for prospect in plan("r^4", dim=5, eps="0.1")} == {"moment sandwich", "exact identity"}
    assert {prospect.way for prospect in plan("abs(r - 1/2)", dim=5, eps="0.2")} == {"moment sandwich"}
    assert plan("abs(r - 1/2)", dim=20, eps="0.2", max_width=10) == []


def test_other_activations_have_plans_of_their_own() -> None:
    found = plan("1 - r", dim=10, eps="0.3", activation="gelu")[0]
    assert (found.directions, found.neurons) == (10, 40)
    with pytest.raises(BadInput, match="swish"):
        plan("1 - r", dim=10, eps="0.3", activation="swish")


def _way(neurons: int, build) -> planning._Way:
    return planning._Way((Prospect("a way", "a family", 1, neurons),), build)


class _Built:
    def __init__(self, width: int) -> None:
        self.widths = (width,)


def test_a_way_is_built_only_where_it_may_win(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[int] = []

    def building(neurons: int, width: int | None):
        def build() -> _Built:
            built.append(neurons)
            if width is None:
                raise OutOfReach("a network")
            return _Built(width)

        return _way(neurons, build)

    def found(*ways: planning._Way) -> tuple[int, list[int]]:
        built.clear()
        monkeypatch.setattr(planning, "_ways", lambda *_request: list(ways))
        target = Radial("1 - r", dim=2)
        return build_by_plan(target, Fraction(1, 10), 10**6, lambda *_: None).widths[0], list(built)

    assert found(building(100, 90), building(270, 1)) == (90, [100])
    assert found(building(269, 80), building(100, 90)) == (80, [100, 269])
    assert found(building(100, None), building(900, 800)) == (800, [100, 900])
    with pytest.raises(OutOfReach):
        found(building(100, None))


def test_the_plan_is_told_while_building() -> None:
    said: list[str] = []
    build_by_plan(Radial("1 - r", dim=5), Fraction(1, 10), 10**6, lambda text, _fraction: said.append(text))
    plans = [text for text in said if text.startswith("plan: ")]
    assert plans[0].startswith("plan: reflection group along 25 directions, about 25 neurons; moment sandwich along ")
