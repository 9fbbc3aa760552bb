"""What torch says of a device, and in which precision it is fast. Imports torch."""

from __future__ import annotations

import platform
import time

import torch

from nodeflow.errors import SettingsError
from nodeflow.sockets import Precision

ROUNDS = 9

WORTH = 1.3
"""How many times as fast as fp32 bf16 must be to be chosen."""


def probe(device: str, precision: str) -> dict[str, str]:
    """Name, kind and precision of the device that is meant.

    Args:
        device: `auto` takes cuda, then mps, then the CPU; else what `torch.device` takes.
        precision: `auto` measures; else the name of a `Precision`.

    Raises:
        SettingsError: There is no such device here.
    """
    found = _device(device)
    if precision == "auto":
        precision = _fastest(found).value
    return {"name": str(found), "kind": _kind(found), "precision": precision}


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


def _fastest(device: torch.device) -> Precision:
    """bf16 where a convolution of a diffusion network's size is clearly faster in it."""
    if device.type == "mps":
        return Precision.FP16
    if device.type == "cuda":
        return Precision.BF16 if torch.cuda.is_bf16_supported() else Precision.FP16
    full, half = _Convolution(device, torch.float32), _Convolution(device, torch.bfloat16)
    # In turn, so that a busy moment of the machine falls on both.
    rounds = [(full.seconds(), half.seconds()) for _ in range(ROUNDS)]
    best_full, best_half = (min(times) for times in zip(*rounds, strict=True))
    return Precision.BF16 if best_full > WORTH * best_half else Precision.FP32


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
