"""Saving, opening, drafts, pictures that hold workflows, other windows, servers that go away."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.server.conftest import Served
from tests.web.conftest import Editor, tools
from tests.web.files import drop, png

ONE = tools("one", one=("tools.number", {"value": 3}, (0, 0)))


def drop_on_canvas(editor: Editor, name: str, media_type: str, content: bytes) -> None:
    drop(editor.page.locator(".react-flow__pane"), name, media_type, content)


def save_as(editor: Editor, name: str) -> None:
    editor.page.keyboard.press("Control+s")
    dialog = editor.page.get_by_role("dialog", name="Save the workflow")
    dialog.get_by_role("textbox", name="Name").fill(name)
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(editor.status).to_have_text(f"Saved as {name}.")


def test_what_is_saved_is_there_after_a_reload_and_a_dot_marks_changes(editor: Editor) -> None:
    editor.load(ONE)
    tab = editor.page.get_by_role("tab", name=re.compile("case"))
    expect(tab).to_contain_text("(unsaved)")
    save_as(editor, "kept/one")
    expect(tab).not_to_contain_text("(unsaved)")
    editor.page.locator('[data-node="one"] header').click()
    editor.page.keyboard.press("ArrowRight")
    expect(tab).to_contain_text("(unsaved)")
    editor.page.keyboard.press("Control+s")
    expect(tab).not_to_contain_text("(unsaved)")
    before = editor.doc
    editor.open("&workflow=kept/one")
    editor.page.wait_for_selector("[data-node=one]")
    assert editor.doc == before


def test_a_newer_save_of_another_window_is_never_written_over_unseen(
    editor: Editor, server: Served
) -> None:
    editor.load(ONE)
    save_as(editor, "shared")
    other = Editor(editor.page.context.new_page(), server.url).open("&workflow=shared")
    expect(other.page.get_by_text("open in another window too")).to_be_visible()
    other.page.locator('[data-node="one"] header').click()
    other.page.keyboard.press("ArrowDown")
    other.page.keyboard.press("Control+s")
    expect(other.status).to_have_text("Saved as shared.")
    editor.page.locator('[data-node="one"] header').click()
    editor.page.keyboard.press("ArrowRight")
    editor.page.keyboard.press("Control+s")
    dialog = editor.page.get_by_role("dialog", name="Somebody else has saved this workflow")
    dialog.get_by_role("button", name="Save mine under another name").click()
    box = editor.page.get_by_role("textbox", name="Name")
    box.fill("shared_mine")
    editor.page.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()
    expect(editor.status).to_have_text("Saved as shared_mine.")
    assert server.ask("GET", "/api/workflows/shared")[1]["layout"]["nodes"]["one"]["at"] == [0, 20]


def test_a_killed_tab_loses_a_second_of_edits_at_most(editor: Editor, server: Served) -> None:
    editor.load(ONE)
    editor.page.locator('[data-node="one"] header').click()
    editor.page.keyboard.press("ArrowRight")
    editor.page.wait_for_timeout(1000)
    context = editor.page.context
    session = context.new_cdp_session(editor.page)
    page = context.new_page()
    session.send("Page.enable")
    editor.page.close(run_before_unload=False)
    again = Editor(page, server.url).open()
    page.get_by_role("button", name="Restore").click()
    page.wait_for_selector("[data-node=one]")
    assert again.doc["layout"]["nodes"]["one"]["at"] == [20, 0]


def test_a_picture_that_was_made_opens_its_workflow_in_a_new_tab(
    editor: Editor, server: Served
) -> None:
    page = editor.page
    page.get_by_role("textbox", name="text").first.fill("a blue fish")
    page.get_by_role("button", name="Run", exact=False).first.click()
    expect(page.get_by_role("img", name="Result of Save image")).to_be_visible(timeout=60_000)
    picture = next((Path(server.folder) / "data" / "outputs").rglob("*.png"))
    newest = max(picture.parent.glob("*.png"), key=lambda path: path.stat().st_mtime)
    drop_on_canvas(editor, "fish.png", "image/png", newest.read_bytes())
    expect(page.get_by_role("tab")).to_have_count(2)
    expect(page.get_by_role("textbox", name="text").first).to_have_value("a blue fish")


def test_files_that_are_no_workflow_are_refused_with_a_sentence(editor: Editor) -> None:
    page = editor.page
    drop_on_canvas(editor, "letter.json", "application/json", b'{"hello": 1}')
    expect(page.get_by_role("dialog", name="letter.json cannot be opened")).to_be_visible()
    page.keyboard.press("Escape")
    newer = json.dumps({"nodeflow": 99, "nodes": {}}).encode()
    drop_on_canvas(editor, "newer.json", "application/json", newer)
    expect(page.get_by_role("dialog", name="newer.json cannot be opened")).to_contain_text("99")
    page.keyboard.press("Escape")
    expect(page.get_by_role("tab")).to_have_count(1)


def test_a_picture_without_a_workflow_becomes_a_node_that_loads_it(editor: Editor) -> None:
    editor.load(ONE)
    drop_on_canvas(editor, "dot.png", "image/png", png())
    editor.page.wait_for_selector('[data-node="load"]')
    assert editor.doc["nodes"]["load"]["inputs"]["file"].endswith(".png")


def test_a_server_that_goes_away_and_comes_back_loses_nothing(
    browser: Browser, mortal: Served
) -> None:
    mortal.start()
    port = mortal.url.rsplit(":", 1)[1]
    page = browser.new_page()
    editor = Editor(page, mortal.url).open()
    editor.load(ONE)
    page.wait_for_selector("body[data-whole]")
    mortal.kill()
    banner = page.get_by_role("alert").filter(has_text="The server is away")
    expect(banner).to_be_visible(timeout=30_000)
    banner.get_by_role("button", name="Try now").click()
    expect(editor.status).to_have_text("The server is still away.")
    page.locator('[data-node="one"] header').click()
    page.keyboard.press("Control+d")
    page.keyboard.press("Control+s")
    expect(page.get_by_role("dialog", name="Save the workflow")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    mortal.start("--port", port)
    expect(banner).to_have_count(0, timeout=30_000)
    assert len(editor.doc["nodes"]) == 2
    page.keyboard.press("Control+Enter")
    expect(editor.status).to_have_text("case is done.", timeout=60_000)
    page.close()
