"""A graph seen from far: boxes are painted, and are seen in both themes."""

from __future__ import annotations

import io
from typing import Literal

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.web.conftest import Editor, tools

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


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_node_without_title_or_colour_stands_out(
    editor: Editor, theme: Literal["dark", "light"]
) -> None:
    page = editor.page
    page.emulate_media(color_scheme=theme)
    editor.load(tools(alone=("tools.number", {}, (0, 0))))
    page.mouse.move(*editor.centre(page.locator("[data-canvas]")))
    page.keyboard.down("Control")
    while page.evaluate("window.inspect.editor.canvas.viewport().zoom") > 0.1:
        page.mouse.wheel(0, 120)
        page.wait_for_timeout(20)
    page.keyboard.up("Control")
    expect(page.locator("[data-canvas]")).to_have_attribute("data-far", "true")
    page.mouse.move(*editor.empty())
    expect(page.locator("[data-node]")).to_have_count(0)
    # A band of 24 by 4 pixels, whose edges may lie between pixels.
    assert seen(editor) >= 22 * 3
