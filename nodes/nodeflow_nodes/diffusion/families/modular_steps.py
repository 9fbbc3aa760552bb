"""Whether samplers of ours can take the place of a Modular Pipeline's own step, and by which noise
levels they go."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from typing import Any

from nodeflow_nodes.diffusion.families.modular_layout import Walk
from nodeflow_nodes.diffusion.families.modular_stage import Block, Stage
from nodeflow_nodes.diffusion.noise_levels import FlowLevels, exponential_shift, rational_shift

BEFORE, ASKING, STEPPING = "before_denoiser", "denoiser", "after_denoiser"
_BY_NUMBER = re.compile(r"\[\s*i\b|len\([\w.]*timesteps\)")
"""In a block's source: it goes by the number of the step, or by what time the next one has."""
_ONLY_FOR = ("use_meanflow",)
"""Settings of networks without which a block that asks for them does not."""


def steps_aside(walk: Walk, networks: Iterable[Any] = ()) -> bool:
    """Whether samplers of ours can take the place of a loop's own step.

    Args:
        walk: The blocks.
        networks: What they ask; some of what blocks do hangs on a network's config.
    """
    blocks = walk.loop.sub_blocks
    if not {ASKING, STEPPING} <= set(blocks) <= {BEFORE, ASKING, STEPPING}:
        return False
    # A plain step of the scheduler's with one prediction, of one latent, and nothing that goes by
    # the number of the step.
    names = set(_code(blocks[STEPPING]).co_names)
    others = {n for n in names if n.endswith("_latents") or n.startswith("audio")}
    plain = {"noise_pred", "latents", "scheduler", "step"} <= names and not others
    configs = [getattr(network, "config", None) for network in networks]
    return plain and not any(_by_number(block, configs) for block in blocks.values())


def _by_number(block: Block, configs: Iterable[Any]) -> bool:
    source = inspect.getsource(type(block))
    if not _BY_NUMBER.search(source):
        return False
    only = [name for name in _ONLY_FOR if f"config.{name}" in source]
    known = [getattr(config, name) for name in only for config in configs if hasattr(config, name)]
    return not known or any(known)


def flow_of(found: Stage) -> FlowLevels | None:
    """The noise levels of a rectified flow, as the pipeline's scheduler describes them; None if it
    is no such."""
    scheduler = getattr(found.pipeline, "scheduler", None)
    if scheduler is None:
        return None
    config = scheduler.config
    flows = (
        "FlowMatch" in type(scheduler).__name__,
        bool(config.get("use_flow_sigmas")),
        config.get("prediction_type") == "flow_prediction",
    )
    if not any(flows):
        return None
    count = int(config.get("num_train_timesteps", 1000))
    if config.get("use_dynamic_shifting"):
        shifted = exponential_shift(float(config.get("max_shift") or 1.15))
    else:
        shifted = rational_shift(float(config.get("flow_shift") or config.get("shift") or 1.0))
    return FlowLevels(shifted, count, count)


def _code(block: Block) -> Any:
    return inspect.unwrap(type(block).__call__).__code__
