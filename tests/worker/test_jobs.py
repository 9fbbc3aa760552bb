"""Jobs in a real worker process: events come out in order, and an end."""

from __future__ import annotations

import textwrap
import time
from pathlib import Path

import pytest

from nodeflow.worker.messages import (
    Begin,
    Forget,
    Happened,
    JobBegun,
    JobEnded,
    Preview,
    Watch,
)

ADD = {
    "a": {"type": "tools.number", "inputs": {"value": 3}},
    "b": {"type": "tools.add", "inputs": {"a": {"node": "a"}, "b": 4}},
}
SUM = {"sum": {"node": "b"}}


def test_a_job_runs_and_all_its_events_come_in_order_before_its_end(talk):
    talk.begin("j1", ADD, SUM)
    ended = talk.ended("j1")
    assert (ended.status, ended.problem) == ("done", "")
    assert ended.outputs == {"sum": {"value": 7}}
    assert ended.counts == {"ran": 2}
    assert ended.nodes == {}
    assert ended.seconds > 0
    of_job = [m for m in talk.said if isinstance(m, JobBegun | Happened | JobEnded)]
    assert of_job[0] == JobBegun("j1")
    assert of_job[-1] is ended
    events = talk.events("j1")
    assert {event["job"] for event in events} == {"j1"}
    assert not any("run" in event for event in events)
    assert (events[0]["event"], events[0]["nodes"]) == ("run_started", 2)
    names = [(event["event"], event["node"]) for event in events[1:]]
    assert sorted(names) == sorted(
        [(kind, node) for kind in ("node_started", "node_finished") for node in "ab"]
    )
    assert names.index(("node_started", "a")) < names.index(("node_started", "b"))
    finished = next(e for e in events[1:] if (e["event"], e["node"]) == ("node_finished", "b"))
    assert finished["outcome"] == "ran"
    assert finished["key"]


def test_what_is_warm_is_told_without_running_it(talk):
    talk.begin("j1", ADD, SUM)
    talk.begin("j2", ADD, SUM)
    ended = talk.ended("j2")
    assert ended.outputs == {"sum": {"value": 7}}
    told = {e["node"] for e in talk.events("j2") if e["event"] == "node_finished"}
    assert set(ended.nodes) == {"a", "b"} - told
    assert ended.counts == {"memory": 2}
    assert all(outcome == "memory" and len(key) == 32 for outcome, _, key in ended.nodes.values())


def test_a_document_may_come_as_a_file(talk, tmp_path):
    path = tmp_path / "document.json"
    path.write_text(talk.job("x", ADD, SUM).document)
    talk.send(Begin("j1", file=str(path), out=str(talk.out)))
    assert talk.ended("j1").outputs == {"sum": {"value": 7}}
    path.unlink()
    talk.send(Begin("j2", file=str(path), out=str(talk.out)))
    ended = talk.ended("j2")
    assert ended.status == "failed"
    assert ended.problem.startswith("the workflow of the job cannot be read: No such file")


def test_only_the_wanted_nodes_run(talk):
    talk.begin("j1", ADD, only=["a"])
    assert talk.ended("j1").counts == {"ran": 1}


def test_what_a_job_saves_is_told_with_all_facts(talk):
    nodes = {"w": {"type": "tools.write", "inputs": {"a": 5, "name": "deep/number"}}}
    talk.begin("j1", nodes)
    ended = talk.ended("j1")
    (file,) = ended.files["w"]
    assert file["name"] == "deep/number_0001.txt"
    assert file["path"] == str(talk.out / "deep" / "number_0001.txt")
    assert file["media_type"] == "text/plain"
    assert file["size"] == Path(file["path"]).stat().st_size
    assert len(file["digest"]) == 32
    talk.begin("j2", nodes)
    assert talk.ended("j2").files == ended.files


def test_a_node_that_fails_is_named_in_the_problem(talk):
    talk.begin("j1", {"f": {"type": "tools.fail", "inputs": {"a": 4}}} | ADD)
    ended = talk.ended("j1")
    assert ended.status == "failed"
    assert ended.problem == "Node 'f' (tools.fail): KeyError: 'no 4'"
    assert "f" not in ended.nodes
    failed = next(e for e in talk.events("j1") if e["event"] == "node_failed")
    assert "Traceback" in failed["trace"]


