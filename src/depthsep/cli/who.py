"""``depthsep who``: who proved what, in which norm, for which weights and activations, and its value here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from depthsep.cli.cite import SOURCES
from depthsep.cli.terminal import example, json_option, print_json
from depthsep.errors import BadInput

if TYPE_CHECKING:
    from depthsep.theorem_table import Theorem, Value

__all__ = ["COMMANDS", "facts", "markdown", "reference"]

BROADER = {
    "ball": 'radial, with a margin also Lipschitz: depthsep who "radial"',
    "cone": 'radial: depthsep who "radial"',
    "cantor": 'a function of one number: depthsep who "one-dimensional"',
    "sawtooth": 'a function of one number: depthsep who "one-dimensional"',
    "iterates": 'a function of one number: depthsep who "one-dimensional"',
    "maximum": 'piecewise linear: depthsep who "piecewise-linear"',
}
_MEMORY = "Authors and title of papers that depthsep cite does not have are quoted from memory."


@click.command(
    epilog=example('depthsep who "ball" --norm sup --weights any', 'depthsep who "inner-product" --dim 20 --eps 0.1')
)
@click.argument("name", required=False)
@click.option("--norm", metavar="NORM", help="Of the error: sup, L2, L1 or exact.")
@click.option("--weights", metavar="CLASS", help="That the theorem allows: any or bounded.")
@click.option("--activation", metavar="NAME", help="Theorems about it, or about any activation.")
@click.option("--kind", metavar="KIND", help="separation, upper bound, lower bound, barrier or learning.")
@click.option("--dim", type=int, metavar="D", help="Compute values at this dimension; with --eps.")
@click.option("--eps", metavar="EPS", help="The accuracy of the values, read exactly, in the norm that each one names.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the table as Markdown, without values.")
@json_option
def who(
    name: str | None,
    norm: str | None,
    weights: str | None,
    activation: str | None,
    kind: str | None,
    dim: int | None,
    eps: str | None,
    as_markdown: bool,
    as_json: bool,
) -> None:
    """List the theorems about a target, and what they say at your dimension and accuracy.

    NAME is a family of functions, such as ball, radial, inner-product, sawtooth or maximum; left out, all are listed.
    Filters combine; a word that no theorem has lists those that there are. With --dim and --eps every row carries the
    values that this library computes of it, each with its hypotheses, or why it does not apply.
    """
    from depthsep.theorem_table import select, values_of

    if (dim is None) != (eps is None):
        raise BadInput("values of the theorems", needed="both --dim and --eps")
    theorems = select(target=name, norm=norm, weights=weights, activation=activation, kind=kind)
    if as_markdown:
        click.echo(markdown(theorems), nl=False)
        return
    values = [() if dim is None or eps is None else values_of(theorem, dim, eps) for theorem in theorems]
    if as_json:
        print_json({"rows": [facts(theorem, found) for theorem, found in zip(theorems, values, strict=True)]})
        return
    if not theorems:
        click.echo("no theorem in the table meets all of these")
    for theorem, found in zip(theorems, values, strict=True):
        _print(theorem, found, asked=dim is not None)
    if name is not None and name.lower() in BROADER:
        click.echo(f"note: every such function is also {BROADER[name.lower()]}")
    if any(not theorem.cite and theorem.title for theorem in theorems):
        click.echo(f"note: {_MEMORY}")


COMMANDS = (who,)


def facts(theorem: Theorem, values: tuple[Value, ...] = ()) -> dict[str, Any]:
    """One row for a program."""
    row = {name: list(value) if isinstance(value, tuple) else value for name, value in vars(theorem).items()}
    return row | {
        "title": _title(theorem),
        "reference": reference(theorem),
        "computes": computes(theorem),
        "values": [
            vars(value)
            | {"exact": None if value.exact is None else str(value.exact), "applies": value.applies}
            | {"hypotheses": list(value.hypotheses)}
            for value in values
        ],
    }


def reference(theorem: Theorem) -> str:
    """Where a theorem stands: venue and arXiv number, as far as they are known.

    >>> from depthsep.theorem_table import THEOREMS
    >>> reference(THEOREMS[0])
    'arXiv:1512.03965; depthsep cite: eldan2016power'
    """
    if theorem.cite:
        number = re.search(r"arXiv:[0-9.]+[0-9]", SOURCES[theorem.cite])
        return "; ".join([*([number[0]] if number else []), f"depthsep cite: {theorem.cite}"])
    return "; ".join(part for part in (theorem.venue, f"arXiv:{theorem.arxiv}" if theorem.arxiv else "") if part)


def computes(theorem: Theorem) -> str:
    """What this library computes of a theorem, in a line."""
    from depthsep.theorem_table.values import COMPUTATIONS

    return COMPUTATIONS[theorem.value].says if theorem.value else "nothing"


def markdown(theorems: list[Theorem]) -> str:
    """The table as a page; docs/theorems.md is this for all theorems."""
    return _HEAD + "\n".join(_section(theorem).replace("<", "\\<").replace("*", "\\*") for theorem in theorems)


def _title(theorem: Theorem) -> str:
    found = re.search(r"title\s*=\s*\{(.+)\}", SOURCES[theorem.cite]) if theorem.cite else None
    return found[1] if found else theorem.title


def _networks(theorem: Theorem) -> str:
    weights = f"{theorem.weights} ({theorem.weights_detail})" if theorem.weights_detail else theorem.weights
    return f"depth {theorem.depth}; weights: {weights}; activation: {', '.join(theorem.activation)}"


def _error(theorem: Theorem) -> str:
    norm = {"exact": "no error at all", "not recorded": "norm not recorded"}.get(theorem.norm, f"{theorem.norm} norm")
    return f"{norm}, {theorem.domain}" + (f"; measure: {theorem.measure}" if theorem.measure else "")


def _print(theorem: Theorem, values: tuple[Value, ...], asked: bool) -> None:
    place = reference(theorem)
    click.echo(click.style(theorem.who, bold=True) + f": {theorem.kind}" + (f" ({place})" if place else ""))
    if _title(theorem):
        click.echo(f"  {_title(theorem)}")
    click.echo(f"  {theorem.statement}\n  about: {', '.join(theorem.targets)}\n  error: {_error(theorem)}")
    click.echo(f"  networks: {_networks(theorem)}")
    if theorem.from_memory:
        click.echo(f"  quoted from memory: {theorem.from_memory}")
    if theorem.note:
        click.echo(f"  note: {theorem.note}")
    if not asked or not theorem.value:
        click.echo(f"  computed here: {computes(theorem)}" + " (give --dim and --eps)" * bool(theorem.value))
    for value in values:
        status = f" ({value.status})" if value.applies else ""
        click.echo(f"  {value.about}: {value.name}: {click.style(value.text, bold=value.applies)}{status}")
        if value.hypotheses:
            click.echo(f"    if: {'; '.join(value.hypotheses)}")
    click.echo()


_HEAD = f"""# Theorems

