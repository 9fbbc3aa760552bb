"""Gauge: what a worker holds, for its signs of life."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

logger = logging.getLogger(__name__)

SHARE = 100
"""Looking up what the stores hold may take one part in so many of the time."""


class Gauge:
    """Reads what the engine holds; before there is an engine, nothing."""

    def __init__(self) -> None:
        self._read: Callable[[], Mapping[str, Any]] = dict
        self._last: Mapping[str, Any] = {}
        self._next = 0.0

    def watch(self, read: Callable[[], Mapping[str, Any]]) -> None:
        """Ask this from now on."""
        self._read = read
        self._next = 0.0

    def __call__(self) -> Mapping[str, Any]:
        """What is held now, or was a moment ago if looking it up takes long; never raises."""
        begun = time.monotonic()
        if begun >= self._next:
            try:
                self._last = self._read()
            except Exception:  # the signs of life must go on
                logger.exception("What the stores hold cannot be told")
            ended = time.monotonic()
            self._next = ended + SHARE * (ended - begun)
        return self._last
