"""The independent checker of depthsep's proof documents.

It imports python-flint and the standard library, nothing of depthsep. It does not search: it recomputes everything from
the definitions that a document stores and accepts only certain comparisons of exact numbers or balls.

    >>> from depthsep_check import check
    >>> check("not a document").line
    'MALFORMED document: not JSON at line 1, column 1: Expecting value'

On the command line: `python -m depthsep_check FILE...`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib import import_module
from os import PathLike
from typing import Any

from depthsep_check.document import (
    APPROXIMATIONS,
    EQUALITIES,
    MAX_BYTES,
    THEOREMS,
    ChamberCells,
    Document,
    NetworkDocument,
    SeparableNetwork,
    TheoremDocument,
    WidthLowerClaim,
    read,
)
from depthsep_check.numbers import precision
from depthsep_check.verdict import CheckFailure, Exhausted, Malformed, Status, Verdict, one_line

__all__ = ["Source", "Status", "Verdict", "check", "check_model"]

Source = bytes | str | Mapping[str, Any] | PathLike[str]

PRECISION_BITS = 128


def check(source: Source) -> Verdict:
    """Replay the proof of a document.

    Args:
        source: the text of the document, as `bytes` or `str`, the object that it encodes, or a path (`pathlib.Path`).

    Returns:
        The verdict. Whatever the source holds, nothing is raised for it.
    """
    return _verdict(lambda: _prove(_read(source)))


def check_model(source: Source, model_path: PathLike[str] | str) -> Verdict:
    """Compare an exported model file (ONNX or safetensors) with the network of a document, weight by weight.

    The proof itself is not replayed here; `check` does that.
    """
    from depthsep_check.model_files import compare

    return _verdict(lambda: compare(_read(source), model_path))


def _verdict(proof: Callable[[], str]) -> Verdict:
    try:
        with precision(PRECISION_BITS):
            return Verdict(Status.VERIFIED, one_line(proof()))
    except CheckFailure as failure:
        return failure.verdict()
    except (MemoryError, OverflowError, RecursionError) as error:
        return Exhausted("machine", f"a limit of the machine was reached ({type(error).__name__})").verdict()


def _read(source: Source) -> Document | TheoremDocument | NetworkDocument:
    if isinstance(source, bytes | str):
        return read(source)
    if isinstance(source, PathLike):
        try:
            with open(source, "rb") as file:
                return read(file.read(MAX_BYTES + 1))
        except OSError as error:
            raise Malformed("file", f"cannot be read ({error.strerror})") from None
    try:
        return read(json.dumps(source))
    except (TypeError, ValueError) as error:
        raise Malformed("document", f"not a JSON object ({error})") from None


def _judge_of(kind: str) -> str:
    """The module that judges a claim about a network."""
    if kind in EQUALITIES:
        return f"depthsep_check.equalities.{EQUALITIES[kind]}"
    return f"depthsep_check.approximations.{APPROXIMATIONS[kind]}"


def _prove(document: Document | TheoremDocument | NetworkDocument) -> str:
    """The statement of the document, once it is proved by the module for its kind."""
    if isinstance(document, TheoremDocument):
        return str(import_module(f"depthsep_check.theorems.{THEOREMS[document.theorem]}").check(document))
    if isinstance(document, NetworkDocument):
        return str(import_module(_judge_of(document.kind)).check(document))
    if isinstance(document.claim, WidthLowerClaim):
        from depthsep_check.lower_bound import check as prove
    elif isinstance(document.network, SeparableNetwork):
        from depthsep_check.support_lines import check as prove
    elif isinstance(document.witness, ChamberCells):
        from depthsep_check.chamber_cells import check as prove
    else:
        from depthsep_check.moment_sandwich import check as prove
    return prove(document)
