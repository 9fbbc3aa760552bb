"""Write the trained model into the package: `python -m nodeflow_nodes.emoji.training.export`.

The half-precision folder in diffusers layout takes the place of the older one by renaming, so that
a reader finds either. `network.pt` may still be in training.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import (
    StableDiffusionPipeline,
)
from safetensors.torch import save_file
from torch import nn

from nodeflow_nodes.emoji.training import diffusion
from nodeflow_nodes.emoji.training.autoencoder import load_autoencoder
from nodeflow_nodes.emoji.training.model import CHECKPOINT, Network, load_network
from nodeflow_nodes.emoji.training.tokenizer import save_tokenizer
from nodeflow_nodes.emoji.training.upscaler import CHECKPOINT as UPSCALER_CHECKPOINT
from nodeflow_nodes.emoji.training.upscaler import load_upscaler
from nodeflow_nodes.emoji.training.work import add_work_option, ensure_folder, replace_atomically

MODELS = Path(__file__).resolve().parent.parent / "models"


def model_folder(models: Path = MODELS) -> Path:
    return models / "checkpoints" / "emoji"


def upscaler_file(models: Path = MODELS) -> Path:
    return models / "upscalers" / "emoji_x4.safetensors"


def build_pipeline(
    vae: AutoencoderKL, network: Network, scaling_factor: float
) -> StableDiffusionPipeline:
    """The parts in half precision, as StableDiffusionPipeline expects them."""
    vae.register_to_config(scaling_factor=scaling_factor)  # type: ignore[no-untyped-call]  # by diffusers
    for part in (vae, network):
        nn.Module.to(part, torch.float16)
    # diffusers types the scheduler by an enumeration of names, and the absent parts as required.
    parts: dict[str, Any] = {
        "vae": vae,
        "text_encoder": network.text,
        "tokenizer": network.tokenizer,
        "unet": network.unet,
        "scheduler": diffusion.build_scheduler(),
        "safety_checker": None,
        "feature_extractor": None,
        "requires_safety_checker": False,
    }
    return StableDiffusionPipeline(**parts)


def export_model(work: Path, folder: Path) -> None:
    """Replace `folder` by the averaged weights of the checkpoints."""
    network, scaling_factor = load_network(work)
    fresh, stale = folder.with_name(folder.name + ".new"), folder.with_name(folder.name + ".old")
    for leftover in (fresh, stale):
        shutil.rmtree(leftover, ignore_errors=True)
    build_pipeline(load_autoencoder(work), network, scaling_factor).save_pretrained(fresh)
    save_tokenizer(network.merges, fresh / "tokenizer")
    load_as_float32(fresh / "text_encoder" / "config.json")
    for path in fresh.rglob("*.safetensors"):
        path.chmod(0o644)  # the libraries write weights for their owner alone
    if folder.exists():
        folder.rename(stale)
    fresh.rename(folder)
    shutil.rmtree(stale, ignore_errors=True)


def load_as_float32(config: Path) -> None:
    """Have transformers load half-precision weights in float32 unless told, as diffusers does.

    Otherwise a pipeline loaded without naming a precision would mix the two and fail.
    """
    settings = json.loads(config.read_text())
    config.write_text(json.dumps(settings | {"dtype": "float32"}, indent=2) + "\n")


def export_upscaler(work: Path, file: Path) -> None:
    state = load_upscaler(work).state_dict()
    weights = {name: tensor.half().contiguous() for name, tensor in state.items()}
    ensure_folder(file.parent)
    replace_atomically(file, lambda temporary: save_file(weights, temporary))


def folder_size(folder: Path) -> int:
    """Bytes of all files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    parser = argparse.ArgumentParser(description="Export the trained checkpoints.")
    add_work_option(parser)
    parser.add_argument("--models", type=Path, default=MODELS, help="folder of exported models")
    arguments = parser.parse_args()
    if (arguments.work / CHECKPOINT).exists():
        folder = model_folder(arguments.models)
        ensure_folder(folder.parent)
        export_model(arguments.work, folder)
        print(f"{folder}: {folder_size(folder) / 1e6:.1f} MB")
    if (arguments.work / UPSCALER_CHECKPOINT).exists():
        file = upscaler_file(arguments.models)
        export_upscaler(arguments.work, file)
        print(f"{file}: {file.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
