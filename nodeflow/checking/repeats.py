"""Repeats: a group's call that runs several times, as one copy of the group for each round."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from nodeflow.checking.flat import FlatNode, Mode
from nodeflow.findings import escape
from nodeflow.spec import NodeSpec
from nodeflow.workflow import Graph, Link, Repeat

UNTIL = "nodeflow.until"


def round_ids(call: str, repeat: Repeat) -> list[str]:
    """The ids under which the copies of the group stand."""
    return [f"{call}[{number}]" for number in range(1, repeat.times + 1)]


def missing_names(group: Graph, repeat: Repeat) -> Iterator[tuple[str, str, str, Iterable[str]]]:
    """(place in `repeat`, kind, name, known names) of what a repeat names and its group lacks."""
    if repeat.until is not None and repeat.until not in group.outputs:
        yield "/until", "output", repeat.until, group.outputs
    for output, name in repeat.feed.items():
        place = f"/feed/{escape(output)}"
        if output not in group.outputs:
            yield place, "output", output, group.outputs
        if name not in group.inputs:
            yield place, "input", name, group.inputs


def choices(
    rounds: Sequence[str],
    output: str,
    until: str,
    spec: NodeSpec | None,
    pointer: str,
    mode: Mode | None,
) -> tuple[list[FlatNode], Link]:
    """Lazy choices between the rounds, for one output, and the link to what was chosen.

    Rounds after the last one are never asked for, so they never run.

    Args:
        pointer: JSON pointer to the call.
    """
    nodes: list[FlatNode] = []
    chosen = Link(rounds[-1], output)
    place = f"{pointer}/repeat/until"
    for round_id in reversed(rounds[:-1]):
        node = FlatNode(
            f"{round_id}/until:{output}",
            UNTIL,
            spec,
            {"done": Link(round_id, until), "now": Link(round_id, output), "later": chosen},
            place,
            # A bypassed choice would be no choice.
            "mute" if mode == "mute" else None,
            dict.fromkeys(("done", "now", "later"), place),
        )
        nodes.append(node)
        chosen = Link(node.id, "value")
    return nodes, chosen
