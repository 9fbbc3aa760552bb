"""The network of a Modular Pipeline, asked for one estimate at a time.

Where a pipeline's loop nests a block that makes ready (`before_denoiser`), one that asks the
network (`denoiser`) and one that steps (`after_denoiser`), the last is taken out, and samplers of
ours take its place.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch
from diffusers.guiders.guider_utils import BaseGuidance
from diffusers.modular_pipelines.modular_pipeline import ModularPipelineBlocks, PipelineState
from diffusers.modular_pipelines.modular_pipeline_utils import InsertableDict
from torch import Tensor, nn

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.changes import Change, Part
from nodeflow_nodes.diffusion.families.family import OwnWalk, PromptBatch, Weakening
from nodeflow_nodes.diffusion.families.lora_layers import DENOISER, HIGH, LOW
from nodeflow_nodes.diffusion.families.modular_layout import (
    LatentKind,
    Packing,
    Size,
    Walk,
    begin,
    packing,
)
from nodeflow_nodes.diffusion.families.modular_native import walk_natively
from nodeflow_nodes.diffusion.families.modular_stage import Block, Stage
from nodeflow_nodes.diffusion.families.modular_steps import STEPPING, steps_aside
from nodeflow_nodes.diffusion.hooks import check_size
from nodeflow_nodes.diffusion.modular_folders import denoising
from nodeflow_nodes.diffusion.noise_levels import FlowLevels

NEGATIVE = "negative_"
PICTURE = "with_picture"
"""Among a prompt's states: it has a picture beside it."""
_KEPT = 4
"""Prompts whose states stay ready: both of a pair, and those of a second picture."""
_STEPS = 4
"""For blocks that make timesteps ready, which are not used."""


class Taken(ModularPipelineBlocks):
    """Stands where a loop steps, and takes what the network said."""

    def __init__(self, replaced: Block) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # diffusers has few types
        self.replaced = replaced
        self.said: Tensor | None = None

    @property
    def inputs(self) -> Any:
        return self.replaced.inputs

    @property
    def expected_components(self) -> Any:
        return self.replaced.expected_components

    def __call__(self, components: Any, state: Any, i: int, t: Tensor) -> tuple[Any, Any]:
        self.said = state.noise_pred
        return components, state


@dataclass
class _Prepared:
    """A state behind the blocks before the loop, and whose it is."""

    key: tuple[object, ...]
    state: PipelineState
    kept: tuple[object, ...]


