"""LightRegistry: packs' hooks in a process that must stay without torch.

A hook is a pure function of a module that is quick to import, so it may be asked here. One whose
module, or call, asks for a heavy library all the same says nothing here: the worker checks every
job again before it runs, with all hooks.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import Any

from nodeflow.errors import PackError
from nodeflow.registry import Registry
from nodeflow.spec import Facts, NodeSpec

HEAVY = frozenset(
    (
        "diffusers",
        "jax",
        "onnxruntime",
        "spandrel",
        "tensorflow",
        "torch",
        "torchvision",
        "transformers",
    )
)
"""Top-level modules that take seconds and hundreds of megabytes, and belong into a worker."""


class HeavyImportError(ImportError):
    """Somebody asked for a heavy library where none may be."""


class _Refusal:
    """A finder of modules that refuses heavy ones to one thread and has none itself."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.partition(".")[0] in HEAVY and threading.get_ident() == self._thread:
            raise HeavyImportError(f"'{name}' is imported by workers only", name=name)
        return None


@contextmanager
def heavy_refused() -> Iterator[None]:
    """No heavy library can be imported by this thread inside of it, if it was not before."""
    refusal = _Refusal()
    sys.meta_path.insert(0, refusal)
    try:
        yield
    finally:
        sys.meta_path.remove(refusal)


@dataclass(frozen=True)
class LightRegistry(Registry):
    """A registry whose hooks are asked only if they need nothing heavy."""

    _silent: set[str] = field(default_factory=set, kw_only=True, repr=False)

    def hook(self, spec: NodeSpec, reference: str) -> Callable[..., Any]:
        """A `check=` or `facts=` function, or one that takes and says nothing.

        Raises:
            PackError: The hook's module does not import, for another reason than its weight.
        """
        # Source that nobody has read yet may hang or be half an edit: the worker reads it first.
        if reference in self._silent or spec.pack in self.pending:
            return _say_nothing
        try:
            with heavy_refused():
                found = super().hook(spec, reference)
        except PackError as error:
            if _is_heavy(error):
                self._silent.add(reference)
                return _say_nothing
            raise
        return _Light(found)


class _Light:
    """A hook whose call is watched too: it may import inside of the function."""

    def __init__(self, hook: Callable[..., Any]) -> None:
        self._hook = hook
        self.__code__: CodeType = hook.__code__

    def __call__(self, **known: object) -> object:
        try:
            with heavy_refused():
                return self._hook(**known)
        except Exception as error:
            if _is_heavy(error):
                return {}
            raise


def _say_nothing() -> Mapping[str, Facts]:
    return {}


def _is_heavy(error: BaseException | None) -> bool:
    """Whether a heavy import is what an error comes from."""
    while error is not None:
        if isinstance(error, HeavyImportError):
            return True
        error = error.__cause__ or error.__context__
    return False
