"""Calls: a node's function is handed values and services, and what it gives is verified."""

from __future__ import annotations

import io
import threading
import time
import traceback
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from nodeflow.devices import Device
from nodeflow.errors import (
    InputError,
    NodeError,
    NodeflowError,
    OutOfMemoryError,
    is_out_of_memory,
)
from nodeflow.events import Emit, NodePreview, NodeProgress
from nodeflow.literals import literal_adapter, reason
from nodeflow.models.folders import ModelFolders
from nodeflow.models.memory import ModelMemory
from nodeflow.outputs import OutputFiles
from nodeflow.plan import PlanNode
from nodeflow.progress import Preview, Progress, working
from nodeflow.registry import Registry
from nodeflow.roots import Roots
from nodeflow.runs.stores import FileStamp, Made
from nodeflow.sockets import Lazy, item_of
from nodeflow.spec import InputSpec, NodeSpec

if TYPE_CHECKING:
    import PIL.Image

PREVIEW_SECONDS = 0.15
PREVIEW_PIXELS = 512
_SCALARS: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (float, int),
    "str": (str,),
    "bool": (bool,),
}


@dataclass(frozen=True)
class Services:
    """What the engine hands to nodes that ask for it.

    Attributes:
        files: (node, token) -> the files service; the token names what is being written, so that
            a call that was killed gets the same names again.
        watched: Asked at each step whether anybody looks at previews.
        roots: Where model files are.
    """

    device: Device
    models: ModelMemory
    files: Callable[[PlanNode, str], OutputFiles]
    watched: Callable[[], bool] = bool
    roots: Roots = Roots({})  # noqa: RUF009  # frozen


@dataclass(slots=True)
class _Function:
    """A node's function with what a call needs of its signature."""

    call: Callable[..., Any]
    enums: Mapping[str, type[Enum]]
    adapters: Mapping[str, TypeAdapter[Any]] = field(default_factory=dict)


class Functions:
    """The functions of nodes, imported when they are first called; an engine keeps them.

    Attributes:
        registry: Where they come from.
    """

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._known: dict[str, _Function] = {}
        self._lock = threading.Lock()

    def of(self, spec: NodeSpec) -> _Function:
        """What is called for a node.

        Raises:
            PackError: Its module does not import any more.
        """
        found = self._known.get(spec.id)
        if found is None:
            with self._lock:
                found = self._known.get(spec.id) or self._read(spec)
                self._known[spec.id] = found
        return found

    def _read(self, spec: NodeSpec) -> _Function:
        call = self.registry.function(spec)
        hints = typing.get_type_hints(call)
        enums = {name: kind for name, hint in hints.items() if (kind := _enum_in(hint)) is not None}
        adapters = {
            port.name: literal_adapter(port.json_schema)
            for port in spec.inputs
            if port.json_schema and port.file is None
        }
        return _Function(call, enums, adapters)


