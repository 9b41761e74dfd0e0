"""Two networks that are proved to be equal, on every real input or on a grid, and the document that says so.

Like every certificate, a `CertifiedEquality` only comes into being through the checker, and what it says of depth,
neurons and weights is about the numbers that its document stores.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from depthsep.certificates.proved import Proved, checked
from depthsep.errors import BadInput, NotProved
from depthsep.networks.accumulators import FLOAT64, FloatFormat
from depthsep.networks.circuit import Circuit
from depthsep.networks.grids import DOMAINS, MAX_GRID_BITS
from depthsep.networks.integer_layers import IntegerLayers
from depthsep.networks.layers import as_points
from depthsep.networks.profile import Array
from depthsep.networks.relu import ReluNetwork
from depthsep_check import Verdict

__all__ = ["CertifiedEquality", "EqualNetwork", "GridEvaluation", "certify_equality", "equality_from_document"]

EqualNetwork = ReluNetwork | IntegerLayers | Circuit

# Hidden layers before the first mask and between two masks, by mode; merged masks are no units of their own.
_LAYERS_TO_A_MASK = {"theorem": 3, "compact": 5}


@dataclass(frozen=True)
class GridEvaluation:
    """Values of a network, and where they are exact.

    Args:
        values: One row a point, one column an output; where `exact`, the nearest float64 to the network's value.
        exact: For each point whether that is proved.
        on_grid: For each point whether it is one at which the networks are proved equal.
        arithmetic: What was computed with: "float64", "integers at grid points, float64 elsewhere", or "gates".
    """

    values: Array
    exact: NDArray[np.bool_]
    on_grid: NDArray[np.bool_]
    arithmetic: str


@dataclass(frozen=True)
class CertifiedEquality(Proved):
    """A network and another one that computes the same, or nearly the same, with the proof.

    Args:
        source: The network that was given.
        network: The other one.
        document_text: The document.
        verdict: What the checker said of it.
    """

    source: ReluNetwork
    network: EqualNetwork
    document_text: str
    verdict: Verdict

    @property
    def claim(self) -> dict[str, Any]:
        """What is proved."""
        claim: dict[str, Any] = self.document["claim"]
        return claim

    @property
    def mode(self) -> str:
        """How the network was made: "exact", "theorem", "compact", "merged" or "circuit"."""
        if isinstance(self.network, ReluNetwork):
            return "exact"
        return "circuit" if isinstance(self.network, Circuit) else str(self.document["witness"]["mode"])

    @property
    def exact_on(self) -> str:
        """Where the networks are equal, up to `error_upper`: "everywhere" or "grid"."""
        return "everywhere" if isinstance(self.network, ReluNetwork) else "grid"

    @property
    def error_upper(self) -> Fraction:
        """The largest proved distance of the two networks where they are compared."""
        return Fraction(self.claim.get("error", 0))

    @property
    def assumes(self) -> str:
        """What the proof rests on besides itself; "" if nothing."""
        if self.claim.get("range_proof") != "assumed":
            return ""
        return f"every output of the source is at most {self.claim['range']} in absolute value at every grid point"

    @property
    def dim(self) -> int:
        """The dimension of x."""
        return self.source.dim

    @property
    def depth(self) -> int:
        """The number of weight layers; of a circuit, the number of levels."""
        return self.network.depth

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of units of each hidden layer, or of gates of each level."""
        return self.network.widths

    @property
    def neurons(self) -> int:
        """The number of hidden units, or of gates."""
        return sum(self.widths)

    @property
    def nonzeros(self) -> int:
        """The number of nonzero weights and biases; of a circuit, the number of wires."""
        return self.network.wires if isinstance(self.network, Circuit) else self.network.nonzeros

    @property
    def max_weight(self) -> Fraction:
        """The largest absolute value among all weights and biases."""
        return Fraction(self.network.max_weight)

    # Evaluation

    @cached_property
    def _obstacles(self) -> dict[str, str]:
        return {}

    def float_obstacle(self, form: FloatFormat = FLOAT64) -> str:
        """Why evaluating a compiled network in this format is not guaranteed exact on the grid; "" if it is."""
        if not isinstance(self.network, IntegerLayers):
            return "nothing is known about the rounding of this network"
        if form.name not in self._obstacles:
            grid = (self.claim["grid_bits"], self.claim["domain"])
            self._obstacles[form.name] = self.network.float_obstacle(form, *grid, self._masked_layers)
        return self._obstacles[form.name]

    @property
    def _masked_layers(self) -> tuple[int, ...]:
        """The hidden layers whose units are relu(digit + K s - K) with a 0/1 sum s; see `accumulators.largest_sums`.

        That s is 0 or 1 at every grid point is part of what the checker proved, and so is the place of these layers:
        one for each hidden layer of the source, after the two or three that read the inputs.
        """
        period = _LAYERS_TO_A_MASK.get(self.mode, 0)
        first = 2 + (self.document["witness"]["fine_bits"] is not None)
        return tuple(first + period * place for place in range(1, self.source.depth)) if period else ()

    @property
    def flat_rounding_error_upper(self) -> Fraction | None:
        """The rounding error of an exported model at grid points: 0 where float64 is exact, None where no bound is."""
        return None if self.float_obstacle() else Fraction(0)

    def __call__(self, points: ArrayLike) -> Array:
        """Evaluate at the rows of `points`; see `evaluate`."""
        return self.evaluate(points).values

    def evaluate(self, points: ArrayLike) -> GridEvaluation:
        """Evaluate the network, exactly at grid points: in float64 where that is proved exact, else in integers.

        Args:
            points: Array of shape (n, dim).

        Raises:
            BadInput: The points are not finite real numbers of shape (n, dim), or a circuit is given other points than
                those of its grid.
        """
        array = as_points(points, self.dim)
        if isinstance(self.network, ReluNetwork):
            nowhere, everywhere = np.zeros(len(array), dtype=bool), np.ones(len(array), dtype=bool)
            return GridEvaluation(self.network(array), nowhere, everywhere, "float64")
        indices, on_grid = grid_indices(array, self.claim["grid_bits"], self.claim["domain"])
        if isinstance(self.network, Circuit):
            return self._gate_values(self.network, indices, on_grid)
        values = self.network(array)
        if not self.float_obstacle():
            return GridEvaluation(values, on_grid, on_grid, "float64")
        integers, scale = self.network.grid_values(indices[on_grid], self.claim["grid_bits"], self.claim["domain"])
        values[on_grid] = [[float(int(entry) * scale) for entry in row] for row in integers]
        return GridEvaluation(values, on_grid, on_grid, "integers at grid points, float64 elsewhere")

    def _gate_values(self, circuit: Circuit, indices: NDArray[np.int64], on_grid: NDArray[np.bool_]) -> GridEvaluation:
        bits = self.claim["grid_bits"]
        inside = on_grid & (indices < 1 << bits).all(axis=1)
        if not inside.all():
            row = int(np.flatnonzero(~inside)[0])
            needed = f"coordinates X / 2^{bits} (on [-1,1]^d: 2 X / 2^{bits} - 1) with X = 0 .. 2^{bits} - 1"
            raise BadInput("evaluate a threshold circuit", found=f"row {row} is not on its grid", needed=needed)
        inputs = (indices[:, :, np.newaxis] >> np.arange(bits)) & 1
        values = circuit.evaluate(inputs.reshape(len(indices), -1)).astype(np.float64)
        return GridEvaluation(values[:, np.newaxis], inside, inside, "gates")

    def summary(self) -> dict[str, Any]:
        """The facts that the command line prints with --json."""
        facts = {
            "mode": self.mode,
            "depth": self.depth,
            "neurons": self.neurons,
            "nonzeros": self.nonzeros,
            "max_weight": str(self.max_weight),
            "exact_on": self.exact_on,
            "error_upper": str(self.error_upper),
            "dim": self.dim,
            "widths": list(self.widths),
            "source_depth": self.source.depth,
            "assumes": self.assumes,
            "digest": self.digest,
            "verdict": self.verdict.status.name,
        }
        if isinstance(self.network, IntegerLayers):
            facts["float_exact"] = not self.float_obstacle()
        return facts


