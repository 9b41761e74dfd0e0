"""Networks stored by their structure: never expanded unless asked, evaluated with a proved rounding bound."""

from typing import Any

from depthsep.activations import Activation
from depthsep.errors import BadInput
from depthsep.networks.activation_ridge import ActivationGroup, ActivationNetwork
from depthsep.networks.directions import CodeCube, Directions, ExplicitDirections, Orbit
from depthsep.networks.folded import FoldedNetwork, Folds, Knots
from depthsep.networks.grids import DOMAINS
from depthsep.networks.integer_layers import Block, IntegerLayers, OutputRow
from depthsep.networks.layers import DenseLayers, Evaluation, Network
from depthsep.networks.relu import AffineLayer, ReluNetwork
from depthsep.networks.ridge import AffineUnit, RidgeGroup, ShallowNetwork
from depthsep.networks.separable import SeparableNetwork
from depthsep.networks.smooth_separable import SmoothSeparableNetwork
from depthsep.networks.unit_network import UnitNetwork

__all__ = [
    "DOMAINS",
    "ActivationGroup",
    "ActivationNetwork",
    "AffineLayer",
    "AffineUnit",
    "Block",
    "CodeCube",
    "DenseLayers",
    "Directions",
    "Evaluation",
    "ExplicitDirections",
    "FoldedNetwork",
    "Folds",
    "IntegerLayers",
    "Knots",
    "Network",
    "Orbit",
    "OutputRow",
    "ReluNetwork",
    "RidgeGroup",
    "SeparableNetwork",
    "ShallowNetwork",
    "SmoothSeparableNetwork",
    "UnitNetwork",
    "network_from_json",
]


def network_from_json(obj: dict[str, Any], own: Activation | None = None) -> Network:
    """Read the NETWORK object of a document that was checked.

    Args:
        obj: The object.
        own: The activation, where the object has a formula instead of a name.
    """
    if obj.get("kind") == ShallowNetwork.kind:
        return ShallowNetwork.from_json(obj)
    if obj.get("kind") == ActivationNetwork.kind:
        return ActivationNetwork.from_json(obj, own)
    if obj.get("kind") == SeparableNetwork.kind:
        return SeparableNetwork.from_json(obj)
    if obj.get("kind") == SmoothSeparableNetwork.kind:
        return SmoothSeparableNetwork.from_json(obj)
    if obj.get("kind") == FoldedNetwork.kind:
        return FoldedNetwork.from_json(obj)
    raise BadInput(
        f"a network of kind {obj.get('kind')!r}",
        needed='"ridge-groups", "activation-groups", "separable", "folded" or "smooth-separable"',
    )
