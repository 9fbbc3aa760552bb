"""The shelf: files that are whole, versions that stay, and nobody who overwrites unknowingly."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from nodeflow.journal.journal import Journal
from nodeflow.server.preconditions import quoted
from nodeflow.server.problems import HttpError
from nodeflow.server.shelf import Saved, Shelf, templates_folder

EMPTY = b'{"nodeflow": 1, "nodes": {}}'


def text(name: str) -> bytes:
    return b'{"nodeflow": 1, "name": "%s", "nodes": {}}\n' % name.encode()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    found = Journal(tmp_path / "journal")
    yield found
    found.close()


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "start.json").write_bytes(text("Start"))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "workflows"


@pytest.fixture
def shelf(folder: Path, templates: Path, journal: Journal) -> Shelf:
    return Shelf(folder, templates, journal)


async def refused(status: int, work: object) -> HttpError:
    assert asyncio.iscoroutine(work)
    with pytest.raises(HttpError) as caught:
        await work
    assert caught.value.status == status, caught.value.detail
    return caught.value


async def test_what_is_saved_is_read_byte_for_byte(shelf: Shelf, folder: Path) -> None:
    odd = b'{ "nodeflow":1,\r\n "nodes":{} , "x":"\xc3\xa9"}'
    saved = await shelf.write("a/b.json", odd, None, None)
    assert (saved.path, saved.new, saved.template) == ("a/b", True, False)
    assert (folder / "a" / "b.json").read_bytes() == odd
    again = shelf.read("a/b")
    assert (again.text, again.etag, again.modified) == (odd, saved.etag, saved.modified)
    assert os.listdir(folder / "a") == ["b.json"]


async def test_writing_over_needs_the_etag_of_what_is_there(shelf: Shelf) -> None:
    first = await shelf.write("a", text("1"), None, None)
    assert (await refused(428, shelf.write("a", text("2"), None, None))).extra["etag"] == first.etag
    stale = await refused(412, shelf.write("a", text("2"), '"no"', None))
    assert stale.headers["ETag"] == quoted(first.etag)
    await refused(412, shelf.write("a", text("2"), None, "*"))
    await refused(412, shelf.write("new", text("2"), quoted(first.etag), None))
    second = await shelf.write("a", text("2"), quoted(first.etag), None)
    assert not second.new
    assert shelf.read("a").text == text("2")


async def test_of_many_who_write_at_once_one_wins(shelf: Shelf) -> None:
    first = await shelf.write("a", text("0"), None, None)
    writes = [
        shelf.write("a", text(str(number)), quoted(first.etag), None) for number in range(1, 21)
    ]
    found = await asyncio.gather(*writes, return_exceptions=True)
    won = [item for item in found if isinstance(item, Saved)]
    lost = [item for item in found if isinstance(item, HttpError) and item.status == 412]
    assert (len(won), len(lost)) == (1, 19)
    assert shelf.read("a").etag == won[0].etag
    assert [version.number for version in shelf.versions("a")] == [2, 1]
    created = await asyncio.gather(
        *(shelf.write("b", text(str(number)), None, "*") for number in range(20)),
        return_exceptions=True,
    )
    assert sum(isinstance(item, Saved) for item in created) == 1


async def test_every_text_that_was_ever_there_is_a_version(shelf: Shelf, folder: Path) -> None:
    first = await shelf.write("a", text("1"), None, None)
    (folder / "a.json").write_bytes(text("by hand"))
    await refused(412, shelf.write("a", text("2"), quoted(first.etag), None))
    await shelf.write("a", text("2"), quoted(shelf.read("a").etag), None)
    kept = [shelf.version("a", item.number).text for item in shelf.versions("a")]
    assert kept == [text("2"), text("by hand"), text("1")]
    assert shelf.version("a", 1).etag == first.etag


async def test_saving_the_same_text_changes_nothing(shelf: Shelf, journal: Journal) -> None:
    first = await shelf.write("a", text("1"), None, None)
    seq = journal.bounds()[1]
    again = await shelf.write("a", text("1"), quoted(first.etag), None)
    assert (again.etag, again.modified, again.new) == (first.etag, first.modified, False)
    assert journal.bounds()[1] == seq
    assert len(shelf.versions("a")) == 1


async def test_a_deleted_workflow_still_has_its_versions(shelf: Shelf, folder: Path) -> None:
    saved = await shelf.write("deep/down/a", text("1"), None, None)
    await refused(428, shelf.delete("deep/down/a", None))
    await refused(412, shelf.delete("deep/down/a", '"other"'))
    await shelf.delete("deep/down/a", quoted(saved.etag))
    assert not (folder / "deep").exists()
    with pytest.raises(HttpError) as caught:
        shelf.read("deep/down/a")
    assert caught.value.status == 404
    assert shelf.version("deep/down/a", 1).text == text("1")
    await refused(412, shelf.delete("deep/down/a", quoted(saved.etag)))
    back = await shelf.write("deep/down/a", text("1"), None, None)
    assert back.new


async def test_everybody_is_told_of_changes(shelf: Shelf, journal: Journal) -> None:
    saved = await shelf.write("a", text("1"), None, None)
    await shelf.delete("a", quoted(saved.etag))
    told = [event.text for event in journal.events_after(0) if event.event == "workflow_changed"]
    assert len(told) == 2
    assert saved.etag in told[0]
    assert '"etag":""' in told[1].replace(" ", "")


async def test_a_template_can_be_read_but_not_changed(shelf: Shelf, folder: Path) -> None:
    found = shelf.read("start")
    assert found.template
    await refused(403, shelf.write("start", EMPTY, quoted(found.etag), None))
    await refused(403, shelf.delete("start", quoted(found.etag)))
    folder.mkdir()
    (folder / "start.json").write_bytes(text("Mine"))
    assert not shelf.read("start").template
    assert [info.name for info in shelf.list()] == ["Mine"]


async def test_names_that_clash_on_other_systems_are_refused(shelf: Shelf, folder: Path) -> None:
    await shelf.write("Cats/One", EMPTY, None, None)
    assert "case only" in (await refused(409, shelf.write("cats/two", EMPTY, None, None))).detail
    assert "case only" in (await refused(409, shelf.write("Cats/one", EMPTY, None, None))).detail
    (folder / "box.json").mkdir()
    assert "is a folder" in (await refused(409, shelf.write("box", EMPTY, None, None))).detail
    (folder / "file").write_text("")
    assert "is a file" in (await refused(409, shelf.write("file/a", EMPTY, None, None))).detail
    await refused(400, shelf.write("Cats/run", EMPTY, None, None))


async def test_a_link_out_of_the_folder_is_neither_read_nor_listed(
    shelf: Shelf, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.json").write_bytes(text("secret"))
    folder.mkdir()
    (folder / "link.json").symlink_to(tmp_path / "secret.json")
    (folder / "out").symlink_to(tmp_path)
    for path in ("link", "out/secret"):
        with pytest.raises(HttpError, match="leads out") as caught:
            shelf.read(path)
        assert caught.value.status == 403
        await refused(403, shelf.write(path, EMPTY, "*", None))
    assert [info.path for info in shelf.list()] == ["start"]
    assert (tmp_path / "secret.json").read_bytes() == text("secret")


def test_the_list_says_what_a_client_may_want_to_know(shelf: Shelf, folder: Path) -> None:
    folder.mkdir()
    (folder / "bad.json").write_text("{")
    (folder / ".hidden.json").write_text("{}")
    (folder / "notes.txt").write_text("")
    (folder / "big.json").write_bytes(text("Big") + b" " * (2 << 20))
    (folder / "full.json").write_text(
        '{"nodeflow": 1, "name": "Full", "nodes": {"a": {"type": "x.y"}},'
        ' "inputs": {"in": {"node": "a", "input": "b"}}, "outputs": {"out": {"node": "a"}}}'
    )
    found = {info.path: info for info in shelf.list()}
    assert list(found) == ["bad", "big", "full", "start"]
    assert "not_json" in found["bad"].problem
    assert (found["big"].name, found["big"].size) == ("big", len(text("Big")) + (2 << 20))
    assert (found["full"].name, found["full"].inputs, found["full"].outputs) == (
        "Full", ("in",), ("out",)
    )  # fmt: skip
    assert found["start"].template


def test_a_file_that_changes_is_listed_anew(shelf: Shelf, folder: Path) -> None:
    folder.mkdir()
    (folder / "a.json").write_bytes(text("one"))
    before = shelf.list()
    assert shelf.list()[0] is before[0]
    (folder / "b.json").write_bytes(text("two"))
    (folder / "b.json").replace(folder / "a.json")
    assert shelf.list()[0].name == "two"


async def test_a_disk_that_cannot_be_written_to_is_told_of(shelf: Shelf, folder: Path) -> None:
    folder.parent.joinpath("workflows").write_text("a file where the folder should be")
    await refused(507, shelf.write("a", EMPTY, None, None))


def test_the_templates_are_those_of_the_package() -> None:
    found = templates_folder()
    assert found is not None
    assert (found / "text_to_image.json").is_file()
