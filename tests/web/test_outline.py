"""The outline: a tree of every node, for keys and for people who cannot see the canvas."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.web.conftest import Editor, link, tools

# Two nodes around a group that holds another group, whose only node fails.
NESTED = {
    **tools(
        "last",
        start=("tools.number", {"value": 3}, (0, 0)),
        outer=("group:Outer", {"a": link("start")}, (340, 0)),
        last=("tools.add", {"a": link("outer", "out"), "b": 2}, (680, 0)),
    ),
    "groups": {
        "Outer": {
            **tools(
                first=("tools.add", {"a": 1, "b": 1}, (0, 0)),
                inner=("group:Inner", {"a": link("first")}, (340, 0)),
            ),
            "inputs": {"a": {"node": "first", "input": "a"}},
            "outputs": {"out": {"node": "inner", "output": "out"}},
        },
        "Inner": {
            **tools(bad=("tools.fail", {"a": 1}, (0, 0))),
            "inputs": {"a": {"node": "bad", "input": "a"}},
            "outputs": {"out": {"node": "bad"}},
        },
    },
}


def outline(editor: Editor) -> Locator:
    editor.page.keyboard.press("Alt+2")
    tree = editor.page.get_by_role("tree", name="Nodes in their order")
    expect(tree).to_be_visible()
    tree.focus()
    return tree


def active(tree: Locator, name: str) -> None:
    """The keys are on a row, which is in sight."""
    row = tree.locator(f"[id='{tree.get_attribute('aria-activedescendant')}']")
    expect(row).to_have_text(re.compile(f"^{name}"))
    expect(row).to_be_in_viewport()


def test_arrows_unfold_groups_and_enter_goes_to_a_node_in_one(editor: Editor) -> None:
    editor.load(NESTED)
    tree = outline(editor)
    items = tree.get_by_role("treeitem")
    expect(items).to_have_count(3)
    keyboard = editor.page.keyboard
    keyboard.press("ArrowDown")
    active(tree, "Outer")
    row = tree.get_by_role("treeitem", name="Outer")
    expect(row).to_have_attribute("aria-expanded", "false")
    keyboard.press("ArrowRight")
    expect(row).to_have_attribute("aria-expanded", "true")
    expect(items).to_have_count(5)
    keyboard.press("ArrowRight")
    active(tree, "Add")
    expect(items.nth(2)).to_have_attribute("aria-level", "2")
    expect(items.nth(2)).to_have_attribute("aria-setsize", "2")
    keyboard.press("ArrowDown")
    keyboard.press("ArrowRight")
    keyboard.press("ArrowRight")
    active(tree, "Fail")
    keyboard.press("ArrowLeft")
    active(tree, "Inner")
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    expect(editor.page.locator('[data-node="bad"]')).to_be_focused()
    # The outline is still that of the whole workflow, with the way in unfolded.
    expect(items).to_have_count(6)
    expect(tree.get_by_role("treeitem", name="Fail")).to_have_attribute("aria-selected", "true")


def test_home_end_and_letters_lead_to_rows(editor: Editor) -> None:
    editor.load(NESTED)
    tree = outline(editor)
    editor.page.keyboard.press("End")
    active(tree, "Add")
    editor.page.keyboard.press("Home")
    active(tree, "Number")
    editor.page.keyboard.type("ou")
    active(tree, "Outer")
    assert editor.doc["nodes"].keys() == NESTED["nodes"].keys()


def test_a_failure_is_marked_on_the_node_and_on_every_group_around_it(editor: Editor) -> None:
    editor.load(NESTED)
    tree = outline(editor)
    editor.page.keyboard.press("Control+Enter")
    expect(tree.get_by_role("treeitem", name="Outer failed")).to_be_visible(timeout=60_000)
    expect(tree.get_by_role("treeitem", name="Number")).not_to_contain_text("failed")
    editor.page.keyboard.press("ArrowDown")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowRight", "ArrowRight"):
        editor.page.keyboard.press(key)
    expect(tree.get_by_role("treeitem", name="Inner failed")).to_be_visible()
    expect(tree.get_by_role("treeitem", name="Fail failed")).to_be_visible()


def test_problems_inside_of_groups_are_marked(editor: Editor) -> None:
    case = {
        **tools(call=("group:Blur", {}, (0, 0))),
        "groups": {"Blur": tools(blur=("image.blur", {}, (0, 0)))},
        "outputs": {},
    }
    editor.load(case)
    tree = outline(editor)
    expect(tree.get_by_role("treeitem", name="Blur problem")).to_be_visible()
    editor.page.keyboard.press("ArrowRight")
    expect(tree.get_by_role("treeitem", name="Blur image problem")).to_be_visible()
