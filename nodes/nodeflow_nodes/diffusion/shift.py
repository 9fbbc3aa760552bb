"""The shift of rectified flows: how much of a walk is spent where there is much noise."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from nodeflow import Model, Patch, node
from nodeflow_nodes.diffusion.families.shifting import SHIFT
from nodeflow_nodes.diffusion.shift_checks import check_shift, shift_facts

Pixels = Annotated[int, Field(ge=16, le=16384)]
_SQUARE = 16
"""Pixels along the sides of what such networks take as one."""
_FEW, _MANY = 256, 4096
"""How many of those the two shifts are for."""


@node(category="sampling", check=check_shift, facts=shift_facts)
def shift_noise(model: Model, shift: Annotated[float, Field(gt=0, le=100)] = 3.0) -> Model:
    """Choose how much of a walk is spent where there is much noise, for models of rectified flows
    such as Stable Diffusion 3 and Flux.

    Args:
        model: The network.
        shift: 1 spaces the noise levels evenly; larger ones work longer on what is coarse. Larger
            pictures want more. Stable Diffusion 3 was made for 3, Flux dev for about 3.2 at 1024
            pixels.
    """
    return _shifted(model, shift)


@node(category="sampling", check=check_shift, facts=shift_facts)
def shift_noise_for_size(
    model: Model,
    width: Pixels = 1024,
    height: Pixels = 1024,
    base_shift: Annotated[float, Field(ge=-10, le=10)] = 0.5,
    max_shift: Annotated[float, Field(ge=-10, le=10)] = 1.15,
) -> Model:
    """Shift the noise levels of models of rectified flows by the size of the picture, as Flux dev
    was made for. With the schedule `simple` these are the levels of its first code.

    Args:
        model: The network.
        width: Width of the picture in pixels.
        height: Its height.
        base_shift: Logarithm of the shift for 256 x 256 pixels.
        max_shift: The same for 1024 x 1024; a line through both says what other sizes get.
    """
    squares = (width / _SQUARE) * (height / _SQUARE)
    slope = (max_shift - base_shift) / (_MANY - _FEW)
    return _shifted(model, math.exp(base_shift + slope * (squares - _FEW)))


def _shifted(model: Model, shift: float) -> Model:
    """The model with this shift in place of any that it has."""
    others = tuple(patch for patch in model.patches if patch.kind != SHIFT)
    return replace(model, patches=(*others, Patch(SHIFT, shift)))
