from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CHEAP = {
    "draw_bounds.py": [".", "--quick"],
    "draw_errors.py": ["out.png", "1 - r", "3", "0.3"],
    "export_and_check.py": [],
    "learn_a_ball.py": ["10", "2", "150"],
    "quickstart.py": [],
    "shrink_network.py": [],
    "sweep_dimensions.py": ["1 - r", "0.3", "2", "4"],
    "table_of_widths.py": ["1", "17"],
}


def run(name: str, cwd: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / name), *CHEAP[name]]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_is_tried() -> None:
    assert sorted(path.name for path in (ROOT / "examples").glob("*.py")) == sorted(CHEAP)


def test_quickstart(tmp_path: Path) -> None:
    lines = run("quickstart.py", tmp_path).splitlines()
    assert lines[0].startswith("depth 3, hidden layers of (")
    assert lines[-2].startswith("VERIFIED |N(x) - f(x)| <= ")


def test_a_changed_weight_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    proof, model, changed = run("export_and_check.py", tmp_path).splitlines()[-3:]
    assert proof.startswith("VERIFIED |N(x) - f(x)| <= ")
    assert model.startswith("VERIFIED shell.onnx is the network of the document")
    assert changed.startswith("REFUTED model: hidden1.weight[0][0] is ")


def test_sweep(tmp_path: Path) -> None:
    rows = [line.split() for line in run("sweep_dimensions.py", tmp_path).splitlines()[2:]]
    assert [(dim, needed) for dim, _, _, _, needed in rows] == [("2", "2"), ("4", "4")]
    for _, shallow, deep, _, needed in rows:
        assert int(needed) <= min(int(shallow), int(deep))


def test_rows_of_the_table(tmp_path: Path) -> None:
    first, last = run("table_of_widths.py", tmp_path).splitlines()
    assert re.fullmatch(r"\| `1 - r` \| 2 \| 0\.1 \| \d+ \| \d+ \+ \d+ \|", first)
    assert re.fullmatch(r"\| `ball\(1/2, 0\.05\)` \| 100 \| 0 off the margin \| – \| \d+ \+ \d+ \|", last)


def test_the_pictures_of_bounds_are_drawn(tmp_path: Path) -> None:
    assert run("draw_bounds.py", tmp_path).splitlines() == ["floors.png", "crossover.png"]
    for name in ("floors.png", "crossover.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_the_picture_is_drawn(tmp_path: Path) -> None:
    assert run("draw_errors.py", tmp_path) == "out.png\n"
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")


def test_small_weights_are_right_where_large_ones_are_not(tmp_path: Path) -> None:
    *table, verdict = run("shrink_network.py", tmp_path).splitlines()
    wrong = {line.split()[0]: int(line.split()[-1]) for line in table[1:]}
    assert wrong == {"source": 272, "pad": 272, "theorem": 0}
    assert verdict.startswith("VERIFIED |N(x) - source(x)| <= 0 ")


def test_a_ball_is_learnt_below_the_floor(tmp_path: Path) -> None:
    ours, features, floor, verdict = run("learn_a_ball.py", tmp_path).splitlines()
    assert float(ours.split()[1]) < float(floor.split()[1]) < float(features.split()[1])
    assert verdict.startswith("certified: ")
