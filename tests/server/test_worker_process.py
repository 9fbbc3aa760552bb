"""Processes that die in every way, and the one that watches them."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from nodeflow.errors import SettingsError
from nodeflow.server import worker_process
from nodeflow.server.worker_process import WorkerProcess, environment_of
from nodeflow.settings import Settings
from nodeflow.worker.messages import Cancel, Happened, Message, Ready

HERE = Path(__file__).parent


class Watched:
    """A worker process with all that it said and what became of it."""

    def __init__(self, *arguments: str, heartbeat: float = 30.0) -> None:
        environment = {"PYTHONPATH": str(HERE)}
        self.process = WorkerProcess(
            "toy", "obedient", arguments, heartbeat=heartbeat, environment=environment
        )
        self.messages: list[Message] = []
        self.deaths: list[str] = []
        self.starts = 0
        self.process.on_message = self.messages.append
        self.process.on_death = self.deaths.append
        self.process.on_started = self._on_started

    def _on_started(self) -> None:
        self.starts += 1

    def tell(self, what: str) -> None:
        self.process.send(Cancel(what))

    async def until(self, true: Callable[[], object], seconds: float = 30) -> None:
        async with asyncio.timeout(seconds):
            while not true():
                await asyncio.sleep(0.005)

    async def death(self) -> str:
        """The sentence of the next death."""
        count = len(self.deaths)
        await self.until(lambda: len(self.deaths) > count)
        return self.deaths[-1]


@asynccontextmanager
async def watched(*arguments: str, heartbeat: float = 30.0) -> AsyncIterator[Watched]:
    toy = Watched(*arguments, heartbeat=heartbeat)
    await toy.process.start()
    try:
        await toy.until(lambda: toy.process.ready or "--last-breath" in arguments)
        yield toy
    finally:
        await toy.process.stop(grace=1)


async def test_a_process_says_that_it_is_ready_and_what_memory_it_holds():
    async with watched() as toy:
        await toy.until(lambda: toy.process.rss)
        assert toy.starts == 1
        assert any(isinstance(message, Ready) for message in toy.messages)
        assert toy.process.pid == next(m.pid for m in toy.messages if isinstance(m, Ready))
        assert toy.process.rss > 5_000_000
    assert toy.process.pid is None
    assert toy.deaths == []


@pytest.mark.parametrize(
    ("way", "sentence"),
    [
        ("crash", r"The worker crashed \(Segmentation fault\) at server/obedient.py, line \d+, in"),
        ("abort", r"The worker crashed \(Aborted\) at server/obedient.py, line \d+, in receive\."),
        ("leave", r"with exit code 7; the last it said is: ValueError: no more apples\.$"),
        ("leave a child", r"The worker ended by itself with exit code 5\.$"),
        ("be killed", r"killed by the system, probably out of memory: it held \d+ MB when it was"),
        ("be terminated", r"The worker was ended from outside by SIGTERM\."),
        ("babble", r"The worker was killed since it sent something that is no message\."),
        ("hang up", r"The worker closed its pipe to the server\."),
    ],
)
async def test_a_death_is_told_with_its_reason_and_the_process_starts_again(way, sentence):
    async with watched() as toy:
        await toy.until(lambda: toy.process.rss)
        first = toy.process.pid
        toy.tell(way)
        said = await toy.death()
        assert re.search(sentence, said), said
        assert not toy.process.ready
        await toy.until(lambda: toy.process.ready)
        assert toy.process.pid not in (None, first)
        assert toy.starts == 2


async def test_a_kill_is_noticed_at_once():
    async with watched() as toy:
        os.kill(toy.process.pid, signal.SIGKILL)
        killed = time.monotonic()
        await toy.death()
        assert time.monotonic() - killed < 0.5


async def test_a_process_that_is_silent_is_killed_and_started_again():
    async with watched(heartbeat=2.5) as toy:
        toy.tell("freeze")
        frozen = time.monotonic()
        assert await toy.death() == "The worker was killed since it did not answer for 2.5 seconds."
        assert 1 < time.monotonic() - frozen < 5
        await toy.until(lambda: toy.process.ready)


async def test_a_process_that_is_heard_of_is_not_taken_for_silent():
    async with watched(heartbeat=2.5) as toy:
        await asyncio.sleep(4)
        assert toy.deaths == []


async def test_a_process_that_dies_at_its_start_is_started_with_growing_pauses():
    async with watched("--last-breath") as toy:
        began = []
        for _ in range(4):
            await toy.death()
            began.append(time.monotonic())
        gaps = [later - earlier for earlier, later in pairwise(began)]
        assert gaps[0] >= 0.1
        assert gaps[1] >= 0.2
        assert gaps[2] >= 0.4
        asked = time.monotonic()
        await toy.process.stop()
        assert time.monotonic() - asked < 2
        count = toy.starts
        await asyncio.sleep(1)
        assert toy.starts == count


async def test_what_cannot_be_started_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing"))
    toy = Watched()
    await toy.process.start()
    try:
        await toy.until(lambda: toy.deaths)
        assert toy.deaths[0] == "The worker could not be started: No such file or directory."
    finally:
        await toy.process.stop()


async def test_a_process_that_ignores_its_stop_is_terminated():
    async with watched() as toy:
        pid = toy.process.pid
        toy.tell("ignore")
        asked = time.monotonic()
        await toy.process.stop(grace=0.3)
        assert 0.3 <= time.monotonic() - asked < 1.2
        assert not Path(f"/proc/{pid}").exists()
        assert toy.deaths == []


async def test_a_process_that_ignores_all_is_killed():
    async with watched("--deaf") as toy:
        pid = toy.process.pid
        toy.tell("ignore")
        asked = time.monotonic()
        await toy.process.stop(grace=0.2)
        assert 1.0 <= time.monotonic() - asked < 4
        assert not Path(f"/proc/{pid}").exists()


async def test_killing_a_process_by_hand_starts_another():
    async with watched() as toy:
        toy.process.kill()
        assert await toy.death() == "The worker was ended by the server."
        await toy.until(lambda: toy.process.ready)


async def test_what_a_process_prints_is_logged_and_harms_nothing(caplog):
    caplog.set_level(logging.INFO, "nodeflow.worker")
    async with watched() as toy:
        toy.tell("print")
        await toy.until(lambda: "from below" in toy.process.last_lines)
        assert "from below" in [record.getMessage() for record in caplog.records]
        toy.tell("flood")
        await toy.until(lambda: any(isinstance(message, Happened) for message in toy.messages))
        assert toy.deaths == []


async def test_a_flood_of_messages_arrives_whole_in_order_and_lets_others_work():
    async with watched() as toy:
        longest, last = 0.0, time.monotonic()

        async def others() -> None:
            nonlocal longest, last
            while True:
                await asyncio.sleep(0)
                longest, last = max(longest, time.monotonic() - last), time.monotonic()

        other = asyncio.create_task(others())
        began = time.monotonic()
        toy.tell("flood")
        await toy.until(lambda: sum(isinstance(m, Happened) for m in toy.messages) == 20_000)
        took = time.monotonic() - began
        other.cancel()
        numbers = [m.events[0]["number"] for m in toy.messages if isinstance(m, Happened)]
        assert numbers == list(range(20_000))
        print(f"{20_000 / took:.0f} messages per second, the longest stall {longest * 1000:.1f} ms")
        assert took < 10
        assert longest < 0.25


async def test_a_fault_in_what_listens_does_not_end_the_watch(caplog):
    async with watched() as toy:

        def refuse(message: Message) -> None:
            raise RuntimeError("not today")

        toy.process.on_message = refuse
        await asyncio.sleep(1.2)
        assert "not today" in caplog.text
        toy.process.on_message = toy.messages.append
        toy.messages.clear()
        await toy.until(lambda: toy.messages)
        assert toy.deaths == []


def test_settings_arrive_in_another_process_as_they_are(tmp_path, monkeypatch):
    folders = (tmp_path / "one", tmp_path / "two")
    settings = Settings(
        packs=folders, data=tmp_path / "d", memory="123 MB", cpu_threads=3, compile="blocks"
    )
    for name in [name for name in os.environ if name.startswith("NODEFLOW_")]:
        monkeypatch.delenv(name)
    told = subprocess.run(
        [sys.executable, "-c", "from nodeflow.settings import *; print(repr(Settings()))"],
        env={**os.environ, **environment_of(settings)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert told.stdout.strip() == repr(settings)


def test_a_folder_whose_name_cannot_stand_in_a_list_is_refused(tmp_path):
    settings = Settings(models=(tmp_path / "a:b",), data=tmp_path)
    with pytest.raises(SettingsError, match=r"a:b' of the setting 'models' has a ':' in its name"):
        environment_of(settings)


def test_the_pause_between_starts_is_bounded():
    assert worker_process.FIRST_PAUSE == 0.1
    assert worker_process.LONGEST_PAUSE == 5.0
