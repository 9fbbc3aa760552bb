"""Nodes that count, choose, fail, wait and write."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from enum import Enum
from pathlib import Path
from typing import Annotated, NamedTuple, TypeVar

from pydantic import Field

from nodeflow import File, InputError, Lazy, OutputFiles, Progress, Seed, node
from tools.swatches import Swatch

T = TypeVar("T")


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


class Halves(NamedTuple):
    """Two numbers.

    Attributes:
        low: The smaller.
        high: The larger.
    """

    low: int
    high: int


@node(version="1")
def number(value: int = 0) -> int:
    """Give a number.

    Args:
        value: Any number.
    """
    return value


@node(version="1")
def add(a: int = 0, b: int = 1) -> int:
    """Add two numbers.

    Args:
        a: One number.
        b: Another.
    """
    return a + b


@node(version="1")
def total(numbers: tuple[int, ...]) -> int:
    """Add many numbers.

    Args:
        numbers: Any numbers.
    """
    return sum(numbers)


@node(version="1", output="numbers")
def upto(count: int = 3) -> list[int]:
    """Count.

    Args:
        count: How far.
    """
    return list(range(count))


@node(version="1")
def limited(a: Annotated[int, Field(ge=0, le=10)] = 1) -> int:
    """Give a small number.

    Args:
        a: At most ten.
    """
    return a


@node(version="1", output="name")
def member(size: Size | None = Size.SMALL) -> str:
    """Name a member of an enum.

    Args:
        size: Which.
    """
    return "none" if size is None else size.name


@node(version="1")
def halves(a: int) -> Halves:
    """Halve a number.

    Args:
        a: Any number.
    """
    return Halves(a // 2, a - a // 2)


@node(version="1")
def fail(a: int = 0) -> int:
    """Raise.

    Args:
        a: Any number.
    """
    raise KeyError(f"no {a}")


@node(version="1")
def refuse(a: int = 0) -> int:
    """Refuse.

    Args:
        a: Any number.
    """
    raise InputError(f"{a} is too much; use less")


@node(version="1")
def wrong(kind: str = "text") -> int:
    """Give something else than was declared.

    Args:
        kind: What to give; "much" is more than there is memory for.
    """
    if kind == "much":
        return len(bytes(1 << 62))
    return {"text": "one", "none": None, "bool": True, "list": [1]}[kind]  # type: ignore[return-value]


@node(version="1")
def one_of_two(a: int = 0) -> Halves:
    """Give too little.

    Args:
        a: Any number.
    """
    return (a,)  # type: ignore[return-value]


@node(version="1")
def spoil(numbers: list[int]) -> int:
    """Change an input in place.

    Args:
        numbers: What is changed.
    """
    numbers.append(1)
    return len(numbers)


@node(version="1", cache="never")
def read(path: str) -> int:
    """Read a number from a file, which may change.

    Args:
        path: The file.
    """
    return int(Path(path).read_text())


@node(version="1", output="length")
def length(file: Annotated[Path, File("inputs")]) -> int:
    """Measure a file.

    Args:
        file: The file.
    """
    return len(file.read_bytes())


@node(version="1")
async def choose(first: bool, a: Lazy[T], b: Lazy[T]) -> T:
    """Take one of two.

    Args:
        first: Whether to take the first.
        a: The first.
        b: The second.
    """
    return await a if first else await b


@node(version="1")
async def default_lazily(use: bool = False, a: Lazy[int] = 5) -> int:  # type: ignore[assignment]
    """Take a default, or nothing.

    Args:
        use: Whether to await it.
        a: A number.
    """
    return await a if use else 0


@node(version="1", cache="never")
async def hang(seconds: float = 60.0) -> int:
    """Sleep without looking.

    Args:
        seconds: How long.
    """
    await asyncio.sleep(seconds)
    return 1


@node(version="1", cache="never")
def steps(count: int = 1000, pause: float = 0.01, *, progress: Progress) -> int:
    """Work in steps.

    Args:
        count: How many.
        pause: Seconds between them.
    """
    for step in range(count):
        progress(step, count)
        time.sleep(pause)
    return count


@node(version="1", output="thread", on="device")
def device_thread(a: int = 0, pause: float = 0.0) -> str:
    """Name the thread it runs on.

    Args:
        a: Any number.
        pause: Seconds to wait.
    """
    time.sleep(pause)
    return f"{threading.current_thread().name} {a}"


@node(version="1", on="io")
def slow_write(text: str, pause: float = 0.0, *, files: OutputFiles) -> None:
    """Write a text slowly.

    Args:
        text: The text.
        pause: Seconds to wait.
    """
    time.sleep(pause)
    with files.create("slow", ".txt") as file:
        file.write(text.encode())


@node(version="1", on="io")
def write(a: int, name: str = "number", *, files: OutputFiles) -> None:
    """Write a number to a file.

    Args:
        a: The number.
        name: Pattern of the name.
    """
    with files.create(name, ".txt") as file:
        file.write(str(a).encode())


@node(version="1", on="io")
def save_swatch(swatch: Swatch, *, files: OutputFiles) -> None:
    """Save a colour.

    Args:
        swatch: The colour.
    """
    with files.create("swatch", ".txt") as file:
        file.write(str(swatch.grey).encode())


@node(version="1", output="grey")
def grey_of(swatch: Swatch) -> int:
    """Read a colour.

    Args:
        swatch: The colour.
    """
    return swatch.grey


@node(version="1")
def append(a: int, log: str, name: str, pause: float = 0.0) -> int:
    """Add one, and leave a line in a log outside the store.

    Args:
        a: A number.
        log: The log.
        name: What to write.
        pause: Seconds to wait.
    """
    time.sleep(pause)
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(handle, f"{name}\n".encode())
    os.close(handle)
    return a + 1


def _counted(a: int) -> None:
    calls.append(a)


calls: list[int] = []


@node(version="1", check=_counted)
def watched(a: int = 0) -> int:
    """Count how often its check is asked.

    Args:
        a: Any number.
    """
    return a


class Round(NamedTuple):
    """One round.

    Attributes:
        next: The number after it.
        done: Whether it is the last.
    """

    next: int
    done: bool


@node(version="1")
def step_up(a: int, end: int = 3) -> Round:
    """Count on until an end.

    Args:
        a: A number.
        end: Where it ends.
    """
    return Round(a + 1, a + 1 >= end)


@node(version="1")
async def nap(a: int) -> int:
    """Hand a number on after a moment.

    Args:
        a: A number.
    """
    await asyncio.sleep(0)
    return a


@node(version="1")
def ratio(kind: str = "nan") -> float:
    """Give a number that is none.

    Args:
        kind: Which.
    """
    return float(kind)


@node(version="1")
def seeded(seed: Seed = 0) -> int:
    """Give the seed.

    Args:
        seed: Any seed.
    """
    return seed


@node(version="1", cache="never")
def say(text: str) -> str:
    """Print a text, and another past Python's own streams.

    Args:
        text: The text.
    """
    print(text)
    os.write(1, b"written past Python\n")
    return text


@node(version="1")
def die(a: int = 0) -> int:
    """End the process at once, as a crash in C does.

    Args:
        a: Any number.
    """
    os.kill(os.getpid(), signal.SIGKILL)
    return a
