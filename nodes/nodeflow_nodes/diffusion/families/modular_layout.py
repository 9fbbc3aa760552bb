"""What latents are to a Modular Pipeline, found out by asking its blocks.

Within the walk many pipelines keep a latent packed, as a row of tokens; the blocks behind the walk
bring it into the shape that the autoencoder takes. Nodes see that shape only. The way from one to
the other is read off the pipeline's own blocks: they are given numbered tokens to unpack.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from diffusers.modular_pipelines.modular_pipeline import LoopSequentialPipelineBlocks, PipelineState
from torch import Tensor

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.modular_stage import (
    DENOISE,
    Block,
    Stage,
    load_shells,
    stage,
)
from nodeflow_nodes.diffusion.modular_folders import DENOISERS

_SIDE, _FRAMES = 256, 33
"""Of the picture or video by which a pipeline's latents are measured: multiples of all that is
usual."""
_DIGIT = 4096
"""Numbers of tokens are written in two digits, so that small number formats hold them exactly."""


@dataclass(frozen=True)
class Size:
    """Of a picture or video, in pixels; one frame for pictures."""

    width: int
    height: int
    frames: int = 1


@dataclass(frozen=True)
class LatentKind:
    """What latents of a pipeline are like.

    Attributes:
        channels: Their channels.
        downscale: Picture pixels to a latent pixel, along each side.
        frames: Frames of a video to a latent frame, but for the first; 0 for pictures.
        framed: The pipeline's own latents have a dimension of frames, also those of pictures.
        multiple: Pixels that each side of a picture is a multiple of: what is packed in the walk,
            or what the network takes at once, may be several latent pixels.
    """

    channels: int
    downscale: int
    frames: int
    framed: bool
    multiple: int

    @property
    def video(self) -> bool:
        return self.frames > 0

    def size(self, shape: torch.Size) -> Size:
        """Of what a latent [..., frame, height, width] of a pipeline stands for."""
        frames = 1 + (shape[-3] - 1) * self.frames if self.video else 1
        return Size(shape[-1] * self.downscale, shape[-2] * self.downscale, frames)

    def flat(self, samples: Tensor) -> Tensor:
        """Latents as walks see them: [batch, channel, height, width], a video's frames among the
        channels."""
        return samples.flatten(1, 2) if samples.ndim == 5 else samples

    def framed_again(self, x: Tensor) -> Tensor:
        """The way back from `flat`, to what nodes see."""
        if not self.video:
            return x
        return x.reshape(len(x), self.channels, -1, *x.shape[-2:])

    def own(self, x: Tensor) -> Tensor:
        """What nodes see, as the pipeline's autoencoder takes it."""
        return x.unsqueeze(2) if self.framed and not self.video else x


@dataclass(frozen=True)
class Packing:
    """How a latent of one size lies in the walk.

    Attributes:
        packed: Shape in the walk, for one picture.
        shape: Shape as the autoencoder takes it, for one picture.
        places: For each number of `shape` where it lies in `packed`; None if in the same order.
        order: The way back.
        edge: What unpacking multiplies by and adds, both of `shape`; None if it does neither.
    """

    packed: tuple[int, ...]
    shape: tuple[int, ...]
    places: Tensor | None = None
    order: Tensor | None = None
    edge: tuple[Tensor, Tensor] | None = None

    @classmethod
    def by(
        cls,
        packed: tuple[int, ...],
        shape: tuple[int, ...],
        places: Tensor,
        edge: tuple[Tensor, Tensor] | None = None,
    ) -> Packing:
        """By the places of a latent's numbers.

        Raises:
            ValueError: Some number has no place, or two.
        """
        straight = torch.arange(len(places))
        if torch.equal(places, straight):
            return cls(packed, shape, edge=edge)
        order = places.argsort()
        if not torch.equal(places[order], straight):
            raise ValueError("a number of the latent has no place of its own")
        return cls(packed, shape, places, order, edge)

    def pack(self, x: Tensor) -> Tensor:
        """[batch, *shape] as [batch, *packed]; the edge is not touched."""
        return _laid(x, self.order, self.packed)

    def unpack(self, packed: Tensor) -> Tensor:
        """The way back from `pack`."""
        return _laid(packed, self.places, self.shape)


