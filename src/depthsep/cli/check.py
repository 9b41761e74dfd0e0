"""``depthsep check``: replay proofs with the checker, which shares no code with the search."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from depthsep.cli.terminal import example, json_option, print_json

__all__ = ["COMMANDS"]


@click.command(
    epilog=example(
        'depthsep build "1 - r" --dim 3 --eps 0.3 --depth 3 --out cone.json',
        "depthsep check cone.json",
    )
)
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--against",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="MODEL",
    help="Also compare the network with this .onnx or .safetensors file, weight by weight.",
)
@json_option
def check(files: tuple[Path, ...], against: Path | None, as_json: bool) -> int:
    """Check documents; one verdict a line.

    The exit code is the largest met: 0 verified, 1 refuted, 2 malformed, 3 a work limit was reached, 5 unsupported.
    `python -m depthsep_check` does the same and needs nothing but python-flint.
    """
    from depthsep_check import check as check_document
    from depthsep_check import check_model
    from depthsep_check.verdict import one_line

    if against is not None and len(files) != 1:
        raise click.UsageError("--against compares one document with one model; give one FILE")
    found = []
    for file in files:
        verdicts = [(file, check_document(file))]
        if against is not None:
            verdicts.append((against, check_model(file, against)))
        for name, verdict in verdicts:
            found.append((verdict.exit_code, {"file": str(name), "verdict": verdict.line, "claim": _claim(file)}))
            if not as_json:
                click.echo(f"{one_line(str(name))}: {verdict.line}")
    if as_json:
        print_json([entry for _, entry in found])
    return max(code for code, _ in found)


COMMANDS = (check,)


def _claim(file: Path) -> Any:
    """The claim as the file states it, whatever the verdict; None where there is none to read."""
    try:
        return json.loads(file.read_bytes())["claim"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
