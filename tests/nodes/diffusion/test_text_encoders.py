"""Learned words and layers left out, beside what diffusers' pipelines make of a prompt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from nodeflow_nodes.diffusion import text_encoders
from nodeflow_nodes.diffusion.load import LoadedModel
from nodeflow_nodes.diffusion.text import encode_text
from nodeflow_nodes.diffusion.text_checks import check_embedding, check_text, embedding_facts
from nodeflow_nodes.diffusion.text_encoders import clip_skip, load_embedding
from safetensors.torch import save_file

from nodeflow import Device, InputError, ModelMemory
from nodeflow.declaration import read_node
from nodeflow.sockets import SHARED
from tests.nodes.diffusion.tiny_models import make_pipeline

WIDTHS = {"1": 64, "2": 128, "xl": 64}
PROMPT = "a <cat> on a table, as a photo"


@pytest.fixture
def encoders(opened: dict[str, LoadedModel]) -> dict[str, Any]:
    return {kind: opened[kind].text_encoder for kind in WIDTHS}


@pytest.fixture(scope="module")
def word() -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    return {
        "clip_l": torch.randn(3, 64, generator=draw) * 2,
        "clip_g": torch.randn(3, 128, generator=draw) * 2,
    }


def written(tensors: dict[str, torch.Tensor], folder: Path, name: str = "cat") -> Path:
    file = folder / f"{name}.safetensors"
    save_file(tensors, file)
    return file


def encode(encoder: Any, text: str, memory: ModelMemory) -> Any:
    return encode_text(encoder, text, models=memory, device=Device())


def theirs(kind: str, pipe: Any, text: str, **more: Any) -> tuple[torch.Tensor, Any]:
    if kind == "xl":
        hidden, _, pooled, _ = pipe.encode_prompt(text, None, "cpu", 1, False, **more)
        return hidden, pooled
    return pipe.encode_prompt(text, "cpu", 1, False, **more)[0], None


@pytest.mark.parametrize("node", [text_encoders.load_embedding, text_encoders.clip_skip])
def test_the_nodes_are_described(node: Any) -> None:
    spec = read_node(node, "diffusion", {socket.of: socket.name for socket in SHARED})
    assert spec.description
    assert [item.name for item in spec.inputs if not item.description] == []


@pytest.mark.parametrize("kind", ["1", "2", "xl"])
def test_a_learned_word_means_what_it_means_to_the_pipeline(
    encoders: dict[str, Any],
    memory: ModelMemory,
    tmp_path: Path,
    word: dict[str, torch.Tensor],
    kind: str,
) -> None:
    pipe = make_pipeline(kind)
    if kind == "xl":
        file = written(word, tmp_path)
        for vectors, number in (("clip_l", ""), ("clip_g", "_2")):
            pipe.load_textual_inversion(
                {"<cat>": word[vectors]},
                token="<cat>",
                text_encoder=getattr(pipe, f"text_encoder{number}"),
                tokenizer=getattr(pipe, f"tokenizer{number}"),
            )
    else:
        vectors = word["clip_l" if kind == "1" else "clip_g"]
        file = written({"emb_params": vectors}, tmp_path)
        pipe.load_textual_inversion({"<cat>": vectors}, token="<cat>")
    hidden, pooled = theirs(kind, pipe, PROMPT)
    learned = load_embedding(encoders[kind], file)
    found = encode(learned, PROMPT, memory)
    assert torch.allclose(found.hidden, hidden, atol=1e-4)
    if pooled is not None:
        assert torch.allclose(found.pooled, pooled, atol=1e-4)
    called = encode(learned, "a embedding:cat on a table, as a photo", memory)
    assert torch.equal(called.hidden, found.hidden)
    plain = encode(encoders[kind], PROMPT, memory)
    assert not torch.allclose(plain.hidden, found.hidden, atol=0.1)


@pytest.mark.parametrize("layers", [0, 1])
@pytest.mark.parametrize("kind", ["1", "2", "xl"])
def test_layers_are_left_out_as_in_the_pipeline(
    pipes: dict[str, Any],
    encoders: dict[str, Any],
    memory: ModelMemory,
    kind: str,
    layers: int,
) -> None:
    # diffusers 0.42 looks for the norm where transformers had it before 5.
    vars(pipes[kind].text_encoder)["text_model"] = pipes[kind].text_encoder
    hidden, pooled = theirs(kind, pipes[kind], "a red apple", clip_skip=layers or None)
    found = encode(clip_skip(encoders[kind], layers), "a red apple", memory)
    assert torch.allclose(found.hidden, hidden, atol=1e-4)
    if pooled is not None:
        assert torch.allclose(found.pooled, pooled, atol=1e-4)
    if layers:
        whole = encode(encoders[kind], "a red apple", memory)
        assert not torch.allclose(whole.hidden, found.hidden, atol=0.1)


def test_the_last_skip_counts_and_none_is_the_plain_encoder(encoders: dict[str, Any]) -> None:
    encoder = encoders["1"]
    assert clip_skip(clip_skip(encoder, 2), 1) == clip_skip(encoder, 1)
    assert clip_skip(clip_skip(encoder, 2), 0) == encoder


def test_more_layers_than_there_are_cannot_be_left_out(
    encoders: dict[str, Any], memory: ModelMemory
) -> None:
    encode(clip_skip(encoders["1"], 2), "a", memory)
    with pytest.raises(InputError, match="3 layers, of which 3 cannot be left out; leave out 2"):
        encode(clip_skip(encoders["1"], 3), "a", memory)
    with pytest.raises(InputError, match="leave out 1 at most"):
        encode(clip_skip(encoders["xl"], 2), "a", memory)


def test_several_words_are_weighed_repeated_and_replaced(
    encoders: dict[str, Any], memory: ModelMemory, tmp_path: Path, word: dict[str, torch.Tensor]
) -> None:
    cat = written({"<toy>": word["clip_l"][0]}, tmp_path)
    dog = written({"emb_params": word["clip_l"][1:]}, tmp_path, "dog")
    both = load_embedding(load_embedding(encoders["1"], cat), dog, "<hund>")
    swapped = load_embedding(load_embedding(encoders["1"], dog, "hund"), cat)

    def hidden(encoder: Any, text: str) -> torch.Tensor:
        return encode(encoder, text, memory).hidden

    text = "(embedding:cat:1.3) and embedding:hund. and embedding:cat.safetensors"
    assert torch.equal(hidden(both, text), hidden(swapped, text))
    assert not torch.equal(hidden(both, text), hidden(both, text.replace("1.3", "1.2")))
    assert torch.equal(hidden(both, "<cat> and <hund>"), hidden(swapped, "<cat> and <hund>"))
    assert not torch.equal(hidden(both, "<cat>"), hidden(both, "<hund>"))
    # The same name once more is another word.
    renamed = load_embedding(both, dog, "cat")
    assert torch.equal(hidden(renamed, "<cat>"), hidden(renamed, "<hund>"))


@pytest.mark.parametrize("layout", ["A1111", "diffusers"])
def test_pickles_of_tensors_are_read(
    encoders: dict[str, Any],
    memory: ModelMemory,
    tmp_path: Path,
    word: dict[str, torch.Tensor],
    layout: str,
) -> None:
    vectors, file = word["clip_l"], tmp_path / "cat.pt"
    content = {"string_to_param": {"*": torch.nn.Parameter(vectors)}, "name": "cat"}
    torch.save(content if layout == "A1111" else {"<cat>": vectors}, file)
    expected = load_embedding(encoders["1"], written({"emb_params": vectors}, tmp_path))
    found = load_embedding(encoders["1"], file)
    assert torch.equal(
        encode(found, PROMPT, memory).hidden, encode(expected, PROMPT, memory).hidden
    )


class Thing:
    """What a pickle of tensors does not hold."""


def test_bad_files_are_said(
    encoders: dict[str, Any], memory: ModelMemory, tmp_path: Path, word: dict[str, torch.Tensor]
) -> None:
    evil, many = tmp_path / "evil.pt", tmp_path / "many.bin"
    torch.save({"a": Thing()}, evil)
    torch.save({"a": word["clip_l"], "b": word["clip_l"]}, many)
    with pytest.raises(InputError, match=r"evil\.pt is a pickle that wants '.*Thing', which is no"):
        encode(load_embedding(encoders["1"], evil), "<evil>", memory)
    with pytest.raises(InputError, match=r"many\.bin is no embedding: it holds 2 tensors"):
        encode(load_embedding(encoders["1"], many), "<many>", memory)
    model = Path(encoders["1"].path)
    with pytest.raises(InputError, match=r"is no embedding: it holds \d+ tensors"):
        check_embedding({}, model, "")
    with pytest.raises(InputError, match="'a b,c' is no name that a prompt can call"):
        check_embedding({}, model, "a b,c")


def test_words_for_another_family_are_refused_before_the_run(
    encoders: dict[str, Any], memory: ModelMemory, tmp_path: Path, word: dict[str, torch.Tensor]
) -> None:
    single = {"family": "stable_diffusion", "text_width": 64}
    xl = {"family": "stable_diffusion_xl", "text_width": 192}
    both, one = written(word, tmp_path, "both"), written({"x": word["clip_l"]}, tmp_path, "one")
    check_embedding(single, one, "")
    check_embedding(xl, both, "")
    check_embedding({**xl, "text_width": 128}, both, "")
    check_embedding({}, both, "")
    with pytest.raises(InputError, match=r"both.* of width 64 and 128, and the .* makes 64"):
        check_embedding(single, both, "")
    with pytest.raises(InputError, match=r"one.* of width 64, and the text encoder makes 192"):
        check_embedding(xl, one, "")
    with pytest.raises(InputError, match="none for the model's text_encoder_2 of width 128"):
        encode(load_embedding(encoders["xl"], one), "<one>", memory)


def test_words_that_nobody_has_learned_are_told_before_the_run(
    encoders: dict[str, Any], memory: ModelMemory, tmp_path: Path, word: dict[str, torch.Tensor]
) -> None:
    file = written({"x": word["clip_l"]}, tmp_path)
    plain = {"family": "stable_diffusion", "text_width": 64}
    check_text(plain, "a <cat>")
    check_text({}, "a embedding:cat")
    with pytest.raises(InputError, match=r"'cat', which the text encoder .* \(learned: none\)"):
        check_text(plain, "a embedding:cat, red")
    facts = embedding_facts(plain, file, "")["text_encoder"]
    check_text(facts, "a embedding:cat, red")
    with pytest.raises(InputError, match=r"'dog', .* \(learned: cat\); put load_embedding"):
        check_text(facts, "a embedding:dog")
    with pytest.raises(InputError, match="'dog'"):
        encode(encoders["1"], "embedding:dog", memory)
    assert embedding_facts(plain, {}, "") == {}
