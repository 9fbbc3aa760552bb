"""Worker processes: they do one thing after the other, and never linger."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from nodeflow.worker.messages import (
    Alive,
    Cancel,
    Free,
    Freed,
    JobBegun,
    JobEnded,
    PacksRead,
    ReadPacks,
    Ready,
    Recall,
    Stop,
)

ADD = {
    "a": {"type": "tools.number", "inputs": {"value": 3}},
    "b": {"type": "tools.add", "inputs": {"a": {"node": "a"}, "b": 4}},
}
SUM = {"sum": {"node": "b"}}
HANG = {"h": {"type": "tools.hang"}}
LONG = {"s": {"type": "tools.steps", "inputs": {"count": 6000, "pause": 0.01}}}


def test_a_worker_reads_its_packs_and_then_takes_jobs(talk):
    packs = talk.until(PacksRead)
    assert packs.errors == []
    ready = talk.ready()
    assert ready.pid == talk.process.pid
    assert ready.device["name"] == "cpu"
    assert talk.said.index(packs) < talk.said.index(ready)


def test_a_running_job_is_cancelled(talk):
    talk.begin("j1", LONG | ADD)
    talk.until_event("j1", "node_progress")
    asked = time.monotonic()
    talk.send(Cancel("j1"))
    ended = talk.ended("j1")
    assert time.monotonic() - asked < 1
    assert ended.status == "cancelled"
    talk.begin("j2", ADD, SUM)
    assert talk.ended("j2").status == "done"


def test_jobs_begun_ahead_run_in_order_and_one_that_waits_can_be_cancelled(talk):
    talk.begin("j1", LONG)
    for job in ("j2", "j3", "j4"):
        talk.begin(job, ADD, SUM)
    talk.until_event("j1", "node_progress")
    talk.send(Cancel("j3"), Recall("j2"), Recall("j1"))
    assert talk.ended("j3").status == "cancelled"
    assert talk.ended("j2").status == "cancelled"
    assert not any(isinstance(m, JobEnded) and m.job == "j1" for m in talk.said)
    talk.send(Cancel("j1"))
    talk.ended("j4")
    assert [m.job for m in talk.said if isinstance(m, JobBegun)] == ["j1", "j4"]


def test_a_worker_gives_a_sign_of_life_each_second_while_it_works(talk):
    talk.begin("j1", LONG)
    time.sleep(3.5)
    signs = [message for message in talk.said if isinstance(message, Alive)]
    assert len(signs) >= 3
    assert signs[-1].rss > 10_000_000
    assert signs[-1].memory


def test_models_and_values_are_let_go_of_before_the_next_job(talk):
    talk.begin("j1", ADD, SUM)
    talk.ended("j1")
    talk.begin("j2", {"s": {"type": "tools.steps", "inputs": {"count": 40, "pause": 0.01}}})
    talk.until_event("j2", "node_started")
    talk.begin("j3", ADD, SUM)
    talk.send(Free())
    assert talk.until(Freed).rss > 0
    assert set(talk.ended("j3").counts) == {"disk"}
    order = [m for m in talk.said if isinstance(m, JobEnded | Freed)]
    assert [type(m) for m in order] == [JobEnded, JobEnded, Freed, JobEnded]


def test_packs_are_read_again_between_jobs(start, tmp_path):
    pack = tmp_path / "more" / "apples"
    pack.mkdir(parents=True)
    (pack / "__init__.py").write_text('"""A pack."""\n')
    text = textwrap.dedent(
        '''
        from nodeflow import node

        @node()
        def count(a: int = 0) -> int:
            """Count.

            Args:
                a: Any number.
            """
            return a + 1
        '''
    )
    (pack / "nodes.py").write_text(text)
    talk = start(NODEFLOW_PACKS=str(tmp_path / "more"))
    talk.ready()
    nodes, outputs = {"c": {"type": "apples.count"}}, {"n": {"node": "c"}}
    talk.begin("j1", nodes, outputs)
    assert talk.ended("j1").outputs == {"n": {"value": 1}}
    (pack / "nodes.py").write_text(text.replace("a + 1", "a + 100"))
    talk.send(ReadPacks())
    talk.begin("j2", nodes, outputs)
    assert talk.ended("j2").outputs == {"n": {"value": 100}}
    (pack / "nodes.py").write_text("import nowhere\n" + text)
    talk.send(ReadPacks())
    broken = talk.until(PacksRead, lambda message: bool(message.errors))
    assert broken.errors[0]["pack"] == "apples"
    assert "nowhere" in broken.errors[0]["sentence"]


def test_a_stop_ends_the_worker_and_leaves_the_job_unfinished(talk):
    talk.begin("j1", LONG)
    talk.until_event("j1", "node_progress")
    talk.send(Stop())
    assert talk.process.wait(5) == 0
    assert not any(isinstance(message, JobEnded) for message in talk.said)


def test_to_be_terminated_is_to_be_stopped_and_ctrl_c_is_nothing(talk):
    talk.process.send_signal(signal.SIGINT)
    talk.begin("j1", LONG)
    talk.until_event("j1", "node_progress")
    talk.process.send_signal(signal.SIGINT)
    talk.process.send_signal(signal.SIGTERM)
    assert talk.process.wait(5) == 0
    assert not any(isinstance(message, JobEnded) for message in talk.said)


@pytest.mark.parametrize("nodes", [{}, HANG, LONG], ids=["idle", "asleep", "at work"])
def test_a_worker_whose_server_hangs_up_ends_at_once(talk, nodes):
    if nodes:
        talk.begin("j1", nodes)
        talk.until_event("j1", "node_started")
    began = time.monotonic()
    assert talk.process.stdin is not None
    talk.process.stdin.close()
    talk.process.wait(5)
    assert time.monotonic() - began < 1


PARENT = """
import subprocess, sys
worker = subprocess.Popen(
    [sys.executable, "-m", "nodeflow.worker", "--name", "cpu"], stdin=%s, stdout=subprocess.PIPE
)
print(worker.pid, flush=True)
while worker.stdout.read(1):
    pass
