"""The autoencoder of latent diffusion models (Rombach et al. 2022), through diffusers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor, nn

from nodeflow import Device, Precision
from nodeflow_nodes.diffusion.families.catalog import FolderLayout
from nodeflow_nodes.diffusion.families.pretrained import load_part, weight_bytes
from nodeflow_nodes.diffusion.families.single_file import read_vae
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.diffusion.folders import weight_variant


def decoding_device(device: Device) -> Device:
    """Where an autoencoder is loaded to: in fp16 activations of Stable Diffusion's decoder exceed
    what that holds."""
    if device.precision is Precision.FP16:
        return replace(device, precision=Precision.FP32)
    return device


class KlAutoencoder:
    """`AutoencoderKL` between pictures in 0..1 and unscaled latents."""

    def __init__(self, network: AutoencoderKL, device: Device) -> None:
        # One picture of a batch at a time: the same result in bounded memory.
        network.enable_slicing()  # type: ignore[no-untyped-call]  # diffusers has few types
        self._network = network
        self._device = device.name
        self._dtype = network.dtype
        self.size = weight_bytes(network)
        self.channels: int = network.config["latent_channels"]
        self.downscale: int = 2 ** (len(network.config["block_out_channels"]) - 1)

    @classmethod
    def load(cls, folder: Path, device: Device, variant: str | None) -> KlAutoencoder:
        """Read `vae/` of a diffusers folder."""
        device = decoding_device(device)
        return cls(
            load_part(AutoencoderKL.from_pretrained, folder / "vae", device, variant), device
        )

    def norms(self) -> list[nn.GroupNorm]:
        return [part for part in self._network.modules() if isinstance(part, nn.GroupNorm)]

    @torch.no_grad()
    def encode(self, images: Tensor, noise: Tensor | None) -> Tensor:
        pixels = images.to(self._device).movedim(-1, 1) * 2 - 1
        distribution = self._network.encode(pixels.to(self._dtype)).latent_dist
        mean: Tensor = distribution.mean.float()
        if noise is None:
            return mean
        deviation: Tensor = distribution.std.float()
        return mean + deviation * noise.to(self._device)

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        pixels: Tensor = self._network.decode(latents.to(self._device, self._dtype)).sample
        return (pixels.float() / 2 + 0.5).clamp(0, 1).movedim(1, -1).contiguous()


def load_kl_autoencoder(path: Path, device: Device, layout: FolderLayout) -> KlAutoencoder:
    """The autoencoder of a folder or of a single file."""
    if path.is_dir():
        return KlAutoencoder.load(path, device, weight_variant(path, layout, "vae"))
    device = decoding_device(device)
    return KlAutoencoder(read_vae(TensorTable.read(path), device), device)
