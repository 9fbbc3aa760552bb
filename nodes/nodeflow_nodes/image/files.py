"""Nodes that read and write picture files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field
from torch import Tensor

from nodeflow import File, Image, InputError, Mask, OutputFiles, Progress, node
from nodeflow.pictures import SUFFIXES, PictureFormat, open_checked, write_picture
from nodeflow.tensors import pictures
from nodeflow_nodes.image.pixels import from_pil, same_batch


class Loaded(NamedTuple):
    """A picture from a file.

    Attributes:
        image: The picture, upright: grey, RGB, or RGBA if the file has transparency.
        mask: Its alpha: 1 where the picture is opaque, and everywhere if it has no transparency.
    """

    image: Image
    mask: Mask


@node(title="Load image", category="image", version="1", on="io")
def load(file: Annotated[Path, File("inputs")]) -> Loaded:
    """Load a picture: PNG, JPEG, WebP, GIF (its first frame) or BMP.

    Args:
        file: The picture's file among your inputs; at most 256 megapixels.

    Raises:
        InputError: The file is missing, damaged, too large or of another format.
    """
    return Loaded(*from_pil(open_checked(file)))


@node(title="Save image", category="image", version="1", on="io")
def save(
    image: Image,
    name: Annotated[str, Field(min_length=1, max_length=200)] = "{workflow}",
    format: Literal["png", "jpeg", "webp"] = "png",
    quality: Annotated[int, Field(ge=1, le=100)] = 90,
    embed_workflow: bool = True,
    *,
    files: OutputFiles,
    progress: Progress,
) -> None:
    """Save every picture of a batch to a file of its own; nothing is ever overwritten.

    Args:
        image: The pictures to save.
        name: Name without number and ending; `/` makes folders, and `{workflow}`, `{node}`,
            `{date}` and `{time}` are filled in.
        format: PNG loses nothing; JPEG has no transparency and lies over white; WebP is small.
        quality: For JPEG and WebP; WebP at 100 loses nothing.
        embed_workflow: Write this workflow into the file, so that the file can be run again.
    """
    kinds: dict[str, PictureFormat] = {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP"}
    _write(image, name, kinds[format], quality, files.workflow * embed_workflow, files, progress)


@node(title="Show image", category="image", version="1", on="io")
def show(image: Image, *, files: OutputFiles, progress: Progress) -> None:
    """Show pictures in the editor; they are kept as PNG in the folder `previews`.

    Args:
        image: The pictures to show.
    """
    _write(image, "previews/{node}", "PNG", 100, files.workflow, files, progress)


@node(title="Compare images", category="image", version="1", on="io")
def compare(a: Image, b: Image, *, files: OutputFiles, progress: Progress) -> None:
    """Show two pictures under one divider in the editor: dragging it reveals more of one or the
    other. They are kept as PNG in the folder `previews`, and sizes may differ.

    Args:
        a: The pictures at the left of the divider.
        b: The pictures at the right, one for each of `a`; a single one goes with all of the other.
    """
    _refuse_empty(a, b)
    left, right = same_batch(a, b)
    for index in range(len(left)):
        # In turns, as the editor takes them in pairs.
        for side, batch in (("a", left), ("b", right)):
            _write_one(batch, index, f"previews/{{node}}_{side}", "PNG", 100, files.workflow, files)
        progress(index + 1, len(left))


def _refuse_empty(*images: Tensor) -> None:
    if not all(map(len, images)):
        raise InputError("the batch holds no picture; there is nothing to write")


def _write(
    image: Image,
    name: str,
    format: PictureFormat,
    quality: int,
    workflow: str,
    files: OutputFiles,
    progress: Progress,
) -> None:
    _refuse_empty(image)
    for index in range(len(image)):
        _write_one(image, index, name, format, quality, workflow, files)
        progress(index + 1, len(image))


def _write_one(
    image: Tensor,
    index: int,
    name: str,
    format: PictureFormat,
    quality: int,
    workflow: str,
    files: OutputFiles,
) -> None:
    # One at a time: a long batch need not stand in memory twice.
    (picture,) = pictures(Image(image[index : index + 1]))
    with files.create(name, SUFFIXES[format]) as file:
        write_picture(file, picture, format, workflow, quality)
