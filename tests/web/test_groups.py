"""Groups and frames: what they show to the outside, their order, and what moves with them."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Locator, expect

from tests.web.conftest import Editor, link, tools

Chain = Callable[[], Editor]


def grouped(editor: Editor) -> Locator:
    """Make a group of both additions; gives its call."""
    editor.page.locator('[data-node="first"] header').click()
    editor.page.locator('[data-node="second"] header').click(modifiers=["Shift"])
    editor.page.keyboard.press("Control+Shift+g")
    call = editor.node("Group")
    expect(call).to_be_visible()
    return call


def enter(editor: Editor) -> None:
    editor.node("Group").locator("header").dblclick(position={"x": 150, "y": 10})
    expect(editor.page.get_by_role("navigation", name="Groups")).to_be_visible()


def leave(editor: Editor) -> None:
    editor.page.get_by_role("navigation", name="Groups").get_by_role("button").first.click()
    expect(editor.node("Group")).to_be_visible()


def write(editor: Editor, field: Locator, text: str) -> None:
    field.dblclick()
    editor.page.keyboard.press("Control+A")
    editor.page.keyboard.type(text)
    editor.page.keyboard.press("Enter")


def test_an_inner_field_on_the_group_node_sets_the_inner_value(editor: Editor) -> None:
    editor.load(
        tools(
            "second",
            start=("tools.number", {"value": 3}, (0, 0)),
            first=("tools.add", {"a": link("start"), "b": 1}, (340, 0)),
            second=("tools.add", {"a": link("first"), "b": 2}, (680, 0)),
        )
    )
    grouped(editor)
    enter(editor)
    editor.page.locator('[data-node="second"] header').click()
    editor.page.keyboard.press("Alt+4")
    editor.page.get_by_role("checkbox", name="Expose b").check()
    leave(editor)
    field = editor.node("Group").get_by_role("spinbutton", name="b", exact=True)
    expect(field).to_have_attribute("aria-valuenow", "2")

    write(editor, field, "40")
    expect(field).to_have_attribute("aria-valuenow", "40")
    editor.node("Group").locator("header").click()
    editor.page.keyboard.press("Alt+Enter")
    expect(editor.status).to_have_text("case is done.")
    editor.button("Form").click()
    expect(editor.page.get_by_role("region", name="Results")).to_contain_text("44")

    editor.button("Graph").click()
    editor.page.keyboard.press("Control+z")
    expect(field).to_have_attribute("aria-valuenow", "2")


def test_inputs_of_a_group_are_put_in_order_by_dragging(chain: Chain) -> None:
    editor = chain()
    grouped(editor)
    enter(editor)
    editor.page.keyboard.press("Alt+4")
    for node in ("first", "second"):
        editor.page.locator(f'[data-node="{node}"] header').click()
        editor.page.get_by_role("checkbox", name="Expose b").check()
    editor.page.keyboard.press("Escape")
    rows = editor.page.get_by_role("list", name="Exposed inputs").get_by_role("listitem")
    names = rows.get_by_role("textbox")
    before = [names.nth(index).input_value() for index in range(names.count())]
    assert before == ["a", "b", "b_2"]
    rows.nth(2).drag_to(rows.nth(0), source_position={"x": 3, "y": 10})
    expect(names.first).to_have_value("b_2")
    leave(editor)
    sockets = editor.node("Group").get_by_role("button", name=": int input")
    labels = [sockets.nth(index).get_attribute("aria-label") for index in range(3)]
    assert labels == ["b_2: int input", "a: int input", "b: int input"]


def test_unpacking_a_group_gives_the_same_graph(chain: Chain) -> None:
    editor = chain()
    before = editor.doc
    grouped(editor)
    editor.page.keyboard.press("Control+Shift+u")
    after = editor.doc
    for entry in [*before["nodes"].values(), *after["nodes"].values()]:
        for source in entry["inputs"].values():
            if isinstance(source, dict):
                source.pop("output", None)  # of nodes with one output its name says nothing
    assert after["nodes"] == before["nodes"]
    places = {name: one["at"] for name, one in after["layout"]["nodes"].items()}
    assert places == {name: one["at"] for name, one in before["layout"]["nodes"].items()}
    assert after.get("groups", {}) == {}


def test_a_group_is_renamed_in_all_its_calls(chain: Chain) -> None:
    editor = chain()
    grouped(editor)
    editor.page.keyboard.press("Control+d")
    editor.page.locator("[data-node][data-selected] header").click(button="right")
    editor.page.get_by_role("menuitem", name="Rename the group").click()
    dialog = editor.page.get_by_role("dialog", name="Rename the group Group")
    name = dialog.get_by_role("textbox", name="Name")
    name.fill(" ")
    expect(dialog.get_by_role("button", name="Rename")).to_be_disabled()
    name.fill("Sums / of two")
    name.press("Enter")
    expect(editor.node("Sums / of two")).to_have_count(2)
    assert set(editor.doc["groups"]) == {"Sums / of two"}
    editor.page.keyboard.press("Control+z")
    expect(editor.node("Group")).to_have_count(2)

    enter_first(editor)
    editor.page.mouse.move(*editor.empty())
    editor.page.keyboard.press("Shift+F2")
    name = editor.page.get_by_role("dialog", name="Rename the group").get_by_role("textbox")
    name.fill("Inside")
    name.press("Enter")
    crumbs = editor.page.get_by_role("navigation", name="Groups")
    expect(crumbs.get_by_role("button", name="Inside")).to_be_visible()
    expect(editor.page.locator('[data-node="first"]')).to_be_visible()


def enter_first(editor: Editor) -> None:
    editor.node("Group").first.locator("header").dblclick(position={"x": 150, "y": 10})
    expect(editor.page.get_by_role("navigation", name="Groups")).to_be_visible()


def test_a_call_gets_a_group_of_its_own(chain: Chain) -> None:
    editor = chain()
    grouped(editor)
    editor.page.keyboard.press("Control+d")
    before = editor.doc
    editor.page.keyboard.press("Shift+g")
    expect(editor.node("Group 2")).to_be_visible()
    expect(editor.status).to_have_text(
        "The node calls 'Group 2' now; other calls stay as they are."
    )
    groups = editor.doc["groups"]
    assert groups["Group 2"] == groups["Group"]
    assert sorted(
        one["type"] for one in editor.doc["nodes"].values() if one["type"].startswith("group:")
    ) == ["group:Group", "group:Group 2"]
    editor.page.keyboard.press("Control+z")
    assert editor.doc == before


def test_groups_that_nothing_calls_are_told_of_and_dropped(chain: Chain) -> None:
    editor = chain()
    grouped(editor)
    editor.page.keyboard.press("Delete")
    expect(editor.status).to_have_text(
        "Nothing calls 'Group' any more; the inspector lists such groups and drops them."
    )
    assert "Group" in editor.doc["groups"]
    editor.page.keyboard.press("Alt+4")
    listed = editor.page.get_by_role("list", name="Groups of the workflow").get_by_role("listitem")
    expect(listed).to_contain_text("nothing calls it")
    editor.button("Drop what nothing calls").click()
    expect(listed).to_have_count(0)
    expect(editor.status).to_have_text("Dropped 'Group'.")
    assert editor.doc.get("groups", {}) == {}
    editor.page.keyboard.press("Control+z")
    editor.page.keyboard.press("Control+z")
    expect(listed).to_contain_text("called once")
    expect(editor.button("Drop what nothing calls")).to_have_count(0)


def test_what_a_group_loses_inside_its_calls_lose_too(editor: Editor) -> None:
    editor.load(
        tools(
            start=("tools.number", {"value": 3}, (0, 0)),
            first=("tools.add", {"a": link("start"), "b": 1}, (340, 0)),
            second=("tools.add", {"a": link("first"), "b": 2}, (680, 0)),
            after=("tools.add", {"a": link("second"), "b": 4}, (1020, 0)),
        )
    )
    grouped(editor)
    call = next(name for name in editor.doc["nodes"] if name not in ("start", "after"))
    assert editor.doc["nodes"][call]["inputs"]["a"]["node"] == "start"
    before = editor.doc
    enter(editor)
    editor.page.keyboard.press("Control+a")
    editor.page.keyboard.press("Delete")
    leave(editor)
    nodes = editor.doc["nodes"]
    assert nodes[call].get("inputs", {}) == {}
    assert nodes["after"]["inputs"] == {"b": 4}
    editor.page.keyboard.press("Control+z")
    assert editor.doc == before


def test_a_refused_name_of_an_exposed_input_says_why_and_is_taken_back(editor: Editor) -> None:
    case = tools(one=("tools.add", {"a": 1, "b": 2}, (0, 0)))
    case["inputs"] = {
        "left": {"node": "one", "input": "a"},
        "right": {"node": "one", "input": "b"},
    }
    editor.load(case)
    editor.page.keyboard.press("Alt+4")
    name = editor.page.get_by_role("textbox", name="Name of left")
    name.fill("right")
    name.press("Enter")
    expect(editor.status).to_have_text("'right' is taken.")
    expect(name).to_have_value("left")
    name.fill("start")
    name.press("Enter")
    expect(editor.page.get_by_role("textbox", name="Name of start")).to_have_value("start")
    assert set(editor.doc["inputs"]) == {"start", "right"}


def test_a_frame_has_a_title_and_a_colour_and_is_bypassed(chain: Chain) -> None:
    editor = chain()
    editor.page.locator('[data-node="first"] header').click()
    editor.page.locator('[data-node="second"] header').click(modifiers=["Shift"])
    editor.page.keyboard.press("Control+g")
    frame = editor.page.get_by_role("group", name="Frame frame")
    frame.get_by_role("button", name="Frame", exact=True).dblclick()
    editor.page.get_by_role("textbox", name="Title of the frame").fill("Sums")
    editor.page.keyboard.press("Enter")
    frame = editor.page.get_by_role("group", name="Sums frame")
    expect(frame).to_be_visible()
    frame.get_by_label("Colour of the frame").fill("#aa3355")
    (kept,) = editor.doc["layout"]["frames"].values()
    assert (kept["title"], kept["colour"]) == ("Sums", "#aa3355")

    frame.locator("header").click(button="right")
    editor.page.get_by_role("menuitem", name="Bypass all in the frame").click()
    for node in ("first", "second"):
        card = editor.page.locator(f'[data-node="{node}"]')
        expect(card).to_contain_text("bypassed")
    assert "mode" not in editor.doc["nodes"]["start"]
    editor.page.keyboard.press("Control+z")
    assert "mode" not in editor.doc["nodes"]["second"]
    editor.page.keyboard.press("Control+z")
    assert "colour" not in next(iter(editor.doc["layout"]["frames"].values()))


def test_a_frame_takes_no_node_along_that_lies_outside(chain: Chain) -> None:
    editor = chain()
    editor.page.locator('[data-node="first"] header').click()
    editor.page.keyboard.press("Control+g")
    before = {name: one["at"] for name, one in editor.doc["layout"]["nodes"].items()}
    x, y = editor.centre(editor.page.get_by_role("group", name="Frame frame").locator("header"))
    editor.drag_points((x + 60, y), (x + 60, y + 200))
    after = {name: one["at"] for name, one in editor.doc["layout"]["nodes"].items()}
    assert after["start"] == before["start"]
    assert after["second"] == before["second"]
    assert after["first"][1] > before["first"][1]
    editor.page.keyboard.press("Control+z")
    again = {name: one["at"] for name, one in editor.doc["layout"]["nodes"].items()}
    assert again == before


def test_a_frame_is_named_by_keys_and_in_the_inspector(chain: Chain) -> None:
    editor = chain()
    editor.page.locator('[data-node="first"] header').click()
    editor.page.locator('[data-node="second"] header').click(modifiers=["Shift"])
    editor.page.keyboard.press("Control+g")
    editor.page.keyboard.press("F2")
    title = editor.page.get_by_role("textbox", name="Title of the frame")
    expect(title).to_be_focused()
    editor.page.keyboard.type("Sums")
    editor.page.keyboard.press("Escape")
    expect(title).to_have_count(0)
    expect(editor.page.get_by_role("group", name="Frame frame")).to_be_visible()
    editor.page.keyboard.press("F2")
    editor.page.keyboard.type("Sums")
    editor.page.keyboard.press("Enter")
    expect(editor.page.get_by_role("group", name="Sums frame")).to_be_visible()

    editor.page.keyboard.press("Alt+4")
    panel = editor.page.get_by_role("region", name="Sums", exact=True)
    expect(panel).to_contain_text("It holds 2 nodes")
    panel.get_by_role("textbox", name="Title").fill("Both sums")
    expect(editor.page.get_by_role("group", name="Both sums frame")).to_be_visible()


def test_nodes_frames_and_notes_are_coloured_and_get_their_usual_colour_back(chain: Chain) -> None:
    editor = chain()
    layout = editor.doc["layout"]
    editor.page.locator('[data-node="first"] header').click(button="right")
    editor.page.get_by_role("menuitem", name="Colour the selection").click()
    field = editor.page.get_by_label("Colour", exact=True)
    expect(field).to_be_focused()
    field.fill("#aa3355")
    field.fill("#3355aa")
    assert editor.doc["layout"]["nodes"]["first"]["colour"] == "#3355aa"
    editor.page.locator('[data-node="second"] header').click(modifiers=["Shift"])
    expect(field.locator("xpath=../..")).to_contain_text("as usual")
    field.fill("#118822")
    colours = {name: one.get("colour") for name, one in editor.doc["layout"]["nodes"].items()}
    assert colours == {"start": None, "first": "#118822", "second": "#118822"}
    editor.button("The usual colour").click()
    assert editor.doc["layout"] == layout
    expect(editor.button("The usual colour")).to_be_disabled()

    editor.page.keyboard.press("Escape")
    editor.page.mouse.move(*editor.empty())
    editor.page.keyboard.press("n")
    expect(editor.page.get_by_role("region", name="Note", exact=True)).to_be_visible()
    field.fill("#aa3355")
    (note,) = editor.doc["layout"]["notes"].values()
    assert note["colour"] == "#aa3355"
    editor.page.get_by_role("group", name="Note", exact=True).click()
    editor.page.keyboard.press("Alt+Shift+c")
    (note,) = editor.doc["layout"]["notes"].values()
    assert "colour" not in note
    editor.page.keyboard.press("Control+z")
    (note,) = editor.doc["layout"]["notes"].values()
    assert note["colour"] == "#aa3355"
