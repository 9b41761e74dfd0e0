"""``depthsep atlas``: many questions about depth and width at once, kept, merged, asked and drawn."""

from __future__ import annotations

import csv
import io
import re
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from depthsep.cli.terminal import (
    example,
    force_option,
    json_option,
    print_json,
    print_table,
    progress,
    refuse_unwritable,
    warn,
)

if TYPE_CHECKING:
    from depthsep.atlas import Store
    from depthsep.reports.atlas_status import Status
    from depthsep.reports.atlas_tables import Setting

__all__ = ["COMMANDS"]

DEFAULT = "default"  # in the place of a folder: the atlas that comes with the package
STATUS_COLUMNS = (
    "file",
    "tasks",
    "finished",
    "open",
    "what became of them",
    "proofs",
    "time spent",
    "last one finished",
)
MERGE_COLUMNS = ("file", "new rows", "known before", "different")
SHOWN_ROWS = 100


class Verbs(click.Group):
    """A group that lists its commands in the order of a user's day."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which they were added."""
        return list(self.commands)


def _folder(command: Any) -> Any:
    """The argument DIR."""
    return click.argument("folder", metavar="DIR")(command)


@click.group(
    cls=Verbs,
    epilog=example(
        "echo '[[grid]]' > plan.toml",
        """echo 'functions = ["1 - r"]; dims = [2, 3]; eps = ["0.3"]; depths = [2, 3]' | tr ';' '\\n' >> plan.toml""",
        "depthsep atlas run plan.toml --out atlas",
        "depthsep atlas status atlas",
    ),
)
def atlas() -> None:
    """Ask many questions about depth and width, and look at the answers from above.

    A plan (TOML) is a grid of functions, dimensions, accuracies and depths. DIR is the folder of an atlas, or the file
    itself; the word "default" stands for the atlas that comes with depthsep.
    """


def _shard(_context: click.Context, _option: click.Parameter, value: str | None) -> tuple[int, int] | None:
    if value is None:
        return None
    found = re.fullmatch(r"(\d+)/(\d+)", value)
    if found is None:
        raise click.BadParameter(f'{value!r} is no slice such as "3/64"')
    return int(found[1]), int(found[2])


@atlas.command(epilog=example("depthsep atlas run plan.toml --out atlas --jobs 2"))
@click.argument("plan", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, metavar="DIR", help="Its folder."
)
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, metavar="N", help="Processes.")
@click.option("--shard", metavar="I/N", callback=_shard, help="Only this slice of the tasks, into a file of its own.")
@click.option("--scheduler", metavar="ADDR", help='A Dask scheduler, "tcp://..." or "tls://..."; or "local".')
@json_option
def run(plan: Path, out: Path, jobs: int, shard: tuple[int, int] | None, scheduler: str | None, as_json: bool) -> None:
    """Carry out a plan. Stop it or kill it, and run it again: it goes on where it was."""
    from dataclasses import asdict

    from depthsep.atlas import Store, read_plan
    from depthsep.atlas import run as carry_out

    wanted = read_plan(plan)
    with progress() as report:
        done = carry_out(wanted, out, jobs=jobs, shard=shard, scheduler=scheduler, progress=report)
    with Store(done.store) as store:
        counts = store.counts()
    if as_json:
        print_json({**asdict(done), "counts": counts})
        return
    click.echo(
        f"{done.store}: {done.planned:,} tasks, {done.before:,} were done before, {done.finished:,} now, "
        f"in {done.seconds:.1f} s"
    )
    click.echo(", ".join(f"{number:,} {name}" for name, number in counts.items()))


def _place(folder: str) -> Path:
    """The folder, or the atlas of the package."""
    if folder == DEFAULT and not Path(DEFAULT).exists():
        return _shipped()
    return Path(folder)


def _shipped() -> Path:
    return Path(str(files("depthsep.atlas").joinpath("default.sqlite")))


def _opened(folder: str) -> Store:
    """Open an atlas; slices that were never merged are named."""
    from depthsep.atlas import Store
    from depthsep.errors import BadInput
    from depthsep.reports.atlas_status import parts

    place = _place(folder)
    there = parts(place)
    if there and place.suffix != ".sqlite" and there[0].name.startswith("shard-"):
        raise BadInput(
            f"the atlas {folder}",
            found=f"{len(there)} slices and no whole",
            needed="one file",
            do=f"depthsep atlas merge {folder} --out {folder}",
        )
    return Store(place)


