"""Settings are found by words, are the same in every window, and are taken along as a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.server.conftest import Served
from tests.web.conftest import Editor


@pytest.fixture
def settings(editor: Editor, server: Served) -> Iterator[Editor]:
    """With the settings as they are at first, before and after."""

    def reset() -> None:
        tag = editor.page.evaluate("fetch('api/settings').then(one => one.headers.get('ETag'))")
        server.ask("PUT", "/api/settings", {}, **{"If-Match": tag})

    reset()
    editor.open()
    yield editor
    reset()


def dialog(editor: Editor) -> Locator:
    found = editor.page.get_by_role("dialog", name="Settings")
    if not found.count():
        editor.page.keyboard.press("Control+,")
    expect(found).to_be_visible()
    return found


def choose(editor: Editor, name: str, option: str) -> None:
    dialog(editor).get_by_role("combobox", name=name).click()
    editor.page.get_by_role("option", name=option).click()


def kept(editor: Editor, server: Served, name: str, value: object) -> None:
    """Wait until the server has a setting."""
    editor.page.wait_for_function(
        "async ([name, value]) => (await (await fetch('api/settings')).json())[name] === value",
        arg=[name, value],
    )


def test_settings_are_found_by_their_words(settings: Editor) -> None:
    box = dialog(settings)
    controls = box.get_by_role("switch").or_(box.get_by_role("combobox"))
    assert controls.count() > 8
    box.get_by_role("searchbox", name="Search settings").fill("corner")
    expect(controls).to_have_count(1)
    expect(box.get_by_role("switch", name="Map")).to_be_checked()
    box.get_by_role("searchbox", name="Search settings").fill("nothing like this")
    expect(controls).to_have_count(0)
    expect(box.get_by_text("No setting is called like that.")).to_be_visible()


def test_a_setting_is_on_the_server_and_in_every_window(settings: Editor, server: Served) -> None:
    other = Editor(settings.page.context.new_page(), server.url).open()
    picture = other.page.get_by_role("img", name="Map of the graph; the outline lists all nodes")
    expect(picture).to_be_visible()
    dialog(settings).get_by_role("switch", name="Map").uncheck()
    choose(settings, "Theme", "light")
    expect(picture).to_have_count(0)
    expect(other.page.locator("html")).to_have_attribute("data-theme", "light")
    kept(settings, server, "theme", "light")
    settings.open()
    expect(settings.page.locator("html")).to_have_attribute("data-theme", "light")
    expect(dialog(settings).get_by_role("switch", name="Map")).not_to_be_checked()
    other.page.close()


def test_settings_leave_as_a_file_and_come_back(
    settings: Editor, server: Served, tmp_path: Path
) -> None:
    box = dialog(settings)
    choose(settings, "Wheel", "pan")
    with settings.page.expect_download() as download:
        box.get_by_role("button", name="Export").click()
    file = tmp_path / "settings.json"
    download.value.save_as(file)
    assert json.loads(file.read_text())["wheel"] == "pan"

    box.get_by_role("button", name="Reset all").click()
    settings.page.get_by_role("alertdialog").get_by_role("button", name="Reset all").click()
    expect(box.get_by_role("combobox", name="Wheel")).to_have_text("auto")

    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"wheel": "sideways"}')
    for path in (wrong, file):
        with settings.page.expect_file_chooser() as chooser:
            box.get_by_role("button", name="Import").click()
        chooser.value.set_files(path)
        if path is wrong:
            alert = settings.page.get_by_role("alert").filter(has_text="wheel")
            expect(alert).to_contain_text("sideways")
            expect(box.get_by_role("combobox", name="Wheel")).to_have_text("auto")
    expect(box.get_by_role("combobox", name="Wheel")).to_have_text("pan")
    kept(settings, server, "wheel", "pan")
