"""A run as people and programs see it. Only events are read, so whoever sends them may be shown."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, TextIO

from pydantic import ByteSize
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from nodeflow.events import (
    Event,
    NodeFailed,
    NodeFinished,
    NodeLog,
    NodeProgress,
    NodeReport,
    NodeStarted,
    Outcome,
    RunFinished,
    RunStarted,
)
from nodeflow.job_events import JobFinished, JobQueued, JobStarted

_STATUS = {"done": "Done", "failed": "Failed", "cancelled": "Cancelled"}
_OUTCOME: Mapping[Outcome, str] = {
    "ran": "ran",
    "memory": "from memory",
    "disk": "from disk",
    "skipped": "skipped",
    "failed": "failed",
    "cancelled": "cancelled",
}
_ROWS = 8
"""More bars than this are not drawn; the count of nodes says that there are others."""

_WORTH_A_BAR = 0.2
"""Seconds that a node must have run to get a bar, or to get a line in a terminal."""

_BETWEEN_LINES = 2.0
"""Seconds between two lines about one node where there is no terminal."""

Clock = Callable[[], float]


def duration(seconds: float) -> str:
    """Seconds as people say them: `0.31 s`, `12 s`, `3 min 20 s`."""
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"


def readable(size: int) -> str:
    """Bytes as people say them: `1.5 GB`."""
    return ByteSize(size).human_readable(decimal=True, separator=" ")


@dataclass
class Running:
    """A node that computes now.

    Attributes:
        since: When it started, by the display's clock.
        first: Time and step of its first report, from which the time left is reckoned.
    """

    since: float
    step: int = 0
    total: int = 0
    text: str = ""
    first: tuple[float, int] | None = None

    def report(self, event: NodeProgress, now: float) -> None:
        self.step, self.total, self.text = event.step, event.total, event.text
        # A node that works through a list begins at its first step again with each item.
        if self.first is None or event.step < self.first[1]:
            self.first = now, event.step

    def seconds_left(self, now: float) -> float | None:
        """None while there is too little to reckon from."""
        if self.first is None or self.step <= self.first[1]:
            return None
        began, first_step = self.first
        return (now - began) / (self.step - first_step) * (self.total - self.step)


class Display(ABC):
    """Takes the events of a run; a context that is open while it runs."""

    @abstractmethod
    def __call__(self, event: Event) -> None:
        """Show one event; quick, since the run waits for it."""

    def __enter__(self) -> Display:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class JsonLines(Display):
    """Every event as one line of JSON.

    Attributes:
        reader_left: The pipe is closed. The run goes on, so that its results are kept.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self.reader_left = False

    def __call__(self, event: Event) -> None:
        if self.reader_left:
            return
        try:
            self._out.write(json.dumps(event.as_json(), ensure_ascii=False) + "\n")
            self._out.flush()
        except BrokenPipeError:
            self.reader_left = True


class _People(Display):
    """What the displays for people share: who runs, and a line for what is over.

    Args:
        prefix: Begins each line, where several jobs are shown.
    """

    def __init__(
        self, console: Console, clock: Clock = time.monotonic, *, prefix: str = ""
    ) -> None:
        self._console = console
        self._clock = clock
        self._prefix = prefix
        self._waiting = False
        self._running: dict[str, Running] = {}
        self._finished = 0
        self._nodes = 0

    def __call__(self, event: Event) -> None:
        now = self._clock()
        match event:
            case JobQueued():
                self._running.clear()
                self._waiting = True
                self._line(f"queued again: {event.reason}" if event.reason else "queued")
            case JobStarted():
                # A job that is tried again starts anew.
                self._waiting, self._finished = False, 0
            case RunStarted():
                self._nodes = event.nodes
            case NodeStarted():
                self._running[event.node] = Running(now)
            case NodeProgress():
                running = self._running.setdefault(event.node, Running(now))
                running.report(event, now)
                self._progress(event.node, running, now)
            case NodeLog():
                self._line(f"{event.node}: {event.text}")
            case NodeFailed():
                self._line(f"{event.node}: failed", "red")
                self._running.pop(event.node, None)
            case NodeFinished():
                self._finished += 1
                self._running.pop(event.node, None)
                self._over(event)
            case RunFinished() | JobFinished():
                self._running.clear()
                self._waiting = False
                self._line(summary(event), "bold")

    def _line(self, text: str, style: str = "") -> None:
        # A style given to `print` would colour the bars below the line too. Logs are not wrapped.
        self._console.print(
            Text(self._prefix + text, style), soft_wrap=not self._console.is_terminal
        )

    @abstractmethod
    def _progress(self, node: str, running: Running, now: float) -> None: ...

    @abstractmethod
    def _over(self, event: NodeFinished) -> None: ...


