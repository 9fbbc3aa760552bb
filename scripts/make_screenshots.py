"""Make screenshots: drive the editor in a browser, and keep what `docs/editor/` shows.

`make screenshots` does it, with the embedded model and a server of its own on a temporary folder;
look at the pictures before they are committed. A picture that looks as it did stays as it is; only
`running`, which shows work on its way, is another each time. With `--all FOLDER` every screen is
taken in both sizes and both themes, to be looked at.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Browser, Locator, Page, Route, expect, sync_playwright

from scripts.web_tools import chromium

Theme = Literal["dark", "light"]

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs" / "editor"
TEMPLATE = ROOT / "workflows" / "text_to_image.json"
SIZES = {"large": (1440, 900), "small": (1024, 768)}
KEPT: Mapping[str, tuple[str, Theme]] = {
    "first_dark": ("large", "dark"),
    "first_light": ("small", "light"),
    "running_dark": ("large", "dark"),
    "failed_dark": ("large", "dark"),
    "large_light": ("large", "light"),
    "group_light": ("large", "light"),
    "form_light": ("large", "light"),
    "mask_dark": ("large", "dark"),
    "compare_dark": ("small", "dark"),
    "history_light": ("small", "light"),
}
"""The pictures of the documentation, `SCREEN_THEME`, with their sizes."""

PROMPTS = ("a red apple", "a blue fish", "a smiling face")
MOST_BYTES = 120_000
UNSEEN = 8
"""Of 255: a difference between two colours that nobody sees."""
PATIENCE = 120_000
"""Milliseconds that anything may take."""


@dataclass(frozen=True)
class Visit:
    """The editor in a page; `turn` counts the visits."""

    page: Page
    turn: int = 0

    def load(self, workflow: Mapping[str, Any]) -> None:
        self.page.evaluate("workflow => window.inspect.load(workflow)", workflow)
        self.page.wait_for_selector("[data-canvas][data-ready]")

    def node(self, name: str) -> Locator:
        return self.page.locator(f'[data-node="{name}"]')

    def run(self) -> None:
        """Run what is in view, until it is done."""
        self.page.keyboard.press("Control+Enter")
        status = self.page.get_by_role("contentinfo").get_by_role("status")
        expect(status).to_contain_text("is done.", timeout=PATIENCE)

    def drawn(self) -> None:
        """Wait until every picture that is shown is there."""
        self.page.wait_for_function(
            "() => [...document.images].every(image => image.complete && image.naturalWidth > 0)"
        )


def template(prompt: str = PROMPTS[0], **sampling: Any) -> dict[str, Any]:
    workflow: dict[str, Any] = json.loads(TEMPLATE.read_text(encoding="utf-8"))
    workflow["nodes"]["prompt"]["inputs"]["text"] = prompt
    workflow["nodes"]["sample"]["inputs"].update({"seed": 0, **sampling})
    return workflow


def first(visit: Visit) -> None:
    expect(visit.node("sample")).to_be_visible()


def running(visit: Visit) -> None:
    # Another seed each time, since what was drawn before would come from memory.
    visit.load(template("a green frog", steps=300, seed=visit.turn))
    visit.page.keyboard.press("Control+Enter")
    bar = visit.node("sample").get_by_role("progressbar")
    expect(bar).to_be_visible(timeout=PATIENCE)
    visit.page.wait_for_function(
        "bar => Number(bar.getAttribute('aria-valuenow')) >= 30",
        arg=bar.element_handle(),
        timeout=PATIENCE,
    )


def failed(visit: Visit) -> None:
    workflow = template()
    workflow["nodes"]["strength"] = {
        "type": "logic.arithmetic",
        "inputs": {"a": 1, "operation": "divide", "b": 0},
    }
    places = workflow["layout"]["nodes"]
    x, y = places["load"]["at"]
    places["strength"] = {"at": [x, y + 170]}
    workflow["nodes"]["sample"]["inputs"]["guidance"] = {"node": "strength", "output": "number"}
    visit.load(workflow)
    visit.page.keyboard.press("Control+Enter")
    expect(visit.node("strength")).to_have_attribute("data-status", "failed", timeout=PATIENCE)
    expect(visit.node("save")).to_have_attribute("data-status", "skipped", timeout=PATIENCE)


def large(visit: Visit) -> None:
    """A thousand nodes: the template again and again, with other prompts."""
    one = template()
    nodes: dict[str, Any] = {}
    places: dict[str, Any] = {}
    for copy in range(112):
        across, down = 2000 * (copy % 12), 1100 * (copy // 12)
        text = json.dumps(one["nodes"])
        for name in one["nodes"]:
            text = text.replace(f'"node": "{name}"', f'"node": "{name}_{copy}"')
        nodes |= {f"{name}_{copy}": entry for name, entry in json.loads(text).items()}
        for name, place in one["layout"]["nodes"].items():
            x, y = place["at"]
            places[f"{name}_{copy}"] = {**place, "at": [x + across, y + down]}
    visit.load(
        {"nodeflow": 1, "name": "A thousand nodes", "nodes": nodes, "layout": {"nodes": places}}
    )
    expect(visit.page.locator("[data-canvas]")).to_have_attribute("data-far", "true")


def group(visit: Visit) -> None:
    visit.load(template())
    visit.node("sample").locator("header").click()
    visit.node("prompt").locator("header").click(modifiers=["Shift"])
    visit.node("negative").locator("header").click(modifiers=["Shift"])
    visit.page.keyboard.press("Control+Shift+g")
    visit.page.keyboard.press("Control+Shift+e")
    expect(visit.page.get_by_role("navigation", name="Groups")).to_be_visible()
    visit.page.keyboard.press("Alt+4")
    visit.page.keyboard.press("Shift+1")


def form(visit: Visit) -> None:
    visit.load(template())
    visit.run()
    visit.page.get_by_role("button", name="Form", exact=True).click()
    results = visit.page.get_by_role("region", name="Results")
    expect(results.get_by_role("img").first).to_be_visible()


def mask(visit: Visit) -> None:
    tile = visit.page.get_by_role("region", name="Gallery").locator("[data-tile]").first
    visit.load({"nodeflow": 1, "name": "Mask", "nodes": {"read": {"type": "image.load"}}})
    tile.drag_to(visit.node("read").locator("header"))
    visit.node("read").get_by_role("button", name="Paint the mask of file").click()
    surface = visit.page.get_by_role("application")
    expect(surface).to_be_visible()
    visit.page.wait_for_timeout(500)
    x, y = centre(surface)
    visit.page.mouse.move(x, y)
    visit.page.mouse.wheel(0, -400)
    visit.page.wait_for_timeout(500)
    # A band to and fro over the middle.
    visit.page.mouse.move(x - 90, y - 60)
    visit.page.mouse.down()
    for row in range(-60, 80, 20):
        visit.page.mouse.move(x - 90, y + row, steps=4)
        visit.page.mouse.move(x + 90, y + row, steps=8)
    visit.page.mouse.up()


def centre(what: Locator) -> tuple[float, float]:
    box = what.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def compare(visit: Visit) -> None:
    gallery = visit.page.get_by_role("region", name="Gallery")
    gallery.locator("[data-tile]").first.click()
    visit.page.get_by_role("button", name="Compare with…").click()
    others = visit.page.get_by_role("list", name="Compare with").or_(
        visit.page.get_by_role("grid", name="Compare with")
    )
    others.get_by_role("button").first.click()
    expect(visit.page.get_by_role("slider")).to_be_visible()


def history(visit: Visit) -> None:
    visit.page.keyboard.press("Alt+6")
    panel = visit.page.get_by_role("region", name="History")
    expect(panel.get_by_role("button", name=re.compile("^Picture of")).first).to_be_visible()


SCREENS: Mapping[str, Callable[[Visit], None]] = {
    "running": running,
    "failed": failed,
    "large": large,
    "group": group,
    "form": form,
    "mask": mask,
    "compare": compare,
    "history": history,
}
"""What is taken after a few pictures were made; `first` is taken before."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a server of its own, on loopback and a folder of its own."""
    variables = {
        "NODEFLOW_DATA": str(folder / "data"),
        "NODEFLOW_CACHE": str(folder / "cache"),
        "NODEFLOW_PACKS": "",
    }
    command = (sys.executable, "-m", "nodeflow.cli", "serve", "--port", "0", "--no-build")
    with subprocess.Popen(
        command, env={**os.environ, **variables}, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            if "serves at" not in line:
                raise SystemExit(f"The server did not start; it said: {line.strip() or 'nothing'}")
            yield line.split("serves at ")[1].split()[0]
        finally:
            process.terminate()


BEGAN = 1_767_607_200
"""When the first job shall have begun: on a Monday morning, in seconds since 1970."""


def steady(route: Route) -> None:
    """Jobs that are over are told with times that are the same whoever takes the pictures."""
    answer = route.fetch()
    told = answer.json()
    for job in told["jobs"]:
        if job["finished"] is None:
            continue
        began = BEGAN + 60 * job["number"]
        took = 0.02 + 0.1 * job["counts"].get("ran", 0)
        job |= {"submitted": began, "started": began, "finished": began + took, "seconds": took}
    route.fulfill(response=answer, json=told)


@contextmanager
def visiting(browser: Browser, url: str, size: str, theme: Theme, turn: int = 0) -> Iterator[Visit]:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=theme,
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="UTC",
    )
    context.route("**/api/jobs?*", steady)
    page = context.new_page()
    page.goto(f"{url}/?debug")
    page.wait_for_selector("body[data-whole]", timeout=PATIENCE)
    yield Visit(page, turn)
    context.close()


