"""The async client is the sync one, awaited."""

import asyncio
import inspect
import time
from typing import Any

import pytest

from nodeflow import AsyncClient, Client, JobFailed, ServerUnreachable, WorkflowError
from nodeflow.client.async_job import AsyncJob
from nodeflow.client.job import Job
from nodeflow.client.outputs import AsyncOutput, AsyncResultFile, ResultFile, SyncOutput
from nodeflow.client.saved import AsyncWorkflows, Workflows
from nodeflow.errors import Problem
from tests.client.speaker import Speaker, dropped, refused, said, sse, streamed
from tests.client.test_client import ACCEPTED, DOCUMENT, DONE, END, QUEUED

TWINS: list[tuple[type, type]] = [
    (Client, AsyncClient),
    (Job, AsyncJob),
    (SyncOutput, AsyncOutput),
    (ResultFile, AsyncResultFile),
    (Workflows, AsyncWorkflows),
]


@pytest.fixture
async def client(speaker: Speaker):
    async with AsyncClient(speaker.url, "secret", timeout=10, patience=10) as client:
        yield client


def signatures(kind: type) -> dict[str, list[tuple[str, Any]]]:
    return {
        name: [(item.name, item.default) for item in inspect.signature(value).parameters.values()]
        for name, value in inspect.getmembers(kind, callable)
        if not name.startswith("_")
    }


@pytest.mark.parametrize(("one", "other"), TWINS, ids=lambda kind: kind.__name__)
def test_both_have_the_same_names_and_arguments(one, other):
    assert signatures(one) == signatures(other)
    assert signatures(one)


async def test_a_job_whose_answer_was_lost_is_handed_in_again_under_the_same_key(client, speaker):
    speaker.answer("POST /api/jobs", dropped, ACCEPTED)

    assert (await client.submit(DOCUMENT, seed=7)).id == "j1"

    assert len({got.headers["Idempotency-Key"] for got in speaker.got}) == 1
    assert [got.json()["inputs"] for got in speaker.got] == [{"seed": 7}] * 2
    assert speaker.got[0].headers["Authorization"] == "Bearer secret"


async def test_a_server_that_is_not_there_is_told_of_at_once(speaker):
    speaker.stop()
    async with AsyncClient(speaker.url, "") as client:
        with pytest.raises(ServerUnreachable, match="`nodeflow serve`"):
            await client.submit(DOCUMENT)
    speaker.start()


async def test_waiting_goes_on_over_lost_connections_and_has_the_outputs(client, speaker, tmp_path):
    running = said(QUEUED | {"status": "running"})
    speaker.answer("GET /api/jobs/j1", running, running, said(DONE))
    speaker.answer("GET /api/events", streamed(sse(), cut=True), streamed(sse(END)))
    speaker.answer("GET /api/results/d1", streamed("ha", cut=True), said(b"whole"))

    job = (await (await client.job("j1")).wait()).raise_if_failed()

    image = job.outputs["image"]
    assert job.outputs["sum"].value == 9
    assert await image.bytes() == b"whole"
    assert (await image.save(tmp_path / "x.png")).read_bytes() == b"whole"
    assert [file.name for file in job.files["save"]] == ["cat_0002.png"]


async def test_a_wait_that_is_long_enough_says_that_the_job_goes_on(client, speaker):
    speaker.answer("GET /api/jobs/j1", said(QUEUED))
    speaker.answer("GET /api/events", streamed(sse(), hold=True))
    job = await client.job("j1")
    began = time.monotonic()

    with pytest.raises(TimeoutError, match=r"j1 was not over after 0.2 s\. It goes on"):
        await job.wait(0.2)

    assert time.monotonic() - began < 5


async def test_a_wait_can_be_cancelled_and_the_client_goes_on(client, speaker):
    speaker.answer("GET /api/jobs/j1", said(QUEUED))
    speaker.answer("GET /api/events", streamed(sse(), hold=True))
    waiting = asyncio.create_task((await client.job("j1")).wait())
    while "GET /api/events" not in speaker.lines():
        await asyncio.sleep(0.01)

    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (await client.job("j1")).status == "queued"


async def test_errors_are_those_of_the_sync_client(client, speaker):
    problem = Problem("unknown_type", "There is no 'a.b'.")
    speaker.answer("POST /api/jobs", refused(422, "...", problems=[problem.as_json()]), ACCEPTED)
    speaker.answer("GET /api/jobs/j1", said(QUEUED | {"status": "failed", "problem": "No."}))

    with pytest.raises(WorkflowError) as caught:
        await client.run(DOCUMENT)
    assert caught.value.problems == (problem,)
    with pytest.raises(JobFailed, match=r"^No\.$"):
        await client.run(DOCUMENT)


async def test_all_events_come_without_a_gap_over_lost_connections(client, speaker):
    events = [{"seq": n, "event": "queue_changed", "paused": True} for n in range(1, 5)]
    speaker.answer(
        "GET /api/events",
        streamed(sse(*events[:2]), cut=True),
        dropped,
        streamed(sse(*events, after=2), hold=True),
    )
    seen = []

    async for event in client.events(after=0):
        seen.append(event["seq"])
        if len(seen) == 4:
            break

    assert seen == [1, 2, 3, 4]


async def test_a_file_is_uploaded_as_it_is(client, speaker, tmp_path):
    (tmp_path / "x.png").write_bytes(bytes(range(256)) * 4000)
    speaker.answer("POST /api/uploads", dropped, said({"name": "uploads/x.png", "digest": "d"}))

    assert (await client.upload(tmp_path / "x.png")).name == "uploads/x.png"

    assert [got.body for got in speaker.got] == [(tmp_path / "x.png").read_bytes()] * 2
