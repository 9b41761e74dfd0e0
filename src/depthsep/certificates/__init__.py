"""Networks together with what is proved about them."""

from depthsep.certificates.document import CertifiedNetwork, certify, load
from depthsep.certificates.equality import CertifiedEquality, certify_equality

__all__ = ["CertifiedEquality", "CertifiedNetwork", "certify", "certify_equality", "load"]
