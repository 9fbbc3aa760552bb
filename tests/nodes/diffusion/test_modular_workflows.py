"""Models that run by diffusers' own pipelines, through workflows as people write them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import PIL.Image
import pytest

import nodeflow
from nodeflow import NodeError, Workflow
from nodeflow.engine import Engine
from nodeflow.settings import Settings
from tests.nodes.diffusion.modular_models import save_wan, save_z_image
from tests.nodes.diffusion.modular_picture_models import save_wan_of_pictures


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    root = tmp_path_factory.mktemp("modular")
    save_z_image(root / "models" / "checkpoints" / "z_image")
    save_wan(root / "models" / "checkpoints" / "wan")
    save_wan_of_pictures(root / "models" / "checkpoints" / "wan_of_pictures")
    (root / "data" / "inputs").mkdir(parents=True)
    PIL.Image.radial_gradient("L").resize((64, 64)).save(root / "data" / "inputs" / "picture.png")
    settings = Settings(
        cache=root / "cache", data=root / "data", packs=(), models=(root / "models",)
    )
    with Engine(settings, device="cpu", precision="fp32", guard=True) as made:
        yield made


def flow(file: str, latent: dict[str, Any], **sampling: Any) -> Workflow:
    """Text to what a model makes."""

    def link(node: str, output: str) -> dict[str, str]:
        return {"node": node, "output": output}

    def text(words: str) -> dict[str, Any]:
        return {
            "type": "diffusion.encode_text",
            "inputs": {"encoder": link("load", "text_encoder"), "text": words},
        }

    document = {
        "nodeflow": 1,
        "nodes": {
            "load": {"type": "diffusion.load_model", "inputs": {"file": file}},
            "positive": text("a red apple"),
            "negative": text("pale"),
            "empty": {
                "type": "diffusion.empty_latent",
                "inputs": {"model": link("load", "model"), **latent},
            },
            "sample": {
                "type": "diffusion.sample",
                "inputs": {
                    "model": link("load", "model"),
                    "positive": link("positive", "conditioning"),
                    "negative": link("negative", "conditioning"),
                    "latent": link("empty", "latent"),
                    "steps": 3,
                    **sampling,
                },
            },
            "decode": {
                "type": "diffusion.decode",
                "inputs": {"vae": link("load", "vae"), "latent": link("sample", "latent")},
            },
        },
        "outputs": {"image": link("decode", "image")},
    }
    return Workflow.parse(json.dumps(document))


@pytest.mark.parametrize("method", ["euler", "dpmpp_2m", "heun", "euler_ancestral", "native"])
def test_a_picture_is_made_with_any_method(engine: Engine, method: str) -> None:
    made = flow("z_image", {"width": 64, "height": 64}, method=method)
    image = nodeflow.run(made, engine=engine)["image"]
    assert image.shape == (1, 64, 64, 3)
    assert float(image.std()) > 0


def test_a_video_is_made_as_its_frames(engine: Engine) -> None:
    made = flow("wan", {"width": 64, "height": 64, "frames": 9}, schedule="simple")
    assert nodeflow.run(made, engine=engine)["image"].shape == (9, 64, 64, 3)


def test_a_picture_is_set_in_motion(engine: Engine) -> None:
    document = json.loads(flow("wan_of_pictures", {"width": 64, "height": 64, "frames": 5}).dumps())
    document["nodes"]["picture"] = {"type": "image.load", "inputs": {"file": "picture.png"}}
    document["nodes"]["positive"]["type"] = "diffusion.encode_text_and_image"
    document["nodes"]["positive"]["inputs"] |= {
        "vae": {"node": "load", "output": "vae"},
        "image": {"node": "picture", "output": "image"},
        "latent": {"node": "empty", "output": "latent"},
    }
    made = Workflow.parse(json.dumps(document))
    assert nodeflow.run(made, engine=engine)["image"].shape == (5, 64, 64, 3)


def test_what_the_prompt_says_makes_a_difference(engine: Engine) -> None:
    made = flow("z_image", {"width": 64, "height": 64})
    other = engine.with_inputs(made, {"positive.text": "a blue door"})
    one, another = (nodeflow.run(f, engine=engine)["image"] for f in (made, other))
    assert float((one - another).abs().max()) > 0.001


def test_a_size_that_the_model_does_not_make_names_the_node(engine: Engine) -> None:
    made = flow("wan", {"width": 64, "height": 64, "frames": 6})
    with pytest.raises(NodeError, match="not of 6; take 5 or 9") as caught:
        nodeflow.run(made, engine=engine)
    assert caught.value.node == "empty"
