"""``depthsep activations``: the catalogue of activations."""

from __future__ import annotations

import click

from depthsep.cli.terminal import example, json_option, print_json, print_table

__all__ = ["COMMANDS"]

COLUMNS = ("name", "formula", "c", "proof", "for lower bounds", "export")


@click.command(epilog=example("depthsep activations"))
@json_option
def activations(as_json: bool) -> None:
    """List the activations: constant of Assumption 1, its proof, class for lower bounds, export.

    With c, every L-Lipschitz function that is constant outside [-R, R] is within eps of a sum of at most c R L / eps
    units; `depthsep fit` finds and proves such sums, mostly much shorter ones.
    """
    from depthsep.activations import ACTIVATIONS
    from depthsep.decimals import upper_decimal

    if as_json:
        print_json({"activations": [entry.summary() for entry in ACTIVATIONS.values()]})
        return
    rows = [
        (
            entry.name,
            entry.formula,
            str(entry.assumption_constant),
            entry.proof,
            f"{entry.lower_class} {upper_decimal(entry.class_constant)}",
            entry.export_note,
        )
        for entry in ACTIVATIONS.values()
    ]
    print_table("activations, with the constant c of Assumption 1", COLUMNS, rows, right=(2,))


COMMANDS = (activations,)
