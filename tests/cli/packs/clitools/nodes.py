"""Nodes that count, wait, fail and write."""

import time
from pathlib import Path
from typing import Annotated

from pydantic import Field

from nodeflow import InputError, OutputFiles, Progress, node


@node(category="test")
def add(a: Annotated[int, Field(ge=0, le=100)] = 1, b: int = 1) -> int:
    """Add two numbers.

    Args:
        a: One number.
        b: Another.
    """
    return a + b


@node(category="test")
def refuse(number: int) -> int:
    """Accept no number.

    Args:
        number: Any number.
    """
    raise InputError(f"{number} is not good enough; nothing is")


@node(category="test", cache="never")
def wait(number: int, log: str, deaf: bool = False, *, progress: Progress) -> int:
    """Wait until the run is cancelled, at most a minute.

    Args:
        number: What comes out in the end.
        log: A file that is made when the waiting begins.
        deaf: Do not notice that the run is cancelled.
    """
    Path(log).write_text("waiting")
    for step in range(6000):
        if not deaf:
            progress(step, 6000)
        time.sleep(0.01)
    return number


@node(category="test")
def write(number: int, name: str = "number", *, files: OutputFiles) -> None:
    """Write a number to a file.

    Args:
        number: What to write.
        name: Pattern of the file's name.
    """
    with files.create(name, ".txt") as file:
        file.write(str(number).encode())
