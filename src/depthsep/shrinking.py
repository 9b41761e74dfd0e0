"""The front door to small weights: from a network to the same network with small weights, each with its proof."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from depthsep.certificates.equality import CertifiedEquality, certify_equality
from depthsep.errors import BadInput, OutOfReach
from depthsep.imports import read_network
from depthsep.networks.accumulators import FLOAT32, FLOAT64
from depthsep.networks.exact_numbers import exact_number
from depthsep.networks.grids import DOMAINS
from depthsep.networks.integer_layers import IntegerLayers
from depthsep.networks.profile import Array
from depthsep.networks.relu import ReluNetwork
from depthsep.progress import Progress, silent
from depthsep.small_weights.balance import CriticalPath
from depthsep.small_weights.balance import balance as rescaled
from depthsep.small_weights.barrier import BarrierReport, barrier_report
from depthsep.small_weights.circuits import CircuitCost, circuit_cost, circuit_of
from depthsep.small_weights.compiler import MAX_GRID_BITS, compile_on_grid
from depthsep.small_weights.off_grid import OffGrid, mean_error_estimate, mean_error_upper
from depthsep.small_weights.padding import MAX_LAYERS
from depthsep.small_weights.plan import GRID_MODES, WAYS, Plan, Way, bottleneck, make_plan
from depthsep.small_weights.ranges import GridRequest, Range, find_range
from depthsep.small_weights.words import about, at_most, short_upper
from depthsep_check import Verdict

__all__ = ["Number", "Shrunk", "balance", "circuit", "circuit_barrier", "plan_circuit", "plan_shrink", "shrink"]

Number = str | int | float | Fraction

MAX_NONZEROS = 30_000_000
MAX_GUARD_BITS = 24
ROUNDED_DIGITS_BITS = 6


@dataclass(frozen=True)
class Shrunk:
    """A network with small weights, its proof, and how it was chosen.

    Args:
        certified: The two networks and the document that says that they are equal.
        way: The way that was taken.
        reason: Why that way.
        grid: What the compiler was asked for; None where the networks are equal everywhere.
        range_proof: How the range of the outputs is known; None where none is needed.
        off_grid: How far the networks are apart between grid points; None where the networks are equal everywhere.
        hints: What else might help.
    """

    certified: CertifiedEquality
    way: Way
    reason: str
    grid: GridRequest | None = None
    range_proof: str | None = None
    off_grid: OffGrid | None = None
    hints: tuple[str, ...] = ()

    @property
    def source(self) -> ReluNetwork:
        """The network that was given."""
        return self.certified.source

    @property
    def network(self) -> Any:
        """The network with small weights."""
        return self.certified.network

    @property
    def verdict(self) -> Verdict:
        """What the checker said."""
        return self.certified.verdict

    @property
    def exact_on(self) -> str:
        """Where the two networks are equal: "everywhere" or "grid"."""
        return self.certified.exact_on

    @property
    def depth(self) -> int:
        """The number of weight layers."""
        return self.certified.depth

    @property
    def neurons(self) -> int:
        """The number of hidden neurons."""
        return self.certified.neurons

    @property
    def nonzeros(self) -> int:
        """The number of nonzero weights and biases."""
        return self.certified.nonzeros

    @property
    def max_weight(self) -> Fraction:
        """The largest |weight| or |bias|."""
        return self.certified.max_weight

    @property
    def rescaling_lower(self) -> Fraction | None:
        """No rescaling of the neurons has a smaller largest weight than this; None where nothing is said about it."""
        value = self.certified.claim.get("rescaling_lower")
        return None if value is None else Fraction(value)

    @property
    def float_obstacles(self) -> dict[str, str]:
        """For float32 and float64 why evaluation may not be exact at grid points; "" where it is proved to be."""
        formats = () if self.grid is None else (FLOAT32, FLOAT64)
        return {form.name: self.certified.float_obstacle(form) for form in formats}

    @property
    def document(self) -> dict[str, Any]:
        """The document as a JSON object."""
        return self.certified.document

    def __call__(self, points: ArrayLike) -> Array:
        """Evaluate the network with small weights at the rows of `points`."""
        return self.certified(points)

    def save(self, path: str | os.PathLike[str], force: bool = False) -> Path:
        """Write the document; see `CertifiedEquality.save`."""
        return self.certified.save(path, force)

    def summary(self) -> dict[str, Any]:
        """The facts that the command line prints with --json."""
        grid, apart = self.grid, self.off_grid
        return {
            **self.certified.summary(),
            "mode": self.way.name,
            "reason": self.reason,
            "source_max_weight": str(self.source.max_weight),
            "rescaling_lower": None if self.rescaling_lower is None else str(self.rescaling_lower),
            "error": str(self.certified.error_upper),
            "range": None if grid is None else str(grid.range_bound),
            "range_proof": self.range_proof,
            "off_grid": None
            if apart is None
            else {
                "density": str(apart.density),
                "mean_error_upper": str(apart.mean_error_upper),
                "mean_error_estimate": apart.mean_error_estimate,
                "standard_error": apart.standard_error,
                "samples": apart.samples,
            },
            **{f"{name}_exact": obstacle == "" for name, obstacle in self.float_obstacles.items()},
            "hints": list(self.hints),
        }


@dataclass(frozen=True)
class _Request:
    """What was asked for, read and checked."""

    network: ReluNetwork
    mode: str
    max_weight: Fraction | None
    max_depth: int | None
    grid_bits: int | None
    domain: str
    asserted: Fraction | None
    output_error: Fraction | None
    guard_bits: int
    max_nonzeros: int

    @cached_property
    def range(self) -> Range:
        """The range of the outputs on the grid; found when it is first needed."""
        if self.grid_bits is None:
            raise BadInput("a range without a grid", needed="grid_bits")
        return find_range(self.network, self.domain, self.grid_bits, self.asserted)

    @cached_property
    def grid(self) -> GridRequest:
        """What the compiler is asked for."""
        bits, output_bits = self.grid_bits or 0, None
        if self.output_error is not None:
            output_bits = _bits_of(self.output_error) if self.output_error else _exact_bits(self.network, bits)
        return GridRequest(bits, self.domain, self.range.bound, output_bits, self.guard_bits)

    def plan(self, all_ways: bool, progress: Progress) -> Plan:
        """The ways, and the one to take."""
        return make_plan(
            self.network,
            mode=self.mode,
            max_weight=self.max_weight,
            max_depth=self.max_depth,
            grid=None if self.grid_bits is None else lambda: self.grid,
            max_nonzeros=self.max_nonzeros,
            all_ways=all_ways,
            progress=progress,
        )


def shrink(
    network: Any,
    *,
    max_weight: Number | None = None,
    max_depth: int | None = None,
    grid_bits: int | None = None,
    domain: str = DOMAINS[0],
    mode: str = "auto",
    range_bound: Number | None = None,
    output_error: Number | None = None,
    guard_bits: int = 4,
    density: Number = 1,
    max_nonzeros: int = MAX_NONZEROS,
    progress: Progress = silent,
) -> Shrunk:
    """Give a network small weights, with a proof that it is still the same.

    Args:
        network: A `ReluNetwork`, or anything that `read_network` takes.
        max_weight: The largest |weight| and |bias| allowed, such as 64 or "2^10"; without it as small as rescaling
            makes them.
        max_depth: The most weight layers allowed; 3k+3 for a network of depth k.
        grid_bits: Equality on the grid of 2^grid_bits + 1 points per axis is enough; without it only ways that are
            equal everywhere are taken.
        domain: "[0,1]^d" or "[-1,1]^d" (also "0,1", "-1,1"): where the grid is.
        mode: "auto" for the cheapest way that meets the bounds; "balance", "pad", "split"; "theorem", "compact",
            "merged" for the compiler.
        range_bound: A bound of |output| on the grid that you vouch for; without it one is proved.
        output_error: The error allowed on the grid; without it there is none where that is cheap, and otherwise at most
            range / 2^15.
        guard_bits: Between grid points the digits change on ramps of 2^-guard_bits of a cell.
        density: Bounds the conditional density of each coordinate, for the statement about points off the grid.
        max_nonzeros: Refuse to build a larger network.
        progress: Called with a text and a fraction (or None) as the work goes on.

    Returns:
        The network with its proof, why this way was taken, and how far it is from the source off the grid.

    Raises:
        BadInput: The request makes no sense, or |output| exceeds `range_bound` somewhere; the text says where.
        OutOfReach: No way meets the bounds; the text says what stands in the way of each.

    Example:
        >>> net = shrink([([[2**40]], [0]), ([[1]], [0])], max_weight=64)
        >>> net.way.name, net.depth, net.max_weight, net.exact_on, net.verdict.ok
        ('pad', 7, Fraction(64, 1), 'everywhere', True)
    """
    asked = _request(
        network, max_weight, max_depth, grid_bits, domain, mode, range_bound, output_error, guard_bits, max_nonzeros
    )
    rho = _density(density, asked.domain)
    plan = asked.plan(False, progress)
    lightest: _Built | None = None
    for way in plan.chosen:
        if way.network is not None:
            return _certify_everywhere(asked, plan, way, way.network)
        built = _compile(asked, way, progress)
        if asked.max_weight is None or built.max_weight <= asked.max_weight:
            return _certify_on_grid(asked, plan, way, built, rho, progress)
        lightest = built if lightest is None else min(lightest, built, key=lambda one: one.max_weight)
    raise _unreachable(asked, plan, lightest)


def plan_shrink(
    network: Any,
    *,
    max_weight: Number | None = None,
    max_depth: int | None = None,
    grid_bits: int | None = None,
    domain: str = DOMAINS[0],
    mode: str = "auto",
    range_bound: Number | None = None,
    output_error: Number | None = None,
    guard_bits: int = 4,
    max_nonzeros: int = MAX_NONZEROS,
    progress: Progress = silent,
) -> Plan:
    """Say what every way to small weights would cost, and which one `shrink` would take; same arguments.

    The ways that are equal everywhere are tried out, as that is quick; the compiler's are only counted, so that their
    largest weight is the one before balancing.
    """
    asked = _request(
        network, max_weight, max_depth, grid_bits, domain, mode, range_bound, output_error, guard_bits, max_nonzeros
    )
    return asked.plan(True, progress)


def balance(network: Any) -> Shrunk:
    """Rescale the neurons by powers of two so that the largest |weight| or |bias| is as small as it gets.

    Args:
        network: A `ReluNetwork`, or anything that `read_network` takes.

    Returns:
        The network, equal everywhere; `rescaling_lower` is what no rescaling, by powers of two or not, goes below.

    Example:
        >>> net = balance([([[64]], [0]), ([[1]], [0])])
        >>> net.max_weight, net.rescaling_lower
        (Fraction(8, 1), Fraction(8, 1))
    """
    return shrink(network, mode="balance")


def circuit(
    network: Any,
    *,
    grid_bits: int,
    threshold: Number = 0,
    output: int = 0,
    domain: str = DOMAINS[0],
    progress: Progress = silent,
) -> CertifiedEquality:
    """Turn a network into a threshold circuit of small weights for [output >= threshold], with its proof.

    Args:
        network: A `ReluNetwork` of depth k, or anything that `read_network` takes.
        grid_bits: The bits of every input.
        threshold: The circuit says whether the output is at least this.
        output: Which output.
        domain: "[0,1]^d" or "[-1,1]^d": where the inputs are.
        progress: Called with a text and a fraction (or None) as the work goes on.

    Returns:
        The circuit, of depth 2k+1, as `network` of a `CertifiedEquality`.

    Raises:
        BadInput: The request makes no sense.
        OutOfReach: It would take too many gates; `reached` says how many.

    Example:
        >>> certified = circuit([([[1, -1]], [0])], grid_bits=2)  # is x_0 >= x_1?
        >>> certified.depth, certified([[0.5, 0.25], [0.25, 0.5]]).tolist()
        (3, [[1.0], [0.0]])
    """
    source, task = read_network(network), _circuit_task(grid_bits, threshold, output, domain, progress)
    compiled = circuit_of(source, **task)
    progress("checking", None)
    return certify_equality(source, compiled.circuit, compiled.claim, compiled.witness)


def plan_circuit(
    network: Any,
    *,
    grid_bits: int,
    threshold: Number = 0,
    output: int = 0,
    domain: str = DOMAINS[0],
    progress: Progress = silent,
) -> CircuitCost:
    """Count what `circuit` would build; same arguments."""
    return circuit_cost(read_network(network), **_circuit_task(grid_bits, threshold, output, domain, progress))


def circuit_barrier(
    network: Any, *, grid_bits: int, threshold: Number = 0, output: int = 0, domain: str = DOMAINS[0]
) -> BarrierReport:
    """Say what a depth separation for a network would imply for threshold circuits; same arguments as `circuit`.

    It states an implication, with the sizes of the reduction; it proves no lower bound.
    """
    task = _circuit_task(grid_bits, threshold, output, domain, silent)
    return barrier_report(read_network(network), **{name: task[name] for name in task if name != "progress"})


def _circuit_task(grid_bits: int, threshold: Number, output: int, domain: str, progress: Progress) -> dict[str, Any]:
    exact = _number(threshold, "threshold")
    return {
        "grid_bits": grid_bits, "threshold": exact, "output": output, "domain": _domain(domain), "progress": progress
    }  # fmt: skip


def _certify_everywhere(asked: _Request, plan: Plan, way: Way, network: ReluNetwork) -> Shrunk:
    """Have the checker replay that a network is equal everywhere."""
    source, path = asked.network, way.path
    claim = {
        "kind": "same-function",
        "dim": source.dim,
        "outputs": source.outputs,
        "domain": "R^d",
        "arithmetic": "real",
        "max_weight": str(way.max_weight),
        "rescaling_lower": None if path is None else str(path.lower),
    }
    witness = {"kind": "canonical-forms", "critical_path": None if path is None else list(path.indices)}
    return Shrunk(certify_equality(source, network, claim, witness), way, plan.reason, hints=_exact_hints(asked, way))


def _exact_hints(asked: _Request, way: Way) -> tuple[str, ...]:
    stuck = () if way.network is None or way.path is None else (bottleneck(way.network, way.path),)
    if asked.max_weight is None and asked.mode == "auto":
        return (*stuck, "identity layers or a grid can make the weights smaller: ask for --max-weight B")
    return stuck


@dataclass(frozen=True)
class _Built:
    """What the compiler gave, balanced."""

    network: IntegerLayers
    path: CriticalPath | None
    witness: dict[str, Any]
    error: Fraction

    @property
    def max_weight(self) -> Fraction:
        """The largest |weight| or |bias|."""
        return self.network.max_weight


def _compile(asked: _Request, way: Way, progress: Progress) -> _Built:
    """Compile, with as many output bits as the error asks for, and balance the result."""
    bits = asked.grid.output_bits
    while True:
        progress(f"compiling ({way.name})", None)
        request = asked.grid.arguments() | {"output_bits": bits, "mode": way.name, "parameters": way.parameters}
        compiled = compile_on_grid(asked.network, **request, progress=progress)
        if asked.output_error is None or compiled.error <= asked.output_error:
            break
        if bits is None or asked.output_error == 0:
            raise OutOfReach(
                f"error {asked.output_error} on the grid",
                found=f"the outputs are rounded, by at most {at_most(compiled.error)}",
                needed="weights whose denominators are powers of two, or outputs of few digits",
                do=f"allow it: --output-error {at_most(compiled.error)}",
                reached={"error": str(compiled.error)},
            )
        bits += math.ceil(compiled.error / asked.output_error).bit_length()
    progress("balancing", None)
    balanced = rescaled(compiled.network)
    error = short_upper(compiled.error)
    if asked.output_error is not None:
        error = min(error, asked.output_error)
    return _Built(balanced.network, balanced.path, compiled.witness, error)


def _certify_on_grid(
    asked: _Request, plan: Plan, way: Way, built: _Built, density: Fraction, progress: Progress
) -> Shrunk:
    """Bound and measure the error between grid points, and have the checker replay it all."""
    source, grid, network = asked.network, asked.grid, built.network
    progress("measuring the error between grid points", None)
    upper = short_upper(mean_error_upper(source, network, grid, built.error, density))
    apart = OffGrid(density, upper, *mean_error_estimate(source, network, grid))
    progress("checking", None)
    certified = certify_equality(source, network, _grid_claim(asked, built, apart), built.witness)
    done = replace(
        way,
        depth=network.depth,
        neurons=network.neurons,
        nonzeros=network.nonzeros,
        max_weight=network.max_weight,
        balanced=True,
    )
    hints = tuple(_grid_hints(asked, built, certified))
    return Shrunk(certified, done, plan.reason, grid, asked.range.proof, apart, hints)


def _grid_claim(asked: _Request, built: _Built, apart: OffGrid) -> dict[str, Any]:
    source, grid = asked.network, asked.grid
    return {
        "kind": "grid-equality",
        "dim": source.dim,
        "outputs": source.outputs,
        "domain": grid.domain,
        "grid_bits": grid.bits,
        "arithmetic": "real",
        "range": str(grid.range_bound),
        "range_proof": asked.range.proof,
        "error": str(built.error),
        "max_weight": str(built.max_weight),
        "off_grid": {"density": str(apart.density), "mean_error": str(apart.mean_error_upper)},
    }


def _grid_hints(asked: _Request, built: _Built, certified: CertifiedEquality) -> Iterator[str]:
    """What keeps the weights where they are, and what might help."""
    own = asked.network.max_weight
    if built.max_weight > own:
        yield f"the source's own weights are smaller: at most {at_most(own)}"
    yield from filter(None, (_grid_bottleneck(built), asked.range.hint))
    if built.error and asked.output_error is None and certified.float_obstacle(FLOAT64):
        yield "fewer output bits make the sums inside smaller: allow an error with --output-error E"


def _grid_bottleneck(built: _Built) -> str:
    if built.path is None:
        return ""
    why = bottleneck(built.network, built.path)
    if len(built.path.indices) > 1:
        return why
    return f"{why}; it is the range of the outputs, so outputs divided by a power of two have smaller weights"


def _unreachable(asked: _Request, plan: Plan, lightest: _Built | None) -> OutOfReach:
    """What stands in the way of each way, and what to ask for instead."""
    bound = "small weights" if asked.max_weight is None else f"weights and biases of at most {about(asked.max_weight)}"
    wanted = [way for way in plan.ways if asked.mode in ("auto", way.name)]
    known = [way.max_weight for way in wanted if way.network is not None and way.max_weight is not None]
    best = min((*known, *([] if lightest is None else [lightest.max_weight])), default=None)
    found = plan.reason
    if lightest is not None:
        found = f"the compiler's modes come down to {at_most(lightest.max_weight)}: {_grid_bottleneck(lightest)}"
    do = [] if best is None or asked.max_weight is None else [f"allow weights of {at_most(best)}"]
    if asked.grid_bits is None and asked.mode == "auto":
        do.append("say with --grid-bits P that agreeing on a grid of 2^P + 1 points per axis is enough")
    return OutOfReach(
        f"{bound} for a network of depth {asked.network.depth}",
        found=found,
        do="; or ".join(do)
        or "choose another mode, or allow more depth (--max-depth) or more nonzeros (--max-nonzeros)",
        reached={"max_weight": None if best is None else str(best)},
    )


def _request(
    network: Any,
    max_weight: Number | None,
    max_depth: int | None,
    grid_bits: int | None,
    domain: str,
    mode: str,
    range_bound: Number | None,
    output_error: Number | None,
    guard_bits: int,
    max_nonzeros: int,
) -> _Request:
    """Read what was asked for, and refuse what makes no sense."""
    source = read_network(network)
    if mode not in ("auto", *WAYS):
        raise BadInput(f"mode = {mode!r}", needed="one of auto, " + ", ".join(WAYS))
    if mode in GRID_MODES and grid_bits is None:
        raise BadInput(f"mode = {mode}", needed="the grid on which the networks are to agree: --grid-bits P")
    if mode == "split" and max_weight is None:
        raise BadInput("mode = split", needed="the bound to split to: --max-weight B")
    if grid_bits is not None and not 1 <= grid_bits <= MAX_GRID_BITS:
        raise BadInput(f"grid_bits = {grid_bits}", needed=f"a number of bits from 1 to {MAX_GRID_BITS}")
    if not 1 <= guard_bits <= MAX_GUARD_BITS:
        raise BadInput(f"guard_bits = {guard_bits}", needed=f"a number of bits from 1 to {MAX_GUARD_BITS}")
    if max_depth is not None and not source.depth <= max_depth <= MAX_LAYERS:
        found, needed = f"the network's own depth is {source.depth}", f"a depth from there to {MAX_LAYERS}"
        raise BadInput(f"max_depth = {max_depth}", found=found, needed=needed)
    error = None if output_error is None else _number(output_error, "output_error", least=Fraction(0))
    return _Request(
        network=source,
        mode=mode,
        max_weight=None if max_weight is None else _number(max_weight, "max_weight", above=Fraction(0)),
        max_depth=max_depth,
        grid_bits=grid_bits,
        domain=_domain(domain),
        asserted=None if range_bound is None else _number(range_bound, "range", above=Fraction(0)),
        output_error=error,
        guard_bits=guard_bits,
        max_nonzeros=max_nonzeros,
    )


def _domain(text: str) -> str:
    known = {domain: domain for domain in DOMAINS} | {"0,1": DOMAINS[0], "-1,1": DOMAINS[1]}
    if text not in known:
        raise BadInput(f"domain = {text!r}", needed=" or ".join(DOMAINS))
    return known[text]


def _number(value: Number, name: str, above: Fraction | None = None, least: Fraction | None = None) -> Fraction:
    """Read a number exactly, also one such as "2^10"."""
    power = re.fullmatch(r"(\d{1,6})\^(-?\d{1,4})", value) if isinstance(value, str) else None
    number = Fraction(power[1]) ** int(power[2]) if power else exact_number(value, name)
    if above is not None and number <= above:
        raise BadInput(f"{name} = {value}", needed=f"a number above {above}")
    if least is not None and number < least:
        raise BadInput(f"{name} = {value}", needed=f"a number of at least {least}")
    return number


def _bits_of(error: Fraction) -> int:
    """Output bits for an error: several digits are rounded, which together take some more bits than it has itself."""
    return max(0, math.ceil(1 / error) - 1).bit_length() + ROUNDED_DIGITS_BITS


def _exact_bits(network: ReluNetwork, grid_bits: int) -> int | None:
    """Output bits that every output at a grid point has at most; None where there is no such number."""
    denominator = math.prod(math.lcm(*(n.denominator for n in layer.numbers)) for layer in network.layers)
    return None if denominator & (denominator - 1) else denominator.bit_length() - 1 + grid_bits


def _density(value: Number, domain: str) -> Fraction:
    uniform = Fraction(1) if domain == DOMAINS[0] else Fraction(1, 2)
    density = _number(value, "density", above=Fraction(0))
    if density < uniform:
        raise BadInput(f"density = {value}", needed=f"at least {uniform}: no density on {domain[:-2]} is smaller")
    return density
