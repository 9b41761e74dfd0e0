"""Any ReLU network of depth k as one with small integer weights, equal on a grid.

Theorem (Vardi & Shamir 2020, arXiv:2006.00625): a network of constant depth k with arbitrary weights can be
approximated by one of depth 3k+3 and polynomial size whose weights are polynomially bounded, for inputs from densities
that are (almost) bounded.

What is proved here: for a network N with rational weights and any p, networks of depth 3k+3 (`theorem`), 5k+1
(`compact`) and 2k+2 (`merged`) with integer weights times one scale, that are within `error` (often 0) of N at each
point of the grid {X / 2^p}^d where |N| <= range. The construction is ours; its stages are

    inputs -> digits (`read_out`) -> relu(S_i), as digits again, for each hidden layer (`hidden_layer`, with the
    sign of a big sum in `columns`) -> output modulo a power of two, clipped (`output_layer`)

and docs/small-weights-layout.md fixes every row, so that a checker can compare. What holds off the grid is in
`off_grid`.

Differences from the source: our own gadgets, all of them exact on the grid; two more modes.
Cost: for m units, N incoming digits of size u and n columns in a layer about m n N^2 u weights in `theorem` mode, and
m n N u in `compact` mode; integers of O(stride L + log N u) bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from depthsep.errors import BadInput
from depthsep.networks.grids import check_domain
from depthsep.networks.integer_layers import IntegerLayers
from depthsep.networks.relu import ReluNetwork
from depthsep.progress import Progress, silent
from depthsep.small_weights.digits import Activations
from depthsep.small_weights.hidden_layer import hidden_layer
from depthsep.small_weights.layer_plan import LayerPlan, total
from depthsep.small_weights.output_layer import Rounding, output_layers, output_rows, round_outputs
from depthsep.small_weights.parameters import Parameters, search
from depthsep.small_weights.read_out import InputGrid, read_inputs

__all__ = ["MODES", "Compiled", "Cost", "compile_on_grid", "cost_on_grid"]

MODES = ("theorem", "compact", "merged")
MAX_GRID_BITS = 24
# What the search aims at: integers of INTEGER_BITS before the output, and weights of 2^12 there once balanced.
INTEGER_BITS = 31
PATH_BITS = 36


@dataclass(frozen=True)
class Cost:
    """What a compiled network will be, exactly.

    Args:
        depth: Weight layers.
        neurons: Hidden units.
        weights_count: Weights that are not 0.
        nonzeros: Weights and biases that are not 0.
        stored: Numbers in the network as it is stored, by blocks.
        max_integer: The largest absolute value of a stored weight or bias, before balancing.
        parameters: What leads there.
    """

    depth: int
    neurons: int
    weights_count: int
    nonzeros: int
    stored: int
    max_integer: int
    parameters: Parameters


@dataclass(frozen=True)
class Compiled:
    """A compiled network.

    Args:
        network: The network, not balanced.
        witness: The WITNESS object of the document format.
        error: A bound of |network - source| on the grid.
        parameters: What it was built with.
        cost: What was predicted.
    """

    network: IntegerLayers
    witness: dict[str, Any]
    error: Fraction
    parameters: Parameters
    cost: Cost


def compile_on_grid(
    network: ReluNetwork,
    *,
    domain: str,
    grid_bits: int,
    range_bound: Fraction,
    mode: str = "theorem",
    output_bits: int | None = None,
    guard_bits: int = 4,
    parameters: Parameters | None = None,
    progress: Progress = silent,
) -> Compiled:
    """Build a network with small integer weights that equals another one on a grid.

    Args:
        network: The source.
        domain: "[0,1]^d" or "[-1,1]^d".
        grid_bits: p; the grid has 2^p + 1 points on every axis.
        range_bound: R; the statement is about grid points where every |output| is at most R.
        mode: "theorem" (depth 3k+3), "compact" (5k+1) or "merged" (2k+2).
        output_bits: The outputs are multiples of 2^-output_bits. By default nothing is rounded where that is cheap,
            and else the error is at most R / 2^15.
        guard_bits: g; a ramp takes 2^-g of a cell.
        parameters: Column bits and so on; by default cheap ones are searched.
        progress: Told what is going on.

    Returns:
        The network, and what a checker needs to know.

    Raises:
        BadInput: An argument is out of range, or they do not fit together.

    Example:
        >>> step = ReluNetwork.from_arrays([([[2**30], [2**30]], [0, -1]), ([[1, -1]], [0])])  # [x > 0] on the grid
        >>> compiled = compile_on_grid(step, domain="[-1,1]^d", grid_bits=3, range_bound=Fraction(1))
        >>> compiled.network.depth, compiled.error, compiled.network([[-0.25], [0.0], [0.25]]).tolist()
        (9, Fraction(0, 1), [[0.0], [0.0], [1.0]])
    """
    planner = _Planner(network, InputGrid(network.dim, domain, grid_bits, guard_bits), range_bound, mode, output_bits)
    parameters = planner.checked(parameters) if parameters else planner.search(progress)
    layers, rounding = planner.plan(parameters)
    cost = planner.cost(parameters)
    built = []
    for place, layer in enumerate(layers):
        progress(f"building layer {place + 1} of {len(layers)}", place / len(layers))
        built.append(layer.build())
    compiled = IntegerLayers(
        dim=network.dim,
        layers=tuple(built),
        exponents=(None,) * len(built),
        outputs=output_rows(network.outputs, rounding),
        scale=rounding.scale,
    )
    witness = {
        "kind": "columns",
        "mode": mode,
        "guard_bits": guard_bits,
        "input_digit_bits": parameters.input_digit_bits,
        "fine_bits": parameters.fine_bits,
        "layers": [asdict(layer) for layer in parameters.layers],
        "modulus_bits": rounding.modulus_bits,
    }
    return Compiled(compiled, witness, rounding.error_upper, parameters, cost)


def cost_on_grid(
    network: ReluNetwork,
    *,
    domain: str,
    grid_bits: int,
    range_bound: Fraction,
    mode: str = "theorem",
    output_bits: int | None = None,
    guard_bits: int = 4,
    parameters: Parameters | None = None,
    progress: Progress = silent,
) -> Cost:
    """Say what `compile_on_grid` would build from the same arguments, without building it.

    Raises:
        BadInput: An argument is out of range, or they do not fit together.
    """
    planner = _Planner(network, InputGrid(network.dim, domain, grid_bits, guard_bits), range_bound, mode, output_bits)
    return planner.cost(planner.checked(parameters) if parameters else planner.search(progress))


@dataclass(frozen=True, eq=False)
class _Stage:
    """Some layers, and what the last of them holds."""

    layers: list[LayerPlan]
    activations: Activations

    @cached_property
    def weights_count(self) -> int:
        """Of the layers."""
        return total(self.layers, "weights_count")

    @cached_property
    def max_integer(self) -> int:
        """Of the layers."""
        return max(layer.max_integer for layer in self.layers)


class _Planner:
    """Plans a network for any parameters; keeps the stages that the last plan has in common with the next one."""

    def __init__(
        self, network: ReluNetwork, grid: InputGrid, range_bound: Fraction, mode: str, output_bits: int | None
    ) -> None:
        asked = f"a network in mode {mode!r} with grid_bits = {grid.bits}, guard_bits = {grid.guard_bits}"
        check_domain(grid.domain)
        if mode not in MODES:
            raise BadInput(asked, needed=f"one of the modes {', '.join(MODES)}")
        if not (1 <= grid.bits <= MAX_GRID_BITS and grid.guard_bits >= 1 and range_bound >= 0):
            found = f"a range of {range_bound}"
            raise BadInput(
                asked, found=found, needed=f"1 to {MAX_GRID_BITS} grid bits, a guard bit, a range of at least 0"
            )
        self.network, self.grid, self.mode = network, grid, mode
        self.range_bound, self.output_bits = range_bound, output_bits
        self._stages: list[tuple[object, _Stage]] = []

    def checked(self, parameters: Parameters) -> Parameters:
        """Refuse parameters that do not fit."""
        asked, hidden = f"parameters for {len(parameters.layers)} hidden layers", self.network.depth - 1
        if len(parameters.layers) != hidden:
            raise BadInput(asked, found=f"a network with {hidden} of them", needed="parameters for each of them")
        if not 1 <= parameters.input_digit_bits <= self.grid.bits:
            found = f"input_digit_bits = {parameters.input_digit_bits}"
            raise BadInput(asked, found=found, needed=f"1 to {self.grid.bits}, the bits of the grid")
        fine = parameters.fine_bits
        if fine is not None and (self.mode == "merged" or not 1 <= fine < self.grid.bits):
            needed = f"None, or in the other modes than merged 1 to {self.grid.bits - 1}"
            raise BadInput(asked, found=f"fine_bits = {fine} in mode {self.mode!r}", needed=needed)
        return parameters

    def search(self, progress: Progress) -> Parameters:
        """Find cheap parameters."""
        merged = self.mode == "merged"
        return search(self._price, self.network.depth - 1, self.grid.bits, merged=merged, progress=progress)

    def _price(self, parameters: Parameters) -> int:
        """The number of weights, doubled for every bit that numbers are larger than they should be.

        The biases of the wrap layer have three layers to the output, and no rescaling changes the product on that path.
        """
        stages = self._plan_stages(parameters)
        outputs, rounding = self._plan_outputs(parameters)
        path = _ceil_log2(Fraction(outputs[-2].max_integer)) + rounding.modulus_bits + _ceil_log2(rounding.scale)
        hidden = max(stage.max_integer for stage in stages).bit_length()
        excess = max(0, path - PATH_BITS) + max(0, hidden - INTEGER_BITS)
        weights = sum(stage.weights_count for stage in stages) + total(outputs, "weights_count")
        return weights << excess

    def plan(self, parameters: Parameters) -> tuple[list[LayerPlan], Rounding]:
        """All hidden layers, and how the outputs are rounded."""
        layers = [layer for stage in self._plan_stages(parameters) for layer in stage.layers]
        outputs, rounding = self._plan_outputs(parameters)
        return layers + outputs, rounding

    def _plan_stages(self, parameters: Parameters) -> list[_Stage]:
        """The stages before the output; what the last call has in common with this one is there already."""
        keys: Sequence[object] = ((parameters.input_digit_bits, parameters.fine_bits), *parameters.layers)
        common = 0
        while common < len(self._stages) and self._stages[common][0] == keys[common]:
            common += 1
        del self._stages[common:]
        for place in range(common, len(keys)):
            stage = self._hidden(place, parameters) if place else self._inputs(parameters)
            self._stages.append((keys[place], stage))
        return [stage for _, stage in self._stages]

    def _inputs(self, parameters: Parameters) -> _Stage:
        merged = self.mode == "merged"
        return _Stage(*read_inputs(self.grid, parameters.input_digit_bits, parameters.fine_bits, merged=merged))

    def _hidden(self, place: int, parameters: Parameters) -> _Stage:
        before = self._stages[place - 1][1].activations
        targets, denominator = before.preactivations(self.network.layers[place - 1])
        return _Stage(*hidden_layer(before.digits, targets, denominator, parameters.layers[place - 1], self.mode))

    def _plan_outputs(self, parameters: Parameters) -> tuple[list[LayerPlan], Rounding]:
        """The last layers; all stages are there."""
        before = self._stages[-1][1].activations
        targets, denominator = before.preactivations(self.network.layers[-1])
        outputs, highs = list(targets), before.digits.highs
        rounding = round_outputs(outputs, highs, denominator, self.range_bound, self.output_bits)
        collect = self.mode != "merged" and parameters.fine_bits is None
        return output_layers(before.digits, outputs, rounding, collect=collect), rounding

    def cost(self, parameters: Parameters) -> Cost:
        """What a plan amounts to."""
        layers, rounding = self.plan(parameters)
        outputs = self.network.outputs
        blocks = [block for layer in layers for block in layer.blocks]
        return Cost(
            depth=len(layers) + 1,
            neurons=sum(layer.units for layer in layers),
            weights_count=total(layers, "weights_count") + 2 * outputs,
            nonzeros=total(layers, "nonzeros") + (2 + (rounding.clip > 0)) * outputs,
            stored=sum(block.row.size + block.kinks.count for block in blocks) + 3 * outputs,
            max_integer=max(1, rounding.clip, *(layer.max_integer for layer in layers)),
            parameters=parameters,
        )


def _ceil_log2(number: Fraction) -> int:
    """The logarithm of a number, rounded up if the number is an integer or its reciprocal one; 0 for 0."""
    return max(0, number.numerator - 1).bit_length() - (number.denominator.bit_length() - 1)
