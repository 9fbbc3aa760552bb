"""The library of nodes: a tree to search and to add from, which tells what packs do not work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Response, expect

from tests.server.conftest import Served
from tests.web.conftest import Editor, tools

ONE = tools(one=("tools.number", {}, (0, 0)))


def library(editor: Editor) -> Locator:
    editor.page.keyboard.press("Alt+1")
    tree = editor.page.get_by_role("tree", name="Nodes by category")
    expect(tree).to_be_visible()
    return tree


def search(editor: Editor, text: str) -> None:
    editor.page.get_by_role("searchbox", name="Search the library").fill(text)


def test_categories_lie_in_each_other_and_are_folded_by_keys(editor: Editor) -> None:
    tree = library(editor.load(ONE))
    tree.focus()
    category = tree.get_by_role("treeitem", name=re.compile("^sampling "))
    editor.page.keyboard.type("sampling")
    expect(category).to_have_attribute("aria-expanded", "true")
    expect(category).to_be_in_viewport()
    inner = tree.get_by_role("treeitem", name=re.compile("^advanced "))
    expect(inner).to_have_attribute("aria-level", "2")
    editor.page.keyboard.press("ArrowLeft")
    expect(category).to_have_attribute("aria-expanded", "false")
    expect(inner).to_have_count(0)
    editor.page.keyboard.press("ArrowRight")
    editor.page.keyboard.press("ArrowRight")
    editor.page.keyboard.press("ArrowLeft")
    editor.page.keyboard.press("ArrowLeft")
    expect(category).to_have_attribute("aria-selected", "true")
    assert tree.get_by_role("treeitem").count() < 60, "only what is seen is drawn"


def test_a_click_and_enter_add_in_the_middle_and_never_on_another_node(editor: Editor) -> None:
    tree = library(editor.load(ONE))
    search(editor, "number")
    item = tree.get_by_role("treeitem", name="Number", exact=True).first
    item.click()
    expect(editor.status).to_have_text("Added Number.")
    expect(tree).to_be_focused()
    editor.page.keyboard.press("Enter")
    editor.page.keyboard.press("Enter")
    assert len(editor.doc["nodes"]) == 4
    cards = editor.page.get_by_role("group", name="Number node", exact=True)
    expect(cards).to_have_count(4)
    boxes = [cards.nth(place).bounding_box() for place in range(4)]
    for a in boxes:
        for b in boxes:
            assert a is not None
            assert b is not None
            apart = abs(a["x"] - b["x"]) >= a["width"] or abs(a["y"] - b["y"]) >= a["height"]
            assert a is b or apart


def test_a_search_forgives_and_knows_other_names(editor: Editor) -> None:
    tree = library(editor.load(ONE))
    box = editor.page.get_by_role("searchbox", name="Search the library")
    search(editor, "invimg")
    expect(tree.get_by_role("treeitem").first).to_have_accessible_name("Invert image")
    search(editor, "tools.number")
    expect(tree.get_by_role("treeitem").first).to_have_accessible_name("Number")
    box.press("Enter")
    expect(editor.status).to_have_text("Added Number.")
    box.press("ArrowDown")
    expect(tree).to_be_focused()
    search(editor, "qqqqq")
    expect(editor.page.get_by_text("No node is called like that.")).to_be_visible()
    box.press("Escape")
    expect(box).to_have_value("")


def test_a_drag_puts_the_node_where_it_is_let_go(editor: Editor) -> None:
    tree = library(editor.load(ONE))
    search(editor, "invert image")
    x, y = editor.empty()
    canvas = editor.page.locator("[data-canvas]")
    box = canvas.bounding_box()
    assert box is not None
    tree.get_by_role("treeitem", name="Invert image").drag_to(
        canvas, target_position={"x": x - box["x"] + 200, "y": y - box["y"] - 200}
    )
    card = editor.node("Invert image").bounding_box()
    assert card is not None
    assert abs(card["x"] - x - 200) < 20
    assert abs(card["y"] - y + 200) < 20


def kept(response: Response) -> bool:
    """The server has kept settings."""
    return response.url.endswith("/api/settings") and response.request.method != "GET"


def test_a_favourite_stands_at_the_top_and_stays(editor: Editor) -> None:
    tree = library(editor.load(ONE))
    search(editor, "invert image")
    tree.focus()
    with editor.page.expect_response(kept):
        editor.page.keyboard.press("Space")
    expect(editor.status).to_have_text("Invert image is a favourite.")
    expect(tree.get_by_role("treeitem", name="Invert image, favourite")).to_be_visible()
    search(editor, "")
    expect(tree.get_by_role("treeitem").first).to_have_accessible_name("Favourites 1 node")
    editor.open()
    editor.button("Discard").click()
    tree = library(editor.load(ONE))
    item = tree.get_by_role("treeitem").nth(1)
    expect(item).to_have_accessible_name("Invert image, favourite")
    item.hover()
    with editor.page.expect_response(kept):
        item.get_by_role("button", name="Invert image is a favourite").click()
    expect(tree.get_by_role("treeitem", name=re.compile("^Favourites"))).to_have_count(0)


NODE = """
from nodeflow import node

@node(version="1")
def twice(a: int = 1) -> int:
    return 2 * a
"""


@pytest.fixture
def packs(tmp_path: Path, known_specs: Path) -> Iterator[tuple[Served, Path]]:
    """A server of its own, and the file of a pack that it reads."""
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "specs").mkdir()
    for spec in known_specs.iterdir():
        (cache / "specs" / spec.name).symlink_to(spec)
    pack = tmp_path / "packs" / "mine"
    pack.mkdir(parents=True)
    (pack / "__init__.py").write_text("raise RuntimeError('not today')\n")
    served = Served(tmp_path, environment={"NODEFLOW_PACKS": str(tmp_path / "packs")})
    yield served, pack / "__init__.py"
    if served.process is not None:
        served.kill()


def test_packs_that_fail_and_packs_that_are_read_are_told(
    browser: Browser, packs: tuple[Served, Path]
) -> None:
    served, source = packs
    served.start()
    page = browser.new_page()
    editor = Editor(page, served.url).open()
    tree = library(editor.load(tools()))
    panel = page.get_by_role("region", name="Nodes", exact=True)
    expect(panel).to_contain_text("Pack mine:")
    expect(panel).to_contain_text("not today")
    panel.get_by_role("button", name="Details").click()
    expect(page.get_by_role("dialog")).to_contain_text("RuntimeError")
    page.keyboard.press("Escape")

    source.write_text(NODE)
    search(editor, "twice")
    expect(tree.get_by_role("treeitem", name="Twice")).to_be_visible(timeout=30_000)
    expect(panel).not_to_contain_text("Pack mine:")
    served.stop()

    source.write_text("import time\ntime.sleep(6)\n" + NODE.replace("twice", "thrice"))
    served.start()
    editor.url = served.url
    editor.open()
    tree = library(editor)
    search(editor, "thrice")
    expect(panel.get_by_role("status")).to_have_text("Reading mine …")
    expect(tree.get_by_role("treeitem", name="Thrice")).to_be_visible(timeout=30_000)
    expect(panel.get_by_role("status")).to_be_empty()
    page.close()


def test_a_node_is_described_by_whole_sentences_and_found_by_words_of_two_lines(
    editor: Editor,
) -> None:
    tree = library(editor.load(ONE))
    search(editor, "reveals more of one or the other")
    title = tree.get_by_role("treeitem").get_by_text("Compare images", exact=True)
    expect(title).to_have_attribute("title", re.compile(r"dragging it reveals more .* other\b"))
