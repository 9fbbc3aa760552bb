"""`nodeflow schema`."""

from __future__ import annotations

import json

import typer

from nodeflow.workflow import json_schema

app = typer.Typer()


@app.command("schema")
def schema() -> None:
    """Print the JSON Schema of workflow files."""
    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
