from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from depthsep.cli.app import cli, run


def examples(command: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert run([command, "--help"]) == 0
    _, _, shown = capsys.readouterr().out.partition("\n  Example:\n")
    return [line.strip() for line in shown.splitlines() if line.strip()]


@pytest.mark.parametrize("command", list(cli.commands))
def test_the_example_of_every_help_page_works(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = examples(command, capsys)
    assert any(line.startswith(f"depthsep {command}") or f"| depthsep {command}" in line for line in lines)
    program = tmp_path / "bin" / "depthsep"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m depthsep.cli "$@"\n')
    program.chmod(0o755)
    home = tmp_path / "work"
    home.mkdir()
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-e", "-c", "\n".join(lines)], cwd=home, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
