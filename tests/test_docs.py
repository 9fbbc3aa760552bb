"""The documentation is true: every code block of a page is run, top to bottom, as a reader would.

`python` is executed, in one namespace for a page, and the nodes it declares must be acceptable.
`sh` is run by bash; so is `console`, where what follows a command is what it must print (`...`
stands for anything). `json` that is a workflow is checked. A second word after the language is the
name of a file that the block is written to first.
"""

from __future__ import annotations

import doctest
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nodeflow import Workflow
from nodeflow.cli import COMMANDS
from nodeflow.declaration import read_node
from nodeflow.engine import Engine
from nodeflow.settings import Settings
from nodeflow.sockets import SHARED, SocketType
from nodeflow.spec import MARK

ROOT = Path(__file__).parents[1]
TRAINING = "embedded_model.md"
"""Its commands train a model for hours; tests/nodes/emoji runs that code on less."""
DOCS = [page for page in sorted((ROOT / "docs").glob("*.md")) if page.name != TRAINING]
PAGES = [ROOT / "README.md", *DOCS]
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
IN_CI = re.compile(r"^make .*\n", re.MULTILINE)
"""`.ci/run` runs these in a fresh clone."""


@dataclass(frozen=True)
class Block:
    line: int
    language: str
    file: str
    text: str


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(text.count("\n", 0, found.start()) + 1, found[1], found[2] or "", found[3])
        for found in BLOCK.finditer(text)
    ]


class Reader:
    """Somebody who follows a page: one folder, one shell, one Python."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment | {"PWD": str(folder)}
        self.names: dict[str, Any] = {"__name__": "docs"}

    def follow(self, block: Block) -> None:
        if block.file:
            path = self.folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        getattr(self, f"_{block.language}")(block)

    def _python(self, block: Block) -> None:
        code = compile("\n" * block.line + block.text, "page", "exec", dont_inherit=True)
        exec(code, self.names)
        sockets = {socket.of: socket.name for socket in SHARED}
        for value in self.names.values():
            if isinstance(value, SocketType):
                sockets[value.of] = f"docs.{value.name}"
        for value in self.names.values():
            if getattr(value, "__module__", "") == "docs" and hasattr(value, MARK):
                assert read_node(value, "docs", sockets).description

    def _sh(self, block: Block) -> None:
        self._shell(IN_CI.sub("", block.text))

    def _console(self, block: Block) -> None:
        parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
        assert not parts[0], "a console block begins with a command"
        for part in parts[1:]:
            command, _, wanted = part.partition("\n")
            said = self._shell(command)
            flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
            fits = doctest.OutputChecker().check_output(wanted, said, flags)
            assert fits or not wanted, f"$ {command}\nprinted:\n{said}\nnot:\n{wanted}"

    def _shell(self, script: str) -> str:
        """Run by bash, which keeps its variables and folder until the next block."""
        after = self.folder / ".after"
        told = f"{script}\nenv -0 > '{after}'"
        script = told.replace(".venv/bin/", "")
        done = subprocess.run(
            ["bash", "-ec", script],
            capture_output=True,
            text=True,
            env=self.environment,
            cwd=self.environment["PWD"],
            timeout=110,
            check=False,
        )
        assert done.returncode == 0, f"{script}\nsaid:\n{done.stdout}{done.stderr}"
        pairs = after.read_text().rstrip("\0").split("\0")
        self.environment = dict(pair.split("=", 1) for pair in pairs)
        return done.stdout + done.stderr

    def _json(self, block: Block) -> None:
        data = json.loads(block.text)
        if "nodeflow" in data:
            with Engine(Settings(packs=[self.folder / "packs"])) as engine:
                problems = engine.check(Workflow.from_data(data))
            assert [problem for problem in problems if problem.severity == "error"] == []

    def _toml(self, block: Block) -> None:
        assert block.file, "a TOML block is a file that a command of the page uses"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def reader(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    for name in [name for name in os.environ if name.startswith("NODEFLOW_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NODEFLOW_CACHE", str(home / "cache"))
    monkeypatch.setenv("NODEFLOW_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "workflows", tmp_path / "workflows")
    return Reader(tmp_path, dict(os.environ))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_of_the_page_does_what_it_says(page, reader):
    found = blocks(page)

    assert found
    for block in found:
        try:
            reader.follow(block)
        except Exception as error:
            error.add_note(f"in the block at {page.name}:{block.line}")
            raise


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.stem)
def test_every_link_of_the_page_leads_somewhere(page):
    targets = [target for target in LINK.findall(page.read_text()) if "://" not in target]

    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_readme_leads_to_every_page():
    readme = (ROOT / "README.md").read_text()

    assert [page.name for page in DOCS if f"(docs/{page.name})" not in readme] == []


def test_the_command_line_page_has_every_command_and_every_setting():
    text = (ROOT / "docs" / "command_line.md").read_text()

    assert [name for name in COMMANDS if f"`nodeflow {name}" not in text] == []
    settings = [f"`NODEFLOW_{name.upper()}`" for name in Settings.model_fields]
    assert [name for name in settings if name not in text] == []
