"""`jobs`, `cancel` and `watch` against a server that says what a test wants."""

import json
import time
from typing import Any

import pytest

from tests.client.speaker import Speaker, refused, said, sse, streamed

ONE, TWO = "5f0c5f0c5f0c5f0c", "5f1d5f1d5f1d5f1d"


def job(id: str, number: int, status: str, **others: Any) -> dict[str, Any]:
    begun = {"submitted": time.time() - 65, "name": "Cat"}
    return {"id": id, "number": number, "status": status, **begun, **others}


RUNNING = job(TWO, 12, "running")
DONE = job(ONE, 11, "done", seconds=3.2, counts={"ran": 2, "disk": 5})


@pytest.fixture
def server(monkeypatch):
    speaker = Speaker().start()
    monkeypatch.setenv("NODEFLOW_SERVER", speaker.url)
    nodes = {"a": {"outcome": "ran"}, "b": {"outcome": "running"}}
    speaker.answer("GET /api/jobs", said({"jobs": [RUNNING, DONE]}))
    speaker.answer(f"GET /api/jobs/{TWO}", said(RUNNING | {"nodes": nodes}))
    speaker.answer(f"GET /api/jobs/{ONE}", said(DONE))
    speaker.answer(f"DELETE /api/jobs/{TWO}", said(job(TWO, 12, "cancelled")))
    yield speaker
    speaker.stop()


def test_jobs_are_a_table_of_how_far_each_is(nodeflow, server):
    rows = nodeflow("jobs").out.splitlines()

    assert rows[0].split() == ["number", "id", "status", "name", "nodes", "when", "took"]
    assert rows[1].split()[:6] == ["12", TWO, "running", "Cat", "1", "done"]
    assert rows[2].split()[:7] == ["11", ONE, "done", "Cat", "2", "of", "7"]
    assert rows[2].endswith("3.20 s")


def test_jobs_as_json_are_one_a_line(nodeflow, server):
    lines = nodeflow("jobs", "--json", "--status", "done", "--limit", "2").out.splitlines()

    assert [json.loads(line) for line in lines] == [RUNNING, DONE]
    assert server.got[0].query == {"limit": "2", "status": "done"}


def test_no_jobs_are_said(nodeflow, server):
    server.answer("GET /api/jobs", said({"jobs": []}))

    assert nodeflow("jobs").out == "There are no jobs yet.\n"
    assert nodeflow("jobs", "--status", "failed").out == "There are no such jobs.\n"


def test_a_status_that_there_is_not_ends_with_2(nodeflow, server):
    answer = nodeflow("jobs", "--status", "finished")

    assert (answer.code, "'finished' is none of queued" in answer.err) == (2, True)


@pytest.mark.parametrize("named", [TWO, "12", "#12", "5f1d"])
def test_a_job_is_cancelled_by_id_number_or_the_beginning_of_its_id(nodeflow, server, named):
    answer = nodeflow("cancel", named)

    assert (answer.code, answer.out) == (0, f"{TWO}: cancelled\n")
    assert f"DELETE /api/jobs/{TWO}" in server.lines()


def test_a_job_that_is_over_stays_as_it_is(nodeflow, server):
    assert nodeflow("cancel", ONE).out == f"{ONE}: was done already\n"
    assert f"DELETE /api/jobs/{ONE}" not in server.lines()


@pytest.mark.parametrize(("named", "said"), [("5f", "more than one job"), ("99", "no job")])
def test_what_means_no_single_job_cancels_nothing(nodeflow, server, named, said):
    answer = nodeflow("cancel", TWO, named)

    assert (answer.code, said in answer.err) == (2, True)
    assert not [line for line in server.lines() if line.startswith("DELETE")]


def test_all_are_cancelled_only_if_it_is_said(nodeflow, server):
    server.answer("DELETE /api/jobs", said({"cancelled": 3}))

    assert nodeflow("cancel", "--all").out == "Cancelled 3 jobs.\n"
    assert nodeflow("cancel").code == 2
    assert nodeflow("cancel", TWO, "--all").code == 2


EVENTS: list[dict[str, Any]] = [
    {"event": "job_queued", "job": ONE, "name": "Cat", "priority": 0, "position": 1.0},
    {"event": "worker_changed", "worker": "cpu", "state": "died", "sentence": "It was killed."},
    {"event": "node_finished", "job": ONE, "node": "a", "outcome": "disk", "seconds": 0.0},
    {"event": "something_new", "job": ONE},
    {"event": "job_finished", "job": ONE, "status": "failed", "seconds": 1.0, "problem": "No."},
    {"event": "job_removed", "job": ONE},
    {"event": "queue_changed", "paused": True},
    {"event": "nodes_changed", "errors": ["Pack 'x' is broken."]},
    {"event": "workflow_changed", "path": "a/b", "etag": ""},
]
NUMBERED = [{"seq": number, "time": 1.0, **event} for number, event in enumerate(EVENTS, 1)]


def test_all_that_happens_is_a_line_each_and_a_break_loses_none(nodeflow, server):
    server.answer(
        "GET /api/events",
        streamed(sse(*NUMBERED[:4], after=0, gap=True), cut=True),
        streamed(sse(*NUMBERED, after=4)),
        refused(400, "That is enough."),
    )

    answer = nodeflow("watch", "--after", "0")

    assert answer.out.splitlines() == [
        "Some events before this are no longer kept by the server.",
        f"5f0c5f queued: Cat ({ONE})",
        "Worker cpu: It was killed.",
        "5f0c5f a: from disk",
        "5f0c5f Failed in 1.00 s.",
        "5f0c5f No.",
        "5f0c5f left the history",
        "The queue is paused.",
        "The packs were read again. Pack 'x' is broken.",
        "Workflow 'a/b' was deleted.",
    ]
    assert answer.err == "That is enough.\n"


def test_all_that_happens_as_json_is_what_the_server_said(nodeflow, server):
    server.answer("GET /api/events", streamed(sse(*NUMBERED)), refused(400, "Enough."))

    lines = nodeflow("watch", "--json").out.splitlines()

    assert [json.loads(line) for line in lines] == NUMBERED


def test_one_job_is_watched_to_its_end_which_is_the_exit_code(nodeflow, server):
    server.answer("GET /api/events", streamed(sse(*NUMBERED[:1], *NUMBERED[2:5])))
    server.answer(f"GET /api/jobs/{ONE}", said(job(ONE, 11, "failed", problem="No.")))

    answer = nodeflow("watch", "11")

    assert answer.code == 1
    assert answer.err.splitlines() == [
        "queued",
        "a: from disk",
        "Failed in 1.00 s.",
        "Cat#: job_failed: No.",
    ]
    assert answer.out == ""
