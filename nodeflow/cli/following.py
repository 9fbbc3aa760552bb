"""Following: a job of a server shown until its end, as `run` shows its own, and what it made."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import Any

from nodeflow.cli import CANCELLED, DONE, FAILED
from nodeflow.cli.assignments import report_failure
from nodeflow.cli.display import Display, choose_display
from nodeflow.cli.terminal import Terminal
from nodeflow.client.job import Job
from nodeflow.client.outputs import ResultFile
from nodeflow.client.tail import ServerEvent
from nodeflow.client.typed_events import event_of
from nodeflow.events import NodeFailed
from nodeflow.job_events import JobFinished
from nodeflow.outputs import FreeNames, OutputFiles

EXIT = {"done": DONE, "failed": FAILED, "cancelled": CANCELLED}

Paths = dict[tuple[str, str], Path]
"""Digest and name of a file to where it was fetched."""

_NUMBER = re.compile(r"_\d{4,}$")
_BRACES = re.compile(r"[{}]")


class Following:
    """Shows one job after the other.

    Args:
        source: What the job came from, for problems: a file, or the name of its workflow.
        out: Folder that files are fetched into; None to leave them on the server.
    """

    def __init__(self, source: str, out: Path | None, *, as_json: bool) -> None:
        self._source = source
        self._files = None if out is None else OutputFiles(out.absolute(), reserve=FreeNames())
        self._as_json = as_json

    def follow(self, job: Job) -> int:
        """Show a job to its end, fetch and name what it made; the exit code that says how it was.

        Raises:
            ServerUnreachable: The server went away and did not come back.
            InputError: A file cannot be written.
        """
        last, failures = self._show(job)
        job.refresh()
        for failure in failures:
            report_failure(failure, self._source)
        if job.status == "failed" and not failures:
            print(f"{self._source}#: job_failed: {job.problem}", file=sys.stderr)
        paths = self._fetch(job)
        if self._as_json:
            _print_line(_with_paths(last, paths))
        else:
            _print_outputs(job, paths)
        return EXIT[job.status]

    def _show(self, job: Job) -> tuple[ServerEvent, list[NodeFailed]]:
        """The last event, and those of nodes that failed."""
        failures: dict[str, NodeFailed] = {}
        last: ServerEvent = {}
        with ExitStack() as stack:
            display: Display | None = None
            if not self._as_json:
                console = Terminal(stderr=True)
                display = stack.enter_context(choose_display(False, sys.stdout, console))
            for data in job.events():
                event = event_of(data)
                if isinstance(event, NodeFailed):
                    failures[event.node] = event
                if isinstance(event, JobFinished):
                    last = data
                elif display is None:
                    _print_line(data)
                if display is not None and event is not None:
                    display(event)
        return last, list(failures.values())

    def _fetch(self, job: Job) -> Paths:
        if self._files is None:
            return {}
        paths: Paths = {}
        for file in _files_of(job):
            if _key(file) not in paths:
                name = PurePosixPath(file.name)
                # Braces are fields of a pattern to us; the name on the server has none left.
                plain = _BRACES.sub("_", _NUMBER.sub("", str(name.with_suffix(""))))
                with self._files.create(plain, name.suffix) as target:
                    file.fetch(file.digest, target)
                paths[_key(file)] = self._files.written[-1]
        return paths


def _files_of(job: Job) -> list[ResultFile]:
    """Those of exposed outputs first, then those of end nodes."""
    found = [file for output in job.outputs.values() for file in output.files]
    return found + [file for files in job.files.values() for file in files]


def _key(file: ResultFile) -> tuple[str, str]:
    return file.digest, file.name


def _print_outputs(job: Job, paths: Paths) -> None:
    for name, output in job.outputs.items():
        if "value" in output.said:
            print(f"{name}: {json.dumps(output.value, ensure_ascii=False)}")
    for path in paths.values():
        print(path)


def _with_paths(value: Any, paths: Paths) -> Any:
    """JSON in which every file that was fetched says where it is now."""
    if isinstance(value, list):
        return [_with_paths(item, paths) for item in value]
    if not isinstance(value, Mapping):
        return value
    path = paths.get((str(value.get("digest")), str(value.get("name"))))
    whole = {name: _with_paths(item, paths) for name, item in value.items()}
    return whole if path is None else whole | {"path": str(path)}


def _print_line(data: Any) -> None:
    print(json.dumps(data, ensure_ascii=False), flush=True)
