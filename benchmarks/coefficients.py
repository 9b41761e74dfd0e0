"""Gegenbauer coefficients and floors of the error, enclosed and in floating point: `python -m benchmarks.coefficients`.

The coefficients alpha_n of sin(pi d^3 t) for points of the sphere of R^d, n odd (the others are 0), six ways:

    depthsep             the closed form in balls: what comes out contains the true value
    mpmath closed form   the same Bessel function to 30 digits, no proof
    mpmath quad          Gauss-Legendre between the zeros of the wave, with so many digits that 30 are left in the end
    scipy closed form    the same Bessel function in float64, the factors by their logarithms
    scipy quad           adaptive, up to 20,000 intervals; "as it comes": with the default of 50
    scipy quad, sin      the rule made for sin(omega t) times a function

All integrands are even, so that only half the interval is integrated. The quadratures are over theta, t = cos(theta),
where everything is smooth, but for the last one, which needs t. Errors are upper bounds, measured from the enclosure.

Then the floor of the error of r ridge functions, for an indicator function in the Eldan-Shamir measure: the certified
one, from below by cuts, against the integral itself by nested adaptive quadrature in float64.
"""

from __future__ import annotations

import argparse
import json
import math
import time
import warnings
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from flint import arb
from scipy.integrate import quad
from scipy.special import betainc, betaincinv, eval_gegenbauer, jv

from benchmarks.measure import environment, ratio, seconds, skip_line, table, timed
from depthsep.gegenbauer import coefficients as gegenbauer_coefficients
from depthsep.lower_bounds.tubes import tubes_floor
from depthsep_check.numbers import precision

RESULT = Path(__file__).parent / "results" / "coefficients.json"

PROFILE = "sin(pi*d^3*t)"
CASES = {
    3: (1, 81, 121, 201),
    5: (1, 301, 391, 601),
    10: (1, 1001, 3001, 4501),
    20: (1, 101, 1001, 9999),
    50: (1, 1001),
    100: (1, 1001),
    1000: (1, 1001),
}
LIST = (10, 3001)  # dimension, last degree: all odd degrees at once
FLOORS = ((5, "7/2", 5), (10, "6", 50), (50, "27", 2**20))  # dimension, radius of the indicator, units
DIGITS = 30
LIMIT_S = 10.0
_MANY = 20_000
_JUDGING_BITS = 256
_GOOD = 1e-6  # a relative error below this is called right


def run() -> dict[str, Any]:
    """Measure; see the module's text."""
    skipped = skip_line(["mpmath"], "pip install mpmath")
    result: dict[str, Any] = {"function": PROFILE, "limit_s": LIMIT_S, "rows": [], "skipped": skipped}
    hopeless = skipped is not None
    for dim, degrees in CASES.items():
        late = hopeless
        for degree in degrees:
            row, late = _row(dim, degree, skipped is None, late)
            hopeless |= late and degree == degrees[0]
            result["rows"].append(row)
        print(f"  d = {dim}: done", flush=True)
    result["list"] = _list(*LIST)
    result["floors"] = [_floor(*case) for case in FLOORS]
    return result


def _row(dim: int, degree: int, mpmath: bool, late: bool) -> tuple[dict[str, Any], bool]:
    """Measure one coefficient all ways; once mpmath's quadrature is over the limit, more degrees are not tried."""
    ours = timed(lambda: gegenbauer_coefficients(PROFILE, dim, [degree])[degree], 5)
    truth: arb = ours.result
    methods = [{"method": "depthsep", **ours.cost(), "relative_error": _written(truth.rad() / abs(truth))}]
    if mpmath:
        methods.append(_measured("mpmath closed form", partial(_mpmath_closed, dim, degree), truth, 3))
    if not late:
        methods.append(_measured("mpmath quad", partial(_mpmath_quad, dim, degree, _lost(truth)), truth, 1))
        late = "cpu_s" not in methods[-1]
    floats: dict[str, Callable[[], tuple[float | str, float | None]]] = {
        "scipy closed form": partial(_scipy_closed, dim, degree),
        "scipy quad, as it comes": partial(_scipy_quad, dim, degree, 50),
        "scipy quad": partial(_scipy_quad, dim, degree, _MANY),
        "scipy quad, sin": partial(_scipy_sine_quad, dim, degree),
    }
    methods += [_measured(name, task, truth, 3) for name, task in floats.items()]
    return {"dim": dim, "degree": degree, "value": truth.str(5, radius=False), "methods": methods}, late


