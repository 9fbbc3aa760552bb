"""When memory runs out: what is not in use is let go of, then work is done in smaller parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor

from nodeflow import (
    ModelMemory,
    NodeflowError,
    OutOfMemoryError,
    check_cancelled,
    is_out_of_memory,
)
from nodeflow_nodes.diffusion.families.family import Autoencoder
from nodeflow_nodes.diffusion.tiles import Tiling, decoded_in_tiles, encoded_in_tiles

T = TypeVar("T")

_TILES = (1024, 512, 256, 128, 64)
"""Longest sides of tiles that are tried, in pixels; an eighth of a tile overlaps the next."""
_SMALLER = "make the picture smaller, or fewer at a time, or close what else uses the memory"

SMALLER_MODEL = (
    "use the model in a smaller precision, by --precision bf16 or the node quantize, or close what "
    "else uses the memory"
)


@dataclass(frozen=True)
class Way(Generic[T]):
    """One way to do a piece of work.

    Attributes:
        name: How, as in "tiles of 512 pixels".
        work: Does it.
    """

    name: str
    work: Callable[[], T]


def by_some_way(models: ModelMemory, ways: Iterator[Way[T]], advice: str = _SMALLER) -> T:
    """What the first way gives that finds memory enough; each change is said in the run's log.

    Args:
        models: What is loaded; those that nobody uses are let go of before the second way.
        ways: From the best to the one that needs the least.
        advice: What people can do if none does.

    Raises:
        OutOfMemoryError: There is too little for all of them.
    """
    names: list[str] = []
    for way in ways:
        if names:
            say_less(f"going on with {way.name}")
        names.append(way.name)
        result = tried(way.work)
        if result is None and len(names) == 1 and models.give_way():
            result = tried(way.work)
        if result is not None:
            return result
    raise OutOfMemoryError(f"out of memory, with {', '.join(names)}; {advice}")


def say_less(what: str) -> None:
    """Say in the node's log how it goes on: what is printed stands there."""
    print(f"Out of memory: {what}.")


def tried(work: Callable[[], T]) -> T | None:
    """What comes of work; None if there is too little memory, all of which is free again then."""
    try:
        return work()
    except (RuntimeError, MemoryError, NodeflowError) as error:
        if not is_out_of_memory(error):
            raise
    # Only here, after the error, nobody holds the tensors of the attempt any more.
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return None


def in_room(models: ModelMemory, work: Callable[[], T]) -> T:
    """What comes of work that cannot be done in parts, if need be in place of models that nobody
    uses.

    Raises:
        OutOfMemoryError: There is too little memory.
    """
    return by_some_way(models, iter([Way("the whole at once", work)]), SMALLER_MODEL)


def decoded(network: Autoencoder, latents: Tensor, models: ModelMemory) -> Tensor:
    """Pictures of latents: whole, or in tiles where memory is too small for that.

    Raises:
        NodeflowError: It is too small for the smallest tiles.
    """
    sides = max(latents.shape[-2:])

    def work(tiling: Tiling) -> Tensor:
        return decoded_in_tiles(network, latents, tiling, _stops)

    return by_some_way(
        models, _ways(network, len(latents), sides, lambda: network.decode(latents), work)
    )


def encoded_whole_or_not(
    network: Autoencoder, images: Tensor, noise: Tensor | None, models: ModelMemory
) -> Tensor:
    """Latents of pictures, as `decoded` makes pictures of them."""
    sides = max(images.shape[1:3]) // network.downscale

    def work(tiling: Tiling) -> Tensor:
        return encoded_in_tiles(network, images, noise, tiling, _stops)

    return by_some_way(
        models, _ways(network, len(images), sides, lambda: network.encode(images, noise), work)
    )


def in_tiles(
    network: Autoencoder,
    side: int,
    tiling: Tiling,
    tiled: Callable[[Tiling], Tensor],
    models: ModelMemory,
) -> Tensor:
    """What comes of tiles of a size, or of smaller ones where memory is too small for those.

    Args:
        network: What computes them.
        side: The longer side of the latent, in latent pixels.
        tiling: The size to begin with.
        tiled: Computes all tiles.
        models: What is loaded; what is not in use leaves if memory runs out.

    Raises:
        OutOfMemoryError: Memory is too small for the smallest tiles.
    """

    def ways() -> Iterator[Way[Tensor]]:
        yield Way(f"tiles of {tiling.tile * network.downscale} pixels", lambda: tiled(tiling))
        yield from _tiles(network, min(side, tiling.tile), tiled)

    return by_some_way(models, ways())


def _ways(
    network: Autoencoder,
    count: int,
    side: int,
    whole: Callable[[], Tensor],
    tiled: Callable[[Tiling], Tensor],
) -> Iterator[Way[Tensor]]:
    """All at once, each picture by itself, then tiles of it; `side` is in latent pixels."""
    yield Way("whole pictures", whole)
    if count > 1:
        yield Way("one picture at a time", lambda: tiled(Tiling(side, 0)))
    yield from _tiles(network, side, tiled)


def _tiles(
    network: Autoencoder, side: int, tiled: Callable[[Tiling], Tensor]
) -> Iterator[Way[Tensor]]:
    """Tiles that are smaller than a side, which is in latent pixels."""
    for pixels in _TILES:
        tiling = Tiling(max(pixels // network.downscale, 1), pixels // network.downscale // 8)
        if tiling.tile < side:
            name = f"tiles of {pixels} pixels, which change the picture a little"
            yield Way(name, lambda tiling=tiling: tiled(tiling))  # type: ignore[misc]


def _stops(done: int, total: int) -> None:
    """Nothing is told of tiles, but a cancelled run stops between them."""
    check_cancelled()
