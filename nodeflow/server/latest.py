"""Latest: of each node that works only the newest word, since nobody asks for older ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class News(Generic[T]):
    """What a node said last, and when in the order of all that was said."""

    stamp: int
    job: str
    value: T


class Latest(Generic[T]):
    """The newest value of each job and node, with a stamp that grows with every change."""

    def __init__(self) -> None:
        self.stamp = 0
        # In the order of their stamps: what is renewed moves to the end.
        self._values: dict[tuple[str, str], News[T]] = {}

    def __len__(self) -> int:
        return len(self._values)

    def put(self, job: str, node: str, value: T) -> None:
        """Replace what was known of a node."""
        self.stamp += 1
        self._values.pop((job, node), None)
        self._values[job, node] = News(self.stamp, job, value)

    def newer(self, stamp: int) -> list[News[T]]:
        """What changed after a stamp, oldest first."""
        return list(self._newest(stamp))[::-1]

    def drop(self, job: str, node: str) -> None:
        """A node works no more."""
        self._values.pop((job, node), None)

    def forget(self, job: str) -> None:
        """A job is over."""
        for key in [key for key in self._values if key[0] == job]:
            del self._values[key]

    def _newest(self, stamp: int) -> Iterator[News[T]]:
        for news in reversed(self._values.values()):
            if news.stamp <= stamp:
                return
            yield news
