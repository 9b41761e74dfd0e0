"""Theorems of the literature as rows: what the source states, with its constants, and what is certified here instead.

- *Daniely 2017* (arXiv:1702.08489): sin(pi d^3 <x, x'>) on pairs of unit vectors, L2, weights up to 2^d. The proof
  projects on the degrees from n = d^2 on; its explicit form is that of the usual lecture notes. `DANIELY_NOTES` says
  what must be read with care there.
- *Safran, Eldan & Shamir 2019, Theorem 4* (arXiv:1904.06984): sin(2 pi d^3 r^2) / (2 pi d^3), which is 2-Lipschitz, in
  the sup norm on the unit ball, by the pair x = (y + y')/2.
- *Safran, Eldan & Shamir 2019, Theorem 5*: the cone max(0, 1 - ||x||), rescaled, in L2 of the Eldan-Shamir measure.

The first two are instances of the degrees bound, the third of the tubes bound; each row carries those documents. Where
the source has unspecified constants or an asymptotic rate, a row quotes it as text and does not invent a number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from flint import arb, fmpq

from depthsep.errors import BadInput
from depthsep.lower_bounds.bound import LowerBound, NoBound
from depthsep.lower_bounds.degrees import degrees_bound
from depthsep.lower_bounds.tubes import tubes_bound
from depthsep_check.gegenbauer import log_multiplicity
from depthsep_check.numbers import precision

__all__ = ["DANIELY_NOTES", "NamedRow", "Ours", "daniely", "safran_eldan_shamir_4", "safran_eldan_shamir_5"]

_BITS = 128
_LARGEST_DIM = 1290  # 2^d has to fit the digits that a document allows

DANIELY_NOTES = (
    "the width is bounded from below: '>=' where '=' is often printed, also in the first line of the proof",
    "the lemma bounds the square of the norm beyond a degree: ||P_n F||^2 >= 1/(5 e pi), from d = 25 on",
    "the accuracy 1/(50 e^2 pi^2) is used both for the norm and for its square; the norm is what is certified here",
    "the algebra gives (sqrt(N)/(20 e pi) - B) / (B^2 (1 + sqrt(4 d))), not the one fraction that is printed",
    "the output bias costs nothing, for it is orthogonal to every degree from 1 on",
    "n = d^2 is far from the best degree: the energy of sin(omega t) sits just below degree omega = pi d^3",
)


@dataclass(frozen=True)
class Ours:
    """One certified bound beside a theorem.

    Args:
        weights: The class of weights, in words.
        eps: The accuracy.
        bound: The bound with its document, or why there is none.
    """

    weights: str
    eps: Fraction
    bound: LowerBound | NoBound


@dataclass(frozen=True)
class NamedRow:
    """A theorem of the literature at one dimension.

    Args:
        theorem: Its name.
        source: Where it stands.
        function: The function, in the language of formulas.
        dim: The dimension.
        norm: Norm, measure and domain, in words.
        statement: What the source states, with its constants.
        source_log2_width_estimate: log2 of the width that its printed expression gives at this dimension (negative: no
            information); None where the source has unspecified constants.
        notes: What must be read with care.
        ours: The certified bounds.
    """

    theorem: str
    source: str
    function: str
    dim: int
    norm: str
    statement: str
    source_log2_width_estimate: float | None
    notes: tuple[str, ...]
    ours: tuple[Ours, ...]


def daniely(dim: int, eps: Fraction = Fraction(35, 100)) -> NamedRow:
    """Put Daniely's theorem, as usually printed, beside the certified width under the same bound of the weights.

    Args:
        dim: The dimension, from 3 to 1290.
        eps: A second accuracy, beside the source's 1/(50 e^2 pi^2) = 0.00027; anything below 0.7 is worth asking.

    Raises:
        BadInput: dim outside the range, or eps <= 0.

    Example:
        >>> row = daniely(50)
        >>> round(row.source_log2_width_estimate, 1), [round(o.bound.log2_width_lower, 1) for o in row.ours]
        (58.9, [273.4, 272.1])
    """
    _require(dim)
    function = "sin(pi*d^3*t)"
    accuracies = (_above(lambda: 1 / (50 * arb(2).exp() * arb.pi() ** 2)), eps)
    return NamedRow(
        theorem="Daniely",
        source="Daniely 2017 (arXiv:1702.08489), as printed in lecture notes",
        function=function,
        dim=dim,
        norm="L2 of two independent uniform points of the unit sphere",
        statement=(
            "depth 2, weights up to 2^d, accuracy 1/(50 e^2 pi^2): "
            "width >= sqrt(N_{d,d^2}) / (20 e pi 2^{2d} (1 + sqrt(4 d)) + 2^{d+1}), for d large enough"
        ),
        source_log2_width_estimate=_printed_daniely(dim),
        notes=DANIELY_NOTES,
        ours=tuple(
            Ours("every weight up to 2^d", accuracy, degrees_bound(function, dim, accuracy, 2**dim, method="closed"))
            for accuracy in accuracies
        ),
    )


def safran_eldan_shamir_4(dim: int, eps: Fraction | None = None) -> NamedRow:
    """Put Theorem 4 of Safran, Eldan and Shamir beside the certified widths, in the sup norm on the unit ball.

    Args:
        dim: The dimension, from 3 to 1290.
        eps: The accuracy; None for the source's 1/(101 e^2 pi^3 d^3).

    Raises:
        BadInput: dim outside the range, or eps <= 0.

    Example:
        >>> [(ours.weights, round(ours.bound.log2_width_lower)) for ours in safran_eldan_shamir_4(50).ours]
        [('every weight up to 2^d / (pi d^3)', 292), ('every weight up to 2^d', 255)]
    """
    _require(dim)
    function = "sin(2*pi*d^3*r^2)/(2*pi*d^3)"
    accuracy = _above(lambda: 1 / (101 * arb(2).exp() * arb.pi() ** 3 * dim**3)) if eps is None else eps
    reduced = _above(lambda: arb(2) ** dim / (arb.pi() * dim**3))
    return NamedRow(
        theorem="Safran-Eldan-Shamir, Theorem 4",
        source="Safran, Eldan & Shamir 2019 (arXiv:1904.06984), Theorem 4, from Daniely 2017 by x = (y + y')/2",
        function=function,
        dim=dim,
        norm="sup norm on the unit ball",
        statement=(
            "depth 2, exponentially bounded weights, accuracy 1/(101 e^2 pi^3 d^3): width 2^{Omega(d log d)}; "
            "no depth-2 width is polynomial in both d and 1/eps"
        ),
        source_log2_width_estimate=None,
        notes=(
            "the reduction multiplies by 2 pi d^3: weights up to 2^d / (pi d^3) become outer weights up to 2^{d+1}, "
            "twice what Daniely's theorem allows, and smaller inner ones; here only their product matters",
        ),
        ours=tuple(
            Ours(words, accuracy, degrees_bound(function, dim, accuracy, bound, domain="ball", method="closed"))
            for words, bound in (
                ("every weight up to 2^d / (pi d^3)", reduced),
                ("every weight up to 2^d", Fraction(2**dim)),
            )
        ),
    )


def safran_eldan_shamir_5(dim: int, eps: Fraction | None = None) -> NamedRow:
    """Put Theorem 5 of Safran, Eldan and Shamir beside the tubes bound: any activation, any weights.

    Args:
        dim: The dimension, from 3 to 1290.
        eps: The accuracy; None for about 0.15 d^(-4/3), where the source needs about d^-6.

    Raises:
        BadInput: dim outside the range, or eps <= 0.
    """
    _require(dim)
    radius = Fraction(round(4 * (dim / 2 + 0.66 * (dim / 2) ** (1 / 3))), 4)
    accuracy = Fraction(round(15 * 10**6 * dim ** (-4 / 3)), 10**8) if eps is None else eps
    function = f"max(0, 1 - s/({radius}))"
    return NamedRow(
        theorem="Safran-Eldan-Shamir, Theorem 5",
        source="Safran, Eldan & Shamir 2019 (arXiv:1904.06984), Theorem 5, with the measure of Eldan & Shamir 2016",
        function=function,
        dim=dim,
        norm="L2 of the Eldan-Shamir measure, s the scaled norm",
        statement=(
            "depth 2, any usual activation, any weights: max(0, 1 - ||x||) needs a width exponential in d below an "
            "accuracy of the order d^-6 under some measure; the constants are not specified"
        ),
        source_log2_width_estimate=None,
        notes=("the radius of the cone is chosen here, the measure is fixed: rescaling x moves one into the other",),
        ours=(Ours("any weights", accuracy, tubes_bound(function, dim, accuracy)),),
    )


def _require(dim: int) -> None:
    if not 3 <= dim <= _LARGEST_DIM:
        raise BadInput(f"dim = {dim}", needed=f"a dimension from 3 to {_LARGEST_DIM}")


def _printed_daniely(dim: int) -> float:
    with precision(_BITS):
        log_root = log_multiplicity(dim, dim * dim) / 2
        below = 20 * arb(1).exp() * arb.pi() * arb(4) ** dim * (1 + (4 * arb(dim)).sqrt()) + arb(2) ** (dim + 1)
        return float(((log_root - below.log()) / arb(2).log()).mid())


def _above(constant: Callable[[], arb]) -> Fraction:
    """A rational of about twenty digits not below a positive constant: the larger class, or the weaker accuracy."""
    with precision(_BITS):
        upper: fmpq = constant().upper().fmpq()
    size = int(upper.q).bit_length() - int(upper.p).bit_length() + 64
    scaled = upper * fmpq(2) ** size
    return Fraction(-(-int(scaled.p) // int(scaled.q))) / Fraction(2) ** size
