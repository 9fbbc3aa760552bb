"""Pictures for tests: small, seeded, of any number of channels."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from nodeflow import Image

MakeImage = Callable[..., Image]


@pytest.fixture
def make_image() -> MakeImage:
    """Random pictures whose values are whole steps of 8 bits, so that Pillow can hold them."""

    def make(batch: int = 1, height: int = 6, width: int = 8, channels: int = 3) -> Image:
        generator = torch.Generator().manual_seed(batch * 1000 + height * 100 + width + channels)
        steps = torch.randint(0, 256, (batch, height, width, channels), generator=generator)
        return Image(steps.float() / 255)

    return make
