"""Thumbs: pictures made smaller or put into another format, once, and kept in the cache folder."""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, get_args

from PIL import Image

from nodeflow.errors import InputError
from nodeflow.pictures import PictureFormat, open_checked, read_header, read_workflow, write_picture

Format = Literal["webp", "jpeg", "png"]
FORMATS: tuple[Format, ...] = get_args(Format)

BUDGET = 1_000_000_000
"""Bytes that are kept; the oldest go first."""

_PILLOW: dict[Format, PictureFormat] = {"webp": "WEBP", "jpeg": "JPEG", "png": "PNG"}
_KEPT = 0.8
"""What is left of the budget after a clean-up, so that not every picture needs one."""

_LARGE = 16_000_000
"""Pictures of more pixels are decoded one at a time: each takes tens of megabytes."""


@dataclass(frozen=True)
class Wanted:
    """A form of a picture.

    Attributes:
        size: Of the longer side at most, in pixels; 0 for as large as it is.
        quality: 1 to 100, for WebP and JPEG.
    """

    format: Format = "webp"
    size: int = 0
    quality: int = 80

    def name(self, digest: str) -> str:
        """The file's name in the cache."""
        return f"{digest}-{self.size or 'full'}-{self.quality}.{self.format}"


class Thumbs:
    """Makes pictures in threads of its own; who asks for one in the making waits for that.

    Args:
        folder: Where they are kept; made when the first one is.
        budget: Bytes that are kept.
    """

    def __init__(self, folder: Path, budget: int = BUDGET) -> None:
        self._folder = folder
        self._budget = budget
        self._making: dict[str, asyncio.Future[Path]] = {}
        self._pool = ThreadPoolExecutor(2, "thumbs")
        self._large = threading.Lock()
        self._lock = threading.Lock()
        self._held: int | None = None

    async def get(self, source: Path, digest: str, wanted: Wanted) -> Path:
        """The file of a picture in the wanted form.

        Args:
            source: The picture itself.
            digest: Of its content; the same digest is never made twice.

        Raises:
            InputError: It is no picture, too large, or damaged.
            OSError: The cache folder cannot be written to.
        """
        name = wanted.name(digest)
        making = self._making.get(name)
        if making is None:
            loop = asyncio.get_running_loop()
            making = loop.run_in_executor(self._pool, self._find, source, name, wanted)
            self._making[name] = making
            making.add_done_callback(partial(self._made, name))
        # One who leaves does not take the picture from the others.
        return await asyncio.shield(making)

    def forget(self, digest: str) -> None:
        """Delete all forms of a picture."""
        for entry in self._kept():
            if entry.path.name.startswith(f"{digest}-"):
                with suppress(OSError):
                    entry.path.unlink()

    def _made(self, name: str, making: asyncio.Future[Path]) -> None:
        del self._making[name]
        if not making.cancelled():
            making.exception()  # whoever waited for it may have left

    def close(self) -> None:
        """Let go of the threads; what waits to be made is not made any more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _find(self, source: Path, name: str, wanted: Wanted) -> Path:
        path = self._folder / name
        if path.is_file():
            return path
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".unfinished-", dir=self._folder)
        try:
            with os.fdopen(handle, "wb") as file:
                picture, workflow = self._picture(source, wanted)
                kind = _PILLOW[wanted.format]
                try:
                    write_picture(file, picture, kind, workflow, wanted.quality)
                except InputError:
                    if not workflow:
                        raise
                    # The format has no room for so long a workflow; the picture is what counts.
                    file.seek(0)
                    file.truncate()
                    write_picture(file, picture, kind, "", wanted.quality)
                size = file.tell()
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        self._count(size)
        return path

    def _picture(self, source: Path, wanted: Wanted) -> tuple[Image.Image, str]:
        """The picture, and for one of full size the workflow in it."""
        header = read_header(source)
        with self._large if header.width * header.height > _LARGE else nullcontext():
            picture = _plain(open_checked(source))
            if not wanted.size:
                return picture, read_workflow(source) or ""
            largest = (wanted.size, wanted.size)
            picture.thumbnail(largest, Image.Resampling.LANCZOS, reducing_gap=2.0)
            return picture, ""

    def _count(self, size: int) -> None:
        """Keep within the budget."""
        with self._lock:
            self._held = (
                sum(entry.size for entry in self._kept())
                if self._held is None
                else self._held + size
            )
            if self._held <= self._budget:
                return
            for entry in sorted(self._kept(), key=lambda entry: entry.made):
                if self._held <= self._budget * _KEPT:
                    break
                with suppress(OSError):
                    entry.path.unlink()
                    self._held -= entry.size

    def _kept(self) -> Iterator[_Kept]:
        with suppress(OSError), os.scandir(self._folder) as entries:
            for entry in entries:
                with suppress(OSError):
                    found = entry.stat(follow_symlinks=False)
                    yield _Kept(Path(entry.path), found.st_size, found.st_mtime)


@dataclass(frozen=True)
class _Kept:
    path: Path
    size: int
    made: float


def _plain(picture: Image.Image) -> Image.Image:
    """The picture in a mode that every format can hold."""
    if picture.mode in ("L", "RGB", "RGBA"):
        return picture
    if picture.mode.startswith("I"):
        # Sixteen bits, which Pillow would clip to eight.
        return picture.convert("I").point(lambda value: value / 256).convert("L")
    clear = "transparency" in picture.info or picture.mode in ("LA", "PA", "La", "RGBa")
    return picture.convert("RGBA" if clear else "RGB")
