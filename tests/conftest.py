"""What holds for every test, and an engine with the pack `tools` for those who ask for one."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from nodeflow.devices import Device, DeviceFacts
from nodeflow.engine import Engine
from nodeflow.events import Event, NodeStarted
from nodeflow.packs import Found, find_packs
from nodeflow.registry import Registry
from nodeflow.runs.result import Result
from nodeflow.settings import Settings
from nodeflow.workflow import Workflow

# How long an example takes says nothing here: the machine may be training next door.
settings.register_profile("nodeflow", deadline=None)
settings.load_profile("nodeflow")

PACKS = Path(__file__).parent / "packs"


@dataclass
class House:
    """Engines over one set of folders, as processes that come one after the other."""

    folder: Path
    specs: Path
    events: list[Event] = field(default_factory=list)
    engine: Engine | None = None

    def open(self, **options: Any) -> Engine:
        """A new engine with an empty memory; the one before it is closed."""
        self.close()
        budgets = {name: options.pop(name) for name in ("memory", "disk") if name in options}
        folders = {"cache": self.folder / "cache", "data": self.folder / "data"}
        self.engine = Engine(Settings(packs=(PACKS,), **(folders | budgets)), **options)
        # Asking torch what the device is takes seconds, and no test here computes with it.
        self.engine.__dict__["device"] = DeviceFacts(Device(), "a device of the tests")
        return self.engine

    def run(self, flow: Workflow, inputs: Mapping[str, object] | None = None, **how: Any) -> Result:
        """Run in the open engine; `events` are those of this run."""
        self.events = []
        engine = self.engine or self.open()
        return engine.run(flow, inputs, out=self.folder / "out", emit=self.events.append, **how)

    def ran(self) -> Counter[str]:
        """How often each node began in the last run."""
        return Counter(event.node for event in self.events if isinstance(event, NodeStarted))

    def close(self) -> None:
        if self.engine is not None:
            self.engine.close()
            self.engine = None


@pytest.fixture(scope="session")
def known_specs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is remembered about packs: reading the built-in ones anew imports torch."""
    return tmp_path_factory.mktemp("known_specs")


@pytest.fixture
def cache(tmp_path: Path, known_specs: Path) -> Path:
    """A cache folder with nothing in it but what is remembered about packs."""
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / "specs").symlink_to(known_specs)
    return folder


@pytest.fixture
def house(tmp_path: Path, cache: Path, known_specs: Path) -> Iterator[House]:
    house = House(tmp_path, known_specs)
    yield house
    house.close()


Flow = Callable[..., Workflow]


@pytest.fixture
def flow() -> Flow:
    """A workflow from nodes as `id=(type, {input: value})`; a text `@id.output` is a link."""

    def link(value: Any) -> Any:
        if isinstance(value, str) and value.startswith("@"):
            node, _, output = value[1:].partition(".")
            return {"node": node, "output": output}
        return [link(item) for item in value] if isinstance(value, list) else value

    def make(
        nodes: Mapping[str, tuple[str, Mapping[str, Any]]],
        outputs: Mapping[str, str] | None = None,
        **others: Any,
    ) -> Workflow:
        entries = {
            name: {
                "type": kind if ":" in kind else f"tools.{kind}",
                "inputs": {item: link(value) for item, value in inputs.items()},
                **others.pop(name, {}),
            }
            for name, (kind, inputs) in nodes.items()
        }
        exposed = {name: link(f"@{place}") for name, place in (outputs or {}).items()}
        data = {"nodeflow": 1, "name": "test", "nodes": entries, "outputs": exposed}
        return Workflow.from_data(data | others)

    return make


TOYS = Path(__file__).parent / "toys"


@pytest.fixture(scope="session")
def toys() -> Registry:
    """A registry of the packs in `tests/toys` alone: nodes of every shape, none ever run."""
    return _only_folders([TOYS], None)


def _only_folders(folders: list[Path], memory: Path | None) -> Registry:
    found = find_packs(folders)
    ours = tuple(pack for pack in found.packs if pack.by_path)
    return Registry.discover(Found(ours, found.errors), memory)


@dataclass
class PackShelf:
    """A folder of packs that a test writes; what they import is forgotten afterwards."""

    folder: Path
    memory: Path

    def write(self, pack: str, **modules: str) -> Path:
        """A pack as folder; `__init__.py` is a docstring unless `init` gives it."""
        package = self.folder / pack
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").write_text(modules.pop("init", '"""A pack."""\n'))
        for name, text in modules.items():
            (package / f"{name}.py").write_text(text)
        return package

    def registry(self, *, remember: bool = False) -> Registry:
        """The packs of this folder, without those that are installed."""
        return _only_folders([self.folder], self.memory if remember else None)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[PackShelf]:
    shelf = PackShelf(tmp_path / "packs", tmp_path / "specs")
    yield shelf
    names = {entry.name for entry in shelf.folder.iterdir()} if shelf.folder.exists() else set()
    for module in [name for name in sys.modules if name.split(".")[0] in names]:
        del sys.modules[module]
