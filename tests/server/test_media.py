"""A file is served as what it is; what could run in a browser is an attachment."""

from __future__ import annotations

import pytest

from nodeflow.server.media import OCTETS, disposition, served_as

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("a.png", PNG, "image/png"),
        ("a.html", PNG, "image/png"),
        ("a.jpg", b"\xff\xd8\xff\xe0", "image/jpeg"),
        ("a.webp", b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        ("a.gif", b"GIF89a", "image/gif"),
        ("a.bmp", b"BM\0\0", "image/bmp"),
        ("a.avif", b"\0\0\0\x1cftypavif", "image/avif"),
        ("a.mp4", b"\0\0\0\x1cftypisom", "video/mp4"),
        ("a.webm", b"\x1a\x45\xdf\xa3", "video/webm"),
        ("a.wav", b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"),
        ("a.flac", b"fLaC", "audio/flac"),
        ("a.json", b'{"a": "\xc3\xa4"}', "application/json"),
        ("a.txt", b"<script>alert(1)</script>", "text/plain"),
        ("a.txt", b"x" * 4095 + "ä".encode(), "text/plain"),
        ("a.csv", b"a,b", "text/plain"),
    ],
)
def test_known_safe_types_are_shown(tmp_path, name, content, media_type):
    path = tmp_path / name
    path.write_bytes(content)
    served = served_as(path)
    assert served.media_type == media_type
    assert served.inline


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.html", b"<html><script>alert(1)</script>"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("a.png", b"<html>"),
        ("a.xml", b"<?xml version='1.0'?>"),
        ("a.js", b"alert(1)"),
        ("a.pdf", b"%PDF-1.7"),
        ("a.txt", b"\xff\xfe\x00binary"),
        ("a.json", b"\0"),
        ("a", b"text"),
        ("a.safetensors", b"\x08\0\0\0\0\0\0\0{}"),
        ("empty.png", b""),
    ],
)
def test_everything_else_is_an_attachment_of_unknown_type(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    served = served_as(path)
    assert served.media_type == OCTETS
    assert not served.inline


def test_texts_say_their_encoding(tmp_path):
    path = tmp_path / "a.md"
    path.write_text("ä")
    assert served_as(path).content_type == "text/plain; charset=utf-8"
    path = tmp_path / "a.json"
    path.write_text("{}")
    assert served_as(path).content_type == "application/json"


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("cat_0001.png", 'inline; filename="cat_0001.png"'),
        ("a b.png", 'inline; filename="a b.png"'),
        ("ä.png", "inline; filename=\"_.png\"; filename*=UTF-8''%C3%A4.png"),
        ('a"b\\c/d\r\ne.png', 'inline; filename="a_b_c_d__e.png"'),
        ("100%.png", "inline; filename=\"100_.png\"; filename*=UTF-8''100%25.png"),
        ("", 'inline; filename="file"'),
    ],
)
def test_names_in_headers_can_do_no_harm(name, header):
    assert disposition(name, attachment=False) == header
    assert disposition(name, attachment=True) == header.replace("inline", "attachment", 1)
