"""A pipeline's own walk: its loop and its scheduler, as diffusers runs them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from diffusers.modular_pipelines.modular_pipeline import ModularPipelineBlocks, PipelineState
from diffusers.modular_pipelines.modular_pipeline_utils import InsertableDict
from torch import Tensor

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.family import OwnWalk
from nodeflow_nodes.diffusion.families.modular_layout import LatentKind, Walk
from nodeflow_nodes.diffusion.families.modular_stage import Block, Stage


class Counted(ModularPipelineBlocks):
    """Stands at the end of a loop's turn, and tells that it is done."""

    def __init__(self, on_step: Callable[[int], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # diffusers has few types
        self.on_step = on_step

    def __call__(
        self, components: Any, state: Any, i: int = 0, *args: Any, **kwargs: Any
    ) -> tuple[Any, Any]:
        self.on_step(i + 1)
        return components, state


def walk_natively(
    stage: Stage, walk: Walk, kind: LatentKind, begin: Callable[..., PipelineState], told: OwnWalk
) -> Tensor:
    """Where a pipeline's own loop ends, as nodes see latents.

    Its noise is drawn as diffusers draws it from the same seed.

    Args:
        stage: The denoise stage, loaded.
        walk: Its blocks.
        kind: What its latents are like.
        begin: Makes the state before the loop of what is given by name.
        told: How to walk.

    Raises:
        InputError: The pipeline refuses what it is told, or makes no latent.
    """
    seeded = [torch.Generator().manual_seed(seed) for seed in told.seeds]
    given = _told(stage.inputs([*walk.before, walk.loop]), walk, told)
    state = begin(
        num_inference_steps=told.steps,
        generator=seeded[0] if len(seeded) == 1 else seeded,
        **given,
    )
    stage.run(walk.before, state)
    stage.run_one(_counting(walk.loop, told), state)
    stage.run(walk.after, state)
    ended: Any = state.get("latents")
    if not isinstance(ended, Tensor):
        raise InputError(
            f"{stage.name}, diffusers' pipeline for the model {stage.folder}, ends its walk with "
            "no latent that could be decoded, so this kind of model is not supported yet"
        )
    return ended.float() if kind.video or ended.ndim == 4 else ended.squeeze(2).float()


def _counting(loop: Block, told: OwnWalk) -> Block:
    """The loop, telling how far it is."""
    found = copy.copy(loop)
    counted = Counted(lambda done: told.on_step(done, told.steps))
    found.sub_blocks = InsertableDict([*loop.sub_blocks.items(), ("counted", counted)])
    found.set_progress_bar_config(disable=True)
    return found


def _told(names: set[str], walk: Walk, told: OwnWalk) -> Mapping[str, Any]:
    """Guidance, where a pipeline takes it as a number for each step, or for all."""
    if "guidance_schedule" in names:
        return {"guidance_schedule": [told.scale] * told.steps}
    if "guidance_scale" in names and _leads_away(walk.before):
        return {"guidance_scale": told.scale}
    return {}


def _leads_away(blocks: Iterable[Block]) -> bool:
    """Whether there is anything to be guided away from: else the number tells a network that was
    distilled to it how to draw."""
    found = [param.name or "" for block in blocks for param in block.inputs]
    return any("negative" in name or "uncond" in name for name in found)
