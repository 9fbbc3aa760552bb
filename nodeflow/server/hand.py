"""Hand: what one worker has in hand, the job that it runs and those that were sent ahead."""

from __future__ import annotations

from nodeflow.server.line import Waiting
from nodeflow.server.worker_process import WorkerProcess

AHEAD = 8
"""Jobs that a worker has in hand beyond the one it runs, while jobs are short."""

SHORT_SECONDS = 0.05
"""A job as short as this is over before the next one could be sent for."""


class Hand:
    """The jobs of one worker, in the order in which it runs them.

    Attributes:
        running: Id of the job that it has begun; empty if there is none.
        short: Whether the last job was so short that several are sent at once.
    """

    def __init__(self, worker: WorkerProcess) -> None:
        self.worker = worker
        self.jobs: dict[str, Waiting] = {}
        self.running = ""
        self.short = False

    @property
    def has_room(self) -> bool:
        """Whether it may be sent a job now; not while one was asked back."""
        most = 1 + AHEAD if self.short else 1
        return self.worker.ready and len(self.jobs) < most and not self.recalls

    @property
    def recalls(self) -> bool:
        """Whether a job was asked back and is not yet."""
        return any(job.recalled for job in self.jobs.values())

    def ahead(self) -> list[Waiting]:
        """Jobs that it has, but did not begin."""
        return [job for job in self.jobs.values() if job.id != self.running]

    def begun(self, job: str) -> int:
        """The worker has begun a job, which can be asked back no more; which attempt that is."""
        self.running = job
        self.jobs[job].recalled = False
        return self.jobs[job].deaths + 1

    def ended(self, job: str, seconds: float) -> Waiting | None:
        """A job is over, or was given back."""
        if self.running == job:
            self.running = ""
            self.short = seconds < SHORT_SECONDS
        return self.jobs.pop(job, None)

    def dropped(self) -> tuple[str, list[Waiting]]:
        """The worker died: the job that it ran, and all that it had.

        What a worker says comes a moment late, so the first that it had counts as begun: else a
        job that ends its worker at once would be tried for ever.
        """
        running, self.running = self.running or next(iter(self.jobs), ""), ""
        jobs, self.jobs = self.jobs, {}
        self.short = False
        for job in jobs.values():
            job.recalled = False
        return running, list(jobs.values())
