"""How much is drawn anew: React is asked, as its developer tools do."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.web.conftest import Editor, link, tools


def commits(editor: Editor) -> list[dict[str, int]]:
    """What was drawn since this was asked the last time, by place."""
    found: list[dict[str, int]] = editor.page.evaluate("window.takeCommits()")
    return found


def cards(commit: dict[str, int]) -> set[str]:
    return {place for place in commit if place.startswith(("card ", "wire "))}


def test_a_step_of_a_node_draws_that_node_alone(counted: Editor) -> None:
    counted.load(
        tools(
            "second",
            steps=("tools.steps", {"count": 300, "pause": 0.02}, (0, 0)),
            first=("tools.add", {"a": link("steps"), "b": 1}, (340, 0)),
            second=("tools.add", {"a": link("first"), "b": 2}, (680, 0)),
        )
    )
    counted.page.keyboard.press("Control+Enter")
    bar = counted.node("Steps").get_by_role("progressbar", name="progress")
    expect(bar).to_be_visible()
    commits(counted)
    before = bar.get_attribute("aria-valuenow")
    expect(bar).not_to_have_attribute("aria-valuenow", before or "")
    drawn = [found for commit in commits(counted) if (found := cards(commit))]
    assert drawn
    assert all(found == {"card n:steps"} for found in drawn), drawn
    counted.button("Cancel").click()


def test_an_edit_of_a_value_draws_no_other_card(counted: Editor) -> None:
    counted.load(
        tools(
            start=("tools.number", {"value": 3}, (0, 0)),
            first=("tools.add", {"a": link("start"), "b": 1}, (340, 0)),
        )
    )
    field = counted.node("Number").get_by_role("spinbutton", name="value")
    field.focus()
    commits(counted)
    counted.page.keyboard.press("ArrowUp")
    expect(field).to_have_attribute("aria-valuenow", "4")
    drawn = set().union(*map(cards, commits(counted)))
    # Its wires are drawn to the same places again, but not the card at their other end.
    assert {place for place in drawn if place.startswith("card ")} == {"card n:start"}


COUNT_CARDS = """() => {
  window.cards = 0;
  new MutationObserver((records) => {
    for (const record of records) {
      for (const added of record.addedNodes) {
        if (added instanceof Element && added.matches(".react-flow__node")) window.cards += 1;
      }
    }
  }).observe(document.body, { childList: true, subtree: true });
}"""


def test_a_large_graph_from_afar_mounts_no_cards_neither_at_first_nor_on_the_way_out(
    editor: Editor,
) -> None:
    editor.page.evaluate(COUNT_CARDS)
    editor.load(
        tools(
            **{
                f"n{index}": (
                    "tools.number",
                    {"value": index},
                    (index % 20 * 340, index // 20 * 200),
                )
                for index in range(400)
            }
        )
    )
    expect(editor.page.locator("[data-canvas]")).to_have_attribute("data-far", "true")
    assert editor.page.evaluate("window.cards") == 0

    editor.page.keyboard.press("0")
    expect(editor.page.locator("[data-node]").first).to_be_visible()
    seen = editor.page.locator("[data-node]").count()
    assert seen < 100
    editor.page.evaluate("window.cards = 0")
    x, y = editor.empty()
    editor.page.mouse.move(x, y)
    editor.page.mouse.wheel(0, 2000)
    expect(editor.page.locator("[data-canvas]")).to_have_attribute("data-far", "true")
    assert editor.page.evaluate("window.cards") < 100
