"""The code of packs: imported when it is needed, again after an edit, put back if that fails."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

from nodeflow.errors import PackError
from nodeflow.garbage import importing
from nodeflow.packs import PackSource

_DIGEST = "__nodeflow_digest__"
"""On a pack's imported package: the digest of the source that its specs came from."""


class PackCode:
    """Imports the modules of packs, each from the source that its specs were read from.

    Args:
        packs: Where they are.
        digests: Pack name to the digest of that source.
        broken: Pack name to why that source is not on the disk any more: what is there today does
            not work. Only what this process has imported of it can be used.
    """

    def __init__(
        self,
        packs: Sequence[PackSource],
        digests: Mapping[str, str],
        broken: Mapping[str, str],
    ) -> None:
        self._packs = packs
        self._digests = digests
        self._broken = broken
        self._lock = threading.RLock()

    def module(self, name: str) -> ModuleType:
        """A module of any pack, or of the engine.

        Raises:
            PackError: Its pack is broken, and was not imported while it worked.
            Exception: Whatever importing it raises.
        """
        source = next((pack for pack in self._packs if _is_inside(name, pack.module)), None)
        digest = self._digests.get(source.name) if source is not None else None
        if source is None or digest is None:
            return import_module(source, name)
        with self._lock:
            mark = getattr(sys.modules.get(source.module), _DIGEST, None)
            if source.name in self._broken:
                kept = sys.modules.get(name)
                if kept is None or mark != digest:
                    raise PackError(
                        source.name,
                        "its nodes cannot run until it is mended: " + self._broken[source.name],
                    )
                return kept
            if mark not in (None, digest):
                _forget(source)
            module = import_module(source, name)
            setattr(sys.modules[source.module], _DIGEST, digest)
            return module

    def forget_edited(self) -> None:
        """Drop what was imported from other sources; it is imported anew when it is needed."""
        with self._lock:
            for source in self._packs:
                mark = getattr(sys.modules.get(source.module), _DIGEST, None)
                if mark not in (None, self._digests.get(source.name)):
                    _forget(source)


def import_module(source: PackSource | None, name: str) -> ModuleType:
    """Import a module, of the pack `source` if it is of one."""
    with importing(name):
        if source is not None and source.by_path:
            _load_package(source)
        return importlib.import_module(name)


@contextmanager
def imported_anew(source: PackSource, digest: str) -> Iterator[None]:
    """Import modules of a pack as they are on the disk now; if that fails, the earlier ones stay.

    Args:
        digest: Of the source on the disk.
    """
    before = _modules(source)
    if getattr(before.get(source.module), _DIGEST, digest) != digest:
        _forget(source)
    try:
        yield
        setattr(import_module(source, source.module), _DIGEST, digest)
    except BaseException:
        _forget(source)
        sys.modules.update(before)
        parent, _, name = source.module.rpartition(".")
        if parent in sys.modules and source.module in before:
            setattr(sys.modules[parent], name, before[source.module])
        raise


def _is_inside(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _modules(source: PackSource) -> dict[str, ModuleType]:
    return {name: module for name, module in sys.modules.items() if _is_inside(name, source.module)}


def _forget(source: PackSource) -> None:
    """Drop the modules of a pack, and what was compiled of them.

    Python takes a compiled file for that of an edited source if both edits fell into one second
    and the size is the same.
    """
    for name in _modules(source):
        del sys.modules[name]
    with suppress(OSError):
        for path in source.files():
            Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
    importlib.invalidate_caches()


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
