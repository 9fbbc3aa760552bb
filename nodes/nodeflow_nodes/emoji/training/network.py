"""Train the network: `python -m nodeflow_nodes.emoji.training.network --minutes 68`.

Text encoder and denoiser are trained together on the latents of the finished autoencoder, all held
in memory. Checkpoint: `network.pt`; a rerun picks it up.
"""

from __future__ import annotations

import argparse
import multiprocessing
from pathlib import Path
from typing import Any

import torch
from torch.multiprocessing.spawn import start_processes

from nodeflow_nodes.emoji.training import captions, diffusion
from nodeflow_nodes.emoji.training.batches import Batches, LatentSet, TrainingSet, load_training_set
from nodeflow_nodes.emoji.training.clock import Every, TrainingClock, cosine_rate
from nodeflow_nodes.emoji.training.ema import Ema
from nodeflow_nodes.emoji.training.model import (
    CHECKPOINT,
    Network,
    Recipe,
    caption_merges,
    stored_merges,
)
from nodeflow_nodes.emoji.training.muon import Muon
from nodeflow_nodes.emoji.training.retrieval import Retrieval, asked_pictures, retrieval
from nodeflow_nodes.emoji.training.team import Board, Team
from nodeflow_nodes.emoji.training.work import (
    add_work_option,
    ensure_folder,
    load_checkpoint,
    save_checkpoint,
)

# Longer than the leader needs to save and measure, so that only a lost member ends the others.
PATIENCE = 900.0


def evaluate(network: Network, originals: LatentSet, count: int) -> Retrieval:
    """Ask for `count` fixed pictures with fixed seeds, in bfloat16."""
    asked = asked_pictures(len(originals.pictures), count)
    texts = [captions.full_caption(originals.pictures[int(row)]) for row in asked]
    network.eval()
    with torch.autocast("cpu", torch.bfloat16):
        context, empty = network.encode(texts), network.encode([""])
        noise = diffusion.seeded_latents(list(range(count)))
        drawn = diffusion.sample(network.unet, context, empty, noise)
    network.train()
    return retrieval(drawn.float(), originals.latents, asked)


def build_optimizers(network: Network, recipe: Recipe, team: Team) -> list[torch.optim.Optimizer]:
    """Muon for the matrices; AdamW for vectors, embeddings and the first and last layer."""
    outer = ("conv_in", "conv_out", "embed", "time_emb")
    inner = [
        p
        for name, p in network.named_parameters()
        if p.ndim >= 2 and not any(part in name for part in outer)
    ]
    chosen = {id(p) for p in inner}
    rest = [p for p in network.parameters() if id(p) not in chosen]
    adam = torch.optim.AdamW(rest, recipe.rate, (0.9, 0.99), weight_decay=0.0, fused=True)
    muon = Muon(inner, recipe.muon_rate, team)
    for optimizer in (adam, muon):
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]
    return [adam, muon]


