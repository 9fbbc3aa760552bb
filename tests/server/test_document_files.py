from __future__ import annotations

from pathlib import Path

import pytest

from nodeflow.journal.records import Document
from nodeflow.server.document_files import IN_MEMORY, MOST_BYTES, Writer
from nodeflow.server.problems import HttpError


def test_short_documents_stay_in_memory_and_long_ones_become_files(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    short = writer.keep(Document("a", nodes=3), b"x" * IN_MEMORY)
    long = writer.keep(Document("b"), "ä".encode() * IN_MEMORY)
    assert (short.text, short.file, short.nodes) == ("x" * IN_MEMORY, "", 3)
    assert long.text == ""
    assert Path(long.file).read_text() == "ä" * IN_MEMORY


def test_many_short_ones_become_files_too(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    kept = [writer.keep(Document(str(number)), b"x" * 30_000) for number in range(20)]
    assert sum(len(item.text) for item in kept) <= 4 * IN_MEMORY
    assert len(list(tmp_path.iterdir())) == sum(bool(item.file) for item in kept) > 10


def test_files_that_nobody_will_have_are_removed(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    writer.keep(Document("a"), b"x" * 100_000)
    writer.undo()
    assert list(tmp_path.iterdir()) == []


def test_a_batch_that_would_fill_the_disk_is_refused(tmp_path: Path) -> None:
    Writer(tmp_path).reserve(MOST_BYTES)
    with pytest.raises(HttpError, match="several smaller batches") as refused:
        Writer(tmp_path).reserve(MOST_BYTES + 1)
    assert refused.value.status == 413
