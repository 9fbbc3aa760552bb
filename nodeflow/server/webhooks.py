"""Webhooks: addresses that are told when a job is over, again and again until they have heard."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from nodeflow.errors import NodeflowError
from nodeflow.journal.journal import Journal
from nodeflow.journal.records import Delivery, JobRecord
from nodeflow.server.result_urls import with_urls
from nodeflow.server.webhook_signing import signed
from nodeflow.server.webhook_targets import check_target, connector

logger = logging.getLogger(__name__)

PAUSES = (1, 5, 30, 300, 1800, 7200, 14_400, 28_800, 28_800)
"""Seconds before each further try; together a little less than a day."""

ANSWER_SECONDS = 10.0
AT_ONCE = 8
LOOK_SECONDS = 30.0
"""How often it is seen whether calls are due that an earlier server left."""

_GONE = 410


class Webhooks:
    """Calls the webhooks of jobs that are over. The journal knows which are due.

    Args:
        key: Signs the calls; from `webhook_signing.keep_secret`.
        private: Addresses of this machine and its own network may be called: right for a server
            that only this machine can reach.
        base: Address of this server, put before the addresses of results.
        pauses: See `PAUSES`.
    """

    def __init__(
        self,
        journal: Journal,
        key: bytes,
        *,
        private: bool,
        base: str = "",
        pauses: tuple[float, ...] = PAUSES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._journal = journal
        self._key = key
        self._private = private
        self._base = base
        self._pauses = pauses
        self._clock = clock
        self._due = asyncio.Event()
        self._calling: dict[int, asyncio.Task[None]] = {}

    async def check(self, url: str) -> None:
        """See that a webhook may be called, before its job is taken.

        Raises:
            HttpError: 422, it may not.
        """
        await check_target(url, private=self._private)

    def wake(self) -> None:
        """A job with a webhook is over; call it now."""
        self._due.set()

    async def run(self) -> None:
        """Call what is due, until this is cancelled."""
        timeout = ClientTimeout(total=ANSWER_SECONDS)
        try:
            async with ClientSession(
                connector=connector(private=self._private), timeout=timeout
            ) as session:
                while True:
                    self._due.clear()
                    await self._begin(session)
                    try:
                        async with asyncio.timeout(LOOK_SECONDS):
                            await self._due.wait()
                    except TimeoutError:
                        continue
        finally:
            for task in self._calling.values():
                task.cancel()

    async def _begin(self, session: ClientSession) -> None:
        """Start the calls that are due, as many as may run at once."""
        # Taken before the journal is read: a call may end meanwhile, and is due in what was read.
        calling = set(self._calling)
        room = AT_ONCE - len(calling)
        if room <= 0:
            return
        due = await asyncio.to_thread(self._journal.deliveries, self._clock())
        waiting = [delivery for delivery in due if delivery.id not in calling]
        for delivery in waiting[:room]:
            task = asyncio.create_task(self._call(session, delivery))
            self._calling[delivery.id] = task
            task.add_done_callback(partial(self._ended, delivery.id))

    def _ended(self, id: int, task: asyncio.Task[None]) -> None:
        del self._calling[id]
        self._due.set()

    async def _call(self, session: ClientSession, delivery: Delivery) -> None:
        """One try, and what it came to."""
        try:
            job = await asyncio.to_thread(self._journal.job, delivery.job)
            if job is None:
                await self._write(delivery, False, None, "its job left the history")
                return
            fault, final = await self._post(session, delivery, job)
            if not fault:
                await self._write(delivery, True, None, "")
                return
            tried = delivery.attempts
            pause = None if final or tried >= len(self._pauses) else self._pauses[tried]
            again = f"again in {pause:g} s" if pause is not None else "given up"
            logger.warning("The webhook of job %s: %s; %s.", delivery.job, fault, again)
            next_try = None if pause is None else self._clock() + pause
            await self._write(delivery, False, next_try, fault)
            if pause is not None:
                asyncio.get_running_loop().call_later(pause, self.wake)
        except NodeflowError as error:
            logger.error("The webhook of job %s is not written down: %s", delivery.job, error)
            # It is still due: without a pause it would be called over and over.
            await asyncio.sleep(LOOK_SECONDS)

    async def _write(self, delivery: Delivery, ok: bool, next_try: float | None, note: str) -> None:
        written = self._journal.delivered(delivery.id, ok=ok, next_try=next_try, note=note)
        await asyncio.wrap_future(written)

    async def _post(
        self, session: ClientSession, delivery: Delivery, job: JobRecord
    ) -> tuple[str, bool]:
        """What went wrong, empty if nothing did, and whether it is no use to try again."""
        body = json.dumps(self._message(job), ensure_ascii=False, separators=(",", ":")).encode()
        # The same for every try, so that a receiver can tell that it has heard before.
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "nodeflow",
            **signed(self._key, f"job_{job.id}", int(self._clock()), body),
        }
        try:
            async with session.post(
                delivery.url, data=body, headers=headers, allow_redirects=False
            ) as response:
                status = response.status
        except TimeoutError:
            return f"no answer within {ANSWER_SECONDS:g} s", False
        except (ClientError, OSError, ValueError) as error:
            return f"{type(error).__name__}: {error}", False
        if 200 <= status < 300:
            return "", True
        return f"it answered {status}", status == _GONE

    def _message(self, job: JobRecord) -> dict[str, Any]:
        finished = datetime.fromtimestamp(job.finished or self._clock(), UTC)
        return {
            "type": "job_finished",
            "timestamp": finished.isoformat(),
            "job": job.id,
            "status": job.status,
            "name": job.name,
            "path": job.path,
            "seconds": job.seconds,
            "outputs": with_urls(job.outputs, self._base),
            "problem": job.problem,
        }
