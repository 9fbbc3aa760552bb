"""Parts of models from files of their own, put together again by nodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from nodeflow_nodes.diffusion import latents, load, parts, sampling, text
from nodeflow_nodes.diffusion.hooks import check_sample, denoiser_facts, text_encoder_facts
from nodeflow_nodes.diffusion.load import load_denoiser, load_model, load_text_encoder, load_vae

from nodeflow import Device, Image, InputError, Latent, ModelMemory, Progress
from nodeflow.declaration import read_node
from nodeflow.sockets import SHARED
from tests.nodes.diffusion.original_layout import State, original_unet, original_vae, plain_clip
from tests.nodes.diffusion.tiny_models import make_clip, make_pipeline, original_state, save

DEVICE = Device()


@pytest.fixture(scope="module")
def pipe() -> Any:
    return make_pipeline("1")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, pipe: Any) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    return save(original_state("1", pipe), folder / "model.safetensors")


@pytest.fixture(scope="module")
def separate(pipe: Any) -> dict[str, State]:
    unet, vae = pipe.unet.state_dict(), pipe.vae.state_dict()
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    older = dict(vae)
    for new, name in old.items():
        older = {n.replace(f".{new}.", f".{name}."): t for n, t in older.items()}
    return {
        "unet, original": original_unet(unet, 1),
        "unet, diffusers": unet,
        "vae, original": original_vae(vae),
        "vae, diffusers": vae,
        "vae, older diffusers": older,
        "clip": plain_clip(pipe.text_encoder.state_dict()),
    }


@pytest.mark.parametrize(
    ("node", "outputs"),
    [
        (load.load_model, ["model", "text_encoder", "vae"]),
        (load.load_denoiser, ["model"]),
        (load.load_text_encoder, ["text_encoder"]),
        (load.load_vae, ["vae"]),
        (text.size_conditioning, ["conditioning"]),
    ],
)
def test_the_nodes_are_described_and_facts_find_their_outputs(
    node: Any, outputs: list[str]
) -> None:
    spec = read_node(node, "diffusion", {socket.of: socket.name for socket in SHARED})
    assert spec.description
    assert [item.name for item in spec.inputs if not item.description] == []
    assert [output.name for output in spec.outputs] == outputs


def draw(model: Any, encoder: Any, memory: ModelMemory, progress: Progress) -> torch.Tensor:
    prompts = [text.encode_text(encoder, p, models=memory, device=DEVICE) for p in ("frog", "")]
    return sampling.sample(
        model,
        *prompts,
        latents.empty_latent(model, 64, 64),
        steps=2,
        progress=progress,
        models=memory,
        device=DEVICE,
    ).samples


@pytest.mark.parametrize("layout", ["original", "diffusers"])
def test_a_network_and_a_text_encoder_of_their_own_draw_the_same(
    whole: Path, separate: dict[str, State], memory: ModelMemory, tmp_path: Path, layout: str
) -> None:
    unet = save(separate[f"unet, {layout}"], tmp_path / "unet.safetensors")
    clip = save(separate["clip"], tmp_path / "clip.safetensors")
    model = load_model(whole)
    expected = draw(model.model, model.text_encoder, memory, Progress())
    found = draw(load_denoiser(unet), load_text_encoder(clip), memory, Progress())
    assert torch.equal(found, expected)
    check_sample(
        denoiser_facts(unet)["model"], text_encoder_facts(clip)["text_encoder"], None, None
    )


def test_text_encoders_are_read_by_the_newer_names_of_transformers_too(
    separate: dict[str, State], memory: ModelMemory, tmp_path: Path
) -> None:
    bare = {name.removeprefix("text_model."): t for name, t in separate["clip"].items()}
    files = [
        save(state, tmp_path / f"{name}.safetensors")
        for name, state in (("old", separate["clip"]), ("new", bare))
    ]
    expected, found = (
        text.encode_text(load_text_encoder(file), "a frog", models=memory, device=DEVICE)
        for file in files
    )
    assert "embeddings.token_embedding.weight" in bare
    assert torch.equal(found.hidden, expected.hidden)


def test_a_model_without_all_parts_is_loaded_and_the_rest_comes_from_other_files(
    whole: Path, pipe: Any, separate: dict[str, State], memory: ModelMemory, tmp_path: Path
) -> None:
    only = {n: t for n, t in original_state("1", pipe).items() if n.startswith("model.")}
    model = load_model(save(only, tmp_path / "network.safetensors"))
    clip = load_text_encoder(save(separate["clip"], tmp_path / "clip.safetensors"))
    expected = draw(load_model(whole).model, load_model(whole).text_encoder, memory, Progress())
    assert torch.equal(draw(model.model, clip, memory, Progress()), expected)
    with pytest.raises(
        InputError, match=r"network\.safetensors holds the network, but no text encoder"
    ):
        text.encode_text(model.text_encoder, "frog", models=memory, device=DEVICE)
    with pytest.raises(InputError, match=r"network\.safetensors holds no autoencoder"):
        latents.decode(model.vae, Latent(expected), models=memory, device=DEVICE)


@pytest.mark.parametrize("layout", ["original", "diffusers", "older diffusers"])
def test_an_autoencoder_of_its_own_decodes_the_same(
    whole: Path, separate: dict[str, State], memory: ModelMemory, tmp_path: Path, layout: str
) -> None:
    file = save(separate[f"vae, {layout}"], tmp_path / "vae.safetensors")
    latent = Latent(torch.randn(1, 4, 4, 4, generator=torch.Generator().manual_seed(0)))
    found, expected = (
        latents.decode(vae, latent, models=memory, device=DEVICE)
        for vae in (load_vae(file), load_model(whole).vae)
    )
    assert isinstance(found, torch.Tensor)
    assert torch.equal(found, Image(expected))


def test_two_text_encoders_of_their_own_are_those_of_an_xl_model(
    memory: ModelMemory, tmp_path: Path
) -> None:
    pipe = make_pipeline("xl")
    # What tells the two kinds apart is the width of the larger, so that one must be real.
    big = make_clip(1280, projected=True, act="gelu", num_hidden_layers=2, intermediate_size=64)
    first = save(plain_clip(pipe.text_encoder.state_dict()), tmp_path / "l.safetensors")
    second = save(wrapped(big.state_dict()), tmp_path / "g.safetensors")
    pipe.register_modules(text_encoder_2=big)
    hidden, _, pooled, _ = pipe.encode_prompt("a frog", None, "cpu", 1, False)
    for files in ((first, second), (second, first)):
        encoder = load_text_encoder(*files)
        found = text.encode_text(encoder, "a frog", models=memory, device=DEVICE)
        assert torch.allclose(found.hidden, hidden, atol=1e-4)
        assert found.pooled is not None
        assert torch.allclose(found.pooled, pooled, atol=1e-4)
        facts = text_encoder_facts(*files)["text_encoder"]
        assert facts["text_width"] == 64 + 1280
    assert text_encoder_facts(first, {}) == {}
    with pytest.raises(InputError, match=r"no family takes the text encoders .* together"):
        text_encoder_facts(first, first)


def wrapped(state: dict[str, torch.Tensor]) -> State:
    """Names of `CLIPTextModelWithProjection`, whose projection stands outside of the wrapper."""
    return {n if n.startswith("text_") else f"text_model.{n}": t for n, t in state.items()}


def test_folders_give_parts_too(folder: Path) -> None:
    assert load_vae(folder).part == "vae"
    assert load_denoiser(folder).digest == load_model(folder).model.digest


@pytest.mark.parametrize(
    ("part", "name", "sentence"),
    [
        (
            "unet, original",
            "middle_block.1.norm.weight",
            r"the network in .* lacks 1 of the \d+ tensors .*middle_block\.1\.norm\.weight",
        ),
        ("unet, original", "input_blocks.1.0.in_layers.2.weight", "network in .* lacks tensors of"),
        ("vae, diffusers", "decoder.conv_out.bias", r"autoencoder in .* lacks 1 .*conv_out\.bias"),
        ("clip", "text_model.final_layer_norm.bias", "the text encoder in .* lacks 1 .*layer_norm"),
    ],
)
def test_a_file_that_lacks_a_tensor_says_which(
    separate: dict[str, State], tmp_path: Path, part: str, name: str, sentence: str
) -> None:
    state = {n: t for n, t in separate[part].items() if n != name}
    with pytest.raises(InputError, match=sentence):
        use(part, save(state, tmp_path / "part.safetensors"))


def test_a_tensor_of_another_shape_is_named(separate: dict[str, State], tmp_path: Path) -> None:
    state = separate["unet, original"] | {"out.2.bias": torch.zeros(9)}
    with pytest.raises(InputError, match=r"'out\.2\.bias' of shape \[9\].* wants \[4\]"):
        use("unet", save(state, tmp_path / "unet.safetensors"))


def use(part: str, file: Path) -> None:
    """Load a part as a node would."""
    memory = ModelMemory()
    if part.startswith("unet"):
        parts.denoiser(load_denoiser(file), memory, DEVICE)
    elif part.startswith("vae"):
        latents.decode(
            load_vae(file), Latent(torch.zeros(1, 4, 2, 2)), models=memory, device=DEVICE
        )
    else:
        text.encode_text(load_text_encoder(file), "", models=memory, device=DEVICE)
