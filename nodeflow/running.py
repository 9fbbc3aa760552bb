"""Run a workflow from a script: one call, with an engine of its own or with one that is kept."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from nodeflow.engine import Engine
from nodeflow.events import Emit
from nodeflow.runs.result import Result
from nodeflow.workflow import Workflow


def run(
    flow: Workflow | str | os.PathLike[str],
    *,
    engine: Engine | None = None,
    out: str | os.PathLike[str] = "outputs",
    only: Sequence[str] = (),
    emit: Emit | None = None,
    cancel: threading.Event | None = None,
    inputs: Mapping[str, object] | None = None,
    **named: object,
) -> Result:
    """Run a workflow and wait for it: `run(flow, prompt="a red apple", seed=7)["image"]`.

    Args:
        flow: A workflow, or the path of one.
        engine: Keeps models and values warm between calls; without it each call makes its own,
            and only the disk store remembers.
        out: Folder for what is saved.
        only: Nodes that are wanted; everything if empty.
        emit: Where events go.
        cancel: Set it from another thread to cancel.
        inputs: Exposed inputs whose names cannot be keywords here.
        named: Exposed inputs by name.

    Raises:
        WorkflowError: The workflow cannot be read or does not check. Nothing has run then.
        NodeError: A node failed; everything that does not depend on it was done before.
    """
    values = {**(inputs or {}), **named}
    with contextlib.ExitStack() as stack:
        warm = engine or stack.enter_context(Engine())
        workflow = flow if isinstance(flow, Workflow) else warm.load(Path(flow))
        result = warm.run(workflow, values, out=Path(out), only=only, emit=emit, cancel=cancel)
        return result.loaded().raise_if_failed()


async def arun(
    flow: Workflow | str | os.PathLike[str],
    *,
    engine: Engine | None = None,
    out: str | os.PathLike[str] = "outputs",
    only: Sequence[str] = (),
    emit: Emit | None = None,
    inputs: Mapping[str, object] | None = None,
    **named: object,
) -> Result:
    """As `run`, for async code; cancelling the task cancels the run within one step of a node."""
    cancel = threading.Event()
    with _set_on_cancel(cancel):
        return await asyncio.shield(
            asyncio.to_thread(
                run,
                flow,
                engine=engine,
                out=out,
                only=only,
                emit=emit,
                cancel=cancel,
                inputs={**(inputs or {}), **named},
            )
        )


@contextlib.contextmanager
def _set_on_cancel(cancel: threading.Event) -> Iterator[None]:
    try:
        yield
    except asyncio.CancelledError:
        cancel.set()
        raise
