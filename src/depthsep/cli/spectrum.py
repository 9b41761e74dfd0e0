"""``depthsep spectrum``: how much of a function of an inner product lies on which degree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from depthsep.cli.terminal import (
    dim_option,
    example,
    force_option,
    json_option,
    print_json,
    print_table,
    refuse_unwritable,
)

if TYPE_CHECKING:
    from flint import arb

    from depthsep.gegenbauer import Spectrum

__all__ = ["COMMANDS"]

COLUMNS = ("degree", "N", "coefficient", "radius", "of the energy", "energy beyond", "one ReLU neuron sees")
MOST_ROWS = 24
MILESTONES = (*(Fraction(k, 20) for k in range(1, 20)), Fraction(99, 100), Fraction(999, 1000))
LEAST_SHARE = 1e-9
DIGITS = 20  # of the numbers of --json
_COUNTED = 10**9


@click.command(epilog=example('depthsep spectrum "sin(pi*d^3*t)" --dim 5 --figure spectrum.svg'))
@click.argument("expression")
@dim_option
@click.option(
    "--domain",
    type=click.Choice(["spheres", "ball"]),
    default="spheres",
    show_default=True,
    help="Pairs of unit vectors (formulas in t), or the unit ball (formulas in r) seen at r^2 = (1 + t)/2.",
)
@click.option("--degrees", metavar="A:B", help="The degrees from A to B.  [default: where the energy is]")
@click.option(
    "--figure", type=click.Path(path_type=Path), metavar="FILE", help="Draw the spectrum to this .svg or .png file."
)
@force_option
@json_option
def spectrum(
    expression: str, dim: int, domain: str, degrees: str | None, figure: Path | None, force: bool, as_json: bool
) -> None:
    """Find how much of a function lies on which degree.

    EXPRESSION is a formula in t, the inner product of two unit vectors, or indicator(t >= c). Its Gegenbauer
    coefficients, its energy E[f^2] and the energy of all that is beyond a degree are enclosed rigorously; beside them
    stands how much of that degree one ReLU neuron can see: the largest overlap with one of size 1, u relu(<w, x> +
    <w', x'> + b) with |u| sqrt(|w| |w'|) = 1. A function whose energy lies where a neuron sees little is expensive at
    depth 2 (`depthsep bound --theorem degrees`).
    """
    from depthsep import gegenbauer

    first, last = (0, None) if degrees is None else _degrees(degrees)
    if figure is not None:
        if figure.suffix not in (".svg", ".png"):
            raise click.UsageError(f"--figure needs a name that ends in .svg or .png, not {figure}")
        refuse_unwritable(figure, force)
    found = gegenbauer.spectrum(expression, dim=dim, domain=domain, degrees=last)
    listed = range(first, found.top + 1)
    if figure is not None:
        _draw(found, listed, figure, force)
    if as_json:
        print_json({**_facts(found, listed), "figure": None if figure is None else str(figure)})
        return
    _print(found, listed if degrees is not None else _milestones(found))
    if figure is not None:
        click.echo(f"figure: {figure}")


COMMANDS = (spectrum,)


def _degrees(text: str) -> tuple[int, int]:
    """The ends of a range of degrees, A:B."""
    ends = re.fullmatch(r"(\d{1,9}):(\d{1,9})", text.strip())
    if ends is None or not int(ends[1]) <= int(ends[2]) or int(ends[2]) == 0:
        raise click.UsageError(f"--degrees needs two degrees A:B with A <= B and B >= 1, such as 0:40, not {text}")
    return int(ends[1]), int(ends[2])


def _milestones(found: Spectrum) -> Sequence[int]:
    """The degrees that carry energy; where these are many, those at which a twentieth more of it has been passed."""
    carrying = [n for n in range(found.top + 1) if not found.share(n) < LEAST_SHARE]
    if len(carrying) <= MOST_ROWS:
        return carrying
    passed = (found.degree_of(part) for part in MILESTONES)
    return sorted({carrying[0], *(n for n in passed if n is not None)})


def _print(found: Spectrum, degrees: Sequence[int]) -> None:
    where = "pairs of unit vectors" if found.domain == "spheres" else "the unit ball"
    title = f"{found.function} on {where} of dimension {found.dim}: energy E[f^2] = {_short(found.energy)}"
    print_table(title, COLUMNS, [_cells(found, n) for n in degrees], right=range(len(COLUMNS)))
    click.echo("all numbers are rounded; the radius is that of the coefficient's rigorous enclosure")
    size = "|u| sqrt(|w| |w'|) = 1" if found.domain == "spheres" else "|u| |w| = 2"
    click.echo(f"energies are parts of E[f^2]; one neuron: its largest overlap with the degree, at {size}")
    if len(degrees) <= found.top:
        click.echo(f"computed: the degrees up to {found.top} (--degrees A:B, --json)")
    for part, words in ((Fraction(1, 2), "half of the energy"), (Fraction(99, 100), "99 % of it")):
        degree = found.degree_of(part)
        inside = "degree 0, the mean" if degree == 0 else f"degrees up to {degree}"
        beyond = f"no fewer degrees than those up to {found.top}"
        click.echo(f"{words} lies on {beyond if degree is None else inside}")


def _cells(found: Spectrum, degree: int) -> tuple[str, ...]:
    from depthsep.gegenbauer import harmonic_count

    harmonics, coefficient = harmonic_count(found.dim, degree), found.coefficients[degree]
    return (
        str(degree),
        f"{harmonics:,}" if harmonics < _COUNTED else _digits(str(harmonics)),
        "0" if coefficient.contains(0) else coefficient.str(6, radius=False),
        _radius(coefficient),
        _short(found.share(degree)),
        _short(found.energy_beyond(degree) / found.energy),
        _short(found.visibility(degree)) if degree else "all of it",
    )


def _digits(whole: str) -> str:
    """A large whole number by its first digits."""
    return f"{whole[0]}.{whole[1:4]}e+{len(whole) - 1}"


def _radius(ball: arb) -> str:
    """A power of ten above the radius of an enclosure."""
    from flint import arb

    if ball.rad() == 0:
        return "exact"
    return f"< 1e{int((ball.rad().log() / arb(10).log()).upper().floor().unique_fmpz()) + 1}"


def _short(ball: arb) -> str:
    """A nonnegative ball as a number of four digits; one that holds 0 by what it is certainly below."""
    if ball == 0:
        return "0"
    if ball.contains(0):
        return f"< {ball.upper().str(2, radius=False)}"
    number = float(ball.mid())
    return f"{number:.4g}" if number else ball.str(4, radius=False)


def _facts(found: Spectrum, degrees: Iterable[int]) -> dict[str, Any]:
    from depthsep.gegenbauer import harmonic_count

    rows = [
        {
            "degree": n,
            "harmonics": str(harmonic_count(found.dim, n)),
            "coefficient": _decimals(found.coefficients[n]),
            "share": _decimals(found.share(n)),
            "energy_beyond": _decimals(found.energy_beyond(n)),
            "relu_visibility": _decimals(found.visibility(n)) if n else None,
        }
        for n in degrees
    ]
    facts = {"function": found.function, "dim": found.dim, "domain": found.domain, "energy": _decimals(found.energy)}
    return {**facts, "degree_of_half": found.degree_of(Fraction(1, 2)), "rows": rows}


def _decimals(ball: arb) -> dict[str, str]:
    """A decimal, and how far the true value is from it at most."""
    middle, _, radius = ball.str(DIGITS).strip("[]").partition("+/-")
    return {"value": middle.strip() or "0", "radius": radius.strip() or "0"}


def _draw(found: Spectrum, degrees: Sequence[int], path: Path, force: bool) -> None:
    from depthsep.reports import figures

    where = "unit vectors" if found.domain == "spheres" else "the unit ball"
    title = f"{found.function} in dimension {found.dim}, {where}"
    picture = figures.draw_spectrum(
        _sizes((n, found.coefficients[n] * found.coefficients[n]) for n in degrees),
        _sizes((n, found.energy_beyond(n)) for n in degrees),
        _sizes((n, found.visibility(n) * found.visibility(n)) for n in degrees if n),
        title,
    )
    figures.save(picture, path, force)


def _sizes(energies: Iterable[tuple[int, arb]]) -> list[tuple[float, float]]:
    """(degree, log10 of the energy), of those that are certainly not 0: floats would not hold the smallest ones."""
    from flint import arb

    return [(n, float((energy.log() / arb(10).log()).mid())) for n, energy in energies if energy > 0]
