"""Several real processes on one store, some of them killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from blake3 import blake3

from tests.cache.conftest import OpenStore, blob, number

PRELUDE = """
import itertools, os, random, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from conftest import blob, number, store_all
from nodeflow.cache.disk import DiskStore
folder, name = Path(sys.argv[2]), sys.argv[3]
log = os.open(folder.with_name(name + ".log"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
def say(line):
    os.write(log, (line + "\\n").encode())
"""


class Start(Protocol):
    def __call__(self, script: str, folder: Path, name: str) -> subprocess.Popen[str]: ...


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a process with a script, a store's folder and a name; ends it with the test."""
    processes: list[subprocess.Popen[str]] = []

    def start_one(script: str, folder: Path, name: str) -> subprocess.Popen[str]:
        here = str(Path(__file__).parent)
        process = subprocess.Popen(
            [sys.executable, "-c", PRELUDE + script, here, str(folder), name],
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start_one
    for process in processes:
        if process.poll() is None:
            process.kill()
            process.communicate()


def finish(process: subprocess.Popen[str]) -> None:
    _, err = process.communicate(timeout=20)
    assert process.returncode == 0, err


def said(folder: Path, name: str) -> list[str]:
    """What a process has said, in a log outside the store."""
    log = folder.with_name(f"{name}.log")
    return log.read_text().split() if log.exists() else []


def wait_for_first_word(folder: Path, name: str) -> None:
    deadline = time.monotonic() + 20
    while not said(folder, name):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def audit(folder: Path) -> None:
    """No value file is anything but what its name says, and none is referred to in vain."""
    for path in (folder / "values").rglob("*.*"):
        assert blake3(path.read_bytes()).hexdigest(16) == path.stem


HAMMER = """
store = DiskStore(folder, 2_000_000)
chance = random.Random(name)
for turn in range(100):
    key = f"k{chance.randrange(60)}"
    size = 100 if int(key[1:]) % 2 else 60_000
    found = store.get(key)
    assert found is None or found == blob(key, size), key
    if turn % 10 == 0:
        store.pin(name, [key])
    store.put(key, lambda key=key, size=size: blob(key, size),
              lambda error: error and say(repr(error)))
    if turn % 10 == 0:
        store.flush()
        assert store.get(key) == blob(key, size)
        store.remember("turn", {name: turn})
        assert store.recall("turn", [name]) == {name: turn}
        store.unpin([name])
store.close()
"""


def test_processes_that_share_a_store_under_pressure_never_see_a_wrong_value(
    start: Start, open_store: OpenStore, tmp_path: Path
) -> None:
    folder = tmp_path / "store"
    processes = [start(HAMMER, folder, f"p{i}") for i in range(3)]
    for i, process in enumerate(processes):
        finish(process)
        assert said(folder, f"p{i}") == []
    audit(folder)
    store = open_store(budget=2_000_000)
    store.prune()
    assert 0 < int(str(store.info()["bytes"])) <= 2_000_000
    assert store.info()["dropped"] == 0


ENDLESS = """
store = DiskStore(folder, 1 << 30)
chance = random.Random(name)
try:
    for i in itertools.count():
        key = f"{name}-{i}"
        size = chance.choice([10, 100, 1000, 15_000, 15_000, 15_000, 20_000, 60_000])
        store.put(key, lambda key=key, size=size: blob(key, size),
                  lambda error, key=key, size=size: say(f"{key}:{size}"))
finally:
    store.close()
"""


def test_what_a_killed_process_has_reported_done_is_there_and_nothing_is_half(
    start: Start, open_store: OpenStore, tmp_path: Path
) -> None:
    folder = tmp_path / "store"
    chance = random.Random(7)
    lines: list[str] = []
    for turn in range(4):
        process = start(ENDLESS, folder, f"p{turn}")
        wait_for_first_word(folder, f"p{turn}")
        time.sleep(chance.uniform(0.0, 0.25))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        lines += said(folder, f"p{turn}")
    reported = dict(line.split(":") for line in lines)
    assert len(reported) > 50
    store = open_store(budget=1 << 30)
    for key, size in reported.items():
        assert store.get(key) == blob(key, int(size))
    assert store.info()["dropped"] == 0
    audit(folder)
    for path in folder.rglob("*"):
        if path.is_file() and "index" not in path.name:
            os.utime(path, (1, 1))
    store.prune()
    assert list((folder / "unfinished").iterdir()) == []
    assert store.info()["files"] == len(list((folder / "values").rglob("*.*")))


UNCLOSED = """
store = DiskStore(folder, 1 << 30)
for i in range(3000):
    store.put(f"{name}-{i}", lambda i=i: number(i), lambda error: None)
"""


def test_a_process_that_ends_without_close_stores_what_waits(
    start: Start, open_store: OpenStore, tmp_path: Path
) -> None:
    finish(start(UNCLOSED, tmp_path / "store", "p"))
    store = open_store()
    assert len(store.present([f"p-{i}" for i in range(3000)])) == 3000
    assert store.get("p-2999") == number(2999)


def test_ctrl_c_ends_a_process_soon_and_keeps_what_was_put(
    start: Start, open_store: OpenStore, tmp_path: Path
) -> None:
    folder = tmp_path / "store"
    process = start(ENDLESS.replace("60_000]", "60_000] + [50] * 200"), folder, "p")
    wait_for_first_word(folder, "p")
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert err.endswith("KeyboardInterrupt\n")
    assert time.monotonic() - began < 10
    reported = [line.split(":")[0] for line in said(folder, "p")]
    assert open_store(budget=1 << 30).present(reported) == set(reported)


RESERVE = """
store = DiskStore(folder, 1 << 20)
for item in range(40):
    path = store.reserve(name, item, folder.parent, "pic", ".png")
    assert not path.exists()
    path.write_text(name)
    say(path.name)
store.settle(name)
store.close()
"""


def test_two_processes_never_get_the_same_name(start: Start, tmp_path: Path) -> None:
    processes = [start(RESERVE, tmp_path / "store", f"p{i}") for i in range(3)]
    for process in processes:
        finish(process)
    names = [name for i in range(3) for name in said(tmp_path / "store", f"p{i}")]
    assert sorted(names) == [f"pic_{i:04d}.png" for i in range(1, 121)]
    owners = Counter((tmp_path / name).read_text() for name in names)
    assert owners == {"p0": 40, "p1": 40, "p2": 40}


KILLED = """
store = DiskStore(folder, 1 << 20)
for item in range(3):
    path = store.reserve("job", item, folder.parent, "pic", ".png")
    say(path.name)
    if item == 1:
        path.write_text("half")
        os.kill(os.getpid(), 9)
"""


def test_a_resumed_job_gets_the_names_that_the_killed_process_was_promised(
    start: Start, open_store: OpenStore, tmp_path: Path
) -> None:
    process = start(KILLED, tmp_path / "store", "p")
    process.communicate(timeout=20)
    assert said(tmp_path / "store", "p") == ["pic_0001.png", "pic_0002.png"]
    store = open_store()
    assert store.reserve("next", 0, tmp_path, "pic", ".png").name == "pic_0003.png"
    again = [store.reserve("job", item, tmp_path, "pic", ".png").name for item in range(3)]
    assert again == ["pic_0001.png", "pic_0002.png", "pic_0004.png"]
