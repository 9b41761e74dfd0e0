"""What a lower bound says, and of which networks; or why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from depthsep.certificates.proved import checked
from depthsep.errors import BadInput, NotProved
from depthsep.functions import Function
from depthsep_check import Verdict

__all__ = ["LowerBound", "NoBound", "proved_bound", "require_request", "verified_document"]


@dataclass(frozen=True)
class LowerBound:
    """Every network of a class that is within `eps` of the function has a first hidden layer of `width_lower` units.

    Args:
        theorem: The name of the argument.
        width_lower: The bound.
        eps: The accuracy.
        dim: The dimension.
        norm: The norm of the error.
        measure: The law behind the norm; None for the sup norm.
        domain: Where the error is measured.
        depth: "any", 2 or 3.
        activation_class: "any", or "relu" for the first layer.
        weight_class: "any": the weights are not restricted.
        second_layer_width: The largest number of units (or directions) of the second layer, None if not restricted.
        hypotheses: What was used, in words.
        document: The proof, as the text of a document.
        verdict: What the checker says about the document.
        error_floor: For a bound asked by width: no network of fewer than `width_lower` units has a smaller error.
        path_norm_lower: What the weights of every such network add up to at least, where the theorem bounds that.
    """

    theorem: str
    width_lower: int
    eps: Fraction
    dim: int
    norm: str
    measure: str | None
    domain: str
    depth: str | int
    activation_class: str
    weight_class: str
    second_layer_width: int | None
    hypotheses: tuple[str, ...]
    document: str
    verdict: Verdict
    error_floor: Fraction | None = None
    path_norm_lower: Fraction | None = None

    @property
    def log2_width_lower(self) -> float:
        """The logarithm of the bound, rounded down."""
        return math.nextafter(math.log2(self.width_lower), -math.inf) if self.width_lower > 1 else 0.0

    @property
    def says_something(self) -> bool:
        """Whether it says more than that a network has a unit."""
        return self.width_lower > 1 or self.path_norm_lower is not None or self.error_floor is not None


@dataclass(frozen=True)
class NoBound:
    """A theorem that says nothing about a request, and why.

    Args:
        theorem: The name of the argument.
        reason: Why it gives no bound, or none worth printing.
    """

    theorem: str
    reason: str


def require_request(function: Function, dim: int, eps: Fraction) -> None:
    """Refuse a request that makes no sense.

    Raises:
        BadInput: eps <= 0, or a function made for another dimension.
    """
    if eps <= 0:
        raise BadInput(f"eps = {eps}", needed="a positive accuracy", do='for example eps="0.1"')
    if function.dim != dim:
        raise BadInput(f"a lower bound in dimension {dim}", found=f"a function made for dimension {function.dim}")


def proved_bound(
    theorem: str,
    function: Function,
    eps: Fraction,
    classes: dict[str, Any],
    width: int,
    witness: dict[str, Any],
    hypotheses: tuple[str, ...],
) -> LowerBound:
    """Write the document of a bound and have it checked.

    Args:
        theorem: The name of the argument.
        function: The function.
        eps: The accuracy.
        classes: depth, activation_class and second_layer_width of the networks.
        width: The bound.
        witness: The WITNESS object.
        hypotheses: What was used, in words.

    Raises:
        NotProved: The checker did not accept the document.
    """
    common: dict[str, Any] = {"dim": function.dim, "domain": "unit-ball", "norm": "sup", "weight_class": "any"}
    claim = {"kind": "width-lower", **common, "eps": str(eps), **classes, "width": width}
    document, verdict = verified_document(f"the lower bound {width} by {theorem}", function.to_json(), claim, witness)
    return LowerBound(
        theorem=theorem,
        width_lower=width,
        eps=eps,
        measure=None,
        hypotheses=hypotheses,
        document=document,
        verdict=verdict,
        **common,
        **classes,
    )


def verified_document(
    asked: str, function: dict[str, Any], claim: dict[str, Any], witness: dict[str, Any]
) -> tuple[str, Verdict]:
    """Write a document of a lower bound and have it checked.

    Args:
        asked: What is to be proved, for the error.
        function: The FUNCTION object.
        claim: The CLAIM object.
        witness: The WITNESS object.

    Returns:
        The text of the document, and the verdict on it.

    Raises:
        NotProved: The checker did not accept the document.
    """
    document, verdict = checked(function=function, claim=claim, witness=witness)
    if not verdict.ok:
        raise NotProved(asked, found=verdict.line, needed="the verdict VERIFIED")
    return document, verdict
