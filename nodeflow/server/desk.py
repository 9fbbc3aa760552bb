"""Desk: what is handed in becomes checked documents, and nobody else waits meanwhile.

Small bodies are prepared in a thread, in a millisecond or so. Large ones, and small ones that stand
for much work, go to a helper process, which gets the path of the body and never its content.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from nodeflow.errors import Problem
from nodeflow.server.catalog import NodeCatalog
from nodeflow.server.desk_calls import DeskCalls
from nodeflow.server.desk_messages import Found, Made, Named, Opened, Work
from nodeflow.server.document_files import INCOMING, Writer
from nodeflow.server.limits import Limits
from nodeflow.server.opening import opened
from nodeflow.server.preparing import (
    Surroundings,
    TooHeavyError,
    prepare,
    problems_of,
    read_request,
)
from nodeflow.server.submitting import Prepared as Prepared
from nodeflow.server.submitting import SubmitBody, SubmitText, source_of
from nodeflow.server.worker_process import WorkerProcess

PACKS_SECONDS = 60.0
"""How long to wait for a worker that reads packs of which nothing is remembered."""

INLINE = 32 * 1024
"""Bytes that are prepared here; more would hold Python's lock for too long."""

HEAVIEST = 500
"""Nodes, of all jobs of a batch together, that are prepared here."""

Purpose = Literal["prepare", "check"]
Find = Callable[[SubmitBody], Awaitable[bytes | Path]]
"""The text of the workflow that a body names by `path` or `job`, or the file that has it."""


@dataclass(frozen=True)
class _Named:
    """A workflow that is not in the body; a large one is in a file."""

    source: str = ""
    text: bytes | None = None
    file: Path | None = None


