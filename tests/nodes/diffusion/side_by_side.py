"""The same picture by diffusers' pipeline and by our nodes, along the pipeline's own levels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler
from nodeflow_nodes.diffusion import parts
from nodeflow_nodes.diffusion.load import LoadedModel
from nodeflow_nodes.diffusion.samplers.dpm_solver import dpmpp_2m
from nodeflow_nodes.diffusion.samplers.euler import ddim, euler
from nodeflow_nodes.diffusion.text import encode_text, size_conditioning

from nodeflow import Control, Device, ModelMemory, Recipe
from tests.nodes.diffusion.hearing import guided_by
from tests.nodes.diffusion.samplers.conftest import ReferenceLevels, forgiving_numpy, grid_of

PROMPT, NEGATIVE = "a red apple on a table", "pale"
SIDE, STEPS = 64, 6

EULER = EulerDiscreteScheduler(
    beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, steps_offset=1
)
with forgiving_numpy():
    # Ours asks it for its levels.
    EULER.set_timesteps(STEPS)


def distance(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other).abs().max())


def theirs(
    pipe: Any, scheduler: Any, guidance: float, steps: int = STEPS, **more: Any
) -> torch.Tensor:
    pipe = type(pipe)(**(pipe.components | {"scheduler": scheduler}), **options(pipe))
    pipe.set_progress_bar_config(disable=True)
    size = {} if "image" in more else {"width": SIDE, "height": SIDE}
    with forgiving_numpy():
        found: torch.Tensor = pipe(
            prompt=PROMPT,
            negative_prompt=NEGATIVE,
            guidance_scale=guidance,
            num_inference_steps=steps,
            generator=torch.Generator().manual_seed(7),
            output_type="latent",
            **size,
            **more,
        ).images
    return found


def options(pipe: Any) -> dict[str, bool]:
    """What its class wants beside the components."""
    if "transformer" in pipe.components:
        return {}
    if "text_encoder_2" not in pipe.components:
        return {"requires_safety_checker": False}
    score = pipe.config.get("requires_aesthetics_score")
    return {"add_watermarker": False} | (
        {} if score is None else {"requires_aesthetics_score": score}
    )


def ours(
    model: LoadedModel,
    memory: ModelMemory,
    sampler: Callable[..., torch.Tensor],
    scheduler: Any,
    guidance: float,
    latent: torch.Tensor | None = None,
    first: int = 0,
    change: Callable[[Any, Any], tuple[Any, Any]] = lambda yes, no: (yes, no),
    **sizes: Any,
) -> torch.Tensor:
    """The sampler along the reference's own levels, through our nodes.

    `change` is given both prompts, and gives those that are sampled with.
    """
    grid, device = grid_of(scheduler, first), Device()
    network: Any = replace(
        cast("Any", parts.denoiser(model.model, memory, device)),
        levels=ReferenceLevels(torch.tensor(sorted(grid.sigmas)), grid.times),
    )
    noise = torch.randn(1, 4, SIDE // 8, SIDE // 8, generator=torch.Generator().manual_seed(7))
    x = noise * grid.start if latent is None else latent + noise * grid.sigmas[0]
    yes, no = (
        size_conditioning(encode_text(model.text_encoder, p, models=memory, device=device), **sizes)
        for p in (PROMPT, NEGATIVE)
    )
    yes, no = change(yes, no)

    def load(control: Control) -> Any:
        return parts.control_network(control.network, memory, device), None

    def load_adapter(adapter: Recipe) -> Any:
        return parts.ip_adapter(adapter, memory, device)

    x = sampler(guided_by(network, yes, no, guidance, x, load, load_adapter), x, grid.sigmas)
    return x / (1 + grid.sigmas[-1] ** 2) ** 0.5 if grid.preserves_variance else x


SCHEDULERS: list[tuple[Callable[..., torch.Tensor], type[Any], dict[str, Any]]] = [
    (euler, EulerDiscreteScheduler, {}),
    (dpmpp_2m, DPMSolverMultistepScheduler, {"final_sigmas_type": "zero"}),
    (ddim, DDIMScheduler, {"clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1}),
]
