"""The contact sheet: many pictures on one, with labels in the font that Pillow brings along."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from typing import Annotated

import PIL.Image
from PIL import ImageDraw, ImageFont
from pydantic import Field

from nodeflow import Image, InputError, node
from nodeflow.pictures import MAX_PIXELS
from nodeflow.tensors import pictures
from nodeflow_nodes.image.colours import Colour, read_colour
from nodeflow_nodes.image.pixels import from_pil

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
MOST_LINES = 3
"""Lines of a label at most."""


@dataclass(frozen=True)
class _Grid:
    """Where cells and labels lie; all in pixels."""

    columns: int
    rows: int
    width: int
    height: int
    gap: int
    label: int

    @property
    def size(self) -> tuple[int, int]:
        across = self.columns * (self.width + self.gap) + self.gap
        return across, self.rows * (self.height + self.label + self.gap) + self.gap

    def corner(self, index: int) -> tuple[int, int]:
        row, column = divmod(index, self.columns)
        x = self.gap + column * (self.width + self.gap)
        return x, self.gap + row * (self.height + self.label + self.gap)


@node(title="Contact sheet", category="image/compose", version="1")
def contact_sheet(
    images: list[Image],
    labels: list[str] | None = None,
    columns: Annotated[int, Field(ge=0, le=100)] = 0,
    gap: Annotated[int, Field(ge=0, le=200)] = 8,
    text_size: Annotated[int, Field(ge=6, le=200)] = 14,
    background: Colour = "white",
    text_colour: Colour = "black",
) -> Image:
    """Draw many pictures side by side on one, row by row, with a label below each.

    Args:
        images: The pictures, of any size; each batch counts as many.
        labels: One text for each picture, on up to three lines; what is longer is shortened.
        columns: Pictures in a row; 0 makes the sheet about square.
        gap: Space between pictures and around them, in pixels.
        text_size: Height of the labels' letters, in pixels.
        background: Colour of the sheet; one that is not opaque gives it an alpha channel.
        text_colour: Colour of the labels.

    Raises:
        InputError: There is no picture, the labels are not as many, or the sheet is too large.
    """
    cells = [picture for image in images for picture in pictures(image)]
    if not cells:
        raise InputError("there is no picture for the contact sheet; link at least one")
    if labels and len(labels) != len(cells):
        raise InputError(
            f"there are {len(labels)} labels for {len(cells)} pictures; give one for each, or none"
        )
    columns = min(columns or math.ceil(math.sqrt(len(cells))), len(cells))
    width, font = max(cell.width for cell in cells), ImageFont.load_default(text_size)
    texts = [_wrapped(_drawable(label), font, width) for label in labels or []]
    grid = _Grid(
        columns=columns,
        rows=math.ceil(len(cells) / columns),
        width=width,
        height=max(cell.height for cell in cells),
        gap=gap,
        label=_line_height(text_size) * max(map(len, texts), default=0),
    )
    sheet = _blank(grid, background)
    for index, cell in enumerate(cells):
        x, y = grid.corner(index)
        place = (x + (grid.width - cell.width) // 2, y + (grid.height - cell.height) // 2)
        sheet.alpha_composite(cell.convert("RGBA"), place)
    draw, ink = ImageDraw.Draw(sheet), _eight_bit(text_colour)
    for index, lines in enumerate(texts):
        x, y = grid.corner(index)
        for number, line in enumerate(lines):
            middle = y + grid.height + (number + 0.5) * _line_height(text_size)
            draw.text((x + grid.width / 2, middle), line, fill=ink, font=font, anchor="mm")
    opaque = sheet.getchannel("A").getextrema() == (255, 255)
    return from_pil(sheet.convert("RGB") if opaque else sheet)[0]


def _blank(grid: _Grid, background: str) -> PIL.Image.Image:
    width, height = grid.size
    if width * height > MAX_PIXELS:
        raise InputError(
            f"the contact sheet would be {width} x {height}, more than the limit of "
            f"{MAX_PIXELS // 10**6} megapixels; make the pictures smaller or fewer"
        )
    return PIL.Image.new("RGBA", grid.size, _eight_bit(background))


def _line_height(text_size: int) -> int:
    return text_size * 4 // 3


def _drawable(text: str) -> str:
    """`text` without accents: Pillow's own font knows no others than the letters of ASCII."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(part for part in parts if not unicodedata.combining(part))


def _wrapped(text: str, font: Font, width: int) -> list[str]:
    """The words of `text` in lines that fit; the last one shortened if there are too many."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and (len(lines) == MOST_LINES or font.getlength(longer) <= width):
            lines[-1] = longer
        else:
            lines.append(word)
    return [_shortened(line, font, width) for line in lines]


def _shortened(text: str, font: Font, width: int) -> str:
    """The longest beginning of `text` that fits, with three dots if something is missing."""
    kept = min(len(text), width)  # a letter is at least a pixel wide
    while kept and font.getlength(_dotted(text, kept)) > width:
        kept -= 1
    return _dotted(text, kept) if kept else ""


def _dotted(text: str, kept: int) -> str:
    return text if kept == len(text) else text[:kept].rstrip() + "..."


def _eight_bit(colour: str) -> tuple[int, int, int, int]:
    red, green, blue, alpha = (round(channel * 255) for channel in read_colour(colour))
    return (red, green, blue, alpha)
