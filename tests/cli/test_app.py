from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from depthsep.cli.app import cli, run
from depthsep.cli.terminal import print_table, progress, refuse_unwritable, warn
from depthsep.errors import BadInput, DocumentExists, MissingExtra, NotProved, OutOfReach

BUILD = ["build", "1 - r", "--dim", "3", "--eps", "0.3", "--depth", "3"]


@pytest.fixture
def failing_with(monkeypatch: pytest.MonkeyPatch):
    """Replace `cite` by a command that raises."""

    def install(failure: BaseException) -> None:
        @click.command()
        @click.option("--json", "as_json", is_flag=True)
        def cite(as_json: bool) -> None:
            raise failure

        monkeypatch.setitem(cli.commands, "cite", cite)

    return install


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (NotProved("a proof"), 1),
        (BadInput("a request"), 2),
        (DocumentExists("n.json"), 2),
        (OutOfReach("a width", reached={"width": 5}), 3),
        (MissingExtra("export", "onnx", "export"), 4),
        (MemoryError(), 3),
        (KeyboardInterrupt(), 130),
        (ZeroDivisionError("by zero"), 70),
    ],
)
def test_exit_codes(failing_with, capsys: pytest.CaptureFixture[str], failure: BaseException, code: int) -> None:
    failing_with(failure)
    assert run(["cite"]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "error: " in captured.err


def test_a_failure_on_purpose_shows_its_text_and_no_traceback(failing_with, capsys: pytest.CaptureFixture[str]) -> None:
    failing_with(BadInput("eps = -1", needed="a positive accuracy"))
    run(["cite"])
    assert capsys.readouterr().err == "error: eps = -1\n  needed: a positive accuracy\n"


def test_an_internal_fault_shows_its_traceback_and_asks_for_a_report(
    failing_with, capsys: pytest.CaptureFixture[str]
) -> None:
    failing_with(ZeroDivisionError("by zero"))
    run(["cite"])
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "internal fault, ZeroDivisionError: by zero\nplease report it" in err


def test_an_interruption_says_that_no_half_file_is_left(failing_with, capsys: pytest.CaptureFixture[str]) -> None:
    failing_with(KeyboardInterrupt())
    run(["cite"])
    assert "interrupted; no file was left half written" in capsys.readouterr().err


def test_json_failures_are_one_object_on_stdout(failing_with, capsys: pytest.CaptureFixture[str]) -> None:
    failing_with(OutOfReach("a width", found="5", needed="4", do="more", reached={"width": 5}))
    assert run(["cite", "--json"]) == 3
    assert json.loads(capsys.readouterr().out) == {
        "error": {
            "kind": "OutOfReach",
            "message": "a width\n  found:  5\n  needed: 4\n  do:     more",
            "exit_code": 3,
            "asked": "a width",
            "found": "5",
            "needed": "4",
            "do": "more",
            "reached": {"width": 5},
        }
    }


@pytest.mark.parametrize(("word", "guess"), [("bulid", "build"), ("chek", "check"), ("separat", "separate")])
def test_misspelled_commands_get_the_nearest_one(capsys: pytest.CaptureFixture[str], word: str, guess: str) -> None:
    assert run([word]) == 2
    assert f"no command '{word}'; did you mean '{guess}'?" in capsys.readouterr().err


def test_a_word_like_no_command_gets_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["zzz"]) == 2
    assert "the commands are: separate, demo, build, bound" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["build", "1 - r"], "Missing option"),
        ([*BUILD[:-1], "1"], "1 is not in the range 2<=x<=64"),
        ([*BUILD, "--witdh", "5"], "--witdh"),
        (["build", "1 - r", "--dim", "x", "--eps", "0.1", "--depth", "3"], "'x' is not a valid integer"),
        (["check"], "Missing argument"),
        (["check", "nowhere.json"], "'nowhere.json' does not exist"),
        (["export", "--to", "keras"], "'keras' is not one of"),
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str], text: str) -> None:
    assert run(arguments) == 2
    err = capsys.readouterr().err
    assert text in err
    assert f"help:   depthsep {arguments[0]} --help" in err


def test_wrong_usage_with_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == "Usage"


def test_a_formula_that_begins_with_minus(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "-r", "--dim", "3", "--eps", "0.1"]) == 2
    assert 'goes last, after "--"' in capsys.readouterr().err
    assert run(["explain", "--dim", "3", "--eps", "0.1", "--", "-r"]) == 0
    assert capsys.readouterr().out.startswith("-r on the unit ball")


def test_help_lists_the_commands_in_the_order_of_a_day(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    out = capsys.readouterr().out
    places = [
        out.index(f"\n  {name} ") for name in ("separate", "demo", "build", "check", "export", "evaluate", "explain")
    ]
    assert places == sorted(places)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("depthsep 0.")


@pytest.mark.parametrize("arguments", [["--help"], ["build", "--help"], ["cite"]])
def test_help_needs_none_of_the_heavy_packages(arguments: list[str]) -> None:
    code = (
        "import sys; from depthsep.cli import run; code = run(sys.argv[1:]);"
        "heavy = {'numpy', 'scipy', 'flint', 'matplotlib', 'jinja2', 'onnx', 'torch'} & set(sys.modules);"
        "sys.exit(f'{code} {heavy}' if code or heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_reader_that_goes_away_is_no_internal_fault(tmp_path: Path) -> None:
    command = f"{sys.executable} -m depthsep.cli cite | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_ctrl_c_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "depthsep.cli", "separate", "1 - r", "--dim", "10", "--eps", "0.1"]
    pipes = {"stderr": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}

    def listen() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a suite in the background inherits that it is ignored

    with subprocess.Popen(command, cwd=tmp_path, preexec_fn=listen, **pipes) as process:
        assert process.stderr is not None
        process.stderr.readline()
        assert [path.name for path in tmp_path.iterdir()] == ["depthsep-runs"]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert out == ""
    assert err.endswith("error: interrupted; no file was left half written\n")
    assert list(tmp_path.iterdir()) == []


def test_plain_progress_says_each_text_once(capsys: pytest.CaptureFixture[str]) -> None:
    with progress() as report:
        for fraction in (0.1, 0.2, None):
            report("searching", fraction)
        report("proving", None)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "searching\nproving\n")


def test_progress_on_a_terminal_is_a_bar_on_stderr(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with progress() as report:
        report("searching", 0.5)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "searching" in captured.err


def test_warnings_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    warn("mind the gap")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "warning: mind the gap\n")


def test_tables_take_texts_literally_and_break_no_line_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(
        "All of [1, 1]", ("name", "width"), [("[bold]x[/bold] :smile:", "1,140"), ("y" * 90, "≥ 3")], right=(1,)
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "All of [1, 1]"
    assert lines[3].split() == ["[bold]x[/bold]", ":smile:", "1,140"]
    assert lines[4].split() == ["y" * 90, "≥", "3"]


def test_unwritable_places_are_found_out_before_the_work(tmp_path: Path) -> None:
    taken = tmp_path / "n.json"
    taken.write_text("x")
    refuse_unwritable(taken, force=True)
    refuse_unwritable(tmp_path / "free.json", force=False)
    assert [path.name for path in tmp_path.iterdir()] == ["n.json"]
    with pytest.raises(DocumentExists):
        refuse_unwritable(taken, force=False)
    with pytest.raises(BadInput, match="that is a folder"):
        refuse_unwritable(tmp_path, force=True)
    with pytest.raises(BadInput, match="takes no new files: No such file or directory"):
        refuse_unwritable(tmp_path / "nowhere" / "n.json", force=False)
