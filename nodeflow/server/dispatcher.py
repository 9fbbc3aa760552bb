"""Dispatcher: gives jobs to workers in order, and acts on what workers say of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Literal

from nodeflow.errors import NodeflowError
from nodeflow.job_events import JobFinished, JobQueued, JobStarted, WorkerChanged
from nodeflow.journal.records import Document, JobRecord, NewJob
from nodeflow.server.endings import job_finished, without_places
from nodeflow.server.hand import Hand
from nodeflow.server.hub import Hub
from nodeflow.server.ledger import AGAIN_SECONDS, Ledger
from nodeflow.server.line import Line, Waiting
from nodeflow.server.worker_process import WorkerProcess
from nodeflow.worker.messages import (
    Begin,
    Cancel,
    Forget,
    Free,
    Freed,
    Happened,
    JobBegun,
    JobEnded,
    Message,
    Preview,
    Ready,
    Recall,
    Watch,
)

logger = logging.getLogger(__name__)

DEATHS = 2
"""A job that so many workers died of is given up."""

AHEAD_CHARACTERS = 16_000
"""Of a document that is sent to a worker while it is written: the journal writes longer ones to a
file first, and other events could overtake them."""

LOOK_SECONDS = 0.002
"""How often it is seen whether jobs that were asked back are."""


class Dispatcher:
    """The workers and what they have in hand; everything here happens on the event loop.

    Attributes:
        line: The jobs that no worker has yet.
        hands: What each worker has, by its name.
        paused: Whether jobs wait though a worker is free.
        deaths: How many workers have died.

    Args:
        outputs: Folder that jobs save in.
        workers: They are listened to; the caller starts them.
        heard: Called with the name of a worker and each of its messages.
    """

    def __init__(
        self,
        ledger: Ledger,
        hub: Hub,
        outputs: str,
        workers: Sequence[WorkerProcess],
        heard: Callable[[str, Message], None],
    ) -> None:
        self._ledger = ledger
        self._hub = hub
        self._outputs = outputs
        self._heard = heard
        self.line = Line()
        self.hands = {worker.name: Hand(worker) for worker in workers}
        self._freeing: dict[str, asyncio.Future[int]] = {}
        self._closing = False
        self._holds = 0
        self.paused = False
        self.deaths = 0
        for hand in self.hands.values():
            self._listen(hand)
        hub.on_watched = self._watch

    def close(self) -> None:
        """Hand out nothing more and listen no more; what runs is left to the next server."""
        self._closing = True
        for waiter in self._freeing.values():
            waiter.cancel()

    def take_up(self, job: Waiting, reason: str) -> None:
        """Put a job back in line that was running when its worker, or the server, was lost."""
        event = JobQueued(job.id, job.name, job.priority, job.position, reason=reason)
        self._ledger.keep([event])
        self.line.add(job)

    def begin_ahead(self, new: NewJob) -> Waiting | None:
        """Begin a job while the journal still writes it down, if a worker has nothing to do.

        Nobody was told of it yet, so if the power fails now it was never handed in. What happens
        to it is written behind it, in this order.
        """
        idle = next((hand for hand in self.hands.values() if hand.has_room and not hand.jobs), None)
        short = 0 < len(new.document.text) <= AHEAD_CHARACTERS
        if idle is None or len(self.line) or not self._may_begin or not short:
            return None
        job = Waiting(new.id, new.name, 0, new.priority, 0.0, new.document.digest, new.only)
        self._hand_over(idle, job, new.document)
        return job

    def settle(self, job: Waiting, record: JobRecord) -> None:
        """The journal has a job that was begun ahead: now it has its place in the line."""
        # Its worker may have died meanwhile; the line must not see its place change.
        waiting = self.line.take(job.id)
        job.number, job.position = record.number, record.position
        if waiting is not None:
            self.line.add(job)
            self.fill()

    def cancel(self, job: str) -> bool:
        """Stop a job that a worker has; False if none has it."""
        for hand in self.hands.values():
            if job in hand.jobs:
                hand.jobs[job].cancelled = True
                hand.worker.send(Cancel(job))
                return True
        return False

    def forget(self, jobs: Sequence[str]) -> None:
        """Jobs have left the history: a worker lets go of what was kept for them."""
        hand = next((hand for hand in self.hands.values() if hand.worker.ready), None)
        if hand is not None and jobs:
            hand.worker.send(Forget(list(jobs)))

    def free(self) -> dict[str, asyncio.Future[int]]:
        """Ask the workers to let go of their models and values, which each does between two jobs.

        Returns:
            By worker, the bytes that it holds once it has.
        """
        for name, hand in self.hands.items():
            if hand.worker.ready:
                self._freeing.setdefault(name, asyncio.get_running_loop().create_future())
                hand.worker.send(Free())
        return dict(self._freeing)

    def recall(self) -> None:
        """Ask for the jobs back that workers have in hand but did not begin."""
        for hand in self.hands.values():
            for job in hand.ahead():
                if not job.recalled:
                    job.recalled = True
                    hand.worker.send(Recall(job.id))

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """No worker has a job that it did not begin, and none is given one meanwhile."""
        self._holds += 1
        try:
            self.recall()
            while any(hand.recalls for hand in self.hands.values()):
                await asyncio.sleep(LOOK_SECONDS)
            yield
        finally:
            self._holds -= 1
            self.fill()

    # What workers say.

    def _listen(self, hand: Hand) -> None:
        hand.worker.on_message = lambda message: self._on_message(hand, message)
        hand.worker.on_started = lambda: self._on_worker(hand, "starting")
        hand.worker.on_death = lambda sentence: self._on_death(hand, sentence)

    def _on_message(self, hand: Hand, message: Message) -> None:
        if self._closing:
            return
        match message:
            case Happened():
                self._on_events(message)
            case Preview():
                self._hub.preview(message)
            case JobBegun() if message.job in hand.jobs:
                attempt = hand.begun(message.job)
                self._ledger.keep([JobStarted(message.job, hand.worker.name, attempt)])
            case JobEnded():
                self._on_ended(hand, message)
            case Ready():
                self._on_worker(hand, "ready")
                hand.worker.send(Watch(self._hub.watched))
                self.fill()
            case Freed() if (waiter := self._freeing.pop(hand.worker.name, None)) is not None:
                waiter.set_result(message.rss)
            case _:
                pass
        self._heard(hand.worker.name, message)

    def _on_events(self, message: Happened) -> None:
        kept = [
            without_places(event, self._outputs)
            for event in message.events
            if event["event"] != "node_progress"
        ]
        if kept:
            self._ledger.keep(kept)
        for event in message.events:
            if event["event"] == "node_progress":
                self._hub.progress(message.job, event)

    def _on_ended(self, hand: Hand, message: JobEnded) -> None:
        begun = hand.running == message.job
        job = hand.ended(message.job, message.seconds)
        if job is None:
            return
        if job.recalled and not begun and not job.cancelled:
            job.recalled = False
            self.line.add(job)
        else:
            self._hub.forget(job.id)
            event, results = job_finished(message)
            self._ledger.finish(event, message.nodes, results)
        self.fill()

    def _on_death(self, hand: Hand, sentence: str) -> None:
        if self._closing:
            return
        self.deaths += 1
        self._on_worker(hand, "died", sentence)
        running, jobs = hand.dropped()
        if (waiter := self._freeing.pop(hand.worker.name, None)) is not None:
            waiter.set_result(0)
        for job in jobs:
            if job.cancelled:
                self._ledger.finish(JobFinished(job.id, "cancelled", problem=sentence))
            elif job.id != running:
                self.line.add(job)
            else:
                self._retry(job, sentence)
        self.fill()

    def _retry(self, job: Waiting, sentence: str) -> None:
        self._hub.forget(job.id)
        job.deaths += 1
        if job.deaths < DEATHS:
            self.take_up(job, sentence)
            return
        problem = f"{sentence} It was tried {job.deaths} times, so the job is given up."
        self._ledger.finish(JobFinished(job.id, "failed", problem=problem))

    def _on_worker(
        self, hand: Hand, state: Literal["starting", "ready", "died"], sentence: str = ""
    ) -> None:
        if not self._closing:
            self._ledger.keep([WorkerChanged(hand.worker.name, state, sentence)])

    # Handing out.

    @property
    def _may_begin(self) -> bool:
        return not (self.paused or self._closing or self._holds)

    def fill(self) -> None:
        """Give every worker that has room the next job."""
        for hand in self.hands.values():
            while hand.has_room and self._may_begin:
                job = self.line.next()
                if job is None or not self._begin(hand, job):
                    return

    def _begin(self, hand: Hand, job: Waiting) -> bool:
        """Give a job to a worker; False if that has to be tried again later."""
        try:
            document = self._ledger.journal.document(job.document)
        except NodeflowError as error:
            logger.error("The workflow of job %s cannot be read: %s", job.id, error)
            self.line.add(job)
            asyncio.get_running_loop().call_later(AGAIN_SECONDS, self.fill)
            return False
        if document is None:
            problem = "Its workflow is gone from the journal; submit it anew."
            self._ledger.finish(JobFinished(job.id, "failed", problem=problem))
        else:
            self._hand_over(hand, job, document)
        return True

    def _hand_over(self, hand: Hand, job: Waiting, document: Document) -> None:
        hand.jobs[job.id] = job
        watched, only = self._hub.watched, list(job.only)
        hand.worker.send(Begin(job.id, document.text, document.file, self._outputs, watched, only))

    def _watch(self, watched: bool) -> None:
        for hand in self.hands.values():
            if hand.worker.ready:
                hand.worker.send(Watch(watched))
