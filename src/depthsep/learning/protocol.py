"""The protocol of an experiment: every choice in one place, each with its provenance.

    paper            Safran and Lee (2022) say so, as far as their text was at hand: its abstract
    natural reading  what the text leaves open, read in the plainest way
    derived          chosen or derived here; the paper is not known to do this

Not recovered, so nothing here claims to be theirs: the assumptions on the law and the activation, the laws of the
hidden weights and biases, the width, the step, the number of steps and of examples.

The digest of a protocol is that of all that determines the results of one seed: its canonical JSON, sorted keys, with
the version of depthsep; which seeds and baselines are run does not change it, so that more of them can be added.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from depthsep._version import __version__
from depthsep.errors import BadInput
from depthsep.learning.baselines import FEATURES, TRAINED, TuningBudget, baseline_shape, refuse_infinite_risk
from depthsep.learning.descent import Run
from depthsep.learning.features import HiddenLayer
from depthsep.learning.laws import BallTarget, RadialLaw, parse_law

if TYPE_CHECKING:
    from depthsep.learning.no_separation import Setting

__all__ = ["PAPER_READINGS", "Protocol", "Provenance", "read_values"]

Provenance = Literal["paper", "natural reading", "derived"]

_UNITS_PER_DIMENSION = 20
_NARROWEST = 100
_LEAST_POINTS, _POINTS_PER_UNIT = 20_000, 20
_NOT_OF_A_SEED = ("seed", "seeds", "baselines")

# What the paper, or its plain reading, fixes; every other value is ours. The first two are in no field: all of this
# package's experiments are like that.
PAPER_READINGS: dict[str, tuple[Provenance, str]] = {
    "target": ("paper", "the indicator of a ball, labels 0 and 1; a radial law of the points"),
    "training": ("paper", "the hidden layer is random and fixed, the output neuron is trained"),
    "law": ("natural reading", "one of the radial laws; which further assumptions they make was not at hand"),
    "hidden": ("natural reading", "independent neurons, weights uniform on a sphere and biases on an interval"),
    "loss": ("natural reading", "the square loss"),
    "optimizer": ("paper", "gradient descent; the step and the number of steps were not at hand"),
}
_READING_HOLDS = {"hidden": "iid", "loss": "square", "optimizer": "gd"}


@dataclass(frozen=True)
class Protocol:
    """What is trained on what, for how long, against what.

    Args:
        law: The law of the points, as `parse_law` reads it.
        dim: The dimension d.
        quantile: The probability of the ball that is learnt.
        radius: Its radius, instead of the quantile.
        width: The hidden units r; None for 20 d, at least 100.
        hidden: "iid", "orthogonal" or "antithetic".
        scale: The norm of the hidden weights, where the median norm of x is sqrt(d).
        bias_range: B; the hidden biases are uniform on [-B, B].
        loss: "logistic" or "square".
        optimizer: "adam", "nesterov" or "gd", full batch.
        step: The step; None for the optimizer's own, see `descent.Run`.
        steps: The number of updates T.
        train_points: Training points; None for 20 r, at least 20000.
        test_points: Fresh points on which errors are estimated.
        seed: The first seed.
        seeds: How many seeds are run, one after the other: seed, seed + 1, ...
        baselines: Some of "features", "relu", "sigmoid", "deep-relu".
        tuning_rates: The rates tried for every trained baseline.
        tuning_steps: The updates at each rate.
        tuning_batch: Fresh examples for each of them.

    Raises:
        BadInput: A name is not known, a number is out of its range, or a baseline has infinite risk under the law.

    Example:
        >>> protocol = Protocol("gaussian", 20)
        >>> protocol.width, protocol.train_points, protocol.provenance["hidden"], protocol.provenance["optimizer"]
        (400, 20000, 'natural reading', 'derived')
        >>> Protocol("gaussian", 20, seeds=16).digest == protocol.digest == Protocol("gaussian", 20, width=400).digest
        True
        >>> Protocol("bessel", 20, baselines=("relu",))
        Traceback (most recent call last):
        ...
        depthsep.errors.BadInput: the baseline 'relu' on the Eldan-Shamir (Bessel) law in dimension 20
          found:  a ReLU network with linear output grows like ||x||, and E ||x||^2 is infinite (tail index 1)
          needed: a network of finite risk, or a law of lighter tails
          do:     take the baselines sigmoid and features
    """

    law: str
    dim: int
    quantile: float = 0.5
    radius: float | None = None
    width: int | None = None
    hidden: str = "iid"
    scale: float = 0.5
    bias_range: float = 2.0
    loss: str = "logistic"
    optimizer: str = "adam"
    step: float | None = None
    steps: int = 300
    train_points: int | None = None
    test_points: int = 20_000
    seed: int = 0
    seeds: int = 8
    baselines: tuple[str, ...] = (FEATURES,)
    tuning_rates: tuple[float, ...] = TuningBudget.rates
    tuning_steps: int = TuningBudget.steps
    tuning_batch: int = TuningBudget.batch

    def __post_init__(self) -> None:
        """Fill in what follows from the rest; refuse what cannot be run."""
        if self.width is None:
            object.__setattr__(self, "width", max(_UNITS_PER_DIMENSION * self.dim, _NARROWEST))
        if self.train_points is None:
            object.__setattr__(self, "train_points", max(_LEAST_POINTS, _POINTS_PER_UNIT * self.units))
        for name in ("baselines", "tuning_rates"):
            object.__setattr__(self, name, tuple(dict.fromkeys(getattr(self, name))))
        for name, least in _LEAST.items():
            if getattr(self, name) < least:
                raise BadInput(f"a protocol with {name} = {getattr(self, name)}", needed=f"{name} >= {least}")
        target = self.target
        HiddenLayer.for_law(target.law, self.units, kind=self.hidden, scale=self.scale, bias_range=self.bias_range)
        Run(self.loss, self.optimizer, self.step)
        self._refuse_baselines(target.law)

    def _refuse_baselines(self, law: RadialLaw) -> None:
        for name in self.baselines:
            if name not in (FEATURES, *TRAINED):
                near = difflib.get_close_matches(name, (FEATURES, *TRAINED), n=1)
                needed = f"some of {', '.join((FEATURES, *TRAINED))}"
                raise BadInput(f"the baseline {name!r}", needed=needed, do=f"did you mean {near[0]}?" if near else "")
            if name != FEATURES:
                refuse_infinite_risk(name, baseline_shape(name, self.units), law)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], source: str = "a protocol") -> Protocol:
        """Read plain data, such as a TOML file has.

        Raises:
            BadInput: A name is not a field, a value has the wrong type, or `law` or `dim` is missing.

        Example:
            >>> Protocol.from_mapping({"law": "gaussian", "dim": 20, "quantil": 0.3})
            Traceback (most recent call last):
            ...
            depthsep.errors.BadInput: a protocol
              found:  no field 'quantil'
              needed: fields of a protocol
              do:     did you mean quantile?
        """
        names = [field.name for field in fields(cls)]
        for name, value in values.items():
            if name not in names:
                near = difflib.get_close_matches(name, names, n=1)
                hint = f"did you mean {near[0]}?" if near else "choose from " + ", ".join(names)
                raise BadInput(source, found=f"no field {name!r}", needed="fields of a protocol", do=hint)
            _require_type(source, name, value)
        missing = [name for name in ("law", "dim") if name not in values]
        if missing:
            raise BadInput(source, found=f"no {' and no '.join(missing)}", needed="a law and a dimension")
        return cls(**values)

    @classmethod
    def of_setting(cls, setting: Setting, **options: Any) -> Protocol:
        """The protocol of a setting without separation.

        Args:
            setting: The setting.
            options: Other fields, such as `seeds`.
        """
        law = setting.law
        return cls(law.name, law.dim, width=setting.width, steps=setting.steps, **options)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Protocol:
        """Read a protocol from a .toml file, or from the protocol.json of an earlier run.

        Raises:
            BadInput: The file cannot be read, or is no protocol.
        """
        return cls.from_mapping(read_values(path), f"the protocol {path}")

    @property
    def units(self) -> int:
        """The width, as a number."""
        return int(self.width or 0)

    @property
    def points(self) -> int:
        """The number of training points, as a number."""
        return int(self.train_points or 0)

    @property
    def target(self) -> BallTarget:
        """The ball that is learnt, with its law."""
        return BallTarget(parse_law(self.law, self.dim), self.quantile, radius=self.radius)

    @property
    def budget(self) -> TuningBudget:
        """What every trained baseline may spend."""
        return TuningBudget(self.tuning_rates, self.tuning_steps, self.tuning_batch)

    @property
    def all_seeds(self) -> range:
        """The seeds that are run."""
        return range(self.seed, self.seed + self.seeds)

    @property
    def provenance(self) -> dict[str, Provenance]:
        """Where each field comes from; it depends on the value, as what leaves the plain reading is ours."""
        return {field.name: self._provenance(field.name) for field in fields(self)}

    def _provenance(self, name: str) -> Provenance:
        if name not in PAPER_READINGS or getattr(self, name) != _READING_HOLDS.get(name, getattr(self, name)):
            return "derived"
        return PAPER_READINGS[name][0]

    @property
    def digest(self) -> str:
        """SHA-256 of all that determines the results of one seed, in hexadecimal."""
        values = {name: value for name, value in asdict(self).items() if name not in _NOT_OF_A_SEED}
        values["law"] = self.target.law.spec()
        canonical = json.dumps({"depthsep": __version__, **values}, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode("ascii")).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """The digest, the fields, their provenance, and what is read from the paper, as plain data."""
        readings = {name: {"provenance": kind, "reading": text} for name, (kind, text) in PAPER_READINGS.items()}
        return {"digest": self.digest, "fields": asdict(self), "provenance": self.provenance, "readings": readings}


_LEAST = {"dim": 2, "width": 1, "steps": 1, "train_points": 2, "test_points": 2, "seed": 0, "seeds": 1,
          "tuning_steps": 1, "tuning_batch": 1}  # fmt: skip


def read_values(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the fields of a protocol from a .toml file, or from a protocol.json.

    Raises:
        BadInput: The file cannot be read or is neither.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        if Path(path).suffix == ".json":
            values = json.loads(text)["fields"]
            return {name: value for name, value in values.items() if value is not None}
        return tomllib.loads(text)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        needed = "a .toml file of fields, or the protocol.json of an earlier run"
        raise BadInput(f"the protocol {path}", found=str(error), needed=needed) from None


_WHOLE = {"dim", "width", "steps", "train_points", "test_points", "seed", "seeds", "tuning_steps", "tuning_batch"}
_TEXT = {"law", "hidden", "loss", "optimizer"}


def _require_type(source: str, name: str, value: Any) -> None:
    """Refuse a value that no field of this name can have; ranges are seen to later."""
    if name in ("baselines", "tuning_rates"):
        kind = str if name == "baselines" else (int, float)
        good = isinstance(value, Iterable) and not isinstance(value, str) and all(isinstance(v, kind) for v in value)
        needed = "a list of names" if name == "baselines" else "a list of numbers"
    elif name in _TEXT:
        good, needed = isinstance(value, str), "a text"
    elif name in _WHOLE:
        good, needed = isinstance(value, int) and not isinstance(value, bool), "a whole number"
    else:
        good, needed = isinstance(value, int | float) and not isinstance(value, bool), "a number"
    if not good:
        raise BadInput(f"{source}: {name}", found=f"{value!r}", needed=needed)
