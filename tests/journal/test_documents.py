from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from nodeflow.errors import StoreError
from nodeflow.journal.documents import LARGE
from nodeflow.journal.journal import Journal
from nodeflow.journal.records import Document, NewJob, Once
from tests.journal.conftest import OpenJournal
from tests.journal.journal_tools import finish, submit

BIG = '"' + "ü" * LARGE + '\ud800"'


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "journal" / "documents").iterdir())


def test_a_large_document_is_in_a_file(open_journal: OpenJournal, tmp_path: Path) -> None:
    submit(open_journal(), "a", "b", text=BIG)

    document = open_journal().document("d1")

    assert document == Document(
        "d1", file=str(tmp_path / "journal" / "documents" / "d1.json"), nodes=2
    )
    assert Path(document.file).read_bytes().decode("utf-8", "surrogatepass") == BIG
    assert names(tmp_path) == ["d1.json"]


def test_a_small_document_is_in_its_row(journal: Journal, tmp_path: Path) -> None:
    submit(journal, "a", text="x" * (LARGE - 1))

    document = journal.document("d1")
    assert document is not None
    assert document.text == "x" * (LARGE - 1)
    assert names(tmp_path) == []


def test_a_file_that_is_handed_in_is_taken_over(journal: Journal, tmp_path: Path) -> None:
    file = tmp_path / "upload"
    file.write_text(BIG[:-2])
    job = NewJob("a", "a", Document("d1", file=str(file), nodes=3))

    assert journal.submit([job]).result().jobs[0].nodes == 3
    assert not file.exists()
    document = journal.document("d1")
    assert document is not None
    assert Path(document.file).read_text() == BIG[:-2]


def test_a_file_on_another_file_system_is_copied(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "upload"
    file.write_text("{}")
    rename = os.replace

    def refuse(source: object, target: object) -> None:
        if source == str(file):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        rename(str(source), str(target))

    monkeypatch.setattr(os, "replace", refuse)
    journal.submit([NewJob("a", "a", Document("d1", file=str(file)))]).result()

    assert not file.exists()
    document = journal.document("d1")
    assert document is not None
    assert Path(document.file).read_text() == "{}"


def test_a_file_that_is_not_there_is_a_sentence(journal: Journal, tmp_path: Path) -> None:
    job = NewJob("a", "a", Document("d1", file=str(tmp_path / "nothing")))

    with pytest.raises(StoreError, match=r"A document cannot be kept in .*No such file"):
        journal.submit([job]).result()
    assert journal.jobs() == []
    assert names(tmp_path) == []


def test_a_repeated_request_leaves_no_file_behind(journal: Journal, tmp_path: Path) -> None:
    submit(journal, "a", text=BIG, once=Once("k", "same"))
    submit(journal, "b", text=BIG, digest="d2", once=Once("k", "same"))
    finish(journal, "a")
    with pytest.raises(StoreError, match="UNIQUE"):
        submit(journal, "a", text=BIG, digest="d3")
    journal.close()

    # What was published for a transaction that failed is garbage until the next start.
    assert [name for name in names(tmp_path) if name != "d3.json"] == ["d1.json"]


def test_garbage_is_removed_at_the_start(open_journal: OpenJournal, tmp_path: Path) -> None:
    submit(open_journal(), "a", text=BIG)
    folder = tmp_path / "journal" / "documents"
    (folder / "d7.json").write_text("of a transaction that was never committed")
    (folder / "tmpx.draft").write_text("half written")
    (folder / "README").write_text("a user's own")

    open_journal()

    assert names(tmp_path) == ["README", "d1.json"]