def _measured(
    name: str, task: Callable[[], tuple[float | str, float | None]], truth: arb, repeats: int
) -> dict[str, Any]:
    """Time a task that gives a value and its own estimate of the error or None; judge the value by the enclosure."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            done = timed(task, repeats)
        except TimeoutError:
            return {"method": name, "outcome": "over the limit"}
    value, claimed = done.result
    with precision(_JUDGING_BITS):
        found = arb(value)
        error = abs(found - truth)
        relative = error / abs(truth)
        excess = error / claimed if claimed else None
    outcome = "wrong without a sign"
    if relative < _GOOD:
        outcome = "right"
    elif caught or not found.is_finite():
        outcome = "warned"
    elif excess is not None and excess <= 1:
        outcome = "inside its own error estimate"
    elif found == 0:
        outcome = "0 without a sign"
    return {
        "method": name, **done.cost(), "value": str(value), "claimed_error": claimed,
        "error_over_claimed": None if excess is None else _written(excess),
        "relative_error": _written(relative), "outcome": outcome,
    }  # fmt: skip


def _written(size: arb) -> str:
    """Write the upper end of a positive ball, which may be out of the range of float64."""
    return size.upper().str(2, radius=False).strip("[]").split(" ")[0] if size.is_finite() else "nan"


def _lost(truth: arb) -> int:
    """Count the digits that cancel in the integral."""
    return max(0, math.ceil(-float((abs(truth).log() / arb(10).log()).mid())))


# ------------------------------------------------------------------------------------------------------------------
# The other ways


def _mpmath_closed(dim: int, degree: int) -> tuple[str, None]:
    from mpmath import mp

    with mp.workdps(DIGITS + 10):
        omega, half = mp.pi * dim**3, mp.mpf(dim) / 2
        bessel = mp.gamma(half) * (2 / omega) ** (half - 1) * mp.besselj(degree + half - 1, omega, maxprec=10**5)
        return mp.nstr((-1) ** (degree // 2) * mp.sqrt(_harmonics(dim, degree)) * bessel, DIGITS), None


def _mpmath_quad(dim: int, degree: int, lost: int) -> tuple[str, None]:
    from mpmath import mp

    deadline = time.process_time() + LIMIT_S
    with mp.workdps(DIGITS + 5 + lost):
        omega, half = mp.pi * dim**3, mp.mpf(dim) / 2
        top = mp.binomial(degree + dim - 3, degree)
        scale = 2 * mp.sqrt(_harmonics(dim, degree)) / top * mp.gamma(half) / mp.gamma(half - mp.mpf(1) / 2)

        def integrand(theta: Any) -> Any:
            if time.process_time() > deadline:
                raise TimeoutError
            t = mp.cos(theta)
            return mp.sin(omega * t) * mp.sin(theta) ** (dim - 2) * mp.gegenbauer(degree, half - 1, t)

        zeros = [mp.acos(mp.mpf(k) / dim**3) for k in range(dim**3, -1, -1)]
        value = scale / mp.sqrt(mp.pi) * mp.quad(integrand, zeros, method="gauss-legendre")
        return mp.nstr(value, DIGITS), None


def _harmonics(dim: int, degree: int) -> int:
    return math.comb(dim + degree - 1, degree) - (math.comb(dim + degree - 3, degree - 2) if degree > 1 else 0)


def _log_harmonics(dim: int, degree: int) -> float:
    falling = math.lgamma(degree + dim - 2) - math.lgamma(degree + 1) - math.lgamma(dim - 1)
    return math.log(2 * degree + dim - 2) + falling


def _scipy_closed(dim: int, degree: int) -> tuple[float, None]:
    omega, order = math.pi * dim**3, dim / 2 - 1
    log_scale = _log_harmonics(dim, degree) / 2 + math.lgamma(dim / 2) + order * math.log(2 / omega)
    return float((-1) ** (degree // 2) * math.exp(log_scale) * jv(degree + order, omega)), None


def _scale(dim: int, degree: int) -> float:
    """Compute twice sqrt(N_n) Z / C_n(1): what the integral of f C_n over half the interval is multiplied by."""
    top = math.lgamma(degree + dim - 2) - math.lgamma(degree + 1) - math.lgamma(dim - 2)
    density = math.lgamma(dim / 2) - math.lgamma((dim - 1) / 2) - math.log(math.pi) / 2
    return 2 * math.exp(_log_harmonics(dim, degree) / 2 - top + density)


def _scipy_quad(dim: int, degree: int, limit: int) -> tuple[float, float]:
    scale, omega, order = _scale(dim, degree), math.pi * dim**3, dim / 2 - 1

    def integrand(theta: float) -> float:
        t = math.cos(theta)
        return scale * math.sin(omega * t) * math.sin(theta) ** (dim - 2) * float(eval_gegenbauer(degree, order, t))

    value, error = quad(integrand, 0, math.pi / 2, limit=limit)
    return float(value), float(error)


def _scipy_sine_quad(dim: int, degree: int) -> tuple[float, float]:
    scale, order = _scale(dim, degree), dim / 2 - 1

    def integrand(t: float) -> float:
        return scale * (1 - t * t) ** ((dim - 3) / 2) * float(eval_gegenbauer(degree, order, t))

    value, error = quad(integrand, 0, 1, weight="sin", wvar=math.pi * dim**3, limit=1000)
    return float(value), float(error)


def _list(dim: int, last: int) -> dict[str, Any]:
    """Measure all odd degrees up to one: ours shares the work, the others start again for each."""
    degrees = range(1, last + 1, 2)
    ours = timed(lambda: gegenbauer_coefficients(PROFILE, dim, degrees), 3)
    floats = timed(lambda: {degree: _scipy_closed(dim, degree)[0] for degree in degrees}, 3)
    errors = [abs(arb(floats.result[n]) - alpha) / abs(alpha) for n, alpha in ours.result.items()]
    worst = max((error.upper() for error in errors), key=float)
    return {
        "dim": dim, "last_degree": last, "depthsep": ours.cost(), "scipy closed form": floats.cost(),
        "worst_relative_error": _written(worst),
    }  # fmt: skip


def _floor(dim: int, radius: str, units: int) -> dict[str, Any]:
    ours = timed(lambda: tubes_floor(f"indicator(s <= {radius})", dim, units), 1)
    numerator, _, denominator = radius.partition("/")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        other = timed(partial(_float_floor, dim, int(numerator) / int(denominator or 1), units))
    value, claimed = other.result
    return {
        "dim": dim, "radius": radius, "units": units, "floor": str(ours.result.error_floor),
        "verdict": ours.result.verdict.status.name, "depthsep": ours.cost(),
        "scipy quad": {**other.cost(), "floor": value, "claimed_error": claimed, "warned": bool(caught)},
    }  # fmt: skip


def _float_floor(dim: int, radius: float, units: int) -> tuple[float, float]:
    """Take int min(1, r tau) dm from the whole mass; the share tau falls like k^{1-d}, so this integral ends early."""
    order = dim / 2
    mass, mass_error = quad(lambda s: dim * jv(order, s) ** 2 / s, 0, radius)

    def density(k: float) -> float:
        inner = quad(lambda s: jv(order, s) * jv(order - 1, k * s), 0, radius, limit=_MANY)[0]
        return float(dim * k * inner**2)

    def covered(k: float) -> float:
        return float(units * betainc((dim - 1) / 2, 0.5, 1 / (k * k))) * density(k)

    full, faint = (1 / math.sqrt(betaincinv((dim - 1) / 2, 0.5, share / units)) for share in (1, 1e-7))
    low, low_error = quad(density, 0, full, limit=200)
    high, high_error = quad(covered, full, faint, limit=1000)
    floor = math.sqrt(mass - low - high)
    return floor, (mass_error + low_error + high_error) / (2 * floor)


# ------------------------------------------------------------------------------------------------------------------
# Tables


def tables(result: dict[str, Any]) -> str:
    """Print times, then errors, then the floors."""
    names = list(dict.fromkeys(m["method"] for row in result["rows"] for m in row["methods"]))
    times, errors = [], []
    for row in result["rows"]:
        found = {method["method"]: method for method in row["methods"]}
        start = [str(row["dim"]), str(row["degree"])]
        times.append([*start, *(_time(found.get(name), found["depthsep"]["cpu_s"]) for name in names)])
        errors.append([*start, row["value"], *(_error(found.get(name)) for name in names)])
    header = ["d", "n", *names]
    lines = [f"Coefficients of {result['function']}: CPU time (times ours)", "", table(header, times)]
    lines += ["", "Relative error", "", table([*header[:2], "alpha_n", *names], errors), "", _list_line(result["list"])]
    if result["skipped"]:
        lines += ["", "mpmath: " + result["skipped"]]
    return "\n".join([*lines, "", _floor_table(result["floors"])])


def _time(method: dict[str, Any] | None, ours: float) -> str:
    if method is None:
        return "not tried"
    if "cpu_s" not in method:
        return f"over {LIMIT_S:.0f} s"
    return seconds(method["cpu_s"]) + ("" if method["method"] == "depthsep" else f" ({_times(method['cpu_s'], ours)})")


def _times(other: float, ours: float) -> str:
    return ratio(other, ours) if other > ours / 1000 else f"{other / ours:.0e}"


def _error(method: dict[str, Any] | None) -> str:
    if method is None or "cpu_s" not in method:
        return ""
    outcome = method.get("outcome", "proved")
    if outcome == "wrong without a sign":
        outcome = f"**no sign, {method['error_over_claimed']} times its estimate**"
    if outcome == "0 without a sign":
        return "**0, no sign**"
    short = {"right": "", "inside its own error estimate": ", in its estimate", "proved": ", proved"}
    return method["relative_error"] + short.get(outcome, f", {outcome}")


def _list_line(measured: dict[str, Any]) -> str:
    ours, floats = (measured[name]["cpu_s"] for name in ("depthsep", "scipy closed form"))
    worst = measured["worst_relative_error"]
    return (
        f"All odd degrees up to {measured['last_degree']} at d = {measured['dim']}: depthsep {seconds(ours)}, scipy "
        f"closed form {seconds(floats)} ({_times(floats, ours)}), worst relative error {worst}"
    )


def _floor_table(floors: list[dict[str, Any]]) -> str:
    rows = []
    for row in floors:
        other = row["scipy quad"]
        numerator, denominator = map(int, row["floor"].split("/"))
        ours, theirs = row["depthsep"]["cpu_s"], other["cpu_s"]
        sign = "warned" if other["warned"] else f"estimate {other['claimed_error']:.0e}"
        rows.append([
            str(row["dim"]), f"s <= {row['radius']}", f"{row['units']:,}", f"{numerator / denominator:.8f}",
            f"{other['floor']:.8f} ({sign})", seconds(ours), f"{seconds(theirs)} ({_times(theirs, ours)})",
        ])  # fmt: skip
    header = ["d", "indicator", "units", "floor, proved", "scipy quad", "depthsep time", "scipy time (times ours)"]
    return table(header, rows)


def main() -> None:
    """Measure, write the result file, print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coefficients")
    parser.add_argument("--show", action="store_true", help="print the stored results again and measure nothing")
    if not parser.parse_args().show:
        surroundings = environment()
        if skip_line(["mpmath"], "") is None:
            surroundings["mpmath"] = version("mpmath")
        RESULT.write_text(json.dumps({"environment": surroundings, **run()}, indent=1) + "\n")
    print(tables(json.loads(RESULT.read_text())))


if __name__ == "__main__":
    main()
