from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from nodeflow_nodes.diffusion.families.family import PromptBatch
from nodeflow_nodes.diffusion.guidance import guided
from torch import Tensor

from nodeflow import Conditioning, InputError


@dataclass
class Averaging:
    """Its estimate is the mean of the prompt it hears; it notes the size of what it is asked."""

    text_width: int = 3
    batches: list[int] = field(default_factory=list)

    def defaults(self, negative: bool) -> dict[str, float]:
        return {"louder": 0.0, "quieter": 0.5 if negative else 0.0}

    def estimate(self, x: Tensor, sigma: float, prompt: PromptBatch) -> Tensor:
        self.batches.append(len(x))
        heard = prompt.hidden.mean(dim=(1, 2)) + prompt.extra["louder"] - prompt.extra["quieter"]
        return heard.reshape(-1, 1, 1, 1).expand_as(x)


def saying(value: float, tokens: int = 4, batch: int = 1) -> Conditioning:
    return Conditioning(torch.full((batch, tokens, 3), value))


X = torch.zeros(2, 1, 2, 2)


def ask(network: Any, positive: Conditioning, negative: Conditioning, guidance: float) -> float:
    return float(guided(network, positive, negative, guidance, 2)(X, 1.0).mean())


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
    estimate = guided(Averaging(), both, saying(0.0), 1.0, 2)(X, 1.0)  # type: ignore[arg-type]
    assert estimate.mean(dim=(1, 2, 3)).tolist() == [1, 2]


def test_a_prompt_for_another_model_or_batch_is_refused() -> None:
    wide = Conditioning(torch.zeros(1, 4, 7))
    with pytest.raises(InputError, match="positive prompt has text width 7, and the model takes 3"):
        ask(Averaging(), wide, saying(1.0), 2.0)
    with pytest.raises(InputError, match="negative prompt is for 3 pictures, and the latent holds"):
        ask(Averaging(), saying(1.0), saying(1.0, batch=3), 2.0)
