"""Measure the exported model: `python -m nodeflow_nodes.emoji.training.evaluate`.

Prints how often the picture asked for is the one drawn, how well the autoencoder gives pictures
back and how long a drawing takes, and writes the contact sheet. Needs the pictures of `data`.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import (
    StableDiffusionPipeline,
)
from spandrel import ImageModelDescriptor, ModelLoader
from torch import Tensor

from nodeflow_nodes.emoji.training import captions, diffusion
from nodeflow_nodes.emoji.training.autoencoder import encode_all, mean_psnr
from nodeflow_nodes.emoji.training.data import load_pictures, load_pixels
from nodeflow_nodes.emoji.training.export import MODELS, model_folder, upscaler_file
from nodeflow_nodes.emoji.training.model import tokenize
from nodeflow_nodes.emoji.training.retrieval import Retrieval, asked_pictures, retrieval
from nodeflow_nodes.emoji.training.sheet import PROMPTS, contact_sheet, save_sheet
from nodeflow_nodes.emoji.training.work import add_work_option

STEPS = 20
GUIDANCE = 4.0
BATCH = 50


@dataclass(frozen=True)
class Embedded:
    """The exported model in float32 and its upscaler, as their users load them."""

    pipeline: StableDiffusionPipeline
    upscaler: ImageModelDescriptor

    @torch.no_grad()
    def latents(self, texts: list[str], seeds: list[int]) -> Tensor:
        """Draw scaled latents (N, 16, 8, 8), in batches, by diffusers' DDIM."""
        pipe = self.pipeline
        parts = []
        for start in range(0, len(texts), BATCH):
            tokens = tokenize(pipe.tokenizer, [*texts[start : start + BATCH], ""])
            encoded = pipe.text_encoder(tokens).last_hidden_state
            noise = diffusion.seeded_latents(seeds[start : start + BATCH])
            drawn = diffusion.sample(pipe.unet, encoded[:-1], encoded[-1:], noise, STEPS, GUIDANCE)
            parts.append(drawn)
        return torch.cat(parts)

    @torch.no_grad()
    def pictures(self, latents: Tensor) -> Tensor:
        """Decode and enlarge to (N, 3, 256, 256) in [0, 1]."""
        vae = self.pipeline.vae
        small = vae.decode(latents / vae.config.scaling_factor).sample
        enlarged: Tensor = self.upscaler(((small + 1) / 2).clamp(0, 1))
        return enlarged.clamp(0, 1)


def load_embedded(models: Path) -> Embedded:
    pipeline = StableDiffusionPipeline.from_pretrained(
        model_folder(models), torch_dtype=torch.float32
    )
    upscaler = ModelLoader().load_from_file(upscaler_file(models))
    if not isinstance(upscaler, ImageModelDescriptor):
        raise TypeError(f"{upscaler_file(models)} is not an upscaler but a {type(upscaler)}.")
    return Embedded(pipeline, upscaler.float().eval())


def measure_retrieval(model: Embedded, work: Path, latents: Tensor, count: int) -> Retrieval:
    """Ask `count` fixed captions with seeds 0, 1, ...; `latents` (N, 16, 8, 8) of all pictures."""
    pictures = load_pictures(work)
    asked = asked_pictures(len(pictures), count)
    texts = [captions.full_caption(pictures[int(row)]) for row in asked]
    return retrieval(model.latents(texts, list(range(count))), latents, asked)


def measure_seconds(model: Embedded) -> float:
    """Wall time of one warm drawing, text to 256 pixels, on two threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    model.pictures(model.latents(["a red apple"], [0]))
    start = time.perf_counter()
    model.pictures(model.latents(["a red apple"], [1]))
    seconds = time.perf_counter() - start
    torch.set_num_threads(threads)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the exported model.")
    add_work_option(parser)
    parser.add_argument("--models", type=Path, default=MODELS, help="folder of exported models")
    parser.add_argument("--captions", type=int, default=200, help="captions asked")
    parser.add_argument("--sheet", type=Path, help="where to write the contact sheet, a PNG")
    arguments = parser.parse_args()
    model = load_embedded(arguments.models)
    if arguments.sheet:
        latents = model.latents(list(PROMPTS), list(range(len(PROMPTS))))
        save_sheet(contact_sheet(model.pictures(latents)), arguments.sheet)
    print(f"one drawing with enlargement: {measure_seconds(model):.2f} s", flush=True)
    vae = model.pipeline.vae
    pixels = torch.from_numpy(load_pixels(arguments.work, 64))
    print(f"reconstruction: {mean_psnr(vae, pixels):.2f} dB, {len(pixels)} pictures", flush=True)
    latents = encode_all(vae, pixels) * vae.config.scaling_factor
    found = measure_retrieval(model, arguments.work, latents, arguments.captions)
    print(f"{arguments.captions} captions of {len(latents)}: {found}")


if __name__ == "__main__":
    main()
