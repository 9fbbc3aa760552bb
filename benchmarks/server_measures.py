"""What is measured of a server; each function starts one and gives rows of the table."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import graphs
from measures import MB, Row, folder
from serving import Client, Server, Watcher, client

from nodeflow import Workflow

ROUNDS = 200


def document(flow: Workflow) -> dict[str, Any]:
    """A workflow as it is handed in."""
    found: dict[str, Any] = json.loads(flow.dumps())
    return found


def trivial(number: int) -> dict[str, Any]:
    """A node that adds two numbers, and was not run before."""
    return document(graphs.chain(1, start=number))


def start(specs: Path) -> list[Row]:
    """From nothing to the first answers, and what the idle process occupies."""
    with folder(specs) as place, Server(place) as server:
        port = _free_port()
        began = server.begin(port)
        server.url = f"http://127.0.0.1:{port}"
        healthy = asyncio.run(_first_answer(server, "/healthz", began))
        nodes = asyncio.run(_first_answer(server, "/api/nodes", began))
        asyncio.run(_settled(server))
        rss = server.rss
    return [
        Row("process start to /healthz", "<= 0.8 s", f"{healthy:.2f} s", healthy <= 0.8),
        Row("process start to /api/nodes", "<= 1.2 s", f"{nodes:.2f} s", nodes <= 1.2),
        Row("RSS of the idle server", "<= 120 MB", f"{rss / 1e6:.0f} MB", rss <= 120e6),
    ]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found: int = listener.getsockname()[1]
    return found


async def _first_answer(server: Server, path: str, began: float) -> float:
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(server.url + path) as answer:
                    await answer.read()
                    if answer.status == 200:
                        return time.perf_counter() - began
            except aiohttp.ClientError:
                await asyncio.sleep(0.005)


async def _settled(server: Server) -> None:
    async with client(server):
        await asyncio.sleep(1.0)


@asynccontextmanager
async def watched(server: Server) -> AsyncIterator[tuple[Client, Watcher]]:
    """A client and its watcher, after the first jobs: imports are no matter of speed."""
    async with client(server) as found, found.watching() as watcher:
        for number in range(-20, 0):
            await watcher.over(await found.submit(trivial(number)))
        yield found, watcher


async def one_by_one(
    found: Client, watcher: Watcher, first: int, rounds: int = ROUNDS
) -> list[float]:
    """Seconds of each job from handing it in to hearing that it is done."""
    taken = []
    for number in range(first, first + rounds):
        flow = trivial(number)
        began = time.perf_counter()
        await watcher.all_over([await found.submit(flow)])
        taken.append(time.perf_counter() - began)
    return taken


def jobs(specs: Path) -> list[Row]:
    """How many trivial jobs get through in a second, and how long one takes that is cached."""

    async def measure(server: Server) -> list[Row]:
        async with watched(server) as (found, watcher):
            each = await one_by_one(found, watcher, 1000)
            rate = len(each) / sum(each)
            queued = max([await _queued(found, watcher, 10_000 * k) for k in range(1, 4)])
            cached = []
            for _ in range(ROUNDS):
                began = time.perf_counter()
                await watcher.all_over([await found.submit(trivial(1000))])
                cached.append(time.perf_counter() - began)
        median = statistics.median(cached) * 1e3
        return [
            Row("trivial jobs, one at a time", ">= 400 /s", f"{rate:.0f} /s", rate >= 400),
            Row("trivial jobs, 200 queued", ">= 1000 /s", f"{queued:.0f} /s", queued >= 1000),
            Row("cached job to done event", "<= 2.5 ms", f"{median:.2f} ms", median <= 2.5),
        ]

    return _with_server(specs, measure)


async def _queued(found: Client, watcher: Watcher, first: int) -> float:
    """Jobs in a second once the queue, which was paused, goes on."""
    await found.ask("PATCH", "/api/queue", {"paused": True})
    flows = [trivial(first + number) for number in range(ROUNDS)]
    handed_in = await asyncio.gather(*(found.submit(flow) for flow in flows))
    began = time.perf_counter()
    await found.ask("PATCH", "/api/queue", {"paused": False})
    await watcher.all_over(handed_in)
    return ROUNDS / (time.perf_counter() - began)


def wide(specs: Path) -> list[Row]:
    """A graph of 1,000 nodes side by side, and who watches it."""

    async def measure(server: Server) -> list[Row]:
        async with watched(server) as (found, watcher):
            before = watcher.bytes
            flow = document(graphs.wide(1000, start=7))
            began = time.perf_counter()
            await watcher.all_over([await found.submit(flow)])
            wall, sent = time.perf_counter() - began, watcher.bytes - before
            finished = watcher.events.count("node_finished")
            if finished < 1000:
                raise RuntimeError(f"{finished} nodes of 1,000 were told of")
        return [
            Row("1,000 nodes: bytes to a watcher", "<= 1 MB", f"{sent / MB:.2f} MB", sent <= MB),
            Row("1,000 nodes: POST to done event", "<= 0.5 s", f"{wall:.2f} s", wall <= 0.5),
        ]

    return _with_server(specs, measure)


_CROWD = """
import asyncio, sys, aiohttp
async def one(session, url):
    async with session.ws_connect(url, max_msg_size=0) as socket:
        await socket.receive()
        print("in", flush=True)
        async for _ in socket:
            pass
