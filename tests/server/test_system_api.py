"""A server tells of itself: health, machine, log, models."""

from __future__ import annotations

import os
import shutil

import pytest

import nodeflow
from nodeflow.server import system_api
from nodeflow.server.worker_process import WorkerProcess
from tests.server.parts import parts, settings_of


@pytest.fixture
async def server(tmp_path):
    async with parts(settings_of(tmp_path), WorkerProcess("cpu")) as server:
        yield server


async def asked(server, path, status=200):
    answer = await server.client.get(path)
    assert answer.status == status, await answer.text()
    return await answer.json()


async def test_a_server_that_works_is_healthy(server):
    answer = await server.client.get("/healthz")
    assert answer.headers["Cache-Control"] == "no-store"
    assert await answer.json() == {"status": "ok", "version": nodeflow.__version__}


async def test_a_journal_that_cannot_be_written_is_no_health(server):
    server.state.journal.close()
    problem = await asked(server, "/healthz", 503)
    assert problem["detail"] == "The journal cannot be written; the server's log says why."
    assert str(server.data) not in str(problem)


async def test_a_full_disk_is_no_health(server, monkeypatch):
    usage = shutil.disk_usage(server.data)
    monkeypatch.setattr(system_api, "ROOM", usage.free * 2)
    problem = await asked(server, "/healthz", 503)
    assert problem["detail"].endswith("MB left; free some room.")


async def test_the_server_describes_itself(server):
    server.save(server.state.outputs / "a.png", b"x")
    body = await asked(server, "/api/system")
    assert body["versions"]["nodeflow"] == nodeflow.__version__
    assert {"python", "torch", "diffusers", "aiohttp"} <= set(body["versions"])
    assert body["pid"] == os.getpid()
    assert 0 < body["uptime"] < 100_000
    assert 10_000_000 < body["rss"] < body["memory_total"]
    assert body["jobs"] == {"done": 1}
    assert body["paused"] is False
    assert body["folders"]["data"]["path"] == str(server.data)
    assert 0 < body["folders"]["cache"]["free"] < body["folders"]["cache"]["total"]
    assert body["settings"]["disk"] == server.state.settings.disk
    (worker,) = body["workers"]
    assert worker == {
        "name": "cpu",
        "state": "stopped",
        "pid": None,
        "rss": 0,
        "device": {},
        "memory": {},
    }
    assert "token" not in str(body)


async def test_freeing_answers_for_each_worker(server):
    answer = await server.client.post("/api/system/free")
    assert answer.status == 200
    assert set((await answer.json())["workers"]) <= {"cpu"}


async def test_the_newest_lines_of_the_log_are_told(server):
    assert await asked(server, "/api/system/log") == {"lines": []}
    log = server.data / "logs" / "server.log"
    log.parent.mkdir()
    log.write_text("".join(f"line {number}\n" for number in range(500)))
    assert (await asked(server, "/api/system/log"))["lines"][0] == "line 300"
    assert (await asked(server, "/api/system/log?lines=2"))["lines"] == ["line 498", "line 499"]
    for wrong in ("0", "5001", "x"):
        problem = await asked(server, f"/api/system/log?lines={wrong}", 400)
        assert "'lines' in the query" in problem["detail"]


async def test_models_are_listed_by_kind_with_what_they_weigh(server, tmp_path):
    folder = server.state.settings.models[0]
    (folder / "checkpoints" / "sd" / "unet").mkdir(parents=True)
    (folder / "checkpoints" / "sd" / "model_index.json").write_text("{}")
    (folder / "checkpoints" / "sd" / "unet" / "weights.safetensors").write_bytes(b"x" * 998)
    (folder / "loras" / "style").mkdir(parents=True)
    (folder / "loras" / "style" / "ink.safetensors").write_bytes(b"x" * 10)
    os.utime(folder / "loras" / "style" / "ink.safetensors", (1000, 1000))
    (tmp_path / "away.safetensors").write_bytes(b"x")
    (folder / "loras" / "away.safetensors").symlink_to(tmp_path / "away.safetensors")
    kinds = (await asked(server, "/api/models"))["kinds"]
    assert {"checkpoints", "loras", "inputs", "upscalers"} <= set(kinds)
    sd = next(file for file in kinds["checkpoints"]["files"] if file["name"] == "sd")
    assert sd["size"] == 1000
    by_name = {file["name"]: file for file in kinds["loras"]["files"]}
    ink = by_name["style/ink.safetensors"]
    assert ink == {**ink, "size": 10, "modified": 1000.0, "problem": ""}
    assert "leads out of the folder for loras" in by_name["away.safetensors"]["problem"]
    assert kinds["loras"]["put"] == str(folder / "loras")


async def test_models_of_the_same_content_are_told_whatever_their_kinds(server):
    folder = server.state.settings.models[0]
    for name, data in {
        "checkpoints/flux.safetensors": b"x" * 9999,
        "checkpoints/sub/again.safetensors": b"x" * 9999,
        "diffusion_models/flux.safetensors": b"x" * 9999,
        "checkpoints/as_long.safetensors": b"x" * 9998 + b"y",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    for query in ("", "?kind=checkpoints"):
        kinds = (await asked(server, f"/api/models{query}"))["kinds"]
        by_name = {file["name"]: file for file in kinds["checkpoints"]["files"]}
        first, second = by_name["flux.safetensors"], by_name["sub/again.safetensors"]
        assert first["digest"] == second["digest"] != ""
        assert first["same_as"] == ["sub/again.safetensors", "diffusion_models/flux.safetensors"]
        assert second["same_as"] == ["flux.safetensors", "diffusion_models/flux.safetensors"]
        assert by_name["as_long.safetensors"]["same_as"] == []
        assert by_name["as_long.safetensors"]["digest"] == ""


async def test_one_kind_of_models_may_be_asked_for(server):
    body = await asked(server, "/api/models?kind=loras")
    assert list(body["kinds"]) == ["loras"]
    problem = await asked(server, "/api/models?kind=lora", 404)
    assert problem["detail"].startswith("There is no kind of files 'lora'; there are: checkpoints")
