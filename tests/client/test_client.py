"""The client against a real socket, with a server that fails in every way a server can."""

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from nodeflow import Cancelled, Client, JobFailed, ServerError, ServerUnreachable, WorkflowError
from nodeflow.errors import InputError, NodeflowError, Problem
from tests.client.speaker import Speaker, dropped, refused, said, sse, streamed

DOCUMENT = {"nodeflow": 1, "nodes": {}}
QUEUED = {"id": "j1", "status": "queued"}
ACCEPTED = said({"id": "j1", "status": "queued", "jobs": [QUEUED], "batch": ""}, 202)
FILE = {"digest": "d1", "name": "day/cat_0001.png", "media_type": "image/png", "size": 3}
DONE: dict[str, Any] = {
    "id": "j1",
    "number": 4,
    "status": "done",
    "seconds": 1.5,
    "outputs": {"image": {"files": [FILE]}, "sum": {"value": 9}, "model": {"type": "model"}},
    "files": {"save": [FILE | {"digest": "d2", "name": "cat_0002.png"}]},
}
END = {"seq": 3, "event": "job_finished", "job": "j1", "status": "done"}


@pytest.fixture
def client(speaker: Speaker):
    with Client(speaker.url, "secret", timeout=10, patience=10) as client:
        yield client


def test_a_server_that_is_not_there_is_told_of_at_once_with_what_to_do(speaker):
    speaker.stop()
    began = time.monotonic()

    with Client(speaker.url, "") as client, pytest.raises(ServerUnreachable) as caught:
        client.submit(DOCUMENT)

    assert time.monotonic() - began < 5
    assert speaker.url in str(caught.value)
    assert "`nodeflow serve`" in str(caught.value)
    speaker.start()


def test_the_token_is_sent_and_never_as_part_of_the_address(client, speaker):
    speaker.answer("GET /api/system", said({}))

    client.system()

    assert speaker.got[0].headers["Authorization"] == "Bearer secret"
    assert "secret" not in repr(speaker.got[0].query) + client.url


def test_a_job_whose_answer_was_lost_is_handed_in_again_under_the_same_key(client, speaker):
    speaker.answer("POST /api/jobs", dropped, dropped, ACCEPTED)

    job = client.submit(DOCUMENT, seed=7)

    assert (job.id, job.status) == ("j1", "queued")
    assert len(speaker.got) == 3
    assert len({got.headers["Idempotency-Key"] for got in speaker.got}) == 1
    assert len({got.body for got in speaker.got}) == 1


def test_two_jobs_have_two_keys_unless_the_caller_says_so(client, speaker):
    speaker.answer("POST /api/jobs", ACCEPTED)

    client.submit(DOCUMENT)
    client.submit(DOCUMENT)
    client.submit(DOCUMENT, key="mine")

    keys = [got.headers["Idempotency-Key"] for got in speaker.got]
    assert len(set(keys)) == 3
    assert keys[2] == "mine"


def test_what_would_do_harm_twice_is_not_sent_twice(client, speaker):
    speaker.answer("GET /api/jobs/j1", said(DONE))
    speaker.answer("DELETE /api/jobs/j1", dropped)

    with pytest.raises(ServerUnreachable, match="was lost"):
        client.job("j1").remove()

    assert speaker.lines() == ["GET /api/jobs/j1", "DELETE /api/jobs/j1"]


def test_a_server_that_was_there_and_is_started_again_is_waited_for(client, speaker):
    speaker.answer("GET /api/system", said({"ok": True}))
    client.system()
    speaker.stop()
    back = threading.Timer(0.5, speaker.start)
    back.start()

    assert client.system() == {"ok": True}
    back.join()


def test_patience_ends(speaker):
    speaker.answer("GET /api/system", said({}))
    with Client(speaker.url, "", patience=0.3) as client:
        client.system()
        speaker.stop()

        with pytest.raises(ServerUnreachable):
            client.system()
    speaker.start()


def test_a_busy_server_is_asked_again_when_it_says(client, speaker):
    busy = said({"detail": "Too many requests."}, 429, Retry_After="0")
    speaker.answer("POST /api/jobs", busy, busy, ACCEPTED)

    assert client.submit(DOCUMENT).id == "j1"
    assert len(speaker.got) == 3


