"""Edges against the algorithm written out pixel by pixel; depth and tiles by what they keep."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from nodeflow_nodes.image.hints import canny, depth_hint, tile_hint
from scipy.ndimage import label

from nodeflow import Image, InputError

TURNED: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "as it is": lambda x: x,
    "on its side": lambda x: x.transpose(1, 2),
    "upside down": lambda x: x.flip(1),
}


def grey(rows: list[list[float]]) -> Image:
    return Image(torch.tensor(rows)[None, ..., None])


def written_out(pixels: np.ndarray, low: float, high: float) -> np.ndarray:
    """OpenCV's documented steps for a picture of one channel, with loops and a stack."""
    height, width = pixels.shape

    def at(row: int, column: int) -> float:
        return float(pixels[min(max(row, 0), height - 1), min(max(column, 0), width - 1)])

    across, down = np.zeros((height, width)), np.zeros((height, width))
    for r in range(height):
        for c in range(width):
            for step, weight in ((-1, 1), (0, 2), (1, 1)):
                across[r, c] += weight * (at(r + step, c + 1) - at(r + step, c - 1))
                down[r, c] += weight * (at(r + 1, c + step) - at(r - 1, c + step))
    steep = np.abs(across) + np.abs(down)

    def steepness(row: int, column: int) -> float:
        inside = 0 <= row < height and 0 <= column < width
        return float(steep[row, column]) if inside else 0.0

    kept = np.zeros((height, width), dtype=bool)
    for r in range(height):
        for c in range(width):
            angle = math.degrees(math.atan2(abs(down[r, c]), abs(across[r, c])))
            m = steepness(r, c)
            if angle < 22.5:
                kept[r, c] = m > steepness(r, c - 1) and m >= steepness(r, c + 1)
            elif angle > 67.5:
                kept[r, c] = m > steepness(r - 1, c) and m >= steepness(r + 1, c)
            else:
                side = 1 if (across[r, c] < 0) == (down[r, c] < 0) else -1
                kept[r, c] = m > steepness(r - 1, c - side) and m > steepness(r + 1, c + side)
    kept &= steep > low
    stack = [tuple(place) for place in np.argwhere(kept & (steep > high))]
    edges = np.zeros((height, width), dtype=bool)
    while stack:
        r, c = stack.pop()
        if edges[r, c]:
            continue
        edges[r, c] = True
        near = [(r + i, c + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        stack += [(i, j) for i, j in near if 0 <= i < height and 0 <= j < width and kept[i, j]]
    return edges


@pytest.mark.parametrize(("low", "high"), [(0, 0), (100, 200), (100, 300), (20, 250)])
@pytest.mark.parametrize("seed", range(3))
def test_edges_are_those_of_the_algorithm(low: float, high: float, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 1, 7, 9, generator=draw)
    smooth = torch.nn.functional.interpolate(coarse, size=(29, 37), mode="bicubic").clamp(0, 1)
    pixels = (smooth[0, 0] * 255).round()
    edges = canny(Image(pixels[None, ..., None] / 255), low, high)
    assert edges.shape == (1, 29, 37, 3)
    expected = written_out(pixels.numpy(), low, high)
    assert np.array_equal(edges[0, ..., 0].numpy() == 1, expected)
    assert set(edges.unique().tolist()) <= {0.0, 1.0}
    assert expected.any()


@pytest.mark.parametrize("turn", TURNED.values(), ids=TURNED)
def test_a_step_is_one_line_of_one_pixel(turn: Callable[..., torch.Tensor]) -> None:
    step = torch.zeros(1, 16, 20, 1)
    step[:, :, 10:] = 1
    edges = turn(canny(Image(turn(step).contiguous()))[..., :1])
    columns = edges[0, ..., 0].sum(dim=0)
    assert sorted(columns.tolist(), reverse=True)[:2] == [16, 0]
    assert int(columns.argmax()) in (9, 10)


def test_a_plain_picture_has_no_edges_and_higher_thresholds_fewer(make_image) -> None:
    assert canny(Image(torch.full((2, 8, 8, 3), 0.7))).sum() == 0
    image = make_image(1, 40, 40)
    counts = [float(canny(image, t, t).sum()) for t in (50, 400, 800, 1200)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]
    some, more = canny(image, 800, 900), canny(image, 100, 900)
    assert bool((more >= some).all())
    assert more.sum() > some.sum()


def test_every_edge_has_a_strong_part(make_image) -> None:
    image = make_image(1, 40, 40, 1)
    weak, strong = (canny(image, 200, high)[0, ..., 0].numpy() for high in (200, 900))
    parts, count = label(weak, structure=np.ones((3, 3)))
    kept = {int(part) for part in np.unique(parts[strong == 1])}
    for part in range(1, count + 1):
        assert (strong[parts == part] == 1).all() == (part in kept)


def test_the_channel_that_changes_most_decides_and_alpha_is_black() -> None:
    image = torch.zeros(1, 12, 12, 3)
    image[:, :, 6:, 2] = 1
    assert torch.equal(canny(Image(image)), canny(Image(image[..., 2:])))
    hidden = torch.cat([torch.rand(1, 12, 12, 3), torch.zeros(1, 12, 12, 1)], dim=-1)
    assert canny(Image(hidden)).sum() == 0


def test_a_blur_takes_noise_away(make_image) -> None:
    noisy = make_image(1, 40, 40)
    assert canny(noisy, blur=3.0).sum() < canny(noisy).sum() / 4


def test_thresholds_the_wrong_way_round_are_said(make_image) -> None:
    with pytest.raises(InputError, match="low threshold 300 is above the high one 200"):
        canny(make_image(), 300.0, 200.0)


@pytest.mark.parametrize("near", ["bright", "dark"])
def test_depth_fills_the_range_with_near_in_white(near) -> None:
    depth = Image(torch.stack([grey([[0.2, 0.3], [0.4, 0.6]])[0], grey([[0, 0.5], [0.5, 0.5]])[0]]))
    found = depth_hint(depth, near)
    assert found.shape == (2, 2, 2, 3)
    first = torch.tensor([[0.0, 0.25], [0.5, 1.0]])
    expected = first if near == "bright" else 1 - first
    torch.testing.assert_close(found[0, ..., 0], expected)
    assert found[1].amin() == 0
    assert found[1].amax() == 1


def test_depth_of_a_plain_map_is_black_and_strays_may_be_cut() -> None:
    assert depth_hint(Image(torch.full((1, 4, 4, 1), 0.5)), "dark").sum() == 0
    ramp = torch.linspace(0.4, 0.6, 1000).reshape(1, 20, 50, 1)
    ramp[0, 0, 0], ramp[0, -1, -1] = 0.0, 1.0
    stray, cut = depth_hint(Image(ramp)), depth_hint(Image(ramp), cut=1.0)
    middle = (0, 10, slice(None), 0)
    assert stray[middle].std() < cut[middle].std() / 3
    # Channels are averaged, alpha does not count.
    colours = torch.cat([ramp, ramp, ramp, torch.rand_like(ramp)], dim=-1)
    torch.testing.assert_close(depth_hint(Image(colours)), stray)


def test_tiles_keep_the_colours_and_lose_the_details(make_image) -> None:
    image = make_image(2, 32, 48)
    for shrink, blur in ((4.0, 0.0), (1.0, 4.0)):
        hint = tile_hint(image, shrink, blur)
        assert hint.shape == image.shape
        torch.testing.assert_close(hint.mean((1, 2)), image.mean((1, 2)), atol=0.02, rtol=0)
        steps = [float(x.diff(dim=2).abs().mean()) for x in (hint, image)]
        assert steps[0] < steps[1] / 3
    torch.testing.assert_close(tile_hint(image, 1.0), image)
    assert tile_hint(make_image(1, 6, 8, 4)).shape == (1, 6, 8, 3)
