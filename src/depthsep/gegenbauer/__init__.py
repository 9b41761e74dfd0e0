"""Gegenbauer polynomials and the spectra of functions of an inner product, every number a rigorous ball.

    import depthsep as ds
    found = ds.gegenbauer.spectrum("sin(pi*d^3*t)", dim=10)
    found.coefficients[25], found.energy_beyond(25), ds.gegenbauer.relu_visibility(10, 25)

x, x' are independent and uniform on the unit sphere of R^d, d >= 3, and mu_d is the law of t = <x, x'>. A ball
(`flint.arb`) contains the true value; a wide one says so.
"""

from depthsep.gegenbauer.spectra import Projection, Spectrum, spectrum
from depthsep.gegenbauer.sphere_law import density, harmonic_count, moment, polynomial, relu_visibility
from depthsep.gegenbauer.zonal import coefficients

__all__ = [
    "Projection",
    "Spectrum",
    "coefficients",
    "density",
    "harmonic_count",
    "moment",
    "polynomial",
    "relu_visibility",
    "spectrum",
]
