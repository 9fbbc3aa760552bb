"""Parts of a model loaded through diffusers and transformers: offline, safetensors only, whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from diffusers.utils import logging as diffusers_logging
from torch import Tensor, nn
from transformers.utils import logging as transformers_logging

from nodeflow import Device, InputError, Precision, check_cancelled, is_out_of_memory
from nodeflow_nodes.diffusion.families.packing import by_channels, packed
from nodeflow_nodes.diffusion.families.streaming import Resting, streaming

M = TypeVar("M", bound=nn.Module)

_DTYPES = {
    Precision.FP32: torch.float32,
    Precision.BF16: torch.bfloat16,
    Precision.FP16: torch.float16,
}


def load_part(
    from_pretrained: Callable[..., Any], folder: Path, device: Device, variant: str | None
) -> Any:
    """A part on its device and in its precision, for use and never for training.

    Args:
        from_pretrained: That of the part's class.
        folder: The part's folder, with `config.json` and weights.
        device: Where it goes.
        variant: `fp16` if only such weights are there.

    Raises:
        InputError: The weights and the config do not fit together.
    """
    try:
        if isinstance(device, Resting) and device.weights is not None:
            # It builds on what is said here.
            from nodeflow_nodes.diffusion.families.resting_parts import resting_part

            found = resting_part(from_pretrained, folder, device, variant)
            if found is not None:
                return found
        with without_bars():
            # Where transformers takes a Path diffusers asks for text.
            module, report = from_pretrained(
                str(folder),
                local_files_only=True,
                use_safetensors=True,
                variant=variant,
                dtype=dtype_of(device),
                output_loading_info=True,
            )
    except (OSError, ValueError, RuntimeError) as error:
        if is_out_of_memory(error):
            raise
        raise InputError(f"the model part {folder} cannot be loaded: {error}") from error
    missing = sorted(report["missing_keys"])
    if missing:
        raise InputError(
            f"the weights in {folder} lack {len(missing)} tensors that config.json speaks of, such "
            f"as '{missing[0]}'; fetch this part of the model again"
        )
    return settled(module, device)


def settled(module: M, device: Device) -> M:
    """A loaded part on its device, for use and never for training."""
    module.requires_grad_(False).eval().to(device.name)
    if device.precision is not Precision.FP32:
        # What convolutions in half precision are fast with, on GPUs and on CPUs with AMX alike.
        for weight in module.parameters():
            # Those of convolutions over pictures; over videos they have another format.
            if weight.ndim == 4:
                weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    for part in module.modules():
        if isinstance(part, nn.ModuleList):
            for layer in part:
                # A layer takes milliseconds, a whole network may take seconds.
                layer.register_forward_pre_hook(_stop_if_cancelled)
    if isinstance(device, Resting):
        if device.weights is None:
            return module
        return streaming(by_channels(module, device), device.weights)
    return packed(module, device)


def _stop_if_cancelled(layer: nn.Module, inputs: object) -> None:
    # What is compiled whole stops between steps only.
    if not torch.compiler.is_compiling():
        check_cancelled()


def dtype_of(device: Device) -> torch.dtype:
    """The number format that a device computes in."""
    return _DTYPES[device.precision]


def weight_bytes(module: nn.Module) -> int:
    """Bytes that the weights of a part hold."""
    return sum(_bytes(tensor) for tensor in (*module.parameters(), *module.buffers()))


def _bytes(tensor: Tensor) -> int:
    """Of a quantised tensor those that it is made of; it says itself what it would be whole."""
    if not hasattr(tensor, "__tensor_flatten__"):
        return tensor.nbytes
    names, _ = tensor.__tensor_flatten__()
    return sum(_bytes(getattr(tensor, name)) for name in names)


@contextmanager
def without_bars() -> Iterator[None]:
    """The libraries draw no progress bars of their own: they would run through nodeflow's."""
    shown = [
        library
        for library in (diffusers_logging, transformers_logging)
        if library.is_progress_bar_enabled()
    ]
    for library in shown:
        library.disable_progress_bar()
    try:
        yield
    finally:
        for library in shown:
            library.enable_progress_bar()
