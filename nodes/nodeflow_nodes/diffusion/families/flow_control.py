"""Control networks of transformers: what they add to the states between another's blocks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

import torch
from torch import Tensor, nn
from torch.func import functional_call

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.changes import Change, Part
from nodeflow_nodes.diffusion.families.control import fitted
from nodeflow_nodes.diffusion.families.control_keys import CONTROL
from nodeflow_nodes.diffusion.families.hints import Encode, Hint
from nodeflow_nodes.diffusion.families.patches import packed, whole_patches
from nodeflow_nodes.diffusion.families.pretrained import weight_bytes

MODES = ("canny", "tile", "depth", "blur", "pose", "gray", "low_quality")
"""The kinds of pictures that a union for Flux knows, in the order of their numbers."""
_GUIDANCE = 3.5
_HINT_PATCH = 16
"""Pixels along a side that one state of Flux stands for."""

Asked = Mapping[str, Any]
"""What the network beside is asked with, by diffusers' names."""


@dataclass(frozen=True)
class FlowControl:
    """A control network beside a transformer whose first blocks it is a copy of.

    Attributes:
        network: diffusers' network.
        scaling_factor: Latents, less `shift_factor`, times this have unit variance.
        shift_factor: Their mean.
    """

    network: Any
    scaling_factor: float
    shift_factor: float

    @property
    def size(self) -> int:
        return weight_bytes(self.network)

    def changed(self, change: Change) -> Self:
        """See `ControlNetwork.changed`."""
        return replace(self, network=change(Part(CONTROL, self.network)))

    def seen(self, image: Tensor, height: int, width: int, encode: Encode) -> Tensor:
        """See `ControlNetwork.seen`."""
        latents = encode(fitted(image, height, width).movedim(1, -1))
        return whole_patches((latents - self.shift_factor) * self.scaling_factor, 2)

    def require_beside(self, other: nn.Module) -> None:
        """Raises InputError if its states are of another length than those of a network."""
        widths = []
        for network in (self.network, other):
            config: Any = network.config
            widths.append(config["num_attention_heads"] * config["attention_head_dim"])
        if widths[0] != widths[1]:
            raise InputError(
                f"the control network is for networks that are {widths[0]} wide inside, and this "
                f"model's is {widths[1]} wide; choose one for the model's size"
            )


@dataclass(frozen=True)
class FluxControl(FlowControl):
    """A control network of Flux, one for several kinds of pictures among them."""

    @property
    def _sees_pixels(self) -> bool:
        """XLabs' look at the picture, all others at its latent."""
        return self.network.input_hint_block is not None

    def seen(self, image: Tensor, height: int, width: int, encode: Encode) -> Tensor:
        """See `ControlNetwork.seen`."""
        if self._sees_pixels:
            return whole_patches(fitted(image, height, width) * 2 - 1, _HINT_PATCH)
        return super().seen(image, height, width, encode)

    def states(self, hint: Hint, asked: Asked, blocks: tuple[int, int]) -> list[list[Tensor]]:
        """What is added after each of the double and of the single blocks.

        Args:
            hint: The picture, as it sees it.
            asked: What the network beside is asked with.
            blocks: How many of either it has.
        """
        x, network = asked["hidden_states"], self.network
        image = hint.image.to(x).expand(len(x), -1, -1, -1)
        guidance = asked["guidance"]
        if network.config["guidance_embeds"] and guidance is None:
            guidance = torch.full((len(x),), _GUIDANCE, device=x.device)
        kinds = network(
            **{**asked, "guidance": guidance if network.config["guidance_embeds"] else None},
            controlnet_cond=image if self._sees_pixels else packed(image),
            controlnet_mode=self._mode(hint, x),
            conditioning_scale=hint.strength,
        )
        return [
            _spread(states or (), count, again=self._sees_pixels and place == 0)
            for place, (states, count) in enumerate(zip(kinds, blocks, strict=True))
        ]

    def _mode(self, hint: Hint, x: Tensor) -> Tensor | None:
        if not self.network.union:
            return None
        if hint.mode not in MODES:
            raise InputError(
                "the control network is one for several kinds of pictures: choose by the mode of "
                f"apply_controlnet which kind it is given ({', '.join(MODES)})"
            )
        return torch.full((len(x), 1), MODES.index(hint.mode), device=x.device)


