"""A random network with a proved failure probability, and the document that states it.

The statement is about the law of the draw. It is of another kind than that of a `CertifiedNetwork`: no document here
proves anything about one concrete network, and the class is not a subclass, so that nothing takes one for the other.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from types import ModuleType
from typing import Any

from numpy.typing import ArrayLike

from depthsep.certificates.proved import Proved, checked
from depthsep.errors import BadInput, NotProved
from depthsep.functions import Function, Radial
from depthsep.networks import Evaluation
from depthsep.networks.frames import RandomFrames
from depthsep.networks.profile import Array
from depthsep.networks.sphere import EvenProfile, RandomRidges
from depthsep_check import Verdict
from depthsep_check.theorems import random_directions, random_frames

__all__ = [
    "RANDOM",
    "CapIntegrals",
    "ProbabilisticNetwork",
    "certify_directions",
    "certify_random",
    "parse_failure_probability",
    "probabilistic_from_document",
]


RANDOM = ("random-frames", "random-directions")  # the kinds of claims about the law of a draw


@dataclass(frozen=True)
class CapIntegrals:
    """The witness: t, the factors a and a', and the angles between which the two integrals are summed."""

    tau_low: Fraction
    a_high: Fraction
    a_low: Fraction
    angles_high: tuple[Fraction, ...]
    angles_low: tuple[Fraction, ...]

    def to_json(self) -> dict[str, Any]:
        """Give the WITNESS object of the document format."""
        return {
            "kind": "cap-integrals",
            **{name: str(getattr(self, name)) for name in ("tau_low", "a_high", "a_low")},
            **{name: list(map(str, getattr(self, name))) for name in ("angles_high", "angles_low")},
        }


