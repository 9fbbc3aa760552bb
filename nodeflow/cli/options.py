"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

from nodeflow.errors import SettingsError
from nodeflow.settings import Compiling, Settings

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
CompileBlocks = Annotated[
    bool,
    typer.Option(
        "--compile-blocks",
        help="Compile only the blocks that networks repeat: a shorter first step, and runs end at"
        " once when they are cancelled.",
    ),
]


def settings_with(compile: bool, compile_blocks: bool, lower_precision: bool) -> Settings:
    """The user's settings, with what a command was asked for besides.

    Raises:
        SettingsError: Options exclude each other, or a setting is wrong.
    """
    if compile and compile_blocks:
        raise SettingsError(
            "--compile compiles networks whole, --compile-blocks only the blocks that they repeat; "
            "give one of them."
        )
    how: Compiling = "blocks" if compile_blocks else compile
    asked = {"compile": how, "lower_precision": lower_precision}
    return Settings(**{name: wanted for name, wanted in asked.items() if wanted})
