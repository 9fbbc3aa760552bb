"""The files service: inside one folder, whole or not at all, each name once."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from nodeflow.errors import InputError
from nodeflow.outputs import FreeNames, OutputFiles, remove_unfinished


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "away").symlink_to(tmp_path)
    files = OutputFiles(tmp_path / "out")
    with pytest.raises(InputError, match="through a link"), files.create("away/x", ".txt"):
        pass


def test_what_is_half_written_never_gets_its_name(tmp_path):
    files = OutputFiles(tmp_path)

    def fail_half_way() -> None:
        with files.create("x", ".txt") as file:
            file.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert list(tmp_path.iterdir()) == []
    assert files.written == []


def test_a_free_name_is_given_once_even_before_it_is_written(tmp_path: Path):
    (tmp_path / "x_0001.png").touch()
    free, given = FreeNames(), []
    threads = [
        threading.Thread(target=lambda: given.append(free(0, tmp_path, "x", ".png")))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(path.name for path in given) == [f"x_{n:04d}.png" for n in range(2, 22)]


def test_a_disk_without_room_is_said_with_the_folder(tmp_path):
    files = OutputFiles(tmp_path)

    def write() -> None:
        with files.create("x", ".txt"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(InputError, match=r"'x\.txt' cannot be written to .*No space left"):
        write()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_said(tmp_path):
    (tmp_path / "taken").write_text("")

    def write() -> None:
        with OutputFiles(tmp_path / "taken").create("x", ".txt") as file:
            file.write(b"1")

    with pytest.raises(InputError, match=r"cannot be written to .*taken"):
        write()


def test_filled_in_names_have_no_spaces(tmp_path):
    files = OutputFiles(tmp_path, fields={"workflow": "My first / flow"})
    with files.create("{workflow}", ".txt") as file:
        file.write(b"1")
    assert [path.name for path in files.written] == ["My_first_flow_0001.txt"]


def test_what_a_killed_process_left_half_written_is_removed(tmp_path: Path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = tmp_path / "day" / f".unfinished-{ended.pid}-abc"
    being_written = tmp_path / f".unfinished-{os.getpid()}-abc"
    whole = tmp_path / "day" / "picture.png"
    left.parent.mkdir()
    for path in (left, being_written, whole):
        path.write_bytes(b"x")
    remove_unfinished(tmp_path)
    assert not left.exists()
    assert being_written.exists()
    assert whole.exists()
