"""``depthsep learn``: what gradient descent finds with two layers of nonlinearities, and one layer cannot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from depthsep.cli.terminal import (
    example,
    force_option,
    json_option,
    print_json,
    print_table,
    progress,
    refuse_unwritable,
    warn,
)

if TYPE_CHECKING:
    from depthsep.learning.experiment import Experiment
    from depthsep.learning.protocol import Protocol
    from depthsep.progress import Progress

__all__ = ["COMMANDS"]

_Command = TypeVar("_Command", bound=Callable[..., Any])

LAW_HELP = "gaussian, student:3, ball, norm:2, shells:1,2 or bessel."
BALL_COLUMNS = ("network", "mean squared error", "95% interval", "what it is")
NETS_COLUMNS = ("network", "parameters", "median RMSE", "RMSE of each seed")
SETTING_COLUMNS = ("setting", "two-sigmoid", "95% interval", "features", "floor", "verdict")
LIMIT_ROWS = 8


class Experiments(click.Group):
    """A group that lists its experiments in the order of their help page."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which they were added."""
        return list(self.commands)


@click.group(
    cls=Experiments,
    epilog=example(
        "depthsep learn limit --law gaussian --dim 30",
        "depthsep learn ball --law gaussian --dim 5 --steps 200 --seeds 2",
    ),
)
def learn() -> None:
    """Train networks on radial data, and compare with what one hidden layer can do at best.

    The network sigma(v . sigma(Wx + b) + c) has a hidden layer that is random and fixed; only v and c are trained.
    Errors are mean squared errors on fresh points.
    """


