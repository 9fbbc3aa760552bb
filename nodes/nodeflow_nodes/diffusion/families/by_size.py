"""Families that a part of a model may belong to, as far as its sizes tell. Without torch.

Autoencoders, words and LoRA files carry no name of a family, and several families share sizes.
"""

from __future__ import annotations

from collections.abc import Mapping

from nodeflow_nodes.diffusion.families.flux_keys import FAMILY_FLUX
from nodeflow_nodes.diffusion.families.stable_diffusion_3_keys import FAMILY_3
from nodeflow_nodes.diffusion.families.stable_diffusion_keys import FAMILY, FAMILY_XL

BY_LATENT: Mapping[int, tuple[str, ...]] = {4: (FAMILY, FAMILY_XL), 16: (FAMILY_FLUX, FAMILY_3)}
"""By the channels of a latent."""
OF_UNETS: Mapping[int, str] = {768: FAMILY, 1024: FAMILY, 1280: FAMILY_XL, 2048: FAMILY_XL}
"""By the width of the text that a UNet takes."""
BY_WORDS: Mapping[int, tuple[str, ...]] = {
    768: (FAMILY,),
    1024: (FAMILY,),
    1280: (FAMILY_XL,),
    768 + 1280: (FAMILY_3, FAMILY_XL),
    4096: (FAMILY_FLUX, FAMILY_3),
}
"""By the widths of learned words, for all text encoders of a model together."""
