"""``depthsep bound``: how wide must every shallow network be?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from depthsep.cli.terminal import dim_option, example, force_option, json_option, print_json, print_table

if TYPE_CHECKING:
    from depthsep.bounding import Answer
    from depthsep.lower_bounds import LowerBound

__all__ = ["COMMANDS"]

LONGEST = 12  # letters of an accuracy
COLUMNS = ("theorem", "holds for", "error", "what it proves", "checker")


@click.command(epilog=example('depthsep bound "cos(3*s)" --measure eldan-shamir --dim 20 --eps 0.3'))
@click.argument("expression")
@dim_option
@click.option(
    "--eps", metavar="EPS", help='Accuracy in the norm of the setting, read exactly; "seed" with --theorem ses4.'
)
@click.option("--width", type=int, metavar="N", help="Instead of --eps: the least error that N units can have.")
@click.option("--measure", type=click.Choice(["eldan-shamir", "gaussian"]), help="Measure the error in L2 of this law.")
@click.option(
    "--domain",
    type=click.Choice(["ball", "spheres"]),
    default="ball",
    show_default=True,
    help="Unit ball (formulas in r, sup norm) or pairs of unit vectors (formulas in t, L2).",
)
@click.option("--weights", metavar="B", help='Bound of all weights, such as "2^d", for theorems that need one.')
@click.option("--activation", default="relu", show_default=True, metavar="NAME", help="Activation or class of them.")
@click.option("--theorem", metavar="NAME", help="Only this theorem.")
@click.option("--all", "show_all", is_flag=True, help="Every theorem that applies, and why the others do not.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Write the documents here."
)
@force_option
@json_option
def bound(
    expression: str,
    dim: int,
    eps: str | None,
    width: int | None,
    show_all: bool,
    out: Path | None,
    force: bool,
    as_json: bool,
    **setting: Any,
) -> None:
    """Prove how wide every shallow network for EXPRESSION must be.

    EXPRESSION is a formula in r, the norm of x (unit ball), in t, the inner product (--domain spheres), in s, the
    scaled norm (--measure eldan-shamir), or ball(median) (--measure gaussian). Shown is the strongest bound, unless
    --all is given.
    """
    bounds, nothing = _split(_answers(expression, dim, eps, width, show_all, setting))
    paths = [None if out is None else _write(found, out, place, force) for place, found in enumerate(bounds, 1)]
    if as_json:
        from depthsep.reports.rows import bound_json

        facts = [bound_json(found, str(path or found.document)) for found, path in zip(bounds, paths, strict=True)]
        refused = [{"theorem": answer.theorem, "reason": answer.reason} for answer in nothing]
        print_json({"bounds": facts, "no_bound": refused})
        return
    if bounds:
        print_table(f"{expression} in dimension {dim}", COLUMNS, [_row(found) for found in bounds])
    for found in bounds:
        click.echo(f"{found.theorem}: " + "; ".join(found.hypotheses))
    for answer in nothing:
        click.echo(f"no bound by {answer.theorem}: {answer.reason}")
    for path in filter(None, paths):
        click.echo(f"document: {path}")


COMMANDS = (bound,)


def _answers(
    expression: str, dim: int, eps: str | None, width: int | None, show_all: bool, setting: dict[str, Any]
) -> list[Answer]:
    from depthsep import bounding

    if (eps is None) == (width is None):
        raise click.UsageError("give --eps or --width, one of them")
    if width is not None:
        if setting["measure"] is None:
            raise click.UsageError("--width needs --measure eldan-shamir or --measure gaussian")
        if setting["theorem"] not in (None, "tubes", "gaussian-floor"):
            raise click.UsageError(f"--width is for tubes and gaussian-floor, not for {setting['theorem']}")
        return [bounding.error_floor(expression, dim=dim, width=width, measure=setting["measure"])]
    # Theorem 4 speaks about two classes of weights, and neither is the stronger one.
    if show_all or setting["theorem"] == "ses4":
        return bounding.all_bounds(expression, dim=dim, eps=str(eps), **setting)
    return [bounding.lower_bound(expression, dim=dim, eps=str(eps), **setting)]


def _split(answers: list[Answer]) -> tuple[list[LowerBound], list[Any]]:
    from depthsep.lower_bounds import LowerBound

    proved = [answer for answer in answers if isinstance(answer, LowerBound)]
    return proved, [answer for answer in answers if not isinstance(answer, LowerBound)]


def _row(found: LowerBound) -> tuple[str, ...]:
    from depthsep.decimals import exact_decimal, lower_decimal
    from depthsep.reports.rows import bound_class, bound_proves, bound_weights

    measure = f" of {found.measure}" if found.measure else ""
    exact = exact_decimal(found.eps)
    # A long accuracy is rounded down: what holds up to it holds up to less.
    shown = exact if len(exact) <= LONGEST else lower_decimal(found.eps)
    accuracy = "" if found.error_floor is not None else f" <= {shown}"
    return (
        found.theorem,
        f"{bound_class(found)}, {bound_weights(found)}",
        f"{found.norm}{measure} on {found.domain}{accuracy}",
        bound_proves(found),
        found.verdict.status.name,
    )


def _write(found: LowerBound, folder: Path, place: int, force: bool) -> Path:
    from depthsep.files import write_whole

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{place}-{found.theorem}.json"
    return write_whole(path, force, lambda part: part.write_text(found.document, encoding="utf-8"))
