"""Prompts without control networks, as a guided estimate."""

from __future__ import annotations

from typing import Any, NoReturn

from nodeflow_nodes.diffusion.guidance import Guidance, guided
from nodeflow_nodes.diffusion.samplers.step import Denoise
from nodeflow_nodes.diffusion.voices import LoadAdapter, LoadControl, voices_of
from torch import Tensor

from nodeflow import Conditioning, Control, Recipe


def no_control(control: Control) -> NoReturn:
    raise AssertionError("no control is asked for here")


def no_adapter(recipe: Recipe) -> NoReturn:
    raise AssertionError("no adapter is asked for here")


def guided_by(
    network: Any,
    positive: Conditioning,
    negative: Conditioning,
    guidance: float,
    x: Tensor,
    load: LoadControl = no_control,
    load_adapter: LoadAdapter = no_adapter,
) -> Denoise:
    """Classifier-free guidance for latents of the shape of x."""
    heard = (
        voices_of("positive", positive, network, x, load, None, load_adapter),
        voices_of("negative", negative, network, x, load, None, load_adapter),
    )
    return guided(network, *heard, Guidance(guidance))
