"""The first visit: a workflow that runs, and a picture after one click."""

from __future__ import annotations

from playwright.sync_api import Page, Route, expect

from tests.server.conftest import Served
from tests.web.conftest import Editor


def test_one_click_draws_a_picture_with_previews_on_the_way(editor: Editor) -> None:
    page = editor.page
    expect(page.get_by_role("tab", name="Text to image")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("textbox", name="text").first).to_be_in_viewport()
    steps = page.get_by_role("spinbutton", name="steps")
    steps.dblclick()
    page.keyboard.press("Control+A")
    page.keyboard.type("60")
    page.keyboard.press("Enter")

    page.get_by_role("button", name="Run", exact=False).first.click()

    expect(editor.node("Sample").get_by_role("progressbar")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("img", name="Preview of Sample")).to_be_visible()
    expect(page.get_by_role("img", name="Result of Save image")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("region", name="Gallery").locator("[data-tile]").first).to_be_visible()
    expect(editor.node("Sample")).to_have_attribute("data-status", "ran")
    expect(editor.node("Sample")).to_contain_text(" s")


def test_the_preview_on_the_node_changes_while_it_samples(editor: Editor) -> None:
    page = editor.page
    page.get_by_role("textbox", name="text").first.fill("a yellow boat on the sea")
    steps = page.get_by_role("spinbutton", name="steps")
    steps.dblclick()
    page.keyboard.press("Control+A")
    page.keyboard.type("120")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+Enter")
    preview = page.get_by_role("img", name="Preview of Sample")
    expect(preview).to_be_visible(timeout=60_000)
    seen = set()
    for _ in range(3):
        shown = preview.get_attribute("src") or ""
        seen.add(shown)
        expect(preview).not_to_have_attribute("src", shown)
        # The next one may take its place while it is decoded.
        page.wait_for_function(
            "image => image.complete && image.naturalWidth > 0", arg=preview.element_handle()
        )
    assert len(seen) == 3
    expect(editor.node("Sample")).to_have_attribute("data-status", "running")
    editor.button("Cancel").first.click()


def test_the_first_view_is_read_on_a_small_screen(editor: Editor) -> None:
    page = editor.page
    page.set_viewport_size({"width": 1024, "height": 768})
    editor.open()
    prompt = page.get_by_role("textbox", name="text").first
    run = page.get_by_role("button", name="Run", exact=False)
    for part in (prompt, page.get_by_role("spinbutton", name="steps"), run):
        expect(part.first).to_be_in_viewport(ratio=0.99)
    box = prompt.bounding_box()
    assert box is not None
    size = prompt.evaluate("field => parseFloat(getComputedStyle(field).fontSize)")
    assert size * box["width"] / prompt.evaluate("field => field.offsetWidth") >= 8.5


def test_a_second_run_says_what_came_from_memory(editor: Editor) -> None:
    page = editor.page
    prompt = page.get_by_role("textbox", name="text").first
    # No other test has drawn it, so that nothing is in memory.
    prompt.fill("a violet balloon")
    page.get_by_role("button", name="Run", exact=False).first.click()
    expect(editor.node("Save image")).to_have_attribute("data-status", "ran", timeout=60_000)

    prompt.fill("a green frog in the rain")
    page.keyboard.press("Control+Enter")

    expect(editor.status).to_have_text("Text to image is done.", timeout=60_000)
    expect(editor.node("Load model")).to_have_attribute("data-status", "memory")
    expect(editor.node("Load model")).to_contain_text("from memory")
    expect(editor.node("Sample")).to_have_attribute("data-status", "ran")
    badge = editor.node("Sample").locator("header [data-kind=ran]")
    expect(editor.tooltip(badge)).to_contain_text("because")


def test_the_workflow_is_asked_for_while_nodes_are_on_their_way(page: Page, server: Served) -> None:
    held: list[Route] = []
    page.route("**/api/nodes", lambda route: held.append(route), times=1)
    with page.expect_response("**/api/read?*"):
        page.goto(server.url, wait_until="commit")
    expect(page.locator("[data-canvas]")).to_have_count(0)
    held[0].continue_()
    expect(page.locator("[data-canvas][data-ready]")).to_be_visible()


def test_on_a_small_screen_the_map_gives_way_to_what_is_worked_on(editor: Editor) -> None:
    page = editor.page
    picture = page.get_by_role("img", name="Map of the graph; the outline lists all nodes")
    expect(picture).to_be_visible()
    page.set_viewport_size({"width": 1024, "height": 768})
    expect(picture).to_have_count(0)
    field = editor.node("Load upscaler").get_by_role("combobox", name="file")
    field.click()
    expect(page.get_by_role("option", name="emoji_x4")).to_be_visible()
    page.keyboard.press("Escape")
    editor.button("Unfold the map").click()
    expect(picture).to_be_visible()
    editor.button("Fold the map").click()
    expect(picture).to_have_count(0)
