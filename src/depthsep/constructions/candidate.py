"""What a depth-3 construction hands on: a network, the witness of its proof, and the error that was proved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from depthsep.networks.separable import SeparableNetwork
from depthsep_check import check
from depthsep_check.document import FORMAT, VERSION, encode

__all__ = ["Candidate", "prove", "support_lines"]


@dataclass(frozen=True)
class Candidate:
    """A network whose document the checker accepts.

    Args:
        network: The network.
        witness: The WITNESS object of the document format.
        error: The sup-norm error to claim.
    """

    network: SeparableNetwork
    witness: dict[str, Any]
    error: Fraction


def support_lines(lower_slopes: list[float], upper_slopes: list[float]) -> dict[str, Any]:
    """The WITNESS object that lists these slopes."""
    return {
        "kind": "support-lines",
        "upper_slopes": [slope.hex() for slope in upper_slopes],
        "lower_slopes": [slope.hex() for slope in lower_slopes],
    }


def prove(
    function: Mapping[str, Any], network: SeparableNetwork, witness: dict[str, Any], error: Fraction
) -> Candidate | None:
    """Let the checker replay the proof; None when it does not accept it.

    Args:
        function: the FUNCTION object of the document format.
        network: the network.
        witness: the WITNESS object.
        error: the error to claim.
    """
    claim = {
        "kind": "sup-error",
        "dim": network.dim,
        "domain": "unit-ball",
        "arithmetic": "real",
        "error": str(error),
    }
    document = {
        "format": FORMAT,
        "version": VERSION,
        "made_by": "depthsep",
        "function": function,
        "claim": claim,
        "network": network.to_json(),
        "witness": witness,
    }
    return Candidate(network, witness, error) if check(encode(document)).ok else None
