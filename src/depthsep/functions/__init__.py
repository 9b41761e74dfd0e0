"""What users approximate: radial functions and ball indicators on the unit ball, functions of an inner product."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any, Literal

from flint import fmpq

from depthsep.errors import BadInput
from depthsep.functions.ball_indicator import BallIndicator
from depthsep.functions.formula import parse_profile
from depthsep.functions.inner_product import InnerProduct
from depthsep.functions.radial import Radial

__all__ = [
    "DOMAINS",
    "BallIndicator",
    "Function",
    "InnerProduct",
    "Radial",
    "function_from_json",
    "parse_function",
    "parse_profile",
]

Function = Radial | BallIndicator | InnerProduct

DOMAINS = ("ball", "spheres", "balls")
_PAIRS: dict[str, Literal["sphere-pairs", "ball-pairs"]] = {"spheres": "sphere-pairs", "balls": "ball-pairs"}
_BALL = re.compile(r"\s*ball\s*\((.*)\)\s*", re.DOTALL)


def parse_function(text: str, dim: int, domain: str = "ball") -> Function:
    """Read what a user typed: a formula in r, ball(r0, margin) with exact constants, or a formula in t on pairs.

    Args:
        text: For example "exp(-r^2)", "ball(1/2, 0.05)" or "sin(9*t)".
        dim: The dimension; `d` in the text.
        domain: "ball" for x of the unit ball; "spheres" or "balls" for pairs of unit vectors, or of points of the ball.

    Raises:
        BadInput: The text is none of these. Whether its values are finite is left to `Formula.validate`.

    Example:
        >>> parse_function("ball(1/2, 0.05)", dim=3)
        BallIndicator(radius=Fraction(1, 2), margin=Fraction(1, 20), dim=3)
        >>> parse_function("ball(1/2)", dim=3)
        Traceback (most recent call last):
        depthsep.errors.BadInput: ball(1/2)
          found:  a ball without a margin
          needed: two constants: a step is not continuous, and no network is near it in the sup norm
          do:     write ball(r0, margin), for example ball(1/2, 0.05)
    """
    if domain not in DOMAINS:
        raise BadInput(f"the domain {domain!r}", needed='"ball", "spheres" or "balls"')
    if domain in _PAIRS:
        return InnerProduct(text, dim, _PAIRS[domain])
    ball = _BALL.fullmatch(text)
    if not ball:
        return Radial(text, dim)
    parts = [part.strip() for part in ball[1].split(",")]
    if len(parts) != 2 or not all(parts):
        raise BadInput(
            text.strip(),
            found="a ball without a margin" if len(parts) == 1 else f"{len(parts)} arguments",
            needed="two constants: a step is not continuous, and no network is near it in the sup norm",
            do="write ball(r0, margin), for example ball(1/2, 0.05)",
        )
    return BallIndicator(_constant(parts[0], dim), _constant(parts[1], dim), dim)


def _constant(text: str, dim: int) -> Fraction:
    if text == "median":
        raise BadInput(
            "ball(median, ...)",
            found="the median radius of a probability law",
            needed="a radius: the sup norm on the unit ball has no law",
            do="write the radius, for example ball(1/2, 0.05)",
        )
    value = parse_profile(text, dim, variables=()).rational(fmpq(0), dim)
    if value is None:
        raise BadInput(f"the constant {text}", needed="a rational number, such as 0.05 or 1/20")
    return Fraction(int(value.p), int(value.q))


def function_from_json(obj: dict[str, Any], dim: int) -> Function:
    """Read the FUNCTION object of a document that was checked."""
    if obj.get("kind") == Radial.kind:
        return Radial(obj["expression"], dim)
    if obj.get("kind") == BallIndicator.kind:
        return BallIndicator(Fraction(obj["radius"]), Fraction(obj["margin"]), dim)
    if obj.get("kind") == InnerProduct.kind:
        return InnerProduct(obj["expression"], dim, obj["domain"])
    raise BadInput(f"a function of kind {obj.get('kind')!r}", needed='"radial", "ball-indicator" or "inner-product"')
