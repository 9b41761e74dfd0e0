"""Networks of other programs, read as exact ReLU networks: every weight is the number that the file stores."""

from depthsep.imports.reader import read_network

__all__ = ["read_network"]
