"""Muon (Jordan et al. 2024): momentum whose matrices are orthogonalised before the step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from nodeflow_nodes.emoji.training.team import Team


def orthogonalise(matrix: Tensor, iterations: int = 5) -> Tensor:
    """Bring all singular values of a matrix (M, N) near 1 by the quintic Newton-Schulz iteration.

    The coefficients are Jordan's: they converge fast rather than exactly, to about 0.7 ... 1.2.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    x: Tensor = matrix.bfloat16()
    if tall := x.size(0) > x.size(1):
        x = x.T
    x = x / (x.norm() + 1e-7)
    for _ in range(iterations):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    update: Tensor = x.T if tall else x
    return update.to(matrix.dtype)


class Muon(torch.optim.Optimizer):
    """For weight matrices and convolutions, which count as matrices (out, in * height * width).

    Each member of the team orthogonalises its share of the matrices.
    """

    def __init__(
        self, params: Sequence[Tensor], lr: float, team: Team, momentum: float = 0.95
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})
        self._team = team

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # needs no closure
        for group in self.param_groups:
            updates = self._team.share(
                self._own_updates(group["params"], group["momentum"]), group["params"]
            )
            for weight, update in zip(group["params"], updates, strict=True):
                # A step as large as AdamW's, so that rates compare (Liu et al. 2025).
                scale = 0.2 * max(update.flatten(1).shape) ** 0.5
                weight.add_(update, alpha=-group["lr"] * scale)

    def _own_updates(
        self, weights: Sequence[Tensor], momentum: float
    ) -> Iterator[tuple[int, Tensor]]:
        # Dealt out by size, so that the members have equally much to do.
        by_size = sorted(range(len(weights)), key=lambda number: -weights[number].numel())
        for turn, number in enumerate(by_size):
            weight = weights[number]
            if weight.grad is None:
                raise ValueError(f"Weight {number} of shape {tuple(weight.shape)} has no gradient.")
            average = self.state[weight].setdefault("momentum", torch.zeros_like(weight))
            average.lerp_(weight.grad, 1 - momentum)
            if turn % self._team.size == self._team.rank:
                yield number, orthogonalise(weight.grad.lerp(average, momentum).flatten(1))
