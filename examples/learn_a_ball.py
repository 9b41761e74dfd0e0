"""Train a network with two layers of sigmoids on Gaussian data, below what any network with one hidden layer can reach.

python examples/learn_a_ball.py [DIM] [SEEDS] [STEPS]
"""

import sys

from depthsep.decimals import lower_decimal
from depthsep.learning import Protocol, run_experiment


def main() -> None:
    given = [int(word) for word in sys.argv[1:]]
    dim, seeds, steps = given + [10, 3, 300][len(given) :]
    found = run_experiment(Protocol("gaussian", dim, seeds=seeds, steps=steps))
    for model in ("two-sigmoid", "features"):
        mean = found.outcome(model).interval
        print(f"{model:<12} {mean.mean:.4f}  (95% interval {mean.low:.4f} to {mean.high:.4f}, {seeds} seeds)")
    floor = lower_decimal(found.floor.error_floor)  # a lower bound is rounded down
    print(f"{'floor':<12} {floor}  (certified, for every network with one hidden layer of that width)")
    print(f"{found.verdict.kind}: {found.verdict.sentence}")


if __name__ == "__main__":
    main()
