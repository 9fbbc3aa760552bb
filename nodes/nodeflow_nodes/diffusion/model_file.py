"""What is known of a model's file or folder before its weights are loaded. Without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Layout = Literal["folder", "original", "diffusers"]
"""A diffusers folder; a single file with the keys of the model's own code, or of diffusers."""

PART_NAMES: Mapping[str, str] = {
    "denoiser": "network",
    "text_encoder": "text encoder",
    "vae": "autoencoder",
}
"""The parts of a model, as recipes and as people call them."""


@dataclass(frozen=True)
class Found:
    """What the names and shapes of a file's tensors tell.

    Attributes:
        family: Name of the family that reads it.
        layout: How its tensors are named.
        parts: Which of `PART_NAMES` it holds.
        prediction: What the network was trained to give: `epsilon`, `v_prediction` or `flow`;
            empty without a network.
        zero_terminal_snr: It was trained until nothing of the picture is left.
        channels: Channels of a latent; 0 with neither network nor autoencoder.
        downscale: Picture pixels that one latent pixel stands for, along each side; 0 where only
            the loaded network tells, as `channels` is then.
        text_width: Length of the hidden states that the network takes, or the text encoder makes;
            0 with neither.
        inner_width: Length of the states between the network's blocks, where they all are as long;
            0 otherwise, and without a network.
        inputs: Channels that the network takes: more than `channels` for inpainting; 0 without.
        encoders: Names of its text encoders, where they may also come from several files.
    """

    family: str
    layout: Layout
    parts: frozenset[str]
    prediction: str = ""
    zero_terminal_snr: bool = False
    channels: int = 0
    downscale: int = 8
    text_width: int = 0
    inputs: int = 0
    inner_width: int = 0
    encoders: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ModelFile(Found):
    """What is known of a model's file or folder.

    Attributes:
        path: The file or folder.
        digest: Tells models apart that are loaded in one process; weights stay unread for it.
        precision: In which most of its weights are stored: `fp32`, `fp16`, `bf16`, `fp8`, ...
    """

    path: Path = Path()
    digest: str = ""
    precision: str = ""