@atlas.command(epilog=example("depthsep atlas status atlas"))
@_folder
@json_option
def status(folder: str, as_json: bool) -> None:
    """Count what is finished, what became of it, and what is open; of slices each."""
    _print_status(_place(folder), as_json)


def _print_status(place: Path, as_json: bool) -> None:
    from depthsep.atlas import Store
    from depthsep.reports.atlas_status import parts, status_of

    found = []
    for path in parts(place) or [place]:
        with Store(path) as store:
            found.append(status_of(store))
    if as_json:
        print_json({"files": [state.facts() for state in found]})
        return
    print_table(found[0].title or "atlas", STATUS_COLUMNS, [_status_cells(s) for s in found], right=(1, 2, 3, 5))


def _status_cells(state: Status) -> tuple[str, ...]:
    became = ", ".join(f"{number:,} {name}" for name, number in state.statuses.items())
    numbers = (f"{number:,}" for number in (state.planned, state.finished, state.open))
    spent = f"{state.seconds:,.0f} s" if state.seconds < 7200 else f"{state.seconds / 3600:,.1f} h"
    return (Path(state.file).name, *numbers, became, f"{state.documents:,}", spent, state.last)


@atlas.command(epilog=example('depthsep atlas query atlas "SELECT dim, eps, neurons FROM rows WHERE depth = 3"'))
@_folder
@click.argument("select")
@click.option("--csv", "csv_file", type=click.Path(path_type=Path), metavar="FILE", help="Write all rows here.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help=f"At most so many rows; {SHOWN_ROWS} are shown.")
@force_option
@json_option
def query(folder: str, select: str, csv_file: Path | None, limit: int | None, force: bool, as_json: bool) -> None:
    """Answer a SELECT in the SQL of SQLite; nothing can be changed by it.

    The tables: rows (one for each finished task), tasks, timings, documents.
    """
    if csv_file is not None:
        refuse_unwritable(csv_file, force)
    shown = limit if limit is not None or as_json or csv_file is not None else SHOWN_ROWS + 1
    with _opened(folder) as store:
        names, rows = store.query(select, shown)
    if csv_file is not None:
        _write_csv(csv_file, force, names, rows)
    if as_json:
        print_json({"columns": names, "rows": [[_plain(value) for value in row] for row in rows]})
    elif csv_file is not None:
        click.echo(f"{csv_file}: {len(rows):,} rows")
    else:
        some = limit is None and len(rows) > SHOWN_ROWS
        cells = [[str(_plain("" if value is None else value)) for value in row] for row in rows[: limit or SHOWN_ROWS]]
        print_table(f"the first {SHOWN_ROWS} rows" if some else f"{len(rows):,} rows", names, cells)


def _plain(value: Any) -> Any:
    """A value that text and JSON can hold: a document is compressed bytes."""
    return f"{len(value)} bytes" if isinstance(value, bytes) else value


def _write_csv(path: Path, force: bool, names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    from depthsep.files import write_whole

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([names, *rows])
    write_whole(path, force, lambda part: part.write_text(out.getvalue(), encoding="utf-8"))


@atlas.command(epilog=example("depthsep atlas merge atlas other --out both"))
@click.argument("sources", nargs=-1, required=True, metavar="DIR|FILE...")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="The whole; it may exist.")
@json_option
def merge(sources: tuple[str, ...], out: Path, as_json: bool) -> None:
    """Bring slices and atlases together; a task that is in several is kept once."""
    from depthsep.atlas import Store
    from depthsep.errors import BadInput
    from depthsep.reports.atlas_status import parts

    paths = [path for source in sources for path in parts(_place(source)) or [Path(source)]]
    for path in paths:
        if not path.is_file():
            raise BadInput(f"merge {path}", found="no atlas there", needed="a folder or file that a run has written")
    found = []
    with Store(out, writable=True) as whole:
        for path in paths:
            if path.resolve() != whole.path.resolve():
                with Store(path) as part:
                    found.append((str(path), whole.merge(part)))
        counts = whole.counts()
    different = sum(len(merged.different) for _, merged in found)
    if different:
        warn(f"{different} tasks have other results in another file; those that were there first are kept")
    if as_json:
        told = [{"file": n, "new": m.new, "known": m.known, "different": m.different} for n, m in found]
        print_json({"store": str(whole.path), "files": told, "counts": counts})
        return
    rows = [(name, f"{m.new:,}", f"{m.known:,}", f"{len(m.different):,}") for name, m in found]
    print_table(f"into {whole.path}", MERGE_COLUMNS, rows, right=(1, 2, 3))


@atlas.command(epilog=example("depthsep atlas export atlas --out rows.csv"))
@_folder
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="A .csv or .parquet file.")
@force_option
@json_option
def export(folder: str, out: Path, force: bool, as_json: bool) -> None:
    """Write all rows, with their times, to one file."""
    with _opened(folder) as store:
        path = store.export(out, force)
        (rows,) = store.one("SELECT COUNT(*) FROM rows")
    if as_json:
        print_json({"path": str(path), "rows": rows})
        return
    click.echo(f"{path}: {rows:,} rows")