class Caller:
    """Calls the functions of one run's nodes.

    Attributes:
        codecs: The codec of every socket type.

    Args:
        guard: Fingerprint inputs before and after each call, and refuse nodes that change them.
    """

    def __init__(
        self,
        functions: Functions,
        services: Services,
        run: str,
        emit: Emit,
        cancelled: Callable[[], bool],
        guard: bool = False,
    ) -> None:
        self._functions = functions
        self.codecs = functions.registry.codecs
        self._services = services
        self._run = run
        self._emit = emit
        self._cancelled = cancelled
        self._guard = guard

    def call(self, node: PlanNode, values: Mapping[str, object], token: str) -> Made:
        """Call a plain function.

        Args:
            node: What is called.
            values: By input; those that are missing take the declaration's default.
            token: Names the call for files that it writes.

        Raises:
            NodeError: It raised, or gave something else than it declares.
            Cancelled: The run was cancelled while it worked.
        """
        function, arguments, files = self._arguments(node, values, token)
        before = self._fingerprints(node, arguments) if self._guard else None
        with working(self._cancelled), self._services.models.lease():
            returned = function(**arguments)
        return self._made(node, arguments, returned, files, before)

    async def call_async(self, node: PlanNode, values: Mapping[str, object], token: str) -> Made:
        """Call an `async` function; as `call`."""
        function, arguments, files = self._arguments(node, values, token)
        before = self._fingerprints(node, arguments) if self._guard else None
        with working(self._cancelled), self._services.models.lease():
            returned = await function(**arguments)
        return self._made(node, arguments, returned, files, before)

    def _arguments(
        self, node: PlanNode, values: Mapping[str, object], token: str
    ) -> tuple[Callable[..., Any], dict[str, Any], OutputFiles | None]:
        function = self._functions.of(node.spec)
        arguments: dict[str, Any] = {}
        for port in node.spec.inputs:
            if port.name in values:
                value = values[port.name]
                if port.name in node.links and not port.lazy:
                    value = self._linked(node, port, value, function)
                kind = function.enums.get(port.name)
                arguments[port.name] = value if kind is None else _members(kind, value)
            elif port.grows:
                arguments[port.name] = ()
        files: OutputFiles | None = None
        for name, service in node.spec.services.items():
            handed = self._service(node, service, token)
            files = handed if isinstance(handed, OutputFiles) else files
            arguments[name] = handed
        return function.call, arguments, files

    def _linked(
        self, node: PlanNode, port: InputSpec, value: object, function: _Function
    ) -> object:
        if port.grows and isinstance(value, tuple):
            return tuple(self._placed(node, port, item) for item in value)
        return self._placed(node, port, self._verified(port, value, function))

    def prepare(self, node: PlanNode) -> None:
        """Import a node's function, if none of its kind was called before.

        Raises:
            PackError: Its module does not import any more.
        """
        self._functions.of(node.spec)

    def _verified(self, port: InputSpec, value: object, function: _Function) -> object:
        """A linked value against the limits that a literal would have to keep."""
        adapter = function.adapters.get(port.name)
        if adapter is None:
            return value
        try:
            validated: object = adapter.validate_python(value)
        except ValidationError as error:
            given = repr(value)[:60]
            raise InputError(
                f"the input '{port.name}' was handed {given}, but: {reason(error)}"
            ) from error
        return validated

    def _placed(self, node: PlanNode, port: InputSpec, value: object) -> object:
        """A value where the node computes; one that is there already is not touched."""
        if self._services.device.name == "cpu" or value is None:
            return value
        codec = self.codecs.of(node.enters[port.name])
        wanted = self._services.device.name if node.spec.on == "device" else "cpu"
        if codec.place(value) == wanted:
            return value
        moved: object = codec.move(value, wanted)
        return moved

    def _service(self, node: PlanNode, name: str, token: str) -> object:
        if name == "progress":
            return Progress(
                _Reporter(self._run, node.id, self._emit, self._services.watched), self._cancelled
            )
        if name == "files":
            return self._services.files(node, token)
        if name == "folders":
            return ModelFolders(self._services.roots)
        return self._services.device if name == "device" else self._services.models

    def _made(
        self,
        node: PlanNode,
        arguments: Mapping[str, object],
        returned: object,
        files: OutputFiles | None,
        before: Mapping[str, str] | None,
    ) -> Made:
        if before is not None and (after := self._fingerprints(node, arguments)) != before:
            changed = next(name for name in before if before[name] != after[name])
            raise InputError(f"it changed its input '{changed}'; values are read-only, make a copy")
        written = tuple(FileStamp.of(path) for path in files.written) if files else ()
        spec = node.spec
        if spec.end:
            if returned is not None:
                raise InputError(f"it gave a {type(returned).__name__}, but declares no output")
            return Made(files=written)
        outputs = (returned,)
        if len(spec.outputs) > 1:
            if not isinstance(returned, tuple) or len(returned) != len(spec.outputs):
                names = ", ".join(port.name for port in spec.outputs)
                raise InputError(f"it gave a {type(returned).__name__}, but declares {names}")
            outputs = returned
        for port, value in zip(spec.outputs, outputs, strict=True):
            name = node.types[port.name]
            self._verify_output(port.name, item_of(name) or name if node.mapped else name, value)
        return Made(outputs, written)

    def _verify_output(self, name: str, type_name: str, value: object) -> None:
        kinds = _SCALARS.get(type_name)
        try:
            if kinds is None:
                self.codecs.of(type_name).verify(value)
                return
            if not isinstance(value, kinds) or (bool not in kinds and isinstance(value, bool)):
                raise InputError(f"a {type(value).__name__} is not {type_name}")
            self.codecs.of(type_name).verify(value)
        except InputError as error:
            raise InputError(f"its output '{name}' is declared {type_name}, but {error}") from error

    def _fingerprints(self, node: PlanNode, arguments: Mapping[str, object]) -> dict[str, str]:
        """Fingerprints of what was handed over; choices cannot be changed and stay out."""
        enums = self._functions.of(node.spec).enums
        found: dict[str, str] = {}
        for port in node.spec.inputs:
            if port.name in node.links and not port.lazy and port.name not in enums:
                codec = self.codecs.of(node.enters[port.name])
                value = arguments[port.name]
                entries = value if port.grows and isinstance(value, tuple) else (value,)
                found[port.name] = ",".join(codec.fingerprint(entry) for entry in entries)
        return found


