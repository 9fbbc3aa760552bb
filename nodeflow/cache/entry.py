"""What the disk store keeps under a key: the outputs of one node, as bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from nodeflow.values import Payload


@dataclass(frozen=True, slots=True)
class StoredOutput:
    """One output of a node.

    Attributes:
        type: The declared socket type; it names the codec that reads `payload`.
        fingerprint: Digest of the value, as its codec gives it.
    """

    name: str
    type: str
    payload: Payload
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """All outputs of one node.

    Attributes:
        meta: What is to be known without reading the outputs, such as the files of an end node.
        seconds: What it cost to make; dear and small entries stay longest.
    """

    outputs: tuple[StoredOutput, ...]
    meta: Mapping[str, JsonValue] = field(default_factory=dict)
    seconds: float = 0.0
