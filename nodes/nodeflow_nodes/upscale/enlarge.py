"""The nodes that enlarge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from nodeflow import Device, Image, InputError, ModelMemory, Progress, Upscaler, node
from nodeflow.pictures import MAX_PIXELS
from nodeflow_nodes.upscale.checks import require_room
from nodeflow_nodes.upscale.networks import Network, load_network, size_of_network
from nodeflow_nodes.upscale.room import fitting_tile
from nodeflow_nodes.upscale.tiles import Tiler


@node(title="Upscale image", category="upscale", version="1", on="device", check=require_room)
def upscale(
    upscaler: Upscaler,
    image: Image,
    tile: Annotated[int, Field(ge=0, le=4096)] = 0,
    overlap: Annotated[int, Field(ge=0, le=512)] = 32,
    *,
    models: ModelMemory,
    device: Device,
    progress: Progress,
) -> Image:
    """Enlarge pictures with a trained network; how many times is up to the network.

    If the memory does not hold a tile, half of its side is tried, and the run's log says so.

    Args:
        upscaler: The network.
        image: The pictures; alpha is enlarged by the same network.
        tile: Longest side, in pixels, that the network sees at once; smaller needs less memory. 0
            takes the largest that the free memory holds.
        overlap: Pixels that neighbouring tiles share, so that no seam is seen; at most half a tile.

    Raises:
        InputError: The upscaler's file cannot be used, or the result would be too large.
    """
    require_room(tile, overlap)
    network = models.get(upscaler, device, lambda: load_network(upscaler, device), size_of_network)
    count, height, width, channels = image.shape
    _require_room_for_result(height * network.scale, width * network.scale)
    groups = _groups(channels, network.input_channels)
    progress.check()
    tiler = Tiler(
        _caller(network),
        network.scale,
        tile or fitting_tile(network, max(height, width)),
        overlap,
        planes=count * len(groups),
        told=lambda done, total: progress(done, total, text=f"tile {done} of {total}"),
        give_way=models.give_way,
    )
    planes = _premultiplied(image).permute(0, 3, 1, 2)
    result = torch.empty(count, height * network.scale, width * network.scale, channels)
    for picture, target in zip(planes, result, strict=True):
        for group in groups:
            target[..., group] = tiler.enlarged(picture[group]).permute(1, 2, 0)
    return _unpremultiplied(result)


@node(title="Upscale by", category="upscale", version="1")
def upscale_by(
    image: Image,
    factor: Annotated[float, Field(ge=0.01, le=16)] = 2.0,
    method: Literal["lanczos", "bicubic", "bilinear", "nearest"] = "lanczos",
) -> Image:
    """Make pictures larger (or smaller) by a factor, by plain resampling.

    Args:
        image: The pictures.
        factor: Times as wide and as high.
        method: How pixels are averaged; `nearest` keeps hard edges, as pixel art wants.

    Raises:
        InputError: The result would be too large.
    """
    height = max(1, round(image.shape[1] * factor))
    width = max(1, round(image.shape[2] * factor))
    _require_room_for_result(height, width)
    planes = _premultiplied(image).permute(0, 3, 1, 2)
    resized = functional.interpolate(
        planes,
        size=(height, width),
        mode="nearest-exact" if method == "nearest" else method,
        antialias=method != "nearest",
    )
    return _unpremultiplied(resized.permute(0, 2, 3, 1).contiguous())


def _caller(network: Network) -> Callable[[Tensor], Tensor]:
    """The network as a function of [channel, height, width] of any number of channels."""

    def enlarge(part: Tensor) -> Tensor:
        batch = part.expand(network.input_channels, -1, -1).unsqueeze(0)
        batch = batch.to(network.device, network.dtype, memory_format=torch.channels_last)
        result: Tensor = network(batch)[0].float().cpu()
        # A single plane was shown to the network in all its channels.
        return result if len(part) == len(result) else result.mean(0, keepdim=True)

    return enlarge


def _groups(channels: int, network_channels: int) -> list[slice]:
    """Which channels of a picture go through the network together."""
    if network_channels == 3 and channels >= 3:
        return [slice(0, 3)] + [slice(3, 4)] * (channels == 4)
    return [slice(index, index + 1) for index in range(channels)]


def _require_room_for_result(height: int, width: int) -> None:
    if height * width > MAX_PIXELS:
        raise InputError(
            f"the result would be {width} x {height}, more than the limit of "
            f"{MAX_PIXELS // 10**6} megapixels; make the picture smaller first"
        )


def _premultiplied(image: Tensor) -> Tensor:
    """Colour times alpha, so that what is transparent does not bleed into its neighbours."""
    if image.shape[-1] != 4:
        return image
    return torch.cat([image[..., :3] * image[..., 3:], image[..., 3:]], -1)


def _unpremultiplied(image: Tensor) -> Image:
    image = image.clamp(0, 1)
    if image.shape[-1] != 4:
        return Image(image)
    colour, alpha = image[..., :3], image[..., 3:]
    # Half a step of 8 bits: below it no colour can be seen, and a quotient is noise.
    colour = torch.where(alpha > 1 / 512, colour / alpha.clamp_min(1 / 512), 0.0)
    return Image(torch.cat([colour.clamp(0, 1), alpha], -1))