def grid_indices(points: Array, grid_bits: int, domain: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The indices X of the rows that are points of the grid, and which rows those are; decided exactly.

    Raises:
        BadInput: The grid is too fine for 64 bits.
    """
    if grid_bits > MAX_GRID_BITS:
        raise BadInput(f"evaluate on a grid of {grid_bits} bits", needed=f"at most {MAX_GRID_BITS} bits")
    with np.errstate(over="ignore"):
        scaled = np.ldexp(points, grid_bits)  # X, or 2 X - 2^p; ldexp does not round
    high = 1 << grid_bits
    low = 0 if domain == DOMAINS[0] else -high
    whole = (scaled == np.floor(scaled)) & (scaled >= low) & (scaled <= high)
    indices = np.where(whole, scaled, low).astype(np.int64) - low
    if low:
        whole &= indices % 2 == 0
        indices //= 2
    return indices, whole.all(axis=1)


_READERS: dict[str, Callable[[dict[str, Any]], EqualNetwork]] = {
    ReluNetwork.kind: ReluNetwork.from_json,
    IntegerLayers.kind: IntegerLayers.from_json,
    Circuit.kind: Circuit.from_json,
}


def equality_from_document(text: str, document: dict[str, Any], verdict: Verdict) -> CertifiedEquality:
    """Read the two networks of a document that the checker accepted."""
    network = document["network"]
    source = ReluNetwork.from_json(document["function"])
    return CertifiedEquality(source, _READERS[network["kind"]](network), text, verdict)


def certify_equality(
    source: ReluNetwork, network: EqualNetwork, claim: dict[str, Any], witness: dict[str, Any]
) -> CertifiedEquality:
    """Write the document of two equal networks and have the checker replay it.

    Args:
        source: The network that was given.
        network: The other one.
        claim: The CLAIM object of the document format, of one of the kinds in its section on equal networks.
        witness: The WITNESS object.

    Raises:
        NotProved: The checker does not accept it; the message is its verdict.
    """
    text, verdict = checked(function=source.to_json(), claim=claim, network=network.to_json(), witness=witness)
    if not verdict.ok:
        raise NotProved(f"the equality of two networks ({claim.get('kind')})", found=verdict.line)
    return CertifiedEquality(source, network, text, verdict)
