"""The contact sheet: fixed prompts, the seed of each being its place in the list."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

PROMPTS = (
    "red apple",
    "a green apple",
    "fluent emoji of strawberry",
    "noto emoji of strawberry",
    "a banana",
    "avocado",
    "hamburger",
    "slice of pizza",
    "hot beverage",
    "birthday cake",
    "fluent emoji of fox",
    "noto emoji of fox",
    "a cat face",
    "dog",
    "a panda",
    "an elephant",
    "an octopus",
    "butterfly",
    "tropical fish",
    "penguin",
    "rocket",
    "fluent emoji of sailboat",
    "a bicycle",
    "fire engine",
    "house with garden",
    "castle",
    "volcano",
    "rainbow",
    "snowman",
    "sun with face",
    "fluent emoji of red heart",
    "noto emoji of blue heart",
    "grinning face",
    "smiling face with sunglasses",
    "crying face",
    "robot",
    "ghost",
    "pile of poo",
    "guitar",
    "trophy",
    "soccer ball",
    "light bulb",
    "old key",
    "closed umbrella",
    # The first is a colour it has never seen on a banana; the others are beyond the model, which
    # knows emoji, no scenes, counts, writing or people.
    "a pink banana",
    "three cats on a sofa",
    "the word hello",
    "portrait of a woman",
)
COLUMNS = 8
CELL = 128
CAPTION = 18


def contact_sheet(pictures: Tensor) -> Image.Image:
    """Pictures (48, 3, 256, 256) in [0, 1] in rows of eight, each above its prompt."""
    rows = -(-len(PROMPTS) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * CELL, rows * (CELL + CAPTION)), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(10)
    values = (pictures.permute(0, 2, 3, 1) * 255).round().to(torch.uint8).numpy()
    for place, (prompt, value) in enumerate(zip(PROMPTS, values, strict=True)):
        x, y = place % COLUMNS * CELL, place // COLUMNS * (CELL + CAPTION)
        sheet.paste(Image.fromarray(value).resize((CELL, CELL), Image.Resampling.LANCZOS), (x, y))
        text = f"{place}: {prompt}"
        while pen.textlength(text, font) > CELL - 4:
            text = text[:-2] + "…"
        pen.text((x + CELL / 2, y + CELL), text, "black", font, anchor="ma")
    return sheet


def save_sheet(sheet: Image.Image, path: Path) -> None:
    """As a palette PNG, a third of the size and hardly different at this scale."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)
