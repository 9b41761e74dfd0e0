"""The table of theorems: who proved what, in which norm, for which weights and activations, and its value here.

`rows` has the results of the literature (and a few of our own) as data, `values` computes what this library can say
about each at a dimension and an accuracy. Every value names its hypotheses.
"""

from __future__ import annotations

from depthsep.theorem_table.rows import THEOREMS, Theorem, select, words_of
from depthsep.theorem_table.values import Value, values_of

__all__ = ["THEOREMS", "Theorem", "Value", "select", "values_of", "words_of"]
