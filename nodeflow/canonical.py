"""The canonical document: every name spelled out, and as today's packs have it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from nodeflow.registry import Registry
from nodeflow.spec import NodeSpec
from nodeflow.workflow import (
    GROUP_PREFIX,
    Graph,
    InputPlace,
    NodeEntry,
    OutputPlace,
    Workflow,
    is_link,
)


def canonical(workflow: Workflow, registry: Registry) -> Workflow:
    """The same workflow with today's types, inputs and outputs, and no output name left out.

    What nobody knows, and what is wrong, stays as it is.
    """
    speller = _Speller(workflow.groups, registry)
    groups = {
        name: group.model_copy(update=speller.graph(group))
        for name, group in workflow.groups.items()
    }
    return workflow.model_copy(update=speller.graph(workflow) | {"groups": groups})


class _Speller:
    def __init__(self, groups: Mapping[str, Graph], registry: Registry) -> None:
        self._groups = groups
        self._registry = registry

    def graph(self, graph: Graph) -> dict[str, object]:
        """The fields of a graph that change."""
        return {
            "nodes": {name: self._node(entry, graph) for name, entry in graph.nodes.items()},
            "inputs": {
                name: [self._exposed(place, graph) for place in places]
                if isinstance(places, list)
                else self._exposed(places, graph)
                for name, places in graph.inputs.items()
            },
            "outputs": {name: self._shown(place, graph) for name, place in graph.outputs.items()},
        }

    def _node(self, entry: NodeEntry, graph: Graph) -> NodeEntry:
        spec = self._registry.find(entry.type)
        inputs: dict[str, JsonValue] = {}
        for name, raw in entry.inputs.items():
            today = _input_name(spec, name)
            # Two names for one input are a problem to be told, not to be hidden.
            kept = name if today != name and today in entry.inputs else today
            inputs[kept] = self._source(raw, graph)
        type_id = spec.id if spec is not None else entry.type
        return entry.model_copy(update={"type": type_id, "inputs": inputs})

    def _source(self, raw: JsonValue, graph: Graph) -> JsonValue:
        if isinstance(raw, list):
            return [self._source(item, graph) if is_link(item) else item for item in raw]
        if not isinstance(raw, dict) or not is_link(raw):
            return raw
        output = self._output_name(str(raw["node"]), str(raw.get("output", "")), graph)
        return raw | {"output": output} if output else raw

    def _exposed(self, place: InputPlace, graph: Graph) -> InputPlace:
        entry = graph.nodes.get(place.node)
        spec = self._registry.find(entry.type) if entry is not None else None
        return place.model_copy(update={"input": _input_name(spec, place.input)})

    def _shown(self, place: OutputPlace, graph: Graph) -> OutputPlace:
        output = self._output_name(place.node, place.output, graph)
        return place.model_copy(update={"output": output})

    def _output_name(self, node: str, output: str, graph: Graph) -> str:
        entry = graph.nodes.get(node)
        if entry is None:
            return output
        spec = self._registry.find(entry.type)
        if spec is not None:
            port = spec.output(output)
            if port is not None:
                return port.name
            names = [port.name for port in spec.outputs]
        else:
            group = self._groups.get(entry.type.removeprefix(GROUP_PREFIX))
            names = list(group.outputs) if group and entry.type.startswith(GROUP_PREFIX) else []
        return names[0] if not output and len(names) == 1 else output


def _input_name(spec: NodeSpec | None, name: str) -> str:
    port = spec.input(name) if spec is not None else None
    return port.name if port is not None else name