async def main(url, count):
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(one(session, url) for _ in range(count)))
asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


def crowd(specs: Path) -> list[Row]:
    """The same jobs with nobody else, with 200 who watch, and with one who never reads."""

    async def measure(server: Server) -> list[Row]:
        async with watched(server) as (found, watcher):
            alone = statistics.median(await one_by_one(found, watcher, 1000))
            watchers = await asyncio.create_subprocess_exec(
                sys.executable, "-c", _CROWD, f"{server.url}/api/events", "200",
                stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            assert watchers.stdout is not None
            for _ in range(200):
                await watchers.stdout.readline()
            together = statistics.median(await one_by_one(found, watcher, 2000))
            watchers.kill()
            await watchers.wait()
            before = statistics.median(await one_by_one(found, watcher, 3000))
            deaf = _deaf(server.url)
            behind = statistics.median(await one_by_one(found, watcher, 4000))
            deaf.close()
        slower, delayed = together / alone, behind / before
        return [
            Row("200 watchers: a trivial job takes", "<= 2x", f"{slower:.2f}x", slower <= 2),
            Row("one never reads: others take", "about 1x", f"{delayed:.2f}x", delayed <= 1.25),
        ]

    return _with_server(specs, measure)


def _deaf(url: str) -> socket.socket:
    """A watcher that asks for all events and reads nothing."""
    place = urlsplit(url)
    assert place.hostname is not None
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    found.connect((place.hostname, place.port))
    found.sendall(
        f"GET /api/events?after=0 HTTP/1.1\r\nHost: {place.netloc}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    return found


def large(specs: Path) -> list[Row]:
    """How long the longest wait of others is while 50 MB of JSON are handed in."""

    async def measure(server: Server) -> list[Row]:
        async with client(server) as found:
            quiet = max(await _pings(found, asyncio.sleep(2.0)))
            body = _fifty_megabytes()

            async def hand_in() -> None:
                headers = {"Content-Type": "application/json"}
                url = found.url + "/api/jobs"
                async with found.session.post(url, data=body, headers=headers) as answer:
                    await answer.read()
                    if answer.status != 422:
                        raise RuntimeError(f"50 MB gave {answer.status}")

            stall = max(await _pings(found, hand_in()))
        said = f"{stall * 1e3:.0f} ms (quiet {quiet * 1e3:.0f})"
        return [Row("50 MB of JSON: stall of others", "<= 20 ms", said, stall <= 0.020)]

    return _with_server(specs, measure)


def _fifty_megabytes() -> bytes:
    """A workflow of 1,000 nodes whose texts are long, and whose type nobody knows."""
    node = {"type": "bench.unknown", "inputs": {"text": "x" * 50_000}}
    nodes = {f"n{index}": node for index in range(1000)}
    return json.dumps({"workflow": {"nodeflow": 1, "nodes": nodes}}).encode()


async def _pings(found: Client, during: Awaitable[None]) -> list[float]:
    """Seconds that others wait for an answer, meanwhile. They ask from another process."""
    script = (
        "import sys,time,http.client\n"
        "c=http.client.HTTPConnection(sys.argv[1])\n"
        "print('ready',flush=True)\n"
        "while True:\n"
        " t=time.perf_counter();c.request('GET','/healthz');c.getresponse().read()\n"
        " print(time.perf_counter()-t,flush=True);time.sleep(0.002)\n"
    )
    pinging = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, urlsplit(found.url).netloc, stdout=subprocess.PIPE
    )
    assert pinging.stdout is not None
    await pinging.stdout.readline()
    await during
    pinging.kill()
    said = await pinging.stdout.read()
    await pinging.wait()
    return [float(line) for line in said.split()[:-1]]


def killed(specs: Path) -> list[Row]:
    """Kill -9 of the server and of the worker in the middle of work."""

    def flow(seed: int) -> dict[str, Any]:
        return document(graphs.waits(3, 0.4, save=True, first_seed=seed))

    with folder(specs) as place, Server(place) as server:
        server.start()
        handed_in = asyncio.run(_hand_in(server, [flow(10 * index) for index in range(6)]))
        time.sleep(0.7)  # the first node of three is over
        server.kill()
        server.start()
        ended, ran = asyncio.run(_audit(server, handed_in))
        again = sum(count - 1 for count in ran.values() if count > 1)
        by_server = Row(
            "kill -9 of the server: 1 runs, 5 wait",
            "all done, none again",
            f"{ended.count('done')} of 6 done, {again} nodes again",
            ended.count("done") == 6 and again == 0,
        )
        job = asyncio.run(_hand_in(server, [flow(1000), flow(2000)]))
        time.sleep(0.7)
        os.kill(asyncio.run(_worker(server)), signal.SIGKILL)
        ended, ran = asyncio.run(_audit(server, job))
        again = sum(count - 1 for count in ran.values() if count > 1)
        by_worker = Row(
            "kill -9 of the worker",
            "retried, queue goes on",
            f"{ended.count('done')} of 2 done, {again} nodes again",
            ended.count("done") == 2 and again == 0,
        )
    return [by_server, by_worker]


async def _hand_in(server: Server, flows: list[dict[str, Any]]) -> list[str]:
    async with client(server) as found:
        return [await found.submit(flow) for flow in flows]


async def _worker(server: Server) -> int:
    async with client(server) as found:
        system = await found.ask("GET", "/api/system")
        pid: int = system["workers"][0]["pid"]
        return pid


async def _audit(server: Server, handed_in: list[str]) -> tuple[list[str], dict[str, int]]:
    """How jobs ended, and how often each node ran to its end, by the journal's events."""
    ran: dict[str, int] = {}
    async with client(server) as found:
        while True:
            records = [await found.ask("GET", f"/api/jobs/{job}") for job in handed_in]
            if all(record["finished"] is not None for record in records):
                break
            await asyncio.sleep(0.1)
        async with found.session.ws_connect(
            f"{found.url}/api/events?after=0", max_msg_size=0
        ) as socket:
            last, seen = None, 0
            while last is None or seen < last:
                frame = json.loads((await socket.receive()).data)
                last = frame.get("last", last)
                for event in frame["events"]:
                    seen = event.get("seq", seen)
                    if event["event"] == "node_finished" and event["outcome"] == "ran":
                        name = f"{event['job']}/{event['node']}"
                        ran[name] = ran.get(name, 0) + 1
    return [record["status"] for record in records], ran


def _with_server(specs: Path, measure: Callable[[Server], Awaitable[list[Row]]]) -> list[Row]:
    with folder(specs) as place, Server(place) as server:
        return asyncio.run(_measured(measure, server.start()))


async def _measured(measure: Callable[[Server], Awaitable[list[Row]]], server: Server) -> list[Row]:
    return await measure(server)
