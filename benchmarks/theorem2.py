"""Width against accuracy in a fixed dimension, and polynomials by two ways: `python -m benchmarks.theorem2`.

Theorem 2 of Safran, Eldan & Shamir (2019): in a fixed dimension the width is polynomial in 1/eps. Here networks are
built for a few profiles and accuracies in dimensions 1 to 4, and the slope of log(width) over log(1/eps) is measured,
by least squares over all accuracies. Beside the widths in dimensions 2 and 3 stand those of two linear programs, run
once: one places units freely in a symmetric set, the other shares a profile among a design's directions under the
moment conditions. Both demand their conditions at grid points only, and prove nothing.

Theorem 3 there: polynomials in ||x||^2. Each is built by the general search, and through exact cubature identities,
whose number of directions is shown beside C(d+k-1, k), the least of every exact identity.

`--only` measures the named parts and keeps the stored results of the others.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from benchmarks.measure import environment, table, timed
from depthsep import build
from depthsep.constructions.polynomial_radial import build_polynomial
from depthsep.errors import OutOfReach
from depthsep.functions import Radial
from depthsep.lower_bounds.moment_limits import exact_identity_directions

RESULT = Path(__file__).parent / "results" / "theorem2.json"

ACCURACIES = {
    1: ("0.2", "0.1", "0.05", "0.03", "0.02", "0.01"),
    2: ("0.2", "0.1", "0.05", "0.03", "0.02", "0.01"),
    3: ("0.2", "0.1", "0.05", "0.03", "0.02"),
    4: ("0.2", "0.1", "0.05", "0.03"),
}
PROFILES = ("1 - r", "max(0, 1/2 - r)", "sin(3*r)/3", "abs(r - 1/2)")
PROGRAMS = {  # widths at 0.1, 0.05, 0.03, the affine unit not counted: units placed freely, and a shared profile
    ("1 - r", 2): ((3, 4, 5), (3, 4, 5)),
    ("max(0, 1/2 - r)", 2): ((9, 15, 15), (9, 15, 18)),
    ("sin(3*r)/3", 2): ((9, 12, 24), None),
    ("abs(r - 1/2)", 2): ((12, 15, 40), (12, 21, 56)),
    ("1 - r", 3): ((6, 10, 25), (16, 16, 36)),
    ("max(0, 1/2 - r)", 3): ((18, 51, 175), (48, 80, 240)),
    ("abs(r - 1/2)", 3): ((39, 165, 269), (48, 176, 729)),
}
PROGRAMS_AT = ("0.1", "0.05", "0.03")
POLYNOMIALS = (
    ("r^2", 10, "0.01"),
    ("r^2", 30, "0.01"),
    ("r^4", 10, "0.1"),
    ("r^4", 10, "0.01"),
    ("r^4", 30, "0.1"),
    ("r^4", 30, "0.01"),
    ("r^6", 5, "0.01"),
    ("r^6", 10, "0.05"),
    ("r^6", 10, "0.01"),
    ("r^8", 5, "0.02"),
    ("1 - r^2 + 3*r^4", 10, "0.05"),
)


def widths(dims: list[int], profiles: list[str]) -> list[dict[str, Any]]:
    """Build every network, one at a time."""
    rows = []
    for dim in dims:
        for profile in profiles:
            for eps in ACCURACIES[dim]:
                rows.append({"dim": dim, "profile": profile, "eps": eps, **_built(profile, dim, eps)})
                print(rows[-1], flush=True)
    return rows


def _built(profile: str, dim: int, eps: str) -> dict[str, Any]:
    def task() -> Any:
        try:
            return build(profile, dim=dim, eps=eps, depth=2)
        except OutOfReach as failure:
            return failure

    run = timed(task)
    if isinstance(run.result, OutOfReach):
        return {"width": None, "why": run.result.found, **run.cost()}
    return {"width": run.result.widths[0], "proved": float(run.result.sup_error_upper), **run.cost()}


def slope(points: list[tuple[float, int]]) -> float | None:
    """The least-squares slope of log(width) against log(1/eps); None with fewer than two widths above 0."""
    logs = [(-math.log(eps), math.log(width)) for eps, width in points if width]
    if len(logs) < 2:
        return None
    x, y = (sum(column) / len(logs) for column in zip(*logs, strict=True))
    return sum((a - x) * (b - y) for a, b in logs) / sum((a - x) ** 2 for a, _ in logs)


def polynomials() -> list[dict[str, Any]]:
    """Build every polynomial in both ways."""
    rows = []
    for text, dim, eps in POLYNOMIALS:
        function = Radial(text, dim)
        exact = timed(lambda function=function, eps=eps: build_polynomial(function, Fraction(eps)))
        general = timed(lambda text=text, dim=dim, eps=eps: build(text, dim=dim, eps=eps, depth=2))
        degree = max(int(power[0]) for power in text.split("^")[1:])
        row = {"function": text, "dim": dim, "eps": eps, "least_directions": exact_identity_directions(dim, degree)}
        row["directions"] = sum(group.directions.count for group in exact.result.network.groups)
        row |= {"exact": {"width": exact.result.widths[0], **exact.cost()}}
        row |= {"general": {"width": general.result.widths[0], **general.cost()}}
        rows.append(row)
        print(rows[-1], flush=True)
    return rows


def tables(result: dict[str, Any]) -> str:
    """Render the stored results as Markdown."""
    found = {(row["profile"], row["dim"], row["eps"]): row["width"] for row in result["widths"]}
    eps_list = sorted({eps for _, _, eps in found}, key=float, reverse=True)
    rows = []
    for profile in PROFILES:
        for dim in ACCURACIES:
            own = {eps: width for (p, d, eps), width in found.items() if (p, d) == (profile, dim)}
            if not own:
                continue
            cells = [_shown(own[eps]) if eps in own else "" for eps in eps_list]
            exponent = slope([(float(eps), width) for eps, width in own.items()])
            rows.append([profile, str(dim), *cells, "" if exponent is None else f"{exponent:.2f}"])
    compared = [
        [profile, str(dim), *map(_row, programs), _row([found.get((profile, dim, eps)) for eps in PROGRAMS_AT])]
        for (profile, dim), programs in PROGRAMS.items()
    ]
    exact = [
        [row["function"], str(row["dim"]), row["eps"], f"{row['least_directions']:,}", f"{row['directions']:,}",
         f"{row['exact']['width']:,}", f"{row['general']['width']:,}",
         f"{row['exact']['width'] / row['general']['width']:.2f}",
         f"{row['exact']['cpu_s']:.2g} s, {row['general']['cpu_s']:.2g} s"]
        for row in result["polynomials"]
    ]  # fmt: skip
    header = ["function", "d", "eps", "C(d+k-1, k)", "directions", "exact", "search", "exact / search", "CPU"]
    return "\n\n".join(
        [
            table(["profile", "d", *eps_list, "slope"], rows),
            table(["profile", "d", "free units, no proof", "shared profile, no proof", "built, proved"], compared),
            table(header, exact),
        ]
    )


def _row(widths: Sequence[int | None] | None) -> str:
    return "" if widths is None else " / ".join(map(_shown, widths))


def _shown(width: int | None) -> str:
    return "none" if width is None else f"{width:,}"


def main() -> None:
    """Measure, write the results, print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.theorem2", description=__doc__)
    parser.add_argument("--only", nargs="*", choices=["widths", "polynomials"], default=["widths", "polynomials"])
    parser.add_argument("--dims", nargs="+", type=int, choices=list(ACCURACIES), default=list(ACCURACIES))
    parser.add_argument("--profiles", nargs="+", choices=PROFILES, default=list(PROFILES), metavar="PROFILE")
    arguments = parser.parse_args()
    result: dict[str, Any] = json.loads(RESULT.read_text()) if RESULT.exists() else {"widths": [], "polynomials": []}
    if "widths" in arguments.only:
        new = widths(arguments.dims, arguments.profiles)
        replaced = {(row["dim"], row["profile"]) for row in new}
        kept = [row for row in result["widths"] if (row["dim"], row["profile"]) not in replaced]
        result["widths"] = sorted([*kept, *new], key=lambda row: (row["profile"], row["dim"], -float(row["eps"])))
    if "polynomials" in arguments.only:
        result["polynomials"] = polynomials()
    RESULT.write_text(json.dumps({**result, "environment": environment()}, indent=1) + "\n")
    print(tables(result))


if __name__ == "__main__":
    main()
