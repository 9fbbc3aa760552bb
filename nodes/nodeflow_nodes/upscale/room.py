"""How large a tile may be: what a network needs for a pixel, and how much memory is free."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import Any

import psutil
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from nodeflow import is_out_of_memory
from nodeflow_nodes.upscale.networks import Network

SIZES = (1024, 512, 256, 128, 64)
"""Sides of tiles to choose from. Few, so that a little more or less memory changes no picture;
larger ones would be no faster, and progress is told after each."""
_PROBE = 64
_SHARE = 0.5
"""Of what is free. Kernels need room that no tensor tells of, and others want some too."""


def fitting_tile(network: Network, longest: int) -> int:
    """Side of the largest tile that the free memory of a network's device holds, in pixels.

    Args:
        network: What enlarges the tiles; for all but the smallest pictures it is tried once.
        longest: The longer side of the picture.
    """
    if longest <= SIZES[-1]:
        return SIZES[-1]
    try:
        room = _SHARE * free_bytes(network.device) / bytes_for_a_pixel(network)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return SIZES[-1]
    return next((side for side in SIZES if side * side <= room), SIZES[-1])


def bytes_for_a_pixel(network: Network) -> float:
    """Bytes that a network holds at most, besides its weights, for each pixel that it enlarges."""
    shape = (1, network.input_channels, _PROBE, _PROBE)
    picture = torch.zeros(shape, dtype=network.dtype, device=network.device)
    return peak_bytes(lambda: network(picture)) / _PROBE**2


def peak_bytes(compute: Callable[[], object]) -> int:
    """Bytes of all tensors that a computation makes, where most of them are there at once."""
    seen = _Peak()
    with seen:
        compute()
    return seen.peak


def free_bytes(device: torch.device) -> int:
    """Bytes that may still be allocated on a device."""
    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0] + unused)
    return int(psutil.virtual_memory().available)


class _Peak(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has few types here
    """Counts the bytes of tensors from when they are made until nobody holds them."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak = self._live = 0
        self._known: set[int] = set()

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        given = {id(t.untyped_storage()) for t in tree_leaves((args, kwargs)) if _is_tensor(t)}
        for tensor in filter(_is_tensor, tree_leaves(result)):
            storage = tensor.untyped_storage()
            if id(storage) not in self._known and id(storage) not in given:
                self._known.add(id(storage))
                self._live += storage.nbytes()
                weakref.finalize(storage, self._forget, id(storage), storage.nbytes())
        self.peak = max(self.peak, self._live)
        return result

    def _forget(self, storage: int, size: int) -> None:
        self._known.discard(storage)
        self._live -= size


def _is_tensor(value: object) -> bool:
    return isinstance(value, Tensor)
