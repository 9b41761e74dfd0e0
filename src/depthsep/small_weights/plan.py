"""Which way to small weights: every way with its cost, and a rule that picks the cheapest one that meets the bounds.

The ways that are equal everywhere come first, because they cost next to nothing:

1. *balance*: rescale the neurons. The least possible maximum is that over all paths of the product of the |weights| to
   the power 1/length; a path starts at an input or at a bias, so an output bias is a path of length 1, which no
   rescaling lowers.
2. *pad*: identity layers after the output make every path longer; where depth runs out, copies of them help.
3. *split*: a weight is spread over copies of its neuron, which are balanced again. Only for weights below 100 B.
4. *theorem*, *compact*, *merged*: the full compiler, equal on a grid, of depth 3k+3, 5k+1, 2k+2.

Padding cannot win against weights of 2^d at constant depth; only the grid can (Vardi & Shamir 2020).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from depthsep.errors import OutOfReach
from depthsep.networks.integer_layers import IntegerLayers
from depthsep.networks.relu import ReluNetwork
from depthsep.progress import Progress, silent
from depthsep.small_weights.balance import Balanced, CriticalPath, balance
from depthsep.small_weights.compiler import cost_on_grid
from depthsep.small_weights.padding import MAX_LAYERS, pad
from depthsep.small_weights.parameters import Parameters
from depthsep.small_weights.ranges import GridRequest
from depthsep.small_weights.splitting import split
from depthsep.small_weights.tidy import tidy
from depthsep.small_weights.words import about, at_least

__all__ = ["GRID_MODES", "WAYS", "Plan", "Way", "bottleneck", "make_plan"]

GRID_MODES = ("theorem", "compact", "merged")
WAYS = ("balance", "pad", "split", *GRID_MODES)
MOST_COPIES = 64
SPLIT_BELOW = 100
COPIES = "copies of neurons"
IDENTITIES = "identity layers after the output"
ONE_LEVEL_BITS = 14  # what the checker allows


@dataclass(frozen=True)
class Way:
    """One way to small weights.

    Args:
        name: One of WAYS.
        does: What it does, in a few words.
        exact_on: Where the result equals the source.
        depth: Of the result; None where it does not exist.
        neurons: The same.
        nonzeros: The same; weights and biases.
        max_weight: The largest |weight| or |bias| of the result.
        balanced: Whether `max_weight` is final, or that before balancing.
        obstacle: Why this way is not open; "" where it is.
        network: The result, for the ways that are equal everywhere.
        path: What keeps rescaling from making its weights any smaller.
        parameters: For the compiler's ways, what the costs are for.
    """

    name: str
    does: str
    exact_on: Literal["everywhere", "grid"]
    depth: int | None = None
    neurons: int | None = None
    nonzeros: int | None = None
    max_weight: Fraction | None = None
    balanced: bool = True
    obstacle: str = ""
    network: ReluNetwork | None = None
    path: CriticalPath | None = None
    parameters: Parameters | None = None


@dataclass(frozen=True)
class Plan:
    """All ways, and the one to take.

    Args:
        ways: The ways, in the order in which they are preferred.
        chosen: Those to try, first one first; only the compiler's ways can be several, because what balancing makes of
            them is known once they are built.
        reason: Why, in a sentence.
    """

    ways: tuple[Way, ...]
    chosen: tuple[Way, ...]
    reason: str


def exact_ways(network: ReluNetwork, max_weight: Fraction | None, depth_limit: int) -> Iterator[Way]:
    """The ways that keep a network's values everywhere, built: they are cheap.

    Args:
        network: The source.
        max_weight: The largest |weight| and |bias| allowed; None: as small as it gets.
        depth_limit: The most weight layers allowed.
    """
    least, does = balance(network), "rescaled neurons"
    tidied = balance(tidy(network))
    # Merging neurons adds up their weights, so tidying can do harm too.
    if tidied.max_weight < least.max_weight:
        least, does = tidied, "neurons dropped or merged, and rescaled"
    yield _judged(_built("balance", does, least.network, least.path), max_weight)
    yield _padded(least, max_weight, depth_limit)
    yield _split(least.network, max_weight)


def _padded(least: Balanced[ReluNetwork], max_weight: Fraction | None, depth_limit: int) -> Way:
    """As few identity layers as suffice, and copies of them where the depth runs out."""
    network, last = least.network, min(depth_limit, MAX_LAYERS)
    if network.depth >= last:
        return Way("pad", IDENTITIES, "everywhere", obstacle=f"no depth to spare: it is {network.depth} already")
    if max_weight is None:
        return _with_identities(network, last, 1)
    tries = [(depth, 1) for depth in range(network.depth + 1, last + 1)]
    tries += [(last, 2**power) for power in range(1, MOST_COPIES.bit_length())]
    way = None
    for depth, copies in tries:
        if _hopeless(least.path, max_weight, depth - network.depth, copies):
            continue
        try:
            way = _with_identities(network, depth, copies)
        except OutOfReach:
            break
        if not _judged(way, max_weight).obstacle:
            return way
    heavy = _judged(way or _with_identities(network, last, 1), max_weight)
    return replace(heavy, obstacle=f"{heavy.obstacle}; {MOST_COPIES} copies of the new neurons do not help enough")


def _hopeless(path: CriticalPath | None, max_weight: Fraction, layers: int, copies: int) -> bool:
    """Whether that path is too heavy with some more layers, each of which divides its product by the copies."""
    return path is not None and path.product > copies**layers * max_weight ** (path.length + layers)


def _with_identities(network: ReluNetwork, depth: int, copies: int) -> Way:
    least = balance(pad(network, depth, copies))
    text = f"{depth - network.depth} {IDENTITIES}" + (f", {copies} copies each" if copies > 1 else "")
    return _built("pad", text, least.network, least.path)


def _split(network: ReluNetwork, max_weight: Fraction | None) -> Way:
    """Spread the weights of a balanced network over copies of its neurons, as few as let balancing do the rest.

    Splitting lowers the weights behind a neuron only; those before it fall when the copies are balanced.
    """
    if max_weight is None:
        return Way("split", COPIES, "everywhere", obstacle="it needs a bound to split to: --max-weight")
    if network.max_weight >= SPLIT_BELOW * max_weight:
        copies = math.ceil(network.max_weight / max_weight)
        found = f"{about(network.max_weight)} after balancing would take {copies:,} copies of a neuron"
        return Way("split", COPIES, "everywhere", obstacle=found)
    for power in range(SPLIT_BELOW.bit_length()):
        try:
            least = balance(split(network, max_weight / 2**power))
        except OutOfReach as error:
            return Way("split", COPIES, "everywhere", obstacle=error.found)
        does = f"{COPIES}: {least.network.neurons} in place of {network.neurons}"
        way = _judged(_built("split", does, least.network, least.path), max_weight)
        if not way.obstacle:
            break
    return way


def _built(name: str, does: str, result: ReluNetwork, path: CriticalPath | None) -> Way:
    size = result.max_weight
    return Way(name, does, "everywhere", result.depth, result.neurons, result.nonzeros, size, network=result, path=path)


def _judged(way: Way, max_weight: Fraction | None) -> Way:
    """Say of a result that is too heavy what stands in the way."""
    if max_weight is None or way.network is None or way.network.max_weight <= max_weight:
        return way
    why = "" if way.path is None else f": {bottleneck(way.network, way.path)}"
    return replace(way, obstacle=f"{about(way.network.max_weight)} is above {about(max_weight)}{why}")


def _grid_way(
    network: ReluNetwork,
    mode: str,
    grid: GridRequest,
    max_depth: int | None,
    max_nonzeros: int,
    known: Sequence[Way],
    progress: Progress,
) -> Way:
    """A mode of the compiler, costed and not built; `known` are the ways that were looked at before."""
    does = f"the full compiler, grid of {2**grid.bits + 1:,} points per axis"
    if mode == "merged" and grid.bits > ONE_LEVEL_BITS:
        obstacle = f"it reads the inputs in one level, which is for at most {ONE_LEVEL_BITS} grid bits"
        return Way(mode, does, "grid", obstacle=obstacle)
    if mode == "merged" and any(way.name == "theorem" and _nonzeros(way) > max_nonzeros for way in known):
        return Way(mode, does, "grid", obstacle="not counted: it takes more than theorem mode, which takes too much")
    progress(f"costing {mode}", None)
    cost = cost_on_grid(network, **grid.arguments(), mode=mode, progress=progress)
    obstacle = ""
    if cost.nonzeros > max_nonzeros:
        obstacle = f"{cost.nonzeros:,} nonzeros are predicted, more than {max_nonzeros:,}"
    elif max_depth is not None and cost.depth > max_depth:
        obstacle = f"depth {cost.depth} is above {max_depth} (--max-depth {cost.depth} allows it)"
    return Way(
        mode,
        does,
        "grid",
        cost.depth,
        cost.neurons,
        cost.nonzeros,
        Fraction(cost.max_integer),
        balanced=False,
        obstacle=obstacle,
        parameters=cost.parameters,
    )


def bottleneck(network: ReluNetwork | IntegerLayers, path: CriticalPath) -> str:
    """Say why no rescaling lowers the largest weight of a network any further.

    >>> net = ReluNetwork.from_arrays([([[1]], [0]), ([[1]], [2**36])])
    >>> bottleneck(net, balance(net).path)
    'the bias of output 0, 2^36, is a path of length 1: no rescaling can lower it'
    """
    layer = network.depth - len(path.indices) + 1
    behind = "output" if layer == network.depth else f"layer {layer}, neuron"
    start = f"{f'the bias of {behind}' if layer else 'input'} {path.indices[0]}"
    if path.length == 1:
        start = start if layer else f"the weight of {start} in output {path.indices[-1]}"
        return f"{start}, {about(path.product)}, is a path of length 1: no rescaling can lower it"
    return (
        f"the {path.length} numbers on a path from {start} multiply to {about(path.product)}, so one of them stays at "
        f"{at_least(path.lower)} or above however the neurons are rescaled"
    )


def make_plan(
    network: ReluNetwork,
    *,
    mode: str,
    max_weight: Fraction | None,
    max_depth: int | None,
    grid: Callable[[], GridRequest] | None,
    max_nonzeros: int,
    all_ways: bool = False,
    progress: Progress = silent,
) -> Plan:
    """Look at the ways to small weights and pick one.

    Args:
        network: The source.
        mode: "auto", or the name of the way to take.
        max_weight: The largest |weight| and |bias| allowed; None: as small as it gets.
        max_depth: The most weight layers allowed; None: 3k+3, and any depth for a way that is asked for by name.
        grid: Finds out what the compiler is asked for; None where only equality everywhere will do.
        max_nonzeros: The most nonzero weights and biases allowed.
        all_ways: Look at every way, even where a simpler one does.
        progress: Told what is being looked at.
    """
    limit = 3 * network.depth + 3 if max_depth is None else max_depth
    ways: list[Way] = []
    straight_to_the_grid = mode in GRID_MODES or (mode == "auto" and grid is not None and max_weight is None)
    if all_ways or not straight_to_the_grid:
        progress("balancing", None)
        for way in exact_ways(network, max_weight, limit):
            ways.append(way)
            if not all_ways and mode in ("auto", way.name) and not way.obstacle:
                break
    plan = _chosen(ways, max_weight, mode, grid is not None)
    if grid is None or (plan.chosen and not all_ways):
        return plan
    asked, depth = grid(), limit if mode == "auto" else max_depth
    for name in GRID_MODES if all_ways or mode == "auto" else (mode,):
        # Merged mode has the most weights, and takes longest to cost: it is for those who cannot spare the depth.
        if name == "merged" and plan.chosen and not all_ways:
            break
        ways.append(_grid_way(network, name, asked, depth, max_nonzeros, ways, progress))
        plan = _chosen(ways, max_weight, mode, grid_asked=True)
    return plan


def _chosen(ways: Sequence[Way], max_weight: Fraction | None, mode: str, grid_asked: bool) -> Plan:
    """Pick among the ways that are known."""
    wanted = [way for way in ways if mode in ("auto", way.name)]
    exact = [way for way in wanted if way.exact_on == "everywhere" and not way.obstacle][:1]
    compiled = sorted((way for way in wanted if way.exact_on == "grid" and not way.obstacle), key=_nonzeros)
    if mode != "auto":
        chosen, reason = exact or compiled, f"{mode} was asked for"
    elif max_weight is None and not grid_asked:
        chosen, reason = exact, "no bound was given, so the weights are made as small as rescaling can make them"
    elif max_weight is not None and exact:
        chosen, reason = exact, f"the cheapest way to weights of at most {about(max_weight)}; it is equal everywhere"
    else:
        within = "" if max_weight is None else f": nothing that is equal everywhere stays within {about(max_weight)}"
        chosen, reason = compiled, f"the mode of the compiler with the fewest nonzeros{within}"
    if not chosen:
        reason = "\n".join(f"{way.name}: {way.obstacle}" for way in wanted)
    return Plan(tuple(ways), tuple(chosen), reason)


def _nonzeros(way: Way) -> int:
    return way.nonzeros or 0
