"""Past runs: in the history, on the nodes, and in the strip of the form."""

from __future__ import annotations

import re
from typing import Any

import PIL.Image
from playwright.sync_api import Locator, expect

from tests.server.conftest import Served
from tests.web.conftest import Editor, link, tools

CASE = tools(
    "second",
    start=("tools.number", {"value": 3}, (0, 0)),
    second=("tools.add", {"a": link("start"), "b": 2}, (340, 0)),
)


def picture_case(server: Served, name: str, colours: str) -> dict[str, Any]:
    """A workflow that blurs a picture, and the picture for it."""
    folder = server.folder / "data" / "inputs"
    folder.mkdir(parents=True, exist_ok=True)
    PIL.Image.new("RGB", (64, 48), colours).save(folder / f"{name}.png")
    case = tools(
        load=("image.load", {"file": f"{name}.png"}, (0, 0)),
        blur=("image.blur", {"image": link("load", "image"), "radius": 1.0}, (340, 0)),
    )
    return {
        **case,
        "name": name,
        "inputs": {"radius": {"node": "blur", "input": "radius"}},
        "outputs": {"picture": link("blur")},
    }


def runs(editor: Editor) -> Locator:
    return editor.page.get_by_role("list", name="Runs").get_by_role("listitem")


def run(editor: Editor, name: str) -> None:
    editor.page.keyboard.press("Control+Enter")
    expect(editor.status).to_have_text(f"{name} is done.")
    editor.page.evaluate("() => window.inspect.editor.ui.say('')")


def test_a_past_run_is_shown_on_the_nodes_of_the_workflow_in_view(editor: Editor) -> None:
    case = {**CASE, "name": "twice"}
    case["nodes"]["start"]["inputs"]["value"] = 71
    editor.load(case)
    run(editor, "twice")
    expect(editor.node("Add")).to_have_attribute("data-status", "ran")
    run(editor, "twice")
    expect(editor.node("Add")).to_have_attribute("data-status", "memory")

    editor.page.keyboard.press("Alt+6")
    first = runs(editor).nth(1)
    first.get_by_role("button", name=re.compile("^More of twice")).click()
    editor.page.get_by_role("menuitem", name="Show on the nodes").click()
    expect(editor.node("Add")).to_have_attribute("data-status", "ran")
    expect(first).to_have_attribute("aria-current", "true")


def test_what_is_told_of_a_run_is_whole_on_a_small_screen(editor: Editor) -> None:
    editor.page.set_viewport_size({"width": 1024, "height": 768})
    case = {**CASE, "name": "told"}
    case["nodes"]["start"]["inputs"]["value"] = 72
    editor.load(case)
    run(editor, "told")
    case["nodes"]["second"]["inputs"]["b"] = 73
    editor.load(case)
    run(editor, "told")
    editor.page.keyboard.press("Alt+6")
    told = runs(editor).first.get_by_text("1 ran, 1 from memory")
    expect(told).to_be_visible()
    assert told.evaluate("line => line.scrollWidth <= line.clientWidth")


def test_the_history_has_pictures_and_runs_again_after_a_reload(
    editor: Editor, server: Served
) -> None:
    editor.load(picture_case(server, "remembered", "red"))
    run(editor, "remembered")
    editor.page.wait_for_timeout(1500)  # the draft is kept a moment after the last edit
    editor.open()
    editor.button("Discard").click()
    editor.page.keyboard.press("Alt+6")
    row = runs(editor).first
    expect(row).to_contain_text(re.compile(r"remembered #\d+.*(ms|s) · 2 ran"))
    row.get_by_role("button", name=re.compile("^Picture of remembered")).click()
    dialog = editor.page.get_by_role("dialog")
    expect(dialog.get_by_role("img").first).to_be_visible()
    editor.page.keyboard.press("Escape")

    row.get_by_role("button", name=re.compile("^Run remembered")).click()
    expect(editor.status).to_have_text("remembered is done.")
    expect(runs(editor).first).to_contain_text("from memory")
    expect(runs(editor).nth(1)).to_contain_text("2 ran")

    runs(editor).nth(1).get_by_role("button", name=re.compile("^More of remembered")).click()
    editor.page.get_by_role("menuitem", name="Remove from the history").click()
    expect(editor.status).to_have_text("The run is removed.")
    expect(runs(editor).filter(has_text="2 ran").filter(has_text="remembered")).to_have_count(0)


def test_the_form_has_the_last_pictures_of_its_workflow_at_hand(
    editor: Editor, server: Served
) -> None:
    editor.page.set_viewport_size({"width": 1024, "height": 768})
    editor.load(picture_case(server, "formed", "blue"))
    editor.button("Form").click()
    form = editor.page.get_by_role("form", name="formed")
    for radius in ("2", "3"):
        field = form.get_by_role("spinbutton", name="Radius")
        field.dblclick()
        editor.page.keyboard.press("Control+A")
        editor.page.keyboard.type(radius)
        editor.page.keyboard.press("Enter")
        form.get_by_role("button", name="Run").click()
        expect(editor.status).to_have_text("formed is done.")
        editor.page.evaluate("() => window.inspect.editor.ui.say('')")
    results = editor.page.get_by_role("region", name="Results")
    strip = results.get_by_role("list", name="Runs before").get_by_role("button")
    expect(strip).to_have_count(2)
    newest = results.get_by_role("img").first.get_attribute("src")
    expect(strip.nth(0)).to_have_attribute("aria-pressed", "true")
    strip.nth(1).click()
    expect(strip.nth(1)).to_have_attribute("aria-pressed", "true")
    expect(results.get_by_role("img").first).not_to_have_attribute("src", newest or "")
    for part in (form.get_by_role("button", name="Run"), results.get_by_role("img").first):
        expect(part).to_be_in_viewport(ratio=0.99)


def test_the_form_shows_how_far_a_run_is_and_cancels_it(editor: Editor) -> None:
    case = tools("work", work=("tools.steps", {"count": 400, "pause": 0.05}, (0, 0)))
    editor.load({**case, "name": "slow form"})
    editor.button("Form").click()
    form = editor.page.get_by_role("form", name="slow form")
    form.get_by_role("button", name="Run").click()
    expect(form).to_contain_text(re.compile(r"[1-9]\d* % · Steps \d+/400 · \d+ s left"))
    form.get_by_role("button", name="Cancel").click()
    expect(form.get_by_role("status")).to_have_text("cancelled")
    expect(form.get_by_role("progressbar")).to_have_count(0)
