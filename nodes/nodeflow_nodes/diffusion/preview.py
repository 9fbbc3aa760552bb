"""A quick look at latents while they are sampled.

A small decoder does it where a person has one. Else small pictures are decoded whole. For larger
ones decoding would cost more than the step itself, so each latent pixel gets the colour that a
linear map, fitted to the autoencoder once, reads from it. A network that came without an
autoencoder is looked at by the map that is published for its family.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import PIL.Image
import torch
from torch import Tensor

from nodeflow import (
    Device,
    InputError,
    Model,
    ModelFolders,
    ModelMemory,
    OutOfMemoryError,
    Recipe,
)
from nodeflow_nodes.diffusion.families.family import Autoencoder, Denoiser
from nodeflow_nodes.diffusion.families.latent_colours import colour_map
from nodeflow_nodes.diffusion.families.registry import family_of
from nodeflow_nodes.diffusion.families.tiny_decoder import TinyDecoder, find_decoder
from nodeflow_nodes.diffusion.inspection import inspect_model
from nodeflow_nodes.diffusion.parts import autoencoder

_DECODED = 16 * 16
"""Most latent pixels of a picture that is decoded."""
_LARGEST = 512
_TILES = 12
"""The map is fitted to a chequerboard of this many random colours along each side."""


Look = Callable[[Tensor], PIL.Image.Image]
"""Scaled latents [batch, channel, height, width] to a small picture of the first."""


def look_at(
    model: Model, network: Denoiser, models: ModelMemory, device: Device, folders: ModelFolders
) -> Look | None:
    """The best way to look at what a network makes; None if nobody knows what its latents are."""
    try:
        decoder = tiny_decoder(model, models, device, folders)
    except (InputError, OutOfMemoryError) as error:
        # A preview is not worth the run; what is printed stands in the node's log.
        print(f"Previews are coarse: {error}")
        decoder = None
    # A model of the family may have latents of its own.
    if decoder is not None and decoder.channels == network.channels:
        return lambda scaled: tiny_preview(scaled, decoder)
    if "vae" in inspect_model(Path(model.path)).parts:
        return lambda scaled: preview(network.unscaled(scaled), model, models, device)
    colours = family_of(model).colours
    if len(colours) != network.channels:
        return None
    return lambda scaled: coloured(scaled, colour_map(colours), network.downscale)


def tiny_decoder(
    model: Model, models: ModelMemory, device: Device, folders: ModelFolders
) -> TinyDecoder | None:
    """The small decoder for a model's latents, if there is one.

    Raises:
        InputError: It is broken.
    """
    file = find_decoder(Path(model.path), family_of(model).tiny_decoders, folders)
    return None if file is None else kept_decoder(file, model, models, device)


def kept_decoder(file: Path, model: Model, models: ModelMemory, device: Device) -> TinyDecoder:
    """The small decoder in a file, loaded if it is not there yet.

    Raises:
        InputError: It is broken.
    """
    recipe = Recipe(str(file), f"{file.stat().st_mtime_ns}", "preview", model.family)
    return models.get(
        recipe, device, lambda: TinyDecoder.load(file, device), lambda decoder: decoder.size
    )


def tiny_preview(scaled: Tensor, decoder: TinyDecoder) -> PIL.Image.Image:
    """The first of the scaled latents [batch, channel, height, width] as a small picture."""
    picture = _picture(decoder.decode(scaled[:1])[0])
    picture.thumbnail((_LARGEST, _LARGEST))
    return picture


def preview(samples: Tensor, model: Model, models: ModelMemory, device: Device) -> PIL.Image.Image:
    """The first of the unscaled latents [batch, channel, height, width] as a small picture; of
    videos the first frame."""
    network = autoencoder(replace(model, part="vae"), models, device)
    first = samples[:1]
    if first.ndim == 5:
        first = first[:, :, :1]
    rows, columns = first.shape[-2:]
    if rows * columns <= _DECODED:
        return _picture(network.decode(first)[0])

    def fitted() -> Tensor:
        try:
            return fit_colours(network)
        except InputError:
            # There is nothing that encodes.
            return fit_decoded(network, first)

    colours = models.get(
        replace(model, part="preview"), device, fitted, lambda colours: colours.nbytes
    )
    return coloured(first.reshape(1, -1, rows, columns), colours, network.downscale)


def coloured(latents: Tensor, colours: Tensor, downscale: int) -> PIL.Image.Image:
    """The first of latents [batch, channel, height, width] by a map of colours."""
    rows, columns = latents.shape[-2:]
    small = _picture(colour_pixels(latents[0], colours))
    scale = max(1, min(downscale, _LARGEST // max(rows, columns)))
    return small.resize((columns * scale, rows * scale), PIL.Image.Resampling.BICUBIC)


def colour_pixels(latent: Tensor, colours: Tensor) -> Tensor:
    """Pixels [height, width, 3] in 0..1 of a latent [channel, height, width]."""
    pixels = latent.movedim(0, -1).float().cpu()
    mixed: Tensor = pixels @ colours[:-1] + colours[-1]
    return mixed.clamp(0, 1)


def fit_colours(network: Autoencoder) -> Tensor:
    """The linear map [channel + 1, 3] from a latent pixel to its colour; the last row is added.

    Least squares over the latents of tiles of random colours, two latent pixels wide.
    """
    tiles = torch.rand(1, _TILES, _TILES, 3, generator=torch.Generator().manual_seed(0))
    side = 2 * network.downscale
    picture = tiles.repeat_interleave(side, 1).repeat_interleave(side, 2)
    latent = network.encode(picture, None).cpu()
    means = torch.nn.functional.avg_pool2d(latent.reshape(1, -1, *latent.shape[-2:]), 2)
    return _least_squares(means, tiles)


def fit_decoded(network: Autoencoder, like: Tensor) -> Tensor:
    """The same by the colours that random latents of the kind of `like` decode to."""
    noise = torch.randn(
        *like.shape[:-2], _TILES, _TILES, generator=torch.Generator().manual_seed(0)
    )
    picture = network.decode(noise.to(like.device))[:1].movedim(-1, 1).cpu()
    tiles = torch.nn.functional.adaptive_avg_pool2d(picture, _TILES).movedim(1, -1)
    return _least_squares(noise.reshape(1, -1, _TILES, _TILES), tiles)


def _least_squares(latent: Tensor, tiles: Tensor) -> Tensor:
    """The map from latent pixels [1, channel, row, column] to colours [1, row, column, 3]."""
    pixels = latent[0].flatten(1).T
    known = torch.cat([pixels, torch.ones(len(pixels), 1)], dim=1)
    # Singular values decide, since channels that no colour moves would make it singular.
    colours: Tensor = torch.linalg.lstsq(known, tiles.reshape(-1, 3), driver="gelsd").solution
    return colours


def _picture(pixels: Tensor) -> PIL.Image.Image:
    bytes_ = (pixels.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()
    return PIL.Image.fromarray(bytes_)
