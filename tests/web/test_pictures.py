"""Pictures: compared on a node and in the viewer, walked in the gallery, dropped and pasted."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

from PIL import Image
from playwright.sync_api import Locator, expect

from tests.server.conftest import Served
from tests.web.conftest import Editor, link, tools
from tests.web.files import drop, png


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


def gallery(editor: Editor) -> Locator:
    return editor.page.get_by_role("region", name="Gallery")


def tile(editor: Editor, name: str) -> Locator:
    return gallery(editor).get_by_role("gridcell").get_by_role("button", name=re.compile(name))


def save_three(editor: Editor, server: Served, name: str) -> None:
    """Three pictures of their own colours in the gallery, `NAME_blue` the newest."""
    workflow: dict[str, tuple[str, dict[str, Any], tuple[int, int]]] = {}
    for row, colour in enumerate(("red", "lime", "blue")):
        put(server, f"{colour}.png", colour, (400, 300))
        workflow[f"read_{colour}"] = ("image.load", {"file": f"{colour}.png"}, (0, 420 * row))
        saving = {"image": link(f"read_{colour}", "image"), "name": f"{name}_{colour}"}
        workflow[f"save_{colour}"] = ("image.save", saving, (340, 420 * row))
    for colour in ("red", "lime", "blue"):
        part = {key: node for key, node in workflow.items() if key.endswith(colour)}
        run(editor, {**tools(**part), "name": f"{name} {colour}"})
    expect(tile(editor, f"{name}_blue")).to_be_visible()


def test_the_gallery_is_filtered_walked_and_shown_large(editor: Editor, server: Served) -> None:
    save_three(editor, server, "walk")
    page = editor.page
    field = gallery(editor).get_by_role("searchbox", name="Filter pictures")
    field.fill("walk_lime")
    tiles = gallery(editor).get_by_role("gridcell")
    expect(tiles).to_have_count(1)
    field.fill("walk_")
    expect(tiles).to_have_count(3)

    tile(editor, "walk_blue").focus()
    page.keyboard.press("ArrowRight")
    expect(tile(editor, "walk_lime")).to_be_focused()
    page.keyboard.press("Home")
    expect(tile(editor, "walk_blue")).to_be_focused()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Picture")
    expect(dialog.get_by_role("img", name=re.compile("walk_blue"))).to_be_visible()
    box = dialog.bounding_box()
    assert box is not None
    assert box["height"] > 800
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("img", name=re.compile("walk_lime"))).to_be_visible()
    dialog.get_by_role("button", name="Older picture").click()
    expect(dialog.get_by_role("img", name=re.compile("walk_red"))).to_be_visible()


def test_a_picture_is_zoomed_at_the_pointer_moved_and_fitted(
    editor: Editor, server: Served
) -> None:
    save_three(editor, server, "zoom")
    page = editor.page
    tile(editor, "zoom_red").click()
    picture = page.get_by_role("dialog").get_by_role("img", name=re.compile("zoom_red"))
    expect(picture).to_be_visible()
    before = picture.bounding_box()
    assert before is not None
    assert before["width"] == 400

    at = (before["x"] + 100, before["y"] + 60)
    page.mouse.move(*at)
    page.mouse.wheel(0, -500)
    expect(page.get_by_role("dialog").locator("output")).not_to_have_text("100 %")
    zoomed = picture.bounding_box()
    assert zoomed is not None
    scale = zoomed["width"] / 400
    assert scale > 1.5
    assert abs(zoomed["x"] + 100 * scale - at[0]) < 1
    assert abs(zoomed["y"] + 60 * scale - at[1]) < 1

    editor.drag_points(at, (at[0] + 50, at[1] - 30))
    moved = picture.bounding_box()
    assert moved is not None
    assert abs(moved["x"] - zoomed["x"] - 50) < 1
    assert abs(moved["y"] - zoomed["y"] + 30) < 1

    editor.button("100 %").click()
    assert picture.bounding_box() == before
    page.keyboard.press("+")
    expect(page.get_by_role("dialog").locator("output")).to_have_text("125 %")
    editor.button("Fit").click()
    assert picture.bounding_box() == before


def test_a_picture_is_compared_with_any_other(editor: Editor, server: Served) -> None:
    save_three(editor, server, "pair")
    tile(editor, "pair_blue").click()
    dialog = editor.page.get_by_role("dialog", name="Picture")
    dialog.get_by_role("button", name="Compare with…").click()
    choice = dialog.get_by_role("grid", name="Compare with")
    expect(choice.get_by_role("button", name=re.compile("pair_blue"))).to_have_count(0)
    choice.get_by_role("button", name=re.compile("pair_red")).click()
    left = dialog.get_by_role("img", name="A", exact=True)
    assert colour_at(editor, left, 0.45) == "blue"
    assert colour_at(editor, left, 0.55) == "red"
    dialog.get_by_role("button", name="Stop comparing").click()
    expect(dialog.get_by_role("img", name=re.compile("pair_blue"))).to_be_visible()


def test_a_picture_is_deleted_only_after_a_question(editor: Editor, server: Served) -> None:
    save_three(editor, server, "gone")
    tile(editor, "gone_blue").click()
    page = editor.page
    dialog = page.get_by_role("dialog", name="Picture")
    expect(dialog.get_by_role("img", name=re.compile("gone_blue"))).to_be_visible()
    question = page.get_by_role("alertdialog", name=re.compile("^Delete gone_blue"))
    page.keyboard.press("Delete")
    question.get_by_role("button", name="Cancel").click()
    expect(dialog.get_by_role("img", name=re.compile("gone_blue"))).to_be_visible()
    dialog.get_by_role("button", name="Delete").click()
    question.get_by_role("button", name="Delete").click()
    expect(dialog.get_by_role("img", name=re.compile("gone_lime"))).to_be_visible()
    page.keyboard.press("Escape")
    expect(tile(editor, "gone_blue")).to_have_count(0)
    outputs = server.folder / "data" / "outputs"
    assert [path.name for path in outputs.rglob("gone_blue*")] == []
    assert len(list(outputs.rglob("gone_red*"))) == 1


def file_of(editor: Editor, server: Served, node: str) -> tuple[int, int, int]:
    """The colour of the picture that a node loads."""
    name = editor.doc["nodes"][node]["inputs"]["file"]
    with Image.open(server.folder / "data" / "inputs" / name) as picture:
        red, green, blue = picture.convert("RGB").getpixel((0, 0))  # type: ignore[misc]
    return red, green, blue


def test_a_picture_of_the_gallery_is_dragged_onto_a_node_that_loads_one(
    editor: Editor, server: Served
) -> None:
    save_three(editor, server, "drag")
    editor.load(tools(read=("image.load", {"file": "red.png"}, (0, 0))))
    tile(editor, "drag_blue").drag_to(editor.node("Load image").locator("header"))
    expect(editor.status).to_have_text(re.compile("^Uploaded"))
    assert file_of(editor, server, "read") == (0, 0, 255)
    editor.page.keyboard.press("Control+z")
    assert editor.doc["nodes"]["read"]["inputs"]["file"] == "red.png"


def test_a_pasted_picture_becomes_a_node_that_loads_it(editor: Editor, server: Served) -> None:
    put(server, "red.png", "red")
    editor.load(tools(read=("image.load", {"file": "red.png"}, (0, 0))))
    editor.page.evaluate(
        """async base64 => {
            const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
            const blob = new Blob([bytes], { type: "image/png" });
            await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
        }""",
        base64.b64encode(png("blue")).decode(),
    )
    editor.page.mouse.move(*editor.empty())
    editor.page.keyboard.press("Control+v")
    expect(editor.status).to_have_text(re.compile("^Uploaded"))
    nodes = editor.doc["nodes"]
    assert len(nodes) == 2
    (made,) = set(nodes) - {"read"}
    assert nodes[made]["type"] == "image.load"
    assert file_of(editor, server, made) == (0, 0, 255)


def test_a_picture_that_is_dropped_on_a_node_takes_the_place_of_its_file(
    editor: Editor, server: Served
) -> None:
    put(server, "red.png", "red")
    editor.load(tools(read=("image.load", {"file": "red.png"}, (0, 0))))
    drop(editor.node("Load image").locator("header"), "blue.png", "image/png", png("#00f"))
    expect(editor.status).to_have_text("Uploaded blue.png.")
    assert list(editor.doc["nodes"]) == ["read"]
    assert file_of(editor, server, "read") == (0, 0, 255)
    editor.page.keyboard.press("Control+z")
    assert editor.doc["nodes"]["read"]["inputs"]["file"] == "red.png"


def test_a_node_between_others_shows_what_it_made_on_wish(editor: Editor, server: Served) -> None:
    put(server, "red.png", "red", (40, 20))
    workflow = tools(
        read=("image.load", {"file": "red.png"}, (0, 0)),
        between=("image.invert", {"image": link("read", "image")}, (340, 0)),
        keep=("image.save", {"image": link("between"), "name": "between"}, (680, 0)),
    )
    run(editor, workflow)
    node = editor.page.locator('[data-node="between"]')
    picture = node.get_by_role("img", name=re.compile("^Value of"))
    expect(picture).to_have_count(0)
    height = node.bounding_box()
    node.locator("header").click()
    editor.page.keyboard.press("i")
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("naturalWidth", 40)
    seen = picture.bounding_box()
    assert seen is not None
    # Inverted red.
    clip = {"x": seen["x"] + seen["width"] / 2, "y": seen["y"] + seen["height"] / 2}
    shot = editor.page.screenshot(clip={**clip, "width": 1, "height": 1})  # type: ignore[arg-type]
    with Image.open(io.BytesIO(shot)) as pixel:
        red, green, blue = pixel.convert("RGB").getpixel((0, 0))  # type: ignore[misc]
    assert red < 40
    assert min(green, blue) > 215
    assert editor.doc["layout"]["nodes"]["between"]["pictures"] is True
    # Found again by who opens the run, also from the journal.
    editor.page.keyboard.press("i")
    expect(picture).to_have_count(0)
    assert node.bounding_box() == height
    assert "pictures" not in editor.doc["layout"]["nodes"]["between"]


def test_a_value_that_is_gone_is_shown_as_nothing(editor: Editor, server: Served) -> None:
    put(server, "red.png", "red", (40, 20))
    workflow = tools(
        read=("image.load", {"file": "red.png"}, (0, 0)),
        between=("image.invert", {"image": link("read", "image")}, (340, 0)),
        keep=("image.save", {"image": link("between"), "name": "between"}, (680, 0)),
    )
    workflow["layout"]["nodes"]["between"]["pictures"] = True
    editor.page.route("**/api/values/**", lambda route: route.fulfill(status=404))
    with editor.page.expect_response("**/api/values/**"):
        run(editor, workflow)
    node = editor.page.locator('[data-node="between"]')
    expect(node).to_have_attribute("data-status", re.compile("ran|memory|disk"))
    expect(node.get_by_role("img")).to_have_count(0)
