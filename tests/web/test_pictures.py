"""Pictures: compared on a node and in the viewer, walked in the gallery, dropped and pasted."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image
from playwright.sync_api import Locator, expect

from tests.server.conftest import Served
from tests.web.conftest import Editor, link, tools


def put(server: Served, name: str, colour: str, size: tuple[int, int] = (64, 64)) -> None:
    """A picture of one colour among the inputs."""
    folder = server.folder / "data" / "inputs"
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(folder / name)


def run(editor: Editor, workflow: dict[str, Any]) -> None:
    editor.load(workflow)
    editor.page.keyboard.press("Control+Enter")
    expect(editor.status).to_have_text(f"{workflow['name']} is done.", timeout=60_000)


def colour_at(editor: Editor, what: Locator, across: float) -> str:
    """Which of red and blue is seen at a part of the width, in the middle of the height."""
    editor.page.wait_for_timeout(200)
    box = what.bounding_box()
    assert box is not None
    clip = {
        "x": box["x"] + across * box["width"],
        "y": box["y"] + 0.4 * box["height"],
        "width": 1,
        "height": 1,
    }
    seen = editor.page.screenshot(clip=clip)  # type: ignore[arg-type]  # a TypedDict of floats

    with Image.open(io.BytesIO(seen)) as picture:
        red, _, blue = picture.convert("RGB").getpixel((0, 0))  # type: ignore[misc]
    return "red" if red > blue else "blue"


def test_the_divider_of_compared_images_is_dragged_and_moved_by_arrows(
    editor: Editor, server: Served
) -> None:
    put(server, "red.png", "#f00")
    # Another size: both are shown at one.
    put(server, "blue.png", "#00f", (32, 32))
    run(
        editor,
        tools(
            left=("image.load", {"file": "red.png"}, (0, 0)),
            right=("image.load", {"file": "blue.png"}, (0, 420)),
            both=(
                "image.compare",
                {"a": link("left", "image"), "b": link("right", "image")},
                (340, 0),
            ),
        ),
    )
    node = editor.node("Compare images")
    slider = node.get_by_role("slider", name="Divider between A and B")
    picture = node.get_by_role("img", name="A", exact=True)
    expect(slider).to_have_attribute("aria-valuenow", "50")
    assert colour_at(editor, picture, 0.45) == "red"
    assert colour_at(editor, picture, 0.55) == "blue"

    box = picture.bounding_box()
    assert box is not None
    start = editor.centre(slider)
    editor.drag_points(start, (box["x"] + 0.7 * box["width"], start[1]))
    expect(slider).to_have_attribute("aria-valuenow", "70")
    assert colour_at(editor, picture, 0.62) == "red"
    assert colour_at(editor, picture, 0.78) == "blue"
    # The node has not moved under the drag.
    assert editor.doc["layout"]["nodes"]["both"]["at"] == [340, 0]

    slider.focus()
    for _ in range(10):
        editor.page.keyboard.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuetext", "50 % of A")
    assert colour_at(editor, picture, 0.62) == "blue"
    assert editor.doc["layout"]["nodes"]["both"]["at"] == [340, 0]
