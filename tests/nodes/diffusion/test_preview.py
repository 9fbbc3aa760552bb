from __future__ import annotations

import torch
from nodeflow_nodes.diffusion.load import LoadedModel
from nodeflow_nodes.diffusion.preview import colour_pixels, fit_colours, preview
from torch import Tensor

from nodeflow import Device, ModelMemory


class Averaging:
    """An autoencoder whose latents mix the mean colours of 4 x 4 pixels into five channels."""

    size, channels, downscale = 0, 5, 4
    mix = torch.randn(3, 5, generator=torch.Generator().manual_seed(2))

    def encode(self, images: Tensor, noise: Tensor | None) -> Tensor:
        small = torch.nn.functional.avg_pool2d(images.movedim(-1, 1), 4)
        return (small.movedim(1, -1) @ self.mix + 0.3).movedim(-1, 1)

    def decode(self, latents: Tensor) -> Tensor:
        raise AssertionError("a large picture is not decoded")


def test_the_fitted_colours_give_back_what_was_encoded() -> None:
    network = Averaging()
    colours = fit_colours(network)
    assert colours.shape == (6, 3)
    picture = torch.rand(1, 20, 28, 3, generator=torch.Generator().manual_seed(4))
    small = torch.nn.functional.avg_pool2d(picture.movedim(-1, 1), 4)[0].movedim(0, -1)
    found = colour_pixels(network.encode(picture, None)[0], colours)
    assert torch.allclose(found, small, atol=1e-4)


def test_a_small_picture_is_decoded_and_a_large_one_coloured(
    loaded: LoadedModel, models: ModelMemory, device: Device
) -> None:
    small = preview(torch.randn(2, 4, 8, 16), loaded.model, models, device)
    assert (small.mode, small.size) == ("RGB", (128, 64))
    large = preview(torch.randn(2, 4, 32, 64), loaded.model, models, device)
    assert (large.mode, large.size) == ("RGB", (512, 256))
