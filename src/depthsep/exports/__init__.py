"""Model files for other programs: the flat network in float64, neuron by neuron.

One module per format, each with `write(certified, path, force=False)`; its package is imported when it is needed.
"""

from depthsep.exports.model_file import ExportResult, named_tensors

__all__ = ["ExportResult", "named_tensors"]
