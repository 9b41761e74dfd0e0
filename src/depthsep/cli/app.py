"""The group of commands, and the one place where failures become messages and exit codes.

Exit codes: 0 done, 1 refuted or not proved, 2 bad usage or bad input, 3 budget exceeded, 4 a missing extra,
5 a document this version does not support (`check` only), 70 an internal fault, 130 interrupted.
"""

from __future__ import annotations

import difflib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import click

from depthsep._version import __version__
from depthsep.cli import (
    activations,
    atlas,
    bound,
    build,
    check,
    cite,
    crossover,
    evaluate,
    exact,
    explain,
    export,
    fit,
    learn,
    named,
    separate,
    small_weights,
    spectrum,
    tradeoff,
    who,
)
from depthsep.cli.terminal import print_json
from depthsep.errors import DepthsepError, OutOfReach

__all__ = ["cli", "main", "run"]

INTERRUPTED = 130
INTERNAL_FAULT = 70


class Verbs(click.Group):
    """A group that lists its commands in the order of a user's day, and guesses at misspelled ones."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which they were added."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or fail with the nearest name there is."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            near = difflib.get_close_matches(args[0], self.commands, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "the commands are: " + ", ".join(self.commands)
            ctx.fail(f"no command {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)


def _print_version(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"depthsep {__version__}")
        ctx.exit()


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and stop.",
)
def cli() -> None:
    """Build shallow and deep ReLU networks for a formula, each with a proof of its error.

    A formula is written in r, the norm of x; the domain is the unit ball of dimension --dim; every proof is
    replayed by a separate checker. Start with `depthsep demo`.
    """


for _module in (
    separate,
    build,
    bound,
    fit,
    exact,
    tradeoff,
    crossover,
    named,
    spectrum,
    small_weights,
    learn,
    check,
    export,
    evaluate,
    explain,
    who,
    atlas,
    activations,
    cite,
):
    for _command in _module.COMMANDS:
        cli.add_command(_command)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; no exception leaves this function.

    Args:
        arguments: The words after ``depthsep``.

    Returns:
        The exit code; what there was to say has been printed.
    """
    as_json = "--json" in arguments
    try:
        return int(cli.main(args=list(arguments), prog_name="depthsep", standalone_mode=False) or 0)
    except click.Abort:
        return _fail("interrupted; no file was left half written", "Interrupted", INTERRUPTED, as_json)
    except click.ClickException as error:
        return _fail(_usage_text(error), "Usage", error.exit_code, as_json)
    except DepthsepError as error:
        facts = {"asked": error.asked, "found": error.found, "needed": error.needed, "do": error.do}
        if isinstance(error, OutOfReach):
            facts["reached"] = error.reached
        return _fail(str(error), type(error).__name__, error.exit_code, as_json, facts)
    except MemoryError:
        return _fail("not enough memory for this request", "OutOfReach", OutOfReach.exit_code, as_json)
    except BrokenPipeError:
        # The reader went away (`depthsep ... | head`); nothing more can be said on stdout, at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        traceback.print_exc()
        text = f"internal fault, {type(error).__name__}: {error}\nplease report it with the lines above"
        return _fail(text, "InternalFault", INTERNAL_FAULT, as_json)


def _fail(text: str, kind: str, exit_code: int, as_json: bool, facts: dict[str, Any] | None = None) -> int:
    click.echo(click.style("error: ", fg="red", bold=True) + text, err=True)
    if as_json:
        print_json({"error": {"kind": kind, "message": text, "exit_code": exit_code, **(facts or {})}})
    return exit_code


def _usage_text(error: click.ClickException) -> str:
    """Click's message, with a hint where a formula was read as an option, and where to find help."""
    text = error.format_message()
    if isinstance(error, click.NoSuchOption) and not error.option_name.startswith("--"):
        text += '\n  do:     a formula that begins with "-" goes last, after "--": ... --dim 3 --eps 0.1 -- "-r"'
    context = getattr(error, "ctx", None)
    return f"{text}\n  help:   {context.command_path} --help" if context else text


def main() -> None:
    """The installed script ``depthsep``."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a table must not die on a terminal without "≥"
    sys.exit(run(sys.argv[1:]))
