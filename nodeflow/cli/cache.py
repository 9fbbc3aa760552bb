"""`nodeflow cache info|clear|prune`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from pydantic import ByteSize, TypeAdapter, ValidationError

from nodeflow.cache.disk import DiskStore
from nodeflow.cli.display import readable
from nodeflow.engine import Engine
from nodeflow.errors import StoreError

app = typer.Typer()
group = typer.Typer(no_args_is_help=True, help="Look at the cache of results, or clear it.")
app.add_typer(group, name="cache")


@group.command("info")
def info(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Say where the cache is and how much it holds."""
    with _store() as store:
        facts = store.info()
        used = _used(store)
    if as_json:
        print(json.dumps(facts, indent=2))
        return
    print(f"folder   {facts['folder']}")
    print(f"results  {facts['entries']}")
    print(f"size     {readable(used)} of {readable(store.budget)}")


@group.command("clear")
def clear() -> None:
    """Forget every result. What was saved elsewhere stays."""
    with _store() as store:
        before = _used(store)
        store.clear()
    print(f"Freed {readable(before)}.")


@group.command("prune")
def prune(
    to: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Such as 5GB; the budget if not given.")
    ] = None,
) -> None:
    """Delete what is cheapest to compute again until the rest fits, and what nothing refers to."""
    budget = None if to is None else _size(to)
    with _store() as store:
        before = _used(store)
        store.prune(budget)
        left = _used(store)
    print(f"Freed {readable(before - left)}; {readable(left)} are left.")


@contextmanager
def _store() -> Iterator[DiskStore]:
    with Engine() as engine:
        if engine.disk is None:
            raise StoreError(" ".join(engine.warnings))
        yield engine.disk


def _used(store: DiskStore) -> int:
    return TypeAdapter(int).validate_python(store.info()["bytes"])


def _size(text: str) -> int:
    try:
        return TypeAdapter(ByteSize).validate_python(text)
    except ValidationError as error:
        raise typer.BadParameter(
            f"'{text}' is no size, such as 5GB or 500 MB.", param_hint="--to"
        ) from error
