"""Bad files, a full browser, a killed tab: each is told of, and nothing typed is lost."""

from __future__ import annotations

import os
import re
import signal

from playwright.sync_api import Browser, JSHandle, expect

from tests.server.conftest import Served
from tests.web.conftest import Editor, tools
from tests.web.test_files import drop_on_canvas, save_as

TEXT = tools("text", text=("logic.template", {"template": ""}, (0, 0)))


def typed(editor: Editor) -> None:
    """Something that must not be lost."""
    editor.load(TEXT)
    editor.page.get_by_role("textbox", name="template").fill("typed by hand")


def still_there(editor: Editor) -> None:
    expect(editor.page.get_by_role("tab", selected=True)).to_contain_text("case")
    expect(editor.page.get_by_role("textbox", name="template")).to_have_value("typed by hand")
    assert editor.doc["nodes"]["text"]["inputs"]["template"] == "typed by hand"


BAD = (
    ("letter.json", "application/json", b'{"hello": 1}', "no nodeflow workflow"),
    ("torn.json", "application/json", b'{"nodeflow": 1, "nodes": {', "JSON"),
    ("empty.json", "application/json", b"", "JSON"),
    ("song.mp3", "audio/mpeg", b"\xff\xfb\x90\x00 no text", "JSON"),
    ("list.json", "application/json", b"[1, 2, 3]", "no nodeflow workflow"),
    ("newer.json", "application/json", b'{"nodeflow": 99, "nodes": {}}', "99"),
    ("torn.png", "image/png", b"\x89PNG\r\n\x1a\n and then nothing", "picture"),
)


def test_files_that_cannot_be_opened_say_why_and_change_nothing(editor: Editor) -> None:
    typed(editor)
    for name, kind, content, sentence in BAD:
        drop_on_canvas(editor, name, kind, content)
        said = editor.page.get_by_role("dialog", name=f"{name} cannot be opened")
        expect(said).to_contain_text(sentence)
        editor.page.keyboard.press("Escape")
        expect(editor.page.get_by_role("dialog")).to_have_count(0)
        messages = editor.page.get_by_role("region", name="Messages")
        expect(messages.get_by_role("alert")).to_have_count(0)
        expect(editor.page.get_by_role("tab")).to_have_count(2)
        still_there(editor)


LONG_TEXTS = """() => {
    const nodes = {}, places = {}, text = "word ".repeat(300_000);
    for (let i = 0; i < 20; i += 1) {
        nodes[`n${i}`] = { type: "logic.template", inputs: { template: text } };
        places[`n${i}`] = { at: [340 * i, 0] };
    }
    return pack({ nodeflow: 1, name: "long texts", nodes, layout: { nodes: places } });
}"""

MANY_NODES = """() => {
    const nodes = {};
    for (let i = 0; i < 520_000; i += 1) {
        nodes[`number_${i}`] = { type: "tools.number", inputs: {} };
    }
    return pack({ nodeflow: 1, name: "many nodes", nodes });
}"""

PACK = """(workflow) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([JSON.stringify(workflow)], "huge.json"));
    return transfer;
}"""


def huge(editor: Editor, maker: str) -> JSHandle:
    """A file of about 30 MB, made in the page: handing it over would take longer than opening."""
    data = editor.page.evaluate_handle(f"() => {{ const pack = {PACK}; return ({maker})(); }}")
    size = data.evaluate("transfer => transfer.files[0].size")
    assert 25e6 < size < 35e6, size
    return data


def test_a_workflow_of_thirty_megabytes_opens(editor: Editor) -> None:
    data = huge(editor, LONG_TEXTS)
    editor.page.locator(".react-flow__pane").dispatch_event("drop", {"dataTransfer": data})
    expect(editor.status).to_have_text("Reading huge.json ...")
    editor.page.keyboard.press("Control+k")
    expect(editor.page.get_by_role("combobox", name="Commands")).to_be_focused()
    editor.page.keyboard.press("Escape")
    expect(editor.page.get_by_role("tab", name="long texts")).to_be_visible(timeout=60_000)
    expect(editor.status).to_have_text("Opened huge.json.")
    editor.page.keyboard.press("0")
    expect(editor.node("Template").first).to_be_visible()


def test_a_workflow_of_too_many_nodes_is_refused(editor: Editor) -> None:
    typed(editor)
    data = huge(editor, MANY_NODES)
    editor.page.locator(".react-flow__pane").dispatch_event("drop", {"dataTransfer": data})
    expect(editor.status).to_have_text("Reading huge.json ...")
    editor.page.get_by_role("textbox", name="template").fill("typed meanwhile")
    dialog = editor.page.get_by_role("dialog", name="huge.json cannot be opened")
    expect(dialog).to_contain_text(
        "It has 520,000 nodes, and 50,000 is the limit; take it apart.", timeout=100_000
    )
    editor.page.keyboard.press("Escape")
    expect(editor.page.get_by_role("textbox", name="template")).to_have_value("typed meanwhile")


FULL = """
const full = () => { throw new DOMException("no room is left", "QuotaExceededError"); };
IDBObjectStore.prototype.put = full;
Storage.prototype.setItem = full;
"""


def test_a_browser_without_room_says_so_and_saving_still_works(editor: Editor) -> None:
    editor.page.add_init_script(FULL)
    editor.open()
    typed(editor)
    warning = editor.page.get_by_role("region", name="Messages").get_by_text(
        "The browser has no room for unsaved work; save it, since a crash would lose it."
    )
    expect(warning).to_be_visible()
    field = editor.page.get_by_role("textbox", name="template")
    field.press("End")
    field.press_sequentially(", and more")
    expect(field).to_have_value("typed by hand, and more")
    editor.page.wait_for_timeout(1000)
    expect(warning).to_have_count(1)
    editor.page.keyboard.press("Escape")
    save_as(editor, "without/room")
    editor.open("&workflow=without/room")
    expect(field).to_have_value("typed by hand, and more")


def test_a_tab_that_crashes_loses_a_second_of_edits_at_most(
    editor: Editor, browser: Browser, server: Served
) -> None:
    typed(editor)
    editor.page.wait_for_timeout(1000)
    context = editor.page.context
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    with editor.page.expect_event("crash"):
        for process in processes:
            if process["type"] == "renderer":
                os.kill(process["id"], signal.SIGKILL)
    again = Editor(context.new_page(), server.url).open()
    dialog = again.page.get_by_role("alertdialog", name=re.compile("Restore unsaved work"))
    expect(dialog).to_contain_text("case")
    dialog.get_by_role("button", name="Restore").click()
    still_there(again)
    expect(again.page.get_by_role("tab", selected=True)).to_contain_text("(unsaved)")
