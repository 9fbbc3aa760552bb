"""Which family a single safetensors file belongs to, by the names and shapes of its tensors.

Without torch: checks before a run read headers only. Each family's reader stands in a file of its
own, `<family>_keys.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from nodeflow_nodes.diffusion.families.flux_keys import find_flux
from nodeflow_nodes.diffusion.families.stable_diffusion_3_keys import find_stable_diffusion_3
from nodeflow_nodes.diffusion.families.stable_diffusion_keys import (
    FAMILY,
    FAMILY_XL,
    find_stable_diffusion,
)
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.diffusion.model_file import Found

Fingerprint = Callable[[TensorTable], Found | None]
"""What a family finds in a file, or None if the file is not one of its own."""

FINGERPRINTS: tuple[Fingerprint, ...] = (find_flux, find_stable_diffusion_3, find_stable_diffusion)
"""Asked in order; the first that finds something decides. The last takes an autoencoder for one
that comes alone."""

UNETS = {FAMILY: "Stable Diffusion 1 and 2", FAMILY_XL: "Stable Diffusion XL"}
"""The families whose network is a UNet, as people call them; all others have transformers."""

KNOWN = "Stable Diffusion 1, 2, XL, 3 and 3.5, Flux 1"
"""The architectures that they find, for sentences."""
