"""`nodeflow run`."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

import typer

from nodeflow.cli import CANCELLED, DONE, FAILED
from nodeflow.cli.assignments import (
    AsJson,
    Assignments,
    Only,
    Out,
    WorkflowFile,
    named,
    parse,
    report_failure,
)
from nodeflow.cli.display import choose_display, explanation
from nodeflow.cli.fetching import fetch_wanted
from nodeflow.cli.interrupts import cancelled_by_ctrl_c
from nodeflow.cli.options import Compile, CompileBlocks, LowerPrecision, settings_with
from nodeflow.cli.terminal import Terminal
from nodeflow.engine import Engine
from nodeflow.events import Event, NodeFailed
from nodeflow.runs.result import Result

app = typer.Typer()

_EXIT = {"done": DONE, "failed": FAILED, "cancelled": CANCELLED}


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


@app.command("run")
def run(
    file: WorkflowFile,
    assignments: Assignments = None,
    out: Out = Path("outputs"),
    only: Only = None,
    device: DeviceName = "auto",
    precision: PrecisionName = "auto",
    compile: Compile = False,
    compile_blocks: CompileBlocks = False,
    lower_precision: LowerPrecision = False,
    no_cache: NoCache = False,
    explain: Explain = False,
    as_json: AsJson = False,
) -> None:
    """Run a workflow.

    Prints the path of every file it wrote. The exit code is 0 if all is done, 1 if a node failed,
    2 if the workflow does not check (see `nodeflow check`) and 130 if it was cancelled with Ctrl-C;
    what was computed so far is kept.
    """
    texts = parse(assignments or [])
    settings = settings_with(compile, compile_blocks, lower_precision)
    failures: list[NodeFailed] = []
    display = choose_display(as_json, sys.stdout, Terminal(stderr=True))

    def emit(event: Event) -> None:
        if isinstance(event, NodeFailed):
            failures.append(event)
        display(event)

    with (
        cancelled_by_ctrl_c() as cancel,
        named(file),
        Engine(settings, device=device, precision=precision, cache=not no_cache) as engine,
    ):
        workflow = engine.set_inputs(engine.load(file), texts)
        fetch_wanted(engine, workflow)
        with display:
            result = engine.run(workflow, out=out, only=only or [], emit=emit, cancel=cancel)
        for warning in engine.warnings:
            print(warning, file=sys.stderr)
    for failure in failures:
        report_failure(failure, str(file))
    if not as_json:
        if explain:
            Terminal().print(explanation(result.nodes))
        with suppress(BrokenPipeError):  # the reader has gone; what was made is there
            _print_outputs(result)
    raise typer.Exit(_EXIT[result.status])


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
