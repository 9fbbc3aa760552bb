from __future__ import annotations

from pathlib import Path

import pytest
from nodeflow_nodes.diffusion import hooks

from nodeflow import InputError

MODEL = {"family": "f", "channels": 4, "downscale": 8, "text_width": 16}


def test_load_model_tells_the_facts_of_its_parts(folder: Path) -> None:
    facts = hooks.model_facts(folder)
    told = {"family": "stable_diffusion", "precision": "fp32"}
    latent = {**told, "channels": 4, "downscale": 8, "file": str(folder)}
    assert facts["vae"] == latent
    assert facts["text_encoder"] == {**told, "text_width": 16}
    network = {"text_width": 16, "prediction": "epsilon", "has_vae": True, "fills_holes": False}
    assert facts["model"] == {**latent, **network}


def test_a_broken_folder_is_said_before_the_run(broken: Path) -> None:
    (broken / "unet" / "config.json").unlink()
    with pytest.raises(InputError, match=r"unet/config\.json is missing"):
        hooks.model_facts(broken)


@pytest.mark.parametrize("unknown", [None, {}])
def test_what_is_not_known_is_not_checked(unknown: object) -> None:
    hooks.check_size(unknown, unknown, unknown)
    hooks.check_size(MODEL, {}, None)
    hooks.check_sample(unknown, unknown, unknown, unknown)
    hooks.check_decode(unknown, unknown)
    assert hooks.model_facts(unknown) == {}
    assert hooks.text_facts(unknown) == {"conditioning": {}}
    assert hooks.sampled_facts(unknown, unknown) == {"latent": {}}


def test_facts_travel_along() -> None:
    latent = {"family": "f", "channels": 4, "downscale": 8}
    assert hooks.empty_latent_facts(MODEL) == {"latent": {"channels": 4, "downscale": 8}}
    assert hooks.image_latent_facts(latent) == {"latent": latent}
    assert hooks.sampled_facts(MODEL, {}) == {"latent": latent}


def test_a_size_between_latent_pixels_is_refused() -> None:
    hooks.check_size(MODEL, 64, 128)
    with pytest.raises(InputError, match=r"height 100 is not a multiple of 8.*take 96 or 104"):
        hooks.check_size(MODEL, 64, 100)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"positive": {"text_width": 8}}, "positive prompt has text width 8.*takes 16"),
        (
            {"negative": {"family": "g"}},
            "negative prompt is for the family g, and the model is of f",
        ),
        ({"latent": {"channels": 16}}, "latent has channels 16.*takes 4"),
        ({"latent": {"downscale": 4}}, "latent has downscale 4"),
        ({"latent": {"family": "g"}}, "latent is of the family g, and the model is of f"),
    ],
)
def test_parts_of_different_models_are_refused(given: dict[str, object], sentence: str) -> None:
    parts: dict[str, object] = {"positive": {}, "negative": {}, "latent": {}}
    with pytest.raises(InputError, match=sentence):
        hooks.check_sample(MODEL, **{**parts, **given})


def test_a_latent_of_another_autoencoder_is_refused() -> None:
    with pytest.raises(InputError, match="channels 16"):
        hooks.check_decode(MODEL, {"channels": 16})
    with pytest.raises(InputError, match="family g, and the autoencoder is of f"):
        hooks.check_decode(MODEL, {"channels": 4, "family": "g"})
    hooks.check_decode(MODEL, {"channels": 4, "family": "modular"})


def test_an_own_walk_is_for_pipelines_of_diffusers() -> None:
    hooks.check_sample({"family": "modular"}, None, None, None, "native")
    with pytest.raises(InputError, match="this one, of the family flux, has none"):
        hooks.check_sample({"family": "flux"}, None, None, None, "native")
