"""What a pack brings to the editor: enabled in the settings, drawn in its field, failing alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.server.conftest import Served
from tests.web.conftest import Editor, tools
from tests.web.test_views import palette


def switch(editor: Editor) -> Locator:
    """The switch of the pack in the settings."""
    editor.page.keyboard.press("Control+,")
    dialog = editor.page.get_by_role("dialog", name="Settings")
    dialog.get_by_role("searchbox", name="Search settings").fill("packs")
    return dialog.get_by_role("switch", name="Load the part of fields")


@pytest.fixture
def enabled(editor: Editor, server: Served) -> Iterator[Editor]:
    """With the pack's part enabled, as somebody does who trusts it."""
    switch(editor).check()
    editor.button("Close").click()
    yield editor
    tag = editor.page.evaluate("fetch('api/settings').then(one => one.headers.get('ETag'))")
    server.ask("PUT", "/api/settings", {}, **{"If-Match": tag})


def test_a_part_is_loaded_only_when_it_is_enabled_and_then_at_once(editor: Editor) -> None:
    editor.load(tools(turned=("fields.turned", {}, (0, 0))))
    node = editor.node("Turned")
    field = node.get_by_role("textbox", name="turn")
    expect(field).to_have_value("3")
    box = switch(editor)
    expect(box).not_to_be_checked()
    box.check()
    editor.button("Close").click()
    expect(node.get_by_role("button", name="Turned to 3")).to_be_visible()

    box = switch(editor)
    box.uncheck()
    editor.open()
    editor.button("Discard").click()
    editor.load(tools(turned=("fields.turned", {}, (0, 0))))
    expect(editor.node("Turned").get_by_role("textbox", name="turn")).to_be_visible()


def test_a_widget_of_a_pack_shows_and_changes_the_value(enabled: Editor) -> None:
    editor = enabled
    editor.load(tools("turned", turned=("fields.turned", {"turn": 5}, (0, 0))))
    node = editor.node("Turned")
    node.get_by_role("button", name="Turned to 5").click()
    expect(node.get_by_role("button", name="Turned to 6")).to_be_visible()
    assert editor.doc["nodes"]["turned"]["inputs"]["turn"] == 6
    node.locator("header").click()
    editor.page.keyboard.press("Control+z")
    expect(node.get_by_role("button", name="Turned to 5")).to_be_visible()
    editor.button("Form").click()
    editor.button("Graph").click()
    palette(editor, "greet from a pack")
    expect(editor.page.locator("body")).to_have_attribute("data-greeted", "yes")


def test_a_widget_that_fails_says_so_in_its_field_alone(enabled: Editor) -> None:
    editor = enabled
    editor.load(
        tools(
            broken=("fields.broken", {"shout": "hey"}, (0, 0)),
            unborn=("fields.unborn", {}, (0, 260)),
            turned=("fields.turned", {}, (340, 0)),
        )
    )
    alert = editor.node("Unborn").get_by_role("alert")
    expect(alert).to_contain_text("The widget of pack fields failed: no material.")
    node = editor.node("Broken")
    node.get_by_role("button", name="Press me").click()
    expect(node.get_by_role("alert")).to_contain_text("the spring is gone")
    assert editor.faults == ["the spring is gone"]
    editor.faults.clear()

    other = editor.node("Turned").get_by_role("button", name="Turned to 3")
    other.click()
    assert editor.doc["nodes"]["turned"]["inputs"]["turn"] == 4
    assert node.get_by_role("spinbutton", name="times").is_enabled()
    node.get_by_role("button", name="Edit as JSON").click()
    text = node.get_by_role("textbox", name="shout")
    expect(text).to_have_value('"hey"')
    text.fill('"still here"')
    text.press("Tab")
    assert editor.doc["nodes"]["broken"]["inputs"]["shout"] == "still here"


def test_a_widget_asks_for_room_and_the_user_gives_it_another(enabled: Editor) -> None:
    editor = enabled
    editor.load(tools(turned=("fields.turned", {}, (0, 0))))
    node = editor.node("Turned")

    def height() -> float:
        box = node.bounding_box()
        assert box is not None
        return box["height"]

    before = height()
    node.get_by_role("button", name="More room").click()
    assert height() - before == pytest.approx(120, abs=1)
    x, y = editor.centre(node.get_by_role("separator", name="Height of turn"))
    editor.drag_points((x, y), (x, y + 60))
    assert height() - before == pytest.approx(180, abs=2)
    note = node.get_by_role("textbox", name="note").bounding_box()
    card = node.bounding_box()
    assert note is not None
    assert card is not None
    assert note["y"] + note["height"] <= card["y"] + card["height"]
    node.locator("header").click()
    editor.page.keyboard.press("Control+z")
    editor.page.keyboard.press("Control+z")
    assert height() == before


def test_fields_of_prompts_and_pictures_are_resized_by_their_edge(editor: Editor) -> None:
    editor.load(
        tools(
            text=("diffusion.encode_text", {}, (0, 0)),
            load=("image.load", {"file": "x.png"}, (400, 0)),
        )
    )
    for title, name in (("Encode text", "text"), ("Load image", "file")):
        node = editor.node(title)
        before = node.bounding_box()
        x, y = editor.centre(node.get_by_role("separator", name=f"Height of {name}"))
        editor.drag_points((x, y), (x, y + 70))
        after = node.bounding_box()
        assert before is not None
        assert after is not None
        assert after["height"] - before["height"] == pytest.approx(70, abs=2)
    heights = [one["heights"] for one in editor.doc["layout"]["nodes"].values()]
    assert len(heights) == 2
    # Each drag is a step of its own, however soon the next one follows.
    x, y = editor.centre(node.get_by_role("separator", name="Height of file"))
    editor.drag_points((x, y), (x, y + 30))
    x, y = editor.centre(node.get_by_role("separator", name="Height of file"))
    editor.drag_points((x, y), (x, y + 30))
    node.locator("header").click()
    editor.page.keyboard.press("Control+z")
    editor.page.keyboard.press("Control+z")
    assert [one["heights"] for one in editor.doc["layout"]["nodes"].values()] == heights
