"""`nodeflow jobs`."""

from __future__ import annotations

import json
import time
from typing import Annotated, get_args

import typer
from rich.table import Table
from rich.text import Text

from nodeflow.cli.connecting import Server, Token, connect
from nodeflow.cli.display import duration
from nodeflow.cli.terminal import Terminal
from nodeflow.client.job import Job
from nodeflow.job_events import JobStatus

app = typer.Typer()

_STATUS: tuple[str, ...] = get_args(JobStatus)
_COLOURS = {"running": "bold", "failed": "red", "cancelled": "dim"}


@app.command("jobs")
def jobs(
    status: Annotated[
        list[str] | None,
        typer.Option(help=f"Only these: {', '.join(_STATUS)}; may be given several times."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one job a line.")] = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """List the jobs of a server, newest first."""
    for name in status or ():
        if name not in _STATUS:
            raise typer.BadParameter(
                f"'{name}' is none of {', '.join(_STATUS)}.", param_hint="--status"
            )
    with connect(server, token) as client:
        found = client.jobs(status or (), limit=limit)
        if as_json:
            for job in found:
                print(json.dumps(job.data, ensure_ascii=False))
            return
        for job in found:
            if job.status == "running":
                job.refresh()  # the list has no nodes
    if not found:
        print("There are no such jobs." if status else "There are no jobs yet.")
        return
    Terminal().print(_table(found, time.time()))


def _table(found: list[Job], now: float) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("number", "id", "status", "name", "nodes", "when", "took"):
        right = name in ("number", "took")
        table.add_column(name, justify="right" if right else "left", no_wrap=name != "name")
    for job in found:
        table.add_row(
            str(job.number),
            job.id,
            Text(job.status, _COLOURS.get(job.status, "")),
            Text(_name(job)),
            _nodes(job),
            f"{duration(now - job.data['submitted'])} ago",
            "" if job.seconds is None else duration(job.seconds),
        )
    return table


def _name(job: Job) -> str:
    name = job.name or str(job.data.get("path") or "")
    return f"{name}: {job.problem}" if job.problem else name


def _nodes(job: Job) -> str:
    """How far a job is, or what became of its nodes: `5 done`, `2 of 7 ran`."""
    counts = job.data.get("counts") or {}
    if counts:
        return f"{counts.get('ran', 0)} of {sum(counts.values())} ran"
    nodes = job.data.get("nodes") or {}
    finished = [node for node in nodes.values() if node["outcome"] != "running"]
    return f"{len(finished)} done" if nodes else ""
