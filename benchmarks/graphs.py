"""The workflows that are measured."""

from __future__ import annotations

from typing import Any

from nodeflow import Workflow

Nodes = dict[str, dict[str, Any]]


def link(node: str, output: str) -> dict[str, str]:
    return {"node": node, "output": output}


def workflow(name: str, nodes: Nodes, **outputs: dict[str, str]) -> Workflow:
    return Workflow.from_data({"nodeflow": 1, "name": name, "nodes": nodes, "outputs": outputs})


def chain(length: int, start: int = 0) -> Workflow:
    """`length` trivial nodes, each on the one before."""
    nodes: Nodes = {"n0": {"type": "bench.step", "inputs": {"number": start}}}
    for index in range(1, length):
        inputs = {"number": link(f"n{index - 1}", "number")}
        nodes[f"n{index}"] = {"type": "bench.step", "inputs": inputs}
    return workflow("chain", nodes, number=link(f"n{length - 1}", "number"))


def wide(width: int, start: int = 0) -> Workflow:
    """One node, `width` nodes on it that differ, and their sum."""
    nodes: Nodes = {"source": {"type": "bench.step", "inputs": {"number": start}}}
    for index in range(width):
        inputs = {"number": link("source", "number"), "by": index}
        nodes[f"n{index}"] = {"type": "bench.step", "inputs": inputs}
    numbers = [link(f"n{index}", "number") for index in range(width)]
    nodes["total"] = {"type": "bench.total", "inputs": {"numbers": numbers}}
    return workflow("wide", nodes, number=link("total", "number"))


def waits(count: int, seconds: float, *, save: bool, first_seed: int = 0) -> Workflow:
    """`count` nodes that occupy the device, each with a picture that is saved, or only wanted."""
    nodes: Nodes = {}
    for index in range(count):
        inputs = {"seed": first_seed + index, "seconds": seconds}
        nodes[f"wait{index}"] = {"type": "bench.wait", "inputs": inputs}
    pictures = [link(name, "image") for name in nodes]
    if not save:
        return _counted("waits", nodes, pictures)
    for index, picture in enumerate(pictures):
        nodes[f"save{index}"] = {"type": "image.save", "inputs": {"image": picture}}
    return workflow("waits and saves", nodes)


def pictures(seed: int) -> Workflow:
    """Four pictures of 3 MB, one made from the other."""
    nodes: Nodes = {"n0": {"type": "bench.wait", "inputs": {"seed": seed, "seconds": 0.0}}}
    for index in range(1, 4):
        inputs = {"image": link(f"n{index - 1}", "image")}
        nodes[f"n{index}"] = {"type": "bench.darken", "inputs": inputs}
    return _counted("pictures", nodes, [link("n3", "image")])


def _counted(name: str, nodes: Nodes, pictures: list[dict[str, str]]) -> Workflow:
    count = {"count": {"type": "bench.count", "inputs": {"images": pictures}}}
    return workflow(name, nodes | count, count=link("count", "count"))


ROWS = 40
"""Nodes above each other in a drawn graph."""


def drawn(count: int, ticks: int = 0, start: int = 0) -> dict[str, Any]:
    """`count` nodes with places, each of 4 inputs, 2 outputs and 3 fields, two inputs linked.

    With `ticks` there is one more node, the only one that is wanted, which reports so many steps.
    """
    nodes: Nodes = {}
    places: dict[str, dict[str, list[int]]] = {}
    for index in range(count):
        column, row = divmod(index, ROWS)
        inputs: dict[str, Any] = {"amount": round(index / count, 3), "steps": 1 + index % 100}
        if column:
            inputs["image"] = link(f"n{index - ROWS}", "image")
            inputs["mask"] = link(f"n{index - ROWS - (1 if row else 0)}", "mask")
        nodes[f"n{index}"] = {"type": "bench.mix", "inputs": inputs}
        places[f"n{index}"] = {"at": [column * 340, row * 360]}
    outputs = {}
    if ticks:
        nodes["ticking"] = {"type": "bench.ticking", "inputs": {"count": ticks, "start": start}}
        places["ticking"] = {"at": [-340, 0]}
        outputs["count"] = link("ticking", "count")
    return {
        "nodeflow": 1,
        "name": f"{count} nodes",
        "nodes": nodes,
        "outputs": outputs,
        "layout": {"nodes": places},
    }
