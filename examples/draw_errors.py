"""Draw the picture of README.md: the proved error band of both networks, and the errors met inside it.

python examples/draw_errors.py [OUT.png] [FORMULA] [DIM] [EPS]
"""

import sys
from pathlib import Path

import depthsep as ds
from depthsep.reports import figures
from depthsep.reports.rows import kind_of, networks_of
from depthsep.reports.scan import scan
from depthsep.reports.text import widths_text


def main(arguments: list[str]) -> None:
    out, formula, dim, eps = arguments or ["errors.png", "1 - r", "10", "0.1"]
    separation = ds.separate(formula, dim=int(dim), eps=eps)
    portraits = [
        figures.Portrait(
            kind_of(net), f"depth {net.depth}, {widths_text(net.widths)} neurons", scan(net), net.sup_error_upper
        )
        for net in networks_of(separation)
    ]
    Path(out).write_bytes(figures.to_png(figures.draw_errors(portraits)))
    print(out)


if __name__ == "__main__":
    main(sys.argv[1:])
