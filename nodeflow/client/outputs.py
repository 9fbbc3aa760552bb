"""Outputs of a job: JSON values, or files that are fetched when they are wanted."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, Generic, TypeVar

from nodeflow.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

Fetch = Callable[[str, IO[bytes]], None]
"""Write the content of this digest into an open file."""
FetchLater = Callable[[str, IO[bytes]], Awaitable[None]]


@dataclass(frozen=True)
class FileFacts:
    """What is known of a file that a job made.

    Attributes:
        digest: Names the content, for ever.
        name: As the job called it; may have folders.
        width, height: Of a picture.
    """

    digest: str
    name: str
    media_type: str
    size: int
    width: int | None = None
    height: int | None = None

    def target(self, path: str | os.PathLike[str]) -> Path:
        """Where `save` writes: the path, or a file of this name in it if it is a folder."""
        place = Path(path)
        return place / PurePosixPath(self.name).name if place.is_dir() else place


@dataclass(frozen=True)
class ResultFile(FileFacts):
    """A file that a job made."""

    fetch: Fetch = field(kw_only=True, repr=False, compare=False)

    def bytes(self) -> bytes:
        """The content."""
        buffer = io.BytesIO()
        self.fetch(self.digest, buffer)
        return buffer.getvalue()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the content to a file, or under its own name into a folder; where it is then."""
        target = self.target(path)
        with whole_file(target) as file:
            self.fetch(self.digest, file)
        return target

    def image(self) -> Image:
        """The content as a picture of Pillow."""
        return opened(self.bytes())


@dataclass(frozen=True)
class AsyncResultFile(FileFacts):
    """A file that a job made, for async code."""

    fetch: FetchLater = field(kw_only=True, repr=False, compare=False)

    async def bytes(self) -> bytes:
        """The content."""
        buffer = io.BytesIO()
        await self.fetch(self.digest, buffer)
        return buffer.getvalue()

    async def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the content to a file, or under its own name into a folder; where it is then."""
        target = self.target(path)
        with whole_file(target) as file:
            await self.fetch(self.digest, file)
        return target

    async def image(self) -> Image:
        """The content as a picture of Pillow."""
        return opened(await self.bytes())


F = TypeVar("F", bound=FileFacts)


@dataclass(frozen=True)
class Output(Generic[F]):
    """One exposed output.

    Attributes:
        said: What the server says of it: `value`, `files`, or only the `type` of what cannot be
            shown.
        files: Pictures and other files.
    """

    said: Mapping[str, Any]
    files: tuple[F, ...] = ()

    @property
    def value(self) -> Any:
        """What it is, if it is JSON; else None."""
        return self.said.get("value")

    @property
    def file(self) -> F:
        """Its only file.

        Raises:
            InputError: It has none, or several.
        """
        if len(self.files) != 1:
            what = f"{len(self.files)} files; take one of `.files`" if self.files else "no file"
            raise InputError(f"this output has {what}" + ("" if self.files else "; see `.value`"))
        return self.files[0]


class SyncOutput(Output[ResultFile]):
    """One exposed output; what its only file can do, it can do too."""

    def bytes(self) -> bytes:
        """The content of its only file."""
        return self.file.bytes()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write its only file to a path or into a folder; where it is then."""
        return self.file.save(path)

    def image(self) -> Image:
        """Its only file as a picture of Pillow."""
        return self.file.image()


class AsyncOutput(Output[AsyncResultFile]):
    """One exposed output, for async code; what its only file can do, it can do too."""

    async def bytes(self) -> bytes:
        """The content of its only file."""
        return await self.file.bytes()

    async def save(self, path: str | os.PathLike[str]) -> Path:
        """Write its only file to a path or into a folder; where it is then."""
        return await self.file.save(path)

    async def image(self) -> Image:
        """Its only file as a picture of Pillow."""
        return await self.file.image()


def file_facts(data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `FileFacts`, from JSON."""
    return {
        "digest": data["digest"],
        "name": data["name"],
        "media_type": data.get("media_type") or "application/octet-stream",
        "size": data.get("size") or 0,
        "width": data.get("width"),
        "height": data.get("height"),
    }


def opened(content: bytes) -> Image:
    """A picture from its bytes.

    Raises:
        InputError: It is none.
    """
    # Not at the top: Pillow is slow to import, and few who fetch a file look into it.
    from nodeflow.pictures import open_checked

    return open_checked(io.BytesIO(content))


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file open for writing that gets its name only once it is whole."""
    handle, temporary = tempfile.mkstemp(prefix=".unfinished-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
