"""Picture files: opened only after their header was checked, written with the workflow inside.

A PNG carries the workflow in an iTXt chunk named `nodeflow`; JPEG and WebP carry it in the EXIF tag
UserComment (0x9286). Needs Pillow only, so the command line reads a picture without torch.
"""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Literal, TypeAlias

from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from nodeflow.errors import InputError

PictureFormat: TypeAlias = Literal["PNG", "JPEG", "WEBP"]

MAX_PIXELS: Final = 256_000_000
SUFFIXES: Final[dict[PictureFormat, str]] = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp"}

_READERS: Final[dict[bytes, type[ImageFile.ImageFile]]] = {
    b"\x89PNG\r\n\x1a\n": PngImagePlugin.PngImageFile,
    b"\xff\xd8\xff": JpegImagePlugin.JpegImageFile,
    b"RIFF": WebPImagePlugin.WebPImageFile,
    b"GIF8": GifImagePlugin.GifImageFile,
    b"BM": BmpImagePlugin.BmpImageFile,
}
# Each is what some Pillow decoder raises over bytes that are not what they claim to be.
_BROKEN: Final = (
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    EOFError,
    OverflowError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
_MEDIA_TYPES: Final = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
}
_LONGEST_SIDE: Final = {"JPEG": 65_500, "WEBP": 16_383}
# deflate cannot do better than 1032 bytes out of one (zlib's technical details).
_MOST_DEFLATED: Final = 1032
_PNG_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}

_KEY: Final = "nodeflow"
_ORIENTATION: Final = 0x0112
_EXIF_IFD: Final = 0x8769
_USER_COMMENT: Final = 0x9286
# A JPEG segment holds 65,533 bytes; the rest of the EXIF block needs a few dozen.
_COMMENT_ROOM: Final = 65_000
_LONGEST_WORKFLOW: Final = 64 << 20
_PREFIX: Final = "nodeflow:"
_ASCII, _UNICODE, _DEFLATED = b"ASCII\0\0\0", b"UNICODE\0", b"\0\0\0\0\0\0\0\0nodeflow-zlib:"


class TooLargeError(InputError):
    """A picture has more pixels than are accepted; it is not damaged."""


def open_checked(source: Path | IO[bytes], max_pixels: int = MAX_PIXELS) -> Image.Image:
    """The first picture of a file, decoded and turned upright as its EXIF orientation says.

    The format (PNG, JPEG, WebP, GIF, BMP) and the size in the header are checked before a pixel is
    decoded.

    Args:
        source: A file's path, or an open binary file that can seek.
        max_pixels: Width times height that is decoded at most.

    Raises:
        InputError: No such file, another format, too many pixels, damaged or cut off.
    """
    if isinstance(source, Path):
        with _open(source) as file:
            return _decode(file, f"the picture '{source.name}'", max_pixels)
    return _decode(source, "the picture", max_pixels)


@dataclass(frozen=True)
class PictureHeader:
    """What a picture's header says; width and height are those of the upright picture."""

    media_type: str
    width: int
    height: int


def read_header(path: Path, max_pixels: int = MAX_PIXELS) -> PictureHeader:
    """What a picture's file is, without decoding it.

    Args:
        path: A PNG, JPEG, WebP, GIF or BMP file.
        max_pixels: Width times height that is accepted.

    Raises:
        InputError: As for `open_checked`, except for damage below the header.
    """
    with _open(path) as file:
        name = f"the picture '{path.name}'"
        picture = _read_header(file, name)
        _refuse_too_large(picture, name, max_pixels)
        if picture.format == "PNG":
            _refuse_lying_png(file, name)
        width, height = picture.size
        try:
            turned = picture.getexif().get(_ORIENTATION) in (5, 6, 7, 8)
        except _BROKEN as error:
            raise _damaged(name, error) from error
        if turned:
            width, height = height, width
        return PictureHeader(_MEDIA_TYPES[str(picture.format)], width, height)


def read_workflow(path: Path) -> str | None:
    """The workflow that nodeflow embedded in a picture, as JSON; None if there is none.

    Raises:
        InputError: The file cannot be read as a picture.
    """
    name = f"the picture '{path.name}'"
    with _open(path) as file:
        picture = _read_header(file, name)
        try:
            text = picture.info.get(_KEY)
            if isinstance(text, str):
                return str(text)
            comment = picture.getexif().get_ifd(_EXIF_IFD).get(_USER_COMMENT)
            return _from_comment(comment) if isinstance(comment, bytes) else None
        except _BROKEN as error:
            raise _damaged(name, error) from error


