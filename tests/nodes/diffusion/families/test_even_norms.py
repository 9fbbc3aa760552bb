"""Normalization of parts by what the whole has."""

from __future__ import annotations

import pytest
import torch
from nodeflow_nodes.diffusion.families.even_norms import EvenNorms
from torch import Tensor, nn


@pytest.fixture
def norm() -> nn.GroupNorm:
    torch.manual_seed(0)
    made = nn.GroupNorm(2, 6)
    nn.init.normal_(made.weight)
    nn.init.normal_(made.bias)
    return made.requires_grad_(False)


def halves(states: Tensor) -> tuple[Tensor, Tensor]:
    left, right = states.chunk(2, dim=-1)
    return left, right


@pytest.mark.parametrize("shape", [(1, 6, 4, 8), (1, 6, 12)])
def test_parts_are_normalized_as_the_whole_is(norm: nn.GroupNorm, shape: tuple[int, ...]) -> None:
    states = torch.randn(shape) * torch.linspace(0.1, 4, shape[-1]) + 3
    whole, alone = norm(states), torch.cat([norm(half) for half in halves(states)], -1)
    norms = EvenNorms([norm])
    with norms.learning():
        for half in halves(states):
            norm(half)
    with norms.applied():
        found = torch.cat([norm(half) for half in halves(states)], -1)
        rough = norm(halves(states)[0].bfloat16())
    torch.testing.assert_close(found, whole)
    assert (alone - whole).abs().max() > 0.5
    assert rough.dtype == torch.bfloat16
    assert torch.equal(norm(states), whole)


def test_each_lesson_begins_with_nothing(norm: nn.GroupNorm) -> None:
    norms, states = EvenNorms([norm]), torch.randn(1, 6, 4, 4)
    for seen in (100 * states, states):
        with norms.learning():
            norm(seen)
    with norms.applied():
        torch.testing.assert_close(norm(states), nn.GroupNorm.forward(norm, states))


def test_what_somebody_else_cares_for_is_left_alone(norm: nn.GroupNorm) -> None:
    own = norm.forward
    norm.forward = own  # type: ignore[method-assign]
    norms = EvenNorms([norm])
    assert not norms
    with norms.learning(), norms.applied():
        norm(torch.randn(1, 6, 4, 4))
    assert vars(norm)["forward"] is own
