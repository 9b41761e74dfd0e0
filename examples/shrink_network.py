"""A network that float32 gets wrong, rewritten with small weights that are exact in it; and what padding does instead.

python examples/shrink_network.py
"""

import numpy as np

import depthsep as ds

LARGE = 2**40
GRID_BITS = 4

# +max(x, y) where x > y, -max(x, y) where x < y: a comparison of two numbers, by weights that almost cancel.
COMPARISON = [
    ([[LARGE + 1, -LARGE], [LARGE, -LARGE], [-LARGE, LARGE + 1], [-LARGE, LARGE]], [0, 0, 0, 0]),
    ([[1, -1, -1, 1]], [0]),
]


def in_float32(layers: list[tuple[np.ndarray, np.ndarray]], points: np.ndarray) -> np.ndarray:
    """Run layers in float32, as a device would."""
    values = points.T.astype(np.float32)
    for place, (weights, biases) in enumerate(layers):
        values = np.maximum(values, 0) if place else values
        values = weights.astype(np.float32) @ values + biases.astype(np.float32)[:, np.newaxis]
    return values[0]


def main() -> None:
    source = ds.ReluNetwork.from_arrays(COMPARISON)
    padded = ds.shrink(source, max_weight=64)
    small = ds.shrink(source, grid_bits=GRID_BITS)
    indices = np.indices((2**GRID_BITS + 1,) * 2).reshape(2, -1).T
    numerators, denominator = source.grid_values(indices, GRID_BITS, "[0,1]^d")
    truth, points = numerators[:, 0] / denominator, indices / 2**GRID_BITS

    print(f"{'':<10} depth  neurons  largest weight  equal       wrong in float32, of {len(points)} grid points")
    rows = {
        "source": (source, source.dense_layers(), ""),
        padded.way.name: (padded, padded.network.dense_layers(), padded.exact_on),
        small.way.name: (small, small.network.sparse_layers(), small.exact_on),
    }
    for name, (network, layers, where) in rows.items():
        wrong = int(np.sum(in_float32(layers, points) != truth))
        largest = float(network.max_weight)
        print(f"{name:<10} {network.depth:>5} {network.neurons:>8} {largest:>15.5g}  {where:<10}  {wrong}")
    print(small.verdict.line)


if __name__ == "__main__":
    main()
