"""The inspector: help, types, defaults and an example of a node, and what it printed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.server.conftest import Served
from tests.web.conftest import Editor, link, tools


def test_a_node_has_its_help_its_types_its_defaults_and_an_example(editor: Editor) -> None:
    editor.load(tools(drawn=("fields.drawn", {}, (0, 0)), many=("tools.total", {}, (340, 0))))
    editor.page.keyboard.press("Alt+4")
    editor.node("Drawn").locator("header").click()
    panel = editor.page.get_by_role("region", name="Drawn", exact=True)
    expect(panel.get_by_text("Write down what was drawn.")).to_be_visible()
    expect(panel.locator("strong")).to_have_text("ramp")
    expect(panel).to_contain_text('default "#336699"')
    expect(panel).to_contain_text("list[float]")
    expect(panel).to_contain_text("A curve.")
    example = panel.get_by_role("region", name="Example")
    inputs = {"tint": "#336699", "ramp": [[0, 0], [1, 1]], "at": [0, 0]}
    wanted = {"nodes": {"drawn": {"type": "fields.drawn", "inputs": inputs}}}
    assert json.loads(example.locator("pre").inner_text()) == wanted
    example.get_by_role("button", name="Copy the example").click()
    expect(editor.status).to_have_text("Copied.")
    assert json.loads(editor.page.evaluate("navigator.clipboard.readText()")) == wanted

    editor.node("Total").locator("header").click()
    example = editor.page.get_by_role("region", name="Example")
    expect(example).to_contain_text("tools.total")
    (given,) = json.loads(example.locator("pre").inner_text())["nodes"]["many"]["inputs"]["numbers"]
    assert "node" in given


def test_the_example_of_a_node_is_a_workflow_that_is_read(editor: Editor, server: Served) -> None:
    editor.load(tools(sample=("diffusion.sample", {}, (0, 0))))
    editor.page.keyboard.press("Alt+4")
    editor.node("Sample").locator("header").click()
    text = editor.page.get_by_role("region", name="Example").locator("pre").inner_text()
    status, found = server.ask("POST", "/api/read", {"nodeflow": 1, **json.loads(text)})
    assert status == 200
    inputs = found["workflow"]["nodes"]["sample"]["inputs"]
    assert inputs["model"]["node"]
    assert inputs["steps"] == 20


def test_lines_that_a_node_printed_twice_are_shown_twice(editor: Editor) -> None:
    editor.load(
        tools(
            "say",
            say=("tools.say", {"text": "again\nagain\nagain"}, (0, 0)),
            one=("tools.number", {}, (340, 0)),
        )
    )
    editor.page.keyboard.press("Alt+4")
    editor.page.keyboard.press("Control+Enter")
    expect(editor.status).to_have_text("case is done.")
    lines = editor.page.get_by_role("list", name="Printed").get_by_role("listitem")
    for _ in range(2):
        editor.node("Say").locator("header").click()
        expect(lines.filter(has_text="again")).to_have_count(3)
        editor.node("Number").locator("header").click()
        expect(lines).to_have_count(0)


def test_a_workflow_of_earlier_names_opens_in_todays(editor: Editor, server: Served) -> None:
    case = tools(
        "old",
        start=("tools.number", {"value": 6}, (0, 0)),
        old=("fields.dialled", {"angle": link("start")}, (340, 0)),
    )
    case["inputs"] = {"angle": {"node": "old", "input": "angle"}}
    status, answer = server.ask(
        "PUT", "/api/workflows/of/before", {"nodeflow": 1, **case}, **{"If-None-Match": "*"}
    )
    assert status in (200, 201), answer
    editor.open("&workflow=of/before")
    expect(editor.node("Turned")).to_be_visible()
    doc = editor.doc
    assert doc["nodes"]["old"] == {"type": "fields.turned", "inputs": {"turn": {"node": "start"}}}
    assert doc["inputs"] == {"angle": {"node": "old", "input": "turn"}}
    editor.page.keyboard.press("Control+Enter")
    expect(editor.status).to_have_text("case is done.")


def test_an_output_is_exposed_and_then_computed_in_every_run(editor: Editor) -> None:
    editor.load(tools(sum=("logic.arithmetic", {"a": 2, "b": 3}, (0, 0))))
    assert editor.doc.get("outputs", {}) == {}
    editor.page.keyboard.press("Alt+4")
    editor.node("Arithmetic").locator("header").click()
    box = editor.page.get_by_role("checkbox", name="Expose the output number")
    box.check()
    assert editor.doc["outputs"] == {"number": {"node": "sum", "output": "number"}}
    editor.page.keyboard.press("Control+Enter")
    expect(editor.node("Arithmetic")).to_have_attribute("data-status", re.compile("ran|memory"))
    box.uncheck()
    assert editor.doc.get("outputs", {}) == {}


def test_fields_get_their_defaults_back_alone_and_all_at_once(editor: Editor) -> None:
    drawn = {"tint": "#ff0000", "at": [0.5, 0.5]}
    editor.load(
        tools(
            one=("tools.number", {}, (0, 0)),
            turned=("fields.turned", {"turn": link("one"), "note": "loud"}, (340, 0)),
            drawn=("fields.drawn", drawn, (680, 0)),
        )
    )
    editor.page.keyboard.press("Alt+4")
    editor.page.locator('[data-node="turned"] header').click()
    expect(editor.button("Let turn have its default")).to_have_count(0)
    editor.button("Let note have its default").click()
    expect(editor.button("Let note have its default")).to_have_count(0)
    expect(editor.node("Turned").get_by_role("textbox", name="note")).to_have_value("plain")
    assert editor.doc["nodes"]["turned"]["inputs"] == {"turn": {"node": "one"}}
    editor.page.keyboard.press("Control+z")

    editor.page.locator('[data-node="drawn"] header').click(modifiers=["Shift"])
    editor.page.locator('[data-node="drawn"] header').click(button="right")
    editor.page.get_by_role("menuitem", name="Give the fields their defaults").click()
    nodes = editor.doc["nodes"]
    assert nodes["turned"]["inputs"] == {"turn": {"node": "one"}}
    assert nodes["drawn"].get("inputs", {}) == {}
    editor.page.keyboard.press("Control+z")
    assert editor.doc["nodes"]["drawn"]["inputs"] == drawn


def test_a_bypassed_node_says_what_goes_past_it(chain: Callable[[], Editor]) -> None:
    editor = chain()
    editor.page.keyboard.press("Alt+4")
    editor.page.locator('[data-node="first"] header').click()
    editor.page.keyboard.press("Control+b")
    said = re.compile("int: what comes into a.")
    expect(editor.page.get_by_role("region", name="Add", exact=True)).to_contain_text(said)
    badge = editor.page.locator('[data-node="first"]').get_by_text("bypassed")
    expect(editor.tooltip(badge)).to_contain_text("What it gives instead: int:")


def test_the_help_of_an_input_is_written_like_that_of_its_node(editor: Editor) -> None:
    editor.load(tools(walk=("diffusion.sample", {}, (0, 0))))
    editor.page.keyboard.press("Alt+4")
    editor.node("Sample").locator("header").click()
    panel = editor.page.get_by_role("region", name="Sample", exact=True)
    expect(panel.locator("code").get_by_text("denoise", exact=True).first).to_be_visible()
    expect(panel).not_to_contain_text("`")
    node, port = (panel.get_by_text(text) for text in ("Walk from seeded noise", "The network."))
    left, other = node.bounding_box(), port.bounding_box()
    assert left is not None
    assert other is not None
    assert left["x"] == other["x"]
