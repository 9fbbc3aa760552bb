"""Processes of one thread each that train one model together, each on its part of every batch.

On a busy machine this is much faster than one process of several threads: those meet at the end of
every operation and wait for the slowest, these meet three times a step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Board:
    """Memory all members see: gradients (members, N), weight updates (N,), the run's progress."""

    gradients: Tensor
    updates: Tensor
    progress: Tensor

    @classmethod
    def of_size(cls, members: int, numbers: int) -> Board:
        board = cls(torch.zeros(members, numbers), torch.zeros(numbers), torch.zeros(1))
        for tensor in (board.gradients, board.updates, board.progress):
            tensor.share_memory_()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return board


class Team:
    """A member's place in the team; member 0 leads."""

    def __init__(self, rank: int, size: int, board: Board, barrier: Barrier) -> None:
        self.rank, self.size, self._board, self._barrier = rank, size, board, barrier

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def agree(self, progress: float) -> float:
        """The leader's progress, on which all members base their learning rate and their end."""
        if self.leads:
            self._board.progress.fill_(progress)
        self._barrier.wait()
        return float(self._board.progress)

    def average_gradients(self, params: Sequence[nn.Parameter]) -> None:
        """Replace the own gradients by their mean over the members."""
        own = slices(self._board.gradients[self.rank], params)
        for place, param in zip(own, params, strict=True):
            if param.grad is not None:
                place.copy_(param.grad)
        self._barrier.wait()
        mean = slices(self._board.gradients.mean(dim=0), params)
        for place, param in zip(mean, params, strict=True):
            if param.grad is not None:
                param.grad.copy_(place)

    def share(
        self, updates: Iterable[tuple[int, Tensor]], weights: Sequence[Tensor]
    ) -> list[Tensor]:
        """Exchange updates: each member gives (number, update) of some weights and gets all."""
        places = slices(self._board.updates, weights)
        for number, update in updates:
            places[number].copy_(update.view_as(places[number]))
        self._barrier.wait()
        return places


def slices(flat: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    """Views of a flat tensor, one after the other in the shapes of `like`."""
    sizes = [one.numel() for one in like]
    parts = torch.split(flat[: sum(sizes)], sizes)
    return [part.view(one.shape) for part, one in zip(parts, like, strict=True)]
