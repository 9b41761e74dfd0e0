"""One module for each kind of equality of two networks: `check(document)` gives the proved sentence or raises."""
