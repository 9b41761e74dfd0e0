"""A rational ReLU network that is proved to be a function without any error, and the document that says so."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from numpy.typing import ArrayLike

from depthsep.certificates.proved import Proved, checked
from depthsep.errors import BadInput, NotProved
from depthsep.networks.profile import Array
from depthsep.networks.relu import ReluNetwork
from depthsep_check import Verdict
from depthsep_check.equalities.exact_target import TARGETS, least_pieces

__all__ = ["EXACT", "CertifiedExact", "ExactTarget", "certify_exact", "exact_from_document"]

EXACT = "exact-target"


@dataclass(frozen=True)
class ExactTarget:
    """A function that rational ReLU networks compute exactly.

    Args:
        kind: "sawtooth" (the distance of 2^n x to the nearest even integer on [0, 1]), "cantor" (a function that is
            >= 0 exactly on level n of the Cantor set), "parity" (of n bits), or "maximum" (of n inputs).
        size: n.

    Raises:
        BadInput: No such function.

    Example:
        >>> ExactTarget("parity", 16).text, ExactTarget("cantor", 4).least_pieces
        ('the parity of 16 bits', 32)
    """

    kind: str
    size: int

    def __post_init__(self) -> None:
        """Refuse what is none."""
        if self.kind not in TARGETS:
            raise BadInput(f"an exact network for {self.kind!r}", needed=", ".join(TARGETS))
        least = 0 if self.kind == "cantor" else 1
        if type(self.size) is not int or self.size < least:
            key = TARGETS[self.kind][0]
            raise BadInput(f"an exact network for {self.kind} with {key} = {self.size}", needed=f"at least {least}")

    @property
    def dim(self) -> int:
        """The number of inputs."""
        return self.size if self.kind in ("parity", "maximum") else 1

    @property
    def text(self) -> str:
        """The function in words."""
        n = self.size
        return {
            "sawtooth": f"the sawtooth of {n} folds on [0, 1]",
            "cantor": f"a function that is >= 0 exactly on level {n} of the Cantor set",
            "parity": f"the parity of {n} bits",
            "maximum": f"the maximum of {n} numbers",
        }[self.kind]

    @property
    def least_pieces(self) -> int | None:
        """A lower bound for the product of all (width + 1) over the hidden layers of any network; None if unknown."""
        return least_pieces(self.kind, self.size)

    def least_width(self, depth: int) -> int | None:
        """A lower bound for the widest hidden layer of any network of that depth.

        >>> ExactTarget("sawtooth", 6).least_width(2), ExactTarget("sawtooth", 6).least_width(7)
        (63, 1)
        """
        pieces = self.least_pieces
        if pieces is None:
            return None
        low, high = 0, pieces  # low is too small
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if (middle + 1) ** (depth - 1) >= pieces else (middle, high)
        return high

    def to_json(self) -> dict[str, Any]:
        """The FUNCTION object of the document format."""
        return {"kind": self.kind, TARGETS[self.kind][0]: self.size}


@dataclass(frozen=True)
class CertifiedExact(Proved):
    """A network that is exactly its target, with the proof.

    Args:
        target: The function.
        network: The network, its weights rational numbers.
        document_text: The document.
        verdict: What the checker said of it.
    """

    target: ExactTarget
    network: ReluNetwork
    document_text: str
    verdict: Verdict

    @property
    def dim(self) -> int:
        """The number of inputs."""
        return self.network.dim

    @property
    def depth(self) -> int:
        """The number of weight layers."""
        return self.network.depth

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of units of each hidden layer."""
        return self.network.widths

    @property
    def sup_error_upper(self) -> Fraction:
        """The distance to the target: 0."""
        return Fraction(0)

    @property
    def exact_on(self) -> str:
        """Where it is the target."""
        return str(self.document["claim"]["domain"])

    def __call__(self, points: ArrayLike) -> Array:
        """Evaluate in float64 at the rows of `points`, shape (n, dim); the proof is about exact arithmetic."""
        return self.network(points)

    def summary(self) -> dict[str, Any]:
        """The facts that the command line prints with --json."""
        pieces = self.target.least_pieces
        return {
            "function": self.target.text,
            "dim": self.dim,
            "depth": self.depth,
            "activation": "relu",
            "widths": list(self.widths),
            "sup_error_upper": str(self.sup_error_upper),
            "relation": self.document["claim"]["relation"],
            "max_weight": str(self.network.max_weight),
            "nonzeros": self.network.nonzeros,
            "pieces_lower": None if pieces is None else str(pieces),
            "width_lower": self.target.least_width(self.depth),
            "digest": self.digest,
            "verdict": self.verdict.status.name,
        }


def exact_from_document(text: str, document: dict[str, Any], verdict: Verdict) -> CertifiedExact:
    """Read a document that the checker accepted."""
    function = document["function"]
    target = ExactTarget(function["kind"], function[TARGETS[function["kind"]][0]])
    return CertifiedExact(target, ReluNetwork.from_json(document["network"]), text, verdict)


def certify_exact(target: ExactTarget, network: ReluNetwork) -> CertifiedExact:
    """Write the document of an exact network and have the checker replay it.

    Args:
        target: The function.
        network: Any rational network; that it computes the function in another way than the checker knows is possible.

    Raises:
        NotProved: The checker does not accept it; the message is its verdict.
    """
    _, domain, relation = TARGETS[target.kind]
    claim = {"kind": EXACT, "dim": target.dim, "domain": domain, "arithmetic": "real", "relation": relation}
    witness = {"kind": "structure"}
    text, verdict = checked(function=target.to_json(), claim=claim, network=network.to_json(), witness=witness)
    if not verdict.ok:
        raise NotProved(f"that the network computes {target.text}", found=verdict.line)
    return CertifiedExact(target, network, text, verdict)
