"""`nodeflow watch`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from nodeflow.cli import DONE
from nodeflow.cli.connecting import Server, Token, connect, find_job
from nodeflow.cli.following import Following
from nodeflow.cli.server_display import ServerLines
from nodeflow.cli.terminal import Terminal
from nodeflow.client.client import Client

app = typer.Typer()


@app.command("watch")
def watch(
    job: Annotated[
        str | None,
        typer.Argument(metavar="JOB", help="Id or number of a job; all that happens if none."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Fetch what the job made into this folder.")
    ] = None,
    after: Annotated[
        int | None,
        typer.Option(metavar="SEQ", help="Without a job: begin after this event, 0 for the first."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each event as one line of JSON.")
    ] = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Watch a job of a server, or all that happens on it.

    A job is shown until its end. If the server is started again, this goes on and misses nothing.
    Ctrl-C ends watching; jobs go on. The exit code for one job is that of `nodeflow run`.
    """
    with connect(server, token, forever=True) as client:
        if job is None:
            _watch_all(client, after, as_json)
            raise typer.Exit(DONE)
        found = find_job(client, job)
        following = Following(found.name or found.id, out, as_json=as_json)
        raise typer.Exit(following.follow(found))


def _watch_all(client: Client, after: int | None, as_json: bool) -> None:
    show = ServerLines(Terminal())
    for event in client.events(after):
        if as_json:
            print(json.dumps(event, ensure_ascii=False), flush=True)
        else:
            show(event)
