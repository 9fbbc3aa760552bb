"""`submit` shows, prints and ends as `run` does."""

import json
from typing import Any

import pytest

from nodeflow.errors import Problem
from tests.client.speaker import Speaker, dropped, refused, said, sse, streamed

JOB = "5f0c5f0c5f0c5f0c"
FLOW: dict[str, Any] = {
    "nodeflow": 1,
    "name": "Sum",
    "nodes": {
        "first": {"type": "tools.add", "inputs": {"a": 1}},
        "second": {"type": "tools.show", "inputs": {"text": "x"}},
    },
    "inputs": {
        "start": {"node": "first", "input": "a"},
        "both": [{"node": "first", "input": "a"}, {"node": "second", "input": "text"}],
        "image": {"node": "second", "input": "text"},
    },
}
FILE = {"digest": "d1", "name": "sub/cat_0007.png", "media_type": "image/png", "size": 3}
OUTPUTS = {"sum": {"value": 9}, "image": {"files": [FILE]}}
NUMBER = {"name": "a", "type": "int", "required": True, "json_schema": {"type": "integer"}}
TEXT = {"name": "text", "type": "str", "required": True, "json_schema": {"type": "string"}}


def spec(name: str, *inputs: dict[str, Any]) -> dict[str, Any]:
    pack, _, function = name.partition(".")
    facts = {"id": name, "pack": pack, "function": function, "module": "m", "title": name}
    return facts | {"inputs": list(inputs)}


def job(status: str, **others: Any) -> dict[str, Any]:
    return {"id": JOB, "number": 3, "status": status, **others}


EVENTS: list[dict[str, Any]] = [
    {"event": "job_queued", "name": "Sum", "priority": 0, "position": 1.0},
    {"event": "job_started", "worker": "cpu"},
    {"event": "run_started", "workflow": "Sum", "nodes": 2},
    {"event": "node_started", "node": "first", "type": "tools.add", "why": "new"},
    {"event": "node_finished", "node": "first", "outcome": "ran", "seconds": 0.5},
]


def numbered(*last: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"seq": number, "time": 1.0, "job": JOB, **event}
        for number, event in enumerate([*EVENTS, *last], 1)
    ]


def ending(status: str, **others: Any) -> dict[str, Any]:
    return {"event": "job_finished", "status": status, "seconds": 1.5, **others}


GOOD = ending("done", outputs=OUTPUTS, counts={"ran": 1, "disk": 1})


@pytest.fixture
def server(monkeypatch):
    speaker = Speaker().start()
    monkeypatch.setenv("NODEFLOW_SERVER", speaker.url)
    accepted = {"id": JOB, "status": "queued", "jobs": [job("queued")], "batch": ""}
    speaker.answer("POST /api/jobs", said(accepted, 202))
    speaker.answer(f"GET /api/jobs/{JOB}", said(job("done", outputs=OUTPUTS, name="Sum")))
    speaker.answer("GET /api/events", streamed(sse(*numbered(GOOD))))
    speaker.answer("GET /api/results/d1", said(b"cat"))
    speaker.answer("GET /api/nodes/tools.add", said(spec("tools.add", NUMBER)))
    speaker.answer("GET /api/nodes/tools.show", said(spec("tools.show", TEXT)))
    speaker.answer("POST /api/uploads", said({"name": "uploads/x-1.png", "digest": "u"}, 201))
    yield speaker
    speaker.stop()


@pytest.fixture
def flow(tmp_path):
    path = tmp_path / "sum.json"
    path.write_text(json.dumps(FLOW))
    return path


def sent(server: Speaker) -> Any:
    (got,) = [got for got in server.got if got.line == "POST /api/jobs"]
    return got.json()


def test_values_are_printed_and_files_are_fetched_into_the_folder(nodeflow, server, flow, tmp_path):
    said = nodeflow("submit", flow)

    assert said.code == 0, said.err
    file = tmp_path / "outputs" / "sub" / "cat_0001.png"
    assert said.out.splitlines() == ["sum: 9", str(file)]
    assert file.read_bytes() == b"cat"
    assert said.err.splitlines() == [
        "queued",
        "first: ran in 0.50 s",
        "Done in 1.50 s: 1 ran, 1 from disk.",
    ]


