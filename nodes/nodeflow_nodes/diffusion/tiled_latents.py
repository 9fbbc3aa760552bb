"""Latents and pictures too large for an autoencoder at once: `encode_tiled` and `decode_tiled`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from torch import Tensor

from nodeflow import Device, Image, Latent, ModelMemory, Progress, Seed, Vae, node
from nodeflow_nodes.diffusion.families.family import Autoencoder
from nodeflow_nodes.diffusion.hooks import check_decode, image_latent_facts
from nodeflow_nodes.diffusion.latents import drawing_noise, finite, opaque
from nodeflow_nodes.diffusion.parts import autoencoder
from nodeflow_nodes.diffusion.room import in_tiles
from nodeflow_nodes.diffusion.tile_checks import check_decode_tiled, check_tiles
from nodeflow_nodes.diffusion.tiles import Tiling, Told, decoded_in_tiles, encoded_in_tiles

Tile = Annotated[int, Field(ge=64, le=4096, multiple_of=8)]
Overlap = Annotated[int, Field(ge=0, le=2048, multiple_of=8)]


@node(title="Decode (tiled)", category="latent", on="device", check=check_decode_tiled)
def decode_tiled(
    vae: Vae,
    latent: Latent,
    tile: Tile = 512,
    overlap: Overlap = 64,
    *,
    models: ModelMemory,
    device: Device,
    progress: Progress,
) -> Image:
    """Turn latents into pictures tile by tile, in the memory that one tile needs.

    If the memory does not hold a tile, smaller ones are tried, and the run's log says so.

    Pictures no larger than a tile are exactly those of `decode`. Larger ones differ a little, since
    the autoencoder's attention sees no more than a tile. Its normalization goes by all tiles, so
    that brightness and colours do not differ from one to the next; for that each is computed twice.
    With the embedded model a picture of 1024 x 872 pixels came to a PSNR of 51 dB against `decode`
    with tiles of 512 pixels, 45 dB with 256 and 37 dB with 128.

    Args:
        vae: The model's autoencoder.
        latent: The latents.
        tile: Longest side of a tile in pixels; larger is closer to `decode` and needs more memory.
        overlap: Pixels over which neighbouring tiles pass into each other; at most half a tile.
    """
    check_tiles(tile, overlap)
    network = autoencoder(vae, models, device)
    check_decode(
        {"channels": network.channels, "downscale": network.downscale},
        {"channels": latent.samples.shape[1], "downscale": latent.downscale},
    )
    tiling = _tiling(network, tile, overlap)

    def tiled(tiling: Tiling) -> Tensor:
        return decoded_in_tiles(network, latent.samples, tiling, _told(progress))

    side = max(latent.samples.shape[-2:])
    return finite(in_tiles(network, side, tiling, tiled, models), latent)


@node(
    title="Encode image (tiled)",
    category="latent",
    on="device",
    check=check_tiles,
    facts=image_latent_facts,
)
def encode_tiled(
    vae: Vae,
    image: Image,
    tile: Tile = 512,
    overlap: Overlap = 64,
    sample: bool = False,
    seed: Seed = 0,
    *,
    models: ModelMemory,
    device: Device,
    progress: Progress,
) -> Latent:
    """Turn pictures into latents tile by tile, in the memory that one tile needs.

    Pictures no larger than a tile give exactly the latents of `encode_image`; larger ones differ a
    little, as those of `decode_tiled` do.

    Args:
        vae: The model's autoencoder.
        image: Pictures; what is transparent is laid over white.
        tile: Longest side of a tile in pixels.
        overlap: Pixels over which neighbouring tiles pass into each other; at most half a tile.
        sample: Draw from the distribution that the encoder gives, instead of taking its mean.
        seed: Seed of that drawing.
    """
    check_tiles(tile, overlap)
    network = autoencoder(vae, models, device)
    pixels = opaque(image)
    noise = drawing_noise(network, pixels, seed if sample else None)
    tiling = _tiling(network, tile, overlap)
    side = max(pixels.shape[1:3]) // network.downscale

    def tiled(tiling: Tiling) -> Tensor:
        return encoded_in_tiles(network, pixels, noise, tiling, _told(progress))

    return Latent(in_tiles(network, side, tiling, tiled, models), network.downscale)


def _tiling(network: Autoencoder, tile: int, overlap: int) -> Tiling:
    """In latent pixels; a tile that is cut off within one is made smaller."""
    longest = max(tile // network.downscale, 1)
    return Tiling(longest, min(overlap // network.downscale, longest // 2))


def _told(progress: Progress) -> Told:
    return lambda done, total: progress(done, total, text=f"tile {done} of {total}")
