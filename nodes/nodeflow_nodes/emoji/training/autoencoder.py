"""Train the autoencoder: `python -m nodeflow_nodes.emoji.training.autoencoder --minutes 16`.

A 64 x 64 picture becomes an 8 x 8 latent of 16 channels and back. Checkpoint: `autoencoder.pt`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor, nn

from nodeflow_nodes.emoji.training.clock import Every
from nodeflow_nodes.emoji.training.data import load_pixels
from nodeflow_nodes.emoji.training.ema import Ema
from nodeflow_nodes.emoji.training.resumable import Resumable
from nodeflow_nodes.emoji.training.work import (
    add_work_option,
    ensure_folder,
    load_checkpoint,
)

CHECKPOINT = "autoencoder.pt"
BATCH = 16
PEAK_RATE = 1e-3
KL_WEIGHT = 3e-7
SECONDS_PER_CHECKPOINT = 300


def build_autoencoder() -> AutoencoderKL:
    """3.9 M parameters; the quantisation convolutions would add nothing to a model this small."""
    levels = (32, 64, 128, 128)
    model: AutoencoderKL = AutoencoderKL(
        block_out_channels=levels,
        down_block_types=("DownEncoderBlock2D",) * len(levels),
        up_block_types=("UpDecoderBlock2D",) * len(levels),
        latent_channels=16,
        layers_per_block=1,
        norm_num_groups=16,
        sample_size=64,
        use_quant_conv=False,
        use_post_quant_conv=False,
    )
    return model


def to_tensor(pixels: Tensor) -> Tensor:
    """uint8 (N, S, S, 3) to float (N, 3, S, S) in [-1, 1], channels last in memory."""
    return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1


def psnr(picture: Tensor, target: Tensor) -> Tensor:
    """Decibels per picture (N,) of two batches in [-1, 1], clipped as they would be saved."""
    error = (picture.float().clamp(-1, 1) - target) / 2
    return -10 * torch.log10(error.square().mean(dim=(1, 2, 3)).clamp_min(1e-10))


def gradient_distance(picture: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of the horizontal and vertical pixel differences."""
    error = picture - target
    return error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()


def reconstruction_loss(picture: Tensor, target: Tensor) -> Tensor:
    """L1 + root of each picture's mean square + half the gradient L1.

    The root keeps easy pictures as important as hard ones, as the mean PSNR does.
    """
    error = picture - target
    root = error.square().mean(dim=(1, 2, 3)).add(1e-8).sqrt().mean()
    return error.abs().mean() + root + 0.5 * gradient_distance(picture, target)


def train(work: Path, minutes: float) -> AutoencoderKL:
    """Train until the time is up; picks up the checkpoint of an interrupted run."""
    torch.manual_seed(0)
    pixels = torch.from_numpy(load_pixels(work, 64))
    model = build_autoencoder()
    nn.Module.to(model, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=PEAK_RATE, betas=(0.9, 0.98), weight_decay=0.0, fused=True
    )
    ema = Ema(model, 0.998)
    run = Resumable(work / CHECKPOINT, model, optimizer, ema, minutes)

    checkpoint, report = Every(SECONDS_PER_CHECKPOINT), Every(30)
    while not run.clock.done:
        target = to_tensor(pixels[torch.randint(len(pixels), (BATCH,))])
        if run.step % 2:
            target = target.flip(3).contiguous(memory_format=torch.channels_last)
        for group in optimizer.param_groups:
            group["lr"] = PEAK_RATE * run.clock.rate()
        with torch.autocast("cpu", torch.bfloat16):
            posterior = model.encode(target).latent_dist
            picture = model.decode(posterior.sample()).sample
        loss = reconstruction_loss(picture.float(), target)
        (loss + KL_WEIGHT * posterior.kl().float().mean()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        ema.update()
        run.step += 1
        if report.due():
            quality = psnr(picture.detach(), target).mean()
            print(
                f"{run.clock.spent:6.0f} s step {run.step} loss {loss:.4f} {quality:.2f} dB",
                flush=True,
            )
        if checkpoint.due():
            run.save()
    run.save()
    return averaged(model, ema)


def averaged(model: AutoencoderKL, ema: Ema) -> AutoencoderKL:
    """The model with the averaged weights in place of the live ones."""
    ema.swap()
    model.eval()
    return model


def load_autoencoder(work: Path) -> AutoencoderKL:
    """The averaged weights of the checkpoint, in float32."""
    saved = load_checkpoint(work / CHECKPOINT)
    if saved is None:
        raise FileNotFoundError(f"No {CHECKPOINT} in {work}; run the autoencoder training first.")
    model = build_autoencoder()
    ema = Ema(model, 0.0)
    ema.load(**saved["ema"])
    return averaged(model, ema)


@torch.no_grad()
def encode_all(model: AutoencoderKL, pixels: Tensor, batch: int = 64) -> Tensor:
    """Posterior means (N, 16, 8, 8) of uint8 pictures, unscaled."""
    parts = [
        model.encode(to_tensor(part)).latent_dist.mode() for part in torch.split(pixels, batch)
    ]
    return torch.cat(parts)


@torch.no_grad()
def mean_psnr(model: AutoencoderKL, pixels: Tensor, batch: int = 64) -> float:
    """Mean over the pictures of the PSNR of encoding to the posterior's mean and decoding."""
    values = []
    for part in torch.split(pixels, batch):
        target = to_tensor(part)
        values.append(psnr(model.decode(model.encode(target).latent_dist.mode()).sample, target))
    return float(torch.cat(values).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the autoencoder.")
    add_work_option(parser)
    parser.add_argument("--minutes", type=float, default=16.0)
    arguments = parser.parse_args()
    work = ensure_folder(arguments.work)
    model = train(work, arguments.minutes)
    pixels = torch.from_numpy(load_pixels(work, 64))
    print(f"mean PSNR {mean_psnr(model, pixels):.2f} dB over {len(pixels)} pictures")


if __name__ == "__main__":
    main()
