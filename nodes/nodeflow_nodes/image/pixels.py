"""What the nodes of this pack share: channels, alpha, batches, and the way from and to Pillow.

All functions take and give [batch, height, width, channel] in 0..1 and change nothing in place.
"""

from __future__ import annotations

import io
from contextlib import suppress

import numpy as np
import PIL.Image
import torch
from PIL import ImageCms
from torch import Tensor

from nodeflow import Image, InputError, Mask


def split_alpha(image: Tensor) -> tuple[Tensor, Tensor | None]:
    """Colour of 1 or 3 channels, and alpha [batch, height, width, 1] if there is one."""
    if image.shape[-1] == 4:
        return image[..., :3], image[..., 3:]
    return image, None


def join_alpha(colour: Tensor, alpha: Tensor | None) -> Image:
    """The way back from `split_alpha`; grey becomes RGB if it gets an alpha."""
    if alpha is None:
        return Image(colour)
    return Image(torch.cat([with_channels(colour, 3), alpha], -1))


def with_channels(image: Tensor, channels: int) -> Tensor:
    """`image` with at least `channels` channels: grey is repeated, a new alpha is opaque."""
    if image.shape[-1] == 1 and channels > 1:
        image = image.expand(*image.shape[:-1], 3)
    if image.shape[-1] == 3 and channels == 4:
        image = torch.cat([image, torch.ones_like(image[..., :1])], -1)
    return image


def premultiplied(image: Tensor) -> Tensor:
    """Colour times alpha, so that neighbours may be averaged; without alpha the image as it is."""
    colour, alpha = split_alpha(image)
    return image if alpha is None else torch.cat([colour * alpha, alpha], -1)


def unpremultiplied(image: Tensor) -> Image:
    """The way back from `premultiplied`, clamped to 0..1."""
    colour, alpha = split_alpha(image)
    if alpha is not None:
        alpha = alpha.clamp(0, 1)
        # Half a step of 8 bits: below it no colour can be seen, and a quotient is noise.
        colour = torch.where(alpha > 1 / 512, colour / alpha.clamp_min(1 / 512), 0.0)
    return join_alpha(colour.clamp(0, 1), alpha)


def same_batch(*tensors: Tensor) -> list[Tensor]:
    """The tensors with one batch size; a batch of 1 is repeated.

    Raises:
        InputError: Two batches differ and neither is 1.
    """
    sizes = {len(tensor) for tensor in tensors} - {1}
    if len(sizes) > 1:
        raise InputError(
            f"batches of {' and '.join(map(str, sorted(sizes)))} do not go together; "
            "give one picture, or as many as the other batch holds"
        )
    size = sizes.pop() if sizes else 1
    return [tensor.expand(size, *tensor.shape[1:]) for tensor in tensors]


def size_of(tensor: Tensor) -> str:
    """`width x height` of an image or mask, for sentences."""
    return f"{tensor.shape[2]} x {tensor.shape[1]}"


def require_same_size(one: Tensor, other: Tensor, one_name: str, other_name: str) -> None:
    """Raise InputError unless both are equally wide and high."""
    if one.shape[1:3] != other.shape[1:3]:
        raise InputError(
            f"'{one_name}' is {size_of(one)} and '{other_name}' is {size_of(other)}; "
            "resize one of them first"
        )


def from_pil(picture: PIL.Image.Image) -> tuple[Image, Mask]:
    """A picture of any mode as a batch of one, and its alpha as a mask (all ones without alpha).

    Grey stays one channel, 16-bit grey keeps its precision, colours with a profile become sRGB.
    """
    # Only 16-bit PNG opens as I or I;16.
    steps = 65535 if picture.mode.startswith("I") else 255
    if steps == 255:
        picture = _in_srgb(picture)
        picture = picture.convert(_plain_mode(picture))
    array = np.array(picture, dtype=np.float32 if steps == 65535 else np.uint8)
    image = torch.from_numpy(array).view(1, picture.height, picture.width, -1)
    image = image.float().div_(steps).clamp_(0, 1)
    _, alpha = split_alpha(image)
    mask = torch.ones(image.shape[:3]) if alpha is None else alpha[..., 0].clone()
    return Image(image), Mask(mask)


def _plain_mode(picture: PIL.Image.Image) -> str:
    if picture.has_transparency_data:
        return "RGBA"
    return "L" if picture.mode in ("1", "L") else "RGB"


def _in_srgb(picture: PIL.Image.Image) -> PIL.Image.Image:
    """Colours as the embedded profile means them; a profile that cannot be read does not count."""
    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in ("RGB", "RGBA", "CMYK"):
        return picture
    with suppress(ImageCms.PyCMSError, OSError):
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" not in ImageCms.getProfileDescription(source):
            mode = "RGBA" if picture.mode == "RGBA" else "RGB"
            target = ImageCms.createProfile("sRGB")
            return ImageCms.profileToProfile(picture, source, target, outputMode=mode) or picture
    return picture