def test_a_slow_answer_is_not_waited_for_beyond_the_timeout(speaker):
    speaker.answer("GET /api/system", streamed("{", hold=True))
    with (
        Client(speaker.url, "", timeout=0.3) as client,
        pytest.raises(ServerUnreachable, match="did not answer in time"),
    ):
        client.system()

    assert len(speaker.got) == 1


def test_a_workflow_that_does_not_check_is_the_list_of_its_problems(client, speaker):
    problem = Problem("unknown_type", "There is no 'a.b'.", node="n", pointer="/nodes/n")
    speaker.answer("POST /api/jobs", refused(422, "...", problems=[problem.as_json()], source="x"))
    speaker.answer("POST /api/check", said({"problems": [problem.as_json()]}))

    with pytest.raises(WorkflowError) as caught:
        client.submit(DOCUMENT)

    assert caught.value.problems == (problem,)
    assert client.check(DOCUMENT) == [problem]


def test_waiting_ends_with_the_job_over_as_many_connections_as_it_takes(client, speaker):
    events = [{"seq": n, "event": "node_finished", "job": "j1", "node": f"n{n}"} for n in (1, 2)]
    running = said(QUEUED | {"status": "running"})
    speaker.answer("GET /api/jobs/j1", running, running, running, said(DONE))
    speaker.answer(
        "GET /api/events",
        streamed(sse(events[0]), cut=True),
        streamed(sse(*events, after=1)),
        streamed(sse(END, after=2)),
    )

    job = client.job("j1").wait()

    assert (job.status, job.seconds, job.number) == ("done", 1.5, 4)
    asked = [got.query for got in speaker.got if got.line == "GET /api/events"]
    assert asked == [{"after": after, "job": "j1"} for after in ("0", "1", "2")]


def test_a_wait_that_is_long_enough_says_that_the_job_goes_on(client, speaker):
    speaker.answer("GET /api/jobs/j1", said(QUEUED))
    speaker.answer("GET /api/events", streamed(sse(), hold=True))
    job = client.job("j1")
    began = time.monotonic()

    with pytest.raises(TimeoutError, match=r"j1 was not over after 0.3 s\. It goes on"):
        job.wait(0.3)

    assert time.monotonic() - began < 5


def test_a_job_that_is_removed_while_the_connection_is_lost_is_not_waited_for(client, speaker):
    running = said(QUEUED | {"status": "running"})
    speaker.answer("GET /api/jobs/j1", running, running, refused(404, "There is no job 'j1'."))
    speaker.answer("GET /api/events", streamed(sse(), cut=True))

    with pytest.raises(ServerError, match="no job 'j1'"):
        client.job("j1").wait()


def test_run_hands_in_waits_and_has_the_outputs(client, speaker, tmp_path):
    Image.new("RGB", (3, 2), "red").save(tmp_path / "red.png")
    content = (tmp_path / "red.png").read_bytes()
    speaker.answer("POST /api/jobs", ACCEPTED)
    speaker.answer("GET /api/jobs/j1", said(DONE))
    speaker.answer("GET /api/results/d1", said(content))
    speaker.answer("GET /api/results/d2", said(b"two"))

    outputs = client.run(DOCUMENT, seed=7).outputs

    assert outputs["sum"].value == 9
    assert outputs["model"].said == {"type": "model"}
    image = outputs["image"]
    assert (image.file.name, image.file.media_type) == ("day/cat_0001.png", "image/png")
    assert image.bytes() == content
    assert image.image().size == (3, 2)
    assert image.save(tmp_path) == tmp_path / "cat_0001.png"
    assert image.save(tmp_path / "mine.png").read_bytes() == content
    with pytest.raises(InputError, match="no file"):
        outputs["sum"].save(tmp_path)
    job = client.job("j1")
    assert [file.bytes() for file in job.files["save"]] == [b"two"]


def test_a_result_that_breaks_off_is_fetched_again_and_whole(client, speaker, tmp_path):
    speaker.answer("GET /api/jobs/j1", said(DONE))
    speaker.answer("GET /api/results/d1", streamed("half", cut=True), said(b"whole"))

    path = client.job("j1").outputs["image"].save(tmp_path / "x.png")

    assert path.read_bytes() == b"whole"
    assert [item.name for item in tmp_path.iterdir() if item.name.startswith(".")] == []


