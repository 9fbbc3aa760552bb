"""Wherever memory runs out, a run goes on with less or fails with a sentence; it never crashes.

Networks of all kinds find no memory at their first call, and models none to be loaded in: once, so
that it helps to let go of what nobody uses, or ever after.
"""

from __future__ import annotations

import contextvars
import copy
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)

from nodeflow import Device, ModelMemory, Recipe, Workflow
from nodeflow.models import memory
from nodeflow.roots import MODEL_KINDS
from tests.nodes.diffusion.families.conftest import SAVERS
from tests.nodes.diffusion.starving import Machine, Told, flow_data
from tests.nodes.diffusion.test_model_workflows import MODELS, write_picture
from tests.test_workflows import QUICK, SHIPPED

MADE_ROOM = "Out of memory: let go of models that are not in use, "

Setting = tuple[Workflow, Mapping[str, Any]]


def idle(models: ModelMemory) -> None:
    """Let a model be in memory that nobody uses."""
    recipe = Recipe("idle", "idle", "denoiser", "toy")
    # Outside of the node's context, so that it is not in its hands.
    contextvars.Context().run(models.get, recipe, Device(), lambda: "idle", lambda model: 1 << 20)


@pytest.fixture(autouse=True)
def _without_looking_for_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Among all that tests have imported it takes a second, and hundreds of times minutes."""
    monkeypatch.setattr(memory, "_hand_back", lambda: None)


@dataclass
class Famine:
    """Memory that runs out where a kind of network is called, or a part is loaded.

    Attributes:
        models: Where something idle is put before, if it is to happen once only.
        victim: What finds no memory; None for nothing, and all that could is noted.
        once: Whether it finds memory the next time.
        seen: All that could have been a victim.
    """

    models: ModelMemory
    victim: str | None = None
    once: bool = True
    hits: int = 0

    def __post_init__(self) -> None:
        self.seen: dict[str, None] = {}
        self._local = threading.local()

    def strike(self, name: str) -> None:
        self.seen[name] = None
        if name != self.victim or (self.once and self.hits):
            return
        self.hits += 1
        if self.once:
            idle(self.models)
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")

    def before(self, module: nn.Module, given: object) -> None:
        self._local.depth = getattr(self._local, "depth", 0) + 1
        if self._local.depth == 1:
            self.strike(f"call of {type(module).__name__}")

    def after(self, module: nn.Module, given: object, found: object) -> None:
        self._local.depth -= 1

    def get(self, plain: Any) -> Any:
        def get(models: ModelMemory, recipe: Recipe, device: Device, load: Any, *more: Any) -> Any:
            def starved() -> Any:
                self.strike(f"load of {recipe.part}")
                return load()

            return plain(models, recipe, device, load if recipe.path == "idle" else starved, *more)

        return get

    @contextmanager
    def reigns(self) -> Iterator[Famine]:
        hooks = [
            register_module_forward_pre_hook(self.before),
            register_module_forward_hook(self.after, always_call=True),
        ]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ModelMemory, "get", self.get(ModelMemory.get))
            try:
                yield self
            finally:
                for hook in hooks:
                    hook.remove()


def of_a_workflow(name: str) -> Callable[[Path], Setting]:
    def make(models: Path) -> Setting:
        inputs = MODELS[name](models).inputs
        return Workflow.load(SHIPPED[name]), inputs

    return make


def embedded(name: str) -> Callable[[Path], Setting]:
    def make(models: Path) -> Setting:
        write_picture(models, 64)
        return Workflow.load(SHIPPED[name]), QUICK[name]

    return make


def in_tiles(models: Path) -> Setting:
    """A picture that is encoded and decoded again in tiles, and noise laid over its latent."""
    data = copy.deepcopy(flow_data())
    vae, latent = {"node": "load", "output": "vae"}, {"node": "encode", "output": "latent"}
    data["nodes"] |= {
        "encode": {
            "type": "diffusion.encode_tiled",
            "inputs": {
                "vae": vae,
                "image": {"node": "decode", "output": "image"},
                "tile": 128,
                "overlap": 32,
            },
        },
        "noise": {
            "type": "diffusion.add_noise",
            "inputs": {"model": {"node": "load", "output": "model"}, "latent": latent},
        },
        "tiles": {
            "type": "diffusion.decode_tiled",
            "inputs": {
                "vae": vae,
                "latent": {"node": "noise", "output": "latent"},
                "tile": 128,
                "overlap": 32,
            },
        },
    }
    data["outputs"] = {"image": {"node": "tiles", "output": "image"}}
    return Workflow.from_data(data), {"width": 192, "height": 128, "steps": 1}


def modular(kind: str) -> Callable[[Path], Setting]:
    def make(models: Path) -> Setting:
        SAVERS[kind](models / "checkpoints" / kind)
        data = json.loads(json.dumps(flow_data()))
        data["nodes"]["load"]["inputs"]["file"] = kind
        data["nodes"]["sample"]["inputs"] |= {"method": "euler", "schedule": "simple"}
        return Workflow.from_data(data), {"width": 64, "height": 64, "steps": 2}

    return make


CASES: dict[str, Callable[[Path], Setting]] = {
    **{name: of_a_workflow(name) for name in MODELS},
    **{name: embedded(name) for name in ("inpaint", "upscale")},
    "in_tiles": in_tiles,
    "z_image": modular("z_image"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_run_goes_on_with_less_memory_or_says_that_there_is_none(
    name: str, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    for kind in MODEL_KINDS:
        (models / kind).mkdir(parents=True)
    flow, inputs = CASES[name](models)
    machine = Machine(tmp_path, models=(models,))

    def run(famine: Famine) -> Told:
        machine.engine.models.clear()
        machine.engine.memory.clear()
        with famine.reigns():
            return machine.run(flow, **inputs)

    kept = machine.engine.models
    plenty = Famine(kept)
    whole = run(plenty)
    assert whole.picture is not None, whole.failure
    assert not any("Out of memory" in line for line in whole.log)
    assert len(plenty.seen) >= 2
    for victim in plenty.seen:
        famine = Famine(kept, victim)
        found = run(famine)
        assert famine.hits == 1, victim
        assert any(line.startswith(MADE_ROOM) for line in found.log), victim
        assert found.picture is not None, (victim, found.failure)
        assert torch.equal(found.picture, whole.picture), victim
        found = run(Famine(kept, victim, once=False))
        assert found.picture is None, victim
        assert ": out of memory, " in found.failure or ": out of memory: " in found.failure
    assert torch.equal(run(Famine(kept)).picture, whole.picture)
    machine.close()
