from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from nodeflow_nodes.image.regions import crop_to_mask, stitch

from nodeflow import Image, InputError, Mask


def rectangle(height: int, width: int, top: int, left: int, rows: int, columns: int) -> Mask:
    mask = torch.zeros(1, height, width)
    mask[:, top : top + rows, left : left + columns] = 1
    return Mask(mask)


@given(
    st.integers(16, 60),
    st.integers(16, 60),
    st.data(),
    st.integers(0, 40),
    st.sampled_from([1, 8, 16]),
)
def test_the_part_holds_the_mask_is_a_multiple_and_lies_within(
    height: int, width: int, data: st.DataObject, margin: int, multiple: int
) -> None:
    top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    mask = rectangle(height, width, top, left, 3, 3)
    image = Image(torch.rand(1, height, width, 3))
    part = crop_to_mask(image, mask, margin, multiple)
    assert (part.width % multiple, part.height % multiple) == (0, 0)
    assert part.image.shape[1:3] == (part.height, part.width) == part.mask.shape[1:]
    rows, columns = slice(part.y, part.y + part.height), slice(part.x, part.x + part.width)
    assert torch.equal(part.image, image[:, rows, columns])
    # All of the mask is in it unless the multiple leaves no room at the picture's edge.
    if height % multiple == 0 and width % multiple == 0:
        assert part.mask.sum() == mask.sum()


def test_stitching_the_same_part_changes_nothing() -> None:
    image = Image(torch.rand(2, 40, 48, 3))
    part = crop_to_mask(image, rectangle(40, 48, 10, 12, 8, 8), 4)
    assert torch.allclose(stitch(image, *part), image, atol=1e-6)


def test_only_what_the_mask_chooses_changes_and_the_edge_is_soft() -> None:
    image = Image(torch.zeros(1, 64, 64, 3))
    part = crop_to_mask(image, rectangle(64, 64, 24, 24, 16, 16), 16)
    white = Image(torch.ones_like(part.image))
    hard = stitch(image, white, *part[1:], feather=0)
    assert torch.equal(hard[..., 0], rectangle(64, 64, 24, 24, 16, 16))
    soft = stitch(image, white, *part[1:], feather=3)[0, 32, :, 0]
    assert 0.4 < float(soft[24]) < 0.6
    assert float(soft[32]) > 0.95
    assert float(soft[part.x - 1]) == 0


def test_a_part_drawn_larger_is_brought_to_its_place() -> None:
    image = Image(torch.zeros(1, 32, 32, 3))
    part = crop_to_mask(image, rectangle(32, 32, 8, 8, 16, 16), 0)
    large = Image(torch.full((1, 64, 64, 3), 0.5))
    found = stitch(image, large, *part[1:], feather=0)
    assert torch.allclose(found[0, 8:24, 8:24], torch.tensor(0.5))
    assert float(found.sum()) == pytest.approx(0.5 * 16 * 16 * 3)


def test_an_empty_mask_and_a_part_over_the_edge_are_refused() -> None:
    image = Image(torch.zeros(1, 32, 32, 3))
    with pytest.raises(InputError, match="mask chooses nothing"):
        crop_to_mask(image, Mask(torch.zeros(1, 32, 32)))
    mask = Mask(torch.ones(1, 8, 8))
    with pytest.raises(InputError, match="part reaches to 33 by 8"):
        stitch(image, Image(torch.zeros(1, 8, 8, 3)), mask, 25, 0, 8, 8)