def _laid(x: Tensor, places: Tensor | None, shape: tuple[int, ...]) -> Tensor:
    flat = x.reshape(len(x), -1)
    if places is not None:
        flat = flat[:, places.to(x.device)]
    return flat.reshape(len(x), *shape)


@dataclass(frozen=True)
class Walk:
    """The blocks of a pipeline's denoise stage: before the loop, the loop itself, behind it."""

    before: tuple[Block, ...]
    loop: Block
    after: tuple[Block, ...]

    @classmethod
    def of(cls, found: Stage, name: str = DENOISE) -> Walk:
        """Of a stage.

        Raises:
            InputError: It has no loop.
        """
        blocks = found.of(name)
        places = [
            n for n, block in enumerate(blocks) if isinstance(block, LoopSequentialPipelineBlocks)
        ]
        if len(places) != 1:
            raise InputError(
                f"{found.name}, diffusers' pipeline for the model {found.folder}, walks in "
                f"{len(places)} loops, and only one is supported"
            )
        place = places[0]
        return cls(tuple(blocks[:place]), blocks[place], tuple(blocks[place + 1 :]))


@lru_cache(maxsize=8)
def latent_kind(folder: Path, digest: str) -> LatentKind:
    """What latents of a model are like.

    Args:
        folder: The model's folder.
        digest: Of its content, so that a folder that changes is asked again.

    Raises:
        InputError: Its pipeline does not tell.
    """
    found, walk = _shelled(folder, digest)
    video = "num_frames" in found.inputs(walk.before)
    start, first = _unpacked(found, walk, Size(_SIDE, _SIDE, _FRAMES if video else 1))
    framed = first.ndim == 5
    if framed and not video and first.shape[2] > 1:
        raise InputError(
            f"{found.name}, diffusers' pipeline for the model {folder}, makes {first.shape[2]} "
            "pictures at once, such as layers, which is not supported yet"
        )
    if first.ndim not in (4, 5):
        raise InputError(
            f"latents of {found.name}, diffusers' pipeline for the model {folder}, have "
            f"{first.ndim} dimensions, which is neither a picture's nor a video's"
        )
    frames = (_FRAMES - 1) // (first.shape[2] - 1) if video and framed else 0
    downscale = _SIDE // first.shape[-1]
    packed = start.ndim < 4 or start.shape[-2:] != first.shape[-2:]
    least = 1 if packed else _patch(found)
    multiple = downscale * _pixels_at_once(found, walk, downscale, least, _FRAMES if video else 1)
    return LatentKind(first.shape[1], downscale, frames, framed, multiple)


def _patch(found: Stage) -> int:
    """Latent pixels, along a side, that the network makes one token of."""
    networks = [getattr(found.pipeline, name, None) for name in DENOISERS]
    config: Mapping[str, Any] = next((net.config for net in networks if net is not None), {})
    told = config.get("all_patch_size") or config.get("patch_size")
    sides = told if isinstance(told, list | tuple) else (told,)
    return max((side for side in sides if isinstance(side, int)), default=1)


def _pixels_at_once(found: Stage, walk: Walk, downscale: int, least: int, frames: int) -> int:
    """Latent pixels, along a side, that a pipeline makes no fewer of: it refuses other sizes, or
    takes the next smaller one."""
    for count in (1, 2, 4, 8):
        side = _SIDE + count * downscale
        if count % least == 0:
            with suppress(InputError, RuntimeError):
                made = _unpacked(found, walk, Size(side, side, frames))[1]
                if made.shape[-1] * downscale == side:
                    return count
    return least


