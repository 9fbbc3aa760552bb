"""IP-Adapter: pictures as a part of the prompt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, NewType

from pydantic import Field

from nodeflow import (
    Conditioning,
    Device,
    File,
    Image,
    ImagePrompt,
    InputError,
    ModelMemory,
    Recipe,
    SocketType,
    node,
)
from nodeflow_nodes.diffusion.both_prompts import Part, Prompts, each_prompt
from nodeflow_nodes.diffusion.families.ip_adapter_keys import (
    CLIP_VISION,
    IP_ADAPTER,
    ClipVisionFile,
    IpAdapterFile,
)
from nodeflow_nodes.diffusion.ip_adapter_checks import (
    check_ip_adapter,
    clip_vision_facts,
    ip_adapted_facts,
    ip_adapter_facts,
)
from nodeflow_nodes.diffusion.latents import opaque
from nodeflow_nodes.diffusion.parts import image_encoder
from nodeflow_nodes.diffusion.parts import ip_adapter as load_adapter
from nodeflow_nodes.diffusion.room import in_room

IpAdapter = NewType("IpAdapter", Recipe)
"""A network that shows pictures to another."""
ClipVision = NewType("ClipVision", Recipe)
"""A network that sees what is in pictures."""

IP_ADAPTER_SOCKET = SocketType(
    "IpAdapter",
    of=IpAdapter,
    codec="nodeflow.values:RECIPE",
    colour="#d78bf0",
    shape="square",
    description="An IP-Adapter.",
)
CLIP_VISION_SOCKET = SocketType(
    "ClipVision",
    of=ClipVision,
    codec="nodeflow.values:RECIPE",
    colour="#c7cf6a",
    shape="square",
    description="An image encoder.",
)


@node(title="Load IP-Adapter", category="models", output="ip_adapter", facts=ip_adapter_facts)
def load_ip_adapter(file: Annotated[Path, File("ipadapter", folder=True)]) -> IpAdapter:
    """Open an IP-Adapter for Stable Diffusion or XL: plain, plus or full. No weights are read
    before somebody needs them.

    Args:
        file: A `.safetensors` file, or a `.bin` of which nothing but tensors is read, in one of
            the ipadapter folders; or a folder that holds one such file.
    """
    found = IpAdapterFile.read(file)
    return IpAdapter(Recipe(str(found.path), found.digest, IP_ADAPTER, found.loader))


@node(title="Load CLIP vision", category="models", output="clip_vision", facts=clip_vision_facts)
def load_clip_vision(file: Annotated[Path, File("clip_vision", folder=True)]) -> ClipVision:
    """Open an image encoder. No weights are read before somebody needs them.

    Args:
        file: A `.safetensors` or `.bin` file in transformers' layout, or such a folder
            (`image_encoder`), in one of the clip_vision folders.
    """
    found = ClipVisionFile.read(file)
    return ClipVision(Recipe(str(file), found.digest, CLIP_VISION, "clip"))


@node(
    title="Apply IP-Adapter",
    category="text",
    on="device",
    check=check_ip_adapter,
    facts=ip_adapted_facts,
)
def apply_ip_adapter(
    positive: Conditioning,
    negative: Conditioning,
    ip_adapter: IpAdapter,
    clip_vision: ClipVision,
    images: tuple[Image, ...],
    weight: Annotated[float, Field(ge=-1, le=3)] = 1.0,
    start: Part = 0.0,
    end: Part = 1.0,
    *,
    models: ModelMemory,
    device: Device,
) -> Prompts:
    """Let pictures be a part of the prompt; several adapters are applied one after the other.

    Args:
        positive: What the picture is to show, with all that was combined with it.
        negative: What it is not to show.
        ip_adapter: The IP-Adapter, of the model's family.
        clip_vision: The image encoder that it was trained with.
        images: The pictures, all seen at once; of each a square in the middle. What is transparent
            is laid over white.
        weight: How much the pictures are heeded; 0 not at all, 1 as it was trained.
        start: From which part of the walk on: 0 is its start.
        end: Until which part: 1 is its end.
    """
    check_ip_adapter({}, {}, {}, {}, start, end)
    if not images:
        raise InputError("there is no picture to be a part of the prompt; link one to images")
    adapter = load_adapter(ip_adapter, models, device)
    encoder = image_encoder(clip_vision, models, device)
    # What the check before the run could not know.
    check_ip_adapter(
        {"text_width": positive.hidden.shape[-1]},
        {"text_width": negative.hidden.shape[-1]},
        ip_adapter_facts(Path(ip_adapter.path))["ip_adapter"],
        clip_vision_facts(Path(clip_vision.path))["clip_vision"],
        start,
        end,
    )
    seen = [opaque(image) for image in images]
    tokens = in_room(models, lambda: adapter.tokens(encoder, seen))
    shown, hidden = (ImagePrompt(ip_adapter, one.cpu(), weight, start, end) for one in tokens)
    return Prompts(
        each_prompt(positive, lambda prompt: replace(prompt, images=(*prompt.images, shown))),
        each_prompt(negative, lambda prompt: replace(prompt, images=(*prompt.images, hidden))),
    )
