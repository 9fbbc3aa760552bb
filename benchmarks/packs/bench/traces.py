"""Nodes that leave a trace outside of every store, so that it can be seen how often they ran."""

from __future__ import annotations

import os
import time
from typing import Annotated

from pydantic import Field

from nodeflow import OutputFiles, node


@node(category="bench", version="1", output="number")
def traced(
    number: int, trace: str, name: str, seconds: Annotated[float, Field(ge=0, le=60)] = 0.0
) -> int:
    """Take some time, leave a line in a file, and add one.

    Args:
        number: Any number.
        trace: The file.
        name: What the line begins with; the time follows.
        seconds: How long.
    """
    time.sleep(seconds)
    handle = os.open(trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(handle, f"{name} {time.time():.6f}\n".encode())
    os.close(handle)
    return number + 1


@node(category="bench", version="1", on="io")
def save_number(number: int, name: str, *, files: OutputFiles) -> None:
    """Save a number as a text.

    Args:
        number: The number.
        name: Pattern of the file's name.
    """
    with files.create(name, ".txt") as file:
        file.write(f"{number}\n".encode())
