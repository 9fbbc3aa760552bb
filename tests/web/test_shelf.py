"""Saved workflows in their folders: renamed, deleted, and templates with what they lack."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.web.conftest import Editor, tools
from tests.web.test_files import save_as

ONE = tools("one", one=("tools.number", {"value": 3}, (0, 0)))


def entry(editor: Editor, path: str, name: str) -> Locator:
    """An entry of the menu of a saved workflow."""
    editor.button(f"More of {path}").click()
    return editor.page.get_by_role("menuitem", name=name, exact=True)


def test_workflows_lie_in_their_folders(editor: Editor) -> None:
    editor.load(ONE)
    save_as(editor, "shelf/deep/one")
    editor.page.keyboard.press("Alt+3")
    folder = editor.page.get_by_role("list", name="shelf/deep", exact=True)
    row = folder.get_by_role("button", name=re.compile("^one"))
    expect(row).to_be_visible()
    editor.page.locator("summary").get_by_text("deep", exact=True).click()
    expect(row).to_be_hidden()
    editor.page.get_by_role("searchbox", name="Search workflows").fill("nowhere to be found")
    expect(editor.page.get_by_text("No workflow is called like that")).to_be_visible()


def test_a_workflow_is_renamed_and_its_tab_saves_under_the_new_name(editor: Editor) -> None:
    editor.load(ONE)
    save_as(editor, "shelf/before")
    editor.load(ONE)
    save_as(editor, "shelf/other")
    editor.page.keyboard.press("Alt+3")
    entry(editor, "shelf/other", "Rename").click()
    dialog = editor.page.get_by_role("dialog", name="Rename shelf/other")
    name = dialog.get_by_role("textbox", name="Name")
    name.fill("shelf/before")
    expect(dialog).to_contain_text("called like that already")
    name.fill("elsewhere/after")
    name.press("Enter")
    expect(dialog).to_have_count(0)
    expect(editor.button("More of elsewhere/after")).to_be_visible()
    expect(editor.button("More of shelf/other")).to_have_count(0)

    editor.page.locator('[data-node="one"] header').click()
    editor.page.keyboard.press("ArrowRight")
    editor.page.keyboard.press("Control+s")
    expect(editor.status).to_have_text("Saved as elsewhere/after.")


def test_a_workflow_is_deleted_only_after_asking(editor: Editor) -> None:
    editor.load(ONE)
    save_as(editor, "shelf/doomed")
    editor.page.keyboard.press("Alt+3")
    more = editor.button("More of shelf/doomed")
    entry(editor, "shelf/doomed", "Delete").click()
    question = editor.page.get_by_role("alertdialog")
    question.get_by_role("button", name="Cancel").click()
    expect(more).to_be_visible()
    entry(editor, "shelf/doomed", "Delete").click()
    question.get_by_role("button", name="Delete").click()
    expect(more).to_have_count(0)


def test_templates_are_listed_and_say_what_they_lack(editor: Editor) -> None:
    editor.page.keyboard.press("Alt+3")
    templates = editor.page.get_by_role("list", name="Templates")
    templates.get_by_role("button", name="Upscale").click()
    expect(editor.page.get_by_role("tab", selected=True)).to_contain_text("Upscale")
    editor.page.get_by_role("region", name="Workflows").get_by_role(
        "button", name="Templates"
    ).click()
    dialog = editor.page.get_by_role("dialog", name="Templates")
    cards = dialog.get_by_role("listitem")
    expect(cards.filter(has_text="Image to image")).to_contain_text("picture.png")
    expect(cards.filter(has_text="Text to image").locator("svg")).to_have_count(0)
