"""A real Chromium without a window, and pages in it that are measured."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, CDPSession, Page, Response, sync_playwright

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent))  # for what is beside, whoever starts this from wherever

from nodeflow import web_build  # noqa: E402
from scripts.web_tools import chromium  # noqa: E402

SITE = HERE.parent / web_build.SITE
SIZE = {"width": 1440, "height": 900}
QUIET = ("--disable-gpu", "--disable-background-networking", "--disable-component-update")
LONGEST = 60_000
"""Milliseconds that a page may take for anything."""


@dataclass(frozen=True)
class Frames:
    """What was seen of a gesture.

    Attributes:
        times: Milliseconds between pictures.
        long: Milliseconds of each task of more than 50 ms.
        cpu: Seconds that the page's main thread worked.
    """

    times: Sequence[float]
    long: Sequence[float]
    cpu: float

    @property
    def median(self) -> float:
        return statistics.median(self.times)

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.times, n=20)[-1]

    @property
    def longest(self) -> float:
        return max(self.times)


@dataclass
class Tab:
    """A page of the editor, or an empty one."""

    page: Page
    devtools: CDPSession
    own: str
    foreign: list[str] = field(default_factory=list)
    scripts: list[Response] = field(default_factory=list)

    def metrics(self) -> dict[str, float]:
        told = self.devtools.send("Performance.getMetrics")["metrics"]
        return {one["name"]: one["value"] for one in told}

    def heap(self) -> float:
        """Bytes of JavaScript that are still needed."""
        for _ in range(2):
            self.devtools.send("HeapProfiler.collectGarbage")
        found: float = self.devtools.send("Runtime.getHeapUsage")["usedSize"]
        return found

    def watch(self, expression: str) -> Any:
        """Wait until something is true in the page, whose policy allows no evaluation of texts."""
        return self.page.evaluate(
            f"""() => new Promise((found, fail) => {{
              const over = performance.now() + {LONGEST};
              const look = () => {{
                const value = {expression};
                if (value) found(value === true || typeof value === "number" ? value : true);
                else if (performance.now() > over) fail(new Error({json.dumps(expression)}));
                else setTimeout(look, 4);
              }};
              look();
            }})"""
        )

    def box(self, node: str) -> tuple[float, float]:
        """The middle of a node's title, which takes the pointer, on the screen."""
        found = self.page.evaluate("id => window.inspect.box(`n:${id}`)", node)
        zoom = self.page.evaluate("window.inspect.editor.canvas.viewport().zoom")
        return found[0] + found[2] / 2, found[1] + min(found[3] / 2, 17 * zoom)

    def view(self, zoom: float, at: tuple[float, float]) -> None:
        """Look at the graph from so near, with a point of it in the middle."""
        self.page.evaluate(
            """([zoom, x, y]) => {
              const { canvas } = window.inspect.editor;
              const [width, height] = canvas.size();
              const view = { zoom, x: width / 2 - x * zoom, y: height / 2 - y * zoom };
              canvas.setViewport(view, false);
            }""",
            [zoom, *at],
        )
        self.page.wait_for_timeout(500)

    def gesture(
        self, start: tuple[float, float], button: str = "left", seconds: float = 2.5
    ) -> Frames:
        """Press, and draw circles sixty times a second; what the page did meanwhile."""
        mouse, (x, y) = self.page.mouse, start
        mouse.move(x, y)
        self.page.wait_for_timeout(100)
        mouse.down(button="middle" if button == "middle" else "left")
        self.page.evaluate("watched.begin()")
        before, began = self.metrics()["TaskDuration"], time.perf_counter()
        moves = int(seconds * 60)
        for move in range(moves):
            part = move / 60
            mouse.move(x + 260 * _wave(part), y + 180 * _wave(part + 0.4))
            time.sleep(max(0.0, began + (move + 1) / 60 - time.perf_counter()))
        seen = self.page.evaluate("watched.end()")
        cpu = self.metrics()["TaskDuration"] - before
        mouse.up(button="middle" if button == "middle" else "left")
        return Frames(seen["frames"], seen["long"], cpu)


def _wave(part: float) -> float:
    """There and back between 0 and 1 in 1.2 seconds, evenly."""
    turn = part / 0.6 % 2
    return turn if turn < 1 else 2 - turn


@contextmanager
def chromium_running() -> Iterator[Browser]:
    """One browser for one part."""
    with sync_playwright() as playwright:
        sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
        browser = playwright.chromium.launch(executable_path=chromium(), args=[*QUIET, *sandbox])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def tab(browser: Browser, url: str, *scripts: str) -> Iterator[Tab]:
    """A page in a profile of its own, whose cache is empty; `scripts` are put in beforehand."""
    context = browser.new_context(viewport=SIZE, color_scheme="dark")  # type: ignore[arg-type]
    for name in ("frames.js", *scripts):
        context.add_init_script(path=HERE / name)
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("Performance.enable")
    found = Tab(page, devtools, urlsplit(url).netloc)
    page.on("request", lambda request: _note(found, request.url))
    page.on("websocket", lambda socket: _note(found, socket.url))
    page.on("response", lambda answer: _scripts(found, answer))
    try:
        yield found
    finally:
        context.close()


def dearest_task(trace: bytes) -> float:
    """Milliseconds of the processor that the dearest task of a page took: what it needs itself,
    without the time in which other programs had the processor.

    Args:
        trace: What a browser notes of the category `toplevel`.
    """
    events = json.loads(trace)["traceEvents"]
    threads = {
        (one["pid"], one["tid"])
        for one in events
        if one["name"] == "thread_name" and one["args"]["name"] == "CrRendererMain"
    }
    tasks = [
        one["tdur"] / 1000
        for one in events
        if one["ph"] == "X" and "tdur" in one and (one["pid"], one["tid"]) in threads
    ]
    if not tasks:
        raise RuntimeError("the browser noted no task of the page")
    return max(tasks)


def _note(tab: Tab, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("blob", "data", "about") and parts.netloc != tab.own:
        tab.foreign.append(url)


def _scripts(tab: Tab, answer: Response) -> None:
    if "javascript" in answer.headers.get("content-type", ""):
        tab.scripts.append(answer)
