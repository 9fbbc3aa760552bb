"""The names and shapes of a file's tensors, as fingerprints ask for them. Without torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nodeflow import InputError
from nodeflow_nodes.diffusion.gguf_files import is_gguf, read_gguf_entries
from nodeflow_nodes.diffusion.headers import (
    Entry,
    read_entries,
    read_numbers,
    stored_precision,
)
from nodeflow_nodes.diffusion.pickles import Inside, is_pickle, read_pickle_entries


@contextmanager
def expected_shapes(path: Path) -> Iterator[None]:
    """While shapes are looked at as if they were those of a network: others say so.

    Raises:
        InputError: One has fewer sides than it has in every such network.
    """
    try:
        yield
    except InputError:
        raise
    except (IndexError, ValueError, ZeroDivisionError) as error:
        raise InputError(
            f"the tensors of {path} have shapes that no network has which is known here; fetch the "
            "file again, or choose another"
        ) from error


@dataclass(frozen=True)
class TensorTable:
    """A file of tensors by its head: safetensors, GGUF, or a pickle of nothing else.

    Attributes:
        path: The file.
        entries: Its tensors by name.
    """

    path: Path
    entries: Mapping[str, Entry]

    @classmethod
    def read_old(cls, path: Path, inside: Inside) -> TensorTable:
        """Read the head of a pickle that is loaded whole, in whichever format of torch's.

        Args:
            path: The file.
            inside: Finds the tensors in what was pickled.

        Raises:
            InputError: The file is broken, or wants more than tensors.
        """
        return cls(path, read_pickle_entries(path, inside, old=True))

    @classmethod
    def read(cls, path: Path) -> TensorTable:
        """Read the head of a file; raises InputError if the file is broken."""
        if is_gguf(path):
            return cls(path, read_gguf_entries(path))
        return cls(path, read_pickle_entries(path) if is_pickle(path) else read_entries(path))

    def __contains__(self, name: str) -> bool:
        return name in self.entries

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of a tensor; empty if there is none of that name."""
        entry = self.entries.get(name)
        return () if entry is None else entry.shape

    def sides(self, name: str, of: str = "network") -> tuple[int, ...]:
        """Shape of a tensor that must be there; `of` says in sentences which part it belongs to.

        Raises:
            InputError: There is none of that name.
        """
        if name not in self.entries:
            raise InputError(
                f"the {of} in {self.path} lacks the tensor '{name}'; fetch the file again, or "
                "choose another"
            )
        return self.entries[name].shape

    def numbers(self, name: str) -> list[float]:
        """Values of a small tensor; none if there is none of that name."""
        entry = self.entries.get(name)
        return [] if entry is None else read_numbers(self.path, entry)

    def starts(self, prefix: str) -> bool:
        """Whether any name begins so."""
        return any(name.startswith(prefix) for name in self.entries)

    @cached_property
    def precision(self) -> str:
        """The number format that most bytes are in: `fp32`, `fp16`, `bf16`, `fp8`, ..."""
        return stored_precision(self.entries.values())
