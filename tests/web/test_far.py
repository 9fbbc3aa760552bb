"""A graph seen from near and far: boxes, sockets and wires are seen in both themes."""

from __future__ import annotations

import io
import re
from typing import Literal

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.server.conftest import Served
from tests.web.conftest import Editor, link, tools

SHAPES = 3.0
"""Least contrast of what has to be seen, not read."""


def luminance(colour: tuple[int, ...]) -> float:
    parts = [value / 255 for value in colour[:3]]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def seen(editor: Editor) -> int:
    """Pixels around the middle of the canvas that stand out against it."""
    box = editor.page.locator("[data-canvas]").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    clip = {"x": x - 100, "y": y - 100, "width": 200.0, "height": 200.0}
    with Image.open(io.BytesIO(editor.page.screenshot(clip=clip))) as picture:
        counts = picture.convert("RGB").getcolors(40_000)
    assert counts is not None
    canvas = max(counts)[1]
    return sum(count for count, colour in counts if contrast(colour, canvas) >= SHAPES)


def move_away(editor: Editor, zoom: float) -> None:
    """Until a zoom is reached; then no node is under the pointer."""
    page = editor.page
    page.mouse.move(*editor.centre(page.locator("[data-canvas]")))
    page.keyboard.down("Control")
    while page.evaluate("window.inspect.editor.canvas.viewport().zoom") > zoom:
        page.mouse.wheel(0, 60)
        page.wait_for_timeout(20)
    page.keyboard.up("Control")
    expect(page.locator("[data-canvas]")).to_have_attribute("data-far", "true")
    page.mouse.move(*editor.empty())
    expect(page.locator("[data-node]")).to_have_count(0)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_node_without_title_or_colour_stands_out(
    editor: Editor, theme: Literal["dark", "light"]
) -> None:
    editor.page.emulate_media(color_scheme=theme)
    editor.load(tools(alone=("tools.number", {}, (0, 0))))
    move_away(editor, 0.1)
    # A band of 24 by 4 pixels, whose edges may lie between pixels.
    assert seen(editor) >= 22 * 3


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_wire_of_a_pale_colour_stands_out(
    editor: Editor, theme: Literal["dark", "light"]
) -> None:
    editor.page.emulate_media(color_scheme=theme)
    text = {"encoder": link("words", "text_encoder"), "text": "fox"}
    editor.load(
        tools(
            words=("diffusion.load_text_encoder", {}, (0, 0)),
            text=("diffusion.encode_text", text, (1600, 200)),
        )
    )
    move_away(editor, 0.3)
    # About 200 pixels of a wire, of which some lie between pixels.
    assert seen(editor) >= 80


def colour(text: str) -> tuple[int, ...]:
    """What a browser calls `rgb(1, 2, 3)`."""
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def of_every_type(server: Served) -> dict[str, str]:
    """Types to the node of fewest inputs that makes such a value."""
    listed = server.ask("GET", "/api/nodes")[1]
    makers: dict[str, str] = {}
    for node in sorted(listed["nodes"].values(), key=lambda node: len(node["inputs"])):
        for output in node["outputs"]:
            makers.setdefault(output["type"], node["id"])
    return {name: maker for name, maker in makers.items() if name in listed["sockets"]}


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_sockets_of_every_type_stand_out(
    editor: Editor, server: Served, theme: Literal["dark", "light"]
) -> None:
    page = editor.page
    page.emulate_media(color_scheme=theme)
    canvas = colour(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    makers = of_every_type(server)
    assert len(makers) > 12
    for name, maker in makers.items():
        editor.load(tools(maker=(maker, {}, (0, 0))))
        sockets = page.get_by_role("button", name=re.compile(f": {re.escape(name)} output$"))
        mark = sockets.first.locator("svg")
        shown = colour(mark.evaluate("mark => getComputedStyle(mark).color"))
        assert contrast(shown, canvas) >= SHAPES, (name, shown)
