"""Runs with the embedded model on a machine whose memory runs out where a test says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from nodeflow import Workflow
from nodeflow.engine import Engine
from nodeflow.events import Event, NodeFailed, NodeLog
from nodeflow.runs.console import captured
from nodeflow.settings import Settings
from tests.test_workflows import SHIPPED

ERRORS: dict[str, Callable[[], Exception]] = {
    "GPU": lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    "CPU": lambda: RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
    "Python": MemoryError,
}
SIZE = {"width": 192, "height": 128, "steps": 2}


@dataclass
class Told:
    """A run's picture, None if it failed, and what it told."""

    picture: Tensor | None
    events: list[Event]

    @property
    def log(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, NodeLog)]

    @property
    def failure(self) -> str:
        failed = next(event for event in self.events if isinstance(event, NodeFailed))
        return f"{failed.node}: {failed.sentence}"


def flow_data() -> dict[str, Any]:
    """Text to image without what comes after the picture."""
    data = json.loads(SHIPPED["text_to_image"].read_text())
    for name in ("save", "upscale", "load_upscaler"):
        data["nodes"].pop(name, None)
    data["inputs"]["batch"] = {"node": "empty", "input": "batch"}
    return {**data, "outputs": {"image": {"node": "decode", "output": "image"}}}


class Machine:
    """Runs the workflow with the embedded model; nothing is known from the run before.

    Args:
        folder: For what engines write.
        settings: Others than the usual.
    """

    def __init__(self, folder: Path, **settings: Any) -> None:
        self._folder = folder
        self._settings = Settings(
            cache=folder / "cache", data=folder / "data", packs=(), **settings
        )
        self._engines: list[Engine] = []

    def draw(self, same_engine: bool = False, watched: bool = False, **inputs: Any) -> Told:
        if not same_engine:
            self._engines.append(self._started())
        return self.run(Workflow.from_data(flow_data()), watched, **SIZE | inputs)

    def run(self, flow: Workflow, watched: bool = False, **inputs: Any) -> Told:
        """A run of any workflow by the engine that drew last."""
        engine, events = self.engine, list[Event]()
        with captured():
            result = engine.run(
                engine.with_inputs(flow, inputs),
                out=self._folder / "out",
                emit=events.append,
                watched=watched,
            ).loaded()
        return Told(result["image"] if result.status == "done" else None, events)

    @property
    def engine(self) -> Engine:
        """The engine that drew last."""
        if not self._engines:
            self._engines.append(self._started())
        return self._engines[-1]

    def _started(self) -> Engine:
        return Engine(self._settings, device="cpu", precision="fp32", cache=False)

    def close(self) -> None:
        for engine in self._engines:
            engine.close()


def starve(monkeypatch: pytest.MonkeyPatch, kind: type, name: str, holds: Any, error: Any) -> None:
    """Let a method run out of memory unless `holds` says of its first argument that it fits."""
    plain = getattr(kind, name)

    def hungry(self: Any, first: Tensor, *args: Any, **kwargs: Any) -> Any:
        if not holds(first):
            raise error()
        return plain(self, first, *args, **kwargs)

    monkeypatch.setattr(kind, name, hungry)


def psnr(one: Tensor, other: Tensor) -> float:
    return float(-10 * ((one - other) ** 2).mean().log10())
