"""Step caches: faster walks for pictures that are a little different."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from nodeflow import Model, Patch, node
from nodeflow_nodes.diffusion.step_cache_checks import (
    FIRST_BLOCK,
    STEP_CACHES,
    TAYLOR_SEER,
    check_step_cache,
    step_cache_facts,
)


@node(category="models", check=check_step_cache, facts=step_cache_facts)
def first_block_cache(model: Model, threshold: Annotated[float, Field(ge=0, le=1)] = 0.1) -> Model:
    """Leave out all but the first layer of a transformer at steps where that layer gives nearly
    what it gave before (FBCache, after TeaCache, Liu et al. 2024, arXiv 2411.19108).

    Pictures differ a little from those without it, the more the higher the threshold; the log of
    the node that samples says how much was left out.

    Args:
        model: The network, of Stable Diffusion 3 or Flux for example; not for UNets.
        threshold: How much, in parts of what the first layer gave, may have changed: 0 turns the
            cache off, 0.05 is careful, 0.2 hasty.
    """
    check_step_cache({"family": model.family})
    return _cached(model, Patch(FIRST_BLOCK, threshold) if threshold else None)


@node(
    title="TaylorSeer cache",
    category="models",
    check=check_step_cache,
    facts=step_cache_facts,
)
def taylor_seer_cache(model: Model, interval: Annotated[int, Field(ge=1, le=20)] = 3) -> Model:
    """Compute a transformer at every so many steps only, and foretell between them where its
    results are going (TaylorSeer, Liu et al. 2025, arXiv 2503.06923). The first three steps are
    always computed.

    Pictures differ from those without it, the more the longer the interval and the fewer the steps.

    Args:
        model: The network, of Stable Diffusion 3 or Flux for example; not for UNets.
        interval: Every how many steps the network is computed; 1 turns the cache off.
    """
    check_step_cache({"family": model.family})
    return _cached(model, Patch(TAYLOR_SEER, interval) if interval > 1 else None)


def _cached(model: Model, cache: Patch | None) -> Model:
    """The model with this cache in place of any that it has."""
    patches = [patch for patch in model.patches if patch.kind not in STEP_CACHES]
    return replace(model, patches=(*patches, *([] if cache is None else [cache])))