@dataclass
class ModularDenoiser:
    """A network behind the blocks of diffusers' pipeline.

    Attributes:
        stage: The denoise stage, loaded.
        walk: Its blocks.
        kind: What its latents are like.
        flow: Noise levels it was trained on, where samplers may take the place of its steps.
        digest: Of the model's folder.
        seeing: The blocks for prompts with a picture beside them.
    """

    stage: Stage
    walk: Walk
    kind: LatentKind
    flow: FlowLevels | None
    digest: str
    seeing: Walk | None = None
    _seeing: ModularDenoiser | None = None
    _ready: list[_Prepared] = field(default_factory=list)

    text_width = 0
    """Prompts are known by the names of their states instead."""

    @property
    def levels(self) -> FlowLevels:
        """Noise levels it was trained on.

        Raises:
            InputError: The pipeline steps by itself.
        """
        if self.flow is None:
            raise InputError(
                f"{self.stage.name}, diffusers' pipeline for this model, steps by itself, so no "
                "other method can take its place; choose the method native at sample"
            )
        return self.flow

    @property
    def channels(self) -> int:
        return self.kind.channels

    @property
    def downscale(self) -> int:
        return self.kind.downscale

    @property
    def inputs(self) -> int:
        return self.kind.channels

    @property
    def size(self) -> int:
        return self.stage.size

    def changed(self, change: Change) -> ModularDenoiser:
        """The same with other networks in place of its own, of which a second one is for low
        noise."""
        return replace(self, stage=self.stage.changed(change, self._part), _seeing=None, _ready=[])

    def _part(self, name: str, network: nn.Module) -> Part:
        networks = self.stage.modules
        estimating = denoising(networks) or [next(iter(networks))]
        called = f"'{name}' of {self.stage.name}"
        if name not in estimating:
            return Part(name, network, called=called)
        noises = dict(zip(estimating, (HIGH, LOW), strict=False)) if len(estimating) > 1 else {}
        convert = getattr(type(self.stage.pipeline), "lora_state_dict", None)
        return Part(DENOISER, network, noises.get(name, ""), convert, called)

    def with_levels(self, levels: FlowLevels) -> ModularDenoiser:
        """The same network with other noise levels; a pipeline's own walk keeps its own."""
        return replace(self, flow=levels, _seeing=None, _ready=[])

    def weakened(self, weakening: Weakening) -> AbstractContextManager[None]:
        """Refused.

        Raises:
            InputError: Always.
        """
        raise InputError(
            f"{self.stage.name}, a pipeline of diffusers', cannot do without parts of its network; "
            "leave perturbed_attention and skip_layers out"
        )

    def scaled(self, latent: Tensor) -> Tensor:
        """A latent as walks see it; the pipeline's autoencoder has scaled it already."""
        return self._edged(self.kind.flat(latent), lambda x, scale, offset: (x - offset) / scale)

    def unscaled(self, x: Tensor) -> Tensor:
        """The way back from `scaled`."""
        edged = self._edged(x, lambda x, scale, offset: x * scale + offset)
        return self.kind.framed_again(edged)

    def defaults(self, negative: bool) -> Mapping[str, float]:
        return {}

    def estimate(self, x: Tensor, sigma: float, prompt: PromptBatch) -> Tensor:
        """x0 as the network sees it for one prompt, without any guidance."""
        self._guide(None)
        return self._hearing(prompt)._estimate(x, sigma, prompt, prompt)

    @property
    def guides(self) -> bool:
        """Whether the pipeline has a guider, which takes a negative prompt."""
        names = self.stage.inputs([*self.walk.before, self.walk.loop])
        return bool(self._guiders()) and any(name.startswith(NEGATIVE) for name in names)

    def guided_estimate(
        self, x: Tensor, sigma: float, positive: PromptBatch, negative: PromptBatch, scale: float
    ) -> Tensor:
        """x0 as the pipeline's own guider makes it of both prompts: some do more than to add."""
        self._guide(scale)
        return self._hearing(positive)._estimate(x, sigma, positive, negative)

    def own_walk(
        self,
        latent: Tensor,
        positive: PromptBatch,
        negative: PromptBatch,
        told: OwnWalk,
    ) -> Tensor:
        """Where the pipeline's own loop ends, begun with noise of its own."""
        self._guide(None if told.scale == 1 else told.scale)
        heard = self._hearing(positive)
        begin = partial(heard.begin, heard.kind.flat(latent), positive, negative)
        return walk_natively(heard.stage, heard.walk, heard.kind, begin, told)

    def packing(self, x: Tensor) -> Packing:
        """How latents of this size lie in the walk."""
        return packing(self.stage.folder, self.digest, self._size(x))

    def _size(self, x: Tensor) -> Size:
        size = self.kind.size(self.kind.own(self.kind.framed_again(x)).shape)
        check_size({"downscale": self.kind.multiple}, size.width, size.height)
        return size

    def _hearing(self, prompt: PromptBatch) -> ModularDenoiser:
        """The same by the blocks for a prompt with a picture beside it, if this is one."""
        if PICTURE not in prompt.states or self.seeing is None:
            return self
        if self._seeing is None:
            aside = steps_aside(self.seeing, self.stage.modules.values())
            flow = self.flow if aside else None
            self._seeing = ModularDenoiser(self.stage, self.seeing, self.kind, flow, self.digest)
        return self._seeing

    def _estimate(
        self, x: Tensor, sigma: float, positive: PromptBatch, negative: PromptBatch
    ) -> Tensor:
        laid = self.packing(x)
        prepared = self._prepared(x, positive, negative)
        state = PipelineState(dict(prepared.values), copy.deepcopy(prepared.kwargs_mapping))
        latents = laid.pack(self.kind.own(self.kind.framed_again(x)))
        begun: Any = prepared.get("latents")
        state.set("latents", latents.to(begun.dtype))
        time = torch.tensor([self.levels.t(sigma)], dtype=torch.float32, device=x.device)
        state.set("timesteps", time)
        state.set("num_inference_steps", 1)
        velocity = laid.unpack(self._asked(state).float())
        return x - sigma * velocity.reshape(x.shape)

    def _asked(self, state: PipelineState) -> Tensor:
        """What the network says in one turn of the loop."""
        loop = copy.copy(self.walk.loop)
        taken = Taken(loop.sub_blocks[STEPPING])
        loop.sub_blocks = InsertableDict(OrderedDict({**loop.sub_blocks, STEPPING: taken}.items()))
        loop.set_progress_bar_config(disable=True)
        self.stage.run_one(loop, state)
        assert taken.said is not None
        return taken.said

    def _prepared(self, x: Tensor, positive: PromptBatch, negative: PromptBatch) -> PipelineState:
        """The state for a prompt, made once for a walk."""
        kept = (positive.states, negative.states)
        guided = any(guider._enabled for guider in self._guiders())
        numbers = tuple((name, float(row[0])) for name, row in positive.extra.items())
        key = (*map(id, kept), x.shape, str(x.device), guided, numbers)
        for known in self._ready:
            if known.key == key:
                return known.state
        state = self.begin(x, positive, negative, num_inference_steps=_STEPS)
        self.stage.run(self.walk.before, state)
        self._ready = [*self._ready[-_KEPT + 1 :], _Prepared(key, state, kept)]
        return state

    def begin(
        self, x: Tensor, positive: PromptBatch, negative: PromptBatch, **given: Any
    ) -> PipelineState:
        """The state that the blocks before the loop are given."""
        names = self.stage.inputs([*self.walk.before, self.walk.loop])
        words = self._words(x, positive.states)
        others = self._words(x, negative.states)
        words |= {f"{NEGATIVE}{name}": state for name, state in others.items()}
        if "guidance" in positive.extra and "guidance_scale" in names:
            given["guidance_scale"] = float(positive.extra["guidance"][0])
        state = begin(self.stage, self.walk, self._size(x), len(x), **given)
        kinds = [
            param.kwargs_type
            for block in (*self.walk.before, self.walk.loop)
            for param in block.inputs
            if param.name is None
        ]
        # What a loop hands on to the network as it is belongs to a kind; there is one in all.
        put: Any = state.set
        for name, value in words.items():
            if name in names or not name.startswith(NEGATIVE):
                put(name, value, next(iter(kinds), None))
        return state

    def _words(self, x: Tensor, states: Mapping[str, Any]) -> dict[str, Any]:
        if not states:
            raise InputError(
                f"the prompt is not for {self.stage.name}; encode it with the text encoder of the "
                "same model"
            )
        return {name: _stated(state, x.device) for name, state in states.items() if name != PICTURE}

    def _guiders(self) -> list[Any]:
        parts: Mapping[str, Any] = self.stage.pipeline.components
        return [part for part in parts.values() if isinstance(part, BaseGuidance)]

    def _guide(self, scale: float | None) -> None:
        for guider in self._guiders():
            if scale is None:
                guider.disable()
                continue
            guider.enable()
            original = getattr(guider, "use_original_formulation", False)
            guider.guidance_scale = scale - 1 if original else scale

    def _edged(self, x: Tensor, change: Any) -> Tensor:
        edge = self.packing(x).edge
        if edge is None:
            return x
        scale, offset = (part.to(x.device).reshape(x.shape[1:]) for part in edge)
        found: Tensor = change(x, scale, offset)
        return found


def _stated(state: Tensor | tuple[Tensor, ...], device: torch.device) -> Any:
    """As blocks know it: numbers are numbers, and rows are lists."""
    if isinstance(state, Tensor):
        return state.to(device) if state.ndim else state.item()
    return [_stated(part, device) for part in state]
