"""How linked values enter a node: as they are, as a list of one, or one call for each item."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from nodeflow.errors import InputError
from nodeflow.keys import content_key, growing_key, node_key
from nodeflow.plan import PlanNode
from nodeflow.workflow import Link

Inputs = dict[str, object]


def enter(node: PlanNode, carried: Mapping[str, object]) -> tuple[Inputs, Iterator[Inputs] | None]:
    """The inputs of a call, and for a mapped node the inputs of each of its calls.

    Args:
        node: Says how each link enters.
        carried: Values by input, as the links carry them; a tuple for a growing input.

    Raises:
        InputError: Lists of different lengths, neither of length 1.
    """
    values = dict(carried)
    each: dict[str, list[object]] = {}
    for name, how in node.joins.items():
        value = values[name]
        if isinstance(how, tuple):
            values[name] = _grown(value, how)
        elif how == "wrap":
            values[name] = [value]
        elif how == "each":
            assert isinstance(value, list)
            each[name] = value
    return values, _zipped(values, each) if each else None


def _grown(value: object, joins: tuple[str, ...]) -> tuple[object, ...]:
    """A growing input takes a list's items one by one."""
    assert isinstance(value, tuple)
    grown: list[object] = []
    for item, how in zip(value, joins, strict=True):
        if how == "each" and isinstance(item, list):
            grown.extend(item)
        else:
            grown.append([item] if how == "wrap" else item)
    return tuple(grown)


def _zipped(values: Inputs, each: Mapping[str, list[object]]) -> Iterator[Inputs]:
    lengths = {name: len(items) for name, items in each.items()}
    longest = 0 if 0 in lengths.values() else max(lengths.values())
    odd = [name for name, length in lengths.items() if length not in (1, longest)]
    if longest and odd:
        told = ", ".join(f"'{name}' has {length}" for name, length in lengths.items())
        raise InputError(
            f"its lists differ in length: {told}; give lists of equal length, or of one item "
            "(the node logic.cross makes every combination)"
        )
    return (
        values | {name: items[index % len(items)] for name, items in each.items()}
        for index in range(longest)
    )


def item_key(
    node: PlanNode,
    key_of: Callable[[Link], str | None],
    fingerprint: Callable[[str], str],
) -> str | None:
    """The key of one call of a mapped node: the items that enter count by content.

    Args:
        key_of: The key of the value that a link carries.
        fingerprint: Input to the fingerprint of the item that enters there.
    """
    links = [("item", "")]
    for name, source in node.links.items():
        if node.joins.get(name) == "each":
            links.append((name, content_key(fingerprint(name))))
            continue
        keys = [key_of(link) for link in (source if isinstance(source, tuple) else (source,))]
        known = [key for key in keys if key is not None]
        if len(known) < len(keys):
            return None
        links.append((name, growing_key(known) if isinstance(source, tuple) else known[0]))
    return node_key(node.spec, node.literals, node.digests, links, node.surroundings)
