"""What is told of files that a job saved."""

from __future__ import annotations

import os

import PIL.Image
import pytest

from nodeflow.errors import InputError
from nodeflow.keys import FileDigests
from nodeflow.worker import file_facts
from nodeflow.worker.file_facts import FileFacts


def test_a_picture_is_told_with_its_digest_type_and_size(tmp_path):
    path = tmp_path / "day" / "apple_0001.png"
    path.parent.mkdir()
    PIL.Image.new("RGB", (30, 20)).save(path)
    assert FileFacts().of(str(path), str(tmp_path)) == {
        "path": str(path),
        "name": "day/apple_0001.png",
        "digest": FileDigests().digest(path),
        "size": path.stat().st_size,
        "media_type": "image/png",
        "width": 30,
        "height": 20,
    }


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.json", "application/json"),
        ("a.txt", "text/plain"),
        ("a.safetensors", "application/octet-stream"),
        ("a", "application/octet-stream"),
        ("liar.png", "application/octet-stream"),
    ],
)
def test_what_is_no_picture_has_the_type_of_its_name_and_no_width(tmp_path, name, media_type):
    path = tmp_path / name
    path.write_text("{}")
    facts = FileFacts().of(str(path), str(tmp_path))
    assert facts["media_type"] == media_type
    assert "width" not in facts


def test_a_name_is_relative_to_the_folder_even_through_a_link(tmp_path):
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "out").symlink_to(real)
    (real / "a.txt").write_text("a")
    facts = FileFacts()
    assert facts.of(str(real / "a.txt"), str(tmp_path / "out"))["name"] == "a.txt"
    assert facts.of(str(real / "a.txt"), str(tmp_path / "other"))["name"] == "a.txt"


def test_a_file_is_read_once_until_it_changes(tmp_path, monkeypatch):
    reads = []
    real = file_facts.read_header
    monkeypatch.setattr(file_facts, "read_header", lambda path: reads.append(path) or real(path))
    path = tmp_path / "a.png"
    PIL.Image.new("RGB", (3, 2)).save(path)
    facts = FileFacts()
    first = facts.of(str(path), str(tmp_path))
    assert facts.of(str(path), str(tmp_path)) == first
    assert len(reads) == 1
    PIL.Image.new("RGB", (5, 2)).save(path)
    os.utime(path, (1, 1))
    assert facts.of(str(path), str(tmp_path))["width"] == 5
    assert len(reads) == 2


def test_only_so_many_files_are_remembered(tmp_path, monkeypatch):
    monkeypatch.setattr(file_facts, "KEPT", 2)
    facts = FileFacts()
    for name in "abc":
        (tmp_path / name).write_text(name)
        facts.of(str(tmp_path / name), str(tmp_path))
    assert len(facts._known) == 2


def test_a_file_that_is_gone_is_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.png cannot be read: No such file"):
        FileFacts().of(str(tmp_path / "gone.png"), str(tmp_path))
