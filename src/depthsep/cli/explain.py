"""``depthsep explain``: which theorems speak about a request, and what they predict."""

from __future__ import annotations

import click

from depthsep.cli.terminal import dim_option, eps_option, example, json_option, print_json, within

__all__ = ["COMMANDS"]

MARKS = {True: "yes", False: "NO", None: "?"}


@click.command(epilog=example('depthsep explain "abs(r - 1/2)" --dim 20 --eps 0.05'))
@click.argument("expression")
@dim_option
@eps_option
@click.option(
    "--activation", default="relu", show_default=True, metavar="NAME", help="Of the depth-2 networks; see activations."
)
@json_option
def explain(expression: str, dim: int, eps: str | None, activation: str, as_json: bool) -> None:
    """Say which theorems apply, and what widths they predict.

    Every theorem is shown with its hypotheses, each ticked or not for EXPRESSION, --dim and --eps. Nothing is built;
    the widths are formulas, estimates or proved bounds, and are called so.
    """
    from depthsep.explanation import explain as explain_request

    explanation = explain_request(expression, dim=dim, eps=eps, activation=activation)
    if as_json:
        print_json(explanation.to_json())
        return
    click.echo(f"{explanation.function} on the unit ball of dimension {explanation.dim}, {within(explanation.eps)}")
    for theorem in explanation.theorems:
        verdict = {True: "applies", False: "does not apply", None: "cannot be decided here"}[theorem.applies]
        click.echo("\n" + click.style(theorem.name, bold=True) + f": {verdict}")
        click.echo(f"  {theorem.says}")
        for hypothesis in theorem.hypotheses:
            click.echo(
                f"  [{MARKS[hypothesis.holds]:^3}] {hypothesis.text}" + f": {hypothesis.found}" * bool(hypothesis.found)
            )
        for name, width in theorem.predicted_widths.items():
            click.echo(f"  predicted width, {name}: {width}")


COMMANDS = (explain,)
