"""Every workflow that ships: its file is canonical, it checks, runs, and computes a thing once."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
import torch
from torch.nn import functional

from nodeflow import Workflow
from nodeflow.engine import Engine
from nodeflow.runs.result import Result
from nodeflow.settings import Settings
from nodeflow.workflow import OutputPlace

ROOT = Path(__file__).parents[1]
SHIPPED = {path.stem: path for path in sorted((ROOT / "workflows").glob("*.json"))}

QUICK: dict[str, dict[str, Any]] = {
    "text_to_image": {"prompt": "a green frog", "steps": 2, "seed": 3},
    "image_to_image": {"image": "picture.png", "steps": 2, "denoise": 0.5},
    "upscale": {"image": "picture.png"},
    "prompt_grid": {"prompts": "a heart\na star", "seeds": 3, "steps": 1},
    "inpaint": {"image": "picture.png", "steps": 2},
    "high_resolution": {"steps": 2},
}
"""Inputs with which each takes a moment."""

FILES = {name: path for name, path in SHIPPED.items() if name in QUICK}
"""Those that run with the embedded model; the others run in tests of the diffusion pack."""
NAMES = sorted(FILES)

WIDTH, HEIGHT, GAP = 260, 210, 20
HEIGHTS = {
    "diffusion.sample": 490,
    "image.save": 390,
    "image.load": 270,
    "image.contact_sheet": 310,
}
"""Pixels of nodes as the editor draws them, those with a picture or many fields by type."""

SIZES = {"text_to_image": (256, 256), "image_to_image": (256, 256), "upscale": (96, 64)}
SIZES |= {"inpaint": (256, 256), "high_resolution": (128, 128)}

AGAIN = """
import sys
from nodeflow.cli import main
try:
    main(sys.argv[1:])
finally:
    heavy = sorted({"torch", "diffusers", "nodeflow_nodes.diffusion.sampling"} & set(sys.modules))
    print("imported:", *heavy, file=sys.stderr)
