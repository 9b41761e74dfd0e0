"""Folded networks for tests: documents made by hand, and the layers written out in Fractions from the definition.

Nothing is shared with the checker or the library.
"""

import itertools
import math
from fractions import Fraction
from typing import Any

Obj = dict[str, Any]
Row = dict[int, Fraction]

DOMAINS = {"norm": "unit-ball", "sphere-pair": "sphere-pairs", "ball-pair": "ball-pairs"}


def w(value: Fraction | int | float) -> str:
    """A weight, exactly."""
    assert Fraction(float(value)) == value
    return float(value).hex()


def of(text: str) -> Fraction:
    """The number of a weight."""
    return Fraction(float.fromhex(text))


# ------------------------------------------------------------------------------------------------------------------
# Documents made by hand: f is a sinusoid with z* = 8 sigma + 3/2, or z* = 4 t + 11/2 on pairs of the ball


def knots(factor: int, steps: int, top: int) -> Obj:
    """The tangents to factor t^2 at j/steps: below it, by factor/(4 steps^2) at most."""
    thresholds = [Fraction(2 * j - 1, 2 * steps) for j in range(1, top + 1)]
    return {
        "kind": "knots",
        "thresholds": [w(t) for t in thresholds],
        "weights": [w(Fraction(2 * factor, steps))] * top,
    }


def folds(factor: int, radices: list[int], gain: Fraction) -> Obj:
    scale = float(factor / (math.prod(radices) ** 2 * gain**2))
    return {"kind": "folds", "gain": w(gain), "radices": radices, "scale": w(scale)}


def profile(repeats: int) -> Obj:
    return {
        "bias": w(0.875),
        "thresholds": [w(0.125), w(0.875)],
        "sides": ["right", "right"],
        "weights": [w(-2.25), w(2.25)],
        "repeats": repeats,
    }


def periodic(reads: str, squares: str, repeats: int, radices: list[int], error: str = "1/3") -> Obj:
    factor = 4 if reads == "ball-pair" else 8
    if squares == "knots":
        made, witness = knots(factor, 16, 17), {"factor": w(factor), "upper_slopes": [w(0)], "lower_slopes": [w(0)]}
    else:
        made = folds(factor, [6, 8] if squares == "deep folds" else [30], Fraction(15, 16))
        witness = {"factor": w(1), "upper_slopes": [], "lower_slopes": []}
    depth = len(made.get("radices", [1])) + len(radices) + 1
    return {
        "format": "depthsep",
        "version": 1,
        "made_by": "tests",
        **_about(reads, {"norm": "sin(8*pi*r^2)"}.get(reads, "sin(4*pi*t)"), error),
        "network": {
            "kind": "folded",
            "activation": "relu",
            "dim": 2,
            "reads": reads,
            "squares": made,
            "phase": {"shift": w(5.5 if reads == "ball-pair" else 1.5), "radices": radices},
            "profile": profile(repeats),
            "scaling": {"exponents": [0] * depth, "copies": 1},
        },
        "witness": {"kind": "support-lines", **witness},
    }


def _about(reads: str, expression: str, error: str) -> Obj:
    domain = DOMAINS[reads]
    function = {"kind": "radial", "expression": expression}
    if reads != "norm":
        function = {"kind": "inner-product", "expression": expression, "domain": domain}
    claim = {"kind": "folded-error", "dim": 2, "domain": domain, "arithmetic": "real", "error": error}
    return {"function": function, "claim": {**claim, "norm_slack": "0", "max_weight": None}}


def general(reads: str, squares: str = "knots") -> Obj:
    """The profile |z - 1/2|-like of a function with a kink, without folds."""
    obj = periodic(reads, squares, 1, [])
    expression = "abs(r^2 - 1/2)" if reads == "norm" else "abs(t)" if reads == "ball-pair" else "abs(t)/2"
    obj.update(_about(reads, expression, "1/10"))
    middle = 0 if reads == "ball-pair" else Fraction(1, 2)
    obj["network"]["phase"]["shift"] = w(0)
    if squares == "knots":
        obj["network"]["squares"] = knots(1, 16, 17)
        obj["witness"]["factor"] = w(1)
    else:
        obj["network"]["squares"] = folds(1, [30], Fraction(15, 16))
    obj["network"]["profile"] = {
        "bias": w(0),
        "thresholds": [w(middle), w(middle)],
        "sides": ["left", "right"],
        "weights": [w(1), w(1)],
        "repeats": 1,
    }
    return obj


# ------------------------------------------------------------------------------------------------------------------
# The layers written out, in Fractions