class Desk:
    """Prepares and checks what clients hand in.

    Args:
        catalog: What a workflow is checked against.
        folder: The journal's folder; files on their way into it are in `incoming` there.
        process: The helper for large bodies; without one they are prepared in a thread too.
        find: Looks up workflows that a body names.
    """

    def __init__(
        self,
        catalog: NodeCatalog,
        folder: Path,
        process: WorkerProcess | None,
        find: Find,
        *,
        limits: Limits | None = None,
    ) -> None:
        self.incoming = folder / INCOMING
        self.limits = limits or Limits()
        self._catalog = catalog
        self._calls = DeskCalls(process) if process is not None else None
        self._find = find
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="desk")
        self.incoming.mkdir(parents=True, exist_ok=True)
        for left in self.incoming.iterdir():
            left.unlink()

    async def prepare(self, request: SubmitText) -> Prepared:
        """The documents of all jobs that a body asks for; the body's own file is removed.

        Raises:
            HttpError: The body cannot be used; 503 if the helper died of it.
            WorkflowError: The workflow does not check.
        """
        made, fingerprint = await self._do("prepare", request)
        assert isinstance(made, Prepared)
        return replace(made, fingerprint=fingerprint)

    async def check(self, request: SubmitText) -> list[Problem]:
        """Everything that is wrong with a workflow, which may be the body itself.

        Raises:
            HttpError: The body cannot be used.
        """
        found, _ = await self._do("check", request)
        assert isinstance(found, list)
        return found

    async def read(self, given: SubmitText, source: str) -> bytes:
        """A workflow of any format version in today's, as JSON; the body's own file is removed.

        Args:
            given: The workflow itself.
            source: What messages call it.

        Raises:
            WorkflowError: It is none.
            HttpError: 503 if the helper died of it.
        """
        own = [given.file] if given.file is not None else []
        try:
            if len(given.text or b"") > INLINE:
                file = await asyncio.to_thread(self._kept, given.text or b"", own)
                given = SubmitText(file=file)
            if self._calls is None or given.file is None:
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._threads, _opened, given, source)
            size = given.file.stat().st_size
            work = Work(0, "read", file=str(given.file), source=source, size=size)
            found = await self._calls.do(work)
            assert isinstance(found, Opened)
            own.append(Path(found.file))
            return await asyncio.to_thread(own[-1].read_bytes)
        finally:
            if own:
                await asyncio.to_thread(_remove, own)

    async def clear(self, prepared: Prepared) -> None:
        """Remove the files of documents that the journal did not take over."""
        files = [Path(item.file) for item in prepared.documents if item.file]
        # A file that was taken over lies elsewhere; one that is named twice is gone once.
        left = [path for path in files if path.parent == self.incoming]
        if left:
            await asyncio.to_thread(_remove, left)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _do(
        self, purpose: Purpose, request: SubmitText
    ) -> tuple[Prepared | list[Problem], str]:
        """What comes of a request, and its fingerprint."""
        own = [request.file] if request.file is not None else []
        try:
            await self._packs_known()
            put = partial(self._put_down, request, own)
            # A thread costs more than a short request.
            settled, named, fingerprint = (
                put() if _is_short(request) else await asyncio.to_thread(put)
            )
            found = await self._once(purpose, settled, named)
            if isinstance(found, SubmitBody):
                named = await self._found(found, own)
                found = await self._once(purpose, settled, named)
            assert not isinstance(found, SubmitBody)
            return found, fingerprint
        finally:
            if own:
                await asyncio.to_thread(_remove, own)

    async def _packs_known(self) -> None:
        """Wait for packs of which nothing is remembered, as on the very first start."""
        if not self._catalog.generation:
            await asyncio.to_thread(self._catalog.load)
        if not self._catalog.is_ready:
            with suppress(TimeoutError):
                async with asyncio.timeout(PACKS_SECONDS):
                    await self._catalog.ready()

    def _put_down(self, request: SubmitText, own: list[Path]) -> tuple[SubmitText, _Named, str]:
        """The request with all that is long in files, which are added to `own`."""
        fingerprint = request.fingerprint
        if len(request.text or b"") > INLINE:
            file = self._kept(request.text or b"", own)
            request = replace(request, text=None, file=file, digest=fingerprint)
        workflow = request.named
        named = _Named() if workflow is None else self._named(workflow, request.source, own)
        return replace(request, workflow=None), named, fingerprint

    async def _once(
        self, purpose: Purpose, request: SubmitText, named: _Named
    ) -> Prepared | list[Problem] | SubmitBody:
        """What comes of it, or the body if it names a workflow that has to be looked up first."""
        small = request.file is None and named.file is None
        if self._calls is None or small:
            loop = asyncio.get_running_loop()
            work = partial(self._here, purpose, request, named)
            try:
                return await loop.run_in_executor(self._threads, work)
            except TooHeavyError:
                pass
        assert self._calls is not None  # else nothing is too heavy
        found = await self._calls.do(self._work(purpose, request, named))
        if isinstance(found, Named):
            return SubmitBody.model_validate(found.body)
        if isinstance(found, Made):
            return found.prepared()
        assert isinstance(found, Found)
        return [Problem(**item) for item in found.problems]

    def _here(
        self, purpose: Purpose, given: SubmitText, named: _Named
    ) -> Prepared | list[Problem] | SubmitBody:
        text = given.file.read_bytes() if given.file is not None else given.text or b""
        request = read_request(text, named=named.source, bare=purpose == "check")
        if request.data is None and not named.source:
            return request.body
        workflow = named.file.read_bytes() if named.file is not None else named.text
        heaviest = HEAVIEST if self._calls is not None else None
        around = Surroundings(
            self._catalog.registry, self._catalog.roots, self.limits.nodes, heaviest
        )
        if purpose == "check":
            return problems_of(request, workflow, around)
        writer = Writer(self.incoming)
        try:
            return prepare(request, workflow, around, writer)
        except BaseException:
            writer.undo()
            raise

    def _work(self, purpose: Purpose, request: SubmitText, named: _Named) -> Work:
        size = sum(path.stat().st_size for path in (request.file, named.file) if path is not None)
        return Work(
            0,
            purpose,
            text=(request.text or b"").decode("utf-8", "replace"),
            file=str(request.file or ""),
            workflow=(named.text or b"").decode("utf-8", "replace"),
            workflow_file=str(named.file or ""),
            source=named.source,
            generation=self._catalog.generation,
            nodes=self.limits.nodes,
            size=size,
        )

    async def _found(self, body: SubmitBody, own: list[Path]) -> _Named:
        """The workflow that a body names."""
        source = source_of(body.model_dump(include={"path", "job"}))
        found = await self._find(body)
        if isinstance(found, Path):
            return _Named(source, file=found)
        return await asyncio.to_thread(self._named, found, source, own)

    def _named(self, text: bytes, source: str, own: list[Path]) -> _Named:
        source = source or "workflow"
        if len(text) <= INLINE:
            return _Named(source, text)
        return _Named(source, file=self._kept(text, own))

    def _kept(self, text: bytes, own: list[Path]) -> Path:
        path = self.incoming / f"{secrets.token_hex(16)}.body"
        own.append(path)
        path.write_bytes(text)
        return path


def _is_short(request: SubmitText) -> bool:
    return len(request.text or b"") + len(request.workflow or b"") <= INLINE


def _opened(given: SubmitText, source: str) -> bytes:
    return opened(given.file.read_bytes() if given.file is not None else given.text or b"", source)


def _remove(files: list[Path]) -> None:
    for path in files:
        path.unlink(missing_ok=True)
