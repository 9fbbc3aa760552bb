from __future__ import annotations

import pytest
import torch
from nodeflow_nodes.diffusion import hooks
from nodeflow_nodes.diffusion.conditioning import (
    area_conditioning,
    average_conditioning,
    combine_conditioning,
    concatenate_conditioning,
    mask_conditioning,
    time_conditioning,
)

from nodeflow import Conditioning, InputError, Mask


def saying(value: float, tokens: int = 2, batch: int = 1) -> Conditioning:
    return Conditioning(
        torch.full((batch, tokens, 3), float(value)), torch.full((batch, 2), float(value))
    )


def test_prompts_are_heard_beside_each_other() -> None:
    three = combine_conditioning(combine_conditioning(saying(1), saying(2)), saying(3))
    assert [float(part.hidden.mean()) for part in (three, *three.also)] == [1, 2, 3]


def test_tokens_follow_each_other() -> None:
    long = concatenate_conditioning(saying(1), saying(2, tokens=3))
    assert long.hidden[0, :, 0].tolist() == [1, 1, 2, 2, 2]
    assert long.pooled is not None
    assert long.pooled.tolist() == [[1, 1]]
    wide = concatenate_conditioning(saying(1, batch=2), saying(2))
    assert wide.hidden.shape == (2, 4, 3)


@pytest.mark.parametrize(("amount", "first", "second"), [(0, 1, 1), (0.25, 1.5, 1.5), (1, 3, 3)])
def test_meanings_are_mixed(amount: float, first: float, second: float) -> None:
    mixed = average_conditioning(saying(1), saying(3), amount)
    assert mixed.hidden[0, :, 0].tolist() == [first, second]
    assert mixed.pooled is not None
    assert float(mixed.pooled.mean()) == first


def test_the_shorter_of_two_ends_in_zeros() -> None:
    mixed = average_conditioning(saying(1, tokens=1), saying(3, tokens=2), 0.5)
    assert mixed.hidden[0, :, 0].tolist() == [2, 1.5]


def test_places_and_times_hold_for_all_that_was_combined() -> None:
    both = combine_conditioning(saying(1), saying(2))
    mask = Mask(torch.ones(1, 4, 4))
    masked = mask_conditioning(both, mask, 0.5)
    assert [(part.mask is mask, part.strength) for part in (masked, *masked.also)] == [
        (True, 0.5)
    ] * 2
    placed = area_conditioning(both, left=0.75, top=0.0, width=0.5, height=1.0)
    assert [part.area for part in (placed, *placed.also)] == [(0.0, 0.75, 1.0, 0.25)] * 2
    timed = time_conditioning(both, 0.2, 0.6)
    assert [(part.start, part.end) for part in (timed, *timed.also)] == [(0.2, 0.6)] * 2
    assert (both.mask, both.area, both.start) == (None, None, 0.0)


def test_what_does_not_belong_together_is_refused() -> None:
    narrow = Conditioning(torch.zeros(1, 2, 5))
    for together in (concatenate_conditioning, average_conditioning):
        with pytest.raises(InputError, match="text width 5, and the first prompt has 3"):
            together(saying(1), narrow)
    with pytest.raises(InputError, match="for 2 pictures and the other for 3"):
        concatenate_conditioning(saying(1, batch=2), saying(1, batch=3))
    with pytest.raises(InputError, match=r"begins at 0\.8 and ends at 0\.3"):
        time_conditioning(saying(1), 0.8, 0.3)
    with pytest.raises(InputError, match="outside of the picture"):
        area_conditioning(saying(1), left=1.0)


def test_prompts_for_pipelines_of_diffusers_are_only_combined() -> None:
    foreign = Conditioning(torch.ones(1, 2, 3), states={"prompt_embeds": torch.ones(1, 2, 3)})
    for together in (concatenate_conditioning, average_conditioning):
        with pytest.raises(InputError, match="use combine_conditioning"):
            together(foreign, foreign)
    assert combine_conditioning(foreign, foreign).also[0].states == foreign.states


def test_it_is_said_before_the_run() -> None:
    with pytest.raises(InputError, match="the other prompt has text width 768, and the first"):
        hooks.check_together({"text_width": 2048}, {"text_width": 768})
    with pytest.raises(InputError, match="the positive prompt has text width 768"):
        hooks.check_guider({"text_width": 2048}, {"text_width": 768}, None)
    with pytest.raises(InputError, match="the latent has channels 16, and the model takes 4"):
        hooks.check_advanced({"channels": 4}, {"channels": 16}, None)
    with pytest.raises(InputError, match="2 is followed by 3"):
        hooks.check_advanced(None, None, [2, 3])
