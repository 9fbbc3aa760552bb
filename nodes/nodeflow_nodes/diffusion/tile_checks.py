"""What is known of tiles before a run. Quick to import."""

from __future__ import annotations

from nodeflow import InputError
from nodeflow_nodes.diffusion.hooks import Known, check_decode


def check_tiles(tile: Known, overlap: Known) -> None:
    """Two overlaps must fit into a tile."""
    if isinstance(tile, int) and isinstance(overlap, int) and 2 * overlap > tile:
        raise InputError(
            f"an overlap of {overlap} pixels on both sides does not fit into tiles of {tile} "
            f"pixels; take an overlap of at most {tile // 2}, or larger tiles"
        )


def check_decode_tiled(vae: Known, latent: Known, tile: Known, overlap: Known) -> None:
    """The latent must be of the kind that the autoencoder makes, and tiles must be whole."""
    check_decode(vae, latent)
    check_tiles(tile, overlap)
