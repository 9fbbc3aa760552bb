"""Weights out of single safetensors files: memory-mapped, and assembled without a second copy."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from accelerate import init_empty_weights  # type: ignore[import-untyped]  # it has no types
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from nodeflow import Device, InputError
from nodeflow_nodes.diffusion.families.blocks import in_blocks, shape_of
from nodeflow_nodes.diffusion.families.gguf_weights import hold_blocks, read_gguf_weights
from nodeflow_nodes.diffusion.families.mapped_weights import LARGE, MappedWeights
from nodeflow_nodes.diffusion.families.pretrained import dtype_of, settled
from nodeflow_nodes.diffusion.families.scaled_weights import is_mark, multiplied, scale_of
from nodeflow_nodes.diffusion.families.streaming import Resting
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.diffusion.gguf_files import is_gguf
from nodeflow_nodes.diffusion.headers import Entry
from nodeflow_nodes.diffusion.pickles import is_pickle, state_of

N = TypeVar("N", bound=nn.Module)

_GROUP = 256 << 20
"""Bytes that are read before the file is mapped anew."""


def read_weights(
    table: TensorTable, prefix: str, device: Device, *, as_stored: bool = False
) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix`, without it, in the device's precision.

    Those stored in that precision stay mapped to the file. Others are cast one by one, in fp8 after
    they are multiplied by their scales, and the file is let go of from time to time, so that never
    much more than the result is held; of networks that stream hardly that.

    Args:
        table: The file.
        prefix: Before the names.
        device: Whose precision.
        as_stored: Leave the matrices of a GGUF file in their blocks, for `assembled`.

    Raises:
        InputError: The file cannot be read.
    """
    dtype = dtype_of(device)
    if is_gguf(table.path):
        return read_gguf_weights(table, prefix, device, as_stored=as_stored)
    if is_pickle(table.path):
        return {
            name.removeprefix(prefix): _cast(tensor, dtype)
            for name, tensor in _unpickled(table.path).items()
            if name in table and name.startswith(prefix)
        }
    resting = device.weights if isinstance(device, Resting) else None
    state: dict[str, Tensor] = {}
    try:
        for names in _groups(table, prefix, _GROUP if resting is None else _GROUP // 8):
            with safe_open(table.path, framework="pt") as file:
                for name in names:
                    tensor, scale = file.get_tensor(name), scale_of(table, name)
                    place = table.entries[name] if scale is None else None
                    if scale is not None:
                        tensor = multiplied(tensor, file.get_tensor(scale))
                    if resting is not None:
                        tensor = _at_rest(tensor, dtype, resting, table.path, place)
                    state[name.removeprefix(prefix)] = _cast(tensor, dtype)
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"the weights {table.path} cannot be read ({error}); fetch it again"
        ) from error
    return state


def _unpickled(path: Path) -> Mapping[str, Tensor]:
    """The tensors of a checkpoint, mapped to the file; nothing but tensors is made of it."""
    try:
        return state_of(torch.load(path, map_location="cpu", mmap=True, weights_only=True))
    except (OSError, RuntimeError, ValueError, pickle.UnpicklingError) as error:
        raise InputError(f"the weights {path} cannot be read ({error}); fetch it again") from error


def _cast(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """In the number format, and laid out as `settled` wants it, in one pass over the file."""
    if not tensor.is_floating_point() or tensor.dtype is dtype:
        return tensor
    if tensor.ndim == 4 and dtype is not torch.float32:
        return tensor.to(dtype, memory_format=torch.channels_last)
    return tensor.to(dtype)


def _at_rest(
    tensor: Tensor, dtype: torch.dtype, weights: MappedWeights, path: Path, place: Entry | None
) -> Tensor:
    """A tensor in a mapped file: that of the model if it lies there as it is to be. There it has
    the same place in its page as if it were not to stream: last digits may go by that."""
    by_channels = tensor.ndim == 4 and dtype is not torch.float32
    cast = _cast(tensor.new_empty(0), dtype).dtype is not tensor.dtype
    if place is not None and not by_channels and not cast:
        found = weights.of_file(path, place.start, tensor.dtype, place.shape)
        if found is not None:
            return found
    if tensor.nbytes < LARGE:
        return _cast(tensor, dtype)
    layout = torch.channels_last if by_channels else torch.preserve_format
    return weights.stored(tensor, dtype if tensor.is_floating_point() else None, layout)


def assembled(
    build: Callable[[], N], state: Callable[[N], Mapping[str, Tensor]], device: Device, what: str
) -> N:
    """A network that takes over tensors as they are, for use and never for training.

    Args:
        build: Makes the network; its weights are never allocated.
        state: Its weights by name, given the network; names that it does not have are left out.
        device: Where it goes; the tensors are in its precision.
        what: What is loaded, for sentences.

    Raises:
        InputError: A tensor is missing, or has another shape than the network's.
    """
    with init_empty_weights(include_buffers=False):
        network = build()
    own = network.state_dict()
    given = {name: tensor for name, tensor in state(network).items() if name in own}
    missing = sorted(own.keys() - given.keys())
    if missing:
        raise InputError(
            f"{what} lacks {len(missing)} tensors that its architecture has, such as "
            f"'{missing[0]}'; fetch the file again, or choose another"
        )
    for name, tensor in given.items():
        if shape_of(tensor) != own[name].shape:
            raise InputError(
                f"{what}: the tensor '{name}' has shape {list(shape_of(tensor))}, and its "
                f"architecture wants {list(own[name].shape)}; choose another file"
            )
    if any(map(in_blocks, given.values())):
        given = hold_blocks(network, given, device)
        network.load_state_dict(given, assign=True, strict=False)
    else:
        network.load_state_dict(given, assign=True)
    return settled(network, device)


def _groups(table: TensorTable, prefix: str, limit: int) -> Iterator[list[str]]:
    """Names in the order of the file, in groups of limited size."""
    names: list[str] = []
    size = 0
    wanted = [
        (name, entry)
        for name, entry in table.entries.items()
        if name.startswith(prefix) and not is_mark(name)
    ]
    for name, entry in sorted(wanted, key=lambda item: item[1].start):
        names.append(name)
        size += entry.size
        if size > limit:
            yield names
            names, size = [], 0
    if names:
        yield names
