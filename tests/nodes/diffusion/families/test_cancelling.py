"""A cancelled run stops in the middle of a step: no second block of the network is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from nodeflow_nodes.diffusion.latents import decode, empty_latent
from nodeflow_nodes.diffusion.load import LoadedModel, load_model
from nodeflow_nodes.diffusion.sampling import sample
from nodeflow_nodes.diffusion.text import encode_text
from torch import nn
from torch.nn.modules.module import register_module_forward_hook

from nodeflow import Cancelled, Device, Latent, ModelMemory
from nodeflow.progress import working
from tests.nodes.diffusion.modular_walks import PROMPT, SIDE, silent

SERVICES: dict[str, Any] = {"device": Device()}
PLACES = 12
"""At how many places of a call a run is cancelled."""

Made = Callable[[str], tuple[Path, Any]]


class Watch:
    """What networks have computed, and a run that is cancelled after a number of layers.

    Attributes:
        layers: How many modules without others inside were computed.
        late: Blocks that were computed whole, or to their end, after the run was cancelled.
    """

    def __init__(self, last: int | None = None) -> None:
        self._last = last
        self.layers = 0
        self.late: list[str] = []

    def cancelled(self) -> bool:
        return self._last is not None and self.layers >= self._last

    def see(self, module: nn.Module, given: object, found: object) -> None:
        if self.cancelled() and is_block(module):
            self.late.append(type(module).__name__)
        self.layers += not any(module.children())


def is_block(module: nn.Module) -> bool:
    """Whether it is called a block, and none of its parts is."""
    names = [type(part).__name__ for part in module.modules()]
    return "Block" in names[0] and not any("Block" in name for name in names[1:])


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    seen = register_module_forward_hook(watch.see)
    try:
        with working(watch.cancelled):
            yield
    finally:
        seen.remove()


@pytest.fixture
def open_kind(
    opened: dict[str, LoadedModel], flow_opened: dict[str, LoadedModel], made: Made
) -> Callable[[str], LoadedModel]:
    def found(kind: str) -> LoadedModel:
        known = opened | flow_opened
        return known[kind] if kind in known else load_model(made(kind)[0])

    return found


@pytest.mark.parametrize("kind", ["1", "xl", "sd3", "flux", "z_image", "wan"])
def test_at_most_the_block_that_is_on_its_way_is_computed_after_a_run_is_cancelled(
    kind: str, open_kind: Callable[[str], LoadedModel], memory: ModelMemory
) -> None:
    model = open_kind(kind)
    services = SERVICES | {"models": memory}
    prompt = encode_text(model.text_encoder, PROMPT, **services)
    latent = empty_latent(model.model, SIDE, SIDE)

    def draw() -> Latent:
        told = {"steps": 1, "guidance": 2.0, "progress": silent}
        return sample(model.model, prompt, prompt, latent, **told, **services)

    drawn = draw()
    work = {"sample": draw, "decode": lambda: decode(model.vae, drawn, **services)}
    for name, done in work.items():
        whole = Watch()
        with watched(whole):
            done()
        assert whole.layers > PLACES
        for place in range(PLACES):
            watch = Watch(last=1 + place * whole.layers * 3 // 4 // PLACES)
            with watched(watch), pytest.raises(Cancelled):
                done()
            assert len(watch.late) <= 1, (name, place, watch.late)