class Flat:
    """The layers of a NETWORK object, unit by unit, from the definition."""

    def __init__(self, network: Obj) -> None:
        self.layers: list[list[tuple[Row, Fraction]]] = []
        self.exponents = [Fraction(2) ** e for e in network["scaling"]["exponents"]]
        q = self._squares(network)
        count = network["profile"]["repeats"] * math.prod(network["phase"]["radices"])
        z, shift = q, of(network["phase"]["shift"])
        for radix in network["phase"]["radices"]:
            count //= radix
            self.layers.append([(z, shift - j * count) for j in range(radix)])
            z, shift = {j: Fraction(-1) ** j * (2 if j else 1) for j in range(radix)}, Fraction(0)
        made = network["profile"]
        last, output = [], {}
        for copy_index in range(made["repeats"]):
            for threshold, side, weight in zip(made["thresholds"], made["sides"], made["weights"], strict=True):
                at = copy_index + of(threshold) if copy_index % 2 == 0 else copy_index + 1 - of(threshold)
                sign = 1 if side == "right" else -1
                for _ in range(network["scaling"]["copies"]):
                    output[len(last)] = of(weight)
                    last.append(({i: sign * c for i, c in z.items()}, sign * (shift - at)))
        self.layers.append(last)
        self._scale(output, of(made["bias"]), network["scaling"]["copies"])

    def _squares(self, network: Obj) -> Row:
        dim, reads, squares = network["dim"], network["reads"], network["squares"]
        if reads == "norm":
            rows = [(1, {i: Fraction(1)}) for i in range(dim)]
        else:
            rows = [(1, {i: Fraction(1, 2), dim + i: Fraction(1, 2)}) for i in range(dim)]
        if reads == "ball-pair":
            rows += [(-1, {i: Fraction(1, 2), dim + i: Fraction(-1, 2)}) for i in range(dim)]
        return self._knots(rows, squares) if squares["kind"] == "knots" else self._folds(rows, squares)

    def _knots(self, rows: list[tuple[int, Row]], squares: Obj) -> Row:
        layer, q = [], {}
        for sign, row in rows:
            for threshold, weight in zip(squares["thresholds"], squares["weights"], strict=True):
                for mirror in (1, -1):
                    q[len(layer)] = sign * of(weight)
                    layer.append(({i: mirror * c for i, c in row.items()}, -of(threshold)))
        self.layers.append(layer)
        return q

    def _folds(self, rows: list[tuple[int, Row]], squares: Obj) -> Row:
        gain, radices, scale = of(squares["gain"]), squares["radices"], of(squares["scale"])
        signs = sorted({sign for sign, _ in rows}, reverse=True)
        layer, units = [], []
        for _, row in rows:
            mine = []
            for mirror, j in itertools.product((1, -1), range(radices[0])):
                mine.append((len(layer), j))
                layer.append(({i: mirror * c * radices[0] * gain for i, c in row.items()}, Fraction(-j)))
            units.append(mine)
        self.layers.append(layer)
        sums: dict[int, Row] = {sign: {} for sign in signs}
        for level, radix in enumerate(radices[1:], 1):
            weight = math.prod(r**2 for r in radices[level:])
            for (sign, _), mine in zip(rows, units, strict=True):
                sums[sign] |= {i: Fraction(4 * weight if j % 2 else 0) for i, j in mine}
            layer, following = [], []
            for mine in units:
                v = {i: Fraction(-1) ** j * (2 if j else 1) for i, j in mine}
                following.append([(len(layer) + j, j) for j in range(radix)])
                layer += [({i: radix * c for i, c in v.items()}, Fraction(-j)) for j in range(radix)]
            carried = {sign: len(layer) + k for k, sign in enumerate(signs)}
            layer += [(sums[sign], Fraction(0)) for sign in signs]
            self.layers.append(layer)
            units, sums = following, {sign: {carried[sign]: Fraction(1)} for sign in signs}
        q = {i: sign * scale * c for sign in signs for i, c in sums[sign].items()}
        for (sign, _), mine in zip(rows, units, strict=True):
            q |= {i: sign * scale * (2 if j else 1) for i, j in mine}
        return q

    def _scale(self, output: Row, bias: Fraction, copies: int) -> None:
        before = Fraction(1)
        for index, factor in enumerate(self.exponents):
            layer = self.layers[index]
            self.layers[index] = [({i: c * factor / before for i, c in row.items()}, b * factor) for row, b in layer]
            before = factor
        self.output = {i: c / before / copies for i, c in output.items()}
        self.bias = bias

    @property
    def widths(self) -> tuple[int, ...]:
        return tuple(map(len, self.layers))

    @property
    def largest(self) -> Fraction:
        numbers = [self.bias, *self.output.values()]
        numbers += [n for layer in self.layers for row, b in layer for n in (b, *row.values())]
        return max(map(abs, numbers))

    def at(self, x: list[Fraction]) -> Fraction:
        values = x
        for layer in self.layers:
            values = [max(Fraction(0), b + sum(c * values[i] for i, c in row.items() if c)) for row, b in layer]
        return self.bias + sum(c * values[i] for i, c in self.output.items())
