"""Networks together with what is proved about them."""

from depthsep.certificates.document import CertifiedNetwork, certify, load

__all__ = ["CertifiedNetwork", "certify", "load"]
