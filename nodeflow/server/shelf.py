"""Shelf: the saved workflows, files that git can hold, with every version kept in the journal."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from nodeflow.errors import WorkflowError
from nodeflow.job_events import WorkflowChanged
from nodeflow.journal.journal import Journal
from nodeflow.journal.records import Version
from nodeflow.server.preconditions import etag_of, require
from nodeflow.server.problems import HttpError
from nodeflow.server.shelf_files import PICTURE_SUFFIX, ShelfFiles, Stamp, workflow_name
from nodeflow.workflow import Workflow

LOOKED_INTO = 1 << 20
"""Bytes of a workflow that the list looks into; larger ones are listed by their path."""


@dataclass(frozen=True)
class Saved:
    """A workflow as it is on disk.

    Attributes:
        path: Its name, without `.json`.
        text: Exactly the bytes of the file.
        etag: Tag of the text, without quotation marks.
        modified: When it was written, in seconds since 1970.
        new: Whether it was not there before.
    """

    path: str
    text: bytes
    etag: str
    template: bool
    modified: float
    new: bool = False


@dataclass(frozen=True)
class SavedInfo:
    """A workflow in the list.

    Attributes:
        name: What its document calls it; the path if it does not say.
        inputs: Names of its exposed inputs; outputs likewise.
        problem: Why it cannot be read as a workflow; empty if it can.
        description: What its document says of itself; empty if nothing.
        thumbnail: A picture lies beside it.
    """

    path: str
    name: str
    template: bool
    modified: float
    size: int
    etag: str
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    problem: str = ""
    description: str = ""
    thumbnail: bool = False


class Shelf:
    """Reads and writes workflows by name; a user's file hides a template of the same name.

    Reading blocks: call `read`, `list` and the two for versions from a thread. Writing is for the
    event loop and leaves the slow parts to threads itself.

    Args:
        folder: Of the user's workflows; made when the first one is saved.
        templates: Folder of workflows that nobody writes over.
    """

    def __init__(self, folder: Path, templates: Path | None, journal: Journal) -> None:
        self._own = ShelfFiles(folder)
        self._templates = None if templates is None else ShelfFiles(templates)
        self._journal = journal
        self._writing = asyncio.Lock()
        self._known: dict[Path, tuple[Stamp, SavedInfo]] = {}
        self._listing = threading.Lock()

    def read(self, path: str) -> Saved:
        """A workflow.

        Raises:
            HttpError: 404 if there is none of this name; 400 or 403 if there can be none.
        """
        name = workflow_name(path)
        saved = self._find(name)
        if saved is None:
            raise HttpError(
                404, f"There is no workflow '{name}'; 'GET /api/workflows' lists what there is."
            )
        return saved

    def _find(self, name: str) -> Saved | None:
        for files in (self._own, self._templates):
            if files is not None and (found := files.read(name)) is not None:
                text, modified = found
                return Saved(name, text, etag_of(text), files is not self._own, modified)
        return None

    def picture(self, path: str) -> Path | None:
        """The picture that came with a template; None if there is none, or it is no template.

        Raises:
            HttpError: As for `read`.
        """
        saved = self.read(path)
        if not saved.template or self._templates is None:
            return None
        return self._templates.picture(saved.path)

    def list(self) -> Sequence[SavedInfo]:
        """All workflows by path; only files that changed since the last time are opened."""
        with self._listing:
            found: dict[str, SavedInfo] = {}
            seen: dict[Path, tuple[Stamp, SavedInfo]] = {}
            for files in (self._own, self._templates):
                if files is None:
                    continue
                for name, path, stamp in files.names():
                    known = self._known.get(path)
                    if known is None or known[0] != stamp:
                        # A file that has just gone is in no list.
                        with suppress(OSError):
                            known = (stamp, _info(name, path, stamp, files is not self._own))
                    if known is not None and known[0] == stamp:
                        seen[path] = known
                        found.setdefault(name, known[1])
            self._known = seen
        return [found[name] for name in sorted(found)]

    async def write(
        self, path: str, text: bytes, if_match: str | None, if_none_match: str | None
    ) -> Saved:
        """Save a workflow; the file is whole at every moment and its versions are kept.

        Args:
            text: Of a document that was seen to be a workflow.
            if_match, if_none_match: The headers of these names, as they came.

        Raises:
            HttpError: 412 or 428 as `preconditions.require` says; 403 for a template; 409 if
                another file is in the way.
        """
        name = workflow_name(path)
        async with self._writing:
            before = await self._writable(name, if_match, if_none_match)
            etag = await asyncio.to_thread(etag_of, text)
            if before is not None and before.etag == etag:
                return before
            if before is None:
                await asyncio.to_thread(self._own.refuse_clash, name)
            staged = await asyncio.to_thread(self._own.stage, name, text)
            try:
                if before is not None:
                    await self._keep(before)
                # Kept before it is put in place: no text that was ever there can be lost.
                after = Saved(name, text, etag, False, 0.0, new=before is None)
                await self._keep(after)
                modified = await asyncio.to_thread(self._own.put, name, staged)
            except BaseException:
                await asyncio.to_thread(staged.unlink, missing_ok=True)
                raise
            await self._tell(name, etag)
            return replace(after, modified=modified)

    async def delete(self, path: str, if_match: str | None) -> None:
        """Take a workflow off the shelf; its versions stay.

        Raises:
            HttpError: 404 if there is none; otherwise as `write`.
        """
        name = workflow_name(path)
        async with self._writing:
            before = await self._writable(name, if_match, None)
            if before is None:
                raise HttpError(404, f"There is no workflow '{name}' to delete.")
            await self._keep(before)
            await asyncio.to_thread(self._own.remove, name)
            await self._tell(name, "")

    async def _writable(
        self, name: str, if_match: str | None, if_none_match: str | None
    ) -> Saved | None:
        """What will be written over, if it may be."""
        before = await asyncio.to_thread(self._find, name)
        if before is not None and before.template:
            raise HttpError(
                403,
                f"'{name}' is a template, which nobody changes; save it under another name, "
                f"such as 'my/{name}'.",
            )
        etag = before.etag if before is not None else ""
        require(f"The workflow '{name}'", etag, if_match, if_none_match)
        return before

    async def _keep(self, saved: Saved) -> None:
        """Add a version; the journal knows the newest one again."""
        text = await asyncio.to_thread(saved.text.decode, "utf-8", "replace")
        await asyncio.wrap_future(self._journal.add_version(saved.path, saved.etag, text))

    async def _tell(self, name: str, etag: str) -> None:
        await asyncio.wrap_future(self._journal.append([WorkflowChanged(name, etag)]))

    def versions(self, path: str) -> Sequence[Version]:
        """The versions of a workflow that were saved here, newest first; it may be deleted by now.

        Raises:
            HttpError: 404 if there never was such a workflow.
        """
        name = workflow_name(path)
        found = self._journal.versions(name)
        if not found:
            self.read(name)
        return found

    def version(self, path: str, number: int) -> Saved:
        """One version of a workflow.

        Raises:
            HttpError: 404 if there is none of this number.
        """
        name = workflow_name(path)
        text = self._journal.version(name, number)
        if text is None:
            raise HttpError(
                404,
                f"The workflow '{name}' has no version {number}; "
                f"'GET /api/workflows/{name}/versions' lists them.",
            )
        time = next(item.time for item in self._journal.versions(name) if item.number == number)
        body = text.encode()
        return Saved(name, body, etag_of(body), False, time)


def _info(name: str, path: Path, stamp: Stamp, template: bool) -> SavedInfo:
    text = path.read_bytes()
    plain = SavedInfo(name, name, template, stamp.modified, stamp.size, etag_of(text))
    if template:
        plain = replace(plain, thumbnail=path.with_suffix(PICTURE_SUFFIX).is_file())
    if len(text) > LOOKED_INTO:
        return plain
    try:
        workflow = Workflow.parse(text, name)
    except WorkflowError as error:
        return replace(plain, problem=error.problems[0].line(name))
    description = (workflow.model_extra or {}).get("description")
    return replace(
        plain,
        name=workflow.name or name,
        inputs=tuple(workflow.inputs),
        outputs=tuple(workflow.outputs),
        description=description if isinstance(description, str) else "",
    )


def templates_folder() -> Path | None:
    """Folder of the workflows that come with nodeflow: in the package, or beside its source."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "templates", package.parent / "workflows"):
        if folder.is_dir():
            return folder
    return None
