"""Plans: grids become tasks without repetition, and every mistake is told with its line."""

import pytest

from depthsep.atlas import Plan, PlanError, Task, plan_of, read_plan
from depthsep.errors import BadInput

BAD = """title = 3
colour = "blue"

[[grid]]
functions = ["1 - r", "2 +* r"]
dims = [3, 0]
eps = ["0.1", "nought"]

[[grid]]
kind = "castle"
functions = ["1 - r"]
dims = "9:3"
eps = [0.1]
second = 5

[[grid]]
functions = ["t"]
domain = "spheres"
dims = [3]
eps = ["0.1"]
depths = [1]
activations = ["swish"]
seconds = 0
"""


def mistakes(text: str) -> list[str]:
    with pytest.raises(PlanError) as caught:
        plan_of(text)
    return list(caught.value.mistakes)


def test_every_mistake_is_told_at_once_with_its_line():
    found = mistakes(BAD)
    starts = [
        'line 2: unknown key "colour"',
        "line 1: title is not a text",
        "line 7: grid 1: eps: eps = 'nought'",
        "line 6: grid 1: dims: 0 (1 at least)",
        'line 14: grid 2: unknown key "second"',
        'line 12: grid 2: dims = "9:3": an empty range',
        'line 13: grid 2: eps: 0.1 is not a text (write "0.1"',
        "line 23: grid 3: seconds: 0 is too small",
    ]
    for start in starts:
        assert any(mistake.startswith(start) for mistake in found), (start, found)


def test_words_and_formulas_are_checked_once_the_form_is_right():
    found = mistakes(
        BAD.split("[[grid]]")[0].replace('title = 3\ncolour = "blue"\n', "")
        + "[[grid]]"
        + BAD.split("[[grid]]")[3].replace("seconds = 0", "")
    )
    assert any("depths: 1" in mistake for mistake in found)
    assert any("'swish'" in mistake for mistake in found)
    formula = mistakes('[[grid]]\nfunctions = ["2 +* r"]\ndims = [3]\neps = ["0.1"]')
    assert len(formula) == 1
    assert formula[0].startswith("line 2: grid 1: functions: cannot read the expression 2 +* r")


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("", "no grid"),
        ("grid = 3", "line 1: no grid"),
        ("[[grid]]\ndims = [1]", "line 1: grid 1: functions is missing"),
        ("[[grid", "Expected"),
        (
            '[[grid]]\nkind = "castle"\nfunctions = ["r"]\ndims = [1]\neps = ["1"]',
            'line 2: grid 1: kind: "castle" is none of',
        ),
        ('[[grid]]\nfunctions = []\ndims = [1]\neps = ["1"]', "line 2: grid 1: functions is empty"),
        (
            '[[grid]]\nkind = "random-network"\nfunctions = ["1 - r"]\ndims = [9]\neps = ["0.1"]\ndepths = [3]',
            "line 2: grid 1: random networks",
        ),
        (
            '[[grid]]\nkind = "bound"\nfunctions = ["t"]\ndomain = "spheres"\ndims = [5]\neps = ["0.1"]\nweights = "x"',
            "line 7: grid 1: weights",
        ),
    ],
)
def test_a_mistake_names_its_place(text, start):
    assert any(mistake.startswith(start) for mistake in mistakes(text)), mistakes(text)


def test_the_message_shows_all_of_them():
    with pytest.raises(PlanError, match="correct 2 mistakes; nothing was run") as caught:
        plan_of('[[grid]]\nfunctions = ["r"]\ndims = [1]\neps = ["0", "-1"]', "p.toml")
    assert str(caught.value).startswith("read the plan p.toml\n")


def test_the_grid_is_a_product_and_ranges_are_read(quick: Plan):
    assert len(quick.tasks) == 2 * 2 * 2 + 3 + 1
    assert [task.dim for task in quick.tasks if task.kind == "bound"] == [2, 3, 4]
    assert {task.seconds for task in quick.tasks} == {20}
    assert len(plan_of({"grid": [{"functions": "r", "dims": "2:20:6", "eps": "1"}]}).tasks) == 4


def test_equal_questions_are_asked_once():
    grid = {"functions": ["1 - r"], "dims": [2], "eps": ["0.1", "1/10", "0.10"]}
    assert len(plan_of({"grid": [grid, grid]}).tasks) == 1


def test_a_digest_names_the_question(quick: Plan):
    task = quick.tasks[0]
    assert Task.from_canonical(task.canonical) == task
    assert Task.from_canonical(task.canonical).digest == task.digest
    assert len({task.digest for task in quick.tasks}) == len(quick.tasks)
    assert (
        Task("network", "1 - r", 3, "1/10").digest == "a611c3ff1085428d529f6f8da9e53a49b60585efa77661c81a660673f11d7c11"
    )


def test_shards_are_a_partition(quick: Plan):
    parts = [task for number in (1, 2, 3) for task in quick.shard(number, 3)]
    assert sorted(task.digest for task in parts) == sorted(task.digest for task in quick.tasks)
    with pytest.raises(BadInput, match="shard 4/3"):
        quick.shard(4, 3)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(BadInput, match="a TOML file"):
        read_plan(tmp_path / "none.toml")


def test_the_command_reproduces_the_row():
    task = Task("network", "1 - r", 3, "1/10", depth=2, activation="gelu", max_width=9)
    assert task.command == 'depthsep build "1 - r" --dim 3 --eps 1/10 --depth 2 --activation gelu --max-width 9'
    bound = Task("bound", "sin(pi*d^3*t)", 5, "7/20", domain="spheres", weights="2^d")
    assert bound.command == 'depthsep bound "sin(pi*d^3*t)" --dim 5 --eps 7/20 --domain spheres --weights "2^d"'
