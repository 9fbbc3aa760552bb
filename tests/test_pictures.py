"""`nodeflow.pictures`: hostile files are refused before decoding, workflows come back unchanged."""

from __future__ import annotations

import io
import json
import struct
import zlib
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from nodeflow import InputError
from nodeflow.pictures import (
    SUFFIXES,
    PictureFormat,
    open_checked,
    read_workflow,
    write_picture,
)

FORMATS: tuple[PictureFormat, ...] = ("PNG", "JPEG", "WEBP")
WORKFLOW = json.dumps({"nodeflow": 1, "name": "Äpfel 🍎"}, ensure_ascii=False)


def picture(mode: str = "RGB", size: tuple[int, int] = (9, 6)) -> Image.Image:
    random = Random(3)
    channels = len(Image.new(mode, (1, 1)).getbands())
    return Image.frombytes(mode, size, random.randbytes(size[0] * size[1] * channels))


def encoded(format: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture().save(file, format, **options)  # type: ignore[arg-type]  # options of each format
    return file.getvalue()


def png(width: int, height: int, data: bytes) -> bytes:
    """A grey 8-bit PNG whose header may say anything."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_what_is_written_opens_with_pillow_and_holds_the_workflow(
    tmp_path: Path, format: PictureFormat, mode: str
) -> None:
    path = tmp_path / f"picture{SUFFIXES[format]}"
    with path.open("wb") as file:
        write_picture(file, picture(mode), format, WORKFLOW)
    with Image.open(path) as opened:
        assert (opened.format, opened.size) == (format, (9, 6))
    assert read_workflow(path) == WORKFLOW


@pytest.mark.parametrize(("format", "mode"), [("PNG", "L"), ("PNG", "RGBA"), ("WEBP", "RGBA")])
def test_png_and_webp_at_quality_100_lose_nothing(format: PictureFormat, mode: str) -> None:
    file = io.BytesIO()
    write_picture(file, picture(mode), format, quality=100)
    assert open_checked(file_at_start(file)).tobytes() == picture(mode).tobytes()


def file_at_start(file: io.BytesIO) -> io.BytesIO:
    file.seek(0)
    return file


def test_a_jpeg_of_a_transparent_picture_lies_over_white() -> None:
    file = io.BytesIO()
    write_picture(file, Image.new("RGBA", (8, 8), (0, 0, 0, 0)), "JPEG")
    assert open_checked(file_at_start(file)).getpixel((4, 4)) == (255, 255, 255)


def test_a_png_holds_the_workflow_under_the_name_other_programs_can_read(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with path.open("wb") as file:
        write_picture(file, picture(), "PNG", WORKFLOW)
    with Image.open(path) as opened:
        assert opened.info["nodeflow"] == WORKFLOW


@pytest.mark.parametrize("format", FORMATS)
def test_a_workflow_of_a_megabyte_comes_back(tmp_path: Path, format: PictureFormat) -> None:
    workflow = json.dumps({str(i): {"type": "logic.integer", "inputs": {}} for i in range(20_000)})
    path = tmp_path / "long"
    with path.open("wb") as file:
        write_picture(file, picture(), format, workflow)
    assert read_workflow(path) == workflow


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_any_text_comes_back_from_exif(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jpg"
    with path.open("wb") as file:
        write_picture(file, Image.new("L", (1, 1)), "JPEG", text)
    assert read_workflow(path) == text


def test_a_workflow_that_no_jpeg_can_hold_is_refused_with_a_way_out() -> None:
    noise = Random(0).randbytes(80_000).hex()
    with pytest.raises(InputError, match="160 kB does not fit into a JPEG file; save as PNG"):
        write_picture(io.BytesIO(), picture(), "JPEG", noise)


def test_a_picture_too_long_for_webp_is_refused_with_a_way_out() -> None:
    with pytest.raises(InputError, match=r"16384 x 1 does not fit into WEBP.*save it as PNG"):
        write_picture(io.BytesIO(), Image.new("L", (16_384, 1)), "WEBP")


@pytest.mark.parametrize("format", FORMATS)
def test_a_picture_of_another_program_has_no_workflow(tmp_path: Path, format: str) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0odd"
    path = tmp_path / "foreign"
    path.write_bytes(encoded(format, exif=exif))
    assert read_workflow(path) is None


def test_a_workflow_in_a_text_chunk_written_by_other_tools_is_read(tmp_path: Path) -> None:
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("nodeflow", '{"nodeflow": 1}')
    path = tmp_path / "a.png"
    path.write_bytes(encoded("PNG", pnginfo=chunks))
    assert read_workflow(path) == '{"nodeflow": 1}'


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_formats_people_use_are_opened(format: str) -> None:
    assert open_checked(io.BytesIO(encoded(format))).size == (9, 6)


@pytest.mark.parametrize("content", [b"", b"P6 1 1 255 abc", b"%!PS-Adobe-3.0 EPSF-3.0", b"<svg/>"])
def test_other_formats_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.png"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"'odd.png' is not a PNG, JPEG, WebP, GIF or BMP"):
        open_checked(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere.png' cannot be opened: No such file"):
        open_checked(tmp_path / "nowhere.png")


def test_a_header_over_the_limit_is_refused_before_decoding() -> None:
    bomb = png(20_000, 20_000, zlib.compress(bytes(100)))
    with pytest.raises(InputError, match="20000 x 20000, more than the limit of 256 megapixels"):
        open_checked(io.BytesIO(bomb))


def test_a_webp_over_pillows_own_limit_is_called_too_large_and_not_damaged() -> None:
    data = bytearray(encoded("WEBP", lossless=True))
    data[21:25] = struct.pack("<I", 16_382 | 16_382 << 14)
    with pytest.raises(InputError, match="has too many pixels to be opened; make it smaller"):
        open_checked(io.BytesIO(data))


def test_the_limit_can_be_set_and_a_picture_at_the_limit_passes() -> None:
    data = encoded("PNG")
    assert open_checked(io.BytesIO(data), max_pixels=54).size == (9, 6)
    with pytest.raises(InputError, match=r"9 x 6, more than the limit of 5.3e-05 megapixels"):
        open_checked(io.BytesIO(data), max_pixels=53)


def test_a_png_that_lies_about_its_size_is_refused() -> None:
    with pytest.raises(InputError, match=r"says it is 15000 x 15000, but its .* cannot hold"):
        open_checked(io.BytesIO(png(15_000, 15_000, zlib.compress(bytes(100)))))
    with pytest.raises(InputError, match="damaged or cut off"):
        open_checked(io.BytesIO(png(100, 100, zlib.compress(bytes(100)))))


def test_a_true_picture_that_packs_extremely_well_is_not_taken_for_a_lie() -> None:
    file = io.BytesIO()
    Image.new("L", (4000, 4000)).save(file, "PNG", compress_level=9)
    assert open_checked(file_at_start(file)).size == (4000, 4000)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_a_file_cut_off_anywhere_is_refused_with_a_sentence(format: str) -> None:
    data = encoded(format)
    for length in range(9, len(data) * 3 // 4, 5):
        with pytest.raises(InputError, match=r"damaged or cut off|cannot hold"):
            open_checked(io.BytesIO(data[:length]))


@given(st.data())
def test_damaged_bytes_give_a_picture_or_a_sentence(data: st.DataObject) -> None:
    whole = bytearray(encoded(data.draw(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP"]))))
    for place in data.draw(st.lists(st.integers(8, len(whole) - 1), min_size=1, max_size=5)):
        whole[place] = data.draw(st.integers(0, 255))
    try:
        assert open_checked(io.BytesIO(bytes(whole)), max_pixels=10_000).size
    except InputError:
        return  # any other exception fails the test


def test_exif_orientation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = open_checked(io.BytesIO(encoded("PNG", exif=exif)))
    assert upright.tobytes() == picture().transpose(Image.Transpose.ROTATE_270).tobytes()
