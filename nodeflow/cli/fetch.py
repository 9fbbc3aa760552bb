"""`nodeflow fetch`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from nodeflow.cli.fetching import fetch_one
from nodeflow.engine import Engine
from nodeflow.errors import InputError
from nodeflow.model_hub import HubName, is_here
from nodeflow.roots import MODEL_KINDS

app = typer.Typer()


@app.command("fetch")
def fetch_model(
    model: Annotated[
        str, typer.Argument(help="OWNER/NAME on the Hugging Face hub, or OWNER/NAME/FILE.")
    ],
    kind: Annotated[str, typer.Option(help="What it is; the folder that it goes into.")] = (
        "checkpoints"
    ),
    revision: Annotated[str, typer.Option(help="A branch, a tag or a commit.")] = "main",
    variant: Annotated[str, typer.Option(help="Which weights, such as fp16.")] = "",
) -> None:
    """Fetch a model from the Hugging Face hub.

    A model in diffusers layout is fetched whole, without pickles; of other repositories a file is
    named. Afterwards it is there without a network too, under the same name.
    """
    if kind not in MODEL_KINDS:
        raise typer.BadParameter(f"One of {', '.join(MODEL_KINDS)}.", param_hint="--kind")
    name = HubName.parse(model)
    if name is None:
        raise InputError(f"'{model}' is no name of the hub; give OWNER/NAME, or OWNER/NAME/FILE")
    if variant and name.file:
        print(
            f"--variant {variant} has no effect: {name} is one file; name the file of the variant "
            "that you want, or the whole repository.",
            file=sys.stderr,
        )
    with Engine() as engine:
        roots = engine.roots
    place = roots.folders[kind][0]
    if is_here(name, place / str(name)):
        print(f"{place / str(name)} is there already.", file=sys.stderr)
    else:
        fetch_one(name, place, revision, variant)
    print(f"Workflows call it '{name}'.")
