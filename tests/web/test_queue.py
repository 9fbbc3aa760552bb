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


def test_alt_with_an_arrow_moves_a_row_which_keeps_the_focus(editor: Editor) -> None:
    work = tools("work", work=("tools.steps", {"count": 4000, "pause": 0.05}, (0, 0)))
    for name in ("running", "one", "two"):
        editor.load({**work, "name": name})
        editor.page.keyboard.press("Control+Enter")
        expect(editor.status).to_have_text("The job is queued.")
    editor.page.keyboard.press("Alt+5")
    rows = editor.page.get_by_role("list", name="Waiting").get_by_role("listitem")
    expect(rows).to_have_text([re.compile(name) for name in ("one", "two")])
    rows.nth(1).focus()
    editor.page.keyboard.press("Alt+ArrowUp")
    expect(rows).to_have_text([re.compile(name) for name in ("two", "one")])
    expect(rows.nth(0)).to_be_focused()
    editor.page.keyboard.press("Alt+ArrowDown")
    expect(rows).to_have_text([re.compile(name) for name in ("one", "two")])
    expect(rows.nth(1)).to_be_focused()
    editor.button("Clear all").click()
    expect(rows).to_have_count(0)


def test_a_running_job_says_at_which_node_it_is_and_how_far(editor: Editor) -> None:
    case = tools("work", work=("tools.steps", {"count": 400, "pause": 0.05}, (0, 0)))
    case["layout"]["nodes"]["work"]["title"] = "The long walk"
    editor.load(case)
    batch = editor.page.get_by_role("spinbutton", name="Batch count")
    batch.fill("2")
    editor.page.keyboard.press("Control+Enter")
    editor.page.get_by_role("button", name="Queue: ").click()
    queue = editor.page.get_by_role("region", name="Queue")
    running = queue.locator("[data-active]")
    expect(running).to_contain_text("case 1 of 2")
    expect(running).to_contain_text(re.compile(r"The long walk \d+/400 · \d+ s left"))
    expect(running).to_contain_text(re.compile(r"[1-9]\d* %"))
    expect(queue.get_by_role("listitem")).to_contain_text("2 of 2")
    editor.button("Clear all").click()
    expect(running).to_have_count(0)


def test_what_the_server_refuses_is_said(editor: Editor) -> None:
    editor.load(tools())
    editor.page.route("**/api/queue", lambda route: route.abort())
    editor.page.keyboard.press("Alt+5")
    editor.button("Pause").click()
    messages = editor.page.get_by_role("region", name="Messages")
    expect(messages).to_contain_text("The queue cannot be paused")
