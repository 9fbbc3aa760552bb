"""Text encoders in files of their own, for families that share them; vocabularies that change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from nodeflow_nodes.diffusion import hooks
from nodeflow_nodes.diffusion.load import load_text_encoder
from nodeflow_nodes.diffusion.text import encode_text
from safetensors.torch import load_file

from nodeflow import Conditioning, Device, InputError, ModelMemory, Workflow
from nodeflow.engine import Engine
from nodeflow.settings import Settings
from tests.nodes.diffusion.original_layout import plain_clip
from tests.nodes.diffusion.tiny_flow_models import make_flux, make_sd3, t5_state, t5_tokenizer
from tests.nodes.diffusion.tiny_models import make_clip, save

PROMPT = "a red apple on a table"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("text_encoders")
    pipe = make_sd3()
    big = make_clip(1280, projected=True, act="gelu", num_hidden_layers=2, intermediate_size=64)
    encoders = {
        "clip_l": {
            n: t
            for n, t in plain_clip(pipe.text_encoder.state_dict()).items()
            if "text_projection" not in n
        },
        "clip_g": {
            n if n.startswith("text_") else f"text_model.{n}": t
            for n, t in big.state_dict().items()
        },
        "t5xxl": t5_state(make_flux("dev").text_encoder_2),
    }
    t5_tokenizer().save_pretrained(folder)
    return {name: save(state, folder / f"{name}.safetensors") for name, state in encoders.items()}


def encoded(files: dict[str, Path], *names: str, family: Any = "auto") -> Conditioning:
    encoder = load_text_encoder(*(files[name] for name in names), family=family)
    return encode_text(encoder, PROMPT, models=ModelMemory(), device=Device())


def test_two_clips_are_those_of_the_family_that_is_chosen(files: dict[str, Path]) -> None:
    pair = (files["clip_g"], files["clip_l"])
    facts = hooks.text_encoder_facts(*pair)["text_encoder"]
    assert facts == {"family": "stable_diffusion_xl", "text_width": 64 + 1280, "precision": "fp32"}
    facts = hooks.text_encoder_facts(*pair, family="stable_diffusion_3")["text_encoder"]
    assert facts == {"family": "stable_diffusion_3", "text_width": 4096, "precision": "fp32"}
    xl = encoded(files, "clip_g", "clip_l")
    sd3 = encoded(files, "clip_g", "clip_l", family="stable_diffusion_3")
    assert xl.hidden.shape == (1, 77, 64 + 1280)
    assert sd3.hidden.shape == (1, 77 + 256, 4096)
    assert torch.allclose(sd3.hidden[:, :77, : 64 + 1280], xl.hidden, atol=1e-5)
    assert not sd3.hidden[:, 77:].any()
    assert sd3.pooled is not None
    assert sd3.pooled.shape == (1, 64 + 1280)


def test_flux_may_have_either_of_its_encoders_alone(files: dict[str, Path]) -> None:
    both = encoded(files, "t5xxl", "clip_l")
    t5 = encoded(files, "t5xxl", family="flux")
    assert torch.equal(t5.hidden, both.hidden)
    assert t5.pooled is not None
    assert t5.pooled.shape == (1, 768)
    assert not t5.pooled.any()
    clip = encoded(files, "clip_l", family="flux")
    assert clip.pooled is not None
    assert both.pooled is not None
    assert torch.equal(clip.pooled, both.pooled)
    assert clip.hidden.shape == (1, 512, 4096)
    assert not clip.hidden.any()


def test_encoders_that_a_family_does_not_take_are_said(files: dict[str, Path]) -> None:
    with pytest.raises(InputError, match=r"flux are CLIP-L, T5, each once, and .*clip_g.* is none"):
        load_text_encoder(files["clip_l"], files["clip_g"], family="flux")
    with pytest.raises(InputError, match="CLIP-L, CLIP-G, T5, each once, and one of them is given"):
        load_text_encoder(files["clip_l"], files["clip_l"], family="stable_diffusion_3")


def test_another_vocabulary_is_another_prompt(
    files: dict[str, Path], tmp_path: Path, cache: Path
) -> None:
    models = tmp_path / "models"
    texts = models / "text_encoders"
    texts.mkdir(parents=True)
    for name in ("clip_l", "t5xxl"):
        save(load_file(files[name]), texts / f"{name}.safetensors")
    vocabulary = texts / "tokenizer.json"
    first = (files["t5xxl"].parent / "tokenizer.json").read_text()
    vocabulary.write_text(first)
    flow = Workflow(name="words")
    loaded = flow.add(
        "diffusion.load_text_encoder", id="load", file="clip_l.safetensors",
        second="t5xxl.safetensors",
    )  # fmt: skip
    words = flow.add("diffusion.encode_text", id="words", encoder=loaded, text=PROMPT)
    flow.output("words", words)
    settings = Settings(cache=cache, data=tmp_path / "data", models=(models,))

    with Engine(settings, device="cpu", precision="fp32") as engine:

        def run() -> tuple[str, Any]:
            result = engine.run(flow).loaded()
            assert result.status == "done", result.errors
            return result.nodes["words"].outcome, result["words"].hidden

        assert run()[0] == "ran"
        before = run()
        assert before[0] == "memory"
        # The word "red" is one piece no more.
        vocabulary.write_text(first.replace("▁red", "▁zzz"))
        after = run()
        assert after[0] == "ran"
        assert not torch.equal(after[1], before[1])
        vocabulary.write_text(first)
        assert torch.equal(run()[1], before[1])
        vocabulary.unlink()
        with pytest.raises(Exception, match="T5 text encoder, whose vocabulary is missing"):
            run()