@dataclass(frozen=True)
class ProbabilisticNetwork(Proved):
    """A draw of a random network of which all but a small fraction of the draws are proved to be within eps.

    Args:
        function: What it approximates.
        network: The draw that the seed names; it is drawn when it is first evaluated.
        eps: The accuracy that was asked for.
        bits: The failure probability is at most 2^-bits.
        document_text: The document, which is about the law.
        verdict: What the checker said of it.
    """

    function: Function
    network: RandomFrames | RandomRidges
    eps: Fraction
    bits: int
    document_text: str
    verdict: Verdict

    @property
    def claim(self) -> str:
        """The kind of statement: "probabilistic", about the law of the draw."""
        return "probabilistic"

    @property
    def failure_probability(self) -> Fraction:
        """The proved bound of the probability that a draw is not within `sup_error_upper`."""
        return Fraction(1, 2**self.bits)

    @property
    def law(self) -> str:
        """The law of the draw: independent orthonormal frames (Haar's law), or independent uniform directions."""
        return str(self.document["claim"]["law"])

    @property
    def generator(self) -> str:
        """How the draw is made from the seed."""
        return str(self.document["claim"]["generator"])

    @property
    def seed(self) -> int:
        """Names the draw."""
        return self.network.seed

    @property
    def sup_error_upper(self) -> Fraction:
        """What |N(x) - f(x)| keeps to for ||x|| <= 1 in all but the failing draws; ideal draws, exact arithmetic."""
        return self.eps

    @property
    def dim(self) -> int:
        """The dimension of x."""
        return self.network.dim

    @property
    def depth(self) -> int:
        """The number of weight layers, 2."""
        return self.network.depth

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of units of the hidden layer."""
        return self.network.widths

    @property
    def sentence(self) -> str:
        """What is proved, and what is not."""
        drawn = "frames (Haar)" if isinstance(self.network, RandomFrames) else "directions (independent, uniform)"
        return (
            f"with probability at least 1 - 2^-{self.bits} over the draw of the {drawn}, the network is within "
            f"{self.sup_error_upper} of {self.function.text} on the unit ball of dimension {self.dim}; nothing is "
            f"proved about this one draw (seed {self.seed}), and a pseudo-random generator is a further assumption"
        )

    def __call__(self, points: ArrayLike) -> Array:
        """Evaluate the draw at the rows of `points`, shape (n, dim); see `evaluate`."""
        return self.network(points)

    def evaluate(self, points: ArrayLike) -> Evaluation:
        """Evaluate the draw in float64 with a proved bound of the rounding error; shape (n, dim)."""
        return self.network.evaluate(points)

    def summary(self) -> dict[str, Any]:
        """The facts that the command line prints with --json; the frames are drawn for the largest weight."""
        return {
            "function": self.function.text,
            "dim": self.dim,
            "depth": self.depth,
            "activation": "relu",
            "widths": list(self.widths),
            "sup_error_upper": str(self.sup_error_upper),
            "eps": str(self.eps),
            "max_weight": self.network.max_weight,
            "path_norm": self.network.path_norm,
            "nonzeros": self.network.nonzeros,
            "claim": self.claim,
            "failure_probability": f"2^-{self.bits}",
            "law": self.law,
            "seed": self.seed,
            "generator": self.generator,
            "rounding_error_upper": str(self.network.rounding_error_upper),
            "ideal_distance_upper": str(self.network.ideal_distance_upper),
            "sentence": self.sentence,
            "digest": self.digest,
            "verdict": self.verdict.status.name,
        }


def parse_failure_probability(text: str | Fraction) -> int:
    """Read a failure probability: the least b >= 1 with 2^-b at most that number.

    Raises:
        BadInput: It does not lie strictly between 0 and 1, or is too small.

    >>> parse_failure_probability("2^-80"), parse_failure_probability("0.001")
    (80, 10)
    """
    power = re.fullmatch(r"\s*2\s*(?:\^|\*\*)\s*-\s*([0-9]{1,7})\s*", text) if isinstance(text, str) else None
    asked, needed = f"a failure probability of {text}", "a number strictly between 0 and 1, such as 2^-80 or 1/1000"
    if power:
        bits = int(power[1])
    else:
        try:
            value = None if isinstance(text, float) else Fraction(text)
        except (ValueError, TypeError, ZeroDivisionError):
            value = None
        if value is None or not 0 < value < 1:
            raise BadInput(asked, needed=needed)
        bits = max(1, (math.ceil(1 / value) - 1).bit_length())
    if not 1 <= bits <= random_frames.MAX_BITS:
        raise BadInput(asked, needed=f"{needed}, and not below 2^-{random_frames.MAX_BITS}")
    return bits


def certify_random(function: Radial, network: RandomFrames, bits: int, witness: CapIntegrals) -> ProbabilisticNetwork:
    """Write the document of a random network and have the checker replay it.

    Args:
        function: The cone.
        network: The draw; its number of frames, eps and scale enter the claim.
        bits: The failure probability to claim is 2^-bits.
        witness: What the checker needs.

    Raises:
        NotProved: The checker does not accept it; the message is its verdict.
    """
    own = {"frames": network.frames, "scale": str(network.scale)}
    return _certified(function, network, network.eps, bits, random_frames, own, witness.to_json())


def certify_directions(
    function: Radial, network: RandomRidges, eps: Fraction, bits: int, mean_error: Fraction
) -> ProbabilisticNetwork:
    """Write the document of a network with independent directions and have the checker replay it.

    Args:
        function: The radial function.
        network: The draw; its number of directions and its profile enter the claim.
        eps: The error to claim.
        bits: The failure probability to claim is 2^-bits.
        mean_error: By how much the mean of the profile may miss the function.

    Raises:
        NotProved: The checker does not accept it; the message is its verdict.
    """
    profile = network.profile
    lists = {name: list(map(str, getattr(profile, name))) for name in ("thresholds", "weights")}
    own = {"directions": network.count, "profile": {"bias": str(profile.bias), **lists}}
    witness = {"kind": "symmetrisation", "mean_error": str(mean_error)}
    return _certified(function, network, eps, bits, random_directions, own, witness)


def _certified(
    function: Radial,
    network: RandomFrames | RandomRidges,
    eps: Fraction,
    bits: int,
    theorem: ModuleType,
    own: dict[str, Any],
    witness: dict[str, Any],
) -> ProbabilisticNetwork:
    claim = {
        "kind": theorem.STEP,
        "dim": network.dim,
        "domain": "unit-ball",
        "norm": "sup",
        "arithmetic": "real",
        "eps": str(eps),
        "law": theorem.LAW,
        **own,
        "bits": bits,
        "seed": network.seed,
        "generator": theorem.GENERATOR,
    }
    text, verdict = checked(function=function.to_json(), claim=claim, witness=witness)
    if not verdict.ok:
        raise NotProved(f"a width of {network.widths[0]} in dimension {network.dim}", found=verdict.line)
    return ProbabilisticNetwork(function, network, eps, bits, text, verdict)


def probabilistic_from_document(text: str, document: dict[str, Any], verdict: Verdict) -> ProbabilisticNetwork:
    """Give the network of a document of this kind that the checker has accepted."""
    claim, dim, seed = document["claim"], document["claim"]["dim"], document["claim"]["seed"]
    eps, function = Fraction(claim["eps"]), Radial(document["function"]["expression"], dim)
    network: RandomFrames | RandomRidges
    if claim["kind"] == random_frames.STEP:
        if function.cone is None:
            raise TypeError("not a document about a cone")
        network = RandomFrames(dim, claim["frames"], eps, Fraction(claim["scale"]), seed, *function.cone)
    else:
        stored = claim["profile"]
        lists = (tuple(map(Fraction, stored[name])) for name in ("thresholds", "weights"))
        network = RandomRidges(dim, claim["directions"], EvenProfile(Fraction(stored["bias"]), *lists), seed)
    return ProbabilisticNetwork(function, network, eps, claim["bits"], text, verdict)
