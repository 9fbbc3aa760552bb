"""`nodeflow models`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from nodeflow.engine import Engine
from nodeflow.model_catalog import CatalogEntry, model_catalog

app = typer.Typer()


@app.command("models")
def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the files that nodes can load.

    A name is what a workflow calls the file by; files of the same content are told. Where no file
    is, a folder is named into which you can put some.
    """
    with Engine() as engine:
        roots = engine.roots
        entries = model_catalog(engine.registry, roots, roots.folders, engine.digests)
    kinds = {kind: [entry for entry in entries if entry.kind == kind] for kind in roots.folders}
    if as_json:
        told = {kind: [entry.as_json() for entry in found] for kind, found in kinds.items()}
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for kind, found in kinds.items():
        print(kind)
        for entry in found:
            print(f"  {entry.name}{_said(entry)}")
        if not found:
            print(f"  (none; put some into {roots.folders[kind][0]})")


def _said(entry: CatalogEntry) -> str:
    """What stands behind a name."""
    known = [entry.title or entry.family, entry.precision, _size(entry.size)]
    line = "  " + ", ".join(filter(None, known))
    if entry.same_as:
        line += f"; the same as {', '.join(entry.same_as)}"
    return line + (f"; {entry.problem}" if entry.problem else "")


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"
