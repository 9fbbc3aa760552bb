from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nodeflow.server.desk_calls import DeskCalls
from nodeflow.server.desk_messages import Found, Made, Named, Work
from nodeflow.server.problems import HttpError
from nodeflow.server.worker_process import WorkerProcess, environment_of
from nodeflow.worker.messages import Frames, Message, encode
from tests.server.desk_tools import chain, document, settings_in, text_of


async def test_a_helper_that_hangs_is_ended_and_the_next_one_works(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    (settings.data / "journal" / "incoming").mkdir(parents=True)
    process = WorkerProcess(
        "desk", "nodeflow.server.desk_process", environment=environment_of(settings)
    )
    calls = DeskCalls(process, patience=0.05)
    await process.start()
    try:
        first = process.pid
        with pytest.raises(HttpError, match=r"it took longer than 0\.05 s") as late:
            await calls.do(Work(0, "check", text_of(chain(20_000)).decode(), nodes=50_000))
        assert late.value.status == 503
        calls._patience = 60
        found = await calls.do(Work(0, "check", text_of(document()).decode(), nodes=100))
        assert isinstance(found, Found)
        assert found.problems == []
        assert process.pid != first
    finally:
        await process.stop()


async def test_a_helper_that_cannot_start_is_said_to_be_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nodeflow.server.desk_calls.START_SECONDS", 0.05)
    calls = DeskCalls(WorkerProcess("desk", "nodeflow.server.desk_process"))
    with pytest.raises(HttpError, match="the process for it does not start") as missing:
        await calls.do(Work(0, "check"))
    assert missing.value.status == 503


def test_every_message_comes_out_of_its_frame_as_it_went_in() -> None:
    messages: list[Message] = [
        Work(1, "prepare", text="{}", source="cäts", size=5),
        Named(2, {"path": "cats"}),
        Made(3, "name", [{"digest": "d", "text": "", "file": "f", "nodes": 1}], {"batch": 2}),
        Found(4, [{"code": "x", "sentence": "y"}]),
    ]
    assert Frames().feed(b"".join(map(encode, messages))) == messages


def test_the_helper_needs_nothing_heavy() -> None:
    code = (
        "import sys, nodeflow.server.desk_process\n"
        "print([name for name in ('torch', 'diffusers', 'nodeflow.engine') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
