from __future__ import annotations

from pathlib import Path

import nodeflow_nodes
import pytest
import torch
from nodeflow_nodes.diffusion import parts
from nodeflow_nodes.diffusion.load import LoadedModel, load_denoiser, load_model
from nodeflow_nodes.diffusion.part_sizes import expected_bytes
from nodeflow_nodes.diffusion.quantize import quantize

from nodeflow import Device, ModelMemory, Precision, Recipe, Workflow
from nodeflow.engine import Engine
from nodeflow.settings import Settings
from tests.nodes.diffusion.gguf_writing import write_gguf
from tests.nodes.diffusion.tiny_flow_models import make_flux, original_flux
from tests.nodes.diffusion.tiny_models import make_pipeline, original_state, save

EMOJI = Path(nodeflow_nodes.__file__).parent / "emoji" / "models" / "checkpoints" / "emoji"
WORKFLOW = Path(__file__).parents[3] / "workflows" / "text_to_image.json"


@pytest.fixture(scope="module", params=["folder", "single file"])
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    if request.param == "folder":
        return load_model(EMOJI)
    file = tmp_path_factory.mktemp("file") / "model.safetensors"
    return load_model(save(original_state("1", make_pipeline("1")), file))


@pytest.mark.parametrize("precision", [Precision.FP32, Precision.BF16])
def test_what_a_part_will_take_is_known_before_it_is_loaded(
    loaded: LoadedModel, precision: Precision
) -> None:
    device, memory = Device(precision=precision), ModelMemory()
    model, text_encoder, vae = loaded
    made = {
        model: parts.denoiser(model, memory, device).size,
        text_encoder: parts.text_model(text_encoder, memory, device).size,
        vae: parts.autoencoder(vae, memory, device).size,
    }
    for recipe, size in made.items():
        assert expected_bytes(recipe, device)() == pytest.approx(size, rel=0.05), recipe.part


@pytest.fixture(scope="module")
def flux() -> dict[str, torch.Tensor]:
    return original_flux(make_flux("dev").transformer.state_dict())


@pytest.mark.parametrize("precision", [Precision.FP32, Precision.BF16])
@pytest.mark.parametrize("kind", ["Q8_0", "Q4_0"])
def test_matrices_of_gguf_files_are_expected_to_stay_in_their_blocks(
    flux: dict[str, torch.Tensor], tmp_path: Path, kind: str, precision: Precision
) -> None:
    device = Device(precision=precision)
    model = load_denoiser(write_gguf(flux, tmp_path / "model.gguf", kind))
    size = parts.denoiser(model, ModelMemory(), device).size
    assert expected_bytes(model, device)() == pytest.approx(size, rel=0.05)


@pytest.mark.quantized
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("weights", ["int8", "fp8", "nf4"])
def test_quantised_weights_are_expected_to_take_what_they_take(
    flux: dict[str, torch.Tensor], tmp_path: Path, weights: str
) -> None:
    device = Device(precision=Precision.BF16)
    model = quantize(load_denoiser(save(flux, tmp_path / "model.safetensors")), weights)
    size = parts.denoiser(model, ModelMemory(), device).size
    assert expected_bytes(model, device)() == pytest.approx(size, rel=0.15)


@pytest.mark.parametrize(("weights", "each"), [("int8", 1.0), ("fp8", 1.0), ("nf4", 0.5)])
def test_of_quantised_weights_the_matrices_of_layers_are_expected_smaller(
    flux: dict[str, torch.Tensor],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    weights: str,
    each: float,
) -> None:
    device = Device(precision=Precision.BF16)
    plain = load_denoiser(save(flux, tmp_path / "model.safetensors"))
    network = parts.denoiser(plain, ModelMemory(), device)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    matrices = sum(
        module.weight.numel()
        for name, module in network.network.named_modules()
        if isinstance(module, torch.nn.Linear) and "blocks." in name
        if module.weight.numel() >= 4096
    )
    assert matrices * 2 > network.size / 2
    wanted = network.size - (2 - each) * matrices
    assert expected_bytes(quantize(plain, weights), device)() == pytest.approx(wanted, rel=0.05)


def test_a_file_that_came_after_it_was_missing_is_known(
    flux: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    file = save(flux, tmp_path / "model.safetensors")
    recipe = Recipe(str(file), "d", "denoiser", "flux")
    head = file.rename(tmp_path / "elsewhere")
    assert expected_bytes(recipe, Device())() == 0
    head.rename(file)
    assert expected_bytes(recipe, Device())() > 0


def test_of_what_cannot_be_read_nothing_is_expected(tmp_path: Path) -> None:
    torn = tmp_path / "torn.safetensors"
    torn.write_bytes(b"torn")
    for path in (torn, tmp_path / "missing.safetensors", tmp_path):
        assert expected_bytes(Recipe(str(path), "d", "denoiser", "toy"), Device())() == 0


def test_a_workflow_whose_models_never_fit_together_runs_with_one_at_a_time(
    tmp_path: Path, cache: Path
) -> None:
    settings = Settings(cache=cache, data=tmp_path / "data", model_memory=1)
    with Engine(settings, device="cpu", precision="fp32") as engine:
        workflow = engine.set_inputs(Workflow.load(WORKFLOW), {"steps": "2"})
        result = engine.run(workflow, out=tmp_path / "out")
        assert result.status == "done"
        assert len(engine.models.info()["models"]) == 1