def write_picture(
    file: IO[bytes],
    picture: Image.Image,
    format: PictureFormat,
    workflow: str = "",
    quality: int = 90,
) -> None:
    """Write `picture` with the workflow inside.

    Args:
        file: An open binary file.
        picture: Of mode L, RGB or RGBA; a JPEG, which has no alpha, is laid over white.
        format: PNG is without loss, and so is WebP at quality 100.
        workflow: JSON to embed; nothing is embedded if it is empty.
        quality: 1 to 100, for JPEG and WebP.

    Raises:
        InputError: The format cannot hold a picture so large, or a workflow so long.
    """
    longest = max(picture.size)
    if longest > _LONGEST_SIDE.get(format, longest):
        raise InputError(
            f"a picture of {picture.width} x {picture.height} does not fit into {format}, "
            f"whose sides end at {_LONGEST_SIDE[format]} pixels; save it as PNG"
        )
    if format == "PNG":
        chunks = PngImagePlugin.PngInfo()
        if workflow:
            chunks.add_itxt(_KEY, workflow)
        picture.save(file, "PNG", pnginfo=chunks)
        return
    exif = Image.Exif()
    if workflow:
        exif.get_ifd(_EXIF_IFD)[_USER_COMMENT] = _to_comment(workflow, format)
    if format == "JPEG":
        # Above 92 the loss of halved colour planes would be what one sees first.
        sampling = "4:4:4" if quality > 92 else "4:2:0"
        _opaque(picture).save(file, "JPEG", quality=quality, exif=exif, subsampling=sampling)
    else:
        # `exact` keeps the colour of fully transparent pixels, as PNG does.
        lossless = quality == 100
        picture.save(file, "WEBP", quality=quality, lossless=lossless, exact=lossless, exif=exif)


def _open(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"the picture '{path}' cannot be opened: {reason}") from error


def _decode(file: IO[bytes], name: str, max_pixels: int) -> Image.Image:
    picture = _read_header(file, name)
    _refuse_too_large(picture, name, max_pixels)
    if picture.format == "PNG":
        _refuse_lying_png(file, name)
    try:
        picture.load()
        ImageOps.exif_transpose(picture, in_place=True)
        return picture
    except _BROKEN as error:
        raise _damaged(name, error) from error


def _read_header(file: IO[bytes], name: str) -> ImageFile.ImageFile:
    start = file.read(8)
    file.seek(0)
    reader = next((_READERS[magic] for magic in _READERS if start.startswith(magic)), None)
    if reader is None:
        raise InputError(f"{name} is not a PNG, JPEG, WebP, GIF or BMP file; convert it first")
    try:
        # Not Image.open: its own limit of pixels is one global for the whole process.
        return reader(file)
    except _BROKEN as error:
        raise _damaged(name, error) from error


def _refuse_too_large(picture: Image.Image, name: str, max_pixels: int) -> None:
    width, height = picture.size
    if width * height > max_pixels:
        raise TooLargeError(
            f"{name} says it is {width} x {height}, more than the limit of "
            f"{max_pixels / 1e6:g} megapixels; make it smaller first"
        )


def _refuse_lying_png(file: IO[bytes], name: str) -> None:
    """Refuse a header that promises more pixels than the file's bytes can unpack to."""
    place = file.tell()
    file.seek(16)
    width, height, depth, colour = struct.unpack(">IIBB", file.read(10))
    size = file.seek(0, 2)
    file.seek(place)
    needed = height * (width * depth * _PNG_CHANNELS.get(colour, 1) // 8)
    if needed > size * _MOST_DEFLATED:
        raise InputError(
            f"{name} says it is {width} x {height}, but its {size} bytes cannot hold so many "
            "pixels; the file is damaged or made to do harm"
        )


def _damaged(name: str, error: BaseException) -> InputError:
    if isinstance(error, Image.DecompressionBombError):
        # Pillow keeps a limit of its own for WebP, below ours.
        return InputError(
            f"{name} has too many pixels to be opened; make it smaller first ({error})"
        )
    return InputError(f"{name} is damaged or cut off ({error}); get a whole copy of it")


def _opaque(picture: Image.Image) -> Image.Image:
    if picture.mode != "RGBA":
        return picture
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture).convert("RGB")


def _to_comment(workflow: str, format: PictureFormat) -> bytes:
    """A UserComment: charset in 8 bytes, then text; deflated if it would not fit otherwise."""
    text = _PREFIX + workflow
    comment = (
        _ASCII + text.encode("ascii") if text.isascii() else _UNICODE + text.encode("utf-16-le")
    )
    if len(comment) > _COMMENT_ROOM:
        comment = _DEFLATED + zlib.compress(workflow.encode(), 9)
    if len(comment) > _COMMENT_ROOM:
        raise InputError(
            f"the workflow of {len(workflow) // 1000} kB does not fit into a {format} file; "
            "save as PNG, or turn embedding off"
        )
    return comment


def _from_comment(comment: bytes) -> str | None:
    if comment.startswith(_DEFLATED):
        inflater = zlib.decompressobj()
        data = inflater.decompress(comment[len(_DEFLATED) :], _LONGEST_WORKFLOW)
        return data.decode()
    charset, body = comment[:8], comment[8:]
    encoding = {_ASCII: "ascii", _UNICODE: "utf-16-le"}.get(charset)
    text = ""
    if encoding is not None:
        # A comment of another program may be anything.
        with suppress(UnicodeDecodeError):
            text = body.decode(encoding)
    return text.removeprefix(_PREFIX) if text.startswith(_PREFIX) else None
