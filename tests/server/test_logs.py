"""What the server says lands in a rotating file; what goes wrong on the terminal too."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from nodeflow.errors import SettingsError
from nodeflow.server.logs import FILES, ServerLog, last_lines

ours = logging.getLogger("nodeflow.server.test")


@pytest.fixture(autouse=True)
def levels() -> Iterator[None]:
    """Loggers as they were before the test."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    assert root.handlers == handlers
    root.setLevel(level)


def test_everything_is_in_the_file_and_warnings_are_on_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ServerLog(tmp_path / "logs") as log:
        ours.info("it works")
        ours.warning("it hardly works")
        logging.getLogger("aiohttp.access").info("GET /")
    text = log.path.read_text()
    assert "INFO nodeflow.server.test: it works" in text
    assert "WARNING nodeflow.server.test: it hardly works" in text
    assert "GET /" not in text
    said = capsys.readouterr().err
    assert "it hardly works" in said
    assert "it works" not in said


def test_an_exception_is_written_with_its_traceback(tmp_path: Path) -> None:
    with ServerLog(tmp_path) as log:
        try:
            raise ValueError("no such thing")
        except ValueError:
            ours.exception("It failed")
    lines = last_lines(log.path, 100)
    assert any("It failed" in line for line in lines)
    assert lines[-1] == "ValueError: no such thing"


def test_old_files_go_so_that_the_log_never_fills_a_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nodeflow.server.logs._FILE_BYTES", 1000)
    with ServerLog(tmp_path):
        for number in range(200):
            ours.info("line %03d %s", number, "x" * 50)
    files = sorted(tmp_path.iterdir())
    assert len(files) == FILES
    assert all(file.stat().st_size <= 1000 for file in files)
    assert "line 199" in last_lines(tmp_path / "server.log", 1)[0]


def test_the_last_lines_are_whole_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    assert last_lines(path, 5) == []
    path.write_text("one\ntwo\nthree\n")
    assert last_lines(path, 2) == ["two", "three"]
    assert last_lines(path, 9) == ["one", "two", "three"]
    path.write_bytes(b"first line\n" + b"x" * 5_000_000 + b"\nlast\xff\n")
    assert last_lines(path, 9) == ["last\ufffd"]


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match=r"The log .* cannot be written: "):
        ServerLog(tmp_path / "file")
