"""Engine: settings, packs, stores and lanes together; a workflow goes in, a result comes out."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from nodeflow.cache.disk import DiskStore
from nodeflow.cache.memory import MemoryStore
from nodeflow.canonical import canonical
from nodeflow.checking.checked import Checked, CheckedNode
from nodeflow.checking.checker import check
from nodeflow.devices import Device, DeviceFacts, find_device
from nodeflow.errors import NodeError, NodeflowError, Problem, StoreError, WorkflowError
from nodeflow.events import Emit, NodeReport, RunFinished, RunStatus
from nodeflow.garbage import frozen, uncollected
from nodeflow.keys import FileDigests
from nodeflow.models.memory import ModelMemory
from nodeflow.outputs import FreeNames, OutputFiles
from nodeflow.overrides import override
from nodeflow.packs import find_packs
from nodeflow.plan import Plan, PlanNode, make_plan
from nodeflow.plan_memory import PlanMemory, question_of
from nodeflow.registry import Registry
from nodeflow.remembered import JsonMemory
from nodeflow.roots import Roots
from nodeflow.runs.calls import Services
from nodeflow.runs.exports import Exporter
from nodeflow.runs.lanes import Lanes
from nodeflow.runs.runner import Run, Surroundings
from nodeflow.runs.stores import Stores
from nodeflow.settings import Settings
from nodeflow.workflow import Link, Workflow


@dataclass(frozen=True)
class Result:
    """What a run came to; `result["image"]` is the value of the output `image`.

    Attributes:
        nodes: What became of each node.
        outputs: For each output its files, or its value if that is JSON.
        errors: What nodes raised.
    """

    status: RunStatus
    seconds: float
    nodes: Mapping[str, NodeReport]
    outputs: Mapping[str, Mapping[str, Any]]
    errors: tuple[NodeError, ...]
    _run: Run
    _links: Mapping[str, Link]
    _values: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        if name not in self._links:
            known = ", ".join(self._links) or "none"
            raise KeyError(f"the workflow has no output '{name}'; there is: {known}")
        if name not in self._values:
            self._values[name] = self._run.value(self._links[name])
        return self._values[name]

    def loaded(self) -> Result:
        """Itself with the values of all outputs in hand, so that the engine may be closed.

        An output that failed is left out; asking for it raises its node's error.
        """
        self._run.need(self._links.values())
        for name, link in self._links.items():
            with contextlib.suppress(NodeflowError):
                self._values[name] = self._run.value(link)
        return self

    def raise_if_failed(self) -> Result:
        """Itself, unless a node failed: then that node's error.

        Raises:
            NodeError: The first that happened.
        """
        if self.errors:
            raise self.errors[0]
        return self


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
        self.settings = settings or Settings()
        self.warnings: list[str] = []
        self._device = device
        self._precision = precision
        self._anywhere = anywhere
        self._guard = guard
        self._running: list[threading.Event] = []
        self.disk = self._open_disk() if cache else None
        self.memory = MemoryStore(self.settings.memory, self.settings.device_memory)
        self.models = ModelMemory(self.settings.model_memory)
        self.lanes = Lanes(self.settings.cpu_threads)
        self.digests = FileDigests(self.disk)

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
    def _plans(self) -> PlanMemory:
        return PlanMemory(self.roots, self.digests)

    @cached_property
    def device(self) -> DeviceFacts:
        """The device that computes; asks torch only if the answer is not remembered."""
        memory = JsonMemory(self.settings.cache / "devices.json")
        return find_device(self._device, self._precision, memory)

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
        watched: bool = False,
    ) -> Result:
        """Check, plan and carry out a workflow; blocks until it is over.

        Args:
            inputs: Values for exposed inputs, or for `node.input`.
            out: Folder for what is saved and for exposed outputs.
            only: Nodes that are wanted; everything if empty.
            emit: Where events go.
            cancel: Set it to cancel.
            watched: Whether previews are wanted.

        Raises:
            WorkflowError: The workflow does not check. Nothing has run then.
        """
        started = time.perf_counter()
        cancel = cancel or threading.Event()
        with uncollected():
            workflow = self.with_inputs(workflow, inputs or {})
            plan = self.plan(workflow, out=out, only=only)
            run, exporter = self._prepared(workflow, plan, out, emit, cancel, watched)
        self._running.append(cancel)
        try:
            with frozen():
                status = run.execute()
                outputs = exporter.export() if status != "cancelled" else {}
                run.remember()
        finally:
            self._running.remove(cancel)
        with uncollected():
            status, reports = run.status(), run.reports()
        seconds = time.perf_counter() - started
        if emit is not None:
            emit(RunFinished(run.id, status, seconds, reports, outputs))
        return Result(status, seconds, reports, outputs, tuple(run.errors), run, plan.outputs)

    def _prepared(
        self,
        workflow: Workflow,
        plan: Plan,
        out: Path,
        emit: Emit | None,
        cancel: threading.Event,
        watched: bool,
    ) -> tuple[Run, Exporter]:
        codecs = self.registry.codecs
        writer = _Writer(self, workflow, out)
        services = Services(_device_of(self, plan), self.models, writer.for_node, watched)
        stores = Stores(self.memory, self.disk, codecs)
        around = Surroundings(self.registry, stores, self.lanes, services, self._guard)
        run = Run(plan, around, uuid.uuid4().hex[:12], workflow.name, emit, cancel)
        return run, Exporter(plan, run, stores, codecs, writer.for_output, str(writer.out))

    def close(self) -> None:
        """Cancel what runs, write what waits to be written, stop all threads."""
        for cancel in list(self._running):
            cancel.set()
        self.lanes.close()
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


class _Writer:
    """Makes the files service for nodes and outputs of one run."""

    def __init__(self, engine: Engine, workflow: Workflow, out: Path) -> None:
        self._disk = engine.disk
        self._registry = engine.registry
        self._workflow = workflow
        self.out = out.expanduser().absolute()
        self._free = FreeNames()
        self._started = datetime.now()

    @cached_property
    def _text(self) -> str:
        return canonical(self._workflow, self._registry).dumps()

    def for_node(self, node: PlanNode, token: str) -> OutputFiles:
        return self.for_output(node.id, token)

    def for_output(self, name: str, token: str) -> OutputFiles:
        fields = {
            "workflow": self._workflow.name or "workflow",
            "node": name,
            "date": f"{self._started:%Y-%m-%d}",
            "time": f"{self._started:%H-%M-%S}",
        }
        disk = self._disk
        if disk is None:
            return OutputFiles(self.out, self._text, fields, self._free)

        def reserve(item: int, folder: Path, stem: str, suffix: str) -> Path:
            try:
                return disk.reserve(token, item, folder, stem, suffix)
            except StoreError:  # a full disk: what is saved may well lie on another one
                return self._free(item, folder, stem, suffix)

        return OutputFiles(self.out, self._text, fields, reserve)


def _place(node: CheckedNode, where: str, name: str) -> str:
    """Where an end node writes: the folder, and what the names that it is given are filled with."""
    text = " ".join(value for value in node.literals.values() if isinstance(value, str))
    fields = {"workflow": name, "node": node.id}
    return "\n".join([where, *(value for field, value in fields.items() if f"{{{field}}}" in text)])


def _device_of(engine: Engine, plan: Plan) -> Device:
    """The device, without asking for it if no node of the plan computes there."""
    needed = any(
        node.spec.on == "device" or "device" in node.spec.services for node in plan.nodes.values()
    )
    return engine.device.device if needed else Device()
