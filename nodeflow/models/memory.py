"""ModelMemory: loaded weights, shared by all nodes that ask for the same recipe."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePath
from typing import Any, TypeVar

from pydantic import JsonValue

from nodeflow.devices import Device
from nodeflow.sockets import Recipe

M = TypeVar("M")


@dataclass(slots=True)
class _Resident:
    model: Any
    size: int
    name: str
    loader: str


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
            recipe: What is wanted; its paths do not matter, its digest does.
            device: Where it must sit, and in which precision.
            load: Loads it; called at most once for each recipe and device while it stays.
            size: Bytes that a loaded model holds.
        """
        slot = (replace(recipe, path="", files=()), device)
        with self._lock:
            resident = self._resident.get(slot)
            if resident is None:
                model = load()
                resident = _Resident(model, size(model), recipe.path, _module_of(load))
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

    def info(self) -> dict[str, JsonValue]:
        """What is loaded, for people; the least recently used first."""
        with self._lock:
            models: list[JsonValue] = [
                {
                    "name": PurePath(resident.name).name,
                    "part": recipe.part,
                    "family": recipe.family,
                    "device": device.name,
                    "bytes": resident.size,
                }
                for (recipe, device), resident in self._resident.items()
            ]
            return {"budget": self.budget, "bytes": self.used, "models": models}

    def forget(self, packages: Collection[str]) -> None:
        """Let go of the models that these packages have loaded: their code is another one now."""
        with self._lock:
            for slot, resident in list(self._resident.items()):
                if any(f"{resident.loader}.".startswith(f"{name}.") for name in packages):
                    del self._resident[slot]

    def clear(self) -> None:
        """Let go of every model; those in use stay alive until their node is done."""
        with self._lock:
            self._resident.clear()


def _module_of(load: Callable[..., object]) -> str:
    """Where a loader is defined."""
    while isinstance(load, partial):
        load = load.func
    return getattr(load, "__module__", None) or ""
