"""One data folder has one server, and a second one is told which."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nodeflow.errors import SettingsError
from nodeflow.server.data_lock import DataLock

HOLD = """
import sys, time
from pathlib import Path
from nodeflow.server.data_lock import DataLock
lock = DataLock(Path(sys.argv[1]))
lock.acquire()
lock.announce("http://127.0.0.1:4321")
print("held", flush=True)
time.sleep(60)
"""


def hold(data: Path) -> subprocess.Popen[str]:
    """Another process that has the folder."""
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(data)], stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    return other


def end(other: subprocess.Popen[str]) -> None:
    other.send_signal(signal.SIGKILL)
    other.wait(10)
    assert other.stdout is not None
    other.stdout.close()


def test_a_second_server_is_told_the_process_and_the_address_of_the_first(tmp_path: Path) -> None:
    other = hold(tmp_path)
    try:
        with pytest.raises(SettingsError) as refused:
            DataLock(tmp_path).acquire()
    finally:
        end(other)
    sentence = str(refused.value)
    assert str(tmp_path) in sentence
    assert f"process id {other.pid} at http://127.0.0.1:4321" in sentence
    assert "NODEFLOW_DATA" in sentence


def test_what_a_killed_server_left_is_no_obstacle(tmp_path: Path) -> None:
    end(hold(tmp_path))
    with DataLock(tmp_path) as lock:
        lock.announce("http://127.0.0.1:1")
        text = (tmp_path / "journal" / "server.json").read_text()
    assert f'"pid": {os.getpid()}' in text


def test_a_folder_that_was_let_go_can_be_taken_again(tmp_path: Path) -> None:
    with DataLock(tmp_path):
        pass
    assert not (tmp_path / "journal" / "server.json").exists()
    with DataLock(tmp_path), pytest.raises(SettingsError, match="in use by the server"):
        DataLock(tmp_path).acquire()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x", "url": "", "started": 0}'])
def test_a_server_that_has_not_said_who_it_is_is_another_server(tmp_path: Path, text: str) -> None:
    with DataLock(tmp_path):
        (tmp_path / "journal" / "server.json").write_text(text)
        with pytest.raises(SettingsError, match=r"in use by another server\. Use that one"):
            DataLock(tmp_path).acquire()


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be used: Not a directory"):
        DataLock(tmp_path / "file")