def test_nothing_that_is_there_is_written_over(nodeflow, server, flow, tmp_path):
    said = [nodeflow("submit", flow, "--out", tmp_path / "here") for _ in range(2)]

    paths = [answer.out.splitlines()[1] for answer in said]
    assert paths == [str(tmp_path / "here" / "sub" / f"cat_000{n}.png") for n in (1, 2)]


@pytest.mark.parametrize("name", ["../../climbed.png", "/etc/climbed.png", "a/../../climbed.png"])
def test_a_server_cannot_write_outside_of_the_folder(nodeflow, server, flow, tmp_path, name):
    outputs = {"image": {"files": [FILE | {"name": name}]}}
    server.answer(f"GET /api/jobs/{JOB}", said(job("done", outputs=outputs)))

    answer = nodeflow("submit", flow)

    assert answer.code == 2
    assert "leads out of the output folder" in answer.err
    assert list(tmp_path.parent.rglob("climbed*")) == []


def test_what_is_typed_is_read_as_the_server_declares_it(nodeflow, server, flow):
    nodeflow("submit", flow, "--set", "start=7", "--set", "second.text=8", "--priority", "5")

    body = sent(server)
    assert body["inputs"] == {"start": 7, "second.text": "8"}
    assert body["priority"] == 5
    assert body["workflow"]["nodes"] == FLOW["nodes"]


def test_one_input_over_inputs_of_different_kinds_is_read_for_each(nodeflow, server, flow):
    nodeflow("submit", flow, "--set", "both=7")

    assert sent(server)["inputs"] == {"first.a": 7, "second.text": "7"}


def test_a_file_is_uploaded_if_it_is_asked_for(nodeflow, server, flow, tmp_path):
    (tmp_path / "x.png").write_bytes(b"pixels")

    nodeflow("submit", flow, "--set", "image=@x.png", "--set", "second.text=@@home")

    assert sent(server)["inputs"] == {"image": "uploads/x-1.png", "second.text": "@home"}
    (got,) = [got for got in server.got if got.line == "POST /api/uploads"]
    assert got.body == b"pixels"


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("start=many", "'start' cannot be 'many'"),
        ("strat=1", "Did you mean 'start'?"),
        ("start", "NAME=VALUE"),
        ("image=@absent.png", "absent.png"),
    ],
)
def test_a_value_that_cannot_be_set_ends_with_2_and_hands_in_nothing(
    nodeflow, server, flow, assignment, said
):
    answer = nodeflow("submit", flow, "--set", assignment)

    assert answer.code == 2
    assert said in answer.err
    assert "POST /api/jobs" not in server.lines()


def test_detached_prints_the_id_and_waits_for_nothing(nodeflow, server, flow):
    said = nodeflow("submit", flow, "--detach")

    assert (said.code, said.out) == (0, f"{JOB}\n")
    assert "GET /api/events" not in server.lines()


def test_json_is_each_event_and_the_last_says_where_files_are(nodeflow, server, flow, tmp_path):
    said = nodeflow("submit", flow, "--json")

    lines = [json.loads(line) for line in said.out.splitlines()]
    assert lines[:-1] == numbered(GOOD)[:-1]
    path = str(tmp_path / "outputs" / "sub" / "cat_0001.png")
    assert lines[-1]["outputs"] == {
        "sum": {"value": 9},
        "image": {"files": [FILE | {"path": path}]},
    }


def test_a_node_that_failed_is_said_as_run_says_it(nodeflow, server, flow):
    failed = {"event": "node_failed", "node": "first", "type": "tools.add", "sentence": "Too big."}
    problem = "Node 'first' (tools.add): Too big."
    events = numbered(failed, ending("failed", problem=problem))
    server.answer("GET /api/events", streamed(sse(*events)))
    server.answer(f"GET /api/jobs/{JOB}", said(job("failed", problem=problem)))

    answer = nodeflow("submit", flow)

    assert answer.code == 1
    assert f"{flow}#/nodes/first: node_failed: {problem}" in answer.err.splitlines()