def _enum_in(hint: Any) -> type[Enum] | None:
    """The enum that an annotation is about: itself, optional, lists of it."""
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    inner = (_enum_in(part) for part in typing.get_args(hint) if part is not type(None))
    return next((kind for kind in inner if kind is not None), None)


def _members(kind: type[Enum], value: object) -> object:
    """Enum members in place of their values, which documents and links carry."""
    if isinstance(value, list | tuple):
        return type(value)(_members(kind, item) for item in value)
    return value if value is None or isinstance(value, kind | Lazy) else kind(value)


class _Reporter:
    """Turns a node's progress into events; a preview is made only if it is time for one."""

    def __init__(self, run: str, node: str, emit: Emit, watched: Callable[[], bool]) -> None:
        self._run = run
        self._node = node
        self._emit = emit
        self._watched = watched
        self._next = 0.0

    def __call__(self, step: int, total: int, text: str, preview: Preview | None) -> None:
        self._emit(NodeProgress(self._run, self._node, step, total, text))
        if preview is None or not self._watched() or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + PREVIEW_SECONDS
        try:
            picture = _jpeg(preview())
        except (RuntimeError, MemoryError, NodeflowError) as error:
            # A preview is not worth the run.
            if not is_out_of_memory(error):
                raise
            return
        self._emit(NodePreview(self._run, self._node, "image/jpeg", picture))


def _jpeg(picture: PIL.Image.Image) -> bytes:
    small = picture.convert("RGB")
    small.thumbnail((PREVIEW_PIXELS, PREVIEW_PIXELS))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def failure(node: PlanNode, error: BaseException) -> NodeError:
    """What a node raised, as an error that names the node."""
    if isinstance(error, NodeError):
        return error
    meant = isinstance(error, OutOfMemoryError) or not is_out_of_memory(error)
    if isinstance(error, NodeflowError) and meant:
        # What nodeflow raises on purpose is a sentence already.
        sentence = str(error)
    elif is_out_of_memory(error):
        # The error lives on in results; what its frames hold is what there was no room for.
        traceback.clear_frames(error.__traceback__)
        said = str(error).partition("\n")[0]
        sentence = "out of memory; ask for something smaller, or close what else uses the memory"
        sentence += f" ({said})" if said else ""
    else:
        sentence = f"{type(error).__name__}: {error}"
    found = NodeError(node.id, node.spec.id, sentence)
    found.__cause__ = error
    return found
