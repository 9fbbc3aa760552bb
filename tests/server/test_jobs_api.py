"""Handing in, looking at, ordering and stopping jobs of a real server."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.server.conftest import Served


def flow(*nodes: tuple[str, str, dict[str, Any]], **outputs: tuple[str, str]) -> dict[str, Any]:
    return {
        "nodeflow": 1,
        "name": "flow",
        "nodes": {name: {"type": kind, "inputs": inputs} for name, kind, inputs in nodes},
        "outputs": {
            name: {"node": node, "output": output} for name, (node, output) in outputs.items()
        },
    }


def adding(a: int) -> dict[str, Any]:
    return flow(("sum", "tools.add", {"a": a, "b": 2}), sum=("sum", "int"))


def steps(count: int = 1000, pause: float = 0.01) -> dict[str, Any]:
    return flow(("work", "tools.steps", {"count": count, "pause": pause}), steps=("work", "int"))


def eventually(see: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not see():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


@pytest.fixture
def server(served: Served) -> Served:
    return served.start()


def test_a_job_is_accepted_run_and_kept_with_what_its_nodes_did(server: Served):
    status, accepted = server.ask("POST", "/api/jobs", {"workflow": adding(1)})
    assert status == 202
    assert accepted["status"] in ("queued", "running", "done")

    job = server.finished(accepted["id"])

    assert job["status"] == "done"
    assert job["outputs"] == {"sum": {"value": 3}}
    assert job["nodes"]["sum"]["outcome"] == "ran"
    assert job["nodes"]["sum"]["key"]
    assert job["counts"] == {"ran": 1}
    assert job["started"] <= job["finished"]
    assert server.ask("GET", f"/api/jobs/{job['id']}/workflow")[1]["nodes"]["sum"]["inputs"] == {
        "a": 1,
        "b": 2,
    }


def test_the_second_job_of_a_kind_computes_nothing(server: Served):
    server.finished(server.submit(adding(1)))
    again = server.finished(server.submit(adding(1)))
    assert again["counts"] == {"memory": 1}
    assert again["nodes"]["sum"]["outcome"] == "memory"


def test_a_node_that_fails_fails_its_job_with_a_sentence_that_names_it(server: Served):
    job = server.finished(server.submit(flow(("bad", "tools.refuse", {"a": 9}), n=("bad", "int"))))
    assert job["status"] == "failed"
    assert "'bad'" in job["problem"]
    assert "9 is too much; use less" in job["problem"]
    assert job["nodes"]["bad"]["outcome"] == "failed"
    assert "too much" in job["nodes"]["bad"]["sentence"]


def test_a_node_that_breaks_tells_where_in_its_code(server: Served):
    bad = server.finished(server.submit(flow(("bad", "tools.fail", {}), n=("bad", "int"))))
    assert bad["nodes"]["bad"]["trace"].startswith("Traceback")
    assert "in fail" in bad["nodes"]["bad"]["trace"]


def test_a_running_job_tells_how_many_nodes_it_asks_for(server: Served):
    flow_of_three = steps()
    flow_of_three["nodes"] |= {
        "sum": {"type": "tools.add", "inputs": {"a": {"node": "work", "output": "int"}, "b": 1}},
        "idle": {"type": "tools.number", "inputs": {}},
    }
    flow_of_three["outputs"] = {"sum": {"node": "sum", "output": "int"}}
    job = server.submit(flow_of_three)
    eventually(lambda: server.job(job)["total"] > 0)
    assert (server.job(job)["status"], server.job(job)["total"]) == ("running", 2)
    told = [event for event in server.events() if event["event"] == "run_started"]
    assert [(event["job"], event["nodes"]) for event in told] == [(job, 2)]
    server.ask("DELETE", f"/api/jobs/{job}")


def test_a_workflow_that_does_not_check_is_refused_with_all_its_problems(server: Served):
    bad = flow(("a", "tools.nothing", {}), ("b", "tools.add", {"a": "x"}), n=("b", "int"))
    status, problem = server.ask("POST", "/api/jobs", {"workflow": bad})
    assert status == 422
    assert {found["code"] for found in problem["problems"]} >= {"unknown_type", "wrong_value"}
    assert server.ask("GET", "/api/jobs")[1]["jobs"] == []
    checked = server.ask("POST", "/api/check", {"workflow": bad})
    assert checked[0] == 200
    assert checked[1]["problems"] == problem["problems"]


def test_the_same_request_with_the_same_key_is_one_job(server: Served):
    body = {"workflow": adding(5)}
    first = server.ask("POST", "/api/jobs", body, **{"Idempotency-Key": "k1"})
    second = server.ask("POST", "/api/jobs", body, **{"Idempotency-Key": "k1"})
    assert first[1]["id"] == second[1]["id"]
    other = server.ask("POST", "/api/jobs", {"workflow": adding(6)}, **{"Idempotency-Key": "k1"})
    assert other[0] == 422
    assert "k1" in other[1]["detail"]


def test_a_batch_makes_jobs_whose_seeds_count_up(server: Served):
    sampled = flow(("s", "tools.seeded", {"seed": 7}), n=("s", "int"))
    status, accepted = server.ask("POST", "/api/jobs", {"workflow": sampled, "batch": 3})
    assert status == 202, accepted
    assert len({job["batch"] for job in accepted["jobs"]}) == 1
    values = [server.finished(job["id"])["outputs"]["n"]["value"] for job in accepted["jobs"]]
    assert values == [7, 8, 9]


def test_a_paused_queue_takes_jobs_in_an_order_that_can_be_changed(server: Served):
    server.ask("PATCH", "/api/queue", {"paused": True})
    first, second, third = (server.submit(adding(number)) for number in range(3))
    urgent = server.submit(adding(99), priority=5)
    assert server.ask("PATCH", f"/api/jobs/{third}", {"before": first})[0] == 200
    server.ask("PATCH", "/api/queue", {"paused": False})
    for job in (first, second, third, urgent):
        server.finished(job)
    # By number of event: two that begin within one tick of the clock have the same time.
    begun = [event["job"] for event in server.events() if event["event"] == "job_started"]
    assert begun == [urgent, third, first, second]


def test_a_queued_job_is_cancelled_at_once_and_a_running_one_in_its_next_step(server: Served):
    running = server.submit(steps())
    eventually(lambda: server.job(running)["status"] == "running")
    waiting = server.submit(adding(1))
    assert server.ask("DELETE", f"/api/jobs/{waiting}")[1]["status"] == "cancelled"
    server.ask("DELETE", f"/api/jobs/{running}")
    assert server.finished(running, 5)["status"] == "cancelled"
    after = server.finished(server.submit(adding(2)))
    assert after["status"] == "done"


def test_all_jobs_are_cancelled_at_once(server: Served):
    jobs = [server.submit(steps()) for _ in range(4)]
    eventually(lambda: server.job(jobs[0])["status"] == "running")
    assert server.ask("DELETE", "/api/jobs?status=queued")[1] == {"cancelled": 3}
    assert server.job(jobs[0])["status"] == "running"
    assert server.ask("DELETE", "/api/jobs")[1] == {"cancelled": 1}
    assert {server.finished(job)["status"] for job in jobs} == {"cancelled"}


def test_a_job_is_run_again_as_a_new_one_with_or_without_other_inputs(server: Served):
    first = server.submit(adding(1))
    server.finished(first)
    status, retried = server.ask("POST", f"/api/jobs/{first}/retry")
    assert status == 202
    again = server.finished(retried["id"])
    assert (again["parent"], again["counts"]) == (first, {"memory": 1})
    changed = server.ask("POST", "/api/jobs", {"job": first, "inputs": {"sum.a": 10}})[1]
    assert server.finished(changed["id"])["outputs"] == {"sum": {"value": 12}}


def test_a_job_that_is_over_leaves_the_history_when_it_is_deleted(server: Served):
    job = server.submit(adding(1))
    server.finished(job)
    assert server.ask("DELETE", f"/api/jobs/{job}")[0] == 204
    assert server.ask("GET", f"/api/jobs/{job}")[0] == 404


def test_jobs_are_listed_newest_first_in_pages(server: Served):
    jobs = [server.submit(adding(number)) for number in range(5)]
    for job in jobs:
        server.finished(job)
    first = server.ask("GET", "/api/jobs?limit=2")[1]
    assert [job["id"] for job in first["jobs"]] == [jobs[4], jobs[3]]
    assert first["counts"] == {"done": 5}
    second = server.ask("GET", f"/api/jobs?limit=10&before={first['next']}&status=done")[1]
    assert [job["id"] for job in second["jobs"]] == [jobs[2], jobs[1], jobs[0]]
    assert second["next"] is None


def test_jobs_of_a_saved_workflow_are_listed_wherever_their_document_came_from(server: Served):
    assert server.ask("PUT", "/api/workflows/my/sum", adding(1))[0] == 201
    by_name = server.ask("POST", "/api/jobs", {"path": "my/sum.json"})[1]["id"]
    edited = server.submit(adding(2), origin="my/sum.json")
    server.submit(adding(3))
    found = server.ask("GET", "/api/jobs?path=my/sum")[1]["jobs"]
    assert [(job["id"], job["path"]) for job in found] == [(edited, "my/sum"), (by_name, "my/sum")]
    assert server.ask("GET", "/api/jobs?path=my/none")[1]["jobs"] == []
    assert server.ask("GET", "/api/jobs?path=../x")[0] == 400
    server.finished(edited)
    again = server.ask("POST", f"/api/jobs/{edited}/retry")[1]
    assert again["jobs"][0]["path"] == "my/sum"
    refused = server.ask("POST", "/api/jobs", {"workflow": adding(1), "origin": "a\\b"})
    assert refused[0] == 422
    assert "has a backslash" in refused[1]["detail"]


def test_what_a_node_prints_is_told_as_an_event_of_its_job(server: Served):
    job = server.submit(flow(("say", "tools.say", {"text": "hello"}), n=("say", "str")))
    server.finished(job)
    told = [event for event in server.events() if event.get("job") == job]
    assert [event["text"] for event in told if event["event"] == "node_log"] == ["hello"]
    names = [event["event"] for event in told]
    assert names[0] == "job_queued"
    assert names[-1] == "job_finished"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("GET", "/api/jobs/none", None, 404, "no job 'none'"),
        ("DELETE", "/api/jobs/none", None, 404, "no job 'none'"),
        ("POST", "/api/jobs/none/retry", None, 404, "no job 'none'"),
        ("PATCH", "/api/jobs/none", {"priority": 1}, 404, "no job 'none'"),
        ("PATCH", "/api/jobs/none", {"priority": 10_000}, 422, "priority"),
        ("PATCH", "/api/jobs/none", {"before": "a", "after": "b"}, 422, "not both"),
        ("GET", "/api/jobs?limit=0", None, 400, "limit"),
        ("GET", "/api/jobs?status=odd", None, 400, "odd"),
        ("PATCH", "/api/queue", {"paused": "maybe"}, 422, "maybe"),
        ("POST", "/api/jobs", {}, 422, "none of them"),
    ],
)
def test_what_cannot_be_done_is_answered_with_a_sentence(
    server: Served, method: str, path: str, body: Any, status: int, words: str
):
    found, problem = server.ask(method, path, body)
    assert found == status, problem
    assert words in problem["detail"]


def test_moving_short_jobs_back_and_forth_while_they_run_loses_none(server: Served):
    server.finished(server.submit(adding(-1)))
    jobs = [server.submit(adding(1000 + number)) for number in range(40)]
    for job in jobs[20:]:
        status, _ = server.ask("PATCH", f"/api/jobs/{job}", {"priority": 1})
        assert status in (200, 409)
    server.ask("PATCH", "/api/queue", {"paused": True})
    server.ask("PATCH", "/api/queue", {"paused": False})
    assert {server.finished(job)["status"] for job in jobs} == {"done"}


def test_a_document_of_any_length_is_run_once_and_told_of_in_order(server: Served):
    for length in (10, 15_990, 16_010, 63_990, 64_010, 65_530, 65_540, 200_000):
        job = server.submit(flow(("say", "tools.say", {"text": "x" * length}), n=("say", "str")))
        assert server.finished(job)["status"] == "done", length
