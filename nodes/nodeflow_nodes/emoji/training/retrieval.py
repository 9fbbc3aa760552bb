"""The measure of the network: is the picture that was asked for the nearest one to the drawing?"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Retrieval:
    """Parts (0 to 1) of the captions whose picture is the nearest, or among the ten nearest."""

    nearest: float
    top_ten: float

    def __str__(self) -> str:
        return f"nearest {self.nearest:.1%}, among the ten nearest {self.top_ten:.1%}"


def ranks(drawn: Tensor, pictures: Tensor, asked: Tensor) -> Tensor:
    """Rank (from 0) of picture `asked[i]` by Euclidean distance from drawing i, all flattened."""
    distance = torch.cdist(drawn.flatten(1), pictures.flatten(1))
    own = distance.gather(1, asked.view(-1, 1))
    return (distance < own).sum(dim=1)


def retrieval(drawn: Tensor, pictures: Tensor, asked: Tensor) -> Retrieval:
    place = ranks(drawn, pictures, asked)
    return Retrieval(float((place < 1).float().mean()), float((place < 10).float().mean()))


def asked_pictures(total: int, count: int) -> Tensor:
    """The fixed sample of pictures whose captions are asked."""
    return torch.randperm(total, generator=torch.Generator().manual_seed(1234))[:count]
