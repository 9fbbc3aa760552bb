from __future__ import annotations

from pathlib import Path

import nodeflow_nodes
import pytest
from nodeflow_nodes.diffusion import parts
from nodeflow_nodes.diffusion.load import LoadedModel, load_model
from nodeflow_nodes.diffusion.part_sizes import expected_bytes

from nodeflow import Device, ModelMemory, Precision, Recipe, Workflow
from nodeflow.engine import Engine
from nodeflow.settings import Settings
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


def test_of_what_cannot_be_read_nothing_is_expected(tmp_path: Path) -> None:
    torn = tmp_path / "torn.safetensors"
    torn.write_bytes(b"torn")
    for path in (torn, tmp_path / "missing.safetensors", tmp_path):
        assert expected_bytes(Recipe(str(path), "d", "denoiser", "toy"), Device())() == 0


def test_a_workflow_whose_models_never_fit_together_runs_with_one_at_a_time(
    tmp_path: Path,
) -> None:
    settings = Settings(cache=tmp_path / "cache", data=tmp_path / "data", model_memory=1)
    with Engine(settings, device="cpu", precision="fp32") as engine:
        workflow = engine.set_inputs(Workflow.load(WORKFLOW), {"steps": "2"})
        result = engine.run(workflow, out=tmp_path / "out")
        assert result.status == "done"
        assert len(engine.models.info()["models"]) == 1
