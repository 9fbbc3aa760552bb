"""`nodeflow submit`."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from nodeflow.cli import CANCELLED, DONE, FAILED
from nodeflow.cli.assignments import AsJson, Assignments, Only, Out, WorkflowFile, named, parse
from nodeflow.cli.connecting import Server, Token, connect
from nodeflow.cli.following import Following
from nodeflow.cli.interrupts import cancelled_by_ctrl_c
from nodeflow.client.client import Client
from nodeflow.client.errors import ServerError
from nodeflow.client.job import Job
from nodeflow.errors import NodeflowError
from nodeflow.overrides import read_texts
from nodeflow.spec import NodeSpec
from nodeflow.workflow import Workflow

app = typer.Typer()

Saved = Annotated[
    bool, typer.Option("--saved", help="FILE is a workflow that is saved on the server.")
]
Priority = Annotated[int, typer.Option(min=-1000, max=1000, help="Higher runs first.")]
Batch = Annotated[
    int, typer.Option(min=1, max=1000, metavar="N", help="N jobs, whose seeds count up.")
]
Webhook = Annotated[str, typer.Option(metavar="URL", help="Is told when the job is over.")]
Detach = Annotated[
    bool,
    typer.Option("--detach/--wait", help="Print the id and do not wait; or wait and fetch files."),
]


@app.command("submit")
def submit(
    file: WorkflowFile,
    assignments: Assignments = None,
    out: Out = Path("outputs"),
    only: Only = None,
    saved: Saved = False,
    priority: Priority = 0,
    batch: Batch = 1,
    webhook: Webhook = "",
    detach: Detach = False,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Run a workflow on a server.

    As `nodeflow run`: the same progress, the same exit codes; files are fetched into DIR and their
    paths printed. --set image=@photo.png uploads a file first (write @@ for a text that begins
    with @).

    Ctrl-C cancels the job and waits for its end, Ctrl-C again ends at once. If the connection is
    lost the job goes on, and so does this command once the server is back.
    """
    texts = parse(assignments or [])
    with connect(server, token) as client:
        with named(file):
            workflow = None if saved else Workflow.load(file)
            known = workflow or client.workflows.read(str(file)).workflow
            jobs = client.submit_batch(
                workflow,
                saved="" if workflow else str(file),
                count=batch,
                inputs=_inputs(client, known, texts),
                priority=priority,
                only=only or [],
                webhook=webhook,
            )
        if detach:
            for job in jobs:
                print(job.id)
            raise typer.Exit(DONE)
        following = Following(str(file), out, as_json=as_json)
        with cancelled_by_ctrl_c() as asked, _cancelling(client, jobs, asked):
            codes = {following.follow(job) for job in jobs}
    raise typer.Exit(next(code for code in (FAILED, CANCELLED, DONE) if code in codes))


class _ServerSpecs:
    """The nodes of a server, asked for one by one."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def find(self, type_id: str) -> NodeSpec | None:
        try:
            return NodeSpec.model_validate(self._client.node(type_id))
        except ServerError as error:
            if error.status == 404:
                return None
            raise


def _inputs(client: Client, workflow: Workflow, texts: Mapping[str, str]) -> dict[str, object]:
    """What was typed, as values; `@FILE` as the path of a file to upload."""
    files = {
        name: Path(text[1:])
        for name, text in texts.items()
        if text.startswith("@") and not text.startswith("@@")
    }
    typed = {
        name: text[1:] if text.startswith("@@") else text
        for name, text in texts.items()
        if name not in files
    }
    values: dict[str, Any] = dict(read_texts(workflow, typed, _ServerSpecs(client)))
    return values | files


@contextmanager
def _cancelling(client: Client, jobs: Sequence[Job], asked: threading.Event) -> Iterator[None]:
    """Cancels the jobs when it is asked for; what comes of it is seen in their events."""
    over = threading.Event()

    def cancel() -> None:
        asked.wait()
        try:
            for job in jobs:
                if not over.is_set():
                    # A handle of its own: the other one is being looked at.
                    client.job(job.id).cancel()
        except NodeflowError as error:
            print(error, file=sys.stderr)

    thread = threading.Thread(target=cancel, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        asked.set()
        thread.join(timeout=5)
