"""One theorem, one module: shallow_radial, deep_radial, deep_ball, inner_products, folding; their parts beside them."""
