"""Run the requests of the table in README.md again and print its rows as they come out now.

python examples/table_of_widths.py [ROW ...]      (rows are counted from 1; all of them take some minutes)
"""

import re
import sys
from pathlib import Path

import depthsep as ds
from depthsep.reports.text import widths_text

README = Path(__file__).parents[1] / "README.md"
NOT_TRIED = "–"


def main(arguments: list[str]) -> None:
    row = r"^\| `(.+?)` \| (\d+) \| (.+?) \| (.+?) \| (.+?) \|$"
    rows = re.findall(row, README.read_text(encoding="utf-8"), re.MULTILINE)
    for number in map(int, arguments or range(1, len(rows) + 1)):
        formula, dim, eps, *before = rows[number - 1]
        exact = None if formula.startswith("ball") else eps
        now = [
            old if old == NOT_TRIED else widths_text(ds.build(formula, dim=int(dim), eps=exact, depth=depth).widths)
            for depth, old in zip((2, 3), before, strict=True)
        ]
        print(f"| `{formula}` | {dim} | {eps} | {' | '.join(now)} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
