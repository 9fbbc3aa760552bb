"""Result: what a run came to, with the values of its outputs."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nodeflow.errors import NodeError, NodeflowError
from nodeflow.events import NodeReport, RunStatus
from nodeflow.runs.runner import Run
from nodeflow.workflow import Link


@dataclass(frozen=True)
class Result:
    """What a run came to; `result["image"]` is the value of the output `image`.

    Attributes:
        nodes: What became of each node.
        outputs: For each output its files, or its value if that is JSON.
        errors: What nodes raised.
    """

    status: RunStatus
    seconds: float
    nodes: Mapping[str, NodeReport]
    outputs: Mapping[str, Mapping[str, Any]]
    errors: tuple[NodeError, ...]
    _run: Run
    _links: Mapping[str, Link]
    _values: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        if name not in self._links:
            known = ", ".join(self._links) or "none"
            raise KeyError(f"the workflow has no output '{name}'; there is: {known}")
        if name not in self._values:
            self._values[name] = self._run.value(self._links[name])
        return self._values[name]

    def loaded(self) -> Result:
        """Itself with the values of all outputs in hand, so that the engine may be closed.

        An output that failed is left out; asking for it raises its node's error.
        """
        self._run.need(self._links.values())
        for name, link in self._links.items():
            with contextlib.suppress(NodeflowError):
                self._values[name] = self._run.value(link)
        return self

    def raise_if_failed(self) -> Result:
        """Itself, unless a node failed: then that node's error.

        Raises:
            NodeError: The first that happened.
        """
        if self.errors:
            raise self.errors[0]
        return self
