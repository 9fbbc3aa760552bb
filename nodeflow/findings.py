"""Findings: the problems of one check, each said once, with the nearest name as a hint."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from itertools import islice

from nodeflow.errors import Problem

_HINTS = 200
_COMPARED = 2_000


def escape(part: str) -> str:
    """A key as a part of a JSON pointer (RFC 6901)."""
    return part.replace("~", "~0").replace("/", "~1")


def nearest(name: str, known: Iterable[str], prefix: str = "") -> str:
    """`Did you mean 'x'?`, or an empty text; `prefix` belongs to what is meant."""
    found = difflib.get_close_matches(name, list(islice(known, _COMPARED)), n=1, cutoff=0.5)
    return f"Did you mean '{prefix}{found[0]}'?" if found else ""


class Findings:
    """Collects problems.

    A group that is called many times shows the same fault in each copy: it is told once, at the
    first copy's node.

    Attributes:
        problems: Every problem once.
        told: How often `add` was called.
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.told = 0
        self._first: dict[tuple[str, str, str | None], str | None] = {}
        self._seen: set[Problem] = set()

    def add(self, problem: Problem) -> None:
        """Add a problem, unless another copy of its node has it already."""
        self.told += 1
        place = (problem.code, problem.pointer, problem.input)
        first = self._first.setdefault(place, problem.node)
        if first == problem.node and problem not in self._seen:
            self._seen.add(problem)
            self.problems.append(problem)

    def nearest(self, name: str, known: Iterable[str], prefix: str = "") -> str:
        """As `nearest`, but silent once there are hundreds of problems: comparing takes time."""
        return nearest(name, known, prefix) if len(self.problems) < _HINTS else ""
