"""Engine: settings, packs, stores and lanes together; a workflow goes in, a result comes out."""

from __future__ import annotations

import contextlib
import gc
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType

from pydantic import JsonValue

from nodeflow.cache.disk import DiskStore
from nodeflow.cache.memory import MemoryStore
from nodeflow.canonical import canonical
from nodeflow.checking.checked import Checked, CheckedNode
from nodeflow.checking.checker import check
from nodeflow.devices import Device, DeviceFacts, find_device, memory_for_models
from nodeflow.errors import PackError, Problem, StoreError, WorkflowError
from nodeflow.events import Emit, RunFinished
from nodeflow.garbage import Freezer, uncollected
from nodeflow.heap import give_back
from nodeflow.keys import FileDigests
from nodeflow.models.memory import ModelMemory
from nodeflow.openmp import sleep_early
from nodeflow.overrides import override
from nodeflow.packs import find_packs
from nodeflow.plan import Plan, make_plan
from nodeflow.plan_memory import PlanMemory, question_of
from nodeflow.registry import Registry
from nodeflow.remembered import JsonMemory
from nodeflow.roots import Roots
from nodeflow.runs.calls import Functions, Services
from nodeflow.runs.exports import Exporter, results_of
from nodeflow.runs.lanes import Lanes
from nodeflow.runs.meter import Meter
from nodeflow.runs.result import Result
from nodeflow.runs.runner import Run
from nodeflow.runs.saving import Saving
from nodeflow.runs.stores import Stores
from nodeflow.runs.surroundings import Surroundings
from nodeflow.settings import Settings
from nodeflow.workflow import Workflow

COUNT_SECONDS = 10.0
"""So long the counts of the disk store stand: they take a look at every entry."""


COMPILED = "TORCHINDUCTOR_CACHE_DIR"
"""Where torch keeps what it compiled."""


