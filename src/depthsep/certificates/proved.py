"""What every proved object has: the text of its document, the checker's verdict on it, and a way to the disk."""

from __future__ import annotations

import json
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depthsep._version import __version__
from depthsep.files import write_whole
from depthsep_check import Verdict, check
from depthsep_check.document import FORMAT, VERSION, encode

if TYPE_CHECKING:
    from depthsep.networks.layers import Network

__all__ = ["MADE_BY", "Proved", "ProvedNetwork", "checked"]

MADE_BY = f"depthsep {__version__}"


class Proved:
    """An object that a document is about; a mixin for frozen dataclasses with these two fields.

    Attributes:
        document_text: The document.
        verdict: What the checker said of it.
    """

    document_text: str
    verdict: Verdict

    @cached_property
    def document(self) -> dict[str, Any]:
        """The document as a JSON object."""
        loaded: dict[str, Any] = json.loads(self.document_text)
        return loaded

    @property
    def digest(self) -> str:
        """The SHA-256 of the document."""
        return str(self.document["digest"])

    @property
    def proof(self) -> dict[str, Any]:
        """The claim and the witness that proves it."""
        return {"claim": self.document["claim"], "witness": self.document["witness"], "verdict": self.verdict.line}

    def save(self, path: str | os.PathLike[str], force: bool = False) -> Path:
        """Write the document; nothing is overwritten without `force`, and no half file is left.

        Raises:
            DocumentExists: The file is there already.
            BadInput: The place cannot be written to.
        """
        return write_whole(path, force, lambda part: part.write_text(self.document_text, encoding="utf-8"))


class ProvedNetwork(Proved):
    """A proved object whose numbers are those of one network, its attribute `network`."""

    if TYPE_CHECKING:

        @property
        def network(self) -> Network:
            """The network."""

    @property
    def depth(self) -> int:
        """The number of weight layers: one more than there are hidden layers."""
        return self.network.depth

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of units of each hidden layer."""
        return self.network.widths

    @property
    def max_weight(self) -> float:
        """The largest absolute value among all weights and biases of the flat network."""
        return self.network.max_weight

    @property
    def path_norm(self) -> float:
        """The sum over all paths of the products of |weights|, first-layer rows by their length; rounded up."""
        return self.network.path_norm

    @property
    def nonzeros(self) -> int:
        """The number of nonzero weights and biases of the flat network."""
        return self.network.nonzeros


def checked(**parts: Any) -> tuple[str, Verdict]:
    """Write a document and have the checker replay it.

    Args:
        parts: The objects function, claim, witness, and network where there is one.

    Returns:
        The text, and the verdict, which may be any.
    """
    text = encode({"format": FORMAT, "version": VERSION, "made_by": MADE_BY, **parts})
    return text, check(text)
