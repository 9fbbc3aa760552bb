"""What torch says of a device, and in which precision it is fast. Imports torch."""

from __future__ import annotations

import platform
import time

import psutil
import torch
from torch.nn.attention import SDPBackend

from nodeflow.errors import SettingsError
from nodeflow.sockets import Precision

ROUNDS = 9

WORTH = 1.3
"""How many times as fast as fp32 bf16 must be to be chosen."""

_DTYPES = {
    Precision.FP32: torch.float32,
    Precision.BF16: torch.bfloat16,
    Precision.FP16: torch.float16,
}


def probe(device: str, precision: str) -> dict[str, str]:
    """Name, kind, precision and attention of the device that is meant, and why that precision.

    Args:
        device: `auto` takes cuda, then mps, then the CPU; else what `torch.device` takes.
        precision: `auto` measures; else the name of a `Precision`.

    Raises:
        SettingsError: There is no such device here.
    """
    found = _device(device)
    if precision == "auto":
        chosen, reason = _fastest(found)
    else:
        chosen, reason = Precision(precision), "it was asked for"
    return {
        "name": str(found),
        "kind": _kind(found),
        "precision": chosen.value,
        "reason": reason,
        "attention": _attention(found, chosen),
    }


def devices() -> list[str]:
    """The names of all devices here, the one that `auto` takes first."""
    gpus = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    return [*gpus, *(["mps"] if torch.backends.mps.is_available() else []), "cpu"]


def device_memory(name: str) -> int:
    """Bytes of memory that a device has; those of the machine where it shares them."""
    device = torch.device(name)
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return int(psutil.virtual_memory().total)


def _device(name: str) -> torch.device:
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda:0")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise SettingsError(f"The device '{name}' cannot be used here: {reason}") from error
    return device


def _kind(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "cpu":
        return f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}"
    return device.type


def _fastest(device: torch.device) -> tuple[Precision, str]:
    """bf16 where a convolution of a diffusion network's size is clearly faster in it; and why."""
    if device.type == "mps":
        return Precision.FP16, "Apple GPUs are fast in it; nothing was measured"
    if device.type == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return Precision.BF16, "the GPU computes in it itself; nothing was measured"
        return Precision.FP16, "the GPU is too old for bf16; nothing was measured"
    full, half = _Convolution(device, torch.float32), _Convolution(device, torch.bfloat16)
    # In turn, so that a busy moment of the machine falls on both.
    rounds = [(full.seconds(), half.seconds()) for _ in range(ROUNDS)]
    best_full, best_half = (min(times) for times in zip(*rounds, strict=True))
    return chosen(best_full, best_half)


def chosen(full: float, half: float) -> tuple[Precision, str]:
    """What these seconds of one layer, in fp32 and in bf16, speak for; and why."""
    took = f"a convolution took {full * 1e3:.3g} ms in fp32 and {half * 1e3:.3g} ms in bf16"
    faster = f"{full / half:.2g} times as fast; bf16 is taken from {WORTH:g} times on"
    return (Precision.BF16 if full > WORTH * half else Precision.FP32), f"{took}, {faster}"


def _attention(device: torch.device, precision: Precision) -> str:
    """Which of its ways torch takes for attention of a diffusion network's size."""
    dtype = _DTYPES[precision]
    query = torch.zeros(2, 8, 1024, 64, device=device, dtype=dtype)
    # No public function answers for every kind of device.
    number = torch._fused_sdp_choice(query, query, query)
    way = SDPBackend(number).name.lower().removesuffix("_attention")
    return f"scaled_dot_product_attention of torch, {way.replace('_', ' ')} kernel"


class _Convolution:
    """A layer of the size that diffusion networks are made of, and what it works on."""

    def __init__(self, device: torch.device, dtype: torch.dtype) -> None:
        layer = torch.nn.Conv2d(320, 320, 3, padding=1).to(device, dtype)
        self._layer = layer.to(memory_format=torch.channels_last)
        picture = torch.zeros(2, 320, 32, 32, device=device, dtype=dtype)
        self._picture = picture.to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def seconds(self) -> float:
        """CPU time of all threads of this process: what else the machine does must not count."""
        start = time.process_time()
        self._layer(self._picture)
        return time.process_time() - start
