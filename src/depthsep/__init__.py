"""Depth separation made executable: networks with proofs, and lower bounds.

    import depthsep as ds
    net = ds.build("1 - r", dim=10, eps="0.1", depth=3)
    net(X), net.widths, net.sup_error_upper, net.proof, net.save("net.json")

Importing the package is cheap; what a name needs is imported when the name is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from depthsep._version import __version__

if TYPE_CHECKING:
    from depthsep.activations import activation as activation
    from depthsep.api import Separation as Separation
    from depthsep.api import build as build
    from depthsep.api import build_random as build_random
    from depthsep.api import separate as separate
    from depthsep.bounding import all_bounds as all_bounds
    from depthsep.bounding import error_floor as error_floor
    from depthsep.bounding import lower_bound as lower_bound
    from depthsep.certificates.document import CertifiedNetwork as CertifiedNetwork
    from depthsep.certificates.document import load as load
    from depthsep.certificates.equality import CertifiedEquality as CertifiedEquality
    from depthsep.certificates.exact import CertifiedExact as CertifiedExact
    from depthsep.certificates.exact import ExactTarget as ExactTarget
    from depthsep.certificates.exact import certify_exact as certify_exact
    from depthsep.certificates.fitted import CertifiedFit as CertifiedFit
    from depthsep.certificates.probabilistic import ProbabilisticNetwork as ProbabilisticNetwork
    from depthsep.constructions.exact_networks import exact_cantor as exact_cantor
    from depthsep.constructions.exact_networks import exact_maximum as exact_maximum
    from depthsep.constructions.exact_networks import exact_parity as exact_parity
    from depthsep.constructions.exact_networks import exact_sawtooth as exact_sawtooth
    from depthsep.constructions.univariate_fit import fit as fit
    from depthsep.explanation import explain as explain
    from depthsep.functions import BallIndicator as BallIndicator
    from depthsep.functions import Radial as Radial
    from depthsep.imports import read_network as read_network
    from depthsep.networks.relu import ReluNetwork as ReluNetwork
    from depthsep.own_activations import register_activation as register_activation
    from depthsep.shrinking import balance as balance
    from depthsep.shrinking import circuit as circuit
    from depthsep.shrinking import plan_shrink as plan_shrink
    from depthsep.shrinking import shrink as shrink
    from depthsep_check import check as check

_HOMES = {
    "activation": "depthsep.activations",
    "build": "depthsep.api",
    "build_random": "depthsep.api",
    "fit": "depthsep.constructions.univariate_fit",
    "register_activation": "depthsep.own_activations",
    "CertifiedFit": "depthsep.certificates.fitted",
    "ProbabilisticNetwork": "depthsep.certificates.probabilistic",
    "separate": "depthsep.api",
    "Separation": "depthsep.api",
    "all_bounds": "depthsep.bounding",
    "error_floor": "depthsep.bounding",
    "lower_bound": "depthsep.bounding",
    "CertifiedNetwork": "depthsep.certificates.document",
    "load": "depthsep.certificates.document",
    "CertifiedEquality": "depthsep.certificates.equality",
    "CertifiedExact": "depthsep.certificates.exact",
    "ExactTarget": "depthsep.certificates.exact",
    "certify_exact": "depthsep.certificates.exact",
    "exact_cantor": "depthsep.constructions.exact_networks",
    "exact_maximum": "depthsep.constructions.exact_networks",
    "exact_parity": "depthsep.constructions.exact_networks",
    "exact_sawtooth": "depthsep.constructions.exact_networks",
    "explain": "depthsep.explanation",
    "BallIndicator": "depthsep.functions",
    "Radial": "depthsep.functions",
    "read_network": "depthsep.imports",
    "ReluNetwork": "depthsep.networks.relu",
    "balance": "depthsep.shrinking",
    "circuit": "depthsep.shrinking",
    "plan_shrink": "depthsep.shrinking",
    "shrink": "depthsep.shrinking",
    "check": "depthsep_check",
    "errors": "depthsep.errors",
    "exports": "depthsep.exports",
    "gegenbauer": "depthsep.gegenbauer",
    "learning": "depthsep.learning",
    "lower_bounds": "depthsep.lower_bounds",
    "networks": "depthsep.networks",
}

__all__ = [
    "BallIndicator",
    "CertifiedEquality",
    "CertifiedExact",
    "CertifiedFit",
    "CertifiedNetwork",
    "ExactTarget",
    "ProbabilisticNetwork",
    "Radial",
    "ReluNetwork",
    "Separation",
    "__version__",
    "activation",
    "all_bounds",
    "balance",
    "build",
    "build_random",
    "certify_exact",
    "check",
    "circuit",
    "error_floor",
    "exact_cantor",
    "exact_maximum",
    "exact_parity",
    "exact_sawtooth",
    "explain",
    "fit",
    "load",
    "lower_bound",
    "plan_shrink",
    "read_network",
    "register_activation",
    "separate",
    "shrink",
]


def __getattr__(name: str) -> Any:
    """Import what is asked for, when it is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'depthsep' has no attribute {name!r}")
    module = import_module(_HOMES[name])
    return module if module.__name__ == f"depthsep.{name}" else getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
