"""Lanes: one thread for the device, a few for others, the longest way first."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from nodeflow.errors import NodeflowError
from nodeflow.runs.lanes import Lanes


@pytest.fixture
def lanes():
    lanes = Lanes(cpu_threads=2)
    yield lanes
    lanes.close()


def test_what_waits_runs_by_rank_and_equals_in_their_order(lanes):
    gate, ran, ended = threading.Event(), [], threading.Event()
    lanes.submit("device", 0, lambda: gate.wait(10))
    time.sleep(0.05)
    for rank, name in [(1, "low"), (5, "high"), (3, "first"), (3, "second")]:
        lanes.submit("device", rank, lambda name=name: ran.append(name))
    lanes.submit("device", -1, ended.set)
    gate.set()
    assert ended.wait(10)
    assert ran == ["high", "first", "second", "low"]


def test_the_device_has_one_thread_and_the_cpu_a_few(lanes):
    seen = {"device": set(), "cpu": set()}
    both = threading.Barrier(2, timeout=10)
    ended = threading.Semaphore(0)

    def job(lane):
        seen[lane].add(threading.current_thread().name)
        if lane == "cpu":
            both.wait()
        ended.release()

    for lane in ("device", "cpu"):
        for _ in range(6):
            lanes.submit(lane, 0, lambda lane=lane: job(lane))
    for _ in range(12):
        assert ended.acquire(timeout=10)
    assert len(seen["device"]) == 1
    assert len(seen["cpu"]) == 2


def test_a_job_that_raises_does_not_take_its_lane_along(lanes, capfd):
    ended = threading.Event()

    def bad():
        raise ValueError("not reported by the job itself")

    lanes.submit("device", 1, bad)
    lanes.submit("device", 0, ended.set)
    assert ended.wait(10)
    assert "not reported by the job itself" in capfd.readouterr().err


def test_closed_lanes_take_nothing_and_say_so(lanes):
    ran = threading.Event()
    lanes.submit("cpu", 0, ran.set)
    lanes.close()
    assert ran.is_set()
    with pytest.raises(NodeflowError, match="closed"):
        lanes.submit("cpu", 0, ran.set)
    with pytest.raises(NodeflowError, match="closed"):
        assert lanes.loop


def test_device_nodes_share_one_thread_while_files_are_written_beside_it(house, flow):
    count, pause = 6, 0.1
    nodes = {f"d{n}": ("device_thread", {"a": n, "pause": pause}) for n in range(count)}
    nodes |= {f"s{n}": ("slow_write", {"text": f"@d{n}", "pause": pause}) for n in range(count)}
    house.open()
    house.run(flow({"warm": ("device_thread", {"a": 99})}, {"n": "warm"}))
    start = time.monotonic()
    result = house.run(flow(nodes))
    seconds = time.monotonic() - start
    assert result.status == "done"
    files = [path for report in result.nodes.values() for path in report.files]
    threads = {Path(path).read_text().split()[0] for path in files}
    assert threads == {"nodeflow-device-0"}
    assert seconds < 2 * count * pause * 0.85  # in sequence it would take all of it


def test_jobs_that_take_long_run_side_by_side():
    lanes = Lanes(cpu_threads=3)
    meeting = threading.Barrier(3)
    met: list[int] = []

    def meet() -> None:
        met.append(meeting.wait(timeout=20))

    try:
        for _ in range(3):
            lanes.submit("cpu", 0, meet)
        deadline = time.monotonic() + 20
        while len(met) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        lanes.close()
    assert sorted(met) == [0, 1, 2]
