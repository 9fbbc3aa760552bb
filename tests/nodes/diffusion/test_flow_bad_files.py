"""Files of Stable Diffusion 3 and Flux that lack something, or are something else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nodeflow_nodes.diffusion import hooks, parts
from nodeflow_nodes.diffusion.inspection import inspect_model
from nodeflow_nodes.diffusion.load import load_denoiser

from nodeflow import Device, InputError, ModelMemory
from tests.nodes.diffusion.original_layout import State, original_vae
from tests.nodes.diffusion.test_flow_control import make_network
from tests.nodes.diffusion.tiny_flow_models import make_flux, make_sd3, original_flux, original_sd3
from tests.nodes.diffusion.tiny_models import make_pipeline, save

MAKERS: dict[str, Any] = {"flux": lambda: make_flux("dev"), "sd3": make_sd3}
ORIGINALS: dict[str, Any] = {"flux": original_flux, "sd3": original_sd3}


@pytest.fixture(scope="module")
def networks() -> dict[str, State]:
    return {kind: make().transformer.state_dict() for kind, make in MAKERS.items()}


@pytest.mark.parametrize("layout", ["original", "diffusers"])
@pytest.mark.parametrize("kind", MAKERS)
def test_whichever_tensor_is_missing_it_is_named_with_its_file(
    networks: dict[str, State], tmp_path: Path, kind: str, layout: str
) -> None:
    state = networks[kind]
    state = ORIGINALS[kind](state) if layout == "original" else state
    unnamed = []
    file = tmp_path / "network.safetensors"
    for missing in state:
        save({name: tensor for name, tensor in state.items() if name != missing}, file)
        with pytest.raises(InputError) as caught:
            parts.denoiser(load_denoiser(file), ModelMemory(), Device())
        sentence = str(caught.value)
        if f"'{missing}'" not in sentence or str(file) not in sentence or "lacks" not in sentence:
            unnamed.append((missing, sentence))
    assert unnamed == []


@pytest.mark.filterwarnings("ignore:`FluxPosEmbed` is deprecated:FutureWarning")
@pytest.mark.parametrize("kind", ["flux", "flux xlabs", "sd3", "sd3.5"])
def test_a_control_network_is_no_model(tmp_path: Path, kind: str) -> None:
    file = save(make_network(kind).state_dict(), tmp_path / "control.safetensors")
    with pytest.raises(InputError, match="is a ControlNet, not a model"):
        inspect_model(file)


def test_an_autoencoder_of_another_family_is_refused_before_the_run(
    networks: dict[str, State], tmp_path: Path
) -> None:
    network = save(original_flux(networks["flux"]), tmp_path / "flux.safetensors")
    four = save(original_vae(make_pipeline("xl").vae.state_dict()), tmp_path / "xl_vae.safetensors")
    own = save(original_vae(make_flux("dev").vae.state_dict()), tmp_path / "ae.safetensors")
    latent = hooks.empty_latent_facts(hooks.denoiser_facts(network)["model"])["latent"]
    hooks.check_decode(hooks.vae_facts(own)["vae"], latent)
    with pytest.raises(
        InputError, match=r"has channels 16, and the autoencoder .*xl_vae\.safetensors takes 4"
    ):
        hooks.check_decode(hooks.vae_facts(four)["vae"], latent)
