"""Text encoder and denoiser, and their checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from nodeflow_nodes.emoji.training import captions
from nodeflow_nodes.emoji.training.data import Picture
from nodeflow_nodes.emoji.training.ema import Ema
from nodeflow_nodes.emoji.training.tokenizer import POSITIONS, build_tokenizer, train_merges
from nodeflow_nodes.emoji.training.work import load_checkpoint

CHECKPOINT = "network.pt"
VOCABULARY = 3000
TEXT_WIDTH = 256


@dataclass(frozen=True)
class Recipe:
    """The numbers of a training run."""

    channels: tuple[int, ...] = (128, 224)
    text_layers: int = 3
    batch: int = 128
    rate: float = 1e-3
    muon_rate: float = 4e-3
    copies: int = 24
    early_high_part: float = 0.5
    late_high_part: float = 0.25
    ema: float = 0.998
    checkpoint_seconds: float = 300

    def high_part(self, progress: float) -> float:
        """The part of the samples that is nearly noise: captions are learned first, then detail."""
        return self.early_high_part if progress < 0.45 else self.late_high_part


def build_unet(channels: tuple[int, ...] = Recipe.channels) -> UNet2DConditionModel:
    """Denoiser of latents (N, 16, 8, 8); the pooled text also joins the time embedding."""
    unet: UNet2DConditionModel = UNet2DConditionModel(
        sample_size=8,
        in_channels=16,
        out_channels=16,
        block_out_channels=channels,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=4,
        norm_num_groups=16,
        resnet_time_scale_shift="scale_shift",
        addition_embed_type="text",
        addition_embed_type_num_heads=4,
    )
    return unet


def build_text_encoder(tokenizer: CLIPTokenizer, layers: int = Recipe.text_layers) -> CLIPTextModel:
    """Captions of 24 tokens to (N, 24, 256)."""
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=TEXT_WIDTH,
        intermediate_size=4 * TEXT_WIDTH,
        projection_dim=TEXT_WIDTH,
        num_hidden_layers=layers,
        num_attention_heads=4,
        max_position_embeddings=POSITIONS,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return CLIPTextModel(config)


def caption_merges(pictures: list[Picture]) -> list[tuple[str, str]]:
    """Byte pairs of the labels and tags, labels counted more so that they become short."""
    texts = [text for p in pictures for text in [captions.full_caption(p)] * 3 + list(p.tags)]
    return train_merges(texts, VOCABULARY)


def stored_merges(saved: dict[str, Any]) -> list[tuple[str, str]]:
    """The byte pairs of a checkpoint."""
    return [(left, right) for left, right in saved["merges"]]


def tokenize(tokenizer: CLIPTokenizer, texts: list[str]) -> Tensor:
    """Token numbers (N, 24), padded as StableDiffusionPipeline pads them."""
    encoded = tokenizer(
        texts, padding="max_length", max_length=POSITIONS, truncation=True, return_tensors="pt"
    )
    tokens: Tensor = encoded.input_ids
    return tokens


class Network(nn.Module):
    """Text encoder and denoiser as one trainable module."""

    def __init__(self, merges: list[tuple[str, str]], recipe: Recipe) -> None:
        super().__init__()
        self.merges = merges
        self.tokenizer = build_tokenizer(merges)
        self.text = build_text_encoder(self.tokenizer, recipe.text_layers)
        self.unet = build_unet(recipe.channels)
        nn.Module.to(self.unet, memory_format=torch.channels_last)

    def forward(self, tokens: Tensor, noisy: Tensor, steps: Tensor) -> Tensor:
        context = self.text(tokens).last_hidden_state
        predicted: Tensor = self.unet(noisy, steps, encoder_hidden_states=context).sample
        return predicted

    def tokenize(self, texts: list[str]) -> Tensor:
        return tokenize(self.tokenizer, texts)

    @torch.no_grad()
    def encode(self, texts: list[str]) -> Tensor:
        context: Tensor = self.text(self.tokenize(texts)).last_hidden_state
        return context


def load_network(work: Path) -> tuple[Network, float]:
    """The averaged weights of the checkpoint and the scaling factor of the latents."""
    saved = load_checkpoint(work / CHECKPOINT)
    if saved is None:
        raise FileNotFoundError(f"No {CHECKPOINT} in {work}; run the network training first.")
    network = Network(stored_merges(saved), Recipe())
    ema = Ema(network, 0.0)
    ema.load(**saved["ema"])
    ema.swap()
    return network.eval(), float(saved["scaling_factor"])
