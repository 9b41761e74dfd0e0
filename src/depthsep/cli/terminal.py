"""What every command shares: where results, progress, warnings and files go."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from depthsep.decimals import exact_decimal
from depthsep.errors import BadInput, DocumentExists
from depthsep.progress import Progress
from depthsep.reports.text import json_text

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "dim_option",
    "domain_option",
    "eps_option",
    "example",
    "force_option",
    "json_option",
    "print_json",
    "print_table",
    "progress",
    "refuse_unwritable",
    "warn",
    "weights_option",
    "within",
]

_Command = TypeVar("_Command", bound=Callable[..., Any])

PLAIN_WIDTH = 140  # in a pipe there is no screen to fit, and a broken line would be worse than a long one


def dim_option(command: _Command) -> _Command:
    """The option ``--dim``."""
    return click.option("--dim", type=int, required=True, metavar="D", help="Dimension of x.")(command)


def eps_option(command: _Command) -> _Command:
    """The option ``--eps``; a string, because "0.1" means exactly one tenth."""
    return click.option(
        "--eps", metavar="EPS", help='Accuracy in the sup norm, read exactly: "0.1" or "1/10"; ball(...) needs none.'
    )(command)


def domain_option(*domains: str) -> Callable[[_Command], _Command]:
    """The option ``--domain``: where the function lives, the first one if nothing is said."""
    names = {
        "ball": "ball: x in the unit ball",
        "spheres": "spheres: pairs of unit vectors",
        "balls": "balls: pairs in it",
    }
    words = "; ".join(names[domain] for domain in domains) + "."
    return click.option("--domain", type=click.Choice(domains), default=domains[0], show_default=True, help=words)


def weights_option(command: _Command) -> _Command:
    """The option ``--weights``."""
    words = 'Bound of all weights and biases, such as "2^d"; depth 3 or more.'
    return click.option("--weights", metavar="B", help=words)(command)


def within(eps: Fraction | str | None) -> str:
    """The accuracy as a heading names it: in the user's words, or exactly."""
    if eps is None:
        return "exact off its margin"
    return f"within {exact_decimal(eps) if isinstance(eps, Fraction) else eps}"


def json_option(command: _Command) -> _Command:
    """The flag ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON value and nothing else.")(command)


def force_option(command: _Command) -> _Command:
    """The flag ``--force``."""
    return click.option("--force", is_flag=True, help="Replace what is already there.")(command)


def example(*lines: str) -> str:
    """The end of a help page: commands that work from an empty folder, one a line."""
    return "\b\nExample:\n" + "\n".join("  " + line for line in lines)


def print_json(value: Any) -> None:
    """Print one JSON value on stdout; ASCII only, and never NaN."""
    click.echo(json_text(value))


def warn(text: str) -> None:
    """Say something on stderr that is neither a result nor a failure."""
    click.echo(click.style("warning: ", fg="yellow", bold=True) + text, err=True)


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> None:
    """Print a table on stdout, and an empty line after it.

    Args:
        title: A line above the table.
        columns: The headings.
        rows: The cells, as text.
        right: The columns to align to the right.
    """
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console = _console()
    with console.capture() as drawn:
        console.print(table)
    click.echo(click.style(title, bold=True))
    lines = (line.rstrip() for line in drawn.get().splitlines())
    click.echo("\n".join(line for line in lines if line) + "\n")


def _console(stderr: bool = False) -> Console:
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PLAIN_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


@contextmanager
def progress() -> Iterator[Progress]:
    """Show progress on stderr: a bar that vanishes on a terminal, plain lines otherwise.

    Yields:
        A function of a text and a fraction done, or None where nobody can tell.
    """
    if not sys.stderr.isatty():
        yield _plain_progress()
        return
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Bar(*columns, transient=True, console=_console(stderr=True)) as bar:
        task = bar.add_task("", total=None)

        def report(text: str, fraction: float | None = None) -> None:
            total = None if fraction is None else 1.0
            bar.update(task, description=text, total=total, completed=fraction or 0.0)

        yield report


def _plain_progress() -> Progress:
    said: list[str] = []

    def report(text: str, fraction: float | None = None) -> None:
        if said[-1:] != [text]:
            said[:] = [text]
            click.echo(text, err=True)

    return report


def refuse_unwritable(path: Path, force: bool) -> None:
    """Find out before the long work starts that a file could not be written after it.

    Args:
        path: The file to write later.
        force: Whether an existing file may be replaced.

    Raises:
        DocumentExists: The file is there and `force` is not set.
        BadInput: Its folder is missing or refuses new files, or the name is a folder's.
    """
    if path.is_dir():
        raise BadInput(f"write {path}", found="that is a folder", needed="the name of a file", do="add a file name")
    if path.exists() and not force:
        raise DocumentExists(path)
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise BadInput(
            f"write {path}",
            found=f"the folder {path.parent} takes no new files: {error.strerror}",
            needed="a folder that exists and may be written to",
            do="choose another place; nothing was computed",
        ) from None
