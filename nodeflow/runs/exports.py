"""Exposed outputs: the engine writes what can be seen to files and hands out the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from nodeflow.errors import NodeflowError
from nodeflow.keys import node_key
from nodeflow.pictures import write_picture
from nodeflow.plan import Plan, PlanNode
from nodeflow.runs.runner import Run
from nodeflow.runs.saving import Saving
from nodeflow.runs.stores import FileStamp, Made, Stores
from nodeflow.runs.surroundings import Results
from nodeflow.sockets import item_of
from nodeflow.spec import NodeSpec
from nodeflow.workflow import Link

if TYPE_CHECKING:
    import PIL.Image

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
    """Writes the exposed outputs of one run, which was given `results_of` its plan."""

    def __init__(self, plan: Plan, run: Run, stores: Stores, saving: Saving) -> None:
        self._plan = plan
        self._run = run
        self._stores = stores
        self._saving = saving
        self._out = str(saving.out)

    def export(self) -> dict[str, Mapping[str, Any]]:
        """What each output came to: `{"files": [...]}`, or `{"value": ...}` for a JSON value.

        An output that failed is left out.
        """
        found: dict[str, Mapping[str, Any]] = {}
        for name, link in self._plan.outputs.items():
            if not self._run.gave(link.node):
                continue
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
        if _is_plain(self._plan, link):
            return {"value": self._run.value(link)}
        key = _key(name, self._run.key_of(link), self._out)
        # Before the codec is asked, which may have to import torch.
        files = self._saved(link) or self._written(key)
        type_name = node.types[link.output]
        if files is None and (show := self._stores.codecs.of(type_name).show) is not None:
            files = self._write(name, link, key, show(self._run.value(link)))
        return {"type": type_name} if files is None else {"files": files}

    def _saved(self, link: Link) -> list[str]:
        """Files of end nodes that take this very value: what was saved is not saved again."""
        return [
            path
            for other in self._plan.graph.succ[link.node]
            if (node := self._plan.nodes.get(other)) is not None and node.spec.end
            if link in node.links.values()
            for path in self._run.files(other)
        ]

    def _written(self, key: str | None) -> list[str] | None:
        """Files that an earlier run wrote for this very output, if they are unchanged."""
        known = self._stores.files(key) if key is not None else None
        return [file.path for file in known.files] if known is not None else None

    def _write(
        self, name: str, link: Link, key: str | None, pictures: Iterable[PIL.Image.Image]
    ) -> list[str]:
        # A token names what is written; used for two values, it would write over the first.
        token = key or uuid4().hex
        files = self._saving.for_output(name, token)
        for picture in pictures:
            with files.create(name, ".png") as file:
                write_picture(file, picture, "PNG", files.workflow)
        made = Made(files=tuple(FileStamp.of(path) for path in files.written))

        def done(error: Exception | None) -> None:
            if error is not None:
                self._run.log(link.node, f"where its pictures are was not stored: {error}")
            self._stores.settle([token])

        node = _export_node()
        if key is None or not self._stores.write(node, key, made, 0.0, mapped=False, done=done):
            self._stores.settle([token])
        return [str(path) for path in files.written]


def results_of(plan: Plan, out: str) -> Results:
    """What exporting will ask of a run: JSON values in hand, and the keys of all that it gave.

    Args:
        out: Folder for what is saved.
    """
    # All at once while the run lasts: asking for one value after the other would wait for each.
    needed = frozenset(link.node for link in plan.outputs.values() if _is_plain(plan, link))

    ends = frozenset(name for name, node in plan.nodes.items() if node.spec.end)
    exposed = frozenset(link.node for link in plan.outputs.values())

    def exports(key_of: Callable[[Link], str | None]) -> set[str]:
        found = {_key(name, key_of(link), out) for name, link in plan.outputs.items()}
        return {key for key in found if key is not None}

    return Results(needed, ends | exposed, exports)


def _is_plain(plan: Plan, link: Link) -> bool:
    """Whether an output is JSON."""
    node = plan.nodes[link.node]
    if node.spec.end:
        return False
    inner = node.types[link.output]
    while (item := item_of(inner)) is not None:
        inner = item
    return inner in _PLAIN


def _key(name: str, key: str | None, out: str) -> str | None:
    """What an export of the value of `key` is stored under."""
    if key is None:
        return None
    return node_key(_EXPORT, {"name": name}, {}, [("value", key)], out)


def _export_node() -> PlanNode:
    """An export as the stores see it: an end node."""
    return PlanNode(
        id="export",
        spec=_EXPORT,
        literals={},
        files={},
        named={},
        reads=(),
        digests={},
        links={},
        joins={},
        types={},
        enters={},
        rank=0,
        surroundings="",
        mapped=False,
        lazy=frozenset(),
    )
