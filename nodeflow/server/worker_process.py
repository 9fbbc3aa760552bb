"""WorkerProcess: one process that serves this one; started, watched, started again when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nodeflow.errors import SettingsError
from nodeflow.server.deaths import LastWords, describe_death, describe_silence
from nodeflow.settings import PREFIX, Settings
from nodeflow.worker.messages import Alive, Frames, Message, Ready, Stop, encode

logger = logging.getLogger("nodeflow.worker")

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
STEADY_SECONDS = 60.0
"""Who lives so long has not died of its start."""

LOOKS = 10
"""How often it is looked for signs of life in the time after which there should have been one."""

LEFT_SECONDS = 1.0
"""How long a process that has ended is read, and one that closed its pipe may take to end."""

_IN, _OUT, _ERR = 0, 1, 2
_OF_CLIENTS = {"server", "token"}


def environment_of(settings: Settings) -> dict[str, str]:
    """The variables that let another process have the same settings.

    Raises:
        SettingsError: A folder has a name that cannot be written in a list of folders.
    """
    found = {}
    for name in Settings.model_fields.keys() - _OF_CLIENTS:
        value = getattr(settings, name)
        variable = PREFIX + name.upper()
        if value is None:
            continue
        if isinstance(value, tuple):
            folders = [str(folder) for folder in value]
            bad = next((folder for folder in folders if os.pathsep in folder), None)
            if bad is not None:
                raise SettingsError(
                    f"The folder '{bad}' of the setting '{name}' has a '{os.pathsep}' in its name, "
                    f"which separates folders in {variable}; rename it."
                )
            found[variable] = os.pathsep.join(folders)
        else:
            found[variable] = str(int(value) if isinstance(value, int) else value)
    return found


class WorkerProcess:
    """One worker: started, watched, started again when it dies.

    Attributes:
        name: What the worker is called.
        on_message: Called with each message; set it before `start`, like the other two.
        on_started: Called when a process was started; it is ready only when it says so.
        on_death: Called with a sentence that says what happened, unless it was stopped.
        pid: The process, if there is one.
        ready: Whether it takes work.
        rss: Bytes of memory that it held when it was last heard of.
        memory: What it said then of its stores.
        device: What it computes on; empty until it was ready once.
        last_lines: The last lines that the process wrote to standard error.

    Args:
        module: What is run as `python -m`.
        arguments: For it; `--name` comes before them.
        heartbeat: Seconds without a message after which it is killed.
        environment: Variables that differ from those of this process.
    """

    def __init__(
        self,
        name: str,
        module: str = "nodeflow.worker",
        arguments: Sequence[str] = (),
        *,
        heartbeat: float = 30.0,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.on_message: Callable[[Message], None] = lambda message: None
        self.on_started: Callable[[], None] = lambda: None
        self.on_death: Callable[[str], None] = lambda sentence: None
        self.ready = False
        self.rss = 0
        self.memory: Mapping[str, Any] = {}
        self.device: Mapping[str, Any] = {}
        self._command = [sys.executable, "-P", "-m", module, "--name", name, *arguments]
        self._heartbeat = heartbeat
        self._environment = dict(environment or {})
        self._words = LastWords()
        self._life: _Life | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    @property
    def pid(self) -> int | None:
        return None if self._life is None else self._life.pid

    @property
    def last_lines(self) -> list[str]:
        return list(self._words.lines)

    async def start(self) -> None:
        """Start a process, and another one whenever it dies."""
        self._stopping.clear()
        begun = asyncio.Event()
        self._keeping = asyncio.create_task(self._keep(begun), name=f"worker {self.name}")
        await begun.wait()

    def send(self, message: Message) -> None:
        """Send a message; it is lost if there is no process, or if it dies before it reads it."""
        if self._life is not None:
            self._life.write(encode(message))

    async def stop(self, grace: float = 5.0) -> None:
        """Ask the process to end, and after `grace` seconds make it; no other one is started."""
        self._stopping.set()
        self.send(Stop())
        if self._keeping is None:
            return
        for urge, seconds in ((_Life.terminate, grace), (_Life.kill, LEFT_SECONDS)):
            if await _ends(self._keeping, seconds):
                break
            if self._life is not None:
                urge(self._life)
        await self._keeping
        self._keeping = None

    def kill(self) -> None:
        """End the process at once; another one is started, as after any death."""
        if self._life is not None:
            self._life.kill("The worker was ended by the server.")

    async def _keep(self, begun: asyncio.Event) -> None:
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            started = time.monotonic()
            sentence = await self._live(begun)
            begun.set()
            self.ready = False
            if self._stopping.is_set():
                return
            logger.warning("Worker %s: %s", self.name, sentence)
            _safely(self.on_death, sentence)
            if time.monotonic() - started > STEADY_SECONDS:
                pause = FIRST_PAUSE
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _live(self, begun: asyncio.Event) -> str:
        """One process from start to end; what it died of comes back."""
        self.rss, self.memory, self._words = 0, {}, LastWords()
        life = _Life(self._on_message, self._words)
        try:
            await asyncio.get_running_loop().subprocess_exec(
                lambda: life, *self._command, env={**os.environ, **self._environment}
            )
        except OSError as error:
            return f"The worker could not be started: {error.strerror or error}."
        self._life = life
        watch = asyncio.create_task(self._watch(life))
        try:
            _safely(self.on_started)
            begun.set()
            if self._stopping.is_set():  # asked while it was being started
                life.write(encode(Stop()))
            code = await life.over()
        finally:
            watch.cancel()
            self._life = None
        return life.verdict or describe_death(code, self._words, self.rss)

    async def _watch(self, life: _Life) -> None:
        """Kill a process that is silent; looks are counted, for the clock runs while we stand."""
        silent = 0
        while silent < LOOKS:
            await asyncio.sleep(self._heartbeat / LOOKS)
            silent = 0 if life.heard else silent + 1
            life.heard = False
        life.kill(describe_silence(self._heartbeat))

    def _on_message(self, message: Message) -> None:
        if isinstance(message, Alive):
            self.rss, self.memory = message.rss, message.memory
        elif isinstance(message, Ready):
            self.ready, self.device = True, message.device
        _safely(self.on_message, message)


class _Life(asyncio.SubprocessProtocol):
    """One process, from when it was started until all that it said was read.

    Attributes:
        pid: Its number.
        heard: Whether it said anything since this was last made false.
        verdict: Why it was killed by us; empty if it was not.
    """

    def __init__(self, on_message: Callable[[Message], None], words: LastWords) -> None:
        self._on_message = on_message
        self._words = words
        self._frames = Frames()
        self._transport: asyncio.SubprocessTransport | None = None
        self._exited = asyncio.Event()
        self._read = asyncio.Event()
        self.pid: int | None = None
        self.heard = False
        self.verdict = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._transport = transport
        self.pid = transport.get_pid()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == _ERR:
            self._log(self._words.feed(data))
            return
        self.heard = True
        try:
            messages = self._frames.feed(data)
        except ValueError:
            logger.exception("Worker process %s", self.pid)
            self.kill("The worker was killed since it sent something that is no message.")
            return
        for message in messages:
            self._on_message(message)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if fd == _OUT and not self._exited.is_set():
            loop = asyncio.get_running_loop()
            loop.call_later(LEFT_SECONDS, self.kill, describe_death(None, self._words))

    def process_exited(self) -> None:
        self._exited.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._read.set()

    def _log(self, lines: Sequence[str]) -> None:
        for line in lines:
            logger.info("%s", line)

    def write(self, data: bytes) -> None:
        pipe = None if self._transport is None else self._transport.get_pipe_transport(_IN)
        if isinstance(pipe, asyncio.WriteTransport) and not pipe.is_closing():
            pipe.write(data)

    def terminate(self) -> None:
        """Ask the process to end; does nothing once it has."""
        if self._transport is not None and not self._exited.is_set():
            with contextlib.suppress(ProcessLookupError):
                self._transport.terminate()

    def kill(self, verdict: str = "") -> None:
        """End the process at once; does nothing once it has ended."""
        if self._transport is not None and not self._exited.is_set():
            self.verdict = self.verdict or verdict
            with contextlib.suppress(ProcessLookupError):
                self._transport.kill()

    async def over(self) -> int | None:
        """Wait for the end of the process; its exit code."""
        assert self._transport is not None
        await self._exited.wait()
        # A program that a node started may hold its pipes for longer than the process lives.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._read.wait(), LEFT_SECONDS)
        self._transport.close()
        self._words.end()
        return self._transport.get_returncode()


async def _ends(task: asyncio.Task[None], seconds: float) -> bool:
    done, _ = await asyncio.wait({task}, timeout=seconds)
    return bool(done)


def _safely(call: Callable[..., None], *given: object) -> None:
    """Call what others gave; their fault must not end the watch."""
    try:
        call(*given)
    except Exception:
        logger.exception("What the worker did could not be dealt with")