def _ball_options(command: _Command) -> _Command:
    """What is learnt: the law, and the ball."""
    options = [
        click.option("--law", metavar="LAW", help=LAW_HELP),
        click.option("--dim", type=int, metavar="D", help="Dimension of x."),
        click.option("--quantile", type=float, metavar="Q", help="Probability of the ball; 0.5 by default."),
        click.option("--radius", type=float, metavar="R", help="Its radius, instead of a quantile."),
        click.option("--steps", type=click.IntRange(min=1), metavar="T", help="Updates; 300 by default."),
        click.option("--loss", type=click.Choice(["logistic", "square"]), help="logistic by default."),
        click.option("--step", type=float, metavar="ETA", help="The step, instead of the optimizer's own."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@learn.command(
    epilog=example(
        "depthsep learn ball --law gaussian --dim 20 --seeds 3 --out gaussian-20",
        "depthsep learn ball --law bessel --dim 5 --seeds 2 --optimizer nesterov",
    )
)
@_ball_options
@click.option("--optimizer", type=click.Choice(["adam", "nesterov", "gd"]), help="adam by default; full batch.")
@click.option("--seeds", type=int, metavar="N", help="How many; 8 by default. Two are needed for an interval.")
@click.option("--seed", type=int, metavar="N", help="The first seed; 0 by default.")
@click.option("--width", type=int, metavar="W", help="Hidden units; 20 D by default, at least 100.")
@click.option("--hidden", type=click.Choice(["iid", "orthogonal", "antithetic"]), help="iid by default.")
@click.option("--train-points", type=int, metavar="N", help="20 for each hidden unit by default, at least 20000.")
@click.option("--test-points", type=int, metavar="N", help="Fresh points; 20000 by default.")
@click.option(
    "--baselines",
    metavar="A,B",
    help="features (by default), relu, sigmoid, deep-relu; or none. The last three are trained and take longer.",
)
@click.option(
    "--protocol",
    "protocol_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="All of this from a .toml file or an earlier protocol.json; options given here come first.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep results and pictures here. The same command goes on with what is there.",
)
@json_option
def ball(protocol_file: Path | None, out: Path | None, as_json: bool, **options: Any) -> None:
    """The indicator of a ball: the main experiment.

    The verdict is "certified" only for the Gaussian law, where a floor is proved that no network with one hidden layer
    of the same width undercuts; "empirical" if every trained baseline is worse by disjoint intervals; else "none".
    """
    protocol = _protocol(protocol_file, options)
    if protocol.seeds == 1:
        warn("one seed has no confidence interval, so there will be no verdict; take --seeds 2 or more")
    from depthsep.learning.experiment import run_experiment

    with progress() as report:
        found = run_experiment(protocol, out, report)
    figure = None if out is None else _write(found, out)
    if as_json:
        from depthsep.reports.learning import experiment_json

        print_json(experiment_json(found, figure))
        return
    _print_experiment(found)
    if out is not None:
        click.echo(f"results: {out} (rows.csv, protocol.json, curves.png and .svg)")


def _protocol(path: Path | None, options: dict[str, Any]) -> Protocol:
    """The protocol of a file, with what the options say instead."""
    from depthsep.learning.protocol import Protocol, read_values

    given = {name: value for name, value in options.items() if value is not None}
    if "baselines" in given:
        words = [word.strip() for word in given["baselines"].split(",")]
        given["baselines"] = () if words == ["none"] else tuple(words)
    _refuse_two_balls(given)
    values = {} if path is None else read_values(path)
    if "quantile" in given:
        values.pop("radius", None)
    missing = [f"--{name}" for name in ("law", "dim") if name not in {**values, **given}]
    if missing:
        raise click.UsageError(f"give {' and '.join(missing)}" + (f", or name them in {path}" if path else ""))
    return Protocol.from_mapping({**values, **given}, "a protocol" if path is None else f"the protocol {path}")


def _refuse_two_balls(given: dict[str, Any]) -> None:
    if "quantile" in given and "radius" in given:
        raise click.UsageError("give --quantile or --radius, not both")


def _write(found: Experiment, out: Path) -> str:
    """Write what follows from the rows, over what an earlier run has left; give the path of the picture."""
    from depthsep.files import write_whole
    from depthsep.lower_bounds import LowerBound
    from depthsep.reports import figures
    from depthsep.reports.learning import experiment_figure, experiment_json, rows_csv
    from depthsep.reports.text import json_text

    picture = experiment_figure(found)
    paths = [figures.save(picture, out / f"curves{suffix}", True) for suffix in (".svg", ".png")]
    texts = {"rows.csv": rows_csv(found), "summary.json": json_text(experiment_json(found, "curves.png")) + "\n"}
    if isinstance(found.floor, LowerBound):
        texts["floor.json"] = found.floor.document
    for name, text in texts.items():
        write_whole(out / name, True, lambda part, text=text: part.write_text(text, encoding="utf-8"))  # type: ignore[misc]
    return str(paths[-1])


def _print_experiment(found: Experiment) -> None:
    from depthsep.lower_bounds import NoBound
    from depthsep.reports.learning import floor_json, interval_text

    protocol = found.protocol
    rows = [(o.model, f"{o.interval.mean:.4f}", interval_text(o.interval), o.text) for o in found.outcomes]
    print_table(f"{protocol.target}, {found.outcomes[0].interval.text}", BALL_COLUMNS, rows, right=(1,))
    if isinstance(found.floor, NoBound):
        click.echo(f"no floor: {found.floor.reason}")
    else:
        facts = floor_json(found)
        proof = f"{facts['floor_proof']['verdict']}, digest {facts['floor_proof']['digest'][:12]}"
        click.echo(f"certified floor: no network with one hidden layer of width {protocol.units} gets below "
                   f"{facts['floor']} ({proof})")  # fmt: skip
    if found.limit is not None:
        click.echo(f"infinitely wide network: {found.limit.mse[-1]:.4f} (quadrature, an estimate)")
    click.echo(click.style(f"verdict: {found.verdict.kind}", bold=True) + f"; {found.verdict.sentence}")
    for line in found.verdict.assumptions:
        click.echo(f"  - {line}")
    for note in found.notes:
        click.echo(f"note: {note}")
    click.echo(_provenance(protocol))


def _provenance(protocol: Protocol) -> str:
    """The fields by where they come from; most are ours, and need no names."""
    from_paper, natural = (
        "".join(f", {name}" for name, value in protocol.provenance.items() if value == kind)
        for kind in ("paper", "natural reading")
    )
    return (
        f"protocol {protocol.digest[:12]}; from the paper: a ball, a fixed hidden layer{from_paper}; "
        f"natural reading: {natural.removeprefix(', ')}; all else is chosen or derived here"
    )


@learn.command(epilog=example("depthsep learn limit --law gaussian --dim 30 --figure limit.svg"))
@_ball_options
@click.option("--optimizer", type=click.Choice(["nesterov", "gd"]), help="nesterov by default; Adam has no limit.")
@click.option("--figure", type=click.Path(path_type=Path), metavar="FILE", help="Draw it to this .svg or .png file.")
@force_option
@json_option
def limit(figure: Path | None, force: bool, as_json: bool, **options: Any) -> None:
    """The same training for an infinitely wide network, by quadrature.

    The hidden layer has infinitely many units, and training sees the whole population: under a radial law that is a
    problem in one variable, which takes a second. Estimates, not proofs. --step is the step times the width.
    """
    if options["law"] is None or options["dim"] is None:
        raise click.UsageError("give --law and --dim")
    if figure is not None:
        refuse_unwritable(figure, force)
    from depthsep.learning.experiment import recorded_steps
    from depthsep.learning.laws import parse_law
    from depthsep.learning.limit import limit_curve
    from depthsep.reports.learning import limit_json

    law = parse_law(options.pop("law"), options.pop("dim"))
    given = {name: value for name, value in options.items() if value is not None}
    _refuse_two_balls(given)
    steps = given.setdefault("steps", 300)
    curve = limit_curve(law, **given, record_at=recorded_steps(steps))
    if figure is not None:
        from depthsep.reports import figures
        from depthsep.reports.learning import limit_figure

        figures.save(limit_figure(curve), figure, force)
    shown = None if figure is None else str(figure)
    if as_json:
        print_json({**limit_json(curve), "figure": shown})
        return
    places = sorted({round(place * (len(curve.steps) - 1) / (LIMIT_ROWS - 1)) for place in range(LIMIT_ROWS)})
    rows = [
        (str(curve.steps[place]), f"{curve.mse[place]:.4f}", f"{curve.training_loss[place]:.4f}") for place in places
    ]
    title = f"{curve.target}, infinitely wide: {curve.optimizer}, step {curve.step:.4g} / width"
    print_table(title, ("steps", "mean squared error", f"{curve.loss} loss"), rows, right=(0, 1, 2))
    if shown is not None:
        click.echo(f"figure: {shown}")


@learn.command(
    "safran-shamir-2017", epilog=example("depthsep learn safran-shamir-2017 --short --seeds 1 --batches 200")
)
@click.option("--short", is_flag=True, help="15000 batches instead of 135000, the rate falling as much in all.")
@click.option("--batches", type=click.IntRange(min=1), metavar="N", help="This many batches instead.")
@click.option(
    "--seeds", type=click.IntRange(min=1), default=5, show_default=True, metavar="N", help="Runs per network."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N", help="The first one.")
@click.option("--figure", type=click.Path(path_type=Path), metavar="FILE", help="Draw it to this .svg or .png file.")
@force_option
@json_option
def safran_shamir(
    short: bool, batches: int | None, seeds: int, seed: int, figure: Path | None, force: bool, as_json: bool
) -> None:
    """Depth 3 against depth 2 in dimension 100, all weights trained.

    The experiment of Safran and Shamir (2017), as recalled. The short run takes some CPU minutes, the whole one more
    than ten times as long. Reported is the root mean squared error of every seed, and their median; seeds that got
    stuck are shown, with a star.
    """
    if figure is not None:
        refuse_unwritable(figure, force)
    from depthsep.learning.safran_shamir import STUCK_RULE, safran_shamir_2017
    from depthsep.reports import learning

    with progress() as report:
        found = safran_shamir_2017(short=short, batches=batches, seeds=range(seed, seed + seeds), progress=report)
    if figure is not None:
        from depthsep.reports import figures

        figures.save(learning.depth_figure(found), figure, force)
    shown = None if figure is None else str(figure)
    if as_json:
        print_json({**learning.depth_json(found), "figure": shown})
        return
    rows = [learning.nets_cells(runs) for runs in found.nets]
    print_table(f"d = 100, {found.schedule.batches} batches", NETS_COLUMNS, rows, right=(1, 2))
    click.echo(f"* {STUCK_RULE}")
    wins = "is" if found.depth_wins else "is not"
    click.echo(f"by the medians, depth 3 {wins} below every network of depth 2")
    click.echo("an experiment without a proof; where its settings come from:")
    for field in found.protocol:
        click.echo(f"  {field.name}: {field.value} ({field.provenance})")
    if shown is not None:
        click.echo(f"figure: {shown}")


@learn.command("no-separation", epilog=example("depthsep learn no-separation --seeds 2"))
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True, metavar="N", help="Seeds of each.")
@json_option
def no_separation(seeds: int, as_json: bool) -> None:
    """Settings where nothing is separated, and why."""
    from depthsep.learning.experiment import run_experiment
    from depthsep.learning.no_separation import NO_SEPARATION
    from depthsep.learning.protocol import Protocol
    from depthsep.reports.learning import experiment_json, setting_cells

    with progress() as report:
        found = [
            (setting, run_experiment(Protocol.of_setting(setting, seeds=seeds), progress=_naming(setting.name, report)))
            for setting in NO_SEPARATION
        ]
    if as_json:
        facts = [{"setting": s.name, "reason": s.reason, **experiment_json(result, None)} for s, result in found]
        print_json({"settings": facts})
        return
    rows = [(setting.name, *setting_cells(result)) for setting, result in found]
    print_table("No separation", SETTING_COLUMNS, rows, right=(1, 3, 4))
    for setting, _ in found:
        click.echo(f"{setting.name}: {setting.reason}")


COMMANDS = (learn,)


def _naming(name: str, report: Progress) -> Progress:
    """Progress that says first which setting it is about."""
    return lambda text, fraction: report(f"{name}: {text}", fraction)
