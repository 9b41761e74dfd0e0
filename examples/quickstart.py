"""Build a proved network, evaluate it, save it, and let the checker read it again.

python examples/quickstart.py
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import depthsep as ds
from depthsep.decimals import upper_decimal


def main() -> None:
    network = ds.build("exp(-r^2)", dim=20, eps="0.01", depth=3)
    print(f"depth {network.depth}, hidden layers of {network.widths} neurons")
    print(f"|network - function| <= {network.sup_error_upper} for every x with norm at most 1")

    points = np.random.default_rng(0).standard_normal((1000, network.dim))
    points /= 1.001 * np.linalg.norm(points, axis=1, keepdims=True)
    points *= np.linspace(0, 1, len(points))[:, None]
    result = network.evaluate(points)
    errors = np.abs(result.values - network.function(points))
    print(f"largest error at {len(points)} points: {errors.max():.6f}")
    print(f"of which rounding is at most {upper_decimal(result.rounding_error_upper, 2)}")

    with TemporaryDirectory() as folder:
        path = network.save(Path(folder) / "gauss.json")
        print(ds.check(path).line)
        print(ds.load(path)(points[:3]))


if __name__ == "__main__":
    main()
