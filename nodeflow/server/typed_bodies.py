"""Typed bodies: the inputs of a run, from JSON or from a form with files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

from aiohttp import BodyPartReader, web
from pydantic import JsonValue

from nodeflow.errors import InputError, Problem, WorkflowError
from nodeflow.findings import escape
from nodeflow.literals import from_text
from nodeflow.pictures import TooLargeError
from nodeflow.reading import read_json
from nodeflow.server.problems import HttpError
from nodeflow.server.typed_schema import TypedInput, TypedWorkflow
from nodeflow.server.upload_files import Arriving, Draft, keep

MAX_INPUTS = 1 << 20
"""Bytes of all inputs together, without files."""

MAX_FILES = 512_000_000
"""Bytes of all files of a form."""

_BLOCK = 1 << 20
_MOST_PARTS = 1000


def read_inputs(text: bytes) -> dict[str, JsonValue]:
    """The inputs of a JSON body; none if the body is empty.

    Raises:
        HttpError: 400 if it is no JSON, 413 if it is too long, 422 if it is no object.
    """
    if len(text) > MAX_INPUTS:
        raise HttpError(
            413,
            f"The inputs have {len(text)} bytes; {MAX_INPUTS} is the limit. Send pictures as "
            "files, with multipart/form-data.",
        )
    if not text.strip():
        return {}
    try:
        data = read_json(text, "the body")
    except WorkflowError as error:
        sentence = error.problems[0].sentence.replace("It is", "The body is", 1)
        raise HttpError(400, sentence) from error
    if not isinstance(data, dict):
        raise HttpError(422, 'The body has to be an object with the inputs: {"name": value, ...}.')
    return data


class FormInputs:
    """The inputs of a form. Files are kept like uploads, once nothing is wrong with the rest.

    Args:
        folder: Of uploads.
    """

    def __init__(self, typed: TypedWorkflow, folder: Path) -> None:
        self._typed = typed
        self._folder = folder
        self._arrived: list[Arriving] = []
        self._drafts: dict[str, Draft] = {}
        self._length = 0
        self.values: dict[str, JsonValue] = {}
        self.problems: list[Problem] = []

    async def read(self, request: web.Request) -> None:
        """Take in the whole form.

        Raises:
            HttpError: It cannot be read, or is too large; what is wrong with single inputs is in
                `problems`.
        """
        count = 0
        try:
            async for part in await request.multipart():
                count += 1
                if not isinstance(part, BodyPartReader) or not part.name or count > _MOST_PARTS:
                    raise HttpError(
                        400, f"Part {count} of the form has no name, or is one too many."
                    )
                await self._part(part, part.name)
        except (ValueError, RuntimeError, AssertionError) as error:
            raise HttpError(400, f"The form cannot be read: {error or 'it is cut off'}.") from error

    async def _part(self, part: BodyPartReader, name: str) -> None:
        if name in self.values or name in self._drafts:
            self._wrong(name, f"'{name[:80]}' is in the form twice; send it once.")
            await part.release()
            return
        item = self._typed.inputs.get(name)
        if part.filename is None:
            text = await self._text(part)
            is_json = part.headers.get("Content-Type", "").startswith("application/json")
            self._read(name, text, item, is_json)
        elif item is None or not item.takes_uploads:
            # An unknown name is told of when all inputs are checked.
            if item is None:
                self.values[name] = part.filename
            else:
                self._wrong(name, f"'{name[:80]}' takes no file; send its value as text.")
            await part.release()
        else:
            await self._file(part, name, part.filename)

    async def _text(self, part: BodyPartReader) -> str:
        text = bytearray()
        while block := await part.read_chunk():
            text += block
            self._length += len(block)
            if self._length > MAX_INPUTS:
                raise HttpError(413, f"The inputs have more than {MAX_INPUTS} bytes, the limit.")
        try:
            return text.decode()
        except UnicodeDecodeError as error:
            raise HttpError(400, f"The part '{(part.name or '')[:80]}' is no UTF-8.") from error

    def _read(self, name: str, text: str, item: TypedInput | None, is_json: bool) -> None:
        """A field of a form is text; what it means depends on what is wanted."""
        try:
            if is_json:
                self.values[name] = json.loads(json.dumps(read_json(text, name)))
            elif item is None or not item.takes_values:
                self.values[name] = text
            else:
                self.values[name] = from_text(text, item.specs[0].json_schema or {})
        except WorkflowError as error:
            self._wrong(name, f"'{name[:80]}': {error.problems[0].sentence}")
        except InputError:
            # The check of all inputs says it in the words of JSON.
            self.values[name] = text

    async def _file(self, part: BodyPartReader, name: str, given: str) -> None:
        arriving = await asyncio.to_thread(Arriving, self._folder)
        self._arrived.append(arriving)
        while block := await part.read_chunk(_BLOCK):
            if sum(other.size for other in self._arrived) + len(block) > MAX_FILES:
                raise HttpError(
                    413, f"The files have more than {MAX_FILES // 1_000_000} MB, the limit."
                )
            await asyncio.to_thread(arriving.write, block)
        shown = given[:80] or "file"
        if not arriving.size:
            self._wrong(name, f"The file '{shown}' for '{name}' is empty; send its content.")
            return
        try:
            self._drafts[name] = await asyncio.to_thread(arriving.finish, given)
        except InputError as error:
            if isinstance(error, TooLargeError):
                raise HttpError(413, f"The file '{shown}' has too many pixels.") from error
            # The sentence names the file by its place on this disk, which is not the client's.
            reason = str(error).replace(f"'{arriving.path.name}'", f"'{shown}'")
            self._wrong(name, f"'{name}' cannot be the file that was sent: {reason}.")

    def _wrong(self, name: str, sentence: str) -> None:
        self.problems.append(Problem("wrong_value", sentence, None, name, f"/{escape(name)}"))

    @property
    def given(self) -> Mapping[str, JsonValue]:
        """All values, and for files that are not kept yet the names they came with."""
        return self.values | {name: draft.given or "file" for name, draft in self._drafts.items()}

    async def keep(self) -> dict[str, JsonValue]:
        """All values, with the files in their place."""
        names = list(self._drafts)
        if names:
            kept = await asyncio.to_thread(keep, list(self._drafts.values()), self._folder)
            for name, place in zip(names, kept, strict=True):
                self.values[name] = place.name
        return self.values

    async def close(self) -> None:
        """Delete what was not kept."""
        for arriving in self._arrived:
            await asyncio.to_thread(arriving.discard)
