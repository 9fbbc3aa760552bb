"""What the commands that talk to a server share: which one, and which job is meant."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from nodeflow.client.client import Client
from nodeflow.client.job import Job
from nodeflow.errors import InputError

Server = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Address of the server; NODEFLOW_SERVER if not given."),
]
Token = Annotated[
    str | None, typer.Option(help="What the server wants; better kept in NODEFLOW_TOKEN.")
]

_ID_LENGTH = 16
_LOOKED_AT = 1000


def connect(server: str | None, token: str | None, *, forever: bool = False) -> Client:
    """A client of the server that is meant.

    Args:
        forever: Wait for a server that went away for as long as it takes.
    """
    if forever:
        return Client(server, token, patience=math.inf)
    return Client(server, token)


def find_job(client: Client, text: str) -> Job:
    """The job of an id, of the beginning of one, or of a number as `nodeflow jobs` prints it.

    Raises:
        InputError: None fits, or several do.
        ServerError: There is none of this id.
    """
    if len(text) >= _ID_LENGTH:
        return client.job(text)
    known = client.jobs(limit=_LOOKED_AT)
    number = text.removeprefix("#")
    fits = [job for job in known if str(job.number) == number]
    fits = fits or [job for job in known if text and job.id.startswith(text)]
    if len(fits) != 1:
        what = "more than one job" if fits else "no job"
        raise InputError(f"'{text}' means {what}; `nodeflow jobs` lists them, with ids and numbers")
    return fits[0].refresh()