class Trainer:
    """One team member's network, optimisers and clock, all resumed from the checkpoint if any."""

    def __init__(self, work: Path, minutes: float, data: TrainingSet, team: Team) -> None:
        torch.manual_seed(0)
        recipe = Recipe()
        saved = load_checkpoint(work / CHECKPOINT)
        self._work, self._data, self._team, self._recipe = work, data, team, recipe
        pictures = data.originals.pictures
        self.merges = stored_merges(saved) if saved else caption_merges(pictures)
        self.network = Network(self.merges, recipe).train()
        self._params = list(self.network.parameters())
        self._optimizers = build_optimizers(self.network, recipe, team)
        self._ema = Ema(self.network, recipe.ema)
        self.step, self.clock = 0, TrainingClock(minutes)
        if saved:
            self.network.load_state_dict(saved["network"])
            for optimizer, state in zip(self._optimizers, saved["optimizers"], strict=True):
                optimizer.load_state_dict(state)
            self._ema.load(**saved["ema"])
            self.step, self.clock = saved["step"], TrainingClock(minutes, saved["spent"])
        self._batches = Batches(
            data,
            self.network.tokenize,
            recipe.batch // team.size,
            recipe.copies // team.size,
            seed=self.step * team.size + team.rank,
        )

    def train_step(self, progress: float) -> float:
        """One update of the weights; returns the error at the noisiest fifth of the steps."""
        batch = self._batches.draw(self._recipe.high_part(progress))
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * cosine_rate(progress)
        with torch.autocast("cpu", torch.bfloat16):
            predicted = self.network(batch.tokens, batch.noisy, batch.steps)
        error = (predicted.float() - batch.target).square().mean(dim=(1, 2, 3))
        (batch.weights * error).mean().backward()
        self._team.average_gradients(self._params)
        torch.nn.utils.clip_grad_norm_(self._params, 1.0)
        for optimizer in self._optimizers:
            optimizer.step()
            optimizer.zero_grad()
        if self._team.leads:
            self._ema.update()
        self.step += 1
        return float(error.detach()[batch.steps >= 800].mean())

    def save(self) -> None:
        """Write the checkpoint, then measure the averaged weights."""
        state: dict[str, Any] = {"network": self.network.state_dict(), "merges": self.merges}
        state |= {"optimizers": [o.state_dict() for o in self._optimizers]}
        state |= {"ema": self._ema.state(), "step": self.step, "spent": self.clock.spent}
        state |= {"scaling_factor": self._data.scaling_factor}
        save_checkpoint(self._work / CHECKPOINT, state)
        self._ema.swap()
        found = evaluate(self.network, self._data.originals, 50)
        print(f"{self.clock.spent:6.0f} s step {self.step} {found}", flush=True)
        self._ema.swap()


def work_along(
    rank: int,
    work: Path,
    minutes: float,
    data: TrainingSet,
    board: Board,
    barrier: multiprocessing.synchronize.Barrier,
) -> None:
    """What each process does: train until the leader's time is up."""
    torch.set_num_threads(1)
    team = Team(rank, len(board.gradients), board, barrier)
    trainer = Trainer(work, minutes, data, team)
    checkpoint, report = Every(Recipe.checkpoint_seconds), Every(30)
    errors: list[float] = []
    while (progress := team.agree(trainer.clock.progress)) < 1.0 and parent_lives():
        errors.append(trainer.train_step(progress))
        if team.leads and report.due():
            error = sum(errors) / len(errors)
            errors.clear()
            spent, step = trainer.clock.spent, trainer.step
            print(f"{spent:6.0f} s step {step} high-noise error {error:.4f}", flush=True)
        if team.leads and checkpoint.due():
            trainer.save()
    if team.leads:
        trainer.save()


def parent_lives() -> bool:
    """False after the command was killed, so that its processes don't train on alone."""
    parent = multiprocessing.parent_process()
    return parent is None or parent.is_alive()


def train(work: Path, minutes: float, members: int) -> None:
    data = load_training_set(work)
    numbers = sum(
        p.numel() for p in Network(caption_merges(data.originals.pictures), Recipe()).parameters()
    )
    board = Board.of_size(members, numbers)
    barrier = multiprocessing.get_context("spawn").Barrier(members, timeout=PATIENCE)
    arguments = (work, minutes, data, board, barrier)
    start_processes(work_along, arguments, nprocs=members, start_method="spawn")  # type: ignore[no-untyped-call]  # torch leaves it untyped


def main() -> None:
    parser = argparse.ArgumentParser(description="Train text encoder and denoiser.")
    add_work_option(parser)
    parser.add_argument("--minutes", type=float, default=68.0, help="in all, restarts included")
    parser.add_argument("--members", type=int, default=2, help="processes, one for each core")
    arguments = parser.parse_args()
    train(ensure_folder(arguments.work), arguments.minutes, arguments.members)


if __name__ == "__main__":
    main()
