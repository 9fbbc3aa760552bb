"""What a worker says of a job that is over, as the journal keeps it and as clients see it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from nodeflow.job_events import JobFinished
from nodeflow.journal.records import ResultFile
from nodeflow.worker.messages import JobEnded


def job_finished(ended: JobEnded) -> tuple[JobFinished, list[ResultFile]]:
    """The event for everybody, in which files have no paths, and the files with theirs."""
    found: dict[str, ResultFile] = {}
    outputs = {name: _output(output, ended.job, found) for name, output in ended.outputs.items()}
    files = {
        node: [_public(file, ended.job, found) for file in written]
        for node, written in ended.files.items()
    }
    event = JobFinished(
        ended.job, ended.status, ended.seconds, outputs, files, dict(ended.counts), ended.problem
    )
    return event, list(found.values())


def _output(output: Mapping[str, Any], job: str, found: dict[str, ResultFile]) -> Mapping[str, Any]:
    if "files" not in output:
        return output
    return {**output, "files": [_public(file, job, found) for file in output["files"]]}


def _public(file: Mapping[str, Any], job: str, found: dict[str, ResultFile]) -> dict[str, Any]:
    """A file without its path, which goes to `found`."""
    found[file["digest"]] = ResultFile(
        digest=file["digest"],
        path=file["path"],
        name=file["name"],
        media_type=file["media_type"],
        size=file["size"],
        width=file.get("width"),
        height=file.get("height"),
        job=job,
    )
    return {name: value for name, value in file.items() if name != "path"}


def without_places(event: Mapping[str, Any], outputs: str) -> Mapping[str, Any]:
    """An event of a run with its files named inside the folder of outputs, as clients know them."""
    if not event.get("files"):
        return event
    return {**event, "files": [_inside(PurePath(file), outputs) for file in event["files"]]}


def _inside(path: PurePath, outputs: str) -> str:
    return path.relative_to(outputs).as_posix() if path.is_relative_to(outputs) else path.name
