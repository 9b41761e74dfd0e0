"""safetensors: the flat weights and biases in float64, with what is proved about them in the metadata.

`depthsep_check` compares such a file with the document, weight by weight.
"""

from __future__ import annotations

import os
from pathlib import Path

from depthsep.exports.model_file import (
    DENSE_LIMIT_BYTES,
    Certified,
    ExportResult,
    exportable,
    metadata,
    named_tensors,
    require,
    require_exact,
    write_model,
)

__all__ = ["write"]


def write(
    certified: Certified,
    path: str | os.PathLike[str],
    *,
    force: bool = False,
    limit_bytes: int = DENSE_LIMIT_BYTES,
    dtype: str = "float64",
) -> ExportResult:
    """Write the tensors hidden1.weight, hidden1.bias, ..., output.weight, output.bias.

    The network is h = s(W h + b) for the hidden layers, then W h + b for the output, s a ReLU or, of a network with
    another activation, what the metadata name under "depthsep.activation": the file holds weights only.

    Args:
        certified: The network with its proof.
        path: The file to write.
        force: Replace a file that is there.
        limit_bytes: The largest size of the flat layers, in float64.
        dtype: "float64" or, for a network that is guaranteed exact in it on its grid, "float32".

    Raises:
        MissingExtra: safetensors is not installed.
        BadInput: Evaluation in float32 is not guaranteed exact, or a weight is no float64.
        OutOfReach: The flat layers take more than `limit_bytes`.
        DocumentExists: The file is there and `force` is False.
    """
    library = require("safetensors.numpy", "export to safetensors", "export")

    def save(part: Path) -> None:
        require_exact(certified, dtype)
        tensors = named_tensors(exportable(certified), limit_bytes, dtype)
        part.write_bytes(library.save(tensors, metadata(certified, dtype)))

    return write_model(certified, path, force, save)
