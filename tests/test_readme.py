from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import depthsep as ds

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SET_UP = "python3 -m venv .venv && .venv/bin/pip install "


def name_of(page: object) -> str:
    return page.name if isinstance(page, Path) else ""


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[str]:
    return [line for block in blocks(page, "sh") for line in block.splitlines() if line]


def pages_with(language: str) -> list[Path]:
    return [page for page in PAGES if blocks(page, language)]


@pytest.mark.parametrize("page", pages_with("python"), ids=name_of)
def test_python_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": page.stem}
    for block in blocks(page, "python"):
        exec(compile(block, page.name, "exec"), names)
    assert names.get("net", names.get("floor")).verdict.ok


@pytest.mark.parametrize("page", pages_with("sh"), ids=name_of)
def test_commands_run(page: Path, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "depthsep"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m depthsep.cli "$@"\n')
    program.chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    path = f"{program.parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT / "src")}
    lines = [line for line in commands(page) if not line.startswith(SET_UP)]
    assert lines
    for line in lines:
        done = subprocess.run(
            ["sh", "-c", line], cwd=home, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        assert done.stdout


def test_the_two_commands_are_those_of_the_automatic_run() -> None:
    printed = [line for line in commands(ROOT / "README.md") if line.startswith(SET_UP)]
    assert printed == [
        f"{SET_UP}'.[export]' && .venv/bin/depthsep demo",
        f"{SET_UP}-e '.[test]' && .venv/bin/pytest -n auto --dist loadfile",
    ]
    assert set(printed) < set((ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def table() -> list[tuple[str, int, str | None, str, str]]:
    """The rows of the table of widths: function, dimension, accuracy, width at depth 2, widths at depth 3."""
    row = r"^\| `(.+?)` \| (\d+) \| (.+?) \| (.+?) \| (.+?) \|$"
    found = re.findall(row, (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    return [(formula, int(dim), None if "margin" in eps else eps, *widths) for formula, dim, eps, *widths in found]


DEEP = [(formula, dim, eps, 3, deep) for formula, dim, eps, _, deep in table()]
QUICK = [
    (formula, dim, eps, 2, shallow)
    for formula, dim, eps, shallow, _ in table()
    if shallow != "–" and (dim == 2 or (dim == 100 and len(shallow) <= len("1,501")))
]


def test_the_table_is_found() -> None:
    assert (len(DEEP), len(QUICK)) == (17, 4)


@pytest.mark.parametrize(("formula", "dim", "eps", "depth", "printed"), DEEP + QUICK)
def test_the_table_of_widths_is_reached(formula: str, dim: int, eps: str | None, depth: int, printed: str) -> None:
    net = ds.build(formula, dim=dim, eps=eps, depth=depth)
    assert net.verdict.ok
    reached, said = sum(net.widths), sum(int(part.replace(",", "")) for part in printed.split(" + "))
    # Another version of scipy may find other knots; a real change of the widths has to be told to the readers.
    assert 0.9 * said <= reached <= 1.1 * said + 1
