"""What `run` and `submit` take alike, and how both say that a node failed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from nodeflow.errors import Problem, WorkflowError
from nodeflow.events import NodeFailed

WorkflowFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="A workflow, or a picture that holds one.")
]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Set an input; NAME is one that the workflow exposes, or NODE.INPUT.",
    ),
]
Out = Annotated[Path, typer.Option(metavar="DIR", help="Folder for what is saved.")]
Only = Annotated[
    list[str] | None,
    typer.Option(metavar="NODE", help="Compute only this node and what it needs."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print each event as one line of JSON.")]


def parse(assignments: Sequence[str]) -> dict[str, str]:
    """`NAME=VALUE` as name to value.

    Raises:
        typer.BadParameter: One of them is something else.
    """
    texts = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not name or not equals:
            raise typer.BadParameter(
                f"'{assignment}' is no NAME=VALUE, such as seed=7.", param_hint="--set"
            )
        texts[name] = text
    return texts


@contextmanager
def named(file: Path) -> Iterator[None]:
    """Problems of the workflow name its file."""
    try:
        yield
    except WorkflowError as error:
        raise WorkflowError(error.problems, str(file)) from error


def report_failure(failure: NodeFailed, source: str) -> None:
    """Say on standard error that a node failed, as `nodeflow check` says what is wrong."""
    outer = failure.node.partition("/")[0].replace("~", "~0")
    problem = Problem(
        "node_failed",
        f"Node '{failure.node}' ({failure.type}): {failure.sentence}",
        node=failure.node,
        pointer=f"/nodes/{outer}",
    )
    if failure.trace:
        print(failure.trace, file=sys.stderr)
    print(problem.line(source), file=sys.stderr)
