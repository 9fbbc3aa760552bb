"""What a walk is held to besides prompts: pictures, through networks of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from nodeflow_nodes.diffusion.families.changes import Change

Encode = Callable[[Tensor], Tensor]
"""Unscaled latents of pictures [batch, height, width, 3] in 0..1."""


class ControlNetwork(Protocol):
    """A loaded control network; what it gives is between it and its family's denoiser."""

    @property
    def size(self) -> int: ...

    def changed(self, change: Change) -> ControlNetwork:
        """The same with another network in place of its own."""
        ...

    def seen(self, image: Tensor, height: int, width: int, encode: Encode) -> Tensor:
        """What it sees of a picture, [1 or batch, channel, ...]; made once for a walk.

        Args:
            image: float32 [1 or batch, height, width, 3] in 0..1, of any size.
            height: Pixels of the picture that is drawn.
            width: The same.
            encode: Makes latents of pictures, for networks that see those.
        """
        ...


@dataclass(frozen=True)
class Hint:
    """What a control network is to hold the pictures of a batch to.

    Attributes:
        network: The network, loaded.
        image: What the network sees of the picture, as its `seen` gave it.
        strength: How firmly.
        mode: Which kind of picture it is, for networks that know several; may be empty.
    """

    network: ControlNetwork
    image: Tensor
    strength: float
    mode: str = ""


class Adapter(Protocol):
    """A loaded network that shows another pictures; how is between it and its family's denoiser."""

    @property
    def size(self) -> int: ...


@dataclass(frozen=True)
class Sight:
    """What the pictures of a batch are to look like, seen through an adapter.

    Attributes:
        network: The adapter, loaded.
        hidden: float32 [batch, token, width]: what it made of the pictures that were given.
        strength: How much.
    """

    network: Adapter
    hidden: Tensor
    strength: float

    @property
    def kind(self) -> tuple[object, ...]:
        """Those of one kind can be seen in one call."""
        return id(self.network), self.strength, *self.hidden.shape[1:]
