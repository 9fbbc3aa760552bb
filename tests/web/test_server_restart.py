"""A server that is started again while the page is open: the queue shows what it has by then."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.server.conftest import Served
from tests.web.conftest import Editor, tools

WORK = tools("work", work=("tools.steps", {"count": 100_000, "pause": 0.05}, (0, 0)))


@pytest.fixture
def queue_page(browser: Browser, mortal: Served) -> Iterator[Page]:
    """The queue of a server, where one job runs and two wait."""
    mortal.start()
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    editor = Editor(page, mortal.url).open()
    for name in ("long", "one", "two"):
        editor.load({**WORK, "name": name})
        page.keyboard.press("Control+Enter")
        expect(editor.status).to_have_text("The job is queued.")
    page.keyboard.press("Alt+5")
    expect(running(page)).to_contain_text("long")
    expect(waiting(page)).to_have_text(names("one", "two"))
    yield page
    assert editor.faults == []
    page.close()


def running(page: Page) -> Locator:
    return page.get_by_role("region", name="Queue").locator("[data-active]")


def waiting(page: Page) -> Locator:
    return page.get_by_role("list", name="Waiting").get_by_role("listitem")


def names(*wanted: str) -> list[re.Pattern[str]]:
    return [re.compile(rf"\b{name}\b") for name in wanted]


def end(page: Page, server: Served) -> str:
    """End the server, which the page notices; the port to start it on again."""
    port = server.url.rsplit(":", 1)[1]
    server.kill()
    away = page.get_by_role("alert").filter(has_text="The server is away")
    expect(away).to_be_visible(timeout=30_000)
    return port


def hand_in(server: Served, name: str) -> None:
    server.submit({"nodeflow": 1, **WORK, "name": name})


def test_what_others_did_to_the_queue_meanwhile_is_shown(queue_page: Page, mortal: Served) -> None:
    port = end(queue_page, mortal)
    # Where the page does not look for it.
    mortal.start()
    jobs = {job["name"]: job["id"] for job in mortal.ask("GET", "/api/jobs")[1]["jobs"]}
    assert mortal.ask("DELETE", f"/api/jobs/{jobs['one']}")[1]["status"] == "cancelled"
    hand_in(mortal, "three")
    assert mortal.ask("PATCH", "/api/queue", {"paused": True})[0] == 200
    mortal.stop()
    expect(waiting(queue_page)).to_have_text(names("one", "two"))

    mortal.start("--port", port)
    # What ran when the server ended waits too, since the queue is paused.
    expect(waiting(queue_page)).to_have_text(names("long", "two", "three"))
    queue_page.get_by_role("button", name="Go on", exact=True).click()
    expect(running(queue_page)).to_contain_text("long")
    expect(waiting(queue_page)).to_have_text(names("two", "three"))


def test_of_a_server_that_begins_anew_no_old_job_is_shown(queue_page: Page, mortal: Served) -> None:
    port = end(queue_page, mortal)
    shutil.rmtree(mortal.folder / "data")
    mortal.start("--port", port)
    expect(queue_page.get_by_text("Nothing waits")).to_be_visible()
    hand_in(mortal, "fresh")
    hand_in(mortal, "next")
    expect(running(queue_page)).to_contain_text("fresh")
    expect(waiting(queue_page)).to_have_text(names("next"))
