"""What step caches save, and what they cost in the picture.

    .venv/bin/python benchmarks/step_caches.py                    # a network of random weights
    .venv/bin/python benchmarks/step_caches.py FILE TEXTS...      # your own

Each cache draws the same picture as the network without one, in turn; the column `PSNR` compares
the latents. Random weights change more from step to step than trained ones, so only your own model
says which threshold is right for it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from nodeflow_nodes.diffusion.load import load_denoiser, load_text_encoder
from nodeflow_nodes.diffusion.sampling import sample
from nodeflow_nodes.diffusion.step_cache import first_block_cache, taylor_seer_cache
from nodeflow_nodes.diffusion.text import encode_text
from rich.console import Console
from rich.table import Table
from torch import Tensor

from nodeflow import Conditioning, Latent, Model, ModelMemory, Progress
from nodeflow.devices import find_device

WORDS, ROUNDS = ("a red apple on a table", "blurred"), 1


def random_network(folder: Path) -> tuple[Model, tuple[Conditioning, Conditioning]]:
    """The architecture of Stable Diffusion 3, half as deep and a third as wide; and prompts."""
    from diffusers import SD3Transformer2DModel
    from safetensors.torch import save_file

    torch.manual_seed(0)
    network = SD3Transformer2DModel(
        sample_size=32, num_layers=12, attention_head_dim=64, num_attention_heads=8,
        joint_attention_dim=4096, caption_projection_dim=512, pooled_projection_dim=2048,
        pos_embed_max_size=96, qk_norm="rms_norm",
    )  # fmt: skip
    file = folder / "random.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, file)
    yes, no = (Conditioning(torch.randn(1, 77, 4096), torch.randn(1, 2048)) for _ in WORDS)
    return load_denoiser(file), (yes, no)


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("file", nargs="?", type=Path, help="a network, alone or in a model")
    reader.add_argument("text_encoders", nargs="*", type=Path, help="files with its text encoders")
    reader.add_argument("--side", type=int, default=256, help="pixels")
    reader.add_argument("--steps", type=int, default=20)
    reader.add_argument("--guidance", type=float, default=5.0)
    options = reader.parse_args()
    models, device = ModelMemory(16 << 30), find_device("auto", "auto", None).device
    with tempfile.TemporaryDirectory() as place:
        if options.file is None:
            model, prompts = random_network(Path(place))
        else:
            model = load_denoiser(options.file)
            encoder = load_text_encoder(*(options.text_encoders or [options.file]))
            yes, no = (encode_text(encoder, text, models=models, device=device) for text in WORDS)
            prompts = (yes, no)
        empty = Latent(torch.zeros(1, 16, options.side // 8, options.side // 8))

        def drawn(model: Model) -> tuple[float, Tensor]:
            services: dict[str, Any] = {"progress": Progress(), "models": models, "device": device}
            start = time.perf_counter()
            settings = {"steps": options.steps, "guidance": options.guidance}
            found = sample(model, *prompts, empty, **settings, **services)
            return time.perf_counter() - start, found.samples

        compare(model, drawn)


def compare(model: Model, drawn: Any) -> None:
    """Print a table of all caches beside the network without one."""
    caches: dict[str, Model] = {
        **{f"first_block_cache {t:g}": first_block_cache(model, t) for t in (0.05, 0.1, 0.2, 0.4)},
        **{f"taylor_seer_cache {n}": taylor_seer_cache(model, n) for n in (2, 3, 5)},
    }
    drawn(model)
    found = Table("cache", "seconds", "to none", "PSNR")
    for name, cached in caches.items():
        rounds = [(drawn(model), drawn(cached)) for _ in range(ROUNDS)]
        plain = min(one[0] for one, _ in rounds)
        taken = min(other[0] for _, other in rounds)
        (_, expected), (_, picture) = rounds[0]
        found.add_row(name, f"{taken:.1f}", f"{taken / plain:.2f} x", psnr(picture, expected))
    Console().print(found)


def psnr(found: Tensor, expected: Tensor) -> str:
    error = (found - expected).square().mean()
    span = expected.max() - expected.min()
    return "same" if not error else f"{10 * torch.log10(span.square() / error):.1f} dB"


if __name__ == "__main__":
    main()
