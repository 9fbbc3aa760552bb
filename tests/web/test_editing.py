"""The graph by mouse and keys: nodes, wires, selection, undo, clipboard."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from tests.web.conftest import Editor, link, tools

Chain = Callable[[], Editor]


def test_double_click_searches_and_enter_places_the_nodes_corner_there(chain: Chain) -> None:
    editor = chain()
    x, y = editor.empty()
    editor.page.mouse.dblclick(x, y - 100)
    editor.page.keyboard.type("samp")
    editor.page.keyboard.press("Enter")
    box = editor.node("Sample").bounding_box()
    assert box is not None
    assert abs(box["x"] - x) < 15
    assert abs(box["y"] - (y - 100)) < 15


def test_sockets_tell_name_type_and_shape(chain: Chain) -> None:
    editor = chain()
    socket = editor.socket("Add", "a: int input").first
    expect(socket).to_have_attribute("data-shape", "triangle")


def test_a_wire_is_drawn_replaced_pulled_and_undone(chain: Chain) -> None:
    editor = chain()
    second = editor.page.locator('[data-node="second"]')
    output = editor.page.locator('[data-node="start"]').get_by_role(
        "button", name="int: int output"
    )
    editor.drag(output, second.get_by_role("button", name="a: int input"))
    assert editor.doc["nodes"]["second"]["inputs"]["a"] == {"node": "start", "output": "int"}

    editor.drag_points(
        editor.centre(second.get_by_role("button", name="a: int input")), editor.empty()
    )
    assert "a" not in editor.doc["nodes"]["second"]["inputs"]

    editor.page.keyboard.press("Control+z")
    editor.page.keyboard.press("Control+z")
    assert editor.doc["nodes"]["second"]["inputs"]["a"] == {"node": "first"}


def test_a_refused_wire_says_why(editor: Editor) -> None:
    editor.load(
        tools(
            read=("image.load", {"file": "x.png"}, (0, 0)),
            a=("tools.add", {}, (340, 0)),
            b=("tools.add", {"a": link("a")}, (680, 0)),
        )
    )
    a = editor.page.locator('[data-node="a"]')
    editor.drag(
        editor.socket("Load image", "image: Image output"),
        a.get_by_role("button", name="b: int input"),
    )
    expect(editor.status).to_have_text("Image does not fit int.")
    b = editor.page.locator('[data-node="b"]')
    editor.drag(
        b.get_by_role("button", name="int: int output"),
        a.get_by_role("button", name="a: int input"),
    )
    expect(editor.status).to_have_text("That would make a loop.")
    assert "a" not in editor.doc["nodes"]["a"].get("inputs", {})


def test_a_wire_over_nothing_offers_nodes_that_fit_and_connects_one(editor: Editor) -> None:
    editor.load(tools(read=("image.load", {"file": "x.png"}, (0, 0))))
    x, y = editor.empty()
    editor.drag_points(
        editor.centre(editor.socket("Load image", "image: Image output")), (x + 500, y - 300)
    )
    options = editor.page.get_by_role("listbox", name="Nodes").get_by_role("option")
    expect(options.filter(has_text="Blur image")).to_be_visible()
    expect(options.filter(has_text="Encode text")).to_have_count(0)
    editor.page.keyboard.type("invert im")
    editor.page.keyboard.press("Enter")
    inputs = editor.doc["nodes"]["invert"]["inputs"]
    assert inputs == {"image": {"node": "read", "output": "image"}}


def test_a_loose_wire_is_offered_what_fits_best_first_and_typing_sorts_by_name(
    editor: Editor,
) -> None:
    editor.load(tools(read=("image.load", {"file": "x.png"}, (0, 0))))
    x, y = editor.empty()
    editor.drag_points(
        editor.centre(editor.socket("Load image", "image: Image output")), (x + 500, y - 400)
    )
    nodes = editor.page.get_by_role("listbox", name="Nodes")
    specs: dict[str, Any] = editor.page.evaluate(
        "async () => (await (await fetch('api/nodes')).json()).nodes"
    )
    exact = sorted(
        spec["title"]
        for spec in specs.values()
        if spec["pack"] != "nodeflow"
        and not spec["deprecated"]
        and any(port["type"] == "Image" for port in spec["inputs"])
    )
    expect(nodes.get_by_text("Of this very type")).to_be_visible()
    shown = nodes.get_by_role("option")
    offered = [shown.nth(place).text_content() or "" for place in range(6)]
    # Whatever it reads as, the list goes from the surest fit to what takes anything.
    assert [title for title, row in zip(exact, offered, strict=False) if row.startswith(title)]
    assert all(any(row.startswith(title) for title in exact) for row in offered)
    editor.page.keyboard.press("ArrowUp")
    expect(nodes.get_by_text("Take or give anything")).to_have_count(1)
    last = editor.page.get_by_role("option", selected=True)
    assert not any((last.text_content() or "").startswith(title) for title in exact)
    editor.page.keyboard.type("save")
    expect(shown.first).to_contain_text("Save image")


def test_the_search_holds_every_node_that_can_be_placed_and_no_other(chain: Chain) -> None:
    editor = chain()
    specs: dict[str, Any] = editor.page.evaluate(
        "async () => (await (await fetch('api/nodes')).json()).nodes"
    )
    placed = [s for s in specs.values() if s["pack"] != "nodeflow" and not s["deprecated"]]
    assert len(placed) > 40
    assert len(placed) < len(specs)
    editor.page.keyboard.press("a")
    nodes = editor.page.get_by_role("listbox", name="Nodes")
    chosen = nodes.get_by_role("option", selected=True)
    expect(chosen).to_have_attribute("aria-setsize", str(len(placed)))
    assert nodes.get_by_role("option").count() < 40, "only what is seen is drawn"
    editor.page.keyboard.press("ArrowUp")
    expect(chosen).to_have_attribute("aria-posinset", str(len(placed)))
    expect(chosen).to_be_in_viewport()


def test_a_drag_of_sixty_moves_is_one_step_of_undo(chain: Chain) -> None:
    editor = chain()
    before = editor.doc["layout"]["nodes"]["start"]["at"]
    x, y = editor.centre(editor.node("Number").locator("header"))
    editor.drag_points((x, y), (x + 120, y + 180), steps=60)
    assert editor.doc["layout"]["nodes"]["start"]["at"] != before
    editor.page.keyboard.press("Control+z")
    assert editor.doc["layout"]["nodes"]["start"]["at"] == before
    editor.page.keyboard.press("Control+Shift+z")
    assert editor.doc["layout"]["nodes"]["start"]["at"] != before


def test_a_drag_that_rests_is_one_step_of_undo(chain: Chain) -> None:
    editor = chain()
    page = editor.page
    x, y = editor.centre(page.locator('[data-node="start"] header'))
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 4):
        page.mouse.move(x, y + 60 * step, steps=4)
        page.wait_for_timeout(900)
    page.mouse.up()
    assert editor.doc["layout"]["nodes"]["start"]["at"] != [0, 0]
    x, y = editor.centre(page.locator('[data-node="start"]').get_by_role("separator"))
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 3):
        page.mouse.move(x + 30 * step, y, steps=4)
        page.wait_for_timeout(900)
    page.mouse.up()
    moved = editor.doc["layout"]["nodes"]["start"]
    assert moved["width"] > 200
    page.keyboard.press("Control+z")
    assert editor.doc["layout"]["nodes"]["start"] == {"at": moved["at"]}
    page.keyboard.press("Control+z")
    assert editor.doc["layout"]["nodes"]["start"]["at"] == [0, 0]


def test_keys_in_a_field_mean_the_text(editor: Editor) -> None:
    editor.load(tools(text=("logic.template", {"template": "one"}, (0, 0))))
    field = editor.page.get_by_role("textbox", name="template")
    field.click()
    editor.page.keyboard.press("End")
    editor.page.keyboard.type(" two")
    editor.page.keyboard.press("Backspace")
    editor.page.keyboard.press("Delete")
    editor.page.keyboard.press("Space")
    expect(field).to_have_value("one tw ")
    assert list(editor.doc["nodes"]) == ["text"]


def test_box_shift_click_and_select_all_then_delete_and_undo(chain: Chain) -> None:
    editor = chain()
    expect(editor.page.locator("[data-node]")).to_have_count(3)
    editor.page.keyboard.press("Control+a")
    expect(editor.page.locator("[data-node][data-selected]")).to_have_count(3)
    editor.page.locator('[data-node="start"] header').click(modifiers=["Shift"])
    expect(editor.page.locator("[data-node][data-selected]")).to_have_count(2)
    editor.page.keyboard.press("Delete")
    assert list(editor.doc["nodes"]) == ["start"]
    editor.page.keyboard.press("Control+z")
    assert editor.doc["nodes"]["second"]["inputs"]["a"] == {"node": "first"}


def test_copies_have_their_inner_wires_and_outer_ones_if_asked(chain: Chain) -> None:
    editor = chain()
    editor.page.locator('[data-node="first"] header').click()
    editor.page.locator('[data-node="second"] header').click(modifiers=["Shift"])
    editor.page.keyboard.press("Control+c")
    expect(editor.status).to_have_text("Copied.")
    editor.page.keyboard.press("Control+v")
    nodes = editor.doc["nodes"]
    assert nodes["second_2"]["inputs"]["a"] == {"node": "first_2"}
    assert "a" not in nodes["first_2"]["inputs"]
    editor.page.keyboard.press("Control+Shift+v")
    assert editor.doc["nodes"]["first_3"]["inputs"]["a"] == {"node": "start"}


def test_a_number_is_typed_as_a_sum_stepped_and_clamped(editor: Editor) -> None:
    editor.load(tools(one=("tools.limited", {"a": 3}, (0, 0))))
    field = editor.page.get_by_role("spinbutton", name="a", exact=True)
    field.focus()
    editor.page.keyboard.press("ArrowUp")
    assert editor.doc["nodes"]["one"]["inputs"]["a"] == 4
    field.dblclick()
    editor.page.keyboard.press("Control+A")
    editor.page.keyboard.type("18/3")
    editor.page.keyboard.press("Enter")
    assert editor.doc["nodes"]["one"]["inputs"]["a"] == 6
    field.dblclick()
    editor.page.keyboard.press("Control+A")
    editor.page.keyboard.type("99")
    editor.page.keyboard.press("Enter")
    assert editor.doc["nodes"]["one"]["inputs"]["a"] == 10


def test_bypass_and_mute_are_seen_and_undone(chain: Chain) -> None:
    editor = chain()
    editor.page.locator('[data-node="first"] header').click()
    editor.page.keyboard.press("Control+b")
    expect(editor.page.locator('[data-node="first"]')).to_contain_text("bypassed")
    editor.page.keyboard.press("Control+m")
    expect(editor.page.locator('[data-node="first"]')).to_have_attribute("data-mode", "mute")
    editor.page.keyboard.press("Control+z")
    editor.page.keyboard.press("Control+z")
    assert "mode" not in editor.doc["nodes"]["first"]


def test_a_group_is_made_entered_left_and_unpacked(chain: Chain) -> None:
    editor = chain()
    editor.page.locator('[data-node="first"] header').click()
    editor.page.locator('[data-node="second"] header').click(modifiers=["Shift"])
    editor.page.keyboard.press("Control+Shift+g")
    doc = editor.doc
    (name,) = doc["groups"]
    assert set(doc["groups"][name]["nodes"]) == {"first", "second"}
    call = editor.page.locator('[data-node][data-type^="group:"]')
    call.locator("header").dblclick(position={"x": 120, "y": 10})
    crumbs = editor.page.get_by_role("navigation", name="Groups")
    expect(crumbs).to_be_visible()
    expect(editor.page.locator('[data-node="first"]')).to_be_visible()
    crumbs.get_by_role("button").first.click()
    editor.page.keyboard.press("Control+Shift+u")
    assert editor.doc["nodes"]["second"]["inputs"]["a"] == {"node": "first", "output": "int"} or (
        editor.doc["nodes"]["second"]["inputs"]["a"] == {"node": "first"}
    )
    assert editor.doc["nodes"]["first"]["inputs"]["a"]["node"] == "start"


def test_a_frame_moves_what_lies_in_it(chain: Chain) -> None:
    editor = chain()
    editor.page.locator('[data-node="first"] header').click()
    editor.page.keyboard.press("Control+g")
    frame = editor.page.get_by_role("group", name="Frame frame")
    x, y = editor.centre(frame.locator(".frame-handle"))
    before = editor.doc["layout"]["nodes"]["first"]["at"]
    editor.drag_points((x + 60, y), (x + 60, y + 200))
    after = editor.doc["layout"]["nodes"]["first"]["at"]
    assert after[0] == before[0]
    assert after[1] > before[1]


def test_double_click_on_a_wire_bends_it_and_delete_heals_it(chain: Chain) -> None:
    editor = chain()
    start = editor.page.locator('[data-node="start"]').get_by_role("button", name="int: int output")
    end = editor.page.locator('[data-node="first"]').get_by_role("button", name="a: int input")
    (x1, y1), (x2, y2) = editor.centre(start), editor.centre(end)
    editor.page.mouse.dblclick((x1 + x2) / 2, (y1 + y2) / 2)
    assert len(editor.doc["layout"]["reroutes"]) == 1
    editor.page.get_by_role("group", name="int reroute").click()
    editor.page.keyboard.press("Delete")
    assert not editor.doc["layout"].get("reroutes")
    assert editor.doc["nodes"]["first"]["inputs"]["a"] == {"node": "start"}


def test_all_that_a_node_needs_and_all_that_needs_it_is_selected(editor: Editor) -> None:
    editor.load(
        tools(
            start=("tools.number", {}, (0, 0)),
            other=("tools.number", {}, (0, 300)),
            first=("tools.add", {"a": link("start"), "b": link("other")}, (340, 0)),
            second=("tools.add", {"a": link("first")}, (680, 0)),
            aside=("tools.add", {"a": link("other")}, (340, 300)),
        )
    )

    def chosen() -> set[str | None]:
        cards = editor.page.locator("[data-node][data-selected]").all()
        return {card.get_attribute("data-node") for card in cards}

    editor.page.locator('[data-node="first"] header').click(button="right")
    editor.page.get_by_role("menuitem", name="Select all that the selection needs").click()
    expect(editor.status).to_have_text("3 nodes are selected.")
    assert chosen() == {"start", "other", "first"}
    editor.page.locator('[data-node="other"] header').click()
    editor.page.keyboard.press("Shift+d")
    expect(editor.status).to_have_text("4 nodes are selected.")
    assert chosen() == {"other", "first", "second", "aside"}


def test_sockets_of_one_type_look_alike_and_those_of_another_do_not(editor: Editor) -> None:
    editor.load(
        tools(
            load=("diffusion.load_model", {"file": "emoji"}, (0, 0)),
            text=("diffusion.encode_text", {}, (340, 0)),
            sample=("diffusion.sample", {}, (680, 0)),
        )
    )

    def look(node: str, side: str, name: str) -> tuple[str, str | None]:
        socket = editor.node(node).get_by_role("button", name=re.compile(f"^{name}: .* {side}$"))
        colour = socket.locator("svg").evaluate("svg => getComputedStyle(svg).color")
        return colour, socket.get_attribute("data-shape")

    gives = {name: look("Load model", "output", name) for name in ("model", "text_encoder", "vae")}
    assert len(set(gives.values())) == 3
    assert look("Sample", "input", "model") == gives["model"]
    assert look("Encode text", "input", "encoder") == gives["text_encoder"]
    assert len({colour for colour, _ in gives.values()}) == 3


def test_a_pinned_node_in_a_selection_box_is_taken_but_stays_when_the_rest_is_moved(
    chain: Callable[[], Editor],
) -> None:
    editor = chain()
    editor.page.locator('[data-node="first"] header').click()
    editor.page.keyboard.press("p")
    editor.page.keyboard.press("Escape")
    before = {name: one["at"] for name, one in editor.doc["layout"]["nodes"].items()}
    boxes = [editor.page.locator(f'[data-node="{one}"]').bounding_box() for one in before]
    assert all(boxes)
    left = min(box["x"] for box in boxes if box) - 15
    top = min(box["y"] for box in boxes if box) - 30
    right = max(box["x"] + box["width"] for box in boxes if box) + 15
    low = max(box["y"] + box["height"] for box in boxes if box) + 30
    editor.drag_points((left, low), (right, top))
    expect(editor.page.locator("[data-node][data-selected]")).to_have_count(3)
    x, y = editor.centre(editor.page.locator('[data-node="start"] header'))
    editor.drag_points((x, y), (x, y + 100))
    after = {name: one["at"] for name, one in editor.doc["layout"]["nodes"].items()}
    assert after["first"] == before["first"]
    assert after["start"][1] > before["start"][1]
    assert after["second"][1] > before["second"][1]


def test_a_field_that_a_wire_feeds_says_from_where_and_not_its_own_name(editor: Editor) -> None:
    editor.load(
        tools(
            words=("logic.text", {"value": "fox"}, (0, 0)),
            text=("logic.template", {"template": link("words")}, (340, 0)),
        )
    )
    field = editor.node("Template").get_by_role("textbox", name="template")
    expect(field).to_be_disabled()
    expect(field).to_have_attribute("placeholder", "from Text")
    expect(editor.node("Text").get_by_role("textbox", name="value")).not_to_have_attribute(
        "placeholder", re.compile(".")
    )
