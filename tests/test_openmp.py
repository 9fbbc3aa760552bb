"""Threads of a run sleep early, unless the environment says how they wait."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nodeflow import Engine
from nodeflow.openmp import SPINS
from nodeflow.settings import Settings


@pytest.fixture(autouse=True)
def unsaid(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, "")  # so that it is as it was afterwards
        monkeypatch.delenv(name)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(cache=tmp_path / "cache", data=tmp_path / "data", packs=())


def test_an_engine_tells_threads_to_sleep_early(settings: Settings) -> None:
    with Engine(settings):
        assert os.environ["GOMP_SPINCOUNT"] == SPINS


@pytest.mark.parametrize(
    ("name", "value"), [("OMP_WAIT_POLICY", "active"), ("GOMP_SPINCOUNT", "infinity")]
)
def test_who_says_how_threads_wait_is_obeyed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with Engine(settings):
        assert os.environ[name] == value
        assert os.environ.get("GOMP_SPINCOUNT") in (None, value)
