"""Panels, palette, shortcuts, search, form, themes, and the outline."""

from __future__ import annotations

import re
import time

from playwright.sync_api import expect

from tests.web.conftest import Editor, link, tools

CASE = tools(
    "second",
    start=("tools.number", {"value": 3}, (0, 0)),
    second=("tools.add", {"a": link("start"), "b": 2}, (340, 0)),
)


def palette(editor: Editor, name: str) -> None:
    """Run a command by its name."""
    editor.page.keyboard.press("Control+k")
    box = editor.page.get_by_role("combobox", name="Commands")
    expect(box).to_be_focused()
    editor.page.keyboard.type(name)
    expect(editor.page.get_by_role("option", selected=True)).to_contain_text(name, ignore_case=True)
    editor.page.keyboard.press("Enter")
    expect(box).to_have_count(0)


def reset_keys(editor: Editor) -> None:
    """Settings are kept for all windows, those of the next test too."""
    wait_for_keys(editor, kept=True)
    editor.page.get_by_role("button", name="Reset all").click()
    wait_for_keys(editor, kept=False)


def wait_for_keys(editor: Editor, *, kept: bool) -> None:
    """Until the server has keys of the user's own, or has none: they are sent after a moment."""
    deadline = time.monotonic() + 20
    while bool(editor.page.request.get(f"{editor.url}/api/settings").json().get("keys")) != kept:
        assert time.monotonic() < deadline
        editor.page.wait_for_timeout(50)


def test_the_palette_runs_any_command_from_the_keyboard(editor: Editor) -> None:
    editor.load(CASE)
    palette(editor, "add a note")
    expect(editor.page.get_by_role("group", name="Note")).to_be_visible()


def test_what_is_typed_while_the_palette_opens_is_typed_into_it(editor: Editor) -> None:
    editor.load(CASE)
    editor.page.keyboard.press("Control+k")
    editor.page.keyboard.type("add a note")
    editor.page.keyboard.press("Enter")
    expect(editor.page.get_by_role("group", name="Note")).to_be_visible()
    assert len(editor.doc["nodes"]) == 2


def test_a_shortcut_is_changed_at_once_and_kept(editor: Editor) -> None:
    editor.load(CASE)
    editor.page.keyboard.press("?")
    row = editor.page.get_by_role("button", name="Change the keys of Add a note")
    row.click()
    editor.page.keyboard.press("Control+j")
    editor.page.keyboard.press("Escape")
    editor.page.keyboard.press("Control+j")
    expect(editor.page.get_by_role("group", name="Note")).to_be_visible()
    editor.page.wait_for_timeout(1500)
    editor.open()
    # What this window left unsaved is offered again.
    editor.button("Discard").click()
    editor.load(CASE)
    editor.page.keyboard.press("Control+j")
    expect(editor.page.get_by_role("group", name="Note")).to_be_visible()
    editor.page.keyboard.press("?")
    reset_keys(editor)


def test_find_cycles_and_centres(editor: Editor) -> None:
    editor.load(CASE)
    editor.page.keyboard.press("Control+f")
    editor.page.keyboard.type("add")
    editor.page.keyboard.press("Enter")
    expect(editor.page.get_by_text("1 of 1")).to_be_visible()
    expect(editor.page.locator('[data-node="second"]')).to_have_attribute("data-selected", "true")


def test_the_form_writes_the_document_and_shows_the_result(editor: Editor) -> None:
    case = {**CASE, "inputs": {"start at": {"node": "start", "input": "value"}}}
    editor.load(case)
    editor.button("Form").click()
    field = editor.page.get_by_role("spinbutton", name="Start at")
    field.dblclick()
    editor.page.keyboard.press("Control+A")
    editor.page.keyboard.type("40")
    editor.page.keyboard.press("Enter")
    assert editor.doc["nodes"]["start"]["inputs"]["value"] == 40
    editor.page.get_by_role("form", name="case").get_by_role("button", name="Run").click()
    expect(editor.page.get_by_role("region", name="Results")).to_contain_text("42")


