"""A server that ends amid what it was asked: it is told, nothing is lost, and all works again."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

from playwright.sync_api import Browser, Locator, expect

from tests.server.conftest import Served
from tests.web.conftest import Editor, link, tools
from tests.web.files import drop, png
from tests.web.test_files import save_as

PICTURE = tools(
    read=("image.load", {"file": "dot.png"}, (0, 0)),
    keep=("image.save", {"image": link("read", "image")}, (340, 0)),
)
LONG = tools(
    "work",
    work=("tools.steps", {"count": 100_000, "pause": 0.05}, (0, 0)),
    text=("logic.template", {"template": ""}, (0, 160)),
    read=("image.load", {"file": "dot.png"}, (340, 0)),
)
GONE = "The server does not answer; it may have been stopped."


class Away:
    """Everything that asks the server for something, as a person does it."""

    def __init__(self, editor: Editor) -> None:
        self.editor = editor
        self.page = editor.page

    def message(self, begin: str) -> Locator:
        messages = self.page.get_by_role("region", name="Messages")
        return messages.get_by_role("alert").filter(has_text=re.compile(begin))

    def cancel(self) -> None:
        self.page.get_by_role("button", name="Cancel").first.click()

    def delete(self) -> None:
        self.page.get_by_role("region", name="Gallery").locator("[data-tile]").first.focus()
        self.page.keyboard.press("Delete")
        question = self.page.get_by_role("alertdialog", name=re.compile("^Delete"))
        question.get_by_role("button", name="Delete", exact=True).click()

    def upload(self) -> None:
        area = self.editor.node("Load image").get_by_role("button", name=re.compile(r"\.png"))
        drop(area, "sent.png", "image/png", png())

    def open(self) -> None:
        saved = self.page.get_by_role("list", name="kept", exact=True)
        saved.get_by_role("button", name=re.compile("^other")).first.click()

    def save(self) -> None:
        self.page.keyboard.press("Control+s")

    def run(self) -> None:
        self.page.keyboard.press("Control+Enter")

    def switch_map(self) -> Locator:
        self.page.keyboard.press("Control+,")
        dialog = self.page.get_by_role("dialog", name="Settings")
        dialog.get_by_role("switch", name="Map").click()
        return dialog

    @property
    def banner(self) -> Locator:
        return self.page.get_by_role("alert").filter(has_text="The server is away")

    @property
    def template(self) -> Locator:
        return self.page.get_by_role("textbox", name="template")


def prepared(browser: Browser, mortal: Served) -> Away:
    """A picture in the gallery, a saved workflow, and one that runs and has unsaved work."""
    inputs = Path(mortal.folder) / "data" / "inputs"
    inputs.mkdir(parents=True)
    (inputs / "dot.png").write_bytes(png())
    mortal.start()
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    editor = Editor(page, mortal.url).open()
    page.wait_for_selector("body[data-whole]")
    editor.load(PICTURE)
    editor.page.keyboard.press("Control+Enter")
    expect(page.get_by_role("region", name="Gallery").locator("[data-tile]")).to_have_count(1)
    save_as(editor, "kept/other")
    page.keyboard.press("Alt+w")
    editor.load(LONG)
    save_as(editor, "kept/long")
    page.keyboard.press("Alt+3")
    expect(page.get_by_role("list", name="kept", exact=True)).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(editor.node("Steps").get_by_role("progressbar")).to_be_visible()
    return Away(editor)


def ask_in_vain(away: Away, server: Served) -> None:
    """Ask for everything while the server takes what it is asked and says nothing; then it ends."""
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGSTOP)
    away.cancel()
    away.delete()
    away.switch_map()
    away.page.keyboard.press("Escape")
    away.upload()
    away.save()
    away.run()
    away.open()
    away.template.fill("typed meanwhile")
    server.kill()


def expect_all_is_told(away: Away) -> None:
    for begin in (
        "The job cannot be cancelled",
        "The picture is not deleted",
        "'kept/long' is not saved",
        "'kept/other' cannot be opened",
        "The job was not taken",
    ):
        expect(away.message(begin)).to_contain_text(GONE, timeout=30_000)
    sent = away.editor.node("Load image").get_by_role("status")
    expect(sent.filter(has_text="sent.png was not sent")).to_contain_text(GONE)
    expect(away.banner).to_be_visible()
    away.page.keyboard.press("Control+,")
    dialog = away.page.get_by_role("dialog", name="Settings")
    expect(dialog).to_contain_text(GONE)
    expect(dialog.get_by_role("switch", name="Map")).not_to_be_checked()
    away.editor.button("Close").click()


def expect_a_typed_name_stays(away: Away) -> None:
    """In its dialog, whatever becomes of the message."""
    away.page.keyboard.press("Control+Shift+s")
    dialog = away.page.get_by_role("dialog", name="Save the workflow")
    name = dialog.get_by_role("textbox", name="Name")
    name.fill("kept/typed/name")
    name.press("Enter")
    message = away.message("'kept/typed/name' is not saved")
    expect(message).to_contain_text(GONE)
    message.get_by_role("button", name="Dismiss").click()
    expect(message).to_have_count(0)
    expect(name).to_have_value("kept/typed/name")
    away.page.keyboard.press("Escape")


def expect_all_works_again(away: Away) -> None:
    editor, page = away.editor, away.page
    dismiss = page.get_by_role("button", name="Dismiss")
    while dismiss.count():
        dismiss.first.click()
    away.save()
    expect(editor.status).to_have_text("Saved as kept/long.")
    away.upload()
    expect(editor.node("Load image").get_by_role("combobox", name="file")).to_contain_text("sent")
    away.cancel()
    expect(editor.status).to_have_text(re.compile("^(The job is|case was) cancelled"))
    expect(editor.node("Steps").get_by_role("progressbar")).to_have_count(0)
    away.delete()
    expect(editor.status).to_have_text("The picture is deleted.")
    away.run()
    expect(editor.status).to_have_text("The job is queued.")
    away.open()
    expect(page.get_by_role("tab", selected=True)).to_contain_text("case")
    expect(editor.node("Save image")).to_be_visible()


def test_a_server_that_ends_amid_all_that_it_was_asked(browser: Browser, mortal: Served) -> None:
    away = prepared(browser, mortal)
    page = away.page
    port = mortal.url.rsplit(":", 1)[1]
    away.template.fill("typed before")
    page.locator('[data-node="work"] header').click()
    ask_in_vain(away, mortal)
    expect_all_is_told(away)
    expect_a_typed_name_stays(away)
    expect(away.template).to_have_value("typed meanwhile")

    mortal.start("--port", port)
    expect(away.banner).to_have_count(0)
    # What was set meanwhile reaches the server by itself.
    page.wait_for_function(
        "async () => (await (await fetch('api/settings')).json()).minimap === false"
    )
    expect_all_works_again(away)
    saved = mortal.ask("GET", "/api/workflows/kept/long")[1]
    assert saved["nodes"]["text"]["inputs"] == {"template": "typed meanwhile"}
    assert away.editor.faults == []
    page.close()
