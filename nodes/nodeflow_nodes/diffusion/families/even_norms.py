"""Group normalization (Wu and He 2018) of a picture that is never seen whole.

It takes mean and deviation over all places. Over those of a tile they would be the tile's own, and
so would its brightness and colours be; here all tiles are normalized by what they have together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional


class EvenNorms:
    """The group normalizations of a network, for the tiles of one picture after the other."""

    def __init__(self, norms: Sequence[nn.GroupNorm]) -> None:
        # What has a forward of its own already is cared for by somebody else.
        self._norms = [norm for norm in norms if "forward" not in vars(norm)]
        self._seen: dict[nn.GroupNorm, list[Tensor]] = {}

    def __bool__(self) -> bool:
        """Whether there is anything to learn."""
        return bool(self._norms)

    @contextmanager
    def learning(self) -> Iterator[None]:
        """While it is open, all tiles of a picture are shown to the network, one at a time."""
        self._seen = {}
        hooks = [norm.register_forward_pre_hook(self._learn) for norm in self._norms]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    @contextmanager
    def applied(self) -> Iterator[None]:
        """While it is open, normalizations go by what was learned."""
        try:
            for norm, seen in self._seen.items():
                vars(norm)["forward"] = _by(norm, seen)
            yield
        finally:
            for norm in self._seen:
                vars(norm).pop("forward", None)

    def _learn(self, norm: nn.GroupNorm, inputs: tuple[Tensor, ...]) -> None:
        groups = inputs[0].float().reshape(norm.num_groups, -1)
        mean = groups.mean(1)
        moments = torch.stack([mean, groups.var(1, correction=0) + mean**2])
        self._seen.setdefault(norm, []).append(moments)


def _by(norm: nn.GroupNorm, seen: Sequence[Tensor]) -> Callable[[Tensor], Tensor]:
    """Normalization by the moments of all tiles; they are of equal size, so all count alike."""
    mean, square = torch.stack(list(seen)).mean(0)
    each = norm.num_channels // norm.num_groups
    variance = (square - mean**2).clamp_min(0)
    return partial(
        _normalized, norm, mean.repeat_interleave(each), variance.repeat_interleave(each)
    )


def _normalized(norm: nn.GroupNorm, mean: Tensor, variance: Tensor, states: Tensor) -> Tensor:
    # With statistics that are given, each channel has its own factor, as in batch normalization.
    result = functional.batch_norm(
        states.float(), mean, variance, norm.weight.float(), norm.bias.float(), eps=norm.eps
    )
    return result.to(states.dtype)
