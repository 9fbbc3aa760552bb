"""A training schedule measured in wall time, so that it anneals in time on any machine."""

from __future__ import annotations

import math
import time


class TrainingClock:
    """Time spent on a training of `minutes`, counted on over restarts."""

    def __init__(self, minutes: float, spent: float = 0.0) -> None:
        self._budget = minutes * 60
        self._start = time.monotonic() - spent

    @property
    def spent(self) -> float:
        """Seconds, including those before a restart."""
        return time.monotonic() - self._start

    @property
    def progress(self) -> float:
        """From 0 at the start to 1 when the time is up."""
        return min(1.0, self.spent / self._budget)

    @property
    def done(self) -> bool:
        return self.progress >= 1.0

    def rate(self) -> float:
        """The part of the peak learning rate that is due now."""
        return cosine_rate(self.progress)


def cosine_rate(progress: float, warm_up: float = 0.01, floor: float = 0.01) -> float:
    """Linear from 0 to 1 during `warm_up` (a part of the whole), then a cosine down to `floor`."""
    if progress < warm_up:
        return max(progress / warm_up, 0.01)
    falling = (progress - warm_up) / (1 - warm_up)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * falling))


class Every:
    """True once each time `seconds` have passed."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last = time.monotonic()

    def due(self) -> bool:
        if time.monotonic() - self._last < self._seconds:
            return False
        self._last = time.monotonic()
        return True
