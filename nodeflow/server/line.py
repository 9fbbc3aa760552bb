"""Line: the jobs that wait, in the order in which they are begun."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass

from nodeflow.journal.records import JobRecord

GAP = 1.0
"""Between the positions of two jobs, and beside the first and the last."""


@dataclass(slots=True)
class Waiting:
    """A job that is not over.

    Attributes:
        deaths: How many workers have died of it since the server was started.
        recalled: A worker has it, did not begin it, and was asked to give it back.
        cancelled: Somebody does not want it any more.
    """

    id: str
    name: str
    number: int
    priority: int
    position: float
    document: str
    only: Sequence[str] = ()
    deaths: int = 0
    recalled: bool = False
    cancelled: bool = False

    @classmethod
    def of(cls, record: JobRecord) -> Waiting:
        return cls(
            record.id,
            record.name,
            record.number,
            record.priority,
            record.position,
            record.document,
            record.only,
        )

    @property
    def place(self) -> tuple[int, float, int]:
        """Sorts as jobs are begun."""
        return -self.priority, self.position, self.number


class Line:
    """Waiting jobs by priority, then position, then age."""

    def __init__(self) -> None:
        self._jobs: dict[str, Waiting] = {}
        self._order: list[tuple[tuple[int, float, int], str]] = []

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, job: Waiting) -> None:
        self._jobs[job.id] = job
        bisect.insort(self._order, (job.place, job.id))

    def find(self, job: str) -> Waiting | None:
        return self._jobs.get(job)

    def take(self, job: str) -> Waiting | None:
        """Take a job out of the line, if it is there."""
        found = self._jobs.pop(job, None)
        if found is not None:
            del self._order[bisect.bisect_left(self._order, (found.place, found.id))]
        return found

    def next(self) -> Waiting | None:
        """Take out the job that is to begin."""
        return self.take(self._order[0][1]) if self._order else None

    def all(self) -> list[Waiting]:
        """Every job, in order."""
        return [self._jobs[name] for _, name in self._order]

    def move(self, job: str, priority: int, position: float) -> None:
        found = self.take(job)
        if found is not None:
            found.priority, found.position = priority, position
            self.add(found)

    def beside(self, neighbour: Waiting, *, before: bool) -> float:
        """A position between a job and the next of its priority, on the side that is asked for."""
        index = bisect.bisect_left(self._order, (neighbour.place, neighbour.id))
        index += -1 if before else 1
        step = -GAP if before else GAP
        if 0 <= index < len(self._order):
            other = self._jobs[self._order[index][1]]
            if other.priority == neighbour.priority:
                step = (other.position - neighbour.position) / 2
        return neighbour.position + step
