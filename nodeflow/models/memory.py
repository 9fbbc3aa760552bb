"""ModelMemory: loaded weights, shared by all nodes that ask for the same recipe."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from nodeflow.devices import Device
from nodeflow.sockets import Recipe

M = TypeVar("M")


@dataclass(slots=True)
class _Resident:
    model: Any
    size: int


class ModelMemory:
    """The service that keeps loaded models under a byte budget; the least recently used leave.

    A model larger than the whole budget is still loaded: it then sits alone.
    """

    def __init__(self, budget: int = 8 << 30) -> None:
        self.budget = budget
        self._lock = threading.RLock()
        self._resident: OrderedDict[tuple[Recipe, Device], _Resident] = OrderedDict()

    def get(
        self,
        recipe: Recipe,
        device: Device,
        load: Callable[[], M],
        size: Callable[[M], int],
    ) -> M:
        """The model that `recipe` describes, loaded on `device` if it is not there yet.

        Args:
            recipe: What is wanted; its path does not matter, its digest does.
            device: Where it must sit, and in which precision.
            load: Loads it; called at most once for each recipe and device while it stays.
            size: Bytes that a loaded model holds.
        """
        slot = (replace(recipe, path=""), device)
        with self._lock:
            resident = self._resident.get(slot)
            if resident is None:
                model = load()
                resident = _Resident(model, size(model))
                self._resident[slot] = resident
                self._evict(keep=slot)
            self._resident.move_to_end(slot)
            found: M = resident.model
            return found

    def _evict(self, keep: tuple[Recipe, Device]) -> None:
        for slot in list(self._resident):
            if self.used <= self.budget:
                return
            if slot != keep:
                del self._resident[slot]

    @property
    def used(self) -> int:
        """Bytes that all loaded models hold."""
        return sum(resident.size for resident in self._resident.values())

    def clear(self) -> None:
        """Let go of every model; those in use stay alive until their node is done."""
        with self._lock:
            self._resident.clear()
