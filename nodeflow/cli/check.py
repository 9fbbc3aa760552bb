"""`nodeflow check`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from nodeflow.cli import REFUSED
from nodeflow.engine import Engine
from nodeflow.errors import Problem, WorkflowError

app = typer.Typer()


@app.command("check")
def check(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="Workflows, or pictures that hold one.")
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document for programs.")
    ] = False,
) -> None:
    """Say everything that is wrong with workflows, without running them.

    Every problem is one line on standard error: FILE#/json/pointer: code: sentence. The exit code
    is 2 if a file has an error; warnings do not count.
    """
    with Engine() as engine:
        found = {file: _problems(engine, file) for file in files}
    if as_json:
        print(json.dumps([_as_json(*item) for item in found.items()], indent=2, ensure_ascii=False))
    for file, problems in found.items():
        for problem in problems:
            print(problem.line(str(file)), file=sys.stderr)
        if not problems and not as_json:
            print(f"{file}: nothing is wrong.")
    if any(_is_refused(problems) for problems in found.values()):
        raise typer.Exit(REFUSED)


def _problems(engine: Engine, file: Path) -> list[Problem]:
    try:
        return engine.check(engine.load(file))
    except WorkflowError as error:
        return list(error.problems)


def _is_refused(problems: list[Problem]) -> bool:
    return any(problem.severity == "error" for problem in problems)


def _as_json(file: Path, problems: list[Problem]) -> dict[str, Any]:
    return {
        "file": str(file),
        "ok": not _is_refused(problems),
        "problems": [problem.as_json() for problem in problems],
    }
