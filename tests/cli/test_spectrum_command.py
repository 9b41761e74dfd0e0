"""The command that shows on which degrees a function lives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from depthsep.cli.app import run

WAVE = ["spectrum", "sin(9*t)", "--dim", "10"]


def rows_of(out: str) -> dict[int, list[str]]:
    """The rows of the table by degree."""
    cells = [line.split() for line in out.splitlines() if line.startswith(" ") and line.split()[0].isdigit()]
    return {int(row[0]): row[1:] for row in cells}


def test_the_degrees_that_carry_energy_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(WAVE) == 0
    out = capsys.readouterr().out
    assert out.startswith("sin(9*t) on pairs of unit vectors of dimension 10: energy E[f^2] = 0.4999\n")
    assert "half of the energy lies on degrees up to 5" in out
    assert "at |u| sqrt(|w| |w'|) = 1" in out
    assert "99 % of it lies on degrees up to 9" in out
    rows = rows_of(out)
    assert list(rows) == [1, 3, 5, 7, 9, 11, 13]
    assert rows[5][:2] == ["1,782", "0.530899"]
    assert rows[5][-3:] == ["0.5639", "0.2816", "0.0001291"]
    assert rows[5][2] == "<"


def test_the_degrees_that_are_asked_for_are_all_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*WAVE, "--degrees", "4:6"]) == 0
    rows = rows_of(capsys.readouterr().out)
    assert list(rows) == [4, 5, 6]
    assert rows[4][1:4] == ["0", "exact", "0"]


def test_of_many_degrees_the_milestones_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["spectrum", "sin(pi*d^3*t)", "--dim", "10"]) == 0
    out = capsys.readouterr().out
    rows = rows_of(out)
    assert 15 < len(rows) <= 22
    assert 3053 in rows
    assert rows[3053][0] == "3.783e+23"
    assert "half of the energy lies on degrees up to 3053" in out
    assert "computed: the degrees up to 3179 (--degrees A:B, --json)" in out


def test_json_encloses_every_number(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*WAVE, "--degrees", "0:5", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["function"], found["dim"], found["domain"], found["figure"]) == ("sin(9*t)", 10, "spheres", None)
    assert found["degree_of_half"] == 5
    assert [row["degree"] for row in found["rows"]] == [0, 1, 2, 3, 4, 5]
    fourth, fifth = found["rows"][4:]
    assert abs(float(fifth["coefficient"]["value"]) - 0.5309) < 1e-4
    assert 0 < float(fifth["coefficient"]["radius"]) < 1e-19
    assert fifth["harmonics"] == "1782"
    assert abs(float(fifth["share"]["value"]) - 0.5639) < 1e-4
    lost = float(fourth["energy_beyond"]["value"]) - float(fifth["energy_beyond"]["value"])
    assert abs(lost - float(fifth["coefficient"]["value"]) ** 2) < 1e-15
    assert found["rows"][0]["relu_visibility"] is None
    assert found["rows"][2]["coefficient"] == {"value": "0", "radius": "0"}


@pytest.mark.parametrize("name", ["s.svg", "s.png"])
def test_the_picture_is_written_once(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / name
    assert run([*WAVE, "--figure", str(path)]) == 0
    assert path.stat().st_size > 1000
    assert run([*WAVE, "--figure", str(path)]) == 2
    assert run([*WAVE, "--figure", str(path), "--force"]) == 0
    assert capsys.readouterr().out.count(f"figure: {path}") == 2


@pytest.mark.parametrize(
    ("text", "degrees"), [("1", "0:1"), ("t", "0:1"), ("t^3 - 3*t/(d + 2)", "2:3"), ("sin(9000*t)", "0:9")]
)
def test_pictures_of_few_degrees_and_of_tiny_numbers(text: str, degrees: str, tmp_path: Path) -> None:
    path = tmp_path / "s.svg"
    assert run(["spectrum", text, "--dim", "200", "--degrees", degrees, "--figure", str(path)]) == 0
    assert path.exists()


def test_numbers_beyond_floats_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["spectrum", "sin(9000*t)", "--dim", "400", "--degrees", "3:3"]) == 0
    row = rows_of(capsys.readouterr().out)[3]
    assert float(row[-3].partition("e-")[2]) > 300


def test_the_ball(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["spectrum", "r^2", "--dim", "20", "--domain", "ball"]) == 0
    out = capsys.readouterr().out
    assert "r^2 on the unit ball of dimension 20" in out
    assert "half of the energy lies on degree 0, the mean" in out
    assert "at |u| |w| = 2" in out


def test_degrees_that_do_not_suffice_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["spectrum", "indicator(t >= 1/3)", "--dim", "5", "--degrees", "0:3"]) == 0
    assert "99 % of it lies on no fewer degrees than those up to 3" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["t", "--dim", "2"], 2, "a dimension from 3"),
        (["1 - r", "--dim", "5"], 2, 'formulas in r are for the domain "ball"'),
        (["t", "--dim", "5", "--figure", "a.pdf"], 2, "a name that ends in .svg or .png"),
        (["t", "--dim", "5", "--degrees", "9"], 2, "two degrees A:B"),
        (["t", "--dim", "5", "--degrees", "9:3"], 2, "with A <= B"),
        (["t", "--dim", "5", "--degrees", "0:0"], 2, "B >= 1"),
        (["t", "--dim", "5", "--degrees", "0:99999"], 2, "a last degree from 1 to 10000"),
        (["sin(pi*d^3*t)", "--dim", "100"], 3, "name the last degree, at most 10000 (--degrees 0:100)"),
        (["1/t", "--dim", "5"], 1, "not certainly defined and bounded"),
    ],
)
def test_mistakes_are_explained(
    arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["spectrum", *arguments]) == code
    assert words in capsys.readouterr().err
