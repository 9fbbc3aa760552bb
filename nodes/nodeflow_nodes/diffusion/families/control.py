"""Control networks of Stable Diffusion (Zhang et al. 2023, arXiv 2302.05543), through diffusers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from diffusers.loaders.single_file_utils import convert_controlnet_checkpoint
from diffusers.models.controlnets.controlnet import ControlNetModel
from torch import Tensor
from torch.nn import functional

from nodeflow import Device, InputError
from nodeflow_nodes.diffusion.families.changes import Change, Part
from nodeflow_nodes.diffusion.families.control_keys import CONTROL, ControlFile, control_prefix
from nodeflow_nodes.diffusion.families.hints import Encode, Hint
from nodeflow_nodes.diffusion.families.pretrained import load_part, weight_bytes
from nodeflow_nodes.diffusion.families.shapes import control_config
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.diffusion.families.weights import assembled, read_weights

_SIZES = {"label_emb.0.0.": "add_embedding.linear_1.", "label_emb.0.2.": "add_embedding.linear_2."}
_ENDS = ("weight", "bias")
"""Tensors of XL that the conversion leaves out."""

Residuals = tuple[list[Tensor], Tensor]
"""What is added inside of the network: to each of its levels, and in its middle."""


@dataclass(frozen=True)
class UnetControl:
    """A control network beside a UNet, whose first half it is a copy of.

    Attributes:
        network: It sees what the UNet sees, and a picture.
    """

    network: ControlNetModel

    @property
    def size(self) -> int:
        return weight_bytes(self.network)

    def changed(self, change: Change) -> UnetControl:
        """See `ControlNetwork.changed`."""
        return replace(self, network=change(Part(CONTROL, self.network)))

    def seen(self, image: Tensor, height: int, width: int, encode: Encode) -> Tensor:
        """See `ControlNetwork.seen`: the picture itself."""
        return fitted(image, height, width)


def read_control(file: ControlFile, heads: Mapping[str, int], device: Device) -> UnetControl:
    """The control network of a file or folder.

    Args:
        file: What is known of it.
        heads: As `unet_config` takes them; a folder has them in its config.
        device: Where it goes.

    Raises:
        InputError: It lacks tensors, or cannot be read.
    """
    if file.path.is_dir():
        variant = "fp16" if ".fp16" in file.weights.name else None
        return UnetControl(load_part(ControlNetModel.from_pretrained, file.path, device, variant))
    table = TensorTable.read(file.path)
    prefix = control_prefix(table)
    state = read_weights(table, prefix or "", device)
    try:
        if prefix is not None:
            layers = _layers(state)
            convert: Any = convert_controlnet_checkpoint
            sizes = {
                new + end: state[old + end]
                for old, new in _SIZES.items()
                for end in _ENDS
                if old + end in state
            }
            state = {n: t for n, t in convert(state, layers).items() if t is not None} | sizes
        config = control_config(state, heads)
    except (KeyError, IndexError, StopIteration) as error:
        raise InputError(
            f"the control network {file.path} lacks tensors of its architecture ({error}); fetch "
            "the file again, or choose another"
        ) from error
    # No tensor tells that what it gives is averaged over the picture; its makers' name does.
    config["global_pool_conditions"] = "shuffle" in file.path.stem
    network: ControlNetModel = assembled(
        lambda: ControlNetModel.from_config(config),
        lambda _: state,
        device,
        f"the control network {file.path}",
    )
    return UnetControl(network)


def residuals(hints: Sequence[Hint], seen: Tensor, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What a UNet is asked with for its control networks; nothing without any.

    Args:
        hints: The networks and their pictures.
        seen: What the UNet sees of the latent, [batch, channel, height, width].
        asked: What else the UNet is asked with.

    Raises:
        InputError: A network controls another kind.
    """
    sums: Residuals | None = None
    for hint in hints:
        if not isinstance(hint.network, UnetControl):
            raise InputError(
                "the control network is for models of another kind; choose one of the same family"
            )
        network = hint.network.network
        down, middle = network(
            seen,
            controlnet_cond=hint.image.to(seen).expand(len(seen), -1, -1, -1),
            conditioning_scale=hint.strength,
            return_dict=False,
            **asked,
        )
        if sums is not None:
            down = [one + other for one, other in zip(sums[0], down, strict=True)]
            middle = sums[1] + middle
        sums = (list(down), middle)
    if sums is None:
        return {}
    return {"down_block_additional_residuals": sums[0], "mid_block_additional_residual": sums[1]}


def fitted(image: Tensor, height: int, width: int) -> Tensor:
    """[batch, ..., 3] as [batch, 3, height, width]: cut about its middle to the shape of a picture
    of that size, then resized by the nearest pixel, both as in ComfyUI."""
    planes = image.float().movedim(-1, 1)
    if planes.shape[2:] == (height, width):
        return planes
    old_height, old_width = planes.shape[2:]
    old, new = old_width / old_height, width / height
    # Reckoned in ComfyUI's order, since halves are rounded. A narrow strip keeps one pixel.
    left = round((old_width - old_width * (new / old)) / 2) if old > new else 0
    top = round((old_height - old_height * (old / new)) / 2) if old < new else 0
    left, top = min(left, (old_width - 1) // 2), min(top, (old_height - 1) // 2)
    middle = planes[:, :, top : old_height - top, left : old_width - left]
    return functional.interpolate(middle, size=(height, width), mode="nearest-exact")


def _layers(state: Mapping[str, Tensor]) -> dict[str, int]:
    """What the conversion must be told: how many layers a level has."""
    first = min(i for i in range(1, 99) if f"input_blocks.{i}.0.op.weight" in state)
    return {"layers_per_block": first - 1}
