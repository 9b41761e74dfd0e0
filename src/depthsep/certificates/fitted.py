"""A function of one variable as a sum of units, with its proof: the object that documents of kind "univariate" are."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from depthsep.activations import Activation
from depthsep.certificates.proved import ProvedNetwork
from depthsep.networks.layers import Evaluation
from depthsep.networks.unit_network import UnitNetwork
from depthsep.own_activations import activation_in_document
from depthsep.univariate.unit_sums import UnitSum
from depthsep_check import Verdict

__all__ = ["UNIVARIATE", "CertifiedFit", "fit_from_document"]

Floats = NDArray[np.float64]

UNIVARIATE = "univariate"


@dataclass(frozen=True)
class CertifiedFit(ProvedNetwork):
    """A sum of units within a proved distance of a function of one variable.

    Args:
        expression: The formula of f in t.
        interval: Its ends.
        domain: "line" (f is constant outside the interval) or "interval".
        activation: s.
        units: a, and the weights alpha_i, scales beta_i and offsets gamma_i.
        method: How it was found.
        sup_error_upper: The proved bound of sup |h - f|, in exact arithmetic on the stored weights.
        eps: The accuracy that was asked for.
        document_text: The document.
        verdict: What the checker said of it.
    """

    expression: str
    interval: tuple[Fraction, Fraction]
    domain: str
    activation: Activation
    units: UnitSum
    method: str
    sup_error_upper: Fraction
    eps: Fraction
    document_text: str
    verdict: Verdict

    dim: ClassVar[int] = 1
    claim: ClassVar[str] = "deterministic"

    @cached_property
    def network(self) -> UnitNetwork:
        """The sum as a network with one input."""
        lists = (self.units.scales, self.units.offsets, self.units.weights)
        return UnitNetwork(self.activation, self.interval, self.units.bias, *(tuple(part.tolist()) for part in lists))

    def __call__(self, t: ArrayLike) -> Floats:
        """Evaluate h in float64, at an array of any shape."""
        return self.units(self.activation, np.asarray(t, dtype=np.float64))

    def evaluate(self, points: ArrayLike) -> Evaluation:
        """Evaluate at the rows of `points`, shape (n, 1); `outside_ball` is True outside the interval."""
        return self.network.evaluate(points)

    def summary(self) -> dict[str, Any]:
        """The facts that the command line prints with --json."""
        bound = self.network.rounding_error_upper
        return {
            "function": self.expression,
            "interval": [str(end) for end in self.interval],
            "domain": self.domain,
            "dim": self.dim,
            "depth": self.depth,
            "activation": self.activation.name,
            "widths": list(self.widths),
            "sup_error_upper": str(self.sup_error_upper),
            "eps": str(self.eps),
            "max_weight": self.max_weight,
            "path_norm": self.path_norm,
            "nonzeros": self.nonzeros,
            "claim": self.claim,
            "method": self.method,
            "rounding_error_upper": None if bound is None else str(bound),
            "digest": self.digest,
            "verdict": self.verdict.status.name,
        }


def fit_from_document(text: str, document: dict[str, Any], verdict: Verdict) -> CertifiedFit:
    """Read a document that the checker accepted."""
    claim = document["claim"]
    lists = (np.array([float.fromhex(entry) for entry in claim[key]]) for key in ("scales", "offsets", "weights"))
    low, high = (Fraction(end) for end in claim["interval"])
    error = Fraction(claim["error"])
    return CertifiedFit(
        expression=document["function"]["expression"],
        interval=(low, high),
        domain=claim["domain"],
        activation=activation_in_document(claim["activation"]),
        units=UnitSum(float.fromhex(claim["bias"]), *lists),
        method="as stored",
        sup_error_upper=error,
        eps=error,
        document_text=text,
        verdict=verdict,
    )
