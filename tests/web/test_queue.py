"""What waits: its order is changed by dragging rows, and by their buttons."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.web.conftest import Editor, tools


def test_rows_of_the_queue_are_put_in_order_by_dragging(editor: Editor) -> None:
    work = tools("work", work=("tools.steps", {"count": 4000, "pause": 0.05}, (0, 0)))
    for name in ("running", "one", "two", "three"):
        editor.load({**work, "name": name})
        editor.page.keyboard.press("Control+Enter")
        expect(editor.status).to_have_text("The job is queued.")
        expect(editor.node("Steps")).to_have_attribute("data-status", re.compile("idle|running"))
    editor.page.keyboard.press("Alt+5")
    rows = editor.page.get_by_role("list", name="Waiting").get_by_role("listitem")
    expect(rows).to_have_text([re.compile(name) for name in ("one", "two", "three")])

    rows.nth(2).drag_to(rows.nth(0))
    expect(rows).to_have_text([re.compile(name) for name in ("three", "one", "two")])
    rows.nth(0).drag_to(rows.nth(1))
    expect(rows).to_have_text([re.compile(name) for name in ("one", "three", "two")])
    editor.button("Move two up").click()
    expect(rows).to_have_text([re.compile(name) for name in ("one", "two", "three")])
    editor.button("Clear all").click()
    expect(rows).to_have_count(0)
