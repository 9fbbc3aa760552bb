"""`nodeflow new-pack`."""

from __future__ import annotations

import importlib.util
import keyword
import re
import tempfile
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Annotated

import typer

from nodeflow.errors import SettingsError
from nodeflow.packs import find_packs
from nodeflow.settings import Settings

app = typer.Typer()

_FILES = {
    "pyproject.toml": "pyproject.toml.txt",
    "README.md": "README.md.txt",
    "$name/__init__.py": "init.py.txt",
    "$name/nodes.py": "nodes.py.txt",
    "tests/test_nodes.py": "test_nodes.py.txt",
}
"""Each file of a new pack with its template, in `new_pack_template`."""


@app.command("new-pack")
def new_pack(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Of the pack: lower-case letters, digits, _.")
    ],
    into: Annotated[
        Path | None,
        typer.Option("--dir", metavar="DIR", help="Where; your folder of packs if not given."),
    ] = None,
) -> None:
    """Write a pack of your own: one node and its test, ready to run.

    In a folder of packs it is found as it is; anywhere else, install it with pip.
    """
    settings = Settings()
    parent = (into or settings.packs[0]).absolute()
    if fault := name_fault(name, {pack.name for pack in find_packs(settings.packs).packs}):
        raise typer.BadParameter(fault, param_hint="NAME")
    if (parent / name).exists():
        raise typer.BadParameter(f"'{parent / name}' exists already.", param_hint="NAME")
    try:
        folder = write_pack(name, parent)
    except OSError as error:
        raise SettingsError(
            f"The pack cannot be written to '{parent}': {error.strerror}. Name another --dir."
        ) from error
    print(folder)
    if parent not in settings.packs:
        print(f"Install it with: pip install -e {folder}")
    print(f"Its node is {name}.posterize; change it in {folder / name / 'nodes.py'}")
    print(f"Its test runs with: cd {folder} && python -m pytest")


def name_fault(name: str, taken: set[str]) -> str | None:
    """What is wrong with the name of a pack, as a sentence; None if it is fine."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        words = re.findall(r"[a-z0-9]+", name.lower())
        better = re.sub(r"^[0-9_]+", "", "_".join(words))
        hint = f" How about '{better}'?" if better and better != name else ""
        return (
            f"'{name}' cannot be a Python package: begin with a lower-case letter, "
            f"go on with letters, digits and _.{hint}"
        )
    if name in taken or name in ("group", "nodeflow"):
        return f"There is a pack '{name}' already."
    if importlib.util.find_spec(name) is not None:
        return f"There is a Python module '{name}' already, which the pack would collide with."
    return None


def write_pack(name: str, parent: Path) -> Path:
    """Write the pack as a folder of `parent`; it appears whole.

    Returns:
        The folder.

    Raises:
        OSError: It cannot be written.
    """
    templates = files("nodeflow.cli") / "new_pack_template"
    words = {"name": name, "title": name.replace("_", " ").capitalize()}
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=parent) as unfinished:
        draft = Path(unfinished) / name
        for place, template in _FILES.items():
            path = draft / Template(place).substitute(words)
            path.parent.mkdir(parents=True, exist_ok=True)
            text = (templates / template).read_text(encoding="utf-8")
            path.write_text(Template(text).substitute(words), encoding="utf-8")
        return draft.rename(parent / name)
