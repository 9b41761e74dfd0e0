"""Lower bounds that have a theorem of their own: one theorem, one module, each with a reader of its own."""
