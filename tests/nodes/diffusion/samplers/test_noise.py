from __future__ import annotations

import torch
from nodeflow_nodes.diffusion.samplers.noise import brownian_noise, start_noise, step_noise

LIKE = torch.empty(2, 4, 8, 8)


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_start_is_one_draw_of_the_whole_batch() -> None:
    assert torch.equal(start_noise(LIKE, (9,)), torch.randn(2, 4, 8, 8, generator=generator(9)))


def test_steps_draw_full_batches_in_turn_from_the_next_seed() -> None:
    noise, expected = step_noise(LIKE, [2.0, 1.0, 0.0], (9,)), generator(10)
    for _ in range(3):
        assert torch.equal(noise(2.0, 1.0), torch.randn(2, 4, 8, 8, generator=expected))


def test_brownian_increments_have_unit_variance_and_add_up() -> None:
    like = torch.empty(1, 1, 64, 64)
    noise = brownian_noise(like, [10.0, 4.0, 1.0, 0.0], (1,))
    upper, lower, whole = noise(10.0, 4.0), noise(4.0, 1.0), noise(10.0, 1.0)
    assert abs(float(upper.std()) - 1) < 0.05
    assert abs(float((upper * lower).mean())) < 0.05
    assert torch.allclose(upper * 6**0.5 + lower * 3**0.5, whole * 3, atol=1e-4)


def test_brownian_noise_does_not_depend_on_the_order_of_asking() -> None:
    sigmas = [10.0, 4.0, 1.0, 0.0]
    first, second = brownian_noise(LIKE, sigmas, (5,)), brownian_noise(LIKE, sigmas, (5,))
    upper, lower = first(10.0, 4.0), first(4.0, 1.0)
    assert torch.allclose(second(4.0, 1.0), lower, atol=1e-5)
    assert torch.allclose(second(10.0, 4.0), upper, atol=1e-5)


def test_a_single_step_needs_no_interval() -> None:
    assert callable(brownian_noise(LIKE, [10.0, 0.0], (5,)))