def taken(visit: Visit, screen: Callable[[Visit], None]) -> Image.Image:
    screen(visit)
    visit.drawn()
    # What was pointed at, and what says so, is no part of the picture.
    visit.page.mouse.move(1, SIZES["small"][1] // 2)
    visit.page.wait_for_timeout(400)
    return Image.open(io.BytesIO(visit.page.screenshot()))


def keep(picture: Image.Image, path: Path) -> None:
    """Write a small file: as it is if that is small enough, else nearly; unless nothing is new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seen = picture.convert("RGB")
    file = io.BytesIO()
    seen.save(file, "WEBP", lossless=True, method=6)
    if file.tell() > MOST_BYTES:
        file = io.BytesIO()
        seen.save(file, "WEBP", quality=88, method=6)
    if path.exists() and looks_alike(file, path):
        print(f"{path.name}: as it was")
        return
    path.write_bytes(file.getvalue())
    print(f"{path.name}: {file.tell() / 1000:.0f} kB")


def looks_alike(one: io.BytesIO, other: Path) -> bool:
    """Browsers draw the edges of the same page not always alike; nobody sees that."""
    with Image.open(one) as new, Image.open(other) as old:
        if new.size != old.size:
            return False
        difference = ImageChops.difference(new.convert("RGB"), old.convert("RGB"))
    return all(most <= UNSEEN for _, most in ImageStat.Stat(difference).extrema)


def wanted(everything: Path | None) -> Iterator[tuple[str, str, Theme, Path]]:
    """Screen, size and theme of each picture, and where it goes."""
    if everything is None:
        for name, (size, theme) in KEPT.items():
            yield name.rsplit("_", 1)[0], size, theme, DOCS / f"{name}.webp"
        return
    themes: tuple[Theme, ...] = ("dark", "light")
    for screen in ("first", *SCREENS):
        for size in SIZES:
            for theme in themes:
                yield screen, size, theme, everything / f"{screen}_{size}_{theme}.webp"


def main(arguments: list[str] | None = None) -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--all", type=Path, metavar="FOLDER", help="take every screen, to look at")
    options.add_argument("screens", nargs="*", help="only these, such as 'form'; else all of them")
    chosen = options.parse_args(arguments)
    shots = [shot for shot in wanted(chosen.all) if not chosen.screens or shot[0] in chosen.screens]
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder)) as url,
        sync_playwright() as playwright,
    ):
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(
            executable_path=str(chromium()), args=["--disable-gpu", *sandbox]
        )
        for _, size, theme, path in (shot for shot in shots if shot[0] == "first"):
            with visiting(browser, url, size, theme) as visit:
                keep(taken(visit, first), path)
        with visiting(browser, url, "large", "dark") as visit:
            for prompt in PROMPTS:
                visit.load(template(prompt))
                visit.run()
        for turn, (screen, size, theme, path) in enumerate(shots):
            if screen == "first":
                continue
            with visiting(browser, url, size, theme, turn) as visit:
                keep(taken(visit, SCREENS[screen]), path)
                if screen == "running":
                    visit.page.get_by_role("button", name="Cancel").first.click()
        browser.close()


if __name__ == "__main__":
    main()
