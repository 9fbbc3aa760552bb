"""Small decoders for previews (TAESD and its kin, by O. Boer Bohan), where a person has one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers.models.autoencoders.vae import DecoderTiny
from torch import Tensor

from nodeflow import Device, InputError
from nodeflow_nodes.diffusion.families.pretrained import weight_bytes
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.diffusion.families.weights import assembled, read_weights

FOLDER = "vae_approx"
"""Where such files lie, beside the folder of checkpoints."""
_BLOCKS = (3, 3, 3, 1)
_NEAR = 3
"""How many folders above the model are looked into."""


def find_decoder(model: Path, names: Sequence[str]) -> Path | None:
    """The first file of these names, without ending, in a folder of small decoders near a model."""
    for folder in list(model.parents)[:_NEAR]:
        for name in names:
            file = folder / FOLDER / f"{name}.safetensors"
            if file.is_file():
                return file
    return None


class TinyDecoder:
    """A decoder that costs about as much as a hundredth of the autoencoder's."""

    def __init__(self, network: DecoderTiny, device: Device) -> None:
        self._network = network
        self._device = device.name
        self.size = weight_bytes(network)

    @classmethod
    def load(cls, file: Path, device: Device) -> TinyDecoder:
        """Read a file in its original layout, or in that of diffusers.

        Raises:
            InputError: It is broken, or no such decoder.
        """
        table = TensorTable.read(file)
        prefix = "decoder." if table.starts("decoder.layers.") else ""
        state = {_named(name): t for name, t in read_weights(table, prefix, device).items()}
        first = state.get("layers.0.weight")
        if first is None or first.ndim != 4:
            raise InputError(f"{file} is no small decoder of latents; take it out of '{FOLDER}'")
        width, channels = first.shape[:2]
        network = assembled(
            lambda: DecoderTiny(
                channels, 3, _BLOCKS, (width,) * len(_BLOCKS), 2, "relu", "nearest"
            ),
            lambda _: state,
            device,
            f"the preview decoder {file}",
        )
        return cls(network, device)

    @torch.no_grad()
    def decode(self, scaled: Tensor) -> Tensor:
        """Pictures [batch, height, width, 3] in 0..1 of latents as a network sees them."""
        dtype = next(self._network.parameters()).dtype
        pixels: Tensor = self._network(scaled.to(self._device, dtype)).float()
        return (pixels / 2 + 0.5).clamp(0, 1).movedim(1, -1)


def _named(name: str) -> str:
    """A tensor's name as diffusers has it; the original counts the clamp before it as a layer."""
    found = re.match(r"(\d+)\.(.*)", name)
    return name if found is None else f"layers.{int(found[1]) - 1}.{found[2]}"