def test_a_workflow_that_does_not_check_any_more_ends_with_its_sentence(talk):
    nodes = {
        "l": {"type": "tools.length", "inputs": {"file": "gone.txt"}},
        "u": {"type": "tools.unheard_of"},
    }
    talk.begin("j1", nodes)
    ended = talk.ended("j1")
    assert ended.status == "failed"
    assert "gone.txt" in ended.problem
    assert ended.problem.startswith("Node 'l'")
    assert ended.problem.endswith("And 1 more.")


def test_a_file_outside_the_named_folders_is_refused(talk, tmp_path):
    path = tmp_path / "secret.txt"
    path.write_text("secret")
    talk.begin("j1", {"l": {"type": "tools.length", "inputs": {"file": str(path)}}})
    ended = talk.ended("j1")
    assert ended.status == "failed"
    assert "secret.txt" in ended.problem


@pytest.mark.parametrize("document", ["", "{", "[]", '{"nodeflow": 1, "nodes": 3}'])
def test_a_document_that_is_none_ends_only_its_job(talk, document):
    talk.send(Begin("j1", document, out=str(talk.out)))
    assert talk.ended("j1").status == "failed"
    talk.begin("j2", ADD, SUM)
    assert talk.ended("j2").status == "done"


def test_progress_is_told_many_times_a_second_but_not_each_step(talk):
    nodes = {"s": {"type": "tools.steps", "inputs": {"count": 2000, "pause": 0.0002}}}
    talk.begin("j1", nodes)
    talk.ended("j1")
    steps = [e["step"] for e in talk.events("j1") if e["event"] == "node_progress"]
    assert 5 < len(steps) < 500
    assert steps == sorted(steps)
    assert steps[-1] == 1999


def test_what_was_kept_for_jobs_is_let_go_of(talk):
    talk.begin("j1", ADD, SUM)
    talk.ended("j1")
    talk.send(Forget(["j1", "never"]))
    talk.begin("j2", ADD, SUM)
    assert talk.ended("j2").status == "done"
    assert "Traceback" not in talk.errors


def test_previews_are_sent_while_somebody_watches(start, tmp_path):
    pack = tmp_path / "more" / "pears"
    pack.mkdir(parents=True)
    (pack / "__init__.py").write_text('"""A pack."""\n')
    (pack / "nodes.py").write_text(
        textwrap.dedent(
            '''
            import os
            import time

            import PIL.Image

            from nodeflow import Progress, node

            @node()
            def paint(*, progress: Progress) -> int:
                """Paint, and talk on all channels."""
                print("a word")
                os.write(1, b"from below\\n")
                for step in range(400):
                    picture = PIL.Image.new("RGB", (8, 8))
                    progress(step, 400, preview=lambda: picture)
                    time.sleep(0.01)
                return 1
            '''
        )
    )
    talk = start(NODEFLOW_PACKS=str(tmp_path / "more"))
    talk.ready()
    talk.begin("j1", {"p": {"type": "pears.paint"}})
    talk.until_event("j1", "node_progress")
    time.sleep(0.3)
    assert not any(isinstance(message, Preview) for message in talk.said)
    talk.send(Watch(True))
    preview = talk.until(Preview)
    assert (preview.job, preview.node, preview.media_type) == ("j1", "p", "image/jpeg")
    assert preview.picture.startswith(b"\xff\xd8\xff")
    talk.send(Watch(False))
    time.sleep(0.3)
    count = sum(isinstance(message, Preview) for message in talk.said)
    time.sleep(0.5)
    assert sum(isinstance(message, Preview) for message in talk.said) == count
    assert talk.ended("j1").status == "done"
    logs = [e for e in talk.events("j1") if e["event"] == "node_log"]
    assert [(log["node"], log["text"]) for log in logs] == [("p", "a word")]
    assert "from below" in talk.errors
