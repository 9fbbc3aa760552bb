"""A server process of our own, and a client that measures it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psutil

HERE = Path(__file__).parent
FINISHED = ("done", "failed", "cancelled")


@dataclass
class Server:
    """A server on a folder; it may be killed and started again there."""

    place: Path
    url: str = ""
    process: subprocess.Popen[str] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    def begin(self, port: int = 0) -> float:
        """Start the process, and give the time at which that was asked for."""
        variables = {
            "NODEFLOW_DATA": str(self.place / "data"),
            "NODEFLOW_CACHE": str(self.place / "cache"),
            "NODEFLOW_PACKS": str(HERE / "packs"),
            **self.environment,
        }
        began = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nodeflow.cli", "serve", "--no-build", "--port", str(port)],
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            stderr=(self.place / "stderr.txt").open("a"),
            text=True,
        )
        return began

    def start(self) -> Server:
        """Start it and wait until it says where it is."""
        self.begin()
        assert self.process is not None
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if "serves at" not in line:
            raise RuntimeError((self.place / "stderr.txt").read_text() or "the server ended")
        self.url = line.split("serves at ")[1].split()[0]
        return self

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(30)
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    @property
    def rss(self) -> int:
        assert self.process is not None
        found: int = psutil.Process(self.process.pid).memory_info().rss
        return found

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class Watcher:
    """A WebSocket client that knows which jobs are over, and counts what it was sent."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._waiting: dict[str, asyncio.Future[str]] = {}
        self._over: dict[str, str] = {}
        self.bytes = 0
        self.events: list[str] = []

    async def read(self) -> None:
        async for message in self._socket:
            self.bytes += len(message.data)
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            for event in json.loads(message.data)["events"]:
                self.events.append(event["event"])
                if event["event"] == "job_finished":
                    self._over[event["job"]] = event["status"]
                    waiter = self._waiting.pop(event["job"], None)
                    if waiter is not None and not waiter.done():
                        waiter.set_result(event["status"])

    async def over(self, job: str) -> str:
        """How a job ended, once its last event is here."""
        if job in self._over:
            return self._over[job]
        loop = asyncio.get_running_loop()
        return await self._waiting.setdefault(job, loop.create_future())

    async def all_over(self, jobs: Iterable[str]) -> None:
        for job in jobs:
            status = await self.over(job)
            if status != "done":
                raise RuntimeError(f"the job {job} {status}")


class Client:
    """Asks a server for what the benchmarks need."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.session = session

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        async with self.session.request(method, self.url + path, json=body) as answer:
            text = await answer.read()
            if answer.status >= 400:
                raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}")
            return json.loads(text) if text else None

    async def submit(self, workflow: Mapping[str, Any]) -> str:
        accepted = await self.ask("POST", "/api/jobs", {"workflow": workflow})
        found: str = accepted["id"]
        return found

    async def ready(self) -> None:
        """Wait until the worker takes jobs."""
        for _ in range(2000):
            system = await self.ask("GET", "/api/system")
            if all(worker["state"] == "ready" for worker in system["workers"]):
                return
            await asyncio.sleep(0.05)
        raise RuntimeError("the worker is not ready")

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[Watcher]:
        async with self.session.ws_connect(self.url + "/api/events", max_msg_size=0) as socket:
            watcher = Watcher(socket)
            task = asyncio.create_task(watcher.read())
            try:
                yield watcher
            finally:
                task.cancel()


@asynccontextmanager
async def client(server: Server) -> AsyncIterator[Client]:
    """A client of a server whose worker is ready."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        found = Client(server.url, session)
        await found.ready()
        yield found
