from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import torch
from nodeflow_nodes.diffusion.families.family import PromptBatch, Weakening
from nodeflow_nodes.diffusion.guidance import Guidance, Push, guided
from nodeflow_nodes.diffusion.noise_levels import DiscreteLevels, FlowLevels, rational_shift
from nodeflow_nodes.diffusion.voices import Role, Span, Voice, voices_of
from torch import Tensor

from nodeflow import Conditioning, InputError
from tests.nodes.diffusion.hearing import no_control


@dataclass
class Averaging:
    """Its estimate is the mean of the prompt it hears; it notes the size of what it is asked."""

    text_width: int = 3
    levels: Any = field(default_factory=lambda: DiscreteLevels(torch.linspace(0.1, 10, 100)))
    batches: list[int] = field(default_factory=list)
    sizes: list[tuple[int, ...]] = field(default_factory=list)
    weak: bool = False

    def defaults(self, negative: bool) -> dict[str, float]:
        return {"louder": 0.0, "quieter": 0.5 if negative else 0.0}

    def estimate(self, x: Tensor, sigma: float, prompt: PromptBatch) -> Tensor:
        self.batches.append(len(x))
        self.sizes.append(tuple(x.shape[2:]))
        heard = prompt.hidden.mean(dim=(1, 2)) + prompt.extra["louder"] - prompt.extra["quieter"]
        return heard.reshape(-1, 1, 1, 1).expand_as(x) - (0.25 if self.weak else 0.0)

    @contextmanager
    def weakened(self, weakening: Weakening) -> Iterator[None]:
        self.weak = True
        yield
        self.weak = False


def saying(value: float, tokens: int = 4, batch: int = 1, **more: Any) -> Conditioning:
    return Conditioning(torch.full((batch, tokens, 3), value), **more)


X = torch.zeros(2, 1, 2, 2)
PLAIN = saying(0.5)


def heard(role: Role, network: Any, prompt: Conditioning, x: Tensor = X) -> list[Voice]:
    return voices_of(role, prompt, network, x, no_control)


def estimate(
    network: Any,
    positive: Conditioning,
    negative: Conditioning = PLAIN,
    guidance: float | Guidance = 1.0,
    x: Tensor = X,
    sigma: float = 1.0,
) -> Tensor:
    how = Guidance(guidance) if isinstance(guidance, float | int) else guidance
    voices = heard("positive", network, positive, x), heard("negative", network, negative, x)
    return guided(network, *voices, how)(x, sigma)


def ask(*args: Any, **more: Any) -> float:
    return float(estimate(*args, **more).mean())


@pytest.mark.parametrize("guidance", [0.0, 0.5, 3.0])
def test_the_estimate_leads_away_from_the_negative_prompt(guidance: float) -> None:
    network = Averaging()
    expected = 1.0 + guidance * (5.0 - 1.0)
    assert ask(network, saying(5.0), saying(1.5), guidance) == pytest.approx(expected)
    assert network.batches == [4]


def test_guidance_1_asks_only_for_the_positive_prompt() -> None:
    network = Averaging()
    assert ask(network, saying(5.0), saying(1.0), 1) == 5
    assert network.batches == [2]


def test_prompts_of_different_lengths_are_asked_one_by_one() -> None:
    network = Averaging()
    assert ask(network, saying(5.0, tokens=8), saying(1.5), 2.0) == pytest.approx(9)
    assert network.batches == [2, 2]


def test_prompts_of_which_one_has_a_pool_are_asked_one_by_one() -> None:
    network = Averaging()
    pooled = Conditioning(saying(5.0).hidden, torch.zeros(1, 2))
    assert ask(network, pooled, saying(1.5), 2.0) == pytest.approx(9)
    assert network.batches == [2, 2]


def test_a_prompts_own_numbers_go_before_the_networks() -> None:
    louder = Conditioning(saying(5.0).hidden, extra={"louder": 2.0})
    calm = Conditioning(saying(1.0).hidden, extra={"quieter": 0.0})
    network = Averaging()
    assert ask(network, louder, calm, 2.0) == pytest.approx(1 + 2 * (7 - 1))
    assert network.batches == [4]


def test_each_picture_may_have_its_own_prompt() -> None:
    both = Conditioning(torch.cat([saying(1.0).hidden, saying(2.0).hidden]))
    assert estimate(Averaging(), both).mean(dim=(1, 2, 3)).tolist() == [1, 2]


def test_a_prompt_for_another_model_or_batch_is_refused() -> None:
    wide = Conditioning(torch.zeros(1, 4, 7))
    with pytest.raises(InputError, match="positive prompt has text width 7, and the model takes 3"):
        ask(Averaging(), wide, saying(1.0), 2.0)
    with pytest.raises(InputError, match="negative prompt is for 3 pictures, and the latent holds"):
        ask(Averaging(), saying(1.0), saying(1.0, batch=3), 2.0)


def test_prompts_beside_each_other_are_averaged_by_their_strength_in_one_call() -> None:
    network = Averaging()
    both = saying(1.0, also=(saying(5.0, strength=3.0),))
    assert ask(network, both) == pytest.approx((1 + 3 * 5) / 4)
    assert network.batches == [4]


