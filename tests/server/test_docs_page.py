"""The page at `/docs`: its files are all there, ask no other server and make no markup of text."""

from __future__ import annotations

import re

from nodeflow.server.docs_page import FILES, FOLDER


def test_every_file_of_the_page_is_served_and_no_other_is_there() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(FILES)


def test_every_import_and_link_is_a_file_of_the_page() -> None:
    for name in FILES:
        text = (FOLDER / name).read_text(encoding="utf-8")
        for found in re.findall(r'from "\./([^"]+)"|(?:src|href)="/docs/([^"]+)"', text):
            assert "".join(found) in FILES


def test_nothing_is_asked_of_other_servers_and_no_text_becomes_markup() -> None:
    for name in FILES:
        text = (FOLDER / name).read_text(encoding="utf-8")
        assert not re.search(r"https?://|//[a-z]+\.", text.replace("http://www.w3.org", "")), name
        for unsafe in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "new Function"):
            assert unsafe not in text
    page = (FOLDER / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|style=|<style", page)
