"""ModelMemory: loaded weights, shared by all nodes that ask for the same recipe."""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePath
from typing import Any, TypeVar

from pydantic import JsonValue

from nodeflow.devices import Device
from nodeflow.errors import Cancelled, NodeflowError, OutOfMemoryError, is_out_of_memory
from nodeflow.heap import give_back
from nodeflow.progress import check_cancelled
from nodeflow.sockets import Recipe

M = TypeVar("M")

LOOK_SECONDS = 0.02
"""How often a node that waits for another's load looks whether it was cancelled."""

Slot = tuple[Recipe, Device]


@dataclass(slots=True, eq=False)
class _Resident:
    """A model that is there.

    Attributes:
        size: Bytes.
        seconds: How long it took to load.
        uses: How often it was asked for.
        value: What `ModelMemory` compares; the least leaves first.
        users: Calls that have it in hand.
    """

    model: Any
    size: int
    name: str
    loader: str
    seconds: float
    uses: int = 0
    value: float = 0.0
    users: int = 0


@dataclass(slots=True)
class _Loading:
    """A model that is on its way."""

    done: threading.Event = field(default_factory=threading.Event)
    error: BaseException | None = None


_leases: ContextVar[list[_Resident] | None] = ContextVar("leases", default=None)


class ModelMemory:
    """The service that keeps loaded models under a byte budget for each device.

    Room is made before a model is loaded, and what is least worth keeping leaves first. A model is
    worth its uses times its seconds of loading for each byte, on top of what the last one was worth
    that had to leave: so what was much used once and is no more leaves too (Greedy-Dual-Size-
    Frequency, Cherkasova 1998). What a node has in hand stays until its call is over. A model
    larger than the whole budget is still loaded: it then sits alone.

    Attributes:
        budget: For models in RAM, in bytes.
        folder: As given.

    Args:
        device_budget: Bytes for models on another device, by its name; None as much as in RAM.
        folder: Where weights lie, for a while, of models that are larger than the budget; None for
            the system's folder for such files.
    """

    def __init__(
        self,
        budget: int = 8 << 30,
        device_budget: Callable[[str], int] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.budget = budget
        self.folder = folder
        self._device_budget = device_budget
        self._lock = threading.RLock()
        self._resident: dict[Slot, _Resident] = {}
        self._loading: dict[Slot, _Loading] = {}
        # What left is as large, and takes as long, when it comes back.
        self._sizes: dict[Slot, int] = {}
        self._age = 0.0
        self._cleared = 0

    def get(
        self,
        recipe: Recipe,
        device: Device,
        load: Callable[[], M],
        size: Callable[[M], int],
        expected: Callable[[], int] = lambda: 0,
    ) -> M:
        """The model that `recipe` describes, loaded on `device` if it is not there yet.

        Nodes that ask for the same model wait for one load; different models load side by side.

        Args:
            recipe: What is wanted; its paths do not matter, its digest does.
            device: Where it must sit, and in which precision.
            load: Loads it; called at most once for each recipe and device while it stays. What it
                raises is raised for all that wait, and nothing is left of it.
            size: Bytes that a loaded model holds.
            expected: Bytes that it is going to hold, as far as that is known before; so much room
                is made for it.

        Raises:
            OutOfMemoryError: `load` found too little memory, also once all models had left that
                nobody uses. That they leave is said in the node's log.
        """
        slot = _slot(recipe, device)
        while True:
            with self._lock:
                resident = self._resident.get(slot)
                if resident is not None:
                    return self._handed(resident)  # type: ignore[no-any-return]
                loading = self._loading.get(slot)
                if loading is None:
                    mine = self._loading[slot] = _Loading()
                    break
            while not loading.done.wait(LOOK_SECONDS):
                check_cancelled()
            # Who was cancelled says nothing of the model.
            if loading.error is not None and not isinstance(loading.error, Cancelled):
                raise loading.error
        try:
            return self._loaded(slot, recipe, load, size, expected)
        except BaseException as error:
            mine.error = error
            raise
        finally:
            with self._lock:
                del self._loading[slot]
            mine.done.set()

    def _loaded(
        self,
        slot: Slot,
        recipe: Recipe,
        load: Callable[[], M],
        size: Callable[[M], int],
        expected: Callable[[], int],
    ) -> M:
        cleared = self._cleared
        self._make_room(slot[1].name, self._sizes.get(slot) or expected())
        begun = time.perf_counter()
        model = self._tried(load, slot[0].part, recipe.path)
        seconds = time.perf_counter() - begun
        resident = _Resident(model, size(model), recipe.path, _module_of(load), seconds)
        with self._lock:
            self._sizes[slot] = resident.size
            if cleared == self._cleared:
                self._resident[slot] = resident
            self._handed(resident)
        self._make_room(slot[1].name, 0, keep=slot)
        give_back()  # what loading took beside the model
        return model

    def _tried(self, load: Callable[[], M], part: str, path: str) -> M:
        """What is loaded, if need be in place of models that nobody uses."""
        for again in (True, False):
            try:
                return load()
            except (RuntimeError, MemoryError, NodeflowError) as error:
                if not is_out_of_memory(error):
                    raise
            # Only here, after the error, nobody holds what the attempt had read.
            if not again or not self.give_way():
                break
        _hand_back()
        raise OutOfMemoryError(
            f"out of memory: there is no room to load the {part} of '{PurePath(path).name}'; run "
            "with --precision bf16, take a smaller file, or close what else uses the memory"
        )

    def _handed(self, resident: _Resident) -> Any:
        """A model, in the hand of the call that asked."""
        resident.uses += 1
        # A load that took no time at all still has to be done again.
        worth = resident.uses * max(resident.seconds, 1e-3) / max(resident.size, 1)
        resident.value = self._age + worth
        leases = _leases.get()
        if leases is not None and resident not in leases:
            resident.users += 1
            leases.append(resident)
        return resident.model

    @contextmanager
    def lease(self) -> Iterator[None]:
        """While it is open, what this call gets is in use and does not leave."""
        held: list[_Resident] = []
        token = _leases.set(held)
        try:
            yield
        finally:
            _leases.reset(token)
            with self._lock:
                for resident in held:
                    resident.users -= 1

    def streams(self, device: Device, size: int) -> bool:
        """Whether a model of so many bytes has to stream by blocks: it is larger than what models
        may take on a device, or is to."""
        return device.streamed or size > self.budget_of(device)

    def budget_of(self, device: Device) -> int:
        """Bytes that models may take on a device."""
        return self._budget_of(device.name)

    def make_room(self) -> int:
        """Let go of all that nobody has in hand.

        Returns:
            The bytes that were let go of.
        """
        with self._lock:
            left = [slot for slot, resident in self._resident.items() if not resident.users]
            freed = sum(self._resident.pop(slot).size for slot in left)
        if left:
            _hand_back()
        return freed

    def let_go(self, recipe: Recipe) -> None:
        """Let go of a part, and of all that was laid over it, also where this call has it in hand.

        The caller must hold it no more; others that have it in hand keep it until they are done.
        """
        with self._lock:
            gone = [
                self._resident.pop(slot)
                for slot in list(self._resident)
                if (slot[0].digest, slot[0].part) == (recipe.digest, recipe.part)
            ]
            held = _leases.get() or []
            for resident in gone:
                if resident in held:
                    held.remove(resident)
        gone.clear()
        _hand_back()

    def give_way(self) -> bool:
        """`make_room` for work that found too little memory; what it let go of is said in the
        node's log. False if there was nothing, so that there is no use in trying again."""
        freed = self.make_room()
        if freed:
            # What is printed stands in the node's log.
            print(
                "Out of memory: let go of models that are not in use, "
                f"{freed / 2**20:.0f} MiB, to try again."
            )
        return freed > 0

    def _make_room(self, device: str, wanted: int, keep: Slot | None = None) -> None:
        budget = self._budget_of(device)
        gone: list[_Resident] = []
        with self._lock:
            while True:
                used = sum(r.size for slot, r in self._resident.items() if slot[1].name == device)
                if used + wanted <= budget:
                    break
                idle = {
                    slot: resident
                    for slot, resident in self._resident.items()
                    if slot[1].name == device and not resident.users and slot != keep
                }
                if not idle:
                    break
                least = min(idle, key=lambda slot: idle[slot].value)
                self._age = idle[least].value
                gone.append(self._resident.pop(least))
        if gone:
            gone.clear()
            _hand_back()

    def _budget_of(self, device: str) -> int:
        if device == "cpu" or self._device_budget is None:
            return self.budget
        return self._device_budget(device)

    @property
    def used(self) -> int:
        """Bytes that all loaded models hold."""
        with self._lock:
            return sum(resident.size for resident in self._resident.values())

    def info(self) -> dict[str, JsonValue]:
        """What is loaded, for people; what would leave first comes first."""
        with self._lock:
            found = sorted(self._resident.items(), key=lambda item: item[1].value)
            models: list[JsonValue] = [
                {
                    "name": PurePath(resident.name).name,
                    "part": recipe.part,
                    "family": recipe.family,
                    "device": device.name,
                    "bytes": resident.size,
                }
                for (recipe, device), resident in found
            ]
            return {"budget": self.budget, "bytes": self.used, "models": models}

    def forget(self, packages: Collection[str]) -> None:
        """Let go of the models that these packages have loaded: their code is another one now."""
        with self._lock:
            for slot, resident in list(self._resident.items()):
                if any(f"{resident.loader}.".startswith(f"{name}.") for name in packages):
                    del self._resident[slot]
            self._cleared += 1  # what is on its way may be theirs
        _hand_back()

    def clear(self) -> None:
        """Let go of every model; those in use stay alive until their node is done."""
        with self._lock:
            self._resident.clear()
            self._cleared += 1
        _hand_back()


def _slot(recipe: Recipe, device: Device) -> Slot:
    return replace(recipe, path="", files=()), device


def _hand_back() -> None:
    """Let the system have the memory of what was let go of."""
    gc.collect()
    give_back()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def _module_of(load: Callable[..., object]) -> str:
    """Where a loader is defined."""
    while isinstance(load, partial):
        load = load.func
    return getattr(load, "__module__", None) or ""