"""


@dataclass(frozen=True)
class Ran:
    """One run of each workflow, with a cache and an output folder of its own."""

    home: Path
    settings: Settings
    flows: dict[str, Workflow]
    results: dict[str, Result]
    encoded: dict[str, list[str]]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    home = tmp_path_factory.mktemp("home")
    (home / "data" / "inputs").mkdir(parents=True)
    gradient = PIL.Image.linear_gradient("L").resize((24, 16)).convert("RGB")
    gradient.save(home / "data" / "inputs" / "picture.png")
    settings = Settings(
        cache=home / "cache", data=home / "data", packs=(home / "packs",), models=(home / "models",)
    )
    done = Ran(home, settings, {}, {}, {})
    with Engine(settings, guard=True) as engine, pytest.MonkeyPatch.context() as patch:
        assert engine.registry.errors == ()
        texts = _counted(patch)
        for name, path in FILES.items():
            flow = engine.with_inputs(engine.load(path), QUICK[name])
            assert engine.check(flow) == []
            texts.clear()
            done.flows[name] = flow
            done.results[name] = engine.run(flow, out=home / "outputs" / name).loaded()
            done.encoded[name] = list(texts)
    return done


def _environment(settings: Settings) -> dict[str, str]:
    plain = {name: text for name, text in os.environ.items() if not name.startswith("NODEFLOW_")}
    return plain | {
        "NODEFLOW_CACHE": str(settings.cache),
        "NODEFLOW_DATA": str(settings.data),
        "NODEFLOW_PACKS": str(settings.packs[0]),
        "NODEFLOW_MODELS": str(settings.models[0]),
    }


def _counted(patch: pytest.MonkeyPatch) -> list[str]:
    """The texts that `encode_text` is really called with from now on."""
    from nodeflow_nodes.diffusion import text

    texts: list[str] = []
    plain = text.encode_text

    @functools.wraps(plain)
    def encode_text(encoder: Any, text: str, **services: Any) -> Any:
        texts.append(text)
        return plain(encoder, text, **services)

    patch.setattr(text, "encode_text", encode_text)
    return texts


def links(value: Any) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict) and "node" in item:
            yield item["node"]


@pytest.mark.parametrize("name", SHIPPED)
def test_the_file_is_in_canonical_form(name):
    assert Workflow.load(SHIPPED[name]).dumps() == SHIPPED[name].read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SHIPPED)
def test_the_editor_can_draw_it_without_overlap_and_from_left_to_right(name):
    flow = Workflow.load(SHIPPED[name])
    places = {node: place["at"] for node, place in flow.layout["nodes"].items()}

    assert places.keys() == flow.nodes.keys()
    for (a, (ax, ay)), (b, (bx, by)) in combinations(places.items(), 2):
        upper = flow.nodes[a if ay <= by else b].type
        assert abs(ax - bx) >= WIDTH + GAP or abs(ay - by) >= HEIGHTS.get(upper, HEIGHT) + GAP
    for node, entry in flow.nodes.items():
        for source in (source for value in entry.inputs.values() for source in links(value)):
            assert places[source][0] < places[node][0]


@pytest.mark.parametrize("name", SHIPPED)
def test_the_form_has_a_place_for_every_exposed_input(name):
    flow = Workflow.load(SHIPPED[name])

    assert sorted(flow.layout["inputs"]) == sorted(flow.inputs)


@pytest.mark.parametrize("name", SHIPPED)
def test_it_says_what_it_does(name):
    flow = Workflow.load(SHIPPED[name])

    assert flow.layout["notes"]["about"]["text"]
    assert flow.model_extra["description"].endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_it_shows_what_it_makes(name):
    with PIL.Image.open(FILES[name].with_suffix(".webp")) as picture:
        assert picture.format == "WEBP"
        assert 200 <= max(picture.size) <= 320


@pytest.mark.parametrize("name", NAMES)
def test_every_node_runs(ran, name):
    result = ran.results[name]

    assert (result.status, result.errors) == ("done", ())
    # "memory" is what another workflow of this engine has computed before.
    assert {report.outcome for report in result.nodes.values()} <= {"ran", "memory"}
    assert result.nodes["save"].outcome == "ran"


@pytest.mark.parametrize("name", NAMES)
def test_the_picture_is_written_once_and_holds_the_workflow_that_made_it(ran, name):
    folder = ran.home / "outputs" / name
    (file,) = folder.iterdir()

    assert ran.results[name].outputs["image"] == {"files": [str(file)]}
    with PIL.Image.open(file) as picture:
        picture.load()
        assert picture.format == "PNG"
        assert picture.size == SIZES.get(name, picture.size)
        assert picture.convert("L").getextrema()[0] < picture.convert("L").getextrema()[1]
    assert Workflow.load(file) == ran.flows[name]


def test_the_grid_has_a_row_for_each_prompt_and_a_column_for_each_seed(ran):
    height, width = ran.results["prompt_grid"]["image"].shape[1:3]

    assert width == 3 * 256 + 4 * 8
    assert 2 * 256 < height < 2 * (256 + 4 * 24) + 3 * 8


def test_the_grid_encodes_each_prompt_once(ran):
    assert sorted(ran.encoded["prompt_grid"]) == ["a heart", "a star"]


def test_the_empty_negative_prompt_that_workflows_share_is_encoded_once(ran):
    assert [text for texts in ran.encoded.values() for text in texts].count("") == 1


def test_the_picture_follows_the_seed_and_not_the_run(ran):
    first = ran.results["text_to_image"]["image"]
    flow = ran.flows["text_to_image"]

    with Engine(ran.settings, cache=False) as engine:
        same = engine.run(flow, out=ran.home / "same").loaded()["image"]
        other = engine.run(flow, {"seed": 4}, out=ran.home / "other").loaded()["image"]

    assert same.equal(first)
    assert not other.equal(first)


def test_inpainting_keeps_what_is_not_painted_over(ran):
    with PIL.Image.open(ran.home / "data" / "inputs" / "picture.png") as picture:
        painted = picture.convert("RGBA")
    # The editor paints into the alpha.
    painted.paste(0, (0, 0, painted.width // 2, painted.height), None)
    painted.save(ran.home / "data" / "inputs" / "painted.png")
    flow = ran.flows["inpaint"].model_copy(
        update={"outputs": {node: OutputPlace(node=node, output="latent") for node in LATENTS}}
    )

    with Engine(ran.settings) as engine:
        result = engine.run(flow, {"image": "painted.png"}, out=ran.home / "painted").loaded()

    before, after = (result[node].samples for node in LATENTS)
    mask = result["encode"].mask
    rows, columns = before.shape[2:]
    # In latent pixels: what none of the mask touches, the feathered seam included.
    kept = functional.adaptive_max_pool2d(mask.unsqueeze(1), (rows, columns))[0, 0] == 0
    redrawn = functional.adaptive_avg_pool2d(mask.unsqueeze(1), (rows, columns))[0, 0] == 1
    assert kept.any()
    assert redrawn.any()
    # The network's scale is laid on and taken off again.
    assert torch.allclose(after[..., kept], before[..., kept], rtol=1e-6, atol=0)
    assert (after[..., redrawn] != before[..., redrawn]).any()


LATENTS = ("encode", "sample")


def test_the_less_is_drawn_anew_the_nearer_the_picture_stays(ran):
    flow = ran.flows["image_to_image"]
    with Engine(ran.settings) as engine:
        images = [
            engine.run(flow, {"denoise": share, "steps": 4}, out=ran.home / "shares").loaded()
            for share in (0.05, 0.5, 1.0)
        ]
        source = engine.run(
            flow.model_copy(
                update={"outputs": {"image": OutputPlace(node="resize", output="image")}}
            )
        ).loaded()["image"]
    size = source.shape[1:3]
    small = [functional.adaptive_avg_pool2d(r["image"].movedim(-1, 1), size) for r in images]
    away = [float((one - source[..., :3].movedim(-1, 1)).abs().mean()) for one in small]
    assert away == sorted(away)
    assert away[0] < away[2] / 2


@pytest.mark.parametrize("name", NAMES)
def test_the_same_run_in_a_new_process_computes_nothing(ran, name):
    sets = [f"--set={key}={value}" for key, value in QUICK[name].items()]
    out = ran.home / "outputs" / name
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    command = [sys.executable, "-c", AGAIN, "run", str(FILES[name]), *sets, "--out", str(out)]

    said = subprocess.run(
        [*command, "--json"],
        capture_output=True,
        text=True,
        env=_environment(ran.settings),
        cwd=ran.home,
        timeout=100,
        check=False,
    )

    assert said.returncode == 0, said.stderr
    last = json.loads(said.stdout.splitlines()[-1])
    outcomes = {report["outcome"] for report in last["nodes"].values()}
    assert outcomes <= {"memory", "disk", "skipped"}
    assert last["outputs"] == {"image": {"files": [str(path) for path in before]}}
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == before
    assert said.stderr.splitlines()[-1] == "imported:"
