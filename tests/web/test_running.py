"""Running: progress, cancel, failures, checks, tabs."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from playwright.sync_api import Page, Route, WebSocketRoute, expect

from tests.server.conftest import Served
from tests.web.conftest import Editor, link, tools

Chain = Callable[[], Editor]


def test_progress_is_on_the_node_in_the_title_and_cancel_stops_it(editor: Editor) -> None:
    editor.load(tools("work", work=("tools.steps", {"count": 400, "pause": 0.05}, (0, 0))))
    editor.page.keyboard.press("Control+Enter")
    bar = editor.node("Steps").get_by_role("progressbar")
    expect(bar).to_be_visible()
    expect(editor.page).to_have_title(re.compile(r"^\d+% case"))
    editor.page.get_by_role("button", name="Cancel").first.click(force=True)
    expect(editor.node("Steps")).to_have_attribute("data-status", "cancelled")


def test_a_failing_node_shows_its_sentence_and_its_trace(editor: Editor) -> None:
    editor.load(
        tools(
            "after",
            bad=("tools.fail", {}, (5000, 3000)),
            after=("tools.add", {"a": link("bad")}, (5340, 3000)),
            near=("tools.number", {"value": 1}, (0, 0)),
        )
    )
    editor.page.keyboard.press("Control+Enter")
    # It lies far away: the message leads there.
    messages = editor.page.get_by_role("region", name="Messages")
    messages.get_by_role("button", name="Show").click()
    node = editor.node("Fail")
    expect(node).to_have_attribute("data-status", "failed")
    expect(node).to_be_in_viewport(ratio=0.99)
    editor.page.get_by_role("button", name="Details").click()
    expect(editor.page.get_by_role("dialog")).to_contain_text("Traceback")
    editor.page.keyboard.press("Escape")
    expect(editor.page.locator('[data-node="after"]')).to_have_attribute("data-status", "skipped")


def test_a_node_that_fails_before_the_job_is_known_to_be_taken_is_told_and_shown(
    editor: Editor,
) -> None:
    def late(route: Route) -> None:
        answer = route.fetch()
        time.sleep(0.5)  # the socket tells of the failure sooner
        route.fulfill(response=answer)

    editor.page.route("**/api/jobs", late)
    editor.load(tools("bad", bad=("tools.fail", {}, (5000, 3000))))
    foot = editor.page.get_by_role("contentinfo")
    expect(foot).to_contain_text("connected")
    editor.page.keyboard.press("Control+Enter")
    expect(foot.get_by_role("alert")).to_have_text(re.compile("^Fail failed: .*no 0"))
    messages = editor.page.get_by_role("region", name="Messages")
    messages.get_by_role("button", name="Show").click()
    expect(editor.node("Fail")).to_have_attribute("data-status", "failed")


def test_a_node_that_fails_while_nobody_listens_is_told_and_shown(
    page: Page, server: Served
) -> None:
    lines: list[WebSocketRoute] = []

    def hold(line: WebSocketRoute) -> None:
        lines.append(line)

    page.route_web_socket("**/api/events*", hold)
    editor = Editor(page, server.url).open()
    editor.load(tools("bad", bad=("tools.fail", {}, (5000, 3000))))
    with page.expect_response("**/api/jobs") as answered:
        page.keyboard.press("Control+Enter")
    job = answered.value.json()["id"]
    assert server.finished(job)["status"] == "failed"
    lines[-1].connect_to_server()
    messages = page.get_by_role("region", name="Messages")
    expect(messages.get_by_role("alert")).to_contain_text("no 0")
    messages.get_by_role("button", name="Show").click()
    expect(editor.node("Fail")).to_have_attribute("data-status", "failed")


def test_what_is_missing_is_marked_everywhere_and_the_run_refused(editor: Editor) -> None:
    editor.load(
        tools(
            one=("image.invert", {}, (0, 0)),
            two=("image.blur", {}, (340, 0)),
            gone=("nowhere.thing", {"x": 1}, (680, 0)),
        )
    )
    expect(editor.page.locator("[data-node][data-problem]")).to_have_count(3)
    expect(editor.socket("Invert image", "image: Image input")).to_have_attribute(
        "aria-invalid", "true"
    )
    editor.page.keyboard.press("Control+Enter")
    dialog = editor.page.get_by_role("dialog", name="Some things are missing")
    expect(dialog).to_contain_text("nowhere.thing")
    editor.page.keyboard.press("Escape")
    expect(editor.page.locator('[data-node="gone"]')).to_have_attribute("data-unknown", "true")
    assert editor.doc["nodes"]["gone"]["inputs"] == {"x": 1}


def test_a_missing_file_offers_near_names(editor: Editor) -> None:
    editor.load(tools(load=("diffusion.load_model", {"file": "emojy"}, (0, 0))))
    editor.page.keyboard.press("Control+Enter")
    dialog = editor.page.get_by_role("dialog", name="Some things are missing")
    dialog.get_by_role("button", name="Use emoji", exact=True).click()
    assert editor.doc["nodes"]["load"]["inputs"]["file"] == "emoji"


def test_a_random_seed_changes_before_the_run_that_it_makes(editor: Editor) -> None:
    case = tools("seed", seed=("tools.seeded", {"seed": 5}, (0, 0)))
    case["layout"]["nodes"]["seed"]["seeds"] = {"seed": "random"}
    editor.load(case)
    editor.page.keyboard.press("Control+Enter")
    expect(editor.status).to_have_text("case is done.")
    shown = editor.doc["nodes"]["seed"]["inputs"]["seed"]
    assert shown != 5
    job = editor.page.evaluate(
        "async () => (await (await fetch('api/jobs?limit=1')).json()).jobs[0].outputs.seed.value"
    )
    assert job == shown


def test_a_seed_counts_on_before_each_run_or_stays(editor: Editor) -> None:
    editor.load(tools("seed", seed=("tools.seeded", {"seed": 5}, (0, 0))))
    seed = editor.page.get_by_role("spinbutton", name="seed")
    for mode, says, values in (
        ("increment", "Add 1 before each run", ("6", "7")),
        ("fixed", "Keep this seed", ("7", "7")),
    ):
        editor.page.get_by_role("button", name="Before each run, seed").click()
        editor.page.get_by_text(says).click()
        expect(editor.button(f"Before each run, seed: {mode}")).to_be_visible()
        for value in values:
            editor.page.keyboard.press("Escape")
            with editor.page.expect_response(
                lambda answer: answer.request.method == "POST" and answer.url.endswith("/api/jobs")
            ) as handed:
                editor.page.keyboard.press("Control+Enter")
            sent = handed.value.request.post_data_json["workflow"]["nodes"]["seed"]["inputs"]
            assert str(sent["seed"]) == value
            expect(seed).to_have_attribute("aria-valuenow", value)


def test_one_tab_runs_while_another_is_edited(editor: Editor) -> None:
    editor.load(
        {
            **tools("work", work=("tools.steps", {"count": 400, "pause": 0.05}, (0, 0))),
            "name": "long",
        }
    )
    editor.page.keyboard.press("Control+Enter")
    expect(editor.node("Steps").get_by_role("progressbar")).to_be_visible()
    editor.load({**tools(one=("tools.number", {}, (0, 0))), "name": "other"})
    editor.page.locator('[data-node="one"] header').click()
    editor.page.keyboard.press("Control+d")
    assert len(editor.doc["nodes"]) == 2
    tab = editor.page.get_by_role("tab", name=re.compile("long"))
    expect(tab).to_contain_text("%")
    tab.click()
    editor.page.keyboard.press("Control+Alt+Enter")
    expect(editor.node("Steps")).to_have_attribute("data-status", "cancelled")


def test_the_queue_shows_what_waits_and_cancels_it(editor: Editor) -> None:
    editor.load(tools("work", work=("tools.steps", {"count": 400, "pause": 0.05}, (0, 0))))
    for _ in range(3):
        editor.page.keyboard.press("Control+Enter")
        editor.page.wait_for_timeout(300)
    editor.page.get_by_role("button", name="Queue: 2 waiting").click()
    waiting = editor.page.get_by_role("list", name="Waiting").get_by_role("listitem")
    expect(waiting).to_have_count(2)
    waiting.last.get_by_role("button", name="Cancel case, waiting").click()
    expect(waiting).to_have_count(1)
    editor.page.get_by_role("button", name="Clear all").click()
    expect(waiting).to_have_count(0)
    expect(editor.node("Steps")).to_have_attribute("data-status", "cancelled")


def test_details_of_a_failure_are_there_after_a_reload(editor: Editor) -> None:
    editor.load({**tools("bad", bad=("tools.fail", {}, (0, 0))), "name": "to fail"})
    editor.page.keyboard.press("Control+Enter")
    expect(editor.node("Fail")).to_have_attribute("data-status", "failed")
    editor.page.wait_for_timeout(1500)  # the draft is kept a moment after the last edit
    editor.open()
    editor.button("Discard").click()
    editor.page.keyboard.press("Alt+6")
    editor.page.get_by_role(
        "button", name=re.compile("^Open the workflow of to fail")
    ).first.click()
    expect(editor.node("Fail")).to_have_attribute("data-status", "failed")
    editor.page.get_by_role("button", name="Details").click()
    expect(editor.page.get_by_role("dialog")).to_contain_text("Traceback")


def test_per_cent_count_the_nodes_that_the_job_asks_for(editor: Editor) -> None:
    case = tools(
        "after",
        first=("tools.number", {"value": 400}, (0, 0)),
        work=("tools.steps", {"count": link("first"), "pause": 0.05}, (340, 0)),
        after=("tools.add", {"a": link("work"), "b": 1}, (680, 0)),
        idle=("tools.number", {"value": 2}, (0, 300)),
    )
    editor.load(case)
    editor.page.keyboard.press("Control+Enter")
    # One of three is done, and of the second a little; the fourth is asked by nobody.
    tab = editor.page.get_by_role("tab", name=re.compile("case"))
    expect(tab).to_contain_text(re.compile(r"3[3-9]%"))
    editor.page.keyboard.press("Control+Alt+Enter")
    expect(editor.node("Steps")).to_have_attribute("data-status", "cancelled")


def test_warnings_are_told_apart_and_many_idle_nodes_are_one(editor: Editor) -> None:
    nodes = {f"n{i}": ("tools.number", {}, (340 * (i % 10), 200 * (i // 10))) for i in range(50)}
    editor.load(tools(**nodes))
    foot = editor.page.get_by_role("contentinfo")
    expect(foot.get_by_role("button", name="1 warning")).to_be_visible()
    expect(foot.get_by_role("button", name="problem")).to_have_count(0)
    editor.page.keyboard.press("Control+Enter")
    expect(editor.page.get_by_role("region", name="Messages")).to_contain_text("nothing to run")
