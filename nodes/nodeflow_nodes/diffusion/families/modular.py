"""Any model that diffusers runs by a Modular Pipeline: the family of what no other family knows.

All is derived from what a pipeline's blocks declare, so that a kind of model which diffusers learns
to run needs no code of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import torch
from diffusers.guiders.guider_utils import BaseGuidance
from diffusers.modular_pipelines.modular_pipeline import PipelineState
from torch import Tensor

from nodeflow import Conditioning, Device, InputError, Latent, Recipe
from nodeflow_nodes.diffusion.families.changes import Change, Part
from nodeflow_nodes.diffusion.families.compiling import compiled
from nodeflow_nodes.diffusion.families.embeddings import Embedding
from nodeflow_nodes.diffusion.families.hints import ControlNetwork
from nodeflow_nodes.diffusion.families.latent_colours import Colours
from nodeflow_nodes.diffusion.families.modular_denoise import (
    NEGATIVE,
    PICTURE,
    ModularDenoiser,
)
from nodeflow_nodes.diffusion.families.modular_layout import LatentKind, Walk, latent_kind
from nodeflow_nodes.diffusion.families.modular_stage import (
    DECODE,
    DENOISE,
    ENCODE,
    SEEING,
    SEEING_DENOISE,
    SEEING_TEXT,
    TEXT,
    Block,
    Stage,
    lend_shells,
    load_components,
    reads_with_picture,
    stage,
)
from nodeflow_nodes.diffusion.families.modular_steps import flow_of, steps_aside
from nodeflow_nodes.diffusion.hooks import check_size
from nodeflow_nodes.diffusion.modular_folders import MODULAR

State = Tensor | tuple[Tensor, ...]
_FRAMES = ("videos", "images")
_SIZES = ("height", "width", "num_frames")
"""What follows the latent."""


class ModularText:
    """The text encoders of a pipeline, whatever they are."""

    def __init__(self, found: Stage) -> None:
        """Of a loaded text stage."""
        self._stage = found
        parts = found.pipeline.components.values()
        self._guiders: list[Any] = [part for part in parts if isinstance(part, BaseGuidance)]
        # Each prompt is encoded by itself, so there is none beside it.
        for guider in self._guiders:
            guider.disable()

    @property
    def size(self) -> int:
        return self._stage.size

    def changed(self, change: Change) -> ModularText:
        """The same with other encoders in place of its own."""
        return ModularText(self._stage.changed(change, Part))

    def with_words(self, words: Sequence[Embedding]) -> ModularText:
        """Refused.

        Raises:
            InputError: Always.
        """
        raise InputError(f"{self._no('learned words')}; leave load_embedding out")

    def without_layers(self, count: int) -> ModularText:
        """Refused.

        Raises:
            InputError: Always.
        """
        raise InputError(f"{self._no('CLIP skip')}; leave it out")

    def encode(self, prompt: str) -> Conditioning:
        """What the pipeline's blocks make of a prompt; its weights are read as they stand.

        Raises:
            InputError: They look at a picture as well, or refuse the prompt.
        """
        if any("image" in block.required_inputs for block in self._stage.of(TEXT)):
            raise InputError(
                f"the text encoder of {self._stage.name}, a pipeline of diffusers', looks at a "
                "picture with the prompt; use encode_text_and_image"
            )
        return self._encoded(TEXT, prompt=prompt)

    def encode_seen(self, prompt: str, image: Tensor) -> Conditioning:
        """The same where a picture [1, height, width, 3] is beside it, which some look at."""
        found = self._encoded(SEEING_TEXT, prompt=prompt, image=_picture(image[0]))
        return replace(found, states={**found.states, PICTURE: torch.tensor(1)})

    def _encoded(self, name: str, **given: Any) -> Conditioning:
        blocks = self._stage.of(name)
        state = self._stage.begin(blocks, **given)
        try:
            self._stage.run(blocks, state)
        except UnboundLocalError:
            # Some rely on a prompt beside it in any case.
            for guider in self._guiders:
                guider.enable()
            state = self._stage.begin(blocks, **given)
            self._stage.run(blocks, state)
        found = {n: s for n, s in written(blocks, state).items() if not n.startswith(NEGATIVE)}
        hidden = [states for states in map(_hidden, found.values()) if states is not None]
        if not hidden:
            raise InputError(f"{self._stage.name} made nothing of the prompt that can be sampled")
        return Conditioning(hidden[0], states=found)

    def _no(self, what: str) -> str:
        return f"{self._stage.name}, a pipeline of diffusers', takes no {what}"


class ModularAutoencoder:
    """The autoencoder stages of a pipeline: latents are as its own blocks give and take them."""

    def __init__(self, found: Stage, kind: LatentKind, device: Device) -> None:
        """Of a loaded stage.

        Args:
            found: With the blocks that encode, where there are some, and those that decode.
            kind: What its latents are like.
            device: Where its networks are.
        """
        self._stage = found
        self._kind = kind
        self._device = device.name
        self.size = found.size
        self.channels = kind.channels
        self.downscale = kind.downscale
        self.multiple = kind.multiple

    @torch.no_grad()
    def encode(self, images: Tensor, noise: Tensor | None) -> Tensor:
        blocks = self._stage.of(ENCODE)
        if not blocks:
            raise InputError(
                f"{self._stage.name}, a pipeline of diffusers', encodes no pictures; begin with an "
                "empty latent"
            )
        height, width = images.shape[1:3]
        pictures = [_picture(image) for image in images]
        found = []
        for number, picture in enumerate(pictures):
            state = self._stage.begin(blocks, image=picture, height=height, width=width)
            draw = None if noise is None else noise[number : number + 1]
            with _drawing(self._stage, draw):
                self._stage.run(blocks, state)
            found.append(self._latent(state.get("image_latents"), height, width))
        return torch.cat(found)

    def references(self, image: Tensor, latent: Latent) -> dict[str, State]:
        """What a walk to a latent like this reads of a picture beside the prompt.

        Args:
            image: The picture, [1, height, width, 3] in 0..1.
            latent: Of the size that will be walked.

        Raises:
            InputError: The model draws on no picture.
        """
        reads = reads_with_picture(self._stage.folder)
        blocks = [*self._stage.of(SEEING), *self._stage.of(ENCODE)]
        if not blocks or "strength" in reads:
            raise InputError(
                f"{self._stage.name}, a pipeline of diffusers', draws on no picture beside the "
                "prompt; use encode_text, and begin with the picture's latent"
            )
        size = self._kind.size(self._kind.own(latent.samples).shape)
        state = self._stage.begin(
            blocks,
            image=_picture(image[0]),
            height=size.height,
            width=size.width,
            num_frames=size.frames,
        )
        self._stage.run(blocks, state)
        return {n: s for n, s in written(blocks, state).items() if n in reads and n not in _SIZES}

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        blocks = self._stage.of(DECODE)
        own = self._kind.own(latents.to(self._device))
        size = self._kind.size(own.shape)
        pictures = []
        # One of a batch at a time: the same result in bounded memory.
        for latent in own.unsqueeze(1):
            state = self._stage.begin(
                blocks,
                latents=latent,
                output_type="pt",
                height=size.height,
                width=size.width,
                num_frames=size.frames,
            )
            self._stage.run(blocks, state)
            made = next((state.get(name) for name in _FRAMES if state.get(name) is not None), None)
            pictures.append(self._pixels(made))
        return torch.cat(pictures)

    def _latent(self, found: Any, height: int, width: int) -> Tensor:
        if isinstance(found, list) and len(found) == 1:
            found = found[0]
        shape = (self.channels, height // self.downscale, width // self.downscale)
        if isinstance(found, Tensor):
            flat = found.squeeze(2) if found.ndim == 5 and found.shape[2] == 1 else found
            if tuple(flat.shape[1:]) == shape:
                return flat.unsqueeze(2).float() if self._kind.video else flat.float()
        raise InputError(
            f"{self._stage.name}, a pipeline of diffusers', encodes pictures for other uses than "
            "to begin a walk with them; begin with an empty latent"
        )

    def _pixels(self, made: Any) -> Tensor:
        """[frame, height, width, 3] of what a decoder made of one latent."""
        if isinstance(made, list):
            made = torch.stack([torch.as_tensor(part) for part in made])
        if not isinstance(made, Tensor):
            raise InputError(
                f"{self._stage.name}, a pipeline of diffusers', decodes to no pictures, but to "
                f"{type(made).__name__}"
            )
        frames = made.flatten(0, -4) if made.ndim > 4 else made
        return frames.movedim(1, -1).float().clamp(0, 1)


class Modular:
    """The family: reads diffusers folders whose pipeline has a modular twin in diffusers."""

    name = MODULAR
    tiny_decoders: tuple[str, ...] = ()
    colours: Colours = ()

    def load_denoiser(self, recipe: Recipe, device: Device) -> ModularDenoiser:
        """The denoise stage.

        Raises:
            InputError: A part is missing.
        """
        path = Path(recipe.path)
        found = stage(path, SEEING_DENOISE, DENOISE)
        walk = Walk.of(found)
        kind = latent_kind(path, recipe.digest)
        load_components(found, device)
        flow = flow_of(found) if steps_aside(walk, found.modules.values()) else None
        for network in found.modules.values():
            compiled(network, device)
        seeing = Walk.of(found, SEEING_DENOISE)
        return ModularDenoiser(lend_shells(found), walk, kind, flow, recipe.digest, seeing)

    def load_control(self, recipe: Recipe, device: Device) -> ControlNetwork:
        """A control network."""
        raise InputError(f"control networks of the family '{self.name}' are not supported")

    def load_text_model(self, recipe: Recipe, device: Device) -> ModularText:
        """The text stage."""
        return ModularText(load_components(stage(Path(recipe.path), SEEING_TEXT, TEXT), device))

    def load_autoencoder(self, recipe: Recipe, device: Device) -> ModularAutoencoder:
        """The stages that encode and decode."""
        path = Path(recipe.path)
        found = load_components(stage(path, SEEING, ENCODE, DECODE), device)
        return ModularAutoencoder(found, latent_kind(path, recipe.digest), device)

    def empty(self, recipe: Recipe, batch: int, width: int, height: int, frames: int) -> Latent:
        """A latent of zeros.

        Raises:
            InputError: The model makes no pictures, or no videos, of this size.
        """
        kind = latent_kind(Path(recipe.path), recipe.digest)
        shape: tuple[int, ...] = (height // kind.downscale, width // kind.downscale)
        check_size({"downscale": kind.multiple}, width, height)
        if not kind.video and frames > 1:
            raise InputError(f"this model makes pictures, so it has no {frames} frames; take 1")
        if kind.video:
            if (frames - 1) % kind.frames:
                below = frames - (frames - 1) % kind.frames
                raise InputError(
                    f"this model makes videos of a multiple of {kind.frames} frames and one more, "
                    f"not of {frames}; take {below} or {below + kind.frames}"
                )
            shape = (1 + (frames - 1) // kind.frames, *shape)
        return Latent(torch.zeros(batch, kind.channels, *shape), kind.downscale)


def written(blocks: Sequence[Block], state: PipelineState) -> dict[str, State]:
    """What blocks wrote that a prompt can carry: tensors, numbers, and rows of either."""
    found: dict[str, State] = {}
    for name in (output.name for block in blocks for output in block.intermediate_outputs):
        value: Any = state.get(name)
        if isinstance(value, list) and value and isinstance(value[0], Tensor | int):
            found[name] = tuple(torch.as_tensor(part).cpu() for part in value)
        elif isinstance(value, Tensor | int):
            found[name] = torch.as_tensor(value).cpu()
    return found


def _hidden(states: Tensor | tuple[Tensor, ...]) -> Tensor | None:
    """Hidden states [batch, token, width], where these are some."""
    first = states if isinstance(states, Tensor) else states[0].unsqueeze(0)
    return first.float() if first.is_floating_point() and first.ndim == 3 else None


@contextmanager
def _drawing(found: Stage, noise: Tensor | None) -> Iterator[None]:
    """While it is open, autoencoders draw with this noise from the distribution that they give;
    None takes its mean. Some blocks would draw always, with noise of their own, others never."""

    def drawn(distribution: Any) -> Tensor:
        mean: Tensor = distribution.mean
        if noise is None:
            return mean
        deviation: Tensor = distribution.std
        return mean + deviation * noise.to(mean).reshape(mean.shape)

    def encode(network: Any) -> Callable[..., Any]:
        def encoded(*args: Any, **kwargs: Any) -> Any:
            given = type(network).encode(network, *args, **kwargs)
            distribution = getattr(given, "latent_dist", None)
            if distribution is not None:
                distribution.sample = lambda generator=None: drawn(distribution)
                distribution.mode = lambda: drawn(distribution)
            return given

        return encoded

    networks = [part for part in found.modules.values() if hasattr(part, "encode")]
    for network in networks:
        network.encode = encode(network)  # type: ignore[assignment]  # for a moment
    try:
        yield
    finally:
        for network in networks:
            del network.encode


def _picture(image: Tensor) -> PIL.Image.Image:
    bytes_ = (image.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()
    return PIL.Image.fromarray(np.ascontiguousarray(bytes_))
