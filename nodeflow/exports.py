"""Exposed outputs: the engine writes what can be seen to files, and hands out the rest as values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nodeflow.errors import NodeflowError
from nodeflow.keys import node_key
from nodeflow.outputs import OutputFiles
from nodeflow.pictures import write_picture
from nodeflow.plan import Plan, PlanNode
from nodeflow.runner import Run
from nodeflow.sockets import item_of
from nodeflow.spec import NodeSpec
from nodeflow.stores import FileStamp, Made, Stores
from nodeflow.values import Codecs
from nodeflow.workflow import Link

FilesFor = Callable[[str, str], OutputFiles]
"""(what it is for, token) -> where to write."""

_PLAIN = ("int", "float", "str", "bool", "json", "any")
_EXPORT = NodeSpec(
    id="nodeflow.export",
    pack="nodeflow",
    function="export",
    module=__name__,
    title="Export",
    identity="version:1",
    end=True,
)


class Exporter:
    """Writes the exposed outputs of one run."""

    def __init__(
        self, plan: Plan, run: Run, stores: Stores, codecs: Codecs, files_for: FilesFor, out: str
    ) -> None:
        self._plan = plan
        self._run = run
        self._stores = stores
        self._codecs = codecs
        self._files_for = files_for
        self._out = out

    def export(self) -> dict[str, Mapping[str, Any]]:
        """What each output came to: `{"files": [...]}`, or `{"value": ...}` for a JSON value.

        An output that failed is left out.
        """
        found: dict[str, Mapping[str, Any]] = {}
        for name, link in self._plan.outputs.items():
            try:
                found[name] = self._export(name, link)
            except NodeflowError:
                # The node that failed has been reported.
                continue
        return found

    def _export(self, name: str, link: Link) -> Mapping[str, Any]:
        node = self._plan.nodes[link.node]
        if node.spec.end:
            return {"files": list(self._run.files(link.node))}
        type_name = node.types[link.output]
        inner = type_name
        while (item := item_of(inner)) is not None:
            inner = item
        if inner in _PLAIN:
            return {"value": self._run.value(link)}
        saved = self._saved(link)
        if saved:
            return {"files": saved}
        if self._codecs.of(type_name).show is None:
            self._run.value(link)
            return {"type": type_name}
        return {"files": self._pictures(name, link, type_name)}

    def _saved(self, link: Link) -> list[str]:
        """Files of end nodes that take this very value: what was saved is not saved again."""
        return [
            path
            for other in self._plan.graph.succ[link.node]
            if (node := self._plan.nodes.get(other)) is not None and node.spec.end
            if link in node.links.values()
            for path in self._run.files(other)
        ]

    def _pictures(self, name: str, link: Link, type_name: str) -> list[str]:
        value_key = self._run.key_of(link)
        key = (
            node_key(_EXPORT, {"name": name}, {}, [("value", value_key)], self._out)
            if value_key
            else None
        )
        known = (self._stores.recall(key) or self._stores.files(key)) if key else None
        if known is not None:
            return [file.path for file in known.files]
        show = self._codecs.of(type_name).show
        assert show is not None
        token = key or f"{link.node}.{link.output}"
        files = self._files_for(name, token)
        for picture in show(self._run.value(link)):
            with files.create(name, ".png") as file:
                write_picture(file, picture, "PNG", files.workflow)
        made = Made(files=tuple(FileStamp.of(path) for path in files.written))
        if key is not None:
            node = _export_node()
            self._stores.write(node, key, made, 0.0, mapped=False, done=lambda error: None)
            self._stores.settle([token])
        return [str(path) for path in files.written]


def _export_node() -> PlanNode:
    """An export as the stores see it: an end node."""
    return PlanNode(
        id="export",
        spec=_EXPORT,
        literals={},
        files={},
        digests={},
        links={},
        joins={},
        types={},
        rank=0,
        surroundings="",
        mapped=False,
        lazy=frozenset(),
    )
