"""The client, and `submit`, with a real server that is killed and started again."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from nodeflow import AsyncClient, Client, ServerError, WorkflowError
from tests.server.conftest import Served, served  # noqa: F401  # a fixture

PACKS = Path(__file__).parents[1] / "cli" / "packs"


def link(node: str) -> dict[str, str]:
    return {"node": node, "output": "int"}


SUM: dict[str, Any] = {
    "nodeflow": 1,
    "name": "Sum",
    "nodes": {
        "add": {"type": "clitools.add", "inputs": {"a": 2, "b": 3}},
        "save": {"type": "clitools.write", "inputs": {"number": link("add")}},
    },
    "inputs": {"start": {"node": "add", "input": "a"}},
    "outputs": {"sum": link("add")},
}


@pytest.fixture
def server(served: Served, monkeypatch: pytest.MonkeyPatch) -> Served:  # noqa: F811
    monkeypatch.setenv("NODEFLOW_CACHE", str(served.folder / "cache"))
    served.environment["NODEFLOW_PACKS"] = str(PACKS)
    return served.start("--device", "cpu")


def waiting(folder: Path) -> dict[str, Any]:
    """A job that goes on until it is cancelled."""
    inputs = {"number": link("add"), "log": str(folder / "log")}
    nodes = SUM["nodes"] | {"wait": {"type": "clitools.wait", "inputs": inputs}}
    return SUM | {"nodes": nodes, "outputs": {"end": link("wait")}}


def until(there: Path) -> None:
    end = time.monotonic() + 60
    while not there.exists():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_job_is_done_and_what_it_made_is_fetched(server, tmp_path):
    # The server of our own data folder is found by itself.
    with Client() as client:
        job = client.run(SUM, start=10)

        assert job.outputs["sum"].value == 13
        (file,) = job.files["save"]
        assert file.bytes() == b"13"
        assert file.save(tmp_path / "sum.txt").read_text() == "13"
        assert [other.id for other in client.jobs("done")] == [job.id]
        assert client.jobs(["queued", "running"]) == []
        assert client.cancel_all(["queued", "running"]) == 0
        assert job.cancel().status == "done"
        assert job.retry().wait().outputs["sum"].value == 13
        assert client.node("clitools.add")["id"] in client.nodes()
        assert client.system()
        assert client.check(SUM) == []
        job.remove()
        with pytest.raises(ServerError, match=job.id):
            client.job(job.id)


def test_a_workflow_that_does_not_check_has_its_problems(server):
    with Client() as client, pytest.raises(WorkflowError) as caught:
        client.submit(SUM, start=1000)

    assert [problem.node for problem in caught.value.problems] == ["add"]


def test_the_same_key_is_the_same_job(server):
    with Client() as client:
        assert client.submit(SUM, key="k").id == client.submit(SUM, key="k").id
        assert len(client.jobs()) == 1
        with pytest.raises(ServerError):
            client.submit(SUM, key="k", start=7)


def test_saved_workflows_are_read_written_and_run(server):
    with Client() as client:
        saved = client.workflows.write("my/sum", SUM)
        with pytest.raises(ServerError) as caught:
            client.workflows.write("my/sum", SUM | {"name": "Other"})
        assert caught.value.status == 412
        newer = client.workflows.write("my/sum", SUM | {"name": "Newer"}, saved.etag)
        assert client.workflows.read("my/sum").etag == newer.etag
        assert "my/sum" in [info["path"] for info in client.workflows.list()]
        assert client.run(saved="my/sum", start=4).outputs["sum"].value == 7
        client.workflows.delete("my/sum", newer.etag)


async def test_a_kill_of_the_server_loses_neither_the_job_nor_an_event(server, tmp_path):
    port = server.url.rpartition(":")[2]
    async with AsyncClient() as client:
        job = await client.submit(waiting(tmp_path))
        seen: list[Any] = []

        async def watch() -> None:
            async for event in job.events():
                seen.append(event.get("seq"))

        watching = asyncio.create_task(watch())
        await asyncio.to_thread(until, tmp_path / "log")
        (tmp_path / "log").unlink()
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start, "--device", "cpu", "--port", port)
        await asyncio.to_thread(until, tmp_path / "log")
        await job.cancel()
        await asyncio.wait_for(watching, 30)

        assert (await job.wait()).status == "cancelled"
        again = [event["seq"] async for event in job.events() if "seq" in event]
        assert [seq for seq in seen if seq] == again


def test_ctrl_c_in_submit_cancels_the_job_and_ends_with_130(server, tmp_path):
    flow = tmp_path / "wait.json"
    with Client() as client:
        client.workflows.write("wait", waiting(tmp_path))
        flow.write_text(client.workflows.read("wait").text)
        process = subprocess.Popen(
            [sys.executable, "-m", "nodeflow.cli", "submit", str(flow)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        until(tmp_path / "log")
        time.sleep(0.3)
        os.kill(process.pid, signal.SIGINT)
        _out, err = process.communicate(timeout=30)

        assert process.returncode == 130, err
        assert "Ctrl-C again ends at once" in err
        assert "Cancelled in" in err
        assert [job.status for job in client.jobs()] == ["cancelled"]
