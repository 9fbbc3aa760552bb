"""A few answers in one file."""

from __future__ import annotations

import pytest

from nodeflow.errors import StoreError
from nodeflow.remembered import JsonMemory


def test_answers_are_there_for_the_next_process(tmp_path):
    path = tmp_path / "new" / "answers.json"
    JsonMemory(path).remember("device", {"a": 1})
    JsonMemory(path).remember("device", {"b": {"name": "cpu"}})
    assert JsonMemory(path).recall("device", ["a", "b", "c"]) == {"a": 1, "b": {"name": "cpu"}}
    assert JsonMemory(path).recall("other", ["a"]) == {}
    assert [item.name for item in path.parent.iterdir()] == ["answers.json"]


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"device": 3}', b"\xff"])
def test_a_damaged_file_knows_nothing_and_is_mended_by_the_next_answer(tmp_path, damage):
    path = tmp_path / "answers.json"
    path.write_bytes(damage)
    memory = JsonMemory(path)
    assert memory.recall("device", ["a"]) == {}
    memory.remember("device", {"a": 1})
    assert memory.recall("device", ["a"]) == {"a": 1}


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        JsonMemory(tmp_path / "file" / "answers.json").remember("device", {"a": 1})
