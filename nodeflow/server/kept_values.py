"""Looks at pictures that lie between nodes: small ones, made from what the disk store keeps."""

from __future__ import annotations

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from PIL import Image
from safetensors import SafetensorError

from nodeflow.cache.disk import DiskStore
from nodeflow.errors import StoreError

MOST_BYTES = 400_000_000
"""Values of more bytes are not looked at: reading them would keep the disk from the worker."""

_SHARPER = 2
"""Pixels are left out down to so many times the wanted size; what remains is averaged."""


class KeptValues:
    """Reads the disk store of the worker, in one thread, so that looks wait for each other.

    Args:
        folder: Of the disk store; it is not made, as there is nothing to see without it.
        budget: Of the disk store.
    """

    def __init__(self, folder: Path, budget: int) -> None:
        self._folder = folder
        self._budget = budget
        self._store: DiskStore | None = None
        self._pool = ThreadPoolExecutor(1, "values")

    async def look(self, key: str, size: int) -> bytes | None:
        """The first picture of a node's first image output, as WebP; None if it is not kept.

        Args:
            key: Of the node, as its events tell it.
            size: Of the longer side at most, in pixels.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._look, key, size)

    def close(self) -> None:
        """Let go of the store and of the thread."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        if self._store is not None:
            self._store.close()

    def _look(self, key: str, size: int) -> bytes | None:
        try:
            store = self._opened()
            found = None if store is None else store.look(key, "Image", MOST_BYTES)
        except StoreError:
            return None  # the worker says what is wrong with the store; here nothing is to be seen
        if found is None or found.payload.format != "safetensors":
            return None
        try:
            images = safetensors.numpy.load(found.payload.data)["value"]
        except (SafetensorError, KeyError, TypeError):
            return None
        return None if len(images) == 0 else _webp(images[0], size)

    def _opened(self) -> DiskStore | None:
        if self._store is None and self._folder.is_dir():
            self._store = DiskStore(self._folder, self._budget)
        return self._store


def _webp(pixels: NDArray[np.float32], size: int) -> bytes:
    """A picture [height, width, channel] in 0..1, made smaller."""
    step = max(1, max(pixels.shape[:2]) // (_SHARPER * size))
    values = np.nan_to_num(pixels[::step, ::step].astype(np.float32))
    eight = (values.clip(0, 1) * 255 + 0.5).astype(np.uint8)
    picture = Image.fromarray(eight[..., 0] if eight.shape[-1] == 1 else eight)
    picture.thumbnail((size, size), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=80)
    return file.getvalue()
