"""What the editor's tests need is found, or a sentence says what to install."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scripts import web_tools


def program(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_a_browser_is_found_by_any_of_its_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NODEFLOW_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert web_tools.find_chromium() is None

    chrome = program(tmp_path, "google-chrome")
    assert web_tools.chromium() == str(chrome)

    monkeypatch.setenv("NODEFLOW_CHROMIUM", "/my/own")
    assert web_tools.chromium() == "/my/own"


def test_without_a_browser_and_the_right_to_install_one_a_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("NODEFLOW_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert web_tools.main(["chromium"]) == 1
    assert "'apt-get install chromium'" in capsys.readouterr().err


def test_words_that_mean_nothing_are_answered_with_those_that_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert web_tools.main(["nonsense"]) == 2
    assert "web_tools.py build" in capsys.readouterr().err
