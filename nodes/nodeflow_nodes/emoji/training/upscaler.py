"""Train the x4 upscaler: `python -m nodeflow_nodes.emoji.training.upscaler --minutes 18`.

SRVGGNetCompact (Wang et al. 2021, Real-ESRGAN) from 64 to 256 pixels. It learns from plain renders
and from the autoencoder's reconstructions, so that it also clears up the softness of the decoder.
Checkpoint: `upscaler.pt`.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from nodeflow_nodes.emoji.training.autoencoder import (
    gradient_distance,
    load_autoencoder,
    psnr,
    to_tensor,
)
from nodeflow_nodes.emoji.training.clock import Every
from nodeflow_nodes.emoji.training.data import load_pixels
from nodeflow_nodes.emoji.training.ema import Ema
from nodeflow_nodes.emoji.training.resumable import Resumable
from nodeflow_nodes.emoji.training.work import (
    add_work_option,
    ensure_folder,
    load_checkpoint,
)

CHECKPOINT = "upscaler.pt"
SCALE = 4
FEATURES = 40
CONVOLUTIONS = 8
BATCH = 16
CROP = 32
PEAK_RATE = 1e-3


class CompactUpscaler(nn.Module):
    """The layout `body.N` and the sizes are what spandrel reads from a Compact state dict."""

    def __init__(self, features: int = FEATURES, convolutions: int = CONVOLUTIONS) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, features, 3, padding=1), nn.PReLU(features)]
        for _ in range(convolutions):
            layers += [nn.Conv2d(features, features, 3, padding=1), nn.PReLU(features)]
        layers.append(nn.Conv2d(features, 3 * SCALE**2, 3, padding=1))
        self.body = nn.Sequential(*layers)

    def forward(self, small: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to (N, 3, 4 H, 4 W): the network adds to a nearest enlargement."""
        added = nn.functional.pixel_shuffle(self.body(small), SCALE)
        return added + nn.functional.interpolate(small, scale_factor=float(SCALE))


@dataclass(frozen=True)
class Pairs:
    """uint8 pictures of one motif: renders and reconstructions at 64 pixels, renders at 256."""

    renders: Tensor
    reconstructions: Tensor
    large: Tensor

    def crops(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Random crops at the same place of both sizes, in [0, 1], some mirrored."""
        small, large = [], []
        for row in torch.randint(len(self.large), (count,), generator=generator).tolist():
            chance = torch.rand(4, generator=generator).tolist()
            y, x = (int(part * (64 - CROP + 1)) for part in chance[:2])
            source = self.reconstructions if chance[2] < 0.6 else self.renders
            near = source[row, y : y + CROP, x : x + CROP]
            far = self.large[row, SCALE * y : SCALE * (y + CROP), SCALE * x : SCALE * (x + CROP)]
            if chance[3] < 0.5:
                near, far = near.flip(1), far.flip(1)
            small.append(near)
            large.append(far)
        return to_unit(torch.stack(small)), to_unit(torch.stack(large))


def to_unit(pixels: Tensor) -> Tensor:
    """uint8 (N, H, W, 3) to (N, 3, H, W) in [0, 1]."""
    return (to_tensor(pixels) + 1) / 2


@torch.no_grad()
def load_pairs(work: Path) -> Pairs:
    renders = torch.from_numpy(load_pixels(work, 64))
    autoencoder = load_autoencoder(work)
    parts = []
    for part in torch.split(renders, 64):
        picture = autoencoder(to_tensor(part)).sample
        parts.append(((picture.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1))
    return Pairs(renders, torch.cat(parts), torch.from_numpy(load_pixels(work, 256)))


def train(work: Path, minutes: float) -> CompactUpscaler:
    """Train until the time is up; picks up the checkpoint of an interrupted run."""
    torch.manual_seed(0)
    pairs = load_pairs(work)
    model = CompactUpscaler().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), PEAK_RATE, weight_decay=0.0, fused=True)
    ema = Ema(model, 0.999)
    run = Resumable(work / CHECKPOINT, model, optimizer, ema, minutes)

    generator = torch.Generator().manual_seed(run.step)
    checkpoint, report = Every(300), Every(30)
    while not run.clock.done:
        small, large = pairs.crops(BATCH, generator)
        for group in optimizer.param_groups:
            group["lr"] = PEAK_RATE * run.clock.rate()
        with torch.autocast("cpu", torch.bfloat16):
            drawn = model(small)
        loss = (drawn.float() - large).abs().mean() + 0.5 * gradient_distance(drawn.float(), large)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        ema.update()
        run.step += 1
        if report.due():
            print(f"{run.clock.spent:6.0f} s step {run.step} loss {loss:.4f}", flush=True)
        if checkpoint.due():
            run.save()
    run.save()
    ema.swap()
    return model.eval()


def load_upscaler(work: Path) -> CompactUpscaler:
    """The averaged weights of the checkpoint."""
    saved = load_checkpoint(work / CHECKPOINT)
    if saved is None:
        raise FileNotFoundError(f"No {CHECKPOINT} in {work}; run the upscaler training first.")
    model = CompactUpscaler()
    ema = Ema(model, 0.0)
    ema.load(**saved["ema"])
    ema.swap()
    return model.eval()


@torch.no_grad()
def compare(model: CompactUpscaler, pairs: Pairs, count: int = 128) -> tuple[float, float]:
    """Mean PSNR of reconstructions enlarged by the network, and by bicubic interpolation."""
    small, large = to_unit(pairs.reconstructions[:count]), to_unit(pairs.large[:count])
    bicubic = nn.functional.interpolate(small, scale_factor=float(SCALE), mode="bicubic")
    target = 2 * large - 1
    ours, plain = (float(psnr(2 * out - 1, target).mean()) for out in (model(small), bicubic))
    return ours, plain


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the x4 upscaler.")
    add_work_option(parser)
    parser.add_argument("--minutes", type=float, default=18.0)
    arguments = parser.parse_args()
    work = ensure_folder(arguments.work)
    model = train(work, arguments.minutes)
    ours, bicubic = compare(model, load_pairs(work))
    print(f"PSNR at 256 pixels {ours:.2f} dB, bicubic {bicubic:.2f} dB")


if __name__ == "__main__":
    main()
