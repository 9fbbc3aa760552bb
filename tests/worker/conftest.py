"""A real worker process, and a server's end of its pipes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pytest

from nodeflow.worker.messages import Begin, Frames, Happened, JobEnded, Message, Ready, encode

PACKS = Path(__file__).parents[1] / "packs"

M = TypeVar("M", bound=Message)


class Talk:
    """A worker process and all that it said."""

    def __init__(self, environment: Mapping[str, str], out: Path, name: str = "cpu") -> None:
        self.out = out
        self.said: list[Message] = []
        self.errors = ""
        self._new = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nodeflow.worker", "--name", name, "--device", "cpu"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._threads = [threading.Thread(target=read) for read in (self._read, self._read_errors)]
        for thread in self._threads:
            thread.start()

    def _read(self) -> None:
        frames = Frames()
        assert self.process.stdout is not None
        while data := os.read(self.process.stdout.fileno(), 1 << 16):
            with self._new:
                self.said += frames.feed(data)
                self._new.notify_all()

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.errors += line.decode()

    def send(self, *messages: Message) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"".join(map(encode, messages)))
        self.process.stdin.flush()

    def begin(self, job: str, nodes: Mapping[str, Any], *outputs: Any, **how: Any) -> None:
        self.send(self.job(job, nodes, *outputs, **how))

    def job(
        self,
        job: str,
        nodes: Mapping[str, Any],
        outputs: Mapping[str, Any] | None = None,
        **how: Any,
    ) -> Begin:
        """A job that wants its outputs, or all nodes if it has none."""
        document = {"nodeflow": 1, "name": "test", "nodes": nodes, "outputs": outputs or {}}
        how = how if outputs else {"only": list(nodes)} | how
        return Begin(job, json.dumps(document), out=str(self.out), **how)

    def until(self, kind: type[M], true: Callable[[M], bool] = lambda _: True) -> M:
        """The first message of a kind for which something is true."""
        deadline = time.monotonic() + 60
        with self._new:
            while True:
                for message in self.said:
                    if isinstance(message, kind) and true(message):
                        return message
                left = deadline - time.monotonic()
                assert left > 0, (kind, self.said[-5:], self.errors)
                self._new.wait(left)

    def ready(self) -> Ready:
        return self.until(Ready)

    def ended(self, job: str) -> JobEnded:
        return self.until(JobEnded, lambda message: message.job == job)

    def events(self, job: str) -> list[dict[str, Any]]:
        return [
            event
            for message in list(self.said)
            if isinstance(message, Happened) and message.job == job
            for event in message.events
        ]

    def until_event(self, job: str, event: str, node: str = "") -> None:
        def there(message: Happened) -> bool:
            return message.job == job and any(
                found["event"] == event and found.get("node") in (node or found.get("node"),)
                for found in message.events
            )

        self.until(Happened, there)

    def end(self) -> int:
        """Hang up, and wait until the worker is gone."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        code = self.process.wait(20)
        for thread in self._threads:
            thread.join(10)
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()
        return code


@pytest.fixture
def environment(tmp_path: Path, known_specs: Path) -> dict[str, str]:
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "specs").symlink_to(known_specs)
    mine = {name: value for name, value in os.environ.items() if not name.startswith("NODEFLOW_")}
    return mine | {
        "NODEFLOW_PACKS": str(PACKS),
        "NODEFLOW_CACHE": str(cache),
        "NODEFLOW_DATA": str(tmp_path / "data"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Talk]]:
    """Starts a worker process; all are ended when the test is over."""
    started: list[Talk] = []

    def start(name: str = "cpu", **variables: str) -> Talk:
        started.append(Talk(environment | variables, tmp_path / "out", name))
        return started[-1]

    yield start
    for talk in started:
        if talk.process.poll() is None:
            talk.process.kill()
        talk.end()


@pytest.fixture
def talk(start: Callable[..., Talk]) -> Talk:
    talk = start()
    talk.ready()
    return talk
