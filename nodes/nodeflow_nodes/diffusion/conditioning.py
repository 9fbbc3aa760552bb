"""Prompts put together, and where and when each is heard."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from nodeflow import Conditioning, InputError, Mask, node
from nodeflow_nodes.diffusion.both_prompts import Part, each_prompt
from nodeflow_nodes.diffusion.hooks import check_together, check_walk_part, conditioned_facts

Strength = Annotated[float, Field(ge=0, le=10)]


@node(category="text", check=check_together, facts=conditioned_facts)
def combine_conditioning(conditioning: Conditioning, other: Conditioning) -> Conditioning:
    """Let two prompts be heard beside each other: the network is asked for each, and its estimates
    are averaged by strength, mask and area.

    Args:
        conditioning: A prompt.
        other: The prompt that joins it.
    """
    return replace(conditioning, also=(*conditioning.also, other))


@node(category="text", check=check_together, facts=conditioned_facts)
def concatenate_conditioning(conditioning: Conditioning, other: Conditioning) -> Conditioning:
    """Put one prompt's tokens behind those of another, as one longer prompt.

    Pooled states, numbers, places and times are those of the first.

    Args:
        conditioning: The prompt that comes first.
        other: The prompt whose tokens follow.
    """
    _require_width(conditioning, other)
    first, second = _same_batch(conditioning.hidden, other.hidden)
    return replace(conditioning, hidden=torch.cat([first, second.to(first.device)], dim=1))


@node(category="text", check=check_together, facts=conditioned_facts)
def average_conditioning(
    conditioning: Conditioning, other: Conditioning, amount: Part = 0.5
) -> Conditioning:
    """Mix what two prompts mean, token by token; of unequal lengths the shorter ends in zeros.

    Numbers, places and times are those of the first.

    Args:
        conditioning: A prompt.
        other: The prompt that is mixed into it.
        amount: How much of the other is in the result: 0 is the first, 1 the other.
    """
    _require_width(conditioning, other)
    hidden = _mixed(conditioning.hidden, other.hidden, amount)
    pooled = conditioning.pooled
    if pooled is not None and other.pooled is not None:
        pooled = torch.lerp(pooled, other.pooled.to(pooled.device), amount)
    return replace(conditioning, hidden=hidden, pooled=pooled)


@node(category="text", facts=conditioned_facts)
def mask_conditioning(
    conditioning: Conditioning, mask: Mask, strength: Strength = 1.0
) -> Conditioning:
    """Let a prompt be heard only where a mask is; combine it with one for the rest.

    Args:
        conditioning: The prompt, with all that was combined with it.
        mask: Where it is heard, and how much; it is stretched over the picture.
        strength: How much it counts beside others at the same place.
    """
    return each_prompt(
        conditioning, lambda part: replace(part, mask=mask, area=None, strength=strength)
    )


@node(category="text", facts=conditioned_facts)
def area_conditioning(
    conditioning: Conditioning,
    left: Part = 0.0,
    top: Part = 0.0,
    width: Annotated[float, Field(gt=0, le=1)] = 0.5,
    height: Annotated[float, Field(gt=0, le=1)] = 1.0,
    strength: Strength = 1.0,
) -> Conditioning:
    """Let a prompt be about a rectangle of the picture, as if that were a picture of its own.

    Combine it with a prompt that is about all of the picture.

    Args:
        conditioning: The prompt, with all that was combined with it.
        left: Where the rectangle begins, as a part of the picture's width.
        top: Where it begins, as a part of the picture's height.
        width: Its width, as a part of the picture's; what reaches over the edge is cut off.
        height: Its height, as a part of the picture's.
        strength: How much it counts beside others at the same place.
    """
    area = (min(top, 1.0), min(left, 1.0), min(height, 1 - top), min(width, 1 - left))
    if min(area[2:]) <= 0:
        raise InputError(
            f"the area begins at left {left:g} and top {top:g}, outside of the picture; "
            "take smaller numbers"
        )
    return each_prompt(
        conditioning, lambda part: replace(part, area=area, mask=None, strength=strength)
    )


@node(category="text", check=check_walk_part, facts=conditioned_facts)
def time_conditioning(
    conditioning: Conditioning, start: Part = 0.0, end: Part = 1.0
) -> Conditioning:
    """Let a prompt be heard in a part of the walk only; combine it with one for the rest.

    Args:
        conditioning: The prompt, with all that was combined with it.
        start: From which part of the walk on it is heard: 0 is its start, where the picture's
            outlines form.
        end: Until which part: 1 is its end, where details form.
    """
    check_walk_part(start, end)
    return each_prompt(conditioning, lambda part: replace(part, start=start, end=end))


def _require_width(one: Conditioning, other: Conditioning) -> None:
    if one.states or other.states:
        raise InputError(
            "prompts of models that run by diffusers' own pipelines cannot be put together token "
            "by token; use combine_conditioning, which asks the network for each"
        )
    widths = one.hidden.shape[-1], other.hidden.shape[-1]
    if widths[0] != widths[1]:
        check_together({"text_width": widths[0]}, {"text_width": widths[1]})


def _mixed(one: Tensor, other: Tensor, amount: float) -> Tensor:
    one, other = _same_batch(one, other.to(one.device))
    length = max(one.shape[1], other.shape[1])

    def filled(hidden: Tensor) -> Tensor:
        return torch.nn.functional.pad(hidden, (0, 0, 0, length - hidden.shape[1]))

    return torch.lerp(filled(one), filled(other), amount)


def _same_batch(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    if len(one) != len(other) and 1 not in (len(one), len(other)):
        raise InputError(
            f"one prompt is for {len(one)} pictures and the other for {len(other)}; give prompts "
            "for as many pictures, or for one"
        )
    batch = max(len(one), len(other))
    return one.expand(batch, -1, -1), other.expand(batch, -1, -1)