class Engine:
    """Runs workflows. Keep one for as long as you run: models and values stay warm in it.

    Args:
        settings: Folders and budgets; read from the environment if not given.
        device: `auto`, or what `torch.device` takes.
        precision: `auto`, `fp32`, `bf16` or `fp16`.
        cache: False keeps nothing on disk and takes nothing from there.
        anywhere: Files outside the named folders may be read, as in the user's own shell.
        guard: Fingerprint inputs before and after every call; for tests of packs.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        device: str = "auto",
        precision: str = "auto",
        cache: bool = True,
        anywhere: bool = True,
        guard: bool = False,
    ) -> None:
        sleep_early()
        self.settings = settings or Settings()
        self.warnings: list[str] = []
        self._device = device
        self._precision = precision
        self._anywhere = anywhere
        self._guard = guard
        self._running: list[threading.Event] = []
        self._freezer = Freezer()
        self._meter = Meter()
        self._counted: dict[str, JsonValue] | None = None
        self._counted_until = 0.0
        self.disk = self._open_disk() if cache else None
        self.memory = MemoryStore(self.settings.memory, self.settings.device_memory)
        self.models = ModelMemory(self.settings.model_memory, self._for_models, self.settings.cache)
        self.lanes = Lanes(self.settings.cpu_threads)
        self.digests = FileDigests(self.disk)

    def _for_models(self, device: str) -> int:
        """Bytes for models on a device that is not the CPU."""
        given = self.settings.device_model_memory
        return memory_for_models(device) if given is None else given

    def _open_disk(self) -> DiskStore | None:
        try:
            return DiskStore(self.settings.cache / "values", self.settings.disk)
        except StoreError as error:
            # Losing the cache costs time; refusing to work would cost more.
            self.warnings.append(f"{error} Nothing is kept on disk.")
            return None

    @cached_property
    def registry(self) -> Registry:
        """Every node of every pack."""
        return Registry.discover(find_packs(self.settings.packs), self.settings.cache / "specs")

    @cached_property
    def roots(self) -> Roots:
        """The folders that file inputs are looked up in."""
        packs = [pack.folder for pack in self.registry.packs]
        return Roots.of(
            self.settings.models, self.settings.data / "inputs", packs, anywhere=self._anywhere
        )

    @cached_property
    def _functions(self) -> Functions:
        return Functions(self.registry)

    @cached_property
    def _plans(self) -> PlanMemory:
        return PlanMemory(self.roots, self.digests)

    @cached_property
    def device(self) -> DeviceFacts:
        """The device that computes; asks torch only if the answer is not remembered."""
        memory = JsonMemory(self.settings.cache / "devices.json")
        found = find_device(self._device, self._precision, memory)
        if self.settings.compile:
            # torch reads it when it compiles for the first time.
            os.environ.setdefault(COMPILED, str(self.settings.cache / "compiled"))
        asked = replace(
            found.device,
            compiled=self.settings.compile,
            may_lower=self.settings.lower_precision,
        )
        return replace(found, device=asked)

    def load(self, path: Path) -> Workflow:
        """Read a workflow from a JSON file or from a picture.

        Raises:
            WorkflowError: It cannot be read.
        """
        return Workflow.load(path)

    def save(self, workflow: Workflow, path: Path) -> None:
        """Write the canonical document: every output named, renamed nodes and inputs as today."""
        canonical(workflow, self.registry).save(path)

    def check(self, workflow: Workflow) -> list[Problem]:
        """Everything that is wrong with a workflow, warnings last."""
        return self._checked(workflow).problems

    def _checked(self, workflow: Workflow) -> Checked:
        return check(workflow, self.registry, self.roots)

    def set_inputs(self, workflow: Workflow, texts: Mapping[str, str]) -> Workflow:
        """A copy with inputs as they were typed: `NAME` of an exposed input, or `node.input`.

        Raises:
            WorkflowError: An unknown name, or a text that is no such value; all of them at once.
        """
        return override(workflow, texts, self.registry, typed=True)

    def with_inputs(self, workflow: Workflow, values: Mapping[str, object]) -> Workflow:
        """A copy with inputs as values; names and errors as for `set_inputs`."""
        return override(workflow, values, self.registry, typed=False)

    def plan(
        self, workflow: Workflow, *, out: Path = Path("outputs"), only: Sequence[str] = ()
    ) -> Plan:
        """What a run would do, keyed.

        Raises:
            WorkflowError: The workflow does not check.
        """
        where = str(out.expanduser().absolute())
        question = question_of(workflow, where, only)
        known = self._plans.recall(question)
        if known is not None:
            return known
        checked = self._checked(workflow)
        source = workflow.name or "workflow"
        if checked.errors:
            raise WorkflowError(checked.problems, source)

        def surroundings(node: CheckedNode) -> str:
            if node.spec.on == "device":
                return self.device.token()
            return _place(node, where, workflow.name) if node.spec.end else ""

        plan = make_plan(checked, self.digests, surroundings, only, source)
        self._plans.remember(question, plan)
        return plan

    def run(
        self,
        workflow: Workflow,
        inputs: Mapping[str, object] | None = None,
        *,
        out: Path = Path("outputs"),
        only: Sequence[str] = (),
        emit: Emit | None = None,
        cancel: threading.Event | None = None,
        watched: bool | Callable[[], bool] = False,
        run_id: str | None = None,
        pin: str = "",
    ) -> Result:
        """Check, plan and carry out a workflow; blocks until it is over.

        Args:
            inputs: Values for exposed inputs, or for `node.input`.
            out: Folder for what is saved and for exposed outputs.
            only: Nodes that are wanted; everything if empty.
            emit: Where events go.
            cancel: Set it to cancel.
            watched: Whether previews are wanted; a function is asked again at each step.
            run_id: Names the run in events; made up if not given.
            pin: Keep what the run finds and makes on disk in this name, and once it is over what
                its outputs and end nodes gave, until `unpin`. A name `job:...` outlives the
                process; others are forgotten after a week.

        Raises:
            WorkflowError: The workflow does not check. Nothing has run then.
        """
        started = time.perf_counter()
        cancel = cancel or threading.Event()
        with uncollected():
            workflow = self.with_inputs(workflow, inputs or {})
            plan = self.plan(workflow, out=out, only=only)
            saving = Saving(workflow, self.registry, self.disk, out)
            stores = Stores(self.memory, self.disk, self.registry.codecs, pin)
            around = self._surroundings(plan, stores, saving, _asked(watched))
            name = run_id or uuid.uuid4().hex[:12]
            results = results_of(plan, str(saving.out))
            run = Run(plan, around, name, workflow.name, emit, cancel, results)
        self._running.append(cancel)
        try:
            with self._freezer.frozen(len(plan.nodes)):
                status = run.execute()
                exporter = Exporter(plan, run, stores, saving)
                outputs = exporter.export() if status != "cancelled" else {}
        finally:
            self._running.remove(cancel)
        with uncollected():
            status, reports = run.status(), run.reports()
        seconds = time.perf_counter() - started
        if emit is not None:
            emit(RunFinished(run.id, status, seconds, reports, outputs))
        return Result(status, seconds, reports, outputs, tuple(run.errors), run, plan.outputs)

    def _surroundings(
        self, plan: Plan, stores: Stores, saving: Saving, watched: Callable[[], bool]
    ) -> Surroundings:
        given = Services(_device_of(self, plan), self.models, saving.for_node, watched, self.roots)
        return Surroundings(self._functions, stores, self.lanes, given, self._meter, self._guard)

    def unpin(self, owners: Iterable[str]) -> None:
        """Let go of what runs have kept in these names."""
        if self.disk is not None:
            self.disk.unpin(owners)

    def free(self) -> int:
        """Unload all models, empty the memory store and hand the memory back; between runs.

        Returns:
            Bytes of memory that the process occupies then.
        """
        self.models.clear()
        self.memory.clear()
        self._plans.clear()
        gc.collect()
        give_back()
        return self._meter.rss()

    def info(self) -> dict[str, JsonValue]:
        """What is in memory and on disk, for people; what is on disk as of some seconds ago."""
        if self.disk is not None and time.monotonic() >= self._counted_until:
            with contextlib.suppress(StoreError):
                self._counted = self.disk.info()
            self._counted_until = time.monotonic() + COUNT_SECONDS
        return {
            "rss": self._meter.rss(),
            "memory": {**self.memory.info()},
            "models": self.models.info(),
            "disk": self._counted,
        }

    def read_packs(self) -> tuple[PackError, ...]:
        """Find and read all packs again; between runs.

        A pack that does not work any more goes on with its last good version.

        Returns:
            What is wrong with packs.
        """
        before = self.registry
        found = find_packs(self.settings.packs)
        registry = Registry.discover(found, self.settings.cache / "specs", before)
        for name in ("roots", "_functions", "_plans"):
            self.__dict__.pop(name, None)
        self.__dict__["registry"] = registry
        changed = registry.forget_edited(before)
        if changed:
            # Values of classes that are now others; those on disk are read as the new ones.
            self.memory.clear()
            self.models.forget(changed)
        return registry.errors

    def close(self) -> None:
        """Cancel what runs, write what waits to be written, stop all threads."""
        for cancel in list(self._running):
            cancel.set()
        self.lanes.close()
        self._meter.close()
        if self.disk is not None:
            self.disk.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _place(node: CheckedNode, where: str, name: str) -> str:
    """Where an end node writes: the folder, and what the names that it is given are filled with."""
    text = " ".join(value for value in node.literals.values() if isinstance(value, str))
    fields = {"workflow": name, "node": node.id}
    return "\n".join([where, *(value for field, value in fields.items() if f"{{{field}}}" in text)])


def _asked(watched: bool | Callable[[], bool]) -> Callable[[], bool]:
    return watched if callable(watched) else lambda: watched


def _device_of(engine: Engine, plan: Plan) -> Device:
    """The device, without asking for it if no node of the plan computes there."""
    needed = any(
        node.spec.on == "device" or "device" in node.spec.services for node in plan.nodes.values()
    )
    return engine.device.device if needed else Device()
