"""Saving: the files service for the nodes and outputs of one run."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from pathlib import Path

from nodeflow.cache.disk import DiskStore
from nodeflow.canonical import canonical
from nodeflow.errors import StoreError
from nodeflow.outputs import FreeNames, OutputFiles
from nodeflow.plan import PlanNode
from nodeflow.registry import Registry
from nodeflow.workflow import Workflow


class Saving:
    """Says where the nodes and outputs of one run write.

    Attributes:
        out: The folder.

    Args:
        disk: Promises names to calls, so that one that was killed gets the same again.
    """

    def __init__(
        self, workflow: Workflow, registry: Registry, disk: DiskStore | None, out: Path
    ) -> None:
        self._disk = disk
        self._registry = registry
        self._workflow = workflow
        self.out = out.expanduser().absolute()
        self._free = FreeNames()
        self._started = datetime.now()

    @cached_property
    def _text(self) -> str:
        return canonical(self._workflow, self._registry).dumps()

    def for_node(self, node: PlanNode, token: str) -> OutputFiles:
        return self.for_output(node.id, token)

    def for_output(self, name: str, token: str) -> OutputFiles:
        fields = {
            "workflow": self._workflow.name or "workflow",
            "node": name,
            "date": f"{self._started:%Y-%m-%d}",
            "time": f"{self._started:%H-%M-%S}",
        }
        disk = self._disk
        if disk is None:
            return OutputFiles(self.out, self._text, fields, self._free)

        def reserve(item: int, folder: Path, stem: str, suffix: str) -> Path:
            try:
                return disk.reserve(token, item, folder, stem, suffix)
            except StoreError:  # a full disk: what is saved may well lie on another one
                return self._free(item, folder, stem, suffix)

        return OutputFiles(self.out, self._text, fields, reserve)