@lru_cache(maxsize=4)
def packing(folder: Path, digest: str, size: Size) -> Packing:
    """How a latent of a size lies in the walk.

    Raises:
        InputError: The pipeline does not make such sizes, or does more than to lay numbers out
            otherwise.
    """
    found, walk = _shelled(folder, digest)
    start, _ = _unpacked(found, walk, size)
    count = start.numel()
    numbers = torch.arange(count, dtype=torch.float32).reshape(start.shape)
    zero, one, low, high = (
        _unpacked(found, walk, size, probe)[1].double()
        for probe in (
            torch.zeros_like(numbers),
            torch.ones_like(numbers),
            numbers % _DIGIT,
            (numbers / _DIGIT).floor(),
        )
    )
    scale = one - zero
    places = ((low - zero) / scale).round() + _DIGIT * ((high - zero) / scale).round()
    plain = bool((scale == 1).all()) and not bool(zero.any())
    try:
        return Packing.by(
            tuple(start.shape[1:]),
            tuple(zero.shape[1:]),
            places.flatten().long(),
            None if plain else (scale[0].float(), zero[0].float()),
        )
    except ValueError as error:
        raise InputError(
            f"{found.name}, diffusers' pipeline for the model {folder}, changes latents behind its "
            "walk in a way that cannot be undone, so its own method must walk: choose native"
        ) from error


def begin(found: Stage, walk: Walk, size: Size, batch: int, **given: Any) -> PipelineState:
    """A state for the blocks before the loop.

    Args:
        found: The stage.
        walk: Its blocks.
        size: Of each picture or video.
        batch: How many are made for the prompt.
        given: What else is known.
    """
    blocks = [*walk.before, walk.loop, *walk.after]
    known = {"height": size.height, "width": size.width, "num_frames": size.frames, **given}
    # Some would bring what they are given to an area of their own.
    known["max_area"] = size.height * size.width
    names = found.inputs(blocks)
    known |= {n: batch for n in names if n.startswith("num_") and n.endswith("_per_prompt")}
    return found.begin(blocks, **{name: value for name, value in known.items() if name in names})


@lru_cache(maxsize=2)
def _shelled(folder: Path, digest: str) -> tuple[Stage, Walk]:
    found = load_shells(stage(folder, DENOISE))
    return found, Walk.of(found)


def _unpacked(
    found: Stage, walk: Walk, size: Size, packed: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """A latent as the walk begins with it, and the same, or another, as the autoencoder takes it.

    Only those blocks are run that can do without a prompt.
    """
    state = begin(found, walk, size, 1, batch_size=1, dtype=torch.float32)
    state.set("batch_size", 1)
    state.set("dtype", torch.float32)
    for block in walk.before:
        if state.get("latents") is not None and all(_ready(b, state) for b in walk.after):
            break
        if _ready(block, state):
            # What cannot do without a prompt, and does not say so, is for the walk alone.
            with suppress(InputError):
                found.run_one(block, state)
    if state.get("latents") is None:
        _begin_without_prompt(found, walk, state)
    start = state.get("latents")
    if not isinstance(start, Tensor):
        raise InputError(
            f"{found.name}, diffusers' pipeline for the model {found.folder}, makes no latent "
            f"before it has seen a prompt, so its latents cannot be made here"
        )
    if packed is not None:
        state.set("latents", packed.to(start.dtype))
    for block in walk.after:
        found.run_one(block, state)
    unpacked: Any = state.get("latents")
    return start, unpacked


def _ready(block: Block, state: PipelineState) -> bool:
    return all(state.get(name) is not None for name in block.required_inputs)


def _begin_without_prompt(found: Stage, walk: Walk, state: PipelineState) -> None:
    """Let a latent be made by a block that reads off a prompt how many pictures are wanted: it is
    given one of a single token."""
    for block in walk.before:
        if "latents" in block.intermediate_output_names:
            for name in block.required_inputs:
                if state.get(name) is None:
                    state.set(name, torch.zeros(1, 1, 1))
            with suppress(InputError):
                found.run_one(block, state)
