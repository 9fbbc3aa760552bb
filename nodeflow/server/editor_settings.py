"""EditorSettings: what people set in the editor, one JSON object in a file of the data folder."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nodeflow.errors import WorkflowError
from nodeflow.job_events import SettingsChanged
from nodeflow.journal.journal import Journal
from nodeflow.reading import read_json
from nodeflow.server.operation import sentences
from nodeflow.server.preconditions import etag_of, quoted, require
from nodeflow.server.problems import HttpError
from nodeflow.server.whole_files import write_whole

NAME = "editor_settings.json"

MOST_BYTES = 256_000

PackName = Annotated[str, Field(min_length=1, max_length=200)]


class SettingsBody(BaseModel):
    """The editor's settings; the server knows one key and keeps all."""

    model_config = ConfigDict(extra="allow", strict=True)

    extensions: list[PackName] | None = Field(
        None, max_length=1000, description="Packs whose part in the editor is loaded."
    )


@dataclass(frozen=True)
class KeptSettings:
    """The settings as they are on disk.

    Attributes:
        text: Exactly the bytes of the file.
        etag: Tag of the text, without quotation marks.
    """

    text: bytes
    etag: str

    @property
    def body(self) -> SettingsBody:
        """What they say.

        Raises:
            HttpError: 409, somebody has damaged the file.
        """
        try:
            return read_settings(self.text)
        except HttpError as error:
            raise HttpError(
                409,
                f"The editor's settings in '{NAME}' of the data folder are damaged. "
                f"{error.detail} Mend the file, delete it, or write over it.",
                headers={"ETag": quoted(self.etag)},
                etag=self.etag,
            ) from error


class EditorSettings:
    """Reads and writes the settings. There always are some: at first an empty object.

    Reading blocks: call `read` from a thread. Writing is for the event loop.
    """

    def __init__(self, data: Path, journal: Journal) -> None:
        self._path = data / NAME
        self._journal = journal
        self._writing = asyncio.Lock()

    def read(self) -> KeptSettings:
        """The settings, which may be damaged.

        Raises:
            HttpError: 409, the file cannot be read.
        """
        try:
            text = self._path.read_bytes()
        except FileNotFoundError:
            text = b"{}"
        except OSError as error:
            raise HttpError(
                409, f"The editor's settings in '{NAME}' cannot be read: {error.strerror}."
            ) from error
        return KeptSettings(text, etag_of(text))

    async def write(self, text: bytes, if_match: str | None) -> str:
        """Keep other settings, and tell everybody; their tag is returned.

        Raises:
            HttpError: 400 or 422, they are no settings; 412 or 428 as `preconditions.require`
                says; 507, the disk cannot be written to.
        """
        await asyncio.to_thread(read_settings, text)
        async with self._writing:
            before = await asyncio.to_thread(self.read)
            require("The editor's settings object", before.etag, if_match, None)
            etag = etag_of(text)
            if etag == before.etag:
                return etag
            try:
                await asyncio.to_thread(write_whole, self._path, text)
            except OSError as error:
                raise HttpError(
                    507,
                    f"The editor's settings cannot be written: {error.strerror}. "
                    "See to the folder of the server's data.",
                ) from error
            await asyncio.wrap_future(self._journal.append([SettingsChanged(etag)]))
            return etag


def read_settings(text: bytes) -> SettingsBody:
    """Settings from JSON.

    Raises:
        HttpError: 400 if it is no JSON, 422 if it is another JSON.
    """
    try:
        data = read_json(text.decode(), "the settings")
    except UnicodeDecodeError as error:
        sentence = f"The settings are no UTF-8: byte {error.start} is none of a character."
        raise HttpError(400, sentence) from error
    except WorkflowError as error:
        sentence = error.problems[0].sentence.replace("It is", "The text of the settings is", 1)
        raise HttpError(400, sentence) from error
    try:
        return SettingsBody.model_validate(data)
    except ValidationError as error:
        raise HttpError(422, sentences(error, "the settings")) from error
