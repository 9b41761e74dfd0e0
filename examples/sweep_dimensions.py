"""How the widths grow with the dimension: both depths, and what any network needs.

python examples/sweep_dimensions.py [FORMULA] [EPS] [DIMENSION ...]
"""

import sys

import depthsep as ds


def main(arguments: list[str]) -> None:
    formula, eps, *dims = arguments or ["1 - r", "0.2", "2", "5", "10", "20", "40"]
    print(f"{formula} within {eps} on the unit ball")
    print(f"{'dim':>5} {'depth 2':>9} {'depth 3':>9} {'any depth':>10}")
    for dim in map(int, dims):
        both = ds.separate(formula, dim=dim, eps=eps, max_width=100_000)
        shallow = "none" if both.shallow is None else f"{sum(both.shallow.widths):,}"
        needed = max((bound.width_lower for bound in both.bounds if bound.depth == "any"), default=0)
        print(f"{dim:>5} {shallow:>9} {sum(both.deep.widths):>9,} {'>= ' + str(needed):>10}")


if __name__ == "__main__":
    main(sys.argv[1:])
