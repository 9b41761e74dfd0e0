"""One theorem, one module: shallow_radial, deep_radial, deep_ball; the others are the parts they are made of."""
