"""A real server and a real Chromium, driven as a person would: by mouse, keys and names."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, Request, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from scripts.web_tools import chromium
from tests.server.conftest import PACKS, Served

FIELDS = Path(__file__).parent / "packs"
RENDERS = Path(__file__).parents[2] / "benchmarks" / "renders.js"

QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

expect.set_options(timeout=15_000)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    return {"executable_path": str(chromium()), "args": [*QUIET, *sandbox]}


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, Any]:
    return {
        "viewport": {"width": 1440, "height": 900},
        "color_scheme": "dark",
        "permissions": ["clipboard-read", "clipboard-write"],
    }


@pytest.fixture(scope="session")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests that do not end it: a start reads the packs, which takes seconds."""
    packs = os.pathsep.join(str(folder) for folder in (PACKS, FIELDS))
    served = Served(tmp_path_factory.mktemp("served"), environment={"NODEFLOW_PACKS": packs})
    yield served.start()
    served.stop()


@pytest.fixture
def server(serving: Served) -> Served:
    """The server, with nothing of what the test before has set or left waiting."""
    with urllib.request.urlopen(f"{serving.url}/api/settings") as settings:
        etag = settings.headers["ETag"]
    assert serving.ask("PUT", "/api/settings", {}, **{"If-Match": etag})[0] == 200
    assert serving.ask("DELETE", "/api/jobs")[0] == 200
    return serving


class Editor:
    """The editor in a page: what a person sees and does, and how tests set a case up."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.foreign: list[str] = []
        self.faults: list[str] = []
        page.on("request", self._asked)
        page.on("pageerror", lambda error: self.faults.append(str(error)))

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("blob", "data") and parts.netloc != urlsplit(self.url).netloc:
            self.foreign.append(request.url)

    def open(self, query: str = "") -> Editor:
        self.page.goto(f"{self.url}/?debug{query}")
        self.page.wait_for_selector("body[data-ready]", timeout=60_000)
        return self

    def load(self, workflow: dict[str, Any]) -> Editor:
        """Set a case up: a workflow in a tab of its own."""
        self.page.evaluate("json => window.inspect.load(json)", {"nodeflow": 1, **workflow})
        self.page.wait_for_selector("[data-canvas][data-ready]")
        return self

    @property
    def doc(self) -> dict[str, Any]:
        """The document as it would be saved."""
        found: dict[str, Any] = self.page.evaluate("window.inspect.doc()")
        return found

    def node(self, name: str) -> Locator:
        return self.page.get_by_role("group", name=f"{name} node", exact=True)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def socket(self, node: str, name: str) -> Locator:
        """A socket by its accessible name, such as `image: Image input`."""
        return self.node(node).get_by_role("button", name=name, exact=True)

    def drag(self, source: Locator, target: Locator) -> None:
        start, end = self.centre(source), self.centre(target)
        self.drag_points(start, end)

    def drag_points(
        self, start: tuple[float, float], end: tuple[float, float], steps: int = 8
    ) -> None:
        self.page.mouse.move(*start)
        self.page.mouse.down()
        self.page.mouse.move(*end, steps=steps)
        self.page.mouse.up()

    def centre(self, what: Locator) -> tuple[float, float]:
        box = what.bounding_box()
        assert box is not None, what
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def tooltip(self, what: Locator) -> Locator:
        """What is said of something that is pointed at. The graph may move below the pointer while
        a run ends, so whoever sees nothing points again."""
        found = self.page.get_by_role("tooltip")
        for _ in range(3):
            what.hover()
            with suppress(PlaywrightTimeout):
                found.wait_for(timeout=3000)
                break
            self.page.mouse.move(0, 0)
        return found

    @property
    def status(self) -> Locator:
        return self.page.get_by_role("contentinfo").get_by_role("status")

    def empty(self) -> tuple[float, float]:
        """A place of the canvas where nothing lies."""
        box = self.page.locator("[data-canvas]").bounding_box()
        assert box is not None
        return box["x"] + 60, box["y"] + box["height"] - 60


@pytest.fixture
def editor(page: Page, server: Served) -> Iterator[Editor]:
    """The editor in a fresh profile."""
    made = Editor(page, server.url).open()
    yield made
    assert made.foreign == [], "the page asked another server"
    assert made.faults == [], "the page threw"


@pytest.fixture
def counted(page: Page, server: Served) -> Editor:
    """An editor whose commits are noted."""
    page.add_init_script(path=RENDERS)
    return Editor(page, server.url).open()


def tools(*outputs: str, **nodes: tuple[str, dict[str, Any], tuple[int, int]]) -> dict[str, Any]:
    """A workflow of nodes as `id=(type, inputs, place)`; the values of `outputs` are shown."""
    return {
        "name": "case",
        "nodes": {
            name: {"type": kind, "inputs": inputs} for name, (kind, inputs, _) in nodes.items()
        },
        # Only what somebody asks for runs.
        "outputs": {name: {"node": name} for name in outputs},
        "layout": {"nodes": {name: {"at": [*at]} for name, (_, _, at) in nodes.items()}},
    }


def link(node: str, output: str = "") -> dict[str, str]:
    return {"node": node, "output": output} if output else {"node": node}


@pytest.fixture
def chain(editor: Editor) -> Callable[[], Editor]:
    """A number that is added to, twice, side by side and near enough to be read."""

    def load() -> Editor:
        return editor.load(
            tools(
                start=("tools.number", {"value": 3}, (0, 0)),
                first=("tools.add", {"a": link("start"), "b": 1}, (340, 0)),
                second=("tools.add", {"a": link("first"), "b": 2}, (680, 0)),
            )
        )

    return load


@pytest.fixture
def mortal(tmp_path: Path, known_specs: Path) -> Iterator[Served]:
    """A server that a test may end."""
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "specs").symlink_to(known_specs)
    served = Served(tmp_path)
    yield served
    if served.process is not None:
        served.kill()
