"""Registry: every node and socket type of every pack, as data that is remembered on disk."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import JsonValue

from nodeflow.declaration import read_node
from nodeflow.errors import DeclarationError, PackError
from nodeflow.pack_code import PackCode, import_module, imported_anew
from nodeflow.pack_specs import Declared, PackSpecs, SocketSpec, SpecMemory
from nodeflow.packs import Found, PackSource, read_modules, source_digests
from nodeflow.sockets import SHARED, SocketType
from nodeflow.spec import MARK, NodeOptions, NodeSpec
from nodeflow.values import Codecs

BUILTIN = "nodeflow"
"""The engine's own pack: nodes that repeating groups are made of."""


@dataclass(frozen=True)
class Registry:
    """All packs that work, and why the others do not.

    Attributes:
        specs: Node id to spec.
        renamed: Earlier node id to today's.
        sockets: Every socket type.
        errors: Packs, or declarations, that cannot be used.
        packs: Where the packs are.
        declared: Pack name to what is in use of it.
        pending: Packs whose source of today was not read: see `remembered`.
    """

    specs: Mapping[str, NodeSpec]
    renamed: Mapping[str, str]
    sockets: tuple[SocketSpec, ...]
    errors: tuple[PackError, ...]
    packs: tuple[PackSource, ...]
    codecs: Codecs
    declared: Mapping[str, Declared]
    pending: tuple[str, ...] = ()
    _code: PackCode = field(kw_only=True, repr=False)

    @classmethod
    def discover(
        cls, found: Found, memory: Path | None, before: Registry | None = None
    ) -> Registry:
        """Read every pack that was found; of one that does not work the last version that did.

        Args:
            found: From `find_packs`.
            memory: Folder for remembered specs; None to read every pack anew.
            before: What this process has used so far.
        """
        errors = list(found.errors)
        known = SpecMemory(memory) if memory is not None else None
        declared: dict[str, Declared] = {}
        for source in found.packs:
            try:
                declared[source.name] = _read(source, known)
            except PackError as error:
                errors.append(error)
                kept = before.declared.get(source.name) if before is not None else None
                if kept is None and known is not None:
                    kept = known.last_good(source.name)
                if kept is not None:
                    declared[source.name] = replace(kept, broken=error.sentence)
        return cls._of(declared, errors, found.packs)

    @classmethod
    def remembered(cls, found: Found, memory: Path) -> Registry:
        """What is remembered of the packs that were found; none is imported.

        Of a pack in `pending` it is what an earlier source declared, or nothing: it was edited, is
        new, or does not work. To know that, some process must `discover` it.
        """
        known = SpecMemory(memory)
        declared: dict[str, Declared] = {}
        pending: list[str] = []
        for source in found.packs:
            today = _recall(source, known)
            if today is None:
                pending.append(source.name)
            kept = today or known.last_good(source.name)
            if kept is not None:
                declared[source.name] = kept
        return cls._of(declared, list(found.errors), found.packs, tuple(pending))

    @classmethod
    def _of(
        cls,
        declared: Mapping[str, Declared],
        errors: list[PackError],
        packs: tuple[PackSource, ...],
        pending: tuple[str, ...] = (),
    ) -> Registry:
        specs: dict[str, NodeSpec] = {}
        renamed: dict[str, str] = {}
        sockets = [SocketSpec.of(socket) for socket in SHARED]
        for pack in (_builtin(), *(item.specs for item in declared.values())):
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
        code = PackCode(
            packs,
            {name: item.digest for name, item in declared.items()},
            {name: item.broken for name, item in declared.items() if item.broken},
        )
        codecs = Codecs(
            {socket.name: socket.codec for socket in sockets} | {"any": "nodeflow.values:JSON"},
            code.module,
        )
        told = tuple(sockets), tuple(errors)
        return cls(specs, renamed, *told, packs, codecs, declared, pending, _code=code)

    def forget_edited(self, before: Registry) -> list[str]:
        """Drop the imported modules of packs whose source in use is another one than `before`.

        Returns:
            The packages of those packs.
        """
        packages = {pack.name: pack.module for pack in (*before.packs, *self.packs)}
        digests = [
            {name: item.digest for name, item in registry.declared.items()}
            for registry in (before, self)
        ]
        self._code.forget_edited()
        return [
            package
            for name, package in packages.items()
            if digests[0].get(name) != digests[1].get(name)
        ]

    def find(self, type_id: str) -> NodeSpec | None:
        """The node of this id, or of this earlier id."""
        return self.specs.get(type_id) or self.specs.get(self.renamed.get(type_id, ""))

    def function(self, spec: NodeSpec) -> Callable[..., Any]:
        """The node's function; imports its module.

        Raises:
            PackError: The module does not import any more, or the pack is broken.
        """
        return self._attribute(spec.pack, spec.module, spec.function)

    def hook(self, spec: NodeSpec, reference: str) -> Callable[..., Any]:
        """A `check=` or `facts=` function, given as `module:function`."""
        module, _, name = reference.partition(":")
        return self._attribute(spec.pack, module, name)

    def _attribute(self, pack: str, module: str, name: str) -> Callable[..., Any]:
        try:
            found: Callable[..., Any] = getattr(self._code.module(module), name)
        except PackError:
            raise
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


def _place(source: PackSource, error: BaseException) -> str:
    """The last line of the pack's own that the error came through, such as ` (file.py, line 3)`."""
    own = [
        f" ({frame.filename}, line {frame.lineno})"
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(source.folder)
    ]
    return own[-1] if own else ""


def _recall(source: PackSource, known: SpecMemory) -> Declared | None:
    try:
        return known.recall(source.name, source.digest())
    except OSError:  # its source cannot be read; whoever imports it will say so
        return None


def _read(source: PackSource, known: SpecMemory | None) -> Declared:
    """What a pack declares, remembered or read anew.

    Raises:
        PackError: It does not import, or a declaration in it cannot work.
    """
    try:
        # Taken before the import: an edit meanwhile makes another digest, not stale specs.
        digest = source.digest()
        if known is not None and (remembered := known.recall(source.name, digest)) is not None:
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
    if known is not None:
        known.remember(specs, digest)
    return Declared(specs, digest)


def _scan_anew(source: PackSource, digest: str) -> PackSpecs:
    modules = read_modules(source)
    identities = {name: f"source:{found}" for name, found in source_digests(modules).items()}
    with imported_anew(source, digest):
        imported = [import_module(source, name) for name, item in modules.items() if item.declares]
        return scan(source.name, imported, identities)


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
