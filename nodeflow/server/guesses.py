"""Guesses: wrong tokens of each client; the more there were, the longer the next answer takes."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from nodeflow.server.problems import HttpError

_WINDOW = 60.0
_CLIENTS = 1024
_LONGEST = 2.0


class Guesses:
    """Counts wrong tokens.

    Args:
        allowed: How many a client may give within a minute.
        pause: Seconds that the answer to the first one takes; then twice that, and so on.
    """

    def __init__(
        self,
        allowed: int = 10,
        pause: float = 0.25,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._allowed = allowed
        self._pause = pause
        self._clock = clock
        self._wrong: OrderedDict[str, list[float]] = OrderedDict()

    def refuse_eager(self, client: str) -> None:
        """Refuse a client that guesses on.

        Raises:
            HttpError: 429.
        """
        recent = self._recent(client)
        if len(recent) >= self._allowed:
            wait = max(1, math.ceil(recent[0] + _WINDOW - self._clock()))
            raise HttpError(
                429,
                f"There were {len(recent)} wrong tokens from {client} within a minute; "
                f"try again in {wait} s.",
                headers={"Retry-After": str(wait)},
            )

    def count(self, client: str) -> float:
        """Remember a wrong token; how many seconds the answer shall take."""
        recent = [*self._recent(client), self._clock()]
        self._wrong[client] = recent
        self._wrong.move_to_end(client)
        if len(self._wrong) > _CLIENTS:
            self._wrong.popitem(last=False)
        return float(min(_LONGEST, self._pause * 2 ** (len(recent) - 1)))

    def _recent(self, client: str) -> list[float]:
        now = self._clock()
        return [then for then in self._wrong.get(client, ()) if now - then < _WINDOW]
