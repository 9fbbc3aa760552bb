"""Weights that lie in mapped files: in memory while they are used, and no longer."""

from __future__ import annotations

import errno
import mmap
import tempfile
import threading
import weakref
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from nodeflow import NodeflowError, check_cancelled

LARGE = 64 << 10
"""Bytes of a tensor from which on it is worth it."""
_WINDOW = 512 << 20
"""Bytes that are mapped at once; more only for a larger tensor. A system may refuse to map a whole
file that is larger than its memory."""
_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class _Window:
    """A part of a file that is mapped.

    Attributes:
        mapping: The part; never written to.
        content: Its bytes.
        start: Where they begin in the file.
    """

    mapping: mmap.mmap
    content: Tensor
    start: int

    def holds(self, start: int, size: int) -> bool:
        return self.start <= start and start + size <= self.start + len(self.content)

    def tensor(self, start: int, size: int, dtype: torch.dtype) -> Tensor:
        """These bytes of the file as numbers."""
        begin = start - self.start
        return self.content[begin : begin + size].view(dtype)


class MappedWeights:
    """Tensors in mapped files: those of a model where these have what is wanted, else one of ours.

    Ours has no name, so that the system takes it away when its last tensor goes, and after a crash.

    Attributes:
        folder: Where it lies; None for the system's folder for such files.
        held: Bytes of the networks that rest here which are in memory at once, at most.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.held = 0
        self._file: IO[bytes] | None = None
        self._end = 0
        self._windows: dict[Path | None, list[_Window]] = {}
        self._addresses: list[int] = []
        self._mapped: list[tuple[mmap.mmap, int]] = []
        self._lock = threading.Lock()

    def of_file(
        self, path: Path, start: int, dtype: torch.dtype, shape: tuple[int, ...]
    ) -> Tensor | None:
        """A tensor where it lies in a file; None if it lies so that it cannot be used there."""
        size = dtype.itemsize * torch.Size(shape).numel()
        if start % dtype.itemsize or not size:
            return None
        window = self._window(path, start, size)
        return window.tensor(start, size, dtype).view(shape)

    def stored(
        self,
        tensor: Tensor,
        dtype: torch.dtype | None = None,
        layout: torch.memory_format = torch.preserve_format,
    ) -> Tensor:
        """A tensor in our file.

        Args:
            tensor: What is stored.
            dtype: In which number format; None as it is.
            layout: In which order.

        Raises:
            NodeflowError: The disk is full.
        """
        check_cancelled()
        like = torch.empty_like(tensor, dtype=dtype, memory_format=layout, device="meta")
        shape, strides, dtype = like.shape, like.stride(), like.dtype
        if (dtype, strides) != (tensor.dtype, tensor.stride()):
            # Apart from the heap, in which it would leave a hole.
            scratch = torch.frombuffer(mmap.mmap(-1, like.nbytes), dtype=torch.uint8)
            tensor = scratch.view(dtype).as_strided(shape, strides).copy_(tensor)
        flat = tensor.as_strided((tensor.numel(),), (1,)).view(torch.uint8)
        with self._lock:
            start = -(-self._end // mmap.ALLOCATIONGRANULARITY) * mmap.ALLOCATIONGRANULARITY
            self._end = start + len(flat)
            content: Any = flat.numpy()
            self._write(start, memoryview(content))
        window = self._window(None, start, len(flat))
        return window.tensor(start, len(flat), dtype).as_strided(shape, strides)

    def adopt(self, mapping: mmap.mmap, content: Tensor) -> None:
        """Look after a mapping that another has made, and whose bytes these are."""
        with self._lock:
            self._know(mapping, content)

    def holds(self, tensor: Tensor) -> bool:
        """Whether a tensor lies here."""
        return self._at(tensor.data_ptr()) is not None

    def let_go(self, tensor: Tensor) -> None:
        """Give back the memory of a tensor, if it lies here: its next use finds it in the file."""
        address = tensor.data_ptr()
        found = self._at(address)
        if found is None or not hasattr(mmap, "MADV_DONTNEED"):
            return  # a system that knows no such thing does so itself when it has to
        mapping, begin = found
        first = (address - begin) // mmap.PAGESIZE * mmap.PAGESIZE
        last = min(address - begin + tensor.nbytes, len(mapping))
        mapping.madvise(mmap.MADV_DONTNEED, first, last - first)

    def _at(self, address: int) -> tuple[mmap.mmap, int] | None:
        place = bisect_right(self._addresses, address) - 1
        if place < 0:
            return None
        mapping, begin = self._mapped[place]
        return (mapping, begin) if address < begin + len(mapping) else None

    def _window(self, path: Path | None, start: int, size: int) -> _Window:
        """A window that holds these bytes of a file; of our own if no path is given."""
        with self._lock:
            known = self._windows.setdefault(path, [])
            found = next((one for one in reversed(known) if one.holds(start, size)), None)
            if found is None:
                found = self._opened(path, start, size)
                known.append(found)
            return found

    def _opened(self, path: Path | None, start: int, size: int) -> _Window:
        begin = start // mmap.ALLOCATIONGRANULARITY * mmap.ALLOCATIONGRANULARITY
        length = max(_WINDOW, start + size - begin)
        if path is None:
            file = self._own()
            # Only what is written takes room on the disk.
            file.truncate(begin + length)
            mapping = mmap.mmap(file.fileno(), length, access=mmap.ACCESS_COPY, offset=begin)
        else:
            length = min(length, path.stat().st_size - begin)
            with path.open("rb") as file:
                mapping = mmap.mmap(file.fileno(), length, access=mmap.ACCESS_COPY, offset=begin)
        window = _Window(mapping, torch.frombuffer(mapping, dtype=torch.uint8), begin)
        self._know(mapping, window.content)
        return window

    def _know(self, mapping: mmap.mmap, content: Tensor) -> None:
        address = content.data_ptr()
        place = bisect_right(self._addresses, address)
        self._addresses.insert(place, address)
        self._mapped.insert(place, (mapping, address))

    def _own(self) -> IO[bytes]:
        if self._file is None:
            if self.folder is not None:
                self.folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=self.folder, buffering=0)  # noqa: SIM115
            weakref.finalize(self, self._file.close)
        return self._file

    def _write(self, start: int, content: memoryview) -> None:
        try:
            file: Any = self._own()
            file.seek(start)
            while content:
                content = content[file.write(content) :]
        except OSError as error:
            if error.errno not in _FULL:
                raise
            where = self.folder or tempfile.gettempdir()
            raise NodeflowError(
                f"the disk with {where} is full: the weights of a model that is larger than the "
                "memory for models are kept there while it is used; free some of it, set "
                "NODEFLOW_CACHE to another folder, or give models more memory "
                "(NODEFLOW_MODEL_MEMORY)"
            ) from error