def test_a_masked_prompt_is_heard_at_its_place_only() -> None:
    left = torch.zeros(1, 4, 4)
    left[..., :2] = 1
    parts = saying(5.0, mask=left, also=(saying(1.0, mask=1 - left),))
    found = estimate(Averaging(), parts, x=torch.zeros(1, 2, 4, 4))
    assert found[0, 0].tolist() == [[5, 5, 1, 1]] * 4


def test_masks_of_another_size_follow_the_latent() -> None:
    top = torch.zeros(1, 64, 32)
    top[:, :32] = 1
    found = estimate(
        Averaging(),
        saying(5.0, mask=top, also=(saying(1.0, mask=1 - top),)),
        x=torch.zeros(1, 1, 8, 4),
    )
    assert found[0, 0, 0].tolist() == [5] * 4
    assert found[0, 0, -1].tolist() == [1] * 4


def test_where_every_mask_is_0_all_count_alike() -> None:
    nothing = torch.zeros(1, 2, 2)
    assert ask(Averaging(), saying(2.0, mask=nothing, also=(saying(4.0, mask=nothing),))) == 3


def test_an_area_is_asked_for_on_its_own_and_passes_into_what_is_around() -> None:
    network = Averaging()
    x = torch.zeros(1, 1, 8, 16)
    right = saying(9.0, area=(0.0, 0.5, 1.0, 0.5))
    found = estimate(network, saying(1.0, also=(right,)), x=x)
    assert network.sizes == [(8, 16), (8, 8)]
    assert found[0, 0, 0, :8].tolist() == [1] * 8
    row = found[0, 0, 0, 8:].tolist()
    assert row[0] == pytest.approx((1 + 0.5 * 9) / 1.5)
    assert row[1:] == [pytest.approx(5)] * 7


def test_areas_that_leave_something_out_are_refused() -> None:
    half = saying(1.0, area=(0.0, 0.0, 0.5, 1.0))
    with pytest.raises(InputError, match="areas of the positive prompts leave a part"):
        ask(Averaging(), half, x=torch.zeros(1, 1, 4, 2))
    rest = saying(3.0, area=(0.5, 0.0, 0.5, 1.0))
    whole = estimate(Averaging(), replace(half, also=(rest,)), x=torch.zeros(1, 1, 4, 2))
    assert whole[0, 0].tolist() == [[1, 1]] * 2 + [[3, 3]] * 2


def test_a_prompt_is_heard_in_its_part_of_the_walk() -> None:
    network = Averaging()
    early = saying(1.0, end=0.5, also=(saying(5.0, start=0.5),))
    middle = network.levels.sigma(0.5 * 99)
    assert ask(network, early, sigma=10.0) == 1
    assert ask(network, early, sigma=middle * 0.9) == 5
    assert ask(network, early, sigma=middle) == 3


def test_parts_of_a_walk_follow_the_shift_of_flows() -> None:
    network = Averaging(levels=FlowLevels(rational_shift(3.0), 1000, 1000.0))
    late = saying(1.0, also=(saying(5.0, start=0.5),))
    assert ask(network, late, sigma=0.76) == 1
    assert ask(network, late, sigma=0.74) == 3


def test_silence_of_the_positive_prompts_is_refused_and_of_the_negative_is_no_guidance() -> None:
    with pytest.raises(InputError, match="no positive prompt is heard at noise level 10"):
        ask(Averaging(), saying(1.0, start=0.9), sigma=10.0)
    assert ask(Averaging(), saying(5.0), saying(1.5, start=0.9), 3.0, sigma=10.0) == 5


def test_a_push_leads_away_from_the_weakened_network_in_its_span() -> None:
    network = Averaging()
    push = Push(Weakening(attention=True), 2.0, Span(5.0, 0.5))
    how = Guidance(3.0, pushes=(push,))
    assert ask(network, saying(5.0), saying(1.5), how) == pytest.approx(13 + 2 * 0.25)
    assert network.batches == [4, 2]
    assert ask(network, saying(5.0), saying(1.5), how, sigma=9.0) == pytest.approx(13)
    assert not network.weak


@pytest.mark.parametrize(
    "levels", [DiscreteLevels(torch.linspace(0.1, 10, 100)), FlowLevels(lambda t: t, 100)]
)
def test_velocities_are_a_way_there_and_back(levels: Any) -> None:
    x, denoised = torch.randn(1, 2, 3, 3), torch.randn(1, 2, 3, 3)
    velocity = levels.velocity(x, denoised, 0.7)
    assert torch.allclose(levels.estimate(x, velocity, 0.7), denoised, atol=1e-6)


def test_rescaled_guidance_has_the_deviation_of_the_positive_estimate() -> None:
    class Echo(Averaging):
        def estimate(self, x: Tensor, sigma: float, prompt: PromptBatch) -> Tensor:
            return super().estimate(x, sigma, prompt) * x

    x = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    network = Echo()

    def deviation(rescale: float, guidance: float = 7.0) -> float:
        how = Guidance(guidance, rescale)
        found = estimate(network, saying(0.3), saying(0.7), how, x)
        return float(network.levels.velocity(x, found, 1.0).std(dim=(1, 2, 3))[0])

    assert deviation(1.0) == pytest.approx(deviation(0.0, guidance=1.0), rel=1e-4)
    assert deviation(0.0) > 2 * deviation(1.0)
    half = (deviation(0.0) + deviation(1.0)) / 2
    assert deviation(0.5) == pytest.approx(half, rel=1e-4)
