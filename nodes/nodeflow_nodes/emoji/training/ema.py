"""Exponential moving average of a module's parameters."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Ema:
    """The averaged weights; `decay` is reached gradually, as a young average follows faster."""

    def __init__(self, modules: nn.Module, decay: float) -> None:
        self._live = list(modules.parameters())
        self._decay = decay
        self._steps = 0
        self.weights = [p.detach().clone() for p in self._live]

    @torch.no_grad()
    def update(self) -> None:
        self._steps += 1
        decay = min(self._decay, (1 + self._steps) / (10 + self._steps))
        torch._foreach_lerp_(self.weights, [p.detach() for p in self._live], 1 - decay)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange live and averaged weights; a second call brings the live ones back."""
        for live, mean in zip(self._live, self.weights, strict=True):
            held = live.detach().clone()
            live.copy_(mean)
            mean.copy_(held)

    def state(self) -> dict[str, object]:
        return {"steps": self._steps, "weights": self.weights}

    def load(self, steps: int, weights: list[Tensor]) -> None:
        self._steps = steps
        for own, saved in zip(self.weights, weights, strict=True):
            own.copy_(saved)
