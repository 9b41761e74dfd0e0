"""A network, its claim and its proof as one object, and the document they are written to.

A `CertifiedNetwork` only comes into being through the checker: `certify` writes the document and has it replayed,
`load` reads one and has it replayed. What it says of widths, weights and errors is about the numbers stored there.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from depthsep.certificates.equality import CertifiedEquality, equality_from_document
from depthsep.certificates.exact import EXACT, CertifiedExact, exact_from_document
from depthsep.certificates.fitted import UNIVARIATE, CertifiedFit, fit_from_document
from depthsep.certificates.probabilistic import RANDOM, ProbabilisticNetwork, probabilistic_from_document
from depthsep.certificates.proved import ProvedNetwork, checked
from depthsep.errors import BadInput, NotProved
from depthsep.functions import Function, function_from_json
from depthsep.networks import Evaluation, FoldedNetwork, Network, network_from_json
from depthsep.networks.folded import NORM_SLACK
from depthsep.networks.profile import Array
from depthsep.own_activations import activation_in_document
from depthsep_check import Verdict, check
from depthsep_check.document import EQUALITIES

__all__ = ["CertifiedNetwork", "certify", "first_proved", "load", "rounded_up"]

_LEAST_CLAIM = 1e-12


@dataclass(frozen=True)
class CertifiedNetwork(ProvedNetwork):
    """A network within a proved distance of a function on its domain.

    Args:
        function: What it approximates.
        network: The network.
        sup_error_upper: The proved bound of sup |N(x) - f(x)| over the function's domain (for a ball indicator: off the
            margin), in exact arithmetic on the stored weights.
        eps: The accuracy that was asked for.
        document_text: The document.
        verdict: What the checker said of it.
    """

    function: Function
    network: Network
    sup_error_upper: Fraction
    eps: Fraction
    document_text: str
    verdict: Verdict

    @property
    def dim(self) -> int:
        """The dimension of x, or of each of the two vectors."""
        return self.function.dim

    @property
    def activation(self) -> str:
        """The activation of the hidden layers: its name, or its formula in t."""
        unit = self.document["network"]["activation"]
        return str(unit["expression"] if isinstance(unit, dict) else unit)

    @property
    def claim(self) -> str:
        """The kind of statement: "deterministic", about this very network."""
        return "deterministic"

    def __call__(self, points: ArrayLike) -> Array:
        """Evaluate at the rows of `points`, shape (n, dim); see `evaluate`."""
        return self.network(points)

    def evaluate(self, points: ArrayLike) -> Evaluation:
        """Evaluate in float64 with a proved bound of the rounding error; shape (n, dim), or (n, 2 dim) for pairs."""
        result = self.network.evaluate(points)
        claimed = Fraction(self.document["claim"].get("norm_slack", 0))
        if isinstance(self.network, FoldedNetwork) and self.function.domain == "sphere-pairs" and claimed < NORM_SLACK:
            off = self.network.off_the_spheres(np.asarray(points, dtype=np.float64), claimed)
            result = replace(result, outside_ball=result.outside_ball | off)
        return result

    def summary(self) -> dict[str, Any]:
        """The facts that the command line prints with --json."""
        return {
            "function": self.function.text,
            "dim": self.dim,
            "depth": self.depth,
            "activation": self.activation,
            "widths": list(self.widths),
            "sup_error_upper": str(self.sup_error_upper),
            "eps": str(self.eps),
            "max_weight": self.max_weight,
            "path_norm": self.path_norm,
            "nonzeros": self.nonzeros,
            "claim": self.claim,
            "rounding_error_upper": _text_or_none(self.network.rounding_error_upper),
            "source_width": self.source_width,
            "digest": self.digest,
            "verdict": self.verdict.status.name,
        }

    @property
    def source_width(self) -> str | None:
        """The width that the source's own formula would give, where it states one."""
        from depthsep.source_widths import source_width

        return source_width(self.function, self.depth, self.eps)

    @property
    def source_note(self) -> str:
        """Which formula that is."""
        from depthsep.source_widths import source_note

        return source_note(self.depth)


def _text_or_none(bound: Fraction | None) -> str | None:
    return None if bound is None else str(bound)