class Lines(_People):
    """Plain lines, for a log or a pipe."""

    def __init__(
        self, console: Console, clock: Clock = time.monotonic, *, prefix: str = ""
    ) -> None:
        super().__init__(console, clock, prefix=prefix)
        self._last: dict[str, float] = {}

    def _progress(self, node: str, running: Running, now: float) -> None:
        if now - self._last.get(node, running.since) < _BETWEEN_LINES:
            return
        self._last[node] = now
        self._line(f"{node}: {_steps(running, now)}")

    def _over(self, event: NodeFinished) -> None:
        # What failed has its own event.
        if event.outcome != "failed":
            self._line(f"{event.node}: {_outcome(event)}")


class Bars(_People):
    """A bar for each node that runs, in a terminal."""

    def __init__(self, console: Console, clock: Clock = time.monotonic) -> None:
        super().__init__(console, clock)
        # Drawn by the clock and not by events: ten thousand quick nodes must not wait for it.
        self._live: AbstractContextManager[Any] = (
            Live(console=console, get_renderable=self.draw, refresh_per_second=8, transient=True)
            if console.is_terminal
            else nullcontext()
        )

    def __enter__(self) -> Bars:
        self._live.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._live.__exit__(*error)

    def draw(self) -> Table:
        """The bars as they are now."""
        now = self._clock()
        table = Table.grid(padding=(0, 2))
        table.add_row(Text(self._count(), "dim"))
        # A copy: nodes start and finish while this draws.
        slow = [
            (node, running)
            for node, running in list(self._running.items())
            if now - running.since >= _WORTH_A_BAR
        ]
        for node, running in slow[:_ROWS]:
            bar = ProgressBar(
                total=running.total or None,
                completed=running.step,
                width=30,
                pulse=not running.total,
            )
            table.add_row(Text(node), bar, Text(_steps(running, now)))
        return table

    def _count(self) -> str:
        if self._waiting:
            return "waits for its turn"
        # How many there are is known only once the run is planned.
        whole = f" of {self._nodes}" if self._nodes else ""
        return f"{self._finished}{whole} nodes"

    def _progress(self, node: str, running: Running, now: float) -> None:
        return None

    def _over(self, event: NodeFinished) -> None:
        if event.outcome == "ran" and event.seconds >= _WORTH_A_BAR:
            self._line(f"{event.node}: {_outcome(event)}")


def choose_display(as_json: bool, out: TextIO, console: Console) -> Display:
    """JSON lines on `out` if asked for, else bars or lines, as the console can show."""
    if as_json:
        return JsonLines(out)
    return Bars(console) if console.is_terminal else Lines(console)


def summary(event: RunFinished | JobFinished) -> str:
    """One line about a whole run: `Done in 3.20 s: 2 ran, 5 from disk.`"""
    counts: Mapping[str, int] = (
        event.counts
        if isinstance(event, JobFinished)
        else Counter(report.outcome for report in event.nodes.values())
    )
    parts = [f"{counts[name]} {said}" for name, said in _OUTCOME.items() if counts.get(name)]
    tail = f": {', '.join(parts)}" if parts else ""
    return f"{_STATUS[event.status]} in {duration(event.seconds)}{tail}."


def explanation(nodes: Mapping[str, NodeReport]) -> Table:
    """Why each node ran or did not, as a table."""
    table = Table(box=None, pad_edge=False)
    table.add_column("node", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    table.add_column("seconds", justify="right", no_wrap=True)
    table.add_column("why")
    for node, report in nodes.items():
        table.add_row(
            Text(node), _OUTCOME[report.outcome], f"{report.seconds:.3f}", Text(report.why)
        )
    return table


def _outcome(event: NodeFinished) -> str:
    said = _OUTCOME[event.outcome]
    return f"{said} in {duration(event.seconds)}" if event.outcome == "ran" else said


def _steps(running: Running, now: float) -> str:
    parts = []
    if running.total:
        parts.append(f"step {running.step} of {running.total}")
    left = running.seconds_left(now)
    if left is not None:
        parts.append(f"{duration(left)} left")
    elif not running.total:
        parts.append(duration(now - running.since))
    if running.text:
        parts.append(running.text)
    return ", ".join(parts)
