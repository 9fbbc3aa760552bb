"""`nodeflow nodes`."""

from __future__ import annotations

import json
import sys
from itertools import groupby
from typing import Annotated

import typer
from rich.table import Table

from nodeflow.cli.terminal import Terminal
from nodeflow.engine import Engine
from nodeflow.spec import NodeSpec

app = typer.Typer()


@app.command("nodes")
def nodes(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print inputs, outputs and socket types too, as JSON.")
    ] = False,
) -> None:
    """List the nodes of all packs.

    Packs that cannot be used are named on standard error, with the reason.
    """
    with Engine() as engine:
        registry = engine.registry
    if as_json:
        print(json.dumps(registry.as_json(), indent=2, ensure_ascii=False))
    else:
        Terminal().print(_table(list(registry.specs.values())))
    for error in registry.errors:
        print(error, file=sys.stderr)


def _table(specs: list[NodeSpec]) -> Table:
    table = Table("node", "what it does", box=None, pad_edge=False)
    ordered = sorted(specs, key=lambda spec: (spec.category, spec.id))
    for category, members in groupby(ordered, key=lambda spec: spec.category):
        table.add_row(f"[bold]{category or 'other'}[/]", "")
        for spec in members:
            table.add_row(f"  {spec.id}", _summary(spec.description))
    return table


def _summary(description: str) -> str:
    """The first paragraph, whose lines are broken where the source needs it."""
    return " ".join(description.partition("\n\n")[0].split())
