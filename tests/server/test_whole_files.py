"""A file that is written is the old one or the new one, never half of it."""

from __future__ import annotations

import pytest

from nodeflow.server.whole_files import stage, write_whole


def test_a_file_is_made_with_its_folder_and_replaced(tmp_path):
    path = tmp_path / "a" / "b.json"
    write_whole(path, b"one")
    write_whole(path, b"two")
    assert path.read_bytes() == b"two"
    assert [item.name for item in path.parent.iterdir()] == ["b.json"]


def test_what_cannot_be_put_in_place_leaves_nothing(tmp_path):
    (tmp_path / "taken" / "inner").mkdir(parents=True)
    with pytest.raises(OSError):  # noqa: PT011  (which one depends on the system)
        write_whole(tmp_path / "taken", b"text")
    assert [item.name for item in tmp_path.iterdir()] == ["taken"]


def test_a_staged_file_is_not_there_yet(tmp_path):
    staged = stage(tmp_path / "a", b"text")
    assert staged.read_bytes() == b"text"
    assert not (tmp_path / "a").exists()
