"""`nodeflow run`."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Literal

import typer
from rich.console import Console

from nodeflow.cli import CANCELLED, DONE, FAILED
from nodeflow.cli.display import choose_display, explanation
from nodeflow.engine import Engine, Result
from nodeflow.errors import Problem, WorkflowError
from nodeflow.events import Event, NodeFailed

app = typer.Typer()

_EXIT = {"done": DONE, "failed": FAILED, "cancelled": CANCELLED}


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
DeviceName = Annotated[
    str, typer.Option(help="auto, cpu, cuda:0, mps or any other device of torch.")
]
PrecisionName = Annotated[
    Literal["auto", "fp32", "bf16", "fp16"], typer.Option(help="Of the models' numbers.")
]
NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Compute everything anew and store nothing.")
]
Explain = Annotated[
    bool, typer.Option("--explain", help="Say of every node why it ran or did not.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print each event as one line of JSON.")]


@app.command("run")
def run(
    file: WorkflowFile,
    assignments: Assignments = None,
    out: Out = Path("outputs"),
    only: Only = None,
    device: DeviceName = "auto",
    precision: PrecisionName = "auto",
    no_cache: NoCache = False,
    explain: Explain = False,
    as_json: AsJson = False,
) -> None:
    """Run a workflow.

    Prints the path of every file it wrote. The exit code is 0 if all is done, 1 if a node failed,
    2 if the workflow does not check (see `nodeflow check`) and 130 if it was cancelled with Ctrl-C;
    what was computed so far is kept.
    """
    texts = _parse(assignments or [])
    failures: list[NodeFailed] = []
    display = choose_display(as_json, sys.stdout, Console(stderr=True))

    def emit(event: Event) -> None:
        if isinstance(event, NodeFailed):
            failures.append(event)
        display(event)

    with (
        _cancelled_by_ctrl_c() as cancel,
        _named(file),
        Engine(device=device, precision=precision, cache=not no_cache) as engine,
    ):
        workflow = engine.set_inputs(engine.load(file), texts)
        with display:
            result = engine.run(workflow, out=out, only=only or [], emit=emit, cancel=cancel)
        for warning in engine.warnings:
            print(warning, file=sys.stderr)
    for failure in failures:
        _report(failure, file)
    if not as_json:
        if explain:
            Console().print(explanation(result.nodes))
        _print_outputs(result)
    raise typer.Exit(_EXIT[result.status])


def _parse(assignments: Sequence[str]) -> dict[str, str]:
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
def _named(file: Path) -> Iterator[None]:
    """Problems of the workflow name its file."""
    try:
        yield
    except WorkflowError as error:
        raise WorkflowError(error.problems, str(file)) from error


@contextmanager
def _cancelled_by_ctrl_c() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets; the second ends the process at once."""
    cancel = threading.Event()

    def handle(_signal: int, _frame: FrameType | None) -> None:
        # Written past Python's streams, whose locks the interrupted code may hold.
        if cancel.is_set():
            if os.isatty(2):
                os.write(2, b"\x1b[?25h\n")  # the bars hide the cursor
            os._exit(CANCELLED)
        cancel.set()
        os.write(2, b"\nCancelling; Ctrl-C again ends at once.\n")

    # SIGTERM too: it is how containers and service managers ask.
    asking = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, handle) for number in asking]
    try:
        yield cancel
    finally:
        for number, handler in zip(asking, before, strict=True):
            signal.signal(number, handler)


def _report(failure: NodeFailed, file: Path) -> None:
    outer = failure.node.partition("/")[0].replace("~", "~0")
    problem = Problem(
        "node_failed",
        f"Node '{failure.node}' ({failure.type}): {failure.sentence}",
        node=failure.node,
        pointer=f"/nodes/{outer}",
    )
    if failure.trace:
        print(failure.trace, file=sys.stderr)
    print(problem.line(str(file)), file=sys.stderr)


def _print_outputs(result: Result) -> None:
    """The path of every file, those of exposed outputs first, then those of end nodes."""
    files: dict[str, None] = {}
    for name, output in result.outputs.items():
        if "value" in output:
            print(f"{name}: {json.dumps(output['value'], ensure_ascii=False)}")
        files.update(dict.fromkeys(output.get("files", ())))
    for report in result.nodes.values():
        files.update(dict.fromkeys(report.files))
    for path in files:
        print(path)
