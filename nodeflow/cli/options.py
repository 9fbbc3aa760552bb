"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

from nodeflow.settings import Settings

LowerPrecision = Annotated[
    bool,
    typer.Option(
        "--lower-precision",
        help="Where memory is too small for a model, go on in a lower precision.",
    ),
]
Compile = Annotated[
    bool,
    typer.Option(
        "--compile", help="Compile networks: minutes for the first step, the others faster."
    ),
]


def settings_with(compile: bool, lower_precision: bool) -> Settings:
    """The user's settings, with what a command was asked for besides."""
    asked = {"compile": compile, "lower_precision": lower_precision}
    return Settings(**{name: True for name, wanted in asked.items() if wanted})
