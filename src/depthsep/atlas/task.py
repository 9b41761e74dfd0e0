"""One question of an atlas: plain data, named by the digest of its canonical form."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, Literal

__all__ = ["KINDS", "Kind", "Task"]

Kind = Literal["network", "random-network", "bound"]
KINDS: tuple[Kind, ...] = ("network", "random-network", "bound")


@dataclass(frozen=True)
class Task:
    """A network to build, a random one to prove something about, or a lower bound to prove.

    Args:
        kind: "network", "random-network" (whose proof is about the law of its directions), or "bound".
        function: A formula in r (ball) or in t (spheres), or ball(r0, margin).
        dim: The dimension.
        eps: The accuracy, a rational number in lowest terms, such as "1/10".
        depth: The number of weight layers of the network, or of the networks that the bound is about.
        activation: Of the network, or of the class of networks that the bound is about.
        domain: "ball", or "spheres" for functions of an inner product of unit vectors.
        weights: A bound of all weights, such as "2^d"; None if they are free.
        seconds: The time that the task may take.
        max_width: The most neurons that a network may have; None if any number will do.
    """

    kind: Kind
    function: str
    dim: int
    eps: str
    depth: int = 2
    activation: str = "relu"
    domain: str = "ball"
    weights: str | None = None
    seconds: int = 60
    max_width: int | None = None

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the canonical form: the same question has the same name everywhere."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()

    @cached_property
    def canonical(self) -> str:
        """The task as JSON text, keys sorted, without spaces."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_canonical(cls, text: str) -> Task:
        """Read what `canonical` gave."""
        return cls(**json.loads(text))

    def columns(self) -> dict[str, Any]:
        """The fields by name, in order."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def command(self) -> str:
        """The command line that asks this one question."""
        words = {"network": "build", "random-network": "build", "bound": "bound"}
        text = f"depthsep {words[self.kind]} {_quoted(self.function)} --dim {self.dim} --eps {self.eps}"
        if self.domain != "ball":
            text += f" --domain {self.domain}"
        if self.kind == "network":
            text += f" --depth {self.depth}"
        if self.kind == "random-network":
            text += " --depth 2 --random"
        if self.activation != "relu":
            text += f" --activation {self.activation}"
        if self.weights is not None:
            text += f" --weights {_quoted(self.weights)}"
        if self.max_width is not None and self.kind != "bound":
            text += f" --max-width {self.max_width}"
        return text

    @property
    def sentence(self) -> str:
        """The question in a few words, for progress and tables."""
        what = {"network": f"depth {self.depth}", "random-network": "random directions", "bound": "lower bound"}
        return f"{self.function}, d = {self.dim}, eps = {self.eps}, {what[self.kind]}"


def _quoted(text: str) -> str:
    return f'"{text}"'
