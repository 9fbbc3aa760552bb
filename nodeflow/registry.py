"""Registry: every node and socket type of every pack, as data that is remembered on disk."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue

from nodeflow.declaration import read_node
from nodeflow.errors import DeclarationError, PackError
from nodeflow.packs import Found, PackSource, read_modules, source_digests
from nodeflow.sockets import SHARED, SocketShape, SocketType
from nodeflow.spec import MARK, NodeOptions, NodeSpec
from nodeflow.values import Codecs

MEMORY_FORMAT = 2
"""Raise it when the meaning of remembered specs changes."""

_DIGEST = "__nodeflow_digest__"
"""On a pack's imported package: the digest of the source that was scanned."""

BUILTIN = "nodeflow"
"""The engine's own pack: nodes that repeating groups are made of."""


class SocketSpec(BaseModel):
    """A socket type as data; see `nodeflow.sockets.SocketType`."""

    model_config = ConfigDict(frozen=True)

    name: str
    codec: str
    colour: str
    shape: SocketShape
    description: str

    @classmethod
    def of(cls, socket: SocketType, pack: str = "") -> SocketSpec:
        name = f"{pack}.{socket.name}" if pack else socket.name
        return cls(
            name=name,
            codec=socket.codec,
            colour=socket.colour,
            shape=socket.shape,
            description=socket.description,
        )


class PackSpecs(BaseModel):
    """What one pack declares; this is what is remembered."""

    model_config = ConfigDict(frozen=True)

    name: str
    nodes: tuple[NodeSpec, ...]
    sockets: tuple[SocketSpec, ...]


@dataclass(frozen=True)
class Registry:
    """All packs that work, and why the others do not.

    Attributes:
        specs: Node id to spec.
        renamed: Earlier node id to today's.
        sockets: Every socket type.
        errors: Packs, or declarations, that cannot be used.
        packs: Where the packs are.
    """

    specs: Mapping[str, NodeSpec]
    renamed: Mapping[str, str]
    sockets: tuple[SocketSpec, ...]
    errors: tuple[PackError, ...]
    packs: tuple[PackSource, ...]
    codecs: Codecs

    @classmethod
    def discover(cls, found: Found, memory: Path | None) -> Registry:
        """Read every pack that was found.

        Args:
            found: From `find_packs`.
            memory: Folder for remembered specs; None to read every pack anew.
        """
        errors = list(found.errors)
        read: list[PackSpecs] = [_builtin()]
        for source in found.packs:
            try:
                read.append(_read(source, memory))
            except PackError as error:
                errors.append(error)
        return cls._of(read, errors, found.packs)

    @classmethod
    def _of(
        cls, read: Iterable[PackSpecs], errors: list[PackError], packs: tuple[PackSource, ...]
    ) -> Registry:
        specs: dict[str, NodeSpec] = {}
        renamed: dict[str, str] = {}
        sockets = [SocketSpec.of(socket) for socket in SHARED]
        for pack in read:
            sockets.extend(pack.sockets)
            for spec in pack.nodes:
                specs[spec.id] = spec
        for spec in specs.values():
            for old in spec.was:
                if old in specs or renamed.setdefault(old, spec.id) != spec.id:
                    other = renamed.get(old, old)
                    errors.append(
                        PackError(
                            spec.pack, f"'{spec.id}' was '{old}', but '{other}' claims it too."
                        )
                    )
        codecs = Codecs(
            {socket.name: socket.codec for socket in sockets} | {"any": "nodeflow.values:JSON"},
            partial(_import_any, packs),
        )
        return cls(specs, renamed, tuple(sockets), tuple(errors), packs, codecs)

    def find(self, type_id: str) -> NodeSpec | None:
        """The node of this id, or of this earlier id."""
        return self.specs.get(type_id) or self.specs.get(self.renamed.get(type_id, ""))

    def function(self, spec: NodeSpec) -> Callable[..., Any]:
        """The node's function; imports its module.

        Raises:
            PackError: The module does not import any more.
        """
        return self._attribute(spec.pack, spec.module, spec.function)

    def hook(self, spec: NodeSpec, reference: str) -> Callable[..., Any]:
        """A `check=` or `facts=` function, given as `module:function`."""
        module, _, name = reference.partition(":")
        return self._attribute(spec.pack, module, name)

    def _attribute(self, pack: str, module: str, name: str) -> Callable[..., Any]:
        try:
            source = next((item for item in self.packs if item.name == pack), None)
            found: Callable[..., Any] = getattr(_import(source, module), name)
        except (Exception, SystemExit) as error:
            raise PackError(
                pack, f"its module '{module}' does not import: {error}", traceback.format_exc()
            ) from error
        return found

    def as_json(self) -> dict[str, JsonValue]:
        """What the editor reads: all nodes, socket types and packs that failed."""
        return {
            "nodes": {
                name: spec.model_dump(mode="json", exclude_defaults=False)
                for name, spec in sorted(self.specs.items())
            },
            "sockets": {socket.name: socket.model_dump(mode="json") for socket in self.sockets},
            "errors": [
                {"pack": error.pack, "sentence": error.sentence, "trace": error.trace}
                for error in self.errors
            ],
        }


def _builtin() -> PackSpecs:
    module = importlib.import_module("nodeflow.builtin")
    return scan(BUILTIN, [module], {module.__name__: "version:1"})


