"""What people need who hear the page: names and contrast on every screen, and news in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import expect

from tests.web.conftest import Editor, link, tools

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"

ASK = """async (within) => {
  const { violations } = await axe.run(within, { resultTypes: ["violations"] });
  return violations;
}"""

ADDING = tools(
    "second",
    start=("tools.number", {"value": 3}, (0, 0)),
    second=("tools.add", {"a": link("start"), "b": 2}, (340, 0)),
)

FAILING = tools(
    "after",
    bad=("tools.fail", {}, (0, 0)),
    after=("tools.add", {"a": link("bad")}, (340, 0)),
)

GROUPED = {
    **tools(call=("group:Sum", {}, (0, 0))),
    "groups": {"Sum": tools(inner=("tools.add", {"a": 1, "b": 2}, (0, 0)))},
}


def faults_of(editor: Editor, within: str) -> list[str]:
    """What axe finds in what a selector names, a line for each element."""
    # Not a script of the page, so its policy for scripts need not let it in.
    editor.page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = editor.page.evaluate(ASK, within)
    return [
        f"{fault['id']} ({fault['impact']}): {node['html'][:160]} ({node['failureSummary']})"
        for fault in found
        for node in fault["nodes"]
    ]


def keys(*presses: str) -> Callable[[Editor], None]:
    def press(editor: Editor) -> None:
        editor.load(ADDING)
        for one in presses:
            editor.page.keyboard.press(one)

    return press


def first_visit(editor: Editor) -> None:
    expect(editor.node("Sample")).to_be_visible()


def finished(editor: Editor) -> None:
    editor.page.keyboard.press("Control+Enter")
    picture = editor.page.get_by_role("img", name="Result of Save image")
    expect(picture).to_be_visible(timeout=60_000)
    expect(editor.page.locator("[data-tile]").first).to_be_visible()


def large(editor: Editor) -> None:
    finished(editor)
    editor.page.locator("[data-tile]").first.click()
    expect(editor.page.get_by_role("toolbar", name="Zoom")).to_be_visible()


def mask(editor: Editor) -> None:
    finished(editor)
    tile = editor.page.locator("[data-tile]").first
    editor.load(tools(read=("image.load", {}, (0, 0))))
    tile.drag_to(editor.node("Load image").locator("header"))
    editor.node("Load image").get_by_role("button", name="Paint the mask of file").click()
    expect(editor.page.get_by_role("application")).to_be_visible()


def failed(editor: Editor) -> None:
    editor.load(FAILING).page.keyboard.press("Control+Enter")
    expect(editor.node("Fail")).to_have_attribute("data-status", "failed")


def history(editor: Editor) -> None:
    editor.load(ADDING).page.keyboard.press("Control+Enter")
    over = re.compile("ran|memory|disk")
    expect(editor.page.locator('[data-node="second"]')).to_have_attribute("data-status", over)
    editor.page.keyboard.press("Alt+6")


def inspector(editor: Editor) -> None:
    editor.load(ADDING).page.locator('[data-node="second"] header').click()
    editor.page.keyboard.press("Alt+4")
    expect(editor.page.get_by_role("checkbox", name="Expose a")).to_be_visible()


def queue(editor: Editor) -> None:
    editor.load(tools("work", work=("tools.steps", {"count": 60, "pause": 0.05}, (0, 0))))
    editor.page.keyboard.press("Alt+5")
    for _ in range(2):
        editor.page.keyboard.press("Control+Enter")
    expect(editor.node("Steps").get_by_role("progressbar")).to_be_visible()


def form(editor: Editor) -> None:
    editor.load({**ADDING, "inputs": {"start at": {"node": "start", "input": "value"}}})
    editor.button("Form").click()
    expect(editor.page.get_by_role("spinbutton", name="Start at")).to_be_visible()


def templates(editor: Editor) -> None:
    editor.page.keyboard.press("Control+k")
    expect(editor.page.get_by_role("combobox", name="Commands")).to_be_focused()
    editor.page.keyboard.type("templates")
    editor.page.keyboard.press("Enter")
    expect(editor.page.get_by_role("dialog", name="Templates").locator("img").first).to_be_visible()


def inside_a_group(editor: Editor) -> None:
    editor.load(GROUPED).node("Sum").dblclick(position={"x": 80, "y": 12})
    expect(editor.page.locator('[data-node="inner"]')).to_be_visible()


def wiring(editor: Editor) -> None:
    inspector(editor)
    for key in ("g", "s", "Enter"):
        editor.page.keyboard.press(key)
    expect(editor.page.get_by_role("listbox", name="Inputs that it may lead to")).to_be_visible()


def menu(editor: Editor) -> None:
    editor.load(ADDING).page.locator('[data-node="second"] header').click(button="right")
    expect(editor.page.get_by_role("menu", name="Canvas menu")).to_be_visible()


def missing(editor: Editor) -> None:
    editor.load(tools(load=("diffusion.load_model", {"file": "emojy"}, (0, 0))))
    editor.page.keyboard.press("Control+Enter")
    expect(editor.page.get_by_role("dialog", name="Some things are missing")).to_be_visible()


def trace(editor: Editor) -> None:
    failed(editor)
    editor.page.get_by_role("button", name="Details").click()
    expect(editor.page.get_by_role("dialog")).to_contain_text("Traceback")


def nothing_open(editor: Editor) -> None:
    editor.page.keyboard.press("Alt+w")
    expect(editor.page.get_by_text("No workflow is open")).to_be_visible()


def far(editor: Editor) -> None:
    nodes = {f"n{i}": ("tools.number", {}, (340 * (i % 20), 160 * (i // 20))) for i in range(400)}
    editor.load(tools(**nodes))
    expect(editor.page.locator("[data-canvas][data-far]")).to_be_visible()


SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")

SCREENS: dict[str, Callable[[Editor], None]] = {
    "first visit": first_visit,
    "a run finished": finished,
    "a large picture": large,
    "a mask": mask,
    "a failed node": failed,
    "library": keys("Alt+1"),
    "outline": keys("Alt+2"),
    "workflows": keys("Alt+3"),
    "inspector": inspector,
    "queue": queue,
    "history": history,
    "settings": keys("Control+,"),
    "palette": keys("Control+k"),
    "shortcuts": keys("?"),
    "templates": templates,
    "form": form,
    "search": keys("a"),
    "a wire by keys": wiring,
    "a menu": menu,
    "save": keys("Control+s"),
    "missing files": missing,
    "a traceback": trace,
    "nothing open": nothing_open,
    "find": keys("Control+f"),
    "inside a group": inside_a_group,
    "from afar": far,
}


# Behind an open menu, which has all keys, the page is hidden though it could be focused.
WITHIN = {"a menu": "[role=menu]"}


@pytest.mark.parametrize("screen", SCREENS)
def test_axe_finds_nothing_on_a_screen(editor: Editor, screen: str) -> None:
    SCREENS[screen](editor)
    editor.page.wait_for_timeout(400)
    for scheme in SCHEMES:
        # Without motion no colour is read on its way to the next.
        editor.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        expect(editor.page.locator("html")).to_have_attribute("data-theme", scheme)
        faults = faults_of(editor, WITHIN.get(screen, "html"))
        assert not faults, "\n".join([f"in the {scheme} theme:", *faults])


def test_the_end_of_a_node_that_took_long_is_said(editor: Editor) -> None:
    editor.load(
        tools(
            "after",
            first=("tools.steps", {"count": 24, "pause": 0.05}, (0, 0)),
            after=("tools.steps", {"count": link("first"), "pause": 0.2}, (340, 0)),
        )
    )
    editor.page.keyboard.press("Control+Enter")
    expect(editor.status).to_have_text(re.compile(r"^Steps done in 1\.\d s\.$"))


def test_a_failure_is_said_at_once(editor: Editor) -> None:
    editor.load(FAILING)
    alert = editor.page.get_by_role("contentinfo").get_by_role("alert")
    expect(alert).to_be_empty()
    editor.page.keyboard.press("Control+Enter")
    expect(alert).to_have_text(re.compile("^Fail failed: .*no 0"))
