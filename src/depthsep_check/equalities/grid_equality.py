"""Check of grid equalities: a network of small integers equals a network of any weights at every point of a grid.

Theorem (after Vardi & Shamir 2020, who replace a network of depth k with large weights by one of depth 3k+3 with
small ones, approximately and for almost bounded densities; the construction is depthsep's own). The layout page
`docs/small-weights-layout.md` gives, for a source network and a few parameters, the blocks of an integer network of
depth 3k+3, 5k+1 or 2k+2. What is proved here: a network of that layout, whatever its biases are, is within `error` of
the source at every point of the grid where the source is within `range`, for all grid points at once and without
evaluating it at any.

*Proof.* By induction over the hidden layers of the source every activation is an integer combination, over a common
denominator, of small integers, the digits, that the network stores (`read_out`, `hidden_layers`); the outputs are
then read by `clipped_output`. That a row computes what it has to is decided coefficient by coefficient where it reads
digits, and by comparing functions of one integer on its whole interval where it reads the units of a block
(`layer_reading`). Everything but the parameters is recomputed from the source; no block may be missing or left over.
The cost is that of reading the network.

**Off the grid.** Let x be random with conditional densities of each coordinate, given the others, of at most rho;
rho' = rho on [0,1]^d and 2 rho on [-1,1]^d, where x = 2 t - 1 with t in the unit cube. A coordinate t_j is on a ramp
with probability at most rho' 2^-g: there are 2^p ramps of width 2^-(p+g). If none is, the network has its value at
the nearest grid point, within `error` of the source there. Otherwise |network - clip(source)| <= R + sigma Rint.
Moving the coordinates to their nearest grid points one after the other changes clip(source) by at most rho' (2^-p /
2) TV each in the mean, where TV <= 2 R prod (m_l + 1) is the variation on an axis line, on which the source has at
most prod (m_l + 1) linear pieces, m_l its widths, each monotone. (The coordinates already moved leave the conditional
density of the next one a mixture of such densities.) Together

    E |network - clip(source, -R, R)| <= err + d rho' 2^-g (R + sigma Rint) + d rho' 2^-p R prod (m_l + 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flint import fmpq

from depthsep_check.clipped_output import Clipped, read_outputs
from depthsep_check.document import MAX_DIM, NetworkDocument
from depthsep_check.fields import fields_of, integer, item_list, require_length, word
from depthsep_check.hidden_layers import LAYERS, Parameters, read_hidden_layer
from depthsep_check.integer_layers import IntegerLayers, largest_weight, read_integer_layers
from depthsep_check.layer_reading import Walks
from depthsep_check.numbers import format_rational, parse_rational
from depthsep_check.read_out import ReadOut, read_inputs
from depthsep_check.relu_networks import (
    DOMAINS,
    SYMMETRIC_CUBE,
    ReluNetwork,
    grid_range,
    integer_form,
    linear_pieces,
    output_bounds,
    read_relu_network,
)
from depthsep_check.verdict import Budget, Malformed, Refuted

STEP = "grid-equality"
RANGE_PROOFS = ("intervals", "enumeration", "assumed")
MAX_GRID_BITS = 24
MAX_RAMP_BITS = 14
MAX_OUTPUTS = 1_000_000
_FORM_WORK = 20_000_000
_GRID_WORK = 20_000_000


@dataclass(frozen=True, slots=True)
class _OffGrid:
    density: fmpq
    mean_error: fmpq


@dataclass(frozen=True, slots=True)
class _Claim:
    dim: int
    outputs: int
    domain: str
    grid_bits: int
    bound: fmpq
    range_proof: str
    error: fmpq
    max_weight: fmpq
    off_grid: _OffGrid | None


@dataclass(frozen=True, slots=True)
class _Witness:
    mode: str
    guard_bits: int
    digit_bits: int
    fine_bits: int | None
    layers: tuple[Parameters, ...]
    modulus_bits: int


def check(document: NetworkDocument) -> str:
    """Replay the proof that two networks agree on a grid.

    Returns:
        The proved sentence.

    Raises:
        Refuted: a row or bias is not what the layout needs, or the claim says more than follows.
        Malformed: an object is not of the form that the format page gives.
        Unsupported: a word is not known here.
        Exhausted: the work would take too long.
    """
    claim = _claim(document.claim)
    source = read_relu_network(document.function, "function")
    network = read_integer_layers(document.network, "network")
    witness = _witness(document.witness, claim.grid_bits, source.depth - 1)
    for found, wanted, place in (
        (source.dim, claim.dim, "function.dim"),
        (source.outputs, claim.outputs, "function"),
        (network.dim, claim.dim, "network.dim"),
    ):
        if found != wanted:
            raise Malformed(place, f"{found} where the claim says {wanted}")
    clipped = _replay(source, network, claim, witness)
    if not claim.error >= clipped.error:
        raise Refuted(STEP, f"the error is at most {format_rational(clipped.error)}, which is above the claim")
    if not claim.max_weight >= largest_weight(network):
        raise Refuted(STEP, "a weight or bias is larger than the claimed maximum")
    _require_range(source, claim)
    if claim.off_grid is not None:
        _require_mean(source, claim, claim.off_grid, witness.guard_bits, clipped)
    return _statement(source, network, claim)


def _replay(source: ReluNetwork, network: IntegerLayers, claim: _Claim, witness: _Witness) -> Clipped:
    """Walk through the network, layer by layer."""
    stored = witness.mode != "merged"
    plan = ReadOut(
        claim.dim,
        claim.domain,
        claim.grid_bits,
        witness.guard_bits,
        witness.digit_bits,
        witness.fine_bits,
        stored,
    )
    collected = stored and witness.fine_bits is None
    wanted = plan.layers + LAYERS[witness.mode] * (source.depth - 1) + (3 if collected else 2)
    walks = Walks(network.layers, wanted)
    layers, denominator = integer_form(source, STEP, 2**claim.grid_bits)
    digits, activations = read_inputs(plan, walks)
    budget = Budget(_FORM_WORK)
    for layer, parameters in zip(layers[:-1], witness.layers, strict=True):
        digits, activations = read_hidden_layer(witness.mode, walks, digits, layer, activations, parameters, budget)
    return read_outputs(
        network,
        walks,
        digits,
        layers[-1],
        activations,
        denominator,
        budget,
        bound=claim.bound,
        modulus_bits=witness.modulus_bits,
        collected=collected,
    )


def _require_range(source: ReluNetwork, claim: _Claim) -> None:
    """Insist that the source stays within the range, unless that is assumed."""
    if claim.range_proof == "intervals":
        largest = max(max(-low, high) for low, high in output_bounds(source, claim.domain))
    elif claim.range_proof == "enumeration":
        largest = grid_range(source, claim.domain, claim.grid_bits, Budget(_GRID_WORK))
    else:
        return
    if not largest <= claim.bound:
        raise Refuted("range", f"{claim.range_proof}: the source may reach {format_rational(largest)}")


def _require_mean(source: ReluNetwork, claim: _Claim, off_grid: _OffGrid, guard_bits: int, clipped: Clipped) -> None:
    """Insist that the bound of the mean error follows."""
    density = claim.dim * off_grid.density * (2 if claim.domain == SYMMETRIC_CUBE else 1)
    on_ramps = density / 2**guard_bits * (claim.bound + clipped.clip)
    between = density / 2**claim.grid_bits * claim.bound * linear_pieces(source)
    if not off_grid.mean_error >= clipped.error + on_ramps + between:
        raise Refuted("off-grid", "the mean error that follows is larger than the claimed one")


def _statement(source: ReluNetwork, network: IntegerLayers, claim: _Claim) -> str:
    bound, points = format_rational(claim.bound), f"(2^{claim.grid_bits} + 1)^{claim.dim}"
    assuming = f"ASSUMING |source| <= {bound} on the grid: " if claim.range_proof == "assumed" else ""
    spacing = f"2 X / 2^{claim.grid_bits} - 1" if claim.domain == SYMMETRIC_CUBE else f"X / 2^{claim.grid_bits}"
    widths = ", ".join(map(str, source.widths))
    text = (
        f"{assuming}|N(x) - source(x)| <= {format_rational(claim.error)} for every output at all {points} grid points "
        f"of {claim.domain}, coordinates {spacing} (exact arithmetic); N: depth {network.depth}, {network.neurons} "
        f"neurons, {network.nonzeros} nonzeros, weights and biases at most {format_rational(claim.max_weight)}; "
        f"source: dimension {claim.dim}, {claim.outputs} outputs, depth {source.depth}, widths ({widths})"
    )
    if claim.off_grid is None:
        return text
    density, mean = format_rational(claim.off_grid.density), format_rational(claim.off_grid.mean_error)
    return (
        f"{text}; the mean of |N(x) - clip(source(x), -{bound}, {bound})| is at most {mean} for every random x in "
        f"{claim.domain} whose coordinates have conditional densities of at most {density} given the others"
    )


def _claim(value: Any) -> _Claim:
    rationals = ("range", "error", "max_weight")
    words = {"domain": DOMAINS, "arithmetic": ("real",), "range_proof": RANGE_PROOFS}
    fields = fields_of(value, "claim", ("kind", "dim", "outputs", "grid_bits", "off_grid", *words, *rationals))
    for name, known in words.items():
        word(fields[name], f"claim.{name}", known)
    bound, error, max_weight = (_nonnegative(fields[name], f"claim.{name}") for name in rationals)
    return _Claim(
        dim=integer(fields["dim"], "claim.dim", 1, MAX_DIM),
        outputs=integer(fields["outputs"], "claim.outputs", 1, MAX_OUTPUTS),
        domain=fields["domain"],
        grid_bits=integer(fields["grid_bits"], "claim.grid_bits", 1, MAX_GRID_BITS),
        bound=bound,
        range_proof=fields["range_proof"],
        error=error,
        max_weight=max_weight,
        off_grid=None if fields["off_grid"] is None else _off_grid(fields["off_grid"], "claim.off_grid"),
    )


def _off_grid(value: Any, place: str) -> _OffGrid:
    fields = fields_of(value, place, ("density", "mean_error"))
    return _OffGrid(*(_nonnegative(fields[name], f"{place}.{name}") for name in ("density", "mean_error")))


def _nonnegative(value: Any, place: str) -> fmpq:
    found = parse_rational(value, place)
    if found < 0:
        raise Malformed(place, "must not be negative")
    return found


def _witness(value: Any, grid_bits: int, hidden: int) -> _Witness:
    names = ("kind", "mode", "guard_bits", "input_digit_bits", "fine_bits", "layers", "modulus_bits")
    fields = fields_of(value, "witness", names)
    word(fields["kind"], "witness.kind", ("columns",))
    word(fields["mode"], "witness.mode", tuple(LAYERS))
    layers = item_list(fields["layers"], "witness.layers", hidden, _parameters)
    require_length(layers, "witness.layers", hidden)
    return _Witness(
        mode=fields["mode"],
        guard_bits=integer(fields["guard_bits"], "witness.guard_bits", 1, 40),
        digit_bits=integer(fields["input_digit_bits"], "witness.input_digit_bits", 1, MAX_GRID_BITS),
        fine_bits=_fine_bits(fields["fine_bits"], fields["mode"], grid_bits),
        layers=layers,
        modulus_bits=integer(fields["modulus_bits"], "witness.modulus_bits", 1, 300),
    )


def _fine_bits(value: Any, mode: str, grid_bits: int) -> int | None:
    """m for a read-out in two levels, with at most 2^14 ramps each."""
    place = "witness.fine_bits"
    if value is None:
        if grid_bits > MAX_RAMP_BITS:
            raise Malformed(place, f"a grid of {grid_bits} bits needs two levels")
        return None
    if mode == "merged":
        raise Malformed(place, "two levels are for theorem and compact mode")
    return integer(value, place, max(1, grid_bits - MAX_RAMP_BITS), min(grid_bits - 1, MAX_RAMP_BITS))


def _parameters(value: Any, place: str) -> Parameters:
    fields = fields_of(value, place, ("column_bits", "digit_size", "stride"))
    return Parameters(
        column_bits=integer(fields["column_bits"], f"{place}.column_bits", 2, 40),
        digit_size=integer(fields["digit_size"], f"{place}.digit_size", 2, 2**20),
        stride=integer(fields["stride"], f"{place}.stride", 1, 16),
    )
