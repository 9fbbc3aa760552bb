"""Small decoders for previews (TAESD and its kin, by O. Boer Bohan), where a person has one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from diffusers.models.autoencoders.vae import DecoderTiny
from torch import Tensor

from nodeflow import Device, ModelFolders
from nodeflow_nodes.diffusion.families.pretrained import weight_bytes
from nodeflow_nodes.diffusion.families.tiny_decoder_keys import TinyDecoderFile
from nodeflow_nodes.diffusion.families.weights import assembled, read_weights
from nodeflow_nodes.diffusion.pickles import SUFFIXES

KIND = "vae_approx"
"""Kind of such files in the catalog of models; their folder is called so too."""
_KINDS = (KIND, "vae")
"""InvokeAI keeps them among the autoencoders."""
_SUFFIXES = (".safetensors", *SUFFIXES)
_IN_FOLDER = "diffusion_pytorch_model"
_BLOCKS = (3, 3, 3, 1)
_NEAR = 3
"""How many folders above the model are looked into."""


def find_decoder(model: Path, names: Sequence[str], folders: ModelFolders) -> Path | None:
    """The first small decoder of these names, in the catalog or in a folder near a model.

    A name is that of a file without its ending, or of a folder in diffusers layout.
    """
    files = list(_files(model, folders)) if names else []
    return next((file for name in names for file in files if _called(file, name)), None)


def _files(model: Path, folders: ModelFolders) -> Iterator[Path]:
    for kind in _KINDS:
        yield from folders.files(kind)
    # A model may lie outside of all folders that the catalog knows.
    for folder in list(model.parents)[:_NEAR]:
        yield from sorted((folder / KIND).rglob("*"))


def _called(file: Path, name: str) -> bool:
    if file.suffix.lower() not in _SUFFIXES:
        return False
    return (file.parent.name if file.stem == _IN_FOLDER else file.stem) == name


class TinyDecoder:
    """A decoder that costs about as much as a hundredth of the autoencoder's."""

    def __init__(self, network: DecoderTiny, channels: int, device: Device) -> None:
        self._network = network
        self.channels = channels
        self._device = device.name
        self.size = weight_bytes(network)

    @classmethod
    def load(cls, file: Path, device: Device) -> TinyDecoder:
        """Read a file in its original layout, or in that of diffusers.

        Raises:
            InputError: It is broken, or no such decoder.
        """
        head = TinyDecoderFile.read(file)
        weights = read_weights(head.table, head.prefix, device)
        state = {_named(name): tensor for name, tensor in weights.items()}
        width, channels = head.width, head.channels
        network = assembled(
            lambda: DecoderTiny(
                channels, 3, _BLOCKS, (width,) * len(_BLOCKS), 2, "relu", "nearest"
            ),
            lambda _: state,
            device,
            f"the preview decoder {file}",
        )
        return cls(network, channels, device)

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
