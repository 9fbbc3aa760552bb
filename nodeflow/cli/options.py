"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

Compile = Annotated[
    bool,
    typer.Option(
        "--compile", help="Compile networks: minutes for the first step, the others faster."
    ),
]