def test_the_theme_is_chosen_and_seen(editor: Editor) -> None:
    palette(editor, "theme: light")
    expect(editor.page.locator("html")).to_have_attribute("data-theme", "light")
    palette(editor, "theme: system")
    expect(editor.page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_outline_reaches_every_node(editor: Editor) -> None:
    editor.load(CASE)
    editor.page.keyboard.press("Alt+2")
    outline = editor.page.get_by_role("tree", name="Nodes in their order")
    expect(outline.get_by_role("treeitem")).to_have_count(2)
    outline.get_by_role("treeitem", name="Add").click()
    expect(editor.page.locator('[data-node="second"]')).to_be_focused()


def test_tab_walks_the_nodes_in_their_flow(editor: Editor) -> None:
    editor.load(CASE)
    editor.page.locator('[data-node="start"]').focus()
    editor.page.keyboard.press("Tab")
    expect(editor.page.locator('[data-node="second"]')).to_be_focused()


def test_every_entry_of_the_nodes_menu_has_its_shortcut_beside_it(editor: Editor) -> None:
    editor.load(CASE)
    editor.page.locator('[data-node="second"] header').click(button="right")
    menu = editor.page.get_by_role("menu", name="Canvas menu")
    entry = menu.get_by_role("menuitem", name=re.compile("^Bypass"))
    expect(entry).to_contain_text("Ctrl+B")
    entry.click()
    assert editor.doc["nodes"]["second"]["mode"] == "bypass"


def test_a_template_is_opened_from_its_picture(editor: Editor) -> None:
    palette(editor, "templates")
    card = editor.page.get_by_role("dialog", name="Templates").get_by_role(
        "button", name=re.compile("Upscale")
    )
    expect(card.locator("img")).to_be_visible()
    card.click()
    expect(editor.page.get_by_role("tab")).to_have_count(2)


def test_a_run_of_the_past_opens_with_its_workflow(editor: Editor) -> None:
    editor.load({**CASE, "name": "of the past"})
    editor.page.keyboard.press("Control+Enter")
    expect(editor.status).to_have_text("of the past is done.")
    editor.page.keyboard.press("Alt+6")
    runs = editor.page.get_by_role("list", name="Runs").get_by_role("listitem")
    runs.first.get_by_role("button", name=re.compile("^Open the workflow")).click()
    expect(editor.page.get_by_role("tab", selected=True)).to_contain_text("of the past")
    expect(editor.page.locator('[data-node="second"]')).to_have_attribute(
        "data-status", re.compile("ran|memory|disk")
    )


def test_a_wire_takes_the_place_of_a_value_which_comes_back(editor: Editor) -> None:
    editor.load(CASE)
    start = editor.page.locator('[data-node="start"]').get_by_role("button", name="int: int output")
    b = editor.page.locator('[data-node="second"]').get_by_role("button", name="b: int input")
    editor.drag(start, b)
    assert editor.doc["nodes"]["second"]["inputs"]["b"]["node"] == "start"
    editor.drag_points(editor.centre(b), editor.empty())
    assert editor.doc["nodes"]["second"]["inputs"]["b"] == 2


def test_a_box_over_nodes_selects_them_and_space_drag_pans(editor: Editor) -> None:
    editor.load(CASE)
    first = editor.page.locator('[data-node="start"]').bounding_box()
    assert first is not None
    x, y = editor.empty()
    editor.drag_points((first["x"] - 30, first["y"] - 30), (first["x"] + 40, y - 100))
    expect(editor.page.locator("[data-node][data-selected]")).to_have_count(1)
    editor.page.keyboard.down("Space")
    editor.drag_points((x, y), (x + 100, y - 50))
    editor.page.keyboard.up("Space")
    after = editor.page.locator('[data-node="start"]').bounding_box()
    assert after is not None
    assert abs(after["x"] - first["x"] - 100) < 5
    expect(editor.page.get_by_role("listbox", name="Nodes")).to_have_count(0)


def test_keys_of_another_command_are_taken_from_it_and_escape_only_stops_asking(
    editor: Editor,
) -> None:
    editor.load(CASE)
    editor.page.keyboard.press("?")
    row = editor.page.get_by_role("button", name="Change the keys of Add a note")
    row.click()
    editor.page.keyboard.press("Escape")
    expect(editor.page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    row.click()
    editor.page.keyboard.press("Control+d")
    editor.page.keyboard.press("Escape")
    expect(editor.page.get_by_role("dialog")).to_have_count(0)
    editor.page.locator('[data-node="second"] header').click()
    editor.page.keyboard.press("Control+d")
    expect(editor.page.get_by_role("group", name="Note")).to_be_visible()
    assert len(editor.doc["nodes"]) == 2
    editor.page.keyboard.press("?")
    reset_keys(editor)


def test_f2_renames_the_node_and_an_empty_title_gives_its_own_back(editor: Editor) -> None:
    editor.load(CASE)
    editor.page.locator('[data-node="second"] header').click()
    editor.page.keyboard.press("F2")
    editor.page.keyboard.type("The sum")
    editor.page.keyboard.press("Enter")
    expect(editor.node("The sum")).to_be_visible()
    assert editor.doc["layout"]["nodes"]["second"]["title"] == "The sum"
    editor.page.locator('[data-node="second"] header').click()
    editor.page.keyboard.press("F2")
    editor.page.keyboard.press("Delete")
    editor.page.keyboard.press("Enter")
    expect(editor.node("Add")).to_be_visible()


def test_the_outline_of_a_large_graph_draws_only_what_is_seen(editor: Editor) -> None:
    nodes = {f"n{i}": ("tools.number", {}, (340 * (i % 20), 160 * (i // 20))) for i in range(400)}
    editor.load(tools(**nodes))
    editor.page.keyboard.press("Alt+2")
    rows = editor.page.get_by_role("tree", name="Nodes in their order").get_by_role("treeitem")
    expect(rows.first).to_be_visible()
    assert rows.count() < 60


def test_the_tab_in_view_is_in_sight_however_many_there_are(editor: Editor) -> None:
    for number in range(14):
        editor.load({**tools(alone=("tools.number", {}, (0, 0))), "name": f"workflow {number}"})
    strip = editor.page.get_by_role("navigation", name="Open workflows")
    last = strip.get_by_role("tab", name="workflow 13")
    expect(last).to_have_attribute("aria-selected", "true")
    expect(last).to_be_in_viewport(ratio=1)
    expect(strip.get_by_role("tab", name="Text to image")).not_to_be_in_viewport()
    last.press("ArrowRight")
    expect(strip.get_by_role("tab", selected=True)).to_be_in_viewport(ratio=1)
    expect(last).not_to_be_in_viewport()


def test_a_long_name_leaves_room_for_the_sign_that_its_tab_is_unsaved(editor: Editor) -> None:
    name = "a name that is much longer than any tab may be wide"
    editor.load({**tools(alone=("tools.number", {}, (0, 0))), "name": name})
    tab = editor.page.get_by_role("tab", name=name)
    whole, mark = tab.bounding_box(), tab.get_by_title("unsaved changes").bounding_box()
    assert whole is not None
    assert mark is not None
    assert whole["x"] < mark["x"] < whole["x"] + whole["width"] - mark["width"]