def test_a_job_that_failed_without_a_node_says_why(nodeflow, server, flow):
    events = numbered(ending("failed", problem="The worker was killed."))
    server.answer("GET /api/events", streamed(sse(*events)))
    server.answer(f"GET /api/jobs/{JOB}", said(job("failed", problem="The worker was killed.")))

    answer = nodeflow("submit", flow)

    assert answer.code == 1
    assert f"{flow}#: job_failed: The worker was killed." in answer.err


def test_a_job_that_somebody_cancelled_ends_with_130(nodeflow, server, flow):
    server.answer("GET /api/events", streamed(sse(*numbered(ending("cancelled")))))
    server.answer(f"GET /api/jobs/{JOB}", said(job("cancelled")))

    assert nodeflow("submit", flow).code == 130


def test_a_workflow_that_does_not_check_ends_with_2_and_its_problems(nodeflow, server, flow):
    problem = Problem("unknown_type", "There is no 'tools.add'.", pointer="/nodes/first")
    server.answer("POST /api/jobs", refused(422, "...", problems=[problem.as_json()]))

    said = nodeflow("submit", flow)

    assert said.code == 2
    assert said.err == f"{flow}#/nodes/first: unknown_type: There is no 'tools.add'.\n"


def test_without_a_server_it_ends_with_2_and_says_how_to_start_one(nodeflow, flow, server):
    server.stop()

    said = nodeflow("submit", flow)

    assert said.code == 2
    assert "`nodeflow serve`" in said.err
    assert "Traceback" not in said.err
    server.start()


def test_a_lost_connection_is_made_again_and_nothing_is_shown_twice(nodeflow, server, flow):
    events = numbered(GOOD)
    server.answer(f"GET /api/jobs/{JOB}", said(job("running")), said(job("done")))
    server.answer(
        "GET /api/events", streamed(sse(*events[:3]), cut=True), streamed(sse(*events, after=3))
    )

    answer = nodeflow("submit", flow)

    assert answer.code == 0
    assert answer.err.splitlines().count("first: ran in 0.50 s") == 1


def test_a_job_whose_answer_is_lost_is_handed_in_once(nodeflow, server, flow):
    accepted = {"id": JOB, "status": "queued", "jobs": [job("queued")], "batch": ""}
    server.answer("POST /api/jobs", dropped, said(accepted, 202))

    assert nodeflow("submit", flow, "--detach").out == f"{JOB}\n"
    keys = [got.headers["Idempotency-Key"] for got in server.got if got.body]
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_a_batch_is_several_jobs_and_the_worst_end_counts(nodeflow, server, flow):
    other = "0a0a0a0a0a0a0a0a"
    jobs = [job("queued"), job("queued") | {"id": other}]
    server.answer("POST /api/jobs", said({"id": JOB, "status": "queued", "jobs": jobs}, 202))
    end = {"seq": 9, "job": other, **ending("failed", problem="No.")}
    server.answer("GET /api/events", streamed(sse(*numbered(GOOD))), streamed(sse(end)))
    server.answer(f"GET /api/jobs/{other}", said(job("failed", problem="No.") | {"id": other}))

    answer = nodeflow("submit", flow, "--batch", "2")

    assert answer.code == 1
    assert "sum: 9" in answer.out
    assert sent(server)["batch"] == 2


def test_a_saved_workflow_is_named_by_its_path(nodeflow, server):
    server.answer("GET /api/workflows/my/sum", said(FLOW, ETag='"e"'))

    answer = nodeflow("submit", "my/sum", "--saved", "--set", "start=7", "--detach")

    assert answer.code == 0, answer.err
    assert sent(server) == {"path": "my/sum", "inputs": {"start": 7}}
