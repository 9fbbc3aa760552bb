from __future__ import annotations

import pytest

from nodeflow.errors import InputError
from nodeflow.model_hub import HubName, chosen

MODEL = HubName("maker/model")

WHOLE = dict.fromkeys(
    (
        "model_index.json",
        "README.md",
        "preview.png",
        "all_in_one.safetensors",
        "scheduler/scheduler_config.json",
        "tokenizer/vocab.json",
        "tokenizer/merges.txt",
        "tokenizer_3/spiece.model",
        "tokenizer_3/chat_template.jinja",
        "feature_extractor/preprocessor_config.json",
        "text_encoder/config.json",
        "text_encoder/model.safetensors",
        "text_encoder/model.fp16.safetensors",
        "text_encoder/pytorch_model.bin",
        "unet/config.json",
        "unet/diffusion_pytorch_model-00001-of-00002.safetensors",
        "unet/diffusion_pytorch_model-00002-of-00002.safetensors",
        "unet/diffusion_pytorch_model.safetensors.index.json",
        "unet/diffusion_pytorch_model.fp16-00001-of-00001.safetensors",
        "unet/diffusion_pytorch_model.safetensors.index.fp16.json",
        "unet/diffusion_pytorch_model.non_ema.safetensors",
        "vae/config.json",
        "vae/diffusion_pytorch_model.fp16.safetensors",
        "safety_checker/config.json",
        "safety_checker/model.safetensors",
        "unet/inner/other.json",
    ),
    10,
)

TEXTS = {
    "model_index.json",
    "scheduler/scheduler_config.json",
    "tokenizer/vocab.json",
    "tokenizer/merges.txt",
    "tokenizer_3/spiece.model",
    "tokenizer_3/chat_template.jinja",
    "feature_extractor/preprocessor_config.json",
    "text_encoder/config.json",
    "unet/config.json",
    "vae/config.json",
}


@pytest.mark.parametrize(
    ("text", "repository", "file"),
    [
        ("maker/model", "maker/model", ""),
        ("maker/model-1.5", "maker/model-1.5", ""),
        ("maker/model/base.safetensors", "maker/model", "base.safetensors"),
        ("maker/model/sub/base.gguf", "maker/model", "sub/base.gguf"),
    ],
)
def test_names_of_the_hub(text: str, repository: str, file: str) -> None:
    name = HubName.parse(text)
    assert name == HubName(repository, file)
    assert str(name) == text


@pytest.mark.parametrize(
    "text",
    [
        "model",
        "",
        "/maker/model",
        "maker/base.safetensors",
        "maker/model/unet",
        "../model",
        "maker/../model",
        "ma ker/model",
        r"maker\\model/x",
        "~/model",
    ],
)
def test_what_is_no_name_of_the_hub(text: str) -> None:
    assert HubName.parse(text) is None


def test_of_a_whole_model_texts_and_one_set_of_weights_are_taken() -> None:
    assert set(chosen(MODEL, WHOLE)) == TEXTS | {
        "text_encoder/model.safetensors",
        "unet/diffusion_pytorch_model-00001-of-00002.safetensors",
        "unet/diffusion_pytorch_model-00002-of-00002.safetensors",
        "unet/diffusion_pytorch_model.safetensors.index.json",
        "vae/diffusion_pytorch_model.fp16.safetensors",
    }


def test_a_variant_is_taken_where_there_is_one() -> None:
    assert set(chosen(MODEL, WHOLE, "fp16")) == TEXTS | {
        "text_encoder/model.fp16.safetensors",
        "unet/diffusion_pytorch_model.fp16-00001-of-00001.safetensors",
        "unet/diffusion_pytorch_model.safetensors.index.fp16.json",
        "vae/diffusion_pytorch_model.fp16.safetensors",
    }


def test_of_a_single_network_its_config_and_weights_are_taken() -> None:
    files = dict.fromkeys(
        ("config.json", "diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin"), 1
    )
    found = chosen(HubName("maker/control"), {**files, "images/a.json": 1})
    assert set(found) == {"config.json", "diffusion_pytorch_model.safetensors"}


def test_weights_with_no_usual_name_are_taken_only_if_they_are_asked_for() -> None:
    files = {
        "modular_model_index.json": 1,
        "unet/config.json": 1,
        "unet/diffusion_pytorch_model.non_ema.safetensors": 1,
        "vae/config.json": 1,
        "vae/diffusion_pytorch_model.safetensors": 1,
    }
    assert set(chosen(MODEL, files, "non_ema")) == set(files)
    with pytest.raises(InputError) as refused:
        chosen(MODEL, files)
    assert "has weights in 'unet' only as variant non_ema; choose it with --variant" in str(
        refused.value
    )


def test_a_variant_that_is_in_no_folder_is_refused_with_those_that_are() -> None:
    with pytest.raises(InputError) as refused:
        chosen(MODEL, WHOLE, "fp99")
    says = "maker/model has no variant 'fp99'; choose one of fp16, non_ema"
    assert says == str(refused.value)


@pytest.mark.parametrize(
    ("name", "files", "says"),
    [
        (
            "maker/model",
            ("base.safetensors", "refiner.safetensors"),
            "maker/model is no model folder; name one of its files: "
            "maker/model/base.safetensors, maker/model/refiner.safetensors",
        ),
        ("maker/model", ("README.md",), "it has no file that can be loaded either"),
        (
            "maker/model/base.safetensors",
            ("bare.safetensors",),
            "maker/model has no file 'base.safetensors'; name one of its files: "
            "maker/model/bare.safetensors",
        ),
        (
            "maker/model",
            ("model_index.json", "unet/config.json", "unet/diffusion_pytorch_model.bin"),
            "maker/model has only pickles in 'unet', which are not fetched",
        ),
    ],
)
def test_what_cannot_be_fetched_says_what_can(name: str, files: tuple[str, ...], says: str) -> None:
    found = HubName.parse(name)
    assert found is not None
    with pytest.raises(InputError) as refused:
        chosen(found, dict.fromkeys(files, 1))
    assert says in str(refused.value)
