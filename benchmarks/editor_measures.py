"""What is measured of the editor; each function starts a server and a browser of its own."""

from __future__ import annotations

import gzip
import json
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import graphs
from browsing import Frames, Tab, chromium_running, dearest_task, tab
from measures import Row, folder
from playwright.sync_api import Browser
from serving import Server

MB = 1e6
TIMES = 3
"""How often what other programs can only slow down is tried; the best counts."""

Point = tuple[float, float]


@contextmanager
def served(specs: Path, **graphs: Mapping[str, Any]) -> Iterator[tuple[Server, Browser]]:
    """A server that has some workflows, and a browser."""
    with folder(specs) as place, Server(place) as server, chromium_running() as browser:
        server.start()
        for name, graph in graphs.items():
            request = urllib.request.Request(
                f"{server.url}/api/workflows/{name}",
                json.dumps(graph).encode(),
                {"Content-Type": "application/json", "If-None-Match": "*"},
                method="PUT",
            )
            urllib.request.urlopen(request).close()
        # The first list of nodes is made when the packs are read, which is no matter of the editor.
        urllib.request.urlopen(f"{server.url}/api/nodes").close()
        yield server, browser


def opened(tab: Tab, url: str, workflow: str) -> Tab:
    """Open a saved workflow, as a bookmark does."""
    tab.page.goto(f"{url}/?debug&workflow={workflow}", wait_until="commit")
    tab.watch("window.watched?.marks.canvas")
    return tab


def load(specs: Path) -> list[Row]:
    """From the navigation to a canvas that answers a click."""
    rows: list[Row] = []
    sizes = {f"large{count}": graphs.drawn(count) for count in (1000, 2000)}
    with served(specs, **sizes) as (server, browser):
        for name, graph in sizes.items():
            count = len(graph["nodes"])
            marks = min(
                (_load(browser, server.url, name, count) for _ in range(TIMES)),
                key=lambda one: one["answered"],
            )
            took, cpu = marks["answered"] / 1000, marks["cpu"]
            what = f"{count} nodes, to a canvas that answers a click"
            rows.append(Row(what, "<= 1 s", f"{took:.2f} s", took <= 1, cpu))
            rows += [
                Row(f"... {step}", "", f"after {marks[step] / 1000:.2f} s")
                for step in ("first paint", "nodes are here", "document is here", "canvas is there")
            ]
            script = marks["script"]
            rows.append(Row("... in scripts", "", f"{script:.2f} s of the processor", None, script))
    return rows


def _load(browser: Browser, url: str, name: str, count: int) -> dict[str, float]:
    with tab(browser, url) as one:
        opened(one, url, name)
        at = one.box(f"n{count // 2 + graphs.ROWS // 2}")
        one.page.mouse.move(*at)
        one.watch("watched.marks.hovered")
        one.page.mouse.click(*at)
        one.watch("watched.marks.selected")
        spent = one.metrics()
        marks = one.page.evaluate(
            """() => {
              // The first answers: some things are asked for again once the page listens to events.
              const ends = (path) => Math.min(...performance.getEntriesByType("resource")
                .filter((one) => one.name.includes(path)).map((one) => one.responseEnd));
              return {
                "answered": watched.marks.selected,
                "canvas is there": watched.marks.canvas,
                "first paint": performance.getEntriesByName("first-contentful-paint")[0]?.startTime,
                "nodes are here": ends("/api/nodes"),
                "document is here": Math.max(ends("/api/workflows/"), ends("/api/read")),
              };
            }"""
        )
        return {**marks, "cpu": spent["TaskDuration"], "script": spent["ScriptDuration"]}


NEAR, FAR = 0.8, 0.08


def frames(specs: Path) -> list[Row]:
    """Panning and dragging 2,000 nodes, near enough to read and from afar, beside an empty page."""
    graph = graphs.drawn(2000)
    with served(specs, large=graph) as (server, browser):
        with tab(browser, server.url) as one:
            one.page.goto(f"{server.url}/healthz")
            empty = _best(one, lambda: (700.0, 450.0))
        rows = [Row("an empty page, for comparison", "", _said(empty), None, empty.cpu)]
        with tab(browser, server.url) as one:
            opened(one, server.url, "large")
            middle = 1020  # of the graph, and with neighbours on all sides
            at = tuple(graph["layout"]["nodes"][f"n{middle}"]["at"])
            for name, zoom in (("near", NEAR), ("far", FAR)):
                one.view(zoom, (at[0] - 40, at[1] - 40))
                found = _best(one, lambda: (700.0, 450.0), "middle")
                rows.append(_row(f"2000 nodes, pan {name}", found))
                one.view(zoom, (at[0] + 130, at[1]))
                found = _best(one, lambda: one.box(f"n{middle}"))
                rows.append(_row(f"2000 nodes, drag {name}", found))
    return rows


def _best(one: Tab, start: Any, button: str = "left") -> Frames:
    return min((one.gesture(start(), button) for _ in range(TIMES)), key=lambda seen: seen.p95)


def _said(seen: Frames) -> str:
    return f"median {seen.median:.0f}, p95 {seen.p95:.0f}, longest {seen.longest:.0f} ms"


