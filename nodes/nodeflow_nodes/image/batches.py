"""Nodes that put pictures together into a batch, and take them apart."""

from __future__ import annotations

import torch

from nodeflow import Image, InputError, node
from nodeflow_nodes.image.pixels import size_of, with_channels


@node(title="Batch images", category="image/batch", version="1")
def batch(images: tuple[Image, ...]) -> Image:
    """Put pictures of one size into one batch.

    Args:
        images: The pictures, or batches, in order. If one has colour or alpha, all get it.

    Raises:
        InputError: There is no picture, or their sizes differ.
    """
    if not images:
        raise InputError("there is no picture to put into a batch; link at least one")
    first = images[0]
    for index, image in enumerate(images):
        if image.shape[1:3] != first.shape[1:3]:
            raise InputError(
                f"picture {index + 1} is {size_of(image)}, but the first is {size_of(first)}; "
                "a batch has one size, so resize or pad first"
            )
    channels = max(image.shape[-1] for image in images)
    return Image(torch.cat([with_channels(image, channels) for image in images]))


@node(title="Split batch", category="image/batch", version="1")
def unbatch(image: Image) -> list[Image]:
    """Take a batch apart into a list, so that what follows runs once for each picture.

    Args:
        image: The batch.
    """
    return [Image(one.unsqueeze(0).clone()) for one in image]
