"""All that happens on a server, as lines for people: each begins with the job that is meant."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from nodeflow.cli.display import Lines
from nodeflow.client.tail import GAP, ServerEvent
from nodeflow.client.typed_events import event_of
from nodeflow.events import Event
from nodeflow.job_events import (
    JobFinished,
    JobMoved,
    JobQueued,
    JobRemoved,
    NodesChanged,
    QueueChanged,
    WorkerChanged,
    WorkflowChanged,
)

_SHOWN_ID = 6


class ServerLines:
    """Takes the events of a server and prints a line for what is worth one."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._jobs: dict[str, Lines] = {}

    def __call__(self, data: ServerEvent) -> None:
        if data["event"] == GAP:
            self._line("Some events before this are no longer kept by the server.", "yellow")
        event = event_of(data)
        if event is None:
            return
        job = str(data.get("job") or "")
        if not job:
            self._line(*_of_server(event))
            return
        lines = self._jobs.setdefault(job, Lines(self._console, prefix=f"{job[:_SHOWN_ID]} "))
        match event:
            case JobQueued() if not event.reason:
                self._line(f"{job[:_SHOWN_ID]} queued: {event.name or 'a workflow'} ({job})")
            case JobMoved():
                self._line(f"{job[:_SHOWN_ID]} moved: priority {event.priority}")
            case JobRemoved():
                self._line(f"{job[:_SHOWN_ID]} left the history")
            case _:
                lines(event)
        if isinstance(event, JobFinished | JobRemoved):
            if isinstance(event, JobFinished) and event.problem:
                self._line(f"{job[:_SHOWN_ID]} {event.problem}", "red")
            del self._jobs[job]

    def _line(self, text: str, style: str = "") -> None:
        if text:
            self._console.print(Text(text, style), soft_wrap=not self._console.is_terminal)


def _of_server(event: Event) -> tuple[str, str]:
    """A line about the server itself, with its style."""
    match event:
        case QueueChanged():
            return ("The queue is paused." if event.paused else "The queue goes on."), ""
        case WorkerChanged():
            text = f"Worker {event.worker}: {event.sentence or event.state}"
            return text, "red" if event.state == "died" else ""
        case NodesChanged():
            return " ".join(["The packs were read again.", *event.errors]), ""
        case WorkflowChanged():
            return f"Workflow '{event.path}' was {'saved' if event.etag else 'deleted'}.", ""
        case _:
            return "", ""
