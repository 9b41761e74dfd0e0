"""The free parameters of the compiler, and a search for cheap ones.

Short columns (small L) mean many of them, each with few thresholds; a stride saves sign columns and widens windows; a
large digit size means fewer digits for the next layer, and more thresholds on each. The search tries the same
parameters in all layers first, on a coarse lattice, then improves one parameter at a time. Costs are exact and nothing
is built (`layer_plan`), and no clock decides, so the result depends on the network only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product

from depthsep.errors import BadInput
from depthsep.progress import Progress

__all__ = ["LayerParameters", "Parameters", "search"]

COLUMN_BITS = (2, 24)
DIGIT_SIZES = (2, 2**16)
STRIDES = (1, 16)
SEARCHED = {"column_bits": (2, 12), "digit_size": (2, 64), "stride": (1, 3)}  # beyond, weights are not small any more
ONE_LEVEL_BITS = 12  # grids of more bits may be read in two levels


@dataclass(frozen=True)
class LayerParameters:
    """For one hidden layer of the source.

    Args:
        column_bits: L; big integers are cut into columns of L bits.
        digit_size: u; what is passed on is cut into digits below u.
        stride: s; the sign is read in every s-th column.

    Raises:
        BadInput: One of them is out of range.
    """

    column_bits: int
    digit_size: int
    stride: int

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        ranges = {"column_bits": COLUMN_BITS, "digit_size": DIGIT_SIZES, "stride": STRIDES}
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise BadInput(f"{name} = {getattr(self, name)}", needed=f"an integer from {low} to {high}")

    def neighbours(self) -> Iterator[LayerParameters]:
        """One step in one parameter, within what is searched."""
        steps = {
            "column_bits": (self.column_bits - 1, self.column_bits + 1),
            "digit_size": (self.digit_size // 2, self.digit_size * 2),
            "stride": (self.stride - 1, self.stride + 1),
        }
        for name, values in steps.items():
            low, high = SEARCHED[name]
            yield from (replace(self, **{name: value}) for value in values if low <= value <= high)


@dataclass(frozen=True)
class Parameters:
    """For a whole network.

    Args:
        input_digit_bits: n; the inputs are read in base 2^n.
        fine_bits: m, if the inputs are read in two levels; else None.
        layers: For each hidden layer of the source.
    """

    input_digit_bits: int
    fine_bits: int | None
    layers: tuple[LayerParameters, ...]

    def neighbours(self, grid_bits: int, *, two_levels: bool) -> Iterator[Parameters]:
        """One step in one parameter."""
        for place, layer in enumerate(self.layers):
            for other in layer.neighbours():
                yield replace(self, layers=(*self.layers[:place], other, *self.layers[place + 1 :]))
        for bits in (self.input_digit_bits - 1, self.input_digit_bits + 1):
            if 1 <= bits <= grid_bits:
                yield replace(self, input_digit_bits=bits)
        if two_levels:
            yield from (replace(self, fine_bits=fine) for fine in self._other_fine_bits(grid_bits))

    def _other_fine_bits(self, grid_bits: int) -> Iterator[int | None]:
        if self.fine_bits is None:
            yield grid_bits // 2
            return
        yield None
        yield from (fine for fine in (self.fine_bits - 1, self.fine_bits + 1) if 1 <= fine < grid_bits)


def search(
    cost: Callable[[Parameters], int],
    hidden_layers: int,
    grid_bits: int,
    *,
    merged: bool,
    progress: Progress,
) -> Parameters:
    """Find cheap parameters; see the module's text.

    Args:
        cost: What to make small.
        hidden_layers: Of the source.
        grid_bits: p.
        merged: Whether the mode is `merged`, which wants small columns and digits, and reads inputs in one level.
        progress: Told what is going on.
    """
    known: dict[Parameters, int] = {}

    def price(parameters: Parameters) -> int:
        if parameters not in known:
            known[parameters] = cost(parameters)
        return known[parameters]

    two_levels = grid_bits > ONE_LEVEL_BITS and not merged
    fine_bits = grid_bits // 2 if two_levels else None
    lattice = product((3, 4, 5, 6), (2, 4, 8), (1, 2)) if merged else product((5, 6, 7, 8), (16, 64), (1, 3))
    starts = []
    for numbers in lattice if hidden_layers else [(2, 2, 1)]:
        starts.append(Parameters(min(4, grid_bits), fine_bits, (LayerParameters(*numbers),) * hidden_layers))
    best = starts[0]
    for place, start in enumerate(starts):
        progress("choosing parameters", place / len(starts))
        best = min(best, start, key=price)
    while True:
        better = min(best.neighbours(grid_bits, two_levels=two_levels), key=price, default=best)
        if price(better) >= price(best):
            return best
        best = better
        progress("improving parameters", None)
