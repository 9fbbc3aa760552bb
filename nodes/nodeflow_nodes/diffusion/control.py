"""ControlNet: pictures of edges, depth or poses that a walk is held to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, NewType

from pydantic import Field

from nodeflow import Conditioning, Control, File, Image, InputError, Recipe, SocketType, Vae, node
from nodeflow_nodes.diffusion.both_prompts import Part, Prompts, each_prompt
from nodeflow_nodes.diffusion.control_checks import (
    check_control,
    control_facts,
    controlled_facts,
)
from nodeflow_nodes.diffusion.families.control_keys import CONTROL, ControlFile

ControlNet = NewType("ControlNet", Recipe)
"""A network that holds another to a picture."""

CONTROL_NET = SocketType(
    "ControlNet",
    of=ControlNet,
    codec="nodeflow.values:RECIPE",
    colour="#7f8cf5",
    shape="square",
    description="A control network.",
)

ControlMode = Literal["none", "canny", "tile", "depth", "blur", "pose", "gray", "low_quality"]


@node(title="Load ControlNet", category="models", output="controlnet", facts=control_facts)
def load_controlnet(file: Annotated[Path, File("controlnet", folder=True)]) -> ControlNet:
    """Open a control network. No weights are read before somebody needs them.

    Args:
        file: A safetensors file in original or diffusers layout, or a diffusers folder, in one of
            the controlnet folders.
    """
    found = ControlFile.read(file)
    return ControlNet(Recipe(str(found.path), found.digest, CONTROL, found.family))


@node(title="Apply ControlNet", category="text", check=check_control, facts=controlled_facts)
def apply_controlnet(
    positive: Conditioning,
    negative: Conditioning,
    controlnet: ControlNet,
    image: Image,
    strength: Annotated[float, Field(ge=0, le=10)] = 1.0,
    start: Part = 0.0,
    end: Part = 1.0,
    mode: ControlMode = "none",
    vae: Vae | None = None,
) -> Prompts:
    """Hold a walk to a picture; several control networks are applied one after the other.

    Args:
        positive: What the picture is to show, with all that was combined with it.
        negative: What it is not to show.
        controlnet: The control network, of the model's family.
        image: The picture that it was trained on the kind of: edges, depth, a pose. Of
            another shape than the result, what sticks out is cut off.
        strength: How firmly the walk is held; 0 not at all.
        start: From which part of the walk on: 0 is its start.
        end: Until which part: 1 is its end.
        mode: Which kind of picture it is, for a control network that knows several, such as the
            unions for Flux; others pass over it.
        vae: The model's autoencoder, for control networks that see the picture as a latent, as
            those of Stable Diffusion 3 and Flux do. Not needed if it is in the model's file.
    """
    check_control({}, {}, {}, start, end, mode, None)
    told = "" if mode == "none" else mode
    control = Control(controlnet, _colours(image), strength, start, end, vae, told)

    def held(prompt: Conditioning) -> Conditioning:
        return replace(prompt, controls=(*prompt.controls, control))

    return Prompts(each_prompt(positive, held), each_prompt(negative, held))


def _colours(image: Image) -> Image:
    """Three channels; what is transparent is black, which says nothing to a control network."""
    channels = image.shape[-1]
    if channels == 4:
        return Image(image[..., :3] * image[..., 3:])
    if channels not in (1, 3):
        raise InputError(f"a picture of {channels} channels is no control picture; give 1, 3 or 4")
    return Image(image.expand(*image.shape[:-1], 3))
