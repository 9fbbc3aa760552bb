"""Walks where the picture fades as the noise comes, by samplers that know only noise that is added.

With x = (1 - sigma) x0 + sigma noise, x / (1 - sigma) is x0 + ratio noise, where the ratio is
sigma / (1 - sigma). Whatever a sampler says in terms of ln(1 / sigma), or of fresh noise, holds
there as it stands: DPM-Solver's lambda is the logarithm of alpha / sigma (Lu et al. 2022,
arXiv 2206.00927, section 2), and ancestral steps are DDPM's.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from nodeflow_nodes.diffusion.samplers.step import Denoise, Noise, Sigmas

_SMALLEST_PART = 1e-6
"""In place of 0, at which nothing of the picture is left and the ratio would be infinite."""


class Faded:
    """A walk's levels as the network knows them, and as the sampler gets them.

    Attributes:
        ratios: sigma / (1 - sigma) of each level.
    """

    def __init__(self, sigmas: Sequence[float]) -> None:
        self.ratios: Sigmas = [sigma / max(1 - sigma, _SMALLEST_PART) for sigma in sigmas]
        self._sigmas = dict(zip(self.ratios, sigmas, strict=True))

    def sigma(self, ratio: float) -> float:
        """The way back. The walk's own levels come back as they were; a sampler asks for others
        between them."""
        return self._sigmas.get(ratio, ratio / (1 + ratio))

    def begin(self, x: Tensor) -> Tensor:
        """x at the first level, as the sampler gets it."""
        return x / self._part(self.ratios[0])

    def end(self, y: Tensor) -> Tensor:
        """The way back at the last level."""
        return y * self._part(self.ratios[-1])

    def denoise(self, inner: Denoise) -> Denoise:
        """The network's estimate, as the sampler asks for it."""
        return lambda y, ratio: inner(y * self._part(ratio), self.sigma(ratio))

    def noise(self, inner: Noise) -> Noise:
        """The noise between the same levels."""
        return lambda ratio, ratio_next: inner(self.sigma(ratio), self.sigma(ratio_next))

    def _part(self, ratio: float) -> float:
        """How much of the picture is in x."""
        return self.sigma(ratio) / ratio if ratio > 0 else 1.0
