"""The wordings a picture is trained under."""

from __future__ import annotations

import random

from nodeflow_nodes.emoji.training.data import Picture

EMPTY_PART = 0.1
TAGS_PART = 0.1
# The wording that names picture and style exactly comes most often; the looser ones are what people
# type, and leave the style open.
WORDINGS = (
    ("{style} emoji of {label}", 0.55),
    ("{style} {label}", 0.1),
    ("{label}", 0.15),
    ("{article} {label}", 0.1),
    ("{style} emoji of {article} {label}", 0.05),
    ("{label} emoji", 0.05),
)


def article(label: str) -> str:
    return "an" if label[:1] in "aeiou" else "a"


def full_caption(picture: Picture) -> str:
    """The caption that names exactly this picture; the evaluation asks with it."""
    return f"{picture.style} emoji of {picture.label}"


def draw_caption(picture: Picture, chance: random.Random) -> str:
    """A random wording; empty in a tenth of the cases, for classifier-free guidance."""
    kind = chance.random()
    if kind < EMPTY_PART:
        return ""
    if kind < EMPTY_PART + TAGS_PART and picture.tags:
        return tags_caption(picture, chance)
    texts, weights = zip(*WORDINGS, strict=True)
    wording: str = chance.choices(texts, weights)[0]
    return wording.format(style=picture.style, label=picture.label, article=article(picture.label))


def tags_caption(picture: Picture, chance: random.Random) -> str:
    """The style and a few shuffled words: up to four tags, half the time with the label."""
    words = chance.sample(picture.tags, min(len(picture.tags), chance.randint(1, 4)))
    if chance.random() < 0.5:
        words.append(picture.label)
    chance.shuffle(words)
    return f"{picture.style} emoji of {' '.join(words)}"
