"""The graph by keys alone: nodes, sockets, wires, and where the focus is."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, expect

from tests.web.conftest import Editor, link, tools

CASE = tools(
    "second",
    start=("tools.number", {"value": 3}, (0, 0)),
    second=("tools.add", {"a": link("start"), "b": 2}, (340, 0)),
)


def press(editor: Editor, *keys: str) -> None:
    for key in keys:
        editor.page.keyboard.press(key)


def focused(editor: Editor) -> Locator:
    return editor.page.locator("*:focus")


def add(editor: Editor, title: str) -> None:
    """Type what shall be added, and wait until the keys are on its card."""
    expect(editor.page.get_by_role("combobox", name="Search nodes")).to_be_focused()
    editor.page.keyboard.type(title)
    press(editor, "Enter")
    expect(focused(editor)).to_have_attribute("aria-label", f"{title} node")


def begin(editor: Editor, socket: str) -> Locator:
    """From a card to one of its sockets and the list of where a wire may lead."""
    press(editor, "s", "Home")
    for _ in range(20):
        if focused(editor).get_attribute("aria-label") == socket:
            break
        press(editor, "ArrowDown")
    press(editor, "Enter")
    box = editor.page.get_by_role("combobox", name=f"Connect {socket}")
    expect(box).to_be_focused()
    return box


def links(doc: dict[str, Any]) -> set[str]:
    """`sample.model: load.model`, and so on."""
    return {
        f"{node}.{name}: {value['node']}.{value.get('output', '')}"
        for node, entry in doc["nodes"].items()
        for name, value in entry.get("inputs", {}).items()
        if isinstance(value, dict) and "node" in value
    }


def card(editor: Editor, title: str) -> None:
    """From a socket or a card on to a card further down the flow."""
    press(editor, "Escape")
    for _ in range(10):
        expect(focused(editor)).to_have_attribute("aria-label", re.compile(" node$"))
        if focused(editor).get_attribute("aria-label") == f"{title} node":
            return
        press(editor, "Tab")
    raise AssertionError(f"Tab does not lead to {title}.")


def take(editor: Editor, socket: str, source: str) -> None:
    """Connect an input of the card in focus to the output that is offered first."""
    begin(editor, socket)
    expect(editor.page.get_by_role("option", selected=True)).to_have_accessible_name(source)
    press(editor, "Enter")
    expect(focused(editor)).to_have_attribute("aria-label", socket)


def grow(editor: Editor, socket: str, title: str) -> None:
    """Add a node to a socket of the card in focus; the keys are on the new card then."""
    begin(editor, socket)
    press(editor, "ArrowUp")
    expect(editor.page.get_by_role("option", selected=True)).to_have_text("A new node …")
    press(editor, "Enter")
    add(editor, title)


def test_text_to_image_is_drawn_by_keys_alone(editor: Editor) -> None:
    press(editor, "Alt+n", "a")
    add(editor, "Load model")
    grow(editor, "model: Model output", "Sample")
    encoder = ("encoder: TextEncoder input", "Load model, text_encoder: TextEncoder output")
    for name in ("positive", "negative"):
        card(editor, "Sample")
        grow(editor, f"{name}: Conditioning input", "Encode text")
        take(editor, *encoder)
    card(editor, "Sample")
    grow(editor, "latent: Latent input", "Empty latent")
    take(editor, "model: Model input", "Load model, model: Model output")
    card(editor, "Sample")
    grow(editor, "latent: Latent output", "Decode")
    take(editor, "vae: Vae input", "Load model, vae: Vae output")
    press(editor, "Escape")
    grow(editor, "image: Image output", "Save image")
    assert links(editor.doc) == {
        "sample.model: load_model.model",
        "sample.positive: encode_text.conditioning",
        "sample.negative: encode_text_2.conditioning",
        "encode_text.encoder: load_model.text_encoder",
        "encode_text_2.encoder: load_model.text_encoder",
        "sample.latent: empty_latent.latent",
        "empty_latent.model: load_model.model",
        "decode.latent: sample.latent",
        "decode.vae: load_model.vae",
        "save.image: decode.image",
    }
    boxes = editor.page.evaluate(
        "ids => ids.map((id) => window.inspect.box(`n:${id}`))", list(editor.doc["nodes"])
    )
    assert not any(overlap(a, b) for a in boxes for b in boxes if a is not b), "nodes on nodes"


def overlap(a: list[float], b: list[float]) -> bool:
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]


def to(editor: Editor, node: str) -> None:
    """Put the keys on a card: set-up, not the act under test."""
    editor.page.evaluate("id => window.inspect.editor.actions.nodes.look(id)", node)
    expect(editor.page.locator(f'[data-node="{node}"]')).to_be_focused()


def test_arrows_try_the_fitting_sockets_the_nearest_first_and_the_view_follows(
    editor: Editor,
) -> None:
    numbers = {f"n{i}": ("tools.number", {}, (-500 * (i + 1), 900 * (i % 2))) for i in range(30)}
    editor.load(
        tools(
            read=("image.load", {"file": "x.png"}, (-400, 500)),
            sum=("tools.add", {}, (0, 0)),
            **numbers,
        )
    )
    to(editor, "sum")
    begin(editor, "a: int input")
    options = editor.page.get_by_role("listbox", name="Outputs that fit").get_by_role("option")
    chosen = editor.page.get_by_role("option", selected=True)
    expect(chosen).to_have_attribute("aria-setsize", "31")
    expect(options.first).to_have_accessible_name("Number, int: int output")
    seen = editor.page.locator("[data-aimed]")
    expect(seen).to_be_in_viewport()
    for _ in range(29):
        press(editor, "ArrowDown")
    expect(chosen).to_have_attribute("aria-posinset", "30")
    expect(editor.page.locator('[data-node="n29"]')).to_be_in_viewport()
    expect(seen).to_be_in_viewport()
    press(editor, "Escape")
    expect(focused(editor)).to_have_attribute("aria-label", "a: int input")
    expect(editor.page.locator('[data-node="sum"]')).to_be_in_viewport()
    assert "inputs" not in editor.doc["nodes"]["sum"]
    press(editor, "Enter", "ArrowDown", "Enter")
    assert editor.doc["nodes"]["sum"]["inputs"]["a"]["node"] == "n1"


def test_what_does_not_fit_is_found_by_its_name_and_says_why(editor: Editor) -> None:
    editor.load(
        tools(
            read=("image.invert", {}, (-400, 0)),
            first=("tools.add", {"a": 1, "b": 1}, (0, 0)),
            second=("tools.add", {"a": link("first"), "b": 1}, (400, 0)),
        )
    )
    to(editor, "first")
    begin(editor, "a: int input")
    editor.page.keyboard.type("invert")
    option = editor.page.get_by_role("option", selected=True)
    expect(option).to_have_attribute("aria-disabled", "true")
    press(editor, "Enter")
    expect(editor.status).to_have_text("Image does not fit int.")
    press(editor, "Control+a")
    editor.page.keyboard.type("add int")
    press(editor, "Enter")
    expect(editor.status).to_have_text("That would make a loop.")
    press(editor, "Escape")
    assert editor.doc["nodes"]["first"]["inputs"]["a"] == 1


def test_delete_on_an_input_takes_its_wire_away_and_the_node_stays(editor: Editor) -> None:
    editor.load(CASE)
    to(editor, "second")
    press(editor, "s", "Home", "ArrowDown")
    expect(focused(editor)).to_have_attribute("aria-label", "a: int input")
    expect(focused(editor)).to_have_attribute("aria-description", "from Number")
    press(editor, "Delete")
    expect(editor.status).to_have_text("The wire is gone.")
    assert "a" not in editor.doc["nodes"]["second"]["inputs"]
    press(editor, "Delete")
    expect(editor.status).to_have_text("No wire ends at a.")
    press(editor, "Control+z")
    assert editor.doc["nodes"]["second"]["inputs"]["a"] == {"node": "start"}
    assert len(editor.doc["nodes"]) == 2


def test_a_wire_that_is_there_is_replaced_by_keys_too(editor: Editor) -> None:
    editor.load(
        tools(
            one=("tools.number", {}, (0, 0)),
            two=("tools.number", {}, (0, 300)),
            sum=("tools.add", {"a": link("one"), "b": link("one")}, (340, 0)),
        )
    )
    to(editor, "two")
    begin(editor, "int: int output")
    editor.page.keyboard.type("add b")
    option = editor.page.get_by_role("option", selected=True)
    expect(option).to_have_accessible_name("Add, b: int input, in place of Number")
    press(editor, "Enter")
    assert editor.doc["nodes"]["sum"]["inputs"]["b"]["node"] == "two"
    assert editor.doc["nodes"]["sum"]["inputs"]["a"]["node"] == "one"


def test_arrows_move_a_node_and_that_is_undone(editor: Editor) -> None:
    editor.load(CASE)
    to(editor, "second")
    press(editor, "ArrowRight", "ArrowRight", "ArrowDown")
    at = editor.doc["layout"]["nodes"]["second"]["at"]
    assert at[0] > 340
    assert at[1] > 0
    press(editor, "Control+z")
    assert editor.doc["layout"]["nodes"]["second"]["at"] == [340, 0]


def test_a_locked_workflow_says_so_when_a_wire_is_begun(editor: Editor) -> None:
    editor.load(CASE)
    editor.page.evaluate("window.inspect.run('edit.lock')")
    to(editor, "second")
    press(editor, "s", "Enter")
    expect(editor.status).to_have_text("This workflow is locked; unlock it to change it.")
    expect(editor.page.get_by_role("combobox")).to_have_count(0)


def test_enter_goes_into_the_fields_of_a_node_and_escape_comes_back(editor: Editor) -> None:
    editor.load(CASE)
    to(editor, "start")
    press(editor, "Enter")
    expect(focused(editor)).to_have_attribute("role", "spinbutton")
    press(editor, "ArrowUp")
    assert editor.doc["nodes"]["start"]["inputs"]["value"] == 4
    press(editor, "Escape")
    expect(editor.page.locator('[data-node="start"]')).to_be_focused()
    press(editor, "Tab", "s")
    expect(focused(editor)).to_have_attribute("aria-label", re.compile("put$"))


def test_enter_walks_what_is_found_and_escape_goes_on_from_there(editor: Editor) -> None:
    editor.load(
        {
            **tools(
                start=("tools.number", {"value": 3}, (0, 0)),
                call=("group:Sum", {}, (6000, 0)),
            ),
            "groups": {"Sum": tools(inner=("tools.number", {}, (0, 0)))},
        }
    )
    press(editor, "Control+f")
    box = editor.page.get_by_role("searchbox", name="Find in the graph")
    expect(box).to_be_focused()
    editor.page.keyboard.type("number")
    # As fast as keys come: each goes on from the last.
    press(editor, "Enter", "Enter", "Enter", "Enter")
    expect(editor.page.get_by_text("2 of 2")).to_be_visible()
    expect(editor.page.locator('[data-node="inner"]')).to_have_attribute("data-selected", "true")
    expect(box).to_be_focused()
    press(editor, "Escape")
    expect(box).to_have_count(0)
    expect(editor.page.locator('[data-node="inner"]')).to_be_focused()


def test_g_goes_to_the_nodes_from_wherever_the_keys_are(editor: Editor) -> None:
    editor.load(CASE)
    editor.button("Open a workflow").focus()
    press(editor, "g")
    expect(editor.page.locator('[data-node="start"]')).to_be_focused()
    press(editor, "Tab")
    expect(editor.page.locator('[data-node="second"]')).to_be_focused()
    editor.button("Settings").focus()
    press(editor, "g")
    expect(editor.page.locator('[data-node="second"]')).to_be_focused()


def test_a_node_that_was_renamed_has_the_focus_again(editor: Editor) -> None:
    editor.load(CASE)
    to(editor, "second")
    press(editor, "F2")
    editor.page.keyboard.type("The sum")
    press(editor, "Enter")
    expect(focused(editor)).to_have_attribute("aria-label", "The sum node")
    press(editor, "F2")
    editor.page.keyboard.type("Something else")
    press(editor, "Escape")
    expect(focused(editor)).to_have_attribute("aria-label", "The sum node")
    assert editor.doc["layout"]["nodes"]["second"]["title"] == "The sum"
