"""An independent judge of claims: networks by attack, lower bounds by their theorems in ordinary floating point.

It says yes to every true claim and, within rounding, no to claims that the theorem does not give. Its formulas are
written anew from the statements of the theorems; integrals and sums are dense grids, no balls and no exact numbers.
"""

import math
from fractions import Fraction
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from depthsep.activations import activation
from depthsep.networks import network_from_json
from depthsep.own_activations import activation_in_document

Array = NDArray[np.float64]
Obj = dict[str, Any]

SLACK = 1e-8  # relative, of the floating point below


class Judge:
    """Decides whether what a document claims is true.

    Args:
        attack: the module of the attacks on networks, tests/attack/attack.py.
        folded: the module of the layers of folded networks, tests/mutation/folded_layers.py.
    """

    def __init__(self, attack: ModuleType, folded: ModuleType) -> None:
        self.attack = attack
        self.folded = folded

    def holds(self, document: Obj) -> bool:
        """Whether the claim is true, as far as attacks or the theorem in floats can tell."""
        rule = {
            "sup-error": self._sup_error,
            "crossings": self._crossings,
            "degrees": self._degrees,
            "folded-error": self._folded_error,
            "gaussian-floor": self._gaussian_floor,
            "moment-limit": self._moment_limit,
            "radial-dual": self._radial_dual,
            "random-directions": self._random_directions,
            "random-frames": self._random_frames,
            "smooth-error": self._smooth_error,
            "tubes": self._tubes,
            "univariate": self._univariate,
            "width-lower": self._cells if document["witness"]["kind"] == "cells" else self._rank,
        }
        return bool(rule[document["claim"]["kind"]](document, document["claim"], document["witness"]))

    def _profile(self, document: Obj, points: Array) -> Array:
        return np.asarray(self.attack.profile(document["function"]["expression"], points, document["claim"]["dim"]))

    def _sup_error(self, document: Obj, claim: Obj, witness: Obj) -> bool:
        unit = document["network"]["activation"]
        own = activation_in_document(unit) if isinstance(unit, dict) else None
        rounding = network_from_json(document["network"], own).flat_rounding_error_upper
        allowed = Fraction(claim["error"]) + (Fraction(1, 10**10) if rounding is None else rounding)
        return self.attack.attack(document, rounds=8, starts=4).error <= allowed + self.attack.TARGET_ROUNDING

    def _rank(self, document: Obj, claim: Obj, witness: Obj) -> bool:
        if document["function"]["kind"] == "ball-indicator":
            variation = 1.0
        else:
            variation = np.ptp(self._profile(document, np.linspace(0, 1, 1001)))
        return variation > 2 * Fraction(claim["eps"]) and claim["width"] <= claim["dim"]

    def _cells(self, document: Obj, claim: Obj, witness: Obj) -> bool:
        """With D measured from below on a grid in s, so that a true claim is never denied."""
        values = self._profile(document, np.sqrt(np.linspace(0, 1, 1001)))
        dim, k, eps = claim["dim"], claim["second_layer_width"], Fraction(claim["eps"])
        longest = max(_steps_within(values[start:], 2 * float(eps)) for start in range(len(values))) / 1000
        half = (dim - k) / 2
        volumes = math.lgamma(k / 2 + 1) + math.lgamma(half + 1) - math.lgamma(dim / 2 + 1)
        cells = sum(math.comb(claim["width"] - 1, i) for i in range(dim + 1))
        return math.log(cells) < volumes - half * math.log(longest)

    def _crossings(self, document: Obj, claim: Obj, witness: Obj) -> bool:
        points, eps = np.array(witness["indices"]) / witness["grid"], float(Fraction(claim["eps"]))
        ball = claim["domain"] == "unit-ball"
        values = self._profile(document, np.abs(points) if ball else points)
        if witness["kind"] == "alternation":
            values = values - float(Fraction(witness["level"]))
            proved = (np.abs(values) > eps).all() and (values[1:] * values[:-1] < 0).all()
            count = (2 if ball else 1) * (len(points) - 1)
        else:
            (a, b, c), (fa, fb, fc) = ((x[:-2:2], x[1:-1:2], x[2::2]) for x in (points, values))
            proved = (np.abs(fc * (b - a) + fa * (c - b) - fb * (c - a)) > 2 * (c - a) * eps).all()
            count = len(points) // 2 + 1
        breaks = (claim["activation_pieces"] - 1) * (claim["width"] - 1)
        layers = claim["depth"] - 1
        capacity = (breaks + 1) ** layers if ball else breaks * (2 * breaks + 1) ** (layers - 1)
        return proved and capacity < claim["product"] <= count

    def _degrees(self, document: Obj, claim: Obj, witness: Obj) -> bool:
        """Bessel over the first 120 degrees, which is at least what any of the listed ones give."""
        dim, kind, constant = claim["dim"], claim["activation"]["class"], Fraction(claim["activation"]["constant"])
        path_norm, width = (claim[key]["mantissa"] * 2.0 ** claim[key]["exponent"] for key in ("path_norm", "width"))
        i = np.arange(1, 121)
        counts = (2 * i + dim - 2) / (dim - 2) * special.binom(i + dim - 3, i)
        nodes, weights = special.roots_gegenbauer(400, dim / 2 - 1)
        values = self._profile(document, nodes) * weights / weights.sum()
        polynomials = special.eval_gegenbauer(i[:, None], dim / 2 - 1, nodes) / special.binom(i + dim - 3, i)[:, None]
        energies = np.abs(np.sqrt(counts) * (polynomials @ values))
        dirichlet = math.sqrt((dim - 1) / dim) / np.sqrt(counts * i * (i + dim - 2))
        gammas = 2 * special.gammaln(dim / 2) - 2 * special.gammaln((dim + 1) / 2) + special.gammaln(dim)
        kappa = np.exp(gammas + special.gammaln(i - 0.5) - special.gammaln(i + dim - 0.5)) / (4 * math.pi)
        seen = {
            "derivative-variation": np.minimum(np.sqrt(counts) * kappa, dirichlet / 2),
            "lipschitz": dirichlet,
            "variation": (2 * i + dim - 2) / (2 * math.pi * i * (i + dim - 2) * np.sqrt(counts)),
        }[kind] * float(constant)
        error = (np.maximum(0, energies - path_norm * seen) ** 2).sum()
        bound = Fraction(claim["weights"]["bound"])
        most = bound**2 * Fraction(dim**0.5) if claim["weights"]["kind"] == "entries" and kind != "variation" else bound
        return error > float(Fraction(claim["eps"])) ** 2 * (1 - SLACK) and (width - 1) * most <= path_norm * (
            1 + SLACK
        )

    def _folded_error(self, document: Obj, claim: Obj, witness: Obj) -> bool:
        """The layers written out, at points of all norms that the domain allows; the largest weight exactly."""
        flat = self.folded.Flat(document["network"])
        if claim["max_weight"] is not None and flat.largest > Fraction(claim["max_weight"]):
            return False
        x, y = _pairs(claim["dim"], claim["domain"], float(Fraction(claim["norm_slack"])))
        ball = claim["domain"] == "unit-ball"
        variable = np.sqrt((x * x).sum(axis=1)) if ball else (x * y).sum(axis=1)
        values = x.T if ball else np.concatenate([x, y], axis=1).T
        for layer in flat.layers:
            rows = np.array([[float(row.get(i, 0)) for i in range(len(values))] for row, _ in layer])
            values = np.maximum(0, rows @ values + np.array([[float(bias)] for _, bias in layer]))
        output = np.array([float(flat.output[i]) for i in range(len(values))]) @ values + float(flat.bias)
        off = np.abs(output - self._profile(document, variable)).max()
        return bool(off <= float(Fraction(claim["error"])) * (1 + SLACK) + 1e-9)

    def _smooth_error(self, document: Obj, claim: Obj, witness: Obj) -> bool:
        """In balls, along axes, diagonals and random directions."""
        dim, rng = claim["dim"], np.random.default_rng(4)
        if network_from_json(document["network"]).dim != dim:
            return False
        rays = np.concatenate((np.eye(dim), -np.eye(dim), np.ones((1, dim)), rng.standard_normal((4, dim))))
        rays /= np.sqrt((rays * rays).sum(axis=1, keepdims=True))
        points = (np.linspace(0, 1, 41)[:, None, None] * rays).reshape(-1, dim)
        network = network_from_json(document["network"])
        values = np.array([float(network.evaluate_exact([Fraction(x) for x in row])) for row in points.tolist()])
        off = np.abs(values - self._profile(document, np.sqrt((points * points).sum(axis=1)))).max()
        return bool(off <= float(Fraction(claim["error"])) * (1 + SLACK) + 1e-9)

    def _gaussian_floor(self, document: Obj, claim: Obj, witness: Obj) -> bool:
        dim, width, radius, m = claim["dim"], claim["width"], document["function"]["radius"], np.arange(1, 301)
        a = dim / 2
        u = special.gammaincinv(a, 0.5) if radius == "median" else float(Fraction(radius)) ** 2 / 2
        norms = special.gammaln(m + a) - special.gammaln(a) - special.gammaln(m + 1)
        density = math.exp(a * math.log(u) - u - math.lgamma(a))
        energies = (density * special.eval_genlaguerre(m - 1, a, u) / m) ** 2 * np.exp(-norms)
        tails = np.array([_tail_share(dim, int(degree), width) for degree in m])
        inside = special.gammainc(a, u)
        floor = energies @ tails + max(0.0, inside * (1 - inside) - energies.sum())
        return float(Fraction(claim["error_floor"])) <= floor * (1 + SLACK)

    def _moment_limit(self, document: Obj, claim: Obj, witness: Obj) -> bool:
        """By the nearest even polynomial on a grid that contains the radii of the witness; it errs less there."""
        radii = np.union1d(np.linspace(0, 1, 401), [float(Fraction(r)) for r in witness["radii"]])
        values, k = self._profile(document, radii), claim["degree"] // 2
        basis = np.polynomial.chebyshev.chebvander(2 * radii**2 - 1, k)
        ones = np.ones((len(radii), 1))
        rows = np.vstack([np.hstack([basis, -ones]), np.hstack([-basis, -ones])])
        cost, bounds = np.append(np.zeros(k + 1), 1.0), [(None, None)] * (k + 2)
        nearest = optimize.linprog(cost, rows, np.concatenate([values, -values]), bounds=bounds)
        return float(Fraction(claim["limit"])) <= nearest.fun * (1 + 1e-5) + 1e-7

    def _radial_dual(self, document: Obj, claim: Obj, witness: Obj) -> bool:
        radii, masses = (np.array([float(Fraction(x)) for x in witness[key]]) for key in ("radii", "masses"))
        dim, eps = witness["dim"], Fraction(claim["eps"])
        gain = abs(masses @ self._profile(document, radii)) - float(eps) * np.abs(masses).sum()
        v, weights = special.roots_gegenbauer(400, dim / 2 - 1)
        beta = np.linspace(0, 1, 1001)
        spread = np.abs(radii[:, None, None] * v - beta[:, None]) @ (weights / weights.sum()) / 2
        path_norm = gain / (float(Fraction(claim["activation"]["constant"])) * np.abs(masses @ spread).max())
        claimed = Fraction(claim["path_norm"])
        most = Fraction(claim["weights"]["bound"]) ** 2 * Fraction(claim["dim"] ** 0.5)
        near = 1 + 1e-4  # the maximum over beta is taken on a grid
        return dim <= claim["dim"] and claimed <= path_norm * near and (claim["width"] - 1) * most <= claimed

    def _random_directions(self, document: Obj, claim: Obj, witness: Obj) -> bool:
        """With the error of the mean measured on a grid of radii instead of the one that the witness states."""
        d, count, own = claim["dim"], claim["directions"], claim["profile"]
        places, weights = ([float(Fraction(x)) for x in own[key]] for key in ("thresholds", "weights"))
        angles = (np.arange(4000) + 0.5) / 4000 * math.pi / 2
        density = np.cos(angles) ** (d - 2) / (np.cos(angles) ** (d - 2)).sum()
        radii, z = np.linspace(0, 1, 101), np.linspace(0, 1, 10_001)
        ramps = [w * np.maximum(0, radii[:, None] * np.sin(angles) - t) for w, t in zip(weights, places, strict=True)]
        mean = float(Fraction(own["bias"])) + sum(ramp @ density for ramp in ramps)
        error = np.abs(mean - self._profile(document, radii)).max()
        g = sum((w * np.maximum(0, z - t) for w, t in zip(weights, places, strict=True)), np.zeros_like(z))
        steepest, extent, y = np.abs(np.cumsum(weights)).max(initial=0), np.ptp(g), (claim["bits"] + 1) * math.log(2)
        base, variance = 2 * steepest / math.sqrt(count), min(steepest**2 * (d - 1) / (2 * d * d), extent**2 / 4)
        tail = math.sqrt(2 * y * (variance + 2 * extent * base) / count) + extent * y / (3 * count)
        return error + base + tail <= float(Fraction(claim["eps"])) * (1 + 1e-3)

    def _random_frames(self, document: Obj, claim: Obj, witness: Obj) -> bool:
        """Both probabilities with the whole integrals, on dense grids."""
        d, frames, eps = claim["dim"], claim["frames"], float(Fraction(claim["eps"]))
        s, t = float(Fraction(claim["scale"])), float(Fraction(witness["tau_low"]))
        chi, log_chi = np.geomspace(1e-6, 40 * math.sqrt(d), 4000), special.gammaln(d / 2) + (d / 2 - 1) * math.log(2)
        density = d * np.log(chi) - chi**2 / 2 - log_chi + math.log(math.log(chi[1] / chi[0]))
        spread = math.sqrt(d / math.pi) * math.exp(special.gammaln((d - 1) / 2) - special.gammaln(d / 2))
        log_c = special.gammaln(d / 2) - special.gammaln((d - 1) / 2) - math.log(math.pi) / 2
        ends = {1: math.pi / 2, -1: math.atan(1 / (2 * t * math.sqrt(d)))}
        failure = 0.0
        for side, key in ((1, "a_high"), (-1, "a_low")):
            a = float(Fraction(witness[key]))
            h = (np.arange(300) + 0.5) / 300 * ends[side]
            level = s * np.cos(h) if side == 1 else t * np.cos(h) + (1 - t * t) * spread * np.sin(h)
            moments = [special.logsumexp(density + side * a * math.sqrt(d) * m * chi) for m in level]
            integral = special.logsumexp(frames * np.array(moments) + (d - 2) * np.log(np.sin(h)))
            absolute = a * a / 2 + math.log(2) + special.log_ndtr(side * a)
            failure += math.exp(min(0.0, frames * d * absolute - integral - log_c - math.log(ends[side] / 300)))
        values = self._profile(document, np.linspace(0, 1, 1001))
        slope = values[-1] - values[0]
        cone = np.abs(values - np.linspace(values[0], values[-1], 1001)).max() <= SLACK and 2 * eps < abs(slope)
        near = cone and s * (1 - 2 * eps / abs(slope)) <= t * (1 + SLACK)
        return near and failure <= 2.0 ** -claim["bits"] * (1 + 1e-2)

    def _univariate(self, document: Obj, claim: Obj, witness: Obj) -> bool:
        """On dense points about the interval and every unit, far out, and on both sides of every jump."""
        low, high = (float(Fraction(end)) for end in claim["interval"])
        numbers = ([float.fromhex(x) for x in claim[key]] for key in ("scales", "offsets", "weights"))
        scales, offsets, weights = (np.array(column) for column in numbers)
        around = np.add.outer(offsets, np.linspace(-40, 40, 801)) / scales[:, None]
        jumps = offsets / scales
        beside = [np.nextafter(jumps, side) for side in (-np.inf, np.inf)]
        far = np.geomspace(1e-9, 1e6, 200)
        t = np.concatenate([np.linspace(low, high, 2001), around.ravel(), jumps, *beside, low - far, high + far])
        t = t[(low <= t) & (t <= high)] if claim["domain"] == "interval" else t
        arguments, s = np.multiply.outer(t, scales) - offsets, claim["activation"]
        own = isinstance(s, dict)
        values = (self.attack.profile(s["expression"], arguments, 1) if own else activation(s)(arguments)) @ weights
        values = values + float.fromhex(claim["bias"])
        wanted = self.attack.profile(document["function"]["expression"], np.clip(t, low, high), 1)
        return bool(np.abs(values - wanted).max() <= float(Fraction(claim["error"])) * (1 + SLACK) + 1e-9)

    def _tubes(self, document: Obj, claim: Obj, witness: Obj) -> bool:
        dim, width = claim["dim"], Fraction(claim["width"])
        nodes, weights = special.roots_legendre(60)
        k, steps = _on(nodes, weights, np.array([1.0, 1.5, 2, 3, 4, 6, 8, 12, 20, 40]))
        transform = np.zeros_like(k)
        for piece in document["function"]["pieces"]:
            ends = np.array([float(Fraction(piece["from"])), float(Fraction(piece["to"]))])
            s, lengths = _on(nodes, weights, np.linspace(*ends, 4))
            values = self.attack.profile(piece["expression"], s, dim) * special.jv(dim / 2, s) * lengths
            transform += special.jv(dim / 2 - 1, k[:, None] * s) @ values
        free = np.maximum(0, 1 - float(width - 1) * special.betainc((dim - 1) / 2, 0.5, k**-2.0))
        floor = math.sqrt((steps * free * dim * k * transform**2).sum())
        return float(Fraction(claim["eps"])) < floor * (1 + 1e-4) + 1e-4


