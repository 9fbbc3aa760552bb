"""Nodes that lay one picture over another: Compositing and Blending Level 1 (W3C, 2015)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from nodeflow import Image, InputError, Mask, node
from nodeflow_nodes.image.colours import Colour, read_colour
from nodeflow_nodes.image.pixels import (
    join_alpha,
    require_same_size,
    same_batch,
    size_of,
    split_alpha,
    with_channels,
)

BlendMode = Literal[
    "normal",
    "multiply",
    "screen",
    "overlay",
    "darken",
    "lighten",
    "colour_dodge",
    "colour_burn",
    "hard_light",
    "soft_light",
    "difference",
    "exclusion",
    "add",
    "subtract",
]


def _hard_light(base: Tensor, top: Tensor) -> Tensor:
    doubled = 2 * top
    return torch.where(top <= 0.5, base * doubled, base + doubled - 1 - base * (doubled - 1))


def _soft_light(base: Tensor, top: Tensor) -> Tensor:
    curve = torch.where(base <= 0.25, ((16 * base - 12) * base + 4) * base, base.sqrt())
    darker = base - (1 - 2 * top) * base * (1 - base)
    return torch.where(top <= 0.5, darker, base + (2 * top - 1) * (curve - base))


def _colour_dodge(base: Tensor, top: Tensor) -> Tensor:
    bright = (base / (1 - top).clamp_min(1e-6)).clamp_max(1)
    return torch.where(base == 0, 0.0, torch.where(top >= 1, 1.0, bright))


def _colour_burn(base: Tensor, top: Tensor) -> Tensor:
    dark = 1 - ((1 - base) / top.clamp_min(1e-6)).clamp_max(1)
    return torch.where(base >= 1, 1.0, torch.where(top == 0, 0.0, dark))


_MIXES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "normal": lambda base, top: top,
    "multiply": lambda base, top: base * top,
    "screen": lambda base, top: base + top - base * top,
    "overlay": lambda base, top: _hard_light(top, base),
    "darken": torch.minimum,
    "lighten": torch.maximum,
    "colour_dodge": _colour_dodge,
    "colour_burn": _colour_burn,
    "hard_light": _hard_light,
    "soft_light": _soft_light,
    "difference": lambda base, top: (base - top).abs(),
    "exclusion": lambda base, top: base + top - 2 * base * top,
    "add": lambda base, top: (base + top).clamp_max(1),
    "subtract": lambda base, top: (base - top).clamp_min(0),
}


@node(title="Blend images", category="image/compose", version="1")
def blend(
    base: Image,
    top: Image,
    mode: BlendMode = "normal",
    opacity: Annotated[float, Field(ge=0, le=1)] = 1.0,
) -> Image:
    """Lay one picture over another of the same size, mixing their colours.

    Args:
        base: The pictures below.
        top: The pictures above; one of the two may be a single picture for a whole batch.
        mode: How the colours mix where both are opaque.
        opacity: How much of `top` is seen.
    """
    require_same_size(base, top, "base", "top")
    return _over(base, top, opacity, _MIXES[mode])


@node(title="Composite images", category="image/compose", version="1")
def composite(
    base: Image,
    top: Image,
    mask: Mask | None = None,
    x: Annotated[int, Field(ge=-16384, le=16384)] = 0,
    y: Annotated[int, Field(ge=-16384, le=16384)] = 0,
) -> Image:
    """Put one picture onto another, through a mask if there is one.

    Args:
        base: The pictures below; they set the size of the result.
        top: The pictures above, of any size; what sticks out is cut off.
        mask: Where `top` is seen (1) and where not (0); of the size of `top`.
        x: Where the left edge of `top` comes, in pixels from the left of `base`.
        y: Where the upper edge of `top` comes, in pixels from the top of `base`.

    Raises:
        InputError: The mask is not of the size of `top`, or `top` lies outside of `base`.
    """
    if mask is not None:
        require_same_size(top, mask, "top", "mask")
    left, above = max(x, 0), max(y, 0)
    right, below = min(x + top.shape[2], base.shape[2]), min(y + top.shape[1], base.shape[1])
    if right <= left or below <= above:
        raise InputError(
            f"'top' of {size_of(top)} at ({x}, {y}) lies outside of 'base' of {size_of(base)}; "
            "move it inside"
        )
    seen = (slice(None), slice(above - y, below - y), slice(left - x, right - x))
    place = (slice(None), slice(above, below), slice(left, right))
    weight = 1.0 if mask is None else mask[seen].unsqueeze(-1)
    part = _over(Image(base[place]), Image(top[seen]), weight, _MIXES["normal"])
    whole, inside = same_batch(with_channels(base, part.shape[-1]), part)
    result = whole.clone()
    result[place] = inside
    return Image(result)


@node(title="Flatten image", category="image/compose", version="1")
def flatten(image: Image, colour: Colour = "white") -> Image:
    """Lay transparent pictures over one colour; the result has no alpha channel.

    Args:
        image: The pictures; those without alpha stay as they are.
        colour: The colour behind them; its own alpha does not count.
    """
    pixels, alpha = split_alpha(image)
    if alpha is None:
        return image
    behind = pixels.new_tensor(read_colour(colour)[:3])
    return Image(torch.lerp(behind.expand_as(pixels), pixels, alpha))


def _over(
    base: Tensor, top: Tensor, weight: Tensor | float, mix: Callable[[Tensor, Tensor], Tensor]
) -> Image:
    """Source-over with a blend function; `weight` is laid over the alpha of `top`."""
    tensors = [base, top, weight] if isinstance(weight, Tensor) else [base, top]
    lower, upper, *rest = same_batch(*tensors)
    weight = rest[0] if rest else weight
    below, base_alpha = split_alpha(lower)
    above, top_alpha = split_alpha(upper)
    channels = max(below.shape[-1], above.shape[-1])
    below, above = with_channels(below, channels), with_channels(above, channels)
    source = weight if top_alpha is None else top_alpha * weight
    if base_alpha is None:
        return Image(torch.lerp(below, mix(below, above), source))
    mixed = (1 - base_alpha) * above + base_alpha * mix(below, above)
    alpha = source + base_alpha * (1 - source)
    colour = source * mixed + (1 - source) * base_alpha * below
    return join_alpha(torch.where(alpha > 0, colour / alpha.clamp_min(1e-6), 0.0), alpha)