def test_a_result_that_is_gone_leaves_no_file(client, speaker, tmp_path):
    speaker.answer("GET /api/jobs/j1", said(DONE))
    speaker.answer("GET /api/results/d1", refused(404, "The result 'd1' is gone."))

    with pytest.raises(ServerError, match="is gone"):
        client.job("j1").outputs["image"].save(tmp_path / "x.png")

    assert list(tmp_path.glob("*.png")) == []


def test_outputs_are_there_only_when_the_job_is_over(client, speaker):
    speaker.answer("GET /api/jobs/j1", said(QUEUED))

    with pytest.raises(NodeflowError, match="is queued; wait for it first"):
        _ = client.job("j1").outputs


@pytest.mark.parametrize(
    ("end", "error"),
    [
        ({"status": "failed", "problem": "Node 'a': no."}, JobFailed),
        ({"status": "cancelled"}, Cancelled),
    ],
)
def test_run_raises_what_became_of_the_job(client, speaker, end, error):
    speaker.answer("POST /api/jobs", ACCEPTED)
    speaker.answer("GET /api/jobs/j1", said(QUEUED | end))

    with pytest.raises(error) as caught:
        client.run(DOCUMENT)

    assert error is Cancelled or (str(caught.value), caught.value.job) == ("Node 'a': no.", "j1")


def test_cancelling_leaves_a_job_that_is_over_in_the_history(client, speaker):
    speaker.answer("GET /api/jobs/j1", said(DONE))
    speaker.answer("GET /api/jobs/j2", said(QUEUED | {"id": "j2"}))
    speaker.answer("DELETE /api/jobs/j2", said({"id": "j2", "status": "cancelled"}))

    assert client.job("j1").cancel().status == "done"
    assert client.job("j2").cancel().status == "cancelled"
    assert "DELETE /api/jobs/j1" not in speaker.lines()


def test_saved_workflows_are_written_only_over_what_was_read(client, speaker):
    speaker.answer("GET /api/workflows/a%20b/c", said(DOCUMENT, ETag='"e1"'))
    speaker.answer("PUT /api/workflows/a%20b/c", said({}, 201, ETag='"e2"'))
    saved = client.workflows.read("a b/c")

    written = client.workflows.write("a b/c", saved.workflow, saved.etag)
    client.workflows.write("a b/c", DOCUMENT)

    assert written.etag == '"e2"'
    first, second = [got.headers for got in speaker.got if got.line.startswith("PUT")]
    assert (first["If-Match"], "If-None-Match" in first) == ('"e1"', False)
    assert (second["If-None-Match"], "If-Match" in second) == ("*", False)


def test_all_events_come_without_a_gap_over_a_restart_at_any_point(client, speaker):
    events = [{"seq": n, "event": "queue_changed", "paused": True} for n in range(1, 5)]
    speaker.answer(
        "GET /api/events",
        streamed(sse(*events[:2]), cut=True),
        dropped,
        streamed(sse(*events[2:], after=2)),
    )
    stream = client.events(after=0)

    assert [next(stream)["seq"] for _ in events] == [1, 2, 3, 4]
    stream.close()


def test_a_file_is_uploaded_as_it_is(client, speaker, tmp_path):
    (tmp_path / "x.webp").write_bytes(bytes(range(256)) * 4000)
    speaker.answer("POST /api/uploads", said({"name": "uploads/x.webp", "digest": "d"}, 201))

    assert client.upload(tmp_path / "x.webp").name == "uploads/x.webp"

    assert speaker.got[0].body == (tmp_path / "x.webp").read_bytes()
    assert speaker.got[0].query == {"name": "x.webp"}


def test_the_client_is_there_quickly_and_without_the_engine():
    script = (
        "import sys; from nodeflow import Client, AsyncClient; "
        "loaded = {'torch', 'PIL', 'nodeflow.engine', 'nodeflow.registry', 'nodeflow.workflow', "
        "'rich', 'typer', 'aiohttp'} & set(sys.modules); print(sorted(loaded))"
    )

    said = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )

    assert said.stdout == "[]\n"
