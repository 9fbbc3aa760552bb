"""The families by name, as recipes carry it."""

from __future__ import annotations

from nodeflow import InputError, Recipe
from nodeflow_nodes.diffusion.families.family import Family
from nodeflow_nodes.diffusion.families.flux import Flux
from nodeflow_nodes.diffusion.families.modular import Modular
from nodeflow_nodes.diffusion.families.stable_diffusion import StableDiffusion
from nodeflow_nodes.diffusion.families.stable_diffusion_3 import StableDiffusion3
from nodeflow_nodes.diffusion.families.stable_diffusion_xl import StableDiffusionXl

_FAMILIES: tuple[Family, ...] = (
    StableDiffusion(),
    StableDiffusionXl(),
    StableDiffusion3(),
    Flux(),
    Modular(),
)


def family_of(recipe: Recipe) -> Family:
    """The family that loads a recipe's part.

    Raises:
        InputError: The recipe comes from a pack with families of its own.
    """
    for family in _FAMILIES:
        if family.name == recipe.family:
            return family
    known = ", ".join(family.name for family in _FAMILIES)
    raise InputError(f"models of the family '{recipe.family}' are unknown here; known: {known}")
