"""A server that says what a test wants, and settings that are nobody's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.speaker import Speaker


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("NODEFLOW_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("NODEFLOW_DATA", str(tmp_path / "data"))


@pytest.fixture
def speaker() -> Iterator[Speaker]:
    speaker = Speaker().start()
    yield speaker
    speaker.stop()
