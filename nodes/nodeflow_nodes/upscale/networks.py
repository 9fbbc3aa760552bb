"""Weights of upscalers, read through spandrel."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TypeAlias

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from spandrel import MAIN_REGISTRY, ImageModelDescriptor, UnsupportedModelError

from nodeflow import Device, InputError, Precision, Recipe, check_cancelled
from nodeflow_nodes.diffusion.headers import unreadable
from nodeflow_nodes.upscale.files import PICKLES

_LONGEST = 200
"""Letters of what torch says: it names every tensor that does not fit."""
Network: TypeAlias = "ImageModelDescriptor[torch.nn.Module]"


def load_network(recipe: Recipe, device: Device) -> Network:
    """The network of a recipe on its device; in float32 if it cannot compute in the precision.

    Raises:
        InputError: The file cannot be read, or is no network that enlarges pictures.
    """
    path = Path(recipe.path)
    try:
        network = MAIN_REGISTRY.load(_read_weights(path))
    except UnsupportedModelError as error:
        raise InputError(
            f"{path} is of no architecture that spandrel knows; choose another upscaler, such as "
            "one of ESRGAN, SwinIR or DAT"
        ) from error
    except (RuntimeError, LookupError, TypeError, AssertionError) as error:
        reason = " ".join(str(error).split())[:_LONGEST]
        raise InputError(
            f"the weights in {path} do not fit together ({reason}); fetch the file again"
        ) from error
    if not isinstance(network, ImageModelDescriptor) or network.input_channels not in (1, 3):
        raise InputError(
            f"{path} ({network.architecture.name}) does not enlarge plain pictures; choose "
            "another upscaler, such as one of ESRGAN, SwinIR or DAT"
        )
    network.to(device.name, _dtype(network, device.precision)).eval()
    network.model.to(memory_format=torch.channels_last)  # convolutions are fastest so
    for layer in network.model.modules():
        # A layer takes milliseconds, a whole tile may take minutes.
        layer.register_forward_pre_hook(lambda layer, inputs: check_cancelled())
    return network


def size_of_network(network: Network) -> int:
    """Bytes that its weights hold."""
    return sum(parameter.nbytes for parameter in network.model.parameters())


def _read_weights(path: Path) -> dict[str, torch.Tensor]:
    try:
        if path.suffix.lower() not in PICKLES:
            return load_file(path)
        weights: dict[str, torch.Tensor] = torch.load(path, "cpu", weights_only=True)
    except OSError as error:
        raise InputError(unreadable("the upscaler", path, error)) from error
    except pickle.UnpicklingError as error:
        raise InputError(
            f"the upscaler {path} holds more than tensors, which is never run; fetch it as "
            ".safetensors, or convert it with a tool that you trust"
        ) from error
    except (SafetensorError, RuntimeError, EOFError, ValueError) as error:
        raise InputError(
            f"the upscaler {path} is damaged ({error}); fetch the file again"
        ) from error
    if not isinstance(weights, dict):
        raise InputError(
            f"{path} holds a {type(weights).__name__}, not named weights; choose another upscaler"
        )
    return weights


def _dtype(network: Network, precision: Precision) -> torch.dtype:
    if precision is Precision.BF16 and network.supports_bfloat16:
        return torch.bfloat16
    if precision is Precision.FP16 and network.supports_half:
        return torch.float16
    return torch.float32
