"""The outputs of a network on digits: a residue that is the rounded value wherever that is small, and a clip.

Let S_o = sum_e C_e y_e + C_0 = Den N_o be an output of the source in integers, U = sigma Den > 0, M =
2^`modulus_bits`. For any integers c_e put W = sum_e c_e y_e + c_0 and err = sum_e |C_e - U c_e| h_e + |C_0 - U c_0|;
then |S_o - U W| <= err at all digits y_e in 0..h_e. The network has a form V_o with V_o = W modulo M, and computes
sigma clip(smod(V_o, M), -Rint, Rint). Where |N_o| <= R, |W| <= (R Den + err) / U < (M - 1) / 2, so smod(V_o, M) = W;
and if Rint >= floor((R Den + err) / U) the clip keeps the integer W. Hence

    |sigma W - N_o| = |U W - S_o| / Den <= err / Den.

The c_e are the integers nearest to C_e / U among those congruent to the coefficients of V_o.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flint import fmpq

from depthsep_check.columns import Form, combined, form_of, smod
from depthsep_check.integer_layers import IntegerLayers
from depthsep_check.layer_reading import Digits, Seen, Walk, Walks, difference
from depthsep_check.read_out import Activations
from depthsep_check.relu_networks import IntegerLayer
from depthsep_check.staircases import residue
from depthsep_check.verdict import Budget, Refuted

STEP = "output"


@dataclass(frozen=True, slots=True)
class Rounding:
    """S in units U = numerator / denominator, modulo M: how the outputs are rounded."""

    numerator: int
    denominator: int
    modulus: int

    def nearest(self, value: int) -> int:
        """The integer nearest to value / U, the upper one of two."""
        return (2 * value * self.denominator + self.numerator) // (2 * self.numerator)

    def lift(self, value: int, stored: int) -> int:
        """An integer congruent to `stored` that is nearest to value / U."""
        period = self.numerator * self.modulus
        return stored + self.modulus * (
            (2 * (value * self.denominator - self.numerator * stored) + period) // (2 * period)
        )

    def loss(self, value: int, stored: int) -> int:
        """|value - U c| times the denominator, c the lift."""
        return abs(value * self.denominator - self.numerator * self.lift(value, stored))


@dataclass(frozen=True, slots=True)
class Clipped:
    """What the outputs are proved to be.

    Attributes:
        error: the largest err / Den.
        clip: the largest sigma Rint.
    """

    error: fmpq
    clip: fmpq


def read_outputs(
    network: IntegerLayers,
    walks: Walks,
    digits: Digits,
    layer: IntegerLayer,
    activations: Activations,
    denominator: int,
    budget: Budget,
    *,
    bound: fmpq,
    modulus_bits: int,
    collected: bool,
) -> Clipped:
    """Check the wrap and clip layers, the collecting one before them if there is one, and the rows of the outputs.

    Args:
        network: for the rows and the scale.
        walks: the layers that are left.
        digits: what the layer before offers.
        layer: the last layer of the source, in integers.
        activations: the integer activations that enter it.
        denominator: Den.
        budget: for the work on the forms.
        bound: R.
        modulus_bits: of M.
        collected: whether V_o is stored first.

    Raises:
        Refuted: something is not what it has to be, or the rounded outputs may leave the range.
    """
    unit = network.scale * denominator
    if unit <= 0:
        raise Refuted(STEP, "the scale must be positive")
    if len(network.rows) != len(layer.rows):
        raise Refuted(STEP, f"{len(network.rows)} rows for {len(layer.rows)} outputs")
    rounding = Rounding(int(unit.p), int(unit.q), 2**modulus_bits)
    for row in layer.rows:
        budget.spend(STEP, 1 + sum(1 + len(activations[j][0]) for j, _ in row))
    sums = [combined(row, bias, activations) for row, bias in zip(layer.rows, layer.biases, strict=True)]
    wrapped = _read_wraps(walks, digits, sums, rounding, collected)
    error = clip = fmpq(0)
    with walks.next() as walk:
        for number, (seen, loss) in enumerate(wrapped):
            err = fmpq(loss, rounding.denominator)
            reach = (bound * denominator + err) / unit
            if not 2 * reach < rounding.modulus - 1:
                raise Refuted(STEP, f"output {number} may leave the residues modulo 2^{modulus_bits}")
            limit = _read_clip(walk, seen, rounding.modulus)
            if not limit >= reach.floor():
                raise Refuted(STEP, f"output {number} is clipped at {limit}, it may reach {reach.floor()}")
            _require_row(network, number, limit)
            error, clip = max(error, err / denominator), max(clip, network.scale * limit)
    return Clipped(error, clip)


def _read_wraps(
    walks: Walks, digits: Digits, sums: list[tuple[dict[int, int], int]], rounding: Rounding, collected: bool
) -> list[tuple[Seen, int]]:
    """The block on every V_o, or its value if it is constant, and what rounding loses, times the denominator of U."""
    with walks.next() as walk:
        found = [_read_form(walk, digits, *entry, rounding, collected) for entry in sums]
    if not collected:
        return [(seen, loss) for _, seen, loss in found]
    with walks.next() as walk:
        return [(walk.on_stored_form(form, seen), loss) for form, seen, loss in found]


def _read_form(
    walk: Walk, digits: Digits, coefficients: Mapping[int, int], constant: int, rounding: Rounding, collected: bool
) -> tuple[Form, Seen, int]:
    """V_o, the block on it or the unit that stores it, and what rounding loses, times the denominator of U."""
    found: Mapping[int, int] = {}
    row = walk.next_row()
    if row is not None and any(smod(rounding.nearest(c), rounding.modulus) for c in coefficients.values()):
        found = digits.coefficients(row)
    own = rounding.nearest(constant)
    form = form_of(found, smod(own, rounding.modulus), digits.highs)
    seen = walk.store_form(digits, form) if collected else walk.on_form(digits, form)
    places = {*coefficients, *found}
    lost = sum(rounding.loss(coefficients.get(e, 0), found.get(e, 0)) * digits.highs[e] for e in places)
    return form, seen, lost + rounding.loss(constant, own)


def _read_clip(walk: Walk, seen: Seen, modulus: int) -> int:
    """Rint, from the block that clips smod(V_o, M)."""
    block = walk.take()
    seen.require_breaks((seen.high - seen.low) // modulus, walk.step)
    offset = difference(block.row, [(seen, residue(seen.low, seen.high, modulus))], walk.step)
    if len(block.biases) != 2:
        raise Refuted(walk.step, "a clip has two biases")
    limit = block.biases[0] + offset
    if limit < 0 or block.biases[1] != -limit - offset:
        raise Refuted(walk.step, f"its second bias has to be {-limit - offset}")
    return limit


def _require_row(network: IntegerLayers, number: int, limit: int) -> None:
    row, bias = network.rows[number]
    if row.inputs != [2 * number, 2 * number + 1] or row.weights != [1, -1] or bias != -limit:
        raise Refuted(
            STEP, f"row {number} must be unit {2 * number} minus unit {2 * number + 1}, with the bias {-limit}"
        )
