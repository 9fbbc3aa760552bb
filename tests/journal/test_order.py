"""The queue and the events of a journal, against a model of a few lines."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from nodeflow.job_events import JobFinished, JobMoved, JobQueued, JobStarted
from nodeflow.journal.journal import Journal
from nodeflow.journal.records import Kept
from tests.journal.journal_tools import Clock, new_job

PRIORITIES = st.integers(-2, 2)


@dataclass
class Model:
    """What the journal should say."""

    waiting: dict[str, tuple[int, float]] = field(default_factory=dict)
    running: dict[str, tuple[int, float]] = field(default_factory=dict)
    over: list[str] = field(default_factory=list)
    last: float = 0.0

    def order(self) -> list[str]:
        return [
            id
            for jobs in (self.running, self.waiting)
            for id, _ in sorted(jobs.items(), key=lambda item: (-item[1][0], item[1][1]))
        ]


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.model = Model()
        self.events: list[Kept] = []
        self.count = 0
        self.open()

    def open(self) -> None:
        self.journal = Journal(Path(self.folder.name), clock=Clock())
        self.journal.committed = self.events.extend

    @rule(priorities=st.lists(PRIORITIES, min_size=1, max_size=3), waits=st.booleans())
    def submit(self, priorities: list[int], waits: bool) -> None:
        ids = [f"j{self.count + i}" for i in range(len(priorities))]
        self.count += len(ids)
        jobs = [
            new_job(id, priority=priority) for id, priority in zip(ids, priorities, strict=True)
        ]
        future = self.journal.submit(jobs)
        placed = future.result().jobs
        for job in placed:
            others = [*self.model.waiting.values(), *self.model.running.values()]
            assert all(job.position > position for _, position in others)
            self.model.waiting[job.id] = (job.priority, job.position)

    @precondition(lambda self: self.model.waiting)
    @rule(data=st.data())
    def start(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(list(self.model.waiting)))
        self.journal.append([JobStarted(id, "cpu")])
        self.model.running[id] = self.model.waiting.pop(id)

    @precondition(lambda self: self.model.running)
    @rule(data=st.data())
    def wait_again(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(list(self.model.running)))
        place = self.model.running.pop(id)
        self.journal.append([JobQueued(id, id, *place, reason="The worker died.")])
        self.model.waiting[id] = place

    @precondition(lambda self: self.model.waiting)
    @rule(data=st.data(), priority=PRIORITIES, position=st.floats(-10, 10))
    def move(self, data: st.DataObject, priority: int, position: float) -> None:
        id = data.draw(st.sampled_from(list(self.model.waiting)))
        taken = [*self.model.waiting.values(), *self.model.running.values()]
        if (priority, position) in taken or any(position == place for _, place in taken):
            return
        self.journal.append([JobMoved(id, priority, position)])
        self.model.waiting[id] = (priority, position)

    @precondition(lambda self: self.model.order())
    @rule(data=st.data(), status=st.sampled_from(["done", "failed", "cancelled"]))
    def finish(self, data: st.DataObject, status: str) -> None:
        id = data.draw(st.sampled_from(self.model.order()))
        self.journal.finish(JobFinished(id, status))  # type: ignore[arg-type]  # one of three
        self.model.waiting.pop(id, None)
        self.model.running.pop(id, None)
        self.model.over.append(id)

    @precondition(lambda self: self.model.over)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(self.model.over))
        self.model.over.remove(id)
        self.journal.remove([id]).result()
        self.events[:] = [
            kept for kept in self.events if kept.job != id or kept.event == "job_removed"
        ]

    @rule()
    def restart(self) -> None:
        self.journal.close()
        self.open()

    @rule(data=st.data())
    def resume(self, data: st.DataObject) -> None:
        """From any number on, in parts of any size, there is exactly the tail of all events."""
        self.journal.append([]).result()  # all that waits is committed now
        oldest, last = self.journal.bounds()
        assert [oldest, last] == [
            self.events[0].seq if self.events else last + 1,
            self.events[-1].seq if self.events else last,
        ]
        at = data.draw(st.integers(0, last + 1))
        part = data.draw(st.integers(1, 5))
        tail = [kept for kept in self.events if kept.seq > at]
        found: list[Kept] = []
        while more := self.journal.events_after(at, part):
            assert len(more) <= part
            found += more
            at = more[-1].seq
        assert found == tail

    @invariant()
    def the_queue_is_in_order(self) -> None:
        self.journal.append([]).result()
        assert [job.id for job in self.journal.unfinished()] == self.model.order()
        counts = self.journal.counts()
        assert counts.get("queued", 0) == len(self.model.waiting)
        assert counts.get("running", 0) == len(self.model.running)

    def teardown(self) -> None:
        self.journal.close()
        self.folder.cleanup()


TestTheQueueAndItsEvents = Machine.TestCase
TestTheQueueAndItsEvents.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