"""


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("stdin", ["subprocess.PIPE", "0"], ids=["the pipe ends", "it stays open"])
def test_a_worker_whose_server_is_killed_ends_within_a_second(environment, stdin):
    if stdin == "0" and sys.platform != "linux":
        pytest.skip("only Linux ends a process whose pipes somebody else holds open")
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT % stdin],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    time.sleep(3)  # until it has its first thread that listens
    assert _is_alive(worker)
    parent.kill()
    parent.wait()
    killed = time.monotonic()
    while _is_alive(worker):
        assert time.monotonic() - killed < 1
        time.sleep(0.01)
    parent.communicate()


def test_a_second_worker_of_the_same_name_waits_for_the_first(start):
    first = start()
    first.ready()
    second = start()
    second.until(PacksRead)
    second.begin("j1", ADD, SUM)
    time.sleep(1.5)
    assert not any(isinstance(message, Ready | JobBegun) for message in second.said)
    assert any(isinstance(message, Alive) for message in second.said)
    other = start("gpu")
    other.ready()
    first.process.kill()
    killed = time.monotonic()
    second.ready()
    assert time.monotonic() - killed < 2
    assert second.ended("j1").status == "done"


def test_a_worker_that_waits_can_be_stopped(start):
    start().ready()
    second = start()
    second.until(PacksRead)
    second.send(Stop())
    assert second.process.wait(5) == 0


def test_settings_that_cannot_be_used_are_said(start):
    talk = start(NODEFLOW_MEMORY="a lot")
    assert talk.process.wait(30) == 2
    talk.end()
    assert "NODEFLOW_MEMORY" in talk.errors


def test_a_node_that_dies_takes_only_the_process_with_it(start, tmp_path):
    talk = start()
    talk.ready()
    talk.begin("j1", LONG)
    talk.until_event("j1", "node_progress")
    os.kill(talk.process.pid, signal.SIGKILL)
    assert talk.process.wait(5) == -signal.SIGKILL
    again = start()
    again.ready()
    again.begin("j2", ADD, SUM)
    assert again.ended("j2").status == "done"