def _import(source: PackSource | None, module: str) -> ModuleType:
    if source is not None and source.by_path:
        _load_package(source)
    return importlib.import_module(module)


def _import_any(packs: Sequence[PackSource], module: str) -> ModuleType:
    """Import a module of any pack, or of the engine."""
    owner = next((pack for pack in packs if module.split(".")[0] == pack.module), None)
    return _import(owner, module)


def _load_package(source: PackSource) -> None:
    """Import a pack that is not on the import path, under its own name."""
    if source.module in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(
        source.module,
        source.folder / "__init__.py",
        submodule_search_locations=[str(source.folder)],
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{source.folder} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[source.module] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[source.module]
        raise


def _memory_file(source: PackSource, digest: str, memory: Path) -> Path:
    python = f"{sys.version_info[0]}{sys.version_info[1]}"
    return memory / f"{source.name}-{MEMORY_FORMAT}-{python}-{digest}.json"


def _place(source: PackSource, error: BaseException) -> str:
    """The last line of the pack's own that the error came through, such as ` (file.py, line 3)`."""
    own = [
        f" ({frame.filename}, line {frame.lineno})"
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(source.folder)
    ]
    return own[-1] if own else ""


def _read(source: PackSource, memory: Path | None) -> PackSpecs:
    """What a pack declares, remembered or read anew.

    Raises:
        PackError: It does not import, or a declaration in it cannot work.
    """
    try:
        # Taken before the import: an edit meanwhile makes another digest, not stale specs.
        digest = source.digest()
        file = None if memory is None else _memory_file(source, digest, memory)
        if file is not None and (remembered := _recall(file)) is not None:
            return remembered
        specs = _scan_anew(source, digest)
    except DeclarationError as error:
        raise PackError(source.name, str(error)) from error
    except (Exception, SystemExit) as error:
        raise PackError(
            source.name,
            f"it does not import: {type(error).__name__}: {error}{_place(source, error)}",
            traceback.format_exc(),
        ) from error
    if file is not None:
        _remember(specs, file)
    return specs


def _recall(file: Path) -> PackSpecs | None:
    try:
        return PackSpecs.model_validate_json(file.read_bytes())
    except (OSError, ValueError):
        # Absent or damaged: the pack itself is the truth.
        return None


def _scan_anew(source: PackSource, digest: str) -> PackSpecs:
    modules = read_modules(source)
    identities = {name: f"source:{found}" for name, found in source_digests(modules).items()}
    _forget_edited(source, digest)
    imported = [_import(source, name) for name, item in modules.items() if item.declares]
    specs = scan(source.name, imported, identities)
    setattr(_import(source, source.module), _DIGEST, digest)
    return specs


def _forget_edited(source: PackSource, digest: str) -> None:
    """Drop the modules of a pack that was edited since this process scanned it."""
    package = sys.modules.get(source.module)
    if getattr(package, _DIGEST, digest) != digest:
        for name in list(sys.modules):
            if name == source.module or name.startswith(f"{source.module}."):
                del sys.modules[name]
        importlib.invalidate_caches()


def _remember(specs: PackSpecs, file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        for old in file.parent.glob(f"{specs.name}-*.json"):
            old.unlink(missing_ok=True)
        handle, temporary = tempfile.mkstemp(dir=file.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as text:
            json.dump(specs.model_dump(mode="json"), text)
        os.replace(temporary, file)
    except OSError:
        # An unwritable cache costs time, not correctness; the disk store says so once.
        return


def scan(pack: str, modules: Sequence[ModuleType], identities: Mapping[str, str]) -> PackSpecs:
    """What the modules of a pack declare.

    Args:
        pack: Name of the pack.
        modules: Its imported modules; only what is defined in them counts.
        identities: Module name to what stands for its code in keys.

    Raises:
        DeclarationError: A declaration cannot work.
    """
    own = [
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, SocketType)
    ]
    own = [socket for socket in dict.fromkeys(own) if socket not in SHARED]
    names: dict[Any, str] = {socket.of: socket.name for socket in SHARED if socket.of is not None}
    names.update({socket.of: f"{pack}.{socket.name}" for socket in own})
    nodes: dict[str, NodeSpec] = {}
    for module in modules:
        for function in _marked(module):
            spec = read_node(function, pack, names)
            if spec.id in nodes:
                raise DeclarationError(
                    f"{module.__file__}:{spec.line}, {spec.function}(): the pack already has a "
                    f"node of this name in '{nodes[spec.id].module}'; names are unique in a pack."
                )
            version = getattr(function, MARK).version
            identity = f"version:{version}" if version else identities[module.__name__]
            nodes[spec.id] = spec.model_copy(update={"identity": identity})
    sockets = tuple(SocketSpec.of(socket, pack) for socket in own)
    return PackSpecs(name=pack, nodes=tuple(nodes.values()), sockets=sockets)


def _marked(module: ModuleType) -> list[Callable[..., Any]]:
    """The nodes that a module defines; another name for one of them does not count."""
    found = {
        id(value): value
        for value in list(vars(module).values())
        if getattr(value, "__module__", None) == module.__name__
        and isinstance(getattr(value, MARK, None), NodeOptions)
        # An instance of a marked class carries the mark too; the class is what is told of.
        and hasattr(value, "__qualname__")
    }
    return list(found.values())
