"""Where packs are: entry points and folders; what they are made of, read without importing them."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from blake3 import blake3

from nodeflow.errors import PackError

GROUP = "nodeflow.packs"
_MARKS = {"node", "SocketType", "*"}


@dataclass(frozen=True)
class PackSource:
    """A pack as it lies on the disk.

    Attributes:
        name: What stands before the dot in its nodes' ids.
        module: The package to import.
        folder: The package's folder.
        origin: Who says so, for messages.
        by_path: It is imported from `folder`, not through the import path.
    """

    name: str
    module: str
    folder: Path
    origin: str
    by_path: bool = False

    def files(self) -> list[Path]:
        """All source files, in a stable order; tests and hidden folders are not part of it."""
        return sorted(
            path
            for path in self.folder.rglob("*.py")
            if not any(
                part.startswith(".") or part in ("tests", "__pycache__")
                for part in path.relative_to(self.folder).parts
            )
        )

    def digest(self) -> str:
        """Digest of every source file: changes with any edit."""
        hasher = blake3(b"pack\0")
        for path in self.files():
            text = path.read_bytes()
            hasher.update(f"{path.relative_to(self.folder).as_posix()}\0{len(text)}\0".encode())
            hasher.update(text)
        return hasher.hexdigest(16)


@dataclass(frozen=True)
class Found:
    """The packs that were found, and what is wrong with others."""

    packs: tuple[PackSource, ...]
    errors: tuple[PackError, ...] = field(default=())


def find_packs(folders: Sequence[Path]) -> Found:
    """Every installed pack and every folder in `folders`; of two with one name neither is used."""
    candidates: dict[str, list[PackSource]] = {}
    errors: list[PackError] = []
    for point in importlib.metadata.entry_points(group=GROUP):
        try:
            source = _installed(point.name, point.value)
        except Exception as error:  # noqa: BLE001  # finding a module runs what is installed
            errors.append(PackError(point.name, f"its module '{point.value}' is missing ({error})"))
        else:
            candidates.setdefault(point.name, []).append(source)
    for entry in _entries(folders, errors):
        try:
            candidates.setdefault(entry.name, []).append(_in_folder(entry))
        except PackError as error:
            errors.append(error)
    packs: list[PackSource] = []
    for name, sources in candidates.items():
        if not sources:
            continue
        places = sorted({source.folder.resolve() for source in sources})
        if len(places) == 1:
            packs.append(sources[0])
        else:
            where = " and ".join(str(place) for place in places)
            errors.append(
                PackError(name, f"two packs bear this name: {where}. Rename or remove one of them.")
            )
    return Found(tuple(sorted(packs, key=lambda pack: pack.name)), tuple(errors))


def _entries(folders: Sequence[Path], errors: list[PackError]) -> list[Path]:
    """Every folder in the folders of packs; one that cannot be read is an error."""
    entries: list[Path] = []
    for folder in folders:
        try:
            inside = sorted(folder.iterdir()) if folder.is_dir() else []
        except OSError as error:
            sentence = f"the folder of packs {folder} cannot be read: {error.strerror}."
            errors.append(PackError(folder.name, sentence))
        else:
            entries += [
                entry
                for entry in inside
                if entry.is_dir() and not entry.name.startswith((".", "_"))
            ]
    return entries


def pack_of(module: str) -> str | None:
    """The pack that a module belongs to; None for one that is run or typed in."""
    installed = [
        (len(point.value), point.name)
        for point in importlib.metadata.entry_points(group=GROUP)
        if module == point.value or module.startswith(f"{point.value}.")
    ]
    if installed:
        return max(installed)[1]
    # A pack in a folder is imported under its own name.
    top = module.partition(".")[0]
    return top if not top.startswith("_") else None


def _installed(name: str, module: str) -> PackSource:
    spec = _find(module)
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("it is no package")
    return PackSource(name, module, Path(next(iter(spec.submodule_search_locations))), "installed")


def _find(module: str) -> ModuleSpec | None:
    """As `importlib.util.find_spec`, without importing the packages that the module lies in."""
    top, *inner = module.split(".")
    spec = importlib.util.find_spec(top)
    for name in inner:
        if spec is None or spec.submodule_search_locations is None:
            return None
        spec = PathFinder.find_spec(f"{spec.name}.{name}", spec.submodule_search_locations)
    return spec


def _in_folder(entry: Path) -> PackSource:
    name = entry.name
    if not name.isidentifier():
        raise PackError(name, f"the folder {entry} is no Python name; rename it to letters and _")
    for package in (entry, entry / name, entry / "src" / name):
        if (package / "__init__.py").is_file():
            origin = _module_origin(name)
            if origin is not None and not Path(origin).is_relative_to(package):
                raise PackError(
                    name, f"the folder {entry} has the name of the module {origin}; rename it"
                )
            return PackSource(name, name, package, f"folder {entry.parent}", by_path=True)
    raise PackError(
        name, f"the folder {entry} holds no package: {entry / '__init__.py'} is missing"
    )


def _module_origin(name: str) -> str | None:
    """Where a module of this name comes from, if there is one; a bare folder is none."""
    if name in sys.modules:
        spec = sys.modules[name].__spec__
        return getattr(sys.modules[name], "__file__", None) or (spec.origin if spec else None)
    found = importlib.util.find_spec(name)
    return found.origin if found else None


@dataclass(frozen=True)
class Module:
    """One module of a pack as its source says.

    Attributes:
        declares: It imports `node` or `SocketType` from nodeflow, so the registry scans it.
        imports: Modules of the same pack that it imports.
    """

    name: str
    path: Path
    declares: bool
    imports: frozenset[str]


def read_modules(source: PackSource) -> dict[str, Module]:
    """Every module of a pack by name, without importing any.

    Raises:
        SyntaxError: A file is no Python.
    """
    names = {_module_name(source, path): path for path in source.files()}
    return {name: _read_module(name, path, names) for name, path in names.items()}


def _module_name(source: PackSource, path: Path) -> str:
    parts = path.relative_to(source.folder).with_suffix("").parts
    inner = parts[:-1] if parts[-1] == "__init__" else parts
    return ".".join((source.module, *inner))


def _read_module(name: str, path: Path, known: Mapping[str, Path]) -> Module:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    imported: set[str] = set()
    declares = False
    for statement in ast.walk(ast.parse(path.read_bytes(), str(path))):
        if isinstance(statement, ast.Import):
            imported.update(alias.name for alias in statement.names)
            declares |= any(alias.name == "nodeflow" for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            base = statement.module or ""
            if statement.level:
                up = package.split(".")[: len(package.split(".")) - statement.level + 1]
                base = ".".join([*up, *([base] if base else [])])
            names = {alias.name for alias in statement.names}
            imported.add(base)
            imported.update(f"{base}.{inner}" for inner in names)
            declares |= base.split(".")[0] == "nodeflow" and bool(names & _MARKS)
    return Module(name, path, declares, frozenset(imported & known.keys() - {name}))


def source_digests(modules: Mapping[str, Module]) -> dict[str, str]:
    """For each module the digest of its source and of all pack modules it leads to."""
    own = {name: blake3(module.path.read_bytes()).hexdigest(16) for name, module in modules.items()}
    digests: dict[str, str] = {}
    for name in modules:
        reached = _reached(name, modules)
        text = "\0".join(f"{item}={own[item]}" for item in sorted(reached))
        digests[name] = blake3(f"source\0{text}".encode()).hexdigest(16)
    return digests


def _reached(start: str, modules: Mapping[str, Module]) -> set[str]:
    reached: set[str] = set()
    waiting: Iterable[str] = [start]
    while waiting:
        reached.update(waiting)
        waiting = {inner for name in waiting for inner in modules[name].imports} - reached
    return reached
