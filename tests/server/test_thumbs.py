"""Smaller pictures are made once, kept, and thrown away when there are too many."""

from __future__ import annotations

import asyncio
import os
import struct
import threading
import zlib

import pytest
from PIL import Image

from nodeflow.errors import InputError
from nodeflow.pictures import TooLargeError, read_workflow, write_picture
from nodeflow.server import thumbs as module
from nodeflow.server.thumbs import Thumbs, Wanted


@pytest.fixture
def thumbs(tmp_path):
    thumbs = Thumbs(tmp_path / "cache" / "thumbs")
    yield thumbs
    thumbs.close()


def picture(path, size=(300, 200), mode="RGB", workflow="", **how):
    with path.open("wb") as file:
        if how or mode not in ("L", "RGB", "RGBA"):
            Image.new(mode, size).save(file, **how)
        else:
            write_picture(file, Image.new(mode, size, "red"), "PNG", workflow)
    return path


def bomb(path, width=20_000, height=20_000):
    """A PNG whose header says more than there is."""

    def chunk(kind, data):
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    text = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + text)
    return path


async def test_the_longer_side_is_as_wanted_and_the_rest_follows(thumbs, tmp_path):
    source = picture(tmp_path / "a.png", (300, 200), workflow='{"nodeflow": 1}')
    made = await thumbs.get(source, "d1", Wanted("webp", 150))
    with Image.open(made) as small:
        assert small.format == "WEBP"
        assert small.size == (150, 100)
    assert read_workflow(made) is None
    larger = await thumbs.get(source, "d1", Wanted("png", 1024))
    with Image.open(larger) as same:
        assert same.size == (300, 200)


@pytest.mark.parametrize("format", ["webp", "jpeg", "png"])
async def test_another_format_of_full_size_keeps_the_workflow(thumbs, tmp_path, format):
    source = picture(tmp_path / "a.png", mode="RGBA", workflow='{"nodeflow": 1}')
    made = await thumbs.get(source, "d1", Wanted(format))
    with Image.open(made) as other:
        assert other.format == format.upper()
        assert other.size == (300, 200)
    assert read_workflow(made) == '{"nodeflow": 1}'


async def test_a_workflow_that_does_not_fit_is_left_out(thumbs, tmp_path):
    workflow = os.urandom(100_000).hex()
    source = picture(tmp_path / "a.png", workflow=workflow)
    made = await thumbs.get(source, "d1", Wanted("jpeg"))
    assert read_workflow(made) is None
    with Image.open(made) as other:
        other.load()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "CMYK", "RGBA"])
@pytest.mark.parametrize("format", ["webp", "jpeg"])
async def test_every_kind_of_picture_has_a_thumb(thumbs, tmp_path, mode, format):
    kind = "JPEG" if mode == "CMYK" else "PNG"
    source = picture(tmp_path / "a.bin", mode=mode, format=kind)
    made = await thumbs.get(source, f"{mode}", Wanted(format, 64))
    with Image.open(made) as small:
        assert small.size == (64, 43)


async def test_sixteen_bits_become_eight_and_not_white(thumbs, tmp_path):
    source = tmp_path / "deep.png"
    Image.new("I;16", (40, 40), 32_768).save(source)
    with Image.open(await thumbs.get(source, "deep", Wanted("png", 20))) as small:
        assert small.getpixel((10, 10)) == 128


async def test_a_turned_picture_stands_upright(thumbs, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    source = picture(tmp_path / "a.jpg", (300, 200), format="JPEG", exif=exif)
    with Image.open(await thumbs.get(source, "d1", Wanted("webp", 150))) as small:
        assert small.size == (100, 150)


async def test_many_who_want_one_picture_have_it_made_once(thumbs, tmp_path, monkeypatch):
    source = picture(tmp_path / "a.png")
    made, real = [], module.open_checked
    monkeypatch.setattr(module, "open_checked", lambda path: made.append(path) or real(path))
    wanted = Wanted("webp", 100)
    paths = await asyncio.gather(*(thumbs.get(source, "d1", wanted) for _ in range(50)))
    assert len(set(paths)) == 1
    await thumbs.get(source, "d1", wanted)
    assert len(made) == 1


async def test_one_who_leaves_does_not_spoil_it_for_the_others(thumbs, tmp_path, monkeypatch):
    source = picture(tmp_path / "a.png")
    go, real = threading.Event(), module.open_checked
    monkeypatch.setattr(module, "open_checked", lambda path: go.wait(5) and real(path))
    first = asyncio.create_task(thumbs.get(source, "d1", Wanted()))
    second = asyncio.create_task(thumbs.get(source, "d1", Wanted()))
    await asyncio.sleep(0.05)
    first.cancel()
    go.set()
    assert (await second).is_file()
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_the_oldest_go_when_there_are_too_many(tmp_path):
    thumbs = Thumbs(tmp_path / "thumbs", budget=3_000)
    try:
        for number in range(40):
            source = tmp_path / f"{number}.png"
            Image.frombytes("RGB", (16, 16), os.urandom(768)).save(source)
            made = await thumbs.get(source, f"d{number:02d}", Wanted("png"))
            os.utime(made, (number, number))
    finally:
        thumbs.close()
    left = sorted(path.name[:3] for path in (tmp_path / "thumbs").iterdir())
    assert sum(path.stat().st_size for path in (tmp_path / "thumbs").iterdir()) <= 3_000
    assert left == [f"d{number}" for number in range(40 - len(left), 40)]
    assert left


async def test_too_many_pixels_are_refused_before_any_is_decoded(thumbs, tmp_path):
    with pytest.raises(TooLargeError, match=r"limit of 256 megapixels"):
        await thumbs.get(bomb(tmp_path / "bomb.png"), "d1", Wanted("webp", 64))
    with pytest.raises(InputError, match="cannot hold so many pixels"):
        await thumbs.get(bomb(tmp_path / "lie.png", 15_000, 15_000), "d2", Wanted("webp", 64))
    assert list((tmp_path / "cache" / "thumbs").iterdir()) == []


async def test_a_damaged_picture_leaves_nothing_and_can_be_asked_for_again(thumbs, tmp_path):
    source = tmp_path / "cut.png"
    whole = picture(tmp_path / "a.png").read_bytes()
    source.write_bytes(whole[: len(whole) // 2])
    for _ in range(2):
        with pytest.raises(InputError, match="damaged or cut off"):
            await thumbs.get(source, "d1", Wanted("webp", 64))
    assert list((tmp_path / "cache" / "thumbs").iterdir()) == []
    source.write_bytes(whole)
    assert (await thumbs.get(source, "d1", Wanted("webp", 64))).is_file()
