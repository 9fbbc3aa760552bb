"""Step caches on shrunk transformers: what they leave out, and that nothing of them stays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from nodeflow_nodes.diffusion import parts
from nodeflow_nodes.diffusion.families.family import PromptBatch
from nodeflow_nodes.diffusion.families.hints import Hint
from nodeflow_nodes.diffusion.families.step_caches import CachedDenoiser
from nodeflow_nodes.diffusion.guiders import guider, skip_layers
from nodeflow_nodes.diffusion.load import load_denoiser
from nodeflow_nodes.diffusion.sampling import sample
from nodeflow_nodes.diffusion.sampling_advanced import noise_levels, sample_advanced
from nodeflow_nodes.diffusion.step_cache import first_block_cache, taylor_seer_cache
from nodeflow_nodes.diffusion.step_cache_checks import (
    FIRST_BLOCK,
    check_step_cache,
    step_cache_facts,
)
from torch import Tensor

from nodeflow import Conditioning, Device, InputError, Latent, Model, ModelMemory, Patch, Progress
from tests.nodes.diffusion.tiny_flow_models import make_flux, make_sd3, original_flux, original_sd3
from tests.nodes.diffusion.tiny_models import make_pipeline, original_state, save

DEVICE = Device()
EMPTY = Latent(torch.zeros(1, 16, 8, 8))
STEPS = 12


@dataclass
class Drawing:
    """A shrunk transformer, two prompts for it, and its models in memory."""

    model: Model
    prompts: tuple[Conditioning, Conditioning]
    memory: ModelMemory

    def draw(self, model: Model, guidance: float = 3.0, **how: Any) -> Tensor:
        services = {"progress": Progress(), "models": self.memory, "device": DEVICE}
        settings = {"steps": STEPS, "guidance": guidance, "seed": 5} | how
        return sample(model, *self.prompts, EMPTY, **settings, **services).samples


@pytest.fixture(scope="module", params=["sd3", "flux"])
def drawing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Drawing:
    network = (make_sd3() if request.param == "sd3" else make_flux("dev")).transformer
    named = (original_sd3 if request.param == "sd3" else original_flux)(network.state_dict())
    state = {f"model.diffusion_model.{name}": tensor for name, tensor in named.items()}
    file = save(state, tmp_path_factory.mktemp("models") / f"{request.param}.safetensors")
    config, generator = network.config, torch.Generator().manual_seed(1)
    yes, no = (
        Conditioning(
            torch.randn(1, 20, config["joint_attention_dim"], generator=generator),
            torch.randn(1, config["pooled_projection_dim"], generator=generator),
        )
        for _ in range(2)
    )
    return Drawing(load_denoiser(file), (yes, no), ModelMemory())


def psnr(found: Tensor, expected: Tensor) -> float:
    error = (found - expected).square().mean()
    return float(10 * torch.log10(expected.square().max() / error))


# What the first layer gives changes much from step to step in networks of random weights.
HASTY = 0.42
CACHES: dict[str, Any] = {
    "first block": lambda model: first_block_cache(model, HASTY),
    "Taylor": lambda model: taylor_seer_cache(model, 3),
}


def computed(said: str) -> tuple[int, int]:
    """What the log says: calls that were computed whole, and all."""
    words = said.split("Step cache: ")[1].split()
    return int(words[0]), int(words[2])


@pytest.mark.parametrize("cache", CACHES)
def test_calls_are_left_out_and_the_picture_stays_much_the_same(
    drawing: Drawing, cache: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = drawing.draw(drawing.model)
    capsys.readouterr()
    found = drawing.draw(CACHES[cache](drawing.model))
    whole, calls = computed(capsys.readouterr().out)
    # Both prompts have equally many tokens, so they share each step's call.
    assert calls == STEPS
    assert 3 <= whole <= STEPS * 3 / 4
    assert not torch.equal(found, plain)
    assert psnr(found, plain) > 25


@pytest.mark.parametrize("cache", CACHES)
def test_without_the_node_the_old_picture_comes_back_bit_for_bit(
    drawing: Drawing, cache: str
) -> None:
    before = drawing.draw(drawing.model)
    drawing.draw(CACHES[cache](drawing.model))
    assert torch.equal(drawing.draw(drawing.model), before)


@pytest.mark.parametrize("cache", CACHES)
def test_nothing_is_remembered_from_one_run_to_the_next(drawing: Drawing, cache: str) -> None:
    model = CACHES[cache](drawing.model)
    first = drawing.draw(model)
    drawing.draw(model, seed=9)
    assert torch.equal(drawing.draw(model), first)


@pytest.mark.parametrize("cache", CACHES)
def test_prompts_that_cannot_share_a_call_have_memories_of_their_own(
    drawing: Drawing, cache: str
) -> None:
    yes, no = drawing.prompts
    shorter = Conditioning(no.hidden[:, :13], no.pooled)
    apart = Drawing(drawing.model, (yes, shorter), drawing.memory)
    plain, found = apart.draw(apart.model), apart.draw(CACHES[cache](apart.model))
    assert psnr(found, plain) > 25


def test_a_higher_threshold_leaves_out_more(
    drawing: Drawing, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = []
    for threshold in (1e-6, HASTY, 0.9):
        drawing.draw(first_block_cache(drawing.model, threshold))
        counts.append(computed(capsys.readouterr().out)[0])
    assert counts[0] == STEPS > counts[1] > counts[2] >= 1


def test_a_threshold_of_nothing_draws_as_without_it(drawing: Drawing) -> None:
    exact = drawing.draw(first_block_cache(drawing.model, 1e-6))
    assert torch.allclose(exact, drawing.draw(drawing.model), atol=1e-5)


def test_off_is_the_model_itself_and_the_last_cache_counts(drawing: Drawing) -> None:
    assert first_block_cache(drawing.model, 0) == drawing.model
    assert taylor_seer_cache(drawing.model, 1) == drawing.model
    both = taylor_seer_cache(first_block_cache(drawing.model), 4)
    assert both == taylor_seer_cache(drawing.model, 4)
    assert first_block_cache(both, 0) == drawing.model
    assert first_block_cache(drawing.model, 0.1) != first_block_cache(drawing.model, 0.2)


def test_weights_are_loaded_once_for_a_model_with_and_without(drawing: Drawing) -> None:
    drawing.draw(drawing.model)
    before = drawing.memory.used
    cached = parts.denoiser(first_block_cache(drawing.model), drawing.memory, DEVICE)
    assert isinstance(cached, CachedDenoiser)
    assert drawing.memory.used == before


def test_a_weakened_network_is_computed_whole(drawing: Drawing) -> None:
    services = {"models": drawing.memory, "device": DEVICE}
    sigmas = noise_levels(drawing.model, STEPS, **services)

    def draw(model: Model) -> Tensor:
        led = skip_layers(guider(model, *drawing.prompts, 3.0), [1], 2.0, 0.0, 1.0)
        walked = sample_advanced(led, EMPTY, sigmas, 5, progress=Progress(), **services)
        return walked.latent.samples

    plain = draw(drawing.model)
    assert psnr(draw(first_block_cache(drawing.model, HASTY)), plain) > 20
    assert torch.equal(draw(drawing.model), plain)


def test_a_cache_gives_a_model_no_walk_of_its_own(drawing: Drawing) -> None:
    with pytest.raises(InputError, match="this one has none; choose another method"):
        drawing.draw(taylor_seer_cache(drawing.model), method="native")


@pytest.mark.parametrize("kind", ["1", "xl"])
def test_a_unet_is_refused_before_the_run(tmp_path: Path, kind: str) -> None:
    file = save(original_state(kind, make_pipeline(kind)), tmp_path / "unet.safetensors")
    model = load_denoiser(file)
    with pytest.raises(InputError, match=r"step caches are for transformers.* is a UNet"):
        check_step_cache({"family": model.family})
    for node in (first_block_cache, taylor_seer_cache):
        with pytest.raises(InputError, match="link the model without this node"):
            node(model)


def test_a_step_at_which_a_control_network_speaks_is_computed_whole(drawing: Drawing) -> None:
    class Silent:
        size = 0

    class Asked:
        """The plain network as it is asked."""

        def __init__(self, network: Any) -> None:
            self.network, self.prompts = network, []

        def changed(self, change: Any) -> Any:
            return self.network.changed(change)

        def estimate(self, x: Tensor, sigma: float, prompt: PromptBatch) -> Tensor:
            self.prompts.append(prompt)
            return x

    plain = Asked(parts.denoiser(drawing.model, drawing.memory, DEVICE))
    cached = CachedDenoiser(plain, Patch(FIRST_BLOCK, 0.9))
    hint = Hint(Silent(), torch.zeros(1, 8, 8, 3), 1.0)
    prompt = PromptBatch(drawing.prompts[0].hidden, hints=(hint,))
    for sigma in (0.9, 0.8):
        cached.estimate(EMPTY.samples, sigma, prompt)
    assert plain.prompts == [prompt, prompt]
    assert "unused, since control networks speak" in cached.summary()


def test_facts_of_the_model_pass_through() -> None:
    facts = {"family": "flux", "channels": 16}
    check_step_cache(facts)
    check_step_cache(None)
    assert step_cache_facts(facts) == {"model": facts}
