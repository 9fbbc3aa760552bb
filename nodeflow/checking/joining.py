"""Type variables: what `~T` stands for at one node."""

from __future__ import annotations

from pydantic import JsonValue

from nodeflow.sockets import ANY, is_variable, item_of, join, list_of


class Bindings:
    """What each type variable of one node stands for, as its inputs are met."""

    def __init__(self) -> None:
        self._bound: dict[str, str] = {}

    def bind(self, wanted: str, given: str) -> bool:
        """Let `wanted` stand for `given`; False if it already stands for something else.

        An `int` and a `float` together are `float`.
        """
        if not is_variable(wanted):
            return True
        while (inner := item_of(wanted)) is not None:
            given = item_of(given) or given
            wanted = inner
        known = self._bound.get(wanted)
        if known is None or known == ANY or join(known, given) == "direct":
            self._bound[wanted] = given
            return True
        return join(given, known) == "direct"

    def apply(self, name: str) -> str:
        """The type with its variable replaced; `any` if nothing bound it."""
        inner = item_of(name)
        if inner is not None:
            return list_of(self.apply(inner))
        return self._bound.get(name, ANY) if name.startswith("~") else name


def literal_type(value: JsonValue) -> str:
    """The socket type of a value that is written in the document."""
    kind = type(value).__name__
    return kind if kind in ("int", "float", "str", "bool") else "json"