@atlas.command(epilog=example('depthsep atlas plot atlas --phase --function "1 - r" --out phase.svg'))
@_folder
@click.option("--phase", "kind", flag_value="phase", help="Shallow, deep, bound and ratio over d and eps.")
@click.option("--exponents", "kind", flag_value="exponents", help="Exponents of d and 1/eps, with fits (estimates).")
@click.option("--depth-width", "kind", flag_value="depth-width", help="Neurons against depth.")
@click.option("--function", metavar="F", help="As the plan writes it; needed where there are several.")
@click.option("--domain", type=click.Choice(["ball", "spheres", "balls"]), default="ball", show_default=True)
@click.option("--activation", default="relu", show_default=True, metavar="NAME")
@click.option("--weights", metavar="B", help="Those with all weights at most B, networks and bounds.")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="A .svg or .png file.")
@force_option
@json_option
def plot(
    folder: str,
    kind: str | None,
    function: str | None,
    domain: str,
    activation: str,
    weights: str | None,
    out: Path,
    force: bool,
    as_json: bool,
) -> None:
    """Draw one function; the table behind the picture is written beside it, as CSV."""
    from depthsep.files import write_whole
    from depthsep.reports import figures
    from depthsep.reports.atlas_page import picture
    from depthsep.reports.atlas_tables import setting_of

    if kind is None:
        raise click.UsageError("give --phase, --exponents or --depth-width")
    if out.suffix not in (".svg", ".png"):
        raise click.UsageError(f"--out needs a name that ends in .svg or .png, not {out}")
    table = out.with_suffix(".csv")
    for path in (out, table):
        refuse_unwritable(path, force)
    with _opened(folder) as store:
        chosen = setting_of(store, _setting(function, domain, activation, weights))
        found = picture(store, chosen, kind)
    if found.empty:
        warn(f"there is nothing to draw: too few rows about {chosen.text}")
    figures.save(found.figure, out, force)
    write_whole(table, force, lambda part: part.write_text(found.table, encoding="utf-8"))
    if as_json:
        print_json({"figure": str(out), "table": str(table), "rows": found.table.count("\n") - 1})
        return
    click.echo(f"{out}, and the table behind it: {table}")


def _setting(function: str | None, domain: str, activation: str, weights: str | None) -> Setting | None:
    from depthsep.activations import activation as activation_of
    from depthsep.reports.atlas_tables import Setting

    if function is None:
        return None
    return Setting(function, domain, activation_of(activation).name, weights)


@atlas.command(epilog=example("depthsep atlas report atlas --out atlas.html"))
@_folder
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="The page.")
@click.option(
    "--rows", type=click.IntRange(min=1), default=5000, show_default=True, metavar="N", help="At most so many."
)
@force_option
@json_option
def report(folder: str, out: Path, rows: int, force: bool, as_json: bool) -> None:
    """Write one page that loads nothing; its proofs and tables lie in documents/ and tables/ beside it."""
    from dataclasses import asdict

    from depthsep.reports.atlas_page import write_page

    refuse_unwritable(out, force)
    with _opened(folder) as store:
        written = write_page(store, out, force, rows)
    if as_json:
        print_json(asdict(written))
        return
    click.echo(f"{written.page}: {written.rows:,} rows, {written.documents:,} proofs in {out.parent / 'documents'}")


@atlas.command(name=DEFAULT, epilog=example("depthsep atlas default", "depthsep atlas default --out mine"))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Copy it here.")
@force_option
@json_option
def default(out: Path | None, force: bool, as_json: bool) -> None:
    """Look at the atlas that comes with depthsep, or copy it to a folder to go on with."""
    import shutil

    from depthsep.files import write_whole

    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_whole(out / "atlas.sqlite", force, lambda part: shutil.copyfile(_shipped(), part))
    _print_status(_shipped() if out is None else out, as_json)


COMMANDS = (atlas,)
