"""Settings and shortcuts by keys alone: found in the palette, set, and reset one by one."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.web.conftest import Editor, tools
from tests.web.test_views import palette

ONE = tools("one", one=("tools.number", {"value": 3}, (0, 0)))


def setting(editor: Editor, name: str) -> object:
    return editor.page.evaluate(
        "name => window.inspect.editor.settings.getState().values[name]", name
    )


def test_the_palette_sets_every_setting_by_its_name(editor: Editor) -> None:
    for name, words, value in (
        ("motion", "motion: reduced", "reduced"),
        ("motion", "motion: system", "system"),
        ("wheel", "wheel: zoom", "zoom"),
        ("wheel", "wheel: auto", "auto"),
        ("drag", "drag on nothing: pan", "pan"),
        ("drag", "drag on nothing: select", "select"),
        ("minimap", "show the map", False),
        ("minimap", "show the map", True),
    ):
        palette(editor, words)
        expect(editor.page.get_by_role("combobox", name="Commands")).to_have_count(0)
        editor.page.wait_for_timeout(50)
        assert setting(editor, name) == value, words


def test_a_number_is_set_in_the_dialog_that_the_palette_opens_on_it(editor: Editor) -> None:
    palette(editor, "batch")
    dialog = editor.page.get_by_role("dialog", name="Settings")
    field = dialog.get_by_role("spinbutton", name="Batch count")
    expect(field).to_be_focused()
    editor.page.keyboard.press("ArrowUp")
    assert setting(editor, "batch") == 2
    editor.page.keyboard.press("ArrowDown")
    assert setting(editor, "batch") == 1


def test_settings_are_chosen_from_lists_and_switched(editor: Editor) -> None:
    editor.page.keyboard.press("Control+,")
    dialog = editor.page.get_by_role("dialog", name="Settings")
    dialog.get_by_role("searchbox", name="Search settings").fill("glide")
    motion = dialog.get_by_role("combobox", name="Motion")
    motion.click()
    editor.page.get_by_role("option", name="reduced").click()
    expect(motion).to_contain_text("reduced")
    assert setting(editor, "motion") == "reduced"
    motion.press("ArrowDown")
    editor.page.keyboard.press("Home")
    editor.page.keyboard.press("Enter")
    assert setting(editor, "motion") == "system"
    expect(dialog).to_be_visible()

    dialog.get_by_role("searchbox", name="Search settings").fill("dots")
    grid = dialog.get_by_role("switch", name="Grid")
    grid.click()
    expect(grid).to_have_attribute("aria-checked", "false")
    grid.click()
    assert setting(editor, "grid") is True


def keys_of(editor: Editor, name: str) -> Locator:
    return editor.page.get_by_role("button", name=re.compile(f"^Change the keys of {name}:"))


def test_one_shortcut_is_reset_and_takes_its_keys_back(editor: Editor) -> None:
    editor.load(ONE)
    editor.page.keyboard.press("?")
    keys_of(editor, "Add a note").click()
    editor.page.keyboard.press("Control+d")
    expect(keys_of(editor, "Duplicate")).to_have_accessible_name(re.compile("none$"))
    editor.button("Reset the keys of Duplicate").click()
    expect(keys_of(editor, "Duplicate")).to_have_accessible_name(re.compile(r"Ctrl\+D$"))
    expect(keys_of(editor, "Add a note")).not_to_have_accessible_name(re.compile(r"Ctrl\+D"))
    expect(editor.button("Reset the keys of Duplicate")).to_have_count(0)
    editor.button("Reset the keys of Add a note").click()
    editor.page.keyboard.press("Escape")
    editor.page.locator('[data-node="one"] header').click()
    editor.page.keyboard.press("Control+d")
    assert len(editor.doc["nodes"]) == 2


def test_the_browser_tells_of_a_job_that_ends_unseen_if_that_is_wanted(editor: Editor) -> None:
    page = editor.page
    page.evaluate(
        """() => {
            window.told = [];
            window.Notification = class {
              static permission = "granted";
              static requestPermission = async () => "granted";
              constructor(title, { body }) { window.told.push(body); }
            };
            Object.defineProperty(document, "hidden", { get: () => window.unseen ?? false });
        }"""
    )
    editor.load({**ONE, "name": "unseen"})
    palette(editor, "notify")
    page.keyboard.press("Control+Enter")
    expect(editor.status).to_have_text("unseen is done.")
    assert page.evaluate("window.told") == []
    page.evaluate("() => { window.unseen = true; }")
    page.keyboard.press("Control+Enter")
    page.wait_for_function("() => window.told.length > 0")
    assert page.evaluate("window.told") == ["unseen is done."]
    page.evaluate("() => { window.unseen = false; }")
    palette(editor, "notify")


def test_reduced_motion_is_kept_whatever_the_system_wishes(editor: Editor) -> None:
    editor.load(tools(one=("tools.number", {}, (0, 0)), two=("tools.number", {}, (4000, 0))))
    gliding = """async () => {
        const { editor } = window.inspect;
        const before = editor.canvas.viewport();
        editor.canvas.setViewport({ ...before, x: before.x + 300 });
        await new Promise(requestAnimationFrame);
        await new Promise(requestAnimationFrame);
        return editor.canvas.viewport().x - before.x < 299;
    }"""
    fading = "parseFloat(getComputedStyle(document.body).getPropertyValue('--gentle')) > 0"

    def moves(motion: str) -> tuple[bool, bool]:
        expect(editor.page.locator("html")).to_have_attribute("data-motion", motion)
        moving = (editor.page.evaluate(gliding), editor.page.evaluate(fading))
        editor.page.wait_for_timeout(400)
        return moving

    assert moves("full") == (True, True)
    editor.page.emulate_media(reduced_motion="reduce")
    assert moves("reduced") == (False, False)
    palette(editor, "motion: full")
    assert moves("full") == (True, True)
    editor.page.emulate_media(reduced_motion="no-preference")
    palette(editor, "motion: reduced")
    assert moves("reduced") == (False, False)
    palette(editor, "motion: system")
    assert moves("full") == (True, True)
