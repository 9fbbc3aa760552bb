"""Pace: when the next frame goes out. At once if little goes on, seldom if frames cost much."""

from __future__ import annotations

from enum import IntEnum

PASSING_SECONDS = 0.015
"""Least time between frames that carry only progress and previews."""

CHEAP_SECONDS = 0.001
"""A broadcast of less is not worth waiting for company."""

DEAREST_SECONDS = 0.1
"""A broadcast counts as no dearer than this, so that no event waits for long."""


class Urgency(IntEnum):
    """How long something may wait."""

    PASSING = 0
    """Progress and previews: the next one replaces it."""
    KEPT = 1
    """An event among others."""
    LAST = 2
    """A job is over; somebody waits for it."""


class Pace:
    """Keeps broadcasts to about a third of the time of the event loop.

    What ends a job may take up to half of it: where each job is short and many watch, an event
    that waits makes the job longer, and company for the others comes with that very event.
    """

    def __init__(self) -> None:
        self._ended = 0.0
        self._cost = 0.0

    def took(self, ended: float, cost: float) -> None:
        """A broadcast ended at a time and took the loop so many seconds."""
        self._ended = ended
        self._cost = min(cost, DEAREST_SECONDS)

    def due(self, urgency: Urgency, now: float) -> float:
        """When something that comes now should go out."""
        if urgency is Urgency.LAST:
            return max(now, self._ended + self._cost)
        rested = self._ended + 2 * self._cost
        if urgency is Urgency.PASSING:
            return max(now, rested, self._ended + PASSING_SECONDS)
        if self._cost < CHEAP_SECONDS:
            return max(now, rested)
        return max(now + 3 * self._cost, rested)
