"""Looking about and carrying along: zoom, pan, copies between tabs and windows, scrubbing."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Browser, expect

from tests.server.conftest import Served
from tests.web.conftest import Editor, link, tools

PAIR = tools(
    first=("tools.add", {"a": 1, "b": 2}, (0, 0)),
    second=("tools.add", {"a": link("first"), "b": 3}, (340, 0)),
)


def place(editor: Editor, node: str) -> tuple[float, float, float]:
    """Left, top and width of a node on the screen."""
    box = editor.page.locator(f'[data-node="{node}"]').bounding_box()
    assert box is not None
    return box["x"], box["y"], box["width"]


def test_the_wheel_zooms_at_the_pointer_and_a_trackpad_pans(editor: Editor) -> None:
    editor.load(PAIR)
    left, top, width = place(editor, "first")
    # A corner that the pointer is at stays where it is.
    editor.page.mouse.move(left, top)
    editor.page.mouse.wheel(0, -240)
    box = "document.querySelector('[data-node=first]').getBoundingClientRect()"
    editor.page.wait_for_function(f"least => {box}.width > least", arg=width + 5)
    zoomed = place(editor, "first")
    assert zoomed[:2] == pytest.approx((left, top), abs=4)
    assert zoomed[2] > width * 1.1
    # Two fingers give small steps to the side too; that is no wheel.
    for _ in range(4):
        editor.page.mouse.wheel(7, 5)
    editor.page.wait_for_function(f"most => {box}.x < most", arg=left - 10)
    panned = place(editor, "first")
    assert panned[2] == pytest.approx(zoomed[2], abs=1)


def test_the_point_key_brings_the_selection_into_view(editor: Editor) -> None:
    far = tools(near=("tools.add", {}, (0, 0)), far=("tools.add", {}, (9000, 5000)))
    editor.load(far)
    editor.page.keyboard.press("Control+f")
    editor.page.keyboard.type("far")
    editor.page.keyboard.press("Escape")
    editor.page.keyboard.press("Control+a")
    editor.page.keyboard.press(".")
    editor.page.wait_for_timeout(600)
    boxes = editor.page.evaluate("['n:near', 'n:far'].map(item => window.inspect.box(item))")
    canvas = editor.page.locator("[data-canvas]").bounding_box()
    assert canvas is not None
    for x, y, width, height in boxes:
        assert canvas["x"] <= x <= x + width <= canvas["x"] + canvas["width"]
        assert canvas["y"] <= y <= y + height <= canvas["y"] + canvas["height"]


def copy_both(editor: Editor) -> None:
    editor.page.locator('[data-node="first"] header').click()
    editor.page.locator('[data-node="second"] header').click(modifiers=["Shift"])
    editor.page.keyboard.press("Control+c")
    expect(editor.status).to_have_text("Copied.")


def inner_wire(editor: Editor) -> None:
    nodes = editor.doc["nodes"]
    assert sorted(nodes) == ["first", "second"]
    assert nodes["second"]["inputs"] == {"a": {"node": "first"}, "b": 3}


def test_what_is_copied_in_one_tab_is_pasted_in_another(editor: Editor) -> None:
    editor.load(PAIR)
    copy_both(editor)
    editor.load({"nodes": {}})
    editor.page.keyboard.press("Control+v")
    inner_wire(editor)


def test_what_is_copied_in_one_window_is_pasted_in_another(
    browser: Browser, server: Served
) -> None:
    with browser.new_context() as context:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        one, other = (Editor(context.new_page(), server.url).open() for _ in range(2))
        one.page.bring_to_front()
        one.load(PAIR)
        copy_both(one)
        other.page.bring_to_front()
        other.load({"nodes": {}})
        other.page.keyboard.press("Control+v")
        inner_wire(other)


def test_a_number_is_scrubbed_and_shift_is_finer(editor: Editor) -> None:
    editor.load(tools(ratio=("diffusion.sample", {"guidance": 5.0}, (0, 0))))
    field = editor.node("Sample").get_by_role("spinbutton", name="guidance")
    x, y = editor.centre(field)

    def scrubbed(shift: bool) -> float:
        before = editor.doc["nodes"]["ratio"]["inputs"]["guidance"]
        if shift:
            editor.page.keyboard.down("Shift")
        editor.drag_points((x, y), (x + 40, y), steps=10)
        if shift:
            editor.page.keyboard.up("Shift")
        found: float = editor.doc["nodes"]["ratio"]["inputs"]["guidance"] - before
        return found

    fine, coarse = scrubbed(True), scrubbed(False)
    assert 0 < fine < coarse / 2
    editor.page.keyboard.press("Escape")
    editor.page.keyboard.press("Control+z")
    assert editor.doc["nodes"]["ratio"]["inputs"]["guidance"] == pytest.approx(5.0 + fine)


def test_find_goes_from_hit_to_hit_and_centres_each(editor: Editor) -> None:
    editor.load(tools(**{f"n{i}": ("tools.add", {}, (2000 * i, 900 * i)) for i in range(3)}))
    editor.page.keyboard.press("Control+f")
    editor.page.keyboard.type("add")
    canvas = editor.page.locator("[data-canvas]").bounding_box()
    assert canvas is not None
    middle = canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] / 2
    seen = []
    for place in ("1 of 3", "2 of 3", "3 of 3", "1 of 3"):
        editor.page.keyboard.press("Enter")
        expect(editor.page.get_by_text(place)).to_be_visible()
        hit = editor.page.locator('[data-node][data-selected="true"]')
        expect(hit).to_have_count(1)
        editor.page.wait_for_timeout(500)
        assert editor.centre(hit) == pytest.approx(middle, abs=60), place
        seen.append(hit.get_attribute("data-node"))
    assert seen == ["n0", "n1", "n2", "n0"]


def test_unknown_nodes_are_in_the_saved_file_as_they_were(editor: Editor, server: Served) -> None:
    strange = {"type": "lost.pack", "inputs": {"x": [1, {"y": None}]}, "theirs": {"k": "v"}}
    document = {**PAIR, "nodes": {**PAIR["nodes"], "odd": strange}, "extra": {"of": "others"}}
    status, made = server.ask("PUT", "/api/workflows/strange/kept", {"nodeflow": 1, **document})
    assert status in (200, 201), made
    editor.page.goto(f"{server.url}/?debug")
    editor.page.wait_for_selector("body[data-ready]")
    editor.page.keyboard.press("Alt+3")
    folder = editor.page.get_by_role("list", name="strange", exact=True)
    folder.get_by_role("button", name=re.compile("^kept")).first.click()
    expect(editor.page.locator('[data-node="odd"]')).to_contain_text("lost.pack")
    editor.page.keyboard.press("Escape")
    editor.page.locator('[data-node="first"] header').click()
    editor.page.keyboard.press("Control+d")
    editor.page.keyboard.press("Control+s")
    expect(editor.status).to_contain_text("aved")
    _, saved = server.ask("GET", "/api/workflows/strange/kept")
    text = json.dumps(saved)
    assert "first_2" in text
    assert json.dumps(strange["inputs"]) in text
    assert '"theirs": {"k": "v"}' in text
    assert '"extra": {"of": "others"}' in text


def test_what_keys_add_and_paste_lies_at_the_pointer_in_every_graph(editor: Editor) -> None:
    editor.load(PAIR)
    editor.page.locator('[data-node="second"] header').click()
    editor.page.keyboard.press("Control+Shift+g")
    x, y = editor.empty()
    for entered in (False, True):
        if entered:
            editor.page.keyboard.press("Control+Shift+e")
            expect(editor.page.get_by_role("navigation", name="Groups")).to_be_visible()
        editor.page.mouse.move(x, y - 120)
        editor.page.keyboard.press("n")
        box = editor.page.get_by_role("group", name="Note", exact=True).bounding_box()
        assert box is not None
        assert abs(box["x"] + box["width"] / 2 - x) < 3
        assert 0 < y - 120 - box["y"] < 30
        editor.page.keyboard.press("Delete")
        if not entered:
            editor.page.locator("[data-node][data-type='group:Group'] header").click()
