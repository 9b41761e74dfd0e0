"""What all exports share: names of tensors, metadata, and a file that appears whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from depthsep.certificates.equality import CertifiedEquality
from depthsep.certificates.exact import CertifiedExact
from depthsep.certificates.probabilistic import ProbabilisticNetwork
from depthsep.errors import BadInput, OutOfReach
from depthsep.extras import require
from depthsep.files import write_whole
from depthsep.networks import (
    ActivationNetwork,
    IntegerLayers,
    Network,
    ReluNetwork,
    SmoothSeparableNetwork,
    UnitNetwork,
)
from depthsep.networks.accumulators import FLOAT32, FLOAT64
from depthsep.networks.circuit import Circuit
from depthsep.networks.layers import DENSE_LIMIT_BYTES, DenseLayers
from depthsep.networks.rounding import round_up

__all__ = [
    "DENSE_LIMIT_BYTES",
    "Certified",
    "ExportResult",
    "Exportable",
    "activation_of",
    "exportable",
    "metadata",
    "named_tensors",
    "output_count",
    "parameter_count",
    "require",
    "require_exact",
    "write_model",
]

Exportable = Network | ReluNetwork | IntegerLayers
FORMATS = {form.name: form for form in (FLOAT32, FLOAT64)}


class CertifiedApproximation(Protocol):
    """What an export needs to know of a network that approximates a function."""

    @property
    def network(self) -> Network:
        """The network."""

    @property
    def sup_error_upper(self) -> Fraction:
        """The proved error."""

    @property
    def digest(self) -> str:
        """The digest of the document that proves it."""


Certified = CertifiedApproximation | CertifiedEquality | CertifiedExact


@dataclass(frozen=True)
class ExportResult:
    """A model file that was written.

    Args:
        path: Where.
        parameters: The number of weights and biases in it.
        rounding_error_upper: |computed - exact value of the network| is at most this when the file is evaluated in
            its own type, whatever the order of summation: at float64 points of `network.domain`, or, of a network
            that is equal to another one on a grid, at the points of the grid. It comes on top of the proved error.
            None where no bound is known: of activations that need exp or erf, whose errors no runtime proves.
    """

    path: Path
    parameters: int
    rounding_error_upper: Fraction | None


def exportable(certified: Certified) -> Exportable:
    """The network, if it is no circuit.

    Raises:
        BadInput: It is a threshold circuit.
    """
    network = certified.network
    if isinstance(network, Circuit):
        asked, do = "export a threshold circuit as a model file", "its document holds the circuit, gate by gate"
        raise BadInput(asked, needed="a network of ReLUs", do=do)
    return network


def activation_of(network: Exportable) -> str:
    """The name of the activation of the hidden layers."""
    known = (ActivationNetwork, SmoothSeparableNetwork, UnitNetwork)
    return network.activation if isinstance(network, known) else "relu"


def output_count(network: Exportable) -> int:
    """The number of outputs."""
    if isinstance(network, IntegerLayers):
        return len(network.outputs)
    return network.outputs if isinstance(network, ReluNetwork) else 1


def input_count(network: Exportable) -> int:
    """The number of entries of a point."""
    return network.inputs if isinstance(network, Network) else network.dim


def parameter_count(network: Exportable) -> int:
    """The number of entries of the flat weight matrices and biases, zeros included."""
    if isinstance(network, Network):
        return network.parameters
    sizes = (network.dim, *network.widths, output_count(network))
    return sum((before + 1) * after for before, after in pairwise(sizes))


def _flat_layers(network: Exportable, limit_bytes: int) -> DenseLayers:
    if isinstance(network, Network):
        return network.dense_layers(limit_bytes)
    needed = 8 * parameter_count(network)
    if needed > limit_bytes:
        raise OutOfReach(
            f"the flat layers of a network of {sum(network.widths)} neurons in {len(network.widths)} hidden layers",
            found=f"they take {needed} bytes",
            needed=f"at most {limit_bytes} bytes",
            do="keep them sparse: export to torch, or call network.sparse_layers() for scipy; or raise the limit",
            reached={"bytes": needed},
        )
    if isinstance(network, IntegerLayers):
        return [(weights.toarray(), biases) for weights, biases in network.sparse_layers()]
    if not network.is_float64:
        raise BadInput(
            "export a network in float64",
            found="a weight or a bias that no float64 equals",
            needed="a model file that is the network of the document, weight by weight",
            do="evaluate it exactly with network.grid_values or network.evaluate_exact",
        )
    return network.dense_layers()


def named_tensors(
    network: Exportable, limit_bytes: int = DENSE_LIMIT_BYTES, dtype: str = "float64"
) -> dict[str, NDArray[Any]]:
    """Expand to tensors hidden1.weight, hidden1.bias, ..., output.weight, output.bias, in this order.

    Raises:
        BadInput: The numbers of the network are no float64 values.
        OutOfReach: They take more than `limit_bytes`.
    """
    layers = _flat_layers(network, limit_bytes)
    names = [*(f"hidden{place}" for place in range(1, len(layers))), "output"]
    return {
        f"{name}.{part}": tensor.astype(np.dtype(dtype), copy=False)
        for name, (weight, bias) in zip(names, layers, strict=True)
        for part, tensor in (("weight", weight), ("bias", bias))
    }


def require_exact(certified: Certified, dtype: str) -> None:
    """Refuse a type shorter than float64, unless evaluation in it is guaranteed exact on the grid.

    Raises:
        BadInput: It is not, or the type is not known here.
    """
    if dtype not in FORMATS:
        raise BadInput(f"export in {dtype}", needed=" or ".join(FORMATS))
    if dtype == FLOAT64.name:
        return
    unknown = "a network whose rounding errors in it are not known"
    obstacle = certified.float_obstacle(FORMATS[dtype]) if isinstance(certified, CertifiedEquality) else unknown
    if obstacle:
        needed = f"a network of which evaluation in {dtype} is guaranteed exact on its grid"
        raise BadInput(f"export in {dtype}", found=obstacle, needed=needed, do="export in float64")


def metadata(certified: Certified, dtype: str = "float64") -> dict[str, str]:
    """Describe where the model comes from and what is proved about it."""
    if isinstance(certified, CertifiedEquality):
        return _equality_metadata(certified, dtype)
    if isinstance(certified, CertifiedExact):
        return {
            "depthsep.document": certified.digest,
            "depthsep.exact": f"{certified.target.text}, in exact arithmetic",
            "depthsep.rounding_error_upper": "not proved",
        }
    bound = certified.network.flat_rounding_error_upper
    facts = {
        "depthsep.document": certified.digest,
        **_claim(certified),
        "depthsep.rounding_error_upper": "not proved" if bound is None else repr(float(bound)),
        "depthsep.domain": certified.network.domain,
    }
    activation = activation_of(certified.network)
    return facts if activation == "relu" else {**facts, "depthsep.activation": activation}


def _claim(certified: CertifiedApproximation) -> dict[str, str]:
    """What is proved: an error, or of a draw of a random network nothing but how rarely such draws fail."""
    if isinstance(certified, ProbabilisticNetwork):
        distance = repr(round_up(certified.network.ideal_distance_upper))
        return {"depthsep.claim": f"probabilistic: {certified.sentence}", "depthsep.ideal_distance_upper": distance}
    return {"depthsep.sup_error_upper": str(certified.sup_error_upper)}


def _equality_metadata(certified: CertifiedEquality, dtype: str) -> dict[str, str]:
    obstacle = certified.float_obstacle(FORMATS[dtype])
    inexact = "integer evaluation needed" if isinstance(certified.network, IntegerLayers) else "not bounded"
    places = "everywhere"
    if certified.exact_on == "grid":
        places = f"at the grid points of {certified.claim['domain']}, 2^{certified.claim['grid_bits']} steps an axis"
    return {
        "depthsep.document": certified.digest,
        "depthsep.mode": certified.mode,
        "depthsep.equal_to_source": places,
        "depthsep.error_upper": str(certified.error_upper),
        "depthsep.assumes": certified.assumes,
        "depthsep.evaluation": f"{inexact}: {obstacle}" if obstacle else f"exact in {dtype}",
    }


def write_model(
    certified: Certified, path: str | os.PathLike[str], force: bool, save: Callable[[Path], None]
) -> ExportResult:
    """Write a model file by `save`; see `depthsep.files.write_whole` for what it may raise."""
    parameters = parameter_count(exportable(certified))
    target = write_whole(path, force, save)
    if isinstance(certified, CertifiedEquality):
        return ExportResult(target, parameters, certified.flat_rounding_error_upper)
    if isinstance(certified, CertifiedExact):
        return ExportResult(target, parameters, None)
    return ExportResult(target, parameters, certified.network.flat_rounding_error_upper)
