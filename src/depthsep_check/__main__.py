"""The program: `python -m depthsep_check FILE... [--against MODEL]`; one verdict line per file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from depthsep_check import check, check_model
from depthsep_check.verdict import one_line

_EPILOG = """\
exit codes: 0 VERIFIED the claim is proved; 1 REFUTED this proof does not hold; 2 MALFORMED not a document;
3 EXHAUSTED a work limit was reached; 5 UNSUPPORTED another version or kind. Of several, the largest.

example: python -m depthsep_check shallow.json deep.json
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the files, print one line for each, return the largest exit code."""
    parser = argparse.ArgumentParser(
        prog="depthsep_check",
        description="Replay the proofs of depthsep documents.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a document")
    parser.add_argument("--against", type=Path, metavar="MODEL", help="also compare this ONNX or safetensors file")
    options = parser.parse_args(arguments)
    if options.against is not None and len(options.files) != 1:
        parser.error("--against compares a model with one document")
    code = 0
    for file in options.files:
        lines = [(file, check(file))]
        if options.against is not None:
            lines.append((options.against, check_model(file, options.against)))
        for path, verdict in lines:
            print(f"{one_line(str(path))}: {verdict.line}", flush=True)
            code = max(code, verdict.exit_code)
    return code


if __name__ == "__main__":
    sys.exit(main())
