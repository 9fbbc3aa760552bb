"""IP-Adapters (Ye et al. 2023, arXiv 2308.06721): pictures that a UNet attends to beside a prompt.

What an adapter makes of pictures are tokens; each cross-attention of the network looks at them
with keys and values of the adapter's own, and adds what it finds to what it found in the prompt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from diffusers.loaders.unet import UNet2DConditionLoadersMixin
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn
from torch.nn import functional

from nodeflow import Device, InputError
from nodeflow_nodes.diffusion.families.clip_vision import ClipVision
from nodeflow_nodes.diffusion.families.compiling import as_written
from nodeflow_nodes.diffusion.families.hints import Sight
from nodeflow_nodes.diffusion.families.ip_adapter_keys import (
    ATTENTION,
    IMAGE_PROJECTION,
    IpAdapterFile,
)
from nodeflow_nodes.diffusion.families.pretrained import dtype_of, settled, weight_bytes
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.diffusion.families.weights import read_weights


@dataclass(frozen=True)
class IpAdapter:
    """A loaded adapter.

    Attributes:
        file: What is known of it.
        projection: Makes tokens of the states of an image encoder.
        keys: Weights of each attention for the keys of tokens, [inner, width].
        values: The same for values.
    """

    file: IpAdapterFile
    projection: nn.Module
    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]

    @property
    def size(self) -> int:
        return weight_bytes(self.projection) + sum(t.nbytes for t in (*self.keys, *self.values))

    @torch.no_grad()
    def tokens(self, encoder: ClipVision, images: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """What pictures say, and what no picture says, each float32 [1, token, width].

        Args:
            encoder: Which it was trained with.
            images: float32 [picture, height, width, 3] in 0..1 each; all tokens are one row.
        """
        if self.file.projected:
            seen = encoder.projected(images)
            states = (seen, torch.zeros_like(seen))
        else:
            states = (encoder.places(images), encoder.nothing(sum(map(len, images))))
        like = next(self.projection.parameters())
        found = [self.projection(one.to(like)).float().flatten(0, 1)[None] for one in states]
        return found[0], found[1]


def read_ip_adapter(file: IpAdapterFile, device: Device) -> IpAdapter:
    """The adapter of a file.

    Raises:
        InputError: It lacks tensors, or cannot be read.
    """
    table = TensorTable.read(file.path)
    attention = read_weights(table, ATTENTION, device)
    # The conversion asks nothing of a network if it is to allocate weights itself.
    convert: Any = UNet2DConditionLoadersMixin._convert_ip_adapter_image_proj_to_diffusers
    try:
        projection: nn.Module = convert(
            None, read_weights(table, IMAGE_PROJECTION, device), low_cpu_mem_usage=False
        )
        keys, values = (
            tuple(attention[f"{n}.to_{kind}_ip.weight"].to(device.name) for n in file.layers)
            for kind in "kv"
        )
    except (KeyError, IndexError, RuntimeError) as error:
        raise InputError(
            f"the IP-Adapter {file.path} lacks tensors of its architecture ({error}); fetch the "
            "file again, or choose another"
        ) from error
    return IpAdapter(file, settled(projection.to(dtype_of(device)), device), keys, values)


@contextmanager
def seeing(network: UNet2DConditionModel, sights: Sequence[Sight]) -> Iterator[Callable[..., Any]]:
    """What to call in place of the network, so that it sees pictures while this is open.

    Its attentions are listened to by hooks, which are gone afterwards: whatever processors and
    weights they have, these stay as they are. A compiled network is called as it was written: its
    code knows of no hooks.

    Raises:
        InputError: An adapter is for another network.
    """
    if not sights:
        yield network
        return
    attentions: list[Any] = [
        network.get_submodule(name.removesuffix(".processor"))
        for name in network.attn_processors
        if name.endswith("attn2.processor")
    ]
    adapters = [_fitting(sight, attentions) for sight in sights]
    hooks = []
    try:
        for place, attention in enumerate(attentions):
            looks = [
                _Look(adapter.keys[place], adapter.values[place], sight.hidden, sight.strength)
                for adapter, sight in zip(adapters, sights, strict=True)
            ]
            both = _BesideText(attention.heads, looks)
            hooks.append(attention.to_q.register_forward_hook(both.keep_query))
            hooks.append(attention.to_out[0].register_forward_pre_hook(both.add))
        with as_written(network) as call:
            yield call
    finally:
        for hook in hooks:
            hook.remove()


@dataclass(frozen=True)
class _Look:
    """An adapter's part in one attention; tokens are [batch, token, width]."""

    key: Tensor
    value: Tensor
    tokens: Tensor
    strength: float


class _BesideText:
    """Attention to tokens of pictures, with the queries that look at the prompt."""

    def __init__(self, heads: int, looks: Sequence[_Look]) -> None:
        self._heads = heads
        self._looks = looks
        self._query: Tensor | None = None

    def keep_query(self, layer: nn.Module, inputs: object, query: Tensor) -> None:
        self._query = query

    def add(self, layer: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        assert self._query is not None  # queries are made before anything is found
        found, query = inputs[0], self._split(self._query)
        for look in self._looks:
            tokens = look.tokens.to(found)
            key, value = (
                self._split(functional.linear(tokens, weight.to(found.dtype)))
                for weight in (look.key, look.value)
            )
            seen = functional.scaled_dot_product_attention(query, key, value)
            found = found + look.strength * seen.transpose(1, 2).flatten(2).to(found.dtype)
        return (found, *inputs[1:])

    def _split(self, states: Tensor) -> Tensor:
        """[batch, place, inner] by heads: [batch, head, place, width]."""
        batch, places, inner = states.shape
        return states.view(batch, places, self._heads, inner // self._heads).transpose(1, 2)


def _fitting(sight: Sight, attentions: Sequence[Any]) -> IpAdapter:
    """The adapter of a sight, which has weights of the right size for all attentions."""
    adapter = sight.network
    if not isinstance(adapter, IpAdapter):
        raise InputError(
            "what pictures say was made by an adapter for models of another kind; choose one of "
            "the same family"
        )
    has = [tuple(key.shape) for key in adapter.keys]
    wants = [(attention.inner_dim, adapter.file.text_width) for attention in attentions]
    if has != wants:
        raise InputError(
            f"the IP-Adapter {adapter.file.path} is for another network: it has weights for "
            f"{len(has)} attentions, of sizes {_sizes(has)}, and the model's {len(wants)} have "
            f"{_sizes(wants)}; choose one of the model's family"
        )
    return adapter


def _sizes(shapes: Sequence[tuple[int, ...]]) -> str:
    return ", ".join(map(str, sorted({shape[0] for shape in shapes})))
