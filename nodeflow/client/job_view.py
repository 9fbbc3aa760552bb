"""JobView: what is known of a job, whoever asks; and what its end means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from nodeflow.client.errors import JobFailed
from nodeflow.client.operations import JobData
from nodeflow.errors import Cancelled, NodeflowError
from nodeflow.job_events import FINISHED, JobStatus


class JobView:
    """A job as it was when the server last told of it.

    Attributes:
        data: All that the server said.
    """

    def __init__(self, data: JobData) -> None:
        self.data = data

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} {self.status}>"

    @property
    def id(self) -> str:
        return str(self.data["id"])

    @property
    def number(self) -> int:
        """Counts up; for people."""
        return int(self.data.get("number") or 0)

    @property
    def name(self) -> str:
        """Of the workflow."""
        return str(self.data.get("name") or "")

    @property
    def status(self) -> JobStatus:
        status: JobStatus = self.data["status"]
        return status

    @property
    def finished(self) -> bool:
        """Whether it is over, however it ended."""
        return self.status in FINISHED

    @property
    def problem(self) -> str:
        """Why it failed, as a sentence; empty if it did not."""
        return str(self.data.get("problem") or "")

    @property
    def seconds(self) -> float | None:
        """How long it ran; None until it is over."""
        return self.data.get("seconds")

    def _made(self, kind: str) -> Mapping[str, Any]:
        """The outputs or files of a job that is over.

        Raises:
            NodeflowError: It is not.
        """
        if not self.finished:
            raise NodeflowError(f"The job {self.id} is {self.status}; wait for it first.")
        found: Mapping[str, Any] = self.data.get(kind) or {}
        return found

    def raise_if_failed(self) -> Self:
        """Itself, if nothing went wrong.

        Raises:
            JobFailed: A node failed; with the server's sentence.
            Cancelled: Somebody cancelled it.
        """
        if self.status == "cancelled":
            raise Cancelled
        if self.status == "failed":
            raise JobFailed(self.id, self.problem or f"The job {self.id} failed.")
        return self


def overdue(job: str, seconds: float) -> TimeoutError:
    """The error of a wait that was long enough; the job goes on."""
    return TimeoutError(
        f"The job {job} was not over after {seconds:g} s. It goes on; wait again, or cancel it."
    )
