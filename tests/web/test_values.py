"""Colours, curves and places: by the mouse, typed, and as they are saved."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.server.conftest import Served
from tests.web.conftest import Editor, tools
from tests.web.test_files import save_as


def drawn(editor: Editor) -> Locator:
    editor.load(tools("drawn", drawn=("fields.drawn", {}, (0, 0))))
    return editor.node("Drawn")


def literal(editor: Editor, name: str) -> object:
    return editor.doc["nodes"]["drawn"]["inputs"][name]


def write(editor: Editor, field: Locator, text: str) -> None:
    field.dblclick()
    editor.page.keyboard.press("Control+A")
    editor.page.keyboard.type(text)
    editor.page.keyboard.press("Enter")


def part(editor: Editor, what: Locator, x: float, y: float) -> tuple[float, float]:
    """A place of an area, in parts of its sides from the top left."""
    box = what.bounding_box()
    assert box is not None
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def test_a_colour_is_typed_and_picked(editor: Editor) -> None:
    node = drawn(editor)
    field = node.get_by_role("textbox", name="tint")
    field.fill("teal")
    field.press("Enter")
    assert literal(editor, "tint") == "teal"

    node.get_by_role("button", name="Pick tint").click()
    square = editor.page.get_by_role("slider", name="Saturation and brightness of tint")
    strip = editor.page.get_by_role("slider", name="Hue of tint")
    editor.drag_points(part(editor, square, 0.5, 0.5), part(editor, square, 0.999, 0.001))
    editor.page.mouse.click(*part(editor, strip, 0.001, 0.5))
    picked = str(literal(editor, "tint"))
    assert picked.startswith("#f")
    assert int(picked[3:5], 16) < 16
    strip.press("ArrowRight")
    assert literal(editor, "tint") != picked
    editor.page.keyboard.press("Escape")

    editor.page.keyboard.press("Control+z")
    assert literal(editor, "tint") == picked
    field.fill("no colour")
    field.press("Tab")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value("no colour")


def test_a_curve_is_dragged_typed_and_gets_points(editor: Editor) -> None:
    node = drawn(editor)
    point = node.get_by_role("slider", name="Point 2 of ramp")
    plot = point.locator("..")
    editor.drag_points(editor.centre(point), part(editor, plot, 0.75, 0.5))
    [_, (x, y)] = literal(editor, "ramp")  # type: ignore[misc]
    assert abs(x - 0.75) < 0.03
    assert abs(y - 0.5) < 0.06
    editor.page.keyboard.press("Control+z")
    assert "ramp" not in editor.doc["nodes"]["drawn"].get("inputs", {}), "a drag is one step"

    editor.page.mouse.click(*part(editor, plot, 0.4, 0.1))
    assert len(literal(editor, "ramp")) == 3  # type: ignore[arg-type]
    write(editor, node.get_by_role("spinbutton", name="x of point 2 of ramp"), "1/4")
    write(editor, node.get_by_role("spinbutton", name="y of point 2 of ramp"), "0.8")
    assert literal(editor, "ramp") == [[0, 0], [0.25, 0.8], [1, 1]]
    node.get_by_role("slider", name="Point 2 of ramp").press("ArrowDown")
    assert literal(editor, "ramp") == [[0, 0], [0.25, 0.79], [1, 1]]
    node.get_by_role("button", name="Remove point 2 of ramp").click()
    assert literal(editor, "ramp") == [[0, 0], [1, 1]]


def test_a_place_is_picked_on_its_pad_and_typed(editor: Editor) -> None:
    node = drawn(editor)
    node.get_by_role("button", name="Pick at").click()
    pad = editor.page.get_by_role("slider", name="Place of at")
    editor.drag_points(part(editor, pad, 0.5, 0.5), part(editor, pad, 0.75, 0.25))
    assert literal(editor, "at") == [0.5, -0.5]
    pad.press("ArrowRight")
    assert literal(editor, "at") == [0.6, -0.5]
    editor.page.keyboard.press("Escape")
    write(editor, node.get_by_role("spinbutton", name="y of at"), "0.3")
    assert literal(editor, "at") == [0.6, 0.3]
    write(editor, node.get_by_role("spinbutton", name="x of at"), "7")
    assert literal(editor, "at") == [1, 0.3]


def test_what_was_drawn_is_the_same_in_the_file_the_run_and_after_opening(
    editor: Editor, server: Served
) -> None:
    node = drawn(editor)
    node.get_by_role("textbox", name="tint").fill("#aabbcc")
    write(editor, node.get_by_role("spinbutton", name="x of at"), "0.5")
    write(editor, node.get_by_role("spinbutton", name="y of point 1 of ramp"), "0.25")
    wanted = {"tint": "#aabbcc", "at": [0.5, 0], "ramp": [[0, 0.25], [1, 1]]}
    assert editor.doc["nodes"]["drawn"]["inputs"] == wanted

    save_as(editor, "drawn/values")
    file = Path(server.folder) / "data" / "workflows" / "drawn" / "values.json"
    assert json.loads(file.read_text())["nodes"]["drawn"]["inputs"] == wanted
    editor.page.keyboard.press("Control+Enter")
    expect(editor.status).to_have_text("case is done.")
    editor.button("Form").click()
    results = editor.page.get_by_role("region", name="Results")
    expect(results).to_contain_text("#aabbcc [[0.0, 0.25], [1.0, 1.0]] [0.5, 0.0]")

    editor.open("&workflow=drawn/values")
    node = editor.node("Drawn")
    expect(node.get_by_role("textbox", name="tint")).to_have_value("#aabbcc")
    expect(node.get_by_role("spinbutton", name="x of at")).to_have_attribute("aria-valuenow", "0.5")
    expect(node.get_by_role("slider", name="Point 1 of ramp")).to_have_attribute(
        "aria-valuetext", "x 0, y 0.25"
    )
