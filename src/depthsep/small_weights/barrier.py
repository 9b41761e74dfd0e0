"""The barrier report: what a depth separation for a network would say about threshold circuits.

Setting. f is an output of a network of depth k, x lies on the points x_j = X_j / 2^p (2 X_j / 2^p - 1 on [-1,1]^d) with
X_j = 0 .. 2^p - 1, and g_theta is the Boolean function [f(x) >= theta] of the d p bits of the X_j.

From above (`circuits`): g_theta is a threshold circuit of depth 2k + 1.

Reduction (`circuit_networks`). A threshold circuit of depth t for g_theta with s gates and integer weights and
thresholds of at most w is a network of depth t + 2 with at most 2 s + 2 d (2^p - 1) hidden neurons and weights of at
most max(2^(p+g), max(p, 2) w, w + 1) that equals [f >= theta] at every grid point. *Proof.* A layer of ramps of slope
2^(p+g) reads the grid (2^p - 1 ramps for each coordinate); every gate is a difference of two neurons, and two gates of
one block may share one. A first gate reads a ramp with the sum of the weights of the bits that change there, at most p
of them. QED

Implication. Let d grow, with k constant and p = O(log d), so that the reduction is polynomial. If no network of depth
t + 2, of polynomial size and weights, equals [f >= theta] on the grid, then g_theta has no threshold circuit of depth t
of polynomial size and weights. The same for f itself: let |f| <= R and m = floor(2 R / eps) be polynomial; since
-R + eps sum_{i=1..m} [f >= -R + i eps] lies in (f - eps, f], circuits of depth t for all m thresholds add up, in the
output layer, to a network of depth t + 2 within eps of f on the grid. So if there is no such network, one of the m
Boolean functions has no such circuit. For t >= 2k + 1 the circuit from above exists, and so does the network.

This is the barrier of Vardi & Shamir (2020) for separations beyond depth 4: for t >= 3 no lower bound of that kind is
known for any explicit function. Nothing here proves one.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from depthsep.errors import BadInput
from depthsep.networks.exact_numbers import exact_number
from depthsep.networks.grids import DOMAINS, check_domain
from depthsep.networks.relu import ReluNetwork
from depthsep.small_weights.circuits import CircuitCost, circuit_cost

__all__ = ["BarrierReport", "BarrierRow", "barrier_report"]

_KNOWN = (
    "exponential lower bounds are known for explicit functions, such as inner product mod 2 "
    "(Hajnal et al. 1993; Goldmann, Hastad & Razborov 1992)"
)
_OPEN = "open: no super-polynomial lower bound is known for an explicit function"
_BLOCKED = (
    "open, and out of reach of natural proofs where pseudorandom functions have threshold circuits of depth 4 or 5 "
    "(Razborov & Rudich 1997; Naor & Reingold 1997; Krause & Lucks 2001)"
)
_DISCLAIMER = "This report states an implication; it proves no lower bound."


@dataclass(frozen=True)
class BarrierRow:
    """One depth of threshold circuits.

    Args:
        circuit_depth: t.
        network_depth: t + 2.
        status: What is known of lower bounds for threshold circuits of depth t with small weights.
    """

    circuit_depth: int
    network_depth: int
    status: str


@dataclass(frozen=True)
class BarrierReport:
    """The implication for one network, with the numbers of both reductions; see the module's text.

    Args:
        dim: d.
        domain: "[0,1]^d" or "[-1,1]^d".
        grid_bits: p.
        guard_bits: g.
        output: Which output of the network f is.
        threshold: theta.
        source_depth: k.
        circuit: What the circuit of depth 2k + 1 takes.
        rows: One for each t from 2 to 2k.
    """

    dim: int
    domain: str
    grid_bits: int
    guard_bits: int
    output: int
    threshold: Fraction
    source_depth: int
    circuit: CircuitCost
    rows: tuple[BarrierRow, ...]

    @property
    def ramp_neurons(self) -> int:
        """The neurons that read the grid, whatever the circuit."""
        return 2 * self.dim * ((1 << self.grid_bits) - 1)

    @property
    def neurons_upper(self) -> int:
        """At most so many hidden neurons has the network of the circuit."""
        return 2 * self.circuit.gates + self.ramp_neurons

    @property
    def max_weight_upper(self) -> int:
        """A bound of its weights and biases."""
        largest = self.circuit.max_weight
        return max(1 << (self.grid_bits + self.guard_bits), max(self.grid_bits, 2) * largest, largest + 1)

    def to_json(self) -> dict[str, Any]:
        """Give the report as a JSON object."""
        circuit = self.circuit
        return {
            "dim": self.dim,
            "domain": self.domain,
            "grid_bits": self.grid_bits,
            "output": self.output,
            "threshold": str(self.threshold),
            "source_depth": self.source_depth,
            "circuit": {
                "inputs": circuit.inputs,
                "depth": circuit.depth,
                "gates": circuit.gates,
                "wires": circuit.wires,
                "max_weight": circuit.max_weight,
            },
            "network_of_circuit": {
                "depth": circuit.depth + 2,
                "ramp_neurons": self.ramp_neurons,
                "neurons_upper": self.neurons_upper,
                "max_weight_upper": self.max_weight_upper,
            },
            "depths": [vars(row) for row in self.rows],
            "proves_lower_bound": False,
            "text": self.text,
        }

    @property
    def text(self) -> str:
        """The report in words."""
        return "\n".join(
            [*self._definitions(), *self._reductions(), *self._implication(), *self._depths(), _DISCLAIMER]
        )

    def _definitions(self) -> list[str]:
        p, coordinates = self.grid_bits, "X_1" if self.dim == 1 else f"X_1, ..., X_{self.dim}"
        point = f"X_j / 2^{p}" if self.domain == DOMAINS[0] else f"2 X_j / 2^{p} - 1"
        return [
            f"f: output {self.output} of a network of depth k = {self.source_depth} on {self.domain}, d = {self.dim}.",
            f"g: the Boolean function [f(x) >= {self.threshold}] of the {self.circuit.inputs} bits of {coordinates}, "
            f"where x_j = {point} and X_j = 0..2^{p} - 1 (p = {p} bits per input).",
        ]

    def _reductions(self) -> list[str]:
        circuit, p, ramps = self.circuit, self.grid_bits, self.ramp_neurons
        return [
            f"From above: g is a threshold circuit of depth 2k + 1 = {circuit.depth} with {circuit.gates} gates, "
            f"{circuit.wires} wires and integer weights and thresholds of at most {circuit.max_weight}.",
            "Reduction: a threshold circuit of depth t for g with s gates and integer weights and thresholds of at "
            f"most w is a ReLU network of depth t + 2 with at most 2 s + {ramps} hidden neurons (two for each gate, "
            f"{ramps} for the ramps that read the grid) and weights of at most max(2^{p + self.guard_bits}, "
            f"{max(p, 2)} w, w + 1); it equals g at every one of these grid points. For the circuit above: depth "
            f"{circuit.depth + 2}, at most {self.neurons_upper} hidden neurons.",
        ]

    def _implication(self) -> list[str]:
        return [
            "Implication, for a family of such f with d growing, k fixed and p = O(log d): if no network of depth "
            f"t + 2 with polynomial size and weights equals [f >= {self.threshold}] on the grid, then g has no "
            "threshold circuit of depth t with polynomial size and weights.",
            "For f itself: let |f| <= R and R/eps be polynomial. If no network of depth t + 2 with polynomial size "
            "and weights is within eps of f on the grid, then [f >= -R + i eps] has no threshold circuit of depth t "
            "with polynomial size and weights, for at least one i = 1..2R/eps.",
        ]

    def _depths(self) -> list[str]:
        lines = [f"t = {row.circuit_depth} (networks of depth {row.network_depth}): {row.status}." for row in self.rows]
        return [*lines, f"t >= {self.circuit.depth}: the circuit above exists, and so does a network of depth t + 2."]


def barrier_report(
    network: ReluNetwork,
    *,
    domain: str,
    grid_bits: int,
    output: int = 0,
    threshold: Fraction | int | str = 0,
    guard_bits: int = 4,
    cost: CircuitCost | None = None,
) -> BarrierReport:
    """State what a depth separation for a network would mean for threshold circuits.

    Args:
        network: The network.
        domain: "[0,1]^d" or "[-1,1]^d".
        grid_bits: p.
        output: Which output of the network.
        threshold: theta: a rational number, or a text of one.
        guard_bits: g; the ramps of the reduction have the slope 2^(p+g).
        cost: What the circuit takes, where that is known already; otherwise it is counted, and nothing is built.

    Raises:
        BadInput: The request makes no sense.
        OutOfReach: Even counting the gates takes too long.
    """
    check_domain(domain)
    if type(guard_bits) is not int or guard_bits < 1:
        raise BadInput("a barrier report", found=f"guard_bits = {guard_bits!r}", needed="an integer, at least 1")
    exact = exact_number(threshold, "the threshold")
    if cost is None:
        cost = circuit_cost(network, domain=domain, grid_bits=grid_bits, output=output, threshold=exact)
    rows = tuple(BarrierRow(t, t + 2, _status(t)) for t in range(2, cost.depth))
    parts = network.dim, domain, grid_bits, guard_bits, output, exact, network.depth
    return BarrierReport(*parts, circuit=cost, rows=rows)


def _status(circuit_depth: int) -> str:
    if circuit_depth == 2:
        return _KNOWN
    return _OPEN if circuit_depth == 3 else _BLOCKED
