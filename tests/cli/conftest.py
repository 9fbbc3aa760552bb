"""The command line called in this process, with folders of its own."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from nodeflow.cli import main


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


Nodeflow = Callable[..., Said]


@pytest.fixture(scope="session")
def specs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is remembered about packs: reading the built-in ones anew imports torch."""
    return tmp_path_factory.mktemp("specs")


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, specs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("NODEFLOW_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("NODEFLOW_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("NODEFLOW_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "specs").symlink_to(specs)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def nodeflow(capfd: pytest.CaptureFixture[str]) -> Nodeflow:
    def call(*arguments: str | Path) -> Said:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        said = capfd.readouterr()
        return Said(int(ended.value.code or 0), said.out, said.err)

    return call
