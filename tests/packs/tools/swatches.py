"""Socket types of the pack's own: a colour that can be seen, a block that is never stored."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated

import PIL.Image
from blake3 import blake3
from pydantic import Field

from nodeflow import InputError, SocketType, node
from nodeflow.values import Codec, Payload


@dataclass(frozen=True)
class Swatch:
    grey: int


class Block:
    """A large thing that can be watched with a weak reference."""

    alive = 0

    def __init__(self, number: int) -> None:
        self.number = number
        Block.alive += 1

    def __del__(self) -> None:
        Block.alive -= 1


def _is(kind: type):
    def verify(value: object) -> None:
        if not isinstance(value, kind):
            raise InputError(f"a {type(value).__name__} is no {kind.__name__}")

    return verify


CODEC = Codec(
    fingerprint=lambda value: blake3(bytes([value.grey])).hexdigest(16),
    size=lambda value: 100,
    encode=lambda value: Payload("json", json.dumps(value.grey).encode()),
    decode=lambda payload: Swatch(json.loads(payload.data)),
    verify=_is(Swatch),
    show=lambda value: [PIL.Image.new("L", (4, 4), value.grey)],
)
BLOCK_CODEC = Codec(
    fingerprint=lambda value: blake3(str(value.number).encode()).hexdigest(16),
    size=lambda value: 1_000_000,
    encode=None,
    decode=None,
    verify=_is(Block),
)
SWATCH = SocketType("Swatch", of=Swatch, codec="tools.swatches:CODEC")
BLOCK = SocketType("Block", of=Block, codec="tools.swatches:BLOCK_CODEC")


@node(version="1")
def swatch(grey: Annotated[int, Field(ge=0, le=255)] = 0) -> Swatch:
    """Make a colour.

    Args:
        grey: How bright.
    """
    return Swatch(grey)


@node(version="1", output="number")
def block_number(block: Block) -> int:
    """Read a block's number.

    Args:
        block: Any block.
    """
    return block.number


@node(version="1", output="block")
def block(after: Block | None = None, number: int = 0) -> Block:
    """Make a block.

    Args:
        after: The block before it.
        number: Its number, if no block is before it.
    """
    return Block(number if after is None else after.number + 1)


@node(version="1", output="most")
def count_blocks(block: Block) -> int:
    """How many blocks are alive.

    Args:
        block: Any block.
    """
    return Block.alive
