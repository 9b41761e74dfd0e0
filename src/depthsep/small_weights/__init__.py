"""Smaller weights for the same function: exact passes for every input, and the full compiler for a grid."""