def _pairs(dim: int, domain: str, slack: float) -> tuple[Array, Array]:
    """Two lists of points whose norms are those of the domain, often the largest or the smallest."""
    rng = np.random.default_rng(0)
    low, high = (1 - slack, 1 + slack) if domain == "sphere-pairs" else (0.0, 1.0)
    found = []
    for mix in (np.zeros((6000, 1)), rng.uniform(-1, 1, (6000, 1))):
        raw = rng.normal(size=(6000, dim)) * (1 - np.abs(mix)) + (mix * found[0] if found else 0)
        radius = np.clip(rng.uniform(2 * low - high, 2 * high - low, (6000, 1)), low, high)
        found.append(raw / np.sqrt((raw * raw).sum(axis=1, keepdims=True)) * radius * (1 - 1e-15))
    return found[0], found[1]


def _on(nodes: Array, weights: Array, ends: Array) -> tuple[Array, Array]:
    """Gauss-Legendre nodes and weights on consecutive intervals."""
    half = np.diff(ends)[:, None] / 2
    return (ends[:-1, None] + half * (nodes + 1)).ravel(), (half * weights).ravel()


def _steps_within(values: Array, limit: float) -> int:
    """How many steps from the first value on the variation stays within the limit."""
    variation = np.maximum.accumulate(values) - np.minimum.accumulate(values)
    return int(np.searchsorted(variation, limit * (1 - SLACK), side="right")) - 1


def _tail_share(dim: int, m: int, width: int) -> float:
    """The share of the squared eigenvalues of degree 2m beyond the `width` largest."""
    j = np.arange(m % 2, m + 1, 2)
    logs = special.gammaln(m + 1) + special.gammaln(dim / 2) - m * math.log(2)
    squares = np.exp(2 * (logs - special.gammaln((m - j) / 2 + 1) - special.gammaln((m + j + dim) / 2)))
    counts = special.binom(dim + j - 1, j) - np.where(j >= 2, special.binom(dim + j - 3, np.maximum(j - 2, 0)), 0)
    taken = np.diff(np.minimum(np.cumsum(counts), width), prepend=0)
    return float(1 - (taken * squares).sum() / (counts * squares).sum())
