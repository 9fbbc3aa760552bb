"""Putting the graph in order: notes, comments, folding, copies by dragging, lines, the map."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import combinations
from typing import Any

from playwright.sync_api import Locator, expect

from tests.web.conftest import Editor, link, tools
from tests.web.test_views import palette

Chain = Callable[[], Editor]


def header(editor: Editor, node: str) -> Locator:
    return editor.page.locator(f'[data-node="{node}"] header')


def places(editor: Editor) -> dict[str, list[float]]:
    """Where the nodes lie on the canvas."""
    return {name: one["at"] for name, one in editor.doc["layout"]["nodes"].items()}


def pull(editor: Editor, node: str, by: tuple[int, int]) -> None:
    """Drag a node by its header."""
    box = header(editor, node).bounding_box()
    assert box is not None
    x, y = box["x"] + 120, box["y"] + 10
    editor.drag_points((x, y), (x + by[0], y + by[1]))


def test_a_note_is_written_in_markdown_and_its_text_undone(editor: Editor) -> None:
    editor.load(tools(one=("tools.number", {}, (0, 0))))
    editor.page.mouse.move(*editor.empty())
    editor.page.keyboard.press("n")
    note = editor.page.get_by_role("group", name="Note", exact=True)
    note.dblclick()
    editor.page.keyboard.type("# Plan\n\n- first **bold**\n\n<img src=x onerror=alert(1)>")
    editor.page.keyboard.press("Escape")
    expect(note.get_by_role("heading", name="Plan")).to_be_visible()
    expect(note.get_by_role("listitem")).to_have_text("first bold")
    expect(note.locator("strong")).to_have_text("bold")
    expect(note.locator("img")).to_have_count(0)
    editor.page.keyboard.press("Control+z")
    expect(note).to_contain_text("An empty note")


def test_a_comment_stands_on_its_node_and_is_changed_there(editor: Editor) -> None:
    editor.load(tools(one=("tools.number", {}, (0, 0))))
    header(editor, "one").click(button="right")
    editor.page.get_by_role("menuitem", name="Comment on the node").click()
    dialog = editor.page.get_by_role("dialog", name="Comment on the node")
    dialog.get_by_role("textbox", name="Comment").fill("Why three?")
    dialog.get_by_role("button", name="Keep").click()
    bubble = editor.node("Number").get_by_role("button", name="Comment: Why three?")
    bubble.click()
    expect(dialog.get_by_role("textbox", name="Comment")).to_have_value("Why three?")
    dialog.get_by_role("textbox", name="Comment").fill("")
    dialog.get_by_role("button", name="Keep").click()
    expect(bubble).to_have_count(0)
    editor.page.keyboard.press("Control+z")
    expect(bubble).to_be_visible()


def test_folded_nodes_keep_their_wires_and_several_fold_at_once(chain: Chain) -> None:
    editor = chain()
    before = editor.doc["nodes"]
    header(editor, "first").get_by_role("button", name="Fold Add").click()
    card = editor.page.locator('[data-node="first"]')
    expect(card).to_have_attribute("data-collapsed", "true")
    expect(card.get_by_role("spinbutton")).to_have_count(0)
    expect(card.get_by_role("button", name="a: int input")).to_be_attached()
    assert editor.doc["nodes"] == before

    header(editor, "second").click()
    header(editor, "start").click(modifiers=["Shift"])
    editor.page.keyboard.press("Alt+c")
    expect(editor.page.locator("[data-node][data-collapsed]")).to_have_count(3)
    layouts = editor.doc["layout"]["nodes"]
    assert [layouts[name]["collapsed"] for name in ("start", "first", "second")] == [True] * 3
    editor.page.keyboard.press("Alt+c")
    expect(editor.page.locator("[data-node][data-collapsed]")).to_have_count(1)
    editor.page.keyboard.press("Control+z")
    expect(editor.page.locator("[data-node][data-collapsed]")).to_have_count(3)


def test_a_node_that_is_dropped_on_a_wire_goes_into_it(editor: Editor) -> None:
    editor.load(
        tools(
            start=("tools.number", {"value": 3}, (0, 0)),
            end=("tools.add", {"a": link("start"), "b": 1}, (800, 0)),
            mid=("tools.limited", {}, (400, 300)),
            other=("tools.member", {}, (0, 300)),
        )
    )
    wire = editor.centre(editor.socket("Number", "int: int output"))
    end = editor.centre(editor.page.locator('[data-node="end"]').get_by_role("button", name="a: "))
    target = ((wire[0] + end[0]) / 2, (wire[1] + end[1]) / 2)
    for node in ("mid", "other"):
        box = header(editor, node).bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        before = editor.doc
        editor.drag_points((x, y), target, steps=12)
        if node == "mid":
            expect(editor.status).to_have_text("The node was put into the wire.")
            nodes = editor.doc["nodes"]
            assert nodes["mid"]["inputs"]["a"]["node"] == "start"
            assert nodes["end"]["inputs"]["a"]["node"] == "mid"
            editor.page.keyboard.press("Control+z")
            assert editor.doc == before, "putting it there and joining it are one step"
        else:
            # It gives a text, which an addition does not take.
            assert editor.doc["nodes"] == before["nodes"]


def test_dragging_with_alt_leaves_the_original_and_moves_a_copy(chain: Chain) -> None:
    editor = chain()
    before = editor.doc
    header(editor, "first").click()
    header(editor, "second").click(modifiers=["Shift"])
    editor.page.keyboard.down("Alt")
    pull(editor, "first", (0, 240))
    editor.page.keyboard.up("Alt")
    doc = editor.doc
    assert set(doc["nodes"]) == {"start", "first", "second", "first_2", "second_2"}
    assert doc["nodes"]["second_2"]["inputs"]["a"] == {"node": "first_2"}
    at = places(editor)
    assert at["first"] == before["layout"]["nodes"]["first"]["at"]
    assert at["first_2"][0] == at["first"][0]
    assert at["first_2"][1] > at["first"][1]
    expect(editor.page.locator("[data-node][data-selected]")).to_have_count(2)
    editor.page.keyboard.press("Control+z")
    assert editor.doc == before


def map_colours(editor: Editor) -> set[str]:
    """All colours that the map is painted with."""
    found: list[str] = editor.page.get_by_role(
        "img", name=re.compile("^Map of the graph")
    ).evaluate(
        """canvas => {
            const pen = canvas.getContext("2d");
            const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
            const seen = new Map();
            for (let at = 0; at < data.length; at += 4) {
                const colour = data.slice(at, at + 4).join();
                seen.set(colour, (seen.get(colour) ?? 0) + 1);
            }
            return [...seen].filter(([, count]) => count > 40).map(([colour]) => colour);
        }"""
    )
    return set(found)


def test_the_map_shows_frames_and_states_moves_the_view_and_is_hidden(chain: Chain) -> None:
    editor = chain()
    editor.page.wait_for_timeout(300)
    plain = map_colours(editor)
    header(editor, "first").click()
    editor.page.keyboard.press("Alt+Enter")
    expect(editor.page.locator('[data-node="first"]')).to_have_attribute(
        "data-status", re.compile("ran|memory|disk")
    )
    editor.page.keyboard.press("Escape")
    editor.page.wait_for_timeout(300)
    states = map_colours(editor)
    assert states - plain, "a node that ran has another colour"
    header(editor, "second").click()
    editor.page.keyboard.press("Control+g")
    editor.page.keyboard.press("Escape")
    editor.page.wait_for_timeout(300)
    assert map_colours(editor) - states - plain, "a frame has a colour of its own"

    picture = editor.page.get_by_role("img", name=re.compile("^Map of the graph"))
    before = editor.page.locator('[data-node="first"]').bounding_box()
    box = picture.bounding_box()
    assert before is not None
    assert box is not None
    editor.page.mouse.click(box["x"] + 20, box["y"] + box["height"] / 2)
    after = editor.page.locator('[data-node="first"]').bounding_box()
    assert after is not None
    assert after["x"] > before["x"] + 100

    palette(editor, "show the map")
    expect(picture).to_have_count(0)
    palette(editor, "show the map")
    expect(picture).to_be_visible()


def overlaps(editor: Editor) -> list[tuple[str, str]]:
    """Pairs of nodes that lie over each other, as they are seen."""
    boxes: dict[str, Any] = {}
    for card in editor.page.locator("[data-node]").all():
        boxes[card.get_attribute("data-node") or ""] = card.bounding_box()
    return [
        (one, other)
        for one, other in combinations(boxes, 2)
        if boxes[one]["x"] < boxes[other]["x"] + boxes[other]["width"]
        and boxes[other]["x"] < boxes[one]["x"] + boxes[one]["width"]
        and boxes[one]["y"] < boxes[other]["y"] + boxes[other]["height"]
        and boxes[other]["y"] < boxes[one]["y"] + boxes[one]["height"]
    ]


def test_l_lays_out_left_to_right_without_overlap_as_one_step(editor: Editor) -> None:
    case = tools(
        start=("tools.number", {"value": 3}, (0, 0)),
        other=("tools.number", {"value": 4}, (30, 20)),
        first=("tools.add", {"a": link("start"), "b": link("other")}, (10, 60)),
        second=("tools.add", {"a": link("first"), "b": link("start")}, (-40, 30)),
        third=("tools.add", {"a": link("second"), "b": link("other")}, (60, 80)),
    )
    editor.load(case)
    before = places(editor)
    assert overlaps(editor)
    editor.page.mouse.move(*editor.empty())
    editor.page.keyboard.press("l")
    editor.page.wait_for_function(
        "before => JSON.stringify(inspect.doc().layout.nodes.third.at) !== before",
        arg=str(before["third"]).replace(" ", ""),
    )
    editor.page.keyboard.press(".")
    editor.page.wait_for_timeout(400)
    assert overlaps(editor) == []
    after = places(editor)
    assert after["start"][0] < after["first"][0] < after["second"][0] < after["third"][0]
    editor.page.keyboard.press("Control+z")
    assert places(editor) == before


def test_drags_keep_to_the_grid_unless_it_is_off(chain: Chain) -> None:
    editor = chain()
    pull(editor, "first", (53, 137))
    assert all(value % 20 == 0 for value in places(editor)["first"])
    editor.page.keyboard.down("Control")
    pull(editor, "first", (33, 7))
    editor.page.keyboard.up("Control")
    assert any(value % 20 for value in places(editor)["first"]), "Ctrl does the other"
    editor.page.keyboard.press("Control+z")
    palette(editor, "snap to the grid")
    pull(editor, "first", (33, 7))
    assert any(value % 20 for value in places(editor)["first"])
    palette(editor, "snap to the grid")


def test_edges_of_a_selection_are_put_in_line(editor: Editor) -> None:
    editor.load(
        tools(
            one=("tools.number", {}, (0, 0)),
            two=("tools.number", {}, (320, 90)),
            three=("tools.number", {}, (640, 170)),
        )
    )
    before = places(editor)
    header(editor, "one").click()
    header(editor, "three").click(modifiers=["Shift"])
    editor.page.keyboard.press("Alt+4")
    editor.button("Align top").click()
    at = places(editor)
    assert (at["one"], at["two"], at["three"]) == ([0, 0], [320, 90], [640, 0])
    editor.page.keyboard.press("Control+z")
    editor.button("Align right").click()
    assert places(editor)["one"] == [640, 0]
    editor.page.keyboard.press("Control+z")
    assert places(editor) == before


def test_running_to_a_node_runs_only_what_it_needs(editor: Editor) -> None:
    editor.load(
        tools(
            "second",
            "aside",
            start=("tools.number", {"value": 71}, (0, 0)),
            first=("tools.add", {"a": link("start"), "b": 1}, (340, 0)),
            second=("tools.add", {"a": link("first"), "b": 2}, (680, 0)),
            aside=("tools.add", {"a": 5, "b": 72}, (340, 260)),
        )
    )
    header(editor, "first").click(button="right")
    editor.page.get_by_role("menuitem", name="Run to here").click()
    expect(editor.status).to_have_text("case is done.")
    for node in ("start", "first"):
        expect(editor.page.locator(f'[data-node="{node}"]')).to_have_attribute(
            "data-status", re.compile("ran|memory|disk")
        )
    for node in ("second", "aside"):
        expect(editor.page.locator(f'[data-node="{node}"]')).to_have_attribute(
            "data-status", re.compile("idle|skipped|waiting")
        )


def test_what_is_pinned_stays_and_a_locked_graph_is_only_looked_at(chain: Chain) -> None:
    editor = chain()
    header(editor, "first").click()
    editor.page.keyboard.press("p")
    before = places(editor)
    pull(editor, "first", (0, 160))
    assert places(editor) == before
    editor.page.keyboard.press("Control+a")
    pull(editor, "start", (0, 160))
    at = places(editor)
    assert at["first"] == before["first"]
    assert at["second"] != before["second"]

    header(editor, "first").click()
    palette(editor, "lock the workflow")
    expect(editor.page.get_by_text("Locked: it can be looked at and run.")).to_be_visible()
    locked = editor.doc
    pull(editor, "start", (0, -80))
    header(editor, "second").click()
    editor.page.keyboard.press("Delete")
    editor.page.keyboard.press("Control+b")
    editor.page.keyboard.press("ArrowDown")
    expect(
        editor.page.locator('[data-node="second"]').get_by_role("spinbutton", name="b", exact=True)
    ).to_be_disabled()
    assert editor.doc == locked
    editor.button("Unlock").click()
    editor.page.keyboard.press("Control+b")
    assert editor.doc["nodes"]["second"]["mode"] == "bypass"


def test_every_entry_of_every_menu_has_its_shortcut_beside_it(chain: Chain) -> None:
    editor = chain()
    start = editor.centre(editor.socket("Number", "int: int output"))
    first = editor.page.locator('[data-node="first"]')
    end = editor.centre(first.get_by_role("button", name="a: int input"))
    header(editor, "second").click()
    editor.page.keyboard.press("Control+g")
    frame = editor.page.get_by_role("group", name="Frame frame").locator("header").bounding_box()
    assert frame is not None
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    node = editor.centre(header(editor, "second"))
    menu = editor.page.get_by_role("menu", name="Canvas menu")
    entries = menu.get_by_role("menuitem").or_(menu.get_by_role("menuitemcheckbox"))
    counts = []
    for place in (node, (frame["x"] + 130, frame["y"] + 8), middle, editor.empty()):
        editor.page.mouse.click(*place, button="right")
        expect(entries.first).to_be_visible()
        counts.append(entries.count())
        bare = [one.inner_text() for one in entries.all() if not one.locator("kbd").count()]
        assert bare == []
        editor.page.keyboard.press("Escape")
        expect(menu).to_have_count(0)
    assert len(set(counts)) == 4, "each place has a menu of its own"
