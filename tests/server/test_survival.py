"""A server and its worker are killed in the middle of work, and the work goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections import Counter
from typing import Any

import psutil
import pytest

from tests.server.conftest import PACKS, Served

PAUSE = 0.3


def chain(trace: str, start: int) -> dict[str, Any]:
    """Three nodes that each leave a line in a file, and one that saves."""
    nodes: dict[str, Any] = {}
    source: Any = start
    for step in range(3):
        inputs = {"a": source, "log": trace, "name": f"{start}/{step}", "pause": PAUSE}
        nodes[f"step{step}"] = {"type": "tools.append", "inputs": inputs}
        source = {"node": f"step{step}", "output": "int"}
    nodes["save"] = {"type": "tools.write", "inputs": {"a": source, "name": f"job{start}"}}
    return {"nodeflow": 1, "name": f"job {start}", "nodes": nodes}


def until_running(server: Served, job: str, node: str) -> None:
    """Wait until a node of a job is done."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if server.job(job)["nodes"].get(node, {}).get("outcome") == "ran":
            return
        time.sleep(0.01)
    raise AssertionError(f"{node} of {job} is not done")


@pytest.fixture
def trace(tmp_path: Any) -> str:
    return str(tmp_path / "trace.txt")


def lives(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has asked about yet does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def lines(trace: str) -> Counter[str]:
    with open(trace) as file:
        return Counter(file.read().split())


def test_after_a_kill_of_the_server_all_jobs_go_on_from_their_last_finished_node(
    served: Served, trace: str
):
    served.start()
    jobs = [served.submit(chain(trace, 100 * number)) for number in range(1, 4)]
    until_running(served, jobs[0], "step0")
    served.kill()
    served.start()
    ended = [served.finished(job) for job in jobs]
    assert [job["status"] for job in ended] == ["done"] * 3
    assert ended[0]["nodes"]["step0"]["outcome"] in ("disk", "ran")
    assert lines(trace)["100/0"] == 1
    outputs = sorted((served.folder / "data" / "outputs").iterdir())
    assert [file.name for file in outputs] == [f"job{n}00_0001.txt" for n in (1, 2, 3)]
    assert "Traceback" not in served.errors()


def test_after_a_kill_of_the_worker_its_job_is_tried_again_and_the_next_ones_follow(
    served: Served, trace: str
):
    served.start()
    first, second = served.submit(chain(trace, 100)), served.submit(chain(trace, 200))
    until_running(served, first, "step0")
    (worker,) = served.ask("GET", "/api/system")[1]["workers"]
    os.kill(worker["pid"], signal.SIGKILL)
    assert served.finished(first)["status"] == "done"
    assert served.finished(second)["status"] == "done"
    assert lines(trace)["100/0"] == 1
    told = served.events()
    died = [event for event in told if event["event"] == "worker_changed"]
    assert any("killed" in event["sentence"] for event in died if event["state"] == "died")
    attempts = [event["attempt"] for event in told if event["event"] == "job_started"]
    assert attempts == [1, 2, 1]


def test_a_job_that_ends_its_worker_each_time_is_given_up_and_says_why(served: Served):
    served.start()
    bad = {"die": {"type": "tools.die", "inputs": {"a": 1}}}
    good = {"sum": {"type": "tools.add", "inputs": {"a": 1}}}
    first = served.submit(
        {"nodeflow": 1, "nodes": bad, "outputs": {"n": {"node": "die", "output": "int"}}}
    )
    second = served.submit(
        {"nodeflow": 1, "nodes": good, "outputs": {"n": {"node": "sum", "output": "int"}}}
    )
    job = served.finished(first)
    assert job["status"] == "failed"
    assert "2 times" in job["problem"]
    assert "given up" in job["problem"]
    assert served.finished(second)["status"] == "done"


def test_a_worker_whose_server_was_killed_ends_within_a_second(served: Served):
    served.start()
    job = served.submit(
        {
            "nodeflow": 1,
            "nodes": {"work": {"type": "tools.steps", "inputs": {"count": 10_000}}},
            "outputs": {"n": {"node": "work", "output": "int"}},
        }
    )
    while served.job(job)["status"] != "running":
        time.sleep(0.01)
    (worker,) = served.ask("GET", "/api/system")[1]["workers"]
    served.kill()
    end = time.monotonic() + 1.0
    while time.monotonic() < end and lives(worker["pid"]):
        time.sleep(0.01)
    assert not lives(worker["pid"])


def test_a_second_server_on_a_data_folder_says_who_has_it(served: Served):
    served.start()
    assert served.process is not None
    data, cache = str(served.folder / "data"), str(served.folder / "cache")
    variables = {"NODEFLOW_DATA": data, "NODEFLOW_CACHE": cache, "NODEFLOW_PACKS": str(PACKS)}
    second = subprocess.run(
        [*served.process.args[:4], "--port", "0"],  # type: ignore[index]
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 2
    assert str(served.process.pid) in second.stderr
    assert served.url in second.stderr
    assert "Traceback" not in second.stderr


def test_history_results_and_a_paused_queue_are_there_after_a_restart(served: Served):
    served.start()
    nodes = {"sum": {"type": "tools.add", "inputs": {"a": 1}}}
    flow = {"nodeflow": 1, "nodes": nodes, "outputs": {"n": {"node": "sum", "output": "int"}}}
    done = served.submit(flow)
    before = served.finished(done)
    last = served.events()[-1]["seq"]
    served.ask("PATCH", "/api/queue", {"paused": True})
    waiting = served.submit(flow)
    served.stop()
    served.start()
    assert served.job(done) == before
    assert served.ask("GET", "/api/queue")[1] == {"paused": True}
    assert served.job(waiting)["status"] == "queued"
    later = [json.dumps(event) for event in served.events(after=last)]
    assert later
    assert all(json.loads(text)["seq"] > last for text in later)
    served.ask("PATCH", "/api/queue", {"paused": False})
    assert served.finished(waiting)["status"] == "done"


def test_a_pack_that_is_edited_is_read_again_and_a_broken_one_keeps_its_last_good_version(
    served: Served, tmp_path: Any
):
    pack = tmp_path / "packs" / "mine"
    pack.mkdir(parents=True)
    source = (
        "from nodeflow import node\n\n\n@node()\ndef give(a: int = 0) -> int:\n"
        '    """Give a number."""\n    return a + {}\n'
    )
    (pack / "__init__.py").write_text(source.format(1))
    served.environment["NODEFLOW_PACKS"] = str(pack.parent)
    served.start()

    def given(a: int) -> Any:
        nodes = {"n": {"type": "mine.give", "inputs": {"a": a}}}
        flow = {"nodeflow": 1, "nodes": nodes, "outputs": {"n": {"node": "n", "output": "int"}}}
        return served.finished(served.submit(flow))["outputs"]["n"]["value"]

    def until_told(seen: int) -> dict[str, Any]:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            told = [event for event in served.events() if event["event"] == "nodes_changed"]
            if len(told) > seen:
                return told[-1]
        raise AssertionError("nobody was told that nodes changed")

    def changes() -> int:
        return sum(event["event"] == "nodes_changed" for event in served.events())

    assert given(1) == 2
    seen = changes()
    (pack / "__init__.py").write_text(source.format(10))
    until_told(seen)
    assert given(1) == 11
    seen = changes()
    (pack / "__init__.py").write_text("this is no Python\n")
    told = until_told(seen)
    assert any("mine" in sentence for sentence in told["errors"])
    assert given(2) == 12
    assert "mine.give" in served.ask("GET", "/api/nodes")[1]["nodes"]
