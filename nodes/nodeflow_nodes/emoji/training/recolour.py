"""Copies of pictures in other colours, so that "blue apple" is learned as blue and apple."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image

from nodeflow_nodes.emoji.training.data import Picture, Pixels

# Hues of a turn of 256, as in Pillow's HSV.
HUES = {
    "red": 0,
    "orange": 20,
    "yellow": 36,
    "green": 88,
    "blue": 152,
    "purple": 192,
    "pink": 232,
}
COLOUR_WORDS = frozenset(HUES) | {"black", "white", "brown", "grey", "gray", "light"}
TOLERANCE = 22
SATURATED = 80
MINIMUM_PART = 0.6
MINIMUM_AREA = 0.12

Hues = npt.NDArray[np.int64]


def hue_distance(hues: Hues, hue: int) -> Hues:
    """Shortest way round the circle of 256."""
    away = np.abs(hues - hue) % 256
    shortest: Hues = np.minimum(away, 256 - away)
    return shortest


def main_hue(pixels: Pixels) -> tuple[int, float]:
    """The hue most saturated pixels are near, and which part of them is near it.

    That part is 0 where less than an eighth of the picture is saturated: a new hue hardly showed.
    """
    hue, saturation = _hsv(pixels)[..., :2].reshape(-1, 2).T
    hue = hue[saturation > SATURATED]
    if hue.size < MINIMUM_AREA * saturation.size:
        return 0, 0.0
    counts = np.bincount(hue, minlength=256)
    shifts = range(-TOLERANCE, TOLERANCE + 1)
    near = np.sum([np.roll(counts, shift) for shift in shifts], axis=0)
    best = int(np.argmax(near))
    # The window is as wide as its pixels allow; its middle is the mean offset of those in it.
    offset = (hue - best + 128) % 256 - 128
    middle = best + round(float(offset[np.abs(offset) <= TOLERANCE].mean()))
    return middle % 256, near[best] / len(hue)


def recolour(pixels: Pixels, hue: int) -> Pixels:
    """Turn the pixels (H, W, 3) near the main hue to `hue`; greys and other colours stay."""
    hsv = _hsv(pixels)
    old, _ = main_hue(pixels)
    near = (hue_distance(hsv[..., 0], old) <= TOLERANCE) & (hsv[..., 1] > SATURATED // 2)
    hsv[..., 0] = np.where(near, (hsv[..., 0] - old + hue) % 256, hsv[..., 0])
    image = Image.fromarray(hsv.astype(np.uint8), "HSV")
    return np.asarray(image.convert("RGB"))


def _hsv(pixels: Pixels) -> Hues:
    return np.asarray(Image.fromarray(pixels).convert("HSV")).astype(np.int64)


def is_recolourable(picture: Picture, part: float) -> bool:
    """Whether a picture is mainly of one colour and its label names none yet."""
    return part >= MINIMUM_PART and COLOUR_WORDS.isdisjoint(picture.label.split())


def recoloured_copies(
    pictures: list[Picture], pixels: Pixels, per_picture: int
) -> Iterator[tuple[Picture, Pixels]]:
    """Copies in random colours clearly different from the own one, "COLOUR LABEL" as label."""
    chance = random.Random(0)
    for picture, own in zip(pictures, pixels, strict=True):
        hue, part = main_hue(own)
        if not is_recolourable(picture, part):
            continue
        others = [
            word
            for word, target in HUES.items()
            if hue_distance(np.array([hue]), target)[0] > 1.5 * TOLERANCE
        ]
        for word in chance.sample(others, min(per_picture, len(others))):
            copy = Picture(picture.style, f"{word} {picture.label}", ())
            yield copy, recolour(own, HUES[word])
