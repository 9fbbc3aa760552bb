"""Names that clients give to files become names that any file system takes."""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodeflow.server.upload_files import Arriving, keep, remove_unfinished, safe_stem


@pytest.mark.parametrize(
    ("given", "stem"),
    [
        ("cat.png", "cat"),
        ("My Cat (1).jpeg", "My_Cat_(1)"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\win.ini", "win"),
        ("C:\\Users\\me\\cat.png", "cat"),
        ("a\0b\r\nc.png", "a_b_c"),
        (".hidden.png", "hidden"),
        ("...", "upload"),
        ("", "upload"),
        ("/", "upload"),
        ("ä\u0308.png", "ä\u0308"),
        ("a\u0308.png", "ä"),
        ("\u202egnp.exe", "gnp"),
        ("\udc80x.png", "x"),
        ("con.png", "con"),
        ("100%#.png", "100"),
        ("My%20%22cat%22.png", "My_cat"),
        ("..%2f..%2fetc%2fpasswd", "passwd"),
    ],
)
def test_known_troublemakers(given, stem):
    assert safe_stem(given) == stem


@given(st.text(max_size=400))
def test_no_name_leads_anywhere_or_is_too_long(given):
    stem = safe_stem(given)
    assert stem
    assert not set(stem) & set('/\\\0\n\r<>:"|?*%#')
    assert not stem.startswith(".")
    assert len(f"{stem}-{'0' * 32}.webp".encode()) <= 200
    assert safe_stem(stem + ".png") == stem


def arrived(folder, content, name="cat.png"):
    arriving = Arriving(folder)
    arriving.write(content)
    return arriving.finish(name)


BMP = b"BM" + (58).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little")
BMP += (40).to_bytes(4, "little") + (1).to_bytes(4, "little") * 2 + b"\1\0\x18\0" + bytes(24)


def test_two_files_whose_short_digests_are_equal_stay_two(tmp_path):
    draft = arrived(tmp_path, BMP + b"\0\0\0\0")
    (tmp_path / f"cat-{draft.digest[:8]}.bmp").write_bytes(b"another content")
    (kept,) = keep([draft], tmp_path)
    assert kept.name == f"uploads/cat-{draft.digest}.bmp"
    assert kept.new
    (again,) = keep([arrived(tmp_path, BMP + b"\0\0\0\0", "dog.png")], tmp_path)
    assert again == type(again)(kept.name, new=False)


def test_only_old_unfinished_files_are_removed(tmp_path):
    old, young = tmp_path / ".unfinished-old", tmp_path / ".unfinished-young"
    for path in (old, young, tmp_path / "cat-1.png"):
        path.write_bytes(b"x")
    os.utime(old, (time.time() - 7200,) * 2)
    os.utime(tmp_path / "cat-1.png", (0, 0))
    remove_unfinished(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".unfinished-young", "cat-1.png"]
    remove_unfinished(tmp_path / "nowhere")