def _row(what: str, seen: Frames) -> Row:
    return Row(f"{what}, each frame", "p95 <= 33 ms", _said(seen), seen.p95 <= 33.4, seen.cpu)


def first_view(specs: Path) -> list[Row]:
    """What somebody fetches who comes for the first time, and what it needs of memory."""
    with served(specs, large=graphs.drawn(2000)) as (server, browser):
        with tab(browser, server.url) as one:
            one.page.goto(server.url)
            one.watch("watched.marks.canvas")
            one.page.wait_for_load_state("networkidle")
            kilo = sum(len(gzip.compress(answer.body(), 9)) for answer in one.scripts) / 1000
            foreign = one.foreign
        with tab(browser, server.url) as one:
            opened(one, server.url, "large")
            one.page.wait_for_timeout(1500)
            heap = one.heap() / MB
            foreign += one.foreign
    return [
        Row("JavaScript of the first view, gzip", "<= 300 kB", f"{kilo:.0f} kB", kilo <= 300),
        Row("JavaScript heap with 2000 nodes", "<= 30 MB", f"{heap:.1f} MB", heap <= 30),
        Row("requests to other hosts", "0", ", ".join(foreign) or "0", not foreign),
    ]


def progress(specs: Path) -> list[Row]:
    """What React draws anew when a node reports a step."""
    graph = graphs.drawn(200, ticks=40)
    with (
        served(specs, large=graph) as (server, browser),
        tab(browser, server.url, "renders.js") as one,
    ):
        _look_at_ticking(opened(one, server.url, "large"))
        cards = one.page.locator("[data-node]").count()
        drawn = _commits_of_progress(one)
    most = max(len(_cards(commit)) for commit in drawn)
    others = {card for commit in drawn for card in _cards(commit)} - {"card n:ticking"}
    wires = sum(key.startswith("wire ") for commit in drawn for key in commit)
    said = f"{most} of {cards} ({sum(bool(_cards(one)) for one in drawn)} steps seen)"
    good = most == 1 and not others and wires == 0
    parts = max(sum(commit.values()) for commit in drawn)
    return [
        Row("cards drawn by one progress event", "1", said, good),
        Row("... components, those of bars and panels too", "", f"at most {parts}"),
    ]


def _look_at_ticking(one: Tab) -> None:
    one.view(NEAR, (0.0, 160.0))
    one.page.locator('[data-node="ticking"]').wait_for()


def _commits_of_progress(one: Tab) -> list[dict[str, int]]:
    """What was drawn between the first and the last step."""
    one.page.keyboard.press("Control+Enter")
    one.watch("document.querySelector('[data-node=ticking] [role=progressbar]')")
    one.page.wait_for_timeout(100)
    one.page.evaluate("window.takeCommits()")
    one.page.wait_for_timeout(1000)
    taken: list[dict[str, int]] = one.page.evaluate("window.takeCommits()")
    if not any(_cards(commit) for commit in taken):
        raise RuntimeError("no step was drawn; did the job run?")
    return taken


def _cards(commit: Mapping[str, int]) -> list[str]:
    return [place for place in commit if place.startswith("card ")]


def running(specs: Path, seconds: int = 60) -> list[Row]:
    """A long job beside 2,000 nodes that nobody touches."""
    rows: list[Row] = []
    near = graphs.drawn(2000, ticks=20 * seconds)
    far = graphs.drawn(2000, ticks=20 * (seconds // 3), start=1)
    with served(specs, near=near, far=far) as (server, browser):
        for name, time in (("near", seconds), ("far", seconds // 3)):
            with tab(browser, server.url) as one:
                opened(one, server.url, name)
                if name == "near":
                    _look_at_ticking(one)
                rows += _running(browser, one, name, time)
    return rows


def _running(browser: Browser, one: Tab, name: str, seconds: int) -> list[Row]:
    one.page.keyboard.press("Control+Enter")
    # Code that runs often is compiled in the first seconds, which is no growth.
    settle = seconds // 4
    one.page.wait_for_timeout(1000 * settle)
    first, before = one.heap(), one.metrics()["TaskDuration"]
    browser.start_tracing(categories=["toplevel"])
    one.page.evaluate("watched.begin()")
    one.page.wait_for_timeout(1000 * (seconds - settle - 3))
    seen = one.page.evaluate("watched.end()")
    still = "document.title.match(/^\\d+%/) !== null"
    if not one.page.evaluate(still):
        raise RuntimeError("the job did not run to the end of the measurement")
    task = dearest_task(browser.stop_tracing())
    cpu = one.metrics()["TaskDuration"] - before
    last = one.heap()
    times = Frames(seen["frames"], seen["long"], cpu)
    growth = last / first - 1
    what = f"20 events a second for {seconds} s, 2000 nodes {name}"
    kept = f"{first / MB:.1f} MB, then {last / MB:.1f} MB ({growth:+.1%})"
    long = times.longest
    return [
        Row(f"{what}: longest frame", "<= 50 ms", f"{long:.0f} ms", long <= 50.1, cpu),
        Row("... dearest task, processor alone", "<= 50 ms", f"{task:.0f} ms", task <= 50),
        Row("... heap", "flat (+5 %)", kept, growth <= 0.05),
    ]
