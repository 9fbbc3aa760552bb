"""Batches are put together and taken apart without loss."""

from __future__ import annotations

import pytest
import torch
from nodeflow_nodes.image.batches import batch, unbatch

from nodeflow import InputError


def test_taking_apart_and_putting_together_gives_the_same(make_image) -> None:
    image = make_image(3, channels=4)
    parts = unbatch(image)
    assert [part.shape for part in parts] == [(1, 6, 8, 4)] * 3
    assert torch.equal(batch(tuple(parts)), image)


def test_mixed_channels_become_the_richest(make_image) -> None:
    grey, colour, clear = make_image(channels=1), make_image(2), make_image(channels=4)
    assert batch((grey, grey)).shape == (2, 6, 8, 1)
    assert torch.equal(batch((grey, colour))[0], grey[0].expand(-1, -1, 3))
    whole = batch((grey, colour, clear))
    assert whole.shape == (4, 6, 8, 4)
    assert whole[:3, ..., 3].eq(1).all()
    assert torch.equal(whole[3:], clear)


def test_pictures_of_different_sizes_are_refused_by_their_number(make_image) -> None:
    with pytest.raises(InputError, match="picture 2 is 7 x 6, but the first is 8 x 6"):
        batch((make_image(), make_image(1, 6, 7)))


def test_no_picture_is_refused() -> None:
    with pytest.raises(InputError, match="no picture to put into a batch"):
        batch(())