Who proved what: the results of the field as rows, with norm, measure, domain, depth, weights and activations, and what
depthsep computes of each. `depthsep who` prints the rows that meet your filters, with values at your dimension and
accuracy:

```sh
depthsep who "ball" --norm sup --weights any
depthsep who "inner-product" --dim 20 --eps 0.1
```

A value is *certified* (its document was replayed by the checker), a *proved formula* (the proof stands in
`depthsep.theorem_table.values`), a *source's formula* (unspecified constants set to one) or an *estimate*, and is
called so. Each names its hypotheses; where they fail at your dimension and accuracy it says "does not apply" and why.
**Rows in different norms, measures or classes of weights are not comparable.**

{_MEMORY} What else was not looked up is marked in its row. This page is printed by `depthsep who --markdown`.

"""


def _section(theorem: Theorem) -> str:
    lines = [
        f"## {theorem.who}: {theorem.kind} ({', '.join(theorem.targets)})",
        "",
        theorem.statement,
        "",
        *([f"- paper: {_title(theorem)}"] if _title(theorem) else []),
        *([f"- reference: {reference(theorem)}"] if reference(theorem) else []),
        f"- error: {_error(theorem)}",
        f"- networks: {_networks(theorem)}",
        f"- computed here: {computes(theorem)}",
        *([f"- quoted from memory: {theorem.from_memory}"] if theorem.from_memory else []),
        *([f"- note: {theorem.note}"] if theorem.note else []),
    ]
    return "\n".join(lines) + "\n"
