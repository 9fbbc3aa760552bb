"""CLIP's image encoder (Radford et al. 2021, arXiv 2103.00020), through transformers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from huggingface_hub.errors import StrictDataclassError
from torch import Tensor
from torch.nn import functional
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from nodeflow import Device, InputError
from nodeflow_nodes.diffusion.families.ip_adapter_keys import ClipVisionFile
from nodeflow_nodes.diffusion.families.pretrained import weight_bytes
from nodeflow_nodes.diffusion.families.shapes import count
from nodeflow_nodes.diffusion.families.single_file import fitting
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.diffusion.families.weights import assembled, read_weights
from nodeflow_nodes.diffusion.headers import read_config

_MEAN = (0.48145466, 0.4578275, 0.40821073)
_DEVIATION = (0.26862954, 0.26130258, 0.27577711)
"""Of the pictures that CLIP was trained on, by channel."""
_OF_OPENAI = 1024
"""Width of the largest encoder of OpenAI, who had an activation of their own; wider ones, of
OpenCLIP, have 16 heads whatever their width."""


class ClipVision:
    """An image encoder.

    Attributes:
        size: Bytes that its weights hold.
    """

    def __init__(self, network: CLIPVisionModelWithProjection) -> None:
        self._network = network
        # Pixels of a side of what it sees.
        self._side = int(cast("int", network.config.image_size))
        self.size = weight_bytes(network)

    @classmethod
    def load(cls, file: ClipVisionFile, device: Device) -> ClipVision:
        """Read a file or folder.

        Raises:
            InputError: It lacks tensors, or cannot be read.
        """
        table = TensorTable.read(file.path)
        # A whole CLIP may hold a text encoder too.
        state = {
            prefix + name: tensor
            for prefix in ("vision_model.", "visual_projection.")
            for name, tensor in read_weights(table, prefix, device).items()
        }
        try:
            if file.config is not None:
                config = CLIPVisionConfig(**read_config(file.config))
            else:
                config = fitting(table, "image encoder", lambda: config_of(state))
        except (StrictDataclassError, ValueError, TypeError) as error:
            reason = str(error.__cause__ or error).rstrip(".")
            raise InputError(
                f"{file.config or file.path} describes no image encoder ({reason}); fetch the file "
                "again, or choose another"
            ) from error
        network: CLIPVisionModelWithProjection = assembled(
            lambda: CLIPVisionModelWithProjection(config),
            lambda _: state,
            device,
            f"the image encoder {file.path}",
        )
        return cls(network)

    @torch.no_grad()
    def projected(self, images: Sequence[Tensor]) -> Tensor:
        """One state for each picture, float32 [picture, width], as prompts have one too.

        Args:
            images: float32 [picture, height, width, 3] in 0..1 each; what lies outside of a square
                in the middle is not seen.
        """
        found: Tensor = self._network(self._prepared(images)).image_embeds
        return found.float()

    @torch.no_grad()
    def places(self, images: Sequence[Tensor]) -> Tensor:
        """States of all places, float32 [picture, place, width], of the last layer but one.

        Args:
            images: As `projected` takes them.
        """
        return self._states(self._prepared(images))

    @torch.no_grad()
    def nothing(self, count: int) -> Tensor:
        """As `places`, of pictures that are zero where others have what `_prepared` gives."""
        return self._states(torch.zeros(count, 3, self._side, self._side))

    def _states(self, pixels: Tensor) -> Tensor:
        pixels = pixels.to(self._network.device, self._network.dtype)
        found: Any = self._network(pixels, output_hidden_states=True).hidden_states
        states: Tensor = found[-2]
        return states.float()

    def _prepared(self, images: Sequence[Tensor]) -> Tensor:
        side = self._side
        squares = torch.cat([_square(image.float().movedim(-1, 1), side) for image in images])
        mean, deviation = (torch.tensor(c).view(3, 1, 1).to(squares) for c in (_MEAN, _DEVIATION))
        return ((squares - mean) / deviation).to(self._network.device, self._network.dtype)


def _square(planes: Tensor, side: int) -> Tensor:
    """The middle of pictures [picture, channel, height, width], as large as an encoder sees it."""
    height, width = planes.shape[2:]
    if (height, width) == (side, side):
        return planes
    scale = side / min(height, width)
    sizes = [max(round(length * scale), side) for length in (height, width)]
    planes = functional.interpolate(planes, size=sizes, mode="bicubic", antialias=True)
    top, left = ((length - side) // 2 for length in sizes)
    return planes[..., top : top + side, left : left + side].clamp(0, 1)


def config_of(state: Mapping[str, Tensor]) -> CLIPVisionConfig:
    """The config of an encoder by its shapes."""
    start = "vision_model."
    width, _, patch, _ = state[f"{start}embeddings.patch_embedding.weight"].shape
    places = len(state[f"{start}embeddings.position_embedding.weight"]) - 1
    return CLIPVisionConfig(
        hidden_size=width,
        intermediate_size=len(state[f"{start}encoder.layers.0.mlp.fc1.weight"]),
        projection_dim=len(state["visual_projection.weight"]),
        num_hidden_layers=count(state, r"vision_model\.encoder\.layers\.(\d+)\."),
        num_attention_heads=max(width // 64, 1) if width <= _OF_OPENAI else 16,
        patch_size=patch,
        image_size=patch * round(places**0.5),
        hidden_act="quick_gelu" if width <= _OF_OPENAI else "gelu",
    )
