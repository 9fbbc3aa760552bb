"""Kills a server, or its worker, at random moments again and again, then audits what is left.

Every acknowledged job must be done; nothing that was told to be finished may have run again; no
file may be half written or there twice; one Idempotency-Key must have made one job.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
from measures import read_packs
from serving import Server, client

CHAIN = 3
"""Traced nodes of a job."""


@dataclass
class Soak:
    """What was handed in, and what the server said.

    Attributes:
        keys: By Idempotency-Key, the number in the workflow.
        acknowledged: By Idempotency-Key, the job.
    """

    place: Path
    chance: random.Random
    keys: dict[str, int] = field(default_factory=dict)
    workflows: dict[str, Any] = field(default_factory=dict)
    acknowledged: dict[str, str] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)

    @property
    def trace(self) -> Path:
        return self.place / "trace.txt"

    def workflow(self, number: int) -> dict[str, Any]:
        """A chain of traced nodes, then a file."""
        nodes: dict[str, Any] = {}
        source: Any = number * 10
        for step in range(CHAIN):
            name = f"step{step}"
            inputs = {
                "number": source,
                "trace": str(self.trace),
                "name": f"{number}/{name}",
                "seconds": round(self.chance.uniform(0.0, 0.06), 3),
            }
            nodes[name] = {"type": "bench.traced", "inputs": inputs}
            source = {"node": name, "output": "number"}
        inputs = {"number": source, "name": f"job{number}"}
        nodes["save"] = {"type": "bench.save_number", "inputs": inputs}
        return {"nodeflow": 1, "name": f"job {number}", "nodes": nodes}

    async def hand_in(self, session: aiohttp.ClientSession, url: str, key: str) -> None:
        body = {"workflow": self.workflows[key]}
        async with session.post(
            f"{url}/api/jobs", json=body, headers={"Idempotency-Key": key}
        ) as answer:
            told = await answer.json()
            if answer.status != 202:
                raise RuntimeError(f"{answer.status}: {told}")
            before = self.acknowledged.setdefault(key, told["id"])
            if before != told["id"]:
                raise RuntimeError(f"the key {key} made two jobs: {before} and {told['id']}")

    def repeated(self) -> list[str]:
        """Now and then a request whose answer was heard, to be sent once more."""
        heard = list(self.acknowledged)
        return [self.chance.choice(heard)] if heard and self.chance.random() < 0.1 else []

    async def work(self, url: str) -> None:
        """Hand in jobs, first those that nobody acknowledged, until the server is gone."""
        async with aiohttp.ClientSession() as session:
            while True:
                open_keys = [key for key in self.keys if key not in self.acknowledged]
                for key in open_keys + self.repeated():
                    await self.hand_in(session, url, key)
                number = len(self.keys)
                key = f"key-{number}"
                self.workflows[key] = self.workflow(number)
                self.keys[key] = number
                await self.hand_in(session, url, key)
                await asyncio.sleep(self.chance.uniform(0.0, 0.15))


async def one_round(soak: Soak, server: Server) -> None:
    """Work for a moment, then end something in the middle of it."""
    task = asyncio.create_task(soak.work(server.url))
    await asyncio.sleep(soak.chance.uniform(0.05, 1.2))
    if soak.chance.random() < 0.3 and (worker := await _worker(server)) is not None:
        soak.kills["worker"] += 1
        os.kill(worker, signal.SIGKILL)
        await asyncio.sleep(soak.chance.uniform(0.0, 0.5))
    assert server.process is not None
    soak.kills["server"] += 1
    server.process.send_signal(signal.SIGKILL)
    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
        await task
    server.kill()


async def _worker(server: Server) -> int | None:
    async with aiohttp.ClientSession() as session, session.get(f"{server.url}/api/system") as got:
        pid: int | None = (await got.json())["workers"][0]["pid"]
        return pid


async def audit(soak: Soak, server: Server) -> list[str]:
    """Everything that is wrong once all jobs are over."""
    faults: list[str] = []
    async with client(server) as found:
        async with aiohttp.ClientSession() as session:
            for key in soak.keys:
                if key not in soak.acknowledged:
                    await soak.hand_in(session, server.url, key)
        jobs = await _all_over(found, set(soak.acknowledged.values()))
        events = await _events(found)
    faults += [f"job {job} is lost" for job in soak.acknowledged.values() if job not in jobs]
    for name, job in jobs.items():
        if job["status"] != "done":
            faults.append(f"job {name} {job['status']}: {job['problem']}")
    faults += _ran_again(soak, events)
    faults += _files(soak)
    if len(jobs) != len(soak.keys):
        faults.append(f"{len(soak.keys)} keys made {len(jobs)} jobs")
    return faults


async def _all_over(found: Any, wanted: set[str]) -> dict[str, Any]:
    end = time.monotonic() + 600
    while time.monotonic() < end:
        jobs: dict[str, Any] = {}
        before: int | None = None
        while True:
            tail = f"&before={before}" if before else ""
            page = await found.ask("GET", f"/api/jobs?limit=1000{tail}")
            jobs |= {job["id"]: job for job in page["jobs"]}
            before = page["next"]
            if before is None:
                break
        if all(job["finished"] is not None for job in jobs.values()):
            return jobs
        await asyncio.sleep(0.2)
    raise RuntimeError("after ten minutes jobs are still queued")


async def _events(found: Any) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    async with found.session.ws_connect(
        f"{found.url}/api/events?after=0", max_msg_size=0
    ) as socket:
        last = None
        while last is None or (events[-1]["seq"] if events else 0) < last:
            frame = json.loads((await socket.receive()).data)
            last = frame.get("last", last)
            events += [event for event in frame["events"] if "seq" in event]
    return events


def _ran_again(soak: Soak, events: list[dict[str, Any]]) -> list[str]:
    """Nodes that ran after it was told that they are finished, and saves that ran twice."""
    numbers = {job: soak.keys[key] for key, job in soak.acknowledged.items()}
    told: dict[str, float] = {}
    saved: Counter[str] = Counter()
    for event in events:
        if event["event"] != "node_finished" or event["outcome"] != "ran":
            continue
        name = f"{numbers[event['job']]}/{event['node']}"
        told.setdefault(name, event["time"])
        if event["node"] == "save":
            saved[name] += 1
    faults = [f"{name} saved {count} times" for name, count in saved.items() if count > 1]
    for line in soak.trace.read_text().splitlines():
        name, _, moment = line.partition(" ")
        if name in told and float(moment) > told[name]:
            faults.append(f"{name} ran at {moment}, though it was finished at {told[name]}")
    return faults


def _files(soak: Soak) -> list[str]:
    """Files that are missing, half written or there twice."""
    faults = []
    outputs = soak.place / "data" / "outputs"
    there = Counter(path.name.rpartition("_")[0] for path in outputs.rglob("*") if path.is_file())
    for number in soak.keys.values():
        if there.pop(f"job{number}", 0) != 1:
            faults.append(f"job {number} has not exactly one file")
            continue
        text = next(outputs.rglob(f"job{number}_*.txt")).read_text()
        if text != f"{number * 10 + CHAIN}\n":
            faults.append(f"the file of job {number} holds {text!r}")
    return faults + [f"'{name}' lies among the outputs" for name in there]


def soak(rounds: int, seed: int) -> int:
    """Run the rounds, audit, and give the number of faults."""
    with TemporaryDirectory(prefix="nodeflow-soak-") as name:
        place = Path(name)
        specs = place / "cache" / "specs"
        specs.mkdir(parents=True)
        read_packs(specs)
        found = Soak(place, random.Random(seed))
        with Server(place) as server:
            for number in range(rounds):
                server.start()
                asyncio.run(one_round(found, server))
                if sys.stdout.isatty() or number % 20 == 0:
                    print(f"round {number + 1} of {rounds}: {len(found.keys)} jobs", flush=True)
            server.start()
            faults = asyncio.run(audit(found, server))
    for fault in faults:
        print(fault)
    print(
        f"{rounds} rounds, {found.kills['server']} kills of the server, {found.kills['worker']} of "
        f"the worker, {len(found.keys)} jobs, {len(faults)} faults (seed {seed})."
    )
    return len(faults)


if __name__ == "__main__":
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--rounds", type=int, default=200)
    reader.add_argument("--seed", type=int, default=None)
    given = reader.parse_args()
    chosen = random.SystemRandom().randrange(1 << 32) if given.seed is None else given.seed
    sys.exit(1 if soak(given.rounds, chosen) else 0)
