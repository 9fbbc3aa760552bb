"""Workflows that a request only names: saved ones, and those that a job ran."""

from __future__ import annotations

import asyncio
from pathlib import Path

from nodeflow.journal.journal import Journal
from nodeflow.server.problems import HttpError
from nodeflow.server.shelf import Shelf
from nodeflow.server.submitting import SubmitBody


class NamedWorkflows:
    """Looks up what the desk is asked for by name; call it as the desk's `find`."""

    def __init__(self, shelf: Shelf, journal: Journal) -> None:
        self._shelf = shelf
        self._journal = journal

    async def __call__(self, body: SubmitBody) -> bytes | Path:
        """The text of a workflow, or the file that has it.

        Raises:
            HttpError: 404, there is no such workflow or job; 410, the job's workflow is gone.
        """
        return await asyncio.to_thread(self._look_up, body)

    def _look_up(self, body: SubmitBody) -> bytes | Path:
        if body.path is not None:
            return self._shelf.read(body.path).text
        job = self._journal.job(body.job or "")
        if job is None:
            raise HttpError(
                404, f"There is no job '{body.job}'; '/api/jobs' lists those there are."
            )
        document = self._journal.document(job.document)
        if document is None:
            raise HttpError(410, f"The workflow of the job '{body.job}' is gone from the journal.")
        return Path(document.file) if document.file else document.text.encode()
