"""Formulas that are one sinusoid: f = mean + amplitude cos(pi (rate sigma + offset)), its numbers as balls.

sigma is what a folded network reads (`depthsep_check.folded_networks`): r^2 for the norm, (1 + t)/2 for pairs of unit
vectors, t for pairs of points of the ball, t = <x, x'>. The closed form of f has the one wave even cos(omega t) + odd
sin(omega t); with T = odd/even it is even sqrt(1 + T^2) cos(omega t - atan T), and with T = even/odd it is
odd sqrt(1 + T^2) cos(omega t + atan T - pi/2). The form whose divisor is the larger of the two is used.

A formula with abs, min or max is never recognised: closed forms hold for t in [-1, 1] only, and floating-point unit
vectors may have a product slightly outside.
"""

from __future__ import annotations

from dataclasses import dataclass

from flint import arb

from depthsep_check.expression import Expression
from depthsep_check.gegenbauer import Wave, closed_form

READS = ("norm", "sphere-pair", "ball-pair")
_WITH_KINKS = ("abs", "min", "max")


@dataclass(frozen=True, slots=True)
class Sinusoid:
    """f = mean + amplitude cos(pi (rate sigma + offset)), enclosed; rate > 0, the amplitude has any sign."""

    mean: arb
    amplitude: arb
    rate: arb
    offset: arb

    def at(self, sigma: arb) -> arb:
        """An enclosure of the values over a ball of sigma."""
        return self.mean + self.amplitude * (self.rate * sigma + self.offset).cos_pi()


def sinusoid_of(expression: Expression, dim: int, reads: str) -> Sinusoid | None:
    """The sinusoid that a formula is, at the current precision; None where it is none, or not certainly.

    Args:
        expression: a formula in the norm r where the network reads the norm, in t otherwise.
        dim: the dimension, which the formula may use.
        reads: "norm", "sphere-pair" or "ball-pair".
    """
    if any(node.kind in _WITH_KINKS for node in expression.nodes):
        return None
    closed = closed_form(expression, dim, radial=reads == "norm")
    if closed is None or closed.kinks or closed.jumps or len(closed.waves) != 1:
        return None
    certainly_flat = bool(closed.slope == 0)  # of a ball around 0 it is false, and so is the test for !=
    if not certainly_flat:
        return None
    amplitude, shift = _polar(closed.waves[0])
    omega, pi = closed.waves[0].omega, arb.pi()
    if reads == "ball-pair":
        rate, offset = omega / pi, shift / pi
    else:  # t = 2 sigma - 1, also for the norm, which closed forms see at |x|^2 = (1 + t)/2
        rate, offset = 2 * omega / pi, (shift - omega) / pi
    found = Sinusoid(arb(closed.constant), amplitude, rate, offset)
    finite = all(number.is_finite() for number in (found.mean, amplitude, rate, offset))
    return found if finite and rate > 0 else None


def _polar(wave: Wave) -> tuple[arb, arb]:
    """The amplitude A and the shift p for which the wave is A cos(omega t + p); not finite where none is certain."""
    even, odd = arb(wave.even), arb(wave.odd)
    if abs(even.mid()) >= abs(odd.mid()):
        ratio = odd / even
        return even * (1 + ratio * ratio).sqrt(), -ratio.atan()
    ratio = even / odd
    return odd * (1 + ratio * ratio).sqrt(), ratio.atan() - arb.pi() / 2
