"""A call that is cut into parts hands each picture all that is said to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
import torch
from nodeflow_nodes.diffusion.calls_in_parts import InParts
from nodeflow_nodes.diffusion.families.family import Denoiser, PromptBatch, Weakening
from nodeflow_nodes.diffusion.families.hints import Hint, Sight
from nodeflow_nodes.diffusion.room import Way
from torch import Tensor

from nodeflow import ModelMemory, OutOfMemoryError

X = torch.rand(4, 2, 3, 3)


def batch(image_rows: int) -> PromptBatch:
    """All that can be said to four pictures; a hint's image is for all of them or for each."""
    torch.manual_seed(0)
    return PromptBatch(
        torch.rand(4, 5, 6),
        torch.rand(4, 7),
        {"width": torch.rand(4)},
        (Hint(cast("Any", None), torch.rand(image_rows, 1, 3, 3), 0.5),),
        torch.rand(4, 1, 3, 3),
        sights=(Sight(cast("Any", None), torch.rand(4, 2, 6), 0.7),),
        stream="both",
    )


@dataclass
class Summing:
    """Stands for a network of which every row depends on all that is said to it."""

    most: int = 4
    guides: bool = True
    streams: list[str] = field(default_factory=list)
    weak: bool = False
    asked_weak: list[bool] = field(default_factory=list)

    def estimate(self, x: Tensor, sigma: float, prompt: PromptBatch) -> Tensor:
        self.streams.append(prompt.stream)
        self.asked_weak.append(self.weak)
        if len(x) > self.most:
            raise MemoryError
        (hint,), (sight,) = prompt.hints, prompt.sights
        assert prompt.pooled is not None
        assert prompt.beside is not None
        numbers = prompt.extra["width"] + prompt.hidden.mean((1, 2)) + prompt.pooled.mean(1)
        numbers = numbers + sight.hidden.mean((1, 2)) * sight.strength
        return (x + hint.image * hint.strength + prompt.beside) * sigma + numbers.view(-1, 1, 1, 1)

    @contextmanager
    def weakened(self, weakening: Weakening) -> Iterator[None]:
        self.weak = True
        yield
        self.weak = False

    def guided_estimate(
        self, x: Tensor, sigma: float, positive: PromptBatch, negative: PromptBatch, scale: float
    ) -> Tensor:
        yes, no = (self.estimate(x, sigma, prompt) for prompt in (positive, negative))
        return no + scale * (yes - no)


def in_parts(network: Summing) -> InParts:
    return InParts(cast("Denoiser", network), ModelMemory())


@pytest.mark.parametrize("most", [1, 2, 3, 4])
@pytest.mark.parametrize("image_rows", [1, 4])
def test_rows_get_what_is_said_to_them(most: int, image_rows: int) -> None:
    prompt = batch(image_rows)
    expected = Summing().estimate(X, 2.0, prompt)
    torch.testing.assert_close(in_parts(Summing(most)).estimate(X, 2.0, prompt), expected)


def test_a_network_that_guides_by_itself_gets_both_prompts_of_a_picture() -> None:
    pair = batch(4), batch(1)
    expected = Summing().guided_estimate(X, 2.0, *pair, 3.0)
    torch.testing.assert_close(in_parts(Summing(1)).guided_estimate(X, 2.0, *pair, 3.0), expected)


def test_a_step_cache_never_takes_parts_of_a_call_for_one_another() -> None:
    plain, starved = Summing(), Summing(2)
    in_parts(plain).estimate(X, 2.0, batch(1))
    assert plain.streams == ["both"]
    network = in_parts(starved)
    network.estimate(X, 2.0, batch(1))
    whole, first, second = starved.streams
    assert len({whole, first, second}) == 3
    network.estimate(X, 1.0, batch(1))
    assert starved.streams[3:] == [first, second]


def test_a_network_that_takes_the_place_of_another_is_weakened_as_that_was() -> None:
    other = Summing(1)
    ways = iter([Way("the network in bf16", lambda: cast("Denoiser", other))])
    network = InParts(cast("Denoiser", Summing(0)), ModelMemory(), ways)
    with network.weakened(Weakening(attention=True)):
        found = network.estimate(X, 2.0, batch(4))
    assert other.asked_weak == [True] * 4
    network.estimate(X, 2.0, batch(4))
    assert other.asked_weak == [True] * 4 + [False] * 4
    torch.testing.assert_close(found, Summing().estimate(X, 2.0, batch(4)))


def test_what_finds_no_room_in_any_way_says_what_to_do() -> None:
    ways = iter([Way("the network in bf16", lambda: cast("Denoiser", Summing(0)))])
    network = InParts(cast("Denoiser", Summing(0)), ModelMemory(), ways)
    with pytest.raises(OutOfMemoryError, match=r"even with one picture.*make the picture smaller"):
        network.estimate(X, 2.0, batch(4))
