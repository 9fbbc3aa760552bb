"""`nodeflow models`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from nodeflow.engine import Engine

app = typer.Typer()


@app.command("models")
def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the files that nodes can load.

    A name is what a workflow calls the file by. Where no file is, a folder is named into which you
    can put some.
    """
    with Engine() as engine:
        roots = engine.roots
    files = {kind: roots.files(kind) for kind in roots.folders}
    if as_json:
        print(json.dumps(files, indent=2, ensure_ascii=False))
        return
    for kind, names in files.items():
        print(kind)
        for name in names:
            print(f"  {name}")
        if not names:
            print(f"  (none; put some into {roots.folders[kind][0]})")
