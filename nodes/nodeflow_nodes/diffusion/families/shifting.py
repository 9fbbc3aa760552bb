"""Noise levels of rectified flows moved up or down, without a change to the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nodeflow import InputError, Patch
from nodeflow_nodes.diffusion.families.family import Denoiser
from nodeflow_nodes.diffusion.families.flow import FlowDenoiser
from nodeflow_nodes.diffusion.families.modular_denoise import ModularDenoiser
from nodeflow_nodes.diffusion.noise_levels import FlowLevels, NoiseLevels, rational_shift

SHIFT = "shift"
"""The kind of patch; its amount is the shift."""


def shift_of(patches: Sequence[Patch]) -> float | None:
    """The shift among patches; of several the last."""
    return next((patch.amount for patch in reversed(patches) if patch.kind == SHIFT), None)


def shifted(denoiser: Denoiser, shift: float) -> Denoiser:
    """A denoiser with the same network, and with levels of this shift.

    Raises:
        InputError: It is none of rectified flows.
    """
    levels = shifted_levels(denoiser.levels, shift)
    if isinstance(denoiser, ModularDenoiser):
        return denoiser.with_levels(levels)
    assert isinstance(denoiser, FlowDenoiser)
    return replace(denoiser, levels=levels)


def shifted_levels(levels: NoiseLevels, shift: float) -> FlowLevels:
    """Levels for the same network by this shift.

    Raises:
        InputError: They are none of rectified flows.
    """
    if not isinstance(levels, FlowLevels):
        raise InputError(
            "only models of rectified flows, such as Stable Diffusion 3 and Flux, have a shift; "
            "link the model without one"
        )
    return levels.with_shift(rational_shift(shift))
