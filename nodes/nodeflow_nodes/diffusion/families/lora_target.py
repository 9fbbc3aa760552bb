"""Where a layer of a LoRA goes in a network. Without torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A module that a layer of a LoRA changes.

    Attributes:
        module: Its name in the network.
        start: First of the layer's rows that are this module's: a layer may be for several modules
            whose matrices the first code had as one.
        stop: Row after the last; None for all that follow.
        swapped: The network has the two halves of the rows the other way round.
    """

    module: str
    start: int = 0
    stop: int | None = None
    swapped: bool = False


Places = dict[str, tuple[Target, ...]]
"""Names of modules, with dots, to what they stand for."""
