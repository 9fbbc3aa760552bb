"""Jobs: one job from its beginning to its end, in the engine."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from nodeflow.engine import Engine
from nodeflow.errors import InputError, NodeflowError, Problem, WorkflowError
from nodeflow.events import (
    Event,
    NodeFailed,
    NodeFinished,
    NodeLog,
    RunFinished,
)
from nodeflow.runs.result import Result
from nodeflow.worker.file_facts import FileFacts
from nodeflow.worker.inbox import Running
from nodeflow.worker.messages import Begin, JobBegun, JobEnded
from nodeflow.worker.outbox import Outbox
from nodeflow.workflow import Workflow

logger = logging.getLogger(__name__)


def pin_of(job: str) -> str:
    """The name in which the disk store keeps what a job came to."""
    return f"job:{job}"


class Jobs:
    """Runs jobs, each in its turn.

    Args:
        watched: Whether anybody looks at previews just now.
    """

    def __init__(self, engine: Engine, outbox: Outbox, watched: Callable[[], bool]) -> None:
        self._engine = engine
        self._outbox = outbox
        self._watched = watched
        self._facts = FileFacts()

    def run(self, job: Running) -> JobEnded:
        """Run a job; its events go out as they happen, how it ended comes back.

        Whatever goes wrong is told as the end of the job: a worker outlives its jobs.
        """
        begin = job.begin
        self._outbox.put(JobBegun(begin.job))
        started = time.perf_counter()
        try:
            return self._run(job)
        except WorkflowError as error:
            problem = _first(error.problems)
        except NodeflowError as error:
            problem = str(error)
        except Exception as error:
            logger.exception("Job %s met a fault of nodeflow", begin.job)
            problem = (
                f"nodeflow made a mistake: {type(error).__name__}: {error}; "
                "the server's log says where"
            )
        return JobEnded(begin.job, "failed", time.perf_counter() - started, problem=problem)

    def _run(self, job: Running) -> JobEnded:
        begin = job.begin
        told: set[str] = set()
        over = False

        def emit(event: Event) -> None:
            # `JobEnded` says the same, and more.
            if over or isinstance(event, RunFinished):
                return
            if isinstance(event, NodeFinished | NodeFailed):
                told.add(event.node)
            self._outbox.put(event)

        try:
            result = self._engine.run(
                _workflow(begin),
                out=Path(begin.out),
                only=begin.only,
                emit=emit,
                cancel=job.cancel,
                watched=self._watched,
                run_id=begin.job,
                pin=pin_of(begin.job),
            )
        finally:
            over = True
        return self._ended(begin, result, told)

    def _ended(self, begin: Begin, result: Result, told: set[str]) -> JobEnded:
        outputs = {
            name: self._output(begin, name, output) for name, output in result.outputs.items()
        }
        files = {
            node: self._files(begin, node, report.files)
            for node, report in result.nodes.items()
            if report.files
        }
        nodes = {
            node: [report.outcome, report.why, report.key]
            for node, report in result.nodes.items()
            if node not in told
        }
        counts: Counter[str] = Counter(report.outcome for report in result.nodes.values())
        problem = _problem(result) if result.status == "failed" else ""
        return JobEnded(
            begin.job, result.status, result.seconds, outputs, files, nodes, counts, problem
        )

    def _output(self, begin: Begin, name: str, output: Mapping[str, Any]) -> Mapping[str, Any]:
        if "files" not in output:
            return output
        return {**output, "files": self._files(begin, name, output["files"])}

    def _files(self, begin: Begin, node: str, paths: Iterable[str]) -> list[dict[str, Any]]:
        found = []
        for path in paths:
            try:
                found.append(self._facts.of(path, begin.out))
            except InputError as error:  # somebody was quick to delete it
                self._outbox.put(NodeLog(begin.job, node, str(error)))
        return found


def _workflow(begin: Begin) -> Workflow:
    if not begin.file:
        return Workflow.parse(begin.document)
    try:
        return Workflow.parse(Path(begin.file).read_bytes())
    except OSError as error:
        raise InputError(
            f"the workflow of the job cannot be read: {error.strerror}; submit it anew"
        ) from error


def _first(problems: Iterable[Problem]) -> str:
    """The first error of a workflow that does not check any more, and how many there are."""
    errors = [problem for problem in problems if problem.severity == "error"]
    first = errors[0]
    place = "" if first.node is None else f"Node '{first.node}': "
    rest = f" And {len(errors) - 1} more." if len(errors) > 1 else ""
    return " ".join([f"{place}{first.sentence}", first.way_out]).rstrip() + rest


def _problem(result: Result) -> str:
    """Why a run failed: the node that failed first, and how many others did."""
    if result.errors:
        more = len(result.errors) - 1
        rest = f" ({more} more failed)" if more else ""
        return f"{result.errors[0]}{rest}"
    for node, report in result.nodes.items():
        if report.outcome in ("failed", "skipped") and report.why:
            return f"Node '{node}' gave no value: {report.why}"
    return "An output has no value."
