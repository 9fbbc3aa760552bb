"""`nodeflow cancel`."""

from __future__ import annotations

from typing import Annotated

import typer

from nodeflow.cli.connecting import Server, Token, connect, find_job

app = typer.Typer()


@app.command("cancel")
def cancel(
    jobs: Annotated[
        list[str] | None,
        typer.Argument(metavar="JOB", help="Ids, or numbers, as `nodeflow jobs` prints them."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Cancel all that is queued or runs.")
    ] = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Cancel jobs of a server.

    What waits is cancelled at once, what runs within one step of its sampler. What was computed so
    far is kept. A job that is over stays as it is.
    """
    if bool(jobs) == everything:
        raise typer.BadParameter("Name jobs, or give --all.", param_hint="JOB")
    with connect(server, token) as client:
        if everything:
            count = client.cancel_all()
            print(f"Cancelled {count} {'job' if count == 1 else 'jobs'}.")
        # All are found before one is cancelled: a typo in the second is no reason to stop half-way.
        for job in [find_job(client, text) for text in jobs or []]:
            over = job.finished
            status = job.cancel().status
            print(f"{job.id}: {f'was {status} already' if over else _said(status)}")


def _said(status: str) -> str:
    # The answer may come before the sampler's step is over.
    return "is being cancelled" if status == "running" else status