def certify(
    function: Function, network: Network, witness: dict[str, Any], error: Fraction, eps: Fraction, **more: Any
) -> CertifiedNetwork:
    """Write the document of a network and have the checker replay it.

    Args:
        function: What the network approximates.
        network: The network.
        witness: The WITNESS object of the document format.
        error: The error to claim.
        eps: The accuracy that was asked for, at least `error`.
        more: Further fields of the claim, for the kinds of claim that have them.

    Raises:
        NotProved: The checker does not accept it; the message is its verdict.
    """
    claim = {"kind": network.claim_kind, "dim": function.dim, "domain": function.domain, "arithmetic": "real"}
    claim |= {"error": str(error), **more}
    text, verdict = checked(function=function.to_json(), claim=claim, network=network.to_json(), witness=witness)
    if not verdict.ok:
        raise NotProved(
            f"an error of at most {error} for {function.text} in dimension {function.dim}", found=verdict.line
        )
    return CertifiedNetwork(function, network, error, eps, text, verdict)


def first_proved(
    function: Function, network: Network, witness: dict[str, Any], errors: Iterable[float], eps: Fraction, **more: Any
) -> CertifiedNetwork | None:
    """Claim the least of some errors, rounded up to four digits, that the checker accepts; eps itself comes last.

    Args:
        function: What the network approximates.
        network: The network.
        witness: The WITNESS object of the document format.
        errors: Estimates of the error; those above eps are left out.
        eps: The accuracy that was asked for.
        more: Further fields of the claim, as for `certify`.

    Returns:
        The network with its proof; None when the checker does not even accept eps.
    """
    for claim in sorted({*(claim for claim in map(rounded_up, errors) if claim < eps), eps}):
        try:
            return certify(function, network, witness, claim, eps, **more)
        except NotProved:
            continue
    return None


def rounded_up(value: float) -> Fraction:
    """The least number of four significant decimal digits that is at least a nonnegative value.

    >>> rounded_up(0.0998765)
    Fraction(2497, 25000)
    """
    unit = Fraction(10) ** (math.floor(math.log10(max(value, _LEAST_CLAIM))) - 3)
    return max(1, math.ceil(Fraction(value) / unit)) * unit


def load(
    source: str | os.PathLike[str],
) -> CertifiedNetwork | CertifiedEquality | CertifiedExact | CertifiedFit | ProbabilisticNetwork:
    """Read a document and have the checker replay it.

    Args:
        source: The path of a document about a network, about two equal ones, about the law of a random one, or about
            a sum of units of one variable.

    Returns:
        A `CertifiedNetwork`; of a document about two equal networks a `CertifiedEquality`, about a network that is a
        function exactly a `CertifiedExact`, about a random network a `ProbabilisticNetwork`, about a function of one
        variable a `CertifiedFit`.

    Raises:
        BadInput: There is no such file, or it is no document of a network.
        NotProved: The checker does not accept it.
    """
    path = Path(source)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise BadInput(f"read {path}", found=str(problem), needed="a depthsep document") from None
    verdict = check(text)
    if verdict.status.name in ("MALFORMED", "UNSUPPORTED"):
        raise BadInput(f"read {path}", found=verdict.line, needed="a depthsep document, version 1")
    if not verdict.ok:
        raise NotProved(f"load {path}", found=verdict.line, do="nothing is proved about this network: build it again")
    document = json.loads(text)
    claim = document["claim"]
    if claim["kind"] in RANDOM:
        return probabilistic_from_document(text, document, verdict)
    if claim["kind"] == UNIVARIATE:
        return fit_from_document(text, document, verdict)
    if "network" not in document:
        raise BadInput(f"load {path}", found=f"a document of kind {claim['kind']}", needed="the document of a network")
    if claim["kind"] == EXACT:
        return exact_from_document(text, document, verdict)
    if claim["kind"] in EQUALITIES:
        return equality_from_document(text, document, verdict)
    function, unit = function_from_json(document["function"], claim["dim"]), document["network"]["activation"]
    own = activation_in_document(unit) if isinstance(unit, dict) else None
    network = network_from_json(document["network"], own)
    error = Fraction(claim["error"])
    return CertifiedNetwork(function, network, error, error, text, verdict)