@dataclass(frozen=True)
class StableDiffusion3Control(FlowControl):
    """A control network of Stable Diffusion 3 or 3.5."""

    def states(self, hint: Hint, asked: Asked, beside: nn.Module) -> list[Tensor]:
        """What is added after each block of the network beside, which is asked so."""
        x, pooled, network, main = (
            asked["hidden_states"],
            asked["pooled_projections"],
            self.network,
            beside,
        )
        if network.config["force_zeros_for_pooled_projection"]:
            pooled = torch.zeros_like(pooled)
        if network.pos_embed is None:
            # Those of 3.5 share where a patch is with the network beside, and hear no prompt.
            x = _beside(main.pos_embed, x)
        (states,) = network(
            hidden_states=x,
            controlnet_cond=hint.image.to(x).expand(len(x), -1, -1, -1),
            conditioning_scale=hint.strength,
            encoder_hidden_states=(
                None if network.context_embedder is None else asked["encoder_hidden_states"]
            ),
            pooled_projections=pooled,
            timestep=asked["timestep"],
            return_dict=False,
        )
        blocks: Any = main.transformer_blocks
        share = len(blocks) / len(states)
        return [states[int(i / share)] for i in range(len(blocks))]


def _beside(module: Any, x: Tensor) -> Tensor:
    """What a part of another network gives, wherever its weights lie: out of a network that streams
    to a GPU nobody else brings them there."""
    own = (*module.named_parameters(), *module.named_buffers())
    found: Tensor = functional_call(module, {name: t.to(x.device) for name, t in own}, (x,))
    return found


def flux_residuals(hints: Sequence[Hint], asked: Asked, network: Any) -> dict[str, Any]:
    """What Flux is asked with for its control networks; nothing without any.

    Raises:
        InputError: A network controls another kind or size.
    """
    blocks = (len(network.transformer_blocks), len(network.single_transformer_blocks))
    sums: list[list[Tensor]] = [[], []]
    for hint in hints:
        control = _of_kind(FluxControl, hint, network)
        found = control.states(hint, asked, blocks)
        sums = [_added(one, other) for one, other in zip(sums, found, strict=True)]
    names = ("controlnet_block_samples", "controlnet_single_block_samples")
    return {name: states for name, states in zip(names, sums, strict=True) if states}


def sd3_residuals(hints: Sequence[Hint], asked: Asked, network: Any) -> dict[str, Any]:
    """The same for Stable Diffusion 3."""
    states: list[Tensor] = []
    for hint in hints:
        control = _of_kind(StableDiffusion3Control, hint, network)
        states = _added(states, control.states(hint, asked, network))
    return {"block_controlnet_hidden_states": states} if states else {}


C = TypeVar("C", bound=FlowControl)


def _of_kind(kind: type[C], hint: Hint, beside: nn.Module) -> C:
    control = hint.network
    if not isinstance(control, kind):
        raise InputError(
            "the control network is for models of another kind; choose one of the same family"
        )
    control.require_beside(beside)
    return control


def _spread(states: Sequence[Tensor], count: int, *, again: bool) -> list[Tensor]:
    """States of a few blocks shared out over all: each for several, or one after the other."""
    if not states:
        return []
    share = math.ceil(count / len(states))
    return [states[i % len(states) if again else i // share] for i in range(count)]


def _added(one: Sequence[Tensor], other: Sequence[Tensor]) -> list[Tensor]:
    if not one or not other:
        return [*one, *other]
    return [a + b for a, b in zip(one, other, strict=True)]
